//! A file of points: the scan, and when it was if the file says so itself.

use std::fmt;
use std::path::Path;

use beluga_types::{LidarScan, Stamp};

use crate::error::Error;
use crate::point_times::TimeReport;
use crate::scans::ScanFormat;
use crate::table::quoted;
use crate::{kitti, las, pcd, ply};

/// The scan in the bytes of a file of points: PLY, PCD, LAS or LAZ, KITTI's `.bin` or `.xyz32`.
///
/// The ending of `path` says which; it is not opened. Points that are not finite, or with |x|, |y|
/// or |z| above 1e6 m, are left out and counted; those of LAS are metres from a local origin.
///
/// # Errors
/// If the ending is none of these, or the bytes are no whole file of that kind.
pub fn parse(bytes: &[u8], path: &Path) -> Result<LidarScan, Error> {
    let cloud = match ScanFormat::of(path) {
        Some(ScanFormat::Ply) => ply::cloud(bytes, path, None)?,
        Some(ScanFormat::Pcd) => pcd::cloud(bytes, path, None)?,
        Some(ScanFormat::Las) => las::alone(bytes, path)?,
        Some(ScanFormat::KittiBin) => return kitti::parse_scan(bytes, path, true),
        Some(ScanFormat::Xyz32) => return kitti::parse_scan(bytes, path, false),
        None => {
            let found = path.extension().unwrap_or_default().to_string_lossy();
            let expected = "ply, pcd, las, laz, bin or xyz32";
            return Err(Error::bad(path, "ending", expected, quoted(&found)));
        }
    };
    Ok(cloud.scan)
}

/// What one file of points holds.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) scan: LidarScan,
    /// Time of the first point, if the points have times of day.
    pub(crate) start: Option<Stamp>,
    /// Time zero after the scan's stamp, in nanoseconds, if the points' times count back from that.
    pub(crate) from_stamp_nanos: Option<i64>,
    /// How the points' times were read, if there is a field for them.
    pub(crate) times: Option<TimeReport>,
}

impl From<LidarScan> for Cloud {
    fn from(scan: LidarScan) -> Self {
        Self {
            scan,
            start: None,
            from_stamp_nanos: None,
            times: None,
        }
    }
}

/// Points so far from the sensor that single precision rounds them coarsely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Far {
    /// How far away half of them are at least, metres.
    distance_m: f32,
    /// From one number of single precision to the next there, metres.
    step_m: f32,
}

impl Cloud {
    /// Whether half of the points lie farther away than 10 km: the step is a millimetre there. No
    /// lidar sees so far: such numbers are those of a map.
    pub(crate) fn far(&self) -> Option<Far> {
        const FAR_M: f32 = 10_000.0;
        let scan = &self.scan;
        let largest = |index: usize| [scan.x(), scan.y(), scan.z()].map(|axis: &[f32]| axis[index].abs());
        let mut distances: Vec<f32> = (0..scan.len())
            .map(|index| largest(index).into_iter().fold(0.0, f32::max))
            .collect();
        distances.sort_unstable_by(f32::total_cmp);
        let distance_m = *distances.get(distances.len() / 2)?;
        (distance_m > FAR_M).then(|| Far {
            distance_m,
            step_m: distance_m.next_up() - distance_m,
        })
    }
}

impl fmt::Display for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "its points lie {:.0} km away, where single precision rounds them to {:.1} mm: take a local origin off \
             their coordinates, or give them as LAS, of which it is taken off here",
            self.distance_m * 1e-3,
            self.step_m * 1e3
        )
    }
}

/// The time of day of each point; nothing where there is none.
pub(crate) struct Absolute(pub(crate) Vec<Option<Stamp>>);

impl Absolute {
    /// The earliest.
    pub(crate) fn start(&self) -> Option<Stamp> {
        self.0.iter().flatten().min().copied()
    }

    /// Nanoseconds after the earliest; points without a time are marked bad. Nothing if they span
    /// more than 2.147 s: a cloud that long is no scan, and its points have no times of their own.
    pub(crate) fn offsets(&self, bad: &mut [bool]) -> Option<Vec<i32>> {
        let start = self.start()?;
        let last = self.0.iter().flatten().max()?;
        i32::try_from(last.nanos_since(start)).ok()?;
        let offset = |(time, bad): (&Option<Stamp>, &mut bool)| {
            *bad |= time.is_none();
            time.map_or(0, |time| {
                i32::try_from(time.nanos_since(start)).unwrap_or(i32::MAX)
            })
        };
        Some(self.0.iter().zip(bad).map(offset).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> Cloud {
        let columns = [vec![x, x + 1.0, 3.0], vec![0.0; 3], vec![1.0; 3]];
        let [x, y, z] = columns;
        LidarScan::new(x, y, z).unwrap().into()
    }

    #[test]
    fn coordinates_of_a_map_are_told() {
        assert_eq!(at(5_000.0).far(), None);
        let far = at(512_345.0).far().unwrap();
        // 2^18 ≤ 512 345 < 2^19: 24 bits of it end at 2^-5 m.
        assert_eq!(far.step_m, 1.0 / 32.0);
        let said = far.to_string();
        assert!(said.contains("512 km") && said.contains("31.2 mm"), "{said}");
    }
}
