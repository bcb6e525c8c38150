//! Hesai: PandarXT-32, PandarQT (QT64), Pandar40P, Pandar64, QT128.
//!
//! `packet`, `date`, `angles`: bytes → fields; `firing`: when a channel fires. `Reader`: packets →
//! scans. Axes of `Sensor`, as in Hesai's manuals: y where azimuth is 0 (away from the cable), x
//! where it is 90° (to the right of y seen from above, azimuths count clockwise), z up.

pub mod angles;
pub mod model;
pub mod packet;

mod date;
mod firing;
mod open;

use std::collections::VecDeque;

use beluga_types::Stamp;
use beluga_types::elementary::sin_cos;

use super::clock::{self, Clock};
use super::numbers::{Numbers, Verdict};
use super::sweep::{Sweep, Sweeps};
use super::{Device, Made, PacketCounts, Role};
use crate::capture::Datagram;
use angles::Angle;
use model::Model;
use packet::{Packet, TURN};

pub(super) use open::device;

/// Times of packets without a number that are remembered to know one that comes twice.
const REMEMBERED: usize = 64;

/// Whether this is a packet of a Hesai, and what it carries. One of a protocol that is not read is
/// known too, so that it can be refused by name.
pub(super) fn knows(datagram: &Datagram) -> Option<Role> {
    let bytes = &datagram.payload;
    let is_ours = match Packet::new(bytes) {
        Ok(packet) => (0..packet.layout().blocks).all(|block| packet.azimuth(block) < TURN),
        Err(_) => matches!(bytes.as_slice(), [0xee, 0xff, 1..=7, 1..=9, ..]) && bytes.len() > 500,
    };
    is_ours.then_some(Role::Scans)
}

/// The scans of one unit.
pub(super) struct Reader {
    model: Model,
    channels: Vec<Channel>,
    /// In the order of their firing: the first sequence and the second.
    firings: [Vec<Firing>; 2],
    clock: Clock,
    numbers: Numbers,
    sweeps: Sweeps,
    newest: Option<i64>,
    recent: VecDeque<(i64, u16)>,
}

/// Where a channel looks: sine and cosine.
struct Channel {
    elevation: (f64, f64),
    azimuth: (f64, f64),
}

/// A channel's firing in a block.
#[derive(Clone, Copy)]
struct Firing {
    channel: usize,
    nanos: i64,
}

/// What a scan's columns share.
struct Column<'a> {
    packet: &'a Packet<'a>,
    block: usize,
    returns: usize,
    unit_m: f64,
    starts: i64,
}

impl Reader {
    fn new(model: Model, angles: &[Angle], clock: Clock) -> Self {
        let firings = [true, false].map(|is_first| {
            let of = |channel| {
                let nanos = firing::channel_nanos(model, channel, is_first)?;
                Some(Firing { channel, nanos })
            };
            let mut firings: Vec<Firing> = (0..model.lasers()).filter_map(of).collect();
            firings.sort_by_key(|firing| firing.nanos);
            firings
        });
        let channel = |(elevation, azimuth): &Angle| Channel {
            elevation: sin_cos(elevation.to_radians()),
            azimuth: sin_cos(azimuth.to_radians()),
        };
        Self {
            model,
            channels: angles.iter().map(channel).collect(),
            firings,
            clock,
            numbers: Numbers::new(32),
            sweeps: Sweeps::default(),
            newest: None,
            recent: VecDeque::new(),
        }
    }

    fn take(&mut self, packet: &Packet<'_>, received: Stamp, made: &mut Made) {
        let blocks = packet.layout().blocks;
        let fits =
            packet.layout().model == self.model && (0..blocks).all(|block| packet.azimuth(block) < TURN);
        let (true, Some(returns), Some(micros)) = (fits, packet.returns(), packet.unix_micros()) else {
            self.sweeps.counts().corrupt += 1;
            return;
        };
        let (stamp, jump) = self.clock.stamp(micros.saturating_mul(1000), received);
        let nanos = stamp.nanos();
        if let Some(jump_s) = jump {
            self.sweeps.finish(made);
            self.newest = None;
            made.lose(clock::jump(stamp, jump_s));
        }
        let verdict = match packet.number() {
            Some(number) => self.numbers.take(number),
            None => self.by_time(packet, nanos, returns),
        };
        match verdict {
            Verdict::Twice => {
                self.sweeps.counts().twice += 1;
                return;
            }
            Verdict::Late => self.sweeps.found(),
            Verdict::Next { lost } => self.sweeps.lose(lost.into()),
            Verdict::Restart => self.sweeps.finish(made),
        }
        self.newest = self.newest.max(Some(nanos));
        self.points(packet, returns, nanos, received, made);
    }

