//! What to simulate: every number of a world that may be chosen.

mod check;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A world to be made. Same scenario, same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Seed of all randomness.
    pub seed: u64,
    /// How hard the world is.
    pub level: Level,
    /// Length of the run, in seconds; more than 0, at most 3600.
    pub duration_s: f64,
    /// Speed of sound in the water, in m/s; 1400 to 1600.
    pub sound_speed_m_per_s: f64,
    /// Temperature of the water in °C, for absorption; 0 to 35.
    pub temperature_deg_c: f64,
    /// Salinity of the water in parts per thousand, for absorption; 0 to 40.
    pub salinity_ppt: f64,
    /// Quay wall and bed.
    pub quay: QuayScenario,
    /// The vessel's path and motion.
    pub vessel: VesselScenario,
    /// The spinning lidar.
    pub lidar: LidarScenario,
    /// The multibeam sonar.
    pub sonar: SonarScenario,
    /// The navigation.
    pub nav: NavScenario,
}

/// How hard the world is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// A quay in swell, everything in order.
    #[default]
    S1,
}

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

/// The multibeam sonar: a narrow transmit line along track crossed with narrow receive beams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SonarScenario {
    /// Receive beams; 1 to 1024.
    pub beams: u16,
    /// Angle from the first beam's axis to the last one's, in degrees; 0 to 170.
    pub fan_deg: f64,
    /// Roll of the mount, in degrees; negative looks to starboard.
    pub mount_roll_deg: f64,
    /// Two-way width of a beam at -3 dB, along and across track, in degrees; 0.2 to 10.
    pub beam_width_deg: f64,
    /// Pings per second; 0.1 to 30, and no faster than the range allows.
    pub rate_hz: f64,
    /// Range recorded, in metres; 2 to 200.
    pub range_m: f64,
    /// Carrier frequency, in hertz.
    pub centre_hz: f64,
    /// Width of the linear sweep, in hertz; less than the sample rate.
    pub bandwidth_hz: f64,
    /// Length of the pulse, in seconds.
    pub pulse_s: f64,
    /// Complex samples per second.
    pub sample_rate_hz: f64,
    /// Power of the receiver noise per complex sample, in dB against the echo of a target of 0 dB
    /// at 1 m.
    pub noise_db: f64,
    /// Amplitude of a full-scale count, in dB against the same echo.
    pub full_scale_db: f64,
    /// Echoes nearer than this are not recorded as valid, in metres.
    pub blanking_m: f64,
}

/// The navigation: an inertial system with its stated error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NavScenario {
    /// Whether there is no navigation at all.
    pub withheld: bool,
    /// Poses per second; 1 to 200.
    pub rate_hz: f64,
    /// Time over which errors change, in seconds; 0.1 to 1000.
    pub correlation_s: f64,
    /// One sigma of the slow position error, horizontally, in metres.
    pub horizontal_m: f64,
    /// One sigma of the slow position error, upwards, in metres.
    pub up_m: f64,
    /// One sigma of the slow error of roll and pitch, in degrees.
    pub roll_pitch_deg: f64,
    /// One sigma of the slow error of heading, in degrees.
    pub heading_deg: f64,
    /// One sigma of the white position error, in metres.
    pub white_m: f64,
    /// One sigma of the white attitude error, in degrees.
    pub white_deg: f64,
}

impl Scenario {
    /// Names [`Self::named`] knows, for messages.
    pub const NAMES: &'static str = "`quay`, `sample`";

    /// Half a minute along a quay: 32 × 720 lidar, 256 beams of 1° × 1° at 15 Hz. The fan ends at
    /// the horizon, as crews set it to keep the surface out of it: the wall's highest part under water
    /// is seen by nobody.
    pub fn demo() -> Self {
        let mut scenario = Self::default();
        scenario.sonar.mount_roll_deg = -30.0;
        scenario
    }

    /// Six seconds of the same, small enough to lie in a repository.
    pub fn sample() -> Self {
        let mut scenario = Self {
            duration_s: 6.0,
            ..Self::default()
        };
        scenario.lidar.rings = 16;
        scenario.lidar.columns = 512;
        scenario.sonar.beams = 64;
        scenario.sonar.beam_width_deg = 2.0;
        scenario.sonar.rate_hz = 5.0;
        scenario.sonar.bandwidth_hz = 16e3;
        scenario.sonar.sample_rate_hz = 20e3;
        scenario.sonar.pulse_s = 2e-3;
        scenario
    }

    /// The scenario with this name.
    ///
    /// # Errors
    /// [`Error::UnknownScenario`] for any name but those of [`Self::NAMES`].
    pub fn named(name: &str) -> Result<Self, Error> {
        match name {
            "quay" => Ok(Self::demo()),
            "sample" => Ok(Self::sample()),
            _ => Err(Error::UnknownScenario {
                expected: Self::NAMES,
                found: name.to_owned(),
            }),
        }
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: 1,
            level: Level::S1,
            duration_s: 30.0,
            sound_speed_m_per_s: 1476.0,
            temperature_deg_c: 14.0,
            salinity_ppt: 12.0,
            quay: QuayScenario::default(),
            vessel: VesselScenario::default(),
            lidar: LidarScenario::default(),
            sonar: SonarScenario::default(),
            nav: NavScenario::default(),
        }
    }
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

impl Default for SonarScenario {
    fn default() -> Self {
        Self {
            beams: 256,
            fan_deg: 120.0,
            mount_roll_deg: -40.0,
            beam_width_deg: 1.0,
            rate_hz: 15.0,
            range_m: 20.0,
            centre_hz: 300e3,
            bandwidth_hz: 48e3,
            pulse_s: 1e-3,
            sample_rate_hz: 60e3,
            noise_db: -105.0,
            full_scale_db: -40.0,
            blanking_m: 1.0,
        }
    }
}

impl Default for NavScenario {
    fn default() -> Self {
        Self {
            withheld: false,
            rate_hz: 50.0,
            correlation_s: 20.0,
            horizontal_m: 0.010,
            up_m: 0.012,
            roll_pitch_deg: 0.02,
            heading_deg: 0.05,
            white_m: 0.005,
            white_deg: 0.005,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_scenarios_are_in_range() {
        for name in ["quay", "sample"] {
            Scenario::named(name).unwrap().check().unwrap();
        }
        let error = Scenario::named("lake").unwrap_err().to_string();
        assert!(error.contains("`quay`") && error.contains("`lake`"), "{error}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(serde_json::from_str::<Scenario>(r#"{"seed": 3}"#).is_ok());
        let error = serde_json::from_str::<Scenario>(r#"{"sonar": {"beems": 3}}"#).unwrap_err();
        assert!(error.to_string().contains("beems"), "{error}");
    }

    #[test]
    fn a_scenario_survives_its_file_form() {
        let mut scenario = Scenario::sample();
        scenario.seed = u64::MAX;
        scenario.nav.withheld = true;
        let text = serde_json::to_string(&scenario).unwrap();
        assert_eq!(serde_json::from_str::<Scenario>(&text).unwrap(), scenario);
    }
}
