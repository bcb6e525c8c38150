//! Lidar odometry: a scan is laid on the voxel map by its points and planes.
//!
//! The frame is KISS-ICP's (Vizzo et al., IEEE RA-L 8(2), 2023): two levels of thinning, constant
//! motion, a gate of three sigma of what motion models got wrong so far, Geman–McClure weights.
//! Points on flat voxels count against the voxel's plane, others against their nearest point
//! (blended by planarity as in Lee et al., "GenZ-ICP", arXiv 2411.06766), each by its own estimated
//! sigma, so the normal matrix is an information matrix. Sums run over fixed chunks in order: the
//! result is the same for any number of threads.

use beluga_types::{Body, Space, Transform};
use nalgebra::{Matrix6, Vector3, Vector6};
use rayon::prelude::*;

use crate::config::OdometryConfig;
use crate::sample::Sampler;
use crate::solve::{Sums, held_directions, inverse};
use crate::voxel::{Anchored, VoxelMap};

/// The space the voxel map is built in: `World` but for the slow correction of the map's place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Map {}

impl Space for Map {
    const NAME: &'static str = "Map";
}

/// Points per chunk of the parallel sums.
const CHUNK: usize = 256;
/// Fewest partners of an alignment.
const MIN_MATCHES: u32 = 20;
/// Fewest points that start or extend a map.
const MIN_POINTS: usize = 20;
/// An alignment has ended when a step moves and turns less than this, in metres and rad.
const CONVERGED: (f64, f64) = (2e-4, 2e-5);
/// Longest step: metres, and rad.
const MAX_STEP: (f64, f64) = (2.0, 0.2);
/// Least part of the scan's information a direction must have to be held by the scan.
const LEAST_INFORMATION: f64 = 0.01;
/// Thinning of the map's points, as a part of a voxel.
const FINE_PART: f32 = 0.25;
/// Farthest partner looked for in the end, in voxels: map points lie up to half a voxel apart.
const LEAST_REACH: f32 = 0.75;
/// Smallest sigmas believed, in metres.
const MIN_SIGMA_M: f64 = 0.003;
/// Motion errors below this say nothing about the next, in metres (KISS-ICP).
const MIN_MOTION_ERROR_M: f64 = 0.1;

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
}

/// Where a scan lies on the map.
#[derive(Clone, Debug)]
pub(crate) struct Alignment {
    pub(crate) map_from_body: Transform<Map, Body>,
    /// What the scan alone says, frozen directions taken out.
    pub(crate) information: Matrix6<f64>,
    /// Projector of small motions onto those the scan holds.
    pub(crate) held: Matrix6<f64>,
}

/// Points of a scan in `Body`, and which of them work.
pub(crate) struct Thinned {
    /// For the map.
    pub(crate) fine: Vec<u32>,
    /// For the alignment.
    pub(crate) coarse: Vec<u32>,
}

pub(crate) struct Odometry {
    config: OdometryConfig,
    map: VoxelMap,
    sampler: Sampler,
    /// Thinning of the alignment's points, as a part of KISS-ICP's 1.5 voxels.
    coarseness: f32,
    /// Squares of motion errors and their number.
    error: (f64, u32),
}

impl Odometry {
    pub(crate) fn new(config: &OdometryConfig) -> Self {
        Self {
            map: VoxelMap::new(config.voxel_m as f32),
            config: config.clone(),
            sampler: Sampler::default(),
            coarseness: 1.0,
            error: (config.initial_gate_sigma_m.powi(2), 1),
        }
    }

    pub(crate) fn map(&self) -> &VoxelMap {
        &self.map
    }

    /// Forgets the map.
    pub(crate) fn restart(&mut self) {
        self.map = VoxelMap::new(self.map.size_m());
    }

