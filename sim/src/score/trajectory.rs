//! A trajectory against the true one.

use beluga_types::{Body, Stamp, Transform, World};
use nalgebra::{Matrix3, Vector3};
use serde::Serialize;

use crate::truth::Truth;

/// Root-mean-square errors of a trajectory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TrajectoryError {
    /// Poses compared.
    pub poses: u64,
    /// Poses outside the time the truth covers; not compared.
    pub outside: u64,
    /// Of the position as it stands, in metres.
    pub unaligned_m: f64,
    /// Of the position after the rigid motion (rotation and translation, no scale) that fits the
    /// true positions best, in metres: the absolute trajectory error.
    pub aligned_m: f64,
    /// Of the rotation as it stands, in radians.
    pub rotation_rad: f64,
    /// Position error of the last pose as it stands, in metres.
    pub end_m: f64,
}

impl Truth {
    /// Compares a trajectory with the true one. Poses outside the run's time are counted and left out.
    ///
    /// Alignment: S. Umeyama, "Least-squares estimation of transformation parameters between two
    /// point patterns", IEEE Trans. PAMI 13 (1991), without scale, over positions.
    pub fn trajectory_error(&self, trajectory: &[(Stamp, Transform<World, Body>)]) -> TrajectoryError {
        let pairs: Vec<(Transform<World, Body>, Transform<World, Body>)> = trajectory
            .iter()
            .filter_map(|(stamp, pose)| Some((*pose, self.pose_at(*stamp)?)))
            .collect();
        let outside = (trajectory.len() - pairs.len()) as u64;
        let places: Vec<[Vector3<f64>; 2]> = pairs
            .iter()
            .map(|(found, truth)| [found.translation(), truth.translation()])
            .collect();
        let rms = |squares: &mut dyn Iterator<Item = f64>| {
            (squares.sum::<f64>() / pairs.len().max(1) as f64).sqrt()
        };
        let (rotation, shift) = best_rigid_motion(&places);
        TrajectoryError {
            poses: pairs.len() as u64,
            outside,
            unaligned_m: rms(&mut places.iter().map(|[found, truth]| (found - truth).norm_squared())),
            aligned_m: rms(&mut places
                .iter()
                .map(|[found, truth]| (rotation * found + shift - truth).norm_squared())),
            rotation_rad: rms(&mut pairs
                .iter()
                .map(|(found, truth)| found.rotation().angle_to(&truth.rotation()).powi(2))),
            end_m: places.last().map_or(0.0, |[found, truth]| (found - truth).norm()),
        }
    }
}

/// The rotation and translation that take the first points nearest to the second ones.
fn best_rigid_motion(places: &[[Vector3<f64>; 2]]) -> (Matrix3<f64>, Vector3<f64>) {
    let n = places.len().max(1) as f64;
    let mean = |side: usize| places.iter().map(|pair| pair[side]).sum::<Vector3<f64>>() / n;
    let (found, truth) = (mean(0), mean(1));
    let spread: Matrix3<f64> = places
        .iter()
        .map(|pair| (pair[1] - truth) * (pair[0] - found).transpose())
        .sum();
    let svd = spread.svd(true, true);
    let (Some(u), Some(v_t)) = (svd.u, svd.v_t) else {
        return (Matrix3::identity(), truth - found);
    };
    // A reflection is turned back along the direction of least spread, which nalgebra lists last.
    let mut signs = Matrix3::identity();
    signs[(2, 2)] = if (u * v_t).determinant() < 0.0 { -1.0 } else { 1.0 };
    let rotation = u * signs * v_t;
    (rotation, truth - rotation * found)
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
