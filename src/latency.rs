//! How late a run is against its data, where it keeps to their time.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use beluga_ingest::Pace;
use beluga_types::Stamp;
use serde::{Deserialize, Serialize};

/// What the time of a run's data is held against. Clones go by the same start.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    against: Against,
    /// When the first measurement came, and up to when it was measured.
    start: Arc<OnceLock<(Instant, Stamp)>>,
}

/// What data are late against.
#[derive(Clone, Copy, Debug)]
enum Against {
    /// The pace of a recording from its first measurement on.
    Pace(Pace),
    /// The host's clock: sensors are heard now.
    Host,
}

impl Watch {
    /// For a run of this pace.
    pub(crate) fn of(pace: Pace) -> Self {
        Self::against(Against::Pace(pace))
    }

    /// For sensors that are heard now, whose clocks agree with the host's.
    pub(crate) fn of_host() -> Self {
        Self::against(Against::Host)
    }

    fn against(against: Against) -> Self {
        Self {
            against,
            start: Arc::default(),
        }
    }

    /// The pace it is for. What is heard now comes when it comes.
    pub(crate) fn pace(&self) -> Pace {
        match self.against {
            Against::Pace(pace) => pace,
            Against::Host => Pace::Max,
        }
    }

    /// Data per time of the run; nothing where data wait for nobody.
    fn speed(&self) -> Option<f64> {
        match self.against {
            Against::Pace(Pace::Max) => None,
            Against::Pace(Pace::Times(speed)) if speed.is_finite() && speed > 0.0 => Some(speed),
            Against::Pace(Pace::RealTime | Pace::Times(_)) | Against::Host => Some(1.0),
        }
    }

    /// Whether there is such a thing as late.
    #[cfg_attr(not(feature = "viz"), allow(dead_code, reason = "nobody draws"))]
    pub(crate) fn is_paced(&self) -> bool {
        self.speed().is_some()
    }

    /// The first measurement that comes starts it: it came when its data ended.
    pub(crate) fn start(&self, end: Stamp) {
        self.start.get_or_init(|| (Instant::now(), end));
    }

    /// How long before `now` the data up to `end` were complete at this pace; nothing before the
    /// start, or where there is no pace.
    pub(crate) fn late(&self, end: Stamp, now: Instant) -> Option<Duration> {
        if let Against::Host = self.against {
            let late = crate::clock::now().nanos_since(end).max(0);
            return Some(Duration::from_nanos(late.unsigned_abs()));
        }
        let (start, first) = self.start.get()?;
        let complete_s = end.seconds_since(*first) / self.speed()?;
        let passed_s = now.saturating_duration_since(*start).as_secs_f64();
        Duration::try_from_secs_f64((passed_s - complete_s).max(0.0)).ok()
    }
}

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

impl Latency {
    /// Of frames that were so late; nothing of none.
    pub(crate) fn of(mut late: Vec<Duration>) -> Option<Self> {
        late.sort_unstable();
        let at = |part: f64| {
            let nearest = (part * late.len() as f64).ceil() as usize;
            late.get(nearest.max(1) - 1).map(|late| 1e3 * late.as_secs_f64())
        };
        Some(Self {
            frames: late.len() as u64,
            p50_ms: at(0.5)?,
            p99_ms: at(0.99)?,
            max_ms: at(1.0)?,
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Stamp {
        Stamp::from_nanos(second * 1_000_000_000)
    }

    #[test]
    fn late_is_against_the_pace() {
        for (pace, expected_s) in [
            (Pace::RealTime, Some(3)),
            (Pace::Times(2.0), Some(8)),
            (Pace::Times(f64::NAN), Some(3)),
            (Pace::Max, None),
        ] {
            let watch = Watch::of(pace);
            assert_eq!(watch.is_paced(), expected_s.is_some());
            assert_eq!(watch.late(second(0), Instant::now()), None, "not started");
            watch.clone().start(second(100));
            watch.start(second(900));
            let (start, first) = watch.start.get().copied().unwrap();
            assert_eq!(first, second(100), "started once");
            let now = start + Duration::from_secs(13);
            assert_eq!(
                watch.late(second(110), now),
                expected_s.map(Duration::from_secs),
                "{pace:?}"
            );
            let early = watch.late(second(10_000), now);
            assert_eq!(early, expected_s.map(|_| Duration::ZERO));
        }
    }

    #[test]
    fn of_a_hundred_frames_the_fiftieth_and_the_last_but_one_are_named() {
        let late = (1..=100).rev().map(Duration::from_millis);
        let latency = Latency::of(late.collect()).unwrap();
        let expected = Latency {
            frames: 100,
            p50_ms: 50.0,
            p99_ms: 99.0,
            max_ms: 100.0,
        };
        assert_eq!(latency, expected);
        assert_eq!(Latency::of(Vec::new()), None);
    }
}
