//! What closed loops change about each frame's pose. Frames stay as they are until somebody asks.

use beluga_types::{Body, SharedState, SolidarFrame, Transform, World};
use nalgebra::{Matrix3, Matrix6, Vector3, Vector6};

/// What is to be changed about the pose of one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// Which frame.
    pub frame: u64,
    /// Right perturbation of its pose: rotation (rad) then translation (m), in `Body`.
    pub step: Vector6<f64>,
    /// Covariance of the corrected pose, of the same form.
    pub covariance: Matrix6<f64>,
}

impl Correction {
    /// Moves a frame to where the correction puts it: its pose, the covariance of its pose, what the
    /// points share of it, and the height of the water. The points lie in `Body` and stay.
    pub fn apply(&self, frame: &mut SolidarFrame) {
        let before = frame.world_from_body.translation().z;
        frame.world_from_body = frame.world_from_body.perturbed(&self.step);
        frame.pose_covariance = self.covariance;
        if let Some(waterline) = &mut frame.waterline {
            waterline.z_m += frame.world_from_body.translation().z - before;
        }
        let shared = &mut frame.shared;
        let n = shared.states.len();
        let axis = |state: &SharedState| match state {
            SharedState::PoseRotation(axis) => Some(usize::from(*axis)),
            SharedState::PoseTranslation(axis) => Some(3 + usize::from(*axis)),
            _ => None,
        };
        for row in 0..n {
            for column in 0..n {
                if let (Some(a), Some(b)) = (axis(&shared.states[row]), axis(&shared.states[column]))
                    && let (true, Some(cell)) = (a < 6 && b < 6, shared.covariance.get_mut(row * n + column))
                {
                    *cell = self.covariance[(a, b)];
                }
            }
        }
    }
}

/// A pose before and after, in axes of `World` so that between two of them the change is even
/// whatever way the body turns.
#[derive(Clone, Debug)]
pub(super) struct Change {
    turn: Vector3<f64>,
    shift: Vector3<f64>,
    /// Rotation and translation in axes of `World`.
    covariance: Matrix6<f64>,
}

impl Change {
    pub(super) fn of(
        before: &Transform<World, Body>,
        after: &Transform<World, Body>,
        covariance: &Matrix6<f64>,
    ) -> Self {
        let axes = both(&after.rotation_matrix());
        Self {
            turn: (after.rotation() * before.rotation().inverse()).scaled_axis(),
            shift: after.translation() - before.translation(),
            covariance: axes * covariance * axes.transpose(),
        }
    }

    /// Between this one (0) and another (1).
    pub(super) fn between(&self, other: &Self, fraction: f64) -> Self {
        let keep = 1.0 - fraction;
        Self {
            turn: self.turn * keep + other.turn * fraction,
            shift: self.shift * keep + other.shift * fraction,
            covariance: self.covariance * keep + other.covariance * fraction,
        }
    }

    /// The same as a correction of a frame with this pose.
    pub(super) fn correction(&self, frame: u64, pose: &Transform<World, Body>) -> Correction {
        let back = pose.rotation_matrix().transpose();
        let turn = back * self.turn;
        let shift = back * self.shift;
        let corrected = pose.perturbed(&Vector6::new(turn.x, turn.y, turn.z, shift.x, shift.y, shift.z));
        let axes = both(&corrected.rotation_matrix().transpose());
        let covariance = axes * self.covariance * axes.transpose();
        Correction {
            frame,
            step: Vector6::new(turn.x, turn.y, turn.z, shift.x, shift.y, shift.z),
            covariance: (covariance + covariance.transpose()) * 0.5,
        }
    }
}

/// A rotation of both halves of a perturbation.
fn both(rotation: &Matrix3<f64>) -> Matrix6<f64> {
    let mut matrix = Matrix6::zeros();
    matrix.fixed_view_mut::<3, 3>(0, 0).copy_from(rotation);
    matrix.fixed_view_mut::<3, 3>(3, 3).copy_from(rotation);
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::UnitQuaternion;

    fn pose(turn: f64, x: f64, y: f64) -> Transform<World, Body> {
        Transform::new(
            UnitQuaternion::from_scaled_axis(Vector3::z() * turn),
            Vector3::new(x, y, 2.0),
        )
    }

    #[test]
    fn a_change_is_its_own_correction_and_even_between_two_of_a_turning_body() {
        let (before, after) = (pose(1.0, 3.0, 4.0), pose(1.1, 3.4, 4.5));
        let spread = Matrix6::from_diagonal(&Vector6::new(1e-4, 2e-4, 3e-4, 1e-2, 2e-2, 3e-2));
        let change = Change::of(&before, &after, &spread);
        let correction = change.correction(7, &before);
        let off = before.perturbed(&correction.step).perturbation_to(&after);
        assert!(off.norm() < 1e-12, "{off}");
        assert!((correction.covariance - spread).norm() < 1e-12);
        // A body that has turned round meanwhile is shifted the same way in `World`.
        let turned = pose(4.0, 8.0, 9.0);
        let still = Change::of(&turned, &pose(4.1, 8.4, 9.5), &spread);
        let middle = change.between(&still, 0.5).correction(8, &turned);
        let moved = turned.perturbed(&middle.step).translation() - turned.translation();
        assert!((moved - Vector3::new(0.4, 0.5, 0.0)).norm() < 1e-12, "{moved}");
    }
}
