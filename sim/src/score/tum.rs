//! Trajectories of other tools: TUM's and KITTI's forms, and which poses belong together.

use std::fs;
use std::path::Path;

use beluga_types::{Body, Stamp, Transform, World};
use nalgebra::{Matrix3, Quaternion, Rotation3, UnitQuaternion, Vector3};

use super::trajectory::Pair;
use crate::error::Error;
use crate::truth::{content, read_capped};

/// No place and no time is so large, and errors of what is could not be squared.
const TOO_LARGE: f64 = 1e12;

/// A trajectory as a file holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory {
    /// When each pose was; nothing in KITTI's form without its file of times.
    pub stamps: Option<Vec<Stamp>>,
    /// The poses, as many as stamps.
    pub poses: Vec<Transform<World, Body>>,
}

impl Trajectory {
    /// Whether a file looks like a trajectory: its first line that is not empty or a comment has 8 or
    /// 12 numbers. A file that cannot be read is none.
    pub fn is_one(path: &Path) -> bool {
        use std::io::{BufRead, BufReader, Read};
        // A pipe would be waited for.
        let file = path.is_file().then(|| fs::File::open(path).ok()).flatten();
        let Some(file) = file else {
            return false;
        };
        let mut first = String::new();
        for line in BufReader::new(file.take(1 << 16)).lines() {
            match line {
                Ok(line) if is_comment(&line) => {}
                Ok(line) => {
                    first = line;
                    break;
                }
                Err(_) => return false,
            }
        }
        numbers(&first).is_some_and(|numbers| matches!(numbers.len(), 8 | 12))
    }

    /// Reads TUM's form (`t x y z qx qy qz qw`, seconds and metres, `#` begins a comment) or KITTI's
    /// (the upper three rows of the 4×4 matrix, 12 numbers a line), whichever the first line is.
    /// `times` is KITTI's file of seconds, one a line.
    ///
    /// TUM: <https://cvg.cit.tum.de/data/datasets/rgbd-dataset/file_formats>; KITTI: the development
    /// kit of its odometry benchmark.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be read, [`Error::TooLarge`] beyond 256 MiB, [`Error::Content`]
    /// with the line that is not a pose, or where times and poses differ in number or go back.
    pub fn read(path: &Path, times: Option<&Path>) -> Result<Self, Error> {
        let text = read_capped(path)?;
        let mut stamps = Vec::new();
        let mut poses = Vec::new();
        let mut columns = None;
        for (line, number) in text.lines().zip(1..).filter(|(line, _)| !is_comment(line)) {
            let wrong = |expected| content(expected, line.chars().take(80).collect(), number, path);
            let numbers = numbers(line).ok_or_else(|| wrong("numbers below 1e12 with spaces between"))?;
            if *columns.get_or_insert(numbers.len()) != numbers.len() {
                return Err(wrong("as many numbers as in the first line"));
            }
            let pose = match numbers.as_slice() {
                [seconds, rest @ ..] if rest.len() == 7 => {
                    stamps.push(stamp(*seconds).ok_or_else(|| wrong("a time in seconds"))?);
                    tum_pose(rest)
                }
                twelve if twelve.len() == 12 => kitti_pose(twelve),
                _ => return Err(wrong("8 numbers (TUM) or 12 (KITTI)")),
            };
            poses.push(pose.ok_or_else(|| wrong("a rotation"))?);
        }
        if poses.is_empty() {
            return Err(content("a trajectory", "no pose".into(), 0, path));
        }
        let (stamps, path) = match times {
            Some(times) => (read_times(times)?, times),
            None => (stamps, path),
        };
        if !stamps.is_empty() && stamps.len() != poses.len() {
            let found = format!("{} times for {} poses", stamps.len(), poses.len());
            return Err(content("a time for each pose", found, 0, path));
        }
        if let Some(back) = stamps.windows(2).position(|pair| pair[1] < pair[0]) {
            let found = format!("time {} before time {}", back + 2, back + 1);
            return Err(content("times in order", found, 0, path));
        }
        Ok(Self {
            stamps: (!stamps.is_empty()).then_some(stamps),
            poses,
        })
    }

