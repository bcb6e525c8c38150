//! The lidar map: points in a hash of voxels, with each voxel's plane kept beside them.
//!
//! Positions inside a cell are `f32` from the cell's own corner, and cells are named by integers, so
//! precision is the same a metre and a hundred kilometres from the map's origin. The hash is fixed
//! and nothing iterates over the table, so the map is a function of what was inserted. It lies in a
//! fixed number of shards by the voxels' hash, so that several threads can extend it, each its own.

mod batch;
mod beside;
mod cell;
mod search;
mod shard;

use beluga_types::elementary::Squared;
use nalgebra::Vector3;
use rayon::prelude::*;
use wide::f32x4;

use crate::columns::floor4;
use crate::plane::{Plane, Spread};
use crate::table::{pack, scrambled};

use beside::BESIDE;
use cell::Cell;
pub(crate) use cell::POINTS_PER_VOXEL;
pub(crate) use search::{Found, Partner};
use shard::{Shard, block_of, place_in_block};

/// Parts of the map; a power of two, and the same for any number of threads.
const SHARDS: usize = 4;
/// Bits of a cell's number inside its shard.
const NUMBER_BITS: u32 = 30;

/// A place as an integer voxel and metres from that voxel's corner (which may lie outside it).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchored {
    /// The voxel metres are counted from.
    pub(crate) voxel: [i32; 3],
    /// Metres from its corner.
    pub(crate) offset: [f32; 3],
}

/// A voxel by its number along each axis, or a step from one to another.
type Voxel = [i32; 3];
/// A cell by its shard, and its number there.
pub(crate) type CellId = u32;
/// A voxel, and a place in it in metres from its corner.
type InVoxel = (Voxel, [f32; 3]);

/// The map.
pub(crate) struct VoxelMap {
    size_m: f32,
    per_m: f32,
    spacing2_m2: f32,
    shards: Vec<Shard>,
}

impl VoxelMap {
    pub(crate) fn new(size_m: f32) -> Self {
        Self {
            size_m,
            per_m: size_m.recip(),
            // As in KISS-ICP: points of a voxel are spread so that 20 cover a face.
            spacing2_m2: size_m * size_m / POINTS_PER_VOXEL as f32,
            shards: (0..SHARDS).map(|_| Shard::new()).collect(),
        }
    }

    pub(crate) fn size_m(&self) -> f32 {
        self.size_m
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.shards.iter().all(|shard| shard.live == 0)
    }

    /// Voxels that hold something.
    pub(crate) fn voxels(&self) -> usize {
        self.shards.iter().map(|shard| shard.live).sum()
    }

    /// Voxels there is memory for.
    pub(crate) fn capacity(&self) -> usize {
        self.shards.iter().map(|shard| shard.cells.len()).sum()
    }

    /// The place of map coordinates, in metres.
    pub(crate) fn anchor(&self, in_map: &Vector3<f64>) -> Anchored {
        let size = f64::from(self.size_m);
        let voxel = [0, 1, 2].map(|axis| (in_map[axis] / size).floor() as i32);
        let offset = [0, 1, 2].map(|axis| (in_map[axis] - f64::from(voxel[axis]) * size) as f32);
        Anchored { voxel, offset }
    }

    /// The voxel a place lies in, and metres from that voxel's corner.
    #[inline(always)]
    pub(crate) fn normalized(&self, place: &Anchored) -> InVoxel {
        let [x, y, z] = place.offset;
        let offset = f32x4::new([x, y, z, 0.0]);
        let (steps, edges) = floor4(offset * f32x4::splat(self.per_m));
        let steps = steps.to_array();
        let [x, y, z, _] = (offset - edges * f32x4::splat(self.size_m)).to_array();
        let voxel = [0, 1, 2].map(|axis| place.voxel[axis].wrapping_add(steps[axis]));
        (voxel, [x, y, z])
    }

    /// Puts a point in: into its voxel's plane, and among its points if there is room and none near.
    pub(crate) fn insert(&mut self, place: &Anchored) {
        let (voxel, inside) = self.normalized(place);
        let spacing2 = self.spacing2_m2;
        self.shards[shard_of(block_of(voxel)) as usize].insert(voxel, inside, spacing2);
    }

    /// Puts many points in, in order, each shard its own.
    pub(crate) fn insert_all(&mut self, places: &[Anchored]) {
        let mut sorted: [Vec<InVoxel>; SHARDS] = Default::default();
        for points in &mut sorted {
            points.reserve(places.len() / 3);
        }
        for place in places {
            let point = self.normalized(place);
            sorted[shard_of(block_of(point.0)) as usize].push(point);
        }
        let spacing2 = self.spacing2_m2;
        let extend = |(shard, points): (&mut Shard, &Vec<InVoxel>)| {
            for (voxel, inside) in points {
                shard.insert(*voxel, *inside, spacing2);
            }
        };
        if rayon::current_num_threads() == 1 {
            self.shards.iter_mut().zip(&sorted).for_each(extend);
        } else {
            self.shards.par_iter_mut().zip(&sorted).for_each(extend);
        }
    }