    /// What a packet without a number is: its time says it.
    fn by_time(&mut self, packet: &Packet<'_>, nanos: i64, returns: usize) -> Verdict {
        let key = (nanos, packet.azimuth(0));
        if self.recent.contains(&key) {
            return Verdict::Twice;
        }
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(key);
        let Some(passed) = self.newest.map(|newest| nanos.saturating_sub(newest)) else {
            return Verdict::Next { lost: 0 };
        };
        let pace = self.model.cycle_nanos() * (self.model.blocks() / returns) as i64;
        let steps = passed.saturating_add(pace / 2) / pace;
        match passed {
            ..0 => Verdict::Late,
            _ => Verdict::Next {
                lost: u32::try_from(steps - 1).unwrap_or(0),
            },
        }
    }

    fn points(&mut self, packet: &Packet<'_>, returns: usize, nanos: i64, received: Stamp, made: &mut Made) {
        let mut is_first = true;
        for block in (0..packet.layout().blocks).step_by(returns) {
            let sequence = self
                .model
                .is_first_sequence(block, returns, packet.is_first_sequence());
            let firings = &self.firings[usize::from(!sequence)];
            let (Some(first), Some(last)) = (firings.first(), firings.last()) else {
                continue;
            };
            let starts = nanos.saturating_add(self.model.block_nanos(block, returns));
            let (from, to) = (
                starts.saturating_add(first.nanos),
                starts.saturating_add(last.nanos),
            );
            let Some(sweep) = self.sweeps.column(packet.azimuth(block), from, made) else {
                if is_first {
                    self.sweeps.counts().late += 1;
                }
                return;
            };
            if is_first {
                sweep.packet();
            }
            is_first = false;
            sweep.span(from, to, received);
            let column = Column {
                packet,
                block,
                returns,
                unit_m: 1e-3 * f64::from(packet.layout().unit_mm),
                starts,
            };
            column.put(firings, &self.channels, sweep);
        }
    }
}

impl Column<'_> {
    fn put(&self, firings: &[Firing], channels: &[Channel], sweep: &mut Sweep) {
        let azimuth = sin_cos((f64::from(self.packet.azimuth(self.block)) * 1e-2).to_radians());
        for firing in firings {
            let channel = &channels[firing.channel];
            let nanos = self.starts.saturating_add(firing.nanos);
            let first = self.packet.measurement(self.block, firing.channel);
            let second = (self.returns > 1).then(|| self.packet.measurement(self.block + 1, firing.channel));
            if first.0 == 0 && second.is_none_or(|second| second.0 == 0) {
                sweep.miss();
                continue;
            }
            // Both returns may be one, told twice.
            let second = second.filter(|second| second.0 != first.0);
            for (distance, reflectivity) in [Some(first), second].into_iter().flatten() {
                if distance > 0 {
                    let point = channel.point(azimuth, self.unit_m * f64::from(distance));
                    sweep.push(point, reflectivity.into(), firing.channel as u16, nanos);
                }
            }
        }
    }
}

impl Channel {
    /// Where a return is: x right, y ahead, z up.
    fn point(&self, (sin, cos): (f64, f64), distance_m: f64) -> [f32; 3] {
        let turned = (
            sin * self.azimuth.1 + cos * self.azimuth.0,
            cos * self.azimuth.1 - sin * self.azimuth.0,
        );
        let flat = distance_m * self.elevation.1;
        [
            (flat * turned.0) as f32,
            (flat * turned.1) as f32,
            (distance_m * self.elevation.0) as f32,
        ]
    }
}

impl Device for Reader {
    fn push(&mut self, datagram: &Datagram, made: &mut Made) {
        match Packet::new(&datagram.payload) {
            Ok(packet) => self.take(&packet, datagram.received, made),
            Err(_) if matches!(datagram.payload.as_slice(), [0xee, 0xff, ..] | [0xff, 0xee, ..]) => {
                self.sweeps.counts().corrupt += 1;
            }
            Err(_) => self.sweeps.counts().foreign += 1,
        }
    }

    fn finish(&mut self, made: &mut Made) -> PacketCounts {
        self.sweeps.finish(made);
        std::mem::take(self.sweeps.counts())
    }
}
