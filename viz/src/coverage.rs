//! How much of the wall was seen and how well, and where what was seen ends.

use crate::cells::{CELL_M, Cells, cell_of};
use crate::seam::quantile;

/// A cell with this many points is covered.
pub(crate) const COVERED: u32 = 5;
/// An edge of what was seen is where a cell has this many points of the medium.
const EDGE: u16 = 3;

/// The cells of a wall, and the stretch of it that was passed.
#[derive(Default)]
pub(crate) struct Coverage {
    pub(crate) cells: Cells,
    passed: Option<[f64; 2]>,
}

/// Shares of the wall, and between which levels it was taken to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shares {
    /// Level of toe and crest, metres.
    pub(crate) levels_m: [f64; 2],
    /// Covered cells of all between toe and crest.
    pub(crate) covered: f64,
    /// Covered cells that are within the tolerance, of all that are covered.
    pub(crate) in_tolerance: f64,
}

/// The edges of what was seen in one column of the wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Edges {
    pub(crate) along_m: f64,
    /// The lowest place seen by light, and the highest seen by sound, metres.
    pub(crate) light_m: f64,
    pub(crate) sound_m: f64,
}

impl Coverage {
    /// The survey reached this chainage.
    pub(crate) fn pass(&mut self, along_m: f64) {
        let [low, high] = self.passed.get_or_insert([along_m, along_m]);
        *low = low.min(along_m);
        *high = high.max(along_m);
    }

    /// The stretch that was passed, metres of chainage.
    pub(crate) fn passed_m(&self) -> Option<[f64; 2]> {
        self.passed
    }

    /// Columns that were passed.
    fn columns(&self) -> std::ops::Range<i32> {
        let [low, high] = self.passed.unwrap_or_default();
        let last = if self.passed.is_some() {
            cell_of(high) + 1
        } else {
            0
        };
        cell_of(low).min(last)..last
    }

    /// Rows of toe and crest: where one column in twenty reaches down to, so that a sonar that saw
    /// little does not shorten the wall, and the middle one of all columns' highest covered cells.
    pub(crate) fn rows(&self) -> Option<[i32; 2]> {
        let (mut lows, mut highs) = (Vec::new(), Vec::new());
        for column in self.columns() {
            let mut covered = self
                .cells
                .column(column)
                .filter(|(_, cell)| cell.points() >= COVERED);
            if let Some((low, _)) = covered.next() {
                lows.push(f64::from(low));
                highs.push(f64::from(covered.next_back().map_or(low, |(high, _)| high)));
            }
        }
        let row = |rows: Vec<f64>, part| quantile(rows.into_iter(), part) as i32;
        (!lows.is_empty()).then(|| [row(lows, 0.05), row(highs, 0.5)])
    }

    /// How much of the wall is covered, and how much of that within the tolerance (metres, 95 %).
    pub(crate) fn shares(&self, tolerance_m: f64) -> Option<Shares> {
        let [toe, crest] = self.rows()?;
        let (mut covered, mut tolerated) = (0u32, 0u32);
        for column in self.columns() {
            for (_, cell) in self
                .cells
                .column(column)
                .filter(|(row, cell)| (toe..=crest).contains(row) && cell.points() >= COVERED)
            {
                covered += 1;
                tolerated += u32::from(cell.half_width_95_m().is_some_and(|half| half <= tolerance_m));
            }
        }
        let all = self.columns().len() as f64 * f64::from(crest - toe + 1);
        Some(Shares {
            levels_m: [f64::from(toe) * CELL_M, f64::from(crest + 1) * CELL_M],
            covered: f64::from(covered) / all,
            in_tolerance: f64::from(tolerated) / f64::from(covered.max(1)),
        })
    }

    /// The edges of what both saw, column by column, where both saw something.
    pub(crate) fn edges(&self) -> Vec<Edges> {
        let edges = self.columns().filter_map(|column| {
            let mut light = self.cells.column(column).filter(|(_, cell)| cell.light >= EDGE);
            let mut sound = self.cells.column(column).filter(|(_, cell)| cell.sound >= EDGE);
            Some(Edges {
                along_m: (f64::from(column) + 0.5) * CELL_M,
                light_m: f64::from(light.next()?.1.lowest_light_m),
                sound_m: f64::from(sound.next_back()?.1.highest_sound_m),
            })
        });
        edges.collect()
    }
}

