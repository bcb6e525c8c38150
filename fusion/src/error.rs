//! What can be wrong before the first measurement. Bad data is never an error: it is counted.

/// Why a [`crate::Fuser`] could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number of the configuration lies outside its range.
    #[error("config `{field}` is {found}, expected {expected}")]
    Config {
        /// The field, as the configuration file spells it.
        field: &'static str,
        /// Its value.
        found: f64,
        /// The valid range, in words.
        expected: &'static str,
    },
    /// The rig contradicts itself.
    #[error(transparent)]
    Rig(#[from] beluga_types::Error),
}

/// Why no lag between two sensors can be told.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LagError {
    /// Too little was seen by both.
    #[error(
        "{found} turns were seen by both wherever one is shifted within reach, expected {expected} at least: half a minute is wanted, and a reach that leaves most of it"
    )]
    TooFew {
        /// Turns that both saw.
        found: usize,
        /// Fewest that say something.
        expected: usize,
    },
    /// The body hardly turned.
    #[error("the vehicle turned by {:.2} °/s only (root mean square), expected 0.2 at least: steer, or let it roll", .rate_rms.to_degrees())]
    Still {
        /// Root mean square of the rotation rate, in rad/s.
        rate_rms: f64,
    },
    /// Both tell of other motions, wherever they are shifted.
    #[error(
        "the turns of both are alike to {correlation:.3} only, expected 0.995 about one axis: does the vessel roll, is the mount right, does the lidar hold its place, is the lag longer than what was looked for?"
    )]
    Unlike {
        /// The best correlation of any axis at any shift.
        correlation: f64,
    },
    /// They agree best at the end of what was looked at.
    #[error("no lag within {reach_s} s")]
    Beyond {
        /// Longest lag that was looked at, in seconds.
        reach_s: f64,
    },
}
