//! HEAD and PRE of a new record, read back before a file is made.

use super::document::{self, Made};
use super::fence;
use super::head::{Head, HeadError};
use super::layout::{PRE_MACED, Pre};
use super::recipient::{listed, wrap_all};
use super::secret::{FileKey, header_mac, random, random_key};
use super::sign::{FileSigner, introduce};
use super::stanza::MAX_STANZAS;
use super::writer::WriterOptions;
use crate::error::Error;

/// What stands before the first record, and the secrets that were drawn for it.
pub(crate) struct Opening {
    /// HEAD, and PRE with its MAC.
    pub(crate) bytes: Vec<u8>,
    pub(crate) pre: Pre,
    pub(crate) file_key: FileKey,
    pub(crate) signer: FileSigner,
}

impl Opening {
    /// Draws the keys of a new file and writes what a reader will take.
    ///
    /// # Errors
    /// [`Error::NoRecipient`], [`Error::Document`], [`Error::Randomness`].
    pub(crate) fn new(options: &WriterOptions) -> Result<Self, Error> {
        check_number_of_readers(options.readers.number())?;
        let file_id = new_file_id()?;
        let file_key = random_key(options.suite.key_len())?;
        let signer = FileSigner::from_seed(&random()?);
        let (bytes, pre) = head(options, &file_id, &file_key, &signer)?;
        check(&bytes, &pre, &file_key)?;
        Ok(Self {
            bytes,
            pre,
            file_key,
            signer,
        })
    }
}

/// # Errors
/// [`Error::NoRecipient`], [`Error::Document`] beyond 64.
pub(crate) fn check_number_of_readers(number: usize) -> Result<(), Error> {
    match number {
        0 => Err(Error::NoRecipient),
        1..=MAX_STANZAS => Ok(()),
        found => Err(Error::Document {
            reason: format!("found {found} readers, expected at most {MAX_STANZAS}"),
        }),
    }
}

/// Reads the bytes as everybody will: a record that nobody can open must not be begun.
fn check(bytes: &[u8], pre: &Pre, file_key: &FileKey) -> Result<(), Error> {
    let refused = |reason| Error::Document { reason };
    let mut rest = bytes;
    let head = Head::read(&mut rest).map_err(|error| match error {
        HeadError::Io(source) => refused(source.to_string()),
        HeadError::Bad(reason) => refused(reason),
    })?;
    if &head.pre != pre || !rest.is_empty() {
        return Err(refused("a reader would find another one".into()));
    }
    head.check_key(file_key).map_err(refused)
}

/// 16 random bytes in the form of a version 4 UUID (RFC 9562).
fn new_file_id() -> Result<[u8; 16], Error> {
    let mut id = *random::<16>()?;
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    Ok(id)
}

/// HEAD and PRE with its MAC.
fn head(
    options: &WriterOptions,
    file_id: &[u8; 16],
    file_key: &FileKey,
    signer: &FileSigner,
) -> Result<(Vec<u8>, Pre), Error> {
    let suite = options.suite;
    let signers = introduce(&options.device, signer, file_id);
    let recipients = wrap_all(file_key, file_id, &options.readers)?;
    let made = Made {
        file_id,
        suite,
        signer: options.device.id().to_string(),
        readers: recipients.iter().map(listed).collect(),
        previous: options.previous.map(|previous| document::urn(&previous.file_id)),
        signers: &signers,
        recipients: &recipients,
    };
    let text = document::write(&options.document, &made)?;
    let pre = Pre {
        suite,
        head_len: text.len() as u32,
        document_hash: document_hash(&text)?,
        file_id: *file_id,
        hides_times: options.hides_times,
    };
    let pre_bytes: [u8; PRE_MACED] = pre.encode();
    let mac = hmac::Mac::finalize(header_mac(file_key, file_id, text.as_bytes(), &pre_bytes));
    let bytes = [text.as_bytes(), &pre_bytes, &mac.into_bytes()].concat();
    Ok((bytes, pre))
}

fn document_hash(text: &str) -> Result<[u8; 32], Error> {
    let recipients = fence::only(&fence::fences(text), "maml-recipients");
    recipients
        .map(|fence| document::hash(text, &fence.outer))
        .map_err(|reason| Error::Document { reason })
}
