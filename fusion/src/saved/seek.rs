//! Finding oneself in a map: poses on a grid, the best of them laid on the map, and the best of those
//! believed if it is good, and no other place is as good.

use beluga_types::elementary::{Squared, hypot};
use beluga_types::{Body, Transform};
use nalgebra::{Matrix6, UnitQuaternion, Vector3};
use rayon::prelude::*;

use crate::columns::Columns;
use crate::odometry::{Map, Odometry, Prior};
use crate::voxel::VoxelMap;

/// Steps of the grid: metres, and rad.
const STEP: (f64, f64) = (2.0, 0.131);
/// Points a pose of the grid is judged by, and a laid one.
const POINTS: (usize, usize) = (150, 1000);
/// Poses of the grid that are laid on the map.
const LAID: usize = 16;
/// Farthest from the map's points that a laid scan's point lies on it, in metres.
const ON_MAP_M: f32 = 0.3;
/// Part of a scan's points that must lie on the map.
const LEAST_ON_MAP: f64 = 0.6;
/// Another place is as good if so many times as many points lie on the map there.
const AS_GOOD: f64 = 0.97;
/// Another place is farther than this: metres, rad.
const ANOTHER: (f64, f64) = (0.5, 0.05);
/// What is believed of a pose of the grid: one sigma, metres and rad.
const GRID_SIGMA: (f64, f64) = (2.0, 0.2);
/// Scans that are looked for one after the other, and then one of so many.
const EAGER: u64 = 10;
const PATIENT: u64 = 10;

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around {
    pub(crate) centre: Transform<Map, Body>,
    /// To each side, in metres.
    pub(crate) reach_m: f64,
    /// To each side, in rad.
    pub(crate) reach_rad: f64,
}

/// A search that goes on from scan to scan until it finds.
#[derive(Debug)]
pub(crate) struct Seek {
    scans: u64,
    /// Why nothing was found last.
    reason: Option<String>,
}

/// A pose and the part of the scan's points that lie on the map there.
#[derive(Clone, Copy)]
struct Candidate {
    pose: Transform<Map, Body>,
    part: f64,
}

impl Seek {
    pub(crate) fn new() -> Self {
        Self {
            scans: 0,
            reason: None,
        }
    }

    /// Why nothing has been found; nothing if nothing was looked for.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The pose of a scan (in `Body`) on the map, if there is one that can be believed.
    pub(crate) fn find(
        &mut self,
        odometry: &mut Odometry,
        points: &Columns,
        around: &Around,
    ) -> Option<Transform<Map, Body>> {
        self.scans += 1;
        if self.scans > EAGER && !self.scans.is_multiple_of(PATIENT) {
            return None;
        }
        let mut laid = lay(odometry, points, around);
        laid.sort_by(|a, b| b.part.total_cmp(&a.part));
        let (reason, found) = judge(&laid);
        self.reason = reason;
        found
    }
}

/// Why not, or where.
fn judge(laid: &[Candidate]) -> (Option<String>, Option<Transform<Map, Body>>) {
    let Some(best) = laid.first() else {
        return (Some("no scan could be laid on it".to_owned()), None);
    };
    if best.part < LEAST_ON_MAP {
        let reason = format!(
            "where a scan fits best {:.0} % of its points lie on the map, {:.0} % are needed",
            best.part * 100.0,
            LEAST_ON_MAP * 100.0
        );
        return (Some(reason), None);
    }
    let is_another = |other: &&Candidate| {
        let off = best.pose.perturbation_to(&other.pose);
        other.part >= AS_GOOD * best.part
            && (off.fixed_rows::<3>(3).norm() > ANOTHER.0 || off.fixed_rows::<3>(0).norm() > ANOTHER.1)
    };
    if let Some(other) = laid.iter().find(is_another) {
        let away_m = (other.pose.translation() - best.pose.translation()).norm();
        let reason = format!("a scan fits as well at two places {away_m:.1} m apart");
        return (Some(reason), None);
    }
    (None, Some(best.pose))
}

