//! Frames as one LAS 1.4 or LAZ file, the form surveyors exchange clouds in.
//!
//! Point format 6. Coordinates are tenths of a millimetre from an offset near the first point, in
//! the system of a [`Placement`], which stands in the file as WKT; in `World` no system is claimed.
//! GPS time is adjusted standard time (10⁹ s less than GPS time; good to 0.1 µs). Class, flags and
//! intensity: `classes.rs` and `point.rs`; the file holds its own table of classes. Extra
//! dimensions: `sigma_range_m`, `sigma_along_m`, `sigma_across_m` (one sigma of the random error on
//! the beam's axes), `snr_db` (−9999 where none was measured), `level`, `frame`, `sensor`,
//! `medium`, `label`, `thu_m` and `tvu_m` (total uncertainties at 95 %, with all that points share),
//! `s44` (the strictest order of IHO S-44 whose uncertainties a sounding keeps within: 1 Exclusive,
//! 2 Special, 3 for 1a and 1b, 4 for 2; 0 if none, or no sounding).
//!
//! Source: ASPRS, "LAS Specification 1.4 – R15" (2019). LAZ through the crate `laz`.

mod classes;
mod header;
mod point;

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use beluga_types::{SolidarFrame, Stamp};
use laz::{LasZipCompressor, LazItemRecordBuilder, LazVlr};

use crate::export_error::{ExportError, at};
use crate::fresh::FreshFile;
use crate::place::Placement;
use header::{Totals, Vlr, encode};
use point::{EXTRA_LEN, POINT_LEN};

/// Metres of one unit of a coordinate.
const SCALE_M: f64 = 1e-4;
/// How far from its offset a file's points may lie, in metres.
pub(crate) const REACH_M: f64 = SCALE_M * i32::MAX as f64;
/// To what the offset is rounded, in metres.
const OFFSET_STEP_M: f64 = 1000.0;

/// Writes frames to a LAS or LAZ file, one after the other, holding none.
///
/// The file bears its name only after [`Self::finish`].
pub struct Writer {
    path: PathBuf,
    out: Out<FreshFile>,
}

impl Writer {
    /// Starts a file: LAZ if `is_packed`, else LAS.
    ///
    /// # Errors
    /// [`ExportError::Io`] if it cannot be made, also if anything exists at the path.
    pub fn create(path: &Path, placement: Placement, is_packed: bool) -> Result<Self, ExportError> {
        let file = FreshFile::create(path).map_err(at(path))?;
        Ok(Self {
            out: Out::begin(file, placement, is_packed).map_err(at(path))?,
            path: path.to_owned(),
        })
    }

    /// Adds all points of a frame.
    ///
    /// # Errors
    /// [`ExportError::Frame`] for a frame that does not keep its promises, [`ExportError::TooFar`],
    /// [`ExportError::Io`].
    pub fn push(&mut self, frame: &SolidarFrame) -> Result<(), ExportError> {
        let index = frame.index;
        frame
            .points
            .check()
            .map_err(|source| ExportError::Frame { index, source })?;
        let rows = self.out.rows(frame)?;
        self.out.write(&rows).map_err(at(&self.path))
    }

    /// Writes counts and bounds, brings the file to disk and gives it its name; says how many points.
    ///
    /// # Errors
    /// [`ExportError::Io`].
    pub fn finish(self) -> Result<u64, ExportError> {
        let points = self.out.totals.points;
        let file = self.out.end().map_err(at(&self.path))?;
        file.finish().map_err(at(&self.path))?;
        Ok(points)
    }
}

/// Points on their way into a file.
enum Body<W: Write + Send + 'static> {
    Plain(W),
    Packed(Box<LasZipCompressor<'static, W>>),
}

struct Out<W: Write + Send + 'static> {
    body: Body<W>,
    placement: Placement,
    records: Vec<Vlr>,
    totals: Totals,
    has_frame: bool,
}

impl<W: Write + Seek + Send + Sync + 'static> Out<W> {
    fn begin(mut file: W, placement: Placement, is_packed: bool) -> std::io::Result<Self> {
        let packing = is_packed.then(|| {
            LazItemRecordBuilder::default_for_point_format_id(6, EXTRA_LEN as u16)
                .map(LazVlr::from_laz_items)
                .map_err(std::io::Error::other)
        });
        let packing = packing.transpose()?;
        let records = Vlr::all(placement.wkt(), packing.as_ref())?;
        let totals = Totals {
            points: 0,
            scale_m: SCALE_M,
            offset_m: [0.0; 3],
            bounds_m: [[0.0; 2]; 3],
            first: Stamp::default(),
        };
        file.write_all(&encode(&totals, &records, is_packed))?;
        let body = match packing {
            None => Body::Plain(file),
            Some(packing) => Body::Packed(Box::new(
                LasZipCompressor::new(file, packing).map_err(std::io::Error::other)?,
            )),
        };
        Ok(Self {
            body,
            placement,
            records,
            totals,
            has_frame: false,
        })
    }

    /// The points of a frame as they stand in the file.
    fn rows(&mut self, frame: &SolidarFrame) -> Result<Vec<u8>, ExportError> {
        if !self.has_frame {
            self.has_frame = true;
            self.totals.first = frame.window.end;
        }
        let frame_index = u32::try_from(frame.index).unwrap_or(u32::MAX);
        let mut rows = Vec::with_capacity(frame.points.len() * (POINT_LEN + EXTRA_LEN));
        for i in 0..frame.points.len() {
            let place = self.count(self.placement.place(&frame.point_in_world(i)))?;
            point::push(&mut rows, frame, frame_index, i, place);
        }
        Ok(rows)
    }

    /// A place in units from the offset; the first place decides the offset.
    fn count(&mut self, place: [f64; 3]) -> Result<[i32; 3], ExportError> {
        let totals = &mut self.totals;
        if totals.points == 0 {
            totals.offset_m = place.map(|value| (value / OFFSET_STEP_M).round() * OFFSET_STEP_M);
        }
        let mut units = [0; 3];
        for axis in 0..3 {
            let from_offset_m = place[axis] - totals.offset_m[axis];
            let is_within_reach = from_offset_m.abs() < REACH_M;
            if !is_within_reach {
                return Err(ExportError::TooFar {
                    found_m: from_offset_m.abs(),
                });
            }
            units[axis] = (from_offset_m / SCALE_M).round() as i32;
            // The bounds are those of what a reader computes.
            let read = f64::from(units[axis]) * SCALE_M + totals.offset_m[axis];
            let [low, high] = &mut totals.bounds_m[axis];
            if totals.points == 0 {
                (*low, *high) = (read, read);
            }
            (*low, *high) = (low.min(read), high.max(read));
        }
        totals.points += 1;
        Ok(units)
    }

    fn write(&mut self, rows: &[u8]) -> std::io::Result<()> {
        match &mut self.body {
            Body::Plain(file) => file.write_all(rows),
            Body::Packed(packer) => packer.compress_many(rows),
        }
    }

    /// Ends the points and writes the header anew.
    fn end(self) -> std::io::Result<W> {
        let is_packed = matches!(self.body, Body::Packed(_));
        let mut file = match self.body {
            Body::Plain(file) => file,
            Body::Packed(mut packer) => {
                packer.done()?;
                packer.into_inner()
            }
        };
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&encode(&self.totals, &self.records, is_packed))?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests;
