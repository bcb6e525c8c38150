//! Registration of the sonar's last frames to the lidar's map: measured and reported, never applied.
//!
//! Each sonar point looks for the nearest flat piece of the lidar map (a kiddo k-d tree) and is
//! compared with its plane, weighted by its own covariance along the plane's normal: range is sharp,
//! beams are wide (Segal, Haehnel, Thrun, "Generalized-ICP", RSS 2009, with the plane's own
//! directions left open). The answer is refused, with a reason, where the two do not overlap, where
//! the overlap leaves a direction open, or where residuals and sigmas contradict each other.

use std::collections::VecDeque;

use beluga_types::elementary::Squared;
use beluga_types::{Body, Label, Medium, SolidarFrame, SonarRegistration, Transform};
use kiddo::{ImmutableKdTree, SquaredEuclidean};
use nalgebra::{Matrix3, Matrix6, Vector3, Vector6};

use crate::config::RegisterConfig;
use crate::odometry::Map;
use crate::solve::{Sums, inverse};
use crate::voxel::VoxelMap;

/// Sonar points kept of one frame; more are thinned evenly.
const POINTS_PER_FRAME: usize = 400;
/// Roughness of the lidar map's planes, one sigma in metres.
const MAP_SIGMA_M: f64 = 0.015;
/// Flatness from which a piece of the map counts.
const FLAT: f32 = 0.5;
/// Steps at most, and the step that ends them, in metres and rad.
const MAX_STEPS: usize = 20;
const CLOSE: f64 = 1e-5;
/// A direction is open if its sigma is larger than this, in metres (turns at ten metres).
const OPEN_SIGMA_M: f64 = 0.1;
const LEVER_M: f64 = 10.0;
/// Largest mean squared residual against its variance.
const LARGEST_CHI2: f64 = 2.0;
/// How many points err together: neighbours share pose and water.
const CORRELATION: f64 = 10.0;

/// A sonar point in `Map` with its random covariance.
#[derive(Clone, Copy)]
struct Sounding {
    place: Vector3<f64>,
    covariance: Matrix3<f64>,
}

/// The sonar's submap, and when it was last tried.
pub(crate) struct Registrar {
    config: RegisterConfig,
    frames: VecDeque<Vec<Sounding>>,
    since: u32,
    tried: bool,
    arcs: bool,
}

impl Registrar {
    pub(crate) fn new(config: &RegisterConfig) -> Self {
        Self {
            config: config.clone(),
            frames: VecDeque::new(),
            since: 0,
            tried: false,
            arcs: false,
        }
    }

    /// Takes a frame's sonar points, and tries when it is time.
    pub(crate) fn step(
        &mut self,
        frame: &SolidarFrame,
        map_from_body: &Transform<Map, Body>,
        map: &VoxelMap,
    ) -> SonarRegistration {
        if self.config.every_frames == 0 {
            return SonarRegistration::NotTried;
        }
        self.frames.push_back(soundings(frame, map_from_body));
        while self.frames.len() > self.config.submap_frames.max(1) as usize {
            self.frames.pop_front();
        }
        self.since += 1;
        self.arcs |= !frame.arcs.is_empty();
        if self.since < self.config.every_frames || self.frames.iter().all(Vec::is_empty) {
            return SonarRegistration::NotTried;
        }
        self.since = 0;
        self.attempt(map_from_body, map)
    }

    /// The verdict at the end of a pass that was too short for one; nothing if there has been one,
    /// or there is no map or no sonar to compare.
    pub(crate) fn last(
        &mut self,
        map_from_body: &Transform<Map, Body>,
        map: &VoxelMap,
    ) -> Option<SonarRegistration> {
        if self.tried || self.config.every_frames == 0 || map.points().next().is_none() {
            return None;
        }
        if self.frames.iter().any(|frame| !frame.is_empty()) {
            return Some(self.attempt(map_from_body, map));
        }
        self.arcs.then(|| SonarRegistration::Refused {
            reason: "no overlap: the sonar gives no points, only arcs, whose elevation is open".to_owned(),
        })
    }

