//! Reading back: nothing that is not signed and authenticated reaches a caller.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::codec;
use super::end::Counts;
use super::head::{Head, HeadError, Unlocked};
use super::layout::{FLAG_CONTINUES, Header, Kind, Suite};
use super::meta::Meta;
use super::recipient::Unlock;
use super::record::{self, Next, Record};
use super::scan::{Found, SEGMENT_LEN, scan};
use super::secret::FileKey;
use super::segment::{Ratchet, SegmentKey};
use super::sign::SignerId;
use super::status::Status;
use crate::error::{Error, io_error};
use crate::frame_bytes::{FrameBytes, MAX_FRAME_BYTES};
use crate::regular::open_regular;

/// A frame of a record and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedFrame {
    /// The frame bytes.
    pub bytes: FrameBytes,
    /// End of its window, in nanoseconds since the Unix epoch.
    pub time_nanos: i64,
    /// Sequence number of its first record.
    pub seq: u64,
    /// Its segment.
    pub segment: u32,
}

/// A META of a record and where it stood.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedMeta {
    /// What it says.
    pub meta: Meta,
    /// Sequence number of its record.
    pub seq: u64,
    /// Bytes of its JSON.
    pub bytes: usize,
}

/// What a record keeps, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A frame.
    Frame(RecordedFrame),
    /// Something else.
    Meta(RecordedMeta),
}

/// Reads the frames of one record, in order, and what stands between them.
///
/// Opening passes over the whole file once and checks order, tree and signatures; then only what a
/// checkpoint covers is decrypted, one frame at a time. Memory: one frame.
pub struct Reader<R = BufReader<File>> {
    source: R,
    path: PathBuf,
    head: Head,
    file_key: FileKey,
    found: Found,
    /// Where the next record begins, from the first.
    offset: u64,
    /// Sequence number of the next record.
    seq: u64,
    ratchet: Ratchet,
    key: Option<SegmentKey>,
    /// What was read ahead.
    pending: Option<Entry>,
    failed: bool,
}

