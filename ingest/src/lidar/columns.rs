//! Returns of a scan, column by column as [`LidarScan`] has them.

use beluga_types::{Error, LidarScan};

/// Returns that are put into the columns at once: as many as stay in the nearest cache.
const AT_ONCE: usize = 512;

/// One return.
#[derive(Clone, Copy)]
struct Return {
    nanos: i64,
    position: [f32; 3],
    intensity: f32,
    ring: u16,
}

/// The returns of one scan as they come.
#[derive(Default)]
pub(super) struct Columns {
    /// What came last, and is in no column yet.
    last: Vec<Return>,
    /// The time from which `offset_nanos` counts.
    since: i64,
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    intensity: Vec<f32>,
    ring: Vec<u16>,
    offset_nanos: Vec<i32>,
}

impl Columns {
    /// With room for so many returns, times told from `since` on.
    pub(super) fn new(since: i64, room: usize) -> Self {
        Self {
            last: Vec::with_capacity(AT_ONCE),
            since,
            x: Vec::with_capacity(room),
            y: Vec::with_capacity(room),
            z: Vec::with_capacity(room),
            intensity: Vec::with_capacity(room),
            ring: Vec::with_capacity(room),
            offset_nanos: Vec::with_capacity(room),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, position: [f32; 3], intensity: f32, ring: u16, nanos: i64) {
        self.last.push(Return {
            nanos,
            position,
            intensity,
            ring,
        });
        if self.last.len() == AT_ONCE {
            self.put();
        }
    }

    fn put(&mut self) {
        let (last, since) = (&self.last, self.since);
        self.x.extend(last.iter().map(|found| found.position[0]));
        self.y.extend(last.iter().map(|found| found.position[1]));
        self.z.extend(last.iter().map(|found| found.position[2]));
        self.intensity.extend(last.iter().map(|found| found.intensity));
        self.ring.extend(last.iter().map(|found| found.ring));
        self.offset_nanos
            .extend(last.iter().map(|found| offset(found.nanos, since)));
        self.last.clear();
    }

    /// The returns in the order of their times, told from `first` on.
    ///
    /// # Errors
    /// Where a return is not finite.
    pub(super) fn scan(mut self, first: i64) -> Result<LidarScan, Error> {
        self.put();
        if first != self.since {
            for nanos in &mut self.offset_nanos {
                *nanos = offset(self.since.saturating_add((*nanos).into()), first);
            }
        }
        if !self.offset_nanos.is_sorted() {
            self.sort();
        }
        LidarScan::new(self.x, self.y, self.z)?
            .with_intensity(self.intensity)?
            .with_ring(self.ring)?
            .with_offset_nanos(self.offset_nanos)
    }

    /// Puts what came late in its place.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.offset_nanos.len()).collect();
        order.sort_by_key(|at| self.offset_nanos[*at]);
        for column in [&mut self.x, &mut self.y, &mut self.z, &mut self.intensity] {
            *column = order.iter().map(|at| column[*at]).collect();
        }
        self.ring = order.iter().map(|at| self.ring[*at]).collect();
        self.offset_nanos = order.iter().map(|at| self.offset_nanos[*at]).collect();
    }

    pub(super) fn len(&self) -> usize {
        self.x.len() + self.last.len()
    }
}

/// From one time to another, as far as a scan reaches.
fn offset(nanos: i64, since: i64) -> i32 {
    let passed = nanos.saturating_sub(since);
    passed.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out of returns at these times, the x of each being when it came.
    fn scan(since: i64, first: i64, nanos: impl IntoIterator<Item = i64>) -> LidarScan {
        let mut columns = Columns::new(since, 3);
        for (came, nanos) in nanos.into_iter().enumerate() {
            assert_eq!(columns.len(), came);
            columns.push([came as f32, 1.0, -1.0], came as f32 + 0.5, came as u16, nanos);
        }
        columns.scan(first).unwrap()
    }

    #[test]
    fn returns_come_out_by_their_times_however_many_and_late() {
        for count in [0, 1, AT_ONCE - 1, AT_ONCE, 3 * AT_ONCE + 7] {
            // Every 37th comes 50 places late.
            let late = |came: usize| came as i64 * 10 - if came % 37 == 36 { 500 } else { 0 };
            let (since, first) = (1_000, 400);
            let found = scan(since, first, (0..count).map(|came| since + late(came)));
            let mut expected: Vec<(i64, usize)> = (0..count).map(|came| (late(came), came)).collect();
            expected.sort();
            assert_eq!(found.len(), count);
            for (at, (nanos, came)) in expected.into_iter().enumerate() {
                assert_eq!(
                    i64::from(found.offset_nanos().unwrap()[at]),
                    since + nanos - first
                );
                assert_eq!(
                    (found.x()[at], found.y()[at], found.z()[at]),
                    (came as f32, 1.0, -1.0)
                );
                assert_eq!(found.intensity().unwrap()[at], came as f32 + 0.5);
                assert_eq!(usize::from(found.ring().unwrap()[at]), came);
            }
        }
    }

    #[test]
    fn what_is_out_of_all_reach_stays_at_its_end() {
        let found = scan(0, 0, [0, i64::MAX, i64::MIN]);
        assert_eq!(found.offset_nanos().unwrap(), [i32::MIN, 0, i32::MAX]);
    }

    #[test]
    fn a_return_that_is_not_finite_is_refused() {
        let mut columns = Columns::new(0, 0);
        columns.push([0.0, f32::NAN, 0.0], 0.0, 0, 0);
        assert!(columns.scan(0).is_err());
    }
}
