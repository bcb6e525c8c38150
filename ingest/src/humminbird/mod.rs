//! Humminbird side imaging: `.SON` files, with the index and the description beside them.
//!
//! `IMAGING_SONAR.md` beside this crate says what is read, what it means, and from where that is known.

mod beside;
mod read;
mod record;
mod summary;

use std::io::{Read, Seek};
use std::path::Path;

use crate::error::Error;
use crate::regular;
use crate::survey::walk::Walk;

use record::Son;

pub use beside::{Description, description, index};
pub use record::Record;
pub use summary::{Summary, summary, summary_of};

pub(crate) use read::{first_place, open};
pub(crate) use summary::rig;

/// The records of a file in their order, or why one cannot be read. Damage is an error in its place.
///
/// # Errors
/// If it cannot be read at all.
pub fn records<R: Read + Seek>(
    input: R,
    path: &Path,
) -> Result<impl Iterator<Item = Result<Record, String>> + use<R>, Error> {
    let mut walk = Walk::new(input, Son, 0).map_err(Error::io(path))?;
    Ok(std::iter::from_fn(move || {
        Some(match walk.next()? {
            Ok(start) => record::read(walk.bytes()).map_err(|wrong| format!("byte {start}: {wrong}")),
            Err(damage) => Err(damage.fault.detail),
        })
    }))
}

/// Whether a file begins as a `.SON` file does.
pub(crate) fn looks_like(path: &Path) -> bool {
    let mut head = [0; HEAD];
    regular::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok()) && is_head(&head)
}

/// Bytes by which a file is known.
const HEAD: usize = 5;

/// Whether these are the first bytes of a record: its mark, and the tag of its number.
pub(crate) fn is_head(bytes: &[u8]) -> bool {
    bytes.starts_with(&record::MARK) && bytes.get(record::MARK.len()) == Some(&0x80)
}
