//! Scans and fixes that no lidar and no INS would give: no pose that is not finite leaves.

// Tests may read files and stop at what cannot be.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use beluga_fusion::{Config, Fuser};
use beluga_types::elementary::sin_cos;
use beluga_types::{
    LidarScan, Measurement, Payload, PoseFix, PoseStatus, Rig, SensorId, SensorKind, SensorSpec,
    SolidarFrame, Stamp, Transform, Vessel, Water,
};
use nalgebra::{Matrix6, UnitQuaternion, Vector3};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const POINTS: usize = 600;

fn rig() -> Rig {
    let mut lidar = SensorSpec::new("lidar", SensorKind::Lidar);
    lidar.reference = true;
    Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::Unknown,
        sensors: vec![lidar, SensorSpec::new("nav", SensorKind::Nav)],
    }
}

fn sin(angle_rad: f32) -> f32 {
    sin_cos(f64::from(angle_rad)).0 as f32
}

fn cos(angle_rad: f32) -> f32 {
    sin_cos(f64::from(angle_rad)).1 as f32
}

/// Points of one kind of scene, `k` being a number between 0 and 1 that changes from scan to scan.
fn place(kind: u8, i: usize, k: f32) -> [f32; 3] {
    let (a, b) = (i as f32 * 0.37, (i % 29) as f32);
    match kind {
        // A room: what a lidar sees on a good day.
        0 => match i % 3 {
            0 => [5.0 + k, sin(a) * 6.0, b * 0.2 - 2.0],
            1 => [cos(a) * 5.0, 6.0, b * 0.2 - 2.0],
            _ => [cos(a) * 5.0, sin(a) * 6.0, -2.0],
        },
        // The same in a mirror.
        1 => {
            let [x, y, z] = place(0, i, k);
            [-x, y, z]
        }
        // One plane, one line, one point, all the same point.
        2 => [7.0, sin(a) * 20.0, b - 10.0],
        3 => [b, b * 2.0, b * 3.0],
        4 => [3.0, 4.0, 5.0],
        // Numbers at the ends of what a file may hold, and of the type.
        5 => [1e6 * sin(a), 1e6 * cos(a), 1e6 * k],
        6 => [f32::MAX * k, -f32::MAX * k, f32::MIN_POSITIVE],
        // Dust: no two scans alike.
        7 => [
            sin(a * 91.7 * (k + 1.0)) * 30.0,
            sin(a * 17.3 * (k + 2.0)) * 30.0,
            sin(a * 7.1) * 30.0,
        ],
        _ => [0.0; 3],
    }
}

fn scan(kind: u8, k: f32, offsets: u8) -> LidarScan {
    let count = if kind == 8 { 0 } else { POINTS };
    let column = |axis: usize| (0..count).map(|i| place(kind, i, k)[axis]).collect();
    let scan = LidarScan::new(column(0), column(1), column(2)).unwrap();
    let offset = |i: usize| match offsets {
        0 => i as i32 * 160_000,
        1 => i32::MIN,
        2 => i32::MAX,
        _ => {
            if i.is_multiple_of(2) {
                i32::MIN
            } else {
                i32::MAX
            }
        }
    };
    match offsets {
        4 => scan,
        _ => scan.with_offset_nanos((0..count).map(offset).collect()).unwrap(),
    }
}

fn check(frame: &SolidarFrame) {
    assert!(frame.world_from_body.is_finite(), "{:?}", frame.world_from_body);
    assert!(frame.pose_covariance.iter().all(|value| value.is_finite()));
    assert!(
        (0..6).all(|axis| frame.pose_covariance[(axis, axis)] > 0.0),
        "{}",
        frame.pose_covariance
    );
    assert!(frame.localizability.iter().all(|held| (0.0..=1.0).contains(held)));
    assert!(frame.twist.iter().all(|value| value.is_finite()));
    if let PoseStatus::Degenerate { open } = frame.pose_status() {
        assert!(open.contains(&true));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_pose_leaves_that_is_not_finite(
        scans in proptest::collection::vec((0u8..9, 0.0f32..1.0, 0u8..5, -2i64..5, 0u8..4), 2..12),
    ) {
        let mut fuser = Fuser::new(Config::default(), rig()).unwrap();
        let mut now = 1_000_000_000i64;
        let mut frames = Vec::new();
        for (seq, (kind, k, offsets, step, nav)) in scans.into_iter().enumerate() {
            now += step * 100_000_000;
            let fix = PoseFix {
                world_from_body: Transform::new(
                    UnitQuaternion::from_scaled_axis(Vector3::new(0.1, 0.2, f64::from(k) * 6.0)),
                    Vector3::repeat(if nav == 1 { 1e12 } else { f64::from(k) }),
                ),
                covariance: match nav {
                    2 => Some(Matrix6::identity() * 1e-30),
                    3 => Some(Matrix6::identity() * 1e30),
                    _ => None,
                },
            };
            let payloads = [Payload::Lidar(Arc::new(scan(kind, k, offsets))), Payload::Pose(fix)];
            let given = if nav == 0 { 1 } else { 2 };
            for (sensor, payload) in (0u16..).zip(payloads).take(given) {
                frames.extend(fuser.push(Measurement {
                    seq: seq as u64,
                    sensor: SensorId(sensor),
                    stamp: Stamp::from_nanos(now),
                    end: Stamp::from_nanos(now + 96_000_000),
                    received: Stamp::from_nanos(now),
                    payload,
                }));
            }
        }
        frames.extend(fuser.finish());
        prop_assert!(!frames.is_empty());
        frames.iter().for_each(check);
    }
}
