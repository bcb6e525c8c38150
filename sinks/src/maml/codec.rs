//! A payload before encryption: its length, then the bytes, compressed where that helps.

use zstd::zstd_safe;

use super::layout::{FLAG_ZSTD, MAX_BODY};
use super::padding;
use super::secret::TAG_LEN;

/// Bytes of the inner length.
const INNER_LEN: usize = 4;
/// Longest payload of one record. Also what any decompression may give, whatever the input says.
pub(crate) const MAX_PAYLOAD: usize = MAX_BODY - INNER_LEN - TAG_LEN;
/// Longest payload that is filled up: zstd may make it longer by 1/256 and a little.
const MAX_PADDED_PAYLOAD: usize = MAX_PAYLOAD - (1 << 17);
/// zstd's own default: several hundred MB/s.
const LEVEL: i32 = 3;

/// Compresses payloads, reusing its memory.
pub(crate) struct Compressor {
    zstd: zstd::bulk::Compressor<'static>,
    /// What zstd has written last: memory that is as long as the longest payload, and touched once.
    compressed: Vec<u8>,
    /// Whether payloads are filled up.
    padded: bool,
}

impl Compressor {
    /// `padded`: payloads are filled up to a few lengths.
    pub(crate) fn new(padded: bool) -> std::io::Result<Self> {
        Ok(Self {
            zstd: zstd::bulk::Compressor::new(LEVEL)?,
            compressed: Vec::new(),
            padded,
        })
    }

    /// The longest payload that one record takes.
    pub(crate) fn most(&self) -> usize {
        if self.padded {
            MAX_PADDED_PAYLOAD
        } else {
            MAX_PAYLOAD
        }
    }

    /// The plaintext of a record and its flags: `raw_len` (u32), then zstd or, if that is not
    /// shorter, the payload itself. What is filled up is always zstd.
    pub(crate) fn pack(&mut self, payload: &[u8]) -> std::io::Result<(Vec<u8>, u8)> {
        debug_assert!(payload.len() <= self.most());
        let Self {
            zstd,
            compressed,
            padded,
        } = self;
        compressed.clear();
        compressed.reserve(zstd_safe::compress_bound(payload.len()));
        zstd.compress_to_buffer(payload, compressed)?;
        let is_shorter = *padded || compressed.len() < payload.len();
        let (kept, flags) = match is_shorter {
            true => (compressed.as_slice(), FLAG_ZSTD),
            false => (payload, 0),
        };
        let mut plain = Vec::with_capacity(INNER_LEN + kept.len() + TAG_LEN);
        plain.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        plain.extend_from_slice(kept);
        if *padded {
            padding::fill(&mut plain, MAX_BODY - TAG_LEN);
        }
        Ok((plain, flags))
    }
}

/// The payload of an authenticated plaintext; nothing if it is not what [`Compressor::pack`] makes.
///
/// The inner length is capped before anything is allocated and bounds what zstd may write. The
/// whole output is zstd's window here, so no window beyond [`MAX_PAYLOAD`] is ever allocated.
pub(crate) fn unpack(plain: &[u8], flags: u8) -> Option<Vec<u8>> {
    let (prefix, bytes) = plain.split_first_chunk::<INNER_LEN>()?;
    let raw_len = u32::from_le_bytes(*prefix) as usize;
    if raw_len > MAX_PAYLOAD {
        return None;
    }
    let payload = if flags & FLAG_ZSTD == 0 {
        bytes.to_vec()
    } else {
        let mut zstd = zstd::bulk::Decompressor::new().ok()?;
        zstd.set_parameter(zstd::zstd_safe::DParameter::WindowLogMax(27))
            .ok()?;
        let mut payload = Vec::with_capacity(raw_len);
        zstd.decompress_to_buffer(bytes, &mut payload).ok()?;
        payload
    };
    (payload.len() == raw_len).then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_lead_back() {
        let noise: Vec<u8> = (0..5000u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for padded in [false, true] {
            let mut compressor = Compressor::new(padded).unwrap();
            for payload in [&[][..], &[1], &[0; 100_000], &noise] {
                let (plain, flags) = compressor.pack(payload).unwrap();
                assert_eq!(unpack(&plain, flags).as_deref(), Some(payload));
                assert!(!padded || padding::bucket(plain.len()) == plain.len());
            }
            assert_eq!(compressor.pack(&[0; 1000]).unwrap().1, FLAG_ZSTD);
        }
    }

    #[test]
    fn the_longest_payload_that_is_filled_up_fits_a_record() {
        let mut state = 1u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        })
        .take(MAX_PADDED_PAYLOAD)
        .collect();
        let (plain, flags) = Compressor::new(true).unwrap().pack(&noise).unwrap();
        assert_eq!(plain.len(), MAX_BODY - TAG_LEN);
        assert!(unpack(&plain, flags).as_deref() == Some(&noise));
    }

    #[test]
    fn a_bomb_gives_no_more_than_its_length_says() {
        let bomb = zstd::bulk::compress(&vec![0; 8 << 20], LEVEL).unwrap();
        for said in [0u32, 1000, (8 << 20) - 1, (8 << 20) + 1, u32::MAX] {
            let plain = [&said.to_le_bytes()[..], &bomb].concat();
            assert_eq!(unpack(&plain, FLAG_ZSTD), None, "{said}");
        }
        assert_eq!(unpack(&[1, 0], 0), None);
    }
}
