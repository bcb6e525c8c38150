//! Version 2: `FD | u8 length | u8 incompatible | u8 compatible | u8 count | u8 system | u8 component |
//! u24 message | payload | u16 sum | 13 bytes of signature, if bit 0 of incompatible is set`; version 1: `FE |
//! u8 length | u8 count | u8 system | u8 component | u8 message | payload | u16 sum`. Zeros at the end of a
//! payload of version 2 are left out. The sum is over all behind the first byte and one more byte that belongs to the message's
//! definition.
//!
//! Source: the protocol's guide ("Packet Serialization") and the definitions of `common.xml`, of which
//! `pymavlink` computes that byte.

use crate::live::frames::{Frame, crc16};

const VERSION_1: u8 = 0xfe;
const VERSION_2: u8 = 0xfd;
/// Bytes before the payload of each.
const HEAD_1: usize = 6;
const HEAD_2: usize = 10;
const SUM: usize = 2;
const SIGNATURE: usize = 13;
const IS_SIGNED: u8 = 1;

/// The messages that are read: number, bytes of the payload, and the byte of the definition.
const KNOWN: [(u32, usize, u8); 5] = [
    (super::message::SYSTEM_TIME, 12, 137),
    (super::message::GPS_RAW_INT, 52, 24),
    (super::message::ATTITUDE, 28, 39),
    (super::message::ATTITUDE_QUATERNION, 48, 246),
    (super::message::GLOBAL_POSITION_INT, 28, 104),
];

/// The protocol's framing.
#[derive(Debug)]
pub(crate) struct MavLink;

impl Frame for MavLink {
    const HEAD: usize = 3;

    fn may_begin(bytes: &[u8]) -> bool {
        matches!(bytes, [VERSION_1 | VERSION_2, ..])
    }

    fn length(head: &[u8]) -> Option<usize> {
        let payload = usize::from(head[1]);
        match (head[0], head[2]) {
            (VERSION_1, _) => Some(HEAD_1 + payload + SUM),
            (VERSION_2, 0) => Some(HEAD_2 + payload + SUM),
            (VERSION_2, IS_SIGNED) => Some(HEAD_2 + payload + SUM + SIGNATURE),
            _ => None,
        }
    }

    /// Of a message that is not known the sum cannot be checked: it is passed over by its length.
    fn holds(whole: &[u8]) -> bool {
        let Parts { number, payload, .. } = parts(whole);
        let Some((_, _, extra)) = KNOWN.iter().find(|(known, ..)| *known == number) else {
            return true;
        };
        let end = head(whole) + payload.len();
        let stated = u16::from_le_bytes([whole[end], whole[end + 1]]);
        sum(whole[1..end].iter().chain(std::iter::once(extra))) == stated
    }
}

/// What a whole message is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) system: u8,
    pub(crate) number: u32,
    pub(crate) payload: &'a [u8],
}

fn head(whole: &[u8]) -> usize {
    match whole[0] {
        VERSION_1 => HEAD_1,
        _ => HEAD_2,
    }
}

/// The parts of a whole message.
pub(crate) fn parts(whole: &[u8]) -> Parts<'_> {
    let payload = &whole[head(whole)..][..usize::from(whole[1])];
    let (system, number) = match whole[0] {
        VERSION_1 => (whole[3], u32::from(whole[5])),
        _ => (whole[5], u32::from_le_bytes([whole[7], whole[8], whole[9], 0])),
    };
    Parts {
        system,
        number,
        payload,
    }
}

/// The payload of a message that is read, with the zeros that were left out at its end.
pub(crate) fn padded(parts: &Parts<'_>) -> Option<Vec<u8>> {
    let (_, length, _) = KNOWN.iter().find(|(known, ..)| *known == parts.number)?;
    let mut payload = parts.payload.to_vec();
    payload.resize((*length).max(payload.len()), 0);
    Some(payload)
}

/// The protocol's sum: CRC-16 from 0xFFFF on.
fn sum<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u16 {
    crc16(0xffff, bytes)
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::{ATTITUDE_1, ATTITUDE_2, bytes};
    use super::*;
    use crate::live::frames::{Found, Frames};

    fn whole(bytes: &[u8]) -> usize {
        let mut frames = Frames::<MavLink>::default();
        frames.push(bytes);
        let found = std::iter::from_fn(|| frames.next());
        found.filter(|found| matches!(found, Found::Whole(_))).count()
    }

    #[test]
    fn the_sum_has_the_published_check_value() {
        // CRC-16/MCRF4XX of the catalogue of parametrised CRCs.
        assert_eq!(sum(b"123456789".iter()), 0x6f91);
    }

    #[test]
    fn every_changed_byte_and_every_cut_of_both_versions_is_found() {
        for hex in [ATTITUDE_1, ATTITUDE_2] {
            let bytes = bytes(hex);
            assert_eq!(whole(&bytes), 1);
            assert_eq!((parts(&bytes).system, parts(&bytes).number), (1, 30));
            for at in 0..bytes.len() {
                assert_eq!(whole(&bytes[..at]), 0, "{at}");
                let mut changed = bytes.clone();
                changed[at] ^= 4;
                let mut frames = Frames::<MavLink>::default();
                frames.push(&changed);
                let is_same =
                    |found: Found| matches!(found, Found::Whole(found) if parts(&found) == parts(&bytes));
                assert!(
                    !std::iter::from_fn(|| frames.next()).any(is_same) || at == 4,
                    "{at}"
                );
            }
        }
    }

    #[test]
    fn a_signature_is_passed_over() {
        let mut signed = bytes(ATTITUDE_2);
        signed[2] = IS_SIGNED;
        let end = signed.len() - SUM;
        let sum = sum(signed[1..end].iter().chain(&[39]));
        signed[end..].copy_from_slice(&sum.to_le_bytes());
        signed.extend([7; SIGNATURE]);
        assert_eq!(whole(&[signed.as_slice(), &bytes(ATTITUDE_1)].concat()), 2);
    }
}
