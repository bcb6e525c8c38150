//! A vessel with turns, a sea, an inertial unit and a satellite receiver, as a user simulates it.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod user;

use std::fs;

use beluga_ingest::Recording;
use beluga_types::Payload;
use user::{check, says};

/// Everything of vessel, navigation and lidar that can be switched on.
const SCENE: &str = r#"
seed = 4
duration_s = 3.0

[vessel]
path = [[0.0, 0.0], [1.5, 0.0], [3.0, 0.3], [4.5, 1.2]]
speeds_m_per_s = [0.5, 1.5, 1.5, 0.5]
leeway_deg = 3.0

[vessel.sea]
significant_height_m = 0.15
peak_period_s = 2.5
heading_deg = 60.0

[vessel.tide]
level_m = 0.2
rise_m_per_h = 0.5

[lidar]
preset = "16"
columns = 256
divergence_mrad = 2.0
dual_return = true
range_at_10_percent_m = 60.0
water_ghosts = true
spray = 0.01
rain_mm_per_h = 5.0
column_dropout = 0.01

[sonar]
beams = 8
rate_hz = 2.0

[nav.imu]
rate_hz = 100.0

[nav.gnss]
rate_hz = 10.0
fixed = { horizontal_m = 0.01, up_m = 0.02, stated_horizontal_m = 0.015 }

[[nav.outage]]
kind = "float"
from_s = 0.5
to_s = 1.0

[[nav.outage]]
from_s = 1.0
to_s = 2.0

[[nav.outage]]
bounds_m = [[2.0, -20.0, -5.0], [2.5, 20.0, 20.0]]
"#;

#[test]
fn a_tape_holds_all_sensors_and_replays() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    fs::write(home.join("turns.toml"), SCENE).unwrap();
    check(home, &["sim", "--scene", "turns.toml", "--out", "run.mcap"], 0);
    let recording = Recording::open(&home.join("run.mcap")).unwrap();
    let names: Vec<&str> = recording.rig().sensors.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["lidar", "sonar", "nav", "gnss", "imu"]);
    let (mut poses, mut fixes, mut samples, mut scans) = (0, 0, 0, 0);
    for measurement in recording.timeline().unwrap() {
        match measurement.payload {
            Payload::Pose(_) => poses += 1,
            Payload::Gnss(fix) => {
                fixes += 1;
                assert!(fix.covariance_m2.is_some());
            }
            Payload::Imu(sample) => {
                samples += 1;
                let up = sample.specific_force_m_per_s2.vector().norm();
                assert!((8.0..12.0).contains(&up), "{up}");
            }
            Payload::Lidar(scan) => {
                scans += 1;
                assert!(!scan.is_empty() && scan.ring().unwrap().iter().all(|&ring| ring < 16));
            }
            _ => {}
        }
    }
    assert_eq!((poses, samples, scans), (151, 301, 29));
    // 31 epochs less the ten of the second without satellites and those inside the box.
    assert!((15..=21).contains(&fixes), "{fixes}");
    let (out, _) = check(
        home,
        &["replay", "run.mcap", "--out", "run.maml", "--view", "none"],
        0,
    );
    says(&out, &["frames", "points"]);
    check(home, &["maml", "verify", "run.maml"], 0);
}

#[test]
fn a_folder_refuses_what_it_has_no_place_for() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    fs::write(home.join("turns.toml"), SCENE).unwrap();
    let (_, err) = check(home, &["sim", "--scene", "turns.toml", "--out", "run"], 2);
    says(&err, &["nav.imu", "--out NAME.mcap"]);
    assert!(!home.join("run").exists());
    let without = SCENE.replace("[nav.imu]\nrate_hz = 100.0\n", "");
    fs::write(home.join("turns.toml"), without).unwrap();
    check(home, &["sim", "--scene", "turns.toml", "--out", "run"], 0);
    check(home, &["replay", "run", "--out", "run.maml", "--view", "none"], 0);
}
