//! Many nearest points at once: places that lie in one voxel are answered one after the other.
//!
//! The cells of a voxel and of its neighbours are then found once for all of them and stay in the
//! processor's cache, and what one place needed the next mostly needs too. Answers are those of
//! `VoxelMap::find_nearest`.

use super::beside::Beside;
use super::search::{Found, nearest};
use super::shard::{BLOCK_VOXELS, block_of, place_in_block};
use super::{Anchored, Voxel, VoxelMap};

/// Places that are sorted together: what that takes of memory is bounded.
const TOGETHER: usize = 1 << 20;

/// A place, by its number among those asked and in its voxel.
#[derive(Clone, Copy, Default)]
struct Asked {
    number: u32,
    inside: [f32; 3],
}

impl VoxelMap {
    /// The nearest map point within `radius_m` of each place, in metres from the map's origin; the
    /// answer to the place of a number is given with that number, in no useful order.
    pub(crate) fn find_all(&self, places: &[[f32; 3]], radius_m: f32, mut found: impl FnMut(usize, Found)) {
        for (part, places) in places.chunks(TOGETHER).enumerate() {
            self.find_part(places, radius_m, |number, answer| {
                found(part * TOGETHER + number, answer);
            });
        }
    }

    fn find_part(&self, places: &[[f32; 3]], radius_m: f32, mut found: impl FnMut(usize, Found)) {
        let blocks = FirstBlocks::of(self);
        let elsewhere = blocks.count * BLOCK_VOXELS;
        let slots = self.slots(places, &blocks);
        let (sorted, ends) = self.sorted(places, &slots, elsewhere + 1);
        let mut from = 0;
        for (slot, &end) in ends.iter().enumerate() {
            let together = &sorted[from as usize..end as usize];
            from = end;
            let Some(first) = together.first() else {
                continue;
            };
            if slot == elsewhere {
                for asked in together {
                    let (voxel, inside) = self.in_voxel(&places[asked.number as usize]);
                    found(asked.number as usize, self.find_nearest(voxel, inside, radius_m));
                }
                continue;
            }
            let (voxel, _) = self.in_voxel(&places[first.number as usize]);
            let around = self.cells_around(voxel);
            for asked in together {
                let cell_at = |beside: &Beside| around[beside.code];
                let answer = nearest(asked.inside, self.size_m, radius_m, cell_at);
                found(asked.number as usize, answer);
            }
        }
    }

    fn in_voxel(&self, place: &[f32; 3]) -> (Voxel, [f32; 3]) {
        self.normalized(&Anchored {
            voxel: [0; 3],
            offset: *place,
        })
    }

    /// For each place the number of its voxel among those of all blocks, or one more than they are.
    fn slots(&self, places: &[[f32; 3]], blocks: &FirstBlocks) -> Vec<u32> {
        let mut last = None;
        let slot = |place: &[f32; 3]| {
            let (voxel, _) = self.in_voxel(place);
            let block = block_of(voxel);
            let number = match last {
                // Places that follow each other mostly lie near each other.
                Some((same, number)) if same == block => number,
                _ => self.block(block).map_or(blocks.count, |id| blocks.number(id)),
            };
            last = Some((block, number));
            let inside = if number == blocks.count {
                0
            } else {
                place_in_block(voxel)
            };
            (number * BLOCK_VOXELS + inside) as u32
        };
        places.iter().map(slot).collect()
    }

    /// The places by their slots, and where each slot's end.
    fn sorted(&self, places: &[[f32; 3]], slots: &[u32], count: usize) -> (Vec<Asked>, Vec<u32>) {
        let mut ends = vec![0u32; count + 1];
        for &slot in slots {
            ends[slot as usize + 1] += 1;
        }
        for slot in 0..count {
            ends[slot + 1] += ends[slot];
        }
        let mut sorted = vec![Asked::default(); places.len()];
        for (number, (place, &slot)) in places.iter().zip(slots).enumerate() {
            let end = &mut ends[slot as usize];
            sorted[*end as usize] = Asked {
                number: number as u32,
                inside: self.in_voxel(place).1,
            };
            *end += 1;
        }
        ends.pop();
        (sorted, ends)
    }
}

/// Numbers the blocks of all shards in a row.
struct FirstBlocks {
    first: Vec<usize>,
    count: usize,
}

impl FirstBlocks {
    fn of(map: &VoxelMap) -> Self {
        let mut count = 0;
        let first = map
            .shards
            .iter()
            .map(|shard| {
                let first = count;
                count += shard.blocks();
                first
            })
            .collect();
        Self { first, count }
    }

    fn number(&self, (shard, block): (u32, u32)) -> usize {
        self.first[shard as usize] + block as usize
    }
}
