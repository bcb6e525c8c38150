//! Navigation fixes, and the pose between them.

use std::collections::VecDeque;

use beluga_types::elementary::Squared;
use beluga_types::{Body, PoseFix, Stamp, Transform, World};
use nalgebra::{Matrix6, Vector6};

use crate::config::NavConfig;

/// Data time kept, in seconds.
const KEPT_S: f64 = 20.0;
/// Fixes kept at most.
const MAX_FIXES: usize = 20_000;
/// Fixes within this of a moment tell its pose together, in nanoseconds: short against swell.
const SMOOTH_NANOS: i64 = 60_000_000;
/// A frame waits for fixes up to so long after its end, in nanoseconds, so that its end lies between fixes. The rest of
/// those above would make its pose no better (RMSE within 1 %, as many poses within their 95 %, in storms and on quiet
/// water), and the frame later.
pub(crate) const AHEAD_NANOS: i64 = 20_000_000;
/// Fixes after which the noise between them is known.
const KNOWN_AFTER: f64 = 10.0;
/// Neighbours of a fix farther apart than this also show the motion, in seconds.
const OFTEN_S: f64 = 0.25;
/// Smallest sigmas believed of any navigation: rad and metres.
const MIN_SIGMA: (f64, f64) = (1e-4, 1e-3);

/// A fix that knows less than this knows nothing: rad and metres.
const MAX_SIGMA: (f64, f64) = (10.0, 1e5);

/// A pose with its covariance: rotation (rad), translation (m), right perturbation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NavPose {
    pub(crate) world_from_body: Transform<World, Body>,
    pub(crate) covariance: Matrix6<f64>,
    /// How much of its variance is noise of its own, per axis; the rest is shared with its neighbours.
    pub(crate) white: Vector6<f64>,
}

/// The last fixes, by stamp.
pub(crate) struct NavBuffer {
    config: NavConfig,
    fixes: VecDeque<(Stamp, NavPose)>,
    /// Squares of the noise from fix to fix, per axis, as a running mean; and how many they are.
    noise: (Vector6<f64>, f64),
}

impl NavBuffer {
    pub(crate) fn new(config: &NavConfig) -> Self {
        Self {
            config: config.clone(),
            fixes: VecDeque::new(),
            noise: (Vector6::zeros(), 0.0),
        }
    }

    /// Takes a fix. One that is not finite or knows nothing is left out, and the answer is false.
    pub(crate) fn push(&mut self, stamp: Stamp, fix: &PoseFix) -> bool {
        let covariance = fix.covariance.unwrap_or_else(|| self.stated());
        if !(fix.world_from_body.is_finite() && covariance.iter().all(|value| value.is_finite())) {
            return false;
        }
        let pose = NavPose {
            world_from_body: fix.world_from_body,
            covariance: (covariance + covariance.transpose()) * 0.5 + floor(),
            white: Vector6::zeros(),
        };
        let knows = |axis: usize| {
            pose.covariance[(axis, axis)] <= if axis < 3 { MAX_SIGMA.0 } else { MAX_SIGMA.1 }.squared()
        };
        if pose.covariance.cholesky().is_none() || !(0..6).all(knows) {
            return false;
        }
        let place = self.fixes.partition_point(|(other, _)| *other <= stamp);
        self.fixes.insert(place, (stamp, pose));
        self.learn_noise();
        while self.fixes.len() > MAX_FIXES
            || self
                .fixes
                .front()
                .is_some_and(|(oldest, _)| stamp.seconds_since(*oldest) > KEPT_S)
        {
            self.fixes.pop_front();
        }
        true
    }

