//! From the moment a frame's data were complete until the frame was made.

use std::fmt;
use std::time::Instant;

use beluga_ingest::Pace;
use beluga_types::Stamp;
use serde::{Deserialize, Serialize};

/// Latency of a run's frames. Only a paced run has one: without a pace, data wait for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    /// Frames measured.
    pub(crate) frames: u64,
    /// Half of them were made within this time of their last data's moment, in milliseconds.
    pub(crate) p50_ms: f64,
    /// 99 of 100 were.
    pub(crate) p99_ms: f64,
    /// The latest.
    pub(crate) max_ms: f64,
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "half of {} frames within {:.0} ms of their last data, 99 % within {:.0} ms, the latest {:.0} ms",
            self.frames, self.p50_ms, self.p99_ms, self.max_ms
        )
    }
}

/// When frames were made, and when their data ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stopwatch {
    start: Option<(Instant, Stamp)>,
    /// Seconds since the first measurement: until the frame was made, and of its data.
    made: Vec<[f64; 2]>,
}

impl Stopwatch {
    /// The first measurement that comes starts it: it came when its data ended.
    pub(crate) fn start(&mut self, end: Stamp) {
        self.start.get_or_insert_with(|| (Instant::now(), end));
    }

    /// A frame was made whose data ended at a moment.
    pub(crate) fn lap(&mut self, end: Stamp) {
        if let Some((start, first)) = self.start {
            self.made
                .push([start.elapsed().as_secs_f64(), end.seconds_since(first)]);
        }
    }

    /// The latency at this pace.
    pub(crate) fn latency(&self, pace: Pace) -> Option<Latency> {
        let speed = match pace {
            Pace::Max => return None,
            Pace::RealTime => 1.0,
            Pace::Times(speed) if speed.is_finite() && speed > 0.0 => speed,
            Pace::Times(_) => 1.0,
        };
        let mut late: Vec<f64> = self
            .made
            .iter()
            .map(|[made, data]| 1e3 * (made - data / speed).max(0.0))
            .collect();
        late.sort_by(f64::total_cmp);
        let at = |part: f64| {
            late.get(((part * late.len() as f64).ceil() as usize).max(1) - 1)
                .copied()
        };
        Some(Latency {
            frames: late.len() as u64,
            p50_ms: at(0.5)?,
            p99_ms: at(0.99)?,
            max_ms: *late.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_against_the_pace() {
        let watch = Stopwatch {
            start: None,
            made: (1..=100)
                .map(|i| [f64::from(i) + 1e-3 * f64::from(i), f64::from(i)])
                .collect(),
        };
        let latency = watch.latency(Pace::RealTime).unwrap();
        assert_eq!(latency.frames, 100);
        for (found, expected) in [
            (latency.p50_ms, 50.0),
            (latency.p99_ms, 99.0),
            (latency.max_ms, 100.0),
        ] {
            assert!((found - expected).abs() < 1e-6, "{latency:?}");
        }
        assert_eq!(watch.latency(Pace::Max), None);
        assert_eq!(Stopwatch::default().latency(Pace::RealTime), None);
        // Twice as fast, the data of second i end after half of it.
        assert!(watch.latency(Pace::Times(2.0)).unwrap().max_ms > 50_000.0);
    }
}
