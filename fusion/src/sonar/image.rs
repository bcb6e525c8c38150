//! Images of imaging sonars: what stands out of its own neighbourhood along each beam.
//!
//! The multipliers of the CFAR detectors hold for cells of exponential power. An image holds amplitudes,
//! often through a gamma or a logarithm, in as few as eight bits: no false-alarm rate can be stated for
//! it. So the noise is taken as it is found beside the cell (its median, and how far above that a sixth of
//! it lies), and how far an echo must stand above was chosen by counting: see
//! `false_alarms_are_as_counted` and `ingest/IMAGING_SONAR.md`.

use beluga_types::elementary::powf;
use beluga_types::{SonarImage, StrengthUnit};
use rayon::prelude::*;

use super::chain::{LISTENING, MOST_BEAMS, refusal};
use super::config::SonarConfig;
use super::echo::{BeamAxes, Echo, PingEchoes, Spread, two_way_width_rad};
use super::picture;
use super::profile::{Seen, Stretch};

/// Cells on either side that speak for the noise.
const TRAINING: usize = 32;
/// Cells on either side that do not: the echo's own.
const GUARD: usize = 4;
/// Where in the sorted training cells the noise's upper deviation lies: at one Gaussian sigma, 84.1 %.
const UPPER: usize = TRAINING * 841 / 1000;
/// An echo stands so many upper deviations above the median of the quieter side: in amplitudes, and in decibels.
/// Counted, not derived: of speckle alone, one cell in ten thousand does.
const DEVIATIONS: [f32; 2] = [8.0, 5.0];
/// And at least this share of the way from the image's median to its strongest cell. Empirical.
const SHARE_OF_STRONGEST: f32 = 0.1;
/// Beams of one parallel chunk; fixed, so that the work is cut the same for any number of threads.
const CHUNK: usize = 8;

/// What is said of detections in images, once in a run.
const EMPIRICAL: &str = "an image of echo strengths, no waveform: what is detected stands out of its neighbourhood by an \
                         empirical measure, and no false-alarm rate can be stated";

/// Echoes of an image: per beam, where strength rises out of what is beside it.
///
/// The fan is narrow across and wide along its elevation, which nothing resolves: echoes are arcs over
/// it, at the edge where the first rise is half done. The level is the device's own number.
pub(crate) fn detect(ping: &SonarImage, config: &SonarConfig, sound_speed_m_per_s: f64) -> PingEchoes {
    if !(ping.interval_s.is_finite() && ping.interval_s > 0.0 && ping.first_s.is_finite()) {
        return refusal(format!(
            "image has {} s between its cells, expected a finite number above zero",
            ping.interval_s
        ));
    }
    let (beams, cells) = (ping.shape().channels, ping.shape().samples);
    if beams == 0 || beams > MOST_BEAMS {
        return refusal(format!("image has {beams} beams, expected 1 to {MOST_BEAMS}"));
    }
    let mut strengths = Vec::with_capacity(beams * cells);
    let mut row = Vec::new();
    for beam in 0..beams {
        ping.read_row(beam, &mut row);
        strengths.extend_from_slice(&row);
    }
    let start = (2.0 * ping.blanking_m / sound_speed_m_per_s - ping.first_s) / ping.interval_s;
    let start = (start.ceil().max(0.0) as usize).min(cells);
    let bar = Bar {
        deviations: match ping.unit {
            StrengthUnit::Amplitude => DEVIATIONS[0],
            StrengthUnit::Decibel => DEVIATIONS[1],
        },
        least: least_contrast(&strengths, ping.scale),
    };
    let chunks: Vec<Vec<Echo>> = match ping.transmitted && cells > 0 {
        true => strengths
            .par_chunks(CHUNK * cells)
            .enumerate()
            .map(|(chunk, rows)| {
                let of_row = |(within, row): (usize, &[f32])| {
                    echoes_of(ping, config, chunk * CHUNK + within, row, start, &bar)
                };
                rows.chunks(cells).enumerate().flat_map(of_row).collect()
            })
            .collect(),
        false => Vec::new(),
    };
    let echoes: Vec<Echo> = chunks.into_iter().flatten().collect();
    let echogram = (config.keep_echoes && cells > 0).then(|| {
        let axis = picture::Axis {
            first_s: ping.first_s,
            interval_s: ping.interval_s,
            sound_speed_m_per_s,
        };
        let power_of = |&value: &f32| match ping.unit {
            StrengthUnit::Amplitude => value * value,
            StrengthUnit::Decibel => powf(10.0, 0.1 * f64::from(value)) as f32,
        };
        let power: Vec<f32> = strengths.iter().map(power_of).collect();
        let mut echogram = picture::of_rows(&[], &power, beams, &axis, &echoes);
        echogram.across_rad = ping.beams().iter().map(|beam| beam.across_rad()).collect();
        echogram
    });
    PingEchoes {
        echoes,
        echogram,
        notes: vec![match ping.transmitted {
            true => EMPIRICAL.to_owned(),
            false => LISTENING.to_owned(),
        }],
        ..PingEchoes::default()
    }
}

