//! Frames as Arrow: what a record keeps, and what pyarrow, polars and DuckDB read.
//!
//! A frame is three Arrow IPC *streams*, each with one record batch: `frame` (one row), `points`
//! and `arcs` (one row each). The same frame gives the same bytes, on any machine and at any
//! time, so these streams are what records seal and what tests compare; see [`encode`].
//!
//! Columns carry their unit and space in the field metadata (`unit`, `space`; `values` where a
//! number stands for a word), the schema carries `beluga.schema` = [`SCHEMA`] and `beluga.table`.
//! Poses are rotation (Hamilton quaternion, w x y z) and translation; covariances are row-major,
//! rotation (rad) before translation (m). Times are nanoseconds since the Unix epoch.

mod arcs;
mod columns;
mod error;
mod files;
mod lengths;
mod points;
mod row;
#[cfg(test)]
pub(crate) mod specimen;
mod stream;

use std::sync::LazyLock;

use arrow_schema::{DataType, SchemaRef};
use beluga_types::{ArcTable, PointTable, SolidarFrame};

pub use error::Error;
pub use files::ArrowFiles;

use crate::frame_bytes::FrameBytes;

/// What the schema metadata of every table says under `beluga.schema`.
pub const SCHEMA: &str = "solidar-frame v1";

/// Most rows a table is read with; one frame of the largest lidars has about 300 000 points.
pub const MAX_ROWS: usize = 1 << 24;

/// The schemas as this version writes them, made by encoding nothing.
static SCHEMAS: LazyLock<Option<Schemas>> = LazyLock::new(|| {
    Some(Schemas {
        frame: row::batch(&row::empty_frame()).ok()?.schema(),
        points: points::batch(&PointTable::default()).ok()?.schema(),
        arcs: arcs::batch(&ArcTable::default()).ok()?.schema(),
    })
});

struct Schemas {
    frame: SchemaRef,
    points: SchemaRef,
    arcs: SchemaRef,
}

fn schemas() -> &'static Schemas {
    SCHEMAS
        .as_ref()
        .expect("an empty frame has columns of equal length, which is all that can be wrong")
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As it stands in the stream.
    pub name: String,
    /// What its values are in JSON: `integer`, `number`, `boolean`, `string`, `array` or `object`.
    pub json_type: &'static str,
}

/// The three tables of a frame with their columns.
pub fn tables() -> [(&'static str, Vec<Column>); 3] {
    let columns = |schema: &SchemaRef| {
        let column = |field: &arrow_schema::FieldRef| Column {
            name: field.name().clone(),
            json_type: json_type(field.data_type()),
        };
        schema.fields().iter().map(column).collect()
    };
    let Schemas { frame, points, arcs } = schemas();
    [
        ("frame", columns(frame)),
        ("points", columns(points)),
        ("arcs", columns(arcs)),
    ]
}

fn json_type(kind: &DataType) -> &'static str {
    match kind {
        kind if kind.is_integer() || kind.is_temporal() => "integer",
        kind if kind.is_floating() => "number",
        DataType::Boolean => "boolean",
        kind if kind.is_list() => "array",
        kind if kind.is_nested() => "object",
        _ => "string",
    }
}

/// The three streams of a frame.
///
/// Deterministic: equal frames give equal bytes. What is lost: the sign of the pose's quaternion,
/// which means nothing; `w` is written non-negative.
///
/// # Errors
/// [`Error::Frame`] or [`Error::Content`] for a frame whose columns differ in length, that holds
/// a number that is not finite, or whose shared covariance does not fit its states.
pub fn encode(frame: &SolidarFrame) -> Result<FrameBytes, Error> {
    row::check(frame)?;
    points::check(&frame.points)?;
    arcs::check(&frame.arcs)?;
    Ok(FrameBytes {
        frame: stream::write(&row::batch(frame)?)?,
        points: stream::write(&points::batch(&frame.points)?)?,
        arcs: stream::write(&arcs::batch(&frame.arcs)?)?,
    })
}

