//! The main job on real lidar: a drive through a city, converted to a folder recording, fused.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod shared_data;

use beluga_fusion::Fuser;
use beluga_ingest::{Recording, kitti};
use beluga_types::{Body, Transform, World};
use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};
use shared_data::shared_data;

/// The last pose of a trajectory in KITTI's form: each line the upper three rows of a 4×4 matrix.
fn last_pose(text: &str) -> Transform<World, Body> {
    let last = text.lines().last().unwrap();
    let m: Vec<f64> = last
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    let rotation = Matrix3::new(m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10]);
    let rotation = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix(&rotation));
    Transform::new(rotation, Vector3::new(m[3], m[7], m[11]))
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

    let recording = Recording::open(&run).unwrap();
    let mut fuser = Fuser::new(beluga_fusion::Config::default(), recording.rig().clone()).unwrap();
    let mut frames = Vec::new();
    for measurement in recording.timeline().unwrap() {
        frames.extend(fuser.push(measurement));
    }
    frames.extend(fuser.finish());
    assert_eq!(frames.len(), 124);
    let first = frames[0].world_from_body;
    let end = first.inverse() * frames[123].world_from_body;
    for reference in ["reference_kiss_icp.txt", "reference_small_gicp_vgicp.txt"] {
        let expected = last_pose(&std::fs::read_to_string(source.join(reference)).unwrap());
        let error = (end.translation() - expected.translation()).norm();
        println!("{reference}: {error:.3} m at the end");
        assert!(error <= 0.15, "{reference}: {error} m");
    }
}
