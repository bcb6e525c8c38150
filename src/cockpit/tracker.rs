//! One sensor as the timeline tells of it.

use std::collections::{BTreeMap, VecDeque};

use beluga_types::{
    ClockState, EdgeState, GapCause, Measurement, Payload, SensorKind, SensorSpec, SensorState, Stamp,
};

use super::light::silent_after_s;
use super::rate::Rate;

/// What was lost so many seconds ago is lately.
const LATELY_S: f64 = 10.0;
/// Losses that are told apart within that time; what comes beyond is added to the newest.
const MOST_LATELY: usize = 256;
/// The longest that a loss says of itself, in bytes.
const MOST_SAID: usize = 300;

/// What is known of one sensor so far.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    name: String,
    kind: SensorKind,
    stated_hz: Option<f64>,
    measurements: u64,
    /// The newest payload's end, and when the host heard it.
    newest: Option<[Stamp; 2]>,
    rate: Rate,
    lost: BTreeMap<GapCause, u64>,
    lately: VecDeque<(Stamp, GapCause, u64)>,
    last_loss: Option<String>,
    clock: Option<ClockState>,
}

/// By which of a payload's two times its age is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// When it ended: a recording.
    OfData,
    /// When the host heard it.
    SinceHeard,
}

impl Tracker {
    pub(crate) fn new(spec: &SensorSpec) -> Self {
        Self {
            name: spec.name.clone(),
            kind: spec.kind,
            stated_hz: spec.rate_hz,
            measurements: 0,
            newest: None,
            rate: Rate::default(),
            lost: BTreeMap::new(),
            lately: VecDeque::new(),
            last_loss: None,
            clock: None,
        }
    }

    /// Takes what the timeline says of it, at this moment.
    pub(crate) fn take(&mut self, measurement: &Measurement, now: Stamp) {
        match &measurement.payload {
            Payload::Gap(gap) => {
                self.lose(gap.cause, gap.lost, now);
                let mut said = gap.detail.clone();
                said.truncate(said.floor_char_boundary(MOST_SAID));
                self.last_loss = Some(said);
            }
            Payload::Clock(state) => self.clock = Some(*state),
            _ => self.count(measurement.end, measurement.received, 1),
        }
    }

    /// So many payloads up to this end.
    pub(crate) fn count(&mut self, end: Stamp, received: Stamp, count: u64) {
        self.measurements += count;
        self.rate.take(end, count);
        self.newest = Some([end, received]);
    }

    /// So many payloads lost; of none only parts were.
    pub(crate) fn lose(&mut self, cause: GapCause, lost: u64, now: Stamp) {
        let total = self.lost.entry(cause).or_default();
        *total = total.saturating_add(lost);
        let is_full = self.lately.len() >= MOST_LATELY;
        match self.lately.back_mut() {
            Some((at, last, count)) if is_full || (*last == cause && now.seconds_since(*at).abs() < 1.0) => {
                *count = count.saturating_add(lost);
            }
            _ => self.lately.push_back((now, cause, lost)),
        }
    }

