//! Thinning of a scan on two levels: what extends the map, and what is laid on it.
//!
//! One sweep over the scan's columns keeps the first point in range of every small cube; of those,
//! the first of every large cube works in the alignment. The large cubes' edge follows the scans so
//! that about as many remain as are wanted, whether a lidar has 16 rings or 128, in a room or a
//! harbour. The tables are never cleared: a slot counts only if it carries the current generation.

use crate::columns::floor;

/// Points looked at together: range and cube of all before the table is asked.
const BLOCK: usize = 64;
/// Slots of a new table.
const FIRST_SLOTS: usize = 1 << 14;
/// Bits of a cube's number along an axis.
const AXIS_BITS: u32 = 16;
/// Bits below the generation in a slot.
const KEY_BITS: u32 = 3 * AXIS_BITS;
/// Factor of a multiplicative hash (2⁶⁴ over the golden ratio; Knuth, TAOCP 3, 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// Times the wanted number at which the large cubes are chosen anew within the scan.
const TOO_FEW: f32 = 0.75;
const TOO_MANY: f32 = 1.6;
/// Tries to find the edge within one scan.
const TRIES: usize = 6;

/// Cubes that have been seen in the current generation.
struct Seen {
    /// Generation above, packed cube below.
    slots: Vec<u64>,
    generation: u64,
    used: usize,
}

impl Seen {
    fn new() -> Self {
        Self {
            slots: vec![0; FIRST_SLOTS],
            generation: 0,
            used: 0,
        }
    }

    fn begin(&mut self) {
        self.used = 0;
        self.generation += 1;
        if self.generation >> (64 - KEY_BITS) != 0 {
            self.slots.fill(0);
            self.generation = 1;
        }
    }

    /// Whether this is the first point of its cube.
    fn is_new(&mut self, cube: u64) -> bool {
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        let word = self.generation << KEY_BITS | cube;
        let new = put(&mut self.slots, self.generation, word);
        self.used += usize::from(new);
        new
    }

    fn has(&self, cube: u64) -> bool {
        let word = self.generation << KEY_BITS | cube;
        let mask = self.slots.len() - 1;
        let mut slot = first_slot(cube, self.slots.len());
        while self.slots[slot] >> KEY_BITS == self.generation {
            if self.slots[slot] == word {
                return true;
            }
            slot = (slot + 1) & mask;
        }
        false
    }

    fn grow(&mut self) {
        let larger = vec![0; self.slots.len() * 2];
        for word in std::mem::replace(&mut self.slots, larger) {
            if word >> KEY_BITS == self.generation {
                put(&mut self.slots, self.generation, word);
            }
        }
    }
}

fn first_slot(cube: u64, slots: usize) -> usize {
    (cube.wrapping_mul(GOLDEN) >> (64 - slots.trailing_zeros())) as usize
}

fn put(slots: &mut [u64], generation: u64, word: u64) -> bool {
    let mask = slots.len() - 1;
    let mut slot = first_slot(word & ((1 << KEY_BITS) - 1), slots.len());
    while slots[slot] >> KEY_BITS == generation {
        if slots[slot] == word {
            return false;
        }
        slot = (slot + 1) & mask;
    }
    slots[slot] = word;
    true
}

/// Three cube numbers in one word; they wrap after 2¹⁶ cubes.
fn cube(x: i32, y: i32, z: i32) -> u64 {
    let part = |value: i32| u64::from(value as u16);
    part(x) << (2 * AXIS_BITS) | part(y) << AXIS_BITS | part(z)
}

/// A scan's columns, and between which ranges its points work.
#[derive(Clone, Copy)]
pub(crate) struct Sweep<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) y: &'a [f32],
    pub(crate) z: &'a [f32],
    pub(crate) in_range_m: (f32, f32),
}

