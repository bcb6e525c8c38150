//! The framing of XTF: a header with its channels, then packets that say how long they are.
//!
//! `u16 0xFACE | u8 type | u8 sub-channel | u16 channels that follow | 4 spare bytes | u32 length | body`,
//! little-endian; the length counts everything. Nothing marks a packet's end.

use beluga_types::{Attitude, Mount};

use crate::survey::fields::Fields;
use crate::survey::walk::Framing;

/// Bytes of a packet before its body.
pub(super) const HEAD: usize = 14;
/// The longest packet that is read.
const MAX_LENGTH: u64 = 16 << 20;
/// What every packet starts with.
const MAGIC: [u8; 2] = [0xce, 0xfa];
/// What a file starts with.
const FORMAT: u8 = 123;
/// Bytes of the file's header, and again where more channels need more of it.
const HEADER: usize = 1024;
/// Where the channels begin, and how long one is.
const CHANNELS: usize = 256;
const CHANNEL: usize = 128;
/// Channels at most.
const MOST_CHANNELS: usize = 64;

/// XTF's framing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Xtf;

impl Framing for Xtf {
    const HEAD: usize = HEAD;
    const TAIL: usize = 0;
    const OPEN: bool = true;

    fn length(&self, head: &[u8]) -> Option<u64> {
        let length = head
            .get(10..14)?
            .first_chunk()
            .map(|length| u32::from_le_bytes(*length))?;
        let length = u64::from(length);
        let likely = head.starts_with(&MAGIC) && (HEAD as u64..=MAX_LENGTH).contains(&length);
        likely.then_some(length)
    }

    fn closes(&self, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn holds(&self, _: &[u8]) -> bool {
        true
    }
}

/// What the file says before its packets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    /// The program that recorded it.
    pub program: String,
    /// Whether positions are in degrees; else in metres of some projection.
    pub in_degrees: bool,
    /// Its channels, by number.
    pub channels: Vec<Channel>,
    /// Where the antenna of the position sensor is.
    pub(super) antenna: Mount,
    /// Where the attitude sensor is.
    pub(super) motion: Mount,
    /// Where the packets begin.
    pub(super) packets: u64,
}

/// A channel as the file's header has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Channel {
    /// 0 sub-bottom, 1 port, 2 starboard, 3 bathymetry.
    pub kind: u8,
    /// Bytes of a sample.
    pub bytes: u16,
    /// Its name.
    pub name: String,
    /// Beam width along, tilt below the horizontal, beam width across, in degrees; 0 where not stated.
    pub beam_deg: [f32; 3],
    /// 5 says that samples of four bytes are numbers with a fraction.
    pub form: u8,
    /// Where its transducer is.
    pub(super) mount: Mount,
}

/// How many bytes of header a file with this many channels has.
fn header_bytes(channels: usize) -> usize {
    let all = CHANNELS + CHANNEL * channels.max(6);
    all.div_ceil(HEADER) * HEADER
}

/// Bytes of the longest header.
pub(super) fn longest() -> usize {
    header_bytes(MOST_CHANNELS)
}

/// Reads what stands before the packets.
///
/// # Errors
/// If this does not begin as an XTF file does, or is cut.
pub(super) fn header(bytes: &[u8]) -> Result<Header, String> {
    let mut fields = Fields::little(bytes, 0);
    if fields.u8()? != FORMAT {
        return Err(format!("expected an XTF file, which begins with {FORMAT}"));
    }
    fields.skip(1)?;
    let program = text(fields.take(8)?);
    fields.go(164)?;
    let nav_units = fields.u16()?;
    let (sonar, bathymetry) = (usize::from(fields.u16()?), usize::from(fields.u16()?));
    let (snippet, forward) = (usize::from(fields.u8()?), usize::from(fields.u8()?));
    let strength = usize::from(fields.u16()?);
    let interferometry = usize::from(fields.u8()?);
    let count = sonar + bathymetry + snippet + forward + strength + interferometry;
    if count > MOST_CHANNELS {
        return Err(format!(
            "expected {MOST_CHANNELS} channels at most, found {count}"
        ));
    }
    let packets = header_bytes(count);
    if bytes.len() < packets {
        return Err(format!(
            "expected a header of {packets} bytes, found {}",
            bytes.len()
        ));
    }
    // Y forward, X starboard, Z down, then yaw, pitch and roll.
    fields.go(216)?;
    let antenna = mount(&mut fields, true, 1)?;
    let motion = mount(&mut fields, true, 3)?;
    let channels = (0..count.max(6)).map(|index| channel(bytes, CHANNELS + CHANNEL * index));
    let mut channels = channels.collect::<Result<Vec<Channel>, String>>()?;
    channels.truncate(count);
    Ok(Header {
        program,
        in_degrees: nav_units == 3,
        channels,
        antenna,
        motion,
        packets: packets as u64,
    })
}

/// Three offsets in metres, Y before X or after it, and as many angles in degrees: yaw, pitch, roll.
fn mount(fields: &mut Fields<'_>, forward_first: bool, angles: usize) -> Result<Mount, String> {
    let mut number = || -> Result<f64, String> {
        let value = f64::from(fields.f32()?);
        Ok(if value.abs() < 1e4 { value } else { 0.0 })
    };
    let (one, other, down_m) = (number()?, number()?, number()?);
    let (forward_m, starboard_m) = if forward_first { (one, other) } else { (other, one) };
    let mut turned = [0.0; 3];
    for angle in turned.iter_mut().take(angles) {
        *angle = number()?;
    }
    let [yaw, pitch, roll] = turned;
    Ok(Mount {
        forward_m,
        starboard_m,
        down_m,
        attitude: Attitude::from_degrees([roll, pitch, yaw]),
    })
}

fn channel(bytes: &[u8], at: usize) -> Result<Channel, String> {
    let mut fields = Fields::little(bytes, at);
    let kind = fields.u8()?;
    fields.skip(5)?;
    let size = fields.u16()?;
    fields.skip(4)?;
    let name = text(fields.take(16)?);
    fields.skip(8)?;
    let beam_deg = [fields.f32()?, fields.f32()?, fields.f32()?];
    let mount = mount(&mut fields, false, 3)?;
    fields.skip(2)?;
    Ok(Channel {
        kind,
        bytes: size,
        name,
        beam_deg,
        form: fields.u8()?,
        mount,
    })
}

/// Text up to the first zero byte.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
}
