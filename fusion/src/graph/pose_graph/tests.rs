//! Graphs whose truth is known.

use super::*;
use crate::table::spread_bits;
use beluga_types::elementary::{cos, sin};
use nalgebra::{DMatrix, UnitQuaternion, Vector3, Vector6};

fn noise(counter: u64) -> f64 {
    let uniform = |k: u64| (spread_bits(counter * 8 + k) >> 11) as f64 / (1u64 << 53) as f64;
    (0..4).map(uniform).sum::<f64>() * 3f64.sqrt() - 2.0 * 3f64.sqrt()
}

fn circle(i: usize, n: usize) -> Transform<World, Body> {
    let angle = i as f64 / n as f64 * std::f64::consts::TAU;
    let place = Vector3::new(30.0 * sin(angle), 30.0 - 30.0 * cos(angle), 0.0);
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
