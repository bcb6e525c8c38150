//! A record under load: so many frames of 5 MB a second for so long, or as fast as it goes up to a length.
//! Says how long appends took, what was dropped, and the memory that was used.
//!
//! `cargo run --release -p beluga-sinks --example record_load paced edge-256|core-512 SECONDS [FOLDER]`
//! `cargo run --release -p beluga-sinks --example record_load large edge-256|core-512 GIGABYTES [FOLDER]`

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use beluga_sinks::FrameBytes;
use beluga_sinks::maml::{
    DeviceKey, DocumentFields, KeyFile, Readers, Suite, Trust, Unlock, Writer, WriterOptions, verify,
};

/// Frames a second.
const RATE: u32 = 20;
/// Frames that wait, as between fusion and the record.
const QUEUE: usize = 16;
/// Frames of one record; it is removed when it is whole, so that a long run needs little disk.
const EACH: u64 = 400;
const SECOND: i64 = 1_000_000_000;

type Outcome = Result<(), Box<dyn Error>>;

fn noise(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// 5 MB like a cloud of points, of which zstd leaves a half; or of nothing but noise.
fn frame(i: u64, is_noise: bool) -> FrameBytes {
    let mut state = i + 1;
    let mut points = Vec::with_capacity(5_000_000);
    for k in 0..250_000u32 {
        if is_noise {
            for _ in 0..5 {
                points.extend_from_slice(&(noise(&mut state) as u32).to_le_bytes());
            }
            continue;
        }
        let x = 10.0 + f64::from(k % 1000) * 0.02 + (noise(&mut state) % 1000) as f64 * 1e-5;
        let y = f64::from(k / 1000) * 0.05 + (noise(&mut state) % 1000) as f64 * 1e-5;
        points.extend_from_slice(&(x as f32).to_le_bytes());
        points.extend_from_slice(&(y as f32).to_le_bytes());
        points.extend_from_slice(&(noise(&mut state) as u16).to_le_bytes());
        points.extend_from_slice(&[(k % 3) as u8, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    FrameBytes {
        frame: i.to_le_bytes().to_vec(),
        points,
        arcs: Vec::new(),
    }
}

fn writer(path: &Path, suite: Suite) -> Result<Writer, beluga_sinks::Error> {
    let options = WriterOptions {
        document: DocumentFields::default(),
        suite,
        readers: Readers::with_key_file(KeyFile::from_bytes(&[2; 32])),
        device: DeviceKey::from_seed(&[1; 32]),
        previous: None,
        padded: false,
        hides_times: false,
    };
    Writer::create(path, options)
}

/// The most memory this process had, in MB.
fn most_mb() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line
        .and_then(|line| line.split_whitespace().next())
        .ok_or("no VmHWM")?;
    Ok(kb.parse::<u64>()? / 1024)
}

/// Frames come at their times whether or not they are taken.
fn paced(suite: Suite, seconds: u32, folder: &Path) -> Outcome {
    let made: Vec<Arc<FrameBytes>> = (0..4).map(|i| Arc::new(frame(i, false))).collect();
    let before = most_mb()?;
    let (to_record, frames) = sync_channel::<(u64, Arc<FrameBytes>)>(QUEUE);
    let (suite_name, folder) = (suite.name(), folder.to_owned());
    let record = thread::spawn(move || -> Result<(Vec<Duration>, Duration, u64), String> {
        let (mut took, mut finishing, mut bytes) = (Vec::new(), Duration::ZERO, 0);
        let mut current: Option<(PathBuf, Writer)> = None;
        for (i, frame) in frames {
            if current.is_none() {
                let path = folder.join(format!("{i}.maml"));
                current = Some((path.clone(), writer(&path, suite).map_err(|e| e.to_string())?));
            }
            if let Some((_, writer)) = &mut current {
                let began = Instant::now();
                let time = i as i64 * SECOND / i64::from(RATE);
                writer.push(&frame, time).map_err(|e| e.to_string())?;
                took.push(began.elapsed());
            }
            if i % EACH == EACH - 1
                && let Some((path, writer)) = current.take()
            {
                let began = Instant::now();
                bytes += writer.finish().map_err(|e| e.to_string())?.bytes;
                finishing = finishing.max(began.elapsed());
                std::fs::remove_file(path).map_err(|e| e.to_string())?;
            }
        }
        if let Some((path, writer)) = current {
            bytes += writer.finish().map_err(|e| e.to_string())?.bytes;
            std::fs::remove_file(path).map_err(|e| e.to_string())?;
        }
        Ok((took, finishing, bytes))
    });
    let (began, mut dropped) = (Instant::now(), 0);
    for i in 0..u64::from(seconds * RATE) {
        let due = began + Duration::from_secs(i) / RATE;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        match to_record.try_send((i, made[(i % 4) as usize].clone())) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => dropped += 1,
            Err(TrySendError::Disconnected(_)) => break,
        }
    }
    drop(to_record);
    let (mut took, finishing, bytes) = record.join().map_err(|_| "the record's thread failed")??;
    let wall = began.elapsed();
    took.sort();
    let of = |share: f64| {
        let at = (took.len() as f64 * share) as usize;
        took.get(at.min(took.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
            .as_secs_f64()
            * 1e3
    };
    println!(
        "{suite_name}: {} frames of 5 MB in {:.0} s, {:.1} GB written; append p50 {:.1} ms, p99 {:.1}, p99.9 {:.1}, slowest {:.1}; \
         finishing at most {:.0} ms; {dropped} dropped; memory {} MB, {before} before",
        took.len(),
        wall.as_secs_f64(),
        bytes as f64 / 1e9,
        of(0.5),
        of(0.99),
        of(0.999),
        of(1.0),
        finishing.as_secs_f64() * 1e3,
        most_mb()?
    );
    Ok(())
}

/// One record of so many gigabytes, then verified without and with its key.
fn large(suite: Suite, gigabytes: f64, folder: &Path) -> Outcome {
    let made: Vec<FrameBytes> = (0..4).map(|i| frame(i, true)).collect();
    let (path, before) = (folder.join("large.maml"), most_mb()?);
    let mut record = writer(&path, suite)?;
    let mut i = 0;
    while (record.bytes() as f64) < gigabytes * 1e9 {
        record.push(&made[i % 4], i as i64 * SECOND / i64::from(RATE))?;
        i += 1;
    }
    let bytes = record.finish()?.bytes;
    let written = most_mb()?;
    let without = verify(&path, &Trust::default(), None)?;
    let unlock = Unlock::with_key_file(KeyFile::from_bytes(&[2; 32]));
    let verified = most_mb()?;
    let with = verify(&path, &Trust::default(), Some(&unlock))?;
    println!(
        "{}: {i} frames, {:.2} GB: {} and {}; memory {before} MB before, {written} after writing, {verified} after verifying, {} with the key",
        suite.name(),
        bytes as f64 / 1e9,
        without.status,
        with.status,
        most_mb()?
    );
    Ok(())
}

fn main() -> Outcome {
    const USAGE: &str = "expected: paced|large edge-256|core-512 NUMBER [FOLDER]";
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, suite, number, ..] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let suite = Suite::from_name(suite).ok_or(USAGE)?;
    let folder = arguments.get(3).map_or_else(std::env::temp_dir, Into::into);
    let folder = folder.join(format!("record-load-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let done = match what.as_str() {
        "paced" => paced(suite, number.parse()?, &folder),
        "large" => large(suite, number.parse()?, &folder),
        _ => Err(USAGE.into()),
    };
    std::fs::remove_dir_all(&folder)?;
    done
}