    /// Chooses the points that work: inside the range, one per cube, on two levels.
    ///
    /// Sparse scans are thinned less, so that about `wanted_points` remain for the alignment.
    pub(crate) fn thin(&mut self, points: &[[f32; 3]], in_range: &[u32]) -> Thinned {
        let voxel = self.map.size_m();
        let fine = self.sampler.first_per_voxel(points, in_range, FINE_PART * voxel);
        let wanted = self.config.wanted_points as usize;
        let step = 0.75f32;
        let least = 0.1f32;
        let mut coarse = self
            .sampler
            .first_per_voxel(points, &fine, 1.5 * voxel * self.coarseness);
        if coarse.len() > wanted * 2 && self.coarseness < 1.0 {
            self.coarseness = (self.coarseness / step).min(1.0);
        }
        while coarse.len() < wanted && self.coarseness > least {
            self.coarseness *= step;
            let edge = 1.5 * voxel * self.coarseness;
            // Finer than the map's points: take from the whole scan.
            let among = if edge > 2.0 * FINE_PART * voxel {
                &fine
            } else {
                in_range
            };
            coarse = self.sampler.first_per_voxel(points, among, edge);
        }
        Thinned { fine, coarse }
    }

    /// Lays points (in `Body`) on the map, beginning at `guess`.
    ///
    /// Nothing if there is no map yet, too few partners, or a step that is not finite: the caller
    /// carries on with what it had.
    pub(crate) fn align(
        &self,
        points: &[[f32; 3]],
        chosen: &[u32],
        guess: &Transform<Map, Body>,
        prior: &Prior,
    ) -> Option<Alignment> {
        if self.map.is_empty() || chosen.len() < MIN_MATCHES as usize {
            return None;
        }
        let motion_sigma = (self.error.0 / f64::from(self.error.1)).sqrt();
        let mut pose = *guess;
        let mut fit = Fit {
            reach_m: (3.0 * motion_sigma) as f32,
            least_reach_m: LEAST_REACH * self.map.size_m(),
            kernel_m: motion_sigma,
            plane_sigma_m: 0.05,
            point_sigma_m: 0.2,
        };
        let mut last = None;
        for _ in 0..self.config.max_iterations {
            let sums = self.linearise(points, chosen, &pose, &fit);
            if sums.matched < MIN_MATCHES {
                return None;
            }
            let held = held_directions(&sums.information(), LEAST_INFORMATION);
            // Points that err together say less than their number.
            let information = held * sums.information() * held.transpose() / self.config.residual_correlation;
            let towards_prior = pose.perturbation_to(&prior.mean);
            let gradient =
                held * sums.gradient() / self.config.residual_correlation - prior.information * towards_prior;
            let mut step = -(inverse(&(information + prior.information))? * gradient);
            if !step.iter().all(|value| value.is_finite()) {
                return None;
            }
            shorten(&mut step);
            pose = pose.perturbed(&step);
            fit.learn(&sums);
            last = Some((information, held.transpose()));
            if step.fixed_rows::<3>(3).norm() < CONVERGED.0 && step.fixed_rows::<3>(0).norm() < CONVERGED.1 {
                break;
            }
        }
        let (information, held) = last?;
        pose.is_finite().then_some(Alignment {
            map_from_body: pose,
            information,
            held,
        })
    }

    /// Remembers how far a prediction was from what the scan said.
    pub(crate) fn learn_motion_error(
        &mut self,
        predicted: &Transform<Map, Body>,
        found: &Transform<Map, Body>,
    ) {
        let error = predicted.perturbation_to(found);
        let turn = error.fixed_rows::<3>(0).norm();
        let moved = error.fixed_rows::<3>(3).norm();
        let error = moved + 2.0 * self.config.max_range_m * (0.5 * turn).sin();
        if error > MIN_MOTION_ERROR_M && error.is_finite() {
            self.error.0 += error * error;
            self.error.1 = self.error.1.saturating_add(1);
        }
    }

    /// Adds points (in `Body`) to the map, and forgets what is far.
    pub(crate) fn insert(
        &mut self,
        points: &[[f32; 3]],
        chosen: &[u32],
        map_from_body: &Transform<Map, Body>,
    ) {
        if chosen.len() < MIN_POINTS {
            return;
        }
        let placer = Placer::new(&self.map, map_from_body);
        for &index in chosen {
            let place = placer.place(points[index as usize]);
            self.map.insert(&place);
        }
        self.map.fit_planes();
        self.map
            .keep_within(&placer.origin, self.config.map_radius_m as f32);
    }

