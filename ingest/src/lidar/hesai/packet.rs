//! The point cloud packet: bytes → fields, for each protocol.
//!
//! Little-endian. A head that begins 0xEE 0xFF, blocks of `u16` azimuth and one `u16` distance and
//! `u8` reflectivity for each channel (some protocols with a fourth byte), and a tail with mode, date
//! and µs, the packet's number behind it. A Pandar40P has no head: its blocks begin 0xFF 0xEE.
//! Sources: user manuals Pandar40P (40-en-2208A0), Pandar64 (64-en-2105A1), PandarQT (401-en),
//! PandarXT-32 (X01-en-2104), QT128C2X (Q03-en-220810), each chapter 3; the places of the tail's
//! fields compared with Hesai's SDK 2.0, `libhesai/UdpProtocol/`.

use super::model::Model;

/// Azimuths are counted in hundredths of a degree.
pub const TURN: u16 = 36_000;
/// Before a packet's head ends.
const HEAD: usize = 12;
/// What follows a QT128's blocks: check sum, functional safety, signature.
const CHECK: usize = 4;
const SAFETY: usize = 17;
const SIGNATURE: usize = 32;

/// Where everything stands in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Whose packet.
    pub model: Model,
    /// Blocks.
    pub blocks: usize,
    /// Millimetres of a distance's unit.
    pub unit_mm: u8,
    first: usize,
    block: usize,
    /// Bytes of a block before its first channel.
    lead: usize,
    channel: usize,
    tail: Tail,
}

/// Where the fields of the tail stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tail {
    mode: usize,
    speed: usize,
    date: usize,
    micros: usize,
    /// QT128: which firing sequence.
    flag: Option<usize>,
    number: Option<usize>,
}

/// A packet whose length is that of its protocol.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    layout: Layout,
    bytes: &'a [u8],
}

impl Layout {
    /// The layout of these bytes.
    ///
    /// # Errors
    /// What is wrong with them: no head, a protocol that is not read (by name), another length.
    pub fn of(bytes: &[u8]) -> Result<Self, String> {
        match bytes {
            [0xff, 0xee, ..] => Self::headless(bytes),
            [0xee, 0xff, 64, 6, ..] => Self::pandar_64(bytes),
            [0xee, 0xff, major, minor, ..] if bytes.len() > HEAD => Self::headed((*major, *minor), bytes),
            _ => Err(format!(
                "expected a packet that begins 0xEEFF or 0xFFEE, found {} bytes",
                bytes.len()
            )),
        }
    }

    /// Pandar40P: ten blocks that begin 0xFF 0xEE, and a tail of 22 bytes.
    fn headless(bytes: &[u8]) -> Result<Self, String> {
        let layout = |numbered: bool| Self {
            model: Model::Pandar40P,
            blocks: 10,
            unit_mm: 4,
            first: 0,
            block: 4 + 3 * 40,
            lead: 2,
            channel: 3,
            tail: Tail::old(1240, numbered),
        };
        match bytes.len() {
            1262 => Ok(layout(false)),
            1266 => Ok(layout(true)),
            found => Err(format!(
                "expected 1262 or 1266 bytes of a Pandar40P, found {found}"
            )),
        }
    }

    /// Pandar64: a head of eight bytes, six blocks, and the tail of a Pandar40P.
    fn pandar_64(bytes: &[u8]) -> Result<Self, String> {
        let layout = |numbered: bool| Self {
            model: Model::Pandar64,
            blocks: 6,
            unit_mm: bytes[5],
            first: 8,
            block: 2 + 3 * 64,
            lead: 0,
            channel: 3,
            tail: Tail::old(1172, numbered),
        };
        match bytes.len() {
            1194 => layout(false).checked(),
            1198 => layout(true).checked(),
            found => Err(format!(
                "expected 1194 or 1198 bytes of a Pandar64, found {found}"
            )),
        }
    }

    /// The protocols that say their version.
    fn headed(version: (u8, u8), bytes: &[u8]) -> Result<Self, String> {
        let (lasers, blocks) = (usize::from(bytes[6]), usize::from(bytes[7]));
        let (unit_mm, flags) = (bytes[9], bytes[11]);
        let (model, channel) = match version {
            (3, 1) => (Model::Qt64, 4),
            (3, 2) => (Model::Qt128, 4),
            (6, 1) => (Model::Xt32, 4),
            version => return Err(unread(version)),
        };
        if (lasers, blocks) != (model.lasers(), model.blocks()) {
            return Err(format!(
                "expected {} blocks of {} lasers of a {}, found {blocks} of {lasers}",
                model.blocks(),
                model.lasers(),
                model.name()
            ));
        }
        let block = 2 + channel * lasers;
        let end = HEAD + block * blocks;
        let numbered = flags & 1 != 0;
        let (tail, length) = match model {
            Model::Qt64 => Tail::qt_64(end, numbered),
            Model::Xt32 => Tail::xt_32(end, numbered),
            _ => Tail::qt_128(end, flags),
        };
        if bytes.len() != length {
            return Err(format!(
                "expected {length} bytes of a {}, found {}",
                model.name(),
                bytes.len()
            ));
        }
        Self {
            model,
            blocks,
            unit_mm,
            first: HEAD,
            block,
            lead: 0,
            channel,
            tail,
        }
        .checked()
    }

