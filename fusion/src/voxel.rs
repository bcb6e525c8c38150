//! The lidar map: points in a hash of voxels, with each voxel's plane kept beside them.
//!
//! Positions inside a cell are `f32` from the cell's own corner, and cells are named by integers, so
//! precision is the same a metre and a hundred kilometres from the map's origin. The hash is fixed
//! and nothing iterates over the table, so the map is a function of what was inserted.

use nalgebra::{Matrix3, Vector3};

use crate::plane::{Plane, Spread};

/// Points a voxel keeps (KISS-ICP's number; Vizzo et al., IEEE RA-L 8(2), 2023).
pub(crate) const POINTS_PER_VOXEL: usize = 20;
/// Lanes of a cell: the points, padded to whole vectors of eight.
const LANES: usize = 24;
/// Coordinate of an empty lane: never the nearest.
const FAR: f32 = 1e15;
/// Bits per axis of a packed key.
const KEY_BITS: u32 = 21;
/// An empty slot of the table.
const EMPTY: u32 = u32::MAX;
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
    /// Squared distance, m².
    pub(crate) distance2: f32,
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
    table: Vec<(u64, u32)>,
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
            table: vec![(0, EMPTY); 1 << 12],
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

    pub(crate) fn voxels(&self) -> usize {
        self.live
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
        let mut best = (reach_m * reach_m, EMPTY, 0usize, [0.0f32; 3]);
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
        let (distance2, id, lane, local) = best;
        if id == EMPTY {
            return None;
        }
        let cell = &self.cells[id as usize];
        let centre = cell.plane.centre;
        Some(Nearest {
            distance2,
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
        for lane in 0..LANES {
            let (dx, dy, dz) = (
                cell.x[lane] - local[0],
                cell.y[lane] - local[1],
                cell.z[lane] - local[2],
            );
            distance2[lane] = dx * dx + dy * dy + dz * dz;
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
            let slots = self.table.len();
            self.rebuild(slots);
        }
    }

    /// The voxels with a plane: centre and normal in map metres, and the points' covariance.
    pub(crate) fn planes(&self) -> impl Iterator<Item = (Vector3<f64>, Plane, Matrix3<f64>)> + '_ {
        let size = f64::from(self.size_m);
        self.cells.iter().filter(|cell| cell.live).map(move |cell| {
            let centre = Vector3::from_fn(|axis, _| {
                f64::from(cell.voxel[axis]) * size + f64::from(cell.plane.centre[axis])
            });
            (centre, cell.plane, cell.spread.covariance())
        })
    }

    fn normalized(&self, place: &Anchored) -> ([i32; 3], [f32; 3]) {
        let steps = place.offset.map(|value| (value / self.size_m).floor());
        let voxel = [0, 1, 2].map(|axis| place.voxel[axis].wrapping_add(steps[axis] as i32));
        let inside = [0, 1, 2].map(|axis| place.offset[axis] - steps[axis] * self.size_m);
        (voxel, inside)
    }

    fn find(&self, voxel: [i32; 3]) -> Option<u32> {
        let key = pack(voxel);
        let mask = self.table.len() - 1;
        let mut slot = spread_bits(key) as usize & mask;
        loop {
            let (found, id) = self.table[slot];
            if id == EMPTY {
                return None;
            }
            if found == key {
                return Some(id);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn find_or_make(&mut self, voxel: [i32; 3]) -> u32 {
        if let Some(id) = self.find(voxel) {
            return id;
        }
        if (self.live + 1) * 2 > self.table.len() {
            let slots = self.table.len() * 2;
            self.rebuild(slots);
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
        self.put(pack(voxel), id);
        id
    }

    fn put(&mut self, key: u64, id: u32) {
        let mask = self.table.len() - 1;
        let mut slot = spread_bits(key) as usize & mask;
        while self.table[slot].1 != EMPTY {
            slot = (slot + 1) & mask;
        }
        self.table[slot] = (key, id);
    }

    fn rebuild(&mut self, slots: usize) {
        self.table.clear();
        self.table.resize(slots, (0, EMPTY));
        for id in 0..self.cells.len() {
            if self.cells[id].live {
                let key = pack(self.cells[id].voxel);
                self.put(key, id as u32);
            }
        }
    }
}

/// Three voxel numbers in one word. They wrap after 2²¹ voxels, a thousand kilometres or more.
pub(crate) fn pack(voxel: [i32; 3]) -> u64 {
    let part = |value: i32| u64::from(value as u32) & ((1 << KEY_BITS) - 1);
    part(voxel[0]) << (2 * KEY_BITS) | part(voxel[1]) << KEY_BITS | part(voxel[2])
}

/// A fixed hash: the finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
pub(crate) fn spread_bits(key: u64) -> u64 {
    let mut bits = key;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
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
mod tests {
    use super::*;

    /// A small counter-based generator for test input: uniform in [0, 1).
    fn uniform(counter: u64) -> f64 {
        (spread_bits(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn scattered(count: u64, seed: u64, half_width_m: f64, centre: Vector3<f64>) -> Vec<Vector3<f64>> {
        (0..count)
            .map(|i| {
                let at = |axis: u64| (uniform(seed + i * 3 + axis) * 2.0 - 1.0) * half_width_m;
                centre + Vector3::new(at(0), at(1), at(2))
            })
            .collect()
    }

    /// Against kiddo's k-d tree over the points the map really kept, near and far from the origin.
    #[test]
    fn the_nearest_point_is_the_one_a_k_d_tree_finds() {
        for centre in [Vector3::zeros(), Vector3::new(123_456.0, -98_765.0, 40.0)] {
            let mut map = VoxelMap::new(0.8);
            for point in scattered(6_000, 1, 6.0, centre) {
                let place = map.anchor(&point);
                map.insert(&place);
            }
            let mut kept: Vec<[f64; 3]> = Vec::new();
            for cell in &map.cells {
                for lane in 0..cell.count as usize {
                    let local = [cell.x[lane], cell.y[lane], cell.z[lane]];
                    kept.push([0, 1, 2].map(|axis| {
                        f64::from(cell.voxel[axis]) * f64::from(map.size_m) + f64::from(local[axis])
                            - centre[axis]
                    }));
                }
            }
            let tree = kiddo::ImmutableKdTree::<f64, 3>::new_from_slice(&kept).unwrap();
            for query in scattered(2_000, 900_000, 7.0, centre) {
                let local = query - centre;
                let oracle = tree
                    .query(&[local.x, local.y, local.z])
                    .nearest_one::<kiddo::SquaredEuclidean<f64>>()
                    .execute()
                    .distance
                    .sqrt();
                let found = map.nearest(&map.anchor(&query), 0.8);
                match found {
                    Some(hit) => assert!((f64::from(hit.distance2).sqrt() - oracle).abs() < 1e-4),
                    None => assert!(oracle > 0.8 - 1e-4, "missed a point {oracle} m away"),
                }
            }
        }
    }

    #[test]
    fn what_is_far_is_forgotten_and_the_rest_still_found() {
        let mut map = VoxelMap::new(1.0);
        for point in scattered(4_000, 5, 30.0, Vector3::zeros()) {
            let place = map.anchor(&point);
            map.insert(&place);
        }
        let before = map.voxels();
        let centre = map.anchor(&Vector3::new(20.0, 0.0, 0.0));
        map.keep_within(&centre, 15.0);
        assert!(map.voxels() < before / 2 && map.voxels() > 0);
        let far = map.anchor(&Vector3::new(-20.0, 0.0, 0.0));
        assert!(map.nearest(&far, 1.0).is_none());
        let cells = map.cells.len();
        for point in scattered(500, 5, 5.0, Vector3::new(20.0, 0.0, 0.0)) {
            let place = map.anchor(&point);
            map.insert(&place);
            assert!(map.nearest(&place, 1.0).is_some());
        }
        assert_eq!(map.cells.len(), cells, "freed cells are used again");
    }

    #[test]
    fn a_voxel_of_a_wall_knows_its_normal() {
        let mut map = VoxelMap::new(1.0);
        let normal = Vector3::new(1.0, 0.2, 0.1).normalize();
        let (side, up) = (
            Vector3::new(-0.2, 1.0, 0.0).normalize(),
            Vector3::new(0.0, -0.1, 1.0),
        );
        for i in 0..400u64 {
            let (u, v) = (uniform(i * 2) * 0.8 - 0.4, uniform(i * 2 + 1) * 0.8 - 0.4);
            let up = (up - normal * up.dot(&normal)).normalize();
            let point = Vector3::new(10.5, 4.5, 2.5) + side * u * 0.9 + up * v * 0.9;
            let place = map.anchor(&point);
            map.insert(&place);
        }
        map.fit_planes();
        let hit = map
            .nearest(&map.anchor(&Vector3::new(10.5, 4.5, 2.5)), 1.0)
            .unwrap();
        let found = Vector3::from(hit.plane.normal).cast::<f64>();
        assert!(found.dot(&normal).abs() > 0.9999, "{found}");
        assert!(hit.plane.flat > 0.95);
    }
}
