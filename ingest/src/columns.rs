//! The columns of a scan while a file is read, and what may be wrong with a file of points.

use std::fmt;

use beluga_types::LidarScan;

use crate::cloud::Cloud;
use crate::point_times::{self, Field, Numbers, Said};
use crate::range::MAX_COORDINATE_M;
use crate::tape::cdr;

/// What is wrong in a file, still without the file's name.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) place: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Wrong {
    pub(crate) fn new(
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: expected {}, found {}",
            self.place, self.expected, self.found
        )
    }
}

impl From<cdr::Wrong> for Wrong {
    fn from(wrong: cdr::Wrong) -> Self {
        match wrong {
            cdr::Wrong::Ends => Wrong::new("message", "all of it", "its end before"),
            cdr::Wrong::Misfit(misfit) => {
                Wrong::new("message", "values that fit each other", misfit.to_string())
            }
            cdr::Wrong::Value(expected) => Wrong::new("message", expected, "something else"),
        }
    }
}

/// The columns of a scan while they are read; a point with `bad` set is left out at the end.
#[derive(Default)]
pub(crate) struct Columns {
    pub(crate) x: Vec<f32>,
    pub(crate) y: Vec<f32>,
    pub(crate) z: Vec<f32>,
    pub(crate) intensity: Option<Vec<f32>>,
    pub(crate) ring: Option<Vec<u16>>,
    pub(crate) offset_nanos: Option<Vec<i32>>,
    /// The field that tells the points' times, as it stands in the file.
    pub(crate) time: Option<TimeColumn>,
    pub(crate) bad: Vec<bool>,
}

/// A time field while it is read.
#[derive(Clone, Debug)]
pub(crate) struct TimeColumn {
    pub(crate) name: String,
    pub(crate) said: Said,
    pub(crate) numbers: TimeNumbers,
}

/// Its numbers.
#[derive(Clone, Debug)]
pub(crate) enum TimeNumbers {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Whole(Vec<i64>),
}

impl TimeNumbers {
    /// Takes one more, which fits the type exactly; a whole number that is not finite is no time.
    pub(crate) fn push(&mut self, value: f64) {
        match self {
            TimeNumbers::F32(all) => all.push(value as f32),
            TimeNumbers::F64(all) => all.push(value),
            TimeNumbers::Whole(all) => all.push(if value.is_finite() { value as i64 } else { i64::MAX }),
        }
    }
}

impl Columns {
    /// The scan with its times, as they are recognised; `period_nanos` is the time from scan to scan,
    /// where it is known.
    pub(crate) fn cloud(mut self, dropped_before: u32, period_nanos: Option<i64>) -> Result<Cloud, Wrong> {
        let times = self.time.take().map(|time| {
            point_times::recognise(&Field {
                name: &time.name,
                said: time.said,
                numbers: match &time.numbers {
                    TimeNumbers::F32(all) => Numbers::F32(all),
                    TimeNumbers::F64(all) => Numbers::F64(all),
                    TimeNumbers::Whole(all) => Numbers::Whole(all),
                },
                period_nanos,
            })
        });
        let Some(times) = times else {
            return Ok(Cloud::from(self.scan(dropped_before)?));
        };
        for (bad, untimed) in self.bad.iter_mut().zip(&times.untimed) {
            *bad |= untimed;
        }
        self.offset_nanos = times.offset_nanos;
        Ok(Cloud {
            scan: self.scan(dropped_before)?,
            start: times.start,
            from_stamp_nanos: times.from_stamp_nanos,
            times: Some(times.report),
        })
    }

    /// The scan; points that are marked, not finite or too far are left out and counted.
    pub(crate) fn scan(mut self, dropped_before: u32) -> Result<LidarScan, Wrong> {
        for column in [&self.x, &self.y, &self.z] {
            for (bad, value) in self.bad.iter_mut().zip(column) {
                *bad |= !value.is_finite() || value.abs() > MAX_COORDINATE_M;
            }
        }
        for (bad, value) in self.bad.iter_mut().zip(self.intensity.iter().flatten()) {
            *bad |= !value.is_finite();
        }
        let dropped = self.bad.iter().filter(|bad| **bad).count();
        if dropped > 0 {
            let bad = &self.bad;
            retain(&mut self.x, bad);
            retain(&mut self.y, bad);
            retain(&mut self.z, bad);
            self.intensity.iter_mut().for_each(|column| retain(column, bad));
            self.ring.iter_mut().for_each(|column| retain(column, bad));
            self.offset_nanos
                .iter_mut()
                .for_each(|column| retain(column, bad));
        }
        let build = || {
            let mut scan = LidarScan::new(self.x, self.y, self.z)?;
            if let Some(intensity) = self.intensity {
                scan = scan.with_intensity(intensity)?;
            }
            if let Some(ring) = self.ring {
                scan = scan.with_ring(ring)?;
            }
            if let Some(offset_nanos) = self.offset_nanos {
                scan = scan.with_offset_nanos(offset_nanos)?;
            }
            let dropped = u32::try_from(dropped).unwrap_or(u32::MAX);
            Ok(scan.with_dropped(dropped.saturating_add(dropped_before)))
        };
        build().map_err(|error: beluga_types::Error| {
            Wrong::new("points", "columns that agree", error.to_string())
        })
    }
}

fn retain<T: Copy>(column: &mut Vec<T>, bad: &[bool]) {
    let mut bad = bad.iter();
    column.retain(|_| !bad.next().copied().unwrap_or(false));
}

/// What a field of a point is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    X,
    Y,
    Z,
    Intensity,
    Ring,
    Time(Said),
}

/// Collects values; where there is none, the point is marked bad.
pub(crate) fn marked<T: Default>(
    values: impl Iterator<Item = Result<Option<T>, Wrong>>,
    bad: &mut [bool],
) -> Result<Vec<T>, Wrong> {
    values
        .zip(bad)
        .map(|(value, bad)| {
            value.map(|value| {
                *bad |= value.is_none();
                value.unwrap_or_default()
            })
        })
        .collect()
}

/// A ring; nothing if the number is not finite.
pub(crate) fn ring(value: f64, index: usize) -> Result<Option<u16>, Wrong> {
    let whole = value as u16;
    match value.is_finite() {
        false => Ok(None),
        true if f64::from(whole) == value => Ok(Some(whole)),
        true => Err(Wrong::new(
            format!("point {index}"),
            "a ring, 0 to 65535",
            format!("{value}"),
        )),
    }
}
