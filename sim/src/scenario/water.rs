//! The water, and how sound gets through it.

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;

/// The water, and how sound gets through it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaterScenario {
    /// Whether there is air instead of water: no surface at height 0, and absorption at 50 % humidity.
    pub air: bool,
    /// Speed of sound, in m/s; 1400 to 1600, in air 300 to 380. With a `profile` or `cast`, what the recording states;
    /// else also what is true.
    pub sound_speed_m_per_s: f64,
    /// Temperature in °C, for absorption; 0 to 35. With a `cast`, that tells it.
    pub temperature_deg_c: f64,
    /// Salinity in parts per thousand, for absorption; 0 to 40. With a `cast`, that tells it.
    pub salinity_ppt: f64,
    /// Acidity, for absorption; 7 to 8.5.
    pub ph: f64,
    /// The true speed of sound as [depth in m, speed in m/s], depths rising from 0 or more, speeds 1400
    /// to 1600, straight between the levels and even beyond them; sound is bent by it. At most 256.
    pub profile: Vec<[f64; 2]>,
    /// How many mirrors sound may meet on its way out and back together; 0 to 2. Mirrors are the water's
    /// surface and the largest flat faces.
    pub multipath: u8,
    /// Whether smooth parts of rough faces glint at steep incidence, besides Lambert's scattering.
    pub specular: bool,
    /// Wind speed 10 m above the water, for bubbles under the surface and its roughness, in m/s; 0 to 20.
    /// 0 is no bubbles and a smooth surface.
    pub wind_m_per_s: f64,
    /// Standard deviation of the surface's height, in metres, 0 to 2; without it that of a sea fully
    /// grown in the wind.
    pub surface_roughness_m: Option<f64>,
    /// Volume scattering strength of what floats in the water, in dB re 1/m, -120 to -30; nothing
    /// without it.
    pub volume_scattering_db: Option<f64>,
    /// How what floats drifts: along the quay, to port, up; in m/s, -5 to 5 each.
    pub current_m_per_s: [f64; 3],
    /// Temperature and salinity by depth, instead of a `profile`: speed by the equation of Chen and
    /// Millero, absorption by depth. At most 256 levels.
    pub cast: Vec<CastLevel>,
}

/// One level of a cast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CastLevel {
    /// Depth in metres; 0 to 200.
    pub depth_m: f64,
    /// Temperature in °C; 0 to 35.
    pub temperature_deg_c: f64,
    /// Salinity in parts per thousand; 0 to 40.
    pub salinity_ppt: f64,
}

/// Most levels of a profile or cast.
const MOST_LEVELS: usize = 256;

impl Default for WaterScenario {
    fn default() -> Self {
        Self {
            air: false,
            sound_speed_m_per_s: 1476.0,
            temperature_deg_c: 14.0,
            salinity_ppt: 12.0,
            ph: 8.0,
            profile: Vec::new(),
            multipath: 0,
            specular: false,
            wind_m_per_s: 0.0,
            surface_roughness_m: None,
            volume_scattering_db: None,
            current_m_per_s: [0.0; 3],
            cast: Vec::new(),
        }
    }
}

