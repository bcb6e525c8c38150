//! The sonar: what a device makes of the sound that arrives at it.
//!
//! Every ping begins as [`Arrival`]s at the acoustic centre ([`facets`]): the echoes of all
//! scatterers with two-way spreading, absorption, Doppler and the carrier's phase, weighted with the
//! transmit pattern. What the device receives of them is its own business: a fan of beams
//! ([`beams`]), its detections ([`detections`]), the elements of an array ([`elements`]), or strength
//! over range ([`profile`]). [`ideal`] beams of an array's elements are for comparison. Waveforms are written out ([`waveform`]), then come noise, a neighbour's
//! pings and counts ([`receiver`]).
//!
//! Patterns are taken at the pulse's middle frequency. Over a band of 16 % the mean power in the main
//! lobe differs from that by less than 0.2 dB (a test states it).

mod absorption;
mod air;
mod aperture;
mod arrays;
mod beams;
#[cfg(test)]
mod bench;
mod contribution;
mod detections;
mod device;
mod doppler;
mod elements;
mod facets;
mod ghost;
mod hearing;
mod ideal;
#[cfg(test)]
mod laws;
mod leg;
mod level;
mod loss;
mod matched;
mod mirror;
mod paths;
mod pattern;
#[cfg(test)]
mod physics;
#[cfg(test)]
mod placing;
mod profile;
#[cfg(test)]
mod receive_physics;
mod receiver;
mod refraction;
mod seawater;
mod volume;
mod waveform;

use std::sync::Arc;

use beluga_types::{Beam, Pulse, SonarPing, Stamp};
use nalgebra::{Rotation3, Vector3};

use crate::faults::Growth;
use crate::rig::SONAR;
use crate::scenario::{Scenario, SonarKind, SonarScenario, WaterScenario};
use crate::vessel::{START, Sea};
use crate::world::World;
use arrays::{Receive, Transmit};
pub(crate) use contribution::Contribution;
pub(crate) use device::{cells_per_resolution, describe};
use doppler::Doppler;
#[cfg(test)]
use hearing::Echo;
use hearing::Sector;
use loss::Loss;
use matched::Matched;
pub(crate) use paths::VOLUME;
use paths::{Arrival, Posture};
use receiver::Receiver;
use refraction::Refraction;
use waveform::Synthesis;

/// When the first ping is transmitted, in seconds after the run's start.
const FIRST_S: f64 = 0.035;

/// Everything about the sonar that no ping changes.
#[derive(Clone, Debug)]
pub(crate) struct Sonar {
    device: SonarScenario,
    count: u64,
    /// Of a fan, or the one beam of a profile to each side.
    beams: Arc<[Beam]>,
    /// Where each beam of a fan looks across track, as the device believes; ascending.
    across_rad: Vec<f64>,
    /// The element places of an array, in `Sensor` axes.
    elements: Vec<Vector3<f64>>,
    pulse: Pulse,
    sound_speed_m_per_s: f64,
    /// What the device takes for the speed of sound at its head.
    head_sound_speed_m_per_s: f64,
    loss: Loss,
    refraction: Option<Refraction>,
    water: WaterScenario,
    /// The waves that lift the water's mirror, where there are waves and it mirrors.
    sea: Option<Sea>,
    multipath: u8,
    specular: bool,
    transmit: Transmit,
    receive: Receive,
    /// Where across track any of its channels hears.
    sector: Sector,
    /// How each echo's Doppler shift is written out; nothing if it is taken as a shift in time.
    doppler: Option<Doppler>,
    synthesis: Synthesis,
    /// Of devices that compress their pulse themselves.
    matched: Option<Matched>,
    receiver: Receiver,
    samples: usize,
    sample_rate_hz: f64,
    farthest_m: f64,
    cell_m: f64,
    blanking_m: f64,
    in_air: bool,
    /// What grows on the wall below water.
    growth: Option<Growth>,
}

