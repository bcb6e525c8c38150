//! Messages in a run of bytes: `BR | u16 length | u16 id | u8 from | u8 to | payload | u16 sum`, least
//! significant byte first; the sum is that of all bytes before it.

/// What a message begins with.
const START: [u8; 2] = *b"BR";
/// Bytes before the payload, and behind it.
const HEAD: usize = 8;
const TAIL: usize = 2;
/// The longest payload that is believed, in bytes: the longest of a device in use has some 2500.
const LONGEST: usize = 8192;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: u16,
    pub(crate) payload: Vec<u8>,
}

impl Message {
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

/// What was found in the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Message(Message),
    /// A message whose sum is another one.
    WrongSum(u16),
    /// So many bytes of no message.
    Garbage(usize),
}

/// Bytes that have come, of which a message may not be whole yet.
#[derive(Debug, Default)]
pub(crate) struct Frames(Vec<u8>);

impl Frames {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    /// The next, if it is whole.
    pub(crate) fn next(&mut self) -> Option<Found> {
        let start = self.start();
        if start > 0 {
            self.0.drain(..start);
            return Some(Found::Garbage(start));
        }
        let head = self.0.get(..HEAD)?;
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let id = u16::from_le_bytes([head[4], head[5]]);
        let body = HEAD + length;
        let tail = self.0.get(body..body + TAIL)?;
        if u16::from_le_bytes([tail[0], tail[1]]) != sum(&self.0[..body]) {
            // A message may begin inside what only looked like one.
            self.0.drain(..START.len());
            return Some(Found::WrongSum(id));
        }
        let payload = self.0[HEAD..body].to_vec();
        self.0.drain(..body + TAIL);
        Some(Found::Message(Message { id, payload }))
    }

    /// What has begun will not be ended; how many bytes it was.
    pub(crate) fn drop_begun(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }

    /// Where a message may begin.
    fn start(&self) -> usize {
        let may_begin = |at: &usize| {
            let rest = &self.0[*at..];
            let length = rest
                .get(2..4)
                .map_or(0, |two| usize::from(u16::from_le_bytes([two[0], two[1]])));
            START.starts_with(&rest[..rest.len().min(2)]) && length <= LONGEST
        };
        (0..self.0.len()).find(may_begin).unwrap_or(self.0.len())
    }
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

    fn message(id: u16, payload: &[u8]) -> Message {
        Message {
            id,
            payload: payload.to_vec(),
        }
    }

    fn found(pieces: &[&[u8]]) -> Vec<Found> {
        let mut frames = Frames::default();
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
        assert_eq!(found(&[&bytes]), [Found::Message(message(6, &[5, 0]))]);
    }

    #[test]
    fn messages_are_found_however_they_come_and_between_what_is_none() {
        let (one, two) = (message(1300, b"BR"), message(2300, &[7; 40]));
        let bytes = [b"xB".as_slice(), &one.bytes(), &two.bytes()].concat();
        let expected = [
            Found::Garbage(2),
            Found::Message(one.clone()),
            Found::Message(two.clone()),
        ];
        assert_eq!(found(&[&bytes]), expected);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        let messages: Vec<Found> = found(&single)
            .into_iter()
            .filter(|found| matches!(found, Found::Message(_)))
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
        assert_eq!(found[0], Found::WrongSum(1300));
        assert_eq!(found.last(), Some(&Found::Message(two)));
        // A length that cannot be is no message that is waited for.
        let long = [b"BR\xff\xff".as_slice(), &one.bytes()].concat();
        assert_eq!(self::found(&[&long]).last(), Some(&Found::Message(one)));
    }

    #[test]
    fn a_message_that_breaks_off_is_dropped() {
        let bytes = message(1300, &[9; 20]).bytes();
        let mut frames = Frames::default();
        for cut in 0..bytes.len() {
            frames.push(&bytes[..cut]);
            assert_eq!((frames.next(), frames.drop_begun()), (None, cut));
        }
    }
}
