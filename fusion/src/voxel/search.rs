//! The nearest map point to a place, and how far the place may move before that can change.

use wide::f32x4;

use super::beside::{BESIDE, Beside, NEARER, OWN, beside};
use super::cell::{Cell, least};
use super::shard::{block_of, place_in_block};
use super::{CellId, Voxel, VoxelMap};
use crate::plane::Plane;

/// No cell.
pub(super) const NONE: CellId = CellId::MAX;
/// Rounding of distances in `f32`, in metres; far more than it is within a kilometre.
const ROUNDING_M: f32 = 2e-4;

/// The nearest map point, and what no other point comes nearer than.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    cell: CellId,
    lane: u32,
    first2: f32,
    other2: f32,
}

/// What a place is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Partner<'a> {
    /// From the map point to the place, metres.
    pub(crate) from_point: [f32; 3],
    /// From the plane's centre to the place, metres.
    pub(crate) from_centre: [f32; 3],
    /// The plane of the map point's voxel.
    pub(crate) plane: &'a Plane,
}

impl Found {
    /// Before any search.
    pub(crate) const NOTHING: Self = Self {
        cell: NONE,
        lane: 0,
        first2: 0.0,
        other2: 0.0,
    };

    /// The cell of the map point and its number there, and the distance to it in metres.
    pub(crate) fn point(&self) -> Option<(CellId, u32, f32)> {
        (self.cell != NONE).then(|| (self.cell, self.lane, self.first2.sqrt()))
    }

    /// How far the place may move with the same nearest point, or with none within `reach_m`.
    pub(crate) fn slack_m(&self, reach_m: f32) -> f32 {
        let other = self.other2.sqrt();
        let slack = if self.cell == NONE {
            other - reach_m
        } else {
            0.5 * (other - self.first2.sqrt())
        };
        slack - ROUNDING_M
    }
}

impl VoxelMap {
    /// The nearest map point within `radius_m`, looked for in the place's voxel and the 26 around it.
    ///
    /// Exact within one voxel edge. The own voxel comes first; another is only opened while its
    /// nearest face, edge or corner is nearer than the best point so far.
    pub(crate) fn find_nearest(&self, voxel: Voxel, inside: [f32; 3], radius_m: f32) -> Found {
        let own_block = block_of(voxel);
        let own = self.block(own_block);
        let cell_at = |beside: &Beside| {
            let near = beside.of(voxel);
            let block = block_of(near);
            let block = if block == own_block {
                own
            } else {
                self.block(block)
            };
            self.cell_in(block?, place_in_block(near))
        };
        nearest(inside, self.size_m, radius_m, cell_at)
    }

    /// The map point that was found, as it lies to a place that may have moved since; nothing if it
    /// is not within the square of a reach.
    pub(crate) fn partner(
        &self,
        found: &Found,
        voxel: Voxel,
        inside: [f32; 3],
        reach2_m2: f32,
    ) -> Option<Partner<'_>> {
        if found.cell == NONE {
            return None;
        }
        let cell: &Cell = self.cell(found.cell);
        let local = [0, 1, 2].map(|axis| {
            let step = cell.voxel[axis].wrapping_sub(voxel[axis]);
            inside[axis] - step as f32 * self.size_m
        });
        let point = cell.point(found.lane);
        let from_point = [0, 1, 2].map(|axis| local[axis] - point[axis]);
        let [x, y, z] = from_point;
        let centre = cell.plane.centre;
        (x * x + y * y + z * z < reach2_m2).then(|| Partner {
            from_point,
            from_centre: [0, 1, 2].map(|axis| local[axis] - centre[axis]),
            plane: &cell.plane,
        })
    }
}

/// The nearest point to a place `inside` a voxel; `cell_at` gives the cells around it.
///
/// Inlined where it is called: what the caller does not ask of the answer is then not computed.
#[inline(always)]
pub(super) fn nearest<'a>(
    [x, y, z]: [f32; 3],
    size_m: f32,
    radius_m: f32,
    cell_at: impl Fn(&Beside) -> Option<(CellId, &'a Cell)>,
) -> Found {
    let radius2 = radius_m * radius_m;
    let mut search = Search {
        inside: f32x4::new([x, y, z, 0.0]),
        size: f32x4::splat(size_m),
        cell_at,
        found: Found {
            cell: NONE,
            lane: 0,
            first2: radius2,
            other2: radius2,
        },
    };
    search.open(OWN);
    let ways = search.ways();
    search.through_nearer_faces(&ways);
    let [x, y, z] = ways.far2;
    if !search.too_far(least(least(x, y), z)) {
        search.through_farther_faces(&ways);
    }
    search.found
}

