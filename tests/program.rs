//! The program as a user meets it: messages, exit codes, files.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod user;

use user::{check, says};

/// From nothing to a sealed record and back out, with one small simulated recording.
#[test]
fn the_main_job() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "1.5", "--out", "run"],
        0,
    );
    let (out, _) = check(home, &["replay", "run", "--out", "run.maml", "--view", "none"], 0);
    says(
        &out,
        &[
            "frames",
            "points",
            "real time",
            "lost         nothing",
            "GB per hour",
            "run.maml",
        ],
    );
    let (out, _) = check(home, &["maml", "verify", "run.maml"], 0);
    says(&out, &["SEALED", "trusted", "not checked"]);
    let (out, _) = check(home, &["--json", "maml", "inspect", "run.maml"], 0);
    let first: serde_json::Value = serde_json::from_str(&out).unwrap();

    // The same replay again, with another number of threads, has the same frame bytes.
    check(
        home,
        &[
            "--threads",
            "1",
            "replay",
            "run",
            "--out",
            "again.maml",
            "--view",
            "none",
        ],
        0,
    );
    let (out, _) = check(home, &["--json", "maml", "inspect", "again.maml"], 0);
    let second: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(first["frame_sha256"].is_string());
    let class = first["cpu_class"].as_str().unwrap();
    assert!(class.starts_with(std::env::consts::ARCH), "{class}");
    let (out, _) = check(home, &["maml", "inspect", "run.maml"], 0);
    says(&out, &["cpu class", class]);
    assert_eq!(first["frame_sha256"], second["frame_sha256"]);

    let (out, _) = check(
        home,
        &["eval", "run.maml", "--truth", "run/truth", "--recording", "run"],
        0,
    );
    says(&out, &["trajectory", "nav withheld", "raw nav"]);
    check(home, &["export", "run.maml", "--ply", "run.ply"], 0);
    check(home, &["maml", "open", "run.maml", "--arrow", "tables"], 0);
    for table in ["frames.arrow", "points.arrow", "arcs.arrow"] {
        assert!(home.join("tables").join(table).metadata().unwrap().len() > 0);
    }
    // A record is never overwritten.
    let (_, err) = check(home, &["replay", "run", "--out", "run.maml", "--view", "none"], 2);
    says(&err, &["run.maml", "never overwritten"]);
}

#[test]
fn a_stranger_verifies_but_does_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "0.5", "--out", "run"],
        0,
    );
    check(home, &["replay", "run", "--out", "run.maml", "--view", "none"], 0);
    let stranger = home.join("stranger");
    std::fs::create_dir(&stranger).unwrap();
    let (out, _) = check(&stranger, &["maml", "verify", "../run.maml"], 1);
    says(&out, &["SEALED", "unknown"]);
    let (_, err) = check(&stranger, &["export", "../run.maml", "--ply", "x.ply"], 5);
    says(&err, &["no key opens the record", "--identity"]);

    // One byte in the middle changed: it does not authenticate, and the exit code says so.
    let mut bytes = std::fs::read(home.join("run.maml")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(home.join("bent.maml"), &bytes).unwrap();
    check(home, &["maml", "verify", "bent.maml"], 4);
    // Cut in the middle: not sealed, and what is signed can still be read.
    std::fs::write(home.join("cut.maml"), &bytes[..middle]).unwrap();
    let (out, _) = check(home, &["maml", "verify", "cut.maml"], 3);
    assert!(!out.contains(": SEALED"), "{out}");
}

#[test]
fn bad_input_is_answered_with_file_place_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let (_, err) = check(home, &["replay", "nowhere"], 2);
    says(&err, &["nowhere", "does not exist"]);

    std::fs::create_dir(home.join("empty")).unwrap();
    let (_, err) = check(home, &["replay", "empty"], 2);
    says(&err, &["empty"]);

    std::fs::create_dir(home.join("typo")).unwrap();
    std::fs::write(
        home.join("typo/rig.toml"),
        "[[sensor]]\nname = \"a\"\nkind = \"lidar\"\nfoward_m = 1\n",
    )
    .unwrap();
    let (_, err) = check(home, &["replay", "typo"], 2);
    says(&err, &["foward_m", "rig.toml", "4"]);

    std::fs::create_dir(home.join("lacks")).unwrap();
    std::fs::write(
        home.join("lacks/rig.toml"),
        "[[sensor]]\nname = \"roof\"\nkind = \"lidar\"\n",
    )
    .unwrap();
    let (_, err) = check(home, &["replay", "lacks"], 2);
    says(&err, &["roof"]);

    std::fs::write(home.join("config.toml"), "[fusion]\nwindow_milis = 5\n").unwrap();
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "0.3", "--out", "run"],
        0,
    );
    let (_, err) = check(home, &["replay", "run", "--config", "config.toml"], 2);
    says(&err, &["window_milis", "config.toml"]);

    // A config that fusion refuses leaves no record behind.
    std::fs::write(home.join("config.toml"), "[fusion]\nwindow_millis = 0\n").unwrap();
    let (_, err) = check(
        home,
        &["replay", "run", "--config", "config.toml", "--out", "none.maml"],
        2,
    );
    says(&err, &["window_millis"]);
    assert!(!home.join("none.maml").exists());

    std::fs::write(home.join("not.maml"), b"hello").unwrap();
    let (_, err) = check(home, &["export", "not.maml", "--ply", "x.ply"], 4);
    says(&err, &["not.maml"]);
    check(home, &["maml", "verify", "not.maml"], 4);
    check(home, &["maml", "verify", "absent.maml"], 2);
    check(home, &["sim", "--scene", "moon", "--out", "moon"], 2);
}

