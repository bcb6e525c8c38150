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

use std::sync::{Arc, LazyLock};

use arrow_array::{Array, StructArray};
use arrow_schema::{DataType, Schema, SchemaRef};
use beluga_types::{ArcTable, PointTable, SolidarFrame};

pub use error::Error;
pub use files::ArrowFiles;

use crate::frame_bytes::FrameBytes;

/// What the schema metadata of every table says under `beluga.schema`.
pub const SCHEMA: &str = "solidar-frame v2";
/// The key under which it stands.
const VERSION: &str = "beluga.schema";
/// What it said before `frame` had the column `clocks`; such tables are read too.
const SCHEMA_V1: &str = "solidar-frame v1";

/// Most rows a table is read with; one frame of the largest lidars has about 300 000 points.
pub const MAX_ROWS: usize = 1 << 24;

/// The schemas as this version writes them, made by encoding nothing, and those of before.
static SCHEMAS: LazyLock<Option<Schemas>> = LazyLock::new(|| {
    Some(Schemas {
        frame: Versions::of(row::batch(&row::empty_frame()).ok()?.schema()),
        points: Versions::of(points::batch(&PointTable::default()).ok()?.schema()),
        arcs: Versions::of(arcs::batch(&ArcTable::default()).ok()?.schema()),
    })
});

struct Schemas {
    frame: Versions,
    points: Versions,
    arcs: Versions,
}

/// A table's schema, as it is written and as it was.
struct Versions {
    now: SchemaRef,
    v1: SchemaRef,
}

impl Versions {
    fn of(now: SchemaRef) -> Self {
        let known = now.fields().iter().filter(|field| field.name() != row::CLOCKS);
        let mut metadata = now.metadata().clone();
        metadata.insert(VERSION.to_owned(), SCHEMA_V1.to_owned());
        let v1 = Schema::new_with_metadata(known.cloned().collect::<Vec<_>>(), metadata);
        Self {
            now,
            v1: Arc::new(v1),
        }
    }

    /// The same table as this version has it: what it does not tell is empty.
    fn lifted(&self, table: StructArray) -> Result<StructArray, Error> {
        let Some(missing) = self.now.fields().get(table.num_columns()) else {
            return Ok(table);
        };
        let rows = table.len();
        let (_, mut columns, _) = table.into_parts();
        columns.push(Arc::new(columns::empty_lists(missing, rows)?));
        Ok(StructArray::try_new(self.now.fields().clone(), columns, None)?)
    }

    /// That of this version, if it is known.
    fn named(&self, version: &str) -> Option<&SchemaRef> {
        match version {
            SCHEMA => Some(&self.now),
            SCHEMA_V1 => Some(&self.v1),
            _ => None,
        }
    }
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
    let columns = |Versions { now: schema, .. }: &Versions| {
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
/// Strict: each table's schema must be the one [`encode`] writes, or that of the version before, whose frames
/// tell nothing of clocks; and everything [`encode`] promises is
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

    use arrow_array::RecordBatch;

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
        let empty = row::empty_frame();
        assert_eq!(
            hash(&encode(&empty).unwrap()),
            "bbbb1f3b19c5b1ed8f36b9d513f829831827444c431171db705b679755d1682f"
        );
        // As every version before this wrote it.
        assert_eq!(
            hash(&as_v1(&empty)),
            "27aa28e9d77c358c91da16f76720212666abfe81e824a5135f638cd4d6368098"
        );
    }

    fn hash(bytes: &FrameBytes) -> String {
        let mut hasher = crate::FrameHasher::new();
        hasher.update(bytes);
        hasher.finish().iter().map(|byte| format!("{byte:02x}")).collect()
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

    /// A frame as the version before wrote it: without the column, and with its own name.
    fn as_v1(frame: &SolidarFrame) -> FrameBytes {
        let old = |batch: RecordBatch| {
            let kept: Vec<usize> = (0..batch.num_columns())
                .filter(|&i| batch.schema().field(i).name() != row::CLOCKS)
                .collect();
            let batch = batch.project(&kept).unwrap();
            let mut metadata = batch.schema().metadata().clone();
            metadata.insert("beluga.schema".into(), SCHEMA_V1.into());
            let schema = Schema::new_with_metadata(batch.schema().fields().clone(), metadata);
            let batch = RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec()).unwrap();
            stream::write(&batch).unwrap()
        };
        FrameBytes {
            frame: old(row::batch(frame).unwrap()),
            points: old(points::batch(&frame.points).unwrap()),
            arcs: old(arcs::batch(&frame.arcs).unwrap()),
        }
    }

    #[test]
    fn a_frame_of_the_version_before_is_read_and_tells_nothing_of_clocks() {
        let mut known = frame(2, 3, 1);
        let bytes = as_v1(&known);
        assert!(!known.clocks.is_empty());
        known.clocks.clear();
        assert_eq!(decode(&bytes).unwrap(), known);
        let half = FrameBytes {
            frame: bytes.points.clone(),
            ..bytes
        };
        assert!(matches!(decode(&half), Err(Error::Schema { table: "frame", .. })));
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