impl Sweep<'_> {
    fn cube(&self, index: u32, per_m: f32) -> u64 {
        let axis = |column: &[f32]| floor(column[index as usize] * per_m);
        cube(axis(self.x), axis(self.y), axis(self.z))
    }

    /// Appends the first point in range of every cube between two indices.
    fn first_of_cubes(&self, between: (usize, usize), edge_m: f32, seen: &mut Seen, kept: &mut Vec<u32>) {
        let per_m = edge_m.recip();
        let near2 = self.in_range_m.0 * self.in_range_m.0;
        let far2 = self.in_range_m.1 * self.in_range_m.1;
        let mut last = u64::MAX;
        let mut start = between.0;
        while start < between.1 {
            let end = (start + BLOCK).min(between.1);
            let (x, y, z) = (&self.x[start..end], &self.y[start..end], &self.z[start..end]);
            let mut inside = [false; BLOCK];
            let mut number = [[0i32; BLOCK]; 3];
            for (((inside, x), y), z) in inside.iter_mut().zip(x).zip(y).zip(z) {
                let range2 = x * x + y * y + z * z;
                *inside = (range2 >= near2) & (range2 <= far2);
            }
            for (numbers, column) in number.iter_mut().zip([x, y, z]) {
                for (number, value) in numbers.iter_mut().zip(column) {
                    *number = floor(value * per_m);
                }
            }
            for (lane, inside) in inside.into_iter().enumerate().take(x.len()) {
                let cube = cube(number[0][lane], number[1][lane], number[2][lane]);
                // Neighbours along a ring mostly share a cube: the table need not be asked again.
                if inside && cube != last {
                    last = cube;
                    if seen.is_new(cube) {
                        kept.push((start + lane) as u32);
                    }
                }
            }
            start = end;
        }
    }
}

/// The points of a scan that work, as indices in the scan's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chosen {
    /// For the map.
    pub(crate) fine: Vec<u32>,
    /// For the alignment.
    pub(crate) coarse: Vec<u32>,
}

/// Thins scan after scan.
pub(crate) struct Thinner {
    wanted: f32,
    fine_edge_m: f32,
    coarse_edge_m: f32,
    /// Smallest and largest edge of the large cubes, in metres.
    edges_m: (f32, f32),
    halves: [Seen; 2],
    large: Seen,
}

impl Thinner {
    /// For a map of this voxel and about so many points in the alignment.
    pub(crate) fn new(voxel_m: f32, wanted: u32) -> Self {
        Self {
            wanted: wanted as f32,
            fine_edge_m: FINE_PART * voxel_m,
            coarse_edge_m: COARSE_PART * voxel_m,
            edges_m: (LEAST_COARSE_PART * voxel_m, COARSE_PART * voxel_m),
            halves: [Seen::new(), Seen::new()],
            large: Seen::new(),
        }
    }

    /// Chooses the points of a scan.
    pub(crate) fn thin(&mut self, sweep: &Sweep<'_>) -> Chosen {
        let fine = self.fine(sweep);
        let coarse = self.coarse(sweep, &fine);
        Chosen { fine, coarse }
    }

    /// The scan's two halves at once; what the second half repeats of the first is dropped, so that
    /// the answer is that of one sweep in order.
    fn fine(&mut self, sweep: &Sweep<'_>) -> Vec<u32> {
        let (points, edge_m) = (sweep.x.len(), self.fine_edge_m);
        let [left, right] = &mut self.halves;
        left.begin();
        let mut kept = Vec::with_capacity(points / 4);
        if rayon::current_num_threads() == 1 {
            sweep.first_of_cubes((0, points), edge_m, left, &mut kept);
            return kept;
        }
        right.begin();
        let middle = points / 2;
        let mut rest = Vec::with_capacity(points / 8);
        rayon::join(
            || sweep.first_of_cubes((0, middle), edge_m, left, &mut kept),
            || sweep.first_of_cubes((middle, points), edge_m, right, &mut rest),
        );
        let per_m = edge_m.recip();
        kept.extend(rest.iter().filter(|&&index| !left.has(sweep.cube(index, per_m))));
        kept
    }

    fn coarse(&mut self, sweep: &Sweep<'_>, fine: &[u32]) -> Vec<u32> {
        let mut best = Vec::new();
        for _ in 0..TRIES {
            best = self.coarse_of(sweep, fine, self.coarse_edge_m);
            let share = best.len() as f32 / self.wanted;
            // Points lie on surfaces: their number falls with the square of the edge.
            let wanted_edge_m = self.coarse_edge_m * share.max(0.04).sqrt();
            let before = self.coarse_edge_m;
            self.coarse_edge_m = wanted_edge_m.clamp(self.edges_m.0, self.edges_m.1);
            if (TOO_FEW..=TOO_MANY).contains(&share) || self.coarse_edge_m == before {
                break;
            }
        }
        best
    }

