//! The spinning lidar: one beam per ring and column, each from where the sensor truly is when the
//! column fires. `light` follows the beam, `receiver` makes returns of what comes back.

mod fan;
mod fresnel;
mod light;
#[cfg(test)]
mod physics;
mod receiver;

use beluga_types::{LidarScan, Stamp};
use nalgebra::{Matrix3, Vector3};

use crate::random::{Dice, Source};
use crate::rig::LIDAR;
use crate::vessel::START;
use crate::world::World;
use light::{Echo, Medium};
use receiver::{Receiver, Return};

/// When the first turn begins, in seconds after the run's start.
const FIRST_S: f64 = 0.02;

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

/// What is true of one return.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ReturnTruth {
    /// The surface that scattered the light; [`Self::NO_SURFACE`] for a drop in the air. Of a mixed
    /// return, the strongest one.
    pub(crate) surface: u32,
    /// Mirrors on the way: 0 for a straight one.
    pub(crate) order: u8,
    /// Where the light truly turned back, in `Quay`, metres.
    pub(crate) point_in_quay: [f32; 3],
    /// Whether no surface stands where the sensor reports one: a mirror image, or a drop.
    pub(crate) ghost: bool,
}

impl ReturnTruth {
    /// The surface id of what is no surface.
    pub(crate) const NO_SURFACE: u32 = u32::MAX;
}

/// One turn: clockwise seen from above, beginning at port.
pub(crate) fn scan(world: &World, scan: u64) -> LidarScan {
    scan_with_truth(world, scan).0
}

/// One turn, with the truth of each of its returns, in their order.
pub(crate) fn scan_with_truth(world: &World, scan: u64) -> (LidarScan, Vec<ReturnTruth>) {
    let (seed, lidar) = (world.scenario().seed, &world.scenario().lidar);
    let begin = stamp(world, scan);
    let body_from_sensor = world.mount_at(LIDAR, begin);
    let rings = fan::rings(lidar);
    let sub_rays = fan::sub_rays(lidar);
    let biases = ring_biases(seed, lidar.ring_bias_m, lidar.range_bias_m, rings.len());
    let mut columns = Columns::default();
    let mut echoes = Vec::new();
    for column in 0..lidar.columns {
        let firing = Dice::new(seed, Source::LidarColumn, scan, column.into());
        if lidar.column_dropout > 0.0 && firing.uniform(0) < lidar.column_dropout {
            continue;
        }
        let turn = f64::from(column) / f64::from(lidar.columns);
        let offset_nanos = (turn / lidar.rate_hz * 1e9).round() as i32;
        let now = begin.shifted_nanos(offset_nanos.into());
        let quay_from_sensor = world.vessel().pose_at(now) * body_from_sensor;
        let rotation = quay_from_sensor.rotation_matrix();
        let origin = quay_from_sensor.translation();
        let medium = Medium {
            scene: world.scene(),
            lidar,
            water_m: if world.scene().has_water {
                world.vessel().water_level_m(now)
            } else {
                f64::NEG_INFINITY
            },
        };
        let (sin, cos) = (std::f64::consts::FRAC_PI_2 - std::f64::consts::TAU * turn).sin_cos();
        for (ring, [flat, up]) in (0u16..).zip(&rings) {
            let in_sensor = Vector3::new(flat * cos, flat * sin, *up);
            let ray = u64::from(column) * rings.len() as u64 + u64::from(ring);
            let dice = Dice::new(seed, Source::LidarRay, scan, ray);
            echoes.clear();
            beam(
                &medium,
                &origin,
                &rotation,
                &in_sensor,
                &sub_rays,
                &dice,
                &mut echoes,
            );
            let receiver = Receiver {
                lidar,
                sub_rays: sub_rays.len(),
                bias_m: biases[usize::from(ring)],
            };
            for found in receiver.returns(&mut echoes, &dice).into_iter().flatten() {
                columns.push(&in_sensor, ring, offset_nanos, &found);
            }
        }
    }
    columns.finish()
}

/// The echoes of all lines of one beam. All of them meet the same drops, so a drop's strength is that
/// of its part in the whole beam.
fn beam(
    medium: &Medium<'_>,
    origin: &Vector3<f64>,
    quay_from_sensor: &Matrix3<f64>,
    in_sensor: &Vector3<f64>,
    sub_rays: &[[f64; 2]],
    dice: &Dice,
    echoes: &mut Vec<Echo>,
) {
    if let [_] = sub_rays {
        medium.echoes(origin, &(quay_from_sensor * in_sensor), dice, echoes);
        return;
    }
    let across = Vector3::new(-in_sensor.y, in_sensor.x, 0.0).normalize();
    let up = in_sensor.cross(&across);
    for [first, second] in sub_rays {
        let line = (in_sensor + across * *first + up * *second).normalize();
        medium.echoes(origin, &(quay_from_sensor * line), dice, echoes);
    }
}

/// The constant range error of each ring, in metres.
fn ring_biases(seed: u64, sigma_m: f64, common_m: f64, rings: usize) -> Vec<f64> {
    (0..rings as u64)
        .map(|ring| common_m + sigma_m * Dice::new(seed, Source::LidarRing, ring, 0).normal(0))
        .collect()
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
    truth: Vec<ReturnTruth>,
}

