//! What disturbs a sonar beside noise: its own hum, and another device.

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;

/// A tone from the device's own electronics, alike in all channels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hum {
    /// Frequency, in hertz; inside the receiver's band.
    pub frequency_hz: f64,
    /// Amplitude in dB, counted as the noise is; -200 to 40.
    pub level_db: f64,
}

/// Another device whose pings come straight to the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// Pings per second; 0.01 to 100.
    pub rate_hz: f64,
    /// First ping, in seconds after the run's start; 0 to 100.
    #[serde(default)]
    pub start_s: f64,
    /// Amplitude on a beam's axis in dB, counted as the noise is; -200 to 40.
    pub level_db: f64,
    /// Where it comes from across track, in degrees, positive to starboard; -180 to 180.
    pub across_deg: f64,
    /// Where it comes from along track, in degrees, positive forward; -90 to 90.
    #[serde(default)]
    pub along_deg: f64,
    /// Middle frequency, in hertz.
    pub centre_hz: f64,
    /// Width of its sweep, in hertz, negative for one that falls; -500e3 to 500e3.
    #[serde(default)]
    pub bandwidth_hz: f64,
    /// Length of its pulse, in seconds; 1e-5 to 0.1.
    pub pulse_s: f64,
}

impl Hum {
    pub(super) fn check(&self, centre_hz: f64, sample_rate_hz: f64) -> Result<(), Error> {
        let aside = (self.frequency_hz - centre_hz).abs();
        let expected = "within half a sample rate of the centre";
        within(
            "sonar.hum.frequency_hz",
            aside,
            0.0,
            0.5 * sample_rate_hz,
            expected,
        )?;
        within("sonar.hum.level_db", self.level_db, -200.0, 40.0, "-200 to 40")
    }
}

impl Neighbour {
    pub(super) fn check(&self) -> Result<(), Error> {
        within(
            "sonar.neighbour.rate_hz",
            self.rate_hz,
            0.01,
            100.0,
            "0.01 to 100",
        )?;
        within("sonar.neighbour.start_s", self.start_s, 0.0, 100.0, "0 to 100")?;
        within(
            "sonar.neighbour.level_db",
            self.level_db,
            -200.0,
            40.0,
            "-200 to 40",
        )?;
        within(
            "sonar.neighbour.across_deg",
            self.across_deg,
            -180.0,
            180.0,
            "-180 to 180",
        )?;
        within(
            "sonar.neighbour.along_deg",
            self.along_deg,
            -90.0,
            90.0,
            "-90 to 90",
        )?;
        within(
            "sonar.neighbour.centre_hz",
            self.centre_hz,
            1e3,
            2e6,
            "1e3 to 2e6",
        )?;
        within(
            "sonar.neighbour.bandwidth_hz",
            self.bandwidth_hz,
            -500e3,
            500e3,
            "-500e3 to 500e3",
        )?;
        within("sonar.neighbour.pulse_s", self.pulse_s, 1e-5, 0.1, "1e-5 to 0.1")
    }
}
