//! One sensor's recording as ordered measurements: times, order and losses, the same for all kinds.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use beluga_types::{Gap, GapCause, Measurement, Payload, SensorId, SensorSpec, Stamp, StampMeaning};

use crate::clock;
use crate::count::{Count, Late, Verdict};
use crate::error::{Error, Fault};
use crate::order::{LATENESS_NANOS, Reorder};
use crate::range::{MAX_PAYLOAD_NANOS, is_time};
use crate::source::{Loaded, Row, Source};

/// Measurements that are held to put their ends in order.
const LOOKAHEAD: usize = 2;

/// Measurements of one sensor, sorted by (`end`, `seq`); of one that is heard now, as they come.
pub(crate) struct Stream<S: Source> {
    source: S,
    /// Nothing waits for what comes after it: who merges the sensors puts them in order.
    live: bool,
    sensor: SensorId,
    name: String,
    path: PathBuf,
    meaning: StampMeaning,
    offset_nanos: i64,
    period_nanos: i64,
    count: Count,
    /// The row after the one that is judged.
    ahead: Option<Option<Result<Row<S::What>, Fault>>>,
    rows_read: u64,
    rows: Reorder<Item<S::What>>,
    last_seq: Option<u64>,
    /// Stamp of the last row, as the recording says it, and how long after the one before that it was.
    last_stamp: Option<Stamp>,
    last_step_nanos: Option<i64>,
    /// Damage before the first good row; it gets that row's time.
    early: Vec<Fault>,
    ready: BTreeMap<(Stamp, u64, u64), Measurement>,
    arrivals: u64,
    newest_end: Option<Stamp>,
    emitted: Option<(Stamp, u64)>,
    primed: VecDeque<Measurement>,
    exhausted: bool,
}

enum Item<T> {
    Row(u64, Row<T>),
    Fault(Fault),
}

impl<S: Source> Stream<S> {
    /// The stream of a sensor, read as far as its first good payload. `count_jumps`: whether a
    /// jump in the sensor's own count is a loss that nothing else tells of.
    ///
    /// # Errors
    /// If the recording holds nothing, or nothing of it can be read.
    pub(crate) fn open(
        source: S,
        sensor: SensorId,
        spec: &SensorSpec,
        path: PathBuf,
        count_jumps: bool,
    ) -> Result<Self, Error> {
        Self::primed(source, sensor, spec, path, count_jumps, false)
    }

    /// The stream of a sensor that is heard now. Waits until its first good payload has come.
    ///
    /// # Errors
    /// If it ends before that.
    pub(crate) fn live(source: S, sensor: SensorId, spec: &SensorSpec, path: PathBuf) -> Result<Self, Error> {
        Self::primed(source, sensor, spec, path, true, true)
    }

    fn primed(
        source: S,
        sensor: SensorId,
        spec: &SensorSpec,
        path: PathBuf,
        count_jumps: bool,
        live: bool,
    ) -> Result<Self, Error> {
        let mut stream = Self {
            source,
            live,
            sensor,
            name: spec.name.clone(),
            path,
            meaning: spec.stamp,
            offset_nanos: spec.time_offset_nanos,
            period_nanos: spec.rate_hz.map_or(0, |rate| (1e9 / rate).round() as i64),
            count: Count::new(count_jumps),
            ahead: None,
            rows_read: 0,
            rows: Reorder::new(LATENESS_NANOS),
            last_seq: None,
            last_stamp: None,
            last_step_nanos: None,
            early: Vec::new(),
            ready: BTreeMap::new(),
            arrivals: 0,
            newest_end: None,
            emitted: None,
            primed: VecDeque::new(),
            exhausted: false,
        };
        stream.prime()?;
        Ok(stream)
    }

    fn prime(&mut self) -> Result<(), Error> {
        while let Some(measurement) = self.advance() {
            let is_gap = matches!(measurement.payload, Payload::Gap(_));
            self.primed.push_back(measurement);
            if !is_gap {
                return Ok(());
            }
        }
        let path = self.path.clone();
        match self.early.first() {
            None => Err(Error::Empty {
                expected: format!("measurements of sensor `{}`", self.name),
                path,
            }),
            Some(first) => Err(Error::NothingReadable {
                sensor: self.name.clone(),
                lost: self.early.iter().map(|fault| fault.lost).sum(),
                first: first.detail.clone(),
                path,
            }),
        }
    }

