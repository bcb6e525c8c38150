//! Poses tied to each other by what was measured between them, solved together.
//!
//! A loop is believed only if it fits what the chain allows (its innovation against the covariance
//! of the two poses without it), and then as far as the others agree: Geman–McClure weights after
//! the fit. What loses more than three quarters of its weight is left out.

use beluga_types::{Body, Transform, World};
use nalgebra::Matrix6;

use super::edge::{Edge, Measured};
use super::system::{System, marginal};
use crate::solve::inverse;

/// Rounds of choosing loops and solving.
const MAX_ROUNDS: usize = 5;

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

#[cfg(test)]
mod tests;
