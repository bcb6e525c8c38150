//! The trajectory as it was recorded, beside the one that closed loops made of it.

use std::fmt;

use beluga_sim::Truth;
use beluga_sim::score::TrajectoryError;
use beluga_types::{Body, Stamp, Transform, World};
use serde::Serialize;

/// The score of poses as they were recorded.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Uncorrected(TrajectoryError);

impl Uncorrected {
    pub(super) fn of(truth: &Truth, recorded: &[(Stamp, Transform<World, Body>)]) -> Self {
        Self(truth.trajectory_error(recorded))
    }
}

impl fmt::Display for Uncorrected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(error) = self;
        write!(
            f,
            "uncorrected   trajectory RMSE {:.4} m unaligned, {:.4} m aligned, without what closed loops change ({} poses)",
            error.unaligned_m, error.aligned_m, error.poses
        )
    }
}
