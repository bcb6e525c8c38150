//! Where the lidar map lies in `World`, and how well that is known.
//!
//! The scan says where the body is on the map, to millimetres. Navigation says where it is in
//! `World`, to centimetres, with an error that moves slowly. So two things are states of their own,
//! estimated together: the map's place, which drifts a little with every metre travelled, and the slow
//! error of navigation ([`crate::slow`]). Poses are as smooth as the odometry and as true as navigation
//! is over the run; and no more certain than the mean of an error that has hardly changed.
//!
//! With the map's place `m` and the slow error `b` (in two parts, [`joint`]) as right perturbations of the
//! body's pose, the body's pose on the map `x`, and noise `w`, a fix is `m + x + b + w` away from the
//! estimate: linear least squares of them, carried on from fix to fix (Kalman's filter with `x` new each
//! time).

mod joint;

use beluga_types::elementary::{Squared, exp};
use beluga_types::{Body, Stamp, Transform, World};
use nalgebra::{Matrix3, Matrix6, Vector6};

use crate::config::Config;
use crate::nav::NavPose;
use crate::odometry::{Map, Prior};
use crate::slow::ErrorTime;
use crate::solve::inverse;
use joint::{Joint, on_both, possible, symmetric};

/// Squared Mahalanobis distance from which a fix is an outlier (six degrees of freedom).
const OUTLIER: f64 = 100.0;
/// After so many outliers in a row it is the map that is wrong.
const MAX_OUTLIERS: u32 = 30;
/// Drift with time alone, per √s: rad and metres.
const DRIFT_PER_SQRT_S: (f64, f64) = (1e-5, 1e-4);

/// Smallest sigmas of a fix seen from the pose on the map: rad and metres.
const LEAST_SPREAD: (f64, f64) = (1e-5, 1e-4);

pub(crate) struct Anchor {
    drift_rad: f64,
    drift_m: f64,
    world_from_map: Transform<World, Map>,
    /// The map's place and the slow error, as they are known together.
    joint: Joint,
    /// Whether there was a fix.
    tied: bool,
    time: ErrorTime,
    outliers: u32,
    /// Whether the map's place was known before the first fix.
    placed: bool,
    /// Drift with time alone, per √s: rad and metres.
    drift_per_sqrt_s: (f64, f64),
}

