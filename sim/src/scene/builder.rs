//! Putting surfaces together to solids.

use nalgebra::{Rotation3, Vector3};

use super::mesh::Mesh;
use super::object::ObjectBox;
use super::{Kind, Rung, Shape, Surface};

/// Surfaces while they are gathered.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) surfaces: Vec<Surface>,
    pub(super) rungs: Vec<Rung>,
    pub(super) objects: Vec<ObjectBox>,
}

/// Where a solid of its own axes stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    pub(super) place: Vector3<f64>,
    pub(super) turn: Rotation3<f64>,
}

impl Stand {
    /// At a place, turned about the upward axis, counter-clockwise seen from above.
    pub(super) fn upright(place: Vector3<f64>, turn_deg: f64) -> Self {
        Self {
            place,
            turn: Rotation3::from_axis_angle(&Vector3::z_axis(), turn_deg.to_radians()),
        }
    }

    pub(super) fn point(&self, x: f64, y: f64, z: f64) -> Vector3<f64> {
        self.place + self.turn * Vector3::new(x, y, z)
    }

    pub(super) fn axis(&self, axis: Vector3<f64>) -> Vector3<f64> {
        self.turn * axis
    }
}

impl Builder {
    pub(super) fn push(&mut self, kind: Kind, shape: Shape) {
        self.surfaces.push(Surface { kind, shape });
    }

    /// A flat rectangle between two edges from one corner; its normal is `second × first`. The edges
    /// are across each other and not empty, or nothing is added.
    pub(super) fn rectangle(
        &mut self,
        kind: Kind,
        corner: Vector3<f64>,
        first: Vector3<f64>,
        second: Vector3<f64>,
    ) {
        let size = [first.norm(), second.norm()];
        if size.iter().all(|&length| length > 1e-6) {
            let shape = Shape::Rectangle {
                corner,
                first: first / size[0],
                second: second / size[1],
                size,
            };
            self.push(kind, shape);
        }
    }

    pub(super) fn triangle(&mut self, kind: Kind, [a, b, c]: [Vector3<f64>; 3]) {
        let shape = Shape::Triangle { a, b, c };
        if shape.is_sound() {
            self.push(kind, shape);
        }
    }

    /// The six faces of a block, normals outwards. The axes are right-handed.
    pub(super) fn block(
        &mut self,
        kind: Kind,
        corner: Vector3<f64>,
        axes: [Vector3<f64>; 3],
        size: [f64; 3],
    ) {
        for [normal, first, second] in [[0, 1, 2], [1, 2, 0], [2, 0, 1]] {
            for far in [false, true] {
                // The normal is second × first, so the near faces and the far ones differ in order.
                let [first, second] = if far { [second, first] } else { [first, second] };
                let shift = if far {
                    axes[normal] * size[normal]
                } else {
                    Vector3::zeros()
                };
                let face = Shape::Rectangle {
                    corner: corner + shift,
                    first: axes[first],
                    second: axes[second],
                    size: [size[first], size[second]],
                };
                self.push(kind, face);
            }
        }
    }

    /// A box about the middle of a stand.
    pub(super) fn boxed(&mut self, kind: Kind, stand: &Stand, size: [f64; 3]) {
        let corner = stand.point(-0.5 * size[0], -0.5 * size[1], -0.5 * size[2]);
        let axes = [Vector3::x(), Vector3::y(), Vector3::z()].map(|axis| stand.axis(axis));
        self.block(kind, corner, axes, size);
    }

    /// A cylinder with both its ends.
    pub(super) fn drum(&mut self, kind: Kind, from: Vector3<f64>, to: Vector3<f64>, radius: f64) {
        let (axis, length) = ((to - from).normalize(), (to - from).norm());
        self.push(
            kind,
            Shape::Cylinder {
                base: from,
                axis,
                length,
                radius,
            },
        );
        for (centre, normal) in [(from, -axis), (to, axis)] {
            self.push(
                kind,
                Shape::Disc {
                    centre,
                    normal,
                    radius,
                },
            );
        }
    }

    pub(super) fn sphere(&mut self, kind: Kind, centre: Vector3<f64>, radius: f64) {
        self.push(kind, Shape::Sphere { centre, radius });
    }

    pub(super) fn mesh(&mut self, kind: Kind, stand: &Stand, mesh: &Mesh) {
        for corners in mesh.triangles() {
            self.triangle(kind, corners.map(|point| stand.point(point.x, point.y, point.z)));
        }
    }

    /// Makes room for surfaces that belong to an object, and remembers its box.
    pub(super) fn object(&mut self, object: ObjectBox, parts: impl FnOnce(&mut Self)) {
        let first = self.surfaces.len() as u32;
        parts(self);
        let end = self.surfaces.len() as u32;
        self.objects.push(ObjectBox {
            surfaces: [first, end],
            ..object
        });
    }
}
