//! Real scans, through the crate's door only. Skipped where the recordings are absent.

// Tests may read files and stop at what cannot be.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;

use beluga_fusion::{Config, Fuser, PointMap};
use beluga_types::{
    Body, LidarScan, Measurement, Payload, PoseSource, Rig, SensorId, SensorKind, SensorSpec, SolidarFrame,
    Stamp, Transform, Vessel, Water, World,
};
use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};

#[path = "../../tests/shared_data/mod.rs"]
mod shared_data;

/// The folder of recordings beside the repository, if this machine has it.
fn recording(test: &str, name: &str) -> Option<PathBuf> {
    shared_data::shared_data(test, &format!("lidar/{name}"))
}

fn rig() -> Rig {
    let mut lidar = SensorSpec::new("lidar", SensorKind::Lidar);
    lidar.reference = true;
    lidar.deskewed = true;
    Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::Unknown,
        sensors: vec![lidar],
    }
}

fn scan(path: PathBuf, columns: usize) -> LidarScan {
    let bytes = std::fs::read(path).unwrap();
    let numbers: Vec<f32> = bytes
        .chunks_exact(4)
        .map(|word| f32::from_le_bytes(word.try_into().unwrap()))
        .collect();
    let column = |place: usize| numbers.iter().skip(place).step_by(columns).copied().collect();
    LidarScan::new(column(0), column(1), column(2)).unwrap()
}

fn fuse(scans: impl Iterator<Item = LidarScan>) -> Vec<SolidarFrame> {
    fuse_with(Config::default(), scans)
}

fn fuse_with(config: Config, scans: impl Iterator<Item = LidarScan>) -> Vec<SolidarFrame> {
    let mut fuser = Fuser::new(config, rig()).unwrap();
    let mut frames = Vec::new();
    for (seq, scan) in scans.enumerate() {
        let stamp = Stamp::from_nanos(seq as i64 * 100_000_000);
        frames.extend(fuser.push(Measurement {
            seq: seq as u64,
            sensor: SensorId(0),
            stamp,
            end: stamp,
            received: stamp,
            payload: Payload::Lidar(Arc::new(scan)),
        }));
    }
    frames.extend(fuser.finish());
    frames
}

/// Rows of KITTI's 3×4 matrices.
fn poses(path: PathBuf) -> Vec<Transform<World, Body>> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| pose(line.split_whitespace())).collect()
}

fn pose<'a>(words: impl Iterator<Item = &'a str>) -> Transform<World, Body> {
    let n: Vec<f64> = words.map(|word| word.parse().unwrap()).collect();
    let rotation = Matrix3::new(n[0], n[1], n[2], n[4], n[5], n[6], n[8], n[9], n[10]);
    Transform::new(
        UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_eps(
            &rotation,
            1e-12,
            100,
            Rotation3::identity(),
        )),
        Vector3::new(n[3], n[7], n[11]),
    )
}

#[test]
fn a_city_drive_ends_where_two_other_programs_end() {
    let Some(folder) = recording("a_city_drive", "kitti-raw-city-124") else {
        return;
    };
    let frames = fuse((0..124).map(|i| scan(folder.join(format!("{i:03}.xyz32")), 3)));
    assert_eq!(frames.len(), 124);
    assert!(
        frames[1..]
            .iter()
            .all(|f| f.status.pose_source == PoseSource::Odometry)
    );
    for reference in ["reference_kiss_icp.txt", "reference_small_gicp_vgicp.txt"] {
        let wanted = poses(folder.join(reference));
        let error = |i: usize| {
            let from_start = frames[0].world_from_body.inverse() * frames[i].world_from_body;
            let wanted = wanted[0].inverse() * wanted[i];
            (from_start.translation() - wanted.translation()).norm()
        };
        let worst = (0..124).map(error).fold(0.0, f64::max);
        println!("{reference}: end {:.3} m, worst {worst:.3} m", error(123));
        assert!(error(123) < 0.15, "{reference}: {} m at the end", error(123));
        assert!(worst < 0.30, "{reference}: {worst} m on the way");
    }
}

#[test]
fn two_full_scans_from_no_motion_at_all() {
    let Some(folder) = recording("two_full_scans", "kitti00-pair-94-95") else {
        return;
    };
    let frames = fuse(
        ["000094.bin", "000095.bin"]
            .iter()
            .map(|name| scan(folder.join(name), 4)),
    );
    let text = std::fs::read_to_string(folder.join("T_094_095.txt")).unwrap();
    let wanted = pose(text.split_whitespace());
    let found = frames[0].world_from_body.inverse() * frames[1].world_from_body;
    let error: Transform<Body, Body> =
        found.inverse() * Transform::<Body, Body>::new(wanted.rotation(), wanted.translation());
    let (metres, degrees) = (
        error.translation().norm(),
        error.rotation().scaled_axis().norm().to_degrees(),
    );
    let sigma_m = frames[1].pose_covariance.fixed_view::<3, 3>(3, 3).trace().sqrt();
    println!("pair: {metres:.4} m, {degrees:.4} deg; stated sigma {sigma_m:.4} m");
    // The truth itself is known to some 6 to 9 mm.
    assert!(metres <= 0.010 && degrees <= 0.03, "{metres} m, {degrees} deg");
}

