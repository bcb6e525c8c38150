//! Sensors that are heard now, as one ordered run of measurements.
//!
//! ```text
//!  sockets ─► edge of each sensor ─► its thread: packets → payloads, counted ─► merge ─► timeline
//!  one thread, never waits  bounded, newest kept       the readers of recordings         by what each is late
//! ```
//!
//! - `address`: what a rig's `source` may say; `sockets`: the thread that hears; `line`, `serial`: what is
//!   asked and kept; `sound`: a sound card; `multicast`, `lost`,
//!   `fragments`: what it asks of the system;
//! - `edge`: the bounded queue of a sensor, the only place where a run may lose what was heard;
//! - `sensor`: the thread of a sensor; it plays the very readers that recordings have; `tongue`: which;
//!   `look`: at what a sounder sends first; `heard`: what is read datagram by datagram; `frames`: messages in a run of bytes;
//! - `early`: what is wrong before anything good has come;
//! - `telling`: what people are told, and what devices say of themselves;
//! - `closing`: when sensors are no longer heard, and why;
//! - `ask`: a sensor's metadata by HTTP; `discover`: a sonar by what it says to everybody;
//! - `guard`: each clock beside the host's, and one that is nowhere near; `merge`: the order.
//!
//! A tape of what comes out of here is the run: it replays to the same frames. `LIVE.md` beside this
//! crate says what a rig says of live sensors, and what is heard.

pub(crate) mod address;
#[cfg(test)]
mod any_bytes;
mod ask;
mod closing;
mod discover;
mod early;
mod edge;
mod fragments;
pub(crate) mod frames;
mod guard;
pub(crate) mod heard;
mod line;
pub(crate) mod look;
mod lost;
mod merge;
mod multicast;
mod sensor;
mod serial;
pub(crate) mod sockets;
mod sound;
mod telling;
mod tongue;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use beluga_types::{EdgeState, Measurement, Rig};
use serde::Serialize;
use tokio::sync::watch;

use crate::error::Error;
use crate::event::Event;
use crate::nameplate::Nameplate;
use crate::rig_toml;
use address::Address;
use closing::Closing;
use edge::Edge;
use merge::Merge;
use sensor::{Said, Voice};
use sockets::{Listener, Sockets};
use telling::Telling;

pub use closing::Closed;
pub use edge::Tally;
pub use sockets::now;

/// Measurements between the sensors' threads and the merge: whoever is slower than its sensors is to be
/// waited for at the edge, not here.
const SAID: usize = 8;
/// How often silence is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// How sensors are listened to.
#[derive(Clone)]
pub struct Options {
    /// No sensor is waited for longer than this, however late it usually is.
    pub lateness: Duration,
    /// For how long a sensor's first datagrams are looked at, to see who speaks and how, before they are
    /// played. A lidar that starts tells all in a moment, a sounder within two seconds.
    pub look: Duration,
    /// What ends farther than this from the host's clock is not believed: it would push the others away.
    pub far: Duration,
    /// What a sensor may have waiting, in bytes.
    pub edge_bytes: usize,
    /// For how long; nothing: until `stop`.
    pub length: Option<Duration>,
    /// Set from outside when it should end; what has come by then still comes out.
    pub stop: Arc<AtomicBool>,
    /// Told at once what a user should know: what is heard, and what is wrong with it.
    pub tell: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lateness: Duration::from_secs(2),
            look: Duration::from_secs(2),
            // Sensors that send a second at a time are within it, and a host that NTP is just setting.
            far: Duration::from_secs(5),
            // More than a second of the fastest lidar, and hours of a navigation sensor.
            edge_bytes: 48 << 20,
            length: None,
            stop: Arc::default(),
            tell: Arc::new(|_| {}),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("lateness", &self.lateness)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// What one sensor's edge has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// The sensor's name in the rig.
    pub name: String,
    /// Where it is heard.
    pub address: String,
    /// What came.
    pub tally: Tally,
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            heard,
            bytes,
            let_go,
            lost_before,
        } = self.tally;
        let megabytes = bytes as f64 * 1e-6;
        write!(
            f,
            "{} at {}: {heard} datagrams, {megabytes:.1} MB",
            self.name, self.address
        )?;
        if let_go > 0 {
            write!(f, ", {let_go} of them let go: the run was slower than the sensor")?;
        }
        if lost_before > 0 {
            write!(f, ", {lost_before} more lost by the system")?;
        }
        Ok(())
    }
}

