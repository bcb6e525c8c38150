//! The multibeam: a narrow line of sound along track, heard by narrow beams across it.
//!
//! Every ping is a synthesised waveform: the echoes of all scatterers ([`facets`]) with two-way
//! spreading, absorption, Doppler and the carrier's phase, weighted by each beam's pattern
//! ([`pattern`]), convolved with the pulse ([`waveform`]), plus receiver noise, as 16-bit counts.
//!
//! Transmitter: a line along track with Hann shading. Receiver: an arc across track with Hann
//! shading, so that all beams are equally wide. Both patterns are taken at the middle frequency.

mod absorption;
#[allow(dead_code, reason = "for the truth of single returns")]
mod contribution;
mod facets;
mod ghost;
#[cfg(test)]
mod laws;
mod loss;
mod mirror;
mod paths;
mod pattern;
#[cfg(test)]
mod physics;
mod refraction;
mod seawater;
mod volume;
mod waveform;

use std::f64::consts::FRAC_1_SQRT_2;
use std::sync::Arc;

use beluga_types::{
    Beam, Beams, Body, Pulse, PulseKind, Rig, SampleValues, Sensor, Shading, SonarPing, Stamp, Transform,
    WaveformShape, Waveforms,
};
use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use crate::random::{Dice, Source};
use crate::rig::SONAR;
use crate::scenario::{Scenario, WaterScenario};
use crate::vessel::START;
use crate::world::World;
#[allow(unused_imports, reason = "for the truth of single returns")]
pub(crate) use contribution::Contribution;
use loss::Loss;
use paths::{Arrival, Posture};
use pattern::Pattern;
use refraction::Refraction;
use waveform::{Scratch, Synthesis, Taps};

/// When the first ping is transmitted, in seconds after the run's start.
const FIRST_S: f64 = 0.035;
/// The transmit pattern is followed to the end of its first side lobe.
const TRANSMIT_U: f64 = 3.0;
/// The receive pattern is followed until its side lobes are below -50 dB.
const RECEIVE_U: f64 = 5.0;
/// Scatterers stand this part of the range resolution apart.
const CELL_PER_RESOLUTION: f64 = 1.2;
/// Part of the pulse that is taper.
const TAPER: f64 = 0.1;

/// An arrival as the fan of beams hears it.
#[derive(Clone, Copy, Debug)]
struct Echo {
    /// Angle across track, positive to starboard.
    across_rad: f32,
    taps: Taps,
    amplitude: Complex<f32>,
}

/// Everything about the sonar that no ping changes.
#[derive(Clone, Debug)]
pub(crate) struct Sonar {
    count: u64,
    rate_hz: f64,
    body_from_sensor: Transform<Body, Sensor>,
    beams: Arc<[Beam]>,
    /// Each beam's angle across track; ascending.
    across_rad: Vec<f64>,
    pulse: Pulse,
    sound_speed_m_per_s: f64,
    loss: Loss,
    refraction: Option<Refraction>,
    water: WaterScenario,
    /// Height of the water's surface, above which there is no sound; infinite in air.
    roof_m: f64,
    multipath: u8,
    specular: bool,
    transmit: Pattern,
    receive: Pattern,
    synthesis: Synthesis,
    samples: usize,
    sample_rate_hz: f64,
    farthest_m: f64,
    cell_m: f64,
    noise: f32,
    scale: f32,
    counts_per_unit: f32,
    blanking_m: f64,
}

/// Samples per beam: until the end of an echo from the farthest range.
fn samples(scenario: &Scenario) -> usize {
    let sonar = &scenario.sonar;
    let record_s = 2.0 * sonar.range_m / scenario.water.sound_speed_m_per_s + 0.5 * sonar.pulse_s;
    (record_s * sonar.sample_rate_hz).ceil() as usize
}

fn count(scenario: &Scenario) -> u64 {
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
    (0..count(scenario)).map(move |ping| stamp(rate_hz, ping))
}

impl Sonar {
    pub(crate) fn new(scenario: &Scenario, rig: &Rig) -> Self {
        let sonar = &scenario.sonar;
        let spec = rig.sensor(SONAR);
        let beams: Arc<[Beam]> = spec
            .and_then(|spec| spec.beams.clone())
            .unwrap_or_else(|| Arc::from([]));
        let pulse = Pulse {
            kind: PulseKind::Lfm,
            start_hz: sonar.centre_hz - 0.5 * sonar.bandwidth_hz,
            end_hz: sonar.centre_hz + 0.5 * sonar.bandwidth_hz,
            duration_s: sonar.pulse_s,
            shading: Shading::Tukey(TAPER),
        };
        let c = scenario.water.sound_speed_m_per_s;
        let samples = samples(scenario);
        let record_s = samples as f64 / sonar.sample_rate_hz;
        let scale = 10f64.powf(sonar.full_scale_db / 20.0) / f64::from(i16::MAX);
        let width = sonar.beam_width_deg.to_radians();
        let farthest_m = 0.5 * c * (record_s + 0.5 * sonar.pulse_s);
        Self {
            count: count(scenario),
            rate_hz: sonar.rate_hz,
            body_from_sensor: spec.map_or_else(Transform::identity, |spec| spec.body_from_sensor()),
            across_rad: beams.iter().map(Beam::across_rad).collect(),
            beams,
            pulse,
            sound_speed_m_per_s: c,
            loss: Loss::new(&scenario.water, sonar.centre_hz),
            refraction: refraction::of(&scenario.water, farthest_m),
            water: scenario.water.clone(),
            roof_m: if scenario.water.air { f64::INFINITY } else { 0.0 },
            multipath: scenario.water.multipath,
            specular: scenario.water.specular,
            transmit: Pattern::new(width, TRANSMIT_U),
            receive: Pattern::new(width, RECEIVE_U),
            synthesis: Synthesis::new(&pulse, sonar.sample_rate_hz, samples),
            samples,
            sample_rate_hz: sonar.sample_rate_hz,
            farthest_m,
            cell_m: CELL_PER_RESOLUTION * 0.5 * c / sonar.bandwidth_hz,
            noise: (10f64.powf(sonar.noise_db / 20.0) * FRAC_1_SQRT_2) as f32,
            scale: scale as f32,
            counts_per_unit: (1.0 / scale) as f32,
            blanking_m: sonar.blanking_m,
        }
    }

