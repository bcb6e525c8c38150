//! `beluga demo`: a world with truth, fused and scored.

use std::path::{Path, PathBuf};

use beluga_ingest::{Event, Pace};
use beluga_sim::{Scenario, Score, Scorer, TruthWriter, World};
use clap::Args;
use serde::Serialize;

use super::eval::Controls;
use super::run::{Progress, Results, keep_showing, stop_on_ctrl_c};
use crate::audit::Source;
use crate::cockpit::Board;
use crate::exit::{Exit, Wrong};
use crate::hearing::Hearing;
use crate::latency::Watch;
use crate::pipeline::{self, River};
use crate::report::Report;

/// Simulates 30 s along a quay, fuses it, seals the record, and scores it against the truth.
///
/// Example: beluga demo --view none
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Folder for record, picture and truth.
    #[arg(long, value_name = "DIR", default_value = "beluga-out")]
    out: PathBuf,
    /// Scene: `quay`, `sample` (small and quick), a level from `s0` to `s6`, or the path of a scenario that
    /// ends in `.toml`.
    #[arg(long, default_value = "quay")]
    scene: String,
    /// Seed of all randomness.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Length in seconds.
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    #[command(flatten)]
    results: Results,
}

#[derive(Serialize)]
struct Shown<'a> {
    run: &'a Report,
    score: &'a Score,
    controls: &'a Controls,
}

impl Demo {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let world = scene(&self.scene, self.seed, self.seconds, &[])?;
        let source = format!("a simulated quay (seed {})", world.scenario().seed);
        let watch = Watch::of(Pace::Max).on(Board::of_recording(world.rig()));
        let source = Source {
            name: &source,
            rig: world.rig(),
            nameplates: Vec::new(),
            folder: Path::new("."),
            map: None,
        };
        let opened = self
            .results
            .open(None, &self.out.join("demo.maml"), &source, &watch)?;
        let truth = world.truth();
        let truth_folder = opened.path.with_extension("truth");
        TruthWriter::create(&truth_folder, &world, &self.scene)?.finish(None)?;

        let stop = stop_on_ctrl_c()?;
        let progress = Progress::start();
        let mouth = pipeline::run(River {
            rig: world.rig().clone(),
            inputs: Vec::new(),
            fusion: opened.config.fusion,
            map: None,
            source: Box::new(world.measurements().map(Event::Measured)),
            watch,
            hearing: Hearing::nothing(),
            record: Some((opened.path, opened.record)),
            tape: None,
            picture: opened.picture,
            score: Some(Scorer::new(truth.clone())),
            control: true,
            stop: stop.clone(),
            progress: progress.frames.clone(),
        })?;
        progress.stop();

        let mut report = mouth.report;
        report.notes.extend(opened.notes);
        report
            .notes
            .push(format!("the truth of this world: {}", truth_folder.display()));
        let (Some(score), Some(withheld)) = (mouth.score, mouth.withheld) else {
            anyhow::bail!("the run ended without a score; please report this");
        };
        let controls = Controls::of(&truth, &withheld);
        let shown = Shown {
            run: &report,
            score: &score,
            controls: &controls,
        };
        super::show(json, &shown, &format!("{score}\n{controls}\n{report}"))?;
        keep_showing(opened.page, &stop);
        Ok(report.exit())
    }
}

/// The world of a scene, given by its name or its file, with the seed, the length and the faults that were
/// asked for.
///
/// # Errors
/// If there is no such scene or fault, or a number is outside its range.
pub(crate) fn scene(
    name: &str,
    seed: Option<u64>,
    seconds: Option<f64>,
    faults: &[String],
) -> anyhow::Result<World> {
    use anyhow::Context;
    let mut scenario = Scenario::find(name).context(Wrong::Arguments)?;
    scenario.seed = seed.unwrap_or(scenario.seed);
    scenario.duration_s = seconds.unwrap_or(scenario.duration_s);
    for fault in faults {
        scenario.faults.set(fault).context(Wrong::Arguments)?;
    }
    World::new(scenario).context(Wrong::Arguments)
}
