//! One sentence of NMEA 0183: text → what it says.
//!
//! GGA, GST, HDT, RMC and ZDA are read by the `nmea` crate, which checks sums. `PASHR` is not among
//! what it knows: `$PASHR,hhmmss.sss,heading,T,roll,pitch,heave,sigma of roll, of pitch, of heading,
//! quality,alignment*sum` (Trimble, "NMEA-0183 message: PASHR"), degrees and metres; roll is positive
//! starboard down, pitch bow up.

use beluga_types::Geodetic;
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use nmea::ParseResult;
use nmea::sentences::FixType;
use nmea::sentences::rmc::RmcStatusOfFix;

/// The longest sentence that is read; the standard allows 82 bytes, makers are more talkative.
pub(super) const LONGEST: usize = 512;

/// What one sentence says. Times are nanoseconds since midnight, UTC.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sentence {
    /// A position, its height over the ellipsoid; nothing if the receiver has none.
    Fix { day_nanos: i64, place: Option<Geodetic> },
    /// How good positions are: one sigma to the east, to the north, up, in metres.
    Errors { day_nanos: i64, sigma_m: [f64; 3] },
    /// True heading, in degrees.
    Heading(f64),
    /// Roll, pitch, heading, in degrees; one sigma of each, if stated.
    Attitude {
        day_nanos: i64,
        attitude_deg: [f64; 3],
        sigma_deg: Option<[f64; 3]>,
    },
    /// The date, in days since 1970, and when of that day.
    Date { days: i64, day_nanos: i64 },
    /// Of a kind that is not used here.
    Other,
}

/// Reads a sentence without its line end.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(line: &[u8]) -> Result<Sentence, String> {
    let text = std::str::from_utf8(line).map_err(|_| "no text".to_owned())?;
    if let Some(fields) = text.strip_prefix("$PASHR,") {
        return pashr(checked(text, fields)?);
    }
    match nmea::parse_str(text) {
        Ok(ParseResult::GGA(gga)) => {
            let Some(time) = gga.fix_time else {
                return Ok(Sentence::Other);
            };
            let is_fix = !matches!(gga.fix_type, None | Some(FixType::Invalid));
            let height = gga.altitude.zip(gga.geoid_separation);
            let place = gga.latitude.zip(gga.longitude).zip(height).filter(|_| is_fix);
            Ok(Sentence::Fix {
                day_nanos: day_nanos(time),
                place: place.map(|((lat, lon), (above_geoid, geoid))| {
                    Geodetic::from_degrees(lat, lon, f64::from(above_geoid) + f64::from(geoid))
                }),
            })
        }
        Ok(ParseResult::GST(gst)) => {
            let sigmas = [gst.long_sd, gst.lat_sd, gst.alt_sd];
            let [Some(east), Some(north), Some(up)] = sigmas.map(positive) else {
                return Ok(Sentence::Other);
            };
            Ok(gst.time.map_or(Sentence::Other, |time| Sentence::Errors {
                day_nanos: day_nanos(time),
                sigma_m: [east, north, up],
            }))
        }
        Ok(ParseResult::HDT(hdt)) => {
            let heading = hdt.heading.map(f64::from);
            Ok(heading
                .filter(|deg| (-360.0..=360.0).contains(deg))
                .map_or(Sentence::Other, Sentence::Heading))
        }
        Ok(ParseResult::RMC(rmc)) if rmc.status_of_fix != RmcStatusOfFix::Invalid => {
            Ok(date(rmc.fix_date, rmc.fix_time))
        }
        Ok(ParseResult::ZDA(zda)) => Ok(date(zda.utc_date(), zda.utc_time)),
        Ok(_) => Ok(Sentence::Other),
        // A kind that the crate does not know is none of ours either, if it holds.
        Err(nmea::Error::Unsupported(_) | nmea::Error::Unknown(_) | nmea::Error::DisabledSentence) => {
            Ok(Sentence::Other)
        }
        Err(nmea::Error::ChecksumMismatch { calculated, found }) => {
            Err(format!("expected the sum {calculated:02X}, found {found:02X}"))
        }
        Err(_) if is_proprietary(text) => checked(text, text).map(|_| Sentence::Other),
        Err(_) => Err("no sentence of NMEA 0183".into()),
    }
}

/// `$P` and a maker's letters.
fn is_proprietary(text: &str) -> bool {
    text.starts_with("$P")
}

/// The fields of a sentence whose sum holds: the exclusive or of all bytes between `$` and `*`.
pub(super) fn checked<'a>(text: &str, fields: &'a str) -> Result<&'a str, String> {
    let (body, sum) = text[1..].split_once('*').ok_or("no sum")?;
    let stated = u8::from_str_radix(sum.trim(), 16)
        .map_err(|_| format!("expected a sum, found `{}`", sum.escape_debug()))?;
    let found = body.bytes().fold(0, |sum, byte| sum ^ byte);
    match found == stated {
        true => Ok(fields.split_once('*').map_or(fields, |(fields, _)| fields)),
        false => Err(format!("expected the sum {found:02X}, found {stated:02X}")),
    }
}

