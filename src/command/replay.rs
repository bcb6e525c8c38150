//! `beluga replay`: the main job on a recording.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use beluga_ingest::{Error, Event, Pace, Recording, tape};
use clap::Args;

use super::outputs::must_be_free;
use super::run::{Progress, Results, keep_showing, stop_on_ctrl_c};
use crate::audit::Source;
use crate::cockpit::Board;
use crate::cockpit::screen::{About, Screen, must_be_a_terminal};
use crate::earlier::{self, Earlier};
use crate::exit::{Exit, Wrong};
use crate::hearing::Hearing;
use crate::latency::Watch;
use crate::picture::Page;
use crate::pipeline::{self, River};
use crate::report::Report;

/// Fuses a recording into a sealed record.
///
/// Example: beluga replay sample-data/quay --out quay.maml
/// Example: beluga replay next-year --map quay.maml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Replay {
    /// A folder with a rig.toml, a rig file, a tape or bag (.mcap, .db3 or its folder), a Simrad EK80 file (.raw),
    /// a Kongsberg .kmall or .all, an XTF, a stream of an Oculus, an ARIS or Humminbird (.SON) file, a capture of lidars'
    /// packets (.pcap), or PCD, LAS, LAZ or KITTI .bin scans: a file or a folder.
    recording: PathBuf,
    /// The record to write; must not exist (default: the recording's name in the current folder).
    #[arg(long, value_name = "FILE.maml")]
    out: Option<PathBuf>,
    /// `max`, 1 for real time, or N times as fast.
    #[arg(long, default_value = "max")]
    speed: Speed,
    /// Records the timeline as a tape too; must not exist.
    #[arg(long, value_name = "FILE.mcap")]
    tape: Option<PathBuf>,
    /// Puts each ping's magnitudes by beam on the tape once more, for viewers (RawSonarImage); makes
    /// the tape about twice as large.
    #[arg(long, requires = "tape")]
    sonar_images: bool,
    /// Shifts a sensor's clock by so many seconds, on top of what the rig says; once for each sensor.
    #[arg(long, value_name = "SENSOR=SECONDS", allow_hyphen_values = true)]
    clock_offset: Vec<ClockOffset>,
    /// Begins in the map of an earlier survey: its record, opened with this machine's key. Poses are in the
    /// `World` of that record. Without navigation the body is looked for within 10 m of where that survey
    /// began.
    #[arg(long, value_name = "FILE.maml", conflicts_with = "tape")]
    map: Option<PathBuf>,
    /// A dashboard in the terminal: each sensor with its light, rate, losses and clock, latency, pose, disk and
    /// alerts. `q` stops the run.
    #[arg(long)]
    tui: bool,
    #[command(flatten)]
    results: Results,
}

/// A sensor and what is added to its stamps, in nanoseconds.
#[derive(Clone, Debug)]
struct ClockOffset(String, i64);

impl FromStr for ClockOffset {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        /// The longest shift, in seconds: two centuries.
        const MOST_S: f64 = 6.3e9;
        let parsed = text
            .rsplit_once('=')
            .and_then(|(name, s)| Some((name, s.parse::<f64>().ok()?)));
        match parsed {
            Some((name, seconds)) if !name.is_empty() && seconds.abs() <= MOST_S => {
                Ok(ClockOffset(name.to_owned(), (seconds * 1e9).round() as i64))
            }
            _ => Err(format!(
                "found `{text}`, expected a sensor and seconds as `nav=-37`"
            )),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Speed(Pace);

impl FromStr for Speed {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Speed(Pace::Max));
        }
        match text.trim_end_matches(['x', '×']).parse::<f64>() {
            Ok(1.0) => Ok(Speed(Pace::RealTime)),
            Ok(times) if times.is_finite() && times > 0.0 => Ok(Speed(Pace::Times(times))),
            _ => Err(format!("found `{text}`, expected `max` or a number above zero")),
        }
    }
}

/// A replay that is done.
pub(super) struct Replayed {
    pub(super) report: Report,
    page: Option<Page>,
    stop: Arc<AtomicBool>,
}

impl Replayed {
    /// Tells it, and goes on showing if it was shown.
    pub(super) fn tell(self, json: bool) -> anyhow::Result<Exit> {
        super::show(json, &self.report, &self.report.to_string())?;
        keep_showing(self.page, &self.stop);
        Ok(self.report.exit())
    }
}

