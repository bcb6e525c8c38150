//! From echoes to a sampled waveform: impulses at exact delays, convolved with the pulse.
//!
//! Echoes are laid on a grid of twice the sample rate with a quintic B-spline, transformed, divided
//! by the spline's own spectrum and multiplied by the pulse's, cut to the receiver's band and
//! transformed back: a non-uniform Fourier transform, as A. Dutt and V. Rokhlin, "Fast Fourier
//! transforms for nonequispaced data", SIAM J. Sci. Comput. 14 (1993), with another kernel. Against
//! writing out every echo the error is below -70 dB.

use std::f64::consts::PI;
use std::fmt;
use std::sync::Arc;

use beluga_types::{Pulse, Shading};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::doppler::polynomial;

/// Fine grid points per sample.
const FINE: usize = 2;
/// Grid points an echo is spread over.
pub(super) const TAPS: usize = 6;

/// An echo's place on the fine grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taps {
    first: u32,
    weights: [f32; TAPS],
}

/// Plans and spectra for one kind of ping.
#[derive(Clone)]
pub(super) struct Synthesis {
    samples: usize,
    sample_rate_hz: f64,
    /// Length of the coarse transform.
    length: usize,
    /// Pulse over spline, for each bin of the coarse transform; one row for each term of the Doppler
    /// expansion.
    filter: Vec<Complex<f32>>,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
}

impl fmt::Debug for Synthesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Synthesis")
            .field("samples", &self.samples)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Memory one thread needs; made once and used for every beam.
pub(super) struct Scratch {
    /// One grid for each term of the Doppler expansion.
    grid: Vec<Complex<f32>>,
    /// Points of one grid.
    fine: usize,
    row: Vec<Complex<f32>>,
    work: Vec<Complex<f32>>,
}

impl Synthesis {
    /// For `samples` complex samples beginning at the transmit centre, around the pulse's middle
    /// frequency; of pulses with so many `terms` of the Doppler expansion, one without.
    pub(super) fn new(pulse: &Pulse, sample_rate_hz: f64, samples: usize, terms: usize) -> Self {
        // Echoes at the far end must not run round the circle into the near end.
        let tail = (pulse.duration_s * sample_rate_hz).ceil() as usize + 2 * TAPS;
        let length = (samples + tail).next_power_of_two();
        let mut planner = FftPlanner::new();
        Self {
            samples,
            sample_rate_hz,
            length,
            filter: (0..terms)
                .flat_map(|term| Self::filter(pulse, sample_rate_hz, length, term))
                .collect(),
            forward: planner.plan_fft_forward(length * FINE),
            inverse: planner.plan_fft_inverse(length),
        }
    }

    fn filter(pulse: &Pulse, sample_rate_hz: f64, length: usize, term: usize) -> Vec<Complex<f32>> {
        let fine = length * FINE;
        let fine_rate = sample_rate_hz * FINE as f64;
        let mut spectrum: Vec<Complex<f64>> = (0..fine)
            .map(|i| {
                let wrapped = if i < fine / 2 {
                    i as f64
                } else {
                    i as f64 - fine as f64
                };
                let t = wrapped / fine_rate;
                match term {
                    0 => replica(pulse, t),
                    _ => replica(pulse, t) * polynomial(term, 2.0 * t / pulse.duration_s),
                }
            })
            .collect();
        FftPlanner::new().plan_fft_forward(fine).process(&mut spectrum);
        (0..length)
            .map(|bin| {
                let (place, frequency) = Self::fine_bin(bin, length);
                let turn = frequency as f64 / fine as f64;
                let spline = if frequency == 0 {
                    1.0
                } else {
                    ((PI * turn).sin() / (PI * turn)).powi(TAPS as i32)
                };
                let value = spectrum[place] / (spline * fine as f64);
                Complex::new(value.re as f32, value.im as f32)
            })
            .collect()
    }

