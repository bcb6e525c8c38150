//! Hand-made frames and pings for tests.

use std::collections::BTreeMap;

use beluga_types::{
    ArcTable, ClockState, Echogram, EdgeState, FrameGap, FrameStatus, GapCause, Instruments, Label, Lamp,
    Light, Medium, PointTable, PoseSource, Rig, SensorCalibration, SensorId, SensorKind, SensorSpec,
    SensorState, SharedStates, SolidarFrame, SonarRegistration, StageTime, Stamp, Transform, Vessel, Water,
    Waterline, WaveformShape, Window,
};
use nalgebra::{Matrix6, UnitQuaternion, Vector3, Vector6};

fn end(index: u64) -> Stamp {
    Stamp::from_nanos(1_760_000_000_000_000_000 + index as i64 * 100_000_000)
}

/// A lidar, and a sonar whose name has a space.
pub(crate) fn rig() -> Rig {
    Rig {
        origin: None,
        vessel: Vessel {
            waterline_m: Some(0.2),
        },
        water: Water::Unknown,
        sensors: vec![
            SensorSpec::new("roof", SensorKind::Lidar),
            SensorSpec::new("fan one", SensorKind::Sonar),
        ],
    }
}

/// Four points in air, four in water, one mirrored; a gap in the first two frames.
pub(crate) fn frame(index: u64) -> SolidarFrame {
    let count = 9;
    let media: Vec<Medium> = (0..count)
        .map(|i| if i < 5 { Medium::Air } else { Medium::Water })
        .collect();
    let calibration = |sensor| SensorCalibration {
        sensor: SensorId(sensor),
        body_from_sensor: Transform::identity(),
        time_offset_nanos: 0,
        sound_speed_m_per_s: None,
    };
    SolidarFrame {
        index,
        window: Window {
            start: end(index).shifted_nanos(-100_000_000),
            end: end(index),
        },
        inputs: Vec::new(),
        gaps: (index..2)
            .take(1)
            .map(|_| FrameGap {
                sensor: SensorId(1),
                lost: 2,
                cause: GapCause::Corrupt,
            })
            .collect(),
        world_from_body: Transform::new(
            UnitQuaternion::from_euler_angles(0.05, 0.0, 0.3),
            Vector3::new(index as f64, 0.0, 0.0),
        ),
        pose_covariance: Matrix6::identity() * 1e-4,
        localizability: [1.0, 0.9, 0.8, 1.0, 0.5, 1.0],
        twist: Vector6::zeros(),
        shared: SharedStates::default(),
        waterline: Some(Waterline {
            z_m: 0.1,
            sigma_m: 0.02,
        }),
        clocks: Vec::new(),
        calibration: vec![calibration(0), calibration(1)],
        status: FrameStatus {
            pose_source: PoseSource::Odometry,
            sonar_registration: SonarRegistration::Refused {
                reason: "too few points".into(),
            },
        },
        points: PointTable {
            x: (0..count).map(|i| i as f32).collect(),
            y: vec![5.0; count],
            z: (0..count).map(|i| 4.0 - i as f32).collect(),
            offset_nanos: vec![0; count],
            sensor: media.iter().map(|&medium| medium as u16).collect(),
            medium: media,
            level: (0..count).map(|i| i as f32 * 10.0).collect(),
            snr_db: vec![None; count],
            sigma_range_m: vec![0.02; count],
            sigma_along_m: vec![0.02; count],
            sigma_across_m: vec![0.02; count],
            label: (0..count)
                .map(|i| if i == 4 { Label::Mirror } else { Label::Structure })
                .collect(),
            source_seq: vec![index; count],
            source_index: (0..count as u32).collect(),
        },
        arcs: ArcTable::default(),
    }
}

