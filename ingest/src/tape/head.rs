//! What stands before the first chunk: the magic bytes and the attachments.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};
use std::path::Path;

use mcap::records::op;

use super::cdr::Decoder;
use super::part::Part;
use super::records::{Records, Step};
use crate::error::Error;

/// The largest attachment that is looked at, in bytes.
const MAX_ATTACHMENT_BYTES: u64 = 16 << 20;

/// Refuses what does not begin as an MCAP file.
pub(crate) fn check_magic<R: Read + Seek>(records: &mut Records<R>, path: &Path) -> Result<(), Error> {
    let first = records.take(mcap::MAGIC.len() as u64).map_err(Error::io(path))?;
    if first.is_empty() {
        return Err(Error::Empty {
            expected: "an MCAP file".into(),
            path: path.to_owned(),
        });
    }
    if first != mcap::MAGIC {
        let found = crate::table::quoted(&String::from_utf8_lossy(&first));
        return Err(Error::bad(
            path,
            "byte 0",
            "the first eight bytes of an MCAP file",
            found,
        ));
    }
    Ok(())
}

/// What wrote the file, as the header behind the magic bytes says.
pub(crate) fn library<R: Read + Seek>(records: &mut Records<R>) -> io::Result<Option<String>> {
    let Step::Record {
        op: op::HEADER,
        length,
    } = records.step()?
    else {
        return Ok(None);
    };
    let body = records.take(length.min(MAX_ATTACHMENT_BYTES))?;
    let mut decoder = Decoder::packed(&body);
    let library = decoder.text().and_then(|_profile| decoder.text());
    Ok(library.ok().map(str::to_owned))
}

/// The attachments that stand before the first chunk.
pub(crate) fn attachments<R: Read + Seek>(records: &mut Records<R>) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut attached = BTreeMap::new();
    loop {
        let at = records.at();
        match records.step()? {
            Step::Record {
                op: op::ATTACHMENT,
                length,
            } if length <= MAX_ATTACHMENT_BYTES => {
                let body = records.take(length)?;
                if let Some((name, data)) = attachment(&body) {
                    attached.insert(name.to_owned(), data.to_vec());
                }
            }
            Step::Record {
                op: op::HEADER | op::METADATA | op::ATTACHMENT | op::SCHEMA | op::CHANNEL,
                length,
            } => records.go(records.at().saturating_add(length))?,
            _ => {
                records.go(at)?;
                return Ok(attached);
            }
        }
    }
}

/// Which part of a row the file says to be, before its first chunk.
pub(crate) fn part<R: Read + Seek>(records: &mut Records<R>) -> io::Result<Option<Part>> {
    /// A part says little.
    const MAX_BYTES: u64 = 4096;
    loop {
        match records.step()? {
            Step::Record {
                op: op::METADATA,
                length,
            } if length <= MAX_BYTES => {
                if let Some(part) = Part::read(&records.take(length)?) {
                    return Ok(Some(part));
                }
            }
            Step::Record {
                op: op::HEADER | op::METADATA | op::ATTACHMENT | op::SCHEMA | op::CHANNEL,
                length,
            } => records.go(records.at().saturating_add(length))?,
            _ => return Ok(None),
        }
    }
}

/// Name and data of an attachment that agrees with its sum.
fn attachment(body: &[u8]) -> Option<(&str, &[u8])> {
    let mut decoder = Decoder::packed(body);
    let _times: (u64, u64) = (decoder.get().ok()?, decoder.get().ok()?);
    let name = decoder.text().ok()?;
    let _media_type = decoder.text().ok()?;
    let length: u64 = decoder.get().ok()?;
    let data = decoder.take(usize::try_from(length).ok()?).ok()?;
    let summed = body.len() - decoder.rest().len();
    let sum: u32 = decoder.get().ok()?;
    (sum == 0 || crc32fast::hash(&body[..summed]) == sum).then_some((name, data))
}
