//! The tape: lossless, and readable however it ended.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

mod corpus;
mod damage;
mod killed;
mod parts;
mod python;
mod roundtrip;
mod specimens;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use beluga_ingest::tape::{Reader, Writer};
use beluga_types::{Measurement, Payload, Rig};

/// Writes a tape and gives its bytes.
fn taped(folder: &Path, rig: &Rig, run: &[Measurement]) -> (PathBuf, Vec<u8>) {
    let path = folder.join("run.mcap");
    let mut writer = Writer::create(&path, rig).unwrap().with_sonar_images();
    for measurement in run {
        writer.push(measurement).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), run.len() as u64);
    let bytes = std::fs::read(&path).unwrap();
    (path, bytes)
}

/// What a tape of these bytes gives, if it opens.
fn read(bytes: &[u8]) -> Option<Vec<Measurement>> {
    Reader::new(Cursor::new(bytes), Path::new("memory.mcap"))
        .ok()
        .map(Iterator::collect)
}

fn is_gap(measurement: &Measurement) -> bool {
    matches!(measurement.payload, Payload::Gap(_))
}

fn lost(run: &[Measurement]) -> u64 {
    let lost = |measurement: &Measurement| match &measurement.payload {
        Payload::Gap(gap) => gap.lost,
        _ => 0,
    };
    run.iter().map(lost).sum()
}