    /// How far the last fix but one lies from the line between its neighbours: 3/2 of the variance
    /// of noise from fix to fix, and hardly anything else where fixes come often.
    fn learn_noise(&mut self) {
        /// Fixes the running mean reaches back.
        const MEAN_OVER: f64 = 200.0;
        let last = self.fixes.len();
        if last < 3 {
            return;
        }
        let [(t0, from), (t1, middle), (t2, to)] = [3, 2, 1].map(|back| self.fixes[last - back]);
        let span_s = t2.seconds_since(t0);
        if !(span_s > 0.0 && span_s <= OFTEN_S) {
            return;
        }
        let fraction = t1.seconds_since(t0) / span_s;
        let line = from.world_from_body.interpolated(&to.world_from_body, fraction);
        let off = line.perturbation_to(&middle.world_from_body);
        let share = 1.0 + fraction.squared() + (1.0 - fraction).squared();
        self.noise.1 = (self.noise.1 + 1.0).min(MEAN_OVER);
        let difference = off.component_mul(&off) / share - self.noise.0;
        self.noise.0 += difference / self.noise.1;
    }

    /// Variance of the noise from fix to fix, per axis: as it was learned, at most what the fix states.
    ///
    /// Of fixes that come often nothing is taken for noise until it is known: what one of the first had of
    /// it would else be held against the next, which errs alike.
    fn white(&self, stated: &Matrix6<f64>) -> Vector6<f64> {
        /// Part of the stated variance that is taken for noise where fixes come too seldom to tell.
        const UNKNOWN: f64 = 0.25;
        let whole = stated.diagonal();
        match self.noise.1 < KNOWN_AFTER {
            true if self.often() => Vector6::zeros(),
            true => whole * UNKNOWN,
            false => whole.zip_map(&self.noise.0, f64::min),
        }
    }

    /// Whether the last fixes came often enough to tell their noise.
    fn often(&self) -> bool {
        let mut last = self.fixes.iter().rev().map(|(stamp, _)| *stamp);
        let span = last.next().zip(last.next());
        span.is_some_and(|(last, before)| 2.0 * last.seconds_since(before) <= OFTEN_S)
    }

    /// The motion of the body from one moment to another as the fixes tell it, and its covariance:
    /// the noise from fix to fix, which is learned, and the change of the slow error meanwhile.
    /// `correlation_s` is how long that errs the same way.
    pub(crate) fn moved(
        &self,
        from: Stamp,
        to: Stamp,
        correlation_s: f64,
    ) -> Option<(Transform<Body, Body>, Matrix6<f64>)> {
        let (first, last) = (self.smooth(from)?, self.smooth(to)?);
        let slow = (2.0 * to.seconds_since(from).abs() / correlation_s.max(1e-3)).min(2.0);
        let (before, stated) = (self.at(from)?.covariance, self.at(to)?.covariance);
        // Where an outage begins or ends, the error that comes or goes is no motion of the body.
        let passed = Matrix6::from_diagonal(&(stated - before).diagonal().abs());
        let covariance = if self.noise.1 < KNOWN_AFTER {
            stated * 2.0
        } else {
            Matrix6::from_diagonal(&(self.noise.0 * (first.1 + last.1))) + stated * slow
        };
        Some((first.0.inverse() * last.0, covariance + passed + floor()))
    }

    /// The pose at a moment by a straight line through the fixes around it, and by what the
    /// variance of one fix is to be multiplied for it.
    fn smooth(&self, stamp: Stamp) -> Option<(Transform<World, Body>, f64)> {
        let base = self.at(stamp)?.world_from_body;
        let (mut n, mut t1, mut t2) = (0.0, 0.0, 0.0);
        let (mut p0, mut p1) = (Vector6::zeros(), Vector6::zeros());
        let early = stamp.shifted_nanos(-SMOOTH_NANOS);
        let first = self.fixes.partition_point(|(other, _)| *other < early);
        for (other, fix) in self.fixes.range(first..) {
            if other.nanos_since(stamp) > SMOOTH_NANOS {
                break;
            }
            let t = other.seconds_since(stamp);
            let off = base.perturbation_to(&fix.world_from_body);
            n += 1.0;
            t1 += t;
            t2 += t * t;
            p0 += off;
            p1 += off * t;
        }
        let spread = n * t2 - t1 * t1;
        if n < 3.0 || spread <= 0.0 {
            return Some((base, 1.0));
        }
        let offset = (p0 * t2 - p1 * t1) / spread;
        Some((base.perturbed(&offset), (t2 / spread).min(1.0)))
    }

