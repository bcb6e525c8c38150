//! Points packed by LASzip.
//!
//! The crate `laz` unpacks them. It trusts its input, so what it would take memory for is checked
//! here first, and a panic on damaged bytes is caught and becomes a refusal.
//!
//! Source of the layout: M. Isenburg, "LASzip: lossless compression of LiDAR data", PE&RS 79
//! (2013), and the LASzip record as the crate writes it.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use laz::laszip::ChunkTable;
use laz::{LasZipDecompressor, LazItem, LazItemRecordBuilder, LazItemType, LazVlr};

use super::header::Header;
use crate::columns::Wrong;
use crate::table::quoted;

/// The most points that one packed byte stands for. Real files have one or less; more is made to
/// fill memory.
const MAX_POINTS_PER_BYTE: usize = 8;
/// The most bytes that a maker adds to a packed point. Each has models of its own, 12 kB in newer
/// formats, whether the file is long or not; real files have a hundred or less.
const MAX_EXTRA_BYTES: u16 = 1024;

/// Gives the points of a packed file to `take`, whole records, `block` at a time.
pub(super) fn unpack(
    header: &Header,
    bytes: &[u8],
    block: usize,
    mut take: impl FnMut(&[u8]),
) -> Result<(), Wrong> {
    if header.points == 0 {
        return chunks(header, bytes).map(drop);
    }
    if header.extra_bytes > MAX_EXTRA_BYTES {
        let expected = format!("packed points with at most {MAX_EXTRA_BYTES} bytes added to their format");
        return Err(Wrong::new("header", expected, format!("{}", header.extra_bytes)));
    }
    let Record { vlr, has_table } = record(header, bytes)?;
    let chunks = if has_table { chunks(header, bytes)? } else { None };
    let packed = bytes.len().saturating_sub(header.start);
    if header.points > packed.saturating_mul(MAX_POINTS_PER_BYTE) {
        let expected = format!(
            "at least {} bytes of packed points",
            header.points / MAX_POINTS_PER_BYTE
        );
        return Err(Wrong::new("points", expected, format!("{packed}")));
    }
    check_chunks(header, bytes, &vlr, chunks)?;
    let unpack = || -> Result<(), String> {
        let mut source = Cursor::new(bytes);
        source.set_position(header.start as u64);
        let mut unpacker = LasZipDecompressor::new(source, vlr).map_err(|error| error.to_string())?;
        let mut records = vec![0; block.min(header.points) * header.stride];
        let mut left = header.points;
        while left > 0 {
            let count = left.min(block);
            let records = &mut records[..count * header.stride];
            unpacker
                .decompress_many(records)
                .map_err(|error| error.to_string())?;
            take(records);
            left -= count;
        }
        Ok(())
    };
    let damaged = |found: &str| {
        Wrong::new(
            "points",
            format!("{} packed points", header.points),
            quoted(found),
        )
    };
    match catch_unwind(AssertUnwindSafe(unpack)) {
        Ok(done) => done.map_err(|found| damaged(&found)),
        Err(_) => Err(damaged("damaged packed bytes")),
    }
}

/// What the LASzip record says.
struct Record {
    vlr: LazVlr,
    /// Whether points lie in chunks, of which there is a table; in the first LASzip they do not.
    has_table: bool,
}

/// The LASzip record, if it says what the point format needs.
fn record(header: &Header, bytes: &[u8]) -> Result<Record, Wrong> {
    let wrong = |found: String| {
        let expected = format!(
            "a LASzip record for point format {} of {} bytes",
            header.format, header.stride
        );
        Wrong::new("header", expected, found)
    };
    let Some(data) = header
        .records(bytes, LazVlr::USER_ID, LazVlr::RECORD_ID)
        .first()
        .copied()
    else {
        return Err(wrong("none".into()));
    };
    let vlr = LazVlr::from_buffer(data).map_err(|error| wrong(quoted(&error.to_string())))?;
    let needed = LazItemRecordBuilder::default_for_point_format_id(header.format, header.extra_bytes)
        .map_err(|error| wrong(quoted(&error.to_string())))?;
    let same = |(found, needed): (&LazItem, &LazItem)| {
        let versions = if needed.version() >= 3 { 3..=4 } else { 1..=2 };
        found.item_type() == needed.item_type()
            && found.size() == needed.size()
            && versions.contains(&found.version())
    };
    let fits = vlr.items().len() == needed.len() && vlr.items().iter().zip(&needed).all(same);
    let compressor = u16::from_le_bytes([data[0], data[1]]);
    let layered = is_layered(&vlr);
    match compressor {
        1 | 2 if fits && !layered => Ok(Record {
            has_table: compressor == 2,
            vlr,
        }),
        3 if fits && layered => Ok(Record { has_table: true, vlr }),
        _ => Err(wrong(format!(
            "compressor {compressor} and {} other items",
            vlr.items().len()
        ))),
    }
}

