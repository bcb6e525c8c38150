//! A sonar's one transmission, told apart by what the device really gives.

use std::sync::Arc;

use crate::elementary::{asin, atan2, hypot, sin_cos};
use crate::error::Error;
use crate::image::SonarImage;
use crate::space::{Direction, Point, Sensor};
use crate::waveforms::Waveforms;

/// What a sonar gave for one transmission.
#[derive(Clone, Debug, PartialEq)]
pub enum SonarPing {
    /// One waveform per transducer or hydrophone, to be beamformed.
    Elements(Elements),
    /// One waveform per steered beam.
    Beams(Beams),
    /// Echo strength over range: no waveform, so no matched filter.
    Profile(Profile),
    /// Travel times and angles, detected by the device.
    Detections(Detections),
    /// A fan of echo strengths over range: an imaging sonar.
    Image(SonarImage),
}

/// One waveform per transducer or hydrophone.
#[derive(Clone, Debug, PartialEq)]
pub struct Elements {
    /// The samples; one channel per element.
    pub waveforms: Waveforms,
    /// Where each element's phase centre lies. Empty if the rig does not say.
    pub positions: Arc<[Point<Sensor>]>,
    /// Where all elements look together, if they are the sectors of one transducer.
    pub beam: Option<Beam>,
    /// What was transmitted; nothing for a listening array.
    pub pulse: Option<Pulse>,
    /// Speed of sound measured at the head.
    pub sound_speed_m_per_s: Option<f64>,
    /// Echoes nearer than this are the device's own ringing.
    pub blanking_m: f64,
}

/// One waveform per steered beam.
#[derive(Clone, Debug, PartialEq)]
pub struct Beams {
    /// The samples; one channel per beam.
    pub waveforms: Waveforms,
    /// Where each beam looks and how wide it is.
    pub beams: Arc<[Beam]>,
    /// What was transmitted.
    pub pulse: Pulse,
    /// Turn of all beams across track, positive to starboard: the head angle of a scanning sonar.
    pub steering_rad: f64,
    /// Speed of sound measured at the head.
    pub sound_speed_m_per_s: Option<f64>,
    /// Echoes nearer than this are the device's own ringing.
    pub blanking_m: f64,
}

impl Beams {
    /// A ping whose channels and beams agree.
    ///
    /// # Errors
    /// [`Error::BeamCount`] if there is not one beam per channel; [`Error::OutOfRange`] for a
    /// negative or non-finite blanking range.
    pub fn new(
        waveforms: Waveforms,
        beams: Arc<[Beam]>,
        pulse: Pulse,
        steering_rad: f64,
        sound_speed_m_per_s: Option<f64>,
        blanking_m: f64,
    ) -> Result<Self, Error> {
        let expected = waveforms.shape().channels;
        if beams.len() != expected {
            return Err(Error::BeamCount {
                what: "beam table",
                found: beams.len(),
                expected,
            });
        }
        if !(blanking_m.is_finite() && blanking_m >= 0.0) {
            return Err(Error::OutOfRange {
                what: "blanking_m",
                found: blanking_m,
                expected: "zero or more",
            });
        }
        Ok(Self {
            waveforms,
            beams,
            pulse,
            steering_rad,
            sound_speed_m_per_s,
            blanking_m,
        })
    }
}

/// Echo strength over range of one beam.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Echo strength, from near to far.
    pub strength: Vec<f32>,
    /// What the strength is.
    pub unit: StrengthUnit,
    /// Whether the device transmitted: without it there is noise, but no echo.
    pub transmitted: bool,
    /// Two-way time of the first value, in seconds after the transmit centre.
    pub first_s: f64,
    /// Seconds of two-way time from one value to the next.
    pub interval_s: f64,
    /// Where the beam looks and how wide it is.
    pub beam: Beam,
    /// Turn of the beam across track, positive to starboard.
    pub steering_rad: f64,
    /// Speed of sound measured at the head.
    pub sound_speed_m_per_s: Option<f64>,
    /// Echoes nearer than this are the device's own ringing.
    pub blanking_m: f64,
}

/// What numbers of echo strength are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrengthUnit {
    /// Amplitude, or the device's own number that grows with it.
    Amplitude,
    /// Decibels of power.
    Decibel,
}

/// What the device itself detected in one ping.
#[derive(Clone, Debug, PartialEq)]
pub struct Detections {
    /// The detections, in the device's order.
    pub detections: Vec<Detection>,
    /// Speed of sound at the head, used to steer the beams.
    pub sound_speed_m_per_s: Option<f64>,
    /// Receive beam width, along and across track, one way at -3 dB.
    pub beam_width_rad: [f64; 2],
}

