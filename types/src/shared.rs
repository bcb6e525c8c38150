//! What many points of a frame share, with one joint covariance.

use crate::measurement::SensorId;

/// One thing many points share. An error in it moves them together, so no average removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SharedState {
    /// Rotation of the frame's pose about a `Body` axis (0 x, 1 y, 2 z), right perturbation, rad.
    PoseRotation(u8),
    /// Translation of the frame's pose along a `Body` axis, metres.
    PoseTranslation(u8),
    /// Rotation of a sensor's mount about a `Sensor` axis, right perturbation, rad.
    Boresight(SensorId, u8),
    /// Translation of a sensor's mount along a `Body` axis, metres.
    LeverArm(SensorId, u8),
    /// Lateness of a sensor's stamps, seconds.
    Latency(SensorId),
    /// Mean speed of sound along a sonar's beams, m/s.
    SoundSpeed(SensorId),
    /// Range offset of a sensor, metres.
    RangeBias(SensorId),
}

impl SharedState {
    /// The sensor it belongs to; nothing for the pose.
    pub fn sensor(&self) -> Option<SensorId> {
        match *self {
            SharedState::PoseRotation(_) | SharedState::PoseTranslation(_) => None,
            SharedState::Boresight(sensor, _)
            | SharedState::LeverArm(sensor, _)
            | SharedState::Latency(sensor)
            | SharedState::SoundSpeed(sensor)
            | SharedState::RangeBias(sensor) => Some(sensor),
        }
    }

    /// The word used in files: `pose.rotation.x`, `boresight.z:2` (sensor 2), `sound_speed:1` …
    pub fn name(&self) -> String {
        let axis = |index: u8| ["x", "y", "z"].get(usize::from(index)).copied().unwrap_or("?");
        match self {
            SharedState::PoseRotation(index) => format!("pose.rotation.{}", axis(*index)),
            SharedState::PoseTranslation(index) => format!("pose.translation.{}", axis(*index)),
            SharedState::Boresight(sensor, index) => format!("boresight.{}:{}", axis(*index), sensor.0),
            SharedState::LeverArm(sensor, index) => format!("lever_arm.{}:{}", axis(*index), sensor.0),
            SharedState::Latency(sensor) => format!("latency:{}", sensor.0),
            SharedState::SoundSpeed(sensor) => format!("sound_speed:{}", sensor.0),
            SharedState::RangeBias(sensor) => format!("range_bias:{}", sensor.0),
        }
    }

    /// The state with this name, as [`Self::name`] writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        let axis = |text: &str| {
            ["x", "y", "z"]
                .iter()
                .position(|&letter| letter == text)
                .map(|i| i as u8)
        };
        if let Some(rest) = name.strip_prefix("pose.rotation.") {
            return axis(rest).map(SharedState::PoseRotation);
        }
        if let Some(rest) = name.strip_prefix("pose.translation.") {
            return axis(rest).map(SharedState::PoseTranslation);
        }
        let (kind, sensor) = name.split_once(':')?;
        let sensor = SensorId(sensor.parse().ok()?);
        match kind {
            "latency" => Some(SharedState::Latency(sensor)),
            "sound_speed" => Some(SharedState::SoundSpeed(sensor)),
            "range_bias" => Some(SharedState::RangeBias(sensor)),
            _ => match kind.split_once('.')? {
                ("boresight", rest) => axis(rest).map(|index| SharedState::Boresight(sensor, index)),
                ("lever_arm", rest) => axis(rest).map(|index| SharedState::LeverArm(sensor, index)),
                _ => None,
            },
        }
    }
}

/// The shared states of a frame and their joint covariance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedStates {
    /// Which states, in order.
    pub states: Vec<SharedState>,
    /// Joint covariance, row-major, `states.len()` squared numbers, in the states' units.
    pub covariance: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for state in [
            SharedState::PoseRotation(0),
            SharedState::PoseTranslation(2),
            SharedState::Boresight(SensorId(3), 1),
            SharedState::LeverArm(SensorId(12), 2),
            SharedState::Latency(SensorId(0)),
            SharedState::SoundSpeed(SensorId(1)),
            SharedState::RangeBias(SensorId(65535)),
        ] {
            assert_eq!(SharedState::from_name(&state.name()), Some(state));
        }
        assert_eq!(SharedState::from_name("boresight.w:1"), None);
        assert_eq!(SharedState::from_name("latency"), None);
    }
}
