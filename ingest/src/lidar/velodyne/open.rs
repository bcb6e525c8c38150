//! A reader for the unit of a rig: model, calibration, clock, and what is said of them.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use beluga_types::{SensorKind, Stamp};

use super::calibration::{Calibration, MAX_FILE};
use super::hour::{self, Hour, Set};
use super::model::{Model, Returns};
use super::packet::{self, Packet};
use super::position::{Position, Pps, Sentence};
use super::positions::Positions;
use super::{Reader, in_band, recognise};
use crate::capture::{self, Capture, Datagram};
use crate::error::Error;
use crate::lidar::{Device, Opening};
use crate::regular;

/// Datagrams that are looked at for a calibration in the stream: six rounds of the memory of an
/// HDL-64E, of which each takes 4160 packets.
const LOOKED_AT: usize = 25_000;

pub(in crate::lidar) fn device(opening: Opening<'_>) -> Result<Box<dyn Device>, Error> {
    match opening.spec.kind {
        SensorKind::Nav => positions(opening),
        _ => lidar(opening),
    }
}

fn lidar(opening: Opening<'_>) -> Result<Box<dyn Device>, Error> {
    let Opening {
        path,
        spec,
        calibration,
        told: _,
        start,
        beside,
        notes,
    } = opening;
    let wrong = |expected: String, found: String| {
        Error::bad(path, format!("sensor `{}`", spec.name), expected, found)
    };
    let mut note = |text: String| notes.push(format!("sensor `{}`: {text}", spec.name));
    let said = match &spec.model {
        None => None,
        Some(name) => {
            let model = Model::named(name);
            if model.is_none() {
                note(format!(
                    "`model` \"{name}\" is no Velodyne that is known; {} are",
                    names()
                ));
            }
            model
        }
    };
    let packets: Vec<Packet<'_>> = start
        .iter()
        .filter_map(|datagram| Packet::new(&datagram.payload).ok())
        .collect();
    let found = recognise::model(&packets, said).map_err(|found| wrong("a Velodyne".into(), found))?;
    found.note.into_iter().for_each(&mut note);
    let Some(((first, packet), source)) = first(start) else {
        return Err(wrong("data packets of 1206 bytes".into(), "none".into()));
    };
    let mut model = found.model;
    let (calibration, from) = match &calibration {
        Some(file) => (
            read(file, model)?,
            format!("calibration `{}`", regular::name(file)),
        ),
        None => match Calibration::built_in(model) {
            Some(built_in) => (built_in, "angles of the manual".to_owned()),
            None => {
                let (own, calibration) = own_calibration(path, start, source).ok_or_else(|| {
                    wrong(
                        format!(
                            "the calibration of this {} in its stream or as `calibration` in the rig",
                            model.name()
                        ),
                        "neither (a whole one in the stream takes 4160 packets)".into(),
                    )
                })?;
                if said.is_none() {
                    model = own;
                }
                (calibration, "calibration from its stream".to_owned())
            }
        },
    };
    let returns = match Returns::of(&packet, model) {
        Returns::Single => "one return a firing",
        Returns::Dual => "two returns a firing, counted once where they are one",
    };
    note(format!("Velodyne {}, {returns}, {from}", model.name()));
    let receiver = receiver(beside.into_iter().flatten());
    let (hour, set) = Hour::new(
        packet.micros(),
        first.received,
        receiver.as_ref().map(|found| found.time),
    );
    note(said_of_clock(set, receiver.as_ref(), &packet, first.received));
    Ok(Box::new(Reader::new(model, &calibration, hour)))
}

fn positions(opening: Opening<'_>) -> Result<Box<dyn Device>, Error> {
    let Opening {
        path,
        spec,
        start,
        notes,
        ..
    } = opening;
    let read = |datagram: &Datagram| Some((datagram.received, Position::new(&datagram.payload).ok()?));
    let Some((received, position)) = start.iter().find_map(read) else {
        return Err(Error::bad(
            path,
            format!("sensor `{}`", spec.name),
            "position packets",
            "none",
        ));
    };
    let time = receiver(start).map(|found| found.time);
    let (hour, _) = Hour::new(position.micros, received, time);
    notes.push(format!(
        "sensor `{}`: Velodyne position packets: the state of its clock each second, and fixes with a height (GGA); RMC has no height and gives the hour only",
        spec.name
    ));
    Ok(Box::new(Positions::new(hour)))
}

