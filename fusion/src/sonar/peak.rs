//! Where a peak lies between samples.

use std::f64::consts::PI;

use beluga_types::elementary::{exp, ln, sin};

use super::polar::from_polar;

/// Place and height of the peak at `index` of a row of power, from a parabola through the
/// logarithms of three samples.
///
/// The compressed pulse is close to a Gaussian, whose logarithm is a parabola: with four or more
/// samples across its -3 dB width the bias stays below 0.01 sample; with two, below 0.05. A peak
/// at an end of the row, or beside a zero, is taken as it is.
pub fn refine(power: &[f32], index: usize) -> Peak {
    let at = |i: usize| f64::from(power[i]);
    let plain = Peak {
        place: index as f64,
        power: at(index),
    };
    if index == 0 || index + 1 >= power.len() {
        return plain;
    }
    let (before, here, after) = (at(index - 1), at(index), at(index + 1));
    if before <= 0.0 || here <= 0.0 || after <= 0.0 {
        return plain;
    }
    let (before, here, after) = (ln(before), ln(here), ln(after));
    match vertex(before, here, after) {
        Some((offset, height)) => Peak {
            place: index as f64 + offset,
            power: exp(height),
        },
        None => plain,
    }
}

/// Samples to either side that speak for a place between two.
const REACH: usize = 16;

/// Place and height of the peak near `index` of a row of power that is sampled at twice the pulse's band
/// or faster, by interpolation within the band: of a target smaller than the pulse's width this is the
/// likeliest place, as that at which the compressed pulse is strongest.
///
/// Samples are weighted by a sinc under a window of `cos²` over sixteen to either side; the bias stays
/// below 0.003 sample. Nearer than that to an end of the row it is [`refine`].
pub(crate) fn between(power: &[f32], index: usize) -> Peak {
    let mut peak = refine(power, index);
    if index < REACH + 1 || index + REACH + 1 >= power.len() {
        return peak;
    }
    let (low, high) = (index as f64 - 1.0, index as f64 + 1.0);
    for step in [0.25, 0.05, 0.01] {
        let place = peak.place;
        let [before, here, after] = [-step, 0.0, step].map(|by| interpolated(power, place + by));
        let (offset, height) = match vertex(before, here, after) {
            Some(top) => top,
            // The top lies to one side: a step towards it.
            None if after > before => (1.0, after),
            None => (-1.0, before),
        };
        peak = Peak {
            place: (place + offset * step).clamp(low, high),
            power: height,
        };
    }
    peak
}

/// Power at a place that has enough samples to either side.
fn interpolated(power: &[f32], place: f64) -> f64 {
    let first = place.floor() as usize + 1 - REACH;
    let nearest = first as f64 - place;
    let samples = &power[first..first + 2 * REACH];
    if nearest.fract() == 0.0 {
        return f64::from(samples[REACH - 1]);
    }
    // sin(π (x + k)) is that of x with the sign of (-1)^k, and the window turns by the same step each time.
    let mut sine = sin(PI * nearest);
    let turn = from_polar(1.0, PI / REACH as f64);
    let mut window = from_polar(1.0, PI * nearest / REACH as f64);
    let mut sum = 0.0;
    for (k, &value) in samples.iter().enumerate() {
        let weight = sine / (PI * (nearest + k as f64)) * (0.5 + 0.5 * window.re);
        sum += f64::from(value) * weight;
        sine = -sine;
        window *= turn;
    }
    sum
}

/// A peak between samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Place in samples, counted from the first.
    pub place: f64,
    /// Height, in the unit of the row.
    pub power: f64,
}

/// Top of the parabola through three values one step apart: its offset from the middle one
/// (at most half a step) and its height. Nothing if the middle is not the highest.
pub(crate) fn vertex(before: f64, here: f64, after: f64) -> Option<(f64, f64)> {
    let bend = before - 2.0 * here + after;
    if !(bend < 0.0 && here >= before && here >= after) {
        return None;
    }
    let offset = (0.5 * (before - after) / bend).clamp(-0.5, 0.5);
    Some((offset, here - 0.25 * (before - after) * offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::elementary::Squared;

    /// Worst error over 101 places of a Hann-windowed swept pulse's envelope (a raised cosine's
    /// transform), with so many samples across its -3 dB width.
    fn worst_bias(samples_per_width: f64) -> f64 {
        // Transform of the Hann window: sinc(x) / (1 - x²); its -3 dB width is 1.4406 bins.
        let envelope = |x: f64| {
            let pi_x = std::f64::consts::PI * x;
            let sinc = if x.abs() < 1e-9 { 1.0 } else { sin(pi_x) / pi_x };
            if (x.abs() - 1.0).abs() < 1e-9 {
                0.5
            } else {
                sinc / (1.0 - x * x)
            }
        };
        let step = 1.4406 / samples_per_width;
        (0..=100)
            .map(|i| {
                let true_place = 8.0 + (f64::from(i) / 100.0 - 0.5);
                let power: Vec<f32> = (0..17)
                    .map(|n| envelope((f64::from(n) - true_place) * step).squared() as f32)
                    .collect();
                let top = (0..17).max_by(|&a, &b| power[a].total_cmp(&power[b])).unwrap();
                (refine(&power, top).place - true_place).abs()
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn the_stated_bias_holds() {
        let (coarse, fine) = (worst_bias(2.0), worst_bias(4.0));
        println!("peak bias: {coarse:.5} sample at 2 per width, {fine:.5} at 4");
        assert!(coarse < 0.05 && fine < 0.01);
        assert!(coarse > fine, "a coarser grid cannot be better");
    }

    /// Power of a sweep's compressed pulse without a weight, sampled as coarsely as its band allows.
    #[test]
    fn a_peak_is_met_between_the_coarsest_samples() {
        let sinc = |x: f64| {
            if x.abs() < 1e-9 {
                1.0
            } else {
                sin(PI * x) / (PI * x)
            }
        };
        let mut worst: [f64; 2] = [0.0; 2];
        for i in 0..=50 {
            let truth = 40.0 + f64::from(i) / 50.0 - 0.5;
            let power: Vec<f32> = (0..80)
                .map(|n| sinc(0.5 * (f64::from(n) - truth)).squared() as f32)
                .collect();
            let found = between(&power, 40);
            worst[0] = worst[0].max((found.place - truth).abs());
            worst[1] = worst[1].max((refine(&power, 40).place - truth).abs());
            assert!((found.power - 1.0).abs() < 0.01, "{}", found.power);
        }
        println!(
            "worst of the band {:.4} sample, of the parabola {:.4}",
            worst[0], worst[1]
        );
        assert!(worst[0] < 0.003 && worst[1] > 0.01, "{worst:?}");
        assert_eq!(
            between(&[0.0, 1.0, 3.0, 1.0], 2),
            refine(&[0.0, 1.0, 3.0, 1.0], 2)
        );
    }

    #[test]
    fn a_gaussian_is_met_exactly() {
        let power: Vec<f32> = (0..9)
            .map(|n| exp(-(f64::from(n) - 4.3).squared() / 3.0) as f32)
            .collect();
        let peak = refine(&power, 4);
        assert!((peak.place - 4.3).abs() < 1e-5 && (peak.power - 1.0).abs() < 1e-5);
    }

    #[test]
    fn ends_and_zeros_are_taken_as_they_are() {
        assert_eq!(refine(&[2.0, 1.0], 0).place, 0.0);
        assert_eq!(refine(&[0.0, 1.0, 0.5], 1).place, 1.0);
    }
}
