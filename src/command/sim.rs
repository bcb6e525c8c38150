//! `beluga sim`: a recording with truth.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context;
use beluga_ingest::{folder, tape};
use beluga_sim::{ActingFault, ReturnsOf, START, Scenario, SonarKind, TruthWriter, World};
use beluga_types::{Measurement, Payload};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::demo::scene;
use super::outputs::must_be_free;
use super::run::stop_on_ctrl_c;
use crate::exit::{Exit, Wrong};

/// Writes a simulated recording, with its truth beside it.
///
/// Example: beluga sim --scene quay --seed 7 --seconds 60 --fault clock-drift=20ppm,mount-roll=1.5deg --out run
#[derive(Debug, Args)]
pub(crate) struct Sim {
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
    /// What is wrong: `NAME=VALUE` or `NAME:SENSOR=VALUE` with a unit, several with commas between them
    /// or by repeating the option; `storm` is many at once. An unknown name lists them all.
    #[arg(long, value_name = "NAME[:SENSOR]=VALUE")]
    fault: Vec<String>,
    /// Which returns the truth tells of, one by one: `lidar`, `all` (the sonar's echoes too, which takes
    /// twice the time), or `none`.
    #[arg(long, value_enum, default_value = "lidar")]
    returns: Told,
    /// Folder for the recording; must be new or empty. The truth goes into its folder `truth`. A
    /// name that ends in `.mcap` gives a tape; its truth goes beside it, into the folder `NAME.truth`.
    #[arg(long, value_name = "DIR|FILE.mcap")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Told {
    None,
    Lidar,
    All,
}

#[derive(Serialize)]
struct Written {
    recording: PathBuf,
    /// Of the tape, or of the list of a folder's files with their own.
    sha256: Option<String>,
    truth: PathBuf,
    measurements: u64,
    measurements_per_s: f64,
    /// Whether the run was made to its end.
    complete: bool,
    seed: u64,
    faults: Vec<ActingFault>,
}

impl Sim {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let world = scene(&self.scene, self.seed, self.seconds, &self.fault)?;
        let (mut recording, truth_folder) = Recording::create(&self.out, &world)?;
        let told = match self.returns {
            Told::None => ReturnsOf::None,
            Told::Lidar => ReturnsOf::Lidar,
            Told::All => ReturnsOf::All,
        };
        let mut truth = TruthWriter::create(&truth_folder, &world, &self.scene)
            .and_then(|truth| match told {
                ReturnsOf::None => Ok(truth),
                _ => truth.with_returns(),
            })
            .with_context(|| {
                format!(
                    "the simulation ended before its first measurement; nothing is recorded in {}",
                    self.out.display()
                )
            })?;
        let stop = stop_on_ctrl_c()?;
        let began = Instant::now();
        let mut measurements = 0;
        let written = write(&world, told, &stop, |measurement, returns| {
            recording.push(measurement)?;
            truth.push(measurement, returns)?;
            measurements += 1;
            Ok(())
        });
        // Whatever happened, what was written is ended as well as can be.
        let finished = recording.finish();
        written
            .and(finished)
            .with_context(|| left_of(measurements, &self.out))?;
        let seconds = began.elapsed().as_secs_f64();
        let sha256 = truth.finish(Some(&self.out)).with_context(|| {
            let out = self.out.display();
            format!("the recording {out} is whole, but its truth could not be written to its end")
        })?;
        let written = Written {
            recording: self.out,
            sha256,
            truth: truth_folder,
            measurements,
            measurements_per_s: measurements as f64 / seconds,
            complete: !stop.load(Ordering::SeqCst),
            seed: world.scenario().seed,
            faults: world.acting_faults(),
        };
        super::show(json, &written, &written.text())?;
        Ok(Exit::Done)
    }
}

