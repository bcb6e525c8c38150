//! Folder and tape of one survey: the same timeline, the same frame bytes.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::path::Path;

use beluga_fusion::Fuser;
use beluga_ingest::{Recording, tape};
use beluga_sinks::{FrameHasher, arrow};
use beluga_types::{Measurement, Rig, SolidarFrame};

fn frame_bytes(rig: &Rig, timeline: impl Iterator<Item = Measurement>) -> (usize, [u8; 32]) {
    let mut fuser = Fuser::new(beluga_fusion::Config::default(), rig.clone()).unwrap();
    let mut hasher = FrameHasher::new();
    let mut count = 0;
    let mut keep = |frames: Vec<SolidarFrame>| {
        for frame in frames {
            hasher.update(&arrow::encode(&frame).unwrap());
            count += 1;
        }
    };
    for measurement in timeline {
        keep(fuser.push(measurement));
    }
    keep(fuser.finish());
    (count, hasher.finish())
}

/// Invariant: a tape replays as the recording it was made of.
#[test]
fn folder_and_tape_give_the_same_frame_bytes() {
    let quay = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/quay");
    let folder = Recording::open(&quay).unwrap();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("quay.mcap");
    let mut writer = tape::Writer::create(&path, folder.rig()).unwrap();
    for measurement in folder.timeline().unwrap() {
        writer.push(&measurement).unwrap();
    }
    let taped = writer.finish().unwrap();

    let tape = Recording::open(&path).unwrap();
    assert_eq!(tape.rig(), folder.rig());
    assert!(tape.timeline().unwrap().eq(folder.timeline().unwrap()));
    assert_eq!(taped, tape.timeline().unwrap().count() as u64);
    assert_eq!(
        frame_bytes(tape.rig(), tape.timeline().unwrap()),
        frame_bytes(folder.rig(), folder.timeline().unwrap())
    );
}

/// Invariant: a tape in parts gives the frame bytes of one in a single file.
#[test]
fn a_tape_in_parts_gives_the_same_frame_bytes() {
    let quay = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/quay");
    let folder = Recording::open(&quay).unwrap();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("quay.mcap");
    let rotation = tape::Rotation {
        bytes: Some(1),
        length: None,
        keep_bytes: None,
        tell: std::sync::Arc::new(|_| {}),
    };
    let mut parts = tape::Parts::create(&path, folder.rig(), rotation, false).unwrap();
    for measurement in folder.timeline().unwrap() {
        parts.push(&measurement).unwrap();
    }
    parts.finish().unwrap();
    let files = std::fs::read_dir(home.path()).unwrap().count();
    assert!(files > 3, "{files} parts");
    let tape = Recording::open(&path).unwrap();
    assert_eq!(
        frame_bytes(tape.rig(), tape.timeline().unwrap()),
        frame_bytes(folder.rig(), folder.timeline().unwrap())
    );
}
