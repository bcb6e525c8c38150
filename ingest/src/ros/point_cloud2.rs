//! `sensor_msgs/PointCloud2`: points as rows of named numbers, one layout for all of a cloud.
//!
//! A field says its name, where in a point it begins, its type and how many numbers it has; points
//! follow each other every `point_step` bytes and rows of them every `row_step`. All three may
//! have been filled in wrongly or not at all by a driver that never looks at them, so the layout is
//! checked against the bytes that are there, and put right where only one is possible:
//!
//! - no points (width or height zero): an empty cloud, whatever the steps say;
//! - a `point_step` of zero, too short for the fields that are used, or too long for the data: the
//!   row's length by the width, or else that of the data by the number of points;
//! - a `row_step` shorter than its points, or too long for the data: rows without padding.
//!
//! Source: `sensor_msgs/msg/PointCloud2` and `PointField` of ROS 2 `common_interfaces` 5.3.

use beluga_types::Stamp;

use super::{Layout, header};
use crate::columns::Wrong;
use crate::tape::cdr::{self, Decoder, Number};

/// The most fields a cloud may have.
const MAX_FIELDS: usize = 256;
/// The longest point, in bytes.
pub(crate) const MAX_POINT_BYTES: usize = 65_536;

/// A cloud as its message has it; the points stay where they are.
#[derive(Clone, Debug)]
pub(crate) struct PointCloud2<'a> {
    /// Nothing where the header's time is zero.
    pub(crate) stamp: Option<Stamp>,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) is_big_endian: bool,
    pub(crate) point_step: usize,
    pub(crate) row_step: usize,
    pub(crate) data: &'a [u8],
}

/// One field of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    /// Bytes from the point's start.
    pub(crate) offset: usize,
    /// Code of the type; see [`Scalar`].
    pub(crate) code: u8,
    /// How many numbers it has; at least 1.
    pub(crate) count: usize,
}

/// The type of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Scalar {
    /// The type of this code.
    pub(crate) fn of(code: u8) -> Option<Self> {
        use Scalar::{F32, F64, I8, I16, I32, U8, U16, U32};
        [I8, U8, I16, U16, I32, U32, F32, F64]
            .get(usize::from(code).checked_sub(1)?)
            .copied()
    }

    /// Bytes of a number.
    pub(crate) const fn size(self) -> usize {
        match self {
            Scalar::I8 | Scalar::U8 => 1,
            Scalar::I16 | Scalar::U16 => 2,
            Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
            Scalar::F64 => 8,
        }
    }

    /// Whether its numbers are whole.
    pub(crate) const fn is_whole(self) -> bool {
        !matches!(self, Scalar::F32 | Scalar::F64)
    }
}

impl Field<'_> {
    /// Where its first number ends; nothing if its type is none.
    fn end(&self) -> Option<usize> {
        Scalar::of(self.code).map(|scalar| self.offset.saturating_add(scalar.size()))
    }

    /// Where its last number ends.
    fn whole_end(&self) -> Option<usize> {
        let bytes = Scalar::of(self.code)?.size().saturating_mul(self.count);
        Some(self.offset.saturating_add(bytes))
    }
}

impl<'a> PointCloud2<'a> {
    /// Reads a message up to its points.
    pub(crate) fn get(decoder: &mut Decoder<'a>, layout: Layout) -> Result<Self, cdr::Wrong> {
        let stamp = header::stamp(decoder, layout)?;
        let (height, width): (u32, u32) = (decoder.get()?, decoder.get()?);
        let count = decoder.count(13)?;
        if count > MAX_FIELDS {
            return Err(cdr::Wrong::Value("a cloud of at most 256 fields"));
        }
        let fields = (0..count).map(|_| field(decoder)).collect::<Result<_, _>>()?;
        let is_big_endian = decoder.get::<u8>()? != 0;
        let (point_step, row_step): (u32, u32) = (decoder.get()?, decoder.get()?);
        Ok(Self {
            stamp,
            height: height as usize,
            width: width as usize,
            fields,
            is_big_endian,
            point_step: point_step as usize,
            row_step: row_step as usize,
            data: decoder.bytes()?,
        })
    }

