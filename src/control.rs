//! The control of an experiment: the same lidar with navigation withheld, and navigation by itself,
//! so that nobody can pass by echoing navigation.

use std::sync::mpsc::Receiver;

use beluga_fusion::Fuser;
use beluga_types::{Body, Measurement, Payload, Rig, SolidarFrame, Stamp, Transform, World};

/// A trajectory as it goes into the score.
pub(crate) type Trajectory = Vec<(Stamp, Transform<World, Body>)>;

/// Fuses the lidar alone, and keeps navigation's poses as they came.
pub(crate) struct Control {
    fuser: Fuser,
    found: Withheld,
}

/// What the control found.
#[derive(Default)]
pub(crate) struct Withheld {
    /// Lidar odometry without navigation; its `World` starts at the body.
    pub(crate) lidar_alone: Trajectory,
    /// Navigation as it came.
    pub(crate) raw_nav: Trajectory,
}

impl Control {
    /// A control for this config and rig.
    ///
    /// # Errors
    /// If the fuser refuses them.
    pub(crate) fn new(fusion: &beluga_fusion::Config, rig: &Rig) -> anyhow::Result<Self> {
        let mut fusion = fusion.clone();
        fusion.keep_echoes = false;
        Ok(Self {
            fuser: Fuser::new(fusion, rig.clone())?,
            found: Withheld::default(),
        })
    }

    /// Runs until the sender is gone.
    pub(crate) fn run(mut self, timeline: Receiver<Measurement>) -> Withheld {
        for measurement in timeline {
            self.push(measurement);
        }
        self.finish()
    }

    /// Takes the next measurement of the timeline.
    pub(crate) fn push(&mut self, measurement: Measurement) {
        match &measurement.payload {
            Payload::Pose(fix) => self.found.raw_nav.push((measurement.stamp, fix.world_from_body)),
            Payload::Lidar(_) => {
                let frames = self.fuser.push(measurement);
                self.found.lidar_alone.extend(frames.iter().map(pose));
            }
            _ => {}
        }
    }

    /// Ends the timeline.
    pub(crate) fn finish(mut self) -> Withheld {
        self.found
            .lidar_alone
            .extend(self.fuser.finish().iter().map(pose));
        self.found
    }
}

fn pose(frame: &SolidarFrame) -> (Stamp, Transform<World, Body>) {
    (frame.window.end, frame.world_from_body)
}