    fn checked(self) -> Result<Self, String> {
        match self.unit_mm {
            1..=20 => Ok(self),
            found => Err(format!("expected a distance unit of 1 to 20 mm, found {found}")),
        }
    }
}

impl Tail {
    /// Of a Pandar40P and a Pandar64, 22 bytes.
    fn old(at: usize, numbered: bool) -> Self {
        Self {
            speed: at + 8,
            micros: at + 10,
            mode: at + 14,
            date: at + 16,
            flag: None,
            number: numbered.then_some(at + 22),
        }
    }

    fn qt_64(at: usize, numbered: bool) -> (Self, usize) {
        let tail = Self {
            speed: at + 10,
            micros: at + 12,
            mode: at + 16,
            date: at + 18,
            flag: None,
            number: numbered.then_some(at + 24),
        };
        (tail, at + 24 + 4 * usize::from(numbered))
    }

    fn xt_32(at: usize, numbered: bool) -> (Self, usize) {
        let tail = Self {
            mode: at + 10,
            speed: at + 11,
            date: at + 13,
            micros: at + 19,
            flag: None,
            number: numbered.then_some(at + 24),
        };
        (tail, at + 24 + 4 * usize::from(numbered))
    }

    fn qt_128(end: usize, flags: u8) -> (Self, usize) {
        let has = |bit: u8| usize::from(flags >> bit & 1);
        let at = end + CHECK + SAFETY * has(2);
        let tail = Self {
            flag: Some(at + 5),
            mode: at + 12,
            speed: at + 13,
            date: at + 15,
            micros: at + 21,
            number: (has(0) == 1).then_some(at + 26),
        };
        (tail, at + 26 + 4 * has(0) + CHECK + SIGNATURE * has(3))
    }
}

/// What a protocol that is not read belongs to.
fn unread((major, minor): (u8, u8)) -> String {
    let whose = match (major, minor) {
        (1, 3 | 4) => " (Pandar128, OT128)",
        (1, 8) => " (JT)",
        (2, _) => " (ET)",
        (4, 1 | 3) => " (AT128)",
        (4, 7) => " (ATX)",
        (7, 2) => " (FT120)",
        _ => "",
    };
    format!("expected Hesai protocol 3.1, 3.2 or 6.1, found {major}.{minor}{whose}, which is not read")
}

impl<'a> Packet<'a> {
    /// The fields of these bytes.
    ///
    /// # Errors
    /// As [`Layout::of`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, String> {
        Ok(Self {
            layout: Layout::of(bytes)?,
            bytes,
        })
    }

    /// Where everything stands.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Where the rotor was when a block was fired, in hundredths of a degree. A full turn is 0; what is
    /// beyond stays, and is damage.
    pub fn azimuth(&self, block: usize) -> u16 {
        match self.u16_at(self.layout.first + block * self.layout.block + self.layout.lead) {
            TURN => 0,
            azimuth => azimuth,
        }
    }

    /// Distance (in the packet's unit, 0 = no return) and reflectivity of a channel.
    pub fn measurement(&self, block: usize, channel: usize) -> (u16, u8) {
        let layout = &self.layout;
        let at = layout.first + block * layout.block + layout.lead + 2 + channel * layout.channel;
        (self.u16_at(at), self.bytes[at + 2])
    }

    /// Which returns it holds: 0x33 first, 0x34 second, 0x37 strongest, 0x38 last; 0x39 last and
    /// strongest, 0x3a first and second, 0x3b first and last, 0x3c first and strongest, 0x3e both
    /// strongest.
    pub fn mode(&self) -> u8 {
        self.bytes[self.layout.tail.mode]
    }

    /// Returns of a firing, one in each of neighbouring blocks; nothing if the mode is not known.
    pub fn returns(&self) -> Option<usize> {
        match self.mode() {
            0x33 | 0x34 | 0x37 | 0x38 => Some(1),
            0x39..=0x3c | 0x3e => Some(2),
            _ => None,
        }
    }

    /// Turns a minute.
    pub fn speed_rpm(&self) -> u16 {
        self.u16_at(self.layout.tail.speed)
    }

    /// Whether a QT128's packet, with two returns, is of the first firing sequence.
    pub fn is_first_sequence(&self) -> bool {
        self.layout.tail.flag.is_some_and(|at| self.bytes[at] & 1 == 1)
    }

    /// The packet's number, if it has one.
    pub fn number(&self) -> Option<u32> {
        Some(self.u32_at(self.layout.tail.number?))
    }

    /// µs since 1970-01-01, UTC, as far as the sensor knows; nothing if its date is none.
    pub fn unix_micros(&self) -> Option<i64> {
        let at = self.layout.tail.date;
        let date: [u8; 6] = self.bytes[at..at + 6].try_into().ok()?;
        super::date::unix_s(date)?
            .checked_mul(1_000_000)?
            .checked_add(self.u32_at(self.layout.tail.micros).into())
    }

    fn u16_at(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    fn u32_at(&self, at: usize) -> u32 {
        self.bytes[at..at + 4].try_into().map_or(0, u32::from_le_bytes)
    }
}