/// The two ways out of a voxel along each axis.
struct Ways {
    /// One bit per axis: whether the nearer face is the lower one.
    down: usize,
    /// Squares of the ways to the nearer faces, and to the farther.
    near2: [f32; 3],
    far2: [f32; 3],
}

/// A search under way, within some distance.
struct Search<F> {
    inside: f32x4,
    size: f32x4,
    cell_at: F,
    found: Found,
}

impl<'a, F: Fn(&Beside) -> Option<(CellId, &'a Cell)>> Search<F> {
    #[inline(always)]
    fn ways(&self) -> Ways {
        let (low, high) = (self.inside, self.size - self.inside);
        let (near, far) = (low.fast_min(high), low.fast_max(high));
        let [near2, far2] = [near * near, far * far].map(|squares| {
            let [x, y, z, _] = squares.to_array();
            [x, y, z]
        });
        Ways {
            down: low.simd_lt(high).to_bitmask() as usize & 0b111,
            near2,
            far2,
        }
    }

    /// The seven neighbours that can be nearer than half an edge. Which of them are is found out
    /// for all at once: one by one, a processor would guess wrong at every other.
    #[inline(always)]
    fn through_nearer_faces(&mut self, ways: &Ways) {
        let [x, y, z] = ways.near2;
        let faces = f32x4::new([x, y, z, x + y]);
        let edges = f32x4::new([x + z, y + z, x + y + z, f32::INFINITY]);
        let first2 = f32x4::splat(self.found.first2);
        let (in_faces, in_edges) = (faces.simd_lt(first2), edges.simd_lt(first2));
        let never = f32x4::splat(f32::INFINITY);
        let [a, b, c, d] = in_faces
            .select(never, faces)
            .fast_min(in_edges.select(never, edges))
            .to_array();
        let left_out = least(least(a, b), least(c, d));
        self.found.other2 = least(self.found.other2, left_out);
        let mut wanted = in_faces.to_bitmask() | in_edges.to_bitmask() << 4;
        while wanted != 0 {
            self.open(NEARER[ways.down][wanted.trailing_zeros() as usize]);
            wanted &= wanted - 1;
        }
    }

    /// The other nineteen, where nothing near was found.
    #[inline(always)]
    fn through_farther_faces(&mut self, ways: &Ways) {
        let steps = [0, 1, 2].map(|axis| {
            let near = if ways.down >> axis & 1 == 1 { -1 } else { 1 };
            [(0, 0.0), (near, ways.near2[axis]), (-near, ways.far2[axis])]
        });
        for (i, x) in steps[0].iter().enumerate() {
            for (j, y) in steps[1].iter().enumerate() {
                for (k, z) in steps[2].iter().enumerate() {
                    let farther = i == 2 || j == 2 || k == 2;
                    if farther && !self.too_far(x.1 + y.1 + z.1) {
                        self.open(beside([x.0, y.0, z.0]));
                    }
                }
            }
        }
    }

    /// Whether nothing so far can be nearer than what is found; what is left out is remembered.
    #[inline(always)]
    fn too_far(&mut self, square: f32) -> bool {
        let too_far = square >= self.found.first2;
        if too_far {
            self.found.other2 = least(self.found.other2, square);
        }
        too_far
    }

    #[inline(always)]
    fn open(&mut self, code: u8) {
        let beside = &BESIDE[code as usize];
        let Some((id, cell)) = (self.cell_at)(beside) else {
            return;
        };
        let [x, y, z, _] = (self.inside - f32x4::new(beside.edges) * self.size).to_array();
        let two = cell.nearest_two([x, y, z]);
        let found = &mut self.found;
        if two.first2 < found.first2 {
            // What was the nearest, if it was a point, is now another.
            let beaten = found.first2;
            *found = Found {
                cell: id,
                lane: two.lane,
                first2: two.first2,
                other2: least(least(found.other2, beaten), two.second2),
            };
        } else {
            found.other2 = least(found.other2, two.first2);
        }
    }
}
