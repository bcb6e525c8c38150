//! Lidars by their packets: datagrams in, scans out.
//!
//! The seam between a sensor's packets and the timeline. Three parts that do not know each other:
//!
//! 1. **Where datagrams come from**: any iterator of `Result<Datagram, Damage>`: a
//!    [`Capture`](crate::capture) file, messages of a bag, later a socket. A recording that keeps no
//!    addresses gives unspecified ones, and the maker's usual ports.
//! 2. **What they become**: a `Device`, one for each sensor: `push` takes one datagram and puts
//!    what has become whole into `Made`: payloads with their times and what of them is missing,
//!    and faults. `finish` gives what is held at the end. A device knows no files, no rig, no clock
//!    of the host beyond `Datagram::received`. Inside a maker's folder, `bytes → fields` is pure and
//!    `packets → scan` stands apart from it.
//! 3. **How they get onto the timeline**: `PacketScans` plays any device from any iterator as a
//!    `Source`, and `Stream` does the rest: order, late and double scans,
//!    jumps in the sensor's own count.
//!
//! **A maker** is a variant of `Maker` and a folder or file here with two functions, named in the
//! two `match`es of `Maker`:
//! - `knows(&Datagram) -> Option<Role>`: by content alone, whether this is one of its packets, and
//!   which. It finds the sensor's port and address, tells two sensors apart, and lets a bare capture
//!   play. It is asked about every datagram at the start, foreign ones too: let it be strict.
//! - `device(Opening) -> Result<Box<dyn Device>, Error>`: the device for the sensor of a rig, which
//!   is a `lidar` (its scans) or a `nav` (its IMU or position packets). It has the rig's
//!   `calibration` file, if one is named, else may look beside the recording; the first datagrams of
//!   the sensor (to see model, profile and clock); and `notes`, in which it says what it has taken:
//!   model, profile, how the clock lands on the timeline.
//!
//! What a device counts: packets `lost` (the sensor's own count jumps), `found` after all, `late` (its scan is gone),
//! `twice`, `foreign` (on its port, not its own), `corrupt`. They belong to the payload during
//! which they were found (`Measured::packets`) and become gaps that lost no whole payload; whole
//! scans that are missing are told by `seq`, which must not wrap.

pub mod drive;
pub mod hesai;
pub mod livox;
pub mod ouster;
pub mod velodyne;

mod clock;
mod columns;
mod flows;
mod numbers;
mod play;
mod sweep;

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};

use beluga_types::{Payload, Rig, SensorKind, SensorSpec, Stamp, Vessel, Water};

use crate::capture::{Capture, Damage, Datagram};
use crate::error::{Error, Fault};
use crate::nameplate::Nameplate;
use flows::{Flows, LOOK_NANOS};
pub(crate) use play::PacketScans;

/// Whose packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Maker {
    Hesai,
    Livox,
    Ouster,
    Velodyne,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Returns of light.
    Scans,
    /// Rotation rate and acceleration, or position and time.
    Nav,
}

/// Where a sensor's packets stand, and what stands with them.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    /// The recording, for messages and to look beside.
    pub(crate) path: &'a Path,
    /// That of the rig.
    pub(crate) folder: &'a Path,
    /// Texts in the recording that may be a sensor's metadata.
    pub(crate) told: &'a [String],
}

/// What a maker needs to know to make a device.
pub(crate) struct Opening<'a> {
    /// The recording, for messages and to look beside.
    pub(crate) path: &'a Path,
    /// The sensor.
    pub(crate) spec: &'a SensorSpec,
    /// The file that `calibration` names in the rig.
    pub(crate) calibration: Option<PathBuf>,
    /// Texts in the recording that may be its metadata.
    pub(crate) told: &'a [String],
    /// Its first datagrams, of the first second at least.
    pub(crate) start: &'a [Datagram],
    /// The first datagrams of what else the same address sends: one clock stamps them all.
    pub(crate) beside: Vec<&'a [Datagram]>,
    /// What a user should be told.
    pub(crate) notes: &'a mut Vec<String>,
}

/// One sensor's packets on their way to payloads.
pub(crate) trait Device: Send {
    /// Takes the next datagram.
    fn push(&mut self, datagram: &Datagram, made: &mut Made);

    /// The end: what is held is given as far as it goes. Returns what went wrong since the last
    /// payload.
    fn finish(&mut self, made: &mut Made) -> PacketCounts;