    /// Where a coarse bin lies in the fine transform, and its signed number.
    fn fine_bin(bin: usize, length: usize) -> (usize, i64) {
        if bin < length / 2 {
            (bin, bin as i64)
        } else {
            (length * FINE - length + bin, bin as i64 - length as i64)
        }
    }

    pub(super) fn scratch(&self) -> Scratch {
        let work = self
            .forward
            .get_inplace_scratch_len()
            .max(self.inverse.get_inplace_scratch_len());
        let fine = self.length * FINE;
        Scratch {
            grid: vec![Complex::default(); fine * self.filter.len() / self.length],
            fine,
            row: vec![Complex::default(); self.length],
            work: vec![Complex::default(); work],
        }
    }

    /// The place of an echo whose pulse centre arrives `delay_s` after the transmit centre; nothing
    /// if none of the pulse falls into the samples.
    pub(super) fn taps(&self, delay_s: f64) -> Option<Taps> {
        let place = delay_s * self.sample_rate_hz * FINE as f64;
        let first = place.floor() - (TAPS / 2 - 1) as f64;
        let last = (self.length * FINE - TAPS) as f64;
        (first >= 0.0 && first <= last).then(|| Taps {
            first: first as u32,
            weights: quintic_spline(place - place.floor()),
        })
    }

    /// Turns the echoes on the scratch's grid into samples and empties the grid.
    #[cfg(test)]
    pub(super) fn finish<'a>(&self, scratch: &'a mut Scratch) -> &'a mut [Complex<f32>] {
        self.finish_terms(scratch, 1)
    }

    /// Turns the echoes on the grids of the first so many terms into samples and empties the grids.
    pub(super) fn finish_terms<'a>(&self, scratch: &'a mut Scratch, terms: usize) -> &'a mut [Complex<f32>] {
        let used = scratch
            .grid
            .chunks_mut(scratch.fine)
            .zip(self.filter.chunks(self.length));
        for (term, (grid, filter)) in used.take(terms).enumerate() {
            self.forward.process_with_scratch(grid, &mut scratch.work);
            for (bin, (value, filter)) in scratch.row.iter_mut().zip(filter).enumerate() {
                let heard = grid[Self::fine_bin(bin, self.length).0] * filter;
                *value = if term == 0 { heard } else { *value + heard };
            }
            grid.fill(Complex::default());
        }
        self.inverse
            .process_with_scratch(&mut scratch.row, &mut scratch.work);
        &mut scratch.row[..self.samples]
    }
}

impl Scratch {
    /// Lays an echo on the grid.
    #[inline]
    pub(super) fn add(&mut self, taps: &Taps, amplitude: Complex<f32>) {
        self.add_term(0, taps, amplitude);
    }

    /// Lays a term of an echo on its grid.
    #[inline]
    pub(super) fn add_term(&mut self, term: usize, taps: &Taps, amplitude: Complex<f32>) {
        let first = term * self.fine + taps.first as usize;
        for (value, weight) in self.grid[first..first + TAPS].iter_mut().zip(&taps.weights) {
            *value += amplitude * weight;
        }
    }
}

/// The pulse around its own middle frequency, `t` seconds from its centre.
pub(super) fn replica(pulse: &Pulse, t: f64) -> Complex<f64> {
    // A whisker wider than half, so that a sample on the edge belongs to the pulse.
    if t.abs() > 0.5 * pulse.duration_s * (1.0 + 1e-12) {
        return Complex::default();
    }
    let sweep = (pulse.end_hz - pulse.start_hz) / pulse.duration_s;
    Complex::from_polar(shading(pulse, t), PI * sweep * t * t)
}

fn shading(pulse: &Pulse, t: f64) -> f64 {
    let taper = match pulse.shading {
        Shading::Rectangular => return 1.0,
        Shading::Hann => 1.0,
        Shading::Tukey(taper) => taper,
    };
    let from_edge = 0.5 - (t / pulse.duration_s).abs();
    if from_edge >= 0.5 * taper {
        1.0
    } else {
        0.5 * (1.0 - (2.0 * PI * from_edge.max(0.0) / taper).cos())
    }
}

