//! Another list of readers for a record that stands: new stanzas in its document, a new header MAC.
//!
//! Records and signatures stay byte for byte. Whoever could read the record before can still read
//! every copy of it, and knows its file key: taking a reader off the list keeps nothing from him.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use super::fence::{self, fences, only};
use super::head::{Head, Unlocked};
use super::layout::{MAX_HEAD, PRE_MACED, Pre};
use super::opening::check_number_of_readers;
use super::private_file::{create_by, replace_by};
use super::reader::head_error;
use super::recipient::{Readers, Unlock, check_alone, listed, wrap_all};
use super::secret::{FileKey, header_mac};
use super::stanza::{self, Stanza};
use crate::error::{Error, io_error};
use crate::regular::open_regular;

/// What a list of readers was and is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrapped {
    /// Who stands in the list now, as `xwing:<id>`, `keyfile:<id>` or `argon2id:<cost>`.
    pub readers: Vec<String>,
    /// Bytes of the document and of PRE before, and now.
    pub head_bytes: (u64, u64),
}

/// Writes a record once more with another list of readers. `keep`: those of the old list stay in it.
/// With `target` the same as `source`, the new file takes the place of the old one.
///
/// # Errors
/// [`Error::NoKey`], [`Error::BadHead`], [`Error::NoRecipient`], [`Error::Document`] beyond 64 readers
/// or 1 MiB, [`Error::Randomness`], [`Error::Io`]. Then nothing has changed.
pub fn rewrap(
    source: &Path,
    target: &Path,
    unlock: &Unlock,
    readers: &Readers,
    keep: bool,
) -> Result<Rewrapped, Error> {
    let file = open_regular(source).map_err(io_error("opening a record", source))?;
    let mut file = BufReader::new(file);
    let head = Head::read(&mut file).map_err(|error| head_error(error, source))?;
    let file_key = match head.unlock(unlock) {
        Unlocked::Open(key) => key,
        Unlocked::NoKey => {
            return Err(Error::NoKey {
                path: source.to_owned(),
            });
        }
        Unlocked::Changed(reason) => {
            return Err(Error::BadHead {
                reason,
                path: source.to_owned(),
            });
        }
    };
    let stanzas = stanzas(&head, &file_key, readers, keep)?;
    let new_head = with_readers(&head, &file_key, &stanzas)?;
    let mut copy = |to: &mut File| {
        file.seek(SeekFrom::Start(head.length()))?;
        to.write_all(&new_head)?;
        std::io::copy(&mut file, to).map(|_| ())
    };
    let failed = io_error("writing a record", target);
    if source == target {
        replace_by(target, &mut copy).map_err(failed)?;
    } else {
        create_by(target, &mut copy).map_err(failed)?;
    }
    Ok(Rewrapped {
        readers: stanzas.iter().map(listed).collect(),
        head_bytes: (head.length(), new_head.len() as u64),
    })
}

fn stanzas(head: &Head, file_key: &FileKey, readers: &Readers, keep: bool) -> Result<Vec<Stanza>, Error> {
    let refused = |reason| Error::Document { reason };
    let mut stanzas = if keep {
        stanza::parse(&head.recipients).map_err(refused)?
    } else {
        Vec::new()
    };
    let new = wrap_all(file_key, &head.pre.file_id, readers)?;
    // Who stands in both lists gets the new stanza.
    let names: Vec<String> = new.iter().map(listed).collect();
    stanzas.retain(|stanza| !names.contains(&listed(stanza)));
    stanzas.extend(new);
    check_number_of_readers(stanzas.len())?;
    check_alone(&stanzas).map_err(refused)?;
    Ok(stanzas)
}

/// HEAD with these stanzas, and its PRE.
fn with_readers(head: &Head, file_key: &FileKey, stanzas: &[Stanza]) -> Result<Vec<u8>, Error> {
    let refused = |reason| Error::Document { reason };
    let old = only(&fences(&head.text), "maml-recipients")
        .map_err(refused)?
        .outer;
    let mut text = head.text[..old.start].to_owned();
    fence::write(&mut text, "maml-recipients", &stanza::join(stanzas));
    text.push_str(&head.text[old.end..]);
    if text.len() > MAX_HEAD {
        return Err(refused(format!(
            "{} bytes, expected at most {MAX_HEAD}",
            text.len()
        )));
    }
    let pre = Pre {
        head_len: text.len() as u32,
        ..head.pre.clone()
    };
    let pre_bytes: [u8; PRE_MACED] = pre.encode();
    let mac = hmac::Mac::finalize(header_mac(file_key, &pre.file_id, text.as_bytes(), &pre_bytes));
    let bytes = [text.as_bytes(), &pre_bytes, &mac.into_bytes()].concat();
    let read = Head::read(&mut bytes.as_slice()).map_err(|error| head_error(error, Path::new("(memory)")))?;
    read.check_key(file_key).map_err(refused)?;
    Ok(bytes)
}