    /// Which of these poses belong to which of a reference, as `evo` decides it: of the trajectory with
    /// fewer poses, each goes with the one of the other that is nearest in time, if it is at most
    /// `tolerance_s` away; of two as near, the earlier. `offset_s` is added to these poses' times.
    /// Where one side has no times, poses belong together in order, and there must be as many.
    ///
    /// # Errors
    /// The numbers of poses, if there are no times and they differ.
    pub fn paired(&self, reference: &Self, tolerance_s: f64, offset_s: f64) -> Result<Vec<Pair>, [usize; 2]> {
        let (Some(found), Some(truth)) = (&self.stamps, &reference.stamps) else {
            if self.poses.len() != reference.poses.len() {
                return Err([self.poses.len(), reference.poses.len()]);
            }
            let times = self.stamps.as_ref().or(reference.stamps.as_ref());
            let in_order = |i: usize| Pair {
                // Poses without times count as one second apart.
                stamp: times.map_or_else(|| Stamp::from_nanos(i as i64 * 1_000_000_000), |times| times[i]),
                found: self.poses[i],
                truth: reference.poses[i],
            };
            return Ok((0..self.poses.len()).map(in_order).collect());
        };
        let found: Vec<Stamp> = found.iter().map(|stamp| stamp.shifted_s(offset_s)).collect();
        let pair = |i: usize, j: usize| Pair {
            stamp: found[i],
            found: self.poses[i],
            truth: reference.poses[j],
        };
        let (short, long) = if truth.len() > found.len() {
            (&found, truth)
        } else {
            (truth, &found)
        };
        let matches = short
            .iter()
            .enumerate()
            .filter_map(|(i, stamp)| Some((i, nearest(long, *stamp, tolerance_s)?)));
        Ok(matches
            .map(|(i, j)| {
                if truth.len() > found.len() {
                    pair(i, j)
                } else {
                    pair(j, i)
                }
            })
            .collect())
    }
}

/// The place of the stamp nearest to a moment; the earlier of two as near.
fn nearest(stamps: &[Stamp], moment: Stamp, tolerance_s: f64) -> Option<usize> {
    let after = stamps
        .partition_point(|stamp| *stamp <= moment)
        .min(stamps.len().checked_sub(1)?);
    let away = |i: usize| stamps[i].seconds_since(moment).abs();
    let best = match after.checked_sub(1) {
        Some(before) if away(before) <= away(after) => before,
        _ => after,
    };
    (away(best) <= tolerance_s).then_some(best)
}

fn is_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

fn numbers(line: &str) -> Option<Vec<f64>> {
    let parse = |word: &str| word.parse::<f64>().ok().filter(|number| number.abs() < TOO_LARGE);
    let words = line
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty());
    words.take(16).map(parse).collect()
}

/// Seconds since the epoch; the range is that of nanoseconds in 64 bits.
fn stamp(seconds: f64) -> Option<Stamp> {
    (seconds.abs() < 9.2e9).then(|| {
        let whole = seconds.floor();
        Stamp::from_nanos(whole as i64 * 1_000_000_000 + ((seconds - whole) * 1e9).round() as i64)
    })
}

fn tum_pose(numbers: &[f64]) -> Option<Transform<World, Body>> {
    let &[x, y, z, qx, qy, qz, qw] = numbers else {
        return None;
    };
    let rotation = Quaternion::new(qw, qx, qy, qz);
    ((rotation.norm() - 1.0).abs() < 1e-3)
        .then(|| Transform::new(UnitQuaternion::new_normalize(rotation), Vector3::new(x, y, z)))
}

fn kitti_pose(numbers: &[f64]) -> Option<Transform<World, Body>> {
    let row = |i: usize| &numbers[4 * i..4 * i + 4];
    let matrix = Matrix3::from_fn(|i, j| row(i)[j]);
    let skew = (matrix * matrix.transpose() - Matrix3::identity()).norm();
    if !(skew < 1e-2 && matrix.determinant() > 0.0) {
        return None;
    }
    let rotation = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(matrix));
    Some(Transform::new(rotation, Vector3::from_fn(|i, _| row(i)[3])))
}

