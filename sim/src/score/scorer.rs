//! Collects the frames of a run, one by one.

use std::fmt;
use std::sync::Arc;

use beluga_types::{Body, Label, Medium, SensorId, SensorKind, SolidarFrame, Stamp, Transform, World};
use nalgebra::Vector3;
use rayon::prelude::*;

use super::bed::Bed;
use super::coverage::Cells;
use super::face::Face;
use super::features::Features;
use super::ghosts::Ghosts;
use super::histogram::Histogram;
use super::honesty::Honesty;
use super::identity::Identity;
use super::page::Plots;
use super::rungs::Gates;
use super::seam::Seam;
use super::surfaces::Surfaces;
use super::visible::Visible;
use super::{
    OUTLIER_M, Pair, PointCounts, Score, Scored, Seen, TrajectoryError, TrueReturn, align, face, ghosts,
    is_set_aside, is_sonar,
};
use crate::scene::{Kind, Nearest, Quay};
use crate::truth::Truth;

/// Points looked at by one thread at a time.
const CHUNK: usize = 8192;
/// A sounding within this distance of the wall's face counts for its cell.
const ON_WALL_M: f64 = 0.15;

/// Collects the frames of a run and compares them with the truth.
///
/// The same frames in the same order give the same score for any number of threads.
#[derive(Clone, Debug)]
pub struct Scorer {
    truth: Truth,
    trajectory: Vec<(Stamp, Transform<World, Body>)>,
    points: PointCounts,
    lidar: Histogram,
    sonar: Histogram,
    sonar_wall: Histogram,
    sonar_bed: Histogram,
    gates: Gates,
    cells: Cells,
    surfaces: Surfaces,
    features: Features,
    visible: [Visible; 2],
    face: Face,
    seam: Seam,
    bed: Bed,
    honesty: Honesty,
    ghosts: Ghosts,
    identity: Identity,
    returns: Option<Returns>,
    truth_from_run: Option<Transform<World, World>>,
    begins_true: bool,
    stated_m: Vec<[f64; 3]>,
}

/// What the truth says of the return that a frame's point was made of, if it says anything.
pub type ReturnOf = dyn Fn(&SolidarFrame, usize) -> Option<TrueReturn> + Send + Sync;

#[derive(Clone)]
struct Returns(Arc<ReturnOf>);

impl fmt::Debug for Returns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Returns")
    }
}

impl Scorer {
    /// A scorer that has seen nothing.
    pub fn new(truth: Truth) -> Self {
        Self {
            trajectory: Vec::new(),
            points: PointCounts::default(),
            lidar: Histogram::new(),
            sonar: Histogram::new(),
            sonar_wall: Histogram::new(),
            sonar_bed: Histogram::new(),
            gates: Gates::new(&truth),
            cells: Cells::new(&truth),
            surfaces: Surfaces::default(),
            features: Features::new(&truth),
            visible: [SensorKind::Lidar, SensorKind::Sonar].map(|kind| Visible::new(&truth, kind)),
            face: Face::new(&truth.scene.wall),
            seam: Seam::new(None),
            bed: Bed::new(&truth),
            honesty: Honesty::new(&truth),
            ghosts: Ghosts::default(),
            identity: Identity::new(&truth),
            returns: None,
            truth_from_run: None,
            begins_true: false,
            stated_m: Vec::new(),
            truth,
        }
    }

    /// Whether the first frames say that they were made of another recording than this truth's: their
    /// lidar's noise is not the one that the truth's scenario and seed make.
    pub fn is_of_another_recording(&self) -> bool {
        self.identity.is_other()
    }

    /// Takes the seam only from this stretch along the wall, in metres: the part that was held out of
    /// any fit.
    #[must_use]
    pub fn held_out(mut self, stretch_m: [f64; 2]) -> Self {
        self.seam = Seam::new(Some(stretch_m));
        self
    }

    /// Judges ghosts by what the truth says of single returns.
    #[must_use]
    pub fn returns(mut self, of: Arc<ReturnOf>) -> Self {
        self.returns = Some(Returns(of));
        self
    }

    /// Moves every frame by the one rigid motion that brings this trajectory's poses nearest to the true
    /// ones, before it is scored: for runs whose `World` is their own, as without navigation. Says how well
    /// the run holds together, not where it is.
    #[must_use]
    pub fn aligned(mut self, trajectory: &[(Stamp, Transform<World, Body>)]) -> Self {
        let pairs = self.truth.pairs(trajectory);
        self.truth_from_run = Some(align::best_motion_of_poses(&pairs));
        self
    }

