//! Absolute levels, turned into those against the echo of a target of 0 dB at 1 m.

use super::arrays::Receive;
use crate::scenario::{SonarScenario, WaterScenario};

/// The device with the noise and the full scale that its absolute levels give; as it is without them.
pub(super) fn related(sonar: &SonarScenario, water: &WaterScenario, receive: &Receive) -> SonarScenario {
    let mut related = sonar.clone();
    if let Some(absolute) = &sonar.absolute {
        let directivity_db = absolute
            .directivity_db
            .unwrap_or_else(|| receive.directivity_db(sonar.kind));
        // Complex samples at a rate hold a band as wide.
        let spectrum_db = absolute.spectrum_db(sonar.centre_hz, water.wind_m_per_s);
        let noise_db = absolute.noise_db(spectrum_db, sonar.sample_rate_hz, directivity_db);
        related.noise_db = noise_db - absolute.source_level_db;
        related.full_scale_db = absolute.full_scale_db() - absolute.source_level_db;
    }
    related
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use crate::scenario::Scenario;
    use crate::sonar::Sonar;
    use crate::sonar::bench::{channel, decibels, point, power};

    /// A multibeam's beam straight down in the water of the default scenario.
    const DEVICE: &str = "[sonar]\nbeams = 1\nfan_deg = 0\nrange_m = 40\nrate_hz = 5\n[sonar.absolute]\n\
        source_level_db = 220\nnoise_spectrum_db = 80\nsensitivity_db = -160\nfull_scale_v = 10.0\n";

    /// Counts of a point's echo and of noise, taken back through the receiver to micropascals, against the
    /// sonar equation written out in decibels.
    #[test]
    fn levels_are_those_of_the_sonar_equation() {
        let scenario = Scenario::from_toml(DEVICE).unwrap();
        let absolute = scenario.sonar.absolute.unwrap();
        let sonar = Sonar::new(&scenario);
        // From amplitude against full scale to volts, and from volts to micropascals.
        let received_db = |mean_square: f64| {
            let volts =
                decibels(mean_square) - sonar.device.full_scale_db + 20.0 * absolute.full_scale_v.log10();
            volts - absolute.sensitivity_db
        };
        println!("sonar equation: SL 220 dB, 300 kHz; range, TS: TL, RL expected and measured");
        for (range, target_db) in [(5.0f64, -20.0), (15.0, -10.0), (35.0, -5.0)] {
            let arrival = point(
                &sonar,
                Vector3::new(0.0, 0.0, -range),
                10f64.powf(target_db / 20.0),
            );
            let (ping, _) = sonar.received(1, 0, &[arrival]);
            let row = channel(&ping, 0);
            let middle = (arrival.delay_s * sonar.sample_rate_hz) as usize;
            // The flat part of the pulse.
            let pulse = &row[middle - 20..middle + 20];
            let measured = received_db(power(pulse) / pulse.len() as f64);
            let loss_db = 20.0 * range.log10() + sonar.loss.even_per_m * 20.0 / 10f64.ln() * range;
            let expected = absolute.received_db(loss_db, target_db);
            println!("  {range} m, {target_db} dB: {loss_db:.2}, {expected:.2}, {measured:.2} dB re 1 µPa");
            assert!((measured - expected).abs() < 0.1, "{range} m: {measured}");
        }
        let (ping, _) = sonar.received(1, 0, &[]);
        let row = channel(&ping, 0);
        let measured = received_db(power(&row) / row.len() as f64);
        // 80 dB/Hz in 60 kHz, less the directivity of an aperture of 1°.
        let directivity_db = sonar.receive.directivity_db(scenario.sonar.kind);
        let expected = 80.0 + 10.0 * 60e3f64.log10() - directivity_db;
        println!(
            "noise, NL 80 dB re 1 µPa²/Hz, B 60 kHz, DI {directivity_db:.2} dB: {expected:.2}, {measured:.2}"
        );
        assert!((measured - expected).abs() < 0.15, "{measured} {expected}");
    }

    /// What the devices that come along say of themselves, in calm water: the sum of the sonar equation by hand.
    #[test]
    fn devices_state_their_levels() {
        println!("device: noise and full scale against a target of 0 dB at 1 m");
        // Thermal 34.54 - 20.42 and own 22.1 dB/Hz in 60 kHz, 47.78 dB, against 205 dB; thermal 42.50 - 28.4 and
        // own 22.4 dB/Hz in 50 kHz, 46.99 dB, against 206 dB.
        for (name, noise_db, full_scale_db) in [
            ("multibeam-256", -134.5, -55.0),
            ("multibeam-256-unfocused", -134.5, -55.0),
            ("multibeam-256-detections", -134.5, -55.0),
            ("scanning-750k", -136.0, -45.0),
        ] {
            let mut scenario = Scenario::demo();
            scenario.sonar = crate::scenario::SonarScenario::of_device(name).unwrap();
            let sonar = Sonar::new(&scenario);
            let found = [sonar.noise_db(), sonar.device.full_scale_db];
            println!("  {name}: expected {noise_db}, {full_scale_db}, measured {found:.2?} dB");
            assert!((found[0] - noise_db).abs() < 0.1, "{name}: {found:?}");
            assert!((found[1] - full_scale_db).abs() < 0.05, "{name}: {found:?}");
        }
    }

    /// Urick's table 3.2: a line 10 log 2L/λ, a rectangle 10 log 4πab/λ².
    #[test]
    fn directivity_is_that_of_lines_and_rectangles() {
        let of = |keys: &str| {
            let scenario =
                Scenario::from_toml(&format!("[sonar]\nreceive_shading = \"rectangular\"\n{keys}")).unwrap();
            Sonar::new(&scenario).receive.directivity_db(scenario.sonar.kind)
        };
        // -3 dB widths of 2° and 4°: lengths over the wavelength.
        let [long, short] = [2.0f64, 4.0].map(|deg| 0.885_893 / (2.0 * (0.5 * deg.to_radians()).sin()));
        let line = 10.0 * (2.0 * long).log10();
        let rectangle = 10.0 * (4.0 * std::f64::consts::PI * long * short).log10();
        for (name, keys, expected) in [
            ("line of 2 deg", "beam_width_deg = 2", line),
            (
                "rectangle of 2 by 4 deg",
                "beam_width_deg = 2\nreceive_along_deg = 4",
                rectangle,
            ),
            ("hydrophones", "kind = \"elements\"", 0.0),
        ] {
            let found = of(keys);
            println!("directivity of a {name}: expected {expected:.2} dB, measured {found:.2} dB");
            assert!((found - expected).abs() < 0.3, "{name}: {found} {expected}");
        }
    }

    #[test]
    fn what_is_not_stated_stays_as_it_is() {
        let scenario = Scenario::demo();
        let sonar = Sonar::new(&scenario);
        assert_eq!(sonar.device, scenario.sonar);
        let thermal = DEVICE.replace("noise_spectrum_db = 80\n", "directivity_db = 20\n");
        let quiet = Sonar::new(&Scenario::from_toml(&thermal).unwrap());
        // -15 + 20 log 300 + 10 log 60e3 - 20 - 220; what stirs the water without wind is 34 dB below that.
        assert!((quiet.noise_db() - -157.675).abs() < 1e-3, "{}", quiet.noise_db());
        assert!((quiet.device.full_scale_db - -40.0).abs() < 1e-9);
    }
}
