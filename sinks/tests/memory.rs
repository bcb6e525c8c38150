//! What is left of keys in the memory of a process that has closed its records: nothing.
//!
//! A child makes records in both suites and opens them, with keys it reads from files. Its parent, who made
//! the files, looks through all memory the child can write to: while the child holds its keys (they must be
//! found, or the search would prove nothing) and after it has dropped them. Linux only: elsewhere nobody may
//! look.

// It is its own harness, so that the child is this program and nothing else; tests may stop at what cannot be.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)]

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use base64::{Engine, engine::general_purpose::STANDARD};
use beluga_sinks::FrameBytes;
use beluga_sinks::maml::{
    DocumentFields, KeyFile, KeyStore, Reader, Readers, Suite, Unlock, Writer, WriterOptions,
};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1..).unwrap_or_default() {
        [child, folder] if child == "child" => hold_and_drop(Path::new(folder)),
        // Others are for a harness that lists and filters tests.
        _ if cfg!(target_os = "linux") => nothing_is_left_of_keys(),
        _ => println!("SKIPPED nothing_is_left_of_keys: memory of others cannot be looked at here"),
    }
}

/// The child: uses its keys, says so, waits; drops them, says so, waits.
fn hold_and_drop(folder: &Path) {
    let store = KeyStore::open(&folder.join("keys")).unwrap();
    let held = (store.device_key().unwrap(), store.reader_key().unwrap());
    let file = KeyFile::load(&folder.join("key-file")).unwrap();
    for (suite, name) in [(Suite::Edge256, "edge"), (Suite::Core512, "core")] {
        let path = folder.join(name);
        let (device, reader) = (store.device_key().unwrap().key, store.reader_key().unwrap().key);
        let mut readers = Readers::with_key_file(KeyFile::load(&folder.join("key-file")).unwrap());
        readers.recipients.push(reader.recipient());
        let options = WriterOptions {
            document: DocumentFields::default(),
            suite,
            readers,
            device,
            previous: None,
            padded: false,
            hides_times: false,
        };
        let mut writer = Writer::create(&path, options).unwrap();
        for frame in 0..3i64 {
            let bytes = FrameBytes {
                frame: frame.to_le_bytes().to_vec(),
                ..FrameBytes::default()
            };
            writer.push(&bytes, frame).unwrap();
        }
        writer.finish().unwrap();
        let by_file = KeyFile::load(&folder.join("key-file")).unwrap();
        for unlock in [Unlock::with_reader(reader), Unlock::with_key_file(by_file)] {
            let mut opened = Reader::open(&path, &unlock).unwrap();
            let mut frames = 0;
            while opened.next_frame().unwrap().is_some() {
                frames += 1;
            }
            assert_eq!(frames, 3);
        }
    }
    said("held");
    drop((held, file, store));
    said("dropped");
}

fn said(word: &str) {
    println!("{word}");
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

fn nothing_is_left_of_keys() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let store = KeyStore::open(&keys).unwrap();
    store.device_key().unwrap();
    store.reader_key().unwrap();
    KeyFile::create(&folder.path().join("key-file")).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("child")
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut go_on = child.stdin.take().unwrap();
    let secrets = secrets(folder.path());
    assert_eq!(said.next().unwrap().unwrap(), "held");
    match found(child.id(), &secrets) {
        Err(refused) => println!("SKIPPED nothing_is_left_of_keys: its memory cannot be read: {refused}"),
        Ok(held) => {
            let names: Vec<&str> = held.iter().map(|(name, ..)| *name).collect();
            assert!(
                names.contains(&"the key file's bytes"),
                "the search finds what is held: {names:?}"
            );
            writeln!(go_on).unwrap();
            assert_eq!(said.next().unwrap().unwrap(), "dropped");
            let left = found(child.id(), &secrets).unwrap();
            assert!(left.is_empty(), "left in memory: {left:?}");
            println!(
                "test nothing_is_left_of_keys ... ok ({} found while held)",
                held.len()
            );
        }
    }
    drop(go_on);
    child.wait().unwrap();
}

/// What must not be found, by name: the first half of each secret, so that half a copy is found too.
fn secrets(folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let text = |name: &str| {
        let text = std::fs::read_to_string(folder.join("keys").join(name)).unwrap();
        text.split_whitespace().nth(1).unwrap().to_owned()
    };
    let (device, reader) = (text("device.mldsa65"), text("reader.xwing"));
    let bytes = |base64: &str| STANDARD.decode(base64).unwrap()[..16].to_vec();
    vec![
        ("the device's seed", bytes(&device)),
        ("the reader's seed", bytes(&reader)),
        ("the text of the device's key", device.as_bytes()[..22].to_vec()),
        ("the text of the reader's key", reader.as_bytes()[..22].to_vec()),
        (
            "the key file's bytes",
            std::fs::read(folder.join("key-file")).unwrap()[..16].to_vec(),
        ),
    ]
}

/// Which secrets lie in the memory a process can write to, each with the memory's name and the place.
fn found(
    process: u32,
    secrets: &[(&'static str, Vec<u8>)],
) -> std::io::Result<Vec<(&'static str, String, u64)>> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps"))?;
    let mut memory = std::fs::File::open(format!("/proc/{process}/mem"))?;
    let mut found = Vec::new();
    for line in maps.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (range, rights) = (words[0], words[1]);
        if !rights.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        memory.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        // A guard page or one that went away meanwhile holds nothing.
        if memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        for (name, secret) in secrets {
            let places = bytes
                .windows(secret.len())
                .enumerate()
                .filter(|(_, one)| one == secret);
            let region = words.get(5).unwrap_or(&"anonymous");
            found.extend(places.map(|(at, _)| (*name, (*region).to_owned(), start + at as u64)));
        }
    }
    Ok(found)
}
