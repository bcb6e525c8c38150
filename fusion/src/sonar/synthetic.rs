//! Small made-up pings for tests: scatterers, pulses, beam patterns and noise, all seeded.

use std::f64::consts::{PI, TAU};

use beluga_types::elementary::{Squared, cos, ln, sin};
use beluga_types::{
    Beam, Beams, Elements, Point, Pulse, PulseKind, SampleValues, Shading, SonarPing, WaveformShape,
    Waveforms,
};
use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::polar::from_polar;

/// A counter turned into numbers: SplitMix64.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Uniform in (0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + 1e-17
    }

    pub(crate) fn exponential(&mut self) -> f64 {
        -ln(self.uniform())
    }

    pub(crate) fn gaussian(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * cos(TAU * self.uniform())
    }

    pub(crate) fn complex(&mut self) -> Complex<f64> {
        Complex::new(self.gaussian(), self.gaussian()) / 2f64.sqrt()
    }
}

/// The sample at `t` of a unit echo whose two-way time is `delay_s`, by the conventions of
/// [`Waveforms`]; written apart from the replica, as its twin.
pub(crate) fn echo_at(pulse: &Pulse, iq: bool, centre_hz: f64, t: f64, delay_s: f64) -> Complex<f64> {
    let s = t - delay_s;
    if s.abs() > 0.5 * pulse.duration_s {
        return Complex::new(0.0, 0.0);
    }
    let middle_hz = 0.5 * (pulse.start_hz + pulse.end_hz);
    let sweep = (pulse.end_hz - pulse.start_hz) / pulse.duration_s;
    let carrier_phase = TAU * (middle_hz * s + 0.5 * sweep * s * s);
    if iq {
        from_polar(1.0, carrier_phase - TAU * centre_hz * t)
    } else {
        Complex::new(cos(carrier_phase), 0.0)
    }
}

/// A narrow beam that hears these targets (two-way time, amplitude) in noise of unit power, for 16 ms of I/Q around
/// the middle of the pulse.
pub(crate) fn lone_beam(
    pulse: &Pulse,
    rate_hz: f64,
    targets: &[(f64, Complex<f64>)],
    noise: &mut Noise,
) -> SonarPing {
    let (samples, centre_hz) = ((16e-3 * rate_hz) as usize, pulse.centre_hz());
    let value = |n: usize| {
        let t = n as f64 / rate_hz;
        let echo = |&(delay_s, amplitude): &(f64, Complex<f64>)| {
            amplitude * echo_at(pulse, true, centre_hz, t, delay_s)
        };
        let sum = targets.iter().map(echo).sum::<Complex<f64>>() + noise.complex();
        [sum.re as f32, sum.im as f32]
    };
    let shape = WaveformShape { channels: 1, samples };
    let values = SampleValues::IqF32((0..samples).map(value).collect());
    let waveforms = Waveforms::new(shape, values, 1.0, rate_hz, centre_hz, 0.0).unwrap();
    let beam = Beam::at(0.0, 0.0, [0.02; 2], [0.02; 2]);
    SonarPing::Beams(Beams::new(waveforms, [beam].into(), *pulse, 0.0, None, 0.5).unwrap())
}

/// One thing that scatters.
#[derive(Clone, Copy)]
pub(crate) struct Scatterer {
    pub(crate) place: Vector3<f64>,
    pub(crate) amplitude: Complex<f64>,
}

/// A multibeam over scatterers.
pub(crate) struct Scene {
    pub(crate) pulse: Pulse,
    pub(crate) rate_hz: f64,
    pub(crate) samples: usize,
    pub(crate) sound_speed_m_per_s: f64,
    pub(crate) beams: Vec<Beam>,
    /// Standard deviation of each part of the noise.
    pub(crate) noise: f64,
}

impl Scene {
    /// 100 kHz of I/Q around 400 kHz, `band_hz` swept in 2 ms, room for 26 m.
    pub(crate) fn of(beams: Vec<Beam>, band_hz: f64) -> Self {
        Self {
            pulse: Pulse {
                kind: PulseKind::Lfm,
                start_hz: 400e3 - 0.5 * band_hz,
                end_hz: 400e3 + 0.5 * band_hz,
                duration_s: 2e-3,
                shading: Shading::Rectangular,
            },
            rate_hz: 100e3,
            samples: 3600,
            sound_speed_m_per_s: 1480.0,
            beams,
            noise: 0.0,
        }
    }

