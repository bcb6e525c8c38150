//! A record as two files, document and binary apart, and as one again.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::head::Head;
use super::private_file::create_by;
use super::reader::head_error;
use crate::error::{Error, io_error};
use crate::regular::open_regular;

/// Writes the document of a record (HEAD, to its marker line) and the rest (PRE, records, FOOT) as two
/// new files. Nothing but the head is looked at: a torn record can be split too.
///
/// # Errors
/// [`Error::BadHead`], and [`Error::Io`], also if one of the two exists. Then neither is made.
pub fn split(record: &Path, document: &Path, binary: &Path) -> Result<(), Error> {
    let file = open_regular(record).map_err(io_error("opening a record", record))?;
    let mut file = BufReader::new(file);
    let head = Head::read(&mut file).map_err(|error| head_error(error, record))?;
    let length = head.text.len() as u64;
    let mut piece = |path: &Path, from: u64, bytes: u64| {
        let mut copy = |to: &mut File| {
            file.seek(SeekFrom::Start(from))?;
            std::io::copy(&mut file.by_ref().take(bytes), to).map(|_| ())
        };
        create_by(path, &mut copy).map_err(io_error("writing a part of a record", path))
    };
    piece(document, 0, length)?;
    piece(binary, length, u64::MAX).inspect_err(|_| {
        // The document is ours; the first error says more than a second one.
        let _ = std::fs::remove_file(document);
    })
}

/// Writes the two parts of a record as one new file: the bytes that [`split`] was given.
///
/// # Errors
/// [`Error::BadHead`] if the two do not belong together, and [`Error::Io`], also if the record exists.
pub fn join(document: &Path, binary: &Path, record: &Path) -> Result<(), Error> {
    let open = |path: &Path| open_regular(path).map_err(io_error("opening a part of a record", path));
    let (mut first, mut second) = (open(document)?, open(binary)?);
    let mut both = BufReader::new((&first).chain(&second));
    let head = Head::read(&mut both).map_err(|error| head_error(error, document))?;
    let (expected, found) = (head.text.len() as u64, length(&first, document)?);
    if found != expected {
        return Err(Error::BadHead {
            reason: format!("the document has {found} bytes, the binary part belongs to one of {expected}"),
            path: document.to_owned(),
        });
    }
    let mut copy = |to: &mut File| {
        first.rewind()?;
        second.rewind()?;
        std::io::copy(&mut (&first).chain(&second), to).map(|_| ())
    };
    create_by(record, &mut copy).map_err(io_error("writing a record", record))
}

fn length(file: &File, path: &Path) -> Result<u64, Error> {
    file.metadata()
        .map(|metadata| metadata.len())
        .map_err(io_error("reading a part of a record", path))
}
