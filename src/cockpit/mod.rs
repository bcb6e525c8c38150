//! What is watched while a run goes on.
//!
//! ```text
//!  timeline ─► Board ◄─ frames, stages        one lock, held for a moment; whoever hears never takes it
//!  edges ────────┴─► look ─► Instruments ─► dashboard at the terminal · panel in the picture
//! ```
//!
//! - `rate`, `tracker`: one sensor as the timeline tells of it; `light`: its light, a pure function;
//! - `stages`: how long frames take; `screen`: the dashboard.

pub(crate) mod light;
mod rate;
pub(crate) mod screen;
mod stages;
mod tracker;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use beluga_types::{
    EdgeState, Instruments, Light, Measurement, PoseSigma, PoseStatus, Rig, SolidarFrame, Stamp,
};

use crate::{clock, told};
use rate::Rate;
pub(crate) use stages::Stage;
use stages::Stages;
use tracker::{Age, Tracker};

/// Seconds of data between two looks that are kept for the picture, and how many wait for it.
const SHOWN_EVERY_S: f64 = 1.0;
const MOST_SHOWN: usize = 8;

/// What is known of a run while it goes on. Clones are the same board.
#[derive(Clone)]
pub(crate) struct Board(Arc<Inner>);

struct Inner {
    time: Time,
    state: Mutex<State>,
}

/// Which time it is.
enum Time {
    /// That of the newest data: a recording.
    Data,
    /// The host's: sensors are heard now.
    Host {
        since: Stamp,
        edges: Box<dyn Fn() -> Vec<EdgeState> + Send + Sync>,
    },
}

struct State {
    sensors: Vec<Tracker>,
    lights: Vec<Light>,
    /// The first and the newest moment of the data.
    data: Option<[Stamp; 2]>,
    stages: Stages,
    frames: Frames,
    rate: Rate,
    /// Looks for the picture, each at the end of a frame.
    shown: VecDeque<Instruments>,
    shown_at: Option<Stamp>,
}

/// What is told of frames.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Frames {
    pub(crate) count: u64,
    /// Frames a second of data.
    pub(crate) rate_hz: Option<f64>,
    /// Seconds of data so far.
    pub(crate) data_s: f64,
    /// How the newest one's pose was found, and how certain it is.
    pub(crate) pose: Option<(PoseStatus, PoseSigma)>,
    /// Points of the newest one, and arcs.
    pub(crate) points: usize,
    pub(crate) arcs: usize,
}

impl Board {
    /// For a recording of this rig.
    pub(crate) fn of_recording(rig: &Rig) -> Self {
        Self::new(rig, Time::Data)
    }

    /// For sensors that are heard now, and how their edges stand.
    pub(crate) fn of_host(rig: &Rig, edges: impl Fn() -> Vec<EdgeState> + Send + Sync + 'static) -> Self {
        let (since, edges) = (clock::now(), Box::new(edges));
        Self::new(rig, Time::Host { since, edges })
    }

    fn new(rig: &Rig, time: Time) -> Self {
        let state = State {
            sensors: rig.sensors.iter().map(Tracker::new).collect(),
            lights: vec![Light::Grey; rig.sensors.len()],
            data: None,
            stages: Stages::default(),
            frames: Frames::default(),
            rate: Rate::default(),
            shown: VecDeque::new(),
            shown_at: None,
        };
        Self(Arc::new(Inner {
            time,
            state: Mutex::new(state),
        }))
    }

    /// Takes what comes on the timeline.
    pub(crate) fn take(&self, measurement: &Measurement) {
        let mut state = self.lock();
        state.pass(measurement.end);
        let now = self.now(&state);
        if let Some(sensor) = state.sensors.get_mut(usize::from(measurement.sensor.0)) {
            sensor.take(measurement, now);
        }
    }

