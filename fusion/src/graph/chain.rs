//! What is known from one local map to the next: the odometry's motion, and how it drifts.

use beluga_types::elementary::Squared;
use beluga_types::{Body, Rig, Transform, World};
use nalgebra::{Matrix3, Matrix6, Vector3, Vector6};

use super::edge::Edge;
use super::place::{Leg, Place};
use super::pose_graph::PoseGraph;
use crate::config::Config;

/// Drift with time alone, per √s: rad and metres.
const DRIFT_PER_SQRT_S: (f64, f64) = (1e-5, 1e-4);
/// How much an axis that the lidar does not hold may drift, as a part of the way.
const UNHELD_PART: f64 = 0.1;
/// A vessel floats upright at the height of the water, however far it goes: roll and pitch in rad, and
/// heave in metres, one sigma.
const TILT_RAD: f64 = 0.05;
const HEAVE_M: f64 = 0.2;
/// What says nothing of an axis: rad or metres.
const OPEN_SIGMA: f64 = 1e3;

/// How the odometry drifts.
pub(super) struct Drift {
    /// Per root of a metre: rad.
    turn: f64,
    /// Per root of a metre: metres.
    place: f64,
    /// How long navigation errs the same way, in seconds.
    correlation_s: f64,
    /// How far from the body the odometry's map reaches, in metres.
    pub(super) memory_m: f64,
    /// Whether the body floats on level water.
    afloat: bool,
}

impl Drift {
    pub(super) fn of(config: &Config, rig: &Rig) -> Self {
        Self {
            turn: config.odometry.drift_deg_per_sqrt_m.to_radians(),
            place: config.odometry.drift_m_per_sqrt_m,
            correlation_s: config.nav.correlation_s,
            memory_m: config.odometry.map_radius_m,
            afloat: rig.vessel.waterline_m.is_some(),
        }
    }

    /// How uncertain the later of two local maps is against the earlier: turn (rad) and place (m),
    /// one sigma of one axis.
    pub(super) fn spread(&self, places: &[Place], from: usize, to: usize) -> (f64, f64) {
        let (mut about, mut along, mut way) = (Vector3::zeros(), Vector3::zeros(), 0.0);
        for place in &places[from..to] {
            let leg = self.along(&place.leg).diagonal();
            about += leg.fixed_rows::<3>(0);
            along += leg.fixed_rows::<3>(3);
            way += place.leg.way_m;
        }
        let mut swings = about.max();
        if self.afloat {
            about.x = about.x.min(2.0 * TILT_RAD * TILT_RAD);
            about.y = about.y.min(2.0 * TILT_RAD * TILT_RAD);
            along.z = along.z.min(2.0 * HEAVE_M * HEAVE_M);
            swings = about.z;
        }
        // A turn that walks at random displaces what comes after it.
        let (mut turn, mut place) = (about.max(), along.max() + swings * way * way / 3.0);
        let (old, new) = (&places[from], &places[to]);
        if old.is_tied && new.is_tied {
            let both = (old.covariance + new.covariance).diagonal();
            turn = turn.min(both.fixed_rows::<3>(0).max());
            place = place.min(both.fixed_rows::<3>(3).max());
        }
        (turn.sqrt(), place.sqrt())
    }

    /// Covariance of the motion along a leg.
    fn along(&self, leg: &Leg) -> Matrix6<f64> {
        let turn = self.turn.squared() * leg.way_m + DRIFT_PER_SQRT_S.0.squared() * leg.time_s + 1e-8;
        let place = self.place.squared() * leg.way_m + DRIFT_PER_SQRT_S.1.squared() * leg.time_s + 1e-6;
        let open = |axis: usize| 1.0 - leg.held[axis];
        let (tilt, rise) = if self.afloat {
            (TILT_RAD, HEAVE_M)
        } else {
            (UNHELD_PART, UNHELD_PART * leg.way_m)
        };
        let about = |axis, unheld: f64| turn + (open(axis) * unheld).squared();
        let along = |axis, unheld: f64| place + (open(axis) * unheld).squared();
        let part_m = UNHELD_PART * leg.way_m;
        Matrix6::from_diagonal(&Vector6::new(
            about(0, tilt),
            about(1, tilt),
            about(2, UNHELD_PART),
            along(3, part_m),
            along(4, part_m),
            along(5, rise),
        ))
    }

