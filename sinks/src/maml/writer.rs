//! Writing a record, one frame at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::codec::Compressor;
use super::document::DocumentFields;
use super::end::{self, Counts, End, Previous};
use super::index::{Entry, Index};
use super::layout::{FLAG_CONTINUES, Foot, HEADER_LEN, Header, Kind, Pre, Suite};
use super::meta::Meta;
use super::note;
use super::opening::Opening;
use super::output::{FileOutput, Output, is_full};
use super::recipient::Readers;
use super::sealers::{Job, Sealed, Sealers};
use super::secret::{TAG_LEN, leaving_nothing, random};
use super::segment::{Ratchet, SegmentKey};
use super::sign::{DeviceKey, FileSigner, SignerId};
use super::tree::Tree;
use crate::error::{Error, io_error};
use crate::frame_bytes::FrameBytes;

/// Longest time of frames in one segment.
const SEGMENT_NANOS: u64 = 1_000_000_000;
/// Bytes after which a segment ends.
const SEGMENT_BYTES: u64 = 64 << 20;
/// Encrypted records after which a segment ends.
const SEGMENT_RECORDS: u32 = 1 << 20;
/// Records after which a checkpoint is written.
const CHECKPOINT_RECORDS: u64 = 64;

/// Room that is kept on the disk for the end of a record, beside its index.
const RESERVE: u64 = 1 << 20;
/// What a part of a frame may need beyond its payload: header, checkpoint, SEGMENT, and what padding and
/// zstd add to a small one.
const PART_OVERHEAD: u64 = 16 << 10;

/// What a new record needs to know.
#[derive(Debug)]
pub struct WriterOptions {
    /// What its document says.
    pub document: DocumentFields,
    /// How it is encrypted.
    pub suite: Suite,
    /// Who may read it.
    pub readers: Readers,
    /// Who signs it.
    pub device: DeviceKey,
    /// The record it continues, after a restart.
    pub previous: Option<Previous>,
    /// Whether payloads are filled up to a few lengths, at most 12 % longer, so that lengths tell less.
    pub padded: bool,
    /// Whether nobody without a key sees when frames were made. Seeking then reads from the beginning.
    pub hides_times: bool,
}

/// What a finished record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its id; the document's `id` is `urn:uuid:` and this.
    pub file_id: [u8; 16],
    /// Who signed it.
    pub signer: SignerId,
    /// Records, frames, segments, times.
    pub counts: Counts,
    /// Length of the file.
    pub bytes: u64,
    /// The signed root: kept elsewhere, it anchors the whole file.
    pub root: [u8; 32],
}

/// Writes one record.
///
/// Frames become durable at checkpoints: every 64 records, at the end of each segment (1 s of
/// frame time, 64 MiB or 2²⁰ records) and after each META. Room for the end is kept on the disk, so that a
/// record on a full one is sealed all the same. A record that is dropped without [`Self::finish`] stays
/// readable up to its last checkpoint and reads as UNSEALED or TORN, never as SEALED.
pub struct Writer {
    output: Box<dyn Output>,
    path: PathBuf,
    pre: Pre,
    head_bytes: u64,
    device: DeviceKey,
    signer: FileSigner,
    ratchet: Ratchet,
    segment: Option<Segment>,
    compressor: Compressor,
    sealers: Sealers,
    /// Over what is written.
    tree: Tree,
    index: Index,
    /// Of what was given.
    counts: Counts,
    /// Where the next record begins, from the first.
    offset: u64,
    /// Bytes before that which are being sealed and not yet written.
    unwritten: u64,
    last_time_nanos: i64,
    since_checkpoint: u64,
    previous: Option<Previous>,
    failed: bool,
}

struct Segment {
    key: Arc<SegmentKey>,
    number: u32,
    begin_nanos: i64,
    /// `seq` of its SEGMENT record.
    begin_seq: u64,
    begin_offset: u64,
    idx: u32,
    /// Whether it holds a frame, and so stands in the index.
    has_frame: bool,
}

