//! What a stretch of the survey saw: thinned points with normals, in the axes of the body where the
//! stretch began, and a coarse picture of them that tells unlike places apart.

use beluga_types::elementary::{Squared, hypot};
use kiddo::{ImmutableKdTree, SquaredEuclidean};
use nalgebra::{Matrix3, Vector3};

/// Points kept at most.
const MAX_POINTS: usize = 8192;
/// Points a normal is fitted to.
const NEIGHBOURS: usize = 12;
/// Farthest of them, in edges of a cube.
const REACH_CUBES: f64 = 3.0;
/// A surface is flat if its least spread is at most this part of the middle one.
const FLAT: f64 = 0.1;
/// And if its middle spread is at least this part of the largest: a single ring of a lidar on a wall
/// is a line, and knows nothing of the wall's slope.
const BROAD: f64 = 0.05;
/// Steps of the picture: metres of height and of distance, and how many of each.
const STEP_M: [f64; 2] = [2.0, 6.0];
const STEPS: [usize; 2] = [8, 10];

/// A stretch of the survey as a cloud: 18 bytes a point, since a long survey keeps thousands of them.
#[derive(Clone, Debug)]
pub struct LocalMap {
    points: Box<[[f32; 3]]>,
    /// Parts of one in [`ONE`]s; zero where the surface is not flat.
    normals: Box<[[i16; 3]]>,
    picture: Box<[f64]>,
}

/// A normal's length as it is kept: rounding turns it by 4e-5 rad at most.
const ONE: f64 = i16::MAX as f64;

impl LocalMap {
    /// Of points in metres from the body, one kept per cube of this edge, and 8192 at most, chosen
    /// evenly.
    pub fn of(points: &[[f32; 3]], cube_m: f64) -> Self {
        let indices = first_per_cube(points, cube_m);
        let step = indices.len().div_ceil(MAX_POINTS).max(1);
        let edge_m = cube_m * (step as f64).sqrt();
        let points: Box<[[f32; 3]]> = indices
            .into_iter()
            .step_by(step)
            .map(|index| points[index])
            .collect();
        let kept: Vec<[f64; 3]> = points.iter().map(|point| point.map(f64::from)).collect();
        let tree = ImmutableKdTree::<f64, 3>::new_from_slice(&kept).ok();
        let normal = |point| {
            let normal = tree
                .as_ref()
                .map_or_else(Vector3::zeros, |tree| normal(point, &kept, tree, edge_m));
            <[f64; 3]>::from(normal).map(|part| (part * ONE).round() as i16)
        };
        Self {
            picture: picture(&kept).into(),
            normals: kept.iter().map(normal).collect(),
            points,
        }
    }

    /// The points, in metres.
    pub(super) fn places(&self) -> Vec<[f64; 3]> {
        self.points.iter().map(|point| point.map(f64::from)).collect()
    }

    /// The unit normal at a point; nothing where the surface is not flat, or there is no such point.
    pub(super) fn normal(&self, index: usize) -> Option<Vector3<f64>> {
        let normal = Vector3::from(self.normals.get(index)?.map(|part| f64::from(part) / ONE));
        normal.try_normalize(0.5)
    }

    /// Points kept.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// How alike two places look from their middle, 0 to 1: the common part of the shares of points
    /// by height and distance. A turn changes nothing.
    pub fn likeness(&self, other: &Self) -> f64 {
        self.picture
            .iter()
            .zip(&other.picture)
            .map(|(a, b)| a.min(*b))
            .sum()
    }
}

