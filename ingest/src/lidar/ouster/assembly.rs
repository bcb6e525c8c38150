//! Packets → scans.
//!
//! A scan is what its frame's number says. It is given when it is whole, or when so much of the next
//! is there that no packet of it can be under way any more, so that packets out of order find their
//! scan. Points come column by column as they were measured, each column from the top row down, the
//! second return of a pixel behind its first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use beluga_types::{GapCause, LidarScan, Payload, Stamp};

use super::clock::Clock;
use super::metadata::Metadata;
use super::nameplate;
use super::packet::Packet;
use super::profile::{Field, Place};
use super::projection::{ColumnBeams, Projection};
use crate::capture::Datagram;
use crate::error::Fault;
use crate::lidar::{Completeness, Device, Made, Measured, PacketCounts};
use crate::nameplate::Nameplate;
use crate::range::is_time;

/// Packets of the next scan after which a scan is given as it is: a tenth of a scan, and far more
/// than networks change the order of.
const WAIT_PACKETS: usize = 8;
/// Frames by which a packet may be behind.
const LATE_FRAMES: i64 = 8;
/// Frames by which a frame's number and its time may differ.
const LOOSE_FRAMES: f64 = 3.0;
/// Scans per second where the metadata does not say.
const USUAL_RATE_HZ: f64 = 10.0;
/// How far a column's time may be from the middle of its scan; the slowest mode takes 0.2 s.
const MAX_APART_NANOS: i64 = 1_000_000_000;

/// The scans of a sensor.
pub(super) struct Scans {
    metadata: Metadata,
    projection: Projection,
    returns: Vec<[Place; 2]>,
    clock: Clock,
    last: Option<Last>,
    /// A packet whose number and time do not follow; the next tells whether it is damage.
    suspect: Option<(u32, u64)>,
    open: VecDeque<Sweep>,
    given: Option<Given>,
    packets: PacketCounts,
}

/// The newest packet.
#[derive(Clone, Copy)]
struct Last {
    frame: u32,
    seq: u64,
    time_nanos: u64,
    initialisation: Option<u32>,
}

/// A scan that is being put together.
struct Sweep {
    seq: u64,
    received: Stamp,
    /// By their first column.
    packets: BTreeMap<u16, Vec<u8>>,
    seen: Columns,
}

/// The scan that was given last.
struct Given {
    seq: u64,
    seen: Columns,
}

/// Columns that are there.
#[derive(Default)]
struct Columns {
    there: Vec<bool>,
    count: usize,
}

impl Columns {
    /// Whether it was not there before.
    fn insert(&mut self, column: usize) -> bool {
        if self.there.len() <= column {
            self.there.resize(column + 1, false);
        }
        let is_new = !std::mem::replace(&mut self.there[column], true);
        self.count += usize::from(is_new);
        is_new
    }

    fn has(&self, column: usize) -> bool {
        self.there.get(column).copied().unwrap_or(false)
    }
}

/// What the numbers of a packet say of its place.
enum Turn {
    /// Of the scan with this number.
    Of(u64),
    /// The sensor has started anew.
    Anew,
    /// It does not follow.
    Damaged,
}

impl Scans {
    pub(super) fn new(metadata: Metadata, clock: Clock) -> Self {
        let profile = metadata.format().profile();
        let pair = |range, strength| Some([profile.place(range)?, profile.place(strength)?]);
        let first = pair(Field::Range, Field::Reflectivity);
        let second = pair(Field::Range2, Field::Reflectivity2);
        Self {
            projection: Projection::new(&metadata),
            returns: first.into_iter().chain(second).collect(),
            metadata,
            clock,
            last: None,
            suspect: None,
            open: VecDeque::new(),
            given: None,
            packets: PacketCounts::default(),
        }
    }

    fn rate_hz(&self) -> f64 {
        self.metadata.rate_hz.unwrap_or(USUAL_RATE_HZ)
    }

    /// Which scan a packet belongs to.
    fn turn(&mut self, packet: &Packet<'_>, time_nanos: u64) -> Turn {
        let frame = packet.frame();
        let Some(last) = self.last else {
            return Turn::Of(u64::from(frame));
        };
        if packet.initialisation() != last.initialisation {
            return Turn::Anew;
        }
        let bits = self.metadata.format().frame_bits();
        let ahead = i64::from(frame.wrapping_sub(last.frame)) & ((1_i64 << bits) - 1);
        let behind = ahead - (1_i64 << bits);
        let steps = if behind >= -LATE_FRAMES { behind } else { ahead };
        let elapsed = (i128::from(time_nanos) - i128::from(last.time_nanos)) as f64 * 1e-9;
        let apart = (elapsed * self.rate_hz() - steps as f64).abs();
        if apart <= LOOSE_FRAMES + 0.05 * steps.unsigned_abs() as f64 {
            self.suspect = None;
            return match last.seq.checked_add_signed(steps) {
                Some(seq) => Turn::Of(seq),
                None => Turn::Damaged,
            };
        }
        // Two packets that agree with each other are no damage.
        let agrees = self.suspect.is_some_and(|(other, time)| {
            time.abs_diff(time_nanos) < MAX_APART_NANOS.unsigned_abs() && frame.wrapping_sub(other) <= 1
        });
        self.suspect = Some((frame, time_nanos));
        if agrees { Turn::Anew } else { Turn::Damaged }
    }

