//! Returns of a head that turns, cut into scans where it passes azimuth 0.
//!
//! A scan of which packets are missing stays open for a moment behind its end, so that they find it if
//! they come late.

use std::sync::Arc;

use beluga_types::{Payload, Stamp};

use super::columns::Columns;
use super::{Completeness, Made, Measured, PacketCounts};

/// A full turn, in hundredths of a degree.
pub(super) const TURN: u16 = 36_000;
/// A head that turns slower than twice a second is cut at this time.
const MAX_SWEEP_NANOS: i64 = 500_000_000;
/// And none as short as this: 50 turns a second. What is shorter says of times or azimuths that are
/// wrong, not of the head.
const MIN_SWEEP_NANOS: i64 = 20_000_000;
/// A scan has room for this part more than the one before had: they differ by little.
const ROOM_BESIDE: usize = 16;
/// How long a scan waits for packets that it misses, by the sensor's clock.
const WAIT_NANOS: i64 = 20_000_000;

/// The scans of one head.
#[derive(Default)]
pub(super) struct Sweeps {
    open: Option<Sweep>,
    closing: Option<Sweep>,
    azimuth: u16,
    newest: i64,
    /// The turn that is open; a turn of which nothing came is counted too.
    turn: u64,
    /// How long the last whole turn took.
    period_nanos: i64,
    /// The open scan began where the head passed azimuth 0.
    whole: bool,
    /// How many returns the scan before had, so that the next has room.
    room: usize,
    /// What went wrong since a scan was given.
    counts: PacketCounts,
}

/// One scan as it grows.
#[derive(Default)]
pub(super) struct Sweep {
    returns: Columns,
    /// Of its first and last firing, with or without a return.
    first: i64,
    last: i64,
    heard: Option<Stamp>,
    turn: u64,
    packets: u32,
    lost: u32,
    empty: u32,
}

impl Sweeps {
    /// The scan to which a column of firings belongs; nothing if it has been given already.
    pub(super) fn column(&mut self, azimuth: u16, nanos: i64, made: &mut Made) -> Option<&mut Sweep> {
        if self.open.is_some() && nanos < self.newest {
            return self.late(nanos);
        }
        if let Some(open) = &self.open {
            let passed = nanos.saturating_sub(open.first);
            let turns = self.turns(azimuth, nanos);
            if turns > 0 || passed > MAX_SWEEP_NANOS {
                // Of a scan that began in the middle of a turn the time is none of a turn.
                if turns == 1 && self.whole && passed >= MIN_SWEEP_NANOS {
                    self.period_nanos = passed;
                }
                self.whole = turns == 1 && nanos.saturating_sub(self.newest) < MIN_SWEEP_NANOS;
                self.turn += turns.max(1);
                self.give_closing(made);
                self.closing = self.open.take();
            }
        }
        (self.azimuth, self.newest) = (azimuth, nanos);
        let is_over = |closing: &Sweep| closing.lost == 0 || nanos.saturating_sub(closing.last) > WAIT_NANOS;
        if self.closing.as_ref().is_some_and(is_over) {
            self.give_closing(made);
        }
        let (turn, room) = (self.turn, self.room);
        Some(self.open.get_or_insert_with(|| Sweep {
            returns: Columns::new(nanos, room),
            first: nanos,
            last: nanos,
            turn,
            ..Sweep::default()
        }))
    }

    fn late(&mut self, nanos: i64) -> Option<&mut Sweep> {
        let holds = |sweep: &&mut Sweep| sweep.first <= nanos;
        // A recording's first packet may be one that came late.
        let is_first = self.closing.is_none() && self.turn == 0;
        let open = self.open.as_mut().filter(|open| is_first || open.first <= nanos);
        open.or_else(|| self.closing.as_mut().filter(holds))
    }

    /// Packets that are missing just before this time.
    pub(super) fn lose(&mut self, packets: u64) {
        self.counts.lost += packets;
        if let Some(open) = &mut self.open {
            open.lost = open
                .lost
                .saturating_add(u32::try_from(packets).unwrap_or(u32::MAX));
        }
    }