    fn linearise(&self, points: &[[f32; 3]], chosen: &[u32], pose: &Transform<Map, Body>, fit: &Fit) -> Sums {
        let placer = Placer::new(&self.map, pose);
        let chunks: Vec<Sums> = chosen
            .par_chunks(CHUNK)
            .map(|chunk| {
                let mut sums = Sums::default();
                for &index in chunk {
                    self.add_residual(points[index as usize], &placer, fit, &mut sums);
                }
                sums
            })
            .collect();
        let mut total = Sums::default();
        for chunk in &chunks {
            total.merge(chunk);
        }
        total
    }

    fn add_residual(&self, point: [f32; 3], placer: &Placer, fit: &Fit, sums: &mut Sums) {
        let Some(hit) = self.map.nearest(&placer.place(point), fit.reach_m) else {
            return;
        };
        sums.matched += 1;
        let p = Vector3::from(point).cast::<f64>();
        let (flat, solid) = (f64::from(hit.plane.flat), f64::from(hit.plane.solid));
        if flat > 0.0 {
            let normal = Vector3::from(hit.plane.normal);
            let residual = f64::from(normal.dot(&Vector3::from(hit.from_centre)));
            let robust = flat * fit.robust(residual * residual, fit.plane_sigma_m);
            let in_body = placer.body_axes(normal);
            sums.add_plane(p, in_body, residual, robust / fit.plane_sigma_m.powi(2));
            sums.planes.add(robust, residual * residual);
        }
        if solid > 0.0 {
            let residual = placer.body_axes(Vector3::from(hit.from_point));
            let square = residual.norm_squared();
            let robust = solid * fit.robust(square, fit.point_sigma_m);
            sums.add_point(p, residual, robust / fit.point_sigma_m.powi(2));
            sums.points.add(robust, square / 3.0);
        }
    }
}

/// What one iteration believes of its residuals.
struct Fit {
    reach_m: f32,
    least_reach_m: f32,
    kernel_m: f64,
    plane_sigma_m: f64,
    point_sigma_m: f64,
}

impl Fit {
    /// Geman–McClure: `(k² / (k² + r²))²`.
    fn robust(&self, square: f64, sigma_m: f64) -> f64 {
        let k2 = self.kernel_m.powi(2).max((3.0 * sigma_m).powi(2));
        (k2 / (k2 + square)).powi(2)
    }

    /// Takes the sigmas the residuals had, and narrows the kernel towards them.
    fn learn(&mut self, sums: &Sums) {
        if let Some(sigma) = sums.planes.sigma() {
            self.plane_sigma_m = sigma.max(MIN_SIGMA_M);
        }
        if let Some(sigma) = sums.points.sigma() {
            self.point_sigma_m = sigma.max(MIN_SIGMA_M);
        }
        self.kernel_m *= 0.7;
        self.reach_m = self
            .reach_m
            .min((3.0 * self.kernel_m) as f32)
            .max(self.least_reach_m);
    }
}

/// Takes points of `Body` to the map in `f32`, counted from a voxel near the vehicle.
struct Placer {
    origin: Anchored,
    rotation: nalgebra::Matrix3<f32>,
    back: nalgebra::Matrix3<f64>,
}

impl Placer {
    fn new(map: &VoxelMap, map_from_body: &Transform<Map, Body>) -> Self {
        let rotation = map_from_body.rotation_matrix();
        Self {
            origin: map.anchor(&map_from_body.translation()),
            rotation: rotation.cast::<f32>(),
            back: rotation.transpose(),
        }
    }

    fn place(&self, point: [f32; 3]) -> Anchored {
        let turned = self.rotation * Vector3::from(point);
        let [x, y, z] = self.origin.offset;
        Anchored {
            voxel: self.origin.voxel,
            offset: [turned.x + x, turned.y + y, turned.z + z],
        }
    }

    fn body_axes(&self, direction: Vector3<f32>) -> Vector3<f64> {
        self.back * direction.cast::<f64>()
    }
}

fn shorten(step: &mut Vector6<f64>) {
    let turn = step.fixed_rows::<3>(0).norm();
    let moved = step.fixed_rows::<3>(3).norm();
    let factor = (MAX_STEP.0 / moved.max(MAX_STEP.0)).min(MAX_STEP.1 / turn.max(MAX_STEP.1));
    *step *= factor;
}