    fn advance(&mut self) -> Option<Measurement> {
        let ahead = if self.live { 0 } else { LOOKAHEAD };
        while !(self.exhausted || self.ready.len() > ahead) {
            self.step();
        }
        let ((end, seq, _), measurement) = self.ready.pop_first()?;
        self.emitted = Some((end, seq));
        Some(measurement)
    }

    /// Moves one thing on: a row whose turn has come, or else a row from the recording.
    fn step(&mut self) {
        if self.live {
            return match self.read_row() {
                Some(Ok(row)) => {
                    let seq = row.seq.unwrap_or(self.rows_read);
                    self.rows_read += 1;
                    self.admit(Item::Row(seq, row));
                }
                Some(Err(fault)) => self.admit(Item::Fault(fault)),
                None => self.exhausted = true,
            };
        }
        if let Some((_, item)) = self.rows.pop_ready() {
            return self.admit(item);
        }
        match self.read_row() {
            Some(Ok(row)) => {
                let index = self.rows_read;
                self.rows_read += 1;
                let (stamp, own) = (row.stamp, row.seq);
                let seq = own.unwrap_or(index);
                match self.rows.push((stamp, self.sensor, seq), Item::Row(seq, row)) {
                    Ok(()) => own.into_iter().for_each(|seq| self.count.hold(seq, stamp)),
                    Err(Item::Row(_, row)) => {
                        let fault = self.late(&row);
                        self.gap(stamp, seq, fault);
                    }
                    Err(Item::Fault(fault)) => self.gap(stamp, seq, fault),
                }
            }
            Some(Err(fault)) => {
                self.rows_read += 1;
                let newest = self.rows.newest().unwrap_or(Stamp::from_nanos(i64::MIN));
                if let Err(Item::Fault(fault)) = self
                    .rows
                    .push((newest, self.sensor, u64::MAX), Item::Fault(fault))
                {
                    self.gap(newest, u64::MAX, fault);
                }
            }
            None => match self.rows.pop_rest() {
                Some((_, item)) => self.admit(item),
                None => self.exhausted = true,
            },
        }
    }

    /// The next row; one whose time runs ahead and is taken back by the row after it is damage.
    fn read_row(&mut self) -> Option<Result<Row<S::What>, Fault>> {
        let row = match self.ahead.take() {
            Some(row) => row,
            None => self.source.next_row(),
        }?;
        let row = match row {
            Ok(row) => row,
            Err(fault) => return Some(Err(fault)),
        };
        if self.live {
            return Some(Ok(row));
        }
        let next = self.source.next_row();
        let torn = matches!(&next, Some(Ok(next))
            if row.stamp.nanos_since(next.stamp) > LATENESS_NANOS
                && self.rows.newest().is_some_and(|newest| newest <= next.stamp));
        self.ahead = Some(next);
        if torn {
            return Some(Err(Fault {
                cause: GapCause::Corrupt,
                lost: 1,
                detail: format!("{}: its time lies far after that of the next", row.place),
            }));
        }
        Some(Ok(row))
    }

