//! What is true of a world, as files a score can be made from.

use beluga_types::{Body, Stamp, Transform, World as WorldSpace};

use crate::scenario::Scenario;
use crate::scene::{Rung, Scene};
use crate::vessel::START;
use crate::world::World;

/// Poses per second in the truth.
const POSE_RATE_HZ: f64 = 200.0;

/// What is true of a world: poses, surfaces, rungs, and the scenario with the mounting.
#[derive(Clone, Debug)]
pub struct Truth {
    /// What the world was made from.
    pub scenario: Scenario,
    /// True poses, evenly spaced in time.
    pub poses: Vec<(Stamp, Transform<WorldSpace, Body>)>,
    /// The surfaces.
    pub scene: Scene,
}

impl Truth {
    pub(crate) fn of(world: &World) -> Self {
        let count = (world.scenario().duration_s * POSE_RATE_HZ).ceil() as u64 + 1;
        Self {
            scenario: world.scenario().clone(),
            poses: (0..count)
                .map(|i| {
                    let stamp = START.shifted_s(i as f64 / POSE_RATE_HZ);
                    (stamp, world.pose_at(stamp))
                })
                .collect(),
            scene: world.scene().clone(),
        }
    }

    /// The step irons.
    pub fn rungs(&self) -> &[Rung] {
        &self.scene.rungs
    }
}
