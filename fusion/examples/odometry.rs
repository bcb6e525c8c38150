//! Lidar odometry over scans in files: the CPU time of each and its time by the clock, and the poses.
//!
//! `odometry [--time] [--threads N] [--range MIN MAX] [--wanted POINTS] [--poses FILE] SCAN…` reads little-endian
//! `f32` rows of four, as KITTI's `.bin` files are: x, y, z in metres, and an intensity, or with `--time` the
//! seconds since the scan's first point. All files are read before the clock runs. Scans are 0.1 s
//! apart. Poses are written as KITTI writes them: the upper three rows of the 4×4 matrix of each scan's end.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a program, not the room"
)]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use beluga_fusion::{Config, LidarOdometry, Located};
use beluga_types::{LidarScan, PoseSource, Stamp, Transform};

#[path = "cpu/mod.rs"]
mod cpu;

/// Scans that do not count: tables grow, the map begins.
const WARM_SCANS: usize = 5;
/// From scan to scan, in nanoseconds.
const PERIOD_NANOS: i64 = 100_000_000;

type Failure = Box<dyn std::error::Error>;

struct Options {
    timed: bool,
    threads: usize,
    range_m: Option<(f64, f64)>,
    wanted_points: Option<u32>,
    poses: Option<String>,
    files: Vec<String>,
}

fn options() -> Result<Options, Failure> {
    let mut options = Options {
        timed: false,
        threads: 1,
        range_m: None,
        wanted_points: None,
        poses: None,
        files: Vec::new(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--time" => options.timed = true,
            "--threads" => options.threads = value()?.parse()?,
            "--range" => options.range_m = Some((value()?.parse()?, value()?.parse()?)),
            "--wanted" => options.wanted_points = Some(value()?.parse()?),
            "--poses" => options.poses = Some(value()?),
            _ => options.files.push(word),
        }
    }
    Ok(options)
}

fn scan(path: &str, timed: bool) -> Result<LidarScan, Failure> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let (words, _) = bytes.as_chunks::<4>();
    let numbers: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
    let column = |place: usize| -> Vec<f32> { numbers.iter().skip(place).step_by(4).copied().collect() };
    let scan = LidarScan::new(column(0), column(1), column(2))?;
    if !timed {
        return Ok(scan);
    }
    let nanos = column(3)
        .into_iter()
        .map(|seconds| (f64::from(seconds) * 1e9) as i32);
    Ok(scan.with_offset_nanos(nanos.collect())?)
}

fn run(options: &Options) -> Result<(), Failure> {
    let scans: Vec<Arc<LidarScan>> = options
        .files
        .iter()
        .map(|path| Ok(Arc::new(scan(path, options.timed)?)))
        .collect::<Result<_, Failure>>()?;
    let mut config = Config::default();
    if let Some((min, max)) = options.range_m {
        (config.odometry.min_range_m, config.odometry.max_range_m) = (min, max);
    }
    if let Some(wanted) = options.wanted_points {
        config.odometry.wanted_points = wanted;
    }
    let mut odometry = LidarOdometry::new(&config, Transform::identity(), !options.timed)?;
    let (mut spent, mut taken) = (Vec::new(), Vec::new());
    let mut located: Vec<Located> = Vec::new();
    for (i, scan) in scans.iter().enumerate() {
        let (before, begun) = (cpu::milliseconds(), Instant::now());
        located.push(odometry.push(scan, Stamp::from_nanos(i as i64 * PERIOD_NANOS)));
        spent.push(cpu::milliseconds() - before);
        taken.push(1e3 * begun.elapsed().as_secs_f64());
    }
    let [counted, taken] = [spent, taken].map(|mut of| {
        let mut counted = of.split_off(WARM_SCANS.min(of.len()));
        counted.sort_by(f64::total_cmp);
        counted
    });
    let mean = counted.iter().sum::<f64>() / counted.len().max(1) as f64;
    let held = located
        .iter()
        .filter(|l| l.source == PoseSource::Odometry)
        .count();
    println!(
        "{{\"scans\": {}, \"held\": {held}, \"threads\": {}, \"cpu_ms_median\": {:.3}, \"cpu_ms_mean\": {mean:.3}, \"cpu_ms_p90\": {:.3}, \"clock_ms_median\": {:.3}}}",
        scans.len(),
        options.threads,
        counted.get(counted.len() / 2).copied().unwrap_or(f64::NAN),
        counted.get(counted.len() * 9 / 10).copied().unwrap_or(f64::NAN),
        taken.get(taken.len() / 2).copied().unwrap_or(f64::NAN),
    );
    if let Some(path) = &options.poses {
        std::fs::write(path, kitti(&located))?;
    }
    Ok(())
}

fn kitti(located: &[Located]) -> String {
    let mut text = String::new();
    for one in located {
        let (turn, place) = (
            one.world_from_body.rotation_matrix(),
            one.world_from_body.translation(),
        );
        for row in 0..3 {
            for value in [turn[(row, 0)], turn[(row, 1)], turn[(row, 2)], place[row]] {
                let _ = write!(text, "{value:.9} ");
            }
        }
        text.push('\n');
    }
    text
}

fn main() -> Result<(), Failure> {
    let options = options()?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build()?;
    pool.install(|| run(&options).map_err(|error| error.to_string()))?;
    Ok(())
}
