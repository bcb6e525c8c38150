//! The lidar map: points in a hash of voxels, with each voxel's plane kept beside them.
//!
//! Positions inside a cell are `f32` from the cell's own corner, and cells are named by integers, so
//! precision is the same a metre and a hundred kilometres from the map's origin. The hash is fixed
//! and nothing iterates over the table, so the map is a function of what was inserted.

use nalgebra::Vector3;

use crate::plane::{Plane, Spread};
use crate::table::{Table, pack};

/// Points a voxel keeps (KISS-ICP's number; Vizzo et al., IEEE RA-L 8(2), 2023).
pub(crate) const POINTS_PER_VOXEL: usize = 20;
/// Lanes of a cell: the points, padded to whole vectors of eight.
const LANES: usize = 24;
/// Coordinate of an empty lane: never the nearest.
const FAR: f32 = 1e15;
/// No cell.
const NONE: u32 = u32::MAX;
/// Samples after which a voxel's plane no longer changes: the map must not follow its own drift.
const MAX_SAMPLES: u32 = 200;

/// A place as an integer voxel and metres from that voxel's corner (which may lie outside it).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchored {
    /// The voxel metres are counted from.
    pub(crate) voxel: [i32; 3],
    /// Metres from its corner.
    pub(crate) offset: [f32; 3],
}

/// What the nearest map point is to a query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nearest {
    /// From the map point to the query, metres.
    pub(crate) from_point: [f32; 3],
    /// From the plane's centre to the query, metres.
    pub(crate) from_centre: [f32; 3],
    /// The plane of the map point's voxel.
    pub(crate) plane: Plane,
}

/// One voxel, its points and its plane.
#[derive(Clone)]
#[repr(align(64))]
struct Cell {
    x: [f32; LANES],
    y: [f32; LANES],
    z: [f32; LANES],
    voxel: [i32; 3],
    count: u32,
    spread: Spread,
    plane: Plane,
    live: bool,
    dirty: bool,
}

/// The map.
pub(crate) struct VoxelMap {
    size_m: f32,
    spacing2_m2: f32,
    table: Table,
    cells: Vec<Cell>,
    free: Vec<u32>,
    dirty: Vec<u32>,
    live: usize,
}

impl VoxelMap {
    pub(crate) fn new(size_m: f32) -> Self {
        Self {
            size_m,
            // As in KISS-ICP: points of a voxel are spread so that 20 cover a face.
            spacing2_m2: size_m * size_m / POINTS_PER_VOXEL as f32,
            table: Table::new(),
            cells: Vec::new(),
            free: Vec::new(),
            dirty: Vec::new(),
            live: 0,
        }
    }

