//! Files of survey multibeams through the whole river: our soundings against the sounders' own, and
//! sealed records.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use beluga_fusion::{Config, Fuser};
use beluga_ingest::{Recording, kmall, kongsberg_all};
use beluga_types::elementary::{hypot, sin_cos};
use beluga_types::{Attitude, Body, Measurement, Payload, Point, Stamp, Transform, World};
use nalgebra::Vector3;

#[allow(dead_code, reason = "the readers' own tests use all of it")]
#[path = "../ingest/tests/survey/all_file.rs"]
mod all_file;
#[allow(dead_code, reason = "the readers' own tests use all of it")]
#[path = "../ingest/tests/survey/kmall_file.rs"]
mod kmall_file;
mod shared_data;
mod user;
#[allow(dead_code, reason = "the readers' own tests use all of it")]
#[path = "../ingest/tests/survey/xtf_file.rs"]
mod xtf_file;

use shared_data::shared_data;
use user::{check, says};

/// Depth below the water up to which 95 % of vertical errors of Exclusive Order stay, in metres: IHO S-44,
/// a = 0.15 m, b = 0.0075.
fn exclusive_m(depth_m: f64) -> f64 {
    hypot(0.15, 0.0075 * depth_m)
}

/// What fusion made of a recording: places in `World` by sensor, ping and number of the detection; and the
/// poses of navigation.
struct Run {
    places: BTreeMap<(u16, u64, u32), Vector3<f64>>,
    poses: Vec<(Stamp, Transform<World, Body>)>,
    stamps: BTreeMap<(u16, u64), Stamp>,
}

impl Run {
    fn of(file: &Path) -> Self {
        let recording = Recording::open(file).unwrap();
        let mut fuser = Fuser::new(Config::default(), recording.rig().clone()).unwrap();
        let (mut poses, mut stamps, mut frames) = (Vec::new(), BTreeMap::new(), Vec::new());
        for measurement in recording.timeline().unwrap() {
            match &measurement.payload {
                Payload::Pose(fix) => poses.push((measurement.stamp, fix.world_from_body)),
                Payload::Sonar(_) => {
                    stamps.insert((measurement.sensor.0, measurement.seq), measurement.stamp);
                }
                _ => {}
            }
            frames.extend(fuser.push(measurement));
        }
        frames.extend(fuser.finish());
        let mut places = BTreeMap::new();
        for frame in &frames {
            let points = &frame.points;
            for index in 0..points.x.len() {
                let [x, y, z] = [points.x[index], points.y[index], points.z[index]].map(f64::from);
                let key = (
                    points.sensor[index],
                    points.source_seq[index],
                    points.source_index[index],
                );
                let place = frame.world_from_body * Point::<Body>::new(x, y, z);
                places.insert(key, place.vector());
            }
        }
        Self {
            places,
            poses,
            stamps,
        }
    }

    /// The pose at a ping, between the fixes around it; nothing where there are none.
    fn pose(&self, sensor: u16, seq: u64) -> Option<Transform<World, Body>> {
        let stamp = *self.stamps.get(&(sensor, seq))?;
        let after = self.poses.partition_point(|(other, _)| *other <= stamp);
        let ((before, from), (after, to)) = (self.poses.get(after.checked_sub(1)?)?, self.poses.get(after)?);
        let share = stamp.seconds_since(*before) / after.seconds_since(*before);
        Some(from.interpolated(to, share))
    }
}

/// What is forward, starboard and down of a vessel, level, from a place in `World`.
fn level(pose: &Transform<World, Body>, place: &Vector3<f64>) -> [f64; 3] {
    let heading = Attitude::from_east_north_up_from_body(&pose.rotation()).heading_rad;
    let (east, north) = (place.x, place.y);
    let (sin, cos) = sin_cos(heading);
    [east * sin + north * cos, east * cos - north * sin, -place.z]
}

