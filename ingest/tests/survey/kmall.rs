//! KMALL.

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::kmall::{self, Content, Swath};
use beluga_ingest::{Error, Recording};
use beluga_types::{Beam, GapCause, Measurement, Payload, Point, SensorKind, Water};

use crate::kmall_file::{self, *};
use crate::shared_data::shared_data;
use crate::tools::{self, Chance, detections, gaps, make_seeds, numbers, seeds};

/// The contents of a file, and how many datagrams could not be read.
fn read(bytes: &[u8]) -> (Vec<Content>, usize) {
    let found = kmall::contents(Cursor::new(bytes), Path::new("cut.kmall")).unwrap();
    let (mut contents, mut lost) = (Vec::new(), 0);
    for content in found {
        match content {
            Ok((_, content)) => contents.push(content),
            Err(_) => lost += 1,
        }
    }
    (contents, lost)
}

fn swaths(contents: Vec<Content>) -> Vec<Swath> {
    let swath = |content| match content {
        Content::Swath(swath) => Some(*swath),
        _ => None,
    };
    contents.into_iter().filter_map(swath).collect()
}

/// What a file plays by itself.
fn played(bytes: &[u8]) -> Result<(Recording, Vec<Measurement>), Error> {
    tools::played("line.kmall", bytes)
}

#[test]
fn a_small_file_plays_by_itself() {
    let (recording, run) = played(&file()).unwrap();
    let rig = recording.rig();
    let names: Vec<(&str, SensorKind)> = rig
        .sensors
        .iter()
        .map(|spec| (spec.name.as_str(), spec.kind))
        .collect();
    assert_eq!(
        names,
        [
            ("sonar", SensorKind::Sonar),
            ("ins", SensorKind::Nav),
            ("position", SensorKind::Nav),
            ("sound-speed", SensorKind::Nav)
        ]
    );
    assert_eq!(rig.vessel.waterline_m, Some(-0.5));
    let Water::Profile(levels) = &rig.water else {
        panic!("{:?}", rig.water);
    };
    assert_eq!(levels[1], (20.0, 1490.0));
    assert!(
        (levels[0].0 - 1.2).abs() < 1e-6 && levels[0].1 == 1478.0,
        "the head's own speed"
    );
    // Midway between both arrays, with the receiver's axes.
    let mount = rig.sensors[0].mount;
    assert!(
        (mount.forward_m + 0.355).abs() < 1e-6 && (mount.down_m - 1.65).abs() < 1e-6,
        "{mount:?}"
    );
    assert_eq!(gaps(&run), []);
    let pings: Vec<&Measurement> = run.iter().filter(|one| detections(one).is_some()).collect();
    assert_eq!(
        pings.iter().map(|ping| ping.seq).collect::<Vec<_>>(),
        [7, 8],
        "in order of time"
    );
    assert_eq!(
        pings[0].stamp.nanos(),
        i64::from(START_S) * 1_000_000_000 + 100_000_000
    );
    let found = detections(pings[0]).unwrap();
    assert_eq!(found.detections.len(), 3, "what was rejected is no detection");
    assert_eq!(found.sound_speed_m_per_s, Some(1478.0));
    assert!((found.beam_width_rad[1].to_degrees() - 0.9).abs() < 1e-6);
    let last = pings[0].end.nanos_since(pings[0].stamp) as f64 * 1e-9;
    assert!((last - 0.012).abs() < 1e-4, "{last}");
    assert_eq!(
        run.iter()
            .filter(|one| matches!(one.payload, Payload::Pose(_)))
            .count(),
        60
    );
    let speed = run.iter().find_map(|one| match one.payload {
        Payload::SoundSpeed(sample) => Some((one.stamp.nanos() % 1_000_000_000, sample.sound_speed_m_per_s)),
        _ => None,
    });
    assert_eq!(speed, Some((20_000_000, 1478.5)));
    let fix = run
        .iter()
        .find(|one| matches!(one.payload, Payload::Gnss(_)))
        .unwrap();
    assert_eq!(
        fix.stamp.nanos() % 1_000_000_000,
        47_000_000,
        "the sensor's own time"
    );
    assert!(
        recording
            .notes()
            .iter()
            .any(|note| note.contains("`#MWC`, 1 datagrams"))
    );
}

