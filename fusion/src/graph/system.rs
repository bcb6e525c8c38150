//! The normal equations of a graph, sparse, and their solution.
//!
//! Gauss–Newton on poses with right perturbations, by Cholesky in the order of time. A survey is one
//! chain with few loops, so in that order the factor fills only between the two ends of each loop, and
//! no other order is needed.

use beluga_types::elementary::Squared;
use beluga_types::{Body, Transform, World};
use nalgebra::{DMatrix, DVector, Matrix6, SMatrix, Vector6};
use nalgebra_sparse::factorization::CscCholesky;
use nalgebra_sparse::{CooMatrix, CscMatrix};

use super::edge::Measured;
use crate::solve::inverse;

/// Quantile of χ² with six degrees of freedom at 99.9 %.
const CHI2_6: f64 = 22.46;
/// Weight below which a loop is left out.
const LEAST_WEIGHT: f64 = 0.25;
/// Gauss–Newton steps of one solution.
const MAX_STEPS: usize = 15;
/// A solution has ended when no pose moves or turns more, in metres and rad.
const CONVERGED: f64 = 1e-6;

/// Measured motions and known poses with their information.
pub(super) struct System {
    pub(super) chain: Vec<Measured>,
    pub(super) loops: Vec<Measured>,
    pub(super) known: Vec<(usize, Transform<World, Body>, Matrix6<f64>)>,
}

impl System {
    /// Moves the poses to where all that has weight agrees best; loops that lose their weight on the
    /// way get none. Gives the factor of the last normal equations.
    pub(super) fn relax(
        &self,
        poses: &mut [Transform<World, Body>],
        weights: &mut [f64],
    ) -> Option<CscCholesky<f64>> {
        for step in 0..MAX_STEPS {
            // The first steps believe every chosen loop: before the fit all are far off.
            let robust = step >= 3;
            let (factor, gradient) = self.normal_equations(poses, weights, robust)?;
            let move_by = -factor.solve(&DMatrix::from_column_slice(
                gradient.len(),
                1,
                gradient.as_slice(),
            ));
            if !move_by.iter().all(|value| value.is_finite()) {
                return None;
            }
            for (pose, by) in poses.iter_mut().zip(move_by.as_slice().chunks_exact(6)) {
                *pose = pose.perturbed(&Vector6::from_column_slice(by));
            }
            if robust && move_by.amax() < CONVERGED {
                break;
            }
        }
        let lost: Vec<bool> = self
            .loops
            .iter()
            .map(|measured| robust_weight(measured, poses) < LEAST_WEIGHT)
            .collect();
        for (weight, lost) in weights.iter_mut().zip(lost) {
            if lost {
                *weight = 0.0;
            }
        }
        self.normal_equations(poses, weights, true)
            .map(|(factor, _)| factor)
    }

    pub(super) fn normal_equations(
        &self,
        poses: &[Transform<World, Body>],
        weights: &[f64],
        robust: bool,
    ) -> Option<(CscCholesky<f64>, DVector<f64>)> {
        let size = 6 * poses.len();
        let mut matrix = CooMatrix::new(size, size);
        let mut gradient = DVector::zeros(size);
        let loops = self
            .loops
            .iter()
            .zip(weights)
            .filter(|(_, weight)| **weight > 0.0);
        let weighted = loops.map(|(measured, &weight)| {
            let robust = if robust {
                robust_weight(measured, poses)
            } else {
                1.0
            };
            (measured, weight * robust)
        });
        for (measured, weight) in self.chain.iter().map(|measured| (measured, 1.0)).chain(weighted) {
            let (residual, jacobian) = measured.residual(poses);
            let weighted = jacobian.transpose() * measured.information * weight;
            let (block, part) = (weighted * jacobian, weighted * residual);
            let places = [measured.edge.from * 6, measured.edge.to * 6];
            for row in 0..12 {
                let at = places[row / 6] + row % 6;
                gradient[at] += part[row];
                for column in 0..12 {
                    matrix.push(at, places[column / 6] + column % 6, block[(row, column)]);
                }
            }
        }
        for (pose, place, information) in &self.known {
            let part = information * place.perturbation_to(&poses[*pose]);
            for row in 0..6 {
                gradient[6 * pose + row] += part[row];
                for column in 0..6 {
                    matrix.push(6 * pose + row, 6 * pose + column, information[(row, column)]);
                }
            }
        }
        let factor = CscCholesky::factor(&CscMatrix::from(&matrix)).ok()?;
        Some((factor, gradient))
    }

    /// Which loops fit: those without weight by their innovation, the others by what is left of it.
    pub(super) fn fits(
        &self,
        poses: &[Transform<World, Body>],
        factor: &CscCholesky<f64>,
        weights: &[f64],
    ) -> Vec<bool> {
        let fits = |(measured, &weight): (&Measured, &f64)| {
            let (residual, jacobian) = measured.residual(poses);
            if weight > 0.0 {
                return true;
            }
            let (from, to) = (measured.edge.from, measured.edge.to);
            let spread = jacobian * joint(factor, [from, to], poses.len()) * jacobian.transpose();
            inverse(&(spread + measured.edge.covariance))
                .is_some_and(|information| residual.dot(&(information * residual)) < CHI2_6)
        };
        self.loops.iter().zip(weights).map(fits).collect()
    }
}

/// Geman–McClure: `(k² / (k² + χ²))²`.
fn robust_weight(measured: &Measured, poses: &[Transform<World, Body>]) -> f64 {
    let (residual, _) = measured.residual(poses);
    let chi2 = residual.dot(&(measured.information * residual));
    (CHI2_6 / (CHI2_6 + chi2)).squared()
}

/// The covariance of two poses together.
fn joint(factor: &CscCholesky<f64>, pair: [usize; 2], poses: usize) -> SMatrix<f64, 12, 12> {
    let mut unit = DMatrix::zeros(6 * poses, 12);
    let place = |index: usize| 6 * pair[index / 6] + index % 6;
    for index in 0..12 {
        unit[(place(index), index)] = 1.0;
    }
    let columns = factor.solve(&unit);
    SMatrix::from_fn(|row, column| columns[(place(row), column)])
}

/// The covariance of one pose.
pub(super) fn marginal(factor: &CscCholesky<f64>, pose: usize, poses: usize) -> Matrix6<f64> {
    let mut unit = DMatrix::zeros(6 * poses, 6);
    for axis in 0..6 {
        unit[(6 * pose + axis, axis)] = 1.0;
    }
    let columns = factor.solve(&unit);
    let block = Matrix6::from_fn(|row, column| columns[(6 * pose + row, column)]);
    (block + block.transpose()) * 0.5
}
