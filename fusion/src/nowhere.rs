//! Frames before the first pose of a run that nothing but navigation can place.
//!
//! A run with a lidar begins where its `World` is anchored, until navigation says more; one without any
//! navigation has no other `World` than its own beginning. But where navigation is to come and there is no lidar,
//! what is heard before lies nobody knows where.

use beluga_types::{PoseSource, Rig, SensorKind};
use nalgebra::{Matrix6, Vector6};

use crate::pose::Found;

/// Variances of a pose that may be anywhere and turned any way, in rad² and m².
const ANY_TURN_RAD2: f64 = 10.0;
const ANYWHERE_M2: f64 = 1e12;

/// Whether the body has a place yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nowhere {
    placed: bool,
    frames: u64,
}

impl Nowhere {
    pub(crate) fn new(rig: &Rig) -> Self {
        let awaits_nav = rig.sensors.iter().any(|sensor| sensor.kind == SensorKind::Nav);
        Self {
            placed: rig.reference_lidar().is_some() || !awaits_nav,
            frames: 0,
        }
    }

    /// Takes what was found of a frame's pose, and says with its covariance where nothing is known. Whether
    /// the body has a place.
    pub(crate) fn see(&mut self, found: &mut Found) -> bool {
        self.placed |= found.source != PoseSource::Prediction;
        if !self.placed {
            let (turn, place) = (ANY_TURN_RAD2, ANYWHERE_M2);
            found.covariance = Matrix6::from_diagonal(&Vector6::new(turn, turn, turn, place, place, place));
            self.frames += 1;
        }
        self.placed
    }

    /// What a user should know of it; nothing if every frame has a place.
    pub(crate) fn note(&self) -> Option<String> {
        (self.frames > 0).then(|| {
            format!(
                "{} frame(s) come before the first pose: where their points lie in World is not known, as their \
                 uncertainties say",
                self.frames
            )
        })
    }
}
