//! A vessel in swell along a row of round piles, seen by a lidar alone. Nothing of them says how high the
//! lidar is: its rings stay where they are on the piles while it rises, and so do their points.

// Tests may stop at what cannot be.
#![allow(clippy::unwrap_used)]

use beluga_types::elementary::{cos, sin};
use beluga_types::{Body, Stamp, Transform, World};
use nalgebra::{UnitQuaternion, Vector2, Vector3};

mod sweep;

use sweep::{Sweep, end_of};

/// The row's distance, and from pile to pile; their radius.
const ROW_M: f64 = 6.0;
const APART_M: f64 = 1.3;
const RADIUS_M: f64 = 0.45;
const HEAVE_M: f64 = 0.12;
const HEAVE_S: f64 = 3.0;
const SPEED_M_PER_S: f64 = 0.8;

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

fn pose_at(stamp: Stamp) -> Transform<World, Body> {
    let t = stamp.seconds_since(end_of(0));
    let turn = std::f64::consts::TAU * t / HEAVE_S;
    Transform::new(
        UnitQuaternion::from_euler_angles(0.02 * sin(turn), 0.01 * cos(turn), 0.0),
        Vector3::new(SPEED_M_PER_S * t, 0.0, HEAVE_M * sin(turn)),
    )
}

/// What the run says of its height is true: points that stay at the rings' height do not hold it.
#[test]
fn rings_on_piles_do_not_say_how_high_the_lidar_is() {
    let sweep = Sweep {
        elevations_deg: (-16.0, 1.0),
        rings: 32,
        columns: 600,
        azimuths_rad: (0.0, std::f64::consts::PI),
        pose_at,
        range_m,
    };
    sweep.is_honest(0, 30, 5);
}
