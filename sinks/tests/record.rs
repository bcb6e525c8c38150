//! The record through its door: what goes in comes out, and what was changed does not.

#![allow(clippy::unwrap_used, reason = "helpers of tests, not only tests")]

use std::fs;
use std::path::{Path, PathBuf};

use beluga_sinks::maml::{
    DeviceKey, DocumentFields, Entry, KeyFile, Meta, Reader, ReaderKey, Readers, RecordedFrame, Status,
    Suite, Summary, Trust, Unlock, Writer, WriterOptions, verify, verify_bytes,
};
use beluga_sinks::{Error, FrameBytes, FrameHasher};

const SECOND: i64 = 1_000_000_000;
const BEGIN: i64 = 1_700_000_000 * SECOND;

fn device() -> DeviceKey {
    DeviceKey::from_seed(&[1; 32])
}

fn trust() -> Trust {
    Trust::of([device().id()])
}

fn unlock() -> Unlock {
    Unlock::with_key_file(KeyFile::from_bytes(&[2; 32]))
}

fn options() -> WriterOptions {
    WriterOptions {
        document: DocumentFields {
            created_nanos: BEGIN,
            ..DocumentFields::default()
        },
        suite: Suite::Edge256,
        readers: Readers::with_key_file(KeyFile::from_bytes(&[2; 32])),
        device: device(),
        previous: None,
        padded: false,
        hides_times: false,
    }
}

/// Frame `i`: small, different from every other, partly compressible.
fn frame(i: u64) -> FrameBytes {
    let noise = |n: u64| {
        (0..n)
            .map(|k| (k.wrapping_mul(i + 3).wrapping_mul(0x9e37_79b9) >> 7) as u8)
            .collect()
    };
    FrameBytes {
        frame: i.to_le_bytes().to_vec(),
        points: noise(50 + i % 13),
        arcs: vec![i as u8; 30],
    }
}

fn write(path: &Path, frames: u64, step_nanos: i64) -> Summary {
    let mut writer = Writer::create(path, options()).unwrap();
    for i in 0..frames {
        writer.push(&frame(i), BEGIN + i as i64 * step_nanos).unwrap();
    }
    writer.finish().unwrap()
}

fn in_folder(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

fn frames_of(bytes: &[u8]) -> (Status, Vec<RecordedFrame>) {
    let mut reader = Reader::from_bytes(bytes, &unlock()).unwrap();
    let frames = reader.by_ref().collect::<Result<_, _>>().unwrap();
    (reader.status().clone(), frames)
}

#[test]
fn frames_lead_back_and_the_record_is_sealed() {
    let (_folder, path) = in_folder("run.maml");
    let summary = write(&path, 35, SECOND / 10);
    assert_eq!(summary.counts.frames, 35);
    assert_eq!(summary.counts.segments, 4);
    assert_eq!(summary.bytes, fs::metadata(&path).unwrap().len());
    let mut reader = Reader::open(&path, &unlock()).unwrap();
    assert_eq!(reader.status(), &Status::Sealed);
    assert_eq!(reader.counts(), summary.counts);
    assert_eq!(reader.signer(), device().id());
    let mut hasher = FrameHasher::new();
    for i in 0..35 {
        let found = reader.next_frame().unwrap().unwrap();
        assert_eq!(found.bytes, frame(i));
        assert_eq!(found.time_nanos, BEGIN + i as i64 * SECOND / 10);
        assert_eq!(found.segment, i as u32 / 10);
        hasher.update(&frame(i));
    }
    assert!(reader.next_frame().unwrap().is_none());

    let report = verify(&path, &trust(), Some(&unlock())).unwrap();
    assert_eq!((report.status.clone(), report.exit_code()), (Status::Sealed, 0));
    assert_eq!(report.frame_hash, Some(hasher.finish()));
    assert_eq!(report.signed.map(|(_, root)| root), Some(summary.root));
    let text = verify(&path, &Trust::default(), None).unwrap();
    assert_eq!(text.exit_code(), 1, "an unknown signer is not trusted");
    assert!(text.to_string().contains("recipients: not checked"), "{text}");
}

#[test]
fn a_record_without_frames_is_sealed_too() {
    let (_folder, path) = in_folder("empty.maml");
    let summary = write(&path, 0, 1);
    assert_eq!(summary.counts.frames, 0);
    let report = verify(&path, &trust(), Some(&unlock())).unwrap();
    assert_eq!((report.status, report.counts), (Status::Sealed, summary.counts));
}

#[test]
fn frames_larger_than_a_record_go_in_parts() {
    let (_folder, path) = in_folder("large.maml");
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    };
    let large = FrameBytes {
        frame: vec![1],
        points: (0..1 << 20).map(|_| next()).collect::<Vec<_>>().repeat(17),
        arcs: vec![0; 17 << 20],
    };
    let mut writer = Writer::create(&path, options()).unwrap();
    writer.push(&large, BEGIN).unwrap();
    writer.push(&frame(1), BEGIN + 1).unwrap();
    let summary = writer.finish().unwrap();
    assert_eq!(summary.counts.frames, 2);
    let mut reader = Reader::open(&path, &unlock()).unwrap();
    assert!(reader.next_frame().unwrap().unwrap().bytes == large);
    assert_eq!(reader.next_frame().unwrap().unwrap().bytes, frame(1));
}

