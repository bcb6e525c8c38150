//! What is heard before navigation has said anything lies nobody knows where, and its numbers say so.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use beluga_fusion::{Config, Fuser};
use beluga_types::{
    Detection, Detections, Measurement, Payload, PoseFix, Rig, SensorId, SensorKind, SensorSpec,
    SolidarFrame, SonarPing, Stamp, Transform, Vessel, Water,
};
use nalgebra::{Matrix6, UnitQuaternion, Vector3};

/// Two seconds of pings straight down, 8 m deep; navigation begins after the first.
fn frames(with_nav: bool) -> (Vec<SolidarFrame>, Vec<String>) {
    let mut sensors = vec![SensorSpec::new("multibeam", SensorKind::Sonar)];
    if with_nav {
        sensors.push(SensorSpec::new("nav", SensorKind::Nav));
    }
    let rig = Rig {
        origin: None,
        vessel: Vessel {
            waterline_m: Some(0.0),
        },
        water: Water::SoundSpeed(1500.0),
        sensors,
    };
    let ping = SonarPing::Detections(Detections {
        detections: vec![Detection {
            two_way_time_s: 16.0 / 1500.0,
            receive_angle_rad: 0.0,
            transmit_tilt_rad: 0.0,
            transmit_delay_s: 0.0,
            sector: 0,
            level_db: -20.0,
            quality: 1.0,
        }],
        sound_speed_m_per_s: None,
        beam_width_rad: [0.02, 0.02],
    });
    let fix = PoseFix {
        world_from_body: Transform::new(UnitQuaternion::identity(), Vector3::new(100.0, 50.0, 40.0)),
        covariance: Some(Matrix6::identity() * 1e-6),
    };
    let mut fuser = Fuser::new(Config::default(), rig).unwrap();
    let mut frames = Vec::new();
    for millis in (0..2000_i64).step_by(20) {
        let stamp = Stamp::from_nanos(millis * 1_000_000);
        let measurement = |sensor, payload| Measurement {
            seq: millis as u64,
            sensor,
            stamp,
            end: stamp,
            received: stamp,
            payload,
        };
        if millis % 100 == 40 {
            frames.extend(fuser.push(measurement(SensorId(0), Payload::Sonar(Arc::new(ping.clone())))));
        }
        if with_nav && millis >= 1000 {
            frames.extend(fuser.push(measurement(SensorId(1), Payload::Pose(fix))));
        }
    }
    frames.extend(fuser.finish());
    (frames, fuser.notes())
}

#[test]
fn soundings_before_the_first_pose_are_not_said_to_be_anywhere() {
    let (frames, notes) = frames(true);
    let soundings = |late: bool| {
        let wanted = frames
            .iter()
            .filter(move |frame| (frame.window.end > Stamp::from_nanos(1_100_000_000)) == late);
        wanted
            .filter(|frame| !frame.points.is_empty())
            .collect::<Vec<_>>()
    };
    let (before, after) = (soundings(false), soundings(true));
    assert!(before.len() >= 8 && after.len() >= 8);
    for frame in before.iter().take(8) {
        let total = frame.total_uncertainty(0);
        assert!(total.thu_m > 1e5 && total.tvu_m > 1e5, "{total:?}");
        assert_eq!((frame.sounding_order(0, &total), frame.waterline), (None, None));
    }
    for frame in &after {
        let total = frame.total_uncertainty(0);
        assert!(
            total.thu_m < 1.0 && frame.sounding_order(0, &total).is_some(),
            "{total:?}"
        );
        // What was nowhere does not draw the waterline to itself.
        assert!((frame.waterline.unwrap().z_m - 40.0).abs() < 0.01);
    }
    assert!(
        notes.iter().any(|note| note.contains("before the first pose")),
        "{notes:?}"
    );
}

#[test]
fn without_any_navigation_world_is_where_the_run_begins() {
    let (frames, notes) = frames(false);
    let first = frames.iter().find(|frame| !frame.points.is_empty()).unwrap();
    assert!(first.total_uncertainty(0).tvu_m < 1.0);
    assert!(
        !notes.iter().any(|note| note.contains("before the first pose")),
        "{notes:?}"
    );
}
