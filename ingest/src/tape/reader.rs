//! A tape, read chunk by chunk.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use beluga_types::{Gap, GapCause, Measurement, Payload, Rig, SensorId, Stamp};
use mcap::records::op;

use super::cdr::Decoder;
use super::channels::{Channels, Role};
use super::decode::Halves;
use super::part::Part;
use super::records::{Inside, Records, Step, unpacked};
use super::{head, rig, summary};
use crate::error::Error;
use crate::regular;

/// Measurements of a tape, in the order they were written; one chunk is in memory at a time.
///
/// Damage becomes a counted [`Gap`]: a chunk that does not agree with its sum, bytes that are no
/// record, messages that say what may not be, and the end of a tape that was cut.
pub struct Reader<R> {
    path: PathBuf,
    records: Records<R>,
    rig: Rig,
    channels: Channels,
    halves: Halves,
    ready: VecDeque<Measurement>,
    losses: Vec<Loss>,
    /// Messages of each channel that the tape says it has, if it was finished.
    stated: Option<BTreeMap<u16, u64>>,
    /// Messages of each channel that were read, or told to be lost.
    told: BTreeMap<u16, u64>,
    /// A chunk could not be read, and the index behind it says what it held.
    broken: Option<Broken>,
    whole_chunk: bool,
    part: Option<Part>,
    /// Measurements that were read, and those told as lost.
    accounted: u64,
    last: Option<Stamp>,
    done: bool,
}

/// Something lost that waits for its place on the timeline.
struct Loss {
    sensor: SensorId,
    lost: u64,
    cause: GapCause,
    detail: String,
}

struct Broken {
    detail: String,
    held: BTreeMap<u16, u64>,
}

impl Reader<File> {
    /// Opens a tape.
    ///
    /// # Errors
    /// If it cannot be read, is no MCAP file, or holds no rig.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::new(regular::open(path)?, path)
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Reads a tape from anywhere; `path` names it in messages.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn new(source: R, path: &Path) -> Result<Self, Error> {
        let mut records = Records::new(source).map_err(Error::io(path))?;
        head::check_magic(&mut records, path)?;
        let start = records.at();
        let summary = summary::read(&mut records).map_err(Error::io(path))?;
        records.go(start).map_err(Error::io(path))?;
        let part = head::part(&mut records).map_err(Error::io(path))?;
        records.go(start).map_err(Error::io(path))?;
        let attached = head::attachments(&mut records).map_err(Error::io(path))?;
        let mut channels = Channels::default();
        let stated = summary.map(|summary| {
            for (op, body) in &summary.definitions {
                channels.define(*op, body);
            }
            summary.messages
        });
        let Some(rig) = rig::rig(path, attached)? else {
            return Err(Error::Unsupported {
                what: format!(
                    "an MCAP file without the attachment `{}` of a tape ({})",
                    rig::RIG,
                    channels.listed(stated.as_ref())
                ),
                path: path.to_owned(),
            });
        };
        channels.name_sensors(&rig);
        Ok(Self {
            path: path.to_owned(),
            records,
            rig,
            channels,
            halves: Halves::default(),
            ready: VecDeque::new(),
            losses: Vec::new(),
            stated,
            told: BTreeMap::new(),
            broken: None,
            whole_chunk: false,
            part,
            accounted: 0,
            last: None,
            done: false,
        })
    }

    /// The rig that the tape was made with. Its `time_offset_ms` and `stamp` have been applied.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// Whether the tape was finished: it ends with an index that is whole.
    pub fn is_finished(&self) -> bool {
        self.stated.is_some()
    }

    /// Which part of a row it says to be.
    pub(super) fn part(&self) -> Option<Part> {
        self.part
    }

    /// Measurements that were read so far, and those that were told as lost.
    pub(super) fn accounted(&self) -> u64 {
        self.accounted
    }

    /// Topics of others, each with its schema and how many messages of it were passed over; of a
    /// tape that was not finished, as far as it has been read.
    pub fn foreign(&self) -> impl Iterator<Item = String> {
        self.channels.foreign(self.stated.as_ref().unwrap_or(&self.told))
    }

