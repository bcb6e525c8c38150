//! A lidar's recording: one file for each scan, and where their times come from.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beluga_types::{GapCause, Payload, SensorSpec, Stamp};

use crate::cloud::Cloud;
use crate::error::{Error, Fault};
use crate::las::Local;
use crate::range::is_time;
use crate::source::{Loaded, Row, Source};
use crate::table::Table;
use crate::{kitti, las, pcd, ply};

const REQUIRED: [&str; 2] = ["file", "stamp_ns"];
const OPTIONAL: [&str; 3] = ["end_ns", "received_ns", "seq"];

/// How a scan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScanFormat {
    Ply,
    Pcd,
    /// LAS, and LAZ, which is the same packed.
    Las,
    /// `f32` x, y, z, reflectance.
    KittiBin,
    /// `f32` x, y, z.
    Xyz32,
}

impl ScanFormat {
    /// Every format, in the order in which they are looked for.
    pub(crate) const ALL: [ScanFormat; 5] = [
        ScanFormat::Ply,
        ScanFormat::Pcd,
        ScanFormat::Las,
        ScanFormat::KittiBin,
        ScanFormat::Xyz32,
    ];

    /// The word for it in `format`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ScanFormat::Ply => "ply",
            ScanFormat::Pcd => "pcd",
            ScanFormat::Las => "las",
            ScanFormat::KittiBin => "kitti",
            ScanFormat::Xyz32 => "xyz32",
        }
    }

    /// The format that `format` names.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = if name == "laz" { "las" } else { name };
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The endings of such files.
    pub(crate) fn extensions(self) -> &'static [&'static str] {
        match self {
            ScanFormat::Ply => &["ply"],
            ScanFormat::Pcd => &["pcd"],
            ScanFormat::Las => &["las", "laz"],
            ScanFormat::KittiBin => &["bin"],
            ScanFormat::Xyz32 => &["xyz32"],
        }
    }

    /// The format of a file by its ending.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|format| has_extension(path, format.extensions()))
    }

    /// The scans in a folder by name, or the one that `path` itself is.
    pub(crate) fn files(self, path: &Path) -> Result<Vec<PathBuf>, Error> {
        if path.is_file() {
            return Ok(vec![path.to_owned()]);
        }
        files_of(path, self.extensions())
    }

    /// The format of scans that play without a rig: a file's, or the first that a folder holds. A
    /// PLY cloud alone does not.
    pub(crate) fn bare(path: &Path) -> Option<Self> {
        let mut bare = Self::ALL.into_iter().filter(|format| *format != ScanFormat::Ply);
        bare.find(|format| format.is_at(path))
    }

    /// Whether this is such a file or a folder of them.
    pub(crate) fn is_at(self, path: &Path) -> bool {
        match path.is_file() {
            true => has_extension(path, self.extensions()),
            false => self.files(path).is_ok(),
        }
    }
}

/// The scans of one lidar.
pub(crate) struct Scans {
    format: ScanFormat,
    folder: PathBuf,
    times: Times,
    /// The time from scan to scan, if the rig states it.
    period_nanos: Option<i64>,
    /// Where the coordinates of LAS files are counted from.
    local: Option<Local>,
}

/// One scan: where it is, or what has been read of it when its time was looked for.
pub(crate) enum Scan {
    At(PathBuf),
    Read(Box<Cloud>),
}

