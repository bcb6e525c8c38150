//! XTF.

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::xtf::{self, Content};
use beluga_ingest::{Error, Recording};
use beluga_types::{GapCause, Measurement, Payload, Profile, Water};

use crate::shared_data::shared_data;
use crate::tools::{self, Chance, detections, gaps, make_seeds, numbers, profile, seeds};
use crate::xtf_file::{self, *};

/// The packets of a file, and how many could not be read.
fn read(bytes: &[u8]) -> (Vec<Content>, usize) {
    let (mut found, mut lost) = (Vec::new(), 0);
    if let Ok((_, contents)) = xtf::contents(Cursor::new(bytes), Path::new("cut.xtf")) {
        for content in contents {
            match content {
                Ok(content) => found.push(content),
                Err(_) => lost += 1,
            }
        }
    }
    (found, lost)
}

fn played(bytes: &[u8]) -> Result<(Recording, Vec<Measurement>), Error> {
    tools::played("line.xtf", bytes)
}

#[test]
fn a_small_multibeam_file_plays_by_itself() {
    let (recording, run) = played(&multibeam()).unwrap();
    let rig = recording.rig();
    let names: Vec<&str> = rig.sensors.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names, ["sonar", "ins"]);
    assert_eq!(rig.water, Water::SoundSpeed(1480.0));
    let mount = rig.sensors[0].mount;
    assert_eq!(
        (mount.forward_m, mount.starboard_m, mount.down_m),
        (2.0, 0.0, 1.5)
    );
    assert!((mount.attitude.heading_rad.to_degrees() - 2.0).abs() < 1e-6);
    assert_eq!(gaps(&run), []);
    let pings: Vec<&Measurement> = run.iter().filter(|one| detections(one).is_some()).collect();
    assert_eq!(pings.len(), 10);
    assert_eq!(
        (pings[0].seq, pings[0].stamp.nanos()),
        (7, START_NANOS + 50_000_000)
    );
    let found = detections(pings[0]).unwrap();
    // Of four points one has no time and one has passed no test.
    let [port, next] = found.detections[..] else {
        panic!("{found:?}");
    };
    assert!((port.two_way_time_s - 0.012).abs() < 1e-8 && (next.two_way_time_s - 0.010).abs() < 1e-8);
    assert_eq!((port.quality, next.quality), (1.0, 0.5));
    assert!(
        port.receive_angle_rad < -0.59 && port.transmit_tilt_rad > 0.04,
        "{port:?}"
    );
    assert!(
        (next.receive_angle_rad + 0.2).abs() < 2e-3,
        "the second step of 4000 times 1e-4"
    );
    assert!((port.level_db - 40.0).abs() < 1e-3);
    assert!((found.beam_width_rad[0] - 0.0175).abs() < 1e-6);
    // Positions and attitudes each 100 ms, both from 20 ms on.
    let poses: Vec<_> = run
        .iter()
        .filter_map(|one| match &one.payload {
            Payload::Pose(fix) => Some((one.stamp.nanos() - START_NANOS, fix.world_from_body)),
            _ => None,
        })
        .collect();
    assert_eq!(
        (poses.len(), poses[0].0, poses[8].0),
        (9, 120_000_000, 920_000_000)
    );
    // Heading east; the antenna is 1 m forward and 3 m up, rolled by -2° and pitched by 1°.
    let place = poses[0].1.translation();
    assert!(
        (place.x + 1.0).abs() < 0.06 && (place.z + 3.0).abs() < 0.06,
        "{place}"
    );
    assert!(recording.notes().iter().any(|note| note.contains("type 199 (1)")));
}

#[test]
fn a_small_side_scan_file_plays_by_itself() {
    let (recording, run) = played(&sides()).unwrap();
    let rig = recording.rig();
    let names: Vec<&str> = rig.sensors.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names, ["port", "starboard", "ins"]);
    assert_eq!(
        (rig.sensors[1].mount.starboard_m, rig.sensors[1].mount.down_m),
        (f64::from(0.3f32), 1.0)
    );
    assert_eq!(rig.water, Water::SoundSpeed(1500.0), "750 m/s is that of one way");
    let [port, starboard] = [0, 1].map(|sensor| {
        let own = run
            .iter()
            .filter(|one| one.sensor.0 == sensor)
            .filter_map(profile);
        own.collect::<Vec<&Profile>>()
    });
    assert_eq!((port.len(), starboard.len()), (5, 5));
    assert_eq!(port[0].strength[19], 19.0);
    assert_eq!(starboard[0].strength[0], 100.0);
    // 30 m there and back at 1500 m/s in 20 samples.
    assert!((port[0].interval_s - 0.002).abs() < 1e-9);
    assert_eq!(port[0].sound_speed_m_per_s, Some(1500.0));
    assert!(
        (port[0].beam.across_rad().to_degrees() + 60.0).abs() < 1e-6,
        "to port, where nothing is stated"
    );
    assert!(
        (starboard[0].beam.across_rad().to_degrees() - 50.0).abs() < 1e-4,
        "as stated, to starboard"
    );
    assert!((starboard[0].beam.transmit_width_rad[0].to_degrees() - 0.5).abs() < 1e-6);
    assert_eq!(run[0].stamp.nanos(), START_NANOS);
    let poses = run.iter().filter(|one| matches!(one.payload, Payload::Pose(_)));
    assert_eq!(poses.count(), 4, "the first ping has no position");
    let told: Vec<_> = gaps(&run);
    assert_eq!(told.len(), 1);
    assert!(
        told[0].1 == 0 && told[0].2.contains("no position yet"),
        "{told:?}"
    );
}