/// Signs and places, worked out by hand: a level vessel heading east at 54° north.
#[test]
fn signs_are_ours() {
    let (recording, run) = played(&file()).unwrap();
    let ping = run.iter().find_map(detections).unwrap();
    let [port, middle, starboard] = ping.detections[..] else {
        panic!("{ping:?}");
    };
    assert!(port.receive_angle_rad < -0.6, "40° to port is -40° to starboard");
    assert!(middle.receive_angle_rad.abs() < 0.02);
    assert!(starboard.receive_angle_rad > 0.3);
    // Turned round and pitched up by 0.9°, steered back by as much: straight down, and a trifle aft
    // of the transmitter, which is aft of the head.
    assert!(middle.transmit_tilt_rad < 0.0 && middle.transmit_tilt_rad > -0.03);
    assert_eq!((port.transmit_delay_s, middle.sector), (0.0, 1));
    assert!((middle.transmit_delay_s - 0.001).abs() < 1e-9);
    let beam = Beam::at(
        middle.receive_angle_rad,
        middle.transmit_tilt_rad,
        [0.01; 2],
        [0.01; 2],
    );
    let range_m = 0.5 * middle.two_way_time_s * 1478.0;
    let body_from_sensor = recording.rig().sensors[0].body_from_sensor();
    let place = (body_from_sensor * Point::from_vector(beam.direction.vector() * range_m)).vector();
    // The transmitter is 0.5 m aft; between it at 0.1 m to port and the receiver at 0.1 m to starboard.
    assert!((place.x + 0.5).abs() < 0.02, "{place}");
    assert!((place.z + 1.65 + 0.0045 * 1478.0).abs() < 0.01, "{place}");
    // The attitude sensor is 1 m forward and 2 m up of the reference point, the vessel heads east.
    let pose = run.iter().find_map(|one| match &one.payload {
        Payload::Pose(fix) => Some(*fix),
        _ => None,
    });
    let pose = pose.unwrap();
    let place = pose.world_from_body.translation();
    assert!(
        (place.x + 1.0).abs() < 1e-3 && place.y.abs() < 1e-3 && (place.z + 2.0).abs() < 1e-3,
        "{place}"
    );
    let covariance = pose.covariance.unwrap();
    // Forward is east: its sigma is 0.02 m, that to port (north) 0.01 m.
    assert!(
        (covariance[(3, 3)].sqrt() - 0.02).abs() < 1e-6 && (covariance[(4, 4)].sqrt() - 0.01).abs() < 1e-6
    );
    assert!((covariance[(2, 2)].sqrt().to_degrees() - 0.2).abs() < 1e-6);
}

#[test]
fn an_attitude_sensor_without_places_is_put_together_with_positions() {
    let bytes = [
        installation(INSTALLATION),
        motions_of(1, 0, 60),
        position(103, 54.0),
        position(503, 54.0),
        swath(300, 8, &BEAMS),
    ]
    .concat();
    let (recording, run) = played(&bytes).unwrap();
    let sensors = recording.rig().sensors.iter();
    let models: Vec<&str> = sensors.filter_map(|spec| spec.model.as_deref()).collect();
    assert_eq!(models, ["RX1", "SKM1SPO1", "SPO1"]);
    let poses: Vec<_> = run
        .iter()
        .filter_map(|one| match &one.payload {
            Payload::Pose(fix) => Some((
                one.stamp.nanos() / 1_000_000 % 1000,
                fix.world_from_body.translation(),
            )),
            _ => None,
        })
        .collect();
    // Behind the first position, at 100 ms by its own clock, to the second.
    assert_eq!((poses.len(), poses[0].0, poses[39].0), (40, 110, 500));
    // Positions are of the reference point already: where the sensor sits does not matter.
    assert!(poses.iter().all(|(_, place)| place.norm() < 1e-3), "{poses:?}");
    let attitudes = run
        .iter()
        .filter(|one| matches!(one.payload, Payload::Attitude(_)));
    assert_eq!(attitudes.count(), 20);
}

