//! Real captures of Ouster lidars against what other decoders made of them: frames, returns,
//! digests of every field, coordinates.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

#[path = "../../tests/shared_data/mod.rs"]
mod shared_data;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use beluga_ingest::lidar::ouster::metadata::Metadata;
use beluga_ingest::lidar::ouster::packet::Packet;
use beluga_ingest::lidar::ouster::profile::Field;
use beluga_ingest::lidar::ouster::projection::Projection;
use beluga_ingest::{Recording, capture};
use beluga_types::{Measurement, Payload};
use md5::{Digest as _, Md5};
use serde_json::Value;
use sha2::Sha256;
use shared_data::shared_data;

/// Folder, capture, metadata, and packets of its IMU.
const CAPTURES: [(&str, &str, &str, usize); 4] = [
    (
        "ouster-os0-128-rng15-lowdata",
        "OS-0-128-U1_v2.3.0_1024x10",
        "",
        10,
    ),
    ("ouster-os2-128-rng19", "OS-2-128-U1_v2.3.0_1024x10", "", 10),
    ("ouster-os1-32-legacy", "OS-1-32-G_v2.1.1_1024x10", "", 0),
    (
        "ouster-os1-128-3scans-poses",
        "OS-1-128_v2.3.0_1024x10_lb_n3",
        "OS-1-128_v2.3.0_1024x10",
        30,
    ),
];

struct Case {
    capture: PathBuf,
    metadata: Metadata,
    truth: Value,
    folder: PathBuf,
    samples: usize,
}

