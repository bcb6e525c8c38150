//! The truth as a folder: `truth.json` (scenario, mounting, faults, surfaces, rungs, grids), `poses.csv`, and
//! what the grids hold.

use std::fs;
use std::path::{Path, PathBuf};

use beluga_types::Transform;
use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use super::mounting::MountEntry;
use super::poses::{self, POSES};
use super::writer::io;
use super::{Grid, Truth};
use crate::error::Error;
use crate::faults::ActingFault;
use crate::plain_file;
use crate::scenario::Scenario;
use crate::scene::{ObjectBox, Parts, Rung, Scene, Surface, WallPlane};

pub(super) const TRUTH: &str = "truth.json";
/// Version of the folder's layout.
pub(super) const VERSION: u32 = 2;
/// An hour of poses is about 80 MB.
const LARGEST_BYTES: u64 = 256 << 20;
/// No place of a site is farther from its origin, in metres.
const FARTHEST_M: f64 = 1e5;

/// `truth.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// Version of the layout.
    beluga_truth: u32,
    /// What the world was made from.
    scenario: Scenario,
    /// How each sensor is truly mounted.
    mounting: Vec<MountEntry>,
    /// Height of the waterline above the `Body` origin at rest: true, then stated.
    waterline_m: [f64; 2],
    /// What was wrong.
    faults: Vec<ActingFault>,
    /// Rotation from `Quay` to `World`, w x y z; they share their origin.
    world_from_quay_wxyz: [f64; 4],
    /// The wall's face at the waterline, its upward direction and its normal, in `Quay`.
    wall: [[f64; 3]; 3],
    /// The step irons.
    rungs: Vec<Rung>,
    /// The boxes of the objects that do not belong there, in `Quay`.
    objects: Vec<ObjectBox>,
    /// The surfaces, in `Quay`; a surface's id is its place in the list.
    surfaces: Vec<Surface>,
    /// The grids of the true surface.
    grids: Vec<Grid>,
}

/// Writes `truth.json`.
///
/// # Errors
/// [`Error::Io`] if it cannot be written.
pub(super) fn write(dir: &Path, truth: &Truth, grids: &[Grid]) -> Result<(), Error> {
    let wall = &truth.scene.wall;
    let bare = |grid: &Grid| Grid {
        cells: Vec::new(),
        ..grid.clone()
    };
    let document = Document {
        beluga_truth: VERSION,
        scenario: truth.scenario.clone(),
        mounting: truth.mounting.iter().map(MountEntry::of).collect(),
        waterline_m: truth.waterline_m,
        faults: truth.faults.clone(),
        world_from_quay_wxyz: truth.scene.world_from_quay.wxyz(),
        wall: [wall.origin, wall.up, wall.normal].map(Into::into),
        rungs: truth.scene.rungs.clone(),
        objects: truth.scene.objects.clone(),
        surfaces: truth.scene.surfaces.clone(),
        grids: grids.iter().map(bare).collect(),
    };
    let path = dir.join(TRUTH);
    let text = serde_json::to_string_pretty(&document).map_err(|error| io("writing", error.into(), &path))?;
    fs::write(&path, text + "\n").map_err(|source| io("writing", source, &path))
}

impl Truth {
    /// Reads the truth from a folder written by [`TruthWriter`](super::TruthWriter); its grids are read by
    /// [`Self::grids`].
    ///
    /// # Errors
    /// [`Error::Io`] if a file is missing, [`Error::TooLarge`] if one is larger than any this room
    /// writes, [`Error::Version`] if it is of another version, [`Error::Content`] with the line if one
    /// does not hold what it should, and [`Error::Scenario`] if the scenario has a number outside its
    /// range.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let (document, path) = Document::read(dir)?;
        document.scenario.check()?;
        let scene = document.scene(&path)?;
        let mounting = document
            .mounting
            .iter()
            .map(|entry| entry.mount(&path))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            scenario: document.scenario,
            poses: poses::from_csv(&read_capped(&dir.join(POSES))?, &dir.join(POSES))?,
            mounting,
            waterline_m: document.waterline_m,
            faults: document.faults,
            scene,
        })
    }

    /// The true surface in cells, as a folder holds it.
    ///
    /// # Errors
    /// As [`Self::read`]; [`Error::Content`] too if a grid has not as many cells as it says.
    pub fn grids(dir: &Path) -> Result<Vec<Grid>, Error> {
        let (document, _) = Document::read(dir)?;
        document.grids.into_iter().map(|grid| grid.read(dir)).collect()
    }
}

