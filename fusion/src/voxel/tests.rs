//! The map against a k-d tree, and what it forgets.

use super::*;
use crate::table::spread_bits;

/// A small counter-based generator for test input: uniform in [0, 1).
fn uniform(counter: u64) -> f64 {
    (spread_bits(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 11) as f64 / (1u64 << 53) as f64
}

fn scattered(count: u64, seed: u64, half_width_m: f64, centre: Vector3<f64>) -> Vec<Vector3<f64>> {
    (0..count)
        .map(|i| {
            let at = |axis: u64| (uniform(seed + i * 3 + axis) * 2.0 - 1.0) * half_width_m;
            centre + Vector3::new(at(0), at(1), at(2))
        })
        .collect()
}

fn nearest<'a>(map: &'a VoxelMap, query: &Vector3<f64>, reach_m: f32) -> Option<Partner<'a>> {
    let (voxel, inside) = map.normalized(&map.anchor(query));
    let found = map.find_nearest(voxel, inside, reach_m);
    map.partner(&found, voxel, inside, reach_m * reach_m)
}

/// Against kiddo's k-d tree over the points the map really kept, near and far from the origin.
#[test]
fn the_nearest_point_is_the_one_a_k_d_tree_finds() {
    for centre in [Vector3::zeros(), Vector3::new(123_456.0, -98_765.0, 40.0)] {
        let mut map = VoxelMap::new(0.8);
        for point in scattered(6_000, 1, 6.0, centre) {
            let place = map.anchor(&point);
            map.insert(&place);
        }
        let mut kept: Vec<[f64; 3]> = Vec::new();
        for (place, _) in map.points() {
            kept.push((place - centre).into());
        }
        let tree = kiddo::ImmutableKdTree::<f64, 3>::new_from_slice(&kept).unwrap();
        for query in scattered(2_000, 900_000, 7.0, centre) {
            let local = query - centre;
            let oracle = tree
                .query(&[local.x, local.y, local.z])
                .nearest_one::<kiddo::SquaredEuclidean<f64>>()
                .execute()
                .distance
                .sqrt();
            match nearest(&map, &query, 0.8) {
                Some(hit) => {
                    let found = f64::from(Vector3::from(hit.from_point).norm());
                    assert!((found - oracle).abs() < 1e-4);
                }
                None => assert!(oracle > 0.8 - 1e-4, "missed a point {oracle} m away"),
            }
        }
    }
}

/// Places in the map, beside it, blocks away from anything, and beyond all voxels.
#[test]
fn many_at_once_find_what_each_finds_alone() {
    let mut map = VoxelMap::new(0.8);
    for point in scattered(3_000, 11, 5.0, Vector3::zeros()) {
        let place = map.anchor(&point);
        map.insert(&place);
    }
    let mut places: Vec<[f32; 3]> = scattered(6_000, 40_000, 8.0, Vector3::zeros())
        .iter()
        .chain(&scattered(50, 80_000, 5e4, Vector3::zeros()))
        .map(|place| place.cast::<f32>().into())
        .collect();
    places.extend([[1e30, -1e30, 3.0], [f32::MAX; 3], [f32::NAN, 0.0, 0.0]]);
    let mut answers = vec![None; places.len()];
    map.find_all(&places, 0.7, |number, found| {
        assert_eq!(answers[number].replace(found), None, "one answer to each");
    });
    let mut met = 0;
    for (place, answer) in places.iter().zip(answers) {
        let (voxel, inside) = map.normalized(&Anchored {
            voxel: [0; 3],
            offset: *place,
        });
        let alone = map.find_nearest(voxel, inside, 0.7).point();
        assert_eq!(answer.unwrap().point(), alone, "{place:?}");
        met += usize::from(alone.is_some());
    }
    assert!((1_000..5_000).contains(&met), "{met}");
}

