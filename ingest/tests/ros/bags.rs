//! Bags: the same messages as MCAP in every shape, and as SQLite.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::messages::{Form, cloud, fix, imu, odometry};

pub(crate) const SECOND: i64 = 1_000_000_000;
pub(crate) const START: i64 = 1_700_000_000 * SECOND;

/// A message: topic, type, when it was recorded, bytes.
pub(crate) type Said = (&'static str, &'static str, i64, Vec<u8>);

/// A run of so many scans at 10 Hz, each recorded 20 ms after its stamp, with what else a vehicle says.
pub(crate) fn survey(form: Form, scans: usize) -> Vec<Said> {
    let mut all = Vec::new();
    for index in 0..scans {
        let stamp = START + index as i64 * SECOND / 10;
        let late = stamp + SECOND / 50;
        let step = index as f32 + 1.0;
        all.push((
            "/points",
            "sensor_msgs/msg/PointCloud2",
            late,
            cloud(form, stamp, 70, step),
        ));
        all.push((
            "/imu/data",
            "sensor_msgs/msg/Imu",
            late,
            imu(form, stamp, f64::from(step)),
        ));
        all.push((
            "/odom",
            "nav_msgs/msg/Odometry",
            late,
            odometry(form, stamp, f64::from(step)),
        ));
        all.push((
            "/fix",
            "sensor_msgs/msg/NavSatFix",
            late,
            fix(form, stamp, 0, 54.0),
        ));
        all.push((
            "/tf",
            "tf2_msgs/msg/TFMessage",
            late,
            vec![0, 1, 0, 0, 0, 0, 0, 0],
        ));
    }
    all
}

/// How an MCAP file is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) compression: Option<mcap::Compression>,
    pub(crate) is_chunked: bool,
    pub(crate) has_summary: bool,
    pub(crate) has_index: bool,
}

/// As rosbag2 writes it, but with small chunks.
pub(crate) const USUAL: Shape = Shape {
    compression: Some(mcap::Compression::Zstd),
    is_chunked: true,
    has_summary: true,
    has_index: true,
};

pub(crate) fn mcap(folder: &Path, name: &str, shape: Shape, encoding: &str, all: &[Said]) -> PathBuf {
    let path = folder.join(name);
    let options = mcap::WriteOptions::new()
        .profile("ros2")
        .compression(shape.compression)
        .use_chunks(shape.is_chunked)
        .chunk_size(Some(8_000))
        .emit_statistics(shape.has_summary)
        .emit_summary_records(shape.has_summary)
        .emit_summary_offsets(shape.has_summary)
        .emit_message_indexes(shape.has_index);
    let mut writer = options.create(std::fs::File::create(&path).unwrap()).unwrap();
    for (index, (topic, schema, time, data)) in all.iter().enumerate() {
        let schema = match encoding {
            "ros1" => schema.replace("/msg/", "/"),
            _ => (*schema).to_owned(),
        };
        let schema = writer.add_schema(&schema, "ros2msg", b"").unwrap();
        let channel_id = writer
            .add_channel(schema, topic, encoding, &BTreeMap::new())
            .unwrap();
        let header = mcap::records::MessageHeader {
            channel_id,
            sequence: index as u32,
            log_time: *time as u64,
            publish_time: *time as u64,
        };
        writer.write_to_known_channel(&header, data).unwrap();
    }
    writer.finish().unwrap();
    path
}

/// A file of rosbag2's SQLite storage.
pub(crate) fn db3(folder: &Path, name: &str, all: &[Said]) -> PathBuf {
    let path = folder.join(name);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, \
             serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL);
             CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, \
             timestamp INTEGER NOT NULL, data BLOB NOT NULL);
             CREATE INDEX timestamp_idx ON messages (timestamp ASC);
             BEGIN;",
        )
        .unwrap();
    let mut topics: Vec<&str> = Vec::new();
    for (topic, schema, time, data) in all {
        if !topics.contains(topic) {
            topics.push(topic);
            let row = (topics.len() as i64, topic, schema);
            let insert = "INSERT INTO topics VALUES(?1, ?2, ?3, 'cdr', '')";
            connection.execute(insert, row).unwrap();
        }
        let id = topics.iter().position(|known| known == topic).unwrap() as i64 + 1;
        let insert = "INSERT INTO messages(topic_id, timestamp, data) VALUES(?1, ?2, ?3)";
        connection.execute(insert, (id, time, data)).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
    path
}

/// The metadata of a folder of these files, as rosbag2 writes it.
pub(crate) fn metadata(folder: &Path, storage: &str, files: &[&str], all: &[Said]) {
    packed_metadata(folder, storage, files, all, "");
}

/// The same of a bag whose messages or files are packed by zstd.
pub(crate) fn packed_metadata(folder: &Path, storage: &str, files: &[&str], all: &[Said], mode: &str) {
    let mut topics: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
    for (topic, schema, ..) in all {
        topics.entry(topic).or_insert((schema, 0)).1 += 1;
    }
    let topics: String = topics
        .iter()
        .map(|(topic, (schema, count))| {
            format!(
                "    - topic_metadata:\n        name: {topic}\n        type: {schema}\n        serialization_format: cdr\n        \
                 offered_qos_profiles: \"\"\n      message_count: {count}\n"
            )
        })
        .collect();
    let files: String = files.iter().map(|file| format!("    - {file}\n")).collect();
    let text = format!(
        "rosbag2_bagfile_information:\n  version: 5\n  storage_identifier: {storage}\n  duration:\n    nanoseconds: 300000000\n  \
         starting_time:\n    nanoseconds_since_epoch: {START}\n  message_count: {}\n  topics_with_message_count:\n{topics}  \
         compression_format: \"{}\"\n  compression_mode: \"{mode}\"\n  relative_file_paths:\n{files}",
        all.len(),
        if mode.is_empty() { "" } else { "zstd" }
    );
    std::fs::write(folder.join("metadata.yaml"), text).unwrap();
}
