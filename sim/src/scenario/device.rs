//! Sonars as files: the table `[sonar]` with a device's numbers.

use std::path::Path;

use beluga_types::{PulseKind, Shading};
use serde::{Deserialize, Serialize};

use super::SonarScenario;
use super::file::read_capped;
use crate::error::Error;

/// The devices that need no file of their own, by name.
pub const DEVICES: [(&str, &str); 8] = [
    ("air-array-40k", include_str!("../../devices/air-array-40k.toml")),
    (
        "hydrophone-line-16",
        include_str!("../../devices/hydrophone-line-16.toml"),
    ),
    (
        "hydrophone-plane-8x8",
        include_str!("../../devices/hydrophone-plane-8x8.toml"),
    ),
    ("multibeam-256", include_str!("../../devices/multibeam-256.toml")),
    (
        "multibeam-256-detections",
        include_str!("../../devices/multibeam-256-detections.toml"),
    ),
    (
        "multibeam-256-unfocused",
        include_str!("../../devices/multibeam-256-unfocused.toml"),
    ),
    ("scanning-750k", include_str!("../../devices/scanning-750k.toml")),
    ("sidescan-450k", include_str!("../../devices/sidescan-450k.toml")),
];

/// What a sonar gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SonarKind {
    /// A waveform per beam of a fan.
    Beams,
    /// What the device itself detects in the beams of a fan.
    Detections,
    /// A waveform per element of an array.
    Elements,
    /// Echo strength over range of a beam that turns across track from ping to ping.
    Scanning,
    /// Echo strength over range of one beam to port and one to starboard.
    SideScan,
}

impl SonarKind {
    /// Whether the receiver forms a fan of beams.
    pub fn is_fan(self) -> bool {
        matches!(self, SonarKind::Beams | SonarKind::Detections)
    }

    /// Whether it gives echo strength over range.
    pub fn is_profile(self) -> bool {
        matches!(self, SonarKind::Scanning | SonarKind::SideScan)
    }
}

/// How an array's elements are weighted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrayShading {
    /// All alike: the narrowest beam, side lobes of -13.3 dB.
    Rectangular,
    /// Raised cosine: side lobes of -31.5 dB.
    Hann,
    /// Raised cosine on a pedestal: side lobes of -42.7 dB.
    Hamming,
    /// Four side lobes alike at -35 dB.
    Taylor,
}

/// How frequency runs over a pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sweep {
    /// Linear from `centre_hz - bandwidth_hz / 2` up.
    Lfm,
    /// Constant at `centre_hz`.
    Cw,
}

impl From<Sweep> for PulseKind {
    fn from(sweep: Sweep) -> Self {
        match sweep {
            Sweep::Lfm => PulseKind::Lfm,
            Sweep::Cw => PulseKind::Cw,
        }
    }
}

/// How amplitude runs over a pulse: `rectangular`, `hann`, or `tukey:` with the part that is taper.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PulseShading {
    /// Constant.
    Rectangular,
    /// Raised cosine over the whole pulse.
    Hann,
    /// Constant with raised-cosine ends; the part that is taper, 0 to 1.
    Tukey(f64),
}

impl TryFrom<String> for PulseShading {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "rectangular" => Ok(Self::Rectangular),
            "hann" => Ok(Self::Hann),
            other => other
                .strip_prefix("tukey:")
                .and_then(|taper| taper.parse().ok())
                .map(Self::Tukey)
                .ok_or_else(|| format!("expected `rectangular`, `hann` or `tukey:0.1`, found `{text}`")),
        }
    }
}

impl From<PulseShading> for String {
    fn from(shading: PulseShading) -> Self {
        match shading {
            PulseShading::Rectangular => "rectangular".into(),
            PulseShading::Hann => "hann".into(),
            PulseShading::Tukey(taper) => format!("tukey:{taper}"),
        }
    }
}

impl From<PulseShading> for Shading {
    fn from(shading: PulseShading) -> Self {
        match shading {
            PulseShading::Rectangular => Shading::Rectangular,
            PulseShading::Hann => Shading::Hann,
            PulseShading::Tukey(taper) => Shading::Tukey(taper),
        }
    }
}

/// What the values of a profile are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Counts that grow with amplitude, 0 to 2^bits - 1 at full scale.
    Counts,
    /// Decibels in 2^bits - 1 steps below full scale.
    Decibels,
}

impl SonarScenario {
    /// The device of a name in [`DEVICES`], or of a file that ends in `.toml`.
    ///
    /// # Errors
    /// [`Error::Device`] for a name that is none or a file that is no device, and as for reading a file.
    pub fn of_device(name_or_path: &str) -> Result<Self, Error> {
        let table = device_table(name_or_path, Path::new("."))?;
        built(name_or_path, table)
    }

    /// The sonar that a scenario's own table `[sonar]` describes: its keys over those of the device it
    /// names, whose absolute levels do not count where the scenario states relative ones. Paths are relative to
    /// `folder`.
    pub(super) fn over_device(name: &str, own: &toml::Table, folder: &Path) -> Result<Self, Error> {
        let mut table = device_table(name, folder)?;
        if own.contains_key("noise_db") || own.contains_key("full_scale_db") {
            table.remove("absolute");
        }
        overlay(&mut table, own);
        table.remove("device");
        built(name, table)
    }
}

