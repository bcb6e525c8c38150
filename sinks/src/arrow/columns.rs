//! A table put together column by column, and taken apart again.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type};
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, Float64Array, ListArray, PrimitiveArray, RecordBatch, StringArray,
    StructArray, new_empty_array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema};

use super::{Error, SCHEMA, VERSION};

/// Key of the unit in a field's metadata.
const UNIT: &str = "unit";
/// Key of the coordinate system.
const SPACE: &str = "space";
/// Key of the words behind numbers, as `0 air, 1 water`.
const VALUES: &str = "values";

/// A table being put together.
#[derive(Default)]
pub(super) struct Columns {
    fields: Vec<FieldRef>,
    arrays: Vec<ArrayRef>,
}

/// What a column's numbers mean; empty where there is nothing to say.
#[derive(Clone, Copy, Default)]
pub(super) struct Meaning<'a> {
    pub(super) unit: &'a str,
    pub(super) space: &'a str,
    pub(super) values: &'a str,
}

/// The meaning of a plain count or name.
pub(super) const PLAIN: Meaning<'static> = Meaning {
    unit: "",
    space: "",
    values: "",
};

/// A number with this unit.
pub(super) const fn unit(unit: &str) -> Meaning<'_> {
    Meaning { unit, ..PLAIN }
}

/// A number with this unit in this space.
pub(super) const fn unit_in<'a>(unit: &'a str, space: &'a str) -> Meaning<'a> {
    Meaning {
        unit,
        space,
        values: "",
    }
}

impl Columns {
    /// A column without gaps.
    pub(super) fn push(&mut self, name: &str, meaning: Meaning<'_>, array: impl Array + 'static) {
        self.add(name, meaning, Arc::new(array), false);
    }

    /// A column in which a value may be absent.
    pub(super) fn push_optional(&mut self, name: &str, meaning: Meaning<'_>, array: impl Array + 'static) {
        self.add(name, meaning, Arc::new(array), true);
    }

    fn add(&mut self, name: &str, meaning: Meaning<'_>, array: ArrayRef, nullable: bool) {
        let metadata: HashMap<String, String> = [
            (UNIT, meaning.unit),
            (SPACE, meaning.space),
            (VALUES, meaning.values),
        ]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(key, text)| (key.to_owned(), text.to_owned()))
        .collect();
        let field = Field::new(name, array.data_type().clone(), nullable).with_metadata(metadata);
        self.fields.push(Arc::new(field));
        self.arrays.push(array);
    }

    /// The columns as one table.
    pub(super) fn into_batch(self, table: &'static str) -> Result<RecordBatch, Error> {
        let metadata =
            [(VERSION, SCHEMA), ("beluga.table", table)].map(|(key, text)| (key.to_owned(), text.to_owned()));
        let schema = Schema::new_with_metadata(self.fields, HashMap::from(metadata));
        Ok(RecordBatch::try_new(Arc::new(schema), self.arrays)?)
    }

    /// The columns as a list that stands in one row of another table.
    pub(super) fn into_list(self) -> Result<ListArray, Error> {
        let rows = self.arrays.first().map_or(0, Array::len);
        let items = StructArray::try_new(Fields::from(self.fields), self.arrays, None)?;
        one_list(Arc::new(items), rows)
    }
}

/// One row that holds all of `items`.
pub(super) fn one_list(items: ArrayRef, length: usize) -> Result<ListArray, Error> {
    let field = Arc::new(Field::new("item", items.data_type().clone(), false));
    let offsets = OffsetBuffer::from_lengths([length]);
    Ok(ListArray::try_new(field, offsets, items, None)?)
}

/// So many rows with nothing in them, for a column of lists.
pub(super) fn empty_lists(field: &Field, rows: usize) -> Result<ListArray, Error> {
    let DataType::List(item) = field.data_type() else {
        let found = format!("`{}` {}", field.name(), field.data_type());
        return Err(ArrowError::SchemaError(found).into());
    };
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(0, rows));
    let nothing = new_empty_array(item.data_type());
    Ok(ListArray::try_new(Arc::clone(item), offsets, nothing, None)?)
}

/// Rows of `SIZE` numbers each.
pub(super) fn fixed<const SIZE: usize>(rows: &[[f64; SIZE]]) -> Result<FixedSizeListArray, Error> {
    fixed_with(rows.iter().flatten().copied().collect(), SIZE, None)
}

/// One row of `SIZE` numbers that may be absent; zeros stand behind an absent one.
pub(super) fn fixed_optional<const SIZE: usize>(
    row: Option<[f64; SIZE]>,
) -> Result<FixedSizeListArray, Error> {
    let nulls = NullBuffer::from(vec![row.is_some()]);
    fixed_with(row.unwrap_or([0.0; SIZE]).to_vec(), SIZE, Some(nulls))
}