    fn attempt(&mut self, map_from_body: &Transform<Map, Body>, map: &VoxelMap) -> SonarRegistration {
        self.tried = true;
        let submap: Vec<Sounding> = self.frames.iter().flatten().copied().collect();
        match register(&submap, map, map_from_body, &self.config) {
            Ok(measured) => measured,
            Err(reason) => SonarRegistration::Refused { reason },
        }
    }
}

/// The sonar points of a frame that may be structure, at most [`POINTS_PER_FRAME`].
fn soundings(frame: &SolidarFrame, map_from_body: &Transform<Map, Body>) -> Vec<Sounding> {
    let turn = map_from_body.rotation_matrix();
    let of_sonar: Vec<usize> = (0..frame.points.len())
        .filter(|&i| frame.points.medium[i] == Medium::Water && frame.points.label[i] == Label::Unknown)
        .collect();
    let stride = of_sonar.len().div_ceil(POINTS_PER_FRAME).max(1);
    let sounding = |&i: &usize| Sounding {
        place: (*map_from_body * frame.points.position(i)).vector(),
        covariance: turn * frame.covariance(i) * turn.transpose(),
    };
    of_sonar.iter().step_by(stride).map(sounding).collect()
}

/// Flat pieces of the lidar map near the soundings.
struct Pieces {
    places: Vec<[f64; 3]>,
    normals: Vec<Vector3<f64>>,
}

impl Pieces {
    fn near(map: &VoxelMap, submap: &[Sounding], gate_m: f64) -> Self {
        let mut low = Vector3::repeat(f64::INFINITY);
        let mut high = Vector3::repeat(f64::NEG_INFINITY);
        for sounding in submap {
            low = low.inf(&sounding.place);
            high = high.sup(&sounding.place);
        }
        let (low, high) = (low.add_scalar(-gate_m), high.add_scalar(gate_m));
        let mut pieces = Self {
            places: Vec::new(),
            normals: Vec::new(),
        };
        for (place, plane) in map.points() {
            let inside = (0..3).all(|axis| place[axis] >= low[axis] && place[axis] <= high[axis]);
            if plane.flat >= FLAT && inside {
                pieces.places.push(place.into());
                pieces.normals.push(Vector3::from(plane.normal).cast::<f64>());
            }
        }
        pieces
    }
}

fn register(
    submap: &[Sounding],
    map: &VoxelMap,
    map_from_body: &Transform<Map, Body>,
    config: &RegisterConfig,
) -> Result<SonarRegistration, String> {
    if map.points().next().is_none() {
        return Err("no overlap: there is no lidar map to lay it on".to_owned());
    }
    let pieces = Pieces::near(map, submap, config.gate_m);
    if pieces.places.is_empty() {
        return Err("no overlap: the lidar map has no flat piece near the sonar points".to_owned());
    }
    let tree = ImmutableKdTree::<f64, 3>::new_from_slice(&pieces.places)
        .map_err(|error| format!("the lidar map cannot be searched: {error:?}"))?;
    let body_from_map = map_from_body.inverse();
    let in_body: Vec<Vector3<f64>> = submap
        .iter()
        .map(|sounding| body_from_map.rotation() * sounding.place + body_from_map.translation())
        .collect();
    let mut pose = *map_from_body;
    for _ in 0..MAX_STEPS {
        let sums = linearise(submap, &in_body, &pose, &pieces, &tree, config.gate_m);
        check_overlap(&sums, submap.len(), config)?;
        check_observable(&sums.information())?;
        let covariance = inverse(&sums.information()).ok_or("the overlap leaves a direction open")?;
        let step: Vector6<f64> = -(covariance * sums.gradient());
        pose = pose.perturbed(&step);
        if !pose.is_finite() || map_from_body.perturbation_to(&pose).norm() > 4.0 * config.gate_m {
            return Err("the points run away from the map: the overlap does not decide".to_owned());
        }
        if step.norm() < CLOSE {
            break;
        }
    }
    let sums = linearise(submap, &in_body, &pose, &pieces, &tree, config.gate_m);
    check_overlap(&sums, submap.len(), config)?;
    check_observable(&sums.information())?;
    let chi2 = sums.planes.square / sums.planes.weight.max(1.0);
    if chi2 > LARGEST_CHI2 {
        return Err(format!(
            "residuals are {:.1} times as large as their sigmas: not the same surface, or sigmas too small",
            chi2.sqrt()
        ));
    }
    let covariance = inverse(&sums.information()).ok_or("the overlap leaves a direction open")?;
    Ok(SonarRegistration::Measured {
        correction: map_from_body.perturbation_to(&pose),
        covariance: Box::new(covariance * CORRELATION * chi2.max(1.0)),
        matched: sums.matched,
    })
}

