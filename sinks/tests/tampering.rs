//! Damage and malice: no cut, flipped bit or moved record ever reads as SEALED or gives a wrong frame.

#![allow(clippy::unwrap_used, reason = "helpers of tests, not only tests")]

use std::fs;
use std::ops::Range;

use beluga_sinks::FrameBytes;
use beluga_sinks::maml::{
    DeviceKey, DocumentFields, Entry, KeyFile, Meta, Reader, Readers, Report, Status, Suite, Trust, Unlock,
    Writer, WriterOptions, verify_bytes,
};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use proptest::test_runner::RngSeed;

const SECOND: i64 = 1_000_000_000;
const BEGIN: i64 = 1_700_000_000 * SECOND;
const PRE: usize = 100;
const HEADER: usize = 40;

fn unlock() -> Unlock {
    Unlock::with_key_file(KeyFile::from_bytes(&[2; 32]))
}

fn trust() -> Trust {
    Trust::of([DeviceKey::from_seed(&[1; 32]).id()])
}

fn frame(i: u8) -> FrameBytes {
    FrameBytes {
        frame: vec![i; 20],
        points: (0..40u8).map(|k| k.wrapping_mul(7) ^ i).collect(),
        arcs: vec![],
    }
}

fn meta(i: u8) -> Meta {
    Meta::new(
        "test",
        i64::from(i),
        serde_json::json!({ "said": [i, "x".repeat(30)] }),
    )
    .unwrap()
}

/// A record with one frame at each of these seconds.
fn record(seconds: &[i64]) -> Vec<u8> {
    record_with(0, seconds)
}

/// The same with this many METAs before each frame and at the end.
fn record_with(metas: u8, seconds: &[i64]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.maml");
    let options = WriterOptions {
        document: DocumentFields {
            created_nanos: BEGIN,
            ..DocumentFields::default()
        },
        suite: Suite::Edge256,
        readers: Readers::with_key_file(KeyFile::from_bytes(&[2; 32])),
        device: DeviceKey::from_seed(&[1; 32]),
        previous: None,
        padded: false,
        hides_times: false,
    };
    let mut writer = Writer::create(&path, options).unwrap();
    let mut said = 0..u8::MAX;
    let mut say = |writer: &mut Writer| {
        for i in said.by_ref().take(metas.into()) {
            writer.push_meta(&meta(i)).unwrap();
        }
    };
    for (i, second) in seconds.iter().enumerate() {
        say(&mut writer);
        writer.push(&frame(i as u8), BEGIN + second * SECOND).unwrap();
    }
    say(&mut writer);
    writer.finish().unwrap();
    fs::read(&path).unwrap()
}

fn position(bytes: &[u8], needle: &[u8]) -> usize {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap()
}

fn first_record(bytes: &[u8]) -> usize {
    let line = b"<!-- maml-records v1: binary follows -->\n";
    position(bytes, line) + line.len() + PRE
}

/// Where each record stands, END last.
fn records(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut at = first_record(bytes);
    let mut found = Vec::new();
    while bytes[at..].starts_with(b"\xb5RML") {
        let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
        found.push(at..at + HEADER + length);
        at += HEADER + length;
    }
    assert_eq!(bytes.len() - at, 40, "FOOT");
    found
}

fn without_key(bytes: &[u8]) -> Report {
    verify_bytes(bytes, &trust(), None).unwrap()
}

/// Reads with the key; every frame and META that comes must be the one that was written. The status is that
/// of the pass that needs no key, the same that `verify` makes; nothing if the head is not taken.
fn with_key(bytes: &[u8]) -> Option<Status> {
    let mut reader = Reader::from_bytes(bytes, &unlock()).ok()?;
    let (mut frames, mut metas) = (0, 0);
    while let Ok(Some(entry)) = reader.next_entry() {
        match entry {
            Entry::Frame(found) => {
                assert_eq!(found.bytes, frame(frames), "a wrong frame was given");
                frames += 1;
            }
            Entry::Meta(found) => {
                assert_eq!(found.meta, meta(metas), "a wrong META was given");
                metas += 1;
            }
        }
    }
    Some(reader.status().clone())
}

