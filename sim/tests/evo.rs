//! The trajectory score against `evo` (<https://github.com/MichaelGrupp/evo>), which is not ours: the
//! same pair of trajectories, with noise, drift, another origin and times that do not meet, gives the
//! same numbers to 1e-6. Its numbers lie beside the pair; where `python3` has evo they are made anew.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::path::{Path, PathBuf};
use std::process::Command;

use beluga_sim::score::{Spread, Stretch, Trajectory, TrajectoryError};
use serde_json::Value;

const TOLERANCE: f64 = 1e-6;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evo")
}

fn ours() -> TrajectoryError {
    let read = |name: &str| Trajectory::read(&folder().join(name), None).unwrap();
    let pairs = read("estimate.tum")
        .paired(&read("reference.tum"), 0.01, 0.0)
        .unwrap();
    TrajectoryError::of(&pairs, 0)
}

fn agrees(ours: &TrajectoryError, evo: &Value) {
    assert_eq!(evo["poses"], ours.poses);
    let same = |name: &str, ours: Spread| {
        let numbers = [ours.rmse, ours.mean, ours.median, ours.min, ours.max];
        for (i, number) in numbers.into_iter().enumerate() {
            let theirs = evo[name][i].as_f64().unwrap();
            assert!(
                (number - theirs).abs() < TOLERANCE,
                "{name} {i}: {number} and {theirs}"
            );
        }
    };
    same("unaligned", ours.unaligned.unwrap());
    same("aligned", ours.aligned.unwrap());
    assert!((ours.rotation_rad - evo["rotation_rmse"].as_f64().unwrap()).abs() < TOLERANCE);
    for (name, stretch) in [
        ("poses 1", Stretch::Poses(1)),
        ("metres 1", Stretch::Metres(1.0)),
        ("metres 10", Stretch::Metres(10.0)),
    ] {
        let of = ours
            .relative
            .iter()
            .find(|error| error.stretch == stretch)
            .unwrap();
        same(&format!("translation over {name}"), of.translation_m);
        same(&format!("rotation over {name}"), of.rotation_rad);
    }
}

#[test]
fn the_trajectory_score_is_the_one_evo_gave() {
    let text = std::fs::read_to_string(folder().join("score.json")).unwrap();
    let evo: Value = serde_json::from_str(&text).unwrap();
    let ours = ours();
    agrees(&ours, &evo);
    println!(
        "ATE {:.9} m here, {} m by evo",
        ours.aligned_m,
        evo["aligned"][0].as_f64().unwrap()
    );
}

#[test]
fn the_trajectory_score_is_the_one_evo_gives_now() {
    let has_evo = Command::new("python3").args(["-c", "import evo"]).output();
    if !has_evo.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: python3 has no evo");
        return;
    }
    let output = Command::new("python3")
        .arg("-B")
        .arg(folder().join("score.py"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    agrees(&ours(), &serde_json::from_slice(&output.stdout).unwrap());
}
