//! Navigation with the error it states: a slow part (first-order autoregressive) and a white part,
//! and what grows without satellites. Beside it the raw inertial unit and the satellite receiver.

mod aiding;
mod gnss;
mod growth;
mod imu;
mod walk;

use beluga_types::{Body, PoseFix, Stamp, Transform, World};
use nalgebra::{Matrix6, Vector3, Vector6};

use crate::random::{Dice, Source};
use crate::scenario::{FixKind, NavScenario, Scenario};
use crate::vessel::{START, Vessel};
pub(crate) use gnss::Gnss;
use growth::{Drift, Growth};
pub(crate) use imu::Imu;

/// All errors of a run, one per sample, made beforehand because each depends on the one before.
#[derive(Clone, Debug)]
pub(crate) struct Nav {
    interval_s: f64,
    errors: Vec<Vector6<f64>>,
    covariance: Matrix6<f64>,
    /// What outages add, one per sample; empty without outages.
    growth: Vec<Growth>,
    heading_drift: HeadingDrift,
}

/// A constant rate of the heading's error, in rad/s.
#[derive(Clone, Copy, Debug)]
struct HeadingDrift {
    rate: f64,
    sigma: f64,
}

impl Nav {
    /// Errors are right perturbations in `Body`: rotation (rad), then translation (m). Each axis'
    /// slow part starts in its stationary state, so the stated covariance holds from the first sample.
    pub(crate) fn new(scenario: &Scenario, vessel: &Vessel) -> Self {
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
            growth: growth(scenario, vessel, count),
            heading_drift: HeadingDrift::of(scenario),
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
        let mut error = self.errors[sample as usize];
        let mut covariance = self.covariance;
        if let Some(growth) = self.growth.get(sample as usize) {
            let in_body: Vector3<f64> = world_from_body.rotation().inverse() * growth.offset_m;
            for axis in 0..3 {
                error[3 + axis] += in_body[axis];
                covariance[(3 + axis, 3 + axis)] += growth.variance_m2;
            }
        }
        if self.heading_drift.sigma > 0.0 {
            let t = sample as f64 * self.interval_s;
            error[2] += self.heading_drift.rate * t;
            covariance[(2, 2)] += (self.heading_drift.sigma * t).powi(2);
        }
        PoseFix {
            world_from_body: world_from_body.perturbed(&error),
            covariance: Some(covariance),
        }
    }
}

impl HeadingDrift {
    fn of(scenario: &Scenario) -> Self {
        let sigma = scenario.nav.heading_drift_deg_per_h.to_radians() / 3_600.0;
        Self {
            rate: sigma * Dice::new(scenario.seed, Source::NavHeading, 0, 0).normal(0),
            sigma,
        }
    }
}

/// What outages add to each fix.
fn growth(scenario: &Scenario, vessel: &Vessel, count: u64) -> Vec<Growth> {
    if scenario.nav.outage.is_empty() {
        return Vec::new();
    }
    let mut drift = Drift::default();
    (0..count)
        .map(|sample| {
            let t = sample as f64 / scenario.nav.rate_hz;
            let place = vessel.pose_at(START.shifted_s(t)).translation();
            let kind = aiding::kind_at(&scenario.nav.outage, t, &place);
            drift.step(&scenario.nav, scenario.seed, sample, kind == FixKind::Outage)
        })
        .collect()
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

    fn of(scenario: &Scenario) -> Nav {
        Nav::new(scenario, &Vessel::new(scenario))
    }

    fn long_run() -> Scenario {
        let mut scenario = Scenario::demo();
        scenario.duration_s = 3_600.0;
        scenario.nav.rate_hz = 10.0;
        scenario
    }

    #[test]
    fn the_stated_covariance_is_the_true_one() {
        let nav = of(&long_run());
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
        let nav = of(&long_run());
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
        assert_eq!(of(&scenario).count(), 301);
        scenario.nav.withheld = true;
        assert_eq!(of(&scenario).count(), 0);
    }

    /// Errors of many seeds in the middle of an outage, at its end and after it, against what the
    /// fixes state; and heading at the end of the run.
    #[test]
    fn the_stated_covariance_is_true_in_an_outage_too() {
        let mut scenario = Scenario::demo();
        scenario.duration_s = 60.0;
        scenario.nav.rate_hz = 5.0;
        scenario.nav.heading_drift_deg_per_h = 20.0;
        scenario.nav.outage = vec![crate::scenario::OutageScenario {
            from_s: 10.0,
            to_s: 50.0,
            ..Default::default()
        }];
        let samples = [25u64, 150, 250, 260, 300];
        let mut squares = [[0.0f64; 2]; 5];
        let mut stated = [[0.0f64; 2]; 5];
        let seeds = 300u64;
        let turned = Transform::<World, Body>::new(
            nalgebra::UnitQuaternion::from_scaled_axis(Vector3::new(0.1, -0.2, 2.0)),
            Vector3::zeros(),
        );
        for seed in 0..seeds {
            scenario.seed = seed;
            let nav = of(&scenario);
            for (i, sample) in samples.into_iter().enumerate() {
                let fix = nav.fix(sample, &turned);
                let error = turned.perturbation_to(&fix.world_from_body);
                let covariance = fix.covariance.unwrap();
                squares[i][0] += 0.5 * (error[3].powi(2) + error[4].powi(2)) / seeds as f64;
                squares[i][1] += error[2].powi(2) / seeds as f64;
                stated[i] = [covariance[(3, 3)], covariance[(2, 2)]];
            }
        }
        for ((sample, square), stated) in samples.into_iter().zip(squares).zip(stated) {
            println!(
                "ins at {:.0} s (outage 10..50 s): {:.3} m and {:.3}°, stated {:.3} and {:.3}",
                sample as f64 / 5.0,
                square[0].sqrt(),
                square[1].sqrt().to_degrees(),
                stated[0].sqrt(),
                stated[1].sqrt().to_degrees()
            );
            // 300 seeds: the variance's own sigma is 6 % on two axes, 8 % on one.
            assert!((square[0] / stated[0] - 1.0).abs() < 0.25);
            assert!((square[1] / stated[1] - 1.0).abs() < 0.3);
        }
        assert!(stated[2][0].sqrt() > 0.8, "20 mm/s for 40 s");
    }
}
