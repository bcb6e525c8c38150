//! Constant false-alarm rate: a threshold that follows the noise.
//!
//! The multipliers hold for independent cells of exponential power. Behind a matched filter
//! neighbouring samples are neither, so training happens on every `cell`-th sample only, the
//! spacing at which the filter's own noise is independent. What the detector finds it takes out of
//! the training and looks again: without that, a footprint longer than the training stretch hides
//! itself. Amplitudes of imaging sonars (8 bit, gamma, logarithm) are not exponential; the stated
//! rate does not hold on them.

use std::ops::Range;

use super::config::CfarKind;

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
    /// Multiplier on the smaller half mean (SOCA).
    smallest: f64,
    /// Multiplier on the mean of `n` cells, at `n` (CA; also for rows' ends under SOCA).
    mean: Vec<f64>,
}

/// Noise and threshold of one row, in cells of the detector; kept from ping to ping.
#[derive(Default)]
pub struct Levels {
    /// Mean power of the noise around each cell.
    pub noise: Vec<f32>,
    /// Power above which a sample of the cell is a detection; infinite where nothing can be said.
    pub threshold: Vec<f32>,
    censored: Vec<bool>,
    found: Vec<bool>,
    before: Vec<u32>,
    sums: Vec<f64>,
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
        Self {
            kind,
            half,
            guard: guard_cells.max(1),
            cell: cell.max(1),
            smallest: soca_multiplier(2 * half, false_alarm_rate),
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
            if pass + 1 == PASSES || !self.censor(power, levels) {
                break;
            }
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
        for cell in 0..cells {
            let left_end = levels.before[cell.saturating_sub(self.guard)] as usize;
            let right_start = levels.before[(cell + self.guard + 1).min(cells)] as usize;
            let estimate = self.judge(&levels.sums, left_end, right_start);
            levels.noise[cell] = estimate.noise as f32;
            levels.threshold[cell] = estimate.threshold as f32;
        }
    }

