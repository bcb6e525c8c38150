//! Which sonars can be built.

use super::device::{PulseShading, SonarKind, Sweep};
use super::sonar::SonarScenario;
use super::{WaterScenario, within};
use crate::error::Error;

impl SonarScenario {
    pub(super) fn check(&self, water: &WaterScenario) -> Result<(), Error> {
        if let Some(name) = &self.device {
            return Err(Error::Device {
                name: name.clone(),
                why: "its numbers have not been read: a scenario's text names a device, or `SonarScenario::of_device`"
                    .into(),
            });
        }
        self.check_pulse(water)?;
        self.check_arrays()?;
        self.check_receiver()?;
        self.check_size(water)
    }

    fn check_pulse(&self, water: &WaterScenario) -> Result<(), Error> {
        let c = self.sound_speed_m_per_s(water);
        let fastest = 0.5 * c / self.range_m;
        let widest = 0.9 * self.sample_rate_hz;
        let nearest = if self.in_air { 0.5 } else { 2.0 };
        within(
            "sonar.range_m",
            self.range_m,
            nearest,
            200.0,
            "2 to 200, in air 0.5 to 200",
        )?;
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
        within("sonar.pulse_s", self.pulse_s, 1e-5, 2e-2, "1e-5 to 2e-2")?;
        match self.pulse_kind {
            Sweep::Lfm => within(
                "sonar.bandwidth_hz",
                self.bandwidth_hz,
                500.0,
                widest,
                "500 to 0.9 times the sample rate",
            )?,
            Sweep::Cw => within(
                "sonar.pulse_s",
                self.pulse_s,
                1.0 / widest,
                2e-2,
                "at least 1 / (0.9 sample rate): a shorter pulse is wider than the receiver's band",
            )?,
        }
        if let PulseShading::Tukey(taper) = self.pulse_shading {
            within(
                "sonar.pulse_shading",
                taper,
                0.0,
                1.0,
                "`tukey:` with a taper of 0 to 1",
            )?;
        }
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
            0.25 * c * self.pulse_s,
            self.range_m,
            "c pulse / 4, while which the device transmits, to the range",
        )
    }

    fn check_arrays(&self) -> Result<(), Error> {
        let widest = if self.kind.is_fan() { 10.0 } else { 120.0 };
        let widest_fan = if self.flat_receiver { 150.0 } else { 170.0 };
        let [along, across] = self.elements.map(f64::from);
        let fewest = if self.kind == SonarKind::Elements {
            2.0
        } else {
            1.0
        };
        for (key, found, low, high, expected) in [
            ("sonar.beams", self.beams.into(), 1.0, 1024.0, "1 to 1024"),
            (
                "sonar.fan_deg",
                self.fan_deg,
                0.0,
                widest_fan,
                "0 to 170, 150 of a flat receiver",
            ),
            (
                "sonar.mount_roll_deg",
                self.mount_roll_deg,
                -90.0,
                90.0,
                "-90 to 90",
            ),
            (
                "sonar.mount_pitch_deg",
                self.mount_pitch_deg,
                -180.0,
                180.0,
                "-180 to 180",
            ),
            (
                "sonar.mount_heading_deg",
                self.mount_heading_deg,
                -180.0,
                180.0,
                "-180 to 180",
            ),
            (
                "sonar.beam_width_deg",
                self.beam_width_deg,
                0.2,
                widest,
                "0.2 to 10, or 120 without a fan",
            ),
            (
                "sonar.elements",
                along.min(across),
                1.0,
                256.0,
                "at least 1 along and 1 across",
            ),
            (
                "sonar.elements",
                along * across,
                fewest,
                256.0,
                "2 to 256: one element has no aperture",
            ),
            (
                "sonar.element_spacing",
                self.element_spacing,
                0.1,
                20.0,
                "0.1 to 20",
            ),
            ("sonar.scan_deg", self.scan_deg, 1.0, 360.0, "1 to 360"),
            ("sonar.scan_step_deg", self.scan_step_deg, 0.1, 90.0, "0.1 to 90"),
            ("sonar.side_deg", self.side_deg, 0.0, 90.0, "0 to 90"),
        ] {
            within(key, found, low, high, expected)?;
        }
        for offset in self.mount_m {
            within("sonar.mount_m", offset, -50.0, 50.0, "-50 to 50")?;
        }
        for (key, width) in [
            ("sonar.transmit_along_deg", self.transmit_along_deg),
            ("sonar.transmit_across_deg", self.transmit_across_deg),
            ("sonar.receive_along_deg", self.receive_along_deg),
        ] {
            within(key, width.unwrap_or(1.0), 0.2, 120.0, "0.2 to 120")?;
        }
        let speed = self.head_sound_speed_m_per_s.unwrap_or(1500.0);
        within(
            "sonar.head_sound_speed_m_per_s",
            speed,
            300.0,
            1700.0,
            "300 to 1700",
        )
    }

    fn check_receiver(&self) -> Result<(), Error> {
        let values = self.samples_per_value.into();
        within("sonar.samples_per_value", values, 1.0, 1000.0, "1 to 1000")?;
        within(
            "sonar.profile_range_db",
            self.profile_range_db,
            10.0,
            200.0,
            "10 to 200",
        )?;
        within(
            "sonar.tvg_spreading_db",
            self.tvg_spreading_db,
            0.0,
            60.0,
            "0 to 60",
        )?;
        within(
            "sonar.tvg_absorption_db_per_m",
            self.tvg_absorption_db_per_m,
            0.0,
            20.0,
            "0 to 20",
        )?;
        within("sonar.detection_db", self.detection_db, 3.0, 60.0, "3 to 60")?;
        within("sonar.bits", self.bits.into(), 4.0, 16.0, "4 to 16")?;
        if let Some(crosstalk) = self.crosstalk_db {
            within("sonar.crosstalk_db", crosstalk, -120.0, 0.0, "-120 to 0")?;
        }
        if let Some(absolute) = self.absolute {
            absolute.check(self.in_air)?;
        }
        if let Some(hum) = self.hum {
            hum.check(self.centre_hz, self.sample_rate_hz)?;
        }
        self.neighbour.map_or(Ok(()), |other| other.check())
    }
}
