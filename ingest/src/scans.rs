//! A lidar's recording: one file for each scan, and where their times come from.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beluga_types::{LidarScan, Payload, SensorSpec, Stamp};

use crate::error::{Error, Fault};
use crate::source::{Loaded, Row, Source};
use crate::table::Table;
use crate::{kitti, ply};

const REQUIRED: [&str; 2] = ["file", "stamp_ns"];
const OPTIONAL: [&str; 3] = ["end_ns", "received_ns", "seq"];

/// How a scan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScanFormat {
    Ply,
    /// `f32` x, y, z, reflectance.
    KittiBin,
    /// `f32` x, y, z.
    Xyz32,
}

impl ScanFormat {
    /// The word for it in `format`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ScanFormat::Ply => "ply",
            ScanFormat::KittiBin => "kitti",
            ScanFormat::Xyz32 => "xyz32",
        }
    }

    /// The ending of such files.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            ScanFormat::Ply => "ply",
            ScanFormat::KittiBin => "bin",
            ScanFormat::Xyz32 => "xyz32",
        }
    }

    fn read(self, path: &Path) -> Result<LidarScan, Error> {
        match self {
            ScanFormat::Ply => ply::read(path),
            ScanFormat::KittiBin => kitti::read_scan(path, true),
            ScanFormat::Xyz32 => kitti::read_scan(path, false),
        }
    }
}

/// The scans of one lidar.
pub(crate) struct Scans {
    format: ScanFormat,
    folder: PathBuf,
    times: Times,
}

/// Where the times come from.
enum Times {
    /// `times.csv` beside the scans.
    Table(Table),
    /// A file of times with one line for each scan.
    Listed(std::iter::Zip<std::vec::IntoIter<PathBuf>, std::vec::IntoIter<Stamp>>),
    /// One scan each period.
    Made {
        files: std::iter::Enumerate<std::vec::IntoIter<PathBuf>>,
        start: Stamp,
        rate_hz: f64,
    },
}

impl Scans {
    /// The scans in `folder`; a note if their times were made.
    pub(crate) fn open(
        folder: &Path,
        format: ScanFormat,
        spec: &SensorSpec,
        notes: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let table = folder.join("times.csv");
        let times = if table.is_file() {
            Times::Table(Table::open(&table, &REQUIRED, &OPTIONAL)?)
        } else {
            Self::times_without_table(folder, format, spec, notes)?
        };
        Ok(Self {
            format,
            folder: folder.to_owned(),
            times,
        })
    }

    fn times_without_table(
        folder: &Path,
        format: ScanFormat,
        spec: &SensorSpec,
        notes: &mut Vec<String>,
    ) -> Result<Times, Error> {
        let files = files(folder, format.extension())?;
        if let Some(path) = kitti::times_file(folder).filter(|_| format != ScanFormat::Ply) {
            let stamps = kitti::read_times(&path, spec.start.unwrap_or_default())?;
            if stamps.len() != files.len() {
                let expected = format!("{} times, one for each scan", files.len());
                return Err(Error::bad(&path, "lines", expected, format!("{}", stamps.len())));
            }
            return Ok(Times::Listed(files.into_iter().zip(stamps)));
        }
        match (spec.rate_hz, spec.start) {
            (Some(rate_hz), Some(start)) => {
                notes.push(format!(
                    "sensor `{}`: times made from {rate_hz} Hz and start {} ns",
                    spec.name,
                    start.nanos()
                ));
                let files = files.into_iter().enumerate();
                Ok(Times::Made {
                    files,
                    start,
                    rate_hz,
                })
            }
            (rate_hz, start) => Err(Error::NoTimes {
                sensor: spec.name.clone(),
                expected: "`times.csv`".into(),
                found: match (rate_hz, start) {
                    (None, None) => "neither".into(),
                    (None, Some(_)) => "no `rate_hz`".into(),
                    _ => "no `start_ns`".into(),
                },
                path: folder.to_owned(),
            }),
        }
    }
}

impl Source for Scans {
    type What = PathBuf;

    fn next_row(&mut self) -> Option<Result<Row<PathBuf>, Fault>> {
        let (path, stamp) = match &mut self.times {
            Times::Table(table) => {
                let line = match table.next_line()? {
                    Ok(line) => line,
                    Err(error) => return Some(Err(Fault::corrupt(&error))),
                };
                let row = || -> Result<Row<PathBuf>, Error> {
                    Ok(Row {
                        place: format!("times.csv {}", line.place()),
                        seq: line.integer("seq")?,
                        stamp: line.required_stamp("stamp_ns")?,
                        end: line.stamp("end_ns")?,
                        received: line.stamp("received_ns")?,
                        what: self.folder.join(line.required_text("file")?),
                    })
                };
                return Some(row().map_err(|error| Fault::corrupt(&error)));
            }
            Times::Listed(files) => files.next()?,
            Times::Made {
                files,
                start,
                rate_hz,
            } => {
                let (index, path) = files.next()?;
                (path, start.shifted_s(index as f64 / *rate_hz))
            }
        };
        Some(Ok(Row {
            place: path.display().to_string(),
            seq: None,
            stamp,
            end: None,
            received: None,
            what: path,
        }))
    }

    fn load(&mut self, path: PathBuf) -> Loaded {
        match self.format.read(&path) {
            Ok(scan) => {
                let last_offset_nanos = i64::from(scan.last_offset_nanos());
                Loaded::whole(Payload::Lidar(Arc::new(scan)), last_offset_nanos)
            }
            Err(error) => Loaded::lost(Fault::unread(&error)),
        }
    }
}

/// The files with this ending, by name.
pub(crate) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if path
            .extension()
            .is_some_and(|found| found.eq_ignore_ascii_case(extension))
            && path.is_file()
        {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Error::Empty {
            expected: format!("files `*.{extension}`"),
            path: folder.to_owned(),
        });
    }
    files.sort();
    Ok(files)
}