    fn start_anew(&mut self, datagram: &Datagram, time_nanos: u64, made: &mut Made) -> u64 {
        self.close_all(made);
        self.suspect = None;
        let was_relative = self.clock.is_relative();
        self.clock = Clock::of_pairs(std::iter::once((datagram.received, time_nanos)));
        let clock = match (was_relative, self.clock.is_relative()) {
            (_, true) => "its clock counts from power-on and is set by the host's again",
            (true, false) => "its clock tells the time now",
            (false, false) => "its clock still tells the time",
        };
        made.lose(Fault {
            cause: GapCause::Missing,
            lost: 0,
            detail: format!(
                "the sensor has started anew at {}: {clock}",
                datagram.received.iso_8601()
            ),
        });
        self.last.map_or(0, |last| last.seq.saturating_add(1))
    }

    /// Puts a packet where it belongs.
    fn place(&mut self, seq: u64, packet: &Packet<'_>, datagram: &Datagram) {
        let numbers = || packet.columns().map(|column| usize::from(column.number));
        if let Some(given) = &self.given
            && seq <= given.seq
        {
            let is_twice = seq == given.seq && numbers().all(|number| given.seen.has(number));
            match is_twice {
                true => self.packets.twice += 1,
                false => self.packets.late += 1,
            }
            return;
        }
        let at = self.open.partition_point(|sweep| sweep.seq < seq);
        if self.open.get(at).is_none_or(|sweep| sweep.seq != seq) {
            self.open.insert(
                at,
                Sweep {
                    seq,
                    received: datagram.received,
                    packets: BTreeMap::new(),
                    seen: Columns::default(),
                },
            );
        }
        let (columns, sweep) = (self.metadata.columns, &mut self.open[at]);
        let Some(first) = packet.columns().next().map(|column| column.number) else {
            return;
        };
        if sweep.packets.contains_key(&first) {
            self.packets.twice += 1;
            return;
        }
        sweep.received = datagram.received;
        sweep.packets.insert(first, datagram.payload.clone());
        for column in packet.columns().filter(|column| column.is_valid) {
            let number = usize::from(column.number);
            if number < columns {
                sweep.seen.insert(number);
            }
        }
    }

    /// Gives what is whole, and what waits no longer.
    fn close_ready(&mut self, made: &mut Made) {
        let whole = self.metadata.window_columns();
        while let Some(first) = self.open.front() {
            let next = self.open.get(1).map_or(0, |sweep| sweep.packets.len());
            let is_over = first.seen.count >= whole || next >= WAIT_PACKETS || self.open.len() > 2;
            if !is_over {
                break;
            }
            self.close_first(made);
        }
    }

    fn close_all(&mut self, made: &mut Made) {
        while !self.open.is_empty() {
            self.close_first(made);
        }
    }

    fn close_first(&mut self, made: &mut Made) {
        let Some(sweep) = self.open.pop_front() else {
            return;
        };
        match self.measured(&sweep) {
            Some(mut measured) => {
                measured.packets.lost = self.expected_packets().saturating_sub(sweep.packets.len() as u64);
                made.give(measured);
            }
            None => self.packets.corrupt += sweep.packets.len() as u64,
        }
        self.given = Some(Given {
            seq: sweep.seq,
            seen: sweep.seen,
        });
    }

    /// Packets of a whole scan.
    fn expected_packets(&self) -> u64 {
        let per = self.metadata.format().columns();
        let of = |column: usize| column / per;
        let [first, last] = self.metadata.window;
        let all = self.metadata.columns.div_ceil(per);
        let count = match first <= last {
            true => of(last) - of(first) + 1,
            false => (all - of(first) + of(last) + 1).min(all),
        };
        count as u64
    }

    /// The scan of a sweep, nothing if no column of it has a time.
    fn measured(&mut self, sweep: &Sweep) -> Option<Measured> {
        let times = Times::of(self.metadata.format(), sweep, self.metadata.columns)?;
        let stamp = self.clock.stamp(times.first)?;
        let end = self.clock.stamp(times.last)?;
        if !(is_time(stamp) && is_time(end)) {
            return None;
        }
        let format = self.metadata.format();
        let room = sweep.packets.len() * format.columns() * format.rows() * self.returns.len();
        let mut points = Points::with_room(room);
        let mut found = Columns::default();
        for bytes in sweep.packets.values() {
            let Ok(packet) = Packet::read(format, bytes) else {
                continue;
            };
            for column in packet.columns() {
                let number = usize::from(column.number);
                let Some(beams) = self.projection.column(number) else {
                    continue;
                };
                if !(column.is_valid && times.hold(column.time_nanos) && found.insert(number)) {
                    continue;
                }
                let offset_nanos = (column.time_nanos - times.first) as i32;
                let pixels = column.pixels.chunks_exact(format.profile().pixel_bytes());
                points.take(&beams, pixels, &self.returns, offset_nanos);
            }
        }
        let scan = points.scan()?;
        let window = self.metadata.window_columns();
        let inside = found.there.iter().enumerate();
        let inside = inside
            .filter(|(column, there)| **there && self.metadata.is_in_window(*column))
            .count();
        Some(Measured {
            seq: Some(sweep.seq),
            stamp,
            end,
            received: sweep.received,
            payload: Payload::Lidar(Arc::new(scan)),
            completeness: Some(Completeness {
                found: u32::try_from(inside).unwrap_or(u32::MAX),
                expected: u32::try_from(window).unwrap_or(u32::MAX),
                of: "columns",
            }),
            packets: std::mem::take(&mut self.packets),
        })
    }
}

