//! What a file or folder is: what it holds, what is missing, and how it plays.
//!
//! What opens as a [`Recording`] is read to its end, payload by payload, so the counts are those a
//! run would find. What does not is looked at by its first bytes, and gets a rig to paste.

pub(crate) mod around;
pub(crate) mod magic;
mod packets;
mod skeleton;
mod survey;
mod topics;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::capture;
use crate::error::Error;
use crate::folder::{Recording, must_exist};
use crate::rig_toml;
use crate::scans::ScanFormat;
use crate::survey::format::Survey;
use crate::tape;
pub use packets::{PacketsProbe, StreamProbe};
pub use survey::{Intervals, SensorProbe};
pub use topics::TopicProbe;

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Probe {
    /// What it is, in words.
    pub what: String,
    /// Whether it is anything that is known.
    pub recognised: bool,
    /// Whether it plays as it is.
    pub plays: bool,
    /// Its sensors, as far as it plays, in the order of the rig.
    pub sensors: Vec<SensorProbe>,
    /// What stands in the way, with what to do about it.
    pub missing: Vec<String>,
    /// What a run would say, and what it would have to do without.
    pub notes: Vec<String>,
    /// The topics of a bag, by name.
    pub topics: Vec<TopicProbe>,
    /// The packets of a capture.
    pub packets: Option<PacketsProbe>,
    /// A `rig.toml` that would make it play, where there is none.
    pub rig: Option<String>,
    /// Where that rig belongs.
    pub rig_file: Option<PathBuf>,
    /// Recordings in the folder that play each by its own name.
    pub recordings: Vec<PathBuf>,
}

impl Probe {
    /// Payloads lost, over all sensors.
    pub fn lost(&self) -> u64 {
        self.sensors.iter().flat_map(|sensor| sensor.lost.values()).sum()
    }
}

/// Looks at a file or folder. What plays is read to its end.
///
/// # Errors
/// If there is no such file or folder, or it cannot be read at all.
pub fn probe(path: &Path) -> Result<Probe, Error> {
    must_exist(path, "the file or folder")?;
    let known = magic::of(path)?;
    let mut found = Probe {
        what: known.words.clone(),
        recognised: known.role != magic::Role::Unknown,
        ..Probe::default()
    };
    if known.role == magic::Role::Unknown && path.is_file() {
        // Its name says what it should be.
        if tape::is_tape(path) || ScanFormat::bare(path).is_some() {
            found
                .missing
                .extend(Recording::open(path).err().map(|error| error.to_string()));
        }
        return Ok(found);
    }
    if known.role == magic::Role::Foreign {
        found.missing.push(format!("{} is not read yet", known.words));
        return Ok(found);
    }
    if capture::looks_like(path) {
        found.packets = Some(packets::of(path)?);
        found.rig = packets::rig(path);
        found.rig_file = found.rig.is_some().then(|| path.with_file_name("site.toml"));
    }
    let tried = Recording::open(path).and_then(|recording| Ok((recording.timeline()?, recording)));
    match tried {
        Ok((timeline, recording)) => {
            found.recognised = true;
            found.plays = true;
            if known.role == magic::Role::Unknown {
                found.what = format!(
                    "{} scans without a rig",
                    ScanFormat::bare(path).map_or("other", ScanFormat::name)
                );
            }
            if let Some(bag) = topics::of(path, recording.rig())? {
                found.what = bag.what;
                found.topics = bag.topics;
                found.rig = Some(bag.rig);
                found.rig_file = Some(bag.rig_file);
            }
            if let Some(rig) = imaging_rig(path, &recording) {
                found.rig = Some(rig);
                found.rig_file = Some(path.with_file_name("site.toml"));
            }
            found.sensors = survey::sensors(recording.rig(), timeline);
            found.notes = recording.notes().to_vec();
            found.notes.extend(survey::lacks(recording.rig(), &found.sensors));
        }
        Err(error) => without(path, &known, error, &mut found)?,
    }
    Ok(found)
}

/// The lines of a rig for an imaging sonar's file, which does not say where the sonar sits.
fn imaging_rig(path: &Path, recording: &Recording) -> Option<String> {
    Survey::of(path).filter(|format| format.is_imaging())?;
    let (text, beside) = rig_toml::texts(path, recording.rig()).ok()?;
    beside.is_empty().then_some(text)
}

/// What does not open: a rig that is wrong, or files that lack one.
fn without(path: &Path, known: &magic::Known, error: Error, found: &mut Probe) -> Result<(), Error> {
    use magic::Role;
    match known.role {
        Role::Rig | Role::Tape => found.missing.push(error.to_string()),
        _ => {
            let mut bare = skeleton::of(path)?;
            if path.is_dir() {
                found.recordings = around::tapes(path);
            }
            if bare.is_empty() && found.recordings.is_empty() {
                if known.role != Role::Unknown {
                    found.missing.push(error.to_string());
                }
                return Ok(());
            }
            found.recognised = true;
            if path.is_dir() {
                found.what = format!(
                    "a folder without a rig: {}",
                    folder_words(&bare, &found.recordings)
                );
            }
            if !found.recordings.is_empty() {
                found
                    .missing
                    .push("the name of one recording: each plays by itself".to_owned());
            }
            found.missing.extend(bare.keep_what_opens());
            if bare.is_empty() {
                return Ok(());
            }
            found.missing.push(format!("a rig: {}", error_words(path)));
            found.missing.extend(bare.missing());
            found.rig = Some(bare.rig());
            found.rig_file = Some(bare.file());
        }
    }
    Ok(())
}

fn folder_words(bare: &skeleton::Bare, recordings: &[PathBuf]) -> String {
    let mut words = Vec::new();
    if !recordings.is_empty() {
        words.push(format!("{} recordings in one file each", recordings.len()));
    }
    words.extend((!bare.is_empty()).then(|| bare.words()));
    words.join(", ")
}

fn error_words(path: &Path) -> &'static str {
    match path.is_dir() {
        true => "`rig.toml` says which sensors there are and where they sit",
        false => "a rig file that names this one says where its sensor sits",
    }
}

#[cfg(test)]
mod tests;
