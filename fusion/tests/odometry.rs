//! The odometry alone, through the crate's door: accuracy, threads, bad scans, memory.

// Tests may stop at what cannot be.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use beluga_fusion::{Config, LidarOdometry, Located};
use beluga_types::{LidarScan, PoseSource, Stamp, Transform};

mod street;

fn odometry(deskewed: bool) -> LidarOdometry {
    LidarOdometry::new(&Config::default(), Transform::identity(), deskewed).unwrap()
}

fn at(scan: u64) -> Stamp {
    Stamp::from_nanos(1_700_000_000_000_000_000 + scan as i64 * 100_000_000)
}

fn located(scans: &[Arc<LidarScan>], deskewed: bool) -> Vec<Located> {
    let mut odometry = odometry(deskewed);
    let push = |(k, scan): (usize, &Arc<LidarScan>)| odometry.push(scan, at(k as u64));
    scans.iter().enumerate().map(push).collect()
}

fn is_finite(located: &Located) -> bool {
    located.world_from_body.is_finite()
        && located.covariance.iter().all(|value| value.is_finite())
        && located
            .localizability
            .iter()
            .all(|value| (0.0..=1.0).contains(value))
}

/// The largest distance between the poses and the truth, both counted from the first.
fn worst_m(located: &[Located], truth: impl Fn(usize) -> f64) -> f64 {
    let start = street::pose_at(truth(0));
    let error = |(k, one): (usize, &Located)| {
        let found = located[0].world_from_body.inverse() * one.world_from_body;
        let wanted = start.inverse() * street::pose_at(truth(k));
        (found.translation() - wanted.translation()).norm()
    };
    located.iter().enumerate().map(error).fold(0.0, f64::max)
}

#[test]
fn a_drive_is_followed_with_16_rings_and_with_128() {
    for (rings, columns, worst_allowed_m) in [(16, 600, 0.03), (128, 512, 0.03)] {
        let scans: Vec<_> = (0..12)
            .map(|k| street::scan(f64::from(k), rings, columns, false))
            .collect();
        let located = located(&scans, true);
        assert!(located[1..].iter().all(|l| l.source == PoseSource::Odometry));
        let worst = worst_m(&located, |k| k as f64);
        assert!(worst < worst_allowed_m, "{rings} rings: {worst} m");
    }
}

#[test]
fn a_lidar_that_moves_while_it_turns_is_followed() {
    let scans: Vec<_> = (0..12)
        .map(|k| street::scan(f64::from(k), 32, 400, true))
        .collect();
    let located = located(&scans, false);
    let last = 1.0 - 1.0 / 400.0;
    let worst = worst_m(&located, |k| k as f64 + last);
    assert!(worst < 0.06, "{worst} m");
}

#[test]
fn poses_are_the_same_bits_for_any_number_of_threads_and_over_runs() {
    let scans: Vec<_> = (0..5)
        .map(|k| street::scan(f64::from(k), 32, 300, true))
        .collect();
    let mut first: Option<Vec<_>> = None;
    for threads in [1, 2, 8, 1, 2, 8] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let poses: Vec<_> = pool
            .install(|| located(&scans, false))
            .iter()
            .map(|l| (l.world_from_body, l.covariance))
            .collect();
        assert_eq!(
            *first.get_or_insert_with(|| poses.clone()),
            poses,
            "{threads} threads"
        );
    }
}

fn columns(points: &[[f32; 3]]) -> Arc<LidarScan> {
    let column = |axis: usize| points.iter().map(|point| point[axis]).collect();
    Arc::new(LidarScan::new(column(0), column(1), column(2)).unwrap())
}

fn mirrored(scan: &LidarScan) -> Arc<LidarScan> {
    let y = scan.y().iter().map(|y| -y).collect();
    Arc::new(LidarScan::new(scan.x().to_vec(), y, scan.z().to_vec()).unwrap())
}