#[test]
fn a_crashed_record_reads_to_its_last_checkpoint() {
    let (_folder, path) = in_folder("crashed.maml");
    let mut writer = Writer::create(&path, options()).unwrap();
    for i in 0..25 {
        writer.push(&frame(i), BEGIN + i as i64 * SECOND / 10).unwrap();
    }
    drop(writer);
    let bytes = fs::read(&path).unwrap();
    let (status, frames) = frames_of(&bytes);
    assert!(matches!(status, Status::Torn { .. }), "{status}");
    assert_eq!(frames.len(), 20, "two whole segments were checkpointed");
    assert!(
        frames
            .iter()
            .enumerate()
            .all(|(i, found)| found.bytes == frame(i as u64))
    );
    let report = verify(&path, &trust(), None).unwrap();
    assert_eq!((report.exit_code(), report.counts.frames), (3, 20));

    // Cut right after that checkpoint, and after power was lost: zeros.
    let Status::Torn { bytes: tail } = status else {
        unreachable!()
    };
    let cut = &bytes[..bytes.len() - tail as usize];
    assert_eq!(frames_of(cut), (Status::Unsealed, frames.clone()));
    let zeros = [cut, &[0; 5000]].concat();
    assert_eq!(frames_of(&zeros), (Status::Torn { bytes: 5000 }, frames));
}

#[test]
fn a_checkpoint_comes_at_least_every_64_records() {
    let (_folder, path) = in_folder("crashed.maml");
    let mut writer = Writer::create(&path, options()).unwrap();
    for i in 0..130 {
        writer.push(&frame(i), BEGIN).unwrap();
    }
    drop(writer);
    let (_, frames) = frames_of(&fs::read(&path).unwrap());
    assert!(frames.len() > 130 - 64, "{}", frames.len());
}

/// Types and times of the headers of a record that was written here.
fn headers(bytes: &[u8]) -> Vec<(u8, i64)> {
    let marker = b"binary follows -->\n";
    let is_marker = |window: &[u8]| window == marker;
    let mut at = bytes.windows(marker.len()).position(is_marker).unwrap() + marker.len() + 100;
    let mut found = Vec::new();
    while bytes[at..].starts_with(b"\xb5RML") {
        let header = &bytes[at..at + 40];
        let length = u32::from_le_bytes(header[8..12].try_into().unwrap());
        found.push((header[4], i64::from_le_bytes(header[24..32].try_into().unwrap())));
        at += 40 + length as usize;
    }
    found
}

#[test]
fn headers_have_the_times_the_format_page_says() {
    let (_folder, path) = in_folder("run.maml");
    let mut writer = Writer::create(&path, options()).unwrap();
    for time in [BEGIN + 5, BEGIN + 7, BEGIN + 3 * SECOND, BEGIN + 1] {
        writer.push(&frame(0), time).unwrap();
    }
    writer.finish().unwrap();
    let (segment, frame, checkpoint, index, end) = (1, 2, 4, 5, 14);
    let expected = [
        (segment, 5),
        (frame, 5),
        (frame, 7),
        (checkpoint, 7),
        (segment, 3 * SECOND),
        (frame, 3 * SECOND),
        (checkpoint, 3 * SECOND),
        (segment, 1),
        (frame, 1),
        (index, 1),
        (end, 1),
    ];
    let times = headers(&fs::read(&path).unwrap());
    assert_eq!(times, expected.map(|(kind, time)| (kind, BEGIN + time)));
}

