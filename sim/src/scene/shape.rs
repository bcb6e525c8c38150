//! The shapes a scene is made of: where a ray meets them, and the nearest point on them.

use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

/// A piece of surface, in `Quay` coordinates and metres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "lowercase", deny_unknown_fields)]
pub enum Shape {
    /// A flat rectangle; its outward normal is `second × first`.
    Rectangle {
        /// One corner.
        #[serde(with = "xyz")]
        corner: Vector3<f64>,
        /// Unit vector along the first edge.
        #[serde(with = "xyz")]
        first: Vector3<f64>,
        /// Unit vector along the second edge, across the first.
        #[serde(with = "xyz")]
        second: Vector3<f64>,
        /// Lengths of the two edges.
        size: [f64; 2],
    },
    /// The mantle of a round cylinder; its normal points away from the axis. The ends are open.
    Cylinder {
        /// One end of the axis.
        #[serde(with = "xyz")]
        base: Vector3<f64>,
        /// Unit vector along the axis.
        #[serde(with = "xyz")]
        axis: Vector3<f64>,
        /// Length of the axis.
        length: f64,
        /// Radius.
        radius: f64,
    },
}

/// Where a ray meets a shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hit {
    /// Distance along the ray, in units of its direction.
    pub(crate) distance: f64,
    /// Outward unit normal there.
    pub(crate) normal: Vector3<f64>,
}

/// Smallest box along the axes around something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) low: Vector3<f64>,
    pub(crate) high: Vector3<f64>,
}

impl Shape {
    /// The outward unit normal at a point on the surface.
    pub(crate) fn normal_at(&self, point: &Vector3<f64>) -> Vector3<f64> {
        match self {
            Shape::Rectangle { first, second, .. } => second.cross(first),
            Shape::Cylinder { base, axis, .. } => {
                let arm = point - base;
                (arm - axis * arm.dot(axis))
                    .try_normalize(1e-12)
                    .unwrap_or_else(|| perpendicular(axis))
            }
        }
    }

    /// Where the ray first meets the surface at a distance between `near` and `far`.
    pub(crate) fn hit(
        &self,
        origin: &Vector3<f64>,
        direction: &Vector3<f64>,
        near: f64,
        far: f64,
    ) -> Option<Hit> {
        match self {
            Shape::Rectangle {
                corner,
                first,
                second,
                size,
            } => {
                let normal = second.cross(first);
                let distance = (corner - origin).dot(&normal) / direction.dot(&normal);
                if !(distance > near && distance < far) {
                    return None;
                }
                let arm = origin + direction * distance - corner;
                let (u, v) = (arm.dot(first), arm.dot(second));
                (u >= 0.0 && u <= size[0] && v >= 0.0 && v <= size[1]).then_some(Hit { distance, normal })
            }
            Shape::Cylinder {
                base,
                axis,
                length,
                radius,
            } => {
                let across = direction - axis * direction.dot(axis);
                let arm = origin - base;
                let arm_across = arm - axis * arm.dot(axis);
                let a = across.norm_squared();
                let b = arm_across.dot(&across);
                let c = arm_across.norm_squared() - radius * radius;
                let discriminant = b * b - a * c;
                if a < 1e-18 || discriminant < 0.0 {
                    return None;
                }
                let root = discriminant.sqrt();
                [(-b - root) / a, (-b + root) / a]
                    .into_iter()
                    .find_map(|distance| {
                        if !(distance > near && distance < far) {
                            return None;
                        }
                        let along = (arm + direction * distance).dot(axis);
                        (along >= 0.0 && along <= *length).then(|| Hit {
                            distance,
                            normal: (arm_across + across * distance) / *radius,
                        })
                    })
            }
        }
    }

    /// The point of the surface nearest to `point`.
    pub(crate) fn nearest(&self, point: &Vector3<f64>) -> Vector3<f64> {
        match self {
            Shape::Rectangle {
                corner,
                first,
                second,
                size,
            } => {
                let arm = point - corner;
                corner
                    + first * arm.dot(first).clamp(0.0, size[0])
                    + second * arm.dot(second).clamp(0.0, size[1])
            }
            Shape::Cylinder {
                base,
                axis,
                length,
                radius,
            } => {
                let along = (point - base).dot(axis).clamp(0.0, *length);
                base + axis * along + self.normal_at(point) * *radius
            }
        }
    }

    pub(crate) fn bounds(&self) -> Bounds {
        match self {
            Shape::Rectangle {
                corner,
                first,
                second,
                size,
            } => {
                let (u, v) = (first * size[0], second * size[1]);
                Bounds::around([*corner, corner + u, corner + v, corner + u + v])
            }
            Shape::Cylinder {
                base,
                axis,
                length,
                radius,
            } => {
                let reach = axis.map(|a| radius * (1.0 - a * a).max(0.0).sqrt());
                let end = base + axis * *length;
                Bounds::around([base - reach, base + reach, end - reach, end + reach])
            }
        }
    }
}

