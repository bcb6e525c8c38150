//! Objects that do not belong there: eight classes, each a solid of its own, and their boxes.

use std::f64::consts::TAU;

use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

use super::builder::{Builder, Stand};
use super::mesh::Mesh;
use super::{Kind, WallPlane};
use crate::scenario::{ObjectClass, ObjectScenario, Seat};

/// Facets of a tyre around its axle and around its tube.
const TYRE_FACETS: [u32; 2] = [24, 12];
/// Mesh width and half the cord's thickness of a net, in metres.
const NET_M: [f64; 2] = [0.2, 0.004];

/// The box around an object, and what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectBox {
    /// Its name.
    pub id: String,
    /// What it is.
    pub class: ObjectClass,
    /// The box's middle, in `Quay`.
    pub centre: [f64; 3],
    /// Rotation from the box's axes to `Quay`, w x y z.
    pub wxyz: [f64; 4],
    /// Lengths along the box's axes, in metres. The third axis points off the seat.
    pub size: [f64; 3],
    /// The first of its surfaces, and the first that is not.
    pub surfaces: [u32; 2],
}

impl ObjectClass {
    /// Length, width and height as parts of its largest length, and that length if none is given, in
    /// metres.
    fn measure(self) -> ([f64; 3], f64) {
        match self {
            Self::Bollard => ([0.4, 0.4, 1.0], 0.8),
            Self::Chain => ([1.0, 0.09, 0.09], 2.0),
            Self::Cube => ([1.0, 1.0, 1.0], 0.6),
            Self::Cylinder => ([1.0, 0.66, 0.66], 0.9),
            Self::Diver => ([1.0, 0.3, 0.28], 1.9),
            Self::Net => ([1.0, 0.01, 0.6], 3.0),
            Self::Sphere => ([1.0, 1.0, 1.0], 0.6),
            Self::Tyre => ([1.0, 1.0, 0.3], 0.7),
        }
    }
}

/// Adds an object on its seat; `bed_z` is the bed's height under a place.
pub(super) fn add(
    builder: &mut Builder,
    object: &ObjectScenario,
    wall: &WallPlane,
    bed_z: &dyn Fn(f64, f64) -> f64,
) {
    let (parts, usual_m) = object.class.measure();
    let mut size = parts.map(|part| part * object.length_m.unwrap_or(usual_m));
    if object.class == ObjectClass::Net && object.on == Seat::Wall {
        // It hangs flat.
        size.swap(1, 2);
    }
    let [one, two] = object.place_m;
    let off = object.off_m + 0.5 * size[2];
    let turn = Rotation3::from_axis_angle(&Vector3::z_axis(), object.turn_deg.to_radians());
    let stand = match object.on {
        Seat::Bed => Stand {
            place: Vector3::new(one, two, bed_z(one, two) + off),
            turn,
        },
        Seat::Wall => {
            // Along the wall seen from the water, up it, off it.
            let axes = Matrix3::from_columns(&[wall.up.cross(&wall.normal), wall.up, wall.normal]);
            Stand {
                place: wall.point(one, two, off),
                turn: Rotation3::from_matrix_unchecked(axes) * turn,
            }
        }
    };
    let rotation = UnitQuaternion::from_rotation_matrix(&stand.turn);
    let around = ObjectBox {
        id: object.id.clone(),
        class: object.class,
        centre: stand.place.into(),
        wxyz: [rotation.w, rotation.i, rotation.j, rotation.k],
        size,
        surfaces: [0, 0],
    };
    builder.object(around, |builder| solid(builder, object.class, &stand, size));
}

/// The solid of a class about the middle of a stand, in a box of this size.
fn solid(builder: &mut Builder, class: ObjectClass, stand: &Stand, size: [f64; 3]) {
    let [length, width, height] = size;
    let kind = Kind::Object;
    match class {
        ObjectClass::Cube => builder.boxed(kind, stand, size),
        ObjectClass::Sphere => builder.sphere(kind, stand.place, 0.5 * length),
        ObjectClass::Cylinder => {
            let end = |x: f64| stand.point(x, 0.0, 0.0);
            builder.drum(kind, end(-0.5 * length), end(0.5 * length), 0.5 * width);
        }
        ObjectClass::Bollard => {
            let at = |part: f64| stand.point(0.0, 0.0, part * height);
            builder.drum(kind, at(-0.5), at(-0.4), 0.5 * width);
            builder.drum(kind, at(-0.4), at(0.3), 0.3 * width);
            builder.drum(kind, at(0.3), at(0.5), 0.5 * width);
        }
        ObjectClass::Tyre => {
            let tube = 0.5 * height;
            builder.mesh(kind, stand, &torus(0.5 * length - tube, tube));
        }
        ObjectClass::Chain => {
            let end = |x: f64| stand.point(x, 0.0, 0.0);
            let link = width / 0.6;
            chain(
                builder,
                kind,
                end(-0.5 * length),
                end(0.5 * length),
                link,
                stand.axis(Vector3::y()),
            );
        }
        ObjectClass::Net if width > height => net(builder, stand, length, width, Vector3::y()),
        ObjectClass::Net => net(builder, stand, length, height, Vector3::z()),
        ObjectClass::Diver => diver(builder, stand, size),
    }
}

