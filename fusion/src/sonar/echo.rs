//! What the sonar chain hands on: echoes with direction, time and their sigmas.

use beluga_types::elementary::{atan2, tan};
use beluga_types::{Beam, Direction, Echogram, Sensor};
use nalgebra::Vector3;

/// What one ping gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PingEchoes {
    /// Echoes, by beam, then from near to far.
    pub(crate) echoes: Vec<Echo>,
    /// The ping as a picture, if asked for.
    pub(crate) echogram: Option<Echogram>,
    /// What could not be done and what was assumed; each text comes once in a run.
    pub(crate) notes: Vec<String>,
    /// Whether the ping's pulse does not fit its samples, so that nothing could be looked for.
    pub(crate) unusable: bool,
}

/// One echo: not yet a place, since the sound's path is the caller's business.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Echo {
    /// Beam, or the device's own index of the detection.
    pub(crate) beam: u32,
    /// From the transmit centre to the echo, as if nothing moved.
    pub(crate) two_way_time_s: f64,
    /// By how many seconds a sweep's echo seems early for each m/s at which sonar and target close; less
    /// than zero for a falling sweep, zero for a tone and where the device has found the time.
    pub(crate) early_s_per_m_per_s: f64,
    /// Transmit centre, in seconds after the ping's stamp.
    pub(crate) transmit_delay_s: f64,
    /// Unit vector to the echo.
    pub(crate) direction: Direction<Sensor>,
    /// One sigma of the two-way time: noise, speckle over the footprint, sampling.
    pub(crate) sigma_time_s: f64,
    /// One sigma of the direction towards `Sensor` x.
    pub(crate) sigma_along_rad: f64,
    /// One sigma of the direction across that.
    pub(crate) sigma_across_rad: f64,
    /// Level: dB of the device's unit for waveforms; the device's own number otherwise.
    pub(crate) level_db: f32,
    /// Peak over noise behind the matched filter; nothing where there is no waveform.
    pub(crate) snr_db: Option<f32>,
    /// How its time was found.
    pub(crate) method: DetectionMethod,
    /// Half of the unresolved angle, if the echo is an arc: in the plane of `direction` and
    /// `arc_plane`.
    pub(crate) half_angle_rad: Option<f64>,
    /// Unit vector across `direction` in the plane of the widest angle.
    pub(crate) arc_plane: Direction<Sensor>,
    /// Whether it stands alone in the water column.
    pub(crate) floats: bool,
}

/// How an echo's time was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DetectionMethod {
    /// By the device.
    Device,
    /// First rise of the echo, for beams so wide that only the nearest point is meant.
    LeadingEdge,
    /// Phase between the halves of an array.
    Phase,
    /// Middle of the echo's energy.
    WeightedMeanTime,
}

/// The axes of a beam: along is `Sensor` x projected across the beam, across completes the triad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BeamAxes {
    pub(crate) direction: Vector3<f64>,
    pub(crate) along: Vector3<f64>,
    pub(crate) across: Vector3<f64>,
}

impl BeamAxes {
    /// The axes of a beam that looks this way (any length above zero). A beam along x takes y for
    /// its along axis.
    pub(crate) fn of(direction: Vector3<f64>) -> Self {
        let direction = direction.try_normalize(1e-12).unwrap_or(-Vector3::z());
        let project = |axis: Vector3<f64>| axis - direction * axis.dot(&direction);
        let along = project(Vector3::x())
            .try_normalize(1e-6)
            .unwrap_or_else(|| project(Vector3::y()).normalize());
        Self {
            direction,
            along,
            across: direction.cross(&along),
        }
    }

    /// Angles of a unit vector against the beam's axis, along and across, in rad.
    pub(crate) fn offsets(&self, other: &Vector3<f64>) -> [f64; 2] {
        let forward = other.dot(&self.direction);
        [&self.along, &self.across].map(|axis| atan2(other.dot(axis), forward))
    }

    /// The unit vector at these angles along and across.
    pub(crate) fn turned(&self, along_rad: f64, across_rad: f64) -> Vector3<f64> {
        (self.direction + self.along * tan(along_rad) + self.across * tan(across_rad)).normalize()
    }
}

/// Whether a beam is so wide that its echoes are arcs, and in which plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) half_angle_rad: Option<f64>,
    pub(crate) plane: Vector3<f64>,
}

impl Spread {
    /// From the two-way widths along and across, in rad.
    pub(crate) fn of(axes: &BeamAxes, width_rad: [f64; 2], arc_beyond_rad: f64) -> Self {
        let [along, across] = width_rad;
        let (widest, plane) = if along >= across {
            (along, axes.along)
        } else {
            (across, axes.across)
        };
        Self {
            half_angle_rad: (widest > arc_beyond_rad).then_some(0.5 * widest),
            plane,
        }
    }
}

/// A beam turned across track by `steering_rad`, positive to starboard.
pub(crate) fn steered(beam: &Beam, steering_rad: f64) -> Beam {
    if steering_rad == 0.0 {
        return *beam;
    }
    Beam::at(
        beam.across_rad() + steering_rad,
        beam.along_rad(),
        beam.transmit_width_rad,
        beam.receive_width_rad,
    )
}

/// Two-way widths, with anything that is not a width (zero, not finite) taken as one degree.
pub(crate) fn two_way_width_rad(beam: &Beam) -> [f64; 2] {
    beam.two_way_width_rad().map(|width| {
        if width.is_finite() && width > 0.0 {
            width
        } else {
            1f64.to_radians()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beam_has_a_right_handed_triad() {
        let axes = BeamAxes::of(Beam::at(0.4, 0.1, [0.02; 2], [0.02; 2]).direction.vector());
        assert!((axes.direction.cross(&axes.along) - axes.across).norm() < 1e-12);
        assert!(axes.along.x > 0.9);
        let [along, across] = axes.offsets(&axes.turned(0.03, -0.02));
        assert!((along - 0.03).abs() < 1e-12 && (across + 0.02).abs() < 1e-12);
    }

    #[test]
    fn steering_turns_to_starboard() {
        let beam = steered(&Beam::at(0.1, 0.05, [0.02; 2], [0.02; 2]), 0.3);
        assert!((beam.across_rad() - 0.4).abs() < 1e-12 && (beam.along_rad() - 0.05).abs() < 1e-12);
    }

    #[test]
    fn wide_beams_are_arcs_in_their_wide_plane() {
        let axes = BeamAxes::of(Vector3::new(0.0, -1.0, 0.0));
        let spread = Spread::of(&axes, [0.01, 0.4], 0.14);
        assert_eq!(spread.half_angle_rad, Some(0.2));
        assert_eq!(spread.plane, axes.across);
        assert_eq!(Spread::of(&axes, [0.01, 0.02], 0.14).half_angle_rad, None);
    }
}