/// A vessel 1.1 s on, so far east along an upright wall 8 m to the north of which it sees
/// 20 m above the water and hears a stripe below: 300 points, elsewhere in each frame.
pub(crate) fn passing(index: u64, east_m: f64) -> SolidarFrame {
    const COUNT: usize = 300;
    let mut frame = frame(0);
    frame.index = index;
    frame.window = Window {
        start: end(11 * index),
        end: end(11 * index + 11),
    };
    frame.gaps.clear();
    frame.world_from_body = Transform::new(UnitQuaternion::identity(), Vector3::new(east_m, 0.0, 0.0));
    let points = &mut frame.points;
    let part = |i: usize, step: f64| ((index as usize * COUNT + i) as f64 * step).fract();
    let heard = |i: usize| i >= 220;
    let reach = |i: usize| if heard(i) { [-0.3, 0.6] } else { [-10.0, 20.0] };
    points.x = (0..COUNT)
        .map(|i| (reach(i)[0] + reach(i)[1] * part(i, 0.618_034)) as f32)
        .collect();
    points.y = vec![8.0; COUNT];
    points.z = (0..COUNT)
        .map(|i| (part(i, 0.414_214) * 4.0 - if heard(i) { 4.3 } else { -0.5 }) as f32)
        .collect();
    points.medium = (0..COUNT)
        .map(|i| if heard(i) { Medium::Water } else { Medium::Air })
        .collect();
    points.sensor = points.medium.iter().map(|&medium| medium as u16).collect();
    points.level = points.z.clone();
    points.label = vec![Label::Structure; COUNT];
    points.offset_nanos = vec![0; COUNT];
    points.snr_db = vec![None; COUNT];
    for sigmas in [
        &mut points.sigma_range_m,
        &mut points.sigma_along_m,
        &mut points.sigma_across_m,
    ] {
        *sigmas = vec![0.02; COUNT];
    }
    points.source_seq = vec![index; COUNT];
    points.source_index = (0..COUNT as u32).collect();
    frame
}

/// The rig's two sensors with these lights: ten a second, heard now; of what is not green three were lost.
pub(crate) fn instruments(lights: [Light; 2]) -> Instruments {
    let sensors = rig().sensors.into_iter().zip(lights).map(|(spec, light)| {
        let is_well = light == Light::Green;
        let lost = [(GapCause::Missing, 3)].into_iter().filter(|_| !is_well);
        let state = SensorState {
            name: spec.name,
            kind: spec.kind,
            measurements: 100,
            rate_hz: Some(if is_well { 10.0 } else { 0.0 }),
            expected_hz: Some(10.0),
            lost: lost.collect(),
            lost_lately: BTreeMap::new(),
            last_loss: None,
            age_s: Some(0.1),
            watched_s: 10.0,
            clock: Some(ClockState {
                offset_nanos: 2_000_000,
                sigma_nanos: 2e5,
                locked: false,
            }),
            edge: Some(EdgeState {
                fill: 0.25,
                ..EdgeState::default()
            }),
        };
        let words = |text: &str| if is_well { String::new() } else { text.to_owned() };
        let lamp = Lamp {
            light,
            reason: words("silent for 12 s"),
            remedy: words("its power, its cable"),
        };
        (state, lamp)
    });
    let stage = |name, p50_ms, p99_ms| StageTime { name, p50_ms, p99_ms };
    Instruments {
        at: end(0),
        sensors: sensors.collect(),
        stages: vec![stage("heard", 1.0, 2.0), stage("made", 5.0, 9.0)],
    }
}

/// A ping of eight beams and 100 bins of 0.1 m from 0.5 m on, loud at bin 60.
pub(crate) fn echo(seq: u64) -> Echogram {
    let shape = WaveformShape {
        channels: 8,
        samples: 100,
    };
    Echogram {
        sensor: SensorId(1),
        stamp: end(seq),
        seq,
        shape,
        first_range_m: 0.5,
        range_step_m: 0.1,
        raw_db: Vec::new(),
        compressed_db: (0..800)
            .map(|i| {
                if i % 100 == 60 {
                    40.0
                } else {
                    0.01 * (i % 100) as f32
                }
            })
            .collect(),
        across_rad: Vec::new(),
        detected: (0..8).map(|beam| (beam, 6.5)).collect(),
    }
}