impl Anchor {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            drift_rad: config.odometry.drift_deg_per_sqrt_m.to_radians(),
            drift_m: config.odometry.drift_m_per_sqrt_m,
            world_from_map: Transform::identity(),
            joint: Joint::new(&Matrix6::zeros()),
            tied: false,
            time: ErrorTime::new(config.nav.correlation_s),
            outliers: 0,
            placed: false,
            drift_per_sqrt_s: DRIFT_PER_SQRT_S,
        }
    }

    /// Of a map that was made before and lies in `World`, as well as `covariance` says. What is added
    /// beyond it drifts as ever, and nothing tells here where that begins: its place grows uncertain
    /// with the way from the first pose on.
    pub(crate) fn on_saved_map(config: &Config, covariance: Matrix6<f64>) -> Self {
        Self {
            joint: Joint::new(&covariance),
            placed: true,
            ..Self::new(config)
        }
    }

    pub(crate) fn world_from_map(&self) -> Transform<World, Map> {
        self.world_from_map
    }

    /// Covariance of the map's place, right perturbation of the body's pose.
    pub(crate) fn covariance(&self) -> Matrix6<f64> {
        self.joint.map()
    }

    /// How long navigation errs the same way, in seconds.
    pub(crate) fn correlation_s(&self) -> f64 {
        self.time.seconds()
    }

    /// How many times farther navigation and lidar move apart than navigation states; nothing until
    /// that is known.
    pub(crate) fn tension(&self) -> Option<f64> {
        self.time.tension()
    }

    /// The body moved from one pose on the map to the next in `dt_s`: the map's place drifts, and the
    /// slow error of navigation changes. That stays as it is in `World` while the body turns.
    pub(crate) fn travel(&mut self, from: &Transform<Map, Body>, to: &Transform<Map, Body>, dt_s: f64) {
        let body_to_from_body_from: Transform<Body, Body> = to.inverse() * *from;
        let carry = adjoint(&body_to_from_body_from);
        let metres = (to.translation() - from.translation()).norm();
        let seconds = dt_s.max(0.0);
        let turn = self.drift_rad.squared() * metres + self.drift_per_sqrt_s.0.squared() * seconds;
        let place = self.drift_m.squared() * metres + self.drift_per_sqrt_s.1.squared() * seconds;
        let drift = Matrix6::from_diagonal(&Vector6::new(turn, turn, turn, place, place, place));
        let keep = exp(-seconds / self.time.seconds());
        let turn = body_to_from_body_from.rotation_matrix();
        self.joint.travel(&carry, &on_both(&turn), keep, &drift);
    }

    /// Makes the map's place less certain by this covariance.
    pub(crate) fn add(&mut self, covariance: &Matrix6<f64>) {
        self.joint.add(covariance);
    }

    /// Ties the map to `World` at the first fix there is: then the map is as wrong as the fix.
    pub(crate) fn tie(&mut self, nav: &NavPose, map_from_body: &Transform<Map, Body>) {
        if self.tied {
            return;
        }
        self.tied = true;
        self.joint
            .tie(&slow_part(nav), (!self.placed).then_some(&nav.covariance));
        if !self.placed {
            self.world_from_map = nav.world_from_body * map_from_body.inverse();
        }
    }

    /// Takes what navigation states of itself now: an outage begins, or ends.
    pub(crate) fn restate(&mut self, nav: &NavPose) {
        self.joint
            .restate(&slow_part(nav), &nav.world_from_body.rotation_matrix());
    }

    /// A fix with the slow error that is known by now taken off, and what is left of its covariance.
    pub(crate) fn corrected(&self, nav: &NavPose) -> NavPose {
        if !self.tied {
            return *nav;
        }
        NavPose {
            world_from_body: nav.world_from_body.perturbed(&-self.joint.error()),
            covariance: self.joint.slow() + Matrix6::from_diagonal(&nav.white),
            white: nav.white,
        }
    }

    /// Covariance of a fix seen from the pose on the map.
    fn spread(&self, nav: &NavPose) -> Matrix6<f64> {
        let (turn, place) = (LEAST_SPREAD.0.squared(), LEAST_SPREAD.1.squared());
        let least = Vector6::new(turn, turn, turn, place, place, place);
        self.joint.fix() + Matrix6::from_diagonal(&(nav.white + least))
    }

    /// What a fix says of the pose on the map; nothing if it cannot be true.
    pub(crate) fn prior(&mut self, nav: &NavPose, near: &Transform<Map, Body>) -> Option<Prior> {
        self.restate(nav);
        let mean = self.world_from_map.inverse() * nav.world_from_body.perturbed(&-self.joint.error());
        let difference = near.perturbation_to(&mean);
        // The pose it is compared with is itself only predicted.
        let expected = nav.covariance * 4.0 + self.joint.map() + Matrix6::identity() * 1e-4;
        let distance = difference.dot(&(inverse(&expected)? * difference));
        if distance > OUTLIER {
            self.outliers += 1;
            if self.outliers > MAX_OUTLIERS {
                self.outliers = 0;
                self.joint
                    .add(&(nav.covariance + difference * difference.transpose()));
            }
            return None;
        }
        self.outliers = 0;
        Some(Prior {
            mean,
            information: inverse(&self.spread(nav))?,
        })
    }

    /// The joint estimate of the pose on the map, of the map's place and of the slow error, after the
    /// scan was laid on the map with [`Self::prior`]: moves the map, and gives the pose's covariance
    /// in `World`.
    ///
    /// With `S` the covariance of [`Self::prior`], the gains `G = cov(m, m + b) S⁻¹` and `H = cov(b, m +
    /// b) S⁻¹`, and the pose's covariance on the map `C = (Λ + S⁻¹)⁻¹`, the map moves by `G r`, its
    /// covariance becomes `P − G S Gᵀ + G C Gᵀ`, and the pose in `World` has `(I − G) C (I − G)ᵀ + P − G S
    /// Gᵀ`: the conditional of the joint least squares.
    pub(crate) fn update(
        &mut self,
        nav: Option<&NavPose>,
        map_from_body: &Transform<Map, Body>,
        information: &Matrix6<f64>,
        prior: &Prior,
    ) -> Matrix6<f64> {
        let map = self.joint.map();
        let on_map = inverse(&(information + prior.information)).unwrap_or(map);
        let Some((nav, weight)) = nav.and_then(|nav| Some((nav, inverse(&self.spread(nav))?))) else {
            return symmetric(on_map + map);
        };
        let spread = self.spread(nav);
        let gain = self.joint.gain(&weight);
        let of_map = gain.fixed_rows::<6>(0).into_owned();
        let world_from_body = self.world_from_map * *map_from_body;
        let fix = nav.world_from_body.perturbed(&-self.joint.error());
        let residual = world_from_body.perturbation_to(&fix);
        self.world_from_map = world_from_body.perturbed(&(of_map * residual)) * map_from_body.inverse();
        self.joint.take(&gain, &residual, &(spread - on_map));
        let remaining = map - of_map * spread * of_map.transpose();
        let keep = Matrix6::identity() - of_map;
        possible(keep * on_map * keep.transpose() + remaining)
    }

    /// Learns how long navigation errs the same way, from a pose on the map that a scan held.
    pub(crate) fn learn(
        &mut self,
        stamp: Stamp,
        nav: &NavPose,
        map_from_body: &Transform<Map, Body>,
        on_map: &Matrix6<f64>,
        localizability: &[f64; 6],
    ) {
        self.time.look(stamp, nav, map_from_body, on_map, localizability);
    }
}

