//! `.all`.

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::kongsberg_all::{self, Content, Datagram};
use beluga_ingest::{Error, Recording};
use beluga_types::{GapCause, Measurement, Payload, Water};

use crate::all_file::{BEAMS, INSTALLATION, Order, START_NANOS};
use crate::shared_data::shared_data;
use crate::tools::{self, Chance, detections, gaps, make_seeds, numbers, seeds};

const LITTLE: Order = Order { big: false };
const BIG: Order = Order { big: true };

/// The datagrams of a file, and how many could not be read.
fn read(bytes: &[u8]) -> (Vec<Datagram>, usize) {
    let (mut found, mut lost) = (Vec::new(), 0);
    if let Ok(datagrams) = kongsberg_all::datagrams(Cursor::new(bytes), Path::new("cut.all")) {
        for datagram in datagrams {
            match datagram {
                Ok(datagram) => found.push(datagram),
                Err(_) => lost += 1,
            }
        }
    }
    (found, lost)
}

fn played(bytes: &[u8]) -> Result<(Recording, Vec<Measurement>), Error> {
    tools::played("line.all", bytes)
}

#[test]
fn a_small_file_plays_by_itself_in_both_byte_orders() {
    let mut runs = Vec::new();
    for order in [LITTLE, BIG] {
        let (recording, run) = played(&order.file()).unwrap();
        let rig = recording.rig();
        let names: Vec<&str> = rig.sensors.iter().map(|spec| spec.name.as_str()).collect();
        assert_eq!(names, ["sonar-1", "sonar-2", "ins", "sound-speed"]);
        assert_eq!(
            rig.sensors[2].model.as_deref(),
            Some("A1P1"),
            "the sensors that the sounder uses"
        );
        assert_eq!(rig.vessel.waterline_m, Some(2.5));
        let Water::Profile(levels) = &rig.water else {
            panic!("{:?}", rig.water);
        };
        assert_eq!(levels.len(), 2);
        assert!(
            (levels[0].0 - 2.9).abs() < 1e-6 && (levels[0].1 - 1488.0).abs() < 1e-9,
            "{levels:?}"
        );
        assert!(
            (levels[1].0 - 30.0).abs() < 1e-9 && (levels[1].1 - 1495.0).abs() < 1e-9,
            "{levels:?}"
        );
        assert_eq!(gaps(&run), []);
        let pings: Vec<&Measurement> = run.iter().filter(|one| detections(one).is_some()).collect();
        // By their ends; the starboard head's last echo came first.
        let mut whose: Vec<(u64, u16)> = pings.iter().map(|ping| (ping.seq, ping.sensor.0)).collect();
        whose.sort_unstable();
        assert_eq!(
            whose,
            [(65_535, 0), (65_535, 1), (65_536, 0), (65_536, 1)],
            "the counter goes on"
        );
        assert_eq!(pings[0].stamp.nanos(), START_NANOS + 100_000_000);
        assert_eq!(
            pings[2].stamp.nanos(),
            START_NANOS + 500_000_000,
            "beyond midnight"
        );
        let port = pings.iter().find(|ping| ping.sensor.0 == 0);
        let found = detections(port.unwrap()).unwrap();
        assert_eq!(found.detections.len(), 2, "the third beam has none");
        assert!((found.beam_width_rad[0].to_degrees() - 0.5).abs() < 1e-9);
        assert!((found.beam_width_rad[1].to_degrees() - 1.0).abs() < 1e-9);
        assert!((found.detections[0].transmit_delay_s - 0.002).abs() < 1e-9);
        // 20° to port of a receiver that looks 35° to port; 35° back, which is straight down.
        assert!(found.detections[0].receive_angle_rad < 0.0 && found.detections[1].receive_angle_rad > 0.0);
        assert!((found.detections[0].level_db + 25.0).abs() < 1e-4);
        // One in a thousand of the range would be (3 - 1) / 3; a tenth is nothing.
        assert_eq!(found.detections[0].quality, 0.0);
        let poses: Vec<_> = run
            .iter()
            .filter_map(|one| match &one.payload {
                Payload::Pose(fix) => {
                    Some((one.stamp.nanos() - START_NANOS, fix.world_from_body.translation()))
                }
                _ => None,
            })
            .collect();
        // Attitudes every 50 ms; the fixes were at 0 and at 800 ms by their own time.
        assert_eq!(
            (poses.len(), poses[0].0, poses[15].0),
            (16, 50_000_000, 800_000_000)
        );
        // Heading east, the antenna is 8 m aft, 1 m to starboard (south) and 6 m up.
        let place = poses[3].1;
        assert!(
            (place.x - 8.0).abs() < 1e-3 && (place.y - 1.0).abs() < 1e-3 && (place.z + 6.0).abs() < 1e-3,
            "{place}"
        );
        let speeds = run
            .iter()
            .filter(|one| matches!(one.payload, Payload::SoundSpeed(_)));
        assert_eq!(speeds.count(), 2);
        assert!(
            recording
                .notes()
                .iter()
                .any(|note| note.contains("water column (`k`, 1 datagrams)"))
        );
        runs.push(run);
    }
    // All but the file's name is the same.
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn the_network_sensor_is_read_where_a_rig_names_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("line.all"), LITTLE.file()).unwrap();
    let rig = "[[sensor]]\nname = \"motion\"\nkind = \"nav\"\nsource = \"line.all\"\nmodel = \"n3\"\n\
        [[sensor]]\nname = \"port\"\nkind = \"sonar\"\nsource = \"line.all\"\nformat = \"all\"\nmodel = \"RX2\"\n";
    std::fs::write(folder.path().join("rig.toml"), rig).unwrap();
    let run: Vec<Measurement> = Recording::open(folder.path())
        .unwrap()
        .timeline()
        .unwrap()
        .collect();
    let attitudes = run
        .iter()
        .filter(|one| matches!(one.payload, Payload::Attitude(_)));
    assert_eq!(attitudes.count(), 2);
    assert_eq!(run.iter().filter(|one| detections(one).is_some()).count(), 2);
    let unnamed = rig.replace("model = \"RX2\"\n", "");
    std::fs::write(folder.path().join("rig.toml"), unnamed).unwrap();
    let wrong = Recording::open(folder.path()).unwrap_err().to_string();
    assert!(
        wrong.contains("a sensor of the file: RX1, RX2, found none"),
        "{wrong}"
    );
}

