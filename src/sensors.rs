//! What each sensor of a run gave, and whether they were there at the same time.

use std::fmt;

use serde::Serialize;

use crate::clock;
use crate::report::grouped;

/// What one sensor gave.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct SensorReport {
    pub(crate) name: String,
    /// Payloads on the timeline.
    pub(crate) measurements: u64,
    /// The first payload's time and the last one's end, ns since 1970, its offset applied.
    pub(crate) span_ns: Option<(i64, i64)>,
    /// What the rig added to its times.
    pub(crate) time_offset_ms: f64,
    /// Points and arcs of it in frames.
    pub(crate) points: u64,
    /// Points its reader dropped.
    pub(crate) dropped_points: u64,
    /// Pings whose pulse does not fit their samples.
    pub(crate) unusable_pings: u64,
}

impl SensorReport {
    /// Whether all it gave came to nothing.
    pub(crate) fn is_all_lost(&self) -> bool {
        self.points == 0 && self.dropped_points > 0
    }
}

impl fmt::Display for SensorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, grouped(self.measurements))?;
        if let Some((first, last)) = self.span_ns {
            let seconds = (last - first) as f64 * 1e-9;
            write!(f, ", {} + {seconds:.3} s", clock::utc(first))?;
        }
        if self.time_offset_ms != 0.0 {
            write!(f, ", offset {} ms", self.time_offset_ms)?;
        }
        Ok(())
    }
}

/// Notes on sensors that have no time in common with the first that gave anything.
pub(crate) fn apart(sensors: &[SensorReport]) -> Vec<String> {
    let mut spans = sensors
        .iter()
        .filter_map(|sensor| Some((&sensor.name, sensor.span_ns?)));
    let Some((first, (start, end))) = spans.next() else {
        return Vec::new();
    };
    spans
        .filter(|(_, (other, last))| *other > end || *last < start)
        .map(|(name, (other, last))| {
            let (how, seconds) = match other > end {
                true => (
                    "starts",
                    format!("{:.3} s after it ends", (other - end) as f64 * 1e-9),
                ),
                false => (
                    "ends",
                    format!("{:.3} s before it starts", (start - last) as f64 * 1e-9),
                ),
            };
            format!(
                "`{name}` and `{first}` have no time in common: `{name}` {how} {seconds}; \
                 if their clocks differ, set `time_offset_ms` in the rig"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_without_a_common_time_are_said() {
        let sensor = |name: &str, span| SensorReport {
            name: name.into(),
            span_ns: Some(span),
            ..SensorReport::default()
        };
        let mut two = vec![
            sensor("front", (0, 5_000_000_000)),
            sensor("fan", (6_500_000_000, 9_000_000_000)),
        ];
        let told = apart(&two);
        assert!(
            told[0]
                .starts_with("`fan` and `front` have no time in common: `fan` starts 1.500 s after it ends")
        );
        two[1].span_ns = Some((-2_000_000_000, -1_000_000_000));
        assert!(apart(&two)[0].contains("`fan` ends 1.000 s before it starts"));
        two[1].span_ns = Some((4_900_000_000, 9_000_000_000));
        assert_eq!(apart(&two), Vec::<String>::new());
    }
}
