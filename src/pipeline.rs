//! THE PAGE: every stage, queue and thread of a run.
//!
//! ```text
//!  source ─► play (waits) ─► [timeline] ─► fuse ─┬─► [frames] ─► record   waits; keeps what closed loops change, looked for beside it (loops)
//!                                                ├─► [frames] ─► score    waits
//!                                                ├─► [newest] ─► picture  left out when busy, counted
//!                                                ├─► [lidar]  ─► control  waits; lidar alone, nav withheld
//!                                                └─► [timeline] ─► tape   waits
//!  files  ─► inputs (hashes them) ─► [one answer] ─► record, at its end; and a record of core-512 has threads that seal (sinks)
//! ```
//!
//! All queues are bounded and made here, but for what a branch keeps for itself. Stopping is a channel end that is dropped: what stands in
//! the queues drains, and every file is finished.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use anyhow::{Context, anyhow};
use beluga_fusion::{Fuser, SavedMap, graph::Loops};
use beluga_ingest::{Event, Input, tape};
use beluga_sim::Scorer;
use beluga_sinks::maml;
use beluga_types::{Measurement, Rig, SolidarFrame};

use crate::control::{Control, Withheld};
use crate::hearing::Hearing;
use crate::inputs::hashed;
use crate::keep::{Keeper, keep};
use crate::latency::Watch;
use crate::picture::{Look, Picture};
use crate::report::Report;

/// Measurements between ingest and fusion: a second or two of a busy rig.
const TIMELINE_QUEUE: usize = 256;
/// Frames between fusion and what keeps them.
const FRAME_QUEUE: usize = 16;

/// What a run is made of.
pub(crate) struct River<'a> {
    pub(crate) rig: Rig,
    /// What the source is read from, to be hashed for the record.
    pub(crate) inputs: Vec<Input>,
    pub(crate) fusion: beluga_fusion::Config,
    /// A map of an earlier survey to begin in.
    pub(crate) map: Option<SavedMap>,
    /// Measurements in timeline order, and what is known to have passed.
    pub(crate) source: Box<dyn Iterator<Item = Event> + Send + 'a>,
    /// What holds the source to its pace.
    pub(crate) watch: Watch,
    pub(crate) hearing: Hearing,
    /// The record and where it lies.
    pub(crate) record: Option<(PathBuf, maml::Writer)>,
    /// The timeline once more, as a tape, and where it lies.
    pub(crate) tape: Option<(PathBuf, tape::Parts)>,
    pub(crate) picture: Option<Picture>,
    pub(crate) score: Option<Scorer>,
    /// Whether to fuse the lidar once more with navigation withheld.
    pub(crate) control: bool,
    /// Set when the run should end early and keep what it has.
    pub(crate) stop: Arc<AtomicBool>,
    /// Frames made so far, for a progress bar.
    pub(crate) progress: Arc<AtomicU64>,
}

/// What a run leaves behind.
pub(crate) struct Mouth {
    pub(crate) report: Report,
    pub(crate) score: Option<beluga_sim::Score>,
    pub(crate) withheld: Option<Withheld>,
}

/// Lets the river run to its end.
///
/// # Errors
/// If the fuser refuses its config or rig, or a sink fails; what was kept until then is finished.
pub(crate) fn run(river: River<'_>) -> anyhow::Result<Mouth> {
    let started = Instant::now();
    let River {
        rig,
        inputs,
        fusion,
        map,
        source,
        watch,
        hearing,
        record,
        tape,
        picture,
        score,
        control,
        stop,
        progress,
    } = river;
    let (hashes_end, hashes) = sync_channel(1);
    let ((record_path, record), (tape_path, tape)) = (record.unzip(), tape.unzip());
    let record = record.map(|record| Keeper {
        record,
        // In a saved map places are known by that map.
        loops: map.is_none().then(|| Loops::new(&fusion, &rig)).flatten(),
        stop: stop.clone(),
        inputs: hashes,
        watch: watch.clone(),
        hearing,
    });
    let fuser = match map {
        Some(map) => Fuser::in_map(fusion.clone(), rig.clone(), map)?,
        None => Fuser::new(fusion.clone(), rig.clone())?,
    };
    let control = control.then(|| Control::new(&fusion, &rig)).transpose()?;

    thread::scope(|scope| {
        let (timeline_end, timeline) = sync_channel::<Event>(TIMELINE_QUEUE);
        let (to_record, record) = branch(scope, "record", FRAME_QUEUE, record, keep)?;
        let (to_score, score) = branch(scope, "score", FRAME_QUEUE, score, judge)?;
        let (to_picture, picture) = branch(scope, "picture", FRAME_QUEUE, picture, Picture::draw)?;
        let (to_control, control) = branch(scope, "control", TIMELINE_QUEUE, control, Control::run)?;
        let (to_tape, tape) = branch(scope, "tape", TIMELINE_QUEUE, tape, wind)?;

        let (pace, playing, stopped) = (watch.pace(), stop.clone(), stop.clone());
        let play = named(scope, "play", move || {
            beluga_ingest::play(source, pace, timeline_end, playing)
        })?;
        let outlets = Outlets {
            to_record,
            to_score,
            to_picture,
            to_control,
            to_tape,
            stop,
            progress,
        };
        let report = Report::on(&rig, watch);
        let fuse = named(scope, "fuse", move || fuse(fuser, timeline, report, outlets))?;

        let until = stopped.clone();
        // Where there is no record, nobody takes them.
        let hash = named(scope, "inputs", move || {
            hashed(&inputs, &until).map(|hashed| hashes_end.send(hashed).ok())
        })?;

        // Every stage ends when the one before it drops its channel end.
        let mut report = joined(fuse)?;
        joined(play)?.context("the system gives no timer to play by")?;
        let kept = record.map(joined).transpose()?.transpose()?;
        let score = score.map(joined).transpose()?;
        joined(hash)?;
        if let Some(drawn) = picture.map(joined).transpose()? {
            report.picture = Some((drawn?, report.frames_not_drawn));
        }
        let withheld = control.map(joined).transpose()?;
        let taped = tape.map(joined).transpose()?.transpose()?;
        report.tape = tape_path.zip(taped);
        report.wall_s = started.elapsed().as_secs_f64();
        report.stopped_early = stopped.load(Ordering::Relaxed);
        if let Some(kept) = kept {
            kept.tell(record_path, &mut report);
        }
        Ok(Mouth {
            report,
            score,
            withheld,
        })
    })
}

