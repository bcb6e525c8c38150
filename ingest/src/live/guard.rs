//! A sensor's clock beside the host's: what it tells goes on the timeline, and one that is nowhere near is not
//! believed.
//!
//! What a clock tells that is far off would take its place far from the others, or push theirs away. It is
//! counted as lost until the clock is set right, and the remedy is said once for each step of it.

use std::time::Duration;

use beluga_types::{Gap, GapCause, Measurement, Payload, Stamp};

use crate::clock;
use crate::host_clock::{HostClock, Step};

/// How often the clock's state goes on the timeline, by the host's time in nanoseconds.
const TOLD_EVERY_NANOS: i64 = 10_000_000_000;
/// The first time earlier, when the delays of a second are known.
const TOLD_FIRST_NANOS: i64 = 2_000_000_000;

/// What a device tells of its own clock stands for so long: it tells it again before.
const TOLD_ITSELF_NANOS: i64 = 3 * TOLD_EVERY_NANOS;

/// Steps of which so many come are told no more.
const MANY_STEPS: u32 = 4;

/// Looks at one sensor's clock.
#[derive(Debug)]
pub(crate) struct Guard {
    far_nanos: i64,
    told: bool,
    clock: HostClock,
    /// When, by the host, its state is due.
    due_nanos: Option<i64>,
    /// The newest end of what has passed.
    newest: Option<Stamp>,
    steps: u32,
    /// The first payload's end, and when it was heard.
    first: Option<(Stamp, Stamp)>,
    /// The device tells of its own clock, and knows more, until then by the host.
    told_itself: Option<i64>,
}

/// What has become of a measurement.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Passed {
    /// The measurement, or the gap that it has become; before it the clock's state, where that is due.
    pub(crate) measurements: Vec<Measurement>,
    /// What is to be said.
    pub(crate) notes: Vec<String>,
}

impl Guard {
    /// Farther than this from the host's clock nothing is believed.
    pub(crate) fn new(far: Duration) -> Self {
        Self {
            far_nanos: i64::try_from(far.as_nanos()).unwrap_or(i64::MAX),
            told: false,
            clock: HostClock::default(),
            due_nanos: None,
            newest: None,
            steps: 0,
            first: None,
            told_itself: None,
        }
    }

    /// Looks at one measurement of the sensor of this name.
    pub(crate) fn pass(&mut self, measurement: Measurement, name: &str) -> Passed {
        let mut passed = Passed::default();
        if matches!(measurement.payload, Payload::Gap(_)) {
            passed.measurements.push(measurement);
            return passed;
        }
        let (end, received) = (measurement.end, measurement.received);
        let first = *self.first.get_or_insert((end, received));
        if let Some(step) = self.clock.hear(end, received) {
            self.steps += 1;
            let said = said_of_step(step, &measurement, name);
            // So that whoever replays the tape knows of it too.
            passed.measurements.push(gap(&measurement, end, 0, said.clone()));
            match self.steps {
                ..MANY_STEPS => passed.notes.push(said),
                MANY_STEPS => passed
                    .notes
                    .push(format!("{said}. It steps again and again: no more of it is told")),
                _ => {}
            }
            self.told &= self.steps > MANY_STEPS;
            self.due_nanos = Some(received.nanos());
        }
        let ahead = measurement.end.nanos_since(measurement.received);
        if ahead.saturating_abs() > self.far_nanos {
            let detail = said_of_far(ahead, &measurement);
            if !std::mem::replace(&mut self.told, true) {
                let remedy = remedy(ahead, end.seconds_since(first.0), received.seconds_since(first.1));
                passed.notes.push(format!(
                    "sensor `{name}`: {detail}: nothing of it is used. {remedy}"
                ));
            }
            passed.measurements.push(gap(&measurement, received, 1, detail));
            return passed;
        }
        if matches!(measurement.payload, Payload::Clock(_)) {
            self.told_itself = Some(received.nanos().saturating_add(TOLD_ITSELF_NANOS));
        }
        passed.measurements.extend(self.state(&measurement));
        self.newest = self.newest.max(Some(measurement.end));
        passed.measurements.push(measurement);
        passed
    }

    /// The clock's state just before a measurement, if it is due and nothing of the sensor stands there.
    fn state(&mut self, measurement: &Measurement) -> Option<Measurement> {
        let now = measurement.received.nanos();
        let due = *self.due_nanos.get_or_insert(now.saturating_add(TOLD_FIRST_NANOS));
        let end = measurement.end.shifted_nanos(-1);
        let told_itself = self.told_itself.is_some_and(|until| now < until);
        if now < due || told_itself || self.newest.is_some_and(|newest| newest >= end) {
            return None;
        }
        let state = self.clock.state()?;
        self.due_nanos = Some(now.saturating_add(TOLD_EVERY_NANOS));
        Some(Measurement {
            seq: measurement.seq,
            sensor: measurement.sensor,
            stamp: end,
            end,
            received: measurement.received,
            payload: Payload::Clock(state),
        })
    }
}

