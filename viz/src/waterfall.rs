//! Pings side by side over time: as received, after compression, and what was detected.
//!
//! As echo sounders show it: time to the right, the newest at the right edge; range downwards.

use std::collections::VecDeque;

use beluga_types::Echogram;
use re_sdk::{EntityPath, RecordingStream};
use re_sdk_types::archetypes::Points2D;
use re_sdk_types::components::{Color, Radius};

use crate::Error;
use crate::colour::Scale;
use crate::echo::{grey, picture};

/// Pings at most: the picture's width.
const PINGS: usize = 448;
/// Range bins at most: the loudest of each group.
const BINS: usize = 224;
/// The part of all levels taken for noise, and drawn nearly black.
const NOISE: f32 = 0.6;
/// The part of all levels drawn brightest and below.
const LOUD: f32 = 0.985;
/// Values of a bin in which nothing, and something, was detected.
const SILENT: u8 = 12;
const DETECTED: u8 = 235;

/// What a waterfall shows of each ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Raw,
    Compressed,
    Detected,
}

impl Stage {
    /// In the order of the chain.
    pub(crate) const ALL: [Stage; 3] = [Stage::Raw, Stage::Compressed, Stage::Detected];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Stage::Raw => "raw",
            Stage::Compressed => "compressed",
            Stage::Detected => "detected",
        }
    }
}

/// The pings of one sonar and stage.
pub(crate) struct Waterfall {
    stage: Stage,
    scale: Scale,
    /// Newest last; near to far.
    pings: VecDeque<Vec<u8>>,
    reach_m: [f64; 2],
}

impl Waterfall {
    pub(crate) fn new(stage: Stage) -> Self {
        Self {
            stage,
            scale: Scale::new(NOISE, LOUD),
            pings: VecDeque::new(),
            reach_m: [0.0; 2],
        }
    }

    /// Adds a ping; one without what this stage shows is passed over.
    pub(crate) fn ping(&mut self, echo: &Echogram) {
        let levels = match self.stage {
            Stage::Raw => loudest_beam(echo, &echo.raw_db),
            Stage::Compressed => loudest_beam(echo, &echo.compressed_db),
            Stage::Detected => {
                self.push(echo, detections(echo));
                return;
            }
        };
        if levels.is_empty() {
            return;
        }
        self.scale.follow(levels.iter().copied());
        let values = levels.into_iter().map(|level_db| grey(&self.scale, level_db));
        self.push(echo, values.collect());
    }

    fn push(&mut self, echo: &Echogram, values: Vec<u8>) {
        self.pings.push_back(values);
        while self.pings.len() > PINGS {
            self.pings.pop_front();
        }
        let length_m = echo.range_step_m * echo.shape.samples as f64;
        self.reach_m = [echo.first_range_m, echo.first_range_m + length_m];
    }

    /// Draws the pings so far below this entity.
    pub(crate) fn draw(&self, stream: &RecordingStream, entity: &EntityPath) -> Result<(), Error> {
        let Some(bins) = self.pings.back().map(Vec::len).filter(|&bins| bins > 0) else {
            return Ok(());
        };
        let (columns, wide) = (PINGS, width(self.pings.len()));
        let start = columns - self.pings.len() * wide;
        let mut pixels = vec![0; columns * bins];
        // A sonar may change its range setting: pings of before are cut or filled with silence.
        for (at, ping) in self.pings.iter().enumerate() {
            for (bin, &value) in ping.iter().take(bins).enumerate() {
                let left = bin * columns + start + at * wide;
                pixels[left..left + wide].fill(value);
            }
        }
        let entity = entity
            .join(&EntityPath::from("waterfall"))
            .join(&EntityPath::from(self.stage.name()));
        stream.log(entity.clone(), &picture(pixels, columns, bins))?;
        let [near, far] = self.reach_m;
        let marks = [0.08, 0.5, 0.92].map(|part| (part, near + part * (far - near)));
        let ranges = Points2D::new(marks.map(|(part, _)| [26.0, (part * bins as f64) as f32]))
            .with_labels(marks.map(|(_, range_m)| format!("{range_m:.1} m")))
            .with_show_labels(true)
            .with_colors([Color::from_rgb(190, 198, 210)])
            .with_radii([Radius::new_ui_points(0.1)]);
        Ok(stream.log(entity.join(&EntityPath::from("ranges")), &ranges)?)
    }
}

/// Columns of each of so many pings: few pings fill the picture too.
fn width(pings: usize) -> usize {
    (PINGS / pings.max(1)).max(1)
}

/// The loudest beam of a ping over range, in groups of bins; nothing if the levels do not fill it.
fn loudest_beam(echo: &Echogram, levels_db: &[f32]) -> Vec<f32> {
    let samples = echo.shape.samples;
    let filled = echo.shape.channels.checked_mul(samples) == Some(levels_db.len());
    if !filled || levels_db.is_empty() {
        return Vec::new();
    }
    let group = samples.div_ceil(BINS);
    let loudest = |start: usize| {
        let beams = levels_db.chunks_exact(samples);
        let levels = beams.flat_map(|beam| &beam[start..(start + group).min(samples)]);
        levels.copied().fold(f32::NEG_INFINITY, f32::max)
    };
    (0..samples).step_by(group).map(loudest).collect()
}

/// Where anything was detected over range, in the same groups.
fn detections(echo: &Echogram) -> Vec<u8> {
    let group = echo.shape.samples.div_ceil(BINS).max(1);
    let mut values = vec![SILENT; echo.shape.samples.div_ceil(group)];
    for &(_, range_m) in &echo.detected {
        let bin = (f64::from(range_m) - echo.first_range_m) / echo.range_step_m;
        if bin.is_finite()
            && bin >= 0.0
            && let Some(value) = values.get_mut(bin as usize / group)
        {
            *value = DETECTED;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    #[test]
    fn the_loud_bin_is_bright_and_detected() {
        let echo = specimen::echo(0);
        let levels = loudest_beam(&echo, &echo.compressed_db);
        assert_eq!(levels.len(), 100);
        assert_eq!(levels.iter().position(|&level| level == 40.0), Some(60));
        let found = detections(&echo);
        assert_eq!(found.iter().position(|&value| value == DETECTED), Some(60));
        assert_eq!(found.iter().filter(|&&value| value == DETECTED).count(), 1);
    }

    #[test]
    fn a_ping_without_waveform_leaves_no_raw_trace() {
        let mut raw = Waterfall::new(Stage::Raw);
        raw.ping(&specimen::echo(0));
        assert!(raw.pings.is_empty());
    }

    #[test]
    fn few_pings_fill_the_picture() {
        for pings in 1..=PINGS {
            let filled = pings * width(pings);
            assert!(
                filled <= PINGS && 2 * filled > PINGS,
                "{pings} pings fill {filled}"
            );
        }
    }

    #[test]
    fn old_pings_fall_off() {
        let mut waterfall = Waterfall::new(Stage::Compressed);
        for seq in 0..500 {
            waterfall.ping(&specimen::echo(seq));
        }
        assert_eq!(waterfall.pings.len(), PINGS);
    }
}
