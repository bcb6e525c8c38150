//! A measured motion between two poses, and how far two poses are from it.

use beluga_types::{Body, Transform, World};
use nalgebra::{Matrix3, Matrix6, SMatrix, Vector3, Vector6};

/// A measured motion between two poses.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The earlier pose.
    pub from: usize,
    /// The later pose.
    pub to: usize,
    /// Takes coordinates in the later body to the earlier one.
    pub from_body_to: Transform<Body, Body>,
    /// Of it: right perturbation, rotation (rad) then translation (m).
    pub covariance: Matrix6<f64>,
}

/// An edge with its information.
pub(super) struct Measured {
    pub(super) edge: Edge,
    pub(super) information: Matrix6<f64>,
}

/// How a residual moves with the earlier pose, then the later.
pub(super) type Jacobian = SMatrix<f64, 6, 12>;

impl Measured {
    /// How far the poses are from what was measured, and how that moves with each of the two.
    ///
    /// With E = T⁻¹ Aᵢ⁻¹ Aⱼ the residual is `[log R_E; t_E]`.
    pub(super) fn residual(&self, poses: &[Transform<World, Body>]) -> (Vector6<f64>, Jacobian) {
        let between = poses[self.edge.from].inverse() * poses[self.edge.to];
        let residual = self.edge.from_body_to.perturbation_to(&between);
        let turn = between.rotation_matrix();
        let back = self.edge.from_body_to.rotation_matrix().transpose();
        let angle: Vector3<f64> = residual.fixed_rows::<3>(0).into_owned();
        // First order of the inverse right Jacobian of SO(3).
        let right = Matrix3::identity() + angle.cross_matrix() * 0.5;
        let mut jacobian = Jacobian::zeros();
        jacobian
            .fixed_view_mut::<3, 3>(0, 0)
            .copy_from(&(-right * turn.transpose()));
        jacobian
            .fixed_view_mut::<3, 3>(3, 0)
            .copy_from(&(back * between.translation().cross_matrix()));
        jacobian.fixed_view_mut::<3, 3>(3, 3).copy_from(&-back);
        jacobian.fixed_view_mut::<3, 3>(0, 6).copy_from(&right);
        jacobian.fixed_view_mut::<3, 3>(3, 9).copy_from(&(back * turn));
        (residual, jacobian)
    }
}
