//! A trajectory against the true one.

use beluga_types::{Body, Stamp, Transform, World};
use nalgebra::Vector3;
use serde::Serialize;

use super::align::best_rigid_motion;
use super::rpe::{RelativeError, Stretch, relative_error};
use crate::truth::Truth;

/// Stretches over which a relative error is given.
const STRETCHES: [Stretch; 5] = [
    Stretch::Poses(1),
    Stretch::Seconds(1.0),
    Stretch::Seconds(10.0),
    Stretch::Metres(1.0),
    Stretch::Metres(10.0),
];

/// A pose that was found, and what it should have been.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// When.
    pub stamp: Stamp,
    /// The pose that was found.
    pub found: Transform<World, Body>,
    /// The reference.
    pub truth: Transform<World, Body>,
}

/// Errors of a trajectory.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TrajectoryError {
    /// Poses compared.
    pub poses: u64,
    /// Poses outside the time the truth covers; not compared.
    pub outside: u64,
    /// Root mean square of the position as it stands, in metres.
    pub unaligned_m: f64,
    /// The same after the rigid motion (rotation and translation, no scale) that fits the
    /// true positions best, in metres: the absolute trajectory error.
    pub aligned_m: f64,
    /// Root mean square of the rotation as it stands, in radians.
    pub rotation_rad: f64,
    /// Position error of the last pose as it stands, in metres.
    pub end_m: f64,
    /// The position as it stands, in metres.
    pub unaligned: Option<Spread>,
    /// The position after alignment, in metres.
    pub aligned: Option<Spread>,
    /// Mean and root mean square along the true body's axes: forward, to port, up (metres).
    pub position_axes_m: Option<[AxisError; 3]>,
    /// Mean and root mean square of the rotation about the true body's axes: forward, port, up (radians).
    pub rotation_axes_rad: Option<[AxisError; 3]>,
    /// Over stretches, as many kinds as the trajectory is long enough for.
    pub relative: Vec<RelativeError>,
}

/// How errors without sign are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Root of the mean square.
    pub rmse: f64,
    /// Mean.
    pub mean: f64,
    /// Median; of an even number, the mean of the middle two.
    pub median: f64,
    /// 95th percentile (the smallest that 95 % do not exceed).
    pub p95: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

/// Errors with sign along one axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct AxisError {
    /// Mean.
    pub mean: f64,
    /// Root of the mean square.
    pub rmse: f64,
}

impl Spread {
    /// Of finite errors; nothing if there are none.
    pub(super) fn of(mut errors: Vec<f64>) -> Option<Self> {
        errors.sort_by(f64::total_cmp);
        let n = errors.len();
        let (&min, &max) = (errors.first()?, errors.last()?);
        Some(Self {
            rmse: (errors.iter().map(|error| error * error).sum::<f64>() / n as f64).sqrt(),
            mean: errors.iter().sum::<f64>() / n as f64,
            median: 0.5 * (errors[(n - 1) / 2] + errors[n / 2]),
            p95: errors[((0.95 * n as f64).ceil() as usize).clamp(1, n) - 1],
            min,
            max,
        })
    }
}

impl TrajectoryError {
    /// Compares poses with what they should have been; `outside` more had no partner.
    ///
    /// Alignment: S. Umeyama, "Least-squares estimation of transformation parameters between two
    /// point patterns", IEEE Trans. PAMI 13 (1991), without scale, over positions.
    pub fn of(pairs: &[Pair], outside: u64) -> Self {
        let places: Vec<[Vector3<f64>; 2]> = pairs
            .iter()
            .map(|pair| [pair.found.translation(), pair.truth.translation()])
            .collect();
        let (rotation, shift) = best_rigid_motion(&places);
        let unaligned = Spread::of(
            places
                .iter()
                .map(|[found, truth]| (found - truth).norm())
                .collect(),
        );
        let moved = |[found, truth]: &[Vector3<f64>; 2]| (rotation * found + shift - truth).norm();
        let aligned = Spread::of(places.iter().map(moved).collect());
        let turned = |pair: &Pair| pair.found.rotation().angle_to(&pair.truth.rotation());
        let rmse = |spread: Option<Spread>| spread.map_or(0.0, |spread| spread.rmse);
        Self {
            poses: pairs.len() as u64,
            outside,
            unaligned_m: rmse(unaligned),
            aligned_m: rmse(aligned),
            rotation_rad: rmse(Spread::of(pairs.iter().map(turned).collect())),
            end_m: places.last().map_or(0.0, |[found, truth]| (found - truth).norm()),
            unaligned,
            aligned,
            position_axes_m: axes(pairs, 3),
            rotation_axes_rad: axes(pairs, 0),
            relative: STRETCHES
                .iter()
                .filter_map(|stretch| relative_error(pairs, *stretch))
                .collect(),
        }
    }
}

