//! Datagrams that came as several: the parts of one, put together again.
//!
//! A datagram too long for a UDP packet is sent in parts, each with a header of its own and behind it
//! how many parts there are and which this is. The sounder's own recorder joins them; a recording of
//! the packets does not.

use beluga_types::Stamp;

use super::framing::{HEAD, TAIL};

/// Parts of one datagram at most.
const MOST_PARTS: u16 = 256;

/// The parts of one datagram that have come so far.
#[derive(Debug, Default)]
pub(super) struct Parts {
    of: u16,
    come: u16,
    stamp: Stamp,
    body: Vec<u8>,
}

/// What a part came to.
#[derive(Debug, PartialEq)]
pub(super) struct Joined {
    /// A whole body, if it is complete now: how many parts, which part, and all that follows.
    pub(super) body: Option<Vec<u8>>,
    /// Parts before it were waiting in vain.
    pub(super) lost: Option<String>,
}

impl Parts {
    /// Takes a whole datagram with this time.
    ///
    /// # Errors
    /// If it is no part that could come now.
    pub(super) fn take(&mut self, stamp: Stamp, whole: &[u8]) -> Result<Joined, String> {
        let body = whole
            .get(HEAD..whole.len().saturating_sub(TAIL))
            .unwrap_or_default();
        let [a, b, c, d, rest @ ..] = body else {
            return Err("expected which part it is, found nothing".into());
        };
        let (of, part) = (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
        if !(1..=MOST_PARTS).contains(&of) || !(1..=of).contains(&part) {
            return Err(format!(
                "expected parts 1 to {MOST_PARTS} at most, found {part} of {of}"
            ));
        }
        let follows = self.come > 0 && (of, part, stamp) == (self.of, self.come + 1, self.stamp);
        let lost = (!follows).then(|| self.drop_waiting()).flatten();
        if !follows && part != 1 {
            let before = part - 1;
            return Err(format!(
                "expected part {before} of {of} before part {part}, found none"
            ));
        }
        if of == 1 {
            let body = Some(body.to_vec());
            return Ok(Joined { body, lost });
        }
        match follows {
            true => self.body.extend_from_slice(rest),
            false => self.body = body.to_vec(),
        }
        (self.of, self.come, self.stamp) = (of, part, stamp);
        let body = (part == of).then(|| {
            self.come = 0;
            std::mem::take(&mut self.body)
        });
        Ok(Joined { body, lost })
    }

    /// Leaves what waits; says what that was.
    pub(super) fn drop_waiting(&mut self) -> Option<String> {
        let (come, of) = (std::mem::take(&mut self.come), self.of);
        self.body.clear();
        (come > 0).then(|| format!("expected {of} parts of a datagram, found {come}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(of: u16, part: u16, rest: &[u8]) -> Vec<u8> {
        [
            &[0; HEAD][..],
            &of.to_le_bytes(),
            &part.to_le_bytes(),
            rest,
            &[0; TAIL],
        ]
        .concat()
    }

    #[test]
    fn parts_are_joined_in_their_order() {
        let mut parts = Parts::default();
        let stamp = Stamp::from_nanos(7);
        let alone = parts.take(stamp, &part(1, 1, b"alone")).unwrap();
        assert_eq!(&alone.body.unwrap()[4..], b"alone");
        assert_eq!(parts.take(stamp, &part(3, 1, b"ab")).unwrap().body, None);
        assert_eq!(parts.take(stamp, &part(3, 2, b"cd")).unwrap().body, None);
        let joined = parts.take(stamp, &part(3, 3, b"e")).unwrap();
        assert_eq!(&joined.body.unwrap()[4..], b"abcde");
        assert_eq!(parts.drop_waiting(), None);
    }

    #[test]
    fn a_part_that_is_missing_is_told() {
        let mut parts = Parts::default();
        let (one, two) = (Stamp::from_nanos(1), Stamp::from_nanos(2));
        assert!(parts.take(one, &part(2, 1, b"ab")).unwrap().lost.is_none());
        // The next datagram begins: the one before has lost its end.
        let next = parts.take(two, &part(2, 1, b"cd")).unwrap();
        assert!(
            next.lost
                .unwrap()
                .contains("expected 2 parts of a datagram, found 1")
        );
        assert!(parts.take(one, &part(2, 2, b"ef")).is_err(), "of another time");
        assert!(parts.take(two, &part(2, 2, b"ef")).is_err(), "its start is gone");
        for bad in [part(0, 1, b""), part(2, 3, b""), part(300, 1, b""), vec![0; 26]] {
            assert!(parts.take(one, &bad).is_err());
        }
    }
}
