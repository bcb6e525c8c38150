//! Frames made by hand for tests.

use beluga_types::{
    ArcTable, Body, FrameStatus, Label, Medium, Point, PointTable, PoseSource, SensorCalibration, SensorId,
    SharedState, SharedStates, SolidarFrame, SonarRegistration, Stamp, Transform, Window, World,
};
use nalgebra::{Matrix6, Vector3, Vector6};

use crate::truth::Truth;

/// A frame with this pose, unit covariance and no point.
pub(crate) fn frame_at(stamp: Stamp, pose: &Transform<World, Body>) -> SolidarFrame {
    SolidarFrame {
        index: 0,
        window: Window {
            start: stamp.shifted_nanos(-100_000_000),
            end: stamp,
        },
        inputs: Vec::new(),
        gaps: Vec::new(),
        clocks: Vec::new(),
        world_from_body: *pose,
        pose_covariance: Matrix6::identity(),
        localizability: [1.0; 6],
        twist: Vector6::zeros(),
        shared: SharedStates::default(),
        waterline: None,
        calibration: Vec::new(),
        status: FrameStatus {
            pose_source: PoseSource::Odometry,
            sonar_registration: SonarRegistration::NotTried,
        },
        points: PointTable::default(),
        arcs: ArcTable::default(),
    }
}

/// A frame with points at these places in `Quay`, each with the same sigma on all axes, and with one
/// shared translation of the pose along each axis. Water is the sonar's (sensor 1), air the lidar's (0).
pub(crate) fn frame_of(
    truth: &Truth,
    stamp: Stamp,
    pose: &Transform<World, Body>,
    places: &[Vector3<f64>],
    medium: Medium,
    sigma_m: f32,
    shared_m: f64,
) -> SolidarFrame {
    let mut frame = frame_at(stamp, pose);
    let sensor = medium as u16;
    frame.shared.states = (0..3).map(SharedState::PoseTranslation).collect();
    frame.shared.covariance = vec![0.0; 9];
    for axis in 0..3 {
        frame.shared.covariance[4 * axis] = shared_m * shared_m;
    }
    frame.calibration = vec![SensorCalibration {
        sensor: SensorId(sensor),
        body_from_sensor: Transform::identity(),
        time_offset_nanos: 0,
        sound_speed_m_per_s: (medium == Medium::Water).then_some(1480.0),
    }];
    let body_from_quay = pose.inverse() * truth.scene.world_from_quay;
    let count = places.len();
    let in_body: Vec<Vector3<f64>> = places
        .iter()
        .map(|place| (body_from_quay * Point::from_vector(*place)).vector())
        .collect();
    let axis = |axis: usize| in_body.iter().map(|place| place[axis] as f32).collect();
    frame.points = PointTable {
        x: axis(0),
        y: axis(1),
        z: axis(2),
        offset_nanos: vec![0; count],
        sensor: vec![sensor; count],
        medium: vec![medium; count],
        level: vec![-20.0; count],
        snr_db: vec![None; count],
        sigma_range_m: vec![sigma_m; count],
        sigma_along_m: vec![sigma_m; count],
        sigma_across_m: vec![sigma_m; count],
        label: vec![Label::Unknown; count],
        source_seq: vec![0; count],
        source_index: (0..count as u32).collect(),
    };
    frame
}
