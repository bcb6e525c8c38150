//! One sensor of a survey file as rows: the file is walked, and the sensor's reader says of each
//! datagram what is its own.

use std::collections::VecDeque;
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;

use beluga_types::{GapCause, Payload, SonarImage, SonarPing, Stamp};

use super::walk::{Framing, Walk};
use crate::error::Fault;
use crate::nameplate::Nameplate;
use crate::source::{Loaded, Row, Source};

/// What a sensor's reader makes of datagrams.
pub(crate) trait Datagrams {
    /// Takes a whole datagram that starts at this byte of the file.
    fn take(&mut self, start: u64, whole: &[u8], rows: &mut Rows);
    /// Whether a datagram with this head would be this sensor's; nothing if that cannot be told.
    fn is_own(&self, head: &[u8]) -> Option<bool>;
    /// The file ends.
    fn end(&mut self, _rows: &mut Rows) {}
}

/// A payload, and how long after its stamp it ends.
pub(crate) struct Ready {
    pub(crate) payload: Payload,
    pub(crate) last_offset_nanos: i64,
}

/// Rows that wait to be taken.
#[derive(Default)]
pub(crate) struct Rows {
    waiting: VecDeque<Result<Row<Ready>, Fault>>,
    /// Where the datagram stands that is being read, for messages.
    place: String,
    asides: Vec<Aside>,
}

/// What is said beside the rows, at once.
pub(crate) enum Aside {
    /// What users should know.
    Note(String),
    /// What the device says of itself.
    Device(Nameplate),
}

impl Rows {
    /// Where what follows stands.
    pub(crate) fn at(&mut self, start: u64, kind: &str) {
        self.place = format!("byte {start}, `{kind}`");
    }

    /// Where what follows stands, of what is no file.
    pub(crate) fn say(&mut self, place: String) {
        self.place = place;
    }

    /// Something that users should know at once, and that stays in its place too.
    pub(crate) fn note(&mut self, what: String) {
        self.lose(GapCause::Corrupt, 0, &what);
        self.asides.push(Aside::Note(what));
    }

    /// What the device says of itself, among other things.
    pub(crate) fn device(&mut self, said: Nameplate) {
        self.asides.push(Aside::Device(said));
    }

    /// What is said beside the rows, once.
    pub(crate) fn asides(&mut self) -> Vec<Aside> {
        std::mem::take(&mut self.asides)
    }

    /// A payload that is complete at its stamp.
    pub(crate) fn push(&mut self, stamp: Stamp, payload: Payload) {
        self.push_long(stamp, None, payload, 0);
    }

    /// A payload that ends after its stamp; with the sensor's own count, if it has one.
    pub(crate) fn push_long(
        &mut self,
        stamp: Stamp,
        seq: Option<u64>,
        payload: Payload,
        last_offset_nanos: i64,
    ) {
        self.waiting.push_back(Ok(Row {
            place: self.place.clone(),
            seq,
            stamp,
            end: None,
            received: None,
            what: Ready {
                payload,
                last_offset_nanos,
            },
        }));
    }

    /// An image by when it was sent, the sonar's own count and itself; or why there is none.
    pub(crate) fn push_image(&mut self, found: Result<(Stamp, u32, SonarImage), String>) {
        match found {
            Ok((stamp, number, image)) => {
                let last = image.last_offset_nanos();
                let payload = Payload::Sonar(Arc::new(SonarPing::Image(image)));
                self.push_long(stamp, Some(u64::from(number)), payload, last);
            }
            Err(wrong) => self.lose(GapCause::Corrupt, 1, &wrong),
        }
    }

    /// The next that waits.
    pub(crate) fn pop(&mut self) -> Option<Result<Row<Ready>, Fault>> {
        self.waiting.pop_front()
    }

    /// Whether any waits.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The payloads that wait, for tests.
    #[cfg(test)]
    pub(crate) fn taken(self) -> Vec<(Stamp, Payload)> {
        let rows = self.waiting.into_iter().flatten();
        rows.map(|row| (row.stamp, row.what.payload)).collect()
    }

    /// What gave no payload: how often, and what it was; nothing of what did not happen.
    pub(crate) fn leave_out(&mut self, counted: &[(u64, &str)]) {
        for (count, what) in counted.iter().filter(|(count, _)| *count > 0) {
            self.lose(GapCause::Corrupt, 0, &format!("{count} {what}"));
        }
    }

    /// Something that is lost, or left out.
    pub(crate) fn lose(&mut self, cause: GapCause, lost: u64, what: &str) {
        let detail = format!("{}: {what}", self.place);
        self.waiting.push_back(Err(Fault { cause, lost, detail }));
    }
}

/// The rows of one sensor of a file.
pub(crate) struct Played<R, F, D> {
    walk: Walk<R, F>,
    datagrams: D,
    rows: Rows,
    path: PathBuf,
    ended: bool,
}

impl<R: Read + Seek, F: Framing, D: Datagrams> Played<R, F, D> {
    /// `path` is the name in messages.
    pub(crate) fn new(walk: Walk<R, F>, datagrams: D, path: PathBuf) -> Self {
        Self {
            walk,
            datagrams,
            rows: Rows::default(),
            path,
            ended: false,
        }
    }
}

impl<R: Read + Seek, F: Framing, D: Datagrams> Source for Played<R, F, D> {
    type What = Ready;

    fn next_row(&mut self) -> Option<Result<Row<Ready>, Fault>> {
        loop {
            if let Some(row) = self.rows.waiting.pop_front() {
                return Some(row.map_err(|fault| Fault {
                    detail: format!("{}: {}", fault.detail, self.path.display()),
                    ..fault
                }));
            }
            match self.walk.next() {
                Some(Ok(start)) => self.datagrams.take(start, self.walk.bytes(), &mut self.rows),
                Some(Err(damage)) => {
                    let own = self.datagrams.is_own(&damage.head);
                    let lost = match (damage.alone, own) {
                        (true, Some(false)) => continue,
                        _ => 1,
                    };
                    self.rows.waiting.push_back(Err(Fault { lost, ..damage.fault }));
                }
                None if self.ended => return None,
                None => {
                    self.ended = true;
                    self.datagrams.end(&mut self.rows);
                }
            }
        }
    }

    fn load(&mut self, ready: Ready) -> Loaded {
        Loaded::whole(ready.payload, ready.last_offset_nanos)
    }
}
