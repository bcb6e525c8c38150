//! Where each sensor's recording lies.

use std::fs;
use std::path::{Path, PathBuf};

use beluga_types::{Rig, SensorKind, SensorSpec};

use crate::capture;
use crate::ek80;
use crate::error::Error;
use crate::folder::must_exist;
use crate::lidar::Maker;
use crate::live::address;
use crate::nmea;
use crate::ros::{Bag, FORMATS};
use crate::scans::{ScanFormat, files};
use crate::survey::format::Survey;

/// Where one sensor's recording lies.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A folder of scans.
    Scans(PathBuf, ScanFormat),
    /// A table of pings, and the table of what was transmitted.
    Pings { table: PathBuf, pulses: Option<PathBuf> },
    /// WAV files without pings.
    Wav(Vec<PathBuf>),
    /// A file of an EK80, of which the sensor is a channel.
    Ek80(PathBuf),
    /// A file of a survey sonar, of which the sensor is a part.
    Survey(PathBuf, Survey),
    /// A capture of a lidar's packets.
    Packets(PathBuf),
    /// A bag, of which the sensor is a topic.
    Bag(PathBuf),
    /// A table of fixes.
    Nav(PathBuf),
    /// A log of NMEA sentences.
    Nmea(PathBuf),
}

/// Finds the source of a sensor: the one its `source` names, relative to the rig, or the usual one.
pub(crate) fn place(folder: &Path, rig: &Rig, spec: &SensorSpec) -> Result<Place, Error> {
    let alone = rig.sensors.iter().filter(|other| other.kind == spec.kind).count() == 1;
    let usual = match spec.kind {
        SensorKind::Lidar if alone => "lidar".to_owned(),
        SensorKind::Lidar => format!("lidar/{}", spec.name),
        SensorKind::Sonar => "sonar".to_owned(),
        SensorKind::Nav if alone => "nav.csv".to_owned(),
        SensorKind::Nav => format!("nav/{}.csv", spec.name),
    };
    let source = spec.source.as_ref().unwrap_or(&usual);
    if address::is_live(source) {
        return Err(Error::Unsupported {
            what: format!(
                "sensor `{}`, which is heard live (`beluga live --rig`),",
                spec.name
            ),
            path: source.into(),
        });
    }
    let path = folder.join(source);
    must_exist(&path, &format!("the source of sensor `{}`", spec.name))?;
    if path.is_dir() {
        // What may not be looked into does not hold nothing.
        fs::read_dir(&path).map_err(Error::io(&path))?;
    }
    let may_be_bag = match spec.format.as_deref() {
        None => Bag::is_at(&path),
        Some(format) => FORMATS.contains(&format) || (Maker::named(format).is_some() && Bag::is_at(&path)),
    };
    if may_be_bag && spec.kind != SensorKind::Sonar {
        return Ok(Place::Bag(path));
    }
    if has_packets(&path, spec) {
        return Ok(Place::Packets(path));
    }
    if spec.topic.is_some() && !may_be_bag {
        return Err(Error::Unsupported {
            what: format!("the `topic` of sensor `{}`, whose source is no bag,", spec.name),
            path,
        });
    }
    if let Some(format) = survey(&path, spec) {
        return Ok(Place::Survey(path, format));
    }
    match spec.kind {
        SensorKind::Lidar => scans(path, spec),
        SensorKind::Sonar => pings(folder, path, spec, alone),
        SensorKind::Nav => match spec.format.as_deref() {
            Some("nmea") => Ok(Place::Nmea(path)),
            None if nmea::looks_like(&path) => Ok(Place::Nmea(path)),
            None | Some("csv") => Ok(Place::Nav(path)),
            Some(other) => Err(unknown(
                spec,
                other,
                &format!("csv, nmea, bag, {}, {}", Survey::words(), Maker::words()),
                path,
            )),
        },
    }
}

/// The format of a survey sonar's file, of which a sonar or a nav sensor is a part.
fn survey(path: &Path, spec: &SensorSpec) -> Option<Survey> {
    match spec.format.as_deref() {
        _ if spec.kind == SensorKind::Lidar => None,
        Some(name) => Survey::named(name),
        None => path.is_file().then(|| Survey::of(path)).flatten(),
    }
}

/// Whether these are packets of a lidar, which has scans and, as a nav sensor, an IMU or positions.
fn has_packets(path: &Path, spec: &SensorSpec) -> bool {
    let may = spec.kind != SensorKind::Sonar;
    may && match spec.format.as_deref() {
        Some(name) => Maker::named(name).is_some(),
        None => capture::looks_like(path),
    }
}

fn scans(path: PathBuf, spec: &SensorSpec) -> Result<Place, Error> {
    let format = match spec.format.as_deref() {
        Some(name) => ScanFormat::named(name),
        None => ScanFormat::ALL.into_iter().find(|format| format.is_at(&path)),
    };
    match (format, &spec.format) {
        (Some(format), _) => Ok(Place::Scans(path, format)),
        (None, Some(other)) => Err(unknown(
            spec,
            other,
            &format!("ply, pcd, las, laz, kitti, xyz32, bag, {}", Maker::words()),
            path,
        )),
        (None, None) => Err(Error::Empty {
            expected: format!(
                "scans of sensor `{}`: `*.ply`, `*.pcd`, `*.las`, `*.laz`, `*.bin` or `*.xyz32`",
                spec.name
            ),
            path,
        }),
    }
}

fn pings(folder: &Path, path: PathBuf, spec: &SensorSpec, alone: bool) -> Result<Place, Error> {
    match spec.format.as_deref() {
        Some("ek80") => return Ok(Place::Ek80(path)),
        None if ek80::looks_like(&path) => return Ok(Place::Ek80(path)),
        None | Some("wav") => {}
        Some(other) => {
            let known = format!("wav, ek80, {}", Survey::words());
            return Err(unknown(spec, other, &known, path));
        }
    }
    let with_pulses = |table: PathBuf| {
        let beside = table.with_file_name("pulses.csv");
        let pulses = [folder.join("pulses.csv"), beside]
            .into_iter()
            .find(|path| path.is_file());
        Place::Pings { table, pulses }
    };
    if path.is_file() {
        let is_table = path.extension().is_some_and(|extension| extension == "csv");
        return Ok(if is_table {
            with_pulses(path)
        } else {
            Place::Wav(vec![path])
        });
    }
    let own = path.join(format!("{}.pings.csv", spec.name));
    if own.is_file() {
        return Ok(with_pulses(own));
    }
    let is_table = |file: &PathBuf| file.to_string_lossy().ends_with(".pings.csv");
    let tables: Vec<PathBuf> = files(&path, "csv")
        .unwrap_or_default()
        .into_iter()
        .filter(is_table)
        .collect();
    match tables.as_slice() {
        [only] if alone => Ok(with_pulses(only.clone())),
        [] => Ok(Place::Wav(files(&path, "wav")?)),
        _ => Err(Error::Missing {
            what: format!("the pings of sensor `{}`", spec.name),
            path: own,
        }),
    }
}

fn unknown(spec: &SensorSpec, format: &str, known: &str, path: PathBuf) -> Error {
    Error::Unsupported {
        what: format!("format `{format}` of sensor `{}` (expected {known})", spec.name),
        path,
    }
}
