//! One or two targets, by least squares, in what the matched filter gives.

use std::f64::consts::PI;

use beluga_types::Pulse;
use beluga_types::elementary::cos;
use rustfft::num_complex::Complex;

use super::super::peak::vertex;
use super::super::replica::shading_at;

/// Entries of the answer for each cell of c/2B, and how many cells it reaches.
const PER_CELL: usize = 16;
const REACH_CELLS: usize = 20;

/// Points of the integral by which the answer is computed.
const POINTS: u32 = 160;

/// What a target of amplitude one leaves behind the filter, over the delay: real and even, turned to zero
/// frequency.
pub(super) struct Answer {
    /// In steps of a sixteenth of a cell from no delay on.
    table: Vec<f64>,
    /// Input samples of one cell.
    cell: f64,
}

/// The filter's output around an echo, turned to zero frequency.
pub(super) struct Heard {
    /// In input samples from the echo's middle.
    pub(super) places: Vec<f64>,
    pub(super) values: Vec<Complex<f64>>,
}

/// Targets, and how much of what was heard they explain.
pub(super) struct Fit<const N: usize> {
    pub(super) places: [f64; N],
    amplitudes: [Complex<f64>; N],
    explained: f64,
}

impl<const N: usize> Fit<N> {
    pub(super) fn powers(&self) -> [f64; N] {
        self.amplitudes.map(|amplitude| amplitude.norm_sqr())
    }
}

impl Answer {
    /// Of a sweep, one of whose cells has so many input samples: `∫ a(t - u/2) a(t + u/2) cos(2π k u t) dt` at the
    /// delay u with its amplitude a and its rate k (A. W. Rihaczek, "Principles of High-Resolution Radar",
    /// McGraw-Hill 1969), over that of no delay.
    pub(super) fn of(pulse: &Pulse, cell: f64) -> Self {
        let turns = pulse.duration_s * pulse.bandwidth_hz();
        let amplitude = |x: f64| {
            if x.abs() > 0.5 {
                0.0
            } else {
                shading_at(pulse.shading, x)
            }
        };
        let integral = |entry: usize| -> f64 {
            // In lengths of the pulse.
            let delay = entry as f64 / PER_CELL as f64 / turns;
            let overlap = (1.0 - delay).max(0.0);
            let point = |number: u32| {
                let x = ((f64::from(number) + 0.5) / f64::from(POINTS) - 0.5) * overlap;
                amplitude(x - 0.5 * delay) * amplitude(x + 0.5 * delay) * cos(2.0 * PI * turns * delay * x)
            };
            (0..POINTS).map(point).sum::<f64>() * overlap
        };
        let whole = integral(0);
        Self {
            table: (0..REACH_CELLS * PER_CELL)
                .map(|entry| integral(entry) / whole)
                .collect(),
            cell,
        }
    }

    /// At a delay in input samples, by a cubic through four entries; zero beyond the table.
    pub(super) fn at(&self, delay: f64) -> f64 {
        let place = delay.abs() / self.cell * PER_CELL as f64;
        let entry = place as usize;
        if entry + 2 >= self.table.len() {
            return 0.0;
        }
        let t = place - entry as f64;
        let before = self.table[if entry == 0 { 1 } else { entry - 1 }];
        let [here, next, after] = [0, 1, 2].map(|more| self.table[entry + more]);
        let [rise, fall, step] = [0.5 * (next - before), 0.5 * (after - here), next - here];
        here + t * (rise + t * (3.0 * step - 2.0 * rise - fall + t * (rise + fall - 2.0 * step)))
    }

    /// At the places of what was heard.
    fn row(&self, heard: &Heard, target: f64) -> Vec<f64> {
        heard.places.iter().map(|place| self.at(place - target)).collect()
    }
}

impl Heard {
    /// The target that explains most: the best of a grid, then between.
    pub(super) fn one(&self, answer: &Answer, grid: &[f64]) -> Fit<1> {
        let fit = |place: f64| {
            let row = answer.row(self, place);
            let (energy, sum) = (dot(&row, &row).max(f64::MIN_POSITIVE), self.on(&row));
            Fit {
                places: [place],
                amplitudes: [sum / energy],
                explained: sum.norm_sqr() / energy,
            }
        };
        let start = grid
            .iter()
            .map(|&place| fit(place))
            .max_by(|a, b| a.explained.total_cmp(&b.explained));
        refined(start.unwrap_or_else(|| fit(0.0)), step_of(grid), |[place]| {
            fit(place)
        })
    }

