//! Constant false-alarm rate: a threshold that follows the noise.
//!
//! The multipliers hold for independent cells of exponential power. Behind a matched filter
//! neighbouring samples are neither, so training happens on every `cell`-th sample only, the
//! spacing at which the filter's own noise is independent. What the detector finds it takes out of
//! the training and looks again: without that, a footprint longer than the training stretch hides
//! itself. Amplitudes of imaging sonars (8 bit, gamma, logarithm) are not exponential; the stated
//! rate does not hold on them.

mod multiplier;
mod ordered;

use std::ops::Range;

use super::config::CfarKind;
pub use multiplier::{ca_multiplier, goca_multiplier, os_multiplier, soca_multiplier};
use ordered::{Ordered, Trained};

/// How often the noise is estimated again without what was found.
const PASSES: usize = 8;

/// What stands this far above the threshold leaves the training: noise that merely passes the
/// threshold must stay, or the noise would be taken for less than it is.
const CENSOR_MARGIN: f32 = 1.5;

/// A detection may take this share of a row out of the training; more is no echo.
const LONGEST_ECHO: f64 = 0.25;

/// A detector with its multipliers; made once per pulse.
pub struct Cfar {
    kind: CfarKind,
    half: usize,
    guard: usize,
    cell: usize,
    /// Multiplier on the smaller (SOCA) or the greater (GOCA) half sum.
    each_of_half: f64,
    /// One over all training cells, and the multiplier on their mean.
    each_of_both: f64,
    full: f64,
    /// Multiplier on the mean of `n` cells, at `n` (CA; also for rows' ends under SOCA and GOCA).
    mean: Vec<f64>,
    ordered: Option<Ordered>,
}

/// Noise and threshold of one row, in cells of the detector; kept from ping to ping.
#[derive(Default)]
pub struct Levels {
    /// Mean power of the noise around each cell.
    pub noise: Vec<f32>,
    /// Power above which a sample of the cell is a detection; infinite where nothing can be said, and
    /// under OS where its gate tells that no sample of the cell is one.
    pub threshold: Vec<f32>,
    first: Vec<f32>,
    /// Power by which each cell trains, and its highest.
    trains: Vec<f32>,
    tops: Vec<f32>,
    censored: Vec<bool>,
    found: Vec<bool>,
    before: Vec<u32>,
    sums: Vec<f64>,
    ordering: Ordering,
}

impl Levels {
    /// How many cells train before each one, and their running sum.
    fn count_training(&mut self) {
        let cells = self.trains.len();
        self.before.resize(cells + 1, 0);
        self.sums.resize(cells + 1, 0.0);
        let (mut count, mut sum) = (0usize, 0.0f64);
        self.sums[0] = 0.0;
        let training = self.trains.iter().zip(&self.censored);
        for (before, (&value, &censored)) in self.before.iter_mut().zip(training) {
            *before = count as u32;
            // Written in any case, kept if it counts: cheaper than a branch.
            let next = sum + f64::from(value);
            self.sums[count + 1] = next;
            if !censored {
                (count, sum) = (count + 1, next);
            }
        }
        self.before[cells] = count as u32;
        self.sums.truncate(count + 1);
    }

    /// Cells that hold a sample above their threshold.
    pub(crate) fn passing(&self) -> impl Iterator<Item = usize> + '_ {
        let tops = self.tops.iter().zip(&self.threshold).enumerate();
        tops.filter(|(_, (top, threshold))| top > threshold)
            .map(|(cell, _)| cell)
    }

    /// Cells that hold a sample of which a `share` is above their threshold.
    pub(crate) fn holding(&self, share: f32) -> impl Iterator<Item = usize> + '_ {
        let tops = self.tops.iter().zip(&self.threshold).enumerate();
        tops.filter(move |(_, (top, threshold))| *top * share > **threshold)
            .map(|(cell, _)| cell)
    }
}

/// What the order statistic needs beside.
#[derive(Default)]
struct Ordering {
    values: Vec<f32>,
    trained: Vec<Trained>,
    scratch: Vec<f32>,
}

