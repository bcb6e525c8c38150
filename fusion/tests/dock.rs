//! A dock of flat walls seen by a turning lidar on a swaying vessel, through the crate's door only.

// Tests may read files and stop at what cannot be.
#![allow(clippy::unwrap_used)]

mod scene;

use beluga_fusion::{Config, Fuser};
use beluga_types::{Gap, GapCause, LidarScan, Payload, PoseSource, SolidarFrame, Stamp};
use scene::{LIDAR, NAV, SECOND, at, dock, measurement, pose_at, rig};

fn fuse(timeline: Vec<beluga_types::Measurement>) -> Vec<SolidarFrame> {
    let mut fuser = Fuser::new(Config::default(), rig()).unwrap();
    let mut frames: Vec<SolidarFrame> = timeline.into_iter().flat_map(|m| fuser.push(m)).collect();
    frames.extend(fuser.finish());
    frames
}

/// Worst distance and turn of poses from the truth, after laying the first on it.
fn worst_error(frames: &[SolidarFrame], aligned: bool) -> (f64, f64) {
    let first = &frames[0];
    let shift = if aligned {
        pose_at(first.window.end) * first.world_from_body.inverse()
    } else {
        beluga_types::Transform::identity()
    };
    frames.iter().fold((0.0f64, 0.0f64), |(metres, turn), frame| {
        let error = pose_at(frame.window.end).perturbation_to(&(shift * frame.world_from_body));
        (
            metres.max(error.fixed_rows::<3>(3).norm()),
            turn.max(error.fixed_rows::<3>(0).norm().to_degrees()),
        )
    })
}

#[test]
fn with_nav_the_poses_are_true_in_the_world() {
    let frames = fuse(dock(40, true));
    assert_eq!(frames.len(), 40);
    let sources = frames
        .iter()
        .filter(|f| f.status.pose_source == PoseSource::OdometryAndNav);
    assert!(sources.count() >= 39);
    let (metres, degrees) = worst_error(&frames, false);
    assert!(metres < 0.03 && degrees < 0.1, "{metres} m, {degrees} deg");
    let last = frames.last().unwrap();
    assert!(
        last.localizability.iter().all(|held| *held > 0.9),
        "{:?}",
        last.localizability
    );
}

#[test]
fn without_nav_the_poses_are_true_against_the_first() {
    let frames = fuse(dock(40, false));
    let (metres, degrees) = worst_error(&frames, true);
    assert!(metres < 0.03 && degrees < 0.15, "{metres} m, {degrees} deg");
}

#[test]
fn deskewed_points_lie_on_the_walls() {
    let frames = fuse(dock(20, true));
    let frame = &frames[15];
    let mut errors: Vec<f64> = (0..frame.points.len())
        .map(|i| scene::distance_m(&frame.point_in_world(i).vector()))
        .collect();
    errors.sort_by(f64::total_cmp);
    assert!(errors.len() > 5_000);
    let median = errors[errors.len() / 2];
    assert!(median < 0.015, "{median} m");
    frame.points.check().unwrap();
    assert!(frame.points.offset_nanos.iter().all(|offset| *offset <= 0));
    assert!(
        frame
            .points
            .offset_nanos
            .iter()
            .any(|offset| *offset < -90_000_000)
    );
}

#[test]
fn one_thread_and_eight_give_the_same_frames() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| fuse(dock(12, true)))
    };
    let (one, eight) = (run(1), run(8));
    assert_eq!(one, eight);
    // Equality of floats forgives the sign of zero; their text does not.
    assert_eq!(format!("{one:?}"), format!("{eight:?}"));
}

#[test]
fn counted_in_is_counted_out_plus_counted_lost() {
    let mut timeline = dock(10, true);
    for (i, lost) in [(3usize, 2u64), (20, 5)] {
        let end = timeline[i].end;
        let gap = Gap {
            lost,
            cause: GapCause::Corrupt,
            detail: String::new(),
        };
        timeline.insert(i + 1, measurement(LIDAR, 0, end, end, Payload::Gap(gap)));
    }
    let pushed = timeline
        .iter()
        .filter(|m| !matches!(m.payload, Payload::Gap(_)))
        .count();
    let frames = fuse(timeline);
    let out: u32 = frames
        .iter()
        .flat_map(|f| &f.inputs)
        .map(|input| input.measurements)
        .sum();
    let lost: u64 = frames.iter().flat_map(|f| &f.gaps).map(|gap| gap.lost).sum();
    assert_eq!((out as usize, lost), (pushed, 7));
}

#[test]
fn a_second_lidar_is_deskewed_and_included() {
    let mut timeline = dock(6, true);
    let extra: Vec<_> = timeline
        .iter()
        .filter(|m| m.sensor == LIDAR)
        .map(|m| measurement(SECOND, m.seq, m.stamp, m.end, m.payload.clone()))
        .collect();
    timeline.extend(extra);
    timeline.sort_by_key(beluga_types::Measurement::order);
    let frames = fuse(timeline);
    assert_eq!(frames.len(), 6);
    let second = frames[4]
        .points
        .sensor
        .iter()
        .filter(|id| **id == SECOND.0)
        .count();
    assert!(second > 5_000);
}

