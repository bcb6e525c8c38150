//! A record without its end: what is whole of it, and what can be sworn of it later. And records under a
//! passphrase, and of few lengths.

#![allow(clippy::unwrap_used, reason = "helpers of tests, not only tests")]

use std::fs;
use std::path::{Path, PathBuf};

use beluga_sinks::maml::{
    DeviceKey, DocumentFields, Entry, KeyFile, LateSeal, Meta, Passphrase, Reader, Readers, Status, Suite,
    Trust, Unlock, Writer, WriterOptions, recover, rewrap, seal_late, verify,
};
use beluga_sinks::{Error, FrameBytes};
use serde_json::json;
use zeroize::Zeroizing;

const SECOND: i64 = 1_000_000_000;
const BEGIN: i64 = 1_700_000_000 * SECOND;
const LATER: i64 = BEGIN + 86_400 * SECOND;

fn device(seed: u8) -> DeviceKey {
    DeviceKey::from_seed(&[seed; 32])
}

fn key_file(key: u8) -> KeyFile {
    KeyFile::from_bytes(&[key; 32])
}

fn unlock(key: u8) -> Unlock {
    Unlock::with_key_file(key_file(key))
}

fn options(suite: Suite) -> WriterOptions {
    WriterOptions {
        document: DocumentFields {
            device: "quay-7".into(),
            created_nanos: BEGIN,
            config_toml: "[fusion]\nwindow_millis = 100\n".into(),
            ..DocumentFields::default()
        },
        suite,
        readers: Readers::with_key_file(key_file(2)),
        device: device(1),
        previous: None,
        padded: false,
        hides_times: false,
    }
}

fn frame(i: u64) -> FrameBytes {
    FrameBytes {
        frame: i.to_le_bytes().to_vec(),
        points: vec![i as u8; 60],
        arcs: vec![1, 2],
    }
}

/// 25 frames, ten a second, after one META; killed after the last, or finished.
fn record(suite: Suite, is_finished: bool) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.maml");
    let mut writer = Writer::create(&path, options(suite)).unwrap();
    writer
        .push_meta(&Meta::new("audit", BEGIN, json!({ "who": "me" })).unwrap())
        .unwrap();
    for i in 0..25 {
        writer.push(&frame(i), BEGIN + i as i64 * SECOND / 10).unwrap();
    }
    match is_finished {
        true => drop(writer.finish().unwrap()),
        false => drop(writer),
    }
    (folder, path)
}

fn frames(path: &Path, unlock: &Unlock) -> usize {
    let reader = Reader::open(path, unlock).unwrap();
    let frames: Vec<_> = reader.map(Result::unwrap).collect();
    for (found, i) in frames.iter().zip(0..) {
        assert_eq!(
            (&found.bytes, found.time_nanos),
            (&frame(i), BEGIN + i as i64 * SECOND / 10)
        );
    }
    frames.len()
}

fn recovered(source: &Path, target: &Path) -> Result<beluga_sinks::maml::Recovered, Error> {
    let readers = Readers::with_key_file(key_file(3));
    recover(source, target, &unlock(2), readers, device(4), LATER)
}