#[test]
fn damage_and_physics_are_counted_with_their_place() {
    let start = [header(), attitude(0), attitude(20), position(0, 54.0)].concat();
    let ping = |number: u32, speed| r2sonic(100 * number, number, speed, &POINTS);
    let place = start.len() + ping(1, 1480.0).len();
    for at in [0, 12, 260] {
        let mut bad = ping(2, 1480.0);
        bad[at] ^= 0x55;
        let bytes = [&start[..], &ping(1, 1480.0), &bad, &ping(3, 1480.0)].concat();
        let (_, run) = played(&bytes).unwrap();
        assert_eq!(
            run.iter().filter(|one| detections(one).is_some()).count(),
            2,
            "byte {at}"
        );
        let told = gaps(&run)
            .iter()
            .filter(|gap| gap.2.contains(&format!("byte {place}")))
            .count();
        assert!(told >= 1, "byte {at}: {:?}", gaps(&run));
    }
    let bytes = [&start[..], &ping(1, 1480.0), &ping(2, 300.0), &ping(3, 1480.0)].concat();
    let (_, run) = played(&bytes).unwrap();
    let gaps = gaps(&run);
    assert_eq!((gaps.len(), gaps[0].0, gaps[0].1), (1, GapCause::Corrupt, 1));
    assert!(
        gaps[0].2.contains("type 65") && gaps[0].2.contains("found 300"),
        "{gaps:?}"
    );
}

#[test]
fn every_cut_of_a_small_file_keeps_what_is_before_it() {
    for bytes in [multibeam(), sides()] {
        let mut ends = vec![1024];
        while let Some(length) = bytes
            .get(ends[ends.len() - 1] + 10..)
            .and_then(|rest| rest.first_chunk())
        {
            ends.push(ends[ends.len() - 1] + u32::from_le_bytes(*length) as usize);
        }
        assert_eq!(ends.last(), Some(&bytes.len()));
        for cut in (0..bytes.len()).filter(|cut| *cut > 1000 || cut % 64 == 0) {
            let (found, lost) = read(&bytes[..cut]);
            let whole = ends.iter().skip(1).filter(|end| **end <= cut).count();
            assert_eq!(found.len(), whole, "cut at {cut}");
            assert!(lost <= 1, "cut at {cut}");
        }
    }
}

#[test]
fn changed_bytes_are_survived() {
    let mut chance = Chance(0x1234_5678_9abc_def1);
    for round in 0..2000 {
        let bytes = if round % 2 == 0 { multibeam() } else { sides() };
        let changed = chance.changed(&bytes);
        let (found, _) = read(&changed);
        let size = |content: &Content| match content {
            Content::Sonar(ping) => ping.channels.iter().map(|channel| channel.strength.len()).sum(),
            Content::R2Sonic(ping) => ping.points.len(),
            _ => 0,
        };
        assert!(found.iter().map(size).sum::<usize>() <= 2 * changed.len());
        let _ = xtf::summary_of(Cursor::new(&changed), Path::new("changed.xtf"));
        if round % 50 == 0
            && let Ok((_, run)) = played(&changed)
        {
            assert!(run.is_sorted_by_key(Measurement::order));
        }
    }
}

#[test]
fn the_corpus_is_read_without_a_panic() {
    let (beams, sides) = (multibeam(), xtf_file::sides());
    let cut = sides[..sides.len() - 60].to_vec();
    let damaged = Chance(5).changed(&beams);
    make_seeds(
        "xtf",
        &[
            ("multibeam", beams),
            ("sides", sides),
            ("cut", cut),
            ("damaged", damaged),
        ],
    );
    let files = seeds("xtf");
    assert!(files.len() >= 4);
    for (name, bytes) in &files {
        let (found, _) = read(bytes);
        if name == "multibeam" {
            assert_eq!(
                bytes,
                &multibeam(),
                "what fuzzing starts from is what the tests write"
            );
            assert_eq!(found.len(), 31);
        }
    }
}

#[test]
fn what_is_no_such_file_is_refused() {
    for bytes in [&b""[..], &[0; 2000], &[123; 300]] {
        let wrong = xtf::summary_of(Cursor::new(bytes), Path::new("x.xtf"))
            .unwrap_err()
            .to_string();
        assert!(
            wrong.contains("byte 0: expected the header of an XTF file"),
            "{wrong}"
        );
    }
    let wrong = played(&[header(), position(0, 54.0)].concat())
        .unwrap_err()
        .to_string();
    assert!(
        wrong.contains("expected side-scan pings, R2Sonic pings or attitudes"),
        "{wrong}"
    );
}

