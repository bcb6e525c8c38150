//! The table of points.

use arrow_array::types::{Float32Type, Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{
    Float32Array, Int32Array, RecordBatch, StructArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use beluga_types::{Label, Medium, PointTable};

use super::Error;
use super::columns::{Columns, Meaning, PLAIN, Reading, unit, unit_in};

/// The points as columns, named as in [`PointTable`].
pub(super) fn batch(points: &PointTable) -> Result<RecordBatch, Error> {
    let mut columns = Columns::default();
    let metres = unit_in("m", "Body");
    columns.push("x", metres, floats(&points.x));
    columns.push("y", metres, floats(&points.y));
    columns.push("z", metres, floats(&points.z));
    columns.push(
        "offset_nanos",
        OFFSET,
        Int32Array::from(points.offset_nanos.clone()),
    );
    columns.push("sensor", PLAIN, UInt16Array::from(points.sensor.clone()));
    let medium = UInt8Array::from_iter_values(points.medium.iter().map(|&medium| medium as u8));
    columns.push("medium", words(&Medium::numbered()), medium);
    let level = unit("device unit for light, dB for sound");
    columns.push("level", level, floats(&points.level));
    columns.push_optional("snr_db", unit("dB"), Float32Array::from(points.snr_db.clone()));
    columns.push("sigma_range_m", unit("m"), floats(&points.sigma_range_m));
    columns.push("sigma_along_m", unit("m"), floats(&points.sigma_along_m));
    columns.push("sigma_across_m", unit("m"), floats(&points.sigma_across_m));
    columns.push("label", words(&label_words()), labels(&points.label));
    columns.push("source_seq", PLAIN, UInt64Array::from(points.source_seq.clone()));
    columns.push(
        "source_index",
        PLAIN,
        UInt32Array::from(points.source_index.clone()),
    );
    columns.into_batch("points")
}

/// The points in these columns.
pub(super) fn table(columns: &StructArray) -> Result<PointTable, Error> {
    let reading = Reading::new("points", columns);
    Ok(PointTable {
        x: reading.values::<Float32Type>("x")?,
        y: reading.values::<Float32Type>("y")?,
        z: reading.values::<Float32Type>("z")?,
        offset_nanos: reading.values::<Int32Type>("offset_nanos")?,
        sensor: reading.values::<UInt16Type>("sensor")?,
        medium: read_media(&reading)?,
        level: reading.values::<Float32Type>("level")?,
        snr_db: reading.optional::<Float32Type>("snr_db")?,
        sigma_range_m: reading.values::<Float32Type>("sigma_range_m")?,
        sigma_along_m: reading.values::<Float32Type>("sigma_along_m")?,
        sigma_across_m: reading.values::<Float32Type>("sigma_across_m")?,
        label: read_labels(&reading)?,
        source_seq: reading.values::<UInt64Type>("source_seq")?,
        source_index: reading.values::<UInt32Type>("source_index")?,
    })
}

/// The meaning of a time against the window's end.
pub(super) const OFFSET: Meaning<'static> = unit("ns against the window's end");

/// A column of single-precision numbers.
pub(super) fn floats(values: &[f32]) -> Float32Array {
    Float32Array::from(values.to_vec())
}

/// A column of labels by number.
pub(super) fn labels(labels: &[Label]) -> UInt8Array {
    UInt8Array::from_iter_values(labels.iter().map(|&label| label as u8))
}

/// The words behind the numbers of labels.
pub(super) fn label_words() -> String {
    Label::numbered()
}

/// The meaning of a number that stands for a word.
pub(super) fn words(values: &str) -> Meaning<'_> {
    Meaning { values, ..PLAIN }
}

/// The labels of a table.
pub(super) fn read_labels(reading: &Reading<'_>) -> Result<Vec<Label>, Error> {
    let numbers = reading.values::<UInt8Type>("label")?;
    let label = |number: &u8| {
        let label = Label::ALL.get(usize::from(*number)).copied();
        label.ok_or_else(|| reading.wrong("label", number, "the number of a label"))
    };
    numbers.iter().map(label).collect()
}

/// Checks that columns have the same length and numbers are finite.
pub(super) fn check(points: &PointTable) -> Result<(), Error> {
    points.check()?;
    check_snr(&points.snr_db)
}

/// Refuses a signal to noise ratio that is there but not finite.
pub(super) fn check_snr(snr_db: &[Option<f32>]) -> Result<(), Error> {
    let broken = |snr: &Option<f32>| snr.is_some_and(|snr| !snr.is_finite());
    match snr_db.iter().position(broken) {
        Some(index) => Err(beluga_types::Error::NotFinite {
            what: "snr_db",
            index,
        }
        .into()),
        None => Ok(()),
    }
}

fn read_media(reading: &Reading<'_>) -> Result<Vec<Medium>, Error> {
    let numbers = reading.values::<UInt8Type>("medium")?;
    let medium = |number: &u8| {
        let medium = Medium::ALL.get(usize::from(*number)).copied();
        medium.ok_or_else(|| reading.wrong("medium", number, "0 for air or 1 for water"))
    };
    numbers.iter().map(medium).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_words_are_their_places() {
        assert_eq!(Medium::numbered(), "0 air, 1 water");
        for (place, medium) in Medium::ALL.into_iter().enumerate() {
            assert_eq!(medium as usize, place);
        }
        for (place, label) in Label::ALL.into_iter().enumerate() {
            assert_eq!(label as usize, place);
        }
    }

    #[test]
    fn units_and_spaces_stand_in_the_fields() {
        let batch = batch(&PointTable::default()).unwrap();
        let schema = batch.schema();
        let field = schema.field_with_name("x").unwrap();
        assert_eq!(field.metadata().get("unit").map(String::as_str), Some("m"));
        assert_eq!(field.metadata().get("space").map(String::as_str), Some("Body"));
        assert_eq!(
            schema.metadata().get("beluga.schema").map(String::as_str),
            Some("solidar-frame v2")
        );
    }
}
