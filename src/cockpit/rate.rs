//! How many come in a second, by their own times.

use std::collections::VecDeque;

use beluga_types::Stamp;

const SECOND_NANOS: i64 = 1_000_000_000;
/// Seconds that are looked back.
const WINDOW_S: i64 = 10;
/// Fewer seconds in which something came say nothing yet.
const FEWEST: usize = 3;
/// A rate that has held for so long is what it used to be, in seconds; so many of them are remembered: five
/// minutes.
const USED_EVERY_S: f64 = 10.0;
const USED: usize = 30;

/// Counts by second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rate {
    seconds: VecDeque<Second>,
    used: VecDeque<f64>,
    used_at: Option<Stamp>,
}

/// The first of a second, and how many came in it.
#[derive(Clone, Copy, Debug)]
struct Second {
    number: i64,
    first: Stamp,
    count: u64,
}

impl Rate {
    /// So many came at this time. Times that go back by a second begin anew.
    pub(crate) fn take(&mut self, at: Stamp, count: u64) {
        let number = at.nanos().div_euclid(SECOND_NANOS);
        match self.seconds.back_mut() {
            Some(last) if last.number == number => {
                last.count = last.count.saturating_add(count);
                return;
            }
            Some(last) if last.number > number => self.seconds.clear(),
            _ => {}
        }
        self.seconds.push_back(Second {
            number,
            first: at,
            count,
        });
        // Of what comes seldom three are kept however old they are.
        let is_old = |first: &Second| first.number < number - WINDOW_S;
        while self.seconds.len() > FEWEST && self.seconds.front().is_some_and(is_old) {
            self.seconds.pop_front();
        }
        let used_at = *self.used_at.get_or_insert(at);
        if at.seconds_since(used_at).abs() >= USED_EVERY_S {
            self.used_at = Some(at);
            self.used.extend(self.now_hz());
            if self.used.len() > USED {
                self.used.pop_front();
            }
        }
    }

    /// In the last ten seconds, from the first of one second to the first of another, so that a regular rate
    /// comes out as it is; nothing while too few have come.
    pub(crate) fn now_hz(&self) -> Option<f64> {
        let (first, last) = (self.seconds.front()?, self.seconds.back()?);
        if self.seconds.len() < FEWEST {
            return None;
        }
        let before = self.seconds.iter().take(self.seconds.len() - 1);
        let count: u64 = before.map(|second| second.count).sum();
        Some(count as f64 / last.first.seconds_since(first.first))
    }

    /// The best of the last five minutes; nothing before ten seconds.
    pub(crate) fn used_hz(&self) -> Option<f64> {
        self.used.iter().copied().reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rate_hz: f64, from_s: f64, to_s: f64, rate: &mut Rate) {
        let count = ((to_s - from_s) * rate_hz).round() as i64;
        for number in 0..count {
            let at_s = from_s + number as f64 / rate_hz;
            rate.take(Stamp::from_nanos((at_s * 1e9) as i64), 1);
        }
    }

    #[test]
    fn a_regular_rate_comes_out_as_it_is() {
        for expected in [0.1, 1.0, 7.5, 20.0, 400.0] {
            let mut rate = Rate::default();
            of(expected, 1000.3, 1100.3, &mut rate);
            let found = rate.now_hz().unwrap();
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
            assert!(rate.seconds.len() <= 11);
        }
        let mut rate = Rate::default();
        of(10.0, 0.0, 1.5, &mut rate);
        assert_eq!(rate.now_hz(), None, "two seconds only");
    }

    #[test]
    fn what_it_used_to_be_is_known_for_five_minutes() {
        let mut rate = Rate::default();
        of(20.0, 0.0, 9.0, &mut rate);
        assert_eq!(rate.used_hz(), None);
        of(20.0, 9.0, 60.0, &mut rate);
        of(10.0, 60.0, 200.0, &mut rate);
        assert!((rate.now_hz().unwrap() - 10.0).abs() < 0.01);
        assert!((rate.used_hz().unwrap() - 20.0).abs() < 0.01);
        of(10.0, 200.0, 400.0, &mut rate);
        assert!((rate.used_hz().unwrap() - 10.0).abs() < 0.01, "forgotten");
        assert_eq!(rate.used.len(), USED);
    }

    #[test]
    fn a_clock_that_goes_back_begins_anew() {
        let mut rate = Rate::default();
        of(20.0, 1000.0, 1020.0, &mut rate);
        of(5.0, 10.0, 30.0, &mut rate);
        assert!((rate.now_hz().unwrap() - 5.0).abs() < 0.01);
    }
}