impl Cfar {
    /// A detector for a chance of `false_alarm_rate` per sample, with `training_cells` in all and
    /// `guard_cells` on either side, each `cell` samples long.
    pub fn new(
        kind: CfarKind,
        false_alarm_rate: f64,
        training_cells: usize,
        guard_cells: usize,
        cell: usize,
    ) -> Self {
        let half = (training_cells / 2).max(2);
        let mean = (0..=2 * half)
            .map(|n| {
                if n < half {
                    f64::INFINITY
                } else {
                    ca_multiplier(n, false_alarm_rate)
                }
            })
            .collect();
        let cells = 2 * half;
        Self {
            ordered: (kind == CfarKind::Os).then(|| Ordered::new(cells, half, false_alarm_rate)),
            kind,
            half,
            guard: guard_cells.max(1),
            cell: cell.max(1),
            each_of_half: match kind {
                CfarKind::Goca => goca_multiplier(cells, false_alarm_rate),
                _ => soca_multiplier(cells, false_alarm_rate),
            } / half as f64,
            each_of_both: 1.0 / cells as f64,
            full: ca_multiplier(cells, false_alarm_rate),
            mean,
        }
    }

    /// Cells that must train for every cell of a row to have a threshold: half of the training cells
    /// beside the guarded ones.
    pub fn needs_cells(&self) -> usize {
        self.half + 2 * self.guard + 1
    }

    /// Samples of one cell.
    pub fn cell_samples(&self) -> usize {
        self.cell
    }

    /// Noise and threshold of one row of power; only samples in `trains` speak for the noise.
    pub fn levels(&self, power: &[f32], trains: Range<usize>, levels: &mut Levels) {
        let cells = power.len().div_ceil(self.cell);
        levels.noise.clear();
        levels.noise.resize(cells, 0.0);
        levels.threshold.clear();
        levels.threshold.resize(cells, f32::INFINITY);
        levels.trains.clear();
        levels
            .trains
            .extend((0..cells).map(|cell| power[self.training_sample(cell, power.len())]));
        let greater = |top: f32, &sample: &f32| if sample > top { sample } else { top };
        let top = |samples: &[f32]| samples.iter().fold(0.0, greater);
        levels.tops.clear();
        levels.tops.extend(power.chunks(self.cell).map(top));
        let is_outside = |cell: usize| !trains.contains(&self.training_sample(cell, power.len()));
        levels.censored.clear();
        levels.censored.extend((0..cells).map(is_outside));
        for pass in 0..PASSES {
            self.estimate(levels);
            if pass == 0 {
                levels.first.clone_from(&levels.threshold);
            }
            if pass + 1 == PASSES || !self.censor(levels) {
                break;
            }
        }
        // What was found stays found. Of noise it is mostly what met a threshold that was low by chance:
        // another chance for that threshold would make false alarms rarer than designed.
        for (threshold, first) in levels.threshold.iter_mut().zip(&levels.first) {
            *threshold = threshold.min(*first);
        }
    }

    /// The one sample by which a cell trains: its middle.
    fn training_sample(&self, cell: usize, samples: usize) -> usize {
        (cell * self.cell + self.cell / 2).min(samples.saturating_sub(1))
    }

    fn estimate(&self, levels: &mut Levels) {
        let cells = levels.noise.len();
        levels.count_training();
        levels.ordering.trained.clear();
        let total = levels.before[cells] as usize;
        let results = levels.noise.iter_mut().zip(&mut levels.threshold);
        for (cell, (noise, threshold)) in results.enumerate() {
            let left_end = levels.before[cell.saturating_sub(self.guard)] as usize;
            let right_start = levels.before[(cell + self.guard + 1).min(cells)] as usize;
            let is_inside = left_end >= self.half && right_start + self.half <= total;
            if is_inside && self.ordered.is_none() {
                let sum = |from: usize| levels.sums[from + self.half] - levels.sums[from];
                let estimate = self.of_halves(sum(left_end - self.half), sum(right_start));
                *noise = estimate.noise as f32;
                *threshold = estimate.threshold as f32;
                continue;
            }
            let trained = self.trained(total, left_end, right_start);
            let estimate = self.judge(&levels.sums, &trained);
            *noise = estimate.noise as f32;
            *threshold = estimate.threshold as f32;
            if self.ordered.is_some() {
                levels.ordering.trained.push(trained);
            }
        }
        if let Some(ordered) = &self.ordered {
            Self::order(ordered, levels);
        }
    }

