//! One pass over all records that needs no secret: order, tree, signatures, end.

use std::io::{self, Read};

use super::end::{self, Counts, End, Previous};
use super::head::Head;
use super::index::{Entry, Index};
use super::layout::{FLAG_CONTINUES, FOOT_LEN, Foot, Kind};
use super::note::Note;
use super::record::{self, Next, Record};
use super::sign::Signers;
use super::status::Status;
use super::tree::{Hash, Tree};

/// Salt, commitment and previous root.
pub(crate) const SEGMENT_LEN: usize = 96;

/// What a scan found. All but the status speaks of the part that a signature covers.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) status: Status,
    pub(crate) counts: Counts,
    /// Bytes of records, from the first.
    pub(crate) bytes: u64,
    pub(crate) index: Index,
    /// The last signed root and its tree's size.
    pub(crate) signed: Option<(u64, Hash)>,
    pub(crate) previous: Option<Previous>,
    /// Frames that were read and no signature covers.
    pub(crate) unsigned_frames: u64,
}

/// A checkpoint that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Sequence number of its record.
    pub seq: u64,
    /// Time of the last frame before it, as the signer says, in seconds since the Unix epoch.
    pub time_s: u64,
    /// Leaves of the tree it covers.
    pub leaves: u64,
    /// Their root.
    pub root: [u8; 32],
}

/// What else to look for in a scan, and what came of it.
#[derive(Default)]
pub(crate) struct Wanted {
    /// A root that the tree must have had.
    pub(crate) root: Option<Hash>,
    /// Of how many leaves it is the root.
    pub(crate) root_at: Option<u64>,
    /// Every checkpoint, if asked for.
    pub(crate) checkpoints: Option<Vec<Checkpoint>>,
}

impl Wanted {
    fn look_at(&mut self, tree: &Tree) {
        if self.root.is_some() && self.root_at.is_none() && self.root == Some(tree.root()) {
            self.root_at = Some(tree.size());
        }
    }
}

/// Reads from the first record to the end of the file. Memory: one record.
pub(crate) fn scan(source: &mut impl Read, head: &Head) -> io::Result<Found> {
    scan_for(source, head, &mut Wanted::default())
}

/// [`scan`] that also looks for something.
pub(crate) fn scan_for(source: &mut impl Read, head: &Head, wanted: &mut Wanted) -> io::Result<Found> {
    let mut scan = Scan::new(head, wanted);
    let status = loop {
        let status = match record::read(source)? {
            Next::Nothing if scan.offset == scan.good.bytes => Some(Status::Unsealed),
            Next::Nothing => Some(scan.torn(0)),
            Next::Torn { bytes } => Some(scan.torn(bytes)),
            Next::Corrupt => Some(Status::Corrupt {
                offset: head.length() + scan.offset,
            }),
            Next::Record(record) if record.header.kind == Kind::End => Some(match scan.end(&record) {
                Ok(foot) => scan.foot(foot, source)?,
                Err(status) => status,
            }),
            Next::Record(record) => scan.record(&record).err(),
        };
        if let Some(status) = status {
            break status;
        }
    };
    let mut found = scan.good;
    found.unsigned_frames = scan.counts.frames - found.counts.frames;
    found.index = scan.index;
    found.index.cut(found.bytes);
    found.status = status;
    Ok(found)
}

struct Scan<'a> {
    head: &'a Head,
    wanted: &'a mut Wanted,
    tree: Tree,
    offset: u64,
    segment: Option<u32>,
    /// Encrypted records in this segment so far.
    idx: u32,
    /// Time of the frame that goes on in the next record.
    continues: Option<i64>,
    /// A SEGMENT whose first frame is still to come.
    begun: Option<(u64, u64)>,
    counts: Counts,
    index: Index,
    index_offset: Option<u64>,
    /// As of the last checkpoint that holds; its index stays empty until the end.
    good: Found,
}

impl<'a> Scan<'a> {
    fn new(head: &'a Head, wanted: &'a mut Wanted) -> Self {
        let mut tree = Tree::default();
        tree.push(&[&head.pre.leaf()]);
        wanted.look_at(&tree);
        Self {
            head,
            wanted,
            tree,
            offset: 0,
            segment: None,
            idx: 0,
            continues: None,
            begun: None,
            counts: Counts::default(),
            index: Index::default(),
            index_offset: None,
            good: Found {
                status: Status::Unsealed,
                counts: Counts::default(),
                bytes: 0,
                index: Index::default(),
                signed: None,
                previous: None,
                unsigned_frames: 0,
            },
        }
    }

    fn torn(&self, more: u64) -> Status {
        Status::Torn {
            bytes: self.offset - self.good.bytes + more,
        }
    }

    /// The first record after the last good checkpoint: from there nothing is known.
    fn tampered_since_checkpoint(&self) -> Status {
        Status::Tamper {
            seq: self.good.counts.records,
        }
    }

