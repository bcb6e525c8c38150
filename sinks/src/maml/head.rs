//! Reading HEAD and PRE: nothing of them is believed before all of it agrees.

use std::io::{self, Read};

use hmac::Mac;

use super::document;
use super::fence::{fences, only};
use super::layout::{MAGIC, MARKER, MAX_HEAD, PRE_LEN, PRE_MACED, Pre};
use super::recipient::Unlock;
use super::secret::{Secret, header_mac};
use super::sign::Signers;

/// A document and PRE that agree with each other and are certified by their device.
pub(crate) struct Head {
    pub(crate) text: String,
    pub(crate) pre: Pre,
    pub(crate) signers: Signers,
    recipients: String,
    pre_bytes: [u8; PRE_MACED],
    mac: [u8; 32],
}

/// Why a head was not taken.
#[derive(Debug)]
pub(crate) enum HeadError {
    Io(io::Error),
    Bad(String),
}

impl From<String> for HeadError {
    fn from(reason: String) -> Self {
        HeadError::Bad(reason)
    }
}

/// What a reader's keys say of a head.
pub(crate) enum Unlocked {
    /// A key fits, and the head's MAC holds.
    Open(Secret),
    /// No key fits.
    NoKey,
    /// A key fits, but the head was changed.
    Changed(String),
}

impl Head {
    /// Reads from the file's first byte up to the first record.
    pub(crate) fn read(source: &mut impl Read) -> Result<Self, HeadError> {
        let bytes = read_head(source)?;
        let (head, pre) = bytes.split_at(bytes.len() - PRE_LEN);
        let (maced, mac) = pre.split_at(PRE_MACED);
        let pre_bytes: [u8; PRE_MACED] = maced.try_into().expect("PRE was split at this length");
        let mac: [u8; 32] = mac.try_into().expect("32 bytes are left of PRE");
        let pre = Pre::decode(&pre_bytes)?;
        if pre.head_len as usize != head.len() {
            let found = pre.head_len;
            return Err(format!("PRE says {found} bytes of document, found {}", head.len()).into());
        }
        let text =
            std::str::from_utf8(head).map_err(|error| format!("the document is not UTF-8: {error}"))?;
        let fences = fences(text);
        let recipients = only(&fences, "maml-recipients")?;
        if document::hash(text, &recipients.outer) != pre.document_hash {
            return Err("the document is not the one that was recorded".to_owned().into());
        }
        let signers = Signers::parse(&text[only(&fences, "maml-signers")?.inner], &pre.file_id)?;
        Ok(Head {
            recipients: text[recipients.inner].to_owned(),
            text: text.to_owned(),
            pre,
            signers,
            pre_bytes,
            mac,
        })
    }

    /// Bytes before the first record.
    pub(crate) fn length(&self) -> u64 {
        (self.text.len() + PRE_LEN) as u64
    }

    /// Tries the keys, then checks the MAC over all of the head, recipients included.
    pub(crate) fn unlock(&self, unlock: &Unlock) -> Unlocked {
        let file_key = match unlock.file_key(&self.recipients, &self.pre.file_id) {
            Err(reason) => return Unlocked::Changed(reason),
            Ok(None) => return Unlocked::NoKey,
            Ok(Some(key)) => key,
        };
        let mac = header_mac(
            &file_key,
            &self.pre.file_id,
            self.text.as_bytes(),
            &self.pre_bytes,
        );
        match mac.verify_slice(&self.mac) {
            Ok(()) => Unlocked::Open(file_key),
            Err(_) => Unlocked::Changed("the list of readers or the header MAC was changed".into()),
        }
    }
}

/// HEAD and PRE, by looking for the marker and the magic after it within the first MiB.
fn read_head(source: &mut impl Read) -> Result<Vec<u8>, HeadError> {
    let needle = [MARKER.as_bytes(), &MAGIC].concat();
    let mut bytes = Vec::new();
    loop {
        let searched = bytes.len().saturating_sub(needle.len() - 1);
        let before = bytes.len();
        let room = (MAX_HEAD + PRE_LEN - before).min(1 << 14) as u64;
        source
            .by_ref()
            .take(room)
            .read_to_end(&mut bytes)
            .map_err(HeadError::Io)?;
        let found = bytes[searched..]
            .windows(needle.len())
            .position(|window| window == needle);
        if let Some(at) = found {
            let end = searched + at + MARKER.len() + PRE_LEN;
            return complete(source, bytes, end);
        }
        if bytes.len() == before {
            let reason = "no MAML record: the line that ends the document is missing";
            return Err(reason.to_owned().into());
        }
    }
}

/// Brings `bytes` to exactly `end`. More than that can only have been read if the source allows
/// going back, so the caller seeks to [`Head::length`].
fn complete(source: &mut impl Read, mut bytes: Vec<u8>, end: usize) -> Result<Vec<u8>, HeadError> {
    if let Some(missing) = end.checked_sub(bytes.len()) {
        source
            .by_ref()
            .take(missing as u64)
            .read_to_end(&mut bytes)
            .map_err(HeadError::Io)?;
    }
    if bytes.len() < end {
        return Err("the file ends inside PRE".to_owned().into());
    }
    bytes.truncate(end);
    Ok(bytes)
}
