//! Reading HEAD and PRE: nothing of them is believed before all of it agrees.

use std::io::{self, BufRead, Read};
use std::sync::OnceLock;

use hmac::Mac;

use super::document;
use super::fence::{fences, only};
use super::layout::{MARKER, MAX_HEAD, PRE_LEN, PRE_MACED, Pre};
use super::recipient::{Unlock, check_alone};
use super::record;
use super::secret::{FileKey, header_mac, leaving_nothing};
use super::sign::{Introduction, Signers};
use super::stanza;

/// A document and PRE that agree with each other.
pub(crate) struct Head {
    pub(crate) text: String,
    pub(crate) pre: Pre,
    pub(crate) introduction: Introduction,
    signers: OnceLock<Option<Signers>>,
    /// Inside of the fence of readers.
    pub(crate) recipients: String,
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
    Open(FileKey),
    /// No key fits.
    NoKey,
    /// A key fits, but the head was changed.
    Changed(String),
}

impl Head {
    /// Reads from the file's first byte up to the first record.
    pub(crate) fn read(source: &mut impl BufRead) -> Result<Self, HeadError> {
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
        let introduction = Introduction::parse(&text[only(&fences, "maml-signers")?.inner])?;
        Ok(Head {
            recipients: text[recipients.inner].to_owned(),
            text: text.to_owned(),
            pre,
            introduction,
            signers: OnceLock::new(),
            pre_bytes,
            mac,
        })
    }

    /// The signers, if the device's certificate holds. Checked when first asked for: until something
    /// is signed, it proves nothing.
    pub(crate) fn signers(&self) -> Option<&Signers> {
        self.signers
            .get_or_init(|| self.introduction.certified(&self.pre.file_id))
            .as_ref()
    }

    /// Inside of the fence of signers.
    pub(crate) fn signers_fence(&self) -> &str {
        let fences = fences(&self.text);
        only(&fences, "maml-signers").map_or("", |fence| &self.text[fence.inner])
    }

    /// Bytes before the first record.
    pub(crate) fn length(&self) -> u64 {
        (self.text.len() + PRE_LEN) as u64
    }

    /// Tries the keys, then checks the MAC over all of the head, recipients included.
    pub(crate) fn unlock(&self, unlock: &Unlock) -> Unlocked {
        let file_key = match leaving_nothing(|| unlock.file_key(&self.recipients, &self.pre)) {
            Err(reason) => return Unlocked::Changed(reason),
            Ok(None) => return Unlocked::NoKey,
            Ok(Some(key)) => key,
        };
        match self.mac_holds(&file_key) {
            true => Unlocked::Open(file_key),
            false => Unlocked::Changed("the list of readers or the header MAC was changed".into()),
        }
    }

    /// Whether this is the file key and a reader with a key gets that far. Else says why not.
    pub(crate) fn check_key(&self, file_key: &FileKey) -> Result<(), String> {
        check_alone(&stanza::parse(&self.recipients)?)?;
        match self.mac_holds(file_key) {
            true => Ok(()),
            false => Err("the header MAC does not hold".into()),
        }
    }

    fn mac_holds(&self, file_key: &FileKey) -> bool {
        let text = self.text.as_bytes();
        let mac = header_mac(file_key, &self.pre.file_id, text, &self.pre_bytes);
        mac.verify_slice(&self.mac).is_ok()
    }
}

/// Whether a document is the one of this hash, whoever its readers are.
pub(crate) fn document_text_is(text: &str, document_hash: &[u8; 32]) -> bool {
    only(&fences(text), "maml-recipients")
        .is_ok_and(|recipients| &document::hash(text, &recipients.outer) == document_hash)
}

/// HEAD, which ends with the first line that is the marker, and PRE after it.
fn read_head(source: &mut impl BufRead) -> Result<Vec<u8>, HeadError> {
    let mut bytes = Vec::new();
    let mut limited = source.by_ref().take(MAX_HEAD as u64);
    loop {
        let begin = bytes.len();
        let length = limited.read_until(b'\n', &mut bytes).map_err(HeadError::Io)?;
        if &bytes[begin..] == MARKER.as_bytes() {
            break;
        }
        if length == 0 {
            let reason = "no MAML record: the line that ends the document is missing";
            return Err(reason.to_owned().into());
        }
    }
    let mut pre = [0; PRE_LEN];
    if record::fill(source, &mut pre).map_err(HeadError::Io)? < PRE_LEN {
        return Err("the file ends inside PRE".to_owned().into());
    }
    bytes.extend_from_slice(&pre);
    Ok(bytes)
}
