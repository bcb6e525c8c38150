//! Rates of a record, side by side with plain zstd at the same level: appending and opening frames of
//! 5 MB in both suites, and seeking in a record of an hour. All in seconds of CPU, which other programs on
//! the machine change little.
//!
//! `cargo run --release -p beluga-sinks --example record_rates [FRAMES] [FOLDER]`

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use beluga_sinks::FrameBytes;
use beluga_sinks::maml::{
    DeviceKey, DocumentFields, KeyFile, Reader, Readers, Suite, Unlock, Writer, WriterOptions, verify,
};
use rustix::time::{ClockId, clock_gettime};

const SECOND: i64 = 1_000_000_000;
/// zstd's own default, which the record uses.
const LEVEL: i32 = 3;

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// 5 MB like a cloud of points: coordinates whose low bits are noise, and columns that repeat.
fn frame(i: u64) -> FrameBytes {
    let mut state = i + 1;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut points = Vec::with_capacity(5_000_000);
    for k in 0..250_000u32 {
        let x = 10.0 + f64::from(k % 1000) * 0.02 + (noise() % 1000) as f64 * 1e-5;
        let y = f64::from(k / 1000) * 0.05 + (noise() % 1000) as f64 * 1e-5;
        points.extend_from_slice(&(x as f32).to_le_bytes());
        points.extend_from_slice(&(y as f32).to_le_bytes());
        points.extend_from_slice(&(noise() as u16).to_le_bytes());
        points.extend_from_slice(&[(k % 3) as u8, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    FrameBytes {
        frame: i.to_le_bytes().to_vec(),
        points,
        arcs: Vec::new(),
    }
}

fn options(suite: Suite) -> WriterOptions {
    WriterOptions {
        document: DocumentFields::default(),
        suite,
        readers: Readers::with_key_file(KeyFile::from_bytes(&[2; 32])),
        device: DeviceKey::from_seed(&[1; 32]),
        previous: None,
        padded: false,
        hides_times: false,
    }
}

fn unlock() -> Unlock {
    Unlock::with_key_file(KeyFile::from_bytes(&[2; 32]))
}

fn told(what: &str, bytes: f64, spent: Duration, plain: Option<Duration>) {
    let rate = bytes / spent.as_secs_f64() / 1e6;
    let ratio = plain.map_or(String::new(), |plain| {
        format!(", {:.2} × plain zstd", spent.as_secs_f64() / plain.as_secs_f64())
    });
    println!("{what:<18} {rate:7.0} MB/s of CPU{ratio}");
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let frames: u64 = arguments.next().map_or(Ok(60), |text| text.parse())?;
    let folder = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let folder = folder.join(format!("record-rates-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let done = rates(frames, &folder).and_then(|()| seeking(&folder));
    std::fs::remove_dir_all(&folder)?;
    done
}

fn rates(frames: u64, folder: &Path) -> Result<(), Box<dyn Error>> {
    let made: Vec<FrameBytes> = (0..4).map(frame).collect();
    let of = |i: u64| &made[(i % 4) as usize];
    let bytes: f64 = (0..frames).map(|i| of(i).points.len() as f64).sum();

    let path = folder.join("plain.zst");
    let begun = cpu();
    let mut file = File::create(&path)?;
    let mut zstd = zstd::bulk::Compressor::new(LEVEL)?;
    let (mut lengths, mut compressed) = (Vec::new(), Vec::new());
    for i in 0..frames {
        compressed.clear();
        compressed.reserve(zstd::zstd_safe::compress_bound(of(i).points.len()));
        zstd.compress_to_buffer(&of(i).points, &mut compressed)?;
        file.write_all(&compressed)?;
        lengths.push(compressed.len());
        // A record is brought to disk every second, here after ten frames.
        if i % 10 == 9 {
            file.sync_data()?;
        }
    }
    let plain = cpu() - begun;
    let stored: usize = lengths.iter().sum();
    println!(
        "{frames} frames of {:.1} MB, {:.2} of it after zstd",
        bytes / frames as f64 / 1e6,
        stored as f64 / bytes
    );
    told("append plain zstd", bytes, plain, None);
    for suite in [Suite::Edge256, Suite::Core512] {
        let begun = cpu();
        let mut writer = Writer::create(&folder.join(suite.name()), options(suite))?;
        let mut slowest = Duration::ZERO;
        for i in 0..frames {
            let at = Instant::now();
            writer.push(of(i), i as i64 * SECOND / 10)?;
            slowest = slowest.max(at.elapsed());
        }
        writer.finish()?;
        told(
            &format!("append {}", suite.name()),
            bytes,
            cpu() - begun,
            Some(plain),
        );
        println!(
            "{:<18} {:7.1} ms, by the clock",
            "  slowest append",
            slowest.as_secs_f64() * 1e3
        );
    }

    let begun = cpu();
    let mut file = File::open(&path)?;
    for &length in &lengths {
        let mut compressed = vec![0; length];
        file.read_exact(&mut compressed)?;
        zstd::bulk::decompress(&compressed, 8 << 20)?;
    }
    let plain = cpu() - begun;
    told("open plain zstd", bytes, plain, None);
    for suite in [Suite::Edge256, Suite::Core512] {
        let path = folder.join(suite.name());
        let begun = cpu();
        let read = Reader::open(&path, &unlock())?.count();
        told(
            &format!("open {}", suite.name()),
            bytes,
            cpu() - begun,
            Some(plain),
        );
        let begun = cpu();
        let report = verify(&path, &beluga_sinks::maml::Trust::default(), None)?;
        told(&format!("verify {}", suite.name()), bytes, cpu() - begun, None);
        assert_eq!((read as u64, report.counts.frames), (frames, frames));
        std::fs::remove_file(&path)?;
    }
    Ok(())
}

/// An hour of small frames, one a second and so 3,600 segments: the middle is found from the index, and
/// in what is left of nine tenths of it without.
fn seeking(folder: &Path) -> Result<(), Box<dyn Error>> {
    let path = folder.join("hour");
    let mut writer = Writer::create(&path, options(Suite::Edge256))?;
    for i in 0..3600i64 {
        let small = FrameBytes {
            frame: i.to_le_bytes().to_vec(),
            ..FrameBytes::default()
        };
        writer.push(&small, i * SECOND)?;
    }
    writer.finish()?;
    opened_and_sought(&path, "")?;
    // As a power cut leaves it: no index, no end.
    let cut = folder.join("cut");
    let length = std::fs::copy(&path, &cut)?;
    File::options().write(true).open(&cut)?.set_len(length * 9 / 10)?;
    opened_and_sought(&cut, " cut off")
}

fn opened_and_sought(path: &Path, how: &str) -> Result<(), Box<dyn Error>> {
    let begun = cpu();
    let mut reader = Reader::open(path, &unlock())?;
    println!(
        "{:<18} {:7.1} ms of CPU for an hour of 3,600 segments{how}, all signatures checked",
        "open",
        (cpu() - begun).as_secs_f64() * 1e3
    );
    let (mut slowest, mut state) = (Duration::ZERO, 1u64);
    let begun = cpu();
    for _ in 0..200 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let second = (state >> 33) as i64 % 3200;
        let at = cpu();
        reader.seek(second * SECOND)?;
        let found = reader.next_frame()?.ok_or("no frame")?;
        slowest = slowest.max(cpu() - at);
        assert_eq!(found.time_nanos, second * SECOND);
    }
    let mean = (cpu() - begun) / 200;
    println!(
        "{:<18} {:7.2} ms of CPU mean, {:.2} slowest, of 200{how}",
        "seek in it",
        mean.as_secs_f64() * 1e3,
        slowest.as_secs_f64() * 1e3
    );
    Ok(())
}
