//! When what is due: stamps that advance from a moment on, again and again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use beluga_types::{Measurement, Payload, SensorId, Stamp};

use super::voice::Count;
use super::{Sent, Survey};
use crate::error::Error;

/// No datagram is due so long before its payload ends, in nanoseconds of the recording: a scan takes less.
const LONGEST_NANOS: i64 = 1_000_000_000;
const SECOND_NANOS: i64 = 1_000_000_000;

/// What is sent, and by which time.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The time of the first stamp.
    pub begin: Stamp,
    /// How much faster than they were measured payloads are stamped: with 2, a minute becomes half of one.
    pub speed: f64,
    /// How often the recording is sent, its whole seconds each time; once: all of it.
    pub times: u32,
    /// Sensors that start anew.
    pub reboots: Vec<Reboot>,
}

/// A sensor that starts anew: its numbers from 0.
#[derive(Clone, Copy, Debug)]
pub struct Reboot {
    /// Which.
    pub sensor: SensorId,
    /// How long after the begin.
    pub after: Duration,
    /// A lidar's clock counts from there on; else it tells the time. A unit counts from there in any case.
    pub own_clock: bool,
}

impl Plan {
    /// Once, as fast as it was measured, from this moment on.
    pub fn once(begin: Stamp) -> Self {
        Self {
            begin,
            speed: 1.0,
            times: 1,
            reboots: Vec::new(),
        }
    }
}

/// The datagrams of a plan, in the order they are due.
pub struct Datagrams<'a> {
    survey: &'a Survey,
    plan: Plan,
    timeline: Box<dyn Iterator<Item = Measurement> + Send + 'a>,
    /// Times the recording has been begun.
    begun: u32,
    /// By the recording's sensors.
    counts: Vec<Count>,
    /// The recording's own number of each sensor's last payload.
    last_seq: BTreeMap<SensorId, u64>,
    waiting: BinaryHeap<Reverse<(Stamp, SensorId, u64)>>,
    bytes: BTreeMap<u64, Vec<u8>>,
    made: u64,
    newest: Option<Stamp>,
    wrong: Vec<String>,
    left_out: u64,
    payloads: BTreeMap<SensorId, u64>,
    ended: bool,
}

impl<'a> Datagrams<'a> {
    pub(super) fn new(survey: &'a Survey, plan: Plan) -> Result<Self, Error> {
        let count = Count {
            number: 0,
            datagram: 0,
            starts: 0,
            // A little while ago, so that no time is before it.
            since: plan.begin.shifted_nanos(-60 * SECOND_NANOS),
            own_clock: false,
        };
        Ok(Self {
            timeline: survey.source.timeline()?,
            begun: 1,
            counts: vec![count; survey.voices.len()],
            last_seq: BTreeMap::new(),
            waiting: BinaryHeap::new(),
            bytes: BTreeMap::new(),
            made: 0,
            newest: None,
            wrong: Vec::new(),
            left_out: 0,
            payloads: BTreeMap::new(),
            ended: false,
            survey,
            plan,
        })
    }

    /// Payloads of each sensor of the rig that have been turned into datagrams.
    pub fn payloads(&self) -> &BTreeMap<SensorId, u64> {
        &self.payloads
    }

