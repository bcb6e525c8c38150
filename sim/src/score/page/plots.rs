//! Error over time, histograms, the seam's profile.

use beluga_types::{Medium, Stamp};

use super::draw::Chart;
use crate::score::bed::{Bed, BedCell};
use crate::score::face::{Face, FaceCell};
use crate::score::interval::NORMAL_95;
use crate::score::surfaces::Surfaces;
use crate::score::visible::Visible;
use crate::score::{Pair, Score};

pub(super) const AIR: &str = "#d07a1e";
pub(super) const WATER: &str = "#1f6fb2";
const FORWARD: &str = "#1f6fb2";
const PORT: &str = "#d07a1e";
const UP: &str = "#2a8c6a";
const STATED: &str = "#8a99a8";
/// Width of a bin of a histogram, in metres.
const BIN_M: f64 = 0.005;
/// Points of a line, at most.
const LINE: usize = 700;

/// What the page draws beyond the numbers of the score.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::score) struct Plots {
    /// Seconds since the first pose; error forward, to port and up, and the stated sigma of each (metres).
    track: Vec<[f64; 7]>,
    histograms: [Vec<u64>; 2],
    pub(super) face: Vec<FaceCell>,
    /// Cells of the face that could be seen and have no point.
    pub(super) gaps: Vec<[i32; 2]>,
    pub(super) bed: Vec<BedCell>,
}

impl Plots {
    pub(in crate::score) fn new(
        pairs: &[(Pair, [f64; 3])],
        surfaces: &Surfaces,
        face: &Face,
        visible: &[Visible; 2],
        bed: &Bed,
    ) -> Self {
        let start = pairs.first().map_or(Stamp::from_nanos(0), |(pair, _)| pair.stamp);
        let step = pairs.len().div_ceil(LINE).max(1);
        let track = pairs.iter().step_by(step).map(|(pair, stated_m)| {
            let error = pair.truth.perturbation_to(&pair.found);
            let seconds = pair.stamp.seconds_since(start);
            let [forward, port, up] = *stated_m;
            [seconds, error[3], error[4], error[5], forward, port, up]
        });
        Self {
            track: track.collect(),
            histograms: Medium::ALL.map(|medium| surfaces.shape(medium, BIN_M)),
            face: face.cells().collect(),
            gaps: face.gaps(visible.iter().flat_map(Visible::gaps)),
            bed: bed.cells().collect(),
        }
    }
}

/// Position error along each of the body's axes over time, in the band of its stated 95 %.
pub(super) fn track(score: &Score) -> String {
    let track = &score.plots.track;
    let (Some(last), true) = (track.last(), track.len() > 1) else {
        return "<p class=\"quiet\">Too few poses lie in the time of the truth for a plot.</p>".to_owned();
    };
    let largest = |columns: std::ops::Range<usize>| {
        let of = track.iter().flat_map(|row| row[columns.clone()].to_vec());
        of.map(f64::abs).fold(0.0, f64::max)
    };
    // A stated error that is far too large does not flatten the plot.
    let (error, stated) = (largest(1..4), NORMAL_95 * largest(4..7));
    let most = 110.0 * error.max(stated.min(3.0 * error)).max(0.001);
    let mut html = String::new();
    for (axis, name, colour) in [(0, "forward", FORWARD), (1, "to port", PORT), (2, "up", UP)] {
        let height = if axis == 2 { 160.0 } else { 142.0 };
        let below = if axis == 2 { "seconds" } else { "" };
        let names = [below, "error, cm"];
        let mut chart = Chart::new([1000.0, height], [0.0, last[0]], [-most, most], names);
        let edge = |sign: f64| {
            let at = move |row: &[f64; 7]| {
                let stated = 100.0 * sign * NORMAL_95 * row[4 + axis];
                [row[0], stated.clamp(-most, most)]
            };
            track.iter().map(at).collect::<Vec<[f64; 2]>>()
        };
        chart.band(&edge(1.0), &edge(-1.0), STATED);
        chart.line(&[[0.0, 0.0], [last[0], 0.0]], STATED, "");
        let line: Vec<[f64; 2]> = track.iter().map(|row| [row[0], 100.0 * row[1 + axis]]).collect();
        chart.line(&line, colour, "");
        chart.key(&[(colour, name), (STATED, "stated 95 %")]);
        html.push_str(&chart.finish());
    }
    html
}

/// How the distances from the true surface are spread, for each medium by itself.
pub(super) fn histograms(score: &Score) -> String {
    let totals = [0, 1].map(|side: usize| {
        score
            .plots
            .histograms
            .get(side)
            .map_or(0, |bins| bins.iter().sum::<u64>())
    });
    let part = |side: usize, bin: usize| {
        score.plots.histograms[side][bin] as f64 / totals[side].max(1) as f64 * 100.0
    };
    if totals == [0, 0] {
        return "<p class=\"quiet\">No point lies near a true surface.</p>".to_owned();
    }
    let bins = score.plots.histograms[0].len();
    let most = (0..2).flat_map(|side| (0..bins).map(move |bin| (side, bin)));
    let most = most.map(|(side, bin)| part(side, bin)).fold(0.0, f64::max);
    let names = [
        "distance from the true surface, cm (positive is in front of it)",
        "% of points",
    ];
    let mut chart = Chart::new([1000.0, 230.0], [-25.0, 25.0], [0.0, 1.08 * most], names);
    for (side, colour) in [(0, AIR), (1, WATER)] {
        for bin in (0..bins).filter(|bin| part(side, *bin) > 0.0) {
            let left = 100.0 * BIN_M * bin as f64 - 25.0;
            chart.cell([left, 0.0], [left + 100.0 * BIN_M, part(side, bin)], colour, 0.55);
        }
    }
    chart.key(&[(AIR, "air"), (WATER, "water")]);
    chart.finish()
}

/// The wall's distance from the truth by height, through the waterline.
pub(super) fn seam(score: &Score) -> String {
    let Some(seam) = score.seam.value() else {
        return String::new();
    };
    let heights = seam.profile.iter().map(|row| row[0]);
    let low = heights.clone().fold(-1.0, f64::min) - 0.25;
    let high = heights.fold(1.0, f64::max) + 0.25;
    let most = 1.15 * seam.profile.iter().map(|row| row[1].abs()).fold(4.0, f64::max);
    let names = ["height above the still water, m", "off the true wall, mm"];
    let mut chart = Chart::new([1000.0, 240.0], [low, high], [-most, most], names);
    chart.line(&[[low, 0.0], [high, 0.0]], STATED, "");
    chart.line(&[[0.0, -most], [0.0, most]], WATER, "3 3");
    for (below, colour) in [(false, AIR), (true, WATER)] {
        let rows = seam.profile.iter().filter(|row| (row[0] < 0.0) == below);
        let points: Vec<[f64; 2]> = rows.map(|row| [row[0], row[1]]).collect();
        chart.line(&points, colour, "");
        for point in points {
            chart.mark(point, colour);
        }
    }
    chart.key(&[(AIR, "lidar"), (WATER, "sonar"), (STATED, "truth")]);
    chart.finish()
}