impl Columns {
    fn push(&mut self, in_sensor: &Vector3<f64>, ring: u16, offset_nanos: i32, found: &Return) {
        let point = in_sensor * found.range_m;
        self.x.push(point.x as f32);
        self.y.push(point.y as f32);
        self.z.push(point.z as f32);
        self.intensity.push(found.intensity as f32);
        self.ring.push(ring);
        self.offset_nanos.push(offset_nanos);
        self.truth.push(ReturnTruth {
            surface: found.echo.surface,
            order: found.echo.order,
            point_in_quay: found.echo.point.map(|value| value as f32).into(),
            ghost: found.echo.ghost,
        });
    }

    fn finish(self) -> (LidarScan, Vec<ReturnTruth>) {
        let scan = LidarScan::new(self.x, self.y, self.z)
            .and_then(|scan| scan.with_intensity(self.intensity))
            .and_then(|scan| scan.with_ring(self.ring))
            .and_then(|scan| scan.with_offset_nanos(self.offset_nanos))
            .expect("each return fills every column, and a range below the largest one is finite");
        (scan, self.truth)
    }
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
        let body_from_sensor = world.mount_at(LIDAR, stamp(&world, 7));
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

    /// A short run with every effect on.
    fn hard() -> Scenario {
        let mut scenario = Scenario::sample();
        scenario.lidar.dropout = 0.0;
        scenario.lidar.range_sigma_m = 0.0;
        scenario.lidar.water_ghosts = true;
        scenario.lidar.spray = 0.02;
        scenario.lidar.dual_return = true;
        scenario
    }

    /// The truth against the scene, and what is reported against the truth.
    #[test]
    fn every_return_has_its_truth() {
        let world = World::new(hard()).unwrap();
        let (scan, truth) = scan_with_truth(&world, 3);
        assert_eq!(scan.len(), truth.len());
        let body_from_sensor = world.mount_at(LIDAR, stamp(&world, 3));
        let (mut straight, mut mirrored, mut drops, mut mixed) = (0u32, 0u32, 0u32, 0u32);
        for (i, truth) in truth.iter().enumerate() {
            let now = stamp(&world, 3).shifted_nanos(scan.offset_nanos().unwrap()[i].into());
            let quay_from_sensor = world.vessel().pose_at(now) * body_from_sensor;
            let in_sensor = Point::new(scan.x()[i].into(), scan.y()[i].into(), scan.z()[i].into());
            let reported = (quay_from_sensor * in_sensor).vector();
            let mut point = Vector3::from(truth.point_in_quay).cast::<f64>();
            if truth.surface == ReturnTruth::NO_SURFACE {
                drops += 1;
            } else {
                let shape = &world.scene().surfaces[truth.surface as usize].shape;
                assert!((shape.nearest(&point) - point).norm() < 1e-4);
            }
            if truth.order > 0 {
                assert!(truth.ghost);
                mirrored += 1;
                // The sensor reports the image: the true place mirrored about the waterline.
                point.z = -point.z;
            } else {
                straight += 1;
            }
            let gap = (reported - point).norm();
            assert!(gap < world.scenario().lidar.resolution_m, "{reported} {point}");
            mixed += u32::from(gap > 1e-4);
        }
        println!("lidar truth: {straight} straight, of them {drops} drops, and {mirrored} mirrored returns");
        assert!(straight > 1_000 && mirrored > 100 && drops > 20);
        // A drop just before a surface is one echo with it.
        assert!(mixed < drops, "{mixed}");
    }

    #[test]
    fn rings_have_their_bias_and_firings_are_lost_together() {
        let plain = World::new(hard()).unwrap();
        let mut scenario = hard();
        scenario.lidar.ring_bias_m = 0.02;
        scenario.lidar.range_bias_m = 0.1;
        scenario.lidar.column_dropout = 0.2;
        let biases = ring_biases(scenario.seed, 0.02, 0.1, 16);
        let world = World::new(scenario).unwrap();
        let key = |scan: &LidarScan, i: usize| (scan.offset_nanos().unwrap()[i], scan.ring().unwrap()[i]);
        let range = |scan: &LidarScan, i: usize| f64::from(scan.x()[i].hypot(scan.y()[i]).hypot(scan.z()[i]));
        let (before, after) = (scan(&plain, 0), scan(&world, 0));
        let mut place = 0;
        for i in 0..after.len() {
            while key(&before, place) != key(&after, i) {
                place += 1;
            }
            let shift = range(&after, i) - range(&before, place);
            let expected = biases[usize::from(after.ring().unwrap()[i])];
            assert!((shift - expected).abs() < 1e-4, "{shift} {expected}");
            place += 1;
        }
        let fired = |scan: &LidarScan| {
            let mut offsets = scan.offset_nanos().unwrap().to_vec();
            offsets.dedup();
            offsets.len() as f64
        };
        let lost = 1.0 - fired(&after) / fired(&before);
        println!("lidar firings: {lost:.3} lost, expected 0.2");
        assert!((lost - 0.2).abs() < 0.08, "{lost}");
    }
}
