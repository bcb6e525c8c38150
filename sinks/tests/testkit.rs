//! The kit of files, one per failure: each must read as the table says, without a key and with all.
//!
//! The files are made by `src/maml/testkit`; every one is a whole file with one stretch of bytes replaced.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, not only tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use beluga_sinks::maml::{
    DeviceKey, KeyFile, Passphrase, Proof, Reader, ReaderKey, Readers, Trust, Unlock, prove, recover,
    verify_bytes,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testkit")
}

fn key_file() -> [u8; 32] {
    std::array::from_fn(|i| i as u8)
}

/// All keys of the kit.
fn unlock() -> Unlock {
    Unlock {
        readers: vec![ReaderKey::from_seed(&[5; 32])],
        key_files: vec![KeyFile::from_bytes(&key_file())],
        passphrase: Some(Passphrase::new("barnacle".to_owned().into()).unwrap()),
    }
}

struct Row {
    name: String,
    bytes: Vec<u8>,
    without: String,
    with: String,
    frames: u64,
}

fn rows() -> Vec<Row> {
    let folder = folder();
    let table = fs::read_to_string(folder.join("cases.tsv")).unwrap();
    let mut bases = BTreeMap::new();
    let mut rows = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, base, begin, end, middle, without, with, frames] = columns[..] else {
            panic!("a row has not eight columns: {line}");
        };
        let whole: &Vec<u8> = bases
            .entry(base.to_owned())
            .or_insert_with(|| fs::read(folder.join(format!("{base}.maml"))).unwrap());
        let (begin, end): (usize, usize) = (begin.parse().unwrap(), end.parse().unwrap());
        let middle = match middle {
            "-" => Vec::new(),
            "@" => fs::read(folder.join(format!("{name}.bin"))).unwrap(),
            digits => (0..digits.len() / 2)
                .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap())
                .collect(),
        };
        rows.push(Row {
            name: name.to_owned(),
            bytes: [&whole[..begin], &middle, &whole[end..]].concat(),
            without: without.to_owned(),
            with: with.to_owned(),
            frames: frames.parse().unwrap(),
        });
    }
    rows
}

#[test]
fn every_file_of_the_kit_reads_as_the_table_says() {
    let (unlock, trust) = (unlock(), Trust::of([DeviceKey::from_seed(&[1; 32]).id()]));
    let rows = rows();
    let mut wrong = Vec::new();
    for row in &rows {
        let without = verify_bytes(&row.bytes, &trust, None).unwrap().status.to_string();
        let with = verify_bytes(&row.bytes, &trust, Some(&unlock))
            .unwrap()
            .status
            .to_string();
        let mut frames = 0;
        if let Ok(mut reader) = Reader::from_bytes(&row.bytes, &unlock) {
            while let Ok(Some(_)) = reader.next_frame() {
                frames += 1;
            }
        }
        let Row { name, .. } = row;
        if (&without, &with, frames) != (&row.without, &row.with, row.frames) {
            wrong.push(format!(
                "{name}: {without} / {with} / {frames}, expected {} / {} / {}",
                row.without, row.with, row.frames
            ));
        }
    }
    println!("testkit: {} files", rows.len());
    assert!(rows.len() >= 60);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_recovered_of_each_file_verifies_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (
        folder.path().join("source.maml"),
        folder.path().join("whole.maml"),
    );
    let trust = Trust::of([DeviceKey::from_seed(&[4; 32]).id()]);
    let mut recovered = 0;
    for row in rows() {
        fs::write(&source, &row.bytes).unwrap();
        let readers = Readers::with_key_file(KeyFile::from_bytes(&[3; 32]));
        let device = DeviceKey::from_seed(&[4; 32]);
        let Ok(done) = recover(&source, &target, &unlock(), readers, device, 0) else {
            assert!(!target.exists(), "{}", row.name);
            continue;
        };
        let own = Unlock::with_key_file(KeyFile::from_bytes(&[3; 32]));
        let report = verify_bytes(&fs::read(&target).unwrap(), &trust, Some(&own)).unwrap();
        assert_eq!(
            (report.exit_code(), report.counts.frames),
            (0, row.frames),
            "{}",
            row.name
        );
        assert_eq!(done.is_whole(), row.with == "SEALED", "{}", row.name);
        fs::remove_file(&target).unwrap();
        recovered += 1;
    }
    println!("testkit: {recovered} files recovered");
    assert!(recovered > 40);
}

/// The word of a status, and its number where it has one.
fn in_short(status: &str) -> &str {
    match status.split_once('(') {
        Some(("BAD-HEAD", _)) => "BAD-HEAD",
        _ => status,
    }
}

