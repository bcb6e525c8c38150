//! Points and their partners on the map: transform, search, residual and sums in one pass.
//!
//! A point that has moved less than its slack since it was searched for keeps its partner: another
//! search would find the same (`VoxelMap::find_nearest`). So after the first steps of an alignment
//! hardly any point is searched for again, and the poses are the same to the last bit.

use beluga_types::elementary::Squared;
use beluga_types::{Body, Transform};
use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;

use super::Map;
use super::gate::Fit;
use super::seen::{sampled, surface};
use crate::columns::{Columns, Sight};
use crate::solve::Sums;
use crate::voxel::{Anchored, Found, Partner, VoxelMap};

/// Points per chunk of the sums, whatever the number of threads.
const CHUNK: usize = 256;
/// How much farther than the reach is searched, in voxels, so that a point without partner has slack.
const BEYOND: f32 = 0.1;
/// Part of the points that must have been searched for in the last pass to make threads worth it.
const WORTH: f32 = 0.2;

/// A point's partner, and until when it is that.
#[derive(Clone, Copy)]
struct Match {
    at: [f32; 3],
    /// Square of how far the point may move from there; negative if it must be searched for.
    slack2: f32,
    found: Found,
}

/// The partners of the points of one alignment.
#[derive(Default)]
pub(crate) struct Matches {
    matches: Vec<Match>,
    searched: u32,
    #[cfg(test)]
    pub(crate) always_search: bool,
}

/// What stays the same in a pass.
struct Pass<'a> {
    map: &'a VoxelMap,
    placer: Placer,
    fit: &'a Fit,
    before: &'a Fit,
    cached: bool,
}

impl Matches {
    /// Forgets all partners; `points` is the number of points to come.
    pub(crate) fn begin(&mut self, points: usize) {
        let unknown = Match {
            at: [0.0; 3],
            slack2: -1.0,
            found: Found::NOTHING,
        };
        self.matches.clear();
        self.matches.resize(points, unknown);
        self.searched = points as u32;
    }

    /// The sums at a pose; `anchor` is a voxel near it, the same for all passes of an alignment.
    pub(crate) fn linearise(
        &mut self,
        map: &VoxelMap,
        points: &Columns,
        anchor: [i32; 3],
        pose: &Transform<Map, Body>,
        (fit, before): (&Fit, &Fit),
    ) -> Sums {
        let pass = Pass {
            map,
            placer: Placer::new(map, anchor, pose),
            fit,
            before,
            // Farther than a voxel the search is not exact, so nothing can be kept.
            cached: fit.reach_m <= map.size_m() && self.caches(),
        };
        let chunks = self.matches.chunks_mut(CHUNK).enumerate();
        let worth = self.searched as f32 > WORTH * points.len() as f32;
        let mut total = Sums::default();
        if worth && rayon::current_num_threads() > 1 {
            let chunks: Vec<_> = chunks.collect();
            let sums: Vec<Sums> = chunks
                .into_par_iter()
                .map(|(number, matches)| pass.chunk(points, number * CHUNK, matches))
                .collect();
            for chunk in &sums {
                total.merge(chunk);
            }
        } else {
            for (number, matches) in chunks {
                total.merge(&pass.chunk(points, number * CHUNK, matches));
            }
        }
        self.searched = total.searched;
        total
    }

    /// Points that were searched for in the last pass.
    #[cfg(test)]
    pub(crate) fn searched(&self) -> u32 {
        self.searched
    }

    #[cfg(not(test))]
    fn caches(&self) -> bool {
        true
    }

    #[cfg(test)]
    fn caches(&self) -> bool {
        !self.always_search
    }
}

