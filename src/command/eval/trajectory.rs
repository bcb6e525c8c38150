//! A trajectory of any tool against a reference.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use beluga_sim::score::{Pair, Spread, Stretch, Trajectory, TrajectoryError};
use clap::Args;
use serde::Serialize;

use crate::exit::{Exit, Wrong};

/// How trajectories of other tools are read and paired.
#[derive(Debug, Args)]
pub(super) struct Form {
    /// Times of a trajectory in KITTI's form: seconds, one a line.
    #[arg(long, value_name = "FILE")]
    times: Option<PathBuf>,
    /// Times of the reference, if it is in KITTI's form.
    #[arg(long, value_name = "FILE")]
    truth_times: Option<PathBuf>,
    /// Poses of two trajectories belong together if they are this many seconds apart or less.
    #[arg(long, value_name = "S", default_value_t = 0.01)]
    tolerance: f64,
    /// Added to the times of the trajectory, in seconds.
    #[arg(long, value_name = "S", default_value_t = 0.0, allow_hyphen_values = true)]
    offset: f64,
}

#[derive(Serialize)]
struct Shown {
    trajectory: TrajectoryError,
    association: String,
}

impl Form {
    pub(super) fn run(&self, found: &Path, truth: &Path, json: bool) -> anyhow::Result<Exit> {
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite() && self.offset.is_finite()) {
            return Err(anyhow!("--tolerance and --offset are seconds").context(Wrong::Arguments));
        }
        let read = |path: &Path, times: &Option<PathBuf>| {
            Trajectory::read(path, times.as_deref()).context(Wrong::Arguments)
        };
        let found_poses = read(found, &self.times)?;
        let count = found_poses.poses.len();
        let (pairs, association) = if truth.is_dir() {
            let truth = super::read_truth(truth)?;
            let stamps = found_poses.stamps.as_ref().ok_or_else(|| {
                anyhow!("the truth has times, the trajectory has none: name them with --times")
                    .context(Wrong::Arguments)
            })?;
            let timed: Vec<_> = stamps
                .iter()
                .map(|stamp| stamp.shifted_s(self.offset))
                .zip(found_poses.poses.iter().copied())
                .collect();
            (
                truth.pairs(&timed),
                "the true pose of the very moment, between two that are 5 ms apart".to_owned(),
            )
        } else {
            self.paired(&found_poses, &read(truth, &self.truth_times)?)?
        };
        if pairs.is_empty() {
            let wrong = format!(
                "no pose of {} has a partner in {}: is it of another run, or is --offset or --tolerance wrong",
                found.display(),
                truth.display()
            );
            return Err(anyhow!(wrong).context(Wrong::Arguments));
        }
        let outside = count.saturating_sub(pairs.len()) as u64;
        let shown = Shown {
            trajectory: TrajectoryError::of(&pairs, outside),
            association,
        };
        crate::command::show(json, &shown, &shown.to_string())?;
        Ok(Exit::Done)
    }

    fn paired(&self, found: &Trajectory, truth: &Trajectory) -> anyhow::Result<(Vec<Pair>, String)> {
        let timed = found.stamps.is_some() && truth.stamps.is_some();
        let pairs = found.paired(truth, self.tolerance, self.offset).map_err(|[found, truth]| {
            let wrong = format!(
                "without times poses belong together in order, and there are {found} and {truth}: name times with \
                 --times and --truth-times"
            );
            anyhow!(wrong).context(Wrong::Arguments)
        })?;
        let association = match timed {
            true => format!("the nearest in time, at most {} s away", self.tolerance),
            false => "in order, without times".to_owned(),
        };
        Ok((pairs, association))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = &self.trajectory;
        writeln!(
            f,
            "poses         {} compared, {} without a partner ({})",
            error.poses, error.outside, self.association
        )?;
        let mut row = |name: &str, of: &Spread, unit: &str| {
            writeln!(
                f,
                "{name:<28} RMSE {:.6}  mean {:.6}  median {:.6}  95 % {:.6}  max {:.6} {unit}",
                of.rmse, of.mean, of.median, of.p95, of.max
            )
        };
        for (name, of) in [
            ("position, unaligned", &error.unaligned),
            ("position, aligned (ATE)", &error.aligned),
        ] {
            if let Some(of) = of {
                row(name, of, "m")?;
            }
        }
        for relative in &error.relative {
            let over = match relative.stretch {
                Stretch::Poses(count) => format!("{count} poses on"),
                Stretch::Seconds(seconds) => format!("{seconds} s"),
                Stretch::Metres(metres) => format!("{metres} m"),
            };
            row(&format!("RPE translation, {over}"), &relative.translation_m, "m")?;
            row(&format!("RPE rotation, {over}"), &relative.rotation_rad, "rad")?;
        }
        if let Some(axes) = &error.position_axes_m {
            let [forward, port, up] = axes.map(|axis| format!("{:+.4} ({:.4})", axis.mean, axis.rmse));
            writeln!(f, "mean (RMSE)   forward {forward}, to port {port}, up {up} m")?;
        }
        Ok(())
    }
}
