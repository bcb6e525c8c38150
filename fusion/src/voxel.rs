//! The lidar map: points in a hash of voxels, with each voxel's plane kept beside them.
//!
//! Positions inside a cell are `f32` from the cell's own corner, and cells are named by integers, so
//! precision is the same a metre and a hundred kilometres from the map's origin. The hash is fixed
//! and nothing iterates over the table, so the map is a function of what was inserted. It lies in a
//! fixed number of shards by the voxels' hash, so that several threads can extend it, each its own.

mod cell;
mod search;

use nalgebra::Vector3;
use rayon::prelude::*;

use crate::columns::floor;
use crate::plane::{Plane, Spread};
use crate::table::{Table, pack, spread_bits};

use cell::Cell;
pub(crate) use cell::POINTS_PER_VOXEL;
pub(crate) use search::{Found, Partner};

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

/// A voxel, and a place in it in metres from its corner.
type InVoxel = ([i32; 3], [f32; 3]);

/// The cells of some voxels.
struct Shard {
    table: Table,
    cells: Vec<Cell>,
    free: Vec<u32>,
    dirty: Vec<u32>,
    live: usize,
}

impl Shard {
    fn new() -> Self {
        Self {
            table: Table::new(),
            cells: Vec::new(),
            free: Vec::new(),
            dirty: Vec::new(),
            live: 0,
        }
    }

    fn insert(&mut self, voxel: [i32; 3], inside: [f32; 3], spacing2: f32) {
        let number = self.find_or_make(voxel);
        if self.cells[number as usize].insert(inside, spacing2) {
            self.dirty.push(number);
        }
    }

    fn find_or_make(&mut self, voxel: [i32; 3]) -> u32 {
        let key = pack(voxel);
        if let Some(number) = self.table.find(key) {
            return number;
        }
        let cell = Cell::new(voxel);
        let number = match self.free.pop() {
            Some(number) => {
                self.cells[number as usize] = cell;
                number
            }
            None => {
                self.cells.push(cell);
                (self.cells.len() - 1) as u32
            }
        };
        self.live += 1;
        self.table.insert(key, number);
        number
    }

    /// Forgets the cells farther than so many voxels.
    fn keep_within(&mut self, voxel: [i32; 3], radius2: f64) {
        let mut removed = false;
        for (number, cell) in self.cells.iter_mut().enumerate() {
            let distance2: f64 = (0..3)
                .map(|axis| (f64::from(cell.voxel[axis]) - f64::from(voxel[axis])).powi(2))
                .sum();
            if cell.live && distance2 > radius2 {
                cell.live = false;
                self.free.push(number as u32);
                self.live -= 1;
                removed = true;
            }
        }
        if removed {
            self.table.clear();
            for (number, cell) in self.cells.iter().enumerate().filter(|(_, cell)| cell.live) {
                self.table.insert(pack(cell.voxel), number as u32);
            }
        }
    }
}

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
    pub(crate) fn normalized(&self, place: &Anchored) -> InVoxel {
        let steps = place.offset.map(|value| floor(value * self.per_m));
        let voxel = [0, 1, 2].map(|axis| place.voxel[axis].wrapping_add(steps[axis]));
        let inside = [0, 1, 2].map(|axis| place.offset[axis] - steps[axis] as f32 * self.size_m);
        (voxel, inside)
    }

    /// Puts a point in: into its voxel's plane, and among its points if there is room and none near.
    pub(crate) fn insert(&mut self, place: &Anchored) {
        let (voxel, inside) = self.normalized(place);
        let spacing2 = self.spacing2_m2;
        self.shards[shard_of(voxel)].insert(voxel, inside, spacing2);
    }

    /// Puts many points in, in order, each shard its own.
    pub(crate) fn insert_all(&mut self, places: &[Anchored]) {
        let mut sorted: [Vec<InVoxel>; SHARDS] = Default::default();
        for points in &mut sorted {
            points.reserve(places.len() / 3);
        }
        for place in places {
            let point = self.normalized(place);
            sorted[shard_of(point.0)].push(point);
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
        for code in (0..27).filter(|code| *code != 13) {
            let step = [code / 9 - 1, (code / 3) % 3 - 1, code % 3 - 1];
            let near = [0, 1, 2].map(|axis| cell.voxel[axis].wrapping_add(step[axis]));
            if let Some(near) = self.find(near) {
                let shift = step.map(|value| value as f32 * self.size_m);
                spread.merge(&self.cell(near).spread, shift);
            }
        }
        spread
    }

    /// Forgets voxels whose corner is farther than `radius_m` from a place: memory stays bounded.
    pub(crate) fn keep_within(&mut self, centre: &Anchored, radius_m: f32) {
        let (voxel, _) = self.normalized(centre);
        let radius2 = f64::from(radius_m / self.size_m).powi(2);
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

    /// The number of a voxel's cell, if it has one.
    fn find(&self, voxel: [i32; 3]) -> Option<u32> {
        let shard = shard_of(voxel);
        let number = self.shards[shard].table.find(pack(voxel))?;
        Some((shard as u32) << NUMBER_BITS | number)
    }

    fn cell(&self, id: u32) -> &Cell {
        &self.shards[(id >> NUMBER_BITS) as usize].cells[(id & ((1 << NUMBER_BITS) - 1)) as usize]
    }
}

fn shard_of(voxel: [i32; 3]) -> usize {
    spread_bits(pack(voxel)) as usize >> (usize::BITS - SHARDS.trailing_zeros())
}

#[cfg(test)]
mod tests;
