//! LAS 1.0 to 1.4 and LAZ: one file is one scan.
//!
//! Of a point are used x, y, z, intensity and GPS time; points that are marked as withheld or whose
//! time is not finite are left out and counted. Coordinates of a survey are large, so they are
//! never made `f32` as they are: what is given are metres from a local origin that all files of a
//! source share ([`Local`]). Nothing is projected: the axes stay those of the file's own system.
//!
//! Where the global encoding says standard GPS time, it becomes UTC by the leap table of the types
//! (`leap.rs`), and the file has its own time; GPS week time has no day, so then only the offsets
//! within a scan come from the file. A file that spans more than 2.147 s has no offsets.
//!
//! Source: ASPRS, "LAS Specification 1.4 – R15" (2019). LAZ through the crate `laz`, behind the
//! checks of `packed.rs`.

mod header;
mod local;
mod packed;

use std::path::Path;

use beluga_types::Stamp;

use crate::cloud::{Absolute, Cloud};
use crate::columns::{Columns, TimeColumn, TimeNumbers, Wrong};
use crate::error::Error;
use crate::ply::read_whole;
use crate::point_times::{Said, Unit};
use header::{Header, Times};
pub(crate) use local::Local;

/// The largest file that is read, in bytes.
const MAX_LAS_BYTES: u64 = 4 << 30;
/// Points that are unpacked at a time.
const BLOCK: usize = 4096;
/// What adjusted standard GPS time leaves out, in seconds.
const ADJUSTED_S: i64 = 1_000_000_000;

/// Reads a file as metres from the local origin.
///
/// # Errors
/// If the file cannot be read, is not LAS or LAZ, is cut, or has another unit than `local`.
pub(crate) fn read(path: &Path, local: &Local) -> Result<Cloud, Error> {
    parse(&read_whole(path, MAX_LAS_BYTES)?, local)
        .map_err(|wrong| Error::bad(path, wrong.place, wrong.expected, wrong.found))
}

/// The scan in the bytes of a file that is a source by itself; `path` is for messages.
pub(crate) fn alone(bytes: &[u8], path: &Path) -> Result<Cloud, Error> {
    let local = Header::parse(bytes).and_then(|header| Local::by(&header, bytes));
    local
        .and_then(|local| parse(bytes, &local))
        .map_err(|wrong| Error::bad(path, wrong.place, wrong.expected, wrong.found))
}

fn parse(bytes: &[u8], local: &Local) -> Result<Cloud, Wrong> {
    let header = Header::parse(bytes)?;
    local.check_unit(&header, bytes)?;
    let mut points = Points::new(&header, local);
    if header.is_packed {
        packed::unpack(&header, bytes, BLOCK, |block| points.take(block))?;
    } else {
        let body = header.body(bytes)?;
        for block in body.chunks(BLOCK * header.stride) {
            points.take(block);
        }
    }
    points.cloud()
}

/// Points as they are read.
struct Points<'a> {
    header: &'a Header,
    local: &'a Local,
    columns: Columns,
    times: Vec<f64>,
}

impl<'a> Points<'a> {
    fn new(header: &'a Header, local: &'a Local) -> Self {
        let columns = Columns {
            intensity: Some(Vec::new()),
            ..Columns::default()
        };
        Self {
            header,
            local,
            columns,
            times: Vec::new(),
        }
    }

    /// Takes whole records.
    fn take(&mut self, records: &[u8]) {
        for record in records.chunks_exact(self.header.stride) {
            let raw = |at: usize| i32::from_le_bytes(field(record, at));
            let place =
                |axis: usize| f64::from(raw(4 * axis)) * self.header.scale[axis] + self.header.offset[axis];
            let [x, y, z] = self.local.metres([place(0), place(1), place(2)]);
            self.columns.x.push(x as f32);
            self.columns.y.push(y as f32);
            self.columns.z.push(z as f32);
            let intensity = f32::from(u16::from_le_bytes(field(record, 12)));
            self.columns.intensity.get_or_insert_default().push(intensity);
            self.columns.bad.push(self.header.is_withheld(record[15]));
            if let Some(at) = self.header.time_at {
                self.times.push(f64::from_le_bytes(field(record, at)));
            }
        }
    }

    fn cloud(mut self) -> Result<Cloud, Wrong> {
        if self.header.time_at.is_none() {
            return self.columns.cloud(0, None);
        }
        if self.header.times != Times::Standard {
            self.columns.time = Some(TimeColumn {
                name: "GPS time".to_owned(),
                said: Said::InUnit(Unit::Seconds),
                numbers: TimeNumbers::F64(self.times),
            });
            return self.columns.cloud(0, None);
        }
        let stamp = |time: &f64| {
            let whole = time.floor();
            if whole.is_nan() || whole.abs() > 1e11 {
                return None;
            }
            Stamp::from_gps(whole as i64 + ADJUSTED_S, time - whole)
        };
        let times = Absolute(self.times.iter().map(stamp).collect::<Vec<Option<Stamp>>>());
        self.columns.offset_nanos = times.offsets(&mut self.columns.bad);
        Ok(Cloud {
            start: times.start(),
            ..self.columns.cloud(0, None)?
        })
    }
}

fn field<const N: usize>(record: &[u8], at: usize) -> [u8; N] {
    *record[at..]
        .first_chunk()
        .expect("a record is as long as its format needs, by the header's check")
}

#[cfg(test)]
mod tests;
