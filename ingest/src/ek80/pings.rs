//! The pings of one channel of a file, one after the other.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beluga_types::{GapCause, Payload, SensorSpec, SonarPing, Stamp};

use super::channel::{Setting, State};
use super::datagram::{Damage, Datagram, Datagrams};
use super::filter;
use super::samples::{self, SampleHead};
use super::xml::{self, Channel, Said};
use crate::error::{Error, Fault};
use crate::regular;
use crate::source::{Loaded, Row, Source};

/// The longest filter datagram, in bytes: 32767 coefficients.
const MAX_FILTER_BYTES: u64 = 1 << 19;

/// The pings of one channel.
pub(crate) struct Pings<R> {
    datagrams: Datagrams<R>,
    path: PathBuf,
    state: State,
    /// What the next samples mean has been lost.
    unsure: bool,
}

/// Where a ping's samples are, and what they mean.
pub(crate) struct PingAt {
    datagram: Datagram,
    head: SampleHead,
    setting: Arc<Setting>,
}

impl Pings<File> {
    /// The pings of the channel that the sensor's `model` names, or of the only one.
    pub(crate) fn open(path: &Path, spec: &SensorSpec) -> Result<Self, Error> {
        Self::new(regular::open(path)?, path, spec.model.as_deref())
    }
}

impl<R: Read + Seek> Pings<R> {
    /// The pings of the channel with this id, or of the only one.
    ///
    /// # Errors
    /// If this is no such file, or it has no such channel.
    pub(super) fn new(input: R, path: &Path, channel: Option<&str>) -> Result<Self, Error> {
        let mut datagrams = Datagrams::new(input).map_err(Error::io(path))?;
        let mut channels = configuration(&mut datagrams, path)?;
        datagrams.next();
        let found = match channel {
            Some(id) => channels.iter().position(|channel| channel.id == id.trim()),
            None => (channels.len() == 1).then_some(0),
        };
        let index = found.ok_or_else(|| {
            let ids: Vec<&str> = channels.iter().map(|channel| channel.id.as_str()).collect();
            Error::bad(
                path,
                "`model` of the sensor",
                format!("the id of a channel: {}", ids.join(", ")),
                channel.map_or("none".into(), |id| format!("`{id}`")),
            )
        })?;
        Ok(Self {
            datagrams,
            path: path.to_owned(),
            state: State::new(channels.swap_remove(index)),
            unsure: false,
        })
    }

    /// The row of a datagram, if it is one of this channel's pings.
    fn row(&mut self, datagram: Datagram) -> Option<Result<Row<PingAt>, String>> {
        match &datagram.kind {
            b"XML0" => self.document(&datagram).err().map(Err),
            b"FIL1" => {
                let body = self
                    .datagrams
                    .body(&datagram, MAX_FILTER_BYTES)
                    .map_err(|error| error.to_string());
                let heard = body
                    .and_then(|body| filter::read(&body))
                    .and_then(|stage| self.state.filter(stage));
                heard.err().map(Err)
            }
            b"RAW3" => {
                let unsure = std::mem::take(&mut self.unsure);
                match self.head(&datagram) {
                    Ok(Some(head)) => Some(self.ping(datagram, head, unsure)),
                    Ok(None) => None,
                    Err(wrong) => Some(Err(wrong)),
                }
            }
            _ => None,
        }
    }

    fn document(&mut self, datagram: &Datagram) -> Result<(), String> {
        let body = self
            .datagrams
            .body(datagram, xml::MAX_BYTES)
            .map_err(|error| error.to_string());
        match body.and_then(|body| xml::read(&body)) {
            Ok(said) => {
                self.state.hear(said);
                Ok(())
            }
            Err(wrong) => {
                self.unsure = true;
                Err(wrong)
            }
        }
    }

    /// What stands before the samples, nothing if they are another channel's.
    fn head(&mut self, datagram: &Datagram) -> Result<Option<SampleHead>, String> {
        let mut bytes = [0; samples::HEAD];
        self.datagrams
            .read(datagram, 0, &mut bytes)
            .map_err(|error| error.to_string())?;
        if super::bytes::text(&bytes[..128]) != self.state.id() {
            return Ok(None);
        }
        samples::head(&bytes, datagram.body).map(Some)
    }

