//! Replay = live: what was recorded is what was seen.

use std::sync::Arc;

use beluga_ingest::Recording;
use beluga_ingest::send::{Plan, drained};
use beluga_ingest::tape::{Parts, Rotation, Writer};
use beluga_types::{Measurement, Payload, SampleValues, SensorKind, SonarPing};

use super::user::{beluga, ended, listening};
use super::{Wire, ate_m, begin, free_ports, fused, heard, listening_world, payloads, survey, world};

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

/// Waveforms of hydrophones by RTP, beside lidar and navigation: the tape holds the samples that were measured, ping by
/// ping, and gives the frames that were seen.
#[test]
fn the_tape_of_sent_waveforms_holds_each_sample_and_replays_to_the_frames_that_were_seen() {
    let (world, folder) = (listening_world(2.0, 5), tempfile::tempdir().unwrap());
    let survey = survey(&world);
    let ports = free_ports(3);
    let rig = survey.hear_at(folder.path(), &ports).unwrap();
    let array = survey
        .rig()
        .sensors
        .iter()
        .position(|spec| spec.kind == SensorKind::Sonar)
        .unwrap();
    assert_eq!(
        survey.rig().sensors[array].format.as_deref(),
        Some("L16/25000/32")
    );
    let mut datagrams = survey.datagrams(Plan::once(begin())).unwrap();
    let (out, edges) = heard(&rig, &ports, datagrams.by_ref());
    assert!(datagrams.wrong().is_empty(), "{:?}", datagrams.wrong());
    assert!(
        !out.iter()
            .any(|one| matches!(&one.payload, Payload::Gap(gap) if gap.lost > 0)),
        "what is silent between pings is no loss: {edges:?}"
    );

    let tape = folder.path().join("seen.mcap");
    let mut writer = Writer::create(&tape, survey.rig()).unwrap();
    out.iter().for_each(|one| writer.push(one).unwrap());
    writer.finish().unwrap();
    let replayed: Vec<Measurement> = Recording::open(&tape).unwrap().timeline().unwrap().collect();
    let (sent, kept) = (
        channels(&world.measurements().collect::<Vec<_>>()),
        channels(&replayed),
    );
    assert!(sent.len() == 32 && sent[0].len() > 1000, "{}", sent.len());
    assert!(sent == kept, "{} and {} samples", sent[0].len(), kept[0].len());

    let (frames, seen) = fused(survey.rig(), out.into_iter());
    let (_, again) = fused(survey.rig(), replayed.into_iter());
    assert_eq!(seen, again);
    assert!(frames.len() >= 18, "{}", frames.len());
}

/// The samples of each channel, one after the other; of a complex one I and Q are a channel each.
fn channels(measurements: &[Measurement]) -> Vec<Vec<i16>> {
    let mut channels: Vec<Vec<i16>> = Vec::new();
    for measurement in measurements {
        let Payload::Sonar(ping) = &measurement.payload else {
            continue;
        };
        let SonarPing::Elements(elements) = &**ping else {
            panic!("{ping:?}")
        };
        let samples = elements.waveforms.shape().samples;
        let rows: Vec<Vec<i16>> = match elements.waveforms.values() {
            SampleValues::RealI16(values) => values.chunks(samples).map(<[i16]>::to_vec).collect(),
            SampleValues::IqI16(values) => {
                let part = |row: &[[i16; 2]], part: usize| row.iter().map(|pair| pair[part]).collect();
                values
                    .chunks(samples)
                    .flat_map(|row| [part(row, 0), part(row, 1)])
                    .collect()
            }
            other => panic!("{other:?}"),
        };
        channels.resize(rows.len(), Vec::new());
        for (channel, row) in channels.iter_mut().zip(rows) {
            channel.extend(row);
        }
    }
    channels
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
