//! Velodyne and Hesai: captures of real units against what other decoders make of them.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod hesai;
mod velodyne;

#[path = "../../../tests/shared_data/mod.rs"]
mod shared_data;

use std::path::Path;
use std::sync::Arc;

use beluga_ingest::Recording;
use beluga_types::elementary::Squared;
use beluga_types::{GapCause, LidarScan, Payload, SensorKind, Stamp};

/// A recording, played to its end.
pub(crate) struct Played {
    pub(crate) notes: Vec<String>,
    pub(crate) scans: Vec<(Stamp, Arc<LidarScan>)>,
    pub(crate) gaps: Vec<(GapCause, u64, String)>,
    pub(crate) others: Vec<(Stamp, Payload)>,
}

pub(crate) fn play(path: &Path) -> Played {
    let recording = Recording::open(path).unwrap();
    let rig = recording.rig().clone();
    let (mut scans, mut gaps, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for measurement in recording.timeline().unwrap() {
        let is_lidar = rig.sensor(measurement.sensor).unwrap().kind == SensorKind::Lidar;
        match measurement.payload {
            Payload::Lidar(scan) => scans.push((measurement.stamp, scan)),
            Payload::Gap(gap) if is_lidar => gaps.push((gap.cause, gap.lost, gap.detail)),
            other => others.push((measurement.stamp, other)),
        }
    }
    Played {
        notes: recording.notes().to_vec(),
        scans,
        gaps,
        others,
    }
}

/// A rig of one lidar whose recording lies elsewhere, with more lines.
pub(crate) fn with_rig(source: &Path, lines: &str) -> Played {
    let folder = tempfile::tempdir().unwrap();
    let rig = folder.path().join("rig.toml");
    let source = source.display().to_string();
    let text = format!("[[sensor]]\nname = \"lidar\"\nkind = \"lidar\"\nsource = {source:?}\n{lines}\n");
    std::fs::write(&rig, text).unwrap();
    play(&rig)
}

/// One return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) place: [f64; 3],
    pub(crate) intensity: f32,
    pub(crate) ring: u16,
    pub(crate) nanos: i64,
}

impl Point {
    pub(crate) fn range_m(&self) -> f64 {
        self.place.iter().map(|axis| axis * axis).sum::<f64>().sqrt()
    }
}

/// All returns of a recording, in the order of their firing.
pub(crate) fn points(played: &Played) -> Vec<Point> {
    let mut points = Vec::new();
    for (stamp, scan) in &played.scans {
        let (intensity, ring) = (scan.intensity().unwrap(), scan.ring().unwrap());
        points.extend(
            scan.offset_nanos()
                .unwrap()
                .iter()
                .enumerate()
                .map(|(index, offset)| Point {
                    place: [scan.x()[index], scan.y()[index], scan.z()[index]].map(f64::from),
                    intensity: intensity[index],
                    ring: ring[index],
                    nanos: stamp.nanos() + i64::from(*offset),
                }),
        );
    }
    points
}

/// Distances from some of the places to the nearest of the points, in metres, sorted.
pub(crate) fn nearest(places: &[[f64; 3]], step: usize, points: &[Point]) -> Vec<f64> {
    // Along x only those are looked at that can still be nearer.
    let mut sorted: Vec<[f64; 3]> = points.iter().map(|point| point.place).collect();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let to_nearest = |place: &[f64; 3]| {
        let mut best = f64::INFINITY;
        let middle = sorted.partition_point(|point| point[0] < place[0]);
        let (below, above) = sorted.split_at(middle);
        let mut look = |side: &mut dyn Iterator<Item = &[f64; 3]>| {
            for point in side {
                if (point[0] - place[0]).abs() > best {
                    break;
                }
                let square: f64 = place.iter().zip(point).map(|(a, b)| (a - b).squared()).sum();
                best = best.min(square.sqrt());
            }
        };
        look(&mut below.iter().rev());
        look(&mut above.iter());
        best
    };
    let mut distances: Vec<f64> = places.iter().step_by(step).map(to_nearest).collect();
    distances.sort_by(f64::total_cmp);
    distances
}

/// The places in a binary PCD whose points begin with x, y, z as `f32`.
pub(crate) fn pcd(path: &Path) -> Vec<[f64; 3]> {
    let bytes = std::fs::read(path).unwrap();
    let begins = b"DATA binary\n";
    let head = bytes
        .windows(begins.len())
        .position(|window| window == begins)
        .unwrap()
        + begins.len();
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let numbers = |key: &str| -> Vec<usize> {
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect()
    };
    let size: usize = numbers("SIZE ")
        .iter()
        .zip(numbers("COUNT "))
        .map(|(size, count)| size * count)
        .sum();
    let number = |bytes: &[u8]| f64::from(f32::from_le_bytes(bytes.try_into().unwrap()));
    bytes[head..]
        .chunks_exact(size)
        .take(numbers("POINTS ")[0])
        .map(|point| [number(&point[..4]), number(&point[4..8]), number(&point[8..12])])
        .collect()
}

/// The rows of a CSV of numbers.
pub(crate) fn csv(path: &Path) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().skip(1).filter(|line| !line.is_empty());
    lines
        .map(|line| line.split(',').map(|number| number.parse().unwrap()).collect())
        .collect()
}

pub(crate) fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A capture with each datagram's payload changed, or left out; the payloads lie behind 42 bytes.
pub(crate) fn changed(source: &Path, change: impl Fn(usize, &mut Vec<u8>) -> Kept) -> Vec<u8> {
    let bytes = std::fs::read(source).unwrap();
    let mut changed = bytes[..24].to_vec();
    let (mut at, mut index) = (24, 0);
    let mut held: Vec<Vec<u8>> = Vec::new();
    while at + 16 <= bytes.len() {
        let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
        let head = &bytes[at..at + 16 + 42];
        let mut payload = bytes[at + 16 + 42..at + 16 + length].to_vec();
        let kept = change(index, &mut payload);
        let record = [head, &payload].concat();
        match kept {
            Kept::Once => changed.extend(record),
            Kept::Twice => changed.extend([&record[..], &record].concat()),
            Kept::Not => {}
            Kept::Later => held.push(record),
        }
        if kept != Kept::Later && index % 10 == 9 {
            changed.extend(held.drain(..).flatten());
        }
        at += 16 + length;
        index += 1;
    }
    changed
}

/// What becomes of a datagram.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Once,
    Twice,
    Not,
    /// Behind the next tenth.
    Later,
}

/// A capture in a folder of its own.
pub(crate) fn written(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.pcap");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}
