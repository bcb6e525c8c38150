//! One tile of the map: points averaged by voxel, finely as long as it is seen from near, coarsely
//! once it lies far behind.

use std::collections::{BTreeMap, HashMap};

use re_sdk_types::archetypes::Points3D;
use re_sdk_types::components::{Color, Radius};

use crate::colour::Rgb;

/// Edge of a tile in plan, metres.
pub(crate) const TILE_M: f64 = 32.0;
/// Sizes of voxels, each with twice the edge of the one before.
pub(crate) const LEVELS: u8 = 6;
/// While it grows, a tile is sent again when it shows so many times what it did, and not before so
/// many looks have passed.
const GROWTH: usize = 2;
const PREVIEW_LOOKS: u32 = 10;
/// A tile is whole when nothing has been seen of it for so many looks.
const QUIET_LOOKS: u32 = 5;
/// Colours are averaged over cubes of so many voxels, so that speckle does not show.
const SMOOTHING: i32 = 3;
/// Radius of a point in edges of its voxel.
const RADIUS: f64 = 0.7;
/// A voxel's mean follows what is new as if it held so many points at most: beyond, single precision
/// would not notice one more.
const MOST_WEIGHT: f32 = 4096.0;

/// Where a tile lies: east and north, in tiles.
pub(crate) type Key = [i32; 2];

/// The tile's south-west corner, at height zero, in metres of `World`.
pub(crate) fn corner(key: Key) -> [f64; 3] {
    [f64::from(key[0]) * TILE_M, f64::from(key[1]) * TILE_M, 0.0]
}

/// Points of a tile.
#[derive(Debug, Default)]
pub(crate) struct Tile {
    /// Edge of the finest voxels, metres.
    voxel_m: f64,
    /// What is new makes voxels of this size; none is finer.
    level: u8,
    /// By size, then by place: what is made of them is the same in every run.
    voxels: BTreeMap<Cube, Voxel>,
    /// How many there are of each size.
    counts: [usize; LEVELS as usize],
    points: u64,
    points_at_last_look: u64,
    /// Points and voxels of what was sent last, and looks since then.
    sent: (u64, usize),
    looks: u32,
    quiet: u32,
    /// Whether it has been sent whole.
    whole: bool,
    /// Whether it has become coarser or of other colours since it was sent.
    stale: bool,
}

/// A voxel's place among those of its size, counted from the tile's corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cube {
    level: u8,
    at: [i16; 3],
}

impl Cube {
    /// Around a place, metres from the tile's corner; what is out of all measure lies at the end.
    fn around(place: [f64; 3], voxel_m: f64, level: u8) -> Self {
        let finest = place.map(|metres| (metres / voxel_m).floor() as i16);
        Cube { level: 0, at: finest }.within(level)
    }

    /// The one of a larger size that holds it.
    fn within(self, level: u8) -> Self {
        let steps = level.saturating_sub(self.level);
        Cube {
            level: level.max(self.level),
            at: self.at.map(|index| index >> steps),
        }
    }
}

/// Mean over the points of a voxel; places against its tile's corner.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Voxel {
    place: [f32; 3],
    level: f32,
    count: f32,
}

impl Voxel {
    fn take(&mut self, other: &Voxel) {
        let count = self.count + other.count;
        let part = other.count / count;
        for (mean, new) in self.place.iter_mut().zip(other.place) {
            *mean += (new - *mean) * part;
        }
        self.level += (other.level - self.level) * part;
        self.count = count.min(MOST_WEIGHT);
    }
}

/// What became of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// Nothing was there: one voxel more.
    New,
    /// Its voxel was there, or a coarser one gave way to it.
    Known,
    /// There was no room for another voxel.
    Left,
}

impl Tile {
    /// An empty one: the finest voxels have this edge (metres), what is new makes those of this size.
    pub(crate) fn new(voxel_m: f64, level: u8) -> Self {
        Self {
            voxel_m,
            level,
            ..Self::default()
        }
    }

