//! The map as tiles: points averaged by voxel. A tile is sent when it is whole: when nothing new has
//! been seen of it for a while. Until then it is shown now and then as it grows.

use std::collections::{BTreeMap, HashMap};

use nalgebra::Vector3;
use re_sdk::RecordingStream;
use re_sdk_types::archetypes::Points3D;
use re_sdk_types::components::{Color, Radius};

use crate::Error;
use crate::colour::{Rgb, Scale};

/// Edge of a tile in plan, metres.
const TILE_M: f64 = 32.0;
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

/// Points of one kind, in `World`.
pub(crate) struct Tiles {
    entity: &'static str,
    colour: fn(f32) -> Rgb,
    levels: Scale,
    /// Takes the place of levels where all are the same: a lidar without intensity.
    heights: Scale,
    tiles: BTreeMap<[i32; 2], Tile>,
    budget: Budget,
}

#[derive(Default)]
struct Tile {
    voxel_m: f64,
    places: HashMap<[i32; 3], u32>,
    voxels: Vec<Voxel>,
    points: u64,
    points_at_last_look: u64,
    /// Points and voxels of what was sent last, and looks since then.
    sent: (u64, usize),
    looks: u32,
    quiet: u32,
    /// Whether it has been sent whole.
    whole: bool,
}

/// Sums over the points of a voxel; places against its tile's corner.
#[derive(Clone, Copy, Default)]
struct Voxel {
    place: [f32; 3],
    level: f32,
    count: f32,
}

/// Voxels that may still be made: tiles get coarser voxels as it is used up, so that a whole day
/// stays within it and its first hour is no coarser than it need be.
struct Budget {
    voxel_m: f64,
    kept: usize,
    limit: usize,
    next_doubling: usize,
}

impl Budget {
    fn take(&mut self) -> bool {
        if self.kept >= self.limit {
            return false;
        }
        self.kept += 1;
        if self.kept >= self.next_doubling {
            self.voxel_m *= 2.0;
            self.next_doubling += (self.limit - self.next_doubling).div_ceil(2);
        }
        true
    }
}

impl Tiles {
    /// At most `limit` voxels below this entity, the first of this edge.
    pub(crate) fn new(entity: &'static str, colour: fn(f32) -> Rgb, voxel_m: f64, limit: usize) -> Self {
        Self {
            entity,
            colour,
            levels: Scale::new(0.05, 0.98),
            heights: Scale::new(0.02, 0.95),
            tiles: BTreeMap::new(),
            budget: Budget {
                voxel_m,
                kept: 0,
                limit,
                next_doubling: limit.div_ceil(2),
            },
        }
    }

    /// Follows levels, and heights in metres, for what comes.
    pub(crate) fn follow(&mut self, levels: impl Iterator<Item = f32>, heights: impl Iterator<Item = f32>) {
        self.levels.follow(levels);
        self.heights.follow(heights);
    }

    /// Adds a point to its voxel; says whether it is the first there.
    pub(crate) fn add(&mut self, place: &Vector3<f64>, level: f32) -> bool {
        let key = [0, 1].map(|axis| (place[axis] / TILE_M).floor() as i32);
        let voxel_m = self.budget.voxel_m;
        let tile = self.tiles.entry(key).or_insert_with(|| Tile {
            voxel_m,
            ..Tile::default()
        });
        let corner = corner(key);
        let voxel = [0, 1, 2].map(|axis| ((place[axis] - corner[axis]) / tile.voxel_m).floor() as i32);
        let mut new = false;
        let at = match tile.places.get(&voxel) {
            Some(&at) => at as usize,
            None if self.budget.take() => {
                new = true;
                tile.places.insert(voxel, tile.voxels.len() as u32);
                tile.voxels.push(Voxel::default());
                tile.voxels.len() - 1
            }
            None => return false,
        };
        let sums = &mut tile.voxels[at];
        for axis in 0..3 {
            sums.place[axis] += (place[axis] - corner[axis]) as f32;
        }
        sums.level += level;
        sums.count += 1.0;
        tile.points += 1;
        new
    }

    /// Sends the tiles that have grown much since they were sent, at the stream's current time.
    pub(crate) fn send(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        self.send_if(stream, Tile::due)
    }

    /// Sends every tile that is not there as it is.
    pub(crate) fn finish(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        self.send_if(stream, |tile| tile.points > tile.sent.0)
    }

    fn send_if(
        &mut self,
        stream: &RecordingStream,
        mut due: impl FnMut(&mut Tile) -> bool,
    ) -> Result<(), Error> {
        let by_height = self.levels.is_flat();
        let (levels, heights, colour) = (&self.levels, &self.heights, self.colour);
        let shade = |level: f32, height: f32| {
            colour(if by_height {
                heights.fraction(height)
            } else {
                levels.fraction(level)
            })
        };
        for (&key, tile) in &mut self.tiles {
            if due(tile) {
                tile.sent = (tile.points, tile.voxels.len());
                tile.looks = 0;
                let entity = format!("{}/{}_{}", self.entity, key[0], key[1]);
                stream.log(entity, &tile.picture(key, shade))?;
            }
        }
        Ok(())
    }
}

