//! The framing of `.all`: a length, a start byte, and an end byte with a sum behind it, in either order.
//!
//! `u32 length | 0x02 | type | u16 model | u32 date | u32 ms | u16 counter | u16 serial | body | 0x03 | u16 sum`.
//! The length does not count itself; the sum is that of the bytes between start and end byte. The date is
//! a number YYYYMMDD, the time milliseconds since its midnight, UTC.

use beluga_types::Stamp;

use crate::survey::calendar;
use crate::survey::fields::Fields;
use crate::survey::walk::Framing;

/// Bytes before a body.
pub(super) const HEAD: usize = 20;
/// Bytes behind it.
pub(super) const TAIL: usize = 3;
/// The longest datagram that is read; they come in UDP packets of 64 kB.
const MAX_LENGTH: u32 = 1 << 20;
/// A day's milliseconds, with a leap second.
const DAY_MS: u32 = 86_401_000;

/// The framing, in one byte order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct All {
    /// Most significant byte first.
    pub(crate) big: bool,
}

impl Framing for All {
    const HEAD: usize = HEAD;
    const TAIL: usize = TAIL;
    const OPEN: bool = false;

    fn length(&self, head: &[u8]) -> Option<u64> {
        let mut fields = Fields::ordered(head, 0, self.big);
        let length = fields.u32().ok()?;
        let starts = fields.u8().ok()? == 2;
        fields.skip(3).ok()?;
        let (date, ms) = (fields.u32().ok()?, fields.u32().ok()?);
        let likely = starts && length <= MAX_LENGTH && ms < DAY_MS && days(date).is_some();
        likely.then_some(u64::from(length) + 4)
    }

    fn closes(&self, _: &[u8], tail: &[u8]) -> bool {
        tail.first() == Some(&3)
    }

    fn holds(&self, whole: &[u8]) -> bool {
        let Some((rest, tail)) = whole.split_last_chunk::<TAIL>() else {
            return false;
        };
        let sum = rest
            .iter()
            .skip(5)
            .fold(0u16, |sum, &byte| sum.wrapping_add(u16::from(byte)));
        let said = [tail[1], tail[2]];
        sum == if self.big {
            u16::from_be_bytes(said)
        } else {
            u16::from_le_bytes(said)
        }
    }
}

/// What stands before a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: u8,
    pub(crate) model: u16,
    pub(crate) stamp: Stamp,
    pub(crate) counter: u16,
    pub(crate) serial: u16,
}

/// The header of a whole datagram.
///
/// # Errors
/// If it is cut, or its date is none.
pub(super) fn header(whole: &[u8], big: bool) -> Result<Header, String> {
    let mut fields = Fields::ordered(whole, 5, big);
    let (kind, model) = (fields.u8()?, fields.u16()?);
    let (date, ms) = (fields.u32()?, fields.u32()?);
    let days = days(date).ok_or_else(|| format!("expected a date YYYYMMDD, found {date}"))?;
    Ok(Header {
        kind,
        model,
        stamp: Stamp::from_nanos((days * 86_400_000 + i64::from(ms)) * 1_000_000),
        counter: fields.u16()?,
        serial: fields.u16()?,
    })
}

/// Days from 1970 to a date YYYYMMDD, if it is one.
pub(super) fn days(date: u32) -> Option<i64> {
    calendar::days(date / 10_000, date / 100 % 100, date % 100)
}