/// Where fusion's thread sends what it makes. Dropping it ends all branches.
struct Outlets {
    to_record: Option<SyncSender<Arc<SolidarFrame>>>,
    to_score: Option<SyncSender<Arc<SolidarFrame>>>,
    to_picture: Option<SyncSender<Look>>,
    to_control: Option<SyncSender<Measurement>>,
    to_tape: Option<SyncSender<Measurement>>,
    stop: Arc<AtomicBool>,
    progress: Arc<AtomicU64>,
}

/// Fusion's own thread: measurement in, frames out, everything counted.
fn fuse(mut fuser: Fuser, timeline: Receiver<Event>, mut report: Report, outlets: Outlets) -> Report {
    let pour = |report: &mut Report, frames: Vec<SolidarFrame>| {
        for frame in frames {
            report.count_frame(&frame);
            outlets.progress.fetch_add(1, Ordering::Relaxed);
            let frame = Arc::new(frame);
            offer(
                &outlets.to_picture,
                Look::Frame(frame.clone()),
                &mut report.frames_not_drawn,
            );
            wait(&outlets.to_score, frame.clone(), &outlets.stop);
            wait(&outlets.to_record, frame, &outlets.stop);
        }
    };
    for event in timeline {
        let frames = match event {
            Event::Measured(measurement) => {
                report.count(&measurement);
                wait(&outlets.to_control, measurement.clone(), &outlets.stop);
                wait(&outlets.to_tape, measurement.clone(), &outlets.stop);
                fuser.push(measurement)
            }
            Event::Passed(moment) => fuser.pass(moment),
        };
        pour(&mut report, frames);
        for echo in fuser.take_echoes() {
            offer(
                &outlets.to_picture,
                Look::Echo(echo),
                &mut report.echoes_not_drawn,
            );
        }
    }
    let last = fuser.finish();
    pour(&mut report, last);
    report.notes = fuser.notes();
    report.not_found = fuser.not_found().map(str::to_owned);
    report.count_unusable(fuser.unusable_pings());
    report.sum_up();
    report
}

/// The tape's own thread. A tape that is not finished still opens to its last whole chunk.
fn wind(mut tape: tape::Parts, timeline: Receiver<Measurement>) -> anyhow::Result<u64> {
    for measurement in timeline {
        tape.push(&measurement)?;
    }
    Ok(tape.finish()?)
}

/// The score's own thread.
fn judge(mut scorer: Scorer, frames: Receiver<Arc<SolidarFrame>>) -> beluga_sim::Score {
    for frame in frames {
        scorer.add(&frame);
    }
    scorer.finish()
}

/// Sends and waits. An end that is gone has failed: the river stops, and joining that branch says why.
fn wait<T>(to: &Option<SyncSender<T>>, item: T, stop: &AtomicBool) {
    if let Some(to) = to
        && to.send(item).is_err()
    {
        stop.store(true, Ordering::Relaxed);
    }
}

/// Sends if there is room, else counts.
fn offer<T>(to: &Option<SyncSender<T>>, item: T, left_out: &mut u64) {
    if let Some(to) = to
        && let Err(TrySendError::Full(_)) = to.try_send(item)
    {
        *left_out += 1;
    }
}

type Joined<'scope, R> = ScopedJoinHandle<'scope, R>;
/// The way into a branch, and its thread, if there is one.
type Branch<'scope, T, R> = (Option<SyncSender<T>>, Option<Joined<'scope, R>>);

/// A queue with a thread behind it, if there is something to do there.
fn branch<'scope, W, T, R>(
    scope: &'scope thread::Scope<'scope, '_>,
    name: &str,
    bound: usize,
    worker: Option<W>,
    work: impl FnOnce(W, Receiver<T>) -> R + Send + 'scope,
) -> anyhow::Result<Branch<'scope, T, R>>
where
    W: Send + 'scope,
    T: Send + 'scope,
    R: Send + 'scope,
{
    let Some(worker) = worker else {
        return Ok((None, None));
    };
    let (sender, receiver) = sync_channel(bound);
    let handle = named(scope, name, move || work(worker, receiver))?;
    Ok((Some(sender), Some(handle)))
}

fn named<'scope, R: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> R + Send + 'scope,
) -> anyhow::Result<Joined<'scope, R>> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn_scoped(scope, work)
        .with_context(|| format!("cannot start the thread `{name}`"))
}

fn joined<R>(handle: Joined<'_, R>) -> anyhow::Result<R> {
    let name = handle.thread().name().unwrap_or("unnamed").to_owned();
    handle
        .join()
        .map_err(|_| anyhow!("the thread `{name}` failed; please report this"))
}