    /// Fits the planes of the voxels that changed.
    ///
    /// A voxel that holds only a line of points, as one ring of a lidar draws on a wall, borrows
    /// the normal of its surroundings: alone it would know nothing across the line.
    pub(crate) fn fit_planes(&mut self) {
        let fit = |shard: &Shard| -> Vec<Plane> {
            let plane = |&number: &u32| self.plane(&shard.cells[number as usize]);
            shard.dirty.iter().map(plane).collect()
        };
        let planes: Vec<Vec<Plane>> = if rayon::current_num_threads() == 1 {
            self.shards.iter().map(fit).collect()
        } else {
            self.shards.par_iter().map(fit).collect()
        };
        for (shard, planes) in self.shards.iter_mut().zip(planes) {
            for (number, plane) in std::mem::take(&mut shard.dirty).into_iter().zip(planes) {
                shard.cells[number as usize].set_plane(plane);
            }
        }
    }

    fn plane(&self, cell: &Cell) -> Plane {
        let mut plane = cell.spread.plane();
        if plane.flat < 1.0 && plane.solid < 1.0 {
            let around = self.around(cell).plane();
            if around.flat > plane.flat {
                plane.flat = around.flat;
                plane.normal = around.normal;
            }
        }
        plane
    }

    /// The points of a voxel and the 26 around it.
    fn around(&self, cell: &Cell) -> Spread {
        let mut spread = cell.spread;
        for (beside, found) in BESIDE.iter().zip(self.cells_around(cell.voxel)) {
            if let Some((_, near)) = found.filter(|_| beside.step != [0; 3]) {
                let shift = beside.step.map(|value| value as f32 * self.size_m);
                spread.merge(&near.spread, shift);
            }
        }
        spread
    }

    /// Forgets voxels whose corner is farther than `radius_m` from a place: memory stays bounded.
    pub(crate) fn keep_within(&mut self, centre: &Anchored, radius_m: f32) {
        let (voxel, _) = self.normalized(centre);
        let radius2 = f64::from(radius_m / self.size_m).squared();
        for shard in &mut self.shards {
            shard.keep_within(voxel, radius2);
        }
    }

    /// The points of the map, in map metres, each with its voxel's plane.
    pub(crate) fn points(&self) -> impl Iterator<Item = (Vector3<f64>, Plane)> + '_ {
        let size = f64::from(self.size_m);
        let cells = self.shards.iter().flat_map(|shard| &shard.cells);
        cells.filter(|cell| cell.live).flat_map(move |cell| {
            (0..cell.count() as u32).map(move |lane| {
                let inside = cell.point(lane);
                let place =
                    Vector3::from_fn(|axis, _| f64::from(cell.voxel[axis]) * size + f64::from(inside[axis]));
                (place, cell.plane)
            })
        })
    }

    /// Numbers the points as [`Self::points`] gives them.
    pub(crate) fn numbers_of_points(&self) -> Numbers {
        let mut count = 0;
        let mut first = |cell: &Cell| {
            let first = count;
            count += if cell.live { cell.count() as u32 } else { 0 };
            first
        };
        let of_shard = |shard: &Shard| shard.cells.iter().map(&mut first).collect();
        Numbers(self.shards.iter().map(of_shard).collect())
    }

    /// A block by its shard and its number there, if it ever held something.
    #[inline(always)]
    fn block(&self, block: [i32; 3]) -> Option<(u32, u32)> {
        let shard = shard_of(block);
        Some((shard, self.shards[shard as usize].block(block)?))
    }

    /// The cell at a place of a block, if the voxel there holds something.
    #[inline(always)]
    fn cell_in(&self, (shard, block): (u32, u32), place: usize) -> Option<(CellId, &Cell)> {
        let cells = &self.shards[shard as usize];
        let number = cells.cell_in(block, place)?;
        Some((shard << NUMBER_BITS | number, &cells.cells[number as usize]))
    }

    /// The cells of a voxel and of those beside it.
    fn cells_around(&self, voxel: Voxel) -> [Option<(CellId, &Cell)>; 27] {
        let mut last = (block_of(voxel), self.block(block_of(voxel)));
        BESIDE.each_ref().map(|beside| {
            let near = beside.of(voxel);
            let block = block_of(near);
            if block != last.0 {
                last = (block, self.block(block));
            }
            self.cell_in(last.1?, place_in_block(near))
        })
    }

    fn cell(&self, id: CellId) -> &Cell {
        &self.shards[(id >> NUMBER_BITS) as usize].cells[(id & ((1 << NUMBER_BITS) - 1)) as usize]
    }
}

/// The number of the first point of each cell, by shards.
pub(crate) struct Numbers(Vec<Vec<u32>>);

impl Numbers {
    /// The number of a point of a cell.
    pub(crate) fn of(&self, cell: CellId, lane: u32) -> u32 {
        let (shard, number) = (cell >> NUMBER_BITS, cell & ((1 << NUMBER_BITS) - 1));
        self.0[shard as usize][number as usize] + lane
    }
}

/// The shard of a block.
fn shard_of(block: [i32; 3]) -> u32 {
    (scrambled(pack(block)) >> (u64::BITS - SHARDS.trailing_zeros())) as u32
}

#[cfg(test)]
mod tests;