fn meta(kind: &str, said: u64) -> Meta {
    Meta::new(kind, BEGIN + said as i64, serde_json::json!({ "said": said })).unwrap()
}

#[test]
fn metas_lead_back_in_their_places_and_by_kind() {
    let (_folder, path) = in_folder("run.maml");
    let mut writer = Writer::create(&path, options()).unwrap();
    writer.push_meta(&meta("first", 0)).unwrap();
    for i in 0..3 {
        writer.push(&frame(i), BEGIN + i as i64 * 700_000_000).unwrap();
        writer.push_meta(&meta("between", i)).unwrap();
    }
    writer.push_meta(&meta("last", 9)).unwrap();
    writer.finish().unwrap();

    let mut reader = Reader::open(&path, &unlock()).unwrap();
    assert_eq!(reader.status(), &Status::Sealed);
    let between = reader.metas("between").unwrap();
    let found: Vec<&Meta> = between.iter().map(|found| &found.meta).collect();
    assert_eq!(
        found,
        [&meta("between", 0), &meta("between", 1), &meta("between", 2)]
    );
    assert!(reader.metas("absent").unwrap().is_empty());
    let mut order = String::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        order += &match entry {
            Entry::Frame(found) => format!("frame {} ", found.time_nanos - BEGIN),
            Entry::Meta(found) => format!("{} ", found.meta.kind()),
        };
    }
    assert_eq!(
        order,
        "first frame 0 between frame 700000000 between frame 1400000000 between last "
    );
    reader.seek(BEGIN + 1).unwrap();
    assert_eq!(reader.next_frame().unwrap().unwrap().bytes, frame(1));
    assert_eq!(reader.metas("last").unwrap().len(), 1);
    assert_eq!(
        reader.next_frame().unwrap().unwrap().bytes,
        frame(0),
        "from the beginning"
    );

    let report = verify(&path, &trust(), Some(&unlock())).unwrap();
    let listed: Vec<&str> = report.metas.iter().map(|meta| meta.kind.as_str()).collect();
    assert_eq!(listed, ["first", "between", "between", "between", "last"]);
    assert!(
        report
            .to_string()
            .contains("last at 2023-11-14T22:13:20.000000009Z, "),
        "{report}"
    );
    assert!(report.to_string().contains("bytes: {\"said\":9}"), "{report}");
    let frames_only = frames_of(&fs::read(&path).unwrap()).1;
    assert_eq!(report.frame_hash.unwrap(), {
        let mut hasher = FrameHasher::new();
        frames_only.iter().for_each(|frame| hasher.update(&frame.bytes));
        hasher.finish()
    });
    let sealed = verify(&path, &trust(), None).unwrap();
    assert!(sealed.metas.is_empty() && sealed.status == Status::Sealed);
}

#[test]
fn a_meta_stays_when_the_writer_is_killed_after_it() {
    let (_folder, path) = in_folder("run.maml");
    let mut writer = Writer::create(&path, options()).unwrap();
    writer.push_meta(&meta("audit", 1)).unwrap();
    std::mem::forget(writer);
    let mut reader = Reader::open(&path, &unlock()).unwrap();
    assert_eq!(reader.status(), &Status::Unsealed);
    assert_eq!(reader.metas("audit").unwrap()[0].meta, meta("audit", 1));
}

#[test]
fn a_record_of_metas_alone_is_sealed() {
    let (_folder, path) = in_folder("run.maml");
    let mut writer = Writer::create(&path, options()).unwrap();
    writer.push_meta(&meta("audit", 1)).unwrap();
    let summary = writer.finish().unwrap();
    assert_eq!((summary.counts.frames, summary.counts.segments), (0, 1));
    assert_eq!(verify(&path, &trust(), Some(&unlock())).unwrap().exit_code(), 0);
}

