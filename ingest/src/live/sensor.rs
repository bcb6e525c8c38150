//! One sensor that is heard now: its thread, which plays the readers that recordings have.

use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use beluga_types::{Gap, GapCause, Measurement, Origin, Payload, Rig, SensorId, SensorKind, SensorSpec};

use super::address::Address;
use super::early::Early;
use super::edge::{Came, Edge};
use super::guard::Guard;
use super::heard::{Heard, Hears};
use super::sockets::now;
use super::telling::Telling;
use super::tongue::Tongue;
use super::{Options, ask, look};
use crate::capture::{Damage, Datagram};
use crate::error::{Error, Fault};
use crate::lidar::{self, Maker};
use crate::nmea::{Piece, Sentences};
use crate::pps::Pulses;
use crate::source::Source;
use crate::stream::Stream;
use crate::survey::played::Aside;
use crate::survey::widths;
use crate::waves::Form;
use crate::{kmall, mavlink, nmea, oculus, ping, posmv, r2sonic, sbg, waves};

/// What a sensor's thread says.
pub(crate) enum Said {
    /// A measurement, or a gap.
    Measured(Box<Measurement>),
    /// It will say nothing more.
    Ended(SensorId),
}

/// A sensor before it is heard.
pub(crate) struct Voice {
    pub(crate) id: SensorId,
    pub(crate) spec: SensorSpec,
    pub(crate) address: Address,
    tongue: Tongue,
    origin: Origin,
    path: PathBuf,
    folder: PathBuf,
    look: Duration,
    far: Duration,
}

/// Poses are placed in `World`, which must be known before the first.
///
/// # Errors
/// If the rig has a nav sensor that tells places, and no origin.
pub(crate) fn must_have_origin(rig: &Rig, path: &Path) -> Result<(), Error> {
    let nav = rig.sensors.iter().find(|spec| {
        let packets = spec.format.as_deref().and_then(Maker::named).is_some();
        spec.kind == SensorKind::Nav && !packets
    });
    match (nav, &rig.origin) {
        (Some(spec), None) => Err(Error::bad(
            path,
            "`[origin]`",
            format!(
                "`lat_deg`, `lon_deg` and `height_m` of a place near the site, where `World` is anchored: `{}` is heard now, and its first fix is not waited for",
                spec.name
            ),
            "none",
        )),
        _ => Ok(()),
    }
}

impl Voice {
    /// A sensor of a rig.
    ///
    /// # Errors
    /// If nothing of its kind and format is heard live.
    pub(crate) fn new(
        id: SensorId,
        spec: &SensorSpec,
        address: Address,
        rig: &Rig,
        path: &Path,
        options: &Options,
    ) -> Result<Self, Error> {
        let format = spec.format.as_deref();
        if let Some(port) = spec.port.filter(|port| *port != address.port()) {
            let place = format!("`port` of sensor `{}`", spec.name);
            let expected = format!("none, or that of its `source` {address}");
            return Err(Error::bad(path, place, expected, port.to_string()));
        }
        let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        let Some(tongue) = Tongue::of(spec, &address, path, &folder)? else {
            let known = Tongue::words(spec.kind);
            let place = format!("sensor `{}`", spec.name);
            let expected = format!(
                "a `format` that is heard live ({known}), by UDP; nmea, sbg, posmv, mavlink, ping, oculus and samples by another way"
            );
            let found = format!("`{}` at {address}", format.unwrap_or("none"));
            return Err(Error::bad(path, place, expected, found));
        };
        if let Some(pulses) = spec.pps.as_ref().filter(|_| tongue != Tongue::Nmea) {
            let place = format!("`pps` of sensor `{}`", spec.name);
            let expected = "it beside `format = \"nmea\"`, whose ZDA or RMC name the pulses' seconds";
            return Err(Error::bad(path, place, expected, format!("`{pulses}`")));
        }
        Ok(Self {
            id,
            spec: SensorSpec {
                port: spec.port.or(Some(address.port())),
                ..spec.clone()
            },
            address,
            tongue,
            origin: rig.origin.clone().unwrap_or_default(),
            path: path.to_owned(),
            folder,
            look: options.look,
            far: options.far,
        })
    }

