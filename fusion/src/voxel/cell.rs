//! One voxel of the map: its points in lanes, its plane, and the sums the plane is made of.

use wide::f32x4;

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
/// No square is that.
const NEVER: f32 = -1.0;
/// Samples after which a voxel's plane no longer changes: the map must not follow its own drift.
const MAX_SAMPLES: u32 = 200;
/// A plane is fitted anew when its samples have grown by one part in so many.
const REFIT_PART: u32 = 8;

/// Four points side by side.
#[derive(Clone, Copy)]
struct Group {
    x: f32x4,
    y: f32x4,
    z: f32x4,
}

impl Group {
    const EMPTY: Self = Self {
        x: f32x4::splat(FAR),
        y: f32x4::splat(FAR),
        z: f32x4::splat(FAR),
    };

    /// Of the ways to a place.
    #[inline(always)]
    fn squares(&self, [x, y, z]: [f32x4; 3]) -> f32x4 {
        let (dx, dy, dz) = (self.x - x, self.y - y, self.z - z);
        dx * dx + dy * dy + dz * dz
    }
}

/// The lesser; in one instruction, since what is no number is not looked for.
#[inline(always)]
pub(super) fn least(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
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
        [&group.x, &group.y, &group.z].map(|axis| axis.as_array()[lane])
    }

    #[inline(always)]
    fn filled(&self) -> &[Group] {
        &self.groups[..self.count().div_ceil(LANES)]
    }

    /// The two nearest points to a place counted from this voxel's corner. Of equal ones any, but
    /// always the same. If the place is no number, neither are the squares.
    #[inline(always)]
    pub(crate) fn nearest_two(&self, local: [f32; 3]) -> Two {
        let place = local.map(f32x4::splat);
        let mut first = f32x4::splat(FARTHEST2);
        let mut second = first;
        let mut all = [f32x4::splat(NEVER); GROUPS];
        // Of each lane of the groups the two least, without a branch that could be guessed wrong.
        for (group, kept) in self.filled().iter().zip(&mut all) {
            let squares = group.squares(place);
            second = second.fast_min(first.fast_max(squares));
            first = first.fast_min(squares);
            *kept = squares;
        }
        let [a, b, c, d] = first.to_array();
        let first2 = least(least(a, b), least(c, d));
        let of_firsts = least(least(most(a, b), most(c, d)), most(least(a, b), least(c, d)));
        let [a, b, c, d] = second.to_array();
        let of_seconds = least(least(a, b), least(c, d));
        let mut nearest = 0;
        for (number, squares) in all.iter().enumerate() {
            nearest |= squares.simd_eq(f32x4::splat(first2)).to_bitmask() << (number * LANES);
        }
        Two {
            first2,
            second2: least(of_firsts, of_seconds),
            lane: nearest.trailing_zeros(),
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
            let place = inside.map(f32x4::splat);
            let near = |group: &Group| group.squares(place).simd_lt(f32x4::splat(spacing2)).any();
            if !self.filled().iter().any(near) {
                let (group, lane) = (&mut self.groups[count / LANES], count % LANES);
                for (axis, value) in [&mut group.x, &mut group.y, &mut group.z].into_iter().zip(inside) {
                    axis.as_mut_array()[lane] = value;
                }
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
    use beluga_types::elementary::Squared;

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
                    ((0..3).map(|axis| (p[axis] - query[axis]).squared()).sum(), lane)
                })
                .collect();
            plain.sort_by(|a, b| a.0.total_cmp(&b.0));
            let two = cell.nearest_two(query);
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
