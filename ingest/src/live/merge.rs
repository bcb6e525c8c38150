//! The sensors' measurements in one order, each as soon as nothing can come before it.
//!
//! Every sensor is late in its own way: a lidar by a network's milliseconds, an attitude sensor that
//! sends a second at a time by a second. How late each usually is, is learned; what ends before the
//! moment up to which all have spoken, or would have by now, goes on. A sensor that falls silent
//! therefore holds the others up no longer than it is late itself. In the beginning, while that is
//! learned, nothing goes on: until all have spoken for half the longest wait, or until the beginning is over.

use std::time::Duration;

use beluga_types::{Measurement, Payload, SensorId, Stamp};

use crate::order::Order;

/// Beyond how late a sensor usually is, in nanoseconds: networks and threads have moods.
const MARGIN_NANOS: i64 = 10_000_000;
/// What a sensor was late by is remembered for one to two of these, in nanoseconds.
const REMEMBERED_NANOS: i64 = 10_000_000_000;

/// Puts measurements in order as they come.
pub(crate) struct Merge {
    order: Order,
    most_nanos: i64,
    /// So long after the first is heard it is listened how late each is, and nothing goes on unless that is known
    /// before.
    hold_nanos: i64,
    /// When that is over: nothing before the first is heard, however long that takes.
    begun: Option<Stamp>,
    flows: Vec<Flow>,
}

/// One sensor.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    newest: Option<Stamp>,
    /// When it was first heard, by the host.
    first: Option<Stamp>,
    /// How far behind its newest it has spoken, in this stretch of time and in the one before: of a
    /// sounder's two swaths the first may end last.
    behind_nanos: [i64; 2],
    /// The latest it was in this stretch of time and in the one before.
    late: [Option<i64>; 2],
    since: Stamp,
    ended: bool,
}

impl Merge {
    /// For so many sensors; none is waited for longer than `most`. For so long as `hold` after the first is heard,
    /// sensors are waited for that have not spoken yet.
    pub(crate) fn new(sensors: usize, most: Duration, hold: Duration) -> Self {
        let nanos = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        Self {
            order: Order::new(Duration::MAX),
            most_nanos: nanos(most),
            hold_nanos: nanos(hold),
            begun: None,
            flows: vec![Flow::default(); sensors],
        }
    }

    /// Takes what came at this moment of the host; gives what only an overfull buffer lets go.
    pub(crate) fn take(&mut self, measurement: Measurement, now: Stamp) -> Vec<Measurement> {
        // A gap that comes first is told of what follows it: it begins the beginning too, and the first payload does
        // so anew, however long after.
        let is_first = !matches!(measurement.payload, Payload::Gap(_))
            && self.flows.iter().all(|flow| flow.first.is_none());
        if is_first || self.begun.is_none() {
            self.begun = Some(now.shifted_nanos(self.hold_nanos));
        }
        // A gap stands where it was noticed, which may be after what its sensor says next.
        if !matches!(measurement.payload, Payload::Gap(_))
            && let Some(flow) = self.flows.get_mut(usize::from(measurement.sensor.0))
        {
            flow.hear(measurement.end, now);
        }
        self.order.push(measurement)
    }

    /// A sensor will not speak again.
    pub(crate) fn end(&mut self, sensor: SensorId) {
        if let Some(flow) = self.flows.get_mut(usize::from(sensor.0)) {
            flow.ended = true;
        }
    }

    /// What nothing can come before any more.
    pub(crate) fn ready(&mut self, now: Stamp) -> Vec<Measurement> {
        if self.begun.is_some_and(|begun| now < begun) {
            let enough = self.most_nanos / 2;
            if !self.flows.iter().all(|flow| flow.is_known(now, enough)) {
                return Vec::new();
            }
            self.begun = Some(now);
        }
        let spoken = self.flows.iter().filter(|flow| !flow.ended);
        let until = spoken.filter_map(|flow| flow.until(now, self.most_nanos)).min();
        match until {
            Some(until) => self.order.until(until),
            None => self.order.until(now),
        }
    }