    /// The two targets that explain most, at least `nearest` apart at first.
    pub(super) fn two(&self, answer: &Answer, grid: &[f64], nearest: f64) -> Option<Fit<2>> {
        let rows: Vec<Vec<f64>> = grid.iter().map(|&place| answer.row(self, place)).collect();
        let sums: Vec<Complex<f64>> = rows.iter().map(|row| self.on(row)).collect();
        let energies: Vec<f64> = rows.iter().map(|row| dot(row, row)).collect();
        let start = (0..grid.len())
            .flat_map(|i| (i + 1..grid.len()).map(move |j| (i, j)))
            .filter(|&(i, j)| grid[j] - grid[i] >= nearest)
            .map(|(i, j)| {
                let shared = dot(&rows[i], &rows[j]);
                solved(
                    [grid[i], grid[j]],
                    [energies[i], energies[j]],
                    shared,
                    [sums[i], sums[j]],
                )
            })
            .max_by(|a, b| a.explained.total_cmp(&b.explained))?;
        let fit = |places: [f64; 2]| {
            let rows = places.map(|place| answer.row(self, place));
            let energies = [dot(&rows[0], &rows[0]), dot(&rows[1], &rows[1])];
            solved(
                places,
                energies,
                dot(&rows[0], &rows[1]),
                [self.on(&rows[0]), self.on(&rows[1])],
            )
        };
        Some(refined(start, step_of(grid), fit))
    }

    /// The largest power that targets leave of what was heard.
    pub(super) fn left<const N: usize>(&self, answer: &Answer, fit: &Fit<N>) -> f64 {
        let left = |(place, value): (&f64, &Complex<f64>)| {
            let targets = fit.places.iter().zip(&fit.amplitudes);
            let explained: Complex<f64> = targets
                .map(|(target, amplitude)| amplitude * answer.at(place - target))
                .sum();
            (value - explained).norm_sqr()
        };
        self.places.iter().zip(&self.values).map(left).fold(0.0, f64::max)
    }

    fn on(&self, row: &[f64]) -> Complex<f64> {
        row.iter()
            .zip(&self.values)
            .map(|(weight, value)| value * weight)
            .sum()
    }
}

fn step_of(grid: &[f64]) -> f64 {
    if grid.len() > 1 { grid[1] - grid[0] } else { 1.0 }
}

/// Shifts each place in turn to where more is explained, in ever finer steps.
fn refined<const N: usize>(mut best: Fit<N>, step: f64, fit: impl Fn([f64; N]) -> Fit<N>) -> Fit<N> {
    for step in [0.5, 0.5, 0.1, 0.1, 0.02].map(|part| part * step) {
        for which in 0..N {
            let moved = |by: f64| {
                let mut places = best.places;
                places[which] += by;
                fit(places)
            };
            let [before, after] = [moved(-step), moved(step)];
            let better = match vertex(before.explained, best.explained, after.explained) {
                Some((shift, _)) => moved(shift * step),
                None if after.explained > before.explained => after,
                None => before,
            };
            if better.explained > best.explained {
                best = better;
            }
        }
    }
    best
}

/// Two targets by their normal equations.
fn solved(places: [f64; 2], energies: [f64; 2], shared: f64, sums: [Complex<f64>; 2]) -> Fit<2> {
    let product = energies[0] * energies[1];
    let determinant = (product - shared * shared)
        .max(1e-9 * product)
        .max(f64::MIN_POSITIVE);
    let amplitudes = [
        (sums[0] * energies[1] - sums[1] * shared) / determinant,
        (sums[1] * energies[0] - sums[0] * shared) / determinant,
    ];
    Fit {
        places,
        explained: (amplitudes[0] * sums[0].conj() + amplitudes[1] * sums[1].conj()).re,
        amplitudes,
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}
