//! Datagram after datagram through a file, and on behind damage.

use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};

use beluga_types::GapCause;

use crate::error::Fault;

/// Bytes that are looked through at a time for the next whole datagram.
const LOOK: usize = 1 << 16;

/// How a format marks where a datagram starts, how long it is, and that it is whole.
pub(crate) trait Framing {
    /// Bytes that a datagram starts with, by which its length is known.
    const HEAD: usize;
    /// Bytes at its end that must agree with its head.
    const TAIL: usize;
    /// Nothing marks the end: behind damage a datagram is believed only if another, or the end of
    /// the file, follows it.
    const OPEN: bool;

    /// Length of the whole datagram that starts with these bytes; nothing if none does.
    fn length(&self, head: &[u8]) -> Option<u64>;
    /// Whether the last bytes are those of a datagram with this head.
    fn closes(&self, head: &[u8], tail: &[u8]) -> bool;
    /// Whether all of its bytes agree, where the format has a sum of them.
    fn holds(&self, whole: &[u8]) -> bool;
}

/// The datagrams of a file, front to back, each read whole into the same memory.
pub(crate) struct Walk<R, F> {
    input: BufReader<R>,
    pub(crate) framing: F,
    /// Where `input` stands.
    position: u64,
    length: u64,
    /// Where the next datagram starts.
    next: u64,
    whole: Vec<u8>,
}

/// A stretch that is no whole datagram.
#[derive(Clone, Debug)]
pub(crate) struct Damage {
    pub(crate) fault: Fault,
    /// What the stretch begins with, as much as is there.
    pub(crate) head: Vec<u8>,
    /// Its first bytes say that it is one datagram, cut or changed.
    pub(crate) alone: bool,
}

impl<R: Read + Seek, F: Framing> Walk<R, F> {
    /// From `start` on.
    pub(crate) fn new(mut input: R, framing: F, start: u64) -> io::Result<Self> {
        let length = input.seek(SeekFrom::End(0))?;
        input.seek(SeekFrom::Start(0))?;
        Ok(Self {
            input: BufReader::with_capacity(LOOK, input),
            framing,
            position: 0,
            length,
            next: start,
            whole: Vec::new(),
        })
    }

    /// Where the next datagram starts, its bytes then being [`Self::bytes`]; nothing at the end.
    /// After damage it goes on with the next whole one.
    pub(crate) fn next(&mut self) -> Option<Result<u64, Box<Damage>>> {
        let start = self.next;
        if start >= self.length {
            return None;
        }
        Some(match self.read(start) {
            Ok(true) => {
                self.next = start + self.whole.len() as u64;
                Ok(start)
            }
            Ok(false) => Err(self.damage(start, &ErrorKind::InvalidData.into())),
            Err(error) => Err(self.damage(start, &error)),
        })
    }

    /// Whether the file starts with a whole datagram; nothing further is looked for. Nothing if the
    /// file is empty.
    pub(crate) fn first(&mut self) -> Option<bool> {
        (self.length > 0).then(|| matches!(self.read(0), Ok(true)))
    }

