//! One frame handed over: the proof holds, opens for those who may, and no change of it passes.

#![allow(clippy::unwrap_used, reason = "helpers of tests, not only tests")]

use std::fs;
use std::path::PathBuf;

use beluga_sinks::maml::{
    DeviceKey, DocumentFields, KeyFile, Meta, Proof, Readers, Status, Suite, Trust, Unlock, Writer,
    WriterOptions, prove, split, verify,
};
use beluga_sinks::{Error, FrameBytes};
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000_000;

fn unlock() -> Unlock {
    Unlock::with_key_file(KeyFile::from_bytes(&[2; 32]))
}

fn stranger() -> Unlock {
    Unlock::with_key_file(KeyFile::from_bytes(&[3; 32]))
}

fn frame(i: u64) -> FrameBytes {
    FrameBytes {
        frame: i.to_le_bytes().to_vec(),
        points: vec![i as u8; 30],
        arcs: vec![1],
    }
}

/// Seven frames, two to a second, with METAs between; the last frame is of two parts if `large`.
fn record(suite: Suite, large: bool) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.maml");
    let options = WriterOptions {
        document: DocumentFields::default(),
        suite,
        readers: Readers::with_key_file(KeyFile::from_bytes(&[2; 32])),
        device: DeviceKey::from_seed(&[1; 32]),
        previous: None,
        padded: false,
        hides_times: false,
    };
    let mut writer = Writer::create(&path, options).unwrap();
    writer
        .push_meta(&Meta::new("test", 0, json!(1)).unwrap())
        .unwrap();
    for i in 0..7 {
        let mut frame = frame(i);
        if large && i == 6 {
            frame.points = vec![7; 17 << 20];
        }
        writer.push(&frame, i as i64 * SECOND / 2).unwrap();
    }
    writer.finish().unwrap();
    (folder, path)
}

#[test]
fn every_frame_of_a_sealed_record_is_proven() {
    for suite in [Suite::Edge256, Suite::Core512] {
        let (folder, path) = record(suite, false);
        let report = verify(&path, &Trust::default(), None).unwrap();
        for i in 0..7 {
            let proof = prove(&path, i, None).unwrap();
            let proof = Proof::from_json(&proof.to_json()).unwrap();
            let proven = proof.check().unwrap();
            assert_eq!(proven.time_nanos, i as i64 * SECOND / 2);
            assert_eq!(Some(proven.tree), report.signed, "the seal's own root");
            assert_eq!(
                (proven.suite, proven.parts, proven.is_readable),
                (suite, 1, false)
            );
            assert_eq!(proven.signer, DeviceKey::from_seed(&[1; 32]).id());
            assert_eq!(proof.open(&unlock()).unwrap(), frame(i));
            assert!(matches!(proof.open(&stranger()), Err(Error::NoKey { .. })));
        }
        let none = prove(&path, 7, None);
        assert!(matches!(
            none,
            Err(Error::NoFrame {
                wanted: 7,
                found: 7,
                ..
            })
        ));
        let (document, rest) = (folder.path().join("d"), folder.path().join("b"));
        split(&path, &document, &rest).unwrap();
        let document = fs::read_to_string(&document).unwrap();
        let proof = prove(&path, 0, None).unwrap();
        assert!(proof.is_of_document(&document));
        assert!(!proof.is_of_document(&document.replacen("dataset", "datasets", 1)));
    }
}

#[test]
fn a_frame_of_a_torn_record_is_proven_by_its_last_checkpoint() {
    let (_folder, path) = record(Suite::Edge256, false);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 40 - 7000]).unwrap();
    let report = verify(&path, &Trust::default(), None).unwrap();
    assert!(matches!(report.status, Status::Torn { .. }), "{report}");
    assert_eq!(report.counts.frames, 6);
    let proof = prove(&path, 5, None).unwrap();
    assert_eq!(Some(proof.check().unwrap().tree), report.signed);
    assert_eq!(proof.open(&unlock()).unwrap(), frame(5));
    assert!(
        matches!(prove(&path, 6, None), Err(Error::NoFrame { .. })),
        "not signed"
    );
}

