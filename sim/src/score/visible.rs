//! Which parts of the true surface a sensor could see, and which of them have points.
//!
//! What could be seen is asked of the truth alone: from the true places of the true sensor, rays in
//! steps of about a degree are followed to the first surface they meet. A cell of 0.20 m counts if a ray
//! meets it less than 75° from its normal, in range, and on the sensor's side of the still water.
//! Nothing here knows what shapes a scene is made of.

use std::collections::BTreeMap;

use beluga_types::{Sensor, SensorKind, Transform};
use nalgebra::Vector3;
use rayon::prelude::*;
use serde::Serialize;

use super::{OUTLIER_M, Seen};
use crate::scene::{Kind, Quay};
use crate::truth::Truth;
use crate::vessel::START;

/// Edge of a cell, in metres.
pub(super) const CELL_M: f64 = 0.20;
/// Cells do not begin at zero, where sites like to have their planes: a plane on a cell's border would
/// fall to either side of it by rounding.
const SHIFT_M: [f64; 3] = [0.0371, 0.0613, 0.0497];
/// Rays that meet a surface at a larger angle from its normal do not count.
const STEEPEST_COS: f64 = 0.258_819_045;
/// Rays of the lidar that meet nothing within this distance do not count: beyond, a degree is wider
/// than a cell.
const LIDAR_REACH_M: f64 = 20.0;
/// Places from which the lidar is asked, at most.
const LIDAR_PLACES: usize = 240;
/// A point within this distance of a surface makes its cell complete.
const NEAR_M: f64 = 0.15;
/// A cell is looked for in this many cells to either side for the nearest point.
const SHELLS: i32 = 2;

type Key = (Kind, [i32; 3]);

/// What one kind of sensor could see of the true surface, and the nearest points it gave.
#[derive(Clone, Debug)]
pub(super) struct Visible {
    cells: BTreeMap<Key, Cell>,
    /// Distances from points to the surface, in their sum: those beyond the reach count as the reach.
    to_surface_m: f64,
    points: u64,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Sum of where rays met it, and their number.
    met: Vector3<f64>,
    rays: f64,
    /// Points near it.
    points: u64,
    /// The nearest point to its middle.
    nearest: Option<Vector3<f64>>,
}

/// How much of what could be seen has points, and how far apart points and surface are both ways.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Completeness {
    /// Cells of 0.20 m that could be seen.
    pub cells: u64,
    /// Of these, with a point within 0.15 m.
    pub complete: u64,
    /// Part that is complete, 0 to 1.
    pub fraction: f64,
    /// The same by the kind of surface.
    pub kinds: Vec<KindCompleteness>,
    /// Mean distance from points to the true surface, in metres; 0.5 m and more count as 0.5 m.
    /// Nothing without points.
    pub found_to_true_m: Option<f64>,
    /// Mean distance from the middle of each cell that could be seen to the nearest point, in metres;
    /// 0.5 m and more count as 0.5 m.
    pub true_to_found_m: f64,
    /// Chamfer distance: the sum of both means, in metres.
    pub chamfer_m: Option<f64>,
}

/// Completeness on one kind of surface.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KindCompleteness {
    /// The kind of surface.
    pub kind: Kind,
    /// Cells that could be seen.
    pub cells: u64,
    /// Of these, with a point within 0.15 m.
    pub complete: u64,
    /// Mean distance from a cell's middle to the nearest point, in metres.
    pub true_to_found_m: f64,
}

impl Visible {
    /// What the first sensor of a kind could see.
    pub(super) fn new(truth: &Truth, sensor: SensorKind) -> Self {
        let (places, rays, [near, far]) = match sensor {
            SensorKind::Lidar => lidar(truth),
            _ => sonar(truth),
        };
        let met: Vec<Vec<(Key, Vector3<f64>)>> = places
            .par_iter()
            .map(|place| {
                let rotation = place.rotation_matrix();
                let origin = place.translation();
                let mut met: Vec<(Key, Vector3<f64>)> = Vec::new();
                for ray in &rays {
                    let direction = rotation * ray;
                    let Some((surface, hit)) = truth.scene.cast(&origin, &direction, near, far) else {
                        continue;
                    };
                    let at = origin + direction * hit.distance;
                    let same_side = (at.z > 0.0) == (origin.z > 0.0);
                    if same_side && direction.dot(&hit.normal).abs() >= STEEPEST_COS {
                        let kind = truth.scene.surfaces[surface as usize].kind;
                        met.push((key(kind, &at), at));
                    }
                }
                met
            })
            .collect();
        let mut cells: BTreeMap<Key, Cell> = BTreeMap::new();
        for (key, at) in met.into_iter().flatten() {
            let cell = cells.entry(key).or_insert(Cell {
                met: Vector3::zeros(),
                rays: 0.0,
                points: 0,
                nearest: None,
            });
            cell.met += at;
            cell.rays += 1.0;
        }
        Self {
            cells,
            to_surface_m: 0.0,
            points: 0,
        }
    }

