//! What each sensor of a run gave.

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
