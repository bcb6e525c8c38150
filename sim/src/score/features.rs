//! Features within the face besides rungs: edges of fenders, axes of piles.
//!
//! The distance of a cloud from the surface cannot see a cloud that has slid along it; these can.
//! The truth is used only as a search window.

use std::collections::BTreeMap;

use beluga_types::Medium;
use nalgebra::{Matrix2, Vector2, Vector3};
use serde::Serialize;

use super::Seen;
use crate::scene::{Kind, Shape};
use crate::truth::Truth;

/// Windows reach this far beyond a fender's sides, in metres.
const BESIDE_M: f64 = 0.4;
/// How far off the front its points lie, in metres: hardly behind it, where the fender's sides are.
const FRONT_M: [f64; 2] = [-0.04, 0.15];
/// Features count if they stand along the vessel's path or this far beyond its ends, in metres: from farther
/// away they are seen from the side, and thinly.
const BEYOND_M: f64 = 5.0;
/// Width of a bin along the wall, in metres.
const STEP_M: f64 = 0.005;
/// Points a feature needs.
const LEAST_POINTS: u64 = 30;
/// Points of a pile lie within this distance of its mantle, in metres.
const PILE_REACH_M: f64 = 0.15;

/// A fender: how far its sides were found from where they are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FenderError {
    /// What the points were seen through: `air` or `water`.
    pub medium: &'static str,
    /// Where its middle truly is along the wall, in metres.
    pub along_m: f64,
    /// Points on its front.
    pub points: u64,
    /// Found minus true along the wall, of the side that comes first and of the other, in metres.
    pub sides_m: Option<[f64; 2]>,
}

/// A pile: how far its axis was found from where it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PileError {
    /// What the points were seen through: `air` or `water`.
    pub medium: &'static str,
    /// Where it truly stands along the wall, in metres.
    pub along_m: f64,
    /// Points on its mantle.
    pub points: u64,
    /// Found minus true, along the wall and across it, in metres.
    pub axis_m: Option<[f64; 2]>,
}

/// Features within the face.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FeatureScore {
    /// Fenders that have points.
    pub fenders: Vec<FenderError>,
    /// Median of the distance of their found middles from the true ones along the wall, in metres.
    pub fender_middle_median_m: Option<f64>,
    /// Median of the distance of their found sides from the true ones, in metres.
    pub fender_side_median_m: Option<f64>,
    /// Piles that have points.
    pub piles: Vec<PileError>,
    /// Median of the distance of their found axes from the true ones, in metres.
    pub pile_median_m: Option<f64>,
}

/// Sums over the points in each window.
#[derive(Clone, Debug)]
pub(super) struct Features {
    fenders: Vec<Fender>,
    piles: BTreeMap<u32, Pile>,
}

#[derive(Clone, Debug)]
struct Fender {
    /// First and second side along the wall.
    sides: [f64; 2],
    /// Lower and upper end up the face.
    ends: [f64; 2],
    off_m: f64,
    counts: [Vec<u32>; 2],
}

#[derive(Clone, Copy, Debug)]
struct Pile {
    base: Vector3<f64>,
    axis: Vector3<f64>,
    radius: f64,
    sums: [PileSums; 2],
}

/// Normal equations of the axis: how far the mantle is off along each direction.
#[derive(Clone, Copy, Debug, Default)]
struct PileSums {
    points: u64,
    normal: Matrix2<f64>,
    right: Vector2<f64>,
}

