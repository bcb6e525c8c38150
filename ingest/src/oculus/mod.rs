//! Blueprint Oculus imaging sonars: the stream of messages that they send, kept as a file or heard now.
//!
//! `IMAGING_SONAR.md` beside this crate says what is read, what it means, and from where that is known.

mod framing;
mod image;
mod live;
mod model;
mod ping;
mod question;
mod read;
mod status;
mod summary;

use std::io::{Read, Seek};
use std::path::Path;

use crate::error::Error;
use crate::regular;
use crate::survey::walk::Walk;

use framing::Oculus;

pub use ping::Ping;
pub use summary::{Summary, summary, summary_of};

pub(crate) use live::Sent;
pub(crate) use question::questions;
pub(crate) use read::open;
pub(crate) use status::{STATUS_PORT, Status, TCP_PORT, read as status};
pub(crate) use summary::{nameplate, rig};

/// A message's content.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A ping's image.
    Ping(Box<Ping>),
    /// Anything else, passed over: its number.
    Other(u16),
}

/// Reads a whole message.
fn read_whole(whole: &[u8]) -> Result<Content, String> {
    match framing::kind(whole) {
        Some((framing::PING, _)) => ping::read(whole).map(|ping| Content::Ping(Box::new(ping))),
        Some((other, _)) => Ok(Content::Other(other)),
        None => Err(format!(
            "expected a head of {} bytes, found {}",
            framing::HEAD,
            whole.len()
        )),
    }
}

/// The messages of a stream in their order, or why one cannot be read. Damage is an error in its place.
///
/// # Errors
/// If it cannot be read at all.
pub fn contents<R: Read + Seek>(
    input: R,
    path: &Path,
) -> Result<impl Iterator<Item = Result<Content, String>> + use<R>, Error> {
    let mut walk = Walk::new(input, Oculus, 0).map_err(Error::io(path))?;
    Ok(std::iter::from_fn(move || {
        Some(match walk.next()? {
            Ok(start) => read_whole(walk.bytes()).map_err(|wrong| format!("byte {start}: {wrong}")),
            Err(damage) => Err(damage.fault.detail),
        })
    }))
}

/// Whether a file begins as such a stream does: with the head of a message of a number that is sent.
pub(crate) fn looks_like(path: &Path) -> bool {
    let mut head = [0; framing::HEAD];
    regular::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok()) && is_head(&head)
}

/// Whether these are the first bytes of a message of a number that is sent: fire, results, configuration, logs and
/// fillers.
pub(crate) fn is_head(bytes: &[u8]) -> bool {
    let sent = |number| matches!(number, 0x01 | 0x15 | 0x22 | 0x23 | 0x55 | 0x80 | 0xff);
    let is_short = |version| version <= 16;
    framing::length(bytes).is_some()
        && framing::kind(bytes).is_some_and(|(number, version)| sent(number) && is_short(version))
}
