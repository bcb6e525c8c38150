//! A box-shaped dock with a pier, and a lidar and nav on a vessel that moves in it.

use std::sync::Arc;

use beluga_types::elementary::{cos, hypot, sin, sin_cos};
use beluga_types::{
    Attitude, Body, LidarScan, Measurement, Mount, Payload, Point, PoseFix, Rig, Sensor, SensorId,
    SensorKind, SensorSpec, Stamp, Transform, Vessel, Water, World,
};
use nalgebra::{Matrix6, UnitQuaternion, Vector3, Vector6};

pub(crate) const LIDAR: SensorId = SensorId(0);
pub(crate) const NAV: SensorId = SensorId(1);
pub(crate) const SECOND: SensorId = SensorId(2);

/// Half widths of the dock, and the pier's corner in it; the ground lies at -3 m.
const HALF: [f64; 2] = [18.0, 12.0];
const PIER: [f64; 4] = [4.0, 7.0, 5.0, 12.0];
const GROUND_M: f64 = -3.0;
const RANGE_SIGMA_M: f64 = 0.01;
const NAV_SIGMA: (f64, f64) = (5e-4, 0.01);

pub(crate) fn at(millis: i64) -> Stamp {
    Stamp::from_nanos(1_700_000_000_000_000_000 + millis * 1_000_000)
}

pub(crate) fn measurement(
    sensor: SensorId,
    seq: u64,
    stamp: Stamp,
    end: Stamp,
    payload: Payload,
) -> Measurement {
    Measurement {
        seq,
        sensor,
        stamp,
        end,
        received: end,
        payload,
    }
}

pub(crate) fn rig() -> Rig {
    let mut lidar = SensorSpec::new("lidar", SensorKind::Lidar);
    lidar.reference = true;
    lidar.mount = Mount {
        forward_m: 0.4,
        starboard_m: 0.2,
        down_m: -1.0,
        attitude: Attitude {
            roll_rad: 0.02,
            pitch_rad: -0.03,
            heading_rad: 0.1,
        },
    };
    let mut second = lidar.clone();
    second.name = "second".into();
    second.reference = false;
    Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::Unknown,
        sensors: vec![lidar, SensorSpec::new("nav", SensorKind::Nav), second],
    }
}

/// Roll of 2° in 5 s, some pitch and yaw, and a metre per second ahead.
pub(crate) fn pose_at(stamp: Stamp) -> Transform<World, Body> {
    let t = stamp.seconds_since(at(0));
    let wave = |amplitude: f64, period_s: f64| amplitude * sin(std::f64::consts::TAU * t / period_s);
    let turn = UnitQuaternion::from_euler_angles(wave(0.035, 5.0), wave(0.017, 4.0), 0.3 + wave(0.05, 9.0));
    Transform::new(turn, Vector3::new(-5.0 + t, wave(0.2, 7.0) - 2.0, wave(0.1, 5.0)))
}

