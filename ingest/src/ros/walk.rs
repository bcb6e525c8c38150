//! The records of an MCAP file of others, chunk by chunk, with what is lost told in its place.
//!
//! Chunk indexes and the summary are used where they are and never needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use beluga_types::GapCause;
use mcap::records::op;

use crate::error::Error;
use crate::regular;
use crate::tape::cdr::Decoder;
use crate::tape::head;
use crate::tape::records::{Records, Step, unpacked};

/// A pass over a file.
pub(super) struct Walk {
    records: Records<File>,
    /// The chunk that is open, unpacked, or one record that stands outside of chunks.
    open: Vec<u8>,
    /// Where the next record of the chunk begins.
    next: usize,
    /// Byte of the file at which the chunk or record begins.
    at: u64,
    broken: Option<Lost>,
    /// The chunk before this place was whole; its index tells nothing new.
    was_whole: bool,
    /// A footer or the end of the data was met.
    is_finished: bool,
    is_done: bool,
}

/// What comes next in a file.
pub(super) enum Event {
    /// A schema, channel or message; its body is asked for with [`Walk::body`].
    Record {
        op: u8,
        body: Range<usize>,
    },
    Lost(Lost),
}

/// Something that could not be read.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    pub(super) cause: GapCause,
    pub(super) detail: String,
    /// Messages of each channel, where an index says so.
    pub(super) held: BTreeMap<u16, u64>,
    /// Messages lost at least, where no index says so.
    pub(super) least: u64,
}

