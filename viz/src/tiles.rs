//! The map: tiles of voxels, at most so many. A tile is sent when it is whole: when nothing new has
//! been seen of it for a while. Until then it is shown now and then as it grows.
//!
//! When there is no room for more, voxels become coarser with the distance from the vessel, so that
//! all look equally large from there: what is near stays as it is, and a day's survey stays within
//! the bound. A tile that is seen again from near is fine again.

use std::collections::BTreeMap;

use nalgebra::{Vector2, Vector3};
use re_sdk::RecordingStream;

use crate::Error;
use crate::colour::{Rgb, Scale};
use crate::tile::{Added, Key, LEVELS, TILE_M, Tile, corner};

/// Nothing counts as nearer to the vessel than this, metres: half a tile.
const NEAREST_M: f64 = TILE_M / 2.0;
/// When room is made, voxels grow by this factor until an eighth of all is free.
const COARSER: f64 = 1.1;
const FREE_PART: usize = 8;
/// A tile counts as this much farther away before it is made finer: a vessel that lies between two
/// distances does not have it sent again and again.
const RELUCTANCE: f64 = 1.25;

/// Points of one kind, in `World`.
pub(crate) struct Tiles {
    entity: &'static str,
    colour: fn(f32) -> Rgb,
    levels: Scale,
    /// Takes the place of levels where all are the same: a lidar without intensity.
    heights: Scale,
    tiles: BTreeMap<Key, Tile>,
    /// Edge of the finest voxels, metres.
    voxel_m: f64,
    /// Voxels there are, and may be.
    kept: usize,
    limit: usize,
    /// Edge of a voxel as a part of its distance from the vessel, at least; zero while there is room
    /// for all that is fine. It only grows.
    coarseness: f64,
    vessel: Vector2<f64>,
}

impl Tiles {
    /// At most `limit` voxels below this entity, the finest of this edge.
    pub(crate) fn new(entity: &'static str, colour: fn(f32) -> Rgb, voxel_m: f64, limit: usize) -> Self {
        Self {
            entity,
            colour,
            levels: Scale::new(0.05, 0.98),
            heights: Scale::new(0.02, 0.95),
            tiles: BTreeMap::new(),
            voxel_m,
            kept: 0,
            limit,
            coarseness: 0.0,
            vessel: Vector2::zeros(),
        }
    }

    /// Levels have this span from the beginning, whatever comes.
    pub(crate) fn spanning(mut self, span: Option<(f32, f32)>) -> Self {
        if let Some(span) = span {
            self.levels = Scale::fixed(span);
        }
        self
    }

    /// Levels have another span from now on: all tiles are to be sent once more.
    pub(crate) fn span_anew(&mut self, span: (f32, f32)) {
        self.levels = Scale::fixed(span);
        self.tiles.values_mut().for_each(Tile::recolour);
    }

    /// Follows levels, and heights in metres, for what comes.
    pub(crate) fn follow(&mut self, levels: impl Iterator<Item = f32>, heights: impl Iterator<Item = f32>) {
        self.levels.follow(levels);
        self.heights.follow(heights);
    }

    /// The vessel is here.
    pub(crate) fn pass(&mut self, vessel: &Vector3<f64>) {
        self.vessel = vessel.xy();
    }

    /// Adds a point to its voxel; says whether it is the first there.
    pub(crate) fn add(&mut self, place: &Vector3<f64>, level: f32) -> bool {
        if self.kept >= self.limit {
            self.make_room();
        }
        let key = [0, 1].map(|axis| (place[axis] / TILE_M).floor() as i32);
        let size = self.level_at(self.distance_m(key));
        let tile = self
            .tiles
            .entry(key)
            .or_insert_with(|| Tile::new(self.voxel_m, size));
        let corner = corner(key);
        let from_corner = [0, 1, 2].map(|axis| place[axis] - corner[axis]);
        let added = tile.add(from_corner, level, self.kept < self.limit);
        self.kept += usize::from(added == Added::New);
        added == Added::New
    }

    /// From the vessel to the middle of a tile, metres.
    fn distance_m(&self, key: Key) -> f64 {
        let [east, north, _] = corner(key);
        let middle = Vector2::new(east + TILE_M / 2.0, north + TILE_M / 2.0);
        (middle - self.vessel).norm().max(NEAREST_M)
    }

    /// How large voxels are to be at this distance.
    fn level_at(&self, distance_m: f64) -> u8 {
        let edge_m = |level: &u8| self.voxel_m * f64::from(1u32 << level);
        let wanted_m = self.coarseness * distance_m;
        (0..LEVELS)
            .find(|level| edge_m(level) >= wanted_m)
            .unwrap_or(LEVELS - 1)
    }

    /// Makes voxels coarser, the farthest first, until there is room for more, or all are as coarse as
    /// can be.
    fn make_room(&mut self) {
        let distances = self.tiles.keys().map(|&key| self.distance_m(key));
        let farthest_m = distances.fold(NEAREST_M, f64::max);
        let largest_m = self.voxel_m * f64::from(1u32 << (LEVELS - 1));
        while self.kept > self.limit - self.limit / FREE_PART && self.coarseness * NEAREST_M < largest_m {
            self.coarseness = (self.coarseness * COARSER).max(self.voxel_m / farthest_m);
            self.fit();
        }
    }

