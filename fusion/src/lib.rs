//! Pure fusion: measurements in, SOLIDAR frames out.
//!
//! `frames = fusion(config, rig, timeline)`: no clock, no I/O, no randomness; the same timeline
//! gives the same bytes for any number of threads. One [`Fuser`] is one pass over one timeline.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod anchor;
mod columns;
mod config;
mod deskew;
mod error;
mod frame;
pub mod graph;
mod hear;
mod lag;
mod lidar;
mod motion;
mod nav;
mod nowhere;
mod odometry;
mod open_axes;
mod place;
mod plane;
mod pose;
mod register;
mod retrace;
mod sample;
mod saved;
mod slow;
mod solve;
pub mod sonar;
mod table;
mod thin;
mod trajectory;
mod voxel;
mod waterline;
mod window;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use beluga_types::{
    ArcTable, Echogram, FrameStatus, LidarScan, Measurement, Payload, PointTable, Rig, SensorId,
    SolidarFrame, SonarRegistration, Stamp, Window,
};

pub use config::{CalibrationConfig, Config, NavConfig, OdometryConfig, RegisterConfig};
pub use error::{Error, LagError};
pub use graph::LoopConfig;
pub use hear::ALARMING_M_PER_S;
pub use lag::{Attitudes, Lag, lag};
pub use lidar::{LidarOdometry, Located, Neighbour, PointMap};
pub use retrace::{DatedCast, Retrace, Retraced};
pub use saved::SavedMap;
pub use sonar::SonarConfig;

use frame::{AboveWater, Clocks, PlacedScan, Tally};
use hear::Sonars;
use nowhere::Nowhere;
use open_axes::OpenAxes;
use pose::{Estimator, Found, ReferenceScan};
use register::Registrar;
use sample::Sampler;
use waterline::WaterlineMean;
use window::Windows;

/// How long a window waits for the fixes after its end, in nanoseconds of data time.
const NAV_WAIT_NANOS: i64 = 100_000_000;
/// Pictures of pings kept until somebody takes them.
const MAX_ECHOES: usize = 4;

/// Takes measurements in the timeline's order and makes frames of them.
pub struct Fuser {
    config: Config,
    rig: Rig,
    windows: Windows,
    estimator: Estimator,
    sonars: Sonars,
    waterline: WaterlineMean,
    registrar: Registrar,
    sampler: Sampler,
    echoes: VecDeque<Echogram>,
    notes: BTreeSet<String>,
    unusable: BTreeMap<SensorId, u64>,
    open_axes: OpenAxes,
    nowhere: Nowhere,
    clocks: Clocks,
    next_index: u64,
}

impl Fuser {
    /// A fuser for one pass of this rig.
    ///
    /// # Errors
    /// [`Error::Config`] if a number is outside its range, [`Error::Rig`] if the rig contradicts itself.
    pub fn new(config: Config, rig: Rig) -> Result<Self, Error> {
        config.check()?;
        let rig = rig.checked()?;
        let reference = rig.reference_lidar();
        let rate_hz = reference
            .and_then(|id| rig.sensor(id))
            .and_then(|spec| spec.rate_hz);
        let sonars = Sonars::new(&config, &rig);
        Ok(Self {
            notes: sonars.assumptions(&rig).into_iter().collect(),
            windows: Windows::new(reference, config.window_millis, rate_hz),
            estimator: Estimator::new(&config, rig.vessel.waterline_m.is_some()),
            sonars,
            waterline: WaterlineMean::new(rig.vessel.waterline_m),
            registrar: Registrar::new(&config.register),
            sampler: Sampler::default(),
            echoes: VecDeque::new(),
            unusable: BTreeMap::new(),
            open_axes: OpenAxes::default(),
            nowhere: Nowhere::new(&rig),
            clocks: Clocks::default(),
            next_index: 0,
            config,
            rig,
        })
    }

