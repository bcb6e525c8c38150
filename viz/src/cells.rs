//! The unwrapped wall in cells: how often and how well each was seen.

use std::collections::BTreeMap;

use beluga_types::Medium;

use crate::seam::SIGMAS_95;
use crate::wall::OnWall;

/// Edge of a cell, metres.
pub(crate) const CELL_M: f64 = 0.2;
/// Cells that are kept at most, and from the lowest to the highest of a column: two hundred metres.
const MOST_CELLS: usize = 1_000_000;
const MOST_ROWS: i32 = 1_000;
/// What is so many rows from level zero is no wall: 200 km.
const NO_WALL: u32 = 1_000_000;
/// So many points of a cell are weighed, and then one in so many.
const WEIGHED_FIRST: u32 = 4;
const WEIGHED_EVERY: u32 = 32;

/// What was seen in one cell. There are many: it is kept small.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// Points of either medium, as far as that can be counted.
    pub(crate) light: u16,
    pub(crate) sound: u16,
    /// The lowest point seen by light and the highest seen by sound, metres.
    pub(crate) lowest_light_m: f32,
    pub(crate) highest_sound_m: f32,
    /// Means over the points that were weighed, m².
    random_m2: f32,
    shared_m2: f32,
    weighed: u16,
}

impl Cell {
    fn new() -> Self {
        Self {
            light: 0,
            sound: 0,
            lowest_light_m: f32::INFINITY,
            highest_sound_m: f32::NEG_INFINITY,
            random_m2: 0.0,
            shared_m2: 0.0,
            weighed: 0,
        }
    }

    /// Points of both media.
    pub(crate) fn points(&self) -> u32 {
        u32::from(self.light) + u32::from(self.sound)
    }

    /// Half of the 95 % interval of the mean of its points along the wall's normal, metres: of n
    /// points σ²/n + JΣJᵀ.
    pub(crate) fn half_width_95_m(&self) -> Option<f64> {
        let [random_m2, shared_m2] = [self.random_m2, self.shared_m2].map(f64::from);
        let variance = random_m2 / f64::from(self.points()) + shared_m2;
        (self.weighed > 0).then_some(SIGMAS_95 * variance.max(0.0).sqrt())
    }
}

/// The cells above each other: from the lowest to the highest in which something was seen.
struct Column {
    first_row: i32,
    cells: Vec<Cell>,
}

impl Column {
    fn new(row: i32) -> Self {
        Self {
            first_row: row,
            cells: Vec::new(),
        }
    }

    fn at(&self, row: i32) -> Option<usize> {
        let index = usize::try_from(row.checked_sub(self.first_row)?).ok()?;
        (index < self.cells.len()).then_some(index)
    }

    /// How many cells it would have to grow by to hold this row; nothing if that is too many.
    fn short_of(&self, row: i32) -> Option<usize> {
        let end = self.first_row + self.cells.len() as i32;
        let rows = (row + 1).max(end) - row.min(self.first_row);
        (rows <= MOST_ROWS).then(|| rows as usize - self.cells.len())
    }

    /// Grows so far that it holds this row.
    fn reach(&mut self, row: i32) {
        let below = usize::try_from(self.first_row - row).unwrap_or(0);
        self.cells.splice(0..0, std::iter::repeat_n(Cell::new(), below));
        self.first_row = self.first_row.min(row);
        let needed = usize::try_from(row - self.first_row).unwrap_or(0) + 1;
        if self.cells.len() < needed {
            self.cells.resize(needed, Cell::new());
        }
    }
}

/// The cells of a wall by column (along) and row (up).
#[derive(Default)]
pub(crate) struct Cells {
    columns: BTreeMap<i32, Column>,
    /// Cells in all columns.
    kept: usize,
}

pub(crate) fn cell_of(metres: f64) -> i32 {
    (metres / CELL_M).floor() as i32
}

