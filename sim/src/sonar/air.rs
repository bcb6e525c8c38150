//! How much sound the air swallows.

/// Absorption of sound in air at sea level, in dB per metre.
///
/// Valid for -20 to 50 °C, 10 to 100 % relative humidity. ISO 9613-1:1993, "Attenuation of sound during
/// propagation outdoors", part 1, equations 3 to 5 and B.2; letters as there.
pub(super) fn db_per_m(frequency_hz: f64, temperature_deg_c: f64, humidity_percent: f64) -> f64 {
    /// Temperature of the triple point of water and the reference, in kelvin.
    const T01: f64 = 273.16;
    const T0: f64 = 293.15;
    let (f, t) = (frequency_hz, temperature_deg_c + 273.15);
    let h = humidity_percent * 10f64.powf(-6.8346 * (T01 / t).powf(1.261) + 4.6151);
    let oxygen_hz = 24.0 + 4.04e4 * h * (0.02 + h) / (0.391 + h);
    let nitrogen_hz =
        (t / T0).powf(-0.5) * (9.0 + 280.0 * h * (-4.170 * ((t / T0).powf(-1.0 / 3.0) - 1.0)).exp());
    let relaxation = 0.01275 * (-2239.1 / t).exp() / (oxygen_hz + f * f / oxygen_hz)
        + 0.1068 * (-3352.0 / t).exp() / (nitrogen_hz + f * f / nitrogen_hz);
    8.686 * f * f * (1.84e-11 * (t / T0).sqrt() + (t / T0).powf(-2.5) * relaxation)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ISO 9613-2:1996, table 2: dB per kilometre at the bands from 250 Hz on.
    #[test]
    fn the_formula_gives_the_standards_table() {
        for (temperature, humidity, expected) in [
            (10.0, 70.0, [1.0, 1.9, 3.7, 9.7, 32.8, 117.0]),
            (20.0, 70.0, [1.1, 2.8, 5.0, 9.0, 22.9, 76.6]),
        ] {
            for (i, expected) in (0..).zip(expected) {
                // Exact middles of octave bands.
                let frequency = 1e3 * 10f64.powf(0.3 * f64::from(i - 2));
                let found = db_per_m(frequency, temperature, humidity) * 1e3;
                let off = (found - expected).abs();
                println!(
                    "air, {temperature} °C, {frequency:.0} Hz: expected {expected}, measured {found:.2} dB/km"
                );
                assert!(
                    off < 0.06 + 0.012 * expected,
                    "{frequency} Hz: {found} against {expected}"
                );
            }
        }
        let ultrasound = db_per_m(40e3, 20.0, 50.0);
        assert!((1.0..1.5).contains(&ultrasound), "{ultrasound} dB/m at 40 kHz");
    }
}