impl Pass<'_> {
    fn chunk(&self, points: &Columns, from: usize, matches: &mut [Match]) -> Sums {
        let to = from + matches.len();
        let offsets = self
            .placer
            .offsets(&points.x[from..to], &points.y[from..to], &points.z[from..to]);
        let Sight { from: eye, spin } = points.sight;
        let sight = [eye, spin].map(|one| Vector3::from(one).cast::<f64>());
        let mut sums = Sums::default();
        for (lane, one) in matches.iter_mut().enumerate() {
            let offset = [0, 1, 2].map(|axis| offsets[axis][lane]);
            let place = Anchored {
                voxel: self.placer.voxel,
                offset,
            };
            let (voxel, inside) = self.map.normalized(&place);
            let moved2: f32 = (0..3).map(|axis| (offset[axis] - one.at[axis]).squared()).sum();
            if moved2.is_nan() || moved2 >= one.slack2 {
                *one = self.search(offset, voxel, inside);
                sums.searched += 1;
            }
            let reach2 = self.fit.reach_m * self.fit.reach_m;
            if let Some(partner) = self.map.partner(&one.found, voxel, inside, reach2) {
                self.add(points.point(from + lane), sight, &partner, &mut sums);
            }
        }
        sums
    }

    fn search(&self, offset: [f32; 3], voxel: [i32; 3], inside: [f32; 3]) -> Match {
        let (reach_m, size_m) = (self.fit.reach_m, self.map.size_m());
        let radius_m = if self.cached {
            (reach_m + BEYOND * size_m).min(size_m)
        } else {
            reach_m
        };
        let found = self.map.find_nearest(voxel, inside, radius_m);
        let slack_m = found.slack_m(reach_m);
        Match {
            at: offset,
            slack2: if self.cached && slack_m > 0.0 {
                slack_m * slack_m
            } else {
                -1.0
            },
            found,
        }
    }

    /// A residual against the plane as far as the voxel is flat, against the point as far as it is
    /// filled.
    fn add(&self, point: [f32; 3], [eye, spin]: [Vector3<f64>; 2], partner: &Partner<'_>, sums: &mut Sums) {
        sums.matched += 1;
        let p = Vector3::from(point).cast::<f64>();
        let beam = p - eye;
        let normal = Vector3::from(partner.plane.normal);
        let in_body = self.placer.body_axes(normal);
        let flat = f64::from(partner.plane.flat) * surface(&in_body, &beam);
        let solid = f64::from(partner.plane.solid);
        if flat > 0.0 {
            let residual = f64::from(normal.dot(&Vector3::from(partner.from_centre)));
            let square = residual * residual;
            let kernel = &self.fit.plane;
            let robust = flat * kernel.weight(square);
            sums.add_plane(p, in_body, residual, robust * kernel.information);
            sums.planes.add(robust, square);
            sums.loss += flat * kernel.loss(square);
            sums.loss_before += flat * self.before.plane.loss(square);
        }
        if solid > 0.0 {
            let from_point = self.placer.body_axes(Vector3::from(partner.from_point));
            let known =
                sampled(&in_body, &beam, &spin).map(|(axis, part)| (axis, part, axis.dot(&from_point)));
            let square: f64 = known
                .iter()
                .map(|(_, part, residual)| part * residual * residual)
                .sum();
            let kernel = &self.fit.point;
            let robust = solid * kernel.weight(square);
            for (axis, part, residual) in known {
                sums.add_plane(p, axis, residual, part * robust * kernel.information);
            }
            sums.points.add(robust, square / 2.0);
            sums.loss += solid * kernel.loss(square);
            sums.loss_before += solid * self.before.point.loss(square);
        }
    }
}

/// Takes points of `Body` to the map in `f32`, counted from a voxel near the vehicle.
pub(crate) struct Placer {
    pub(crate) voxel: [i32; 3],
    offset: [f32; 3],
    rotation: Matrix3<f32>,
    back: Matrix3<f64>,
}

impl Placer {
    pub(crate) fn new(map: &VoxelMap, voxel: [i32; 3], map_from_body: &Transform<Map, Body>) -> Self {
        let rotation = map_from_body.rotation_matrix();
        let (place, size) = (map_from_body.translation(), f64::from(map.size_m()));
        Self {
            voxel,
            offset: [0, 1, 2].map(|axis| (place[axis] - f64::from(voxel[axis]) * size) as f32),
            rotation: rotation.cast::<f32>(),
            back: rotation.transpose(),
        }
    }

    /// A chunk of points from the voxel's corner, as columns.
    fn offsets(&self, x: &[f32], y: &[f32], z: &[f32]) -> [[f32; CHUNK]; 3] {
        let mut offsets = [[0.0; CHUNK]; 3];
        for (axis, offsets) in offsets.iter_mut().enumerate() {
            let [a, b, c] = [0, 1, 2].map(|column| self.rotation[(axis, column)]);
            let d = self.offset[axis];
            for (((offset, x), y), z) in offsets.iter_mut().zip(x).zip(y).zip(z) {
                *offset = a * x + b * y + c * z + d;
            }
        }
        offsets
    }

    /// Points from the voxel's corner, in order.
    pub(crate) fn places(&self, points: &Columns) -> Vec<Anchored> {
        let mut places = Vec::with_capacity(points.len());
        for from in (0..points.len()).step_by(CHUNK) {
            let to = (from + CHUNK).min(points.len());
            let offsets = self.offsets(&points.x[from..to], &points.y[from..to], &points.z[from..to]);
            places.extend((0..to - from).map(|lane| Anchored {
                voxel: self.voxel,
                offset: [0, 1, 2].map(|axis| offsets[axis][lane]),
            }));
        }
        places
    }

    fn body_axes(&self, direction: Vector3<f32>) -> Vector3<f64> {
        self.back * direction.cast::<f64>()
    }
}
