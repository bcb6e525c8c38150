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
use crate::nameplate::Nameplate;
use crate::regular;
use crate::source::{Loaded, Row, Source};

/// The longest filter datagram, in bytes: 32767 coefficients.
const MAX_FILTER_BYTES: u64 = 1 << 19;
/// Where the channel id stands in a filter datagram's body.
const STAGE_ID: u64 = 4;

/// The pings of one channel.
pub(crate) struct Pings<R> {
    datagrams: Datagrams<R>,
    path: PathBuf,
    state: State,
    /// The ids of all channels.
    ids: Vec<String>,
    /// Parameters may have been lost since this channel's own were heard.
    unsure: bool,
    /// A ping of any channel has been found.
    has_pinged: bool,
}

/// Where a ping's samples are, and what they mean.
pub(crate) struct PingAt {
    datagram: Datagram,
    head: SampleHead,
    setting: Arc<Setting>,
}

impl Pings<File> {
    /// The pings of the channel that the sensor's `model` names, or of the only one.
    ///
    /// # Errors
    /// If this is no such file, it has no such channel, or the sensor has beams: the file's own count.
    pub(crate) fn open(path: &Path, spec: &SensorSpec) -> Result<Self, Error> {
        if spec.beams.is_some() {
            let expected = "none: an EK80 file says itself how wide the beam of a channel is";
            let place = format!("`beams` of sensor `{}`", spec.name);
            return Err(Error::bad(path, place, expected, "a table of beams"));
        }
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
            ids: channels.iter().map(|channel| channel.id.clone()).collect(),
            state: State::new(channels.swap_remove(index)),
            unsure: false,
            has_pinged: false,
        })
    }

    /// The row of a datagram, if it is one of this channel's pings.
    fn row(&mut self, datagram: Datagram) -> Option<Result<Row<PingAt>, String>> {
        match &datagram.kind {
            b"XML0" => self.document(&datagram).err().map(Err),
            b"FIL1" => self.stage(&datagram).err().map(Err),
            b"RAW3" => {
                self.has_pinged = true;
                match self.head(&datagram) {
                    Ok(Some(head)) => Some(self.ping(datagram, head)),
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
                if self.state.hear(said) {
                    self.unsure = false;
                }
                Ok(())
            }
            Err(wrong) => {
                self.unsure = true;
                Err(wrong)
            }
        }
    }

    /// Takes a stage, if it is not another channel's.
    fn stage(&mut self, datagram: &Datagram) -> Result<(), String> {
        if self.is_own(datagram, STAGE_ID) == Some(false) {
            return Ok(());
        }
        let body = self
            .datagrams
            .body(datagram, MAX_FILTER_BYTES)
            .map_err(|error| error.to_string());
        body.and_then(|body| filter::read(&body))
            .and_then(|stage| self.state.filter(stage))
            .inspect_err(|_| self.state.lose_stage())
    }

    /// What stands before the samples, nothing if they are another channel's.
    fn head(&mut self, datagram: &Datagram) -> Result<Option<SampleHead>, String> {
        let mut bytes = [0; samples::HEAD];
        self.datagrams
            .read(datagram, 0, &mut bytes)
            .map_err(|error| error.to_string())?;
        let id = super::bytes::text(&bytes[..samples::ID]);
        if id == self.state.id() {
            return samples::head(&bytes, datagram.body).map(Some);
        }
        if self.ids.contains(&id) || self.likely(&bytes[..samples::ID]) != self.state.id() {
            return Ok(None);
        }
        let found = id.escape_debug();
        Err(format!(
            "expected the id of a channel, found `{found}`, counted as a ping of the likeliest"
        ))
    }

    /// The channel whose id differs in the fewest bytes from one that is none of the file's, of equals
    /// the first: a damaged ping is lost to one channel and not to all.
    fn likely(&self, found: &[u8]) -> &str {
        let differing = |id: &&String| {
            let own = id.bytes().chain(std::iter::repeat(0));
            own.zip(found).filter(|(own, found)| own != *found).count()
        };
        self.ids.iter().min_by_key(differing).map_or("", String::as_str)
    }

    fn ping(&mut self, datagram: Datagram, head: SampleHead) -> Result<Row<PingAt>, String> {
        if self.unsure {
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

    /// What a stretch of damage loses of this channel, nothing if it is another channel's alone.
    fn damaged(&mut self, damage: Damage) -> Option<Fault> {
        let lost = match damage.alone {
            Some(alone) => self.lost_with(&alone)?,
            None => self.lost_among(&damage),
        };
        let mut fault = damage.fault;
        let what = match damage.alone {
            None if lost > 0 => "several datagrams, counted as one ping at least: ",
            _ => "",
        };
        fault.lost = lost;
        fault.detail = format!("{}: {what}{}", fault.detail, self.path.display());
        Some(fault)
    }

    /// The pings of this channel that are lost with one datagram, nothing if it is another's.
    fn lost_with(&mut self, alone: &Datagram) -> Option<u64> {
        match &alone.kind {
            b"NME0" | b"MRU0" => return Some(0),
            b"RAW3" => {
                let mut id = [0; samples::ID];
                return match self.is_own(alone, 0) {
                    Some(own) => own.then_some(1),
                    None if self.datagrams.read(alone, 0, &mut id).is_err() => Some(0),
                    None => (self.likely(&id) == self.state.id()).then_some(1),
                };
            }
            b"FIL1" => {
                if self.is_own(alone, STAGE_ID) == Some(false) {
                    return None;
                }
                self.state.lose_stage();
            }
            b"XML0" => self.unsure = true,
            _ => {
                self.unsure = true;
                return Some(u64::from(self.is_own(alone, 0) == Some(true)));
            }
        }
        Some(0)
    }

    /// The pings of this channel that are lost with several datagrams: how many there were cannot
    /// be told, so it is one wherever there is room for it.
    fn lost_among(&mut self, damage: &Damage) -> u64 {
        self.unsure = true;
        let begins = damage.begins;
        let is = |kind: &[u8; 4]| begins.is_some_and(|begins| &begins.kind == kind);
        // Stages stand before the first ping.
        if is(b"FIL1") || !self.has_pinged {
            self.state.lose_stage();
        }
        let first = begins.filter(|_| is(b"RAW3"));
        let own = first.is_some_and(|raw| self.is_own(&raw, 0) == Some(true));
        u64::from(own || damage.has_room_behind(samples::HEAD as u64))
    }

    /// Whether the channel id at this place of a body is this channel's, nothing if it is none of
    /// the file's.
    fn is_own(&mut self, datagram: &Datagram, at: u64) -> Option<bool> {
        let mut id = [0; samples::ID];
        self.datagrams.read(datagram, at, &mut id).ok()?;
        let id = super::bytes::text(&id);
        self.ids.contains(&id).then(|| id == self.state.id())
    }

    fn load_ping(&mut self, ping: &PingAt) -> Result<(SonarPing, i64), String> {
        let mut bytes = vec![0; ping.head.bytes()];
        self.datagrams
            .read(&ping.datagram, samples::HEAD as u64, &mut bytes)
            .map_err(|error| error.to_string())?;
        ping.setting.ping(&ping.head, &bytes)
    }

    /// Why the first ping is lost, if none can be read; reads as far as the first that can.
    pub(super) fn nothing_readable(&mut self) -> Option<String> {
        let mut first = None;
        while let Some(ping) = self.next_ping() {
            match ping {
                Ok(_) => return None,
                Err(wrong) => first.get_or_insert(wrong),
            };
        }
        Some(first.unwrap_or_else(|| "no ping".into()))
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
                Err(damage) => match self.damaged(*damage) {
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

/// What transceiver and transducer of a channel say of themselves: of the one with this id, or the only one.
pub(crate) fn nameplate(path: &Path, channel: Option<&str>) -> Option<Nameplate> {
    let mut datagrams = Datagrams::new(regular::open(path).ok()?).ok()?;
    let channels = configuration(&mut datagrams, path).ok()?;
    let own = match channel {
        Some(id) => channels.into_iter().find(|channel| channel.id == id.trim()),
        None => channels.into_iter().next(),
    };
    own.map(|channel| channel.plate)
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