    fn ping(&mut self, datagram: Datagram, head: SampleHead, unsure: bool) -> Result<Row<PingAt>, String> {
        if unsure {
            return Err("the parameters before it cannot be read".into());
        }
        let setting = self.state.setting()?;
        Ok(Row {
            place: format!("byte {}", datagram.start),
            seq: None,
            stamp: datagram.stamp.shifted_s(setting.centre_s()),
            end: None,
            received: None,
            what: PingAt {
                datagram,
                head,
                setting,
            },
        })
    }

    /// What a stretch of damage loses of this channel, nothing if it is another channel's ping.
    fn damaged(&mut self, damage: Damage) -> Option<Fault> {
        let mut fault = damage.fault;
        fault.detail = format!("{}: {}", fault.detail, self.path.display());
        let Some(raw) = damage.begins.filter(|begins| &begins.kind == b"RAW3") else {
            self.unsure = true;
            return Some(fault);
        };
        let mut id = [0; 128];
        if self.datagrams.read(&raw, 0, &mut id).is_ok() {
            if super::bytes::text(&id) != self.state.id() {
                return None;
            }
            fault.lost = 1;
        }
        Some(fault)
    }

    fn load_ping(&mut self, ping: &PingAt) -> Result<(SonarPing, i64), String> {
        let mut bytes = vec![0; ping.head.bytes()];
        self.datagrams
            .read(&ping.datagram, samples::HEAD as u64, &mut bytes)
            .map_err(|error| error.to_string())?;
        ping.setting.ping(&ping.head, &bytes)
    }

    /// The next ping by itself: its transmit centre, and what was heard.
    pub(super) fn next_ping(&mut self) -> Option<Result<(Stamp, SonarPing), String>> {
        let row = match self.next_row()? {
            Ok(row) => row,
            Err(fault) => return Some(Err(fault.detail)),
        };
        Some(self.load_ping(&row.what).map(|(ping, _)| (row.stamp, ping)))
    }
}

impl<R: Read + Seek> Source for Pings<R> {
    type What = PingAt;

    fn next_row(&mut self) -> Option<Result<Row<PingAt>, Fault>> {
        loop {
            let datagram = match self.datagrams.next()? {
                Ok(datagram) => datagram,
                Err(damage) => match self.damaged(damage) {
                    Some(fault) => return Some(Err(fault)),
                    None => continue,
                },
            };
            if let Some(row) = self.row(datagram) {
                let lost = u64::from(&datagram.kind == b"RAW3");
                return Some(row.map_err(|wrong| fault(&self.path, &datagram, lost, &wrong)));
            }
        }
    }

    fn load(&mut self, ping: PingAt) -> Loaded {
        match self.load_ping(&ping) {
            Ok((sonar, end)) => Loaded::whole(Payload::Sonar(Arc::new(sonar)), end),
            Err(wrong) => Loaded::lost(fault(&self.path, &ping.datagram, 1, &wrong)),
        }
    }
}

fn fault(path: &Path, datagram: &Datagram, lost: u64, wrong: &str) -> Fault {
    Fault {
        cause: GapCause::Corrupt,
        lost,
        detail: format!(
            "byte {}, `{}`: {wrong}: {}",
            datagram.start,
            datagram.name(),
            path.display()
        ),
    }
}

/// The channels of the configuration, with which every file starts; the datagrams still begin with it.
pub(super) fn configuration<R: Read + Seek>(
    datagrams: &mut Datagrams<R>,
    path: &Path,
) -> Result<Vec<Channel>, Error> {
    let refused = |found: String| {
        let expected = "the configuration with which a Simrad EK80 file starts (datagram `XML0`)";
        Error::bad(path, "byte 0", expected, found)
    };
    let first = datagrams.first().map_err(Error::io(path))?;
    let first = first.map_err(|found| refused(found.into()))?;
    if &first.kind == b"CON0" {
        return Err(refused(
            "a datagram `CON0`: a file of the older EK60, which is not read".into(),
        ));
    }
    if &first.kind != b"XML0" {
        return Err(refused(format!("a datagram `{}`", first.name())));
    }
    let body = datagrams.body(&first, xml::MAX_BYTES).map_err(Error::io(path))?;
    match xml::read(&body) {
        Ok(Said::Configuration(channels)) if !channels.is_empty() => Ok(channels),
        Ok(Said::Configuration(_)) => Err(refused("a configuration without channels".into())),
        Ok(_) => Err(refused("another document".into())),
        Err(wrong) => Err(refused(wrong)),
    }
}
