//! Doppler shifts that differ from echo to echo, without a convolution for each.
//!
//! A shift by f turns a pulse of length T by exp(jz x), where x runs from -1 to 1 over the pulse and
//! z = π f T. By the expansion of Jacobi and Anger, exp(jz x) = Σ c_k(z) T_k(x) with
//! c_k = (2 - δ_k0) j^k J_k(z) (M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 1964,
//! 9.1.44-45), so a few pulses weighted by Chebyshev polynomials stand for every shift.

use std::f64::consts::PI;

use rustfft::num_complex::Complex;

/// Entries of the table over z, per unit.
const PER_Z: f64 = 64.0;

/// The weights c_k over z, as a table.
#[derive(Clone, Debug)]
pub(super) struct Doppler {
    table: Vec<Complex<f32>>,
    entries: usize,
    terms: usize,
    z_most: f64,
    /// z of a relative shift of one.
    z_per_shift: f64,
}

impl Doppler {
    /// For a pulse of this middle frequency and length, and relative shifts up to `most`; what is
    /// larger counts as that.
    pub(super) fn new(centre_hz: f64, duration_s: f64, most: f64) -> Self {
        let z_per_shift = PI * centre_hz * duration_s;
        let z_most = z_per_shift * most;
        let terms = terms(z_most);
        let entries = (2.0 * z_most * PER_Z).ceil() as usize + 3;
        let table = (0..entries)
            .flat_map(|entry| chebyshev(entry as f64 / PER_Z - z_most, terms))
            .collect();
        Self {
            table,
            entries,
            terms,
            z_most,
            z_per_shift,
        }
    }

    /// Terms that any shift needs.
    pub(super) fn terms(&self) -> usize {
        self.terms
    }

    /// Terms that relative shifts up to this need.
    pub(super) fn terms_for(&self, shift: f64) -> usize {
        terms(self.z_per_shift * shift.abs()).min(self.terms)
    }

    /// The weights of a relative shift.
    pub(super) fn weights(&self, shift: f64) -> impl Iterator<Item = Complex<f32>> + '_ {
        let z = (self.z_per_shift * shift).clamp(-self.z_most, self.z_most);
        let place = (z + self.z_most) * PER_Z;
        let entry = (place as usize).min(self.entries - 2);
        let fraction = (place - entry as f64) as f32;
        let rows = &self.table[entry * self.terms..(entry + 2) * self.terms];
        let (low, high) = rows.split_at(self.terms);
        low.iter()
            .zip(high)
            .map(move |(low, high)| low * (1.0 - fraction) + high * fraction)
    }
}

/// Terms after which the rest is below 1e-4: J_k(z) falls fast once k is beyond z by a few cube roots
/// of it.
fn terms(z: f64) -> usize {
    (z + 3.0 * z.cbrt()).ceil() as usize + 4
}

/// The Chebyshev coefficients of exp(jz x), by the sum over its nodes: exact to rounding for many more
/// nodes than terms.
fn chebyshev(z: f64, terms: usize) -> Vec<Complex<f32>> {
    let nodes = 4 * terms;
    (0..terms)
        .map(|k| {
            let at = |n: usize| PI * (n as f64 + 0.5) / nodes as f64;
            let sum: Complex<f64> = (0..nodes)
                .map(|n| Complex::from_polar(1.0, z * at(n).cos()) * (k as f64 * at(n)).cos())
                .sum();
            let value = sum * (if k == 0 { 1.0 } else { 2.0 } / nodes as f64);
            Complex::new(value.re as f32, value.im as f32)
        })
        .collect()
}

/// The Chebyshev polynomial of degree `k` at `x` from -1 to 1.
pub(super) fn polynomial(k: usize, x: f64) -> f64 {
    (k as f64 * x.clamp(-1.0, 1.0).acos()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expansion_is_the_exponential() {
        let doppler = Doppler::new(300e3, 1e-3, 8e-3);
        let mut worst = 0.0f64;
        for shift in [-7.9e-3, -1.3e-3, 0.0, 4e-4, 2.7e-3, 8e-3] {
            let weights: Vec<_> = doppler.weights(shift).collect();
            let terms = doppler.terms_for(shift);
            for i in 0..=20 {
                let x = f64::from(i) / 10.0 - 1.0;
                let sum: Complex<f64> = weights[..terms]
                    .iter()
                    .enumerate()
                    .map(|(k, w)| Complex::new(f64::from(w.re), f64::from(w.im)) * polynomial(k, x))
                    .sum();
                let exact = Complex::from_polar(1.0, PI * 300e3 * 1e-3 * shift * x);
                worst = worst.max((sum - exact).norm());
            }
        }
        println!("Doppler expansion: largest error {worst:.1e}, expected below 3e-4");
        assert!(worst < 3e-4, "{worst}");
    }

    /// c_0 = J_0(1), c_1 = 2j J_1(1): Abramowitz and Stegun, table 9.1.
    #[test]
    fn the_weights_are_bessel_functions() {
        let weights = chebyshev(1.0, 8);
        assert!((weights[0].re - 0.765_197_7).abs() < 1e-6 && weights[0].im.abs() < 1e-6);
        assert!((weights[1].im - 2.0 * 0.440_050_6).abs() < 1e-6 && weights[1].re.abs() < 1e-6);
    }
}
