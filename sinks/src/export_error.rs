//! What can go wrong while frames are handed over as LAS, CSV or a trajectory.

use std::io;
use std::path::{Path, PathBuf};

/// Why an export could not be written. Nothing bears its name then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A frame whose columns differ in length or whose numbers are not finite.
    #[error("frame {index} does not keep its promises")]
    Frame {
        /// The frame's index.
        index: u64,
        /// What is wrong with it.
        source: beluga_types::Error,
    },
    /// The file could not be written.
    #[error("writing an export: {}", path.display())]
    Io {
        /// What the system said.
        source: io::Error,
        /// Which file.
        path: PathBuf,
    },
    /// A point beyond what 32 bits of tenths of a millimetre reach.
    #[error(
        "a point lies {found_m:.0} m from the first, a LAS file reaches {} m",
        crate::las::REACH_M
    )]
    TooFar {
        /// Distance along one axis.
        found_m: f64,
    },
}

pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> ExportError {
    let path = path.to_owned();
    |source| ExportError::Io { source, path }
}
