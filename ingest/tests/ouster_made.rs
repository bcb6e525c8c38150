//! A small Ouster made here: what is lost, late, double, foreign or damaged on the way to its scans.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod capture_file;

use std::path::{Path, PathBuf};

use beluga_ingest::lidar::ouster::{self, metadata::Metadata};
use beluga_ingest::{Recording, probe};
use beluga_types::elementary::Squared;
use beluga_types::{GapCause, Payload};
use capture_file::{Pcap, SMALL_METADATA, Small, Udp, capture, ethernet, frames};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const WHOLE: usize = 64 * 16;

/// Scans as (number, points), and gaps as (cause, lost, detail).
#[derive(Debug, Default)]
struct Heard {
    scans: Vec<(u64, usize)>,
    gaps: Vec<(GapCause, u64, String)>,
    notes: Vec<String>,
}

impl Heard {
    fn tells(&self, cause: GapCause, words: &str) {
        let found = self
            .gaps
            .iter()
            .any(|(told, lost, detail)| *told == cause && *lost == 0 && detail.contains(words));
        assert!(found, "{words}: {:?}", self.gaps);
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn of(file: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("made.pcap"), file).unwrap();
        std::fs::write(folder.path().join("made.json"), SMALL_METADATA).unwrap();
        Self(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn heard(&self, name: &str) -> Heard {
        let recording = Recording::open(&self.at(name)).unwrap();
        let mut heard = Heard {
            notes: recording.notes().to_vec(),
            ..Heard::default()
        };
        for measurement in recording.timeline().unwrap() {
            match measurement.payload {
                Payload::Lidar(scan) => heard.scans.push((measurement.seq, scan.len())),
                Payload::Gap(gap) => heard.gaps.push((gap.cause, gap.lost, gap.detail)),
                _ => {}
            }
        }
        heard
    }

    fn rig(&self, lines: &str) -> Result<Recording, String> {
        let rig = format!("[[sensor]]\nname = \"front\"\nkind = \"lidar\"\nsource = \"made.pcap\"\n{lines}");
        std::fs::write(self.at("site.toml"), rig).unwrap();
        Recording::open(&self.at("site.toml")).map_err(|error| error.to_string())
    }
}

fn heard(packets: &[Small]) -> Heard {
    Folder::of(&capture(packets)).heard("made.pcap")
}

#[test]
fn whole_scans_come_whole_and_numbers_go_on_behind_the_last() {
    let first = Small {
        frame: 65_534,
        ..Small::FIRST
    };
    let mut packets = frames(first, 2);
    // The device's own number starts again; its time goes on.
    let next = Small {
        frame: 0,
        epoch: first.epoch + 65_536 * 100_000_000,
        ..first
    };
    packets.extend(frames(next, 2));
    let heard = heard(&packets);
    assert_eq!(
        heard.scans,
        [(65_534, WHOLE), (65_535, WHOLE), (65_536, WHOLE), (65_537, WHOLE)]
    );
    assert!(heard.gaps.is_empty(), "{:?}", heard.gaps);
}

#[test]
fn points_lie_where_the_row_looks() {
    let folder = Folder::of(&capture(&frames(Small::FIRST, 1)));
    let measurement = Recording::open(&folder.at("made.pcap"))
        .unwrap()
        .timeline()
        .unwrap()
        .next()
        .unwrap();
    let Payload::Lidar(scan) = &measurement.payload else {
        panic!()
    };
    assert_eq!(
        scan.ring().unwrap()[..17],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0]
    );
    assert_eq!(scan.intensity().unwrap()[5], 5.0);
    assert_eq!(
        (scan.offset_nanos().unwrap()[15], scan.offset_nanos().unwrap()[16]),
        (0, 1_562_500)
    );
    // Column 0 looks along the lidar's x, which is the sensor's -x; positive azimuths are clockwise,
    // so a row at +4° lies at the lidar's -y and the sensor's +y. Rows above the horizon are above.
    let (x, y, z) = (scan.x()[0], scan.y()[0], scan.z()[0]);
    assert!(x < -7.0 && y > 0.4 && z > 2.0, "{x} {y} {z}");
    // A quarter of a turn on: the encoder turns clockwise, to the lidar's -y, the sensor's +y.
    assert!(scan.y()[16 * 16] > 7.0);
    let length = (0..3)
        .map(|axis| [x, y, z - 0.03618][axis].squared())
        .sum::<f32>()
        .sqrt();
    assert!((length - 8.0).abs() < 0.001, "{length}");
}

#[test]
fn a_lost_packet_and_a_lost_scan_are_counted() {
    let mut packets = frames(Small::FIRST, 6);
    packets.drain(16..20);
    packets.remove(6);
    let heard = heard(&packets);
    let whole: Vec<_> = heard
        .scans
        .iter()
        .map(|(seq, points)| (*seq, points * 4 / WHOLE))
        .collect();
    assert_eq!(whole, [(0, 4), (1, 3), (2, 4), (3, 4), (5, 4)]);
    heard.tells(GapCause::Missing, "scan 1: 48 of 64 columns, 1 packet(s) lost");
    assert!(
        heard
            .gaps
            .iter()
            .any(|(cause, lost, _)| (*cause, *lost) == (GapCause::Missing, 1))
    );
}

#[test]
fn a_cut_capture_plays_what_it_holds_and_counts_its_end_as_a_loss() {
    let file = capture(&frames(Small::FIRST, 3));
    let cut = Folder::of(&file[..file.len() - 7]).heard("made.pcap");
    assert_eq!(cut.scans.len(), 3);
    let ends = |(cause, lost, detail): &&(GapCause, u64, String)| {
        (*cause, *lost) == (GapCause::Truncated, 1) && detail.contains("ends inside a record")
    };
    assert_eq!(cut.gaps.iter().filter(ends).count(), 1, "{:?}", cut.gaps);
}

#[test]
fn packets_out_of_order_find_their_scan() {
    let mut packets = frames(Small::FIRST, 4);
    // The last of scan 0 comes behind the first three of scan 1.
    let moved = packets.remove(3);
    packets.insert(6, moved);
    let heard = heard(&packets);
    assert_eq!(heard.scans, [(0, WHOLE), (1, WHOLE), (2, WHOLE), (3, WHOLE)]);
    assert!(heard.gaps.is_empty(), "{:?}", heard.gaps);
}

#[test]
fn late_double_and_foreign_packets_are_left_out_and_counted() {
    let mut packets = frames(Small::FIRST, 6);
    packets.insert(2, packets[1]);
    let late = packets.remove(5);
    packets.insert(15, late);
    let mut heard_at: Vec<_> = packets.iter().map(|packet| packet.heard([10, 0, 0, 1])).collect();
    let other = Small {
        serial: 1,
        ..packets[20]
    };
    heard_at.insert(20, other.heard([10, 0, 0, 1]));
    let udp = Udp {
        source: [10, 0, 0, 1],
        port: 7502,
        payload: b"hello",
    };
    heard_at.insert(20, (heard_at[20].0, ethernet(&udp.ipv4(), &[])));
    let heard = Folder::of(&Pcap::USUAL.file(&heard_at)).heard("made.pcap");
    assert_eq!(heard.scans.len(), 6);
    heard.tells(GapCause::Corrupt, "1 packet(s) a second time");
    heard.tells(GapCause::Missing, "scan 1: 48 of 64 columns, 1 packet(s) lost");
    heard.tells(GapCause::Late, "1 packet(s) came after their scan");
    heard.tells(GapCause::Corrupt, "2 packet(s) of something else on its port");
}

#[test]
fn a_sensor_that_starts_anew_is_told_and_its_clock_set_again() {
    let mut packets: Vec<_> = frames(
        Small {
            frame: 500,
            ..Small::FIRST
        },
        2,
    );
    packets.extend(frames(
        Small {
            initialisation: 8,
            ..Small::FIRST
        },
        2,
    ));
    let mut heard_at: Vec<_> = packets.iter().map(|packet| packet.heard([10, 0, 0, 1])).collect();
    // The capture goes on: one minute for the new start.
    heard_at[8..]
        .iter_mut()
        .for_each(|(time, _)| *time += 110_000_000_000);
    let folder = Folder::of(&Pcap::USUAL.file(&heard_at));
    let heard = folder.heard("made.pcap");
    assert_eq!(
        heard.scans.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(),
        [500, 501, 502, 503]
    );
    heard.tells(GapCause::Missing, "the sensor has started anew");
    let stamps: Vec<_> = (Recording::open(&folder.at("made.pcap"))
        .unwrap()
        .timeline()
        .unwrap())
    .filter(|one| matches!(one.payload, Payload::Lidar(_)))
    .map(|one| one.stamp)
    .collect();
    let pause = stamps[2].seconds_since(stamps[1]);
    assert!((pause - 60.0).abs() < 0.5, "{pause}");
}

#[test]
fn one_damaged_number_is_no_new_start() {
    let mut file = capture(&frames(Small::FIRST, 4));
    // Records and their heads are of one length; the number stands behind the type.
    let head = 16 + 14 + 20 + 8;
    let at = 24 + 5 * (head + Small::FIRST.bytes().len()) + head + 2;
    file[at..at + 2].copy_from_slice(&9000_u16.to_le_bytes());
    let heard = Folder::of(&file).heard("made.pcap");
    assert_eq!(
        heard.scans.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(),
        [0, 1, 2, 3]
    );
    heard.tells(GapCause::Corrupt, "1 packet(s) damaged");
}

#[test]
fn two_sensors_on_one_port_are_told_apart_or_refused_by_name() {
    let mut both = Vec::new();
    for packet in frames(Small::FIRST, 3) {
        both.push(packet.heard([10, 0, 0, 1]));
        both.push(packet.heard([10, 0, 0, 2]));
    }
    let folder = Folder::of(&Pcap::USUAL.file(&both));
    let refused = folder.rig("").unwrap_err();
    for word in [
        "`front`",
        "`address`",
        "from 10.0.0.1 to port 7502",
        "from 10.0.0.2 to port 7502",
    ] {
        assert!(refused.contains(word), "{refused}");
    }
    let one = folder.rig("address = \"10.0.0.2\"\nport = 7502\n").unwrap();
    let scans = one
        .timeline()
        .unwrap()
        .filter(|one| matches!(one.payload, Payload::Lidar(_)))
        .count();
    assert_eq!(scans, 3);
    let none = folder.rig("port = 7600\n").unwrap_err();
    assert!(
        none.contains("to port 7600") && none.contains("ouster scans from 10.0.0.1 to port 7502"),
        "{none}"
    );
    // By itself the capture gives both, each by its address.
    let bare = Recording::open(&folder.at("made.pcap")).unwrap();
    let addresses: Vec<_> = bare
        .rig()
        .sensors
        .iter()
        .map(|sensor| sensor.address.clone().unwrap())
        .collect();
    assert_eq!(addresses, ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn a_capture_without_metadata_says_what_is_known() {
    let folder = Folder::of(&capture(&frames(Small::FIRST, 2)));
    std::fs::remove_file(folder.at("made.json")).unwrap();
    let refused = Recording::open(&folder.at("made.pcap")).unwrap_err().to_string();
    for word in ["`calibration`", "16 rows of RNG15_RFL8_NIR8", "122201000998"] {
        assert!(refused.contains(word), "{refused}");
    }
    // Another sensor's metadata beside it is named.
    let other = SMALL_METADATA.replace("122201000998", "122150000150");
    std::fs::write(folder.at("other.json"), other).unwrap();
    let refused = Recording::open(&folder.at("made.pcap")).unwrap_err().to_string();
    assert!(
        refused.contains("`other.json` is of Ouster OS-1-16, serial number 122150000150"),
        "{refused}"
    );
}

#[test]
fn metadata_is_read_in_every_shape_and_refused_by_name() {
    let read = |text: &str| Metadata::read(text.as_bytes());
    let flat = read(SMALL_METADATA).unwrap();
    let value: serde_json::Value = serde_json::from_str(SMALL_METADATA).unwrap();
    let matrix = |rows: &[i64; 16]| rows.chunks(4).map(<[i64]>::to_vec).collect::<Vec<_>>();
    let sections = serde_json::json!({
        "sensor_info": { "prod_line": "OS-1-16", "prod_sn": "122201000998", "build_rev": "v2.3.0", "initialization_id": 7 },
        "config_params": { "lidar_mode": "1024x10", "timestamp_mode": "TIME_FROM_PTP_1588", "udp_port_lidar": 7502 },
        "lidar_data_format": value["data_format"],
        "beam_intrinsics": { "beam_altitude_angles": value["beam_altitude_angles"],
            "beam_azimuth_angles": value["beam_azimuth_angles"],
            "beam_to_lidar_transform": [1, 0, 0, 15.806, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] },
        "lidar_intrinsics": { "lidar_to_sensor_transform": value["lidar_to_sensor_transform"] },
        "imu_intrinsics": { "imu_to_sensor_transform": value["imu_to_sensor_transform"] },
    });
    let nested = read(&sections.to_string()).unwrap();
    assert_eq!(nested.time_mode, Some(ouster::metadata::TimeMode::Ptp));
    assert_eq!(nested.ports[0], Some(7502));
    let mut same = nested;
    (same.time_mode, same.ports) = (None, [None; 2]);
    assert_eq!(same, flat);
    let rows = matrix(&[-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    let mut with_rows = value.clone();
    with_rows["lidar_to_sensor_transform"] = serde_json::json!(rows);
    assert_eq!(
        read(&with_rows.to_string()).unwrap().sensor_from_lidar[(2, 3)],
        0.0
    );

    for (from, to, words) in [
        (
            "RNG15_RFL8_NIR8",
            "RNG15_RFL8_WIN8",
            &["`RNG15_RFL8_WIN8`", "FUSA_RNG15_RFL8_NIR8_DUAL", "LEGACY"][..],
        ),
        ("[15, 13,", "[13,", &["15 angles", "beam_azimuth_angles"]),
        ("[4, 1,", "[\"4\", 1,", &["beam_azimuth_angles"]),
        ("[0, 63]", "[0, 64]", &["column_window", "0 to 63"]),
        ("[-1, 0, 0, 0,", "[-3, 0, 0, 0,", &["lidar_to_sensor_transform"]),
        (
            "\"pixels_per_column\": 16",
            "\"pixels_per_column\": 32",
            &["pixels_per_column"],
        ),
        ("1024x10", "fast", &["lidar_mode", "`fast`"]),
        (
            "\"columns_per_packet\": 16",
            "\"columns_per_packet\": 2000",
            &["columns_per_packet", "datagram"],
        ),
    ] {
        assert!(SMALL_METADATA.contains(from));
        let wrong = read(&SMALL_METADATA.replacen(from, to, 1)).unwrap_err();
        let told = format!("{} {} {}", wrong.key, wrong.expected, wrong.found);
        // Fewer altitudes are told at the azimuths.
        for word in words.iter().filter(|word| **word != "15 angles") {
            assert!(told.contains(word), "{told}");
        }
    }
}

#[test]
fn a_column_window_is_a_whole_scan() {
    let metadata = SMALL_METADATA.replace("[0, 63]", "[48, 15]");
    let packets: Vec<_> = frames(Small::FIRST, 3)
        .into_iter()
        .filter(|one| [0, 3].contains(&one.number))
        .collect();
    let folder = Folder::of(&capture(&packets));
    std::fs::write(folder.at("made.json"), metadata).unwrap();
    let heard = folder.heard("made.pcap");
    assert_eq!(heard.scans, [(0, 512), (1, 512), (2, 512)]);
    assert!(heard.gaps.is_empty(), "{:?}", heard.gaps);
    assert!(
        heard
            .notes
            .iter()
            .any(|note| note.contains("of which 48 to 15 are measured")),
        "{:?}",
        heard.notes
    );
}

#[test]
fn a_clock_that_tells_tai_is_noted_with_its_remedy() {
    let epoch = 1_650_000_000_000_000_000 + 37_000_000_000;
    let heard = heard(&frames(
        Small {
            epoch,
            ..Small::FIRST
        },
        2,
    ));
    assert!(
        heard
            .notes
            .iter()
            .any(|note| note.contains("TAI") && note.contains("time_offset_ms = -37000")),
        "{:?}",
        heard.notes
    );
}

#[test]
fn a_clock_that_is_years_off_is_noted_with_its_remedy() {
    // The sensor tells the time of 2018, the capture that of 2022.
    let epoch = 1_520_000_000_000_000_000;
    let heard = heard(&frames(
        Small {
            epoch,
            ..Small::FIRST
        },
        2,
    ));
    let told = heard
        .notes
        .iter()
        .any(|note| note.contains("1505 days apart") && note.contains("time_offset_ms = 130000"));
    assert!(told, "{:?}", heard.notes);
}

fn metadata() -> Metadata {
    Metadata::read(SMALL_METADATA.as_bytes()).unwrap()
}

/// Plays it all; a scan never has more points than its bytes can hold.
fn play(file: &[u8]) -> (usize, usize) {
    let Ok(scans) = ouster::scans(file, Path::new("made"), metadata()) else {
        return (0, 0);
    };
    scans.fold((0, 0), |(scans, told), found| match found {
        Ok(scan) => {
            assert!(scan.points.len() <= file.len() / 4);
            (scans + 1, told)
        }
        Err(_) => (scans, told + 1),
    })
}

#[test]
fn every_truncation_plays_what_it_holds() {
    let file = capture(&frames(Small::FIRST, 1));
    assert_eq!(play(&file), (1, 0));
    let mut most = 0;
    for length in 0..file.len() {
        let (scans, _) = play(&file[..length]);
        assert!(scans >= most, "{length}");
        most = scans;
    }
    assert_eq!(most, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn damaged_captures_never_panic(
        changes in prop::collection::vec((0_usize..1 << 16, any::<u8>()), 1..20),
        cut in 0_usize..1 << 16,
    ) {
        let mut file = capture(&frames(Small::FIRST, 3));
        let length = file.len();
        for (at, value) in changes {
            file[at % length] = value;
        }
        file.truncate(length - cut % 200);
        play(&file);
    }
}

/// The corpus of the fuzz target plays here too.
#[test]
fn the_fuzz_corpus_plays() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/ouster");
    let mut files = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        play(&std::fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= 4);
}

#[test]
fn probe_says_who_sends_what_and_gives_the_rig_that_plays() {
    let mut both = Vec::new();
    for packet in frames(Small::FIRST, 3) {
        both.push(packet.heard([10, 0, 0, 1]));
        both.push(packet.heard([10, 0, 0, 2]));
    }
    let udp = Udp {
        source: [10, 0, 0, 3],
        port: 53,
        payload: b"name?",
    };
    both.push((both[0].0, ethernet(&udp.ipv4(), &[])));
    let folder = Folder::of(&Pcap::USUAL.file(&both));
    let found = probe::probe(&folder.at("made.pcap")).unwrap();
    assert!(
        found.recognised && found.plays && found.missing.is_empty(),
        "{:?}",
        found.missing
    );
    let packets = found.packets.unwrap();
    assert_eq!((packets.packets, packets.datagrams, packets.others), (25, 25, 0));
    let told: Vec<_> = (packets.streams.iter())
        .map(|stream| (stream.port, stream.datagrams, stream.what.as_deref()))
        .collect();
    let scans = Some("ouster scans");
    assert_eq!(told, [(7502, 12, scans), (7502, 12, scans), (53, 1, None)]);
    assert_eq!(found.sensors.len(), 2);
    let notes = found.notes.join("\n");
    for word in [
        "OS-1-16",
        "122201000998",
        "v2.3.0",
        "RNG15_RFL8_NIR8",
        "10 Hz",
        "counts from power-on",
    ] {
        assert!(notes.contains(word), "{notes}");
    }
    std::fs::write(found.rig_file.unwrap(), found.rig.unwrap()).unwrap();
    assert_eq!(folder.heard("site.toml").scans.len(), 6);

    // Without metadata it does not play, and the rest is said.
    std::fs::remove_file(folder.at("made.json")).unwrap();
    let found = probe::probe(&folder.at("made.pcap")).unwrap();
    assert!(found.recognised && !found.plays && found.packets.is_some());
    assert!(found.missing[0].contains("`calibration`"), "{:?}", found.missing);
}
