//! What can go wrong with a picture.

use std::path::PathBuf;

/// Why a recording for the viewer could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The viewer's server could not start.
    #[error("{source}: no server on 127.0.0.1 at port {port} or the 99 above it")]
    Bind {
        /// What the system said.
        source: std::io::Error,
        /// The port that was asked for.
        port: u16,
    },
    /// The viewer's files are not in this build.
    #[error("{0}")]
    Bundle(Box<re_web_viewer_server::WebViewerDataError>),
    /// The file could not be made.
    #[error("{source}: {}", path.display())]
    Create {
        /// What the recorder said.
        source: Box<re_sdk::RecordingStreamError>,
        /// Which file.
        path: PathBuf,
    },
    /// The file could not be written to its end; what is in it may be incomplete.
    #[error("{source}: {}", path.display())]
    Flush {
        /// What the recorder said.
        source: Box<re_sdk::sink::SinkFlushError>,
        /// Which file.
        path: PathBuf,
    },
    /// Something could not be put into the recording.
    #[error("rerun: {0}")]
    Log(Box<re_sdk::RecordingStreamError>),
}

impl From<re_sdk::RecordingStreamError> for Error {
    fn from(source: re_sdk::RecordingStreamError) -> Self {
        Self::Log(Box::new(source))
    }
}