/// The sensors of a rig, heard from when they were opened: an iterator over their measurements in
/// timeline order, which waits for them.
pub struct Live {
    rig: Rig,
    telling: Telling,
    edges: Vec<(Address, Arc<Edge>)>,
    closed: watch::Receiver<bool>,
    /// Set when nobody listens any more.
    gone: Arc<AtomicBool>,
    why: Arc<OnceLock<Closed>>,
    said: Receiver<Said>,
    merge: Merge,
    ready: VecDeque<Event>,
    ended: bool,
}

impl Live {
    /// Listens to the sensors of a rig, each at its `source`, an address like `udp://127.0.0.1:2368`.
    ///
    /// # Errors
    /// If the rig is wrong, if a `source` of it is no such address or cannot be listened at, or if it
    /// has a nav sensor and names no origin.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let rig = rig_toml::read(path)?;
        sensor::must_have_origin(&rig, path)?;
        let mut voices = Vec::with_capacity(rig.sensors.len());
        for (id, spec) in rig.ids().zip(&rig.sensors) {
            let address = Address::of(spec, path)?;
            voices.push(Voice::new(id, spec, address, &rig, path, &options)?);
        }
        let mut listeners = Vec::with_capacity(voices.len());
        for voice in &voices {
            listeners.push(Listener {
                id: voice.id,
                name: voice.spec.name.clone(),
                questions: voice.questions()?,
                form: voice.form(),
                address: voice.address.clone(),
                edge: Arc::new(Edge::new(options.edge_bytes, !voice.address.is_datagrams())),
            });
        }
        let mut told = Vec::new();
        let sockets = Sockets::bind(listeners.clone(), &mut told)
            .map_err(|wrong| cannot_listen(path, &wrong.0, &wrong.1))?;
        let telling = Telling::new(options.tell.clone(), rig.sensors.len());
        told.into_iter().for_each(|note| telling.tell(note));
        let (closer, closed) = watch::channel(false);
        let (sender, said) = sync_channel(SAID);
        let start = |name: String, work: Box<dyn FnOnce() + Send>| {
            let started = thread::Builder::new().name(name).spawn(work);
            started.map(drop).map_err(Error::io(path))
        };
        for (voice, listener) in voices.into_iter().zip(&listeners) {
            let (edge, sender, telling) = (listener.edge.clone(), sender.clone(), telling.clone());
            let name = format!("sensor {}", voice.spec.name);
            start(name, Box::new(move || voice.speak(&edge, &sender, &telling)))?;
        }
        let gone = Arc::new(AtomicBool::new(false));
        let why = Arc::new(OnceLock::new());
        let closing = Closing {
            why: why.clone(),
            stop: options.stop.clone(),
            gone: gone.clone(),
            until: options
                .length
                .and_then(|length| Instant::now().checked_add(length)),
        };
        start("closer".into(), Box::new(move || closing.wait(&closer)))?;
        let is_closed = closed.clone();
        let ears = telling.clone();
        start(
            "sockets".into(),
            Box::new(move || {
                if let Err(said) = sockets.hear(&ears, closed) {
                    ears.tell(format!("nothing is heard any more: {said}"));
                }
            }),
        )?;
        let hold = options.look.saturating_add(options.lateness);
        Ok(Self {
            merge: Merge::new(rig.sensors.len(), options.lateness, hold),
            rig,
            telling,
            edges: listeners.into_iter().map(|one| (one.address, one.edge)).collect(),
            closed: is_closed,
            gone,
            why,
            said,
            ready: VecDeque::new(),
            ended: false,
        })
    }

    /// The rig.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// What users have been told so far; also after the run, when it has been moved away.
    pub fn notes(&self) -> impl Fn() -> Vec<String> + use<> {
        let telling = self.telling.clone();
        move || telling.notes()
    }

    /// What devices have said of themselves so far, by sensor; also after the run.
    pub fn nameplates(&self) -> impl Fn() -> Vec<Nameplate> + use<> {
        let telling = self.telling.clone();
        move || telling.nameplates()
    }

    /// What has come to each sensor's edge so far; also after the run.
    pub fn heard(&self) -> impl Fn() -> Vec<Heard> + use<> {
        let named = self.rig.sensors.iter().map(|spec| spec.name.clone());
        let edges: Vec<_> = named.zip(self.edges.clone()).collect();
        move || {
            let heard = edges.iter().map(|(name, (address, edge))| Heard {
                name: name.clone(),
                address: address.to_string(),
                tally: edge.tally(),
            });
            heard.collect()
        }
    }

    /// Why sensors are no longer heard; nothing while they are, or if all have ended by themselves.
    pub fn closed(&self) -> impl Fn() -> Option<Closed> + use<> {
        let why = self.why.clone();
        move || why.get().copied()
    }

    /// How each sensor's edge stands, in the order of the rig; whoever asks while the run goes on holds nobody up.
    pub fn edges(&self) -> impl Fn() -> Vec<EdgeState> + Send + Sync + use<> {
        let edges: Vec<_> = self.edges.iter().map(|(_, edge)| edge.clone()).collect();
        move || {
            let now = sockets::now();
            edges.iter().map(|edge| edge.state(now)).collect()
        }
    }

    fn take(&mut self, said: Said) {
        let now = sockets::now();
        match said {
            Said::Measured(measurement) => {
                let let_go = self.merge.take(*measurement, now);
                self.ready.extend(let_go.into_iter().map(Event::Measured));
            }
            Said::Ended(sensor) => self.merge.end(sensor),
        }
    }
}

