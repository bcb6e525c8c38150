//! What can be wrong with a frame in Arrow form.

use std::path::PathBuf;

/// A frame that cannot be written, or bytes that are not a frame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The Arrow library refused.
    #[error("the Arrow library refused")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// The values of a table do not make a frame.
    #[error("table `{table}`: `{column}` is {found}, expected {expected}")]
    Content {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// Columns that differ in length, or numbers that are not finite.
    #[error("the frame does not keep its promises")]
    Frame(#[from] beluga_types::Error),
    /// A file could not be written.
    #[error("writing tables: {}", path.display())]
    Io {
        /// What the system said.
        source: std::io::Error,
        /// Which file.
        path: PathBuf,
    },
    /// A folder that is to be written holds something already.
    #[error("expected no folder or an empty one, found files: {}", path.display())]
    NotEmpty {
        /// Which folder.
        path: PathBuf,
    },
    /// The table's columns are others.
    #[error("table `{table}`: found {found}, expected {expected}")]
    Schema {
        /// Which table.
        table: &'static str,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// The bytes are not one Arrow stream with one batch.
    #[error("table `{table}`: {found} at byte {offset}, expected {expected}")]
    Stream {
        /// Which table.
        table: &'static str,
        /// What was found.
        found: String,
        /// Where, in bytes from the start.
        offset: usize,
        /// What was expected.
        expected: &'static str,
    },
}

impl Error {
    pub(super) fn content(
        table: &'static str,
        column: &'static str,
        found: impl ToString,
        expected: &'static str,
    ) -> Self {
        Self::Content {
            table,
            column,
            found: found.to_string(),
            expected,
        }
    }
}
