//! Columns of a frame: lidar points, what sensors share, and the count of what came in.

use std::collections::BTreeMap;

use beluga_types::{
    Body, ClockState, FrameClock, FrameGap, FrameInput, GapCause, Label, LidarScan, Measurement, Medium,
    Payload, PointTable, Rig, Sensor, SensorCalibration, SensorId, SensorKind, SharedState, SharedStates,
    Stamp, Transform, Waterline, World,
};
use nalgebra::{Matrix6, Vector3};

use crate::config::{CalibrationConfig, Config};
use crate::deskew::range_m;
use crate::sample::Sampler;

/// Least distance below or above the water at which a point is taken for a reflection, in metres.
const CLEARLY_M: f64 = 0.05;
/// Smallest angle sigma written, in rad.
const MIN_ANGLE_SIGMA_RAD: f64 = 1e-5;

/// What came in and what was lost, by sensor.
#[derive(Default)]
pub(crate) struct Tally {
    inputs: BTreeMap<SensorId, (u32, u32)>,
    gaps: BTreeMap<(SensorId, GapCause), u64>,
}

/// What has been told of each sensor's clock so far.
#[derive(Default)]
pub(crate) struct Clocks(BTreeMap<SensorId, ClockState>);

impl Clocks {
    pub(crate) fn hear(&mut self, measurements: &[Measurement]) {
        for measurement in measurements {
            if let Payload::Clock(state) = measurement.payload {
                self.0.insert(measurement.sensor, state);
            }
        }
    }

    pub(crate) fn known(&self) -> Vec<FrameClock> {
        let clock = |(&sensor, &state): (&SensorId, &ClockState)| FrameClock { sensor, state };
        self.0.iter().map(clock).collect()
    }
}

impl Tally {
    pub(crate) fn of(measurements: &[Measurement]) -> Self {
        let mut tally = Self::default();
        for measurement in measurements {
            if let Payload::Gap(gap) = &measurement.payload {
                let lost = tally.gaps.entry((measurement.sensor, gap.cause)).or_default();
                *lost = lost.saturating_add(gap.lost);
                continue;
            }
            // What is known of a sensor's clock is none of its measurements.
            if matches!(measurement.payload, Payload::Clock(_)) {
                continue;
            }
            let input = tally.inputs.entry(measurement.sensor).or_default();
            input.0 = input.0.saturating_add(1);
            if let Payload::Lidar(scan) = &measurement.payload {
                input.1 = input.1.saturating_add(scan.dropped());
            }
        }
        tally
    }

    /// Counts points that had no finite place.
    pub(crate) fn dropped(&mut self, sensor: SensorId, points: usize) {
        let input = self.inputs.entry(sensor).or_default();
        input.1 = input.1.saturating_add(u32::try_from(points).unwrap_or(u32::MAX));
    }

    pub(crate) fn inputs(&self) -> Vec<FrameInput> {
        let input = |(&sensor, &(measurements, dropped_points)): (&SensorId, &(u32, u32))| FrameInput {
            sensor,
            measurements,
            dropped_points,
        };
        self.inputs.iter().map(input).collect()
    }

    pub(crate) fn gaps(&self) -> Vec<FrameGap> {
        let gap = |(&(sensor, cause), &lost): (&(SensorId, GapCause), &u64)| FrameGap { sensor, lost, cause };
        self.gaps.iter().map(gap).collect()
    }
}

/// Height above the water of points in `Body`, where the water is known.
#[derive(Clone, Copy)]
pub(crate) struct AboveWater {
    up: Vector3<f64>,
    body_above_m: f64,
    margin_m: f64,
}

impl AboveWater {
    pub(crate) fn new(
        world_from_body: &Transform<World, Body>,
        waterline: Option<&Waterline>,
    ) -> Option<Self> {
        let waterline = waterline?;
        Some(Self {
            up: world_from_body.rotation().inverse() * Vector3::z(),
            body_above_m: world_from_body.translation().z - waterline.z_m,
            margin_m: (3.0 * waterline.sigma_m).max(CLEARLY_M),
        })
    }

    /// Up, a unit vector in `Body`.
    pub(crate) fn up(&self) -> Vector3<f64> {
        self.up
    }

