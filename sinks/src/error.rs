//! What can go wrong on the way out.
//!
//! A message never repeats its `source`: whoever shows an error shows the whole chain.

use std::path::{Path, PathBuf};

use crate::maml::Status;

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
    /// The document or PRE of a record is not one, was changed, or is from another version.
    #[error("BAD-HEAD: {reason}: {}", path.display())]
    BadHead {
        /// What was expected and found.
        reason: String,
        /// Which file.
        path: PathBuf,
    },
    /// A file does not hold the key it should.
    #[error("not a key: {reason}: {}", path.display())]
    BadKey {
        /// What was expected and found.
        reason: String,
        /// Which file.
        path: PathBuf,
    },
    /// There is no room for another frame. The record can still be finished: room for its end is kept.
    #[error("the disk is full: {}", path.display())]
    DiskFull {
        /// Which file.
        path: PathBuf,
    },
    /// A record's document cannot be written.
    #[error("document: {reason}")]
    Document {
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
    #[error("{doing}: {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
        /// Which file.
        path: PathBuf,
    },
    /// Others than its owner may read a key.
    #[error("mode is {found:04o}, expected {expected}, as set by: chmod {} {}", expected.trim_start_matches('0'), path.display())]
    KeyMode {
        /// Mode bits found.
        found: u32,
        /// Mode expected.
        expected: &'static str,
        /// Which file or folder.
        path: PathBuf,
    },
    /// A record cannot be sealed afterwards, or what was sworn of it does not hold.
    #[error("late seal: {reason}")]
    LateSeal {
        /// What was expected and found.
        reason: String,
    },
    /// A META cannot be written.
    #[error("meta: {reason}")]
    Meta {
        /// What was expected and found.
        reason: String,
    },
    /// A record has fewer frames than asked for, in the part that is signed.
    #[error("no frame {wanted}: {found} frames are signed: {}", path.display())]
    NoFrame {
        /// Which frame, counted from 0.
        wanted: u64,
        /// How many are signed.
        found: u64,
        /// Which file.
        path: PathBuf,
    },
    /// No variable says where keys belong.
    #[error("none of BELUGA_HOME, XDG_CONFIG_HOME, HOME is set")]
    NoHome,
    /// None of the keys given opens a record.
    #[error("NO-KEY: none of the keys opens the record: {}", path.display())]
    NoKey {
        /// Which file.
        path: PathBuf,
    },
    /// A record without readers could never be opened.
    #[error("a record needs at least one recipient or key file")]
    NoRecipient,
    /// Nothing of a record is signed, so nothing is known to be whole.
    #[error("nothing is signed, so nothing is whole: {}", path.display())]
    NothingSigned {
        /// Which file.
        path: PathBuf,
    },
    /// A passphrase is empty or far too long.
    #[error("a passphrase has {found} bytes, expected 1 to 1024")]
    Passphrase {
        /// Bytes found.
        found: usize,
    },
    /// A proof of a frame does not hold.
    #[error("the proof does not hold: {reason}")]
    Proof {
        /// What was expected and found.
        reason: String,
    },
    /// The operating system gave no random bytes.
    #[error("no random bytes")]
    Randomness {
        /// What the system said.
        source: getrandom::Error,
    },
    /// Bytes that should be an X-Wing public key are none.
    #[error("not an X-Wing public key: {found} bytes, expected {expected}")]
    RecipientKey {
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// A record does not hold what it says.
    #[error("{status}: {}", path.display())]
    Record {
        /// What is wrong.
        status: Status,
        /// Which file.
        path: PathBuf,
    },
    /// A signer's name is not 64 hexadecimal digits.
    #[error("not a signer: expected 64 hexadecimal digits, found `{found}`")]
    SignerId {
        /// What was found.
        found: String,
    },
    /// A writer was used after it had failed.
    #[error("writing failed before, the record is unsealed: {}", path.display())]
    WriterFailed {
        /// Which file.
        path: PathBuf,
    },
}

/// Says what was being done to which file when the system refused.
pub(crate) fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io {
        doing,
        source,
        path: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as StdError;
    use std::io;

    use super::*;

    /// No text of a chain holds that of the error under it.
    fn check_told_once(error: &dyn StdError) {
        let source = error.source().expect("an error with a source");
        assert!(!error.to_string().contains(&source.to_string()), "{error}");
    }

    #[test]
    fn what_the_system_said_is_told_once() {
        let said = || io::Error::from(io::ErrorKind::AlreadyExists);
        let path = PathBuf::from("here");
        check_told_once(&io_error("making a record", &path)(said()));
        check_told_once(&Error::Randomness {
            source: getrandom::Error::UNSUPPORTED,
        });
        check_told_once(&crate::arrow::Error::Io {
            source: said(),
            path: path.clone(),
        });
        let frame = beluga_types::Error::Rig("a rig".into());
        check_told_once(&crate::arrow::Error::Frame(frame.clone()));
        check_told_once(&crate::ply::Error::Frame {
            index: 0,
            source: frame,
        });
        check_told_once(&crate::ply::Error::Io { source: said(), path });
    }
}
