//! How a sensor's clock stands to the host's, learned from when its payloads were heard.
//!
//! What is heard at a time of the host was measured earlier, so host − sensor is the clocks' difference
//! and a delay that is never negative. The payloads that were under way for the shortest time lie on the lower convex
//! hull of these differences; the line below all of them that is nearest to their mean is an edge of it and tells
//! offset and skew. Sources: S. Moon, P. Skelly, D. Towsley, "Estimation and removal of clock skew from network delay
//! measurements", INFOCOM 1999 (the line as a linear programme); L. Zhang, Z. Liu, C. Xia, "Clock synchronization
//! algorithms for network measurements", INFOCOM 2002 (the hull). The shortest delay itself is in the offset: no
//! one-way measurement can tell it.

use std::collections::VecDeque;

use beluga_types::{ClockState, Stamp};

/// Of each second the payload that was quickest is kept, in nanoseconds.
const BUCKET_NANOS: i64 = 1_000_000_000;
/// What is older is forgotten, in buckets.
const WINDOW: usize = 300;
/// Shorter spans say nothing of skew, in nanoseconds: over 2.5 s a capture host's buffers look like 5 ppm, over
/// 0.3 s like 1000.
const SKEW_AFTER_NANOS: i64 = 30 * BUCKET_NANOS;
/// More than this is a step and no clock's skew.
const MAX_SKEW: f64 = 5e-4;
/// A difference so far from what is known is a step, in nanoseconds, if it is also so many sigmas.
const STEP_NANOS: f64 = 50e6;
const STEP_SIGMAS: f64 = 8.0;
/// Seconds after which the quickest way is known: before, what comes quicker is no step. A server that hands over
/// what it has kept tells old things first.
const KNOWN_BUCKETS: usize = 3;
/// Later than known for so many seconds on end, and never in time: a step back.
const STEP_BUCKETS: usize = 3;
/// No offset is known better, in nanoseconds: a thread wakes as late.
const MIN_SIGMA_NANOS: f64 = 20e3;
/// With one second heard, the delays are anyone's guess, in nanoseconds.
const FIRST_SIGMA_NANOS: f64 = 5e6;

/// One sensor's clock beside the host's.
#[derive(Clone, Debug, Default)]
pub struct HostClock {
    /// Times and differences are counted from the first payload.
    base: Option<(Stamp, i64)>,
    /// Of each second the time of the sensor and host − sensor of the quickest payload.
    quickest: VecDeque<(i64, i64)>,
    /// Seconds on end in which everything came late, the newest among `quickest` no longer.
    late: VecDeque<(i64, i64)>,
    /// When, by the host, the first of them came.
    late_since: Option<Stamp>,
    line: Line,
}

/// A difference over time, in nanoseconds from the first payload.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Line {
    at: i64,
    offset: f64,
    skew: f64,
    sigma: f64,
}

impl Line {
    fn of(&self, time: i64) -> f64 {
        self.offset + self.skew * time.saturating_sub(self.at) as f64
    }
}

/// A clock that was set, or started anew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// By how much the sensor's clock went on beside the host's, in nanoseconds.
    pub forward_nanos: i64,
    /// When the host heard the first payload behind it.
    pub since: Stamp,
}

impl HostClock {
    /// A payload that ended at a time of the sensor and was heard at one of the host.
    pub fn hear(&mut self, sensor: Stamp, host: Stamp) -> Option<Step> {
        let difference = host.nanos_since(sensor);
        let &mut (start, first) = self.base.get_or_insert((sensor, difference));
        let time = sensor.nanos_since(start);
        let difference = difference.saturating_sub(first);
        let known = self.line.of(time);
        let bound = STEP_NANOS.max(STEP_SIGMAS * self.line.sigma);
        let off = difference as f64 - known;
        if !self.quickest.is_empty() && off < -bound {
            let is_known = self.quickest.len() > KNOWN_BUCKETS;
            return Some(self.step(sensor, host, off, host)).filter(|_| is_known);
        }
        let is_late = !self.quickest.is_empty() && off > bound;
        if !is_late {
            self.late.clear();
            self.late_since = None;
            if keep(&mut self.quickest, (time, difference)) {
                self.draw();
            }
            return None;
        }
        keep(&mut self.late, (time, difference));
        let since = *self.late_since.get_or_insert(host);
        if self.late.len() <= STEP_BUCKETS {
            return None;
        }
        let off = self.late.iter().map(|late| late.1 as f64 - self.line.of(late.0));
        let off = off.fold(f64::INFINITY, f64::min);
        Some(self.step(sensor, host, off, since))
    }

    fn step(&mut self, sensor: Stamp, host: Stamp, off: f64, since: Stamp) -> Step {
        *self = Self::default();
        self.hear(sensor, host);
        Step {
            forward_nanos: -(off.round() as i64),
            since,
        }
    }

