//! Vessel, navigation and lidar with everything switched on, through the room's door.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use beluga_sim::{Scenario, World};
use beluga_types::{Measurement, Payload};

fn scenario() -> Scenario {
    let text = r#"
        duration_s = 1.7
        [vessel]
        path = [[0.0, 0.0], [1.0, 0.2], [2.0, 1.0]]
        [vessel.sea]
        significant_height_m = 0.3
        [vessel.tide]
        rise_m_per_h = 1.0
        [lidar]
        preset = "16"
        columns = 128
        divergence_mrad = 3.0
        dual_return = true
        water_ghosts = true
        wind_m_per_s = 3.0
        spray = 0.02
        rain_mm_per_h = 10.0
        ring_bias_m = 0.01
        column_dropout = 0.05
        [sonar]
        beams = 1
        range_m = 4.0
        rate_hz = 0.5
        [nav]
        heading_drift_deg_per_h = 10.0
        [nav.imu]
        [nav.gnss]
        rate_hz = 10.0
        [[nav.outage]]
        from_s = 0.55
        to_s = 0.95
    "#;
    Scenario::from_toml(text).unwrap()
}

fn all(scenario: Scenario, threads: usize) -> Vec<Measurement> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let world = World::new(scenario).unwrap();
    pool.install(|| world.measurements().collect())
}

#[test]
fn one_thread_and_eight_make_the_same_measurements() {
    let one = all(scenario(), 1);
    assert_eq!(one, all(scenario(), 8));
    assert!(one.windows(2).all(|pair| pair[0].order() < pair[1].order()));
    for (sensor, count) in [(3, 14), (4, 171)] {
        let seqs: Vec<u64> = one
            .iter()
            .filter(|m| m.sensor.0 == sensor)
            .map(|m| m.seq)
            .collect();
        // 18 epochs less four without satellites; a receiver that is silent has lost nothing.
        assert_eq!(seqs, (0..count).collect::<Vec<u64>>(), "sensor {sensor}");
    }
}

/// Position from the antenna and the poses agree within what both state.
#[test]
fn the_receiver_and_the_poses_tell_of_one_vessel() {
    let world = World::new(scenario()).unwrap();
    let origin = world.rig().origin.clone().unwrap();
    let arm = world.rig().sensors[3].body_from_sensor().translation();
    let mut fixes = 0;
    for measurement in world.measurements() {
        let Payload::Gnss(fix) = &measurement.payload else {
            continue;
        };
        fixes += 1;
        let pose = world.pose_at(measurement.stamp);
        let antenna = pose.translation() + pose.rotation() * arm;
        let found = origin.world_from_body(&fix.place, pose.rotation()).translation();
        let error = found - antenna;
        assert!(error.norm() < 0.1, "{error}");
        let sigma = fix.covariance_m2.unwrap()[(0, 0)].sqrt();
        assert!((sigma - 0.01).abs() < 1e-12);
    }
    assert_eq!(fixes, 14);
}
