//! How fast packets of an Ouster become scans, from a capture in memory: against the sensor's own
//! rate, 128 rows × 1024 columns ten times a second.

#![allow(missing_docs, reason = "made by a macro")]
#![allow(clippy::unwrap_used, reason = "a bench says what is wrong by failing")]

#[path = "../tests/capture_file/mod.rs"]
mod capture_file;

use std::hint::black_box;
use std::path::Path;

use beluga_ingest::lidar::ouster::{self, metadata::Metadata};
use capture_file::{Pcap, Udp, ethernet};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const ROWS: usize = 128;
const FRAMES: u64 = 10;
const RATE_HZ: f64 = 10.0;

/// Metadata and a capture of ten scans in which every pixel has a return.
fn made(profile: &str, pixel: &[u8]) -> (Metadata, Vec<u8>) {
    let angles = |step: f64| (0..ROWS).map(|row| step * row as f64).collect::<Vec<_>>();
    let metadata = serde_json::json!({
        "lidar_mode": "1024x10",
        "beam_altitude_angles": angles(0.35),
        "beam_azimuth_angles": angles(0.01),
        "data_format": { "pixels_per_column": ROWS, "columns_per_frame": 1024, "columns_per_packet": 16,
            "udp_profile_lidar": profile },
    });
    let metadata = Metadata::read(metadata.to_string().as_bytes()).unwrap();
    let mut packets = Vec::new();
    for frame in 0..FRAMES {
        for first in (0..1024_u64).step_by(16) {
            let mut payload = vec![0; 32];
            payload[0] = 1;
            payload[2] = frame as u8;
            let time = |column: u64| 1_000_000_000 + frame * 100_000_000 + column * 97_656;
            for column in first..first + 16 {
                payload.extend(time(column).to_le_bytes());
                payload.extend((column as u16).to_le_bytes());
                payload.extend([1, 0]);
                payload.extend(pixel.repeat(ROWS));
            }
            payload.resize(payload.len() + 32, 0);
            let udp = Udp {
                source: [10, 0, 0, 1],
                port: 7502,
                payload: &payload,
            };
            packets.push((
                1_650_000_000_000_000_000 + time(first + 16),
                ethernet(&udp.ipv4(), &[]),
            ));
        }
    }
    (metadata, Pcap::USUAL.file(&packets))
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ingest/ouster");
    // What a sensor sends in the time: elements per second over points per second is times real time.
    group.throughput(Throughput::Elements(FRAMES * 1024 * ROWS as u64));
    for (profile, pixel) in [
        ("RNG15_RFL8_NIR8", &[0x10, 0x27, 7, 9][..]),
        (
            "RNG19_RFL8_SIG16_NIR16",
            &[0x10, 0x27, 0, 0, 7, 0, 9, 0, 5, 0, 0, 0],
        ),
        (
            "RNG19_RFL8_SIG16_NIR16_DUAL",
            &[0x10, 0x27, 0, 7, 0x20, 0x27, 0, 8, 9, 0, 9, 0, 5, 0, 0, 0],
        ),
    ] {
        let (metadata, file) = made(profile, pixel);
        let play = || {
            let scans = ouster::scans(file.as_slice(), Path::new("made"), metadata.clone()).unwrap();
            scans.map(|scan| scan.unwrap().points.len()).sum::<usize>()
        };
        let returns = if profile.ends_with("DUAL") { 2 } else { 1 };
        assert_eq!(play(), FRAMES as usize * 1024 * ROWS * returns);
        let name = format!("{profile}/{ROWS}x1024x{RATE_HZ}Hz");
        group.bench_function(name, |bencher| bencher.iter(|| black_box(play())));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = decode
}
criterion_main!(benches);