/// Errors of soundings (forward, starboard, down) with the depth of each.
#[derive(Default)]
struct Errors(Vec<([f64; 3], f64)>);

impl Errors {
    /// Share of the soundings whose vertical error is within Exclusive Order, and the largest error of each
    /// axis.
    fn judge(&self, name: &str) -> (f64, [f64; 3]) {
        let within = self
            .0
            .iter()
            .filter(|(error, depth)| error[2].abs() <= exclusive_m(*depth));
        let share = within.count() as f64 / self.0.len() as f64;
        let largest = [0, 1, 2].map(|axis| {
            self.0
                .iter()
                .map(|(error, _)| error[axis].abs())
                .fold(0.0, f64::max)
        });
        println!(
            "{name}: {} soundings, {:.2} % within, largest {largest:.4?} m",
            self.0.len(),
            100.0 * share
        );
        (share, largest)
    }
}

fn of_kmall(file: &Path) -> (Errors, Vec<u64>) {
    let run = Run::of(file);
    let (mut errors, mut without) = (Errors::default(), Vec::new());
    for content in kmall::contents(File::open(file).unwrap(), file).unwrap() {
        let kmall::Content::Swath(swath) = content.unwrap().1 else {
            continue;
        };
        let seq = u64::from(swath.counter);
        let Some(pose) = run.pose(0, seq) else {
            without.push(seq);
            continue;
        };
        let found = swath
            .soundings
            .iter()
            .filter(|sounding| sounding.kind != kmall::Kind::Rejected);
        for (index, sounding) in (0..).zip(found) {
            let place = run.places[&(0, seq, index)] - pose.translation();
            let own = [sounding.forward_m, sounding.starboard_m, sounding.down_m].map(f64::from);
            let ours = level(&pose, &place);
            let depth = own[2] - f64::from(swath.waterline_down_m);
            errors
                .0
                .push(([0, 1, 2].map(|axis| ours[axis] - own[axis]), depth));
        }
    }
    (errors, without)
}

#[test]
fn soundings_of_kmall_are_those_of_the_sounder() {
    let Some(folder) = shared_data(
        "soundings_of_kmall_are_those_of_the_sounder",
        "sonar/kongsberg-kmall",
    ) else {
        return;
    };
    // Exception: ping 4674 came 58 ms after the last sample of attitude in the file.
    for (file, expected, outside) in [
        ("OS01_m1927233285749584930.kmall", 383 + 3 * 512, vec![4674]),
        ("OS03_2233208777057696242.kmall", 4 * 512 + 70, vec![]),
    ] {
        let (errors, without) = of_kmall(&folder.join(file));
        assert_eq!((errors.0.len(), without), (expected, outside), "{file}");
        let (share, largest) = errors.judge(file);
        assert!(share >= 0.95, "{share}");
        assert!(
            largest.iter().all(|error| *error < 0.03),
            "centimetres: {largest:?}"
        );
    }
}

/// What an installation says behind a key.
fn said(text: &str, key: &str) -> f64 {
    let value = text
        .split(',')
        .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    value.unwrap().parse().unwrap()
}

