//! What comes to an edge as rows, datagram by datagram: each is taken by the reader of its format.

use std::path::PathBuf;

use beluga_types::{GapCause, Stamp};

use super::edge::Came;
use crate::capture::Datagram;
use crate::error::Fault;
use crate::source::{Loaded, Row, Source};
use crate::survey::played::{Aside, Ready, Rows};

/// A clock that is farther than this from the host's tells another time: a recording that is sent
/// again, or a sensor that is not set. It is placed by when the host heard its first row.
const SAME_NANOS: i64 = 86_400 * 1_000_000_000;

/// The reader of a format that is heard.
pub(crate) trait Hears {
    /// Takes what came; whether it is of this format.
    fn take(&mut self, heard: &Datagram, rows: &mut Rows) -> bool;

    /// Between what came and what will come something is missing, or it begins anew.
    fn torn(&mut self, _rows: &mut Rows) {}

    /// Between what came and what will come so many bytes are missing.
    fn missing(&mut self, _bytes: u64, rows: &mut Rows) {
        self.torn(rows);
    }

    /// Nothing has come for a while, or nothing will any more.
    fn pause(&mut self, _rows: &mut Rows) {}
}

/// The rows of one sensor.
pub(crate) struct Heard<I, H> {
    came: I,
    reader: H,
    rows: Rows,
    /// Where it is heard, for messages.
    at: PathBuf,
    received: Stamp,
    /// Of no such format since that was told.
    foreign: u64,
    /// Added to every time, once the first is known.
    shift_nanos: Option<i64>,
    /// Told what users should know, and what the device says of itself.
    tell: Box<dyn FnMut(Aside)>,
    ended: bool,
}

impl<I: Iterator<Item = Came>, H: Hears> Heard<I, H> {
    pub(crate) fn new(came: I, reader: H, at: PathBuf, tell: impl FnMut(Aside) + 'static) -> Self {
        Self {
            came,
            reader,
            rows: Rows::default(),
            at,
            received: Stamp::default(),
            foreign: 0,
            shift_nanos: None,
            tell: Box::new(tell),
            ended: false,
        }
    }

    fn take(&mut self, datagram: &Datagram) {
        self.received = datagram.received;
        if !self.reader.take(datagram, &mut self.rows) {
            self.foreign += 1;
        }
        self.rows.asides().into_iter().for_each(&mut self.tell);
    }

    /// What is of no such format is told before the next row, or when nothing follows.
    fn foreign(&mut self) -> Option<Fault> {
        let count = std::mem::take(&mut self.foreign);
        (count > 0).then(|| Fault {
            cause: GapCause::Corrupt,
            lost: 0,
            detail: format!(
                "{count} datagram(s) of something else, left out: {}",
                self.at.display()
            ),
        })
    }

    fn shifted(&mut self, stamp: Stamp) -> Stamp {
        let behind = self.received.nanos_since(stamp);
        let shift = *self.shift_nanos.get_or_insert_with(|| {
            if behind.saturating_abs() <= SAME_NANOS {
                return 0;
            }
            (self.tell)(Aside::Note(format!(
                "clock: tells {}, a recording that is sent again or a sensor that is not set: placed by when the host heard its first datagram",
                stamp.iso_8601()
            )));
            behind
        });
        stamp.shifted_nanos(shift)
    }
}

impl<I: Iterator<Item = Came>, H: Hears> Source for Heard<I, H> {
    type What = Ready;

    fn next_row(&mut self) -> Option<Result<Row<Ready>, Fault>> {
        /// So many of something else are told at once, while more come.
        const TOLD_EACH: u64 = 1000;
        loop {
            let is_due = self.rows.is_waiting() || self.foreign >= TOLD_EACH || self.ended;
            if let Some(fault) = is_due.then(|| self.foreign()).flatten() {
                return Some(Err(fault));
            }
            match self.rows.pop() {
                Some(Ok(row)) => {
                    return Some(Ok(Row {
                        stamp: self.shifted(row.stamp),
                        received: Some(self.received),
                        ..row
                    }));
                }
                Some(Err(fault)) => return Some(Err(fault)),
                None if self.ended => return None,
                None => {}
            }
            match self.came.next() {
                Some(Came::Heard(datagram)) => self.take(&datagram),
                Some(Came::Lost(damage)) => {
                    self.reader.torn(&mut self.rows);
                    return Some(Err(damage.fault));
                }
                Some(Came::LetGo(damage, bytes)) => {
                    self.reader.missing(bytes, &mut self.rows);
                    return Some(Err(damage.fault));
                }
                Some(Came::Quiet) => {
                    self.reader.pause(&mut self.rows);
                    if let Some(fault) = self.foreign() {
                        return Some(Err(fault));
                    }
                }
                None => {
                    self.ended = true;
                    self.reader.pause(&mut self.rows);
                }
            }
        }
    }

