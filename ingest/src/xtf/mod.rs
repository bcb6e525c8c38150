//! XTF, the exchange format of side-scans and survey suites.
//!
//! `SURVEY_SONAR.md` beside this crate says what is read, what it means, and from where that is known.

mod framing;
mod packets;
mod read;
mod summary;

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::Error;
use crate::r2sonic;
use crate::survey::walk::Walk;

use framing::Xtf;

pub use crate::r2sonic::{Ping, Point};
pub use framing::{Channel, Header};
pub use packets::{AttitudePacket, PositionPacket, Samples, SonarPing};
pub use summary::{Summary, summary, summary_of};

pub(crate) use read::{first_place, open};
pub(crate) use summary::{looks_like, rig};

/// Types of packets that are read.
const SONAR: u8 = 0;
const ATTITUDE: u8 = 3;
const POSITION: u8 = 107;
/// R2Sonic pings as QINSy and as the maker's own recorder have them.
const R2SONIC: [u8; 2] = [65, 68];

/// A packet's content.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// Type 0: a ping of samples.
    Sonar(Box<SonarPing>),
    /// Types 65 and 68: a ping of an R2Sonic.
    R2Sonic(Box<Ping>),
    /// Type 3.
    Attitude(AttitudePacket),
    /// Type 107.
    Position(PositionPacket),
    /// Anything else, passed over: its type.
    Other(u8),
}

/// Reads a whole packet.
///
/// # Errors
/// If a part is cut, or its numbers cannot be.
fn read_whole(whole: &[u8], header: &Header) -> Result<Content, String> {
    let kind = whole.get(2).copied().unwrap_or_default();
    Ok(match kind {
        SONAR => Content::Sonar(Box::new(packets::sonar(whole, header)?)),
        ATTITUDE => Content::Attitude(packets::attitude(whole)?),
        POSITION => Content::Position(packets::position(whole)?),
        kind if R2SONIC.contains(&kind) => {
            let payload = whole.get(packets::PING..).unwrap_or_default();
            Content::R2Sonic(Box::new(r2sonic::ping(payload)?))
        }
        other => Content::Other(other),
    })
}

/// What stands before a file's packets, and a walk through them.
///
/// # Errors
/// If it cannot be read, or does not begin as an XTF file does.
fn walk<R: Read + Seek>(mut input: R, path: &Path) -> Result<(Header, Walk<R, Xtf>), Error> {
    let mut bytes = Vec::new();
    input.seek(SeekFrom::Start(0)).map_err(Error::io(path))?;
    let mut start = (&mut input).take(framing::longest() as u64);
    start.read_to_end(&mut bytes).map_err(Error::io(path))?;
    let header = framing::header(&bytes)
        .map_err(|wrong| Error::bad(path, "byte 0", "the header of an XTF file", wrong))?;
    let walk = Walk::new(input, Xtf, header.packets).map_err(Error::io(path))?;
    Ok((header, walk))
}

/// The header of a file, and its packets in their order, or why one cannot be read. Damage is an error in
/// its place.
///
/// # Errors
/// If it cannot be read at all, or does not begin as an XTF file does.
#[allow(clippy::type_complexity, reason = "an iterator that is named nowhere else")]
pub fn contents<R: Read + Seek>(
    input: R,
    path: &Path,
) -> Result<(Header, impl Iterator<Item = Result<Content, String>> + use<R>), Error> {
    let (header, mut walk) = walk(input, path)?;
    let known = header.clone();
    let contents = std::iter::from_fn(move || {
        Some(match walk.next()? {
            Ok(start) => read_whole(walk.bytes(), &known).map_err(|wrong| format!("byte {start}: {wrong}")),
            Err(damage) => Err(damage.fault.detail),
        })
    });
    Ok((header, contents))
}
