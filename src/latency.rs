//! How late a run is against its data, where it keeps to their time.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use beluga_ingest::Pace;
use beluga_types::Stamp;
use serde::{Deserialize, Serialize};

use crate::cockpit::{Board, Stage};

/// What the time of a run's data is held against. Clones go by the same start.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    against: Against,
    /// When the first measurement came, and up to when it was measured.
    start: Arc<OnceLock<(Instant, Stamp)>>,
    /// Where it is shown while the run goes on.
    board: Option<Board>,
}

/// What data are late against.
#[derive(Clone, Copy, Debug)]
enum Against {
    /// The pace of a recording from its first measurement on.
    Pace(Pace),
    /// The host's clock: sensors are heard now.
    Host,
}

impl Watch {
    /// For a run of this pace.
    pub(crate) fn of(pace: Pace) -> Self {
        Self::against(Against::Pace(pace))
    }

    /// For sensors that are heard now, whose clocks agree with the host's.
    pub(crate) fn of_host() -> Self {
        Self::against(Against::Host)
    }

    fn against(against: Against) -> Self {
        Self {
            against,
            start: Arc::default(),
            board: None,
        }
    }

    /// The same, shown on a board.
    pub(crate) fn on(self, board: Board) -> Self {
        Self {
            board: Some(board),
            ..self
        }
    }

    /// Where the run is shown, if it is.
    pub(crate) fn board(&self) -> Option<&Board> {
        self.board.as_ref()
    }

    /// The pace it is for. What is heard now comes when it comes.
    pub(crate) fn pace(&self) -> Pace {
        match self.against {
            Against::Pace(pace) => pace,
            Against::Host => Pace::Max,
        }
    }

    /// Data per time of the run; nothing where data wait for nobody.
    fn speed(&self) -> Option<f64> {
        match self.against {
            Against::Pace(Pace::Max) => None,
            Against::Pace(Pace::Times(speed)) if speed.is_finite() && speed > 0.0 => Some(speed),
            Against::Pace(Pace::RealTime | Pace::Times(_)) | Against::Host => Some(1.0),
        }
    }

    /// The way to frames, where sensors are heard now.
    pub(crate) fn path(&self) -> Option<Path> {
        matches!(self.against, Against::Host).then(Path::default)
    }

    /// Whether there is such a thing as late.
    #[cfg_attr(not(feature = "viz"), allow(dead_code, reason = "nobody draws"))]
    pub(crate) fn is_paced(&self) -> bool {
        self.speed().is_some()
    }

    /// The first measurement that comes starts it: it came when its data ended.
    pub(crate) fn start(&self, end: Stamp) {
        self.start.get_or_init(|| (Instant::now(), end));
    }

    /// As [`Self::late`], of a frame that comes to this stage now; the board is told.
    pub(crate) fn reached(&self, stage: Stage, end: Stamp) -> Option<Duration> {
        let late = self.late(end, Instant::now())?;
        if let Some(board) = &self.board {
            board.took(stage, late);
        }
        Some(late)
    }

    /// How long before `now` the data up to `end` were complete at this pace; nothing before the
    /// start, or where there is no pace.
    pub(crate) fn late(&self, end: Stamp, now: Instant) -> Option<Duration> {
        if let Against::Host = self.against {
            let late = crate::clock::now().nanos_since(end).max(0);
            return Some(Duration::from_nanos(late.unsigned_abs()));
        }
        let (start, first) = self.start.get()?;
        let complete_s = end.seconds_since(*first) / self.speed()?;
        let passed_s = now.saturating_duration_since(*start).as_secs_f64();
        Duration::try_from_secs_f64((passed_s - complete_s).max(0.0)).ok()
    }
}

/// Latency of a run's frames. Only a paced run has one: without a pace, data wait for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    /// Frames measured.
    pub(crate) frames: u64,
    /// Half of them were made within this time of their last data's moment, in milliseconds.
    pub(crate) p50_ms: f64,
    /// 99 of 100 were.
    pub(crate) p99_ms: f64,
    /// The latest.
    pub(crate) max_ms: f64,
}