impl Replay {
    /// As fast as it goes, and nothing beside the results.
    pub(super) fn plain(recording: PathBuf, out: Option<PathBuf>, results: Results) -> Self {
        Self {
            recording,
            out,
            speed: Speed(Pace::Max),
            tape: None,
            sonar_images: false,
            clock_offset: Vec::new(),
            map: None,
            tui: false,
            results,
        }
    }

    /// With clocks shifted by so many nanoseconds.
    pub(super) fn shifted(mut self, shifts: &[(String, i64)]) -> Self {
        let shifts = shifts
            .iter()
            .map(|(name, nanos)| ClockOffset(name.clone(), *nanos));
        self.clock_offset.extend(shifts);
        self
    }

    /// Beginning in the map of an earlier survey.
    pub(super) fn in_map(self, map: Option<PathBuf>) -> Self {
        Self { map, ..self }
    }

    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        self.replayed()?.tell(json)
    }

    /// Fuses the recording.
    ///
    /// # Errors
    /// If the recording, the config or an output is not as it must be.
    pub(super) fn replayed(self) -> anyhow::Result<Replayed> {
        if self.tui {
            must_be_a_terminal()?;
        }
        let shifts: Vec<(String, i64)> = self
            .clock_offset
            .into_iter()
            .map(|ClockOffset(name, nanos)| (name, nanos))
            .collect();
        let recording = open(&self.recording, &shifts).context(Wrong::Arguments)?;
        let timeline = recording.timeline().context(Wrong::Arguments)?;
        let canonical = self
            .recording
            .canonicalize()
            .unwrap_or_else(|_| self.recording.clone());
        let name = canonical
            .file_stem()
            .map_or_else(|| "replay".into(), |stem| stem.to_string_lossy().into_owned());
        let default = PathBuf::from(format!("{name}.maml"));
        must_be_free(&[("--out", self.out.as_deref()), ("--tape", self.tape.as_deref())])?;
        let mut rig = recording.rig().clone();
        let mut earlier = match &self.map {
            Some(record) => Some(Earlier::open(record, &self.results.fusion()?)?),
            None => None,
        };
        if let Some(earlier) = &mut earlier {
            earlier.anchor(&mut rig)?;
        }
        let in_map = earlier.is_some();
        let timeline = timeline.filter(move |measurement| !in_map || earlier::is_used(measurement));
        let board = Board::of_recording(&rig);
        let watch = Watch::of(self.speed.0).on(board.clone());
        let out = self.out.as_deref();
        let source = Source {
            name: &name,
            rig: &rig,
            nameplates: recording.nameplates(),
            folder: recording.folder(),
            map: earlier.as_ref().and_then(|earlier| earlier.id.clone()),
        };
        let opened = self.results.open(out, &default, &source, &watch)?;

        let stop = stop_on_ctrl_c()?;
        let tape = match self.tape {
            None => None,
            Some(path) => {
                let writer = tape::Writer::create(&path, recording.rig()).context(Wrong::Arguments)?;
                let writer = match self.sonar_images {
                    true => writer.with_sonar_images(),
                    false => writer,
                };
                Some((path, writer.into()))
            }
        };

        let about = About {
            title: format!("beluga replay {}", self.recording.display()),
            files: vec![opened.path.clone()],
        };
        let open = || Screen::open(board, about, stop.clone());
        let progress = Progress::on(self.tui.then(open).transpose()?);
        let notes = earlier.as_ref().map(|earlier| earlier.note.clone());
        let mouth = pipeline::run(River {
            rig,
            inputs: recording.inputs(),
            fusion: opened.config.fusion,
            map: earlier.map(|earlier| earlier.map),
            source: Box::new(timeline.map(Event::Measured)),
            watch,
            hearing: Hearing::nothing(),
            record: Some((opened.path, opened.record)),
            tape,
            picture: opened.picture,
            score: None,
            control: false,
            stop: stop.clone(),
            progress: progress.frames.clone(),
        })?;
        progress.stop();

        let mut report = mouth.report;
        report.notes.extend(recording.notes().iter().cloned());
        report.notes.extend(notes);
        report.notes.extend(opened.notes);
        Ok(Replayed {
            report,
            page: opened.page,
            stop,
        })
    }
}

/// Opens a recording with its clocks shifted; if it is a folder of several, says how each plays.
pub(super) fn open(path: &Path, shifts: &[(String, i64)]) -> anyhow::Result<Recording> {
    Recording::open_shifted(path, shifts).map_err(|error| match &error {
        Error::Several { names, path } => {
            let first = names.first().map(|name| path.join(name)).unwrap_or_default();
            let play = format!("name one, for instance `beluga replay {}`", first.display());
            anyhow::Error::from(error).context(play)
        }
        _ => error.into(),
    })
}
