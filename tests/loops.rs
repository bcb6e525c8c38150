//! A survey that comes back to where it was, by the lidar alone: it meets itself, and the next one finds
//! itself in its map.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

mod user;

use std::path::Path;

use beluga_types::elementary::Squared;
use serde_json::Value;
use user::{check, says};

/// Once and a fifth round a basin: a quay, piers and a ship. No navigation, and hardly a ping.
const ROUND: &str = r#"
duration_s = 52.0

[vessel]
path = [[0.0, 0.0], [20.0, 0.0], [26.0, 6.0], [20.0, 12.0], [0.0, 12.0], [-6.0, 6.0], [0.0, 0.0]]
speed_m_per_s = 1.5
roll_deg = 1.5
heave_m = 0.05

[lidar]
rings = 16
columns = 360
rate_hz = 5.0

[nav]
withheld = true

[sonar]
rate_hz = 0.2
range_m = 12.0
beams = 8

[site]
modules = false
span_m = [-60.0, 80.0]

[[site.piers]]
place_m = [10.0, 6.0]
size_m = [4.0, 1.5]

[[site.piers]]
place_m = [34.0, 14.0]
size_m = [6.0, 2.0]

[[site.piers]]
place_m = [-14.0, 16.0]
size_m = [5.0, 2.0]

[[site.hulls]]
place_m = [8.0, 22.0]
"#;

/// An odometry that forgets what lies a basin's width behind it, so that only loops know it again.
const FORGETFUL: &str = "[fusion.odometry]\nmax_range_m = 25.0\nmap_radius_m = 25.0\n";

fn machine(home: &Path, arguments: &[&str], code: i32) -> Value {
    let (out, _) = check(home, &[&["--json"], arguments].concat(), code);
    serde_json::from_str(&out).unwrap()
}

fn replay(home: &Path, out: &str, config: &str, more: &[&str]) -> Value {
    let name = format!("{out}.toml");
    std::fs::write(home.join(&name), config).unwrap();
    let arguments = [
        "replay", "run.mcap", "--out", out, "--view", "none", "--config", &name,
    ];
    machine(home, &[&arguments, more].concat(), 0)
}

fn places(home: &Path, record: &str, more: &[&str]) -> Vec<[f64; 4]> {
    let out = format!("{record}{}.tum", more.len());
    check(home, &[&["export", record, "--tum", &out], more].concat(), 0);
    let text = std::fs::read_to_string(home.join(out)).unwrap();
    let line = |line: &str| -> [f64; 4] {
        let numbers: Vec<f64> = line
            .split(' ')
            .take(4)
            .map(|word| word.parse().unwrap())
            .collect();
        numbers.try_into().unwrap()
    };
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(line)
        .collect()
}

#[test]
fn a_survey_that_returns_meets_itself_and_the_next_finds_itself_in_its_map() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    std::fs::write(home.join("round.toml"), ROUND).unwrap();
    check(home, &["sim", "--scene", "round.toml", "--out", "run.mcap"], 0);
    let run = replay(home, "run.maml", FORGETFUL, &[]);
    assert!(run["loops"]["closed"].as_u64().unwrap() > 0, "{run}");
    loops_are_better_and_frames_as_they_were(home, &run);
    let map = exports_move(home);
    the_next_survey_finds_itself(home, &map);
}

fn loops_are_better_and_frames_as_they_were(home: &Path, run: &Value) {
    let none = format!("{FORGETFUL}[fusion.loops]\nspacing_m = 0.0\n");
    let without = replay(home, "none.maml", &none, &[]);
    assert_eq!(run["frame_sha256"], without["frame_sha256"]);
    assert!(without["loops"].is_null());
    let (out, _) = check(home, &["maml", "inspect", "run.maml"], 0);
    says(&out, &["SEALED", "corrections"]);
    let score = machine(home, &["eval", "run.maml", "--truth", "run.truth"], 0);
    let ate = |score: &Value| score["aligned_m"].as_f64().unwrap();
    let (after, before) = (ate(&score["score"]["trajectory"]), ate(&score["uncorrected"]));
    println!("trajectory {before:.3} m, with loops {after:.3} m");
    assert!(after < before, "{before} m to {after} m");
}

/// Points move as their poses do. Gives the corrected places.
fn exports_move(home: &Path) -> Vec<[f64; 4]> {
    let (after, before) = (
        places(home, "run.maml", &[]),
        places(home, "run.maml", &["--uncorrected"]),
    );
    assert_eq!(after.len(), before.len());
    assert!(after.iter().zip(&before).all(|(a, b)| a[0] == b[0]));
    let moved = after
        .iter()
        .zip(&before)
        .map(|(a, b)| (1..4).map(|i| (a[i] - b[i]).squared()).sum::<f64>().sqrt());
    let moved = moved.fold(0.0, f64::max);
    assert!(moved > 0.01, "{moved}");
    let (_, err) = check(home, &["export", "run.maml", "--ply", "corrected.ply"], 0);
    says(&err, &["corrected by closed loops", "--uncorrected"]);
    let (_, err) = check(
        home,
        &["export", "run.maml", "--ply", "recorded.ply", "--uncorrected"],
        0,
    );
    assert!(!err.contains("corrected by"), "{err}");
    let bytes = |name: &str| std::fs::read(home.join(name)).unwrap();
    let (corrected, recorded) = (bytes("corrected.ply"), bytes("recorded.ply"));
    assert_eq!(corrected.len(), recorded.len());
    assert_ne!(corrected, recorded);
    after
}

/// The same survey once more, in the map of itself: it lies where the map's own trajectory does, but for
/// its height, which upright walls do not tell.
fn the_next_survey_finds_itself(home: &Path, map: &[[f64; 4]]) {
    let next = replay(home, "next.maml", "", &["--map", "run.maml"]);
    let notes = next["notes"].to_string();
    says(&notes, &["World of the map run.maml"]);
    assert!(!notes.contains("not found"), "{notes}");
    // Its record names the map, and runs once more in it only.
    let id = |name: &str| {
        let (out, _) = check(home, &["--json", "maml", "verify", name], 0);
        let told: serde_json::Value = serde_json::from_str(&out).unwrap();
        told["id"].as_str().unwrap().to_owned()
    };
    let (log, _) = check(home, &["maml", "log", "next.maml"], 0);
    let begun = log.lines().find(|line| line.contains("run.begun")).unwrap();
    says(begun, &[&format!("\"map\":\"{}\"", id("run.maml"))]);
    let (_, said) = check(home, &["run", "next.maml", "--input", "run.mcap"], 2);
    says(&said, &["--map", &id("run.maml")]);
    let found = places(home, "next.maml", &[]);
    let square = |(a, b): (&[f64; 4], &[f64; 4])| (1..3).map(|i| (a[i] - b[i]).squared()).sum::<f64>();
    let apart = map
        .iter()
        .zip(&found)
        .skip(10)
        .map(square)
        .fold(0.0, f64::max)
        .sqrt();
    println!("at most {apart:.3} m from the map's own trajectory");
    assert!(apart < 0.5, "{apart}");
}