impl Device for Scans {
    fn nameplate(&self) -> Option<Nameplate> {
        Some(nameplate::of(&self.metadata))
    }

    fn push(&mut self, datagram: &Datagram, made: &mut Made) {
        // The packet borrows its layout, and what follows changes the scans.
        let format = *self.metadata.format();
        let packet = match Packet::read(&format, &datagram.payload) {
            Ok(packet) if self.metadata.fits(&packet).is_ok() => packet,
            _ => {
                self.packets.foreign += 1;
                return;
            }
        };
        let Some(time_nanos) = packet
            .columns()
            .find(|column| column.is_valid)
            .map(|column| column.time_nanos)
        else {
            return;
        };
        if self.clock.is_unset() {
            self.clock = Clock::of_pairs(std::iter::once((datagram.received, time_nanos)));
        }
        let seq = match self.turn(&packet, time_nanos) {
            Turn::Of(seq) => seq,
            Turn::Anew => self.start_anew(datagram, time_nanos, made),
            Turn::Damaged => {
                self.packets.corrupt += 1;
                return;
            }
        };
        if self.last.is_none_or(|last| seq >= last.seq) {
            self.last = Some(Last {
                frame: packet.frame(),
                seq,
                time_nanos,
                initialisation: packet.initialisation(),
            });
        }
        self.place(seq, &packet, datagram);
        self.close_ready(made);
    }

    fn finish(&mut self, made: &mut Made) -> PacketCounts {
        self.close_all(made);
        std::mem::take(&mut self.packets)
    }
}

/// The times of a sweep's columns, without those that damage has moved far away.
struct Times {
    first: u64,
    last: u64,
}

impl Times {
    fn of(format: &super::packet::Format, sweep: &Sweep, columns: usize) -> Option<Self> {
        let packets = sweep
            .packets
            .values()
            .filter_map(|bytes| Packet::read(format, bytes).ok());
        let all: Vec<u64> = packets
            .flat_map(|packet| packet.columns())
            .filter(|column| column.is_valid && usize::from(column.number) < columns)
            .map(|column| column.time_nanos)
            .collect();
        let mut sorted = all;
        sorted.sort_unstable();
        let middle = *sorted.get(sorted.len() / 2)?;
        let near = |time: &&u64| time.abs_diff(middle) < MAX_APART_NANOS.unsigned_abs();
        Some(Self {
            first: *sorted.iter().find(near)?,
            last: *sorted.iter().rfind(near)?,
        })
    }

    fn hold(&self, time: u64) -> bool {
        (self.first..=self.last).contains(&time)
    }
}

/// The columns of a scan while it grows.
struct Points {
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    intensity: Vec<f32>,
    ring: Vec<u16>,
    offset_nanos: Vec<i32>,
}

impl Points {
    fn with_room(room: usize) -> Self {
        Self {
            x: Vec::with_capacity(room),
            y: Vec::with_capacity(room),
            z: Vec::with_capacity(room),
            intensity: Vec::with_capacity(room),
            ring: Vec::with_capacity(room),
            offset_nanos: Vec::with_capacity(room),
        }
    }

    /// Takes the returns of a column.
    fn take<'a>(
        &mut self,
        beams: &ColumnBeams<'_>,
        pixels: impl Iterator<Item = &'a [u8]>,
        returns: &[[Place; 2]],
        offset_nanos: i32,
    ) {
        for (row, pixel) in pixels.enumerate() {
            for [range, strength] in returns {
                let range_mm = range.of(pixel);
                if range_mm == 0 {
                    continue;
                }
                let Some([x, y, z]) = beams.point(row, range_mm) else {
                    continue;
                };
                self.x.push(x);
                self.y.push(y);
                self.z.push(z);
                self.intensity.push(strength.of(pixel) as f32);
                self.ring.push(row as u16);
                self.offset_nanos.push(offset_nanos);
            }
        }
    }

    fn scan(self) -> Option<LidarScan> {
        let scan = LidarScan::new(self.x, self.y, self.z).ok()?;
        let scan = scan
            .with_intensity(self.intensity)
            .ok()?
            .with_ring(self.ring)
            .ok()?;
        scan.with_offset_nanos(self.offset_nanos).ok()
    }
}
