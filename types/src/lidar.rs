//! A lidar's one sweep.

use crate::error::Error;

/// Points of one sweep as columns, in the lidar's own axes (`Sensor`), metres.
///
/// Only returns: directions without an echo and non-finite points are left out by the reader and
/// counted in `dropped`. All columns that are present have the same length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LidarScan {
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    intensity: Option<Vec<f32>>,
    ring: Option<Vec<u16>>,
    offset_nanos: Option<Vec<i32>>,
    dropped: u32,
}

impl LidarScan {
    /// A scan of these points, in metres.
    ///
    /// # Errors
    /// [`Error::ColumnLength`] if the columns differ in length; [`Error::NotFinite`] at the first
    /// coordinate that is not finite.
    pub fn new(x: Vec<f32>, y: Vec<f32>, z: Vec<f32>) -> Result<Self, Error> {
        let expected = x.len();
        for (column, values) in [("x", &x), ("y", &y), ("z", &z)] {
            check_length(column, values.len(), expected)?;
            check_finite(column, values)?;
        }
        Ok(Self {
            x,
            y,
            z,
            ..Self::default()
        })
    }

    /// With the strength of each return, in the device's unit.
    ///
    /// # Errors
    /// If the column has another length or holds a number that is not finite.
    pub fn with_intensity(mut self, intensity: Vec<f32>) -> Result<Self, Error> {
        check_length("intensity", intensity.len(), self.len())?;
        check_finite("intensity", &intensity)?;
        self.intensity = Some(intensity);
        Ok(self)
    }

    /// With the ring (row, laser) of each return.
    ///
    /// # Errors
    /// If the column has another length.
    pub fn with_ring(mut self, ring: Vec<u16>) -> Result<Self, Error> {
        check_length("ring", ring.len(), self.len())?;
        self.ring = Some(ring);
        Ok(self)
    }

    /// With the time of each return, in nanoseconds after the scan's stamp.
    ///
    /// # Errors
    /// If the column has another length.
    pub fn with_offset_nanos(mut self, offset_nanos: Vec<i32>) -> Result<Self, Error> {
        check_length("offset_nanos", offset_nanos.len(), self.len())?;
        self.offset_nanos = Some(offset_nanos);
        Ok(self)
    }

    /// With the number of points the reader left out because they were not finite.
    #[must_use]
    pub fn with_dropped(mut self, dropped: u32) -> Self {
        self.dropped = dropped;
        self
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// First coordinates, metres.
    pub fn x(&self) -> &[f32] {
        &self.x
    }

    /// Second coordinates, metres.
    pub fn y(&self) -> &[f32] {
        &self.y
    }

    /// Third coordinates, metres.
    pub fn z(&self) -> &[f32] {
        &self.z
    }

    /// Strength of each return in the device's unit, if it gives one.
    pub fn intensity(&self) -> Option<&[f32]> {
        self.intensity.as_deref()
    }

    /// Ring of each return, if the device gives one.
    pub fn ring(&self) -> Option<&[u16]> {
        self.ring.as_deref()
    }

    /// Nanoseconds after the scan's stamp of each return, if the device gives them.
    pub fn offset_nanos(&self) -> Option<&[i32]> {
        self.offset_nanos.as_deref()
    }

    /// Points left out by the reader because they were not finite.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// The last offset, in nanoseconds; zero without offsets. A scan's `end` is its stamp plus this.
    pub fn last_offset_nanos(&self) -> i32 {
        self.offset_nanos
            .as_deref()
            .and_then(|offsets| offsets.iter().max().copied())
            .unwrap_or(0)
            .max(0)
    }
}

/// All at once first: a search that may stop at each value takes several times as long.
fn check_finite(what: &'static str, values: &[f32]) -> Result<(), Error> {
    if values.iter().fold(true, |all, value| all & value.is_finite()) {
        return Ok(());
    }
    let index = values.iter().position(|value| !value.is_finite()).unwrap_or(0);
    Err(Error::NotFinite { what, index })
}

fn check_length(column: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        Ok(())
    } else {
        Err(Error::ColumnLength {
            column,
            found,
            expected,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_another_length_are_refused() {
        let error = LidarScan::new(vec![0.0, 1.0], vec![0.0], vec![0.0, 1.0]).unwrap_err();
        assert_eq!(
            error,
            Error::ColumnLength {
                column: "y",
                found: 1,
                expected: 2
            }
        );
        let scan = LidarScan::new(vec![0.0], vec![0.0], vec![0.0]).unwrap();
        assert!(scan.with_ring(vec![1, 2]).is_err());
    }

    #[test]
    fn a_point_that_is_not_finite_is_refused_with_its_place() {
        let error = LidarScan::new(vec![0.0, 1.0], vec![0.0, f32::NAN], vec![0.0, 1.0]).unwrap_err();
        assert_eq!(error, Error::NotFinite { what: "y", index: 1 });
    }

    #[test]
    fn the_scan_ends_with_its_last_return() {
        let scan = LidarScan::new(vec![0.0; 3], vec![0.0; 3], vec![0.0; 3])
            .unwrap()
            .with_offset_nanos(vec![5, 90, 7])
            .unwrap();
        assert_eq!(scan.last_offset_nanos(), 90);
    }
}
