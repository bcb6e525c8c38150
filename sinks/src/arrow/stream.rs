//! One table as an Arrow IPC stream: schema, one batch, end.
//!
//! Layout: Apache Arrow, "Columnar Format", section "IPC Streaming Format": each message is
//! `FF FF FF FF`, the length of its metadata (i32), the metadata (a FlatBuffer), the body; a
//! length of zero ends the stream.
//!
//! The library's own stream reader takes types and lengths from the bytes and panics or allocates
//! where they are absurd. So the framing, the schema and every length are compared with what is
//! expected here first, and only the batch itself is left to it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, StructArray};
use arrow_buffer::Buffer;
use arrow_ipc::reader::read_record_batch;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_ipc::{Message, MessageHeader, MetadataVersion, Precision, Type};
use arrow_schema::{DataType, Field, SchemaRef};

use super::{Error, SCHEMA, VERSION, Versions, lengths};

/// What stands before every message.
const CONTINUATION: [u8; 4] = [0xFF; 4];
/// Buffers start at multiples of this many bytes: the least Arrow allows.
const ALIGNMENT: usize = 8;

/// How every stream and file is written.
pub(super) fn options() -> Result<IpcWriteOptions, Error> {
    Ok(IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5)?)
}

/// The table as a stream. The library sorts metadata by key, so equal tables give equal bytes.
pub(super) fn write(batch: &RecordBatch) -> Result<Vec<u8>, Error> {
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options()?)?;
    writer.write(batch)?;
    Ok(writer.into_inner()?)
}

/// The table in a stream that [`write`] wrote with one of these schemas.
pub(super) fn read(table: &'static str, bytes: &[u8], known: &Versions) -> Result<StructArray, Error> {
    let mut messages = Messages {
        table,
        bytes,
        offset: 0,
    };
    let (message, _) = messages.next(MessageHeader::Schema)?;
    let schema = schema_of(table, &message, known)?;
    let (message, body) = messages.next(MessageHeader::RecordBatch)?;
    let header = message
        .header_as_record_batch()
        .ok_or_else(|| messages.wrong("no batch", "a record batch"))?;
    lengths::check(&header, schema, body.len())
        .map_err(|found| messages.wrong(found, "lengths within the body"))?;
    let batch = read_record_batch(
        &Buffer::from(body),
        header,
        Arc::clone(schema),
        &HashMap::new(),
        None,
        &MetadataVersion::V5,
    )?;
    messages.end()?;
    known.lifted(StructArray::from(batch))
}

/// The messages of a stream, in order.
struct Messages<'a> {
    table: &'static str,
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Messages<'a> {
    /// The next message, which must be of this kind, and its body.
    fn next(&mut self, kind: MessageHeader) -> Result<(Message<'a>, &'a [u8]), Error> {
        let metadata_length = self.prefix()?;
        let metadata = self.take(metadata_length, "the metadata of a message")?;
        let message = arrow_ipc::root_as_message(metadata)
            .map_err(|error| self.wrong(error.to_string(), "the metadata of a message"))?;
        if message.header_type() != kind || message.version() != MetadataVersion::V5 {
            let found = format!("{:?} {:?}", message.header_type(), message.version());
            return Err(self.wrong(found, "the schema, then one record batch, in version 5"));
        }
        let body_length = usize::try_from(message.bodyLength()).unwrap_or(usize::MAX);
        let body = self.take(body_length, "the body of a message")?;
        Ok((message, body))
    }

    /// The end mark, and nothing after it.
    fn end(&mut self) -> Result<(), Error> {
        if self.prefix()? != 0 || self.offset != self.bytes.len() {
            return Err(self.wrong("more bytes", "the end of the stream"));
        }
        Ok(())
    }

    fn prefix(&mut self) -> Result<usize, Error> {
        let prefix = self.take(8, "the start of a message")?;
        let (mark, length) = prefix.split_at(4);
        if mark != CONTINUATION {
            return Err(self.wrong(format!("{mark:02x?}"), "ff ff ff ff"));
        }
        let length = length.try_into().map(i32::from_le_bytes).unwrap_or(-1);
        usize::try_from(length).map_err(|_| self.wrong(length.to_string(), "a length"))
    }

    fn take(&mut self, length: usize, expected: &'static str) -> Result<&'a [u8], Error> {
        let rest = &self.bytes[self.offset..];
        let Some(taken) = rest.get(..length) else {
            return Err(self.wrong(format!("{} of {length} bytes", rest.len()), expected));
        };
        self.offset += length;
        Ok(taken)
    }

    fn wrong(&self, found: impl Into<String>, expected: &'static str) -> Error {
        Error::Stream {
            table: self.table,
            found: found.into(),
            offset: self.offset,
            expected,
        }
    }
}

