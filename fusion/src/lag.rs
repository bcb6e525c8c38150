//! How late one sensor's clock is beside another's, from a motion that both have seen.
//!
//! The turns of the body from scan to scan, as the lidar's odometry has them, are laid over those of a
//! navigation sensor, shifted in time; where they agree best is the lag, to a part of the step by a parabola. Hydrographers
//! find it by the latency run of a patch test, on a survey line made for it; here any restless water will do. Source
//! of the sigma: least squares in one unknown, the residual's variance over the sum of squared slopes.

use beluga_types::Stamp;
use beluga_types::elementary::Squared;
use nalgebra::{UnitQuaternion, Vector3};

use crate::error::LagError;

/// Steps of the shift, in seconds.
const STEP_S: f64 = 0.01;
/// Fewest turns that are compared.
const MIN_TURNS: usize = 50;
/// Turns over longer times are gaps, in seconds.
const LONGEST_S: f64 = 0.5;
/// Least root mean square of the rotation rate, in rad/s: 0.2 °/s.
const LEAST_RATE: f64 = 0.0035;
/// Least correlation at an axis' peak. What a lidar sees less well it follows as if it were elsewhere in time: at 0.99 a
/// seventh of the turns is something else, and slow turns come out 20 ms off.
const LEAST_CORRELATION: f64 = 0.995;
/// What is not in the turns' own scatter, one sigma in seconds: a lidar's odometry is a little early or late, and fixes
/// 50 ms apart draw the peak between them. Measured on simulated surveys (`sample`): rms 5 ms over eight of 30 s, 8 ms
/// over ten of 20 s, where the scatter alone stated 2.
const BESIDE_S: f64 = 0.008;
/// How far from the peak its fall is told, in seconds.
const FALL_AT_S: f64 = 0.1;

/// Attitudes of one body over time, in the order of time.
pub type Attitudes = [(Stamp, UnitQuaternion<f64>)];

/// By how much one sensor's times are later than another's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lag {
    /// Seconds that are to be subtracted from the other sensor's times.
    pub lag_s: f64,
    /// One sigma of it, in seconds.
    pub sigma_s: f64,
    /// Correlation of the turns about the body's x, y and z at each one's peak, up to 1; only those of 0.995
    /// and more count.
    pub correlation: [f64; 3],
    /// Lag and sigma of each axis that counts, in seconds.
    pub axes: [Option<(f64, f64)>; 3],
    /// How much of the best of them is lost 100 ms beside the peak: a flat peak says little.
    pub fall: f64,
    /// Root mean square of the rotation rate that was compared, in rad/s.
    pub rate_rms: f64,
    /// How many turns were compared.
    pub turns: usize,
}

/// How much later `other` tells what `reference` tells, sought within `reach_s` seconds either way.
///
/// Both are attitudes of the same body in a world that is at rest; the worlds may differ by a constant turn.
/// `reference` may be sparse (a lidar's scans). Each axis of the body is compared by itself; of those that agree
/// the mean is taken by their sigmas, and its own sigma is wider where they contradict each other.
///
/// # Errors
/// [`LagError`] if there is too little to compare, too little motion, or no peak within reach.
pub fn lag(reference: &Attitudes, other: &Attitudes, reach_s: f64) -> Result<Lag, LagError> {
    let turns = comparable(reference, other, reach_s);
    if turns.len() < MIN_TURNS {
        return Err(LagError::TooFew {
            found: turns.len(),
            expected: MIN_TURNS,
        });
    }
    let rates = turns.iter().map(|turn| (turn.by / turn.seconds()).norm_squared());
    let rate_rms = (rates.sum::<f64>() / turns.len() as f64).sqrt();
    if rate_rms < LEAST_RATE {
        return Err(LagError::Still { rate_rms });
    }
    let steps = (reach_s / STEP_S).floor() as i64;
    let shifted: Vec<[f64; 3]> = (-steps..=steps)
        .map(|step| correlation(&turns, other, step as f64 * STEP_S))
        .collect();
    let peaks = [0, 1, 2].map(|axis| Peak::of(&shifted.iter().map(|all| all[axis]).collect::<Vec<f64>>()));
    let correlation = peaks.map(|peak| peak.height);
    let alike = |axis: &usize| correlation[*axis] >= LEAST_CORRELATION;
    let best = correlation.into_iter().fold(f64::NEG_INFINITY, f64::max);
    if best < LEAST_CORRELATION {
        return Err(LagError::Unlike { correlation: best });
    }
    let axes = [0, 1, 2].map(|axis| {
        let lag_s = (peaks[axis].step.filter(|_| alike(&axis))? - steps as f64) * STEP_S;
        Some((lag_s, sigma(&turns, other, axis, lag_s)))
    });
    let told: Vec<(f64, f64)> = axes.into_iter().flatten().collect();
    let (lag_s, sigma_s) = mean(&told).ok_or(LagError::Beyond { reach_s })?;
    let beside = [-FALL_AT_S, FALL_AT_S].map(|beside| self::correlation(&turns, other, lag_s + beside));
    let fall = |axis: usize| correlation[axis] - 0.5 * (beside[0][axis] + beside[1][axis]);
    Ok(Lag {
        lag_s,
        sigma_s,
        correlation,
        axes,
        fall: (0..3).filter(alike).map(fall).fold(0.0, f64::max),
        rate_rms,
        turns: turns.len(),
    })
}

