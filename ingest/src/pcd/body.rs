//! The points of a PCD file, column by column.

use super::header::{Encoding, Field, Header, Scalar};
use super::lzf;
use crate::cloud::Cloud;
use crate::columns::{Columns, Role, TimeColumn, TimeNumbers, Wrong, marked, ring};
use crate::table::quoted;

/// The scan of a file with this header.
pub(super) fn cloud(header: &Header, bytes: &[u8], period_nanos: Option<i64>) -> Result<Cloud, Wrong> {
    let body = &bytes[header.body..];
    match header.encoding {
        Encoding::Ascii => from_table(header, &Table::read(header, body)?, period_nanos),
        Encoding::Binary => {
            let (found, stride) = (body.len(), header.stride);
            // A writer may fill a page after the last point, never with a whole point's worth less.
            if found < needed(header)? {
                let expected = format!("{} points of {stride} bytes", header.points);
                return Err(Wrong::new("body", expected, format!("{found} bytes")));
            }
            if found - needed(header)? >= stride.max(1) {
                let expected = format!("{} points, {} bytes", header.points, needed(header)?);
                return Err(Wrong::new("body", expected, format!("{found} bytes")));
            }
            from_table(
                header,
                &Table::Rows(&body[..needed(header)?], stride),
                period_nanos,
            )
        }
        Encoding::Compressed => {
            let plain = unpacked(header, body)?;
            from_table(header, &Table::Columns(plain), period_nanos)
        }
    }
}

fn needed(header: &Header) -> Result<usize, Wrong> {
    header.stride.checked_mul(header.points).ok_or_else(|| {
        let expected = format!("{} points of {} bytes", header.points, header.stride);
        Wrong::new("body", expected, "a file")
    })
}

fn unpacked(header: &Header, body: &[u8]) -> Result<Vec<u8>, Wrong> {
    let length = |at: usize| {
        let bytes = body.get(at..at + 4)?.first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let (Some(packed), Some(plain)) = (length(0), length(4)) else {
        return Err(Wrong::new(
            "body",
            "two lengths of four bytes",
            format!("{} bytes", body.len()),
        ));
    };
    let needed = needed(header)?;
    if plain != needed {
        let expected = format!("{needed} bytes of {} points", header.points);
        return Err(Wrong::new("body", expected, format!("{plain}")));
    }
    let Some(bytes) = body[8..].get(..packed) else {
        let found = format!("{}", body.len() - 8);
        return Err(Wrong::new("body", format!("{packed} packed bytes"), found));
    };
    let damaged = || {
        Wrong::new(
            "body",
            format!("{plain} bytes packed by LZF"),
            "other packed bytes",
        )
    };
    if !lzf::can_hold(packed, plain) {
        return Err(damaged());
    }
    if plain > lzf::most(packed) {
        let expected = format!("at most {} bytes packed in {packed}", lzf::most(packed));
        return Err(Wrong::new("body", expected, format!("{plain}")));
    }
    lzf::unpack(bytes, plain).ok_or_else(damaged)
}

/// Where the numbers of a field lie.
enum Table<'a> {
    /// Point after point, this many bytes each.
    Rows(&'a [u8], usize),
    /// Field after field.
    Columns(Vec<u8>),
    /// Words of text as numbers, one vector for each used field in the order of `chosen`.
    Text(Vec<Vec<f64>>),
}

impl Table<'_> {
    /// The numbers of a text.
    fn read(header: &Header, body: &[u8]) -> Result<Self, Wrong> {
        let chosen = header.chosen()?;
        let words: usize = header.fields.iter().map(|field| field.count).sum();
        let mut columns = vec![Vec::new(); chosen.len()];
        let mut count = 0;
        for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
            let place = || format!("line {}", header.lines + number + 1);
            let line = String::from_utf8_lossy(line);
            let found: Vec<&str> = line.split_ascii_whitespace().collect();
            if found.is_empty() {
                continue;
            }
            if count == header.points {
                return Err(Wrong::new(place(), format!("{count} points"), "more lines"));
            }
            if found.len() != words {
                return Err(Wrong::new(
                    place(),
                    format!("{words} numbers"),
                    quoted(line.trim()),
                ));
            }
            for ((_, field), column) in chosen.iter().zip(&mut columns) {
                let word = found[field.index];
                let value = word.parse().map_err(|_| {
                    Wrong::new(place(), format!("a number for `{}`", field.name), quoted(word))
                })?;
                column.push(value);
            }
            count += 1;
        }
        if count != header.points {
            return Err(Wrong::new(
                "body",
                format!("{} points", header.points),
                format!("{count}"),
            ));
        }
        Ok(Table::Text(columns))
    }

    /// The bytes of a field, point after point.
    fn fields<'s>(&'s self, field: &Field, points: usize) -> impl Iterator<Item = &'s [u8]> {
        let (bytes, stride, offset): (&[u8], _, _) = match self {
            Table::Rows(bytes, stride) => (bytes, *stride, field.offset),
            Table::Columns(bytes) => {
                let start = field.offset * points;
                (&bytes[start..start + field.bytes * points], field.bytes, 0)
            }
            Table::Text(_) => (&[], 1, 0),
        };
        bytes
            .chunks_exact(stride.max(1))
            .map(move |point| &point[offset..])
    }

    /// The numbers of the used field that stands at `place` among them.
    fn numbers(&self, field: &Field, place: usize, points: usize) -> Vec<f64> {
        match self {
            Table::Text(columns) => columns[place].clone(),
            _ => self
                .fields(field, points)
                .map(|bytes| number(bytes, field.scalar))
                .collect(),
        }
    }

    fn reals(&self, field: &Field, place: usize, points: usize) -> Vec<f32> {
        match (self, field.scalar) {
            (Table::Text(columns), _) => columns[place].iter().map(|value| *value as f32).collect(),
            (_, Scalar::F32) => self
                .fields(field, points)
                .map(|bytes| f32::from_le_bytes(first(bytes)))
                .collect(),
            (_, scalar) => self
                .fields(field, points)
                .map(|bytes| number(bytes, scalar) as f32)
                .collect(),
        }
    }
}

