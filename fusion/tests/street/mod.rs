//! A street of boxes on flat ground, and a lidar of any number of rings that drives through it.

use std::sync::Arc;

use beluga_types::elementary::{cos, sin};
use beluga_types::{Body, LidarScan, Transform, World};
use nalgebra::{UnitQuaternion, Vector3};

/// Height of the lidar above the ground, and the farthest return, in metres.
const ABOVE_GROUND_M: f64 = 1.8;
const FARTHEST_M: f64 = 80.0;
/// One sigma of a range, in metres.
const RANGE_SIGMA_M: f64 = 0.01;

/// Boxes as lowest and highest corner: house fronts with gaps, cars, a kiosk, poles.
fn boxes() -> Vec<[Vector3<f64>; 2]> {
    let mut boxes = Vec::new();
    let mut add = |low: [f64; 3], high: [f64; 3]| boxes.push([Vector3::from(low), Vector3::from(high)]);
    for house in -4i32..=4 {
        let x = 14.0 * f64::from(house);
        let depth = 0.7 * f64::from(house.rem_euclid(3));
        add([x, 8.0 + depth, 0.0], [x + 11.0, 14.0, 9.0]);
        add([x - 5.0, -15.0, 0.0], [x + 6.5, -8.5 - depth, 7.0]);
        add([x + 2.0, 5.0, 0.0], [x + 6.2, 6.8, 1.5]);
        add([x - 3.0, -6.3, 0.0], [x - 2.8, -6.1, 5.0]);
    }
    add([62.0, -4.0, 0.0], [66.0, 4.0, 3.0]);
    add([-70.0, -9.0, 0.0], [-66.0, 9.0, 6.0]);
    boxes
}

/// Where the lidar is at scan `k` (a part of one between them): up and down the street, swaying.
pub(crate) fn pose_at(k: f64) -> Transform<World, Body> {
    let wave = |amplitude: f64, period: f64| amplitude * sin(std::f64::consts::TAU * k / period);
    Transform::new(
        UnitQuaternion::from_euler_angles(wave(0.01, 17.0), wave(0.01, 23.0), wave(0.2, 90.0)),
        Vector3::new(
            wave(9.0, 120.0),
            wave(1.5, 80.0),
            ABOVE_GROUND_M + wave(0.03, 31.0),
        ),
    )
}

/// Uniform in [0, 1): splitmix64 by position.
fn uniform(counter: u64) -> f64 {
    let mut bits = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// The way along a ray to the ground or the nearest box, if any is in range.
fn range_m(from: &Vector3<f64>, way: &Vector3<f64>, boxes: &[[Vector3<f64>; 2]]) -> Option<f64> {
    let mut nearest = FARTHEST_M;
    if way.z < 0.0 {
        nearest = nearest.min(-from.z / way.z);
    }
    for [low, high] in boxes {
        let (mut enter, mut leave) = (0.0f64, nearest);
        for axis in 0..3 {
            let (a, b) = (
                (low[axis] - from[axis]) / way[axis],
                (high[axis] - from[axis]) / way[axis],
            );
            enter = enter.max(a.min(b));
            leave = leave.min(a.max(b));
        }
        if enter < leave && enter > 0.0 {
            nearest = enter;
        }
    }
    (nearest < FARTHEST_M).then_some(nearest)
}

/// Scan `k` of so many rings and columns, from −20° to +8°; with `moving` each column is measured at
/// its own moment of the 0.1 s sweep and says when.
pub(crate) fn scan(k: f64, rings: u64, columns: u64, moving: bool) -> Arc<LidarScan> {
    let boxes = boxes();
    let (mut x, mut y, mut z, mut offsets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for column in 0..columns {
        let part = column as f64 / columns as f64;
        let pose = pose_at(k + if moving { part } else { 0.0 });
        let (turn, from) = (pose.rotation_matrix(), pose.translation());
        let azimuth = -std::f64::consts::TAU * part;
        for ring in 0..rings {
            let up = (-20.0 + 28.0 * ring as f64 / (rings - 1) as f64).to_radians();
            let beam = Vector3::new(cos(up) * cos(azimuth), cos(up) * sin(azimuth), sin(up));
            let Some(range) = range_m(&from, &(turn * beam), &boxes) else {
                continue;
            };
            let counter = k.to_bits() ^ ((column * rings + ring) << 8);
            let noise: f64 = (0..4)
                .map(|i| uniform(counter.wrapping_mul(4).wrapping_add(i)))
                .sum::<f64>()
                - 2.0;
            let p = beam * (range + RANGE_SIGMA_M * noise * 3f64.sqrt());
            x.push(p.x as f32);
            y.push(p.y as f32);
            z.push(p.z as f32);
            offsets.push((part * 1e8) as i32);
        }
    }
    let scan = LidarScan::new(x, y, z).expect("ranges are finite");
    if !moving {
        return Arc::new(scan);
    }
    Arc::new(scan.with_offset_nanos(offsets).expect("one per point"))
}
