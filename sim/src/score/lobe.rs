//! What the sonar could see: the main lobe of its fan.

use beluga_types::{Sensor, Transform};
use nalgebra::{Matrix3, Vector3};

use crate::scene::Quay;
use crate::truth::Truth;

/// Faces met at a larger angle from their normal are not expected to answer.
const STEEPEST_RAD: f64 = 75.0 * std::f64::consts::PI / 180.0;

/// The sonar at one ping, in quay coordinates.
#[derive(Clone, Debug)]
pub(crate) struct Look<'a> {
    truth: &'a Truth,
    pub(crate) origin: Vector3<f64>,
    pub(super) sensor_from_quay: Matrix3<f64>,
}

/// Where the sonar was at each of its pings.
pub(super) fn looks(truth: &Truth) -> Vec<Look<'_>> {
    let poses = truth.ping_poses().into_iter();
    poses.map(|pose| Look::new(truth, pose)).collect()
}

/// Half the width of a beam's main lobe (-3 dB) along track, in radians.
pub(super) fn half_width_rad(truth: &Truth) -> f64 {
    0.5 * truth.scenario.sonar.beam_width_deg.to_radians()
}

impl<'a> Look<'a> {
    /// The sonar at a pose.
    pub(crate) fn new(truth: &'a Truth, pose: Transform<Quay, Sensor>) -> Self {
        Self {
            truth,
            origin: pose.translation(),
            sensor_from_quay: pose.rotation_matrix().transpose(),
        }
    }

    /// Unit vector along the track in `Quay`: the normal of the transmit plane.
    pub(crate) fn ahead(&self) -> Vector3<f64> {
        self.sensor_from_quay.transpose() * Vector3::x()
    }

    /// Half the width of a beam's main lobe (-3 dB) along track, in radians.
    pub(crate) fn half_width_rad(&self) -> f64 {
        half_width_rad(self.truth)
    }

    /// Whether a place at the wall lies in the main lobe (-3 dB) of a beam: in range, not hidden,
    /// less than 75° from the wall's normal.
    pub(super) fn meets(&self, place: &Vector3<f64>) -> bool {
        self.meets_facing(place, &self.truth.scene.wall.normal)
    }

    /// The same of a place on a surface with this normal.
    pub(crate) fn meets_facing(&self, place: &Vector3<f64>, normal: &Vector3<f64>) -> bool {
        let sonar = &self.truth.scenario.sonar;
        let half_width = half_width_rad(self.truth);
        let half_fan = 0.5 * sonar.fan_deg.to_radians() + half_width;
        let way = self.sensor_from_quay * (place - self.origin);
        let range = way.norm();
        let along = (way.x / range).asin();
        let across = (-way.y).atan2(-way.z);
        let incidence = ((self.origin - place).dot(normal) / range).acos();
        along.abs() <= half_width
            && across.abs() <= half_fan
            && range >= sonar.blanking_m
            && range <= sonar.range_m
            && incidence < STEEPEST_RAD
            && self.truth.scene.sees(&self.origin, place)
    }
}
