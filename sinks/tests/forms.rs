//! The same record with other readers, in two files, and against a root that was kept elsewhere.

#![allow(clippy::unwrap_used, reason = "helpers of tests, not only tests")]

use std::fs;
use std::path::{Path, PathBuf};

use beluga_sinks::maml::{
    Demands, DeviceKey, DocumentFields, KeyFile, Reader, ReaderKey, Readers, Status, Suite, Trust, Unlock,
    Writer, WriterOptions, join, rewrap, split, verify, verify_for,
};
use beluga_sinks::{Error, FrameBytes};

const SECOND: i64 = 1_000_000_000;

fn trust() -> Trust {
    Trust::of([DeviceKey::from_seed(&[1; 32]).id()])
}

fn key_file(key: u8) -> KeyFile {
    KeyFile::from_bytes(&[key; 32])
}

fn unlock(key: u8) -> Unlock {
    Unlock::with_key_file(key_file(key))
}

fn frame(i: u8) -> FrameBytes {
    FrameBytes {
        frame: vec![i; 20],
        points: (0..40u8).map(|k| k.wrapping_mul(7) ^ i).collect(),
        arcs: vec![],
    }
}

/// A record of three frames, a second apart, for key file 2.
fn record(suite: Suite) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.maml");
    let options = WriterOptions {
        document: DocumentFields::default(),
        suite,
        readers: Readers::with_key_file(key_file(2)),
        device: DeviceKey::from_seed(&[1; 32]),
        previous: None,
        padded: false,
        hides_times: false,
    };
    let mut writer = Writer::create(&path, options).unwrap();
    for i in 0..3 {
        writer.push(&frame(i), i64::from(i) * SECOND).unwrap();
    }
    writer.finish().unwrap();
    (folder, path)
}

fn frames(path: &Path, unlock: &Unlock) -> usize {
    let reader = Reader::open(path, unlock).unwrap();
    assert_eq!(reader.status(), &Status::Sealed);
    let frames: Vec<_> = reader.map(Result::unwrap).collect();
    assert!(frames.iter().zip(0..).all(|(found, i)| found.bytes == frame(i)));
    frames.len()
}

/// Bytes from PRE on.
fn binary(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let marker = b"<!-- maml-records v1: binary follows -->\n";
    let at = bytes
        .windows(marker.len())
        .position(|window| window == marker)
        .unwrap();
    bytes[at + marker.len()..].to_vec()
}

#[test]
fn both_suites_lead_back_and_cut_anywhere_are_not_sealed() {
    for suite in [Suite::Edge256, Suite::Core512] {
        let (_folder, path) = record(suite);
        assert_eq!(frames(&path, &unlock(2)), 3);
        let report = verify(&path, &trust(), Some(&unlock(2))).unwrap();
        assert_eq!((report.exit_code(), report.head.unwrap().suite), (0, suite));
        assert!(matches!(
            Reader::open(&path, &unlock(3)),
            Err(Error::NoKey { .. })
        ));
        let whole = fs::read(&path).unwrap();
        let begin = whole.len() - binary(&path).len() + 100;
        for end in (begin..whole.len()).step_by(7) {
            let mut reader = Reader::from_bytes(&whole[..end], &unlock(2)).unwrap();
            assert_ne!(reader.status(), &Status::Sealed, "cut at {end}");
            let frames: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
            assert!(frames.iter().zip(0..).all(|(found, i)| found.bytes == frame(i)));
        }
    }
}

#[test]
fn a_suite_that_is_said_to_be_the_other_opens_nothing() {
    let (_folder, path) = record(Suite::Core512);
    let mut bytes = fs::read(&path).unwrap();
    let pre = bytes.len() - binary(&path).len();
    bytes[pre + 10] = 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(
        Reader::open(&path, &unlock(2)),
        Err(Error::NoKey { .. })
    ));
    assert_eq!(verify(&path, &trust(), None).unwrap().exit_code(), 4);
}

