//! The speed of sound in fresh and sea water from what a cast measures.

/// Speed of sound in m/s: the UNESCO equation of C.-T. Chen and F. Millero, "Speed of sound in seawater
/// at high pressures", J. Acoust. Soc. Am. 62 (1977), with the coefficients of N. Fofonoff and
/// R. Millard, UNESCO Tech. Pap. Mar. Sci. 44 (1983). 0–40 °C (IPTS-68), 0–40 ppt, 0–1000 bar; right in
/// fresh water too.
fn chen_millero(temperature_deg_c: f64, salinity_ppt: f64, pressure_dbar: f64) -> f64 {
    let (t, s, p) = (temperature_deg_c, salinity_ppt.max(0.0), pressure_dbar / 10.0);
    let water = [
        poly(
            t,
            &[1402.388, 5.03711, -5.80852e-2, 3.3420e-4, -1.47800e-6, 3.1464e-9],
        ),
        poly(t, &[0.153563, 6.8982e-4, -8.1788e-6, 1.3621e-7, -6.1185e-10]),
        poly(t, &[3.1260e-5, -1.7107e-6, 2.5974e-8, -2.5335e-10, 1.0405e-12]),
        poly(t, &[-9.7729e-9, 3.8504e-10, -2.3643e-12]),
    ];
    let a = [
        poly(t, &[1.389, -1.262e-2, 7.164e-5, 2.006e-6, -3.21e-8]),
        poly(t, &[9.4742e-5, -1.2580e-5, -6.4885e-8, 1.0507e-8, -2.0122e-10]),
        poly(t, &[-3.9064e-7, 9.1041e-9, -1.6002e-10, 7.988e-12]),
        poly(t, &[1.100e-10, 6.649e-12, -3.389e-13]),
    ];
    let b = [poly(t, &[-1.922e-2, -4.42e-5]), poly(t, &[7.3637e-5, 1.7945e-7])];
    let d = [1.727e-3, -7.9836e-6];
    poly(p, &water) + poly(p, &a) * s + poly(p, &b) * s.powf(1.5) + poly(p, &d) * s * s
}

/// Speed of sound at a depth, in m/s; temperature by ITS-90. Pressure from depth at latitude 45°, P. Saunders, "Practical
/// conversion of pressure to depth", J. Phys. Oceanogr. 11 (1981).
pub(super) fn sound_speed_m_per_s(temperature_deg_c: f64, salinity_ppt: f64, depth_m: f64) -> f64 {
    const C1: f64 = 5.92e-3 + 5.25e-3 * 0.5;
    const C2: f64 = 2.21e-6;
    /// P. Saunders, "The International Temperature Scale of 1990", WOCE Newsletter 10 (1990).
    const IPTS_68_PER_ITS_90: f64 = 1.00024;
    let half = 1.0 - C1;
    let pressure_dbar = (half - (half * half - 4.0 * C2 * depth_m).sqrt()) / (2.0 * C2);
    chen_millero(
        IPTS_68_PER_ITS_90 * temperature_deg_c,
        salinity_ppt,
        pressure_dbar,
    )
}

fn poly(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published check value, and values on which public implementations agree; fresh water among
    /// them.
    #[test]
    fn the_equation_gives_its_known_values() {
        let deep = chen_millero(40.0, 40.0, 10_000.0);
        println!("Chen-Millero (40 deg, 40 ppt, 10000 dbar): 1731.9954 m/s, measured {deep:.4}");
        assert!((deep - 1731.9954).abs() < 1e-3, "{deep}");
        for (t, s, z, expected) in [
            (0.0, 35.0, 0.0, 1449.1388),
            (10.0, 35.0, 100.0, 1491.4914),
            (15.0, 35.0, 0.0, 1506.6746),
            (20.0, 35.0, 50.0, 1522.3157),
            (10.0, 0.0, 10.0, 1447.4409),
            (25.0, 35.0, 1000.0, 1551.3356),
        ] {
            let found = sound_speed_m_per_s(t, s, z);
            println!("  ({t} deg, {s} ppt, {z} m): {expected} m/s, measured {found:.4}");
            assert!((found - expected).abs() < 5e-3, "{t} {s} {z}: {found}");
        }
    }
}
