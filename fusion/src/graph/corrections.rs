//! What closed loops change about poses, moment by moment. Frames stay as they are until somebody asks.

use beluga_types::{Body, SharedState, SolidarFrame, Stamp, Transform, World};
use nalgebra::{Matrix3, Matrix6, Vector3, Vector6};

/// What is to be changed about the pose of one moment.
///
/// In axes of `World`, so that between two of them the change is even whatever way the body turns.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// Which moment.
    pub stamp: Stamp,
    /// Turn of the body about itself, in rad: `R' = exp(turn) R`.
    pub turn: Vector3<f64>,
    /// Move of the body, in metres: `t' = t + shift`.
    pub shift: Vector3<f64>,
    /// Covariance of the corrected pose, rotation (rad) then translation (m).
    pub covariance: Matrix6<f64>,
}

impl Correction {
    /// The change from a pose to another, the covariance of which is a right perturbation's.
    pub(super) fn between(
        stamp: Stamp,
        before: &Transform<World, Body>,
        after: &Transform<World, Body>,
        covariance: &Matrix6<f64>,
    ) -> Self {
        let axes = both(&after.rotation_matrix());
        Self {
            stamp,
            turn: (after.rotation() * before.rotation().inverse()).scaled_axis(),
            shift: after.translation() - before.translation(),
            covariance: axes * covariance * axes.transpose(),
        }
    }

    /// A pose of this moment as it should be.
    pub fn corrected(&self, pose: &Transform<World, Body>) -> Transform<World, Body> {
        let back = pose.rotation_matrix().transpose();
        let (turn, shift) = (back * self.turn, back * self.shift);
        pose.perturbed(&Vector6::new(turn.x, turn.y, turn.z, shift.x, shift.y, shift.z))
    }

    /// Moves a frame to where it should be: its pose, the covariance of its pose, what the points share
    /// of it, and the height of the water. The points lie in `Body` and stay.
    fn apply(&self, frame: &mut SolidarFrame) {
        let before = frame.world_from_body.translation().z;
        frame.world_from_body = self.corrected(&frame.world_from_body);
        let axes = both(&frame.world_from_body.rotation_matrix().transpose());
        let covariance = axes * self.covariance * axes.transpose();
        frame.pose_covariance = (covariance + covariance.transpose()) * 0.5;
        if let Some(waterline) = &mut frame.waterline {
            waterline.z_m += frame.world_from_body.translation().z - before;
        }
        share(frame);
    }

    fn interpolated(&self, other: &Self, stamp: Stamp) -> Self {
        let whole = other.stamp.seconds_since(self.stamp);
        let fraction = (stamp.seconds_since(self.stamp) / whole.max(1e-9)).clamp(0.0, 1.0);
        let keep = 1.0 - fraction;
        Self {
            stamp,
            turn: self.turn * keep + other.turn * fraction,
            shift: self.shift * keep + other.shift * fraction,
            covariance: self.covariance * keep + other.covariance * fraction,
        }
    }

    fn is_sound(&self) -> bool {
        let numbers = self.turn.iter().chain(&self.shift).chain(&self.covariance);
        numbers.into_iter().all(|value| value.is_finite()) && self.covariance.cholesky().is_some()
    }
}

/// Corrections in the order of time, one at the beginning of each local map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Corrections {
    in_order: Vec<Correction>,
}

impl Corrections {
    /// Nothing if a number is not finite, a covariance not positive, or two are of the same moment.
    pub fn new(mut corrections: Vec<Correction>) -> Option<Self> {
        corrections.sort_by_key(|correction| correction.stamp);
        let apart = corrections.windows(2).all(|pair| pair[0].stamp < pair[1].stamp);
        (apart && corrections.iter().all(Correction::is_sound)).then_some(Self {
            in_order: corrections,
        })
    }

    /// All of them.
    pub fn as_slice(&self) -> &[Correction] {
        &self.in_order
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.in_order.is_empty()
    }

    /// The correction of a moment, evenly between those around it; before the first and after the last
    /// these hold. Nothing if there is none at all.
    pub fn at(&self, stamp: Stamp) -> Option<Correction> {
        let after = self
            .in_order
            .partition_point(|correction| correction.stamp <= stamp);
        let before = after.checked_sub(1).and_then(|i| self.in_order.get(i));
        match (before, self.in_order.get(after)) {
            (Some(before), Some(after)) => Some(before.interpolated(after, stamp)),
            (Some(only), None) | (None, Some(only)) => Some(Correction {
                stamp,
                ..only.clone()
            }),
            (None, None) => None,
        }
    }

    /// Moves a frame to where it should be.
    pub fn apply(&self, frame: &mut SolidarFrame) {
        if let Some(correction) = self.at(frame.window.end) {
            correction.apply(frame);
        }
    }

    /// The largest change of a position, in metres.
    pub fn largest_m(&self) -> f64 {
        let shifts = self.in_order.iter().map(|correction| correction.shift.norm());
        shifts.fold(0.0, f64::max)
    }
}

/// Tells a frame's shared states of its pose's covariance.
fn share(frame: &mut SolidarFrame) {
    let covariance = frame.pose_covariance;
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
                *cell = covariance[(a, b)];
            }
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

    fn at(seconds: i64) -> Stamp {
        Stamp::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_change_is_its_own_correction_and_even_between_two_of_a_turning_body() {
        let (before, after) = (pose(1.0, 3.0, 4.0), pose(1.1, 3.4, 4.5));
        let spread = Matrix6::from_diagonal(&Vector6::new(1e-4, 2e-4, 3e-4, 1e-2, 2e-2, 3e-2));
        let change = Correction::between(at(10), &before, &after, &spread);
        let off = change.corrected(&before).perturbation_to(&after);
        assert!(off.norm() < 1e-12, "{off}");
        // A body that has turned round meanwhile is shifted the same way in `World`.
        let turned = pose(4.0, 8.0, 9.0);
        let still = Correction::between(at(20), &turned, &pose(4.1, 8.4, 9.5), &spread);
        let corrections = Corrections::new(vec![still, change]).unwrap();
        let middle = corrections.at(at(15)).unwrap();
        let moved = middle.corrected(&turned).translation() - turned.translation();
        assert!((moved - Vector3::new(0.4, 0.5, 0.0)).norm() < 1e-12, "{moved}");
        assert!((middle.turn.z - 0.1).abs() < 1e-12);
    }

    #[test]
    fn beyond_the_ends_the_nearest_holds_and_what_is_unsound_is_refused() {
        let one = |seconds: i64, x: f64| Correction {
            stamp: at(seconds),
            turn: Vector3::zeros(),
            shift: Vector3::new(x, 0.0, 0.0),
            covariance: Matrix6::identity(),
        };
        let corrections = Corrections::new(vec![one(1, 0.5), one(3, -2.0)]).unwrap();
        let shift = |seconds| corrections.at(at(seconds)).unwrap().shift.x;
        assert_eq!([shift(0), shift(1), shift(2), shift(9)], [0.5, 0.5, -0.75, -2.0]);
        assert_eq!(corrections.largest_m(), 2.0);
        assert_eq!(Corrections::default().at(at(1)), None);
        assert_eq!(Corrections::new(vec![one(1, 0.5), one(1, 0.5)]), None);
        assert_eq!(Corrections::new(vec![one(1, f64::NAN)]), None);
        let mut open = one(1, 0.0);
        open.covariance[(4, 4)] = -1.0;
        assert_eq!(Corrections::new(vec![open]), None);
    }
}
