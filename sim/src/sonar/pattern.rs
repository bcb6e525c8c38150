//! How strongly a line array hears beside its axis.

use std::f64::consts::PI;

use crate::scenario::ArrayShading;

/// Cosine coefficients of the Taylor window of five terms and -35 dB side lobes, by its definition: T.
/// Taylor, "Design of line-source antennas for narrow beamwidth and low side lobes", IRE Trans. Antennas
/// Propag. 3 (1955). A test computes them.
const TAYLOR_5_35: [f64; 4] = [
    0.344_349_909_536_611,
    -0.015_194_888_553_963,
    0.004_278_307_631_569,
    -0.000_734_551_649_871,
];

impl ArrayShading {
    /// Amplitude of a line array at `u = length / wavelength * sin(angle)`, 1 on the axis: the Fourier
    /// transform of its weights over the aperture. F. Harris, "On the use of windows for harmonic
    /// analysis with the discrete Fourier transform", Proc. IEEE 66 (1978).
    pub(super) fn line(self, u: f64) -> f64 {
        let cosines: &[f64] = match self {
            ArrayShading::Hann => return hann_line(u),
            ArrayShading::Rectangular => &[],
            ArrayShading::Hamming => &[0.46 / 1.08],
            ArrayShading::Taylor => &TAYLOR_5_35,
        };
        let pairs = (1..).zip(cosines);
        sinc(u)
            + pairs
                .map(|(m, f)| f * (sinc(u - f64::from(m)) + sinc(u + f64::from(m))))
                .sum::<f64>()
    }

    /// Weight of the place `x` of the aperture, -0.5 to 0.5, with a mean of 1.
    pub(super) fn weight(self, x: f64) -> f64 {
        let cosines: &[f64] = match self {
            ArrayShading::Rectangular => &[],
            ArrayShading::Hann => &[0.5],
            ArrayShading::Hamming => &[0.46 / 1.08],
            ArrayShading::Taylor => &TAYLOR_5_35,
        };
        let pairs = (1..).zip(cosines);
        1.0 + 2.0
            * pairs
                .map(|(m, f)| f * (2.0 * PI * f64::from(m) * x).cos())
                .sum::<f64>()
    }

    /// Full width of [`Self::line`] at -3 dB, in its own unit u.
    pub(super) fn half_power_width(self) -> f64 {
        if self == ArrayShading::Hann {
            return HALF_POWER_WIDTH;
        }
        // The pattern falls from 1 to below a half between 0 and 1.
        let (mut inside, mut outside) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = 0.5 * (inside + outside);
            if self.line(middle) > std::f64::consts::FRAC_1_SQRT_2 {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        2.0 * inside
    }

    /// Length over wavelength of an array whose beam is `width_rad` wide at -3 dB.
    pub(super) fn wavelengths(self, width_rad: f64) -> f64 {
        self.half_power_width() / (2.0 * (0.5 * width_rad).sin())
    }
}

fn sinc(u: f64) -> f64 {
    if u.abs() < 1e-9 {
        1.0
    } else {
        (PI * u).sin() / (PI * u)
    }
}

/// Full width at -3 dB of [`hann_line`], in its own unit u.
const HALF_POWER_WIDTH: f64 = 1.440_6;

/// Amplitude of a line array with Hann shading at `u = length / wavelength * sin(angle)`, 1 on
/// the axis.
///
/// The Fourier transform of the Hann window over the aperture: the main lobe ends at |u| = 2, the
/// first side lobe is -31.5 dB, and the side lobes fall by 18 dB per octave.
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
    pub(super) fn new(shading: ArrayShading, width_rad: f64, u_most: f64) -> Self {
        let whole = Self::of_aperture(shading, shading.wavelengths(width_rad), u_most);
        Self {
            reach: whole.reach.min(1.0),
            ..whole
        }
    }

