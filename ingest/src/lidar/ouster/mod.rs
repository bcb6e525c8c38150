//! Ouster OS0, OS1, OS2 (and OSDome): packets of every firmware from 1.13 on.
//!
//! - [`profile`]: what a pixel holds, a table of fields for each profile;
//! - [`packet`]: bytes → fields, for lidar and IMU packets;
//! - [`metadata`]: what the sensor says of itself, of every firmware;
//! - [`projection`]: range → coordinates;
//! - `assembly`: packets → scans; `imu`: packets → samples; `clock`: the sensor's time → UTC;
//!   `beside`: the metadata of a bare capture; `write`: scans → packets, for who sends as a sensor does.
//!
//! `LIDAR.md` beside this crate says what is read, what it means, and from where that is known.

mod assembly;
mod beside;
mod clock;
mod imu;
pub mod metadata;
mod nameplate;
pub mod packet;
pub mod profile;
pub mod projection;
pub(crate) mod write;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beluga_types::{LidarScan, Payload, SensorKind, Stamp};

use super::{Device, Made, Opening, Role};
use crate::capture::{Capture, Datagram};
use crate::error::Error;
pub(crate) use nameplate::{nameplate, told as nameplate_told};

use clock::Clock;
use metadata::Metadata;
use packet::{Imu, Packet};

/// What a packet carries, if it is one of an Ouster's.
pub(super) fn knows(datagram: &Datagram) -> Option<Role> {
    match datagram.payload.as_slice() {
        bytes if packet::looks_like_scans(bytes) => Some(Role::Scans),
        bytes if Imu::read(bytes).is_some_and(|imu| imu.is_plausible()) => Some(Role::Nav),
        _ => None,
    }
}

/// The scans or the IMU of a sensor.
///
/// # Errors
/// If the metadata is not there, cannot be read, or is another sensor's, or its profile is not known.
pub(super) fn device(opening: Opening<'_>) -> Result<Box<dyn Device>, Error> {
    let name = &opening.spec.name;
    let all = || {
        std::iter::once(opening.start)
            .chain(opening.beside.iter().copied())
            .flatten()
    };
    let first = all().find(|datagram| packet::looks_like_scans(&datagram.payload));
    let is_imu = opening.spec.kind == SensorKind::Nav;
    let found = match &opening.calibration {
        Some(path) => {
            let metadata = Metadata::open(path)?;
            if let Some(first) = first {
                must_fit(&metadata, &first.payload, path)?;
            }
            Ok((path.clone(), metadata))
        }
        None => told(&opening, first).map_or_else(|| beside::metadata(opening.path, first), Ok),
    };
    if is_imu {
        // An IMU alone has no metadata to look for: its axes are taken as the sensor's.
        let metadata = found.ok().map(|(_, metadata)| metadata);
        let clock = Clock::of(all(), metadata.as_ref());
        opening.notes.extend(clock.said(name, metadata.as_ref()));
        return Ok(Box::new(imu::Samples::new(metadata, clock)));
    }
    let (path, metadata) = found?;
    if opening.calibration.is_none() {
        opening
            .notes
            .push(format!("sensor `{name}`: metadata taken from {}", path.display()));
    }
    let clock = Clock::of(all(), Some(&metadata));
    opening
        .notes
        .push(format!("sensor `{name}`: {}", metadata.said()));
    opening.notes.extend(clock.said(name, Some(&metadata)));
    Ok(Box::new(assembly::Scans::new(metadata, clock)))
}

/// The metadata that stand in the recording itself and that the packets fit.
fn told(opening: &Opening<'_>, first: Option<&Datagram>) -> Option<(PathBuf, Metadata)> {
    let bytes = first.map_or(&[][..], |first| &first.payload);
    let mut told = opening
        .told
        .iter()
        .filter_map(|text| Metadata::read(text.as_bytes()).ok());
    let fitting = told.find(|metadata| metadata.may_send(bytes))?;
    Some((opening.path.to_owned(), fitting))
}

/// A scan with its number and times.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The number of its frame, which goes on where the device's own starts again.
    pub seq: u64,
    /// First firing.
    pub stamp: Stamp,
    /// Last firing.
    pub end: Stamp,
    /// Its points.
    pub points: Arc<LidarScan>,
}

/// The scans of a capture of one sensor, in their order; what is lost is told in its place. Where the sensor's clock counts from
/// power-on, the capture's clock sets it by the first packet. `path` is the name in messages.
///
/// # Errors
/// If the input does not start as a capture does.
pub fn scans<R: Read>(
    input: R,
    path: &Path,
    metadata: Metadata,
) -> Result<impl Iterator<Item = Result<Scan, String>> + use<R>, Error> {
    let mut capture = Capture::new(input, path)?;
    let mut device = assembly::Scans::new(metadata, Clock::default());
    let (mut made, mut ended) = (Made::default(), false);
    Ok(std::iter::from_fn(move || {
        loop {
            match made.ready.pop_front() {
                Some(Ok(measured)) => match measured.payload {
                    Payload::Lidar(points) => {
                        return Some(Ok(Scan {
                            seq: measured.seq.unwrap_or_default(),
                            stamp: measured.stamp,
                            end: measured.end,
                            points,
                        }));
                    }
                    _ => continue,
                },
                Some(Err(fault)) => return Some(Err(fault.detail)),
                None if ended => return None,
                None => {}
            }
            match capture.next() {
                Some(Ok(datagram)) => device.push(&datagram, &mut made),
                Some(Err(damage)) => made.lose(damage.fault),
                None => {
                    ended = true;
                    device.finish(&mut made);
                }
            }
        }
    }))
}

/// Whether metadata is that of the sensor that sent a packet.
fn must_fit(metadata: &Metadata, bytes: &[u8], path: &Path) -> Result<(), Error> {
    Packet::read(metadata.format(), bytes)
        .and_then(|packet| metadata.fits(&packet))
        .map_err(|misfit| {
            Error::bad(
                path,
                "metadata",
                format!("that of the sensor that is heard: {}", misfit.heard),
                misfit.said,
            )
        })
}
