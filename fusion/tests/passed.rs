//! Who is told early that a moment has passed gets the same frames, only sooner.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use beluga_fusion::{Config, Fuser};
use beluga_types::{
    ClockState, DepthFix, LidarScan, Measurement, Payload, PoseFix, Rig, SensorId, SensorKind, SensorSpec,
    SolidarFrame, Stamp, Transform, Vessel, Water,
};
use nalgebra::{Matrix6, UnitQuaternion, Vector3};

const LIDAR: SensorId = SensorId(0);
const NAV: SensorId = SensorId(1);
const DEPTH: SensorId = SensorId(2);

fn rig(with_lidar: bool) -> Rig {
    let lidar = SensorSpec::new("lidar", SensorKind::Lidar);
    let others = [("nav", SensorKind::Nav), ("depth", SensorKind::Nav)];
    let mut sensors = vec![lidar];
    sensors.extend(others.map(|(name, kind)| SensorSpec::new(name, kind)));
    if !with_lidar {
        sensors[0].kind = SensorKind::Nav;
    }
    Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::default(),
        sensors,
    }
}

/// A turning body whose navigation begins in the fifth window and speaks every 70 to 310 ms, so that
/// windows end before, between and after its fixes; its other sensors speak every 100 ms, at one moment.
fn timeline(with_lidar: bool) -> Vec<Measurement> {
    let stamp = |millis: i64| Stamp::from_nanos(millis * 1_000_000);
    let mut timeline = Vec::new();
    let mut say = |sensor, millis, payload| {
        timeline.push(Measurement {
            seq: millis as u64,
            sensor,
            stamp: stamp(millis),
            end: stamp(millis),
            received: stamp(millis),
            payload,
        });
    };
    let mut millis = 450;
    for gap in [70, 310, 130, 250, 190, 90].into_iter().cycle().take(18) {
        millis += gap;
        let t = millis as f64 * 1e-3;
        let pose = Transform::new(
            UnitQuaternion::from_scaled_axis(Vector3::new(0.0, 0.0, 0.3 * t * t)),
            Vector3::new(t * t, 0.5 * t, 0.0),
        );
        let fix = PoseFix {
            world_from_body: pose,
            covariance: Some(Matrix6::identity() * 1e-6),
        };
        say(NAV, millis, Payload::Pose(fix));
    }
    for tick in 1..32 {
        let depth = DepthFix {
            depth_m: 1.0,
            sigma_m: 0.1,
        };
        say(DEPTH, 100 * tick, Payload::Depth(depth));
        // A second of silence, in which windows go by the time of the data.
        if with_lidar && !(10..20).contains(&tick) {
            say(LIDAR, 100 * tick, Payload::Lidar(Arc::new(LidarScan::default())));
        }
    }
    timeline.sort_by_key(Measurement::order);
    timeline
}

/// What is told of a clock stands in the frame of its window and in all later ones, until it is told anew.
#[test]
fn frames_hold_what_is_known_of_clocks() {
    let mut fuser = Fuser::new(Config::default(), rig(true)).unwrap();
    let state = |offset_nanos, locked| ClockState {
        offset_nanos,
        sigma_nanos: 5e4,
        locked,
    };
    let told = [
        (DEPTH, 250, state(-37, false)),
        (LIDAR, 610, state(4, true)),
        (DEPTH, 890, state(-40, false)),
    ];
    let clocks = told.map(|(sensor, millis, state)| {
        let end = Stamp::from_nanos(millis * 1_000_000);
        Measurement {
            seq: 0,
            sensor,
            stamp: end,
            end,
            received: end,
            payload: Payload::Clock(state),
        }
    });
    let mut timeline = timeline(true);
    timeline.extend(clocks);
    timeline.sort_by_key(Measurement::order);
    let mut frames: Vec<SolidarFrame> = timeline.into_iter().flat_map(|one| fuser.push(one)).collect();
    frames.extend(fuser.finish());
    assert!(frames.len() > 20);
    for frame in frames {
        let millis = frame.window.end.nanos() / 1_000_000;
        let known = told.iter().filter(|(_, at, _)| *at <= millis);
        let mut expected: Vec<(SensorId, ClockState)> = Vec::new();
        for &(sensor, _, state) in known {
            expected.retain(|(other, _)| *other != sensor);
            expected.push((sensor, state));
        }
        expected.sort_by_key(|(sensor, _)| *sensor);
        let found: Vec<_> = frame
            .clocks
            .iter()
            .map(|clock| (clock.sensor, clock.state))
            .collect();
        assert_eq!(found, expected, "at {millis} ms");
        // What is known of a clock is none of its sensor's measurements.
        assert!(frame.inputs.iter().all(|input| input.measurements <= 2));
    }
}

/// The frames, and after how many measurements each came.
fn frames(with_lidar: bool, told: bool) -> Vec<(usize, SolidarFrame)> {
    let mut fuser = Fuser::new(Config::default(), rig(with_lidar)).unwrap();
    let mut frames = Vec::new();
    let timeline = timeline(with_lidar);
    for (index, measurement) in timeline.iter().enumerate() {
        let end = measurement.end;
        frames.extend(
            fuser
                .push(measurement.clone())
                .into_iter()
                .map(|frame| (index, frame)),
        );
        let is_last_of_its_moment = timeline.get(index + 1).is_none_or(|next| next.end > end);
        if told && is_last_of_its_moment {
            frames.extend(fuser.pass(end).into_iter().map(|frame| (index, frame)));
        }
    }
    let rest = fuser.finish().into_iter().map(|frame| (timeline.len(), frame));
    frames.extend(rest);
    frames
}

#[test]
fn the_same_frames_sooner() {
    for with_lidar in [true, false] {
        let (plain, told) = (frames(with_lidar, false), frames(with_lidar, true));
        assert!(plain.len() > 25, "{}", plain.len());
        assert_eq!(plain.len(), told.len());
        let mut sooner = 0;
        for ((late, expected), (soon, found)) in plain.iter().zip(&told) {
            assert!(
                expected == found,
                "frame {} (lidar: {with_lidar})",
                expected.index
            );
            assert!(soon <= late);
            sooner += usize::from(soon < late);
        }
        assert!(sooner > 0, "nothing came sooner (lidar: {with_lidar})");
    }
}