#[test]
fn what_is_far_is_forgotten_and_the_rest_still_found() {
    let mut map = VoxelMap::new(1.0);
    for point in scattered(4_000, 5, 30.0, Vector3::zeros()) {
        let place = map.anchor(&point);
        map.insert(&place);
    }
    let before = map.voxels();
    let centre = map.anchor(&Vector3::new(20.0, 0.0, 0.0));
    map.keep_within(&centre, 15.0);
    assert!(map.voxels() < before / 2 && map.voxels() > 0);
    assert!(nearest(&map, &Vector3::new(-20.0, 0.0, 0.0), 1.0).is_none());
    let cells = map.capacity();
    for point in scattered(500, 5, 5.0, Vector3::new(20.0, 0.0, 0.0)) {
        let place = map.anchor(&point);
        map.insert(&place);
        assert!(nearest(&map, &point, 1.0).is_some());
    }
    assert_eq!(map.capacity(), cells, "freed cells are used again");
}

#[test]
fn a_voxel_of_a_wall_knows_its_normal() {
    let mut map = VoxelMap::new(1.0);
    let normal = Vector3::new(1.0, 0.2, 0.1).normalize();
    let (side, up) = (
        Vector3::new(-0.2, 1.0, 0.0).normalize(),
        Vector3::new(0.0, -0.1, 1.0),
    );
    for i in 0..400u64 {
        let (u, v) = (uniform(i * 2) * 0.8 - 0.4, uniform(i * 2 + 1) * 0.8 - 0.4);
        let up = (up - normal * up.dot(&normal)).normalize();
        let point = Vector3::new(10.5, 4.5, 2.5) + side * u * 0.9 + up * v * 0.9;
        let place = map.anchor(&point);
        map.insert(&place);
    }
    map.fit_planes();
    let hit = nearest(&map, &Vector3::new(10.5, 4.5, 2.5), 1.0).unwrap();
    let found = Vector3::from(hit.plane.normal).cast::<f64>();
    assert!(found.dot(&normal).abs() > 0.9999, "{found}");
    assert!(hit.plane.flat > 0.95);
}

/// As long as a place has moved less than the slack, another search finds the same point, or none
/// within reach.
#[test]
fn within_its_slack_a_place_keeps_its_partner() {
    let mut map = VoxelMap::new(1.0);
    for point in scattered(3_000, 3, 6.0, Vector3::zeros()) {
        let place = map.anchor(&point);
        map.insert(&place);
    }
    let (radius_m, reach_m) = (1.0, 0.6);
    let (mut kept, mut changed) = (0, 0);
    for (i, query) in scattered(4_000, 77_000, 8.0, Vector3::zeros()).iter().enumerate() {
        let (voxel, inside) = map.normalized(&map.anchor(query));
        let before = map.find_nearest(voxel, inside, radius_m);
        let slack = f64::from(before.slack_m(reach_m));
        let way = scattered(1, 500_000 + 3 * i as u64, 1.0, Vector3::zeros())[0].normalize();
        for part in [0.5, 0.99, 1.5, 3.0] {
            let moved = query + way * slack.max(0.0) * part;
            let (voxel, inside) = map.normalized(&map.anchor(&moved));
            let after = map.find_nearest(voxel, inside, radius_m);
            let reach2 = reach_m * reach_m;
            let old = map.partner(&before, voxel, inside, reach2).map(|p| p.from_point);
            let new = map.partner(&after, voxel, inside, reach2).map(|p| p.from_point);
            if part < 1.0 {
                assert_eq!(old, new, "moved {part} of {slack} m");
                kept += usize::from(slack > 0.0);
            } else {
                changed += usize::from(old != new);
            }
        }
    }
    assert!(kept > 4_000 && changed > 100, "{kept} kept, {changed} changed");
}

#[test]
fn many_points_at_once_make_the_map_one_by_one_makes() {
    let points = scattered(5_000, 9, 10.0, Vector3::zeros());
    let mut one = VoxelMap::new(1.0);
    for point in &points {
        let place = one.anchor(point);
        one.insert(&place);
    }
    one.fit_planes();
    for threads in [1, 2, 8] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let mut all = VoxelMap::new(1.0);
        let places: Vec<Anchored> = points.iter().map(|point| all.anchor(point)).collect();
        pool.install(|| {
            all.insert_all(&places);
            all.fit_planes();
        });
        assert!(one.points().eq(all.points()), "{threads} threads");
    }
}
