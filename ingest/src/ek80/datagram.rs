//! The framing: datagram after datagram, each with its length before and behind it.
//!
//! `u32 length | 4 characters of type | u64 time | body | u32 length`, little-endian; the length
//! counts type, time and body. Time is in steps of 100 ns from 1601-01-01, UTC.

use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};

use beluga_types::{GapCause, Stamp};

use crate::error::Fault;

/// From 1601-01-01 to 1970-01-01 in steps of 100 ns.
const EPOCH: i64 = 116_444_736_000_000_000;
/// Length, type and time before a body.
const HEAD: u64 = 16;
/// Length behind a body.
const TAIL: u64 = 4;
/// The longest datagram that is read; the largest known ones have some megabytes.
const MAX_LENGTH: u64 = 256 << 20;
/// Bytes that are looked through at a time for the next whole datagram.
const LOOK: usize = 1 << 16;

/// The datagrams of a file, front to back; bodies are read only when asked for.
pub(super) struct Datagrams<R> {
    input: BufReader<R>,
    /// Where `input` stands.
    position: u64,
    length: u64,
    /// Where the next datagram starts.
    next: u64,
}

/// Where a datagram is and what it says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Datagram {
    pub(super) kind: [u8; 4],
    pub(super) stamp: Stamp,
    /// Where it starts in the file.
    pub(super) start: u64,
    /// Bytes of its body.
    pub(super) body: u64,
}

/// A stretch that is no whole datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) fault: Fault,
    /// Bytes of the stretch.
    pub(super) span: u64,
    /// What the stretch begins with says that it is, if that much is there.
    pub(super) begins: Option<Datagram>,
    /// The one datagram that the stretch is, if its length before or behind says so; its type may
    /// be damaged. Nothing if the stretch has been several, or that cannot be told.
    pub(super) alone: Option<Datagram>,
}

impl Damage {
    /// Whether a datagram with so long a body may have been in the stretch behind its first.
    pub(super) fn has_room_behind(&self, body: u64) -> bool {
        let first = self.begins.map_or(0, |begins| HEAD + begins.body + TAIL);
        let rest = self.span.checked_sub(first).unwrap_or(self.span);
        self.alone.is_none() && rest >= HEAD + body + TAIL
    }
}

impl Datagram {
    /// Its type as text.
    pub(super) fn name(&self) -> String {
        String::from_utf8_lossy(&self.kind).escape_debug().to_string()
    }
}

impl<R: Read + Seek> Datagrams<R> {
    pub(super) fn new(mut input: R) -> io::Result<Self> {
        let length = input.seek(SeekFrom::End(0))?;
        input.seek(SeekFrom::Start(0))?;
        Ok(Self {
            input: BufReader::new(input),
            position: 0,
            length,
            next: 0,
        })
    }

    /// The next datagram, nothing at the end. After damage it goes on with the next whole one.
    pub(super) fn next(&mut self) -> Option<Result<Datagram, Box<Damage>>> {
        let start = self.next;
        if start >= self.length {
            return None;
        }
        Some(
            self.at(start)
                .map_err(|error| self.damage(start, &error))
                .and_then(|found| {
                    self.next = start + HEAD + TAIL + found.map_or(0, |datagram| datagram.body);
                    found.ok_or_else(|| self.damage(start, &io::Error::from(ErrorKind::InvalidData)))
                }),
        )
    }

