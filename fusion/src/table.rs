//! A hash table from blocks of voxels to their numbers: open addressing, one fixed hash, never iterated.

/// Bits per axis of a packed key.
const KEY_BITS: u32 = 21;
/// An empty slot.
const EMPTY: u32 = u32::MAX;
/// Slots of a new table.
const FIRST_SLOTS: usize = 1 << 10;
/// Bits of the hash that a table does not use.
const SHARD_BITS: u32 = 4;

/// Keys and numbers; at most half full.
pub(crate) struct Table {
    slots: Vec<(u64, u32)>,
    used: usize,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self {
            slots: vec![(0, EMPTY); FIRST_SLOTS],
            used: 0,
        }
    }

    #[inline(always)]
    pub(crate) fn find(&self, key: u64) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut slot = first_slot(key, self.slots.len());
        loop {
            let (found, id) = self.slots[slot];
            if id == EMPTY {
                return None;
            }
            if found == key {
                return Some(id);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Adds a key that is not in the table.
    pub(crate) fn insert(&mut self, key: u64, id: u32) {
        if (self.used + 1) * 2 > self.slots.len() {
            let larger = vec![(0, EMPTY); self.slots.len() * 2];
            for (key, id) in std::mem::replace(&mut self.slots, larger) {
                if id != EMPTY {
                    self.put(key, id);
                }
            }
        }
        self.put(key, id);
        self.used += 1;
    }

    /// Forgets everything and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.slots.fill((0, EMPTY));
        self.used = 0;
    }

    fn put(&mut self, key: u64, id: u32) {
        let mask = self.slots.len() - 1;
        let mut slot = first_slot(key, self.slots.len());
        while self.slots[slot].1 != EMPTY {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = (key, id);
    }
}

/// Three voxel numbers in one word. They wrap after 2²¹ voxels, a thousand kilometres or more.
#[inline(always)]
pub(crate) fn pack(voxel: [i32; 3]) -> u64 {
    let part = |value: i32| u64::from(value as u32) & ((1 << KEY_BITS) - 1);
    part(voxel[0]) << (2 * KEY_BITS) | part(voxel[1]) << KEY_BITS | part(voxel[2])
}

/// A multiplicative hash: its highest bits are well mixed (Knuth, TAOCP 3, 6.4).
#[inline(always)]
pub(crate) fn scrambled(key: u64) -> u64 {
    /// 2⁶⁴ over the golden ratio.
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    key.wrapping_mul(GOLDEN)
}

/// The highest bits have chosen the map's shard, and are the same for all keys of a table.
#[inline(always)]
fn first_slot(key: u64, slots: usize) -> usize {
    ((scrambled(key) << SHARD_BITS) >> (u64::BITS - slots.trailing_zeros())) as usize
}

/// A fixed hash: the finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
pub(crate) fn spread_bits(key: u64) -> u64 {
    let mut bits = key;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_table_holds_what_a_tree_holds() {
        let mut table = Table::new();
        let mut twin = BTreeMap::new();
        for id in 0..20_000u32 {
            let n = id as i32;
            let key = pack([n % 71 - 35, n / 71 - 140, (n * 7) % 13]);
            if let std::collections::btree_map::Entry::Vacant(entry) = twin.entry(key) {
                entry.insert(id);
                table.insert(key, id);
            }
        }
        assert!(twin.iter().all(|(&key, &id)| table.find(key) == Some(id)));
        assert_eq!(table.find(pack([500, 500, 500])), None);
        table.clear();
        assert!(twin.keys().all(|&key| table.find(key).is_none()));
    }
}
