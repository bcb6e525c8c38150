//! Pulses with the seconds that sentences name: pairs that agree tell host − sensor.
//!
//! The offset is the height at the newest pair of a line through the middle of all: the median of the slopes between
//! any two pairs, then of what is left (P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau",
//! J. Am. Stat. Assoc. 63, 1968). A host's clock that runs 50 parts in a million fast goes 0.8 ms in what is kept, so
//! a plain median would lag; and an interrupt that was held up moves neither. Sigma is the median of the distances
//! from the line, times 1.4826 as of a normal distribution.

use std::collections::VecDeque;
use std::path::Path;

use beluga_types::{ClockState, Stamp};

use super::pulse::Pulse;

/// Pairs that are kept.
const KEPT: usize = 16;
/// So many pairs that agree are believed.
const BELIEVED: usize = 3;
/// Clocks do not go so far apart from one pair to the next, in nanoseconds: another pulse is meant, or a clock was set.
const APART_NANOS: i64 = 20_000_000;
/// A sentence that comes so long after a pulse, in nanoseconds, may as well be one of the next that came early.
const LATEST_NANOS: i64 = 900_000_000;
const SECOND_NANOS: i64 = 1_000_000_000;
/// So near to a few whole seconds, in nanoseconds, the host's clock is right, and the pulse the wrong one.
const WHOLE_NANOS: i64 = 50_000_000;
const WHOLE_SECONDS: i64 = 3;
/// No offset is known better, in nanoseconds: an interrupt is taken as late.
const MIN_SIGMA_NANOS: f64 = 10e3;
/// One sigma of a normal distribution is so many times the median distance.
const OF_MEDIAN: f64 = 1.4826;

/// Why a sentence has no pulse that is surely its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unsure {
    /// Offsets of this and the last pair are so far apart, in nanoseconds.
    Apart(i64),
    /// It came so long after the newest pulse, in nanoseconds.
    Late(i64),
    /// No pulse has come since the last that was paired, or ever.
    Missing,
    /// When it was read another pulse had come.
    Overtaken,
    /// No sentence names a second.
    Unnamed,
    /// What the system shows cannot be read.
    Unreadable(String),
    /// The pulse is so many whole seconds off.
    Whole(i64),
}

impl Unsure {
    /// In words, with what may be done; the pulses are shown in this file.
    pub(super) fn said(&self, file: &Path) -> String {
        let file = file.display();
        let seconds = |nanos: i64| nanos as f64 / SECOND_NANOS as f64;
        let said = match self {
            Unsure::Apart(nanos) => format!(
                "{file}: pulses are {:.3} s elsewhere beside the seconds that are named than before: was the host's clock set, or are other pulses on the line?",
                seconds(*nanos)
            ),
            Unsure::Late(nanos) => format!(
                "{file}: a sentence came {:.2} s after the newest pulse, and whose it is cannot be told: let ZDA or RMC come first of a second's sentences, at a higher baud rate",
                seconds(*nanos)
            ),
            Unsure::Missing => format!(
                "{file}: no pulse: has the receiver a fix, is its pulse switched on and wired, and is this its edge (`assert` or `clear`)? `ppstest /dev/pps0` shows pulses as they come"
            ),
            Unsure::Overtaken => format!(
                "{file}: a sentence was read when another pulse had come: ZDA or RMC come a second late, or this run is slower than its sensors"
            ),
            Unsure::Unnamed => format!(
                "{file}: no sentence names the second of a pulse: switch ZDA or RMC on in the receiver, once a second"
            ),
            Unsure::Unreadable(said) => format!(
                "{said}: is the pulse's line a source of pulses? `ls /sys/class/pps` shows which there are; of a serial port `ldattach PPS /dev/ttyS0` makes one, of a pin the overlay `pps-gpio`"
            ),
            Unsure::Whole(seconds) => format!(
                "{file}: the second that is named is {seconds} s beside that of the host's clock at the pulse: sentences seem to name another pulse than that before them, or the host's clock is whole seconds off: set it by NTP"
            ),
        };
        format!("{said}. No pulse is used until then")
    }
}

