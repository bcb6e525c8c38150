//! Simrad EK80 `.raw`: files of wide-band echo sounders (WBT, WBT Mini, WBT Tube, GPT behind EK80).
//!
//! `EK80.md` beside this crate says what is read, what it means, and from where that is known. A
//! file is read datagram by datagram, once for each channel: memory holds one ping of each.

mod bytes;
mod channel;
mod datagram;
mod filter;
mod pings;
mod samples;
mod summary;
mod xml;

#[cfg(test)]
#[path = "../../tests/ek80_file/mod.rs"]
mod write;

use std::io::{Read, Seek};
use std::path::Path;

use beluga_types::{SonarPing, Stamp};

use crate::error::Error;

pub use summary::{ChannelSummary, Summary, summary, summary_of};

pub(crate) use pings::{Pings, nameplate};
pub(crate) use summary::{looks_like, rig};

/// The pings of one channel, in the order of the file, each with its transmit centre; what cannot
/// be read is an error in its place, and the pings go on behind it. `path` is the name in messages.
///
/// # Errors
/// If this does not start as an EK80 file does, or has no channel with this id.
pub fn pings<R: Read + Seek>(
    input: R,
    path: &Path,
    channel: &str,
) -> Result<impl Iterator<Item = Result<(Stamp, SonarPing), String>> + use<R>, Error> {
    let mut pings = Pings::new(input, path, Some(channel))?;
    Ok(std::iter::from_fn(move || pings.next_ping()))
}
