//! Damage of every kind: no panic, and what is lost is counted.

use std::path::Path;

use beluga_ingest::Recording;
use beluga_types::{GapCause, Measurement, Payload};

use crate::bags::{START, Said, Shape, USUAL, db3, mcap, survey};
use crate::messages::{Form, cloud};
use crate::{is_gap, lost, payloads, run};

/// What a file of these bytes gives, if it opens; always in order.
fn read(path: &Path, bytes: &[u8]) -> Option<Vec<Measurement>> {
    std::fs::write(path, bytes).unwrap();
    let run: Vec<_> = Recording::open(path).ok()?.timeline().ok()?.collect();
    assert!(run.is_sorted_by_key(|measurement| measurement.end));
    Some(run)
}

fn clouds(scans: usize) -> Vec<Said> {
    survey(Form::Little, scans)
        .into_iter()
        .filter(|said| said.0 == "/points")
        .collect()
}

/// Scans of two points.
fn small(scans: i64) -> Vec<Said> {
    (0..scans)
        .map(|i| {
            let stamp = START + i * 100_000_000;
            (
                "/points",
                "sensor_msgs/msg/PointCloud2",
                stamp,
                cloud(Form::Little, stamp, 2, 1.0),
            )
        })
        .collect()
}

#[test]
fn every_truncation_of_an_mcap_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let all = small(3);
    let unpacked = Shape {
        compression: None,
        ..USUAL
    };
    for shape in [
        USUAL,
        Shape {
            is_chunked: false,
            ..unpacked
        },
    ] {
        let whole = std::fs::read(mcap(folder.path(), "whole.mcap", shape, "cdr", &all)).unwrap();
        let path = folder.path().join("cut.mcap");
        let mut most = 0;
        for end in 0..whole.len() {
            let Some(run) = read(&path, &whole[..end]) else {
                assert!(most <= 1, "opened before, not at byte {end}");
                continue;
            };
            let found = payloads(&run).len();
            assert!(found >= most && found <= 3, "{found} at byte {end}");
            assert!(run.iter().filter(|m| is_gap(m)).all(|m| matches!(&m.payload,
                Payload::Gap(gap) if gap.cause == GapCause::Truncated || gap.cause == GapCause::Corrupt)));
            most = found;
        }
        assert_eq!(most, 3);
    }
}

#[test]
fn a_bent_byte_anywhere_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let plain = Shape {
        compression: None,
        has_summary: false,
        ..USUAL
    };
    let path = folder.path().join("bent.mcap");
    let whole = std::fs::read(mcap(folder.path(), "whole.mcap", plain, "cdr", &small(2))).unwrap();
    for at in 0..whole.len() {
        for value in [0, 0xff, whole[at] ^ 1, whole[at] ^ 0x80] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            if let Some(run) = read(&path, &bytes) {
                assert!(payloads(&run).len() <= 2);
            }
        }
    }
}

/// A chunk whose sum does not agree: its index says how many messages of each topic it held.
#[test]
fn a_broken_chunk_is_counted_by_its_index() {
    let folder = tempfile::tempdir().unwrap();
    for (compression, name) in [
        (mcap::Compression::Zstd, &b"\x04\0\0\0zstd"[..]),
        (mcap::Compression::Lz4, b"\x03\0\0\0lz4"),
    ] {
        for has_summary in [true, false] {
            let shape = Shape {
                compression: Some(compression),
                has_summary,
                ..USUAL
            };
            let all = survey(Form::Little, 9);
            let path = mcap(folder.path(), "x.mcap", shape, "cdr", &all);
            let mut bytes = std::fs::read(&path).unwrap();
            let chunks: Vec<usize> = (0..bytes.len())
                .filter(|at| bytes[*at..].starts_with(name))
                .collect();
            assert!(chunks.len() >= 3, "{chunks:?}");
            bytes[chunks[1] + 60] ^= 0x55;
            std::fs::write(&path, bytes).unwrap();
            let run = run(&path);
            let found = payloads(&run).len() as u64;
            assert!(
                found < 27 && found + lost(&run) == 27,
                "{found} and {} lost",
                lost(&run)
            );
        }
    }
}

/// Bytes that are no record: what follows them is found again.
#[test]
fn reading_goes_on_at_the_next_packed_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape {
        compression: Some(mcap::Compression::Lz4),
        has_summary: false,
        has_index: false,
        ..USUAL
    };
    let path = mcap(folder.path(), "x.mcap", shape, "cdr", &clouds(12));
    let bytes = std::fs::read(&path).unwrap();
    let chunk = |number| {
        let starts = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"\x03\0\0\0lz4"));
        starts.map(|at| at - 37).nth(number).unwrap()
    };
    let mut torn = bytes[..chunk(1)].to_vec();
    torn.extend([0; 100]);
    torn.extend(&bytes[chunk(2)..]);
    std::fs::write(&path, torn).unwrap();
    let run = run(&path);
    let found = payloads(&run);
    assert!(
        found.len() < 12 && lost(&run) >= 1,
        "{} {}",
        found.len(),
        lost(&run)
    );
    assert_eq!(
        found.last().unwrap().stamp.nanos(),
        START + 1_100_000_000,
        "the last scan is there"
    );
}

#[test]
fn messages_that_are_not_what_their_schema_says_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let good = cloud(Form::Little, START, 70, 1.0);
    let mut all: Vec<Said> = vec![("/points", "sensor_msgs/msg/PointCloud2", START, good.clone())];
    let wrong = [
        Vec::new(),
        vec![0, 1, 0, 0],
        vec![0, 3, 0, 0, 1, 2, 3, 4],
        vec![0xff; 300],
        good[..good.len() / 2].to_vec(),
        [&good[..30], &[0xff; 40], &good[70..]].concat(),
    ];
    for (i, bytes) in (1..).zip(&wrong) {
        all.push((
            "/points",
            "sensor_msgs/msg/PointCloud2",
            START + i * 1000,
            bytes.clone(),
        ));
    }
    all.push((
        "/points",
        "sensor_msgs/msg/PointCloud2",
        START + 100_000_000,
        good.clone(),
    ));
    let path = mcap(folder.path(), "x.mcap", USUAL, "cdr", &all);
    let two = db3(folder.path(), "x.db3", &all);
    for path in [path, two] {
        let run = run(&path);
        assert_eq!((payloads(&run).len(), lost(&run)), (2, 6));
    }
}

/// Pages of SQLite have 4096 bytes; cuts inside and between them.
#[test]
fn every_cut_of_an_sqlite_bag_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(db3(folder.path(), "whole.db3", &clouds(12))).unwrap();
    let path = folder.path().join("cut.db3");
    let mut opened = 0;
    for end in (0..whole.len()).step_by(1021) {
        if let Some(run) = read(&path, &whole[..end]) {
            opened += 1;
            assert!(lost(&run) > 0, "cut at {end} of {}", whole.len());
        }
    }
    assert!(opened > 3, "{opened}");
    let mut bytes = whole.clone();
    for at in (0..whole.len()).step_by(1297) {
        let before = bytes[at];
        bytes[at] ^= 0x41;
        read(&path, &bytes);
        bytes[at] = before;
    }
    assert_eq!(payloads(&read(&path, &whole).unwrap()).len(), 12);
}
