//! What a timeline says, one thing after the other.

use beluga_types::{Measurement, Stamp};

/// The next thing on a timeline.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are measurements")]
pub enum Event {
    /// The next measurement, or a gap.
    Measured(Measurement),
    /// A watermark: all that ends at this moment or before has been said. Only sensors that are heard now
    /// need it, so that nobody waits for the next measurement to learn it; a tape does not keep it.
    Passed(Stamp),
}

impl Event {
    /// The end of a measurement, or the moment that has passed.
    pub fn end(&self) -> Stamp {
        match self {
            Self::Measured(measurement) => measurement.end,
            Self::Passed(moment) => *moment,
        }
    }
}