    fn draw(&mut self) {
        let (Some(first), Some(last)) = (self.quickest.front(), self.quickest.back()) else {
            return;
        };
        let (at, span) = (last.0, last.0.saturating_sub(first.0));
        let points: Vec<(f64, f64)> = self
            .quickest
            .iter()
            .map(|(time, off)| (*time as f64, *off as f64))
            .collect();
        let least = points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
        let edge = (span >= SKEW_AFTER_NANOS).then(|| line_below(&points)).flatten();
        let edge = edge.filter(|(_, skew)| skew.abs() < MAX_SKEW);
        let (offset, skew) = edge.map_or((least, 0.0), |(offset, skew)| (offset + skew * at as f64, skew));
        let above = points
            .iter()
            .map(|(time, off)| off - (offset + skew * (time - at as f64)));
        let mean = above.sum::<f64>() / points.len() as f64;
        self.line = Line {
            at,
            offset,
            skew,
            sigma: match points.len() {
                1 => FIRST_SIGMA_NANOS,
                _ => mean.max(MIN_SIGMA_NANOS),
            },
        };
    }

    /// Host − sensor at the newest payload, and how well that is known beside the shortest delay; nothing
    /// before the first. Whether the clock follows a reference cannot be told from here: `locked` is false.
    pub fn state(&self) -> Option<ClockState> {
        let (_, first) = self.base?;
        Some(ClockState {
            offset_nanos: first.saturating_add(self.line.offset.round() as i64),
            sigma_nanos: self.line.sigma,
            locked: false,
        })
    }

    /// How much slower the sensor's clock goes than the host's, in parts of a million; nothing before 30 s.
    pub fn skew_ppm(&self) -> Option<f64> {
        let (first, last) = (self.quickest.front()?, self.quickest.back()?);
        (last.0.saturating_sub(first.0) >= SKEW_AFTER_NANOS).then_some(1e6 * self.line.skew)
    }
}

/// Keeps the quickest payload of each second; those of one second come together. Says whether it is this one.
fn keep(quickest: &mut VecDeque<(i64, i64)>, new: (i64, i64)) -> bool {
    match quickest.back_mut() {
        Some(last) if last.0.div_euclid(BUCKET_NANOS) == new.0.div_euclid(BUCKET_NANOS) => {
            let is_quicker = new.1 < last.1;
            if is_quicker {
                *last = new;
            }
            return is_quicker;
        }
        // What ends out of order by more than a second says no more than its neighbours.
        Some(last) if new.0 < last.0 => return false,
        _ => quickest.push_back(new),
    }
    if quickest.len() > WINDOW {
        quickest.pop_front();
    }
    true
}

