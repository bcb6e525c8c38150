//! KITTI: folders of raw scans, read as a recording, and their conversion to a folder recording.
//!
//! A `.bin` scan is `f32` x, y, z, reflectance, little-endian, without a header; an `.xyz32` scan
//! is the same without reflectance. Axes: x forward, y left, z up (those of [`Sensor`]); the
//! points are already corrected for the motion during the scan. Times are `times.txt` (seconds,
//! one line for each scan) or `timestamps.txt` (UTC date and time), in the folder or the one above.
//!
//! Source: A. Geiger, P. Lenz, C. Stiller, R. Urtasun, "Vision meets Robotics: The KITTI Dataset",
//! IJRR 32 (2013), and the development kit's readme.
//!
//! [`Sensor`]: beluga_types::Sensor

use std::io::Read as _;
use std::path::{Path, PathBuf};

use beluga_types::{LidarScan, Rig, SensorKind, SensorSpec, Stamp, Vessel, Water};

use crate::calendar::days_since_1970;
use crate::error::Error;
use crate::folder::Recording;
use crate::ply::read_whole;
use crate::range::MAX_COORDINATE_M;
use crate::regular;
use crate::table::quoted;
use crate::writer::Writer;

/// The largest scan that is read, in bytes.
const MAX_SCAN_BYTES: u64 = 1 << 30;
/// The largest file of times that is read, in bytes.
const MAX_TIMES_BYTES: u64 = 64 << 20;
/// The rate of the sensor in the KITTI car.
const RATE_HZ: f64 = 10.0;

/// Writes a folder of `.bin` or `.xyz32` scans as a folder recording; gives the number of scans.
///
/// Without a file of times the scans are 0.1 s apart, from time 0 on.
///
/// # Errors
/// If the folder holds no such scans, or the recording cannot be written.
pub fn convert(source: &Path, destination: &Path) -> Result<u64, Error> {
    let recording = Recording::open(source)?;
    let mut writer = Writer::create(destination, recording.rig())?;
    let mut scans = 0;
    for measurement in recording.timeline()? {
        writer.push(&measurement)?;
        scans += u64::from(matches!(measurement.payload, beluga_types::Payload::Lidar(_)));
    }
    writer.finish()?;
    Ok(scans)
}

/// The rig of scans that have none.
pub(crate) fn rig(source: &str, format: &str, deskewed: bool) -> Rig {
    let lidar = SensorSpec {
        source: Some(source.into()),
        format: Some(format.into()),
        reference: true,
        deskewed,
        rate_hz: Some(RATE_HZ),
        start: Some(Stamp::default()),
        ..SensorSpec::new("lidar", SensorKind::Lidar)
    };
    Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::Unknown,
        sensors: vec![lidar],
    }
}

/// Reads one scan; points that are not finite, or with |x|, |y| or |z| above
/// 1e6 m, are left out and counted.
pub(crate) fn read_scan(path: &Path, reflectance: bool) -> Result<LidarScan, Error> {
    parse_scan(&read_whole(path, MAX_SCAN_BYTES)?, path, reflectance)
}

