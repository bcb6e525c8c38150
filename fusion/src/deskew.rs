//! Deskew: every point of a sweep to the body's axes at one moment.

use beluga_types::{Body, LidarScan, Point, Sensor, Stamp, Transform};
use nalgebra::Matrix3;
use rayon::prelude::*;

use crate::columns::Columns;

/// Moments per sweep at which the motion is evaluated; a point takes the nearest.
///
/// So a point is at most half a bin away from its moment: over a sweep of `T` seconds it lies off by at
/// most `(|v| + |ω| r) T / 254`, with the speed `v`, the rotation rate `ω` and the distance `r` from
/// the body's origin; plus the rounding of `f32`, 10⁻⁷ of the distance. At 10 Hz, 2 m/s and 0.5 rad/s
/// that is 1 mm at 1 m, 11 mm at 50 m.
const BINS: usize = 128;
/// Points a worker takes at once.
const CHUNK: usize = 8192;

/// A rigid motion in `f32`, for many points near the origin.
#[derive(Clone, Copy)]
struct Step {
    rotation: Matrix3<f32>,
    translation: nalgebra::Vector3<f32>,
}

impl Step {
    fn new(body_from_sensor: &Transform<Body, Sensor>) -> Self {
        Self {
            rotation: body_from_sensor.rotation_matrix().cast(),
            translation: body_from_sensor.translation().cast(),
        }
    }
}

/// The points of a scan in `Body` axes of one moment, in the scan's order.
///
/// `body_from_body_at` gives the motion from the body's axes at a stamp to those of the wanted
/// moment. Without per-point times, or with points the device has already deskewed, all points
/// count as measured at that moment.
pub(crate) fn sweep(
    scan: &LidarScan,
    stamp: Stamp,
    deskewed: bool,
    body_from_sensor: &Transform<Body, Sensor>,
    body_from_body_at: impl Fn(Stamp) -> Transform<Body, Body>,
) -> Vec<[f32; 3]> {
    match scan.offset_nanos() {
        Some(offsets) if !deskewed && !offsets.is_empty() => {
            let table = Table::new(offsets, stamp, body_from_sensor, body_from_body_at);
            place(scan, |i| table.step(offsets[i]))
        }
        _ => {
            let still = Step::new(body_from_sensor);
            place(scan, |_| &still)
        }
    }
}

/// As [`sweep`], for some points of the scan, named by their indices.
pub(crate) fn sweep_chosen(
    scan: &LidarScan,
    stamp: Stamp,
    deskewed: bool,
    body_from_sensor: &Transform<Body, Sensor>,
    chosen: [(&[u32], &mut Columns); 2],
    body_from_body_at: impl Fn(Stamp) -> Transform<Body, Body>,
) {
    let (x, y, z) = (scan.x(), scan.y(), scan.z());
    let put = |step: &Step, i: usize, columns: &mut Columns| {
        let placed = step.rotation * nalgebra::Vector3::new(x[i], y[i], z[i]) + step.translation;
        columns.push(placed.into());
    };
    match scan.offset_nanos() {
        Some(offsets) if !deskewed && !offsets.is_empty() => {
            let table = Table::new(offsets, stamp, body_from_sensor, body_from_body_at);
            for (indices, columns) in chosen {
                for i in indices.iter().map(|&i| i as usize) {
                    put(table.step(offsets[i]), i, columns);
                }
            }
        }
        _ => {
            let still = Step::new(body_from_sensor);
            for (indices, columns) in chosen {
                for i in indices.iter().map(|&i| i as usize) {
                    put(&still, i, columns);
                }
            }
        }
    }
}

fn place<'a>(scan: &LidarScan, step: impl Fn(usize) -> &'a Step + Sync) -> Vec<[f32; 3]> {
    let (x, y, z) = (scan.x(), scan.y(), scan.z());
    (0..scan.len())
        .into_par_iter()
        .with_min_len(CHUNK)
        .map(|i| {
            let step = step(i);
            let placed = step.rotation * nalgebra::Vector3::new(x[i], y[i], z[i]) + step.translation;
            placed.into()
        })
        .collect()
}

/// The motion over a sweep, at evenly spaced moments.
struct Table {
    first_nanos: i64,
    bin_nanos: i64,
    steps: Vec<Step>,
}

impl Table {
    fn new(
        offsets: &[i32],
        stamp: Stamp,
        body_from_sensor: &Transform<Body, Sensor>,
        body_from_body_at: impl Fn(Stamp) -> Transform<Body, Body>,
    ) -> Self {
        let first = offsets.iter().copied().min().unwrap_or(0);
        let last = offsets.iter().copied().max().unwrap_or(0);
        let span = i64::from(last) - i64::from(first);
        let bin_nanos = span / (BINS as i64 - 1) + 1;
        let bins = span / bin_nanos + 2;
        let steps = (0..bins)
            .map(|bin| {
                let at = stamp.shifted_nanos(i64::from(first) + bin * bin_nanos);
                Step::new(&(body_from_body_at(at) * *body_from_sensor))
            })
            .collect();
        Self {
            first_nanos: i64::from(first),
            bin_nanos,
            steps,
        }
    }

    fn step(&self, offset_nanos: i32) -> &Step {
        let since = i64::from(offset_nanos) - self.first_nanos;
        &self.steps[((since + self.bin_nanos / 2) / self.bin_nanos) as usize]
    }
}

