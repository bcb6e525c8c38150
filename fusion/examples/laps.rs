//! Memory of lidar odometry over a long run: a simulated minute again and again, with stamps that go
//! on, as fast as it can.
//!
//! `laps [LAPS]` simulates a lidar of 32 rings that goes up and down a street within a minute, and gives these
//! 600 scans to one odometry so often (120: two hours of data). Every tenth lap it prints the resident memory and
//! the map's size, and in the end the memory's slope, by least squares over all but the first tenth
//! of the laps. Linux only.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program, not the room"
)]

use std::sync::Arc;

use beluga_fusion::{Config, LidarOdometry};
use beluga_types::elementary::{Squared, cos};
use beluga_types::{LidarScan, PoseSource, Stamp, Transform};

#[path = "../tests/street/mod.rs"]
mod street;

/// Scans of a lap, and the time from one to the next.
const SCANS: i64 = 600;
const PERIOD_NANOS: i64 = 100_000_000;
/// Rings and columns of the lidar.
const LIDAR: (u64, u64) = (32, 600);
/// How far up and down the street, in the street's own steps.
const REACH: f64 = 15.0;

type Failure = Box<dyn std::error::Error>;

/// Resident memory of this process, in megabytes.
fn resident_mb() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.ok_or("no VmRSS in /proc/self/status")?.parse::<f64>()? / 1024.0)
}

/// The rise of the second over the first, by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let products: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    products / points.iter().map(|point| (point.0 - x).squared()).sum::<f64>()
}

/// One lap: from standstill at one end to the other and back.
fn lap() -> Vec<Arc<LidarScan>> {
    let place = |scan: i64| {
        let part = scan as f64 / SCANS as f64;
        -REACH * cos(std::f64::consts::TAU * part)
    };
    (0..SCANS)
        .map(|scan| street::scan(place(scan), LIDAR.0, LIDAR.1, false))
        .collect()
}

fn main() -> Result<(), Failure> {
    let laps: i64 = std::env::args().nth(1).map_or(Ok(120), |word| word.parse())?;
    let scans = lap();
    let mut odometry = LidarOdometry::new(&Config::default(), Transform::identity(), true)?;
    println!(
        "{SCANS} scans of {} points a lap: {:.1} MB",
        scans[0].len(),
        resident_mb()?
    );
    let mut resident = Vec::new();
    let mut held = 0u64;
    for lap in 0..laps {
        for (k, scan) in (0..).zip(&scans) {
            let located = odometry.push(scan, Stamp::from_nanos((lap * SCANS + k) * PERIOD_NANOS));
            held += u64::from(located.source == PoseSource::Odometry);
        }
        let now = resident_mb()?;
        resident.push(((lap + 1) as f64 / 60.0, now));
        if (lap + 1) % 10 == 0 {
            let (voxels, room) = odometry.map_voxels();
            println!("lap {:4}: {now:.1} MB, {voxels} voxels of {room}", lap + 1);
        }
    }
    let counted = &resident[resident.len() / 10..];
    println!(
        "{:.2} h of data, {held} of {} scans found their place: {:+.3} MB an hour",
        laps as f64 / 60.0,
        laps * SCANS,
        slope(counted)
    );
    Ok(())
}
