//! How strongly a line array hears beside its axis.

use std::f64::consts::PI;

/// Full width at -3 dB of [`hann_line`], in its own unit u.
const HALF_POWER_WIDTH: f64 = 1.440_6;

/// Amplitude of a line array with Hann shading at `u = length / wavelength * sin(angle)`, 1 on
/// the axis.
///
/// The Fourier transform of the Hann window over the aperture: the main lobe ends at |u| = 2, the
/// first side lobe is -31.5 dB, and the side lobes fall by 18 dB per octave. F. Harris, "On the use
/// of windows for harmonic analysis with the discrete Fourier transform", Proc. IEEE 66 (1978).
fn hann_line(u: f64) -> f64 {
    let pole = 1.0 - u * u;
    if u.abs() < 1e-6 {
        1.0
    } else if pole.abs() < 1e-6 {
        0.5
    } else {
        (PI * u).sin() / (PI * u * pole)
    }
}

/// The pattern of one array as a table over the sine of the angle from its axis. Of an array that is
/// an arc, over the angle itself: within the reach the two differ by less than a hundredth of the width.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    table: Vec<f32>,
    per_entry: f64,
    /// Beyond this sine the pattern is taken as zero.
    pub(super) reach: f64,
}

impl Pattern {
    /// An array whose beam is `width_rad` wide at -3 dB, followed out to `u_most`.
    pub(super) fn new(width_rad: f64, u_most: f64) -> Self {
        const ENTRIES: usize = 4096;
        let u_per_sine = HALF_POWER_WIDTH / (2.0 * (0.5 * width_rad).sin());
        Self {
            table: (0..ENTRIES + 2)
                .map(|i| hann_line(u_most * i as f64 / ENTRIES as f64) as f32)
                .collect(),
            per_entry: u_per_sine * ENTRIES as f64 / u_most,
            reach: (u_most / u_per_sine).min(1.0),
        }
    }

    /// Amplitude at the sine of an angle from the axis; zero beyond the reach.
    pub(super) fn at(&self, sine: f64) -> f32 {
        if sine.abs() >= self.reach {
            return 0.0;
        }
        let place = sine.abs() * self.per_entry;
        let entry = place as usize;
        let fraction = (place - entry as f64) as f32;
        self.table[entry] * (1.0 - fraction) + self.table[entry + 1] * fraction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decibels(amplitude: f64) -> f64 {
        20.0 * amplitude.abs().log10()
    }

    #[test]
    fn the_pattern_has_its_stated_width() {
        for width_deg in [0.5f64, 1.0, 2.0] {
            let width = width_deg.to_radians();
            let pattern = Pattern::new(width, 5.0);
            let edge = f64::from(pattern.at((0.5 * width).sin()));
            assert!(
                (decibels(edge) + 3.0103).abs() < 0.01,
                "{width_deg}: {}",
                decibels(edge)
            );
            assert_eq!(pattern.at(0.0), 1.0);
            assert_eq!(pattern.at(pattern.reach), 0.0);
        }
    }

    #[test]
    fn the_first_side_lobe_is_31_5_decibels_down() {
        let first = (2_000..3_000)
            .map(|i| hann_line(f64::from(i) * 1e-3).abs())
            .fold(0.0, f64::max);
        assert!((decibels(first) + 31.47).abs() < 0.05, "{}", decibels(first));
        let cut = (5_000..6_000)
            .map(|i| hann_line(f64::from(i) * 1e-3).abs())
            .fold(0.0, f64::max);
        assert!(
            decibels(cut) < -50.0,
            "what is cut off is below -50 dB: {}",
            decibels(cut)
        );
    }

    /// Against the sum over the aperture that the formula stands for.
    #[test]
    fn the_formula_is_the_transform_of_the_window() {
        for u in [0.0, 0.3, 0.72, 1.0, 1.5, 2.5, 3.4] {
            let n = 2_000;
            let mut sum = 0.0;
            for i in 0..n {
                let x = (f64::from(i) + 0.5) / f64::from(n) - 0.5;
                sum += (1.0 + (2.0 * PI * x).cos()) * (2.0 * PI * u * x).cos() / f64::from(n);
            }
            assert!((sum - hann_line(u)).abs() < 1e-5, "{u}: {sum}");
        }
    }
}
