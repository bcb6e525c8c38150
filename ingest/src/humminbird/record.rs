//! One record of a `.SON` file: fields behind tags, then the samples of a ping.
//!
//! Source: `docs/BinaryStructure.md` of CameronBodine/PINGMapper (tags, header lengths by model). A field behind a tag
//! from 0x80 on has four bytes, behind another one; big-endian.

use crate::survey::walk::Framing;

/// What every record begins with.
pub(super) const MARK: [u8; 4] = [0xc0, 0xde, 0xab, 0x21];
/// The first tag: that of the record's number.
const NUMBER: u8 = 0x80;
/// The tag of the number of samples, and what stands behind it before the samples.
const SAMPLES: u8 = 0xa0;
const END: u8 = 0x21;
/// The longest header of a model is 152 bytes.
const LONGEST_HEADER: usize = 160;
/// Samples of a ping at most; devices have a few thousand.
const MOST_SAMPLES: u32 = 65_536;

/// A ping of one transducer, and what the unit knew then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Its number, counted over all transducers.
    pub number: u32,
    /// Since the recording began, in milliseconds.
    pub millis: u32,
    /// East and north in metres of the unit's own Mercator map.
    pub place_m: [i32; 2],
    /// Heading in tenths of a degree, if the unit holds it for good.
    pub heading_tenths: Option<u16>,
    /// Speed over ground in cm/s, if the unit holds it for good.
    pub speed_cm_per_s: Option<u16>,
    /// Depth that the unit found, in tenths of a metre (documents say centimetres).
    pub depth_tenths: u32,
    /// Which transducer: 0 down, low; 1 down, high; 2 to port; 3 to starboard; 4 down, very high.
    pub beam: u8,
    /// Transmitted, in hertz.
    pub frequency_hz: u32,
    /// Bytes before the samples: tells the family of units.
    pub header: usize,
    /// Echo strengths, from near to far.
    pub strength: Vec<u8>,
}

/// The fields of a record's header up to where its samples begin; nothing if it is none or is cut.
fn header(head: &[u8]) -> Option<(Record, u32)> {
    if !head.starts_with(&MARK) || head.get(MARK.len()) != Some(&NUMBER) {
        return None;
    }
    let mut record = Record::default();
    let mut at = MARK.len();
    loop {
        let tag = *head.get(at)?;
        at += 1;
        let four = tag & 0x80 != 0;
        let value = match four {
            true => u32::from_be_bytes(*head.get(at..)?.first_chunk()?),
            false => u32::from(*head.get(at)?),
        };
        at += if four { 4 } else { 1 };
        // A flag that it holds, then the number.
        let held = || (value >> 16 == 1).then_some(value as u16);
        match tag {
            NUMBER => record.number = value,
            0x81 => record.millis = value,
            0x82 => record.place_m[0] = value as i32,
            0x83 => record.place_m[1] = value as i32,
            0x84 => record.heading_tenths = held(),
            0x85 => record.speed_cm_per_s = held(),
            0x87 => record.depth_tenths = value,
            0x50 => record.beam = value as u8,
            0x92 => record.frequency_hz = value,
            SAMPLES => {
                record.header = at + 1;
                let is_whole = head.get(at) == Some(&END) && (1..=MOST_SAMPLES).contains(&value);
                return is_whole.then_some((record, value));
            }
            0x00..0x50 => return None,
            _ => {}
        }
    }
}

/// A file's records.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Son;

impl Framing for Son {
    const HEAD: usize = LONGEST_HEADER;
    const TAIL: usize = 0;
    const OPEN: bool = true;

    fn length(&self, head: &[u8]) -> Option<u64> {
        header(head).map(|(record, samples)| record.header as u64 + u64::from(samples))
    }

    fn closes(&self, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn holds(&self, _: &[u8]) -> bool {
        true
    }
}

/// Reads a whole record.
///
/// # Errors
/// If it is cut, or holds what cannot be.
pub(super) fn read(whole: &[u8]) -> Result<Record, String> {
    let (mut record, samples) =
        header(whole).ok_or("expected a record's fields and samples, found others")?;
    let strength = whole.get(record.header..record.header + samples as usize);
    record.strength = strength
        .ok_or_else(|| format!("expected {samples} samples, found fewer"))?
        .to_vec();
    if record.heading_tenths.is_some_and(|heading| heading > 3600) {
        return Err(format!(
            "expected a heading of 0° to 360°, found {:?} tenths",
            record.heading_tenths
        ));
    }
    if record.beam > 8 {
        return Err(format!("expected a transducer of 0 to 8, found {}", record.beam));
    }
    Ok(record)
}