#[test]
fn wrong_sums_and_physics_are_counted_with_their_place() {
    let start = [
        LITTLE.installation(INSTALLATION),
        LITTLE.attitudes(0, 30, 1, true),
    ]
    .concat();
    let ping = |counter: u16, speed| LITTLE.ranges(100 * u32::from(counter), counter, 101, speed, &BEAMS);
    let place = start.len() + ping(1, 14_880).len();
    for (at, alone) in [(25, true), (4, false), (0, false)] {
        let mut bad = ping(2, 14_880);
        bad[at] ^= 0x40;
        let (_, run) = played(&[&start[..], &ping(1, 14_880), &bad, &ping(3, 14_880)].concat()).unwrap();
        assert_eq!(
            run.iter().filter(|one| detections(one).is_some()).count(),
            2,
            "byte {at}"
        );
        let gaps = gaps(&run);
        let told = gaps.iter().filter(|gap| {
            gap.2
                .contains(&format!("byte {place}: expected a whole datagram"))
        });
        // Where its length still says so, it is the sonar's alone.
        assert_eq!(told.count(), if alone { 1 } else { 2 }, "byte {at}: {gaps:?}");
    }
    let (_, run) =
        played(&[&start[..], &ping(1, 14_880), &ping(2, 9_999), &ping(3, 14_880)].concat()).unwrap();
    let gaps = gaps(&run);
    assert_eq!(gaps.len(), 1);
    assert!(
        gaps[0]
            .2
            .contains("expected a speed of sound of 1350 to 1650 m/s at the head, found 999.9"),
        "{gaps:?}"
    );
    assert_eq!((gaps[0].0, gaps[0].1), (GapCause::Corrupt, 1));
}

#[test]
fn every_cut_of_a_small_file_keeps_what_is_before_it() {
    let bytes = LITTLE.file();
    let mut ends = Vec::new();
    while let Some(length) = bytes[ends.last().copied().unwrap_or(0)..].first_chunk() {
        let last = ends.last().copied().unwrap_or(0);
        ends.push(last + 4 + u32::from_le_bytes(*length) as usize);
    }
    assert_eq!(ends.last(), Some(&bytes.len()));
    for cut in 0..bytes.len() {
        let (found, lost) = read(&bytes[..cut]);
        assert_eq!(
            found.len(),
            ends.iter().filter(|end| **end <= cut).count(),
            "cut at {cut}"
        );
        assert!(lost <= 1, "cut at {cut}");
    }
}

#[test]
fn changed_bytes_are_survived() {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    for round in 0..2000 {
        let bytes = if round % 2 == 0 { LITTLE.file() } else { BIG.file() };
        let changed = chance.changed(&bytes);
        let (found, _) = read(&changed);
        let beams: usize = found
            .iter()
            .map(|datagram| match &datagram.content {
                Content::Ranges(ranges) => ranges.beams.len(),
                _ => 0,
            })
            .sum();
        assert!(16 * beams <= changed.len());
        let _ = kongsberg_all::summary_of(Cursor::new(&changed), Path::new("changed.all"));
        if round % 50 == 0
            && let Ok((_, run)) = played(&changed)
        {
            assert!(run.is_sorted_by_key(Measurement::order));
        }
    }
}

