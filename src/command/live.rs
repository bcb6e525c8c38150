//! `beluga live` and `beluga record`: sensors that are heard now.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context;
use beluga_ingest::live::{Heard, Live, Options};
use beluga_types::Payload;
use clap::Args;
use serde::Serialize;

use super::outputs::must_be_free;
use super::rotating::Rotating;
use super::run::{Progress, Results, free_name, keep_showing, stop_on_ctrl_c};
use crate::audit::Source;
use crate::cockpit::Board;
use crate::cockpit::screen::{About, Screen, must_be_a_terminal};
use crate::exit::{Exit, Wrong};
use crate::hearing::Hearing;
use crate::latency::Watch;
use crate::pipeline::{self, River};

/// Which sensors are heard, and for how long.
#[derive(Debug, Args)]
struct Listening {
    /// The rig: a TOML file in which each sensor's `source` says where it is heard, as
    /// `udp://0.0.0.0:2368`, `tcp://192.168.1.9:10110`, `serial:///dev/ttyUSB0` or `stdin`.
    #[arg(long, value_name = "RIG.toml")]
    rig: PathBuf,
    /// Ends by itself after so many seconds (default: at Ctrl-C).
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    seconds: Option<Duration>,
    /// No sensor is waited for longer than this many seconds, however late it usually is.
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    lateness: Duration,
    /// A dashboard in the terminal: each sensor with its light, rate, losses, clock and queue, latency, pose, disk
    /// and alerts. `q` stops the run.
    #[arg(long)]
    tui: bool,
}

/// What is heard now, and where it is watched.
struct Open {
    live: Live,
    board: Board,
    /// Set when it is to end.
    stop: Arc<AtomicBool>,
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    /// A year.
    const MOST_S: f64 = 3.2e7;
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("found `{text}`, expected seconds"))?;
    match seconds > 0.0 && seconds < MOST_S {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err(format!("found `{text}`, expected seconds above zero")),
    }
}

impl Listening {
    /// Listens from now on; Ctrl-C ends it, and what has come by then is kept.
    fn open(&self) -> anyhow::Result<Open> {
        let stop = stop_on_ctrl_c()?;
        let options = Options {
            lateness: self.lateness,
            length: self.seconds,
            stop: stop.clone(),
            tell: Arc::new(|note: &str| crate::tell(note)),
            ..Options::default()
        };
        let live = Live::open(&self.rig, options).context(Wrong::Arguments)?;
        for heard in live.heard()() {
            crate::tell(&format!("listening for `{}` at {}", heard.name, heard.address));
        }
        let board = Board::of_host(live.rig(), live.edges());
        Ok(Open { live, board, stop })
    }

    /// The dashboard of this command, if it was asked for.
    fn screen(
        &self,
        command: &str,
        files: Vec<PathBuf>,
        board: &Board,
        stop: &Arc<AtomicBool>,
    ) -> anyhow::Result<Option<Screen>> {
        let title = format!("beluga {command} {}", self.rig.display());
        let open = || Screen::open(board.clone(), About { title, files }, stop.clone());
        self.tui.then(open).transpose()
    }

    /// Refuses a dashboard that nobody could see, before anything is made.
    fn check(&self) -> anyhow::Result<()> {
        if self.tui { must_be_a_terminal() } else { Ok(()) }
    }

    fn name(&self) -> String {
        let stem = self.rig.file_stem().unwrap_or_default();
        format!("{}-live", stem.to_string_lossy())
    }
}

/// Fuses what sensors say now into a sealed record.
///
/// Example: beluga live --rig rig.toml --record survey.mcap --out survey.maml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Fuse {
    #[command(flatten)]
    listening: Listening,
    /// Records what is heard as a tape too, which replays to the same frames; must not exist.
    #[arg(long, value_name = "FILE.mcap")]
    record: Option<PathBuf>,
    /// The record to write; must not exist (default: the rig's name in the current folder).
    #[arg(long, value_name = "FILE.maml")]
    out: Option<PathBuf>,
    #[command(flatten)]
    rotating: Rotating,
    #[command(flatten)]
    results: Results,
}

