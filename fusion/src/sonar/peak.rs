//! Where a peak lies between samples.

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
    let (before, here, after) = (before.ln(), here.ln(), after.ln());
    match vertex(before, here, after) {
        Some((offset, height)) => Peak {
            place: index as f64 + offset,
            power: height.exp(),
        },
        None => plain,
    }
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

    /// Worst error over 101 places of a Hann-windowed swept pulse's envelope (a raised cosine's
    /// transform), with so many samples across its -3 dB width.
    fn worst_bias(samples_per_width: f64) -> f64 {
        // Transform of the Hann window: sinc(x) / (1 - x²); its -3 dB width is 1.4406 bins.
        let envelope = |x: f64| {
            let pi_x = std::f64::consts::PI * x;
            let sinc = if x.abs() < 1e-9 { 1.0 } else { pi_x.sin() / pi_x };
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
                    .map(|n| envelope((f64::from(n) - true_place) * step).powi(2) as f32)
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

    #[test]
    fn a_gaussian_is_met_exactly() {
        let power: Vec<f32> = (0..9)
            .map(|n| (-(f64::from(n) - 4.3).powi(2) / 3.0).exp() as f32)
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