/// The scan in these bytes; `path` is for messages.
pub(crate) fn parse_scan(bytes: &[u8], path: &Path, reflectance: bool) -> Result<LidarScan, Error> {
    let stride = if reflectance { 16 } else { 12 };
    if !bytes.len().is_multiple_of(stride) {
        let place = format!("byte {}", bytes.len() / stride * stride);
        return Err(Error::bad(
            path,
            place,
            format!("points of {stride} bytes"),
            format!("{} bytes", bytes.len()),
        ));
    }
    let points = bytes.len() / stride;
    let [mut x, mut y, mut z, mut intensity] = [(); 4].map(|()| Vec::with_capacity(points));
    let mut dropped = 0;
    for point in bytes.chunks_exact(stride) {
        let mut values = [0f32; 4];
        for (value, bytes) in values.iter_mut().zip(point.chunks_exact(4)) {
            *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        let near = values[..3].iter().all(|value| value.abs() <= MAX_COORDINATE_M);
        if near && values[3].is_finite() {
            x.push(values[0]);
            y.push(values[1]);
            z.push(values[2]);
            intensity.push(values[3]);
        } else {
            dropped += 1;
        }
    }
    let build = || {
        let scan = LidarScan::new(x, y, z)?.with_dropped(dropped);
        if reflectance {
            scan.with_intensity(intensity)
        } else {
            Ok(scan)
        }
    };
    build().map_err(|error| Error::bad(path, "points", "columns that agree", error.to_string()))
}

/// The file of times of a folder, if it has one.
pub(crate) fn times_file(folder: &Path) -> Option<PathBuf> {
    let above = folder.parent();
    ["times.txt", "timestamps.txt"]
        .iter()
        .flat_map(|name| std::iter::once(folder.join(name)).chain(above.map(|above| above.join(name))))
        .find(|path| path.is_file())
}

/// Reads a file of times: seconds after `start`, or UTC dates.
pub(crate) fn read_times(path: &Path, start: Stamp) -> Result<Vec<Stamp>, Error> {
    let mut text = String::new();
    regular::open(path)?
        .take(MAX_TIMES_BYTES)
        .read_to_string(&mut text)
        .map_err(Error::io(path))?;
    let mut stamps = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        // A hundred years in seconds.
        let seconds = line.parse::<f64>().ok().filter(|seconds| seconds.abs() < 3.2e9);
        let stamp = match seconds {
            Some(seconds) => start.shifted_s(seconds),
            None => date(line).ok_or_else(|| {
                let expected = "seconds, or a date as 2011-09-26 13:02:25.594360375";
                Error::bad(path, format!("line {}", index + 1), expected, quoted(line))
            })?,
        };
        stamps.push(stamp);
    }
    Ok(stamps)
}

/// A UTC date and time as `2011-09-26 13:02:25.594360375`.
fn date(text: &str) -> Option<Stamp> {
    let (date, time) = text.split_once(' ')?;
    let numbers = |text: &str, separator: char| -> Option<[u32; 3]> {
        let mut parts = text
            .split(separator)
            .map(|part| part.parse::<u16>().ok().map(u32::from));
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some(numbers)
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    let digits = fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let good = (1740..2200).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !(digits && good) {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
    let seconds = (days_since_1970(year.into(), month, day) * 24 + i64::from(hour)) * 3600
        + i64::from(minute) * 60
        + i64::from(second);
    Some(Stamp::from_nanos(seconds * 1_000_000_000 + nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_utc() {
        assert_eq!(date("1970-01-01 00:00:00.5").unwrap().nanos(), 500_000_000);
        // `date -u -d '2011-09-26 13:02:25' +%s` prints 1317042145.
        assert_eq!(
            date("2011-09-26 13:02:25.594360375").unwrap().nanos(),
            1_317_042_145_594_360_375
        );
        assert_eq!(
            date("2000-02-29 00:00:00").unwrap().nanos(),
            951_782_400_000_000_000
        );
        for bad in [
            "2011-09-26",
            "2011-13-26 13:02:25",
            "2011-09-26 13:02",
            "99-1-1 1:1:1",
            "a b",
        ] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_point_that_is_cut_is_refused_and_one_that_is_not_finite_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.bin");
        let points = [1f32, 2.0, 3.0, 0.5, f32::NAN, 0.0, 0.0, 0.0, 0.0, 2e6, 0.0, 0.0];
        let bytes: Vec<u8> = points.iter().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(&path, &bytes).unwrap();
        let scan = read_scan(&path, true).unwrap();
        assert_eq!(
            (scan.len(), scan.dropped(), scan.intensity()),
            (1, 2, Some(&[0.5f32][..]))
        );
        std::fs::write(&path, &bytes[..31]).unwrap();
        let error = read_scan(&path, true).unwrap_err().to_string();
        assert!(
            error.starts_with("byte 16: expected points of 16 bytes, found 31 bytes"),
            "{error}"
        );
    }
}
