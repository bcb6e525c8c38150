//! What a source's stamps mean, and what the times of its points count from, through the door.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use beluga_ingest::Recording;
use beluga_types::{Measurement, Payload};

/// A second.
const S: i64 = 1_000_000_000;

/// 100 points over 99 ms as PLY, their times as `kind name` with these numbers.
fn ply(kind: &str, name: &str, time: impl Fn(i64) -> String) -> String {
    let mut text = format!(
        "ply\nformat ascii 1.0\nelement vertex 100\nproperty float x\nproperty float y\nproperty float z\n\
         property {kind} {name}\nend_header\n"
    );
    for i in 0..100 {
        text += &format!("{i} 0 0 {}\n", time(i));
    }
    text
}

/// The only scan of a recording whose stamp is 50 s, and what is said of it.
fn scan(folder: &Path, meaning: &str, ply: &str) -> (Measurement, Vec<String>) {
    fs::create_dir_all(folder.join("lidar")).unwrap();
    let rig =
        format!("[[sensor]]\nname = \"lidar\"\nkind = \"lidar\"\nrate_hz = 10.0\nstamp = \"{meaning}\"\n");
    fs::write(folder.join("rig.toml"), rig).unwrap();
    fs::write(folder.join("lidar/0.ply"), ply).unwrap();
    fs::write(
        folder.join("lidar/times.csv"),
        format!("file,stamp_ns\n0.ply,{}\n", 50 * S),
    )
    .unwrap();
    let recording = Recording::open(folder).unwrap();
    let only = recording.timeline().unwrap().next().unwrap();
    (only, recording.notes().to_vec())
}

fn offsets(measurement: &Measurement) -> &[i32] {
    match &measurement.payload {
        Payload::Lidar(scan) => scan.offset_nanos().unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The first firing is at 50 s, half a scan before it or a whole scan before it.
#[test]
fn the_stamp_of_a_scan_is_its_start_middle_or_end_as_the_rig_says() {
    let folder = tempfile::tempdir().unwrap();
    let forward = ply("uint", "t", |i| format!("{}", i * 1_000_000));
    for (meaning, start) in [
        ("start", 50 * S),
        ("middle", 50 * S - 49_500_000),
        ("end", 50 * S - 99_000_000),
    ] {
        let (scan, notes) = scan(folder.path(), meaning, &forward);
        assert_eq!(scan.stamp.nanos(), start, "{meaning}");
        assert_eq!(scan.end.nanos(), start + 99_000_000, "{meaning}");
        assert_eq!(offsets(&scan)[99], 99_000_000);
        let said: Vec<&String> = notes.iter().filter(|note| note.contains("point times")).collect();
        assert_eq!(said.len(), 1, "{notes:?}");
        assert!(
            said[0].contains("`lidar`: point times `t`: nanoseconds after"),
            "{said:?}"
        );
    }
}

/// Times that run from −99 ms to 0 say themselves that the stamp is the end.
#[test]
fn times_that_count_back_from_the_stamp_say_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let back = ply("float", "time", |i| format!("{}", (i - 99) as f64 * 1e-3));
    for meaning in ["start", "middle", "end"] {
        let (scan, notes) = scan(folder.path(), meaning, &back);
        assert!(
            (scan.stamp.nanos() - (50 * S - 99_000_000)).abs() < 20,
            "{meaning}"
        );
        assert!((scan.end.nanos() - 50 * S).abs() < 40, "{meaning}");
        assert!(
            offsets(&scan)
                .iter()
                .all(|offset| (0..99_000_020).contains(offset))
        );
        assert!(
            notes
                .iter()
                .any(|note| note.contains("back from the scan's stamp")),
            "{notes:?}"
        );
    }
}

#[test]
fn microseconds_since_the_hour_are_differences_also_when_the_hour_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let hour = ply("uint", "t", |i| {
        format!("{}", (3_599_960_000 + i * 1_000) % 3_600_000_000)
    });
    let (scan, notes) = scan(folder.path(), "start", &hour);
    assert_eq!(scan.stamp.nanos(), 50 * S);
    assert_eq!(offsets(&scan)[..3], [0, 1_000_000, 2_000_000]);
    assert_eq!(offsets(&scan)[99], 99_000_000);
    assert!(
        notes.iter().any(|note| note.contains("begin again after 3600 s")),
        "{notes:?}"
    );
}

#[test]
fn a_field_that_says_the_same_of_all_points_is_no_time_per_point() {
    let folder = tempfile::tempdir().unwrap();
    let (scan, notes) = scan(folder.path(), "end", &ply("double", "timestamp", |_| "7".into()));
    assert!(
        matches!(&scan.payload, Payload::Lidar(scan) if scan.offset_nanos().is_none() && scan.len() == 100)
    );
    // The rate says how long a scan takes.
    assert_eq!((scan.stamp.nanos(), scan.end.nanos()), (50 * S - S / 10, 50 * S));
    assert!(
        notes.iter().any(|note| note.contains("the same for all points")),
        "{notes:?}"
    );
}
