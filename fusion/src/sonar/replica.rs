//! The transmitted pulse as numbers, and how it answers to itself.

use std::f64::consts::{PI, TAU};

use beluga_types::elementary::{cos, log10};
use beluga_types::{Pulse, PulseKind, Receiver, Shading};
use rustfft::num_complex::Complex;

use super::config::ReplicaWindow;
use super::polar::from_polar;
use super::response::{Sidelobes, response, response_behind};
use super::stages;

/// A pulse as it comes in the samples, with the weight under which it is correlated.
pub(crate) struct Replica {
    /// Weighted samples.
    pub(crate) weighted: Vec<Complex<f64>>,
    /// The same without the weight.
    pub(crate) transmitted: Vec<Complex<f64>>,
    /// The sample that lies on the time an output is given for: the middle one, or the first of a
    /// replica behind a receiver's stages.
    pub(crate) centre: usize,
    /// From that time to the pulse's centre, in seconds.
    pub(crate) centre_after_s: f64,
    /// What comes of white noise: correlated with the weighted samples, it gives what is behind the
    /// filter. The weighted samples themselves, unless stages have coloured the noise.
    coloured: Vec<Complex<f64>>,
    /// Full width of the compressed pulse at -3 dB of power, in seconds.
    pub(crate) width_s: f64,
    /// Sidelobes of the compressed pulse in range.
    pub(crate) sidelobes: Sidelobes,
}

impl Replica {
    /// The pulse at `sample_rate_hz`, turned down by `centre_hz` (zero for real samples).
    pub(crate) fn new(pulse: &Pulse, window: ReplicaWindow, sample_rate_hz: f64, centre_hz: f64) -> Self {
        let half = (0.5 * pulse.duration_s * sample_rate_hz).floor() as i64;
        let window = used_window(pulse, window);
        let times = || (-half..=half).map(|k| k as f64 / sample_rate_hz);
        let transmitted: Vec<_> = times().map(|t| pulse_at(pulse, centre_hz, t)).collect();
        let weighted: Vec<_> = times()
            .zip(&transmitted)
            .map(|(t, sample)| sample * weight_at(window, t / pulse.duration_s))
            .collect();
        let (width_s, sidelobes) = response(pulse, &weighted, sample_rate_hz, centre_hz);
        Self {
            centre: weighted.len() / 2,
            centre_after_s: 0.0,
            coloured: weighted.clone(),
            weighted,
            transmitted,
            width_s,
            sidelobes,
        }
    }

    /// The pulse behind the receiver's stages, from the start of transmission on. The weight lies
    /// around the middle of its energy. [`stages::check`] has passed.
    pub(crate) fn received(pulse: &Pulse, window: ReplicaWindow, receiver: &Receiver) -> Self {
        let rate_hz = receiver.output_rate_hz();
        let sent = stages::transmitted(pulse, receiver.rate_hz());
        let transmitted = stages::through(receiver, &sent);
        let energy = |sample: &Complex<f64>| sample.norm_sqr();
        let whole: f64 = transmitted.iter().map(energy).sum();
        let moment: f64 = transmitted
            .iter()
            .enumerate()
            .map(|(k, s)| k as f64 * energy(s))
            .sum();
        let middle = moment / whole.max(f64::MIN_POSITIVE);
        let window = used_window(pulse, window);
        let weight = |k: usize| {
            weight_at(
                window,
                ((k as f64 - middle) / rate_hz / pulse.duration_s).clamp(-0.5, 0.5),
            )
        };
        let weighted: Vec<_> = transmitted
            .iter()
            .enumerate()
            .map(|(k, s)| s * weight(k))
            .collect();
        let noise = stages::noise_correlation(receiver);
        let both: Vec<_> = noise[1..]
            .iter()
            .rev()
            .map(|value| value.conj())
            .chain(noise.iter().copied())
            .collect();
        let coloured = (0..weighted.len() + noise.len() - 1)
            .map(|k| stages::convolved(&weighted, &both, k + noise.len() - 1))
            .collect();
        let (width_s, sidelobes) = response_behind(pulse, &weighted, &transmitted, rate_hz);
        Self {
            weighted,
            transmitted,
            centre: 0,
            centre_after_s: 0.5 * pulse.duration_s,
            coloured,
            width_s,
            sidelobes,
        }
    }

    /// What a perfectly placed echo of amplitude one gives: `Σ h* s`.
    pub(crate) fn gain(&self) -> Complex<f64> {
        self.weighted
            .iter()
            .zip(&self.transmitted)
            .map(|(h, s)| h.conj() * s)
            .sum()
    }

