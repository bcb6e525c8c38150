//! Messages in a run of bytes: `BR | u16 length | u16 id | u8 from | u8 to | payload | u16 sum`, least
//! significant byte first; the sum is that of all bytes before it.

use crate::live::frames::{Frame, begins};

/// What every message begins with.
const START: [u8; 2] = *b"BR";
/// Bytes before the payload, and behind it.
const HEAD: usize = 8;
const TAIL: usize = 2;
/// The longest payload that is believed, in bytes: the longest of a device in use has some 2500.
const LONGEST: usize = 8192;

/// The protocol's framing.
#[derive(Debug)]
pub(crate) struct Ping;

impl Frame for Ping {
    const HEAD: usize = HEAD;

    fn may_begin(bytes: &[u8]) -> bool {
        begins(bytes, &START)
    }

    fn length(head: &[u8]) -> Option<usize> {
        let payload = usize::from(u16::from_le_bytes([head[2], head[3]]));
        (payload <= LONGEST).then_some(HEAD + payload + TAIL)
    }

    fn holds(whole: &[u8]) -> bool {
        let (body, tail) = whole.split_at(whole.len() - TAIL);
        tail == sum(body).to_le_bytes()
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: u16,
    pub(crate) payload: Vec<u8>,
}

impl Message {
    /// The message of its bytes.
    pub(crate) fn of(whole: &[u8]) -> Self {
        Self {
            id: id(whole),
            payload: whole[HEAD..whole.len() - TAIL].to_vec(),
        }
    }

    /// As it is sent, to whoever listens.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = START.to_vec();
        bytes.extend((self.payload.len() as u16).to_le_bytes());
        bytes.extend(self.id.to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(&self.payload);
        bytes.extend(sum(&bytes).to_le_bytes());
        bytes
    }
}

/// Which message a head begins.
pub(crate) fn id(head: &[u8]) -> u16 {
    u16::from_le_bytes([head[4], head[5]])
}

/// The sum of bytes; `u16` wraps as devices' own does.
fn sum(bytes: &[u8]) -> u16 {
    bytes
        .iter()
        .fold(0, |sum: u16, byte| sum.wrapping_add(u16::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::frames::{Found, Frames};

    fn whole(message: &Message) -> Found {
        Found::Whole(message.bytes())
    }

    fn message(id: u16, payload: &[u8]) -> Message {
        Message {
            id,
            payload: payload.to_vec(),
        }
    }

    fn found(pieces: &[&[u8]]) -> Vec<Found> {
        let mut frames = Frames::<Ping>::default();
        let mut found = Vec::new();
        for piece in pieces {
            frames.push(piece);
            found.extend(std::iter::from_fn(|| frames.next()));
        }
        found
    }

    #[test]
    fn a_message_is_that_of_the_protocols_example() {
        // `general_request` of message 5, as the protocol's own Python writes it.
        let bytes = [0x42, 0x52, 2, 0, 6, 0, 0, 0, 5, 0, 0xa1, 0];
        assert_eq!(message(6, &[5, 0]).bytes(), bytes);
        assert_eq!(found(&[&bytes]), [Found::Whole(bytes.to_vec())]);
        assert_eq!(Message::of(&bytes), message(6, &[5, 0]));
    }

    #[test]
    fn messages_are_found_however_they_come_and_between_what_is_none() {
        let (one, two) = (message(1300, b"BR"), message(2300, &[7; 40]));
        let bytes = [b"xB".as_slice(), &one.bytes(), &two.bytes()].concat();
        let expected = [Found::Garbage(2), whole(&one), whole(&two)];
        assert_eq!(found(&[&bytes]), expected);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        let messages: Vec<Found> = found(&single)
            .into_iter()
            .filter(|found| matches!(found, Found::Whole(_)))
            .collect();
        assert_eq!(messages, expected[1..]);
    }

    #[test]
    fn what_is_damaged_is_told_and_what_follows_is_found() {
        let (one, two) = (message(1300, &[9; 20]), message(1203, &[1, 2, 3, 4]));
        let mut bytes = one.bytes();
        bytes[12] ^= 1;
        bytes.extend(two.bytes());
        let found = found(&[&bytes]);
        assert!(matches!(&found[0], Found::Damaged(head) if id(head) == 1300));
        assert_eq!(found.last(), Some(&whole(&two)));
        // A length that cannot be is no message that is waited for.
        let long = [b"BR\xff\xff".as_slice(), &one.bytes()].concat();
        assert_eq!(self::found(&[&long]).last(), Some(&whole(&one)));
    }

    #[test]
    fn a_message_that_breaks_off_is_dropped() {
        let bytes = message(1300, &[9; 20]).bytes();
        let mut frames = Frames::<Ping>::default();
        for cut in 0..bytes.len() {
            frames.push(&bytes[..cut]);
            assert_eq!((frames.next(), frames.drop_begun()), (None, cut));
        }
    }
}
