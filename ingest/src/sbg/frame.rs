//! `FF 5A | u8 message | u8 class | u16 length | payload | u16 sum | 33`, least significant byte first; the
//! sum is that of all from the message to the payload.
//!
//! Source: SBG Systems, sbgECom, `doc/binaryMessages.md` and the protocol's frame definition.

use crate::live::frames::{Frame, begins, crc16};

/// What every frame begins with.
const START: [u8; 2] = [0xff, 0x5a];
/// Bytes before the payload, and behind it.
const HEAD: usize = 6;
const TAIL: usize = 3;
/// The longest payload of a frame, in bytes.
const LONGEST: usize = 4086;
/// What every frame ends with.
const END: u8 = 0x33;

/// The protocol's framing.
#[derive(Debug)]
pub(crate) struct Ecom;

impl Frame for Ecom {
    const HEAD: usize = HEAD;

    fn may_begin(bytes: &[u8]) -> bool {
        begins(bytes, &START)
    }

    fn length(head: &[u8]) -> Option<usize> {
        let payload = usize::from(u16::from_le_bytes([head[4], head[5]]));
        (payload <= LONGEST).then_some(HEAD + payload + TAIL)
    }

    fn holds(whole: &[u8]) -> bool {
        let (body, tail) = whole.split_at(whole.len() - TAIL);
        let [low, high] = sum(&body[2..]).to_le_bytes();
        tail == [low, high, END]
    }
}

/// Message and class of a head.
pub(crate) fn kind(head: &[u8]) -> (u8, u8) {
    (head[2], head[3])
}

/// The payload of a whole frame.
pub(crate) fn payload(whole: &[u8]) -> &[u8] {
    &whole[HEAD..whole.len() - TAIL]
}

/// The protocol's sum: CRC-16 from 0 on.
fn sum(bytes: &[u8]) -> u16 {
    crc16(0, bytes)
}

/// A frame of this payload, of the class of measurements.
pub(crate) fn framed(message: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = START.to_vec();
    bytes.extend([message, 0]);
    bytes.extend((payload.len() as u16).to_le_bytes());
    bytes.extend(payload);
    bytes.extend(sum(&bytes[2..]).to_le_bytes());
    bytes.push(END);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::frames::{Found, Frames};

    #[test]
    fn the_sum_has_the_published_check_value() {
        // CRC-16/KERMIT of the catalogue of parametrised CRCs.
        assert_eq!(sum(b"123456789"), 0x2189);
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_found() {
        let bytes = framed(8, &[0xff, 0x5a, 3, 4]);
        let found = |bytes: &[u8]| {
            let mut frames = Frames::<Ecom>::default();
            frames.push(bytes);
            std::iter::from_fn(|| frames.next())
                .filter(|found| matches!(found, Found::Whole(_)))
                .count()
        };
        assert_eq!(
            (found(&bytes), payload(&bytes), kind(&bytes)),
            (1, &[0xff, 0x5a, 3, 4][..], (8, 0))
        );
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!((found(&changed), found(&bytes[..at])), (0, 0), "{at}");
        }
    }
}