    pub(crate) fn height_m(&self, in_body: &Vector3<f64>) -> f64 {
        self.up.dot(in_body) + self.body_above_m
    }

    /// Light in air cannot come from below the water: it was reflected there. Sound in water
    /// cannot come from above it.
    pub(crate) fn label(&self, in_body: &Vector3<f64>, medium: Medium) -> Label {
        let height_m = self.height_m(in_body);
        match medium {
            Medium::Air if height_m < -self.margin_m => Label::Mirror,
            Medium::Water if height_m > self.margin_m => Label::Multipath,
            _ => Label::Unknown,
        }
    }
}

/// A scan whose points are in `Body` at the window's end.
pub(crate) struct PlacedScan<'a> {
    pub(crate) scan: &'a LidarScan,
    pub(crate) sensor: SensorId,
    pub(crate) seq: u64,
    pub(crate) stamp: Stamp,
    pub(crate) end: Stamp,
    pub(crate) medium: Medium,
    pub(crate) body_from_sensor: Transform<Body, Sensor>,
    pub(crate) points: Vec<[f32; 3]>,
}

/// Appends a scan's points; returns how many had no finite place.
pub(crate) fn add_scan(
    table: &mut PointTable,
    placed: &PlacedScan<'_>,
    window_end: Stamp,
    water: Option<&AboveWater>,
    config: &Config,
    sampler: &mut Sampler,
) -> usize {
    let beam_sigma_rad = config.lidar_beam_sigma_deg.to_radians();
    let finite = |index: &u32| {
        placed.points[*index as usize]
            .iter()
            .all(|value| value.is_finite())
    };
    let all = 0..u32::try_from(placed.points.len()).unwrap_or(u32::MAX);
    let mut kept: Vec<u32> = all.filter(finite).collect();
    let dropped = placed.points.len() - kept.len();
    if config.lidar_voxel_m > 0.0 {
        kept = sampler.first_per_voxel(&placed.points, &kept, config.lidar_voxel_m as f32);
    }
    for &index in &kept {
        let i = index as usize;
        let point = placed.points[i];
        let measured = match placed.scan.offset_nanos() {
            Some(offsets) => placed.stamp.shifted_nanos(i64::from(offsets[i])),
            None => placed.end,
        };
        let in_body = Vector3::from(point).cast::<f64>();
        let sigma_m = (range_m(point, &placed.body_from_sensor) * beam_sigma_rad) as f32;
        let sigma_m = sigma_m.max(1e-4);
        table.x.push(point[0]);
        table.y.push(point[1]);
        table.z.push(point[2]);
        table.offset_nanos.push(offset_nanos(measured, window_end));
        table.sensor.push(placed.sensor.0);
        table.medium.push(placed.medium);
        table
            .level
            .push(placed.scan.intensity().map_or(0.0, |level| level[i]));
        table.snr_db.push(None);
        table.sigma_range_m.push(config.lidar_range_sigma_m as f32);
        table.sigma_along_m.push(sigma_m);
        table.sigma_across_m.push(sigma_m);
        table
            .label
            .push(water.map_or(Label::Unknown, |water| water.label(&in_body, placed.medium)));
        table.source_seq.push(placed.seq);
        table.source_index.push(index);
    }
    dropped
}

/// A moment against the window's end, as the tables keep it: never positive.
pub(crate) fn offset_nanos(measured: Stamp, window_end: Stamp) -> i32 {
    i32::try_from(measured.nanos_since(window_end).min(0)).unwrap_or(i32::MIN)
}

/// The calibration of every lidar and sonar; `sound_speed` gives a sonar's mean speed and its sigma.
pub(crate) fn calibration(
    rig: &Rig,
    sound_speed: impl Fn(SensorId) -> Option<(f64, f64)>,
) -> (Vec<SensorCalibration>, Vec<(SensorId, SensorKind, f64)>) {
    let mut calibration = Vec::new();
    let mut shared = Vec::new();
    for id in rig.ids() {
        let Some(spec) = rig.sensor(id).filter(|spec| spec.kind != SensorKind::Nav) else {
            continue;
        };
        let speed = if spec.kind == SensorKind::Sonar {
            sound_speed(id)
        } else {
            None
        };
        calibration.push(SensorCalibration {
            sensor: id,
            body_from_sensor: spec.body_from_sensor(),
            time_offset_nanos: spec.time_offset_nanos,
            sound_speed_m_per_s: speed.map(|(speed, _)| speed),
        });
        shared.push((id, spec.kind, speed.map_or(0.0, |(_, sigma)| sigma)));
    }
    (calibration, shared)
}

