//! The navigation.

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;

/// The navigation: an inertial system with its stated error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NavScenario {
    /// Whether there is no navigation at all.
    pub withheld: bool,
    /// Poses per second; 1 to 200.
    pub rate_hz: f64,
    /// Time over which errors change, in seconds; 0.1 to 1000.
    pub correlation_s: f64,
    /// One sigma of the slow position error, horizontally, in metres.
    pub horizontal_m: f64,
    /// One sigma of the slow position error, upwards, in metres.
    pub up_m: f64,
    /// One sigma of the slow error of roll and pitch, in degrees.
    pub roll_pitch_deg: f64,
    /// One sigma of the slow error of heading, in degrees.
    pub heading_deg: f64,
    /// One sigma of the white position error, in metres.
    pub white_m: f64,
    /// One sigma of the white attitude error, in degrees.
    pub white_deg: f64,
}

impl Default for NavScenario {
    fn default() -> Self {
        Self {
            withheld: false,
            rate_hz: 50.0,
            correlation_s: 20.0,
            horizontal_m: 0.010,
            up_m: 0.012,
            roll_pitch_deg: 0.02,
            heading_deg: 0.05,
            white_m: 0.005,
            white_deg: 0.005,
        }
    }
}

impl NavScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within("nav.rate_hz", self.rate_hz, 1.0, 200.0, "1 to 200")?;
        within(
            "nav.correlation_s",
            self.correlation_s,
            0.1,
            1000.0,
            "0.1 to 1000",
        )?;
        within("nav.horizontal_m", self.horizontal_m, 0.0, 10.0, "0 to 10")?;
        within("nav.up_m", self.up_m, 0.0, 10.0, "0 to 10")?;
        within("nav.roll_pitch_deg", self.roll_pitch_deg, 0.0, 10.0, "0 to 10")?;
        within("nav.heading_deg", self.heading_deg, 0.0, 10.0, "0 to 10")?;
        within("nav.white_m", self.white_m, 0.0, 10.0, "0 to 10")?;
        within("nav.white_deg", self.white_deg, 0.0, 10.0, "0 to 10")
    }
}