#[test]
fn parts_are_joined_and_a_missing_one_is_told() {
    let start = [installation(INSTALLATION), motions(0, 40)].concat();
    let whole = [&start[..], &swath(100, 7, &BEAMS)].concat();
    let (alone, lost) = read(&whole);
    let parted = [&start[..], &swath_in_parts(100, 7, 3)].concat();
    let (joined, lost_of_parts) = read(&parted);
    assert_eq!((lost, lost_of_parts), (0, 0));
    assert_eq!(swaths(alone), swaths(joined));
    // The second part of the first ping is gone.
    let [one, _, three] = split(&swath_in_parts(100, 7, 3)).try_into().unwrap();
    let bytes = [&start[..], &one, &three, &swath_in_parts(200, 8, 2)].concat();
    let (_, run) = played(&bytes).unwrap();
    assert_eq!(run.iter().filter_map(detections).count(), 1);
    let gaps = gaps(&run);
    assert!(
        gaps.iter()
            .any(|gap| gap.2.contains("expected part 2 of 3 before part 3")),
        "{gaps:?}"
    );
}

/// The datagrams of good bytes.
fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    while let Some(length) = bytes.first_chunk() {
        let (one, rest) = bytes.split_at(u32::from_le_bytes(*length) as usize);
        parts.push(one.to_vec());
        bytes = rest;
    }
    parts
}

#[test]
fn versions_physics_and_numbers_are_counted_where_they_are_wrong() {
    let start = [installation(INSTALLATION), motions(0, 60)].concat();
    let good = |bad: Vec<u8>| [&start[..], &swath(100, 7, &BEAMS), &bad, &swath(300, 9, &BEAMS)].concat();
    let mut newer = swath(200, 8, &BEAMS);
    newer[8] = 4;
    let body = |speed, beams: &[kmall_file::Beam]| {
        datagram(
            b"#MRZ",
            3,
            200,
            &[&[1u8, 0, 1, 0][..], &swath_body(8, speed, beams)].concat(),
        )
    };
    let mut time = swath(200, 8, &BEAMS);
    time[16..20].copy_from_slice(&2_000_000_000u32.to_le_bytes());
    let cases = [
        (newer, 1, "expected version 3 or older, found 4"),
        (
            body(500.0, &BEAMS),
            1,
            "expected a speed of sound of 1350 to 1650 m/s at the head, found 500",
        ),
        (
            body(1478.0, &[(0, 0, 95.0, 0.01)]),
            0,
            "expected a receive angle within ±90°",
        ),
        (
            body(1478.0, &[(0, 0, 10.0, -0.01)]),
            0,
            "expected a travel time above 0",
        ),
        (
            body(1478.0, &[(0, 7, 10.0, 0.01)]),
            0,
            "they are of sectors that the ping has not",
        ),
        (time, 1, "expected nanoseconds of a second, found 2000000000"),
    ];
    for (bad, lost, words) in cases {
        let (_, run) = played(&good(bad)).unwrap();
        let gaps: Vec<_> = gaps(&run)
            .into_iter()
            .filter(|gap| gap.2.contains(words))
            .collect();
        assert_eq!(gaps.len(), 1, "{words}");
        assert_eq!((gaps[0].0, gaps[0].1), (GapCause::Corrupt, lost), "{words}");
        assert!(
            gaps[0].2.contains("`#MRZ`") && gaps[0].2.contains("byte "),
            "{}",
            gaps[0].2
        );
        assert_eq!(
            run.iter().filter_map(detections).count() as u64,
            3 - lost,
            "{words}"
        );
    }
    let (_, run) = played(&good(sound_speed(40, 12.0))).unwrap();
    assert_eq!(gaps(&run).len(), 1, "the ping between was never there: 7, 9");
}

#[test]
fn damage_between_is_told_and_the_rest_is_read() {
    let parts = [
        installation(INSTALLATION),
        motions(0, 60),
        swath(100, 7, &BEAMS),
        swath(200, 8, &BEAMS),
        swath(300, 9, &BEAMS),
    ];
    let place = parts[..3].iter().map(Vec::len).sum::<usize>();
    let whole = parts.concat();
    for at in [0, 5, parts[3].len() - 1] {
        let mut bytes = whole.clone();
        bytes[place + at] ^= 0x55;
        let (_, run) = played(&bytes).unwrap();
        assert_eq!(
            run.iter().filter_map(detections).count(),
            2,
            "byte {at} of the datagram"
        );
        let gaps = gaps(&run);
        let told: Vec<_> = gaps
            .iter()
            .filter(|gap| {
                gap.2
                    .contains(&format!("byte {place}: expected a whole datagram"))
            })
            .collect();
        assert!(!told.is_empty(), "{gaps:?}");
        let lost_of_sonar: u64 = gaps.iter().map(|gap| gap.1).sum();
        assert!((1..=3).contains(&lost_of_sonar), "{gaps:?}");
    }
}

