//! A map of an earlier survey, and finding oneself in it.
//!
//! The map is made of a record's frames, in their `World`; a run that begins in it lays its scans on
//! that map and so has its poses in that `World`. The map is held: nothing of it is forgotten; what was
//! not seen before is added, and drifts, as ever.

mod seek;

use beluga_types::{Body, PoseSource, SolidarFrame, Transform, World};
use nalgebra::Matrix6;

use crate::config::Config;
use crate::graph::solid_points;
use crate::voxel::VoxelMap;
pub(crate) use seek::{Around, Seek};

/// A frame is taken when the body has moved or turned so far, in metres and rad.
const TAKE_EVERY: (f64, f64) = (0.25, 0.1);

/// A map made of frames.
pub struct SavedMap {
    pub(crate) map: VoxelMap,
    /// Where its survey began.
    pub(crate) start: Option<Transform<World, Body>>,
    last: Option<Transform<World, Body>>,
    covariance: Matrix6<f64>,
    frames: u64,
    max_range_m: f64,
}

impl SavedMap {
    /// An empty map for runs with this config.
    pub fn new(config: &Config) -> Self {
        Self {
            map: VoxelMap::new(config.odometry.voxel_m as f32),
            start: None,
            last: None,
            covariance: Matrix6::zeros(),
            frames: 0,
            max_range_m: config.odometry.max_range_m,
        }
    }

    /// Adds what the lidar of a frame saw, if the body has moved since the last one. A frame without
    /// a pose of its own says nothing.
    pub fn add(&mut self, frame: &SolidarFrame) {
        let pose = frame.world_from_body;
        if !pose.is_finite() || frame.status.pose_source == PoseSource::Prediction {
            return;
        }
        let is_near = |last: Transform<World, Body>| {
            let moved = last.perturbation_to(&pose);
            moved.fixed_rows::<3>(3).norm() < TAKE_EVERY.0 && moved.fixed_rows::<3>(0).norm() < TAKE_EVERY.1
        };
        if self.last.is_some_and(is_near) {
            return;
        }
        let (turn, place) = (pose.rotation_matrix(), pose.translation());
        let points: Vec<_> = solid_points(frame)
            .map(|point| nalgebra::Vector3::from(point).cast::<f64>())
            .filter(|point| point.norm() <= self.max_range_m)
            .map(|point| self.map.anchor(&(turn * point + place)))
            .collect();
        if points.is_empty() {
            return;
        }
        self.map.insert_all(&points);
        self.start.get_or_insert(pose);
        self.last = Some(pose);
        self.frames += 1;
        self.covariance += (frame.pose_covariance - self.covariance) / self.frames as f64;
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Voxels that hold something, and frames they were made of.
    pub fn size(&self) -> (usize, u64) {
        (self.map.voxels(), self.frames)
    }

    /// How well its place in `World` is known: the mean covariance of the poses it was seen from.
    pub(crate) fn covariance(&self) -> Matrix6<f64> {
        self.covariance + Matrix6::identity() * 1e-8
    }
}