impl Fuse {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        must_be_free(&[
            ("--out", self.out.as_deref()),
            ("--record", self.record.as_deref()),
        ])?;
        self.rotating.check(self.record.is_some())?;
        self.listening.check()?;
        let Open { live, board, stop } = self.listening.open()?;
        let rig = live.rig().clone();
        let (notes, heard) = (live.notes(), live.heard());
        let (watch, hearing) = (Watch::of_host().on(board.clone()), Hearing::of(&live));
        let name = self.listening.name();
        let default = PathBuf::from(format!("{name}.maml"));
        let tape = match self.record {
            None => None,
            Some(path) => Some((path.clone(), self.rotating.new_tape(&path, &rig)?)),
        };
        let source = Source {
            name: &name,
            rig: &rig,
            nameplates: Vec::new(),
            folder: self.listening.rig.parent().unwrap_or(Path::new(".")),
            map: None,
        };
        let opened = self
            .results
            .open(self.out.as_deref(), &default, &source, &watch)?;
        let tape_path = tape.as_ref().map(|(path, _)| path.clone());
        let files = std::iter::once(opened.path.clone()).chain(tape_path).collect();
        let progress = Progress::on(self.listening.screen("live", files, &board, &stop)?);
        let mouth = pipeline::run(River {
            rig,
            inputs: Vec::new(),
            fusion: opened.config.fusion,
            map: None,
            source: Box::new(live.events()),
            watch,
            hearing,
            record: Some((opened.path, opened.record)),
            tape,
            picture: opened.picture,
            score: None,
            control: false,
            // Ctrl-C closes the sensors, and what has come by then flows on to the end.
            stop: Arc::default(),
            progress: progress.frames.clone(),
        })?;
        progress.stop();
        let mut report = mouth.report;
        report.heard = heard();
        report.notes.extend(notes());
        report.notes.extend(opened.notes);
        super::show(json, &report, &report.to_string())?;
        keep_showing(opened.page, &Arc::default());
        Ok(report.exit())
    }
}

/// Records what sensors say now as a tape, and does nothing else.
///
/// Example: beluga record --rig rig.toml --out survey.mcap
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Record {
    #[command(flatten)]
    listening: Listening,
    /// The tape to write; must not exist (default: the rig's name in the current folder).
    #[arg(long, value_name = "FILE.mcap")]
    out: Option<PathBuf>,
    #[command(flatten)]
    rotating: Rotating,
}

/// What a tape has kept.
#[derive(Debug, Serialize)]
struct Kept {
    tape: PathBuf,
    /// Measurements and gaps.
    kept: u64,
    /// Measurements and gaps deleted with the oldest parts.
    deleted: u64,
    /// Payloads lost, as its gaps tell.
    lost: u64,
    heard: Vec<Heard>,
    notes: Vec<String>,
}

impl Record {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        must_be_free(&[("--out", self.out.as_deref())])?;
        self.rotating.check(true)?;
        self.listening.check()?;
        let Open { live, board, stop } = self.listening.open()?;
        let (notes, heard) = (live.notes(), live.heard());
        let default = PathBuf::from(format!("{}.mcap", self.listening.name()));
        let path = self.out.map_or_else(|| free_name(&default), Ok)?;
        let mut tape = self.rotating.new_tape(&path, live.rig())?;
        let screen = (self.listening).screen("record", vec![path.clone()], &board, &stop)?;
        let progress = Progress::on(screen);
        let mut lost = 0_u64;
        let mut measured = vec![0_u64; live.rig().sensors.len()];
        for measurement in live {
            board.take(&measurement);
            match (
                &measurement.payload,
                measured.get_mut(usize::from(measurement.sensor.0)),
            ) {
                (Payload::Gap(gap), _) => lost = lost.saturating_add(gap.lost),
                (Payload::Clock(_), _) => {}
                (_, Some(count)) => *count += 1,
                _ => {}
            }
            tape.push(&measurement)?;
            progress.frames.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        let deleted = tape.deleted();
        let kept = tape.finish()?;
        progress.stop();
        let kept = Kept {
            tape: path,
            kept,
            deleted,
            lost,
            heard: heard(),
            notes: notes(),
        };
        super::show(json, &kept, &kept.words())?;
        let mut fared = kept.heard.iter().zip(&measured);
        let is_lost = |(heard, measured): (&Heard, &u64)| {
            let tally = heard.tally;
            tally.let_go + tally.lost_before > 0 || (tally.heard > 0 && *measured == 0)
        };
        let is_silent = kept.heard.iter().any(|heard| heard.tally.heard == 0);
        Ok(match kept.lost > 0 || fared.any(is_lost) {
            true => Exit::Lost,
            false if is_silent => Exit::Findings,
            false => Exit::Done,
        })
    }
}

impl Kept {
    fn words(&self) -> String {
        let mut lines = vec![format!(
            "tape         {} ({} measurements and gaps)",
            self.tape.display(),
            self.kept
        )];
        if self.deleted > 0 {
            lines.push(format!(
                "deleted      {} of the oldest, as --keep says",
                self.deleted
            ));
        }
        lines.push(format!("lost         {} payloads", self.lost));
        lines.extend(self.heard.iter().map(|heard| format!("heard        {heard}")));
        lines.extend(self.notes.iter().map(|note| format!("note         {note}")));
        // A tape of nothing replays to nothing.
        lines.extend((self.kept > 0).then(|| format!("next         {}", next(&self.tape))));
        lines.join("\n")
    }
}

fn next(tape: &Path) -> String {
    format!("beluga replay {}", tape.display())
}
