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
//! symmetric matrix in `World`. Neither holds what points share (pose, boresight, sound speed):
//! see [`SolidarFrame::jacobian`].

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use beluga_types::{Label, Medium, Origin, SolidarFrame};
use nalgebra::Matrix3;

/// What can go wrong while a PLY file is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A frame whose columns differ in length or whose numbers are not finite.
    #[error("frame {index}: {source}")]
    Frame {
        /// The frame's index.
        index: u64,
        /// What is wrong with it.
        source: beluga_types::Error,
    },
    /// The file could not be written.
    #[error("{source}: {}", path.display())]
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

/// The columns of a vertex: PLY type, name, and for a comment its unit and meaning.
const COLUMNS: [(&str, &str, &str); 25] = [
    ("double", "x", "m, World east"),
    ("double", "y", "m, World north"),
    ("double", "z", "m, World up"),
    ("uint", "frame_index", "frame it belongs to"),
    ("int", "stamp_high", "ns since 1970-01-01 UTC, upper 32 bits"),
    ("uint", "stamp_low", "its lower 32 bits"),
    ("int", "offset_nanos", "ns against the end of the frame's window"),
    ("ushort", "sensor", "place in the rig's list"),
    ("uchar", "medium", ""),
    ("float", "level", "device unit for light, dB for sound"),
    ("float", "snr_db", "dB, only where has_snr is 1"),
    ("uchar", "has_snr", "whether snr_db was measured"),
    ("float", "sigma_range_m", "m, one sigma along the beam"),
    (
        "float",
        "sigma_along_m",
        "m, along the sensor's x across the beam",
    ),
    ("float", "sigma_across_m", "m, along the third axis"),
    ("uchar", "label", ""),
    (
        "uint",
        "source_seq_low",
        "sequence number of the scan or ping, lower 32 bits",
    ),
    ("uint", "source_seq_high", "its upper 32 bits"),
    ("uint", "source_index", "point of the scan, or beam of the ping"),
    ("float", "cov_xx", "m2, random covariance in World"),
    ("float", "cov_xy", "m2"),
    ("float", "cov_xz", "m2"),
    ("float", "cov_yy", "m2"),
    ("float", "cov_yz", "m2"),
    ("float", "cov_zz", "m2"),
];

/// Writes frames to a PLY file, one after the other, holding none.
///
/// The count of vertices stands at the file's start and is only right after [`Self::finish`]:
/// without it the file says that it has none.
pub struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
    origin: Option<Origin>,
    vertices: u64,
}

impl Writer {
    /// Starts the file; one that is there is replaced.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be made.
    pub fn create(path: &Path, origin: Option<&Origin>) -> Result<Self, Error> {
        let file = File::create(path).map_err(at(path))?;
        let mut writer = Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
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
        self.file.flush().map_err(at(&self.path))?;
        Ok(self.vertices)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(at(&self.path))
    }
}

/// Bytes of one vertex.
const ROW_BYTES: usize = 105;

/// One vertex, in the order of [`COLUMNS`].
fn push_row(rows: &mut Vec<u8>, frame: &SolidarFrame, frame_index: u32, i: usize, covariance: &Matrix3<f64>) {
    let points = &frame.points;
    let place = frame.point_in_world(i).vector();
    for axis in 0..3 {
        rows.extend(place[axis].to_le_bytes());
    }
    rows.extend(frame_index.to_le_bytes());
    let offset_nanos = points.offset_nanos[i];
    let stamp = frame.window.end.shifted_nanos(offset_nanos.into()).nanos();
    rows.extend(((stamp >> 32) as i32).to_le_bytes());
    rows.extend((stamp as u32).to_le_bytes());
    rows.extend(offset_nanos.to_le_bytes());
    rows.extend(points.sensor[i].to_le_bytes());
    rows.push(points.medium[i] as u8);
    rows.extend(points.level[i].to_le_bytes());
    let snr_db = points.snr_db[i].filter(|snr_db| snr_db.is_finite());
    rows.extend(snr_db.unwrap_or(0.0).to_le_bytes());
    rows.push(u8::from(snr_db.is_some()));
    rows.extend(points.sigma_range_m[i].to_le_bytes());
    rows.extend(points.sigma_along_m[i].to_le_bytes());
    rows.extend(points.sigma_across_m[i].to_le_bytes());
    rows.push(points.label[i] as u8);
    let seq = points.source_seq[i];
    rows.extend((seq as u32).to_le_bytes());
    rows.extend(((seq >> 32) as u32).to_le_bytes());
    rows.extend(points.source_index[i].to_le_bytes());
    for (row, column) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)] {
        rows.extend((covariance[(row, column)] as f32).to_le_bytes());
    }
}

/// The header, of the same length for every count.
fn header(vertices: u64, origin: Option<&Origin>) -> String {
    let mut lines = vec![
        "ply".to_owned(),
        "format binary_little_endian 1.0".to_owned(),
        "comment BELUGA, points in World: local east-north-up, metres".to_owned(),
        origin_comment(origin),
        format!("comment medium: {}", numbered(Medium::ALL.map(Medium::name))),
        format!("comment label: {}", numbered(Label::ALL.map(Label::name))),
    ];
    for (_, name, meaning) in COLUMNS.into_iter().filter(|(_, _, meaning)| !meaning.is_empty()) {
        lines.push(format!("comment {name}: {meaning}"));
    }
    // The count grows when the file is finished; this line shrinks by as much.
    let digits = vertices.to_string();
    lines.push(format!(
        "comment {}",
        ".".repeat(u32::MAX.to_string().len() + 1 - digits.len())
    ));
    lines.push(format!("element vertex {digits}"));
    lines.extend(COLUMNS.map(|(kind, name, _)| format!("property {kind} {name}")));
    lines.push("end_header\n".to_owned());
    lines.join("\n")
}

fn origin_comment(origin: Option<&Origin>) -> String {
    let Some(origin) = origin else {
        return "comment origin: none, World is the vehicle's own space at its first measurement".to_owned();
    };
    let anchor = &origin.anchor;
    format!(
        "comment origin: latitude {:.9} deg, longitude {:.9} deg, height {:.4} m above the ellipsoid, datum WGS 84",
        anchor.latitude_rad.to_degrees(),
        anchor.longitude_rad.to_degrees(),
        anchor.height_m
    )
}

/// `0 air, 1 water`.
fn numbered<const N: usize>(words: [&str; N]) -> String {
    let numbered: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(i, word)| format!("{i} {word}"))
        .collect();
    numbered.join(", ")
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

    use super::*;
    use crate::arrow::specimen;

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
            assert!((variance - f64::from(points.sigma_range_m[i]).powi(2)).abs() < 1e-7);
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
    fn the_header_has_one_length_for_every_count() {
        let lengths = [0, 9, 10, 12_345, u64::from(u32::MAX)].map(|count| header(count, None).len());
        assert!(lengths.iter().all(|&length| length == lengths[0]), "{lengths:?}");
    }

    #[test]
    fn an_index_beyond_32_bits_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(&dir.path().join("cloud.ply"), None).unwrap();
        let mut frame = specimen::frame(1, 1, 0);
        frame.index = 1 << 32;
        assert!(matches!(writer.push(&frame), Err(Error::TooMany { .. })));
    }
}
