//! What a PLY header says: where the vertices lie and which of their properties are used.

use std::io::Cursor;
use std::path::Path;

use ply_rs_bw::parser::{Parser, Reader};
use ply_rs_bw::ply::{ElementDef, Encoding, Header, PropertyType, ScalarType};

use super::DROPPED;
use super::general::Values;
use crate::columns::{Role, TimeColumn, TimeNumbers, Wrong};
use crate::error::Error;
use crate::point_times::{Said, TIME_FIELDS, Unit};
use crate::table::quoted;

/// The longest header that is read, in bytes.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// One property that is used.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) role: Role,
    /// Its name, in lower case.
    pub(super) name: &'static str,
    /// Its place among the vertex's properties.
    pub(super) index: usize,
    /// Bytes from the vertex's start; meaningful if the stride is fixed.
    pub(super) offset: usize,
    pub(super) scalar: ScalarType,
}

impl Chosen {
    /// An empty column for it, if it tells the points' times.
    pub(super) fn time_column(&self) -> Option<TimeColumn> {
        let Role::Time(said) = self.role else {
            return None;
        };
        Some(TimeColumn {
            name: self.name.to_owned(),
            said,
            numbers: match self.scalar {
                ScalarType::Float => TimeNumbers::F32(Vec::new()),
                ScalarType::Double => TimeNumbers::F64(Vec::new()),
                _ => TimeNumbers::Whole(Vec::new()),
            },
        })
    }
}

/// What a header says.
pub(super) struct Layout {
    pub(super) header: Header,
    /// Where the body starts, in bytes.
    pub(super) body: usize,
    /// Where the vertices start, in bytes; meaningful if the stride is fixed.
    pub(super) vertices: usize,
    /// Bytes from one vertex to the next, if that and their start are fixed.
    pub(super) stride: Option<usize>,
    pub(super) count: usize,
    pub(super) chosen: Vec<Chosen>,
    /// Points that were left out before this file was written.
    pub(super) dropped: u32,
}

impl Layout {
    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        Self::of(bytes).map_err(|wrong| Error::bad(path, wrong.place, wrong.expected, wrong.found))
    }

    fn of(bytes: &[u8]) -> Result<Self, Wrong> {
        if !bytes.starts_with(b"ply") {
            let found = quoted(&String::from_utf8_lossy(&bytes[..bytes.len().min(8)]));
            return Err(Wrong::new("byte 0", "`ply`", found));
        }
        let mut reader = Reader::new(Cursor::new(&bytes[..bytes.len().min(MAX_HEADER_BYTES)]));
        let header = Parser::<Values>::new()
            .read_header(&mut reader)
            .map_err(|error| Wrong::new("header", "a PLY header", quoted(&error.to_string())))?;
        let body = usize::try_from(reader.get_ref().position()).unwrap_or(bytes.len());
        check_names(&header, &bytes[..body])?;
        let Some(vertex) = header.elements.get("vertex") else {
            return Err(Wrong::new("header", "an element `vertex`", "none"));
        };
        let layout = Self {
            body,
            vertices: 0,
            stride: None,
            count: vertex.count,
            chosen: choose(vertex)?,
            dropped: dropped(&header),
            header,
        };
        layout.placed(bytes)
    }

    /// With the place of the vertices; refuses counts that the file's size contradicts before
    /// anybody takes memory for them.
    fn placed(mut self, bytes: &[u8]) -> Result<Self, Wrong> {
        let ascii = self.header.encoding == Encoding::Ascii;
        let mut fixed = !ascii;
        let mut needed = self.body as u128;
        for element in self.header.elements.values() {
            let least: u128 = element
                .properties
                .values()
                .map(|property| least_bytes(&property.data_type, ascii) as u128)
                .sum();
            fixed &= !has_list(element);
            let start = needed;
            // The last line of an ASCII file may lack its end.
            needed += (least * element.count as u128).saturating_sub(u128::from(ascii));
            if needed > bytes.len() as u128 && (element.name == "vertex" || self.stride.is_none()) {
                let expected = format!(
                    "at least {needed} bytes for {} of `{}`",
                    element.count, element.name
                );
                return Err(Wrong::new("body", expected, format!("{}", bytes.len())));
            }
            if element.name == "vertex" {
                self.vertices = usize::try_from(start).unwrap_or(bytes.len());
                self.stride = fixed.then_some(usize::try_from(least).unwrap_or(0));
            }
        }
        if let Some(stride) = self.stride.filter(|_| fixed)
            && bytes.len() as u128 >= needed + stride as u128
        {
            let expected = format!("{needed} bytes for {} vertices", self.count);
            return Err(Wrong::new("body", expected, format!("{}", bytes.len())));
        }
        Ok(self)
    }
}

