//! How the body is expected to move where nothing tells: as it did, as far as that was seen.

use beluga_types::elementary::Squared;
use beluga_types::{Body, Stamp, Transform};
use nalgebra::{Matrix6, Vector6};

use crate::odometry::{Map, Prior};
use crate::trajectory::Trajectory;

/// One sigma of a motion nobody measured: rad and metres.
const FIRST_SIGMA: (f64, f64) = (0.05, 0.5);
/// How that grows while nothing is known: rad/s and m/s.
const SIGMA_PER_S: (f64, f64) = (0.05, 0.3);
/// Least sigma of a step from scan to scan: rad and metres.
const LEAST_SIGMA: (f64, f64) = (5e-4, 5e-3);
/// A step is believed to be within so many sigma of what steps were.
const MARGIN: f64 = 3.0;
/// Steps after which their errors are known, and over which they are averaged.
const KNOWN_AFTER: f64 = 10.0;
const MEAN_OVER: f64 = 100.0;
/// Speed of an axis that no scan sees, one sigma: rad/s and m/s. Vessels survey at up to 2 m/s.
const UNSEEN_SPEED: (f64, f64) = (0.05, 1.0);
/// Time after which a guess grows no wider, in seconds.
const LONGEST_S: f64 = 1e3;
/// Localizability from which an axis' error says something.
const SEEN: f64 = 0.9;
/// Localizability from which an axis' motion is carried on.
const CARRIED: f64 = 0.5;

/// Even motion, and how wrong it was so far.
pub(crate) struct MotionModel {
    /// Mean square of turns (rad²) and moves (m²), per axis, and how many.
    turns: Mean,
    moves: Mean,
    /// Which axes of the motion the last scan saw.
    seen: [bool; 6],
    /// For how long each axis has not been seen, in seconds.
    unseen_s: [f64; 6],
}

#[derive(Clone, Copy, Default)]
struct Mean {
    square: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, square: f64) {
        self.count = (self.count + 1.0).min(MEAN_OVER);
        self.square += (square - self.square) / self.count;
    }
}

impl MotionModel {
    pub(crate) fn new() -> Self {
        Self {
            turns: Mean::default(),
            moves: Mean::default(),
            seen: [true; 6],
            unseen_s: [0.0; 6],
        }
    }

    /// The pose at a moment if the body moves on as it did; `known` is when it was last seen.
    ///
    /// Only motion that was seen is carried on: what a scan did not hold stays where it is, since
    /// a velocity made of noise would run away.
    /// `upright` axes are held by the vessel itself.
    pub(crate) fn guess(
        &self,
        trajectory: &Trajectory,
        known: Option<Stamp>,
        at: Stamp,
        upright: [bool; 6],
    ) -> Prior {
        let map_from_body = match trajectory.last() {
            Some((_, pose)) => {
                let even = pose.perturbation_to(&trajectory.at(at));
                let seen = |axis, _, step| if self.seen[axis] { step } else { 0.0 };
                pose.perturbed(&even.map_with_location(seen))
            }
            None => trajectory.at(at),
        };
        let unseen_s = known.map_or(f64::INFINITY, |known| at.seconds_since(known).max(0.0));
        let information = self.of_guess(unseen_s, upright).map(f64::recip);
        Prior {
            mean: map_from_body,
            information: Matrix6::from_diagonal(&information),
        }
    }

    /// Variance per axis of a guess after `unseen_s` seconds.
    ///
    /// Of an axis the last scan did not see no motion is carried on, so a whole speed may be missing from
    /// the guess. What steps along other axes were like says nothing of that: taken for it, a vessel
    /// that moves along a wall is held where it is by how well the lidar knows its way across.
    /// A vessel afloat has no speed to lack in height, roll and pitch: what steps were like holds there.
    fn of_guess(&self, unseen_s: f64, upright: [bool; 6]) -> Vector6<f64> {
        let mut variances = self.variances(unseen_s);
        for axis in (0..6).filter(|&axis| !self.seen[axis] && !upright[axis]) {
            let missing = unseen_speed(axis) * unseen_s.min(LONGEST_S);
            variances[axis] = variances[axis].max(missing * missing);
        }
        variances
    }