    /// The estimate from the `half` training cells that end before `left_end` and the `half` that
    /// start at `right_start`; `sums` are running sums over all training cells. Where one side runs
    /// out the other gives more.
    fn judge(&self, sums: &[f64], left_end: usize, right_start: usize) -> Estimate {
        let right_all = sums.len() - 1 - right_start;
        let right = self
            .half
            .max((2 * self.half).saturating_sub(left_end))
            .min(right_all);
        let left = self
            .half
            .max((2 * self.half).saturating_sub(right_all))
            .min(left_end);
        let left_sum = sums[left_end] - sums[left_end - left];
        let right_sum = sums[right_start + right] - sums[right_start];
        let count = left + right;
        let noise = if count > 0 {
            (left_sum + right_sum) / count as f64
        } else {
            0.0
        };
        let both = left == self.half && right == self.half;
        let threshold = if self.kind == CfarKind::Soca && both {
            self.smallest * left_sum.min(right_sum) / self.half as f64
        } else {
            self.mean[count.min(2 * self.half)] * noise
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

/// Multiplier on the mean of `cells` independent exponential cells:
/// `N (Pfa^(-1/N) - 1)`; Finn and Johnson, RCA Review 29 (1968).
pub fn ca_multiplier(cells: usize, false_alarm_rate: f64) -> f64 {
    let n = cells as f64;
    n * (false_alarm_rate.powf(-1.0 / n) - 1.0)
}

/// Multiplier on the smaller of two half means, `cells` in all:
/// `Pfa = 2 (2 + α/n)^-n Σ_{k<n} C(n-1+k, k) (2 + α/n)^-k`, n = cells / 2; Trunk, IEEE Trans.
/// Aerosp. Electron. Syst. 14 (1978). Solved by bisection.
pub fn soca_multiplier(cells: usize, false_alarm_rate: f64) -> f64 {
    let n = (cells / 2).max(1);
    let rate = |multiplier: f64| {
        let base = 2.0 + multiplier / n as f64;
        let mut term = 1.0;
        let mut sum = 0.0;
        for k in 0..n {
            sum += term;
            term *= (n + k) as f64 / ((k + 1) as f64 * base);
        }
        2.0 * sum * base.powf(-(n as f64))
    };
    let (mut low, mut high) = (0.0, 1.0);
    while rate(high) > false_alarm_rate && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if rate(middle) > false_alarm_rate {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::super::config::ReplicaWindow;
    use super::super::pulse::{MatchedFilter, Sampling, Scratch};
    use super::super::synthetic::Noise;
    use super::*;
    use beluga_types::{Pulse, PulseKind, Shading};

    #[test]
    fn multipliers_are_those_published() {
        for (cells, rate, ca, soca) in [
            (16, 1e-3, 8.638824, 12.599715),
            (32, 1e-3, 7.710008, 9.569414),
            (32, 1e-4, 10.672686, 13.630518),
        ] {
            assert!((ca_multiplier(cells, rate) - ca).abs() < 1e-6);
            assert!((soca_multiplier(cells, rate) - soca).abs() < 1e-6);
        }
        assert!((soca_multiplier(40, 1e-6) - 21.287350).abs() < 1e-6);
    }

    /// Share of false alarms per sample over many rows of noise behind a matched filter.
    fn counted_rate(kind: CfarKind, window: ReplicaWindow, design: f64) -> f64 {
        let pulse = Pulse {
            kind: PulseKind::Lfm,
            start_hz: 380e3,
            end_hz: 420e3,
            duration_s: 1e-3,
            shading: Shading::Rectangular,
        };
        let sampling = Sampling {
            rate_hz: 100e3,
            centre_hz: 400e3,
            iq: true,
            samples: 8192,
        };
        let filter = MatchedFilter::new(&pulse, sampling, window).unwrap();
        let cfar = Cfar::new(kind, design, 32, 2, filter.cell_samples());
        let mut noise = Noise::new(7);
        let (mut scratch, mut output, mut levels) = (Scratch::default(), Vec::new(), Levels::default());
        let (mut alarms, mut tested) = (0usize, 0usize);
        for _ in 0..150 {
            let channel: Vec<[f32; 2]> = (0..sampling.samples)
                .map(|_| [noise.gaussian() as f32, noise.gaussian() as f32])
                .collect();
            filter.compress(&channel, &mut scratch, &mut output);
            let power: Vec<f32> = output.iter().map(|value| value.norm_sqr()).collect();
            let trains = filter.whole_samples();
            cfar.levels(&power, trains.clone(), &mut levels);
            alarms += trains
                .clone()
                .filter(|&i| power[i] > levels.threshold[i / cfar.cell_samples()])
                .count();
            tested += trains.len();
        }
        alarms as f64 / tested as f64
    }

    #[test]
    fn false_alarms_after_compression_are_as_designed() {
        for kind in [CfarKind::Ca, CfarKind::Soca] {
            for window in [ReplicaWindow::Matched, ReplicaWindow::Hann] {
                let counted = counted_rate(kind, window, 1e-3);
                println!("{kind:?} behind {window:?}: {counted:.3e} counted, 1e-3 designed");
                assert!(
                    (counted / 1e-3 - 1.0).abs() < 0.2,
                    "{kind:?} {window:?}: {counted}"
                );
            }
        }
    }

    #[test]
    fn neighbouring_samples_as_training_would_break_the_rate() {
        // The same noise, trained on neighbours: their mean strays, and the threshold with it.
        let mut noise = Noise::new(9);
        let mut smooth = [0.0f64; 2];
        let power: Vec<f32> = (0..400_000)
            .map(|_| {
                for part in &mut smooth {
                    *part = 0.9 * *part + 0.436 * noise.gaussian();
                }
                (smooth[0] * smooth[0] + smooth[1] * smooth[1]) as f32
            })
            .collect();
        let count = |guard: usize, cell: usize| {
            let cfar = Cfar::new(CfarKind::Ca, 1e-3, 32, guard, cell);
            let mut levels = Levels::default();
            cfar.levels(&power, 0..power.len(), &mut levels);
            (0..power.len())
                .filter(|&i| power[i] > levels.threshold[i / cell])
                .count()
        };
        let (correlated, independent) = (count(40, 1), count(2, 20));
        assert!(correlated > 2 * independent, "{correlated} against {independent}");
    }

    #[test]
    fn a_long_echo_does_not_hide_itself() {
        let mut noise = Noise::new(3);
        let mut power: Vec<f32> = (0..1024).map(|_| noise.exponential() as f32).collect();
        for sample in &mut power[400..520] {
            *sample += 100.0 * (0.5 + noise.exponential() as f32);
        }
        let cfar = Cfar::new(CfarKind::Soca, 1e-6, 32, 2, 1);
        let mut levels = Levels::default();
        cfar.levels(&power, 0..1024, &mut levels);
        let found = (0..1024).filter(|&i| power[i] > levels.threshold[i]).count();
        assert!((110..=120).contains(&found), "{found} of 120");
        assert!(
            (levels.noise[460] - 1.0).abs() < 0.5,
            "noise is taken from beside the echo"
        );
    }

    #[test]
    fn silence_and_rows_too_short_to_train_have_no_echo() {
        let cfar = Cfar::new(CfarKind::Soca, 1e-6, 32, 2, 4);
        let mut levels = Levels::default();
        for power in [vec![0.0f32; 500], vec![1.0; 30], vec![1e9, 1.0], Vec::new()] {
            cfar.levels(&power, 0..power.len(), &mut levels);
            assert!(
                power
                    .iter()
                    .enumerate()
                    .all(|(i, &p)| p <= levels.threshold[i / 4])
            );
        }
    }
}
