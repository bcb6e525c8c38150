//! Several runs: their honesty together, and worlds made for the purpose.

use std::fmt::Write as _;
use std::path::Path;

use beluga_ingest::{Event, Pace};
use beluga_sim::score::{IntervalCoverage, OverRuns, Subject, over_runs, page};
use beluga_sim::{Score, Scorer, Truth};
use beluga_types::Payload;
use clap::Args;
use serde::Serialize;

use crate::command::demo::scene;
use crate::command::run::{Progress, stop_on_ctrl_c};
use crate::exit::Exit;
use crate::hearing::Hearing;
use crate::latency::Watch;
use crate::pipeline::{self, River};

/// Worlds that are simulated, fused and scored, one seed after the other; nothing is kept of them.
#[derive(Debug, Args)]
pub(super) struct Seeds {
    /// Simulates, fuses and scores this many worlds that differ in their seed alone.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seeds: Option<u32>,
    /// Their scene.
    #[arg(long, value_name = "SCENE", default_value = "sample", requires = "seeds")]
    scene: String,
    /// Their length in seconds.
    #[arg(long, value_name = "S", requires = "seeds")]
    seconds: Option<f64>,
    /// The first seed; the others follow.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "seeds")]
    first_seed: u64,
    /// Withholds navigation: the lidar alone, from the true first pose on.
    #[arg(long, requires = "seeds")]
    without_navigation: bool,
}

#[derive(Serialize)]
struct Run {
    seed: u64,
    score: Score,
}

#[derive(Serialize)]
struct Shown<'a> {
    runs: &'a [Run],
    over_runs: &'a [OverRuns],
}

impl Seeds {
    /// Whether worlds were asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.seeds.is_some()
    }

    pub(super) fn run(&self, json: bool, html: Option<&Path>) -> anyhow::Result<Exit> {
        let stop = stop_on_ctrl_c()?;
        let mut runs = Vec::new();
        let mut first_truth = None;
        for i in 0..u64::from(self.seeds.unwrap_or(0)) {
            let seed = self.first_seed.saturating_add(i);
            let world = scene(&self.scene, Some(seed), self.seconds, &[])?;
            let truth = world.truth();
            first_truth.get_or_insert_with(|| truth.clone());
            let said = world.measurements().filter(|measurement| {
                !self.without_navigation || !matches!(measurement.payload, Payload::Pose(_))
            });
            let progress = Progress::start();
            let mouth = pipeline::run(River {
                inputs: Vec::new(),
                rig: world.rig().clone(),
                fusion: beluga_fusion::Config::default(),
                map: None,
                source: Box::new(said.map(Event::Measured)),
                watch: Watch::of(Pace::Max),
                hearing: Hearing::nothing(),
                record: None,
                tape: None,
                picture: None,
                score: Some(match self.without_navigation {
                    true => Scorer::new(truth).from_first_pose(),
                    false => Scorer::new(truth),
                }),
                control: false,
                stop: stop.clone(),
                progress: progress.frames.clone(),
            })?;
            progress.stop();
            // A run that was cut short is no sample of the scene.
            if stop.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
            let Some(score) = mouth.score else {
                anyhow::bail!("the run of seed {seed} ended without a score; please report this");
            };
            crate::tell(&line(&format!("seed {seed}"), &score));
            runs.push(Run { seed, score });
        }
        self.show(&runs, first_truth.as_ref(), json, html)
    }

    fn show(
        &self,
        runs: &[Run],
        truth: Option<&Truth>,
        json: bool,
        html: Option<&Path>,
    ) -> anyhow::Result<Exit> {
        let coverages: Vec<Vec<IntervalCoverage>> =
            runs.iter().map(|run| run.score.honesty.clone()).collect();
        let over_runs = over_runs(&coverages);
        let mut text = String::new();
        for run in runs {
            let _ = writeln!(text, "{}", line(&format!("seed {}", run.seed), &run.score));
        }
        text.push_str(&table(&over_runs));
        if let (Some(path), Some(run), Some(truth)) = (html, runs.first(), truth) {
            let subject = Subject {
                run: format!("scene {}, the first of {} seeds", self.scene, runs.len()),
                truth: "the truth of its simulation".to_owned(),
                world: super::world(truth),
                latency: None,
                notes: Vec::new(),
            };
            super::write_new(path, &page(&run.score, &subject, &over_runs))?;
        }
        let shown = Shown {
            runs,
            over_runs: &over_runs,
        };
        crate::command::show(json, &shown, &text)?;
        Ok(if runs.is_empty() {
            Exit::Findings
        } else {
            Exit::Done
        })
    }
}

/// A run in a line.
pub(super) fn line(name: &str, score: &Score) -> String {
    let seam = score
        .seam
        .value()
        .map_or_else(|| "–".to_owned(), |seam| format!("{:+.1} mm", seam.step_mm));
    format!(
        "{name}: {} frames, trajectory {:.1} cm (aligned {:.1} cm), lidar {:.1} cm, sonar {:.1} cm at 95 %, seam {seam}",
        score.frames,
        100.0 * score.trajectory.unaligned_m,
        100.0 * score.trajectory.aligned_m,
        100.0 * score.lidar.p95_m,
        100.0 * score.sonar.p95_m
    )
}

/// Honesty over runs, for people.
pub(super) fn table(over_runs: &[OverRuns]) -> String {
    let mut text = String::from(
        "stated 95 % of                runs  truth inside    least  trials inside  95 % (Clopper-Pearson)  honest\n",
    );
    for kind in over_runs {
        let half = kind
            .coverage_95
            .map_or_else(String::new, |half| format!(" ± {:.1}", 100.0 * half));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<29} {:>4}  {:>12} % {:>6.1} %  {:>5} of {:<5}  {:>5.1} to {:>5.1} %        {}",
            kind.what,
            kind.runs,
            format!("{:.1}{half}", 100.0 * kind.coverage),
            100.0 * kind.least,
            kind.hits,
            kind.trials,
            100.0 * kind.hit_probability[0],
            100.0 * kind.hit_probability[1],
            if kind.consistent { "possible" } else { "NO" }
        );
    }
    text
}
