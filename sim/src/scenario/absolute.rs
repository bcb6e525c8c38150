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
    /// Spectrum level of the noise in the water around the receiver at the pulse's middle frequency, in
    /// dB re 1 µPa²/Hz, -20 to 150; without it thermal noise and that of the wind.
    pub noise_spectrum_db: Option<f64>,
    /// Spectrum level of the receiver's own noise, as that of a plane wave on a beam's axis that would be heard
    /// as loud, in dB re 1 µPa²/Hz, -60 to 150; none without it.
    pub receiver_noise_db: Option<f64>,
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

    /// Spectrum level of the noise in the water, in dB re 1 µPa²/Hz.
    pub fn spectrum_db(&self, centre_hz: f64, wind_m_per_s: f64) -> f64 {
        let natural_db = || {
            sum_db([
                thermal_noise_db(centre_hz),
                wind_noise_db(centre_hz, wind_m_per_s),
            ])
        };
        self.noise_spectrum_db.unwrap_or_else(natural_db)
    }

    /// Level of the noise in a band by a receiver with this directivity, in dB re 1 µPa: NL + 10 log B - DI, and
    /// the receiver's own.
    pub fn noise_db(&self, spectrum_db: f64, band_hz: f64, directivity_db: f64) -> f64 {
        let heard_db = spectrum_db - directivity_db;
        let own_db = self.receiver_noise_db.unwrap_or(f64::NEG_INFINITY);
        sum_db([heard_db, own_db]) + 10.0 * band_hz.log10()
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
                "sonar.absolute.receiver_noise_db",
                self.receiver_noise_db.unwrap_or(0.0),
                -60.0,
                150.0,
                "-60 to 150",
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

/// Spectrum level of the noise of waves in a wind 10 m above the water, in dB re 1 µPa²/Hz:
/// 50 + 7.5 √w + 20 log f - 40 log (f + 0.4), f in kHz. R. Coates, "Underwater Acoustic Systems", Wiley 1990,
/// after G. Wenz, J. Acoust. Soc. Am. 34 (1962).
fn wind_noise_db(frequency_hz: f64, wind_m_per_s: f64) -> f64 {
    let f_khz = 1e-3 * frequency_hz;
    50.0 + 7.5 * wind_m_per_s.sqrt() + 20.0 * f_khz.log10() - 40.0 * (f_khz + 0.4).log10()
}

/// Noises that know nothing of each other, together.
fn sum_db(levels_db: [f64; 2]) -> f64 {
    let power: f64 = levels_db.iter().map(|db| 10f64.powf(0.1 * db)).sum();
    10.0 * power.log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn thermal_noise_is_mellens() {
        // 25 dB at 100 kHz, and 20 dB more for each decade.
        for (frequency_hz, expected) in [(100e3, 25.0), (1e6, 45.0)] {
            let found = thermal_noise_db(frequency_hz);
            println!("thermal noise at {frequency_hz} Hz: expected {expected}, measured {found:.9} dB");
        }
        assert!((thermal_noise_db(100e3) - 25.0).abs() < 1e-12);
        assert!((thermal_noise_db(1e6) - 45.0).abs() < 1e-12);
    }

    #[test]
    fn wind_is_heard_below_thermal_noise_and_drowns_in_it_above() {
        // 50 + 7.5 · 2 + 20 - 40 log 10.4; by hand.
        let at_10_khz = wind_noise_db(10e3, 4.0);
        println!("noise of a wind of 4 m/s at 10 kHz: expected 44.319, measured {at_10_khz:.3} dB");
        assert!((at_10_khz - 44.3187).abs() < 1e-4, "{at_10_khz}");
        assert!(wind_noise_db(100e3, 6.0) > thermal_noise_db(100e3));
        assert!(wind_noise_db(300e3, 6.0) < thermal_noise_db(300e3) - 10.0);
        // Two equal noises are 3 dB more than one.
        assert!((sum_db([40.0, 40.0]) - 43.0103).abs() < 1e-4);
        assert_eq!(sum_db([40.0, f64::NEG_INFINITY]), 40.0);
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
        let said = read("receiver_noise_db = 1e9", "").unwrap_err().to_string();
        assert!(said.contains("receiver_noise_db"), "{said}");
        let air = "in_air = true\ncentre_hz = 40e3\nbandwidth_hz = 4e3\nsample_rate_hz = 10e3\nrange_m = 6";
        let said = read("", air).unwrap_err().to_string();
        assert!(said.contains("in air"), "{said}");
    }
}