#[test]
fn a_wrong_key_opens_nothing_and_the_record_still_verifies() {
    let (_folder, path) = in_folder("run.maml");
    write(&path, 1, 1);
    let wrong = Unlock::with_key_file(KeyFile::from_bytes(&[3; 32]));
    assert!(matches!(Reader::open(&path, &wrong), Err(Error::NoKey { .. })));
    let report = verify(&path, &trust(), Some(&wrong)).unwrap();
    assert_eq!((&report.status, report.exit_code()), (&Status::NoKey, 5));
    assert_eq!(verify(&path, &trust(), None).unwrap().exit_code(), 0);
}

#[test]
fn an_xwing_reader_opens_what_was_written_for_it() {
    let (_folder, path) = in_folder("run.maml");
    let reader_key = ReaderKey::from_seed(&[5; 32]);
    let mut options = options();
    options.readers.recipients = vec![reader_key.recipient()];
    let mut writer = Writer::create(&path, options).unwrap();
    writer.push(&frame(0), BEGIN).unwrap();
    writer.finish().unwrap();
    let mut reader = Reader::open(&path, &Unlock::with_reader(reader_key)).unwrap();
    assert_eq!(reader.next_frame().unwrap().unwrap().bytes, frame(0));
    let other = Unlock::with_reader(ReaderKey::from_seed(&[6; 32]));
    assert!(matches!(Reader::open(&path, &other), Err(Error::NoKey { .. })));
}

#[test]
fn seeking_finds_the_first_frame_not_earlier() {
    let (_folder, path) = in_folder("run.maml");
    write(&path, 50, SECOND / 10);
    let mut reader = Reader::open(&path, &unlock()).unwrap();
    for (seconds, expected) in [(3.05, 31), (0.0, 0), (-9.0, 0), (2.0, 20), (4.9, 49)] {
        reader.seek(BEGIN + (seconds * 1e9) as i64).unwrap();
        assert_eq!(
            reader.next_frame().unwrap().unwrap().bytes,
            frame(expected),
            "{seconds} s"
        );
    }
    assert!(reader.next_frame().unwrap().is_none(), "frame 49 was the last");
    reader.seek(BEGIN + 5 * SECOND).unwrap();
    assert!(reader.next_frame().unwrap().is_none());
}

#[test]
fn nothing_is_overwritten_and_nobody_is_left_out() {
    let (_folder, path) = in_folder("run.maml");
    write(&path, 1, 1);
    assert!(matches!(Writer::create(&path, options()), Err(Error::Io { .. })));
    let mut nobody = options();
    nobody.readers.key_files.clear();
    let other = path.with_file_name("other.maml");
    assert!(matches!(Writer::create(&other, nobody), Err(Error::NoRecipient)));
    assert!(!other.exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::os::unix::fs::symlink(path.with_file_name("nowhere"), &other).unwrap();
        assert!(
            Writer::create(&other, options()).is_err(),
            "a dangling link is not followed"
        );
    }
}

#[test]
fn a_record_nobody_could_open_is_not_begun() {
    let (_folder, path) = in_folder("run.maml");
    let readers = |number: u8| WriterOptions {
        readers: Readers {
            key_files: (0..number).map(|i| KeyFile::from_bytes(&[i; 32])).collect(),
            ..Readers::default()
        },
        ..options()
    };
    let of_document = |document: DocumentFields| WriterOptions {
        document,
        ..options()
    };
    let marker = "<!-- maml-records v1: binary follows -->";
    let bad = [
        readers(65),
        of_document(DocumentFields {
            context: "a".repeat(1 << 20),
            ..options().document
        }),
        of_document(DocumentFields {
            config_toml: format!("a = '''\n{marker}\n'''\n"),
            ..options().document
        }),
    ];
    for options in bad {
        assert!(matches!(
            Writer::create(&path, options),
            Err(Error::Document { .. })
        ));
        assert!(!path.exists(), "a failed call leaves no file");
    }
    Writer::create(&path, readers(64)).unwrap().finish().unwrap();
    let last = Unlock::with_key_file(KeyFile::from_bytes(&[63; 32]));
    assert_eq!(Reader::open(&path, &last).unwrap().status(), &Status::Sealed);
}

