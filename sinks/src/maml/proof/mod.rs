//! One frame of a record, and the proof that the record holds it: checked without a key.

mod json;
mod make;

use std::path::Path;

use zeroize::Zeroizing;

use super::codec;
use super::head::document_text_is;
use super::layout::{FLAG_CONTINUES, HEADER_LEN, Header, Kind, Pre, Suite};
use super::note::{self, Note};
use super::recipient::Unlock;
use super::scan::SEGMENT_LEN;
use super::secret::FileKey;
use super::segment::{Ratchet, SegmentKey};
use super::sign::{Introduction, SignerId};
use super::tree::{self, Hash};
use crate::error::Error;
use crate::frame_bytes::{FrameBytes, MAX_FRAME_BYTES};

pub use json::MAX_PROOF_BYTES;
pub use make::prove;

/// Farthest segment that is stepped to: 48 days of one second each, and some seconds of computing.
const MAX_SEGMENT: u32 = 1 << 22;

/// One frame's records as they stand in the file, the way from each to a signed root, and who signed it.
#[derive(Clone)]
pub struct Proof {
    suite: Suite,
    file_id: [u8; 16],
    document_hash: [u8; 32],
    hides_times: bool,
    /// Insides of the two fences of the document.
    signers: String,
    recipients: String,
    note: Vec<u8>,
    /// Audit path of leaf 0, which binds suite and document.
    head_path: Vec<Hash>,
    /// The SEGMENT the frame stands in, then the frame's parts.
    records: Vec<Leaf>,
    /// Key and base nonce of the segment, if it was made to be read by whoever gets it.
    segment_secret: Option<Zeroizing<Vec<u8>>>,
}

/// A record and its audit path.
#[derive(Clone)]
struct Leaf {
    bytes: Vec<u8>,
    path: Vec<Hash>,
}

/// What a proof proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Which file the frame is of.
    pub file_id: [u8; 16],
    /// How it is encrypted.
    pub suite: Suite,
    /// SHA-256 of the record's document without its list of readers.
    pub document_hash: [u8; 32],
    /// Who signed.
    pub signer: SignerId,
    /// Time of the last frame before it, as the signer says, in seconds since the Unix epoch.
    pub signed_s: u64,
    /// Leaves of the tree that is signed, and their root.
    pub tree: (u64, [u8; 32]),
    /// Sequence number of the frame's first record.
    pub seq: u64,
    /// End of the frame's window as its header says, in nanoseconds since the Unix epoch.
    /// Zero where the record hides times.
    pub time_nanos: i64,
    /// Records the frame has.
    pub parts: usize,
    /// Whether the proof brings the key of its segment.
    pub is_readable: bool,
}

impl Proof {
    /// Checks everything that needs no key: certificate, note, and that each record is in the tree.
    ///
    /// # Errors
    /// [`Error::Proof`] says what does not hold.
    pub fn check(&self) -> Result<Proven, Error> {
        self.checked().map_err(|reason| Error::Proof { reason })
    }

    /// Whether this is the document of the record the frame is of, whoever its readers are.
    pub fn is_of_document(&self, document: &str) -> bool {
        document_text_is(document, &self.document_hash)
    }

    fn checked(&self) -> Result<Proven, String> {
        let introduction = Introduction::parse(&self.signers)?;
        let signers = introduction
            .certified(&self.file_id)
            .ok_or("the device's certificate for the file's key does not hold")?;
        let signed = note::stated(&self.note).ok_or("the note states no tree")?;
        let note = Note::parse(&self.note, &self.file_id, signed)
            .filter(|note| note.is_signed_by(&signers))
            .ok_or("the note is not signed by the file's key")?;
        let (leaves, root) = signed;
        let leads =
            |leaf: Hash, index, path: &[Hash]| tree::root_along(leaf, index, leaves, path) == Some(root);
        if !leads(tree::leaf(&[&self.pre().leaf()]), 0, &self.head_path) {
            return Err("suite and document are not those of the signed tree".into());
        }
        let headers = self.headers()?;
        for (record, header) in self.records.iter().zip(&headers) {
            let index = header
                .seq
                .checked_add(1)
                .ok_or("a sequence number is out of range")?;
            if !leads(tree::leaf(&[&record.bytes]), index, &record.path) {
                return Err(format!("record {} is not in the signed tree", header.seq));
            }
        }
        let first = frame_of(&headers)?;
        Ok(Proven {
            file_id: self.file_id,
            suite: self.suite,
            document_hash: self.document_hash,
            signer: introduction.device,
            signed_s: note.time_s,
            tree: signed,
            seq: first.seq,
            time_nanos: first.time_nanos,
            parts: headers.len() - 1,
            is_readable: self.segment_secret.is_some(),
        })
    }

