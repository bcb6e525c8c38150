//! Lays one local map on another and says how well it holds there, or why not.
//!
//! Points against the planes of flat surfaces alone, with Geman–McClure weights whose width shrinks from
//! what is uncertain to what the surfaces give (as the odometry does it). Two samples of one surface
//! are nearest to each other wherever along it they lie, so distances from points would hold a wall
//! along itself; planes leave that open, and what the overlap leaves open keeps no information.

use beluga_types::elementary::Squared;
use beluga_types::{Body, Transform};
use kiddo::{ImmutableKdTree, SquaredEuclidean};
use nalgebra::{Matrix6, Vector3, Vector6};
use rayon::prelude::*;

use super::local_map::LocalMap;
use crate::solve::{Sums, held_directions, inverse};

/// Points per chunk of the parallel sums.
const CHUNK: usize = 256;
const MAX_STEPS: usize = 40;
/// By how much the reach shrinks in a step.
const SHRINK: f64 = 0.8;
/// Reach in the end, and largest distance that counts as lying on the other map, in metres.
const LAST_REACH_M: f64 = 0.6;
/// Fewest points that lie on the other map.
const MIN_MATCHES: u32 = 150;
/// Largest sigma of distances from planes in the end, in metres.
const LARGEST_SIGMA_M: f64 = 0.15;
/// Least part of the information a direction must have.
const LEAST_INFORMATION: f64 = 0.005;
/// How many points err together.
const CORRELATION: f64 = 20.0;
/// What a laid map is not better known than: rad and metres.
const FLOOR: (f64, f64) = (5e-4, 0.01);
/// What is known of a direction that the overlap leaves open: its sigma, in rad or metres.
const OPEN_SIGMA: f64 = 1e3;

/// Where one local map lies on another.
#[derive(Clone, Debug, PartialEq)]
pub struct Laid {
    /// Takes coordinates of the laid map to those of the one it lies on.
    pub on_from_laid: Transform<Body, Body>,
    /// Of it: right perturbation, rotation (rad) then translation (m).
    pub covariance: Matrix6<f64>,
    /// Part of the laid map's points that lie on the other.
    pub overlap: f64,
    /// One sigma of their distance from planes, in metres.
    pub sigma_m: f64,
    /// Directions of six the overlap holds.
    pub held: usize,
}

/// Lays `laid` on `on`, beginning at a guess that may be off by `reach_m`.
///
/// # Errors
/// Why it does not hold, in a sentence for people: too few points meet (`min_overlap` is a part of the
/// laid map's points), they do not lie on the same surfaces, or they hold too few directions.
pub fn lay(
    laid: &LocalMap,
    on: &LocalMap,
    guess: &Transform<Body, Body>,
    reach_m: f64,
    min_overlap: f64,
) -> Result<Laid, String> {
    let on = Ground::of(on)?;
    let laid = &laid.places();
    let mut pose = *guess;
    let mut width = Width {
        reach_m: reach_m.max(LAST_REACH_M),
        sigma_m: 0.3,
    };
    let mut sums = linearise(laid, &on, &pose, &width);
    for _ in 0..MAX_STEPS {
        if sums.matched < MIN_MATCHES {
            return Err(format!("{} points meet, {MIN_MATCHES} are needed", sums.matched));
        }
        let held = held_directions(&sums.information(), LEAST_INFORMATION);
        let information = held * sums.information() * held.transpose();
        let damped = information + Matrix6::identity() * 1e-6;
        let step: Vector6<f64> =
            -(inverse(&damped).ok_or("the overlap leaves a direction open")? * (held * sums.gradient()));
        pose = pose.perturbed(&step);
        if !pose.is_finite() {
            return Err("the points run away".to_owned());
        }
        let is_last = width.reach_m <= LAST_REACH_M && step.norm() < 1e-5;
        width.learn(&sums);
        sums = linearise(laid, &on, &pose, &width);
        if is_last {
            break;
        }
    }
    judge(laid.len(), &pose, &sums, min_overlap)
}

/// The map that another is laid on.
struct Ground<'a> {
    map: &'a LocalMap,
    places: Vec<[f64; 3]>,
    tree: ImmutableKdTree<f64, 3>,
}

impl<'a> Ground<'a> {
    fn of(map: &'a LocalMap) -> Result<Self, String> {
        let places = map.places();
        let tree = ImmutableKdTree::new_from_slice(&places)
            .map_err(|error| format!("the map cannot be searched: {error:?}"))?;
        Ok(Self { map, places, tree })
    }
}

fn judge(points: usize, pose: &Transform<Body, Body>, sums: &Sums, min_overlap: f64) -> Result<Laid, String> {
    let overlap = f64::from(sums.matched) / points.max(1) as f64;
    if overlap < min_overlap || sums.matched < MIN_MATCHES {
        return Err(format!(
            "{:.0} % of the points meet, {:.0} % are needed",
            overlap * 100.0,
            min_overlap * 100.0
        ));
    }
    let sigma_m = sums.planes.sigma().ok_or("no flat surface is common to both")?;
    if sigma_m > LARGEST_SIGMA_M {
        return Err(format!(
            "surfaces lie {sigma_m:.2} m apart, {LARGEST_SIGMA_M} m at most are the same"
        ));
    }
    let projector = held_directions(&sums.information(), LEAST_INFORMATION);
    let held = projector.trace().round() as usize;
    if held < 5 {
        return Err(format!("the overlap holds {held} of 6 directions"));
    }
    let information = projector * sums.information() * projector.transpose() / CORRELATION;
    let open = Matrix6::identity() * (1.0 / OPEN_SIGMA.squared());
    let covariance = inverse(&(information + open)).ok_or("the overlap leaves a direction open")?;
    let (turn, place) = (FLOOR.0.squared(), FLOOR.1.squared());
    Ok(Laid {
        on_from_laid: *pose,
        covariance: covariance + Matrix6::from_diagonal(&Vector6::new(turn, turn, turn, place, place, place)),
        overlap,
        sigma_m,
        held,
    })
}

