//! The framing of KMALL: the length at both ends, `#` and three letters, little-endian.
//!
//! `u32 length | #XYZ | u8 version | u8 system | u16 sounder | u32 s | u32 ns | body | u32 length`; both
//! lengths count everything. Times are UTC, from 1970.

use beluga_types::Stamp;

use crate::survey::fields::Fields;
use crate::survey::walk::Framing;

/// Bytes before a body.
pub(super) const HEAD: usize = 20;
/// Bytes behind it.
pub(super) const TAIL: usize = 4;
/// The longest datagram that is read: 256 parts of 64 kB are the most that are joined to one.
const MAX_LENGTH: u64 = 16 << 20;

/// KMALL's framing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kmall;

impl Framing for Kmall {
    const HEAD: usize = HEAD;
    const TAIL: usize = TAIL;
    const OPEN: bool = false;

    fn length(&self, head: &[u8]) -> Option<u64> {
        let (length, rest) = head.split_first_chunk()?;
        let length = u64::from(u32::from_le_bytes(*length));
        let named = rest.first() == Some(&b'#') && rest.get(1..4)?.iter().all(u8::is_ascii_uppercase);
        (named && length <= MAX_LENGTH).then_some(length)
    }

    fn closes(&self, head: &[u8], tail: &[u8]) -> bool {
        head.first_chunk::<4>().map(|length| &length[..]) == Some(tail)
    }

    fn holds(&self, _: &[u8]) -> bool {
        true
    }
}

/// What stands before a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The three letters.
    pub(crate) kind: [u8; 3],
    pub(crate) version: u8,
    pub(crate) sounder: u16,
    pub(crate) stamp: Stamp,
}

impl Header {
    /// Its three letters as text.
    pub(crate) fn name(&self) -> String {
        format!("#{}", String::from_utf8_lossy(&self.kind))
    }
}

/// The header of a whole datagram.
///
/// # Errors
/// If it is cut, or tells a time that is none.
pub(super) fn header(whole: &[u8]) -> Result<Header, String> {
    let mut fields = Fields::little(whole, 5);
    let kind = fields.take(3)?;
    let kind = [kind[0], kind[1], kind[2]];
    let version = fields.u8()?;
    fields.skip(1)?;
    Ok(Header {
        kind,
        version,
        sounder: fields.u16()?,
        stamp: time(&mut fields)?,
    })
}

/// A time of seconds and nanoseconds.
///
/// # Errors
/// If there are a second's nanoseconds or more.
pub(super) fn time(fields: &mut Fields<'_>) -> Result<Stamp, String> {
    let (seconds, nanos) = (fields.u32()?, fields.u32()?);
    if nanos >= 1_000_000_000 {
        return Err(format!("expected nanoseconds of a second, found {nanos}"));
    }
    Ok(Stamp::from_nanos(
        i64::from(seconds) * 1_000_000_000 + i64::from(nanos),
    ))
}
