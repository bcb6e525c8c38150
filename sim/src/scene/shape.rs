//! The shapes a scene is made of: where a ray meets them, and the nearest point on them.

use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use super::bounds::Bounds;
use super::triangle;

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
    /// A flat round disc.
    Disc {
        /// Its middle.
        #[serde(with = "xyz")]
        centre: Vector3<f64>,
        /// Outward unit normal.
        #[serde(with = "xyz")]
        normal: Vector3<f64>,
        /// Radius.
        radius: f64,
    },
    /// A whole sphere; its normal points away from the centre.
    Sphere {
        /// Its middle.
        #[serde(with = "xyz")]
        centre: Vector3<f64>,
        /// Radius.
        radius: f64,
    },
    /// A flat triangle; its corners go counter-clockwise seen from outside.
    Triangle {
        /// First corner.
        #[serde(with = "xyz")]
        a: Vector3<f64>,
        /// Second corner.
        #[serde(with = "xyz")]
        b: Vector3<f64>,
        /// Third corner.
        #[serde(with = "xyz")]
        c: Vector3<f64>,
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
            Shape::Disc { normal, .. } => *normal,
            Shape::Sphere { centre, .. } => (point - centre).try_normalize(1e-12).unwrap_or_else(Vector3::z),
            Shape::Triangle { a, b, c } => triangle::normal(&[*a, *b, *c]),
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
            Shape::Disc {
                centre,
                normal,
                radius,
            } => {
                let distance = (centre - origin).dot(normal) / direction.dot(normal);
                if !(distance > near && distance < far) {
                    return None;
                }
                let arm = origin + direction * distance - centre;
                (arm.norm_squared() <= radius * radius).then_some(Hit {
                    distance,
                    normal: *normal,
                })
            }
            Shape::Sphere { centre, radius } => {
                let arm = origin - centre;
                let a = direction.norm_squared();
                let b = arm.dot(direction);
                let discriminant = b * b - a * (arm.norm_squared() - radius * radius);
                if discriminant < 0.0 {
                    return None;
                }
                let root = discriminant.sqrt();
                [(-b - root) / a, (-b + root) / a]
                    .into_iter()
                    .find(|&distance| distance > near && distance < far)
                    .map(|distance| Hit {
                        distance,
                        normal: (arm + direction * distance) / *radius,
                    })
            }
            Shape::Triangle { a, b, c } => {
                let corners = [*a, *b, *c];
                let distance = triangle::hit(&corners, origin, direction)?;
                (distance > near && distance < far).then(|| Hit {
                    distance,
                    normal: triangle::normal(&corners),
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
            Shape::Disc {
                centre,
                normal,
                radius,
            } => {
                let arm = point - centre;
                let flat = arm - normal * arm.dot(normal);
                centre + flat * (radius / flat.norm().max(*radius))
            }
            Shape::Sphere { centre, radius } => centre + self.normal_at(point) * *radius,
            Shape::Triangle { a, b, c } => triangle::nearest(&[*a, *b, *c], point),
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
            Shape::Disc {
                centre,
                normal,
                radius,
            } => {
                let reach = normal.map(|n| radius * (1.0 - n * n).max(0.0).sqrt());
                Bounds::around([centre - reach, centre + reach])
            }
            Shape::Sphere { centre, radius } => {
                let reach = Vector3::repeat(*radius);
                Bounds::around([centre - reach, centre + reach])
            }
            Shape::Triangle { a, b, c } => Bounds::around([*a, *b, *c]),
        }
    }

    /// Whether rays and points can be asked about the shape: finite places, unit axes, sizes above zero.
    pub(crate) fn is_sound(&self) -> bool {
        let size = |value: f64| value.is_finite() && value > 0.0;
        let place = |point: &Vector3<f64>| point.iter().all(|value| value.is_finite());
        let unit = |vector: &Vector3<f64>| (vector.norm() - 1.0).abs() < 1e-6;
        match self {
            Shape::Rectangle {
                corner,
                first,
                second,
                size: [one, two],
            } => {
                let axes = unit(first) && unit(second) && first.dot(second).abs() < 1e-6;
                axes && place(corner) && size(*one) && size(*two)
            }
            Shape::Cylinder {
                base,
                axis,
                length,
                radius,
            } => place(base) && unit(axis) && size(*length) && size(*radius),
            Shape::Disc {
                centre,
                normal,
                radius,
            } => place(centre) && unit(normal) && size(*radius),
            Shape::Sphere { centre, radius } => place(centre) && size(*radius),
            Shape::Triangle { a, b, c } => {
                place(a) && place(b) && place(c) && size(triangle::area(&[*a, *b, *c]))
            }
        }
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
mod tests;