    /// The frame, opened with a reader's keys or with what the proof brings. It is checked first.
    ///
    /// # Errors
    /// [`Error::Proof`], [`Error::NoKey`].
    pub fn open(&self, unlock: &Unlock) -> Result<FrameBytes, Error> {
        self.check()?;
        let refused = |reason: &str| Error::Proof {
            reason: reason.into(),
        };
        let key = self.segment_key(unlock)?;
        let mut body = Vec::new();
        for record in self.records.iter().skip(1) {
            let (header_bytes, sealed) = record
                .bytes
                .split_first_chunk::<HEADER_LEN>()
                .ok_or_else(|| refused("a record ends inside its header"))?;
            let header = Header::decode(header_bytes).ok_or_else(|| refused("a record has no header"))?;
            let mut sealed = sealed.to_vec();
            let part = key
                .open(header_bytes, header.idx, &mut sealed)
                .and_then(|()| codec::unpack(&sealed, header.flags))
                .filter(|part| body.len() + part.len() <= MAX_FRAME_BYTES + size_of::<i64>())
                .ok_or_else(|| refused("the frame does not open with its segment's key"))?;
            body.extend_from_slice(&part);
        }
        let timed = self.pre().timed(0, &body);
        let (_, body) = timed.ok_or_else(|| refused("the frame has no time"))?;
        FrameBytes::from_body(body)
    }

    /// The key by way of the file key, else the one the proof brings.
    fn segment_key(&self, unlock: &Unlock) -> Result<SegmentKey, Error> {
        let refused = |reason: &str| Error::Proof {
            reason: reason.into(),
        };
        let segment = self.records.first().map(|record| &record.bytes[..]);
        let (header, body) = segment
            .and_then(|bytes| bytes.split_first_chunk::<HEADER_LEN>())
            .ok_or_else(|| refused("the SEGMENT is missing"))?;
        let header = Header::decode(header).ok_or_else(|| refused("the SEGMENT has no header"))?;
        let (salt, rest) = body
            .split_first_chunk::<32>()
            .ok_or_else(|| refused("the SEGMENT has no salt"))?;
        let file_key = unlock
            .file_key(&self.recipients, &self.pre())
            .map_err(|reason| Error::Proof { reason })?;
        let Some(file_key) = file_key else {
            return self.brought_key().ok_or_else(|| Error::NoKey {
                path: Path::new("(proof)").to_owned(),
            });
        };
        if header.segment > MAX_SEGMENT {
            return Err(refused("the segment is too far from the beginning"));
        }
        let (secret, commit) = secret_of(file_key, header.segment, self.suite, &self.file_id, salt);
        if rest[..32] != commit {
            return Err(refused("the SEGMENT commits to another key"));
        }
        Ok(SegmentKey::new(self.suite, &self.file_id, &secret, commit))
    }

    /// The key the proof brings. What it opens is the frame as it was signed, for a key that opens a
    /// ciphertext it was not made for cannot be found; that the SEGMENT commits to it is not shown.
    fn brought_key(&self) -> Option<SegmentKey> {
        let secret = self.segment_secret.as_ref()?;
        Some(SegmentKey::new(self.suite, &self.file_id, secret, [0; 32]))
    }

    fn pre(&self) -> Pre {
        Pre {
            suite: self.suite,
            head_len: 0,
            document_hash: self.document_hash,
            file_id: self.file_id,
            hides_times: self.hides_times,
        }
    }

    fn headers(&self) -> Result<Vec<Header>, String> {
        let header = |record: &Leaf| {
            let (header, body) = record.bytes.split_first_chunk::<HEADER_LEN>()?;
            Header::decode(header).filter(|header| header.body_len as usize == body.len())
        };
        let all: Option<Vec<Header>> = self.records.iter().map(header).collect();
        all.ok_or_else(|| "a record is none of this format".into())
    }
}

/// Key and base nonce of a segment, and its commitment.
fn secret_of(
    file_key: FileKey,
    segment: u32,
    suite: Suite,
    file_id: &[u8; 16],
    salt: &[u8; 32],
) -> (Zeroizing<Vec<u8>>, [u8; 32]) {
    let mut ratchet = Ratchet::new(file_key);
    (0..segment).for_each(|_| ratchet.skip());
    ratchet.next_secret(suite, file_id, salt)
}

/// The first FRAME, if the records are a SEGMENT and all parts of one frame in it up to the last.
fn frame_of(headers: &[Header]) -> Result<Header, String> {
    let wrong = || "the records are not a SEGMENT and one frame of it".to_owned();
    let (segment, parts) = headers.split_first().ok_or_else(wrong)?;
    let first = *parts.first().ok_or_else(wrong)?;
    let is_segment = segment.kind == Kind::Segment && segment.body_len as usize == SEGMENT_LEN;
    let in_a_row = parts.iter().enumerate().all(|(i, part)| {
        let continues = i + 1 < parts.len();
        part.kind == Kind::Frame
            && part.segment == segment.segment
            && part.seq == first.seq + i as u64
            && u64::from(part.idx) == u64::from(first.idx) + i as u64
            && part.time_nanos == first.time_nanos
            && (part.flags & FLAG_CONTINUES != 0) == continues
    });
    (is_segment && in_a_row && segment.seq < first.seq)
        .then_some(first)
        .ok_or_else(wrong)
}