/// The least by which an echo stands above its noise: a share of the image's own span, and one count,
/// since noise that is all the same number has no deviation.
fn least_contrast(strengths: &[f32], scale: f32) -> f32 {
    let Some(strongest) = strengths.iter().copied().max_by(f32::total_cmp) else {
        return scale;
    };
    let mut sorted = strengths.to_vec();
    let middle = sorted.len() / 2;
    let median = *sorted.select_nth_unstable_by(middle, f32::total_cmp).1;
    (SHARE_OF_STRONGEST * (strongest - median)).max(scale)
}

fn echoes_of(
    ping: &SonarImage,
    config: &SonarConfig,
    beam: usize,
    row: &[f32],
    start: usize,
    bar: &Bar,
) -> Vec<Echo> {
    let looks = &ping.beams()[beam];
    let axes = BeamAxes::of(looks.direction.vector());
    let width = two_way_width_rad(looks);
    let spread = Spread::of(&axes, width, config.arc_beyond_deg.to_radians());
    let mut stretches = stretches(row, start, bar);
    stretches.sort_by(|a, b| {
        let contrast = |stretch: &Stretch| stretch.top - stretch.floor;
        contrast(b).total_cmp(&contrast(a)).then(a.start.cmp(&b.start))
    });
    stretches.truncate(config.max_detections_per_beam);
    stretches.sort_by_key(|stretch| stretch.start);
    if stretches.is_empty() {
        return Vec::new();
    }
    let strength: Vec<f64> = row.iter().map(|&value| f64::from(value)).collect();
    let seen = Seen { axes, width, spread };
    let times = (ping.first_s, ping.interval_s);
    stretches
        .iter()
        .map(|stretch| stretch.echo(&strength, beam as u32, times, &seen))
        .filter(|echo| echo.two_way_time_s > 0.0)
        .collect()
}

/// How far an echo must stand above its noise.
#[derive(Clone, Copy, Debug)]
struct Bar {
    /// In upper deviations.
    deviations: f32,
    /// And in strengths.
    least: f32,
}

/// The noise of one stretch of training cells: its median, and how far above that its upper deviation lies.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Level {
    floor: f32,
    deviation: f32,
}

impl Level {
    /// What a cell must exceed.
    fn threshold(&self, bar: &Bar) -> f32 {
        self.floor + (bar.deviations * self.deviation).max(bar.least)
    }
}

/// The levels of all stretches of training cells of a row, by their first cell: one sorted window that
/// moves along. None if the row is shorter than one.
fn levels(row: &[f32]) -> Vec<Level> {
    let Some(first) = row.get(..TRAINING) else {
        return Vec::new();
    };
    let mut window = first.to_vec();
    window.sort_by(f32::total_cmp);
    let level = |window: &[f32]| {
        let floor = 0.5 * (window[TRAINING / 2 - 1] + window[TRAINING / 2]);
        Level {
            floor,
            deviation: window[UPPER] - floor,
        }
    };
    let mut levels = vec![level(&window)];
    for (leaves, comes) in row.iter().zip(&row[TRAINING..]) {
        let gone = window.partition_point(|value| value.total_cmp(leaves).is_lt());
        window.remove(gone);
        let place = window.partition_point(|value| value.total_cmp(comes).is_lt());
        window.insert(place, *comes);
        levels.push(level(&window));
    }
    levels
}

/// The quieter of the levels beside a cell; nothing where neither side has cells enough.
fn beside(levels: &[Level], cell: usize, bar: &Bar) -> Option<Level> {
    let before = cell
        .checked_sub(GUARD + TRAINING)
        .and_then(|first| levels.get(first));
    let after = levels.get(cell + GUARD + 1);
    let quieter = |one: Level, other: Level| match one.threshold(bar) <= other.threshold(bar) {
        true => one,
        false => other,
    };
    match (before.copied(), after.copied()) {
        (Some(before), Some(after)) => Some(quieter(before, after)),
        (one, other) => one.or(other),
    }
}

/// Stretches of a row that stand out of what is beside them, behind the blanking, joined over one cell.
fn stretches(row: &[f32], start: usize, bar: &Bar) -> Vec<Stretch> {
    let levels = levels(row);
    let mut found: Vec<Stretch> = Vec::new();
    for (cell, &value) in row.iter().enumerate().skip(start) {
        let Some(level) = beside(&levels, cell, bar).filter(|level| value > level.threshold(bar)) else {
            continue;
        };
        match found.last_mut() {
            Some(last) if cell - last.end <= 1 => {
                last.end = cell + 1;
                last.top = last.top.max(f64::from(value));
            }
            _ => found.push(Stretch {
                start: cell,
                end: cell + 1,
                top: f64::from(value),
                floor: f64::from(level.floor),
            }),
        }
    }
    // What begins with the first cell is the end of the device's own ringing.
    found.retain(|stretch| stretch.start > start);
    found
}

#[cfg(test)]
mod tests;
