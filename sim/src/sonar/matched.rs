//! The matched filter of devices that compress their pulse themselves.

use std::fmt;
use std::sync::Arc;

use beluga_types::Pulse;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::waveform::replica;

/// A filter and its plans for one kind of ping.
#[derive(Clone)]
pub(super) struct Matched {
    length: usize,
    filter: Vec<Complex<f32>>,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
}

impl fmt::Debug for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matched")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Matched {
    /// For rows of so many samples.
    pub(super) fn new(pulse: &Pulse, sample_rate_hz: f64, samples: usize) -> Self {
        let half = (0.5 * pulse.duration_s * sample_rate_hz * (1.0 + 1e-12)).floor() as usize;
        let length = (samples + 2 * half + 1).next_power_of_two();
        let at = |i: f64| replica(pulse, i / sample_rate_hz);
        let mut spectrum = vec![Complex::new(0.0, 0.0); length];
        spectrum[0] = at(0.0);
        for i in 1..=half {
            spectrum[i] = at(i as f64);
            spectrum[length - i] = at(-(i as f64));
        }
        let energy: f64 = spectrum.iter().map(Complex::norm_sqr).sum();
        FftPlanner::new().plan_fft_forward(length).process(&mut spectrum);
        let per_unit = 1.0 / (energy * length as f64);
        let mut planner = FftPlanner::new();
        Self {
            length,
            filter: spectrum
                .iter()
                .map(|value| Complex::new((value.re * per_unit) as f32, (-value.im * per_unit) as f32))
                .collect(),
            forward: planner.plan_fft_forward(length),
            inverse: planner.plan_fft_inverse(length),
        }
    }

    /// The row compressed: sample i is an echo whose pulse's centre comes at sample i, with the echo's
    /// own amplitude.
    pub(super) fn compress(&self, row: &[Complex<f32>]) -> Vec<Complex<f32>> {
        let mut signal = row.to_vec();
        signal.resize(self.length, Complex::default());
        self.forward.process(&mut signal);
        for (value, filter) in signal.iter_mut().zip(&self.filter) {
            *value *= filter;
        }
        self.inverse.process(&mut signal);
        signal.truncate(row.len());
        signal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::{PulseKind, Shading};

    #[test]
    fn an_echo_keeps_its_place_and_amplitude() {
        let pulse = Pulse {
            kind: PulseKind::Lfm,
            start_hz: 280e3,
            end_hz: 320e3,
            duration_s: 1e-3,
            shading: Shading::Tukey(0.1),
        };
        let row: Vec<_> = (0..700)
            .map(|i| replica(&pulse, (f64::from(i) - 321.0) / 60e3) * Complex::new(0.3, 0.4))
            .map(|value| Complex::new(value.re as f32, value.im as f32))
            .collect();
        let compressed = Matched::new(&pulse, 60e3, 700).compress(&row);
        let (place, top) = compressed
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.norm().total_cmp(&b.1.norm()))
            .unwrap();
        assert_eq!((place, compressed.len()), (321, 700));
        assert!((top - Complex::new(0.3, 0.4)).norm() < 1e-4, "{top}");
    }
}