impl Writer {
    /// Makes a new file, mode 0600, and writes the document. A call that fails leaves no file.
    ///
    /// # Errors
    /// [`Error::NoRecipient`], [`Error::Document`] if a reader would not take the document or there
    /// are more than 64 readers, [`Error::Randomness`], and [`Error::Io`], also if anything exists
    /// at the path.
    pub fn create(path: &Path, options: WriterOptions) -> Result<Self, Error> {
        let opening = leaving_nothing(|| Opening::new(&options))?;
        let output = FileOutput::create(path).map_err(io_error("making a record", path))?;
        Self::begin(Box::new(output), path, options, opening).inspect_err(|_| {
            // The file is ours and holds nothing yet; the first error says more than a second one.
            let _ = std::fs::remove_file(path);
        })
    }

    pub(crate) fn begin(
        output: Box<dyn Output>,
        path: &Path,
        options: WriterOptions,
        opening: Opening,
    ) -> Result<Self, Error> {
        let compressor = Compressor::new(options.padded).map_err(io_error("starting zstd", path))?;
        let sealers = Sealers::of(options.suite).map_err(io_error("starting a thread", path))?;
        let mut tree = Tree::default();
        tree.push(&[&opening.pre.leaf()]);
        let mut writer = Self {
            output,
            path: path.to_owned(),
            head_bytes: opening.bytes.len() as u64,
            pre: opening.pre,
            device: options.device,
            signer: opening.signer,
            ratchet: Ratchet::new(opening.file_key),
            segment: None,
            compressor,
            sealers,
            tree,
            index: Index::default(),
            counts: Counts::default(),
            offset: 0,
            unwritten: 0,
            last_time_nanos: options.document.created_nanos,
            since_checkpoint: 0,
            previous: options.previous,
            failed: false,
        };
        writer.reserve(opening.bytes.len() as u64)?;
        writer.write(&opening.bytes)?;
        writer.sync()?;
        Ok(writer)
    }

    /// Bytes so far, with those that are being sealed.
    pub fn bytes(&self) -> u64 {
        self.head_bytes + self.offset
    }

    /// Frames so far, with those that are being sealed.
    pub fn frames(&self) -> u64 {
        self.counts.frames
    }

    /// Adds a frame. `time_nanos`: the end of its window, in nanoseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`Error::FrameTooLarge`], after which the record goes on; [`Error::DiskFull`], after which it can be
    /// finished; [`Error::Io`] and [`Error::Randomness`], after which every call is
    /// [`Error::WriterFailed`].
    pub fn push(&mut self, frame: &FrameBytes, time_nanos: i64) -> Result<(), Error> {
        let mut body = frame.to_body()?;
        if self.pre.hides_times {
            body.splice(0..0, time_nanos.to_le_bytes());
        }
        self.room_for(body.len())?;
        self.guarded(|writer| writer.push_body(&body, time_nanos))
    }

    /// Adds what is no frame. It is durable when this returns.
    ///
    /// # Errors
    /// As [`Self::push`], but for [`Error::FrameTooLarge`].
    pub fn push_meta(&mut self, meta: &Meta) -> Result<(), Error> {
        let payload = meta.to_payload();
        self.room_for(payload.len())?;
        self.guarded(|writer| {
            writer.ready_segment(writer.last_time_nanos)?;
            writer.encrypted(Kind::Meta, 0, &payload)?;
            writer.checkpoint()
        })
    }

    /// Writes index, end and footer.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::WriterFailed`]: the record stays unsealed.
    pub fn finish(mut self) -> Result<Summary, Error> {
        leaving_nothing(|| self.guarded(Self::seal))
    }

    /// Makes sure that this payload fits the disk, whatever zstd makes of it, and the end after it.
    fn room_for(&mut self, payload: usize) -> Result<(), Error> {
        let parts = (payload / self.compressor.most() + 1) as u64;
        let longest = payload as u64 + payload as u64 / 8 + parts * PART_OVERHEAD;
        self.guarded(|writer| match writer.reserve(longest) {
            // Nothing is written yet, so the record goes on to its end.
            Err(Error::Io { source, path, .. }) if is_full(&source) => Ok(Err(Error::DiskFull { path })),
            other => other.map(Ok),
        })?
    }

