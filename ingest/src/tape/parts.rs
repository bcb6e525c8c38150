//! A tape written in parts, of which the newest are kept: for days at sea.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use beluga_types::{Measurement, Rig, Stamp};

use super::part::{self, Part};
use super::writer::Writer;
use crate::error::Error;

/// When a tape goes on in a new part, and how much of it is kept.
#[derive(Clone)]
pub struct Rotation {
    /// A part ends with the chunk by which it has so many bytes.
    pub bytes: Option<u64>,
    /// A part ends with the chunk by which it holds so much data time.
    pub length: Option<Duration>,
    /// While all parts together have more bytes, the oldest is deleted; never the one that is written.
    pub keep_bytes: Option<u64>,
    /// Told when parts are deleted.
    pub tell: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Writes a tape, in one file or in parts.
///
/// Each part is a tape by itself, with its rig and its schemas, and is finished before the next is begun. A new one
/// begins between two measurements, so that all parts together hold what one file would.
pub struct Parts {
    tape: PathBuf,
    /// Nothing: one file of the tape's own name.
    rotation: Option<(Rotation, Rig)>,
    durable: bool,
    /// Nothing between a part and the next measurement.
    writer: Option<Writer>,
    row: Option<i64>,
    number: u32,
    /// Measurements in the parts before this one, and in it.
    before: u64,
    inside: u64,
    begun: Option<Stamp>,
    /// Finished parts that are still there.
    whole: VecDeque<Whole>,
    deleted: u64,
}

/// A finished part.
struct Whole {
    path: PathBuf,
    bytes: u64,
    measurements: u64,
}

impl From<Writer> for Parts {
    /// A tape in one file.
    fn from(writer: Writer) -> Self {
        Self {
            tape: writer.path.clone(),
            rotation: None,
            durable: false,
            writer: Some(writer),
            row: None,
            number: 1,
            before: 0,
            inside: 0,
            begun: None,
            whole: VecDeque::new(),
            deleted: 0,
        }
    }
}

impl Parts {
    /// Starts a tape that is written in parts, which are named after it (`survey.0001.mcap` of `survey.mcap`).
    /// `durable`: as [`Writer::durable`].
    ///
    /// # Errors
    /// If its name does not end in `.mcap`, there are parts of this name, or the first cannot be written.
    pub fn create(tape: &Path, rig: &Rig, rotation: Rotation, durable: bool) -> Result<Self, Error> {
        if part::named(&part::path_of(tape, 1)).is_none_or(|(name, _)| name != tape) {
            let expected = "one that ends in `.mcap`, after which the parts are named";
            return Err(Error::bad(tape, "name of the tape", expected, "another"));
        }
        let there = part::beside(tape).map_err(Error::io(tape))?;
        if let Some(path) = there.into_values().next() {
            let said = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(Error::Io { said, path });
        }
        let writer = begun(&part::path_of(tape, 1), rig, durable)?;
        Ok(Self {
            tape: tape.to_owned(),
            rotation: Some((rotation, rig.clone())),
            durable,
            ..Self::from(writer)
        })
    }

    /// Writes one measurement. Measurements come in timeline order.
    ///
    /// # Errors
    /// As [`Writer::push`]; [`Error::Full`] if the disk is full, and what was kept until then stays.
    pub fn push(&mut self, measurement: &Measurement) -> Result<(), Error> {
        let kept = self.kept();
        self.put(measurement).map_err(|error| full(error, kept))
    }

