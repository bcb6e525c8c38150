//! Lidar odometry: a scan is laid on the voxel map by its points and planes.
//!
//! The frame is KISS-ICP's (Vizzo et al., IEEE RA-L 8(2), 2023): two levels of thinning, constant
//! motion, a gate of three sigma of what motion models got wrong so far, Geman–McClure weights.
//! Points on flat voxels count against the voxel's plane, others against their nearest point
//! (blended by planarity as in Lee et al., "GenZ-ICP", arXiv 2411.06766), each by its own estimated
//! sigma, so the normal matrix is an information matrix. Sums run over fixed chunks in order: the
//! result is the same for any number of threads.

mod align;
mod gate;
mod matches;
mod seen;

use beluga_types::elementary::sin;
use beluga_types::{Body, LidarScan, Space, Transform};
use nalgebra::Matrix6;

use crate::columns::Columns;
use crate::config::OdometryConfig;
use crate::solve::inverse;
use crate::thin::{Chosen, Sweep, Thinner};
use crate::voxel::VoxelMap;
use gate::{Gate, Overlap};
use matches::{Matches, Placer};

/// The space the voxel map is built in: `World` but for the slow correction of the map's place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Map {}

impl Space for Map {
    const NAME: &'static str = "Map";
}

/// Fewest points that start or extend a map.
const MIN_POINTS: usize = 20;
/// Voxels the vehicle moves before far parts of the map are looked for again.
const PRUNE_AFTER: u32 = 8;

/// What is believed of the pose before the scan is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Prior {
    pub(crate) mean: Transform<Map, Body>,
    pub(crate) information: Matrix6<f64>,
}

impl Prior {
    /// Two independent beliefs as one.
    pub(crate) fn and(&self, other: &Prior) -> Option<Prior> {
        let information = self.information + other.information;
        let towards = self.mean.perturbation_to(&other.mean);
        let step = inverse(&information)? * other.information * towards;
        Some(Prior {
            mean: self.mean.perturbed(&step),
            information,
        })
    }

    /// The largest sigma of the place along an axis, in metres; nothing known is infinitely much.
    fn sigma_m(&self) -> f64 {
        let Some(covariance) = inverse(&self.information) else {
            return f64::INFINITY;
        };
        (3..6)
            .map(|axis| covariance[(axis, axis)])
            .fold(0.0, f64::max)
            .sqrt()
    }
}

/// Where a scan lies on the map.
#[derive(Clone, Debug)]
pub(crate) struct Alignment {
    pub(crate) map_from_body: Transform<Map, Body>,
    /// What is believed of what the scan alone says: the covariance is made of it.
    pub(crate) information: Matrix6<f64>,
    /// What the pose was found with: the same, but frozen directions alone taken out.
    pub(crate) used: Matrix6<f64>,
    /// How far the scan holds small motions: of a projector's form, with factors from 0 to 1.
    pub(crate) held: Matrix6<f64>,
    /// Part of the points that found a partner.
    pub(crate) share: f64,
}

/// The points of scans that work, in `Body` at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Thinned {
    /// For the map.
    pub(crate) fine: Columns,
    /// For the alignment.
    pub(crate) coarse: Columns,
}

pub(crate) struct Odometry {
    config: OdometryConfig,
    map: VoxelMap,
    thinner: Thinner,
    gate: Gate,
    overlap: Overlap,
    matches: Matches,
    /// Where the vehicle was when far voxels were last forgotten.
    pruned_at: Option<[i32; 3]>,
    /// Whether nothing of the map is forgotten.
    held: bool,
}

impl Odometry {
    pub(crate) fn new(config: &OdometryConfig) -> Self {
        let voxel_m = config.voxel_m as f32;
        Self {
            map: VoxelMap::new(voxel_m),
            thinner: Thinner::new(voxel_m, config.wanted_points),
            gate: Gate::new(config.initial_gate_sigma_m),
            overlap: Overlap::default(),
            matches: Matches::default(),
            pruned_at: None,
            held: false,
            config: config.clone(),
        }
    }

    pub(crate) fn map(&self) -> &VoxelMap {
        &self.map
    }

    /// Takes a map that was made before, and forgets nothing of it.
    pub(crate) fn hold(&mut self, mut map: VoxelMap) {
        map.fit_planes();
        self.map = map;
        self.held = true;
    }

    /// Forgets the map.
    pub(crate) fn restart(&mut self) {
        self.map = VoxelMap::new(self.map.size_m());
        self.pruned_at = None;
    }

    /// Chooses the points of a scan that work: inside the range, one per cube, on two levels.
    pub(crate) fn thin(&mut self, scan: &LidarScan, (min_range_m, max_range_m): (f64, f64)) -> Chosen {
        self.thinner.thin(&Sweep {
            x: scan.x(),
            y: scan.y(),
            z: scan.z(),
            in_range_m: (min_range_m as f32, max_range_m as f32),
        })
    }

    /// Whether a scan may lie where it was laid, as scans before it lay and by the motion expected.
    pub(crate) fn believes(&self, found: &Alignment, guess: &Prior) -> bool {
        let off = guess.mean.perturbation_to(&found.map_from_body);
        let sigmas_off = off.dot(&(guess.information * off)).sqrt();
        self.overlap.is_believable(found.share, sigmas_off)
    }

    /// Remembers how far a prediction was from what the scan said, and how much of it has partners.
    pub(crate) fn learn(&mut self, predicted: &Transform<Map, Body>, found: &Alignment) {
        self.overlap.learn(found.share);
        let error = predicted.perturbation_to(&found.map_from_body);
        let turn = error.fixed_rows::<3>(0).norm();
        let moved = error.fixed_rows::<3>(3).norm();
        self.gate
            .learn(moved + 2.0 * self.config.max_range_m * sin(0.5 * turn));
    }

    /// Adds points (in `Body`) to the map, and forgets what is far.
    pub(crate) fn insert(&mut self, points: &Columns, map_from_body: &Transform<Map, Body>) {
        if points.len() < MIN_POINTS || !map_from_body.is_finite() {
            return;
        }
        let here = self.map.anchor(&map_from_body.translation());
        let places = Placer::new(&self.map, here.voxel, map_from_body).places(points);
        self.map.insert_all(&places);
        self.map.fit_planes();
        let moved = |at: [i32; 3]| (0..3).any(|axis| at[axis].abs_diff(here.voxel[axis]) >= PRUNE_AFTER);
        if !self.held && self.pruned_at.is_none_or(moved) {
            self.pruned_at = Some(here.voxel);
            self.map.keep_within(&here, self.config.map_radius_m as f32);
        }
    }
}

#[cfg(test)]
mod tests;
