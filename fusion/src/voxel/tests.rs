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
        for cell in &map.cells {
            for lane in 0..cell.count as usize {
                let local = [cell.x[lane], cell.y[lane], cell.z[lane]];
                kept.push([0, 1, 2].map(|axis| {
                    f64::from(cell.voxel[axis]) * f64::from(map.size_m) + f64::from(local[axis])
                        - centre[axis]
                }));
            }
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
            let found = map.nearest(&map.anchor(&query), 0.8);
            match found {
                Some(hit) => {
                    let found = f64::from(Vector3::from(hit.from_point).norm());
                    assert!((found - oracle).abs() < 1e-4);
                }
                None => assert!(oracle > 0.8 - 1e-4, "missed a point {oracle} m away"),
            }
        }
    }
}

#[test]
fn what_is_far_is_forgotten_and_the_rest_still_found() {
    let mut map = VoxelMap::new(1.0);
    for point in scattered(4_000, 5, 30.0, Vector3::zeros()) {
        let place = map.anchor(&point);
        map.insert(&place);
    }
    let before = map.live;
    let centre = map.anchor(&Vector3::new(20.0, 0.0, 0.0));
    map.keep_within(&centre, 15.0);
    assert!(map.live < before / 2 && map.live > 0);
    let far = map.anchor(&Vector3::new(-20.0, 0.0, 0.0));
    assert!(map.nearest(&far, 1.0).is_none());
    let cells = map.cells.len();
    for point in scattered(500, 5, 5.0, Vector3::new(20.0, 0.0, 0.0)) {
        let place = map.anchor(&point);
        map.insert(&place);
        assert!(map.nearest(&place, 1.0).is_some());
    }
    assert_eq!(map.cells.len(), cells, "freed cells are used again");
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
    let hit = map
        .nearest(&map.anchor(&Vector3::new(10.5, 4.5, 2.5)), 1.0)
        .unwrap();
    let found = Vector3::from(hit.plane.normal).cast::<f64>();
    assert!(found.dot(&normal).abs() > 0.9999, "{found}");
    assert!(hit.plane.flat > 0.95);
}
