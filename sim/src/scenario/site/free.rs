//! Solids of one's own, and objects that do not belong there.

use serde::{Deserialize, Serialize};

use super::{FARTHEST_M, all, along, refused, within};
use crate::error::Error;
use crate::scene::Kind;

/// The most corners or faces a mesh may have.
pub(crate) const MOST_FACES: usize = 200_000;

/// What a solid is shaped like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SolidShape {
    /// A box.
    #[default]
    Box,
    /// An upright round cylinder.
    Cylinder,
    /// A list of triangles.
    Mesh,
    /// A sphere.
    Sphere,
}

/// A solid: a box, cylinder, sphere or mesh.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SolidScenario {
    /// Its name, for messages.
    pub id: String,
    /// Its material.
    pub kind: Kind,
    /// Its shape.
    pub shape: SolidShape,
    /// Its middle (of a mesh: the origin of its corners) along the course, to port and up from the
    /// still water, in metres; -5000 to 5000.
    pub place_m: [f64; 3],
    /// Turns about the axes along the course, to port and up, in this order, in degrees; -360 to 360.
    pub turn_deg: [f64; 3],
    /// Length, width and height of the upright box around it before it is turned, in metres; 0.001 to
    /// 5000. A sphere has three equal, a cylinder its first two. Not of a mesh.
    pub size_m: [f64; 3],
    /// A mesh's corners, in metres.
    pub vertices_m: Vec<[f64; 3]>,
    /// A mesh's triangles, as numbers of corners from zero, counter-clockwise seen from outside.
    pub faces: Vec<[u32; 3]>,
    /// An ASCII PLY file beside the scenario that holds the mesh instead.
    pub file: Option<String>,
    /// Whether the mesh may have edges with a single face, as a sheet of ground has.
    pub open: bool,
}

impl Default for SolidScenario {
    fn default() -> Self {
        Self {
            id: String::new(),
            kind: Kind::Container,
            shape: SolidShape::Box,
            place_m: [0.0; 3],
            turn_deg: [0.0; 3],
            size_m: [1.0; 3],
            vertices_m: Vec::new(),
            faces: Vec::new(),
            file: None,
            open: false,
        }
    }
}

impl SolidScenario {
    pub(in crate::scenario) fn check(&self) -> Result<(), Error> {
        along("solid.place_m", &self.place_m)?;
        all("solid.turn_deg", &self.turn_deg, -360.0, 360.0, "-360 to 360")?;
        all("solid.size_m", &self.size_m, 0.001, FARTHEST_M, "0.001 to 5000")?;
        let [length, width, height] = self.size_m;
        let part = format!("solid `{}`", self.id);
        let is_mesh = self.shape == SolidShape::Mesh;
        let has_faces = !self.faces.is_empty() || self.file.is_some();
        match self.shape {
            SolidShape::Cylinder if length != width => {
                Err(refused(&part, "a cylinder is as long as wide in `size_m`"))
            }
            SolidShape::Sphere if length != width || width != height => {
                Err(refused(&part, "a sphere has three equal numbers in `size_m`"))
            }
            SolidShape::Mesh if !has_faces => {
                Err(refused(&part, "a mesh needs `vertices_m` and `faces`, or `file`"))
            }
            _ if has_faces && !is_mesh => Err(refused(&part, "only `shape = \"mesh\"` has faces")),
            _ if self.faces.len().max(self.vertices_m.len()) > MOST_FACES => {
                Err(refused(&part, "a mesh has at most 200000 corners and faces"))
            }
            _ if self
                .vertices_m
                .iter()
                .flatten()
                .any(|value| value.is_nan() || value.abs() > FARTHEST_M) =>
            {
                Err(refused(&part, "a corner lies farther than 5000 m away"))
            }
            _ => Ok(()),
        }
    }
}

/// Classes of objects that do not belong there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectClass {
    /// A mooring bollard that lies about.
    Bollard,
    /// A heap of chain in a line.
    Chain,
    /// A cube.
    Cube,
    /// A drum that lies on its side.
    Cylinder,
    /// A diver, swimming flat.
    Diver,
    /// A fishing net that stands up.
    Net,
    /// A sphere.
    Sphere,
    /// A tyre.
    Tyre,
}

impl ObjectClass {
    /// All eight.
    pub const ALL: [Self; 8] = [
        Self::Bollard,
        Self::Chain,
        Self::Cube,
        Self::Cylinder,
        Self::Diver,
        Self::Net,
        Self::Sphere,
        Self::Tyre,
    ];
}

/// What an object is placed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seat {
    /// The bed; `place_m` is along the course and to port.
    #[default]
    Bed,
    /// The principal wall; `place_m` is along the wall and up its face.
    Wall,
}

/// An object that does not belong there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectScenario {
    /// Its name in the truth.
    pub id: String,
    /// What it is.
    pub class: ObjectClass,
    /// What it is placed on.
    #[serde(default)]
    pub on: Seat,
    /// Where, in metres; -5000 to 5000.
    pub place_m: [f64; 2],
    /// Its turn on its seat, counter-clockwise seen from the water, in degrees; -360 to 360.
    #[serde(default)]
    pub turn_deg: f64,
    /// Its largest length in metres; 0.1 to 5. By default what is usual for its class.
    #[serde(default)]
    pub length_m: Option<f64>,
    /// How far it floats off its seat, in metres; -0.5 to 50. Negative is sunk in.
    #[serde(default)]
    pub off_m: f64,
}

impl ObjectScenario {
    pub(in crate::scenario) fn check(&self) -> Result<(), Error> {
        along("object.place_m", &self.place_m)?;
        within("object.turn_deg", self.turn_deg, -360.0, 360.0, "-360 to 360")?;
        within("object.off_m", self.off_m, -0.5, 50.0, "-0.5 to 50")?;
        let length = self.length_m.unwrap_or(1.0);
        within("object.length_m", length, 0.1, 5.0, "0.1 to 5")
    }
}