    fn stated(&self) -> Matrix6<f64> {
        let turn = self.config.sigma_deg.to_radians().squared();
        let place = self.config.sigma_m.squared();
        Matrix6::from_diagonal(&Vector6::new(turn, turn, turn, place, place, place))
    }

    pub(crate) fn last(&self) -> Option<Stamp> {
        self.fixes.back().map(|(stamp, _)| *stamp)
    }

    /// Stamps of the fixes after `from`, up to and including `to`.
    pub(crate) fn stamps(&self, from: Stamp, to: Stamp) -> impl Iterator<Item = Stamp> + '_ {
        let first = self.fixes.partition_point(|(stamp, _)| *stamp <= from);
        self.fixes
            .range(first..)
            .map(|(stamp, _)| *stamp)
            .take_while(move |stamp| *stamp <= to)
    }

    /// The pose at a moment: between two fixes that are close enough, or at most 20 ms from one.
    pub(crate) fn at(&self, stamp: Stamp) -> Option<NavPose> {
        /// Farthest moment a single fix speaks for, in nanoseconds.
        const NEAR_NANOS: i64 = 20_000_000;
        let after = self.fixes.partition_point(|(other, _)| *other < stamp);
        let later = self.fixes.get(after);
        let earlier = after.checked_sub(1).and_then(|before| self.fixes.get(before));
        if let (Some((t0, from)), Some((t1, to))) = (earlier, later) {
            let gap = t1.nanos_since(*t0);
            if gap <= i64::from(self.config.max_gap_millis) * 1_000_000 {
                let fraction = stamp.nanos_since(*t0) as f64 / gap as f64;
                return Some(NavPose {
                    world_from_body: from.world_from_body.interpolated(&to.world_from_body, fraction),
                    // Not smaller than either: the errors of neighbours are alike.
                    covariance: from.covariance * (1.0 - fraction) + to.covariance * fraction,
                    white: self.white(&from.covariance),
                });
            }
        }
        [earlier, later]
            .into_iter()
            .flatten()
            .map(|(other, pose)| (other.nanos_since(stamp).saturating_abs(), pose))
            .filter(|(distance, _)| *distance <= NEAR_NANOS)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, pose)| NavPose {
                white: self.white(&pose.covariance),
                ..*pose
            })
    }

    /// What all fixes of a window say of the pose at its end, given how the body moved in it.
    ///
    /// Their mean, so that noise from fix to fix goes down; the rest of the covariance is that of one
    /// of them, since what an INS gets wrong it gets wrong for longer than a window.
    pub(crate) fn at_end(
        &self,
        start: Stamp,
        end: Stamp,
        body_then_from_body_end: impl Fn(Stamp) -> Transform<Body, Body>,
    ) -> Option<NavPose> {
        let at_end = self.at(end)?;
        let mut sum = Vector6::zeros();
        let mut count = 0u32;
        for (stamp, fix) in self
            .fixes
            .iter()
            .filter(|(stamp, _)| *stamp > start && *stamp <= end)
            .filter(|(_, fix)| {
                let at = |axis| (fix.covariance[(axis, axis)], at_end.covariance[(axis, axis)]);
                (0..6).map(at).all(|(one, other)| is_alike(one, other))
            })
        {
            let carried = fix.world_from_body * body_then_from_body_end(*stamp);
            sum += at_end.world_from_body.perturbation_to(&carried);
            count += 1;
        }
        if count == 0 {
            return Some(at_end);
        }
        let white = at_end.white / f64::from(count);
        Some(NavPose {
            world_from_body: at_end.world_from_body.perturbed(&(sum / f64::from(count))),
            covariance: at_end.covariance - Matrix6::from_diagonal(&(at_end.white - white)),
            white,
        })
    }
}

