//! What the colour of the sonar's points says.

use beluga_types::SolidarFrame;
use beluga_types::s44::SoundingOrder;
use nalgebra::Vector3;

/// One more than the number of the least strict order.
const NO_ORDER: u8 = SoundingOrder::Second as u8 + 1;

/// What is shown by the colour of the sonar's points in the map: a perceptual map over the span of
/// most values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SonarColour {
    /// Echo level, in dB: bright is loud.
    #[default]
    Level,
    /// Height in `World`, in metres: dark is deep.
    Depth,
    /// Signal to noise, in dB: bright is clear.
    Snr,
    /// The largest of a point's own three sigmas, in metres: bright is certain.
    Sigma,
    /// The strictest order of IHO S-44 whose uncertainties the sounding keeps within: bright is
    /// Exclusive, dark is none.
    Order,
}

impl SonarColour {
    /// Every choice.
    pub const ALL: [SonarColour; 5] = [Self::Level, Self::Depth, Self::Snr, Self::Sigma, Self::Order];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Depth => "depth",
            Self::Snr => "snr",
            Self::Sigma => "sigma",
            Self::Order => "order",
        }
    }

    /// The number that is shown of point `i`, which lies at `place` in `World`; more is brighter.
    pub(crate) fn value(self, frame: &SolidarFrame, i: usize, place: &Vector3<f64>) -> f32 {
        let points = &frame.points;
        match self {
            Self::Level => points.level[i],
            Self::Depth => place.z as f32,
            Self::Snr => points.snr_db[i].unwrap_or(f32::NAN),
            // Sigmas span decades; equal factors look equally large.
            Self::Sigma => {
                let sigmas = [
                    points.sigma_range_m[i],
                    points.sigma_along_m[i],
                    points.sigma_across_m[i],
                ];
                -sigmas.into_iter().fold(f32::MIN_POSITIVE, f32::max).log10()
            }
            Self::Order => {
                let total = frame.total_uncertainty(i);
                let order = frame.sounding_order(i, &total);
                order.map_or(0.0, |order| (NO_ORDER - order as u8).into())
            }
        }
    }

    /// The span of its values, where that is known beforehand.
    pub(crate) fn span(self) -> Option<(f32, f32)> {
        (self == Self::Order).then(|| (0.0, (NO_ORDER - SoundingOrder::Exclusive as u8).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    #[test]
    fn louder_higher_clearer_and_surer_is_brighter() {
        let mut frame = specimen::passing(0, 3.0);
        let i = frame
            .points
            .medium
            .iter()
            .position(|medium| *medium == beluga_types::Medium::Water)
            .unwrap();
        let place = Vector3::new(1.0, 2.0, -4.0);
        let value = |frame: &SolidarFrame, colour: SonarColour, z: f64| {
            colour.value(frame, i, &Vector3::new(place.x, place.y, z))
        };
        frame.points.snr_db[i] = Some(20.0);
        frame.points.sigma_across_m[i] = 0.6;
        let before = SonarColour::ALL.map(|colour| value(&frame, colour, place.z));
        frame.points.level[i] += 1.0;
        frame.points.snr_db[i] = Some(21.0);
        frame.points.sigma_range_m[i] = 0.001;
        frame.points.sigma_along_m[i] = 0.002;
        frame.points.sigma_across_m[i] = 0.002;
        let after = SonarColour::ALL.map(|colour| value(&frame, colour, place.z + 1.0));
        assert!(
            before.iter().zip(&after).all(|(before, after)| before < after),
            "{before:?} {after:?}"
        );
        assert_eq!(after[4], 4.0, "Exclusive");
        assert!((after[3] - 0.002_f32.log10().abs()).abs() < 1e-6);
    }
}