/// Range of a point from its sensor, in metres.
pub(crate) fn range_m(point_in_body: [f32; 3], body_from_sensor: &Transform<Body, Sensor>) -> f64 {
    let [x, y, z] = point_in_body.map(f64::from);
    (Point::<Body>::new(x, y, z).vector() - body_from_sensor.translation()).norm()
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::elementary::sin;
    use nalgebra::{UnitQuaternion, Vector3};

    /// The motion evaluated for every point by itself.
    fn exact(
        scan: &LidarScan,
        stamp: Stamp,
        body_from_sensor: &Transform<Body, Sensor>,
        body_from_body_at: impl Fn(Stamp) -> Transform<Body, Body>,
    ) -> Vec<Vector3<f64>> {
        let offsets = scan.offset_nanos().unwrap();
        (0..scan.len())
            .map(|i| {
                let [x, y, z] = [scan.x()[i], scan.y()[i], scan.z()[i]].map(f64::from);
                let at = stamp.shifted_nanos(i64::from(offsets[i]));
                (body_from_body_at(at) * *body_from_sensor * Point::<Sensor>::new(x, y, z)).vector()
            })
            .collect()
    }

    /// Against the motion of each point, in sweeps of every length, with times before the stamp and in
    /// no order: never farther off than the stated bound.
    #[test]
    fn the_table_stays_within_its_bound_of_the_motion_of_each_point() {
        let body_from_sensor = Transform::<Body, Sensor>::new(
            UnitQuaternion::from_scaled_axis(Vector3::new(0.1, -0.2, 0.4)),
            Vector3::new(0.5, -0.2, 1.2),
        );
        for (twist, sweep_s) in [
            ([0.3, -0.2, 1.7, 2.0, 0.1, -0.4], 0.1),
            ([0.0, 0.1, -0.5, 5.0, 0.0, 0.0], 0.5),
            ([0.2, 0.0, 0.0, 0.0, 1.0, 0.0], 1e-6),
            ([0.0; 6], 0.1),
        ] {
            let twist = nalgebra::Vector6::from(twist);
            let end = Stamp::from_nanos(7_000_000_000);
            let motion = |stamp: Stamp| {
                Transform::<Body, Body>::identity().perturbed(&(twist * stamp.seconds_since(end)))
            };
            let offsets: Vec<i32> = (0..3000i64)
                .map(|i| ((i * 7919 % 3000 - 1500) as f64 / 3000.0 * sweep_s * 1e9) as i32)
                .collect();
            let column = |k: f64| {
                (0..3000)
                    .map(|i| 60.0 * sin(k * f64::from(i)) as f32)
                    .collect::<Vec<f32>>()
            };
            let scan = LidarScan::new(column(0.37), column(0.11), column(0.05))
                .unwrap()
                .with_offset_nanos(offsets)
                .unwrap();
            let swept = sweep(&scan, end, false, &body_from_sensor, motion);
            let (turn, moved) = (twist.fixed_rows::<3>(0).norm(), twist.fixed_rows::<3>(3).norm());
            for (point, exact) in swept.iter().zip(exact(&scan, end, &body_from_sensor, motion)) {
                let error = (Vector3::from(*point).cast::<f64>() - exact).norm();
                let bound =
                    (moved + turn * exact.norm()) * sweep_s / 254.0 * 1.01 + 3e-7 * exact.norm() + 1e-6;
                assert!(error <= bound, "{error} above {bound} at {sweep_s} s");
            }
        }
    }

    /// A pole seen at ten moments by a turning and moving lidar is one pole again.
    #[test]
    fn a_pole_smeared_by_motion_is_one_again() {
        let body_from_sensor = Transform::<Body, Sensor>::new(
            UnitQuaternion::from_scaled_axis(Vector3::new(0.1, -0.2, 0.4)),
            Vector3::new(0.5, -0.2, 1.2),
        );
        let twist = nalgebra::Vector6::new(0.1, -0.05, 0.5, 2.0, 0.1, 0.0);
        let end = Stamp::from_nanos(1_000_000_000);
        let body_end_from_body =
            |stamp: Stamp| Transform::<Body, Body>::identity().perturbed(&(twist * stamp.seconds_since(end)));
        let pole = Point::<Body>::new(7.0, -3.0, 2.0);
        let stamp = end.shifted_nanos(-100_000_000);
        let offsets: Vec<i32> = (0..1001).map(|i| i * 100_000).collect();
        let seen: Vec<Point<Sensor>> = offsets
            .iter()
            .map(|&offset| {
                let at = stamp.shifted_nanos(i64::from(offset));
                (body_end_from_body(at) * body_from_sensor).inverse() * pole
            })
            .collect();
        let column = |f: fn(&Point<Sensor>) -> f64| seen.iter().map(|p| f(p) as f32).collect::<Vec<f32>>();
        let scan = LidarScan::new(column(Point::x), column(Point::y), column(Point::z))
            .unwrap()
            .with_offset_nanos(offsets)
            .unwrap();
        let swept = sweep(&scan, stamp, false, &body_from_sensor, body_end_from_body);
        for point in &swept {
            let error = (Vector3::from(*point).cast::<f64>() - pole.vector()).norm();
            // Half a bin of the table: 0.4 ms at 0.5 rad/s over 7.6 m, and 2 m/s.
            assert!(error < 3e-3, "{error}");
        }
        let smeared = sweep(&scan, stamp, true, &body_from_sensor, body_end_from_body);
        assert!((Vector3::from(smeared[0]).cast::<f64>() - pole.vector()).norm() > 0.2);
    }
}