/// What is left of a recording that could not be written to its end: what can be read of it again. What was still
/// on its way to the disk is lost.
fn left_of(made: u64, out: &Path) -> String {
    let readable = beluga_ingest::Recording::open(out)
        .and_then(|recording| recording.timeline())
        .map_or(0, |timeline| {
            timeline
                .filter(|measurement| !matches!(measurement.payload, Payload::Gap(_)))
                .count()
        });
    format!(
        "the simulation ended after {made} measurements; {readable} of them can be read from {}",
        out.display()
    )
}

impl Written {
    fn text(&self) -> String {
        let mut lines = vec![format!(
            "recording    {} ({} measurements, seed {})",
            self.recording.display(),
            self.measurements,
            self.seed
        )];
        if let Some(sha256) = &self.sha256 {
            lines.push(format!("SHA-256      {sha256}"));
        }
        lines.push(format!("truth        {}", self.truth.display()));
        lines.push(format!(
            "speed        {:.0} measurements per second",
            self.measurements_per_s
        ));
        for fault in &self.faults {
            let about = fault
                .sensor
                .as_ref()
                .map_or(String::new(), |name| format!(" of {name}"));
            let ActingFault {
                fault, value, unit, ..
            } = fault;
            lines.push(
                format!("fault        {fault}{about}: {value} {unit}")
                    .trim_end()
                    .to_owned(),
            );
        }
        if !self.complete {
            lines.push("stopped      before its end; what there is, is whole".into());
        }
        lines.push(format!("play it      beluga replay {}", self.recording.display()));
        lines.join("\n")
    }
}

/// Makes the measurements and hands each on, until the run's end or until `stop`.
fn write(
    world: &World,
    told: ReturnsOf,
    stop: &AtomicBool,
    mut push: impl FnMut(&Measurement, &beluga_sim::Returns) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let duration_s = world.scenario().duration_s;
    let style = ProgressStyle::with_template("{bar:40} {percent} % of {msg} s, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new((duration_s * 1e3) as u64)
        .with_style(style)
        .with_message(format!("{duration_s}"));
    for (measurement, returns) in world.measurements_with_returns(told) {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        push(&measurement, &returns)?;
        bar.set_position((measurement.end.seconds_since(START).max(0.0) * 1e3) as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Whether a folder has a place for all that a scenario measures.
fn fits_folder(scenario: &Scenario) -> anyhow::Result<()> {
    let tape = "write a tape (--out NAME.mcap)";
    anyhow::ensure!(
        scenario.nav.imu.is_none(),
        "a folder has no place for the samples of `nav.imu`; {tape}, or leave it out of the scene"
    );
    anyhow::ensure!(
        scenario.sonar.kind == SonarKind::Beams,
        "a folder has a place for waveforms by beams alone, and `{}` gives another kind; {tape}",
        scenario.sonar.model
    );
    Ok(())
}

/// A recording that is being written.
enum Recording {
    Folder(Box<folder::Writer>),
    Tape(Box<tape::Writer>),
}

impl Recording {
    /// Starts a recording; gives the folder of its truth too.
    fn create(out: &Path, world: &World) -> anyhow::Result<(Self, PathBuf)> {
        let is_tape = out
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("mcap"));
        if is_tape {
            let truth = out.with_extension("truth");
            must_be_free(&[("--out", Some(out)), ("the truth", Some(&truth))])?;
            Ok((
                Self::Tape(Box::new(tape::Writer::create(out, world.rig())?)),
                truth,
            ))
        } else {
            fits_folder(world.scenario()).context(Wrong::Arguments)?;
            let writer = folder::Writer::create(out, world.rig())?;
            Ok((Self::Folder(Box::new(writer)), out.join("truth")))
        }
    }

    fn push(&mut self, measurement: &Measurement) -> anyhow::Result<()> {
        match self {
            Self::Folder(writer) => writer.push(measurement)?,
            Self::Tape(writer) => writer.push(measurement)?,
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Folder(writer) => writer.finish()?,
            Self::Tape(writer) => {
                writer.finish()?;
            }
        }
        Ok(())
    }
}
