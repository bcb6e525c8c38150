//! The record's own thread: each frame encoded, hashed, sealed; and, beside the frames, what closed
//! loops change about their poses.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use beluga_fusion::graph::{Closed, Loops};
use beluga_sinks::maml::Meta;
use beluga_sinks::{Error, FrameHasher, arrow, maml};
use beluga_types::SolidarFrame;
use serde_json::Value;

use crate::audit::{self, Losses, Why};
use crate::cockpit::Stage;
use crate::corrections;
use crate::hearing::Hearing;
use crate::latency::{Latency, Minute, Watch};
use crate::loops::Search;
use crate::report::{LoopReport, Report};

/// A record, and what looks back on its frames.
pub(crate) struct Keeper {
    pub(crate) record: maml::Writer,
    /// Where the survey meets itself, if that is looked for.
    pub(crate) loops: Option<Loops>,
    /// Set when the run was told to end early.
    pub(crate) stop: Arc<AtomicBool>,
    /// Gives what was read, if anything was, when all of it is hashed.
    pub(crate) inputs: Receiver<Value>,
    pub(crate) watch: Watch,
    /// What sensors say that are heard now.
    pub(crate) hearing: Hearing,
}

/// What the record kept.
pub(crate) struct Kept {
    pub(crate) summary: maml::Summary,
    pub(crate) frame_sha256: String,
    /// Frames beyond what a record takes: lost, and counted.
    pub(crate) too_large: u64,
    /// Whether the disk was full: the record ends there, sealed, and so does the run.
    pub(crate) is_disk_full: bool,
    /// What came of looking for loops.
    pub(crate) closed: Option<Closed>,
    /// From the end of a frame's data until it was in the record.
    pub(crate) latency: Option<Latency>,
    /// The same of each minute of data, where there are several.
    pub(crate) latency_minutes: Vec<Minute>,
}

impl Kept {
    /// What a run reports of its record.
    pub(crate) fn tell(self, path: Option<PathBuf>, report: &mut Report) {
        report.frame_sha256 = Some(self.frame_sha256);
        report.record = path.map(|path| (path, self.summary.bytes));
        report.count_unkept(self.too_large, beluga_sinks::MAX_FRAME_BYTES);
        report.count_disk_full(self.is_disk_full, self.summary.counts.frames);
        report.latency_recorded = self.latency;
        report.latency_minutes = self.latency_minutes;
        report.loops = self.closed.as_ref().map(LoopReport::of);
    }
}

/// Keeps frames until there are no more or the disk is full. A record that is not finished (the program is
/// killed) still opens up to its last checkpoint.
///
/// # Errors
/// If the record cannot be written.
pub(crate) fn keep(keeper: Keeper, frames: Receiver<Arc<SolidarFrame>>) -> anyhow::Result<Kept> {
    let Keeper {
        mut record,
        loops,
        stop,
        inputs,
        watch,
        mut hearing,
    } = keeper;
    let mut search = loops.map(Search::start).transpose()?;
    let mut losses = Losses::default();
    let mut hasher = FrameHasher::new();
    let (mut too_large, mut revision, mut last_nanos) = (0, 0, 0);
    let (mut is_disk_full, mut late, mut failed) = (false, Vec::new(), None);
    for frame in frames {
        let bytes = arrow::encode(&frame)?;
        last_nanos = frame.window.end.nanos();
        match record.push(&bytes, last_nanos) {
            Ok(()) => {
                hasher.update(&bytes);
                let end = frame.window.end;
                late.extend(watch.reached(Stage::Recorded, end).map(|late| (end, late)));
            }
            Err(Error::FrameTooLarge { .. }) => too_large += 1,
            // Who sends frames finds nobody here any more, and stops.
            Err(Error::DiskFull { .. }) => {
                is_disk_full = true;
                break;
            }
            Err(error) => return Err(error.into()),
        }
        is_disk_full |= say(&mut record, losses.count(frame.index, &frame.gaps, last_nanos)?)?;
        is_disk_full |= say(&mut record, hearing.devices(last_nanos)?)?;
        match search.as_mut().map(|search| search.push(frame)) {
            Some(Ok(Some(closed))) => {
                revision += 1;
                is_disk_full |= publish(&mut record, &closed, revision, last_nanos)?;
            }
            // The record goes on without; that the search failed is said when all is safe.
            Some(Err(error)) => (search, failed) = (None, Some(error)),
            Some(Ok(None)) | None => {}
        }
    }
    let found = match search.map(Search::finish) {
        Some(Err(error)) => {
            failed = Some(error);
            None
        }
        found => found.transpose()?,
    };
    if let Some((rest, closed)) = &found {
        let is_told = revision > 0 || !rest.is_empty() || !closed.corrections.is_empty();
        for closed in rest.iter().chain(is_told.then_some(closed)) {
            revision += 1;
            is_disk_full |= publish(&mut record, closed, revision, last_nanos)?;
        }
    }
    let frame_sha256: String = hasher.finish().iter().map(|byte| format!("{byte:02x}")).collect();
    let why = match is_disk_full {
        true => Why::DiskFull,
        false if stop.load(Ordering::Relaxed) => Why::Stopped,
        false => hearing.why(),
    };
    is_disk_full |= say(&mut record, hearing.devices(last_nanos)?)?;
    if let Ok(hashed) = inputs.recv() {
        is_disk_full |= say(&mut record, [audit::inputs(hashed, last_nanos)?])?;
    }
    let ended = losses.ended(why, record.frames(), &frame_sha256, last_nanos)?;
    is_disk_full |= say(&mut record, [ended])?;
    let summary = record.finish()?;
    if let Some(error) = failed {
        return Err(error.context("the record is whole and sealed, without loops"));
    }
    Ok(Kept {
        summary,
        frame_sha256,
        too_large,
        is_disk_full,
        closed: found.map(|(_, closed)| closed),
        latency_minutes: Minute::each(&late),
        latency: Latency::of(late.into_iter().map(|(_, late)| late).collect()),
    })
}

/// Whether the disk was full before all of it was written.
fn publish(record: &mut maml::Writer, closed: &Closed, revision: u64, at_nanos: i64) -> anyhow::Result<bool> {
    say(record, corrections::metas(closed, revision, at_nanos)?)
}

/// Whether the disk was full before all of it was written.
fn say(record: &mut maml::Writer, metas: impl IntoIterator<Item = Meta>) -> anyhow::Result<bool> {
    for meta in metas {
        match record.push_meta(&meta) {
            Err(Error::DiskFull { .. }) => return Ok(true),
            pushed => pushed?,
        }
    }
    Ok(false)
}
