//! Poses tied to each other by what was measured between them, solved together.
//!
//! Gauss–Newton on poses with right perturbations; the normal equations are sparse and solved by
//! Cholesky in the order of time. A survey is one chain with few loops, so in that order the factor
//! fills only between the two ends of each loop, and no other order is needed.
//!
//! A loop is believed only if it fits what the chain allows (its innovation against the covariance
//! of the two poses without it), and then as far as the others agree: Geman–McClure weights after
//! the fit. What loses more than three quarters of its weight is left out.

use beluga_types::{Body, Transform, World};
use nalgebra::{DMatrix, DVector, Matrix3, Matrix6, SMatrix, Vector3, Vector6};
use nalgebra_sparse::factorization::CscCholesky;
use nalgebra_sparse::{CooMatrix, CscMatrix};

use crate::solve::inverse;

/// Quantile of χ² with six degrees of freedom at 99.9 %.
const CHI2_6: f64 = 22.46;
/// Weight below which a loop is left out.
const LEAST_WEIGHT: f64 = 0.25;
/// Gauss–Newton steps of one solution.
const MAX_STEPS: usize = 15;
/// A solution has ended when no pose moves or turns more, in metres and rad.
const CONVERGED: f64 = 1e-6;
/// Rounds of choosing loops and solving.
const MAX_ROUNDS: usize = 5;

/// A measured motion between two poses.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The earlier pose.
    pub from: usize,
    /// The later pose.
    pub to: usize,
    /// Takes coordinates in the later body to the earlier one.
    pub from_body_to: Transform<Body, Body>,
    /// Of it: right perturbation, rotation (rad) then translation (m).
    pub covariance: Matrix6<f64>,
}

/// Poses, what is known of single ones, and what was measured between two.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoseGraph {
    /// Where each pose was believed to be.
    pub poses: Vec<Transform<World, Body>>,
    /// What is known of a pose by itself: which, where, covariance. The first pose needs one.
    pub known: Vec<(usize, Transform<World, Body>, Matrix6<f64>)>,
    /// From each pose to the next.
    pub chain: Vec<Edge>,
    /// Between poses far apart in time.
    pub loops: Vec<Edge>,
}

/// What a graph says when all is taken together.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// The poses.
    pub poses: Vec<Transform<World, Body>>,
    /// Their covariances: right perturbation, rotation (rad) then translation (m).
    pub covariances: Vec<Matrix6<f64>>,
    /// Of each loop, whether it is believed.
    pub believed: Vec<bool>,
}

impl PoseGraph {
    /// Solves for all poses. Nothing if an index leads nowhere, a covariance has no inverse, or the
    /// poses do not hang together.
    pub fn solve(&self) -> Option<Solution> {
        if !self.hangs_together() {
            return None;
        }
        let chain = self.measured(&self.chain)?;
        let loops = self.measured(&self.loops)?;
        let known = self
            .known
            .iter()
            .map(|(pose, place, covariance)| {
                (*pose < self.poses.len()).then_some(())?;
                Some((*pose, *place, inverse(covariance)?))
            })
            .collect::<Option<Vec<_>>>()?;
        let system = System { chain, loops, known };
        let mut poses = self.poses.clone();
        let mut weights = vec![0.0; self.loops.len()];
        let mut factor = system.relax(&mut poses, &mut weights)?;
        for _ in 0..MAX_ROUNDS {
            let fits = system.fits(&poses, &factor, &weights);
            if fits
                .iter()
                .zip(&weights)
                .all(|(&fits, &weight)| fits == (weight > 0.0))
            {
                break;
            }
            weights = fits.iter().map(|&fits| if fits { 1.0 } else { 0.0 }).collect();
            factor = system.relax(&mut poses, &mut weights)?;
        }
        let covariances = (0..poses.len())
            .map(|pose| marginal(&factor, pose, poses.len()))
            .collect();
        Some(Solution {
            poses,
            covariances,
            believed: weights.iter().map(|&weight| weight > 0.0).collect(),
        })
    }

    /// Whether the chain leads from what is known to every pose.
    fn hangs_together(&self) -> bool {
        let mut reached = vec![false; self.poses.len()];
        for (pose, ..) in &self.known {
            if let Some(reached) = reached.get_mut(*pose) {
                *reached = true;
            }
        }
        let mut step = |edge: &Edge| {
            if let (Some(&a), Some(&b)) = (reached.get(edge.from), reached.get(edge.to)) {
                (reached[edge.from], reached[edge.to]) = (a || b, a || b);
            }
        };
        self.chain.iter().for_each(&mut step);
        self.chain.iter().rev().for_each(&mut step);
        reached.iter().all(|&reached| reached)
    }

    fn measured(&self, edges: &[Edge]) -> Option<Vec<Measured>> {
        let sound = |edge: &Edge| edge.from < edge.to && edge.to < self.poses.len();
        let measured = |edge: &Edge| {
            Some(Measured {
                edge: sound(edge).then(|| edge.clone())?,
                information: inverse(&edge.covariance)?,
            })
        };
        edges.iter().map(measured).collect()
    }
}