#[test]
fn strange_scans_end_in_a_status_and_never_in_a_number_that_is_none() {
    let far = 1e38f32;
    let column = |values: &[f32]| values.to_vec();
    let scans = [
        LidarScan::default(),
        LidarScan::new(column(&[1.0]), column(&[2.0]), column(&[0.0])).unwrap(),
        LidarScan::new(column(&[far; 50]), column(&[-far; 50]), column(&[far; 50])).unwrap(),
        LidarScan::new(column(&[3.0; 500]), column(&[1.0; 500]), column(&[0.5; 500])).unwrap(),
        plane(),
        plane(),
        LidarScan::default(),
    ];
    for offsets in [false, true] {
        let timeline: Vec<_> = scans
            .iter()
            .enumerate()
            .flat_map(|(i, scan)| {
                let scan = if offsets {
                    let times = (0..scan.len()).map(|k| if k % 2 == 0 { i32::MIN } else { i32::MAX });
                    scan.clone().with_offset_nanos(times.collect()).unwrap()
                } else {
                    scan.clone()
                };
                let end = at(i as i64 * 100);
                [measurement(
                    LIDAR,
                    i as u64,
                    end,
                    end,
                    Payload::Lidar(scan.into()),
                )]
            })
            .collect();
        let frames = fuse(timeline);
        assert_eq!(frames.len(), scans.len());
        for frame in &frames {
            frame.points.check().unwrap();
            assert!(frame.world_from_body.is_finite());
            assert!(frame.pose_covariance.iter().all(|value| value.is_finite()));
            assert!(frame.pose_covariance.cholesky().is_some());
            assert!(frame.localizability.iter().all(|held| (0.0..=1.0).contains(held)));
            assert!(frame.twist.iter().all(|value| value.is_finite()));
        }
        assert_eq!(frames[0].status.pose_source, PoseSource::Prediction);
    }
}

#[test]
fn a_plane_alone_holds_three_of_six_axes() {
    let timeline = (0..12)
        .map(|i| {
            let end = at(i * 100);
            measurement(LIDAR, i as u64, end, end, Payload::Lidar(plane().into()))
        })
        .collect();
    let frames = fuse(timeline);
    let held = frames[10].localizability;
    assert_eq!(frames[10].status.pose_source, PoseSource::Odometry);
    assert!(held[5] > 0.9 && held[0] > 0.9 && held[1] > 0.9, "{held:?}");
    assert!(held[2] < 0.1 && held[3] < 0.1 && held[4] < 0.1, "{held:?}");
}

/// Flat ground around the lidar.
fn plane() -> LidarScan {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for i in -40..=40 {
        for k in -40..=40 {
            x.push(0.37 * i as f32 + 0.01);
            y.push(0.37 * k as f32 + 0.02);
        }
    }
    let z = vec![-1.7; x.len()];
    LidarScan::new(x, y, z).unwrap()
}

#[test]
fn bad_nav_is_left_out_and_noted() {
    let mut fuser = Fuser::new(Config::default(), rig()).unwrap();
    let mut frames = Vec::new();
    for mut m in dock(10, true) {
        if let Payload::Pose(fix) = &mut m.payload
            && m.seq % 7 == 3
        {
            fix.covariance = Some(nalgebra::Matrix6::repeat(f64::NAN));
        }
        frames.extend(fuser.push(m));
    }
    assert!(fuser.notes().iter().any(|note| note.contains("not finite")));
    frames.extend(fuser.finish());
    assert!(worst_error(&frames, false).0 < 0.04);
}

#[test]
fn without_a_lidar_the_pose_is_navs() {
    let timeline: Vec<_> = dock(20, true).into_iter().filter(|m| m.sensor == NAV).collect();
    let frames = fuse(timeline);
    assert!(frames.len() >= 19);
    assert!(frames.iter().all(|f| f.status.pose_source == PoseSource::Nav));
    assert!(worst_error(&frames, false).0 < 0.05);
}

#[test]
fn a_pause_of_hours_and_a_far_stamp_do_not_hang() {
    let mut timeline = dock(4, true);
    let hours = 7 * 3_600 * 1_000_000_000i64;
    let later: Vec<_> = dock(4, true)
        .into_iter()
        .map(|m| {
            let shift = |stamp: Stamp| stamp.shifted_nanos(hours);
            measurement(m.sensor, m.seq, shift(m.stamp), shift(m.end), m.payload)
        })
        .collect();
    timeline.extend(later);
    let end = Stamp::from_nanos(i64::MAX);
    let scan = Payload::Lidar(LidarScan::default().into());
    timeline.push(measurement(LIDAR, 9, end, end, scan));
    timeline.extend(dock(2, true));
    let pushed = timeline.len();
    let frames = fuse(timeline);
    assert!(frames.len() < 60, "{}", frames.len());
    let out: u32 = frames
        .iter()
        .flat_map(|f| &f.inputs)
        .map(|input| input.measurements)
        .sum();
    assert_eq!(out as usize, pushed);
}
