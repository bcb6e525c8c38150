//! Vertices of a fixed stride, straight from the bytes, column by column.

use ply_rs_bw::ply::{Encoding, ScalarType};

use super::layout::{Chosen, Layout};
use crate::columns::{Columns, Role, Wrong, marked, ring};

/// The columns of a binary file whose vertices have a fixed stride and start.
pub(super) fn columns(bytes: &[u8], layout: &Layout, stride: usize) -> Result<Columns, Wrong> {
    // The header has been checked against the file's size.
    let body = bytes
        .get(layout.vertices..layout.vertices + stride * layout.count)
        .ok_or_else(|| Wrong::new("body", format!("{} vertices", layout.count), "fewer"))?;
    let big = layout.header.encoding == Encoding::BinaryBigEndian;
    let mut columns = Columns {
        bad: vec![false; layout.count],
        ..Columns::default()
    };
    for chosen in &layout.chosen {
        let fields = || body.chunks_exact(stride).map(|vertex| &vertex[chosen.offset..]);
        match chosen.role {
            Role::X => columns.x = reals(fields(), chosen, big),
            Role::Y => columns.y = reals(fields(), chosen, big),
            Role::Z => columns.z = reals(fields(), chosen, big),
            Role::Intensity => columns.intensity = Some(reals(fields(), chosen, big)),
            Role::Ring => {
                let value = |(index, field)| ring(number(field, &chosen.scalar, big), index);
                let rings = fields().enumerate().map(value);
                columns.ring = Some(marked(rings, &mut columns.bad)?);
            }
            Role::Time(_) => {
                columns.time = chosen.time_column();
                if let Some(time) = &mut columns.time {
                    fields().for_each(|field| time.numbers.push(number(field, &chosen.scalar, big)));
                }
            }
        }
    }
    Ok(columns)
}

fn reals<'a>(fields: impl Iterator<Item = &'a [u8]>, chosen: &Chosen, big: bool) -> Vec<f32> {
    match (&chosen.scalar, big) {
        (ScalarType::Float, false) => fields.map(|field| f32::from_le_bytes(first(field))).collect(),
        (scalar, big) => fields.map(|field| number(field, scalar, big) as f32).collect(),
    }
}

/// One number of any type; all of them fit `f64` exactly.
fn number(field: &[u8], scalar: &ScalarType, big: bool) -> f64 {
    macro_rules! take {
        ($kind:ty) => {
            f64::from(if big {
                <$kind>::from_be_bytes(first(field))
            } else {
                <$kind>::from_le_bytes(first(field))
            })
        };
    }
    match scalar {
        ScalarType::Char => take!(i8),
        ScalarType::UChar => take!(u8),
        ScalarType::Short => take!(i16),
        ScalarType::UShort => take!(u16),
        ScalarType::Int => take!(i32),
        ScalarType::UInt => take!(u32),
        ScalarType::Float => take!(f32),
        ScalarType::Double => take!(f64),
    }
}

fn first<const N: usize>(field: &[u8]) -> [u8; N] {
    *field
        .first_chunk()
        .expect("a field lies inside its vertex, whose stride is the sum of its fields")
}
