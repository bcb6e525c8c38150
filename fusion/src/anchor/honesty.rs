//! Whether the stated covariance is the true one: many runs of a vessel whose lidar errs in nothing, and
//! whose navigation errs as it states. Against χ² with six degrees of freedom, as in Y. Bar-Shalom,
//! X. R. Li and T. Kirubarajan, "Estimation with Applications to Tracking and Navigation", Wiley 2001,
//! section 5.4.

use beluga_types::elementary::{Squared, cos, exp, sin};
use beluga_types::{Body, Stamp, Transform, World};
use nalgebra::{Matrix3, Matrix6, UnitQuaternion, Vector3, Vector6};

use super::Anchor;
use crate::config::Config;
use crate::nav::NavPose;
use crate::sonar::synthetic::Noise;

/// The 95 % quantile of χ² with six degrees of freedom.
const CHI_SQUARED_95: f64 = 12.592;
const RUNS: u64 = 200;
const STEP_S: f64 = 0.1;
/// Time constant of the slow error, in seconds.
const CHANGES_S: f64 = 20.0;
/// One sigma of the slow error, per axis in rad and m, and the share of it that is noise from fix to fix.
const SIGMA: [f64; 6] = [1.4e-3, 1.4e-3, 3.5e-3, 0.05, 0.05, 0.05];
const NOISE: f64 = 0.1;
/// Without satellites, from and to in seconds, and how fast positions then drift, in m/s.
const OUTAGE_S: std::ops::Range<f64> = 15.0..25.0;
const DRIFT_M_PER_S: f64 = 0.05;

/// One number per axis.
fn six(noise: &mut Noise) -> Vector6<f64> {
    Vector6::from_fn(|_, _| noise.gaussian())
}

/// A vessel on its way in swell.
fn truth(t: f64) -> Transform<World, Body> {
    let roll = 0.14 * sin(1.4 * t);
    let pitch = 0.07 * sin(1.7 * t + 0.5);
    let heading = 0.09 * sin(0.6 * t);
    Transform::new(
        UnitQuaternion::from_euler_angles(roll, pitch, heading),
        Vector3::new(1.2 * t, 0.6 * sin(0.5 * t), 0.5 * sin(1.4 * t + 1.0)),
    )
}

/// A fix: the truth with a slow error and noise, and in an outage with a drift that it states.
fn fix(t: f64, slow: &Vector6<f64>, noise: &Vector6<f64>, towards: f64) -> NavPose {
    let sigma = Vector6::from(SIGMA);
    let error = sigma.component_mul(&(slow + noise * NOISE));
    let white = sigma.component_mul(&sigma) * NOISE.squared();
    let mut pose = truth(t).perturbed(&error);
    let mut covariance = Matrix6::from_diagonal(&(sigma.component_mul(&sigma) + white));
    if OUTAGE_S.contains(&t) {
        let away = DRIFT_M_PER_S * (t - OUTAGE_S.start);
        let drift = Vector3::new(cos(towards), sin(towards), 0.0) * away;
        pose = Transform::new(pose.rotation(), pose.translation() + drift);
        let turn = pose.rotation_matrix().transpose();
        let level = Matrix3::from_diagonal(&Vector3::new(away * away, away * away, 0.0));
        let mut places = covariance.fixed_view_mut::<3, 3>(3, 3);
        places += turn * level * turn.transpose();
    }
    NavPose {
        world_from_body: pose,
        covariance,
        white,
    }
}

/// Normalised squared errors of a run at some moments.
fn run(seed: u64, moments_s: &[f64]) -> Vec<f64> {
    let mut config = Config::default();
    config.odometry.drift_m_per_sqrt_m = 0.0;
    config.odometry.drift_deg_per_sqrt_m = 0.0;
    let mut anchor = Anchor::new(&config);
    let mut noise = Noise::new(seed << 32);
    let on_map = |t: f64| Transform::new(truth(t).rotation(), truth(t).translation());
    let keep = exp(-STEP_S / CHANGES_S);
    let mut slow = six(&mut noise);
    let towards = std::f64::consts::PI * noise.gaussian();
    let mut found = Vec::new();
    let information = Matrix6::identity() * 1e10;
    for step in 0u32..=400 {
        let t = STEP_S * f64::from(step);
        if step > 0 {
            slow = slow * keep + six(&mut noise) * (1.0 - keep * keep).sqrt();
            anchor.travel(&on_map(t - STEP_S), &on_map(t), STEP_S);
        }
        let nav = fix(t, &slow, &six(&mut noise), towards);
        anchor.tie(&nav, &on_map(t));
        let prior = anchor.prior(&nav, &on_map(t)).unwrap();
        let covariance = anchor.update(Some(&nav), &on_map(t), &information, &prior);
        let stamp = Stamp::from_nanos(i64::from(step) * 100_000_000);
        anchor.learn(stamp, &nav, &on_map(t), &(Matrix6::identity() * 1e-10), &[1.0; 6]);
        if moments_s.iter().any(|moment| (moment - t).abs() < 0.5 * STEP_S) {
            let error = (anchor.world_from_map() * on_map(t)).perturbation_to(&truth(t));
            found.push(error.dot(&(covariance.cholesky().unwrap().inverse() * error)));
        }
    }
    found
}

/// Before, in and after an outage of navigation that states its drift.
#[test]
fn the_stated_95_percent_hold_as_often() {
    let moments_s = [2.0, 14.0, 24.0, 27.0, 40.0];
    let runs: Vec<Vec<f64>> = (1..=RUNS).map(|seed| run(seed, &moments_s)).collect();
    for (place, moment_s) in moments_s.iter().enumerate() {
        let squares: Vec<f64> = runs.iter().map(|run| run[place]).collect();
        let held = squares.iter().filter(|square| **square < CHI_SQUARED_95).count();
        let share = held as f64 / RUNS as f64;
        let ratio = squares.iter().sum::<f64>() / (6.0 * RUNS as f64);
        assert!((0.9..=0.98).contains(&share), "{share} held at {moment_s} s");
        // Of 200 runs the mean's own sigma is 0.041.
        assert!(
            (0.8..=1.2).contains(&ratio),
            "squares {ratio} times as stated at {moment_s} s"
        );
    }
}
