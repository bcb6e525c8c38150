//! What water and air do to sound: its speed, its absorption and its way.

mod absorption;
pub mod ray;
mod slant;
mod speed;

use beluga_types::Water;
use beluga_types::elementary::ln;

pub use absorption::{
    Absorber, absorption_db_per_km, ainslie_mccolm_db_per_km, surface_loss_db, target_loss_db,
};
pub use slant::ground_range_m;
pub use speed::{
    air_sound_speed_m_per_s, chen_millero_m_per_s, del_grosso_m_per_s, leroy_m_per_s, mackenzie_m_per_s,
    medwin_m_per_s, pressure_dbar, sound_speed_m_per_s,
};

/// Speed of sound taken when nothing is known of the water, in m/s: between fresh water at 4 °C
/// (1421) and sea water at 25 °C (1534), with a sigma that covers both.
const UNKNOWN_WATER_M_PER_S: f64 = 1480.0;
const UNKNOWN_WATER_SIGMA_M_PER_S: f64 = 30.0;

/// A stated speed is taken to be good to a probe's usual accuracy and the water's unevenness.
const STATED_SIGMA_M_PER_S: f64 = 1.0;

/// A speed from stated temperature and salinity: 0.5 °C and 0.5 ppt, at 3 and 1.3 m/s for each.
const PROPERTIES_SIGMA_M_PER_S: f64 = 1.7;

/// A speed of sound and how far to trust it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoundSpeed {
    /// Speed, in m/s.
    pub m_per_s: f64,
    /// One sigma, in m/s.
    pub sigma_m_per_s: f64,
    /// Whether nothing usable was stated and the default was taken.
    pub assumed: bool,
}

/// Mean speed of sound in this water from the surface to `depth_m` (harmonic mean of a profile,
/// since times add up).
///
/// Water that is not stated, or whose numbers are no speed between 1300 and 1800 m/s, takes
/// 1480 ± 30 m/s and says so.
pub fn sound_speed_of(water: &Water, depth_m: f64) -> SoundSpeed {
    let depth_m = if depth_m.is_finite() {
        depth_m.max(0.0)
    } else {
        0.0
    };
    let (m_per_s, sigma_m_per_s) = match water {
        Water::Unknown => (f64::NAN, 0.0),
        Water::SoundSpeed(speed) => (*speed, STATED_SIGMA_M_PER_S),
        Water::Profile(profile) => (harmonic_mean(profile, depth_m), STATED_SIGMA_M_PER_S),
        Water::Properties {
            temperature_deg_c,
            salinity_ppt,
        } => (
            sound_speed_m_per_s(*temperature_deg_c, *salinity_ppt, 0.5 * depth_m),
            PROPERTIES_SIGMA_M_PER_S,
        ),
    };
    if (1300.0..=1800.0).contains(&m_per_s) {
        return SoundSpeed {
            m_per_s,
            sigma_m_per_s,
            assumed: false,
        };
    }
    SoundSpeed {
        m_per_s: UNKNOWN_WATER_M_PER_S,
        sigma_m_per_s: UNKNOWN_WATER_SIGMA_M_PER_S,
        assumed: true,
    }
}

/// Depth over travel time from the surface to `depth_m` through linear layers; the first and last
/// speeds hold beyond the profile's ends. NaN for a profile without points, with depths that do
/// not rise, or with numbers that are no speed.
fn harmonic_mean(profile: &[(f64, f64)], depth_m: f64) -> f64 {
    let rises = profile.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let usable = profile
        .iter()
        .all(|(depth, speed)| depth.is_finite() && speed.is_finite() && *speed > 0.0);
    let (Some(&(_, first)), true, true) = (profile.first(), rises, usable) else {
        return f64::NAN;
    };
    let speed_at = |depth: f64| {
        let below = profile.partition_point(|&(at, _)| at <= depth);
        match (below.checked_sub(1).map(|i| profile[i]), profile.get(below)) {
            (Some((d0, c0)), Some(&(d1, c1))) => c0 + (c1 - c0) * (depth - d0) / (d1 - d0),
            (Some((_, last)), None) => last,
            (None, _) => first,
        }
    };
    if depth_m <= 0.0 {
        return speed_at(0.0);
    }
    let inner = profile
        .iter()
        .map(|&(depth, _)| depth)
        .filter(|&depth| depth > 0.0 && depth < depth_m);
    let mut depths: Vec<f64> = std::iter::once(0.0).chain(inner).collect();
    depths.push(depth_m);
    let layer_time = |pair: &[f64]| {
        let (top, bottom, thickness) = (speed_at(pair[0]), speed_at(pair[1]), pair[1] - pair[0]);
        // The integral of dz / c over a linear layer; its limit where the speed does not change.
        let step = bottom - top;
        if step.abs() < 1e-9 * top {
            thickness / top
        } else {
            thickness * ln(bottom / top) / step
        }
    };
    depth_m / depths.windows(2).map(layer_time).sum::<f64>()
}

#[cfg(test)]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "found {found}, expected {expected}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_gives_its_harmonic_mean() {
        let water = Water::Profile([(0.0, 1500.0), (20.0, 1490.0), (50.0, 1480.0)].into());
        // Straight down: 20 m at 1500→1490 and 30 m at 1490→1480.
        let time = 20.0 * ln(1500.0f64 / 1490.0) / 10.0 + 30.0 * ln(1490.0f64 / 1480.0) / 10.0;
        let speed = sound_speed_of(&water, 50.0);
        close(speed.m_per_s, 50.0 / time, 1e-9);
        assert!(speed.m_per_s < 1489.0 && !speed.assumed);
        close(sound_speed_of(&water, 0.0).m_per_s, 1500.0, 1e-9);
        close(sound_speed_of(&water, 10.0).m_per_s, 1497.5, 0.01);
    }

    #[test]
    fn unknown_and_senseless_water_take_the_stated_default() {
        for water in [
            Water::Unknown,
            Water::SoundSpeed(f64::NAN),
            Water::SoundSpeed(15.0),
            Water::Profile([].into()),
            Water::Profile([(5.0, 1500.0), (1.0, 1490.0)].into()),
        ] {
            let speed = sound_speed_of(&water, 10.0);
            assert!(speed.assumed, "{water:?}");
            assert_eq!((speed.m_per_s, speed.sigma_m_per_s), (1480.0, 30.0));
        }
        assert!(!sound_speed_of(&Water::SoundSpeed(1437.0), 10.0).assumed);
    }
}
