//! A sender that is as fast as what it sends to: it goes on when what it sent has been heard, so that
//! nothing is lost on loopback and no test waits for a clock.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beluga_ingest::Nameplate;
use beluga_ingest::live::{Heard, Live, Options};
use beluga_types::{GapCause, Measurement, Payload};

/// Datagrams that may be under way: the longest are 64 kB, and the usual buffer of a socket holds 208.
const UNDER_WAY: u64 = 2;

/// A rig that is heard, and what it was told.
pub(crate) struct Hearing {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) options: Options,
    /// What devices had said of themselves when a run ended, by sensor.
    nameplates: Mutex<Vec<Nameplate>>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Hearing {
    /// Sensors are looked at no longer than their first datagrams, so that what follows is played as
    /// it comes; and what was recorded over seconds comes in a moment.
    pub(crate) fn new() -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = told.clone();
        Self {
            folder: tempfile::tempdir().unwrap(),
            options: Options {
                look: Duration::ZERO,
                far: Duration::MAX,
                lateness: Duration::MAX,
                tell: Arc::new(move |text: &str| tell.lock().unwrap().push(text.to_owned())),
                ..Options::default()
            },
            nameplates: Mutex::default(),
            told,
        }
    }

    pub(crate) fn rig(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("rig.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Opens a rig, sends to it, and gives all that came out.
    pub(crate) fn hear(&self, rig: &str, send: impl FnOnce(&mut Sender) + Send) -> Vec<Measurement> {
        let live = Live::open(&self.rig(rig), self.options.clone()).unwrap();
        let heard = live.heard();
        let (stop, nameplates) = (self.options.stop.clone(), live.nameplates());
        let out = std::thread::scope(|scope| {
            scope.spawn(move || {
                // A sender that fails ends the run too.
                let _stop = Stop(stop);
                let mut sender = Sender {
                    socket: UdpSocket::bind("127.0.0.1:0").unwrap(),
                    heard: Box::new(heard),
                    sent: 0,
                };
                send(&mut sender);
                sender.flush(0);
            });
            live.collect()
        });
        *self.nameplates.lock().unwrap() = nameplates();
        out
    }

    /// As [`Self::hear`], but nobody reads until all has been sent; and what the edges saw.
    pub(crate) fn hear_late(
        &self,
        rig: &str,
        send: impl FnOnce(&mut Sender),
    ) -> (Vec<Measurement>, Vec<Heard>) {
        let live = Live::open(&self.rig(rig), self.options.clone()).unwrap();
        let heard = live.heard();
        let mut sender = Sender {
            socket: UdpSocket::bind("127.0.0.1:0").unwrap(),
            heard: Box::new(live.heard()),
            sent: 0,
        };
        send(&mut sender);
        sender.flush(0);
        self.options.stop.store(true, Ordering::Relaxed);
        (live.collect(), heard())
    }

    /// Waits until something is told.
    pub(crate) fn wait_for(&self, words: &str) {
        while !self.told().contains(words) {
            std::thread::yield_now();
        }
    }

    pub(crate) fn nameplates(&self) -> Vec<Nameplate> {
        self.nameplates.lock().unwrap().clone()
    }

    pub(crate) fn told(&self) -> String {
        self.told.lock().unwrap().join("\n")
    }
}

struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) struct Sender {
    socket: UdpSocket,
    heard: Box<dyn Fn() -> Vec<Heard> + Send>,
    /// Datagrams that sensors should have heard.
    sent: u64,
}

impl Sender {
    /// Sends to a port that so many sensors listen to.
    pub(crate) fn send(&mut self, port: u16, listeners: u64, payload: &[u8]) {
        self.flush(UNDER_WAY);
        self.socket.send_to(payload, ("127.0.0.1", port)).unwrap();
        self.sent += listeners;
    }

    /// Waits until no more than so many are under way.
    fn flush(&self, under_way: u64) {
        let heard = || (self.heard)().iter().map(|one| one.tally.heard).sum::<u64>();
        while heard() + under_way < self.sent {
            std::thread::yield_now();
        }
    }
}

/// A port that nobody listens to: below those that the system gives away by itself, each once in a
/// process, and others in another.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 200) as u16 * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 100;
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The datagrams of a capture to one port.
pub(crate) fn datagrams(path: &Path, port: u16) -> Vec<Vec<u8>> {
    let file = std::fs::File::open(path).unwrap();
    beluga_ingest::capture::datagrams(file, path)
        .unwrap()
        .filter_map(Result::ok)
        .filter(|datagram| datagram.destination.port() == port)
        .map(|datagram| datagram.payload)
        .collect()
}

/// Causes and counts of what was lost.
pub(crate) fn gaps(measurements: &[Measurement]) -> Vec<(GapCause, u64, String)> {
    let gap = |measurement: &Measurement| match &measurement.payload {
        Payload::Gap(gap) => Some((gap.cause, gap.lost, gap.detail.clone())),
        _ => None,
    };
    measurements.iter().filter_map(gap).collect()
}
