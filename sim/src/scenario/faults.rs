//! What is wrong in a world: a table for each fault, all of them off by default.
//!
//! Tables that belong to a sensor go by its name in the rig: `[faults.clock.sonar]`. The range of
//! every number stands beside the word it has on the command line, in `faults/flags.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Neighbour, SonarScenario};
use crate::error::Error;
use crate::faults;

/// What is wrong in a world; by default nothing is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultScenario {
    /// Mussels on the wall below water.
    pub growth: GrowthFault,
    /// Sensors whose clocks are wrong.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub clock: BTreeMap<String, ClockFault>,
    /// Sensors that sit elsewhere than the rig states.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mount: BTreeMap<String, MountFault>,
    /// Sensors whose mounts slip during the run.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub slip: BTreeMap<String, SlipFault>,
    /// What the recording states about the speed of sound.
    pub sound_speed: SoundSpeedFault,
    /// Sensors whose way to the host loses, doubles or delays.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub link: BTreeMap<String, LinkFault>,
    /// Sensors that fall silent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub silence: BTreeMap<String, SilenceFault>,
    /// The sonar's receiver is set too loud.
    pub gain: GainFault,
    /// What the recording states about the waterline.
    pub tide: TideFault,
    /// The gyro drifts.
    pub gyro: GyroFault,
    /// Satellites are lost.
    pub gnss: OutageFault,
    /// Another sonar pings nearby.
    pub interference: InterferenceFault,
}

impl FaultScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        faults::check(self)
    }
}

/// Growth (mussels) on the wall below water, which only the sonar meets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrowthFault {
    /// Thickness of the thickest growth, in metres; 0 to 0.5. On average it is half as thick.
    pub thickness_m: f64,
}

/// A sensor's clock against the true time: a stamp is the true time plus all of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockFault {
    /// Constant, in seconds; -10 to 10.
    pub offset_s: f64,
    /// Gained per second since the run's start, in parts per million; -1000 to 1000.
    pub drift_ppm: f64,
    /// One sigma of a white part, cut at three sigma, in seconds; 0 to 0.001.
    pub jitter_s: f64,
    /// When the pulse per second is lost, in seconds after the run's start; 0 to 3600.
    pub pps_lost_s: Option<f64>,
    /// What the clock gains per second once the pulse is lost, in parts per million; -1000 to 1000.
    pub free_running_ppm: f64,
    /// How long after it was measured a payload is stamped, in seconds; 0 to 1.
    pub latency_s: f64,
}

impl Default for ClockFault {
    fn default() -> Self {
        Self {
            offset_s: 0.0,
            drift_ppm: 0.0,
            jitter_s: 0.0,
            pps_lost_s: None,
            free_running_ppm: 20.0,
            latency_s: 0.0,
        }
    }
}

/// What the rig states about a mount, less what is true.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MountFault {
    /// Metres; -2 to 2.
    pub forward_m: f64,
    /// Metres; -2 to 2.
    pub starboard_m: f64,
    /// Metres; -2 to 2.
    pub down_m: f64,
    /// Degrees; -20 to 20.
    pub roll_deg: f64,
    /// Degrees; -20 to 20.
    pub pitch_deg: f64,
    /// Degrees; -20 to 20.
    pub heading_deg: f64,
}

/// How a mount turns at a moment, of which the rig says nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlipFault {
    /// When, in seconds after the run's start, 0 to 3600; half-way if nothing is said.
    pub at_s: Option<f64>,
    /// Degrees; -20 to 20.
    pub roll_deg: f64,
    /// Degrees; -20 to 20.
    pub pitch_deg: f64,
    /// Degrees; -20 to 20.
    pub heading_deg: f64,
}

/// What the recording states about the speed of sound, in its rig and in each ping.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoundSpeedFault {
    /// Stated less true, in m/s; -100 to 100.
    pub error_m_per_s: f64,
    /// One speed for all of the water, whatever its profile, in m/s; 1300 to 1700.
    pub stated_m_per_s: Option<f64>,
}

/// What happens between a sensor and the host. A payload has one fate: lost, else late, else doubled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkFault {
    /// Part of the payloads that is lost; 0 to 1.
    pub loss: f64,
    /// Part that comes twice; 0 to 1.
    pub duplication: f64,
    /// Part that is overtaken by later ones; 0 to 1.
    pub reordering: f64,
    /// The longest delay of these, in seconds; 0 to 5. Each delay is drawn evenly up to it.
    pub delay_s: f64,
    /// How long the recorder waits for what is late, in seconds of data time; 0 to 5. What comes
    /// later still is a gap.
    pub patience_s: f64,
}

impl Default for LinkFault {
    fn default() -> Self {
        Self {
            loss: 0.0,
            duplication: 0.0,
            reordering: 0.0,
            delay_s: 0.5,
            patience_s: 0.25,
        }
    }
}

/// A stretch of time, in seconds after the run's start; 0 to 3600, and not backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Its first moment.
    pub from_s: f64,
    /// The first moment after it.
    pub to_s: f64,
}

impl Window {
    /// Whether a moment, in seconds after the run's start, lies in it.
    pub(crate) fn holds(&self, moment_s: f64) -> bool {
        moment_s >= self.from_s && moment_s < self.to_s
    }
}

/// Nothing of a sensor reaches the host; its own count goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SilenceFault {
    /// When.
    pub during: Option<Window>,
}

/// The sonar's receiver is set too loud: what exceeds the range of its counts is cut off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GainFault {
    /// How much too loud, in dB; 0 to 60. Samples that are not counts stay as they are.
    pub excess_db: f64,
}

/// What the rig states about the height of the water.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TideFault {
    /// Stated waterline less the true one, in metres; -5 to 5.
    pub error_m: f64,
}

/// The gyro drifts, and with it the heading of every pose and attitude and the rate of an IMU.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GyroFault {
    /// What the heading gains, clockwise, in degrees per hour; -3600 to 3600. No covariance tells.
    pub drift_deg_per_h: f64,
}

/// Satellites are lost: a receiver gives no fix, and inertial positions drift, as they say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutageFault {
    /// When.
    pub during: Option<Window>,
    /// How fast positions drift away meanwhile, horizontally, in m/s; 0 to 10.
    pub drift_m_per_s: f64,
}

impl Default for OutageFault {
    fn default() -> Self {
        Self {
            during: None,
            drift_m_per_s: 0.02,
        }
    }
}

/// Another sonar of the same kind of pulse, whose pings come straight to the receiver: from 40° to
/// starboard, at its own rate, falling where ours rises. Without a `sonar.neighbour` of the scenario's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InterferenceFault {
    /// Its amplitude in dB, counted as the receiver's noise is; -200 to 40.
    pub level_db: Option<f64>,
    /// Its pings per second; 0.01 to 100.
    pub rate_hz: f64,
}

impl Default for InterferenceFault {
    fn default() -> Self {
        Self {
            level_db: None,
            rate_hz: 11.3,
        }
    }
}

impl InterferenceFault {
    /// The neighbour of a sonar, if there is one.
    pub(crate) fn neighbour(&self, sonar: &SonarScenario) -> Option<Neighbour> {
        self.level_db.map(|level_db| Neighbour {
            rate_hz: self.rate_hz,
            start_s: 0.0,
            level_db,
            across_deg: 40.0,
            along_deg: 0.0,
            centre_hz: sonar.centre_hz,
            bandwidth_hz: -sonar.bandwidth_hz,
            pulse_s: sonar.pulse_s,
        })
    }
}
