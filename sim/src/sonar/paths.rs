//! How sound travels between the sonar and a scatterer: what of it arrives, when, from where, and how
//! strong.

use std::f64::consts::{PI, TAU};

use nalgebra::{Matrix3, Vector3};
use rustfft::num_complex::Complex;

use super::Sonar;
use super::refraction::Station;
use crate::scene::Scene;

/// Facets met at a smaller cosine of incidence give nothing.
pub(super) const LEAST_COSINE: f64 = 0.02;

/// No mirror, where a list of mirrors has a place for one.
pub(crate) const NO_MIRROR: u32 = u32::MAX;
/// The water itself among surfaces.
pub(crate) const VOLUME: u32 = u32::MAX - 2;

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
    pub(super) radius_m: f64,
    /// With transmit beam, scattering, spreading and absorption, and the carrier's phase.
    pub(super) amplitude: Complex<f32>,
    /// The surface that scattered it: its place in the scene's list; [`VOLUME`] for the water itself.
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
    /// Height of the water's surface in `Quay`.
    pub(super) water_z: f64,
    /// Number of the ping.
    pub(super) ping: u64,
}

/// How the strength of a scatterer depends on the angles of incidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Law {
    /// Not at all: a wavelet of a mirror-like echo, or a scatterer without a face.
    Any,
    /// The scattered power is proportional to the cosines of both angles.
    Lambert,
    /// That, and the glints of smooth parts.
    Rough(Lobe),
}

/// The glints of a rough face whose smooth parts lie at normally distributed slopes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lobe {
    /// Amplitude reflected at normal incidence, times the root of the area.
    pub(super) strength: f64,
    /// Standard deviation of the slope in one direction.
    pub(super) slope: f64,
}

/// One scatterer; place and outward normal in the axes of a [`Posture`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Scatterer {
    pub(super) surface: u32,
    /// Tells it from all others of a run.
    pub(super) key: u64,
    pub(super) point: Vector3<f64>,
    pub(super) normal: Vector3<f64>,
    pub(super) law: Law,
    /// Amplitude at normal incidence, against a target of 0 dB.
    pub(super) strength: f64,
    pub(super) speckle: Complex<f32>,
}

impl Scatterer {
    /// Amplitude by the cosines of incidence of the way out and the way back, and of their middle.
    pub(super) fn strength(&self, cosine: f64, middle: f64) -> f64 {
        match self.law {
            Law::Any => self.strength,
            Law::Lambert => self.strength * cosine,
            Law::Rough(lobe) => (self.strength * cosine).hypot(lobe.amplitude(middle)),
        }
    }
}

impl Lobe {
    /// Amplitude at a cosine of incidence θ: power per area |R|² / (8π s²) sec⁴θ exp(-tan²θ / 2 s²), the
    /// high-frequency limit of Kirchhoff's approximation for an even mean-square slope; L. Brekhovskikh
    /// and Yu. Lysanov, "Fundamentals of Ocean Acoustics", Springer 2003, section 9.6.
    fn amplitude(&self, cosine: f64) -> f64 {
        let square = cosine * cosine;
        let tangent_squared = (1.0 - square).max(0.0) / square;
        let part = (-0.25 * tangent_squared / (self.slope * self.slope)).exp();
        self.strength / ((8.0 * PI).sqrt() * self.slope) / square * part
    }
}

/// The way there and back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// Unit vector in which the sound leaves, in `Sensor` axes.
    pub(super) leaving: Vector3<f64>,
    /// Unit vector in which it meets the scatterer, in the axes of the scatterer.
    pub(super) meeting: Vector3<f64>,
    pub(super) reception: Reception,
    /// Distance in even water over which pressure falls as much as on the way out, in metres.
    pub(super) out_m: f64,
    /// Loss of amplitude there and back beside spreading.
    pub(super) nepers: f64,
}

/// Follows the sound of one ping.
pub(super) struct Paths<'a> {
    pub(super) sonar: &'a Sonar,
    pub(super) scene: &'a Scene,
    pub(super) posture: &'a Posture,
    pub(super) seed: u64,
    station: Option<Station<'a>>,
    pub(super) arrivals: Vec<Arrival>,
}

impl<'a> Paths<'a> {
    pub(super) fn new(sonar: &'a Sonar, seed: u64, scene: &'a Scene, posture: &'a Posture) -> Self {
        let refraction = sonar.refraction.as_ref();
        Self {
            sonar,
            scene,
            posture,
            seed,
            station: refraction.map(|refraction| refraction.station(posture.depth())),
            arrivals: Vec::new(),
        }
    }

    /// Keeps the echo of a scatterer if it is heard without a mirror.
    pub(super) fn collect(&mut self, scatterer: &Scatterer) {
        if let Some(arrival) = self.direct(scatterer) {
            self.arrivals.push(arrival);
        }
    }