/// What one step believes of distances.
struct Width {
    reach_m: f64,
    sigma_m: f64,
}

impl Width {
    fn learn(&mut self, sums: &Sums) {
        self.reach_m = (self.reach_m * SHRINK).max(LAST_REACH_M);
        if let Some(sigma) = sums.planes.sigma() {
            self.sigma_m = sigma.clamp(0.01, 0.3);
        }
    }

    /// Geman–McClure, a third of the reach wide.
    fn robust(&self, square: f64) -> f64 {
        let k2 = (self.reach_m / 3.0).squared();
        (k2 / (k2 + square)).squared()
    }
}

fn linearise(laid: &[[f64; 3]], on: &Ground<'_>, pose: &Transform<Body, Body>, width: &Width) -> Sums {
    let turn = pose.rotation_matrix();
    let chunks: Vec<Sums> = laid
        .par_chunks(CHUNK)
        .map(|chunk| {
            let mut sums = Sums::default();
            for point in chunk {
                let p = Vector3::from(*point);
                let place = turn * p + pose.translation();
                let nearest = on
                    .tree
                    .query(&[place.x, place.y, place.z])
                    .nearest_one::<SquaredEuclidean<f64>>()
                    .execute();
                if nearest.distance > width.reach_m * width.reach_m {
                    continue;
                }
                let found = nearest.item as usize;
                let Some(other) = on.places.get(found) else {
                    continue;
                };
                sums.matched += 1;
                let Some(normal) = on.map.normal(found) else {
                    continue;
                };
                let residual = normal.dot(&(place - Vector3::from(*other)));
                let robust = width.robust(residual * residual);
                let axis = turn.transpose() * normal;
                sums.add_plane(p, axis, residual, robust / width.sigma_m.squared());
                sums.planes.add(robust, residual * residual);
            }
            sums
        })
        .collect();
    let mut total = Sums::default();
    chunks.iter().for_each(|chunk| total.merge(chunk));
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::UnitQuaternion;

    /// Floor, two walls and a post, seen from a pose.
    fn corner(from: &Transform<Body, Body>) -> LocalMap {
        let mut points = Vec::new();
        for i in 0..60 {
            for k in 0..60 {
                let (a, b) = (f64::from(i) * 0.3 - 9.0, f64::from(k) * 0.3 - 9.0);
                points.push(Vector3::new(a, b, -2.0));
                if k < 20 {
                    points.push(Vector3::new(a, 8.0, b + 7.0));
                    points.push(Vector3::new(9.0, a, b + 7.0));
                }
            }
        }
        let back = from.inverse();
        let seen: Vec<[f32; 3]> = points
            .iter()
            .map(|point| {
                let place = back.rotation() * point + back.translation();
                [place.x as f32, place.y as f32, place.z as f32]
            })
            .collect();
        LocalMap::of(&seen, 0.4)
    }

    fn pose(turn: f64, x: f64, y: f64) -> Transform<Body, Body> {
        Transform::new(
            UnitQuaternion::from_scaled_axis(Vector3::z() * turn),
            Vector3::new(x, y, 0.1),
        )
    }

    #[test]
    fn a_map_is_laid_where_it_lies_from_a_metre_away() {
        let truth = pose(0.4, 1.5, -2.0);
        let (laid, on) = (corner(&truth), corner(&Transform::identity()));
        let guess = truth.perturbed(&Vector6::new(0.01, -0.02, 0.06, 0.7, -0.6, 0.3));
        let found = lay(&laid, &on, &guess, 2.0, 0.5).unwrap();
        let off = truth.perturbation_to(&found.on_from_laid);
        assert!(
            off.fixed_rows::<3>(3).norm() < 0.03 && off.fixed_rows::<3>(0).norm() < 0.005,
            "{off}"
        );
        assert_eq!(found.held, 6);
        assert!(found.overlap > 0.8 && found.sigma_m < 0.05, "{found:?}");
        let again = lay(&laid, &on, &guess, 2.0, 0.5).unwrap();
        assert_eq!(found, again);
    }

    #[test]
    fn another_place_is_refused_with_the_reason() {
        let far = corner(&pose(0.0, 60.0, 0.0));
        let refused = lay(
            &far,
            &corner(&Transform::identity()),
            &Transform::identity(),
            2.0,
            0.5,
        )
        .unwrap_err();
        assert!(refused.contains("meet"), "{refused}");
        let wall: Vec<[f32; 3]> = (0..60)
            .flat_map(|i| (0..30).map(move |k| [0.3 * i as f32, 5.0, 0.3 * k as f32]))
            .collect();
        let wall = LocalMap::of(&wall, 0.25);
        let refused = lay(&wall, &wall, &Transform::identity(), 1.0, 0.5).unwrap_err();
        assert!(refused.contains("3 of 6"), "{refused}");
    }
}
