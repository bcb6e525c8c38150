//! When a sensor measured.

use std::time::Duration;

/// Nanoseconds since the Unix epoch, UTC, without leap seconds counted (as Unix time).
///
/// The moment is the sensor's *time zero* of a payload: a scan's first firing, a ping's transmit
/// centre, a waveform's first sample where there is no transmit. The range is years 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(i64);

impl Stamp {
    /// The moment `nanos` after the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// This moment moved by a signed number of nanoseconds; stays inside the range.
    #[must_use]
    pub const fn shifted_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// This moment moved by `seconds`, rounded to the nearest nanosecond.
    #[must_use]
    pub fn shifted_s(self, seconds: f64) -> Self {
        self.shifted_nanos((seconds * 1e9).round() as i64)
    }

    /// Signed nanoseconds from `earlier` to this moment.
    pub const fn nanos_since(self, earlier: Stamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Signed seconds from `earlier` to this moment.
    pub fn seconds_since(self, earlier: Stamp) -> f64 {
        self.nanos_since(earlier) as f64 * 1e-9
    }

    /// As ISO 8601 writes it, `2026-11-22T15:04:05.000000006Z`. Civil date from days: H. Hinnant,
    /// "chrono-compatible low-level date algorithms", `civil_from_days`.
    pub fn iso_8601(self) -> String {
        let nanos = self.0;
        let seconds = nanos.div_euclid(1_000_000_000);
        let fraction = nanos.rem_euclid(1_000_000_000);
        let second_of_day = seconds.rem_euclid(86_400);
        let shifted = seconds.div_euclid(86_400) + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{fraction:09}Z",
            second_of_day / 3600,
            second_of_day / 60 % 60,
            second_of_day % 60
        )
    }

    /// How long after `earlier` this moment is, or nothing if it is before it.
    pub fn duration_since(self, earlier: Stamp) -> Option<Duration> {
        u64::try_from(self.nanos_since(earlier))
            .ok()
            .map(Duration::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (nanos, date) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_827_696_000_000_001, "2000-02-29T12:34:56.000000001Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        ] {
            assert_eq!(Stamp::from_nanos(nanos).iso_8601(), date);
        }
    }

    #[test]
    fn later_minus_earlier_is_positive() {
        let earlier = Stamp::from_nanos(1_700_000_000_000_000_000);
        let later = earlier.shifted_s(0.25);
        assert_eq!(later.nanos_since(earlier), 250_000_000);
        assert_eq!(earlier.seconds_since(later), -0.25);
        assert_eq!(earlier.duration_since(later), None);
        assert_eq!(later.duration_since(earlier), Some(Duration::from_millis(250)));
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        let last = Stamp::from_nanos(i64::MAX);
        assert_eq!(last.shifted_nanos(1), last);
        assert_eq!(last.nanos_since(Stamp::from_nanos(i64::MIN)), i64::MAX);
    }
}
