//! The path of the vehicle in the forms other tools read.
//!
//! A pose is `world_from_body` at the end of a frame's window: it takes coordinates in `Body`
//! (x forward, y left, z up) to `World` (local east, north, up), in metres.
//!
//! - TUM (<https://cvg.cit.tum.de/data/datasets/rgbd-dataset/file_formats>): `t x y z qx qy qz qw`,
//!   t in seconds UTC since 1970; first a line of comment.
//! - KITTI (development kit of its odometry benchmark): the upper three rows of the 4×4 matrix, 12
//!   numbers a line; times, one a line as in TUM, stand in a second file, `NAME.times.txt`. KITTI's
//!   own poses are those of a camera (z forward) from the first one; these keep our axes and origin.

use std::io::Write;
use std::path::{Path, PathBuf};

use beluga_types::{SolidarFrame, Stamp};

use crate::export_error::{ExportError, at};
use crate::fresh::FreshFile;

/// The forms of a trajectory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One file, with times.
    Tum,
    /// Poses, and times beside them.
    Kitti,
}

/// Writes one pose per frame. The files bear their names only after [`Self::finish`].
pub struct Writer {
    path: PathBuf,
    file: FreshFile,
    /// KITTI's second file.
    times: Option<(PathBuf, FreshFile)>,
    poses: u64,
}

impl Writer {
    /// Starts the file, or both.
    ///
    /// # Errors
    /// [`ExportError::Io`] if one cannot be made, also if anything exists there.
    pub fn create(path: &Path, form: Form) -> Result<Self, ExportError> {
        let mut file = FreshFile::create(path).map_err(at(path))?;
        let times = match form {
            Form::Tum => {
                let told =
                    b"# seconds UTC since 1970, world_from_body: x y z (m, east north up), qx qy qz qw\n";
                file.write_all(told).map_err(at(path))?;
                None
            }
            Form::Kitti => {
                let beside = times_path(path);
                let file = FreshFile::create(&beside).map_err(at(&beside))?;
                Some((beside, file))
            }
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            times,
            poses: 0,
        })
    }

    /// Adds a frame's pose.
    ///
    /// # Errors
    /// [`ExportError::Io`].
    pub fn push(&mut self, frame: &SolidarFrame) -> Result<(), ExportError> {
        let time = seconds(frame.window.end);
        let pose = &frame.world_from_body;
        let place = pose.translation();
        let line = if let Some((path, times)) = &mut self.times {
            writeln!(times, "{time}").map_err(at(path))?;
            let turn = pose.rotation_matrix();
            let rows = (0..3).map(|row| {
                let [a, b, c] = [0, 1, 2].map(|column| turn[(row, column)]);
                format!("{a:.12} {b:.12} {c:.12} {:.6}", place[row])
            });
            rows.collect::<Vec<_>>().join(" ")
        } else {
            let [w, x, y, z] = pose.wxyz();
            let [east, north, up] = place.into();
            format!("{time} {east:.6} {north:.6} {up:.6} {x:.12} {y:.12} {z:.12} {w:.12}")
        };
        writeln!(self.file, "{line}").map_err(at(&self.path))?;
        self.poses += 1;
        Ok(())
    }

    /// Brings the files to disk and gives them their names; says how many poses.
    ///
    /// # Errors
    /// [`ExportError::Io`].
    pub fn finish(self) -> Result<u64, ExportError> {
        if let Some((path, times)) = self.times {
            times.finish().map_err(at(&path))?;
        }
        self.file.finish().map_err(at(&self.path))?;
        Ok(self.poses)
    }
}

/// Where KITTI's times lie: `NAME.times.txt`, without the ending of the poses' file.
pub fn times_path(path: &Path) -> PathBuf {
    path.with_extension("times.txt")
}

fn seconds(stamp: Stamp) -> String {
    let (whole, rest) = (
        stamp.nanos().div_euclid(1_000_000_000),
        stamp.nanos().rem_euclid(1_000_000_000),
    );
    format!("{whole}.{rest:09}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrow::specimen;
    use beluga_types::{Body, Transform, World};
    use nalgebra::{UnitQuaternion, Vector3};

    fn written(form: Form) -> (String, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("poses.txt");
        let mut writer = Writer::create(&path, form).unwrap();
        let mut frame = specimen::frame(1, 0, 0);
        frame.window.end = Stamp::from_nanos(1_760_000_000_000_000_007);
        // The bow points north: x forward is east north up's second axis.
        let quarter = UnitQuaternion::from_scaled_axis(Vector3::z() * std::f64::consts::FRAC_PI_2);
        frame.world_from_body = Transform::<World, Body>::new(quarter, Vector3::new(1.0, 2.0, 3.0));
        writer.push(&frame).unwrap();
        assert_eq!(writer.finish().unwrap(), 1);
        (
            std::fs::read_to_string(&path).unwrap(),
            std::fs::read_to_string(times_path(&path)).ok(),
        )
    }

    #[test]
    fn a_pose_by_hand_in_both_forms() {
        let (tum, times) = written(Form::Tum);
        let half = "0.707106781187";
        let expected = format!(
            "1760000000.000000007 1.000000 2.000000 3.000000 0.000000000000 0.000000000000 {half} {half}"
        );
        assert_eq!((tum.lines().nth(1), times), (Some(expected.as_str()), None));
        let (kitti, times) = written(Form::Kitti);
        let numbers: Vec<f64> = kitti
            .split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect();
        let expected = [0.0, -1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 1.0, 3.0];
        assert!(
            numbers
                .iter()
                .zip(expected)
                .all(|(found, expected)| (found - expected).abs() < 1e-9)
        );
        assert_eq!(
            (numbers.len(), times.as_deref()),
            (12, Some("1760000000.000000007\n"))
        );
    }
}
