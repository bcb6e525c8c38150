//! Kongsberg `.kmall` and `.kmwcd`: files of the EM multibeams of today.
//!
//! `SURVEY_SONAR.md` beside this crate says what is read, what it means, and from where that is known.

mod framing;
mod installation;
mod live;
mod mrz;
mod nameplate;
mod partition;
mod read;
mod sensors;
mod summary;

use std::io::{Read, Seek};
use std::path::Path;

use beluga_types::Stamp;

use crate::error::Error;
use crate::survey::walk::Walk;

use framing::{HEAD, Kmall, TAIL};
use partition::Parts;

pub use mrz::{Kind, Sector, Sounding, Swath};
pub use sensors::{Motion, Motions, Position, SoundProfile, SoundSpeed};
pub use summary::{Summary, summary, summary_of};

pub(crate) use live::{is_whole, live};
pub(crate) use nameplate::nameplate;
pub(crate) use read::{first_place, open};
pub(crate) use summary::{looks_like, rig};

/// A datagram's content.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// `#IIP`: text of what is installed.
    Installation(String),
    /// `#IOP`: text of what the operator chose.
    Runtime(String),
    /// `#MRZ`: a swath.
    Swath(Box<Swath>),
    /// `#SKM`: an attitude sensor.
    Motions(Motions),
    /// `#SPO`: a position sensor.
    Position(Position),
    /// `#CPO`: the same as older software wants it.
    OldPosition(Position),
    /// `#SVP`: a profile.
    Profile(SoundProfile),
    /// `#SVT`: speed of sound at the transducer.
    SoundSpeeds(Vec<SoundSpeed>),
    /// A part of a datagram of which more has to come.
    Part,
    /// Anything else, passed over: its type.
    Other(String),
}

/// Reads datagrams one after the other; remembers the parts of one that comes in several.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    parts: Parts,
}

/// What one datagram gave.
pub(crate) struct Given {
    pub(crate) stamp: Stamp,
    pub(crate) content: Result<Content, String>,
    /// Parts before it that have waited in vain.
    pub(crate) lost: Option<String>,
}

/// The newest form of each datagram that is known.
fn newest(kind: [u8; 3]) -> Option<u8> {
    Some(match &kind {
        b"MRZ" => 3,
        b"SKM" | b"SVP" | b"IIP" | b"IOP" => 1,
        b"SPO" | b"CPO" | b"SVT" => 0,
        _ => return None,
    })
}

impl Reader {
    /// Reads a whole datagram.
    pub(crate) fn read(&mut self, whole: &[u8]) -> Given {
        match framing::header(whole) {
            Ok(header) => {
                let mut lost = None;
                let content = self.content(&header, whole, &mut lost);
                Given {
                    stamp: header.stamp,
                    content,
                    lost,
                }
            }
            Err(wrong) => Given {
                stamp: Stamp::default(),
                content: Err(wrong),
                lost: None,
            },
        }
    }

    fn content(
        &mut self,
        header: &framing::Header,
        whole: &[u8],
        lost: &mut Option<String>,
    ) -> Result<Content, String> {
        let Some(newest) = newest(header.kind) else {
            return Ok(Content::Other(header.name()));
        };
        if header.version > newest {
            let found = header.version;
            return Err(format!("expected version {newest} or older, found {found}"));
        }
        let body = whole
            .get(HEAD..whole.len().saturating_sub(TAIL))
            .unwrap_or_default();
        Ok(match &header.kind {
            b"IIP" => Content::Installation(text(body)),
            b"IOP" => Content::Runtime(text(body)),
            b"SKM" => Content::Motions(sensors::motions(body)?),
            b"SPO" => Content::Position(sensors::position(body)?),
            b"CPO" => Content::OldPosition(sensors::position(body)?),
            b"SVP" => Content::Profile(sensors::profile(body)?),
            b"SVT" => Content::SoundSpeeds(sensors::sound_speeds(body)?),
            _ => {
                let joined = self.parts.take(header.stamp, whole)?;
                *lost = joined.lost;
                match joined.body {
                    Some(body) => Content::Swath(Box::new(mrz::read(&body)?)),
                    None => Content::Part,
                }
            }
        })
    }

    /// Parts that wait at the end of the file.
    pub(crate) fn end(&mut self) -> Option<String> {
        self.parts.drop_waiting()
    }
}

/// Text behind a size, information and status of two bytes each.
fn text(body: &[u8]) -> String {
    let text = body.get(6..).unwrap_or_default();
    String::from_utf8_lossy(text).trim_matches('\0').to_owned()
}

/// All datagrams of a file in its order: their times, and what they hold or why that cannot be read.
/// Damage is an error in its place.
///
/// # Errors
/// If it cannot be read at all.
pub fn contents<R: Read + Seek>(
    input: R,
    path: &Path,
) -> Result<impl Iterator<Item = Result<(Stamp, Content), String>> + use<R>, Error> {
    let mut walk = Walk::new(input, Kmall, 0).map_err(Error::io(path))?;
    let mut reader = Reader::default();
    Ok(std::iter::from_fn(move || {
        Some(match walk.next()? {
            Ok(start) => {
                let given = reader.read(walk.bytes());
                let content = given.content.map_err(|wrong| format!("byte {start}: {wrong}"));
                content.map(|content| (given.stamp, content))
            }
            Err(damage) => Err(damage.fault.detail),
        })
    }))
}