#[test]
fn what_is_whole_of_a_killed_record_is_recovered_and_sealed() {
    for suite in [Suite::Edge256, Suite::Core512] {
        let (folder, path) = record(suite, false);
        let source = fs::read(&path).unwrap();
        let before = verify(&path, &Trust::default(), None).unwrap();
        let target = folder.path().join("whole.maml");
        let done = recovered(&path, &target).unwrap();
        assert!(!done.is_whole() && matches!(done.status, Status::Torn { .. }));
        // Of five after the last checkpoint, `core-512` had three in the hands of its threads.
        let seen = if suite == Suite::Core512 { 2 } else { 5 };
        assert_eq!((done.kept.frames, done.lost_frames), (20, seen));
        assert!(
            done.lost_bytes > 300 && done.lost_bytes < 2000,
            "{}",
            done.lost_bytes
        );
        assert!(fs::read(&path).unwrap() == source, "the source stays");

        let trust = Trust::of([device(4).id()]);
        let report = verify(&target, &trust, Some(&unlock(3))).unwrap();
        assert_eq!(report.exit_code(), 0, "{report}");
        assert_eq!(frames(&target, &unlock(3)), 20);
        let previous = report.previous.unwrap();
        assert_eq!(Some((previous.file_id, previous.root)), {
            let id = before.head.unwrap().file_id;
            before.signed.map(|(_, root)| (id, root))
        });
        let head = report.head.unwrap();
        assert_eq!(head.suite, suite);
        assert!(head.document.contains("window_millis = 100") && head.document.contains("beluga/quay-7"));
        let mut reader = Reader::open(&target, &unlock(3)).unwrap();
        let origin = reader.metas("recovered").unwrap();
        let value = origin[0].meta.value();
        assert_eq!(value["frames"], 20);
        assert!(
            value["document"]
                .as_str()
                .unwrap()
                .starts_with("---\nmaml_version")
        );
        assert_eq!(reader.metas("audit").unwrap().len(), 1, "what was said stays");
    }
}

#[test]
fn every_cut_recovers_to_a_sealed_prefix_or_leaves_no_file() {
    let (folder, path) = record(Suite::Edge256, true);
    let whole = fs::read(&path).unwrap();
    let (cut, target) = (folder.path().join("cut.maml"), folder.path().join("out.maml"));
    let mut most = 0;
    for end in (0..whole.len())
        .step_by(997)
        .chain([whole.len() - 1, whole.len()])
    {
        fs::write(&cut, &whole[..end]).unwrap();
        let signed = verify(&cut, &Trust::default(), None).unwrap().counts.frames;
        match recovered(&cut, &target) {
            Ok(done) => {
                assert_eq!(done.summary.counts.frames, signed);
                assert_eq!(done.is_whole(), end == whole.len());
                assert_eq!(frames(&target, &unlock(3)) as u64, signed);
                most = signed;
                fs::remove_file(&target).unwrap();
            }
            Err(Error::BadHead { .. } | Error::NothingSigned { .. }) => assert_eq!(signed, 0, "cut at {end}"),
            Err(error) => panic!("cut at {end}: {error}"),
        }
        assert!(!target.exists());
    }
    assert_eq!(most, 25);
    fs::write(&target, b"mine").unwrap();
    assert!(recovered(&path, &target).is_err());
    assert_eq!(fs::read(&target).unwrap(), b"mine", "nothing is overwritten");
    fs::remove_file(&target).unwrap();
    let stranger = recover(
        &path,
        &target,
        &unlock(9),
        Readers::with_key_file(key_file(3)),
        device(4),
        LATER,
    );
    assert!(matches!(stranger, Err(Error::NoKey { .. })) && !target.exists());
}

#[test]
fn damage_in_the_middle_keeps_what_is_before_it() {
    let (folder, path) = record(Suite::Edge256, true);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 9000;
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let target = folder.path().join("out.maml");
    let done = recovered(&path, &target).unwrap();
    assert!(
        matches!(done.status, Status::Tamper { .. } | Status::Corrupt { .. }),
        "{}",
        done.status
    );
    assert!(done.kept.frames >= 10 && !done.is_whole());
    assert_eq!(frames(&target, &unlock(3)) as u64, done.kept.frames);
}