impl Bounds {
    pub(crate) fn around<const N: usize>(points: [Vector3<f64>; N]) -> Self {
        points.into_iter().fold(Self::empty(), |bounds, point| Self {
            low: bounds.low.inf(&point),
            high: bounds.high.sup(&point),
        })
    }

    pub(crate) fn empty() -> Self {
        Self {
            low: Vector3::repeat(f64::INFINITY),
            high: Vector3::repeat(f64::NEG_INFINITY),
        }
    }

    pub(crate) fn with(&self, other: &Self) -> Self {
        Self {
            low: self.low.inf(&other.low),
            high: self.high.sup(&other.high),
        }
    }

    /// Distance at which a ray enters the box, if it does before `far`.
    pub(crate) fn entry(
        &self,
        origin: &Vector3<f64>,
        inverse_direction: &Vector3<f64>,
        far: f64,
    ) -> Option<f64> {
        let (mut enter, mut leave) = (0.0f64, far);
        for axis in 0..3 {
            let one = (self.low[axis] - origin[axis]) * inverse_direction[axis];
            let two = (self.high[axis] - origin[axis]) * inverse_direction[axis];
            enter = enter.max(one.min(two));
            leave = leave.min(one.max(two));
        }
        (enter <= leave).then_some(enter)
    }

    /// Square of the distance from a point to the box; zero inside.
    pub(crate) fn distance_squared(&self, point: &Vector3<f64>) -> f64 {
        (point - point.sup(&self.low).inf(&self.high)).norm_squared()
    }
}

/// Some unit vector across `axis`.
pub(crate) fn perpendicular(axis: &Vector3<f64>) -> Vector3<f64> {
    let other = if axis.x.abs() < 0.9 {
        Vector3::x()
    } else {
        Vector3::y()
    };
    axis.cross(&other).normalize()
}

/// A vector as `[x, y, z]` in files.
mod xyz {
    use nalgebra::Vector3;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(vector: &Vector3<f64>, to: S) -> Result<S::Ok, S::Error> {
        [vector.x, vector.y, vector.z].serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vector3<f64>, D::Error> {
        <[f64; 3]>::deserialize(from).map(Vector3::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor() -> Shape {
        Shape::Rectangle {
            corner: Vector3::new(-1.0, -2.0, -5.0),
            first: Vector3::y(),
            second: Vector3::x(),
            size: [4.0, 2.0],
        }
    }

    fn mast() -> Shape {
        Shape::Cylinder {
            base: Vector3::new(3.0, 0.0, 0.0),
            axis: Vector3::z(),
            length: 2.0,
            radius: 0.5,
        }
    }

    #[test]
    fn a_ray_straight_down_meets_the_floor() {
        let hit = floor()
            .hit(&Vector3::zeros(), &-Vector3::z(), 0.0, 100.0)
            .unwrap();
        assert_eq!(hit.distance, 5.0);
        assert_eq!(hit.normal, Vector3::z());
        assert!(
            floor()
                .hit(&Vector3::new(1.1, 0.0, 0.0), &-Vector3::z(), 0.0, 100.0)
                .is_none()
        );
        assert!(floor().hit(&Vector3::zeros(), &-Vector3::z(), 0.0, 4.9).is_none());
    }

    #[test]
    fn a_ray_meets_the_near_side_of_the_mast() {
        let origin = Vector3::new(0.0, 0.0, 1.0);
        let hit = mast().hit(&origin, &Vector3::x(), 0.0, 100.0).unwrap();
        assert!((hit.distance - 2.5).abs() < 1e-12 && (hit.normal + Vector3::x()).norm() < 1e-12);
        let above = Vector3::new(0.0, 0.0, 2.1);
        assert!(mast().hit(&above, &Vector3::x(), 0.0, 100.0).is_none());
    }

    #[test]
    fn the_nearest_point_is_clamped_to_the_shape() {
        let near = floor().nearest(&Vector3::new(9.0, 0.0, -4.0));
        assert_eq!(near, Vector3::new(1.0, 0.0, -5.0));
        let near = mast().nearest(&Vector3::new(3.0, 4.0, 5.0));
        assert!((near - Vector3::new(3.0, 0.5, 2.0)).norm() < 1e-12);
    }

    #[test]
    fn bounds_hold_every_nearest_point() {
        for shape in [floor(), mast()] {
            let bounds = shape.bounds();
            for i in 0..50 {
                let t = f64::from(i);
                let point = Vector3::new(5.0 * t.sin(), 5.0 * (1.7 * t).cos(), 4.0 * (0.3 * t).sin());
                assert!(bounds.distance_squared(&shape.nearest(&point)) < 1e-18);
            }
        }
    }
}
