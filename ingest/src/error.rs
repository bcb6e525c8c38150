//! What can be wrong with a recording.

use std::io;
use std::path::{Path, PathBuf};

use beluga_types::GapCause;

/// Why a recording cannot be opened, read at all, or written.
///
/// Damage *inside* a stream is never one of these: it becomes a counted
/// [`Gap`](beluga_types::Gap) on the timeline.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file says something that it may not say.
    #[error("{place}: expected {expected}, found {found}: {}", path.display())]
    Bad {
        /// Where in the file: a line, a byte, a header.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// The file.
        path: PathBuf,
    },
    /// A file or folder holds nothing.
    #[error("expected {expected}, found nothing: {}", path.display())]
    Empty {
        /// What should be there.
        expected: String,
        /// The file or folder.
        path: PathBuf,
    },
    /// A folder that is to be written holds something already.
    #[error("expected no folder or an empty one, found files: {}", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// There is no room to write on.
    #[error("the disk is full; {kept} measurements are safe on the tape: {}", path.display())]
    Full {
        /// Measurements and gaps that are on it.
        kept: u64,
        /// The file.
        path: PathBuf,
    },
    /// The system could not read or write.
    #[error("{said}: {}", path.display())]
    Io {
        /// What the system says.
        said: io::Error,
        /// The file or folder.
        path: PathBuf,
    },
    /// A file or folder that must be there is not.
    #[error("{what} does not exist: {}", path.display())]
    Missing {
        /// What it is for.
        what: String,
        /// Where it was expected.
        path: PathBuf,
    },
    /// A sensor's payloads have no times.
    #[error(
        "sensor `{sensor}` has no times: expected {expected}, or `rate_hz` and `start_ns` for it in the rig, found {found}: {}",
        path.display()
    )]
    NoTimes {
        /// The sensor's name.
        sensor: String,
        /// The file of times that was looked for.
        expected: String,
        /// What the rig gives.
        found: String,
        /// The recording of the sensor.
        path: PathBuf,
    },
    /// Not one payload of a sensor can be read.
    #[error("nothing of sensor `{sensor}` can be read, {lost} payloads are lost; the first: {first}: {}", path.display())]
    NothingReadable {
        /// The sensor's name.
        sensor: String,
        /// Payloads lost.
        lost: u64,
        /// Why the first was lost.
        first: String,
        /// The recording of the sensor.
        path: PathBuf,
    },
    /// The rig's parts do not fit each other.
    #[error("{misfit}: {}", path.display())]
    Rig {
        /// What does not fit.
        misfit: beluga_types::Error,
        /// The rig file.
        path: PathBuf,
    },
    /// A folder without a rig holds recordings that each play by their own name.
    #[error("no rig, and {} by name: {}: {}", recordings(names.len()), listed(names), path.display())]
    Several {
        /// The files' names.
        names: Vec<String>,
        /// The folder.
        path: PathBuf,
    },
    /// The form of recording has no place for this.
    #[error("{what} has no place here: {}", path.display())]
    Unsupported {
        /// What has no place.
        what: String,
        /// The file or folder.
        path: PathBuf,
    },
}

/// Names that an error lists; of more it says how many.
const LISTED: usize = 8;

fn recordings(count: usize) -> String {
    match count {
        1 => "one recording that plays".to_owned(),
        count => format!("{count} recordings that each play"),
    }
}

fn listed(names: &[String]) -> String {
    let first = names.iter().take(LISTED).map(|name| format!("`{name}`"));
    let first = first.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

impl Error {
    /// As it is; but if what is not there is the file, says what it is for.
    pub(crate) fn if_absent(self, what: impl FnOnce() -> String) -> Error {
        match self {
            Error::Io { said, path } if said.kind() == io::ErrorKind::NotFound => {
                Error::Missing { what: what(), path }
            }
            other => other,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |said| Error::Io { said, path }
    }

    pub(crate) fn bad(
        path: &Path,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        Error::Bad {
            place: place.into(),
            expected: expected.into(),
            found: found.into(),
            path: path.to_owned(),
        }
    }
}

/// Damage inside a stream, on its way to become a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) cause: GapCause,
    pub(crate) lost: u64,
    pub(crate) detail: String,
}

impl Fault {
    /// One payload whose file is not there, or cannot be read.
    pub(crate) fn unread(error: &Error) -> Fault {
        let absent = matches!(error, Error::Io { said, .. } if said.kind() == io::ErrorKind::NotFound);
        Fault {
            cause: if absent {
                GapCause::Missing
            } else {
                GapCause::Corrupt
            },
            ..Fault::corrupt(error)
        }
    }

    /// One payload that is there and cannot be read.
    pub(crate) fn corrupt(error: &Error) -> Fault {
        Fault {
            cause: GapCause::Corrupt,
            lost: 1,
            detail: error.to_string(),
        }
    }
}