fn read_times(path: &Path) -> Result<Vec<Stamp>, Error> {
    let text = read_capped(path)?;
    let lines = text.lines().zip(1..).filter(|(line, _)| !is_comment(line));
    lines
        .map(|(line, number)| {
            let seconds = line.trim().parse::<f64>().ok().and_then(stamp);
            seconds.ok_or_else(|| content("a time in seconds", line.chars().take(80).collect(), number, path))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, times: Option<&str>) -> Result<Trajectory, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("poses.txt");
        fs::write(&path, text).unwrap();
        let times = times.map(|times| {
            let path = folder.path().join("times.txt");
            fs::write(&path, times).unwrap();
            path
        });
        Trajectory::read(&path, times.as_deref())
    }

    #[test]
    fn both_forms_say_the_same_pose() {
        let half = 0.5f64.sqrt();
        let tum = read(
            &format!("# t x y z qx qy qz qw\n\n1.5 1 2 3 0 0 {half} {half}\n"),
            None,
        )
        .unwrap();
        let kitti = read("0 -1 0 1 1 0 0 2 0 0 1 3\n", Some("1.5\n")).unwrap();
        assert_eq!(tum.stamps, kitti.stamps);
        assert!(tum.poses[0].perturbation_to(&kitti.poses[0]).norm() < 1e-12);
        let without = read("0 -1 0 1 1 0 0 2 0 0 1 3\n", None).unwrap();
        assert_eq!(without.stamps, None);
    }

    #[test]
    fn what_is_no_pose_is_refused_with_its_line() {
        for (text, times, line) in [
            ("", None, 0),
            ("1 2 3\n", None, 1),
            ("1 0 0 0 0 0 0 1\n2 0 0 0 0 0 0 0\n", None, 2),
            ("1 0 0 0 0 0 0 1\n2 0 0 nan 0 0 0 1\n", None, 2),
            ("1 0 0 0 0 0 0 1\n1 0 0 0 0 1 0 0 0 0 1 0\n", None, 2),
            ("2 0 0 0 0 0 0 1\n1 0 0 0 0 0 0 1\n", None, 0),
            ("1 0 0 0 0 1 0 0 0 0 -1 0\n", None, 1),
            ("1 0 0 0 0 1 0 0 0 0 1 0\n", Some("1\n2\n"), 0),
            ("1 0 0 0 0 1 0 0 0 0 1 0\n", Some("soon\n"), 1),
        ] {
            match read(text, times) {
                Err(Error::Content { line: found, .. }) => assert_eq!(found, line, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn poses_are_paired_by_the_nearest_time() {
        let at = |times: &[f64]| Trajectory {
            stamps: Some(times.iter().map(|time| stamp(*time).unwrap()).collect()),
            poses: times
                .iter()
                .map(|time| Transform::new(UnitQuaternion::identity(), Vector3::x() * *time))
                .collect(),
        };
        let (few, many) = (
            at(&[0.0, 1.004, 2.02, 3.5]),
            at(&[0.995, 1.0, 1.008, 2.0, 2.03, 3.0]),
        );
        let pairs = few.paired(&many, 0.01, 0.0).unwrap();
        let x: Vec<[f64; 2]> = pairs
            .iter()
            .map(|p| [p.found.translation().x, p.truth.translation().x])
            .collect();
        assert_eq!(
            x,
            [[1.004, 1.0], [2.02, 2.03]],
            "as near to both sides: the earlier"
        );
        assert_eq!(many.paired(&few, 0.01, 0.0).unwrap().len(), 2);
        assert_eq!(few.paired(&many, 0.01, -0.5).unwrap().len(), 1, "3.5 goes to 3.0");
        assert!(few.paired(&at(&[9.0]), 0.01, 0.0).unwrap().is_empty());
        let order = Trajectory {
            stamps: None,
            ..few.clone()
        };
        assert_eq!(order.paired(&many, 0.01, 0.0), Err([4, 6]));
        assert_eq!(order.paired(&few, 0.01, 0.0).unwrap().len(), 4);
    }
}
