//! The index at the end of a finished file: what is defined in it, and how much of each there is.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use mcap::records::op;

use super::cdr::{Decoder, Wrong};
use super::records::{Inside, Records};

/// The footer with its operation and length, and the magic after it.
const FOOTER_BYTES: u64 = 9 + 20;
const MAGIC_BYTES: u64 = 8;
/// The longest index that is read, in bytes: a chunk takes about a hundred of them.
const MAX_SUMMARY_BYTES: u64 = 1 << 30;

/// The index of a finished file.
pub(crate) struct Summary {
    /// Schemas and channels: operation and body of each.
    pub(crate) definitions: Vec<(u8, Vec<u8>)>,
    /// Messages of each channel.
    pub(crate) messages: BTreeMap<u16, u64>,
}

/// The index, if the file has one that agrees with its sum. The place in the file is lost.
pub(crate) fn read<R: Read + Seek>(records: &mut Records<R>) -> io::Result<Option<Summary>> {
    let Some(footer_at) = records.size().checked_sub(FOOTER_BYTES + MAGIC_BYTES) else {
        return Ok(None);
    };
    records.go(footer_at)?;
    let end = records.take(FOOTER_BYTES + MAGIC_BYTES)?;
    let Ok((start, sum)) = footer(&end) else {
        return Ok(None);
    };
    let length = match footer_at.checked_sub(start) {
        Some(length) if start > 0 && length <= MAX_SUMMARY_BYTES => length,
        _ => return Ok(None),
    };
    records.go(start)?;
    let mut bytes = records.take(length)?;
    let whole = bytes.len();
    // The sum is over the index and the footer up to the sum itself.
    bytes.extend_from_slice(&end[..FOOTER_BYTES as usize - 4]);
    if sum != 0 && crc32fast::hash(&bytes) != sum {
        return Ok(None);
    }
    Ok(summary(&bytes[..whole]).ok())
}

fn footer(end: &[u8]) -> Result<(u64, u32), Wrong> {
    let mut decoder = Decoder::packed(end);
    let head: (u8, u64) = (decoder.get()?, decoder.get()?);
    let (start, _offsets, sum): (u64, u64, u32) = (decoder.get()?, decoder.get()?, decoder.get()?);
    if head != (op::FOOTER, FOOTER_BYTES - 9) || decoder.rest() != mcap::MAGIC {
        return Err(Wrong::Value("a footer and the magic bytes"));
    }
    Ok((start, sum))
}

fn summary(bytes: &[u8]) -> Result<Summary, Wrong> {
    let mut definitions = Vec::new();
    let mut messages = None;
    for record in Inside::of(bytes) {
        match record? {
            (op @ (op::SCHEMA | op::CHANNEL), body) => definitions.push((op, body.to_vec())),
            (op::STATISTICS, body) => messages = Some(statistics(body)?),
            _ => {}
        }
    }
    Ok(Summary {
        definitions,
        messages: messages.ok_or(Wrong::Value("statistics"))?,
    })
}

fn statistics(body: &[u8]) -> Result<BTreeMap<u16, u64>, Wrong> {
    let mut decoder = Decoder::packed(body);
    // Counts of messages, schemas, channels, attachments, metadata and chunks, and two times.
    decoder.take(8 + 2 + 4 + 4 + 4 + 4 + 8 + 8)?;
    let mut counts = Decoder::packed(decoder.bytes()?);
    let mut messages = BTreeMap::new();
    while !counts.rest().is_empty() {
        messages.insert(counts.get()?, counts.get()?);
    }
    Ok(messages)
}
