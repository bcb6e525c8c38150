//! A vessel along a straight wall with a few posts, seen by a lidar alone: what holds the way along it
//! is little, and a pose must be right or say that it is not known.

// Tests may stop at what cannot be.
#![allow(clippy::unwrap_used)]

use beluga_types::elementary::sin;
use beluga_types::{Body, Stamp, Transform, World};
use nalgebra::{UnitQuaternion, Vector2, Vector3};

mod sweep;

use sweep::{Sweep, end_of};

const WALL_M: f64 = 7.5;
const TOP_M: f64 = 3.0;
const SPEED_M_PER_S: f64 = 0.8;
/// Along the wall; how far before it their middle stands, and their radius.
const POSTS_M: [f64; 4] = [3.0, 8.0, 15.0, 19.0];
const POST: (f64, f64) = (0.2, 0.1);

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

fn pose_at(stamp: Stamp) -> Transform<World, Body> {
    let t = stamp.seconds_since(end_of(0));
    let roll = 0.01 * sin(std::f64::consts::TAU * t / 3.0);
    Transform::new(
        UnitQuaternion::from_euler_angles(roll, 0.0, 0.0),
        Vector3::new(SPEED_M_PER_S * t, 0.0, 0.0),
    )
}

/// The wall from just below the water to its top, and no farther than the lidar sees.
fn returned_m(from: &Vector3<f64>, ray: &Vector3<f64>) -> Option<f64> {
    let range = range_m(from, ray);
    let height = ray.z * range;
    (height < TOP_M && height > -1.0 && range < 80.0).then_some(range)
}

/// Five seconds from a moving start. The rings go along the wall with the lidar and fall onto themselves
/// wherever a voxel is no plane: who believes that they say "no motion" stays behind by metres and states
/// decimetres.
#[test]
fn a_way_along_a_wall_is_found_or_said_to_be_unknown() {
    let sweep = Sweep {
        elevations_deg: (-15.0, 2.0),
        rings: 16,
        columns: 300,
        // The half towards the wall, but for what would meet it far away.
        azimuths_rad: (0.08, std::f64::consts::PI - 0.16),
        pose_at,
        range_m: returned_m,
    };
    for seed in 0..3 {
        sweep.is_honest(seed, 50, 3);
    }
}