fn cases(test: &str) -> Vec<Case> {
    let case = |&(folder, capture, metadata, samples): &(&str, &str, &str, usize)| {
        let folder = shared_data(test, &format!("live/{folder}"))?;
        let metadata = if metadata.is_empty() { capture } else { metadata };
        Some(Case {
            capture: folder.join(format!("{capture}.pcap")),
            metadata: Metadata::open(&folder.join(format!("{metadata}.json"))).unwrap(),
            truth: json(&folder.join("truth.json")),
            folder,
            samples,
        })
    };
    CAPTURES.iter().filter_map(case).collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The lidar packets of a capture, scan by scan.
fn frames(capture: &Path, metadata: &Metadata) -> Vec<(u32, Vec<Vec<u8>>)> {
    let mut frames: Vec<(u32, Vec<Vec<u8>>)> = Vec::new();
    for datagram in capture::datagrams(File::open(capture).unwrap(), capture).unwrap() {
        let payload = datagram.unwrap().payload;
        let Ok(packet) = Packet::read(metadata.format(), &payload) else {
            continue;
        };
        let frame = packet.frame();
        match frames.last_mut() {
            Some((last, packets)) if *last == frame => packets.push(payload),
            _ => frames.push((frame, vec![payload])),
        }
    }
    frames
}

/// A field of a scan, rows × columns as they were measured.
fn image(metadata: &Metadata, packets: &[Vec<u8>], field: Field) -> Vec<u32> {
    let (rows, columns) = (metadata.altitude_deg.len(), metadata.columns);
    let profile = metadata.format().profile();
    let place = profile.place(field).unwrap();
    let mut image = vec![0; rows * columns];
    for packet in packets {
        for column in Packet::read(metadata.format(), packet).unwrap().columns() {
            for (row, pixel) in column.pixels.chunks_exact(profile.pixel_bytes()).enumerate() {
                image[row * columns + usize::from(column.number)] = place.of(pixel);
            }
        }
    }
    image
}

/// As the decoder stores it: little-endian, in as many bytes.
fn stored(image: &[u32], bytes: usize) -> Vec<u8> {
    image
        .iter()
        .flat_map(|value| value.to_le_bytes()[..bytes].to_vec())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn field(name: &str) -> Field {
    match name {
        "RANGE" => Field::Range,
        "RANGE2" => Field::Range2,
        "FLAGS" => Field::Flags,
        "FLAGS2" => Field::Flags2,
        "REFLECTIVITY" => Field::Reflectivity,
        "REFLECTIVITY2" => Field::Reflectivity2,
        "SIGNAL" => Field::Signal,
        "SIGNAL2" => Field::Signal2,
        "NEAR_IR" => Field::NearIr,
        "WINDOW" => Field::Window,
        other => panic!("{other}"),
    }
}

#[test]
fn fields_have_the_sums_and_digests_of_the_truth() {
    for case in cases("fields_have_the_sums_and_digests_of_the_truth") {
        let frames = frames(&case.capture, &case.metadata);
        let scans = case.truth["scans"].as_array().unwrap();
        assert_eq!(frames.len(), scans.len());
        for ((frame, packets), scan) in frames.iter().zip(scans) {
            assert_eq!(u64::from(*frame), scan["frame_id"].as_u64().unwrap());
            assert_eq!(packets.len() as u64, scan["packets"].as_u64().unwrap());
            let mut compared = 0;
            for (name, truth) in scan["fields"].as_object().unwrap() {
                if case.metadata.format().profile().place(field(name)).is_none() {
                    // A field that this decoder does not have for the profile.
                    assert_eq!(truth["nonzero"], 0, "{name}");
                    continue;
                }
                let image = image(&case.metadata, packets, field(name));
                let bytes = match truth["dtype"].as_str().unwrap() {
                    "uint8" => 1,
                    "uint16" => 2,
                    _ => 4,
                };
                let sum: u64 = image.iter().map(|&value| u64::from(value)).sum();
                assert_eq!(sum, truth["sum"].as_u64().unwrap(), "{frame} {name}");
                let digest = hex(&Sha256::digest(stored(&image, bytes)));
                assert_eq!(
                    digest,
                    truth["sha256_le_rowmajor"].as_str().unwrap(),
                    "{frame} {name}"
                );
                compared += 1;
            }
            assert!(compared >= 4);
        }
    }
}

/// `OS-0-32` with two returns: only its maker's own digests are there.
#[test]
fn two_returns_have_the_makers_digests() {
    let name = "two_returns_have_the_makers_digests";
    let Some(folder) = shared_data(name, "lidar/ouster-pcap") else {
        return;
    };
    let stem = "OS-0-32-U1_v2.2.0_1024x10";
    let metadata = Metadata::open(&folder.join(format!("{stem}.json"))).unwrap();
    let frames = frames(&folder.join(format!("{stem}.pcap")), &metadata);
    let truth = &json(&folder.join(format!("{stem}_digest.json")))["scans"][0];
    assert_eq!((frames.len(), frames[0].0), (1, 1453));
    for (name, bytes) in [
        ("RANGE", 4),
        ("RANGE2", 4),
        ("SIGNAL", 2),
        ("SIGNAL2", 2),
        ("REFLECTIVITY", 1),
        ("REFLECTIVITY2", 1),
        ("NEAR_IR", 2),
    ] {
        let image = image(&metadata, &frames[0].1, field(name));
        assert_eq!(
            hex(&Md5::digest(stored(&image, bytes))),
            truth[name].as_str().unwrap(),
            "{name}"
        );
    }
    // Both returns become points.
    let returns = |name| {
        image(&metadata, &frames[0].1, field(name))
            .iter()
            .filter(|&&range| range > 0)
            .count()
    };
    let recording = Recording::open(&folder.join(format!("{stem}.pcap"))).unwrap();
    let scans = scans(&recording);
    assert!(returns("RANGE2") > 0);
    assert_eq!(points(&scans[0]), returns("RANGE") + returns("RANGE2"));
}

fn scans(recording: &Recording) -> Vec<Measurement> {
    let measurements = recording.timeline().unwrap();
    measurements
        .filter(|one| matches!(one.payload, Payload::Lidar(_)))
        .collect()
}

fn points(measurement: &Measurement) -> usize {
    match &measurement.payload {
        Payload::Lidar(scan) => scan.len(),
        _ => 0,
    }
}

#[test]
fn scans_come_with_the_frames_returns_times_and_sums_of_the_truth() {
    for case in cases("scans_come_with_the_frames_returns_times_and_sums_of_the_truth") {
        let recording = Recording::open(&case.capture).unwrap();
        let all: Vec<Measurement> = recording.timeline().unwrap().collect();
        let samples = all
            .iter()
            .filter(|one| matches!(one.payload, Payload::Imu(_)))
            .count();
        assert_eq!(samples, case.samples);
        assert!(!all.iter().any(|one| matches!(one.payload, Payload::Gap(_))));
        let scans = scans(&recording);
        let truth = case.truth["scans"].as_array().unwrap();
        assert_eq!(scans.len(), truth.len());
        for (found, truth) in scans.iter().zip(truth) {
            let Payload::Lidar(scan) = &found.payload else {
                panic!()
            };
            assert_eq!(found.seq, truth["frame_id"].as_u64().unwrap());
            assert_eq!(scan.len() as u64, truth["points_range_gt0"].as_u64().unwrap());
            let nanos = |key: &str| truth[key].as_i64().unwrap();
            let length = nanos("col_timestamp_last_ns") - nanos("col_timestamp_first_ns");
            assert_eq!(found.end.nanos_since(found.stamp), length);
            for (column, sum) in [scan.x(), scan.y(), scan.z()]
                .into_iter()
                .zip(truth["xyz_sum_m"].as_array().unwrap())
            {
                let found: f64 = column.iter().map(|&value| f64::from(value)).sum();
                // Single precision: half a unit in the last place of 100 m for each of 1e5 points.
                assert!((found - sum.as_f64().unwrap()).abs() < 0.05, "{found} {sum}");
            }
            let offsets = scan.offset_nanos().unwrap();
            assert!(offsets.is_sorted() && *offsets.first().unwrap() >= 0);
        }
    }
}

/// Row, column, time, range, x, y, z of the first returns, row by row.
#[test]
fn the_first_twenty_points_are_those_of_the_reference() {
    for case in cases("the_first_twenty_points_are_those_of_the_reference") {
        let projection = Projection::new(&case.metadata);
        for (number, (_, packets)) in frames(&case.capture, &case.metadata).iter().enumerate() {
            let ranges = image(&case.metadata, packets, Field::Range);
            let text = fs::read_to_string(case.folder.join(format!("scan{number}_first20.csv"))).unwrap();
            let mut lines = text.lines().skip(1);
            let mut seen = 0;
            for (index, &range) in ranges
                .iter()
                .enumerate()
                .filter(|(_, range)| **range > 0)
                .take(20)
            {
                let (row, column) = (index / case.metadata.columns, index % case.metadata.columns);
                let fields: Vec<f64> = lines
                    .next()
                    .unwrap()
                    .split(',')
                    .map(|field| field.parse().unwrap())
                    .collect();
                assert_eq!(
                    [row as f64, column as f64, f64::from(range)],
                    [fields[0], fields[1], fields[3]]
                );
                let point = projection.column(column).unwrap().point(row, range).unwrap();
                for (found, truth) in point.iter().zip(&fields[4..7]) {
                    assert!((f64::from(*found) - truth).abs() < 2e-6, "{point:?} {fields:?}");
                }
                seen += 1;
            }
            assert_eq!(seen, 20);
        }
    }
}

/// Firmware 2.0, with metadata that says nothing but angles and mode.
#[test]
fn the_oldest_metadata_plays_with_what_was_usual_then() {
    let name = "the_oldest_metadata_plays_with_what_was_usual_then";
    let Some(folder) = shared_data(name, "lidar/ouster-pcap") else {
        return;
    };
    let metadata = Metadata::open(&folder.join("OS-1-64_sensor_config_reduced.json")).unwrap();
    assert_eq!(
        (metadata.columns, metadata.format().packet_bytes()),
        (1024, 12_608)
    );
    assert_eq!(metadata.lidar_from_beam[(0, 3)], 12.163);
    assert_eq!(metadata.sensor_from_lidar[(2, 3)], 36.18);
    // Of four metadata files beside it, it is the one that the packets fit.
    let recording = Recording::open(&folder.join("OS-1-64_1024x10_fw20.pcap")).unwrap();
    assert!(
        recording
            .notes()
            .iter()
            .any(|note| note.contains("OS-1-64_sensor_config_reduced.json"))
    );
    let scans = scans(&recording);
    assert!(!scans.is_empty() && scans.iter().all(|scan| points(scan) > 10_000));
}

/// The trap of `ouster-os1-128-3scans-poses`: the sensor counts from power-on, 991.6 s, and the
/// capture is of 2022-04-19.
#[test]
fn a_clock_from_power_on_is_set_by_the_captures() {
    let name = "a_clock_from_power_on_is_set_by_the_captures";
    for case in cases(name).into_iter().filter(|case| case.samples == 30) {
        let recording = Recording::open(&case.capture).unwrap();
        let told = recording
            .notes()
            .iter()
            .filter(|note| note.contains("counts from power-on"))
            .count();
        assert_eq!(told, 2, "{:?}", recording.notes());
        let mut smallest = i64::MAX;
        for measurement in recording.timeline().unwrap() {
            assert!(measurement.stamp.iso_8601().starts_with("2022-04-19T23:18:15"));
            let late = measurement.received.nanos_since(measurement.end);
            assert!((0..40_000_000).contains(&late), "{late}");
            smallest = late.min(smallest);
        }
        // The packet with the shortest way took none.
        assert_eq!(smallest, 0);
    }
}

#[test]
fn metadata_of_another_sensor_is_refused_with_both_serial_numbers() {
    let name = "metadata_of_another_sensor_is_refused_with_both_serial_numbers";
    let Some(live) = shared_data(name, "live") else {
        return;
    };
    let capture = live.join("ouster-os0-128-rng15-lowdata/OS-0-128-U1_v2.3.0_1024x10.pcap");
    let folder = tempfile::tempdir().unwrap();
    let refused = |metadata: &str| {
        let rig = format!(
            "[[sensor]]\nname = \"front\"\nkind = \"lidar\"\nsource = {capture:?}\ncalibration = {:?}\n",
            live.join(metadata)
        );
        fs::write(folder.path().join("site.toml"), rig).unwrap();
        Recording::open(&folder.path().join("site.toml"))
            .unwrap_err()
            .to_string()
    };
    let same_size = refused("ouster-os1-128-3scans-poses/OS-1-128_v2.3.0_1024x10.json");
    for word in ["122150000150", "122201000998", "OS-1-128"] {
        assert!(same_size.contains(word), "{same_size}");
    }
    let other_size = refused("ouster-os1-32-legacy/OS-1-32-G_v2.1.1_1024x10.json");
    for word in ["6464 bytes", "8448 bytes", "LEGACY"] {
        assert!(other_size.contains(word), "{other_size}");
    }
}
