//! A tape, written measurement by measurement.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use beluga_types::{Measurement, Payload, Rig, SensorId, Stamp};
use mcap::records::MessageHeader;
use mcap::write::NoSeek;
use mcap::{Compression, McapError, WriteOptions};

use super::cdr::Encoder;
use super::ending::{Out, Told};
use super::fixes::{self, Moment};
use super::part::Part;
use super::rig::Attached;
use super::schema::{Kind, topic};
use super::{KIND, LIBRARY, PROFILE, SENSOR, cloud, echoes, rig, sonar_image, views};
use crate::error::Error;

/// A chunk is closed when it holds so many bytes before compression,
const CHUNK_BYTES: usize = 4 << 20;
/// or when it spans so much data time, in nanoseconds.
const CHUNK_NANOS: i64 = 1_000_000_000;
/// The largest message there may be.
const MAX_MESSAGE_BYTES: usize = 1 << 30;
/// Level of zstd: a third of the time of its default for a tenth more bytes.
const LEVEL: u32 = 1;

/// Writes a tape.
///
/// Measurements lie in chunks of at most 4 MiB (or one measurement, if that is longer) and one
/// second of data time; a chunk is written and handed to the system at once when it closes. So a
/// tape that was never [`finished`](Self::finish), because the program or the machine stopped,
/// opens to its last whole chunk and loses what came after: at most one chunk. The same measurements
/// give the same file, byte by byte.
pub struct Writer {
    pub(super) path: PathBuf,
    pub(super) mcap: mcap::Writer<NoSeek<Out>>,
    told: Told,
    names: Vec<String>,
    channels: BTreeMap<(SensorId, Kind), u16>,
    /// First end and bytes of the chunk that is open.
    chunk: Option<(Stamp, usize)>,
    pushed: u64,
    kept: u64,
    sonar_images: bool,
}

