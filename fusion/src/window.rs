//! Which measurement belongs to which frame.
//!
//! Frame k holds what ends in (end of scan k−1, end of scan k] of the reference lidar. Where that
//! lidar is silent for 2.5 of its periods, or there is none, windows have a fixed length of data
//! time. A stretch without any data makes no windows.

use std::collections::{BTreeMap, BTreeSet};

use beluga_types::{Measurement, Payload, SensorId, Stamp, Window};

/// Periods without a reference scan after which windows run on data time.
const SILENT_PERIODS: f64 = 2.5;
/// Scans and pings that may wait for their window; more close it.
const MAX_WAITING_BULK: usize = 512;
/// Measurements that may wait for their window; more close it.
const MAX_WAITING: usize = 65_536;

/// Place of a measurement among those that wait: by its end, then as it came.
type Place = (Stamp, u64);

/// What waits for its window to close.
///
/// It waits in order of its end, and the reference scans among it are known. So [`Windows::next`] looks
/// only at what is first, and [`Windows::take`] touches only what it takes, however much waits.
pub(crate) struct Windows {
    reference: Option<SensorId>,
    length_nanos: i64,
    period_nanos: i64,
    waiting: BTreeMap<Place, Measurement>,
    /// The reference scans that wait.
    scans: BTreeSet<Place>,
    waiting_bulk: usize,
    /// Measurements that came, ever.
    came: u64,
    /// End of the window before.
    closed: Option<Stamp>,
    /// All that ends before this has come.
    horizon: Stamp,
    /// The latest end of a measurement.
    newest: Stamp,
    last_scan: Option<Stamp>,
    silent: bool,
}

impl Windows {
    /// `rate_hz` is the reference lidar's, where the rig states it.
    pub(crate) fn new(reference: Option<SensorId>, window_millis: u32, rate_hz: Option<f64>) -> Self {
        let length_nanos = i64::from(window_millis.max(1)) * 1_000_000;
        let period_nanos = rate_hz
            .filter(|rate| rate.is_finite() && *rate > 1e-3)
            .map_or(length_nanos, |rate| (1e9 / rate) as i64);
        Self {
            reference,
            length_nanos,
            period_nanos,
            waiting: BTreeMap::new(),
            scans: BTreeSet::new(),
            waiting_bulk: 0,
            came: 0,
            closed: None,
            horizon: Stamp::from_nanos(i64::MIN),
            newest: Stamp::from_nanos(i64::MIN),
            last_scan: None,
            silent: reference.is_none(),
        }
    }

    /// All that ends before this has come.
    pub(crate) fn horizon(&self) -> Stamp {
        self.horizon
    }

    /// Nothing that ends before this comes any more.
    pub(crate) fn pass(&mut self, moment: Stamp) {
        self.horizon = self.horizon.max(moment);
    }

    pub(crate) fn push(&mut self, measurement: Measurement) {
        if self.closed.is_none() {
            self.closed = Some(self.start_of(&measurement));
        }
        self.pass(measurement.end);
        self.newest = self.newest.max(measurement.end);
        let place = (measurement.end, self.came);
        self.came += 1;
        if self.is_reference(&measurement) {
            self.learn_period(measurement.end);
            self.scans.insert(place);
        }
        self.waiting_bulk += usize::from(is_bulk(&measurement));
        self.waiting.insert(place, measurement);
    }

