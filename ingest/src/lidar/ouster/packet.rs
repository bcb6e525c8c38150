//! The packets: bytes → fields, little-endian. Nothing here knows scans, files or clocks.
//!
//! Facts from Ouster's public SDK 1.0 (`ouster_core/src/parsing.cpp`, BSD-3) and the sensor's manual.
//!
//! ```text
//! LEGACY   columns × { u64 time, u16 column, u16 frame, u32 encoder, pixels, u32 status }
//! standard { u16 type, u16 frame, u24 initialisation, u40 serial, 20 B } columns × { u64 time, u16 column, u16 status, pixels } 32 B
//! FUSA     { u8 type, u24 initialisation, u32 frame, 3 B, u40 serial, 16 B } and the same
//! IMU      u64 time of diagnosis, u64 of acceleration, u64 of rotation, 3 × f32 in g, 3 × f32 in °/s
//! ```

use super::profile::Profile;

/// Bytes before the columns, and behind them, of all but LEGACY packets.
const HEAD: usize = 32;
/// The type of a lidar packet.
const SCANS: u8 = 1;
/// The longest UDP payload.
const MAX_PACKET: usize = 65_507;

/// How a packet begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// None; each column tells its frame.
    Legacy,
    /// A frame number of 16 bits.
    Standard,
    /// Functional safety: a frame number of 32 bits.
    Fusa,
}

/// How lidar packets are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    profile: Profile,
    header: Header,
    rows: usize,
    columns: usize,
}

impl Format {
    /// Packets of `columns` columns of `rows` pixels of `profile`.
    ///
    /// Nothing if there is none of them, or a packet would be larger than a datagram can be.
    pub fn new(profile: Profile, header: Header, rows: usize, columns: usize) -> Option<Self> {
        let format = Self {
            profile,
            header,
            rows,
            columns,
        };
        let fits = (1..=4096).contains(&rows) && (1..=4096).contains(&columns);
        (fits && format.packet_bytes() <= MAX_PACKET).then_some(format)
    }

    /// What a pixel holds.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Pixels of a column.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of a packet.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Bits of the frame's number, after which it starts again from 0.
    pub fn frame_bits(&self) -> u32 {
        match self.header {
            Header::Fusa => 32,
            Header::Legacy | Header::Standard => 16,
        }
    }

    /// Bytes of a packet.
    pub fn packet_bytes(&self) -> usize {
        let head = if self.header == Header::Legacy { 0 } else { HEAD };
        2 * head + self.columns * self.column_bytes()
    }

    fn column_bytes(&self) -> usize {
        let around = if self.header == Header::Legacy { 20 } else { 12 };
        around + self.rows * self.profile.pixel_bytes()
    }
}

/// Why bytes are no packet of a sensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What the metadata says.
    pub said: String,
    /// What is heard.
    pub heard: String,
}

/// A lidar packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    format: &'a Format,
    bytes: &'a [u8],
}

/// A column of a packet: all rows at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Nanoseconds on the sensor's clock.
    pub time_nanos: u64,
    /// Its number in the scan; the angle of the encoder.
    pub number: u16,
    /// The number of its scan, in LEGACY packets.
    pub frame: Option<u16>,
    /// Whether it was measured.
    pub is_valid: bool,
    /// Its pixels, top row first.
    pub pixels: &'a [u8],
}

impl<'a> Packet<'a> {
    /// # Errors
    /// If the bytes are not as many as the format's, or of another type.
    pub fn read(format: &'a Format, bytes: &'a [u8]) -> Result<Self, Misfit> {
        if bytes.len() != format.packet_bytes() {
            return Err(Misfit {
                said: format!(
                    "packets of {} bytes ({} rows, {})",
                    format.packet_bytes(),
                    format.rows,
                    format.profile.name()
                ),
                heard: format!("packets of {} bytes", bytes.len()),
            });
        }
        let packet = Self { format, bytes };
        match (format.header, packet.kind()) {
            (Header::Legacy, _) | (_, 1) => Ok(packet),
            (_, kind) => Err(Misfit {
                said: format!("packets of type {SCANS}"),
                heard: format!("one of type {kind}"),
            }),
        }
    }

    fn kind(&self) -> u16 {
        match self.format.header {
            Header::Fusa => u16::from(self.bytes[0]),
            Header::Standard => u16_at(self.bytes, 0),
            Header::Legacy => 0,
        }
    }

    /// The number of the scan it belongs to, as far as its bits go.
    pub fn frame(&self) -> u32 {
        match self.format.header {
            Header::Legacy => u32::from(u16_at(self.bytes, 10)),
            Header::Standard => u32::from(u16_at(self.bytes, 2)),
            Header::Fusa => u32_at(self.bytes, 4),
        }
    }

