//! Loops: a survey that comes back to where it was meets itself.
//!
//! Beside the river and after it: frames are read, never changed. Every few metres what was seen
//! becomes a *local map*. A new one is compared with the old ones its own uncertainty allows it to
//! meet; where they look alike it is laid on them ([`lay`]). All poses and what was measured between
//! them are solved together ([`PoseGraph`]); what that changes is said local map by local map
//! ([`Corrections`]).
//!
//! Pose graph and switchable loops: G. Grisetti et al., "A tutorial on graph-based SLAM", IEEE ITS
//! Magazine 2(4) (2010); S. Geman and D. McClure's kernel as in P. Agarwal et al., "Robust map
//! optimization using dynamic covariance scaling", ICRA 2013.

mod chain;
mod corrections;
mod edge;
mod lay;
mod local_map;
mod place;
mod pose_graph;
mod revisit;
mod system;

use beluga_types::{Rig, SolidarFrame};
use serde::{Deserialize, Serialize};

pub use corrections::{Correction, Corrections};
pub use edge::Edge;
pub use lay::{Laid, lay};
pub use local_map::LocalMap;
pub use pose_graph::{PoseGraph, Solution};

use crate::config::Config;
use chain::Drift;
pub(crate) use place::solid_points;
use place::{Growing, Place};

/// Local maps kept at most; later ones are counted and left out.
const MAX_MAPS: usize = 4096;
/// Between two revisions the survey grows by this part and so many local maps, so that all of them
/// together cost no more than a few times the last.
const REVISED_AFTER: (f64, usize) = (0.25, 8);

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
    /// Local maps that were left out, since there were 4096 already: loops of the way from there on are
    /// not looked for.
    pub left_out: usize,
    /// Pairs that were laid on each other.
    pub tried: usize,
    /// Pairs that held, and are near enough to where they should lie.
    pub held: usize,
    /// Loops that all others agree with.
    pub loops: usize,
    /// What changes; empty without loops.
    pub corrections: Corrections,
}

/// Reads frames and finds where they meet.
pub struct Loops {
    config: LoopConfig,
    drift: Drift,
    places: Vec<Place>,
    growing: Option<Growing>,
    loops: Vec<Edge>,
    tried: usize,
    left_out: usize,
    /// Local maps and loops at the last revision.
    revised: (usize, usize),
}

impl Loops {
    /// For frames that were fused with `config` and `rig`. Nothing if it looks for no loops.
    pub fn new(config: &Config, rig: &Rig) -> Option<Self> {
        (config.loops.spacing_m > 0.0).then(|| Self {
            config: config.loops.clone(),
            drift: Drift::of(config, rig),
            places: Vec::new(),
            growing: None,
            loops: Vec::new(),
            tried: 0,
            left_out: 0,
            revised: (0, 0),
        })
    }

    /// Takes the next frame. Now and then, when loops have been found since, says what changes as far
    /// as is known by then.
    pub fn push(&mut self, frame: &SolidarFrame) -> Option<Closed> {
        if !frame.world_from_body.is_finite() {
            return None;
        }
        let mut revision = None;
        if let Some(growing) = &mut self.growing {
            growing.travel(frame);
            if growing.leg.way_m >= self.config.spacing_m {
                self.close();
                revision = self.is_due().then(|| self.revise());
            }
        }
        self.growing
            .get_or_insert_with(|| Growing::at(frame))
            .gather(frame);
        revision
    }

    /// Ends the survey: solves for all poses and says what changes.
    pub fn finish(mut self) -> Closed {
        self.close();
        self.revise()
    }

    /// The poses and what is known between them.
    fn graph(&self) -> PoseGraph {
        self.drift.graph(&self.places, &self.loops)
    }

    fn is_due(&self) -> bool {
        let (places, loops) = self.revised;
        let grown = REVISED_AFTER.1 + (places as f64 * REVISED_AFTER.0) as usize;
        self.loops.len() > loops && self.places.len() >= places + grown
    }

    fn revise(&mut self) -> Closed {
        self.revised = (self.places.len(), self.loops.len());
        let mut closed = Closed {
            local_maps: self.places.len(),
            left_out: self.left_out,
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
        let believed = solution.believed.iter().filter(|&&believed| believed).count();
        if believed == 0 {
            return closed;
        }
        let solved = solution.poses.iter().zip(&solution.covariances);
        let corrections = self
            .places
            .iter()
            .zip(solved)
            .map(|(place, (after, covariance))| {
                Correction::between(place.stamp, &place.world_from_body, after, covariance)
            });
        if let Some(corrections) = Corrections::new(corrections.collect()) {
            closed.loops = believed;
            closed.corrections = corrections;
        }
        closed
    }

    /// Makes a local map of what was gathered and looks where it has been before.
    fn close(&mut self) {
        let Some(growing) = self.growing.take() else {
            return;
        };
        if self.places.len() < MAX_MAPS {
            self.places.push(growing.finish());
            self.look_back();
        } else {
            self.left_out += 1;
        }
    }
}