    /// What a device is asked for when its line opens, and again when it is silent.
    ///
    /// # Errors
    /// If it says nothing by itself, and the rig does not name it.
    pub(crate) fn questions(&self) -> Result<Vec<Vec<u8>>, Error> {
        let model = self.spec.model.as_deref();
        let questions = match self.tongue {
            Tongue::Ping => ping::questions(model),
            Tongue::Oculus => oculus::questions(model),
            _ => None,
        };
        if questions.is_none() && matches!(self.address, Address::Ask(_)) {
            let place = format!("`model` of sensor `{}`", self.spec.name);
            let expected = format!("the device that is asked: {}", ping::models());
            let found = model.map_or("none".into(), |model| format!("`{model}`"));
            return Err(Error::bad(&self.path, place, expected, found));
        }
        Ok(questions.unwrap_or_default())
    }

    /// The samples that a sound card is asked for.
    pub(crate) fn form(&self) -> Option<Form> {
        match (&self.address, self.tongue) {
            (Address::Sound(_), Tongue::Samples(form)) => form,
            _ => None,
        }
    }

    /// Plays what comes to the edge until it is closed, or nobody listens.
    pub(crate) fn speak(self, edge: &Edge, said: &SyncSender<Said>, telling: &Telling) {
        if let Err(error) = self.play(edge, said, telling) {
            // Of a sensor that nobody could read no stream has told what was lost.
            if let Error::NothingReadable { lost, first, .. } = &error {
                let detail = format!("nothing can be read, the first: {first}");
                let gap = self.gap(GapCause::Corrupt, *lost, detail);
                let _ = said.send(Said::Measured(Box::new(gap)));
            }
            telling.tell(match edge.tally().heard {
                0 => self.silence(),
                _ => self.named(&error),
            });
        }
        let _ = said.send(Said::Ended(self.id));
    }

    /// Datagrams that nobody could read, on the timeline.
    fn passed_over(&self, count: u64, error: &str) -> Measurement {
        let detail = format!("a look at the start and {count} datagram(s) passed over: {error}");
        self.gap(GapCause::Corrupt, 1, detail)
    }

    /// What is lost up to now.
    fn gap(&self, cause: GapCause, lost: u64, detail: String) -> Measurement {
        let now = now();
        Measurement {
            seq: 0,
            sensor: self.id,
            stamp: now,
            end: now,
            received: now,
            payload: Payload::Gap(Gap { lost, cause, detail }),
        }
    }

    /// What is wrong, with the sensor's name.
    fn named(&self, error: &Error) -> String {
        let (said, name) = (error.to_string(), format!("sensor `{}`", self.spec.name));
        match said.contains(&name) {
            true => said,
            false => format!("{name}: {said}"),
        }
    }

    /// What is said of a sensor that never came.
    fn silence(&self) -> String {
        let remedy = match &self.address {
            Address::Udp { at, .. } => format!(
                "is it switched on, does it send to this host's address and port {}, does a firewall stop it (`tcpdump -n udp port {}` shows what arrives)?",
                at.port(),
                at.port()
            ),
            Address::Tcp(at) => format!("is there a server at {at}, and does it send?"),
            Address::Oculus { at, .. } => format!(
                "is it switched on, in this host's network, and not connected to another program (status messages come to {at})?"
            ),
            Address::Ask(at) => format!("is there a device at {at}, and does it answer?"),
            Address::Serial { baud, .. } => {
                format!("is it switched on and wired (its TX to this RX), and does it speak at {baud} baud?")
            }
            Address::Sound(_) => "is it plugged in, and is its input switched on (`alsamixer`, F4)?".into(),
            Address::Stdin => "is anything piped into this program?".into(),
        };
        format!(
            "sensor `{}`: nothing came to {}: {remedy}",
            self.spec.name, self.address
        )
    }

