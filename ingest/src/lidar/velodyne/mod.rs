//! Velodyne: VLP-16 (Puck, Puck LITE), Puck Hi-Res, HDL-32E, VLP-32C, HDL-64E S2 and S3, VLS-128.
//!
//! `packet`, `position`, `calibration`, `in_band`: bytes → fields. `shots`, `project`: fields →
//! points. `Reader`: packets → scans. Axes of `Sensor`: x forward (azimuth 0, opposite the cable
//! of a Puck), y left, z up, the origin in the head's optical centre; azimuths of the packets count
//! clockwise seen from above. `LIDAR.md` beside this crate says what is read and from where that is
//! known.

pub mod calibration;
pub mod model;
pub mod packet;
pub mod position;

mod angles;
mod hour;
mod in_band;
mod open;
mod positions;
mod project;
mod recognise;
mod shots;

use std::collections::VecDeque;

use beluga_types::Stamp;
use beluga_types::elementary::sin_cos;

use super::sweep::Sweeps;
use super::{Device, Made, PacketCounts, Role};
use crate::capture::Datagram;
use calibration::Calibration;
use hour::Hour;
use model::{Model, Returns};
use packet::{BANKS, Packet, TURN};
use project::Aimed;
use shots::Shots;

pub(super) use open::device;

/// Times of packets that are remembered to know one that comes twice.
const REMEMBERED: usize = 64;
/// A head that turns faster than this, in rad/s, is a wrong azimuth: twice the fastest, 30 Hz.
const MAX_RATE_RAD_PER_S: f64 = 60.0 * std::f64::consts::TAU;

/// Whether this is a packet of a Velodyne, and what it carries.
pub(super) fn knows(datagram: &Datagram) -> Option<Role> {
    match datagram.payload.len() {
        packet::LENGTH => {
            let packet = Packet::new(&datagram.payload).ok()?;
            let is_block = |block| BANKS.contains(&packet.flag(block)) && packet.azimuth(block) < TURN;
            // With both returns a VLS-128 leaves the last four blocks empty.
            (0..8).all(is_block).then_some(Role::Scans)
        }
        // Positions come to a port of their own, with little but a state and a sentence in them.
        position::LENGTH => {
            let is_blank = datagram.payload[..14].iter().all(|byte| *byte == 0);
            let position = position::Position::new(&datagram.payload).ok()?;
            (is_blank && position.sentence.is_some()).then_some(Role::Nav)
        }
        _ => None,
    }
}

/// The scans of one unit.
pub(super) struct Reader {
    model: Model,
    single: (Shots, Aimed),
    dual: (Shots, Aimed),
    hour: Hour,
    sweeps: Sweeps,
    last: Option<Last>,
    rate_rad_per_s: f64,
    recent: VecDeque<(u32, u16)>,
}

/// The newest packet.
#[derive(Clone, Copy)]
struct Last {
    nanos: i64,
    azimuth: u16,
}

impl Reader {
    fn new(model: Model, calibration: &Calibration, hour: Hour) -> Self {
        let of = |returns| {
            let shots = Shots::new(model, returns);
            let aimed = Aimed::new(calibration, &shots.aims);
            (shots, aimed)
        };
        Self {
            model,
            single: of(Returns::Single),
            dual: of(Returns::Dual),
            hour,
            sweeps: Sweeps::default(),
            last: None,
            rate_rad_per_s: 0.0,
            recent: VecDeque::new(),
        }
    }

    fn take(&mut self, packet: &Packet<'_>, received: Stamp, made: &mut Made) {
        let returns = Returns::of(packet, self.model);
        let shots = match returns {
            Returns::Single => &self.single.0,
            Returns::Dual => &self.dual.0,
        };
        let mut blocks = shots.banks.iter().enumerate();
        let fits = |(block, bank): (usize, &u8)| {
            packet.flag(block) == BANKS[usize::from(*bank)] && packet.azimuth(block) < TURN
        };
        if !blocks.all(fits) {
            self.sweeps.counts().corrupt += 1;
            return;
        }
        let key = (packet.micros(), packet.azimuth(0));
        if self.recent.contains(&key) {
            self.sweeps.counts().twice += 1;
            return;
        }
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(key);
        let (stamp, jump) = self.hour.stamp(packet.micros(), received);
        if let Some(jump_s) = jump {
            self.sweeps.finish(made);
            self.last = None;
            made.lose(super::clock::jump(stamp, jump_s));
        }
        let nanos = stamp.nanos();
        let is_late = self.follow(packet, nanos, returns);
        self.points(packet, nanos, received, returns, made);
        if !is_late {
            self.last = Some(Last {
                nanos,
                azimuth: packet.azimuth(0),
            });
        }
    }

