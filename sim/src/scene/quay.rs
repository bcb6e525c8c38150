//! The scene of level S1: a quay wall with ladders, fenders and piles before a sloping bed.

use std::f64::consts::FRAC_PI_2;

use beluga_types::Transform;
use nalgebra::{UnitQuaternion, Vector3};

use super::{Kind, Rung, Scene, Shape, Surface, WallPlane};
use crate::scenario::Scenario;

/// The wall goes on this far before and behind the vessel's path.
const MARGIN_M: f64 = 40.0;
/// One ladder with two fenders and a pile stands every so many metres.
const MODULE_M: f64 = 10.0;
/// From the ladder to the middle of a fender.
const FENDER_AT_M: f64 = 2.2;
/// Along the wall, off it, and below and above the water.
const FENDER_SIZE_M: [f64; 4] = [0.5, 0.3, 1.6, 1.4];
/// From the ladder to a pile.
const PILE_AT_M: f64 = 5.0;
/// From the wall to the pile's axis, the pile's radius, and its top above the water.
const PILE_M: [f64; 3] = [0.8, 0.2, 2.4];
/// Length of a step iron along the wall.
pub(crate) const RUNG_LENGTH_M: f64 = 0.4;
const RUNG_RADIUS_M: f64 = 0.0175;
/// From the wall's face to a step iron's axis.
pub(crate) const RUNG_OFF_M: f64 = 0.2;
/// Ladders' measure between step irons.
pub(crate) const RUNG_SPACING_M: f64 = 0.3;
/// The deepest step iron, up the face from the still water.
const LOWEST_RUNG_M: f64 = -4.35;
/// The bed reaches this far from the wall.
const BED_REACH_M: f64 = 60.0;

/// The quay of a scenario; the vessel's path lies above x from 0 to `path_m`.
pub(crate) fn build(scenario: &Scenario, path_m: f64) -> Scene {
    let (sin, cos) = scenario.quay.batter_deg.to_radians().sin_cos();
    let wall = WallPlane {
        origin: Vector3::new(0.0, -scenario.quay.distance_m, 0.0),
        up: Vector3::new(0.0, -sin, cos),
        normal: Vector3::new(0.0, cos, sin),
    };
    let mut builder = Builder {
        wall,
        span: [-MARGIN_M, path_m + MARGIN_M],
        top: scenario.quay.top_m / cos,
        toe: -scenario.quay.toe_m / cos,
        surfaces: Vec::new(),
        rungs: Vec::new(),
    };
    builder.wall_and_bed(scenario.quay.bed_slope_deg.to_radians());
    let middle = 0.5 * path_m;
    let modules = (0.5 * (path_m + 2.0 * MARGIN_M - MODULE_M) / MODULE_M).floor() as i32;
    for (ladder, module) in (-modules..=modules).enumerate() {
        builder.module(ladder as u32, middle + f64::from(module) * MODULE_M);
    }
    // From the quay's x axis (heading from north, clockwise) to east-north-up.
    let turn = FRAC_PI_2 - scenario.quay.heading_deg.to_radians();
    let world_from_quay = Transform::new(
        UnitQuaternion::from_axis_angle(&Vector3::z_axis(), turn),
        Vector3::zeros(),
    );
    Scene::new(builder.surfaces, builder.rungs, wall, world_from_quay)
}

struct Builder {
    wall: WallPlane,
    span: [f64; 2],
    /// Top and toe of the face, measured up the face.
    top: f64,
    toe: f64,
    surfaces: Vec<Surface>,
    rungs: Vec<Rung>,
}

impl Builder {
    fn push(&mut self, kind: Kind, shape: Shape) {
        self.surfaces.push(Surface { kind, shape });
    }

    fn wall_and_bed(&mut self, bed_slope_rad: f64) {
        let length = self.span[1] - self.span[0];
        let foot = self.wall.point(self.span[0], self.toe, 0.0);
        let face = Shape::Rectangle {
            corner: foot,
            first: Vector3::x(),
            second: self.wall.up,
            size: [length, self.top - self.toe],
        };
        self.push(Kind::Wall, face);
        let (sin, cos) = bed_slope_rad.sin_cos();
        let bed = Shape::Rectangle {
            corner: foot,
            first: Vector3::new(0.0, cos, -sin),
            second: Vector3::x(),
            size: [BED_REACH_M, length],
        };
        self.push(Kind::Bed, bed);
    }

    fn module(&mut self, ladder: u32, x: f64) {
        self.ladder(ladder, x);
        let [along, off, below, above] = FENDER_SIZE_M;
        for at in [x - FENDER_AT_M, x + FENDER_AT_M] {
            let corner = self.wall.point(at - 0.5 * along, -below, 0.0);
            let axes = [Vector3::x(), self.wall.normal, self.wall.up];
            self.block(Kind::Fender, corner, axes, [along, off, below + above]);
        }
        self.pile(x + PILE_AT_M);
        let top = self.wall.point(x, self.top, 0.0);
        let bollard = Shape::Cylinder {
            base: top + Vector3::new(1.2, -0.5, 0.0),
            axis: Vector3::z(),
            length: 0.6,
            radius: 0.15,
        };
        self.push(Kind::Bollard, bollard);
        let corner = top + Vector3::new(-3.0, -6.0, 0.0);
        let axes = [Vector3::x(), Vector3::y(), Vector3::z()];
        self.block(Kind::Container, corner, axes, [6.06, 2.44, 2.59]);
    }

