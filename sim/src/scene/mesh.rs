//! Triangle meshes, and what makes one unfit to be a solid.

use std::collections::BTreeMap;

use nalgebra::Vector3;

use super::bvh::Bvh;
use super::shape::Shape;
use super::triangle;

/// Faces smaller than this, in square metres, have no direction.
const LEAST_AREA_M2: f64 = 1e-12;

/// Corners, and triangles as numbers of corners, counter-clockwise seen from outside.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mesh {
    pub(crate) vertices: Vec<Vector3<f64>>,
    pub(crate) faces: Vec<[u32; 3]>,
}

impl Mesh {
    /// The corners of each face; faces are checked.
    pub(super) fn triangles(&self) -> impl Iterator<Item = triangle::Corners> + '_ {
        self.faces
            .iter()
            .map(|face| face.map(|id| self.vertices[id as usize]))
    }

    /// Whether rays and sound can be asked about it: every face has three corners that exist, is no
    /// needle and crosses no other; unless it may be open, every edge has two faces that look the same
    /// way, and they look outwards.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn check(&self, may_be_open: bool) -> Result<(), String> {
        self.check_faces()?;
        self.check_edges(may_be_open)?;
        if !may_be_open && self.volume() <= 0.0 {
            return Err("the faces look inwards: corners must go counter-clockwise seen from outside".into());
        }
        self.check_crossings()
    }

    fn check_faces(&self) -> Result<(), String> {
        let count = self.vertices.len();
        for (number, face) in self.faces.iter().enumerate() {
            if let Some(id) = face.iter().find(|&&id| id as usize >= count) {
                return Err(format!("face {number} names corner {id}, of {count}"));
            }
            let area = triangle::area(&face.map(|id| self.vertices[id as usize]));
            if area.is_nan() || area <= LEAST_AREA_M2 {
                return Err(format!("face {number} has no area"));
            }
        }
        Ok(())
    }

    /// Each edge is used once each way. With `may_be_open` it may be used one way only.
    fn check_edges(&self, may_be_open: bool) -> Result<(), String> {
        let mut edges: BTreeMap<[u32; 2], u32> = BTreeMap::new();
        for [a, b, c] in &self.faces {
            for edge in [[*a, *b], [*b, *c], [*c, *a]] {
                *edges.entry(edge).or_insert(0) += 1;
            }
        }
        for (&[from, to], &count) in &edges {
            if count > 1 {
                return Err(format!(
                    "the edge from corner {from} to {to} has {count} faces that look different ways"
                ));
            }
            if !may_be_open && !edges.contains_key(&[to, from]) {
                return Err(format!(
                    "the mesh is open: the edge from corner {from} to {to} has one face"
                ));
            }
        }
        Ok(())
    }

    /// By the divergence theorem; positive if the faces look outwards.
    fn volume(&self) -> f64 {
        self.triangles().map(|[a, b, c]| a.dot(&b.cross(&c)) / 6.0).sum()
    }

    fn check_crossings(&self) -> Result<(), String> {
        let shapes: Vec<Shape> = self
            .triangles()
            .map(|[a, b, c]| Shape::Triangle { a, b, c })
            .collect();
        let corners: Vec<triangle::Corners> = self.triangles().collect();
        let tree = Bvh::new(&shapes);
        for (one, shape) in shapes.iter().enumerate() {
            let mut crossed = None;
            let bounds = shape.bounds();
            tree.each_in(&bounds, |two| {
                let other = two as usize;
                if other > one && crossed.is_none() && shapes[other].bounds().meets(&bounds) {
                    let (ids, other_ids) = (&self.faces[one], &self.faces[other]);
                    crossed = triangle::cross(&corners[one], &corners[other], ids, other_ids).then_some(two);
                }
            });
            if let Some(two) = crossed {
                return Err(format!("the mesh crosses itself: face {one} meets face {two}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Corners 0 to 3: the origin and one metre along each axis.
    fn tetrahedron() -> Mesh {
        Mesh {
            vertices: vec![Vector3::zeros(), Vector3::x(), Vector3::y(), Vector3::z()],
            faces: vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]],
        }
    }

    fn refusal(mesh: &Mesh) -> String {
        mesh.check(false).unwrap_err()
    }

    #[test]
    fn a_closed_mesh_is_taken() {
        tetrahedron().check(false).unwrap();
        assert!((tetrahedron().volume() - 1.0 / 6.0).abs() < 1e-15);
    }

    #[test]
    fn an_open_mesh_is_refused_unless_it_may_be() {
        let mut mesh = tetrahedron();
        mesh.faces.pop();
        assert!(refusal(&mesh).contains("open"), "{}", refusal(&mesh));
        mesh.check(true).unwrap();
    }

    #[test]
    fn faces_that_look_different_ways_are_refused() {
        let mut mesh = tetrahedron();
        mesh.faces[3] = [1, 3, 2];
        assert!(
            refusal(&mesh).contains("look different ways"),
            "{}",
            refusal(&mesh)
        );
        let inwards = Mesh {
            faces: tetrahedron().faces.iter().map(|[a, b, c]| [*a, *c, *b]).collect(),
            ..tetrahedron()
        };
        assert!(refusal(&inwards).contains("inwards"), "{}", refusal(&inwards));
    }

    #[test]
    fn needles_and_missing_corners_are_refused() {
        let mut mesh = tetrahedron();
        mesh.faces[1] = [0, 1, 9];
        assert!(refusal(&mesh).contains("names corner 9"));
        mesh = tetrahedron();
        mesh.vertices[3] = Vector3::x() * 0.5;
        assert!(refusal(&mesh).contains("no area"), "{}", refusal(&mesh));
    }

    #[test]
    fn a_mesh_that_crosses_itself_is_refused() {
        // Two tetrahedra, the second shifted into the first.
        let mut mesh = tetrahedron();
        for vertex in tetrahedron().vertices {
            mesh.vertices.push(vertex + Vector3::new(0.2, 0.2, -0.1));
        }
        for face in tetrahedron().faces {
            mesh.faces.push(face.map(|id| id + 4));
        }
        assert!(refusal(&mesh).contains("crosses itself"), "{}", refusal(&mesh));
        for vertex in &mut mesh.vertices[4..] {
            vertex.x += 2.0;
        }
        mesh.check(false).unwrap();
    }
}