    /// The same as [`Self::guess`], without a word on axes the last scan did not see; nothing until
    /// the errors of steps are known.
    pub(crate) fn seen(&self, mut even: Prior) -> Option<Prior> {
        if self.turns.count < KNOWN_AFTER || self.moves.count < KNOWN_AFTER {
            return None;
        }
        for axis in (0..6).filter(|&axis| !self.seen[axis]) {
            even.information[(axis, axis)] = 0.0;
        }
        Some(even)
    }

    /// Variance per axis of a step after `unseen_s` seconds.
    fn variances(&self, unseen_s: f64) -> Vector6<f64> {
        /// Longer than this is not a step from scan to scan, in seconds.
        const STEP_S: f64 = 0.5;
        let one = |mean: &Mean, first: f64, per_s: f64, least: f64| {
            let wide = (first + per_s * unseen_s.min(LONGEST_S)).squared();
            if mean.count < KNOWN_AFTER || unseen_s > STEP_S {
                return wide;
            }
            (MARGIN * MARGIN * mean.square + least * least).min(wide)
        };
        let turn = one(&self.turns, FIRST_SIGMA.0, SIGMA_PER_S.0, LEAST_SIGMA.0);
        let place = one(&self.moves, FIRST_SIGMA.1, SIGMA_PER_S.1, LEAST_SIGMA.1);
        Vector6::new(turn, turn, turn, place, place, place)
    }

    /// Learns from a guess and what a scan made of it.
    pub(crate) fn learn(
        &mut self,
        guess: &Transform<Map, Body>,
        found: &Transform<Map, Body>,
        localizability: &[f64; 6],
    ) {
        self.seen = localizability.map(|held| held > CARRIED);
        let error = guess.perturbation_to(found);
        for axis in 0..6 {
            if localizability[axis] > SEEN && error[axis].is_finite() {
                let mean = if axis < 3 {
                    &mut self.turns
                } else {
                    &mut self.moves
                };
                mean.add(error[axis] * error[axis]);
            }
        }
    }

    /// What a step of `dt_s` seconds adds to the pose's covariance in directions the scan does not hold.
    ///
    /// An axis that is not seen is not carried on, so its error is a velocity: it grows with time and
    /// not with its root. `upright` axes are held by the vessel itself, and only noise comes to them.
    pub(crate) fn unheld(&mut self, held: &Matrix6<f64>, dt_s: f64, upright: [bool; 6]) -> Matrix6<f64> {
        let mut step = self.variances(0.0) / (MARGIN * MARGIN);
        for axis in 0..6 {
            let before = self.unseen_s[axis];
            let now = if self.seen[axis] { 0.0 } else { before + dt_s };
            self.unseen_s[axis] = now;
            if now > 0.0 && !upright[axis] {
                step[axis] += unseen_speed(axis).squared() * (now * now - before * before);
            }
        }
        let open = Matrix6::identity() - held;
        open * Matrix6::from_diagonal(&step) * open.transpose()
    }

    /// One sigma of a pose nobody has seen for so long, as a covariance.
    pub(crate) fn unseen(unseen_s: f64) -> Matrix6<f64> {
        let turn = (SIGMA_PER_S.0 * unseen_s).squared();
        let place = (SIGMA_PER_S.1 * unseen_s).squared();
        Matrix6::from_diagonal(&Vector6::new(turn, turn, turn, place, place, place))
    }
}

