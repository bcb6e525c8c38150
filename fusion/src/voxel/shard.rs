//! A part of the map: cells, and the blocks of voxels they are found by.
//!
//! A block of 4 × 4 × 4 voxels has one entry in the hash, and knows the cells of its voxels by their
//! place. So of a voxel's neighbours most cost no look into the hash, and empty ones cost nothing more.

use beluga_types::elementary::Squared;

use super::cell::Cell;
use crate::table::{Table, pack};

/// Voxels along a block's edge, as a power of two.
const EDGE_BITS: u32 = 2;
/// Voxels of a block.
pub(super) const BLOCK_VOXELS: usize = 1 << (3 * EDGE_BITS);
/// No cell.
const EMPTY: u32 = u32::MAX;

/// The cells of a block's voxels.
#[derive(Clone)]
struct Block([u32; BLOCK_VOXELS]);

/// The block a voxel lies in.
#[inline(always)]
pub(super) fn block_of(voxel: [i32; 3]) -> [i32; 3] {
    voxel.map(|number| number >> EDGE_BITS)
}

/// A voxel's place in its block.
#[inline(always)]
pub(super) fn place_in_block(voxel: [i32; 3]) -> usize {
    let mask = (1 << EDGE_BITS) - 1;
    let [x, y, z] = voxel.map(|number| (number & mask) as usize);
    (x << (2 * EDGE_BITS)) | (y << EDGE_BITS) | z
}

/// The cells of some blocks.
pub(super) struct Shard {
    table: Table,
    blocks: Vec<Block>,
    pub(super) cells: Vec<Cell>,
    free: Vec<u32>,
    pub(super) dirty: Vec<u32>,
    pub(super) live: usize,
}

impl Shard {
    pub(super) fn new() -> Self {
        Self {
            table: Table::new(),
            blocks: Vec::new(),
            cells: Vec::new(),
            free: Vec::new(),
            dirty: Vec::new(),
            live: 0,
        }
    }

    pub(super) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The number of a block, if one of its voxels ever held something.
    #[inline(always)]
    pub(super) fn block(&self, block: [i32; 3]) -> Option<u32> {
        self.table.find(pack(block))
    }

    /// The number of the cell at a place of a block.
    #[inline(always)]
    pub(super) fn cell_in(&self, block: u32, place: usize) -> Option<u32> {
        let number = self.blocks[block as usize].0[place];
        (number != EMPTY).then_some(number)
    }

    pub(super) fn insert(&mut self, voxel: [i32; 3], inside: [f32; 3], spacing2: f32) {
        let number = self.find_or_make(voxel);
        if self.cells[number as usize].insert(inside, spacing2) {
            self.dirty.push(number);
        }
    }

    fn find_or_make(&mut self, voxel: [i32; 3]) -> u32 {
        let block = self.find_or_make_block(voxel);
        if let Some(number) = self.cell_in(block, place_in_block(voxel)) {
            return number;
        }
        let cell = Cell::new(voxel);
        let number = match self.free.pop() {
            Some(number) => {
                self.cells[number as usize] = cell;
                number
            }
            None => {
                self.cells.push(cell);
                (self.cells.len() - 1) as u32
            }
        };
        self.live += 1;
        self.blocks[block as usize].0[place_in_block(voxel)] = number;
        number
    }

    fn find_or_make_block(&mut self, voxel: [i32; 3]) -> u32 {
        let block = block_of(voxel);
        self.block(block).unwrap_or_else(|| {
            let number = self.blocks.len() as u32;
            self.blocks.push(Block([EMPTY; BLOCK_VOXELS]));
            self.table.insert(pack(block), number);
            number
        })
    }

    /// Forgets the cells farther than so many voxels.
    pub(super) fn keep_within(&mut self, voxel: [i32; 3], radius2: f64) {
        let mut removed = false;
        for (number, cell) in self.cells.iter_mut().enumerate() {
            let distance2: f64 = (0..3)
                .map(|axis| (f64::from(cell.voxel[axis]) - f64::from(voxel[axis])).squared())
                .sum();
            if cell.live && distance2 > radius2 {
                cell.live = false;
                self.free.push(number as u32);
                self.live -= 1;
                removed = true;
            }
        }
        if removed {
            self.find_blocks_anew();
        }
    }

    fn find_blocks_anew(&mut self) {
        self.table.clear();
        self.blocks.clear();
        for number in 0..self.cells.len() {
            let (voxel, live) = (self.cells[number].voxel, self.cells[number].live);
            if live {
                let block = self.find_or_make_block(voxel);
                self.blocks[block as usize].0[place_in_block(voxel)] = number as u32;
            }
        }
    }
}
