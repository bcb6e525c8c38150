//! What a crew watches while a run goes on: each sensor's state with its light, and how long things take.

use std::collections::BTreeMap;

use crate::measurement::GapCause;
use crate::nav::ClockState;
use crate::rig::SensorKind;
use crate::time::Stamp;

/// A traffic light. The order is that of how much it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Light {
    /// All is as it should be.
    Green,
    /// Nothing can be said yet.
    Grey,
    /// Worth a look: nothing is lost by waiting a moment.
    Amber,
    /// Something is being lost, or is not there.
    Red,
}

impl Light {
    /// Every light, in order.
    pub const ALL: [Light; 4] = [Light::Green, Light::Grey, Light::Amber, Light::Red];

    /// The word beside the colour, for eyes and screens that do not tell colours apart.
    pub const fn word(self) -> &'static str {
        match self {
            Light::Green => "OK",
            Light::Grey => "WAIT",
            Light::Amber => "WARN",
            Light::Red => "FAIL",
        }
    }

    /// A mark whose shape alone tells the light.
    pub const fn mark(self) -> char {
        match self {
            Light::Green => '●',
            Light::Grey => '○',
            Light::Amber => '▲',
            Light::Red => '■',
        }
    }
}

/// A light with the one reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lamp {
    /// The light.
    pub light: Light,
    /// Why, in a few words; empty where all is well.
    pub reason: String,
    /// What to do about it; empty where nothing is to be done.
    pub remedy: String,
}

impl Lamp {
    /// Reason and remedy in one line.
    pub fn words(&self) -> String {
        match self.remedy.is_empty() {
            true => self.reason.clone(),
            false => format!("{}: {}", self.reason, self.remedy),
        }
    }
}

/// What came to the edge of a sensor that is heard now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EdgeState {
    /// Datagrams that came.
    pub datagrams: u64,
    /// Of these, let go because the run was slower than the sensor.
    pub let_go: u64,
    /// Lost before they came here, as far as the system tells.
    pub lost_before: u64,
    /// How full the queue is, 0 to 1.
    pub fill: f64,
    /// Seconds since the newest datagram; nothing before the first.
    pub age_s: Option<f64>,
}

/// How a sensor stands at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct SensorState {
    /// Its name in the rig.
    pub name: String,
    /// What it measures.
    pub kind: SensorKind,
    /// Payloads that came to the timeline.
    pub measurements: u64,
    /// Payloads a second by their own times, over the last ten seconds; 0 where it has fallen silent.
    pub rate_hz: Option<f64>,
    /// What the rig says it should be, or else what it has been within the last five minutes.
    pub expected_hz: Option<f64>,
    /// Payloads lost so far.
    pub lost: BTreeMap<GapCause, u64>,
    /// The same within the last ten seconds.
    pub lost_lately: BTreeMap<GapCause, u64>,
    /// What the newest loss said of itself.
    pub last_loss: Option<String>,
    /// Seconds since its newest payload; nothing before the first.
    pub age_s: Option<f64>,
    /// How long it has been looked for, in seconds.
    pub watched_s: f64,
    /// Its clock beside the host's, if that is known.
    pub clock: Option<ClockState>,
    /// What came to its edge, if it is heard now.
    pub edge: Option<EdgeState>,
}

impl SensorState {
    /// Payloads lost so far, of all causes.
    pub fn lost_total(&self) -> u64 {
        self.lost.values().copied().fold(0, u64::saturating_add)
    }
}

/// How long frames took up to a stage of the run: the last ten seconds of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StageTime {
    /// The stage's name.
    pub name: &'static str,
    /// Half of the frames took no longer, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
}

/// All that is watched, at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruments {
    /// The moment: the end of the frame that it was looked at with, else that of the host where sensors are heard
    /// now, or of the newest data.
    pub at: Stamp,
    /// Each sensor of the rig, in its order, with its light.
    pub sensors: Vec<(SensorState, Lamp)>,
    /// How long frames take, stage by stage; empty where data wait for nobody.
    pub stages: Vec<StageTime>,
}
