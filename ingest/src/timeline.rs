//! The timeline: all sensors of a recording as one run of measurements.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use beluga_types::Measurement;

use crate::order::Key;

/// A sensor's measurements, already in order.
pub(crate) type Branch = Box<dyn Iterator<Item = Measurement> + Send>;

/// Measurements of all sensors, sorted by (`end`, `sensor`, `seq`).
///
/// Payloads are read as they are asked for: memory holds a few of each sensor, however long the
/// recording is. The same recording gives the same measurements every time.
pub struct Timeline {
    branches: Vec<Branch>,
    heads: Vec<Option<Measurement>>,
    /// The places of the heads, earliest first.
    turns: BinaryHeap<Reverse<(Key, usize)>>,
}

impl Timeline {
    pub(crate) fn merge(branches: Vec<Branch>) -> Self {
        let mut timeline = Self {
            heads: branches.iter().map(|_| None).collect(),
            turns: BinaryHeap::with_capacity(branches.len()),
            branches,
        };
        for branch in 0..timeline.branches.len() {
            timeline.refill(branch);
        }
        timeline
    }

    fn refill(&mut self, branch: usize) {
        self.heads[branch] = self.branches[branch].next();
        if let Some(head) = &self.heads[branch] {
            self.turns.push(Reverse((head.order(), branch)));
        }
    }
}

impl Iterator for Timeline {
    type Item = Measurement;

    fn next(&mut self) -> Option<Measurement> {
        let Reverse((_, branch)) = self.turns.pop()?;
        let measurement = self.heads[branch].take();
        self.refill(branch);
        measurement
    }
}

impl std::fmt::Debug for Timeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timeline")
            .field("branches", &self.branches.len())
            .finish_non_exhaustive()
    }
}