/// Scans that say nothing or lie, first and in the middle of a drive: a status and a finite pose
/// each time, and the drive goes on.
#[test]
fn bad_scans_end_in_a_status_and_a_finite_pose() {
    let good: Vec<_> = (0..6)
        .map(|k| street::scan(f64::from(k), 32, 300, false))
        .collect();
    let plane: Vec<[f32; 3]> = (0..10_000u16)
        .map(|i| {
            [
                f32::from(i % 100) * 0.2 - 10.0,
                f32::from(i / 100) * 0.2 - 10.0,
                -1.8,
            ]
        })
        .collect();
    let bad = [
        ("empty", columns(&[])),
        ("one point", columns(&[[3.0, 1.0, 0.5]])),
        ("duplicates", columns(&[[3.0, 1.0, 0.5]; 5000])),
        ("one plane", columns(&plane)),
        ("mirrored", mirrored(&good[3])),
        ("huge", columns(&[[1e30, -1e30, 1e38]; 300])),
        ("at the lidar", columns(&[[0.0, 0.0, 0.0]; 300])),
    ];
    for (name, bad) in &bad {
        let alone = located(&[bad.clone(), bad.clone(), bad.clone()], true);
        assert!(alone.iter().all(is_finite), "{name} alone");
        let mut drive = good.clone();
        drive[3] = bad.clone();
        let drive = located(&drive, true);
        assert!(drive.iter().all(is_finite), "{name} in a drive");
        let sources = drive.iter().map(|l| l.source).collect::<Vec<_>>();
        // A plane holds nothing along itself, but its own normal it does hold.
        let refused = sources[3] == PoseSource::Prediction;
        assert!(refused || *name == "one plane", "{name}: {sources:?}");
        let end = worst_m(&drive[..1], |k| k as f64).max({
            let found = drive[0].world_from_body.inverse() * drive[5].world_from_body;
            let wanted = street::pose_at(0.0).inverse() * street::pose_at(5.0);
            (found.translation() - wanted.translation()).norm()
        });
        assert!(end < 0.03, "{name}: {end} m off two scans later");
    }
    assert!(LidarScan::new(vec![f32::NAN], vec![0.0], vec![0.0]).is_err());
}

/// After a second without scans the wide gate and the prediction find the place again.
#[test]
fn a_gap_is_crossed() {
    let mut odometry = odometry(true);
    let mut last = None;
    for k in (0..8).chain(14..19) {
        last = Some((k, odometry.push(&street::scan(k as f64, 32, 300, false), at(k))));
    }
    let (k, located) = last.unwrap();
    let wanted = street::pose_at(0.0).inverse() * street::pose_at(k as f64);
    let error = (located.world_from_body.translation() - wanted.translation()).norm();
    assert!(error < 0.05, "{error} m");
    assert_eq!(located.source, PoseSource::Odometry);
}

/// Up and down the street again and again: what the map holds and what it has memory for do not
/// grow from lap to lap.
#[test]
fn the_map_does_not_grow_on_known_ground() {
    let mut config = Config::default();
    config.odometry.map_radius_m = 15.0;
    let mut odometry = LidarOdometry::new(&config, Transform::identity(), true).unwrap();
    // From standstill to standstill and back.
    let lap = (-15..15).chain((-14..=15).rev()).map(|k| 2.0 * f64::from(k));
    let lap: Vec<_> = lap.map(|k| street::scan(k, 16, 200, false)).collect();
    let mut capacities = Vec::new();
    for round in 0..3u64 {
        for (k, scan) in lap.iter().enumerate() {
            odometry.push(scan, at(round * lap.len() as u64 + k as u64));
        }
        capacities.push(odometry.map_voxels().1);
    }
    let grown = capacities[2] as f64 / capacities[0] as f64;
    assert!(grown < 1.1, "{capacities:?}");
    let (held, capacity) = odometry.map_voxels();
    assert!(held <= capacity && held > 500);
}
