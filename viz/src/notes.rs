//! What is said in words: notes, gaps, changes of how the pose is found.

use std::collections::BTreeMap;

use beluga_types::{FrameGap, GapCause, PoseSource, Rig, SensorId, SolidarFrame, SonarRegistration};
use re_sdk::RecordingStream;
use re_sdk_types::archetypes::TextLog;
use re_sdk_types::components::TextLogLevel;

use crate::Error;

/// Where the words go.
pub(crate) const ENTITY: &str = "log";

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Good to know.
    Info,
    /// Done otherwise than asked, or something is missing.
    Warn,
    /// Lost or failed.
    Error,
}

/// Turns frames into words, saying each thing once.
pub(crate) struct Notes {
    names: Vec<String>,
    pose_source: Option<PoseSource>,
    refusal: String,
    lost: BTreeMap<(SensorId, GapCause), u64>,
}

impl Notes {
    pub(crate) fn new(rig: &Rig) -> Self {
        Self {
            names: rig.sensors.iter().map(|sensor| sensor.name.clone()).collect(),
            pose_source: None,
            refusal: String::new(),
            lost: BTreeMap::new(),
        }
    }

    /// Says what is new in this frame.
    pub(crate) fn frame(&mut self, stream: &RecordingStream, frame: &SolidarFrame) -> Result<(), Error> {
        let source = frame.status.pose_source;
        if self.pose_source.replace(source) != Some(source) {
            let level = if source == PoseSource::Prediction {
                Level::Warn
            } else {
                Level::Info
            };
            say(
                stream,
                level,
                &format!("frame {}: pose from {}", frame.index, source.name()),
            )?;
        }
        for gap in &frame.gaps {
            let text = self.gap(gap);
            say(stream, Level::Warn, &format!("frame {}: {text}", frame.index))?;
        }
        match &frame.status.sonar_registration {
            SonarRegistration::NotTried => Ok(()),
            SonarRegistration::Refused { reason } if *reason == self.refusal => Ok(()),
            SonarRegistration::Refused { reason } => {
                self.refusal.clone_from(reason);
                say(
                    stream,
                    Level::Warn,
                    &format!("frame {}: sonar not registered: {reason}", frame.index),
                )
            }
            SonarRegistration::Measured {
                correction, matched, ..
            } => {
                self.refusal.clear();
                let rotation_deg = correction.fixed_rows::<3>(0).norm().to_degrees();
                let metres = correction.fixed_rows::<3>(3).norm();
                let text = format!(
                    "frame {}: sonar lies {metres:.3} m and {rotation_deg:.2}° off the lidar map ({matched} points)",
                    frame.index
                );
                say(stream, Level::Info, &text)
            }
        }
    }

    fn gap(&mut self, gap: &FrameGap) -> String {
        let total = self.lost.entry((gap.sensor, gap.cause)).or_default();
        *total = total.saturating_add(gap.lost);
        let sensor = self.names.get(usize::from(gap.sensor.0));
        let name = sensor.map_or("unknown sensor", String::as_str);
        format!(
            "`{name}`: {} lost, {} ({total} so far)",
            gap.lost,
            gap.cause.name()
        )
    }
}

/// Puts a line into the log at the stream's current time.
pub(crate) fn say(stream: &RecordingStream, level: Level, text: &str) -> Result<(), Error> {
    let level = match level {
        Level::Info => TextLogLevel::INFO,
        Level::Warn => TextLogLevel::WARN,
        Level::Error => TextLogLevel::ERROR,
    };
    Ok(stream.log(ENTITY, &TextLog::new(text).with_level(level))?)
}
