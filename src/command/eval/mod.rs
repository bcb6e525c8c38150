//! `beluga eval`: records against the truth of their simulation, or any trajectory against another.

mod controls;
mod latency;
mod runs;
mod trajectory;
mod uncorrected;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use beluga_sim::score::{IntervalCoverage, OverRuns, Subject, Trajectory, over_runs, page};
use beluga_sim::{Score, Scorer, Truth};
use beluga_types::SolidarFrame;
use clap::Args;
use serde::Serialize;

use super::maml::{Keys, frames};
use super::outputs::must_be_free;
use crate::corrections::Poses;
use crate::exit::{Exit, Wrong};
pub(crate) use controls::Controls;
use uncorrected::Uncorrected;

/// Scores records against the truth of their simulation, or a trajectory against a reference.
///
/// Of several records, or with --seeds of several worlds, the honesty of stated uncertainties is put
/// together run by run, with the exact binomial 95 % (Clopper-Pearson). A trajectory of any tool (TUM:
/// `t x y z qx qy qz qw`; KITTI: 12 numbers a line) is scored as `evo` does.
///
/// Example: beluga eval quay.maml --truth sample-data/quay/truth --html quay.html
/// Example: beluga eval one.maml two.maml --truth one.truth --truth two.truth
/// Example: beluga eval --scene sample --seeds 20
/// Example: beluga eval odometry.tum --truth ground-truth.tum
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Eval {
    /// The records, or one trajectory.
    #[arg(required_unless_present = "seeds", conflicts_with = "seeds")]
    runs: Vec<PathBuf>,
    /// The truth of each record in turn, as `sim` and `demo` write it; of a trajectory, a truth or another
    /// trajectory. One truth serves all records.
    #[arg(long, value_name = "DIR|FILE", required_unless_present = "seeds")]
    truth: Vec<PathBuf>,
    /// The recording the record was made of: adds the trajectories with navigation withheld and of
    /// raw navigation.
    #[arg(long, value_name = "DIR")]
    recording: Option<PathBuf>,
    /// A page to read, with plots; of several records, of the first.
    #[arg(long, value_name = "FILE.html")]
    html: Option<PathBuf>,
    /// What `replay --json` printed of the run: its latency, if it was paced.
    #[arg(long, value_name = "FILE.json")]
    report: Option<PathBuf>,
    /// Moves all frames by the one rigid motion that brings their trajectory nearest to the truth: for runs
    /// without navigation, whose `World` is their own.
    #[arg(long)]
    align: bool,
    /// The wall along which the seam is judged, in metres from the truth's origin: what was held out of
    /// any fit [default: all].
    #[arg(long, value_name = "FROM:TO", allow_hyphen_values = true)]
    held_out: Option<Stretch>,
    #[command(flatten)]
    other: trajectory::Form,
    #[command(flatten)]
    seeds: runs::Seeds,
    #[command(flatten)]
    poses: Poses,
    #[command(flatten)]
    keys: Keys,
}

/// What is said of a record without frames.
const NO_FRAMES: &str = "no frames: nothing was scored";

/// A stretch along the wall.
#[derive(Clone, Copy, Debug)]
struct Stretch([f64; 2]);

impl FromStr for Stretch {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text
            .split_once(':')
            .and_then(|(from, to)| Some([from.parse::<f64>().ok()?, to.parse::<f64>().ok()?]));
        match parsed {
            Some([from, to]) if from < to && from.is_finite() && to.is_finite() => Ok(Stretch([from, to])),
            _ => Err(format!(
                "found `{text}`, expected two numbers of metres as `-5:20`"
            )),
        }
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    score: &'a Score,
    uncorrected: Option<&'a Uncorrected>,
    controls: Option<&'a Controls>,
    latency: Option<&'a latency::Latency>,
}

/// A record with its score.
#[derive(Serialize)]
struct Scored {
    record: PathBuf,
    score: Score,
    /// Where closed loops correct the poses, what they were before.
    uncorrected: Option<Uncorrected>,
    #[serde(skip)]
    truth: Truth,
    #[serde(skip)]
    exit: Exit,
}

#[derive(Serialize)]
struct ShownAll<'a> {
    runs: &'a [Scored],
    over_runs: &'a [OverRuns],
}

