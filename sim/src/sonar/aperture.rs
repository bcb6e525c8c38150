//! Patterns that have no closed form, as tables: an aperture that does not focus, and one in halves.
//!
//! The aperture is cut into [`PARTS`] equal parts whose weighted phasors are summed by a Fourier
//! transform.

use std::f64::consts::TAU;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use crate::scenario::ArrayShading;

/// Parts of the aperture: the sum repeats beyond u = 64, which no table reaches.
const PARTS: usize = 128;
/// Table entries per unit of u.
const PER_U: usize = 32;
/// Rows of the table over curvature per cycle of phase at the aperture's end.
const ROWS_PER_CYCLE: f64 = 32.0;
/// The most cycles of curvature: nearer wave fronts count as this near.
const MOST_CYCLES: f64 = 8.0;

/// The transform of weights over an aperture at u = 0, 1 / PER_U, ..., to `u_most`; with the factor
/// exp(-j 2π u x) of sound that comes later to positive x.
fn transformed(weight: impl Fn(f64) -> Complex<f64>, u_most: f64) -> Vec<Complex<f32>> {
    // A part is 1 / PARTS long, so bin k of a transform over PARTS * PER_U parts is u = k / PER_U.
    let mut parts = vec![Complex::new(0.0, 0.0); PARTS * PER_U];
    let place = |i: usize| (i as f64 + 0.5) / PARTS as f64 - 0.5;
    for (i, part) in parts.iter_mut().take(PARTS).enumerate() {
        *part = weight(place(i)) / PARTS as f64;
    }
    FftPlanner::new()
        .plan_fft_forward(parts.len())
        .process(&mut parts);
    let entries = (u_most * PER_U as f64).ceil() as usize + 2;
    let entry = |k: usize| {
        let u = k as f64 / PER_U as f64;
        let value = parts[k] * Complex::from_polar(1.0, -TAU * u * place(0));
        Complex::new(value.re as f32, value.im as f32)
    };
    (0..entries.min(parts.len() / 2)).map(entry).collect()
}

fn between(table: &[Complex<f32>], place: f64) -> Complex<f32> {
    let entry = (place as usize).min(table.len() - 2);
    let fraction = (place - entry as f64) as f32;
    table[entry] * (1.0 - fraction) + table[entry + 1] * fraction
}

/// The pattern of a line array that takes every wave front for plane: a table over curvature and u.
///
/// A wave front of radius R lags by x²/2R at x (Fresnel's approximation), so at the ends of an
/// aperture of length D by D²/8λR cycles. B. Steinberg, "Principles of Aperture and Array System
/// Design", Wiley 1976, ch. 3.
#[derive(Clone, Debug)]
pub(super) struct Defocused {
    rows: Vec<Vec<Complex<f32>>>,
    /// Cycles times metres: D²/8λ.
    cycles_m: f64,
    u_per_sine: f64,
    /// Beyond this sine the pattern is taken as zero.
    pub(super) reach: f64,
}

impl Defocused {
    /// Of an aperture that is so many wavelengths long. Near wave fronts widen the beam to the aperture
    /// itself, so its reach grows with their curvature.
    pub(super) fn new(
        shading: ArrayShading,
        wavelengths: f64,
        wavelength_m: f64,
        nearest_m: f64,
        u_most: f64,
    ) -> Self {
        let cycles_m = wavelengths * wavelengths * wavelength_m / 8.0;
        let most = (cycles_m / nearest_m).min(MOST_CYCLES);
        // The slope of the phase at the aperture's end is 4 cycles per length.
        let u_most = (u_most + 4.0 * most).min(0.45 * PARTS as f64);
        let rows = (0..=(most * ROWS_PER_CYCLE).ceil() as usize + 1)
            .map(|row| {
                let cycles = row as f64 / ROWS_PER_CYCLE;
                let lag = |x: f64| Complex::from_polar(shading.weight(x), -TAU * 4.0 * cycles * x * x);
                transformed(lag, u_most)
            })
            .collect();
        Self {
            rows,
            cycles_m,
            u_per_sine: wavelengths,
            reach: (u_most / wavelengths).min(1.0),
        }
    }