    /// How a local map is bent in itself: where it lies on another its middle lies, and from there to where
    /// it began the odometry drifts too.
    pub(super) fn within(&self, place: &Place) -> Matrix6<f64> {
        self.along(&place.leg) * 0.5
    }

    /// The graph of all places, with these loops.
    pub(super) fn graph(&self, places: &[Place], loops: &[Edge]) -> PoseGraph {
        let chain = places.iter().zip(places.iter().skip(1)).enumerate();
        let chain = chain.map(|(from, (a, b))| Edge {
            from,
            to: from + 1,
            from_body_to: a.world_from_body.inverse() * b.world_from_body,
            covariance: self.along(&a.leg),
        });
        let floor = Matrix6::identity() * 1e-8;
        let mut known = Vec::new();
        // Without navigation `World` is the body's pose at the beginning, so near level and at the water.
        let is_level = self.afloat && places.iter().all(|place| !place.is_tied);
        for (index, place) in places.iter().enumerate() {
            // Fixes near in time err together, so each counts for its part of that time only.
            let inflation = (2.0 * self.correlation_s / place.leg.time_s.max(1e-3)).max(1.0);
            if place.is_tied {
                let covariance = (place.covariance + floor) * inflation;
                known.push((index, place.world_from_body, covariance));
            } else if index == 0 {
                known.push((index, place.world_from_body, place.covariance + floor));
            } else if is_level {
                let (pose, covariance) = upright(&place.world_from_body);
                known.push((index, pose, covariance));
            }
        }
        PoseGraph {
            poses: places.iter().map(|place| place.world_from_body).collect(),
            known,
            chain: chain.collect(),
            loops: loops.to_vec(),
        }
    }
}

/// The pose next to this one that is upright and at the height of the water, and how well it is known to
/// be: not at all about and along its other axes.
fn upright(near: &Transform<World, Body>) -> (Transform<World, Body>, Matrix6<f64>) {
    let back = near.rotation_matrix().transpose();
    let up = back * Vector3::z();
    let tilt = Vector3::z().cross(&up);
    let fall = -up * near.translation().z;
    let step = Vector6::new(tilt.x, tilt.y, tilt.z, fall.x, fall.y, fall.z);
    let upright = near.perturbed(&step);
    let up = upright.rotation_matrix().transpose() * Vector3::z();
    let vertical = up * up.transpose();
    let level = Matrix3::identity() - vertical;
    let open = OPEN_SIGMA * OPEN_SIGMA;
    let mut covariance = Matrix6::zeros();
    let turn = level * (TILT_RAD * TILT_RAD) + vertical * open;
    covariance.fixed_view_mut::<3, 3>(0, 0).copy_from(&turn);
    let place = vertical * (HEAVE_M * HEAVE_M) + level * open;
    covariance.fixed_view_mut::<3, 3>(3, 3).copy_from(&place);
    (upright, covariance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::UnitQuaternion;

    #[test]
    fn what_floats_is_upright_at_the_water_and_free_otherwise() {
        let turn = UnitQuaternion::from_euler_angles(0.03, -0.04, 1.2);
        let near = Transform::new(turn, Vector3::new(30.0, -8.0, 0.5));
        let (pose, covariance) = upright(&near);
        let up = pose.rotation_matrix() * Vector3::z();
        assert!((up - Vector3::z()).norm() < 2e-3, "{up}");
        let moved = pose.translation() - near.translation();
        assert!((moved - Vector3::new(0.0, 0.0, -0.5)).norm() < 1e-9, "{moved}");
        let sigma = covariance.diagonal().map(f64::sqrt);
        for (axis, expected) in [TILT_RAD, TILT_RAD, OPEN_SIGMA, OPEN_SIGMA, OPEN_SIGMA, HEAVE_M]
            .into_iter()
            .enumerate()
        {
            assert!((sigma[axis] / expected - 1.0).abs() < 0.1, "{sigma}");
        }
    }
}
