//! A pose with its first and second derivatives by time.

use beluga_types::{Attitude, Body, Transform};
use nalgebra::Vector3;

use super::jet::Jet;
use crate::scene::Quay;

/// Place of the `Body` origin in `Quay` (m) and attitude in the surveyor's signs (rad), each with
/// its derivatives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Motion {
    pub(super) place: [Jet; 3],
    pub(super) roll: Jet,
    pub(super) pitch: Jet,
    pub(super) heading: Jet,
}

impl Motion {
    /// The pose alone.
    pub(crate) fn pose(&self) -> Transform<Quay, Body> {
        let attitude = Attitude {
            roll_rad: self.roll.value,
            pitch_rad: self.pitch.value,
            heading_rad: self.heading.value,
        };
        Transform::new(attitude.rotation(), self.each(|jet| jet.value))
    }

    /// Velocity of the `Body` origin, in m/s in `Quay`.
    pub(crate) fn velocity(&self) -> Vector3<f64> {
        self.each(|jet| jet.rate)
    }

    /// Acceleration of the `Body` origin, in m/s² in `Quay`.
    pub(crate) fn acceleration(&self) -> Vector3<f64> {
        self.each(|jet| jet.acceleration)
    }

    /// Rotation rate (rad/s) and its change (rad/s²), both in `Body`.
    ///
    /// With yaw, then pitch, then roll about the turned axes z, y, x (anticlockwise):
    /// `ω = [φ' - ψ' sin θ, θ' cos φ + ψ' sin φ cos θ, ψ' cos φ cos θ - θ' sin φ]` (J. Diebel,
    /// "Representing Attitude", Stanford 2006, section 5.6).
    pub(crate) fn rotation_rate(&self) -> [Vector3<f64>; 2] {
        let (sin_roll, cos_roll) = self.roll.sin_cos();
        // `Body` turns the bow down and to port where the surveyor's signs turn it up and to starboard.
        let about_y = self.pitch * -1.0;
        let (sin_y, cos_y) = about_y.sin_cos();
        let (roll, y, z) = (
            self.roll.derivative(),
            about_y.derivative(),
            (self.heading * -1.0).derivative(),
        );
        let rates = [
            roll - z * sin_y,
            y * cos_roll + z * sin_roll * cos_y,
            z * cos_roll * cos_y - y * sin_roll,
        ];
        [
            Vector3::from(rates.map(|jet| jet.value)),
            Vector3::from(rates.map(|jet| jet.rate)),
        ]
    }

    fn each(&self, part: impl Fn(&Jet) -> f64) -> Vector3<f64> {
        Vector3::new(part(&self.place[0]), part(&self.place[1]), part(&self.place[2]))
    }
}
