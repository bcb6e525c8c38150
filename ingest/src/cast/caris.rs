//! The sound-velocity text of CARIS: `[SVP_VERSION_2]`, a name, then sections of one cast each,
//! headed `Section 2020-195 07:17:50 54:17:34.20 11:57:18.60` (year and day of the year, time UTC,
//! latitude and longitude in degrees, minutes and seconds; 0:0:0 twice where nobody knew), with a
//! depth in metres and a speed in m/s in each line. Source: CARIS HIPS and SIPS, "SVP file format", and
//! the casts that programs write.

use std::path::Path;

use beluga_types::Stamp;

use super::{Cast, MAX_POINTS};
use crate::calendar::days_since_1970;
use crate::error::Error;
use crate::range::is_time;

/// The first bytes, whatever version follows.
const HEAD: &str = "[SVP_VERSION";
/// Depths that a cast may state, in metres: a probe hangs in the air first.
const DEPTHS_M: std::ops::RangeInclusive<f64> = -10.0..=12_000.0;
/// Speeds of sound in water, in m/s.
const SPEEDS_M_PER_S: std::ops::RangeInclusive<f64> = 1300.0..=1800.0;
/// The longest text that is quoted in a message, in characters.
const QUOTED: usize = 60;

/// Whether a text is of this form.
pub(super) fn is_caris(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').starts_with(HEAD)
}

/// What a section's head says.
type Head = (Option<Stamp>, Option<[f64; 2]>);

/// The casts of a text, in its order; a section without levels is none.
pub(super) fn read(text: &str, path: &Path) -> Result<Vec<Cast>, Error> {
    let mut casts = Vec::new();
    let mut head: Option<Head> = None;
    let mut levels = Vec::new();
    let mut measured = 0;
    let mut close = |head: Option<Head>, levels: &mut Vec<(f64, f64)>| {
        if let (Some((taken, place_deg)), false) = (head, levels.is_empty()) {
            casts.push(Cast::of(std::mem::take(levels), taken, place_deg));
        }
    };
    for (number, line) in (1..).zip(text.lines()) {
        let refuse = |expected: &str| {
            let found: String = line.trim_end().chars().take(QUOTED).collect();
            Error::bad(path, format!("line {number}"), expected, format!("`{found}`"))
        };
        let mut words = line.split_whitespace();
        match (words.next(), number) {
            // The form's name and the file's, which may hold anything.
            (_, 1 | 2) | (None, _) => {}
            (Some("Section"), _) => {
                let section =
                    section(words).ok_or_else(|| refuse("`Section yyyy-ddd hh:mm:ss latitude longitude`"))?;
                close(head.replace(section), &mut levels);
            }
            (Some(_), _) if head.is_none() => return Err(refuse("`Section` with date and place")),
            (Some(depth), _) => {
                let level = level(depth, words).ok_or_else(|| {
                    refuse("a depth in metres and a speed of sound in water in m/s (1300 to 1800)")
                })?;
                measured += 1;
                if measured > MAX_POINTS {
                    return Err(refuse(&format!("at most {MAX_POINTS} levels")));
                }
                levels.push(level);
            }
        }
    }
    close(head, &mut levels);
    Ok(casts)
}

/// Depth and speed of a line; what follows them is not ours.
fn level<'a>(depth: &str, mut rest: impl Iterator<Item = &'a str>) -> Option<(f64, f64)> {
    let (depth_m, speed): (f64, f64) = (depth.parse().ok()?, rest.next()?.parse().ok()?);
    (DEPTHS_M.contains(&depth_m) && SPEEDS_M_PER_S.contains(&speed)).then_some((depth_m, speed))
}