/// The first point of each cube, in order of the cubes.
pub(super) fn first_per_cube(points: &[[f32; 3]], cube_m: f64) -> Vec<usize> {
    /// Cubes to each side, so that three numbers fit into 63 bits.
    const REACH: f64 = 1_048_576.0;
    let mut keyed: Vec<(u64, u32)> = Vec::with_capacity(points.len());
    for (index, point) in points.iter().enumerate() {
        let cell = point.map(|value| (f64::from(value) / cube_m).floor() + REACH);
        if cell.iter().all(|value| (0.0..2.0 * REACH).contains(value)) {
            let [x, y, z] = cell.map(|value| value as u64);
            keyed.push((x << 42 | y << 21 | z, index as u32));
        }
    }
    keyed.sort_unstable();
    keyed.dedup_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, index)| index as usize).collect()
}

/// The normal of the surface at a point, or zero.
fn normal(
    point: &[f64; 3],
    points: &[[f64; 3]],
    tree: &ImmutableKdTree<f64, 3>,
    edge_m: f64,
) -> Vector3<f64> {
    let Some(count) = std::num::NonZero::new(NEIGHBOURS) else {
        return Vector3::zeros();
    };
    let near: Vec<Vector3<f64>> = tree
        .query(point)
        .nearest_n::<SquaredEuclidean<f64>>(count)
        .execute()
        .into_iter()
        .filter(|near| near.distance < (REACH_CUBES * edge_m).squared())
        .filter_map(|near| points.get(near.item as usize))
        .map(|near| Vector3::from(*near))
        .collect();
    if near.len() < 6 {
        return Vector3::zeros();
    }
    let mean = near.iter().sum::<Vector3<f64>>() / near.len() as f64;
    let spread: Matrix3<f64> = near.iter().map(|p| (p - mean) * (p - mean).transpose()).sum();
    let eigen = spread.symmetric_eigen();
    let mut order = [0, 1, 2];
    order.sort_by(|&a, &b| eigen.eigenvalues[a].total_cmp(&eigen.eigenvalues[b]));
    let [least, middle, most] = order.map(|axis| eigen.eigenvalues[axis]);
    if least > FLAT * middle || middle < BROAD * most {
        return Vector3::zeros();
    }
    eigen.eigenvectors.column(order[0]).into_owned()
}

fn picture(points: &[[f64; 3]]) -> Vec<f64> {
    let mut shares = vec![0.0; STEPS[0] * STEPS[1]];
    for [x, y, z] in points {
        let height = (z / STEP_M[0] + STEPS[0] as f64 / 2.0).max(0.0) as usize;
        let distance = (hypot(*x, *y) / STEP_M[1]) as usize;
        let cell = height.min(STEPS[0] - 1) * STEPS[1] + distance.min(STEPS[1] - 1);
        shares[cell] += 1.0 / points.len() as f64;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall() -> Vec<[f32; 3]> {
        (0..80)
            .flat_map(|i| (0..20).map(move |k| [0.2 * i as f32 - 8.0, 5.0, 0.2 * k as f32]))
            .collect()
    }

    #[test]
    fn a_wall_has_its_normal_and_one_point_per_cube() {
        let map = LocalMap::of(&wall(), 0.4);
        assert!((380..=460).contains(&map.len()), "{}", map.len());
        let upright = (0..map.len())
            .filter(|&i| map.normal(i).unwrap().y.abs() > 0.999)
            .count();
        assert_eq!(upright, map.len());
    }

    #[test]
    fn a_turned_place_looks_alike_and_another_does_not() {
        let map = LocalMap::of(&wall(), 0.4);
        let turned: Vec<[f32; 3]> = wall().iter().map(|[x, y, z]| [-y, *x, *z]).collect();
        assert!(map.likeness(&LocalMap::of(&turned, 0.4)) > 0.9);
        let far: Vec<[f32; 3]> = wall().iter().map(|[x, y, z]| [*x, y + 30.0, z + 6.0]).collect();
        assert!(map.likeness(&LocalMap::of(&far, 0.4)) < 0.1);
        assert!(LocalMap::of(&[], 0.4).is_empty());
        let strange = [[f32::NAN, 0.0, 0.0], [1e30, 0.0, 0.0]];
        assert!(LocalMap::of(&strange, 0.4).is_empty());
    }
}