impl Eval {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        must_be_free(&[("--html", self.html.as_deref())])?;
        if self.seeds.is_asked() {
            return self.seeds.run(json, self.html.as_deref());
        }
        if let [only] = self.runs.as_slice()
            && Trajectory::is_one(only)
        {
            return self.other.run(only, self.only_truth()?, json);
        }
        let scored = self
            .pairs()?
            .into_iter()
            .map(|(record, truth)| self.score(record, truth))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let exit = scored.iter().map(|one| one.exit).max_by_key(|exit| exit.code());
        match scored.as_slice() {
            [one] => self.show_one(one, json)?,
            several => self.show_several(several, json)?,
        }
        Ok(exit.unwrap_or(Exit::Done))
    }

    fn only_truth(&self) -> anyhow::Result<&Path> {
        match self.truth.as_slice() {
            [one] => Ok(one),
            several => Err(
                anyhow!("expected one --truth for one trajectory, found {}", several.len())
                    .context(Wrong::Arguments),
            ),
        }
    }

    fn pairs(&self) -> anyhow::Result<Vec<(&Path, &Path)>> {
        let truths: Vec<&Path> = match self.truth.as_slice() {
            [one] => vec![one; self.runs.len()],
            several if several.len() == self.runs.len() => several.iter().map(PathBuf::as_path).collect(),
            several => {
                let wrong = format!(
                    "expected a --truth for each of {} records or one for all, found {}",
                    self.runs.len(),
                    several.len()
                );
                return Err(anyhow!(wrong).context(Wrong::Arguments));
            }
        };
        Ok(self.runs.iter().map(PathBuf::as_path).zip(truths).collect())
    }

    /// Scores one record.
    fn score(&self, record: &Path, truth: &Path) -> anyhow::Result<Scored> {
        if let Some(recording) = &self.recording {
            Truth::verify_recording(truth, recording).context(Wrong::Arguments)?;
        }
        let folder = truth;
        let truth = read_truth(folder)?;
        let corrections = self.poses.of(record, &self.keys)?;
        let corrections = corrections.as_ref();
        let mut scorer = Scorer::new(truth.clone());
        if let Some(told) = truth.told_returns(folder).context(Wrong::Arguments)? {
            scorer = scorer.returns(Arc::new(move |frame: &SolidarFrame, point: usize| {
                told.of(frame, point)
            }));
        }
        if let Some(Stretch(stretch)) = self.held_out {
            scorer = scorer.held_out(stretch);
        }
        if self.align {
            let mut trajectory = Vec::new();
            frames(record, &self.keys, corrections, |_, frame| {
                trajectory.push((frame.window.end, frame.world_from_body));
                Ok(())
            })?;
            scorer = scorer.aligned(&trajectory);
        }
        let mut span = None;
        let exit = frames(record, &self.keys, corrections, |_, frame| {
            scorer.add(&frame);
            let (_, last) = span.get_or_insert((frame.window.end, frame.window.end));
            *last = frame.window.end;
            if scorer.is_of_another_recording() {
                let wrong = format!(
                    "the truth belongs to another recording: the noise of the lidar's points is not the one \
                     its world has (seed {}): {}",
                    truth.scenario.seed,
                    record.display()
                );
                return Err(anyhow!(wrong).context(Wrong::Arguments));
            }
            Ok(())
        })?;
        let Some((first, last)) = span else {
            crate::tell(&format!("{NO_FRAMES}: {}", record.display()));
            let exit = if exit == Exit::Done { Exit::Findings } else { exit };
            let score = scorer.finish();
            return Ok(Scored {
                record: record.to_owned(),
                score,
                uncorrected: None,
                truth,
                exit,
            });
        };
        let uncorrected = match corrections {
            Some(_) => Some(self.uncorrected(record, &truth)?),
            None => None,
        };
        let score = scorer.finish();
        if score.trajectory.poses == 0 {
            let covers = |stamps: &[(beluga_types::Stamp, _)]| match stamps {
                [(first, _), .., (last, _)] => format!("{} to {} s", seconds(*first), seconds(*last)),
                _ => "nothing".to_owned(),
            };
            let wrong = format!(
                "the truth belongs to another recording: it covers {}, the record {} to {} s: {}",
                covers(&truth.poses),
                seconds(first),
                seconds(last),
                record.display()
            );
            return Err(anyhow!(wrong).context(Wrong::Arguments));
        }
        Ok(Scored {
            record: record.to_owned(),
            score,
            uncorrected,
            truth,
            exit,
        })
    }

    /// The trajectory as it was recorded.
    fn uncorrected(&self, record: &Path, truth: &Truth) -> anyhow::Result<Uncorrected> {
        let mut recorded = Vec::new();
        frames(record, &self.keys, None, |_, frame| {
            recorded.push((frame.window.end, frame.world_from_body));
            Ok(())
        })?;
        Ok(Uncorrected::of(truth, &recorded))
    }

    fn show_one(&self, one: &Scored, json: bool) -> anyhow::Result<()> {
        if one.score.frames == 0 {
            let nothing = serde_json::json!({ "score": null, "reason": NO_FRAMES });
            return super::show(json, &nothing, NO_FRAMES);
        }
        let controls = match &self.recording {
            Some(recording) => Some(Controls::from_recording(&one.truth, recording)?),
            None => None,
        };
        let latency = self.report.as_deref().map(latency::read).transpose()?.flatten();
        let mut text = one.score.to_string();
        if let Some(uncorrected) = &one.uncorrected {
            text.push_str(&format!("\n{uncorrected}"));
        }
        if let Some(controls) = &controls {
            text.push_str(&format!("\n{controls}"));
        }
        match &latency {
            Some(latency) => text.push_str(&format!("\nlatency       {latency}")),
            None => {
                text.push_str("\nlatency       not recorded (replay with --speed 1 --json, then --report)")
            }
        }
        let shown = Shown {
            score: &one.score,
            uncorrected: one.uncorrected.as_ref(),
            controls: controls.as_ref(),
            latency: latency.as_ref(),
        };
        self.write_page(one, &[], latency.as_ref())?;
        super::show(json, &shown, &text)
    }

    fn show_several(&self, several: &[Scored], json: bool) -> anyhow::Result<()> {
        let coverages: Vec<Vec<IntervalCoverage>> =
            several.iter().map(|one| one.score.honesty.clone()).collect();
        let over_runs = over_runs(&coverages);
        let mut text = String::new();
        for one in several {
            text.push_str(&format!(
                "{}\n",
                runs::line(&one.record.display().to_string(), &one.score)
            ));
        }
        text.push_str(&runs::table(&over_runs));
        if let Some(one) = several.first() {
            self.write_page(one, &over_runs, None)?;
        }
        let shown = ShownAll {
            runs: several,
            over_runs: &over_runs,
        };
        super::show(json, &shown, &text)
    }

    fn write_page(
        &self,
        one: &Scored,
        runs: &[OverRuns],
        latency: Option<&latency::Latency>,
    ) -> anyhow::Result<()> {
        let Some(path) = &self.html else {
            return Ok(());
        };
        let mut notes = Vec::new();
        if self.align {
            notes.push(
                "All frames were moved by one rigid motion onto the true trajectory: the numbers say how well the \
                 run holds together, not where it is."
                    .to_owned(),
            );
        }
        if one.exit == Exit::Lost {
            notes.push("The record is not sealed: only what is signed was read.".to_owned());
        }
        let subject = Subject {
            run: one.record.display().to_string(),
            truth: "the truth of its simulation".to_owned(),
            world: world(&one.truth),
            latency: latency.map(ToString::to_string),
            notes,
        };
        write_new(path, &page(&one.score, &subject, runs))
    }
}

/// A truth that is as its simulation left it, as far as that can be known.
fn read_truth(folder: &Path) -> anyhow::Result<Truth> {
    let truth = Truth::read(folder).context(Wrong::Arguments)?;
    if Truth::is_finished(folder) {
        Truth::verify(folder).context(Wrong::Arguments)?;
    } else {
        crate::tell(&format!(
            "the truth was not finished: nothing says that its files are whole: {}",
            folder.display()
        ));
    }
    Ok(truth)
}

/// A truth's world in words.
fn world(truth: &Truth) -> String {
    let scenario = &truth.scenario;
    format!(
        "level {:?}, seed {}, {:.0} s",
        scenario.level, scenario.seed, scenario.duration_s
    )
}

/// Seconds of the epoch to a tenth, for messages.
fn seconds(stamp: beluga_types::Stamp) -> String {
    format!("{:.1}", stamp.nanos() as f64 * 1e-9)
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    crate::tell(&format!("page          {}", path.display()));
    Ok(())
}
