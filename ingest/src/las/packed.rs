//! Points packed by LASzip.
//!
//! The crate `laz` unpacks them. It trusts its input, so what it would take memory for is checked
//! here first, and a panic on damaged bytes is caught and becomes a refusal.
//!
//! Source of the layout: M. Isenburg, "LASzip: lossless compression of LiDAR data", PE&RS 79
//! (2013), and the LASzip record as the crate writes it.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use laz::{LasZipDecompressor, LazItem, LazItemRecordBuilder, LazItemType, LazVlr};

use super::header::Header;
use crate::columns::Wrong;
use crate::table::quoted;

/// The most points that one packed byte stands for. Real files have one or less; more is made to
/// fill memory.
const MAX_POINTS_PER_BYTE: usize = 8;

/// Gives the points of a packed file to `take`, whole records, `block` at a time.
pub(super) fn unpack(
    header: &Header,
    bytes: &[u8],
    block: usize,
    mut take: impl FnMut(&[u8]),
) -> Result<(), Wrong> {
    let chunks = chunks(header, bytes)?;
    if header.points == 0 {
        return Ok(());
    }
    let vlr = record(header, bytes)?;
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

/// The LASzip record, if it says what the point format needs.
fn record(header: &Header, bytes: &[u8]) -> Result<LazVlr, Wrong> {
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
        1 | 2 if fits && !layered => Ok(vlr),
        3 if fits && layered => Ok(vlr),
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
    if let Some(chunks) = chunks.filter(|chunks| *chunks > header.points) {
        let expected = format!("at most {} chunks, one for each point", header.points);
        return Err(Wrong::new("chunk table", expected, format!("{chunks}")));
    }
    Ok(chunks)
}

/// Checks every length that stands before packed bytes against the file, and the header's count of
/// points against the chunks, as far as they tell.
fn check_chunks(header: &Header, bytes: &[u8], vlr: &LazVlr, chunks: Option<usize>) -> Result<(), Wrong> {
    let more = |expected: String, found: String| Err(Wrong::new("points", expected, found));
    if !is_layered(vlr) {
        let needed = header.points.div_ceil((vlr.chunk_size() as usize).max(1));
        return match chunks {
            Some(chunks) if chunks > needed && !vlr.uses_variable_size_chunks() => more(
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
        points = points.saturating_add(count);
        passed += 1;
        at = end;
    }
    if points > header.points || chunks.is_some_and(|chunks| chunks > passed) {
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
