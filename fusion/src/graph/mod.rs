//! Loops: a survey that comes back to where it was meets itself.
//!
//! Beside the river and after it: frames are read, never changed. Every few metres what was seen
//! becomes a *local map*. A new one is compared with the old ones its own uncertainty allows it to
//! meet; where they look alike it is laid on them ([`lay`]). All poses and what was measured between
//! them are solved together ([`PoseGraph`]); what that changes is said frame by frame
//! ([`Correction`]).
//!
//! Not on the page yet: over recorded local maps it finds true loops and leaves wrong ones out, but on a
//! simulated survey that returns, its drift model makes the lidar's own trajectory worse.
//!
//! Pose graph and switchable loops: G. Grisetti et al., "A tutorial on graph-based SLAM", IEEE ITS
//! Magazine 2(4) (2010); S. Geman and D. McClure's kernel as in P. Agarwal et al., "Robust map
//! optimization using dynamic covariance scaling", ICRA 2013.

mod corrections;
mod lay;
mod local_map;
mod pose_graph;

use beluga_types::{Body, Label, Medium, PoseSource, SolidarFrame, Transform, World};
use nalgebra::{Matrix6, Vector6};
use serde::{Deserialize, Serialize};

pub use corrections::Correction;
pub use lay::{Laid, lay};
pub use local_map::LocalMap;
pub use pose_graph::{Edge, PoseGraph, Solution};

use crate::config::Config;
use corrections::Change;
use local_map::first_per_cube;

/// A frame is gathered when the body has moved or turned so far, in metres and rad.
const GATHER_EVERY: (f64, f64) = (0.5, 0.2);
/// Farthest points gathered, in metres.
const MAX_RANGE_M: f64 = 60.0;
/// Edge of the cubes local maps are thinned by, in metres.
const CUBE_M: f64 = 0.4;
/// Fewest points of a local map that is compared with others.
const MIN_POINTS: usize = 500;
/// A loop joins local maps that are at least so many apart.
const APART: usize = 4;
/// Loops tried per local map.
const MAX_TRIED: usize = 3;
/// Likeness from which a place is tried.
const LEAST_LIKENESS: f64 = 0.5;
/// Farthest a map is looked for from where it should lie, in metres.
const MAX_REACH_M: f64 = 6.0;
/// Drift with time alone, per √s: rad and metres.
const DRIFT_PER_SQRT_S: (f64, f64) = (1e-5, 1e-4);
/// How much an axis that the lidar does not hold may drift, as a part of the way.
const UNHELD_PART: f64 = 0.1;
/// Local maps kept at most; later ones are counted and left out.
const MAX_MAPS: usize = 4096;

/// How loops are looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoopConfig {
    /// Length of way that becomes one local map, in metres; 0 looks for no loops.
    pub spacing_m: f64,
    /// How far apart two places may lie that are joined, beyond what is uncertain, in metres.
    pub reach_m: f64,
    /// Part of a local map that must lie on the other.
    pub min_overlap: f64,
}

impl Default for LoopConfig {
    fn default() -> Self {
        Self {
            spacing_m: 8.0,
            reach_m: 8.0,
            min_overlap: 0.5,
        }
    }
}

/// What came of looking for loops.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Closed {
    /// Local maps made.
    pub local_maps: usize,
    /// Pairs that were laid on each other.
    pub tried: usize,
    /// Pairs that held, and are near enough to where they should lie.
    pub held: usize,
    /// Loops that all others agree with.
    pub loops: usize,
    /// Largest change of a position, in metres.
    pub largest_m: f64,
    /// What changes, frame by frame; empty without loops.
    pub corrections: Vec<Correction>,
}

/// Reads frames and finds where they meet.
pub struct Loops {
    config: LoopConfig,
    drift: (f64, f64),
    correlation_s: f64,
    nodes: Vec<Node>,
    growing: Option<Growing>,
    frames: Vec<Passed>,
    loops: Vec<Edge>,
    tried: usize,
}