    /// The next window that is complete. With `finishing`, what waits is complete.
    pub(crate) fn next(&self, finishing: bool) -> Option<Window> {
        let start = self.closed?;
        let (&(first, _), _) = self.waiting.first_key_value()?;
        let scan = self.scans.first().map(|&(end, _)| end.max(start));
        let silence = start.shifted_nanos((SILENT_PERIODS * self.period_nanos as f64) as i64);
        if let Some(end) = scan
            && (!self.silent && end <= silence)
        {
            return (finishing || self.horizon > end || end == start).then_some(Window { start, end });
        }
        let full = self.waiting_bulk > MAX_WAITING_BULK || self.waiting.len() > MAX_WAITING;
        if !(self.silent || self.horizon > silence || finishing || full) {
            return None;
        }
        let start = self.skipped(start, first);
        let end = start.shifted_nanos(self.length_nanos);
        let end = scan.map_or(end, |scan| scan.min(end).max(start));
        // At the end of the timeline nothing is known beyond its last measurement.
        let end = if finishing {
            end.min(self.newest.max(start))
        } else {
            end
        };
        let complete = finishing || full || self.horizon > end;
        complete.then_some(Window { start, end })
    }

    /// Takes what belongs to a window that [`Self::next`] gave, as it came.
    pub(crate) fn take(&mut self, window: &Window) -> Vec<Measurement> {
        let mut inside = Vec::new();
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= window.end
        {
            let ((_, came), measurement) = first.remove_entry();
            inside.push((came, measurement));
        }
        inside.sort_unstable_by_key(|(came, _)| *came);
        let inside: Vec<Measurement> = inside.into_iter().map(|(_, measurement)| measurement).collect();
        self.waiting_bulk -= inside.iter().filter(|m| is_bulk(m)).count();
        self.closed = Some(window.end);
        self.silent = !inside.iter().any(|m| self.is_reference(m));
        while self.scans.first().is_some_and(|(end, _)| *end <= window.end) {
            self.scans.pop_first();
        }
        inside
    }

    fn is_reference(&self, measurement: &Measurement) -> bool {
        Some(measurement.sensor) == self.reference && matches!(measurement.payload, Payload::Lidar(_))
    }

    /// The start of the grid's window that holds `end`: stretches without data are stepped over.
    fn skipped(&self, start: Stamp, end: Stamp) -> Stamp {
        let ahead = end.nanos_since(start).saturating_sub(1);
        if ahead < self.length_nanos {
            return start;
        }
        start.shifted_nanos(ahead / self.length_nanos * self.length_nanos)
    }

    fn start_of(&self, first: &Measurement) -> Stamp {
        /// Longest first window, in nanoseconds.
        const LONGEST_NANOS: i64 = 10_000_000_000;
        let lasted = first.end.nanos_since(first.stamp).min(LONGEST_NANOS);
        let lasted = if lasted > 0 { lasted } else { self.length_nanos };
        first.end.shifted_nanos(-lasted)
    }

    fn learn_period(&mut self, end: Stamp) {
        if let Some(last) = self.last_scan.replace(end) {
            let found = end.nanos_since(last);
            // A missing scan is no longer period; the first difference is taken as it is.
            if found > 0 && (!self.silent || self.closed == Some(last)) {
                self.period_nanos = if self.period_nanos == self.length_nanos {
                    found
                } else {
                    self.period_nanos / 4 * 3 + found.min(self.period_nanos.saturating_mul(2)) / 4
                };
            }
        }
    }
}

