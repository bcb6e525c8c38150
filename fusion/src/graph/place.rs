//! Gathers what a stretch of the survey saw, and remembers where that was.

use beluga_types::{Body, Label, Medium, PoseSource, SolidarFrame, Stamp, Transform, World};
use nalgebra::{Matrix6, Vector3};

use super::local_map::{LocalMap, first_per_cube};

/// A frame is gathered when the body has moved or turned so far, in metres and rad.
const GATHER_EVERY: (f64, f64) = (0.5, 0.2);
/// Farthest points gathered, in metres.
const MAX_RANGE_M: f64 = 60.0;
/// Edge of the cubes local maps are thinned by, in metres.
const CUBE_M: f64 = 0.4;

/// A local map and where it was made.
pub(super) struct Place {
    pub(super) stamp: Stamp,
    pub(super) world_from_body: Transform<World, Body>,
    pub(super) covariance: Matrix6<f64>,
    /// Whether navigation had a say in its pose.
    pub(super) is_tied: bool,
    pub(super) map: LocalMap,
    /// The way to the next one.
    pub(super) leg: Leg,
}

/// The way from one place to the next.
#[derive(Clone, Copy)]
pub(super) struct Leg {
    pub(super) way_m: f64,
    pub(super) time_s: f64,
    /// How well the scans held each axis at worst.
    pub(super) held: [f64; 6],
}

/// The local map that is being gathered.
pub(super) struct Growing {
    stamp: Stamp,
    world_from_body: Transform<World, Body>,
    covariance: Matrix6<f64>,
    is_tied: bool,
    points: Vec<[f32; 3]>,
    /// Where a frame was gathered last.
    gathered: Transform<World, Body>,
    /// Where the last frame was.
    last: Transform<World, Body>,
    pub(super) leg: Leg,
}

impl Growing {
    /// Begins where a frame is.
    pub(super) fn at(frame: &SolidarFrame) -> Self {
        Self {
            stamp: frame.window.end,
            world_from_body: frame.world_from_body,
            covariance: frame.pose_covariance,
            is_tied: matches!(
                frame.status.pose_source,
                PoseSource::OdometryAndNav | PoseSource::Nav
            ),
            points: Vec::new(),
            gathered: frame.world_from_body,
            last: frame.world_from_body,
            leg: Leg {
                way_m: 0.0,
                time_s: 0.0,
                held: frame.localizability,
            },
        }
    }

    /// Goes on to where the next frame is.
    pub(super) fn travel(&mut self, frame: &SolidarFrame) {
        let pose = frame.world_from_body;
        self.leg.way_m += (pose.translation() - self.last.translation()).norm();
        self.leg.time_s = frame.window.end.seconds_since(self.stamp).max(0.0);
        for (held, now) in self.leg.held.iter_mut().zip(frame.localizability) {
            *held = held.min(now);
        }
        self.last = pose;
    }

    /// Adds the lidar's points of a frame, if the body has moved since the last one.
    pub(super) fn gather(&mut self, frame: &SolidarFrame) {
        let moved = self.gathered.perturbation_to(&frame.world_from_body);
        let is_due = moved.fixed_rows::<3>(3).norm() >= GATHER_EVERY.0
            || moved.fixed_rows::<3>(0).norm() >= GATHER_EVERY.1;
        let is_placed = frame.status.pose_source != PoseSource::Prediction;
        if !is_placed || !is_due && !self.points.is_empty() {
            return;
        }
        self.gathered = frame.world_from_body;
        let seen: Vec<[f32; 3]> = solid_points(frame)
            .filter(|[x, y, z]| f64::from(x * x + y * y + z * z) <= MAX_RANGE_M * MAX_RANGE_M)
            .collect();
        let start_from_body = self.world_from_body.inverse() * frame.world_from_body;
        let (turn, place) = (start_from_body.rotation_matrix(), start_from_body.translation());
        for index in first_per_cube(&seen, CUBE_M) {
            let point = turn * Vector3::from(seen[index]).cast::<f64>() + place;
            self.points.push([point.x as f32, point.y as f32, point.z as f32]);
        }
    }

    pub(super) fn finish(self) -> Place {
        Place {
            stamp: self.stamp,
            map: LocalMap::of(&self.points, CUBE_M),
            world_from_body: self.world_from_body,
            covariance: self.covariance,
            is_tied: self.is_tied,
            leg: self.leg,
        }
    }
}

/// The points of a frame that stay where they are and were seen through air, in metres in `Body`.
pub(crate) fn solid_points(frame: &SolidarFrame) -> impl Iterator<Item = [f32; 3]> + '_ {
    let table = &frame.points;
    let solid = |label: Label| matches!(label, Label::Unknown | Label::Structure | Label::Bed);
    (0..table.len())
        .filter(move |&i| table.medium[i] == Medium::Air && solid(table.label[i]))
        .map(|i| [table.x[i], table.y[i], table.z[i]])
}
