//! Alignments on a made-up hall: kept partners against searching always, threads, and bad input.

use super::*;
use crate::table::spread_bits;
use nalgebra::{UnitQuaternion, Vector3, Vector6};

fn uniform(counter: u64) -> f64 {
    (spread_bits(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Points on the six faces of a hall and on boxes in it, a centimetre rough, seen from a pose.
fn hall(points: u64, seed: u64, body: &Transform<Map, Body>) -> Columns {
    let mut columns = Columns::default();
    let back = body.inverse();
    for i in 0..points {
        let u = |k: u64| uniform(seed + i * 8 + k);
        let half = if i % 3 == 0 {
            Vector3::new(2.0, 1.5, 1.0)
        } else {
            Vector3::new(14.0, 9.0, 4.0)
        };
        let centre = if i % 3 == 0 {
            Vector3::new(6.0 - 12.0 * (i % 2) as f64, 4.0, -3.0)
        } else {
            Vector3::zeros()
        };
        let mut place = Vector3::from_fn(|axis, _| half[axis] * (2.0 * u(axis as u64) - 1.0));
        let axis = (u(3) * 3.0) as usize % 3;
        place[axis] = half[axis] * if u(4) < 0.5 { -1.0 } else { 1.0 } + 0.02 * (u(5) - 0.5);
        let seen = back.rotation() * (place + centre) + back.translation();
        columns.push([seen.x as f32, seen.y as f32, seen.z as f32]);
    }
    columns
}

fn wide() -> Prior {
    Prior {
        mean: Transform::identity(),
        information: Matrix6::identity(),
    }
}

fn moved() -> Transform<Map, Body> {
    Transform::new(
        UnitQuaternion::from_scaled_axis(Vector3::new(0.01, -0.02, 0.05)),
        Vector3::new(0.4, -0.2, 0.1),
    )
}

fn on_a_map() -> Odometry {
    let mut odometry = Odometry::new(&OdometryConfig::default());
    odometry.insert(&hall(40_000, 1, &Transform::identity()), &Transform::identity());
    odometry
}

#[test]
fn kept_partners_give_the_pose_of_searching_always_to_the_last_bit() {
    let scan = hall(3_000, 900_000, &moved());
    for sigma_m in [2.0, 0.3, 0.1] {
        let mut kept = on_a_map();
        let mut always = on_a_map();
        always.matches.always_search = true;
        for odometry in [&mut kept, &mut always] {
            for _ in 0..60 {
                odometry.gate.learn(sigma_m);
            }
        }
        let mut prior = wide();
        prior.information *= 1e4;
        prior.mean = moved();
        let guess = Transform::identity().perturbed(&Vector6::new(0.0, 0.0, 0.04, 0.3, -0.1, 0.1));
        let one = kept.align(&scan, &guess, &prior).unwrap();
        let other = always.align(&scan, &guess, &prior).unwrap();
        assert_eq!(one.map_from_body, other.map_from_body);
        assert_eq!(one.information, other.information);
        let (kept, always) = (kept.matches.searched(), always.matches.searched());
        assert_eq!(always, 3_000);
        assert!(kept < 300, "{kept} points were searched for in the last step");
    }
}

#[test]
fn a_known_motion_is_found_alike_by_any_number_of_threads() {
    let scan = hall(3_000, 900_000, &moved());
    let mut first = None;
    for threads in [1, 2, 8] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        for _ in 0..2 {
            let found = pool.install(|| {
                let mut odometry = on_a_map();
                odometry
                    .align(&scan, &Transform::identity(), &wide())
                    .unwrap()
                    .map_from_body
            });
            let error = moved().perturbation_to(&found);
            assert!(error.fixed_rows::<3>(3).norm() < 0.004, "{error}");
            assert!(error.fixed_rows::<3>(0).norm() < 5e-4, "{error}");
            assert_eq!(*first.get_or_insert(found), found, "{threads} threads");
        }
    }
}

/// A loss that rises takes the step back: from far off, the end is no worse than the beginning.
#[test]
fn a_guess_far_off_ends_finite_and_not_worse() {
    let scan = hall(3_000, 900_000, &moved());
    for yaw in [0.3, 0.8, 1.6, 3.1] {
        let mut odometry = on_a_map();
        let guess = Transform::identity().perturbed(&Vector6::new(0.0, 0.0, yaw, 2.0, 1.0, 0.0));
        if let Some(found) = odometry.align(&scan, &guess, &wide()) {
            assert!(found.map_from_body.is_finite());
            assert!(found.information.iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn what_cannot_be_laid_on_a_map_is_refused() {
    let scan = hall(3_000, 900_000, &moved());
    let mut empty = Odometry::new(&OdometryConfig::default());
    assert!(empty.align(&scan, &Transform::identity(), &wide()).is_none());
    let mut odometry = on_a_map();
    let nothing = Columns::default();
    assert!(
        odometry
            .align(&nothing, &Transform::identity(), &wide())
            .is_none()
    );
    let far = Transform::new(UnitQuaternion::identity(), Vector3::new(1e3, 0.0, 0.0));
    assert!(odometry.align(&scan, &far, &wide()).is_none());
}
