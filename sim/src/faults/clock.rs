//! A sensor's clock that is wrong.

use beluga_types::{SensorId, Stamp};

use crate::random::{Dice, Source};
use crate::scenario::ClockFault;
use crate::vessel::START;

/// Jitter is cut at so many sigma, so that stamps stay within a known distance of the truth.
const MOST_SIGMA: f64 = 3.0;

/// How a sensor's stamps differ from the true times.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// Nothing if the clock is right.
    fault: Option<ClockFault>,
    seed: u64,
    sensor: SensorId,
}

impl Clock {
    pub(super) fn new(fault: Option<&ClockFault>, seed: u64, sensor: SensorId) -> Self {
        Self {
            fault: fault.cloned(),
            seed,
            sensor,
        }
    }

    /// Stamp less true time without jitter, in seconds, at a true time.
    pub(crate) fn offset_s(&self, stamp: Stamp) -> f64 {
        self.fault.as_ref().map_or(0.0, |fault| {
            let t = stamp.seconds_since(START);
            let alone = fault.pps_lost_s.map_or(0.0, |lost| (t - lost).max(0.0));
            fault.offset_s + fault.latency_s + 1e-6 * (fault.drift_ppm * t + fault.free_running_ppm * alone)
        })
    }

    /// Stamp less true time of a payload, in nanoseconds.
    pub(crate) fn error_nanos(&self, stamp: Stamp, seq: u64) -> i64 {
        let Some(fault) = &self.fault else {
            return 0;
        };
        let jitter = if fault.jitter_s > 0.0 {
            let dice = Dice::new(self.seed, Source::ClockJitter, self.sensor.0.into(), seq);
            f64::from(dice.normal_pair(0)[0]).clamp(-MOST_SIGMA, MOST_SIGMA)
        } else {
            0.0
        };
        ((self.offset_s(stamp) + fault.jitter_s * jitter) * 1e9).round() as i64
    }

    /// The least error of a run of this length, in nanoseconds. The error is made of straight lines, so
    /// it is least at an end of one.
    pub(crate) fn earliest_nanos(&self, duration_s: f64) -> i64 {
        let Some(fault) = &self.fault else {
            return 0;
        };
        let corner = fault.pps_lost_s.unwrap_or(0.0).min(duration_s);
        let least = [0.0, corner, duration_s]
            .map(|t| self.offset_s(START.shifted_s(t)))
            .into_iter()
            .fold(f64::INFINITY, f64::min);
        // A payload may be stamped a little after the run's end, and a drift is 1 ms per second at most.
        ((least - MOST_SIGMA * fault.jitter_s - 1e-3) * 1e9).floor() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> Clock {
        let fault = ClockFault {
            offset_s: 0.1,
            drift_ppm: 10.0,
            jitter_s: 1e-4,
            pps_lost_s: Some(20.0),
            free_running_ppm: -50.0,
            latency_s: 0.02,
        };
        Clock::new(Some(&fault), 7, SensorId(1))
    }

    #[test]
    fn the_error_is_the_sum_of_its_parts() {
        let clock = clock();
        for (t, expected) in [
            (0.0, 0.12),
            (20.0, 0.12 + 200e-6),
            (60.0, 0.12 + 600e-6 - 2000e-6),
        ] {
            let found = clock.offset_s(START.shifted_s(t));
            assert!((found - expected).abs() < 1e-12, "{t}: {found}");
        }
    }

    #[test]
    fn jitter_is_white_and_bounded() {
        let clock = clock();
        let n = 20_000;
        let (mut square, mut least) = (0.0, i64::MAX);
        for seq in 0..n {
            let stamp = START.shifted_s(60.0);
            let error = clock.error_nanos(stamp, seq);
            square += (error as f64 * 1e-9 - clock.offset_s(stamp)).powi(2);
            least = least.min(error);
        }
        let sigma = (square / n as f64).sqrt();
        assert!((sigma / 1e-4 - 1.0).abs() < 0.03, "{sigma}");
        assert!(least >= clock.earliest_nanos(60.0));
    }

    #[test]
    fn a_right_clock_is_right() {
        let clock = Clock::new(None, 1, SensorId(0));
        assert_eq!(clock.error_nanos(START.shifted_s(9.0), 3), 0);
        assert_eq!(clock.earliest_nanos(30.0), 0);
    }
}