/// The line that lies below all points and nearest to their mean: its height at 0 and its slope; nothing of
/// points that all have one time. Points come in the order of their times.
pub fn line_below(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let mut hull: Vec<(f64, f64)> = Vec::new();
    for &(x, y) in points {
        match hull.last() {
            Some(last) if last.0 == x && last.1 <= y => continue,
            Some(last) if last.0 == x => drop(hull.pop()),
            _ => {}
        }
        while let [.., a, b] = hull[..] {
            // b lies on or above the line from a to the new point.
            if (b.1 - a.1) * (x - a.0) >= (y - a.1) * (b.0 - a.0) {
                hull.pop();
            } else {
                break;
            }
        }
        hull.push((x, y));
    }
    let mean = points.iter().map(|point| point.0).sum::<f64>() / points.len().max(1) as f64;
    let edge = hull.windows(2).find(|edge| edge[1].0 >= mean)?;
    let slope = (edge[1].1 - edge[0].1) / (edge[1].0 - edge[0].0);
    slope
        .is_finite()
        .then_some((edge[0].1 - slope * edge[0].0, slope))
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::elementary::ln;

    /// Numbers from 0 to 1 that look like chance, the same each time.
    fn chance(number: u64) -> f64 {
        let mut bits = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bits = (bits ^ (bits >> 31)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        ((bits ^ (bits >> 32)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// When a payload's end is by the sensor's clock, and when by the host it is heard: 100 a second, the
    /// sensor's clock `offset_s` behind and `skew` slow, exponential delays of 2 ms on top of 300 µs.
    fn payload(number: u64, offset_s: f64, skew: f64) -> (Stamp, Stamp) {
        const START: Stamp = Stamp::from_nanos(1_790_000_000_000_000_000);
        let true_s = 0.01 * number as f64;
        let delay_s = 3e-4 - 2e-3 * ln(1.0 - chance(number));
        (
            START.shifted_s(true_s * (1.0 - skew) - offset_s),
            START.shifted_s(true_s + delay_s),
        )
    }

    #[test]
    fn offset_and_skew_come_back_within_what_is_stated() {
        for (offset_s, skew) in [(0.0, 0.0), (2.5, 20e-6), (-0.7, -45e-6)] {
            let mut clock = HostClock::default();
            for number in 0..20_000 {
                let (sensor, host) = payload(number, offset_s, skew);
                assert_eq!(clock.hear(sensor, host), None);
                let state = clock.state().unwrap();
                if number % 1000 == 999 {
                    let truth = (offset_s + skew * 0.01 * number as f64 + 3e-4) * 1e9;
                    let off = state.offset_nanos as f64 - truth;
                    // Before 30 s no skew is believed: a clock of 45 ppm is off by what it went since.
                    let gone = if number < 3000 { skew.abs() * 30e9 } else { 0.0 };
                    assert!(
                        off.abs() < 4.0 * state.sigma_nanos + gone,
                        "{number}: {off} {state:?}"
                    );
                    assert!(state.sigma_nanos < 1.0e6);
                }
                match clock.skew_ppm() {
                    None => assert!(number < 3200),
                    Some(ppm) => assert!(
                        number < 12_000 || (ppm - 1e6 * skew).abs() < 1.0,
                        "{number}: {ppm}"
                    ),
                }
            }
        }
    }

    #[test]
    fn steps_are_known_by_their_size_and_a_bad_network_is_none() {
        for step_s in [37.0, -37.0, 0.2, -0.2, -1.7e9] {
            let mut clock = HostClock::default();
            let mut steps = Vec::new();
            for number in 0..2000 {
                let (sensor, host) = payload(number, 0.1, 0.0);
                let sensor = if number < 1000 {
                    sensor
                } else {
                    sensor.shifted_s(step_s)
                };
                steps.extend(clock.hear(sensor, host).map(|step| (number, step)));
            }
            let [(when, step)] = steps[..] else {
                panic!("{step_s}: {steps:?}")
            };
            assert!(
                (step.forward_nanos as f64 * 1e-9 - step_s).abs() < 0.01,
                "{step:?}"
            );
            assert!(
                step.since.seconds_since(payload(1000, 0.0, 0.0).1) < 0.05,
                "{step:?}"
            );
            // Forward at once: nothing is heard before it is sent. Back after some seconds.
            assert!(
                if step_s > 0.0 {
                    when == 1000
                } else {
                    (1200..1500).contains(&when)
                },
                "{when}"
            );
        }
        // What a server has kept, oldest first, and then as it comes.
        let mut clock = HostClock::default();
        for number in 0..1000u64 {
            let (sensor, host) = payload(number, 0.0, 0.0);
            let (_, connected) = payload(100, 0.0, 0.0);
            assert_eq!(clock.hear(sensor, host.max(connected)), None, "{number}");
        }
        assert!(clock.state().unwrap().offset_nanos < 1_000_000);
        // A second's payloads at once, at its end; and two seconds in which nothing is in time.
        let mut clock = HostClock::default();
        for number in 0..3000u64 {
            let (sensor, host) = payload(number, 0.0, 0.0);
            let late_s = 1.0 - 0.01 * (number % 100) as f64;
            let stuck_s = if (1000..1200).contains(&number) { 2.0 } else { 0.0 };
            assert_eq!(
                clock.hear(sensor, host.shifted_s(late_s + stuck_s)),
                None,
                "{number}"
            );
        }
    }

    /// All pairs of points, slowly.
    fn plainly(points: &[(f64, f64)]) -> f64 {
        let mut best = f64::INFINITY;
        for a in points {
            for b in points.iter().filter(|b| b.0 > a.0) {
                let slope = (b.1 - a.1) / (b.0 - a.0);
                let above = points.iter().map(|p| p.1 - a.1 - slope * (p.0 - a.0));
                if above.clone().all(|above| above > -1e-9) {
                    best = best.min(above.sum());
                }
            }
        }
        best
    }

    #[test]
    fn no_line_below_all_points_is_nearer_to_them() {
        for case in 0..200u64 {
            let count = 2 + case % 13;
            let mut points: Vec<(f64, f64)> = (0..count)
                .map(|i| {
                    (
                        (8.0 * chance(case * 64 + 2 * i)).round(),
                        (5.0 * chance(case * 64 + 2 * i + 1)).round(),
                    )
                })
                .collect();
            points.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let sum =
                |(height, slope): (f64, f64)| points.iter().map(|p| p.1 - height - slope * p.0).sum::<f64>();
            match line_below(&points) {
                Some(line) => assert!((sum(line) - plainly(&points)).abs() < 1e-9, "{points:?} {line:?}"),
                None => assert_eq!(points[0].0, points.last().unwrap().0, "{points:?}"),
            }
        }
    }

    #[test]
    fn an_hour_takes_no_more_memory_than_five_minutes() {
        let mut clock = HostClock::default();
        for number in 0..36_000 {
            let (sensor, host) = payload(number * 10, 0.0, 3e-5);
            clock.hear(sensor, host);
        }
        assert!(clock.quickest.len() <= WINDOW && clock.late.is_empty());
        assert!((clock.skew_ppm().unwrap() - 30.0).abs() < 0.5);
    }
}