fn from_table(header: &Header, table: &Table, period_nanos: Option<i64>) -> Result<Cloud, Wrong> {
    let points = header.points;
    let mut columns = Columns {
        bad: vec![false; points],
        ..Columns::default()
    };
    for (place, (role, field)) in header.chosen()?.into_iter().enumerate() {
        let numbers = || table.numbers(field, place, points).into_iter();
        match role {
            Role::X => columns.x = table.reals(field, place, points),
            Role::Y => columns.y = table.reals(field, place, points),
            Role::Z => columns.z = table.reals(field, place, points),
            Role::Intensity => columns.intensity = Some(table.reals(field, place, points)),
            Role::Ring => {
                let rings = numbers().enumerate().map(|(index, value)| ring(value, index));
                columns.ring = Some(marked(rings, &mut columns.bad)?);
            }
            Role::Time(said) => {
                columns.time = Some(TimeColumn {
                    name: field.name.clone(),
                    said,
                    numbers: times(table, field, place, points),
                });
            }
        }
    }
    columns.cloud(0, period_nanos)
}

/// The numbers of a time field: whole ones of 8 bytes do not fit an `f64`.
fn times(table: &Table, field: &Field, place: usize, points: usize) -> TimeNumbers {
    let is_text = matches!(table, Table::Text(_));
    match field.scalar {
        Scalar::F32 => TimeNumbers::F32(table.reals(field, place, points)),
        Scalar::F64 => TimeNumbers::F64(table.numbers(field, place, points)),
        Scalar::I64 if !is_text => {
            let nanos = |bytes| i64::from_le_bytes(first(bytes));
            TimeNumbers::Whole(table.fields(field, points).map(nanos).collect())
        }
        Scalar::U64 if !is_text => {
            let nanos = |bytes| i64::try_from(u64::from_le_bytes(first(bytes))).unwrap_or(i64::MAX);
            TimeNumbers::Whole(table.fields(field, points).map(nanos).collect())
        }
        _ => {
            let mut whole = TimeNumbers::Whole(Vec::with_capacity(points));
            table
                .numbers(field, place, points)
                .into_iter()
                .for_each(|value| whole.push(value));
            whole
        }
    }
}

/// One number of any type. Whole numbers above 2⁵³ lose their last digits; no field that is used
/// this way holds such.
fn number(bytes: &[u8], scalar: Scalar) -> f64 {
    match scalar {
        Scalar::I8 => f64::from(i8::from_le_bytes(first(bytes))),
        Scalar::I16 => f64::from(i16::from_le_bytes(first(bytes))),
        Scalar::I32 => f64::from(i32::from_le_bytes(first(bytes))),
        Scalar::I64 => i64::from_le_bytes(first(bytes)) as f64,
        Scalar::U8 => f64::from(u8::from_le_bytes(first(bytes))),
        Scalar::U16 => f64::from(u16::from_le_bytes(first(bytes))),
        Scalar::U32 => f64::from(u32::from_le_bytes(first(bytes))),
        Scalar::U64 => u64::from_le_bytes(first(bytes)) as f64,
        Scalar::F32 => f64::from(f32::from_le_bytes(first(bytes))),
        Scalar::F64 => f64::from_le_bytes(first(bytes)),
    }
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes
        .first_chunk()
        .expect("a field lies inside its point, whose stride is the sum of its fields")
}