impl Reader {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::BadHead`], [`Error::NoKey`], [`Error::Io`]. Damage after the head is no error: see
    /// [`Self::status`].
    pub fn open(path: &Path, unlock: &Unlock) -> Result<Self, Error> {
        let file = open_regular(path).map_err(io_error("opening a record", path))?;
        Self::from_source(BufReader::new(file), path, unlock)
    }
}

impl<'a> Reader<Cursor<&'a [u8]>> {
    /// Opens a record in memory.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn from_bytes(bytes: &'a [u8], unlock: &Unlock) -> Result<Self, Error> {
        Self::from_source(Cursor::new(bytes), Path::new("(memory)"), unlock)
    }
}

impl<R: BufRead + Seek> Reader<R> {
    pub(crate) fn from_source(mut source: R, path: &Path, unlock: &Unlock) -> Result<Self, Error> {
        let head = Head::read(&mut source).map_err(|error| head_error(error, path))?;
        let file_key = match head.unlock(unlock) {
            Unlocked::Open(key) => key,
            Unlocked::NoKey => {
                return Err(Error::NoKey {
                    path: path.to_owned(),
                });
            }
            Unlocked::Changed(reason) => return Err(head_error(HeadError::Bad(reason), path)),
        };
        go_to(&mut source, head.length(), path)?;
        let found = scan(&mut source, &head).map_err(io_error("reading a record", path))?;
        Self::at_first_frame(source, path, head, file_key, found)
    }

    /// A reader of what was scanned before.
    pub(crate) fn at_first_frame(
        mut source: R,
        path: &Path,
        head: Head,
        file_key: FileKey,
        found: Found,
    ) -> Result<Self, Error> {
        go_to(&mut source, head.length(), path)?;
        Ok(Self {
            source,
            path: path.to_owned(),
            ratchet: Ratchet::new(file_key.clone()),
            head,
            file_key,
            found,
            offset: 0,
            seq: 0,
            key: None,
            pending: None,
            failed: false,
        })
    }

    /// The state of the record.
    pub fn status(&self) -> &Status {
        &self.found.status
    }

    /// What it holds, counted over the part a signature covers.
    pub fn counts(&self) -> Counts {
        self.found.counts
    }

    /// Size of the tree that is signed, and its root.
    pub(crate) fn signed(&self) -> Option<(u64, [u8; 32])> {
        self.found.signed
    }

    /// Where what is signed ends, in bytes from the beginning of the file.
    pub(crate) fn signed_end(&self) -> u64 {
        self.head.length() + self.found.bytes
    }

    /// Frames that were read and no signature covers.
    pub(crate) fn unsigned_frames(&self) -> u64 {
        self.found.unsigned_frames
    }

    /// Its document.
    pub fn document(&self) -> &str {
        &self.head.text
    }

    /// Its id.
    pub fn file_id(&self) -> [u8; 16] {
        self.head.pre.file_id
    }

    /// How it is encrypted.
    pub fn suite(&self) -> Suite {
        self.head.pre.suite
    }

    /// Whether times stand in the payloads only.
    pub fn hides_times(&self) -> bool {
        self.head.pre.hides_times
    }

    /// Who signed what was read. Whether that is somebody to trust is not asked here.
    pub fn signer(&self) -> SignerId {
        self.head.introduction.device
    }

    /// The next frame; nothing at the end of the part a signature covers.
    ///
    /// # Errors
    /// [`Error::Record`] if a frame or what stands before it does not authenticate or is none,
    /// [`Error::Io`]. After an error there are no more frames.
    pub fn next_frame(&mut self) -> Result<Option<RecordedFrame>, Error> {
        while let Some(entry) = self.next_entry()? {
            if let Entry::Frame(frame) = entry {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// The next frame or META; nothing at the end of the part a signature covers.
    ///
    /// # Errors
    /// As [`Self::next_frame`].
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        if self.failed {
            return Ok(None);
        }
        if let Some(entry) = self.pending.take() {
            return Ok(Some(entry));
        }
        let entry = self.read_entry(true);
        self.failed = entry.is_err();
        entry
    }

    /// Every META of a kind, wherever it stands. Frames are passed over and not decrypted; the next
    /// one read is the first. Memory: what is given back.
    ///
    /// # Errors
    /// As [`Self::next_frame`].
    pub fn metas(&mut self, kind: &str) -> Result<Vec<RecordedMeta>, Error> {
        self.rewind()?;
        let mut found = Vec::new();
        while let Some(entry) = self.read_entry(false)? {
            if let Entry::Meta(meta) = entry
                && meta.meta.kind() == kind
            {
                found.push(meta);
            }
        }
        self.rewind()?;
        Ok(found)
    }

    fn rewind(&mut self) -> Result<(), Error> {
        self.go_to_segment(0, 0, 0)
    }

    /// Goes to a SEGMENT: its number, where it begins from the first record, its `seq`.
    fn go_to_segment(&mut self, segment: u32, offset: u64, seq: u64) -> Result<(), Error> {
        self.ratchet = Ratchet::new(self.file_key.clone());
        (0..segment).for_each(|_| self.ratchet.skip());
        go_to(&mut self.source, self.head.length() + offset, &self.path)?;
        (self.offset, self.seq, self.key, self.pending) = (offset, seq, None, None);
        self.failed = false;
        Ok(())
    }

    /// Goes to the first frame that is not earlier than `time_nanos`, for frames in order of time.
    ///
    /// # Errors
    /// As [`Self::next_frame`].
    pub fn seek(&mut self, time_nanos: i64) -> Result<(), Error> {
        if self.head.pre.hides_times {
            self.rewind()?;
        } else if let Some(entry) = self.found.index.find(time_nanos).copied() {
            self.go_to_segment(entry.segment, entry.offset, entry.seq)?;
        } else {
            return Ok(());
        }
        while let Some(frame) = self.next_frame()? {
            if frame.time_nanos >= time_nanos {
                self.pending = Some(Entry::Frame(frame));
                break;
            }
        }
        Ok(())
    }

    /// Reads on to the next META or, if `frames`, frame.
    fn read_entry(&mut self, frames: bool) -> Result<Option<Entry>, Error> {
        let mut parts: Option<(Header, Vec<u8>)> = None;
        while self.offset < self.found.bytes {
            let record = self.read_record()?;
            match record.header.kind {
                Kind::Segment => self.begin_segment(&record)?,
                Kind::Frame if !frames => {}
                Kind::Frame => {
                    let payload = self.decrypt(&record)?;
                    let (first, body) = parts.get_or_insert((record.header, Vec::new()));
                    if body.len() + payload.len() > MAX_FRAME_BYTES + size_of::<i64>() {
                        return Err(self.tampered(first.seq));
                    }
                    body.extend_from_slice(&payload);
                    if record.header.flags & FLAG_CONTINUES == 0 {
                        let (first, body) = parts.take().expect("it was put there above");
                        return self.frame(&first, &body).map(|frame| Some(Entry::Frame(frame)));
                    }
                }
                Kind::Meta => return self.meta(&record).map(|meta| Some(Entry::Meta(meta))),
                Kind::Index => {
                    if self.decrypt(&record)? != self.found.index.encode() {
                        return Err(self.tampered(record.header.seq));
                    }
                }
                Kind::Checkpoint | Kind::Private(_) => {}
                Kind::End => return Err(self.tampered(record.header.seq)),
            }
        }
        match parts {
            None => Ok(None),
            Some((first, _)) => Err(self.tampered(first.seq)),
        }
    }

    /// The next record, still where the scan saw it.
    fn read_record(&mut self) -> Result<Record, Error> {
        match record::read(&mut self.source).map_err(io_error("reading a record", &self.path))? {
            Next::Record(record) if record.header.seq == self.seq => {
                self.offset += record.length();
                self.seq += 1;
                Ok(record)
            }
            _ => Err(self.tampered(self.seq)),
        }
    }

    fn begin_segment(&mut self, record: &Record) -> Result<(), Error> {
        let seq = record.header.seq;
        let salt = record
            .body
            .first_chunk::<32>()
            .ok_or_else(|| self.tampered(seq))?;
        if self.ratchet.segment() != record.header.segment || record.body.len() != SEGMENT_LEN {
            return Err(self.tampered(seq));
        }
        let pre = &self.head.pre;
        let key = self.ratchet.next_key(pre.suite, &pre.file_id, salt);
        if record.body[32..64] != key.commit()[..] {
            return Err(self.tampered(seq));
        }
        self.key = Some(key);
        Ok(())
    }

    /// The payload of an encrypted record, after its tag was checked.
    fn decrypt(&mut self, record: &Record) -> Result<Vec<u8>, Error> {
        let header = &record.header;
        let mut body = record.body.clone();
        self.key
            .as_ref()
            .and_then(|key| key.open(&record.header_bytes, header.idx, &mut body))
            .and_then(|()| codec::unpack(&body, header.flags))
            .ok_or_else(|| self.tampered(header.seq))
    }

    fn meta(&mut self, record: &Record) -> Result<RecordedMeta, Error> {
        let payload = self.decrypt(record)?;
        let seq = record.header.seq;
        let meta = Meta::from_payload(&payload).ok_or_else(|| self.tampered(seq))?;
        Ok(RecordedMeta {
            meta,
            seq,
            bytes: payload.len(),
        })
    }

    fn frame(&mut self, first: &Header, body: &[u8]) -> Result<RecordedFrame, Error> {
        let timed = self.head.pre.timed(first.time_nanos, body);
        let (time_nanos, body) = timed.ok_or_else(|| self.tampered(first.seq))?;
        let bytes = FrameBytes::from_body(body).map_err(|_| self.tampered(first.seq))?;
        Ok(RecordedFrame {
            bytes,
            time_nanos,
            seq: first.seq,
            segment: first.segment,
        })
    }

    fn tampered(&self, seq: u64) -> Error {
        Error::Record {
            status: Status::Tamper { seq },
            path: self.path.clone(),
        }
    }
}

impl<R: BufRead + Seek> Iterator for Reader<R> {
    type Item = Result<RecordedFrame, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_frame().transpose()
    }
}

pub(crate) fn head_error(error: HeadError, path: &Path) -> Error {
    match error {
        HeadError::Io(source) => io_error("reading a record", path)(source),
        HeadError::Bad(reason) => Error::BadHead {
            reason,
            path: path.to_owned(),
        },
    }
}

fn go_to(source: &mut impl Seek, offset: u64, path: &Path) -> Result<(), Error> {
    source
        .seek(SeekFrom::Start(offset))
        .map(|_| ())
        .map_err(io_error("seeking in a record", path))
}
