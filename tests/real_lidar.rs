//! The main job on real lidar: a drive through a city, converted to a folder recording, fused.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod shared_data;

use std::path::Path;

use beluga_fusion::Fuser;
use beluga_ingest::{Recording, kitti};
use beluga_types::{Body, PoseSource, SolidarFrame, Transform, World};
use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};
use shared_data::shared_data;

/// A trajectory in KITTI's form: each line the upper three rows of a 4×4 matrix.
fn poses(file: &Path) -> Vec<Transform<World, Body>> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(pose).collect()
}

fn pose(line: &str) -> Transform<World, Body> {
    let m: Vec<f64> = line
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    let rotation = Matrix3::new(m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10]);
    let rotation = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix(&rotation));
    Transform::new(rotation, Vector3::new(m[3], m[7], m[11]))
}

/// The frames of a recording as it is.
fn fused(source: &Path) -> Vec<SolidarFrame> {
    let recording = Recording::open(source).unwrap();
    let mut fuser = Fuser::new(beluga_fusion::Config::default(), recording.rig().clone()).unwrap();
    let mut frames = Vec::new();
    for measurement in recording.timeline().unwrap() {
        frames.extend(fuser.push(measurement));
    }
    frames.extend(fuser.finish());
    frames
}

/// 124 scans over 52 m among moving cars, without navigation. The two references were made by
/// other programs on the full scans and differ from each other by 0.105 m at the end.
#[test]
fn a_drive_through_a_city_ends_where_two_other_programs_end() {
    let name = "a_drive_through_a_city_ends_where_two_other_programs_end";
    let Some(source) = shared_data(name, "lidar/kitti-raw-city-124") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    assert_eq!(kitti::convert(&source, &run).unwrap(), 124);

    let frames = fused(&run);
    assert_eq!(frames.len(), 124);
    let first = frames[0].world_from_body;
    let end = first.inverse() * frames[123].world_from_body;
    for reference in ["reference_kiss_icp.txt", "reference_small_gicp_vgicp.txt"] {
        let expected = poses(&source.join(reference))[123];
        let error = (end.translation() - expected.translation()).norm();
        println!("{reference}: {error:.3} m at the end");
        assert!(error <= 0.15, "{reference}: {error} m");
    }
}

/// A capture of three scans, a quarter of a metre apart, whose poses its makers publish.
#[test]
fn three_scans_of_a_capture_lie_where_its_makers_say() {
    let name = "three_scans_of_a_capture_lie_where_its_makers_say";
    let Some(source) = shared_data(name, "live/ouster-os1-128-3scans-poses") else {
        return;
    };
    let capture = "OS-1-128_v2.3.0_1024x10_lb_n3";
    let mut frames = fused(&source.join(format!("{capture}.pcap")));
    // What the capture holds besides of the inertial unit has a frame of its own.
    frames.retain(|frame| !frame.points.x.is_empty());
    let expected = poses(&source.join(format!("{capture}_poses_kitti.txt")));
    assert_eq!((frames.len(), expected.len()), (3, 3));
    for (frame, expected) in frames.iter().zip(&expected).skip(1) {
        assert_eq!(frame.status.pose_source, PoseSource::Odometry);
        let found = frames[0].world_from_body.inverse() * frame.world_from_body;
        let metres = (found.translation() - expected.translation()).norm();
        let degrees = found.rotation().angle_to(&expected.rotation()).to_degrees();
        println!("{metres:.4} m, {degrees:.3} deg off");
        assert!(metres <= 0.03 && degrees <= 0.2, "{metres} m, {degrees} deg");
    }
}
