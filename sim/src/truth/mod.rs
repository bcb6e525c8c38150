//! What is true of a world, from which a score is made. `TRUTH.md` beside this crate describes every
//! file.

mod cells;
mod echoes;
mod file;
mod manifest;
mod mounting;
mod poses;
mod returns;
mod tables;
mod told;
mod writer;

use beluga_types::{Body, Mount, Sensor, SensorKind, Stamp, Transform, World as WorldSpace};

pub use cells::{Cell, Grid};
pub use manifest::Digest;
pub use returns::{Returns, ReturnsOf};
pub use told::ToldReturns;
pub use writer::TruthWriter;

use crate::faults::{ActingFault, Growth};
use crate::scenario::Scenario;
use crate::scene::{Rung, Scene};
use crate::vessel::START;
use crate::world::World;
pub(crate) use file::{content, read_capped};

/// Poses per second in the truth.
const POSE_RATE_HZ: f64 = 200.0;

/// What is true of a world: poses, surfaces, rungs, mounting, faults, and the scenario it was made from.
#[derive(Clone, Debug)]
pub struct Truth {
    /// What the world was made from.
    pub scenario: Scenario,
    /// True poses, in order of time, 200 per second.
    pub poses: Vec<(Stamp, Transform<WorldSpace, Body>)>,
    /// How each sensor is truly mounted.
    pub mounting: Vec<TrueMount>,
    /// Height of the waterline above the `Body` origin at rest, in metres: the true one, then what the
    /// recording states.
    pub waterline_m: [f64; 2],
    /// What was wrong, how large, and when.
    pub faults: Vec<ActingFault>,
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
    /// What the recording's rig states.
    pub stated: Mount,
    /// When it slipped, and where it was from then on.
    pub slipped: Option<(Stamp, Mount)>,
}

impl Truth {
    pub(crate) fn of(world: &World) -> Self {
        Self {
            poses: poses_of(world).collect(),
            ..Self::without_poses(world)
        }
    }

    /// All but the poses, which are as many as the run is long.
    fn without_poses(world: &World) -> Self {
        let rigs = [world.true_rig(), world.rig()];
        let mounting = rigs[0].ids().filter_map(|id| {
            let [sensor, stated] = [rigs[0].sensor(id)?, rigs[1].sensor(id)?];
            Some(TrueMount {
                name: sensor.name.clone(),
                kind: sensor.kind,
                mount: sensor.mount,
                stated: stated.mount,
                slipped: world.faults().slip(rigs[0], id),
            })
        });
        Self {
            scenario: world.scenario().clone(),
            poses: Vec::new(),
            mounting: mounting.collect(),
            waterline_m: rigs.map(|rig| rig.vessel.waterline_m.unwrap_or(0.0)),
            faults: world.faults().acting(),
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

    /// What grows on the wall below water, which the sonar meets and the lidar does not.
    pub fn growth(&self) -> Option<Growth> {
        Growth::new(&self.scenario)
    }

    /// Where the first sensor of a kind truly is at a moment.
    pub(crate) fn body_from_sensor(&self, kind: SensorKind, stamp: Stamp) -> Option<Transform<Body, Sensor>> {
        let mounted = self.mounting.iter().find(|mounted| mounted.kind == kind)?;
        let mount = match &mounted.slipped {
            Some((at, mount)) if stamp >= *at => mount,
            _ => &mounted.mount,
        };
        Some(mount.body_from_sensor())
    }
}

/// The true poses of a run, as they are asked for.
fn poses_of(world: &World) -> impl Iterator<Item = (Stamp, Transform<WorldSpace, Body>)> {
    let count = (world.scenario().duration_s * POSE_RATE_HZ).ceil() as u64 + 1;
    (0..count).map(|i| {
        let stamp = START.shifted_s(i as f64 / POSE_RATE_HZ);
        (stamp, world.pose_at(stamp))
    })
}
