//! Deskew of real scans with truth, through the crate's door: the motion comes as navigation.
//! Skipped where the recordings are absent.

// Tests may read files and stop at what cannot be.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use beluga_fusion::{Config, Fuser};
use beluga_types::{
    Body, LidarScan, Measurement, Payload, PoseFix, Rig, SensorId, SensorKind, SensorSpec, Stamp, Transform,
    Vessel, Water, World,
};
use nalgebra::{Matrix6, UnitQuaternion, Vector3, Vector6};

#[path = "../../tests/shared_data/mod.rs"]
mod shared_data;

/// A scan of the folder: each raw point in the IMU's axes, the same point deskewed to the scan's
/// start, and its time in seconds.
struct Known {
    raw: Vec<Vector3<f64>>,
    deskewed: Vec<Vector3<f64>>,
    time_s: Vec<f64>,
}

impl Known {
    /// Axes as the folder's README says: half a turn about z, and a small lever.
    fn read(folder: &Path, number: u32) -> Self {
        let reals = |name: &str| -> Vec<f64> {
            let bytes = std::fs::read(folder.join(format!("{name}_0{number}.bin"))).unwrap();
            let words = bytes.chunks_exact(4).map(|word| word.try_into().unwrap());
            words.map(|word| f64::from(f32::from_le_bytes(word))).collect()
        };
        let points = |reals: Vec<f64>| -> Vec<Vector3<f64>> {
            reals.chunks_exact(3).map(Vector3::from_column_slice).collect()
        };
        let mut raw = points(reals("raw"));
        for point in &mut raw {
            *point = Vector3::new(-point.x - 0.006, -point.y + 0.012, point.z - 0.029);
        }
        Self {
            raw,
            deskewed: points(reals("deskewed")),
            time_s: reals("times"),
        }
    }

    /// One even motion (rotation rate, velocity) that brings the raw points to the truth best: Gauss
    /// and Newton's steps on `exp(ω t) p + v t`.
    fn fitted(&self) -> Vector6<f64> {
        let mut twist = Vector6::zeros();
        for _ in 0..10 {
            let (mut normal, mut right) = (Matrix6::zeros(), Vector6::zeros());
            for ((raw, truth), &t) in self.raw.iter().zip(&self.deskewed).zip(&self.time_s) {
                let turned = turned(&twist, t) * raw;
                let residual = turned + twist.fixed_rows::<3>(3) * t - truth;
                // A small turn on the left moves the point by θ × (R p), and θ is nearly t δω.
                let mut jacobian = nalgebra::SMatrix::<f64, 3, 6>::zeros();
                jacobian
                    .fixed_view_mut::<3, 3>(0, 0)
                    .copy_from(&(-turned.cross_matrix() * t));
                jacobian.fixed_view_mut::<3, 3>(0, 3).fill_diagonal(t);
                normal += jacobian.transpose() * jacobian;
                right += jacobian.transpose() * residual;
            }
            twist -= normal.cholesky().unwrap().solve(&right);
        }
        twist
    }

    /// The scan's points deskewed by fusion, brought to the scan's start.
    fn fused(&self, twist: &Vector6<f64>) -> Vec<Vector3<f64>> {
        let pose = |t: f64| -> Transform<World, Body> {
            Transform::new(turned(twist, t), twist.fixed_rows::<3>(3) * t)
        };
        let stamp = |t: f64| Stamp::from_nanos(1_000_000_000 + (t * 1e9).round() as i64);
        let column = |axis: usize| self.raw.iter().map(|point| point[axis] as f32).collect();
        let offsets: Vec<i32> = self.time_s.iter().map(|t| (t * 1e9).round() as i32).collect();
        let end_s = f64::from(*offsets.iter().max().unwrap()) * 1e-9;
        let scan = LidarScan::new(column(0), column(1), column(2))
            .unwrap()
            .with_offset_nanos(offsets)
            .unwrap();
        let mut lidar = SensorSpec::new("lidar", SensorKind::Lidar);
        lidar.reference = true;
        let rig = Rig {
            origin: None,
            vessel: Vessel::default(),
            water: Water::Unknown,
            sensors: vec![lidar, SensorSpec::new("nav", SensorKind::Nav)],
        };
        let mut fuser = Fuser::new(Config::default(), rig).unwrap();
        let mut frames = Vec::new();
        // Every 5 ms to beyond the end, so that the scan's last moment lies between two.
        for i in -2..=(end_s / 0.005) as i32 + 40 {
            let t = f64::from(i) * 0.005;
            let fix = PoseFix {
                world_from_body: pose(t),
                covariance: Some(Matrix6::identity() * 1e-8),
            };
            frames.extend(fuser.push(measurement(1, stamp(t), stamp(t), Payload::Pose(fix))));
            if t <= end_s && end_s < t + 0.005 {
                let scan = Payload::Lidar(Arc::new(scan.clone()));
                frames.extend(fuser.push(measurement(0, stamp(0.0), stamp(end_s), scan)));
            }
        }
        frames.extend(fuser.finish());
        let frame = frames.iter().find(|frame| !frame.points.is_empty()).unwrap();
        assert_eq!(frame.points.len(), self.raw.len());
        (0..frame.points.len())
            .map(|i| frame.point_in_world(i).vector())
            .collect()
    }

    fn rms_m(&self, points: &[Vector3<f64>]) -> f64 {
        let squares = points
            .iter()
            .zip(&self.deskewed)
            .map(|(found, truth)| (found - truth).norm_squared());
        (squares.sum::<f64>() / points.len() as f64).sqrt()
    }
}

fn turned(twist: &Vector6<f64>, t: f64) -> UnitQuaternion<f64> {
    UnitQuaternion::from_scaled_axis(twist.fixed_rows::<3>(0) * t)
}

fn measurement(sensor: u16, stamp: Stamp, end: Stamp, payload: Payload) -> Measurement {
    Measurement {
        seq: end.nanos() as u64,
        sensor: SensorId(sensor),
        stamp,
        end,
        received: end,
        payload,
    }
}

#[test]
fn scans_at_up_to_1_7_rad_per_s_are_straight_again() {
    let name = "scans_at_up_to_1_7_rad_per_s_are_straight_again";
    let Some(folder) = shared_data::shared_data(name, "lidar/newer-college-deskew-06") else {
        return;
    };
    for (number, raw_m, most_m) in [(0, 1.2, 0.06), (1, 1.3, 0.03), (2, 3.8, 0.11)] {
        let known = Known::read(&folder, number);
        let before = known.rms_m(&known.raw);
        let twist = known.fitted();
        let after = known.rms_m(&known.fused(&twist));
        println!("newer-college-deskew-06, scan {number}: {before:.3} m raw, {after:.4} m deskewed");
        assert!((before - raw_m).abs() < 0.05, "scan {number}: {before}");
        assert!(after <= most_m, "scan {number}: {after}");
    }
}
