//! The tail's six bytes of date and time.

use crate::calendar::days_since_1970;

/// Seconds since 1970-01-01, UTC; nothing if this is no date.
///
/// Year, month, day, hour, minute, second. Years count from 1900 (XT, QT) or from 2000 (Pandar40P,
/// Pandar64), which below 100 and from there on cannot be taken for each other before 2070. A year of
/// 0 means seconds since 1970 in the last five bytes, the highest first (PTP). Source: user manuals,
/// section on the tail.
pub(super) fn unix_s(date: [u8; 6]) -> Option<i64> {
    let [year, month, day, hour, minute, second] = date;
    if year == 0 {
        return Some(
            date.into_iter()
                .fold(0, |seconds, byte| seconds << 8 | i64::from(byte)),
        );
    }
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    let is_time = hour < 24 && minute < 60 && second <= 60;
    if !(is_date && is_time) {
        return None;
    }
    let year = i64::from(year) + if year < 100 { 2000 } else { 1900 };
    let days = days_since_1970(year, month.into(), day.into());
    Some(days * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_both_kinds() {
        // `date -u -d "2019-07-25 03:19:29" +%s`, and the like.
        assert_eq!(unix_s([119, 7, 25, 3, 19, 29]), Some(1_564_024_769));
        assert_eq!(unix_s([19, 7, 25, 3, 19, 29]), Some(1_564_024_769));
        assert_eq!(unix_s([117, 9, 6, 14, 31, 22]), Some(1_504_708_282));
        assert_eq!(unix_s([0, 0, 0x5d, 0x39, 0x1e, 0x41]), Some(0x5d39_1e41));
        for none in [
            [119, 13, 1, 0, 0, 0],
            [119, 1, 0, 0, 0, 0],
            [119, 1, 1, 24, 0, 0],
            [255; 6],
        ] {
            assert_eq!(unix_s(none), None, "{none:?}");
        }
    }
}
