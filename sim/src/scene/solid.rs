//! Solids as a site's author describes them.

use std::path::Path;

use nalgebra::{Rotation3, Vector3};

use super::builder::{Builder, Stand};
use super::mesh::Mesh;
use super::ply;
use crate::error::Error;
use crate::scenario::{SolidScenario, SolidShape};

/// Adds a solid.
///
/// # Errors
/// [`Error::Site`] if its mesh is not fit to be one, or still lies in a file.
pub(super) fn add(builder: &mut Builder, solid: &SolidScenario) -> Result<(), Error> {
    let [roll, pitch, turn] = solid.turn_deg.map(f64::to_radians);
    let stand = Stand {
        place: Vector3::from(solid.place_m),
        turn: Rotation3::from_euler_angles(roll, pitch, turn),
    };
    let [length, _, height] = solid.size_m;
    match solid.shape {
        SolidShape::Box => builder.boxed(solid.kind, &stand, solid.size_m),
        SolidShape::Sphere => builder.sphere(solid.kind, stand.place, 0.5 * length),
        SolidShape::Cylinder => {
            let end = |part: f64| stand.point(0.0, 0.0, part * height);
            builder.drum(solid.kind, end(-0.5), end(0.5), 0.5 * length);
        }
        SolidShape::Mesh => {
            let refused = |problem: String| Error::Site {
                part: format!("solid `{}`", solid.id),
                problem,
            };
            if let Some(file) = &solid.file {
                return Err(refused(format!(
                    "`{file}` is looked for beside a scenario file, and this scenario is from none"
                )));
            }
            let mesh = Mesh {
                vertices: solid.vertices_m.iter().copied().map(Vector3::from).collect(),
                faces: solid.faces.clone(),
            };
            mesh.check(solid.open).map_err(refused)?;
            builder.mesh(solid.kind, &stand, &mesh);
        }
    }
    Ok(())
}

/// Takes a solid's mesh from the text of its PLY file, so that the scenario is whole by itself.
///
/// # Errors
/// [`Error::Content`] if the file is not an ASCII PLY mesh.
pub(crate) fn read_mesh(solid: &mut SolidScenario, text: &str, path: &Path) -> Result<(), Error> {
    let mesh = ply::parse(text, path)?;
    solid.vertices_m = mesh.vertices.into_iter().map(Into::into).collect();
    solid.faces = mesh.faces;
    solid.file = None;
    Ok(())
}