    /// The number of the sensor's last start of measurement; LEGACY packets have none.
    pub fn initialisation(&self) -> Option<u32> {
        match self.format.header {
            Header::Legacy => None,
            Header::Standard => Some(u32_at(self.bytes, 4) & 0x00ff_ffff),
            Header::Fusa => Some(u32_at(self.bytes, 0) >> 8),
        }
    }

    /// The sensor's serial number; LEGACY packets have none.
    pub fn serial(&self) -> Option<u64> {
        let at = match self.format.header {
            Header::Legacy => return None,
            Header::Standard => 7,
            Header::Fusa => 11,
        };
        Some(u64_at(self.bytes, at) & 0xff_ffff_ffff)
    }

    /// Its columns.
    pub fn columns(&self) -> impl Iterator<Item = Column<'a>> + use<'a> {
        let Format { header, .. } = *self.format;
        let head = if header == Header::Legacy { 0 } else { HEAD };
        let length = self.format.column_bytes();
        let columns = &self.bytes[head..self.bytes.len() - head];
        columns.chunks_exact(length).map(move |bytes| {
            let (pixels, status) = match header {
                Header::Legacy => (16..length - 4, u32_at(bytes, length - 4)),
                _ => (12..length, u32::from(u16_at(bytes, 10))),
            };
            Column {
                time_nanos: u64_at(bytes, 0),
                number: u16_at(bytes, 8),
                frame: (header == Header::Legacy).then(|| u16_at(bytes, 10)),
                is_valid: status & 1 == 1,
                pixels: &bytes[pixels],
            }
        })
    }
}

/// Whether bytes are a lidar packet of any Ouster sensor, by length and by columns that are counted.
pub(super) fn looks_like_scans(bytes: &[u8]) -> bool {
    layouts(bytes).next().is_some()
}

/// The layouts that a packet may have, by its length and its first columns: rows × bytes of a
/// pixel cannot be told apart by length alone.
pub(super) fn layouts(bytes: &[u8]) -> impl Iterator<Item = Format> {
    let headers = [Header::Standard, Header::Fusa, Header::Legacy];
    let rows = [128, 64, 32, 16];
    let columns = [16, 8, 4, 32];
    let all = headers.into_iter().flat_map(move |header| {
        rows.into_iter()
            .flat_map(move |rows| columns.into_iter().map(move |columns| (header, rows, columns)))
    });
    all.flat_map(|(header, rows, columns)| {
        Profile::ALL.into_iter().filter_map(move |profile| {
            let agrees = profile.is_legacy() == (header == Header::Legacy)
                && profile.is_fusa() == (header == Header::Fusa);
            agrees
                .then(|| Format::new(profile, header, rows, columns))
                .flatten()
        })
    })
    .filter(|format| Packet::read(format, bytes).is_ok_and(|packet| counts_on(&packet)))
}

/// Whether columns are counted one after the other and their times go on.
fn counts_on(packet: &Packet<'_>) -> bool {
    let mut columns = packet.columns();
    let mut last = columns.next();
    columns.all(|column| {
        let before = last.replace(column);
        before.is_some_and(|before| {
            let together = column.time_nanos.wrapping_sub(before.time_nanos) < 1_000_000_000;
            before.number.checked_add(1) == Some(column.number)
                && (together || !(before.is_valid && column.is_valid))
        })
    }) && last.is_some_and(|last| last.number < 8192)
}

/// An IMU packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Imu {
    /// Time of the acceleration, in nanoseconds on the sensor's clock.
    pub acceleration_nanos: u64,
    /// Time of the rotation rate, in nanoseconds on the sensor's clock.
    pub rotation_nanos: u64,
    /// Specific force along the IMU's x, y, z, in standard gravities.
    pub acceleration_g: [f32; 3],
    /// Rotation rate about the IMU's x, y, z, in degrees per second.
    pub rotation_deg_per_s: [f32; 3],
}

impl Imu {
    /// Bytes of a packet.
    pub const BYTES: usize = 48;

    /// The fields of a packet, nothing if it has another length.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().ok()?;
        let three = |at: usize| [0, 4, 8].map(|next| f32::from_bits(u32_at(bytes, at + next)));
        Some(Self {
            acceleration_nanos: u64_at(bytes, 8),
            rotation_nanos: u64_at(bytes, 16),
            acceleration_g: three(24),
            rotation_deg_per_s: three(36),
        })
    }

    /// Whether it can be one: both times within a second, and less than 100 g and 10,000 °/s.
    pub fn is_plausible(&self) -> bool {
        let within = |values: [f32; 3], most: f32| values.iter().all(|value| value.abs() <= most);
        self.acceleration_nanos.abs_diff(self.rotation_nanos) < 1_000_000_000
            && self.rotation_nanos > 0
            && within(self.acceleration_g, 100.0)
            && within(self.rotation_deg_per_s, 1e4)
            && self.acceleration_g != [0.0; 3]
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