#[test]
fn other_readers_leave_records_and_signatures_as_they_are() {
    for suite in [Suite::Edge256, Suite::Core512] {
        let (folder, path) = record(suite);
        let before = binary(&path);
        let reader = ReaderKey::from_seed(&[5; 32]);
        let added = Readers {
            recipients: vec![reader.recipient()],
            ..Readers::default()
        };
        let out = folder.path().join("more.maml");
        let done = rewrap(&path, &out, &unlock(2), &added, true).unwrap();
        assert_eq!(done.readers.len(), 2);
        assert_eq!(binary(&out)[100..], before[100..], "records");
        assert_eq!(frames(&out, &unlock(2)), 3);
        assert_eq!(frames(&out, &Unlock::with_reader(reader)), 3);
        let report = verify(&out, &trust(), Some(&unlock(2))).unwrap();
        assert_eq!(
            (report.status.clone(), report.exit_code()),
            (Status::Sealed, 0),
            "{report}"
        );

        // In its place, and the old readers off the list.
        let only = Readers::with_key_file(key_file(3));
        rewrap(&out, &out, &unlock(2), &only, false).unwrap();
        assert!(matches!(Reader::open(&out, &unlock(2)), Err(Error::NoKey { .. })));
        assert_eq!(frames(&out, &unlock(3)), 3);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no draft stays");
    }
}

#[test]
fn readers_are_not_changed_without_a_key_nor_beyond_the_limit() {
    let (folder, path) = record(Suite::Edge256);
    let before = fs::read(&path).unwrap();
    let out = folder.path().join("out.maml");
    let more = |number: u8| Readers {
        key_files: (10..10 + number).map(key_file).collect(),
        ..Readers::default()
    };
    let no_key = rewrap(&path, &out, &unlock(3), &more(1), true);
    assert!(matches!(no_key, Err(Error::NoKey { .. })));
    let too_many = rewrap(&path, &out, &unlock(2), &more(64), true);
    assert!(matches!(too_many, Err(Error::Document { .. })));
    let nobody = rewrap(&path, &out, &unlock(2), &Readers::default(), false);
    assert!(matches!(nobody, Err(Error::NoRecipient)));
    assert!(!out.exists());
    rewrap(&path, &path, &unlock(2), &more(63), true).unwrap();
    assert_eq!(frames(&path, &unlock(72)), 3);
    fs::write(&out, b"taken").unwrap();
    assert!(
        rewrap(&path, &out, &unlock(2), &more(1), true).is_err(),
        "nothing is overwritten"
    );
    // A list that somebody changed is not written anew as if it held.
    let mut changed = before;
    let at = changed
        .windows(11)
        .position(|window| window == b"-> keyfile ")
        .unwrap();
    changed[at + 4] ^= 1;
    fs::write(&path, &changed).unwrap();
    assert!(rewrap(&path, &path, &unlock(2), &more(1), true).is_err());
    assert_eq!(fs::read(&path).unwrap(), changed);
}

#[test]
fn split_and_joined_is_the_same_file() {
    let (folder, path) = record(Suite::Edge256);
    let whole = fs::read(&path).unwrap();
    let at = |name: &str| folder.path().join(name);
    for (i, bytes) in [&whole[..], &whole[..whole.len() - 3000]].into_iter().enumerate() {
        fs::write(&path, bytes).unwrap();
        let name = |what: &str| at(&format!("{i}.{what}"));
        let (document, rest, joined) = (name("md"), name("bin"), name("maml"));
        split(&path, &document, &rest).unwrap();
        let text = fs::read_to_string(&document).unwrap();
        assert!(text.starts_with("---\n") && text.ends_with("binary follows -->\n"));
        assert!(fs::read(&rest).unwrap().starts_with(b"\x89MAML\r\n\x1a\n"));
        join(&document, &rest, &joined).unwrap();
        assert!(fs::read(&joined).unwrap() == bytes);
        assert!(join(&document, &rest, &joined).is_err(), "nothing is overwritten");
        assert!(split(&path, &document, &at("free")).is_err());
    }
}