fn device_table(name: &str, folder: &Path) -> Result<toml::Table, Error> {
    let refused = |why: String| Error::Device {
        name: name.to_owned(),
        why,
    };
    let known = DEVICES.iter().find(|(known, _)| *known == name);
    let text = match known {
        Some((_, text)) => (*text).to_owned(),
        None if name.ends_with(".toml") => read_capped(&folder.join(name))?,
        None => {
            let names: Vec<&str> = DEVICES.iter().map(|(name, _)| *name).collect();
            return Err(refused(format!(
                "expected one of {} or a path that ends in .toml",
                names.join(", ")
            )));
        }
    };
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| refused(error.to_string()))?;
    if table.contains_key("device") {
        return Err(refused("a device's file cannot name another device".into()));
    }
    Ok(table)
}

fn overlay(table: &mut toml::Table, own: &toml::Table) {
    for (key, value) in own {
        match (table.get_mut(key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(own)) => overlay(inner, own),
            _ => {
                table.insert(key.clone(), value.clone());
            }
        }
    }
}

fn built(name: &str, table: toml::Table) -> Result<SonarScenario, Error> {
    table.try_into().map_err(|error: toml::de::Error| Error::Device {
        name: name.to_owned(),
        why: error.message().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Scenario, WaterScenario};

    #[test]
    fn every_device_that_comes_along_is_possible() {
        for (name, _) in DEVICES {
            let device = SonarScenario::of_device(name).unwrap();
            device.check(&WaterScenario::default()).unwrap();
            assert!(!device.model.is_empty());
        }
    }

    #[test]
    fn the_multibeam_file_is_the_default_with_levels() {
        let file = SonarScenario::of_device("multibeam-256").unwrap();
        assert!(file.absolute.is_some());
        let relative = SonarScenario {
            absolute: None,
            ..file
        };
        assert_eq!(relative, SonarScenario::default());
    }

    #[test]
    fn relative_levels_of_the_scenario_stand_over_the_devices_absolute_ones() {
        let read = |more: &str| {
            let text = format!("[sonar]\ndevice = \"multibeam-256\"\n{more}");
            Scenario::from_toml(&text).unwrap().sonar
        };
        assert_eq!(read("").absolute.unwrap().source_level_db, 205.0);
        let own = "[sonar.absolute]\nsource_level_db = 221\nsensitivity_db = -170\nfull_scale_v = 1.0\n";
        let louder = read(own).absolute.unwrap();
        assert_eq!(
            (louder.source_level_db, louder.receiver_noise_db),
            (221.0, Some(22.1))
        );
        let relative = read("noise_db = -90\n");
        assert_eq!((relative.absolute, relative.noise_db), (None, -90.0));
    }

    #[test]
    fn the_scenarios_own_keys_override_the_devices() {
        let text = "[sonar]\ndevice = \"scanning-750k\"\nrange_m = 10.0\n";
        let sonar = Scenario::from_toml(text).unwrap().sonar;
        let device = SonarScenario::of_device("scanning-750k").unwrap();
        assert_eq!(sonar.range_m, 10.0);
        assert_eq!(
            SonarScenario {
                range_m: device.range_m,
                ..sonar
            },
            device
        );
        let unknown = Scenario::from_toml("\n[sonar]\ndevice = \"x\"\n")
            .unwrap_err()
            .to_string();
        assert!(
            unknown.contains("multibeam-256") && unknown.contains("line 3"),
            "{unknown}"
        );
    }

    #[test]
    fn a_device_can_be_a_file_beside_the_scenario() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("mine.toml");
        std::fs::write(&device, "model = \"mine\"\nbeams = 12\n").unwrap();
        let scenario = folder.path().join("site.toml");
        std::fs::write(&scenario, "[sonar]\ndevice = \"mine.toml\"\nfan_deg = 90\n").unwrap();
        let sonar = Scenario::read(&scenario).unwrap().sonar;
        assert_eq!(
            (sonar.model.as_str(), sonar.beams, sonar.fan_deg),
            ("mine", 12, 90.0)
        );
        let text = serde_json::to_string(&sonar).unwrap();
        assert_eq!(
            serde_json::from_str::<SonarScenario>(&text).unwrap(),
            sonar,
            "and needs the file no more"
        );
        std::fs::write(&device, "beems = 12\n").unwrap();
        assert!(
            Scenario::read(&scenario)
                .unwrap_err()
                .to_string()
                .contains("beems")
        );
    }

    /// Each refusal names the key and why.
    #[test]
    fn impossible_devices_are_refused() {
        for (keys, key, why) in [
            ("bandwidth_hz = 58e3", "bandwidth_hz", "sample rate"),
            (
                "pulse_kind = \"cw\"\npulse_s = 1.2e-5",
                "pulse_s",
                "receiver's band",
            ),
            ("beams = 0", "beams", "1 to 1024"),
            ("rate_hz = 29.9\nrange_m = 30", "rate_hz", "c / (2 range)"),
            ("kind = \"elements\"\nelements = [1, 1]", "elements", "aperture"),
            ("elements = [0, 4]", "elements", "at least 1"),
            ("element_spacing = 0", "element_spacing", "0.1"),
            ("pulse_s = 5e-3", "blanking_m", "transmits"),
            ("beam_width_deg = 0", "beam_width_deg", "0.2"),
            ("pulse_shading = \"tukey:1.5\"", "pulse_shading", "taper"),
            ("hum = { frequency_hz = 400e3, level_db = -90 }", "hum", "centre"),
        ] {
            let text = format!("[sonar]\n{keys}\n");
            let error = Scenario::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(why), "{keys}: {error}");
        }
        let error = Scenario::from_toml("[sonar]\npulse_shading = \"kaiser\"\n").unwrap_err();
        assert!(error.to_string().contains("tukey:0.1"), "{error}");
    }
}