    /// The first datagram, or what is there in its place; nothing further is looked for.
    pub(super) fn first(&mut self) -> io::Result<Result<Datagram, &'static str>> {
        if self.length == 0 {
            return Ok(Err("an empty file"));
        }
        let begins = self.head(0)?.is_some();
        Ok(self.at(0)?.ok_or(match begins {
            true => "a datagram that is cut or damaged",
            false => "no datagram",
        }))
    }

    /// Bytes of a datagram's body, from `from` on, as many as `into` has room for.
    pub(super) fn read(&mut self, datagram: &Datagram, from: u64, into: &mut [u8]) -> io::Result<()> {
        if from + into.len() as u64 > datagram.body {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.read_at(datagram.start + HEAD + from, into)
    }

    /// A datagram's whole body, if it has at most `most` bytes.
    pub(super) fn body(&mut self, datagram: &Datagram, most: u64) -> io::Result<Vec<u8>> {
        if datagram.body > most {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut body = vec![0; datagram.body as usize];
        self.read(datagram, 0, &mut body)?;
        Ok(body)
    }

    /// The datagram that starts here, or nothing if there is no whole one.
    fn at(&mut self, start: u64) -> io::Result<Option<Datagram>> {
        let Some(datagram) = self.head(start)? else {
            return Ok(None);
        };
        let end = start + HEAD + datagram.body;
        if end + TAIL > self.length {
            return Ok(None);
        }
        let mut tail = [0; TAIL as usize];
        self.read_at(end, &mut tail)?;
        let same = u64::from(u32::from_le_bytes(tail)) == datagram.body + HEAD - 4;
        Ok(same.then_some(datagram))
    }

    /// What the bytes here say as the head of a datagram, nothing if they say none.
    fn head(&mut self, start: u64) -> io::Result<Option<Datagram>> {
        let mut head = [0; HEAD as usize];
        if start + HEAD > self.length {
            return Ok(None);
        }
        self.read_at(start, &mut head)?;
        let [a, b, c, d, kind @ .., _, _, _, _, _, _, _, _] = head;
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        let time = head[8..].try_into().map_or(0, u64::from_le_bytes);
        let Some(body) = length.checked_sub(HEAD - 4).filter(|_| length <= MAX_LENGTH) else {
            return Ok(None);
        };
        let looks_right = kind[..3].iter().all(u8::is_ascii_uppercase) && kind[3].is_ascii_alphanumeric();
        Ok(looks_right.then_some(Datagram {
            kind,
            stamp: unix(time),
            start,
            body,
        }))
    }

    /// What is wrong from here on, and goes on behind it.
    fn damage(&mut self, start: u64, error: &io::Error) -> Box<Damage> {
        let begins = self.head(start).ok().flatten();
        let found = match error.kind() {
            ErrorKind::InvalidData => self.look_from(start + 1),
            _ => None,
        };
        self.next = found.unwrap_or(self.length);
        let span = self.next - start;
        let alone = self.alone(start, span, begins, found.is_none());
        let (cause, what) = match found {
            _ if error.kind() != ErrorKind::InvalidData => (GapCause::Corrupt, error.to_string()),
            None => (GapCause::Truncated, "the file ends in it".to_owned()),
            Some(next) => (GapCause::Corrupt, format!("the next whole one is at byte {next}")),
        };
        Box::new(Damage {
            fault: Fault {
                cause,
                lost: 0,
                detail: format!("byte {start}: expected a whole datagram: {what}"),
            },
            span,
            begins,
            alone,
        })
    }

    /// The one datagram that a damaged stretch is, if it is one: its length before or behind says
    /// that it ends where the stretch does, or it goes on behind the end of the file.
    fn alone(&mut self, start: u64, span: u64, begins: Option<Datagram>, at_end: bool) -> Option<Datagram> {
        let whole = |datagram: &Datagram| HEAD + datagram.body + TAIL;
        if let Some(begins) = begins
            && (whole(&begins) == span || at_end && whole(&begins) > span)
        {
            return Some(begins);
        }
        let body = span.checked_sub(HEAD + TAIL)?;
        let (mut kind, mut tail) = ([0; 4], [0; TAIL as usize]);
        self.read_at(start + span - TAIL, &mut tail).ok()?;
        self.read_at(start + 4, &mut kind).ok()?;
        let same = u64::from(u32::from_le_bytes(tail)) == body + HEAD - 4;
        same.then_some(Datagram {
            kind,
            stamp: Stamp::from_nanos(0),
            start,
            body,
        })
    }

    /// Where the first whole datagram from here on starts.
    fn look_from(&mut self, mut from: u64) -> Option<u64> {
        let mut bytes = vec![0; LOOK.min(self.length as usize)];
        while from + HEAD <= self.length {
            let room = bytes.len().min((self.length - from) as usize);
            self.read_at(from, &mut bytes[..room]).ok()?;
            let last = room - HEAD as usize + 1;
            for at in 0..last {
                // A cheap look before the whole one.
                let kind = &bytes[at + 4..at + 7];
                if kind.iter().all(u8::is_ascii_uppercase)
                    && let Ok(Some(_)) = self.at(from + at as u64)
                {
                    return Some(from + at as u64);
                }
            }
            from += last as u64;
        }
        None
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

/// Unix time of a file's time.
fn unix(time: u64) -> Stamp {
    let since = i64::try_from(time).unwrap_or(i64::MAX).saturating_sub(EPOCH);
    Stamp::from_nanos(since.saturating_mul(100))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::write::datagram;
    use super::*;

    fn all(bytes: &[u8]) -> (Vec<String>, Vec<Damage>) {
        let mut datagrams = Datagrams::new(Cursor::new(bytes)).unwrap();
        let (mut names, mut damages) = (Vec::new(), Vec::new());
        while let Some(found) = datagrams.next() {
            match found {
                Ok(found) => names.push(found.name()),
                Err(damage) => damages.push(*damage),
            }
        }
        (names, damages)
    }

    #[test]
    fn file_time_is_unix_time_behind_1970() {
        // 2018-05-09 12:12:27.3279775 UTC; `date -u -d @1525867947` says so.
        assert_eq!(unix(131_703_415_473_279_775).nanos(), 1_525_867_947_327_977_500);
    }

    #[test]
    fn damage_is_stepped_over_to_the_next_whole_datagram() {
        let mut bytes = datagram(b"NME0", 1, b"one");
        let second = bytes.len();
        bytes.extend(datagram(b"NME0", 2, b"second"));
        bytes.extend(datagram(b"MRU0", 3, b"third"));
        assert_eq!(all(&bytes).0, ["NME0", "NME0", "MRU0"]);
        bytes[second] ^= 1;
        let (names, damages) = all(&bytes);
        assert_eq!(names, ["NME0", "MRU0"]);
        assert_eq!(damages[0].fault.cause, GapCause::Corrupt);
        assert_eq!(damages[0].begins.unwrap().name(), "NME0");
        assert_eq!(
            damages[0].alone.unwrap().name(),
            "NME0",
            "its length behind says so"
        );
        let (names, damages) = all(&bytes[..bytes.len() - 1]);
        assert_eq!(names, ["NME0"]);
        assert_eq!(damages.len(), 1, "one stretch to the end of the file");
    }

    #[test]
    fn every_cut_keeps_what_is_before_it() {
        let mut bytes = datagram(b"NME0", 1, b"one");
        let first = bytes.len();
        bytes.extend(datagram(b"MRU0", 2, b"two"));
        for cut in 0..bytes.len() {
            let (names, damages) = all(&bytes[..cut]);
            assert_eq!(names.len(), usize::from(cut >= first), "{cut}");
            assert_eq!(damages.len(), usize::from(cut != 0 && cut != first), "{cut}");
        }
    }
}
