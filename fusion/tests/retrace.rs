//! Soundings that are traced through a later cast lie where that cast would have put them at once.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use beluga_fusion::{Config, Fuser, Retrace};
use beluga_types::elementary::sin;
use beluga_types::{
    Detection, Detections, Measurement, Mount, Payload, PoseFix, Rig, SensorId, SensorKind, SensorSpec,
    SolidarFrame, SonarPing, Stamp, Transform, Vessel, Water,
};
use nalgebra::{Matrix6, UnitQuaternion, Vector3};

const OLD: [(f64, f64); 4] = [(0.0, 1462.0), (4.0, 1468.0), (9.0, 1490.0), (30.0, 1492.0)];
const NEW: [(f64, f64); 3] = [(0.5, 1480.0), (8.0, 1470.0), (25.0, 1466.0)];
const NAV: SensorId = SensorId(1);

/// What the head of a flat array takes for the speed of sound.
const HEAD_M_PER_S: f64 = 1471.0;

fn rig(water: Water, flat_array: bool) -> Rig {
    let mut sonar = SensorSpec::new("multibeam", SensorKind::Sonar);
    sonar.flat_array = flat_array;
    sonar.mount = Mount {
        forward_m: 0.4,
        starboard_m: -0.2,
        down_m: 1.1,
        ..Mount::default()
    };
    Rig {
        origin: None,
        vessel: Vessel {
            waterline_m: Some(-0.3),
        },
        water,
        sensors: vec![sonar, SensorSpec::new("nav", SensorKind::Nav)],
    }
}

/// A ping from -75° to 75° and farther and farther away; wide beams give arcs.
fn ping(width_across_rad: f64, flat_array: bool) -> SonarPing {
    let detection = |beam: i32| Detection {
        two_way_time_s: 0.008 + 0.0004 * f64::from(beam + 25),
        receive_angle_rad: f64::from(3 * beam).to_radians(),
        transmit_tilt_rad: 0.02,
        transmit_delay_s: 0.0,
        sector: 0,
        level_db: -20.0,
        quality: 1.0,
    };
    SonarPing::Detections(Detections {
        detections: (-25..=25).map(detection).collect(),
        sound_speed_m_per_s: flat_array.then_some(HEAD_M_PER_S),
        beam_width_rad: [0.02, width_across_rad],
    })
}

/// Two seconds of pings; the vessel sways and surges at this fraction of a metre per second and rad.
fn frames(water: Water, motion: f64, width_across_rad: f64, flat_array: bool) -> Vec<SolidarFrame> {
    let mut fuser = Fuser::new(Config::default(), rig(water, flat_array)).unwrap();
    let mut frames = Vec::new();
    for millis in (0..2000_i64).step_by(20) {
        let time_s = 1e-3 * millis as f64;
        let turn = motion * Vector3::new(0.2 * sin(2.0 * time_s), 0.05 * sin(3.0 * time_s), 0.1);
        let at = motion * Vector3::new(time_s, 0.3 * time_s, 0.2 * sin(2.0 * time_s));
        let fix = PoseFix {
            world_from_body: Transform::new(UnitQuaternion::from_scaled_axis(turn), at),
            covariance: Some(Matrix6::identity() * 1e-6),
        };
        let stamp = Stamp::from_nanos(millis * 1_000_000);
        let mut push = |sensor, stamp: Stamp, end, payload| {
            frames.extend(fuser.push(Measurement {
                seq: (millis / 20) as u64,
                sensor,
                stamp,
                end,
                received: end,
                payload,
            }));
        };
        push(NAV, stamp, stamp, Payload::Pose(fix));
        if millis % 100 == 40 {
            let end = stamp.shifted_nanos(1_000_000);
            push(
                SensorId(0),
                stamp,
                end,
                Payload::Sonar(Arc::new(ping(width_across_rad, flat_array))),
            );
        }
    }
    frames.extend(fuser.finish());
    frames
}

/// Every sounding and the end of every arc.
fn places(frames: &[SolidarFrame]) -> Vec<Vector3<f64>> {
    let mut places = Vec::new();
    for frame in frames {
        places.extend((0..frame.points.len()).map(|i| frame.points.position(i).vector()));
        let arcs = &frame.arcs;
        let column = |columns: &[Vec<f32>; 3], i: usize| Vector3::from_fn(|axis, _| columns[axis][i].into());
        places.extend((0..arcs.range_m.len()).map(|i| {
            let beam: Vector3<f64> = column(&arcs.direction, i);
            column(&arcs.origin, i) + beam * f64::from(arcs.range_m[i])
        }));
    }
    places
}