    /// What it says of itself.
    fn nameplate(&self) -> Option<Nameplate> {
        None
    }
}

/// What has become whole, and what was lost on the way, in order.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) ready: VecDeque<Result<Measured, Fault>>,
}

impl Made {
    pub(crate) fn give(&mut self, measured: Measured) {
        self.ready.push_back(Ok(measured));
    }

    /// Something that belongs to no payload.
    pub(crate) fn lose(&mut self, fault: Fault) {
        self.ready.push_back(Err(fault));
    }
}

/// A payload that packets made.
#[derive(Debug)]
pub(crate) struct Measured {
    /// The device's own count, unwrapped, if it has one; jumps are losses.
    pub(crate) seq: Option<u64>,
    /// First firing.
    pub(crate) stamp: Stamp,
    /// Last firing.
    pub(crate) end: Stamp,
    /// When the host heard its last packet.
    pub(crate) received: Stamp,
    pub(crate) payload: Payload,
    /// Of a scan: how much of it is there.
    pub(crate) completeness: Option<Completeness>,
    /// What went wrong since the payload before.
    pub(crate) packets: PacketCounts,
}

/// How much of a scan is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Completeness {
    pub(crate) found: u32,
    pub(crate) expected: u32,
    /// What is counted: `columns`, `packets`, `blocks`.
    pub(crate) of: &'static str,
}

/// Packets that are not as they should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PacketCounts {
    pub(crate) lost: u64,
    /// Told as lost with a scan before, and there after all.
    pub(crate) found: u64,
    pub(crate) late: u64,
    pub(crate) twice: u64,
    pub(crate) foreign: u64,
    pub(crate) corrupt: u64,
}

impl PacketCounts {
    pub(crate) fn add(&mut self, other: PacketCounts) {
        self.lost += other.lost;
        self.found += other.found;
        self.late += other.late;
        self.twice += other.twice;
        self.foreign += other.foreign;
        self.corrupt += other.corrupt;
    }
}

impl Maker {
    /// Every maker, in the order in which they are asked.
    pub(crate) const ALL: [Maker; 4] = [Maker::Ouster, Maker::Velodyne, Maker::Hesai, Maker::Livox];

    /// The word for it in `format`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Maker::Hesai => "hesai",
            Maker::Livox => "livox",
            Maker::Ouster => "ouster",
            Maker::Velodyne => "velodyne",
        }
    }

    /// The maker that `format` names.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|maker| maker.name() == name)
    }

    /// All words, for messages.
    pub(crate) fn words() -> String {
        Self::ALL.map(Maker::name).join(", ")
    }

    /// What one of its packets carries, nothing if it is none.
    fn knows(self, datagram: &Datagram) -> Option<Role> {
        match self {
            Maker::Hesai => hesai::knows(datagram),
            Maker::Livox => livox::knows(datagram),
            Maker::Ouster => ouster::knows(datagram),
            Maker::Velodyne => velodyne::knows(datagram),
        }
    }

    fn device(self, opening: Opening<'_>) -> Result<Box<dyn Device>, Error> {
        match self {
            Maker::Hesai => hesai::device(opening),
            Maker::Livox => livox::device(opening),
            Maker::Ouster => ouster::device(opening),
            Maker::Velodyne => velodyne::device(opening),
        }
    }
}

/// The packets of a sensor of a rig as payloads, from anything that gives its datagrams more than
/// once: the start is looked at first.
///
/// # Errors
/// If there are no packets of such a sensor, or of several that the rig does not tell apart, or if
/// what the maker needs to know is missing or is another sensor's.
pub(crate) fn open<I>(
    again: impl Fn() -> Result<I, Error>,
    at: At<'_>,
    spec: &SensorSpec,
    notes: &mut Vec<String>,
) -> Result<PacketScans<I>, Error>
where
    I: Iterator<Item = Result<Datagram, Damage>>,
{
    let begun = begin(again()?, LOOK_NANOS, at, spec, notes)?;
    Ok(PacketScans::new(again()?, begun.own, begun.device, at.path))
}

