//! Where the body was on the map at any moment of the last seconds.

use std::collections::VecDeque;

use beluga_types::{Body, Stamp, Transform};
use nalgebra::{Vector3, Vector6};

use crate::odometry::Map;

/// Data time kept, in seconds.
const KEPT_S: f64 = 20.0;
/// Knots kept at most.
const MAX_KNOTS: usize = 20_000;
/// Time over which the twist is measured at least, in seconds.
const TWIST_BASE_S: f64 = 0.05;
/// Longest time over which a twist says anything, in seconds.
const TWIST_REACH_S: f64 = 2.0;

/// Knots of the trajectory; between them the body turns evenly and moves straight.
#[derive(Default)]
pub(crate) struct Trajectory {
    knots: VecDeque<(Stamp, Transform<Map, Body>)>,
}

impl Trajectory {
    /// Sets the pose at a moment, and forgets what was said of later ones.
    pub(crate) fn set(&mut self, stamp: Stamp, map_from_body: Transform<Map, Body>) {
        while self.knots.back().is_some_and(|(last, _)| *last >= stamp) {
            self.knots.pop_back();
        }
        self.knots.push_back((stamp, map_from_body));
        while self.knots.len() > MAX_KNOTS
            || (self.knots.len() > 2
                && self
                    .knots
                    .get(1)
                    .is_some_and(|(old, _)| stamp.seconds_since(*old) > KEPT_S))
        {
            self.knots.pop_front();
        }
    }

    pub(crate) fn last(&self) -> Option<(Stamp, Transform<Map, Body>)> {
        self.knots.back().copied()
    }

    /// The pose at a moment; beyond the knots the nearest twist carries on for at most two seconds.
    pub(crate) fn at(&self, stamp: Stamp) -> Transform<Map, Body> {
        let after = self.knots.partition_point(|(knot, _)| *knot < stamp);
        match (
            after.checked_sub(1).and_then(|i| self.knots.get(i)),
            self.knots.get(after),
        ) {
            (Some((t0, from)), Some((t1, to))) => {
                let fraction = stamp.nanos_since(*t0) as f64 / t1.nanos_since(*t0) as f64;
                from.interpolated(to, fraction)
            }
            (Some((t0, from)), None) => {
                let dt_s = stamp.seconds_since(*t0).min(TWIST_REACH_S);
                from.perturbed(&(self.twist() * dt_s))
            }
            (None, Some((t1, to))) => {
                let dt_s = stamp.seconds_since(*t1).max(-TWIST_REACH_S);
                let twist = self
                    .knots
                    .get(1)
                    .map_or_else(Vector6::zeros, |next| twist_between((*t1, *to), *next));
                to.perturbed(&(twist * dt_s))
            }
            (None, None) => Transform::identity(),
        }
    }

    /// From the body's axes at one moment to its axes at another.
    pub(crate) fn body_from_body(&self, to: Stamp, from: Stamp) -> Transform<Body, Body> {
        self.at(to).inverse() * self.at(from)
    }

    /// Rotation rate (rad/s) and velocity (m/s) in `Body` at the last knot.
    pub(crate) fn twist(&self) -> Vector6<f64> {
        let Some(last) = self.knots.back() else {
            return Vector6::zeros();
        };
        let earlier = self.knots.iter().rev().skip(1);
        let base = earlier
            .clone()
            .find(|(knot, _)| last.0.seconds_since(*knot) >= TWIST_BASE_S)
            .or_else(|| self.knots.front());
        match base {
            Some(base) if base.0 < last.0 => twist_between(*base, *last),
            _ => Vector6::zeros(),
        }
    }
}

/// The even motion between two knots, in the axes of the later; none over too long a time.
fn twist_between(from: (Stamp, Transform<Map, Body>), to: (Stamp, Transform<Map, Body>)) -> Vector6<f64> {
    let dt_s = to.0.seconds_since(from.0);
    if !(dt_s > 1e-6 && dt_s <= TWIST_REACH_S) {
        return Vector6::zeros();
    }
    let back = to.1.perturbation_to(&from.1) / -dt_s;
    let turn: Vector3<f64> = back.fixed_rows::<3>(0).into_owned();
    let moved: Vector3<f64> = back.fixed_rows::<3>(3).into_owned();
    Vector6::new(turn.x, turn.y, turn.z, moved.x, moved.y, moved.z)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::UnitQuaternion;

    fn at(millis: i64) -> Stamp {
        Stamp::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn an_even_motion_is_found_between_and_beyond_the_knots() {
        let twist = Vector6::new(0.0, 0.0, 0.2, 1.5, 0.0, 0.1);
        let pose = |t: f64| {
            Transform::<Map, Body>::new(
                UnitQuaternion::from_scaled_axis(Vector3::new(0.0, 0.0, 0.2 * t)),
                Vector3::new(3.0, 4.0 + 2.0 * t, 0.5 * t),
            )
        };
        let mut trajectory = Trajectory::default();
        for i in 0..4 {
            trajectory.set(at(i * 100), pose(0.1 * i as f64));
        }
        for millis in [-50, 0, 130, 250, 300, 380] {
            let error = trajectory
                .at(at(millis))
                .perturbation_to(&pose(millis as f64 * 1e-3));
            assert!(error.norm() < 2e-3, "{millis}: {error}");
        }
        assert!((trajectory.twist()[2] - twist[2]).abs() < 1e-9);
        trajectory.set(at(150), pose(0.15));
        assert_eq!(trajectory.last().unwrap().0, at(150), "later knots are gone");
    }

    #[test]
    fn an_empty_trajectory_stands_still() {
        let trajectory = Trajectory::default();
        assert_eq!(trajectory.at(at(5)), Transform::identity());
        assert_eq!(trajectory.twist(), Vector6::zeros());
    }
}
