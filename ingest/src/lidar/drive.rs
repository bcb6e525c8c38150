//! A maker's reader over datagrams that are at hand, without a rig: for tools, benches and tests.

use std::path::Path;
use std::sync::Arc;

use beluga_types::{LidarScan, Payload, SensorKind, SensorSpec, Stamp};

use super::{Made, Maker, Opening, Role};
use crate::capture::Datagram;
use crate::error::Error;

/// What a reader made.
#[derive(Clone, Debug, Default)]
pub struct Driven {
    /// The scans, each with the time of its first firing.
    pub scans: Vec<(Stamp, Arc<LidarScan>)>,
    /// What went wrong besides, in words.
    pub faults: Vec<String>,
    /// What was taken: model, returns, angles, clock.
    pub notes: Vec<String>,
}

/// The scans in these datagrams of one sensor; the first packet that a maker knows says whose they
/// are. Angles are those built in.
///
/// # Errors
/// If no maker knows one of them, or its reader refuses them.
pub fn scans(datagrams: &[Datagram]) -> Result<Driven, Error> {
    let mut scans = Vec::new();
    let driven = each_scan(datagrams, |stamp, scan| scans.push((stamp, scan)))?;
    Ok(Driven { scans, ..driven })
}

/// The same, each scan given away as soon as it is whole; [`Driven::scans`] stays empty.
///
/// # Errors
/// As [`scans`].
pub fn each_scan(
    datagrams: &[Datagram],
    mut give: impl FnMut(Stamp, Arc<LidarScan>),
) -> Result<Driven, Error> {
    let path = Path::new("datagrams");
    let of = |datagram: &Datagram| {
        let mut makers = Maker::ALL.into_iter();
        makers.find(|maker| maker.knows(datagram) == Some(Role::Scans))
    };
    let maker = datagrams
        .iter()
        .find_map(of)
        .ok_or_else(|| Error::bad(path, "datagrams", "packets of a lidar that is known", "none"))?;
    let mut driven = Driven::default();
    let spec = SensorSpec::new("lidar", SensorKind::Lidar);
    let mut device = maker.device(Opening {
        path,
        spec: &spec,
        calibration: None,
        told: &[],
        start: datagrams,
        beside: Vec::new(),
        notes: &mut driven.notes,
    })?;
    let mut made = Made::default();
    for datagram in datagrams {
        device.push(datagram, &mut made);
        driven.take(&mut made, &mut give);
    }
    device.finish(&mut made);
    driven.take(&mut made, &mut give);
    Ok(driven)
}

impl Driven {
    fn take(&mut self, made: &mut Made, give: &mut impl FnMut(Stamp, Arc<LidarScan>)) {
        for ready in made.ready.drain(..) {
            match ready {
                Ok(measured) => {
                    if let Payload::Lidar(scan) = measured.payload {
                        give(measured.stamp, scan);
                    }
                }
                Err(fault) => self.faults.push(fault.detail),
            }
        }
    }
}
