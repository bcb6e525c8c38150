//! Whether stated uncertainties are true ones: how often the truth lies in the stated 95 %.
//!
//! - Poses: the normalised error δᵀΣ⁻¹δ of all six axes, of the position and of the rotation, against χ²
//!   with 6, 3 and 3 degrees of freedom. Y. Bar-Shalom, X. R. Li and T. Kirubarajan, "Estimation with
//!   Applications to Tracking and Navigation", Wiley 2001, section 5.4 (consistency of estimators).
//! - Points: the distance from the true surface along its normal n against nᵀ(C + JΣJᵀ)n, with the
//!   point's own covariance C and what it shares with others, Σ; and against its own part alone, which
//!   must be the smaller share wherever a pose or a mount is uncertain.
//! - Averages over cells of 0.5 m: against σ²/n of the own parts plus JΣJᵀ. What is shared is taken to
//!   stay the same over the frames of a cell, so its parts add as they are and not by their squares.
//!
//! All points and cells of one run share its errors and are no samples of their own: one run gives one
//! coverage for each of these, and for an interval over runs one trial, chosen beforehand by its place
//! (the first after the middle of the run). See [`super::over_runs`].

use std::collections::BTreeMap;

use beluga_types::{Medium, SensorId, SolidarFrame, Stamp};
use nalgebra::{DMatrix, DVector, Matrix3, Vector3};

use super::interval::{CHI_SQUARED_95, NORMAL_95};
use super::tally::{Cell, IntervalCoverage, Tally, What};
use super::{ReturnOf, Seen, is_set_aside, is_sonar};
use crate::scene::Kind;
use crate::truth::Truth;

/// Points looked at of each sensor and frame, about; evenly from all.
const POINTS_A_FRAME: usize = 400;
/// Returns whose true place is asked for, of each sensor and frame, about.
const RETURNS_A_FRAME: usize = 60;
/// Edge of a cell, in metres.
const CELL_M: f64 = 0.5;

/// Collects normalised errors.
#[derive(Clone, Debug)]
pub(super) struct Honesty {
    middle: Option<Stamp>,
    kinds: BTreeMap<What, Tally>,
    cells: BTreeMap<(What, Kind, [i32; 3]), Cell>,
    /// Poses whose covariance cannot be inverted.
    pub(super) unusable: u64,
}

/// Points of a frame in one cell: they share their Jacobian but for a part of the cell's size.
struct Group {
    /// The point it is taken of.
    first: usize,
    /// Of the surface, in `World`.
    normal: Vector3<f64>,
    members: Vec<Member>,
}

/// A point of a group.
struct Member {
    error_m: f64,
    own_m2: f64,
}

impl Honesty {
    pub(super) fn new(truth: &Truth) -> Self {
        let middle = truth.poses.get(truth.poses.len() / 2).map(|(stamp, _)| *stamp);
        Self {
            middle,
            kinds: BTreeMap::new(),
            cells: BTreeMap::new(),
            unusable: 0,
        }
    }

    /// Adds a frame with what the truth says of its points.
    pub(super) fn add(
        &mut self,
        frame: &SolidarFrame,
        seen: &[Seen],
        truth: &Truth,
        returns: Option<&ReturnOf>,
    ) {
        let is_late = self.middle.is_some_and(|middle| frame.window.end >= middle);
        self.add_pose(frame, truth, is_late);
        for sensor in sensors(frame) {
            self.add_points(frame, sensor, seen, truth, is_late);
            if let Some(returns) = returns {
                self.add_axes(frame, sensor, returns, is_late);
            }
        }
    }