fn pashr(fields: &str) -> Result<Sentence, String> {
    let fields: Vec<&str> = fields.split(',').collect();
    let number = |index: usize| -> Option<f64> {
        let value: f64 = fields.get(index)?.parse().ok()?;
        (value.abs() <= 360.0).then_some(value)
    };
    let time = fields.first().and_then(|text| hms(text));
    let (Some(day_nanos), true) = (time, fields.get(2) == Some(&"T")) else {
        return Ok(Sentence::Other);
    };
    let [Some(roll), Some(pitch), Some(heading)] = [number(3), number(4), number(1)] else {
        return Ok(Sentence::Other);
    };
    let sigmas = [number(6), number(7), number(8)].map(|sigma| sigma.filter(|sigma| *sigma > 0.0));
    let sigma_deg = match sigmas {
        [Some(roll), Some(pitch), Some(heading)] => Some([roll, pitch, heading]),
        _ => None,
    };
    Ok(Sentence::Attitude {
        day_nanos,
        attitude_deg: [roll, pitch, heading],
        sigma_deg,
    })
}

/// `hhmmss.sss`.
fn hms(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let time = NaiveTime::parse_from_str(whole, "%H%M%S")
        .ok()
        .filter(|_| whole.len() == 6)?;
    let digits = part
        .get(..part.len().min(9))
        .filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
    let nanos: i64 = format!("{digits:0<9}").parse().ok()?;
    Some(day_nanos(time) + nanos)
}

fn day_nanos(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000_000 + i64::from(time.nanosecond())
}

fn date(date: Option<NaiveDate>, time: Option<NaiveTime>) -> Sentence {
    /// Of 1970-01-01, from the first day of the year 1.
    const UNIX_DAY: i32 = 719_163;
    match date.zip(time) {
        None => Sentence::Other,
        Some((date, time)) => Sentence::Date {
            days: i64::from(date.num_days_from_ce() - UNIX_DAY),
            day_nanos: day_nanos(time),
        },
    }
}

fn positive(sigma: Option<f32>) -> Option<f64> {
    sigma
        .map(f64::from)
        .filter(|sigma| sigma.is_finite() && *sigma > 0.0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// With its sum.
    pub(in crate::nmea) fn summed(body: &str) -> String {
        let sum = body.bytes().fold(0_u8, |sum, byte| sum ^ byte);
        format!("${body}*{sum:02X}")
    }

    fn of(body: &str) -> Result<Sentence, String> {
        read(summed(body).as_bytes())
    }

    /// 10:20:30.25.
    const TIME: i64 = (10 * 3600 + 20 * 60 + 30) * 1_000_000_000 + 250_000_000;

    #[test]
    fn positions_are_over_the_ellipsoid() {
        let Ok(Sentence::Fix {
            day_nanos,
            place: Some(place),
        }) = of("GPGGA,102030.25,5406.00000,N,01206.00000,E,4,12,0.7,1.20,M,37.30,M,1.0,1390")
        else {
            panic!("no fix")
        };
        assert_eq!(day_nanos, TIME);
        assert!((place.latitude_rad.to_degrees() - 54.1).abs() < 1e-9);
        assert!((place.longitude_rad.to_degrees() - 12.1).abs() < 1e-9);
        assert!((place.height_m - 38.5).abs() < 1e-5);
        let none = of("GPGGA,102030.25,,,,,0,00,,,M,,M,,").unwrap();
        assert!(matches!(
            none,
            Sentence::Fix { place: None, .. } | Sentence::Other
        ));
    }

    #[test]
    fn attitudes_errors_headings_and_dates() {
        assert_eq!(
            of("PASHR,102030.25,181.50,T,-2.25,+1.75,+0.10,0.020,0.030,0.040,4,3").unwrap(),
            Sentence::Attitude {
                day_nanos: TIME,
                attitude_deg: [-2.25, 1.75, 181.5],
                sigma_deg: Some([0.02, 0.03, 0.04]),
            }
        );
        assert_eq!(of("HEHDT,181.5,T").unwrap(), Sentence::Heading(181.5));
        let Ok(Sentence::Errors { sigma_m, .. }) = of("GPGST,102030.25,1.0,0.5,0.25,0.0,0.5,0.25,2.0") else {
            panic!("no errors")
        };
        assert_eq!(sigma_m, [0.25, 0.5, 2.0], "the sentence has latitude first");
        // 2024-03-20 is day 19802.
        let date = Sentence::Date {
            days: 19_802,
            day_nanos: TIME,
        };
        assert_eq!(of("GPZDA,102030.25,20,03,2024,00,00").unwrap(), date);
        let rmc = of("GPRMC,102030.25,A,5406.0,N,01206.0,E,0.1,0.0,200324,,,A").unwrap();
        assert_eq!(rmc, date);
        assert_eq!(of("GPGSV,1,1,00").unwrap(), Sentence::Other);
        assert_eq!(of("PHTRO,1.72,M,0.34,T").unwrap(), Sentence::Other);
    }

    #[test]
    fn what_does_not_hold_is_refused() {
        for line in [
            "$HEHDT,181.5,T*00",
            "$PASHR,102030.25,181.50,T,0,0,0,0.02,0.03,0.04,4,3*00",
            "garbage",
            "$PASHR,",
            "",
        ] {
            assert!(read(line.as_bytes()).is_err(), "{line}");
        }
        assert!(read(&[0xff, 0xfe]).is_err());
    }
}
