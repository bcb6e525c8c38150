//! The multibeam sonar.

use serde::{Deserialize, Serialize};

use super::{WaterScenario, within};
use crate::error::Error;

/// The multibeam sonar: a narrow transmit line along track crossed with narrow receive beams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SonarScenario {
    /// Receive beams; 1 to 1024.
    pub beams: u16,
    /// Angle from the first beam's axis to the last one's, in degrees; 0 to 170.
    pub fan_deg: f64,
    /// Roll of the mount, in degrees; negative looks to starboard.
    pub mount_roll_deg: f64,
    /// Two-way width of a beam at -3 dB, along and across track, in degrees; 0.2 to 10.
    pub beam_width_deg: f64,
    /// Pings per second; 0.1 to 30, and no faster than the range allows.
    pub rate_hz: f64,
    /// Range recorded, in metres; 2 to 200.
    pub range_m: f64,
    /// Carrier frequency, in hertz.
    pub centre_hz: f64,
    /// Width of the linear sweep, in hertz; less than the sample rate.
    pub bandwidth_hz: f64,
    /// Length of the pulse, in seconds.
    pub pulse_s: f64,
    /// Complex samples per second.
    pub sample_rate_hz: f64,
    /// Power of the receiver noise per complex sample, in dB against the echo of a target of 0 dB
    /// at 1 m.
    pub noise_db: f64,
    /// Amplitude of a full-scale count, in dB against the same echo.
    pub full_scale_db: f64,
    /// Echoes nearer than this are not recorded as valid, in metres.
    pub blanking_m: f64,
}

impl Default for SonarScenario {
    fn default() -> Self {
        Self {
            beams: 256,
            fan_deg: 120.0,
            mount_roll_deg: -40.0,
            beam_width_deg: 1.0,
            rate_hz: 15.0,
            range_m: 20.0,
            centre_hz: 300e3,
            bandwidth_hz: 48e3,
            pulse_s: 1e-3,
            sample_rate_hz: 60e3,
            noise_db: -105.0,
            full_scale_db: -40.0,
            blanking_m: 1.0,
        }
    }
}

impl SonarScenario {
    pub(super) fn check(&self, water: &WaterScenario) -> Result<(), Error> {
        let fastest = 0.5 * water.sound_speed_m_per_s / self.range_m;
        let widest = 0.9 * self.sample_rate_hz;
        within("sonar.beams", self.beams.into(), 1.0, 1024.0, "1 to 1024")?;
        within("sonar.fan_deg", self.fan_deg, 0.0, 170.0, "0 to 170")?;
        within(
            "sonar.mount_roll_deg",
            self.mount_roll_deg,
            -90.0,
            90.0,
            "-90 to 90",
        )?;
        within(
            "sonar.beam_width_deg",
            self.beam_width_deg,
            0.2,
            10.0,
            "0.2 to 10",
        )?;
        within("sonar.range_m", self.range_m, 2.0, 200.0, "2 to 200")?;
        within(
            "sonar.rate_hz",
            self.rate_hz,
            0.1,
            fastest.min(30.0),
            "0.1 to 30, and below c / (2 range)",
        )?;
        within("sonar.centre_hz", self.centre_hz, 10e3, 1e6, "10e3 to 1e6")?;
        within(
            "sonar.sample_rate_hz",
            self.sample_rate_hz,
            1e3,
            500e3,
            "1e3 to 500e3",
        )?;
        within(
            "sonar.bandwidth_hz",
            self.bandwidth_hz,
            500.0,
            widest,
            "500 to 0.9 times the sample rate",
        )?;
        within("sonar.pulse_s", self.pulse_s, 1e-4, 2e-2, "1e-4 to 2e-2")?;
        within("sonar.noise_db", self.noise_db, -200.0, 0.0, "-200 to 0")?;
        within(
            "sonar.full_scale_db",
            self.full_scale_db,
            -200.0,
            40.0,
            "-200 to 40",
        )?;
        within(
            "sonar.blanking_m",
            self.blanking_m,
            0.0,
            self.range_m,
            "0 to the range",
        )?;
        Ok(())
    }
}