/// How far retraced soundings lie from those placed at once, at most, and how far they had to move.
fn misses(water: Water, motion: f64, width_across_rad: f64, flat_array: bool) -> (f64, f64) {
    let water_is_old = water == Water::Profile(OLD.into());
    let mut found = frames(water.clone(), motion, width_across_rad, flat_array);
    let before = places(&found);
    let at_once = frames(Water::Profile(NEW.into()), motion, width_across_rad, flat_array);
    let retrace = Retrace::new(&rig(water, flat_array), &[(None, &NEW)]).unwrap();
    let mut done = beluga_fusion::Retraced::default();
    for frame in &mut found {
        done = done.and(retrace.apply(frame));
    }
    let (after, expected) = (places(&found), places(&at_once));
    assert!(after.len() >= 900 && after.len() == expected.len() && after.len() == before.len());
    assert_eq!((done.moved, done.left), (after.len() as u64, 0));
    for (found, expected) in found.iter().zip(&at_once) {
        let (found, expected) = (&found.calibration[0], &expected.calibration[0]);
        let speeds = (found.sound_speed_m_per_s, expected.sound_speed_m_per_s);
        assert!((speeds.0.unwrap() - speeds.1.unwrap()).abs() < 1e-9, "{speeds:?}");
    }
    let farthest = |a: &[Vector3<f64>], b: &[Vector3<f64>]| {
        let apart = a.iter().zip(b).map(|(a, b)| (a - b).norm());
        apart.fold(0.0, f64::max)
    };
    let had_to = farthest(&before, &expected);
    assert!((done.largest_m - had_to).abs() < 0.03 * had_to);
    // The sonar hangs 0.8 m deep: 1480 - 0.4 m/s there now, 1463.2 by the old cast.
    if water_is_old {
        assert!(
            (done.at_head_m_per_s - 16.4).abs() < 1.0,
            "{}",
            done.at_head_m_per_s
        );
    }
    (farthest(&after, &expected), had_to)
}

#[test]
fn at_rest_soundings_lie_where_the_new_cast_puts_them() {
    for water in [
        Water::Profile(OLD.into()),
        Water::SoundSpeed(1478.0),
        Water::Unknown,
    ] {
        for width in [0.02, 0.5] {
            let (miss_m, moved_m) = misses(water.clone(), 0.0, width, false);
            println!("{water:?}, {width} rad: moved {moved_m:.3} m, missed {miss_m:.1e} m");
            // Coordinates of a frame are single.
            assert!(moved_m > 0.05 && miss_m < 1e-5, "{miss_m}");
        }
    }
}

/// Its head steers by another speed than either cast has, and its delays stay what they were.
#[test]
fn soundings_of_a_flat_array_are_turned_as_its_delays_have_it() {
    for water in [Water::Profile(OLD.into()), Water::SoundSpeed(1478.0)] {
        for width in [0.02, 0.5] {
            let (miss_m, moved_m) = misses(water.clone(), 0.0, width, true);
            println!("{water:?}, {width} rad: moved {moved_m:.3} m, missed {miss_m:.1e} m");
            assert!(moved_m > 0.05 && miss_m < 1e-5, "{miss_m}");
        }
    }
}

#[test]
fn under_way_only_the_correction_s_own_share_is_missed() {
    for water in [Water::Profile(OLD.into()), Water::SoundSpeed(1478.0)] {
        let (miss_m, moved_m) = misses(water.clone(), 1.0, 0.02, false);
        println!("{water:?}: moved {moved_m:.3} m, missed {miss_m:.1e} m");
        assert!(moved_m > 0.05 && miss_m < 0.05 * moved_m, "{miss_m} of {moved_m}");
    }
}

#[test]
fn each_frame_takes_the_cast_nearest_in_time() {
    let base = frames(Water::SoundSpeed(1500.0), 0.0, 0.02, false);
    let at = |seconds: i64| Some(Stamp::from_nanos(seconds * 1_000_000_000));
    let slow = [(0.0, 1440.0)];
    let same = [(0.0, 1500.0)];
    let retrace = Retrace::new(
        &rig(Water::SoundSpeed(1500.0), false),
        &[(at(-4), &same), (at(6), &slow)],
    )
    .unwrap();
    for frame in &base {
        let mut frame = frame.clone();
        let done = retrace.apply(&mut frame);
        let is_late = frame.window.end > Stamp::from_nanos(1_000_000_000);
        assert_eq!(
            done.largest_m > 1e-4,
            is_late && done.moved > 0,
            "{:?}",
            frame.window.end
        );
    }
}

#[test]
fn what_was_heard_in_air_stays() {
    let mut frames = frames(Water::SoundSpeed(1500.0), 0.0, 0.02, false);
    let before = places(&frames);
    let retrace = Retrace::new(&rig(Water::SoundSpeed(1500.0), false), &[(None, &NEW)]).unwrap();
    for frame in &mut frames {
        frame.points.medium.fill(beluga_types::Medium::Air);
        assert_eq!(retrace.apply(frame).moved, 0);
    }
    assert_eq!(places(&frames), before);
}

#[test]
fn what_is_no_profile_is_refused_and_what_no_ray_reaches_stays() {
    let water = Water::SoundSpeed(1500.0);
    assert!(Retrace::new(&rig(water.clone(), false), &[]).is_none());
    assert!(Retrace::new(&rig(water.clone(), false), &[(None, &[(0.0, 340.0)])]).is_none());
    assert!(
        Retrace::new(
            &rig(Water::Profile([(3.0, 1500.0), (1.0, 1500.0)].into()), false),
            &[(None, &NEW)]
        )
        .is_none()
    );
    let mut frames = frames(water.clone(), 0.0, 0.02, false);
    let before = places(&frames);
    for calibration in frames.iter_mut().flat_map(|frame| &mut frame.calibration) {
        calibration.sound_speed_m_per_s = None;
    }
    let retrace = Retrace::new(&rig(water, false), &[(None, &NEW)]).unwrap();
    let done = frames
        .iter_mut()
        .map(|frame| retrace.apply(frame))
        .fold(beluga_fusion::Retraced::default(), beluga_fusion::Retraced::and);
    assert_eq!((done.moved, done.left), (0, before.len() as u64));
    assert_eq!(places(&frames), before);
}
