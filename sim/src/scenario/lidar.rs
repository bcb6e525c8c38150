//! The spinning lidar.

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;

/// The spinning lidar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LidarScenario {
    /// Lasers, one above the other; 1 to 128.
    pub rings: u16,
    /// Firings per turn; 16 to 4096.
    pub columns: u16,
    /// Turns per second; 1 to 20.
    pub rate_hz: f64,
    /// Elevation of the lowest ring, in degrees.
    pub lowest_deg: f64,
    /// Elevation of the highest ring, in degrees.
    pub highest_deg: f64,
    /// Farthest return, in metres.
    pub range_m: f64,
    /// One sigma of the range noise, in metres; 0 to 1.
    pub range_sigma_m: f64,
    /// Part of the returns that is lost, 0 to 1.
    pub dropout: f64,
}

impl Default for LidarScenario {
    fn default() -> Self {
        Self {
            rings: 32,
            columns: 720,
            rate_hz: 10.0,
            lowest_deg: -22.5,
            highest_deg: 22.5,
            range_m: 80.0,
            range_sigma_m: 0.012,
            dropout: 0.01,
        }
    }
}

impl LidarScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within("lidar.rings", self.rings.into(), 1.0, 128.0, "1 to 128")?;
        within("lidar.columns", self.columns.into(), 16.0, 4096.0, "16 to 4096")?;
        within("lidar.rate_hz", self.rate_hz, 1.0, 20.0, "1 to 20")?;
        within("lidar.lowest_deg", self.lowest_deg, -89.0, 89.0, "-89 to 89")?;
        within(
            "lidar.highest_deg",
            self.highest_deg,
            self.lowest_deg,
            89.0,
            "lowest_deg to 89",
        )?;
        within("lidar.range_m", self.range_m, 1.0, 300.0, "1 to 300")?;
        within("lidar.range_sigma_m", self.range_sigma_m, 0.0, 1.0, "0 to 1")?;
        within("lidar.dropout", self.dropout, 0.0, 1.0, "0 to 1")?;
        Ok(())
    }
}