/// Enough of any version to know which one it is.
#[derive(Deserialize)]
struct Versioned {
    beluga_truth: serde_json::Value,
}

impl Document {
    /// The document, and its path.
    fn read(dir: &Path) -> Result<(Self, PathBuf), Error> {
        let path = dir.join(TRUTH);
        let text = read_capped(&path)?;
        let wrong = |error: serde_json::Error| Error::Content {
            expected: "a truth as `beluga sim` writes it",
            found: error.to_string(),
            line: error.line(),
            path: path.clone(),
        };
        let Versioned { beluga_truth } = serde_json::from_str(&text).map_err(wrong)?;
        if beluga_truth != VERSION {
            return Err(Error::Version {
                expected: VERSION,
                found: beluga_truth.to_string(),
                path,
            });
        }
        let document = serde_json::from_str(&text).map_err(wrong)?;
        Ok((document, path))
    }

    fn scene(&self, path: &Path) -> Result<Scene, Error> {
        let wrong = |expected, found: String| content(expected, found, 0, path);
        let world_from_quay = Transform::from_wxyz(self.world_from_quay_wxyz, [0.0; 3]).ok_or_else(|| {
            wrong(
                "a rotation from quay to world",
                format!("{:?}", self.world_from_quay_wxyz),
            )
        })?;
        let [origin, up, normal] = self.wall.map(Vector3::from);
        if !unit(&up) || !unit(&normal) || up.dot(&normal).abs() > 1e-6 || !near(&origin) {
            return Err(wrong(
                "a place and two unit vectors, one across the other, for the wall",
                format!("{:?}", self.wall),
            ));
        }
        for surface in &self.surfaces {
            let bounds = surface.shape.bounds();
            if !(surface.shape.is_sound() && near(&bounds.low) && near(&bounds.high)) {
                return Err(wrong(
                    "surfaces with unit axes and sizes above zero, within 100 km",
                    format!("{surface:?}"),
                ));
            }
        }
        Ok(Scene::new(Parts {
            surfaces: self.surfaces.clone(),
            rungs: self.rungs.clone(),
            objects: self.objects.clone(),
            wall: WallPlane { origin, up, normal },
            world_from_quay,
            has_water: self.scenario.site.waterline,
        }))
    }
}

/// Whether a place is where a site can be.
pub(super) fn near(place: &Vector3<f64>) -> bool {
    place.iter().all(|part| part.abs() <= FARTHEST_M)
}

fn unit(vector: &Vector3<f64>) -> bool {
    (vector.norm() - 1.0).abs() < 1e-6
}

pub(crate) fn read_capped(path: &Path) -> Result<String, Error> {
    plain_file::read(path, LARGEST_BYTES)
}

