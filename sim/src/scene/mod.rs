//! What stands in the world.

mod bvh;
mod quay;
mod shape;

use beluga_types::{Space, Transform, World};
use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use bvh::Bvh;
pub(crate) use quay::build as build_quay;
pub use shape::Shape;
pub(crate) use shape::{Hit, perpendicular};

/// Along the quay: x the way the vessel goes, y to port (away from the wall), z up from the still
/// water; metres. It shares its origin with `World` and is turned against it about z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quay {}

impl Space for Quay {
    const NAME: &'static str = "Quay";
}

/// What a surface belongs to; it decides how the surface answers light and sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The bottom.
    Bed,
    /// A bollard on the quay.
    Bollard,
    /// A box on the quay.
    Container,
    /// A rubber fender on the wall.
    Fender,
    /// A pane of clear glass.
    Glass,
    /// A steel pile before the wall.
    Pile,
    /// A step iron of a ladder.
    Rung,
    /// The quay wall's face.
    Wall,
}

impl Kind {
    /// Lambert's coefficient for sound, in dB: backscattering strength at normal incidence. The
    /// bed's is Mackenzie's -27 dB; the others are plausible for fouled structures.
    pub(crate) fn scattering_db(self) -> f64 {
        match self {
            Kind::Bed => -27.0,
            Kind::Wall | Kind::Container | Kind::Bollard => -22.0,
            Kind::Fender => -20.0,
            Kind::Pile => -15.0,
            Kind::Rung => -6.0,
            Kind::Glass => -45.0,
        }
    }

    /// Roughness (standard deviation) of a mantle smooth enough to mirror sound, in metres.
    pub(crate) fn glint_roughness_m(self) -> Option<f64> {
        (self == Kind::Rung).then_some(0.6e-3)
    }

    /// Part of the light that goes straight through at normal incidence, 0 to 1. For glass of index
    /// 1.52, each of the two faces mirrors ((n - 1) / (n + 1))² = 4 %.
    pub fn transmission(self) -> f64 {
        match self {
            Kind::Glass => 0.92,
            _ => 0.0,
        }
    }

    /// Part of the light that is scattered back, 0 to 1.
    pub(crate) fn reflectivity(self) -> f64 {
        match self {
            Kind::Fender => 0.08,
            Kind::Glass => 0.01,
            Kind::Pile => 0.25,
            Kind::Rung => 0.55,
            Kind::Bollard => 0.3,
            Kind::Container => 0.6,
            Kind::Bed | Kind::Wall => 0.4,
        }
    }
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

/// The wall's face as a plane with its own coordinates.
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

/// The surfaces of a world, in `Quay`.
#[derive(Clone, Debug)]
pub struct Scene {
    pub(crate) surfaces: Vec<Surface>,
    shapes: Vec<Shape>,
    tree: Bvh,
    pub(crate) rungs: Vec<Rung>,
    pub(crate) wall: WallPlane,
    pub(crate) world_from_quay: Transform<World, Quay>,
}

impl Scene {
    pub(crate) fn new(
        surfaces: Vec<Surface>,
        rungs: Vec<Rung>,
        wall: WallPlane,
        world_from_quay: Transform<World, Quay>,
    ) -> Self {
        let shapes: Vec<Shape> = surfaces.iter().map(|surface| surface.shape).collect();
        Self {
            tree: Bvh::new(&shapes),
            shapes,
            surfaces,
            rungs,
            wall,
            world_from_quay,
        }
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
