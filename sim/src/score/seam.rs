//! The seam: where the lidar's wall ends above the water and the sonar's begins below it.
//!
//! On the principal face, in columns of a metre along it, both clouds are compared with the true face: the
//! median distance off it in bins of 0.25 m of height, through which each cloud has a straight line. Their
//! difference at the still water is the step, the difference of their slopes the tilt. A median does not
//! see the few points of a rung or a fender's edge.
//!
//! Columns have their own speckle, roughness and moment, so their scatter gives the 95 % (Student's t)
//! of *this run*. What all of a run shares, such as a mount's error, moves every column alike: its
//! interval comes from several runs.

use std::collections::BTreeMap;

use beluga_types::Medium;
use serde::Serialize;

use super::interval::mean_95;

/// Length of a column along the wall, in metres.
const COLUMN_M: f64 = 1.0;
/// Height of a bin, in metres.
const BIN_M: f64 = 0.25;
/// Bins on either side of the still water.
const BINS: i32 = 12;
/// Points a bin needs for its median.
const LEAST_POINTS: u32 = 5;
/// A bin counts in its line by its points, up to this many.
const MOST: u32 = 100;
/// Bins a line needs.
const LEAST_BINS: usize = 3;
/// Width of a step of distance off the face, in metres, and how many there are to either side.
const STEP_M: f64 = 0.002;
const STEPS: i32 = 100;

/// Distances off the face, by column and height bin; heights below zero are the sonar's.
#[derive(Clone, Debug)]
pub(super) struct Seam {
    /// Where along the wall points are taken; the part that was held out of any fit.
    held_out: Option<[f64; 2]>,
    bins: BTreeMap<(i32, i32), Bin>,
}

#[derive(Clone, Debug)]
struct Bin {
    points: u32,
    steps: Box<[u16; 2 * STEPS as usize]>,
}

/// Step and tilt of the sonar's wall against the lidar's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeamScore {
    /// Where along the wall points were taken, in metres; nothing if everywhere.
    pub held_out_m: Option<[f64; 2]>,
    /// Columns of a metre that both clouds reach.
    pub columns: u64,
    /// Sonar minus lidar at the still water, out of the wall, in millimetres, with half the width of
    /// its 95 % interval.
    pub step_mm: f64,
    /// Half-width; nothing with fewer than two columns.
    pub step_95_mm: Option<f64>,
    /// The same without carrying the lines on: weighted mean of all bins, sonar minus lidar, in millimetres.
    pub offset_mm: f64,
    /// Half-width.
    pub offset_95_mm: Option<f64>,
    /// Slope of the sonar's line minus the lidar's, in millimetres per metre of height; positive leans
    /// out of the wall going up.
    pub tilt_mm_per_m: f64,
    /// Half-width.
    pub tilt_95_mm_per_m: Option<f64>,
    /// Mean distance off the true face by height, all columns together: height of the bin's middle in
    /// metres, distance in millimetres, columns.
    pub profile: Vec<[f64; 3]>,
}

impl Seam {
    pub(super) fn new(held_out: Option<[f64; 2]>) -> Self {
        Self {
            held_out,
            bins: BTreeMap::new(),
        }
    }

    /// Adds a point of the face: along it, up it, and its distance off the true face.
    pub(super) fn add(&mut self, medium: Medium, on_wall: &[f64; 3], off_m: f64) {
        let [along, up, _] = *on_wall;
        let taken = self.held_out.is_none_or(|[from, to]| along >= from && along < to);
        let height = (up / BIN_M).floor() as i32;
        let step = (off_m / STEP_M).floor() as i32 + STEPS;
        let side = match medium {
            Medium::Air => 0..BINS,
            Medium::Water => -BINS..0,
        };
        if !(taken && side.contains(&height) && (0..2 * STEPS).contains(&step)) {
            return;
        }
        let column = (along / COLUMN_M).floor() as i32;
        let bin = self.bins.entry((column, height)).or_insert_with(|| Bin {
            points: 0,
            steps: Box::new([0; 2 * STEPS as usize]),
        });
        let count = &mut bin.steps[step as usize];
        if *count < u16::MAX {
            *count += 1;
            bin.points += 1;
        }
    }

