//! What a receiver adds to the sound it hears: noise, hum, a neighbour's pings, leaks between its
//! channels, and counts.

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use beluga_types::{Pulse, SampleValues};
use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use crate::random::{Dice, Source};
use crate::scenario::{Hum, Neighbour, SonarScenario};

/// A receiver's band reaches this part of half the sample rate: what is farther from the carrier is
/// not heard.
const BAND: f64 = 0.95;

/// One ping's place in the run, for what does not follow the pings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) seed: u64,
    pub(super) ping: u64,
    /// Seconds from the run's start to the transmit centre.
    pub(super) start_s: f64,
}

/// The receiver behind the transducers.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    /// Of each part of a sample, one sigma.
    pub(super) noise: f32,
    /// What a count is.
    pub(super) scale: f32,
    counts_per_unit: f32,
    /// The largest count.
    most: f32,
    /// Amplitude of the largest count.
    pub(super) full_scale: f32,
    crosstalk: Option<f32>,
    hum: Option<Hum>,
    neighbour: Option<Neighbour>,
    centre_hz: f64,
    sample_rate_hz: f64,
    clipped: Arc<AtomicU64>,
}

fn amplitude(decibels: f64) -> f64 {
    10f64.powf(decibels / 20.0)
}

impl Receiver {
    pub(super) fn new(sonar: &SonarScenario, pulse: &Pulse) -> Self {
        let full_scale = amplitude(sonar.full_scale_db);
        let most = (1i32 << (sonar.bits - 1)) - 1;
        let scale = full_scale / f64::from(most);
        Self {
            noise: (amplitude(sonar.noise_db) * FRAC_1_SQRT_2) as f32,
            scale: scale as f32,
            counts_per_unit: (1.0 / scale) as f32,
            most: most as f32,
            full_scale: full_scale as f32,
            crosstalk: sonar.crosstalk_db.map(|level| amplitude(level) as f32),
            hum: sonar.hum,
            neighbour: sonar.neighbour,
            centre_hz: pulse.centre_hz(),
            sample_rate_hz: sonar.sample_rate_hz,
            clipped: Arc::default(),
        }
    }

    pub(super) fn clipped(&self) -> u64 {
        self.clipped.load(Ordering::Relaxed)
    }

    /// Unit vector to the neighbour in `Sensor` axes, if there is one.
    pub(super) fn neighbour_from(&self) -> Option<Vector3<f64>> {
        self.neighbour.map(|other| {
            let (along, across) = (other.along_deg.to_radians(), other.across_deg.to_radians());
            Vector3::new(
                along.sin(),
                -along.cos() * across.sin(),
                -along.cos() * across.cos(),
            )
        })
    }

    /// Adds what does not come from this device's own ping. The neighbour is heard with `gain`, and
    /// `late_s` later than at the acoustic centre.
    pub(super) fn disturb(&self, row: &mut [Complex<f32>], moment: &Moment, gain: Complex<f32>, late_s: f64) {
        if let Some(hum) = &self.hum {
            self.add_hum(row, hum, moment);
        }
        if let Some(other) = &self.neighbour
            && gain != Complex::default()
        {
            self.add_neighbour(row, other, moment, gain, late_s);
        }
    }

    fn add_hum(&self, row: &mut [Complex<f32>], hum: &Hum, moment: &Moment) {
        let level = amplitude(hum.level_db);
        let start = (hum.frequency_hz * moment.start_s).fract();
        let aside_hz = hum.frequency_hz - self.centre_hz;
        for (i, value) in row.iter_mut().enumerate() {
            let turn = start + aside_hz * i as f64 / self.sample_rate_hz;
            let tone = Complex::from_polar(level, TAU * turn.fract());
            *value += Complex::new(tone.re as f32, tone.im as f32);
        }
    }

