//! Whatever frames and METAs are, whenever, in whatever form of record: they come back.
//!
//! `ROUND_TRIPS=100000 cargo test --release -p beluga-sinks --test round_trip` runs so many.

#![allow(clippy::unwrap_used, reason = "helpers of tests, not only tests")]

use beluga_sinks::FrameBytes;
use beluga_sinks::maml::{
    DeviceKey, DocumentFields, Entry, KeyFile, Meta, Reader, Readers, Status, Suite, Trust, Unlock, Writer,
    WriterOptions, verify,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::json;

/// Cases that every run of the tests has.
const CASES: u32 = 40;

/// What is kept: a frame of so many bytes in each stream, or a META.
#[derive(Clone, Debug)]
enum Kept {
    Frame {
        lengths: [usize; 3],
        seed: u8,
        time_nanos: i64,
    },
    Meta {
        length: usize,
        time_nanos: i64,
    },
}

fn kept() -> impl Strategy<Value = Kept> {
    // Times as sensors have them, backwards too, and those that no sensor has.
    let time = prop_oneof![
        8 => 1_700_000_000_000_000_000_i64..1_700_000_003_000_000_000,
        1 => Just(0),
        1 => Just(i64::MAX),
        1 => Just(i64::MIN),
        1 => any::<i64>(),
    ];
    let length = prop_oneof![2 => Just(0_usize), 6 => 0..200_usize, 2 => 0..70_000_usize];
    prop_oneof![
        8 => ([length.clone(), length.clone(), length], any::<u8>(), time.clone())
            .prop_map(|(lengths, seed, time_nanos)| Kept::Frame { lengths, seed, time_nanos }),
        1 => (0..5000_usize, time).prop_map(|(length, time_nanos)| Kept::Meta { length, time_nanos }),
    ]
}

fn bytes(length: usize, seed: u8) -> Vec<u8> {
    // Half of them compress, half do not.
    let mut state = u32::from(seed) + 1;
    let noise = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if seed.is_multiple_of(2) {
            seed
        } else {
            (state >> 24) as u8
        }
    };
    (0..length).map(noise).collect()
}

fn comes_back(all: &[Kept], suite: Suite, padded: bool, hides_times: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.maml");
    let options = WriterOptions {
        document: DocumentFields::default(),
        suite,
        readers: Readers::with_key_file(KeyFile::from_bytes(&[2; 32])),
        device: DeviceKey::from_seed(&[1; 32]),
        previous: None,
        padded,
        hides_times,
    };
    let mut writer = Writer::create(&path, options).unwrap();
    for kept in all {
        match kept {
            Kept::Frame {
                lengths,
                seed,
                time_nanos,
            } => {
                let [frame, points, arcs] = lengths.map(|length| bytes(length, *seed));
                writer
                    .push(&FrameBytes { frame, points, arcs }, *time_nanos)
                    .unwrap();
            }
            Kept::Meta { length, time_nanos } => {
                let meta = Meta::new("test", *time_nanos, json!("a".repeat(*length))).unwrap();
                writer.push_meta(&meta).unwrap();
            }
        }
    }
    let summary = writer.finish().unwrap();
    let unlock = Unlock::with_key_file(KeyFile::from_bytes(&[2; 32]));
    let trust = Trust::of([summary.signer]);
    let report = verify(&path, &trust, Some(&unlock)).unwrap();
    assert_eq!((report.exit_code(), report.counts), (0, summary.counts));
    let mut reader = Reader::open(&path, &unlock).unwrap();
    assert_eq!(reader.status(), &Status::Sealed);
    for kept in all {
        match (kept, reader.next_entry().unwrap().unwrap()) {
            (
                Kept::Frame {
                    lengths,
                    seed,
                    time_nanos,
                },
                Entry::Frame(found),
            ) => {
                let [frame, points, arcs] = lengths.map(|length| bytes(length, *seed));
                assert!(found.bytes == FrameBytes { frame, points, arcs });
                assert_eq!(found.time_nanos, *time_nanos);
            }
            (Kept::Meta { length, time_nanos }, Entry::Meta(found)) => {
                assert_eq!(found.meta.value().as_str().map(str::len), Some(*length));
                assert_eq!(found.meta.time_nanos(), *time_nanos);
            }
            (kept, found) => panic!("{kept:?} came back as {found:?}"),
        }
    }
    assert_eq!(reader.next_entry().unwrap(), None);
}

/// Those of every run, or as many as are asked for.
fn cases() -> u32 {
    let asked = std::env::var("ROUND_TRIPS")
        .ok()
        .and_then(|text| text.parse().ok());
    asked.unwrap_or(CASES)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_kept_comes_back(
        all in prop::collection::vec(kept(), 0..12),
        [is_core, padded, hides_times] in any::<[bool; 3]>(),
    ) {
        let suite = if is_core { Suite::Core512 } else { Suite::Edge256 };
        comes_back(&all, suite, padded, hides_times);
    }
}

#[test]
fn frames_about_the_length_of_a_record_come_back() {
    // A record takes 16,777,196 bytes; three lengths of four bytes stand before the streams.
    const MOST: usize = 16_777_196 - 12;
    for (length, padded) in [(MOST - 1, false), (MOST, false), (MOST + 1, false), (MOST, true)] {
        let frame = Kept::Frame {
            lengths: [0, length, 0],
            seed: 2,
            time_nanos: 5,
        };
        comes_back(&[frame], Suite::Edge256, padded, true);
    }
}