/// As [`open`], of datagrams that come now: the first, of so many nanoseconds, are looked at and then
/// played first. What was lost before them is in `lost`, and what is lost meanwhile comes there too: it is
/// played before them all, or still there if nothing can be.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_live<I>(
    mut datagrams: I,
    look_nanos: i64,
    at: At<'_>,
    spec: &SensorSpec,
    lost: &mut Vec<Damage>,
    notes: &mut Vec<String>,
) -> Result<PacketScans<impl Iterator<Item = Result<Datagram, Damage>> + use<I>>, Error>
where
    I: Iterator<Item = Result<Datagram, Damage>>,
{
    let looked = datagrams
        .by_ref()
        .inspect(|found| lost.extend(found.as_ref().err().cloned()));
    let begun = begin(looked, look_nanos, at, spec, notes)?;
    let start = begun.start.into_iter().map(Ok);
    let start = std::mem::take(lost).into_iter().map(Err).chain(start);
    let datagrams = start.chain(datagrams);
    Ok(PacketScans::new(datagrams, begun.own, begun.device, at.path))
}

/// A sensor that has been looked at.
struct Begun {
    /// Its first datagrams.
    start: Vec<Datagram>,
    /// Which are its own.
    own: play::Own,
    device: Box<dyn Device>,
}

/// Looks at the start.
fn begin<I>(
    datagrams: I,
    look_nanos: i64,
    At { path, folder, told }: At<'_>,
    spec: &SensorSpec,
    notes: &mut Vec<String>,
) -> Result<Begun, Error>
where
    I: Iterator<Item = Result<Datagram, Damage>>,
{
    let role = match spec.kind {
        SensorKind::Nav => Role::Nav,
        _ => Role::Scans,
    };
    let maker = match spec.format.as_deref() {
        None => None,
        Some(name) => Some(Maker::named(name).ok_or_else(|| unknown(spec, name, path))?),
    };
    let mut flows = Flows::of(datagrams, look_nanos, |flow| {
        flow.role == role && maker.is_none_or(|maker| flow.maker == maker)
    });
    let flow = flows.choose(maker, role, spec, path)?;
    let device = flow.maker.device(Opening {
        path,
        spec,
        calibration: spec.calibration.as_ref().map(|file| folder.join(file)),
        told,
        start: &flow.start,
        beside: flows.beside(flow),
        notes,
    })?;
    let own = play::Own {
        maker: flow.maker,
        source: flow.source,
        port: flow.port,
    };
    let start = flows.start_of(own.source, own.port);
    Ok(Begun { start, own, device })
}

/// As [`open`], of a capture.
pub(crate) fn open_capture(
    path: &Path,
    folder: &Path,
    spec: &SensorSpec,
    notes: &mut Vec<String>,
) -> Result<PacketScans<Capture<File>>, Error> {
    let at = At {
        path,
        folder,
        told: &[],
    };
    open(|| Capture::open(path), at, spec, notes)
}

/// The rig of a recording of packets by itself: a lidar at the `Body` origin for each that is heard,
/// and its IMU beside it.
pub(crate) fn rig<I>(
    again: impl Fn() -> Result<I, Error>,
    path: &Path,
    notes: &mut Vec<String>,
) -> Result<Rig, Error>
where
    I: Iterator<Item = Result<Datagram, Damage>>,
{
    let flows = Flows::of(again()?, LOOK_NANOS, |flow| flow.role == Role::Scans);
    let sensors = flows.sensors(path)?;
    let lidars = sensors
        .iter()
        .filter(|sensor| sensor.kind == SensorKind::Lidar)
        .count();
    notes.push(match lidars {
        1 => "no rig: one lidar at the Body origin taken".to_owned(),
        lidars => {
            format!("no rig: {lidars} lidars taken, all at the Body origin: a rig says where each sits")
        }
    });
    Ok(Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::Unknown,
        sensors,
    })
}

/// Whose packet this is and what it carries, in words.
pub(crate) fn words_for(datagram: &Datagram) -> Option<String> {
    let mut makers = Maker::ALL.into_iter();
    makers.find_map(|maker| {
        let what = match maker.knows(datagram)? {
            Role::Scans => "scans",
            Role::Nav => "IMU or positions",
        };
        Some(format!("{} {what}", maker.name()))
    })
}

fn unknown(spec: &SensorSpec, format: &str, path: &Path) -> Error {
    Error::Unsupported {
        what: format!(
            "format `{format}` of sensor `{}` for packets (expected {})",
            spec.name,
            Maker::words()
        ),
        path: path.to_owned(),
    }
}
