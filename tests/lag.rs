//! How late navigation is beside the lidar, in the simulator, which knows.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod user;

use serde_json::Value;
use user::{check, says};

/// What the program says of a simulated survey whose navigation is so much later, with this exit code.
fn lag_ms(fault: &[&str], code: i32) -> f64 {
    let home = tempfile::tempdir().unwrap();
    let sim = "sim --scene sample --seed 5 --seconds 12 --returns none --out survey";
    let arguments: Vec<&str> = sim.split(' ').chain(fault.iter().copied()).collect();
    check(home.path(), &arguments, 0);
    let (shown, _) = check(home.path(), &["lag", "survey", "--json"], code);
    let lines: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(lines[0]["sensor"], "nav");
    let sigma_ms = lines[0]["sigma_ms"].as_f64().unwrap();
    assert!(sigma_ms < 10.0, "{shown}");
    lines[0]["lag_ms"].as_f64().unwrap()
}

#[test]
fn a_planted_lag_comes_back_within_5_ms() {
    let later = lag_ms(&["--fault", "clock-offset:nav=137ms"], 1);
    assert!((later - 137.0).abs() < 5.0, "{later}");
    let none = lag_ms(&[], 0);
    assert!(none.abs() < 5.0, "{none}");
}

#[test]
fn what_is_too_short_or_no_recording_is_told() {
    let home = tempfile::tempdir().unwrap();
    let sim = "sim --scene sample --seconds 4 --returns none --out short";
    check(home.path(), &sim.split(' ').collect::<Vec<_>>(), 0);
    let (shown, _) = check(home.path(), &["lag", "short"], 1);
    says(
        &shown,
        &["nothing can be told", "turns were seen by both", "expected 50"],
    );
    let (_, said) = check(home.path(), &["lag", "nowhere"], 2);
    says(&said, &["nowhere"]);
    let (_, said) = check(home.path(), &["lag", "short", "--reach", "11"], 2);
    says(&said, &["--reach", "0.02 to 10"]);
}
