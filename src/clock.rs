//! The time it is, and times as people read them.

pub(crate) use beluga_ingest::live::now;
use beluga_types::Stamp;

/// When today began, UTC.
pub(crate) fn today() -> Stamp {
    const DAY_NANOS: i64 = 86_400_000_000_000;
    let now = now().nanos();
    Stamp::from_nanos(now - now.rem_euclid(DAY_NANOS))
}

/// Nanoseconds since 1970 as UTC to the millisecond, `2024-05-01 12:00:00.000`.
pub(crate) fn utc(nanos: i64) -> String {
    // Both forms are of one width in all the years a stamp can say.
    const MILLIS: usize = "2024-05-01T12:00:00.000".len();
    let mut text = Stamp::from_nanos(nanos).iso_8601().replace('T', " ");
    text.truncate(MILLIS);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_date_prints() {
        // `date -u -d @N '+%F %T'`.
        assert_eq!(utc(0), "1970-01-01 00:00:00.000");
        assert_eq!(utc(1_317_042_145_594_360_375), "2011-09-26 13:02:25.594");
        assert_eq!(utc(951_782_400_000_000_000), "2000-02-29 00:00:00.000");
        assert_eq!(utc(-1), "1969-12-31 23:59:59.999");
    }
}