#[test]
fn parts_that_do_not_belong_together_are_not_joined() {
    let (folder, path) = record(Suite::Edge256);
    let (_other_folder, other) = record(Suite::Edge256);
    let at = |name: &str| folder.path().join(name);
    split(&path, &at("a.md"), &at("a.bin")).unwrap();
    split(&other, &at("b.md"), &at("b.bin")).unwrap();
    let refused = |document: &str, binary: &str| {
        let joined = join(&at(document), &at(binary), &at("joined"));
        assert!(
            matches!(joined, Err(Error::BadHead { .. })),
            "{document} and {binary}"
        );
        assert!(!at("joined").exists());
    };
    refused("a.md", "b.bin");
    let text = fs::read_to_string(at("a.md")).unwrap();
    fs::write(at("edited.md"), text.replacen("# ", "#  ", 1)).unwrap();
    refused("edited.md", "a.bin");
    fs::write(at("windows.md"), text.replace('\n', "\r\n")).unwrap();
    refused("windows.md", "a.bin");
    fs::write(at("longer.md"), text.clone() + "more\n").unwrap();
    refused("longer.md", "a.bin");
    let rest = fs::read(at("a.bin")).unwrap();
    fs::write(at("cut.bin"), &rest[..99]).unwrap();
    refused("a.md", "cut.bin");
}

#[test]
fn a_root_kept_elsewhere_finds_cuts_and_rewriting() {
    let (_folder, path) = record(Suite::Edge256);
    let whole = fs::read(&path).unwrap();
    let check = |demands: Demands| verify_for(&path, &trust(), None, &demands).unwrap();
    let all = check(Demands {
        checkpoints: true,
        ..Demands::default()
    });
    assert_eq!(all.checkpoints.len(), 2, "one before each new segment");
    let expect = |root| Demands {
        root: Some(root),
        ..Demands::default()
    };
    let (leaves, last) = all.signed.unwrap();
    let first = all.checkpoints[0].root;
    for (root, at) in [(last, leaves), (first, all.checkpoints[0].leaves)] {
        let report = check(expect(root));
        assert_eq!((report.root_at, report.exit_code()), (Some(at), 0), "{report}");
    }
    let other = check(expect([9; 32]));
    assert_eq!((other.status.clone(), other.exit_code()), (Status::Sealed, 4));
    assert!(other.to_string().contains("NOT IN THIS RECORD"), "{other}");

    // Cut at the first checkpoint: UNSEALED without a root, refused with the last one.
    let marker = binary(&path);
    let begin = whole.len() - marker.len() + 100;
    let mut at = begin;
    while whole[at + 4] != 4 {
        at += 40 + u32::from_le_bytes(whole[at + 8..at + 12].try_into().unwrap()) as usize;
    }
    at += 40 + u32::from_le_bytes(whole[at + 8..at + 12].try_into().unwrap()) as usize;
    fs::write(&path, &whole[..at]).unwrap();
    assert_eq!(check(Demands::default()).status, Status::Unsealed);
    assert_eq!(check(expect(first)).exit_code(), 3);
    assert_eq!(check(expect(last)).exit_code(), 4);
}

#[test]
fn what_must_be_signed_by_a_trusted_device_is_refused_without() {
    let (_folder, path) = record(Suite::Edge256);
    let whole = fs::read(&path).unwrap();
    let signed = Demands {
        signed: true,
        ..Demands::default()
    };
    let code = |trust: &Trust| verify_for(&path, trust, None, &signed).unwrap().exit_code();
    assert_eq!((code(&trust()), code(&Trust::default())), (0, 4));
    let begin = whole.len() - binary(&path).len() + 100;
    fs::write(&path, &whole[..begin]).unwrap();
    let report = verify_for(&path, &trust(), None, &signed).unwrap();
    assert_eq!((report.status.clone(), report.exit_code()), (Status::Unsealed, 4));
    assert!(report.to_string().contains("MISSING"), "{report}");
    assert_eq!(verify(&path, &trust(), None).unwrap().exit_code(), 3);
}