    /// Loss of signal to noise against the unweighted replica, in dB (zero or more).
    pub(crate) fn mismatch_loss_db(&self) -> f64 {
        let energy = |samples: &[Complex<f64>]| samples.iter().map(|sample| sample.norm_sqr()).sum::<f64>();
        let best = energy(&self.weighted) * energy(&self.transmitted);
        (-10.0 * log10(self.gain().norm_sqr() / best)).max(0.0)
    }

    /// Correlation of white noise behind the filter at a lag of so many samples, as power (0 to 1).
    pub(crate) fn noise_correlation(&self, lag: usize) -> f64 {
        let at = |lag: usize| -> Complex<f64> {
            let pairs = self.coloured.iter().skip(lag).zip(&self.weighted);
            pairs.map(|(late, early)| late * early.conj()).sum()
        };
        at(lag).norm_sqr() / at(0).norm_sqr()
    }

    /// Samples from one cell of noise to the next whose power is as good as independent of it:
    /// correlation of power at most 0.02 at that lag and at twice that lag.
    ///
    /// One over the bandwidth is not enough behind a window: a Hann weight leaves 0.44 there.
    pub(crate) fn independent_step(&self) -> usize {
        const LARGEST: f64 = 0.02;
        (1..self.weighted.len())
            .find(|&lag| self.noise_correlation(lag) <= LARGEST && self.noise_correlation(2 * lag) <= LARGEST)
            .unwrap_or(self.weighted.len())
    }
}

/// A pulse that was shaded on transmission needs no second window; a constant frequency gains none.
fn used_window(pulse: &Pulse, window: ReplicaWindow) -> ReplicaWindow {
    let shaded = match pulse.shading {
        Shading::Rectangular => false,
        Shading::Hann => true,
        Shading::Tukey(taper) => taper > 0.5,
    };
    if shaded || pulse.kind == PulseKind::Cw {
        ReplicaWindow::Matched
    } else {
        window
    }
}

/// The complex pulse `t` seconds from its centre.
pub(super) fn pulse_at(pulse: &Pulse, centre_hz: f64, t: f64) -> Complex<f64> {
    let x = t / pulse.duration_s;
    if x.abs() > 0.5 + 1e-9 {
        return Complex::new(0.0, 0.0);
    }
    let sweep = match pulse.kind {
        PulseKind::Lfm => (pulse.end_hz - pulse.start_hz) * t * t / (2.0 * pulse.duration_s),
        PulseKind::Cw => 0.0,
    };
    from_polar(
        shading_at(pulse.shading, x),
        TAU * ((pulse.centre_hz() - centre_hz) * t + sweep),
    )
}

/// Amplitude of the transmitted pulse at `x` from -0.5 to 0.5 of its length.
pub(super) fn shading_at(shading: Shading, x: f64) -> f64 {
    match shading {
        Shading::Rectangular => 1.0,
        Shading::Hann => 0.5 + 0.5 * cos(TAU * x),
        Shading::Tukey(taper) => {
            let ramp = 0.5 * taper.clamp(0.0, 1.0);
            let from_edge = (0.5 - x.abs()).max(0.0);
            if from_edge >= ramp {
                1.0
            } else {
                0.5 - 0.5 * cos(PI * from_edge / ramp)
            }
        }
    }
}

/// Weight of the replica at `x` from -0.5 to 0.5 of its length.
pub(super) fn weight_at(window: ReplicaWindow, x: f64) -> f64 {
    match window {
        ReplicaWindow::Matched => 1.0,
        ReplicaWindow::Hann => 0.5 + 0.5 * cos(TAU * x),
        ReplicaWindow::Hamming => 0.54 + 0.46 * cos(TAU * x),
        ReplicaWindow::Taylor => {
            let cosines = TAYLOR_5_35.iter().enumerate();
            1.0 + 2.0
                * cosines
                    .map(|(i, f)| f * cos(TAU * (i + 1) as f64 * x))
                    .sum::<f64>()
        }
    }
}