#[test]
fn the_corpus_is_read_without_a_panic() {
    let (little, big) = (LITTLE.file(), BIG.file());
    let cut = little[..little.len() - 150].to_vec();
    let damaged = Chance(11).changed(&little);
    make_seeds(
        "all",
        &[
            ("little", little),
            ("big", big),
            ("cut", cut),
            ("damaged", damaged),
        ],
    );
    let files = seeds("all");
    assert!(files.len() >= 4);
    for (name, bytes) in &files {
        let (found, _) = read(bytes);
        if name == "little" {
            assert_eq!(
                bytes,
                &LITTLE.file(),
                "what fuzzing starts from is what the tests write"
            );
            assert_eq!(found.len(), 16);
        }
    }
}

#[test]
fn what_is_no_such_file_is_refused() {
    for bytes in [&b""[..], &[0; 100], b"\x20\0\0\0\x02I\0\0"] {
        let wrong = kongsberg_all::summary_of(Cursor::new(bytes), Path::new("x.all"))
            .unwrap_err()
            .to_string();
        assert!(
            wrong.contains("byte 0: expected a Kongsberg .all file"),
            "{wrong}"
        );
    }
}

#[test]
fn real_soundings_are_those_of_the_reference() {
    let name = "real_soundings_are_those_of_the_reference";
    let Some(folder) = shared_data(name, "sonar/kongsberg-all") else {
        return;
    };
    let reference = std::fs::read_to_string(folder.join("reference_pyall.json")).unwrap();
    let (found, lost) = read(&std::fs::read(folder.join("0077_20221109_123655_Belgica.all")).unwrap());
    assert_eq!((found.len(), lost), (141, 0), "every sum is right");
    let swaths: Vec<(u16, &kongsberg_all::Soundings)> = found
        .iter()
        .filter_map(|datagram| match &datagram.content {
            Content::Soundings(soundings) => Some((datagram.counter, &**soundings)),
            _ => None,
        })
        .collect();
    assert_eq!(swaths.len(), 9);
    let check = |key: &str, value: &dyn Fn(&(u16, &kongsberg_all::Soundings)) -> f64| {
        let expected = numbers(&reference, key);
        assert!(expected.len() >= swaths.len(), "{key}");
        for (swath, expected) in swaths.iter().zip(expected) {
            let value = value(swath);
            assert!(
                (value - expected).abs() < 1e-9 * expected.abs().max(1.0),
                "{key}: {value} {expected}"
            );
        }
    };
    check("ping", &|(ping, _)| f64::from(*ping));
    check("nbeams", &|(_, swath)| swath.soundings.len() as f64);
    check("nvalid", &|(_, swath)| {
        swath
            .soundings
            .iter()
            .filter(|sounding| sounding.detected)
            .count() as f64
    });
    check("heading", &|(_, swath)| swath.heading_deg);
    check("ssv", &|(_, swath)| swath.sound_speed_m_per_s);
    check("txdepth", &|(_, swath)| f64::from(swath.transmitter_depth_m));
    check("z_mean", &|(_, swath)| {
        swath
            .soundings
            .iter()
            .map(|sounding| f64::from(sounding.down_m))
            .sum::<f64>()
            / 256.0
    });
    assert_eq!(swaths[0].1.soundings[1].down_m, 9.641_975);
    assert_eq!(swaths[0].1.soundings[2].starboard_m, -18.268_38);
    let ranges = found.iter().find_map(|datagram| match &datagram.content {
        Content::Ranges(ranges) => Some(ranges),
        _ => None,
    });
    let ranges = ranges.unwrap();
    // The reference decoder leaves it in 0.1 m/s.
    assert!((ranges.sound_speed_m_per_s - 1498.0).abs() < 1e-9);
    assert_eq!((ranges.sample_rate_hz, ranges.beams.len()), (30_637.256, 256));
}

#[test]
fn a_real_file_plays_by_itself() {
    let name = "a_real_file_plays_by_itself";
    let Some(file) = shared_data(name, "sonar/kongsberg-all/0077_20221109_123655_Belgica.all") else {
        return;
    };
    let recording = Recording::open(&file).unwrap();
    println!("{:#?}", recording.notes());
    let run: Vec<Measurement> = recording.timeline().unwrap().collect();
    let pings = |sensor: u16| {
        let own = run
            .iter()
            .filter(|one| detections(one).is_some() && one.sensor.0 == sensor);
        own.map(|ping| ping.seq).collect::<Vec<_>>()
    };
    assert_eq!(pings(0), [59_681, 59_682, 59_683, 59_684, 59_685]);
    assert_eq!(pings(1), pings(0));
    assert_eq!(gaps(&run), []);
    assert!(
        run.iter()
            .filter(|one| matches!(one.payload, Payload::Pose(_)))
            .count()
            > 290
    );
}