    /// How many voxels it has.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.voxels.len()
    }

    /// The size of the voxels that new points make.
    #[cfg(test)]
    pub(crate) fn level(&self) -> u8 {
        self.level
    }

    /// Adds a point, metres from the corner. Makes a voxel more only if there is room for one.
    pub(crate) fn add(&mut self, place: [f64; 3], level: f32, room: bool) -> Added {
        let point = Voxel {
            place: place.map(|metres| metres as f32),
            level,
            count: 1.0,
        };
        let cube = Cube::around(place, self.voxel_m, self.level);
        if let Some(voxel) = self.voxels.get_mut(&cube) {
            voxel.take(&point);
            self.points += 1;
            return Added::Known;
        }
        // What was kept coarsely gives way to what is seen anew.
        let coarse = (self.level + 1..LEVELS).filter(|&level| self.counts[usize::from(level)] > 0);
        let before = coarse
            .map(|level| cube.within(level))
            .find(|coarse| self.voxels.contains_key(coarse));
        if let Some(before) = before {
            self.voxels.remove(&before);
            self.counts[usize::from(before.level)] -= 1;
        } else if !room {
            return Added::Left;
        }
        self.voxels.insert(cube, point);
        self.counts[usize::from(cube.level)] += 1;
        self.points += 1;
        match before {
            Some(_) => Added::Known,
            None => Added::New,
        }
    }

    /// Lets what is new make finer voxels; those that are there stay until their place is seen anew.
    pub(crate) fn refine(&mut self, level: u8) {
        self.level = level.min(self.level);
    }

    /// Makes one voxel of all that lie in a larger one of this size; says how many went.
    pub(crate) fn coarsen(&mut self, level: u8) -> usize {
        if level <= self.level {
            return 0;
        }
        let before = self.voxels.len();
        let coarse = self.voxels.split_off(&Cube {
            level,
            at: [i16::MIN; 3],
        });
        for (cube, voxel) in std::mem::replace(&mut self.voxels, coarse) {
            let known = self.voxels.entry(cube.within(level));
            known.and_modify(|mean| mean.take(&voxel)).or_insert(voxel);
        }
        self.counts = [0; LEVELS as usize];
        for cube in self.voxels.keys() {
            self.counts[usize::from(cube.level)] += 1;
        }
        self.level = level;
        self.stale |= self.voxels.len() < before;
        before - self.voxels.len()
    }

    /// It is to be sent once more, in other colours.
    pub(crate) fn recolour(&mut self) {
        self.stale = true;
    }

    /// Whether it should be sent; asked at regular looks.
    pub(crate) fn due(&mut self) -> bool {
        self.quiet = if self.points > self.points_at_last_look {
            0
        } else {
            self.quiet.saturating_add(1)
        };
        self.points_at_last_look = self.points;
        self.looks = self.looks.saturating_add(1);
        let (points, voxels) = self.sent;
        if self.stale && points > 0 {
            return true;
        }
        let grown = self.voxels.len() >= GROWTH * voxels && self.voxels.len() > voxels;
        let first = points == 0;
        if self.quiet == QUIET_LOOKS {
            // A stray point now and then does not make a whole tile another one.
            let other = self.voxels.len() > voxels + voxels / 20 || self.points > points + points / 2;
            let before = std::mem::replace(&mut self.whole, true);
            return self.points > points && (other || !before);
        }
        grown && (first || self.looks >= PREVIEW_LOOKS)
    }

    /// Whether it is not there as it is.
    pub(crate) fn is_unsent(&self) -> bool {
        self.points > self.sent.0 || self.stale
    }

    /// It has been sent as it is.
    pub(crate) fn mark_sent(&mut self) {
        self.sent = (self.points, self.voxels.len());
        self.looks = 0;
        self.stale = false;
    }

    /// How many voxels were sent last.
    #[cfg(test)]
    pub(crate) fn shown(&self) -> usize {
        self.sent.1
    }

    fn edge_m(&self, level: u8) -> f64 {
        self.voxel_m * f64::from(1u32 << level)
    }

    /// Its voxels, coloured by mean level and height.
    pub(crate) fn picture(&self, key: Key, shade: impl Fn(f32, f32) -> Rgb) -> Points3D {
        let block = |cube: &Cube, voxel: &Voxel| {
            let edge_m = self.edge_m(cube.level) * f64::from(SMOOTHING);
            let at = voxel
                .place
                .map(|metres| (f64::from(metres) / edge_m).floor() as i32);
            (cube.level, at)
        };
        let mut blocks: HashMap<(u8, [i32; 3]), (f32, f32)> = HashMap::new();
        for (cube, voxel) in &self.voxels {
            let (level, count) = blocks.entry(block(cube, voxel)).or_default();
            *level += voxel.level * voxel.count;
            *count += voxel.count;
        }
        let colours = self.voxels.iter().map(|(cube, voxel)| {
            let (level, count) = blocks
                .get(&block(cube, voxel))
                .copied()
                .unwrap_or((voxel.level, 1.0));
            let [red, green, blue] = shade(level / count, voxel.place[2]);
            Color::from_rgb(red, green, blue)
        });
        let corner = corner(key);
        let places = self
            .voxels
            .values()
            .map(|voxel| [0, 1, 2].map(|axis| (f64::from(voxel.place[axis]) + corner[axis]) as f32));
        let radius = |level: u8| Radius::new_scene_units((self.edge_m(level) * RADIUS) as f32);
        let one_size = self.counts.iter().filter(|&&count| count > 0).count() <= 1;
        let sizes = self.voxels.keys().map(|cube| radius(cube.level));
        Points3D::new(places)
            .with_colors(colours)
            .with_radii(sizes.take(if one_size { 1 } else { usize::MAX }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points on a slope, the same in every run.
    fn slope(count: u32) -> impl Iterator<Item = ([f64; 3], f32)> {
        (0..count).map(|i| {
            let part = |step: f64| (f64::from(i) * step).fract();
            let (x, y) = (part(0.618_034) * 8.0, part(0.414_214) * 8.0);
            ([x, y, 0.3 * x - 2.0], part(0.732_051) as f32)
        })
    }

    #[test]
    fn a_voxel_is_the_mean_of_its_points() {
        let mut tile = Tile::new(0.1, 0);
        assert_eq!(tile.add([31.98, 8.02, 0.02], 3.0, true), Added::New);
        assert_eq!(tile.add([31.96, 8.06, 0.06], 5.0, true), Added::Known);
        assert_eq!(tile.add([31.98, 8.02, -0.02], 3.0, true), Added::New);
        assert_eq!(tile.add([0.0, 0.0, 0.0], 3.0, false), Added::Left);
        let cube = Cube {
            level: 0,
            at: [319, 80, 0],
        };
        let voxel = tile.voxels[&cube];
        for (found, expected) in voxel.place.into_iter().zip([31.97, 8.04, 0.04]) {
            assert!((found - expected).abs() < 1e-5, "{voxel:?}");
        }
        assert_eq!(voxel.level, 4.0);
    }

    #[test]
    fn made_coarser_is_as_if_it_had_been_coarse_from_the_start() {
        for level in 1..LEVELS {
            let [mut made, mut plain] = [Tile::new(0.1, 0), Tile::new(0.1, level)];
            for (place, strength) in slope(20_000) {
                made.add(place, strength, true);
                plain.add(place, strength, true);
            }
            let before = made.len();
            assert_eq!(made.coarsen(level), before - plain.len());
            assert_eq!(made.counts, plain.counts);
            let cubes: Vec<&Cube> = made.voxels.keys().collect();
            assert_eq!(cubes, plain.voxels.keys().collect::<Vec<_>>());
            for (found, expected) in made.voxels.values().zip(plain.voxels.values()) {
                let off = |axis: usize| (found.place[axis] - expected.place[axis]).abs();
                assert!((0..3).all(|axis| off(axis) < 2e-2), "{found:?} {expected:?}");
                assert!((found.level - expected.level).abs() < 2e-2);
            }
            assert_eq!(made.coarsen(level), 0);
        }
    }

    #[test]
    fn what_is_seen_anew_is_seen_finely_and_the_rest_stays_coarse() {
        let mut tile = Tile::new(0.1, 0);
        for (place, strength) in slope(20_000) {
            tile.add(place, strength, true);
        }
        let fine = tile.len();
        tile.coarsen(3);
        let coarse = tile.len();
        assert!(coarse * 30 < fine, "{coarse} of {fine}");
        tile.refine(0);
        for (place, strength) in slope(20_000).filter(|(place, _)| place[0] < 4.0) {
            tile.add(place, strength, true);
        }
        assert_eq!(tile.counts.iter().sum::<usize>(), tile.len());
        assert!(tile.counts[0].abs_diff(fine / 2) < fine / 50, "{:?}", tile.counts);
        assert_eq!(tile.counts[3], coarse / 2, "the half that was not seen again");
    }

    #[test]
    fn many_points_in_one_place_do_not_move_it() {
        let mut tile = Tile::new(0.1, 0);
        for i in 0..1_000_000 {
            tile.add([30.05 + f64::from(i % 2) * 0.02, 8.05, 0.05], 1.0, true);
        }
        let voxel = tile.voxels.values().next().unwrap();
        assert!((voxel.place[0] - 30.06).abs() < 1e-3, "{voxel:?}");
    }
}
