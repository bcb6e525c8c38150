//! Messages in a run of bytes: each begins with a mark and says how long it is, and a sum tells
//! whether it is whole.

use std::marker::PhantomData;

use beluga_types::GapCause;

use crate::survey::played::Rows;

/// How a protocol's messages are framed.
pub(crate) trait Frame {
    /// Bytes that tell the length.
    const HEAD: usize;

    /// Whether a message may begin with these bytes, of which there is one at least.
    fn may_begin(bytes: &[u8]) -> bool;

    /// How long the message with this head is, if there may be such.
    fn length(head: &[u8]) -> Option<usize>;

    /// Whether a message of its length holds.
    fn holds(whole: &[u8]) -> bool;
}

/// What was found in the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A message from its first byte to its last.
    Whole(Vec<u8>),
    /// The head of one that does not hold.
    Damaged(Vec<u8>),
    /// So many bytes of no message.
    Garbage(usize),
}

/// Bytes of no message since that was last told.
#[derive(Debug, Default)]
pub(crate) struct Garbage(usize);

impl Garbage {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.0 += bytes;
    }

    /// Tells of them, if there are any.
    pub(crate) fn tell(&mut self, rows: &mut Rows) {
        self.tell_from(1, rows);
    }

    /// Tells of them, if there are so many.
    pub(crate) fn tell_from(&mut self, least: usize, rows: &mut Rows) {
        if self.0 >= least {
            let count = std::mem::take(&mut self.0);
            let what = format!("{count} byte(s) of no message left out");
            rows.lose(GapCause::Corrupt, 0, &what);
        }
    }
}

/// CRC-16 of the polynomial x¹⁶ + x¹² + x⁵ + 1, lowest bit first (0x8408), from this number on.
pub(crate) fn crc16<'a>(from: u16, bytes: impl IntoIterator<Item = &'a u8>) -> u16 {
    bytes.into_iter().fold(from, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| match sum & 1 {
            0 => sum >> 1,
            _ => sum >> 1 ^ 0x8408,
        })
    })
}

/// Whether these bytes begin as a mark does, as far as they go.
pub(crate) fn begins(bytes: &[u8], mark: &[u8]) -> bool {
    let common = bytes.len().min(mark.len());
    bytes[..common] == mark[..common]
}

/// Bytes that have come, of which a message may not be whole yet.
#[derive(Debug)]
pub(crate) struct Frames<F> {
    bytes: Vec<u8>,
    framing: PhantomData<F>,
}

impl<F> Default for Frames<F> {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            framing: PhantomData,
        }
    }
}

impl<F: Frame> Frames<F> {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// The next, if it is whole.
    pub(crate) fn next(&mut self) -> Option<Found> {
        let start = self.start();
        if start > 0 {
            self.bytes.drain(..start);
            return Some(Found::Garbage(start));
        }
        let head = self.bytes.get(..F::HEAD)?;
        let whole = self.bytes.get(..F::length(head)?)?;
        if !F::holds(whole) {
            let head = head.to_vec();
            // A message may begin inside what only looked like one.
            self.bytes.drain(..1);
            return Some(Found::Damaged(head));
        }
        let whole = whole.to_vec();
        self.bytes.drain(..whole.len());
        Some(Found::Whole(whole))
    }

    /// What has begun will not be ended; how many bytes it was.
    pub(crate) fn drop_begun(&mut self) -> usize {
        std::mem::take(&mut self.bytes).len()
    }

    /// Where a message may begin.
    fn start(&self) -> usize {
        let may_begin = |at: &usize| {
            let rest = &self.bytes[*at..];
            let is_length = rest.get(..F::HEAD).is_none_or(|head| F::length(head).is_some());
            F::may_begin(rest) && is_length
        };
        (0..self.bytes.len()).find(may_begin).unwrap_or(self.bytes.len())
    }
}
