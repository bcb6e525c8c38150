//! Kills a recording process at random points and looks at what is left: everything that was told to be
//! durable is there, every frame is the one that was written, nothing reads as sealed, and no salt, so no
//! key and nonce, came twice.
//!
//! `cargo run --release -p beluga-sinks --example killed [POINTS] [FOLDER]`

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use beluga_sinks::FrameBytes;
use beluga_sinks::maml::{
    DeviceKey, DocumentFields, Entry, KeyFile, Meta, Reader, Readers, Status, Suite, Unlock, Writer,
    WriterOptions,
};

const STEP_NANOS: i64 = 70_000_000;

fn key_file() -> KeyFile {
    KeyFile::from_bytes(&[2; 32])
}

fn frame(i: u64) -> FrameBytes {
    FrameBytes {
        frame: i.to_le_bytes().to_vec(),
        points: vec![i as u8; 3000 + (i as usize % 7) * 500],
        arcs: Vec::new(),
    }
}

/// Records until it is killed; says on stdout which META is durable.
fn child(path: &Path, suite: Suite) -> Result<(), Box<dyn Error>> {
    let options = WriterOptions {
        document: DocumentFields::default(),
        suite,
        readers: Readers::with_key_file(key_file()),
        device: DeviceKey::from_seed(&[1; 32]),
        previous: None,
        padded: false,
        hides_times: false,
    };
    let mut writer = Writer::create(path, options)?;
    let mut out = std::io::stdout();
    for i in 0.. {
        writer.push(&frame(i), i as i64 * STEP_NANOS)?;
        if i % 5 == 4 {
            writer.push_meta(&Meta::new("durable", 0, i.into())?)?;
            writeln!(out, "{i}")?;
            out.flush()?;
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, path, suite] = arguments.as_slice()
        && word == "--child"
    {
        return child(Path::new(path), Suite::from_name(suite).ok_or("no suite")?);
    }
    let points: u64 = arguments.get(1).map_or(Ok(1000), |text| text.parse())?;
    let folder = arguments.get(2).map_or_else(std::env::temp_dir, Into::into);
    let path = folder.join(format!("killed-{}.maml", std::process::id()));
    let mut seen = Seen::default();
    let mut state = 0x5eed_u64;
    for point in 0..points {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let delay = Duration::from_micros(2_000 + (state >> 33) % 60_000);
        let suite = if point % 2 == 0 {
            Suite::Edge256
        } else {
            Suite::Core512
        };
        let told = killed_after(&path, suite, delay)?;
        look(&path, told, &mut seen).map_err(|wrong| format!("point {point}: {wrong}"))?;
        let _ = std::fs::remove_file(&path);
    }
    println!("{points} kills: {seen:?}, {} salts, none twice", seen.salts.len());
    Ok(())
}

/// The last META that the process said was durable.
fn killed_after(path: &Path, suite: Suite, delay: Duration) -> Result<Option<u64>, Box<dyn Error>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--child".as_ref(), path.as_os_str(), suite.name().as_ref()])
        .stdout(Stdio::piped())
        .spawn()?;
    let out = child.stdout.take().ok_or("no stdout")?;
    std::thread::sleep(delay);
    child.kill()?;
    child.wait()?;
    let lines = BufReader::new(out).lines().map_while(Result::ok);
    Ok(lines.filter_map(|line| line.parse().ok()).last())
}

#[derive(Default)]
struct Seen {
    no_file_or_head: u64,
    unsealed: u64,
    torn: u64,
    frames: u64,
    salts: BTreeSet<Vec<u8>>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            no_file_or_head,
            unsealed,
            torn,
            frames,
            ..
        } = self;
        write!(
            f,
            "{no_file_or_head} before the head was whole, {unsealed} UNSEALED, {torn} TORN, {frames} frames read"
        )
    }
}

fn look(path: &Path, told: Option<u64>, seen: &mut Seen) -> Result<(), Box<dyn Error>> {
    let Ok(mut reader) = Reader::open(path, &Unlock::with_key_file(key_file())) else {
        seen.no_file_or_head += 1;
        return match told {
            None => Ok(()),
            Some(told) => Err(format!("META {told} was durable, and there is no record").into()),
        };
    };
    match reader.status() {
        Status::Unsealed => seen.unsealed += 1,
        Status::Torn { .. } => seen.torn += 1,
        other => return Err(format!("found {other}").into()),
    }
    let (mut frames, mut durable) = (0, None);
    while let Some(entry) = reader.next_entry()? {
        match entry {
            Entry::Frame(found) if found.bytes != frame(frames) => return Err("a wrong frame".into()),
            Entry::Frame(_) => frames += 1,
            Entry::Meta(meta) => durable = meta.meta.value().as_u64(),
        }
    }
    if durable < told {
        return Err(format!("META {told:?} was durable, found {durable:?}").into());
    }
    seen.frames += frames;
    let bytes = std::fs::read(path)?;
    for (at, _) in bytes
        .windows(5)
        .enumerate()
        .filter(|(_, window)| *window == b"\xb5RML\x01")
    {
        let salt = bytes.get(at + 40..at + 72).unwrap_or_default().to_vec();
        if salt.len() == 32 && !seen.salts.insert(salt) {
            return Err("a salt came twice".into());
        }
    }
    Ok(())
}