    /// A packet that was taken for lost has come.
    pub(super) fn found(&mut self) {
        match self.counts.lost {
            0 => self.counts.found += 1,
            lost => self.counts.lost = lost - 1,
        }
        let mut sweeps = [self.open.as_mut(), self.closing.as_mut()].into_iter().flatten();
        if let Some(sweep) = sweeps.find(|sweep| sweep.lost > 0) {
            sweep.lost -= 1;
        }
    }

    /// What went wrong, to be told with the next scan.
    pub(super) fn counts(&mut self) -> &mut PacketCounts {
        &mut self.counts
    }

    /// The end of what has come, as when the sensor's clock jumps.
    pub(super) fn finish(&mut self, made: &mut Made) {
        self.give_closing(made);
        self.closing = self.open.take();
        self.give_closing(made);
        self.turn += 1;
        self.period_nanos = 0;
        self.whole = false;
    }

    /// How often the head has passed azimuth 0 since the newest column. Where half a turn or more is
    /// missing, the time of the turn before says how often.
    fn turns(&self, azimuth: u16, nanos: i64) -> u64 {
        let turn = i64::from(TURN);
        let mut advance = (i64::from(azimuth) - i64::from(self.azimuth)).rem_euclid(turn);
        let gap = nanos.saturating_sub(self.newest);
        if self.period_nanos > 0 && gap > self.period_nanos / 2 {
            let expected = gap as f64 / self.period_nanos as f64 * turn as f64;
            advance += turn * ((expected - advance as f64) / turn as f64).round().max(0.0) as i64;
        } else if advance > turn / 2 {
            // A step back.
            return 0;
        }
        u64::try_from((i64::from(self.azimuth) + advance) / turn).unwrap_or(0)
    }

    fn give_closing(&mut self, made: &mut Made) {
        let Some(closing) = self.closing.take() else {
            return;
        };
        self.room = closing.returns.len() + closing.returns.len() / ROOM_BESIDE;
        if let Some(measured) = closing.measured() {
            let packets = std::mem::take(&mut self.counts);
            made.give(Measured { packets, ..measured });
        }
    }
}

impl Sweep {
    /// A return; the firings of a column come in order.
    #[inline]
    pub(super) fn push(&mut self, position: [f32; 3], intensity: f32, ring: u16, nanos: i64) {
        self.returns.push(position, intensity, ring, nanos);
    }

    /// A firing without a return.
    pub(super) fn miss(&mut self) {
        self.empty = self.empty.saturating_add(1);
    }

    /// A column of firings from the first to the last, heard then.
    pub(super) fn span(&mut self, first: i64, last: i64, heard: Stamp) {
        self.first = self.first.min(first);
        self.last = self.last.max(last);
        self.heard = self.heard.max(Some(heard));
    }

    /// A packet began in this scan.
    pub(super) fn packet(&mut self) {
        self.packets = self.packets.saturating_add(1);
    }

