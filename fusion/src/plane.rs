//! The plane of a voxel: mean and spread of its points, and what they say about a surface.

use beluga_types::elementary::{acos, cos};
use nalgebra::{Matrix3, Vector3};

/// Fewest points that make a plane.
const MIN_SAMPLES: u32 = 5;
/// Least thickness believed of a surface, in metres.
const MIN_ROUGHNESS_M: f64 = 0.01;
/// 1 − λ₀/λ₁ at which points begin to be a plane, and are nothing else.
const FLAT: (f64, f64) = (0.7, 0.9);
/// λ₀/λ₁ at which points begin to fill a voxel, and do.
const THICK: (f64, f64) = (0.15, 0.3);
/// Slope sigma of a normal that is known, and of one that is not, in rad.
const KNOWN: (f64, f64) = (0.03, 0.06);
/// λ₁/λ₂ from which points are more than a line.
const SOLID: (f64, f64) = (0.05, 0.15);

/// A plane through points, from the voxel's corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Plane {
    /// Mean of the points, metres from the voxel's corner.
    pub(crate) centre: [f32; 3],
    /// Unit normal; zero without a plane. Its sign means nothing.
    pub(crate) normal: [f32; 3],
    /// How far the points are a plane whose normal is known, 0 to 1.
    pub(crate) flat: f32,
    /// How far they fill the voxel, 0 to 1: neither plane nor line.
    pub(crate) solid: f32,
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

    /// Adds another voxel's points, whose corner lies at `shift` from this one's.
    pub(crate) fn merge(&mut self, other: &Spread, shift: [f32; 3]) {
        let n = other.samples as f32;
        let [x, y, z] = shift;
        let [sx, sy, sz] = other.sum;
        self.samples += other.samples;
        for (axis, sum) in self.sum.iter_mut().enumerate() {
            *sum += other.sum[axis] + n * shift[axis];
        }
        let moved = [
            2.0 * x * sx + n * x * x,
            x * sy + y * sx + n * x * y,
            x * sz + z * sx + n * x * z,
            2.0 * y * sy + n * y * y,
            y * sz + z * sy + n * y * z,
            2.0 * z * sz + n * z * z,
        ];
        for (place, product) in self.products.iter_mut().enumerate() {
            *product += other.products[place] + moved[place];
        }
    }

    /// Mean of the points, from the voxel's corner.
    pub(crate) fn centre(&self) -> [f32; 3] {
        self.mean().cast::<f32>().into()
    }

    /// The plane of the points.
    pub(crate) fn plane(&self) -> Plane {
        let mut plane = Plane {
            centre: self.centre(),
            ..Plane::default()
        };
        if self.samples < MIN_SAMPLES {
            return plane;
        }
        let covariance = self.covariance();
        let [least, middle, most] = eigenvalues(&covariance);
        let least = least.max(MIN_ROUGHNESS_M * MIN_ROUGHNESS_M);
        if let Some(normal) = eigenvector(&covariance, eigenvalues(&covariance)[0]) {
            // Variance of a plane fit's slope across its narrow side.
            let slope = (least / (f64::from(self.samples) * middle.max(1e-12))).sqrt();
            plane.normal = normal.cast::<f32>().into();
            plane.flat =
                (ramp(1.0 - least / middle, FLAT.0, FLAT.1) * ramp(-slope, -KNOWN.1, -KNOWN.0)) as f32;
            plane.solid =
                (ramp(least / middle, THICK.0, THICK.1) * ramp(middle / most, SOLID.0, SOLID.1)) as f32;
        }
        plane
    }
}

fn ramp(value: f64, from: f64, to: f64) -> f64 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
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
    let phi = acos(r) / 3.0;
    let largest = mean + 2.0 * p * cos(phi);
    let least = mean + 2.0 * p * cos(phi + std::f64::consts::TAU / 3.0);
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
    fn a_line_and_a_dot_are_neither_plane_nor_solid() {
        let mut line = Spread::default();
        let mut dot = Spread::default();
        for i in 0..50u8 {
            line.add([0.02 * f32::from(i), 0.5, 0.5]);
            dot.add([0.5; 3]);
        }
        for spread in [line, dot] {
            let plane = spread.plane();
            assert_eq!((plane.flat, plane.solid), (0.0, 0.0));
        }
    }

    #[test]
    fn two_voxels_together_are_all_their_points() {
        let points = [[0.1, 0.2, 0.3], [0.9, 0.1, 0.5], [0.4, 0.8, 0.2], [0.7, 0.3, 0.9]];
        let (mut left, mut right, mut both) = (Spread::default(), Spread::default(), Spread::default());
        let shift = [1.0, -1.0, 0.0];
        for (i, point) in points.iter().enumerate() {
            if i % 2 == 0 {
                left.add(*point);
                both.add(*point);
            } else {
                right.add(*point);
                both.add([0, 1, 2].map(|axis| point[axis] + shift[axis]));
            }
        }
        left.merge(&right, shift);
        assert!((left.covariance() - both.covariance()).norm() < 1e-6);
        assert_eq!(left.samples(), both.samples());
    }
}