/// A local map and where it was made.
struct Node {
    world_from_body: Transform<World, Body>,
    covariance: Matrix6<f64>,
    /// Whether navigation had a say in its pose.
    is_tied: bool,
    map: LocalMap,
    /// Way to the next one in metres, time in seconds, and how well each axis was held at worst.
    leg: Leg,
}

#[derive(Clone, Copy)]
struct Leg {
    way_m: f64,
    time_s: f64,
    held: [f64; 6],
}

/// The local map that is being gathered.
struct Growing {
    world_from_body: Transform<World, Body>,
    covariance: Matrix6<f64>,
    stamp_s: f64,
    is_tied: bool,
    points: Vec<[f32; 3]>,
    gathered: Transform<World, Body>,
    last: Transform<World, Body>,
    leg: Leg,
}

/// A frame that went by.
struct Passed {
    index: u64,
    node: usize,
    way_m: f64,
    world_from_body: Transform<World, Body>,
}

impl Loops {
    /// For frames that were fused with `config`. Nothing if `loops` looks for none.
    pub fn new(config: &Config, loops: LoopConfig) -> Option<Self> {
        (loops.spacing_m > 0.0).then(|| Self {
            config: loops,
            drift: (
                config.odometry.drift_deg_per_sqrt_m.to_radians(),
                config.odometry.drift_m_per_sqrt_m,
            ),
            correlation_s: config.nav.correlation_s,
            nodes: Vec::new(),
            growing: None,
            frames: Vec::new(),
            loops: Vec::new(),
            tried: 0,
        })
    }

    /// Takes the next frame.
    pub fn push(&mut self, frame: &SolidarFrame) {
        let stamp_s = frame.window.end.nanos() as f64 * 1e-9;
        let pose = frame.world_from_body;
        if !pose.is_finite() {
            return;
        }
        if let Some(growing) = &mut self.growing {
            growing.leg.way_m += (pose.translation() - growing.last.translation()).norm();
            growing.leg.time_s = stamp_s - growing.stamp_s;
            for (held, now) in growing.leg.held.iter_mut().zip(frame.localizability) {
                *held = held.min(now);
            }
            growing.last = pose;
            if growing.leg.way_m >= self.config.spacing_m {
                self.close();
            }
        }
        let growing = self.growing.get_or_insert_with(|| Growing::at(frame, stamp_s));
        growing.gather(frame);
        self.frames.push(Passed {
            index: frame.index,
            node: self.nodes.len(),
            way_m: growing.leg.way_m,
            world_from_body: pose,
        });
    }

    /// Ends the survey: solves for all poses and says what changes.
    pub fn finish(mut self) -> Closed {
        self.close();
        let mut closed = Closed {
            local_maps: self.nodes.len(),
            tried: self.tried,
            held: self.loops.len(),
            ..Closed::default()
        };
        if self.loops.is_empty() {
            return closed;
        }
        let Some(solution) = self.graph().solve() else {
            return closed;
        };
        closed.loops = solution.believed.iter().filter(|&&believed| believed).count();
        if closed.loops == 0 {
            return closed;
        }
        let changes: Vec<Change> = self
            .nodes
            .iter()
            .zip(solution.poses.iter().zip(&solution.covariances))
            .map(|(node, (after, covariance))| Change::of(&node.world_from_body, after, covariance))
            .collect();
        closed.corrections = self
            .frames
            .iter()
            .filter_map(|passed| self.correction(passed, &changes))
            .collect();
        closed.largest_m = closed
            .corrections
            .iter()
            .map(|correction| correction.step.fixed_rows::<3>(3).norm())
            .fold(0.0, f64::max);
        closed
    }