    fn admit(&mut self, item: Item<S::What>) {
        let (seq, row) = match item {
            Item::Row(seq, row) => (seq, row),
            Item::Fault(fault) => {
                self.count.unnumbered(fault.lost);
                let seq = self.last_seq.map_or(0, |seq| seq.saturating_add(1));
                return self.gap(self.newest_end.unwrap_or_default(), seq, fault);
            }
        };
        let verdict = match row.seq {
            Some(own) => self.count.admit(own, row.stamp),
            None => {
                self.count.unnumbered(1);
                Verdict::Next
            }
        };
        let is_found = verdict == Verdict::Found;
        let jump = match verdict {
            Verdict::Twice => return self.gap(row.stamp, seq, twice(&row.place, seq)),
            Verdict::Jump { last, lost } => Some((last.saturating_add(1), jump(&row.place, last, seq, lost))),
            Verdict::Restart { last } => {
                let fault = jump(&row.place, last, seq, 1);
                let detail = format!("{}, taken as a restart", fault.detail);
                Some((last.saturating_add(1), Fault { detail, ..fault }))
            }
            Verdict::Found => {
                let fault = found(&row.place, seq);
                self.gap(row.stamp, seq, fault);
                None
            }
            Verdict::Next => None,
        };
        self.last_seq = self.last_seq.filter(|_| is_found).or(Some(seq));
        let (stamp, said_end, received) = (row.stamp, row.end, row.received);
        if let Some(fault) = self.leap(&row.place, stamp) {
            self.gap(stamp, seq, fault);
        }
        if let Some((first_missing, fault)) = jump {
            self.gap(stamp, first_missing, fault);
        }
        let loaded = self.source.load(row.what);
        let (stamp, end) = match self.times(stamp, said_end, &loaded) {
            Ok(times) => times,
            Err(wrong) => {
                let fault = Fault {
                    cause: GapCause::Corrupt,
                    lost: 1,
                    detail: format!("{}: {wrong}: {}", row.place, self.path.display()),
                };
                return self.gap(stamp, seq, fault);
            }
        };
        if let Some(payload) = loaded.payload {
            self.insert(Measurement {
                seq,
                sensor: self.sensor,
                stamp,
                end,
                received: received.unwrap_or(end),
                payload,
            });
        }
        for fault in loaded.faults {
            self.gap_at(stamp, end, seq, fault);
        }
    }

    /// What is lost with a row whose place has been passed.
    fn late(&mut self, row: &Row<S::What>) -> Fault {
        let Some(own) = row.seq else {
            self.count.unnumbered(1);
            return self.too_late(row);
        };
        match self.count.late(own, row.stamp) {
            Late::Lost => self.too_late(row),
            Late::Told => Fault {
                lost: 0,
                ..self.too_late(row)
            },
            Late::Twice => twice(&row.place, own),
        }
    }

    /// A clock that jumps by a known amount among rows that come often: nothing is lost by it, and
    /// everything after it is elsewhere.
    fn leap(&mut self, place: &str, stamp: Stamp) -> Option<Fault> {
        /// Rows that come less often may be so far apart by themselves, in nanoseconds.
        const OFTEN_NANOS: i64 = 2_000_000_000;
        let last = self.last_stamp.replace(stamp)?;
        let usual = self.last_step_nanos.replace(stamp.nanos_since(last));
        let cause = clock::cause(last, stamp)?;
        let is_set_now = clock::is_set(stamp) && !clock::is_set(last);
        // A clock that had never been set may be so at the second row there is.
        if !(is_set_now || usual.is_some_and(|usual| usual < OFTEN_NANOS)) {
            return None;
        }
        let by_s = stamp.seconds_since(last);
        let remedy = match is_set_now {
            true => self.alone("came before", by_s),
            false => self.alone("comes after", -by_s),
        };
        Some(Fault {
            cause: GapCause::Corrupt,
            lost: 0,
            detail: format!("{place}: its clock jumps by {by_s:.1} s, as by {cause}{remedy}"),
        })
    }

    /// How the part of a recording that a clock puts elsewhere is read.
    fn alone(&self, part: &str, by_s: f64) -> String {
        match self.live {
            true => String::new(),
            false => format!(
                "; what {part}, played alone, is put right by `--clock-offset {}={by_s:.0}`",
                self.name
            ),
        }
    }

    /// A row that comes too late, and why if its clock tells.
    fn too_late(&self, row: &Row<S::What>) -> Fault {
        let fault = late(&row.place);
        let newest = self.rows.newest().unwrap_or(row.stamp);
        let behind_s = newest.seconds_since(row.stamp);
        let why = match clock::cause(row.stamp, newest) {
            _ if row.stamp == Stamp::default() => {
                "its stamp is zero: none was filled in, or its clock has begun anew".to_owned()
            }
            Some(cause) => format!("its clock went back by {behind_s:.1} s, as by {cause}"),
            None => return fault,
        };
        let remedy = self.alone("comes after", behind_s);
        let detail = format!("{}: {why}{remedy}", fault.detail);
        Fault { detail, ..fault }
    }