    /// An array of this length in wavelengths, followed out to `u_most`.
    pub(super) fn of_aperture(shading: ArrayShading, wavelengths: f64, u_most: f64) -> Self {
        const ENTRIES: usize = 4096;
        Self {
            table: (0..ENTRIES + 2)
                .map(|i| shading.line(u_most * i as f64 / ENTRIES as f64) as f32)
                .collect(),
            per_entry: wavelengths * ENTRIES as f64 / u_most,
            reach: u_most / wavelengths,
        }
    }

    /// Integral of the squared pattern over the sine.
    pub(super) fn squared(&self) -> f64 {
        const STEPS: u32 = 4000;
        let step = 2.0 * self.reach / f64::from(STEPS);
        let at = |i: u32| f64::from(self.at((f64::from(i) + 0.5) * step - self.reach));
        (0..STEPS).map(|i| at(i).powi(2) * step).sum()
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
            let pattern = Pattern::new(ArrayShading::Hann, width, 5.0);
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

    const SHADINGS: [ArrayShading; 4] = [
        ArrayShading::Rectangular,
        ArrayShading::Hann,
        ArrayShading::Hamming,
        ArrayShading::Taylor,
    ];

    /// Against the sum over the aperture that the formula stands for.
    #[test]
    fn the_formulas_are_the_transforms_of_the_weights() {
        for shading in SHADINGS {
            for u in [0.0, 0.3, 0.72, 1.0, 1.5, 2.0, 2.5, 3.4, 7.3] {
                let n = 2_000;
                let mut sum = 0.0;
                for i in 0..n {
                    let x = (f64::from(i) + 0.5) / f64::from(n) - 0.5;
                    sum += shading.weight(x) * (2.0 * PI * u * x).cos() / f64::from(n);
                }
                assert!((sum - shading.line(u)).abs() < 1e-5, "{shading:?} {u}: {sum}");
            }
        }
    }

    /// Widths and highest side lobes of Harris' table 1 (width in bins); of the Taylor window -35 dB by its
    /// design and a width of 1.19 by Taylor's own approximation.
    #[test]
    fn widths_and_side_lobes_are_the_published_ones() {
        println!("shading      -3 dB width u  expected  side lobe dB  expected");
        for (shading, width, lobe) in [
            (ArrayShading::Rectangular, 0.886, -13.26),
            (ArrayShading::Hann, 1.441, -31.47),
            (ArrayShading::Hamming, 1.303, -42.68),
            (ArrayShading::Taylor, 1.1875, -35.0),
        ] {
            let found = shading.half_power_width();
            // From the first zero on.
            let steps = (0..12_000).map(|i| shading.line(f64::from(i) * 1e-3));
            let beside = steps.skip_while(|&value| value > 0.0);
            let highest = decibels(beside.map(f64::abs).fold(0.0, f64::max));
            println!(
                "{:<12} {found:13.4} {width:9.3} {highest:13.2} {lobe:9.2}",
                format!("{shading:?}")
            );
            assert!((found - width).abs() < 2e-3, "{shading:?}: {found}");
            assert!((highest - lobe).abs() < 0.35, "{shading:?}: {highest}");
        }
    }

    #[test]
    fn the_taylor_window_is_that_of_its_definition() {
        let (bars, n) = (5, 5.0f64);
        let a = 10f64.powf(35.0 / 20.0).acosh() / PI;
        let stretch = n * n / (a * a + (n - 0.5).powi(2));
        for m in 1..bars {
            let m2 = f64::from(m * m);
            let over: f64 = (1..bars)
                .map(|i| 1.0 - m2 / (stretch * (a * a + (f64::from(i) - 0.5).powi(2))))
                .product();
            let under: f64 = (1..bars)
                .filter(|&i| i != m)
                .map(|i| 1.0 - m2 / f64::from(i * i))
                .product();
            let sign = if m % 2 == 1 { 1.0 } else { -1.0 };
            let found = 0.5 * sign * over / under;
            assert!(
                (found - TAYLOR_5_35[m as usize - 1]).abs() < 1e-12,
                "{m}: {found}"
            );
        }
    }
}