    fn correction(&self, passed: &Passed, changes: &[Change]) -> Option<Correction> {
        let last = changes.len().checked_sub(1)?;
        let node = passed.node.min(last);
        let way_m = self.nodes.get(node)?.leg.way_m;
        let fraction = if way_m > 0.0 {
            (passed.way_m / way_m).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let (from, to) = (changes.get(node)?, changes.get((node + 1).min(last))?);
        Some(
            from.between(to, fraction)
                .correction(passed.index, &passed.world_from_body),
        )
    }

    /// Makes a local map of what was gathered and looks where it has been before.
    fn close(&mut self) {
        let Some(growing) = self.growing.take() else {
            return;
        };
        if self.nodes.len() >= MAX_MAPS {
            return;
        }
        self.nodes.push(Node {
            map: LocalMap::of(&growing.points, CUBE_M),
            world_from_body: growing.world_from_body,
            covariance: growing.covariance,
            is_tied: growing.is_tied,
            leg: growing.leg,
        });
        self.look_back();
    }

    /// Lays the newest local map on the nearest old ones it may meet.
    fn look_back(&mut self) {
        let Some((newest, old)) = self.nodes.split_last() else {
            return;
        };
        let to = old.len();
        if newest.map.len() < MIN_POINTS || to < APART {
            return;
        }
        let mut near: Vec<(f64, usize)> = Vec::new();
        for (from, node) in old.iter().enumerate().take(to + 1 - APART) {
            let away = (newest.world_from_body.translation() - node.world_from_body.translation()).norm();
            let allowed = self.config.reach_m + 3.0 * self.spread(from, to).1;
            let alike = node.map.len() >= MIN_POINTS && node.map.likeness(&newest.map) >= LEAST_LIKENESS;
            if away <= allowed && alike {
                near.push((away, from));
            }
        }
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut found = Vec::new();
        for &(_, from) in near.iter().take(MAX_TRIED) {
            self.tried += 1;
            found.extend(self.try_loop(from, to));
        }
        self.loops.extend(found);
    }

    fn try_loop(&self, from: usize, to: usize) -> Option<Edge> {
        let (old, new) = (&self.nodes[from], &self.nodes[to]);
        let guess = old.world_from_body.inverse() * new.world_from_body;
        let (turn, place) = self.spread(from, to);
        let reach_m = (3.0 * place).clamp(1.0, MAX_REACH_M);
        let laid = lay(&new.map, &old.map, &guess, reach_m, self.config.min_overlap).ok()?;
        let off = guess.perturbation_to(&laid.on_from_laid);
        let is_near = off.fixed_rows::<3>(0).norm() <= 4.0 * turn + 0.02
            && off.fixed_rows::<3>(3).norm() <= 4.0 * place + 0.2;
        is_near.then_some(Edge {
            from,
            to,
            from_body_to: laid.on_from_laid,
            covariance: laid.covariance,
        })
    }

    /// How uncertain the later of two local maps is against the earlier: turn (rad) and place (m),
    /// one sigma of one axis.
    fn spread(&self, from: usize, to: usize) -> (f64, f64) {
        let (mut turn, mut place, mut way) = (0.0, 0.0, 0.0);
        for node in &self.nodes[from..to] {
            let leg = self.drift_of(&node.leg).diagonal();
            turn += leg.fixed_rows::<3>(0).max();
            place += leg.fixed_rows::<3>(3).max();
            way += node.leg.way_m;
        }
        // A turn that walks at random displaces what comes after it.
        let (mut turn, mut place) = (turn, place + turn * way * way / 3.0);
        let (old, new) = (&self.nodes[from], &self.nodes[to]);
        if old.is_tied && new.is_tied {
            let both = (old.covariance + new.covariance).diagonal();
            turn = turn.min(both.fixed_rows::<3>(0).max());
            place = place.min(both.fixed_rows::<3>(3).max());
        }
        (turn.sqrt(), place.sqrt())
    }

    /// Covariance of the motion along a leg.
    fn drift_of(&self, leg: &Leg) -> Matrix6<f64> {
        let turn = self.drift.0.powi(2) * leg.way_m + DRIFT_PER_SQRT_S.0.powi(2) * leg.time_s + 1e-8;
        let place = self.drift.1.powi(2) * leg.way_m + DRIFT_PER_SQRT_S.1.powi(2) * leg.time_s + 1e-6;
        let unheld = |axis: usize| ((1.0 - leg.held[axis]) * UNHELD_PART).powi(2);
        let along = |axis| place + unheld(axis) * leg.way_m.powi(2);
        let about = |axis| turn + unheld(axis);
        Matrix6::from_diagonal(&Vector6::new(
            about(0),
            about(1),
            about(2),
            along(3),
            along(4),
            along(5),
        ))
    }

    fn graph(&self) -> PoseGraph {
        let poses: Vec<_> = self.nodes.iter().map(|node| node.world_from_body).collect();
        let pairs = self
            .nodes
            .iter()
            .zip(poses.iter().zip(poses.iter().skip(1)))
            .enumerate();
        let chain = pairs
            .map(|(from, (node, (a, b)))| Edge {
                from,
                to: from + 1,
                from_body_to: a.inverse() * *b,
                covariance: self.drift_of(&node.leg),
            })
            .collect();
        let floor = Matrix6::identity() * 1e-8;
        let mut known = Vec::new();
        for (place, node) in self.nodes.iter().enumerate() {
            // Fixes near in time err together, so each counts for its part of that time only.
            let inflation = (2.0 * self.correlation_s / node.leg.time_s.max(1e-3)).max(1.0);
            if place == 0 {
                known.push((place, node.world_from_body, node.covariance + floor));
            } else if node.is_tied {
                known.push((place, node.world_from_body, (node.covariance + floor) * inflation));
            }
        }
        PoseGraph {
            poses,
            known,
            chain,
            loops: self.loops.clone(),
        }
    }
}

impl Growing {
    fn at(frame: &SolidarFrame, stamp_s: f64) -> Self {
        Self {
            world_from_body: frame.world_from_body,
            covariance: frame.pose_covariance,
            stamp_s,
            is_tied: matches!(
                frame.status.pose_source,
                PoseSource::OdometryAndNav | PoseSource::Nav
            ),
            points: Vec::new(),
            gathered: frame.world_from_body,
            last: frame.world_from_body,
            leg: Leg {
                way_m: 0.0,
                time_s: 0.0,
                held: frame.localizability,
            },
        }
    }