    fn play(&self, edge: &Edge, said: &SyncSender<Said>, telling: &Telling) -> Result<(), Error> {
        match self.tongue {
            Tongue::Packets => self.packets(edge, said, telling),
            Tongue::Nmea => {
                edge.narrow();
                let is_whole = self.address.is_datagrams();
                let pieces = self.came(edge).map(|came| match came {
                    Came::Heard(datagram) => Ok(Piece::of(datagram, is_whole)),
                    Came::Lost(damage) | Came::LetGo(damage, _) => Err(damage),
                    Came::Quiet => Ok(Piece::pause()),
                });
                let sentences = Sentences::new(pieces, &self.path, &self.spec, &self.origin);
                self.send_all(sentences.with_pulses(self.pulses(telling)), said, telling)
            }
            Tongue::Depths => {
                let reader = nmea::Depths::new(&self.spec, self.address.is_datagrams());
                self.heard(reader, edge, said, telling)
            }
            Tongue::Kmall => self.kmall(edge, said, telling),
            Tongue::R2Sonic => self.heard(r2sonic::Sent, edge, said, telling),
            Tongue::Rtp(form, kind) => self.heard(waves::Packets::new(form, kind), edge, said, telling),
            Tongue::Samples(form) => self.heard(waves::Pipe::new(form), edge, said, telling),
            Tongue::Sbg => {
                let reader = sbg::Sent::new(&self.spec, &self.origin);
                self.heard(reader, edge, said, telling)
            }
            Tongue::MavLink => {
                let reader = mavlink::Sent::new(&self.spec, &self.origin);
                self.heard(reader, edge, said, telling)
            }
            Tongue::PosMv => {
                let reader = posmv::Sent::new(&self.spec, &self.origin);
                self.heard(reader, edge, said, telling)
            }
            Tongue::Ping => self.heard(ping::Sent::new(&self.spec), edge, said, telling),
            Tongue::Oculus => {
                let named = widths::named(&self.spec, &self.path)?;
                self.heard(oculus::Sent::new(named), edge, said, telling)
            }
        }
    }

    /// The pulses of a receiver, if the rig says where they are shown.
    fn pulses(&self, telling: &Telling) -> Option<Pulses> {
        let (name, told) = (self.spec.name.clone(), telling.clone());
        let tell = move |note: String| told.tell(format!("sensor `{name}`: {note}"));
        let shown = self.spec.pps.as_ref().map(|file| self.folder.join(file));
        shown.map(|file| Pulses::new(file, tell))
    }

    /// Datagrams one by one, each by the reader of its format.
    fn heard(
        &self,
        reader: impl Hears,
        edge: &Edge,
        said: &SyncSender<Said>,
        telling: &Telling,
    ) -> Result<(), Error> {
        edge.narrow();
        let own = self.came(edge);
        let (id, name, told) = (self.id, self.spec.name.clone(), telling.clone());
        let tell = move |aside| match aside {
            Aside::Note(note) => told.tell(format!("sensor `{name}`: {note}")),
            Aside::Device(said) => told.device(id, &name, said),
        };
        let heard = Heard::new(own, reader, PathBuf::from(self.address.to_string()), tell);
        self.send_all(heard, said, telling)
    }

    /// A sounder's datagrams, after a look at which of its sensors speak.
    fn kmall(&self, edge: &Edge, said: &SyncSender<Said>, telling: &Telling) -> Result<(), Error> {
        edge.narrow();
        let looked = look::look(
            edge,
            self.look,
            |datagram| self.is_from_it(datagram),
            kmall::is_whole,
            |foreign| {
                telling.tell(format!(
                    "sensor `{}`: {foreign} datagram(s) came to {} that are none of a sounder, and no other",
                    self.spec.name, self.address
                ));
            },
        );
        let own = std::iter::from_fn(|| edge.next()).filter(|found| self.is_own(found));
        let mut notes = Vec::new();
        let (id, name, told) = (self.id, self.spec.name.clone(), telling.clone());
        // Attitude and position that a sounder sends on come from other makers' devices.
        let is_its_own = self.spec.kind == SensorKind::Sonar;
        let device = move |said| {
            if is_its_own {
                told.device(id, &name, said);
            }
        };
        let heard = kmall::live(
            looked,
            own,
            &self.path,
            &self.spec,
            &self.origin,
            &mut notes,
            device,
        );
        notes.into_iter().for_each(|note| telling.tell(note));
        self.send_all(heard?, said, telling)
    }

    /// What comes to the edge and is of this sensor, and when nothing does.
    fn came<'a>(&'a self, edge: &'a Edge) -> impl Iterator<Item = Came> + 'a {
        /// So long nothing is a while.
        const PAUSE: Duration = Duration::from_secs(1);
        let came = std::iter::from_fn(|| edge.wait(Instant::now().checked_add(PAUSE)));
        came.filter(|came| match came {
            Came::Heard(datagram) => self.is_from_it(datagram),
            Came::Lost(_) | Came::LetGo(..) | Came::Quiet => true,
        })
    }