/// Where two courses of one axis agree best.
#[derive(Clone, Copy)]
struct Peak {
    height: f64,
    /// Which shift, to a part of the step; nothing if they agree best at an end.
    step: Option<f64>,
}

impl Peak {
    fn of(shifted: &[f64]) -> Self {
        let highest = (0..shifted.len()).max_by(|a, b| shifted[*a].total_cmp(&shifted[*b]));
        let highest = highest.unwrap_or(0);
        let around = shifted.get(highest.wrapping_sub(1)).zip(shifted.get(highest + 1));
        let at = shifted.get(highest).copied().unwrap_or(0.0);
        Self {
            height: at,
            step: around.map(|(before, after)| {
                let curvature = before - 2.0 * at + after;
                let beside = if curvature < 0.0 {
                    0.5 * (before - after) / curvature
                } else {
                    0.0
                };
                highest as f64 + beside
            }),
        }
    }
}

/// The mean of what the axes tell by their sigmas, and its sigma: wider where they contradict each other.
fn mean(told: &[(f64, f64)]) -> Option<(f64, f64)> {
    let weight = |sigma: f64| (sigma * sigma + BESIDE_S * BESIDE_S).recip();
    let weights: f64 = told.iter().map(|(_, sigma)| weight(*sigma)).sum();
    let mean = told.iter().map(|(lag, sigma)| lag * weight(*sigma)).sum::<f64>() / weights;
    let squares: f64 = told
        .iter()
        .map(|(lag, sigma)| (lag - mean).squared() * weight(*sigma))
        .sum();
    let freedom = told.len().saturating_sub(1).max(1) as f64;
    (!told.is_empty()).then(|| (mean, ((squares / freedom).max(1.0) / weights).sqrt()))
}

/// A turn of the body between two moments of the reference.
struct Turn {
    from: Stamp,
    to: Stamp,
    by: Vector3<f64>,
}

impl Turn {
    fn seconds(&self) -> f64 {
        self.to.seconds_since(self.from)
    }
}

/// The reference's turns that the other saw too, wherever it is shifted.
fn comparable(reference: &Attitudes, other: &Attitudes, reach_s: f64) -> Vec<Turn> {
    let (Some((first, _)), Some((last, _))) = (other.first(), other.last()) else {
        return Vec::new();
    };
    let (first, last) = (first.shifted_s(reach_s), last.shifted_s(-reach_s));
    let turn = |pair: &[(Stamp, UnitQuaternion<f64>)]| {
        let [(from, before), (to, after)] = pair else {
            return None;
        };
        let seconds = to.seconds_since(*from);
        let seen = *from >= first && *to <= last && seconds > 0.0 && seconds <= LONGEST_S;
        seen.then(|| Turn {
            from: *from,
            to: *to,
            by: (before.inverse() * after).scaled_axis(),
        })
    };
    reference.windows(2).filter_map(turn).collect()
}

/// The other's turn in the same time, so much later; none across a gap of it.
fn of_other(turn: &Turn, other: &Attitudes, shift_s: f64) -> Option<Vector3<f64>> {
    let from = attitude(other, turn.from.shifted_s(shift_s))?;
    let to = attitude(other, turn.to.shifted_s(shift_s))?;
    Some((from.inverse() * to).scaled_axis())
}

fn attitude(of: &Attitudes, at: Stamp) -> Option<UnitQuaternion<f64>> {
    let after = of.partition_point(|(stamp, _)| *stamp < at);
    let (to, later) = of.get(after)?;
    let (from, earlier) = match after.checked_sub(1) {
        Some(before) => of.get(before)?,
        None => return (*to == at).then_some(*later),
    };
    let seconds = to.seconds_since(*from);
    let part = at.seconds_since(*from) / seconds;
    let turn = (earlier.inverse() * later).scaled_axis();
    (seconds <= LONGEST_S && part.is_finite())
        .then(|| earlier * UnitQuaternion::from_scaled_axis(turn * part))
}

