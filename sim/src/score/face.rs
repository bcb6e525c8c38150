//! The site's principal face as a map: error and number of points by cell, and the wall's classes.

use std::collections::BTreeMap;

use beluga_types::Medium;
use nalgebra::Vector3;
use serde::Serialize;

use super::interval::NORMAL_95;
use super::{OUTLIER_M, Seen};
use crate::scene::{Kind, WallPlane};

/// Edge of a cell, in metres.
pub(super) const CELL_M: f64 = 0.25;
/// A cell with fewer points says nothing about 95 %.
const LEAST_POINTS: u64 = 10;
/// Errors a wall is graded by, at 95 %, in metres: the finer steps of the S-44 matrix for works on
/// structures lie at 5 and 10 cm; 2 cm is what an inspection asks.
const CLASSES_M: [f64; 3] = [0.02, 0.05, 0.10];

/// Sums for each cell of the face, by medium.
#[derive(Clone, Debug)]
pub(super) struct Face {
    wall: WallPlane,
    cells: BTreeMap<(Medium, [i32; 2]), Sums>,
}

/// Sums over the distances of points from a surface.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) points: u64,
    pub(super) sum_m: f64,
    pub(super) squares_m2: f64,
}

impl Sums {
    pub(super) fn add(&mut self, error_m: f64) {
        self.points += 1;
        self.sum_m += error_m;
        self.squares_m2 += error_m * error_m;
    }

    pub(super) fn mean_m(&self) -> f64 {
        self.sum_m / self.points.max(1) as f64
    }

    /// Half-width of the interval around the truth that holds 95 % of single points, bias with
    /// scatter: 1.96 root mean square.
    pub(super) fn point_95_m(&self) -> f64 {
        NORMAL_95 * (self.squares_m2 / self.points.max(1) as f64).sqrt()
    }
}

/// A cell of the face, for a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FaceCell {
    pub(super) medium: Medium,
    /// Lower left corner along the wall and up its face, in cells.
    pub(super) place: [i32; 2],
    pub(super) sums: Sums,
}

/// How well a wall was measured, in classes of its error at 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WallClasses {
    /// Cells of 0.25 m with ten points or more.
    pub cells: u64,
    /// Cells whose single points lie within 2, 5 and 10 cm of the true face at 95 % (1.96 root mean
    /// square, bias with scatter), each class without the ones before; then those beyond.
    pub points_in_class: [u64; 4],
    /// The same for the distance of a cell's mean from the true face.
    pub means_in_class: [u64; 4],
    /// The 95 % distance of single points that 95 % of cells do not exceed, in metres.
    pub point_95_m: f64,
    /// The distance of a cell's mean that 95 % of cells do not exceed, in metres.
    pub mean_95_m: f64,
}

impl Face {
    pub(super) fn new(wall: &WallPlane) -> Self {
        Self {
            wall: *wall,
            cells: BTreeMap::new(),
        }
    }

    /// Whether a point belongs to the face, and its distance off it.
    pub(super) fn distance_m(&self, seen: &Seen) -> Option<f64> {
        let nearest = seen.nearest.as_ref()?;
        let on_face = nearest.kind == Kind::Wall && nearest.normal.dot(&self.wall.normal) > 0.9;
        (on_face && seen.on_wall[2].abs() <= OUTLIER_M).then_some(nearest.signed_m)
    }

    /// Adds a point of the face.
    pub(super) fn add(&mut self, medium: Medium, seen: &Seen) {
        if let Some(error_m) = self.distance_m(seen) {
            let place = [seen.on_wall[0], seen.on_wall[1]].map(|at| (at / CELL_M).floor() as i32);
            self.cells.entry((medium, place)).or_default().add(error_m);
        }
    }

    /// Cells of the face, of places in `Quay`, that have no point of either medium.
    pub(super) fn gaps(&self, places: impl Iterator<Item = (Kind, Vector3<f64>)>) -> Vec<[i32; 2]> {
        let on_face = |(kind, place): (Kind, Vector3<f64>)| {
            let [along, up, off] = self.wall.coordinates(&place);
            // The middle of a cell may lie a little off the face by rounding.
            (kind == Kind::Wall && off.abs() < 0.02)
                .then(|| [along, up].map(|at| (at / CELL_M).floor() as i32))
        };
        let has = |place: &[i32; 2]| {
            Medium::ALL
                .iter()
                .any(|medium| self.cells.contains_key(&(*medium, *place)))
        };
        let mut gaps: Vec<[i32; 2]> = places.filter_map(on_face).filter(|place| !has(place)).collect();
        gaps.sort_unstable();
        gaps.dedup();
        gaps
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = FaceCell> + '_ {
        self.cells
            .iter()
            .map(|(&(medium, place), &sums)| FaceCell { medium, place, sums })
    }

    /// The classes of a medium; nothing if no cell has enough points.
    pub(super) fn classes(&self, medium: Medium) -> Option<WallClasses> {
        let cells = self.cells.iter().filter(|((of, _), _)| *of == medium);
        let full: Vec<&Sums> = cells
            .map(|(_, sums)| sums)
            .filter(|sums| sums.points >= LEAST_POINTS)
            .collect();
        let points: Vec<f64> = full.iter().map(|sums| sums.point_95_m()).collect();
        let means: Vec<f64> = full.iter().map(|sums| sums.mean_m().abs()).collect();
        (!full.is_empty()).then(|| WallClasses {
            cells: full.len() as u64,
            points_in_class: in_class(&points),
            means_in_class: in_class(&means),
            point_95_m: percentile_95(points),
            mean_95_m: percentile_95(means),
        })
    }
}

fn in_class(errors: &[f64]) -> [u64; 4] {
    let mut counts = [0; 4];
    for error in errors {
        let class = CLASSES_M.iter().position(|most| error <= most).unwrap_or(3);
        counts[class] += 1;
    }
    counts
}

/// The smallest value that 95 % do not exceed; zero for none.
pub(super) fn percentile_95(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = ((0.95 * values.len() as f64).ceil() as usize).max(1) - 1;
    values.get(place).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::world::World;

    #[test]
    fn cells_fall_into_their_classes() {
        let truth = World::new(Scenario::sample()).unwrap().truth();
        let wall = truth.scene.wall;
        let mut face = Face::new(&wall);
        // Four cells with errors of +-0.9 cm, 4 cm, +-4 cm and 30 cm; one with too few points.
        for (column, errors) in [[-0.009, 0.009], [0.04, 0.04], [-0.04, 0.04], [0.3, 0.3]]
            .iter()
            .enumerate()
        {
            for i in 0..20 {
                let off = errors[i % 2];
                let place = wall.point(2.1 + 0.25 * column as f64, -4.9, off);
                let seen = Seen {
                    nearest: truth.scene.nearest(&place, OUTLIER_M),
                    on_wall: wall.coordinates(&place),
                    place,
                };
                face.add(Medium::Water, &seen);
            }
        }
        let classes = face.classes(Medium::Water).unwrap();
        assert_eq!(classes.cells, 4);
        assert_eq!(classes.points_in_class, [1, 0, 2, 1]);
        assert_eq!(classes.means_in_class, [2, 1, 0, 1]);
        assert!((classes.mean_95_m - 0.3).abs() < 1e-9 && (classes.point_95_m - 0.588).abs() < 1e-3);
        assert_eq!(face.classes(Medium::Air), None);
        assert_eq!(percentile_95(Vec::new()), 0.0);
    }
}
