//! The position packet: bytes → fields, and the sentence of the receiver in it.
//!
//! 512 bytes to port 8308: `u32` µs since the hour at 198, state of the PPS at 202, a NMEA sentence
//! at 206, ended by CR LF or zero. Source: VLP-16 User Manual 63-9243 Rev. E, section 9.3.3. Old
//! firmware leaves the state 0 even while a receiver is connected.

use crate::calendar::days_since_1970;

/// Bytes of a position packet.
pub const LENGTH: usize = 512;
/// Where its fields stand.
const MICROS: usize = 198;
const STATE: usize = 202;
const SENTENCE: usize = 206;
/// The longest sentence: NMEA 0183 allows 82 characters, receivers write more.
const MAX_SENTENCE: usize = 128;

/// State of the pulse per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pps {
    /// No pulse is seen, or the firmware does not say.
    Absent,
    /// The clock is being led to the pulse.
    Synchronizing,
    /// The clock follows the pulse.
    Locked,
    /// The pulse is wrong.
    Error,
}

impl Pps {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Pps::Absent => "absent",
            Pps::Synchronizing => "synchronizing",
            Pps::Locked => "locked",
            Pps::Error => "in error",
        }
    }
}

/// A position packet.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// µs since the hour.
    pub micros: u32,
    /// State of the pulse per second.
    pub pps: Pps,
    /// What the receiver said, if its check sum holds.
    pub sentence: Option<Sentence>,
}

/// What a receiver says.
#[derive(Clone, Debug, PartialEq)]
pub enum Sentence {
    /// `RMC`: date and time of the pulse before it; place without height.
    Minimum {
        /// Seconds since 1970-01-01, UTC.
        unix_s: i64,
        /// Whether the receiver says that it has a fix.
        valid: bool,
        /// Latitude and longitude in radians, north and east positive.
        place_rad: Option<[f64; 2]>,
    },
    /// `GGA`: time of day and place with height.
    Fix {
        /// Seconds of the day, UTC.
        day_s: f64,
        /// Latitude and longitude in radians, north and east positive.
        place_rad: [f64; 2],
        /// Above the ellipsoid, in metres.
        height_m: f64,
    },
}

impl Position {
    /// The fields of these bytes.
    ///
    /// # Errors
    /// What is wrong with them: another length, a state that there is not.
    pub fn new(bytes: &[u8]) -> Result<Self, String> {
        let bytes: &[u8; LENGTH] = bytes
            .try_into()
            .map_err(|_| format!("expected {LENGTH} bytes, found {}", bytes.len()))?;
        let pps = match bytes[STATE] {
            0 => Pps::Absent,
            1 => Pps::Synchronizing,
            2 => Pps::Locked,
            3 => Pps::Error,
            state => return Err(format!("expected a PPS state of 0 to 3, found {state}")),
        };
        let text = &bytes[SENTENCE..SENTENCE + MAX_SENTENCE];
        let end = text.iter().position(|byte| matches!(byte, 0 | b'\r' | b'\n'));
        let text = std::str::from_utf8(&text[..end.unwrap_or(text.len())]).ok();
        Ok(Self {
            micros: bytes[MICROS..MICROS + 4].try_into().map_or(0, u32::from_le_bytes),
            pps,
            sentence: text.and_then(sentence),
        })
    }
}

/// A sentence whose check sum holds; the talker does not matter.
fn sentence(text: &str) -> Option<Sentence> {
    let (body, sum) = text.strip_prefix('$')?.split_once('*')?;
    let expected = body.bytes().fold(0, |sum, byte| sum ^ byte);
    if u8::from_str_radix(sum.trim(), 16).ok()? != expected {
        return None;
    }
    let fields: Vec<&str> = body.split(',').collect();
    match fields.first()?.get(2..)? {
        "RMC" => minimum(&fields),
        "GGA" => fix(&fields),
        _ => None,
    }
}

/// `RMC, time, A or V, latitude, N or S, longitude, E or W, speed, course, date, …`
fn minimum(fields: &[&str]) -> Option<Sentence> {
    let day_s = time_of_day_s(fields.get(1)?)?;
    let date: u32 = fields.get(9).filter(|date| date.len() == 6)?.parse().ok()?;
    let (day, month, year) = (date / 10_000, date / 100 % 100, 2000 + i64::from(date % 100));
    if !(1..=31).contains(&day) || !(1..=12).contains(&month) {
        return None;
    }
    Some(Sentence::Minimum {
        unix_s: days_since_1970(year, month, day) * 86_400 + day_s.floor() as i64,
        valid: fields.get(2)? == &"A",
        place_rad: place_rad(fields.get(3..7)?),
    })
}

