//! The rigid motion between two sets of places.

use nalgebra::{Matrix3, Vector3};

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
    use nalgebra::Rotation3;

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
}
