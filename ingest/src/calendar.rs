//! Dates of the Gregorian calendar.

/// Days from 1970-01-01 to 2000-03-01.
const EPOCH_DAYS: i64 = 11_017;

/// Days from 1970-01-01 to a day of the Gregorian calendar; years begin in March, so that the leap
/// day is the last of its year.
pub(crate) fn days_since_1970(year: i64, month: u32, day: u32) -> i64 {
    let month = i64::from(month);
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let years = year - 2000;
    let leaps = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    EPOCH_DAYS + 365 * years + leaps + (153 * month + 2) / 5 + i64::from(day) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for ((year, month, day), days) in [
            ((1970, 1, 1), 0),
            ((1999, 12, 31), 10_956),
            ((2000, 2, 29), 11_016),
            ((2012, 12, 11), 15_685),
            ((2023, 1, 11), 19_368),
            ((2100, 3, 1), 47_541),
        ] {
            assert_eq!(days_since_1970(year, month, day), days, "{year}-{month}-{day}");
        }
    }
}