    /// Adds a point, in `Quay`.
    pub(super) fn add(&mut self, seen: &Seen) {
        self.points += 1;
        let Some(nearest) = &seen.nearest else {
            self.to_surface_m += OUTLIER_M;
            return;
        };
        self.to_surface_m += nearest.signed_m.abs();
        let Some(cell) = self.cells.get_mut(&key(nearest.kind, &nearest.foot)) else {
            return;
        };
        if nearest.signed_m.abs() <= NEAR_M {
            cell.points += 1;
        }
        let middle = cell.middle();
        if cell
            .nearest
            .is_none_or(|before| (before - middle).norm_squared() > (seen.place - middle).norm_squared())
        {
            cell.nearest = Some(seen.place);
        }
    }

    /// The middles of the cells of a kind that could be seen, in `Quay`.
    pub(super) fn middles(&self, kind: Kind) -> impl Iterator<Item = Vector3<f64>> + '_ {
        let cells = self.cells.iter().filter(move |((of, _), _)| *of == kind);
        cells.map(|(_, cell)| cell.middle())
    }

    /// The middles of the cells that could be seen and have no point, in `Quay`, with their kinds.
    pub(super) fn gaps(&self) -> impl Iterator<Item = (Kind, Vector3<f64>)> + '_ {
        let empty = self.cells.iter().filter(|(_, cell)| cell.points == 0);
        empty.map(|((kind, _), cell)| (*kind, cell.middle()))
    }

    /// What came of it; nothing if nothing could be seen.
    pub(super) fn finish(&self) -> Option<Completeness> {
        if self.cells.is_empty() {
            return None;
        }
        let mut kinds: BTreeMap<Kind, (u64, u64, f64)> = BTreeMap::new();
        for (key, cell) in &self.cells {
            let of = kinds.entry(key.0).or_default();
            of.0 += 1;
            of.1 += u64::from(cell.points > 0);
            of.2 += self.to_nearest_m(key, cell);
        }
        let cells = self.cells.len() as u64;
        let complete = kinds.values().map(|of| of.1).sum();
        let true_to_found_m = kinds.values().map(|of| of.2).sum::<f64>() / cells as f64;
        let found_to_true_m = (self.points > 0).then(|| self.to_surface_m / self.points as f64);
        Some(Completeness {
            cells,
            complete,
            fraction: complete as f64 / cells as f64,
            kinds: kinds
                .iter()
                .map(|(kind, of)| KindCompleteness {
                    kind: *kind,
                    cells: of.0,
                    complete: of.1,
                    true_to_found_m: of.2 / of.0 as f64,
                })
                .collect(),
            found_to_true_m,
            true_to_found_m,
            chamfer_m: found_to_true_m.map(|found| found + true_to_found_m),
        })
    }

    /// From a cell's middle to the nearest point kept in it or in the cells around.
    fn to_nearest_m(&self, (kind, place): &Key, cell: &Cell) -> f64 {
        let middle = cell.middle();
        let steps = -SHELLS..=SHELLS;
        let mut least = OUTLIER_M;
        for (x, y, z) in steps
            .clone()
            .flat_map(|x| steps.clone().map(move |y| (x, y)))
            .flat_map(|(x, y)| (-SHELLS..=SHELLS).map(move |z| (x, y, z)))
        {
            let near = [place[0] + x, place[1] + y, place[2] + z];
            if let Some(point) = self.cells.get(&(*kind, near)).and_then(|cell| cell.nearest) {
                least = least.min((point - middle).norm());
            }
        }
        least
    }
}

impl Cell {
    fn middle(&self) -> Vector3<f64> {
        self.met / self.rays
    }
}

fn key(kind: Kind, at: &Vector3<f64>) -> Key {
    let cell = [0, 1, 2].map(|axis| ((at[axis] + SHIFT_M[axis]) / CELL_M).floor() as i32);
    (kind, cell)
}

type Rays = (Vec<Transform<Quay, Sensor>>, Vec<Vector3<f64>>, [f64; 2]);

