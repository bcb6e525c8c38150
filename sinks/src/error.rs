//! What can go wrong on the way out.

use std::path::PathBuf;

/// Why a frame could not be kept or a record not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes that should be an Arrow stream of ours are not.
    #[error("arrow stream `{stream}`: {reason}")]
    Arrow {
        /// Which of the three streams.
        stream: &'static str,
        /// What was expected and found.
        reason: String,
    },
    /// The lengths inside a frame's body do not fit it.
    #[error("the body of a frame does not hold `{stream}`: {found} bytes are left")]
    FrameBody {
        /// What was expected next.
        stream: &'static str,
        /// Bytes left.
        found: usize,
    },
    /// A frame is larger than a record takes.
    #[error("a frame has {found} bytes, a record takes at most {expected}")]
    FrameTooLarge {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        expected: usize,
    },
    /// The file system refused.
    #[error("{doing}: {source}: {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
        /// Which file.
        path: PathBuf,
    },
}
