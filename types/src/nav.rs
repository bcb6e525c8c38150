//! What navigation sensors give.

use nalgebra::{Matrix3, Matrix6, UnitQuaternion, Vector3};

use crate::geodesy::Geodetic;
use crate::space::{Body, Direction, Sensor, Transform, World};

/// Position and attitude from an INS or the like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoseFix {
    /// The pose of the vehicle.
    pub world_from_body: Transform<World, Body>,
    /// Covariance as the device states it: rotation (rad), then translation (m), right
    /// perturbation. Nothing if the device states none.
    pub covariance: Option<Matrix6<f64>>,
}

/// Position without attitude.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GnssFix {
    /// Where the antenna is.
    pub place: Geodetic,
    /// Covariance in local east, north, up, in m², if the receiver states one.
    pub covariance_m2: Option<Matrix3<f64>>,
}

/// Attitude without position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttitudeFix {
    /// Rotation from `Body` to `World`.
    pub world_from_body: UnitQuaternion<f64>,
    /// Covariance in rad², right perturbation, if stated.
    pub covariance_rad2: Option<Matrix3<f64>>,
}

/// Rotation rate and specific force in the IMU's own axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImuSample {
    /// Rotation rate, in rad/s.
    pub rate_rad_per_s: Direction<Sensor>,
    /// Specific force, in m/s²: +9.81 on the axis that points up when at rest.
    pub specific_force_m_per_s2: Direction<Sensor>,
}

/// Velocity of the vehicle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VelocityFix {
    /// Velocity in m/s.
    pub velocity_m_per_s: Direction<Body>,
    /// One sigma per axis, in m/s.
    pub sigma_m_per_s: Vector3<f64>,
    /// Whether it is over ground (bottom track, GNSS) or through the water.
    pub over_ground: bool,
}

/// Depth of the sensor below the water surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DepthFix {
    /// Metres, positive down.
    pub depth_m: f64,
    /// One sigma, in metres.
    pub sigma_m: f64,
}

/// Speed of sound at a probe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoundSpeedSample {
    /// Metres per second.
    pub sound_speed_m_per_s: f64,
    /// Depth of the probe, in metres, if known.
    pub depth_m: Option<f64>,
}

/// State of a sensor's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockState {
    /// Host clock minus sensor clock, in nanoseconds.
    pub offset_nanos: i64,
    /// One sigma of it, in nanoseconds.
    pub sigma_nanos: f64,
    /// Whether the clock follows a reference (PPS, PTP).
    pub locked: bool,
}
