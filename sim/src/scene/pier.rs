//! A bridge pier: a block with half-round noses.

use nalgebra::Vector3;

use super::builder::{Builder, Stand};
use super::{Kind, Shape};
use crate::scenario::PierScenario;

/// How far a pier goes into the bed, in metres.
const INTO_BED_M: f64 = 1.0;

/// Half of the straight part's length, and the noses' radius.
fn halves(pier: &PierScenario) -> [f64; 2] {
    let [length, width] = pier.size_m;
    [0.5 * (length - width), 0.5 * width]
}

/// Level distance from a pier's side; zero inside.
pub(super) fn distance(pier: &PierScenario, x: f64, y: f64) -> f64 {
    let (sin, cos) = pier.turn_deg.to_radians().sin_cos();
    let (dx, dy) = (x - pier.place_m[0], y - pier.place_m[1]);
    let (along, across) = (dx * cos + dy * sin, dy * cos - dx * sin);
    let [half, radius] = halves(pier);
    let over = (along.abs() - half).max(0.0);
    (over.hypot(across) - radius).max(0.0)
}

/// Adds a pier that stands on a bed whose lowest place near it is `bed_z`.
pub(super) fn add(builder: &mut Builder, pier: &PierScenario, bed_z: f64) {
    let [half, radius] = halves(pier);
    let [x, y] = pier.place_m;
    let foot = bed_z - INTO_BED_M;
    let stand = Stand::upright(Vector3::new(x, y, foot), pier.turn_deg);
    let height = pier.top_m - foot;
    let up = Vector3::z() * height;
    let length = stand.axis(Vector3::x()) * (2.0 * half);
    // The normal is second × first: up × x is port, x × up is starboard.
    builder.rectangle(Kind::Pier, stand.point(-half, radius, 0.0), length, up);
    builder.rectangle(Kind::Pier, stand.point(-half, -radius, 0.0), up, length);
    let width = stand.axis(Vector3::y()) * (2.0 * radius);
    builder.rectangle(Kind::Pier, stand.point(-half, -radius, height), width, length);
    for nose in [-half, half] {
        let mantle = Shape::Cylinder {
            base: stand.point(nose, 0.0, 0.0),
            axis: Vector3::z(),
            length: height,
            radius,
        };
        builder.push(Kind::Pier, mantle);
        let top = Shape::Disc {
            centre: stand.point(nose, 0.0, height),
            normal: Vector3::z(),
            radius,
        };
        builder.push(Kind::Pier, top);
    }
}
