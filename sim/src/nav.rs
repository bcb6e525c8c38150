//! Navigation with the error it states: a slow part (first-order autoregressive) and a white part.

use beluga_types::{Body, PoseFix, Stamp, Transform, World};
use nalgebra::{Matrix6, Vector6};

use crate::random::{Dice, Source};
use crate::scenario::{NavScenario, Scenario};
use crate::vessel::START;

/// All errors of a run, one per sample, made beforehand because each depends on the one before.
#[derive(Clone, Debug)]
pub(crate) struct Nav {
    interval_s: f64,
    errors: Vec<Vector6<f64>>,
    covariance: Matrix6<f64>,
}

impl Nav {
    /// Errors are right perturbations in `Body`: rotation (rad), then translation (m). Each axis'
    /// slow part starts in its stationary state, so the stated covariance holds from the first sample.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let nav = &scenario.nav;
        let interval_s = 1.0 / nav.rate_hz;
        let count = if nav.withheld {
            0
        } else {
            (scenario.duration_s * nav.rate_hz + 1e-9).floor() as u64 + 1
        };
        let [slow, white] = sigmas(nav);
        let keep = (-interval_s / nav.correlation_s).exp();
        let renew = (1.0 - keep * keep).sqrt();
        let draws = |sample: u64, source_part: u64| {
            Vector6::from_fn(|axis, _| {
                Dice::new(scenario.seed, Source::NavError, sample, axis as u64).normal(source_part)
            })
        };
        let mut errors = Vec::with_capacity(count as usize);
        let mut state = Vector6::zeros();
        for sample in 0..count {
            let fresh = draws(sample, 0);
            state = if sample == 0 {
                fresh
            } else {
                state * keep + fresh * renew
            };
            errors.push(state.component_mul(&slow) + draws(sample, 1).component_mul(&white));
        }
        let variances = slow.component_mul(&slow) + white.component_mul(&white);
        Self {
            interval_s,
            errors,
            covariance: Matrix6::from_diagonal(&variances),
        }
    }

    /// How many fixes the run has.
    pub(crate) fn count(&self) -> u64 {
        self.errors.len() as u64
    }

    /// When a fix is taken.
    pub(crate) fn stamp(&self, sample: u64) -> Stamp {
        START.shifted_s(sample as f64 * self.interval_s)
    }

    /// The fix of a sample whose true pose is given.
    pub(crate) fn fix(&self, sample: u64, world_from_body: &Transform<World, Body>) -> PoseFix {
        PoseFix {
            world_from_body: world_from_body.perturbed(&self.errors[sample as usize]),
            covariance: Some(self.covariance),
        }
    }
}

/// One sigma of the slow and the white part.
fn sigmas(nav: &NavScenario) -> [Vector6<f64>; 2] {
    let (roll_pitch, heading) = (nav.roll_pitch_deg.to_radians(), nav.heading_deg.to_radians());
    let (white_rad, white_m) = (nav.white_deg.to_radians(), nav.white_m);
    [
        Vector6::new(
            roll_pitch,
            roll_pitch,
            heading,
            nav.horizontal_m,
            nav.horizontal_m,
            nav.up_m,
        ),
        Vector6::new(white_rad, white_rad, white_rad, white_m, white_m, white_m),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long_run() -> Scenario {
        let mut scenario = Scenario::demo();
        scenario.duration_s = 3_600.0;
        scenario.nav.rate_hz = 10.0;
        scenario
    }

    #[test]
    fn the_stated_covariance_is_the_true_one() {
        let nav = Nav::new(&long_run());
        let n = nav.count() as f64;
        let identity = Transform::<World, Body>::identity();
        for axis in 0..6 {
            let sum: f64 = (0..nav.count())
                .map(|i| identity.perturbation_to(&nav.fix(i, &identity).world_from_body)[axis].powi(2))
                .sum();
            let ratio = sum / n / nav.covariance[(axis, axis)];
            // 3600 s hold about 180 independent errors: the ratio's own sigma is about 0.15.
            assert!((0.6..1.5).contains(&ratio), "axis {axis}: {ratio}");
        }
    }

    #[test]
    fn errors_forget_at_the_stated_rate() {
        let nav = Nav::new(&long_run());
        let axis = 3;
        let lag = 200;
        let values: Vec<f64> = nav.errors.iter().map(|error| error[axis]).collect();
        let variance: f64 = values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64;
        let pairs = values.len() - lag;
        let product: f64 = (0..pairs).map(|i| values[i] * values[i + lag]).sum::<f64>() / pairs as f64;
        // After one correlation time (20 s): exp(-1) times the slow part's 0.8 of the variance.
        assert!((product / variance - 0.29).abs() < 0.2, "{}", product / variance);
    }

    #[test]
    fn withheld_navigation_has_no_fixes() {
        let mut scenario = Scenario::sample();
        assert_eq!(Nav::new(&scenario).count(), 301);
        scenario.nav.withheld = true;
        assert_eq!(Nav::new(&scenario).count(), 0);
    }
}
