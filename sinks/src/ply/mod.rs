//! Frames as one PLY file in `World`, for any program that shows point clouds.
//!
//! Binary, little-endian (G. Turk, "The PLY Polygon File Format", 1994), one vertex per point.
//! PLY has neither 64-bit integers nor absent values, so:
//!
//! - a time is `stamp_high` · 2³² + `stamp_low` nanoseconds since the Unix epoch, a sequence
//!   number `source_seq_high` · 2³² + `source_seq_low`;
//! - `snr_db` means something only where `has_snr` is 1, and is 0 elsewhere.
//!
//! `sigma_*_m` lie on the beam's axes; the six `cov_*` columns are the same random error as a
//! symmetric matrix in `World`, each at most the largest float (3.4e38 m²). Neither holds what
//! points share (pose, boresight, sound speed): see [`SolidarFrame::jacobian`].

mod layout;

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use beluga_types::{Origin, SolidarFrame};

use crate::fresh::FreshFile;
use layout::{ROW_BYTES, header, push_row};

/// What can go wrong while a PLY file is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A frame whose columns differ in length or whose numbers are not finite.
    #[error("frame {index} does not keep its promises")]
    Frame {
        /// The frame's index.
        index: u64,
        /// What is wrong with it.
        source: beluga_types::Error,
    },
    /// The file could not be written.
    #[error("writing points: {}", path.display())]
    Io {
        /// What the system said.
        source: std::io::Error,
        /// Which file.
        path: PathBuf,
    },
    /// A count does not fit PLY's 32 bits.
    #[error("{what} is {found}, a PLY file counts to {}", u32::MAX)]
    TooMany {
        /// Which count.
        what: &'static str,
        /// How many.
        found: u64,
    },
}

/// Writes frames to a PLY file, one after the other, holding none.
///
/// The file bears its name only after [`Self::finish`]. A writer that is dropped without it, or that
/// fails to finish, leaves nothing; a process that ends at once leaves `NAME.part`, which says that
/// it has no points.
pub struct Writer {
    path: PathBuf,
    file: FreshFile,
    origin: Option<Origin>,
    vertices: u64,
}

impl Writer {
    /// Starts the file where none exists.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be made, also if anything exists at the path.
    pub fn create(path: &Path, origin: Option<&Origin>) -> Result<Self, Error> {
        let file = FreshFile::create(path).map_err(at(path))?;
        let mut writer = Self {
            path: path.to_owned(),
            file,
            origin: origin.cloned(),
            vertices: 0,
        };
        writer.write(header(0, writer.origin.as_ref()).as_bytes())?;
        Ok(writer)
    }

    /// Adds all points of a frame.
    ///
    /// # Errors
    /// [`Error::Frame`] for a frame that does not keep its promises, [`Error::TooMany`] beyond 2³²
    /// frames or points, [`Error::Io`] if the file cannot be written.
    pub fn push(&mut self, frame: &SolidarFrame) -> Result<(), Error> {
        let index = frame.index;
        frame
            .points
            .check()
            .map_err(|source| Error::Frame { index, source })?;
        let frame_index = count("frame index", index)?;
        let vertices = self.vertices + frame.points.len() as u64;
        count("number of points", vertices)?;
        let rotation = frame.world_from_body.rotation_matrix();
        let mut rows = Vec::with_capacity(frame.points.len() * ROW_BYTES);
        for i in 0..frame.points.len() {
            let covariance = rotation * frame.covariance(i) * rotation.transpose();
            push_row(&mut rows, frame, frame_index, i, &covariance);
        }
        self.write(&rows)?;
        self.vertices = vertices;
        Ok(())
    }

    /// Writes the count of points into the header and says it.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn finish(mut self) -> Result<u64, Error> {
        self.file.seek(SeekFrom::Start(0)).map_err(at(&self.path))?;
        let header = header(self.vertices, self.origin.as_ref());
        self.write(header.as_bytes())?;
        self.file.finish().map_err(at(&self.path))?;
        Ok(self.vertices)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(at(&self.path))
    }
}