    /// Returns of scans that have no place on the wire.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Payloads that have no place on the wire, and why.
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }

    /// What is repeated: whole seconds, so that all sensors' rates go on.
    fn length_nanos(&self) -> i64 {
        let whole = self.survey.last.nanos_since(self.survey.first);
        match self.plan.times {
            ..=1 => whole,
            _ => (whole / SECOND_NANOS).max(1) * SECOND_NANOS,
        }
    }

    /// How much of the recording has been played before a moment of it, all times together.
    fn played(&self, stamp: Stamp) -> i64 {
        let of_run = i64::from(self.begun - 1).saturating_mul(self.length_nanos());
        stamp.nanos_since(self.survey.first).saturating_add(of_run)
    }

    /// A moment of the recording, this time.
    fn at(&self, stamp: Stamp) -> Stamp {
        let since = self.played(stamp);
        // Whole numbers stay whole where nothing is faster.
        let since = match self.plan.speed == 1.0 {
            true => since,
            false => (since as f64 / self.plan.speed).round() as i64,
        };
        self.plan.begin.shifted_nanos(since)
    }

    /// Reads one measurement on.
    fn read(&mut self) {
        let Some(measurement) = self.timeline.next() else {
            self.begin_again();
            return;
        };
        let is_cut =
            self.plan.times > 1 && measurement.end.nanos_since(self.survey.first) >= self.length_nanos();
        if is_cut || matches!(measurement.payload, Payload::Gap(_) | Payload::Clock(_)) {
            return;
        }
        self.newest = self.newest.max(Some(self.at(measurement.end)));
        self.speak(&measurement);
    }

    fn begin_again(&mut self) {
        if self.begun >= self.plan.times {
            self.ended = true;
            return;
        }
        match self.survey.source.timeline() {
            Ok(timeline) => {
                self.timeline = timeline;
                self.begun += 1;
                self.last_seq.clear();
            }
            Err(error) => {
                self.wrong.push(error.to_string());
                self.ended = true;
            }
        }
    }

    fn speak(&mut self, measurement: &Measurement) {
        let index = usize::from(measurement.sensor.0);
        let Some(Some((id, voice))) = self.survey.voices.get(index) else {
            return;
        };
        let stamp = self.at(measurement.stamp);
        self.reboot(*id, index, stamp);
        let last = self.last_seq.insert(measurement.sensor, measurement.seq);
        // What the recording lacks is missing on the wire too.
        let missing = last.map_or(0, |last| measurement.seq.saturating_sub(last).saturating_sub(1));
        let mut count = self.counts[index];
        count.number += missing;
        let spoken = voice.speak(
            measurement,
            &count,
            |stamp| self.at(stamp),
            |stamp| self.played(stamp),
        );
        match spoken {
            Ok((spoken, left_out)) => {
                self.left_out += left_out;
                count.datagram += spoken.len() as u64;
                for one in spoken {
                    self.waiting.push(Reverse((one.at, *id, self.made)));
                    self.bytes.insert(self.made, one.bytes);
                    self.made += 1;
                }
                *self.payloads.entry(*id).or_default() += 1;
            }
            Err(why) => self.wrong.push(format!("seq {}: {why}", measurement.seq)),
        }
        count.number += 1;
        self.counts[index] = count;
    }

    fn reboot(&mut self, id: SensorId, index: usize, stamp: Stamp) {
        let since = stamp.duration_since(self.plan.begin).unwrap_or_default();
        let is_due = |reboot: &Reboot| reboot.sensor == id && reboot.after <= since;
        if let Some(at) = self.plan.reboots.iter().position(is_due) {
            let reboot = self.plan.reboots.remove(at);
            let count = &mut self.counts[index];
            *count = Count {
                number: 0,
                datagram: 0,
                starts: count.starts + 1,
                since: stamp,
                own_clock: reboot.own_clock,
            };
        }
    }
}

impl Iterator for Datagrams<'_> {
    type Item = Sent;

    fn next(&mut self) -> Option<Sent> {
        loop {
            let due = self.waiting.peek().map(|Reverse((at, ..))| *at);
            let passed = self.newest.map(|newest| newest.shifted_nanos(-LONGEST_NANOS));
            if due.is_some_and(|due| self.ended || passed.is_some_and(|passed| due <= passed)) {
                let Reverse((at, sensor, number)) = self.waiting.pop()?;
                let bytes = self.bytes.remove(&number)?;
                return Some(Sent { sensor, at, bytes });
            }
            if self.ended {
                return None;
            }
            self.read();
        }
    }
}
