//! What can be wrong with a word.

/// A value that does not keep the promise of its type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A column of a table is shorter or longer than the others.
    #[error("column `{column}` has {found} entries, but the table has {expected}")]
    ColumnLength {
        /// The column's name.
        column: &'static str,
        /// Its length.
        found: usize,
        /// The table's length.
        expected: usize,
    },
    /// A number that must be finite is not.
    #[error("`{what}` is not finite at index {index}")]
    NotFinite {
        /// Which number.
        what: &'static str,
        /// Where.
        index: usize,
    },
    /// A number lies outside its valid range.
    #[error("`{what}` is {found}, expected {expected}")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// Its value.
        found: f64,
        /// The valid range, in words.
        expected: &'static str,
    },
    /// The samples of a ping do not fill its shape.
    #[error("ping has {found} samples, but {channels} channels of {samples} need {expected}")]
    WaveformLength {
        /// Samples found.
        found: usize,
        /// Channels of the shape.
        channels: usize,
        /// Samples per channel of the shape.
        samples: usize,
        /// Samples needed.
        expected: usize,
    },
    /// A table that belongs to a ping has another number of beams.
    #[error("{what} has {found} beams, but the ping has {expected}")]
    BeamCount {
        /// Which table.
        what: &'static str,
        /// Beams in that table.
        found: usize,
        /// Beams in the ping.
        expected: usize,
    },
    /// The rig names no sensor, or names one twice.
    #[error("{0}")]
    Rig(String),
}