/// Uniform in [0, 1): splitmix64 by position.
fn uniform(counter: u64) -> f64 {
    let mut bits = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Nearly normal, mean 0 and sigma 1: the sum of four uniforms.
fn normal(counter: u64) -> f64 {
    let sum: f64 = (0..4).map(|i| uniform(counter * 4 + i)).sum();
    (sum - 2.0) * 3f64.sqrt()
}

/// Distance along a ray to the dock, if it meets anything.
fn range_m(from: &Vector3<f64>, ray: &Vector3<f64>) -> Option<f64> {
    let mut nearest = f64::INFINITY;
    let mut meet = |axis: usize, place: f64, inside: &dyn Fn(&Vector3<f64>) -> bool| {
        let distance = (place - from[axis]) / ray[axis];
        if distance > 0.1 && distance < nearest && inside(&(from + ray * distance)) {
            nearest = distance;
        }
    };
    let height = |p: &Vector3<f64>| p.z > GROUND_M && p.z < 4.0;
    for side in [-1.0, 1.0] {
        meet(0, side * HALF[0], &|p| height(p) && p.y.abs() <= HALF[1]);
        meet(1, side * HALF[1], &|p| height(p) && p.x.abs() <= HALF[0]);
    }
    let [x0, x1, y0, y1] = PIER;
    for x in [x0, x1] {
        meet(0, x, &|p| height(p) && p.y >= y0 && p.y <= y1);
    }
    meet(1, y0, &|p| height(p) && p.x >= x0 && p.x <= x1);
    meet(2, GROUND_M, &|p| p.x.abs() <= HALF[0] && p.y.abs() <= HALF[1]);
    nearest.is_finite().then_some(nearest)
}

/// Distance of a place to the nearest surface.
pub(crate) fn distance_m(p: &Vector3<f64>) -> f64 {
    let [x0, x1, y0, y1] = PIER;
    let beside = |value: f64, low: f64, high: f64| (low - value).max(value - high).max(0.0);
    let pier_x = |x: f64| hypot(p.x - x, beside(p.y, y0, y1));
    let pier_y = hypot(p.y - y0, beside(p.x, x0, x1));
    [
        (p.x.abs() - HALF[0]).abs(),
        (p.y.abs() - HALF[1]).abs(),
        (p.z - GROUND_M).abs(),
        pier_x(x0),
        pier_x(x1),
        pier_y,
    ]
    .into_iter()
    .fold(f64::INFINITY, f64::min)
}

/// One turn of a lidar of 16 rings by 600 columns, ending 100 ms after its stamp.
fn scan(seq: u64, stamp: Stamp, body_from_sensor: &Transform<Body, Sensor>) -> LidarScan {
    const COLUMNS: u64 = 600;
    const RINGS: u64 = 16;
    let (mut columns, mut offsets) = ([Vec::new(), Vec::new(), Vec::new()], Vec::new());
    for column in 0..COLUMNS {
        let offset = (100_000_000 * (column + 1) / COLUMNS) as i32;
        let world_from_sensor = pose_at(stamp.shifted_nanos(i64::from(offset))) * *body_from_sensor;
        let from = (world_from_sensor * Point::<Sensor>::origin()).vector();
        let azimuth = std::f64::consts::TAU * column as f64 / COLUMNS as f64;
        for ring in 0..RINGS {
            let elevation = (-18.0 + 2.0 * ring as f64).to_radians();
            let (up, level) = sin_cos(elevation);
            let in_sensor = Vector3::new(level * cos(azimuth), level * sin(azimuth), up);
            let ray = world_from_sensor.rotation() * in_sensor;
            if let Some(range) = range_m(&from, &ray) {
                let noisy = range + RANGE_SIGMA_M * normal((seq * COLUMNS + column) * RINGS + ring);
                for (axis, values) in columns.iter_mut().enumerate() {
                    values.push((in_sensor[axis] * noisy) as f32);
                }
                offsets.push(offset);
            }
        }
    }
    let [x, y, z] = columns;
    LidarScan::new(x, y, z)
        .unwrap()
        .with_offset_nanos(offsets)
        .unwrap()
}

/// Scans at 10 Hz, and nav at 50 Hz if wanted, in the timeline's order.
pub(crate) fn dock(scans: u64, with_nav: bool) -> Vec<Measurement> {
    let body_from_sensor = rig().sensors[0].body_from_sensor();
    let mut timeline = Vec::new();
    for seq in 0..scans {
        let stamp = at(100 * seq as i64);
        let payload = Payload::Lidar(Arc::new(scan(seq, stamp, &body_from_sensor)));
        timeline.push(measurement(
            LIDAR,
            seq,
            stamp,
            stamp.shifted_nanos(100_000_000),
            payload,
        ));
    }
    let (turn, place) = NAV_SIGMA;
    let sigma = Vector6::new(turn, turn, turn, place, place, place);
    for seq in (0..=scans * 5).filter(|_| with_nav) {
        let stamp = at(20 * seq as i64);
        let error =
            sigma.map_with_location(|axis, _, sigma| sigma * normal(1 << 40 | seq << 8 | axis as u64));
        let fix = PoseFix {
            world_from_body: pose_at(stamp).perturbed(&error),
            covariance: Some(Matrix6::from_diagonal(&sigma.component_mul(&sigma))),
        };
        timeline.push(measurement(NAV, seq, stamp, stamp, Payload::Pose(fix)));
    }
    timeline.sort_by_key(Measurement::order);
    timeline
}