    /// Step and tilt; nothing if no column has both clouds.
    pub(super) fn finish(&self) -> Option<SeamScore> {
        let mut columns: BTreeMap<i32, [Vec<[f64; 3]>; 2]> = BTreeMap::new();
        let mut heights: BTreeMap<i32, Vec<f64>> = BTreeMap::new();
        for (&(column, height), bin) in &self.bins {
            if let Some(median) = bin.median_m() {
                let side = usize::from(height < 0);
                let middle = (f64::from(height) + 0.5) * BIN_M;
                columns.entry(column).or_default()[side].push([
                    middle,
                    median,
                    f64::from(bin.points.min(MOST)),
                ]);
                heights.entry(height).or_default().push(median);
            }
        }
        let mut found: [Vec<f64>; 3] = Default::default();
        for [above, below] in columns.values() {
            let (Some(above), Some(below)) = (line(above), line(below)) else {
                continue;
            };
            found[0].push(below.at_zero - above.at_zero);
            found[1].push(below.mean - above.mean);
            found[2].push(below.slope - above.slope);
        }
        let of = |i: usize| -> Option<(f64, Option<f64>)> {
            let (mean, half) = mean_95(&found[i])?;
            Some((1e3 * mean, half.map(|half| 1e3 * half)))
        };
        let (step, offset, tilt) = (of(0)?, of(1)?, of(2)?);
        Some(SeamScore {
            held_out_m: self.held_out,
            columns: found[0].len() as u64,
            step_mm: step.0,
            step_95_mm: step.1,
            offset_mm: offset.0,
            offset_95_mm: offset.1,
            tilt_mm_per_m: tilt.0,
            tilt_95_mm_per_m: tilt.1,
            profile: heights
                .iter()
                .map(|(height, medians)| {
                    let n = medians.len() as f64;
                    let mean_mm = 1e3 * medians.iter().sum::<f64>() / n;
                    [(f64::from(*height) + 0.5) * BIN_M, mean_mm, n]
                })
                .collect(),
        })
    }
}

impl Bin {
    fn median_m(&self) -> Option<f64> {
        let half = self.points.div_ceil(2);
        let mut sum = 0;
        let reached = self.steps.iter().position(|&count| {
            sum += u32::from(count);
            sum >= half
        });
        (self.points >= LEAST_POINTS).then_some(())?;
        // Within its step the median lies where its rank does.
        let step = reached?;
        let before = sum - u32::from(self.steps[step]);
        let part = (f64::from(self.points) * 0.5 - f64::from(before)) / f64::from(self.steps[step]);
        Some((step as f64 + part - f64::from(STEPS)) * STEP_M)
    }
}

struct Line {
    mean: f64,
    slope: f64,
    at_zero: f64,
}

/// The straight line through bins of height, distance and weight, by least squares.
fn line(bins: &[[f64; 3]]) -> Option<Line> {
    let total: f64 = bins.iter().map(|bin| bin[2]).sum();
    let mean = [0, 1].map(|axis| bins.iter().map(|bin| bin[2] * bin[axis]).sum::<f64>() / total);
    let moment = |axis: usize| -> f64 {
        let part = |bin: &[f64; 3]| bin[2] * (bin[0] - mean[0]) * (bin[axis] - mean[axis]);
        bins.iter().map(part).sum()
    };
    (bins.len() >= LEAST_BINS).then(|| {
        let slope = moment(1) / moment(0);
        Line {
            mean: mean[1],
            slope,
            at_zero: mean[1] - slope * mean[0],
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lidar's wall 3 mm out, the sonar's 12 mm behind it and leaning 2 mm/m more.
    fn both(seam: &mut Seam) {
        for column in 0..6 {
            for i in 0..400 {
                let up = 0.005 * f64::from(i) + 0.002;
                let noise = 0.004 * f64::from(i * 7 % 11 - 5) / 5.0;
                let along = f64::from(column) + 0.5;
                seam.add(Medium::Air, &[along, up, 0.0], 0.003 + noise);
                seam.add(Medium::Water, &[along, -up, 0.0], -0.009 - 0.002 * up + noise);
                // A rung's points are few.
                if i % 25 == 0 {
                    seam.add(Medium::Water, &[along, -up, 0.0], 0.15);
                }
            }
        }
    }

    #[test]
    fn a_known_step_and_tilt_are_found() {
        let mut seam = Seam::new(None);
        assert_eq!(seam.finish(), None);
        both(&mut seam);
        let score = seam.finish().unwrap();
        assert_eq!(score.columns, 6);
        assert!((score.step_mm + 12.0).abs() < 1.0, "{score:?}");
        assert!((score.tilt_mm_per_m - 2.0).abs() < 0.7, "{score:?}");
        assert!((score.offset_mm + 14.0).abs() < 1.0, "{score:?}");
        assert!(score.step_95_mm.unwrap() < 0.5);
        assert_eq!(score.profile.len(), 16);
    }

    #[test]
    fn only_wall_that_was_held_out_counts() {
        let mut seam = Seam::new(Some([1.0, 3.0]));
        both(&mut seam);
        assert_eq!(seam.finish().unwrap().columns, 2);
        let mut one = Seam::new(None);
        for i in 0..400 {
            one.add(Medium::Air, &[0.5, 0.005 * f64::from(i), 0.0], 0.0);
        }
        assert_eq!(one.finish(), None, "a lidar alone has no seam");
    }
}