    fn direct(&self, scatterer: &Scatterer) -> Option<Arrival> {
        let (point, normal) = (&scatterer.point, &scatterer.normal);
        let range = point.norm();
        let direction = point / range;
        let turned_away = -direction.dot(normal) < LEAST_COSINE;
        if turned_away
            || range > self.sonar.farthest_m
            || self.sonar.transmit(&direction) == 0.0
            || self.scene.has_water && !self.sonar.is_in_medium(self.posture.height_of(point))
        {
            return None;
        }
        let round = match &self.station {
            None => self.posture.straight(self.sonar, point),
            Some(station) => self.posture.bent(self.sonar, station, point)?,
        };
        if !self.sonar.hears(&round.reception.from) {
            return None;
        }
        let in_quay = self.posture.in_quay(point);
        if !self.scene.sees(&self.posture.origin, &in_quay) {
            return None;
        }
        let cosine = match &self.station {
            None => -point.dot(normal) / point.norm(),
            Some(_) => (-round.meeting.dot(normal)).max(0.0),
        };
        let lit = f64::from(self.sonar.transmit(&round.leaving));
        let strength = scatterer.strength(cosine, cosine) * lit;
        Some(Arrival {
            surface: scatterer.surface,
            point: in_quay.map(|part| part as f32),
            ..arrival(
                self.sonar,
                &round,
                strength,
                scatterer.speckle,
                &self.posture.velocity,
            )
        })
    }
}

/// An arrival with spreading, losses, Doppler and the carrier's phase. A scatterer of strength 1 at 1 m
/// without absorption has amplitude 1. Its surface and place are not known here.
pub(super) fn arrival(
    sonar: &Sonar,
    round: &Round,
    strength: f64,
    speckle: Complex<f32>,
    velocity: &Vector3<f64>,
) -> Arrival {
    let reception = &round.reception;
    let loss = (-round.nepers).exp() / (round.out_m * reception.range_m);
    let phase = -TAU * (sonar.pulse.centre_hz() * reception.delay_s).fract();
    let amplitude = Complex::from_polar(strength * loss, phase);
    Arrival {
        delay_s: reception.delay_s,
        doppler: 2.0 * velocity.dot(&round.leaving) / sonar.sound_speed_m_per_s,
        from: reception.from,
        radius_m: reception.range_m,
        amplitude: Complex::new(amplitude.re as f32, amplitude.im as f32) * speckle,
        surface: VOLUME,
        order: 0,
        mirrors: [NO_MIRROR; 2],
        point: Vector3::zeros(),
    }
}

/// The way back of an echo.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reception {
    /// Length of the way back, in metres; where rays are bent, the distance in even water over which
    /// pressure falls as much.
    pub(super) range_m: f64,
    /// From transmit centre to the echo's centre.
    pub(super) delay_s: f64,
    /// Unit vector to where it comes from, in `Sensor` axes at reception.
    pub(super) from: Vector3<f64>,
}

impl Posture {
    /// Height above the still water of a point in `Sensor` axes.
    pub(super) fn height_of(&self, point: &Vector3<f64>) -> f64 {
        self.origin.z - self.water_z + self.sensor_from_quay.column(2).dot(point)
    }

    /// Whether a point in `Quay` is out of the water.
    pub(super) fn is_dry(&self, scene: &Scene, in_quay: &Vector3<f64>) -> bool {
        in_quay.z >= scene.top_z(self.water_z)
    }

    /// Depth of the sonar.
    pub(super) fn depth(&self) -> f64 {
        self.water_z - self.origin.z
    }

    /// A point in `Sensor` axes as one in `Quay`.
    pub(super) fn in_quay(&self, point: &Vector3<f64>) -> Vector3<f64> {
        self.sensor_from_quay.transpose() * point + self.origin
    }

    /// A point in `Quay` as one in `Sensor` axes.
    pub(super) fn in_axes(&self, point: &Vector3<f64>) -> Vector3<f64> {
        self.sensor_from_quay * (point - self.origin)
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

    /// There and back through even water.
    pub(super) fn straight(&self, sonar: &Sonar, point: &Vector3<f64>) -> Round {
        let range = point.norm();
        let reception = self.reception(point, range, sonar.sound_speed_m_per_s);
        let both = range + reception.range_m;
        let direction = point / range;
        Round {
            leaving: direction,
            meeting: direction,
            nepers: if sonar.loss.is_even() {
                sonar.loss.even_per_m * both
            } else {
                sonar.loss.along(self.depths(point), both)
            },
            reception,
            out_m: range,
        }
    }

    /// There and back along rays; nothing in a shadow. The way back is the way out, changed as the
    /// straight way is changed by the sonar's motion meanwhile: within a nanosecond at 1 m/s.
    fn bent(&self, sonar: &Sonar, station: &Station<'_>, point: &Vector3<f64>) -> Option<Round> {
        let range = point.norm();
        let arm = self.sensor_from_quay.transpose() * point;
        let distance = arm.x.hypot(arm.y);
        let ray = station.ray_to(self.depth() - arm.z, distance)?;
        // A way straight down has no sides to bend to.
        let level = if distance > 1e-9 {
            Vector3::new(arm.x / distance, arm.y / distance, 0.0)
        } else {
            Vector3::zeros()
        };
        let along = |angle: f64| {
            let (sin, cos) = angle.sin_cos();
            self.sensor_from_quay * (level * cos - Vector3::z() * sin)
        };
        let leaving = along(ray.departure_rad);
        let straight = self.reception(point, range, range / ray.time_s);
        let longer = straight.range_m / range;
        Some(Round {
            leaving,
            meeting: along(ray.arrival_rad),
            nepers: sonar.loss.along(self.depths(point), range + straight.range_m),
            reception: Reception {
                range_m: ray.spreading_m * longer,
                delay_s: 2.0 * ray.time_s + (straight.range_m - range) / station.speed_m_per_s(),
                from: (leaving + straight.from - point / range).normalize(),
            },
            out_m: ray.spreading_m,
        })
    }

    /// Depths of the sonar and of a point in `Sensor` axes.
    fn depths(&self, point: &Vector3<f64>) -> [f64; 2] {
        [self.depth(), -self.height_of(point)]
    }
}
