//! A reader for the unit of a rig: model, angles, clock, and what is said of them.

use std::fs;
use std::path::{Path, PathBuf};

use super::Reader;
use super::angles::{self, Angle, MAX_FILE};
use super::model::Model;
use super::packet::Packet;
use crate::error::Error;
use crate::lidar::clock::Clock;
use crate::lidar::{Device, Opening};
use crate::regular;
use crate::scans::files;

/// Files beside a capture that are tried.
const MAX_FILES: usize = 256;

pub(in crate::lidar) fn device(opening: Opening<'_>) -> Result<Box<dyn Device>, Error> {
    let Opening {
        path,
        spec,
        calibration,
        start,
        notes,
        ..
    } = opening;
    let wrong = |expected: String, found: String| {
        Error::bad(path, format!("sensor `{}`", spec.name), expected, found)
    };
    let first = start.iter().map(|datagram| Packet::new(&datagram.payload));
    let mut first = first.collect::<Vec<_>>().into_iter();
    let packet = match (first.clone().find_map(Result::ok), first.find_map(Result::err)) {
        (Some(packet), _) => packet,
        (None, found) => {
            return Err(wrong(
                "packets of a Hesai that is read".into(),
                found.unwrap_or("none".into()),
            ));
        }
    };
    let model = packet.layout().model;
    let (angles, from) = match calibration {
        Some(file) => (read(&file, model)?, format!("angles of `{}`", regular::name(&file))),
        None => match (beside(path, model), angles::design(model)) {
            (Some((file, angles)), _) => (angles, format!("angles of `{}` beside it", regular::name(&file))),
            (None, Some(design)) => (
                design,
                "the manual's design angles: the unit's own are in its correction file (`calibration` in the rig)".into(),
            ),
            (None, None) => {
                return Err(wrong(
                    format!("the angle correction file (CSV) of this {} as `calibration` in the rig or beside it", model.name()),
                    "neither".into(),
                ));
            }
        },
    };
    let returns = match packet.returns() {
        Some(2) => "two returns a firing, counted once where they are one",
        _ => "one return a firing",
    };
    let times = start.iter().filter_map(|datagram| {
        let micros = Packet::new(&datagram.payload).ok()?.unix_micros()?;
        Some((micros.checked_mul(1000)?, datagram.received))
    });
    let clock = Clock::of(times);
    let name = &spec.name;
    notes.push(format!(
        "sensor `{name}`: Hesai {}, mode {:#04x}: {returns}, {} turns a minute, {from}",
        model.name(),
        packet.mode(),
        packet.speed_rpm()
    ));
    notes.push(format!(
        "sensor `{name}`: {}",
        clock.said("a Hesai's does that has had neither PTP nor GPS")
    ));
    Ok(Box::new(Reader::new(model, &angles, clock)))
}

/// The one file beside a capture that is a correction file of this model.
fn beside(capture: &Path, model: Model) -> Option<(PathBuf, Vec<Angle>)> {
    let folder = match capture.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let tried = files(folder, "csv").unwrap_or_default();
    let mut fitting = tried
        .into_iter()
        .take(MAX_FILES)
        .filter_map(|file| Some((read(&file, model).ok()?, file)));
    let (angles, file) = fitting.next()?;
    fitting.next().is_none().then_some((file, angles))
}

fn read(file: &Path, model: Model) -> Result<Vec<Angle>, Error> {
    let bad = |expected: &str, found: String| Error::bad(file, "angle correction", expected, found);
    let length = fs::metadata(file).map_err(Error::io(file))?.len();
    if length > MAX_FILE {
        return Err(bad("at most 256 KiB", format!("{length} bytes")));
    }
    let text = fs::read_to_string(file).map_err(Error::io(file))?;
    angles::of_file(&text, model).map_err(|found| bad("what its model has", found))
}