/// The known schema that a stream has.
fn schema_of<'a>(
    table: &'static str,
    message: &Message<'_>,
    known: &'a Versions,
) -> Result<&'a SchemaRef, Error> {
    let wrong = |found: String, expected: String| Error::Schema {
        table,
        found,
        expected,
    };
    let columns = |expected: &SchemaRef| {
        let version = expected.metadata().get(VERSION).map_or(SCHEMA, String::as_str);
        format!("`{version}` with {} columns", expected.fields().len())
    };
    let schema = message
        .header_as_schema()
        .ok_or_else(|| wrong("no schema".into(), columns(&known.now)))?;
    let mut metadata = schema.custom_metadata().into_iter().flatten();
    let version = metadata.find(|entry| entry.key() == Some(VERSION));
    let version = version
        .and_then(|entry| entry.value())
        .unwrap_or("no `beluga.schema`");
    let is_little = schema.endianness() == arrow_ipc::Endianness::Little;
    let Some(expected) = known.named(version).filter(|_| is_little) else {
        return Err(wrong(version.to_owned(), columns(&known.now)));
    };
    let found = schema.fields().map_or(0, |fields| fields.len());
    if found != expected.fields().len() {
        return Err(wrong(format!("{found} columns"), columns(expected)));
    }
    for (found, expected) in schema.fields().into_iter().flatten().zip(expected.fields()) {
        if !same_field(&found, expected) {
            let found = format!("`{}` {:?}", found.name().unwrap_or(""), found.type_type());
            return Err(wrong(
                found,
                format!("`{}` {}", expected.name(), expected.data_type()),
            ));
        }
    }
    Ok(expected)
}

/// Whether name, type and nullability are the same, through all levels.
fn same_field(found: &arrow_ipc::Field<'_>, expected: &Field) -> bool {
    found.name() == Some(expected.name())
        && found.nullable() == expected.is_nullable()
        && found.dictionary().is_none()
        && same_type(found, expected.data_type())
}

fn same_type(found: &arrow_ipc::Field<'_>, expected: &DataType) -> bool {
    let int = |bits: i32, signed: bool| {
        found
            .type_as_int()
            .is_some_and(|int| int.bitWidth() == bits && int.is_signed() == signed)
    };
    let float = |precision: Precision| {
        found
            .type_as_floating_point()
            .is_some_and(|float| float.precision() == precision)
    };
    let children = |expected: &[Arc<Field>]| {
        let count = found.children().map_or(0, |children| children.len());
        let mut pairs = found.children().into_iter().flatten().zip(expected);
        count == expected.len() && pairs.all(|(found, expected)| same_field(&found, expected))
    };
    match expected {
        DataType::UInt8 => int(8, false),
        DataType::UInt16 => int(16, false),
        DataType::UInt32 => int(32, false),
        DataType::UInt64 => int(64, false),
        DataType::Int32 => int(32, true),
        DataType::Int64 => int(64, true),
        DataType::Float32 => float(Precision::SINGLE),
        DataType::Float64 => float(Precision::DOUBLE),
        DataType::Utf8 => found.type_type() == Type::Utf8,
        DataType::List(item) => found.type_type() == Type::List && children(std::slice::from_ref(item)),
        DataType::FixedSizeList(item, size) => {
            let same_size = |list: arrow_ipc::FixedSizeList<'_>| list.listSize() == *size;
            found.type_as_fixed_size_list().is_some_and(same_size) && children(std::slice::from_ref(item))
        }
        DataType::Struct(fields) => found.type_type() == Type::Struct_ && children(fields),
        _ => false,
    }
}
