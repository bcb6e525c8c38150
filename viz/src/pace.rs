//! How often a picture is drawn.

use beluga_types::Stamp;

/// Draws at most every so many seconds of data time, and ever more seldom as the run grows old, so
/// that pictures which hold all that was before stay few: about 50 and 50 more each time the run
/// becomes 2.7 times as long.
pub(crate) struct Pace {
    seconds: f64,
    slowest: f64,
    first: Option<Stamp>,
    last: Option<Stamp>,
}

/// The share of the run between two pictures.
const SHARE: f64 = 0.02;

impl Pace {
    /// From `seconds` at the beginning to `slowest` in the end.
    pub(crate) const fn new(seconds: f64, slowest: f64) -> Self {
        Self {
            seconds,
            slowest,
            first: None,
            last: None,
        }
    }

    /// Whether a picture is due at `now`; it then counts as drawn.
    pub(crate) fn due(&mut self, now: Stamp) -> bool {
        let first = *self.first.get_or_insert(now);
        let age = now.seconds_since(first).abs();
        let gap = (SHARE * age).clamp(self.seconds, self.slowest.max(self.seconds));
        let due = self.last.is_none_or(|last| now.seconds_since(last).abs() >= gap);
        if due {
            self.last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(pace: &mut Pace, seconds: i64) -> usize {
        let stamps = (0..seconds * 10).map(|i| Stamp::from_nanos(i * 100_000_000));
        stamps.filter(|&stamp| pace.due(stamp)).count()
    }

    #[test]
    fn pictures_come_at_their_pace() {
        assert_eq!(drawn(&mut Pace::new(2.0, 2.0), 10), 5);
    }

    #[test]
    fn old_runs_draw_seldom() {
        let [minute, hour] = [60, 3600].map(|seconds| drawn(&mut Pace::new(1.0, f64::INFINITY), seconds));
        assert!((50..=61).contains(&minute), "{minute}");
        assert!((230..=280).contains(&hour), "{hour}");
        let bounded = drawn(&mut Pace::new(1.0, 5.0), 3600);
        assert!((740..=900).contains(&bounded), "{bounded}");
    }
}
