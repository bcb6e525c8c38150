//! Speed of lidar odometry on scans of a made-up street, one thread, and of its map's search.
//!
//! Against other programs, on recorded scans, and in CPU time: `benches/anchors.py`.

use std::hint::black_box;
use std::sync::Arc;

use beluga_fusion::{Config, LidarOdometry, PointMap};
use beluga_types::{LidarScan, Stamp, Transform};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

#[path = "../tests/street/mod.rs"]
mod street;

/// Scans of a run, and those before the clock runs.
const SCANS: u64 = 20;
const WARM: usize = 5;

fn at(scan: usize) -> Stamp {
    Stamp::from_nanos(scan as i64 * 100_000_000)
}

/// Odometry that has seen the first scans.
fn warm(scans: &[Arc<LidarScan>]) -> LidarOdometry {
    let mut odometry = LidarOdometry::new(&Config::default(), Transform::identity(), false)
        .expect("the default is in range");
    for (k, scan) in scans.iter().enumerate().take(WARM) {
        odometry.push(scan, at(k));
    }
    odometry
}

fn odometry(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fusion/odometry");
    group.sample_size(10);
    for (name, rings, columns) in [
        ("16x1800", 16, 1800),
        ("64x2048", 64, 2048),
        ("128x1024", 128, 1024),
    ] {
        let scans: Vec<_> = (0..SCANS)
            .map(|k| street::scan(k as f64, rings, columns, true))
            .collect();
        group.throughput(Throughput::Elements(SCANS - WARM as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || warm(&scans),
                |mut odometry| {
                    for (k, scan) in scans.iter().enumerate().skip(WARM) {
                        black_box(odometry.push(scan, at(k)));
                    }
                    odometry
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn points(scan: f64) -> Vec<[f32; 3]> {
    let pose = street::pose_at(scan);
    let (turn, place) = (
        pose.rotation_matrix().cast::<f32>(),
        pose.translation().cast::<f32>(),
    );
    let scan = street::scan(scan, 64, 1024, false);
    let columns = scan.x().iter().zip(scan.y()).zip(scan.z());
    columns
        .map(|((x, y), z)| (turn * nalgebra::Vector3::new(*x, *y, *z) + place).into())
        .collect()
}

fn nearest(criterion: &mut Criterion) {
    let mut map = PointMap::new(1.0);
    for scan in 0..30 {
        map.insert(&points(4.0 * f64::from(scan)));
    }
    let queries = points(61.5);
    let mut group = criterion.benchmark_group("fusion/nearest");
    group.throughput(Throughput::Elements(queries.len() as u64));
    group.bench_function("street", |bencher| {
        bencher.iter(|| map.nearest(black_box(&queries), 1.0));
    });
    group.finish();
}

criterion_group!(benches, odometry, nearest);
criterion_main!(benches);
