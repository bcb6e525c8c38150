//! Recordings on disk: a folder with its rig, a rig that names sources elsewhere, a KITTI folder, a
//! tape.
//!
//! `RECORDING.md` beside this crate describes every file of the folder form.

use std::fs;
use std::path::{Path, PathBuf};

use beluga_types::{Geodetic, Measurement, Origin, Payload, Rig, SensorId, SensorKind, SensorSpec, Stamp};

use crate::capture::{self, Capture};
use crate::ek80;
use crate::error::Error;
use crate::find::Place;
use crate::gaps::Gaps;
use crate::hydrophone::Blocks;
use crate::nav::{self, Fixes};
use crate::nmea;
use crate::pings::Pings;
use crate::probe::{around, magic};
use crate::ros::{Bag, Kind, Played};
use crate::scans::{ScanFormat, Scans};
use crate::source::Source;
use crate::stream::Stream;
use crate::survey::format::Survey;
use crate::timeline::{Branch, Timeline};
use crate::{clock, find, kitti, lidar, rig_toml, ros, tape};

pub use crate::writer::Writer;

/// An opened recording: its rig is read and its sources have been found.
#[derive(Debug)]
pub struct Recording {
    folder: PathBuf,
    /// The file that describes it, if there is one.
    rig_file: Option<PathBuf>,
    rig: Rig,
    notes: Vec<String>,
    places: Vec<Place>,
    /// The whole recording is this one file; and by how much clocks are shifted, where they are.
    tape: Option<(PathBuf, Vec<(SensorId, i64)>)>,
}

