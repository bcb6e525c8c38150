//! Two records of the same timeline, frame by frame.

use std::path::Path;

use beluga_sinks::arrow::decode;
use beluga_sinks::maml::{Reader, Unlock};
use beluga_types::SolidarFrame;
use serde::Serialize;

/// By how much two records differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Frames in each.
    pub(crate) frames: [u64; 2],
    /// Frames whose bytes are the same in both.
    pub(crate) same: u64,
    /// The first that differs.
    pub(crate) first: Option<u64>,
    /// Frames that have another number of points or arcs.
    pub(crate) other_counts: u64,
    /// The most a pose is shifted, in metres, and turned, in radians.
    pub(crate) pose_m: f64,
    pub(crate) pose_rad: f64,
    /// The most a point is shifted in `World`, in metres, among frames with the same number of points.
    pub(crate) point_m: f64,
}

impl Difference {
    fn add(&mut self, one: &SolidarFrame, other: &SolidarFrame) {
        let step = one.world_from_body.perturbation_to(&other.world_from_body);
        self.pose_rad = self.pose_rad.max(step.fixed_rows::<3>(0).norm());
        self.pose_m = self.pose_m.max(step.fixed_rows::<3>(3).norm());
        let counts = |frame: &SolidarFrame| [frame.points.len(), frame.arcs.len()];
        if counts(one) != counts(other) {
            self.other_counts += 1;
            return;
        }
        for i in 0..one.points.len() {
            let shift = one.point_in_world(i).vector() - other.point_in_world(i).vector();
            self.point_m = self.point_m.max(shift.norm());
        }
    }
}

/// Compares two records that these keys open.
///
/// # Errors
/// If one does not open or does not hold.
pub(crate) fn difference(one: &Path, other: &Path, unlock: &Unlock) -> anyhow::Result<Difference> {
    let (mut one, mut other) = (Reader::open(one, unlock)?, Reader::open(other, unlock)?);
    let mut found = Difference::default();
    loop {
        let pair = (one.next_frame()?, other.next_frame()?);
        let index = found.frames[0];
        found.frames[0] += u64::from(pair.0.is_some());
        found.frames[1] += u64::from(pair.1.is_some());
        match pair {
            (None, None) => return Ok(found),
            (Some(one), Some(other)) if one.bytes == other.bytes => found.same += 1,
            (Some(one), Some(other)) => {
                found.first.get_or_insert(index);
                found.add(&decode(&one.bytes)?, &decode(&other.bytes)?);
            }
            _ => {
                found.first.get_or_insert(index);
            }
        }
    }
}
