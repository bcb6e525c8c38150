//! `sensor_msgs/PointCloud2`: points as rows of named numbers, one layout for all of a cloud.

use beluga_types::{LidarScan, Stamp};

use super::cdr::{Decoder, Encoder, Number, Wrong};
use crate::range::MAX_COORDINATE_M;
use crate::ros::Layout;
use crate::ros::point_cloud2::{MAX_POINT_BYTES, PointCloud2};

/// One column of a cloud: a name and a number for each point.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// The name of the field, as `x` or `intensity`.
    pub name: &'a str,
    /// The numbers.
    pub values: Values<'a>,
}

/// The numbers of a column, in the type they are written as.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// 8 bits without sign.
    U8(&'a [u8]),
    /// 16 bits without sign.
    U16(&'a [u16]),
    /// 32 bits without sign.
    U32(&'a [u32]),
    /// 32 bits with sign.
    I32(&'a [i32]),
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
}

impl Values<'_> {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Values::U8(values) => values.len(),
            Values::U16(values) => values.len(),
            Values::U32(values) => values.len(),
            Values::I32(values) => values.len(),
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of one number, and the code of its type.
    fn kind(&self) -> (usize, u8) {
        match self {
            Values::U8(_) => (1, 2),
            Values::U16(_) => (2, 4),
            Values::I32(_) => (4, 5),
            Values::U32(_) => (4, 6),
            Values::F32(_) => (4, 7),
            Values::F64(_) => (8, 8),
        }
    }

    fn fill(&self, data: &mut [u8], step: usize, offset: usize) {
        match self {
            Values::U8(values) => fill(data, values, step, offset),
            Values::U16(values) => fill(data, values, step, offset),
            Values::U32(values) => fill(data, values, step, offset),
            Values::I32(values) => fill(data, values, step, offset),
            Values::F32(values) => fill(data, values, step, offset),
            Values::F64(values) => fill(data, values, step, offset),
        }
    }
}

fn fill<T: Number>(data: &mut [u8], values: &[T], step: usize, offset: usize) {
    for (row, value) in data.chunks_exact_mut(step).zip(values) {
        value.put(&mut row[offset..offset + T::SIZE]);
    }
}

/// Writes `std_msgs/Header`. Its seconds have 32 bits: times outside 1901 to 2038 are clamped, and
/// the true one stands beside it.
pub(super) fn put_header(encoder: &mut Encoder, stamp: Stamp, frame: &str) {
    const SECOND: i64 = 1_000_000_000;
    let seconds = stamp.nanos().div_euclid(SECOND);
    encoder.put(seconds.clamp(i32::MIN.into(), i32::MAX.into()) as i32);
    encoder.put(stamp.nanos().rem_euclid(SECOND) as u32);
    encoder.text(frame);
}

/// A cloud of these columns, which have one length, at most 32 bits of it. Rows are packed, each
/// number at a multiple of its size if the columns come from wide to narrow.
pub(super) fn put(encoder: &mut Encoder, stamp: Stamp, frame: &str, columns: &[Column<'_>]) {
    let points = columns.first().map_or(0, |column| column.values.len());
    put_header(encoder, stamp, frame);
    encoder.put(1u32);
    encoder.count(points);
    encoder.count(columns.len());
    let mut offsets = Vec::with_capacity(columns.len());
    let mut end = 0;
    for column in columns {
        let (size, code) = column.values.kind();
        encoder.text(column.name);
        encoder.count(end);
        encoder.put(code);
        encoder.put(1u32);
        offsets.push(end);
        end += size;
    }
    let step = end.next_multiple_of(4);
    encoder.flag(false);
    encoder.count(step);
    encoder.count(step * points);
    encoder.bytes(step * points, |data| {
        for (column, offset) in columns.iter().zip(offsets) {
            column.values.fill(data, step, offset);
        }
    });
    encoder.flag(true);
}

/// Writes a scan as a cloud; columns it lacks are left out.
pub(super) fn put_scan(encoder: &mut Encoder, stamp: Stamp, frame: &str, scan: &LidarScan) {
    let columns = [
        Some(("x", Values::F32(scan.x()))),
        Some(("y", Values::F32(scan.y()))),
        Some(("z", Values::F32(scan.z()))),
        scan.intensity().map(|values| ("intensity", Values::F32(values))),
        scan.offset_nanos()
            .map(|values| ("offset_nanos", Values::I32(values))),
        scan.ring().map(|values| ("ring", Values::U16(values))),
    ];
    let columns: Vec<Column<'_>> = columns
        .into_iter()
        .flatten()
        .map(|(name, values)| Column { name, values })
        .collect();
    put(encoder, stamp, frame, &columns);
}

/// Reads a cloud as [`put_scan`] writes it: little endian, one height, our fields in our types.
pub(super) fn get_scan(decoder: &mut Decoder<'_>) -> Result<LidarScan, Wrong> {
    let cloud = PointCloud2::get(decoder, Layout::Cdr)?;
    if cloud.height != 1 {
        return Err(Wrong::Value("a cloud of one row with at most 256 fields"));
    }
    let length = cloud.data.len();
    let whole = cloud.width.checked_mul(cloud.point_step) == Some(length) && cloud.row_step == length;
    if cloud.is_big_endian || !whole || !(1..=MAX_POINT_BYTES).contains(&cloud.point_step) {
        return Err(Wrong::Value("as many little-endian rows as the cloud is wide"));
    }
    let needed = |name, code| column::<f32>(&cloud, name, code)?.ok_or(Wrong::Value("the fields x, y and z"));
    let (x, y, z) = (needed("x", 7)?, needed("y", 7)?, needed("z", 7)?);
    let far = |value: &f32| value.abs() > MAX_COORDINATE_M;
    if [&x, &y, &z].into_iter().flatten().any(far) {
        return Err(Wrong::Value("points within 1000 km"));
    }
    let mut scan = LidarScan::new(x, y, z)?;
    if let Some(intensity) = column(&cloud, "intensity", 7)? {
        scan = scan.with_intensity(intensity)?;
    }
    if let Some(offsets) = column(&cloud, "offset_nanos", 5)? {
        scan = scan.with_offset_nanos(offsets)?;
    }
    if let Some(ring) = column(&cloud, "ring", 4)? {
        scan = scan.with_ring(ring)?;
    }
    Ok(scan)
}

/// The numbers of a field, which must be of this type; nothing if there is no such field.
fn column<T: Number>(cloud: &PointCloud2<'_>, name: &str, code: u8) -> Result<Option<Vec<T>>, Wrong> {
    let Some(field) = cloud.fields.iter().find(|field| field.name == name) else {
        return Ok(None);
    };
    let misfit = Wrong::Value("each field in its own type and inside its row");
    let fits =
        field.code == code && field.count == 1 && field.offset.saturating_add(T::SIZE) <= cloud.point_step;
    if !fits {
        return Err(misfit);
    }
    let points = cloud.points(&[*field]).map_err(|_| misfit)?;
    Ok(Some(points.column(field, |value| value)))
}