/// The best poses of the grid, laid on the map.
fn lay(odometry: &mut Odometry, points: &Columns, around: &Around) -> Vec<Candidate> {
    let few = chosen(points, POINTS.0);
    let many = chosen(points, POINTS.1);
    let map = odometry.map();
    let wide = map.size_m();
    let mut grid: Vec<Candidate> = grid(around)
        .par_iter()
        .map(|pose| Candidate {
            pose: *pose,
            part: part_on(map, &few, pose, wide),
        })
        .collect();
    // Stable, so that of equals the one nearer to the centre comes first.
    grid.sort_by(|a, b| b.part.total_cmp(&a.part));
    let (place, turn) = (1.0 / GRID_SIGMA.0.squared(), 1.0 / GRID_SIGMA.1.squared());
    let information = Matrix6::from_diagonal(&[turn, turn, turn, place, place, place].into());
    let mut laid = Vec::new();
    for candidate in grid.iter().take(LAID) {
        let prior = Prior {
            mean: candidate.pose,
            information,
        };
        if let Some(alignment) = odometry.align(points, &candidate.pose, &prior) {
            let pose = alignment.map_from_body;
            laid.push(Candidate {
                pose,
                part: part_on(odometry.map(), &many, &pose, ON_MAP_M),
            });
        }
    }
    laid
}

/// Poses around the centre, the nearest first.
fn grid(around: &Around) -> Vec<Transform<Map, Body>> {
    let moves = (around.reach_m / STEP.0).ceil() as i32;
    let turns = (around.reach_rad / STEP.1).ceil() as i32;
    let mut poses = Vec::new();
    for turn in -turns..=turns {
        for east in -moves..=moves {
            for north in -moves..=moves {
                let (dx, dy) = (f64::from(east) * STEP.0, f64::from(north) * STEP.0);
                if hypot(dx, dy) > around.reach_m + 1e-9 && (east, north) != (0, 0) {
                    continue;
                }
                let spin = UnitQuaternion::from_scaled_axis(Vector3::z() * f64::from(turn) * STEP.1);
                let away = hypot(dx, dy) / STEP.0 + f64::from(turn.abs());
                let pose = Transform::new(
                    spin * around.centre.rotation(),
                    around.centre.translation() + Vector3::new(dx, dy, 0.0),
                );
                poses.push((away, pose));
            }
        }
    }
    poses.sort_by(|a, b| a.0.total_cmp(&b.0));
    poses.into_iter().map(|(_, pose)| pose).collect()
}

/// So many points, evenly chosen.
fn chosen(points: &Columns, wanted: usize) -> Vec<Vector3<f64>> {
    let step = points.len().div_ceil(wanted).max(1);
    (0..points.len())
        .step_by(step)
        .map(|index| Vector3::from(points.point(index)).cast())
        .collect()
}

/// The part of the points that have a map point within `reach_m`.
fn part_on(map: &VoxelMap, points: &[Vector3<f64>], pose: &Transform<Map, Body>, reach_m: f32) -> f64 {
    let (turn, place) = (pose.rotation_matrix(), pose.translation());
    let is_on = |point: &&Vector3<f64>| {
        let (voxel, inside) = map.normalized(&map.anchor(&(turn * **point + place)));
        map.find_nearest(voxel, inside, reach_m).point().is_some()
    };
    points.iter().filter(is_on).count() as f64 / points.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f64, part: f64) -> Candidate {
        Candidate {
            pose: Transform::new(UnitQuaternion::identity(), Vector3::new(x, 0.0, 0.0)),
            part,
        }
    }

    #[test]
    fn one_good_place_is_believed_and_two_are_not() {
        let (reason, found) = judge(&[at(3.0, 0.9), at(3.01, 0.9), at(9.0, 0.7)]);
        assert_eq!((reason, found.unwrap().translation().x), (None, 3.0));
        let (reason, found) = judge(&[at(3.0, 0.9), at(7.0, 0.89)]);
        assert!(found.is_none() && reason.unwrap().contains("two places 4.0 m apart"));
        let (reason, found) = judge(&[at(3.0, 0.5)]);
        assert!(found.is_none() && reason.unwrap().contains("50 %"));
        assert!(judge(&[]).1.is_none());
    }

    #[test]
    fn the_grid_is_bounded_and_begins_at_its_centre() {
        let centre = Transform::new(
            UnitQuaternion::from_scaled_axis(Vector3::z() * 0.4),
            Vector3::new(5.0, -3.0, 1.0),
        );
        let around = Around {
            centre,
            reach_m: 10.0,
            reach_rad: std::f64::consts::PI,
        };
        let poses = grid(&around);
        assert_eq!(poses[0], centre);
        assert!((3000..6000).contains(&poses.len()), "{}", poses.len());
        for pose in &poses {
            let off = pose.translation() - centre.translation();
            assert!(off.norm() < 10.0 + 1e-6 && off.z == 0.0);
        }
    }
}