impl Writer {
    /// Starts a tape in a new file; the rig goes first.
    ///
    /// The rig is kept as it is, but the times of measurements are final: what `time_offset_ms`
    /// and `stamp` ask for has been done before they come here, and is not done again.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub fn create(path: &Path, rig: &Rig) -> Result<Self, Error> {
        let attachments = rig::attachments(path, rig)?;
        let mut writer = Self::open(path)?;
        writer.names = rig.sensors.iter().map(|sensor| sensor.name.clone()).collect();
        for attached in attachments {
            writer.attach(attached)?;
        }
        writer.flush()?;
        Ok(writer)
    }

    /// Writes each ping of beams or of echo strength once more as a
    /// `marine_acoustic_msgs/RawSonarImage` of magnitudes, for viewers. It is never read back, and
    /// larger than the ping.
    #[must_use]
    pub fn with_sonar_images(mut self) -> Self {
        self.sonar_images = true;
        self
    }

    /// Each chunk is on the disk before the next is begun, so that a power cut costs no more than a crash
    /// of the program: for sensors that cannot be asked again.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn durable(self) -> Result<Self, Error> {
        self.told.durable.store(true, Ordering::Relaxed);
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(Error::io(folder))?;
        Ok(self)
    }

    /// An MCAP file without anything in it.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let (out, told) = Out::new(file.map_err(Error::io(path))?);
        let mcap = WriteOptions::library(WriteOptions::new(), LIBRARY)
            .profile(PROFILE)
            .compression(Some(Compression::Zstd))
            .compression_level(LEVEL)
            .compression_threads(0)
            .chunk_size(None)
            // A chunk is put together in memory, and its file only ever grows.
            .disable_seeking(true)
            .create(NoSeek::new(out))
            .map_err(failed(path))?;
        Ok(Self {
            path: path.to_owned(),
            mcap,
            told,
            names: Vec::new(),
            channels: BTreeMap::new(),
            chunk: None,
            pushed: 0,
            kept: 0,
            sonar_images: false,
        })
    }

    fn attach(&mut self, attached: Attached) -> Result<(), Error> {
        let attachment = mcap::Attachment {
            log_time: 0,
            create_time: 0,
            name: attached.name,
            media_type: attached.media_type.to_owned(),
            data: attached.bytes.into(),
        };
        self.mcap.attach(&attachment).map_err(failed(&self.path))
    }

    /// Writes one measurement. Measurements come in timeline order.
    ///
    /// # Errors
    /// If it cannot be written, is of a sensor that the rig lacks, or is longer than 1 GiB.
    pub fn push(&mut self, measurement: &Measurement) -> Result<(), Error> {
        let sensor = measurement.sensor;
        let unsupported = |what: String| Error::Unsupported {
            what,
            path: self.path.clone(),
        };
        let Some(name) = self.names.get(usize::from(sensor.0)).cloned() else {
            let what = format!("a measurement of sensor {}, which the rig lacks,", sensor.0);
            return Err(unsupported(what));
        };
        let Some(kind) = Kind::of(&measurement.payload) else {
            return Err(unsupported(format!("this payload of sensor `{name}`")));
        };
        let message = encoded(measurement, &name);
        if message.len() > MAX_MESSAGE_BYTES {
            return Err(unsupported(format!(
                "a measurement of more than 1 GiB of `{name}`"
            )));
        }
        let moment = Moment::of(measurement);
        if let Payload::Lidar(scan) = &measurement.payload {
            let mut encoder = Encoder::new();
            moment.put(&mut encoder);
            encoder.put(scan.dropped());
            self.write(Kind::Scan, sensor, &name, &moment, &encoder.finish())?;
        }
        self.write(kind, sensor, &name, &moment, &message)?;
        if let Some((view, message)) = views::of(measurement, &name) {
            self.write(view, sensor, &name, &moment, &message)?;
        }
        if let Payload::Sonar(ping) = &measurement.payload
            && self.sonar_images
            && let Some(image) = sonar_image::of(measurement.stamp, &name, ping)
            && image.len() <= MAX_MESSAGE_BYTES
        {
            self.write(Kind::SonarImage, sensor, &name, &moment, &image)?;
        }
        self.pushed += 1;
        let (first, bytes) = self.chunk.unwrap_or((moment.end, 0));
        if bytes >= CHUNK_BYTES || moment.end.nanos_since(first).saturating_abs() >= CHUNK_NANOS {
            self.flush()?;
        }
        Ok(())
    }

    /// Measurements that lie in closed chunks: they outlive a crash of the program.
    pub fn kept(&self) -> u64 {
        self.kept
    }

    /// Bytes that have been handed to the system.
    pub(super) fn bytes(&self) -> u64 {
        self.told.bytes.load(Ordering::Relaxed)
    }

    /// Says which part of a row this is, before anything else is in it.
    pub(super) fn say(&mut self, part: Part) -> Result<(), Error> {
        self.mcap
            .write_metadata(&part.metadata())
            .map_err(failed(&self.path))
    }

    /// Ends the tape with its index and its statistics; gives the number of measurements.
    ///
    /// # Errors
    /// If something cannot be written.
    pub fn finish(mut self) -> Result<u64, Error> {
        self.flush()?;
        self.told.ends.store(true, Ordering::Relaxed);
        self.mcap.finish().map_err(failed(&self.path))?;
        let out = self.mcap.into_inner().into_inner();
        out.finish().map_err(Error::io(&self.path))?;
        Ok(self.kept)
    }

    /// Closes the chunk that is open, if there is one, and hands it to the system: for a source that
    /// has paused.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.mcap.flush().map_err(failed(&self.path))?;
        self.chunk = None;
        self.kept = self.pushed;
        Ok(())
    }

    fn write(
        &mut self,
        kind: Kind,
        sensor: SensorId,
        name: &str,
        moment: &Moment,
        message: &[u8],
    ) -> Result<(), Error> {
        let channel = match self.channels.get(&(sensor, kind)) {
            Some(channel) => *channel,
            None => {
                let told = [(KIND, kind.word()), (SENSOR, name)];
                let channel = self.channel(kind, &topic(name, kind), &told)?;
                self.channels.insert((sensor, kind), channel);
                channel
            }
        };
        self.message(channel, moment, message)?;
        let (_, bytes) = self.chunk.get_or_insert((moment.end, 0));
        *bytes += message.len();
        Ok(())
    }

    /// A channel for messages of this kind.
    pub(super) fn channel(&mut self, kind: Kind, topic: &str, told: &[(&str, &str)]) -> Result<u16, Error> {
        let told = told
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        self.mcap
            .add_schema(kind.schema(), "ros2msg", kind.text().as_bytes())
            .and_then(|schema| self.mcap.add_channel(schema, topic, "cdr", &told))
            .map_err(failed(&self.path))
    }

    /// One message; what the times and the count of MCAP cannot hold stands in the message itself.
    pub(super) fn message(&mut self, channel_id: u16, moment: &Moment, message: &[u8]) -> Result<(), Error> {
        let time = |stamp: Stamp| u64::try_from(stamp.nanos()).unwrap_or(0);
        let header = MessageHeader {
            channel_id,
            sequence: moment.seq as u32,
            log_time: time(moment.end),
            publish_time: time(moment.received),
        };
        self.mcap
            .write_to_known_channel(&header, message)
            .map_err(failed(&self.path))
    }
}

/// A measurement as the message that holds it whole; of a scan, its points.
fn encoded(measurement: &Measurement, name: &str) -> Vec<u8> {
    let mut encoder = Encoder::new();
    match &measurement.payload {
        Payload::Lidar(scan) => cloud::put_scan(&mut encoder, measurement.stamp, name, scan),
        payload => {
            Moment::of(measurement).put(&mut encoder);
            match payload {
                Payload::Sonar(ping) => echoes::put(&mut encoder, ping),
                fix => fixes::put(&mut encoder, fix),
            }
        }
    }
    encoder.finish()
}

pub(super) fn failed(path: &Path) -> impl FnOnce(McapError) -> Error {
    let path = path.to_owned();
    move |error| Error::Io {
        said: match error {
            McapError::Io(said) => said,
            other => io::Error::other(other),
        },
        path,
    }
}
