//! What a minute of level S2 costs: 64 rings × 1024 at 10 Hz, 256 beams × 60 kHz × 30 m at 15 Hz.
//!
//! `cargo run --release -p beluga-sim --example cost [SECONDS] [all]`; `all` follows refraction, two
//! mirrors, glints and what floats too.

// A tool that prints.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use beluga_sim::{Level, Scenario, World};
use beluga_types::Payload;

fn main() -> Result<(), beluga_sim::Error> {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(60.0);
    let all = arguments.next().is_some_and(|word| word == "all");
    let mut scenario = Scenario::demo();
    scenario.level = Level::S2;
    scenario.duration_s = seconds;
    scenario.lidar.rings = 64;
    scenario.lidar.columns = 1024;
    scenario.sonar.range_m = 30.0;
    scenario.sonar.bandwidth_hz = 60e3;
    scenario.sonar.sample_rate_hz = 75e3;
    if all {
        scenario.water.profile = vec![[0.0, 1482.0], [2.0, 1481.0], [4.0, 1471.0], [15.0, 1468.0]];
        scenario.water.multipath = 2;
        scenario.water.specular = true;
        scenario.water.surface_roughness_m = Some(2e-3);
        scenario.water.wind_m_per_s = 4.0;
        scenario.water.volume_scattering_db = Some(-65.0);
    }
    let world = World::new(scenario)?;
    let start = Instant::now();
    let (mut scans, mut pings, mut points) = (0u32, 0u32, 0usize);
    for measurement in world.measurements() {
        match &measurement.payload {
            Payload::Lidar(scan) => {
                scans += 1;
                points += scan.len();
            }
            Payload::Sonar(_) => pings += 1,
            _ => {}
        }
    }
    let spent = start.elapsed().as_secs_f64();
    println!("{seconds} s of S2: {scans} scans with {points} returns and {pings} pings in {spent:.1} s");
    Ok(())
}
