//! A simulated survey, sent over loopback as its sensors would send it, heard, taped and fused.
//!
//! The sender goes on when what it sent has been heard, so that nothing is lost on the way that is not meant to be,
//! and no test waits for a clock. Only the stamps lie about now: what measures by another day's clock is placed by
//! when it was heard.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

mod replay;
mod slow;
mod storm;

#[path = "../user/mod.rs"]
mod user;

use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use beluga_fusion::Fuser;
use beluga_ingest::live::{Heard, Live, Options, now};
use beluga_ingest::send::{Sent, Survey};
use beluga_sim::{Scenario, World};
use beluga_sinks::{FrameHasher, arrow};
use beluga_types::{Measurement, Payload, Rig, SolidarFrame, Stamp};

/// Datagrams that may be under way: the usual buffer of a socket holds 208 kB.
const UNDER_WAY: u64 = 2;

/// A survey past a quay: a lidar of 16 rings, a multibeam that gives detections, navigation.
fn world(seconds: f64, seed: u64) -> World {
    let text = format!(
        "duration_s = {seconds:.1}\nseed = {seed}\n[lidar]\nrings = 16\ncolumns = 512\n\
         [sonar]\ndevice = \"multibeam-256-detections\"\nbeams = 48\nrange_m = 15\nrate_hz = 10\n"
    );
    World::new(Scenario::from_toml(&text).unwrap()).unwrap()
}

/// The same quay past a line of hydrophones that ping: waveforms.
fn listening_world(seconds: f64, seed: u64) -> World {
    let text = format!(
        "duration_s = {seconds:.1}\nseed = {seed}\n[lidar]\nrings = 16\ncolumns = 512\n\
         [sonar]\ndevice = \"hydrophone-line-16\"\nrange_m = 15\nrate_hz = 4\n"
    );
    World::new(Scenario::from_toml(&text).unwrap()).unwrap()
}

fn survey(world: &World) -> Survey {
    let survey = Survey::of_timeline(world.rig(), world.measurements().collect()).unwrap();
    assert_eq!(survey.rig().sensors.len(), 3, "{:?}", survey.notes());
    survey
}

/// Ports that nobody listens at: below those that the system gives away by itself, each once in a process, and
/// others in another.
fn free_ports(count: usize) -> Vec<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 200) as u16 * 100;
    let mut ports = Vec::with_capacity(count);
    while ports.len() < count {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 100;
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            ports.push(port);
        }
    }
    ports
}

/// Sends datagrams to this host, each sensor's from an address of its own.
struct Wire<'a> {
    ports: &'a [u16],
    sockets: Vec<UdpSocket>,
}

impl<'a> Wire<'a> {
    fn to(ports: &'a [u16]) -> Self {
        let socket = |_| UdpSocket::bind("127.0.0.1:0").unwrap();
        Self {
            ports,
            sockets: ports.iter().map(socket).collect(),
        }
    }

    fn send(&self, sent: &Sent) {
        let sensor = usize::from(sent.sensor.0);
        let to = ("127.0.0.1", self.ports[sensor]);
        self.sockets[sensor].send_to(&sent.bytes, to).unwrap();
    }
}

/// Hears what was meant for another moment: all of it is held until the end and put in order then.
fn options() -> Options {
    Options {
        look: Duration::ZERO,
        far: Duration::MAX,
        lateness: Duration::MAX,
        edge_bytes: 1 << 30,
        ..Options::default()
    }
}

struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends all of it to who listens, and gives what came out and what the edges saw.
fn heard(rig: &Path, ports: &[u16], sent: impl Iterator<Item = Sent>) -> (Vec<Measurement>, Vec<Heard>) {
    let options = options();
    let live = Live::open(rig, options.clone()).unwrap();
    let (tally, after) = (live.heard(), live.heard());
    let wire = Wire::to(ports);
    let out = std::thread::scope(|scope| {
        let hearing = scope.spawn(|| live.collect::<Vec<_>>());
        // A sender that fails ends the run too.
        let _stop = Stop(options.stop.clone());
        let mut count = 0;
        let wait = |until: u64| {
            while tally().iter().map(|one| one.tally.heard).sum::<u64>() < until {
                std::thread::yield_now();
            }
        };
        for one in sent {
            wire.send(&one);
            count += 1;
            wait(u64::saturating_sub(count, UNDER_WAY));
        }
        wait(count);
        drop(_stop);
        hearing.join().unwrap()
    });
    (out, after())
}

/// A whole second a little before now.
fn begin() -> Stamp {
    let nanos = now().nanos();
    Stamp::from_nanos(nanos - nanos.rem_euclid(1_000_000_000) - 3_000_000_000)
}

/// Frames of a timeline, and their bytes.
fn fused(rig: &Rig, timeline: impl Iterator<Item = Measurement>) -> (Vec<SolidarFrame>, [u8; 32]) {
    let mut fuser = Fuser::new(beluga_fusion::Config::default(), rig.clone()).unwrap();
    let mut frames: Vec<SolidarFrame> = timeline.flat_map(|measurement| fuser.push(measurement)).collect();
    frames.extend(fuser.finish());
    let mut hasher = FrameHasher::new();
    for frame in &frames {
        hasher.update(&arrow::encode(frame).unwrap());
    }
    (frames, hasher.finish())
}

/// RMSE of the frames' places against the truth, in metres; `begin` is when the survey's first stamp was sent.
fn ate_m(frames: &[SolidarFrame], world: &World, begin: Stamp) -> f64 {
    let first = world.measurements().map(|one| one.stamp).min().unwrap();
    let squares: Vec<f64> = frames
        .iter()
        .map(|frame| {
            let then = first.shifted_nanos(frame.window.end.nanos_since(begin));
            let truth = world.pose_at(then).translation();
            (frame.world_from_body.translation() - truth).norm_squared()
        })
        .collect();
    assert!(!squares.is_empty());
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

/// How many payloads of a sensor there are, gaps and states of clocks not counted.
fn payloads(out: &[Measurement], sensor: u16) -> u64 {
    let own = |one: &&Measurement| {
        one.sensor.0 == sensor && !matches!(one.payload, Payload::Gap(_) | Payload::Clock(_))
    };
    out.iter().filter(own).count() as u64
}