/// What a script of the second reader prints, line by line; nothing (said on the test's output) where it cannot run.
fn second_reader(test: &str, script: &str, arguments: &[PathBuf]) -> Option<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("second_reader")
        .join(script);
    let mut command = Command::new("python3");
    let Ok(output) = command.arg("-B").arg(&script).args(arguments).output() else {
        println!("SKIPPED {test}: no python3");
        return None;
    };
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("ModuleNotFoundError") || error.contains("ImportError") {
        println!("SKIPPED {test}: a package of second_reader/requirements.txt is missing");
        return None;
    }
    assert!(output.status.success(), "{error}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let values = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    Some(values.collect())
}

#[test]
fn the_second_reader_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows();
    let path = |name: &str| folder.path().join(name);
    for row in &rows {
        fs::write(path(&row.name), &row.bytes).unwrap();
    }
    fs::write(path("key"), key_file()).unwrap();
    fs::write(path("words"), "barnacle\n").unwrap();
    fs::write(
        path("seed"),
        "BELUGA-READER-XWING-SEED-1 BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n",
    )
    .unwrap();
    let files: Vec<PathBuf> = rows.iter().map(|row| path(&row.name)).collect();
    let keys = [
        ("--key-file", "key"),
        ("--reader-seed", "seed"),
        ("--passphrase-file", "words"),
    ];
    let keys = keys.iter().flat_map(|(option, name)| [option.into(), path(name)]);
    let with_keys: Vec<PathBuf> = files.iter().cloned().chain(keys).collect();
    let said = |arguments: &[PathBuf]| second_reader("the_second_reader_says_the_same", "maml.py", arguments);
    let (Some(without), Some(with)) = (said(&files), said(&with_keys)) else {
        return;
    };
    assert_eq!((without.len(), with.len()), (rows.len(), rows.len()));
    let mut wrong = Vec::new();
    for ((row, without), with) in rows.iter().zip(&without).zip(&with) {
        let status = |value: &Value| in_short(value["status"].as_str().unwrap()).to_owned();
        let frames = with["opened"].as_array().unwrap().len() as u64;
        let found = (status(without), status(with), frames);
        let expected = (
            in_short(&row.without).to_owned(),
            in_short(&row.with).to_owned(),
            row.frames,
        );
        if found != expected {
            wrong.push(format!("{}: {found:?}, expected {expected:?}", row.name));
        }
    }
    println!("second reader: {} files, without and with keys", rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_second_reader_takes_the_same_proofs() {
    let folder = tempfile::tempdir().unwrap();
    let (mut files, mut frames) = (Vec::new(), Vec::new());
    for base in ["edge", "core", "hidden_times"] {
        let record = self::folder().join(format!("{base}.maml"));
        let proof = prove(&record, 2, Some(&unlock())).unwrap();
        let body = proof.open(&Unlock::default()).unwrap().to_body().unwrap();
        let sha256: String = Sha256::digest(body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let text = proof.to_json();
        let at = text.find("beluga/").unwrap() + 12;
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
        for (name, bytes) in [
            (base.to_owned(), text.into_bytes()),
            (format!("{base}.changed"), changed),
        ] {
            fs::write(folder.path().join(&name), bytes).unwrap();
            files.push(folder.path().join(name));
        }
        frames.push(sha256);
    }
    // What is no proof of this version, by its form alone.
    let whole = prove(&self::folder().join("edge.maml"), 2, None)
        .unwrap()
        .to_json();
    let unfit = [
        "{}".to_owned(),
        "[]".to_owned(),
        "no JSON".to_owned(),
        whole.replace("\"maml_proof\": 1", "\"maml_proof\": 2"),
        whole.replace("\"maml_proof\": 1", "\"maml_proof\": true"),
        whole.replace("\"container\": 1", "\"container\": 2"),
        whole.replace("\"edge-256\"", "\"edge-257\""),
        whole.replace("\"records\"", "\"record\""),
        whole.replace("\"note\": \"", "\"note\": \"\\n"),
    ];
    for (i, text) in unfit.iter().enumerate() {
        let read = Proof::from_json(text).and_then(|proof| proof.check());
        assert!(*text != whole && read.is_err(), "{i}: {read:?}");
        let path = folder.path().join(format!("unfit.{i}"));
        fs::write(&path, text).unwrap();
        files.push(path);
    }
    let Some(said) = second_reader("the_second_reader_takes_the_same_proofs", "proof.py", &files) else {
        return;
    };
    let (said, refused) = said.split_at(2 * frames.len());
    assert_eq!(refused.len(), unfit.len());
    assert!(
        refused.iter().all(|said| said["status"] == "REFUSED"),
        "{refused:?}"
    );
    for (pair, frame) in said.chunks(2).zip(&frames) {
        assert_eq!(
            (&pair[0]["status"], &pair[0]["opened"]),
            (&"PROVEN".into(), &frame.as_str().into())
        );
        assert_eq!(pair[1]["status"], "REFUSED");
    }
    assert_eq!(said.len(), 6);
}
