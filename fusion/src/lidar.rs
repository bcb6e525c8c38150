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
use crate::voxel::VoxelMap;

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

    /// The same on a vehicle that floats upright on level water: its height, roll and pitch stay near those of the
    /// first scan.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn afloat(
        config: &Config,
        body_from_sensor: Transform<Body, Sensor>,
        deskewed: bool,
    ) -> Result<Self, Error> {
        let ashore = Self::new(config, body_from_sensor, deskewed)?;
        Ok(Self {
            estimator: Estimator::new(config, true),
            ..ashore
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

    /// The nearest point of the map for each query, nothing where none is within `reach_m`. Exact if
    /// that is not more than a voxel's edge; of points equally near any, but always the same.
    ///
    /// Queries that lie in one voxel are answered together: many at once are cheaper than one by one.
    pub fn nearest(&self, queries: &[[f32; 3]], reach_m: f32) -> Vec<Option<Neighbour>> {
        let points = self.map.numbers_of_points();
        let mut found = vec![None; queries.len()];
        self.map.find_all(queries, reach_m, |query, answer| {
            found[query] = answer.point().map(|(cell, lane, distance_m)| Neighbour {
                point: points.of(cell, lane),
                distance_m,
            });
        });
        found
    }
}

/// A point of a [`PointMap`] that is the nearest to a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Its place in [`PointMap::points`].
    pub point: u32,
    /// How far it is from the query, in metres.
    pub distance_m: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_is_named_by_its_place_among_the_points() {
        let mut map = PointMap::new(0.5);
        let at = |i: u16| [f32::from(i % 13) * 0.4 - 2.0, f32::from(i / 13) * 0.3, 0.1];
        map.insert(&(0..260).map(at).collect::<Vec<_>>());
        map.insert(&[[f32::NAN, 0.0, 0.0]]);
        let points = map.points();
        assert_eq!(points.len(), 260);
        let queries: Vec<[f32; 3]> = (0..260)
            .map(|i| at(i).map(|value| value + 0.03))
            .chain([[9.0; 3]])
            .collect();
        let found = map.nearest(&queries, 0.5);
        for (query, one) in queries.iter().zip(&found[..260]) {
            let one = one.unwrap();
            let [x, y, z] = points[one.point as usize];
            let way = Vector3::new(x, y, z) - Vector3::from(*query).cast::<f64>();
            assert!((way.norm() - 0.03 * 3f64.sqrt()).abs() < 1e-6);
            assert!((f64::from(one.distance_m) - way.norm()).abs() < 1e-6);
        }
        assert_eq!(found[260], None);
    }
}
