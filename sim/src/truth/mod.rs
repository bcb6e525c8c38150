//! What is true of a world, from which a score is made.

mod file;
mod poses;

use beluga_types::{Body, Mount, Sensor, SensorKind, Stamp, Transform, World as WorldSpace};

use crate::scenario::Scenario;
use crate::scene::{Rung, Scene};
use crate::vessel::START;
use crate::world::World;
pub(crate) use file::{content, read_capped};

/// Poses per second in the truth.
const POSE_RATE_HZ: f64 = 200.0;

/// What is true of a world: poses, surfaces, rungs, mounting, and the scenario it was made from.
#[derive(Clone, Debug)]
pub struct Truth {
    /// What the world was made from.
    pub scenario: Scenario,
    /// True poses, in order of time, 200 per second.
    pub poses: Vec<(Stamp, Transform<WorldSpace, Body>)>,
    /// How each sensor is truly mounted.
    pub mounting: Vec<TrueMount>,
    /// The surfaces, with the step irons.
    pub scene: Scene,
}

/// How a sensor is truly mounted.
#[derive(Clone, Debug, PartialEq)]
pub struct TrueMount {
    /// The sensor's name in the rig.
    pub name: String,
    /// What it measures.
    pub kind: SensorKind,
    /// Where it sits and how it is turned.
    pub mount: Mount,
}

impl Truth {
    pub(crate) fn of(world: &World) -> Self {
        let count = (world.scenario().duration_s * POSE_RATE_HZ).ceil() as u64 + 1;
        let sensors = &world.rig().sensors;
        Self {
            scenario: world.scenario().clone(),
            poses: (0..count)
                .map(|i| {
                    let stamp = START.shifted_s(i as f64 / POSE_RATE_HZ);
                    (stamp, world.pose_at(stamp))
                })
                .collect(),
            mounting: sensors
                .iter()
                .map(|sensor| TrueMount {
                    name: sensor.name.clone(),
                    kind: sensor.kind,
                    mount: sensor.mount,
                })
                .collect(),
            scene: world.scene().clone(),
        }
    }

    /// The step irons.
    pub fn rungs(&self) -> &[Rung] {
        &self.scene.rungs
    }

    /// The true pose at a moment, between the two listed ones; nothing outside the run.
    pub fn pose_at(&self, stamp: Stamp) -> Option<Transform<WorldSpace, Body>> {
        let after = self.poses.partition_point(|(when, _)| *when < stamp);
        let (late, to) = self.poses.get(after)?;
        if *late == stamp {
            return Some(*to);
        }
        let (early, from) = self.poses.get(after.checked_sub(1)?)?;
        let fraction = stamp.seconds_since(*early) / late.seconds_since(*early);
        Some(from.interpolated(to, fraction))
    }

    /// The mount of the first sensor of a kind.
    pub(crate) fn body_from_sensor(&self, kind: SensorKind) -> Option<Transform<Body, Sensor>> {
        let mounted = self.mounting.iter().find(|mounted| mounted.kind == kind)?;
        Some(mounted.mount.body_from_sensor())
    }
}
