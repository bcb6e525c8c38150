//! How certain a pose is, in three numbers.

use nalgebra::Matrix6;

use crate::frame::SolidarFrame;
use crate::space::{Body, Transform, World};

/// One sigma of a pose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoseSigma {
    /// In the plane of `World` (root of the two variances' sum), in metres.
    pub horizontal_m: f64,
    /// Along the vertical of `World`, in metres.
    pub vertical_m: f64,
    /// About all axes together, in rad.
    pub rotation_rad: f64,
}

impl PoseSigma {
    /// Of a pose whose covariance is: rotation (rad) then translation (m), right perturbation.
    pub fn of(world_from_body: &Transform<World, Body>, covariance: &Matrix6<f64>) -> Self {
        let rotation = world_from_body.rotation_matrix();
        let in_body = covariance.fixed_view::<3, 3>(3, 3);
        let in_world = rotation * in_body * rotation.transpose();
        let sigma = |variance: f64| variance.max(0.0).sqrt();
        Self {
            horizontal_m: sigma(in_world[(0, 0)] + in_world[(1, 1)]),
            vertical_m: sigma(in_world[(2, 2)]),
            rotation_rad: sigma(covariance.fixed_view::<3, 3>(0, 0).trace()),
        }
    }
}

impl SolidarFrame {
    /// One sigma of the frame's pose.
    pub fn pose_sigma(&self) -> PoseSigma {
        PoseSigma::of(&self.world_from_body, &self.pose_covariance)
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{UnitQuaternion, Vector3, Vector6};

    use super::*;

    /// 3 cm forward, 4 cm to the left, 20 cm up; bow straight down, forward is vertical.
    #[test]
    fn sigmas_are_told_along_the_axes_of_world() {
        let sigmas = Vector6::new(0.001, 0.002, 0.002, 0.03, 0.04, 0.2);
        let covariance = Matrix6::from_diagonal(&sigmas.map(|sigma| sigma * sigma));
        for (pitch, horizontal_m, vertical_m) in [
            (0.0, 0.05, 0.2),
            (
                std::f64::consts::FRAC_PI_2,
                (0.04_f64 * 0.04 + 0.2 * 0.2).sqrt(),
                0.03,
            ),
        ] {
            let turn = UnitQuaternion::from_axis_angle(&Vector3::y_axis(), pitch);
            let pose = Transform::new(turn, Vector3::new(10.0, 20.0, 30.0));
            let found = PoseSigma::of(&pose, &covariance);
            assert!((found.horizontal_m - horizontal_m).abs() < 1e-12, "{found:?}");
            assert!((found.vertical_m - vertical_m).abs() < 1e-12, "{found:?}");
            assert!((found.rotation_rad - 0.003).abs() < 1e-12, "{found:?}");
        }
    }
}