/// Weights of the six grid points around a place that lies `fraction` beyond the third of them.
///
/// The centred B-spline of degree five, by the recursion of C. de Boor, "A Practical Guide to
/// Splines", Springer 1978: M_n(t) = (t M_{n-1}(t) + (n + 1 - t) M_{n-1}(t - 1)) / n.
fn quintic_spline(fraction: f64) -> [f32; TAPS] {
    let mut weights = [0.0; TAPS];
    weights[0] = 1.0;
    for degree in 1..TAPS {
        let n = degree as f64;
        for j in (0..=degree).rev() {
            let before = if j > 0 { weights[j - 1] } else { 0.0 };
            let t = 1.0 + j as f64 - fraction;
            weights[j] = (t * weights[j] + (n + 1.0 - t) * before) / n;
        }
    }
    weights.map(|weight| weight as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::PulseKind;

    fn pulse(shading: Shading) -> Pulse {
        Pulse {
            kind: PulseKind::Lfm,
            start_hz: 280e3,
            end_hz: 320e3,
            duration_s: 1e-3,
            shading,
        }
    }

    #[test]
    fn the_spline_has_its_known_values_and_sums_to_one() {
        let at_knot = quintic_spline(0.0);
        for (found, known) in at_knot.iter().zip([1.0, 26.0, 66.0, 26.0, 1.0, 0.0]) {
            assert!((found - known / 120.0).abs() < 1e-7, "{at_knot:?}");
        }
        for i in 0..10 {
            let weights = quintic_spline(f64::from(i) / 10.0);
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            let moment: f32 = weights
                .iter()
                .zip(-2i8..)
                .map(|(w, place)| w * f32::from(place))
                .sum();
            assert!((moment - i as f32 / 10.0).abs() < 1e-6, "the centre is the place");
        }
    }

    /// Against writing the pulse out sample by sample. The pulse is smooth, so that the receiver's
    /// band holds nearly all of it.
    #[test]
    fn a_synthesised_echo_is_the_delayed_pulse() {
        let pulse = pulse(Shading::Hann);
        let rate = 60e3;
        let synthesis = Synthesis::new(&pulse, rate, 600, 1);
        let mut scratch = synthesis.scratch();
        for delay in [2.0e-3, 3.123_456e-3, 7.654_321e-3] {
            let amplitude = Complex::new(0.6f32, -0.8);
            scratch.add(&synthesis.taps(delay).unwrap(), amplitude);
            let row = synthesis.finish(&mut scratch);
            let mut worst = 0.0f64;
            for (i, value) in row.iter().enumerate() {
                let expected = replica(&pulse, i as f64 / rate - delay) * Complex::new(0.6, -0.8);
                let found = Complex::new(f64::from(value.re), f64::from(value.im));
                worst = worst.max((found - expected).norm());
            }
            assert!(worst < 2e-3, "{delay}: {worst}");
        }
        assert!(synthesis.taps(0.0).is_none() && synthesis.taps(1.0).is_none());
    }

    #[test]
    fn shadings_follow_their_definitions() {
        let at = |shading, fraction: f64| replica(&pulse(shading), fraction * 1e-3).norm();
        assert!((at(Shading::Hann, 0.25) - 0.5).abs() < 1e-12);
        assert!((at(Shading::Tukey(0.2), 0.45) - 0.5).abs() < 1e-12);
        assert!((at(Shading::Tukey(0.2), 0.39) - 1.0).abs() < 1e-12);
        assert!((at(Shading::Rectangular, 0.499) - 1.0).abs() < 1e-12);
        assert_eq!(at(Shading::Rectangular, 0.501), 0.0);
    }
}