impl Cells {
    /// Counts a point; says whether its uncertainty is wanted for [`Self::weigh`].
    pub(crate) fn see(&mut self, at: &OnWall, medium: Medium) -> bool {
        let (along, row) = (cell_of(at.along_m), cell_of(at.level_m));
        if row.unsigned_abs() > NO_WALL {
            return false;
        }
        let column = self.columns.get(&along);
        match column.map_or(Some(1), |column| column.short_of(row)) {
            Some(more) if self.kept + more <= MOST_CELLS => self.kept += more,
            _ => return false,
        }
        let column = self.columns.entry(along).or_insert_with(|| Column::new(row));
        column.reach(row);
        let Some(cell) = column.at(row).and_then(|index| column.cells.get_mut(index)) else {
            return false;
        };
        match medium {
            Medium::Air => {
                cell.light = cell.light.saturating_add(1);
                cell.lowest_light_m = cell.lowest_light_m.min(at.level_m as f32);
            }
            Medium::Water => {
                cell.sound = cell.sound.saturating_add(1);
                cell.highest_sound_m = cell.highest_sound_m.max(at.level_m as f32);
            }
        }
        u32::from(cell.weighed) < WEIGHED_FIRST || cell.points().is_multiple_of(WEIGHED_EVERY)
    }

    /// Adds what is known of a point that was counted: variance along the normal of its own and of
    /// what it shares, m².
    pub(crate) fn weigh(&mut self, at: &OnWall, random_m2: f64, shared_m2: f64) {
        let column = self.columns.get_mut(&cell_of(at.along_m));
        let cell = column.and_then(|column| {
            let index = column.at(cell_of(at.level_m))?;
            column.cells.get_mut(index)
        });
        if let Some(cell) = cell
            && random_m2.is_finite()
            && shared_m2.is_finite()
        {
            cell.weighed = cell.weighed.saturating_add(1);
            let part = 1.0 / f32::from(cell.weighed);
            cell.random_m2 += (random_m2 as f32 - cell.random_m2) * part;
            cell.shared_m2 += (shared_m2 as f32 - cell.shared_m2) * part;
        }
    }

    /// The cell in this column and row.
    pub(crate) fn cell(&self, column: i32, row: i32) -> Option<&Cell> {
        let column = self.columns.get(&column)?;
        let cell = &column.cells[column.at(row)?];
        (cell.points() > 0).then_some(cell)
    }

    /// The cells of a column in which something was seen, from low to high, with their rows.
    pub(crate) fn column(&self, column: i32) -> impl DoubleEndedIterator<Item = (i32, &Cell)> {
        let column = self.columns.get(&column);
        let cells = column.into_iter().flat_map(|column| {
            let cells = column.cells.iter().enumerate();
            cells.map(|(index, cell)| (column.first_row + index as i32, cell))
        });
        cells.filter(|(_, cell)| cell.points() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against one table of all cells.
    #[test]
    fn a_cell_has_what_was_seen_in_it_wherever_that_was_seen_first() {
        let mut cells = Cells::default();
        let mut plain: BTreeMap<[i32; 2], u32> = BTreeMap::new();
        for i in 0..20_000u64 {
            let part = |step: u64| (i * step % 1_009) as f64 / 1_009.0;
            let at = OnWall {
                along_m: 8.0 * part(613) - 4.0,
                off_m: 0.0,
                level_m: 6.0 * part(389) * part(211) - 3.0,
            };
            cells.see(&at, Medium::Water);
            *plain.entry([at.along_m, at.level_m].map(cell_of)).or_default() += 1;
        }
        assert!(plain.len() > 500 && plain.len() < cells.kept);
        for (&[column, row], &points) in &plain {
            assert_eq!(cells.cell(column, row).map(Cell::points), Some(points));
        }
        for column in -30..30 {
            let found = cells.column(column).map(|(row, _)| [column, row]);
            let expected = plain.keys().filter(|key| key[0] == column).copied();
            assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        }
        let all: usize = cells.columns.values().map(|column| column.cells.len()).sum();
        assert_eq!(cells.kept, all);
    }

    #[test]
    fn a_stray_point_far_above_makes_no_cells() {
        let mut cells = Cells::default();
        for level_m in [0.0, 1e3, -1e3, 1e12, f64::INFINITY, f64::NEG_INFINITY, 0.3] {
            let at = OnWall {
                along_m: 0.1,
                off_m: 0.0,
                level_m,
            };
            cells.see(&at, Medium::Air);
        }
        assert_eq!(cells.kept, 2);
        assert!(cells.columns.values().all(|column| column.cells.len() == 2));
    }
}
