//! Plain WAV files of a listening array: no pings, one block of samples after the other.

use std::path::PathBuf;
use std::sync::Arc;

use beluga_types::{Elements, GapCause, Payload, SensorSpec, SonarPing, Stamp, Waveforms};

use crate::error::{Error, Fault};
use crate::pings::waveforms;
use crate::pulses::LISTENING;
use crate::source::{Loaded, Row, Source};
use crate::wav::WavFile;

/// Length of a block, in seconds. Several hours of many channels are read a second at a time.
const BLOCK_S: f64 = 1.0;
/// The largest block, in bytes: many channels at high rates make shorter ones.
const MAX_BLOCK_BYTES: u64 = 64 << 20;

/// What a listening array has heard: no pulse was sent, and where its elements are is not told.
pub(crate) fn heard(waveforms: Waveforms) -> Payload {
    Payload::Sonar(Arc::new(SonarPing::Elements(Elements {
        waveforms,
        positions: Arc::from([]),
        beam: None,
        pulse: None,
        sound_speed_m_per_s: None,
        blanking_m: 0.0,
    })))
}

/// The blocks of one listening array; the files follow each other without a pause.
pub(crate) struct Blocks {
    files: std::vec::IntoIter<PathBuf>,
    open: Option<OpenFile>,
    /// When the next file starts.
    start: Stamp,
}

struct OpenFile {
    wav: WavFile,
    start: Stamp,
    block: u64,
    next: u64,
}

/// A block of the open file.
pub(crate) struct Block {
    path: PathBuf,
    first: u64,
    count: u64,
    /// Samples that the header promises and the file does not hold.
    missing: u64,
}

impl Blocks {
    /// The blocks of these files, by name; the first starts at the rig's `start_ns`.
    pub(crate) fn open(files: Vec<PathBuf>, spec: &SensorSpec) -> Result<Self, Error> {
        let path = files.first().cloned().unwrap_or_default();
        let start = spec.start.ok_or_else(|| Error::NoTimes {
            sensor: spec.name.clone(),
            expected: "a table `*.pings.csv`".into(),
            found: "no `start_ns` (the rate is in the WAV file)".into(),
            path,
        })?;
        Ok(Self {
            files: files.into_iter(),
            open: None,
            start,
        })
    }

    /// Opens the next file; nothing after the last.
    fn open_next(&mut self) -> Option<Result<(), Fault>> {
        let path = self.files.next()?;
        let wav = match WavFile::open(&path) {
            Ok(wav) => wav,
            Err(error) => return Some(Err(Fault::corrupt(&error))),
        };
        let rate = wav.sample_rate_hz();
        let most = MAX_BLOCK_BYTES / (4 * wav.channels() as u64);
        let start = self.start;
        // What the header promises has passed, even if the file does not hold it.
        self.start = start.shifted_s(wav.stated_frames() as f64 / rate);
        if wav.frames() == 0 {
            return Some(Err(Fault {
                cause: GapCause::Truncated,
                lost: (wav.stated_frames() as f64 / (rate * BLOCK_S)).ceil() as u64,
                detail: format!(
                    "expected {} samples, found none: {}",
                    wav.stated_frames(),
                    path.display()
                ),
            }));
        }
        self.open = Some(OpenFile {
            start,
            block: ((rate * BLOCK_S) as u64).clamp(1, most),
            next: 0,
            wav,
        });
        Some(Ok(()))
    }
}

impl Source for Blocks {
    type What = Block;

    fn next_row(&mut self) -> Option<Result<Row<Block>, Fault>> {
        loop {
            let Some(open) = self.open.as_mut().filter(|open| open.next < open.wav.frames()) else {
                match self.open_next()? {
                    Ok(()) => continue,
                    Err(fault) => return Some(Err(fault)),
                }
            };
            let first = open.next;
            let frames = open.wav.frames();
            open.next = (first + open.block).min(frames);
            let path = open.wav.path().to_owned();
            return Some(Ok(Row {
                place: format!("{} sample {first}", path.display()),
                seq: None,
                stamp: open.start.shifted_s(first as f64 / open.wav.sample_rate_hz()),
                end: None,
                received: None,
                what: Block {
                    path,
                    first,
                    count: open.next - first,
                    missing: if open.next == frames {
                        open.wav.stated_frames() - frames
                    } else {
                        0
                    },
                },
            }));
        }
    }

    fn load(&mut self, block: Block) -> Loaded {
        let read = || -> Result<_, Error> {
            // Rows run ahead of loads, so the row's file may not be the one open now.
            let mut wav = WavFile::open(&block.path)?;
            let samples = wav.read(block.first, block.count)?;
            let rate = wav.sample_rate_hz();
            Ok((waveforms(samples, &wav, LISTENING, rate, 0.0)?, rate))
        };
        let (waveforms, rate) = match read() {
            Ok(found) => found,
            Err(error) => return Loaded::lost(Fault::corrupt(&error)),
        };
        let last_offset_nanos = waveforms.last_offset_nanos();
        let mut loaded = Loaded::whole(heard(waveforms), last_offset_nanos);
        if block.missing > 0 {
            let stated = block.first + block.count + block.missing;
            let detail = format!(
                "expected {stated} samples, found {}: {}",
                block.first + block.count,
                block.path.display()
            );
            loaded.faults.push(Fault {
                cause: GapCause::Truncated,
                lost: (block.missing as f64 / (rate * BLOCK_S)).ceil() as u64,
                detail,
            });
        }
        loaded
    }
}
