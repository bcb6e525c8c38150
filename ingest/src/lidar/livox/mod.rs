//! Livox of the second protocol (Mid-360, HAP, Avia 2): coordinates as they come, and the IMU.
//!
//! `packet`: bytes → fields. `Reader`: packets → scans of 100 ms by the sensor's clock (these
//! lidars do not repeat their pattern, and a Mid-360 does not count frames). Axes of `Sensor`: the
//! device's, x ahead, y left, z up. Made from the specification; no recording of a real one has been
//! read.

pub mod packet;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod write;

use beluga_types::{Direction, ImuSample, Payload, SensorKind, Stamp};

use super::clock::{self, Clock};
use super::numbers::{Numbers, Verdict};
use super::sweep::{Sweeps, TURN};
use super::{Device, Made, Measured, Opening, PacketCounts, Role};
use crate::capture::Datagram;
use crate::error::Error;
use packet::{Kind, Packet, TimeSource};

/// Standard gravity, in m/s².
const STANDARD_GRAVITY_M_PER_S2: f64 = 9.806_65;
/// How long a scan is.
const SCAN_NANOS: i64 = 100_000_000;

/// Whether this is a packet of a Livox, and what it carries. Double echo is known too, so that it can
/// be refused by name.
pub(super) fn knows(datagram: &Datagram) -> Option<Role> {
    let bytes = &datagram.payload;
    let says_its_length = bytes
        .get(1..3)
        .is_some_and(|length| length == (bytes.len() as u16).to_le_bytes());
    match Packet::new(bytes) {
        _ if !says_its_length => None,
        Ok(packet) if packet.kind() == Kind::Imu => Some(Role::Nav),
        Ok(_) => Some(Role::Scans),
        Err(_) => (bytes.len() > packet::HEAD && bytes[0] == 0 && bytes[10] == 0x11).then_some(Role::Scans),
    }
}

/// The scans or the IMU of a sensor.
///
/// # Errors
/// If there is no packet that is read.
pub(super) fn device(opening: Opening<'_>) -> Result<Box<dyn Device>, Error> {
    let Opening {
        path,
        spec,
        start,
        notes,
        ..
    } = opening;
    let mut read = start
        .iter()
        .map(|datagram| (datagram.received, Packet::new(&datagram.payload)));
    let packets: Vec<_> = read
        .clone()
        .filter_map(|(received, packet)| Some((received, packet.ok()?)))
        .collect();
    let Some((_, first)) = packets.first() else {
        let found = read.find_map(|(_, packet)| packet.err()).unwrap_or("none".into());
        return Err(Error::bad(
            path,
            format!("sensor `{}`", spec.name),
            "packets of a Livox that are read",
            found,
        ));
    };
    let follows = match first.time_source() {
        TimeSource::None => "nothing",
        TimeSource::Ptp => "PTP",
        TimeSource::Gps => "a GNSS receiver",
        TimeSource::Other(_) => "what the protocol does not name",
    };
    let times = packets
        .iter()
        .filter_map(|(received, packet)| Some((i64::try_from(packet.nanos()).ok()?, *received)));
    let clock = Clock::of(times);
    let what = match first.kind() {
        Kind::Imu => "its IMU",
        Kind::Millimetres => "coordinates in mm, scans of 100 ms",
        Kind::Centimetres => "coordinates in cm, scans of 100 ms",
        Kind::Spherical => "distance and angles, scans of 100 ms",
    };
    let name = &spec.name;
    notes.push(format!(
        "sensor `{name}`: Livox, {what}; its clock follows {follows}"
    ));
    notes.push(format!(
        "sensor `{name}`: {}",
        clock.said("a Livox's does that counts from power-on")
    ));
    Ok(match spec.kind {
        SensorKind::Nav => Box::new(Imu {
            link: Link::new(clock),
        }),
        _ => Box::new(Reader {
            link: Link::new(clock),
            sweeps: Sweeps::default(),
            begins: None,
        }),
    })
}

/// What scans and IMU share: clock and numbers.
struct Link {
    clock: Clock,
    numbers: Numbers,
    counts: PacketCounts,
}

impl Link {
    fn new(clock: Clock) -> Self {
        Self {
            clock,
            numbers: Numbers::new(16),
            counts: PacketCounts::default(),
        }
    }

