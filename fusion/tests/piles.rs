//! A vessel in swell along a row of round piles, seen by a lidar alone. Nothing of them says how high the
//! lidar is: its rings stay where they are on the piles while it rises, and so do their points.

// Tests may stop at what cannot be.
#![allow(clippy::unwrap_used)]

use beluga_fusion::{Config, Fuser};
use beluga_types::elementary::{cos, sin, sin_cos};
use beluga_types::{
    Body, LidarScan, Measurement, Payload, Rig, SensorId, SensorKind, SensorSpec, SolidarFrame, Stamp,
    Transform, Vessel, Water, World,
};
use nalgebra::{UnitQuaternion, Vector2, Vector3};

/// The row's distance, and from pile to pile; their radius.
const ROW_M: f64 = 6.0;
const APART_M: f64 = 1.3;
const RADIUS_M: f64 = 0.45;
const HEAVE_M: f64 = 0.12;
const HEAVE_S: f64 = 3.0;
const SPEED_M_PER_S: f64 = 0.8;
const RANGE_SIGMA_M: f64 = 0.01;
const RINGS: u64 = 32;
const COLUMNS: u64 = 600;

/// Uniform in [0, 1): splitmix64 by position.
fn uniform(counter: u64) -> f64 {
    let mut bits = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Range along a ray to the nearest pile it meets.
fn range_m(from: &Vector3<f64>, ray: &Vector3<f64>) -> Option<f64> {
    let level = ray.xy().norm();
    let towards = ray.xy() / level;
    let met = (-12..=24).filter_map(|pile| {
        let to_pile = Vector2::new(APART_M * f64::from(pile), ROW_M) - from.xy();
        let along = to_pile.dot(&towards);
        let half2 = RADIUS_M * RADIUS_M - (to_pile.norm_squared() - along * along);
        (half2 > 0.0 && along > 0.0).then(|| (along - half2.sqrt()) / level)
    });
    met.min_by(f64::total_cmp)
}

fn end_of(seq: u64) -> Stamp {
    Stamp::from_nanos(1_700_000_000_000_000_000 + 100_000_000 * seq as i64)
}

fn pose_at(stamp: Stamp) -> Transform<World, Body> {
    let t = stamp.seconds_since(end_of(0));
    let turn = std::f64::consts::TAU * t / HEAVE_S;
    Transform::new(
        UnitQuaternion::from_euler_angles(0.02 * sin(turn), 0.01 * cos(turn), 0.0),
        Vector3::new(SPEED_M_PER_S * t, 0.0, HEAVE_M * sin(turn)),
    )
}

fn scan(seed: u64, seq: u64) -> Measurement {
    let (end, period) = (end_of(seq), 100_000_000i64);
    let mut columns = [Vec::new(), Vec::new(), Vec::new()];
    let mut offsets = Vec::new();
    for column in 0..COLUMNS {
        let part = column as f64 / COLUMNS as f64;
        let offset = (part * period as f64) as i64;
        let pose = pose_at(end.shifted_nanos(offset - period));
        let azimuth = part * std::f64::consts::PI;
        for ring in 0..RINGS {
            let elevation = (-16.0 + ring as f64).to_radians();
            let (up, level) = sin_cos(elevation);
            let in_body = Vector3::new(level * cos(azimuth), level * sin(azimuth), up);
            let ray = pose.rotation() * in_body;
            let Some(range) = range_m(&pose.translation(), &ray) else {
                continue;
            };
            let number = ((seed * 1_000 + seq) * COLUMNS + column) * RINGS + ring;
            let noise = (0..4).map(|i| uniform(4 * number + i)).sum::<f64>() - 2.0;
            let noisy = range + RANGE_SIGMA_M * 3f64.sqrt() * noise;
            for (axis, values) in columns.iter_mut().enumerate() {
                values.push((in_body[axis] * noisy) as f32);
            }
            offsets.push(offset as i32);
        }
    }
    let [x, y, z] = columns;
    let scan = LidarScan::new(x, y, z)
        .unwrap()
        .with_offset_nanos(offsets)
        .unwrap();
    Measurement {
        seq,
        sensor: SensorId(0),
        stamp: end.shifted_nanos(-period),
        end,
        received: end,
        payload: Payload::Lidar(scan.into()),
    }
}

fn fuse(seed: u64, scans: u64) -> Vec<SolidarFrame> {
    let mut lidar = SensorSpec::new("lidar", SensorKind::Lidar);
    lidar.reference = true;
    let rig = Rig {
        origin: None,
        vessel: Vessel {
            waterline_m: Some(0.0),
        },
        water: Water::Unknown,
        sensors: vec![lidar],
    };
    let mut fuser = Fuser::new(Config::default(), rig).unwrap();
    let mut frames: Vec<SolidarFrame> = (0..scans).flat_map(|seq| fuser.push(scan(seed, seq))).collect();
    frames.extend(fuser.finish());
    frames
}

/// What the run says of its height is true: points that stay at the rings' height do not hold it.
#[test]
fn rings_on_piles_do_not_say_how_high_the_lidar_is() {
    let frames = fuse(0, 30);
    let shift = pose_at(frames[0].window.end) * frames[0].world_from_body.inverse();
    for frame in &frames {
        let error = (shift * frame.world_from_body).perturbation_to(&pose_at(frame.window.end));
        let (off_m, sigma_m) = (error[5].abs(), frame.pose_covariance[(5, 5)].sqrt());
        assert!(
            off_m < 2.5 * sigma_m,
            "frame {}: {off_m:.3} m high, stated sigma {sigma_m:.3} m",
            frame.index
        );
    }
}