    fn put(&mut self, measurement: &Measurement) -> Result<(), Error> {
        let writer = match (&mut self.writer, &self.rotation) {
            (Some(writer), _) => writer,
            (none, Some((_, rig))) => {
                none.insert(begun(&part::path_of(&self.tape, self.number), rig, self.durable)?)
            }
            (None, None) => return Ok(()),
        };
        if self.rotation.is_some() && self.inside == 0 {
            let row = *self.row.get_or_insert(measurement.end.nanos());
            writer.say(Part {
                row,
                number: self.number,
                before: self.before,
            })?;
        }
        writer.push(measurement)?;
        self.inside += 1;
        let begun = *self.begun.get_or_insert(measurement.end);
        // Between chunks.
        if writer.kept() == self.inside {
            let bytes = writer.bytes();
            self.turn(bytes, measurement.end.duration_since(begun).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Ends a part that is full, and deletes what is not to be kept.
    fn turn(&mut self, bytes: u64, length: Duration) -> Result<(), Error> {
        let Some((rotation, _)) = &self.rotation else {
            return Ok(());
        };
        let is_full = rotation.bytes.is_some_and(|most| bytes >= most)
            || rotation.length.is_some_and(|most| length >= most);
        if is_full {
            self.end_part()?;
            return self.delete(0);
        }
        self.delete(bytes)
    }

    /// Finishes the part that is written.
    fn end_part(&mut self) -> Result<(), Error> {
        if let Some(writer) = self.writer.take() {
            let path = writer.path.clone();
            let measurements = writer.finish()?;
            let bytes = fs::metadata(&path).map_err(Error::io(&path))?.len();
            self.whole.push_back(Whole {
                path,
                bytes,
                measurements,
            });
            self.before += self.inside;
            (self.inside, self.begun) = (0, None);
            self.number += 1;
        }
        Ok(())
    }

    /// Deletes the oldest parts while there is more than is to be kept, with so much in the one that is written.
    fn delete(&mut self, written: u64) -> Result<(), Error> {
        let Some((
            Rotation {
                keep_bytes: Some(keep),
                tell,
                ..
            },
            _,
        )) = &self.rotation
        else {
            return Ok(());
        };
        // The newest that is finished stays while nothing is written behind it.
        let least = usize::from(self.writer.is_none());
        while self.whole.len() > least
            && self.whole.iter().map(|part| part.bytes).sum::<u64>() + written > *keep
            && let Some(oldest) = self.whole.pop_front()
        {
            fs::remove_file(&oldest.path).map_err(Error::io(&oldest.path))?;
            if self.deleted == 0 {
                tell(&format!(
                    "{} is deleted, since the tape has become longer than is to be kept; so will be the oldest part from now on",
                    oldest.path.display()
                ));
            }
            self.deleted += oldest.measurements;
        }
        Ok(())
    }

    /// Measurements and gaps that lie in closed chunks and have not been deleted: they outlive a crash.
    pub fn kept(&self) -> u64 {
        let inside = self.writer.as_ref().map_or(0, Writer::kept);
        self.before + inside - self.deleted
    }

    /// Measurements and gaps that have been deleted with the oldest parts.
    pub fn deleted(&self) -> u64 {
        self.deleted
    }

    /// Ends the tape; gives how many measurements and gaps are on it.
    ///
    /// # Errors
    /// If something cannot be written.
    pub fn finish(mut self) -> Result<u64, Error> {
        let kept = self.kept();
        self.end_part()
            .and_then(|()| self.delete(0))
            .map_err(|error| full(error, kept))?;
        Ok(self.kept())
    }
}

fn begun(path: &Path, rig: &Rig, durable: bool) -> Result<Writer, Error> {
    let writer = Writer::create(path, rig)?;
    if durable { writer.durable() } else { Ok(writer) }
}

/// An error as it is, or what it means.
fn full(error: Error, kept: u64) -> Error {
    match error {
        Error::Io { said, path } if said.kind() == io::ErrorKind::StorageFull => Error::Full { kept, path },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_and_other_errors_stay() {
        let error = |kind| Error::io(Path::new("survey.0003.mcap"))(io::Error::from(kind));
        let said = full(error(io::ErrorKind::StorageFull), 1234).to_string();
        assert_eq!(
            said,
            "the disk is full; 1234 measurements are safe on the tape: survey.0003.mcap"
        );
        let said = full(error(io::ErrorKind::PermissionDenied), 1).to_string();
        assert!(!said.contains("full"), "{said}");
    }
}