    /// Moves every frame by the motion that lays the first one on the true pose: for runs whose `World` is
    /// their own, as without navigation. What is left is what drifted since.
    #[must_use]
    pub fn from_first_pose(mut self) -> Self {
        self.begins_true = true;
        self
    }

    /// The truth it scores against.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Adds a frame: its pose, and its points placed in `World` by that pose.
    pub fn add(&mut self, frame: &SolidarFrame) {
        if self.begins_true && self.truth_from_run.is_none() {
            let truth = self.truth.pose_at(frame.window.end);
            self.truth_from_run = truth.map(|truth| truth * frame.world_from_body.inverse());
        }
        if let Some(motion) = self.truth_from_run {
            let mut moved = frame.clone();
            moved.world_from_body = motion * frame.world_from_body;
            self.judge(&moved);
        } else {
            self.judge(frame);
        }
    }

    fn judge(&mut self, frame: &SolidarFrame) {
        self.identity.add(frame);
        self.trajectory.push((frame.window.end, frame.world_from_body));
        let stated = |axis: usize| frame.pose_covariance[(axis, axis)].max(0.0).sqrt();
        self.stated_m.push([stated(3), stated(4), stated(5)]);
        self.points.arcs += frame.arcs.len() as u64;
        let seen = self.look_at(frame);
        let returns = self.returns.as_ref().map(|of| &*of.0);
        self.honesty.add(frame, &seen, &self.truth, returns);
        for (i, seen) in seen.iter().enumerate() {
            self.tally(frame, i, seen);
        }
    }