    fn coarse_of(&mut self, sweep: &Sweep<'_>, fine: &[u32], edge_m: f32) -> Vec<u32> {
        self.large.begin();
        let mut kept = Vec::with_capacity(2 * self.wanted as usize);
        if edge_m <= 2.0 * self.fine_edge_m {
            // Not coarser than the map's points: take from the whole scan.
            sweep.first_of_cubes((0, sweep.x.len()), edge_m, &mut self.large, &mut kept);
            return kept;
        }
        let per_m = edge_m.recip();
        let large = &mut self.large;
        kept.extend(
            fine.iter()
                .filter(|&&index| large.is_new(sweep.cube(index, per_m))),
        );
        kept
    }
}

/// Edge of the map's points, and of the alignment's at most and at least, in voxels. KISS-ICP
/// (Vizzo et al., IEEE RA-L 8(2), 2023) has 0.5 and 1.5.
const FINE_PART: f32 = 0.35;
const COARSE_PART: f32 = 1.5;
const LEAST_COARSE_PART: f32 = 0.15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::spread_bits;
    use std::collections::BTreeSet;

    fn cloud(points: u32, half_width_m: f32) -> [Vec<f32>; 3] {
        [0u64, 1, 2].map(|axis| {
            let at = |i: u32| spread_bits(u64::from(i) * 3 + axis) as f32 / u64::MAX as f32 * 2.0 - 1.0;
            (0..points).map(|i| at(i) * half_width_m).collect()
        })
    }

    fn sweep(columns: &[Vec<f32>; 3]) -> Sweep<'_> {
        Sweep {
            x: &columns[0],
            y: &columns[1],
            z: &columns[2],
            in_range_m: (1.0, 9.0),
        }
    }

    #[test]
    fn the_first_point_in_range_of_every_cube_is_kept_in_order_for_any_number_of_threads() {
        let columns = cloud(30_000, 8.0);
        let per_m = (FINE_PART * 2.5).recip();
        let mut cubes = BTreeSet::new();
        let plain: Vec<u32> = (0..30_000u32)
            .filter(|&i| {
                let p = [0, 1, 2].map(|axis| columns[axis][i as usize]);
                let range = p.iter().map(|value| value * value).sum::<f32>().sqrt();
                (1.0..=9.0).contains(&range) && cubes.insert(p.map(|value| (value * per_m).floor() as i32))
            })
            .collect();
        for threads in [1, 2, 8] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let mut thinner = Thinner::new(2.5, 100);
            for _ in 0..3 {
                let chosen = pool.install(|| thinner.thin(&sweep(&columns)));
                assert_eq!(chosen.fine, plain, "{threads} threads");
            }
        }
    }

    #[test]
    fn the_number_in_the_alignment_is_near_the_wanted_one_in_a_room_and_a_hall() {
        for half_width_m in [2.0, 8.0] {
            for points in [8_000, 60_000] {
                let mut columns = cloud(points, half_width_m);
                // A box of walls.
                for i in 0..points as usize {
                    columns[i % 3][i] = half_width_m * columns[i % 3][i].signum();
                }
                let mut thinner = Thinner::new(1.0, 1000);
                for _ in 0..5 {
                    let chosen = thinner.thin(&sweep(&columns));
                    let found = chosen.coarse.len();
                    assert!(
                        (600..2000).contains(&found),
                        "{half_width_m} m, {points}: {found}"
                    );
                }
            }
        }
    }

    #[test]
    fn old_generations_do_not_count() {
        let mut seen = Seen::new();
        seen.generation = (1 << (64 - KEY_BITS)) - 2;
        for _ in 0..4 {
            seen.begin();
            assert!(seen.is_new(7));
            assert!(!seen.is_new(7) && seen.has(7) && !seen.has(8));
        }
    }
}
