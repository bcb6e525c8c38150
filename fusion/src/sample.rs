//! Thinning: the first point of every cube, in the scan's order.

use crate::table::{pack, spread_bits};

/// A table that is never cleared: a slot counts only if it carries the current generation.
#[derive(Default)]
pub(crate) struct Sampler {
    slots: Vec<(u64, u32)>,
    generation: u32,
}

impl Sampler {
    /// The indices (taken from `among`) of the first point in every cube of this edge.
    pub(crate) fn first_per_voxel(&mut self, points: &[[f32; 3]], among: &[u32], edge_m: f32) -> Vec<u32> {
        let wanted = (among.len() * 2).next_power_of_two().max(1024);
        if self.slots.len() < wanted || self.generation == u32::MAX {
            self.slots = vec![(0, 0); wanted.max(self.slots.len())];
            self.generation = 0;
        }
        self.generation += 1;
        let mask = self.slots.len() - 1;
        let inverse = edge_m.recip();
        let mut kept = Vec::new();
        for &index in among {
            let voxel = points[index as usize].map(|value| (value * inverse).floor() as i32);
            let key = pack(voxel);
            let mut slot = spread_bits(key) as usize & mask;
            loop {
                let (found, generation) = self.slots[slot];
                if generation != self.generation {
                    self.slots[slot] = (key, self.generation);
                    kept.push(index);
                    break;
                }
                if found == key {
                    break;
                }
                slot = (slot + 1) & mask;
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_point_of_every_cube_is_kept_in_order() {
        let points = [
            [0.1, 0.1, 0.1],
            [0.9, 0.9, 0.9],
            [-0.1, 0.0, 0.0],
            [1.1, 0.0, 0.0],
            [0.2, 0.0, 0.0],
        ];
        let mut sampler = Sampler::default();
        for _ in 0..3 {
            let kept = sampler.first_per_voxel(&points, &[0, 1, 2, 3, 4], 1.0);
            assert_eq!(kept, [0, 2, 3]);
            assert_eq!(sampler.first_per_voxel(&points, &[4, 1], 1.0), [4]);
        }
    }
}
