//! A sonar's recording: WAV files, and which samples of them are which ping.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beluga_types::{
    Beam, Beams, Elements, GapCause, Payload, SampleValues, SensorSpec, SonarPing, Stamp, WaveformShape,
    Waveforms,
};

use crate::error::{Error, Fault};
use crate::pulses::{self, LISTENING, PulseRow};
use crate::range::{MAX_FIRST_SAMPLE_S, MAX_PAYLOAD_S};
use crate::source::{Loaded, Row, Source};
use crate::table::{Line, Table, quoted};
use crate::wav::{Samples, WavFile};

pub(crate) const REQUIRED: [&str; 10] = [
    "seq",
    "transmit_ns",
    "received_ns",
    "file",
    "start_sample",
    "samples",
    "pulse_id",
    "steering_deg",
    "sound_speed_m_per_s",
    "blanking_m",
];
pub(crate) const OPTIONAL: [&str; 1] = ["first_sample_s"];

/// The pings of one sonar.
pub(crate) struct Pings {
    table: Table,
    path: PathBuf,
    /// The line after the one that is judged.
    ahead: Option<Option<Result<Row<PingRow>, Error>>>,
    folder: PathBuf,
    pulses: BTreeMap<String, PulseRow>,
    beams: Option<Arc<[Beam]>>,
    open: Option<WavFile>,
    taken: Taken,
}

/// Which ping has the samples from where on, in one WAV file.
#[derive(Default)]
struct Taken {
    file: PathBuf,
    /// By start: the ping's number and time, and its line.
    starts: BTreeMap<u64, (u64, Stamp, String)>,
}

/// What a line of the table says about its samples.
pub(crate) struct PingRow {
    place: String,
    file: PathBuf,
    start_sample: u64,
    samples: u64,
    pulse: PulseRow,
    steering_rad: f64,
    sound_speed_m_per_s: Option<f64>,
    blanking_m: f64,
    first_sample_s: f64,
}

impl Pings {
    /// The pings of a table; `pulses` is the file of pulses, if there is one.
    pub(crate) fn open(table: &Path, pulses: Option<&Path>, spec: &SensorSpec) -> Result<Self, Error> {
        Ok(Self {
            table: Table::open(table, &REQUIRED, &OPTIONAL)?,
            path: table.to_owned(),
            ahead: None,
            folder: table.parent().unwrap_or(Path::new(".")).to_owned(),
            pulses: pulses.map_or(Ok(BTreeMap::new()), pulses::read)?,
            beams: spec.beams.clone(),
            open: None,
            taken: Taken::default(),
        })
    }

    fn row(&self, line: &Line) -> Result<Row<PingRow>, Error> {
        let pulse = match line.text("pulse_id") {
            None => LISTENING,
            Some(id) => *self
                .pulses
                .get(id)
                .ok_or_else(|| line.refuse("a `pulse_id` that `pulses.csv` holds", quoted(id)))?,
        };
        let speed = line.number("sound_speed_m_per_s")?;
        if let Some(speed) = speed.filter(|speed| !(100.0..=3000.0).contains(speed)) {
            return Err(line.refuse("100 to 3000 in `sound_speed_m_per_s`", format!("{speed}")));
        }
        let steering_deg = line.number("steering_deg")?.unwrap_or(0.0);
        if steering_deg.abs() > 360.0 {
            return Err(line.refuse("-360 to 360 in `steering_deg`", format!("{steering_deg}")));
        }
        let first_sample_s = line.number("first_sample_s")?.unwrap_or(0.0);
        if first_sample_s.abs() > MAX_FIRST_SAMPLE_S {
            let expected = format!("within ±{MAX_FIRST_SAMPLE_S} s in `first_sample_s`");
            return Err(line.refuse(expected, format!("{first_sample_s}")));
        }
        let place = line.place();
        Ok(Row {
            place: place.clone(),
            seq: Some(line.required_integer("seq")?),
            stamp: line.required_stamp("transmit_ns")?,
            end: None,
            received: line.stamp("received_ns")?,
            what: PingRow {
                place,
                file: self.folder.join(line.required_text("file")?),
                start_sample: line.required_integer("start_sample")?,
                samples: line.required_integer("samples")?,
                pulse,
                steering_rad: steering_deg.to_radians(),
                sound_speed_m_per_s: speed,
                blanking_m: line.sigma("blanking_m")?.unwrap_or(0.0),
                first_sample_s,
            },
        })
    }