pub(crate) fn content(expected: &'static str, found: String, line: usize, path: &Path) -> Error {
    Error::Content {
        expected,
        found,
        line,
        path: PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::{Mount, SensorKind};

    use super::*;
    use crate::truth::TruthWriter;
    use crate::world::World;

    fn short() -> World {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 0.5;
        scenario
            .faults
            .set("mount-roll=1.5deg,slip-roll=2deg,tide=0.2,loss:lidar=10%")
            .unwrap();
        World::new(scenario).unwrap()
    }

    fn write(world: &World, folder: &Path) {
        let writer = TruthWriter::create(folder, world, "sample").unwrap();
        writer.finish(None).unwrap();
    }

    #[test]
    fn truth_survives_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let world = short();
        let written = world.truth();
        write(&world, folder.path());
        let read = Truth::read(folder.path()).unwrap();
        assert_eq!(read.scenario, written.scenario);
        assert_eq!(read.scene.surfaces.len(), written.scene.surfaces.len());
        assert_eq!(read.rungs().len(), written.rungs().len());
        assert_eq!(read.poses.len(), 101);
        for ((stamp, pose), (written_stamp, written_pose)) in read.poses.iter().zip(&written.poses) {
            assert_eq!(stamp, written_stamp);
            assert!(pose.perturbation_to(written_pose).norm() < 2e-6);
        }
        for (mount, other) in read.mounting.iter().zip(&written.mounting) {
            let difference = mount
                .mount
                .body_from_sensor()
                .perturbation_to(&other.mount.body_from_sensor());
            assert!(mount.name == other.name && difference.norm() < 1e-12);
            let roll = |mount: &Mount| mount.attitude.roll_rad.to_degrees();
            let wrong = roll(&mount.stated) - roll(&mount.mount);
            let slipped = mount
                .slipped
                .as_ref()
                .map(|(_, slipped)| roll(slipped) - roll(&mount.mount));
            if mount.kind == SensorKind::Sonar {
                assert!((wrong - 1.5).abs() < 1e-9 && (slipped.unwrap() - 2.0).abs() < 1e-9);
            } else {
                assert!(wrong.abs() < 1e-9 && slipped.is_none());
            }
        }
        assert_eq!(read.faults, written.faults);
        let faults: Vec<&str> = read.faults.iter().map(|fault| fault.fault.as_str()).collect();
        assert_eq!(faults, ["mount-roll", "slip-roll", "loss", "tide"]);
        assert_eq!(read.waterline_m, written.waterline_m);
        assert_eq!(Truth::grids(folder.path()).unwrap().len(), 2);
        Truth::verify(folder.path()).unwrap();
        let point = Vector3::new(3.1, -7.7, -2.0);
        assert_eq!(
            read.scene.nearest(&point, 1.0).unwrap().surface,
            written.scene.nearest(&point, 1.0).unwrap().surface
        );
    }

    #[test]
    fn damaged_files_are_refused_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        write(&short(), folder.path());
        let poses = folder.path().join(POSES);
        let good = fs::read_to_string(&poses).unwrap();
        for (bad, line) in [
            (String::new(), 1),
            (good.replacen("stamp_ns", "stamp", 1), 1),
            (good.replacen("\n1780", "\nx780", 1), 2),
            (good.replacen("0.", "nan", 1), 2),
            (good.clone() + "9000000000000000000,1e300,0,0,1,0,0,0\n", 103),
            (good.clone() + "1,2,3\n", 103),
            (good.clone() + good.lines().nth(1).unwrap(), 103),
        ] {
            fs::write(&poses, bad).unwrap();
            match Truth::read(folder.path()).unwrap_err() {
                Error::Content { line: found, .. } => assert_eq!(found, line),
                other => panic!("{other}"),
            }
        }
        fs::write(&poses, good).unwrap();
        let manifest = folder.path().join(TRUTH);
        let good = fs::read_to_string(&manifest).unwrap();
        let old = good.replacen("\"beluga_truth\": 2", "\"beluga_truth\": 1", 1);
        fs::write(&manifest, old).unwrap();
        let said = Truth::read(folder.path()).unwrap_err().to_string();
        assert!(said.contains("of version 2, found version 1"), "{said}");
        for bad in [
            good.replacen("\"rungs\"", "\"sprossen\"", 1),
            good.replacen("\"radius\": 0.0175", "\"radius\": -1.0", 1),
            good.replacen("\"radius\": 0.0175", "\"radius\": 1e300", 1),
            good.replacen("\"forward_m\": ", "\"forward_m\": 1e9", 1),
            good[..good.len() / 2].to_owned(),
        ] {
            assert_ne!(bad, good, "the case changes the file");
            fs::write(&manifest, bad).unwrap();
            assert!(matches!(Truth::read(folder.path()), Err(Error::Content { .. })));
        }
        fs::remove_file(&manifest).unwrap();
        assert!(matches!(Truth::read(folder.path()), Err(Error::Io { .. })));
        fs::create_dir(&manifest).unwrap();
        let said = Truth::read(folder.path()).unwrap_err().to_string();
        assert!(said.contains("expected a file, found a folder"), "{said}");
        #[cfg(unix)]
        {
            fs::remove_dir(&manifest).unwrap();
            std::os::unix::fs::symlink("/dev/zero", &manifest).unwrap();
            let said = Truth::read(folder.path()).unwrap_err().to_string();
            assert!(said.contains("found a pipe or a device"), "{said}");
        }
    }

    #[test]
    fn poses_between_the_listed_ones_are_interpolated() {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 0.5;
        let world = World::new(scenario).unwrap();
        let truth = world.truth();
        let start = crate::vessel::START;
        for seconds in [0.0, 0.1, 0.123_4, 0.499_9, 0.5] {
            let stamp = start.shifted_s(seconds);
            let difference = truth
                .pose_at(stamp)
                .unwrap()
                .perturbation_to(&world.pose_at(stamp));
            assert!(difference.norm() < 1e-5, "{seconds}: {}", difference.norm());
        }
        assert!(truth.pose_at(start.shifted_s(-0.001)).is_none());
        assert!(truth.pose_at(start.shifted_s(0.501)).is_none());
    }
}
