//! Several sources in one rig, and recordings that come to nothing, as a user meets them.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::fs;
use std::path::Path;

#[path = "../ingest/tests/ek80_file/mod.rs"]
mod ek80_file;
mod user;

use user::{beluga, check, ended, says};

/// The small recording that stands in the repository, taken apart.
fn quay(home: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/quay");
    for folder in ["", "lidar", "sonar"] {
        let to = home.join("quay").join(folder);
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(source.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
            }
        }
    }
}

#[test]
fn sources_that_lie_elsewhere_and_never_meet_are_told_with_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    quay(home);
    fs::create_dir(home.join("rig")).unwrap();
    let rig = fs::read_to_string(home.join("quay/rig.toml")).unwrap();
    let rig = rig
        .replace("source = \"lidar\"", "source = \"../lidar\"")
        .replace("source = \"sonar/", "source = \"../sonar/")
        .replace("source = \"nav.csv\"", "source = \"../nav.csv\"")
        .replace("\"sonar.beams.csv\"", "\"../sonar.beams.csv\"");
    fs::create_dir(home.join("quay/rig")).unwrap();
    fs::write(home.join("quay/rig/site.toml"), &rig).unwrap();
    fs::copy(home.join("quay/pulses.csv"), home.join("quay/sonar/pulses.csv")).unwrap();
    let replay =
        |rig: &str, out: &str, code| check(home, &["replay", rig, "--out", out, "--view", "none"], code);
    let (whole, _) = replay("quay", "whole.maml", 0);
    let (apart, _) = replay("quay/rig/site.toml", "site.maml", 0);
    let hash = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("frame bytes"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(hash(&whole), hash(&apart));
    says(
        &apart,
        &[
            "sensor       lidar: ",
            "sensor       sonar: ",
            "sensor       nav: ",
            " + ",
        ],
    );

    let shifted = rig.replacen("time_offset_ms = 0.0", "time_offset_ms = 60000.0", 1);
    fs::write(home.join("quay/rig/site.toml"), shifted).unwrap();
    let (out, _) = replay("quay/rig/site.toml", "shifted.maml", 0);
    says(
        &out,
        &["offset 60000 ms", "have no time in common", "`time_offset_ms`"],
    );
}

#[test]
fn a_lidar_without_one_finite_point_is_lost_data() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    fs::create_dir(home.join("scans")).unwrap();
    let head = "FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH 2\nHEIGHT 1\nDATA ascii\n";
    for number in 0..3 {
        fs::write(
            home.join(format!("scans/{number}.pcd")),
            format!("{head}nan nan nan\nnan 0 0\n"),
        )
        .unwrap();
    }
    let (out, _) = check(home, &["replay", "scans", "--out", "a.maml", "--view", "none"], 3);
    says(&out, &["every point of lidar", "6 points that were not finite"]);
}

#[test]
fn pings_whose_pulse_does_not_fit_are_lost_data() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    quay(home);
    let pulses = fs::read_to_string(home.join("quay/pulses.csv")).unwrap();
    let line = pulses.lines().nth(1).unwrap();
    let mut fields: Vec<&str> = line.split(',').collect();
    // Ten seconds of pulse do not fit into a ping's samples.
    fields[4] = "10000";
    fs::write(
        home.join("quay/pulses.csv"),
        pulses.replace(line, &fields.join(",")),
    )
    .unwrap();
    let (out, _) = check(home, &["replay", "quay", "--out", "a.maml", "--view", "none"], 3);
    says(&out, &["sonar with an unusable pulse", "note"]);
}

#[test]
fn a_missing_key_leaves_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    quay(home);
    check(home, &["replay", "quay", "--out", "a.maml", "--view", "none"], 0);
    let stranger = home.join("stranger");
    fs::create_dir(&stranger).unwrap();
    check(&stranger, &["maml", "open", "../a.maml", "--arrow", "tables"], 5);
    assert!(!stranger.join("tables").exists());
}