fn is_bulk(measurement: &Measurement) -> bool {
    matches!(measurement.payload, Payload::Lidar(_) | Payload::Sonar(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::{DepthFix, LidarScan};
    use std::sync::Arc;

    const LIDAR: SensorId = SensorId(0);
    const OTHER: SensorId = SensorId(1);

    fn at(millis: i64) -> Stamp {
        Stamp::from_nanos(millis * 1_000_000)
    }

    fn scan(stamp: i64, end: i64) -> Measurement {
        Measurement {
            seq: 0,
            sensor: LIDAR,
            stamp: at(stamp),
            end: at(end),
            received: at(end),
            payload: Payload::Lidar(Arc::new(LidarScan::default())),
        }
    }

    fn depth(end: i64) -> Measurement {
        let fix = DepthFix {
            depth_m: 1.0,
            sigma_m: 0.1,
        };
        Measurement {
            seq: 0,
            sensor: OTHER,
            stamp: at(end),
            end: at(end),
            received: at(end),
            payload: Payload::Depth(fix),
        }
    }

    /// Runs a timeline through and gives each window's ends and how much it holds.
    fn run(reference: Option<SensorId>, timeline: Vec<Measurement>) -> Vec<(i64, i64, usize)> {
        let mut windows = Windows::new(reference, 100, None);
        let mut found = Vec::new();
        let count = timeline.len();
        let mut drain = |windows: &mut Windows, finishing: bool| {
            while let Some(window) = windows.next(finishing) {
                let inside = windows.take(&window).len();
                let millis = |stamp: Stamp| stamp.nanos() / 1_000_000;
                found.push((millis(window.start), millis(window.end), inside));
            }
        };
        for measurement in timeline {
            windows.push(measurement);
            drain(&mut windows, false);
        }
        drain(&mut windows, true);
        assert_eq!(
            found.iter().map(|w| w.2).sum::<usize>(),
            count,
            "every measurement is in one window"
        );
        found
    }

    #[test]
    fn windows_end_with_the_reference_scan_and_hold_what_ends_with_it() {
        let timeline = vec![
            scan(0, 100),
            depth(100),
            depth(150),
            scan(100, 200),
            depth(201),
            scan(200, 300),
            depth(310),
        ];
        assert_eq!(
            run(Some(LIDAR), timeline),
            [(0, 100, 2), (100, 200, 2), (200, 300, 2), (300, 310, 1)]
        );
    }

    #[test]
    fn without_a_lidar_windows_run_on_data_time() {
        let timeline = [10, 50, 120, 130, 250].map(depth).to_vec();
        assert_eq!(
            run(None, timeline),
            [(-90, 10, 1), (10, 110, 1), (110, 210, 2), (210, 250, 1)]
        );
    }

    #[test]
    fn a_silent_lidar_gives_way_to_data_time_and_takes_over_again() {
        let mut timeline = vec![scan(0, 100), scan(100, 200), scan(200, 300)];
        timeline.extend((31..=80).map(|i| depth(i * 10)));
        timeline.push(scan(710, 810));
        timeline.push(scan(810, 910));
        let windows = run(Some(LIDAR), timeline);
        assert_eq!(
            windows,
            [
                (0, 100, 1),
                (100, 200, 1),
                (200, 300, 1),
                (300, 400, 10),
                (400, 500, 10),
                (500, 600, 10),
                (600, 700, 10),
                (700, 800, 10),
                (800, 810, 1),
                (810, 910, 1)
            ]
        );
    }

    #[test]
    fn hours_without_data_make_no_windows() {
        let hours = 5 * 3_600_000;
        let timeline = vec![
            scan(0, 100),
            scan(100, 200),
            depth(210),
            depth(hours),
            scan(hours, hours + 50),
        ];
        let windows = run(Some(LIDAR), timeline);
        assert_eq!(windows.len(), 5, "{windows:?}");
        assert_eq!(run(None, vec![depth(0), depth(i64::MAX / 2_000_000)]).len(), 2);
    }

    /// Looking through what waits for every measurement that comes would be 10¹⁰ looks here.
    #[test]
    fn a_clock_that_stands_still_costs_no_more_than_one_that_goes() {
        let mut timeline = vec![scan(0, 100), scan(100, 200)];
        timeline.extend((0..400_000).map(|_| depth(205)));
        let windows = run(Some(LIDAR), timeline);
        assert_eq!(windows.len(), 2 + 400_000 / (MAX_WAITING + 1) + 1, "{windows:?}");
    }

    #[test]
    fn what_comes_too_late_still_lands_in_a_window() {
        let timeline = vec![
            scan(0, 100),
            scan(100, 200),
            depth(50),
            scan(20, 120),
            scan(200, 300),
            depth(10),
        ];
        assert!(!run(Some(LIDAR), timeline).is_empty());
    }
}
