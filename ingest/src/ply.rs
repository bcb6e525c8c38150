//! PLY files: one lidar scan each, in the lidar's own axes, metres.
//!
//! Read are ASCII and both binary forms through `ply_rs_bw`; a binary file whose vertices have a
//! fixed stride takes a fast path that gives the same scan. Of the element `vertex` these
//! properties are used, whatever their numeric type and order; all others are skipped:
//!
//! | property (case does not matter) | meaning |
//! |---|---|
//! | `x` `y` `z` | metres, required |
//! | `intensity`, `reflectance`, `scalar_intensity` | strength in the device's unit; the first found |
//! | `ring`, `scalar_ring` | ring, whole numbers 0 to 65535 |
//! | `offset_nanos`, `offset_s` | nanoseconds, seconds after the scan's stamp |
//! | `t`, `time`, `timestamp` and others | recognised by the numbers: see `point_times` |
//!
//! Points of which one of these numbers is not finite, or with |x|, |y| or |z| above 1e6 m, are left
//! out and counted.
//!
//! Source of the format: G. Turk, "The PLY Polygon File Format", 1994.

mod encode;
mod fast;
mod general;
mod layout;

use std::io::{self, Read};
use std::path::Path;

use beluga_types::LidarScan;

pub use encode::encode;
use layout::Layout;

use crate::cloud::Cloud;
use crate::error::Error;
use crate::regular;

/// The largest PLY file that is read, in bytes.
const MAX_PLY_BYTES: u64 = 4 << 30;
/// The `obj_info` line that says how many points a reader has already left out.
const DROPPED: &str = "dropped_points";

/// Reads the scan of a PLY file.
///
/// # Errors
/// If the file cannot be read, is not PLY, has no `vertex` with x, y and z, holds more or fewer
/// vertices than its header says, or a ring that does not fit its type.
pub fn read(path: &Path) -> Result<LidarScan, Error> {
    parse(&read_whole(path, MAX_PLY_BYTES)?, path)
}

/// Writes a scan as binary little-endian PLY: x, y, z, and the columns that the scan has, as
/// `intensity` (float), `ring` (ushort), `offset_nanos` (int).
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, scan: &LidarScan) -> Result<(), Error> {
    std::fs::write(path, encode(scan)).map_err(Error::io(path))
}

/// The scan in the bytes of a PLY file; `path` is for messages.
///
/// # Errors
/// As [`read`].
pub fn parse(bytes: &[u8], path: &Path) -> Result<LidarScan, Error> {
    cloud(bytes, path, None).map(|cloud| cloud.scan)
}

/// The scan in a PLY file with its times; `period_nanos` is the time from scan to scan, where it is
/// known.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_cloud(path: &Path, period_nanos: Option<i64>) -> Result<Cloud, Error> {
    cloud(&read_whole(path, MAX_PLY_BYTES)?, path, period_nanos)
}

pub(crate) fn cloud(bytes: &[u8], path: &Path, period_nanos: Option<i64>) -> Result<Cloud, Error> {
    let layout = Layout::parse(bytes, path)?;
    let columns = match layout.stride {
        Some(stride) => fast::columns(bytes, &layout, stride),
        None => general::columns(bytes, &layout),
    };
    columns
        .and_then(|columns| columns.cloud(layout.dropped, period_nanos))
        .map_err(|wrong| Error::bad(path, wrong.place, wrong.expected, wrong.found))
}

/// Reads a file whose size is checked before memory is taken for it, and again while it is read:
/// a file may grow.
pub(crate) fn read_whole(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let file = regular::open(path)?;
    let size = file.metadata().map_err(Error::io(path))?.len();
    let bytes = bounded(file, size, limit).map_err(Error::io(path))?;
    let bytes = bytes.map_err(|found| {
        let expected = format!("at most {limit} bytes");
        Error::bad(path, "size", expected, format!("{found}"))
    })?;
    if bytes.is_empty() {
        return Err(Error::Empty {
            expected: "a scan".into(),
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

/// The bytes of what says that it has `size` of them, or how many there are if more than `limit`.
/// Nothing is read of what says so itself.
fn bounded(input: impl Read, size: u64, limit: u64) -> io::Result<Result<Vec<u8>, u64>> {
    if size > limit {
        return Ok(Err(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    input.take(limit + 1).read_to_end(&mut bytes)?;
    let found = bytes.len() as u64;
    Ok(if found > limit { Err(found) } else { Ok(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever reads it fails.
    struct Unread;

    impl Read for Unread {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("it is read")
        }
    }

    #[test]
    fn what_is_too_long_is_refused_unread_and_what_grows_while_it_is_read() {
        assert_eq!(bounded(Unread, 9, 8).unwrap(), Err(9));
        assert_eq!(bounded(&[7; 99][..], 3, 8).unwrap(), Err(9));
        assert_eq!(bounded(&[7; 8][..], 8, 8).unwrap(), Ok(vec![7; 8]));
    }
}