    fn look_at(&self, frame: &SolidarFrame) -> Vec<Seen> {
        let scene = &self.truth.scene;
        let quay_from_body: Transform<Quay, Body> = scene.world_from_quay.inverse() * frame.world_from_body;
        let rotation = quay_from_body.rotation_matrix();
        let translation = quay_from_body.translation();
        let table = &frame.points;
        let place = |i: usize| {
            let in_body = Vector3::new(table.x[i], table.y[i], table.z[i]).map(f64::from);
            rotation * in_body + translation
        };
        let chunks: Vec<Vec<Seen>> = (0..table.len().div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let from = chunk * CHUNK;
                (from..table.len().min(from + CHUNK))
                    .map(|i| {
                        let point = place(i);
                        Seen {
                            nearest: scene.nearest(&point, OUTLIER_M),
                            on_wall: scene.wall.coordinates(&point),
                            place: point,
                        }
                    })
                    .collect()
            })
            .collect();
        chunks.into_iter().flatten().collect()
    }

    fn tally(&mut self, frame: &SolidarFrame, i: usize, seen: &Seen) {
        let table = &frame.points;
        let medium = table.medium[i];
        match medium {
            Medium::Air => self.points.air += 1,
            Medium::Water => self.points.water += 1,
        }
        let label = table.label[i];
        let near = seen.nearest.map(|nearest| (nearest.kind, nearest.signed_m));
        self.surfaces.add(medium, label, near);
        let sensor = SensorId(table.sensor[i]);
        let set_aside = is_set_aside(label);
        if label != Label::Bridged {
            let of = self.returns.as_ref();
            let known = of.and_then(|of| (of.0)(frame, i));
            let known = known.map(|known| known.ghost);
            self.ghosts
                .add(&self.truth.scene, medium, !set_aside, seen, known);
        }
        if set_aside {
            self.points.set_aside += 1;
            return;
        }
        self.gates
            .add(medium, table.source_seq[i], &seen.on_wall, table.level[i]);
        self.features.add(medium, seen);
        self.face.add(medium, seen);
        if let Some(off_m) = self.face.distance_m(seen) {
            self.seam.add(medium, &seen.on_wall, off_m);
        }
        let is_sonar = is_sonar(frame, sensor, medium);
        self.visible[usize::from(is_sonar)].add(seen);
        let signed = seen.nearest.map(|nearest| nearest.signed_m);
        if !is_sonar {
            self.lidar.add(signed);
            return;
        }
        if medium == Medium::Water {
            self.bed.add(frame, i, seen);
        }
        self.sonar.add(signed);
        match seen.nearest {
            Some(Nearest {
                kind: Kind::Wall,
                signed_m,
                ..
            }) => {
                self.sonar_wall.add(Some(signed_m));
                if signed_m.abs() <= ON_WALL_M {
                    self.cells.add(&seen.on_wall);
                }
            }
            Some(Nearest {
                kind: Kind::Bed,
                signed_m,
                ..
            }) => self.sonar_bed.add(Some(signed_m)),
            _ => {}
        }
    }

    /// The score of everything added.
    pub fn finish(self) -> Score {
        let [rungs_above, rungs_below] = self.gates.finish();
        let width = self.truth.scenario.sonar.beam_width_deg;
        let stated: Vec<(Pair, [f64; 3])> = self
            .trajectory
            .iter()
            .zip(&self.stated_m)
            .filter_map(|(pose, stated_m)| Some((self.truth.pairs(&[*pose]).pop()?, *stated_m)))
            .collect();
        let pairs: Vec<Pair> = stated.iter().map(|(pair, _)| *pair).collect();
        let scene = &self.truth.scene;
        let has = |kind| ghosts::holds(scene, kind);
        let no_wall = "no cell of 0.25 m of the principal face has ten points";
        let [lidar, sonar] = &self.visible;
        Score {
            frames: self.trajectory.len() as u64,
            trajectory: TrajectoryError::of(&pairs, (self.trajectory.len() - pairs.len()) as u64),
            points: self.points,
            sonar_beam_deg: [width, width],
            lidar: self.lidar.finish(),
            sonar: self.sonar.finish(),
            sonar_wall: self.sonar_wall.finish(),
            sonar_bed: self.sonar_bed.finish(),
            rungs_above,
            rungs_below,
            coverage: self.cells.finish(),
            surfaces: self.surfaces.finish(),
            features: Scored::or(
                self.features.finish(),
                "the vessel passed neither fenders nor upright piles",
            ),
            lidar_completeness: Scored::or(lidar.finish(), "the lidar could see no surface of the site"),
            sonar_completeness: Scored::or(sonar.finish(), "the sonar could see no surface of the site"),
            wall_above: Scored::or(self.face.classes(Medium::Air), no_wall),
            wall_below: Scored::or(self.face.classes(Medium::Water), no_wall),
            seam: Scored::or(
                self.seam.finish(),
                "no metre of the principal face has both lidar above and sonar below the water",
            ),
            bed: Scored::or(
                self.bed.finish(sonar, horizontal_95_m(&pairs)),
                match has(Kind::Bed) {
                    true => "no sounding lies on the bed",
                    false => "the site has no bed",
                },
            ),
            covariances_unusable: self.honesty.unusable,
            honesty: self.honesty.finish(),
            ghosts: Scored::or(self.ghosts.finish(), "there is no point"),
            plots: Plots::new(&stated, &self.surfaces, &self.face, &self.visible, &self.bed),
        }
    }
}

/// The horizontal distance from the true place that 95 % of poses do not exceed, in metres.
fn horizontal_95_m(pairs: &[Pair]) -> f64 {
    let across = |pair: &Pair| (pair.found.translation() - pair.truth.translation()).xy().norm();
    face::percentile_95(pairs.iter().map(across).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::score::specimen::frame_at;
    use crate::world::World as Sim;
    use nalgebra::{UnitQuaternion, Vector6};

    /// A run in a `World` of its own that drifts by 2 cm a frame: from its first pose on, only that is left.
    #[test]
    fn from_the_first_pose_on_only_the_drift_is_left() {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 1.0;
        let truth = Sim::new(scenario).unwrap().truth();
        let own = Transform::<World, World>::new(
            UnitQuaternion::from_euler_angles(0.1, -0.2, 2.0),
            Vector3::new(300.0, -40.0, 7.0),
        );
        let mut scorer = Scorer::new(truth.clone()).from_first_pose();
        for (i, (stamp, pose)) in truth.poses.iter().step_by(20).take(3).enumerate() {
            let drifted = pose.perturbed(&(Vector6::ith(4, 1.0) * 0.02 * i as f64));
            scorer.add(&frame_at(*stamp, &(own * drifted)));
        }
        let error = scorer.finish().trajectory;
        assert_eq!(error.poses, 3);
        assert!((error.end_m - 0.04).abs() < 1e-9, "{}", error.end_m);
    }
}