    pub(crate) fn size_m(&self) -> f32 {
        self.size_m
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// The place of map coordinates, in metres.
    pub(crate) fn anchor(&self, in_map: &Vector3<f64>) -> Anchored {
        let size = f64::from(self.size_m);
        let voxel = [0, 1, 2].map(|axis| (in_map[axis] / size).floor() as i32);
        let offset = [0, 1, 2].map(|axis| (in_map[axis] - f64::from(voxel[axis]) * size) as f32);
        Anchored { voxel, offset }
    }

    /// The nearest map point within `reach_m`, looked for in the query's voxel and the 26 around it.
    ///
    /// Exact within one voxel edge. The own voxel comes first; another is only opened while its
    /// nearest face, edge or corner is nearer than the best point so far.
    pub(crate) fn nearest(&self, query: &Anchored, reach_m: f32) -> Option<Nearest> {
        let (voxel, inside) = self.normalized(query);
        let mut best = (reach_m * reach_m, NONE, 0usize, [0.0f32; 3]);
        self.search(voxel, inside, &mut best);
        let size = self.size_m;
        let low = inside.map(|value| value * value);
        let high = inside.map(|value| (size - value) * (size - value));
        for step in NEIGHBOURS {
            let mut bound = 0.0;
            for axis in 0..3 {
                bound += match step[axis] {
                    -1 => low[axis],
                    1 => high[axis],
                    _ => 0.0,
                };
            }
            if bound < best.0 {
                let near = [0, 1, 2].map(|axis| voxel[axis].wrapping_add(step[axis]));
                let local = [0, 1, 2].map(|axis| inside[axis] - step[axis] as f32 * size);
                self.search(near, local, &mut best);
            }
        }
        let (_, id, lane, local) = best;
        if id == NONE {
            return None;
        }
        let cell = &self.cells[id as usize];
        let centre = cell.plane.centre;
        Some(Nearest {
            from_point: [
                local[0] - cell.x[lane],
                local[1] - cell.y[lane],
                local[2] - cell.z[lane],
            ],
            from_centre: [0, 1, 2].map(|axis| local[axis] - centre[axis]),
            plane: cell.plane,
        })
    }

    fn search(&self, voxel: [i32; 3], local: [f32; 3], best: &mut (f32, u32, usize, [f32; 3])) {
        let Some(id) = self.find(voxel) else {
            return;
        };
        let cell = &self.cells[id as usize];
        let mut distance2 = [0.0f32; LANES];
        for (lane, distance2) in distance2.iter_mut().enumerate() {
            let (dx, dy, dz) = (
                cell.x[lane] - local[0],
                cell.y[lane] - local[1],
                cell.z[lane] - local[2],
            );
            *distance2 = dx * dx + dy * dy + dz * dz;
        }
        for (lane, &d2) in distance2.iter().enumerate().take(cell.count as usize) {
            if d2 < best.0 {
                *best = (d2, id, lane, local);
            }
        }
    }

    /// Puts a point in: into its voxel's plane, and among its points if there is room and none near.
    pub(crate) fn insert(&mut self, place: &Anchored) {
        let (voxel, inside) = self.normalized(place);
        let id = self.find_or_make(voxel);
        let cell = &mut self.cells[id as usize];
        if cell.spread.samples() < MAX_SAMPLES {
            cell.spread.add(inside);
            if !cell.dirty {
                cell.dirty = true;
                self.dirty.push(id);
            }
        }
        let count = cell.count as usize;
        if count == POINTS_PER_VOXEL {
            return;
        }
        for lane in 0..count {
            let (dx, dy, dz) = (
                cell.x[lane] - inside[0],
                cell.y[lane] - inside[1],
                cell.z[lane] - inside[2],
            );
            if dx * dx + dy * dy + dz * dz < self.spacing2_m2 {
                return;
            }
        }
        cell.x[count] = inside[0];
        cell.y[count] = inside[1];
        cell.z[count] = inside[2];
        cell.count += 1;
    }

    /// Fits the planes of the voxels that changed.
    ///
    /// A voxel that holds only a line of points, as one ring of a lidar draws on a wall, borrows
    /// the normal of its surroundings: alone it would know nothing across the line.
    pub(crate) fn fit_planes(&mut self) {
        for id in std::mem::take(&mut self.dirty) {
            let cell = &self.cells[id as usize];
            if !cell.live {
                continue;
            }
            let mut plane = cell.spread.plane();
            if plane.flat < 1.0 && plane.solid < 1.0 {
                let around = self.around(cell).plane();
                if around.flat > plane.flat {
                    plane.flat = around.flat;
                    plane.normal = around.normal;
                }
            }
            let cell = &mut self.cells[id as usize];
            cell.dirty = false;
            cell.plane = plane;
        }
    }

    /// The points of a voxel and the 26 around it.
    fn around(&self, cell: &Cell) -> Spread {
        let mut spread = cell.spread;
        for step in NEIGHBOURS {
            let near = [0, 1, 2].map(|axis| cell.voxel[axis].wrapping_add(step[axis]));
            if let Some(id) = self.find(near) {
                let shift = step.map(|value| value as f32 * self.size_m);
                spread.merge(&self.cells[id as usize].spread, shift);
            }
        }
        spread
    }

    /// Forgets voxels whose corner is farther than `radius_m` from a place: memory stays bounded.
    pub(crate) fn keep_within(&mut self, centre: &Anchored, radius_m: f32) {
        let (voxel, _) = self.normalized(centre);
        let radius2 = f64::from(radius_m / self.size_m).powi(2);
        let mut removed = false;
        for (id, cell) in self.cells.iter_mut().enumerate() {
            let distance2: f64 = (0..3)
                .map(|axis| (f64::from(cell.voxel[axis]) - f64::from(voxel[axis])).powi(2))
                .sum();
            if cell.live && distance2 > radius2 {
                cell.live = false;
                self.free.push(id as u32);
                self.live -= 1;
                removed = true;
            }
        }
        if removed {
            self.table.clear();
            for (id, cell) in self.cells.iter().enumerate().filter(|(_, cell)| cell.live) {
                self.table.insert(pack(cell.voxel), id as u32);
            }
        }
    }

    /// The points of the map, in map metres, each with its voxel's plane.
    pub(crate) fn points(&self) -> impl Iterator<Item = (Vector3<f64>, Plane)> + '_ {
        let size = f64::from(self.size_m);
        let live = self.cells.iter().filter(|cell| cell.live);
        live.flat_map(move |cell| {
            (0..cell.count as usize).map(move |lane| {
                let inside = [cell.x[lane], cell.y[lane], cell.z[lane]];
                let place =
                    Vector3::from_fn(|axis, _| f64::from(cell.voxel[axis]) * size + f64::from(inside[axis]));
                (place, cell.plane)
            })
        })
    }

    fn normalized(&self, place: &Anchored) -> ([i32; 3], [f32; 3]) {
        let steps = place.offset.map(|value| (value / self.size_m).floor());
        let voxel = [0, 1, 2].map(|axis| place.voxel[axis].wrapping_add(steps[axis] as i32));
        let inside = [0, 1, 2].map(|axis| place.offset[axis] - steps[axis] * self.size_m);
        (voxel, inside)
    }

    fn find(&self, voxel: [i32; 3]) -> Option<u32> {
        self.table.find(pack(voxel))
    }

    fn find_or_make(&mut self, voxel: [i32; 3]) -> u32 {
        if let Some(id) = self.find(voxel) {
            return id;
        }
        let cell = Cell {
            x: [FAR; LANES],
            y: [FAR; LANES],
            z: [FAR; LANES],
            voxel,
            count: 0,
            spread: Spread::default(),
            plane: Plane::default(),
            live: true,
            dirty: false,
        };
        let id = match self.free.pop() {
            Some(id) => {
                self.cells[id as usize] = cell;
                id
            }
            None => {
                self.cells.push(cell);
                (self.cells.len() - 1) as u32
            }
        };
        self.live += 1;
        self.table.insert(pack(voxel), id);
        id
    }
}

/// Steps to the 26 voxels around one: faces, then edges, then corners.
const NEIGHBOURS: [[i32; 3]; 26] = neighbours();

const fn neighbours() -> [[i32; 3]; 26] {
    let mut steps = [[0; 3]; 26];
    let mut filled = 0;
    let mut order = 1;
    while order <= 3 {
        let mut code = 0;
        while code < 27 {
            let step = [code / 9 - 1, (code / 3) % 3 - 1, code % 3 - 1];
            if step[0] * step[0] + step[1] * step[1] + step[2] * step[2] == order {
                steps[filled] = step;
                filled += 1;
            }
            code += 1;
        }
        order += 1;
    }
    steps
}

#[cfg(test)]
mod tests;
