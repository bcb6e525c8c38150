//! `beluga sim`: a recording with truth.

use std::path::{Path, PathBuf};

use anyhow::Context;
use beluga_ingest::{folder, tape};
use beluga_sim::World;
use clap::Args;
use serde::Serialize;

use super::demo::scene;
use super::outputs::must_be_free;
use crate::exit::Exit;

/// Writes a simulated recording, with its truth beside it.
///
/// Example: beluga sim --scene quay --seed 7 --seconds 60 --out run
#[derive(Debug, Args)]
pub(crate) struct Sim {
    /// Scene: `quay`, `sample` (small and quick), or the path of a scenario that ends in `.toml`.
    #[arg(long, default_value = "quay")]
    scene: String,
    /// Seed of all randomness.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Length in seconds.
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Folder for the recording; must be new or empty. The truth goes into its folder `truth`. A
    /// name that ends in `.mcap` gives a tape; its truth goes beside it, into the folder `NAME.truth`.
    #[arg(long, value_name = "DIR|FILE.mcap")]
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
        let is_tape = self
            .out
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("mcap"));
        let (measurements, truth) = if is_tape {
            (taped(&self.out, &world)?, self.out.with_extension("truth"))
        } else {
            (filed(&self.out, &world)?, self.out.join("truth"))
        };
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

fn filed(out: &Path, world: &World) -> anyhow::Result<u64> {
    anyhow::ensure!(
        world.scenario().nav.imu.is_none(),
        "a folder has no place for the samples of `nav.imu`; write a tape (--out NAME.mcap), or leave it out of the scene"
    );
    let mut writer = folder::Writer::create(out, world.rig())?;
    let mut measurements = 0;
    for measurement in world.measurements() {
        writer.push(&measurement)?;
        measurements += 1;
    }
    writer.finish()?;
    Ok(measurements)
}

fn taped(out: &Path, world: &World) -> anyhow::Result<u64> {
    must_be_free(&[("--out", Some(out))])?;
    let mut writer = tape::Writer::create(out, world.rig())?;
    for measurement in world.measurements() {
        writer.push(&measurement)?;
    }
    Ok(writer.finish()?)
}