    /// Moves on by one record.
    fn advance(&mut self) -> io::Result<()> {
        let at = self.records.at();
        match self.records.step()? {
            Step::Record {
                op: op::CHUNK,
                length,
            } => {
                self.settle();
                let body = self.records.take(length)?;
                self.chunk(&body, at);
            }
            Step::Record {
                op: op::MESSAGE_INDEX,
                length,
            } => {
                let body = self.records.take(length)?;
                if !self.index(&body) {
                    self.records.go(at)?;
                    self.resync(at, None)?;
                }
            }
            Step::Record {
                op: op @ (op::SCHEMA | op::CHANNEL | op::MESSAGE),
                length,
            } => {
                let body = self.records.take(length)?;
                self.record(op, &body, at);
            }
            Step::Record {
                op: op::DATA_END | op::FOOTER,
                ..
            } => self.end(),
            Step::Record { length, .. } => self.records.go(self.records.at().saturating_add(length))?,
            Step::End => {
                self.end();
                if self.stated.is_none() {
                    self.cut(at, None);
                }
            }
            Step::Cut { op } => self.resync(at, Some(op))?,
            Step::Nonsense => self.resync(at, None)?,
        }
        Ok(())
    }

    fn chunk(&mut self, body: &[u8], at: u64) {
        let plain = match unpacked(body) {
            Ok(plain) => plain,
            Err(wrong) => {
                self.broken = Some(Broken {
                    detail: format!("chunk at byte {at}: {wrong}"),
                    held: BTreeMap::new(),
                });
                return;
            }
        };
        self.whole_chunk = true;
        for record in Inside::of(&plain) {
            match record {
                Ok((op, body)) => self.record(op, body, at),
                Err(wrong) => self.lose(
                    SensorId(0),
                    1,
                    GapCause::Corrupt,
                    format!("chunk at byte {at}: {wrong}"),
                ),
            }
        }
    }

    fn record(&mut self, op: u8, body: &[u8], at: u64) {
        if op != op::MESSAGE {
            self.channels.define(op, body);
            return self.channels.name_sensors(&self.rig);
        }
        let (channel, decoded) = self.halves.message(&self.channels, body);
        *self.told.entry(channel).or_default() += 1;
        match decoded {
            Ok(Some(measurement)) => self.emit(measurement),
            Ok(None) => {}
            Err((sensor, wrong)) => {
                let detail = format!("message of channel {channel} in the chunk at byte {at}: {wrong}");
                self.lose(sensor, 1, GapCause::Corrupt, detail);
            }
        }
    }

    /// What a chunk held that is not there: its index says how many messages of each channel.
    /// Gives whether it is an index at all.
    fn index(&mut self, body: &[u8]) -> bool {
        let mut decoder = Decoder::packed(body);
        let (Ok(channel), Ok(bytes)) = (decoder.get::<u16>(), decoder.get::<u32>()) else {
            return false;
        };
        if decoder.rest().len() as u64 != u64::from(bytes) {
            return false;
        }
        if self.whole_chunk && self.broken.is_none() {
            return true;
        }
        let broken = self.broken.get_or_insert_with(|| Broken {
            detail: format!("an index without its chunk, before byte {}", self.records.at()),
            held: BTreeMap::new(),
        });
        add(broken.held.entry(channel).or_default(), u64::from(bytes / 16));
        true
    }

    /// Tells what a broken chunk held, once all of its index has been read.
    fn settle(&mut self) {
        self.whole_chunk = false;
        let Some(Broken { detail, held }) = self.broken.take() else {
            return;
        };
        let mut losses: BTreeMap<SensorId, u64> = BTreeMap::new();
        for (channel, count) in held {
            add(self.told.entry(channel).or_default(), count);
            if let Role::Own(sensor, kind) = self.channels.role(channel)
                && !kind.is_half()
            {
                add(losses.entry(sensor).or_default(), count);
            }
        }
        if losses.is_empty() {
            // Without an index at least one is lost.
            losses.insert(SensorId(0), 1);
        }
        for (sensor, lost) in losses {
            self.lose(sensor, lost, GapCause::Corrupt, detail.clone());
        }
    }

