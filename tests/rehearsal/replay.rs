//! Replay = live: what was recorded is what was seen.

use std::sync::Arc;

use beluga_ingest::Recording;
use beluga_ingest::send::{Plan, drained};
use beluga_ingest::tape::{Parts, Rotation};

use super::user::{beluga, ended, listening};
use super::{Wire, ate_m, begin, free_ports, fused, heard, payloads, survey, world};

/// Through the library: nothing is lost, the tape (in parts) gives the frames that were seen, and they lie where the
/// survey was.
#[test]
fn the_tape_of_a_sent_survey_replays_to_the_frames_that_were_seen() {
    let (world, folder) = (world(3.0, 3), tempfile::tempdir().unwrap());
    let survey = survey(&world);
    let ports = free_ports(3);
    let rig = survey.hear_at(folder.path(), &ports).unwrap();
    let begin = begin();
    let mut datagrams = survey.datagrams(Plan::once(begin)).unwrap();
    let (out, edges) = heard(&rig, &ports, datagrams.by_ref());
    assert!(
        datagrams.wrong().is_empty() && datagrams.left_out() == 0,
        "{:?}",
        datagrams.wrong()
    );
    for (sensor, made) in datagrams.payloads() {
        assert_eq!(
            payloads(&out, sensor.0),
            *made,
            "all that was sent of {sensor:?} came: {edges:?}"
        );
    }

    let tape = folder.path().join("seen.mcap");
    let rotation = Rotation {
        bytes: Some(200_000),
        length: None,
        keep_bytes: None,
        tell: Arc::new(|_| {}),
    };
    let mut parts = Parts::create(&tape, survey.rig(), rotation, false).unwrap();
    out.iter()
        .for_each(|measurement| parts.push(measurement).unwrap());
    assert_eq!(parts.finish().unwrap(), out.len() as u64);
    let (frames, seen) = fused(survey.rig(), out.into_iter());
    let recording = Recording::open(&tape).unwrap();
    let (_, again) = fused(survey.rig(), recording.timeline().unwrap());
    assert_eq!(seen, again);

    let (straight, _) = fused(world.rig(), world.measurements());
    let first = world.measurements().map(|one| one.stamp).min().unwrap();
    let (live_m, straight_m) = (ate_m(&frames, &world, begin), ate_m(&straight, &world, first));
    println!(
        "{} frames, {live_m:.4} m from the truth, {straight_m:.4} m without the wire",
        frames.len()
    );
    assert!(frames.len() >= 28 && live_m < 0.04 && (live_m - straight_m).abs() < 0.005);
}

/// Through the program, with its sockets, queues and threads; a machine that is slow may lose something, and the
/// tape says so as the run did.
#[test]
fn the_program_replays_what_it_heard_of_a_sent_survey() {
    let (world, folder) = (world(3.0, 4), tempfile::tempdir().unwrap());
    let home = folder.path();
    let survey = survey(&world);
    let ports = free_ports(3);
    survey.hear_at(home, &ports).unwrap();
    let send = || {
        let wire = Wire::to(&ports);
        for sent in survey.datagrams(Plan::once(begin())).unwrap() {
            wire.send(&sent);
            while !drained(&ports) {
                std::thread::yield_now();
            }
        }
    };
    let arguments = [
        "--json",
        "live",
        "--rig",
        "rig.toml",
        "--record",
        "seen.mcap",
        "--rotate",
        "1s",
        "--out",
        "seen.maml",
        "--view",
        "none",
    ];
    let (live, _) = listening(home, &arguments, 3, send, &[0, 3]);
    let live: serde_json::Value = serde_json::from_str(&live).unwrap();
    assert!(live["frames"].as_u64().unwrap() > 10, "{live}");
    assert!(home.join("seen.0002.mcap").is_file() && !home.join("seen.mcap").exists());

    let output = beluga(home)
        .args([
            "--json",
            "replay",
            "seen.mcap",
            "--out",
            "again.maml",
            "--view",
            "none",
        ])
        .output()
        .unwrap();
    let code = output.status.code().unwrap();
    let again: serde_json::Value = serde_json::from_str(&ended(output, code).0).unwrap();
    assert_eq!(live["frame_sha256"], again["frame_sha256"]);
    assert_eq!(live["lost"], again["lost"]);
}
