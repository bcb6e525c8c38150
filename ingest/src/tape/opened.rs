//! A tape as a recording: whether a file is one, and what its user should be told.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use beluga_types::{Payload, Rig};

use super::part::Part;
use super::records::Records;
use super::row::{self, Row};
use super::{OURS, head, rig};
use crate::error::Error;
use crate::regular;

/// Whether a file is meant as a tape: by its name, or by its first bytes.
pub(crate) fn is_tape(path: &Path) -> bool {
    let named = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("mcap"));
    row::parts(path).is_some() || path.is_file() && (named || begins_as_one(path))
}

fn begins_as_one(path: &Path) -> bool {
    let mut first = [0; mcap::MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && first == mcap::MAGIC
}

/// The files of a tape, in order.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    row::parts(path).unwrap_or_else(|| vec![path.to_owned()])
}

/// Which part of a row a file says to be.
pub(super) fn part(path: &Path) -> Option<Part> {
    let mut records = Records::new(regular::open(path).ok()?).ok()?;
    head::check_magic(&mut records, path).ok()?;
    head::part(&mut records).ok()?
}

/// Whether an MCAP file is another's: it has no rig attached, and was not written here either. Clouds
/// that were exported for viewers have no rig, and are in `World`: to play them would be wrong.
pub(crate) fn is_foreign(path: &Path) -> bool {
    let read = || -> Result<bool, Error> {
        let mut records = Records::new(regular::open(path)?).map_err(Error::io(path))?;
        head::check_magic(&mut records, path)?;
        let start = records.at();
        let is_ours = head::library(&mut records)
            .map_err(Error::io(path))?
            .is_some_and(|library| library.starts_with(OURS));
        records.go(start).map_err(Error::io(path))?;
        let attached = head::attachments(&mut records).map_err(Error::io(path))?;
        Ok(!is_ours && !attached.contains_key(rig::RIG))
    };
    read().unwrap_or(false)
}

/// The rig of a tape and notes on it: what was shifted before it was taped, topics of others, a
/// missing end. One that was not finished is read through for this.
///
/// # Errors
/// If it cannot be read, is no tape, or not one of its measurements can be read.
pub(crate) fn open(path: &Path) -> Result<(Rig, Vec<String>), Error> {
    let mut reader = Row::open(path)?;
    let (mut lost, mut first) = (0u64, None);
    let is_some = reader.by_ref().any(|measurement| match measurement.payload {
        Payload::Gap(gap) => {
            lost = lost.saturating_add(gap.lost);
            first.get_or_insert(gap.detail);
            false
        }
        _ => true,
    });
    match first {
        _ if is_some => {}
        Some(first) if lost > 0 => {
            return Err(Error::NothingReadable {
                sensor: "any".into(),
                lost,
                first,
                path: path.to_owned(),
            });
        }
        _ => {
            return Err(Error::Empty {
                expected: "a tape with at least one whole chunk of measurements".into(),
                path: path.to_owned(),
            });
        }
    }
    let mut notes = Vec::new();
    for spec in &reader.rig().sensors {
        if spec.time_offset_nanos != 0 {
            let offset_ms = spec.time_offset_nanos as f64 * 1e-6;
            notes.push(format!(
                "sensor `{}`: clock was shifted by {offset_ms} ms before it was taped",
                spec.name
            ));
        }
    }
    if let files @ 2.. = reader.files().len() {
        notes.push(format!("a tape in {files} parts, played as one"));
    }
    if reader.deleted() > 0 {
        let deleted = reader.deleted();
        notes.push(format!(
            "the first {deleted} measurements of it are in parts that are not there any more"
        ));
    }
    if !reader.is_finished() {
        notes.push("the tape was not finished: it is read to its last whole chunk".into());
        reader.by_ref().for_each(drop);
    }
    notes.extend(reader.foreign().map(|topic| format!("not read: {topic}")));
    Ok((reader.rig().clone(), notes))
}
