//! Meshes in ASCII PLY files: vertices with `x`, `y`, `z` in metres, and faces, of which those with
//! more than three corners are cut into fans. G. Turk, "The PLY polygon file format", Stanford 1994.

use std::path::Path;

use nalgebra::Vector3;

use super::mesh::Mesh;
use crate::error::Error;
use crate::scenario::MOST_FACES;

/// An element of the header: its name, how many, and its properties' names.
struct Element {
    name: String,
    count: usize,
    properties: Vec<String>,
}

/// The mesh in a file's text; `path` is for messages.
///
/// # Errors
/// [`Error::Content`] at the first line that is wrong.
pub(crate) fn parse(text: &str, path: &Path) -> Result<Mesh, Error> {
    let wrong = |expected, found: &str, line| Error::Content {
        expected,
        found: found.chars().take(80).collect(),
        line,
        path: path.to_owned(),
    };
    let mut lines = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.starts_with("comment") && !line.trim().is_empty());
    let elements = header(&mut lines).map_err(|(expected, found, line)| wrong(expected, &found, line))?;
    let mut mesh = Mesh::default();
    for element in &elements {
        if element.count > MOST_FACES {
            return Err(wrong(
                "at most 200000 of an element",
                &element.count.to_string(),
                1,
            ));
        }
        for _ in 0..element.count {
            let (number, line) = lines
                .next()
                .ok_or_else(|| wrong("all the lines the header names", "the end", text.lines().count()))?;
            let read = match element.name.as_str() {
                "vertex" => vertex(line, element).map(|vertex| mesh.vertices.push(vertex)),
                "face" => face(line, &mut mesh.faces),
                _ => Some(()),
            };
            read.ok_or_else(|| wrong("the numbers the header names", line, number))?;
        }
    }
    if mesh.faces.is_empty() || mesh.faces.len() > MOST_FACES {
        return Err(wrong("1 to 200000 triangles", &mesh.faces.len().to_string(), 1));
    }
    Ok(mesh)
}

type Wrong = (&'static str, String, usize);

fn header<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Result<Vec<Element>, Wrong> {
    let mut elements: Vec<Element> = Vec::new();
    let mut is_ascii = false;
    let mut last = 1;
    for (number, line) in lines {
        last = number;
        let words: Vec<&str> = line.split_whitespace().collect();
        match (number, words.as_slice()) {
            (1, ["ply"]) => {}
            (1, _) => return Err(("the word `ply`", line.to_owned(), number)),
            (_, ["format", "ascii", "1.0"]) => is_ascii = true,
            (_, ["element", name, count]) => elements.push(Element {
                name: (*name).to_owned(),
                count: count
                    .parse()
                    .map_err(|_| ("a count", (*count).to_owned(), number))?,
                properties: Vec::new(),
            }),
            (_, ["property", .., name]) => match elements.last_mut() {
                Some(element) => element.properties.push((*name).to_owned()),
                None => return Err(("an element before its properties", line.to_owned(), number)),
            },
            (_, ["obj_info", ..]) => {}
            (_, ["end_header"]) if is_ascii => return Ok(elements),
            _ => return Err(("a header of format `ascii 1.0`", line.to_owned(), number)),
        }
    }
    Err(("`end_header`", "the end".to_owned(), last))
}

fn vertex(line: &str, element: &Element) -> Option<Vector3<f64>> {
    let numbers: Vec<f64> = line
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let axis = |name: &str| {
        let place = element.properties.iter().position(|property| property == name)?;
        numbers.get(place).copied().filter(|value| value.is_finite())
    };
    Some(Vector3::new(axis("x")?, axis("y")?, axis("z")?))
}

/// A polygon as a fan of triangles about its first corner.
fn face(line: &str, faces: &mut Vec<[u32; 3]>) -> Option<()> {
    let mut words = line.split_whitespace();
    let count: usize = words.next()?.parse().ok()?;
    let ids: Vec<u32> = words.take(count).map(str::parse).collect::<Result<_, _>>().ok()?;
    if count < 3 || ids.len() != count {
        return None;
    }
    faces.extend(ids[1..].windows(2).map(|pair| [ids[0], pair[0], pair[1]]));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "ply\nformat ascii 1.0\ncomment a pyramid\nelement vertex 5\nproperty float x\n\
        property float y\nproperty float z\nelement face 5\nproperty list uchar int vertex_indices\nend_header\n\
        0 0 0\n1 0 0\n1 1 0\n0 1 0\n0.5 0.5 1\n4 3 2 1 0\n3 0 1 4\n3 1 2 4\n3 2 3 4\n3 3 0 4\n";

    #[test]
    fn a_pyramid_is_read_and_closed() {
        let mesh = parse(GOOD, Path::new("p.ply")).unwrap();
        assert_eq!((mesh.vertices.len(), mesh.faces.len()), (5, 6));
        mesh.check(false).unwrap();
    }

    #[test]
    fn damage_is_refused_with_its_line() {
        for (bad, expected) in [
            (GOOD.replacen("ply", "obj", 1), 1),
            (GOOD.replacen("ascii", "binary_little_endian", 1), 2),
            (GOOD.replacen("vertex 5", "vertex many", 1), 4),
            (GOOD.replacen("1 1 0", "1 x 0", 1), 13),
            (GOOD.replacen("1 1 0", "1 nan 0", 1), 13),
            (GOOD.replacen("3 1 2 4", "3 1 2", 1), 18),
            (GOOD.replacen("face 5", "face 6", 1), 20),
            (GOOD.replacen("face 5", "face 999999999", 1), 1),
        ] {
            match parse(&bad, Path::new("p.ply")).unwrap_err() {
                Error::Content { line, .. } => assert_eq!(line, expected, "{bad}"),
                other => panic!("{other}"),
            }
        }
        for cut in 0..GOOD.len() - 1 {
            let _ = parse(&GOOD[..cut], Path::new("p.ply"));
        }
    }
}