    /// Takes a frame that was just made.
    pub(crate) fn frame(&self, frame: &SolidarFrame) {
        let mut state = self.lock();
        state.pass(frame.window.end);
        state.rate.take(frame.window.end, 1);
        let [first, newest] = state.data.unwrap_or_default();
        state.frames = Frames {
            count: state.frames.count + 1,
            rate_hz: state.rate.now_hz(),
            data_s: newest.seconds_since(first),
            pose: Some((frame.pose_status(), frame.pose_sigma())),
            points: frame.points.len(),
            arcs: frame.arcs.len(),
        };
        let is_due = |at: Stamp| frame.window.end.seconds_since(at).abs() >= SHOWN_EVERY_S;
        if state.shown_at.is_none_or(is_due) {
            state.shown_at = Some(frame.window.end);
            let seen = self.seen(&mut state, frame.window.end);
            if state.shown.len() == MOST_SHOWN {
                state.shown.pop_front();
            }
            state.shown.push_back(seen);
        }
    }

    /// Takes a frame of a record, which tells what each sensor gave to it and lost.
    #[cfg_attr(
        not(feature = "viz"),
        expect(dead_code, reason = "records are only looked at")
    )]
    pub(crate) fn recorded(&self, frame: &SolidarFrame) {
        let mut state = self.lock();
        state.pass(frame.window.end);
        for input in &frame.inputs {
            if let Some(sensor) = state.sensors.get_mut(usize::from(input.sensor.0)) {
                sensor.count(frame.window.end, frame.window.end, input.measurements.into());
            }
        }
        for gap in &frame.gaps {
            if let Some(sensor) = state.sensors.get_mut(usize::from(gap.sensor.0)) {
                sensor.lose(gap.cause, gap.lost, frame.window.end);
            }
        }
        drop(state);
        self.frame(frame);
    }

    /// A frame took so long up to a stage.
    pub(crate) fn took(&self, stage: Stage, time: Duration) {
        self.lock().stages.take(stage, time);
    }

    /// How all stands now.
    pub(crate) fn look(&self) -> Instruments {
        let mut state = self.lock();
        let at = self.now(&state);
        self.seen(&mut state, at)
    }

    /// How all stood at the newest look up to this moment of the data, if it has not been shown yet.
    #[cfg_attr(not(feature = "viz"), expect(dead_code, reason = "nobody draws"))]
    pub(crate) fn shown(&self, until: Stamp) -> Option<Instruments> {
        let mut state = self.lock();
        let mut newest = None;
        while state.shown.front().is_some_and(|seen| seen.at <= until) {
            newest = state.shown.pop_front();
        }
        newest
    }

    /// Whether its sensors are heard now.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.0.time, Time::Host { .. })
    }

    /// What is told of frames.
    pub(crate) fn frames(&self) -> Frames {
        self.lock().frames.clone()
    }

    fn now(&self, state: &State) -> Stamp {
        match self.0.time {
            Time::Data => state.data.unwrap_or_default()[1],
            Time::Host { .. } => clock::now(),
        }
    }

    /// All sensors with their lights; a light that has changed is told.
    fn seen(&self, state: &mut State, data_at: Stamp) -> Instruments {
        let (at, since, age, edges) = match &self.0.time {
            Time::Data => {
                let first = state.data.map_or(data_at, |[first, _]| first);
                (data_at, first, Age::OfData, Vec::new())
            }
            Time::Host { since, edges } => (clock::now(), *since, Age::SinceHeard, edges()),
        };
        let mut sensors = Vec::with_capacity(state.sensors.len());
        let edges = edges.into_iter().map(Some).chain(std::iter::repeat(None));
        for ((sensor, last), edge) in state.sensors.iter_mut().zip(&mut state.lights).zip(edges) {
            let seen = sensor.state(at, since, age, edge);
            let lamp = light::lamp(&seen);
            let is_worse = lamp.light > *last && lamp.light > Light::Grey;
            let is_well = lamp.light == Light::Green && *last > Light::Grey;
            if is_worse || is_well {
                told::light(&format!(
                    "`{}` {}: {}",
                    seen.name,
                    lamp.light.word(),
                    lamp.words()
                ));
            }
            *last = lamp.light;
            sensors.push((seen, lamp));
        }
        Instruments {
            // The picture looks for it by the moment of the data.
            at: data_at,
            sensors,
            stages: state.stages.times(),
        }
    }

    /// Every change is whole before the lock is given back.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pass(&mut self, moment: Stamp) {
        let [_, newest] = self.data.get_or_insert([moment; 2]);
        *newest = moment.max(*newest);
    }
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
