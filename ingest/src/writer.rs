//! A folder recording, written measurement by measurement.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use beluga_types::{Measurement, Payload, Rig, SensorKind, SensorSpec, StampMeaning};

use crate::error::Error;
use crate::pings_out::PingsOut;
use crate::pulses::{self, PulseRow};
use crate::{gaps, nav, ply, rig_toml};

/// Writes a folder recording.
///
/// Stamps are written as they are in the measurements, corrected and at the first firing; so the
/// written rig has no `time_offset_ms` and `stamp = "start"`. A folder that was never
/// [`finished`](Self::finish) opens and reads as far as it was written; its tables may end inside a line.
pub struct Writer {
    folder: PathBuf,
    rig: Rig,
    outs: Vec<Out>,
    pulses: Vec<PulseRow>,
    gaps: Option<TableOut>,
}

enum Out {
    Scans {
        folder: PathBuf,
        times: TableOut,
        count: u64,
    },
    Pings(PingsOut),
    Nav(TableOut),
}

impl Writer {
    /// Starts a recording in a folder that is made, or is empty.
    ///
    /// # Errors
    /// If the folder holds something, a sensor's name cannot be a file name, or nothing can be
    /// written there.
    pub fn create(folder: &Path, rig: &Rig) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        if fs::read_dir(folder).map_err(Error::io(folder))?.next().is_some() {
            return Err(Error::Exists {
                path: folder.to_owned(),
            });
        }
        let mut rig = rig.clone();
        let count = |kind| rig.sensors.iter().filter(|spec| spec.kind == kind).count();
        let (lidars, navs) = (count(SensorKind::Lidar), count(SensorKind::Nav));
        let mut outs = Vec::with_capacity(rig.sensors.len());
        for spec in &mut rig.sensors {
            check_name(&spec.name, folder)?;
            let name = &spec.name;
            let (source, format) = match spec.kind {
                SensorKind::Lidar if lidars == 1 => ("lidar".to_owned(), "ply"),
                SensorKind::Lidar => (format!("lidar/{name}"), "ply"),
                SensorKind::Sonar => (format!("sonar/{name}.pings.csv"), "wav"),
                SensorKind::Nav if navs == 1 => ("nav.csv".to_owned(), "csv"),
                SensorKind::Nav => (format!("nav/{name}.csv"), "csv"),
            };
            outs.push(Out::create(&folder.join(&source), spec)?);
            spec.source = Some(source);
            spec.format = Some(format.to_owned());
            spec.time_offset_nanos = 0;
            spec.stamp = StampMeaning::Start;
        }
        rig_toml::write(&folder.join("rig.toml"), &rig)?;
        Ok(Self {
            folder: folder.to_owned(),
            rig,
            outs,
            pulses: Vec::new(),
            gaps: None,
        })
    }

    /// Writes one measurement. Measurements come in timeline order.
    ///
    /// # Errors
    /// If it cannot be written, or this form of recording has no place for such a payload.
    pub fn push(&mut self, measurement: &Measurement) -> Result<(), Error> {
        let index = usize::from(measurement.sensor.0);
        let (Some(spec), Some(out)) = (self.rig.sensors.get(index), self.outs.get_mut(index)) else {
            return Err(Error::Unsupported {
                what: format!("a measurement of sensor {index}, which the rig lacks,"),
                path: self.folder.clone(),
            });
        };
        match (&measurement.payload, out) {
            (Payload::Gap(gap), _) => {
                let path = self.folder.join("gaps.csv");
                let table = match &mut self.gaps {
                    Some(table) => table,
                    None => self.gaps.insert(TableOut::create(path, &gaps::header())?),
                };
                table.push(&gaps::line(&spec.name, measurement, gap))
            }
            (Payload::Lidar(scan), Out::Scans { folder, times, count }) => {
                let file = format!("{count:06}.ply");
                *count += 1;
                ply::write(&folder.join(&file), scan)?;
                let (stamp, end) = (measurement.stamp.nanos(), measurement.end.nanos());
                let (received, seq) = (measurement.received.nanos(), measurement.seq);
                times.push(&format!("{file},{stamp},{end},{received},{seq}\n"))
            }
            (Payload::Sonar(ping), Out::Pings(pings)) => {
                let known = self.pulses.len();
                pings.push(measurement, ping, spec, &mut self.pulses)?;
                if self.pulses.len() > known {
                    // At once, so that a recording that stops here can be read.
                    pulses::write(&self.folder.join("pulses.csv"), &self.pulses)?;
                }
                Ok(())
            }
            (payload, Out::Nav(table)) => {
                let Measurement {
                    stamp, received, seq, ..
                } = *measurement;
                match nav::line(stamp, received, seq, payload, self.rig.origin.as_ref()) {
                    Some(line) => table.push(&line),
                    None => Err(no_place(measurement, spec, &self.folder)),
                }
            }
            _ => Err(no_place(measurement, spec, &self.folder)),
        }
    }

    /// Ends the recording: everything is on the disk's way after this.
    ///
    /// # Errors
    /// If something cannot be written.
    pub fn finish(self) -> Result<(), Error> {
        for out in self.outs {
            match out {
                Out::Scans { times: table, .. } | Out::Nav(table) => table.finish()?,
                Out::Pings(pings) => pings.finish()?,
            }
        }
        self.gaps.map_or(Ok(()), TableOut::finish)
    }
}