/// The states all points of a frame or of a sensor share, with one joint covariance.
///
/// Pose first, with its covariance from the estimate; then each sensor's mounting, latency, and
/// range offset or sound speed, independent of each other with the configured sigmas.
pub(crate) fn shared_states(
    pose: &Matrix6<f64>,
    sensors: &[(SensorId, SensorKind, f64)],
    config: &CalibrationConfig,
) -> SharedStates {
    let mut states: Vec<SharedState> = (0..3).map(SharedState::PoseRotation).collect();
    states.extend((0..3).map(SharedState::PoseTranslation));
    let mut sigmas = Vec::new();
    for &(sensor, kind, sound_speed_sigma) in sensors {
        let boresight = config.boresight_sigma_deg.to_radians().max(MIN_ANGLE_SIGMA_RAD);
        for axis in 0..3 {
            states.push(SharedState::Boresight(sensor, axis));
            sigmas.push(boresight);
        }
        for axis in 0..3 {
            states.push(SharedState::LeverArm(sensor, axis));
            sigmas.push(config.lever_sigma_m);
        }
        states.push(SharedState::Latency(sensor));
        sigmas.push(config.latency_sigma_ms * 1e-3);
        if kind == SensorKind::Sonar {
            states.push(SharedState::SoundSpeed(sensor));
            sigmas.push(sound_speed_sigma);
        } else {
            states.push(SharedState::RangeBias(sensor));
            sigmas.push(config.range_bias_sigma_m);
        }
    }
    let n = states.len();
    let mut covariance = vec![0.0; n * n];
    for row in 0..6 {
        for column in 0..6 {
            covariance[row * n + column] = pose[(row, column)];
        }
    }
    for (place, sigma) in sigmas.iter().enumerate() {
        covariance[(6 + place) * (n + 1)] = sigma * sigma;
    }
    SharedStates { states, covariance }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::UnitQuaternion;

    #[test]
    fn what_light_saw_below_the_water_is_a_mirror_image() {
        let world_from_body = Transform::new(
            UnitQuaternion::from_scaled_axis(Vector3::new(0.2, 0.0, 1.0)),
            Vector3::new(5.0, 5.0, 11.0),
        );
        let waterline = Waterline {
            z_m: 10.0,
            sigma_m: 0.01,
        };
        let water = AboveWater::new(&world_from_body, Some(&waterline)).unwrap();
        let in_body =
            |z: f64| (world_from_body.inverse() * beluga_types::Point::<World>::new(9.0, 1.0, z)).vector();
        assert_eq!(water.label(&in_body(9.9), Medium::Air), Label::Mirror);
        assert_eq!(water.label(&in_body(9.97), Medium::Air), Label::Unknown);
        assert_eq!(water.label(&in_body(10.2), Medium::Air), Label::Unknown);
        assert_eq!(water.label(&in_body(10.2), Medium::Water), Label::Multipath);
        assert_eq!(water.label(&in_body(2.0), Medium::Water), Label::Unknown);
    }

    #[test]
    fn shared_states_hold_the_pose_block_and_the_rest_on_the_diagonal() {
        let pose = Matrix6::from_fn(|row, column| (row * 6 + column) as f64);
        let sensors = [
            (SensorId(0), SensorKind::Lidar, 0.0),
            (SensorId(1), SensorKind::Sonar, 3.0),
        ];
        let shared = shared_states(&pose, &sensors, &CalibrationConfig::default());
        let n = shared.states.len();
        assert_eq!((n, shared.covariance.len()), (22, 22 * 22));
        assert_eq!(shared.covariance[n + 2], 8.0);
        let speed = shared
            .states
            .iter()
            .position(|state| *state == SharedState::SoundSpeed(SensorId(1)))
            .unwrap();
        assert_eq!(shared.covariance[speed * n + speed], 9.0);
    }
}