    /// Gives each tile voxels of the size that its distance asks for.
    fn fit(&mut self) {
        let wanted: Vec<[u8; 2]> = self
            .tiles
            .keys()
            .map(|&key| self.distance_m(key))
            .map(|distance_m| [1.0, RELUCTANCE].map(|factor| self.level_at(factor * distance_m)))
            .collect();
        for (tile, [coarse, fine]) in self.tiles.values_mut().zip(wanted) {
            self.kept -= tile.coarsen(coarse);
            tile.refine(fine);
        }
    }

    /// Sends the tiles that have changed much since they were sent, at the stream's current time.
    pub(crate) fn send(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        self.fit();
        self.send_if(stream, Tile::due)
    }

    /// Sends every tile that is not there as it is.
    pub(crate) fn finish(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        self.send_if(stream, |tile| tile.is_unsent())
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
                tile.mark_sent();
                let entity = format!("{}/{}_{}", self.entity, key[0], key[1]);
                stream.log(entity, &tile.picture(key, shade))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour;

    fn tiles(limit: usize) -> Tiles {
        Tiles::new("map/test", colour::sound, 0.1, limit)
    }

    /// A stretch of wall around `east_m`, seen ten metres to either side: a metre high, a point in the
    /// middle of each voxel.
    fn see(tiles: &mut Tiles, east_m: u32) {
        tiles.pass(&Vector3::new(f64::from(east_m), 0.0, 0.0));
        for i in 0..2_000 {
            let east = f64::from(east_m) + (f64::from(i % 200) + 0.5) * 0.1 - 10.0;
            let up = (f64::from(i / 200) + 0.5) * 0.1;
            tiles.add(&Vector3::new(east, 8.0, up), up as f32);
        }
    }

    fn check_count(tiles: &Tiles) {
        let there: usize = tiles.tiles.values().map(Tile::len).sum();
        assert_eq!(tiles.kept, there);
        assert!(there <= tiles.limit, "{there} of {}", tiles.limit);
    }

    #[test]
    fn the_bound_holds_and_what_is_near_stays_fine() {
        let (stream, _caught) = re_sdk::RecordingStreamBuilder::new("test").memory().unwrap();
        let mut tiles = tiles(20_000);
        let mut shown = Vec::new();
        for look in 0..3_000 {
            see(&mut tiles, look);
            check_count(&tiles);
            if look % 3 == 0 {
                tiles.send(&stream).unwrap();
                shown.push(tiles.tiles.values().map(Tile::shown).sum::<usize>());
            }
        }
        assert!(shown.iter().all(|&shown| shown <= 20_000), "never more on screen");
        assert!(shown.last().unwrap() * 2 > 20_000, "and it is made use of");
        let level = |east: i32| tiles.tiles[&[east / 32, 0]].level();
        assert_eq!(level(2_995), 0);
        assert!(level(2_000) > 0 && level(10) > level(2_000), "coarser behind");
        assert_eq!(tiles.tiles.len(), 96, "nothing of three kilometres is missing");
    }

    #[test]
    fn a_second_pass_adds_nothing() {
        let (stream, caught) = re_sdk::RecordingStreamBuilder::new("test").memory().unwrap();
        let mut tiles = tiles(20_000);
        let mut passes = Vec::new();
        for pass in 0..4 {
            for look in 0..1_000 {
                // There and back.
                let east = if pass % 2 == 0 { look } else { 1_000 - look };
                see(&mut tiles, east);
                tiles.send(&stream).unwrap();
            }
            stream.flush_blocking().unwrap();
            let times: usize = sent(&caught).into_values().sum();
            passes.push((tiles.kept, tiles.coarseness, times));
            let here = tiles.level_at(NEAREST_M);
            assert_eq!(here, 0, "where the vessel is it is as fine as at first");
        }
        println!("voxels, coarseness, and tiles sent by pass: {passes:?}");
        check_count(&tiles);
        let (_, first, sent) = passes[1];
        let (_, last, sent_last) = passes[3];
        assert!(last < 1.5 * first, "{passes:?}");
        assert!(sent_last < sent + sent / 4, "{passes:?}");
    }

    #[test]
    fn with_room_a_second_pass_leaves_the_map_as_it_is() {
        let mut tiles = tiles(100_000);
        for look in 0..200 {
            see(&mut tiles, look);
        }
        let kept = tiles.kept;
        for look in 0..200 {
            see(&mut tiles, 199 - look);
        }
        assert!(
            kept > 20_000 && tiles.kept < kept + kept / 20,
            "{kept}, {}",
            tiles.kept
        );
        assert_eq!(tiles.coarseness, 0.0);
    }

    #[test]
    fn the_same_points_make_the_same_map() {
        let map = || {
            let (stream, _caught) = re_sdk::RecordingStreamBuilder::new("test").memory().unwrap();
            let mut tiles = tiles(5_000);
            for look in 0..1_000 {
                see(&mut tiles, look);
                tiles.send(&stream).unwrap();
            }
            let shade = |level: f32, _| colour::sound(level);
            let pictures = tiles.tiles.iter().map(|(&key, tile)| {
                let picture = tile.picture(key, shade);
                let columns = [picture.positions, picture.colors, picture.radii];
                columns.map(|column| column.unwrap().array)
            });
            pictures.collect::<Vec<_>>()
        };
        let once = map();
        assert!(once.len() > 30, "{}", once.len());
        assert!(once == map(), "the pictures differ");
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