    fn add_neighbour(
        &self,
        row: &mut [Complex<f32>],
        other: &Neighbour,
        moment: &Moment,
        gain: Complex<f32>,
        late_s: f64,
    ) {
        let half_s = 0.5 * other.pulse_s;
        let end_s = row.len() as f64 / self.sample_rate_hz;
        let since_s = moment.start_s - other.start_s - late_s;
        // Its pings whose pulses touch the record.
        let first = ((since_s - half_s) * other.rate_hz).ceil().max(0.0) as u64;
        let aside_hz = other.centre_hz - self.centre_hz;
        let sweep = other.bandwidth_hz / other.pulse_s;
        let band_hz = 0.5 * BAND * self.sample_rate_hz;
        for ping in first.. {
            let centre_s = ping as f64 / other.rate_hz - since_s;
            if centre_s - half_s > end_s {
                break;
            }
            let dice = Dice::new(moment.seed, Source::NeighbourPing, ping, 0);
            // The carrier's phase where the channel hears it later.
            let phase = dice.uniform(0) - (other.centre_hz * late_s).fract();
            let first = ((centre_s - half_s) * self.sample_rate_hz).ceil().max(0.0) as usize;
            let end = ((centre_s + half_s) * self.sample_rate_hz).floor() + 1.0;
            let end = (end.max(0.0) as usize).min(row.len());
            for (i, value) in row.iter_mut().enumerate().take(end).skip(first) {
                let t = i as f64 / self.sample_rate_hz - centre_s;
                if (aside_hz + sweep * t).abs() > band_hz {
                    continue;
                }
                let angle = TAU * (phase + aside_hz * t) + PI * sweep * t * t;
                let heard = Complex::from_polar(amplitude(other.level_db), angle);
                *value += gain * Complex::new(heard.re as f32, heard.im as f32);
            }
        }
    }

    /// Adds to each of `rows` what leaks from its neighbours.
    pub(super) fn leak(&self, rows: &mut [Complex<f32>], samples: usize) {
        let Some(crosstalk) = self.crosstalk else {
            return;
        };
        let mut before = vec![Complex::default(); samples];
        let channels = rows.len() / samples.max(1);
        for channel in 0..channels {
            let start = channel * samples;
            let (row, after) = rows[start..].split_at_mut(samples);
            for (i, (value, before)) in row.iter_mut().zip(&mut before).enumerate() {
                let own = *value;
                let next = after.get(i).copied().unwrap_or_default();
                *value += (*before + next) * crosstalk;
                *before = own;
            }
        }
    }

    /// Whether channels leak into each other.
    pub(super) fn leaks(&self) -> bool {
        self.crosstalk.is_some()
    }

    /// Adds the noise of one channel of a ping, of `part` of its amplitude; the same draws as
    /// [`Self::counts`].
    pub(super) fn add_noise(&self, row: &mut [Complex<f32>], moment: &Moment, channel: u64, part: f32) {
        let dice = Dice::new(moment.seed, Source::SonarNoise, moment.ping, channel);
        let noise = self.noise * part;
        for (i, value) in (0u64..).zip(row) {
            let [re, im] = dice.normal_pair(i);
            *value += Complex::new(noise * re, noise * im);
        }
    }

    /// Cuts samples at `part` of full scale and rounds them to its counts.
    pub(super) fn digitise(&self, row: &mut [Complex<f32>], part: f32) {
        let mut clipped = 0;
        let mut digital = |value: f32| {
            let count = (value * self.counts_per_unit / part).round();
            clipped += u64::from(count.abs() > self.most);
            count.clamp(-self.most, self.most) * self.scale * part
        };
        for value in row {
            *value = Complex::new(digital(value.re), digital(value.im));
        }
        self.count_clipped(clipped);
    }

    /// Samples with noise, as counts; what is louder than full scale is clipped and counted.
    pub(super) fn counts(
        &self,
        row: &[Complex<f32>],
        moment: &Moment,
        channel: u64,
        counts: &mut Vec<[i16; 2]>,
    ) {
        let dice = Dice::new(moment.seed, Source::SonarNoise, moment.ping, channel);
        let mut clipped = 0;
        counts.extend((0u64..).zip(row).map(|(i, value)| {
            let noise = dice.normal_pair(i);
            [value.re + self.noise * noise[0], value.im + self.noise * noise[1]].map(|part| {
                let count = part * self.counts_per_unit + 0.5f32.copysign(part);
                clipped += u64::from(count.abs() >= self.most + 1.0);
                // `as` cuts towards zero.
                count.clamp(-self.most - 1.0, self.most) as i16
            })
        }));
        self.count_clipped(clipped);
    }

    pub(super) fn count_clipped(&self, clipped: u64) {
        if clipped > 0 {
            self.clipped.fetch_add(clipped, Ordering::Relaxed);
        }
    }

    /// The counts of a whole ping from rows without noise.
    pub(super) fn counts_of(&self, rows: &[Complex<f32>], samples: usize, moment: &Moment) -> SampleValues {
        let mut counts = Vec::with_capacity(rows.len());
        for (channel, row) in (0..).zip(rows.chunks(samples.max(1))) {
            self.counts(row, moment, channel, &mut counts);
        }
        SampleValues::IqI16(counts)
    }
}
