//! What a position sensor's own sentence says beside latitude and longitude.

/// Time of day, and height over the ellipsoid, of a `GGA` sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Gga {
    /// Seconds since midnight, UTC.
    pub(crate) day_s: Option<f64>,
    /// In metres: height over the geoid and of the geoid together.
    pub(crate) height_m: Option<f64>,
}

/// Reads a sentence, with or without its `$`; nothing if it is no `GGA`.
///
/// NMEA 0183: `$--GGA,hhmmss.ss,lat,N,lon,E,quality,satellites,hdop,height,M,geoid,M,age,station`.
pub(crate) fn gga(text: &str) -> Option<Gga> {
    let mut fields = text.trim_start_matches('$').split(',');
    fields
        .next()
        .filter(|name| name.len() == 5 && name.ends_with("GGA"))?;
    let fields: Vec<&str> = fields.take(12).collect();
    let number = |index: usize| {
        fields
            .get(index)?
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite())
    };
    let height = number(8).zip(number(10)).map(|(height, geoid)| height + geoid);
    Some(Gga {
        day_s: fields.first().and_then(|time| day_s(time)),
        height_m: height.filter(|height| height.abs() < 1e5),
    })
}

fn day_s(time: &str) -> Option<f64> {
    let (hours, rest) = time.split_at_checked(2)?;
    let (minutes, seconds) = rest.split_at_checked(2)?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds: f64 = seconds.parse().ok()?;
    (hours < 24 && minutes < 60 && (0.0..61.0).contains(&seconds))
        .then(|| f64::from(hours * 3600 + minutes * 60) + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn height_is_over_the_ellipsoid() {
        let found =
            gga("GPGGA,123656.60,5122.107952,N,00308.357494,E,4,12,0.7,1.19,M,47.01,M,1.0,1390*4E").unwrap();
        assert!((found.height_m.unwrap() - 48.2).abs() < 1e-9);
        assert!((found.day_s.unwrap() - 45_416.6).abs() < 1e-9);
        let bare = gga("$INGGA,,,,,,0,,,,,,,,*00").unwrap();
        assert_eq!(bare, Gga::default());
        for wrong in ["$GPZDA,1,2", "", "GGA", "$GPGGA,256199.0,,,,,,,,nan,M,1,M"] {
            assert!(gga(wrong).is_none_or(|found| found == Gga::default()), "{wrong}");
        }
    }
}