fn refused(bytes: &[u8], what: &str) {
    let status = with_key(bytes);
    assert_ne!(status, Some(Status::Sealed), "{what}, with the key");
    // Signatures are slow here, so a sample of what reads is verified a second time.
    if status.is_none() || bytes.len().is_multiple_of(16) {
        let report = without_key(bytes);
        assert_ne!(report.status, Status::Sealed, "{what}, without a key");
        assert_ne!(report.exit_code(), 0);
        assert_eq!(status.unwrap_or(report.status.clone()), report.status, "{what}");
    }
}

#[test]
fn the_smallest_record_cut_at_every_byte_is_never_sealed() {
    let whole = record(&[0]);
    assert_eq!(with_key(&whole), Some(Status::Sealed));
    for end in 0..whole.len() {
        refused(&whole[..end], &format!("cut at {end}"));
    }
}

#[test]
fn one_bit_flipped_in_every_byte_of_the_smallest_record_is_never_sealed() {
    let whole = record(&[0]);
    let begin = position(&whole, b"```maml-recipients\n") + b"```maml-recipients\n".len();
    let fence = begin..begin + position(&whole[begin..], b"```");
    let mac = first_record(&whole) - 32..first_record(&whole);
    let mut state = 0x5eed_u64;
    for at in 0..whole.len() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (state >> 61);
        // Named exceptions: what only the key authenticates.
        if fence.contains(&at) || mac.contains(&at) {
            let report = verify_bytes(&flipped, &trust(), Some(&unlock())).unwrap();
            assert_ne!(report.status, Status::Sealed, "byte {at}, with the key");
            assert_ne!(
                with_key(&flipped),
                Some(Status::Sealed),
                "byte {at}, with the key"
            );
        } else {
            refused(&flipped, &format!("byte {at}"));
        }
    }
}

/// Where the first META stands; its checkpoint follows it.
fn first_meta(bytes: &[u8]) -> Range<usize> {
    let found = records(bytes)
        .into_iter()
        .find(|range| bytes[range.start + 4] == 3);
    found.unwrap()
}

#[test]
fn a_meta_cut_or_flipped_at_every_byte_is_never_sealed() {
    let whole = record_with(1, &[0]);
    assert_eq!(with_key(&whole), Some(Status::Sealed));
    let stands = first_meta(&whole);
    for at in stands.clone() {
        refused(&whole[..at], &format!("cut at {at}"));
        for bit in [0, 7] {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            refused(&flipped, &format!("byte {at}"));
        }
    }
    // What was said first is still known when the rest is lost.
    let checkpoint = records(&whole)
        .into_iter()
        .find(|range| range.start == stands.end)
        .unwrap();
    let cut = &whole[..checkpoint.end];
    let mut reader = Reader::from_bytes(cut, &unlock()).unwrap();
    assert_eq!(reader.status(), &Status::Unsealed);
    assert_eq!(reader.metas("test").unwrap()[0].meta, meta(0));
    assert!(reader.next_frame().unwrap().is_none());
}

#[test]
fn a_record_dropped_doubled_or_swapped_is_found() {
    every_move_is_found(&record(&[0, 0, 1, 2]));
    every_move_is_found(&record_with(1, &[0, 1]));
}

fn every_move_is_found(whole: &[u8]) {
    let ranges = records(whole);
    let (begin, end) = (ranges[0].start, ranges[ranges.len() - 1].end);
    let rebuilt = |order: &[usize]| {
        let mut bytes = whole[..begin].to_vec();
        order
            .iter()
            .for_each(|&i| bytes.extend_from_slice(&whole[ranges[i].clone()]));
        bytes.extend_from_slice(&whole[end..]);
        bytes
    };
    let all: Vec<usize> = (0..ranges.len()).collect();
    assert_eq!(rebuilt(&all), whole);
    for i in 0..all.len() {
        let mut dropped = all.clone();
        dropped.remove(i);
        refused(&rebuilt(&dropped), &format!("dropped {i}"));
        let mut doubled = all.clone();
        doubled.insert(i, i);
        refused(&rebuilt(&doubled), &format!("doubled {i}"));
        for j in 0..i {
            let mut swapped = all.clone();
            swapped.swap(i, j);
            refused(&rebuilt(&swapped), &format!("swapped {i} and {j}"));
        }
    }
}

