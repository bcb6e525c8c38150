//! The bed in cells, and the order of survey each of them meets.

use std::collections::BTreeMap;

use beluga_types::{SensorId, SolidarFrame, Stamp};
use nalgebra::Vector3;
use serde::Serialize;

use super::Seen;
use super::face::{Sums, percentile_95};
use super::interval::{CHI_SQUARED_95, NORMAL_95};
use super::s44::{Criteria, Measured, ORDERS};
use super::visible::Visible;
use crate::scene::Kind;
use crate::truth::Truth;

/// Edge of a cell, in metres: the cube of the strictest order.
pub(super) const CELL_M: f64 = 0.5;
/// Soundings across a feature, in both directions: three by three must fall on it. S-44 leaves the rule
/// to the surveyor; specifications for contractors name this one.
const SOUNDINGS_ACROSS: f64 = 3.0;
/// Soundings of a cell that are farther apart belong to different passes, in seconds.
const PASS_S: f64 = 10.0;
/// Soundings a cell needs for its own vertical uncertainty.
const LEAST_POINTS: u64 = 5;
/// Bed steeper than this has no depth error worth the name.
const STEEPEST_COS: f64 = 0.5;
/// Width of a bin of vertical errors, in metres, and how many there are.
const STEP_M: f64 = 0.001;
const STEPS: usize = 2000;

/// Soundings of the bed, by cell.
#[derive(Clone, Debug)]
pub(super) struct Bed {
    cells: BTreeMap<[i32; 2], Cell>,
    beam_width_rad: f64,
    /// Vertical errors without sign.
    errors: Vec<u64>,
    /// Sum of the horizontal variances soundings state, per axis.
    horizontal_m2: f64,
    soundings: u64,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    vertical: Sums,
    depth_m: f64,
    footprint_m: f64,
    passes: u32,
    last: Stamp,
}

/// The bed against IHO S-44, edition 6.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BedScore {
    /// Soundings on the bed.
    pub soundings: u64,
    /// Cells of 0.5 m that could be seen, without those at the border of what could.
    pub cells: u64,
    /// What was measured, over all of them.
    pub measured: Measured,
    /// Each order's criteria, the strictest first. The vertical uncertainty is met if 95 % of all
    /// soundings lie within the order's limit.
    pub criteria: Vec<Criteria>,
    /// The strictest order with every criterion met.
    pub order: Option<&'static str>,
    /// Cells with five soundings or more by the strictest order whose vertical uncertainty and feature
    /// size they meet by themselves: the orders, then none.
    pub cells_in_order: Vec<(&'static str, u64)>,
    /// Depths of soundings, least and most, in metres.
    pub depth_m: [f64; 2],
    /// How the horizontal uncertainty was made.
    pub thu_from: &'static str,
}

/// A cell of the bed, for a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BedCell {
    pub(super) place: [i32; 2],
    /// Place in [`ORDERS`]; nothing if none is met.
    pub(super) order: Option<usize>,
    pub(super) soundings: u64,
}

impl Bed {
    pub(super) fn new(truth: &Truth) -> Self {
        Self {
            cells: BTreeMap::new(),
            beam_width_rad: truth.scenario.sonar.beam_width_deg.to_radians(),
            errors: vec![0; STEPS],
            horizontal_m2: 0.0,
            soundings: 0,
        }
    }

    /// Adds a sonar point, if the bed is what lies nearest to it.
    pub(super) fn add(&mut self, frame: &SolidarFrame, i: usize, seen: &Seen) {
        let Some(nearest) = seen.nearest.as_ref().filter(|nearest| nearest.kind == Kind::Bed) else {
            return;
        };
        let up = nearest.normal.z.abs();
        if up < STEEPEST_COS {
            return;
        }
        let sensor = SensorId(frame.points.sensor[i]);
        let mount = frame
            .calibration_of(sensor)
            .map(|c| c.body_from_sensor.translation());
        let beam = frame.points.position(i).vector() - mount.unwrap_or_else(Vector3::zeros);
        let rotation = frame.world_from_body.rotation_matrix();
        let random = rotation * frame.covariance(i) * rotation.transpose();
        self.horizontal_m2 += 0.5 * (random[(0, 0)] + random[(1, 1)]);
        self.soundings += 1;
        let error_m = nearest.signed_m / up;
        let bin = (error_m.abs() / STEP_M).floor() as usize;
        self.errors[bin.min(STEPS - 1)] += 1;
        let stamp = frame
            .window
            .end
            .shifted_nanos(frame.points.offset_nanos[i].into());
        let cell = self.cells.entry(cell_of(&seen.place)).or_insert(Cell {
            vertical: Sums::default(),
            depth_m: 0.0,
            footprint_m: 0.0,
            passes: 0,
            last: stamp,
        });
        cell.vertical.add(error_m);
        cell.depth_m -= nearest.foot.z;
        cell.footprint_m += beam.norm() * self.beam_width_rad / up;
        if cell.passes == 0 || stamp.seconds_since(cell.last).abs() > PASS_S {
            cell.passes += 1;
        }
        cell.last = stamp;
    }