/// Mean and root mean square of three components of the perturbation from the true pose to the found
/// one, from place `first` on.
fn axes(pairs: &[Pair], first: usize) -> Option<[AxisError; 3]> {
    let n = pairs.len() as f64;
    let errors: Vec<_> = pairs
        .iter()
        .map(|pair| pair.truth.perturbation_to(&pair.found))
        .collect();
    (!pairs.is_empty()).then(|| {
        [0, 1, 2].map(|axis| AxisError {
            mean: errors.iter().map(|error| error[first + axis]).sum::<f64>() / n,
            rmse: (errors
                .iter()
                .map(|error| error[first + axis].powi(2))
                .sum::<f64>()
                / n)
                .sqrt(),
        })
    })
}

impl Truth {
    /// Compares a trajectory with the true one. Poses outside the run's time are counted and left out;
    /// the others are compared with the true pose of the very moment, between two that are 5 ms apart.
    pub fn trajectory_error(&self, trajectory: &[(Stamp, Transform<World, Body>)]) -> TrajectoryError {
        let pairs = self.pairs(trajectory);
        TrajectoryError::of(&pairs, (trajectory.len() - pairs.len()) as u64)
    }

    /// Each pose with the true one of its moment, if it lies in the time of the truth.
    pub fn pairs(&self, trajectory: &[(Stamp, Transform<World, Body>)]) -> Vec<Pair> {
        let pair = |&(stamp, found): &(Stamp, Transform<World, Body>)| {
            let truth = self.pose_at(stamp)?;
            Some(Pair { stamp, found, truth })
        };
        trajectory.iter().filter_map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::world::World as SimWorld;
    use nalgebra::UnitQuaternion;

    fn truth() -> Truth {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 3.0;
        SimWorld::new(scenario).unwrap().truth()
    }

    #[test]
    fn the_truth_has_no_error() {
        let truth = truth();
        let error = truth.trajectory_error(&truth.poses);
        assert_eq!(error.poses as usize, truth.poses.len());
        assert!(error.unaligned_m < 1e-12 && error.aligned_m < 1e-9 && error.rotation_rad < 1e-7);
    }

    #[test]
    fn a_moved_trajectory_is_wrong_until_it_is_aligned() {
        let truth = truth();
        let moved = Transform::<World, World>::new(
            UnitQuaternion::from_scaled_axis(Vector3::new(0.02, -0.03, 1.2)),
            Vector3::new(5.0, -2.0, 0.4),
        );
        let trajectory: Vec<_> = truth.poses.iter().map(|(t, pose)| (*t, moved * *pose)).collect();
        let error = truth.trajectory_error(&trajectory);
        assert!(error.unaligned_m > 2.0 && error.end_m > 2.0);
        assert!(error.aligned_m < 1e-9, "{}", error.aligned_m);
        assert!((error.rotation_rad - moved.rotation().angle()).abs() < 1e-6);
    }

    #[test]
    fn an_offset_to_one_side_is_its_own_error() {
        let truth = truth();
        let mut trajectory: Vec<_> = truth
            .poses
            .iter()
            .map(|(t, pose)| {
                (
                    *t,
                    Transform::new(pose.rotation(), pose.translation() + Vector3::new(0.0, 0.0, 0.3)),
                )
            })
            .collect();
        trajectory.push((
            truth.poses[truth.poses.len() - 1].0.shifted_s(9.0),
            Transform::identity(),
        ));
        let error = truth.trajectory_error(&trajectory);
        assert!((error.unaligned_m - 0.3).abs() < 1e-12);
        assert_eq!(error.outside, 1);
    }

    #[test]
    fn nothing_to_compare_is_zero_poses() {
        assert_eq!(truth().trajectory_error(&[]), TrajectoryError::default());
    }
}
