//! WAV files written through `hound`.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use beluga_types::{SampleValues, Waveforms};
use hound::{SampleFormat, WavSpec, WavWriter};

use crate::error::Error;

/// Where a file ends and the next begins, in bytes of samples.
#[cfg(not(test))]
const MAX_WAV_BYTES: u64 = 2_000_000_000;
/// In tests a file ends soon, so that they see the next one begin.
#[cfg(test)]
const MAX_WAV_BYTES: u64 = 64;

/// A WAV file that grows ping by ping.
///
/// A file that is dropped without [`WavOut::finish`] is finished as well as can be, silently.
pub(crate) struct WavOut {
    path: PathBuf,
    writer: WavWriter<BufWriter<File>>,
    spec: WavSpec,
    frames: u64,
}

impl WavOut {
    /// A new file that can hold these waveforms.
    pub(crate) fn create(path: &Path, waveforms: &Waveforms) -> Result<Self, Error> {
        let spec = spec(path, waveforms)?;
        let writer = WavWriter::create(path, spec).map_err(|error| wav_error(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            writer,
            spec,
            frames: 0,
        })
    }

    /// Whether these waveforms can follow in this file and leave it below 2 GB.
    pub(crate) fn takes(&self, waveforms: &Waveforms) -> bool {
        let frame_bytes = u64::from(self.spec.channels) * u64::from(self.spec.bits_per_sample / 8);
        let after = (self.frames + waveforms.shape().samples as u64).saturating_mul(frame_bytes);
        spec(&self.path, waveforms).is_ok_and(|spec| spec == self.spec)
            && (self.frames == 0 || after <= MAX_WAV_BYTES)
    }

    /// Appends waveforms; gives the sample at which they start.
    pub(crate) fn append(&mut self, waveforms: &Waveforms) -> Result<u64, Error> {
        let shape = waveforms.shape();
        let start = self.frames;
        let mut write = || -> Result<(), hound::Error> {
            for sample in 0..shape.samples {
                for index in (sample..shape.samples * shape.channels).step_by(shape.samples) {
                    match waveforms.values() {
                        SampleValues::RealI16(values) => self.writer.write_sample(values[index])?,
                        SampleValues::RealF32(values) => self.writer.write_sample(values[index])?,
                        SampleValues::IqI16(values) => {
                            self.writer.write_sample(values[index][0])?;
                            self.writer.write_sample(values[index][1])?;
                        }
                        SampleValues::IqF32(values) => {
                            self.writer.write_sample(values[index][0])?;
                            self.writer.write_sample(values[index][1])?;
                        }
                    }
                }
            }
            Ok(())
        };
        write().map_err(|error| wav_error(&self.path, error))?;
        self.frames += shape.samples as u64;
        Ok(start)
    }

    /// Ends the file. A file without this still opens and reads to its end.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let path = self.path;
        self.writer.finalize().map_err(|error| wav_error(&path, error))
    }
}

/// The format these waveforms need, as far as WAV can say it.
fn spec(path: &Path, waveforms: &Waveforms) -> Result<WavSpec, Error> {
    let values = waveforms.values();
    let (bits, sample_format) = match values {
        SampleValues::RealI16(_) | SampleValues::IqI16(_) => (16, SampleFormat::Int),
        SampleValues::RealF32(_) | SampleValues::IqF32(_) => (32, SampleFormat::Float),
    };
    let shape = waveforms.shape();
    let channels = shape.channels * if values.is_iq() { 2 } else { 1 };
    let frame_bytes = channels as u64 * u64::from(bits / 8);
    let rate = waveforms.sample_rate_hz().round();
    let file_bytes = frame_bytes.saturating_mul(shape.samples as u64);
    // The format counts bytes of a moment with 16 bits, bytes of a second and of a file with 32.
    if frame_bytes == 0
        || frame_bytes > u64::from(u16::MAX)
        || !(1.0..=f64::from(u32::MAX)).contains(&(rate * frame_bytes as f64))
        || file_bytes > u64::from(u32::MAX / 2)
    {
        let what = format!(
            "a ping of {channels} channels and {} samples at {rate} Hz",
            shape.samples
        );
        return Err(Error::Unsupported {
            what,
            path: path.to_owned(),
        });
    }
    Ok(WavSpec {
        channels: u16::try_from(channels).expect("a moment has at most 65535 bytes"),
        sample_rate: rate as u32,
        bits_per_sample: bits,
        sample_format,
    })
}

fn wav_error(path: &Path, error: hound::Error) -> Error {
    let said = match error {
        hound::Error::IoError(source) => source,
        other => std::io::Error::other(other.to_string()),
    };
    Error::Io {
        said,
        path: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::WaveformShape;

    use super::*;
    use crate::wav::{Samples, WavFile};

    fn waveforms(values: SampleValues, channels: usize, rate: f64) -> Waveforms {
        let samples = values.len() / channels;
        Waveforms::new(WaveformShape { channels, samples }, values, 1.0, rate, 0.0, 0.0).unwrap()
    }

    #[test]
    fn channels_are_interleaved_and_slices_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let first = waveforms(SampleValues::RealI16(vec![1, 2, 3, -4, -5, -6]), 2, 8000.0);
        let mut out = WavOut::create(&path, &first).unwrap();
        assert_eq!(out.append(&first).unwrap(), 0);
        assert_eq!(out.append(&first).unwrap(), 3);
        out.finish().unwrap();
        let mut wav = WavFile::open(&path).unwrap();
        assert_eq!(
            (wav.channels(), wav.sample_rate_hz(), wav.frames()),
            (2, 8000.0, 6)
        );
        assert_eq!(wav.read(1, 2).unwrap(), Samples::I16(vec![2, -5, 3, -6]));
        assert_eq!(wav.read(5, 9).unwrap(), Samples::I16(vec![3, -6]), "to the end");
        assert_eq!(wav.read(99, 1).unwrap(), Samples::I16(vec![]), "behind the end");
    }

    #[test]
    fn a_file_takes_what_fits_its_format_and_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let pairs = waveforms(SampleValues::IqF32(vec![[0.5, -0.5]; 3]), 3, 8000.0);
        let mut out = WavOut::create(&path, &pairs).unwrap();
        assert!(out.takes(&pairs));
        out.append(&pairs).unwrap();
        out.append(&pairs).unwrap();
        assert!(!out.takes(&pairs), "72 bytes of 64");
        for other in [
            waveforms(SampleValues::IqI16(vec![[1, 2]; 3]), 3, 8000.0),
            waveforms(SampleValues::IqF32(vec![[0.5, -0.5]; 1]), 1, 8000.0),
            waveforms(SampleValues::IqF32(vec![[0.5, -0.5]; 3]), 3, 9000.0),
        ] {
            assert!(!out.takes(&other));
        }
        out.finish().unwrap();
        assert_eq!(
            WavFile::open(&path).unwrap().read(0, 1).unwrap(),
            Samples::F32(vec![0.5, -0.5, 0.5, -0.5, 0.5, -0.5])
        );
    }

    #[test]
    fn what_wav_cannot_say_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let wide = waveforms(SampleValues::RealF32(vec![0.0; 20_000]), 20_000, 1000.0);
        assert!(matches!(
            WavOut::create(&path, &wide),
            Err(Error::Unsupported { .. })
        ));
        let fast = waveforms(SampleValues::RealI16(vec![0]), 1, 5e9);
        assert!(matches!(
            WavOut::create(&path, &fast),
            Err(Error::Unsupported { .. })
        ));
    }
}
