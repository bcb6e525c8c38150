//! A tape played as one, in however many parts it lies.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};

use beluga_types::{Gap, GapCause, Measurement, Payload, Rig, SensorId, Stamp};

use super::opened;
use super::part::{self, Part};
use super::reader::Reader;
use crate::error::Error;

/// The measurements of a tape, one file or a row of parts.
///
/// What is missing between two parts is a counted [`Gap`]: a part that is not there, or the end of one that was cut.
pub struct Row {
    reader: Reader<File>,
    /// What comes behind it.
    parts: VecDeque<PathBuf>,
    all: Vec<PathBuf>,
    is_finished: bool,
    last: Option<Stamp>,
    /// The first measurement behind a gap.
    ready: VecDeque<Measurement>,
}

impl Row {
    /// Opens a tape: one file, the first part of a row, a folder of one row, or the name by which a row was
    /// written. A part that is not the first is opened alone.
    ///
    /// # Errors
    /// As [`Reader::open`], of its first file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let all = parts(path).unwrap_or_else(|| vec![path.to_owned()]);
        let mut parts = VecDeque::from(all.clone());
        let first = parts.pop_front().unwrap_or_else(|| path.to_owned());
        let reader = Reader::open(&first)?;
        let last = all.last().filter(|_| !parts.is_empty());
        let is_finished = match last {
            Some(last) => Reader::open(last).is_ok_and(|reader| reader.is_finished()),
            None => reader.is_finished(),
        };
        Ok(Self {
            reader,
            parts,
            all,
            is_finished,
            last: None,
            ready: VecDeque::new(),
        })
    }

    /// The rig that the tape was made with. Its `time_offset_ms` and `stamp` have been applied.
    pub fn rig(&self) -> &Rig {
        self.reader.rig()
    }

    /// Whether the tape was finished: its last file ends with an index that is whole.
    pub fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Its files, in order.
    pub fn files(&self) -> &[PathBuf] {
        &self.all
    }

    /// Measurements in parts before the first that is there.
    pub fn deleted(&self) -> u64 {
        self.reader.part().map_or(0, |part| part.before)
    }

    /// Topics of others, as [`Reader::foreign`] has them, of the part that is read now.
    pub(super) fn foreign(&self) -> impl Iterator<Item = String> {
        self.reader.foreign()
    }

    /// Goes on to the next part, and tells what is missing before it.
    fn go_on(&mut self, path: &Path) {
        let ended = self
            .reader
            .part()
            .map(|part| part.before + self.reader.accounted());
        let reader = match Reader::open(path) {
            Ok(reader) => reader,
            Err(error) => return self.gap(0, error.to_string()),
        };
        let missing = ended
            .zip(reader.part())
            .map_or(0, |(ended, part)| part.before.saturating_sub(ended));
        self.reader = reader;
        if missing > 0 {
            self.gap(missing, format!("missing before this part: {}", path.display()));
        }
    }

    fn gap(&mut self, lost: u64, detail: String) {
        let end = self.last.unwrap_or_default();
        self.ready.push_back(Measurement {
            seq: 0,
            sensor: SensorId(0),
            stamp: end,
            end,
            received: end,
            payload: Payload::Gap(Gap {
                lost,
                cause: GapCause::Missing,
                detail,
            }),
        });
    }
}

impl Iterator for Row {
    type Item = Measurement;

    fn next(&mut self) -> Option<Measurement> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            if let Some(measurement) = self.reader.next() {
                self.last = self.last.max(Some(measurement.end));
                return Some(measurement);
            }
            let next = self.parts.pop_front()?;
            self.go_on(&next);
        }
    }
}

/// The files of the row that a path means, in order; nothing if it means none, or one file.
pub(crate) fn parts(path: &Path) -> Option<Vec<PathBuf>> {
    if path.is_dir() {
        return of_folder(path);
    }
    let Some((tape, _)) = part::named(path) else {
        // The name by which it was written.
        let is_name = !path.exists() && path.extension().is_some_and(|extension| extension == "mcap");
        return is_name.then(|| row(path)).flatten();
    };
    let row = row(&tape)?;
    (row.len() > 1 && row.first().is_some_and(|first| first == path)).then_some(row)
}

/// A folder in which nothing else is recorded than one row.
fn of_folder(folder: &Path) -> Option<Vec<PathBuf>> {
    if folder.join("rig.toml").is_file() {
        return None;
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).ok()? {
        let path = entry.ok()?.path();
        if path.extension().is_some_and(|extension| extension == "mcap") {
            files.push(path);
        }
    }
    let (tape, _) = part::named(files.first()?)?;
    let row = row(&tape)?;
    (row.len() == files.len()).then_some(row)
}

/// The parts of the tape of this name that are of the row of the first.
fn row(tape: &Path) -> Option<Vec<PathBuf>> {
    let mut of_row = None;
    let mut files = Vec::new();
    for (number, path) in part::beside(tape).ok()? {
        let Some(Part {
            row, number: said, ..
        }) = opened::part(&path)
        else {
            continue;
        };
        if said == number && *of_row.get_or_insert(row) == row {
            files.push(path);
        }
    }
    (!files.is_empty()).then_some(files)
}