fn linearise(
    submap: &[Sounding],
    in_body: &[Vector3<f64>],
    pose: &Transform<Map, Body>,
    pieces: &Pieces,
    tree: &ImmutableKdTree<f64, 3>,
    gate_m: f64,
) -> Sums {
    let turn = pose.rotation_matrix();
    let mut sums = Sums::default();
    for (sounding, p) in submap.iter().zip(in_body) {
        let place = turn * p + pose.translation();
        let nearest = tree
            .query(&[place.x, place.y, place.z])
            .nearest_one::<SquaredEuclidean<f64>>()
            .execute();
        if nearest.distance > gate_m * gate_m {
            continue;
        }
        let found = nearest.item as usize;
        let (Some(piece), Some(normal)) = (pieces.places.get(found), pieces.normals.get(found)) else {
            continue;
        };
        let residual = normal.dot(&(place - Vector3::from(*piece)));
        let variance = normal.dot(&(sounding.covariance * normal)) + MAP_SIGMA_M * MAP_SIGMA_M;
        let chi2 = residual * residual / variance;
        // Geman–McClure at three sigma.
        let robust = (9.0 / (9.0 + chi2)).squared();
        sums.matched += 1;
        sums.add_plane(*p, turn.transpose() * normal, residual, robust / variance);
        sums.planes.add(1.0, chi2.min(100.0));
    }
    sums
}

fn check_overlap(sums: &Sums, soundings: usize, config: &RegisterConfig) -> Result<(), String> {
    if sums.matched >= config.min_matches {
        return Ok(());
    }
    Err(format!(
        "no overlap: {} of {soundings} sonar points lie within {} m of the lidar map, {} are needed",
        sums.matched, config.gate_m, config.min_matches
    ))
}