fn unseen_speed(axis: usize) -> f64 {
    if axis < 3 { UNSEEN_SPEED.0 } else { UNSEEN_SPEED.1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{UnitQuaternion, Vector3};

    fn at(millis: i64) -> Stamp {
        Stamp::from_nanos(millis * 1_000_000)
    }

    fn moving() -> Trajectory {
        let mut trajectory = Trajectory::default();
        for i in 0..3 {
            let place = Vector3::new(0.1 * f64::from(i), 0.0, 0.02 * f64::from(i));
            trajectory.set(
                at(100 * i64::from(i)),
                Transform::new(UnitQuaternion::identity(), place),
            );
        }
        trajectory
    }

    #[test]
    fn only_motion_that_was_seen_is_carried_on() {
        let mut model = MotionModel::new();
        let still = Transform::identity();
        let guess = model.guess(&moving(), Some(at(200)), at(300), [false; 6]);
        assert!((guess.mean.translation() - Vector3::new(0.3, 0.0, 0.06)).norm() < 1e-9);
        model.learn(&still, &still, &[1.0, 1.0, 1.0, 1.0, 1.0, 0.1]);
        let guess = model.guess(&moving(), Some(at(200)), at(300), [false; 6]);
        assert!((guess.mean.translation() - Vector3::new(0.3, 0.0, 0.04)).norm() < 1e-9);
    }

    /// Ten seconds without a word on one axis: ten metres, one sigma; and none where it is held.
    #[test]
    fn an_axis_nobody_sees_errs_by_a_velocity() {
        let mut model = MotionModel::new();
        let still = Transform::identity();
        model.learn(&still, &still, &[1.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
        let mut held = Matrix6::identity();
        held[(3, 3)] = 0.0;
        held[(5, 5)] = 0.0;
        let upright = [true, true, false, false, false, true];
        let mut grown = Matrix6::zeros();
        for _ in 0..100 {
            grown += model.unheld(&held, 0.1, upright);
        }
        // With the noise of a hundred first steps of half a metre by a margin of three.
        let noise = 100.0 * (0.5f64 / 3.0).squared();
        assert!((grown[(3, 3)] - 100.0 - noise).abs() < 1e-6, "{}", grown[(3, 3)]);
        assert!((grown[(5, 5)] - noise).abs() < 1e-6, "{}", grown[(5, 5)]);
        assert_eq!(grown[(4, 4)], 0.0);
    }

    /// Steps across a wall, known to a millimetre, say nothing of the way along it.
    #[test]
    fn the_guess_of_an_axis_nobody_sees_is_as_wide_as_a_speed() {
        let mut model = MotionModel::new();
        let still = Transform::identity();
        let step = still.perturbed(&Vector6::new(1e-4, 0.0, 0.0, 0.0, 0.001, 0.0));
        for _ in 0..30 {
            model.learn(&still, &step, &[1.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
        }
        let information = model
            .guess(&moving(), Some(at(200)), at(300), [false; 6])
            .information;
        let sigma = |axis: usize| information[(axis, axis)].sqrt().recip();
        assert!((sigma(3) - 0.1).abs() < 1e-9, "a metre a second: {}", sigma(3));
        assert!(sigma(4) < 0.01, "{}", sigma(4));
        // Of an axis that the vessel holds itself, steps say enough.
        let upright = [false, false, false, true, false, false];
        let held = model
            .guess(&moving(), Some(at(200)), at(300), upright)
            .information;
        assert!(held[(3, 3)].sqrt().recip() < 0.01);
    }

    #[test]
    fn a_step_is_as_uncertain_as_steps_were_and_more_after_a_gap() {
        let mut model = MotionModel::new();
        let still = Transform::identity();
        let step = still.perturbed(&Vector6::new(0.001, 0.0, 0.0, 0.0, 0.02, 0.0));
        let before = model
            .guess(&moving(), Some(at(200)), at(300), [false; 6])
            .information;
        for _ in 0..30 {
            model.learn(&still, &step, &[1.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
        }
        let after = model
            .guess(&moving(), Some(at(200)), at(300), [false; 6])
            .information;
        assert!(before[(4, 4)] < 5.0);
        assert!(
            (after[(4, 4)].sqrt().recip() - 0.06).abs() < 0.002,
            "three sigma of 2 cm"
        );
        let late = model
            .guess(&moving(), Some(at(200)), at(2200), [false; 6])
            .information;
        assert!(late[(4, 4)] < before[(4, 4)]);
        assert!(model.guess(&moving(), None, at(300), [false; 6]).information[(3, 3)] > 0.0);
    }
}
