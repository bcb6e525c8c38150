//! The table of arcs.

use arrow_array::types::{Float32Type, Int32Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{
    Float32Array, Int32Array, RecordBatch, StructArray, UInt16Array, UInt32Array, UInt64Array,
};
use beluga_types::ArcTable;

use super::Error;
use super::columns::{Columns, PLAIN, Reading, unit, unit_in};
use super::points::{OFFSET, check_snr, floats, label_words, labels, read_labels, words};

const ORIGIN: [&str; 3] = ["origin_x", "origin_y", "origin_z"];
const DIRECTION: [&str; 3] = ["direction_x", "direction_y", "direction_z"];
const PLANE: [&str; 3] = ["plane_x", "plane_y", "plane_z"];

/// The arcs as columns, named as in [`ArcTable`]; vectors as one column per axis.
pub(super) fn batch(arcs: &ArcTable) -> Result<RecordBatch, Error> {
    let mut columns = Columns::default();
    for (names, unit, axes) in [
        (ORIGIN, "m", &arcs.origin),
        (DIRECTION, "unit vector", &arcs.direction),
        (PLANE, "unit vector", &arcs.plane),
    ] {
        for (name, axis) in names.into_iter().zip(axes) {
            columns.push(name, unit_in(unit, "Body"), floats(axis));
        }
    }
    columns.push("range_m", unit("m"), floats(&arcs.range_m));
    columns.push("half_angle_rad", unit("rad"), floats(&arcs.half_angle_rad));
    columns.push(
        "offset_nanos",
        OFFSET,
        Int32Array::from(arcs.offset_nanos.clone()),
    );
    columns.push("sensor", PLAIN, UInt16Array::from(arcs.sensor.clone()));
    columns.push("level", unit("dB"), floats(&arcs.level));
    columns.push_optional("snr_db", unit("dB"), Float32Array::from(arcs.snr_db.clone()));
    columns.push("sigma_range_m", unit("m"), floats(&arcs.sigma_range_m));
    columns.push("sigma_across_m", unit("m"), floats(&arcs.sigma_across_m));
    columns.push("label", words(&label_words()), labels(&arcs.label));
    columns.push("source_seq", PLAIN, UInt64Array::from(arcs.source_seq.clone()));
    columns.push(
        "source_index",
        PLAIN,
        UInt32Array::from(arcs.source_index.clone()),
    );
    columns.into_batch("arcs")
}

/// The arcs in these columns.
pub(super) fn table(columns: &StructArray) -> Result<ArcTable, Error> {
    let reading = Reading::new("arcs", columns);
    let axes = |names: [&'static str; 3]| -> Result<[Vec<f32>; 3], Error> {
        let [x, y, z] = names.map(|name| reading.values::<Float32Type>(name));
        Ok([x?, y?, z?])
    };
    Ok(ArcTable {
        origin: axes(ORIGIN)?,
        direction: axes(DIRECTION)?,
        plane: axes(PLANE)?,
        range_m: reading.values::<Float32Type>("range_m")?,
        half_angle_rad: reading.values::<Float32Type>("half_angle_rad")?,
        offset_nanos: reading.values::<Int32Type>("offset_nanos")?,
        sensor: reading.values::<UInt16Type>("sensor")?,
        level: reading.values::<Float32Type>("level")?,
        snr_db: reading.optional::<Float32Type>("snr_db")?,
        sigma_range_m: reading.values::<Float32Type>("sigma_range_m")?,
        sigma_across_m: reading.values::<Float32Type>("sigma_across_m")?,
        label: read_labels(&reading)?,
        source_seq: reading.values::<UInt64Type>("source_seq")?,
        source_index: reading.values::<UInt32Type>("source_index")?,
    })
}

/// Checks that every number is finite. Columns of different length are refused by Arrow itself.
pub(super) fn check(arcs: &ArcTable) -> Result<(), Error> {
    let vectors = arcs.origin.iter().chain(&arcs.direction).chain(&arcs.plane);
    let scalars = [
        ("range_m", &arcs.range_m),
        ("half_angle_rad", &arcs.half_angle_rad),
        ("level", &arcs.level),
        ("sigma_range_m", &arcs.sigma_range_m),
        ("sigma_across_m", &arcs.sigma_across_m),
    ];
    let vectors = vectors.map(|column| ("origin, direction or plane", column));
    for (what, column) in vectors.chain(scalars) {
        if let Some(index) = column.iter().position(|value| !value.is_finite()) {
            return Err(beluga_types::Error::NotFinite { what, index }.into());
        }
    }
    check_snr(&arcs.snr_db)
}