    /// The cells with their orders.
    pub(super) fn cells(&self) -> impl Iterator<Item = BedCell> + '_ {
        let full = self
            .cells
            .iter()
            .filter(|(_, cell)| cell.vertical.points >= LEAST_POINTS);
        full.map(|(&place, cell)| BedCell {
            place,
            order: cell.order(),
            soundings: cell.vertical.points,
        })
    }

    /// The bed's score; nothing without soundings. `pose_95_m` is the horizontal error of the poses
    /// that 95 % do not exceed.
    pub(super) fn finish(&self, visible: &Visible, pose_95_m: f64) -> Option<BedScore> {
        if self.soundings == 0 {
            return None;
        }
        let area = inner(visible.middles(Kind::Bed).map(|middle| cell_of(&middle)));
        let n = self.soundings as f64;
        let depth_m = self.cells.values().map(|cell| cell.depth_m).sum::<f64>() / n;
        let depths = self
            .cells
            .values()
            .map(|cell| cell.depth_m / cell.vertical.points as f64);
        let measured = Measured {
            depth_m,
            thu_m: pose_95_m.hypot(CHI_SQUARED_95[1].sqrt() * (self.horizontal_m2 / n).sqrt()),
            tvu_m: self.vertical_95_m(),
            feature_m: percentile_95(self.cells.values().map(Cell::feature_m).collect()),
            search: self.passes(&area, |_| true),
            coverage: self.passes(&area, |_| true),
        };
        let criteria: Vec<Criteria> = ORDERS
            .iter()
            .map(|order| {
                let fine = |cell: &Cell| {
                    order
                        .feature_m(depth_m)
                        .is_none_or(|edge| cell.feature_m() <= edge)
                };
                Criteria::of(order, &measured, self.passes(&area, fine))
            })
            .collect();
        let mut cells_in_order: Vec<(&str, u64)> = ORDERS.iter().map(|order| (order.name, 0)).collect();
        cells_in_order.push(("none", 0));
        for cell in self.cells() {
            cells_in_order[cell.order.unwrap_or(ORDERS.len())].1 += 1;
        }
        Some(BedScore {
            soundings: self.soundings,
            cells: area.len() as u64,
            measured,
            order: criteria
                .iter()
                .find(|criteria| criteria.met())
                .map(|criteria| criteria.order),
            criteria,
            cells_in_order,
            depth_m: [
                depths.clone().fold(f64::INFINITY, f64::min),
                depths.fold(f64::NEG_INFINITY, f64::max),
            ],
            thu_from: "95th percentile of the poses' horizontal error, with 2.45 sigma of the \
                       soundings' own stated horizontal error",
        })
    }

    /// Passes over the cells of an area, two at most each, per cell: 1 is everything once.
    fn passes(&self, area: &[[i32; 2]], counts: impl Fn(&Cell) -> bool) -> f64 {
        let cells = area
            .iter()
            .filter_map(|place| self.cells.get(place))
            .filter(|cell| counts(cell));
        let passes: u64 = cells.map(|cell| u64::from(cell.passes.min(2))).sum();
        passes as f64 / area.len().max(1) as f64
    }

    /// The vertical error without sign that 95 % of soundings do not exceed; upper edge of its bin.
    fn vertical_95_m(&self) -> f64 {
        let wanted = (0.95 * self.soundings as f64).ceil() as u64;
        let mut sum = 0;
        let reached = self.errors.iter().position(|count| {
            sum += count;
            sum >= wanted
        });
        (reached.unwrap_or(STEPS) + 1) as f64 * STEP_M
    }
}