#[test]
fn every_cut_of_a_small_file_keeps_what_is_before_it() {
    let bytes = file();
    let parts = split(&bytes);
    for cut in 0..bytes.len() {
        let mut end = 0;
        let whole = parts.iter().take_while(|part| {
            end += part.len();
            end <= cut
        });
        let (contents, lost) = read(&bytes[..cut]);
        assert_eq!(contents.len(), whole.count(), "cut at {cut}");
        assert!(lost <= 1, "cut at {cut}");
    }
}

#[test]
fn changed_bytes_are_survived() {
    let bytes = file();
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2000 {
        let changed = chance.changed(&bytes);
        let (contents, _) = read(&changed);
        let soundings: usize = swaths(contents).iter().map(|swath| swath.soundings.len()).sum();
        assert!(120 * soundings <= changed.len());
        let _ = kmall::summary_of(Cursor::new(&changed), Path::new("changed.kmall"));
    }
    for _ in 0..40 {
        if let Ok((_, run)) = played(&chance.changed(&bytes)) {
            assert!(run.is_sorted_by_key(Measurement::order));
        }
    }
}

#[test]
fn the_corpus_is_read_without_a_panic() {
    let [whole, parts] = [
        file(),
        [installation(INSTALLATION), swath_in_parts(100, 7, 3)].concat(),
    ];
    let cut = whole[..whole.len() - 200].to_vec();
    let damaged = Chance(7).changed(&whole);
    make_seeds(
        "kmall",
        &[
            ("whole", whole),
            ("parts", parts),
            ("cut", cut),
            ("damaged", damaged),
        ],
    );
    let files = seeds("kmall");
    assert!(files.len() >= 4);
    for (name, bytes) in &files {
        let (contents, _) = read(bytes);
        if name == "whole" {
            assert_eq!(bytes, &file(), "what fuzzing starts from is what the tests write");
            assert_eq!(contents.len(), 10);
        }
    }
}

#[test]
fn what_is_no_such_file_is_refused() {
    let refused = |bytes: &[u8]| {
        kmall::summary_of(Cursor::new(bytes), Path::new("x.kmall"))
            .unwrap_err()
            .to_string()
    };
    assert!(refused(b"").contains("byte 0: expected a KMALL file"));
    assert!(refused(&[0; 100]).contains("found no whole datagram"));
    let only_water = datagram(b"#MWC", 2, 0, &[0; 40]);
    let wrong = played(&only_water).unwrap_err().to_string();
    assert!(
        wrong.contains("expected soundings (`#MRZ`) or sensors"),
        "{wrong}"
    );
}

