//! Dates that a file states.

use crate::calendar::days_since_1970;

/// Days from 1970 to a date from 1980 to 2199, if it is one.
pub(crate) fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    if !(1980..2200).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let first = days_since_1970(i64::from(year), month, 1);
    let next = match month {
        12 => days_since_1970(i64::from(year) + 1, 1, 1),
        _ => days_since_1970(i64::from(year), month + 1, 1),
    };
    let found = first + i64::from(day) - 1;
    (first..next).contains(&found).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // `date -u -d 2022-11-09 +%s` says 1667952000.
        for ([year, month, day], expected) in [
            ([2022, 11, 9], Some(1_667_952_000 / 86_400)),
            ([2000, 2, 29], Some(951_782_400 / 86_400)),
            ([1980, 1, 1], Some(315_532_800 / 86_400)),
            ([2023, 12, 31], Some(1_703_980_800 / 86_400)),
            ([2024, 1, 1], Some(1_704_067_200 / 86_400)),
            ([2023, 2, 29], None),
            ([2022, 13, 1], None),
            ([2022, 4, 31], None),
            ([0, 0, 0], None),
        ] {
            assert_eq!(days(year, month, day), expected, "{year}-{month}-{day}");
        }
    }
}
