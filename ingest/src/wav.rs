//! WAV files through `hound`: any number of channels, read slice by slice.
//!
//! Read are 8, 16, 24 and 32-bit integers and 32-bit floats, plain or `WAVE_FORMAT_EXTENSIBLE`.
//! Chunks that are not `fmt ` or `data` are skipped. This file finds the chunks; what the format
//! says and what the bytes mean is `hound`'s, which is handed one slice at a time, so a recording
//! is never loaded whole. Plain 16-bit and float samples take a short way that gives the same.
//!
//! Limits: the format counts its bytes with 32 bits, so a file ends at 4 GiB (RF64 is refused);
//! sample rates are whole hertz, from 100 to 1e9; 8-bit samples become 16-bit ones, 24 and 32-bit integers become
//! `f32` counts, which is exact up to 24 bits. A file that was never finished (its data length is
//! 0 or 0xFFFFFFFF) is read to its end.
//!
//! Source: IBM and Microsoft, "Multimedia Programming Interface and Data Specifications 1.0", 1991.

mod write;

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader, WavSpec};

pub(crate) use write::WavOut;

use crate::error::Error;
use crate::range::SAMPLE_RATES_HZ;
use crate::regular;
use crate::table::quoted;

/// The longest slice that is read at once, in bytes.
const MAX_SLICE_BYTES: u64 = 1 << 30;
/// The longest `fmt ` chunk that is read, in bytes; the standard ones have 16, 18 or 40.
const MAX_FMT_BYTES: u32 = 1024;

/// An open WAV file.
#[derive(Debug)]
pub struct WavFile {
    path: PathBuf,
    file: File,
    fmt: Vec<u8>,
    spec: WavSpec,
    frame_bytes: u64,
    data: u64,
    stated_frames: u64,
    frames: u64,
}

/// Samples of a slice, interleaved: all channels of one moment, then of the next.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Counts of 8 or 16 bits.
    I16(Vec<i16>),
    /// Floats, or counts of more than 16 bits.
    F32(Vec<f32>),
}

impl WavFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// If it cannot be read, is not WAV, or holds samples of another kind than listed above.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut file = regular::open(path)?;
        let size = file.metadata().map_err(Error::io(path))?.len();
        if size == 0 {
            return Err(Error::Empty {
                expected: "a WAV file".into(),
                path: path.to_owned(),
            });
        }
        let (fmt, data, stated_bytes) = chunks(&mut file, size, path)?;
        let refuse = |error: hound::Error| {
            Error::bad(
                path,
                "`fmt ` chunk",
                "integer or float samples",
                quoted(&error.to_string()),
            )
        };
        let spec = WavReader::new(Cursor::new(head(&fmt, 0))).map_err(refuse)?.spec();
        let known = match spec.sample_format {
            SampleFormat::Int => matches!(spec.bits_per_sample, 8 | 16 | 24 | 32),
            SampleFormat::Float => spec.bits_per_sample == 32,
        };
        let frame_bytes = u64::from(u16::from_le_bytes([fmt[12], fmt[13]]));
        let good_rate = SAMPLE_RATES_HZ.contains(&f64::from(spec.sample_rate));
        if !known || !good_rate || frame_bytes % u64::from(spec.channels) != 0 {
            let found = format!("{spec:?}, {frame_bytes} bytes for each moment");
            return Err(Error::bad(
                path,
                "`fmt ` chunk",
                "8 to 32-bit samples at 100 Hz to 1 GHz",
                found,
            ));
        }
        let available = size.saturating_sub(data);
        let unfinished = stated_bytes == 0 || stated_bytes == u32::MAX;
        let stated = if unfinished {
            available
        } else {
            u64::from(stated_bytes)
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            fmt,
            spec,
            frame_bytes,
            data,
            stated_frames: stated / frame_bytes,
            frames: stated.min(available) / frame_bytes,
        })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        usize::from(self.spec.channels)
    }

    /// Samples per second of each channel.
    pub fn sample_rate_hz(&self) -> f64 {
        f64::from(self.spec.sample_rate)
    }

    /// Samples of each channel that are there.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Samples of each channel that the header promises.
    pub fn stated_frames(&self) -> u64 {
        self.stated_frames
    }

    /// Reads `count` samples of every channel from sample `start`; fewer where the file ends.
    ///
    /// # Errors
    /// If the file cannot be read, or the slice is longer than 1 GiB.
    pub fn read(&mut self, start: u64, count: u64) -> Result<Samples, Error> {
        let count = count.min(self.frames.saturating_sub(start));
        let length = count * self.frame_bytes;
        if length > MAX_SLICE_BYTES {
            let expected = format!("at most {MAX_SLICE_BYTES} bytes at once");
            return Err(Error::bad(
                &self.path,
                format!("sample {start}"),
                expected,
                format!("{length}"),
            ));
        }
        let mut bytes = head(
            &self.fmt,
            u32::try_from(length).expect("a slice is at most 1 GiB"),
        );
        let offset = self.data + start.min(self.frames) * self.frame_bytes;
        self.file
            .seek(SeekFrom::Start(offset))
            .map_err(Error::io(&self.path))?;
        let found = self
            .file
            .by_ref()
            .take(length)
            .read_to_end(&mut bytes)
            .map_err(Error::io(&self.path))?;
        if found as u64 != length {
            let place = format!("byte {}", offset + found as u64);
            return Err(Error::bad(
                &self.path,
                place,
                format!("{length} bytes of samples"),
                format!("{found}"),
            ));
        }
        let head_bytes = bytes.len() - found;
        self.decode(bytes, head_bytes).map_err(|error| {
            Error::bad(
                &self.path,
                format!("sample {start}"),
                "samples",
                quoted(&error.to_string()),
            )
        })
    }

    /// The samples behind the head. The two usual types are taken as they stand, the others, and in
    /// a test all, by `hound`.
    fn decode(&self, bytes: Vec<u8>, head_bytes: usize) -> Result<Samples, hound::Error> {
        let packed =
            self.frame_bytes * 8 == u64::from(self.spec.channels) * u64::from(self.spec.bits_per_sample);
        let data = &bytes[head_bytes..];
        match (self.spec.sample_format, self.spec.bits_per_sample) {
            (SampleFormat::Int, 16) if packed => {
                let values = data.as_chunks().0.iter().map(|value| i16::from_le_bytes(*value));
                Ok(Samples::I16(values.collect()))
            }
            (SampleFormat::Float, 32) if packed => {
                let values = data.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value));
                Ok(Samples::F32(values.collect()))
            }
            _ => self.decode_any(bytes),
        }
    }

    fn decode_any(&self, bytes: Vec<u8>) -> Result<Samples, hound::Error> {
        let reader = WavReader::new(Cursor::new(bytes))?;
        let whole = |value: Result<i32, _>| value.map(|value| value as f32);
        match (self.spec.sample_format, self.spec.bits_per_sample) {
            (SampleFormat::Float, _) => reader.into_samples().collect::<Result<_, _>>().map(Samples::F32),
            (SampleFormat::Int, 8 | 16) => reader.into_samples().collect::<Result<_, _>>().map(Samples::I16),
            (SampleFormat::Int, _) => reader
                .into_samples()
                .map(whole)
                .collect::<Result<_, _>>()
                .map(Samples::F32),
        }
    }
}

