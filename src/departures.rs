//! How long after its measurements a frame is there, where a run keeps to their time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use beluga_types::{Measurement, Stamp};

/// Departures that are remembered at most: some seconds of a busy rig.
const MOST: usize = 4096;

/// When measurements left the source. Clones share what they know.
#[derive(Clone, Default)]
pub(crate) struct Departures(Arc<Mutex<VecDeque<(Stamp, Instant)>>>);

impl Departures {
    /// The same measurements; each counts as gone when the next one is asked for, since it is asked
    /// for when the one before has found its place in the queue to fusion.
    pub(crate) fn watch<'a>(
        &self,
        source: impl Iterator<Item = Measurement> + Send + 'a,
    ) -> impl Iterator<Item = Measurement> + Send + 'a {
        let departures = self.clone();
        let mut last: Option<Stamp> = None;
        let mut source = source;
        std::iter::from_fn(move || {
            if let Some(end) = last {
                departures.note(end, Instant::now());
            }
            let measurement = source.next();
            last = measurement.as_ref().map(|measurement| measurement.end);
            measurement
        })
    }

    fn note(&self, end: Stamp, at: Instant) {
        let mut gone = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gone.len() == MOST {
            gone.pop_front();
        }
        gone.push_back((end, at));
    }

    /// How long before `now` the newest measurement left that a frame up to `end` can hold; nothing
    /// if none is remembered.
    #[cfg_attr(not(feature = "viz"), allow(dead_code, reason = "nobody draws"))]
    pub(crate) fn before(&self, end: Stamp, now: Instant) -> Option<Duration> {
        let gone = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, at) = gone.iter().rev().find(|(stamp, _)| *stamp <= end)?;
        Some(now.saturating_duration_since(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::{Gap, GapCause, Payload, SensorId};

    fn measurement(millis: i64) -> Measurement {
        let stamp = Stamp::from_nanos(millis * 1_000_000);
        Measurement {
            seq: 0,
            sensor: SensorId(0),
            stamp,
            end: stamp,
            received: stamp,
            payload: Payload::Gap(Gap {
                lost: 1,
                cause: GapCause::Corrupt,
                detail: String::new(),
            }),
        }
    }

    #[test]
    fn a_frame_is_as_late_as_its_newest_measurement_is_gone() {
        let departures = Departures::default();
        let start = Instant::now();
        for millis in [0, 100, 200, 300] {
            let at = start + Duration::from_millis(2 * millis);
            departures.note(Stamp::from_nanos(millis as i64 * 1_000_000), at);
        }
        let now = start + Duration::from_millis(700);
        let late = |millis: i64| departures.before(Stamp::from_nanos(millis * 1_000_000), now);
        assert_eq!(late(250), Some(Duration::from_millis(300)));
        assert_eq!(late(200), Some(Duration::from_millis(300)));
        assert_eq!(late(-1), None);
    }

    #[test]
    fn what_is_watched_is_the_same_and_gone_when_the_next_is_asked_for() {
        let departures = Departures::default();
        let mut watched = departures.watch((0..3).map(|i| measurement(i * 100)));
        let end = Stamp::from_nanos(1_000_000_000);
        assert_eq!(watched.next(), Some(measurement(0)));
        assert_eq!(departures.before(end, Instant::now()), None);
        assert_eq!(watched.next(), Some(measurement(100)));
        assert!(departures.before(end, Instant::now()).is_some());
        assert_eq!(watched.count(), 1);
        assert_eq!(departures.0.lock().unwrap().len(), 3);
    }

    #[test]
    fn only_the_newest_are_remembered() {
        let departures = Departures::default();
        let many = i64::try_from(MOST).unwrap() + 500;
        assert_eq!(departures.watch((0..many).map(measurement)).count(), MOST + 500);
        assert_eq!(departures.0.lock().unwrap().len(), MOST);
    }
}
