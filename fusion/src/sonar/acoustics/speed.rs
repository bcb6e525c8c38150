//! Speed of sound from what the water is: the published equations, each with its range.
//!
//! The default is the UNESCO equation, which holds from fresh to sea water. The others are here for
//! comparison with records that were made by them: Mackenzie's and Medwin's are 0.8 m/s low in fresh
//! water, 2.7 cm at 50 m. Temperatures are taken as they are stated: the scales of 1968 and 1990
//! differ by 0.024 % of the temperature, 0.01 m/s at 20 °C.

use beluga_types::elementary::{Squared, powf, sin};

/// Gravity is taken at this latitude; from pole to equator pressure differs by 0.5 %.
const LATITUDE_RAD: f64 = std::f64::consts::FRAC_PI_4;
/// Kilograms per square centimetre in a decibar.
const KG_PER_CM2_IN_DBAR: f64 = 0.101_971_6;

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
    let water = poly(
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
    let a = poly(
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
    water + a * s + b * powf(s, 1.5) + d * s * s
}

pub(super) fn poly(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// Pressure at a depth, in decibar below the surface, at 45° latitude; P. M. Saunders, J. Phys.
/// Oceanogr. 11 (1981).
pub fn pressure_dbar(depth_m: f64) -> f64 {
    let c1 = 5.92e-3 + 5.25e-3 * sin(LATITUDE_RAD).squared();
    ((1.0 - c1) - ((1.0 - c1).squared() - 8.84e-6 * depth_m).max(0.0).sqrt()) / 4.42e-6
}

/// Speed of sound in sea water, in m/s, for comparison: nine terms, 2–30 °C, 25–40 ppt, 0–8000 m;
/// K. V. Mackenzie, J. Acoust. Soc. Am. 70 (1981). 0.8 m/s low in fresh water.
pub fn mackenzie_m_per_s(temperature_deg_c: f64, salinity_ppt: f64, depth_m: f64) -> f64 {
    let (t, s, d) = (temperature_deg_c, salinity_ppt - 35.0, depth_m);
    poly(t, &[1448.96, 4.591, -5.304e-2, 2.374e-4]) + 1.340 * s + 1.630e-2 * d + 1.675e-7 * d * d
        - 1.025e-2 * t * s
        - 7.139e-13 * t * d.cubed()
}

/// Speed of sound in sea water, in m/s, for comparison: 0–35 °C, 0–45 ppt, 0–1000 m; H. Medwin,
/// J. Acoust. Soc. Am. 58 (1975). 0.7 m/s low in fresh water.
pub fn medwin_m_per_s(temperature_deg_c: f64, salinity_ppt: f64, depth_m: f64) -> f64 {
    let (t, s) = (temperature_deg_c, salinity_ppt - 35.0);
    poly(t, &[1449.2, 4.6, -0.055, 0.00029]) + (1.34 - 0.010 * t) * s + 0.016 * depth_m
}

/// Speed of sound in sea water, in m/s, for comparison: 0–30 °C, 30–40 ppt, 0–1000 kg/cm²; V. A. Del
/// Grosso, J. Acoust. Soc. Am. 56 (1974), with the coefficients for the temperature scale of 1990 by
/// G. S. K. Wong and S. Zhu, J. Acoust. Soc. Am. 97 (1995).
pub fn del_grosso_m_per_s(temperature_deg_c: f64, salinity_ppt: f64, depth_m: f64) -> f64 {
    let (t, s) = (temperature_deg_c, salinity_ppt);
    let p = pressure_dbar(depth_m) * KG_PER_CM2_IN_DBAR;
    let of_t = poly(t, &[0.0, 0.501_228_5e1, -0.551_184e-1, 0.221_649e-3]);
    let of_s = poly(s, &[0.0, 0.132_953_0e1, 0.128_859_8e-3]);
    let of_p = poly(p, &[0.0, 0.156_059_2, 0.244_999_3e-4, -0.883_395_9e-8]);
    let mixed = -0.127_593_6e-1 * t * s + 0.635_350_9e-2 * t * p + 0.265_617_4e-7 * t * t * p * p
        - 0.159_389_5e-5 * t * p * p
        + 0.522_248_3e-9 * t * p.cubed()
        - 0.438_361_5e-6 * t.cubed() * p
        - 0.161_674_5e-8 * s * s * p * p
        + 0.968_844_1e-4 * t * t * s
        + 0.485_761_4e-5 * t * s * s * p
        - 0.340_682_4e-3 * t * s * p;
    1402.392 + of_t + of_s + of_p + mixed
}

/// Speed of sound in natural water, in m/s, for comparison: all oceans, and open seas and lakes to
/// 12 000 m; C. C. Leroy, S. P. Robinson, M. J. Goldsmith, J. Acoust. Soc. Am. 124 (2008), at 45°
/// latitude.
pub fn leroy_m_per_s(temperature_deg_c: f64, salinity_ppt: f64, depth_m: f64) -> f64 {
    let (t, s, z) = (temperature_deg_c, salinity_ppt, depth_m);
    poly(t, &[1402.5, 5.0, -5.44e-2, 2.1e-4])
        + s * poly(t, &[1.33, -1.23e-2, 8.7e-5])
        + poly(z, &[0.0, 1.56e-2, 2.55e-7, -7.3e-12])
        + t * (3e-7 * t * z - 9.5e-13 * z.cubed())
        + 1.43e-5 * s * z
}

/// Speed of sound in dry air, in m/s: 331.3 at 0 °C, by the root of absolute temperature.
pub fn air_sound_speed_m_per_s(temperature_deg_c: f64) -> f64 {
    331.3 * (1.0 + temperature_deg_c / 273.15).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::close;
    use super::*;

    /// °C, ppt, m, and what seven published equations give.
    const WATERS: [([f64; 3], [f64; 5]); 7] = [
        (
            [0.0, 35.0, 0.0],
            [1449.1388, 1448.9600, 1449.2000, 1449.0834, 1449.0500],
        ),
        (
            [10.0, 35.0, 100.0],
            [1491.4914, 1491.4351, 1491.5900, 1491.4297, 1491.4351],
        ),
        (
            [15.0, 35.0, 0.0],
            [1506.6746, 1506.6922, 1506.8038, 1506.6784, 1506.7464],
        ),
        (
            [20.0, 35.0, 50.0],
            [1522.3157, 1522.2786, 1522.3200, 1522.3032, 1522.3897],
        ),
        (
            [10.0, 0.0, 10.0],
            [1447.4409, 1446.6539, 1446.7500, 1447.4500, 1447.4263],
        ),
        (
            [25.0, 35.0, 1000.0],
            [1551.3356, 1550.7440, 1550.3563, 1550.7132, 1550.9838],
        ),
        (
            [4.0, 35.0, 4000.0],
            [1534.9301, 1534.1878, 1530.7386, 1534.3154, 1534.3106],
        ),
    ];

    #[test]
    fn each_equation_gives_its_published_values() {
        for ([t, s, z], [unesco, mackenzie, medwin, del_grosso, leroy]) in WATERS {
            close(sound_speed_m_per_s(t, s, z), unesco, 0.02);
            close(mackenzie_m_per_s(t, s, z), mackenzie, 1e-4);
            close(medwin_m_per_s(t, s, z), medwin, 1e-4);
            // Its pressure comes from another formula of the depth: 5 mm/s at 1000 m.
            close(del_grosso_m_per_s(t, s, z), del_grosso, 0.02);
            close(leroy_m_per_s(t, s, z), leroy, 1e-4);
        }
    }

    #[test]
    fn chen_millero_meets_its_published_check_value() {
        close(chen_millero_m_per_s(40.0, 40.0, 10_000.0), 1731.9954, 1e-3);
    }

    /// TEOS-10's own equation, by another's code, at the surface, where potential temperature is
    /// temperature: the default is within 0.15 m/s of it from rivers to the sea.
    #[test]
    fn the_default_agrees_with_teos_10_in_salt_and_fresh_water() {
        for (t, s) in [
            (0.0, 35.0),
            (15.0, 35.0),
            (20.0, 35.0),
            (10.0, 0.0),
            (20.0, 0.0),
            (12.0, 8.0),
        ] {
            let sa = gsw::conversions::sr_from_sp(s);
            let ct = gsw::conversions::ct_from_pt(sa, t).unwrap();
            let teos = gsw::volume::sound_speed(sa, ct, 0.0).unwrap();
            close(sound_speed_m_per_s(t, s, 0.0), teos, 0.15);
        }
    }

    #[test]
    fn mackenzie_is_low_in_fresh_water() {
        let low_by = sound_speed_m_per_s(10.0, 0.0, 10.0) - mackenzie_m_per_s(10.0, 0.0, 10.0);
        close(low_by, 0.787, 0.01);
    }

    #[test]
    fn air_at_twenty_degrees() {
        close(air_sound_speed_m_per_s(20.0), 343.2146, 1e-4);
    }
}