    fn read_row(&mut self) -> Option<Result<Row<PingRow>, Error>> {
        let line = self.table.next_line()?;
        Some(line.and_then(|line| self.row(&line)))
    }

    /// What is wrong with a ping that reaches into the one of the next line: it would hold that
    /// one's echoes as well. Lines whose samples lie before are only out of order.
    fn overlap(&self, row: &PingRow, next: &PingRow) -> Option<Error> {
        let most = next
            .start_sample
            .checked_sub(row.start_sample)
            .filter(|most| *most > 0)?;
        if row.file != next.file || row.samples <= most {
            return None;
        }
        let expected = format!("at most {most} in `samples`, where the next line's begin");
        Some(Error::bad(
            &self.path,
            row.place.as_str(),
            expected,
            format!("{}", row.samples),
        ))
    }

    /// What is wrong with a ping whose samples an earlier line of the same file has: it would give
    /// the same echoes twice. The same ping a second time is told apart by its number and time.
    fn twin(&mut self, row: &Row<PingRow>) -> Option<Error> {
        /// Starts that are remembered of one file.
        const MOST: usize = 1 << 18;
        let PingRow {
            file,
            start_sample,
            place,
            ..
        } = &row.what;
        if self.taken.file != *file {
            self.taken.file.clone_from(file);
            self.taken.starts.clear();
        }
        let own = (row.seq.unwrap_or_default(), row.stamp);
        match self.taken.starts.get(start_sample) {
            Some((seq, stamp, _)) if (*seq, *stamp) == own => None,
            Some((_, _, first)) => {
                let found = format!("{start_sample}, as in {first}");
                let expected = "samples that no other ping has, in `start_sample`";
                Some(Error::bad(&self.path, place.as_str(), expected, found))
            }
            None => {
                if self.taken.starts.len() < MOST {
                    self.taken
                        .starts
                        .insert(*start_sample, (own.0, own.1, place.clone()));
                }
                None
            }
        }
    }

    /// The samples of a ping, and how many of each channel are missing.
    fn waveforms(&mut self, row: &PingRow) -> Result<(Waveforms, u64), Error> {
        if self.open.as_ref().is_none_or(|open| open.path() != row.file) {
            self.open = None;
            self.open = Some(WavFile::open(&row.file)?);
        }
        let wav = self.open.as_mut().expect("it has just been opened");
        let rate = row.pulse.sample_rate_hz.unwrap_or(wav.sample_rate_hz());
        if row.samples as f64 / rate > MAX_PAYLOAD_S {
            let expected = format!("at most {MAX_PAYLOAD_S} s at {rate} Hz in `samples`");
            return Err(Error::bad(
                &self.path,
                row.place.as_str(),
                expected,
                format!("{}", row.samples),
            ));
        }
        let samples = wav.read(row.start_sample, row.samples)?;
        let waveforms = waveforms(samples, wav, row.pulse, rate, row.first_sample_s)?;
        let missing = row.samples - waveforms.shape().samples as u64;
        Ok((waveforms, missing))
    }

    fn payload(&self, row: &PingRow, waveforms: Waveforms) -> Result<Payload, beluga_types::Error> {
        let ping = match (&self.beams, row.pulse.pulse) {
            (Some(beams), Some(pulse)) => SonarPing::Beams(Beams::new(
                waveforms,
                Arc::clone(beams),
                pulse,
                row.steering_rad,
                row.sound_speed_m_per_s,
                row.blanking_m,
            )?),
            (_, pulse) => SonarPing::Elements(Elements {
                waveforms,
                positions: Arc::from([]),
                beam: None,
                pulse,
                sound_speed_m_per_s: row.sound_speed_m_per_s,
                blanking_m: row.blanking_m,
            }),
        };
        Ok(Payload::Sonar(Arc::new(ping)))
    }
}

impl Source for Pings {
    type What = PingRow;

