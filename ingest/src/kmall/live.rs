//! Datagrams that come one by one, as a sounder sends them while it works: each of UDP's holds one
//! datagram, or one part of it.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use beluga_types::{GapCause, Origin, SensorSpec, Stamp};

use super::framing::{self, Kmall};
use super::read::Channel;
use super::{nameplate, summary};
use crate::capture::{Damage, Datagram};
use crate::error::{Error, Fault};
use crate::live::look::Looked;
use crate::nameplate::Nameplate;
use crate::source::{Loaded, Row, Source};
use crate::survey::chosen;
use crate::survey::played::{Datagrams, Ready, Rows};
use crate::survey::walk::Framing;

/// A clock that is farther than this from the host's tells another time: a recording that is sent
/// again. It is placed by when the host heard its first datagram.
const SAME_NANOS: i64 = 86_400 * 1_000_000_000;

/// The rows of one sensor of what a sounder sends.
pub(crate) struct Sent<I> {
    start: std::vec::IntoIter<Result<Datagram, Damage>>,
    datagrams: I,
    channel: Channel,
    rows: Rows,
    path: PathBuf,
    /// Bytes that have come, for messages.
    bytes: u64,
    /// Added to every time.
    shift_nanos: i64,
    received: Option<Stamp>,
    foreign: u64,
    /// Told what the sounder says of itself.
    device: Box<dyn FnMut(Nameplate)>,
    ended: bool,
}

/// The rows of the sensor that a rig's entry names, or of the only one of its kind in what was looked
/// at.
///
/// # Errors
/// If nothing of a sounder is heard, or no such sensor within the first seconds.
pub(crate) fn live<I>(
    looked: Looked,
    datagrams: I,
    path: &Path,
    spec: &SensorSpec,
    origin: &Origin,
    notes: &mut Vec<String>,
    device: impl FnMut(Nameplate) + 'static,
) -> Result<Sent<I>, Error>
where
    I: Iterator<Item = Result<Datagram, Damage>>,
{
    let Looked { start, foreign } = looked;
    let heard = || start.iter().filter_map(|found| found.as_ref().ok());
    let whole: Vec<u8> = heard()
        .filter(|datagram| is_whole(&datagram.payload))
        .flat_map(|datagram| datagram.payload.iter().copied())
        .collect();
    if whole.is_empty() {
        return Err(Error::Empty {
            expected: format!("datagrams of a sounder for sensor `{}`", spec.name),
            path: path.to_owned(),
        });
    }
    let part = chosen::chosen(path, spec, || {
        Ok(summary::summary_of(Cursor::new(whole.as_slice()), path)?.parts())
    })?;
    let first = heard().find_map(|datagram| {
        let header = is_whole(&datagram.payload).then(|| framing::header(&datagram.payload).ok())??;
        Some((header.stamp, datagram.received))
    });
    let behind = first.map_or(0, |(stamp, heard)| heard.nanos_since(stamp));
    let shift_nanos = if behind.saturating_abs() > SAME_NANOS {
        behind
    } else {
        0
    };
    if let (Some((stamp, _)), true) = (first, shift_nanos != 0) {
        notes.push(format!(
            "sensor `{}`: clock: tells {}, a recording that is sent again or a sounder that is not set: placed by when the host heard its first datagram",
            spec.name,
            stamp.iso_8601()
        ));
    }
    Ok(Sent {
        start: start.into_iter(),
        datagrams,
        channel: Channel::new(part, origin.clone()),
        rows: Rows::default(),
        path: path.to_owned(),
        bytes: 0,
        shift_nanos,
        received: None,
        foreign,
        device: Box::new(device),
        ended: false,
    })
}

/// Whether these bytes are one datagram.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let head = bytes.get(..Kmall::HEAD).unwrap_or_default();
    let tail = bytes
        .get(bytes.len().saturating_sub(Kmall::TAIL)..)
        .unwrap_or_default();
    Kmall.length(head) == Some(bytes.len() as u64) && Kmall.closes(head, tail)
}

impl<I: Iterator<Item = Result<Datagram, Damage>>> Sent<I> {
    fn take(&mut self, datagram: &Datagram) {
        self.received = Some(datagram.received);
        if is_whole(&datagram.payload) {
            if let Some(said) = nameplate::said(&datagram.payload) {
                (self.device)(said);
            }
            self.channel.take(self.bytes, &datagram.payload, &mut self.rows);
        } else {
            self.foreign += 1;
        }
        self.bytes += datagram.payload.len() as u64;
    }

    fn tell_foreign(&mut self) -> Option<Fault> {
        let count = std::mem::take(&mut self.foreign);
        (count > 0).then(|| Fault {
            cause: GapCause::Corrupt,
            lost: 0,
            detail: format!(
                "{count} datagram(s) that are none of a sounder, left out: {}",
                self.path.display()
            ),
        })
    }

    fn next_datagram(&mut self) -> Option<Result<Datagram, Damage>> {
        self.start.next().or_else(|| self.datagrams.next())
    }
}

impl<I: Iterator<Item = Result<Datagram, Damage>>> Source for Sent<I> {
    type What = Ready;

    fn next_row(&mut self) -> Option<Result<Row<Ready>, Fault>> {
        loop {
            match self.rows.pop() {
                Some(Ok(row)) => {
                    return Some(Ok(Row {
                        stamp: row.stamp.shifted_nanos(self.shift_nanos),
                        received: self.received,
                        ..row
                    }));
                }
                Some(Err(fault)) => return Some(Err(fault)),
                None => {}
            }
            if let Some(fault) = self.tell_foreign() {
                return Some(Err(fault));
            }
            match self.next_datagram() {
                Some(Ok(datagram)) => self.take(&datagram),
                Some(Err(damage)) => return Some(Err(damage.fault)),
                None if self.ended => return None,
                None => {
                    self.ended = true;
                    self.channel.end(&mut self.rows);
                }
            }
        }
    }

    fn load(&mut self, ready: Ready) -> Loaded {
        Loaded::whole(ready.payload, ready.last_offset_nanos)
    }
}
