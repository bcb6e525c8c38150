//! What is wrong in a world, and how it comes into what is recorded.
//!
//! Three kinds, in the order in which they act. The world itself is other than the rig states
//! ([`stated`], [`growth`], a mount that slips): the sensors measure truly, and the recording says
//! something else about it. A payload is spoilt after it was measured ([`spoil`], [`clock`]). And it
//! may not reach the host in one piece, or once ([`link`]).
//!
//! Each fault has its own numbers and its own dice, so that one of them changes what it should and
//! nothing else.

mod acting;
mod clock;
mod flags;
mod growth;
mod link;
mod spoil;
mod stated;

use beluga_types::{Attitude, Body, Measurement, Mount, Rig, Sensor, SensorId, Stamp, Transform};

pub use acting::ActingFault;
pub(crate) use flags::check;
pub use growth::Growth;
pub(crate) use link::{Fate, Host};

use crate::error::Error;
use crate::scenario::{FaultScenario, Scenario, SlipFault};
use crate::vessel::START;
use clock::Clock;

/// What is wrong in one world.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    seed: u64,
    duration_s: f64,
    scenario: FaultScenario,
    /// Of each sensor of the rig.
    clocks: Vec<Clock>,
    names: Vec<String>,
}

impl Faults {
    /// The faults of a scenario in a world with this rig.
    ///
    /// # Errors
    /// [`Error::Fault`] if one is about a sensor that the rig lacks.
    pub(crate) fn new(scenario: &Scenario, rig: &Rig) -> Result<Self, Error> {
        let faults = &scenario.faults;
        let names: Vec<String> = rig.sensors.iter().map(|sensor| sensor.name.clone()).collect();
        if let Some(found) = flags::sensors(faults)
            .into_iter()
            .find(|name| !names.contains(name))
        {
            return Err(Error::Fault {
                expected: format!("a sensor of the rig ({})", names.join(", ")),
                found,
            });
        }
        let clocks = rig.ids().map(|id| {
            let name = &names[usize::from(id.0)];
            Clock::new(faults.clock.get(name), scenario.seed, id)
        });
        Ok(Self {
            seed: scenario.seed,
            duration_s: scenario.duration_s,
            clocks: clocks.collect(),
            scenario: faults.clone(),
            names,
        })
    }

    /// How a sensor's stamps differ from the truth.
    pub(crate) fn clock(&self, sensor: SensorId) -> Option<&Clock> {
        self.clocks.get(usize::from(sensor.0))
    }

    /// The earliest that any stamp comes before its true time, in nanoseconds; zero or less.
    pub(crate) fn earliest_nanos(&self) -> i64 {
        let earliest = |clock: &Clock| clock.earliest_nanos(self.duration_s);
        self.clocks.iter().map(earliest).min().unwrap_or(0).min(0)
    }

    /// When a sensor's mount slips, and where it is then.
    pub(crate) fn slip(&self, rig: &Rig, sensor: SensorId) -> Option<(Stamp, Mount)> {
        let spec = rig.sensor(sensor)?;
        let slip = self.scenario.slip.get(&spec.name)?;
        let SlipFault {
            at_s,
            roll_deg,
            pitch_deg,
            heading_deg,
        } = *slip;
        let at = START.shifted_s(at_s.unwrap_or(0.5 * self.duration_s));
        Some((at, turned(spec.mount, [roll_deg, pitch_deg, heading_deg])))
    }

    /// Where a sensor truly is at a moment. What is measured at once (a scan, a ping) is measured
    /// from where it began.
    pub(crate) fn mount_at(&self, rig: &Rig, sensor: SensorId, stamp: Stamp) -> Transform<Body, Sensor> {
        match (self.slip(rig, sensor), rig.sensor(sensor)) {
            (Some((at, mount)), _) if stamp >= at => mount.body_from_sensor(),
            (_, Some(spec)) => spec.body_from_sensor(),
            _ => Transform::identity(),
        }
    }

    /// A payload as it leaves its sensor: spoilt, and stamped by a clock that may be wrong. When the
    /// host hears it does not depend on that clock.
    pub(crate) fn leave(&self, measurement: &mut Measurement) {
        let true_stamp = measurement.stamp;
        spoil::payload(self, true_stamp, &mut measurement.payload);
        let Some(clock) = self.clock(measurement.sensor) else {
            return;
        };
        let wrong = clock.error_nanos(true_stamp, measurement.seq);
        measurement.stamp = measurement.stamp.shifted_nanos(wrong);
        measurement.end = measurement.end.shifted_nanos(wrong);
    }
}

/// A mount turned by roll, pitch and heading, in degrees.
fn turned(mount: Mount, by_deg: [f64; 3]) -> Mount {
    let by = Attitude::from_degrees(by_deg);
    let attitude = Attitude {
        roll_rad: mount.attitude.roll_rad + by.roll_rad,
        pitch_rad: mount.attitude.pitch_rad + by.pitch_rad,
        heading_rad: mount.attitude.heading_rad + by.heading_rad,
    };
    Mount { attitude, ..mount }
}