impl Cell {
    /// Edge of the smallest cube that three by three soundings fall on and that a beam does not
    /// straddle.
    fn feature_m(&self) -> f64 {
        let n = self.vertical.points as f64;
        (SOUNDINGS_ACROSS * CELL_M / n.sqrt()).max(self.footprint_m / n)
    }

    /// The strictest order whose vertical uncertainty and feature the cell meets by itself.
    fn order(&self) -> Option<usize> {
        let n = self.vertical.points as f64;
        let depth_m = self.depth_m / n;
        let tvu_m = NORMAL_95 * (self.vertical.squares_m2 / n).sqrt();
        ORDERS.iter().position(|order| {
            tvu_m <= order.tvu_m(depth_m)
                && order
                    .feature_m(depth_m)
                    .is_none_or(|edge| self.feature_m() <= edge)
        })
    }
}

fn cell_of(place: &Vector3<f64>) -> [i32; 2] {
    [place.x, place.y].map(|at| (at / CELL_M).floor() as i32)
}

/// Cells all of whose eight neighbours are there too: the border of what a fan reaches is not part
/// of an area that somebody would order.
fn inner(cells: impl Iterator<Item = [i32; 2]>) -> Vec<[i32; 2]> {
    let all: std::collections::BTreeSet<[i32; 2]> = cells.collect();
    let around = |[x, y]: [i32; 2]| (-1..=1).flat_map(move |i| (-1..=1).map(move |j| [x + i, y + j]));
    all.iter()
        .filter(|place| around(**place).all(|near| all.contains(&near)))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(points: u64, error_m: f64, footprint_m: f64, passes: u32) -> Cell {
        let mut vertical = Sums::default();
        for _ in 0..points {
            vertical.add(error_m);
        }
        Cell {
            vertical,
            depth_m: 8.0 * points as f64,
            footprint_m: footprint_m * points as f64,
            passes,
            last: Stamp::from_nanos(0),
        }
    }

    #[test]
    fn a_cell_meets_the_order_of_its_worst_criterion() {
        // 0.15 m, 0.0075 at 8 m: 0.1616 m; 16 soundings in 0.5 m: 0.375 m.
        assert_eq!(cell(16, 0.08, 0.2, 1).order(), Some(0));
        assert_eq!(cell(16, 0.09, 0.2, 1).order(), Some(1), "1.96 × 0.09 m is more");
        assert_eq!(
            cell(16, 0.08, 0.7, 1).order(),
            Some(1),
            "the footprint is more than 0.5 m"
        );
        assert_eq!(cell(1, 0.08, 0.2, 1).order(), Some(2), "one sounding: 1.5 m");
        assert_eq!(cell(16, 0.3, 0.2, 1).order(), Some(4));
        assert_eq!(cell(16, 0.6, 0.2, 1).order(), None);
    }

    #[test]
    fn coverage_counts_passes_over_the_area_that_could_be_seen() {
        let mut bed = Bed {
            cells: BTreeMap::new(),
            beam_width_rad: 0.02,
            errors: vec![0; STEPS],
            horizontal_m2: 0.0,
            soundings: 0,
        };
        for x in 0..4 {
            bed.cells
                .insert([x, 0], cell(9, 0.01, 0.2, if x == 0 { 3 } else { 1 }));
        }
        let area: Vec<[i32; 2]> = (0..5).map(|x| [x, 0]).collect();
        assert!(
            (bed.passes(&area, |_| true) - 1.0).abs() < 1e-12,
            "2 + 1 + 1 + 1 + 0 of 5"
        );
        assert_eq!(bed.passes(&area, |cell| cell.passes > 9), 0.0);
        assert_eq!(bed.passes(&[], |_| true), 0.0);
        let square = (0..4).flat_map(|x| (0..5).map(move |y| [x, y]));
        assert_eq!(inner(square).len(), 2 * 3);
    }

    #[test]
    fn the_vertical_percentile_is_the_one_of_a_hundred() {
        let mut bed = Bed {
            cells: BTreeMap::new(),
            beam_width_rad: 0.02,
            errors: vec![0; STEPS],
            horizontal_m2: 0.0,
            soundings: 100,
        };
        for millimetre in 0..100 {
            bed.errors[millimetre] = 1;
        }
        assert!((bed.vertical_95_m() - 0.095).abs() < 1e-9);
    }
}
