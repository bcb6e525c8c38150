//! Quay wall and bed.

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;

/// Quay wall and bed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuayScenario {
    /// Direction of the quay as the vessel passes it, in degrees clockwise from true north.
    pub heading_deg: f64,
    /// Distance of the wall's face at the waterline from the vessel's mean path, in metres; 3 to 30.
    pub distance_m: f64,
    /// Height of the quay's edge above the water, in metres; 1 to 10.
    pub top_m: f64,
    /// Depth of the bed at the foot of the wall, in metres; 2 to 15.
    pub toe_m: f64,
    /// How much the face leans back, in degrees; 0 to 10.
    pub batter_deg: f64,
    /// How steeply the bed falls away from the wall, in degrees; -10 to 10.
    pub bed_slope_deg: f64,
}

impl Default for QuayScenario {
    fn default() -> Self {
        Self {
            heading_deg: 75.0,
            distance_m: 8.0,
            top_m: 3.0,
            toe_m: 7.5,
            batter_deg: 1.0,
            bed_slope_deg: 3.0,
        }
    }
}

impl QuayScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within("quay.heading_deg", self.heading_deg, -360.0, 360.0, "-360 to 360")?;
        within("quay.distance_m", self.distance_m, 3.0, 30.0, "3 to 30")?;
        within("quay.top_m", self.top_m, 1.0, 10.0, "1 to 10")?;
        within("quay.toe_m", self.toe_m, 2.0, 15.0, "2 to 15")?;
        within("quay.batter_deg", self.batter_deg, 0.0, 10.0, "0 to 10")?;
        within("quay.bed_slope_deg", self.bed_slope_deg, -10.0, 10.0, "-10 to 10")?;
        Ok(())
    }
}
