//! Where the lidar map lies in `World`, and how well that is known.
//!
//! The scan says where the body is on the map, to millimetres. Navigation says where it is in
//! `World`, to centimetres, with an error that moves slowly. So two things are states of their own,
//! estimated together: the map's place, which drifts a little with every metre travelled, and the slow
//! error of navigation ([`crate::slow`]). Poses are as smooth as the odometry and as true as navigation
//! is over the run; and no more certain than the mean of an error that has hardly changed.
//!
//! With the map's place `m` and the slow error `b` as right perturbations of the body's pose, the body's
//! pose on the map `x`, and noise `w`, a fix is `m + x + b + w` away from the estimate: linear least
//! squares of the three, carried on from fix to fix (Kalman's filter with `x` new each time).

use beluga_types::elementary::{Squared, exp};
use beluga_types::{Body, Stamp, Transform, World};
use nalgebra::{Matrix3, Matrix6, Vector6};

use crate::config::Config;
use crate::nav::NavPose;
use crate::odometry::{Map, Prior};
use crate::slow::ErrorTime;
use crate::solve::inverse;

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
    /// Covariance of the map's place.
    map: Matrix6<f64>,
    /// Covariance of the slow error.
    slow: Matrix6<f64>,
    /// Of the map's place with the slow error.
    cross: Matrix6<f64>,
    /// The slow error.
    error: Vector6<f64>,
    /// Its variance where nothing is known of it, as navigation states it.
    stated: Option<Matrix6<f64>>,
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
            map: Matrix6::zeros(),
            slow: Matrix6::zeros(),
            cross: Matrix6::zeros(),
            error: Vector6::zeros(),
            stated: None,
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
            map: covariance,
            placed: true,
            ..Self::new(config)
        }
    }

    pub(crate) fn world_from_map(&self) -> Transform<World, Map> {
        self.world_from_map
    }

    /// Covariance of the map's place, right perturbation of the body's pose.
    pub(crate) fn covariance(&self) -> Matrix6<f64> {
        self.map
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
        self.map = symmetric(carry * self.map * carry.transpose() + drift);
        let turned = turned(&body_to_from_body_from) * exp(-seconds / self.time.seconds());
        self.error = turned * self.error;
        self.cross = carry * self.cross * turned.transpose();
        self.slow = symmetric(turned * self.slow * turned.transpose());
        if let Some(stated) = self.stated {
            let left = exp(-2.0 * seconds / self.time.seconds());
            self.slow += stated * (1.0 - left);
        }
    }

    /// Makes the map's place less certain by this covariance.
    pub(crate) fn add(&mut self, covariance: &Matrix6<f64>) {
        self.map = symmetric(self.map + covariance);
    }

    /// Ties the map to `World` at the first fix there is: then the map is as wrong as the fix.
    pub(crate) fn tie(&mut self, nav: &NavPose, map_from_body: &Transform<Map, Body>) {
        if self.stated.is_none() {
            let slow = slow_part(nav);
            self.stated = Some(slow);
            self.slow = slow;
            if self.placed {
                return;
            }
            self.world_from_map = nav.world_from_body * map_from_body.inverse();
            self.map = nav.covariance;
            self.cross = -slow;
        }
    }

    /// Takes what navigation states of itself now. A larger variance lets the slow error grow at once: an
    /// outage begins. Where it ends and the variance falls from S to s, the device has learned something:
    /// by Kalman's update `e⁺ = (1 − K) e⁻ − K v` with `s = (1 − K) S`, of the old error only s/S is
    /// left, and the rest of s is new. So what was known of a drift says nothing of the fixes after it.
    pub(crate) fn restate(&mut self, nav: &NavPose) {
        let now = slow_part(nav);
        let before = self.stated.replace(now).unwrap_or(now);
        let shrunk = Vector6::from_fn(|axis, _| (now[(axis, axis)] / before[(axis, axis)]).min(1.0));
        let shrink = Matrix6::from_diagonal(&shrunk);
        self.error.component_mul_assign(&shrunk);
        self.cross *= shrink;
        let more = (now.diagonal() - (shrink * before * shrink).diagonal()).map(|more| more.max(0.0));
        self.slow = symmetric(shrink * self.slow * shrink) + Matrix6::from_diagonal(&more);
    }

    /// A fix with the slow error that is known by now taken off, and what is left of its covariance.
    pub(crate) fn corrected(&self, nav: &NavPose) -> NavPose {
        if self.stated.is_none() {
            return *nav;
        }
        NavPose {
            world_from_body: nav.world_from_body.perturbed(&-self.error),
            covariance: self.slow + Matrix6::from_diagonal(&nav.white),
            white: nav.white,
        }
    }

    /// Covariance of a fix seen from the pose on the map.
    fn spread(&self, nav: &NavPose) -> Matrix6<f64> {
        let both = self.map + self.slow + self.cross + self.cross.transpose();
        let (turn, place) = (LEAST_SPREAD.0.squared(), LEAST_SPREAD.1.squared());
        let least = Vector6::new(turn, turn, turn, place, place, place);
        symmetric(both) + Matrix6::from_diagonal(&(nav.white + least))
    }

    /// What a fix says of the pose on the map; nothing if it cannot be true.
    pub(crate) fn prior(&mut self, nav: &NavPose, near: &Transform<Map, Body>) -> Option<Prior> {
        self.restate(nav);
        let mean = self.world_from_map.inverse() * nav.world_from_body.perturbed(&-self.error);
        let difference = near.perturbation_to(&mean);
        // The pose it is compared with is itself only predicted.
        let expected = nav.covariance * 4.0 + self.map + Matrix6::identity() * 1e-4;
        let distance = difference.dot(&(inverse(&expected)? * difference));
        if distance > OUTLIER {
            self.outliers += 1;
            if self.outliers > MAX_OUTLIERS {
                self.outliers = 0;
                self.map += nav.covariance + difference * difference.transpose();
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
        let on_map = inverse(&(information + prior.information)).unwrap_or(self.map);
        let Some((nav, weight)) = nav.and_then(|nav| Some((nav, inverse(&self.spread(nav))?))) else {
            return symmetric(on_map + self.map);
        };
        let of_map = (self.map + self.cross) * weight;
        let of_slow = (self.slow + self.cross.transpose()) * weight;
        let world_from_body = self.world_from_map * *map_from_body;
        let residual = world_from_body.perturbation_to(&nav.world_from_body.perturbed(&-self.error));
        self.world_from_map = world_from_body.perturbed(&(of_map * residual)) * map_from_body.inverse();
        self.error += of_slow * residual;
        let less = self.spread(nav) - on_map;
        let remaining = self.map - of_map * self.spread(nav) * of_map.transpose();
        self.map = possible(self.map - of_map * less * of_map.transpose());
        self.slow = possible(self.slow - of_slow * less * of_slow.transpose());
        self.cross -= of_map * less * of_slow.transpose();
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

/// The nearest covariance there can be. What is left of a difference of large ones, as behind a fix
/// from far beyond the Earth, may by rounding be less than nothing along an axis.
fn possible(covariance: Matrix6<f64>) -> Matrix6<f64> {
    let covariance = symmetric(covariance);
    if covariance.cholesky().is_some() || !covariance.iter().all(|value| value.is_finite()) {
        return covariance;
    }
    let mut axes = covariance.symmetric_eigen();
    axes.eigenvalues
        .iter_mut()
        .for_each(|value| *value = value.max(0.0));
    symmetric(axes.recompose())
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

/// How what stays as it is in `World` reads after the body has turned.
fn turned(transform: &Transform<Body, Body>) -> Matrix6<f64> {
    let rotation: Matrix3<f64> = transform.rotation_matrix();
    let mut matrix = Matrix6::zeros();
    matrix.fixed_view_mut::<3, 3>(0, 0).copy_from(&rotation);
    matrix.fixed_view_mut::<3, 3>(3, 3).copy_from(&rotation);
    matrix
}

/// How a right perturbation `[θ; ρ]` of `A` reads as one of `A T⁻¹`: `T exp(ξ) T⁻¹ = exp(Ad ξ)`.
fn adjoint(transform: &Transform<Body, Body>) -> Matrix6<f64> {
    let rotation: Matrix3<f64> = transform.rotation_matrix();
    let mut matrix = Matrix6::zeros();
    matrix.fixed_view_mut::<3, 3>(0, 0).copy_from(&rotation);
    matrix.fixed_view_mut::<3, 3>(3, 3).copy_from(&rotation);
    let crossed = transform.translation().cross_matrix() * rotation;
    matrix.fixed_view_mut::<3, 3>(3, 0).copy_from(&crossed);
    matrix
}

fn symmetric(matrix: Matrix6<f64>) -> Matrix6<f64> {
    (matrix + matrix.transpose()) * 0.5
}

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
