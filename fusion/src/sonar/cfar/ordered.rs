//! Order-statistic CFAR behind a gate that costs next to nothing and loses nothing.
//!
//! The k-th smallest of some cells is never below the k-th smallest of more cells around them. One
//! selection among the cells around a whole group therefore bounds the thresholds of all its cells
//! from below, and only cells that hold something above that bound are looked at by themselves.

use super::multiplier::{os_mean, os_multiplier};

/// Which of the training cells speaks, as a share of them.
const RANK: f64 = 0.75;

/// Cells that share a gate, as a share of the training cells.
const GROUP: f64 = 0.5;

/// The cells that train one cell, by their places among all that train.
#[derive(Clone, Copy, Default)]
pub(super) struct Trained {
    /// First and one behind the last on the near side.
    pub(super) left: [usize; 2],
    /// The same on the far side.
    pub(super) right: [usize; 2],
}

impl Trained {
    pub(super) fn count(&self) -> usize {
        self.left[1] - self.left[0] + self.right[1] - self.right[0]
    }
}

/// Ranks and multipliers for every number of training cells.
pub(super) struct Ordered {
    full: usize,
    at: Vec<Rank>,
}

#[derive(Clone, Copy)]
struct Rank {
    rank: usize,
    multiplier: f64,
    mean: f64,
}

/// What the order statistic says of one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) noise: f32,
    pub(super) threshold: f32,
}

impl Ordered {
    /// For `full` training cells and, at the ends of rows, fewer; below `least` nothing is said.
    pub(super) fn new(full: usize, least: usize, false_alarm_rate: f64) -> Self {
        let at = (0..=full).map(|n| {
            let rank = ((RANK * n as f64).round() as usize).clamp(1, n.max(1));
            Rank {
                rank,
                multiplier: match n < least.max(1) {
                    true => f64::INFINITY,
                    false => os_multiplier(n, rank, false_alarm_rate),
                },
                mean: if n == 0 { 1.0 } else { os_mean(n, rank) },
            }
        });
        Self {
            full,
            at: at.collect(),
        }
    }

    /// Noise and threshold of the cells whose highest power `tops` passes the gate; the others get
    /// nothing. `values` are all that train, in order.
    pub(super) fn judge(
        &self,
        values: &[f32],
        trained: &[Trained],
        tops: &[f32],
        scratch: &mut Vec<f32>,
        mut tell: impl FnMut(usize, Option<Verdict>),
    ) {
        let group = ((GROUP * self.full as f64) as usize).max(1);
        for (number, (cells, tops)) in trained.chunks(group).zip(tops.chunks(group)).enumerate() {
            let gate = self.gate(values, cells, scratch);
            for (within, (one, &top)) in cells.iter().zip(tops).enumerate() {
                let verdict = (f64::from(top) > gate).then(|| self.verdict(values, one, scratch));
                tell(number * group + within, verdict);
            }
        }
    }

    /// Power that no threshold of these cells is below.
    fn gate(&self, values: &[f32], cells: &[Trained], scratch: &mut Vec<f32>) -> f64 {
        if cells.iter().any(|cell| cell.count() < self.full) {
            return 0.0;
        }
        let from = cells.iter().map(|cell| cell.left[0]).min().unwrap_or(0);
        let to = cells.iter().map(|cell| cell.right[1]).max().unwrap_or(0);
        scratch.clear();
        scratch.extend_from_slice(&values[from..to]);
        let rank = &self.at[self.full];
        // Rounding must not raise the bound above what it bounds.
        rank.multiplier * smallest(scratch, rank.rank) * (1.0 - 1e-6)
    }

    fn verdict(&self, values: &[f32], cell: &Trained, scratch: &mut Vec<f32>) -> Verdict {
        scratch.clear();
        scratch.extend_from_slice(&values[cell.left[0]..cell.left[1]]);
        scratch.extend_from_slice(&values[cell.right[0]..cell.right[1]]);
        let rank = &self.at[scratch.len().min(self.full)];
        let found = match scratch.is_empty() {
            true => 0.0,
            false => smallest(scratch, rank.rank),
        };
        Verdict {
            noise: (found / rank.mean) as f32,
            // A row of zeros has no noise to be above.
            threshold: match found > 0.0 {
                true => (rank.multiplier * found) as f32,
                false => f32::INFINITY,
            },
        }
    }
}

/// The `rank`-th smallest, counted from one.
fn smallest(values: &mut [f32], rank: usize) -> f64 {
    f64::from(*values.select_nth_unstable_by(rank - 1, f32::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::super::super::synthetic::Noise;
    use super::*;

    /// Cells that train each cell of a row with 16 to either side beyond one that guards.
    fn neighbours(count: usize) -> Vec<Trained> {
        (16 + 1..count - 16 - 1)
            .map(|cell| Trained {
                left: [cell - 17, cell - 1],
                right: [cell + 2, cell + 18],
            })
            .collect()
    }

    #[test]
    fn the_gate_loses_nothing_that_sorting_everywhere_finds() {
        let ordered = Ordered::new(32, 16, 1e-3);
        let mut noise = Noise::new(4);
        let mut values: Vec<f32> = (0..20_000).map(|_| noise.exponential() as f32).collect();
        // Things that stand close together, among them far stronger ones.
        for place in (300..19_000).step_by(37) {
            values[place] += 10.0 + 1000.0 * (place % 5) as f32;
        }
        let trained = neighbours(values.len());
        let tops = &values[17..values.len() - 17];
        let (mut told, mut passed, mut found) = (0, 0, 0);
        ordered.judge(&values, &trained, tops, &mut Vec::new(), |cell, verdict| {
            let mut sorted = [
                &values[trained[cell].left[0]..trained[cell].left[1]],
                &values[trained[cell].right[0]..trained[cell].right[1]],
            ]
            .concat();
            sorted.sort_by(f32::total_cmp);
            let threshold = (os_multiplier(32, 24, 1e-3) * f64::from(sorted[23])) as f32;
            let is_found = tops[cell] > threshold;
            told += 1;
            passed += usize::from(verdict.is_some());
            found += usize::from(is_found);
            match verdict {
                Some(verdict) => assert_eq!(verdict.threshold, threshold),
                None => assert!(!is_found, "cell {cell} was lost at the gate"),
            }
        });
        assert_eq!(told, trained.len());
        assert!(found > 300, "{found} found");
        assert!(passed < told / 4, "{passed} of {told} had to be sorted");
    }

    #[test]
    fn the_order_statistic_is_unmoved_by_strong_neighbours() {
        let ordered = Ordered::new(4, 2, 0.01);
        let trained = [Trained {
            left: [0, 2],
            right: [2, 4],
        }];
        let verdict = |values: [f32; 4]| {
            let mut told = None;
            ordered.judge(&values, &trained, &[f32::MAX], &mut Vec::new(), |_, one| {
                told = one
            });
            told.unwrap()
        };
        assert_eq!(verdict([1.0, 2.0, 3.0, 4.0]), verdict([1.0, 2.0, 3.0, 1e9]));
        assert_eq!(verdict([0.0; 4]).threshold, f32::INFINITY);
        // Third of four has a mean of 1/4 + 1/3 + 1/2.
        assert!((verdict([1.0, 2.0, 3.0, 4.0]).noise - 3.0 * 12.0 / 13.0).abs() < 1e-6);
    }
}