fn is_layered(vlr: &LazVlr) -> bool {
    vlr.items().first().is_some_and(|item| item.version() >= 3)
}

fn cut(at: usize) -> Wrong {
    let expected = "a chunk of packed points inside the file";
    Wrong::new(format!("byte {at}"), expected, "its end before")
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}

/// How many chunks the chunk table says that there are, if it is there.
fn chunks(header: &Header, bytes: &[u8]) -> Result<Option<usize>, Wrong> {
    let long = |at: usize| -> Option<i64> { Some(i64::from_le_bytes(*bytes.get(at..)?.first_chunk()?)) };
    let Some(said) = long(header.start) else {
        return match header.points {
            0 => Ok(None),
            _ => Err(cut(header.start)),
        };
    };
    let place = if said > header.start as i64 {
        Some(said)
    } else {
        long(bytes.len().saturating_sub(8)).filter(|place| *place > header.start as i64)
    };
    let chunks = place.and_then(|place| word(bytes, usize::try_from(place).ok()?.checked_add(4)?));
    // The first point of a chunk is not packed.
    let most = header
        .points
        .min(bytes.len().saturating_sub(header.start) / header.stride);
    if let Some(chunks) = chunks.filter(|chunks| *chunks > most) {
        let expected = format!("at most {most} chunks, each with a point");
        return Err(Wrong::new("chunk table", expected, format!("{chunks}")));
    }
    Ok(chunks)
}

/// How many points each chunk has, where chunks differ in that: `laz` believes the chunk table.
fn counts(header: &Header, bytes: &[u8], vlr: &LazVlr) -> Result<Vec<usize>, Wrong> {
    let read = || {
        let mut source = Cursor::new(bytes);
        source.set_position(header.start as u64);
        ChunkTable::read_from(source, vlr)
    };
    let table = catch_unwind(AssertUnwindSafe(read)).ok().and_then(Result::ok);
    let counts: Vec<usize> = (table.iter().flatten())
        .map(|chunk| usize::try_from(chunk.point_count).unwrap_or(usize::MAX))
        .collect();
    let sum = (counts.iter()).fold(0, |sum: usize, count| sum.saturating_add(*count));
    if sum != header.points || counts.contains(&0) {
        let expected = format!("{} points in chunks that have some", header.points);
        let found = format!("{sum} in {} chunk(s)", counts.len());
        return Err(Wrong::new("chunk table", expected, found));
    }
    Ok(counts)
}

/// Checks every length that stands before packed bytes against the file, and the header's count of
/// points against the chunks, as far as they tell.
fn check_chunks(header: &Header, bytes: &[u8], vlr: &LazVlr, chunks: Option<usize>) -> Result<(), Wrong> {
    let more = |expected: String, found: String| Err(Wrong::new("points", expected, found));
    let counts = match vlr.uses_variable_size_chunks() && chunks.is_some() {
        true => Some(counts(header, bytes, vlr)?),
        false => None,
    };
    let full = vlr.chunk_size() as usize;
    if !is_layered(vlr) {
        let needed = header.points.div_ceil(full.max(1));
        return match chunks {
            Some(chunks) if chunks > needed && counts.is_none() => more(
                format!("{} points in {needed} chunk(s)", header.points),
                format!("{chunks} chunks"),
            ),
            _ => Ok(()),
        };
    }
    let layers: usize = vlr.items().iter().map(|item| layers_of(item.item_type())).sum();
    let (mut at, mut points, mut passed) = (header.start + 8, 0, 0);
    while points < header.points {
        let head = at + header.stride;
        let count = word(bytes, head).ok_or_else(|| cut(at))?;
        let mut end = head + 4 + 4 * layers;
        for layer in 0..layers {
            let length = word(bytes, head + 4 + 4 * layer).ok_or_else(|| cut(at))?;
            end = end.saturating_add(length);
        }
        if count == 0 || end > bytes.len() {
            return Err(cut(at));
        }
        // `laz` goes on to the next chunk after so many points, not after as many as stand here.
        let expected = match &counts {
            Some(counts) => counts.get(passed).copied().unwrap_or(0),
            None => full.min(header.points - points),
        };
        if count != expected {
            let place = format!("byte {head}");
            return Err(Wrong::new(
                place,
                format!("a chunk of {expected} points"),
                format!("{count}"),
            ));
        }
        points += count;
        passed += 1;
        at = end;
    }
    if chunks.is_some_and(|chunks| chunks > passed) {
        return more(
            format!("{} points", header.points),
            format!("{points} in the first {passed} chunk(s)"),
        );
    }
    Ok(())
}

fn layers_of(item: LazItemType) -> usize {
    match item {
        LazItemType::Point14 => 9,
        LazItemType::RGBNIR14 => 2,
        LazItemType::Byte14(count) => usize::from(count),
        _ => 1,
    }
}
