//! A tree of boxes, so that a ray or a point asks a few surfaces instead of all.

use nalgebra::Vector3;

use super::bounds::Bounds;
use super::shape::{Hit, Shape};

/// Shapes per leaf.
const LEAF: usize = 3;

/// Bounding volume hierarchy over shapes, split at the median of the longest side.
#[derive(Clone, Debug)]
pub(crate) struct Bvh {
    nodes: Vec<Node>,
    order: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    bounds: Bounds,
    /// Leaf: first place in `order`. Else: the second child; the first one follows the node.
    start: u32,
    /// Leaf: number of shapes. Else zero.
    count: u32,
}

impl Bvh {
    pub(crate) fn new(shapes: &[Shape]) -> Self {
        let bounds: Vec<Bounds> = shapes.iter().map(Shape::bounds).collect();
        let mut tree = Self {
            nodes: Vec::with_capacity(shapes.len().max(1)),
            order: (0..shapes.len() as u32).collect(),
        };
        tree.split(&bounds, 0, shapes.len());
        tree
    }

    fn split(&mut self, bounds: &[Bounds], start: usize, end: usize) {
        let part = &mut self.order[start..end];
        let whole = part
            .iter()
            .fold(Bounds::empty(), |whole, &i| whole.with(&bounds[i as usize]));
        let place = self.nodes.len();
        self.nodes.push(Node {
            bounds: whole,
            start: start as u32,
            count: (end - start) as u32,
        });
        if end - start <= LEAF {
            return;
        }
        let axis = (whole.high - whole.low).imax();
        let centre = |i: u32| bounds[i as usize].low[axis] + bounds[i as usize].high[axis];
        part.sort_by(|&a, &b| centre(a).total_cmp(&centre(b)).then(a.cmp(&b)));
        let middle = start + (end - start) / 2;
        self.split(bounds, start, middle);
        let second = self.nodes.len() as u32;
        self.split(bounds, middle, end);
        self.nodes[place].start = second;
        self.nodes[place].count = 0;
    }

    /// The first hit of a ray between `near` and `far`, with the shape's index.
    pub(crate) fn first_hit(
        &self,
        shapes: &[Shape],
        origin: &Vector3<f64>,
        direction: &Vector3<f64>,
        near: f64,
        far: f64,
    ) -> Option<(u32, Hit)> {
        let mut best: Option<(u32, Hit)> = None;
        let inverse = direction.map(|d| 1.0 / d);
        let mut stack = Stack::new();
        while let Some(place) = stack.pop() {
            let node = self.nodes[place as usize];
            let limit = best.map_or(far, |(_, hit)| hit.distance);
            if node.bounds.entry(origin, &inverse, limit).is_none() {
                continue;
            }
            if node.count == 0 {
                stack.push(node.start);
                stack.push(place + 1);
                continue;
            }
            for &i in self.leaf(&node) {
                let limit = best.map_or(far, |(_, hit)| hit.distance);
                if let Some(hit) = shapes[i as usize].hit(origin, direction, near, limit) {
                    best = Some((i, hit));
                }
            }
        }
        best
    }

    /// Whether anything stands between two fractions of the way from `origin` along `direction`.
    pub(crate) fn any_hit(
        &self,
        shapes: &[Shape],
        origin: &Vector3<f64>,
        direction: &Vector3<f64>,
        near: f64,
        far: f64,
    ) -> bool {
        let inverse = direction.map(|d| 1.0 / d);
        let mut stack = Stack::new();
        while let Some(place) = stack.pop() {
            let node = self.nodes[place as usize];
            if node.bounds.entry(origin, &inverse, far).is_none() {
                continue;
            }
            if node.count == 0 {
                stack.push(node.start);
                stack.push(place + 1);
            } else if self
                .leaf(&node)
                .iter()
                .any(|&i| shapes[i as usize].hit(origin, direction, near, far).is_some())
            {
                return true;
            }
        }
        false
    }

    /// The shape nearest to a point and its nearest point, if any lies within `reach`.
    pub(crate) fn nearest(
        &self,
        shapes: &[Shape],
        point: &Vector3<f64>,
        reach: f64,
    ) -> Option<(u32, Vector3<f64>)> {
        let mut best = None;
        let mut limit = reach * reach;
        let mut stack = Stack::new();
        while let Some(place) = stack.pop() {
            let node = self.nodes[place as usize];
            if node.bounds.distance_squared(point) > limit {
                continue;
            }
            if node.count == 0 {
                stack.push(node.start);
                stack.push(place + 1);
                continue;
            }
            for &i in self.leaf(&node) {
                let near = shapes[i as usize].nearest(point);
                let distance = (near - point).norm_squared();
                if distance < limit {
                    limit = distance;
                    best = Some((i, near));
                }
            }
        }
        best
    }