fn section<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Head> {
    let (year, day) = words.next()?.split_once('-')?;
    let (year, day): (i64, u32) = (year.parse().ok()?, day.parse().ok()?);
    if !(1900..=2200).contains(&year) {
        return None;
    }
    let days = days_since_1970(year, 1, 1) + i64::from(day) - 1;
    if day == 0 || days >= days_since_1970(year + 1, 1, 1) {
        return None;
    }
    let time_s = sixtieths(words.next()?, 24.0)? * 3600.0;
    let nanos = days * 86_400_000_000_000 + (time_s * 1e9).round() as i64;
    let taken = Some(Stamp::from_nanos(nanos)).filter(|taken| is_time(*taken));
    let place = (words.next(), words.next());
    let place_deg = match place {
        (Some(latitude), Some(longitude)) => Some([sixtieths(latitude, 90.0)?, sixtieths(longitude, 360.0)?]),
        _ => None,
    };
    // Null Island is where casts of nobody knows where are kept.
    Some((taken, place_deg.filter(|place| *place != [0.0, 0.0])))
}

/// `-54:17:34.20` as 54 + 17/60 + 34.2/3600 with its sign, if no more than `most` either way.
fn sixtieths(text: &str, most: f64) -> Option<f64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let mut parts = text.split(':');
    let (whole, minutes): (u16, u16) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
    // Rounded up, as some write a full minute.
    let is_one = parts.next().is_none() && minutes < 60 && (0.0..=60.0).contains(&seconds);
    let value = f64::from(whole) + f64::from(minutes) / 60.0 + seconds / 3600.0;
    (is_one && value <= most).then_some(sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn casts(text: &str) -> Result<Vec<Cast>, String> {
        read(text, Path::new("made.svp")).map_err(|error| error.to_string())
    }

    const MADE: &str = "[SVP_VERSION_2]\r\nmade.svp \r\n\
        Section 2020-195 07:17:50 54:17:34.20 -11:57:18.60 \r\n\
        0.84 1484.43\r\n0002.00\t1484.5 \r\n1.00 1484.0\r\n1.00 1485.0\r\n\r\n\
        Section 2024-366 23:59:59 0:0:0 0:0:0\r\n0.5 1450\r\n";

    #[test]
    fn sections_give_time_place_and_levels_in_order_of_depth() {
        let casts = casts(MADE).unwrap();
        assert_eq!(casts.len(), 2);
        let first = &casts[0];
        assert_eq!(*first.levels, [(0.84, 1484.43), (1.0, 1484.5), (2.0, 1484.5)]);
        assert_eq!(first.averaged, 1);
        assert!(first.taken.unwrap().iso_8601().starts_with("2020-07-13T07:17:50"));
        let [latitude, longitude] = first.place_deg.unwrap();
        assert!((latitude - 54.292_833_333).abs() < 1e-9 && (longitude + 11.955_166_667).abs() < 1e-9);
        assert!(
            casts[1]
                .taken
                .unwrap()
                .iso_8601()
                .starts_with("2024-12-31T23:59:59")
        );
        assert_eq!(casts[1].place_deg, None);
    }

    #[test]
    fn what_is_no_cast_is_refused_with_its_line() {
        for (from, to, place) in [
            ("0.84 1484.43", "0.84", "line 4"),
            ("0.84 1484.43", "nan 1484.43", "line 4"),
            ("0.84 1484.43", "0.84 4870", "line 4"),
            ("0002.00", "20000", "line 5"),
            ("2020-195", "2020-367", "line 3"),
            ("2020-195", "2021-366", "line 3"),
            ("2020-195", "9223372036854775807-1", "line 3"),
            ("07:17:50", "25:17:50", "line 3"),
            ("07:17:50", "07:60:50", "line 3"),
            ("54:17:34.20", "94:17:34.20", "line 3"),
            (
                "Section 2020-195 07:17:50 54:17:34.20 -11:57:18.60",
                "1 1484",
                "line 3",
            ),
        ] {
            let told = casts(&MADE.replacen(from, to, 1)).unwrap_err();
            assert!(
                told.starts_with(place) && told.contains("made.svp"),
                "{to}: {told}"
            );
        }
        assert_eq!(casts("[SVP_VERSION_2]\nx\n").unwrap(), []);
        for end in 0..MADE.len() {
            let _ = casts(&MADE[..end]);
        }
    }
}