/// The newest pairs of one receiver.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// The second that was named, and host − sensor.
    kept: VecDeque<(Stamp, i64)>,
    last: Option<Pulse>,
}

impl Pairs {
    /// The newest pulse, when a sentence was heard that names this second.
    ///
    /// # Errors
    /// If the pulse is not surely the one that is meant.
    pub(super) fn take(&mut self, second: Stamp, heard: Stamp, pulse: Pulse) -> Result<(), Unsure> {
        let newest = self.kept.back().copied();
        if self.last.is_some_and(|last| last.number == pulse.number) {
            // Another sentence of the same second, or one whose pulse has not come.
            let is_same = newest.is_some_and(|(named, _)| named == second);
            return is_same.then_some(()).ok_or(Unsure::Missing);
        }
        let late = heard.nanos_since(pulse.at);
        if late >= 2 * SECOND_NANOS {
            return Err(Unsure::Missing);
        }
        if late < 0 || newest.is_some_and(|(named, _)| named >= second) {
            return Err(Unsure::Overtaken);
        }
        if late >= LATEST_NANOS {
            return Err(Unsure::Late(late));
        }
        let offset = pulse.at.nanos_since(second);
        let whole = offset.saturating_add(SECOND_NANOS / 2).div_euclid(SECOND_NANOS);
        let beside = offset.saturating_sub(whole.saturating_mul(SECOND_NANOS));
        let is_near = beside.saturating_abs() < WHOLE_NANOS;
        if whole != 0 && whole.abs() <= WHOLE_SECONDS && is_near {
            return Err(Unsure::Whole(whole));
        }
        let apart = newest.map_or(0, |(_, last)| offset.saturating_sub(last));
        if apart.saturating_abs() > APART_NANOS {
            if self.kept.len() >= BELIEVED {
                return Err(Unsure::Apart(apart));
            }
            self.kept.clear();
        }
        self.last = Some(pulse);
        self.kept.push_back((second, offset));
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        Ok(())
    }

    /// Host − sensor at the newest pair, once enough of them agree.
    pub(super) fn state(&self) -> Option<ClockState> {
        let (now, base) = *self.kept.back().filter(|_| self.kept.len() >= BELIEVED)?;
        let points: Vec<(f64, f64)> = self
            .kept
            .iter()
            .map(|(second, offset)| (second.seconds_since(now), (offset - base) as f64))
            .collect();
        let slopes = points
            .iter()
            .enumerate()
            .flat_map(|(index, a)| points[index + 1..].iter().map(move |b| (b.1 - a.1) / (b.0 - a.0)));
        let slope = median(slopes.collect());
        let at_now = |point: &(f64, f64)| point.1 - slope * point.0;
        let offset = median(points.iter().map(at_now).collect());
        let apart = median(
            points
                .iter()
                .map(|point| (at_now(point) - offset).abs())
                .collect(),
        );
        Some(ClockState {
            offset_nanos: base + offset.round() as i64,
            sigma_nanos: (OF_MEDIAN * apart).max(MIN_SIGMA_NANOS),
            locked: true,
        })
    }
}

