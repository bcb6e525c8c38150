//! What a file holds, and the rig that it makes by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};
use std::path::Path;

use beluga_types::{Rig, SensorSpec, Vessel, Water};

use super::beside;
use super::read::{INTERVAL_S, Part, place};
use super::record::{Record, Son};
use crate::error::Error;
use crate::regular;
use crate::survey::chosen::Part as _;
use crate::survey::damage;
use crate::survey::walk::Walk;

/// Kinds of a thing that are told.
const MOST_KINDS: usize = 8;

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Records that can be read.
    pub records: u64,
    /// Stretches and records that cannot be read, and the first of them.
    pub damaged: (u64, Option<String>),
    /// Transducers and their frequencies, in hertz.
    pub transducers: BTreeSet<(u8, u32)>,
    /// Records by their number of samples.
    pub samples: BTreeMap<usize, u64>,
    /// Bytes of headers.
    pub headers: BTreeSet<usize>,
    /// Records with a place.
    placed: u64,
    /// Where each begins, rising.
    starts: Vec<u64>,
}

/// What a file holds.
///
/// # Errors
/// If it cannot be read.
pub fn summary(path: &Path) -> Result<Summary, Error> {
    summary_of(regular::open(path)?, path)
}

/// As [`summary`], of what is open already; `path` is its name in messages.
///
/// # Errors
/// As [`summary`].
pub fn summary_of<R: Read + Seek>(input: R, path: &Path) -> Result<Summary, Error> {
    let mut walk = Walk::new(input, Son, 0).map_err(Error::io(path))?;
    let mut summary = Summary::default();
    while let Some(found) = walk.next() {
        match found {
            Ok(start) => match super::record::read(walk.bytes()) {
                Ok(record) => summary.take(start, &record),
                Err(wrong) => damage::count(&mut summary.damaged, format!("byte {start}: {wrong}")),
            },
            Err(damage) => damage::count(&mut summary.damaged, damage.fault.detail),
        }
    }
    Ok(summary)
}

impl Summary {
    fn take(&mut self, start: u64, record: &Record) {
        self.records += 1;
        self.starts.push(start);
        let samples = record.strength.len();
        if self.samples.len() < MOST_KINDS || self.samples.contains_key(&samples) {
            *self.samples.entry(samples).or_default() += 1;
        }
        if self.transducers.len() < MOST_KINDS {
            self.transducers.insert((record.beam, record.frequency_hz));
        }
        if self.headers.len() < MOST_KINDS {
            self.headers.insert(record.header);
        }
        self.placed += u64::from(place(record.place_m).is_some() && record.heading_tenths.is_some());
    }

    /// How many entries of an index name the start of a record.
    pub fn hits(&self, index: &[[u32; 2]]) -> u64 {
        let hit = |entry: &&[u32; 2]| self.starts.binary_search(&u64::from(entry[1])).is_ok();
        index.iter().filter(hit).count() as u64
    }

    fn say(&self, path: &Path, notes: &mut Vec<String>) {
        let transducers: Vec<String> = self
            .transducers
            .iter()
            .map(|(beam, hz)| format!("{} at {:.0} kHz", looks(*beam), f64::from(*hz) * 1e-3))
            .collect();
        let header = self.headers.first().copied().unwrap_or_default();
        notes.push(format!(
            "a Humminbird ({}): {}",
            family(header),
            transducers.join(", ")
        ));
        notes.push(format!(
            "a sample is taken to be {:.1} µs of two ways (19 mm at 1460 m/s), as others take it: the file does not say",
            INTERVAL_S * 1e6
        ));
        match beside::description_of(path) {
            None => notes.push(
                "no description (`.DAT`) beside it: pings are taken from 1970 on (`start_ns` in a rig)".into(),
            ),
            Some(Err(wrong)) => notes.push(format!("the description beside it is not read: {wrong}")),
            Some(Ok(said)) => notes.push(format!(
                "by its description it began at {} (taken as UTC) in {} water and has {} records of all transducers in {:.1} s",
                beluga_types::Stamp::from_nanos(i64::from(said.began_s) * 1_000_000_000).iso_8601(),
                match said.water {
                    0 => "fresh",
                    1 | 2 => "salt",
                    _ => "unknown",
                },
                said.records,
                f64::from(said.millis) * 1e-3
            )),
        }
        match beside::index_of(path) {
            None => notes.push("no index (`.IDX`) beside it: the file is walked through".into()),
            Some(index) => {
                let (all, hits) = (index.len() as u64, self.hits(&index));
                if hits < all || all < self.records {
                    notes.push(format!(
                        "its index has {all} entries, of which {hits} name one of {} records; the file itself is walked through",
                        self.records
                    ));
                }
            }
        }
        notes.extend(damage::note(&self.damaged));
        if self.placed > 0 {
            notes.push(
                "places and headings are the unit's own, ± 5 m and ± 5° (taken); roll and pitch are taken as 0° ± 5°".into(),
            );
        }
    }
}

/// Where a transducer looks.
fn looks(beam: u8) -> &'static str {
    match beam {
        0 | 1 | 4 => "down",
        2 => "to port",
        3 => "to starboard",
        _ => "somewhere",
    }
}

/// The units whose header has so many bytes.
fn family(header: usize) -> &'static str {
    match header {
        67 => "900 series",
        72 => "1100, Helix or Onix",
        152 => "Solix",
        _ => "of a family that is not known",
    }
}

/// The rig of a file by itself: its transducer, and where the unit was.
///
/// # Errors
/// If it cannot be read, or has no record that can be.
pub(crate) fn rig(path: &Path, notes: &mut Vec<String>) -> Result<Rig, Error> {
    let summary = summary(path)?;
    let Some((beam, _)) = summary.transducers.first() else {
        return Err(damage::nothing("records of a Humminbird", &summary.damaged, path));
    };
    let source = regular::name(path);
    let sensor = |name: &str, part: Part| SensorSpec {
        model: Some(part.word()),
        source: Some(source.clone()),
        format: Some("son".into()),
        ..SensorSpec::new(name, part.kind())
    };
    let name = match beam {
        2 => "port",
        3 => "starboard",
        _ => "down",
    };
    let mut sensors = vec![sensor(name, Part::Sonar)];
    if summary.placed > 0 {
        sensors.push(sensor("gnss", Part::Nav));
    }
    summary.say(path, notes);
    Ok(Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::Unknown,
        sensors,
    })
}