struct Measured {
    edge: Edge,
    information: Matrix6<f64>,
}

type Jacobian = SMatrix<f64, 6, 12>;

impl Measured {
    /// How far the poses are from what was measured, and how that moves with each of the two.
    ///
    /// With E = T⁻¹ Aᵢ⁻¹ Aⱼ the residual is `[log R_E; t_E]`.
    fn residual(&self, poses: &[Transform<World, Body>]) -> (Vector6<f64>, Jacobian) {
        let between = poses[self.edge.from].inverse() * poses[self.edge.to];
        let residual = self.edge.from_body_to.perturbation_to(&between);
        let turn = between.rotation_matrix();
        let back = self.edge.from_body_to.rotation_matrix().transpose();
        let angle: Vector3<f64> = residual.fixed_rows::<3>(0).into_owned();
        // First order of the inverse right Jacobian of SO(3).
        let right = Matrix3::identity() + angle.cross_matrix() * 0.5;
        let mut jacobian = Jacobian::zeros();
        jacobian
            .fixed_view_mut::<3, 3>(0, 0)
            .copy_from(&(-right * turn.transpose()));
        jacobian
            .fixed_view_mut::<3, 3>(3, 0)
            .copy_from(&(back * between.translation().cross_matrix()));
        jacobian.fixed_view_mut::<3, 3>(3, 3).copy_from(&-back);
        jacobian.fixed_view_mut::<3, 3>(0, 6).copy_from(&right);
        jacobian.fixed_view_mut::<3, 3>(3, 9).copy_from(&(back * turn));
        (residual, jacobian)
    }
}

struct System {
    chain: Vec<Measured>,
    loops: Vec<Measured>,
    known: Vec<(usize, Transform<World, Body>, Matrix6<f64>)>,
}

