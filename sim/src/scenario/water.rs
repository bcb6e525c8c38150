//! The water.

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;

/// The water.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaterScenario {
    /// Speed of sound, in m/s; 1400 to 1600.
    pub sound_speed_m_per_s: f64,
    /// Temperature in °C, for absorption; 0 to 35.
    pub temperature_deg_c: f64,
    /// Salinity in parts per thousand, for absorption; 0 to 40.
    pub salinity_ppt: f64,
}

impl Default for WaterScenario {
    fn default() -> Self {
        Self {
            sound_speed_m_per_s: 1476.0,
            temperature_deg_c: 14.0,
            salinity_ppt: 12.0,
        }
    }
}

impl WaterScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within(
            "water.sound_speed_m_per_s",
            self.sound_speed_m_per_s,
            1400.0,
            1600.0,
            "1400 to 1600",
        )?;
        within(
            "water.temperature_deg_c",
            self.temperature_deg_c,
            0.0,
            35.0,
            "0 to 35",
        )?;
        within("water.salinity_ppt", self.salinity_ppt, 0.0, 40.0, "0 to 40")
    }
}