impl Walk {
    /// From the first record on.
    ///
    /// # Errors
    /// If the file cannot be read or is no MCAP file.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut records = Records::new(regular::open(path)?).map_err(Error::io(path))?;
        head::check_magic(&mut records, path)?;
        Ok(Self {
            records,
            open: Vec::new(),
            next: 0,
            at: 0,
            broken: None,
            was_whole: false,
            is_finished: false,
            is_done: false,
        })
    }

    /// The body of the record that was told last.
    pub(super) fn body(&self, place: Range<usize>) -> &[u8] {
        self.open.get(place).unwrap_or_default()
    }

    /// Where the last record stands, for messages.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next record or loss; nothing at the end. Chunks whose index names only channels in
    /// `passed_over` are not unpacked.
    pub(super) fn step(&mut self, passed_over: &BTreeSet<u16>) -> Option<Event> {
        loop {
            if let Some(event) = self.inside() {
                return Some(event);
            }
            if self.is_done {
                return self.broken.take().map(Event::Lost);
            }
            match self.advance(passed_over) {
                Ok(None) => {}
                Ok(Some(lost)) => return Some(Event::Lost(lost)),
                Err(said) => {
                    self.is_done = true;
                    let detail = format!("at byte {}: {said}", self.records.at());
                    return Some(Event::Lost(lost(GapCause::Corrupt, detail, 1)));
                }
            }
        }
    }

    /// The next record of the open chunk that means something.
    fn inside(&mut self) -> Option<Event> {
        while self.next < self.open.len() {
            let mut decoder = Decoder::packed(&self.open[self.next..]);
            let head = (decoder.get::<u8>(), decoder.get::<u64>());
            let start = self.next + 9;
            let end = match head {
                (Ok(_), Ok(length)) => usize::try_from(length)
                    .ok()
                    .and_then(|length| start.checked_add(length)),
                _ => None,
            };
            let (Ok(op), Some(end)) = (head.0, end.filter(|end| *end <= self.open.len())) else {
                self.next = self.open.len();
                let detail = format!("chunk at byte {}: a record that is longer than it", self.at);
                return Some(Event::Lost(lost(GapCause::Corrupt, detail, 1)));
            };
            self.next = end;
            if matches!(op, op::SCHEMA | op::CHANNEL | op::MESSAGE) {
                return Some(Event::Record { op, body: start..end });
            }
        }
        None
    }

    /// Moves on by one record of the file; gives what is now known to be lost.
    fn advance(&mut self, passed_over: &BTreeSet<u16>) -> io::Result<Option<Lost>> {
        let at = self.records.at();
        let step = self.records.step()?;
        let index = matches!(
            step,
            Step::Record {
                op: op::MESSAGE_INDEX,
                ..
            }
        );
        let settled = if index { None } else { self.settle() };
        self.at = at;
        match step {
            Step::Record {
                op: op::CHUNK,
                length,
            } => self.chunk(length, passed_over)?,
            Step::Record {
                op: op::MESSAGE_INDEX,
                length,
            } => {
                let body = self.records.take(length)?;
                self.index(&body);
            }
            Step::Record {
                op: op @ (op::SCHEMA | op::CHANNEL | op::MESSAGE),
                length,
            } => {
                let body = self.records.take(length)?;
                // As it would stand in a chunk.
                self.open = [&[op][..], &length.to_le_bytes(), &body].concat();
                self.next = 0;
            }
            Step::Record {
                op: op::DATA_END | op::FOOTER,
                ..
            } => {
                self.is_finished = true;
                self.is_done = true;
            }
            Step::Record { length, .. } => self.records.go(self.records.at().saturating_add(length))?,
            Step::End => self.cut(None),
            Step::Cut { op } => self.resync(Some(op))?,
            Step::Nonsense => self.resync(None)?,
        }
        Ok(settled)
    }

    fn chunk(&mut self, length: u64, passed_over: &BTreeSet<u16>) -> io::Result<()> {
        let start = self.records.at();
        (self.open, self.next) = (Vec::new(), 0);
        if !passed_over.is_empty() && self.is_passed_over(start.saturating_add(length), passed_over)? {
            self.was_whole = true;
            return Ok(());
        }
        self.records.go(start)?;
        let body = self.records.take(length)?;
        match unpacked(&body) {
            Ok(plain) => {
                self.open = plain;
                self.was_whole = true;
            }
            Err(wrong) => {
                let detail = format!("chunk at byte {}: {wrong}", self.at);
                self.broken = Some(lost(GapCause::Corrupt, detail, 1));
            }
        }
        Ok(())
    }

    /// Whether the index behind a chunk names channels, and only such; if so the place is behind it.
    fn is_passed_over(&mut self, end: u64, passed_over: &BTreeSet<u16>) -> io::Result<bool> {
        self.records.go(end)?;
        let mut named = false;
        loop {
            let at = self.records.at();
            let Step::Record {
                op: op::MESSAGE_INDEX,
                length,
            } = self.records.step()?
            else {
                self.records.go(at)?;
                return Ok(named);
            };
            let body = self.records.take(length)?;
            match Decoder::packed(&body).get::<u16>() {
                Ok(channel) if passed_over.contains(&channel) => named = true,
                _ => return Ok(false),
            }
        }
    }

    /// What the index of a broken chunk says that it held: 16 bytes for each message.
    fn index(&mut self, body: &[u8]) {
        let mut decoder = Decoder::packed(body);
        if let (false, Some(broken)) = (self.was_whole, &mut self.broken)
            && let (Ok(channel), Ok(bytes)) = (decoder.get::<u16>(), decoder.get::<u32>())
        {
            let held = broken.held.entry(channel).or_default();
            *held = held.saturating_add(u64::from(bytes / 16));
        }
    }

    fn settle(&mut self) -> Option<Lost> {
        self.was_whole = false;
        self.broken.take()
    }

    /// From something that is no record to the next chunk, if there is one.
    fn resync(&mut self, op: Option<u8>) -> io::Result<()> {
        let at = self.at;
        if self.records.find_chunk()? {
            let detail = format!("no records from byte {at} to byte {}", self.records.at());
            self.broken = Some(lost(GapCause::Corrupt, detail, 1));
        } else {
            self.cut(op);
        }
        Ok(())
    }

    fn cut(&mut self, op: Option<u8>) {
        self.is_done = true;
        if !self.is_finished {
            // The beginning of a chunk or a message held something; else nothing is known to be lost.
            let least = u64::from(matches!(op, Some(op::CHUNK | op::MESSAGE)));
            let detail = format!("the file was not finished: it is cut at byte {}", self.at);
            self.broken = Some(lost(GapCause::Truncated, detail, least));
        }
    }
}

fn lost(cause: GapCause, detail: String, least: u64) -> Lost {
    Lost {
        cause,
        detail,
        held: BTreeMap::new(),
        least,
    }
}