impl System {
    /// Moves the poses to where all that has weight agrees best; loops that lose their weight on the
    /// way get none. Gives the factor of the last normal equations.
    fn relax(&self, poses: &mut [Transform<World, Body>], weights: &mut [f64]) -> Option<CscCholesky<f64>> {
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

    fn normal_equations(
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
    fn fits(
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
    (CHI2_6 / (CHI2_6 + chi2)).powi(2)
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

fn marginal(factor: &CscCholesky<f64>, pose: usize, poses: usize) -> Matrix6<f64> {
    let mut unit = DMatrix::zeros(6 * poses, 6);
    for axis in 0..6 {
        unit[(6 * pose + axis, axis)] = 1.0;
    }
    let columns = factor.solve(&unit);
    let block = Matrix6::from_fn(|row, column| columns[(6 * pose + row, column)]);
    (block + block.transpose()) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::spread_bits;
    use nalgebra::UnitQuaternion;

    fn noise(counter: u64) -> f64 {
        let uniform = |k: u64| (spread_bits(counter * 8 + k) >> 11) as f64 / (1u64 << 53) as f64;
        (0..4).map(uniform).sum::<f64>() * 3f64.sqrt() - 2.0 * 3f64.sqrt()
    }

    fn circle(i: usize, n: usize) -> Transform<World, Body> {
        let angle = i as f64 / n as f64 * std::f64::consts::TAU;
        let place = Vector3::new(30.0 * angle.sin(), 30.0 - 30.0 * angle.cos(), 0.0);
        Transform::new(UnitQuaternion::from_scaled_axis(Vector3::z() * angle), place)
    }

    fn diagonal(turn: f64, place: f64) -> Matrix6<f64> {
        let (turn, place) = (turn * turn, place * place);
        Matrix6::from_diagonal(&Vector6::new(turn, turn, turn, place, place, place))
    }

    /// Twice round a circle with noisy steps, and loops between the rounds.
    fn survey(seed: u64) -> (PoseGraph, Vec<Transform<World, Body>>) {
        let n = 20;
        let truth: Vec<_> = (0..2 * n).map(|i| circle(i, n)).collect();
        let (turn, place) = (0.01, 0.05);
        let mut counter = seed << 20;
        let mut noisy = |from: usize, to: usize, turn: f64, place: f64| {
            let sigmas = Vector6::new(turn, turn, turn, place, place, place);
            let step = sigmas.map(|sigma| {
                counter += 1;
                sigma * noise(counter)
            });
            Edge {
                from,
                to,
                from_body_to: (truth[from].inverse() * truth[to]).perturbed(&step),
                covariance: diagonal(turn, place),
            }
        };
        let chain: Vec<Edge> = (1..2 * n).map(|to| noisy(to - 1, to, turn, place)).collect();
        let loops = (0..n).step_by(4).map(|i| noisy(i, i + n, 0.002, 0.02)).collect();
        let mut poses = vec![truth[0]];
        for edge in &chain {
            poses.push(poses[edge.from] * edge.from_body_to);
        }
        let graph = PoseGraph {
            known: vec![(0, truth[0], diagonal(1e-4, 1e-3))],
            poses,
            chain,
            loops,
        };
        (graph, truth)
    }

    fn error(found: &[Transform<World, Body>], truth: &[Transform<World, Body>]) -> f64 {
        let square = |(a, b): (&Transform<World, Body>, &Transform<World, Body>)| {
            (a.translation() - b.translation()).norm_squared()
        };
        (found.iter().zip(truth).map(square).sum::<f64>() / found.len() as f64).sqrt()
    }

    #[test]
    fn jacobians_are_difference_quotients() {
        let (graph, _) = survey(3);
        let measured = &graph.measured(&graph.loops).unwrap()[1];
        let (residual, jacobian) = measured.residual(&graph.poses);
        for column in 0..12 {
            let mut step = Vector6::zeros();
            step[column % 6] = 1e-6;
            let mut poses = graph.poses.clone();
            let pose = [measured.edge.from, measured.edge.to][column / 6];
            poses[pose] = poses[pose].perturbed(&step);
            let quotient = (measured.residual(&poses).0 - residual) / 1e-6;
            // The rotation's Jacobian is of first order in the residual.
            let off = (quotient - jacobian.column(column)).norm();
            assert!(
                off < 0.2 * residual.fixed_rows::<3>(0).norm() + 1e-4,
                "column {column}: {off}"
            );
        }
    }

    #[test]
    fn a_survey_that_returns_meets_itself_and_says_how_well() {
        let (mut before, mut after, mut chi2) = (0.0, 0.0, 0.0);
        for seed in 1..9 {
            let (graph, truth) = survey(seed);
            let solved = graph.solve().unwrap();
            assert_eq!(solved.believed, vec![true; 5]);
            before += error(&graph.poses, &truth);
            after += error(&solved.poses, &truth);
            for i in 1..truth.len() {
                let off = solved.poses[i].perturbation_to(&truth[i]);
                let information = solved.covariances[i].try_inverse().unwrap();
                chi2 += off.dot(&(information * off)) / (6.0 * 8.0 * (truth.len() - 1) as f64);
            }
        }
        assert!(after < 0.6 * before, "{before} to {after}");
        assert!((0.6..1.6).contains(&chi2), "χ² per degree of freedom {chi2}");
    }

    #[test]
    fn the_sparse_factor_is_that_of_the_dense_twin() {
        let (graph, _) = survey(2);
        let system = System {
            chain: graph.measured(&graph.chain).unwrap(),
            loops: graph.measured(&graph.loops).unwrap(),
            known: vec![(0, graph.poses[0], inverse(&graph.known[0].2).unwrap())],
        };
        let weights = vec![1.0; graph.loops.len()];
        let (factor, _) = system.normal_equations(&graph.poses, &weights, false).unwrap();
        let size = 6 * graph.poses.len();
        let mut dense = DMatrix::zeros(size, size);
        let edges = system.chain.iter().chain(&system.loops);
        for measured in edges {
            let (_, jacobian) = measured.residual(&graph.poses);
            let block = jacobian.transpose() * measured.information * jacobian;
            let place = |i: usize| 6 * [measured.edge.from, measured.edge.to][i / 6] + i % 6;
            for row in 0..12 {
                for column in 0..12 {
                    dense[(place(row), place(column))] += block[(row, column)];
                }
            }
        }
        let mut corner = dense.view_mut((0, 0), (6, 6));
        corner += &system.known[0].2;
        let inverted = dense.try_inverse().unwrap();
        for pose in [0, 7, 39] {
            let expected = inverted.view((6 * pose, 6 * pose), (6, 6));
            let off = (marginal(&factor, pose, 40) - expected).norm() / expected.norm();
            assert!(off < 1e-6, "pose {pose}: {off}");
        }
    }

    #[test]
    fn wrong_loops_are_left_out_wherever_they_are() {
        for seed in 1..7 {
            let (mut graph, truth) = survey(seed);
            let clean = graph.solve().unwrap();
            // One that cannot be, and one that is off by what the chain just allows.
            for (from, to, metres) in [(2, 31, 25.0), (4, 24, 0.6)] {
                let off = Vector6::new(0.0, 0.0, 0.0, metres, 0.0, 0.0);
                graph.loops.push(Edge {
                    from,
                    to,
                    from_body_to: (truth[from].inverse() * truth[to]).perturbed(&off),
                    covariance: diagonal(0.002, 0.02),
                });
            }
            let solved = graph.solve().unwrap();
            assert_eq!(
                solved.believed,
                [true, true, true, true, true, false, false],
                "seed {seed}"
            );
            let moved = error(&solved.poses, &clean.poses);
            assert!(moved < 0.01, "seed {seed}: {moved}");
        }
    }

    #[test]
    fn what_does_not_hang_together_is_refused() {
        let (mut graph, _) = survey(1);
        graph.known.clear();
        graph.loops.clear();
        let mut apart = graph.clone();
        apart.chain.remove(5);
        apart.known.push((0, apart.poses[0], Matrix6::identity()));
        assert_eq!(apart.solve(), None);
        graph.known.push((99, graph.poses[0], Matrix6::identity()));
        assert_eq!(graph.solve(), None);
    }
}
