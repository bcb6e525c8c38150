//! Normal equations of one alignment: sums of weighted residuals, in `Body` axes.
//!
//! The pose is perturbed on the right, so a point `p` of the scan moves by `θ × p + ρ` in `Body`
//! whatever the pose is, and the Jacobian needs no rotation: `[-[p]×, I]`.

use nalgebra::{Matrix6, Vector3, Vector6};

/// Sums over one chunk of points, or over all of them.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    /// Upper triangle of Σ JᵀJ w, row by row.
    information: [f64; 21],
    /// Σ Jᵀ r w.
    gradient: [f64; 6],
    /// Residuals against planes.
    pub(crate) planes: Residuals,
    /// Residuals against points, per axis.
    pub(crate) points: Residuals,
    /// Points that found a partner.
    pub(crate) matched: u32,
    /// Points that were searched for.
    pub(crate) searched: u32,
    /// What the residuals cost, as this step weighs them and as the last one did.
    pub(crate) loss: f64,
    pub(crate) loss_before: f64,
}

/// Weighted squares of one kind of residual.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Residuals {
    pub(crate) weight: f64,
    pub(crate) square: f64,
}

impl Residuals {
    pub(crate) fn add(&mut self, weight: f64, square: f64) {
        self.weight += weight;
        self.square += weight * square;
    }

    /// One sigma, or nothing if too few points speak.
    pub(crate) fn sigma(&self) -> Option<f64> {
        (self.weight > 5.0).then(|| (self.square / self.weight).sqrt())
    }
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            information: [0.0; 21],
            gradient: [0.0; 6],
            planes: Residuals::default(),
            points: Residuals::default(),
            matched: 0,
            searched: 0,
            loss: 0.0,
            loss_before: 0.0,
        }
    }
}

impl Sums {
    /// A residual along one direction of `Body`: `n · (q − target)`.
    pub(crate) fn add_plane(&mut self, p: Vector3<f64>, normal: Vector3<f64>, residual: f64, weight: f64) {
        let turn = p.cross(&normal);
        let j = [turn.x, turn.y, turn.z, normal.x, normal.y, normal.z];
        let mut place = 0;
        for row in 0..6 {
            let scaled = weight * j[row];
            self.gradient[row] += scaled * residual;
            for value in &j[row..] {
                self.information[place] += scaled * value;
                place += 1;
            }
        }
    }

    /// Adds another chunk. The order of calls is the order of the sum.
    pub(crate) fn merge(&mut self, other: &Sums) {
        for (sum, value) in self.information.iter_mut().zip(&other.information) {
            *sum += value;
        }
        for (sum, value) in self.gradient.iter_mut().zip(&other.gradient) {
            *sum += value;
        }
        self.planes.weight += other.planes.weight;
        self.planes.square += other.planes.square;
        self.points.weight += other.points.weight;
        self.points.square += other.points.square;
        self.matched += other.matched;
        self.searched += other.searched;
        self.loss += other.loss;
        self.loss_before += other.loss_before;
    }

    pub(crate) fn information(&self) -> Matrix6<f64> {
        let mut matrix = Matrix6::zeros();
        let mut place = 0;
        for row in 0..6 {
            for column in row..6 {
                matrix[(row, column)] = self.information[place];
                matrix[(column, row)] = self.information[place];
                place += 1;
            }
        }
        matrix
    }

    pub(crate) fn gradient(&self) -> Vector6<f64> {
        Vector6::from(self.gradient)
    }
}

/// Metres at which a turn counts as much as a move when directions are compared.
const LEVER_M: f64 = 10.0;

/// The directions in which the scan says less than `least` of what it says of moves in sum, taken out.
///
/// Returns the projector onto what is held; information and gradient are to be multiplied by it, so
/// that the prior alone decides the rest. Turns are compared at ten metres. The idea of freezing
/// before the step instead of guessing: Tuna et al., "X-ICP", IEEE T-RO 40 (2024).
pub(crate) fn held_directions(information: &Matrix6<f64>, least: f64) -> Matrix6<f64> {
    directions(information, |share| if share >= least { 1.0 } else { 0.0 })
}

/// As [`held_directions`], but a direction with a share between two goes from not held to held, as the
/// root of a factor: taken on both sides of the information, that grows evenly with the share.
pub(crate) fn believed_directions(information: &Matrix6<f64>, (none, whole): (f64, f64)) -> Matrix6<f64> {
    directions(information, |share| {
        ((share - none) / (whole - none)).clamp(0.0, 1.0).sqrt()
    })
}

/// Each direction times a factor, made of the share it has of what the scan says of moves in sum.
fn directions(information: &Matrix6<f64>, factor: impl Fn(f64) -> f64) -> Matrix6<f64> {
    let mut scale = Matrix6::identity();
    for axis in 0..3 {
        scale[(axis, axis)] = 1.0 / LEVER_M;
    }
    let scaled = scale * information * scale;
    let moves = scaled[(3, 3)] + scaled[(4, 4)] + scaled[(5, 5)];
    if !(moves.is_finite() && moves > 0.0) {
        return Matrix6::zeros();
    }
    let eigen = scaled.symmetric_eigen();
    let mut held = Matrix6::zeros();
    for (value, vector) in eigen.eigenvalues.iter().zip(eigen.eigenvectors.column_iter()) {
        held += vector * vector.transpose() * factor(*value / moves);
    }
    let unscale = Matrix6::from_diagonal(&scale.diagonal().map(f64::recip));
    unscale * held * scale
}

/// The inverse of a symmetric positive matrix, or nothing if it has none that is finite.
pub(crate) fn inverse(matrix: &Matrix6<f64>) -> Option<Matrix6<f64>> {
    let symmetric = (matrix + matrix.transpose()) * 0.5;
    let inverse = symmetric.cholesky()?.inverse();
    inverse.iter().all(|value| value.is_finite()).then_some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{Matrix3, SMatrix};

    fn jacobian(p: Vector3<f64>) -> SMatrix<f64, 3, 6> {
        let mut j = SMatrix::<f64, 3, 6>::zeros();
        j.fixed_view_mut::<3, 3>(0, 0).copy_from(&-p.cross_matrix());
        j.fixed_view_mut::<3, 3>(0, 3).copy_from(&Matrix3::identity());
        j
    }

    #[test]
    fn sums_are_the_plain_matrix_products() {
        let p = Vector3::new(3.0, -7.0, 1.5);
        let normal = Vector3::new(0.6, 0.0, 0.8);
        let j = jacobian(p);
        let mut planes = Sums::default();
        planes.add_plane(p, normal, 0.5, 3.0);
        let row = j.transpose() * normal;
        assert!((planes.information() - row * row.transpose() * 3.0).norm() < 1e-12);
        assert!((planes.gradient() - row * 1.5).norm() < 1e-12);
    }

    #[test]
    fn one_plane_holds_one_move_and_two_turns() {
        let mut sums = Sums::default();
        for i in -10..=10 {
            for k in -10..=10 {
                let p = Vector3::new(f64::from(i), f64::from(k), -2.0);
                sums.add_plane(p, Vector3::z(), 0.0, 1.0);
            }
        }
        let held = held_directions(&sums.information(), 0.002);
        let expected = Vector6::new(1.0, 1.0, 0.0, 0.0, 0.0, 1.0);
        assert!((held.diagonal() - expected).norm() < 1e-9, "{held}");
        assert_eq!(held_directions(&Matrix6::zeros(), 0.002), Matrix6::zeros());
    }
}