/// The frame these streams hold.
///
/// Strict: the schema must be the one [`encode`] writes, and everything [`encode`] promises is
/// checked again. Bytes from anywhere are answered with an error, not a panic, and memory is
/// bounded by the length of the bytes and [`MAX_ROWS`].
///
/// # Errors
/// [`Error`] with the table and what was expected of it.
pub fn decode(bytes: &FrameBytes) -> Result<SolidarFrame, Error> {
    let schemas = schemas();
    let mut frame = row::frame(&stream::read("frame", &bytes.frame, &schemas.frame)?)?;
    frame.points = points::table(&stream::read("points", &bytes.points, &schemas.points)?)?;
    frame.arcs = arcs::table(&stream::read("arcs", &bytes.arcs, &schemas.arcs)?)?;
    row::check(&frame)?;
    points::check(&frame.points)?;
    arcs::check(&frame.arcs)?;
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::specimen::frame;
    use super::*;

    fn check_roundtrip(frame: &SolidarFrame) {
        let bytes = encode(frame).unwrap();
        let back = decode(&bytes).unwrap();
        assert_eq!(&back, frame);
        assert_eq!(encode(&back).unwrap(), bytes, "the way back loses nothing");
    }

    #[test]
    fn an_empty_frame_comes_back() {
        check_roundtrip(&row::empty_frame());
    }

    #[test]
    fn seeded_frames_come_back() {
        for seed in 0..50 {
            check_roundtrip(&frame(seed, (seed as usize * 7) % 40, seed as usize % 5));
        }
    }

    /// Metadata lives in hash maps whose order differs from map to map; the bytes must not.
    #[test]
    fn the_same_frame_gives_the_same_bytes_every_time() {
        let frame = frame(11, 30, 3);
        let first = encode(&frame).unwrap();
        for _ in 0..100 {
            assert_eq!(encode(&frame).unwrap(), first);
        }
    }

    /// The schemas and the library's layout, across processes and versions: a change here is a
    /// change of the format.
    #[test]
    fn the_bytes_of_an_empty_frame_are_known() {
        let bytes = encode(&row::empty_frame()).unwrap();
        let mut hasher = crate::FrameHasher::new();
        hasher.update(&bytes);
        let hash: String = hasher.finish().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hash,
            "27aa28e9d77c358c91da16f76720212666abfe81e824a5135f638cd4d6368098"
        );
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        let mut broken = frame(1, 3, 1);
        broken.points.x[1] = f32::NAN;
        assert!(matches!(encode(&broken), Err(Error::Frame(_))));
        let mut broken = frame(1, 3, 1);
        broken.points.snr_db[0] = Some(f32::INFINITY);
        assert!(encode(&broken).is_err());
        let mut broken = frame(1, 3, 1);
        broken.arcs.range_m[0] = f32::NAN;
        assert!(matches!(encode(&broken), Err(Error::Frame(_))));
        let mut broken = frame(1, 3, 1);
        broken.pose_covariance[(2, 3)] = f64::NAN;
        assert!(matches!(encode(&broken), Err(Error::Content { .. })));
        let mut broken = frame(1, 3, 1);
        broken.shared.covariance.push(1.0);
        assert!(matches!(encode(&broken), Err(Error::Content { .. })));
    }

    #[test]
    fn a_table_in_another_tables_place_is_refused() {
        let mut bytes = encode(&frame(2, 3, 1)).unwrap();
        std::mem::swap(&mut bytes.points, &mut bytes.arcs);
        assert!(matches!(
            decode(&bytes),
            Err(Error::Schema { table: "points", .. })
        ));
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = encode(&frame(3, 5, 2)).unwrap();
        for length in 0..bytes.points.len() {
            let mut cut = bytes.clone();
            cut.points.truncate(length);
            assert!(decode(&cut).is_err(), "{length} of {} bytes", bytes.points.len());
        }
        for length in 0..bytes.frame.len() {
            let mut cut = bytes.clone();
            cut.frame.truncate(length);
            assert!(decode(&cut).is_err(), "{length} of {} bytes", bytes.frame.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

        /// Decoding changed bytes may fail or give another frame; it never panics.
        #[test]
        fn changed_bytes_never_panic(
            table in 0usize..3,
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            static BYTES: LazyLock<FrameBytes> = LazyLock::new(|| encode(&frame(4, 6, 2)).unwrap());
            let mut bytes = BYTES.clone();
            let stream = match table {
                0 => &mut bytes.frame,
                1 => &mut bytes.points,
                _ => &mut bytes.arcs,
            };
            for (place, byte) in changes {
                let place = place.index(stream.len());
                stream[place] = byte;
            }
            if let Ok(frame) = decode(&bytes) {
                prop_assert!(encode(&frame).is_ok());
            }
        }
    }
}
