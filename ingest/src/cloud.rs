//! A file of points: the scan, and when it was if the file says so itself.

use beluga_types::{LidarScan, Stamp};

use crate::point_times::TimeReport;

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