    /// A packet with its time and what its number says; nothing if it is to be left out.
    fn take<'a>(&mut self, datagram: &'a Datagram, made: &mut Made) -> Option<Taken<'a>> {
        let Ok(packet) = Packet::new(&datagram.payload) else {
            self.counts.corrupt += 1;
            return None;
        };
        let verdict = self.numbers.take(packet.number().into());
        if verdict == Verdict::Twice {
            self.counts.twice += 1;
            return None;
        }
        let Ok(nanos) = i64::try_from(packet.nanos()) else {
            self.counts.corrupt += 1;
            return None;
        };
        let (stamp, jump_s) = self.clock.stamp(nanos, datagram.received);
        if let Some(jump_s) = jump_s {
            made.lose(clock::jump(stamp, jump_s));
        }
        Some(Taken {
            packet,
            stamp,
            verdict,
            is_anew: jump_s.is_some() || verdict == Verdict::Restart,
        })
    }
}

struct Taken<'a> {
    packet: Packet<'a>,
    stamp: Stamp,
    verdict: Verdict,
    /// The sensor began anew.
    is_anew: bool,
}

/// The scans of one unit.
struct Reader {
    link: Link,
    sweeps: Sweeps,
    /// When the first scan begins.
    begins: Option<i64>,
}

impl Reader {
    fn points(&mut self, taken: &Taken<'_>, received: Stamp, made: &mut Made) {
        let (packet, first) = (&taken.packet, taken.stamp.nanos());
        let begins = *self.begins.get_or_insert(first);
        let into_scan = first.saturating_sub(begins).rem_euclid(SCAN_NANOS);
        // Where a head would be that turns once a scan.
        let azimuth = (into_scan * i64::from(TURN) / SCAN_NANOS) as u16;
        let Some(sweep) = self.sweeps.column(azimuth, first, made) else {
            self.sweeps.counts().late += 1;
            return;
        };
        sweep.packet();
        let at = |sample| first.saturating_add(packet.offset_nanos(sample));
        sweep.span(first, at(packet.samples() - 1), received);
        for sample in 0..packet.samples() {
            let found = packet.at(sample);
            match found.point_m == [0.0; 3] {
                true => sweep.miss(),
                false => sweep.push(found.point_m, found.reflectivity.into(), 0, at(sample)),
            }
        }
    }
}

impl Device for Reader {
    fn push(&mut self, datagram: &Datagram, made: &mut Made) {
        let taken = self.link.take(datagram, made);
        self.sweeps.counts().add(std::mem::take(&mut self.link.counts));
        let Some(taken) = taken else {
            return;
        };
        if taken.packet.kind() == Kind::Imu {
            self.sweeps.counts().foreign += 1;
            return;
        }
        if taken.is_anew {
            self.sweeps.finish(made);
            self.begins = None;
        }
        match taken.verdict {
            Verdict::Late => self.sweeps.found(),
            Verdict::Next { lost } => self.sweeps.lose(lost.into()),
            Verdict::Restart | Verdict::Twice => {}
        }
        self.points(&taken, datagram.received, made);
    }

    fn finish(&mut self, made: &mut Made) -> PacketCounts {
        self.sweeps.finish(made);
        std::mem::take(self.sweeps.counts())
    }
}

/// The IMU of one unit.
struct Imu {
    link: Link,
}

impl Device for Imu {
    fn push(&mut self, datagram: &Datagram, made: &mut Made) {
        let Some(taken) = self.link.take(datagram, made) else {
            return;
        };
        let Some([rate, force]) = taken.packet.imu() else {
            self.link.counts.foreign += 1;
            return;
        };
        if let Verdict::Next { lost } = taken.verdict {
            self.link.counts.lost += u64::from(lost);
        }
        let direction = |axes: [f32; 3], unit: f64| {
            let [x, y, z] = axes.map(|axis| f64::from(axis) * unit);
            Direction::new(x, y, z)
        };
        if rate.iter().chain(&force).any(|axis| !axis.is_finite()) {
            self.link.counts.corrupt += 1;
            return;
        }
        let sample = ImuSample {
            rate_rad_per_s: direction(rate, 1.0),
            specific_force_m_per_s2: direction(force, STANDARD_GRAVITY_M_PER_S2),
        };
        made.give(Measured {
            seq: None,
            stamp: taken.stamp,
            end: taken.stamp,
            received: datagram.received,
            payload: Payload::Imu(sample),
            completeness: None,
            packets: std::mem::take(&mut self.link.counts),
        });
    }

    fn finish(&mut self, _made: &mut Made) -> PacketCounts {
        std::mem::take(&mut self.link.counts)
    }
}