/// Samples per channel: until the end of an echo from the farthest range.
fn samples(scenario: &Scenario) -> usize {
    let sonar = &scenario.sonar;
    let record_s = 2.0 * sonar.range_m / sonar.sound_speed_m_per_s(&scenario.water) + 0.5 * sonar.pulse_s;
    (record_s * sonar.sample_rate_hz).ceil() as usize
}

/// Transmissions of a scenario.
fn transmissions(scenario: &Scenario) -> u64 {
    let sonar = &scenario.sonar;
    let last_s = scenario.duration_s - FIRST_S - samples(scenario) as f64 / sonar.sample_rate_hz;
    if last_s < 0.0 {
        return 0;
    }
    (last_s * sonar.rate_hz + 1e-9).floor() as u64 + 1
}

fn stamp(rate_hz: f64, ping: u64) -> Stamp {
    START.shifted_s(FIRST_S + ping as f64 / rate_hz)
}

/// The transmit centres of all pings of a scenario.
pub(crate) fn ping_stamps(scenario: &Scenario) -> impl Iterator<Item = Stamp> + use<> {
    let rate_hz = scenario.sonar.rate_hz;
    (0..transmissions(scenario)).map(move |ping| stamp(rate_hz, ping))
}

impl Sonar {
    /// The true speed of sound as (depth in m, speed in m/s), straight between the levels.
    pub(crate) fn sound_speed_levels(&self) -> Vec<(f64, f64)> {
        let Some(refraction) = &self.refraction else {
            return vec![(0.0, self.sound_speed_m_per_s)];
        };
        let profile = refraction.profile();
        let levels = profile.levels_m().iter();
        levels.map(|&depth| (depth, profile.speed_at(depth))).collect()
    }

    /// How many whole pings the run has; of a side-scan each side is one.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The transmit centre of a ping.
    pub(crate) fn stamp(&self, ping: u64) -> Stamp {
        stamp(self.device.rate_hz, self.transmission(ping))
    }

    /// The transmission that a ping is of.
    fn transmission(&self, ping: u64) -> u64 {
        match self.device.kind {
            SonarKind::SideScan => ping / 2,
            _ => ping,
        }
    }

    /// Seconds from the run's start to a ping's transmit centre.
    fn moment_s(&self, ping: u64) -> f64 {
        FIRST_S + self.transmission(ping) as f64 / self.device.rate_hz
    }

    /// Power of the receiver's noise per sample, in dB against the echo of a target of 0 dB at 1 m.
    pub(crate) fn noise_db(&self) -> f64 {
        self.device.noise_db
    }

    /// Samples beyond full scale in the pings made so far: they were clipped.
    pub(crate) fn clipped(&self) -> u64 {
        self.receiver.clipped()
    }

    /// One ping and the offset of its last sample.
    pub(crate) fn ping(&self, world: &World, ping: u64) -> (SonarPing, i64) {
        let seed = world.scenario().seed;
        let posture = self.posture(world, ping);
        let arrivals = facets::arrivals(self, seed, world.scene(), &posture);
        self.received(seed, ping, &arrivals)
    }

    /// What the device makes of what arrives.
    fn received(&self, seed: u64, ping: u64, arrivals: &[Arrival]) -> (SonarPing, i64) {
        match self.device.kind {
            SonarKind::Beams => self.ping_by_beams(seed, ping, arrivals),
            SonarKind::Detections => self.ping_by_detections(seed, ping, arrivals),
            SonarKind::Elements => self.ping_by_elements(seed, ping, arrivals),
            SonarKind::Scanning | SonarKind::SideScan => self.ping_by_profile(seed, ping, arrivals),
        }
    }

