//! Where the lidar map lies in `World`, and how well that is known.
//!
//! The scan says where the body is on the map, to millimetres. Navigation says where it is in
//! `World`, to centimetres, with an error that moves slowly. So the map's place is a state of its
//! own: it drifts a little with every metre travelled, and every fix pulls it a little. Poses are
//! as smooth as the odometry and as true as the mean of the navigation.

use beluga_types::{Body, Transform, World};
use nalgebra::{Matrix3, Matrix6, Vector6};

use crate::config::OdometryConfig;
use crate::nav::NavPose;
use crate::odometry::{Map, Prior};
use crate::solve::inverse;

/// Squared Mahalanobis distance from which a fix is an outlier (six degrees of freedom).
const OUTLIER: f64 = 100.0;
/// After so many outliers in a row it is the map that is wrong.
const MAX_OUTLIERS: u32 = 30;
/// Drift with time alone, per √s: rad and metres.
const DRIFT_PER_SQRT_S: (f64, f64) = (1e-5, 1e-4);

pub(crate) struct Anchor {
    drift_rad: f64,
    drift_m: f64,
    world_from_map: Transform<World, Map>,
    /// Of the map's place, as a right perturbation of the body's pose.
    covariance: Matrix6<f64>,
    tied_to_nav: bool,
    outliers: u32,
}

impl Anchor {
    pub(crate) fn new(config: &OdometryConfig) -> Self {
        Self {
            drift_rad: config.drift_deg_per_sqrt_m.to_radians(),
            drift_m: config.drift_m_per_sqrt_m,
            world_from_map: Transform::identity(),
            covariance: Matrix6::zeros(),
            tied_to_nav: false,
            outliers: 0,
        }
    }

    pub(crate) fn world_from_map(&self) -> Transform<World, Map> {
        self.world_from_map
    }

    /// Covariance of the map's place, right perturbation of the body's pose.
    pub(crate) fn covariance(&self) -> Matrix6<f64> {
        self.covariance
    }

    /// The body moved from one pose on the map to the next in `dt_s`: the map's place drifts.
    pub(crate) fn travel(&mut self, from: &Transform<Map, Body>, to: &Transform<Map, Body>, dt_s: f64) {
        let body_to_from_body_from: Transform<Body, Body> = to.inverse() * *from;
        let carry = adjoint(&body_to_from_body_from);
        let metres = (to.translation() - from.translation()).norm();
        let seconds = dt_s.max(0.0);
        let turn = self.drift_rad.powi(2) * metres + DRIFT_PER_SQRT_S.0.powi(2) * seconds;
        let place = self.drift_m.powi(2) * metres + DRIFT_PER_SQRT_S.1.powi(2) * seconds;
        let drift = Matrix6::from_diagonal(&Vector6::new(turn, turn, turn, place, place, place));
        self.covariance = symmetric(carry * self.covariance * carry.transpose() + drift);
    }

    /// Makes the map's place less certain by this covariance.
    pub(crate) fn add(&mut self, covariance: &Matrix6<f64>) {
        self.covariance = symmetric(self.covariance + covariance);
    }

    /// Ties the map to `World` at the first fix there is.
    pub(crate) fn tie(&mut self, nav: &NavPose, map_from_body: &Transform<Map, Body>) {
        if !self.tied_to_nav {
            self.tied_to_nav = true;
            self.world_from_map = nav.world_from_body * map_from_body.inverse();
            self.covariance = nav.covariance;
        }
    }

