//! The range of every number of a scenario.

use super::Scenario;
use crate::error::Error;

impl Scenario {
    /// Checks every number against its range.
    ///
    /// # Errors
    /// [`Error::Scenario`] at the first number outside its range.
    pub fn check(&self) -> Result<(), Error> {
        let (quay, vessel, lidar, sonar, nav) =
            (&self.quay, &self.vessel, &self.lidar, &self.sonar, &self.nav);
        within("duration_s", self.duration_s, 0.1, 3600.0, "0.1 to 3600")?;
        within(
            "sound_speed_m_per_s",
            self.sound_speed_m_per_s,
            1400.0,
            1600.0,
            "1400 to 1600",
        )?;
        within("temperature_deg_c", self.temperature_deg_c, 0.0, 35.0, "0 to 35")?;
        within("salinity_ppt", self.salinity_ppt, 0.0, 40.0, "0 to 40")?;
        within("quay.heading_deg", quay.heading_deg, -360.0, 360.0, "-360 to 360")?;
        within("quay.distance_m", quay.distance_m, 3.0, 30.0, "3 to 30")?;
        within("quay.top_m", quay.top_m, 1.0, 10.0, "1 to 10")?;
        within("quay.toe_m", quay.toe_m, 2.0, 15.0, "2 to 15")?;
        within("quay.batter_deg", quay.batter_deg, 0.0, 10.0, "0 to 10")?;
        within("quay.bed_slope_deg", quay.bed_slope_deg, -10.0, 10.0, "-10 to 10")?;
        within("vessel.speed_m_per_s", vessel.speed_m_per_s, 0.0, 5.0, "0 to 5")?;
        within("vessel.roll_deg", vessel.roll_deg, 0.0, 10.0, "0 to 10")?;
        within("vessel.pitch_deg", vessel.pitch_deg, 0.0, 10.0, "0 to 10")?;
        within("vessel.yaw_deg", vessel.yaw_deg, 0.0, 10.0, "0 to 10")?;
        within("vessel.heave_m", vessel.heave_m, 0.0, 1.0, "0 to 1")?;
        within("vessel.sway_m", vessel.sway_m, 0.0, 1.0, "0 to 1")?;
        within("lidar.rings", lidar.rings.into(), 1.0, 128.0, "1 to 128")?;
        within("lidar.columns", lidar.columns.into(), 16.0, 4096.0, "16 to 4096")?;
        within("lidar.rate_hz", lidar.rate_hz, 1.0, 20.0, "1 to 20")?;
        within("lidar.lowest_deg", lidar.lowest_deg, -89.0, 89.0, "-89 to 89")?;
        within(
            "lidar.highest_deg",
            lidar.highest_deg,
            lidar.lowest_deg,
            89.0,
            "lowest_deg to 89",
        )?;
        within("lidar.range_m", lidar.range_m, 1.0, 300.0, "1 to 300")?;
        within("lidar.range_sigma_m", lidar.range_sigma_m, 0.0, 1.0, "0 to 1")?;
        within("lidar.dropout", lidar.dropout, 0.0, 1.0, "0 to 1")?;
        within("sonar.beams", sonar.beams.into(), 1.0, 1024.0, "1 to 1024")?;
        within("sonar.fan_deg", sonar.fan_deg, 0.0, 170.0, "0 to 170")?;
        within(
            "sonar.mount_roll_deg",
            sonar.mount_roll_deg,
            -90.0,
            90.0,
            "-90 to 90",
        )?;
        within(
            "sonar.beam_width_deg",
            sonar.beam_width_deg,
            0.2,
            10.0,
            "0.2 to 10",
        )?;
        within("sonar.range_m", sonar.range_m, 2.0, 200.0, "2 to 200")?;
        let fastest = 0.5 * self.sound_speed_m_per_s / sonar.range_m;
        within(
            "sonar.rate_hz",
            sonar.rate_hz,
            0.1,
            fastest.min(30.0),
            "0.1 to 30, and below c / (2 range)",
        )?;
        within("sonar.centre_hz", sonar.centre_hz, 10e3, 1e6, "10e3 to 1e6")?;
        within(
            "sonar.sample_rate_hz",
            sonar.sample_rate_hz,
            1e3,
            500e3,
            "1e3 to 500e3",
        )?;
        let widest = 0.9 * sonar.sample_rate_hz;
        within(
            "sonar.bandwidth_hz",
            sonar.bandwidth_hz,
            500.0,
            widest,
            "500 to 0.9 times the sample rate",
        )?;
        within("sonar.pulse_s", sonar.pulse_s, 1e-4, 2e-2, "1e-4 to 2e-2")?;
        within("sonar.noise_db", sonar.noise_db, -200.0, 0.0, "-200 to 0")?;
        within(
            "sonar.full_scale_db",
            sonar.full_scale_db,
            -200.0,
            40.0,
            "-200 to 40",
        )?;
        within(
            "sonar.blanking_m",
            sonar.blanking_m,
            0.0,
            sonar.range_m,
            "0 to the range",
        )?;
        within("nav.rate_hz", nav.rate_hz, 1.0, 200.0, "1 to 200")?;
        within("nav.correlation_s", nav.correlation_s, 0.1, 1000.0, "0.1 to 1000")?;
        within("nav.horizontal_m", nav.horizontal_m, 0.0, 10.0, "0 to 10")?;
        within("nav.up_m", nav.up_m, 0.0, 10.0, "0 to 10")?;
        within("nav.roll_pitch_deg", nav.roll_pitch_deg, 0.0, 10.0, "0 to 10")?;
        within("nav.heading_deg", nav.heading_deg, 0.0, 10.0, "0 to 10")?;
        within("nav.white_m", nav.white_m, 0.0, 10.0, "0 to 10")?;
        within("nav.white_deg", nav.white_deg, 0.0, 10.0, "0 to 10")
    }
}

/// Refuses what is not a number too: no comparison with it holds.
fn within(key: &'static str, found: f64, low: f64, high: f64, expected: &'static str) -> Result<(), Error> {
    if found >= low && found <= high {
        Ok(())
    } else {
        Err(Error::Scenario { key, found, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_are_named() {
        let mut scenario = Scenario::demo();
        scenario.sonar.rate_hz = f64::NAN;
        let error = scenario.check().unwrap_err().to_string();
        assert!(error.contains("sonar.rate_hz"), "{error}");
        scenario = Scenario::demo();
        scenario.sonar.range_m = 100.0;
        assert!(scenario.check().is_err(), "15 Hz is too fast for 100 m");
    }
}
