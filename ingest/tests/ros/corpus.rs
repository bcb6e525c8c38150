//! What fuzzing found or starts from, read once more by an ordinary test.

use std::path::{Path, PathBuf};

use beluga_ingest::ros;
use beluga_types::Payload;

use crate::bags::START;
use crate::messages::{Form, cloud, fix, imu, odometry};

/// The types by the first byte of a file of the corpus, as the fuzz target takes it.
const TYPES: [&str; 4] = [
    "sensor_msgs/msg/PointCloud2",
    "sensor_msgs/msg/Imu",
    "sensor_msgs/msg/NavSatFix",
    "nav_msgs/msg/Odometry",
];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/ros")
}

fn read(bytes: &[u8]) -> Option<Payload> {
    let (first, message) = bytes.split_first()?;
    ros::payload(TYPES[usize::from(*first) % TYPES.len()], message).ok()
}

#[test]
fn the_corpus_is_read_without_a_panic_and_so_is_every_cut_of_it() {
    let mut kinds = [0; 4];
    for entry in std::fs::read_dir(corpus()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        match read(&bytes) {
            Some(Payload::Lidar(_)) => kinds[0] += 1,
            Some(Payload::Imu(_)) => kinds[1] += 1,
            Some(Payload::Gnss(_)) => kinds[2] += 1,
            Some(Payload::Pose(_)) => kinds[3] += 1,
            _ => {}
        }
        for end in 0..bytes.len() {
            read(&bytes[..end]);
        }
    }
    assert!(kinds.iter().all(|count| *count >= 1), "{kinds:?}");
}

/// Every bit of every message turned: what it gives stays finite.
#[test]
fn a_turned_bit_gives_no_number_that_is_not_finite() {
    for entry in std::fs::read_dir(corpus()).unwrap() {
        let mut bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for bit in 8..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Some(Payload::Lidar(scan)) = read(&bytes) {
                assert!(scan.len() <= bytes.len());
                let axes = [scan.x(), scan.y(), scan.z()];
                assert!(axes.iter().all(|axis| axis.iter().all(|value| value.is_finite())));
            }
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

/// The corpus is made here: set `BELUGA_MAKE_CORPUS`.
#[test]
fn the_corpus_can_be_made_anew() {
    if std::env::var_os("BELUGA_MAKE_CORPUS").is_none() {
        return;
    }
    std::fs::create_dir_all(corpus()).unwrap();
    let (little, big) = (Form::Little, Form::Big);
    let half = cloud(little, START, 3, 1.0);
    for (name, kind, message) in [
        ("cloud", 0, cloud(little, START, 3, 1.0)),
        ("cloud-big", 0, cloud(big, START, 2, 1.0)),
        ("cloud-empty", 0, cloud(little, START, 0, 1.0)),
        ("cloud-cut", 0, half[..half.len() / 2].to_vec()),
        ("imu", 1, imu(little, START, 1.0)),
        ("fix", 2, fix(little, START, 0, 54.0)),
        ("odometry", 3, odometry(big, START, 1.0)),
        ("text", 0, b"Dear diary".to_vec()),
    ] {
        std::fs::write(corpus().join(name), [&[kind][..], &message].concat()).unwrap();
    }
}