#[test]
fn every_command_shows_an_example() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        &["demo"][..],
        &["replay"],
        &["probe"],
        &["sim"],
        &["eval"],
        &["export"],
        &["maml", "keygen"],
        &["maml", "verify"],
        &["maml", "inspect"],
        &["maml", "open"],
    ] {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let (out, _) = check(folder.path(), &arguments, 0);
        says(&out, &["Example: beluga"]);
    }
}

#[test]
fn a_failure_is_told_to_machines_too() {
    let folder = tempfile::tempdir().unwrap();
    let (out, _) = check(folder.path(), &["--json", "replay", "nowhere"], 2);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["exit"], 2);
}

#[test]
fn damage_inside_a_recording_is_counted_and_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "1", "--out", "run"],
        0,
    );
    let mut scans: Vec<_> = std::fs::read_dir(home.join("run/lidar"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    scans.retain(|path| path.extension() == Some("ply".as_ref()));
    scans.sort();
    std::fs::write(&scans[4], b"ply\n").unwrap();
    let (out, _) = check(home, &["replay", "run", "--out", "run.maml", "--view", "none"], 3);
    says(&out, &["1 lidar corrupt"]);
    check(home, &["maml", "verify", "run.maml"], 0);
}

/// A survey on a tape from the start, taped again while it is played, and handed over as clouds.
#[test]
fn tapes_are_played_and_made() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let sample = &["sim", "--scene", "sample", "--seconds", "3", "--out"][..];
    check(home, &[sample, &["run.mcap"]].concat(), 0);
    assert!(home.join("run.truth").is_dir());
    let replay = |recording: &str, name: &str, rest: &[&str], code| {
        let out = format!("{name}.maml");
        let arguments = [
            &["--json", "replay", recording, "--out", &out, "--view", "none"],
            rest,
        ]
        .concat();
        let (out, _) = check(home, &arguments, code);
        serde_json::from_str::<serde_json::Value>(&out).unwrap()
    };
    let first = replay("run.mcap", "first", &["--tape", "again.mcap"], 0);
    let second = replay("again.mcap", "second", &[], 0);
    assert!(first["frame_sha256"].is_string());
    assert_eq!(first["frame_sha256"], second["frame_sha256"]);
    assert_eq!(first["tape"][1], first["measurements"]);

    // A tape is never overwritten; one that was cut plays to its last whole chunk, and says so.
    let (_, err) = check(
        home,
        &[
            "replay",
            "run.mcap",
            "--tape",
            "again.mcap",
            "--out",
            "x.maml",
            "--view",
            "none",
        ],
        2,
    );
    says(&err, &["again.mcap"]);
    let bytes = std::fs::read(home.join("run.mcap")).unwrap();
    std::fs::write(home.join("cut.mcap"), &bytes[..bytes.len() * 3 / 5]).unwrap();
    let cut = replay("cut.mcap", "cut", &[], 3);
    says(&cut.to_string(), &["not finished", "truncated"]);
    std::fs::write(home.join("text.mcap"), "Dear diary,").unwrap();
    let (_, err) = check(home, &["replay", "text.mcap"], 2);
    says(&err, &["text.mcap", "byte 0", "MCAP"]);

    let (out, _) = check(
        home,
        &["export", "first.maml", "--mcap", "clouds.mcap", "--ply", "x.ply"],
        0,
    );
    says(&out, &["clouds.mcap", "x.ply", "clouds", "points"]);
    let (_, err) = check(home, &["replay", "clouds.mcap"], 2);
    says(&err, &["clouds.mcap", "/beluga/points", "PointCloud2"]);
    check(home, &["export", "first.maml"], 2);
}
