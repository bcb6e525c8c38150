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
    /// Multiplier on the smaller (SOCA) or the greater (GOCA) half mean.
    halves: f64,
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
    censored: Vec<bool>,
    found: Vec<bool>,
    before: Vec<u32>,
    sums: Vec<f64>,
    ordering: Ordering,
}

/// What the order statistic needs beside.
#[derive(Default)]
struct Ordering {
    values: Vec<f32>,
    trained: Vec<Trained>,
    tops: Vec<f32>,
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
            halves: match kind {
                CfarKind::Goca => goca_multiplier(cells, false_alarm_rate),
                _ => soca_multiplier(cells, false_alarm_rate),
            },
            mean,
        }
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
        let is_outside = |cell: usize| !trains.contains(&self.training_sample(cell, power.len()));
        levels.censored.clear();
        levels.censored.extend((0..cells).map(is_outside));
        for pass in 0..PASSES {
            self.estimate(power, levels);
            if pass == 0 {
                levels.first.clone_from(&levels.threshold);
            }
            if pass + 1 == PASSES || !self.censor(power, levels) {
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

    fn estimate(&self, power: &[f32], levels: &mut Levels) {
        let cells = levels.noise.len();
        levels.before.clear();
        levels.sums.clear();
        levels.sums.push(0.0);
        let mut sum = 0.0;
        for cell in 0..cells {
            levels.before.push(levels.sums.len() as u32 - 1);
            if !levels.censored[cell] {
                sum += f64::from(power[self.training_sample(cell, power.len())]);
                levels.sums.push(sum);
            }
        }
        let total = levels.sums.len() - 1;
        levels.before.push(total as u32);
        levels.ordering.trained.clear();
        for cell in 0..cells {
            let left_end = levels.before[cell.saturating_sub(self.guard)] as usize;
            let right_start = levels.before[(cell + self.guard + 1).min(cells)] as usize;
            let trained = self.trained(total, left_end, right_start);
            let estimate = self.judge(&levels.sums, &trained);
            levels.noise[cell] = estimate.noise as f32;
            levels.threshold[cell] = estimate.threshold as f32;
            if self.ordered.is_some() {
                levels.ordering.trained.push(trained);
            }
        }
        if let Some(ordered) = &self.ordered {
            self.order(ordered, power, levels);
        }
    }

    /// Noise and threshold by the order statistic, in the cells its gate lets through.
    fn order(&self, ordered: &Ordered, power: &[f32], levels: &mut Levels) {
        let Ordering {
            values,
            trained,
            tops,
            scratch,
        } = &mut levels.ordering;
        values.clear();
        let censored = levels.censored.iter().enumerate();
        let training = censored.filter(|(_, censored)| !**censored);
        values.extend(training.map(|(cell, _)| power[self.training_sample(cell, power.len())]));
        tops.clear();
        let top = |samples: &[f32]| samples.iter().fold(0.0f32, |top, &sample| top.max(sample));
        tops.extend(power.chunks(self.cell).map(top));
        ordered.judge(values, trained, tops, scratch, |cell, verdict| match verdict {
            Some(verdict) => {
                levels.noise[cell] = verdict.noise;
                levels.threshold[cell] = verdict.threshold;
            }
            None => levels.threshold[cell] = f32::INFINITY,
        });
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
        let noise = if count > 0 {
            (left_sum + right_sum) / count as f64
        } else {
            0.0
        };
        let both = trained.left[1] - trained.left[0] == self.half && count == 2 * self.half;
        let of_half = |sum: f64| self.halves * sum / self.half as f64;
        let threshold = match self.kind {
            CfarKind::Soca if both => of_half(left_sum.min(right_sum)),
            CfarKind::Goca if both => of_half(left_sum.max(right_sum)),
            _ => self.mean[count.min(2 * self.half)] * noise,
        };
        Estimate {
            noise,
            // A row of zeros has no noise to be above.
            threshold: if noise > 0.0 { threshold } else { f64::INFINITY },
        }
    }

    /// Takes what is well above the threshold out of the training, with half a training stretch to
    /// either side, so that a long footprint is uncovered in a few passes; whether that changed
    /// anything.
    fn censor(&self, power: &[f32], levels: &mut Levels) -> bool {
        let cells = levels.noise.len();
        levels.found.clear();
        levels.found.extend(
            power
                .chunks(self.cell)
                .zip(&levels.threshold)
                .map(|(samples, &threshold)| {
                    samples.iter().any(|&sample| sample > CENSOR_MARGIN * threshold)
                }),
        );
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

#[cfg(test)]
mod tests;
