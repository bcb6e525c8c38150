//! The vessel's path and motion.

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;

/// The vessel's path and motion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VesselScenario {
    /// Mean speed along the quay, in m/s; 0 to 5.
    pub speed_m_per_s: f64,
    /// Amplitude of the main roll wave, in degrees; 0 to 10.
    pub roll_deg: f64,
    /// Amplitude of the main pitch wave, in degrees; 0 to 10.
    pub pitch_deg: f64,
    /// Amplitude of the slow yaw wave, in degrees; 0 to 10.
    pub yaw_deg: f64,
    /// Amplitude of the main heave wave, in metres; 0 to 1.
    pub heave_m: f64,
    /// Amplitude of the slow sway wave, in metres; 0 to 1.
    pub sway_m: f64,
}

impl Default for VesselScenario {
    fn default() -> Self {
        Self {
            speed_m_per_s: 0.8,
            roll_deg: 2.0,
            pitch_deg: 1.0,
            yaw_deg: 1.5,
            heave_m: 0.1,
            sway_m: 0.15,
        }
    }
}

impl VesselScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within("vessel.speed_m_per_s", self.speed_m_per_s, 0.0, 5.0, "0 to 5")?;
        within("vessel.roll_deg", self.roll_deg, 0.0, 10.0, "0 to 10")?;
        within("vessel.pitch_deg", self.pitch_deg, 0.0, 10.0, "0 to 10")?;
        within("vessel.yaw_deg", self.yaw_deg, 0.0, 10.0, "0 to 10")?;
        within("vessel.heave_m", self.heave_m, 0.0, 1.0, "0 to 1")?;
        within("vessel.sway_m", self.sway_m, 0.0, 1.0, "0 to 1")?;
        Ok(())
    }
}
