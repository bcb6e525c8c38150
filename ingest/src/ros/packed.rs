//! Messages that rosbag2 has packed one by one (`compression_mode: message`, `compression_format: zstd`): each
//! is one frame of zstd.
//!
//! Source: `rosbag2_compression_zstd` of ROS 2.

use std::io::Read as _;

/// The longest message that is unpacked, in bytes.
const MAX_MESSAGE_BYTES: u64 = 1 << 30;

/// A message as it was before it was packed. Memory grows as bytes come out, whatever their header says.
///
/// # Errors
/// If it is no whole frame, or more than [`MAX_MESSAGE_BYTES`].
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<u8>, String> {
    let wrong =
        |said: std::io::Error| format!("expected a message packed by zstd, found one that is not: {said}");
    let unpacking = zstd::stream::read::Decoder::with_buffer(packed).map_err(wrong)?;
    let mut message = Vec::new();
    let length = unpacking
        .take(MAX_MESSAGE_BYTES + 1)
        .read_to_end(&mut message)
        .map_err(wrong)?;
    match length as u64 > MAX_MESSAGE_BYTES {
        true => Err(format!(
            "expected a message of at most {MAX_MESSAGE_BYTES} bytes, found more"
        )),
        false => Ok(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_lead_back_and_what_is_cut_or_none_does_not() {
        let message: Vec<u8> = (0..100_000u32).map(|i| (i / 7) as u8).collect();
        let packed = zstd::bulk::compress(&message, 1).unwrap();
        assert_eq!(unpack(&packed).as_deref(), Ok(&message[..]));
        assert_eq!(unpack(&zstd::bulk::compress(&[], 1).unwrap()), Ok(Vec::new()));
        for cut in 1..packed.len() {
            assert!(unpack(&packed[..cut]).is_err(), "{cut}");
        }
        assert!(unpack(&message).is_err());
    }
}
