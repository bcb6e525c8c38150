//! Echo strength over range, of a scanning head or of the sides of a side-scan.

use beluga_types::{Profile, SonarPing, StrengthUnit};
use rustfft::num_complex::Complex;

use super::Sonar;
use super::arrays::Across;
use super::paths::Arrival;
use super::receiver::Moment;
use crate::scenario::{Quantity, SonarKind};

impl Sonar {
    /// Strength over range: the device compresses its pulse, takes the envelope's largest value of each
    /// few samples, applies its gain, and gives bits.
    pub(super) fn ping_by_profile(&self, seed: u64, ping: u64, arrivals: &[Arrival]) -> (SonarPing, i64) {
        let moment = self.moment(seed, ping);
        let mut rows: Vec<Complex<f32>> = Vec::new();
        for beam in self.beams.iter() {
            let across = Across::new(vec![beam.across_rad()], self.receive.across.clone());
            rows.extend(self.heard_by(&across, arrivals, &moment));
        }
        self.receiver.leak(&mut rows, self.samples);
        let side = match self.device.kind {
            SonarKind::SideScan => (ping % 2) as usize,
            _ => 0,
        };
        let row = &mut rows[side * self.samples..(side + 1) * self.samples];
        self.receiver.add_noise(row, &moment, side as u64, 1.0);
        let envelope = match &self.matched {
            Some(matched) => matched.compress(row),
            None => row.to_vec(),
        };
        let per_value = usize::from(self.device.samples_per_value);
        let first_s = 0.5 * (per_value - 1) as f64 / self.sample_rate_hz;
        let interval_s = per_value as f64 / self.sample_rate_hz;
        let mut clipped = 0;
        let strength: Vec<f32> = envelope
            .chunks(per_value)
            .enumerate()
            .map(|(i, part)| {
                let loudest = part.iter().map(|value| value.norm()).fold(0.0, f32::max);
                self.value(loudest, first_s + i as f64 * interval_s, &mut clipped)
            })
            .collect();
        self.receiver.count_clipped(clipped);
        let last_s = (self.samples.max(1) - 1) as f64 / self.sample_rate_hz;
        let profile = Profile {
            strength,
            unit: match self.device.profile {
                Quantity::Counts => StrengthUnit::Amplitude,
                Quantity::Decibels => StrengthUnit::Decibel,
            },
            transmitted: true,
            first_s,
            interval_s,
            beam: self.beams[side],
            steering_rad: self.steering_rad(ping),
            sound_speed_m_per_s: Some(self.head_sound_speed_m_per_s),
            blanking_m: self.blanking_m,
        };
        (SonarPing::Profile(profile), (last_s * 1e9).round() as i64)
    }

    /// What one aperture hears, without noise.
    fn heard_by(&self, across: &Across, arrivals: &[Arrival], moment: &Moment) -> Vec<Complex<f32>> {
        let shifts = self.shifts(arrivals.iter().map(|arrival| arrival.doppler));
        let mut scratch = self.synthesis.scratch();
        for (index, arrival) in arrivals.iter().enumerate() {
            let gain = across.at(&arrival.from) * self.receive.along(&arrival.from);
            if gain == 0.0 {
                continue;
            }
            if let Some(taps) = self.taps(arrival.delay_s, arrival.doppler) {
                shifts.add(&mut scratch, index, &taps, arrival.amplitude * gain);
            }
        }
        let row = self.synthesis.finish_terms(&mut scratch, shifts.terms);
        let gain = self.receiver.neighbour_from().map(|from| {
            // A head that turns sees the neighbour turn the other way.
            let turned = nalgebra::Rotation3::from_axis_angle(
                &nalgebra::Vector3::x_axis(),
                self.steering_rad(moment.ping),
            ) * from;
            Complex::new(across.at(&turned) * self.receive.along(&turned), 0.0)
        });
        self.receiver.disturb(row, moment, gain.unwrap_or_default(), 0.0);
        row.to_vec()
    }

    /// A value of the profile with the device's gain at its range, cut at full scale.
    fn value(&self, amplitude: f32, two_way_s: f64, clipped: &mut u64) -> f32 {
        let device = &self.device;
        let range_m = (0.5 * self.head_sound_speed_m_per_s * two_way_s).max(self.blanking_m.max(0.1));
        let gain_db = device.tvg_spreading_db * range_m.log10() + device.tvg_absorption_db_per_m * range_m;
        let amplified = f64::from(amplitude / self.receiver.full_scale) * 10f64.powf(gain_db / 20.0);
        *clipped += u64::from(amplified > 1.0);
        let steps = f64::from((1u32 << device.bits) - 1);
        match device.profile {
            Quantity::Counts => (amplified * steps).round().min(steps) as f32,
            Quantity::Decibels => {
                let range_db = device.profile_range_db;
                let below_db = (-20.0 * amplified.max(1e-30).log10()).clamp(0.0, range_db);
                let count = ((range_db - below_db) / range_db * steps).round();
                (device.full_scale_db - range_db + count / steps * range_db) as f32
            }
        }
    }
}