/// Cosine coefficients F1 to F4 of the Taylor window, n̄ = 5, -35 dB: `F_m = ½ (-1)^(m+1)
/// Π_i (1 - m² / (σ² (A² + (i - ½)²))) / Π_{i≠m} (1 - m² / i²)`; T. T. Taylor, IRE Trans. Antennas
/// Propag. 3 (1955). A test computes them from that definition.
const TAYLOR_5_35: [f64; 4] = [
    0.344349909536611,
    -0.015194888553963,
    0.004278307631569,
    -0.000734551649871,
];

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::elementary::{Squared, acosh, powf};

    /// The coefficients of a Taylor window from its definition.
    fn taylor(bars: usize, sidelobe_db: f64) -> Vec<f64> {
        let a = acosh(powf(10.0, sidelobe_db / 20.0)) / PI;
        let n = bars as f64;
        let stretch = n * n / (a * a + (n - 0.5).squared());
        (1..bars)
            .map(|m| {
                let m2 = (m * m) as f64;
                let numerator: f64 = (1..bars)
                    .map(|i| 1.0 - m2 / (stretch * (a * a + (i as f64 - 0.5).squared())))
                    .product();
                let denominator: f64 = (1..bars)
                    .filter(|&i| i != m)
                    .map(|i| 1.0 - m2 / (i * i) as f64)
                    .product();
                let sign = if m % 2 == 0 { -1.0 } else { 1.0 };
                0.5 * sign * numerator / denominator
            })
            .collect()
    }

    #[test]
    fn the_taylor_window_is_the_one_defined() {
        for (written, defined) in TAYLOR_5_35.iter().zip(taylor(5, 35.0)) {
            assert!(
                (written - defined).abs() < 1e-9,
                "{written}, defined {defined:.15}"
            );
        }
    }

    #[test]
    fn noise_behind_a_window_is_independent_only_beyond_one_over_the_band() {
        let pulse = Pulse {
            kind: PulseKind::Lfm,
            start_hz: 80e3,
            end_hz: 120e3,
            duration_s: 2e-3,
            shading: Shading::Rectangular,
        };
        let step = |window| Replica::new(&pulse, window, 400e3, 0.0).independent_step();
        let one_over_band = 10;
        assert!((9..=11).contains(&step(ReplicaWindow::Matched)));
        assert!(step(ReplicaWindow::Hann) > 3 * one_over_band / 2);
        let replica = Replica::new(&pulse, ReplicaWindow::Hann, 400e3, 0.0);
        // Transform of the squared Hann window one bin out: (2/3)² of power.
        assert!((replica.noise_correlation(one_over_band) - 4.0 / 9.0).abs() < 0.02);
    }

    #[test]
    fn the_gain_over_noise_in_the_band_is_that_of_time_times_band() {
        for (rate_hz, duration_s, band_hz, gain_db) in [
            (1e6, 4.096e-3, 100e3, 26.12),
            (500e3, 1e-3, 40e3, 16.02),
            (192e3, 3e-3, 60e3, 22.55),
        ] {
            let pulse = Pulse {
                kind: PulseKind::Lfm,
                start_hz: 10e6 - 0.5 * band_hz,
                end_hz: 10e6 + 0.5 * band_hz,
                duration_s,
                shading: Shading::Rectangular,
            };
            let replica = Replica::new(&pulse, ReplicaWindow::Matched, rate_hz, 10e6);
            let noise: f64 = replica.weighted.iter().map(|sample| sample.norm_sqr()).sum();
            let over_white = replica.gain().norm_sqr() / noise;
            // A replica with a sample in its middle has one more than the pulse is long: 0.009 dB of 500.
            let found_db = 10.0 * log10(over_white * band_hz / rate_hz);
            assert!(
                (found_db - gain_db).abs() < 0.015,
                "{found_db} dB, published {gain_db}"
            );
        }
    }

    #[test]
    fn a_constant_frequency_and_a_shaded_pulse_keep_their_shape() {
        let pulse = |kind, end_hz, shading| Pulse {
            kind,
            start_hz: 90e3,
            end_hz,
            duration_s: 1e-3,
            shading,
        };
        for pulse in [
            pulse(PulseKind::Cw, 90e3, Shading::Rectangular),
            pulse(PulseKind::Lfm, 120e3, Shading::Hann),
            pulse(PulseKind::Lfm, 120e3, Shading::Tukey(0.8)),
        ] {
            assert!(Replica::new(&pulse, ReplicaWindow::Hann, 400e3, 0.0).mismatch_loss_db() < 1e-9);
        }
        let cw = Replica::new(
            &pulse(PulseKind::Cw, 90e3, Shading::Rectangular),
            ReplicaWindow::Hann,
            400e3,
            0.0,
        );
        // A triangle of amplitude falls to half its power at 0.293 of its length on either side.
        assert!((cw.width_s - 0.586e-3).abs() < 0.01e-3, "{}", cw.width_s);
    }
}