/// `ply_rs_bw` keeps one of two equal names, which would shift every byte after it.
fn check_names(header: &Header, text: &[u8]) -> Result<(), Wrong> {
    let said = |word: &[u8]| {
        text.split(|byte| matches!(byte, b'\n' | b'\r'))
            .filter(|line| line.starts_with(word))
            .count()
    };
    let properties: usize = header
        .elements
        .values()
        .map(|element| element.properties.len())
        .sum();
    if said(b"element ") != header.elements.len() || said(b"property ") != properties {
        return Err(Wrong::new(
            "header",
            "each element and property once",
            "a name twice",
        ));
    }
    Ok(())
}

fn choose(vertex: &ElementDef) -> Result<Vec<Chosen>, Wrong> {
    let find = |names: &'static [&'static str]| {
        names.iter().find_map(|name| {
            let mut offset = 0;
            for (index, property) in vertex.properties.values().enumerate() {
                if let PropertyType::Scalar(scalar) = &property.data_type
                    && property.name.eq_ignore_ascii_case(name)
                {
                    return Some((index, offset, scalar.clone(), *name));
                }
                offset += least_bytes(&property.data_type, false);
            }
            None
        })
    };
    let mut chosen = Vec::new();
    for (role, names) in [
        (Role::X, &["x"][..]),
        (Role::Y, &["y"]),
        (Role::Z, &["z"]),
        (Role::Intensity, &["intensity", "reflectance", "scalar_intensity"]),
        (Role::Ring, &["ring", "scalar_ring"]),
        (Role::Time(Said::Exactly(Unit::Nanoseconds)), &TIME_FIELDS),
    ] {
        match find(names) {
            Some((index, offset, scalar, name)) => {
                let real = matches!(scalar, ScalarType::Float | ScalarType::Double);
                let role = match role {
                    Role::Time(said) => Role::Time(Said::of(name, real).unwrap_or(said)),
                    role => role,
                };
                chosen.push(Chosen {
                    role,
                    name,
                    index,
                    offset,
                    scalar,
                });
            }
            None if matches!(role, Role::X | Role::Y | Role::Z) => {
                let names: Vec<&str> = vertex.properties.keys().map(String::as_str).collect();
                let expected = format!("a number `{}` in `vertex`", names_of(role));
                return Err(Wrong::new("header", expected, quoted(&names.join(" "))));
            }
            None => {}
        }
    }
    Ok(chosen)
}

fn names_of(role: Role) -> &'static str {
    match role {
        Role::X => "x",
        Role::Y => "y",
        _ => "z",
    }
}

fn dropped(header: &Header) -> u32 {
    let count = |line: &String| line.strip_prefix(DROPPED)?.trim().parse().ok();
    header.obj_infos.iter().find_map(count).unwrap_or(0)
}

fn has_list(element: &ElementDef) -> bool {
    let is_list = |data_type: &PropertyType| matches!(data_type, PropertyType::List(..));
    element
        .properties
        .values()
        .any(|property| is_list(&property.data_type))
}

/// The fewest bytes a property takes: its size in binary, a digit and a separator in ASCII.
fn least_bytes(data_type: &PropertyType, ascii: bool) -> usize {
    match data_type {
        _ if ascii => 2,
        PropertyType::Scalar(scalar) => size(scalar),
        PropertyType::List(count, _) => size(count),
    }
}

fn size(scalar: &ScalarType) -> usize {
    match scalar {
        ScalarType::Char | ScalarType::UChar => 1,
        ScalarType::Short | ScalarType::UShort => 2,
        ScalarType::Int | ScalarType::UInt | ScalarType::Float => 4,
        ScalarType::Double => 8,
    }
}
