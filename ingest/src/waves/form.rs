//! What samples are: their kind, rate and channels, in the words of a rig or of an SDP.

use std::fmt;

use beluga_types::SampleValues;

use crate::range::SAMPLE_RATES_HZ;

/// The most channels that are believed.
const MOST_CHANNELS: usize = 1024;

/// How one sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Integers of so many bytes, most significant first or last.
    Int { bytes: usize, big: bool },
    /// 32-bit floats, least significant byte first.
    Float,
}

/// The names of kinds: `L16` and `L24` are those of RTP (RFC 3551, RFC 3190), the others those of most
/// sound programs.
const KINDS: [(&str, Kind); 9] = [
    ("L16", Kind::Int { bytes: 2, big: true }),
    ("L24", Kind::Int { bytes: 3, big: true }),
    ("S16BE", Kind::Int { bytes: 2, big: true }),
    ("S16LE", Kind::Int { bytes: 2, big: false }),
    ("S24BE", Kind::Int { bytes: 3, big: true }),
    ("S24LE", Kind::Int { bytes: 3, big: false }),
    ("S32BE", Kind::Int { bytes: 4, big: true }),
    ("S32LE", Kind::Int { bytes: 4, big: false }),
    ("F32LE", Kind::Float),
];

/// What a stream of samples is: all channels of one moment, then of the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Form {
    pub(crate) kind: Kind,
    pub(crate) rate_hz: f64,
    pub(crate) channels: usize,
}

impl Form {
    /// Whether a rig's `format` is meant to be one.
    pub(crate) fn is_meant(word: &str) -> bool {
        let name = word.split('/').next().unwrap_or_default();
        KINDS.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// `KIND/RATE/CHANNELS`, as RTP's map has it: `L24/96000/4`; without channels it is one.
    pub(crate) fn named(word: &str) -> Option<Self> {
        let mut parts = word.split('/');
        let name = parts.next()?;
        let (_, kind) = KINDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let rate_hz = parts.next()?.parse().ok()?;
        let channels = parts.next().map_or(Ok(1), str::parse).ok()?;
        let form = Self {
            kind: *kind,
            rate_hz,
            channels,
        };
        (form.is_believed() && parts.next().is_none()).then_some(form)
    }

    /// Whether there may be such samples.
    pub(crate) fn is_believed(&self) -> bool {
        SAMPLE_RATES_HZ.contains(&self.rate_hz) && (1..=MOST_CHANNELS).contains(&self.channels)
    }

    /// Whether RTP sends such samples.
    pub(crate) fn is_rtp(&self) -> bool {
        matches!(
            self.kind,
            Kind::Int {
                bytes: 2 | 3,
                big: true
            }
        )
    }

    /// Bytes of one moment.
    pub(crate) fn frame_bytes(&self) -> usize {
        let bytes = match self.kind {
            Kind::Int { bytes, .. } => bytes,
            Kind::Float => 4,
        };
        bytes * self.channels
    }

    /// How long so many moments are, in nanoseconds.
    pub(crate) fn nanos(&self, frames: u64) -> i64 {
        (frames as f64 / self.rate_hz * 1e9).round() as i64
    }

    /// Samples of whole moments, one row for each channel; how many are no number and became 0.
    /// Integers of more than 16 bits become floats, exactly up to 24 bits.
    pub(crate) fn rows(&self, bytes: &[u8]) -> (SampleValues, u64) {
        let width = self.frame_bytes() / self.channels;
        let frames = bytes.len() / self.frame_bytes();
        let sample = |channel: usize, frame: usize| {
            let at = (frame * self.channels + channel) * width;
            &bytes[at..at + width]
        };
        let all = || (0..self.channels).flat_map(|channel| (0..frames).map(move |frame| (channel, frame)));
        let mut none = 0;
        let values = match self.kind {
            Kind::Int { bytes: 2, big } => {
                let value = |(channel, frame)| int(sample(channel, frame), big) as i16;
                SampleValues::RealI16(all().map(value).collect())
            }
            Kind::Int { big, .. } => {
                let value = |(channel, frame)| int(sample(channel, frame), big) as f32;
                SampleValues::RealF32(all().map(value).collect())
            }
            Kind::Float => {
                let mut value = |(channel, frame)| {
                    let bytes = sample(channel, frame);
                    let value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                    none += u64::from(!value.is_finite());
                    if value.is_finite() { value } else { 0.0 }
                };
                SampleValues::RealF32(all().map(&mut value).collect())
            }
        };
        (values, none)
    }
}

/// An integer of up to four bytes, with its sign.
fn int(bytes: &[u8], big: bool) -> i32 {
    let add = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
    let value = match big {
        true => bytes.iter().fold(0, add),
        false => bytes.iter().rev().fold(0, add),
    };
    let unused = 32 - 8 * bytes.len();
    (value << unused) as i32 >> unused
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = KINDS
            .iter()
            .find(|(_, kind)| *kind == self.kind)
            .map_or("", |(name, _)| name);
        write!(f, "{name}/{}/{}", self.rate_hz, self.channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_and_written_back() {
        for word in ["L24/96000/4", "L16/48000/1", "S24LE/192000/8", "F32LE/500000/2"] {
            assert_eq!(Form::named(word).unwrap().to_string(), word);
        }
        assert_eq!(Form::named("s16le/8000").unwrap().channels, 1);
        for word in [
            "L24",
            "L24/96000/0",
            "L24/9/1",
            "L24/fast/1",
            "L20/96000/1",
            "L24/96000/2/3",
            "L24/NaN/1",
        ] {
            assert_eq!(Form::named(word), None, "{word}");
        }
    }

    #[test]
    fn bytes_become_rows_of_each_channel() {
        let rows = |word: &str, bytes: &[u8]| Form::named(word).unwrap().rows(bytes);
        // Two channels of two moments: 1, -2; 3, -4.
        let l16 = [0, 1, 0xff, 0xfe, 0, 3, 0xff, 0xfc];
        assert_eq!(
            rows("L16/8000/2", &l16),
            (SampleValues::RealI16(vec![1, 3, -2, -4]), 0)
        );
        let l24 = [0, 0, 1, 0xff, 0xff, 0xfe, 0x7f, 0xff, 0xff, 0x80, 0, 0];
        let expected = SampleValues::RealF32(vec![1.0, 8_388_607.0, -2.0, -8_388_608.0]);
        assert_eq!(rows("L24/8000/2", &l24), (expected.clone(), 0));
        let mut s24le = l24;
        s24le
            .as_chunks_mut::<3>()
            .0
            .iter_mut()
            .for_each(|sample| sample.reverse());
        assert_eq!(rows("S24LE/8000/2", &s24le), (expected, 0));
        let floats = [f32::NAN.to_le_bytes(), 0.5f32.to_le_bytes()].concat();
        assert_eq!(
            rows("F32LE/8000/1", &floats),
            (SampleValues::RealF32(vec![0.0, 0.5]), 1)
        );
    }
}
