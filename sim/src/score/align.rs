//! The rigid motion between two sets of places, or of poses.

use beluga_types::{Transform, World};
use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};

use super::trajectory::Pair;

/// The rotation and translation that take the first point of each pair nearest to the second one, in
/// the sense of least squares; identity and zero if there is no pair.
///
/// S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
/// IEEE Trans. PAMI 13 (1991), without scale. If all places lie on a line the rotation about it is
/// not determined, and one of the many best ones is given.
pub(super) fn best_rigid_motion(places: &[[Vector3<f64>; 2]]) -> (Matrix3<f64>, Vector3<f64>) {
    let n = places.len().max(1) as f64;
    let mean = |side: usize| places.iter().map(|pair| pair[side]).sum::<Vector3<f64>>() / n;
    let (found, truth) = (mean(0), mean(1));
    let spread: Matrix3<f64> = places
        .iter()
        .map(|pair| (pair[1] - truth) * (pair[0] - found).transpose())
        .sum();
    let rotation = nearest_rotation(spread);
    (rotation, truth - rotation * found)
}

/// The motion that takes found poses nearest to the true ones: the mean of the rotations between them (chordal:
/// R. Hartley et al., "Rotation averaging", Int. J. Comput. Vis. 103 (2013)), then the mean of what is left
/// between their places. A straight path does not leave it open, as its places alone would.
pub(super) fn best_motion_of_poses(pairs: &[Pair]) -> Transform<World, World> {
    let n = pairs.len().max(1) as f64;
    let turns = pairs
        .iter()
        .map(|pair| (pair.truth * pair.found.inverse()).rotation_matrix());
    let rotation = Rotation3::from_matrix_unchecked(nearest_rotation(turns.sum()));
    let left = pairs
        .iter()
        .map(|pair| pair.truth.translation() - rotation * pair.found.translation());
    let shift = left.sum::<Vector3<f64>>() / n;
    Transform::new(UnitQuaternion::from_rotation_matrix(&rotation), shift)
}

/// The rotation nearest to a matrix.
fn nearest_rotation(matrix: Matrix3<f64>) -> Matrix3<f64> {
    let svd = matrix.svd(true, true);
    let (Some(u), Some(v_t)) = (svd.u, svd.v_t) else {
        return Matrix3::identity();
    };
    // A reflection is turned back along the direction of least spread, which nalgebra lists last.
    let mut signs = Matrix3::identity();
    signs[(2, 2)] = if (u * v_t).determinant() < 0.0 { -1.0 } else { 1.0 };
    u * signs * v_t
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::Stamp;

    #[test]
    fn a_known_motion_is_found_and_a_mirror_is_not_made() {
        let motion = Rotation3::from_euler_angles(0.3, -0.2, 2.5);
        let shift = Vector3::new(4.0, -7.0, 0.5);
        let flat: Vec<[Vector3<f64>; 2]> = [[0.0, 0.0], [3.0, 0.1], [5.0, 4.0], [-2.0, 1.0]]
            .map(|[x, y]| Vector3::new(x, y, 0.0))
            .map(|place| [place, motion * place + shift])
            .to_vec();
        let (rotation, translation) = best_rigid_motion(&flat);
        assert!((rotation - motion.into_inner()).norm() < 1e-12);
        assert!((translation - shift).norm() < 1e-12);
        assert!((rotation.determinant() - 1.0).abs() < 1e-12);
        assert_eq!(best_rigid_motion(&[]).1, Vector3::zeros());
    }

    #[test]
    fn poses_on_a_straight_line_leave_nothing_open() {
        let motion = Transform::new(
            UnitQuaternion::from_euler_angles(0.3, -0.2, 2.5),
            Vector3::new(4.0, -7.0, 0.5),
        );
        let pair = |i: i32| {
            let turn = UnitQuaternion::from_euler_angles(0.01 * f64::from(i), 0.0, 0.2);
            let found = Transform::new(turn, Vector3::x() * f64::from(i));
            Pair {
                stamp: Stamp::from_nanos(i.into()),
                found,
                truth: motion * found,
            }
        };
        let pairs: Vec<Pair> = (0..9).map(pair).collect();
        let found = best_motion_of_poses(&pairs);
        assert!(found.perturbation_to(&motion).norm() < 1e-9);
        assert_eq!(best_motion_of_poses(&[]), Transform::identity());
    }
}