    /// Takes a record other than END.
    fn record(&mut self, record: &Record) -> Result<(), Status> {
        let header = &record.header;
        let tampered = Status::Tamper {
            seq: self.counts.records,
        };
        if !self.is_in_order(record) {
            return Err(tampered);
        }
        match header.kind {
            Kind::Segment => self.begin_segment(record).ok_or(tampered)?,
            Kind::Checkpoint => {
                let note = self.signed_note(&record.body)?;
                let (leaves, root) = (self.tree.size(), self.tree.root());
                if let Some(checkpoints) = &mut self.wanted.checkpoints {
                    checkpoints.push(Checkpoint {
                        seq: header.seq,
                        time_s: note.time_s,
                        leaves,
                        root,
                    });
                }
            }
            Kind::Frame => self.frame(record),
            Kind::Index => self.index_offset = Some(self.offset),
            Kind::Meta | Kind::Private(_) | Kind::End => {}
        }
        let signed = (self.tree.size(), self.tree.root());
        self.tree.push(&[&record.header_bytes, &record.body]);
        self.wanted.look_at(&self.tree);
        self.offset += record.length();
        self.idx += u32::from(header.kind.is_encrypted());
        self.counts.records += 1;
        if header.kind == Kind::Checkpoint {
            self.good.counts = self.counts;
            self.good.bytes = self.offset;
            self.good.signed = Some(signed);
        }
        Ok(())
    }

    /// Whether a record stands where it was written, by what its header says.
    fn is_in_order(&self, record: &Record) -> bool {
        let header = &record.header;
        let segment = match (header.kind, self.segment) {
            (Kind::Segment, None) => Some(0),
            (Kind::Segment, Some(segment)) => segment.checked_add(1),
            (_, segment) => segment,
        };
        let idx = if header.kind.is_encrypted() { self.idx } else { 0 };
        let continued = self
            .continues
            .is_none_or(|time| header.kind == Kind::Frame && header.time_nanos == time);
        let after_index = self.index_offset.is_none() || header.kind == Kind::End;
        header.seq == self.counts.records
            && Some(header.segment) == segment
            && (header.idx == idx || matches!(header.kind, Kind::Private(_)))
            && continued
            && after_index
    }

    fn begin_segment(&mut self, record: &Record) -> Option<()> {
        let tail: [u8; SEGMENT_LEN] = record.body.as_slice().try_into().ok()?;
        if tail[64..] != self.tree.root() {
            return None;
        }
        self.segment = Some(record.header.segment);
        self.idx = 0;
        self.counts.segments += 1;
        self.begun = Some((record.header.seq, self.offset));
        Some(())
    }

    fn frame(&mut self, record: &Record) {
        let header = &record.header;
        if let Some((seq, offset)) = self.begun.take() {
            self.index.push(Entry {
                segment: header.segment,
                seq,
                time_nanos: header.time_nanos,
                offset,
            });
        }
        if header.flags & FLAG_CONTINUES == 0 {
            self.counts.add_frame(header.time_nanos);
            self.continues = None;
        } else {
            self.continues = Some(header.time_nanos);
        }
    }

    /// The note, if it speaks of the tree as it was read and is signed.
    fn signed_note(&self, bytes: &[u8]) -> Result<Note, Status> {
        let signers = self.signers()?;
        let tree = (self.tree.size(), self.tree.root());
        Note::parse(bytes, &self.head.pre.file_id, tree)
            .filter(|note| note.is_signed_by(signers))
            .ok_or_else(|| self.tampered_since_checkpoint())
    }

    fn signers(&self) -> Result<&'a Signers, Status> {
        self.head.signers().ok_or_else(|| Status::BadHead {
            reason: "the device's certificate for the file's key does not hold".into(),
        })
    }

    /// Where FOOT must point, if END is what the device signed and what was read.
    fn end(&mut self, record: &Record) -> Result<Foot, Status> {
        let tampered = Status::Tamper {
            seq: self.counts.records,
        };
        let body = end::parse(&record.body).ok_or(tampered.clone())?;
        let in_order = self.is_in_order(record);
        let index_offset = self.index_offset.filter(|_| in_order).ok_or(tampered.clone())?;
        self.signed_note(body.note)?;
        let expected = End::new(self.counts, index_offset, &self.tree, body.end.previous);
        if body.end != expected {
            return Err(tampered);
        }
        let signers = self.signers()?;
        let message = end::sealed_message(&self.head.pre, &record.header_bytes, body.unsigned);
        if !signers.device_sealed(&message, body.seal) {
            return Err(tampered);
        }
        self.good.counts = self.counts;
        self.good.signed = Some((self.tree.size(), self.tree.root()));
        self.good.previous = body.end.previous;
        self.good.bytes = self.offset;
        Ok(Foot {
            index_offset,
            end_offset: self.offset,
            body_total: self.offset + record.length(),
        })
    }

    /// SEALED only if FOOT is the recomputed one and nothing follows it.
    fn foot(&self, expected: Foot, source: &mut impl Read) -> io::Result<Status> {
        let mut found = [0; FOOT_LEN + 1];
        let length = record::fill(source, &mut found)?;
        let offset = self.head.length() + expected.body_total;
        Ok(match length {
            0 => Status::Unsealed,
            FOOT_LEN if found[..FOOT_LEN] == expected.encode() => Status::Sealed,
            1..FOOT_LEN => Status::Torn { bytes: length as u64 },
            _ => Status::Corrupt { offset },
        })
    }
}
