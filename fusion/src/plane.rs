//! The plane of a voxel: mean and spread of its points, and what they say about a surface.

use nalgebra::{Matrix3, Vector3};

/// Fewest points that make a plane.
const MIN_SAMPLES: u32 = 5;
/// Smallest spread of a plane's points as a part of the voxel's edge: less is a line or a dot.
const MIN_EXTENT: f64 = 0.06;

/// A plane through points, from the voxel's corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Plane {
    /// Mean of the points, metres from the voxel's corner.
    pub(crate) centre: [f32; 3],
    /// Unit normal; zero without a plane. Its sign means nothing.
    pub(crate) normal: [f32; 3],
    /// 1 − λ₀/λ₁ of the points' covariance: 1 is flat, 0 is a line or a ball.
    pub(crate) planarity: f32,
}

/// Running sums of the points of a voxel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    samples: u32,
    sum: [f32; 3],
    /// xx, xy, xz, yy, yz, zz.
    products: [f32; 6],
}

impl Spread {
    pub(crate) fn samples(&self) -> u32 {
        self.samples
    }

    pub(crate) fn add(&mut self, [x, y, z]: [f32; 3]) {
        self.samples += 1;
        for (sum, value) in self.sum.iter_mut().zip([x, y, z]) {
            *sum += value;
        }
        for (sum, value) in self
            .products
            .iter_mut()
            .zip([x * x, x * y, x * z, y * y, y * z, z * z])
        {
            *sum += value;
        }
    }

    fn mean(&self) -> Vector3<f64> {
        Vector3::from(self.sum).cast::<f64>() / f64::from(self.samples.max(1))
    }

    /// Covariance of the points, m².
    pub(crate) fn covariance(&self) -> Matrix3<f64> {
        let n = f64::from(self.samples.max(1));
        let mean = self.mean();
        let p = self.products.map(|value| f64::from(value) / n);
        Matrix3::new(p[0], p[1], p[2], p[1], p[3], p[4], p[2], p[4], p[5]) - mean * mean.transpose()
    }

    /// The plane of the points in a voxel of this edge.
    pub(crate) fn plane(&self, size_m: f32) -> Plane {
        let mut plane = Plane {
            centre: self.mean().cast::<f32>().into(),
            ..Plane::default()
        };
        if self.samples < MIN_SAMPLES {
            return plane;
        }
        let covariance = self.covariance();
        let [least, middle, _] = eigenvalues(&covariance);
        if middle < (MIN_EXTENT * f64::from(size_m)).powi(2) {
            return plane;
        }
        if let Some(normal) = eigenvector(&covariance, least) {
            plane.normal = normal.cast::<f32>().into();
            plane.planarity = (1.0 - least.max(0.0) / middle) as f32;
        }
        plane
    }
}

/// Eigenvalues of a symmetric 3×3 matrix, ascending, in closed form.
///
/// O. K. Smith, "Eigenvalues of a symmetric 3 × 3 matrix", Comm. ACM 4(4), 1961.
fn eigenvalues(a: &Matrix3<f64>) -> [f64; 3] {
    let mean = a.trace() / 3.0;
    let centred = a - Matrix3::identity() * mean;
    let p = (centred.norm_squared() / 6.0).sqrt();
    if p < f64::MIN_POSITIVE {
        return [mean; 3];
    }
    let r = ((centred / p).determinant() / 2.0).clamp(-1.0, 1.0);
    let phi = r.acos() / 3.0;
    let largest = mean + 2.0 * p * phi.cos();
    let least = mean + 2.0 * p * (phi + std::f64::consts::TAU / 3.0).cos();
    [least, 3.0 * mean - largest - least, largest]
}

/// The unit eigenvector of a single eigenvalue: the longest cross product of two rows of A − λI.
fn eigenvector(a: &Matrix3<f64>, value: f64) -> Option<Vector3<f64>> {
    let m = a - Matrix3::identity() * value;
    let rows = [0, 1, 2].map(|i| m.row(i).transpose());
    let candidates = [
        rows[0].cross(&rows[1]),
        rows[0].cross(&rows[2]),
        rows[1].cross(&rows[2]),
    ];
    let mut best = candidates[0];
    for candidate in &candidates[1..] {
        if candidate.norm_squared() > best.norm_squared() {
            best = *candidate;
        }
    }
    best.try_normalize(1e-14)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::Rotation3;

    #[test]
    fn eigenvalues_and_vector_of_a_turned_ellipsoid() {
        let turn = Rotation3::from_euler_angles(0.3, -1.1, 2.0);
        let wanted = Vector3::new(0.02, 0.5, 1.7);
        let a = turn.matrix() * Matrix3::from_diagonal(&wanted) * turn.matrix().transpose();
        let found = eigenvalues(&a);
        for axis in 0..3 {
            assert!((found[axis] - wanted[axis]).abs() < 1e-12);
        }
        let vector = eigenvector(&a, found[0]).unwrap();
        assert!((vector.dot(&turn.matrix().column(0)).abs() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_line_and_a_dot_are_no_planes() {
        let mut line = Spread::default();
        let mut dot = Spread::default();
        for i in 0..50 {
            line.add([0.02 * i as f32, 0.5, 0.5]);
            dot.add([0.5; 3]);
        }
        assert_eq!(line.plane(1.0).planarity, 0.0);
        assert_eq!(dot.plane(1.0).planarity, 0.0);
    }
}