#[test]
fn a_record_of_another_file_with_the_same_keys_is_found() {
    let (whole, other) = (record_with(1, &[0, 1]), record_with(1, &[0, 1]));
    let (ranges, others) = (records(&whole), records(&other));
    assert_eq!(ranges.len(), others.len());
    for (range, other_range) in ranges.iter().zip(&others) {
        let spliced = [
            &whole[..range.start],
            &other[other_range.clone()],
            &whole[range.end..],
        ]
        .concat();
        refused(&spliced, &format!("record at {range:?} of another file"));
    }
    let begin = first_record(&whole);
    refused(
        &[&whole[..begin], &other[first_record(&other)..]].concat(),
        "another file's records",
    );
    let head = begin - PRE;
    refused(
        &[&other[..first_record(&other) - PRE], &whole[head..]].concat(),
        "another file's document",
    );
}

#[test]
fn a_whole_tail_of_checkpointed_records_removed_is_unsealed_not_valid() {
    let whole = record(&[0, 1, 2]);
    let ranges = records(&whole);
    let kind = |range: &Range<usize>| whole[range.start + 4];
    for checkpoint in ranges.iter().filter(|range| kind(range) == 4) {
        let report = without_key(&whole[..checkpoint.end]);
        assert_eq!((&report.status, report.exit_code()), (&Status::Unsealed, 3));
    }
}

#[test]
fn damage_is_told_by_its_kind() {
    let whole = record(&[0, 0, 1]);
    let ranges = records(&whole);
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let report = without_key(&bytes);
        (report.status.clone(), report.exit_code())
    };
    assert_eq!(
        changed(ranges[4].start),
        (
            Status::Corrupt {
                offset: ranges[4].start as u64
            },
            4
        )
    );
    // The body of frame 1 is covered by the checkpoint after it: all since the beginning is doubted.
    assert_eq!(changed(ranges[2].end - 1), (Status::Tamper { seq: 0 }, 4));
    let foot = whole.len() - 40;
    assert_eq!(changed(foot), (Status::Corrupt { offset: foot as u64 }, 4));
    assert!(matches!(changed(5).0, Status::BadHead { .. }));
    let longer = [&whole[..], b"x"].concat();
    assert_eq!(
        without_key(&longer).status,
        Status::Corrupt { offset: foot as u64 }
    );
    assert_eq!(without_key(&whole[..foot]).status, Status::Unsealed);
    assert_eq!(without_key(&whole[..foot + 7]).status, Status::Torn { bytes: 7 });
}

#[test]
fn frames_before_the_damage_stay_readable() {
    let mut whole = record(&[0, 1, 2]);
    let last_frame = records(&whole)[7].clone();
    assert_eq!(whole[last_frame.start + 4], 2, "a FRAME");
    whole[last_frame.end - 1] ^= 1;
    let mut reader = Reader::from_bytes(&whole, &unlock()).unwrap();
    assert_eq!(reader.by_ref().map(Result::unwrap).count(), 2);
    assert!(matches!(reader.status(), Status::Tamper { .. }));
}

#[test]
fn versions_and_suites_from_the_future_are_refused_by_name() {
    let whole = record(&[0]);
    let pre = first_record(&whole) - PRE;
    for (at, value, word) in [(9, 2, "version 2"), (10, 7, "suite 7")] {
        let mut other = whole.clone();
        other[pre + at] = value;
        let Status::BadHead { reason } = without_key(&other).status else {
            panic!("taken");
        };
        assert!(reason.contains(word), "{reason}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_edits_never_panic_and_never_pass(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0u8..3), 1..6),
    ) {
        thread_local!(static WHOLE: Vec<u8> = record(&[0, 1]));
        let whole = WHOLE.with(Clone::clone);
        let mut edited = whole.clone();
        for (at, value, how) in edits {
            let at = at.index(edited.len());
            match how {
                0 => edited[at] = value,
                1 => edited.insert(at, value),
                _ => drop(edited.remove(at)),
            }
        }
        let passed = with_key(&edited) == Some(Status::Sealed);
        prop_assert!(!passed || edited == whole);
    }
}