    /// The scan; nothing if it has no firing.
    fn measured(self) -> Option<Measured> {
        let received = self.heard?;
        let scan = self.returns.scan(self.first).ok()?.with_dropped(self.empty);
        Some(Measured {
            seq: Some(self.turn),
            stamp: Stamp::from_nanos(self.first),
            end: Stamp::from_nanos(self.last),
            received,
            payload: Payload::Lidar(Arc::new(scan)),
            completeness: Some(Completeness {
                found: self.packets,
                expected: self.packets.saturating_add(self.lost),
                of: "packets",
            }),
            packets: PacketCounts::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    /// A head of 10 Hz with a packet each ms, one return in each.
    fn feed(sweeps: &mut Sweeps, made: &mut Made, packets: impl IntoIterator<Item = i64>) {
        for ms in packets {
            let azimuth = (ms * 360 % TURN as i64) as u16;
            let heard = Stamp::from_nanos(ms * MS + 7);
            if let Some(sweep) = sweeps.column(azimuth, ms * MS, made) {
                sweep.packet();
                sweep.span(ms * MS, ms * MS + 500, heard);
                sweep.push([ms as f32, 0.0, 0.0], 1.0, 0, ms * MS + 100);
                sweep.miss();
            } else {
                sweeps.counts().late += 1;
            }
        }
    }

    fn scans(made: &Made) -> Vec<&Measured> {
        made.ready
            .iter()
            .map(|measured| measured.as_ref().unwrap())
            .collect()
    }

    #[test]
    fn scans_begin_where_the_head_passes_zero() {
        let (mut sweeps, mut made) = (Sweeps::default(), Made::default());
        feed(&mut sweeps, &mut made, 50..250);
        sweeps.finish(&mut made);
        let found: Vec<_> = scans(&made)
            .iter()
            .map(|scan| {
                let Payload::Lidar(lidar) = &scan.payload else {
                    panic!()
                };
                (
                    scan.stamp.nanos() / MS,
                    scan.end.nanos(),
                    lidar.len(),
                    lidar.dropped(),
                    scan.seq,
                )
            })
            .collect();
        let expected = [(50, 99), (100, 199), (200, 249)];
        let expected: Vec<_> = expected
            .iter()
            .zip(0..)
            .map(|((first, last), turn)| {
                let count = (last - first + 1) as usize;
                (*first, last * MS + 500, count, count as u32, Some(turn))
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_late_packet_finds_its_scan_and_its_place() {
        let (mut sweeps, mut made) = (Sweeps::default(), Made::default());
        feed(&mut sweeps, &mut made, 0..98);
        sweeps.lose(1);
        feed(&mut sweeps, &mut made, 99..105);
        assert!(made.ready.is_empty(), "it may come yet");
        sweeps.found();
        feed(&mut sweeps, &mut made, [98, 105]);
        assert_eq!(made.ready.len(), 1, "nothing is missing any more");
        feed(&mut sweeps, &mut made, 106..200);
        sweeps.finish(&mut made);
        let found = scans(&made);
        let Payload::Lidar(first) = &found[0].payload else {
            panic!()
        };
        let expected: Vec<f32> = (0..100).map(|ms| ms as f32).collect();
        assert_eq!(first.x(), expected);
        assert!(first.offset_nanos().unwrap().is_sorted());
        // Behind the wait it is gone.
        let (mut sweeps, mut made) = (Sweeps::default(), Made::default());
        feed(&mut sweeps, &mut made, 0..98);
        sweeps.lose(1);
        feed(&mut sweeps, &mut made, (99..140).chain([98]).chain(140..200));
        sweeps.finish(&mut made);
        assert_eq!(scans(&made)[1].packets.late, 1);
    }

    #[test]
    fn what_is_lost_is_told_and_whole_turns_leave_a_jump() {
        let (mut sweeps, mut made) = (Sweeps::default(), Made::default());
        feed(&mut sweeps, &mut made, 0..310);
        sweeps.lose(3);
        sweeps.found();
        feed(&mut sweeps, &mut made, (313..390).chain(710..800));
        sweeps.finish(&mut made);
        let found = scans(&made);
        let turns: Vec<_> = found.iter().map(|scan| scan.seq.unwrap()).collect();
        assert_eq!(turns, [0, 1, 2, 3, 7]);
        assert_eq!((found[2].packets.lost, found[3].packets.lost), (0, 2));
        let completeness = found[3].completeness.unwrap();
        assert_eq!((completeness.found, completeness.expected), (87, 89));
    }

    #[test]
    fn a_turn_in_no_time_says_nothing_of_the_head() {
        let (mut sweeps, mut made) = (Sweeps::default(), Made::default());
        // Twice across azimuth 0 within 2 µs, then on at 10 Hz.
        for (micros, azimuth) in [(0, 35_000), (1, 100), (2, 35_000), (3, 100)] {
            sweeps.column(azimuth, micros * 1000, &mut made);
        }
        for ms in 1..300_i64 {
            let azimuth = (100 + 360 * ms).rem_euclid(i64::from(TURN)) as u16;
            sweeps.column(azimuth, ms * MS, &mut made);
        }
        assert!(sweeps.turn < 10, "{} turns in 0.3 s", sweeps.turn);
    }

    #[test]
    fn a_head_that_stands_still_is_cut_by_time() {
        let (mut sweeps, mut made) = (Sweeps::default(), Made::default());
        for ms in 0..2000 {
            let sweep = sweeps.column(100, ms * MS, &mut made).unwrap();
            sweep.span(ms * MS, ms * MS, Stamp::from_nanos(0));
        }
        sweeps.finish(&mut made);
        assert_eq!(made.ready.len(), 4);
    }
}
