//! What water and air do to sound: its speed and its absorption.

use beluga_types::Water;

/// Speed of sound taken when nothing is known of the water, in m/s: between fresh water at 4 °C
/// (1421) and sea water at 25 °C (1534), with a sigma that covers both.
const UNKNOWN_WATER_M_PER_S: f64 = 1480.0;
const UNKNOWN_WATER_SIGMA_M_PER_S: f64 = 30.0;

/// A stated speed is taken to be good to a probe's usual accuracy and the water's unevenness.
const STATED_SIGMA_M_PER_S: f64 = 1.0;

/// A speed from stated temperature and salinity: 0.5 °C and 0.5 ppt, at 3 and 1.3 m/s for each.
const PROPERTIES_SIGMA_M_PER_S: f64 = 1.7;

/// Gravity is taken at this latitude; from pole to equator pressure differs by 0.5 %.
const LATITUDE_RAD: f64 = std::f64::consts::FRAC_PI_4;

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
            thickness * (bottom / top).ln() / step
        }
    };
    depth_m / depths.windows(2).map(layer_time).sum::<f64>()
}

/// Speed of sound in fresh and sea water, in m/s.
///
/// The UNESCO equation of Chen and Millero (J. Acoust. Soc. Am. 62, 1977) with the coefficients of
/// Fofonoff and Millard (UNESCO Tech. Pap. Mar. Sci. 44, 1983): 0–40 °C (IPTS-68), 0–40 ppt,
/// 0–1000 bar. Depth becomes pressure by Saunders at 45° latitude.
pub fn sound_speed_m_per_s(temperature_deg_c: f64, salinity_ppt: f64, depth_m: f64) -> f64 {
    chen_millero_m_per_s(temperature_deg_c, salinity_ppt, pressure_dbar(depth_m))
}

/// The UNESCO equation at a pressure, in m/s; °C, ppt and decibar below the surface.
pub fn chen_millero_m_per_s(temperature_deg_c: f64, salinity_ppt: f64, pressure_dbar: f64) -> f64 {
    let t = temperature_deg_c;
    let s = salinity_ppt.max(0.0);
    let p = pressure_dbar / 10.0;
    let water = in_p(
        p,
        &[
            poly(
                t,
                &[1402.388, 5.03711, -5.80852e-2, 3.3420e-4, -1.47800e-6, 3.1464e-9],
            ),
            poly(t, &[0.153563, 6.8982e-4, -8.1788e-6, 1.3621e-7, -6.1185e-10]),
            poly(t, &[3.1260e-5, -1.7107e-6, 2.5974e-8, -2.5335e-10, 1.0405e-12]),
            poly(t, &[-9.7729e-9, 3.8504e-10, -2.3643e-12]),
        ],
    );
    let a = in_p(
        p,
        &[
            poly(t, &[1.389, -1.262e-2, 7.164e-5, 2.006e-6, -3.21e-8]),
            poly(t, &[9.4742e-5, -1.2580e-5, -6.4885e-8, 1.0507e-8, -2.0122e-10]),
            poly(t, &[-3.9064e-7, 9.1041e-9, -1.6002e-10, 7.988e-12]),
            poly(t, &[1.100e-10, 6.649e-12, -3.389e-13]),
        ],
    );
    let b = -1.922e-2 - 4.42e-5 * t + (7.3637e-5 + 1.7945e-7 * t) * p;
    let d = 1.727e-3 - 7.9836e-6 * p;
    water + a * s + b * s.powf(1.5) + d * s * s
}

fn poly(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

fn in_p(p: f64, terms: &[f64]) -> f64 {
    poly(p, terms)
}

/// Pressure at a depth, in decibar below the surface, at 45° latitude; P. M. Saunders, J. Phys.
/// Oceanogr. 11 (1981).
pub fn pressure_dbar(depth_m: f64) -> f64 {
    let c1 = 5.92e-3 + 5.25e-3 * LATITUDE_RAD.sin().powi(2);
    ((1.0 - c1) - ((1.0 - c1).powi(2) - 8.84e-6 * depth_m).max(0.0).sqrt()) / 4.42e-6
}

/// Speed of sound in sea water, in m/s, for comparison: nine terms, 2–30 °C, 25–40 ppt, 0–8000 m;
/// K. V. Mackenzie, J. Acoust. Soc. Am. 70 (1981). 0.8 m/s low in fresh water.
pub fn mackenzie_m_per_s(temperature_deg_c: f64, salinity_ppt: f64, depth_m: f64) -> f64 {
    let (t, s, d) = (temperature_deg_c, salinity_ppt - 35.0, depth_m);
    poly(t, &[1448.96, 4.591, -5.304e-2, 2.374e-4]) + 1.340 * s + 1.630e-2 * d + 1.675e-7 * d * d
        - 1.025e-2 * t * s
        - 7.139e-13 * t * d.powi(3)
}

/// Speed of sound in dry air, in m/s: 331.3 at 0 °C, by the root of absolute temperature.
pub fn air_sound_speed_m_per_s(temperature_deg_c: f64) -> f64 {
    331.3 * (1.0 + temperature_deg_c / 273.15).max(0.0).sqrt()
}

/// Water as absorption needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Absorber {
    /// Temperature, -2 to 22 °C or more.
    pub temperature_deg_c: f64,
    /// Salinity, 0 to 35 ppt or more.
    pub salinity_ppt: f64,
    /// Depth, 0 to 3500 m.
    pub depth_m: f64,
    /// Acidity, 7.7 to 8.3 in the sea.
    pub ph: f64,
}

