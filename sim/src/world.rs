//! A world: scene, vessel and sensors, and the timeline they make.

use std::collections::VecDeque;
use std::sync::Arc;

use beluga_types::{
    Body, Measurement, Payload, Rig, Sensor, SensorId, Stamp, Transform, World as WorldSpace,
};
use nalgebra::Vector3;
use rayon::prelude::*;

use crate::error::Error;
use crate::lidar;
use crate::nav::{Gnss, Imu, Nav};
use crate::rig::{self, LIDAR, NAV, SONAR};
use crate::scenario::Scenario;
use crate::scene::{self, Scene};
use crate::sonar::Sonar;
use crate::truth::Truth;
use crate::vessel::{START, Vessel};

/// Payloads are made in stretches of this length, so that memory stays bounded.
const STRETCH_NANOS: i64 = 500_000_000;
/// From the end of a payload until the host has it.
const TRANSFER_NANOS: i64 = 2_000_000;

/// A seeded world with known truth.
#[derive(Debug)]
pub struct World {
    scenario: Scenario,
    rig: Rig,
    scene: Scene,
    vessel: Vessel,
    sonar: Sonar,
    nav: Nav,
    gnss: Option<(SensorId, Gnss)>,
    imu: Option<(SensorId, Imu)>,
}

impl World {
    /// Builds the world of a scenario.
    ///
    /// # Errors
    /// [`Error::Scenario`] if a number of the scenario lies outside its range, [`Error::Site`] if
    /// something of the site cannot be as it is described or stands in the vessel's way.
    pub fn new(scenario: Scenario) -> Result<Self, Error> {
        scenario.check()?;
        let rig = rig::build(&scenario);
        let vessel = Vessel::new(&scenario);
        let path_m = vessel.reach_m(scenario.duration_s);
        let scene = scene::build(&scenario, path_m)?;
        check_way(&scene, &rig, &vessel, &scenario)?;
        let origin = rig.origin.clone().unwrap_or_default();
        let gnss = rig.id_of(rig::GNSS).zip(scenario.nav.gnss.as_ref());
        let imu = rig.id_of(rig::IMU).zip(scenario.nav.imu.as_ref());
        let imu_of = |id, imu| {
            let body_from_sensor = rig::imu_mount(imu).body_from_sensor();
            let latitude_rad = origin.anchor.latitude_rad;
            let turn = scene.world_from_quay.rotation();
            (
                id,
                Imu::new(&scenario, imu, body_from_sensor, latitude_rad, &turn),
            )
        };
        Ok(Self {
            imu: imu.map(|(id, imu)| imu_of(id, imu)),
            gnss: gnss.map(|(id, gnss)| (id, Gnss::new(&scenario, gnss, &vessel, origin.clone()))),
            scene,
            sonar: Sonar::new(&scenario, &rig),
            nav: Nav::new(&scenario, &vessel),
            vessel,
            rig,
            scenario,
        })
    }

    /// What the world was made from.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The rig as the recording states it, which in this level is the true one.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// What is true: poses, mounting, surfaces, rungs.
    pub fn truth(&self) -> Truth {
        Truth::of(self)
    }

    /// The true pose at a moment.
    pub fn pose_at(&self, stamp: Stamp) -> Transform<WorldSpace, Body> {
        self.scene.world_from_quay * self.vessel.pose_at(stamp)
    }

    /// Samples of the sonar beyond full scale in what has been made so far: they were clipped.
    pub fn clipped_samples(&self) -> u64 {
        self.sonar.clipped()
    }

