//! Points as a table of text, one line each, for spreadsheets and scripts.
//!
//! RFC 4180 with line ends of one LF: numbers with a point, no quotes needed; `snr_db` is empty
//! where none was measured. Columns name their units; `stamp_ns` is UTC since 1970, the sigmas are
//! one sigma of the random error on the beam's axes, `sensor` is the place in the rig's list. `thu_m` and
//! `tvu_m` are total uncertainties at 95 %, with all that points share; `s44` is the strictest order of
//! IHO S-44 whose uncertainties a sounding keeps within (`Exclusive`, `Special`, `1`, `2`), empty where it
//! keeps within none, is none, or its depth is not known (a rig without a waterline).

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use beluga_types::SolidarFrame;
use beluga_types::s44::SoundingOrder;

use crate::export_error::{ExportError, at};
use crate::fresh::FreshFile;
use crate::place::Placement;

/// Writes frames to a CSV file, one after the other, holding none. The file bears its name only
/// after [`Self::finish`].
pub struct Writer {
    path: PathBuf,
    file: FreshFile,
    placement: Placement,
    points: u64,
}

impl Writer {
    /// Starts a file with its line of column names.
    ///
    /// # Errors
    /// [`ExportError::Io`] if it cannot be made, also if anything exists at the path.
    pub fn create(path: &Path, placement: Placement) -> Result<Self, ExportError> {
        let mut file = FreshFile::create(path).map_err(at(path))?;
        let [x, y, z] = placement.columns();
        writeln!(
            file,
            "stamp_ns,frame,sensor,medium,label,{x},{y},{z},level,snr_db,sigma_range_m,sigma_along_m,sigma_across_m,source_seq,source_index,thu_m,tvu_m,s44"
        )
        .map_err(at(path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            placement,
            points: 0,
        })
    }

    /// Adds all points of a frame.
    ///
    /// # Errors
    /// [`ExportError::Frame`] for a frame that does not keep its promises, [`ExportError::Io`].
    pub fn push(&mut self, frame: &SolidarFrame) -> Result<(), ExportError> {
        let index = frame.index;
        let points = &frame.points;
        points
            .check()
            .map_err(|source| ExportError::Frame { index, source })?;
        let mut lines = String::new();
        for i in 0..points.len() {
            let stamp = frame
                .window
                .end
                .shifted_nanos(points.offset_nanos[i].into())
                .nanos();
            let [x, y, z] = self.placement.place(&frame.point_in_world(i));
            let snr_db = points.snr_db[i].filter(|snr_db| snr_db.is_finite());
            let snr_db = snr_db.map_or(String::new(), |snr_db| snr_db.to_string());
            let total = frame.total_uncertainty(i);
            let order = frame.sounding_order(i, &total).map_or("", SoundingOrder::name);
            // Writing to a string cannot fail.
            let _ = writeln!(
                lines,
                "{stamp},{index},{},{},{},{x:.4},{y:.4},{z:.4},{},{snr_db},{},{},{},{},{},{:.4},{:.4},{order}",
                points.sensor[i],
                points.medium[i].name(),
                points.label[i].name(),
                points.level[i],
                points.sigma_range_m[i],
                points.sigma_along_m[i],
                points.sigma_across_m[i],
                points.source_seq[i],
                points.source_index[i],
                total.thu_m,
                total.tvu_m,
            );
        }
        self.file.write_all(lines.as_bytes()).map_err(at(&self.path))?;
        self.points += points.len() as u64;
        Ok(())
    }

    /// Brings the file to disk and gives it its name; says how many points.
    ///
    /// # Errors
    /// [`ExportError::Io`].
    pub fn finish(self) -> Result<u64, ExportError> {
        self.file.finish().map_err(at(&self.path))?;
        Ok(self.points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrow::specimen;

    #[test]
    fn every_point_is_a_line_that_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloud.csv");
        let frames = [
            specimen::frame(5, 12, 0),
            specimen::frame(6, 0, 0),
            specimen::frame(7, 30, 1),
        ];
        let mut writer = Writer::create(&path, Placement::world()).unwrap();
        for frame in &frames {
            writer.push(frame).unwrap();
        }
        assert_eq!(writer.finish().unwrap(), 42);
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        assert_eq!(names[5..8], ["east_m", "north_m", "up_m"]);
        let places = frames
            .iter()
            .flat_map(|frame| (0..frame.points.len()).map(move |i| (frame, i)));
        let mut checked = 0;
        for ((frame, i), line) in places.zip(lines.by_ref()) {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields.len(), names.len());
            let number = |name: &str| {
                let at = names.iter().position(|found| *found == name).unwrap();
                fields[at].parse::<f64>().ok()
            };
            let place = frame.point_in_world(i);
            for (name, expected) in [("east_m", place.x()), ("north_m", place.y()), ("up_m", place.z())] {
                assert!((number(name).unwrap() - expected).abs() < 6e-5);
            }
            assert_eq!(number("snr_db").map(|snr| snr as f32), frame.points.snr_db[i]);
            assert_eq!(
                number("sigma_along_m").unwrap() as f32,
                frame.points.sigma_along_m[i]
            );
            let stamp: i64 = fields[0].parse().unwrap();
            assert_eq!(
                stamp,
                frame.window.end.nanos() + i64::from(frame.points.offset_nanos[i])
            );
            let total = frame.total_uncertainty(i);
            assert!((number("thu_m").unwrap() - total.thu_m).abs() < 6e-5);
            assert!((number("tvu_m").unwrap() - total.tvu_m).abs() < 6e-5);
            let order = frame.sounding_order(i, &total);
            assert_eq!(fields[names.len() - 1], order.map_or("", SoundingOrder::name));
            assert_eq!(fields[4], frame.points.label[i].name());
            checked += 1;
        }
        assert_eq!((checked, lines.next()), (42, None));
    }
}