impl Features {
    pub(super) fn new(truth: &Truth) -> Self {
        let scene = &truth.scene;
        let quay_from_world = scene.world_from_quay.inverse();
        let along = || {
            truth
                .poses
                .iter()
                .map(|(_, pose)| (quay_from_world * *pose).translation().x)
        };
        let begin = along().fold(f64::INFINITY, f64::min) - BEYOND_M;
        let end = along().fold(f64::NEG_INFINITY, f64::max) + BEYOND_M;
        let mut fenders = Vec::new();
        let mut piles = BTreeMap::new();
        for (id, surface) in (0u32..).zip(&scene.surfaces) {
            match (surface.kind, surface.shape) {
                (
                    Kind::Fender,
                    Shape::Rectangle {
                        corner,
                        first,
                        second,
                        size,
                    },
                ) if second.cross(&first).dot(&scene.wall.normal) > 0.99 => {
                    let far = corner + first * size[0] + second * size[1];
                    let (one, other) = (scene.wall.coordinates(&corner), scene.wall.coordinates(&far));
                    let span = |axis: usize| [one[axis].min(other[axis]), one[axis].max(other[axis])];
                    let sides = span(0);
                    if sides[1] < begin || sides[0] > end {
                        continue;
                    }
                    let bins = ((sides[1] - sides[0] + 2.0 * BESIDE_M) / STEP_M).ceil() as usize;
                    fenders.push(Fender {
                        sides,
                        ends: span(1),
                        off_m: one[2],
                        counts: [vec![0; bins], vec![0; bins]],
                    });
                }
                (
                    Kind::Pile,
                    Shape::Cylinder {
                        base, axis, radius, ..
                    },
                ) if axis.z.abs() > 0.99 && base.x >= begin && base.x <= end => {
                    piles.insert(
                        id,
                        Pile {
                            base,
                            axis,
                            radius,
                            sums: Default::default(),
                        },
                    );
                }
                _ => {}
            }
        }
        Self { fenders, piles }
    }

    /// Adds a point.
    pub(super) fn add(&mut self, medium: Medium, seen: &Seen) {
        let Some(nearest) = &seen.nearest else {
            return;
        };
        match nearest.kind {
            Kind::Pile => {
                if let Some(pile) = self.piles.get_mut(&nearest.surface)
                    && nearest.signed_m.abs() <= PILE_REACH_M
                {
                    pile.add(medium, &seen.place);
                }
            }
            Kind::Fender => {
                let [along, up, off] = seen.on_wall;
                for fender in &mut self.fenders {
                    let bin = ((along - fender.sides[0] + BESIDE_M) / STEP_M).floor();
                    let before = off - fender.off_m;
                    let on_front = (FRONT_M[0]..=FRONT_M[1]).contains(&before)
                        && up >= fender.ends[0]
                        && up <= fender.ends[1];
                    let counts = &mut fender.counts[medium as usize];
                    if on_front && bin >= 0.0 && bin < counts.len() as f64 {
                        counts[bin as usize] = counts[bin as usize].saturating_add(1);
                    }
                }
            }
            _ => {}
        }
    }

    /// The score; nothing if the vessel passed neither fenders nor piles.
    pub(super) fn finish(&self) -> Option<FeatureScore> {
        if self.fenders.is_empty() && self.piles.is_empty() {
            return None;
        }
        let fenders: Vec<FenderError> = Medium::ALL
            .into_iter()
            .flat_map(|medium| self.fenders.iter().filter_map(move |fender| fender.error(medium)))
            .collect();
        let piles: Vec<PileError> = Medium::ALL
            .into_iter()
            .flat_map(|medium| self.piles.values().filter_map(move |pile| pile.error(medium)))
            .collect();
        let sides = fenders.iter().filter_map(|fender| fender.sides_m);
        Some(FeatureScore {
            fender_middle_median_m: median(sides.clone().map(|[a, b]| (0.5 * (a + b)).abs()).collect()),
            fender_side_median_m: median(sides.flatten().map(f64::abs).collect()),
            pile_median_m: median(
                piles
                    .iter()
                    .filter_map(|p| p.axis_m)
                    .map(|[x, y]| x.hypot(y))
                    .collect(),
            ),
            fenders,
            piles,
        })
    }
}

impl Fender {
    /// Points lie evenly along the front, so its sides lie a twentieth of the points beyond the 5th and
    /// 95th of a hundred.
    fn error(&self, medium: Medium) -> Option<FenderError> {
        let counts = &self.counts[medium as usize];
        let points: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        let at = |part: f64| self.sides[0] - BESIDE_M + STEP_M * quantile(counts, part * points as f64);
        let sides_m = (points >= LEAST_POINTS).then(|| {
            let (low, high) = (at(0.05), at(0.95));
            let beyond = 0.05 / 0.9 * (high - low);
            [low - beyond - self.sides[0], high + beyond - self.sides[1]]
        });
        (points > 0).then(|| FenderError {
            medium: medium.name(),
            along_m: 0.5 * (self.sides[0] + self.sides[1]),
            points,
            sides_m,
        })
    }
}

