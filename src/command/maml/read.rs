//! Reads what a record holds: with which keys, its frames, its METAs.

use std::path::{Path, PathBuf};

use anyhow::Context;
use beluga_fusion::graph::Corrections;
use beluga_sinks::FrameBytes;
use beluga_sinks::arrow;
use beluga_sinks::maml::{
    Entry, KeyFile, KeyStore, Passphrase, Reader, ReaderKey, RecordedMeta, Status, Unlock,
};
use beluga_types::SolidarFrame;
use clap::Args;

use crate::exit::{Exit, Wrong};

/// The keys a record is opened with: this machine's own, unless others are named.
#[derive(Clone, Debug, Args)]
pub(crate) struct Keys {
    /// Open with this secret reader key.
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Vec<PathBuf>,
    /// Open with this key file of 32 bytes.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Vec<PathBuf>,
    /// Open with a passphrase, which is asked for at the terminal.
    #[arg(long, conflicts_with = "passphrase_file")]
    pub(crate) passphrase: bool,
    /// Open with the passphrase in the first line of this file, mode 0600.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl Keys {
    /// This machine's own.
    pub(crate) fn own() -> Self {
        Self {
            identity: Vec::new(),
            key_file: Vec::new(),
            passphrase: false,
            passphrase_file: None,
        }
    }

    pub(crate) fn unlock(&self) -> anyhow::Result<Unlock> {
        let mut unlock = Unlock::default();
        for path in &self.identity {
            unlock
                .readers
                .push(ReaderKey::load(path).context(Wrong::Arguments)?);
        }
        for path in &self.key_file {
            unlock
                .key_files
                .push(KeyFile::load(path).context(Wrong::Arguments)?);
        }
        unlock.passphrase = match &self.passphrase_file {
            Some(path) => Some(Passphrase::load(path).context(Wrong::Arguments)?),
            None if self.passphrase => Some(crate::passphrase::known()?),
            None => None,
        };
        if self.identity.is_empty() && self.key_file.is_empty() && unlock.passphrase.is_none() {
            let store = KeyStore::open_default()?;
            if store.has_reader_key() {
                unlock.readers.push(store.reader_key()?.key);
            }
        }
        Ok(unlock)
    }
}

/// Gives every authentic frame of a record to `each`, with the record's document; its pose corrected,
/// where there are corrections. The exit code says what is missing.
///
/// # Errors
/// If the record cannot be opened, or `each` fails.
pub(crate) fn frames(
    record: &Path,
    keys: &Keys,
    corrections: Option<&Corrections>,
    mut each: impl FnMut(&str, SolidarFrame) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    frame_bytes(record, keys, |document, bytes| {
        let mut frame = arrow::decode(&bytes)?;
        if let Some(corrections) = corrections {
            corrections.apply(&mut frame);
        }
        each(document, frame)
    })
}

/// Every META of a kind that a record holds.
///
/// # Errors
/// If the record cannot be opened.
pub(crate) fn metas_of(record: &Path, keys: &Keys, kind: &str) -> anyhow::Result<Vec<RecordedMeta>> {
    let mut reader = Reader::open(record, &keys.unlock()?).map_err(with_exit)?;
    reader.metas(kind).map_err(with_exit)
}

/// The same as [`frames`], before they are decoded.
pub(crate) fn frame_bytes(
    record: &Path,
    keys: &Keys,
    mut each: impl FnMut(&str, FrameBytes) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    entries(record, keys, |document, entry| match entry {
        Entry::Frame(frame) => each(document, frame.bytes),
        Entry::Meta(_) => Ok(()),
    })
}

/// Gives everything authentic that a record holds to `each`, in order, with the record's document. The exit
/// code says what is missing.
///
/// # Errors
/// If the record cannot be opened, or `each` fails.
pub(crate) fn entries(
    record: &Path,
    keys: &Keys,
    mut each: impl FnMut(&str, Entry) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    let mut reader = Reader::open(record, &keys.unlock()?).map_err(with_exit)?;
    let document = reader.document().to_owned();
    while let Some(entry) = reader.next_entry().map_err(with_exit)? {
        each(&document, entry)?;
    }
    let status = reader.status().clone();
    if status != Status::Sealed {
        crate::tell(&format!(
            "warning: {status}: only what is signed was read: {}",
            record.display()
        ));
    }
    let trusted = KeyStore::open_default()?.trust()?.holds(&reader.signer());
    if !trusted {
        crate::tell(&format!(
            "warning: the signer {} is not a trusted one",
            reader.signer()
        ));
    }
    Ok(match status {
        Status::Sealed if !trusted => Exit::Findings,
        Status::Sealed => Exit::Done,
        Status::Unsealed | Status::Torn { .. } => Exit::Lost,
        Status::NoKey => Exit::NoKey,
        _ => Exit::NotAuthentic,
    })
}

/// What to do about a record that does not open.
pub(super) fn with_exit(error: beluga_sinks::Error) -> anyhow::Error {
    use beluga_sinks::Error;
    let wrong = match &error {
        Error::NoKey { .. } => Some(Wrong::Key),
        Error::BadHead { .. } | Error::Proof { .. } | Error::Record { .. } => Some(Wrong::Authenticity),
        Error::Document { .. } | Error::Io { .. } | Error::LateSeal { .. } | Error::NoFrame { .. } => {
            Some(Wrong::Arguments)
        }
        _ => None,
    };
    let error = anyhow::Error::new(error);
    match wrong {
        Some(Wrong::Key) => error
            .context("open it with --identity FILE or --key-file FILE")
            .context(Wrong::Key),
        Some(wrong) => error.context(wrong),
        None => error,
    }
}