    /// A lidar's packets. What cannot be played yet (another sensor's metadata, an unknown profile) is
    /// told, and looked for again.
    fn packets(&self, edge: &Edge, said: &SyncSender<Said>, telling: &Telling) -> Result<(), Error> {
        let mut told = String::new();
        let mut lost = Vec::new();
        loop {
            let mut notes = Vec::new();
            let datagrams = std::iter::from_fn(|| edge.next());
            let opened = self.asked().and_then(|spec| {
                let look = i64::try_from(self.look.as_nanos()).unwrap_or(i64::MAX);
                let at = lidar::At {
                    path: &self.path,
                    folder: &self.folder,
                    told: &[],
                };
                lidar::open_live(datagrams, look, at, &spec, &mut lost, &mut notes)
            });
            match opened {
                Ok(packets) => {
                    edge.narrow();
                    notes.into_iter().for_each(|note| telling.tell(note));
                    if let Some(said) = packets.nameplate() {
                        telling.device(self.id, &self.spec.name, said);
                    }
                    return self.send_all(packets, said, telling);
                }
                Err(error) if edge.is_over() => {
                    self.tell_lost(lost, said);
                    return Err(error);
                }
                Err(error) => {
                    let error = self.named(&error);
                    if error != told {
                        telling.tell(error.clone());
                        told.clone_from(&error);
                    }
                    let gap = self.passed_over(pass_over(edge, &mut lost), &error);
                    if said.send(Said::Measured(Box::new(gap))).is_err() {
                        return Ok(());
                    }
                    self.tell_lost(std::mem::take(&mut lost), said);
                }
            }
        }
    }

    /// What was lost while nothing could be played.
    fn tell_lost(&self, lost: Vec<Damage>, said: &SyncSender<Said>) {
        for Fault { cause, lost, detail } in lost.into_iter().map(|damage| damage.fault) {
            // Nobody listens: nothing is left to be told.
            let _ = said.send(Said::Measured(Box::new(self.gap(cause, lost, detail))));
        }
    }

    /// The sensor as the rig has it; its metadata asked of itself, if the rig says where.
    fn asked(&self) -> Result<SensorSpec, Error> {
        let sensor = self
            .spec
            .calibration
            .as_deref()
            .filter(|place| ask::is_asked(place));
        let kept = sensor.map(|sensor| ask::metadata(sensor, &self.folder, &self.spec.name));
        let kept = kept
            .transpose()?
            .and_then(|kept| Some(kept.file_name()?.to_string_lossy().into_owned()));
        Ok(SensorSpec {
            calibration: kept.or_else(|| self.spec.calibration.clone()),
            ..self.spec.clone()
        })
    }

    /// Whether a datagram comes from where the rig says, and goes to this sensor's port.
    fn is_own(&self, found: &Result<Datagram, Damage>) -> bool {
        found.as_ref().map_or(true, |datagram| self.is_from_it(datagram))
    }

    fn is_from_it(&self, datagram: &Datagram) -> bool {
        let from = self.spec.address.as_ref();
        datagram.destination.port() == self.address.port()
            && from.is_none_or(|from| from.parse() == Ok(datagram.source.ip()))
    }

    fn send_all<S: Source>(
        &self,
        source: S,
        said: &SyncSender<Said>,
        telling: &Telling,
    ) -> Result<(), Error> {
        let source = Early::new(source, |wrong: &str| {
            let name = &self.spec.name;
            telling.tell(format!(
                "sensor `{name}`: nothing of it can be read so far: {wrong}"
            ));
        });
        let stream = Stream::live(
            source,
            self.id,
            &self.spec,
            PathBuf::from(self.address.to_string()),
        )?;
        let mut guard = Guard::new(self.far);
        for measurement in stream {
            let passed = guard.pass(measurement, &self.spec.name);
            passed.notes.into_iter().for_each(|note| telling.tell(note));
            for measurement in passed.measurements {
                if said.send(Said::Measured(Box::new(measurement))).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Lets a second's datagrams go by, and counts them; what was lost among them is kept.
fn pass_over(edge: &Edge, lost: &mut Vec<Damage>) -> u64 {
    const SECOND_NANOS: i64 = 1_000_000_000;
    let (mut since, mut count) = (None, 0);
    while let Some(found) = edge.next() {
        let datagram = match found {
            Ok(datagram) => datagram,
            Err(damage) => {
                lost.push(damage);
                continue;
            }
        };
        count += 1;
        let since = *since.get_or_insert(datagram.received);
        if datagram.received.nanos_since(since).abs() > SECOND_NANOS {
            break;
        }
    }
    count
}