    /// How it stands at a moment, watched since then.
    pub(crate) fn state(
        &mut self,
        now: Stamp,
        since: Stamp,
        age: Age,
        edge: Option<EdgeState>,
    ) -> SensorState {
        self.lately
            .retain(|(at, _, _)| now.seconds_since(*at).abs() <= LATELY_S);
        let mut lost_lately = BTreeMap::<GapCause, u64>::new();
        for (_, cause, lost) in &self.lately {
            let sum = lost_lately.entry(*cause).or_default();
            *sum = sum.saturating_add(*lost);
        }
        let age_s = self.newest.map(|[end, received]| match age {
            Age::OfData => now.seconds_since(end).max(0.0),
            Age::SinceHeard => now.seconds_since(received).max(0.0),
        });
        let expected_hz = self.stated_hz.or_else(|| self.rate.used_hz());
        let is_silent = age_s.is_some_and(|age_s| age_s > silent_after_s(expected_hz));
        SensorState {
            name: self.name.clone(),
            kind: self.kind,
            measurements: self.measurements,
            rate_hz: if is_silent { Some(0.0) } else { self.rate.now_hz() },
            expected_hz,
            lost: self.lost.clone(),
            lost_lately,
            last_loss: self.last_loss.clone(),
            age_s,
            watched_s: now.seconds_since(since).max(0.0),
            clock: self.clock,
            edge,
        }
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::{DepthFix, Gap, SensorId};

    use super::*;

    fn at(seconds: f64) -> Stamp {
        Stamp::from_nanos(1_790_000_000_000_000_000).shifted_s(seconds)
    }

    /// What ended then and was heard 0.2 s later.
    fn said(end_s: f64, payload: Payload) -> Measurement {
        Measurement {
            seq: 0,
            sensor: SensorId(0),
            stamp: at(end_s),
            end: at(end_s),
            received: at(end_s + 0.2),
            payload,
        }
    }

    fn depth() -> Payload {
        Payload::Depth(DepthFix {
            depth_m: 1.0,
            sigma_m: 0.1,
        })
    }

    fn gap(lost: u64, cause: GapCause) -> Payload {
        let detail = "é".repeat(400);
        Payload::Gap(Gap { lost, cause, detail })
    }

    #[test]
    fn what_is_counted_and_when() {
        let mut tracker = Tracker::new(&SensorSpec::new("keel", SensorKind::Sonar));
        let first = tracker.state(at(3.0), at(0.0), Age::OfData, None);
        assert_eq!((first.age_s, first.rate_hz, first.watched_s), (None, None, 3.0));
        for step in 0..200 {
            let end_s = 0.1 * f64::from(step);
            tracker.take(&said(end_s, depth()), at(end_s));
        }
        tracker.take(&said(19.9, gap(2, GapCause::Missing)), at(20.0));
        tracker.take(&said(19.9, gap(0, GapCause::Corrupt)), at(20.0));
        tracker.take(&said(19.9, gap(3, GapCause::Missing)), at(20.5));
        let clock = ClockState {
            offset_nanos: 1,
            sigma_nanos: 2.0,
            locked: false,
        };
        tracker.take(&said(20.0, Payload::Clock(clock)), at(20.5));
        let seen = tracker.state(at(20.6), at(0.0), Age::OfData, None);
        assert_eq!((seen.measurements, seen.clock), (200, Some(clock)));
        assert!((seen.age_s.unwrap() - 0.7).abs() < 1e-6);
        assert!((seen.rate_hz.unwrap() - 10.0).abs() < 1e-6);
        let lost = BTreeMap::from([(GapCause::Missing, 5), (GapCause::Corrupt, 0)]);
        assert_eq!((&seen.lost, &seen.lost_lately), (&lost, &lost));
        assert_eq!(seen.last_loss.unwrap().chars().count(), 150);
        let heard = tracker.state(at(20.6), at(0.0), Age::SinceHeard, None);
        assert!((heard.age_s.unwrap() - 0.5).abs() < 1e-6);
        let later = tracker.state(at(31.0), at(0.0), Age::OfData, None);
        assert!(later.lost_lately.is_empty() && later.lost == lost);
        assert_eq!(later.rate_hz, Some(0.0), "silent for eleven seconds");
    }

    #[test]
    fn a_storm_of_losses_is_counted_and_not_kept() {
        let mut tracker = Tracker::new(&SensorSpec::new("keel", SensorKind::Sonar));
        let causes = [GapCause::Missing, GapCause::Corrupt];
        for number in 0..10_000 {
            tracker.lose(causes[number % 2], 1, at(0.0));
        }
        assert_eq!(tracker.lately.len(), MOST_LATELY);
        let seen = tracker.state(at(1.0), at(0.0), Age::OfData, None);
        assert_eq!(seen.lost_total(), 10_000);
        assert_eq!(seen.lost_lately.values().sum::<u64>(), 10_000);
    }
}