    /// The same for a run that begins in a map of an earlier survey: its poses are in that map's
    /// `World`, in which fixes of navigation have to be given too. Until the body is found there, frames have
    /// the status of a prediction; [`Self::not_found`] says if it never was.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn in_map(config: Config, rig: Rig, map: SavedMap) -> Result<Self, Error> {
        let mut fuser = Self::new(config, rig)?;
        fuser.estimator = Estimator::in_map(&fuser.config, map);
        Ok(fuser)
    }

    /// Takes the next measurement; gives the frames whose windows it closes. Cannot fail: what is
    /// bad is counted and leaves a hole.
    pub fn push(&mut self, measurement: Measurement) -> Vec<SolidarFrame> {
        // What a frame holds does not depend on whether its end was told before this came.
        self.windows.pass(measurement.end);
        let mut frames = self.close_windows(false);
        if let Payload::Pose(fix) = &measurement.payload
            && !self.estimator.nav.push(measurement.stamp, fix)
        {
            self.note("a pose that is not finite, or whose covariance is not positive or beyond all use, was left out");
        }
        if let Some(unused) = unused(&measurement.payload) {
            let name = self
                .rig
                .sensor(measurement.sensor)
                .map_or("?", |spec| spec.name.as_str());
            let note = format!("`{name}` gives {unused}: counted, not used in the pose");
            self.note(&note);
        }
        self.windows.push(measurement);
        frames.extend(self.close_windows(false));
        frames
    }

    /// Hears that all that ends at this moment or before has been pushed, as who listens to sensors knows
    /// before the next measurement comes; gives the frames whose windows that closes. They are the same
    /// frames, byte for byte, without it: only later.
    pub fn pass(&mut self, moment: Stamp) -> Vec<SolidarFrame> {
        self.windows.pass(moment.shifted_nanos(1));
        self.close_windows(false)
    }

    /// The frames of what still waits: the end of the pass. [`Self::notes`] is complete after it.
    pub fn finish(&mut self) -> Vec<SolidarFrame> {
        let mut frames = self.close_windows(true);
        self.notes.extend(self.open_axes.note());
        self.notes.extend(self.nowhere.note());
        self.notes.extend(self.sonars.floating_notes(&self.rig));
        self.notes.extend(self.estimator.tension_note());
        if let Some(frame) = frames.last_mut() {
            let map_from_body = self.estimator.map_from_body_at(frame.window.end);
            let map = self.estimator.odometry().map();
            if let Some(verdict) = self.registrar.last(&map_from_body, map) {
                frame.status.sonar_registration = verdict;
            }
        }
        frames
    }

    /// The newest pings as pictures, oldest first; empty unless `keep_echoes` is chosen.
    pub fn take_echoes(&mut self) -> Vec<Echogram> {
        self.echoes.drain(..).collect()
    }

    /// What was assumed and what could not be done, once each, in alphabetical order.
    pub fn notes(&self) -> Vec<String> {
        self.notes.iter().cloned().collect()
    }

    /// Why the body has not been found in the map the run began in, if it has not.
    pub fn not_found(&self) -> Option<&str> {
        self.estimator.not_found()
    }

    /// How many pings of each sonar came to nothing because their pulse does not fit their samples.
    /// Complete after [`Self::finish`].
    pub fn unusable_pings(&self) -> &BTreeMap<SensorId, u64> {
        &self.unusable
    }

    fn close_windows(&mut self, finishing: bool) -> Vec<SolidarFrame> {
        let mut frames = Vec::new();
        while let Some(window) = self.windows.next(finishing) {
            if !finishing && self.awaits_nav(&window) {
                break;
            }
            frames.push(self.close(&window));
        }
        frames
    }

    /// Whether fixes after the window's end are still to come, so that its end lies between fixes.
    fn awaits_nav(&self, window: &Window) -> bool {
        let waited = self.windows.horizon().nanos_since(window.end);
        let wanted = window.end.shifted_nanos(nav::AHEAD_NANOS);
        let missing = self.estimator.nav.last().is_some_and(|last| last < wanted);
        missing && waited < NAV_WAIT_NANOS
    }

    /// One window, step by step.
    fn close(&mut self, window: &Window) -> SolidarFrame {
        let measurements = self.windows.take(window);
        let mut tally = Tally::of(&measurements);
        self.clocks.hear(&measurements);
        let mut found = self.locate(window, &measurements);
        let is_placed = self.nowhere.see(&mut found);
        let world_from_body = self.estimator.world_from_body_at(window.end);
        let height_m = world_from_body.translation().z;
        let waterline = is_placed
            .then(|| {
                self.waterline
                    .update(window.end, height_m, found.covariance[(5, 5)])
            })
            .flatten();
        let mut points = PointTable::default();
        let mut arcs = ArcTable::default();
        let water = AboveWater::new(&world_from_body, waterline.as_ref());
        self.place_scans(window, &measurements, water, &mut points, &mut tally);
        self.hear_pings(window, &measurements, water, (&mut points, &mut arcs), &mut tally);
        let (calibration, shared) = frame::calibration(&self.rig, |id| self.sonars.speed_of(id));
        let index = self.next_index;
        self.next_index += 1;
        let mut frame = SolidarFrame {
            index,
            window: *window,
            inputs: tally.inputs(),
            gaps: tally.gaps(),
            clocks: self.clocks.known(),
            world_from_body,
            pose_covariance: found.covariance,
            localizability: found.localizability,
            twist: self.estimator.twist(),
            shared: frame::shared_states(&found.covariance, &shared, &self.config.calibration),
            waterline,
            calibration,
            status: FrameStatus {
                pose_source: found.source,
                sonar_registration: SonarRegistration::NotTried,
            },
            points,
            arcs,
        };
        self.open_axes.count(&frame);
        let map_from_body = self.estimator.map_from_body_at(window.end);
        let map = self.estimator.odometry().map();
        frame.status.sonar_registration = self.registrar.step(&frame, &map_from_body, map);
        frame
    }

    /// Steps 5 and 6: deskews the reference scans, lays them on the map, settles the pose.
    fn locate(&mut self, window: &Window, measurements: &[Measurement]) -> Found {
        let reference = self.rig.reference_lidar();
        let mut scans = Vec::new();
        for (measurement, scan) in lidar_scans(measurements) {
            let Some(spec) = self.rig.sensor(measurement.sensor) else {
                continue;
            };
            if Some(measurement.sensor) != reference {
                continue;
            }
            scans.push(ReferenceScan {
                scan: Arc::clone(scan),
                stamp: measurement.stamp,
                deskewed: spec.deskewed,
                body_from_sensor: spec.body_from_sensor(),
            });
        }
        let in_range = (self.config.odometry.min_range_m, self.config.odometry.max_range_m);
        self.estimator.locate(window, &scans, in_range)
    }

    /// Steps 5 and 9 for every lidar: points to the window's end, and into the columns.
    fn place_scans(
        &mut self,
        window: &Window,
        measurements: &[Measurement],
        water: Option<AboveWater>,
        points: &mut PointTable,
        tally: &mut Tally,
    ) {
        let mut untimed = BTreeSet::new();
        for (measurement, scan) in lidar_scans(measurements) {
            let Some(spec) = self.rig.sensor(measurement.sensor) else {
                continue;
            };
            if scan.offset_nanos().is_none() && !spec.deskewed {
                untimed.insert(spec.name.clone());
            }
            let body_from_sensor = spec.body_from_sensor();
            let placed = PlacedScan {
                scan,
                sensor: measurement.sensor,
                seq: measurement.seq,
                stamp: measurement.stamp,
                end: measurement.end,
                medium: spec.medium,
                body_from_sensor,
                points: deskew::sweep(
                    scan,
                    measurement.stamp,
                    spec.deskewed,
                    &body_from_sensor,
                    |stamp| self.estimator.body_from_body(window.end, stamp),
                ),
            };
            let dropped = frame::add_scan(
                points,
                &placed,
                window.end,
                water.as_ref(),
                &self.config,
                &mut self.sampler,
            );
            if dropped > 0 {
                tally.dropped(measurement.sensor, dropped);
            }
        }
        for name in untimed {
            self.note(&format!(
                "`{name}` gives no time per point: its scans are not deskewed"
            ));
        }
    }

    /// Steps 1 to 4 and 9 for every sonar: echoes, their places, and into the columns.
    fn hear_pings(
        &mut self,
        window: &Window,
        measurements: &[Measurement],
        water: Option<AboveWater>,
        tables: (&mut PointTable, &mut ArcTable),
        tally: &mut Tally,
    ) {
        let estimator = &self.estimator;
        let body_end_from_body = |stamp| estimator.body_from_body(window.end, stamp);
        let heard = self
            .sonars
            .hear(window, measurements, &self.rig, body_end_from_body, water, tables);
        for (sensor, echoes) in heard.dropped {
            tally.dropped(sensor, echoes);
        }
        for note in heard.notes {
            self.note(&note);
        }
        for sensor in heard.unusable {
            *self.unusable.entry(sensor).or_default() += 1;
        }
        self.echoes.extend(heard.echograms);
        while self.echoes.len() > MAX_ECHOES {
            self.echoes.pop_front();
        }
    }

    fn note(&mut self, text: &str) {
        if !self.notes.contains(text) {
            self.notes.insert(text.to_owned());
        }
    }
}

fn lidar_scans(measurements: &[Measurement]) -> impl Iterator<Item = (&Measurement, &Arc<LidarScan>)> {
    measurements
        .iter()
        .filter_map(|measurement| match &measurement.payload {
            Payload::Lidar(scan) => Some((measurement, scan)),
            _ => None,
        })
}

/// What a payload is called that fusion takes and makes nothing of.
fn unused(payload: &Payload) -> Option<&'static str> {
    match payload {
        Payload::Gnss(_) => Some("positions without attitude"),
        Payload::Attitude(_) => Some("attitude without position"),
        Payload::Imu(_) => Some("rotation rates and accelerations"),
        Payload::Velocity(_) => Some("velocity"),
        Payload::Depth(_) => Some("depth"),
        Payload::SoundSpeed(_) => Some("speed of sound at a probe"),
        _ => None,
    }
}