impl Latency {
    /// Of frames that were so late; nothing of none.
    pub(crate) fn of(mut late: Vec<Duration>) -> Option<Self> {
        late.sort_unstable();
        let at = |part: f64| {
            let nearest = (part * late.len() as f64).ceil() as usize;
            late.get(nearest.max(1) - 1).map(|late| 1e3 * late.as_secs_f64())
        };
        Some(Self {
            frames: late.len() as u64,
            p50_ms: at(0.5)?,
            p99_ms: at(0.99)?,
            max_ms: at(1.0)?,
        })
    }
}

/// Latency of the frames of one minute.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Minute {
    /// Which, from the first frame on; a minute without frames is not told.
    pub(crate) minute: i64,
    #[serde(flatten)]
    pub(crate) latency: Latency,
}

impl Minute {
    /// Of frames with the ends of their windows, in order; nothing where all are of one minute.
    pub(crate) fn each(late: &[(Stamp, Duration)]) -> Vec<Self> {
        let Some(first) = late.first().map(|(end, _)| *end) else {
            return Vec::new();
        };
        let minute = |end: Stamp| (end.seconds_since(first) / 60.0).floor() as i64;
        let told = late
            .chunk_by(|a, b| minute(a.0) == minute(b.0))
            .filter_map(|chunk| {
                let latency = Latency::of(chunk.iter().map(|(_, late)| *late).collect())?;
                let minute = minute(chunk.first()?.0);
                Some(Self { minute, latency })
            });
        let told: Vec<Self> = told.collect();
        if told.len() > 1 { told } else { Vec::new() }
    }
}

/// Most payloads that wait for their frame; of more the oldest are not timed.
const MOST_WAITING: usize = 4096;

/// The way of what sensors say now to frames, timed by the host's clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Path {
    /// Of payloads without a frame: when they ended, were heard, and were given to fusion.
    waiting: VecDeque<[Stamp; 3]>,
    stages: [Vec<Duration>; 3],
}

/// Where the time of a live run's frames goes: of the last payload of each, one stage after the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stages {
    /// From the payload's end, by its sensor's clock, until its last datagram was heard.
    pub(crate) heard: Latency,
    /// From there until it had its place among the others and fusion took it: sensors wait for each other here, and
    /// in the first seconds all wait.
    pub(crate) ordered: Latency,
    /// From there until its frame was made: a window waits for what ends it.
    pub(crate) fused: Latency,
}

impl Path {
    /// A payload that fusion is given now.
    pub(crate) fn take(&mut self, end: Stamp, received: Stamp, now: Stamp) {
        if self.waiting.len() == MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back([end, received, now]);
    }

    /// A frame up to this moment that is made now; how long its last payload took from stage to stage.
    pub(crate) fn made(&mut self, until: Stamp, now: Stamp) -> Option<[Duration; 3]> {
        let mut last = None;
        while self.waiting.front().is_some_and(|[end, ..]| *end <= until) {
            last = self.waiting.pop_front();
        }
        let [end, received, taken] = last?;
        let times = [(end, received), (received, taken), (taken, now)]
            .map(|(from, to)| Duration::from_nanos(to.nanos_since(from).max(0).unsigned_abs()));
        for (stage, time) in self.stages.iter_mut().zip(times) {
            stage.push(time);
        }
        Some(times)
    }

    /// What it came to; nothing without a frame.
    pub(crate) fn stages(&mut self) -> Option<Stages> {
        let [heard, ordered, fused] = std::mem::take(&mut self.stages);
        Some(Stages {
            heard: Latency::of(heard)?,
            ordered: Latency::of(ordered)?,
            fused: Latency::of(fused)?,
        })
    }
}

impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = |name: &str, latency: &Latency| {
            format!(
                "{name} {:.0}, {:.0}, {:.0}",
                latency.p50_ms, latency.p99_ms, latency.max_ms
            )
        };
        write!(
            f,
            "{}; {}; {} ms (half, 99 %, the latest)",
            stage("heard", &self.heard),
            stage("ordered", &self.ordered),
            stage("fused", &self.fused)
        )
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "half of {} frames within {:.0} ms of their last data, 99 % within {:.0} ms, the latest {:.0} ms",
            self.frames, self.p50_ms, self.p99_ms, self.max_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Stamp {
        Stamp::from_nanos(second * 1_000_000_000)
    }

    /// Two payloads of one frame, 10 ms from end to ear, 5 ms on to fusion; the frame 20 ms after the last.
    #[test]
    fn each_stage_is_that_of_a_frames_last_payload() {
        let at = |millis: i64| Stamp::from_nanos(millis * 1_000_000);
        let mut path = Path::default();
        assert_eq!(path.stages(), None);
        for end in [40, 100, 101] {
            path.take(at(end), at(end + 10), at(end + 15));
        }
        let times = path.made(at(100), at(135)).unwrap();
        assert_eq!(times, [10, 5, 20].map(Duration::from_millis));
        assert_eq!(path.made(at(100), at(999)), None, "nothing of it is left");
        path.made(at(200), at(100));
        let found = path.stages().unwrap();
        assert_eq!(
            (found.heard.frames, found.heard.p50_ms, found.heard.max_ms),
            (2, 10.0, 10.0)
        );
        assert_eq!((found.ordered.p50_ms, found.ordered.max_ms), (5.0, 5.0));
        assert_eq!(
            (found.fused.p50_ms, found.fused.max_ms),
            (0.0, 20.0),
            "never before it came"
        );
        for end in 0..10_000 {
            path.take(at(end), at(end), at(end));
        }
        assert_eq!(path.waiting.len(), MOST_WAITING);
    }

    #[test]
    fn late_is_against_the_pace() {
        for (pace, expected_s) in [
            (Pace::RealTime, Some(3)),
            (Pace::Times(2.0), Some(8)),
            (Pace::Times(f64::NAN), Some(3)),
            (Pace::Max, None),
        ] {
            let watch = Watch::of(pace);
            assert_eq!(watch.is_paced(), expected_s.is_some());
            assert_eq!(watch.late(second(0), Instant::now()), None, "not started");
            watch.clone().start(second(100));
            watch.start(second(900));
            let (start, first) = watch.start.get().copied().unwrap();
            assert_eq!(first, second(100), "started once");
            let now = start + Duration::from_secs(13);
            assert_eq!(
                watch.late(second(110), now),
                expected_s.map(Duration::from_secs),
                "{pace:?}"
            );
            let early = watch.late(second(10_000), now);
            assert_eq!(early, expected_s.map(|_| Duration::ZERO));
        }
    }

    #[test]
    fn of_a_hundred_frames_the_fiftieth_and_the_last_but_one_are_named() {
        let late = (1..=100).rev().map(Duration::from_millis);
        let latency = Latency::of(late.collect()).unwrap();
        let expected = Latency {
            frames: 100,
            p50_ms: 50.0,
            p99_ms: 99.0,
            max_ms: 100.0,
        };
        assert_eq!(latency, expected);
        assert_eq!(Latency::of(Vec::new()), None);
    }

    /// Two frames in the first minute, one in the third.
    #[test]
    fn minutes_are_told_from_the_first_frame_on() {
        let late = [(100, 5), (159, 7), (220, 9)].map(|(s, ms)| (second(s), Duration::from_millis(ms)));
        let told = Minute::each(&late);
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.minute, one.latency.frames, one.latency.max_ms))
            .collect();
        assert_eq!(told, [(0, 2, 7.0), (2, 1, 9.0)]);
        assert!(
            Minute::each(&late[..2]).is_empty(),
            "of one minute the whole is told"
        );
        assert!(Minute::each(&[]).is_empty());
    }
}