impl Tile {
    /// Whether it should be sent; asked at regular looks.
    fn due(&mut self) -> bool {
        self.quiet = if self.points > self.points_at_last_look {
            0
        } else {
            self.quiet.saturating_add(1)
        };
        self.points_at_last_look = self.points;
        self.looks = self.looks.saturating_add(1);
        let (points, voxels) = self.sent;
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

    /// Its voxels, coloured by mean level and height.
    fn picture(&self, key: [i32; 2], shade: impl Fn(f32, f32) -> Rgb) -> Points3D {
        let corner = corner(key);
        let place = |voxel: &Voxel, axis: usize| f64::from(voxel.place[axis] / voxel.count);
        let block = |voxel: &Voxel| {
            let edge = self.voxel_m * f64::from(SMOOTHING);
            [0, 1, 2].map(|axis| (place(voxel, axis) / edge).floor() as i32)
        };
        let mut blocks: HashMap<[i32; 3], (f32, f32)> = HashMap::new();
        for voxel in &self.voxels {
            let (level, count) = blocks.entry(block(voxel)).or_default();
            *level += voxel.level;
            *count += voxel.count;
        }
        let colours = self.voxels.iter().map(|voxel| {
            let (level, count) = blocks
                .get(&block(voxel))
                .copied()
                .unwrap_or((voxel.level, voxel.count));
            let [red, green, blue] = shade(level / count, voxel.place[2] / voxel.count);
            Color::from_rgb(red, green, blue)
        });
        let places = self
            .voxels
            .iter()
            .map(|voxel| [0, 1, 2].map(|axis| (place(voxel, axis) + corner[axis]) as f32));
        Points3D::new(places)
            .with_colors(colours)
            .with_radii([Radius::new_scene_units((self.voxel_m * RADIUS) as f32)])
    }
}

fn corner(key: [i32; 2]) -> [f64; 3] {
    [f64::from(key[0]) * TILE_M, f64::from(key[1]) * TILE_M, 0.0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour;

    fn tiles(limit: usize) -> Tiles {
        Tiles::new("map/test", colour::sound, 0.1, limit)
    }

    #[test]
    fn a_voxel_is_the_mean_of_its_points() {
        let mut tiles = tiles(100);
        assert!(tiles.add(&Vector3::new(-0.02, 40.02, 0.02), 3.0));
        assert!(!tiles.add(&Vector3::new(-0.04, 40.06, 0.06), 5.0));
        assert!(tiles.add(&Vector3::new(0.02, 40.02, 0.02), 3.0), "another tile");
        let tile = &tiles.tiles[&[-1, 1]];
        let voxel = tile.voxels[0];
        let mean = [0, 1, 2].map(|axis| f64::from(voxel.place[axis] / voxel.count) + corner([-1, 1])[axis]);
        for (found, expected) in mean.into_iter().zip([-0.03, 40.04, 0.04]) {
            assert!((found - expected).abs() < 1e-5, "{mean:?}");
        }
        assert_eq!(voxel.level / voxel.count, 4.0);
    }

    #[test]
    fn the_budget_holds_and_reaches_far() {
        let mut tiles = tiles(1000);
        let kept: Vec<i32> = (0..100_000)
            .filter(|&i| tiles.add(&Vector3::new(f64::from(i) * 0.1, 0.0, 0.0), 0.0))
            .collect();
        assert_eq!(kept.len(), 1000);
        assert!(kept.last().copied().unwrap() > 2000, "{kept:?}");
    }

    /// How often each tile was sent since this was asked last.
    fn sent(caught: &re_sdk::sink::MemorySinkStorage) -> BTreeMap<String, usize> {
        let mut sent = BTreeMap::new();
        for message in caught.take() {
            if let re_sdk::log::LogMsg::ArrowMsg(_, message) = message {
                let chunk = re_sdk::log::Chunk::from_arrow_msg(&message).unwrap();
                if !chunk.entity_path().to_string().starts_with("/map") {
                    continue;
                }
                *sent.entry(chunk.entity_path().to_string()).or_default() += chunk.num_rows();
            }
        }
        sent
    }

    #[test]
    fn a_tile_that_is_left_is_sent_whole_and_never_again() {
        let (stream, caught) = re_sdk::RecordingStreamBuilder::new("test").memory().unwrap();
        let mut tiles = tiles(200_000);
        // Three metres each look, seeing ten to either side: a tile is in sight for 17 looks.
        for look in 0..300 {
            for i in 0..2_000 {
                let east = f64::from(look) * 3.0 + f64::from(i % 200) * 0.1 - 10.0;
                let north = f64::from((i * 7 + look * 13) % 311) * 0.1;
                tiles.add(&Vector3::new(east, north, 1.0), 0.0);
            }
            tiles.send(&stream).unwrap();
        }
        stream.flush_blocking().unwrap();
        let under_way = sent(&caught);
        assert!(under_way.len() > 20, "{under_way:?}");
        for (tile, times) in &under_way {
            assert!((1..=5).contains(times), "{tile}: {times}");
        }
        for _ in 0..100 {
            tiles.send(&stream).unwrap();
        }
        stream.flush_blocking().unwrap();
        let left = sent(&caught);
        // Those in sight at the end.
        assert!(
            left.len() <= 2 && left.values().all(|&times| times == 1),
            "{left:?}"
        );
        tiles.finish(&stream).unwrap();
        stream.flush_blocking().unwrap();
        assert_eq!(sent(&caught), BTreeMap::new(), "all of it is there already");
    }

    #[test]
    fn a_tile_looked_at_for_hours_is_sent_a_few_times() {
        let (stream, caught) = re_sdk::RecordingStreamBuilder::new("test").memory().unwrap();
        let mut tiles = tiles(10_000);
        for look in 0..2_000 {
            for i in 0..100 {
                tiles.add(&Vector3::new(f64::from(i) * 0.1, f64::from(look % 7), 1.0), 0.0);
            }
            tiles.send(&stream).unwrap();
        }
        for _ in 0..100 {
            tiles.send(&stream).unwrap();
        }
        tiles.finish(&stream).unwrap();
        stream.flush_blocking().unwrap();
        // At once, once when it shows twice as much, and once when it is left.
        assert_eq!(sent(&caught).into_values().collect::<Vec<_>>(), [3]);
    }
}