#[test]
fn a_frame_in_parts_is_proven_whole() {
    let (_folder, path) = record(Suite::Edge256, true);
    let proof = prove(&path, 6, None).unwrap();
    assert_eq!(proof.check().unwrap().parts, 2);
    assert_eq!(proof.open(&unlock()).unwrap().points.len(), 17 << 20);
    let mut value: Value = serde_json::from_str(&proof.to_json()).unwrap();
    let records = value["records"].as_array_mut().unwrap();
    records.pop();
    let short = Proof::from_json(&value.to_string()).unwrap();
    assert!(
        matches!(short.check(), Err(Error::Proof { .. })),
        "the last part is missing"
    );
}

#[test]
fn a_revealed_frame_opens_for_everybody_and_tells_no_other_segment() {
    for suite in [Suite::Edge256, Suite::Core512] {
        let (_folder, path) = record(suite, false);
        assert!(matches!(
            prove(&path, 2, Some(&stranger())),
            Err(Error::NoKey { .. })
        ));
        let proof = prove(&path, 2, Some(&unlock())).unwrap();
        let proof = Proof::from_json(&proof.to_json()).unwrap();
        assert!(proof.check().unwrap().is_readable);
        assert_eq!(proof.open(&stranger()).unwrap(), frame(2));
        // Its key in the proof of a frame of the next segment opens nothing.
        let key: Value = serde_json::from_str(&proof.to_json()).unwrap();
        let mut other: Value = serde_json::from_str(&prove(&path, 4, None).unwrap().to_json()).unwrap();
        other["segment_key"] = key["segment_key"].clone();
        let other = Proof::from_json(&other.to_string()).unwrap();
        other.check().unwrap();
        assert!(matches!(other.open(&stranger()), Err(Error::Proof { .. })));
    }
}

#[test]
fn no_change_of_a_proof_passes() {
    let (_folder, path) = record(Suite::Edge256, false);
    let (_other_folder, other_path) = record(Suite::Edge256, false);
    let value = |path: &PathBuf, frame| -> Value {
        serde_json::from_str(&prove(path, frame, None).unwrap().to_json()).unwrap()
    };
    let (whole, next, other) = (value(&path, 3), value(&path, 4), value(&other_path, 3));
    let refused = |value: &Value, what: &str| {
        let checked = Proof::from_json(&value.to_string()).and_then(|proof| proof.check());
        assert!(matches!(checked, Err(Error::Proof { .. })), "{what}");
    };
    for member in whole.as_object().unwrap().keys() {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(member);
        refused(&without, &format!("without {member}"));
        if other[member] != whole[member] && member != "recipients" {
            let mut spliced = whole.clone();
            spliced[member] = other[member].clone();
            refused(&spliced, &format!("{member} of another file"));
        }
    }
    let mut moved = whole.clone();
    moved["records"][1] = next["records"][1].clone();
    refused(&moved, "a frame of another segment");
    let mut suite = whole.clone();
    suite["suite"] = json!("core-512");
    refused(&suite, "another suite");
    let path_of = |value: &Value, i: usize| value["records"][i]["path"].clone();
    let mut swapped = whole.clone();
    (swapped["records"][0]["path"], swapped["records"][1]["path"]) = (path_of(&whole, 1), path_of(&whole, 0));
    refused(&swapped, "paths of other records");
    // One character changed in every place of the longest strings.
    for (pointer, step) in [("/records/1/record", 1), ("/note", 97), ("/signers", 131)] {
        let text = whole.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        for at in (0..text.len())
            .step_by(step)
            .filter(|&at| text.is_char_boundary(at))
        {
            let replaced = if text[at..].starts_with('A') { "B" } else { "A" };
            let end = at + text[at..].chars().next().unwrap().len_utf8();
            let mut changed = whole.clone();
            *changed.pointer_mut(pointer).unwrap() =
                format!("{}{replaced}{}", &text[..at], &text[end..]).into();
            refused(&changed, &format!("{pointer} at {at}"));
        }
    }
    let text = whole.to_string();
    for end in (0..text.len()).step_by(101) {
        assert!(Proof::from_json(&text[..end]).is_err(), "cut at {end}");
    }
}