    /// How many whole pings the run has.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The transmit centre of a ping.
    pub(crate) fn stamp(&self, ping: u64) -> Stamp {
        stamp(self.rate_hz, ping)
    }

    /// One ping and the offset of its last sample.
    pub(crate) fn ping(&self, world: &World, ping: u64) -> (SonarPing, i64) {
        let seed = world.scenario().seed;
        let arrivals = facets::arrivals(self, seed, world.scene(), &self.posture(world, ping));
        let mut echoes: Vec<Echo> = arrivals.iter().filter_map(|arrival| self.echo(arrival)).collect();
        echoes.sort_by(|a, b| a.across_rad.total_cmp(&b.across_rad));
        let mut scratch = self.synthesis.scratch();
        let mut values = Vec::with_capacity(self.beams.len() * self.samples);
        for (beam, &axis) in self.across_rad.iter().enumerate() {
            self.listen(&echoes, axis, &mut scratch);
            let dice = Dice::new(seed, Source::SonarNoise, ping, beam as u64);
            let row = self.synthesis.finish(&mut scratch);
            values.extend(
                (0u64..)
                    .zip(row)
                    .map(|(i, value)| self.counts(*value, dice.normal_pair(i))),
            );
        }
        let shape = WaveformShape {
            channels: self.beams.len(),
            samples: self.samples,
        };
        let values = SampleValues::IqI16(values);
        let centre_hz = self.pulse.centre_hz();
        let waveforms = Waveforms::new(shape, values, self.scale, self.sample_rate_hz, centre_hz, 0.0)
            .expect("every beam gives all its samples, and the scenario's numbers are in range");
        let last = waveforms.last_offset_nanos();
        let speed = Some(self.sound_speed_m_per_s);
        let beams = Beams::new(
            waveforms,
            self.beams.clone(),
            self.pulse,
            0.0,
            speed,
            self.blanking_m,
        )
        .expect("there is one channel per beam, and the blanking range is checked");
        (SonarPing::Beams(beams), last)
    }

    fn posture(&self, world: &World, ping: u64) -> Posture {
        let stamp = self.stamp(ping);
        let quay_from_sensor = world.vessel().pose_at(stamp) * self.body_from_sensor;
        let [rate, velocity] = world.vessel().twist_of(stamp, &self.body_from_sensor);
        Posture {
            sensor_from_quay: quay_from_sensor.rotation_matrix().transpose(),
            origin: quay_from_sensor.translation(),
            rate: rate.vector(),
            velocity: velocity.vector(),
            ping,
        }
    }

    /// Lays all echoes that a beam hears on the scratch's grid. Echoes are sorted by angle.
    fn listen(&self, echoes: &[Echo], axis_rad: f64, scratch: &mut Scratch) {
        let reach = self.receive.reach;
        let first = echoes.partition_point(|echo| f64::from(echo.across_rad) < axis_rad - reach);
        for echo in &echoes[first..] {
            let aside = f64::from(echo.across_rad) - axis_rad;
            if aside > reach {
                break;
            }
            scratch.add(&echo.taps, echo.amplitude * self.receive.at(aside));
        }
    }

    /// Whether any beam could hear from this direction.
    fn hears(&self, from: &Vector3<f64>) -> bool {
        let across_rad = across_rad(from);
        let reach = self.receive.reach;
        match (self.across_rad.first(), self.across_rad.last()) {
            (Some(first), Some(last)) => across_rad >= first - reach && across_rad <= last + reach,
            _ => false,
        }
    }

    /// What the fan hears of an arrival; nothing if it falls outside the record.
    fn echo(&self, arrival: &Arrival) -> Option<Echo> {
        // A Doppler shift of an LFM pulse is a shift in time, but for its phase: π fd²/K is below a
        // hundredth of a cycle here.
        let sweep = (self.pulse.end_hz - self.pulse.start_hz) / self.pulse.duration_s;
        let doppler_hz = self.pulse.centre_hz() * arrival.doppler;
        Some(Echo {
            across_rad: across_rad(&arrival.from) as f32,
            taps: self.synthesis.taps(arrival.delay_s - doppler_hz / sweep)?,
            amplitude: arrival.amplitude,
        })
    }

    /// A sample with noise, as counts; what is louder than full scale is clipped.
    fn counts(&self, value: Complex<f32>, noise: [f32; 2]) -> [i16; 2] {
        // `as` cuts towards zero and saturates.
        [value.re + self.noise * noise[0], value.im + self.noise * noise[1]]
            .map(|part| (part * self.counts_per_unit + 0.5f32.copysign(part)) as i16)
    }
}

/// Angle across track of a direction in `Sensor` axes, positive to starboard.
fn across_rad(from: &Vector3<f64>) -> f64 {
    (-from.y).atan2(-from.z)
}
