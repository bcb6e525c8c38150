//! How far a run is from the truth.

mod align;
mod bed;
mod coverage;
mod face;
mod features;
mod ghosts;
mod histogram;
mod honesty;
mod identity;
mod interval;
mod ladder;
mod lobe;
mod over_runs;
mod page;
mod rpe;
mod rungs;
mod s44;
mod scored;
mod scorer;
mod seam;
#[cfg(test)]
pub(crate) mod specimen;
mod surfaces;
mod table;
mod tally;
mod trajectory;
mod tum;
mod visible;

use beluga_types::{Label, Medium, SensorId, SensorKind, SolidarFrame, Transform};
use nalgebra::Vector3;
use serde::Serialize;

use crate::scene::{Nearest, Quay};
use crate::truth::Truth;
pub use bed::BedScore;
pub use coverage::Coverage;
pub use face::WallClasses;
pub use features::{FeatureScore, FenderError, PileError};
pub use ghosts::{Counts, GhostScore, TrueReturn};
pub use histogram::SurfaceError;
pub use interval::clopper_pearson;
pub(crate) use lobe::Look;
pub use over_runs::{OverRuns, over_runs};
use page::Plots;
pub use page::{Subject, page};
pub use rpe::{RelativeError, Stretch};
pub use rungs::{RungError, RungScore};
pub use s44::{Criteria, Measured, ORDERS, Order};
pub use scored::Scored;
pub use scorer::{ReturnOf, Scorer};
pub use seam::SeamScore;
pub use surfaces::SurfaceRow;
pub use tally::IntervalCoverage;
pub use trajectory::{AxisError, Pair, Spread, TrajectoryError};
pub use tum::Trajectory;
pub use visible::{Completeness, KindCompleteness};

/// A point farther from every true surface is an outlier: counted, and in no other number.
pub(crate) const OUTLIER_M: f64 = 0.5;

/// The score of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Frames seen.
    pub frames: u64,
    /// The frames' poses against the true ones.
    pub trajectory: TrajectoryError,
    /// How many points of each kind there were.
    pub points: PointCounts,
    /// Two-way beam width of the sonar at -3 dB, along and across track, in degrees.
    pub sonar_beam_deg: [f64; 2],
    /// Lidar points to the true surface.
    pub lidar: SurfaceError,
    /// Sonar points along the true surface's normal.
    pub sonar: SurfaceError,
    /// Of these, on the quay wall's face.
    pub sonar_wall: SurfaceError,
    /// Of these, on the bed.
    pub sonar_bed: SurfaceError,
    /// Step irons above the water, from lidar.
    pub rungs_above: RungScore,
    /// Step irons below the water, from sonar.
    pub rungs_below: RungScore,
    /// Cells of the wall below water that have enough soundings.
    pub coverage: Coverage,
    /// Distances along the normal by medium, label and kind of surface.
    pub surfaces: Vec<SurfaceRow>,
    /// Edges of fenders and axes of piles.
    pub features: Scored<FeatureScore>,
    /// What the lidar could see, and what of it has points.
    pub lidar_completeness: Scored<Completeness>,
    /// What the sonar could see, and what of it has points.
    pub sonar_completeness: Scored<Completeness>,
    /// The principal face above the water, in classes of its error at 95 %.
    pub wall_above: Scored<WallClasses>,
    /// The principal face below the water.
    pub wall_below: Scored<WallClasses>,
    /// Step and tilt between the lidar's wall and the sonar's.
    pub seam: Scored<SeamScore>,
    /// The bed against IHO S-44.
    pub bed: Scored<BedScore>,
    /// How often the truth lay in the stated 95 %.
    pub honesty: Vec<IntervalCoverage>,
    /// Blocks of pose covariances that could not be inverted; in no coverage.
    pub covariances_unusable: u64,
    /// Ghosts kept and good points rejected.
    pub ghosts: Scored<GhostScore>,
    /// What the page draws.
    #[serde(skip)]
    plots: Plots,
}

/// How many points of each kind there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PointCounts {
    /// Seen through air.
    pub air: u64,
    /// Seen through water.
    pub water: u64,
    /// Labelled mirror, multipath or bridged: in no error below.
    pub set_aside: u64,
    /// Arcs: returns whose elevation is not resolved; not scored.
    pub arcs: u64,
}

/// What the truth says about one point.
#[derive(Clone, Copy, Debug)]
struct Seen {
    nearest: Option<Nearest>,
    /// Along the wall, up its face, off it.
    on_wall: [f64; 3],
    /// The point in `Quay`.
    place: Vector3<f64>,
}

/// Whether a point of this label is not taken for one of the world as it is.
fn is_set_aside(label: Label) -> bool {
    matches!(label, Label::Mirror | Label::Multipath | Label::Bridged)
}

/// Whether a point of a sensor was measured with sound. Where the frame does not say how the sensor was
/// placed, what it was seen through decides.
fn is_sonar(frame: &SolidarFrame, sensor: SensorId, medium: Medium) -> bool {
    frame
        .calibration_of(sensor)
        .map_or(medium == Medium::Water, |calibration| {
            calibration.sound_speed_m_per_s.is_some()
        })
}

impl Score {
    /// Parts that this run or site has no score for, each with the reason.
    pub fn not_applicable(&self) -> Vec<(&'static str, &str)> {
        let reasons = [
            ("Fenders and piles", reason(&self.features)),
            ("Completeness of the lidar", reason(&self.lidar_completeness)),
            ("Completeness of the sonar", reason(&self.sonar_completeness)),
            ("Wall above the water", reason(&self.wall_above)),
            ("Wall below the water", reason(&self.wall_below)),
            ("Seam", reason(&self.seam)),
            ("Bed", reason(&self.bed)),
            ("Ghosts", reason(&self.ghosts)),
        ];
        reasons
            .into_iter()
            .filter_map(|(what, reason)| Some((what, reason?)))
            .collect()
    }
}

fn reason<T>(scored: &Scored<T>) -> Option<&str> {
    match scored {
        Scored::Scored(_) => None,
        Scored::NotApplicable(reason) => Some(reason),
    }
}

impl Truth {
    /// Where the sonar was at each of its pings, as transforms from its axes to `Quay`.
    pub(crate) fn ping_poses(&self) -> Vec<Transform<Quay, beluga_types::Sensor>> {
        let quay_from_world = self.scene.world_from_quay.inverse();
        crate::sonar::ping_stamps(&self.scenario)
            .filter_map(|stamp| {
                let body_from_sensor = self.body_from_sensor(SensorKind::Sonar, stamp)?;
                Some(quay_from_world * self.pose_at(stamp)? * body_from_sensor)
            })
            .collect()
    }
}
