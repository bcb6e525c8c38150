//! Lidar odometry alone: scans in, poses out, without frames, sonar or navigation; and its map alone.
//!
//! The same estimator as in [`crate::Fuser`], for whoever wants only the trajectory, and for
//! measuring what it costs.

use std::sync::Arc;

use beluga_types::{Body, LidarScan, PoseSource, Sensor, Stamp, Transform, Window, World};
use nalgebra::{Matrix6, Vector3};

use crate::config::Config;
use crate::error::Error;
use crate::pose::{Estimator, ReferenceScan};
use crate::voxel::{Anchored, VoxelMap};

/// Where the lidar was at the end of a scan.
#[derive(Clone, Debug)]
pub struct Located {
    /// Pose at the scan's end; `World` is the pose at the first scan.
    pub world_from_body: Transform<World, Body>,
    /// Covariance of a right perturbation of it, turn (rad) before move (m).
    pub covariance: Matrix6<f64>,
    /// How well the scan alone holds each axis of that, 0 to 1.
    pub localizability: [f64; 6],
    /// Whether the scan found its place.
    pub source: PoseSource,
}

/// One pass of odometry over the scans of one lidar.
///
/// Deterministic: the same scans give the same poses, bit for bit, for any number of threads.
pub struct LidarOdometry {
    estimator: Estimator,
    in_range: (f64, f64),
    body_from_sensor: Transform<Body, Sensor>,
    deskewed: bool,
    end: Option<Stamp>,
}

impl LidarOdometry {
    /// Odometry of a lidar mounted so on the body; `deskewed` says that its points already lie as
    /// if all were measured at once.
    ///
    /// # Errors
    /// [`Error::Config`] if a number is outside its range.
    pub fn new(
        config: &Config,
        body_from_sensor: Transform<Body, Sensor>,
        deskewed: bool,
    ) -> Result<Self, Error> {
        config.check()?;
        Ok(Self {
            estimator: Estimator::new(config, false),
            in_range: (config.odometry.min_range_m, config.odometry.max_range_m),
            body_from_sensor,
            deskewed,
            end: None,
        })
    }

    /// Takes the next scan, which began at `stamp`; scans come in the order of time.
    pub fn push(&mut self, scan: &Arc<LidarScan>, stamp: Stamp) -> Located {
        let end = stamp.shifted_nanos(i64::from(scan.last_offset_nanos()));
        let window = Window {
            start: self.end.unwrap_or(stamp),
            end,
        };
        self.end = Some(end);
        let scan = ReferenceScan {
            scan: Arc::clone(scan),
            stamp,
            deskewed: self.deskewed,
            body_from_sensor: self.body_from_sensor,
        };
        let found = self.estimator.locate(&window, &[scan], self.in_range);
        Located {
            world_from_body: self.estimator.world_from_body_at(end),
            covariance: found.covariance,
            localizability: found.localizability,
            source: found.source,
        }
    }

    /// Voxels of the map that hold something, and voxels there is memory for: neither grows beyond
    /// what lies within the map's radius.
    pub fn map_voxels(&self) -> (usize, usize) {
        let map = self.estimator.odometry().map();
        (map.voxels(), map.capacity())
    }
}

/// The odometry's map alone: points in a hash of voxels, at most 20 to a voxel, and never two
/// nearer than the voxel's edge over √20.
pub struct PointMap {
    map: VoxelMap,
}

impl PointMap {
    /// An empty map of voxels of this edge, in metres (0.01 and more).
    pub fn new(voxel_m: f64) -> Self {
        Self {
            map: VoxelMap::new(voxel_m.max(0.01) as f32),
        }
    }

    /// Puts points in, in metres; what is not finite is left out.
    pub fn insert(&mut self, points: &[[f32; 3]]) {
        for point in points
            .iter()
            .filter(|point| point.iter().all(|value| value.is_finite()))
        {
            let place = Vector3::from(*point).cast::<f64>();
            let place = self.map.anchor(&place);
            self.map.insert(&place);
        }
    }

    /// The points that were kept, in metres.
    pub fn points(&self) -> Vec<[f64; 3]> {
        self.map.points().map(|(place, _)| place.into()).collect()
    }

    /// The distance to the nearest point of the map, for each query, in metres; nothing where none
    /// is within `reach_m`. Exact if that is not more than a voxel's edge.
    pub fn distances_m(&self, queries: &[[f32; 3]], reach_m: f32) -> Vec<Option<f32>> {
        let distance = |query: &[f32; 3]| {
            let place = Anchored {
                voxel: [0; 3],
                offset: *query,
            };
            let (voxel, inside) = self.map.normalized(&place);
            self.map.find_nearest(voxel, inside, reach_m).distance_m()
        };
        queries.iter().map(distance).collect()
    }
}
