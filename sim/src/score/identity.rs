//! Whether frames were made of the recording that a truth belongs to.
//!
//! Runs of one scene have the same times and nearly the same path, so neither tells them apart. Their
//! noise does: the truth holds the scenario with its seed, the scans of which can be made again, and
//! a frame's points still carry the intensity with which they were measured.

use std::sync::Arc;

use beluga_types::{Medium, SensorId, SolidarFrame};

use super::is_sonar;
use crate::lidar;
use crate::truth::Truth;
use crate::vessel::START;
use crate::world::World;

/// Frames that are looked at.
const FRAMES: u32 = 3;
/// Points looked at in each.
const POINTS: usize = 200;
/// Fewer points say nothing.
const LEAST_POINTS: u64 = 50;
/// Intensities differ by less than this part, in files and on other machines.
const SAME: f32 = 1e-4;
/// Frames of the truth's own recording agree nearly always, others by chance.
const LEAST_PART: f64 = 0.1;

/// Compares the first frames with the scans of the truth's world.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    world: Option<Arc<World>>,
    frames: u32,
    points: u64,
    same: u64,
}

impl Identity {
    pub(super) fn new(truth: &Truth) -> Self {
        Self {
            world: World::new(truth.scenario.clone()).ok().map(Arc::new),
            frames: 0,
            points: 0,
            same: 0,
        }
    }

    pub(super) fn add(&mut self, frame: &SolidarFrame) {
        let Some(world) = self.world.as_deref().filter(|_| self.frames < FRAMES) else {
            return;
        };
        let table = &frame.points;
        let of_light = |i: &usize| {
            table.medium[*i] == Medium::Air && !is_sonar(frame, SensorId(table.sensor[*i]), Medium::Air)
        };
        let points: Vec<usize> = (0..table.len()).filter(of_light).collect();
        let Some(&first) = points.first() else {
            return;
        };
        self.frames += 1;
        // A recording may have lost scans, and its clock may be off: the scan is sought by number and by
        // time, with its neighbours.
        let when = frame.window.end.shifted_nanos(table.offset_nanos[first].into());
        let turn = (when.seconds_since(START) * world.scenario().lidar.rate_hz)
            .floor()
            .max(0.0) as u64;
        let count = lidar::count(world);
        let mut scans = vec![table.source_seq[first], turn.saturating_sub(1), turn, turn + 1];
        scans.sort_unstable();
        scans.dedup();
        let step = points.len().div_ceil(POINTS);
        let looked: Vec<usize> = points.into_iter().step_by(step).collect();
        let same = |seq: u64| -> u64 {
            let scan = lidar::scan(world, seq);
            let intensity = scan.intensity().unwrap_or(&[]);
            let is_same = |i: &&usize| {
                let was = intensity.get(table.source_index[**i] as usize);
                was.is_some_and(|was| (was - table.level[**i]).abs() <= SAME * was.abs().max(1.0))
            };
            looked.iter().filter(is_same).count() as u64
        };
        self.points += looked.len() as u64;
        self.same += scans
            .into_iter()
            .filter(|seq| *seq < count)
            .map(same)
            .max()
            .unwrap_or(0);
    }

    /// Whether what was seen is of another recording. Nothing that was seen is of none.
    pub(super) fn is_other(&self) -> bool {
        self.points >= LEAST_POINTS && (self.same as f64) < LEAST_PART * self.points as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::score::specimen::frame_of;
    use beluga_types::{Payload, Transform};
    use nalgebra::Vector3;

    #[test]
    fn the_noise_of_a_recording_tells_whose_it_is() {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 0.6;
        let world = World::new(scenario.clone()).unwrap();
        let scan = world
            .measurements()
            .find_map(|measurement| match measurement.payload {
                Payload::Lidar(scan) => Some((measurement.seq, measurement.end, scan)),
                _ => None,
            });
        let (seq, end, scan) = scan.unwrap();
        let truth = world.truth();
        let places = vec![Vector3::zeros(); scan.len()];
        let mut frame = frame_of(
            &truth,
            end,
            &Transform::identity(),
            &places,
            Medium::Air,
            0.01,
            0.0,
        );
        frame.points.level = scan.intensity().unwrap().to_vec();
        for shift in [0, 7] {
            // Where scans were lost, the number is another.
            frame.points.source_seq.fill(seq + shift);
            let mut identity = Identity::new(&truth);
            assert!(!identity.is_other());
            identity.add(&frame);
            assert!(!identity.is_other(), "{identity:?}");
            assert!(identity.same > 190);
        }
        scenario.seed += 1;
        let mut identity = Identity::new(&World::new(scenario).unwrap().truth());
        identity.add(&frame);
        assert!(identity.is_other(), "{} of {}", identity.same, identity.points);
    }
}