#[test]
fn real_soundings_are_those_of_the_reference() {
    let name = "real_soundings_are_those_of_the_reference";
    let Some(folder) = shared_data(name, "sonar/kongsberg-kmall") else {
        return;
    };
    let reference = std::fs::read_to_string(folder.join("reference_mrz_kmallpy.json")).unwrap();
    let mut found = Vec::new();
    for file in [
        "OS01_m1927233285749584930.kmall",
        "OS03_2233208777057696242.kmall",
    ] {
        let (contents, lost) = read(&std::fs::read(folder.join(file)).unwrap());
        assert_eq!(lost, 0);
        found.extend(swaths(contents));
    }
    assert_eq!(found.len(), 11);
    let check = |key: &str, value: &dyn Fn(&Swath) -> f64| {
        let expected = numbers(&reference, key);
        assert_eq!(expected.len(), found.len(), "{key}");
        for (swath, expected) in found.iter().zip(expected) {
            let value = value(swath);
            assert!(
                (value - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{key}: {value} {expected}"
            );
        }
    };
    check("pingCnt", &|swath| f64::from(swath.counter));
    check("nSound", &|swath| swath.soundings.len() as f64);
    check("lat", &|swath| swath.place_deg[0]);
    check("lon", &|swath| swath.place_deg[1]);
    check("heading", &|swath| f64::from(swath.heading_deg));
    check("soundSpeedAtTx", &|swath| f64::from(swath.sound_speed_m_per_s));
    let down = |swath: &Swath| {
        swath
            .soundings
            .iter()
            .map(|s| f64::from(s.down_m))
            .collect::<Vec<_>>()
    };
    check("z_min", &|swath| down(swath).into_iter().fold(f64::MAX, f64::min));
    check("z_max", &|swath| down(swath).into_iter().fold(f64::MIN, f64::max));
    check("z_mean", &|swath| {
        down(swath).iter().sum::<f64>() / swath.soundings.len() as f64
    });
    let first = &found[0];
    assert_eq!(first.soundings[0].down_m, 6.514_253_6);
    assert_eq!(first.soundings[1].starboard_m, -2.774_757_4);
    assert_eq!(first.soundings[2].forward_m, -0.708_452_76);
    assert_eq!(first.soundings[0].two_way_time_s, 0.007_533_065);
    assert_eq!(first.soundings[2].angle_deg, 29.409_315);
    let rejected = |swath: &Swath| {
        swath
            .soundings
            .iter()
            .filter(|sounding| sounding.kind == kmall::Kind::Rejected)
            .count()
    };
    assert_eq!(
        found.iter().map(rejected).collect::<Vec<_>>(),
        [129, 0, 400, 0, 0, 137, 0, 0, 0, 0, 330]
    );
}

#[test]
fn real_files_have_what_the_census_counted() {
    let name = "real_files_have_what_the_census_counted";
    let Some(folder) = shared_data(name, "sonar/kongsberg-kmall") else {
        return;
    };
    let of = |file: &str| kmall::summary(&folder.join(file)).unwrap();
    let counts = |summary: &kmall::Summary, kinds: &[&str]| -> Vec<u64> {
        kinds
            .iter()
            .map(|kind| summary.datagrams.get(*kind).copied().unwrap_or(0))
            .collect()
    };
    let first = of("OS01_m1927233285749584930.kmall");
    let kinds = [
        "#IIP", "#IOP", "#SVP", "#SKM", "#SVT", "#SCL", "#SPO", "#CPO", "#SPE", "#MRZ",
    ];
    assert_eq!(counts(&first, &kinds), [1, 1, 1, 2, 2, 3, 3, 3, 3, 6]);
    assert_eq!((first.damaged.0, first.soundings), (0, [2960, 129 + 400 + 137]));
    let column = of("OS01_m1927233285749584930.kmwcd");
    assert_eq!(counts(&column, &["#MWC", "#CHE", "#SPO"]), [5, 9, 3]);
    assert_eq!(column.damaged.0, 0);
}

#[test]
fn a_real_file_plays_by_itself() {
    let Some(file) = shared_data(
        "a_real_file_plays_by_itself",
        "sonar/kongsberg-kmall/OS01_m1927233285749584930.kmall",
    ) else {
        return;
    };
    let recording = Recording::open(&file).unwrap();
    println!("{:#?}", recording.notes());
    let run: Vec<Measurement> = recording.timeline().unwrap().collect();
    let pings: Vec<&Measurement> = run.iter().filter(|one| detections(one).is_some()).collect();
    // Written 4669, 4668, 4670, ...: pings come in the order of their times; 4673 is not in the file.
    assert_eq!(
        pings.iter().map(|ping| ping.seq).collect::<Vec<_>>(),
        [4668, 4669, 4670, 4671, 4672, 4674]
    );
    let counts: Vec<usize> = pings
        .iter()
        .filter_map(|one| Some(detections(one)?.detections.len()))
        .collect();
    assert_eq!(counts, [512, 383, 0, 512, 512, 375]);
    assert_eq!(
        gaps(&run).iter().map(|gap| (gap.0, gap.1)).collect::<Vec<_>>(),
        [(GapCause::Missing, 1)]
    );
    assert_eq!(
        run.iter()
            .filter(|one| matches!(one.payload, Payload::Pose(_)))
            .count(),
        204
    );
}
