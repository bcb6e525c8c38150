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