/// What a fix shares with its neighbours.
fn slow_part(nav: &NavPose) -> Matrix6<f64> {
    /// Least part of the variance that is shared: a device without any slow error has not been built.
    const LEAST: f64 = 0.1;
    let mut slow = nav.covariance;
    for axis in 0..6 {
        let whole = slow[(axis, axis)];
        slow[(axis, axis)] = (whole - nav.white[axis]).max(LEAST * whole);
    }
    match slow.cholesky() {
        Some(_) => slow,
        None => Matrix6::from_diagonal(&slow.diagonal()),
    }
}

/// How a right perturbation `[θ; ρ]` of `A` reads as one of `A T⁻¹`: `T exp(ξ) T⁻¹ = exp(Ad ξ)`.
fn adjoint(transform: &Transform<Body, Body>) -> Matrix6<f64> {
    let rotation: Matrix3<f64> = transform.rotation_matrix();
    let mut matrix = on_both(&rotation);
    let crossed = transform.translation().cross_matrix() * rotation;
    matrix.fixed_view_mut::<3, 3>(3, 0).copy_from(&crossed);
    matrix
}

#[cfg(test)]
mod honesty;

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::elementary::sin;
    use nalgebra::{UnitQuaternion, Vector3};

    fn pose(turn: [f64; 3], place: [f64; 3]) -> Transform<Body, Body> {
        Transform::new(
            UnitQuaternion::from_scaled_axis(Vector3::from(turn)),
            Vector3::from(place),
        )
    }

    #[test]
    fn the_adjoint_moves_a_perturbation_through_a_transform() {
        let t = pose([0.3, -0.2, 0.9], [1.0, 2.0, -3.0]);
        let step = Vector6::new(1e-6, -2e-6, 3e-6, 2e-6, 1e-6, -1e-6);
        let moved = t * Transform::identity().perturbed(&step) * t.inverse();
        let expected = Transform::<Body, Body>::identity().perturbation_to(&moved);
        assert!((adjoint(&t) * step - expected).norm() < 1e-10);
    }

    /// Many fixes with white noise: the map's place comes closer than one fix is.
    #[test]
    fn the_mean_of_many_fixes_beats_one() {
        let sigma = Vector6::new(1e-3, 1e-3, 1e-3, 0.02, 0.02, 0.02);
        let covariance = Matrix6::from_diagonal(&sigma.component_mul(&sigma));
        let mut anchor = Anchor::new(&Config::default());
        let still = Transform::<Map, Body>::identity();
        let information = Matrix6::identity() * 1e8;
        let mut last = Matrix6::zeros();
        for i in 0..400u32 {
            let noise = sigma.map_with_location(|row, _, s| s * sin(f64::from(i) * 2.399 + row as f64) * 1.4);
            let nav = NavPose {
                world_from_body: Transform::identity().perturbed(&noise),
                covariance,
                white: covariance.diagonal() * 0.9,
            };
            anchor.tie(&nav, &still);
            anchor.travel(&still, &still, 0.1);
            let prior = anchor.prior(&nav, &still).unwrap();
            last = anchor.update(Some(&nav), &still, &information, &prior);
        }
        let error = Transform::identity().perturbation_to(&(anchor.world_from_map() * still));
        assert!(error.fixed_rows::<3>(3).norm() < 0.005, "{error}");
        assert!(last[(3, 3)].sqrt() < 0.01 && last.cholesky().is_some());
    }

    /// Half a metre of drift in an outage, which navigation states and the lidar sees; then satellites are
    /// back and the fixes are off by what they state. The pose follows neither.
    #[test]
    fn what_was_known_of_a_drift_says_nothing_of_the_fixes_after_it() {
        let mut anchor = Anchor::new(&Config::default());
        let still = Transform::<Map, Body>::identity();
        let information = Matrix6::identity() * 1e8;
        let fix = |off_m: f64, sigma_m: f64| NavPose {
            world_from_body: Transform::new(UnitQuaternion::identity(), Vector3::new(off_m, 0.0, 0.0)),
            covariance: Matrix6::identity() * sigma_m * sigma_m,
            white: Vector6::repeat(1e-6),
        };
        let drift = (0..50).map(|i| fix(0.01 * f64::from(i), 0.5));
        let back = (0..50).map(|_| fix(-0.04, 0.05));
        anchor.tie(&fix(0.0, 0.05), &still);
        let mut last = Matrix6::zeros();
        for nav in (0..50).map(|_| fix(0.0, 0.05)).chain(drift).chain(back) {
            anchor.travel(&still, &still, 0.1);
            let prior = anchor.prior(&nav, &still).unwrap();
            last = anchor.update(Some(&nav), &still, &information, &prior);
        }
        let off_m = anchor.world_from_map().translation().x.abs();
        let sigma_m = last[(3, 3)].sqrt();
        assert!(
            off_m < 0.05 && off_m < 2.0 * sigma_m,
            "{off_m} m, stated {sigma_m}"
        );
        assert!(sigma_m > 0.02, "{sigma_m}");
    }

    #[test]
    fn a_fix_far_away_is_not_believed_but_many_are() {
        let mut anchor = Anchor::new(&Config::default());
        let still = Transform::<Map, Body>::identity();
        let nav = |x: f64| NavPose {
            world_from_body: Transform::new(UnitQuaternion::identity(), Vector3::new(x, 0.0, 0.0)),
            covariance: Matrix6::identity() * 1e-4,
            white: Vector6::zeros(),
        };
        anchor.tie(&nav(0.0), &still);
        assert!(anchor.prior(&nav(0.02), &still).is_some());
        assert!(anchor.prior(&nav(5.0), &still).is_none());
        assert!((0..40).any(|_| anchor.prior(&nav(5.0), &still).is_some()));
    }
}
