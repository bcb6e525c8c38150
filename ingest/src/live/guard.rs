//! A sensor whose clock is nowhere near the host's would take its place far from the others, or push
//! theirs away. It is counted as lost until its clock is set right, and the remedy is said once.

use std::time::Duration;

use beluga_types::{Gap, GapCause, Measurement, Payload};

use crate::clock;

/// Looks at one sensor's clock.
#[derive(Debug)]
pub(crate) struct Guard {
    far_nanos: i64,
    told: bool,
}

impl Guard {
    /// Farther than this from the host's clock nothing is believed.
    pub(crate) fn new(far: Duration) -> Self {
        Self {
            far_nanos: i64::try_from(far.as_nanos()).unwrap_or(i64::MAX),
            told: false,
        }
    }

    /// The measurement, or the gap that it has become; and what is to be said of it, the first time.
    pub(crate) fn pass(&mut self, measurement: Measurement, name: &str) -> (Measurement, Option<String>) {
        let ahead = measurement.end.nanos_since(measurement.received);
        let is_gap = matches!(measurement.payload, Payload::Gap(_));
        if is_gap || ahead.saturating_abs() <= self.far_nanos {
            return (measurement, None);
        }
        let seconds = ahead as f64 * 1e-9;
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        let cause = clock::cause(measurement.received, measurement.end);
        let cause = cause.map_or_else(String::new, |cause| format!(" ({cause})"));
        let detail = format!("its clock is {:.3} s {way} the host's{cause}", seconds.abs());
        let note = (!std::mem::replace(&mut self.told, true)).then(|| {
            format!(
                "sensor `{name}`: {detail}: nothing of it is used. Set its clock, or `time_offset_ms = {:.0}` in the rig",
                seconds * -1e3
            )
        });
        let gap = Measurement {
            stamp: measurement.received,
            end: measurement.received,
            payload: Payload::Gap(Gap {
                lost: 1,
                cause: GapCause::Corrupt,
                detail,
            }),
            ..measurement
        };
        (gap, note)
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::{DepthFix, SensorId, Stamp};

    use super::*;

    fn ahead(seconds: f64) -> Measurement {
        let received = Stamp::from_nanos(1_790_000_000_000_000_000);
        let end = received.shifted_s(seconds);
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

    #[test]
    fn a_clock_that_tells_tai_is_named_once_with_its_remedy_and_counted_each_time() {
        let mut guard = Guard::new(Duration::from_secs(5));
        let (gap, note) = guard.pass(ahead(37.0), "front");
        let note = note.unwrap();
        assert!(
            note.contains("37.000 s ahead")
                && note.contains("TAI")
                && note.contains("time_offset_ms = -37000"),
            "{note}"
        );
        assert!(matches!(&gap.payload, Payload::Gap(gap) if gap.lost == 1));
        assert_eq!(gap.end, gap.received, "in its place among the others");
        let (gap, note) = guard.pass(ahead(37.0), "front");
        assert!(note.is_none() && matches!(gap.payload, Payload::Gap(_)));
    }

    #[test]
    fn one_that_is_near_passes() {
        for seconds in [-2.0, 0.0, 0.4] {
            let (same, note) = Guard::new(Duration::from_secs(5)).pass(ahead(seconds), "front");
            assert_eq!((same, note), (ahead(seconds), None));
        }
    }
}