    /// What a fix says of the pose on the map; nothing if it cannot be true.
    ///
    /// `inflation` is by how much the fix's covariance is multiplied since it repeats the last one's error.
    pub(crate) fn prior(
        &mut self,
        nav: &NavPose,
        near: &Transform<Map, Body>,
        inflation: f64,
    ) -> Option<Prior> {
        let mean = self.world_from_map.inverse() * nav.world_from_body;
        let difference = near.perturbation_to(&mean);
        // The pose it is compared with is itself only predicted.
        let expected = nav.covariance * 4.0 + self.covariance + Matrix6::identity() * 1e-4;
        let distance = difference.dot(&(inverse(&expected)? * difference));
        if distance > OUTLIER {
            self.outliers += 1;
            if self.outliers > MAX_OUTLIERS {
                self.outliers = 0;
                self.covariance += nav.covariance + difference * difference.transpose();
            }
            return None;
        }
        self.outliers = 0;
        Some(Prior {
            mean,
            information: inverse(&(nav.covariance * inflation + self.covariance))?,
        })
    }

    /// The joint estimate of the pose on the map and of the map's place, after the scan was laid on
    /// the map with [`Self::prior`]: moves the map, and gives the pose's covariance in `World`.
    ///
    /// With `S = P + N`, `G = P S⁻¹` and the pose's covariance on the map `C = (Λ + S⁻¹)⁻¹`, the
    /// map moves by `G r`, its covariance becomes `P − G P + G C Gᵀ`, and the pose in `World` has
    /// `(I − G) C (I − G)ᵀ + (I − G) P`: the conditional of the joint least squares.
    pub(crate) fn update(
        &mut self,
        nav: Option<(&NavPose, f64)>,
        map_from_body: &Transform<Map, Body>,
        information: &Matrix6<f64>,
        prior: &Prior,
    ) -> Matrix6<f64> {
        let on_map = inverse(&(information + prior.information)).unwrap_or(self.covariance);
        let Some((nav, inflation)) = nav else {
            return symmetric(on_map + self.covariance);
        };
        let Some(inverse_sum) = inverse(&(nav.covariance * inflation + self.covariance)) else {
            return symmetric(on_map + self.covariance);
        };
        let gain = self.covariance * inverse_sum;
        let world_from_body = self.world_from_map * *map_from_body;
        let correction = gain * world_from_body.perturbation_to(&nav.world_from_body);
        self.world_from_map = world_from_body.perturbed(&correction) * map_from_body.inverse();
        let keep = Matrix6::identity() - gain;
        let remaining = keep * self.covariance;
        self.covariance = symmetric(remaining + gain * on_map * gain.transpose());
        symmetric(keep * on_map * keep.transpose() + remaining)
    }
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
        let mut anchor = Anchor::new(&OdometryConfig::default());
        let still = Transform::<Map, Body>::identity();
        let information = Matrix6::identity() * 1e8;
        let mut last = Matrix6::zeros();
        for i in 0..400u32 {
            let noise =
                sigma.map_with_location(|row, _, s| s * (f64::from(i) * 2.399 + row as f64).sin() * 1.4);
            let nav = NavPose {
                world_from_body: Transform::identity().perturbed(&noise),
                covariance,
            };
            anchor.tie(&nav, &still);
            anchor.travel(&still, &still, 0.1);
            let prior = anchor.prior(&nav, &still, 2.0).unwrap();
            last = anchor.update(Some((&nav, 2.0)), &still, &information, &prior);
        }
        let error = Transform::identity().perturbation_to(&(anchor.world_from_map() * still));
        assert!(error.fixed_rows::<3>(3).norm() < 0.005, "{error}");
        assert!(last[(3, 3)].sqrt() < 0.01 && last.cholesky().is_some());
    }

    #[test]
    fn a_fix_far_away_is_not_believed_but_many_are() {
        let mut anchor = Anchor::new(&OdometryConfig::default());
        let still = Transform::<Map, Body>::identity();
        let nav = |x: f64| NavPose {
            world_from_body: Transform::new(UnitQuaternion::identity(), Vector3::new(x, 0.0, 0.0)),
            covariance: Matrix6::identity() * 1e-4,
        };
        anchor.tie(&nav(0.0), &still);
        assert!(anchor.prior(&nav(0.02), &still, 1.0).is_some());
        assert!(anchor.prior(&nav(5.0), &still, 1.0).is_none());
        assert!((0..40).any(|_| anchor.prior(&nav(5.0), &still, 1.0).is_some()));
    }
}
