//! Serial number and firmware in an Ouster's metadata.

use std::path::Path;

use beluga_types::SensorSpec;

use super::metadata::Metadata;
use super::{beside, packet};
use crate::capture::Capture;
use crate::nameplate::Nameplate;

/// Datagrams of a capture that are looked at for one of the sensor's.
const LOOK: usize = 10_000;

/// What the metadata says that a rig names, else that which fits a capture.
pub(crate) fn nameplate(path: &Path, spec: &SensorSpec, calibration: Option<&Path>) -> Option<Nameplate> {
    let metadata = match calibration {
        Some(named) => Metadata::open(named).ok()?,
        None => {
            let mut datagrams = Capture::open(path).ok()?.take(LOOK).filter_map(Result::ok);
            let own = datagrams.find(|datagram| {
                let source = datagram.source.ip().to_string();
                packet::looks_like_scans(&datagram.payload)
                    && spec.port.is_none_or(|port| port == datagram.destination.port())
                    && spec.address.as_ref().is_none_or(|address| *address == source)
            })?;
            beside::metadata(path, Some(&own)).ok()?.1
        }
    };
    Some(of(&metadata))
}

/// What texts say that may be metadata, if they are those of one sensor.
pub(crate) fn told(texts: &[String]) -> Option<Nameplate> {
    let mut said = texts
        .iter()
        .filter_map(|text| Some(of(&Metadata::read(text.as_bytes()).ok()?)));
    let first = said.next()?;
    said.all(|other| other == first).then_some(first)
}

/// What metadata say.
pub(super) fn of(metadata: &Metadata) -> Nameplate {
    Nameplate {
        serial: metadata.serial.map(|serial| serial.to_string()),
        firmware: Some(metadata.firmware.clone()).filter(|said| !said.is_empty()),
    }
}