    fn next_row(&mut self) -> Option<Result<Row<PingRow>, Fault>> {
        let row = match self.ahead.take() {
            Some(row) => row,
            None => self.read_row(),
        }?;
        let checked = row.and_then(|row| {
            let next = self.read_row();
            let bad = match &next {
                Some(Ok(next)) => self.overlap(&row.what, &next.what),
                _ => None,
            };
            self.ahead = Some(next);
            let bad = bad.or_else(|| self.twin(&row));
            bad.map_or(Ok(row), Err)
        });
        Some(checked.map_err(|error| Fault::corrupt(&error)))
    }

    fn load(&mut self, row: PingRow) -> Loaded {
        let (waveforms, missing) = match self.waveforms(&row) {
            Ok(found) => found,
            Err(error) => return Loaded::lost(Fault::unread(&error)),
        };
        let samples = waveforms.shape().samples;
        let truncated = |lost| Fault {
            cause: GapCause::Truncated,
            lost,
            detail: format!(
                "{}: expected {} samples from sample {}, found {samples}: {}",
                row.place,
                row.samples,
                row.start_sample,
                row.file.display()
            ),
        };
        if samples == 0 {
            return Loaded::lost(truncated(1));
        }
        let last_offset_nanos = waveforms.last_offset_nanos();
        match self.payload(&row, waveforms) {
            Ok(payload) => Loaded {
                // What is there of a ping is a ping: nothing is lost but its far end.
                from_stamp_nanos: None,
                faults: if missing > 0 {
                    vec![truncated(0)]
                } else {
                    Vec::new()
                },
                ..Loaded::whole(payload, last_offset_nanos)
            },
            Err(error) => Loaded::lost(Fault {
                cause: GapCause::Corrupt,
                lost: 1,
                detail: format!("{}: {error}: {}", row.place, row.file.display()),
            }),
        }
    }
}

/// Interleaved samples as one row for each channel, or for each pair of channels if the pulse has
/// a carrier.
pub(crate) fn waveforms(
    samples: Samples,
    wav: &WavFile,
    pulse: PulseRow,
    sample_rate_hz: f64,
    first_sample_s: f64,
) -> Result<Waveforms, Error> {
    let wav_channels = wav.channels();
    let iq = pulse.centre_hz.is_some();
    if iq && !wav_channels.is_multiple_of(2) {
        let expected = "pairs of channels, since the pulse has a `centre_hz`";
        return Err(Error::bad(
            wav.path(),
            "`fmt ` chunk",
            expected,
            format!("{wav_channels} channels"),
        ));
    }
    let channels = if iq { wav_channels / 2 } else { wav_channels };
    let (count, values) = match (samples, iq) {
        (Samples::I16(values), false) => (values.len(), SampleValues::RealI16(rows(&values, channels))),
        (Samples::F32(values), false) => (values.len(), SampleValues::RealF32(rows(&values, channels))),
        (Samples::I16(values), true) => (values.len(), SampleValues::IqI16(rows(&pairs(&values), channels))),
        (Samples::F32(values), true) => (values.len(), SampleValues::IqF32(rows(&pairs(&values), channels))),
    };
    let shape = WaveformShape {
        channels,
        samples: count / wav_channels,
    };
    let centre_hz = pulse.centre_hz.unwrap_or(0.0);
    Waveforms::new(
        shape,
        values,
        pulse.scale,
        sample_rate_hz,
        centre_hz,
        first_sample_s,
    )
    .map_err(|error| Error::bad(wav.path(), "samples", "waveforms", error.to_string()))
}

fn pairs<T: Copy>(values: &[T]) -> Vec<[T; 2]> {
    values.as_chunks::<2>().0.to_vec()
}

fn rows<T: Copy + Default>(interleaved: &[T], channels: usize) -> Vec<T> {
    // A few moments at a time stay in the cache while they are dealt out to the channels.
    const MOMENTS: usize = 64;
    let samples = interleaved.len() / channels;
    let mut rows = vec![T::default(); samples * channels];
    for (block, moments) in interleaved.chunks(MOMENTS * channels).enumerate() {
        for channel in 0..channels {
            let row = &mut rows[channel * samples + block * MOMENTS..];
            for (value, moment) in row.iter_mut().zip(moments.chunks_exact(channels)) {
                *value = moment[channel];
            }
        }
    }
    rows
}
