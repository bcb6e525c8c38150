//! A head whose speed of sound is not that of the stated water.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use beluga_fusion::{Config, Fuser};
use beluga_types::elementary::{asin, atan2, hypot, sin};
use beluga_types::{
    Detection, Detections, Measurement, Payload, PoseFix, Rig, SensorId, SensorKind, SensorSpec, SharedState,
    SolidarFrame, SonarPing, Stamp, Transform, Vessel, Water,
};
use nalgebra::Matrix6;

const WATER: f64 = 1470.0;
const TIME_S: f64 = 0.02;
const DEGREES: [i32; 5] = [-60, -20, 0, 35, 65];

/// The frame that holds a ping of a sonar whose head has this speed, and what the run said.
fn fused(flat_array: bool, head_m_per_s: Option<f64>) -> (SolidarFrame, Vec<String>) {
    let mut sonar = SensorSpec::new("multibeam", SensorKind::Sonar);
    sonar.flat_array = flat_array;
    let rig = Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::SoundSpeed(WATER),
        sensors: vec![sonar, SensorSpec::new("nav", SensorKind::Nav)],
    };
    let detection = |degrees: i32| Detection {
        two_way_time_s: TIME_S,
        receive_angle_rad: f64::from(degrees).to_radians(),
        transmit_tilt_rad: 0.0,
        transmit_delay_s: 0.0,
        sector: 0,
        level_db: -20.0,
        quality: 1.0,
    };
    let ping = SonarPing::Detections(Detections {
        detections: DEGREES.map(detection).to_vec(),
        sound_speed_m_per_s: head_m_per_s,
        beam_width_rad: [0.02; 2],
    });
    let fix = PoseFix {
        world_from_body: Transform::identity(),
        covariance: Some(Matrix6::identity() * 1e-8),
    };
    let mut fuser = Fuser::new(Config::default(), rig).unwrap();
    let mut frames = Vec::new();
    for (seq, millis, sensor, payload) in [
        (0, 0, 1, Payload::Pose(fix)),
        (0, 5, 0, Payload::Sonar(Arc::new(ping))),
        (1, 50, 1, Payload::Pose(fix)),
        (2, 90, 1, Payload::Pose(fix)),
    ] {
        let stamp = Stamp::from_nanos(millis * 1_000_000);
        frames.extend(fuser.push(Measurement {
            seq,
            sensor: SensorId(sensor),
            stamp,
            end: stamp,
            received: stamp,
            payload,
        }));
    }
    frames.extend(fuser.finish());
    let frame = frames.into_iter().find(|frame| !frame.points.is_empty()).unwrap();
    (frame, fuser.notes())
}

/// Angles to starboard, in degrees, from the places.
fn angles_deg(frame: &SolidarFrame) -> Vec<f64> {
    let places = (0..frame.points.len()).map(|i| frame.points.position(i));
    places
        .map(|place| atan2(-place.y(), -place.z()).to_degrees())
        .collect()
}

/// One sigma of the speed of sound that the frame states.
fn sigma_m_per_s(frame: &SolidarFrame) -> f64 {
    let states = &frame.shared.states;
    let at = states
        .iter()
        .position(|state| *state == SharedState::SoundSpeed(SensorId(0)))
        .unwrap();
    frame.shared.covariance[at * states.len() + at].sqrt()
}

#[test]
fn a_flat_array_s_beams_are_turned_and_others_stay() {
    let told = DEGREES.map(f64::from);
    for (found, expected) in angles_deg(&fused(false, Some(1500.0)).0).iter().zip(told) {
        assert!((found - expected).abs() < 1e-4, "{found}°, told {expected}°");
    }
    let (flat, notes) = fused(true, Some(1500.0));
    for (found, told) in angles_deg(&flat).iter().zip(told) {
        let expected = asin(sin(told.to_radians()) * WATER / 1500.0).to_degrees();
        assert!((found - expected).abs() < 1e-4, "{found}°, expected {expected}°");
    }
    for i in 0..flat.points.len() {
        let range_m = flat.points.position(i).vector().norm();
        assert!((range_m - 0.5 * WATER * TIME_S).abs() < 1e-5, "{range_m} m");
    }
    let text = notes.join("\n");
    assert!(
        text.contains("1500.0 m/s") && text.contains("flat array"),
        "{text}"
    );
}

#[test]
fn doubt_at_the_head_is_doubt_of_ranges() {
    let alone = sigma_m_per_s(&fused(false, None).0);
    let same = sigma_m_per_s(&fused(false, Some(WATER)).0);
    let doubted = sigma_m_per_s(&fused(false, Some(WATER + 6.0)).0);
    println!("{alone:.2}, {same:.2}, {doubted:.2} m/s");
    assert!((alone - same).abs() < 1e-6);
    assert!((doubted - hypot(alone, 6.0)).abs() < 1e-3);
    // What no sea has is no head's word against the cast.
    let broken = sigma_m_per_s(&fused(false, Some(900.0)).0);
    assert!((broken - alone).abs() < 1e-6);
}
