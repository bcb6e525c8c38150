//! Speed of the lidars' packets on their way to scans: one second of each sensor, one thread.
//!
//! Each scan is let go when it is whole, as a run does that keeps none. Times are of the processor, not of the clock on the wall where the system tells them
//! (`/proc/thread-self/schedstat`): 50 ms for a second of a sensor are 20 times its own rate.

#[path = "../tests/packets/write.rs"]
#[allow(dead_code, reason = "the tests make more packets than are measured")]
mod write;

#[path = "../../fuzz/split.rs"]
#[allow(dead_code, reason = "the fuzz targets play what is measured here")]
mod split;

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use beluga_ingest::lidar::drive;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BANKS: [u16; 4] = [0xeeff, 0xddff, 0xccff, 0xbbff];

/// Time that this thread has had on a processor.
fn on_processor() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

/// One second of a sensor whose packets come so many µs apart.
fn second(criterion: &mut Criterion, name: &str, step_micros: u32, of: impl Fn(u32) -> Vec<u8>) {
    let count = 1_000_000 / step_micros;
    let packets: Vec<Vec<u8>> = (0..count).map(of).collect();
    let datagrams = split::split(&write::joined(&packets, (step_micros / 10) as u16));
    let bytes: usize = packets.iter().map(Vec::len).sum();
    let (maker, model) = name.split_once('/').unwrap_or((name, ""));
    let mut group = criterion.benchmark_group(format!("ingest/{maker}"));
    group.sample_size(10).throughput(Throughput::Bytes(bytes as u64));
    group.bench_function(model, |bencher| {
        bencher.iter_custom(|times| {
            let (begun, wall) = (on_processor(), Instant::now());
            for _ in 0..times {
                let let_go = |stamp, scan| drop(black_box((stamp, scan)));
                black_box(drive::each_scan(black_box(&datagrams), let_go).expect("whole packets"));
            }
            match (begun, on_processor()) {
                (Some(begun), Some(ended)) => ended - begun,
                _ => wall.elapsed(),
            }
        });
    });
    group.finish();
}

fn packets(criterion: &mut Criterion) {
    for (name, product, mode, step, banks) in [
        ("velodyne/vlp-16", 0x22, 0x37, 1327, &BANKS[..1]),
        ("velodyne/vlp-16-dual", 0x22, 0x39, 664, &BANKS[..1]),
        ("velodyne/hdl-32e", 0x21, 0x37, 553, &BANKS[..1]),
        ("velodyne/vlp-32c", 0x28, 0x37, 664, &BANKS[..1]),
        ("velodyne/vls-128", 0xa1, 0x37, 160, &BANKS[..]),
    ] {
        second(criterion, name, step, |count| {
            write::velodyne(count, product, mode, step, banks)
        });
    }
    second(criterion, "hesai/xt-32", 400, |count| write::xt_32(count, 0x37));
    second(criterion, "hesai/xt-32-dual", 200, |count| {
        write::xt_32(count, 0x39)
    });
    second(criterion, "hesai/qt-64", 667, |count| write::qt_64(count, 0x37));
    second(criterion, "hesai/pandar-40p", 556, |count| {
        write::pandar_40p(count, 0x37, true)
    });
    second(criterion, "hesai/pandar-64", 333, |count| {
        write::pandar_64(count, 0x37, true)
    });
    second(criterion, "livox/mid-360", 480, |count| {
        write::livox(count as u16, 1)
    });
}

criterion_group!(benches, packets);
criterion_main!(benches);