/// A clock that is elsewhere than it was.
fn said_of_step(step: Step, measurement: &Measurement, name: &str) -> String {
    let was = measurement.end.shifted_nanos(step.forward_nanos.saturating_neg());
    let cause = clock::cause(was, measurement.end);
    let cause = cause.map_or_else(String::new, |cause| format!(", as by {cause}"));
    format!(
        "sensor `{name}`: its clock went {} by {:.3} s beside the host's at {}{cause}: one of them was set or started anew",
        if step.forward_nanos > 0 { "on" } else { "back" },
        step.forward_nanos.unsigned_abs() as f64 * 1e-9,
        step.since.iso_8601(),
    )
}

fn said_of_far(ahead_nanos: i64, measurement: &Measurement) -> String {
    let seconds = ahead_nanos as f64 * 1e-9;
    let way = if ahead_nanos > 0 { "ahead of" } else { "behind" };
    let cause = clock::cause(measurement.received, measurement.end);
    let cause = cause.map_or_else(String::new, |cause| format!(" ({cause})"));
    format!("its clock is {:.3} s {way} the host's{cause}", seconds.abs())
}

/// What to do about a clock that is far off, given how long it has run and how long the host's has since.
fn remedy(ahead_nanos: i64, own_s: f64, host_s: f64) -> String {
    /// Shorter runs say nothing of how fast, in seconds; and no clock runs so fast or slow by itself.
    const LONG_S: f64 = 1.0;
    const ODD: f64 = 0.1;
    let speed = own_s / host_s;
    if host_s > LONG_S && (speed - 1.0).abs() > ODD {
        return format!(
            "It runs {speed:.1} times as fast as the host's: is it a recording that is sent faster than it was made?"
        );
    }
    let millis = -1e-6 * ahead_nanos as f64;
    format!("Set its clock, or `time_offset_ms = {millis:.0}` in the rig")
}

