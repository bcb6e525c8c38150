//! A sink that is slower than the sensors: what is lost is lost at the edge and counted there, and when the brake is
//! off nothing is lost any more.

use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use beluga_fusion::Fuser;
use beluga_ingest::live::{Live, Options};
use beluga_ingest::send::{Plan, Sent};
use beluga_ingest::tape::Writer;
use beluga_ingest::{Recording, tape};
use beluga_sinks::{FrameHasher, arrow};
use beluga_types::{GapCause, Measurement, Payload, SensorId, Stamp};

use super::{Wire, begin, free_ports, fused, survey, world};

const LIDAR: SensorId = SensorId(0);
const PACKETS: usize = 32;
/// What the edge holds: three scans of the fifty that come while the brake is on.
const EDGE_BYTES: usize = 3 * 32 * 3400;

/// A sink with a brake: it takes a measurement for each leave that it is given, or all when the brake is off.
#[derive(Default)]
struct Brake {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    leaves: u64,
    is_off: bool,
    /// The newest scan that the sink has kept.
    newest: Stamp,
    /// The sink takes nothing any more.
    is_gone: bool,
}

impl Brake {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn take(&self) {
        let held = |state: &mut State| state.leaves == 0 && !state.is_off;
        let mut state = self.changed.wait_while(self.state.lock().unwrap(), held).unwrap();
        state.leaves = state.leaves.saturating_sub(1);
    }

    /// Waits until the sink has kept a scan of this time or later.
    fn wait_for(&self, scan: Stamp) {
        let behind = |state: &mut State| state.newest < scan && !state.is_gone;
        drop(
            self.changed
                .wait_while(self.state.lock().unwrap(), behind)
                .unwrap(),
        );
    }
}

/// However the sender ends, the sink goes on and the run ends.
struct Off<'a>(&'a Brake, Options);

impl Drop for Off<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.is_off = true);
        self.1.stop.store(true, Ordering::Relaxed);
    }
}

/// However the sink ends, nobody waits for it.
struct Gone<'a>(&'a Brake);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.is_gone = true);
    }
}