fn fixed_with(values: Vec<f64>, size: usize, nulls: Option<NullBuffer>) -> Result<FixedSizeListArray, Error> {
    let field = Arc::new(Field::new("item", DataType::Float64, false));
    let size = i32::try_from(size).expect("rows of at most 36 numbers");
    let values = Arc::new(Float64Array::from(values));
    Ok(FixedSizeListArray::try_new(field, size, values, nulls)?)
}

/// A table being taken apart.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    table: &'static str,
    columns: &'a StructArray,
}

impl<'a> Reading<'a> {
    pub(super) fn new(table: &'static str, columns: &'a StructArray) -> Self {
        Self { table, columns }
    }

    pub(super) fn rows(&self) -> usize {
        self.columns.len()
    }

    /// A complaint about a column's content.
    pub(super) fn wrong(&self, column: &'static str, found: impl ToString, expected: &'static str) -> Error {
        Error::content(self.table, column, found, expected)
    }

    fn column(&self, name: &'static str) -> Result<&'a ArrayRef, Error> {
        self.columns
            .column_by_name(name)
            .ok_or_else(|| self.wrong(name, "missing", "a column"))
    }

    fn primitive<T: ArrowPrimitiveType>(&self, name: &'static str) -> Result<&'a PrimitiveArray<T>, Error> {
        let column = self.column(name)?;
        column
            .as_primitive_opt::<T>()
            .ok_or_else(|| self.wrong(name, column.data_type(), "a column of numbers"))
    }

    /// The numbers of a column without gaps.
    pub(super) fn values<T: ArrowPrimitiveType>(&self, name: &'static str) -> Result<Vec<T::Native>, Error> {
        Ok(self.primitive::<T>(name)?.values().to_vec())
    }

    /// The number in the only row.
    pub(super) fn value<T: ArrowPrimitiveType>(&self, name: &'static str) -> Result<T::Native, Error> {
        let values = self.primitive::<T>(name)?.values();
        let first = values.first().copied();
        first.ok_or_else(|| self.wrong(name, "empty", "one row"))
    }

    /// The numbers of a column in which some may be absent.
    pub(super) fn optional<T: ArrowPrimitiveType>(
        &self,
        name: &'static str,
    ) -> Result<Vec<Option<T::Native>>, Error> {
        Ok(self.primitive::<T>(name)?.iter().collect())
    }

    /// The words of a column; an absent one is nothing.
    pub(super) fn words(&self, name: &'static str) -> Result<Vec<Option<&'a str>>, Error> {
        let column = self.column(name)?;
        let words: &StringArray = column
            .as_string_opt()
            .ok_or_else(|| self.wrong(name, column.data_type(), "a column of words"))?;
        Ok(words.iter().collect())
    }

    /// The list in the only row.
    pub(super) fn list(&self, name: &'static str) -> Result<ArrayRef, Error> {
        let column = self.column(name)?;
        let list = column
            .as_list_opt::<i32>()
            .ok_or_else(|| self.wrong(name, column.data_type(), "a column of lists"))?;
        if list.len() != 1 {
            return Err(self.wrong(name, list.len(), "one row"));
        }
        Ok(list.value(0))
    }

    /// Rows of `SIZE` numbers each; an absent one is nothing.
    pub(super) fn fixed<const SIZE: usize>(
        &self,
        name: &'static str,
    ) -> Result<Vec<Option<[f64; SIZE]>>, Error> {
        let column = self.column(name)?;
        let rows = column
            .as_fixed_size_list_opt()
            .ok_or_else(|| self.wrong(name, column.data_type(), "rows of equal length"))?;
        let row = |i: usize| -> Result<Option<[f64; SIZE]>, Error> {
            if rows.is_null(i) {
                return Ok(None);
            }
            let values = rows.value(i);
            let numbers = values.as_primitive_opt::<Float64Type>();
            let row = numbers.and_then(|numbers| <[f64; SIZE]>::try_from(numbers.values().as_ref()).ok());
            row.map(Some)
                .ok_or_else(|| self.wrong(name, format!("{} numbers", values.len()), "another count"))
        };
        (0..rows.len()).map(row).collect()
    }

    /// The fixed row in the only row of the table, which must be there.
    pub(super) fn fixed_one<const SIZE: usize>(&self, name: &'static str) -> Result<[f64; SIZE], Error> {
        let row = self.fixed(name)?.into_iter().next().flatten();
        row.ok_or_else(|| self.wrong(name, "absent", "one row"))
    }
}