/// Where the times come from.
enum Times {
    /// `times.csv` beside the scans.
    Table(Table),
    /// The files say it themselves.
    Own(std::vec::IntoIter<PathBuf>),
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
        let local = match format {
            ScanFormat::Las => Some(local(&format.files(folder)?, spec, notes)?),
            _ => None,
        };
        let mut scans = Self {
            format,
            folder: folder.to_owned(),
            times: Times::Own(Vec::new().into_iter()),
            period_nanos: spec.rate_hz.map(|rate_hz| (1e9 / rate_hz) as i64),
            local,
        };
        let first = scans.first_readable();
        let report = first.as_ref().and_then(|cloud| cloud.times.as_ref());
        if let Some(report) = report.filter(|report| !report.is_plain()) {
            notes.push(format!("sensor `{}`: {report}", spec.name));
        }
        if let Some(far) = first.as_ref().and_then(Cloud::far) {
            notes.push(format!("sensor `{}`: {far}", spec.name));
        }
        let table = folder.join("times.csv");
        scans.times = if table.is_file() {
            Times::Table(Table::open(&table, &REQUIRED, &OPTIONAL)?)
        } else {
            scans.times_without_table(spec, first.is_some_and(|cloud| cloud.start.is_some()), notes)?
        };
        Ok(scans)
    }

    fn read(&self, path: &Path) -> Result<Cloud, Error> {
        match (self.format, &self.local) {
            (ScanFormat::Ply, _) => ply::read_cloud(path, self.period_nanos),
            (ScanFormat::Pcd, _) => pcd::read(path, self.period_nanos),
            (ScanFormat::Las, Some(local)) => las::read(path, local),
            (ScanFormat::Las, None) => las::read(path, &Local::of(path)?),
            (ScanFormat::KittiBin, _) => kitti::read_scan(path, true).map(Cloud::from),
            (ScanFormat::Xyz32, _) => kitti::read_scan(path, false).map(Cloud::from),
        }
    }

    /// `has_own`: whether the points have times of day.
    fn times_without_table(
        &self,
        spec: &SensorSpec,
        has_own: bool,
        notes: &mut Vec<String>,
    ) -> Result<Times, Error> {
        let (folder, format) = (&self.folder, self.format);
        let files = format.files(folder)?;
        if has_own {
            return Ok(Times::Own(files.into_iter()));
        }
        let is_kitti = matches!(format, ScanFormat::KittiBin | ScanFormat::Xyz32);
        if let Some(path) = kitti::times_file(folder).filter(|_| is_kitti) {
            let stamps = kitti::read_times(&path, spec.start.unwrap_or_default())?;
            if stamps.len() != files.len() {
                let expected = format!("{} times, one for each scan", files.len());
                return Err(Error::bad(&path, "lines", expected, format!("{}", stamps.len())));
            }
            return Ok(Times::Listed(files.into_iter().zip(stamps)));
        }
        // One scan alone has no rate.
        let rate_hz = spec.rate_hz.or((files.len() == 1).then_some(1.0));
        match (rate_hz, spec.start) {
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

    /// The first scan of the folder that can be read: it tells how the times of all are written.
    fn first_readable(&self) -> Option<Cloud> {
        /// Files that are tried: damage at the start is no reason to read everything.
        const TRIED: usize = 3;
        let can_have = matches!(self.format, ScanFormat::Ply | ScanFormat::Pcd | ScanFormat::Las);
        let files = self.format.files(&self.folder).ok().filter(|_| can_have)?;
        files.iter().take(TRIED).find_map(|path| self.read(path).ok())
    }

    /// What is wrong with a scan, without its name where the recording is this one file: who tells
    /// of it names the recording.
    fn fault(&self, error: &Error) -> Fault {
        let mut fault = Fault::unread(error);
        if let Some(bare) = fault.detail.strip_suffix(&format!(": {}", self.folder.display())) {
            fault.detail = bare.to_owned();
        }
        fault
    }

    /// The next file that says its own time, read now: its time stands in it.
    fn own_row(&self, path: PathBuf) -> Result<Row<Scan>, Fault> {
        let cloud = self.read(&path).map_err(|error| self.fault(&error))?;
        let Some(stamp) = cloud.start.filter(|start| is_time(*start)) else {
            return Err(Fault {
                cause: GapCause::Corrupt,
                lost: 1,
                detail: format!("no time of day in its points: {}", path.display()),
            });
        };
        Ok(Row {
            place: path.display().to_string(),
            seq: None,
            stamp,
            end: None,
            received: None,
            what: Scan::Read(Box::new(cloud)),
        })
    }
}

/// The local origin of LAS files: by the first that can be read.
fn local(files: &[PathBuf], spec: &SensorSpec, notes: &mut Vec<String>) -> Result<Local, Error> {
    let mut first = Local::of(&files[0]);
    for path in &files[1..] {
        first = first.or_else(|_| Local::of(path));
    }
    let local = first?;
    notes.push(format!("sensor `{}`: {}", spec.name, local.said()));
    Ok(local)
}

impl Source for Scans {
    type What = Scan;

    fn next_row(&mut self) -> Option<Result<Row<Scan>, Fault>> {
        let (path, stamp) = match &mut self.times {
            Times::Table(table) => {
                let line = match table.next_line()? {
                    Ok(line) => line,
                    Err(error) => return Some(Err(Fault::corrupt(&error))),
                };
                let row = || -> Result<Row<Scan>, Error> {
                    Ok(Row {
                        place: format!("times.csv {}", line.place()),
                        seq: line.integer("seq")?,
                        stamp: line.required_stamp("stamp_ns")?,
                        end: line.stamp("end_ns")?,
                        received: line.stamp("received_ns")?,
                        what: Scan::At(self.folder.join(line.required_text("file")?)),
                    })
                };
                return Some(row().map_err(|error| Fault::corrupt(&error)));
            }
            Times::Own(files) => {
                let path = files.next()?;
                return Some(self.own_row(path));
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
            what: Scan::At(path),
        }))
    }

    fn load(&mut self, scan: Scan) -> Loaded {
        let cloud = match scan {
            Scan::At(path) => self.read(&path).map_err(|error| self.fault(&error)),
            Scan::Read(cloud) => Ok(*cloud),
        };
        match cloud {
            Ok(cloud) => {
                let last_offset_nanos = i64::from(cloud.scan.last_offset_nanos());
                Loaded {
                    from_stamp_nanos: cloud.from_stamp_nanos,
                    ..Loaded::whole(Payload::Lidar(Arc::new(cloud.scan)), last_offset_nanos)
                }
            }
            Err(fault) => Loaded::lost(fault),
        }
    }
}

/// The files with this ending, by name.
pub(crate) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Error> {
    files_of(folder, &[extension])
}

/// The files with one of these endings, by name.
fn files_of(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if has_extension(&path, extensions) && path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        let endings: Vec<String> = extensions
            .iter()
            .map(|extension| format!("`*.{extension}`"))
            .collect();
        return Err(Error::Empty {
            expected: format!("files {}", endings.join(" or ")),
            path: folder.to_owned(),
        });
    }
    files.sort();
    Ok(files)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|found| {
        extensions
            .iter()
            .any(|extension| found.eq_ignore_ascii_case(extension))
    })
}
