//! The transmitted pulse as numbers, and how it answers to itself.

use std::f64::consts::{PI, TAU};

use beluga_types::{Pulse, PulseKind, Shading};
use rustfft::num_complex::Complex;

use super::config::ReplicaWindow;

/// A pulse sampled around its centre, with the weight under which it is correlated.
pub(crate) struct Replica {
    /// Weighted samples; the pulse's centre is the middle one.
    pub(crate) weighted: Vec<Complex<f64>>,
    /// The same as transmitted.
    pub(crate) transmitted: Vec<Complex<f64>>,
    /// Full width of the compressed pulse at -3 dB of power, in seconds.
    pub(crate) width_s: f64,
    /// Sidelobes of the compressed pulse in range.
    pub(crate) sidelobes: Sidelobes,
}

/// Highest sidelobes of a compressed pulse, as power against its peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sidelobes {
    /// Highest of all.
    pub near: f64,
    /// Highest of those farther from the peak than `near_s`.
    pub far: f64,
    /// Where the far ones begin, in seconds from the peak.
    pub near_s: f64,
    /// Where they end: the length of the pulse.
    pub far_s: f64,
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
            weighted,
            transmitted,
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
        (-10.0 * (self.gain().norm_sqr() / best).log10()).max(0.0)
    }

    /// Correlation of white noise behind the filter at a lag of so many samples, as power (0 to 1).
    pub(crate) fn noise_correlation(&self, lag: usize) -> f64 {
        let energy: f64 = self.weighted.iter().map(|h| h.norm_sqr()).sum();
        let sum: Complex<f64> = self
            .weighted
            .iter()
            .skip(lag)
            .zip(&self.weighted)
            .map(|(late, early)| late * early.conj())
            .sum();
        sum.norm_sqr() / (energy * energy)
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
fn pulse_at(pulse: &Pulse, centre_hz: f64, t: f64) -> Complex<f64> {
    let x = t / pulse.duration_s;
    if x.abs() > 0.5 + 1e-9 {
        return Complex::new(0.0, 0.0);
    }
    let sweep = match pulse.kind {
        PulseKind::Lfm => (pulse.end_hz - pulse.start_hz) * t * t / (2.0 * pulse.duration_s),
        PulseKind::Cw => 0.0,
    };
    Complex::from_polar(
        shading_at(pulse.shading, x),
        TAU * ((pulse.centre_hz() - centre_hz) * t + sweep),
    )
}

/// Amplitude of the transmitted pulse at `x` from -0.5 to 0.5 of its length.
fn shading_at(shading: Shading, x: f64) -> f64 {
    match shading {
        Shading::Rectangular => 1.0,
        Shading::Hann => 0.5 + 0.5 * (TAU * x).cos(),
        Shading::Tukey(taper) => {
            let ramp = 0.5 * taper.clamp(0.0, 1.0);
            let from_edge = (0.5 - x.abs()).max(0.0);
            if from_edge >= ramp {
                1.0
            } else {
                0.5 - 0.5 * (PI * from_edge / ramp).cos()
            }
        }
    }
}

/// Weight of the replica at `x` from -0.5 to 0.5 of its length.
fn weight_at(window: ReplicaWindow, x: f64) -> f64 {
    match window {
        ReplicaWindow::Matched => 1.0,
        ReplicaWindow::Hann => 0.5 + 0.5 * (TAU * x).cos(),
        ReplicaWindow::Taylor => {
            let cosines = TAYLOR_5_35.iter().enumerate();
            1.0 + 2.0
                * cosines
                    .map(|(i, f)| f * (TAU * (i + 1) as f64 * x).cos())
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

/// Width at -3 dB and sidelobes of the compressed pulse, from a fine search in lag near the peak
/// and a coarser one over the whole pulse.
fn response(
    pulse: &Pulse,
    weighted: &[Complex<f64>],
    sample_rate_hz: f64,
    centre_hz: f64,
) -> (f64, Sidelobes) {
    const STEPS_PER_CELL: usize = 16;
    const NEAR_CELLS: usize = 8;
    const FAR_STEPS: usize = 1024;
    let half = (weighted.len() / 2) as f64;
    let at = |lag_s: f64| {
        weighted
            .iter()
            .enumerate()
            .map(|(k, h)| h.conj() * pulse_at(pulse, centre_hz, (k as f64 - half) / sample_rate_hz + lag_s))
            .sum::<Complex<f64>>()
            .norm_sqr()
    };
    let cell_s = 1.0 / pulse.bandwidth_hz();
    let step_s = cell_s / STEPS_PER_CELL as f64;
    let curve: Vec<f64> = (0..STEPS_PER_CELL * NEAR_CELLS)
        .map(|i| at(i as f64 * step_s))
        .collect();
    let peak = curve[0];
    let crossing = curve
        .iter()
        .position(|&power| power < 0.5 * peak)
        .unwrap_or(curve.len() - 1)
        .max(1);
    let (before, after) = (curve[crossing - 1], curve[crossing]);
    let fraction = ((before - 0.5 * peak) / (before - after).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
    let width_s = 2.0 * (crossing as f64 - 1.0 + fraction) * step_s;
    let null = (crossing..curve.len() - 1)
        .find(|&i| curve[i] <= curve[i + 1])
        .unwrap_or(curve.len() - 1);
    let near = curve[null..].iter().copied().fold(0.0, f64::max) / peak;
    let (near_s, far_s) = (NEAR_CELLS as f64 * cell_s, pulse.duration_s);
    let far = (0..FAR_STEPS)
        .map(|i| near_s + (far_s - near_s).max(0.0) * i as f64 / FAR_STEPS as f64)
        .map(at)
        .fold(0.0, f64::max)
        / peak;
    let sidelobes = Sidelobes {
        near,
        far,
        near_s,
        far_s,
    };
    (width_s, sidelobes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The coefficients of a Taylor window from its definition.
    fn taylor(bars: usize, sidelobe_db: f64) -> Vec<f64> {
        let a = (10f64.powf(sidelobe_db / 20.0)).acosh() / PI;
        let n = bars as f64;
        let stretch = n * n / (a * a + (n - 0.5).powi(2));
        (1..bars)
            .map(|m| {
                let m2 = (m * m) as f64;
                let numerator: f64 = (1..bars)
                    .map(|i| 1.0 - m2 / (stretch * (a * a + (i as f64 - 0.5).powi(2))))
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