    fn load(&mut self, ready: Ready) -> Loaded {
        Loaded::whole(ready.payload, ready.last_offset_nanos)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use beluga_types::{DepthFix, Payload};

    use super::*;
    use crate::live::sockets::NOBODY;

    /// What a reader makes of pieces, each heard at a second since 1970, and of the silence after them: payloads,
    /// what is told of losses, and how much is said beside.
    pub(crate) fn played<'a>(
        reader: &mut impl Hears,
        pieces: impl IntoIterator<Item = (i64, &'a [u8])>,
    ) -> (Vec<(Stamp, Payload)>, Vec<String>, usize) {
        let mut rows = Rows::default();
        for (second, piece) in pieces {
            let datagram = Datagram {
                received: Stamp::from_nanos(second * 1_000_000_000),
                source: NOBODY,
                destination: NOBODY,
                payload: piece.to_vec(),
            };
            assert!(reader.take(&datagram, &mut rows));
        }
        reader.pause(&mut rows);
        let asides = rows.asides().len();
        let (mut taken, mut told) = (Vec::new(), Vec::new());
        while let Some(row) = rows.pop() {
            match row {
                Ok(row) => taken.push((row.stamp, row.what.payload)),
                Err(fault) => told.push(fault.detail),
            }
        }
        (taken, told, asides)
    }

    /// A format of one number, seconds since 1970.
    struct Seconds;

    impl Hears for Seconds {
        fn take(&mut self, heard: &Datagram, rows: &mut Rows) -> bool {
            let [seconds] = heard.payload[..] else {
                return false;
            };
            let depth = DepthFix {
                depth_m: 1.0,
                sigma_m: 0.1,
            };
            rows.push(
                Stamp::from_nanos(i64::from(seconds) * 1_000_000_000),
                Payload::Depth(depth),
            );
            true
        }

        fn torn(&mut self, rows: &mut Rows) {
            rows.lose(GapCause::Corrupt, 1, "torn");
        }
    }

    fn heard(payload: &[u8], at_s: i64) -> Came {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        Came::Heard(Datagram {
            received: Stamp::from_nanos(at_s * 1_000_000_000),
            source: loopback,
            destination: loopback,
            payload: payload.to_vec(),
        })
    }

    fn all(came: Vec<Came>, mut told: impl FnMut(String) + 'static) -> Vec<Result<i64, String>> {
        let aside = move |aside| match aside {
            Aside::Note(note) => told(note),
            Aside::Device(_) => {}
        };
        let mut heard = Heard::new(came.into_iter(), Seconds, PathBuf::from("here"), aside);
        let row = |row: Result<Row<Ready>, Fault>| {
            row.map(|row| row.stamp.nanos() / 1_000_000_000)
                .map_err(|fault| fault.detail)
        };
        std::iter::from_fn(|| heard.next_row().map(row)).collect()
    }

    #[test]
    fn what_is_of_something_else_is_told_before_the_next_row_or_in_silence() {
        let came = vec![
            heard(b"xx", 1),
            heard(b"yy", 1),
            heard(&[1], 1),
            heard(b"zz", 2),
            Came::Quiet,
            Came::Quiet,
            heard(b"", 3),
        ];
        let told = |count| Err(format!("{count} datagram(s) of something else, left out: here"));
        assert_eq!(
            all(came, |_| panic!("the clock is right")),
            [told(2), Ok(1), told(1), told(1)]
        );
    }

    #[test]
    fn another_days_clock_is_placed_by_the_first_row_and_told_once() {
        let came = vec![heard(&[1], 1_000_000), heard(&[3], 1_000_009)];
        let (sender, told) = std::sync::mpsc::sync_channel(2);
        assert_eq!(
            all(came, move |note| sender.send(note).unwrap()),
            [Ok(1_000_000), Ok(1_000_002)]
        );
        assert_eq!(told.iter().count(), 1);
    }
}
