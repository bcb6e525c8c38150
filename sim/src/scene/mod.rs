//! What stands in the world.

mod bounds;
mod builder;
mod bvh;
mod check;
mod enclosure;
mod fittings;
mod ground;
mod hull;
mod kind;
mod mesh;
mod object;
mod pier;
mod ply;
mod relief;
mod shape;
mod site;
mod solid;
#[cfg(test)]
mod tests;
mod triangle;

use beluga_types::{Space, Transform, World};
use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use bounds::Bounds;
use bvh::Bvh;
pub use kind::Kind;
pub use object::ObjectBox;
pub use shape::Shape;
pub(crate) use shape::{Hit, perpendicular};
pub(crate) use site::build;
pub(crate) use solid::read_mesh;

/// Along the quay: x the way the vessel goes, y to port (away from the wall), z up from the still
/// water; metres. It shares its origin with `World` and is turned against it about z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quay {}

impl Space for Quay {
    const NAME: &'static str = "Quay";
}

/// A surface of the scene; its id is its place in the scene's list.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surface {
    /// What it belongs to.
    pub kind: Kind,
    /// Where it is.
    #[serde(flatten)]
    pub shape: Shape,
}

/// The middle of a step iron.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Which ladder, from zero.
    pub ladder: u32,
    /// Its centre, in `Quay`.
    pub centre: [f64; 3],
    /// Whether it lies below the still water.
    pub below_water: bool,
}

/// The principal wall's face as a plane with its own coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WallPlane {
    /// The face at the waterline, at x = 0.
    pub(crate) origin: Vector3<f64>,
    /// Unit vector up the face.
    pub(crate) up: Vector3<f64>,
    /// Unit vector out of the wall, towards the water.
    pub(crate) normal: Vector3<f64>,
}

impl WallPlane {
    /// Along the wall, up its face, and off it, in metres.
    pub fn coordinates(&self, in_quay: &Vector3<f64>) -> [f64; 3] {
        let arm = in_quay - self.origin;
        [arm.x, arm.dot(&self.up), arm.dot(&self.normal)]
    }

    /// The point with these coordinates.
    pub(crate) fn point(&self, along: f64, up: f64, off: f64) -> Vector3<f64> {
        self.origin + Vector3::x() * along + self.up * up + self.normal * off
    }
}

/// The point of the scene nearest to a given one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// The surface's id.
    pub surface: u32,
    /// What it belongs to.
    pub kind: Kind,
    /// Distance to the surface in metres; positive on the side its normal points to.
    pub signed_m: f64,
    /// The point of the surface that is nearest, in `Quay`.
    pub foot: Vector3<f64>,
    /// The surface's unit normal there, in `Quay`.
    pub normal: Vector3<f64>,
}

/// What a scene is made of.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) surfaces: Vec<Surface>,
    pub(crate) rungs: Vec<Rung>,
    pub(crate) objects: Vec<ObjectBox>,
    pub(crate) wall: WallPlane,
    pub(crate) world_from_quay: Transform<World, Quay>,
    /// Whether there is water, with its surface at height zero.
    pub(crate) has_water: bool,
}

/// The surfaces of a world, in `Quay`.
#[derive(Clone, Debug)]
pub struct Scene {
    pub(crate) surfaces: Vec<Surface>,
    shapes: Vec<Shape>,
    /// The ball around each surface.
    balls: Vec<(Vector3<f64>, f64)>,
    tree: Bvh,
    pub(crate) rungs: Vec<Rung>,
    pub(crate) objects: Vec<ObjectBox>,
    pub(crate) wall: WallPlane,
    pub(crate) world_from_quay: Transform<World, Quay>,
    pub(crate) has_water: bool,
}

impl Scene {
    pub(crate) fn new(parts: Parts) -> Self {
        let shapes: Vec<Shape> = parts.surfaces.iter().map(|surface| surface.shape).collect();
        Self {
            tree: Bvh::new(&shapes),
            balls: shapes.iter().map(|shape| Bounds::ball(&shape.bounds())).collect(),
            shapes,
            surfaces: parts.surfaces,
            rungs: parts.rungs,
            objects: parts.objects,
            wall: parts.wall,
            world_from_quay: parts.world_from_quay,
            has_water: parts.has_water,
        }
    }

    /// Where the quay's own axes lie in the world.
    pub fn world_from_quay(&self) -> Transform<World, Quay> {
        self.world_from_quay
    }

    /// The surfaces; one's id is its place in the list.
    pub fn surfaces(&self) -> &[Surface] {
        &self.surfaces
    }

    /// The boxes of the objects that do not belong there.
    pub fn objects(&self) -> &[ObjectBox] {
        &self.objects
    }

    /// Below which height sound travels, where the water stands at a height: up to there, or in a scene
    /// without water everywhere.
    pub(crate) fn top_z(&self, water_z: f64) -> f64 {
        if self.has_water { water_z } else { f64::INFINITY }
    }

    /// Middle and radius of the ball around a surface, in `Quay`.
    pub(crate) fn ball(&self, surface: usize) -> (Vector3<f64>, f64) {
        self.balls[surface]
    }

    /// What a ray in `Quay` meets first between two distances.
    pub(crate) fn cast(
        &self,
        origin: &Vector3<f64>,
        direction: &Vector3<f64>,
        near: f64,
        far: f64,
    ) -> Option<(u32, Hit)> {
        self.tree.first_hit(&self.shapes, origin, direction, near, far)
    }

    /// Whether the straight way between two points in `Quay` is free; the last centimetre is not asked.
    pub(crate) fn sees(&self, from: &Vector3<f64>, to: &Vector3<f64>) -> bool {
        /// What belongs to the target's own surface does not hide it.
        const SKIN_M: f64 = 0.01;
        let way = to - from;
        let far = 1.0 - SKIN_M / way.norm().max(SKIN_M);
        !self.tree.any_hit(&self.shapes, from, &way, 0.0, far)
    }

    /// The surface nearest to a point in `Quay`, if one lies within `reach_m`.
    pub fn nearest(&self, in_quay: &Vector3<f64>, reach_m: f64) -> Option<Nearest> {
        let (surface, near) = self.tree.nearest(&self.shapes, in_quay, reach_m)?;
        let place = surface as usize;
        let arm = in_quay - near;
        let normal = self.shapes[place].normal_at(&near);
        let outside = arm.dot(&normal) >= 0.0;
        Some(Nearest {
            surface,
            kind: self.surfaces[place].kind,
            signed_m: if outside { arm.norm() } else { -arm.norm() },
            foot: near,
            normal,
        })
    }
}