    /// Time zero and end of a payload, or what is wrong with them.
    fn times(
        &self,
        said: Stamp,
        said_end: Option<Stamp>,
        loaded: &Loaded,
    ) -> Result<(Stamp, Stamp), &'static str> {
        let last_offset_nanos = loaded.last_offset_nanos;
        let said_length = match (said_end, self.meaning) {
            _ if loaded.from_stamp_nanos.is_some() => 0,
            (Some(end), StampMeaning::Start) => end.nanos_since(said),
            (Some(end), StampMeaning::Middle) => end.nanos_since(said).saturating_mul(2),
            (Some(_), StampMeaning::End) | (None, StampMeaning::Start) => 0,
            (None, _) if last_offset_nanos == 0 => self.period_nanos,
            (None, _) => 0,
        };
        if said_length < 0 {
            return Err("it ends before it starts");
        }
        let length = said_length.max(last_offset_nanos);
        if said_length > MAX_PAYLOAD_NANOS {
            return Err("it ends more than 60 s after it starts");
        }
        let back = match (loaded.from_stamp_nanos, self.meaning) {
            (Some(from_stamp), _) => -from_stamp,
            (None, StampMeaning::Start) => 0,
            (None, StampMeaning::Middle) => length / 2,
            (None, StampMeaning::End) => length,
        };
        let stamp = said.shifted_nanos(self.offset_nanos.saturating_sub(back));
        let end = stamp.shifted_nanos(length);
        if !(is_time(stamp) && is_time(end)) {
            return Err("its time lies after the year 2200");
        }
        Ok((stamp, end))
    }

    fn gap(&mut self, stamp: Stamp, seq: u64, fault: Fault) {
        let stamp = stamp.shifted_nanos(self.offset_nanos);
        self.gap_at(stamp, stamp, seq, fault);
    }

    fn gap_at(&mut self, stamp: Stamp, end: Stamp, seq: u64, fault: Fault) {
        if self.newest_end.is_none() {
            return self.early.push(fault);
        }
        let Fault { cause, lost, detail } = fault;
        let payload = Payload::Gap(Gap { lost, cause, detail });
        // A gap has no place of its own that could be missed: it moves to the earliest there is.
        let (end, seq) = self.emitted.map_or((end, seq), |emitted| emitted.max((end, seq)));
        self.place(Measurement {
            seq,
            sensor: self.sensor,
            stamp: stamp.min(end),
            end,
            received: end,
            payload,
        });
    }

    fn insert(&mut self, measurement: Measurement) {
        self.newest_end = self.newest_end.max(Some(measurement.end));
        for fault in std::mem::take(&mut self.early) {
            self.gap_at(measurement.stamp, measurement.end, measurement.seq, fault);
        }
        let passed = |emitted| !self.live && (measurement.end, measurement.seq) < emitted;
        if self.emitted.is_some_and(passed) {
            return self.gap_at(
                measurement.stamp,
                measurement.end,
                measurement.seq,
                late(&format!("seq {}", measurement.seq)),
            );
        }
        self.place(measurement);
    }

    fn place(&mut self, measurement: Measurement) {
        self.ready
            .insert((measurement.end, measurement.seq, self.arrivals), measurement);
        self.arrivals += 1;
    }
}

impl<S: Source> Iterator for Stream<S> {
    type Item = Measurement;

    fn next(&mut self) -> Option<Measurement> {
        self.primed.pop_front().or_else(|| self.advance())
    }
}

fn late(place: &str) -> Fault {
    Fault {
        cause: GapCause::Late,
        lost: 1,
        detail: format!(
            "{place}: more than {} s out of order",
            LATENESS_NANOS as f64 * 1e-9
        ),
    }
}

/// What a jump has told as missing.
fn found(place: &str, seq: u64) -> Fault {
    Fault {
        cause: GapCause::Missing,
        lost: 0,
        detail: format!("{place}: seq {seq} told as lost before came after all"),
    }
}

fn twice(place: &str, seq: u64) -> Fault {
    Fault {
        cause: GapCause::Corrupt,
        lost: 0,
        detail: format!("{place}: seq {seq} a second time, left out"),
    }
}

fn jump(place: &str, last: u64, seq: u64, lost: u64) -> Fault {
    Fault {
        cause: GapCause::Missing,
        lost,
        detail: format!("{place}: seq jumps from {last} to {seq}"),
    }
}
