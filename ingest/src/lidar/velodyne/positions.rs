//! The unit's clock: its state from position packets, and what is said of it.

use beluga_types::{ClockState, Geodetic, GnssFix, Payload, Stamp};

use super::hour::Hour;
use super::position::{Position, Pps, Sentence};
use crate::capture::Datagram;
use crate::lidar::clock::jump;
use crate::lidar::{Device, Made, Measured, PacketCounts};

/// A state is told when it changes, and at least so often.
const EVERY_NANOS: i64 = 1_000_000_000;
/// One sigma of when a host hears a packet: its buffers, as far as captures show (1 ms).
const HEARD_SIGMA_NANOS: f64 = 1e6;

/// State and fixes in a unit's position packets.
pub(super) struct Positions {
    hour: Hour,
    told: Option<(Pps, i64)>,
    fix: Option<Sentence>,
    counts: PacketCounts,
}

impl Positions {
    pub(super) fn new(hour: Hour) -> Self {
        Self {
            hour,
            told: None,
            fix: None,
            counts: PacketCounts::default(),
        }
    }

    fn give(&mut self, payload: Payload, stamp: Stamp, received: Stamp, made: &mut Made) {
        made.give(Measured {
            seq: None,
            stamp,
            end: stamp,
            received,
            payload,
            completeness: None,
            packets: std::mem::take(&mut self.counts),
        });
    }
}

impl Device for Positions {
    fn push(&mut self, datagram: &Datagram, made: &mut Made) {
        let Ok(position) = Position::new(&datagram.payload) else {
            self.counts.corrupt += 1;
            return;
        };
        let received = datagram.received;
        let (stamp, jumped) = self.hour.stamp(position.micros, received);
        if let Some(jump_s) = jumped {
            made.lose(jump(stamp, jump_s));
        }
        let nanos = stamp.nanos();
        let is_due = self.told.is_none_or(|(pps, told)| {
            pps != position.pps || nanos.saturating_sub(told).saturating_abs() >= EVERY_NANOS
        });
        if is_due {
            self.told = Some((position.pps, nanos));
            let state = ClockState {
                offset_nanos: received.nanos().saturating_sub(nanos),
                sigma_nanos: HEARD_SIGMA_NANOS,
                locked: position.pps == Pps::Locked,
            };
            self.give(Payload::Clock(state), stamp, received, made);
        }
        // A sentence stands in every packet until the next one comes.
        let fix = position
            .sentence
            .filter(|sentence| Some(sentence) != self.fix.as_ref());
        if let Some(
            fix @ Sentence::Fix {
                place_rad, height_m, ..
            },
        ) = fix
        {
            let [latitude_rad, longitude_rad] = place_rad;
            let place = Geodetic {
                latitude_rad,
                longitude_rad,
                height_m,
            };
            self.fix = Some(fix);
            let fix = GnssFix {
                place,
                covariance_m2: None,
            };
            self.give(Payload::Gnss(fix), stamp, received, made);
        }
    }

    fn finish(&mut self, _made: &mut Made) -> PacketCounts {
        std::mem::take(&mut self.counts)
    }
}
