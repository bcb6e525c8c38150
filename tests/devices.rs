//! Every kind of sonar from the simulator to a verified record, as a user runs it.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod user;

use std::fs;

use beluga_ingest::Recording;
use beluga_types::{Payload, SonarPing};
use user::check;

/// What a ping of the tape is.
fn kind(ping: &SonarPing) -> &'static str {
    match ping {
        SonarPing::Beams(_) => "beams",
        SonarPing::Detections(_) => "detections",
        SonarPing::Elements(_) => "elements",
        SonarPing::Image(_) => "image",
        SonarPing::Profile(_) => "profile",
    }
}

#[test]
fn every_kind_goes_by_tape_to_a_verified_record_and_a_folder_says_what_it_cannot_hold() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    for (device, expected) in [
        ("multibeam-256", "beams"),
        ("multibeam-256-detections", "detections"),
        ("hydrophone-line-16", "elements"),
        ("scanning-750k", "profile"),
        ("sidescan-450k", "profile"),
    ] {
        let scene = format!("{device}.toml");
        let text = format!(
            "duration_s = 0.8\n[sonar]\ndevice = \"{device}\"\nbeams = 32\nrange_m = 12\nrate_hz = 4\n\
             [lidar]\nrings = 16\ncolumns = 128\n"
        );
        fs::write(home.join(&scene), text).unwrap();
        let (tape, record) = (format!("{device}.mcap"), format!("{device}.maml"));
        check(home, &["sim", "--scene", &scene, "--out", &tape], 0);
        let recording = Recording::open(&home.join(&tape)).unwrap();
        let mut pings = 0;
        for measurement in recording.timeline().unwrap() {
            if let Payload::Sonar(ping) = &measurement.payload {
                assert_eq!(kind(ping), expected, "{device}");
                pings += 1;
            }
        }
        assert!(pings >= 3, "{device}: {pings}");
        check(home, &["replay", &tape, "--out", &record, "--view", "none"], 0);
        check(home, &["maml", "verify", &record], 0);
        let filed = if expected == "beams" { 0 } else { 2 };
        let (_, err) = check(home, &["sim", "--scene", &scene, "--out", device], filed);
        assert!(expected == "beams" || err.contains(".mcap"), "{device}: {err}");
    }
}

#[test]
fn an_impossible_device_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    for (keys, line, why) in [
        ("device = \"multibeam-1000\"", "line 2", "multibeam-256"),
        (
            "device = \"multibeam-256\"\nbandwidth_hz = 59e3",
            "line 3",
            "0.9 times the sample rate",
        ),
        ("device = \"multibeam-256\"\nbeams = 0", "line 3", "1 to 1024"),
        (
            "device = \"scanning-750k\"\nrate_hz = 25\nrange_m = 40",
            "line 3",
            "c / (2 range)",
        ),
    ] {
        fs::write(home.join("x.toml"), format!("[sonar]\n{keys}\n")).unwrap();
        let (_, err) = check(home, &["sim", "--scene", "x.toml", "--out", "x.mcap"], 2);
        assert!(err.contains(why) && err.contains(line), "{keys}: {err}");
    }
}