/// What is told in a measurement's place, or instead of it.
fn gap(measurement: &Measurement, at: Stamp, lost: u64, detail: String) -> Measurement {
    Measurement {
        seq: measurement.seq,
        sensor: measurement.sensor,
        stamp: at,
        end: at,
        received: measurement.received,
        payload: Payload::Gap(Gap {
            lost,
            cause: GapCause::Corrupt,
            detail,
        }),
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::{DepthFix, SensorId};

    use super::*;

    /// A payload heard so long after the run began, by a clock that is ahead.
    fn heard(after_s: f64, ahead_s: f64) -> Measurement {
        let received = Stamp::from_nanos(1_790_000_000_000_000_000).shifted_s(after_s);
        let end = received.shifted_s(ahead_s);
        Measurement {
            seq: 4,
            sensor: SensorId(0),
            stamp: end,
            end,
            received,
            payload: Payload::Depth(DepthFix {
                depth_m: 1.0,
                sigma_m: 0.1,
            }),
        }
    }

    fn guard() -> Guard {
        Guard::new(Duration::from_secs(5))
    }

    #[test]
    fn a_clock_that_tells_tai_is_named_once_with_its_remedy_and_counted_each_time() {
        let mut guard = guard();
        let passed = guard.pass(heard(0.0, 37.0), "front");
        let [note] = &passed.notes[..] else {
            panic!("{passed:?}")
        };
        assert!(
            note.contains("37.000 s ahead")
                && note.contains("TAI")
                && note.contains("time_offset_ms = -37000"),
            "{note}"
        );
        let [gap] = &passed.measurements[..] else {
            panic!("{passed:?}")
        };
        assert!(matches!(&gap.payload, Payload::Gap(gap) if gap.lost == 1));
        assert_eq!(gap.end, gap.received, "in its place among the others");
        let passed = guard.pass(heard(0.1, 37.0), "front");
        assert!(passed.notes.is_empty() && matches!(passed.measurements[0].payload, Payload::Gap(_)));
    }

    #[test]
    fn one_that_is_near_passes() {
        for seconds in [-2.0, 0.0, 0.4] {
            let passed = guard().pass(heard(0.0, seconds), "front");
            assert_eq!(passed.measurements, [heard(0.0, seconds)]);
            assert!(passed.notes.is_empty());
        }
    }

    #[test]
    fn the_clock_s_state_goes_before_what_it_is_of() {
        let mut guard = guard();
        let mut states = Vec::new();
        for tenth in 0..400 {
            let payload = heard(0.1 * f64::from(tenth), -0.02);
            let passed = guard.pass(payload.clone(), "front");
            assert_eq!(passed.measurements.last(), Some(&payload));
            if let [state, _] = &passed.measurements[..] {
                let Payload::Clock(clock) = state.payload else {
                    panic!("{state:?}")
                };
                assert_eq!(
                    (state.end, state.sensor),
                    (payload.end.shifted_nanos(-1), payload.sensor)
                );
                states.push((tenth, clock.offset_nanos));
            }
        }
        let offset = 20_000_000;
        let expected = [20, 120, 220, 320].map(|tenth| (tenth, offset));
        assert_eq!(states, expected);
    }

    #[test]
    fn a_sensor_that_starts_anew_with_its_clock_is_told_as_a_step_and_then_as_far() {
        let mut guard = guard();
        for tenth in 0..50 {
            guard.pass(heard(0.1 * f64::from(tenth), -0.02), "front");
        }
        // Back to 1970, on for 3 s: told as late for as long as it may only be late.
        let back_s = -1_790_000_000.0;
        let notes: Vec<String> = (80..130)
            .flat_map(|tenth| guard.pass(heard(0.1 * f64::from(tenth), back_s), "front").notes)
            .collect();
        assert!(
            notes[0].contains("s behind the host's (a clock that was never set"),
            "{notes:?}"
        );
        assert!(notes[1].contains("its clock went back by 17899999"), "{notes:?}");
        assert!(notes[1].contains("never set"), "{notes:?}");
        assert_eq!(
            notes.len(),
            3,
            "the remedy once more, for the new time: {notes:?}"
        );
    }

    #[test]
    fn a_recording_that_is_sent_faster_is_said_to_be() {
        let mut guard = guard();
        let passed = |tenth: i32| {
            let now_s = 0.1 * f64::from(tenth);
            guard.pass(heard(now_s, 3.0 * now_s), "front")
        };
        let notes: Vec<String> = (0..60).map(passed).flat_map(|passed| passed.notes).collect();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(
            notes[0].contains("4.0 times as fast") && !notes[0].contains("time_offset"),
            "{notes:?}"
        );
    }

    #[test]
    fn a_clock_that_steps_all_the_time_is_told_of_four_times() {
        let mut guard = guard();
        let ahead = |tenth: i32| 0.2 * f64::from(tenth / 50);
        let notes: Vec<String> = (0..500)
            .flat_map(|tenth| {
                guard
                    .pass(heard(0.1 * f64::from(tenth), ahead(tenth)), "front")
                    .notes
            })
            .collect();
        assert!(
            notes.len() == 4 && notes[3].contains("again and again"),
            "{notes:?}"
        );
    }

    #[test]
    fn a_device_that_tells_of_its_clock_is_left_to_it_and_nothing_is_put_between_equal_times() {
        let mut guard = guard();
        let of_itself = Payload::Clock(beluga_types::ClockState {
            offset_nanos: 0,
            sigma_nanos: 1.0,
            locked: true,
        });
        for tenth in 0..50 {
            let payload = of_itself.clone();
            let passed = guard.pass(
                Measurement {
                    payload,
                    ..heard(0.1 * f64::from(tenth), 0.0)
                },
                "front",
            );
            assert_eq!(passed.measurements.len(), 1);
        }
        // It tells no more: from half a minute on the guard does.
        let first = (50..500).find(|tenth| {
            guard
                .pass(heard(0.1 * f64::from(*tenth), 0.0), "front")
                .measurements
                .len()
                > 1
        });
        assert_eq!(first, Some(349));
        let mut guard = self::guard();
        for tenth in 0..50 {
            let same = Measurement {
                end: heard(0.0, 0.0).end,
                ..heard(0.1 * f64::from(tenth), 0.0)
            };
            assert_eq!(guard.pass(same, "front").measurements.len(), 1);
        }
    }

    #[test]
    fn a_step_within_what_is_believed_is_told_and_nothing_is_lost() {
        let mut guard = guard();
        let ahead = |tenth: i32| if tenth < 50 { -0.02 } else { 0.98 };
        let passed: Vec<Passed> = (0..60)
            .map(|tenth| guard.pass(heard(0.1 * f64::from(tenth), ahead(tenth)), "front"))
            .collect();
        let notes: Vec<&String> = passed.iter().flat_map(|passed| &passed.notes).collect();
        assert!(
            notes.len() == 1 && notes[0].contains("went on by 1.000 s"),
            "{notes:?}"
        );
        let told = &passed[50].measurements;
        assert!(matches!(&told[0].payload, Payload::Gap(gap) if gap.lost == 0 && gap.detail == *notes[0]));
        assert!(matches!(told[1].payload, Payload::Clock(clock) if clock.offset_nanos == -980_000_000));
        let is_lost = |one: &Measurement| matches!(&one.payload, Payload::Gap(gap) if gap.lost > 0);
        assert!(
            !passed
                .iter()
                .any(|passed| passed.measurements.iter().any(is_lost))
        );
    }
}