/// The lidar's places, half a second or more apart, its rays in steps of a degree, and its reach.
fn lidar(truth: &Truth) -> Rays {
    let lidar = &truth.scenario.lidar;
    if truth.body_from_sensor(SensorKind::Lidar, START).is_none() {
        return (Vec::new(), Vec::new(), [0.0, 0.0]);
    }
    let quay_from_world = truth.scene.world_from_quay.inverse();
    let step = (truth.poses.len() / LIDAR_PLACES).max(100);
    let places = truth.poses.iter().step_by(step);
    let places = places.filter_map(|(stamp, pose)| {
        let body_from_sensor = truth.body_from_sensor(SensorKind::Lidar, *stamp)?;
        Some(quay_from_world * *pose * body_from_sensor)
    });
    let rows = (lidar.highest_deg - lidar.lowest_deg).abs().ceil() as i32;
    let rays = (0..=rows).flat_map(|row| {
        let up = lidar.lowest_deg
            + (lidar.highest_deg - lidar.lowest_deg) * f64::from(row) / f64::from(rows.max(1));
        let (rise, flat) = up.to_radians().sin_cos();
        (0..360).map(move |turn| {
            let (sin, cos) = f64::from(turn).to_radians().sin_cos();
            Vector3::new(flat * cos, flat * sin, rise)
        })
    });
    (
        places.collect(),
        rays.collect(),
        [0.5, lidar.range_m.min(LIDAR_REACH_M)],
    )
}

/// The sonar's places at its pings, the rays of its fan in steps of half a degree with those at both
/// edges of its beam, and its range.
fn sonar(truth: &Truth) -> Rays {
    let sonar = &truth.scenario.sonar;
    let half_width = 0.5 * sonar.beam_width_deg;
    let steps = (sonar.fan_deg * 2.0).ceil() as i32;
    let rays = (0..=steps).flat_map(|step| {
        let across = sonar.fan_deg * (f64::from(step) / f64::from(steps.max(1)) - 0.5);
        let (side, down) = across.to_radians().sin_cos();
        [-half_width, 0.0, half_width].map(|along| {
            let (ahead, rest) = along.to_radians().sin_cos();
            Vector3::new(ahead, -side * rest, -down * rest)
        })
    });
    (
        truth.ping_poses(),
        rays.collect(),
        [sonar.blanking_m, sonar.range_m],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::world::World;

    fn seen(truth: &Truth, place: Vector3<f64>) -> Seen {
        Seen {
            nearest: truth.scene.nearest(&place, OUTLIER_M),
            on_wall: truth.scene.wall.coordinates(&place),
            place,
        }
    }

    /// Points at the middle of every second cell, a centimetre off: half is complete, and the way back
    /// is a centimetre there and a cell's width elsewhere.
    #[test]
    fn half_of_the_cells_are_found() {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 1.0;
        let truth = World::new(scenario).unwrap().truth();
        let mut visible = Visible::new(&truth, SensorKind::Sonar);
        let walls: Vec<Vector3<f64>> = visible.middles(Kind::Wall).collect();
        assert!(walls.len() > 100, "{}", walls.len());
        assert!(walls.iter().all(|place| place.z < 0.0));
        let normal = truth.scene.wall.normal;
        for place in walls
            .iter()
            .filter(|place| (place.x / 0.4).floor() as i32 % 2 == 0)
        {
            visible.add(&seen(&truth, place + normal * 0.01));
        }
        visible.add(&seen(&truth, Vector3::new(3.0, 30.0, 9.0)));
        let score = visible.finish().unwrap();
        let wall = score.kinds.iter().find(|kind| kind.kind == Kind::Wall).unwrap();
        assert_eq!(wall.cells, walls.len() as u64);
        let part = wall.complete as f64 / wall.cells as f64;
        assert!((0.3..0.7).contains(&part), "{part}");
        assert!((0.01..0.25).contains(&wall.true_to_found_m), "{wall:?}");
        let bed = score.kinds.iter().find(|kind| kind.kind == Kind::Bed).unwrap();
        assert_eq!((bed.complete, bed.true_to_found_m), (0, OUTLIER_M));
        let count = visible.points as f64;
        let expected = (0.01 * (count - 1.0) + OUTLIER_M) / count;
        assert!((score.found_to_true_m.unwrap() - expected).abs() < 1e-9);
    }

    #[test]
    fn the_lidar_sees_no_cell_below_the_water_and_a_blind_one_none() {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 0.5;
        let mut truth = World::new(scenario).unwrap().truth();
        let visible = Visible::new(&truth, SensorKind::Lidar);
        assert!(visible.middles(Kind::Wall).count() > 100);
        assert!(visible.cells.values().all(|cell| cell.middle().z > 0.0));
        truth.mounting.clear();
        assert_eq!(Visible::new(&truth, SensorKind::Lidar).finish(), None);
    }
}
