//! The nearest map point to a place, and how far the place may move before that can change.

use super::VoxelMap;
use super::cell::Cell;
use crate::plane::Plane;

/// No cell.
const NONE: u32 = u32::MAX;
/// Rounding of distances in `f32`, in metres; far more than it is within a kilometre.
const ROUNDING_M: f32 = 2e-4;

/// The nearest map point, and what no other point comes nearer than.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    cell: u32,
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

    /// The distance to the map point, in metres, if one was found.
    pub(crate) fn distance_m(&self) -> Option<f32> {
        (self.cell != NONE).then(|| self.first2.sqrt())
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

/// A search under way, within some distance.
struct Search<'a> {
    map: &'a VoxelMap,
    voxel: [i32; 3],
    inside: [f32; 3],
    found: Found,
}

/// Along one axis: by how much the voxel changes, and the square of the way to its face.
type Step = (i32, f32);

impl VoxelMap {
    /// The nearest map point within `radius_m`, looked for in the place's voxel and the 26 around it.
    ///
    /// Exact within one voxel edge. The own voxel comes first; another is only opened while its
    /// nearest face, edge or corner is nearer than the best point so far.
    pub(crate) fn find_nearest(&self, voxel: [i32; 3], inside: [f32; 3], radius_m: f32) -> Found {
        let radius2 = radius_m * radius_m;
        let mut search = Search {
            map: self,
            voxel,
            inside,
            found: Found {
                cell: NONE,
                lane: 0,
                first2: radius2,
                other2: radius2,
            },
        };
        search.open([0; 3]);
        search.around();
        search.found
    }

    /// The map point that was found, as it lies to a place that may have moved since; nothing if it
    /// is not within the square of a reach.
    pub(crate) fn partner(
        &self,
        found: &Found,
        voxel: [i32; 3],
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

impl Search<'_> {
    fn around(&mut self) {
        let [xs, ys, zs] = [0, 1, 2].map(|axis| self.steps(axis));
        // The three nearer faces first: they are the likeliest to bring a nearer point, which then
        // keeps edges and corners shut.
        for (axis, steps) in [xs, ys, zs].into_iter().enumerate() {
            if !self.too_far(steps[1].1) {
                let mut step = [0; 3];
                step[axis] = steps[1].0;
                self.open(step);
            }
        }
        for (i, &x) in xs.iter().enumerate() {
            if self.too_far(x.1) {
                break;
            }
            for (k, &y) in ys.iter().enumerate() {
                if self.too_far(x.1 + y.1) {
                    break;
                }
                // Itself and the nearer faces have had their turn.
                let done = match (i, k) {
                    (0, 0) => 2,
                    (1, 0) | (0, 1) => 1,
                    _ => 0,
                };
                for &z in &zs[done..] {
                    if self.too_far(x.1 + y.1 + z.1) {
                        break;
                    }
                    self.open([x.0, y.0, z.0]);
                }
            }
        }
    }

    /// Staying, then to the nearer neighbour, then to the farther.
    fn steps(&self, axis: usize) -> [Step; 3] {
        let (low, size) = (self.inside[axis], self.map.size_m);
        let high = size - low;
        let (down, up) = ((-1, low * low), (1, high * high));
        if low < high {
            [(0, 0.0), down, up]
        } else {
            [(0, 0.0), up, down]
        }
    }

    /// Whether nothing so far can be nearer than what is found; what is left out is remembered.
    fn too_far(&mut self, square: f32) -> bool {
        let too_far = square >= self.found.first2;
        if too_far && square < self.found.other2 {
            self.found.other2 = square;
        }
        too_far
    }

    fn open(&mut self, step: [i32; 3]) {
        let voxel = [0, 1, 2].map(|axis| self.voxel[axis].wrapping_add(step[axis]));
        let Some(id) = self.map.find(voxel) else {
            return;
        };
        let size = self.map.size_m;
        let local = [0, 1, 2].map(|axis| self.inside[axis] - step[axis] as f32 * size);
        let two = self.map.cell(id).nearest_two(local, self.found.first2);
        let found = &mut self.found;
        if two.first2 < found.first2 {
            // What was the nearest, if it was a point, is now another.
            let beaten = found.first2;
            *found = Found {
                cell: id,
                lane: two.lane,
                first2: two.first2,
                other2: found.other2.min(beaten).min(two.second2),
            };
        } else if two.first2 < found.other2 {
            found.other2 = two.first2;
        }
    }
}