    /// Noise and threshold by the order statistic, in the cells its gate lets through.
    fn order(ordered: &Ordered, levels: &mut Levels) {
        let Ordering {
            values,
            trained,
            scratch,
        } = &mut levels.ordering;
        values.clear();
        let training = levels.trains.iter().zip(&levels.censored);
        values.extend(
            training
                .filter(|(_, censored)| !**censored)
                .map(|(value, _)| *value),
        );
        ordered.judge(
            values,
            trained,
            &levels.tops,
            scratch,
            |cell, verdict| match verdict {
                Some(verdict) => {
                    levels.noise[cell] = verdict.noise;
                    levels.threshold[cell] = verdict.threshold;
                }
                None => levels.threshold[cell] = f32::INFINITY,
            },
        );
    }

    /// The `half` training cells that end before `left_end` and the `half` that start at
    /// `right_start`, of `total`. Where one side runs out the other gives more.
    fn trained(&self, total: usize, left_end: usize, right_start: usize) -> Trained {
        let right_all = total - right_start;
        let right = self
            .half
            .max((2 * self.half).saturating_sub(left_end))
            .min(right_all);
        let left = self
            .half
            .max((2 * self.half).saturating_sub(right_all))
            .min(left_end);
        Trained {
            left: [left_end - left, left_end],
            right: [right_start, right_start + right],
        }
    }

    /// The estimate from these cells; `sums` are running sums over all that train.
    fn judge(&self, sums: &[f64], trained: &Trained) -> Estimate {
        let [left_sum, right_sum] = [trained.left, trained.right].map(|[from, to]| sums[to] - sums[from]);
        let count = trained.count();
        if trained.left[1] - trained.left[0] == self.half && count == 2 * self.half {
            return self.of_halves(left_sum, right_sum);
        }
        let noise = match count {
            0 => 0.0,
            count => (left_sum + right_sum) / count as f64,
        };
        Estimate::new(noise, self.mean[count.min(2 * self.half)] * noise)
    }

    /// The estimate from the sums of two whole halves.
    #[inline]
    fn of_halves(&self, left_sum: f64, right_sum: f64) -> Estimate {
        let noise = (left_sum + right_sum) * self.each_of_both;
        let threshold = match self.kind {
            CfarKind::Soca => self.each_of_half * left_sum.min(right_sum),
            CfarKind::Goca => self.each_of_half * left_sum.max(right_sum),
            CfarKind::Ca | CfarKind::Os => self.full * noise,
        };
        Estimate::new(noise, threshold)
    }

    /// Takes what is well above the threshold out of the training, with half a training stretch to
    /// either side, so that a long footprint is uncovered in a few passes; whether that changed
    /// anything.
    fn censor(&self, levels: &mut Levels) -> bool {
        let cells = levels.noise.len();
        levels.found.clear();
        let tops = levels.tops.iter().zip(&levels.threshold);
        levels
            .found
            .extend(tops.map(|(&top, &threshold)| top > CENSOR_MARGIN * threshold));
        let longest = (LONGEST_ECHO * cells as f64) as usize;
        let mut changed = false;
        let mut cell = 0;
        while cell < cells {
            if !levels.found[cell] {
                cell += 1;
                continue;
            }
            let end = (cell..cells).find(|&c| !levels.found[c]).unwrap_or(cells);
            if end - cell <= longest {
                for slot in &mut levels.censored[cell.saturating_sub(self.half)..(end + self.half).min(cells)]
                {
                    changed |= !*slot;
                    *slot = true;
                }
            }
            cell = end;
        }
        changed
    }
}

struct Estimate {
    noise: f64,
    threshold: f64,
}

impl Estimate {
    /// A row of zeros has no noise to be above.
    fn new(noise: f64, threshold: f64) -> Self {
        Self {
            noise,
            threshold: if noise > 0.0 { threshold } else { f64::INFINITY },
        }
    }
}

#[cfg(test)]
mod tests;
