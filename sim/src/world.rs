//! A world: scene, vessel and sensors, and the timeline they make.

mod measurements;

use std::sync::Arc;

use beluga_types::{
    Beam, Beams, Body, Measurement, Payload, Rig, Sensor, SensorId, Stamp, Transform, World as WorldSpace,
};
use nalgebra::Vector3;
use rayon::prelude::*;

use crate::error::Error;
use crate::faults::{ActingFault, Fate, Faults};
use crate::lidar;
use crate::nav::{Gnss, Imu, Nav};
use crate::rig::{self, LIDAR, NAV, SONAR};
use crate::scenario::{ArrayShading, Scenario};
use crate::scene::{self, Scene};
use crate::sonar::Sonar;
use crate::truth::{Returns, ReturnsOf, Truth};
use crate::vessel::{START, Vessel};
use measurements::Made;
pub use measurements::Measurements;

/// Payloads are made in stretches of this length, so that memory stays bounded.
const STRETCH_NANOS: i64 = 500_000_000;
/// From the end of a payload until the host has it.
const TRANSFER_NANOS: i64 = 2_000_000;

/// A seeded world with known truth.
#[derive(Debug)]
pub struct World {
    scenario: Scenario,
    /// Where everything truly is.
    true_rig: Rig,
    /// What the recording says.
    stated_rig: Rig,
    faults: Faults,
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
    /// [`Error::Scenario`] if a number of the scenario lies outside its range, [`Error::Fault`] if a
    /// fault is about a sensor that there is not, [`Error::Site`] if something of the site cannot be as
    /// it is described or stands in the vessel's way.
    pub fn new(mut scenario: Scenario) -> Result<Self, Error> {
        scenario.check()?;
        if scenario.sonar.neighbour.is_none() {
            scenario.sonar.neighbour = scenario.faults.interference.neighbour(&scenario.sonar);
        }
        let true_rig = rig::build(&scenario);
        let faults = Faults::new(&scenario, &true_rig)?;
        let vessel = Vessel::new(&scenario);
        let path_m = vessel.reach_m(scenario.duration_s);
        let scene = scene::build(&scenario, path_m)?;
        check_way(&scene, &true_rig, &vessel, &scenario)?;
        let origin = true_rig.origin.clone().unwrap_or_default();
        let gnss = true_rig.id_of(rig::GNSS).zip(scenario.nav.gnss.as_ref());
        let imu = true_rig.id_of(rig::IMU).zip(scenario.nav.imu.as_ref());
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
            sonar: Sonar::new(&scenario),
            nav: Nav::new(&scenario, &vessel),
            stated_rig: faults.stated(&true_rig),
            vessel,
            true_rig,
            faults,
            scenario,
        })
    }

    /// What the world was made from.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The rig as the recording states it: the true one, but for the faults of the scenario.
    pub fn rig(&self) -> &Rig {
        &self.stated_rig
    }

    /// The rig with which everything is measured.
    pub fn true_rig(&self) -> &Rig {
        &self.true_rig
    }

    /// What is wrong in this world.
    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What is true: poses, mounting, surfaces, rungs.
    pub fn truth(&self) -> Truth {
        Truth::of(self)
    }

    /// Every fault that acts, how large, and when.
    pub fn acting_faults(&self) -> Vec<ActingFault> {
        self.faults.acting()
    }

    /// The true pose at a moment.
    pub fn pose_at(&self, stamp: Stamp) -> Transform<WorldSpace, Body> {
        self.scene.world_from_quay * self.vessel.pose_at(stamp)
    }

    /// Samples of the sonar beyond full scale in what has been made so far: they were clipped.
    pub fn clipped_samples(&self) -> u64 {
        self.sonar.clipped()
    }

    /// The beams that an ideal receiver would form of what arrives at an array's elements in a ping, without
    /// noise and in the samples' own unit: what is formed of the elements' waveforms should be these. Nothing
    /// of a sonar that is no array by its elements, and beyond the last ping.
    pub fn ideal_beams(&self, ping: u64, beams: &Arc<[Beam]>, shading: ArrayShading) -> Option<Beams> {
        (ping < self.sonar.count())
            .then(|| self.sonar.ideal_beams(self, ping, beams, shading))
            .flatten()
    }

    /// All measurements in timeline order, made as they are asked for. The same for any number of
    /// threads; each stretch of half a second is made in parallel.
    pub fn measurements(&self) -> Measurements<'_> {
        Measurements::new(self, ReturnsOf::None)
    }

    /// The same measurements, each with what is true of its returns.
    pub fn measurements_with_returns(
        &self,
        returns_of: ReturnsOf,
    ) -> impl Iterator<Item = (Measurement, Returns)> {
        let mut measurements = Measurements::new(self, returns_of);
        std::iter::from_fn(move || {
            measurements
                .next_made()
                .map(|made| (made.measurement, made.returns))
        })
    }

    /// How many payloads each sensor measures.
    pub(crate) fn counts(&self) -> Vec<(SensorId, u64)> {
        let gnss = self.gnss.as_ref().map(|(id, gnss)| (*id, gnss.count()));
        let imu = self.imu.as_ref().map(|(id, imu)| (*id, imu.count()));
        let always = [
            (LIDAR, lidar::count(self)),
            (SONAR, self.sonar.count()),
            (NAV, self.nav.count()),
        ];
        always.into_iter().chain(gnss).chain(imu).collect()
    }

    /// The true time at which a sensor measures a payload.
    pub(crate) fn stamp_of(&self, sensor: SensorId, seq: u64) -> Stamp {
        match (&self.gnss, &self.imu) {
            _ if sensor == LIDAR => lidar::stamp(self, seq),
            _ if sensor == SONAR => self.sonar.stamp(seq),
            (Some((id, gnss)), _) if *id == sensor => gnss.stamp(seq),
            (_, Some((id, imu))) if *id == sensor => imu.stamp(seq),
            _ => self.nav.stamp(seq),
        }
    }

    pub(crate) fn scene(&self) -> &Scene {
        &self.scene
    }

    pub(crate) fn sonar(&self) -> &Sonar {
        &self.sonar
    }

    pub(crate) fn vessel(&self) -> &Vessel {
        &self.vessel
    }

    /// Where a sensor truly is when it begins a payload.
    pub(crate) fn mount_at(&self, sensor: SensorId, stamp: Stamp) -> Transform<Body, Sensor> {
        self.faults.mount_at(&self.true_rig, sensor, stamp)
    }

    /// Every payload that is measured in [`from`, `to`) and reaches the host, as it leaves its
    /// sensor; those of a sensor in the order of its count.
    fn stretch(&self, from: Stamp, to: Stamp, returns_of: ReturnsOf) -> Vec<(Made, Fate)> {
        let within = |sensor: SensorId, count: u64| {
            let stamp = move |seq| self.stamp_of(sensor, seq);
            let first = first_at_or_after(count, &stamp, from);
            let end = first_at_or_after(count, &stamp, to);
            (first..end).map(move |seq| (sensor, seq))
        };
        let jobs: Vec<(SensorId, u64, Fate)> = self
            .counts()
            .into_iter()
            .flat_map(|(sensor, count)| within(sensor, count))
            .map(|(sensor, seq)| {
                (
                    sensor,
                    seq,
                    self.faults.fate(sensor, seq, self.stamp_of(sensor, seq)),
                )
            })
            .filter(|(.., fate)| !matches!(fate, Fate::Lost | Fate::Silent))
            .collect();
        jobs.par_iter()
            .map(|&(sensor, seq, fate)| (self.measure(sensor, seq, returns_of), fate))
            .collect()
    }

    fn measure(&self, sensor: SensorId, seq: u64, returns_of: ReturnsOf) -> Made {
        let stamp = self.stamp_of(sensor, seq);
        let mut returns = Returns::None;
        let (last_nanos, payload) = match sensor {
            LIDAR => {
                let (scan, truth) = lidar::scan_with_truth(self, seq);
                if returns_of != ReturnsOf::None {
                    returns = Returns::of_scan(&truth);
                }
                (
                    i64::from(scan.last_offset_nanos()),
                    Payload::Lidar(Arc::new(scan)),
                )
            }
            SONAR => {
                if returns_of == ReturnsOf::All {
                    returns = Returns::of_ping(self, seq);
                }
                let (ping, last) = self.sonar.ping(self, seq);
                (last, Payload::Sonar(Arc::new(ping)))
            }
            _ => (0, self.navigate(sensor, seq)),
        };
        let end = stamp.shifted_nanos(last_nanos);
        let measurement = Measurement {
            seq,
            sensor,
            stamp,
            end,
            received: end.shifted_nanos(TRANSFER_NANOS),
            payload,
        };
        Made { measurement, returns }
    }

    /// What the navigation sensor of this id gives.
    fn navigate(&self, sensor: SensorId, seq: u64) -> Payload {
        let stamp = self.stamp_of(sensor, seq);
        match (&self.gnss, &self.imu) {
            (Some((id, gnss)), _) if *id == sensor => Payload::Gnss(gnss.fix(seq, &self.pose_at(stamp))),
            (_, Some((id, imu))) if *id == sensor => {
                Payload::Imu(imu.sample(seq, &self.vessel.motion_at(stamp)))
            }
            _ => Payload::Pose(self.nav.fix(seq, &self.pose_at(stamp))),
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