    /// Calls `meet` with each shape whose leaf touches a box.
    pub(crate) fn each_in(&self, bounds: &Bounds, mut meet: impl FnMut(u32)) {
        let mut stack = Stack::new();
        while let Some(place) = stack.pop() {
            let node = self.nodes[place as usize];
            if !node.bounds.meets(bounds) {
                continue;
            }
            if node.count == 0 {
                stack.push(node.start);
                stack.push(place + 1);
                continue;
            }
            for &i in self.leaf(&node) {
                meet(i);
            }
        }
    }

    fn leaf(&self, node: &Node) -> &[u32] {
        &self.order[node.start as usize..(node.start + node.count) as usize]
    }
}

/// Nodes still to be visited; a balanced tree of 2³² shapes needs no more.
struct Stack {
    places: [u32; 64],
    depth: usize,
}

impl Stack {
    fn new() -> Self {
        Self {
            places: [0; 64],
            depth: 1,
        }
    }

    fn push(&mut self, place: u32) {
        self.places[self.depth] = place;
        self.depth += 1;
    }

    fn pop(&mut self) -> Option<u32> {
        self.depth = self.depth.checked_sub(1)?;
        Some(self.places[self.depth])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Dice, Source};

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    fn unit(dice: &Dice, draw: u64) -> Vector3<f64> {
        Vector3::new(dice.normal(draw), dice.normal(draw + 1), dice.normal(draw + 2)).normalize()
    }

    /// Shapes of every sort, some of them alike and some in one another.
    fn some_shapes(seed: u64, count: u64) -> Vec<Shape> {
        let shape = |i| {
            let dice = Dice::new(seed, Source::Swell, i, 0);
            let place = Vector3::new(dice.normal(0), dice.normal(1), dice.normal(2)) * 5.0;
            let axis = unit(&dice, 3);
            let radius = dice.uniform(10);
            match i % 5 {
                0 => Shape::Cylinder {
                    base: place,
                    axis,
                    length: 2.0 * dice.uniform(9),
                    radius,
                },
                1 => Shape::Rectangle {
                    corner: place,
                    first: axis,
                    second: axis.cross(&unit(&dice, 6)).normalize(),
                    size: [3.0 * dice.uniform(9), 3.0 * radius],
                },
                2 => Shape::Disc {
                    centre: place,
                    normal: axis,
                    radius,
                },
                3 => Shape::Sphere {
                    centre: place,
                    radius,
                },
                _ => Shape::Triangle {
                    a: place,
                    b: place + axis * 2.0,
                    c: place + unit(&dice, 6),
                },
            }
        };
        (0..count).map(shape).collect()
    }

    /// Against asking every shape. Says whether the ray met any.
    fn check(shapes: &[Shape], tree: &Bvh, origin: &Vector3<f64>, direction: &Vector3<f64>) -> bool {
        let plain = shapes
            .iter()
            .enumerate()
            .filter_map(|(i, shape)| Some((i as u32, shape.hit(origin, direction, 0.0, 40.0)?)))
            .min_by(|a, b| a.1.distance.total_cmp(&b.1.distance));
        let found = tree.first_hit(shapes, origin, direction, 0.0, 40.0);
        assert_eq!(found.map(|hit| hit.1.distance), plain.map(|hit| hit.1.distance));
        assert_eq!(found.map(|hit| hit.0), plain.map(|hit| hit.0));
        assert_eq!(
            tree.any_hit(shapes, origin, direction, 0.0, 40.0),
            plain.is_some()
        );

        let distance = |shape: &Shape| (shape.nearest(origin) - origin).norm();
        let nearest = shapes.iter().map(distance).fold(f64::INFINITY, f64::min);
        let (_, near) = tree.nearest(shapes, origin, 100.0).unwrap();
        assert!(((near - origin).norm() - nearest).abs() < 1e-12);
        assert_eq!(tree.nearest(shapes, origin, nearest * 0.999), None);
        plain.is_some()
    }

    #[test]
    fn the_tree_answers_as_all_shapes_together() {
        let shapes = some_shapes(5, 60);
        let tree = Bvh::new(&shapes);
        let mut hits = 0;
        for ray in 0..2_000 {
            let dice = Dice::new(6, Source::Swell, ray, 0);
            let origin = unit(&dice, 0) * 12.0;
            let direction = unit(&dice, 3) - origin * 0.1;
            hits += u32::from(check(&shapes, &tree, &origin, &direction));
        }
        assert!(hits > 200, "only {hits} rays met anything");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_tree_answers_as_all_its_shapes(
            seed in 0u64..1_000_000,
            count in 1u64..90,
            origin in prop::array::uniform3(-14.0f64..14.0),
            towards in prop::array::uniform3(-6.0f64..6.0),
        ) {
            let shapes = some_shapes(seed, count);
            let tree = Bvh::new(&shapes);
            let origin = Vector3::from(origin);
            check(&shapes, &tree, &origin, &(Vector3::from(towards) - origin));
            let mut met = Vec::new();
            tree.each_in(&shapes[0].bounds(), |i| met.push(i));
            for (i, shape) in shapes.iter().enumerate() {
                prop_assert!(met.contains(&(i as u32)) || !shape.bounds().meets(&shapes[0].bounds()));
            }
        }
    }
}
