//! Any PLY body, through `ply_rs_bw`, one element at a time: ASCII, lists, elements before the
//! vertices.

use std::io::{BufRead, Cursor, Read};

use ply_rs_bw::parser::Parser;
use ply_rs_bw::ply::{ElementDef, Encoding, Property, PropertyAccess, PropertyAccessResult};

use super::layout::Layout;
use crate::columns::{Columns, Role, Wrong, ring};
use crate::table::quoted;

/// The numbers of one element in the order of its properties; NaN stands for a list.
#[derive(Debug)]
pub(super) struct Values(Vec<f64>);

impl PropertyAccess for Values {
    fn new() -> Self {
        Values(Vec::with_capacity(8))
    }

    fn set_property(&mut self, _name: &str, property: Property) -> PropertyAccessResult {
        self.0.push(match property {
            Property::Char(value) => f64::from(value),
            Property::UChar(value) => f64::from(value),
            Property::Short(value) => f64::from(value),
            Property::UShort(value) => f64::from(value),
            Property::Int(value) => f64::from(value),
            Property::UInt(value) => f64::from(value),
            Property::Float(value) => f64::from(value),
            Property::Double(value) => value,
            _ => f64::NAN,
        });
        PropertyAccessResult::Set
    }
}

/// The columns of any PLY file.
pub(super) fn columns(bytes: &[u8], layout: &Layout) -> Result<Columns, Wrong> {
    let mut body = Cursor::new(&bytes[layout.body..]);
    let mut line = String::new();
    let header_lines = bytes[..layout.body].iter().filter(|byte| **byte == b'\n').count();
    let mut columns = Columns::default();
    let mut lines_read = 0;
    for element in layout.header.elements.values() {
        let is_vertex = element.name == "vertex";
        if element.properties.is_empty() && layout.header.encoding != Encoding::Ascii {
            continue; // No bytes, however many the header promises.
        }
        for index in 0..element.count {
            lines_read += 1;
            let values = next(&mut body, &mut line, layout.header.encoding, element).map_err(|found| {
                let place = match layout.header.encoding {
                    Encoding::Ascii => format!("line {}", header_lines + lines_read),
                    _ => format!("byte {}", layout.body as u64 + body.position()),
                };
                Wrong::new(
                    place,
                    format!("{} of {} of `{}`", index + 1, element.count, element.name),
                    found,
                )
            })?;
            if is_vertex {
                push(&mut columns, layout, &values.0, index)?;
            }
        }
        if is_vertex {
            break; // What follows the vertices is not used.
        }
    }
    let vertex_is_last = layout
        .header
        .elements
        .keys()
        .next_back()
        .is_some_and(|name| name == "vertex");
    if layout.header.encoding == Encoding::Ascii && vertex_is_last {
        let rest = &body.get_ref()[usize::try_from(body.position()).unwrap_or(0)..];
        if !rest.trim_ascii().is_empty() {
            let place = format!("line {}", header_lines + lines_read + 1);
            return Err(Wrong::new(
                place,
                format!("{} vertices", layout.count),
                "more lines",
            ));
        }
    }
    // A scan without points still has its columns.
    for chosen in &layout.chosen {
        match chosen.role {
            Role::Intensity => drop(columns.intensity.get_or_insert_default()),
            Role::Ring => drop(columns.ring.get_or_insert_default()),
            Role::Time(_) => columns.time = columns.time.take().or_else(|| chosen.time_column()),
            Role::X | Role::Y | Role::Z => {}
        }
    }
    Ok(columns)
}

fn next(
    body: &mut Cursor<&[u8]>,
    line: &mut String,
    encoding: Encoding,
    element: &ElementDef,
) -> Result<Values, String> {
    let parser = Parser::<Values>::new();
    let values = match encoding {
        Encoding::Ascii => {
            line.clear();
            let limit = body.get_ref().len() as u64;
            match body.by_ref().take(limit).read_line(line) {
                Ok(0) => return Err("the end of the file".into()),
                Ok(_) => parser
                    .read_ascii_element(line, element)
                    .or_else(|_| parser.read_ascii_element(&overflowing(line), element)),
                Err(error) => return Err(error.to_string()),
            }
        }
        Encoding::BinaryBigEndian => parser.read_big_endian_element(body, element),
        Encoding::BinaryLittleEndian => parser.read_little_endian_element(body, element),
    };
    values.map_err(|error| match encoding {
        Encoding::Ascii => quoted(line.trim_end()),
        _ => quoted(&error.to_string()),
    })
}

/// The line with `nan` and `inf`, which the parser does not know, as numbers too large for any
/// real type: they become infinite, and the point is left out.
fn overflowing(line: &str) -> String {
    let word = |word: &str| match word.trim_start_matches(['+', '-']).to_ascii_lowercase().as_str() {
        "nan" | "inf" | "infinity" => "1e999".to_owned(),
        _ => word.to_owned(),
    };
    line.split_ascii_whitespace()
        .map(word)
        .collect::<Vec<_>>()
        .join(" ")
}

fn push(columns: &mut Columns, layout: &Layout, values: &[f64], index: usize) -> Result<(), Wrong> {
    let mut bad = false;
    for chosen in &layout.chosen {
        let value = values.get(chosen.index).copied().unwrap_or(f64::NAN);
        match chosen.role {
            Role::X => columns.x.push(value as f32),
            Role::Y => columns.y.push(value as f32),
            Role::Z => columns.z.push(value as f32),
            Role::Intensity => columns.intensity.get_or_insert_default().push(value as f32),
            Role::Ring => {
                let ring = ring(value, index)?;
                bad |= ring.is_none();
                columns
                    .ring
                    .get_or_insert_default()
                    .push(ring.unwrap_or_default());
            }
            Role::Time(_) => {
                columns.time = columns.time.take().or_else(|| chosen.time_column());
                if let Some(time) = &mut columns.time {
                    time.numbers.push(value);
                }
            }
        }
    }
    columns.bad.push(bad);
    Ok(())
}
