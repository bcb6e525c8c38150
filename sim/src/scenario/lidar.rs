//! The spinning lidar.

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;

/// The spinning lidar. By default its light is a line without width, water swallows it, and every
/// surface in range answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LidarScenario {
    /// Elevations of a known make. With one, `rings`, `lowest_deg` and `highest_deg` are not used.
    pub preset: Option<LidarPreset>,
    /// Lasers, one above the other, evenly spaced in elevation; 1 to 128.
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
    /// Range at which a surface of 10 % reflectivity seen straight on is just detected in clear
    /// air, in metres; 0 to 1000. Zero: every surface within `range_m` is.
    pub range_at_10_percent_m: f64,
    /// One sigma of the range noise, in metres; 0 to 1.
    pub range_sigma_m: f64,
    /// Range error common to all returns, in metres; -1 to 1.
    pub range_bias_m: f64,
    /// One sigma of each ring's own constant range error, in metres; 0 to 1.
    pub ring_bias_m: f64,
    /// Full angle of the beam between the points of 1/e² of its power, in milliradians; 0 to 20.
    pub divergence_mrad: f64,
    /// Lines that stand for one beam of that divergence; 1 to 64. Cost grows with it.
    pub sub_rays: u16,
    /// Echoes of a beam nearer to each other than this are one echo between them, in metres; 0 to 5.
    pub resolution_m: f64,
    /// Whether a beam gives its strongest and its last echo, as two points of the same ring and
    /// time, strongest first; else the strongest only.
    pub dual_return: bool,
    /// Whether water mirrors: the light goes on, and the sensor reports a point below the waterline.
    pub water_ghosts: bool,
    /// Wind that roughens the mirror, in m/s; 0 (a flat mirror) to 15.
    pub wind_m_per_s: f64,
    /// Part of the beams that meet a drop of spray; 0 to 1.
    pub spray: f64,
    /// Mean distance of such a drop, in metres; 0.1 to 50.
    pub spray_reach_m: f64,
    /// Rain, in millimetres per hour; 0 to 200.
    pub rain_mm_per_h: f64,
    /// Part of the returns that is lost, 0 to 1.
    pub dropout: f64,
    /// Part of the firings of all rings together that is lost, 0 to 1.
    pub column_dropout: f64,
}

/// Elevations as makers publish them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LidarPreset {
    /// 16 rings from -15° to 15° (as Velodyne's VLP-16).
    #[serde(rename = "16")]
    Rings16,
    /// 32 rings from -25° to 15°, closest about the horizon (as Velodyne's VLP-32C).
    #[serde(rename = "32")]
    Rings32,
    /// 64 rings from -22.5° to 22.5° (as Ouster's OS1-64).
    #[serde(rename = "64")]
    Rings64,
    /// 128 rings from -22.5° to 22.5° (as Ouster's OS1-128).
    #[serde(rename = "128")]
    Rings128,
}

impl Default for LidarScenario {
    fn default() -> Self {
        Self {
            preset: None,
            rings: 32,
            columns: 720,
            rate_hz: 10.0,
            lowest_deg: -22.5,
            highest_deg: 22.5,
            range_m: 80.0,
            range_at_10_percent_m: 0.0,
            range_sigma_m: 0.012,
            range_bias_m: 0.0,
            ring_bias_m: 0.0,
            divergence_mrad: 0.0,
            sub_rays: 7,
            resolution_m: 0.4,
            dual_return: false,
            water_ghosts: false,
            wind_m_per_s: 0.0,
            spray: 0.0,
            spray_reach_m: 3.0,
            rain_mm_per_h: 0.0,
            dropout: 0.01,
            column_dropout: 0.0,
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
        within(
            "lidar.range_at_10_percent_m",
            self.range_at_10_percent_m,
            0.0,
            1000.0,
            "0 to 1000",
        )?;
        within("lidar.range_sigma_m", self.range_sigma_m, 0.0, 1.0, "0 to 1")?;
        within("lidar.range_bias_m", self.range_bias_m, -1.0, 1.0, "-1 to 1")?;
        within("lidar.ring_bias_m", self.ring_bias_m, 0.0, 1.0, "0 to 1")?;
        within(
            "lidar.divergence_mrad",
            self.divergence_mrad,
            0.0,
            20.0,
            "0 to 20",
        )?;
        within("lidar.sub_rays", self.sub_rays.into(), 1.0, 64.0, "1 to 64")?;
        within("lidar.resolution_m", self.resolution_m, 0.0, 5.0, "0 to 5")?;
        within("lidar.wind_m_per_s", self.wind_m_per_s, 0.0, 15.0, "0 to 15")?;
        within("lidar.spray", self.spray, 0.0, 1.0, "0 to 1")?;
        within("lidar.spray_reach_m", self.spray_reach_m, 0.1, 50.0, "0.1 to 50")?;
        within("lidar.rain_mm_per_h", self.rain_mm_per_h, 0.0, 200.0, "0 to 200")?;
        within("lidar.dropout", self.dropout, 0.0, 1.0, "0 to 1")?;
        within("lidar.column_dropout", self.column_dropout, 0.0, 1.0, "0 to 1")?;
        Ok(())
    }
}