/// The first packet of a recording, and who sent it.
fn first(start: &[Datagram]) -> Option<((&Datagram, Packet<'_>), Option<IpAddr>)> {
    let mut read = start
        .iter()
        .filter_map(|datagram| Some((datagram, Packet::new(&datagram.payload).ok()?)));
    let (datagram, packet) = read.next()?;
    Some(((datagram, packet), Some(datagram.source.ip())))
}

/// What a receiver says in a recording.
struct Receiver {
    time: Stamp,
    pps: Pps,
}

/// The first valid date and time that the receiver of this unit tells.
fn receiver<'a>(positions: impl IntoIterator<Item = &'a Datagram>) -> Option<Receiver> {
    positions.into_iter().find_map(|datagram| {
        let position = Position::new(&datagram.payload).ok()?;
        match position.sentence? {
            Sentence::Minimum {
                unix_s, valid: true, ..
            } => Some(Receiver {
                time: Stamp::from_nanos(unix_s.checked_mul(1_000_000_000)?),
                pps: position.pps,
            }),
            _ => None,
        }
    })
}

/// The calibration that an HDL-64E sends with its packets.
fn own_calibration(path: &Path, start: &[Datagram], source: Option<IpAddr>) -> Option<(Model, Calibration)> {
    fn whole(datagrams: &[Datagram]) -> Option<(Model, Calibration)> {
        in_band::calibration(
            datagrams
                .iter()
                .filter_map(|datagram| Packet::new(&datagram.payload).ok()),
        )
    }
    whole(start).or_else(|| {
        let own = |datagram: &Datagram| {
            Some(datagram.source.ip()) == source && datagram.payload.len() == packet::LENGTH
        };
        whole(&all(path).filter(own).collect::<Vec<_>>())
    })
}

/// The first datagrams of a capture; none of what is no capture.
fn all(path: &Path) -> impl Iterator<Item = Datagram> {
    let capture = capture::looks_like(path)
        .then(|| Capture::open(path).ok())
        .flatten();
    capture
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .take(LOOKED_AT)
}

fn read(file: &Path, model: Model) -> Result<Calibration, Error> {
    let bad = |expected: &str, found: String| Error::bad(file, "calibration", expected, found);
    let length = fs::metadata(file).map_err(Error::io(file))?.len();
    if length > MAX_FILE {
        return Err(bad("at most 1 MiB", format!("{length} bytes")));
    }
    let text = fs::read_to_string(file).map_err(Error::io(file))?;
    Calibration::from_yaml(&text, model).map_err(|found| bad("what its model has", found))
}

fn said_of_clock(set: Set, receiver: Option<&Receiver>, packet: &Packet<'_>, received: Stamp) -> String {
    match (set, receiver) {
        (Set::Receiver, Some(receiver)) => format!(
            "clock: hour and date from its receiver (RMC {}), PPS {}",
            receiver.time.iso_8601(),
            receiver.pps.name()
        ),
        (Set::Receiver | Set::Host, _) => {
            "clock: µs since the hour agree with the host's clock, which gives the hour; no receiver is heard"
                .to_owned()
        }
        (Set::Heard, _) => {
            let off = hour::off_hour(received.nanos().div_euclid(1000) - i64::from(packet.micros()));
            format!(
                "clock: not set (its µs since the hour are {:+.1} s off the host's, no receiver is heard): scans are placed by when the host heard the first packet; PPS and a receiver set it, `time_offset_ms` shifts it",
                off as f64 * -1e-6
            )
        }
    }
}

fn names() -> String {
    Model::ALL.map(Model::name).join(", ")
}
