//! Levels in absolute terms: what a device transmits and hears, in micropascals.

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;

/// What a data sheet and a site state of levels. With it, the scenario's `noise_db` and `full_scale_db` follow
/// by the sonar equation, and what is said of them does not count.
///
/// Levels of the recording stay relative to the echo of a target of 0 dB at 1 m: one that is `source_level_db`
/// higher is the level received in dB re 1 µPa. R. Urick, "Principles of Underwater Sound", McGraw-Hill
/// 1983, chapter 2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsoluteLevels {
    /// Source level on the transmit beam's axis, root mean square over the pulse, in dB re 1 µPa at 1 m;
    /// 120 to 250.
    pub source_level_db: f64,
    /// Spectrum level of the noise around the receiver at the pulse's middle frequency, in dB re 1 µPa²/Hz,
    /// -20 to 150; the water's own thermal noise without it.
    pub noise_spectrum_db: Option<f64>,
    /// How much less noise a beam hears than an omnidirectional hydrophone, in dB, 0 to 60; that of its
    /// pattern without it.
    pub directivity_db: Option<f64>,
    /// Sensitivity of the receiver with its amplifier, in dB re 1 V/µPa; -250 to -80.
    pub sensitivity_db: f64,
    /// Amplitude of a full-scale count, root mean square, in volts; 1e-3 to 1e3.
    pub full_scale_v: f64,
}

impl AbsoluteLevels {
    /// Level of the echo of a target of strength `target_db`, in dB re 1 µPa: RL = SL - 2 TL + TS, with the
    /// transmission loss of one way.
    pub fn received_db(&self, transmission_loss_db: f64, target_db: f64) -> f64 {
        self.source_level_db - 2.0 * transmission_loss_db + target_db
    }

    /// Spectrum level of the noise, in dB re 1 µPa²/Hz.
    pub fn spectrum_db(&self, centre_hz: f64) -> f64 {
        self.noise_spectrum_db
            .unwrap_or_else(|| thermal_noise_db(centre_hz))
    }

    /// Level of the noise in a band by a receiver with this directivity, in dB re 1 µPa: NL + 10 log B - DI.
    pub fn noise_db(&self, centre_hz: f64, band_hz: f64, directivity_db: f64) -> f64 {
        self.spectrum_db(centre_hz) + 10.0 * band_hz.log10() - directivity_db
    }

    /// Level of a full-scale count, in dB re 1 µPa.
    pub fn full_scale_db(&self) -> f64 {
        20.0 * self.full_scale_v.log10() - self.sensitivity_db
    }

    pub(super) fn check(&self, in_air: bool) -> Result<(), Error> {
        for (key, found, low, high, expected) in [
            (
                "sonar.absolute",
                f64::from(u8::from(in_air)),
                0.0,
                0.0,
                "no levels re 1 µPa of a device in air",
            ),
            (
                "sonar.absolute.source_level_db",
                self.source_level_db,
                120.0,
                250.0,
                "120 to 250",
            ),
            (
                "sonar.absolute.noise_spectrum_db",
                self.noise_spectrum_db.unwrap_or(0.0),
                -20.0,
                150.0,
                "-20 to 150",
            ),
            (
                "sonar.absolute.directivity_db",
                self.directivity_db.unwrap_or(0.0),
                0.0,
                60.0,
                "0 to 60",
            ),
            (
                "sonar.absolute.sensitivity_db",
                self.sensitivity_db,
                -250.0,
                -80.0,
                "-250 to -80",
            ),
            (
                "sonar.absolute.full_scale_v",
                self.full_scale_v,
                1e-3,
                1e3,
                "1e-3 to 1e3",
            ),
        ] {
            within(key, found, low, high, expected)?;
        }
        let against = self.full_scale_db() - self.source_level_db;
        within(
            "sonar.absolute.full_scale_v",
            against,
            -200.0,
            40.0,
            "a full scale of -200 to 40 dB against the echo of a target of 0 dB at 1 m",
        )
    }
}

/// Spectrum level of the water's thermal noise, in dB re 1 µPa²/Hz: -15 + 20 log f, f in kHz. R. Mellen, "The
/// thermal-noise limit in the detection of underwater acoustic signals", J. Acoust. Soc. Am. 24 (1952);
/// Urick 1983, section 7.3.
fn thermal_noise_db(frequency_hz: f64) -> f64 {
    -15.0 + 20.0 * (1e-3 * frequency_hz).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn thermal_noise_is_mellens() {
        // 25 dB at 100 kHz, and 20 dB more for each decade.
        assert!((thermal_noise_db(100e3) - 25.0).abs() < 1e-12);
        assert!((thermal_noise_db(1e6) - 45.0).abs() < 1e-12);
    }

    #[test]
    fn impossible_levels_are_refused() {
        let good = "source_level_db = 220\nsensitivity_db = -160\nfull_scale_v = 1.0\n";
        let read = |more: &str, sonar: &str| {
            Scenario::from_toml(&format!("[sonar]\n{sonar}\n[sonar.absolute]\n{good}{more}"))
        };
        assert!(read("", "").is_ok());
        let swapped = |from: &str, to: &str| {
            let text = format!("[sonar.absolute]\n{}", good.replace(from, to));
            Scenario::from_toml(&text).unwrap_err().to_string()
        };
        for (from, to, key) in [
            ("220", "nan", "source_level_db"),
            ("220", "1e300", "source_level_db"),
            ("-160", "160", "sensitivity_db"),
            ("= 1.0", "= 0.0", "full_scale_v"),
        ] {
            let said = swapped(from, to);
            assert!(said.contains(key), "{to}: {said}");
        }
        // Full scale is 310 dB.
        let loud = format!(
            "[sonar.absolute]\n{}",
            good.replace("-160", "-250").replace("1.0", "1000.0")
        );
        let said = Scenario::from_toml(&loud).unwrap_err().to_string();
        assert!(said.contains("a full scale of"), "{said}");
        let said = read("noise_spectrum_db = inf", "").unwrap_err().to_string();
        assert!(said.contains("noise_spectrum_db"), "{said}");
        let air = "in_air = true\ncentre_hz = 40e3\nbandwidth_hz = 4e3\nsample_rate_hz = 10e3\nrange_m = 6";
        let said = read("", air).unwrap_err().to_string();
        assert!(said.contains("in air"), "{said}");
    }
}
