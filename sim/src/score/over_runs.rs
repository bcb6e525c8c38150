//! Honesty over many runs.
//!
//! What one run shares (mount, latency, sound speed, the navigation's slow error) is one draw however
//! many points it has. So a run counts once: its coverages have a mean over runs with Student's 95 %, and
//! its trials, one for each kind, are hits of a binomial with the interval of Clopper and Pearson.

use serde::Serialize;

use super::interval::{clopper_pearson, mean_95};
use super::tally::IntervalCoverage;

/// How honest one kind of interval was over several runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverRuns {
    /// Whose interval.
    pub what: String,
    /// Runs that stated it.
    pub runs: u64,
    /// Mean of the runs' coverages, 0 to 1.
    pub coverage: f64,
    /// Half-width of its 95 % interval, at most 1; nothing with one run.
    pub coverage_95: Option<f64>,
    /// The least coverage of any run.
    pub least: f64,
    /// Mean over runs of the mean normalised squared error.
    pub mean_squared: f64,
    /// What it is if the interval is honest.
    pub freedom: u32,
    /// Runs with a trial.
    pub trials: u64,
    /// Of these, with the truth inside.
    pub hits: u64,
    /// 95 % interval of the probability of a hit (Clopper-Pearson).
    pub hit_probability: [f64; 2],
    /// Whether 0.95 lies in that interval.
    pub consistent: bool,
}

/// Puts the coverages of several runs together, kind by kind, in the order of their first appearance.
pub fn over_runs(runs: &[Vec<IntervalCoverage>]) -> Vec<OverRuns> {
    let mut kinds: Vec<&str> = Vec::new();
    for kind in runs.iter().flatten() {
        if !kinds.contains(&kind.what.as_str()) {
            kinds.push(&kind.what);
        }
    }
    let together = |what: &str| {
        let of: Vec<&IntervalCoverage> = runs.iter().flatten().filter(|kind| kind.what == what).collect();
        let coverages: Vec<f64> = of.iter().map(|kind| kind.coverage).collect();
        let (coverage, coverage_95) = mean_95(&coverages)?;
        let trials: Vec<bool> = of.iter().filter_map(|kind| kind.trial).collect();
        let hits = trials.iter().filter(|hit| **hit).count() as u64;
        let hit_probability = clopper_pearson(hits, trials.len() as u64);
        Some(OverRuns {
            what: what.to_owned(),
            runs: of.len() as u64,
            coverage,
            coverage_95: coverage_95.map(|half| half.min(1.0)),
            least: coverages.iter().copied().fold(1.0, f64::min),
            mean_squared: of.iter().map(|kind| kind.mean_squared).sum::<f64>() / of.len() as f64,
            freedom: of.first()?.freedom,
            trials: trials.len() as u64,
            hits,
            hit_probability,
            consistent: hit_probability[0] <= 0.95 && hit_probability[1] >= 0.95,
        })
    };
    kinds.iter().filter_map(|what| together(what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(what: &str, coverage: f64, trial: Option<bool>) -> IntervalCoverage {
        IntervalCoverage {
            what: what.to_owned(),
            samples: 1000,
            inside: (1000.0 * coverage) as u64,
            coverage,
            mean_squared: 1.0,
            freedom: 1,
            trial,
        }
    }

    /// A thousand points of a run are one sample: of ten runs with a trial each, nine hits are no
    /// evidence against 95 %, and five are.
    #[test]
    fn a_run_counts_once() {
        let runs: Vec<_> = (0..10)
            .map(|i| {
                vec![
                    run("a", if i == 0 { 0.5 } else { 1.0 }, Some(i != 0)),
                    run("b", 0.5, Some(i % 2 == 0)),
                ]
            })
            .collect();
        let [a, b] = &over_runs(&runs)[..] else {
            panic!("two kinds");
        };
        assert_eq!((a.runs, a.trials, a.hits, a.consistent), (10, 10, 9, true));
        assert!((a.coverage - 0.95).abs() < 1e-12 && (a.least - 0.5).abs() < 1e-12);
        // Sample standard deviation 0.1581, over √10, times t of 9: 2.262.
        assert!((a.coverage_95.unwrap() - 0.1131).abs() < 1e-3);
        assert_eq!((b.hits, b.consistent), (5, false));
        assert!(over_runs(&[]).is_empty());
        let alone = over_runs(&[vec![run("a", 0.9, None)]]);
        assert_eq!(
            (alone[0].coverage_95, alone[0].hit_probability),
            (None, [0.0, 1.0])
        );
    }
}
