//! The relative pose error: how far motion over a stretch is from the true motion over it.

use serde::Serialize;

use super::trajectory::{Pair, Spread};

/// How long a stretch is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stretch {
    /// This many poses on.
    Poses(u32),
    /// The first pose this many seconds on, or a thousandth of it less.
    Seconds(f64),
    /// The first pose that lies this many metres on, along the found trajectory.
    Metres(f64),
}

/// Relative pose errors over stretches of one length, one after the other without overlap.
///
/// For poses Q of the reference and P found, of a stretch from i to j: (Qᵢ⁻¹Qⱼ)⁻¹(Pᵢ⁻¹Pⱼ).
/// J. Sturm et al., "A benchmark for the evaluation of RGB-D SLAM systems", IROS 2012. Stretches begin
/// with the first pose, as `evo` chooses its consecutive pairs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RelativeError {
    /// Length of the stretches.
    pub stretch: Stretch,
    /// How many there were.
    pub stretches: u64,
    /// Of the translation, in metres.
    pub translation_m: Spread,
    /// Of the rotation's angle, in radians.
    pub rotation_rad: Spread,
}

/// The relative error over stretches of this length; nothing if no stretch is that long.
pub(super) fn relative_error(pairs: &[Pair], stretch: Stretch) -> Option<RelativeError> {
    let ends = ends(pairs, stretch);
    let errors: Vec<[f64; 2]> = ends
        .windows(2)
        .map(|ends| {
            let (from, to) = (&pairs[ends[0]], &pairs[ends[1]]);
            let found = from.found.inverse() * to.found;
            let truth = from.truth.inverse() * to.truth;
            let error = truth.inverse() * found;
            [error.translation().norm(), error.rotation().angle()]
        })
        .collect();
    let spread = |part: usize| Spread::of(errors.iter().map(|error| error[part]).collect());
    Some(RelativeError {
        stretch,
        stretches: errors.len() as u64,
        translation_m: spread(0)?,
        rotation_rad: spread(1)?,
    })
}

/// Places in the list where one stretch ends and the next begins, with the first.
fn ends(pairs: &[Pair], stretch: Stretch) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut path_m = 0.0;
    for (i, pair) in pairs.iter().enumerate() {
        let Some(&last) = ends.last() else {
            ends.push(i);
            continue;
        };
        path_m += (pair.found.translation() - pairs[i - 1].found.translation()).norm();
        let far = match stretch {
            Stretch::Poses(count) => i - last >= count.max(1) as usize,
            Stretch::Seconds(seconds) => pair.stamp.seconds_since(pairs[last].stamp) >= 0.999 * seconds,
            Stretch::Metres(metres) => path_m >= metres,
        };
        if far {
            ends.push(i);
            path_m = 0.0;
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::{Stamp, Transform};
    use nalgebra::{UnitQuaternion, Vector3};

    /// A run of 1 m/s in the truth, found 2 % too long and turning 1 mrad a metre.
    fn drifting() -> Vec<Pair> {
        (0..=20)
            .map(|i| {
                let s = 0.5 * f64::from(i);
                Pair {
                    stamp: Stamp::from_nanos(0).shifted_s(s),
                    found: Transform::new(
                        UnitQuaternion::from_scaled_axis(Vector3::z() * (1e-3 * s)),
                        Vector3::new(1.02 * s, 0.0, 0.0),
                    ),
                    truth: Transform::new(UnitQuaternion::identity(), Vector3::new(s, 0.0, 0.0)),
                }
            })
            .collect()
    }

    #[test]
    fn a_steady_drift_is_the_same_over_every_stretch() {
        let pairs = drifting();
        for (stretch, count, seconds) in [
            (Stretch::Poses(4), 5, 2.0),
            (Stretch::Seconds(1.0), 10, 1.0),
            (Stretch::Metres(2.0), 5, 2.0),
            (Stretch::Metres(9.9), 1, 10.0),
        ] {
            let error = relative_error(&pairs, stretch).unwrap();
            assert_eq!(error.stretches, count, "{stretch:?}");
            // The part that comes of being turned by up to 1e-2 rad is below 2 % of the way.
            assert!(
                (error.translation_m.rmse - 0.02 * seconds).abs() < 3e-3 * seconds,
                "{error:?}"
            );
            assert!(
                (error.rotation_rad.max - 1e-3 * seconds).abs() < 1e-9,
                "{error:?}"
            );
        }
        assert_eq!(relative_error(&pairs, Stretch::Seconds(11.0)), None);
        assert_eq!(relative_error(&[], Stretch::Poses(1)), None);
    }
}
