//! `RAW3`: the samples of one channel's ping.
//!
//! `128 characters of channel id | i16 type | 2 spare | i32 first sample | i32 count | samples`.
//! Bits of the type: 0 power, 1 angle, 2 complex of half precision, 3 complex of single precision,
//! 8 to 10 complex values per sample (the transducer's sectors). Complex samples lie moment by
//! moment, sector by sector; power is `i16` in steps of 10 log10(2) / 256 dB, and angles follow it.

use super::bytes::{f32_at, half, i16_at, i32_at, text};

/// Bytes before the samples.
pub(super) const HEAD: usize = 140;
/// Bytes of the channel id at its start.
pub(super) const ID: usize = 128;
/// Decibels of one step of power.
const STEP_DB: f64 = 10.0 * std::f64::consts::LOG10_2 / 256.0;

/// What stands before the samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SampleHead {
    pub(super) channel: String,
    pub(super) kind: SampleKind,
    /// Whether angles follow the power; they are not read.
    pub(super) angles: bool,
    /// Number of the first sample, counted from the start of transmission.
    pub(super) first: i32,
    pub(super) count: usize,
}

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SampleKind {
    /// Complex of single precision, of so many sectors.
    Complex32(usize),
    /// Complex of half precision, of so many sectors.
    Complex16(usize),
    Power,
}

impl SampleKind {
    fn bytes(self) -> usize {
        match self {
            SampleKind::Complex32(sectors) => 8 * sectors,
            SampleKind::Complex16(sectors) => 4 * sectors,
            SampleKind::Power => 2,
        }
    }
}

/// Reads what stands before the samples; `body` is the length of the datagram's body.
pub(super) fn head(bytes: &[u8; HEAD], body: u64) -> Result<SampleHead, String> {
    let kind_bits = i16_at(bytes, ID).unwrap_or_default() as u16;
    let sectors = usize::from(kind_bits >> 8 & 0b111);
    let kind = match (kind_bits & 0b1101, sectors) {
        (bits, 1..) if bits & 0b1000 != 0 => SampleKind::Complex32(sectors),
        (bits, 1..) if bits & 0b0100 != 0 => SampleKind::Complex16(sectors),
        (1, _) => SampleKind::Power,
        _ => {
            return Err(format!(
                "expected complex or power samples, found type {kind_bits:#06x}"
            ));
        }
    };
    let count = i32_at(bytes, 136).unwrap_or_default();
    let room = body.saturating_sub(HEAD as u64) / kind.bytes() as u64;
    let count = usize::try_from(count)
        .ok()
        .filter(|&count| count > 0 && count as u64 <= room)
        .ok_or_else(|| format!("expected 1 to {room} samples, found {count}"))?;
    Ok(SampleHead {
        channel: text(&bytes[..ID]),
        kind,
        angles: kind_bits & 0b10 != 0,
        first: i32_at(bytes, 132).unwrap_or_default(),
        count,
    })
}

impl SampleHead {
    /// Bytes of the samples that are read.
    pub(super) fn bytes(&self) -> usize {
        self.count * self.kind.bytes()
    }

    /// Complex samples as one row for each sector; empty for power.
    pub(super) fn sectors(&self, bytes: &[u8]) -> Vec<[f32; 2]> {
        let (sectors, size) = match self.kind {
            SampleKind::Complex32(sectors) => (sectors, 4),
            SampleKind::Complex16(sectors) => (sectors, 2),
            SampleKind::Power => return Vec::new(),
        };
        let part = |index: usize| match size {
            4 => f32_at(bytes, 4 * index).unwrap_or(f32::NAN),
            _ => i16_at(bytes, 2 * index).map_or(f32::NAN, |bits| half(bits as u16)),
        };
        (0..sectors)
            .flat_map(|sector| (0..self.count).map(move |moment| 2 * (moment * sectors + sector)))
            .map(|index| [part(index), part(index + 1)])
            .collect()
    }

    /// Power in dB; empty for complex samples.
    pub(super) fn power_db(&self, bytes: &[u8]) -> Vec<f32> {
        if self.kind != SampleKind::Power {
            return Vec::new();
        }
        let steps = bytes.as_chunks::<2>().0.iter().take(self.count);
        steps
            .map(|&step| (f64::from(i16::from_le_bytes(step)) * STEP_DB) as f32)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::write::raw;
    use super::*;

    fn read(body: &[u8]) -> Result<SampleHead, String> {
        head(body[..HEAD].try_into().unwrap(), body.len() as u64)
    }

    #[test]
    fn sectors_become_rows() {
        let values: Vec<u8> = (0..12u8)
            .flat_map(|value| f32::from(value).to_le_bytes())
            .collect();
        let body = raw("one", 0x308, 0, 2, &values);
        let head = read(&body).unwrap();
        assert_eq!(
            (head.kind, head.count, head.channel.as_str()),
            (SampleKind::Complex32(3), 2, "one")
        );
        let rows = [
            [0.0, 1.0],
            [6.0, 7.0],
            [2.0, 3.0],
            [8.0, 9.0],
            [4.0, 5.0],
            [10.0, 11.0],
        ];
        assert_eq!(head.sectors(&body[HEAD..]), rows);
        let halves: Vec<u8> = [0x3c00u16, 0x4000, 0x4200, 0xbc00]
            .iter()
            .flat_map(|bits| bits.to_le_bytes())
            .collect();
        let body = raw("one", 0x104, 0, 2, &halves);
        assert_eq!(
            read(&body).unwrap().sectors(&body[HEAD..]),
            [[1.0, 2.0], [3.0, -1.0]]
        );
    }

    #[test]
    fn power_is_in_decibels_and_angles_are_left() {
        let body = raw("one", 0x3, 5, 2, &[0, 1, 0, 0xff, 1, 2, 3, 4]);
        let head = read(&body).unwrap();
        assert!(head.angles && head.first == 5);
        let power = head.power_db(&body[HEAD..]);
        assert!((power[0] - 3.010_3).abs() < 1e-4 && (power[1] + 3.010_3).abs() < 1e-4);
    }

    #[test]
    fn counts_beyond_the_body_are_refused() {
        for (kind, count, bytes) in [
            (0x108, 2, 15),
            (0x1, 8, 15),
            (0x1, 0, 15),
            (0x1, -1, 15),
            (0x2, 1, 15),
            (0x8, 1, 15),
        ] {
            assert!(
                read(&raw("one", kind, 0, count, &vec![0; bytes])).is_err(),
                "{kind:#x} {count}"
            );
        }
    }
}