/// A net in the plane of a stand's first axis and another one: cords both ways.
fn net(builder: &mut Builder, stand: &Stand, length: f64, height: f64, other: Vector3<f64>) {
    let [mesh, radius] = NET_M;
    for (across, along, is_across) in [(length, height, true), (height, length, false)] {
        let count = (across / mesh).round().max(1.0) as u32;
        for i in 0..=count {
            let at = (across - 2.0 * radius) * (f64::from(i) / f64::from(count) - 0.5);
            let end = |end: f64| {
                let [one, two] = if is_across { [at, end] } else { [end, at] };
                stand.place + stand.axis(Vector3::x() * one + other * two)
            };
            builder.drum(Kind::Object, end(-0.5 * along), end(0.5 * along), radius);
        }
    }
}

/// A diver lying along the first axis: trunk, head, two legs, and a bottle on the back.
fn diver(builder: &mut Builder, stand: &Stand, [length, width, height]: [f64; 3]) {
    let kind = Kind::Object;
    let at = |x: f64, y: f64, z: f64| stand.point(x * length, y * width, z * height);
    builder.drum(kind, at(-0.02, 0.0, -0.2), at(0.34, 0.0, -0.2), 0.3 * height);
    builder.sphere(
        kind,
        at(0.5, 0.0, -0.1) - stand.axis(Vector3::x()) * (0.4 * height),
        0.4 * height,
    );
    for side in [-0.3, 0.3] {
        builder.drum(kind, at(-0.5, side, -0.2), at(-0.02, side, -0.2), 0.2 * width);
    }
    builder.drum(kind, at(0.02, 0.0, 0.29), at(0.32, 0.0, 0.29), 0.2 * height);
}

/// A ring of tube radius `tube` about the third axis, as a closed mesh.
fn torus(ring: f64, tube: f64) -> Mesh {
    let [around, across] = TYRE_FACETS;
    let at = |i: u32, j: u32| {
        let (turn, roll) = (
            TAU * f64::from(i) / f64::from(around),
            TAU * f64::from(j) / f64::from(across),
        );
        let off = ring + tube * roll.cos();
        Vector3::new(off * turn.cos(), off * turn.sin(), tube * roll.sin())
    };
    let vertices = (0..around)
        .flat_map(|i| (0..across).map(move |j| at(i, j)))
        .collect();
    let id = |i: u32, j: u32| (i % around) * across + j % across;
    let faces = (0..around)
        .flat_map(|i| {
            (0..across).flat_map(move |j| {
                let [a, b, c, d] = [id(i, j), id(i + 1, j), id(i + 1, j + 1), id(i, j + 1)];
                [[a, b, c], [a, c, d]]
            })
        })
        .collect();
    Mesh { vertices, faces }
}

/// A chain between two places: links of two long and two short bars, every other one turned by a
/// right angle. `flat` is the direction the first link is wide in.
pub(super) fn chain(
    builder: &mut Builder,
    kind: Kind,
    from: Vector3<f64>,
    to: Vector3<f64>,
    link: f64,
    flat: Vector3<f64>,
) {
    let (along, whole) = ((to - from).normalize(), (to - from).norm());
    let radius = 0.5 * 0.17 * 0.6 * link;
    let half_width = 0.3 * link - radius;
    // Links hang in one another by their bars.
    let step = link - 4.0 * radius;
    let count = ((whole - link) / step).floor().max(0.0) as u32 + 1;
    for i in 0..count {
        let aside = if i % 2 == 0 { flat } else { along.cross(&flat) };
        let start = from + along * (f64::from(i) * step + radius);
        let end = start + along * (link - 2.0 * radius);
        let side = aside * half_width;
        builder.drum(kind, start - side, end - side, radius);
        builder.drum(kind, start + side, end + side, radius);
        for middle in [start, end] {
            builder.drum(kind, middle - side, middle + side, radius);
            builder.sphere(kind, middle - side, radius);
            builder.sphere(kind, middle + side, radius);
        }
    }
}