/// Part of a scan's points that have a neighbour of another's within 0.1 m, the scan moved.
fn fitness(of: &LidarScan, moved: &Transform<World, Body>, on: &LidarScan) -> f64 {
    let points = |scan: &LidarScan, by: &Transform<World, Body>| -> Vec<[f32; 3]> {
        let (turn, place) = (by.rotation_matrix().cast::<f32>(), by.translation().cast::<f32>());
        let columns = scan.x().iter().zip(scan.y()).zip(scan.z());
        columns
            .map(|((x, y), z)| (turn * Vector3::new(*x, *y, *z) + place).into())
            .collect()
    };
    let mut map = PointMap::new(0.25);
    map.insert(&points(on, &Transform::identity()));
    let near = map.nearest(&points(of, moved), 0.1);
    near.iter().flatten().count() as f64 / of.len() as f64
}

/// Every scan ends in a finite pose, and lies better on the first where it was found than unmoved.
fn each_fits_better_than_unmoved(config: Config, name: &str, scans: &[LidarScan]) -> Vec<SolidarFrame> {
    let frames = fuse_with(config, scans.iter().cloned());
    assert_eq!(frames.len(), scans.len());
    for (i, frame) in frames.iter().enumerate().skip(1) {
        assert!(frame.world_from_body.is_finite());
        assert!(frame.pose_covariance.iter().all(|value| value.is_finite()));
        let moved = frames[0].world_from_body.inverse() * frame.world_from_body;
        let moved = Transform::new(moved.rotation(), moved.translation());
        let found = fitness(&scans[i], &moved, &scans[0]);
        let unmoved = fitness(&scans[i], &Transform::identity(), &scans[0]);
        println!(
            "{name} {i}: {found:.3}, unmoved {unmoved:.3}, {:?}",
            frame.status.pose_source
        );
        assert!(
            found > unmoved,
            "{name} {i}: {found} is not better than {unmoved}"
        );
    }
    frames
}

/// The points of an ASCII VTK file, and nothing else of it.
fn vtk(path: PathBuf) -> LidarScan {
    let text = std::fs::read_to_string(path).unwrap();
    let (_, points) = text.split_once("POINTS ").unwrap();
    let (count, points) = points.split_once(" float").unwrap();
    let count: usize = count.parse().unwrap();
    let numbers: Vec<f32> = points
        .split_whitespace()
        .take(3 * count)
        .map(|word| word.parse().unwrap())
        .collect();
    let column = |place: usize| numbers.iter().skip(place).step_by(3).copied().collect();
    LidarScan::new(column(0), column(1), column(2)).unwrap()
}

#[test]
fn an_apartment_seen_from_three_places() {
    let Some(folder) = recording("an_apartment", "libpointmatcher-apartment") else {
        return;
    };
    let scans: Vec<LidarScan> = (0..3)
        .map(|i| vtk(folder.join(format!("cloud.0000{i}.vtk"))))
        .collect();
    // Voxels of 1 m are for streets and harbours; in rooms they blur what 0.1 m apart is judged by.
    let mut rooms = Config::default();
    rooms.odometry.voxel_m = 0.6;
    // They are no sequence: each is laid on each before it.
    for (on, of) in [(0, 1), (1, 2), (0, 2)] {
        let two = [scans[on].clone(), scans[of].clone()];
        each_fits_better_than_unmoved(rooms.clone(), &format!("apartment {of} on {on},"), &two);
    }
}

#[test]
fn points_on_planes_a_second_apart() {
    let Some(folder) = recording("points_on_planes", "newer-college-planes-01") else {
        return;
    };
    let scans: Vec<LidarScan> = (0..5)
        .map(|i| scan(folder.join(format!("planes_0000{i}0.bin")), 3))
        .collect();
    let frames = each_fits_better_than_unmoved(Config::default(), "planes", &scans);
    assert!(
        frames[1..]
            .iter()
            .all(|frame| frame.status.pose_source == PoseSource::Odometry)
    );
}

fn mirrored(scan: &LidarScan) -> LidarScan {
    let y = scan.y().iter().map(|y| -y).collect();
    LidarScan::new(scan.x().to_vec(), y, scan.z().to_vec()).unwrap()
}

/// A scan seen in a mirror within a drive is not believed: the pose is the expected one and says so,
/// and the drive goes on as if it had not been.
#[test]
fn a_mirrored_scan_in_a_city_drive_is_refused() {
    let Some(folder) = recording("a_mirrored_scan", "kitti-raw-city-124") else {
        return;
    };
    let scans: Vec<LidarScan> = (0..26)
        .map(|i| scan(folder.join(format!("{i:03}.xyz32")), 3))
        .collect();
    let whole = fuse(scans.iter().cloned());
    for at in [2, 3, 12, 22] {
        let mut drive = scans.clone();
        drive[at] = mirrored(&drive[at]);
        let frames = fuse(drive.into_iter());
        for (k, frame) in frames.iter().enumerate().skip(1) {
            let refused = frame.status.pose_source == PoseSource::Prediction;
            assert_eq!(refused, k == at, "scan {k} of a drive whose {at} is mirrored");
        }
        let error =
            (frames[25].world_from_body.translation() - whole[25].world_from_body.translation()).norm();
        println!("mirrored {at}: {error:.4} m off at the end");
        assert!(error < 0.02, "mirrored {at}: {error} m");
    }
}