impl Recording {
    /// Opens a folder with a `rig.toml`, a rig file itself, a tape, or a recording without a rig: a
    /// PCD, LAS or LAZ file, a folder of them or of KITTI `.bin` (or `.xyz32`) scans, for which a
    /// rig of one lidar at 10 Hz is taken, a Simrad EK80 file, for which one of a sonar for each
    /// channel is, a file of a survey multibeam, for which its own installation is, or of an imaging sonar, for which one that looks forward is, a capture of a lidar's packets, for which one of that lidar is, or a bag (MCAP or
    /// ROS 2), for which one of a sensor for each topic that is read is.
    ///
    /// # Errors
    /// If there is no such thing, the rig is wrong, or a sensor of the rig has no source here, or
    /// a source without times.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_shifted(path, &[])
    }

    /// The same with the clocks of named sensors shifted by so many nanoseconds, on top of what the
    /// rig says; of a tape, on top of what it was recorded with.
    ///
    /// # Errors
    /// As [`Self::open`], and if the rig has no sensor of such a name.
    pub fn open_shifted(path: &Path, shifts: &[(String, i64)]) -> Result<Self, Error> {
        if !tape::is_tape(path) {
            must_exist(path, "the recording")?;
        }
        if tape::is_tape(path) && !(Bag::is_at(path) && tape::is_foreign(path)) {
            let (mut rig, mut notes) = tape::open(path)?;
            shift_clocks(&mut rig, shifts, path)?;
            let shifts: Vec<(SensorId, i64)> = rig
                .ids()
                .map(|id| (id, shift_of(&rig.sensors[usize::from(id.0)].name, shifts)))
                .filter(|(_, nanos)| *nanos != 0)
                .collect();
            notes.extend(
                shifts
                    .iter()
                    .map(|(id, _)| shifted(&rig.sensors[usize::from(id.0)])),
            );
            return Ok(Self {
                folder: path.parent().unwrap_or(Path::new(".")).to_owned(),
                rig_file: None,
                rig,
                notes,
                places: Vec::new(),
                tape: Some((path.to_owned(), shifts)),
            });
        }
        let mut notes = Vec::new();
        let mut rig_file = Some(path.join("rig.toml")).filter(|path| path.is_file());
        let (folder, mut rig) = if path.is_dir() {
            (path.to_owned(), folder_rig(path, &mut notes)?)
        } else {
            let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
            let rig = match bare_rig(path, &mut notes) {
                Some(rig) => rig,
                None if ek80::looks_like(path) => ek80::rig(path, &mut notes)?,
                None if let Some(format) = Survey::of(path) => format.rig(path, &mut notes)?,
                None if capture::looks_like(path) => lidar::rig(|| Capture::open(path), path, &mut notes)?,
                None if Bag::is_at(path) => ros::rig(path, &mut notes)?,
                None => {
                    rig_file = Some(path.to_owned());
                    rig_toml::read(path).map_err(|error| no_rig(path, error))?
                }
            };
            (folder, rig)
        };
        shift_clocks(&mut rig, shifts, path)?;
        Ok(Self {
            rig_file,
            ..Self::of(folder, rig, notes)?
        })
    }

    /// The recording of a rig whose sources lie relative to `folder`.
    ///
    /// # Errors
    /// If a sensor has no source there, or one without times, or one of which nothing can be read.
    pub(crate) fn of(folder: PathBuf, rig: Rig, notes: Vec<String>) -> Result<Self, Error> {
        let mut recording = Self {
            folder,
            rig_file: None,
            places: Vec::with_capacity(rig.sensors.len()),
            rig,
            notes,
            tape: None,
        };
        for spec in recording.rig.sensors.clone() {
            let place = find::place(&recording.folder, &recording.rig, &spec)?;
            if spec.time_offset_nanos != 0 {
                recording.notes.push(shifted(&spec));
            }
            if let (Place::Scans(path, format), None) = (&place, &spec.format) {
                recording.notes.extend(ambiguous(&spec.name, path, *format));
            }
            recording.places.push(place);
        }
        recording.take_origin()?;
        let mut firsts = Vec::new();
        for id in recording.rig.ids() {
            let mut notes = Vec::new();
            let mut branch = recording.branch(id, &mut notes)?;
            recording.notes.append(&mut notes);
            // An opened branch has read as far as its first payload.
            let payload = branch.find(|measurement| !matches!(measurement.payload, Payload::Gap(_)));
            let name = &recording.rig.sensors[usize::from(id.0)].name;
            firsts.extend(payload.map(|payload| (name.clone(), payload.stamp)));
        }
        recording.notes.extend(far_apart(&firsts));
        Ok(recording)
    }

    /// The rig, with the origin that was taken if the file names none.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// What a user should be told: clock shifts, defaults taken, times that were made, sensors that
    /// start more than a day apart.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The measurements of all sensors, in order. Damage inside a sensor's recording is a
    /// [`Gap`](beluga_types::Gap) in its place.
    ///
    /// # Errors
    /// If a sensor's recording holds nothing, or nothing of it can be read.
    pub fn timeline(&self) -> Result<Timeline, Error> {
        if let Some((tape, shifts)) = &self.tape {
            return tape_timeline(tape, shifts);
        }
        let mut branches = Vec::with_capacity(self.places.len() + 1);
        for id in self.rig.ids() {
            branches.push(self.branch(id, &mut Vec::new())?);
        }
        if let Some(path) = self.gaps() {
            branches.push(Box::new(Gaps::open(&path, &self.rig)?));
        }
        Ok(Timeline::merge(branches))
    }

    /// What paths in its rig are relative to.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn rig_file(&self) -> Option<&Path> {
        self.rig_file.as_deref()
    }

    pub(crate) fn tape_file(&self) -> Option<&Path> {
        self.tape.as_ref().map(|(path, _)| path.as_path())
    }

    /// By sensor; of a tape there are none.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    pub(crate) fn gaps(&self) -> Option<PathBuf> {
        Some(self.folder.join("gaps.csv")).filter(|path| path.is_file())
    }

    fn branch(&self, id: SensorId, notes: &mut Vec<String>) -> Result<Branch, Error> {
        let index = usize::from(id.0);
        let (spec, place) = (&self.rig.sensors[index], &self.places[index]);
        let count_jumps = self.gaps().is_none();
        fn boxed<S>(
            source: S,
            id: SensorId,
            spec: &SensorSpec,
            path: &Path,
            count_jumps: bool,
        ) -> Result<Branch, Error>
        where
            S: Source + Send + 'static,
            S::What: Send,
        {
            Ok(Box::new(Stream::open(
                source,
                id,
                spec,
                path.to_owned(),
                count_jumps,
            )?))
        }
        match place {
            Place::Scans(folder, format) => boxed(
                Scans::open(folder, *format, spec, notes)?,
                id,
                spec,
                folder,
                count_jumps,
            ),
            Place::Pings { table, pulses } => boxed(
                Pings::open(table, pulses.as_deref(), spec)?,
                id,
                spec,
                table,
                count_jumps,
            ),
            Place::Wav(files) => {
                let first = files.first().unwrap_or(&self.folder);
                boxed(Blocks::open(files.clone(), spec)?, id, spec, first, count_jumps)
            }
            Place::Ek80(path) => boxed(ek80::Pings::open(path, spec)?, id, spec, path, count_jumps),
            Place::Survey(path, format) => {
                let origin = self.rig.origin.clone().unwrap_or_default();
                let sensor = format.open(path, spec, &origin)?;
                boxed(sensor, id, spec, path, count_jumps)
            }
            Place::Packets(path) => {
                let packets = lidar::open_capture(path, &self.folder, spec, notes)?;
                boxed(packets, id, spec, path, count_jumps)
            }
            Place::Bag(path) => {
                let bag = Bag::open(path)?;
                let (topic, kind) = ros::choose(&bag, path, spec)?;
                if let Kind::Packets(form) = kind {
                    let topic = (topic.as_str(), form);
                    let packets = ros::packets::open(&bag, path, &self.folder, topic, spec, notes)?;
                    return boxed(packets, id, spec, path, count_jumps);
                }
                let played = Played::open(&bag, path, &topic, kind, spec, notes)?;
                boxed(played, id, spec, path, count_jumps)
            }
            Place::Nmea(path) => {
                let origin = self.rig.origin.clone().unwrap_or_default();
                boxed(nmea::open(path, spec, &origin)?, id, spec, path, count_jumps)
            }
            Place::Nav(path) => {
                let origin = self.rig.origin.clone().unwrap_or_default();
                boxed(Fixes::open(path, origin)?, id, spec, path, count_jumps)
            }
        }
    }

    /// Without an origin in the rig, `World` is anchored at the first place in a nav table or bag.
    fn take_origin(&mut self) -> Result<(), Error> {
        if self.rig.origin.is_some() {
            return Ok(());
        }
        for (place, spec) in self.places.iter().zip(&self.rig.sensors) {
            let first = match place {
                Place::Nav(path) => nav::first_place(path)?,
                Place::Nmea(path) => nmea::first_place(path)?,
                Place::Survey(path, format) if spec.kind == SensorKind::Nav => {
                    format.first_place(path, spec)?
                }
                Place::Bag(path) if spec.kind == SensorKind::Nav => place_in_bag(path, spec)?,
                _ => None,
            };
            if let Some(anchor) = first {
                let (lat, lon) = (
                    anchor.latitude_rad.to_degrees(),
                    anchor.longitude_rad.to_degrees(),
                );
                self.notes.push(format!(
                    "the rig names no origin: World is anchored at the first fix, {lat:.7}° {lon:.7}° {:.3} m",
                    anchor.height_m
                ));
                self.rig.origin = Some(Origin {
                    anchor,
                    ..Origin::default()
                });
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The first place on the Earth that a topic of a bag gives.
fn place_in_bag(path: &Path, spec: &SensorSpec) -> Result<Option<Geodetic>, Error> {
    let bag = Bag::open(path)?;
    match ros::choose(&bag, path, spec)? {
        (topic, Kind::NavSat) => ros::first_place(&bag, &topic),
        _ => Ok(None),
    }
}

/// What is said of a sensor whose clock is shifted.
fn shifted(spec: &SensorSpec) -> String {
    let offset_ms = spec.time_offset_nanos as f64 * 1e-6;
    format!("sensor `{}`: clock shifted by {offset_ms} ms", spec.name)
}

fn shift_of(name: &str, shifts: &[(String, i64)]) -> i64 {
    let own = shifts.iter().filter(|(other, _)| other == name);
    own.fold(0i64, |sum, (_, nanos)| sum.saturating_add(*nanos))
}

/// Adds the shifts to what the rig says; one of a sensor that it does not have is refused.
fn shift_clocks(rig: &mut Rig, shifts: &[(String, i64)], path: &Path) -> Result<(), Error> {
    if let Some((name, _)) = shifts
        .iter()
        .find(|(name, _)| !rig.sensors.iter().any(|spec| spec.name == *name))
    {
        let names: Vec<String> = rig
            .sensors
            .iter()
            .map(|spec| format!("`{}`", spec.name))
            .collect();
        return Err(Error::Missing {
            what: format!("the sensor `{name}` (the rig has {})", names.join(", ")),
            path: path.to_owned(),
        });
    }
    for spec in &mut rig.sensors {
        spec.time_offset_nanos = spec
            .time_offset_nanos
            .saturating_add(shift_of(&spec.name, shifts));
    }
    Ok(())
}

/// The measurements of a tape. A shifted sensor is a branch of its own: its place among the others
/// is another one.
fn tape_timeline(path: &Path, shifts: &[(SensorId, i64)]) -> Result<Timeline, Error> {
    let others: Vec<SensorId> = shifts.iter().map(|(id, _)| *id).collect();
    let rest = tape::Row::open(path)?.filter(move |measurement| !others.contains(&measurement.sensor));
    let mut branches: Vec<Branch> = vec![Box::new(rest)];
    for &(id, nanos) in shifts {
        let own = tape::Row::open(path)?.filter(move |measurement| measurement.sensor == id);
        branches.push(Box::new(own.map(move |measurement| Measurement {
            stamp: measurement.stamp.shifted_nanos(nanos),
            end: measurement.end.shifted_nanos(nanos),
            ..measurement
        })));
    }
    Ok(Timeline::merge(branches))
}

/// Notes on sensors whose first times tell that their clocks differ from that of the rig's first.
fn far_apart(firsts: &[(String, Stamp)]) -> impl Iterator<Item = String> {
    let (first, others) = match firsts.split_first() {
        Some((first, others)) => (Some(first), others),
        None => (None, firsts),
    };
    others.iter().filter_map(move |(name, stamp)| {
        let (reference, start) = first?;
        let seconds = stamp.seconds_since(*start);
        let word = if seconds < 0.0 { "before" } else { "after" };
        if let Some(cause) = clock::cause(*start, *stamp) {
            // A clock that was never set is the one to be shifted.
            let (wrong, by_s) = match clock::is_set(*stamp) && !clock::is_set(*start) {
                true => (reference, seconds),
                false => (name, -seconds),
            };
            return Some(format!(
                "sensor `{name}` starts {:.1} s {word} `{reference}`, as by {cause}; if all of it is so: \
                 `--clock-offset {wrong}={by_s:.0}`",
                seconds.abs()
            ));
        }
        let days = seconds / 86_400.0;
        (days.abs() > 1.0).then(|| {
            format!(
                "sensor `{name}` starts {:.0} days {word} `{reference}`: is its time in nanoseconds? A clock that \
                 is wrong is shifted by `--clock-offset {name}=SECONDS`",
                days.abs()
            )
        })
    })
}

/// Nothing at all, or nothing that may be looked at: two errors.
pub(crate) fn must_exist(path: &Path, what: &str) -> Result<(), Error> {
    match path.try_exists() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::Missing {
            what: what.into(),
            path: path.to_owned(),
        }),
        Err(said) => Err(Error::io(path)(said)),
    }
}

/// What is wrong with a file that was taken for a rig: the rig, or that it is none.
fn no_rig(path: &Path, error: Error) -> Error {
    let named = path
        .extension()
        .is_some_and(|found| found.eq_ignore_ascii_case("toml"));
    if named || matches!(fs::read_to_string(path), Ok(text) if text.contains("[[sensor]]")) {
        return error;
    }
    match magic::of(path) {
        Ok(known) => Error::bad(
            path,
            "first bytes",
            "a tape or another MCAP file, a ROS 2 bag, a Simrad EK80 file, a Kongsberg `.kmall` or `.all`, an XTF, a stream of an Oculus, an ARIS or Humminbird file, a capture (pcap, pcapng), PCD, LAS, LAZ or KITTI scans, or a rig that names sources (`.toml`)",
            known.words,
        ),
        Err(error) => error,
    }
}

/// A note if a folder holds scans of other formats than the one that is read.
fn ambiguous(name: &str, folder: &Path, read: ScanFormat) -> Option<String> {
    let others = ScanFormat::ALL.into_iter().filter(|format| *format != read);
    let others: Vec<&str> = others
        .filter(|format| folder.is_dir() && format.is_at(folder))
        .map(ScanFormat::name)
        .collect();
    (!others.is_empty()).then(|| {
        format!(
            "sensor `{name}`: its {} scans are read, those of {} beside them are not (`format` in the rig names one)",
            read.name(),
            others.join(", ")
        )
    })
}

fn folder_rig(folder: &Path, notes: &mut Vec<String>) -> Result<Rig, Error> {
    fs::read_dir(folder).map_err(Error::io(folder))?;
    let rig = folder.join("rig.toml");
    if rig.is_file() {
        return rig_toml::read(&rig);
    }
    if Bag::is_at(folder) {
        return ros::rig(folder, notes);
    }
    if let Some(rig) = bare_rig(folder, notes) {
        return Ok(rig);
    }
    let names: Vec<String> = around::tapes(folder)
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    Err(match names.is_empty() {
        false => Error::Several {
            names,
            path: folder.to_owned(),
        },
        true => Error::Missing {
            what: "`rig.toml`, or a folder of PCD, LAS, LAZ or KITTI `.bin` scans,".into(),
            path: rig,
        },
    })
}

/// The rig of scans that have none: a file, or a folder of files.
fn bare_rig(path: &Path, notes: &mut Vec<String>) -> Option<Rig> {
    let format = ScanFormat::bare(path)?;
    // A cloud of PCD may have times within it; the others come corrected, or lie still.
    let deskewed = format != ScanFormat::Pcd;
    notes.push(format!(
        "no rig.toml: one lidar at the Body origin taken, `.{}` scans{}, 10 Hz from time 0 where they have no times",
        format.extensions().join("`/`."),
        if deskewed { " already deskewed" } else { "" }
    ));
    if path.is_dir() {
        notes.extend(around::not_played(path, format));
    }
    let file = path.file_name().filter(|_| path.is_file());
    let source = match file {
        Some(name) => name.to_str()?,
        None => ".",
    };
    Some(kitti::rig(source, format.name(), deskewed))
}
