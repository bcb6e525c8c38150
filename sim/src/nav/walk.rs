//! A random walk that can be asked at any place without walking there: Brownian motion by halving
//! its time (P. Lévy, "Processus stochastiques et mouvement brownien", 1948; the Brownian bridge).
//! Half-way between two known values it is their mean plus a normal number whose variance is a
//! quarter of the time between them.

use crate::random::Dice;

/// Halvings: 2²² steps are an hour at 1165 per second.
const HALVINGS: u32 = 22;

/// Standard Brownian motion (variance = steps) after a number of steps, below 2²²; each use has dice
/// of its own.
pub(super) fn brownian(dice: &Dice, step: u64) -> f64 {
    let (mut low, mut high) = (0u64, 1u64 << HALVINGS);
    let (mut from, mut to) = (0.0, dice.normal(0) * ((high - low) as f64).sqrt());
    let mut node = 1u64;
    while low < step {
        let middle = low + (high - low) / 2;
        let value = 0.5 * (from + to) + 0.5 * ((high - low) as f64).sqrt() * dice.normal(node);
        if step < middle {
            (high, to, node) = (middle, value, 2 * node);
        } else {
            (low, from, node) = (middle, value, 2 * node + 1);
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Source;

    #[test]
    fn steps_are_independent_and_have_unit_variance() {
        let dice = Dice::new(3, Source::ImuBias, 0, 0);
        let values: Vec<f64> = (0..20_001).map(|step| brownian(&dice, step)).collect();
        assert_eq!(values[0], 0.0);
        let steps: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let n = steps.len() as f64;
        let variance = steps.iter().map(|step| step * step).sum::<f64>() / n;
        let next = steps.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / n;
        println!("random walk: step variance {variance:.4}, expected 1; neighbours {next:.4}, expected 0");
        assert!((variance - 1.0).abs() < 0.03 && next.abs() < 0.03);
        let far: f64 = (0..400)
            .map(|walk| brownian(&Dice::new(3, Source::ImuBias, walk, 1), 10_000).powi(2))
            .sum::<f64>()
            / 400.0;
        assert!((far / 10_000.0 - 1.0).abs() < 0.25, "{far}");
    }
}
