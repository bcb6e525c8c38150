//! Order: what comes a little late is put in its place, what comes too late is counted.

use std::collections::BTreeMap;

use beluga_types::{Gap, GapCause, Measurement, Payload, SensorId, Stamp};

/// How late a line of a recording may be, in nanoseconds of data time.
pub(crate) const LATENESS_NANOS: i64 = 2_000_000_000;
/// The most that is held back; beyond it the oldest goes on, however late the next may come.
const MAX_HELD: usize = 65_536;

/// A place in the timeline.
pub(crate) type Key = (Stamp, SensorId, u64);

/// Holds things back until none can come before them within the lateness bound.
#[derive(Debug)]
pub(crate) struct Reorder<T> {
    lateness_nanos: i64,
    newest: Option<Stamp>,
    released: Option<Key>,
    arrivals: u64,
    held: BTreeMap<(Key, u64), T>,
}

impl<T> Reorder<T> {
    pub(crate) fn new(lateness_nanos: i64) -> Self {
        Self {
            lateness_nanos,
            newest: None,
            released: None,
            arrivals: 0,
            held: BTreeMap::new(),
        }
    }

    /// Takes a thing, or gives it back if its place has been passed. Equals keep their order.
    pub(crate) fn push(&mut self, key: Key, thing: T) -> Result<(), T> {
        if self.released.is_some_and(|released| key < released) {
            return Err(thing);
        }
        self.newest = self.newest.max(Some(key.0));
        self.held.insert((key, self.arrivals), thing);
        self.arrivals += 1;
        Ok(())
    }

    /// The next thing that nothing can overtake any more.
    pub(crate) fn pop_ready(&mut self) -> Option<(Key, T)> {
        let ((oldest, ..), _) = self.held.first_key_value()?.0;
        let waited = self.newest?.nanos_since(*oldest);
        if waited >= self.lateness_nanos || self.held.len() > MAX_HELD {
            self.pop_rest()
        } else {
            None
        }
    }

    /// Takes out what is no later than this. What comes later with the time of the last of it is late.
    pub(crate) fn take_until(&mut self, moment: Stamp) -> Vec<T> {
        let mut due = Vec::new();
        while let Some(((key, _), _)) = self.held.first_key_value()
            && key.0 <= moment
            && let Some((_, thing)) = self.pop_rest()
        {
            due.push(thing);
        }
        if let (false, Some((passed, ..))) = (due.is_empty(), self.released) {
            self.released = Some((passed, SensorId(u16::MAX), u64::MAX));
        }
        due
    }

    /// The next thing, when nothing more will come.
    pub(crate) fn pop_rest(&mut self) -> Option<(Key, T)> {
        let ((key, _), thing) = self.held.pop_first()?;
        self.released = Some(key);
        Some((key, thing))
    }

    /// The newest time seen.
    pub(crate) fn newest(&self) -> Option<Stamp> {
        self.newest
    }

    fn at(&self, key: Key) -> impl Iterator<Item = &T> {
        self.held
            .range((key, 0)..=(key, u64::MAX))
            .map(|(_, thing)| thing)
    }
}

/// Puts measurements of a live source in timeline order, holding each back for a stated time.
///
/// What comes out is sorted by (`end`, `sensor`, `seq`). A measurement that comes when its place
/// has been passed becomes a [`Gap`] of cause `Late` at the earliest place that is left; a `Gap`
/// that comes so late moves there and stays what it is. The same
/// (`end`, `sensor`, `seq`) a second time becomes a `Gap` that lost nothing.
#[derive(Debug)]
pub struct Order {
    reorder: Reorder<Measurement>,
    late: u64,
    duplicates: u64,
}

impl Order {
    /// An empty buffer that waits `lateness` of data time for stragglers.
    pub fn new(lateness: std::time::Duration) -> Self {
        Self {
            reorder: Reorder::new(i64::try_from(lateness.as_nanos()).unwrap_or(i64::MAX)),
            late: 0,
            duplicates: 0,
        }
    }

    /// Takes a measurement; gives those whose turn has come.
    pub fn push(&mut self, measurement: Measurement) -> Vec<Measurement> {
        let is_gap = |measurement: &Measurement| matches!(measurement.payload, Payload::Gap(_));
        let twice = !is_gap(&measurement) && self.reorder.at(measurement.order()).any(|held| !is_gap(held));
        let measurement = if twice {
            self.duplicates += 1;
            let detail = format!("seq {} a second time, left out", measurement.seq);
            gap_for(&measurement, measurement.end, 0, GapCause::Corrupt, detail)
        } else {
            measurement
        };
        if let Err(late) = self.reorder.push(measurement.order(), measurement) {
            let (passed, ..) = self.reorder.released.expect("late is only what is before it");
            let left = passed.shifted_nanos(1);
            let gap = if is_gap(&late) {
                // It tells the same wherever it stands.
                Measurement { end: left, ..late }
            } else {
                self.late += 1;
                let detail = format!("seq {} came {} ns late", late.seq, passed.nanos_since(late.end));
                gap_for(&late, left, 1, GapCause::Late, detail)
            };
            if let Err(gap) = self.reorder.push(gap.order(), gap) {
                return vec![gap]; // Only at the very end of time, where there is no later place.
            }
        }
        std::iter::from_fn(|| self.reorder.pop_ready())
            .map(|(_, measurement)| measurement)
            .collect()
    }