    /// What lies between the newest packet and this one; whether this one is late.
    fn follow(&mut self, packet: &Packet<'_>, nanos: i64, returns: Returns) -> bool {
        let pace = self.model.packet_nanos(returns == Returns::Dual);
        let passed = self.last.map(|last| nanos.saturating_sub(last.nanos));
        let is_late = passed.is_some_and(|passed| passed < 0);
        if is_late {
            self.sweeps.found();
        }
        let steps = passed.map_or(1.0, |passed| (passed as f64 / pace).round());
        if steps > 1.0 {
            self.sweeps.lose(steps as u64 - 1);
        }
        if let Some(rate) = self
            .rate(packet, nanos, returns)
            .filter(|rate| *rate < MAX_RATE_RAD_PER_S)
        {
            self.rate_rad_per_s = rate;
        }
        let aimed = match returns {
            Returns::Single => &mut self.single.1,
            Returns::Dual => &mut self.dual.1,
        };
        aimed.turn(self.rate_rad_per_s);
        is_late
    }

    /// How fast the head turns: over the packet, or from the one before if it holds one column.
    fn rate(&self, packet: &Packet<'_>, nanos: i64, returns: Returns) -> Option<f64> {
        let columns = match returns {
            Returns::Single => &self.single.0.columns,
            Returns::Dual => &self.dual.0.columns,
        };
        let last = columns.last()?;
        let (from, passed_s) = match columns.len() {
            1 => {
                let last = self.last?;
                (last.azimuth, 1e-9 * nanos.saturating_sub(last.nanos) as f64)
            }
            _ => (packet.azimuth(0), 1e-9 * last.after_nanos),
        };
        let turned = (i32::from(packet.azimuth(last.block.into())) - i32::from(from)).rem_euclid(TURN.into());
        // A packet behind a hole says nothing: the head may have turned any number of times.
        let is_near = (0.0..0.01).contains(&passed_s) && passed_s > 0.0;
        is_near.then(|| f64::from(turned) * 1e-2_f64.to_radians() / passed_s)
    }

    fn points(
        &mut self,
        packet: &Packet<'_>,
        nanos: i64,
        received: Stamp,
        returns: Returns,
        made: &mut Made,
    ) {
        let (shots, aimed) = match returns {
            Returns::Single => &self.single,
            Returns::Dual => &self.dual,
        };
        let mut is_first = true;
        for column in &shots.columns {
            let azimuth = packet.azimuth(column.block.into());
            let (Some(first), Some(last)) = (column.shots.first(), column.shots.last()) else {
                continue;
            };
            let at = |offset: i32| nanos.saturating_add(offset.into());
            let Some(sweep) = self.sweeps.column(azimuth, at(first.offset_nanos), made) else {
                if is_first {
                    self.sweeps.counts().late += 1;
                }
                return;
            };
            if is_first {
                sweep.packet();
            }
            is_first = false;
            sweep.span(at(first.offset_nanos), at(last.offset_nanos), received);
            let turned = sin_cos((f64::from(azimuth) * 1e-2).to_radians());
            for shot in &column.shots {
                let (distance, intensity) = packet.measurement(shot.block.into(), shot.channel.into());
                let twin = shot
                    .twin
                    .map(|block| packet.measurement(block.into(), shot.channel.into()).0);
                match (distance, twin) {
                    (0, None) if returns == Returns::Single => sweep.miss(),
                    (0, Some(0)) => sweep.miss(),
                    (0, _) => {}
                    // Both returns are one, told twice.
                    (_, Some(other)) if other == distance => {}
                    _ => {
                        let point = aimed.point(shot.aim, turned, distance);
                        sweep.push(
                            point,
                            intensity.into(),
                            aimed.ring(shot.aim),
                            at(shot.offset_nanos),
                        );
                    }
                }
            }
        }
    }
}

impl Device for Reader {
    fn push(&mut self, datagram: &Datagram, made: &mut Made) {
        match Packet::new(&datagram.payload) {
            Ok(packet) => self.take(&packet, datagram.received, made),
            Err(_) if datagram.payload.len() == packet::LENGTH => self.sweeps.counts().corrupt += 1,
            Err(_) => self.sweeps.counts().foreign += 1,
        }
    }

    fn finish(&mut self, made: &mut Made) -> PacketCounts {
        self.sweeps.finish(made);
        std::mem::take(self.sweeps.counts())
    }
}