#[test]
fn a_real_side_scan_is_that_of_the_reference() {
    let name = "a_real_side_scan_is_that_of_the_reference";
    let Some(folder) = shared_data(name, "sonar/xtf-sidescan-iver2") else {
        return;
    };
    let reference = std::fs::read_to_string(folder.join("reference_pyxtf.json")).unwrap();
    let file = folder.join("scotsman-iver2.xtf");
    let (found, lost) = read(&std::fs::read(&file).unwrap());
    assert_eq!((found.len(), lost), (461, 0));
    let pings: Vec<&xtf::SonarPing> = found
        .iter()
        .filter_map(|content| match content {
            Content::Sonar(ping) => Some(&**ping),
            _ => None,
        })
        .collect();
    let sums = numbers(&reference, "sum");
    let places = (numbers(&reference, "x"), numbers(&reference, "y"));
    for (index, number) in [0, 1, 230, 460].into_iter().enumerate() {
        let ping = pings[number];
        assert_eq!(ping.number as usize, number);
        assert_eq!(ping.place, [places.1[index], places.0[index]]);
        for side in 0..2 {
            let sum: f64 = ping.channels[side]
                .strength
                .iter()
                .map(|value| f64::from(*value))
                .sum();
            assert_eq!(
                (ping.channels[side].strength.len(), sum),
                (1024, sums[2 * index + side])
            );
        }
    }
    assert_eq!(pings[230].channels[0].slant_range_m, 29.983_501);
    assert_eq!((pings[230].attitude_deg[2], pings[230].altitude_m), (344.4, 4.71));
    // 2013-09-10T21:13:35.91
    assert_eq!(pings[230].stamp.nanos(), 1_378_847_615_910_000_000);

    let recording = Recording::open(&file).unwrap();
    println!("{:#?}", recording.notes());
    let run: Vec<Measurement> = recording.timeline().unwrap().collect();
    assert_eq!(run.iter().filter(|one| profile(one).is_some()).count(), 2 * 461);
    let lost: u64 = gaps(&run).iter().map(|gap| gap.1).sum();
    assert_eq!(lost, 0);
    assert_eq!(
        run.iter()
            .filter(|one| matches!(one.payload, Payload::Pose(_)))
            .count(),
        460
    );
}

#[test]
fn a_real_multibeam_is_that_of_the_reference() {
    let name = "a_real_multibeam_is_that_of_the_reference";
    let Some(file) = shared_data(name, "sonar/xtf-multibeam-r2sonic/r2testing_0001.xtf") else {
        return;
    };
    let (found, lost) = read(&std::fs::read(&file).unwrap());
    assert_eq!((found.len(), lost), (3330, 0));
    let positions: Vec<_> = found
        .iter()
        .filter_map(|content| match content {
            Content::Position(fix) => Some(fix),
            _ => None,
        })
        .collect();
    assert_eq!(positions.len(), 1204);
    assert_eq!(positions[0].place, [37.756_849_828_296_24, -122.377_451_444_202]);
    // 9080 and 9480 tenths of a millisecond: 40 ms apart.
    assert_eq!(positions[0].stamp.nanos(), START_NANOS + 908_000_000);
    assert_eq!(positions[1].stamp.nanos_since(positions[0].stamp), 40_000_000);
    let attitude = found.iter().find_map(|content| match content {
        Content::Attitude(said) => Some(said),
        _ => None,
    });
    assert_eq!(
        attitude.unwrap().attitude_deg,
        [0.217_086_2, -0.704_885_54, 250.880_26]
    );
    assert_eq!(attitude.unwrap().stamp.nanos(), START_NANOS + 908_000_000);
    let pings: Vec<&xtf::Ping> = found
        .iter()
        .filter_map(|content| match content {
            Content::R2Sonic(ping) => Some(&**ping),
            _ => None,
        })
        .collect();
    assert_eq!(pings.len(), 923);
    assert_eq!(
        (
            pings[0].number,
            pings[0].points.len(),
            pings[0].sound_speed_m_per_s
        ),
        (151_989, 256, 1514.962)
    );
    // Its fan is even about straight down.
    let [first, last] = [pings[0].points[0], pings[0].points[255]];
    assert!(
        (first.angle_rad + last.angle_rad).abs() < 0.02,
        "{first:?} {last:?}"
    );
    let recording = Recording::open(&file).unwrap();
    println!("{:#?}", recording.notes());
    let run: Vec<Measurement> = recording.timeline().unwrap().collect();
    assert_eq!(run.iter().filter(|one| detections(one).is_some()).count(), 923);
    assert!(
        run.iter()
            .filter(|one| matches!(one.payload, Payload::Pose(_)))
            .count()
            > 1190
    );
}