/// Where a number of counts is reached, in bins, evenly within a bin.
fn quantile(counts: &[u32], wanted: f64) -> f64 {
    let mut sum = 0.0;
    for (bin, &count) in counts.iter().enumerate() {
        let count = f64::from(count);
        if count > 0.0 && sum + count >= wanted {
            return bin as f64 + (wanted - sum) / count;
        }
        sum += count;
    }
    counts.len() as f64
}

impl Pile {
    /// The residual of the mantle is linear in a small shift of the axis: |p - a| - r = u·δ.
    fn add(&mut self, medium: Medium, place: &Vector3<f64>) {
        let arm = place - self.base;
        let across = arm - self.axis * arm.dot(&self.axis);
        let flat = Vector2::new(across.x, across.y);
        let distance = flat.norm();
        if distance > 1e-6 {
            let direction = flat / distance;
            let sums = &mut self.sums[medium as usize];
            sums.points += 1;
            sums.normal += direction * direction.transpose();
            sums.right += direction * (distance - self.radius);
        }
    }

    fn error(&self, medium: Medium) -> Option<PileError> {
        let sums = &self.sums[medium as usize];
        // A mantle seen from one direction only does not hold the axis across it.
        let held = sums.normal.symmetric_eigenvalues().min() > 0.02 * sums.points as f64;
        let solved = sums.normal.try_inverse().map(|inverse| inverse * sums.right);
        let axis_m = solved.filter(|_| held && sums.points >= LEAST_POINTS);
        (sums.points > 0).then(|| PileError {
            medium: medium.name(),
            along_m: self.base.x,
            points: sums.points,
            axis_m: axis_m.map(|axis| [axis.x, axis.y]),
        })
    }
}

/// The middle value; of an even number, the mean of the middle two.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    (n > 0).then(|| 0.5 * (values[(n - 1) / 2] + values[n / 2]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::score::OUTLIER_M;
    use crate::world::World;

    #[test]
    fn a_cloud_that_slid_along_the_wall_is_seen_to_have() {
        let truth = World::new(Scenario::sample()).unwrap().truth();
        let scene = &truth.scene;
        let mut features = Features::new(&truth);
        let slid = Vector3::new(0.03, 0.0, 0.0);
        let add = |features: &mut Features, medium, place: Vector3<f64>| {
            let place = place + slid;
            let seen = Seen {
                nearest: scene.nearest(&place, OUTLIER_M),
                on_wall: scene.wall.coordinates(&place),
                place,
            };
            features.add(medium, &seen);
        };
        let fender = features.fenders[0].clone();
        let pile = *features.piles.values().next().unwrap();
        for i in 0..500 {
            let part = (f64::from(i) + 0.5) / 500.0;
            let along = fender.sides[0] + part * (fender.sides[1] - fender.sides[0]);
            add(
                &mut features,
                Medium::Air,
                scene.wall.point(along, 0.5, fender.off_m),
            );
            let turn = std::f64::consts::PI * part;
            let mantle = Vector3::new(turn.cos(), turn.sin(), 0.0) * pile.radius;
            add(
                &mut features,
                Medium::Water,
                pile.base + mantle + Vector3::z() * 3.0,
            );
        }
        let score = features.finish().unwrap();
        assert_eq!((score.fenders.len(), score.piles.len()), (1, 1));
        let [first, second] = score.fenders[0].sides_m.unwrap();
        assert!(
            (first - 0.03).abs() < 0.006 && (second - 0.03).abs() < 0.006,
            "{score:?}"
        );
        assert!((score.fender_middle_median_m.unwrap() - 0.03).abs() < 0.006);
        let [along, across] = score.piles[0].axis_m.unwrap();
        assert!((along - 0.03).abs() < 0.004 && across.abs() < 0.004, "{score:?}");
    }

    #[test]
    fn too_few_points_and_no_feature_are_said() {
        let mut truth = World::new(Scenario::sample()).unwrap().truth();
        let features = Features::new(&truth);
        assert_eq!(features.finish().unwrap(), FeatureScore::default());
        truth.scene.surfaces.retain(|surface| surface.kind == Kind::Wall);
        assert_eq!(Features::new(&truth).finish(), None);
    }
}
