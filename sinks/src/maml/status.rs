//! What a record is found to be.

use std::fmt;

/// The state of a record. Frames before the damage stay readable, up to the last checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Complete, signed to its end, and its footer as it must be.
    Sealed,
    /// Ends at a checkpoint without a seal. What came after it, if anything did, cannot be known.
    Unsealed,
    /// Ends after its last checkpoint: so many bytes are there that no signature covers.
    Torn {
        /// Bytes after the last checkpoint.
        bytes: u64,
    },
    /// What stands at this place is no record of this format.
    Corrupt {
        /// Bytes from the beginning of the file.
        offset: u64,
    },
    /// A record is not the one that was written, or not where it was written.
    Tamper {
        /// Sequence number of the first record that cannot be trusted.
        seq: u64,
    },
    /// None of the keys given opens it.
    NoKey,
    /// The document or PRE is none, was changed, or is from another version.
    BadHead {
        /// What was expected and found.
        reason: String,
    },
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Sealed => f.write_str("SEALED"),
            Status::Unsealed => f.write_str("UNSEALED"),
            Status::Torn { bytes } => write!(f, "TORN({bytes} bytes)"),
            Status::Corrupt { offset } => write!(f, "CORRUPT(offset {offset})"),
            Status::Tamper { seq } => write!(f, "TAMPER(seq {seq})"),
            Status::NoKey => f.write_str("NO-KEY"),
            Status::BadHead { reason } => write!(f, "BAD-HEAD({reason})"),
        }
    }
}