impl WaterScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.air {
            return self.check_air();
        }
        speed("water.sound_speed_m_per_s", self.sound_speed_m_per_s)?;
        temperature("water.temperature_deg_c", self.temperature_deg_c)?;
        salinity("water.salinity_ppt", self.salinity_ppt)?;
        within("water.ph", self.ph, 7.0, 8.5, "7 to 8.5")?;
        levels("water.profile", self.profile.len(), &|i| self.profile[i][0])?;
        for level in &self.profile {
            speed("water.profile", level[1])?;
        }
        within("water.multipath", self.multipath.into(), 0.0, 2.0, "0 to 2")?;
        within("water.wind_m_per_s", self.wind_m_per_s, 0.0, 20.0, "0 to 20")?;
        let roughness = self.surface_roughness_m.unwrap_or(0.0);
        within("water.surface_roughness_m", roughness, 0.0, 2.0, "0 to 2")?;
        let volume = self.volume_scattering_db.unwrap_or(-120.0);
        within("water.volume_scattering_db", volume, -120.0, -30.0, "-120 to -30")?;
        for part in self.current_m_per_s {
            within("water.current_m_per_s", part, -5.0, 5.0, "-5 to 5")?;
        }
        levels("water.cast", self.cast.len(), &|i| self.cast[i].depth_m)?;
        for level in &self.cast {
            temperature("water.cast.temperature_deg_c", level.temperature_deg_c)?;
            salinity("water.cast.salinity_ppt", level.salinity_ppt)?;
        }
        let both = !self.profile.is_empty() && !self.cast.is_empty();
        let found = self.cast.len() as f64;
        within(
            "water.cast",
            if both { found } else { 0.0 },
            0.0,
            0.0,
            "no cast beside a profile",
        )
    }

    /// Air has neither layers nor bubbles.
    fn check_air(&self) -> Result<(), Error> {
        let found = self.sound_speed_m_per_s;
        within(
            "water.sound_speed_m_per_s",
            found,
            300.0,
            380.0,
            "300 to 380 in air",
        )?;
        temperature("water.temperature_deg_c", self.temperature_deg_c)?;
        within("water.multipath", self.multipath.into(), 0.0, 2.0, "0 to 2")?;
        within(
            "water.profile",
            self.profile.len() as f64,
            0.0,
            0.0,
            "none in air",
        )?;
        within("water.cast", self.cast.len() as f64, 0.0, 0.0, "none in air")?;
        within("water.wind_m_per_s", self.wind_m_per_s, 0.0, 0.0, "0 in air")?;
        let volume = self.volume_scattering_db.unwrap_or(-120.0);
        within("water.volume_scattering_db", volume, -120.0, -30.0, "-120 to -30")?;
        for part in self.current_m_per_s {
            within("water.current_m_per_s", part, -5.0, 5.0, "-5 to 5")?;
        }
        Ok(())
    }
}

fn speed(key: &'static str, found: f64) -> Result<(), Error> {
    within(key, found, 1400.0, 1600.0, "1400 to 1600")
}

fn temperature(key: &'static str, found: f64) -> Result<(), Error> {
    within(key, found, 0.0, 35.0, "0 to 35")
}

fn salinity(key: &'static str, found: f64) -> Result<(), Error> {
    within(key, found, 0.0, 40.0, "0 to 40")
}

/// Depths of a profile: at most so many, and rising.
fn levels(key: &'static str, count: usize, depth_m: &dyn Fn(usize) -> f64) -> Result<(), Error> {
    within(key, count as f64, 0.0, MOST_LEVELS as f64, "at most 256 levels")?;
    let mut least = 0.0;
    for i in 0..count {
        within(key, depth_m(i), least, 200.0, "depths rising, 0 to 200")?;
        // A centimetre at least between two levels.
        least = depth_m(i) + 0.01;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl Fn(&mut WaterScenario), key: &str) {
        let mut water = WaterScenario::default();
        assert!(water.check().is_ok());
        change(&mut water);
        let error = water.check().unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }

    #[test]
    fn water_that_cannot_be_is_refused() {
        let level = CastLevel {
            depth_m: 1.0,
            temperature_deg_c: 9.0,
            salinity_ppt: 3.0,
        };
        refused(
            |water| water.profile = vec![[0.0, 1480.0], [0.0, 1470.0]],
            "water.profile",
        );
        refused(|water| water.profile = vec![[-1.0, 1480.0]], "water.profile");
        refused(|water| water.profile = vec![[0.0, 1000.0]], "water.profile");
        refused(|water| water.profile = vec![[f64::NAN, 1480.0]], "water.profile");
        refused(|water| water.profile = vec![[0.0, 1480.0]; 300], "at most 256");
        refused(|water| water.multipath = 3, "water.multipath");
        refused(|water| water.air = true, "300 to 380 in air");
        refused(|water| water.wind_m_per_s = f64::NAN, "water.wind_m_per_s");
        refused(|water| water.cast = vec![level, level], "water.cast");
        refused(
            |water| {
                water.cast = vec![level];
                water.profile = vec![[0.0, 1480.0]];
            },
            "no cast beside a profile",
        );
    }
}
