//! `$GRP | u16 group | u16 bytes | … | u16 sum | $#`, least significant byte first, a multiple of four bytes
//! long; `bytes` counts what follows it. All pairs of bytes together add up to zero in 16 bits. The unit's
//! answers to its controller, `$MSG`, have the same frame.
//!
//! Source: Applanix, *POS MV V5 User Interface Control Document*, PUBS-ICD-004089 revision 10, section 3.2.3.

use crate::live::frames::{Frame, begins};

/// Bytes before what the length counts, and behind the data.
const HEAD: usize = 8;
const TAIL: usize = 4;
/// Bytes of the times before the data of a group.
const TIMES: usize = 26;
/// The longest that is taken for a group: the length is a `u16`.
const LONGEST: usize = 1 << 16;
const GROUP: [u8; 4] = *b"$GRP";
const MESSAGE: [u8; 4] = *b"$MSG";
const END: [u8; 2] = *b"$#";

/// The unit's framing.
#[derive(Debug)]
pub(crate) struct PosMv;

impl Frame for PosMv {
    const HEAD: usize = HEAD;

    fn may_begin(bytes: &[u8]) -> bool {
        begins(bytes, &GROUP) || begins(bytes, &MESSAGE)
    }

    fn length(head: &[u8]) -> Option<usize> {
        let is_known = head.starts_with(&GROUP) || head.starts_with(&MESSAGE);
        let length = HEAD + usize::from(u16::from_le_bytes([head[6], head[7]]));
        let is_whole = length >= HEAD + TAIL && length.is_multiple_of(4) && length <= LONGEST;
        (is_known && is_whole).then_some(length)
    }

    fn holds(whole: &[u8]) -> bool {
        let pairs = whole
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        whole.ends_with(&END) && pairs.fold(0, u16::wrapping_add) == 0
    }
}

/// The group's number; nothing of a message.
pub(crate) fn group(head: &[u8]) -> Option<u16> {
    head.starts_with(&GROUP)
        .then(|| u16::from_le_bytes([head[4], head[5]]))
}

/// Times and data of a whole group, if it has room for both.
pub(crate) fn parts(whole: &[u8]) -> Option<(&[u8], &[u8])> {
    whole[HEAD..whole.len() - TAIL].split_at_checked(TIMES)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::live::frames::{Found, Frames};

    /// A frame of this start and number, with a pad and the sum that it needs.
    pub(crate) fn framed(start: [u8; 4], number: u16, content: &[u8]) -> Vec<u8> {
        let padded = content.len().next_multiple_of(4);
        let mut bytes = start.to_vec();
        bytes.extend(number.to_le_bytes());
        bytes.extend(((padded + TAIL) as u16).to_le_bytes());
        bytes.extend(content);
        bytes.resize(HEAD + padded, 0);
        let pairs = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let end = u16::from_le_bytes(END);
        let sum = pairs.fold(end, u16::wrapping_add).wrapping_neg();
        bytes.extend(sum.to_le_bytes());
        bytes.extend(END);
        bytes
    }

    fn whole(bytes: &[u8]) -> usize {
        let mut frames = Frames::<PosMv>::default();
        frames.push(bytes);
        let found = std::iter::from_fn(|| frames.next());
        found.filter(|found| matches!(found, Found::Whole(_))).count()
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_found() {
        let bytes = framed(GROUP, 7, &[1; 32]);
        assert_eq!(bytes.len(), 44, "that of group 7: 8 and 36");
        assert_eq!(whole(&bytes), 1);
        assert_eq!(group(&bytes), Some(7));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!((whole(&changed), whole(&bytes[..at])), (0, 0), "{at}");
        }
    }

    #[test]
    fn messages_and_what_begins_like_one_stand_between_groups() {
        let bytes = [
            framed(MESSAGE, 20, &[0; 84]),
            b"$GPGGA,1*00\r\n$G".to_vec(),
            framed(GROUP, 1, &[0; 128]),
        ];
        assert_eq!(whole(&bytes.concat()), 2);
        assert_eq!(group(&bytes[0]), None);
    }
}