/// The middle of numbers, of an even count the mean of the middle two; 0 of none.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match (numbers.get(middle), numbers.len() % 2) {
        (None, _) => 0.0,
        (Some(upper), 0) => 0.5 * (upper + numbers[middle - 1]),
        (Some(only), _) => *only,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: i64) -> Stamp {
        Stamp::from_nanos((1_790_000_000 + number) * SECOND_NANOS)
    }

    /// Takes the pair of a second whose pulse comes when the host's clock is off by so much.
    fn take(pairs: &mut Pairs, number: i64, offset_nanos: i64) -> Result<(), Unsure> {
        let at = second(number).shifted_nanos(offset_nanos);
        let pulse = Pulse { at, number };
        pairs.take(second(number), at.shifted_nanos(150_000_000), pulse)
    }

    /// Numbers from -1 to 1 that look like chance, the same each time.
    fn chance(number: i64) -> f64 {
        let mut bits = (number as u64)
            .wrapping_add(1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bits = (bits ^ (bits >> 31)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        ((bits ^ (bits >> 32)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    #[test]
    fn offset_of_a_clock_that_runs_comes_back_within_what_is_stated() {
        // Where it begins, parts in a million, the interrupts' jitter, in ns.
        for (begin, ppm, jitter) in [(0.0, 0.0, 0.0), (-3.2e6, 40.0, 15e3), (9e8, -50.0, 1e6)] {
            let mut pairs = Pairs::default();
            for number in 0..200 {
                let truth = begin + 1e3 * ppm * number as f64;
                // Every seventh is held up by 5 ms.
                let held_up = if jitter > 0.0 && number % 7 == 3 { 5e6 } else { 0.0 };
                let offset = truth + held_up + jitter * chance(number);
                assert_eq!(
                    take(&mut pairs, number, offset.round() as i64),
                    Ok(()),
                    "{number}"
                );
                let state = pairs.state();
                assert_eq!(state.is_some(), number >= 2);
                if let Some(state) = state.filter(|_| number >= 16) {
                    let off = state.offset_nanos as f64 - truth;
                    assert!(
                        state.locked && off.abs() < 3.0 * state.sigma_nanos,
                        "{number}: {off} {state:?}"
                    );
                    assert!(state.sigma_nanos <= 1e4 + 1.5 * jitter, "{number}: {state:?}");
                }
            }
        }
    }

    #[test]
    fn a_pulse_is_paired_once_and_with_the_sentence_behind_it() {
        let mut pairs = Pairs::default();
        for number in 0..4 {
            assert_eq!(take(&mut pairs, number, 1000), Ok(()));
        }
        let pulse = |number: i64| Pulse {
            at: second(number).shifted_nanos(1000),
            number,
        };
        let mut heard = |named: i64, heard_millis: i64, number: i64| {
            let heard = second(4).shifted_nanos(heard_millis * 1_000_000);
            pairs.take(second(named), heard, pulse(number))
        };
        assert_eq!(heard(3, -500, 3), Ok(()), "RMC behind ZDA");
        assert_eq!(heard(4, 100, 3), Err(Unsure::Missing), "its pulse has not come");
        assert_eq!(heard(3, 100, 4), Err(Unsure::Overtaken), "of the second before");
        assert_eq!(heard(4, -1, 4), Err(Unsure::Overtaken), "heard before it");
        assert!(
            matches!(heard(4, 950, 4), Err(Unsure::Late(_))),
            "almost of the next"
        );
        assert!(
            matches!(heard(5, 100, 4), Err(Unsure::Whole(-1))),
            "of the second behind"
        );
        assert_eq!(heard(4, 100, 4), Ok(()));
    }

    #[test]
    fn an_offset_that_jumps_is_refused_where_pairs_agree_and_begins_anew_where_they_do_not() {
        let mut pairs = Pairs::default();
        for (number, offset) in [(0, 0), (1, 300_000_000), (2, 300_100_000)] {
            assert_eq!(take(&mut pairs, number, offset), Ok(()));
            assert_eq!(pairs.state(), None);
        }
        assert_eq!(take(&mut pairs, 3, 300_000_000), Ok(()));
        let state = pairs.state().unwrap();
        assert!((state.offset_nanos - 300_000_000).abs() < 200_000, "{state:?}");
        let jumped = take(&mut pairs, 4, 0);
        assert_eq!(jumped, Err(Unsure::Apart(-300_000_000)));
        assert!(
            Unsure::Apart(-300_000_000)
                .said(Path::new("assert"))
                .contains("-0.300 s")
        );
        assert_eq!(pairs.state(), Some(state));
    }

    #[test]
    fn clocks_of_any_time_end_in_no_panic() {
        for offset in [i64::MIN, -1, 0, i64::MAX] {
            for named in [i64::MIN, 0, i64::MAX] {
                let mut pairs = Pairs::default();
                let at = Stamp::from_nanos(offset);
                let taken = pairs.take(Stamp::from_nanos(named), at, Pulse { at, number: 1 });
                assert!(taken.is_ok() || pairs.state().is_none());
            }
        }
    }
}