    /// All measurements in timeline order, made as they are asked for. The same for any number of
    /// threads; each stretch of half a second is made in parallel.
    pub fn measurements(&self) -> Measurements<'_> {
        Measurements {
            world: self,
            next_stretch: START,
            ready: VecDeque::new(),
            pending: Vec::new(),
        }
    }

    /// Height of the waterline at a moment, in metres above the still water: the tide, without waves.
    pub fn water_level_m(&self, stamp: Stamp) -> f64 {
        self.vessel.water_level_m(stamp)
    }

    pub(crate) fn scene(&self) -> &Scene {
        &self.scene
    }

    pub(crate) fn vessel(&self) -> &Vessel {
        &self.vessel
    }

    pub(crate) fn body_from_sensor(&self, sensor: SensorId) -> Transform<Body, Sensor> {
        self.rig
            .sensor(sensor)
            .map_or_else(Transform::identity, |spec| spec.body_from_sensor())
    }

    /// Everything whose stamp lies in [`from`, `to`), in no order.
    fn stretch(&self, from: Stamp, to: Stamp) -> Vec<Measurement> {
        let within = |count: u64, stamp: &dyn Fn(u64) -> Stamp, sensor: SensorId| -> Vec<(SensorId, u64)> {
            let first = first_at_or_after(count, stamp, from);
            let end = first_at_or_after(count, stamp, to);
            (first..end).map(|seq| (sensor, seq)).collect()
        };
        let mut jobs = within(lidar::count(self), &|scan| lidar::stamp(self, scan), LIDAR);
        jobs.extend(within(self.sonar.count(), &|ping| self.sonar.stamp(ping), SONAR));
        jobs.extend(within(self.nav.count(), &|fix| self.nav.stamp(fix), NAV));
        if let Some((id, gnss)) = &self.gnss {
            jobs.extend(within(gnss.count(), &|fix| gnss.stamp(fix), *id));
        }
        if let Some((id, imu)) = &self.imu {
            jobs.extend(within(imu.count(), &|sample| imu.stamp(sample), *id));
        }
        jobs.par_iter()
            .map(|&(sensor, seq)| self.measure(sensor, seq))
            .collect()
    }

    fn measure(&self, sensor: SensorId, seq: u64) -> Measurement {
        let (stamp, last_nanos, payload) = match sensor {
            LIDAR => {
                let scan = lidar::scan(self, seq);
                let last = i64::from(scan.last_offset_nanos());
                (lidar::stamp(self, seq), last, Payload::Lidar(Arc::new(scan)))
            }
            SONAR => {
                let (ping, last) = self.sonar.ping(self, seq);
                (self.sonar.stamp(seq), last, Payload::Sonar(Arc::new(ping)))
            }
            _ => {
                let (stamp, payload) = self.navigate(sensor, seq);
                (stamp, 0, payload)
            }
        };
        let end = stamp.shifted_nanos(last_nanos);
        Measurement {
            seq,
            sensor,
            stamp,
            end,
            received: end.shifted_nanos(TRANSFER_NANOS),
            payload,
        }
    }

    /// What the navigation sensor of this id gives.
    fn navigate(&self, sensor: SensorId, seq: u64) -> (Stamp, Payload) {
        match (&self.gnss, &self.imu) {
            (Some((id, gnss)), _) if *id == sensor => {
                let stamp = gnss.stamp(seq);
                (stamp, Payload::Gnss(gnss.fix(seq, &self.pose_at(stamp))))
            }
            (_, Some((id, imu))) if *id == sensor => {
                let stamp = imu.stamp(seq);
                let sample = imu.sample(seq, &self.vessel.motion_at(stamp));
                (stamp, Payload::Imu(sample))
            }
            _ => {
                let stamp = self.nav.stamp(seq);
                (stamp, Payload::Pose(self.nav.fix(seq, &self.pose_at(stamp))))
            }
        }
    }

    fn end(&self) -> Stamp {
        START.shifted_s(self.scenario.duration_s).shifted_nanos(1)
    }
}

/// Whether the vessel's path is free, for the body's origin and for each sensor.
fn check_way(scene: &Scene, rig: &Rig, vessel: &Vessel, scenario: &Scenario) -> Result<(), Error> {
    /// From one place of the path to the next.
    const STEP_S: f64 = 0.5;
    let steps = (scenario.duration_s / STEP_S).ceil() as u64;
    let poses: Vec<_> = (0..=steps)
        .map(|i| vessel.pose_at(START.shifted_s((i as f64 * STEP_S).min(scenario.duration_s))))
        .collect();
    let way = |of: &Transform<Body, Sensor>| -> Vec<Vector3<f64>> {
        poses.iter().map(|pose| (*pose * *of).translation()).collect()
    };
    scene.check_path(&way(&Transform::identity()), scenario.site.clearance_m)?;
    for sensor in &rig.sensors {
        let places = way(&sensor.body_from_sensor());
        scene.check_place(&format!("sensor `{}`", sensor.name), places.first())?;
        scene.check_path(&places, 0.0)?;
    }
    Ok(())
}

/// The first of `count` payloads in order of time that is not before `moment`.
fn first_at_or_after(count: u64, stamp: &dyn Fn(u64) -> Stamp, moment: Stamp) -> u64 {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if stamp(middle) < moment {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The measurements of a world, in timeline order.
#[derive(Debug)]
pub struct Measurements<'a> {
    world: &'a World,
    next_stretch: Stamp,
    ready: VecDeque<Measurement>,
    /// Made, but something not made yet could end before it.
    pending: Vec<Measurement>,
}

impl Measurements<'_> {
    /// Makes the next stretch. What ends before the stretch after it begins is ready: everything
    /// still to come ends no earlier than that.
    fn advance(&mut self) {
        let from = self.next_stretch;
        let to = from.shifted_nanos(STRETCH_NANOS);
        self.pending.extend(self.world.stretch(from, to));
        self.pending.sort_by_key(Measurement::order);
        self.next_stretch = to;
        let last = to >= self.world.end();
        let count = if last {
            self.pending.len()
        } else {
            self.pending.partition_point(|measurement| measurement.end < to)
        };
        self.ready.extend(self.pending.drain(..count));
    }
}

impl Iterator for Measurements<'_> {
    type Item = Measurement;

    fn next(&mut self) -> Option<Measurement> {
        while self.ready.is_empty() && self.next_stretch < self.world.end() {
            self.advance();
        }
        self.ready.pop_front()
    }
}
