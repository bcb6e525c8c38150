//! Memory of fusion over a long run: a recording again and again, with stamps that go on, as fast as it
//! can.
//!
//! `survey_laps RECORDING [LAPS]` plays a recording of about a minute so often (120: two hours of data) through
//! one `Fuser`, with everything a run has but record and picture, and drops the frames. Where a lap ends
//! the vessel is back at its beginning at once: a jump that a run has to stand anyway. Every tenth lap
//! it prints the resident memory; in the end the memory's slope, by least squares over all but the first
//! tenth of the laps. Linux only.

#![allow(clippy::print_stdout, reason = "a program that prints")]

use std::path::Path;

use anyhow::Context;
use beluga_fusion::{Config, Fuser};
use beluga_ingest::Recording;
use beluga_types::Measurement;
use beluga_types::elementary::Squared;

/// Resident memory of this process, in megabytes.
fn resident_mb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes
        .context("no VmRSS in /proc/self/status")?
        .parse::<f64>()?
        / 1024.0)
}

/// The rise of the second over the first, by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let products: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    products / points.iter().map(|point| (point.0 - x).squared()).sum::<f64>()
}

/// The same measurement so much later.
fn later(measurement: &Measurement, lap: u64, seqs: u64, nanos: i64) -> Measurement {
    Measurement {
        seq: measurement.seq + lap * seqs,
        stamp: measurement.stamp.shifted_nanos(nanos),
        end: measurement.end.shifted_nanos(nanos),
        received: measurement.received.shifted_nanos(nanos),
        ..measurement.clone()
    }
}

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let path = words.next().context("survey_laps RECORDING [LAPS]")?;
    let laps: u64 = words.next().map_or(Ok(120), |word| word.parse())?;
    let recording = Recording::open(Path::new(&path))?;
    let measured: Vec<Measurement> = recording.timeline()?.collect();
    let (first, last) = (
        measured.first().context("an empty recording")?,
        measured.last().context("an empty recording")?,
    );
    // The next lap begins as long after the end of this as measurements are apart.
    let step_nanos = last.end.nanos_since(first.end) / measured.len().max(2) as i64;
    let lap_nanos = last.end.nanos_since(first.stamp) + step_nanos.max(1);
    let seqs = 1 + measured
        .iter()
        .map(|measurement| measurement.seq)
        .max()
        .unwrap_or(0);
    let mut fuser = Fuser::new(Config::default(), recording.rig().clone())?;
    println!("{} measurements a lap: {:.1} MB", measured.len(), resident_mb()?);
    let (mut resident, mut frames) = (Vec::new(), 0);
    let hours = lap_nanos as f64 * 1e-9 / 3600.0;
    for lap in 0..laps {
        for measurement in &measured {
            let measurement = later(measurement, lap, seqs, lap as i64 * lap_nanos);
            frames += fuser.push(measurement).len();
        }
        let now = resident_mb()?;
        resident.push(((lap + 1) as f64 * hours, now));
        if (lap + 1) % 10 == 0 {
            println!("lap {:4}: {now:.1} MB, {frames} frames", lap + 1);
        }
    }
    frames += fuser.finish().len();
    let counted = &resident[resident.len() / 10..];
    println!(
        "{:.2} h of data, {frames} frames: {:+.3} MB an hour",
        laps as f64 * hours,
        slope(counted)
    );
    Ok(())
}