#[test]
fn a_frame_beyond_the_limit_is_refused_and_the_record_goes_on() {
    let (_folder, path) = in_folder("run.maml");
    let mut writer = Writer::create(&path, options()).unwrap();
    let giant = FrameBytes {
        points: vec![0; beluga_sinks::MAX_FRAME_BYTES],
        ..FrameBytes::default()
    };
    assert!(matches!(
        writer.push(&giant, BEGIN),
        Err(Error::FrameTooLarge { .. })
    ));
    writer.push(&frame(0), BEGIN).unwrap();
    writer.finish().unwrap();
    assert_eq!(frames_of(&fs::read(&path).unwrap()).1.len(), 1);
}

#[test]
fn a_restarted_writer_repeats_no_id_salt_or_ciphertext() {
    let (_folder, first) = in_folder("first.maml");
    let second = first.with_file_name("second.maml");
    let a = write(&first, 1, 1);
    let b = write(&second, 1, 1);
    assert_ne!(a.file_id, b.file_id);
    let body = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        let marker = b"binary follows -->\n";
        let at = bytes
            .windows(marker.len())
            .position(|window| window == marker)
            .unwrap();
        let records = &bytes[at + marker.len() + 100..];
        (
            records[40..72].to_vec(),
            records[72..104].to_vec(),
            records[176..192].to_vec(),
        )
    };
    let ((salt_a, commit_a, text_a), (salt_b, commit_b, text_b)) = (body(&first), body(&second));
    assert_ne!(salt_a, salt_b, "salts");
    assert_ne!(commit_a, commit_b, "segment keys");
    assert_ne!(text_a, text_b, "ciphertexts of the same frame");
}

#[test]
fn a_continuing_record_names_the_one_before() {
    let (_folder, first) = in_folder("first.maml");
    let before = write(&first, 1, 1);
    let second = first.with_file_name("second.maml");
    let mut options = options();
    let previous = beluga_sinks::maml::Previous {
        file_id: before.file_id,
        root: before.root,
    };
    options.previous = Some(previous);
    let mut writer = Writer::create(&second, options).unwrap();
    writer.push(&frame(0), BEGIN).unwrap();
    writer.finish().unwrap();
    let report = verify(&second, &trust(), None).unwrap();
    assert_eq!((report.status, report.previous), (Status::Sealed, Some(previous)));
}

#[test]
fn what_is_no_record_is_a_bad_head() {
    for bytes in [&b""[..], b"# a document\n", &[0; 5000], &vec![b'a'; 3 << 20]] {
        let report = verify_bytes(bytes, &trust(), None).unwrap();
        assert!(matches!(report.status, Status::BadHead { .. }), "{report}");
        assert_eq!(report.exit_code(), 4);
        assert!(matches!(
            Reader::from_bytes(bytes, &unlock()),
            Err(Error::BadHead { .. })
        ));
    }
    let missing = verify(Path::new("nowhere/at/all.maml"), &trust(), None);
    assert!(matches!(missing, Err(Error::Io { .. })));
}

#[test]
fn the_vector_of_the_format_page_reads_forever() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/one_frame.maml");
    let unlock = Unlock::with_key_file(KeyFile::from_bytes(&std::array::from_fn(|i| i as u8)));
    let report = verify(&path, &trust(), Some(&unlock)).unwrap();
    assert_eq!((&report.status, report.exit_code()), (&Status::Sealed, 0));
    let page = include_str!("../FORMAT.md");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let head = report.head.unwrap();
    for value in [
        hex(&head.file_id),
        hex(&report.signed.unwrap().1),
        head.signer.to_string(),
    ] {
        assert!(page.contains(&value), "{value}");
    }
    let mut reader = Reader::open(&path, &unlock).unwrap();
    let words = FrameBytes {
        frame: b"frame".to_vec(),
        points: b"points".to_vec(),
        arcs: b"arcs".to_vec(),
    };
    assert_eq!(reader.next_frame().unwrap().unwrap().bytes, words);
    assert!(reader.next_frame().unwrap().is_none());
}
