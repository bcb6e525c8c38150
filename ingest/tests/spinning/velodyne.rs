//! Against velodyne-decoder 3.1.0 and Nebula.

use std::path::Path;

use beluga_types::elementary::{hypot, sin};
use beluga_types::{GapCause, Payload};

use super::shared_data::shared_data;
use super::{Kept, Played, Point, changed, csv, json, nearest, pcd, play, points, with_rig, written};

const PUCK: &str = "live/velodyne-vlp16-veloview";
const PUCK_CAPTURE: &str = "vlp-16-test-90deg-1-50-frames.pcap";
const HDL: &str = "live/velodyne-hdl32-gps-veloview";
const HDL_CAPTURE: &str = "monterey-first-100-packets.pcap";
const DUAL: &str = "live/velodyne-vlp16-nebula-ros2";

/// The other decoder cuts scans elsewhere, between packets, but every packet is in both: its scans
/// are consecutive stretches of our returns.
fn check_scans(played: &Played, truth: &Path) {
    // It leaves out what is nearer than 0.1 m or farther than 200 m.
    let mut points = points(played);
    points.retain(|point| (0.1..=200.0).contains(&point.range_m()));
    let truth = json(truth);
    let mut rest = &points[..];
    for scan in truth["scans"].as_array().unwrap() {
        let index = scan["index"].as_u64().unwrap();
        let count = scan["points"].as_u64().unwrap() as usize;
        assert!(
            rest.len() >= count,
            "scan {index}: {} of {count} left",
            rest.len()
        );
        let (own, behind) = rest.split_at(count);
        for axis in 0..3 {
            let found: f64 = own.iter().map(|point| point.place[axis]).sum();
            let expected = scan["xyz_sum_m"][axis].as_f64().unwrap();
            // Azimuths are rounded to 0.01° there, and the lasers with a return are not
            // spread evenly over what is rounded.
            let total = scan["range_sum_m"].as_f64().unwrap();
            assert!(
                (found - expected).abs() < 5e-5 * total,
                "scan {index} axis {axis}: {found} {expected}"
            );
        }
        let range: f64 = own.iter().map(Point::range_m).sum();
        let expected = scan["range_sum_m"].as_f64().unwrap();
        assert!(
            (range / expected - 1.0).abs() < 1e-7,
            "scan {index}: {range} {expected}"
        );
        let intensity: f64 = own.iter().map(|point| f64::from(point.intensity)).sum();
        assert_eq!(Some(intensity), scan["intensity_sum"].as_f64(), "scan {index}");
        rest = behind;
    }
    assert!(rest.is_empty(), "{} returns more", rest.len());
}