#[test]
fn behind_a_slow_sink_the_edge_loses_and_counts_and_the_run_recovers() {
    let (world, folder) = (world(8.0, 6), tempfile::tempdir().unwrap());
    let survey = survey(&world);
    let ports = free_ports(3);
    let path = survey.hear_at(folder.path(), &ports).unwrap();
    // The lidar alone: what is heard goes on at once, however far its stamps are from now.
    let rig = format!("{}\n", lidar_alone(&std::fs::read_to_string(&path).unwrap()));
    std::fs::write(&path, rig).unwrap();
    let options = Options {
        look: Duration::ZERO,
        far: Duration::MAX,
        lateness: Duration::ZERO,
        edge_bytes: EDGE_BYTES,
        ..Options::default()
    };
    let scans = scans_of(survey.datagrams(Plan::once(begin())).unwrap());
    let (braked, free) = scans.split_at(50);
    let live = Live::open(&path, options.clone()).unwrap();
    let (rig, heard) = (live.rig().clone(), live.heard());
    let brake = Brake::default();
    let tape = folder.path().join("slow.mcap");
    let (seen, timeline, let_go) = std::thread::scope(|scope| {
        let sink = scope.spawn(|| {
            let _gone = Gone(&brake);
            let mut writer = Writer::create(&tape, &rig).map(tape::Parts::from).unwrap();
            let mut fuser = Fuser::new(beluga_fusion::Config::default(), rig.clone()).unwrap();
            let (mut hasher, mut all) = (FrameHasher::new(), Vec::new());
            for measurement in live {
                brake.take();
                writer.push(&measurement).unwrap();
                if matches!(measurement.payload, Payload::Lidar(_)) {
                    brake.change(|state| state.newest = measurement.stamp);
                }
                let frames = fuser.push(measurement.clone());
                frames
                    .iter()
                    .for_each(|frame| hasher.update(&arrow::encode(frame).unwrap()));
                all.push(measurement);
            }
            fuser
                .finish()
                .iter()
                .for_each(|frame| hasher.update(&arrow::encode(frame).unwrap()));
            writer.finish().unwrap();
            (hasher.finish(), all)
        });
        let off = Off(&brake, options.clone());
        let wire = Wire::to(&ports[..1]);
        let mut sent = 0;
        let mut send = |packets: &[Sent]| {
            for packet in packets {
                wire.send(packet);
                sent += 1;
                while heard()[0].tally.heard < sent {
                    std::thread::yield_now();
                }
            }
        };
        // A tenth of what comes is taken.
        for (number, scan) in braked.iter().enumerate() {
            brake.change(|state| state.leaves += u64::from(number % 10 == 0));
            send(scan);
        }
        let let_go = heard()[0].tally.let_go;
        brake.change(|state| state.is_off = true);
        brake.wait_for(stamp_of(braked.last().unwrap()));
        for scan in free {
            send(scan);
            brake.wait_for(stamp_of(scan));
        }
        assert_eq!(heard()[0].tally.let_go, let_go, "nothing more is let go");
        assert_eq!(heard()[0].tally.lost_before, 0);
        drop(off);
        let (seen, timeline) = sink.join().unwrap();
        (seen, timeline, let_go)
    });

    assert!(let_go > 20 * PACKETS as u64, "{let_go} of {}", 50 * PACKETS);
    let told: u64 = gaps(&timeline)
        .filter(|(cause, ..)| *cause == GapCause::Overflow)
        .filter_map(|(_, _, detail)| {
            detail
                .split_once(" datagram(s) let go")?
                .0
                .rsplit(' ')
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum::<u64>();
    assert_eq!(told, let_go);
    // Each packet is in a scan that came, or missing in one, or in a scan that never came.
    let in_scans: u64 = gaps(&timeline)
        .filter_map(|(_, _, detail)| {
            detail
                .split_once(" packet(s) lost")?
                .0
                .rsplit(' ')
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum();
    let scans_missing: u64 = gaps(&timeline)
        .filter(|(cause, ..)| *cause == GapCause::Missing)
        .map(|(_, lost, _)| lost)
        .sum();
    assert_eq!(in_scans + PACKETS as u64 * scans_missing, let_go);
    let came: Vec<Stamp> = timeline
        .iter()
        .filter(|one| matches!(one.payload, Payload::Lidar(_)))
        .map(|one| one.stamp)
        .collect();
    assert_eq!(came.len() as u64 + scans_missing, scans.len() as u64);
    let after: Vec<Stamp> = free.iter().map(|scan| stamp_of(scan)).collect();
    assert!(came.ends_with(&after), "every scan that came without the brake");
    println!(
        "{let_go} of {} packets let go, {scans_missing} scans missing",
        PACKETS * scans.len()
    );

    // What was recorded is what was seen.
    let recording = Recording::open(&tape).unwrap();
    assert_eq!(fused(&rig, recording.timeline().unwrap()).1, seen);
}

fn gaps(timeline: &[Measurement]) -> impl Iterator<Item = (GapCause, u64, &str)> {
    timeline.iter().filter_map(|one| match &one.payload {
        Payload::Gap(gap) => Some((gap.cause, gap.lost, gap.detail.as_str())),
        _ => None,
    })
}

/// The lidar's packets, scan by scan.
fn scans_of(datagrams: impl Iterator<Item = Sent>) -> Vec<Vec<Sent>> {
    let own: Vec<Sent> = datagrams.filter(|sent| sent.sensor == LIDAR).collect();
    own.chunks(PACKETS).map(<[Sent]>::to_vec).collect()
}

/// When a scan's first column fired, as its first packet says.
fn stamp_of(scan: &[Sent]) -> Stamp {
    let nanos = scan[0].bytes[32..].first_chunk().copied().map(i64::from_le_bytes);
    Stamp::from_nanos(nanos.unwrap())
}

/// A rig of its first sensor.
fn lidar_alone(rig: &str) -> String {
    let second = rig
        .match_indices("[[sensor]]")
        .nth(1)
        .map_or(rig.len(), |(at, _)| at);
    rig[..second].to_owned()
}