/// Absorption of sound in water, in dB/km one way, 0.2 to 1000 kHz and as an extrapolation above;
/// R. E. Francois and G. R. Garrison, J. Acoust. Soc. Am. 72 (1982).
pub fn absorption_db_per_km(frequency_hz: f64, water: &Absorber) -> f64 {
    let Absorber {
        temperature_deg_c: t,
        salinity_ppt: s,
        depth_m: d,
        ph,
    } = *water;
    let f = frequency_hz / 1000.0;
    let c = 1412.0 + 3.21 * t + 1.19 * s + 0.0167 * d;
    let kelvin = 273.0 + t;
    let boric_khz = 2.8 * (s / 35.0).max(0.0).sqrt() * 10f64.powf(4.0 - 1245.0 / kelvin);
    let boric = 8.86 / c * 10f64.powf(0.78 * ph - 5.0);
    let sulphate_khz = 8.17 * 10f64.powf(8.0 - 1990.0 / kelvin) / (1.0 + 0.0018 * (s - 35.0));
    let sulphate = 21.44 * s / c * (1.0 + 0.025 * t) * poly(d, &[1.0, -1.37e-4, 6.2e-9]);
    let viscous = if t <= 20.0 {
        poly(t, &[4.937e-4, -2.59e-5, 9.11e-7, -1.50e-8])
    } else {
        poly(t, &[3.964e-4, -1.146e-5, 1.45e-7, -6.5e-10])
    } * poly(d, &[1.0, -3.83e-5, 4.9e-10]);
    let relaxation = |strength: f64, at: f64| {
        if at > 0.0 {
            strength * at * f * f / (at * at + f * f)
        } else {
            0.0
        }
    };
    relaxation(boric, boric_khz) + relaxation(sulphate, sulphate_khz) + viscous * f * f
}

/// Loss of an echo over range, in dB: 40 log R of a small target and both ways' absorption.
pub fn target_loss_db(range_m: f64, absorption_db_per_m: f64) -> f64 {
    40.0 * range_m.log10() + 2.0 * absorption_db_per_m * range_m
}

/// Loss of an echo over range, in dB, where the footprint grows with range: 20 log R.
pub fn surface_loss_db(range_m: f64, absorption_db_per_m: f64) -> f64 {
    20.0 * range_m.log10() + 2.0 * absorption_db_per_m * range_m
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() <= tolerance,
            "found {found}, expected {expected}"
        );
    }

    #[test]
    fn chen_millero_meets_its_published_check_value() {
        close(chen_millero_m_per_s(40.0, 40.0, 10_000.0), 1731.9954, 1e-3);
    }

    #[test]
    fn speed_holds_in_salt_and_fresh_water() {
        for (t, s, z, expected) in [
            (0.0, 35.0, 0.0, 1449.1388),
            (10.0, 35.0, 100.0, 1491.4914),
            (15.0, 35.0, 0.0, 1506.6746),
            (20.0, 35.0, 50.0, 1522.3157),
            (10.0, 0.0, 10.0, 1447.4409),
            (25.0, 35.0, 1000.0, 1551.3356),
            (4.0, 35.0, 4000.0, 1534.9301),
        ] {
            close(sound_speed_m_per_s(t, s, z), expected, 0.02);
        }
    }

    #[test]
    fn mackenzie_meets_its_check_value_and_is_low_in_fresh_water() {
        close(mackenzie_m_per_s(25.0, 35.0, 1000.0), 1550.744, 1e-3);
        close(mackenzie_m_per_s(10.0, 0.0, 10.0), 1446.6539, 1e-4);
        let low_by = sound_speed_m_per_s(10.0, 0.0, 10.0) - mackenzie_m_per_s(10.0, 0.0, 10.0);
        close(low_by, 0.787, 0.01);
    }

    #[test]
    fn air_at_twenty_degrees() {
        close(air_sound_speed_m_per_s(20.0), 343.2146, 1e-4);
    }

    #[test]
    fn francois_garrison_in_sea_and_fresh_water() {
        let sea = Absorber {
            temperature_deg_c: 10.0,
            salinity_ppt: 35.0,
            depth_m: 50.0,
            ph: 8.0,
        };
        let fresh = Absorber {
            temperature_deg_c: 10.0,
            salinity_ppt: 0.05,
            depth_m: 5.0,
            ph: 7.5,
        };
        for (khz, in_sea, in_fresh) in [
            (1.0, 0.060035, 0.002152),
            (38.0, 10.093948, 0.464086),
            (120.0, 38.561329, 4.528097),
            (200.0, 54.112614, 12.495988),
            (450.0, 109.198226, 62.999550),
            (750.0, 221.706601, 174.867618),
            (2100.0, 1415.641749, 1370.442391),
        ] {
            close(
                absorption_db_per_km(1000.0 * khz, &sea),
                in_sea,
                1e-5 * in_sea.max(0.1),
            );
            close(
                absorption_db_per_km(1000.0 * khz, &fresh),
                in_fresh,
                1e-5 * in_fresh.max(0.1),
            );
        }
    }

    #[test]
    fn losses_over_range() {
        close(target_loss_db(50.0, 0.04), 71.959, 1e-3);
        close(surface_loss_db(50.0, 0.04), 37.979, 1e-3);
    }

    #[test]
    fn a_profile_gives_its_harmonic_mean() {
        let water = Water::Profile([(0.0, 1500.0), (20.0, 1490.0), (50.0, 1480.0)].into());
        // Straight down: 20 m at 1500→1490 and 30 m at 1490→1480.
        let time = 20.0 * (1500.0f64 / 1490.0).ln() / 10.0 + 30.0 * (1490.0f64 / 1480.0).ln() / 10.0;
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
