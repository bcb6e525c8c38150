//! That a batch's lengths are possible, before the Arrow library relies on them.
//!
//! A batch names, for each array of the schema in depth-first order, its rows and absent rows (a
//! *node*), and for each of the array's buffers where it lies in the body. The library asserts
//! rather than checks some of these.

use arrow_ipc::{Buffer, FieldNode, RecordBatch};
use arrow_schema::{DataType, Field, Schema};

use super::MAX_ROWS;

/// Buffers start at multiples of this many bytes, says the format.
const ALIGNMENT: i64 = 8;

/// Checks every node and buffer of a batch with this schema against its body.
///
/// # Errors
/// What was found, in words.
pub(super) fn check(batch: &RecordBatch<'_>, schema: &Schema, body_length: usize) -> Result<(), String> {
    if batch.compression().is_some() || batch.variadicBufferCounts().is_some() {
        return Err("compression or variadic buffers".into());
    }
    let rows = count(batch.length())?;
    let mut walk = Walk {
        nodes: batch.nodes().into_iter().flatten(),
        buffers: batch.buffers().into_iter().flatten(),
        body_length,
    };
    for field in schema.fields() {
        walk.array(field, Some(rows))?;
    }
    match (walk.nodes.next(), walk.buffers.next()) {
        (None, None) => Ok(()),
        _ => Err("more arrays than the schema has".into()),
    }
}

struct Walk<Nodes, Buffers> {
    nodes: Nodes,
    buffers: Buffers,
    body_length: usize,
}

impl<'a, Nodes, Buffers> Walk<Nodes, Buffers>
where
    Nodes: Iterator<Item = &'a FieldNode>,
    Buffers: Iterator<Item = &'a Buffer>,
{
    /// One array and those below it; `expected` rows, if the array above fixes that.
    fn array(&mut self, field: &Field, expected: Option<usize>) -> Result<(), String> {
        let wrong = |found: String| format!("`{}`: {found}", field.name());
        let node = self.nodes.next().ok_or_else(|| wrong("no node".into()))?;
        let rows = count(node.length()).map_err(wrong)?;
        if expected.is_some_and(|expected| expected != rows) {
            return Err(wrong(format!("{rows} rows")));
        }
        let absent = count(node.null_count()).map_err(wrong)?;
        if absent > rows || (absent > 0 && !field.is_nullable()) {
            return Err(wrong(format!("{absent} of {rows} rows absent")));
        }
        let validity = if absent > 0 { rows.div_ceil(8) } else { 0 };
        self.buffer(validity, 1).map_err(wrong)?;
        match field.data_type() {
            DataType::List(item) => {
                self.buffer(rows + 1, size_of::<i32>()).map_err(wrong)?;
                self.array(item, None)
            }
            DataType::FixedSizeList(item, size) => {
                let size = usize::try_from(*size).map_err(|_| wrong("a negative size".into()))?;
                self.array(item, Some(rows * size))
            }
            DataType::Struct(fields) => fields.iter().try_for_each(|field| self.array(field, Some(rows))),
            DataType::Utf8 => {
                self.buffer(rows + 1, size_of::<i32>()).map_err(wrong)?;
                self.buffer(0, 1).map_err(wrong)
            }
            plain => {
                let width = plain.primitive_width();
                let width = width.ok_or_else(|| wrong("a type no table has".into()))?;
                self.buffer(rows, width).map_err(wrong)
            }
        }
    }

    /// The next buffer: whole entries of `width` bytes, at least `entries` of them, inside the body.
    fn buffer(&mut self, entries: usize, width: usize) -> Result<(), String> {
        let buffer = self.buffers.next().ok_or("no buffer")?;
        if buffer.offset() % ALIGNMENT != 0 {
            return Err(format!(
                "a buffer at {}, which is no multiple of {ALIGNMENT}",
                buffer.offset()
            ));
        }
        let start = usize::try_from(buffer.offset()).ok();
        let length = usize::try_from(buffer.length()).ok();
        let end = start
            .zip(length)
            .and_then(|(start, length)| start.checked_add(length));
        let fits = end.is_some_and(|end| end <= self.body_length);
        let enough = length.is_some_and(|length| length % width == 0 && length / width >= entries);
        if !(fits && enough) {
            return Err(format!(
                "a buffer of {} at {}, needed {entries} × {width} within {}",
                buffer.length(),
                buffer.offset(),
                self.body_length
            ));
        }
        Ok(())
    }
}

fn count(length: i64) -> Result<usize, String> {
    usize::try_from(length)
        .ok()
        .filter(|&length| length <= MAX_ROWS)
        .ok_or_else(|| format!("{length} rows, at most {MAX_ROWS} are read"))
}