    /// What ends no later than this, when nothing more will come before it: all of it up to the end of the
    /// last. What else comes with that end is late.
    pub(crate) fn until(&mut self, moment: Stamp) -> Vec<Measurement> {
        self.reorder.take_until(moment)
    }

    /// Everything that is still held, when nothing more will come.
    pub fn finish(mut self) -> Vec<Measurement> {
        std::iter::from_fn(|| self.reorder.pop_rest())
            .map(|(_, measurement)| measurement)
            .collect()
    }

    /// Measurements that came too late.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Measurements that came twice.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }
}

fn gap_for(measurement: &Measurement, end: Stamp, lost: u64, cause: GapCause, detail: String) -> Measurement {
    Measurement {
        end,
        payload: Payload::Gap(Gap { lost, cause, detail }),
        ..measurement.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn measurement(sensor: u16, seq: u64, end_millis: i64) -> Measurement {
        let end = Stamp::from_nanos(end_millis * 1_000_000);
        let payload = Payload::Depth(beluga_types::DepthFix {
            depth_m: 1.0,
            sigma_m: 0.1,
        });
        Measurement {
            seq,
            sensor: SensorId(sensor),
            stamp: end,
            end,
            received: end,
            payload,
        }
    }

    fn lost(measurement: &Measurement) -> Option<(GapCause, u64)> {
        match &measurement.payload {
            Payload::Gap(gap) => Some((gap.cause, gap.lost)),
            _ => None,
        }
    }

    /// Everything that comes out, which must be sorted.
    fn run(order: &mut Order, input: Vec<Measurement>) -> Vec<Measurement> {
        let mut out: Vec<_> = input
            .into_iter()
            .flat_map(|measurement| order.push(measurement))
            .collect();
        out.extend(std::mem::replace(order, Order::new(Duration::ZERO)).finish());
        assert!(out.is_sorted_by_key(Measurement::order));
        out
    }

    #[test]
    fn stragglers_within_the_bound_are_put_in_place() {
        let mut order = Order::new(Duration::from_millis(100));
        let out = run(
            &mut order,
            [(0, 10), (1, 30), (2, 20), (3, 130), (4, 90)]
                .map(|(seq, end)| measurement(0, seq, end))
                .into(),
        );
        assert_eq!(out.iter().map(|m| m.seq).collect::<Vec<_>>(), [0, 2, 1, 4, 3]);
        assert!(out.iter().all(|m| lost(m).is_none()));
    }

    #[test]
    fn what_nothing_can_overtake_comes_out_at_once() {
        let mut order = Order::new(Duration::from_millis(100));
        assert!(order.push(measurement(0, 0, 0)).is_empty());
        assert!(order.push(measurement(1, 0, 99)).is_empty());
        assert_eq!(order.push(measurement(0, 1, 100)).len(), 1);
    }

    #[test]
    fn later_than_the_bound_is_a_gap_in_its_order() {
        let mut order = Order::new(Duration::from_millis(50));
        let mut out: Vec<_> = [(0, 0), (1, 100), (2, 200)]
            .into_iter()
            .flat_map(|(seq, end)| order.push(measurement(0, seq, end)))
            .collect();
        out.extend(order.push(measurement(1, 7, 20)));
        assert_eq!(order.late(), 1);
        out.extend(order.finish());
        assert!(out.is_sorted_by_key(Measurement::order));
        let gaps: Vec<_> = out.iter().filter_map(lost).collect();
        assert_eq!(
            (out.len(), gaps),
            (4, vec![(GapCause::Late, 1)]),
            "counted in = out + lost"
        );
    }

    #[test]
    fn a_gap_that_comes_late_still_tells_what_it_told() {
        let mut order = Order::new(Duration::from_millis(50));
        let mut out: Vec<_> = [(0, 0), (1, 100), (2, 200)]
            .into_iter()
            .flat_map(|(seq, end)| order.push(measurement(0, seq, end)))
            .collect();
        let told = Payload::Gap(Gap {
            lost: 0,
            cause: GapCause::Overflow,
            detail: "9 let go".into(),
        });
        let gap = Measurement {
            payload: told.clone(),
            ..measurement(1, 7, 20)
        };
        out.extend(order.push(gap));
        assert_eq!(order.late(), 0, "no measurement is late");
        out.extend(order.finish());
        assert!(out.is_sorted_by_key(Measurement::order));
        assert!(out.iter().any(|one| one.payload == told && one.stamp <= one.end));
    }

    #[test]
    fn the_same_twice_is_one_and_a_gap_that_lost_nothing() {
        let mut order = Order::new(Duration::from_millis(50));
        let out = run(
            &mut order,
            vec![
                measurement(0, 5, 10),
                measurement(0, 5, 10),
                measurement(1, 5, 10),
            ],
        );
        let gaps: Vec<_> = out.iter().filter_map(lost).collect();
        assert_eq!((out.len(), gaps), (3, vec![(GapCause::Corrupt, 0)]));
    }
}
