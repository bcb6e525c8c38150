//! What is fixed to a wall: ladders, fenders, piles, bollards, chains.

use nalgebra::Vector3;

use super::builder::Builder;
use super::ground::Ground;
use super::{Kind, Rung, Shape, WallPlane, object};
use crate::scenario::{BollardScenario, ChainScenario, FenderScenario, PileScenario};

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
/// How far piles go into the bed, in metres.
const INTO_BED_M: f64 = 1.0;

/// A wall that carries things: its plane, and its toe and top, measured up the face.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carrier {
    pub(super) wall: WallPlane,
    pub(super) toe: f64,
    pub(super) top: f64,
}

impl Carrier {
    /// The quay's modules, one every 10 m about the middle of a stretch as far as they fit.
    pub(super) fn modules(&self, builder: &mut Builder, path_m: f64, margin_m: f64) {
        let middle = 0.5 * path_m;
        let modules = (0.5 * (path_m + 2.0 * margin_m - MODULE_M) / MODULE_M).floor() as i32;
        for (ladder, module) in (-modules..=modules).enumerate() {
            self.module(builder, ladder as u32, middle + f64::from(module) * MODULE_M);
        }
    }

    fn module(&self, builder: &mut Builder, ladder: u32, x: f64) {
        self.ladder(builder, ladder, x);
        let [along, off, below, above] = FENDER_SIZE_M;
        for at in [x - FENDER_AT_M, x + FENDER_AT_M] {
            let corner = self.wall.point(at - 0.5 * along, -below, 0.0);
            let axes = [Vector3::x(), self.wall.normal, self.wall.up];
            builder.block(Kind::Fender, corner, axes, [along, off, below + above]);
        }
        self.pile(builder, x + PILE_AT_M);
        let top = self.wall.point(x, self.top, 0.0);
        let bollard = Shape::Cylinder {
            base: top + Vector3::new(1.2, -0.5, 0.0),
            axis: Vector3::z(),
            length: 0.6,
            radius: 0.15,
        };
        builder.push(Kind::Bollard, bollard);
        let corner = top + Vector3::new(-3.0, -6.0, 0.0);
        let axes = [Vector3::x(), Vector3::y(), Vector3::z()];
        builder.block(Kind::Container, corner, axes, [6.06, 2.44, 2.59]);
    }

    /// A ladder of step irons.
    pub(super) fn ladder(&self, builder: &mut Builder, ladder: u32, x: f64) {
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
            builder.push(Kind::Rung, rung);
            builder.rungs.push(Rung {
                ladder,
                centre: [centre.x, centre.y, centre.z],
                below_water: centre.z < 0.0,
            });
        }
    }

    fn pile(&self, builder: &mut Builder, x: f64) {
        let [off, radius, top] = PILE_M;
        // It stands upright and goes into the bed, which hides its foot.
        let base = self.wall.point(x, self.toe, 0.0) + Vector3::new(0.0, off, -INTO_BED_M);
        let pile = Shape::Cylinder {
            base,
            axis: Vector3::z(),
            length: top - base.z,
            radius,
        };
        builder.push(Kind::Pile, pile);
    }

    /// Round piles with their tops, from the bed up.
    pub(super) fn piles(&self, builder: &mut Builder, piles: &PileScenario, ground: &Ground) {
        for &x in &piles.at_m {
            let y = self.wall.origin.y + piles.off_m;
            let foot = Vector3::new(x, y, ground.z(x, y) - INTO_BED_M);
            let top = Vector3::new(x, y, piles.top_m.max(foot.z + INTO_BED_M));
            builder.drum(Kind::Pile, foot, top, piles.radius_m);
        }
    }

    pub(super) fn fenders(&self, builder: &mut Builder, fenders: &FenderScenario) {
        let [low, high] = fenders.up_m;
        let axes = [Vector3::x(), self.wall.normal, self.wall.up];
        for at in &fenders.at_m {
            let corner = self.wall.point(at - 0.5 * fenders.width_m, low, 0.0);
            builder.block(
                Kind::Fender,
                corner,
                axes,
                [fenders.width_m, fenders.thick_m, high - low],
            );
        }
    }

    /// Bollards behind the top's edge: a stem, and a head half as wide again.
    pub(super) fn bollards(&self, builder: &mut Builder, bollards: &BollardScenario) {
        /// Where the head begins, as a part of the height.
        const NECK: f64 = 0.7;
        for &x in &bollards.at_m {
            let foot = self.wall.point(x, self.top, 0.0) - Vector3::y() * bollards.back_m;
            let at = |part: f64| foot + Vector3::z() * (part * bollards.height_m);
            builder.drum(Kind::Bollard, at(0.0), at(NECK), bollards.radius_m);
            builder.drum(Kind::Bollard, at(NECK), at(1.0), 1.5 * bollards.radius_m);
        }
    }

    pub(super) fn chains(&self, builder: &mut Builder, chains: &ChainScenario) {
        let [low, high] = chains.up_m;
        for &x in &chains.at_m {
            let end = |up: f64| self.wall.point(x, up, chains.off_m);
            let (from, to) = (end(high.min(self.top)), end(low));
            object::chain(builder, Kind::Chain, from, to, chains.link_m, Vector3::x());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::scene::{Quay, Scene, Surface, build};
    use beluga_types::Point;

    fn scene() -> Scene {
        build(&Scenario::demo(), 24.0).unwrap()
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
            _ => panic!("a block has flat faces"),
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