    /// The data are at their end: what the tape counts and nobody has told of is lost.
    fn end(&mut self) {
        self.settle();
        self.done = true;
        let Some(stated) = &self.stated else {
            return;
        };
        let mut losses: BTreeMap<SensorId, u64> = BTreeMap::new();
        for (channel, count) in stated {
            let missing = count.saturating_sub(self.told.get(channel).copied().unwrap_or(0));
            if let Role::Own(sensor, kind) = self.channels.role(*channel)
                && !kind.is_half()
                && missing > 0
            {
                add(losses.entry(sensor).or_default(), missing);
            }
        }
        for (sensor, lost) in losses {
            let detail = "the tape counts more messages than were found in it".to_owned();
            self.lose(sensor, lost, GapCause::Corrupt, detail);
        }
    }

    /// From something that is no record to the next chunk, if there is one.
    fn resync(&mut self, at: u64, op: Option<u8>) -> io::Result<()> {
        self.settle();
        if self.records.find_chunk()? {
            let detail = format!("no records from byte {at} to byte {}", self.records.at());
            self.broken = Some(Broken {
                detail,
                held: BTreeMap::new(),
            });
        } else {
            // Told before the end settles what is missing by the statistics, where there are any.
            if self.stated.is_none() {
                self.cut(at, op);
            }
            self.end();
        }
        Ok(())
    }

    fn cut(&mut self, at: u64, op: Option<u8>) {
        self.done = true;
        // The beginning of a chunk held something; between records, nothing is known to be lost.
        let lost = u64::from(op == Some(op::CHUNK));
        let detail = format!("the tape was not finished: it is cut at byte {at}, after its last whole chunk");
        self.lose(SensorId(0), lost, GapCause::Truncated, detail);
    }

    fn lose(&mut self, sensor: SensorId, lost: u64, cause: GapCause, detail: String) {
        add(&mut self.accounted, lost);
        self.tell(sensor, lost, cause, detail);
    }

    fn tell(&mut self, sensor: SensorId, lost: u64, cause: GapCause, detail: String) {
        let detail = format!("{detail}: {}", self.path.display());
        self.losses.push(Loss {
            sensor,
            lost,
            cause,
            detail,
        });
    }

    /// Puts a measurement on the timeline, after what was lost before it.
    fn emit(&mut self, measurement: Measurement) {
        add(&mut self.accounted, 1);
        if let Some(last) = self.last
            && measurement.end < last
        {
            let nanos = last.nanos_since(measurement.end);
            let (sensor, seq) = (measurement.sensor, measurement.seq);
            let lost = match &measurement.payload {
                Payload::Gap(gap) => gap.lost,
                _ => 1,
            };
            return self.tell(
                sensor,
                lost,
                GapCause::Late,
                format!("seq {seq} stands {nanos} ns too late"),
            );
        }
        let end = self
            .last
            .map_or(measurement.end, |last| last.shifted_nanos(1).min(measurement.end));
        self.place_losses(end);
        self.last = Some(measurement.end);
        self.ready.push_back(measurement);
    }

    fn place_losses(&mut self, end: Stamp) {
        let mut losses = std::mem::take(&mut self.losses);
        losses.sort_by_key(|loss| loss.sensor);
        self.ready.extend(losses.into_iter().map(|loss| Measurement {
            seq: 0,
            sensor: loss.sensor,
            stamp: end,
            end,
            received: end,
            payload: Payload::Gap(Gap {
                lost: loss.lost,
                cause: loss.cause,
                detail: loss.detail,
            }),
        }));
    }
}

impl<R: Read + Seek> Iterator for Reader<R> {
    type Item = Measurement;

    fn next(&mut self) -> Option<Measurement> {
        while self.ready.is_empty() && !self.done {
            if let Err(said) = self.advance() {
                self.done = true;
                let detail = format!("at byte {}: {said}", self.records.at());
                self.lose(SensorId(0), 1, GapCause::Corrupt, detail);
            }
        }
        if self.ready.is_empty() {
            let end = self
                .last
                .map_or_else(Stamp::default, |last| last.shifted_nanos(1));
            self.place_losses(end);
        }
        self.ready.pop_front()
    }
}

/// Counts that a file states may lie beyond all counting.
fn add(total: &mut u64, count: u64) {
    *total = total.saturating_add(count);
}
