//! A vessel along a straight wall with a few posts, seen by a lidar alone: what holds the way along it
//! is little, and a pose must be right or say that it is not known.

// Tests may stop at what cannot be.
#![allow(clippy::unwrap_used)]

use beluga_fusion::{Config, Fuser};
use beluga_types::elementary::{cos, sin, sin_cos};
use beluga_types::{
    Body, LidarScan, Measurement, Payload, Rig, SensorId, SensorKind, SensorSpec, SolidarFrame, Stamp,
    Transform, Vessel, Water, World,
};
use nalgebra::{UnitQuaternion, Vector2, Vector3};

const WALL_M: f64 = 7.5;
const TOP_M: f64 = 3.0;
const SPEED_M_PER_S: f64 = 0.8;
/// Along the wall; how far before it their middle stands, and their radius.
const POSTS_M: [f64; 4] = [3.0, 8.0, 15.0, 19.0];
const POST: (f64, f64) = (0.2, 0.1);
const RANGE_SIGMA_M: f64 = 0.01;
const RINGS: u64 = 16;
const COLUMNS: u64 = 300;

/// Uniform in [0, 1): splitmix64 by position.
fn uniform(counter: u64) -> f64 {
    let mut bits = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Range along a ray from a place before the wall, which the ray meets.
fn range_m(from: &Vector3<f64>, ray: &Vector3<f64>) -> f64 {
    let wall = (WALL_M - from.y) / ray.y;
    let level = ray.xy().norm();
    let towards = ray.xy() / level;
    POSTS_M.iter().fold(wall, |nearest, post| {
        let to_post = Vector2::new(post - from.x, WALL_M - POST.0 - from.y);
        let along = to_post.dot(&towards);
        let aside2 = to_post.norm_squared() - along * along;
        let half2 = POST.1 * POST.1 - aside2;
        if half2 > 0.0 && along > 0.0 {
            nearest.min((along - half2.sqrt()) / level)
        } else {
            nearest
        }
    })
}

fn end_of(seq: u64) -> Stamp {
    Stamp::from_nanos(1_700_000_000_000_000_000 + 100_000_000 * seq as i64)
}

fn pose_at(stamp: Stamp) -> Transform<World, Body> {
    let t = stamp.seconds_since(end_of(0));
    let roll = 0.01 * sin(std::f64::consts::TAU * t / 3.0);
    Transform::new(
        UnitQuaternion::from_euler_angles(roll, 0.0, 0.0),
        Vector3::new(SPEED_M_PER_S * t, 0.0, 0.0),
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
        // The half towards the wall, but for what would meet it far away.
        let azimuth = 0.08 + part * (std::f64::consts::PI - 0.16);
        for ring in 0..RINGS {
            let elevation = (-15.0 + 2.0 * ring as f64).to_radians();
            let (up, level) = sin_cos(elevation);
            let in_body = Vector3::new(level * cos(azimuth), level * sin(azimuth), up);
            let ray = pose.rotation() * in_body;
            let range = range_m(&pose.translation(), &ray);
            let number = ((seed * 1_000 + seq) * COLUMNS + column) * RINGS + ring;
            let noise = (0..4).map(|i| uniform(4 * number + i)).sum::<f64>() - 2.0;
            let noisy = range + RANGE_SIGMA_M * 3f64.sqrt() * noise;
            let height = ray.z * range;
            if height < TOP_M && height > -1.0 && range < 80.0 {
                for (axis, values) in columns.iter_mut().enumerate() {
                    values.push((in_body[axis] * noisy) as f32);
                }
                offsets.push(offset as i32);
            }
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

/// Five seconds from a moving start. The rings go along the wall with the lidar and fall onto themselves
/// wherever a voxel is no plane: who believes that they say "no motion" stays behind by metres and states
/// decimetres.
#[test]
fn a_way_along_a_wall_is_found_or_said_to_be_unknown() {
    for seed in 0..3 {
        let frames = fuse(seed, 50);
        let shift = pose_at(frames[0].window.end) * frames[0].world_from_body.inverse();
        for frame in &frames {
            let error = (shift * frame.world_from_body).perturbation_to(&pose_at(frame.window.end));
            let (off_m, sigma_m) = (error[3].abs(), frame.pose_covariance[(3, 3)].sqrt());
            assert!(
                off_m < 2.5 * sigma_m,
                "seed {seed}, frame {}: {off_m:.2} m along the wall, stated sigma {sigma_m:.2} m",
                frame.index
            );
        }
    }
}