    fn add_pose(&mut self, frame: &SolidarFrame, truth: &Truth, is_late: bool) {
        let Some(pose) = truth.pose_at(frame.window.end) else {
            return;
        };
        let error = frame.world_from_body.perturbation_to(&pose);
        let covariance = frame.pose_covariance;
        let block = |from: usize| -> Option<f64> {
            let part: Matrix3<f64> = covariance.fixed_view::<3, 3>(from, from).into_owned();
            let error: Vector3<f64> = error.fixed_rows::<3>(from).into_owned();
            Some(error.dot(&part.cholesky()?.solve(&error)))
        };
        let whole = covariance.cholesky().map(|root| error.dot(&root.solve(&error)));
        let mut add = |what: What, squared: Option<f64>| match squared {
            Some(squared) => {
                let limit = CHI_SQUARED_95[what.freedom() as usize - 1];
                self.kinds.entry(what).or_default().add(squared, limit, is_late);
            }
            None => self.unusable += 1,
        };
        add(What::Pose, whole);
        add(What::PosePosition, block(3));
        add(What::PoseRotation, block(0));
    }

    fn add_points(
        &mut self,
        frame: &SolidarFrame,
        sensor: SensorId,
        seen: &[Seen],
        truth: &Truth,
        is_late: bool,
    ) {
        let medium = medium_of(frame, sensor);
        let [alone, whole, cell] = if is_sonar(frame, sensor, medium) {
            [What::SonarPointAlone, What::SonarPoint, What::SonarCell]
        } else {
            [What::LidarPointAlone, What::LidarPoint, What::LidarCell]
        };
        let table = &frame.points;
        let of_sensor: Vec<usize> = (0..table.len())
            .filter(|&i| table.sensor[i] == sensor.0 && !is_set_aside(table.label[i]))
            .collect();
        let world_from_quay = truth.scene.world_from_quay.rotation_matrix();
        let body_from_world = frame.world_from_body.rotation_matrix().transpose();
        let mut groups: BTreeMap<(Kind, [i32; 3]), Group> = BTreeMap::new();
        for &i in of_sensor
            .iter()
            .step_by(of_sensor.len().div_ceil(POINTS_A_FRAME).max(1))
        {
            let Some(nearest) = &seen[i].nearest else {
                continue;
            };
            let normal = world_from_quay * nearest.normal;
            let in_body = body_from_world * normal;
            let own_m2 = in_body.dot(&(frame.covariance(i) * in_body));
            let key = (
                nearest.kind,
                [0, 1, 2].map(|axis| (nearest.foot[axis] / CELL_M).floor() as i32),
            );
            let group = groups.entry(key).or_insert_with(|| Group {
                first: i,
                normal,
                members: Vec::new(),
            });
            group.members.push(Member {
                error_m: nearest.signed_m,
                own_m2,
            });
        }
        let limit = NORMAL_95 * NORMAL_95;
        for ((kind, place), group) in groups {
            let shared_m2 = shared_variance(frame, group.first, &group.normal);
            let sums = self.cells.entry((cell, kind, place)).or_default();
            for member in &group.members {
                sums.points += 1;
                sums.error_m += member.error_m;
                sums.own_m2 += member.own_m2;
                sums.shared_m += shared_m2.sqrt();
                let squared = |variance: f64| member.error_m * member.error_m / variance;
                self.kinds
                    .entry(alone)
                    .or_default()
                    .add(squared(member.own_m2), limit, is_late);
                self.kinds
                    .entry(whole)
                    .or_default()
                    .add(squared(member.own_m2 + shared_m2), limit, is_late);
            }
        }
    }