    /// The first field of this name; case does not matter.
    pub(crate) fn field(&self, name: &str) -> Option<Field<'a>> {
        let named = |field: &&Field<'a>| field.name.eq_ignore_ascii_case(name);
        self.fields.iter().find(named).copied()
    }

    /// The points, of which these fields are used.
    ///
    /// # Errors
    /// If a used field has no known type, or the steps and sizes fit the data in no way.
    pub(crate) fn points(&self, used: &[Field<'_>]) -> Result<Points<'a>, Wrong> {
        let mut extent = 1;
        for field in used {
            let end = field.end().ok_or_else(|| {
                let place = format!("field `{}`", field.name);
                Wrong::new(place, "a datatype of 1 to 8", format!("{}", field.code))
            })?;
            extent = extent.max(end);
        }
        let empty = Points {
            data: &[],
            step: extent,
            width: 0,
            row: extent,
            is_big_endian: self.is_big_endian,
        };
        let Some(count) = self.width.checked_mul(self.height).filter(|count| *count > 0) else {
            return match self.width.checked_mul(self.height) {
                Some(_) => Ok(empty),
                None => Err(self.misfit(extent)),
            };
        };
        let by_row = self.row_step / self.width;
        let by_data = self.data.len() / count;
        let whole_row = self.row_step.is_multiple_of(self.width);
        let whole_data = self.data.len().is_multiple_of(count);
        // A step that is made up must have room for every field, not only for those that are used.
        let all = self
            .fields
            .iter()
            .filter_map(Field::whole_end)
            .fold(extent, usize::max);
        let step = [
            (self.point_step, true, extent),
            (by_row, whole_row, all),
            (by_data, whole_data, all),
        ]
        .into_iter()
        .filter(|(step, is_whole, least)| *is_whole && (*least..=MAX_POINT_BYTES).contains(step))
        .map(|(step, ..)| step)
        .find(|step| self.holds(*step, step * self.width));
        let Some(step) = step else {
            return Err(self.misfit(extent));
        };
        let packed = step * self.width;
        let row = match self.row_step >= packed && self.holds(step, self.row_step) {
            true => self.row_step,
            false => packed,
        };
        Ok(Points {
            data: &self.data[..row * (self.height - 1) + packed],
            step,
            width: packed,
            row,
            is_big_endian: self.is_big_endian,
        })
    }

    /// Whether the data are long enough for rows of this length.
    fn holds(&self, step: usize, row: usize) -> bool {
        let before = row.checked_mul(self.height.saturating_sub(1));
        let last = step.checked_mul(self.width);
        let needed = before
            .zip(last)
            .and_then(|(before, last)| before.checked_add(last));
        needed.is_some_and(|needed| needed <= self.data.len())
    }

    fn misfit(&self, extent: usize) -> Wrong {
        let expected = format!(
            "{} × {} points of at least {extent} bytes",
            self.width, self.height
        );
        let found = format!(
            "{} bytes, point_step {}, row_step {}",
            self.data.len(),
            self.point_step,
            self.row_step
        );
        Wrong::new("cloud", expected, found)
    }
}

fn field<'a>(decoder: &mut Decoder<'a>) -> Result<Field<'a>, cdr::Wrong> {
    let name = decoder.bytes()?;
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    Ok(Field {
        // A name that is no text is none that is looked for.
        name: std::str::from_utf8(&name[..end]).unwrap_or_default(),
        offset: decoder.get::<u32>()? as usize,
        code: decoder.get()?,
        // Old writers left zero, which their readers took as one.
        count: decoder.get::<u32>()?.max(1) as usize,
    })
}

/// Points whose layout has been checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Points<'a> {
    data: &'a [u8],
    step: usize,
    /// Bytes of the points of a row, and from row to row.
    width: usize,
    row: usize,
    is_big_endian: bool,
}

impl<'a> Points<'a> {
    /// The bytes of each point, row after row.
    fn each(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (width, step) = (self.width, self.step);
        self.data
            .chunks(self.row)
            .flat_map(move |row| row[..width.min(row.len())].chunks_exact(step))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        match self.data.len() {
            0 => 0,
            length => length.div_ceil(self.row) * (self.width / self.step),
        }
    }

    /// The first number of this field of each point, as a real number; all types are held exactly.
    ///
    /// The field is one of those the points were checked for.
    pub(crate) fn values<T>(&self, field: &Field<'_>, make: impl Fn(f64) -> T) -> Vec<T> {
        match Scalar::of(field.code) {
            Some(Scalar::I8) => self.column(field, |value: i8| make(value.into())),
            Some(Scalar::U8) => self.column(field, |value: u8| make(value.into())),
            Some(Scalar::I16) => self.column(field, |value: i16| make(value.into())),
            Some(Scalar::U16) => self.column(field, |value: u16| make(value.into())),
            Some(Scalar::I32) => self.column(field, |value: i32| make(value.into())),
            Some(Scalar::U32) => self.column(field, |value: u32| make(value.into())),
            Some(Scalar::F32) => self.column(field, |value: f32| make(value.into())),
            Some(Scalar::F64) => self.column(field, &make),
            None => Vec::new(),
        }
    }

    /// The first number of this field of each point, in the type it is written in.
    ///
    /// The field is one of those the points were checked for.
    pub(crate) fn column<N: Number, T>(&self, field: &Field<'_>, make: impl Fn(N) -> T) -> Vec<T> {
        let read = match self.is_big_endian {
            true => N::get_big,
            false => N::get,
        };
        let place = field.offset..field.offset + N::SIZE;
        let mut values = Vec::with_capacity(self.count());
        values.extend(self.each().map(|point| make(read(&point[place.clone()]))));
        values
    }
}

#[cfg(test)]
mod tests;
