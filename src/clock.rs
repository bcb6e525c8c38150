//! Times as people read them.

/// Nanoseconds since 1970 as UTC, `2024-05-01 12:00:00.000`: days by the algorithm
/// `civil_from_days` of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013).
pub(crate) fn utc(nanos: i64) -> String {
    let millis = nanos.div_euclid(1_000_000);
    let (days, millis) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    // Eras of 400 years that start on 1 March of year 0.
    let (era, day) = (
        (days + 719_468).div_euclid(146_097),
        (days + 719_468).rem_euclid(146_097),
    );
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, millis) = (millis / 1000 % 60, millis % 1000);
    format!("{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02}.{millis:03}")
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
