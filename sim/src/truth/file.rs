//! The truth as a folder: `truth.json` (scenario, mounting, surfaces, rungs) and `poses.csv`.

use std::fs;
use std::path::{Path, PathBuf};

use beluga_types::{Attitude, Mount, SensorKind, Transform};
use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use super::{TrueMount, Truth, poses};
use crate::error::Error;
use crate::scenario::Scenario;
use crate::scene::{ObjectBox, Parts, Rung, Scene, Surface, WallPlane};

const MANIFEST: &str = "truth.json";
const POSES: &str = "poses.csv";
/// Version of the folder's layout.
const VERSION: u32 = 1;
/// An hour of poses is about 80 MB.
const LARGEST_BYTES: u64 = 256 << 20;

/// `truth.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// Version of the layout.
    beluga_truth: u32,
    /// What the world was made from.
    scenario: Scenario,
    /// How each sensor is truly mounted.
    mounting: Vec<MountEntry>,
    /// Rotation from `Quay` to `World`, w x y z; they share their origin.
    world_from_quay_wxyz: [f64; 4],
    /// The wall's face at the waterline, its upward direction and its normal, in `Quay`.
    wall: [[f64; 3]; 3],
    /// The step irons.
    rungs: Vec<Rung>,
    /// The boxes of the objects that do not belong there, in `Quay`.
    #[serde(default)]
    objects: Vec<ObjectBox>,
    /// The surfaces, in `Quay`; a surface's id is its place in the list.
    surfaces: Vec<Surface>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MountEntry {
    name: String,
    kind: String,
    forward_m: f64,
    starboard_m: f64,
    down_m: f64,
    roll_deg: f64,
    pitch_deg: f64,
    heading_deg: f64,
}

impl Truth {
    /// Writes the truth into a folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), Error> {
        fs::create_dir_all(dir).map_err(|source| io("making a folder", source, dir))?;
        let wall = &self.scene.wall;
        let manifest = Manifest {
            beluga_truth: VERSION,
            scenario: self.scenario.clone(),
            mounting: self.mounting.iter().map(MountEntry::of).collect(),
            world_from_quay_wxyz: self.scene.world_from_quay.wxyz(),
            wall: [wall.origin, wall.up, wall.normal].map(Into::into),
            rungs: self.scene.rungs.clone(),
            objects: self.scene.objects.clone(),
            surfaces: self.scene.surfaces.clone(),
        };
        let path = dir.join(MANIFEST);
        let text =
            serde_json::to_string_pretty(&manifest).map_err(|error| io("writing", error.into(), &path))?;
        fs::write(&path, text + "\n").map_err(|source| io("writing", source, &path))?;
        let path = dir.join(POSES);
        fs::write(&path, poses::to_csv(&self.poses)).map_err(|source| io("writing", source, &path))
    }

    /// Reads the truth from a folder written by [`Self::write`].
    ///
    /// # Errors
    /// [`Error::Io`] if a file is missing, [`Error::TooLarge`] if one is larger than any this room
    /// writes, [`Error::Content`] with the line if one does not hold what it should, and
    /// [`Error::Scenario`] if the scenario has a number outside its range.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(MANIFEST);
        let text = read_capped(&path)?;
        let manifest: Manifest = serde_json::from_str(&text).map_err(|error| Error::Content {
            expected: "a truth as `beluga sim` writes it",
            found: error.to_string(),
            line: error.line(),
            path: path.clone(),
        })?;
        manifest.scenario.check()?;
        let scene = manifest.scene(&path)?;
        let mounting = manifest
            .mounting
            .iter()
            .map(|entry| entry.mount(&path))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            scenario: manifest.scenario,
            poses: poses::from_csv(&read_capped(&dir.join(POSES))?, &dir.join(POSES))?,
            mounting,
            scene,
        })
    }
}

