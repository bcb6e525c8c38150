//! Sound Metrics ARIS: files of frames, an image each.
//!
//! `IMAGING_SONAR.md` beside this crate says what is read, what it means, and from where that is known.

mod frame;
mod lens;
mod read;
mod summary;

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::Error;
use crate::regular;
use crate::survey::walk::Walk;

use frame::Aris;

pub use frame::Frame;
pub use summary::{Summary, summary, summary_of};

pub(crate) use read::open;
pub(crate) use summary::{nameplate, rig};

/// A walk through the frames behind the file's header.
///
/// # Errors
/// If it cannot be read, or does not begin as an ARIS file does.
fn walk<R: Read + Seek>(mut input: R, path: &Path) -> Result<Walk<R, Aris>, Error> {
    let mut mark = Vec::new();
    input.seek(SeekFrom::Start(0)).map_err(Error::io(path))?;
    let mut start = (&mut input).take(frame::MARK.len() as u64);
    start.read_to_end(&mut mark).map_err(Error::io(path))?;
    if mark != frame::MARK {
        let found = format!("{:?}", mark.escape_ascii().to_string());
        return Err(Error::bad(
            path,
            "byte 0",
            "`DDF` and version 5, an ARIS file",
            found,
        ));
    }
    Walk::new(input, Aris, frame::HEADER as u64).map_err(Error::io(path))
}

/// The frames of a file in their order, or why one cannot be read. Damage is an error in its place.
///
/// # Errors
/// If it cannot be read at all, or does not begin as an ARIS file does.
pub fn frames<R: Read + Seek>(
    input: R,
    path: &Path,
) -> Result<impl Iterator<Item = Result<Frame, String>> + use<R>, Error> {
    let mut walk = walk(input, path)?;
    Ok(std::iter::from_fn(move || {
        Some(match walk.next()? {
            Ok(start) => frame::read(walk.bytes()).map_err(|wrong| format!("byte {start}: {wrong}")),
            Err(damage) => Err(damage.fault.detail),
        })
    }))
}

/// Whether a file begins as an ARIS file does.
pub(crate) fn looks_like(path: &Path) -> bool {
    let mut mark = frame::MARK;
    regular::open(path).is_ok_and(|mut file| file.read_exact(&mut mark).is_ok()) && mark == frame::MARK
}
