//! The framing of Oculus messages: a head of 16 bytes that says how long the rest is.
//!
//! `u16 0x4F53 | u16 device | u16 to | u16 message | u16 version | u32 length | u16 part`, little-endian; the length
//! counts what follows the head. There is no sum, and nothing marks an end: a ping's result says its own
//! length once more, inside.

use crate::survey::walk::Framing;

/// Bytes before a message's body.
pub(super) const HEAD: usize = 16;
/// The first two bytes of every message.
pub(super) const START: [u8; 2] = *b"SO";
/// The number of the message that holds a ping's image.
pub(super) const PING: u16 = 0x23;
/// The longest message that is believed, in bytes: 512 beams of 4000 cells of 4 bytes fit.
const LONGEST: u64 = 8 << 20;
/// Where the version-1 and version-2 results of a ping say image offset, image size and message size.
const SIZES: [usize; 2] = [110, 190];

/// The framing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Oculus;

/// Whole length of the message with this head, if it is one.
pub(super) fn length(head: &[u8]) -> Option<u64> {
    let body = head
        .get(10..14)?
        .first_chunk()
        .map(|body| u32::from_le_bytes(*body))?;
    let whole = HEAD as u64 + u64::from(body);
    (head.starts_with(&START) && whole <= LONGEST).then_some(whole)
}

/// Number and version of the message with this head.
pub(super) fn kind(head: &[u8]) -> Option<(u16, u16)> {
    let field = |at: usize| {
        head.get(at..at + 2)?
            .first_chunk()
            .map(|two| u16::from_le_bytes(*two))
    };
    Some((field(6)?, field(8)?))
}

/// Whether the version's result is the longer one.
pub(super) fn is_second(version: u16) -> Option<bool> {
    match version {
        0 | 1 => Some(false),
        2 => Some(true),
        _ => None,
    }
}

/// Whether a ping's result agrees with its head on its length, and its image lies inside; other messages
/// say nothing of that kind.
pub(super) fn agrees(whole: &[u8]) -> bool {
    let Some((PING, version)) = kind(whole) else {
        return true;
    };
    let Some(second) = is_second(version) else {
        return true;
    };
    let at = SIZES[usize::from(second)];
    let field = |at: usize| {
        whole
            .get(at..at + 4)?
            .first_chunk()
            .map(|four| u32::from_le_bytes(*four))
    };
    let (Some(offset), Some(size), Some(said)) = (field(at), field(at + 4), field(at + 8)) else {
        return false;
    };
    u64::from(offset) + u64::from(size) <= whole.len() as u64 && said as usize == whole.len()
}

impl Framing for Oculus {
    const HEAD: usize = HEAD;
    const TAIL: usize = 0;
    const OPEN: bool = true;

    fn length(&self, head: &[u8]) -> Option<u64> {
        length(head)
    }

    fn closes(&self, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn holds(&self, whole: &[u8]) -> bool {
        agrees(whole)
    }
}