#[test]
fn a_late_seal_pins_the_file_as_it_was_found_and_leaves_it_unsealed() {
    let (_folder, path) = record(Suite::Edge256, false);
    let bytes = fs::read(&path).unwrap();
    let text = seal_late(&path, &device(1), LATER).unwrap();
    assert!(fs::read(&path).unwrap() == bytes, "the record stays");
    let report = verify(&path, &Trust::of([device(1).id()]), None).unwrap();
    let seal = LateSeal::read(&text).unwrap();
    seal.check(&path, &report).unwrap();
    assert_eq!(
        (seal.frames, seal.signer, Some(seal.tree)),
        (20, device(1).id(), report.signed)
    );
    assert_eq!(seal.at, "2023-11-15T22:13:20.000000000Z");
    assert!(seal.status.starts_with("TORN("));
    assert_eq!(report.exit_code(), 3, "it is no end");

    // The file grown, cut or changed where no signature reaches is not the one that was found.
    for changed in [&[&bytes[..], b"x"].concat(), &bytes[..bytes.len() - 1], &{
        let mut flipped = bytes.clone();
        *flipped.last_mut().unwrap() ^= 1;
        flipped
    }] {
        fs::write(&path, changed).unwrap();
        let report = verify(&path, &Trust::default(), None).unwrap();
        assert!(matches!(seal.check(&path, &report), Err(Error::LateSeal { .. })));
    }
    for at in (0..text.len())
        .step_by(61)
        .filter(|&at| text.as_bytes()[at] != b'\n')
    {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(LateSeal::read(&changed).is_err(), "changed at {at}");
    }
    for end in (0..text.len() - 1).step_by(53) {
        assert!(LateSeal::read(&text[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn only_what_has_no_end_is_sealed_later() {
    let (_folder, path) = record(Suite::Edge256, true);
    let sealed = seal_late(&path, &device(1), LATER);
    assert!(matches!(sealed, Err(Error::LateSeal { .. })), "sealed already");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 9000;
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(
        matches!(seal_late(&path, &device(1), LATER), Err(Error::LateSeal { .. })),
        "damaged"
    );
    let (_other_folder, other) = record(Suite::Edge256, false);
    let text = seal_late(&other, &device(1), LATER).unwrap();
    let report = verify(&path, &Trust::default(), None).unwrap();
    let other_file = LateSeal::read(&text).unwrap().check(&path, &report);
    assert!(matches!(other_file, Err(Error::LateSeal { .. })));
}

fn passphrase(words: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(words.to_owned())).unwrap()
}

#[test]
fn a_passphrase_opens_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.maml");
    let mut options = options(Suite::Core512);
    options.readers = Readers::with_passphrase(passphrase("salt and rope"));
    let mut writer = Writer::create(&path, options).unwrap();
    writer.push(&frame(0), BEGIN).unwrap();
    writer.finish().unwrap();
    let with = |words: &str| Unlock::with_passphrase(passphrase(words));
    assert_eq!(frames(&path, &with("salt and rope")), 1);
    assert!(matches!(
        Reader::open(&path, &with("salt and tar")),
        Err(Error::NoKey { .. })
    ));
    assert!(matches!(
        Reader::open(&path, &unlock(2)),
        Err(Error::NoKey { .. })
    ));
    let report = verify(&path, &Trust::of([device(1).id()]), None).unwrap();
    assert_eq!(report.exit_code(), 0);
    assert!(
        report
            .head
            .unwrap()
            .document
            .contains("read: [\"argon2id:m=65536,t=3,p=1\"]")
    );

    // Another reader beside it, by us or by somebody else, is refused.
    let more = Readers::with_key_file(key_file(2));
    let beside = rewrap(&path, &path, &with("salt and rope"), &more, true);
    assert!(matches!(beside, Err(Error::Document { .. })));
    let both = WriterOptions {
        readers: Readers {
            key_files: vec![key_file(2)],
            passphrase: Some(passphrase("a")),
            ..Readers::default()
        },
        ..self::options(Suite::Edge256)
    };
    let out = folder.path().join("both.maml");
    assert!(matches!(Writer::create(&out, both), Err(Error::Document { .. })) && !out.exists());
    rewrap(&path, &path, &with("salt and rope"), &more, false).unwrap();
    assert_eq!(frames(&path, &unlock(2)), 1);
}

#[cfg(unix)]
#[test]
fn a_passphrase_comes_from_a_private_file_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("words");
    fs::write(&path, "salt and rope\nnot this\n").unwrap();
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    assert!(matches!(Passphrase::load(&path), Err(Error::KeyMode { .. })));
    mode(0o600);
    Passphrase::load(&path).unwrap();
    fs::write(&path, "\n").unwrap();
    assert!(matches!(
        Passphrase::load(&path),
        Err(Error::Passphrase { found: 0 })
    ));
}

#[test]
fn padded_records_lead_back_and_tell_few_lengths() {
    for suite in [Suite::Edge256, Suite::Core512] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.maml");
        let padded = WriterOptions {
            padded: true,
            ..options(suite)
        };
        let mut writer = Writer::create(&path, padded).unwrap();
        let frame = |i: u32| FrameBytes {
            points: (0..1000 + i)
                .map(|k| (k.wrapping_mul(2_654_435_761) >> 11) as u8)
                .collect(),
            ..FrameBytes::default()
        };
        for i in 0..30 {
            writer.push(&frame(i), BEGIN + i64::from(i)).unwrap();
        }
        writer.finish().unwrap();
        let mut reader = Reader::open(&path, &unlock(2)).unwrap();
        assert_eq!(reader.status(), &Status::Sealed);
        let mut found = 0;
        while let Some(Entry::Frame(entry)) = reader.next_entry().unwrap() {
            assert_eq!(entry.bytes, frame(found));
            found += 1;
        }
        assert_eq!(found, 30);
        let bytes = fs::read(&path).unwrap();
        let lengths: std::collections::BTreeSet<u32> = bytes
            .windows(40)
            .filter(|header| header.starts_with(b"\xb5RML\x02"))
            .map(|header| u32::from_le_bytes(header[8..12].try_into().unwrap()))
            .collect();
        assert!(lengths.len() <= 2, "{lengths:?}");
    }
}

#[test]
fn hidden_times_are_in_the_payloads_only() {
    for suite in [Suite::Edge256, Suite::Core512] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.maml");
        let hidden = WriterOptions {
            hides_times: true,
            ..options(suite)
        };
        let mut writer = Writer::create(&path, hidden).unwrap();
        let time = |i: u64| BEGIN + 7 * SECOND + i as i64 * SECOND / 10;
        for i in 0..25 {
            writer.push(&frame(i), time(i)).unwrap();
        }
        writer.finish().unwrap();
        let report = verify(&path, &Trust::of([device(1).id()]), Some(&unlock(2))).unwrap();
        assert_eq!(report.exit_code(), 0, "{report}");
        assert!(report.to_string().contains("times:      hidden"), "{report}");
        let mut reader = Reader::open(&path, &unlock(2)).unwrap();
        for i in 0..25 {
            let found = reader.next_frame().unwrap().unwrap();
            assert_eq!((found.time_nanos, &found.bytes), (time(i), &frame(i)));
        }
        reader.seek(time(13) - 1).unwrap();
        assert_eq!(reader.next_frame().unwrap().unwrap().bytes, frame(13));
        // Neither nanoseconds nor seconds of any frame stand there for everybody to see.
        let bytes = fs::read(&path).unwrap();
        let magic = b"\x89MAML\r\n\x1a\n";
        let begin = bytes.windows(9).position(|window| window == magic).unwrap();
        let shows = |time: [u8; 8]| bytes[begin..].windows(8).any(|window| window == time);
        for i in 0..25 {
            assert!(!shows(time(i).to_le_bytes()) && !shows((time(i) / SECOND).to_be_bytes()));
        }
        let proof = beluga_sinks::maml::prove(&path, 4, None).unwrap();
        let proof = beluga_sinks::maml::Proof::from_json(&proof.to_json()).unwrap();
        assert_eq!(proof.check().unwrap().time_nanos, 0);
        assert_eq!(proof.open(&unlock(2)).unwrap(), frame(4));
        let target = folder.path().join("again.maml");
        assert!(recovered(&path, &target).unwrap().is_whole());
        let again = Reader::open(&target, &unlock(3)).unwrap();
        assert!(again.hides_times());
        let times: Vec<i64> = again.map(|frame| frame.unwrap().time_nanos).collect();
        assert_eq!(times, (0..25).map(time).collect::<Vec<_>>());
    }
}
