//! The timeline of a world, made stretch by stretch.

use std::collections::VecDeque;

use beluga_types::{Measurement, Payload, Stamp};

use super::{STRETCH_NANOS, World};
use crate::faults::{Fate, Host};
use crate::truth::{Returns, ReturnsOf};
use crate::vessel::START;

/// A measurement with what is true of its returns.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) measurement: Measurement,
    pub(super) returns: Returns,
}

/// The measurements of a world, in timeline order.
#[derive(Debug)]
pub struct Measurements<'a> {
    world: &'a World,
    next_stretch: Stamp,
    host: Host,
    ready: VecDeque<Made>,
    /// Made, but something not made yet could end before it.
    pending: Vec<Made>,
    returns_of: ReturnsOf,
}

impl<'a> Measurements<'a> {
    pub(super) fn new(world: &'a World, returns_of: ReturnsOf) -> Self {
        Self {
            world,
            next_stretch: START,
            host: Host::default(),
            ready: VecDeque::new(),
            pending: Vec::new(),
            returns_of,
        }
    }

    /// Makes the next stretch. What ends before the earliest stamp of the stretch after it is ready:
    /// everything still to come ends no earlier than that.
    fn advance(&mut self) {
        let from = self.next_stretch;
        let to = from.shifted_nanos(STRETCH_NANOS);
        for (made, fate) in self.world.stretch(from, to, self.returns_of) {
            self.hear(made, fate);
        }
        self.pending.sort_by_key(|made| made.measurement.order());
        self.next_stretch = to;
        let last = to >= self.world.end();
        let safe = to.shifted_nanos(self.world.faults.earliest_nanos());
        let count = if last {
            self.pending.len()
        } else {
            self.pending.partition_point(|made| made.measurement.end < safe)
        };
        self.ready.extend(self.pending.drain(..count));
    }

    /// Takes a payload as it was measured, and keeps what the recorder makes of it.
    fn hear(&mut self, made: Made, fate: Fate) {
        let Made {
            mut measurement,
            returns,
        } = made;
        let faults = &self.world.faults;
        if faults.without_fix(measurement.stamp, &measurement.payload) {
            return self.host.skip(&measurement);
        }
        faults.leave(&mut measurement);
        let mut returns = Some(returns);
        let patience_nanos = faults.patience_nanos(measurement.sensor);
        for measurement in self.host.hear(measurement, fate, patience_nanos) {
            let of_payload = !matches!(measurement.payload, Payload::Gap(_));
            let returns = returns.take_if(|_| of_payload).unwrap_or(Returns::None);
            self.pending.push(Made { measurement, returns });
        }
    }

    pub(super) fn next_made(&mut self) -> Option<Made> {
        while self.ready.is_empty() && self.next_stretch < self.world.end() {
            self.advance();
        }
        self.ready.pop_front()
    }
}

impl Iterator for Measurements<'_> {
    type Item = Measurement;

    fn next(&mut self) -> Option<Measurement> {
        self.next_made().map(|made| made.measurement)
    }
}