    /// The datagram that was found last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.whole
    }

    /// Whether a whole datagram starts here; if so it is in memory.
    fn read(&mut self, start: u64) -> io::Result<bool> {
        let Some(length) = self.closed(start)? else {
            return Ok(false);
        };
        // Not longer than what is left of the file, which `closed` has seen to.
        self.whole.resize(length as usize, 0);
        let mut whole = std::mem::take(&mut self.whole);
        let read = self.read_at(start, &mut whole);
        self.whole = whole;
        read?;
        Ok(self.framing.holds(&self.whole))
    }

    /// The length of the datagram that starts here, if its head and end agree.
    fn closed(&mut self, start: u64) -> io::Result<Option<u64>> {
        let head = self.head(start)?;
        let Some(length) = self.framing.length(&head).filter(|_| head.len() == F::HEAD) else {
            return Ok(None);
        };
        let least = (F::HEAD + F::TAIL) as u64;
        if length < least || length > self.length - start {
            return Ok(None);
        }
        let mut tail = vec![0; F::TAIL];
        self.read_at(start + length - F::TAIL as u64, &mut tail)?;
        Ok(self.framing.closes(&head, &tail).then_some(length))
    }

    /// The first bytes from here on, fewer at the end of the file.
    fn head(&mut self, start: u64) -> io::Result<Vec<u8>> {
        let mut head = vec![0; F::HEAD.min((self.length - start) as usize)];
        self.read_at(start, &mut head)?;
        Ok(head)
    }

    /// What is wrong from here on, and goes on behind it.
    fn damage(&mut self, start: u64, error: &io::Error) -> Box<Damage> {
        let head = self.head(start).unwrap_or_default();
        let found = match error.kind() {
            ErrorKind::InvalidData => self.look_from(start + 1),
            _ => None,
        };
        self.next = found.unwrap_or(self.length);
        let span = self.next - start;
        let said = self.framing.length(&head).filter(|_| head.len() == F::HEAD);
        let alone = said.is_some_and(|said| said == span || found.is_none() && said > span);
        let (cause, what) = match found {
            _ if error.kind() != ErrorKind::InvalidData => (GapCause::Corrupt, error.to_string()),
            None => (GapCause::Truncated, "the file ends in it".to_owned()),
            Some(next) => (GapCause::Corrupt, format!("the next whole one is at byte {next}")),
        };
        let detail = format!("byte {start}: expected a whole datagram: {what}");
        Box::new(Damage {
            fault: Fault {
                cause,
                lost: 0,
                detail,
            },
            head,
            alone,
        })
    }

    /// Where the first whole datagram from here on starts.
    fn look_from(&mut self, mut from: u64) -> Option<u64> {
        let mut bytes = vec![0; LOOK.min(self.length as usize)];
        while from + F::HEAD as u64 <= self.length {
            let room = bytes.len().min((self.length - from) as usize);
            self.read_at(from, &mut bytes[..room]).ok()?;
            let last = room.checked_sub(F::HEAD)? + 1;
            for at in 0..last {
                if self.framing.length(&bytes[at..at + F::HEAD]).is_some() && self.is_sure(from + at as u64) {
                    return Some(from + at as u64);
                }
            }
            from += last as u64;
        }
        None
    }

    /// Whether a datagram that starts here may be believed behind damage.
    fn is_sure(&mut self, start: u64) -> bool {
        if !matches!(self.read(start), Ok(true)) {
            return false;
        }
        let end = start + self.whole.len() as u64;
        if !F::OPEN || end == self.length {
            return true;
        }
        let follows = self.head(end).unwrap_or_default();
        follows.len() == F::HEAD && self.framing.length(&follows).is_some()
    }

    fn read_at(&mut self, place: u64, into: &mut [u8]) -> io::Result<()> {
        let by = place as i64 - self.position as i64;
        let moved = self
            .input
            .seek_relative(by)
            .and_then(|()| self.input.read_exact(into));
        self.position = match moved {
            Ok(()) => place + into.len() as u64,
            Err(_) => self.input.stream_position()?,
        };
        moved
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// `*`, one byte of length, bytes, `!`; bytes sum up to an even number.
    struct Stars;

    impl Framing for Stars {
        const HEAD: usize = 2;
        const TAIL: usize = 1;
        const OPEN: bool = false;

        fn length(&self, head: &[u8]) -> Option<u64> {
            (head.first() == Some(&b'*')).then(|| u64::from(*head.get(1).unwrap_or(&0)))
        }

        fn closes(&self, _: &[u8], tail: &[u8]) -> bool {
            tail == b"!"
        }

        fn holds(&self, whole: &[u8]) -> bool {
            whole.iter().map(|&byte| u32::from(byte)).sum::<u32>() % 2 == 0
        }
    }

    fn star(body: &[u8]) -> Vec<u8> {
        let mut bytes = [&[b'*', body.len() as u8 + 4][..], body, &[0], b"!"].concat();
        let last = bytes.len() - 2;
        bytes[last] = u8::from(!Stars.holds(&bytes));
        bytes
    }

    fn all(bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<Damage>) {
        let mut walk = Walk::new(Cursor::new(bytes), Stars, 0).unwrap();
        let (mut found, mut damages) = (Vec::new(), Vec::new());
        while let Some(next) = walk.next() {
            match next {
                Ok(_) => found.push(walk.bytes().to_vec()),
                Err(damage) => damages.push(*damage),
            }
        }
        (found, damages)
    }

    #[test]
    fn damage_is_stepped_over_to_the_next_whole_datagram() {
        let parts = [star(b"one"), star(b"second"), star(b"third")];
        let mut bytes = parts.concat();
        assert_eq!(all(&bytes).0, parts);
        let second = parts[0].len();
        bytes[second + 3] ^= 1;
        let (found, damages) = all(&bytes);
        assert_eq!(found, [parts[0].clone(), parts[2].clone()]);
        assert!(damages[0].alone, "its length says so");
        assert_eq!(damages[0].fault.cause, GapCause::Corrupt);
        bytes[second] = 0;
        let (found, damages) = all(&bytes);
        assert_eq!((found.len(), damages.len()), (2, 1));
        assert!(!damages[0].alone, "nobody can say what it was");
        assert!(damages[0].fault.detail.contains(&format!("byte {second}: ")));
    }

    #[test]
    fn every_cut_keeps_what_is_before_it() {
        let parts = [star(b"one"), star(b"two"), star(b"three")];
        let bytes = parts.concat();
        let ends = [0, parts[0].len(), parts[0].len() + parts[1].len(), bytes.len()];
        for cut in 0..=bytes.len() {
            let (found, damages) = all(&bytes[..cut]);
            let whole = ends.iter().filter(|&&end| end != 0 && end <= cut).count();
            assert_eq!(found.len(), whole, "{cut}");
            assert_eq!(damages.len(), usize::from(!ends.contains(&cut)), "{cut}");
            assert!(
                damages
                    .iter()
                    .all(|damage| damage.fault.cause == GapCause::Truncated)
            );
        }
    }
}
