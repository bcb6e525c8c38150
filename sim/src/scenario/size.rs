//! How much one ping may be made of, so that no device asks for more memory than a machine has.

use super::{SonarKind, SonarScenario, WaterScenario, within};
use crate::error::Error;

/// Most samples of all channels of a ping together: 64 MiB of counts.
const MOST_SAMPLES: f64 = 16_777_216.0;
/// Most scatterers on a face that fills the transmit beam, or cells of what floats, about: each that is heard
/// takes a hundred bytes.
const MOST_CELLS: f64 = 5e6;
/// Half the transmit beam's width to the end of its first side lobe, in widths at -3 dB.
const TO_SIDE_LOBE: f64 = 2.1;

impl SonarScenario {
    /// Refuses a ping that is too large.
    pub(super) fn check_size(&self, water: &WaterScenario) -> Result<(), Error> {
        let c = self.sound_speed_m_per_s(water);
        let samples = (2.0 * self.range_m / c + self.pulse_s) * self.sample_rate_hz;
        let [along, across] = self.elements.map(f64::from);
        let channels = match self.kind {
            SonarKind::Beams | SonarKind::Detections => f64::from(self.beams),
            SonarKind::Elements => along * across,
            SonarKind::Scanning => 1.0,
            SonarKind::SideScan => 2.0,
        };
        within(
            "sonar.sample_rate_hz",
            channels * samples,
            0.0,
            MOST_SAMPLES,
            "at most 16777216 samples of all channels of a ping: fewer channels, less range or a lower rate",
        )?;
        let bandwidth_hz = match self.pulse_kind {
            super::Sweep::Lfm => self.bandwidth_hz,
            super::Sweep::Cw => 1.0 / self.pulse_s,
        };
        let resolution_m = 0.5 * c / bandwidth_hz;
        let along_rad = self
            .transmit_along_deg
            .unwrap_or(self.beam_width_deg)
            .to_radians();
        let reach = (TO_SIDE_LOBE * along_rad).min(1.0);
        let cell_m = resolution_m * crate::sonar::cells_per_resolution(self.kind);
        let on_a_face = 4.0 * reach * (self.range_m / cell_m).powi(2);
        let floats = water.volume_scattering_db.is_some() || water.wind_m_per_s > 0.0;
        let directions = match self.kind {
            SonarKind::Beams | SonarKind::Detections => 2.0 * self.fan_deg / self.beam_width_deg,
            SonarKind::Elements => 4.0 * self.element_spacing * across,
            SonarKind::Scanning | SonarKind::SideScan => 360.0 / self.beam_width_deg,
        };
        let floating = if floats {
            directions * self.range_m / resolution_m
        } else {
            0.0
        };
        within(
            "sonar.bandwidth_hz",
            on_a_face.max(floating),
            0.0,
            MOST_CELLS,
            "at most 5e6 cells of the pulse's length c/2B to sound at once: less bandwidth, range or beam width",
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::Scenario;

    /// Each asked for gigabytes.
    #[test]
    fn pings_that_fill_a_machine_are_refused() {
        let fine =
            "range_m = 200\nrate_hz = 1\nsample_rate_hz = 500e3\nbandwidth_hz = 440e3\ncentre_hz = 900e3";
        for (keys, key) in [
            ("beams = 1024\nbeam_width_deg = 0.2", "sonar.sample_rate_hz"),
            ("kind = \"elements\"\nelements = [16, 16]", "sonar.sample_rate_hz"),
            ("kind = \"side_scan\"\nbeam_width_deg = 120", "sonar.bandwidth_hz"),
            ("kind = \"scanning\"", "sonar.bandwidth_hz"),
        ] {
            let text = format!("[sonar]\n{keys}\n{fine}\n");
            let said = Scenario::from_toml(&text).unwrap_err().to_string();
            assert!(said.contains(key) && said.contains("at most"), "{keys}: {said}");
        }
        let text = "[water]\nvolume_scattering_db = -60\n[sonar]\nbeam_width_deg = 0.2\nrange_m = 50\nrate_hz = 1\n\
            bandwidth_hz = 90e3\nsample_rate_hz = 110e3\n";
        let said = Scenario::from_toml(text).unwrap_err().to_string();
        assert!(said.contains("at most 5e6 cells"), "{said}");
        assert!(Scenario::from_toml(&text.replace("volume_scattering_db = -60", "")).is_ok());
    }
}
