//! `beluga sim`: a recording with truth.

use std::path::PathBuf;

use anyhow::Context;
use beluga_ingest::folder::Writer;
use clap::Args;
use serde::Serialize;

use super::demo::scene;
use crate::exit::Exit;

/// Writes a simulated recording, with its truth beside it.
///
/// Example: beluga sim --scene quay --seed 7 --seconds 60 --out run
#[derive(Debug, Args)]
pub(crate) struct Sim {
    /// Scene: `quay`, or `sample` (small and quick).
    #[arg(long, default_value = "quay")]
    scene: String,
    /// Seed of all randomness.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Length in seconds.
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Folder for the recording; must be new or empty. The truth goes into its folder `truth`.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Written {
    recording: PathBuf,
    truth: PathBuf,
    measurements: u64,
    seed: u64,
}

impl Sim {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let world = scene(&self.scene, self.seed, self.seconds)?;
        let mut writer = Writer::create(&self.out, world.rig())?;
        let mut measurements = 0;
        for measurement in world.measurements() {
            writer.push(&measurement)?;
            measurements += 1;
        }
        writer.finish()?;
        let truth = self.out.join("truth");
        world.truth().write(&truth).context("cannot write the truth")?;
        let seed = world.scenario().seed;
        let written = Written {
            recording: self.out.clone(),
            truth,
            measurements,
            seed,
        };
        let text = format!(
            "recording    {} ({measurements} measurements, seed {seed})\ntruth        {}\nplay it      beluga replay {}",
            written.recording.display(),
            written.truth.display(),
            written.recording.display()
        );
        super::show(json, &written, &text)?;
        Ok(Exit::Done)
    }
}
