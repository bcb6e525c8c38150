//! The trajectories that a score must be read beside.

use std::fmt;
use std::path::Path;

use anyhow::Context;
use beluga_ingest::Recording;
use beluga_sim::{Truth, score::TrajectoryError};
use beluga_types::{Transform, World};
use serde::Serialize;

use crate::control::{Control, Withheld};
use crate::exit::Wrong;

/// The trajectories that a score must be read beside.
#[derive(Debug, Serialize)]
pub(crate) struct Controls {
    /// Lidar odometry with navigation withheld, its first pose laid on the true one: so its error as
    /// it stands is what has drifted since the start.
    lidar_alone: TrajectoryError,
    /// Navigation as it came.
    raw_nav: TrajectoryError,
}

impl Controls {
    /// Both trajectories against the truth.
    pub(crate) fn of(truth: &Truth, withheld: &Withheld) -> Self {
        let first = withheld.lidar_alone.iter().find_map(|(stamp, found)| {
            let truth = truth.pose_at(*stamp)?;
            Some(truth * found.inverse())
        });
        let lidar_alone: Vec<_> = withheld
            .lidar_alone
            .iter()
            .map(|(stamp, found)| {
                (
                    *stamp,
                    first.map_or(*found, |moved: Transform<World, World>| moved * *found),
                )
            })
            .collect();
        Self {
            lidar_alone: truth.trajectory_error(&lidar_alone),
            raw_nav: truth.trajectory_error(&withheld.raw_nav),
        }
    }

    /// Both trajectories, made of a recording.
    pub(super) fn from_recording(truth: &Truth, path: &Path) -> anyhow::Result<Self> {
        let recording = Recording::open(path).context(Wrong::Arguments)?;
        let mut control = Control::new(&beluga_fusion::Config::default(), recording.rig())?;
        for measurement in recording.timeline()? {
            control.push(measurement);
        }
        Ok(Self::of(truth, &control.finish()))
    }
}

impl fmt::Display for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "nav withheld trajectory RMSE {:.4} m unaligned from its first pose, {:.4} m aligned (lidar alone, {} poses)",
            self.lidar_alone.unaligned_m, self.lidar_alone.aligned_m, self.lidar_alone.poses
        )?;
        writeln!(
            f,
            "raw nav      trajectory RMSE {:.4} m unaligned, {:.4} m aligned, {:.3}° ({} poses)",
            self.raw_nav.unaligned_m,
            self.raw_nav.aligned_m,
            self.raw_nav.rotation_rad.to_degrees(),
            self.raw_nav.poses
        )
    }
}