#[test]
fn probe_says_what_it_is_and_how_it_plays() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    quay(home);
    let (out, _) = check(home, &["probe", "quay"], 0);
    says(
        &out,
        &[
            "a folder recording: quay",
            "sensor       lidar (lidar): 59 payloads, 10.00 Hz",
            "time of each point",
            "64 beams of 563 samples",
            "I/Q at 300 kHz",
            "pulse LFM 292 to 308 kHz, 2.000 ms",
            "lost         nothing",
            "play         beluga replay quay",
        ],
    );
    let (out, _) = check(home, &["--json", "probe", "quay"], 0);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["command"], "beluga replay quay");
    assert_eq!(told["sensors"][0]["payloads"], 59);

    fs::remove_file(home.join("quay/rig.toml")).unwrap();
    let (out, _) = check(home, &["probe", "quay"], 1);
    says(
        &out,
        &[
            "missing      a rig",
            "[[sensor]]",
            "kind = \"sonar\"",
            "beluga replay quay",
        ],
    );

    fs::write(home.join("x.bag"), b"#ROSBAG V2.0\n").unwrap();
    let (out, _) = check(home, &["probe", "x.bag"], 1);
    says(&out, &["ROS 1 bag", "not read yet"]);
    fs::write(home.join("x"), b"---\nmaml_version: \"1.0.0\"\n").unwrap();
    let (out, _) = check(home, &["probe", "x"], 1);
    says(&out, &["a MAML record: x", "what `beluga maml verify x` tells: "]);
    fs::write(home.join("x.txt"), b"hello").unwrap();
    let (out, _) = check(home, &["probe", "x.txt"], 2);
    says(&out, &["EK80", "MCAP"]);
    check(home, &["probe", "absent"], 2);
}

#[test]
fn probe_knows_a_record_and_how_to_look_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let vector = Path::new(env!("CARGO_MANIFEST_DIR")).join("sinks/tests/vectors/one_frame.maml");
    fs::copy(vector, home.join("one.maml")).unwrap();
    let (out, _) = check(home, &["probe", "one.maml"], 0);
    says(
        &out,
        &[
            "what         a MAML record: one.maml",
            "`beluga maml verify one.maml`",
            "play         beluga view one.maml",
        ],
    );
    let bytes = fs::read(home.join("one.maml")).unwrap();
    fs::write(home.join("cut.maml"), &bytes[..bytes.len() - 100]).unwrap();
    let (out, _) = check(home, &["probe", "cut.maml"], 1);
    says(
        &out,
        &[
            "a MAML record",
            "missing      what `beluga maml verify cut.maml` tells: ",
        ],
    );
}

#[test]
fn a_folder_of_recordings_names_them_and_how_one_plays() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    fs::create_dir(home.join("day")).unwrap();
    for name in ["b.raw", "a.raw"] {
        fs::write(home.join("day").join(name), ek80_file::file(2)).unwrap();
    }
    let (_, err) = check(home, &["replay", "day", "--view", "none"], 2);
    says(
        &err,
        &["`beluga replay day/a.raw`", "2 recordings", "`a.raw`, `b.raw`"],
    );
    let (out, _) = check(home, &["probe", "day"], 1);
    says(&out, &["2 recordings in one file each"]);
    check(home, &["replay", "day/a.raw", "--view", "none"], 0);
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_no_cut_export() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    quay(home);
    check(home, &["replay", "quay", "--out", "a.maml", "--view", "none"], 0);
    let files = ["--ply", "a.ply", "--mcap", "a.mcap"];
    // Beyond some kilobytes writing fails, as on a full disk; without the trap the system ends the program.
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$0\" export a.maml \"$@\"";
    let program = beluga(home);
    let output = std::process::Command::new("sh")
        .args(["-c", limited])
        .arg(program.get_program())
        .args(files)
        .env("BELUGA_HOME", home.join("home"))
        .current_dir(home)
        .output()
        .unwrap();
    let (_, err) = ended(output, 1);
    says(&err, &["error: ", "was cut and has been removed"]);
    for name in ["a.ply", "a.mcap"] {
        assert!(!home.join(name).exists(), "{name}: {err}");
    }
    check(home, &[&["export", "a.maml"], &files[..]].concat(), 0);
    assert!(home.join("a.ply").exists() && home.join("a.mcap").exists());
}
