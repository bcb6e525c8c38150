//! One alignment: Gauss–Newton steps, damped where one makes it worse.

use beluga_types::{Body, Transform};
use nalgebra::{Matrix6, Vector6};

use super::gate::Fit;
use super::{Alignment, Map, Odometry, Prior};
use crate::columns::Columns;
use crate::solve::{Sums, believed_directions, held_directions, inverse};

/// Fewest partners of an alignment.
const MIN_MATCHES: u32 = 20;
/// An alignment has ended when a step moves and turns less than this, in metres and rad.
const CONVERGED: (f64, f64) = (2e-4, 2e-5);
/// Longest step: metres, and rad.
const MAX_STEP: (f64, f64) = (2.0, 0.2);
/// Least part of the scan's information a direction must have to be held by the scan: along a wall,
/// normals that are off by 0.045 rad say as much.
const LEAST_INFORMATION: f64 = 0.002;
/// Parts from which what the scan says of a direction begins to count for what is stated of the pose,
/// and from which it counts whole: below, it is as well the noise of normals.
const BELIEVED: (f64, f64) = (0.002, 0.03);
/// Part of the points with a partner below which the gate is opened wide and all is done again.
const LEAST_SHARE: f64 = 0.5;
/// A step has made it worse if the loss of the points with a partner is so many times the last
/// step's, or, the reach being the same, so small a part of them still has one.
const WORSE: f64 = 1.5;
const LOST: f64 = 0.9;
/// Damping of the first step that is taken back, its growth, and how often that is tried.
const DAMPING: (f64, f64) = (1e-3, 10.0);
const MAX_TAKEN_BACK: u32 = 6;

/// A pose a step begins at.
struct Stage {
    pose: Transform<Map, Body>,
    fit: Fit,
    information: Matrix6<f64>,
    gradient: Vector6<f64>,
    prior: Matrix6<f64>,
    loss: f64,
    matched: u32,
}

impl Stage {
    fn step(&self, damping: f64) -> Option<Vector6<f64>> {
        let mut normal = self.information + self.prior;
        for axis in 0..6 {
            normal[(axis, axis)] *= 1.0 + damping;
        }
        let mut step = -(inverse(&normal)? * self.gradient);
        if !step.iter().all(|value| value.is_finite()) {
            return None;
        }
        shorten(&mut step);
        Some(step)
    }
}

impl Odometry {
    /// Lays points (in `Body`) on the map, beginning at `guess`.
    ///
    /// Nothing if there is no map yet, too few partners, or a step that is not finite: the caller
    /// carries on with what it had.
    pub(crate) fn align(
        &mut self,
        points: &Columns,
        guess: &Transform<Map, Body>,
        prior: &Prior,
    ) -> Option<Alignment> {
        if self.map.is_empty() || points.len() < MIN_MATCHES as usize || !guess.is_finite() {
            return None;
        }
        let widest_m = self.gate.initial_m();
        let sigma_m = self
            .gate
            .sigma_m()
            .max(prior.sigma_m().min(widest_m))
            .min(widest_m);
        let found = self.descend(points, guess, prior, sigma_m);
        let share = found.as_ref().map_or(0.0, |found| found.share);
        if share >= LEAST_SHARE || sigma_m >= widest_m {
            return found;
        }
        let wide = self.descend(points, guess, prior, widest_m);
        match (found, wide) {
            (Some(found), Some(wide)) if wide.share > found.share => Some(wide),
            (None, wide) => wide,
            (found, _) => found,
        }
    }

    fn descend(
        &mut self,
        points: &Columns,
        guess: &Transform<Map, Body>,
        prior: &Prior,
        sigma_m: f64,
    ) -> Option<Alignment> {
        self.matches.begin(points.len());
        let anchor = self.map.anchor(&guess.translation()).voxel;
        let mut pose = *guess;
        let mut fit = Fit::new(sigma_m, self.map.size_m());
        let mut last: Option<Stage> = None;
        let (mut damping, mut taken_back) = (0.0, 0);
        let mut share = 0.0;
        for _ in 0..self.config.max_iterations {
            let before = last.as_ref().map_or(fit, |last| last.fit);
            let sums = self
                .matches
                .linearise(&self.map, points, anchor, &pose, (&fit, &before));
            let enough = sums.matched >= MIN_MATCHES;
            if let Some(last) = &last
                && (!enough || self.is_worse(&sums, prior, &pose, fit.reach_m, last))
            {
                if taken_back == MAX_TAKEN_BACK {
                    pose = last.pose;
                    break;
                }
                taken_back += 1;
                damping = (damping * DAMPING.1).max(DAMPING.0);
                pose = last.pose.perturbed(&last.step(damping)?);
                continue;
            }
            if !enough {
                return None;
            }
            share = f64::from(sums.matched) / points.len() as f64;
            let stage = self.stage(&sums, prior, &pose, fit);
            (damping, taken_back) = (0.0, 0);
            let step = stage.step(damping)?;
            pose = pose.perturbed(&step);
            fit = fit.narrowed(&sums);
            last = Some(stage);
            if step.fixed_rows::<3>(3).norm() < CONVERGED.0 && step.fixed_rows::<3>(0).norm() < CONVERGED.1 {
                break;
            }
        }
        let last = last?;
        let believed = believed_directions(&last.information, BELIEVED);
        pose.is_finite().then_some(Alignment {
            map_from_body: pose,
            information: believed * last.information * believed.transpose(),
            used: last.information,
            held: believed.transpose(),
            share,
        })
    }

    /// The normal equations at a pose.
    fn stage(&self, sums: &Sums, prior: &Prior, pose: &Transform<Map, Body>, fit: Fit) -> Stage {
        // Points that err together say less than their number.
        let together = self.config.residual_correlation;
        let held = held_directions(&sums.information(), LEAST_INFORMATION);
        let information = held * sums.information() * held.transpose() / together;
        let towards_prior = pose.perturbation_to(&prior.mean);
        Stage {
            pose: *pose,
            fit,
            information,
            gradient: held * sums.gradient() / together - prior.information * towards_prior,
            prior: prior.information,
            loss: self.loss(sums.loss, prior, pose),
            matched: sums.matched,
        }
    }

    fn is_worse(
        &self,
        sums: &Sums,
        prior: &Prior,
        pose: &Transform<Map, Body>,
        reach_m: f32,
        last: &Stage,
    ) -> bool {
        let lost = f64::from(sums.matched) < LOST * f64::from(last.matched);
        (lost && reach_m == last.fit.reach_m) || self.loss(sums.loss_before, prior, pose) > WORSE * last.loss
    }

    fn loss(&self, of_points: f64, prior: &Prior, pose: &Transform<Map, Body>) -> f64 {
        let towards_prior = pose.perturbation_to(&prior.mean);
        let of_prior = 0.5 * towards_prior.dot(&(prior.information * towards_prior));
        of_points / self.config.residual_correlation + of_prior
    }
}

fn shorten(step: &mut Vector6<f64>) {
    let turn = step.fixed_rows::<3>(0).norm();
    let moved = step.fixed_rows::<3>(3).norm();
    let factor = (MAX_STEP.0 / moved.max(MAX_STEP.0)).min(MAX_STEP.1 / turn.max(MAX_STEP.1));
    *step *= factor;
}