/// Whether two variances that navigation states may be of one process: no outage begins or ends between them.
pub(crate) fn is_alike(one: f64, other: f64) -> bool {
    /// Times by which they may differ.
    const ALIKE: f64 = 1.5;
    one <= ALIKE * other && other <= ALIKE * one
}

fn floor() -> Matrix6<f64> {
    let (turn, place) = (MIN_SIGMA.0.squared(), MIN_SIGMA.1.squared());
    Matrix6::from_diagonal(&Vector6::new(turn, turn, turn, place, place, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::Vector3;

    fn fix(x: f64) -> PoseFix {
        PoseFix {
            world_from_body: Transform::new(nalgebra::UnitQuaternion::identity(), Vector3::new(x, 0.0, 0.0)),
            covariance: None,
        }
    }

    fn at(millis: i64) -> Stamp {
        Stamp::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn between_two_fixes_is_between_them_and_beyond_is_nothing() {
        let mut nav = NavBuffer::new(&NavConfig::default());
        assert!(nav.push(at(100), &fix(1.0)));
        assert!(nav.push(at(0), &fix(0.0)), "late, and put in its place");
        assert!(nav.push(at(2000), &fix(9.0)));
        let middle = nav.at(at(25)).unwrap();
        assert!((middle.world_from_body.translation().x - 0.25).abs() < 1e-12);
        assert!((middle.covariance[(5, 5)].sqrt() - 0.05).abs() < 1e-3);
        assert!(nav.at(at(1000)).is_none(), "the gap is too long to interpolate");
        assert!(nav.at(at(2015)).is_some() && nav.at(at(2030)).is_none());
    }

    #[test]
    fn until_noise_is_known_fixes_that_come_often_have_none() {
        for (every_millis, part) in [(20, 0.0), (1000, 0.25)] {
            let mut nav = NavBuffer::new(&NavConfig::default());
            for i in 0..4 {
                assert!(nav.push(at(every_millis * i), &fix(0.0)));
            }
            let found = nav.at(at(every_millis * 3)).unwrap();
            let wanted = found.covariance.diagonal() * part;
            assert!((found.white - wanted).norm() < 1e-12, "{every_millis} ms");
        }
    }

    /// A body at rest. Two seconds on satellites are back: fixes leap by 0.4 m, of which 0.3 were stated before and
    /// 0.03 are after.
    #[test]
    fn a_leap_at_an_outages_end_is_no_motion_and_is_not_averaged_in() {
        let mut nav = NavBuffer::new(&NavConfig::default());
        for millis in (0..4000).step_by(20) {
            let (x, sigma_m) = if millis < 2000 { (0.4, 0.3) } else { (0.0, 0.03) };
            let place: f64 = sigma_m * sigma_m;
            let covariance = Vector6::new(1e-6, 1e-6, 1e-6, place, place, place);
            let fix = PoseFix {
                covariance: Some(Matrix6::from_diagonal(&covariance)),
                ..fix(x)
            };
            assert!(nav.push(at(millis), &fix));
        }
        let across = |from, to| {
            let (moved, covariance) = nav.moved(at(from), at(to), 60.0).unwrap();
            (moved.translation().x, covariance[(3, 3)].sqrt())
        };
        let (leap_m, sigma_m) = across(1900, 2100);
        assert!((leap_m + 0.4).abs() < 1e-6, "{leap_m}");
        assert!((0.25..0.35).contains(&sigma_m), "{sigma_m}");
        assert!(across(3000, 3200).1 < 0.05, "as ever, once that has passed");
        let end = nav.at_end(at(1950), at(2050), |_| Transform::identity()).unwrap();
        assert!(end.world_from_body.translation().x.abs() < 1e-9);
    }

    #[test]
    fn numbers_that_are_not_finite_stay_out() {
        let mut nav = NavBuffer::new(&NavConfig::default());
        assert!(!nav.push(at(0), &fix(f64::NAN)));
        let mut wrong = fix(0.0);
        wrong.covariance = Some(-Matrix6::identity());
        assert!(!nav.push(at(0), &wrong), "a covariance must be positive");
        assert_eq!(nav.last(), None);
    }
}
