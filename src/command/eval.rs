//! `beluga eval`: a record against the truth of its simulation.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context;
use beluga_ingest::Recording;
use beluga_sim::{Score, Scorer, Truth, score::TrajectoryError};
use clap::Args;
use serde::Serialize;

use super::maml::{Keys, frames};
use crate::control::{Control, Withheld};
use crate::exit::{Exit, Wrong};

/// Scores a record against the truth of its simulation.
///
/// Example: beluga eval quay.maml --truth sample-data/quay/truth --recording sample-data/quay
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The record.
    record: PathBuf,
    /// The truth, as `sim` and `demo` write it.
    #[arg(long, value_name = "DIR")]
    truth: PathBuf,
    /// The recording the record was made of: adds the trajectories with navigation withheld and of
    /// raw navigation.
    #[arg(long, value_name = "DIR")]
    recording: Option<PathBuf>,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Serialize)]
struct Shown<'a> {
    score: &'a Score,
    controls: Option<&'a Controls>,
}

impl Eval {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let truth = Truth::read(&self.truth).context(Wrong::Arguments)?;
        let mut scorer = Scorer::new(truth.clone());
        let exit = frames(&self.record, &self.keys, |_, frame| {
            scorer.add(&frame);
            Ok(())
        })?;
        let score = scorer.finish();
        let controls = self.recording.as_deref().map(|path| -> anyhow::Result<Controls> {
            let recording = Recording::open(path).context(Wrong::Arguments)?;
            let mut control = Control::new(&beluga_fusion::Config::default(), recording.rig())?;
            for measurement in recording.timeline()? {
                control.push(measurement);
            }
            Ok(Controls::of(&truth, &control.finish()))
        });
        let controls = controls.transpose()?;
        let mut text = score.to_string();
        if let Some(controls) = &controls {
            text.push_str(&format!("\n{controls}"));
        }
        super::show(
            json,
            &Shown {
                score: &score,
                controls: controls.as_ref(),
            },
            &text,
        )?;
        if score.trajectory.poses == 0 {
            crate::tell("no pose of the record lies in the time of this truth: nothing was scored");
            return Ok(Exit::Findings);
        }
        Ok(exit)
    }
}

/// The trajectories that a score must be read beside.
#[derive(Debug, Serialize)]
pub(crate) struct Controls {
    /// Lidar odometry with navigation withheld; only its aligned error means something.
    lidar_alone: TrajectoryError,
    /// Navigation as it came.
    raw_nav: TrajectoryError,
}

impl Controls {
    /// Both trajectories against the truth.
    pub(crate) fn of(truth: &Truth, withheld: &Withheld) -> Self {
        Self {
            lidar_alone: truth.trajectory_error(&withheld.lidar_alone),
            raw_nav: truth.trajectory_error(&withheld.raw_nav),
        }
    }
}

impl fmt::Display for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "nav withheld trajectory RMSE {:.4} m aligned (lidar alone, {} poses)",
            self.lidar_alone.aligned_m, self.lidar_alone.poses
        )?;
        writeln!(
            f,
            "raw nav      trajectory RMSE {:.4} m unaligned, {:.3}° ({} poses)",
            self.raw_nav.unaligned_m,
            self.raw_nav.rotation_rad.to_degrees(),
            self.raw_nav.poses
        )
    }
}