/// `GGA, time, latitude, N or S, longitude, E or W, quality, satellites, dilution, height, M, geoid, M, …`
fn fix(fields: &[&str]) -> Option<Sentence> {
    let number = |place: usize| {
        fields
            .get(place)?
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
    };
    let quality: u8 = fields.get(6)?.parse().ok()?;
    if quality == 0 {
        return None;
    }
    Some(Sentence::Fix {
        day_s: time_of_day_s(fields.get(1)?)?,
        place_rad: place_rad(fields.get(2..6)?)?,
        height_m: number(9)? + number(11)?,
    })
}

/// `hhmmss.ss` in seconds.
fn time_of_day_s(text: &str) -> Option<f64> {
    let whole: u32 = text.get(..6)?.parse().ok()?;
    let part: f64 = match text.get(6..)? {
        "" => 0.0,
        rest => format!("0{rest}").parse().ok()?,
    };
    let (hours, minutes, seconds) = (whole / 10_000, whole / 100 % 100, whole % 100);
    let fits = hours < 24 && minutes < 60 && seconds <= 60 && (0.0..1.0).contains(&part);
    fits.then(|| f64::from(hours * 3600 + minutes * 60 + seconds) + part)
}

/// `ddmm.mmmm, N or S, dddmm.mmmm, E or W` in radians.
fn place_rad(fields: &[&str]) -> Option<[f64; 2]> {
    let angle = |text: &str, degrees: usize, most: f64| {
        let whole: f64 = text.get(..degrees)?.parse().ok()?;
        let minutes: f64 = text.get(degrees..)?.parse().ok()?;
        let angle = whole + minutes / 60.0;
        ((0.0..60.0).contains(&minutes) && (0.0..=most).contains(&angle)).then(|| angle.to_radians())
    };
    let sign = |letter: &str, positive: &str, negative: &str| match letter {
        _ if letter == positive => Some(1.0),
        _ if letter == negative => Some(-1.0),
        _ => None,
    };
    let &[latitude, north, longitude, east] = fields else {
        return None;
    };
    Some([
        angle(latitude, 2, 90.0)? * sign(north, "N", "S")?,
        angle(longitude, 3, 180.0)? * sign(east, "E", "W")?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(micros: u32, state: u8, text: &str) -> Vec<u8> {
        let mut bytes = vec![0; LENGTH];
        bytes[MICROS..MICROS + 4].copy_from_slice(&micros.to_le_bytes());
        bytes[STATE] = state;
        bytes[SENTENCE..SENTENCE + text.len()].copy_from_slice(text.as_bytes());
        bytes
    }

    #[test]
    fn the_sentence_of_a_receiver_is_read() {
        let text = "$GPRMC,220632,A,3707.8324,N,12139.2864,W,000.0,144.7,111212,013.8,E,D*09\r\n";
        let read = Position::new(&packet(393_210_381, 2, text)).unwrap();
        assert_eq!((read.micros, read.pps), (393_210_381, Pps::Locked));
        let Some(Sentence::Minimum {
            unix_s,
            valid,
            place_rad,
        }) = read.sentence
        else {
            panic!("{read:?}");
        };
        // `date -u -d "2012-12-11 22:06:32" +%s`
        assert_eq!((unix_s, valid), (1_355_263_592, true));
        let [latitude, longitude] = place_rad.unwrap().map(f64::to_degrees);
        assert!((latitude - 37.130_54).abs() < 1e-9 && (longitude + 121.654_773_333).abs() < 1e-8);
    }

    #[test]
    fn a_fix_has_its_height_above_the_ellipsoid() {
        let text = "$GPGGA,123519.50,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*6C";
        let read = Position::new(&packet(0, 0, text)).unwrap();
        let Some(Sentence::Fix { day_s, height_m, .. }) = read.sentence else {
            panic!("{read:?}");
        };
        assert_eq!((day_s, height_m), (45_319.5, 592.3));
    }

    #[test]
    fn what_does_not_hold_is_no_sentence() {
        let whole = "$GPRMC,220632,A,3707.8324,N,12139.2864,W,000.0,144.7,111212,013.8,E,D*09";
        for text in [
            "",
            "$",
            "$GPRMC*4B",
            &whole.replace("*09", "*0A"),
            &whole[..40],
            "$GPGSV,1*00",
        ] {
            assert_eq!(
                Position::new(&packet(0, 0, text)).unwrap().sentence,
                None,
                "{text}"
            );
        }
        assert!(Position::new(&packet(0, 7, whole)).is_err());
        assert!(Position::new(&[0; 511]).is_err());
    }
}
