//! What is true over time and depth, as tables: `clocks.csv`, `events.csv`, `sound_speed.csv`,
//! `waterline.csv`.

use std::path::Path;

use beluga_types::{SensorId, Stamp, Water};

use super::writer::Out;
use crate::error::Error;
use crate::faults::Fate;
use crate::vessel::START;
use crate::world::World;

/// Lines per second of the tables over time.
const RATE_HZ: f64 = 1.0;
/// Depths that are always listed, in metres.
const DEPTHS_M: [f64; 2] = [0.0, 20.0];

pub(super) fn write(dir: &Path, world: &World) -> Result<(), Error> {
    clocks(dir, world)?;
    events(dir, world)?;
    sound_speed(dir, world)?;
    waterline(dir, world)
}

fn moments(world: &World) -> impl Iterator<Item = Stamp> + use<> {
    let count = (world.scenario().duration_s * RATE_HZ).ceil() as u64 + 1;
    (0..count).map(|i| START.shifted_s(i as f64 / RATE_HZ))
}

fn name(world: &World, sensor: SensorId) -> &str {
    world.rig().sensor(sensor).map_or("", |spec| &spec.name)
}

/// Stamp less true time of each sensor, without jitter.
fn clocks(dir: &Path, world: &World) -> Result<(), Error> {
    let mut out = Out::create(dir.join("clocks.csv"))?;
    out.push(b"stamp_ns,sensor,offset_ns\n")?;
    for stamp in moments(world) {
        for sensor in world.rig().ids() {
            let clock = world.faults().clock(sensor);
            let offset = clock.map_or(0.0, |clock| (clock.offset_s(stamp) * 1e9).round());
            let line = format!("{},{},{offset}\n", stamp.nanos(), name(world, sensor));
            out.push(line.as_bytes())?;
        }
    }
    out.finish()
}

/// Every payload that did not simply arrive.
fn events(dir: &Path, world: &World) -> Result<(), Error> {
    let mut out = Out::create(dir.join("events.csv"))?;
    out.push(b"stamp_ns,sensor,seq,what,delay_ns\n")?;
    for (sensor, count) in world.counts() {
        for seq in 0..count {
            let stamp = world.stamp_of(sensor, seq);
            let (what, delay) = match world.faults().fate(sensor, seq, stamp) {
                Fate::Heard => continue,
                Fate::Lost => ("lost", 0),
                Fate::Late(nanos) => ("late", nanos),
                Fate::Twice => ("twice", 0),
                Fate::Silent => ("silent", 0),
            };
            let line = format!("{},{},{seq},{what},{delay}\n", stamp.nanos(), name(world, sensor));
            out.push(line.as_bytes())?;
        }
    }
    out.finish()
}

fn sound_speed(dir: &Path, world: &World) -> Result<(), Error> {
    let truly: Vec<(f64, f64)> = world.sonar().sound_speed_levels();
    let real = Water::Profile(truly.into());
    let waters = [&real, &world.rig().water];
    let mut depths = DEPTHS_M.to_vec();
    for water in waters {
        if let Water::Profile(points) = water {
            depths.extend(points.iter().map(|point| point.0));
        }
    }
    depths.sort_by(f64::total_cmp);
    depths.dedup();
    let mut out = Out::create(dir.join("sound_speed.csv"))?;
    out.push(b"depth_m,true_m_per_s,stated_m_per_s\n")?;
    for depth in depths {
        let [real, stated] = waters.map(|water| speed_at(water, depth));
        out.push(format!("{depth},{real:.4},{stated:.4}\n").as_bytes())?;
    }
    out.finish()
}

/// The speed of sound at a depth: between the points of a profile on straight lines, beyond them as at
/// its ends.
fn speed_at(water: &Water, depth_m: f64) -> f64 {
    match water {
        Water::SoundSpeed(speed) => *speed,
        Water::Profile(points) => {
            let after = points.partition_point(|point| point.0 < depth_m);
            match (points.get(after.wrapping_sub(1)), points.get(after)) {
                (Some(above), Some(below)) => {
                    let part = (depth_m - above.0) / (below.0 - above.0);
                    above.1 + part * (below.1 - above.1)
                }
                (Some(end), None) | (None, Some(end)) => end.1,
                (None, None) => 0.0,
            }
        }
        _ => 0.0,
    }
}

/// Height of the water in `World`; its origin is that of `Quay`, and up is up in both.
fn waterline(dir: &Path, world: &World) -> Result<(), Error> {
    let mut out = Out::create(dir.join("waterline.csv"))?;
    out.push(b"stamp_ns,z_m\n")?;
    for stamp in moments(world) {
        let level = world.vessel().water_level_m(stamp);
        out.push(format!("{},{level:.4}\n", stamp.nanos()).as_bytes())?;
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_profile_is_read_on_straight_lines() {
        let water = Water::Profile(Arc::from([(1.0, 1480.0), (3.0, 1470.0)]));
        for (depth, speed) in [
            (0.0, 1480.0),
            (1.0, 1480.0),
            (1.5, 1477.5),
            (3.0, 1470.0),
            (9.0, 1470.0),
        ] {
            assert_eq!(speed_at(&water, depth), speed, "{depth}");
        }
    }
}