    /// Adds the lidar's points of a frame, if the body has moved since the last one.
    fn gather(&mut self, frame: &SolidarFrame) {
        let moved = self.gathered.perturbation_to(&frame.world_from_body);
        let is_due = moved.fixed_rows::<3>(3).norm() >= GATHER_EVERY.0
            || moved.fixed_rows::<3>(0).norm() >= GATHER_EVERY.1;
        if !is_due && !self.points.is_empty() {
            return;
        }
        self.gathered = frame.world_from_body;
        let table = &frame.points;
        let solid = |label: Label| matches!(label, Label::Unknown | Label::Structure | Label::Bed);
        let seen: Vec<[f32; 3]> = (0..table.len())
            .filter(|&i| table.medium[i] == Medium::Air && solid(table.label[i]))
            .map(|i| [table.x[i], table.y[i], table.z[i]])
            .filter(|[x, y, z]| f64::from(x * x + y * y + z * z) <= MAX_RANGE_M * MAX_RANGE_M)
            .collect();
        let start_from_body = self.world_from_body.inverse() * frame.world_from_body;
        let (turn, place) = (start_from_body.rotation_matrix(), start_from_body.translation());
        for index in first_per_cube(&seen, CUBE_M) {
            let [x, y, z] = seen[index].map(f64::from);
            let point = turn * nalgebra::Vector3::new(x, y, z) + place;
            self.points.push([point.x as f32, point.y as f32, point.z as f32]);
        }
    }
}