/// One detection of the device: raw angle and time, not yet a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// From the transmit centre of its sector to the echo.
    pub two_way_time_s: f64,
    /// Receive angle across track, positive to starboard.
    pub receive_angle_rad: f64,
    /// Tilt of the transmit sector along track, positive forward.
    pub transmit_tilt_rad: f64,
    /// Transmit centre of the sector, in seconds after the ping's stamp.
    pub transmit_delay_s: f64,
    /// Transmit sector.
    pub sector: u16,
    /// Backscatter strength, in dB.
    pub level_db: f32,
    /// The device's own quality, 0 (bad) to 1 (good).
    pub quality: f32,
}

/// Where a beam looks, and how wide it is: full width at -3 dB, one way.
///
/// The sonar's axes: x forward (along track), y to port, z up, when the mount's angles are zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beam {
    /// Unit vector along the beam's axis.
    pub direction: Direction<Sensor>,
    /// Transmit cone, along and across track.
    pub transmit_width_rad: [f64; 2],
    /// Receive cone, along and across track.
    pub receive_width_rad: [f64; 2],
}

impl Beam {
    /// A beam at these angles: `across` from straight down, positive to starboard; `along`
    /// positive forward.
    pub fn at(
        across_rad: f64,
        along_rad: f64,
        transmit_width_rad: [f64; 2],
        receive_width_rad: [f64; 2],
    ) -> Self {
        let (sin_across, cos_across) = sin_cos(across_rad);
        let (sin_along, cos_along) = sin_cos(along_rad);
        Self {
            direction: Direction::new(sin_along, -cos_along * sin_across, -cos_along * cos_across),
            transmit_width_rad,
            receive_width_rad,
        }
    }

    /// Angle across track from straight down, positive to starboard.
    pub fn across_rad(&self) -> f64 {
        let direction = self.direction.vector();
        atan2(-direction.y, -direction.z)
    }

    /// Angle along track, positive forward.
    pub fn along_rad(&self) -> f64 {
        asin(self.direction.vector().x.clamp(-1.0, 1.0))
    }

    /// Two-way width at -3 dB, along and across track: the product of two Gaussian cones.
    pub fn two_way_width_rad(&self) -> [f64; 2] {
        [0, 1].map(|axis| {
            let (transmit, receive) = (self.transmit_width_rad[axis], self.receive_width_rad[axis]);
            1.0 / hypot(1.0 / transmit, 1.0 / receive)
        })
    }
}

/// What was transmitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pulse {
    /// Swept or constant frequency.
    pub kind: PulseKind,
    /// Frequency at the start, in hertz.
    pub start_hz: f64,
    /// Frequency at the end, in hertz; equal to the start for a constant one.
    pub end_hz: f64,
    /// Full length, in seconds.
    pub duration_s: f64,
    /// Amplitude over time.
    pub shading: Shading,
}

impl Pulse {
    /// Width of the swept band, in hertz; of a constant-frequency pulse, one over its length.
    pub fn bandwidth_hz(&self) -> f64 {
        match self.kind {
            PulseKind::Lfm => (self.end_hz - self.start_hz).abs(),
            PulseKind::Cw => 1.0 / self.duration_s,
        }
    }

    /// Frequency in the middle of the pulse, in hertz.
    pub fn centre_hz(&self) -> f64 {
        0.5 * (self.start_hz + self.end_hz)
    }
}

/// How frequency runs over a pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PulseKind {
    /// Linear frequency modulation.
    Lfm,
    /// Constant frequency.
    Cw,
}

/// How amplitude runs over a pulse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shading {
    /// Constant.
    Rectangular,
    /// Raised cosine over the whole pulse.
    Hann,
    /// Constant with raised-cosine ends; the fraction of the pulse that is taper, 0 to 1.
    Tukey(f64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn across_track_angles_are_positive_to_starboard() {
        let beam = Beam::at(0.5, 0.0, [0.02, 2.0], [0.4, 0.02]);
        assert!(beam.direction.vector().y < 0.0, "starboard is -y");
        assert!(beam.direction.vector().z < 0.0, "down is -z");
        assert!((beam.across_rad() - 0.5).abs() < 1e-12);
        assert!((beam.direction.vector().norm() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn along_track_angles_are_positive_forward() {
        let beam = Beam::at(0.3, 0.2, [0.02, 2.0], [0.4, 0.02]);
        assert!(beam.direction.vector().x > 0.0);
        assert!((beam.along_rad() - 0.2).abs() < 1e-12 && (beam.across_rad() - 0.3).abs() < 1e-12);
    }

    #[test]
    fn a_narrow_transmit_beam_decides_the_two_way_width() {
        let beam = Beam::at(0.0, 0.0, [0.02, 2.0], [0.4, 0.02]);
        let [along, across] = beam.two_way_width_rad();
        assert!((along - 0.019_975).abs() < 1e-5 && (across - 0.019_999).abs() < 1e-5);
    }
}
