//! Kongsberg `.all` and `.wcd`: files of the EM multibeams before `.kmall`.
//!
//! `SURVEY_SONAR.md` beside this crate says what is read, what it means, and from where that is known.

mod framing;
mod installation;
mod nameplate;
mod ranges;
mod read;
mod sensors;
mod summary;

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use beluga_types::Stamp;

use crate::error::Error;
use crate::survey::fields::Fields;
use crate::survey::walk::{Framing, Walk};

use framing::{All, HEAD, Header, TAIL};

pub use ranges::{Beam, Ranges, Sector, Sounding, Soundings};
pub use sensors::{AttitudeSample, Attitudes, Position, SoundProfile};
pub use summary::{Summary, summary, summary_of};

pub(crate) use nameplate::nameplate;
pub(crate) use read::{first_place, open};
pub(crate) use summary::{looks_like, rig};

/// A datagram: whose and when it is, and what it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Datagram {
    /// When: of pings the first transmission, of sensors the first sample.
    pub stamp: Stamp,
    /// Model of the sounder.
    pub model: u16,
    /// The ping's number, which starts over at 65,536; of others a count of their own.
    pub counter: u16,
    /// Serial number of the receiver.
    pub serial: u16,
    /// What it holds.
    pub content: Content,
}

/// A datagram's content.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// `I`, `i`: text of what is installed.
    Installation(String),
    /// `N` (78): what was measured of a ping.
    Ranges(Box<Ranges>),
    /// `X` (88): what the sounder made of it.
    Soundings(Box<Soundings>),
    /// `A` (65): an attitude sensor.
    Attitudes(Attitudes),
    /// `n` (110): an attitude sensor on the network.
    NetworkAttitudes(Attitudes),
    /// `P` (80): a position sensor.
    Position(Position),
    /// `h` (104): a height in metres, and of which kind.
    Height(f64, u8),
    /// `U` (85): a profile.
    Profile(SoundProfile),
    /// `G` (71): seconds after the datagram's time, and speed of sound at the head in m/s.
    SurfaceSpeeds(Vec<(u16, f64)>),
    /// `R` (82): beam widths in degrees, along of the transmitted, across of the received.
    Widths([f64; 2]),
    /// `C` (67): the external clock's milliseconds since its midnight.
    Clock(u32),
    /// Anything else, passed over: its type.
    Other(u8),
}

/// Reads a whole datagram.
///
/// # Errors
/// If a part is cut, or its numbers cannot be.
fn read_whole(whole: &[u8], big: bool) -> Result<Datagram, String> {
    let Header {
        kind,
        model,
        stamp,
        counter,
        serial,
    } = framing::header(whole, big)?;
    let body = whole.get(..whole.len().saturating_sub(TAIL)).unwrap_or_default();
    let mut fields = Fields::ordered(body, HEAD, big);
    let fields = &mut fields;
    let content = match kind {
        b'I' | b'i' => {
            fields.skip(2)?;
            let text = fields.take(fields.left())?;
            Content::Installation(String::from_utf8_lossy(text).trim_matches('\0').to_owned())
        }
        b'N' => Content::Ranges(Box::new(ranges::ranges(fields)?)),
        b'X' => Content::Soundings(Box::new(ranges::soundings(fields)?)),
        b'A' => Content::Attitudes(sensors::attitudes(fields)?),
        b'n' => Content::NetworkAttitudes(sensors::network_attitudes(fields)?),
        b'P' => Content::Position(sensors::position(fields)?),
        b'h' => Content::Height(0.01 * f64::from(fields.i32()?), fields.u8()?),
        b'U' => Content::Profile(sensors::profile(fields)?),
        b'G' => Content::SurfaceSpeeds(sensors::surface_speeds(fields)?),
        b'R' => Content::Widths(sensors::widths_deg(fields)?),
        b'C' => {
            fields.skip(4)?;
            Content::Clock(fields.u32()?)
        }
        other => Content::Other(other),
    };
    Ok(Datagram {
        stamp,
        model,
        counter,
        serial,
        content,
    })
}

/// The framing in the byte order of the first datagram.
///
/// # Errors
/// If none begins there in either.
fn order<R: Read + Seek>(input: &mut R, path: &Path) -> Result<All, Error> {
    let mut head = Vec::new();
    input.seek(SeekFrom::Start(0)).map_err(Error::io(path))?;
    input
        .take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(Error::io(path))?;
    let orders = [false, true].map(|big| All { big });
    let found = orders.into_iter().find(|order| order.length(&head).is_some());
    found.ok_or_else(|| {
        let expected = "a Kongsberg .all file: a length, byte 2, a type, a model, a date and a time";
        Error::bad(path, "byte 0", expected, "no datagram")
    })
}

/// All datagrams of a file in its order, or why one cannot be read. Damage is an error in its place.
///
/// # Errors
/// If it cannot be read at all, or begins with no datagram in either byte order.
pub fn datagrams<R: Read + Seek>(
    mut input: R,
    path: &Path,
) -> Result<impl Iterator<Item = Result<Datagram, String>> + use<R>, Error> {
    let order = order(&mut input, path)?;
    let mut walk = Walk::new(input, order, 0).map_err(Error::io(path))?;
    Ok(std::iter::from_fn(move || {
        Some(match walk.next()? {
            Ok(start) => {
                read_whole(walk.bytes(), order.big).map_err(|wrong| format!("byte {start}: {wrong}"))
            }
            Err(damage) => Err(damage.fault.detail),
        })
    }))
}
