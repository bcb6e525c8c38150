//! Which parts of the wall below water have enough soundings, of those the sonar could see.

use std::collections::BTreeMap;

use nalgebra::Vector3;
use serde::Serialize;

use super::lobe::{self, Look};
use crate::scene::{Kind, Shape};
use crate::truth::Truth;

/// Edge of a cell, in metres.
pub(crate) const CELL_M: f64 = 0.20;
/// Soundings a cell needs.
const ENOUGH: u32 = 5;

/// Coverage of the quay wall's face below water, in cells of 0.20 m.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Coverage {
    /// Cells whose centre lay in the main lobe (-3 dB) of a beam at least once: in range, not hidden,
    /// less than 75° from its normal.
    pub ensonified: u64,
    /// Of these, with at least 5 soundings within 0.15 m of the face.
    pub covered: u64,
    /// Part that is covered, 0 to 1; nothing if no cell was ensonified.
    pub fraction: Option<f64>,
}

/// Soundings per ensonified cell.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    soundings: BTreeMap<[i64; 2], u32>,
}

impl Cells {
    /// All cells the pings of the truth meet.
    pub(super) fn new(truth: &Truth) -> Self {
        let mut cells = Self {
            soundings: BTreeMap::new(),
        };
        let face = truth
            .scene
            .surfaces
            .iter()
            .find(|surface| surface.kind == Kind::Wall);
        let Some(Shape::Rectangle { corner, .. }) = face.map(|surface| surface.shape) else {
            return cells;
        };
        let [_, toe, _] = truth.scene.wall.coordinates(&corner);
        // Only cells that lie wholly between the toe and the still water.
        let rows = (toe / CELL_M).ceil() as i64..0;
        for look in lobe::looks(truth) {
            for row in rows.clone() {
                cells.meet(truth, &look, row);
            }
        }
        cells
    }

    /// Marks the cells of a row that a ping meets.
    fn meet(&mut self, truth: &Truth, look: &Look<'_>, row: i64) {
        let wall = &truth.scene.wall;
        let middle = |cell: i64| (cell as f64 + 0.5) * CELL_M;
        // The transmit plane meets this row near here; the lobe is narrower than the margin.
        let ahead = look.sensor_from_quay.transpose() * Vector3::x();
        let arm = wall.point(look.origin.x, middle(row), 0.0) - look.origin;
        let crossing = look.origin.x - arm.dot(&ahead) / ahead.x;
        let margin = CELL_M + 2.0 * lobe::half_width_rad(truth) * arm.norm();
        let first = ((crossing - margin) / CELL_M).floor() as i64;
        let last = ((crossing + margin) / CELL_M).ceil() as i64;
        for column in first..=last {
            if look.meets(&wall.point(middle(column), middle(row), 0.0)) {
                self.soundings.entry([column, row]).or_insert(0);
            }
        }
    }

    /// Adds a sounding on the face, given along the wall, up its face and off it.
    pub(super) fn add(&mut self, on_wall: &[f64; 3]) {
        let cell = [on_wall[0], on_wall[1]].map(|value| (value / CELL_M).floor() as i64);
        if let Some(soundings) = self.soundings.get_mut(&cell) {
            *soundings = soundings.saturating_add(1);
        }
    }

    pub(super) fn finish(&self) -> Coverage {
        let ensonified = self.soundings.len() as u64;
        let covered = self.soundings.values().filter(|&&count| count >= ENOUGH).count() as u64;
        Coverage {
            ensonified,
            covered,
            fraction: (ensonified > 0).then(|| covered as f64 / ensonified as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::world::World;

    #[test]
    fn the_cells_are_those_the_vessel_passed() {
        let truth = World::new(Scenario::sample()).unwrap().truth();
        let mut cells = Cells::new(&truth);
        let columns: Vec<i64> = cells.soundings.keys().map(|cell| cell[0]).collect();
        let (first, last) = (columns[0], columns[columns.len() - 1]);
        // 6 s at 0.8 m/s are 24 columns, and some more by yaw and the width of the lobe.
        assert!((18..40).contains(&(last - first)), "{first} to {last}");
        let rows: Vec<i64> = cells.soundings.keys().map(|cell| cell[1]).collect();
        assert!(rows.iter().all(|row| (-38..0).contains(row)));
        assert!(cells.soundings.len() > 400, "{}", cells.soundings.len());

        let cell = *cells.soundings.keys().nth(200).unwrap();
        let place = cell.map(|index| (index as f64 + 0.3) * CELL_M);
        for count in 1..=5 {
            cells.add(&[place[0], place[1], 0.01]);
            assert_eq!(cells.finish().covered, u64::from(count == 5));
        }
    }
}
