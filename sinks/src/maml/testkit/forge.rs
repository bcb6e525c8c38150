//! A writer that does what a writer must not, and signs it.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use hmac::Mac;

use super::super::Writer;
use crate::FrameBytes;
use crate::maml::document::{self, DocumentFields};
use crate::maml::end::{self, End, Previous};
use crate::maml::fence;
use crate::maml::fixed::with_seed;
use crate::maml::layout::{FLAG_CONTINUES, Foot, Header, Kind, PRE_MACED, Pre, Suite};
use crate::maml::meta::Meta;
use crate::maml::note;
use crate::maml::opening::Opening;
use crate::maml::output::Output;
use crate::maml::passphrase::Passphrase;
use crate::maml::recipient::{KeyFile, ReaderKey, Readers};
use crate::maml::secret::header_mac;
use crate::maml::sign::DeviceKey;
use crate::maml::writer::WriterOptions;

pub(super) const BEGIN: i64 = 1_700_000_000 * SECOND;
pub(super) const SECOND: i64 = 1_000_000_000;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Output for Memory {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn reserve(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn release(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Frame `i`: 24 bytes that zstd makes no shorter.
pub(super) fn frame(i: u8) -> FrameBytes {
    FrameBytes {
        frame: vec![i; 3],
        points: (0..7u8).map(|k| k.wrapping_mul(37) ^ i).collect(),
        arcs: vec![0xa0 | i],
    }
}

pub(super) fn key_file() -> KeyFile {
    KeyFile::from_bytes(&std::array::from_fn(|i| i as u8))
}

pub(super) fn device(seed: u8) -> DeviceKey {
    DeviceKey::from_seed(&[seed; 32])
}

pub(super) fn reader_key() -> ReaderKey {
    ReaderKey::from_seed(&[5; 32])
}

pub(super) fn passphrase() -> Passphrase {
    Passphrase::new("barnacle".to_owned().into()).unwrap()
}

/// What a file is made with; everything it draws comes from one seed.
pub(super) struct Plan {
    pub(super) suite: Suite,
    pub(super) readers: Readers,
    pub(super) padded: bool,
    pub(super) hides_times: bool,
    pub(super) previous: Option<Previous>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            suite: Suite::Edge256,
            readers: Readers::with_key_file(key_file()),
            padded: false,
            hides_times: false,
            previous: None,
        }
    }
}

/// The bytes of a file that `write` writes.
pub(super) fn forged(plan: Plan, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    forged_on(plan, |opening| opening, write)
}

/// The same, with a document that `reform` changed.
pub(super) fn forged_on(
    plan: Plan,
    reform: impl FnOnce(Opening) -> Opening,
    write: impl FnOnce(&mut Writer),
) -> Vec<u8> {
    with_seed("testkit", || {
        let memory = Memory::default();
        let options = WriterOptions {
            document: DocumentFields {
                created_nanos: BEGIN,
                ..DocumentFields::default()
            },
            suite: plan.suite,
            readers: plan.readers,
            device: device(1),
            previous: plan.previous,
            padded: plan.padded,
            hides_times: plan.hides_times,
        };
        let opening = reform(Opening::new(&options).unwrap());
        let output = Box::new(memory.clone());
        let mut writer = Writer::begin(output, Path::new("forged"), options, opening).unwrap();
        write(&mut writer);
        drop(writer);
        let bytes = memory.0.lock().unwrap();
        bytes.clone()
    })
}

/// Another text in the place of the document, with length, hash and MAC that fit it.
pub(super) fn reworded(opening: Opening, reword: impl FnOnce(&str) -> String) -> Opening {
    let length = opening.pre.head_len as usize;
    let text = reword(std::str::from_utf8(&opening.bytes[..length]).unwrap());
    let readers = fence::only(&fence::fences(&text), "maml-recipients");
    let pre = Pre {
        head_len: text.len() as u32,
        document_hash: readers.map_or([0; 32], |fence| document::hash(&text, &fence.outer)),
        ..opening.pre.clone()
    };
    let encoded: [u8; PRE_MACED] = pre.encode();
    let mac = header_mac(&opening.file_key, &pre.file_id, text.as_bytes(), &encoded);
    Opening {
        bytes: [text.as_bytes(), &encoded, &mac.finalize().into_bytes()].concat(),
        pre,
        ..opening
    }
}

impl Writer {
    pub(super) fn frame(&mut self, i: u8, at: i64) -> &mut Self {
        self.push(&frame(i), BEGIN + at).unwrap();
        self
    }

    pub(super) fn say(&mut self, kind: &str) -> &mut Self {
        let meta = Meta::new(kind, BEGIN, serde_json::json!(1)).unwrap();
        self.push_meta(&meta).unwrap();
        self
    }

    pub(super) fn check(&mut self) -> &mut Self {
        self.checkpoint().unwrap();
        self
    }

    pub(super) fn close(&mut self) {
        self.seal().unwrap();
    }

    /// An encrypted record with this plaintext, whatever it is.
    pub(super) fn plaintext(&mut self, kind: Kind, flags: u8, plain: &[u8]) -> &mut Self {
        self.ready_segment(self.last_time_nanos).unwrap();
        let mut body = plain.to_vec();
        let segment = self.segment.as_mut().unwrap();
        let idx = segment.idx;
        segment.idx += 1;
        let header = self.header(kind, flags, body.len() + 16, idx).encode();
        let segment = self.segment.as_ref().unwrap();
        segment.key.seal(&header, idx, &mut body);
        self.record(&header, &body).unwrap();
        if kind == Kind::Frame && flags & FLAG_CONTINUES == 0 {
            self.counts.add_frame(self.last_time_nanos);
        }
        self
    }

    /// `raw_len`, then these bytes.
    pub(super) fn payload(&mut self, kind: Kind, flags: u8, raw_len: u32, bytes: &[u8]) -> &mut Self {
        self.plaintext(kind, flags, &[&raw_len.to_le_bytes()[..], bytes].concat())
    }

    /// A record that is not encrypted, with a header that `change` changed.
    pub(super) fn open(&mut self, kind: Kind, body: &[u8], change: impl FnOnce(&mut Header)) -> &mut Self {
        let mut header = self.header(kind, 0, body.len(), 0);
        change(&mut header);
        self.record(&header.encode(), body).unwrap();
        self
    }

    /// A frame whose header `change` changes before it is sealed.
    pub(super) fn frame_as(&mut self, i: u8, change: impl FnOnce(&mut Header)) -> &mut Self {
        let body = frame(i).to_body().unwrap();
        let mut plain = [&(body.len() as u32).to_le_bytes()[..], &body].concat();
        let idx = self.segment.as_ref().unwrap().idx;
        let mut header = self.header(Kind::Frame, 0, plain.len() + 16, idx);
        change(&mut header);
        let encoded = header.encode();
        let segment = self.segment.as_mut().unwrap();
        segment.key.seal(&encoded, header.idx, &mut plain);
        segment.idx += 1;
        self.record(&encoded, &plain).unwrap();
        self.counts.add_frame(header.time_nanos);
        self
    }

    /// INDEX, END and FOOT with an END that `change` changed, sealed by device `seed`.
    pub(super) fn close_as(&mut self, seed: u8, change: impl FnOnce(&mut End)) {
        let index_offset = self.offset;
        let index = self.index.encode();
        self.encrypted(Kind::Index, 0, &index).unwrap();
        self.end_as(index_offset, seed, change);
    }

    pub(super) fn end_as(&mut self, index_offset: u64, seed: u8, change: impl FnOnce(&mut End)) {
        let end_offset = self.offset;
        let note = note::write(&self.pre.file_id, &self.tree, self.time_s(), &self.signer);
        let mut end = End::new(self.counts, index_offset, &self.tree, self.previous);
        change(&mut end);
        let header = self.header(Kind::End, 0, End::body_len(note.len()), 0).encode();
        let length = (note.len() as u32).to_le_bytes();
        let mut body = [&end.encode()[..], &length, note.as_bytes()].concat();
        body.extend(device(seed).seal(&end::sealed_message(&self.pre, &header, &body)));
        self.write(&[&header[..], &body].concat()).unwrap();
        let foot = Foot {
            index_offset,
            end_offset,
            body_total: end_offset + (header.len() + body.len()) as u64,
        };
        self.write(&foot.encode()).unwrap();
    }
}