    fn ladder(&mut self, ladder: u32, x: f64) {
        let count = ((self.top - 0.2 - LOWEST_RUNG_M) / RUNG_SPACING_M).floor() as i32 + 1;
        for step in 0..count {
            let up = LOWEST_RUNG_M + f64::from(step) * RUNG_SPACING_M;
            if up < self.toe + RUNG_SPACING_M {
                continue;
            }
            let centre = self.wall.point(x, up, RUNG_OFF_M);
            let rung = Shape::Cylinder {
                base: centre - Vector3::x() * (0.5 * RUNG_LENGTH_M),
                axis: Vector3::x(),
                length: RUNG_LENGTH_M,
                radius: RUNG_RADIUS_M,
            };
            self.push(Kind::Rung, rung);
            self.rungs.push(Rung {
                ladder,
                centre: [centre.x, centre.y, centre.z],
                below_water: centre.z < 0.0,
            });
        }
    }

    fn pile(&mut self, x: f64) {
        let [off, radius, top] = PILE_M;
        // It stands upright and goes into the bed, which hides its foot.
        let base = self.wall.point(x, self.toe, 0.0) + Vector3::new(0.0, off, -1.0);
        let pile = Shape::Cylinder {
            base,
            axis: Vector3::z(),
            length: top - base.z,
            radius,
        };
        self.push(Kind::Pile, pile);
    }

    /// The six faces of a block, normals outwards.
    fn block(&mut self, kind: Kind, corner: Vector3<f64>, axes: [Vector3<f64>; 3], size: [f64; 3]) {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Quay;
    use beluga_types::Point;

    fn scene() -> Scene {
        build(&Scenario::demo(), 24.0)
    }

    #[test]
    fn the_quay_lies_to_starboard_of_its_heading() {
        let scene = scene();
        let ahead = (scene.world_from_quay * Point::<Quay>::new(1.0, 0.0, 0.0)).vector();
        let heading = ahead.x.atan2(ahead.y).to_degrees();
        assert!((heading - 75.0).abs() < 1e-9, "{heading}");
        let (surface, hit) = scene
            .cast(&Vector3::new(12.3, 0.0, -3.0), &-Vector3::y(), 0.0, 100.0)
            .unwrap();
        assert_eq!(scene.surfaces[surface as usize].kind, Kind::Wall);
        assert!((hit.distance - 8.0).abs() < 0.1 && hit.normal.y > 0.99);
    }

    #[test]
    fn every_face_of_a_block_looks_outwards() {
        let scene = scene();
        let fender = scene
            .surfaces
            .iter()
            .position(|s| s.kind == Kind::Fender)
            .unwrap();
        let faces = &scene.surfaces[fender..fender + 6];
        let middle = |surface: &Surface| match surface.shape {
            Shape::Rectangle {
                corner,
                first,
                second,
                size,
            } => corner + first * (0.5 * size[0]) + second * (0.5 * size[1]),
            Shape::Cylinder { .. } => panic!("a block has flat faces"),
        };
        let centre = faces.iter().map(middle).sum::<Vector3<f64>>() / 6.0;
        for face in faces {
            let outwards = middle(face) - centre;
            let normal = face.shape.normal_at(&centre);
            assert!((outwards.normalize() - normal).norm() < 1e-9, "{face:?}");
        }
    }

    #[test]
    fn rungs_stand_on_both_sides_of_the_waterline() {
        let scene = scene();
        let one: Vec<&Rung> = scene.rungs.iter().filter(|rung| rung.ladder == 2).collect();
        let below = one.iter().filter(|rung| rung.below_water).count();
        assert_eq!((below, one.len() - below), (15, 9));
        for rung in one {
            let [_, _, off] = scene.wall.coordinates(&Vector3::from(rung.centre));
            assert!((off - RUNG_OFF_M).abs() < 1e-12);
            assert_eq!(rung.below_water, rung.centre[2] < 0.0);
        }
    }

    #[test]
    fn the_signed_distance_is_positive_in_the_water() {
        let scene = scene();
        let before = scene.nearest(&Vector3::new(13.0, -7.9, 2.0), 1.0).unwrap();
        let behind = scene.nearest(&Vector3::new(13.0, -8.3, 2.0), 1.0).unwrap();
        assert!(before.signed_m > 0.05 && behind.signed_m < -0.05);
        assert_eq!(before.kind, Kind::Wall);
        assert_eq!(scene.nearest(&Vector3::new(13.0, 0.0, 0.0), 0.5), None);
    }
}
