//! The columns of a scan while a file is read, and what may be wrong with a file of points.

use beluga_types::LidarScan;

use crate::range::MAX_COORDINATE_M;

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

/// The columns of a scan while they are read; a point with `bad` set is left out at the end.
#[derive(Default)]
pub(crate) struct Columns {
    pub(crate) x: Vec<f32>,
    pub(crate) y: Vec<f32>,
    pub(crate) z: Vec<f32>,
    pub(crate) intensity: Option<Vec<f32>>,
    pub(crate) ring: Option<Vec<u16>>,
    pub(crate) offset_nanos: Option<Vec<i32>>,
    pub(crate) bad: Vec<bool>,
}

impl Columns {
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
    OffsetNanos,
    OffsetSeconds,
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

/// An offset in nanoseconds; nothing if the number is not finite.
pub(crate) fn offset_nanos(value: f64, role: Role, index: usize) -> Result<Option<i32>, Wrong> {
    let nanos = match role {
        Role::OffsetSeconds => (value * 1e9).round(),
        _ => value.round(),
    };
    match nanos.is_finite() {
        false => Ok(None),
        true if nanos.abs() <= f64::from(i32::MAX) => Ok(Some(nanos as i32)),
        true => {
            let place = format!("point {index}");
            Err(Wrong::new(
                place,
                "a time within ±2.147 s of the scan's stamp",
                format!("{value}"),
            ))
        }
    }
}
