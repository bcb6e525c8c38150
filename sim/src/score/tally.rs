//! Counts of stated intervals by whose they are.

use serde::Serialize;

/// Points a cell's average needs.
const LEAST_POINTS: u64 = 5;

/// How often the truth lay in a stated interval of 95 %, in one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IntervalCoverage {
    /// Whose interval: `pose`, `pose position`, `lidar point`, `sonar cell` …
    pub what: String,
    /// Intervals looked at. They share errors.
    pub samples: u64,
    /// Of these, with the truth inside.
    pub inside: u64,
    /// Part that is inside, 0 to 1: honest is 0.95 over many runs.
    pub coverage: f64,
    /// Mean of the normalised squared error; honest is `freedom` over many runs.
    pub mean_squared: f64,
    /// Degrees of freedom of the squared error.
    pub freedom: u32,
    /// Whether the truth was inside in the one trial chosen beforehand.
    pub trial: Option<bool>,
}

/// Whose interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Pose,
    PosePosition,
    PoseRotation,
    LidarPointAlone,
    LidarPoint,
    LidarCell,
    SonarPointAlone,
    SonarPoint,
    SonarCell,
    LidarAxis(u8),
    SonarAxis(u8),
}

/// A count of intervals of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    samples: u64,
    inside: u64,
    sum: f64,
    trial: Option<bool>,
}

impl What {
    pub(super) fn name(self) -> &'static str {
        match self {
            What::Pose => "pose",
            What::PosePosition => "pose position",
            What::PoseRotation => "pose rotation",
            What::LidarPointAlone => "lidar point, own error only",
            What::LidarPoint => "lidar point",
            What::LidarCell => "lidar cell average",
            What::SonarPointAlone => "sonar point, own error only",
            What::SonarPoint => "sonar point",
            What::SonarCell => "sonar cell average",
            What::LidarAxis(0) => "lidar point along its beam",
            What::LidarAxis(1) => "lidar point across, along sensor x",
            What::LidarAxis(_) => "lidar point across, the third axis",
            What::SonarAxis(0) => "sonar point along its beam",
            What::SonarAxis(1) => "sonar point across, along sensor x",
            What::SonarAxis(_) => "sonar point across, the third axis",
        }
    }

    pub(super) fn freedom(self) -> u32 {
        match self {
            What::Pose => 6,
            What::PosePosition | What::PoseRotation => 3,
            _ => 1,
        }
    }
}

impl Tally {
    /// Adds a squared error that is inside up to a limit; the first late one is the run's trial.
    pub(super) fn add(&mut self, squared: f64, limit: f64, is_late: bool) {
        if !squared.is_finite() {
            return;
        }
        let inside = squared <= limit;
        self.samples += 1;
        self.inside += u64::from(inside);
        self.sum += squared;
        if is_late {
            self.trial.get_or_insert(inside);
        }
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// What came of it; there must be a sample.
    pub(super) fn coverage(&self, what: What) -> IntervalCoverage {
        IntervalCoverage {
            what: what.name().to_owned(),
            samples: self.samples,
            inside: self.inside,
            coverage: self.inside as f64 / self.samples.max(1) as f64,
            mean_squared: self.sum / self.samples.max(1) as f64,
            freedom: what.freedom(),
            trial: self.trial,
        }
    }
}

/// Sums for the average over a cell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    pub(super) points: u64,
    pub(super) error_m: f64,
    /// Sum of the points' own variances along the normal.
    pub(super) own_m2: f64,
    /// Sum over points of the shared standard deviation along the normal.
    pub(super) shared_m: f64,
}

impl Cell {
    /// The average's error over its stated standard deviation.
    pub(super) fn normalised(&self) -> Option<f64> {
        let n = self.points as f64;
        let variance = self.own_m2 / (n * n) + (self.shared_m / n).powi(2);
        (self.points >= LEAST_POINTS && variance > 0.0).then(|| self.error_m / n / variance.sqrt())
    }
}