/// The height of the strip nobody saw, metres: over all columns the middle one; below zero where
/// light and sound overlap.
pub(crate) fn strip_m(edges: &[Edges]) -> Option<f64> {
    let heights = edges.iter().map(|edges| edges.light_m - edges.sound_m);
    (!edges.is_empty()).then(|| quantile(heights, 0.5))
}

#[cfg(test)]
pub(crate) mod tests {
    use beluga_types::Medium;

    use super::*;
    use crate::wall::OnWall;

    /// Ten metres of wall from −4 m to 3 m, not seen between −0.3 and 0.5 m, five times a cell.
    pub(crate) fn quay() -> Coverage {
        let mut coverage = Coverage::default();
        for i in 0..=200 {
            for j in 0..350 {
                let at = OnWall {
                    along_m: f64::from(i) * 0.05,
                    off_m: 0.0,
                    level_m: f64::from(j) * 0.02 - 4.0,
                };
                let medium = match at.level_m {
                    level if level <= -0.3 => Medium::Water,
                    level if level >= 0.5 => Medium::Air,
                    _ => continue,
                };
                if coverage.cells.see(&at, medium) {
                    // Below water twice the tolerance, in what is shared.
                    let shared = if medium == Medium::Air { 0.01 } else { 0.05 };
                    coverage.cells.weigh(&at, 0.02f64.powi(2), f64::powi(shared, 2));
                }
            }
            coverage.pass(f64::from(i) * 0.05);
        }
        coverage
    }

    #[test]
    fn the_strip_nobody_saw_has_its_height() {
        let height = strip_m(&quay().edges()).unwrap();
        assert!((height - 0.8).abs() < 0.03, "{height}");
        assert_eq!(strip_m(&[]), None);
    }

    #[test]
    fn covered_is_counted_from_toe_to_crest() {
        let shares = quay().shares(0.05).unwrap();
        assert!((shares.levels_m[0] + 4.0).abs() < 0.21 && (shares.levels_m[1] - 3.0).abs() < 0.21);
        // 0.8 m of 7 m are missing; cells at the strip's edges may be partly filled.
        assert!((shares.covered - 6.2 / 7.0).abs() < 0.04, "{shares:?}");
        // 2.5 m of 6.2 m lie above the water.
        assert!((shares.in_tolerance - 2.5 / 6.2).abs() < 0.04, "{shares:?}");
    }

    #[test]
    fn a_sonar_that_saw_little_does_not_shorten_the_wall() {
        let mut coverage = Coverage::default();
        for i in 0..=200 {
            for j in 0..350 {
                let at = OnWall {
                    along_m: f64::from(i) * 0.05,
                    off_m: 0.0,
                    level_m: f64::from(j) * 0.02 - 4.0,
                };
                // Below the water only one metre of ten.
                let seen = at.level_m > 0.0 || at.along_m < 1.0;
                if seen && coverage.cells.see(&at, Medium::Air) {
                    coverage.cells.weigh(&at, 1e-4, 1e-4);
                }
            }
            coverage.pass(f64::from(i) * 0.05);
        }
        let shares = coverage.shares(0.05).unwrap();
        assert!((shares.levels_m[0] + 4.0).abs() < 0.21, "{shares:?}");
        assert!((shares.covered - (3.0 + 0.4) / 7.0).abs() < 0.04, "{shares:?}");
    }

    #[test]
    fn an_average_keeps_what_is_shared() {
        let mut coverage = Coverage::default();
        let at = OnWall {
            along_m: 0.1,
            off_m: 0.0,
            level_m: 0.1,
        };
        assert_eq!(coverage.shares(0.05), None);
        for _ in 0..100 {
            if coverage.cells.see(&at, Medium::Air) {
                coverage.cells.weigh(&at, 0.03f64.powi(2), 0.01f64.powi(2));
            }
        }
        let half = coverage.cells.cell(0, 0).unwrap().half_width_95_m().unwrap();
        assert!((half - 1.96 * (0.003f64.powi(2) + 0.01f64.powi(2)).sqrt()).abs() < 1e-8);
    }
}
