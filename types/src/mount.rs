//! The surveyor's way to say where a thing sits and how it is turned, and the one way into ours.

use nalgebra::{UnitQuaternion, Vector3};

use crate::space::{Body, Sensor, Transform};

/// Attitude in the surveyor's words, in radians; rotations intrinsic heading, then pitch, then roll.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Attitude {
    /// Positive: starboard side down.
    pub roll_rad: f64,
    /// Positive: bow up.
    pub pitch_rad: f64,
    /// Positive: clockwise seen from above; of a vessel, from true north.
    pub heading_rad: f64,
}

impl Attitude {
    /// Roll, pitch and heading given in degrees, as people write them.
    pub fn from_degrees([roll, pitch, heading]: [f64; 3]) -> Self {
        Self {
            roll_rad: roll.to_radians(),
            pitch_rad: pitch.to_radians(),
            heading_rad: heading.to_radians(),
        }
    }

    /// The rotation from the turned thing's axes (x forward, y left, z up) to the axes it is
    /// turned against (x forward, y left, z up).
    ///
    /// In these axes a positive pitch turns the bow *down* and a positive yaw is anticlockwise, so
    /// both change sign here and nowhere else.
    pub fn rotation(&self) -> UnitQuaternion<f64> {
        UnitQuaternion::from_axis_angle(&Vector3::z_axis(), -self.heading_rad)
            * UnitQuaternion::from_axis_angle(&Vector3::y_axis(), -self.pitch_rad)
            * UnitQuaternion::from_axis_angle(&Vector3::x_axis(), self.roll_rad)
    }

    /// The attitude of a rotation as [`Self::rotation`] makes it. Pitch lies within ±90°.
    pub fn from_rotation(rotation: &UnitQuaternion<f64>) -> Self {
        let (roll, pitch, yaw) = rotation.euler_angles();
        Self {
            roll_rad: roll,
            pitch_rad: -pitch,
            heading_rad: -yaw,
        }
    }

    /// The rotation from `Body` to east-north-up for a vessel with this heading from true north.
    pub fn east_north_up_from_body(&self) -> UnitQuaternion<f64> {
        UnitQuaternion::from_axis_angle(&Vector3::z_axis(), std::f64::consts::FRAC_PI_2) * self.rotation()
    }

    /// The attitude of a vessel from its `Body` to east-north-up rotation; heading in [0, 2π).
    pub fn from_east_north_up_from_body(rotation: &UnitQuaternion<f64>) -> Self {
        let north_west_up =
            UnitQuaternion::from_axis_angle(&Vector3::z_axis(), -std::f64::consts::FRAC_PI_2) * rotation;
        let mut attitude = Self::from_rotation(&north_west_up);
        attitude.heading_rad = attitude.heading_rad.rem_euclid(std::f64::consts::TAU);
        attitude
    }
}

/// Where a sensor sits on the vehicle, in the surveyor's words.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mount {
    /// Metres towards the bow from the `Body` origin.
    pub forward_m: f64,
    /// Metres towards starboard from the `Body` origin.
    pub starboard_m: f64,
    /// Metres down from the `Body` origin.
    pub down_m: f64,
    /// How the sensor is turned against the vehicle.
    pub attitude: Attitude,
}

impl Mount {
    /// The transform from the sensor's axes to `Body`.
    pub fn body_from_sensor(&self) -> Transform<Body, Sensor> {
        Transform::new(
            self.attitude.rotation(),
            Vector3::new(self.forward_m, -self.starboard_m, -self.down_m),
        )
    }

    /// The mount of a transform as [`Self::body_from_sensor`] makes it.
    pub fn from_transform(body_from_sensor: &Transform<Body, Sensor>) -> Self {
        let offset = body_from_sensor.translation();
        Self {
            forward_m: offset.x,
            starboard_m: -offset.y,
            down_m: -offset.z,
            attitude: Attitude::from_rotation(&body_from_sensor.rotation()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementary::{cos, sin};

    const ANGLE: f64 = 0.1;

    fn turned(roll: f64, pitch: f64, heading: f64, axis: Vector3<f64>) -> Vector3<f64> {
        let attitude = Attitude {
            roll_rad: roll,
            pitch_rad: pitch,
            heading_rad: heading,
        };
        attitude.rotation() * axis
    }

    #[test]
    fn positive_roll_puts_starboard_down() {
        let starboard = -Vector3::y();
        assert!(turned(ANGLE, 0.0, 0.0, starboard).z < -0.09);
    }

    #[test]
    fn positive_pitch_puts_the_bow_up() {
        assert!(turned(0.0, ANGLE, 0.0, Vector3::x()).z > 0.09);
    }

    #[test]
    fn positive_heading_turns_the_bow_to_starboard() {
        assert!(turned(0.0, 0.0, ANGLE, Vector3::x()).y < -0.09);
    }

    #[test]
    fn in_body_a_positive_rotation_about_y_puts_the_bow_down() {
        let about_y = UnitQuaternion::from_axis_angle(&Vector3::y_axis(), ANGLE);
        assert!((about_y * Vector3::x()).z < -0.09);
        assert!((Attitude::from_rotation(&about_y).pitch_rad + ANGLE).abs() < 1e-12);
    }

    #[test]
    fn rotations_are_intrinsic_heading_then_pitch_then_roll() {
        // Heading 90° turns the bow to starboard; the pitch that follows lifts the turned bow.
        let bow = turned(0.0, ANGLE, std::f64::consts::FRAC_PI_2, Vector3::x());
        assert!((bow - Vector3::new(0.0, -cos(ANGLE), sin(ANGLE))).norm() < 1e-12);
    }

    #[test]
    fn heading_zero_is_north_and_ninety_degrees_east() {
        let north = Attitude::default().east_north_up_from_body() * Vector3::x();
        assert!((north - Vector3::y()).norm() < 1e-12);
        let heading = Attitude {
            heading_rad: std::f64::consts::FRAC_PI_2,
            ..Default::default()
        };
        let east = heading.east_north_up_from_body() * Vector3::x();
        assert!((east - Vector3::x()).norm() < 1e-12);
    }

    #[test]
    fn offsets_are_forward_starboard_down() {
        let mount = Mount {
            forward_m: 1.0,
            starboard_m: 2.0,
            down_m: 3.0,
            ..Default::default()
        };
        assert_eq!(
            mount.body_from_sensor().translation(),
            Vector3::new(1.0, -2.0, -3.0)
        );
    }

    #[test]
    fn there_and_back() {
        let mount = Mount {
            forward_m: 1.0,
            starboard_m: -0.5,
            down_m: 0.8,
            attitude: Attitude {
                roll_rad: 0.3,
                pitch_rad: -0.2,
                heading_rad: 1.4,
            },
        };
        let back = Mount::from_transform(&mount.body_from_sensor());
        assert!((back.attitude.roll_rad - 0.3).abs() < 1e-12);
        assert!((back.attitude.pitch_rad + 0.2).abs() < 1e-12);
        assert!((back.attitude.heading_rad - 1.4).abs() < 1e-12);
        assert!((back.starboard_m + 0.5).abs() < 1e-12);
        let vessel = Attitude {
            roll_rad: 0.05,
            pitch_rad: 0.02,
            heading_rad: 4.0,
        };
        let same = Attitude::from_east_north_up_from_body(&vessel.east_north_up_from_body());
        assert!((same.heading_rad - 4.0).abs() < 1e-12 && (same.pitch_rad - 0.02).abs() < 1e-12);
    }
}