    /// Where the sonar is during a ping.
    fn posture(&self, world: &World, ping: u64) -> Posture {
        let stamp = self.stamp(ping);
        let body_from_sensor = world.mount_at(SONAR, stamp);
        let quay_from_sensor = world.vessel().pose_at(stamp) * body_from_sensor;
        let [rate, velocity] = world.vessel().twist_of(stamp, &body_from_sensor);
        let posture = Posture {
            sensor_from_quay: quay_from_sensor.rotation_matrix().transpose(),
            origin: quay_from_sensor.translation(),
            rate: rate.vector(),
            velocity: velocity.vector(),
            water_z: world.vessel().water_level_m(stamp),
            ping,
        };
        self.in_head_axes(posture, ping)
    }

    /// The same in the axes of a scanning head, whose beam looks straight down; else as it is.
    fn in_head_axes(&self, posture: Posture, ping: u64) -> Posture {
        let steering_rad = self.steering_rad(ping);
        if steering_rad == 0.0 {
            return posture;
        }
        let head_from_sensor = Rotation3::from_axis_angle(&Vector3::x_axis(), steering_rad);
        Posture {
            sensor_from_quay: head_from_sensor.matrix() * posture.sensor_from_quay,
            rate: head_from_sensor * posture.rate,
            velocity: head_from_sensor * posture.velocity,
            ..posture
        }
    }

    /// How far a scanning head has turned to starboard at a ping: round and round, or to and fro.
    fn steering_rad(&self, ping: u64) -> f64 {
        if self.device.kind != SonarKind::Scanning {
            return 0.0;
        }
        let (step, sector) = (self.device.scan_step_deg, self.device.scan_deg);
        let turned = ping as f64 * step;
        let degrees = if sector >= 360.0 {
            (turned + 180.0).rem_euclid(360.0) - 180.0
        } else {
            (turned.rem_euclid(2.0 * sector) - sector).abs() - 0.5 * sector
        };
        degrees.to_radians()
    }

    /// Amplitude that goes out towards a unit vector in `Sensor` axes, 1 on the axis.
    fn transmit(&self, direction: &Vector3<f64>) -> f32 {
        self.transmit.towards(direction)
    }

    /// Whether any channel could hear from this direction.
    fn hears(&self, from: &Vector3<f64>) -> bool {
        self.sector.holds(from, || self.receive.place(from))
    }

    /// Where a beam really looks that is steered to an angle.
    fn look(&self, across_rad: f64) -> f64 {
        let (speed, believed) = (self.sound_speed_m_per_s, self.head_sound_speed_m_per_s);
        self.receive.steered(across_rad, speed, believed)
    }

    /// Whether a height above the still water is in the medium the sound travels in.
    fn is_in_medium(&self, height_m: f64) -> bool {
        (height_m >= 0.0) == self.in_air
    }

    /// The sector across track that is heard, if there is one.
    fn span_rad(&self) -> Option<[f64; 2]> {
        if self.device.kind.is_fan() {
            return Some([*self.across_rad.first()?, *self.across_rad.last()?]);
        }
        let to_side = match self.device.kind {
            SonarKind::SideScan => self.device.side_deg,
            _ => 0.0,
        };
        let width_deg = self.device.transmit_across_deg.unwrap_or(120.0);
        let half = (to_side + width_deg).min(90.0).to_radians();
        Some([-half, half])
    }

    /// A width across track that the receiver just does not resolve.
    fn step_rad(&self) -> f64 {
        let across = match self.device.kind {
            SonarKind::Elements => 1.0 / (self.device.element_spacing * f64::from(self.device.elements[1])),
            _ => self.receive.across.reach,
        };
        match self.device.kind {
            SonarKind::Elements => 0.5 * across,
            _ => across / arrays::RECEIVE_U,
        }
    }

    /// Range resolution of the pulse, c/2B, in metres.
    fn resolution_m(&self) -> f64 {
        self.cell_m / device::cells_per_resolution(self.device.kind)
    }
}

/// Angle across track of a direction in `Sensor` axes, positive to starboard.
fn across_rad(from: &Vector3<f64>) -> f64 {
    (-from.y).atan2(-from.z)
}
