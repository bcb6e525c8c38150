//! Five local maps of a real drive, laid on each other and solved as a graph.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

#[path = "../../tests/shared_data/mod.rs"]
mod shared_data;

use std::path::Path;

use beluga_fusion::graph::{Edge, LocalMap, PoseGraph, lay};
use beluga_types::{Body, Transform, World};
use nalgebra::{Matrix6, Vector6};
use shared_data::shared_data;

fn poses(folder: &Path) -> Vec<Transform<World, Body>> {
    let text = std::fs::read_to_string(folder.join("graph.txt")).unwrap();
    text.lines()
        .map(|line| {
            let numbers: Vec<f64> = line
                .split_whitespace()
                .skip(1)
                .map(|word| word.parse().unwrap())
                .collect();
            let [x, y, z, qx, qy, qz, qw] = numbers[..] else {
                panic!("{line}");
            };
            Transform::from_wxyz([qw, qx, qy, qz], [x, y, z]).unwrap()
        })
        .collect()
}

fn map(folder: &Path, i: usize) -> LocalMap {
    let bytes = std::fs::read(folder.join(format!("{i:06}_points.bin"))).unwrap();
    let points: Vec<[f32; 3]> = bytes
        .chunks_exact(12)
        .map(|point| [0, 4, 8].map(|at| f32::from_le_bytes(point[at..at + 4].try_into().unwrap())))
        .collect();
    LocalMap::of(&points, 0.4)
}

fn diagonal(turn: f64, place: f64) -> Matrix6<f64> {
    let (turn, place) = (turn * turn, place * place);
    Matrix6::from_diagonal(&Vector6::new(turn, turn, turn, place, place, place))
}

#[test]
fn real_submaps_lie_on_each_other_and_a_wrong_loop_is_left_out() {
    let Some(folder) = shared_data("kitti07_submaps", "lidar/kitti07-submaps") else {
        return;
    };
    let given = poses(&folder);
    let maps: Vec<LocalMap> = (0..given.len()).map(|i| map(&folder, i)).collect();
    let mut laid = Vec::new();
    for from in 0..given.len() {
        for to in from + 1..given.len() {
            let between = given[from].inverse() * given[to];
            let guess = between.perturbed(&Vector6::new(0.005, -0.005, 0.02, 0.4, -0.4, 0.2));
            match lay(&maps[to], &maps[from], &guess, 1.5, 0.35) {
                Ok(found) => {
                    let off = between.perturbation_to(&found.on_from_laid);
                    println!(
                        "{from}-{to}: {:.3} m and {:.2}° from the given, overlap {:.2}, likeness {:.2}, σ {:.3} m",
                        off.fixed_rows::<3>(3).norm(),
                        off.fixed_rows::<3>(0).norm().to_degrees(),
                        found.overlap,
                        maps[from].likeness(&maps[to]),
                        found.sigma_m
                    );
                    laid.push(Edge {
                        from,
                        to,
                        from_body_to: found.on_from_laid,
                        covariance: found.covariance,
                    });
                }
                Err(reason) => println!("{from}-{to}: {reason}"),
            }
        }
    }
    let (chain, loops): (Vec<Edge>, Vec<Edge>) = laid.into_iter().partition(|edge| edge.to == edge.from + 1);
    assert_eq!(chain.len(), 4, "each lies on the one before");
    assert!(!loops.is_empty());
    // What was laid directly agrees with what was laid step by step.
    for edge in &loops {
        let steps = chain[edge.from..edge.to].iter();
        let around = steps.fold(Transform::<Body, Body>::identity(), |sum, step| {
            sum * step.from_body_to
        });
        let off = around.perturbation_to(&edge.from_body_to);
        let (turn, place) = (off.fixed_rows::<3>(0).norm(), off.fixed_rows::<3>(3).norm());
        assert!(
            place < 0.15 && turn < 0.01,
            "{}-{}: {place} m, {turn} rad",
            edge.from,
            edge.to
        );
    }
    let mut poses = vec![given[0]];
    for edge in &chain {
        poses.push(poses[edge.from] * edge.from_body_to);
    }
    let mut graph = PoseGraph {
        known: vec![(0, given[0], diagonal(1e-4, 1e-3))],
        poses,
        chain,
        loops,
    };
    let solved = graph.solve().unwrap();
    let right = graph.loops.len();
    for (found, given) in solved.poses.iter().zip(&given) {
        let off = found.perturbation_to(given);
        assert!(
            off.fixed_rows::<3>(3).norm() < 0.3 && off.fixed_rows::<3>(0).norm() < 0.02,
            "{off}"
        );
    }
    graph.loops.push(Edge {
        from: 0,
        to: 4,
        from_body_to: Transform::identity(),
        covariance: diagonal(1e-3, 0.02),
    });
    let with_wrong = graph.solve().unwrap();
    assert!(!with_wrong.believed[right]);
    for (a, b) in solved.poses.iter().zip(&with_wrong.poses) {
        assert!(a.perturbation_to(b).norm() < 1e-6);
    }
    // Another place is not taken for this one.
    let elsewhere =
        Transform::<Body, Body>::new(given[0].rotation(), nalgebra::Vector3::new(40.0, -30.0, 0.0));
    assert!(lay(&maps[4], &maps[0], &elsewhere, 1.5, 0.5).is_err());
}