/// The first returns of the scans that are there as tables.
fn check_first(played: &Played, truth: &Path, tables: &[(usize, &Path)]) {
    let mut points = points(played);
    points.retain(|point| (0.1..=200.0).contains(&point.range_m()));
    let truth = json(truth);
    let counts = truth["scans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scan| scan["points"].as_u64().unwrap());
    let counts: Vec<u64> = counts.collect();
    for (scan, table) in tables {
        let before: u64 = counts[..*scan].iter().sum();
        let rows = csv(table);
        assert_eq!(rows.len(), 20);
        let own = &points[before as usize..][..20];
        for (place, (row, point)) in rows.iter().zip(own).enumerate() {
            for axis in 0..3 {
                let off = (point.place[axis] - row[axis]).abs();
                assert!(
                    off < 1e-4 * point.range_m(),
                    "scan {scan} point {place}: {:?} {row:?}",
                    point.place
                );
            }
            assert_eq!(
                (f64::from(point.intensity), f64::from(point.ring)),
                (row[3], row[6]),
                "{scan} {place}"
            );
            let (found, expected) = (point.nanos - own[0].nanos, (row[4] - rows[0][4]) * 1e9);
            assert!(
                (found as f64 - expected).abs() < 30.0,
                "scan {scan} point {place}: {found} {expected}"
            );
        }
    }
}

#[test]
fn a_puck_with_a_wrong_product_byte_is_read_as_what_it_is() {
    let Some(folder) = shared_data("a_puck_with_a_wrong_product_byte_is_read_as_what_it_is", PUCK) else {
        return;
    };
    let played = play(&folder.join(PUCK_CAPTURE));
    let note = "product byte 0x21 says HDL-32E, packets come 1327 µs apart as a VLP-16's do";
    assert!(
        played.notes.iter().any(|said| said.contains(note)),
        "{:?}",
        played.notes
    );
    assert!(
        played.notes.iter().any(|said| said.contains("clock: not set")),
        "{:?}",
        played.notes
    );
    assert!(played.gaps.is_empty(), "{:?}", played.gaps);
    assert_eq!(points(&played).len(), 700_400);
    check_scans(&played, &folder.join("truth.json"));
    let tables = [0, 1, 2].map(|scan| (scan, folder.join(format!("scan{scan}_first20.csv"))));
    let tables = tables.each_ref().map(|(scan, table)| (*scan, table.as_path()));
    check_first(&played, &folder.join("truth.json"), &tables);
    // 2.52 s at 20 Hz: cut where the head passes azimuth 0.
    assert!((50..=52).contains(&played.scans.len()), "{}", played.scans.len());
    for (_, scan) in &played.scans {
        assert!(scan.offset_nanos().unwrap().is_sorted());
        assert!(scan.last_offset_nanos() < 51_000_000);
    }
}

#[test]
fn the_rig_decides_on_the_model() {
    let Some(folder) = shared_data("the_rig_decides_on_the_model", PUCK) else {
        return;
    };
    let played = with_rig(&folder.join(PUCK_CAPTURE), "model = \"Puck Hi-Res\"");
    let said = "read as the rig's `model`, Puck Hi-Res";
    assert!(
        played.notes.iter().any(|note| note.contains(said)),
        "{:?}",
        played.notes
    );
    // Beams within 10° instead of 15.
    let steepest = points(&played)
        .iter()
        .map(|point| (point.place[2] / point.range_m()).abs())
        .fold(0.0, f64::max);
    assert!(steepest < sin(10.5f64.to_radians()), "{steepest}");
}

#[test]
fn an_hdl_32e_takes_its_hour_from_its_receiver() {
    let Some(folder) = shared_data("an_hdl_32e_takes_its_hour_from_its_receiver", HDL) else {
        return;
    };
    let played = play(&folder.join(HDL_CAPTURE));
    let note = "hour and date from its receiver (RMC 2012-12-11T22:06:32";
    assert!(
        played.notes.iter().any(|said| said.contains(note)),
        "{:?}",
        played.notes
    );
    check_scans(&played, &folder.join("truth.json"));
    let tables = [0, 1, 2].map(|scan| (scan, folder.join(format!("scan{scan}_first20.csv"))));
    let tables = tables.each_ref().map(|(scan, table)| (*scan, table.as_path()));
    check_first(&played, &folder.join("truth.json"), &tables);
    // First packet: 0x176fbdab.. µs since 22:00; the other decoder says when its first scan ends.
    let first = played.scans[0].0.nanos();
    let last = json(&folder.join("truth.json"))["scans"][0]["stamp_device"]
        .as_f64()
        .unwrap();
    let until = last - first as f64 * 1e-9;
    assert!((0.08..0.09).contains(&until), "{until}");
    // What its position packets say: the clock's state each second, no fix without a height.
    let clocks = played
        .others
        .iter()
        .filter(|(_, payload)| matches!(payload, Payload::Clock(_)))
        .count();
    assert_eq!((clocks, played.others.len()), (2, 2));
}

#[test]
fn two_returns_of_a_firing_are_counted_once_where_they_are_one() {
    let Some(folder) = shared_data(
        "two_returns_of_a_firing_are_counted_once_where_they_are_one",
        DUAL,
    ) else {
        return;
    };
    let played = play(&folder.join("neb_vlp16.pcap"));
    let truth = folder.join("truth_velodyne_decoder.json");
    check_scans(&played, &truth);
    check_first(&played, &truth, &[(2, &folder.join("scan2_first20.csv"))]);
    assert!(played.gaps.is_empty(), "{:?}", played.gaps);
    let nebula = pcd(&folder.join("1673400472138016708.pcd"));
    assert_eq!(nebula.len(), 14_831);
    let own = points(&played);
    let distances = nearest(&nebula, 60, &own);
    let (median, most) = (
        distances[distances.len() / 2],
        distances[distances.len() * 95 / 100],
    );
    println!(
        "nebula vlp16: median {:.2} mm, 95 % {:.2} mm",
        median * 1e3,
        most * 1e3
    );
    assert!(median < 6e-3 && most < 13e-3, "{median} {most}");
}

#[test]
fn lost_late_and_double_packets_are_counted() {
    let Some(folder) = shared_data("lost_late_and_double_packets_are_counted", DUAL) else {
        return;
    };
    let capture = folder.join("neb_vlp16.pcap");
    let bytes = changed(&capture, |index, _| match index {
        100 | 101 => Kept::Not,
        200 => Kept::Twice,
        300 => Kept::Later,
        _ => Kept::Once,
    });
    let (_folder, path) = written(&bytes);
    let played = play(&path);
    let said: Vec<&str> = played.gaps.iter().map(|(_, _, said)| said.as_str()).collect();
    assert_eq!(played.gaps.len(), 2, "{said:?}");
    assert!(said[0].contains("2 packet(s) lost"), "{said:?}");
    assert!(
        said[1].contains("1 packet(s) a second time, left out"),
        "{said:?}"
    );
    assert!(
        played
            .gaps
            .iter()
            .all(|(cause, lost, _)| *lost == 0 && *cause != GapCause::Late)
    );
    let whole = points(&play(&capture)).len();
    let two: usize = 2 * 384 / 2;
    assert!((whole - two..whole).contains(&points(&played).len()));
    for (_, scan) in &played.scans {
        assert!(
            scan.offset_nanos().unwrap().is_sorted(),
            "a late packet has its place"
        );
    }
}

#[test]
fn a_calibration_file_moves_the_points() {
    let Some(folder) = shared_data("a_calibration_file_moves_the_points", DUAL) else {
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("unit.yaml");
    let lasers: String = (0..16)
        .map(|id| {
            format!("- {{laser_id: {id}, rot_correction: 0, vert_correction: 0, dist_correction: 1}}\n")
        })
        .collect();
    std::fs::write(
        &file,
        format!("num_lasers: 16\ndistance_resolution: 0.002\nlasers:\n{lasers}"),
    )
    .unwrap();
    let capture = folder.join("neb_vlp16.pcap");
    let played = with_rig(
        &capture,
        &format!("calibration = {:?}", file.display().to_string()),
    );
    assert!(
        played
            .notes
            .iter()
            .any(|note| note.contains("calibration `unit.yaml`")),
        "{:?}",
        played.notes
    );
    let (moved, plain) = (points(&played), points(&play(&capture)));
    assert!(moved.iter().all(|point| point.place[2].abs() < 1e-6));
    let range = |points: &[Point]| {
        points
            .iter()
            .map(|point| hypot(point.place[0], point.place[1]))
            .sum::<f64>()
    };
    let total: f64 = plain.iter().map(Point::range_m).sum();
    assert!((range(&moved) / (total + moved.len() as f64) - 1.0).abs() < 1e-3);
}
