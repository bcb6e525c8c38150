//! How far a run is from the truth.

mod coverage;
mod histogram;
mod ladder;
mod lobe;
mod rungs;
mod table;
mod trajectory;

use beluga_types::{Body, Label, Medium, SensorKind, SolidarFrame, Stamp, Transform, World};
use nalgebra::Vector3;
use rayon::prelude::*;
use serde::Serialize;

use crate::scene::{Kind, Nearest, Quay};
use crate::truth::Truth;
use coverage::Cells;
pub use coverage::Coverage;
use histogram::Histogram;
pub use histogram::SurfaceError;
pub(crate) use lobe::Look;
use rungs::Gates;
pub use rungs::{RungError, RungScore};
pub use trajectory::TrajectoryError;

/// A point farther from every true surface is an outlier: counted, and in no other number.
pub(crate) const OUTLIER_M: f64 = 0.5;
/// Points looked at by one thread at a time.
const CHUNK: usize = 8192;
/// A sounding within this distance of the wall's face counts for its cell.
const ON_WALL_M: f64 = 0.15;

/// Collects the frames of a run and compares them with the truth.
///
/// The same frames in the same order give the same score for any number of threads.
#[derive(Clone, Debug)]
pub struct Scorer {
    truth: Truth,
    trajectory: Vec<(Stamp, Transform<World, Body>)>,
    points: PointCounts,
    lidar: Histogram,
    sonar: Histogram,
    sonar_wall: Histogram,
    sonar_bed: Histogram,
    gates: Gates,
    cells: Cells,
}

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
struct Seen {
    nearest: Option<Nearest>,
    /// Along the wall, up its face, off it.
    on_wall: [f64; 3],
}

impl Scorer {
    /// A scorer that has seen nothing.
    pub fn new(truth: Truth) -> Self {
        Self {
            trajectory: Vec::new(),
            points: PointCounts::default(),
            lidar: Histogram::new(),
            sonar: Histogram::new(),
            sonar_wall: Histogram::new(),
            sonar_bed: Histogram::new(),
            gates: Gates::new(&truth),
            cells: Cells::new(&truth),
            truth,
        }
    }

    /// The truth it scores against.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Adds a frame: its pose, and its points placed in `World` by that pose.
    pub fn add(&mut self, frame: &SolidarFrame) {
        self.trajectory.push((frame.window.end, frame.world_from_body));
        self.points.arcs += frame.arcs.len() as u64;
        let seen = self.look_at(frame);
        for (i, seen) in seen.iter().enumerate() {
            self.tally(frame, i, seen);
        }
    }

    fn look_at(&self, frame: &SolidarFrame) -> Vec<Seen> {
        let scene = &self.truth.scene;
        let quay_from_body: Transform<Quay, Body> = scene.world_from_quay.inverse() * frame.world_from_body;
        let rotation = quay_from_body.rotation_matrix();
        let translation = quay_from_body.translation();
        let table = &frame.points;
        let place = |i: usize| {
            let in_body = Vector3::new(table.x[i], table.y[i], table.z[i]).map(f64::from);
            rotation * in_body + translation
        };
        let chunks: Vec<Vec<Seen>> = (0..table.len().div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let from = chunk * CHUNK;
                (from..table.len().min(from + CHUNK))
                    .map(|i| {
                        let point = place(i);
                        Seen {
                            nearest: scene.nearest(&point, OUTLIER_M),
                            on_wall: scene.wall.coordinates(&point),
                        }
                    })
                    .collect()
            })
            .collect();
        chunks.into_iter().flatten().collect()
    }

    fn tally(&mut self, frame: &SolidarFrame, i: usize, seen: &Seen) {
        let table = &frame.points;
        let medium = table.medium[i];
        match medium {
            Medium::Air => self.points.air += 1,
            Medium::Water => self.points.water += 1,
        }
        if matches!(table.label[i], Label::Mirror | Label::Multipath | Label::Bridged) {
            self.points.set_aside += 1;
            return;
        }
        self.gates
            .add(medium, table.source_seq[i], &seen.on_wall, table.level[i]);
        let signed = seen.nearest.map(|nearest| nearest.signed_m);
        if medium == Medium::Air {
            self.lidar.add(signed);
            return;
        }
        self.sonar.add(signed);
        match seen.nearest {
            Some(Nearest {
                kind: Kind::Wall,
                signed_m,
                ..
            }) => {
                self.sonar_wall.add(Some(signed_m));
                if signed_m.abs() <= ON_WALL_M {
                    self.cells.add(&seen.on_wall);
                }
            }
            Some(Nearest {
                kind: Kind::Bed,
                signed_m,
                ..
            }) => self.sonar_bed.add(Some(signed_m)),
            _ => {}
        }
    }

    /// The score of everything added.
    pub fn finish(self) -> Score {
        let [rungs_above, rungs_below] = self.gates.finish();
        let width = self.truth.scenario.sonar.beam_width_deg;
        Score {
            frames: self.trajectory.len() as u64,
            trajectory: self.truth.trajectory_error(&self.trajectory),
            points: self.points,
            sonar_beam_deg: [width, width],
            lidar: self.lidar.finish(),
            sonar: self.sonar.finish(),
            sonar_wall: self.sonar_wall.finish(),
            sonar_bed: self.sonar_bed.finish(),
            rungs_above,
            rungs_below,
            coverage: self.cells.finish(),
        }
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