/// Finds the format, the place of the samples and their stated length in bytes.
fn chunks(file: &mut File, size: u64, path: &Path) -> Result<(Vec<u8>, u64, u32), Error> {
    let mut riff = [0; 12];
    let found = read_up_to(file, &mut riff).map_err(Error::io(path))?;
    if found < 12 || &riff[..4] != b"RIFF" || &riff[8..] != b"WAVE" {
        let found = quoted(&String::from_utf8_lossy(&riff[..found]));
        return Err(Error::bad(path, "byte 0", "`RIFF`, a length, `WAVE`", found));
    }
    let mut fmt = None;
    let mut at = 12;
    while at + 8 <= size {
        let mut header = [0; 8];
        file.seek(SeekFrom::Start(at)).map_err(Error::io(path))?;
        file.read_exact(&mut header).map_err(Error::io(path))?;
        let [n0, n1, n2, n3, l0, l1, l2, l3] = header;
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        match (&[n0, n1, n2, n3], fmt.is_some()) {
            (b"fmt ", _) => {
                let mut bytes = vec![0; length.min(MAX_FMT_BYTES) as usize];
                let found = read_up_to(file, &mut bytes).map_err(Error::io(path))?;
                if found < 16 || length > MAX_FMT_BYTES || found < bytes.len() {
                    let expected = format!("16 to {MAX_FMT_BYTES} bytes of format");
                    return Err(Error::bad(
                        path,
                        format!("byte {at}"),
                        expected,
                        format!("{found}"),
                    ));
                }
                fmt = Some(bytes);
            }
            (b"data", true) => {
                let fmt = fmt.expect("the arm asks for it");
                return Ok((fmt, at + 8, length));
            }
            (b"data", false) => {
                return Err(Error::bad(
                    path,
                    format!("byte {at}"),
                    "a `fmt ` chunk before `data`",
                    "none",
                ));
            }
            _ => {}
        }
        // Chunks start at even bytes.
        at += 8 + u64::from(length) + u64::from(length % 2);
    }
    Err(Error::bad(
        path,
        format!("byte {}", at.min(size)),
        "a `data` chunk",
        "the end of the file",
    ))
}

