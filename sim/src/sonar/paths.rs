//! How sound travels between the sonar and a scatterer: what of it arrives, when, from where, and how
//! strong.

use std::f64::consts::TAU;

use nalgebra::{Matrix3, Vector3};
use rustfft::num_complex::Complex;

use super::Sonar;
use crate::scene::Scene;

/// Facets met at a smaller cosine of incidence give nothing.
const LEAST_COSINE: f64 = 0.02;

/// No mirror.
pub(super) const NO_MIRROR: u32 = u32::MAX;

/// Sound of one scatterer that arrives at the acoustic centre, before the receiver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// From transmit centre to the middle of the pulse.
    pub(super) delay_s: f64,
    /// Relative Doppler shift: positive when sonar and scatterer approach.
    pub(super) doppler: f64,
    /// Unit vector to where the sound comes from, in `Sensor` axes at reception.
    pub(super) from: Vector3<f64>,
    /// Radius of the wave front at the acoustic centre, in metres.
    #[allow(dead_code, reason = "only an array by its elements hears the curvature")]
    pub(super) radius_m: f64,
    /// With transmit beam, scattering, spreading and absorption, and the carrier's phase.
    pub(super) amplitude: Complex<f32>,
    /// The surface that scattered it: its place in the scene's list.
    pub(super) surface: u32,
    /// How many mirrors the way out and the way back met together; 0 for an echo proper.
    pub(super) order: u8,
    /// The surfaces of the mirrors, in the order the sound met them; [`NO_MIRROR`] where there is none.
    pub(super) mirrors: [u32; 2],
    /// Where the scatterer truly is, in `Quay`.
    pub(super) point: Vector3<f32>,
}

/// Where the sonar is during one ping, and how it moves; `Sensor` axes at the transmit centre.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posture {
    pub(super) sensor_from_quay: Matrix3<f64>,
    /// Place in `Quay`.
    pub(super) origin: Vector3<f64>,
    /// Rotation rate, rad/s.
    pub(super) rate: Vector3<f64>,
    /// Velocity, m/s.
    pub(super) velocity: Vector3<f64>,
}

/// How the strength of a scatterer depends on the angles of incidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    /// Not at all: a wavelet of a mirror-like echo.
    Glint,
    /// The scattered power is proportional to the cosines of both angles.
    Lambert,
}

/// One scatterer; place and outward normal in the axes of a [`Posture`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Scatterer {
    pub(super) surface: u32,
    pub(super) point: Vector3<f64>,
    pub(super) normal: Vector3<f64>,
    pub(super) law: Law,
    /// Amplitude at normal incidence, against a target of 0 dB.
    pub(super) strength: f64,
    pub(super) speckle: Complex<f32>,
}

/// Follows the sound of one ping.
pub(super) struct Paths<'a> {
    sonar: &'a Sonar,
    scene: &'a Scene,
    posture: &'a Posture,
    arrivals: Vec<Arrival>,
}

impl<'a> Paths<'a> {
    pub(super) fn new(sonar: &'a Sonar, scene: &'a Scene, posture: &'a Posture) -> Self {
        Self {
            sonar,
            scene,
            posture,
            arrivals: Vec::new(),
        }
    }

    pub(super) fn into_arrivals(self) -> Vec<Arrival> {
        self.arrivals
    }

    /// Keeps the echo of a scatterer if it is heard.
    pub(super) fn collect(&mut self, scatterer: &Scatterer) {
        if let Some(arrival) = self.direct(scatterer) {
            self.arrivals.push(arrival);
        }
    }

    /// Straight there and straight back.
    fn direct(&self, scatterer: &Scatterer) -> Option<Arrival> {
        let (point, normal) = (&scatterer.point, &scatterer.normal);
        let range = point.norm();
        let direction = point / range;
        let lit = f64::from(self.sonar.transmit.at(direction.x));
        let turned_away = -direction.dot(normal) < LEAST_COSINE;
        if turned_away || lit == 0.0 || range > self.sonar.farthest_m || self.posture.height_of(point) >= 0.0
        {
            return None;
        }
        let reception = self
            .posture
            .reception(point, range, self.sonar.sound_speed_m_per_s);
        if !self.sonar.hears(&reception.from) {
            return None;
        }
        let in_quay = self.posture.in_quay(point);
        if !self.scene.sees(&self.posture.origin, &in_quay) {
            return None;
        }
        let strength = match scatterer.law {
            Law::Glint => scatterer.strength,
            Law::Lambert => scatterer.strength * (-point.dot(normal) / point.norm()),
        };
        let echo = Scatterer {
            strength: strength * lit,
            ..*scatterer
        };
        Some(Arrival {
            point: in_quay.map(|part| part as f32),
            ..arrival(self.sonar, &echo, &reception, &self.posture.velocity)
        })
    }
}

/// An arrival with spreading, absorption, Doppler and the carrier's phase. A scatterer of strength 1 at
/// 1 m without absorption has amplitude 1. The scatterer's place is not known here.
pub(super) fn arrival(
    sonar: &Sonar,
    scatterer: &Scatterer,
    reception: &Reception,
    velocity: &Vector3<f64>,
) -> Arrival {
    let range = scatterer.point.norm();
    let loss = (-sonar.absorption_per_m * (range + reception.range_m)).exp() / (range * reception.range_m);
    let phase = -TAU * (sonar.pulse.centre_hz() * reception.delay_s).fract();
    let amplitude = Complex::from_polar(scatterer.strength * loss, phase);
    Arrival {
        delay_s: reception.delay_s,
        doppler: 2.0 * velocity.dot(&(scatterer.point / range)) / sonar.sound_speed_m_per_s,
        from: reception.from,
        radius_m: reception.range_m,
        amplitude: Complex::new(amplitude.re as f32, amplitude.im as f32) * scatterer.speckle,
        surface: scatterer.surface,
        order: 0,
        mirrors: [NO_MIRROR; 2],
        point: Vector3::zeros(),
    }
}

/// The way back of an echo.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reception {
    /// Length of the way back, in metres.
    pub(super) range_m: f64,
    /// From transmit centre to the echo's centre.
    pub(super) delay_s: f64,
    /// Unit vector to where it comes from, in `Sensor` axes at reception.
    pub(super) from: Vector3<f64>,
}

impl Posture {
    /// Height above the still water of a point in `Sensor` axes.
    pub(super) fn height_of(&self, point: &Vector3<f64>) -> f64 {
        self.origin.z + self.sensor_from_quay.column(2).dot(point)
    }

    /// A point in `Sensor` axes as one in `Quay`.
    pub(super) fn in_quay(&self, point: &Vector3<f64>) -> Vector3<f64> {
        self.sensor_from_quay.transpose() * point + self.origin
    }

    /// When and from where the echo of a point comes back. The sonar goes on at constant rate and
    /// velocity; its place when the echo arrives is found from the two-way time at rest, which errs by
    /// the square of velocity over sound speed: nanometres.
    pub(super) fn reception(&self, point: &Vector3<f64>, range: f64, sound_speed: f64) -> Reception {
        let rest = 2.0 * range / sound_speed;
        let then = point - (self.velocity + self.rate.cross(point)) * rest;
        let back = then.norm();
        Reception {
            range_m: back,
            delay_s: (range + back) / sound_speed,
            from: then / back,
        }
    }
}
