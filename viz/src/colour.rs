//! What colour a number gets.

/// Red, green, blue.
pub(crate) type Rgb = [u8; 3];

/// Ends and quarters of *viridis*: S. van der Walt, N. Smith, matplotlib 2.0 (2017). Equal steps
/// look equally large, in print and to colour-blind eyes too.
const VIRIDIS: [Rgb; 5] = [
    [68, 1, 84],
    [59, 82, 139],
    [33, 145, 140],
    [94, 201, 98],
    [253, 231, 37],
];

/// Darkest part of viridis in use: below it points vanish on a dark ground.
const VIRIDIS_START: f32 = 0.12;

/// Warm greys, from weak to strong light.
const WARM_GREY: [Rgb; 2] = [[92, 84, 76], [245, 236, 222]];

/// The colour of a sonar level, `fraction` of the way from weak (0) to loud (1).
pub(crate) fn sound(fraction: f32) -> Rgb {
    ramp(
        &VIRIDIS,
        VIRIDIS_START + (1.0 - VIRIDIS_START) * fraction.clamp(0.0, 1.0),
    )
}

/// The colour of a lidar intensity, `fraction` of the way from weak (0) to strong (1).
pub(crate) fn light(fraction: f32) -> Rgb {
    ramp(&WARM_GREY, fraction)
}

/// Between colours at equal steps, straight from one to the next.
fn ramp(colours: &[Rgb], fraction: f32) -> Rgb {
    let steps = colours.len() - 1;
    let place = fraction.clamp(0.0, 1.0) * steps as f32;
    let step = (place as usize).min(steps - 1);
    let part = place - step as f32;
    std::array::from_fn(|channel| {
        let (from, to) = (
            f32::from(colours[step][channel]),
            f32::from(colours[step + 1][channel]),
        );
        (from + (to - from) * part).round() as u8
    })
}

/// How much of the way a scale follows each new set of values.
const FOLLOW: f32 = 0.05;

/// From levels in any unit to fractions: the span of most values, following them slowly, so that
/// one loud echo changes no colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Parts of the values below the low and the high end.
    ends: [f32; 2],
    span: Option<(f32, f32)>,
    is_fixed: bool,
}

impl Scale {
    /// From where a part `low` of the values lies below to where a part `high` does.
    pub(crate) fn new(low: f32, high: f32) -> Self {
        Self {
            ends: [low, high],
            span: None,
            is_fixed: false,
        }
    }

    /// A scale that stays as it is.
    pub(crate) fn fixed((low, high): (f32, f32)) -> Self {
        Self {
            ends: [0.0, 1.0],
            span: Some((low, high)),
            is_fixed: true,
        }
    }

    /// Follows these values, unless it is fixed; those that are not finite are passed over.
    pub(crate) fn follow(&mut self, values: impl Iterator<Item = f32>) {
        let mut values: Vec<f32> = values.filter(|value| value.is_finite()).collect();
        if values.is_empty() || self.is_fixed {
            return;
        }
        let last = (values.len() - 1) as f32;
        let mut quantile = |part: f32| {
            let place = (part * last).round() as usize;
            *values.select_nth_unstable_by(place, f32::total_cmp).1
        };
        let [low, high] = self.ends.map(&mut quantile);
        self.span = Some(match self.span {
            None => (low, high),
            Some((before_low, before_high)) => (
                before_low + (low - before_low) * FOLLOW,
                before_high + (high - before_high) * FOLLOW,
            ),
        });
    }

    /// Whether all values so far were as good as the same.
    pub(crate) fn is_flat(&self) -> bool {
        self.span
            .is_none_or(|(low, high)| high - low <= f32::EPSILON * high.abs())
    }

    /// Where a value lies in the span, 0 to 1; the middle while nothing is known.
    pub(crate) fn fraction(&self, value: f32) -> f32 {
        match self.span {
            Some((low, high)) if high > low && value.is_finite() => {
                ((value - low) / (high - low)).clamp(0.0, 1.0)
            }
            _ => 0.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramps_hit_their_ends_and_quarters() {
        assert_eq!(ramp(&VIRIDIS, 0.0), VIRIDIS[0]);
        assert_eq!(ramp(&VIRIDIS, 0.25), VIRIDIS[1]);
        assert_eq!(ramp(&VIRIDIS, 1.0), VIRIDIS[4]);
        assert_eq!(light(-3.0), WARM_GREY[0]);
        assert_eq!(sound(f32::INFINITY), VIRIDIS[4]);
    }

    #[test]
    fn louder_is_brighter() {
        let brightness =
            |rgb: Rgb| 0.2126 * f32::from(rgb[0]) + 0.7152 * f32::from(rgb[1]) + 0.0722 * f32::from(rgb[2]);
        for step in 0..20 {
            let (here, next) = (step as f32 / 20.0, (step + 1) as f32 / 20.0);
            assert!(brightness(sound(here)) < brightness(sound(next)), "{here}");
            assert!(brightness(light(here)) < brightness(light(next)), "{here}");
        }
    }

    #[test]
    fn one_loud_echo_moves_no_scale() {
        let mut scale = Scale::new(0.05, 0.98);
        assert_eq!(scale.fraction(3.0), 0.5);
        assert!(scale.is_flat());
        let mut values: Vec<f32> = (0..=100).map(|i| i as f32).collect();
        values.push(1e6);
        values.push(f32::NAN);
        scale.follow(values.into_iter());
        assert!(!scale.is_flat());
        assert_eq!(scale.fraction(0.0), 0.0);
        assert_eq!(scale.fraction(200.0), 1.0);
        assert!((scale.fraction(52.0) - 0.5).abs() < 0.02);
    }
}