/// Of each axis, at this shift.
fn correlation(turns: &[Turn], other: &Attitudes, shift_s: f64) -> [f64; 3] {
    let (mut products, mut own, mut others) = (Vector3::zeros(), Vector3::zeros(), Vector3::zeros());
    for turn in turns {
        if let Some(by) = of_other(turn, other, shift_s) {
            products += turn.by.component_mul(&by);
            own += turn.by.component_mul(&turn.by);
            others += by.component_mul(&by);
        }
    }
    [0, 1, 2].map(|axis| {
        let scale: f64 = (own[axis] * others[axis]).sqrt();
        if scale > 0.0 { products[axis] / scale } else { 0.0 }
    })
}

/// Least squares in one unknown.
fn sigma(turns: &[Turn], other: &Attitudes, axis: usize, lag_s: f64) -> f64 {
    let (mut residuals, mut slopes, mut count) = (0.0_f64, 0.0_f64, 0.0_f64);
    for turn in turns {
        let [before, at, after] = [-STEP_S, 0.0, STEP_S].map(|beside| of_other(turn, other, lag_s + beside));
        if let (Some(before), Some(at), Some(after)) = (before, at, after) {
            residuals += (turn.by[axis] - at[axis]).squared();
            slopes += ((after[axis] - before[axis]) / (2.0 * STEP_S)).squared();
            count += 1.0;
        }
    }
    (residuals / (count - 1.0).max(1.0) / slopes.max(f64::MIN_POSITIVE)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::elementary::sin;

    /// A vessel that rolls, pitches and steers; told every so many ms, so much later, between two times.
    fn vessel(
        every_millis: i64,
        later_s: f64,
        size: f64,
        (from_s, to_s): (i64, i64),
    ) -> Vec<(Stamp, UnitQuaternion<f64>)> {
        let at = |millis: i64| {
            let t = 1e-3 * millis as f64;
            let attitude = UnitQuaternion::from_euler_angles(
                size * 0.05 * sin(1.3 * t),
                size * 0.02 * sin(1.9 * t + 1.0),
                size * 0.2 * sin(0.4 * t),
            );
            (Stamp::from_nanos(millis * 1_000_000).shifted_s(later_s), attitude)
        };
        (from_s * 1000 / every_millis..to_s * 1000 / every_millis)
            .map(|count| at(count * every_millis))
            .collect()
    }

    #[test]
    fn a_lag_comes_back_with_either_sign_and_to_parts_of_a_step() {
        let lidar = vessel(100, 0.0, 1.0, (0, 30));
        for later_s in [0.137, -0.137, 0.0, 0.4321, -0.004] {
            let nav = vessel(20, later_s, 1.0, (-2, 32));
            let found = lag(&lidar, &nav, 1.0).unwrap();
            assert!((found.lag_s - later_s).abs() < 5e-4, "{later_s}: {found:?}");
            assert!(found.correlation.iter().all(|one| *one > 0.999) && found.sigma_s < 9e-3);
            assert!(found.fall > 0.0 && found.turns > 250);
        }
    }

    #[test]
    fn another_world_and_a_gap_change_nothing() {
        let lidar = vessel(100, 0.0, 1.0, (0, 30));
        let turn = UnitQuaternion::from_euler_angles(0.0, 0.0, 2.0);
        let nav: Vec<_> = vessel(50, 0.2, 1.0, (-2, 32))
            .into_iter()
            .filter(|(stamp, _)| !(10.0..13.0).contains(&stamp.seconds_since(Stamp::from_nanos(0))))
            .map(|(stamp, attitude)| (stamp, turn * attitude))
            .collect();
        let found = lag(&lidar, &nav, 1.0).unwrap();
        assert!((found.lag_s - 0.2).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn what_says_nothing_is_refused_by_name() {
        let lidar = vessel(100, 0.0, 1.0, (0, 30));
        let still = vessel(100, 0.0, 0.01, (0, 30));
        let nav = |later_s| vessel(20, later_s, 1.0, (-2, 32));
        assert!(matches!(lag(&still, &nav(0.0), 1.0), Err(LagError::Still { .. })));
        assert!(matches!(
            lag(&lidar[..40], &nav(0.0), 1.0),
            Err(LagError::TooFew { found: 39, .. })
        ));
        assert!(matches!(
            lag(&lidar, &[], 1.0),
            Err(LagError::TooFew { found: 0, .. })
        ));
        assert!(matches!(
            lag(&lidar, &nav(0.35), 0.3),
            Err(LagError::Beyond { .. })
        ));
        let mirrored: Vec<_> = nav(0.0)
            .into_iter()
            .map(|(stamp, attitude)| (stamp, attitude.inverse()))
            .collect();
        let other = lag(&lidar, &mirrored, 0.3);
        assert!(
            matches!(other, Err(LagError::Unlike { .. } | LagError::Beyond { .. })),
            "{other:?}"
        );
    }
}