fn read_up_to(file: &mut File, bytes: &mut [u8]) -> std::io::Result<usize> {
    let mut found = 0;
    while found < bytes.len() {
        match file.read(&mut bytes[found..])? {
            0 => break,
            more => found += more,
        }
    }
    Ok(found)
}

/// A WAV file's bytes up to its samples.
fn head(fmt: &[u8], data_bytes: u32) -> Vec<u8> {
    let fmt_bytes = u32::try_from(fmt.len()).expect("the chunk's length has been checked");
    let mut bytes = Vec::with_capacity(28 + fmt.len() + data_bytes as usize);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(data_bytes.saturating_add(20 + fmt_bytes)).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend_from_slice(&fmt_bytes.to_le_bytes());
    bytes.extend_from_slice(fmt);
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&data_bytes.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A WAV file of these samples with a strange chunk of odd length before them.
    fn file(format: u16, bits: u16, channels: u16, data: &[u8], stated: u32) -> Vec<u8> {
        let block = channels * bits / 8;
        let mut fmt = Vec::new();
        for number in [format, channels] {
            fmt.extend(number.to_le_bytes());
        }
        fmt.extend(48_000u32.to_le_bytes());
        fmt.extend((48_000 * u32::from(block)).to_le_bytes());
        fmt.extend(block.to_le_bytes());
        fmt.extend(bits.to_le_bytes());
        let mut bytes = b"RIFF\0\0\0\0WAVEconf\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        bytes.extend(fmt);
        bytes.extend(b"data");
        bytes.extend(stated.to_le_bytes());
        bytes.extend(data);
        bytes
    }

    fn open(bytes: &[u8]) -> Result<WavFile, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        WavFile::open(file.path())
    }

    fn check(format: u16, bits: u16, data: &[u8], expected: Samples) {
        let length = data.len() as u32;
        let mut wav = open(&file(format, bits, 2, data, length)).unwrap();
        assert_eq!((wav.channels(), wav.sample_rate_hz(), wav.frames()), (2, 48e3, 1));
        assert_eq!(wav.read(0, 10).unwrap(), expected);
        let whole = [&head(&wav.fmt, length), data].concat();
        assert_eq!(wav.decode_any(whole).unwrap(), expected, "through hound alone");
    }

    #[test]
    fn every_sample_type_reads() {
        check(1, 8, &[0, 255], Samples::I16(vec![-128, 127]));
        check(1, 16, &[1, 0, 255, 255], Samples::I16(vec![1, -1]));
        check(1, 24, &[1, 0, 0, 255, 255, 255], Samples::F32(vec![1.0, -1.0]));
        check(
            1,
            32,
            &[0, 0, 1, 0, 255, 255, 255, 255],
            Samples::F32(vec![65_536.0, -1.0]),
        );
        let floats = [0.5f32.to_le_bytes(), (-2f32).to_le_bytes()].concat();
        check(3, 32, &floats, Samples::F32(vec![0.5, -2.0]));
    }

    #[test]
    fn what_is_there_of_a_cut_file_is_read() {
        let cut = open(&file(1, 16, 1, &[1, 0, 2, 0, 3], 10)).unwrap();
        assert_eq!((cut.frames(), cut.stated_frames()), (2, 5));
        for never_finished in [0, u32::MAX] {
            let wav = open(&file(1, 16, 1, &[1, 0, 2, 0], never_finished)).unwrap();
            assert_eq!((wav.frames(), wav.stated_frames()), (2, 2));
        }
    }

    #[test]
    fn what_is_no_wav_is_refused_with_its_place() {
        let whole = file(1, 16, 1, &[1, 0], 2);
        let refused = |bytes: &[u8]| open(bytes).unwrap_err().to_string();
        assert!(refused(b"").starts_with("expected a WAV file, found nothing"));
        assert!(
            refused(b"RF64....WAVE")
                .starts_with("byte 0: expected `RIFF`, a length, `WAVE`, found `RF64....WAVE`")
        );
        assert!(
            refused(&whole[..24]).starts_with("byte 24: expected a `data` chunk"),
            "{}",
            refused(&whole[..24])
        );
        assert!(refused(&whole[..40]).starts_with("byte 24: expected 16 to 1024 bytes of format"));
        assert!(
            refused(&file(2, 16, 1, &[], 0)).starts_with("`fmt ` chunk: expected integer or float samples")
        );
        assert!(refused(&file(1, 16, 0, &[], 0)).contains("zero channels"));
        for end in 0..56 {
            assert!(open(&whole[..end]).is_err(), "{end} bytes");
        }
    }
}