fn count(what: &'static str, found: u64) -> Result<u32, Error> {
    u32::try_from(found).map_err(|_| Error::TooMany { what, found })
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::Io { source, path }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use beluga_types::Geodetic;

    use super::layout::COLUMNS;
    use super::*;
    use crate::arrow::specimen;
    use beluga_types::elementary::Squared;

    /// A plain reader: comments, and each vertex as numbers by name.
    fn read(bytes: &[u8]) -> (Vec<String>, Vec<BTreeMap<String, f64>>) {
        let end = b"end_header\n";
        let at = bytes.windows(end.len()).position(|window| window == end).unwrap() + end.len();
        let header = std::str::from_utf8(&bytes[..at]).unwrap();
        let of = |word: &str| -> Vec<String> {
            let prefix = format!("{word} ");
            header
                .lines()
                .filter_map(|line| line.strip_prefix(&prefix))
                .map(str::to_owned)
                .collect()
        };
        let vertices: usize = of("element vertex")[0].parse().unwrap();
        let mut rest = &bytes[at..];
        let mut take = |n: usize| {
            let (taken, after) = rest.split_at(n);
            rest = after;
            taken
        };
        let rows = (0..vertices)
            .map(|_| {
                let number = |property: &String| {
                    let (kind, name) = property.split_once(' ').unwrap();
                    let value = match kind {
                        "double" => f64::from_le_bytes(take(8).try_into().unwrap()),
                        "float" => f32::from_le_bytes(take(4).try_into().unwrap()).into(),
                        "int" => i32::from_le_bytes(take(4).try_into().unwrap()).into(),
                        "uint" => u32::from_le_bytes(take(4).try_into().unwrap()).into(),
                        "ushort" => u16::from_le_bytes(take(2).try_into().unwrap()).into(),
                        "uchar" => take(1)[0].into(),
                        other => panic!("{other}"),
                    };
                    (name.to_owned(), value)
                };
                of("property").iter().map(number).collect()
            })
            .collect();
        assert!(rest.is_empty(), "{} bytes left", rest.len());
        (of("comment"), rows)
    }

    fn written(frames: &[SolidarFrame], origin: Option<&Origin>) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cloud.ply");
        let mut writer = Writer::create(&path, origin).unwrap();
        for frame in frames {
            writer.push(frame).unwrap();
        }
        let points: usize = frames.iter().map(|frame| frame.points.len()).sum();
        assert_eq!(writer.finish().unwrap(), points as u64);
        std::fs::read(path).unwrap()
    }

    #[test]
    fn every_column_comes_back_and_points_lie_in_world() {
        let frames = [
            specimen::frame(5, 12, 0),
            specimen::frame(6, 0, 0),
            specimen::frame(7, 30, 1),
        ];
        let (_, rows) = read(&written(&frames, None));
        let places = frames
            .iter()
            .flat_map(|frame| (0..frame.points.len()).map(move |i| (frame, i)));
        let mut checked = 0;
        for ((frame, i), row) in places.zip(&rows) {
            let points = &frame.points;
            let place = frame.point_in_world(i);
            let found = nalgebra::Vector3::new(row["x"], row["y"], row["z"]);
            assert!((place.vector() - found).norm() < 1e-4, "0.1 mm");
            let joined = |high: &str, low: &str| (row[high] as i128) << 32 | row[low] as i128;
            let stamp = frame.window.end.nanos() + i64::from(points.offset_nanos[i]);
            assert_eq!(joined("stamp_high", "stamp_low"), i128::from(stamp));
            let seq = joined("source_seq_high", "source_seq_low");
            assert_eq!(seq, i128::from(points.source_seq[i]));
            let snr_db = (row["has_snr"] == 1.0).then_some(row["snr_db"] as f32);
            assert_eq!(snr_db, points.snr_db[i]);
            let covariance = nalgebra::Matrix3::new(
                row["cov_xx"],
                row["cov_xy"],
                row["cov_xz"],
                row["cov_xy"],
                row["cov_yy"],
                row["cov_yz"],
                row["cov_xz"],
                row["cov_yz"],
                row["cov_zz"],
            );
            let range = frame.world_from_body.rotation_matrix() * frame.beam_axes(i).column(0);
            let variance = (range.transpose() * covariance * range).x;
            assert!((variance - f64::from(points.sigma_range_m[i]).squared()).abs() < 1e-7);
            for (name, expected) in [
                ("frame_index", frame.index as f64),
                ("offset_nanos", points.offset_nanos[i].into()),
                ("sensor", points.sensor[i].into()),
                ("medium", f64::from(points.medium[i] as u8)),
                ("level", points.level[i].into()),
                ("sigma_range_m", points.sigma_range_m[i].into()),
                ("sigma_along_m", points.sigma_along_m[i].into()),
                ("sigma_across_m", points.sigma_across_m[i].into()),
                ("label", f64::from(points.label[i] as u8)),
                ("source_index", points.source_index[i].into()),
            ] {
                assert_eq!(row[name], expected, "{name}");
            }
            assert_eq!(row.len(), COLUMNS.len());
            checked += 1;
        }
        assert_eq!(checked, 42);
    }

    #[test]
    fn the_header_says_where_the_points_lie() {
        let origin = Origin {
            anchor: Geodetic::from_degrees(54.0925, 12.0984, 41.25),
            ..Origin::default()
        };
        let (comments, rows) = read(&written(&[], Some(&origin)));
        assert!(rows.is_empty());
        let expected = "origin: latitude 54.092500000 deg, longitude 12.098400000 deg, \
                        height 41.2500 m above the ellipsoid, datum WGS 84";
        assert!(comments.iter().any(|comment| comment == expected), "{comments:?}");
        assert!(comments.iter().any(|comment| comment == "medium: 0 air, 1 water"));
    }

    #[test]
    fn an_index_beyond_32_bits_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(&dir.path().join("cloud.ply"), None).unwrap();
        let mut frame = specimen::frame(1, 1, 0);
        frame.index = 1 << 32;
        assert!(matches!(writer.push(&frame), Err(Error::TooMany { .. })));
    }

    #[test]
    fn nothing_is_overwritten_and_an_unfinished_file_does_not_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cloud.ply");
        let mut writer = Writer::create(&path, None).unwrap();
        assert!(matches!(Writer::create(&path, None), Err(Error::Io { .. })));
        assert!(!path.exists(), "no name before it is whole");
        writer.push(&specimen::frame(1, 3, 0)).unwrap();
        drop(writer);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        Writer::create(&path, None).unwrap().finish().unwrap();
        assert!(matches!(Writer::create(&path, None), Err(Error::Io { .. })));
        assert!(path.exists(), "a refused call leaves what is there");
    }

    #[test]
    fn covariances_beyond_a_float_stay_finite() {
        let mut frame = specimen::frame(1, 2, 0);
        for sigma in [&mut frame.points.sigma_range_m, &mut frame.points.sigma_along_m] {
            sigma.fill(f32::MAX);
        }
        let (_, rows) = read(&written(&[frame], None));
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.values().all(|value| value.is_finite())));
        let largest = f64::from(f32::MAX);
        assert!(rows[0].values().any(|value| value.abs() == largest));
    }
}