impl Live {
    /// The same with its watermarks, for who should not wait for the next measurement to know that a
    /// moment has passed.
    pub fn events(mut self) -> impl Iterator<Item = Event> {
        std::iter::from_fn(move || self.next_event())
    }

    fn next_event(&mut self) -> Option<Event> {
        while self.ready.is_empty() && !self.ended {
            match self.said.recv_timeout(LOOK) {
                Ok(said) => self.take(said),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended = true;
                    let rest = self.merge.finish();
                    self.ready.extend(rest.into_iter().map(Event::Measured));
                    break;
                }
            }
            // What came meanwhile belongs to the same moment.
            for said in self.said.try_iter().collect::<Vec<_>>() {
                self.take(said);
            }
            // In the end all that was held anywhere comes at once: it is put in order first.
            if !*self.closed.borrow() {
                let ready = self.merge.ready(sockets::now());
                let passed = ready.last().map(|last| Event::Passed(last.end));
                self.ready
                    .extend(ready.into_iter().map(Event::Measured).chain(passed));
            }
        }
        self.ready.pop_front()
    }
}

impl Iterator for Live {
    type Item = Measurement;

    fn next(&mut self) -> Option<Measurement> {
        loop {
            if let Event::Measured(measurement) = self.next_event()? {
                return Some(measurement);
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

/// Why a sensor cannot be listened to, and what may be done about it.
fn cannot_listen(path: &Path, listener: &Listener, said: &io::Error) -> Error {
    let remedy = match said.kind() {
        _ if matches!(listener.address, Address::Sound(_)) => {
            let place = format!("sensor `{}`", listener.name);
            let expected = "a sound card that gives what its `format` says";
            return Error::bad(path, place, expected, format!("{}: {said}", listener.address));
        }
        io::ErrorKind::AddrInUse => {
            "another program listens there, perhaps this one once more: `ss -ulpn` names it"
        }
        io::ErrorKind::AddrNotAvailable => {
            "no network of this host has this address (`ip address` lists them); 0.0.0.0 stands for all of them"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 are the system's: a sensor can mostly be set to another"
        }
        _ if listener.is_group() => {
            "no network of this host leads to the group: `?interface=ADDRESS` behind it names the one that does, by this host's address there"
        }
        _ => "is it an address of this host?",
    };
    let Listener { name, address, .. } = listener;
    let place = format!("`source` of sensor `{name}`");
    let expected = "an address of this host that is free to be listened at";
    Error::bad(path, place, expected, format!("{address}: {said}: {remedy}"))
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("rig", &self.rig)
            .finish_non_exhaustive()
    }
}