    /// Where the truth names the place that a return came from: the error on each axis of the beam, which
    /// no surface can tell for the axes that lie in it.
    fn add_axes(&mut self, frame: &SolidarFrame, sensor: SensorId, returns: &ReturnOf, is_late: bool) {
        let table = &frame.points;
        let of_sensor: Vec<usize> = (0..table.len())
            .filter(|&i| table.sensor[i] == sensor.0 && !is_set_aside(table.label[i]))
            .collect();
        let medium = medium_of(frame, sensor);
        let of: fn(u8) -> What = if is_sonar(frame, sensor, medium) {
            What::SonarAxis
        } else {
            What::LidarAxis
        };
        let rotation = frame.world_from_body.rotation_matrix();
        for &i in of_sensor
            .iter()
            .step_by(of_sensor.len().div_ceil(RETURNS_A_FRAME).max(1))
        {
            let known = returns(frame, i).filter(|known| !known.ghost);
            let Some(position) = known.and_then(|known| known.position) else {
                continue;
            };
            let error = frame.point_in_world(i).vector() - Vector3::from(position);
            let axes = rotation * frame.beam_axes(i);
            let own_m = [
                table.sigma_range_m[i],
                table.sigma_along_m[i],
                table.sigma_across_m[i],
            ];
            for (axis, own_m) in (0u8..).zip(own_m) {
                let along: Vector3<f64> = axes.column(usize::from(axis)).into_owned();
                let variance = f64::from(own_m).powi(2) + shared_variance(frame, i, &along);
                let squared = error.dot(&along).powi(2) / variance;
                self.kinds
                    .entry(of(axis))
                    .or_default()
                    .add(squared, NORMAL_95 * NORMAL_95, is_late);
            }
        }
    }

    /// One coverage for each kind of interval that was stated.
    pub(super) fn finish(&self) -> Vec<IntervalCoverage> {
        let mut kinds = self.kinds.clone();
        let mut normalised: BTreeMap<What, Vec<f64>> = BTreeMap::new();
        for ((what, ..), cell) in &self.cells {
            normalised.entry(*what).or_default().extend(cell.normalised());
        }
        for (what, cells) in normalised {
            let tally = kinds.entry(what).or_default();
            for (i, error) in cells.iter().enumerate() {
                tally.add(error * error, NORMAL_95 * NORMAL_95, i == cells.len() / 2);
            }
        }
        let filled = kinds.into_iter().filter(|(_, tally)| !tally.is_empty());
        filled.map(|(what, tally)| tally.coverage(what)).collect()
    }
}

/// What the first point of a sensor was seen through.
fn medium_of(frame: &SolidarFrame, sensor: SensorId) -> Medium {
    let table = &frame.points;
    let first = table.sensor.iter().position(|of| *of == sensor.0);
    first.map_or(Medium::Air, |first| table.medium[first])
}

/// Sensors that gave points, in order.
fn sensors(frame: &SolidarFrame) -> Vec<SensorId> {
    let mut sensors: Vec<u16> = frame.points.sensor.clone();
    sensors.sort_unstable();
    sensors.dedup();
    sensors.into_iter().map(SensorId).collect()
}