    /// All that is left, when nothing more will come.
    pub(crate) fn finish(&mut self) -> Vec<Measurement> {
        std::mem::replace(&mut self.order, Order::new(Duration::MAX)).finish()
    }
}

impl Flow {
    fn hear(&mut self, end: Stamp, now: Stamp) {
        let behind = self.newest.map_or(0, |newest| newest.nanos_since(end));
        self.newest = self.newest.max(Some(end));
        self.first.get_or_insert(now);
        if now.nanos_since(self.since).abs() > REMEMBERED_NANOS {
            self.late = [None, self.late[0]];
            self.behind_nanos = [0, self.behind_nanos[0]];
            self.since = now;
        }
        self.behind_nanos[0] = self.behind_nanos[0].max(behind);
        self.late[0] = self.late[0].max(Some(now.nanos_since(end)));
    }

    /// Whether it has spoken long enough to show how late it is, or will not speak any more.
    fn is_known(&self, now: Stamp, enough_nanos: i64) -> bool {
        let known = |first| now.nanos_since(first) >= enough_nanos;
        self.ended || self.first.is_some_and(known)
    }

    /// Up to when it has spoken, or would have by now; nothing before it has spoken at all.
    fn until(&self, now: Stamp, most_nanos: i64) -> Option<Stamp> {
        let late = self.late[0].max(self.late[1])?;
        let wait = late.saturating_add(MARGIN_NANOS).min(most_nanos);
        let behind = self.behind_nanos[0].max(self.behind_nanos[1]);
        let spoken = self.newest.map(|newest| newest.shifted_nanos(-behind));
        spoken.max(Some(now.shifted_nanos(wait.saturating_neg())))
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::{DepthFix, Gap, GapCause};

    use super::*;

    const MS: i64 = 1_000_000;

    fn at(millis: i64) -> Stamp {
        Stamp::from_nanos(1_700_000_000_000_000_000 + millis * MS)
    }

    fn measurement(sensor: u16, end_millis: i64) -> Measurement {
        let end = at(end_millis);
        Measurement {
            seq: end_millis.unsigned_abs(),
            sensor: SensorId(sensor),
            stamp: end,
            end,
            received: end,
            payload: Payload::Depth(DepthFix {
                depth_m: 1.0,
                sigma_m: 0.1,
            }),
        }
    }

    fn ends(measurements: &[Measurement]) -> Vec<i64> {
        measurements
            .iter()
            .map(|one| one.end.nanos_since(at(0)) / MS)
            .collect()
    }

    #[test]
    fn what_all_have_passed_goes_on_at_once() {
        let mut merge = Merge::new(2, Duration::from_secs(2), Duration::ZERO);
        merge.take(measurement(0, 0), at(5));
        merge.take(measurement(1, 20), at(25));
        assert_eq!(ends(&merge.ready(at(25))), [0], "sensor 0 may yet give 11");
        merge.take(measurement(0, 30), at(35));
        assert_eq!(ends(&merge.ready(at(35))), [20]);
    }

    #[test]
    fn a_silent_sensor_holds_the_others_no_longer_than_it_is_late() {
        let mut merge = Merge::new(2, Duration::from_secs(2), Duration::ZERO);
        merge.take(measurement(1, 0), at(40));
        for end in [10, 20] {
            merge.take(measurement(0, end), at(41 + end));
        }
        // Sensor 1 is 40 ms late: at 61 ms it may still give what ended at 20, at 71 ms not.
        assert_eq!(ends(&merge.ready(at(61))), [0, 10]);
        assert_eq!(ends(&merge.ready(at(71))), [20]);
    }

    #[test]
    fn nobody_is_waited_for_longer_than_the_most() {
        let mut merge = Merge::new(2, Duration::from_millis(100), Duration::ZERO);
        merge.take(measurement(1, 0), at(5_000));
        merge.take(measurement(0, 5_000), at(5_001));
        assert_eq!(ends(&merge.ready(at(5_050))), [0]);
        assert_eq!(ends(&merge.ready(at(5_101))), [5_000]);
    }

    #[test]
    fn what_comes_after_its_place_is_counted() {
        let mut merge = Merge::new(2, Duration::from_millis(100), Duration::ZERO);
        merge.take(measurement(0, 0), at(0));
        merge.take(measurement(0, 500), at(500));
        assert_eq!(ends(&merge.ready(at(500))), [0, 500]);
        merge.take(measurement(1, 400), at(501));
        let rest = merge.finish();
        let causes: Vec<_> = rest
            .iter()
            .filter_map(|one| match &one.payload {
                Payload::Gap(gap) => Some((gap.cause, gap.lost)),
                _ => None,
            })
            .collect();
        assert_eq!((rest.len(), causes), (1, vec![(GapCause::Late, 1)]));
    }

    #[test]
    fn in_the_beginning_it_is_listened() {
        let mut merge = Merge::new(2, Duration::from_secs(2), Duration::from_millis(500));
        merge.take(measurement(0, 500), at(500));
        assert!(merge.ready(at(999)).is_empty());
        merge.take(measurement(1, 400), at(999));
        assert_eq!(ends(&merge.ready(at(1_000))), [400], "in its place");
        assert_eq!(ends(&merge.ready(at(1_700))), [500]);
    }

    /// Whoever starts the program first and the sensors an hour later loses no more than the other way round.
    #[test]
    fn the_beginning_is_when_the_first_is_heard() {
        let mut merge = Merge::new(2, Duration::from_secs(2), Duration::from_secs(3));
        let hour = 3_600_000;
        assert!(merge.ready(at(hour)).is_empty());
        merge.take(measurement(0, hour), at(hour + 5));
        assert!(
            merge.ready(at(hour + 2_000)).is_empty(),
            "sensor 1 may have begun too"
        );
        merge.take(measurement(1, hour - 100), at(hour + 1_900));
        merge.take(measurement(0, hour + 2_995), at(hour + 3_000));
        let first = ends(&merge.ready(at(hour + 3_005)));
        assert_eq!(first, [hour - 100, hour], "in its place");
    }

    /// A lidar that could not be opened yet, then two sensors, the older data second.
    #[test]
    fn a_gap_long_before_the_first_payload_is_not_the_beginning_of_it() {
        let mut merge = Merge::new(2, Duration::from_secs(2), Duration::from_secs(3));
        let lost = Payload::Gap(Gap {
            lost: 1,
            cause: GapCause::Corrupt,
            detail: String::new(),
        });
        let gap = Measurement {
            payload: lost,
            ..measurement(0, 0)
        };
        merge.take(gap, at(0));
        assert_eq!(
            ends(&merge.ready(at(3_000))),
            [0],
            "it is told, though nothing comes"
        );
        merge.take(measurement(0, 10_000), at(10_005));
        assert!(merge.ready(at(10_100)).is_empty(), "sensor 1 may have begun too");
        merge.take(measurement(1, 9_900), at(11_900));
        merge.take(measurement(0, 12_900), at(12_905));
        assert_eq!(ends(&merge.ready(at(13_010))), [9_900, 10_000]);
    }

    #[test]
    fn the_beginning_is_over_when_all_have_spoken_for_half_the_longest_wait() {
        let mut merge = Merge::new(2, Duration::from_secs(2), Duration::from_secs(60));
        merge.take(measurement(0, 0), at(5));
        merge.take(measurement(1, 500), at(510));
        assert!(
            merge.ready(at(1_500)).is_empty(),
            "sensor 1 has spoken for 0.99 s"
        );
        merge.take(measurement(0, 1_505), at(1_510));
        assert_eq!(ends(&merge.ready(at(1_510))), [0, 500]);
        merge.take(measurement(1, 1_600), at(1_610));
        assert_eq!(ends(&merge.ready(at(1_610))), [1_505], "and it stays over");
        let mut merge = Merge::new(2, Duration::from_secs(2), Duration::from_secs(60));
        merge.take(measurement(0, 0), at(5));
        assert!(merge.ready(at(59_000)).is_empty(), "sensor 1 has not been heard");
        merge.end(SensorId(1));
        assert_eq!(ends(&merge.ready(at(59_000))), [0]);
    }

    #[test]
    fn one_that_speaks_out_of_order_is_given_the_time_it_takes() {
        let mut merge = Merge::new(1, Duration::from_secs(2), Duration::ZERO);
        for end in [20, 10] {
            merge.take(measurement(0, end), at(25));
        }
        assert_eq!(
            ends(&merge.ready(at(25))),
            [10],
            "behind 20 there may come another 10"
        );
        merge.take(measurement(0, 40), at(45));
        merge.take(measurement(0, 30), at(46));
        assert_eq!(ends(&merge.ready(at(46))), [20, 30]);
    }

    #[test]
    fn what_was_out_of_order_once_is_forgotten() {
        let mut merge = Merge::new(1, Duration::from_secs(2), Duration::ZERO);
        for end in [40, 0] {
            merge.take(measurement(0, end), at(45));
        }
        for seconds in 1..=30 {
            merge.take(measurement(0, 1_000 * seconds), at(1_000 * seconds + 5));
            let at_once = ends(&merge.ready(at(1_000 * seconds + 5)));
            assert_eq!(at_once.contains(&(1_000 * seconds)), seconds > 21, "{seconds} s");
        }
    }

    #[test]
    fn a_gap_does_not_say_up_to_when_its_sensor_has_spoken() {
        let mut merge = Merge::new(2, Duration::from_secs(2), Duration::ZERO);
        for sensor in [0, 1] {
            merge.take(measurement(sensor, 0), at(100));
        }
        let lost = Gap {
            lost: 1,
            cause: GapCause::Corrupt,
            detail: String::new(),
        };
        let gap = Measurement {
            payload: Payload::Gap(lost),
            ..measurement(0, 150)
        };
        merge.take(gap, at(150));
        merge.take(measurement(1, 90), at(150));
        assert_eq!(ends(&merge.ready(at(150))), [0, 0], "sensor 0 may yet give 60");
        merge.take(measurement(0, 60), at(160));
        assert_eq!(ends(&merge.ready(at(160))), [60]);
    }

    /// A line that had begun before it was listened to, and the first whole one behind it.
    #[test]
    fn a_gap_before_the_first_payload_does_not_make_it_late() {
        let mut merge = Merge::new(1, Duration::from_secs(2), Duration::from_secs(3));
        let gap = Measurement {
            payload: Payload::Gap(Gap {
                lost: 0,
                cause: GapCause::Corrupt,
                detail: "a line that had begun".into(),
            }),
            ..measurement(0, 100)
        };
        assert!(merge.take(gap, at(101)).is_empty());
        assert!(merge.ready(at(101)).is_empty(), "nobody has been heard");
        assert!(merge.take(measurement(0, 100), at(102)).is_empty());
        let all = merge.finish();
        assert_eq!(
            all.iter()
                .filter(|one| matches!(one.payload, Payload::Gap(_)))
                .count(),
            1,
            "{all:?}"
        );
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn one_that_has_ended_is_not_waited_for() {
        let mut merge = Merge::new(2, Duration::from_secs(2), Duration::ZERO);
        merge.take(measurement(1, 0), at(1_000));
        merge.take(measurement(0, 900), at(1_001));
        assert_eq!(ends(&merge.ready(at(1_001))), [0]);
        merge.end(SensorId(1));
        assert_eq!(ends(&merge.ready(at(1_001))), [900]);
    }
}
