//! The spinning lidar: one ray per ring and column, each from where the sensor truly is when the
//! column fires.

use beluga_types::{LidarScan, Stamp};
use nalgebra::Vector3;

use crate::random::{Dice, Source};
use crate::rig::LIDAR;
use crate::vessel::START;
use crate::world::World;

/// When the first turn begins, in seconds after the run's start.
const FIRST_S: f64 = 0.02;
/// Nothing nearer than this is seen, in metres.
const NEAREST_M: f64 = 0.5;
/// Intensity of a white surface seen straight on.
const INTENSITY_FULL: f64 = 255.0;
/// One sigma of the intensity, as a part of it.
const INTENSITY_SIGMA: f64 = 0.05;

/// How many whole turns the run has.
pub(crate) fn count(world: &World) -> u64 {
    let scenario = world.scenario();
    ((scenario.duration_s - FIRST_S) * scenario.lidar.rate_hz + 1e-9)
        .floor()
        .max(0.0) as u64
}

/// When a turn begins.
pub(crate) fn stamp(world: &World, scan: u64) -> Stamp {
    START.shifted_s(FIRST_S + scan as f64 / world.scenario().lidar.rate_hz)
}

/// Columns of a scan while it is made.
#[derive(Default)]
struct Columns {
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    intensity: Vec<f32>,
    ring: Vec<u16>,
    offset_nanos: Vec<i32>,
}

/// One turn: clockwise seen from above, beginning at port.
pub(crate) fn scan(world: &World, scan: u64) -> LidarScan {
    let lidar = &world.scenario().lidar;
    let begin = stamp(world, scan);
    let body_from_sensor = world.body_from_sensor(LIDAR);
    let rays = ring_directions(lidar.rings, lidar.lowest_deg, lidar.highest_deg);
    let mut columns = Columns::default();
    for column in 0..lidar.columns {
        let turn = f64::from(column) / f64::from(lidar.columns);
        let offset_nanos = (turn / lidar.rate_hz * 1e9).round() as i32;
        let quay_from_sensor =
            world.vessel().pose_at(begin.shifted_nanos(offset_nanos.into())) * body_from_sensor;
        let rotation = quay_from_sensor.rotation_matrix();
        let origin = quay_from_sensor.translation();
        let (sin, cos) = (std::f64::consts::FRAC_PI_2 - std::f64::consts::TAU * turn).sin_cos();
        for (ring, [flat, up]) in (0u16..).zip(&rays) {
            let in_sensor = Vector3::new(flat * cos, flat * sin, *up);
            let ray = u64::from(column) * u64::from(lidar.rings) + u64::from(ring);
            let dice = Dice::new(world.scenario().seed, Source::LidarRay, scan, ray);
            if let Some([range, intensity]) = shoot(world, &origin, &(rotation * in_sensor), &dice) {
                let point = in_sensor * range;
                columns.x.push(point.x as f32);
                columns.y.push(point.y as f32);
                columns.z.push(point.z as f32);
                columns.intensity.push(intensity as f32);
                columns.ring.push(ring);
                columns.offset_nanos.push(offset_nanos);
            }
        }
    }
    LidarScan::new(columns.x, columns.y, columns.z)
        .and_then(|scan| scan.with_intensity(columns.intensity))
        .and_then(|scan| scan.with_ring(columns.ring))
        .and_then(|scan| scan.with_offset_nanos(columns.offset_nanos))
        .expect("each return fills every column, and a range below the largest one is finite")
}

/// Cosine and sine of each ring's elevation, from the lowest up.
fn ring_directions(rings: u16, lowest_deg: f64, highest_deg: f64) -> Vec<[f64; 2]> {
    let step = (highest_deg - lowest_deg) / f64::from(rings.max(2) - 1);
    (0..rings)
        .map(|ring| {
            let (sin, cos) = (lowest_deg + step * f64::from(ring)).to_radians().sin_cos();
            [cos, sin]
        })
        .collect()
}

/// Measured range and intensity along a ray in `Quay`. Calm water returns nothing, and hides
/// what lies beneath it.
fn shoot(world: &World, origin: &Vector3<f64>, direction: &Vector3<f64>, dice: &Dice) -> Option<[f64; 2]> {
    let lidar = &world.scenario().lidar;
    let to_water = if direction.z < 0.0 && world.scene().has_water {
        -origin.z / direction.z
    } else {
        f64::INFINITY
    };
    let farthest = lidar.range_m.min(to_water);
    let (surface, hit) = world.scene().cast(origin, direction, NEAREST_M, farthest)?;
    if dice.uniform(0) < lidar.dropout {
        return None;
    }
    let [range_noise, intensity_noise] = dice.normal_pair(1).map(f64::from);
    let straight = direction.dot(&hit.normal).abs();
    let reflectivity = world.scene().surfaces[surface as usize].kind.reflectivity();
    let intensity = INTENSITY_FULL * reflectivity * straight * (1.0 + INTENSITY_SIGMA * intensity_noise);
    Some([
        hit.distance + lidar.range_sigma_m * range_noise,
        intensity.max(0.0),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use beluga_types::Point;

    #[test]
    fn every_return_lies_on_a_surface_when_placed_with_its_own_pose() {
        let world = World::new(Scenario::sample()).unwrap();
        let scan = scan(&world, 7);
        assert!(scan.len() > 1_000, "{}", scan.len());
        let body_from_sensor = world.body_from_sensor(LIDAR);
        let begin = stamp(&world, 7);
        let (mut sum, mut still_sum, mut lowest) = (0.0, 0.0, f64::INFINITY);
        for (i, &offset) in scan.offset_nanos().unwrap().iter().enumerate() {
            let point = Point::new(scan.x()[i].into(), scan.y()[i].into(), scan.z()[i].into());
            let place = |stamp: Stamp| (world.vessel().pose_at(stamp) * body_from_sensor * point).vector();
            let distance = |p: Vector3<f64>| world.scene().nearest(&p, 0.5).unwrap().signed_m;
            let moved = place(begin.shifted_nanos(offset.into()));
            sum += distance(moved).powi(2);
            still_sum += distance(place(begin)).powi(2);
            lowest = lowest.min(moved.z);
        }
        let rms = (sum / scan.len() as f64).sqrt();
        let still = (still_sum / scan.len() as f64).sqrt();
        assert!((0.004..0.0125).contains(&rms), "range noise is 12 mm: {rms}");
        assert!(
            still > 1.5 * rms,
            "motion distorts the scan: {still} against {rms}"
        );
        assert!(lowest > -0.05, "nothing returns from under water: {lowest}");
    }

    #[test]
    fn a_scan_is_seen_from_port_over_the_bow_to_starboard() {
        let world = World::new(Scenario::sample()).unwrap();
        let scan = scan(&world, 0);
        let offsets = scan.offset_nanos().unwrap();
        assert!(offsets.windows(2).all(|pair| pair[0] <= pair[1]));
        let bearing = |i: usize| f64::from(scan.y()[i]).atan2(scan.x()[i].into());
        for (i, &offset) in offsets.iter().enumerate() {
            let expected = std::f64::consts::FRAC_PI_2 - std::f64::consts::TAU * f64::from(offset) / 1e8;
            let wrong = (bearing(i) - expected).sin().abs();
            assert!(wrong < 1e-5, "{wrong}");
        }
    }
}
