//! One voxel of the map: its points in lanes, its plane, and the sums the plane is made of.

use crate::plane::{Plane, Spread};

/// Points a voxel keeps (KISS-ICP's number; Vizzo et al., IEEE RA-L 8(2), 2023).
pub(crate) const POINTS_PER_VOXEL: usize = 20;
/// Points looked at together: one vector of the smallest instruction sets.
const LANES: usize = 4;
const GROUPS: usize = POINTS_PER_VOXEL / LANES;
/// Coordinate of an empty lane: never the nearest.
const FAR: f32 = 1e15;
/// Farther than any point.
const FARTHEST2: f32 = f32::INFINITY;
/// Samples after which a voxel's plane no longer changes: the map must not follow its own drift.
const MAX_SAMPLES: u32 = 200;
/// A plane is fitted anew when its samples have grown by one part in so many.
const REFIT_PART: u32 = 8;

#[derive(Clone, Copy)]
#[repr(align(16))]
struct Group {
    x: [f32; LANES],
    y: [f32; LANES],
    z: [f32; LANES],
}

impl Group {
    const EMPTY: Self = Self {
        x: [FAR; LANES],
        y: [FAR; LANES],
        z: [FAR; LANES],
    };

    fn squares(&self, [x, y, z]: [f32; 3]) -> [f32; LANES] {
        let mut squares = [0.0; LANES];
        for (lane, square) in squares.iter_mut().enumerate() {
            let (dx, dy, dz) = (self.x[lane] - x, self.y[lane] - y, self.z[lane] - z);
            *square = dx * dx + dy * dy + dz * dz;
        }
        squares
    }
}

fn least(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

fn most(a: f32, b: f32) -> f32 {
    if a < b { b } else { a }
}

/// The nearest point of a cell, and how far its second nearest is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Two {
    pub(crate) first2: f32,
    pub(crate) second2: f32,
    pub(crate) lane: u32,
}

/// What a search reads comes first, and starts on a cache line.
#[derive(Clone)]
#[repr(C, align(64))]
pub(crate) struct Cell {
    pub(crate) voxel: [i32; 3],
    count: u32,
    pub(crate) plane: Plane,
    pub(crate) live: bool,
    pub(crate) dirty: bool,
    fitted: u32,
    groups: [Group; GROUPS],
    pub(crate) spread: Spread,
}

impl Cell {
    pub(crate) fn new(voxel: [i32; 3]) -> Self {
        Self {
            voxel,
            count: 0,
            plane: Plane::default(),
            live: true,
            dirty: false,
            fitted: 0,
            groups: [Group::EMPTY; GROUPS],
            spread: Spread::default(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.count as usize
    }

    pub(crate) fn point(&self, lane: u32) -> [f32; 3] {
        let (group, lane) = (&self.groups[lane as usize / LANES], lane as usize % LANES);
        [group.x[lane], group.y[lane], group.z[lane]]
    }

    fn filled(&self) -> &[Group] {
        &self.groups[..self.count().div_ceil(LANES)]
    }

    /// The two nearest points to a place counted from this voxel's corner. Of equal ones any, but
    /// always the same. The lane is looked for only if the nearest is nearer than `than2`.
    #[allow(
        clippy::needless_range_loop,
        reason = "three arrays side by side, lane by lane"
    )]
    pub(crate) fn nearest_two(&self, local: [f32; 3], than2: f32) -> Two {
        let mut first = [FARTHEST2; LANES];
        let mut second = [FARTHEST2; LANES];
        let mut all = [[FARTHEST2; LANES]; GROUPS];
        // Of each lane of the groups the two least; comparisons alone become vector instructions.
        for (group, kept) in self.filled().iter().zip(&mut all) {
            let squares = group.squares(local);
            for lane in 0..LANES {
                second[lane] = least(second[lane], most(first[lane], squares[lane]));
                first[lane] = least(first[lane], squares[lane]);
            }
            *kept = squares;
        }
        let (low, high) = (least(first[0], first[1]), most(first[0], first[1]));
        let (low_b, high_b) = (least(first[2], first[3]), most(first[2], first[3]));
        let first2 = least(low, low_b);
        let of_firsts = least(most(low, low_b), least(high, high_b));
        let of_seconds = least(least(second[0], second[1]), least(second[2], second[3]));
        let nearest = |square: &f32| *square == first2;
        let lane = if first2 < than2 {
            all.as_flattened().iter().position(nearest).unwrap_or(0)
        } else {
            0
        };
        Two {
            first2,
            second2: least(of_firsts, of_seconds),
            lane: lane as u32,
        }
    }

    /// Takes a point, counted from the corner, into the plane, and among the points if there is
    /// room and none within the square of `spacing2`. Says whether the plane should be fitted anew.
    pub(crate) fn insert(&mut self, inside: [f32; 3], spacing2: f32) -> bool {
        let mut refit = false;
        if self.spread.samples() < MAX_SAMPLES {
            self.spread.add(inside);
            let due = self.fitted + (self.fitted / REFIT_PART).max(1);
            refit = self.spread.samples() >= due && !self.dirty;
            self.dirty |= refit;
        }
        let count = self.count();
        if count < POINTS_PER_VOXEL {
            let near = |group: &Group| group.squares(inside).iter().any(|square| *square < spacing2);
            if !self.filled().iter().any(near) {
                let (group, lane) = (&mut self.groups[count / LANES], count % LANES);
                group.x[lane] = inside[0];
                group.y[lane] = inside[1];
                group.z[lane] = inside[2];
                self.count += 1;
            }
        }
        refit
    }

    /// Takes the plane that was fitted to the samples there are now.
    pub(crate) fn set_plane(&mut self, plane: Plane) {
        self.plane = plane;
        self.fitted = self.spread.samples();
        self.dirty = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::spread_bits;

    #[test]
    fn a_cell_begins_on_a_cache_line_and_its_points_on_the_next() {
        assert_eq!(align_of::<Cell>(), 64);
        assert_eq!(size_of::<Cell>(), 384);
        assert_eq!(std::mem::offset_of!(Cell, groups), 64);
    }

    #[test]
    fn the_two_nearest_are_those_of_a_plain_search() {
        let mut cell = Cell::new([0; 3]);
        let at = |i: u32, k: u64| (spread_bits(u64::from(i) * 8 + k) >> 40) as f32 / 16_777_216.0;
        for i in 0..200u32 {
            cell.insert([at(i, 0), at(i, 1), at(i, 2)], 0.05);
            let query = [at(i, 3), at(i, 4), at(i, 5)];
            let mut plain: Vec<(f32, u32)> = (0..cell.count() as u32)
                .map(|lane| {
                    let p = cell.point(lane);
                    ((0..3).map(|axis| (p[axis] - query[axis]).powi(2)).sum(), lane)
                })
                .collect();
            plain.sort_by(|a, b| a.0.total_cmp(&b.0));
            let two = cell.nearest_two(query, f32::INFINITY);
            assert_eq!(two.lane, plain[0].1);
            assert!((two.first2 - plain[0].0).abs() < 1e-6);
            match plain.get(1) {
                Some(second) => assert!((two.second2 - second.0).abs() < 1e-6),
                None => assert!(two.second2 > 1e20, "an empty lane is far"),
            }
        }
        assert_eq!(cell.count(), POINTS_PER_VOXEL);
    }
}