impl Out {
    fn create(source: &Path, spec: &SensorSpec) -> Result<Self, Error> {
        let make = |folder: &Path| fs::create_dir_all(folder).map_err(Error::io(folder));
        let above = source.parent().unwrap_or(Path::new("."));
        match spec.kind {
            SensorKind::Lidar => {
                make(source)?;
                let times =
                    TableOut::create(source.join("times.csv"), "file,stamp_ns,end_ns,received_ns,seq\n")?;
                Ok(Out::Scans {
                    folder: source.to_owned(),
                    times,
                    count: 0,
                })
            }
            SensorKind::Sonar => {
                make(above)?;
                Ok(Out::Pings(PingsOut::create(source, &spec.name)?))
            }
            SensorKind::Nav => {
                make(above)?;
                Ok(Out::Nav(TableOut::create(source.to_owned(), &nav::header())?))
            }
        }
    }
}

/// A table that grows line by line. Each line goes to the system at once: what it tells of is there, and
/// a disk that is full, or a program that stops, must not take the lines of hours with it.
pub(crate) struct TableOut {
    path: PathBuf,
    file: File,
}

impl TableOut {
    pub(crate) fn create(path: PathBuf, header: &str) -> Result<Self, Error> {
        let file = File::create(&path).map_err(Error::io(&path))?;
        let mut table = Self { path, file };
        table.push(header)?;
        Ok(table)
    }

    pub(crate) fn push(&mut self, line: &str) -> Result<(), Error> {
        self.file
            .write_all(line.as_bytes())
            .map_err(Error::io(&self.path))
    }

    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.file.flush().map_err(Error::io(&self.path))
    }
}

fn check_name(name: &str, folder: &Path) -> Result<(), Error> {
    let good = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | ' ');
    if name.chars().all(good) && !name.starts_with('.') {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: format!("sensor name `{}`, which is no file name,", name.escape_debug()),
        path: folder.to_owned(),
    })
}

fn no_place(measurement: &Measurement, spec: &SensorSpec, folder: &Path) -> Error {
    let payload = match &measurement.payload {
        Payload::Lidar(_) => "a scan",
        Payload::Sonar(_) => "a ping",
        Payload::Pose(_) => "a pose without an origin in the rig",
        Payload::Gnss(_) | Payload::Attitude(_) => "a fix",
        Payload::Imu(_) => "an IMU sample",
        Payload::Velocity(_) => "a velocity",
        Payload::Depth(_) => "a depth",
        Payload::SoundSpeed(_) => "a speed of sound",
        Payload::Clock(_) => "a clock state",
        _ => "this payload",
    };
    Error::Unsupported {
        what: format!("{payload} of sensor `{}`", spec.name),
        path: folder.to_owned(),
    }
}
