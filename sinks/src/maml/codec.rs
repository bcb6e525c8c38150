//! A payload before encryption: its length, then the bytes, compressed where that helps.

use super::layout::{FLAG_ZSTD, MAX_BODY};
use super::secret::TAG_LEN;

/// Bytes of the inner length.
const INNER_LEN: usize = 4;
/// Longest payload of one record. Also what any decompression may give, whatever the input says.
pub(crate) const MAX_PAYLOAD: usize = MAX_BODY - INNER_LEN - TAG_LEN;
/// zstd's own default: several hundred MB/s.
const LEVEL: i32 = 3;

/// Compresses payloads, reusing its memory.
pub(crate) struct Compressor {
    zstd: zstd::bulk::Compressor<'static>,
}

impl Compressor {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            zstd: zstd::bulk::Compressor::new(LEVEL)?,
        })
    }

    /// The plaintext of a record and its flags: `raw_len` (u32), then zstd or, if that is not
    /// shorter, the payload itself.
    pub(crate) fn pack(&mut self, payload: &[u8]) -> std::io::Result<(Vec<u8>, u8)> {
        debug_assert!(payload.len() <= MAX_PAYLOAD);
        let mut plain = Vec::with_capacity(INNER_LEN + payload.len() + TAG_LEN);
        plain.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        let compressed = self.zstd.compress(payload)?;
        if compressed.len() < payload.len() {
            plain.extend_from_slice(&compressed);
            Ok((plain, FLAG_ZSTD))
        } else {
            plain.extend_from_slice(payload);
            Ok((plain, 0))
        }
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
        let mut compressor = Compressor::new().unwrap();
        let noise: Vec<u8> = (0..5000u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for payload in [&[][..], &[1], &[0; 100_000], &noise] {
            let (plain, flags) = compressor.pack(payload).unwrap();
            assert_eq!(unpack(&plain, flags).as_deref(), Some(payload));
        }
        assert_eq!(compressor.pack(&[0; 1000]).unwrap().1, FLAG_ZSTD);
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
