//! `poses.csv`: a true pose per line, `World` from `Body`, in order of time.

use std::path::Path;

use beluga_types::{Body, Stamp, Transform, World};
use nalgebra::{Quaternion, UnitQuaternion, Vector3};

use super::file::{content, near};
use super::writer::Out;
use crate::error::Error;

/// The name of the file.
pub(super) const POSES: &str = "poses.csv";
const HEADER: &str = "stamp_ns,x_m,y_m,z_m,qw,qx,qy,qz";

type Poses = Vec<(Stamp, Transform<World, Body>)>;

/// Writes the file, pose after pose.
///
/// # Errors
/// [`Error::Io`] if it cannot be written.
pub(super) fn write(
    dir: &Path,
    poses: impl Iterator<Item = (Stamp, Transform<World, Body>)>,
) -> Result<(), Error> {
    let mut out = Out::create(dir.join(POSES))?;
    out.push(format!("{HEADER}\n").as_bytes())?;
    for (stamp, pose) in poses {
        let p = pose.translation();
        let [w, x, y, z] = pose.wxyz();
        let line = format!(
            "{},{:.6},{:.6},{:.6},{w:.9},{x:.9},{y:.9},{z:.9}\n",
            stamp.nanos(),
            p.x,
            p.y,
            p.z
        );
        out.push(line.as_bytes())?;
    }
    out.finish()
}

/// The poses in a file's text; `path` is for messages.
///
/// # Errors
/// [`Error::Content`] at the first line that is wrong.
pub(super) fn from_csv(text: &str, path: &Path) -> Result<Poses, Error> {
    let mut lines = text.lines().zip(1..);
    match lines.next() {
        Some((HEADER, _)) => {}
        other => {
            let found = other.map_or("an empty file", |(line, _)| line);
            return Err(content(
                "the header stamp_ns,x_m,y_m,z_m,qw,qx,qy,qz",
                shortened(found),
                1,
                path,
            ));
        }
    }
    let mut poses: Poses = Vec::new();
    for (line, number) in lines {
        let pose = parse_pose(line).ok_or_else(|| {
            content(
                "a time, a place within 100 km and a unit quaternion",
                shortened(line),
                number,
                path,
            )
        })?;
        if poses.last().is_some_and(|(before, _)| *before >= pose.0) {
            return Err(content(
                "a time after the one before",
                shortened(line),
                number,
                path,
            ));
        }
        poses.push(pose);
    }
    Ok(poses)
}

fn parse_pose(line: &str) -> Option<(Stamp, Transform<World, Body>)> {
    let (stamp, rest) = line.split_once(',')?;
    let numbers: Vec<f64> = rest
        .split(',')
        .take(8)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let &[x, y, z, qw, qx, qy, qz] = numbers.as_slice() else {
        return None;
    };
    let rotation = Quaternion::new(qw, qx, qy, qz);
    let place = Vector3::new(x, y, z);
    if !((rotation.norm() - 1.0).abs() < 1e-3 && near(&place)) {
        return None;
    }
    let pose = Transform::new(UnitQuaternion::new_normalize(rotation), place);
    Some((Stamp::from_nanos(stamp.parse().ok()?), pose))
}

/// Enough of a line to recognise it.
fn shortened(line: &str) -> String {
    line.chars().take(80).collect()
}