impl Manifest {
    fn scene(&self, path: &Path) -> Result<Scene, Error> {
        let wrong = |expected, found: String| content(expected, found, 0, path);
        if self.beluga_truth != VERSION {
            return Err(wrong("`beluga_truth` to be 1", self.beluga_truth.to_string()));
        }
        let world_from_quay = Transform::from_wxyz(self.world_from_quay_wxyz, [0.0; 3]).ok_or_else(|| {
            wrong(
                "a rotation from quay to world",
                format!("{:?}", self.world_from_quay_wxyz),
            )
        })?;
        let [origin, up, normal] = self.wall.map(Vector3::from);
        if !unit(&up) || !unit(&normal) {
            return Err(wrong("unit vectors for the wall", format!("{:?}", self.wall)));
        }
        for surface in &self.surfaces {
            if !surface.shape.is_sound() {
                return Err(wrong(
                    "surfaces with unit axes and sizes above zero",
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

fn unit(vector: &Vector3<f64>) -> bool {
    (vector.norm() - 1.0).abs() < 1e-6
}

impl MountEntry {
    fn of(mounted: &TrueMount) -> Self {
        let mount = &mounted.mount;
        Self {
            name: mounted.name.clone(),
            kind: mounted.kind.name().to_owned(),
            forward_m: mount.forward_m,
            starboard_m: mount.starboard_m,
            down_m: mount.down_m,
            roll_deg: mount.attitude.roll_rad.to_degrees(),
            pitch_deg: mount.attitude.pitch_rad.to_degrees(),
            heading_deg: mount.attitude.heading_rad.to_degrees(),
        }
    }

    fn mount(&self, path: &Path) -> Result<TrueMount, Error> {
        let kind = [SensorKind::Lidar, SensorKind::Sonar, SensorKind::Nav]
            .into_iter()
            .find(|kind| kind.name() == self.kind)
            .ok_or_else(|| content("kind `lidar`, `sonar` or `nav`", self.kind.clone(), 0, path))?;
        Ok(TrueMount {
            name: self.name.clone(),
            kind,
            mount: Mount {
                forward_m: self.forward_m,
                starboard_m: self.starboard_m,
                down_m: self.down_m,
                attitude: Attitude::from_degrees([self.roll_deg, self.pitch_deg, self.heading_deg]),
            },
        })
    }
}

pub(crate) fn read_capped(path: &Path) -> Result<String, Error> {
    let found = fs::metadata(path)
        .map_err(|source| io("reading", source, path))?
        .len();
    if found > LARGEST_BYTES {
        return Err(Error::TooLarge {
            limit: LARGEST_BYTES,
            found,
            path: path.to_owned(),
        });
    }
    fs::read_to_string(path).map_err(|source| io("reading", source, path))
}

pub(crate) fn content(expected: &'static str, found: String, line: usize, path: &Path) -> Error {
    Error::Content {
        expected,
        found,
        line,
        path: PathBuf::from(path),
    }
}

fn io(doing: &'static str, source: std::io::Error, path: &Path) -> Error {
    Error::Io {
        doing,
        source,
        path: PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    fn truth() -> Truth {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 0.5;
        World::new(scenario).unwrap().truth()
    }

    #[test]
    fn truth_survives_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let written = truth();
        written.write(folder.path()).unwrap();
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
        }
        let point = Vector3::new(3.1, -7.7, -2.0);
        assert_eq!(
            read.scene.nearest(&point, 1.0).unwrap().surface,
            written.scene.nearest(&point, 1.0).unwrap().surface
        );
    }

    #[test]
    fn damaged_files_are_refused_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        truth().write(folder.path()).unwrap();
        let poses = folder.path().join(POSES);
        let good = fs::read_to_string(&poses).unwrap();
        for (bad, line) in [
            (String::new(), 1),
            (good.replacen("stamp_ns", "stamp", 1), 1),
            (good.replacen("\n1780", "\nx780", 1), 2),
            (good.replacen("0.", "nan", 1), 2),
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
        let manifest = folder.path().join(MANIFEST);
        let good = fs::read_to_string(&manifest).unwrap();
        for bad in [
            good.replacen("\"beluga_truth\": 1", "\"beluga_truth\": 2", 1),
            good.replacen("\"rungs\"", "\"sprossen\"", 1),
            good.replacen("\"radius\": 0.0175", "\"radius\": -1.0", 1),
            good[..good.len() / 2].to_owned(),
        ] {
            assert_ne!(bad, good, "the case changes the file");
            fs::write(&manifest, bad).unwrap();
            assert!(matches!(Truth::read(folder.path()), Err(Error::Content { .. })));
        }
        fs::remove_file(&manifest).unwrap();
        assert!(matches!(Truth::read(folder.path()), Err(Error::Io { .. })));
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