#[test]
fn soundings_of_all_are_those_of_the_sounder() {
    let name = "soundings_of_all_are_those_of_the_sounder";
    let Some(file) = shared_data(name, "sonar/kongsberg-all/0077_20221109_123655_Belgica.all") else {
        return;
    };
    let run = Run::of(&file);
    let datagrams = kongsberg_all::datagrams(File::open(&file).unwrap(), &file).unwrap();
    let datagrams: Vec<kongsberg_all::Datagram> = datagrams.map(Result::unwrap).collect();
    let text = datagrams.iter().find_map(|datagram| match &datagram.content {
        kongsberg_all::Content::Installation(text) => Some(text),
        _ => None,
    });
    // The sounder's depths are from its transmitter.
    let [x, y, z] = ["S1X", "S1Y", "S1Z"].map(|key| said(text.unwrap(), key));
    let transmitter = Point::<Body>::new(x, -y, -z);
    let (mut errors, mut without) = (Errors::default(), Vec::new());
    for datagram in &datagrams {
        let kongsberg_all::Content::Soundings(swath) = &datagram.content else {
            continue;
        };
        let (sensor, seq) = (u16::from(datagram.serial == 2031), u64::from(datagram.counter));
        let Some(pose) = run.pose(sensor, seq) else {
            without.push((sensor, seq));
            continue;
        };
        let from = (pose * transmitter).vector();
        for (index, sounding) in (0..).zip(swath.soundings.iter().filter(|sounding| sounding.detected)) {
            let ours = level(&pose, &(run.places[&(sensor, seq, index)] - from));
            let down = f64::from(sounding.down_m);
            let depth = down + f64::from(swath.transmitter_depth_m);
            errors.0.push(([0.0, 0.0, ours[2] - down], depth));
        }
    }
    // Exception: the file's attitudes and positions begin after its first two pings.
    without.sort_unstable();
    assert_eq!(without, [(0, 59_681), (0, 59_682), (1, 59_681), (1, 59_682)]);
    let (share, largest) = errors.judge("0077");
    assert_eq!(errors.0.len(), 5 * 256);
    assert!(share >= 0.95, "{share}");
    assert!(largest[2] < 0.15, "{largest:?}");
}

/// Plays a small file by itself to a sealed record, as a user does.
fn sealed(name: &str, bytes: &[u8], what: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    fs::write(home.join(name), bytes).unwrap();
    let (out, _) = check(home, &["probe", name], 0);
    says(&out, what);
    says(&out, &[&format!("beluga replay {name}")]);
    let (played, _) = check(home, &["replay", name, "--out", "line.maml", "--view", "none"], 0);
    says(&played, &["in water"]);
    let (out, _) = check(home, &["maml", "verify", "line.maml"], 0);
    says(&out, &["SEALED"]);
    played
}

#[test]
fn small_files_become_sealed_records() {
    let pings = "the device's own detections";
    let kmall = kmall_file::file();
    sealed(
        "line.kmall",
        &kmall,
        &[
            "a Kongsberg KMALL file",
            "sonar (sonar): 2 payloads",
            "position and attitude",
            pings,
        ],
    );
    let all = all_file::Order { big: false }.file();
    sealed(
        "line.all",
        &all,
        &["a Kongsberg .all file", "sonar-2 (sonar): 2 payloads", pings],
    );
    let played = sealed(
        "line.xtf",
        &xtf_file::multibeam(),
        &["an XTF file", "sonar (sonar): 10 payloads", pings],
    );
    says(&played, &["20 in water"]);
    sealed(
        "side.xtf",
        &xtf_file::sides(),
        &["port (sonar): 5 payloads", "a profile of strength over range"],
    );
}

#[test]
fn a_rig_names_a_file_and_a_tape_holds_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    fs::write(home.join("line.kmall"), kmall_file::file()).unwrap();
    let rig = "[[sensor]]\nname = \"fan\"\nkind = \"sonar\"\nsource = \"line.kmall\"\ndown_m = 1.5\n\
        [[sensor]]\nname = \"motion\"\nkind = \"nav\"\nsource = \"line.kmall\"\nformat = \"kmall\"\nmodel = \"SKM1\"\n";
    fs::write(home.join("rig.toml"), rig).unwrap();
    check(
        home,
        &[
            "replay",
            "rig.toml",
            "--tape",
            "line.mcap",
            "--out",
            "a.maml",
            "--view",
            "none",
        ],
        0,
    );
    let run = |path: &str| -> Vec<Measurement> {
        Recording::open(&home.join(path))
            .unwrap()
            .timeline()
            .unwrap()
            .collect()
    };
    let of_file = run("rig.toml");
    assert_eq!(of_file.len(), 62);
    assert_eq!(of_file, run("line.mcap"));
}