/// Refuses where a direction is held worse than [`OPEN_SIGMA_M`], and says how many are held.
fn check_observable(information: &Matrix6<f64>) -> Result<(), String> {
    let scale = Matrix6::from_diagonal(&Vector6::new(1.0, 1.0, 1.0, LEVER_M, LEVER_M, LEVER_M)) / LEVER_M;
    let scaled = scale * information * scale / CORRELATION;
    let least = 1.0 / OPEN_SIGMA_M.squared();
    let held = scaled
        .symmetric_eigenvalues()
        .iter()
        .filter(|&&value| value >= least)
        .count();
    if held == 6 {
        return Ok(());
    }
    Err(format!(
        "not observable: the overlap holds {held} of 6 directions to {OPEN_SIGMA_M} m"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::spread_bits;

    fn noise(counter: u64) -> f64 {
        let uniform = |k: u64| (spread_bits(counter * 8 + k) >> 11) as f64 / (1u64 << 53) as f64;
        (0..4).map(uniform).sum::<f64>() * 3f64.sqrt() - 2.0 * 3f64.sqrt()
    }

    /// Points on three walls of a dock between two heights, with normal noise.
    fn dock(z: [f64; 2], spacing_m: f64, sigma_m: f64, walls: &[u8]) -> Vec<Vector3<f64>> {
        let mut points = Vec::new();
        let steps = (8.0 / spacing_m) as i32;
        for (turn, wall) in walls.iter().enumerate() {
            for i in 0..steps {
                for k in 0..((z[1] - z[0]) / spacing_m) as i32 {
                    let along = -4.0 + spacing_m * f64::from(i) + 0.013;
                    let up = z[0] + spacing_m * f64::from(k) + 0.011;
                    let off = sigma_m * noise((turn as u64) << 40 | (i as u64) << 20 | k as u64);
                    points.push(match wall {
                        0 => Vector3::new(along, 4.0 + off, up),
                        1 => Vector3::new(4.0 + off, along, up),
                        _ => Vector3::new(along, f64::from(k) * spacing_m - 4.0, z[0] + off),
                    });
                }
            }
        }
        points
    }

    fn lidar_map(points: &[Vector3<f64>]) -> VoxelMap {
        let mut map = VoxelMap::new(1.0);
        for point in points {
            let place = map.anchor(point);
            map.insert(&place);
        }
        map.fit_planes();
        map
    }

    fn submap(points: &[Vector3<f64>], moved: &Transform<Map, Body>, sigma_m: f64) -> Vec<Sounding> {
        let back = moved.inverse();
        let sounding = |point: &Vector3<f64>| Sounding {
            place: back.rotation() * point + back.translation(),
            covariance: Matrix3::identity() * sigma_m * sigma_m,
        };
        points.iter().map(sounding).collect()
    }

    fn config() -> RegisterConfig {
        RegisterConfig::default()
    }

    #[test]
    fn a_known_offset_is_found_where_walls_and_floor_overlap() {
        let map = lidar_map(&dock([0.0, 7.9], 0.1, 0.01, &[0, 1, 2]));
        let step = Vector6::new(0.01, -0.008, 0.015, 0.06, -0.05, 0.04);
        let moved = Transform::<Map, Body>::identity().perturbed(&step);
        let sonar = submap(&dock([0.0, 7.7], 0.23, 0.02, &[0, 1, 2]), &moved, 0.02);
        match register(&sonar, &map, &Transform::identity(), &config()) {
            Ok(SonarRegistration::Measured {
                correction,
                covariance,
                matched,
            }) => {
                assert!((correction - step).norm() < 0.01, "{}", correction - step);
                let error = correction - step;
                let chi2 = error.dot(&(covariance.try_inverse().unwrap() * error));
                assert!(chi2 < 20.0, "{chi2}");
                assert!(matched > 1000);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_overlap_it_is_refused() {
        let map = lidar_map(&dock([2.0, 6.0], 0.1, 0.01, &[0, 1]));
        let sonar = submap(
            &dock([-6.0, -1.0], 0.25, 0.02, &[0, 1]),
            &Transform::identity(),
            0.02,
        );
        let refused = register(&sonar, &map, &Transform::identity(), &config()).unwrap_err();
        assert!(refused.starts_with("no overlap"), "{refused}");
    }

    #[test]
    fn one_wall_alone_is_refused() {
        let map = lidar_map(&dock([0.0, 7.9], 0.1, 0.01, &[0]));
        let sonar = submap(&dock([0.0, 7.0], 0.2, 0.02, &[0]), &Transform::identity(), 0.02);
        let refused = register(&sonar, &map, &Transform::identity(), &config()).unwrap_err();
        assert!(
            refused.starts_with("not observable: the overlap holds 3 of 6"),
            "{refused}"
        );
    }

    #[test]
    fn residuals_that_contradict_their_sigmas_are_refused() {
        let map = lidar_map(&dock([0.0, 7.9], 0.1, 0.01, &[0, 1, 2]));
        let sonar = submap(
            &dock([0.0, 7.7], 0.23, 0.12, &[0, 1, 2]),
            &Transform::identity(),
            0.005,
        );
        let refused = register(&sonar, &map, &Transform::identity(), &config()).unwrap_err();
        assert!(refused.contains("times as large"), "{refused}");
    }
}
