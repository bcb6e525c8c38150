//! How a compressed pulse answers to itself: its width, and its sidelobes in range.

use std::f64::consts::TAU;

use beluga_types::Pulse;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection};

use super::fft::PortableFft;
use super::peak::vertex;
use super::polar::from_polar;
use super::replica::pulse_at;

/// Lags nearer than this are searched finely, in widths of one over the band.
const NEAR_CELLS: usize = 8;

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

/// Width and sidelobes of the compressed pulse where its samples are known at any time.
pub(super) fn response(
    pulse: &Pulse,
    weighted: &[Complex<f64>],
    sample_rate_hz: f64,
    centre_hz: f64,
) -> (f64, Sidelobes) {
    let half = (weighted.len() / 2) as f64;
    let at = |lag_s: f64| {
        weighted
            .iter()
            .enumerate()
            .map(|(k, h)| h.conj() * pulse_at(pulse, centre_hz, (k as f64 - half) / sample_rate_hz + lag_s))
            .sum::<Complex<f64>>()
            .norm_sqr()
    };
    measured(pulse, at)
}

/// The same for a pulse behind a receiver: between the samples from its spectrum, which lies in the
/// one band of the sample rate around the middle of the pulse.
pub(super) fn response_behind(
    pulse: &Pulse,
    weighted: &[Complex<f64>],
    transmitted: &[Complex<f64>],
    rate_hz: f64,
) -> (f64, Sidelobes) {
    // The answer repeats after so many samples: long after every lag that is asked for.
    let longest_s = (NEAR_CELLS as f64 / pulse.bandwidth_hz()).max(pulse.duration_s);
    let bins = (2 * weighted.len() + (2.0 * longest_s * rate_hz).ceil() as usize).next_power_of_two();
    let forward = PortableFft::new(bins, FftDirection::Forward);
    let [h, s] = [weighted, transmitted].map(|samples| {
        let mut spectrum = samples.to_vec();
        spectrum.resize(bins, Complex::new(0.0, 0.0));
        forward.process(&mut spectrum);
        spectrum
    });
    let lowest = lowest_bin(pulse.centre_hz() / rate_hz, bins);
    let lines: Vec<(f64, Complex<f64>)> = (lowest..lowest + bins as i64)
        .map(|line| {
            let bin = line.rem_euclid(bins as i64) as usize;
            (TAU * line as f64 * rate_hz / bins as f64, h[bin].conj() * s[bin])
        })
        .collect();
    measured(pulse, |lag_s: f64| {
        lines
            .iter()
            .map(|(turn, line)| line * from_polar(1.0, turn * lag_s))
            .sum::<Complex<f64>>()
            .norm_sqr()
    })
}

/// The lowest bin of a band of `bins` around a frequency, in sample rates: -`bins` to -1 or so.
pub(crate) fn lowest_bin(turns: f64, bins: usize) -> i64 {
    let turns = turns - turns.round();
    (turns * bins as f64).round() as i64 - bins as i64 / 2
}

/// Width at -3 dB and sidelobes of the compressed pulse, from a fine search in lag near the peak
/// and a coarser one over the whole pulse; `at` is its power at a lag.
fn measured(pulse: &Pulse, at: impl Fn(f64) -> f64) -> (f64, Sidelobes) {
    const STEPS_PER_CELL: usize = 16;
    const FAR_STEPS: usize = 1024;
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
    let near = highest(&curve, null) / peak;
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

/// The highest value from an index on, and between it and its neighbours: a step is coarse enough for
/// the top of a sidelobe to stand 0.04 dB above both.
fn highest(curve: &[f64], from: usize) -> f64 {
    let top = (from..curve.len()).max_by(|&a, &b| curve[a].total_cmp(&curve[b]));
    let Some(top) = top else { return 0.0 };
    let inside = top > from && top + 1 < curve.len();
    let vertex = match inside {
        true => vertex(curve[top - 1], curve[top], curve[top + 1]),
        false => None,
    };
    vertex.map_or(curve[top], |(_, height)| height)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::super::config::ReplicaWindow;
    use super::super::replica::weight_at;
    use super::*;
    use beluga_types::elementary::log10;
    use beluga_types::{PulseKind, Shading};

    /// Width in mm at 1500 m/s and highest sidelobe in dB.
    type Published = (f64, f64);

    const WINDOWS: [ReplicaWindow; 4] = [
        ReplicaWindow::Matched,
        ReplicaWindow::Hann,
        ReplicaWindow::Hamming,
        ReplicaWindow::Taylor,
    ];

    /// Place in the window of sample `k` of so many, as the published values have it: raised cosines
    /// begin and end with the samples, Taylor's half a sample outside.
    fn place(window: ReplicaWindow, k: usize, count: usize) -> f64 {
        match window {
            ReplicaWindow::Taylor => (k as f64 + 0.5) / count as f64 - 0.5,
            _ => k as f64 / (count - 1) as f64 - 0.5,
        }
    }

    /// The published values are of a complex sweep of an even number of samples, read at eighths of one.
    #[test]
    fn a_sweep_sampled_as_published_has_the_published_width_and_sidelobes() {
        let rows: [(f64, f64, f64, [Published; 4]); 3] = [
            (
                1e6,
                4.096e-3,
                100e3,
                [(6.56, -13.29), (10.78, -31.47), (9.75, -42.57), (8.81, -34.64)],
            ),
            (
                500e3,
                1e-3,
                40e3,
                [(16.5, -13.59), (27.0, -31.11), (24.4, -34.54), (22.1, -30.55)],
            ),
            (
                192e3,
                3e-3,
                60e3,
                [(10.74, -13.33), (17.6, -31.47), (16.1, -42.13), (14.7, -33.96)],
            ),
        ];
        for (rate_hz, duration_s, band_hz, published) in rows {
            // Around a carrier of a whole number of sampling rates, which the samples do not see.
            let carrier_hz = 10.0 * rate_hz;
            let pulse = Pulse {
                kind: PulseKind::Lfm,
                start_hz: carrier_hz - 0.5 * band_hz,
                end_hz: carrier_hz + 0.5 * band_hz,
                duration_s,
                shading: Shading::Rectangular,
            };
            let count = (duration_s * rate_hz).round() as usize;
            let sweep = |k: usize| {
                let t = k as f64 / rate_hz;
                let turns = -0.5 * band_hz * t + 0.5 * band_hz * t * t / duration_s;
                from_polar(1.0, TAU * turns)
            };
            let transmitted: Vec<_> = (0..count).map(sweep).collect();
            for (window, (width_mm, sidelobe_db)) in WINDOWS.into_iter().zip(published) {
                let weighted: Vec<_> = transmitted
                    .iter()
                    .enumerate()
                    .map(|(k, sample)| sample * weight_at(window, place(window, k, count)))
                    .collect();
                let (width_s, sidelobes) = response_behind(&pulse, &weighted, &transmitted, rate_hz);
                let found_db = 10.0 * log10(sidelobes.near.max(sidelobes.far));
                // Both edges, and the top of a sidelobe, were read at eighths of a sample.
                let step_mm = 750e3 / (8.0 * rate_hz);
                let found_mm = width_s * 750e3;
                assert!(
                    (found_mm - width_mm).abs() <= step_mm + 0.05,
                    "{band_hz} Hz {window:?}: {found_mm} mm, published {width_mm}"
                );
                assert!(
                    (found_db - sidelobe_db).abs() < 0.02,
                    "{band_hz} Hz {window:?}: {found_db} dB, published {sidelobe_db}"
                );
            }
        }
    }
}