    /// Amplitude and phase at the sine of an angle from the axis, of a wave front of this radius.
    pub(super) fn at(&self, sine: f64, radius_m: f64) -> Complex<f32> {
        if sine.abs() >= self.reach {
            return Complex::default();
        }
        let row = (self.cycles_m / radius_m * ROWS_PER_CYCLE).min(self.rows.len() as f64 - 1.001);
        let first = row as usize;
        let fraction = (row - first as f64) as f32;
        let place = sine.abs() * self.u_per_sine * PER_U as f64;
        between(&self.rows[first], place) * (1.0 - fraction)
            + between(&self.rows[first + 1], place) * fraction
    }
}

/// The two halves of a line array, each about the middle of the whole: their sum is the whole's
/// pattern, and the phase between them tells on which side of the axis the sound comes from.
#[derive(Clone, Debug)]
pub(super) struct Halves {
    starboard: Vec<Complex<f32>>,
    u_per_sine: f64,
    /// Beyond this sine the pattern is taken as zero.
    pub(super) reach: f64,
}

impl Halves {
    pub(super) fn new(shading: ArrayShading, wavelengths: f64, u_most: f64) -> Self {
        let half = |x: f64| Complex::new(if x > 0.0 { shading.weight(x) } else { 0.0 }, 0.0);
        Self {
            // Sound from starboard comes to the starboard half first.
            starboard: transformed(half, u_most).iter().map(Complex::conj).collect(),
            u_per_sine: wavelengths,
            reach: (u_most / wavelengths).min(1.0),
        }
    }

    /// Amplitudes of the starboard and the port half at the sine of an angle from the axis, positive to
    /// starboard.
    pub(super) fn at(&self, sine: f64) -> [Complex<f32>; 2] {
        if sine.abs() >= self.reach {
            return [Complex::default(); 2];
        }
        let value = between(&self.starboard, sine.abs() * self.u_per_sine * PER_U as f64);
        if sine >= 0.0 {
            [value, value.conj()]
        } else {
            [value.conj(), value]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_make_the_whole_and_tell_the_side() {
        let shading = ArrayShading::Hann;
        let halves = Halves::new(shading, 80.0, 8.0);
        for u in [-2.3, -0.7, 0.0, 0.4, 1.0, 3.7] {
            let [starboard, port] = halves.at(u / 80.0);
            let whole = starboard + port;
            let expected = shading.line(u);
            assert!(
                (f64::from(whole.re) - expected).abs() < 2e-3 && whole.im.abs() < 1e-6,
                "{u}: {whole}"
            );
            let side = (starboard * port.conj()).arg();
            assert!(u.abs() > 1.0 || side * u as f32 >= 0.0, "{u}: {side}");
        }
    }

    #[test]
    fn far_away_nothing_is_out_of_focus_and_near_by_it_is_the_sum_over_the_aperture() {
        let shading = ArrayShading::Rectangular;
        let (wavelengths, wavelength_m) = (80.0, 0.005);
        let table = Defocused::new(shading, wavelengths, wavelength_m, 1.0, 5.0);
        let far = table.at(0.3 / wavelengths, 1e9);
        assert!((f64::from(far.re) - shading.line(0.3)).abs() < 1e-3);
        let length = wavelengths * wavelength_m;
        for (u, radius_m) in [(0.0, 5.0), (1.3, 3.0), (-4.0, 2.0)] {
            let n = 4_000;
            let sum: Complex<f64> = (0..n)
                .map(|i| {
                    let x = ((f64::from(i) + 0.5) / f64::from(n) - 0.5) * length;
                    let lag = x * x / (2.0 * radius_m * wavelength_m);
                    Complex::from_polar(1.0 / f64::from(n), -TAU * (lag + u * x / length))
                })
                .sum();
            let found = table.at(u / wavelengths, radius_m);
            let error = (Complex::new(f64::from(found.re), f64::from(found.im)) - sum).norm();
            assert!(error < 0.01, "{u} {radius_m}: {found} against {sum}");
        }
    }
}
