//! The end of an MCAP file, in one order.
//!
//! The library keeps schemas and channels in hash maps, and its index repeats them in whatever order those
//! have that day. So what it writes after the data is held back, its definitions are put in the order of
//! their numbers, and the sum is made anew. Groups keep their places and lengths, so offsets stay true.
//! MCAP format specification, version 0, "Summary section" and "Footer": <https://mcap.dev/spec>.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use mcap::records::op;

use super::records::Inside;

/// Before each record's body: its operation and its length.
const HEAD_BYTES: usize = 9;
/// The footer's last number is the sum of what stands before it in the index.
const SUM_BYTES: usize = 4;

/// A file whose end is held back from a moment on.
pub(super) struct Out {
    file: BufWriter<File>,
    holds_back: Arc<AtomicBool>,
    /// Whether what is handed to the system shall outlive it too.
    durable: Arc<AtomicBool>,
    bytes: Arc<AtomicU64>,
    end: Vec<u8>,
}

/// What an [`Out`] is told while it belongs to the library.
pub(super) struct Told {
    /// From now on the end is written.
    pub(super) ends: Arc<AtomicBool>,
    /// What is handed to the system shall outlive it too.
    pub(super) durable: Arc<AtomicBool>,
    /// How many bytes it has written.
    pub(super) bytes: Arc<AtomicU64>,
}

impl Out {
    /// The file, and what it can be told.
    pub(super) fn new(file: File) -> (Self, Told) {
        let (holds_back, durable) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
        let bytes = Arc::<AtomicU64>::default();
        let out = Self {
            file: BufWriter::new(file),
            holds_back: holds_back.clone(),
            durable: durable.clone(),
            bytes: bytes.clone(),
            end: Vec::new(),
        };
        let ends = holds_back;
        (out, Told { ends, durable, bytes })
    }

    /// Writes the end that was held back.
    ///
    /// # Errors
    /// If it cannot be written, or is not laid out as the specification says.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let ordered = ordered(&self.end).ok_or_else(|| {
            let expected = "expected an MCAP index with a footer, found something else";
            io::Error::new(io::ErrorKind::InvalidData, expected)
        })?;
        self.file.write_all(&ordered)?;
        self.flush()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.holds_back.load(Ordering::Relaxed) {
            self.end.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let written = self.file.write(bytes)?;
        self.bytes.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()?;
        if self.durable.load(Ordering::Relaxed) {
            self.file.get_ref().sync_data()?;
        }
        Ok(())
    }
}

/// The end of a file, from the record that closes its data to the last byte, with schemas and channels by
/// their numbers.
fn ordered(end: &[u8]) -> Option<Vec<u8>> {
    let records = end.strip_suffix(mcap::MAGIC)?;
    let mut records: Vec<(u8, &[u8])> = Inside::of(records).collect::<Result<_, _>>().ok()?;
    let (op::DATA_END, _) = records.first()? else {
        return None;
    };
    let (op::FOOTER, _) = records.last()? else {
        return None;
    };
    let defined = |record: &&(u8, &[u8])| matches!(record.0, op::SCHEMA | op::CHANNEL);
    let definitions = records[1..].iter().take_while(defined).count();
    records[1..=definitions]
        .sort_by_key(|(op, body)| (*op, body.first_chunk().copied().map(u16::from_le_bytes)));
    let mut ordered = Vec::with_capacity(end.len());
    for (op, body) in &records {
        ordered.push(*op);
        ordered.extend_from_slice(&(body.len() as u64).to_le_bytes());
        ordered.extend_from_slice(body);
    }
    let sum_at = ordered.len() - SUM_BYTES;
    let index_at = HEAD_BYTES + records.first()?.1.len();
    let sum = crc32fast::hash(&ordered[index_at..sum_at]);
    ordered[sum_at..].copy_from_slice(&sum.to_le_bytes());
    ordered.extend_from_slice(mcap::MAGIC);
    Some(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(op: u8, body: &[u8]) -> Vec<u8> {
        [&[op][..], &(body.len() as u64).to_le_bytes(), body].concat()
    }

    /// The end of a file with this index, and with its sum.
    fn end_of(index: &[Vec<u8>]) -> Vec<u8> {
        let index = index.concat();
        let footer = record(op::FOOTER, &[3; 20]);
        let summed = [&index, &footer[..footer.len() - SUM_BYTES]].concat();
        let sum = crc32fast::hash(&summed).to_le_bytes();
        [&record(op::DATA_END, &[9; 4])[..], &summed, &sum, mcap::MAGIC].concat()
    }

    #[test]
    fn definitions_come_by_their_numbers_and_the_sum_agrees() {
        let schema = |id: u8| record(op::SCHEMA, &[id, 0, 7]);
        // Numbers are little endian: 1 + 256 comes after 2.
        let channel = |id: [u8; 2]| record(op::CHANNEL, &[id[0], id[1], 5, 8]);
        let counts = record(op::STATISTICS, &[1, 2, 3]);
        let shuffled = end_of(&[
            schema(2),
            schema(1),
            channel([1, 1]),
            channel([2, 0]),
            counts.clone(),
        ]);
        let sorted = end_of(&[schema(1), schema(2), channel([2, 0]), channel([1, 1]), counts]);
        assert_ne!(shuffled, sorted);
        assert_eq!(ordered(&shuffled), Some(sorted.clone()));
        assert_eq!(ordered(&sorted), Some(sorted));
    }

    #[test]
    fn what_is_no_end_is_none() {
        let end = end_of(&[record(op::STATISTICS, &[1, 2, 3])]);
        assert!(ordered(&end).is_some());
        for cut in 0..end.len() {
            assert_eq!(ordered(&end[..cut]), None, "{cut}");
        }
    }
}