    /// The ping: every scatterer is seen by every beam through an unshaded array's pattern,
    /// `sinc` of the receive width across track and of the transmit width along it.
    pub(crate) fn ping(&self, scatterers: &[Scatterer], noise: &mut Noise) -> Beams {
        let length = (self.pulse.duration_s * self.rate_hz).ceil() as usize + 2;
        let mut rows = vec![Complex::new(0.0, 0.0); self.beams.len() * self.samples];
        let mut pulse = Vec::with_capacity(length);
        for scatterer in scatterers {
            let range_m = scatterer.place.norm();
            let delay_s = 2.0 * range_m / self.sound_speed_m_per_s;
            let first = ((delay_s - 0.5 * self.pulse.duration_s) * self.rate_hz)
                .floor()
                .max(0.0) as usize;
            let (first, last) = (first.min(self.samples), (first + length).min(self.samples));
            pulse.clear();
            pulse.extend(
                (first..last).map(|n| echo_at(&self.pulse, true, 400e3, n as f64 / self.rate_hz, delay_s)),
            );
            let towards = scatterer.place / range_m;
            for (beam, row) in self.beams.iter().zip(rows.chunks_mut(self.samples)) {
                let gain = pattern(beam, &towards);
                if gain.abs() < 3e-3 {
                    continue;
                }
                let amplitude = scatterer.amplitude * gain / range_m.squared();
                for (slot, sample) in row[first..last].iter_mut().zip(&pulse) {
                    *slot += amplitude * sample;
                }
            }
        }
        let values = rows
            .iter()
            .map(|value| {
                let value = value + Complex::new(noise.gaussian(), noise.gaussian()) * self.noise;
                [value.re as f32, value.im as f32]
            })
            .collect();
        let shape = WaveformShape {
            channels: self.beams.len(),
            samples: self.samples,
        };
        let waveforms =
            Waveforms::new(shape, SampleValues::IqF32(values), 1.0, self.rate_hz, 400e3, 0.0).unwrap();
        Beams::new(waveforms, self.beams.clone().into(), self.pulse, 0.0, None, 0.5).unwrap()
    }
}

/// Response of a beam to a direction: transmit pattern along track, receive pattern across.
fn pattern(beam: &Beam, towards: &Vector3<f64>) -> f64 {
    let axes = super::echo::BeamAxes::of(beam.direction.vector());
    if towards.dot(&axes.direction) <= 0.0 {
        return 0.0;
    }
    let [along, across] = axes.offsets(towards);
    let lobe = |angle: f64, width: f64| {
        let x = 0.886 * PI * sin(angle) / width;
        if x.abs() < 1e-9 { 1.0 } else { sin(x) / x }
    };
    lobe(along, beam.transmit_width_rad[0]) * lobe(across, beam.receive_width_rad[1])
}

/// Hydrophones around a transmitter that sends to all sides.
pub(crate) struct Hydrophones {
    pub(crate) pulse: Pulse,
    pub(crate) rate_hz: f64,
    pub(crate) centre_hz: f64,
    pub(crate) samples: usize,
    pub(crate) sound_speed_m_per_s: f64,
    pub(crate) places: Vec<Vector3<f64>>,
    /// Standard deviation of the noise, both parts together.
    pub(crate) noise: f64,
}

impl Hydrophones {
    /// What each hears of all scatterers, each over its own way.
    pub(crate) fn ping(&self, scatterers: &[Scatterer], noise: &mut Noise) -> Elements {
        let length = (self.pulse.duration_s * self.rate_hz).ceil() as usize + 2;
        let mut values = Vec::with_capacity(self.places.len() * self.samples);
        for place in &self.places {
            let mut row: Vec<_> = (0..self.samples).map(|_| noise.complex() * self.noise).collect();
            for scatterer in scatterers {
                let way_m = scatterer.place.norm() + (scatterer.place - place).norm();
                let delay_s = way_m / self.sound_speed_m_per_s;
                let first = ((delay_s - 0.5 * self.pulse.duration_s) * self.rate_hz).floor();
                let first = (first.max(0.0) as usize).min(self.samples);
                for (n, slot) in row.iter_mut().enumerate().skip(first).take(length) {
                    let t = n as f64 / self.rate_hz;
                    *slot += scatterer.amplitude * echo_at(&self.pulse, true, self.centre_hz, t, delay_s);
                }
            }
            values.extend(row.iter().map(|value| [value.re as f32, value.im as f32]));
        }
        let shape = WaveformShape {
            channels: self.places.len(),
            samples: self.samples,
        };
        let values = SampleValues::IqF32(values);
        Elements {
            waveforms: Waveforms::new(shape, values, 1.0, self.rate_hz, self.centre_hz, 0.0).unwrap(),
            positions: self
                .places
                .iter()
                .map(|place| Point::from_vector(*place))
                .collect(),
            beam: None,
            pulse: Some(self.pulse),
            sound_speed_m_per_s: None,
            blanking_m: 0.3,
        }
    }
}
