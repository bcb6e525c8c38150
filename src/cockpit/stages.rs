//! How long frames take up to each stage of a run.

use std::collections::VecDeque;
use std::time::Duration;

use beluga_types::StageTime;

use crate::latency::Latency;

/// Frames that are looked back: about ten seconds of a lidar of 20 turns a second.
const MOST: usize = 256;

/// Where time goes. The first three follow each other; the others count from the end of a frame's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// From a payload's end until it was heard.
    Heard,
    /// From there until it had its place among the others.
    Ordered,
    /// From there until its frame was made.
    Fused,
    /// Until the frame was made.
    Made,
    /// Until it was in the record.
    Recorded,
    /// Until it was on its way to the picture.
    Drawn,
}

impl Stage {
    const ALL: [Stage; 6] = [
        Stage::Heard,
        Stage::Ordered,
        Stage::Fused,
        Stage::Made,
        Stage::Recorded,
        Stage::Drawn,
    ];

    const fn name(self) -> &'static str {
        match self {
            Stage::Heard => "heard",
            Stage::Ordered => "ordered",
            Stage::Fused => "fused",
            Stage::Made => "made",
            Stage::Recorded => "in record",
            Stage::Drawn => "in picture",
        }
    }
}

/// The newest times of each stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stages([VecDeque<Duration>; Stage::ALL.len()]);

impl Stages {
    pub(crate) fn take(&mut self, stage: Stage, time: Duration) {
        let newest = &mut self.0[stage as usize];
        if newest.len() == MOST {
            newest.pop_front();
        }
        newest.push_back(time);
    }

    /// What they come to, of stages that frames have passed.
    pub(crate) fn times(&self) -> Vec<StageTime> {
        let stages = Stage::ALL.iter().zip(&self.0);
        let times = stages.filter_map(|(stage, newest)| {
            let latency = Latency::of(newest.iter().copied().collect())?;
            Some(StageTime {
                name: stage.name(),
                p50_ms: latency.p50_ms,
                p99_ms: latency.p99_ms,
            })
        });
        times.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_frames_count() {
        let mut stages = Stages::default();
        assert!(stages.times().is_empty());
        for millis in 1..=1256 {
            stages.take(Stage::Made, Duration::from_millis(millis));
        }
        let [made] = stages.times()[..] else {
            panic!("{stages:?}")
        };
        assert_eq!((made.name, made.p50_ms, made.p99_ms), ("made", 1128.0, 1254.0));
    }
}