/// Variance along a normal in `World` that point `i` shares with others: nᵀJΣJᵀn.
fn shared_variance(frame: &SolidarFrame, i: usize, normal: &Vector3<f64>) -> f64 {
    let n = frame.shared.states.len();
    if frame.shared.covariance.len() != n * n {
        return 0.0;
    }
    let along: DVector<f64> = frame.jacobian(i).transpose() * normal;
    let sigma = DMatrix::from_row_slice(n, n, &frame.shared.covariance);
    along.dot(&(sigma * &along)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::score::specimen::{frame_at, frame_of};
    use crate::score::{OUTLIER_M, TrueReturn};
    use crate::world::World;
    use nalgebra::Vector6;

    fn truth() -> Truth {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 1.0;
        World::new(scenario).unwrap().truth()
    }

    fn coverage(honesty: &Honesty, what: &str) -> IntervalCoverage {
        honesty
            .finish()
            .into_iter()
            .find(|kind| kind.what == what)
            .unwrap()
    }

    /// Errors of three and of four sigma on one axis: 9 is inside 12.592, 16 is not.
    #[test]
    fn poses_are_held_against_their_own_covariance() {
        let truth = truth();
        let mut honesty = Honesty::new(&truth);
        for (i, sigmas) in [3.0, 3.0, 4.0, 3.0].into_iter().enumerate() {
            let (stamp, pose) = truth.poses[20 + 40 * i];
            let mut frame = frame_at(stamp, &pose.perturbed(&(Vector6::y() * (0.01 * sigmas))));
            frame.pose_covariance *= 1e-4;
            honesty.add(&frame, &[], &truth, None);
        }
        let pose = coverage(&honesty, "pose");
        assert_eq!((pose.samples, pose.inside, pose.trial), (4, 3, Some(false)));
        assert!((pose.mean_squared - 10.75).abs() < 1e-6, "{pose:?}");
        assert_eq!(
            coverage(&honesty, "pose rotation").inside,
            0,
            "9 is outside 7.815"
        );
        assert_eq!(coverage(&honesty, "pose position").inside, 4);
        let mut flat = frame_at(truth.poses[50].0, &truth.poses[50].1);
        flat.pose_covariance.fill(0.0);
        honesty.add(&flat, &[], &truth, None);
        assert_eq!(honesty.unusable, 3);
    }

    /// Points with 2 cm of own scatter stated as it is, all moved by 5 cm that a shared state of 3 cm
    /// explains: alone they are dishonest, with it they are not, and their average needs it.
    #[test]
    fn a_shared_error_is_no_error_of_the_points() {
        let truth = truth();
        let wall = truth.scene.wall;
        let places: Vec<Vector3<f64>> = (0..40)
            .map(|i| {
                let scatter = 0.02 * f64::from(i % 5 - 2) / 2f64.sqrt();
                wall.point(0.02 + 0.01 * f64::from(i), 2.1, 0.05 + scatter)
            })
            .collect();
        let (stamp, pose) = truth.poses[150];
        let frame = frame_of(&truth, stamp, &pose, &places, Medium::Air, 0.02, 0.03);
        let seen: Vec<Seen> = places
            .iter()
            .map(|place| Seen {
                nearest: truth.scene.nearest(place, OUTLIER_M),
                on_wall: wall.coordinates(place),
                place: *place,
            })
            .collect();
        let mut honesty = Honesty::new(&truth);
        honesty.add(&frame, &seen, &truth, None);
        let alone = coverage(&honesty, "lidar point, own error only");
        assert_eq!((alone.samples, alone.inside), (40, 16), "{alone:?}");
        let whole = coverage(&honesty, "lidar point");
        assert_eq!(
            (whole.samples, whole.inside, whole.trial),
            (40, 32, Some(true)),
            "{whole:?}"
        );
        let cell = coverage(&honesty, "lidar cell average");
        assert_eq!(
            (cell.samples, cell.inside, cell.trial),
            (1, 1, Some(true)),
            "{cell:?}"
        );
        // 5 cm over √(2²/40 + 3²) cm.
        assert!((cell.mean_squared - 25.0 / 9.1).abs() < 0.05, "{cell:?}");
    }

    /// Two sigma along the beam, none across: 4 is outside 3.84, however near the surface is.
    #[test]
    fn true_places_of_returns_tell_each_axis_of_the_beam() {
        let truth = truth();
        let (stamp, pose) = truth.poses[150];
        let places = [Vector3::new(3.0, -5.0, 1.0), Vector3::new(4.0, -6.0, 2.0)];
        let frame = frame_of(&truth, stamp, &pose, &places, Medium::Air, 0.02, 0.0);
        let far = frame.clone();
        let returns = move |_: &SolidarFrame, i: usize| {
            let beam = far.world_from_body.rotation_matrix() * far.beam_axes(i).column(0);
            let position = far.point_in_world(i).vector() - beam * if i == 0 { 0.04 } else { 0.0 };
            Some(TrueReturn {
                surface: None,
                order: 0,
                position: Some(position.into()),
                ghost: false,
            })
        };
        let mut honesty = Honesty::new(&truth);
        honesty.add_axes(&frame, SensorId(0), &returns, true);
        let along = coverage(&honesty, "lidar point along its beam");
        assert_eq!((along.samples, along.inside, along.trial), (2, 1, Some(false)));
        assert!((along.mean_squared - 2.0).abs() < 1e-3, "{along:?}");
        assert_eq!(coverage(&honesty, "lidar point across, along sensor x").inside, 2);
    }

    #[test]
    fn nothing_stated_is_nothing_scored() {
        assert!(Honesty::new(&truth()).finish().is_empty());
    }
}