    /// Keeps room for so many bytes and, after them, for index, END and FOOT.
    fn reserve(&mut self, bytes: u64) -> Result<(), Error> {
        self.output
            .reserve(self.unwritten + bytes + RESERVE + self.index.encoded_len() as u64)
            .map_err(io_error("keeping room for a record", &self.path))
    }

    fn guarded<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.failed {
            return Err(Error::WriterFailed {
                path: self.path.clone(),
            });
        }
        let done = step(self);
        self.failed = done.is_err();
        done
    }

    fn push_body(&mut self, body: &[u8], time_nanos: i64) -> Result<(), Error> {
        self.ready_segment(time_nanos)?;
        self.last_time_nanos = time_nanos;
        let shown = self.shown(time_nanos);
        if let Some(segment) = self.segment.as_mut().filter(|segment| !segment.has_frame) {
            segment.has_frame = true;
            self.index.push(Entry {
                segment: segment.number,
                seq: segment.begin_seq,
                time_nanos: shown,
                offset: segment.begin_offset,
            });
        }
        let mut parts = body.chunks(self.compressor.most()).peekable();
        while let Some(part) = parts.next() {
            let flags = if parts.peek().is_some() { FLAG_CONTINUES } else { 0 };
            self.encrypted(Kind::Frame, flags, part)?;
        }
        self.counts.add_frame(shown);
        if self.since_checkpoint >= CHECKPOINT_RECORDS {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Begins a segment unless there is one with room for something of this time.
    fn ready_segment(&mut self, time_nanos: i64) -> Result<(), Error> {
        let segment = self.segment.as_ref();
        if segment.is_none_or(|segment| self.is_full(segment, time_nanos)) {
            self.begin_segment(time_nanos)?;
        }
        Ok(())
    }

    fn is_full(&self, segment: &Segment, time_nanos: i64) -> bool {
        time_nanos < segment.begin_nanos
            || time_nanos.abs_diff(segment.begin_nanos) >= SEGMENT_NANOS
            || self.offset - segment.begin_offset >= SEGMENT_BYTES
            || segment.idx >= SEGMENT_RECORDS
    }

    /// `time_nanos`: that of the frame it is begun for, or of the last before a META.
    fn begin_segment(&mut self, time_nanos: i64) -> Result<(), Error> {
        if self.segment.is_some() {
            self.checkpoint()?;
        }
        self.last_time_nanos = time_nanos;
        let salt = random::<32>()?;
        let number = self.ratchet.segment();
        let key = self.ratchet.next_key(self.pre.suite, &self.pre.file_id, &salt);
        let body = [&salt[..], key.commit(), &self.tree.root()].concat();
        self.segment = Some(Segment {
            key: Arc::new(key),
            number,
            begin_nanos: time_nanos,
            begin_seq: self.counts.records,
            begin_offset: self.offset,
            idx: 0,
            has_frame: false,
        });
        self.counts.segments += 1;
        self.plain(Kind::Segment, &body)
    }

    fn checkpoint(&mut self) -> Result<(), Error> {
        self.write_sealed()?;
        let note = note::write(&self.pre.file_id, &self.tree, self.time_s(), &self.signer);
        self.plain(Kind::Checkpoint, note.as_bytes())?;
        self.since_checkpoint = 0;
        self.sync()
    }

    fn seal(&mut self) -> Result<Summary, Error> {
        if self.segment.is_none() {
            self.begin_segment(self.last_time_nanos)?;
        }
        let index_offset = self.offset;
        let index = self.index.encode();
        self.encrypted(Kind::Index, 0, &index)?;
        self.write_sealed()?;
        let end_offset = self.offset;
        let root = self.tree.root();
        self.end(index_offset)?;
        let foot = Foot {
            index_offset,
            end_offset,
            body_total: self.offset,
        };
        self.write(&foot.encode())?;
        self.output
            .release()
            .map_err(io_error("giving back room", &self.path))?;
        self.sync()?;
        Ok(Summary {
            file_id: self.pre.file_id,
            signer: self.device.id(),
            counts: self.counts,
            bytes: self.bytes() + foot.encode().len() as u64,
            root,
        })
    }

    fn end(&mut self, index_offset: u64) -> Result<(), Error> {
        let note = note::write(&self.pre.file_id, &self.tree, self.time_s(), &self.signer);
        let end = End::new(self.counts, index_offset, &self.tree, self.previous);
        let header = self.header(Kind::End, 0, End::body_len(note.len()), 0).encode();
        let mut body = end.encode().to_vec();
        body.extend_from_slice(&(note.len() as u32).to_le_bytes());
        body.extend_from_slice(note.as_bytes());
        body.extend(self.device.seal(&end::sealed_message(&self.pre, &header, &body)));
        let record = [&header[..], &body].concat();
        self.write(&record)?;
        self.offset += record.len() as u64;
        Ok(())
    }

    /// A record that is not encrypted, after all that was given before it.
    fn plain(&mut self, kind: Kind, body: &[u8]) -> Result<(), Error> {
        let header = self.header(kind, 0, body.len(), 0).encode();
        self.record(&header, body)
    }

    fn record(&mut self, header: &[u8; HEADER_LEN], body: &[u8]) -> Result<(), Error> {
        self.write_sealed()?;
        let record = [&header[..], body].concat();
        self.count(record.len());
        self.write(&record)?;
        self.tree.push(&[&record]);
        Ok(())
    }

    /// Hands a record to be sealed, and writes what is. What it counts for is known before.
    fn encrypted(&mut self, kind: Kind, flags: u8, payload: &[u8]) -> Result<(), Error> {
        let packed = self.compressor.pack(payload);
        let (body, zstd) = packed.map_err(io_error("compressing a record", &self.path))?;
        let idx = self.segment.as_ref().map_or(0, |segment| segment.idx);
        let length = body.len() + TAG_LEN;
        let header = self.header(kind, flags | zstd, length, idx).encode();
        let segment = self
            .segment
            .as_mut()
            .expect("a segment is begun before anything is encrypted");
        segment.idx += 1;
        let key = segment.key.clone();
        let job = Job {
            key,
            header,
            idx,
            body,
        };
        self.sealers
            .push(job)
            .map_err(io_error("sealing a record", &self.path))?;
        self.count(HEADER_LEN + length);
        self.unwritten += (HEADER_LEN + length) as u64;
        while !self.sealers.has_room() && self.write_next()? {}
        Ok(())
    }

    /// Waits for what is being sealed and writes it.
    fn write_sealed(&mut self) -> Result<(), Error> {
        while self.write_next()? {}
        Ok(())
    }

    /// Writes the record that was handed over first; nothing if there is none.
    fn write_next(&mut self) -> Result<bool, Error> {
        let sealed = self.sealers.take();
        let Some(Sealed { record, leaf }) = sealed.map_err(io_error("sealing a record", &self.path))? else {
            return Ok(false);
        };
        self.write(&record)?;
        self.unwritten -= record.len() as u64;
        self.tree.push_leaf(leaf);
        Ok(true)
    }

    fn count(&mut self, length: usize) {
        self.offset += length as u64;
        self.counts.records += 1;
        self.since_checkpoint += 1;
    }

    fn header(&self, kind: Kind, flags: u8, body_len: usize, idx: u32) -> Header {
        Header {
            kind,
            flags,
            body_len: body_len as u32,
            segment: self.segment.as_ref().map_or(0, |segment| segment.number),
            seq: self.counts.records,
            time_nanos: self.shown(self.last_time_nanos),
            idx,
        }
    }

    /// A time as everybody may see it.
    fn shown(&self, time_nanos: i64) -> i64 {
        if self.pre.hides_times { 0 } else { time_nanos }
    }

    fn time_s(&self) -> u64 {
        u64::try_from(self.shown(self.last_time_nanos) / 1_000_000_000).unwrap_or(0)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.output
            .write_all(bytes)
            .map_err(io_error("writing a record", &self.path))
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.output
            .sync()
            .map_err(io_error("bringing a record to disk", &self.path))
    }
}

#[cfg(test)]
#[path = "testkit/mod.rs"]
mod testkit;
