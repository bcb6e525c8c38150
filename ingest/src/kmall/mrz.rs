//! `#MRZ`: a swath's travel times and angles, and what the sounder made of them.

use crate::survey::fields::Fields;

/// Bytes of the shortest known form of each part; longer ones have more behind it.
const COMMON: usize = 12;
const PING: usize = 144;
const SECTOR: usize = 36;
const RECEIVER: usize = 32;
const SOUNDING: usize = 120;
/// Bytes of the ping's part before what is read of it.
const TO_WIDTHS: usize = 72;

/// One swath of one receiver.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Swath {
    /// The ping's number, which starts over at 65,536.
    pub counter: u16,
    /// Swaths of a ping, and which this is, from aft.
    pub swaths: u8,
    /// Which of them this is.
    pub swath: u8,
    /// The transmitter, from 0.
    pub transmitter: u8,
    /// The receiver, from 0.
    pub receiver: u8,
    /// Widths of the transmitted beam along and of the received ones across, in degrees.
    pub width_deg: [f32; 2],
    /// Heading of the vessel at the first pulse's middle, in degrees.
    pub heading_deg: f32,
    /// Speed of sound at the transmitter, in m/s.
    pub sound_speed_m_per_s: f32,
    /// Depth of the transmitter below the water, in metres.
    pub transmitter_depth_m: f32,
    /// From the vessel's reference point down to the water, in metres.
    pub waterline_down_m: f32,
    /// Where the vessel's reference point is, in degrees: latitude, longitude.
    pub place_deg: [f64; 2],
    /// Height of the reference point over the ellipsoid, in metres.
    pub height_m: f32,
    /// Sectors of the transmission.
    pub sectors: Vec<Sector>,
    /// Soundings: bottom, then extra ones.
    pub soundings: Vec<Sounding>,
}

/// One sector of a transmission.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sector {
    /// Its number, which soundings name.
    pub number: u8,
    /// Which part of the array sent it: 0, 1, 2.
    pub part: u8,
    /// From the middle of the ping's first pulse to that of this one, in seconds.
    pub delay_s: f32,
    /// Steering along, against the transmitter, in degrees.
    pub tilt_deg: f32,
    /// Centre frequency, in hertz.
    pub centre_hz: f32,
}

/// One sounding as the sounder has it. Distances are from the vessel's reference point at the first
/// pulse's middle: forward and starboard level, and down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sounding {
    /// Sector that it was heard of.
    pub sector: u8,
    /// What it is.
    pub kind: Kind,
    /// Estimated standard deviation, in percent of the depth.
    pub quality_percent: f32,
    /// Strength, in dB, with the sounder's own gain over time.
    pub level_db: f32,
    /// Angle against the receiver, in degrees, positive to *port*.
    pub angle_deg: f32,
    /// Two-way travel time, in seconds.
    pub two_way_time_s: f32,
    /// Forward, in metres.
    pub forward_m: f32,
    /// Starboard, in metres.
    pub starboard_m: f32,
    /// Down, in metres.
    pub down_m: f32,
}

/// What a sounding is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A detection of the bottom.
    Bottom,
    /// A detection of something else.
    Extra,
    /// Nothing was detected: time and place are estimates to fill the beam.
    #[default]
    Rejected,
}

/// Reads the body of a whole, joined datagram.
///
/// # Errors
/// If a part is cut, or does not fit into what it says of itself.
pub(super) fn read(body: &[u8]) -> Result<Swath, String> {
    let mut fields = Fields::little(body, 4);
    let mut swath = Swath::default();
    let start = fields.at();
    let common = size(&mut fields, "the common part", COMMON)?;
    swath.counter = fields.u16()?;
    fields.skip(2)?;
    (swath.swaths, swath.swath) = (fields.u8()?, fields.u8()?);
    (swath.transmitter, swath.receiver) = (fields.u8()?, fields.u8()?);
    fields.go(start + common)?;
    let (sectors, sector_size) = ping(&mut fields, &mut swath)?;
    for _ in 0..counted(&fields, "sectors", sectors, sector_size, SECTOR)? {
        let next = fields.at() + sector_size;
        swath.sectors.push(sector(&mut fields)?);
        fields.go(next)?;
    }
    let start = fields.at();
    let receiver = size(&mut fields, "the receiver's part", RECEIVER)?;
    let bottom = usize::from(fields.u16()?);
    fields.skip(2)?;
    let sounding_size = usize::from(fields.u16()?);
    fields.skip(18)?;
    let (extra, classes, class_size) = (fields.u16()?, fields.u16()?, fields.u16()?);
    fields.go(start + receiver + usize::from(classes) * usize::from(class_size))?;
    let count = bottom + usize::from(extra);
    let count = counted(&fields, "soundings", count, sounding_size, SOUNDING)?;
    swath.soundings.reserve_exact(count);
    for _ in 0..count {
        let next = fields.at() + sounding_size;
        swath.soundings.push(sounding(&mut fields)?);
        fields.go(next)?;
    }
    Ok(swath)
}

/// The size a part says it has, if it is not less than what is known of it.
fn size(fields: &mut Fields<'_>, what: &str, least: usize) -> Result<usize, String> {
    let size = usize::from(fields.u16()?);
    if size < least {
        return Err(format!("expected {least} bytes or more of {what}, found {size}"));
    }
    Ok(size)
}

/// How many there are of so many bytes each, if that much is left.
fn counted(
    fields: &Fields<'_>,
    what: &str,
    count: usize,
    size: usize,
    least: usize,
) -> Result<usize, String> {
    if count > 0 && size < least {
        return Err(format!("expected {what} of {least} bytes or more, found {size}"));
    }
    if count * size > fields.left() {
        let left = fields.left();
        return Err(format!(
            "expected {count} {what} of {size} bytes, found {left} bytes"
        ));
    }
    Ok(count)
}

/// The ping's part; how many sectors follow, and how long each is.
fn ping(fields: &mut Fields<'_>, swath: &mut Swath) -> Result<(usize, usize), String> {
    let start = fields.at();
    let size = size(fields, "the ping's part", PING)?;
    fields.go(start + TO_WIDTHS)?;
    swath.width_deg = [fields.f32()?, fields.f32()?];
    fields.skip(12)?;
    let (sectors, sector_size) = (usize::from(fields.u16()?), usize::from(fields.u16()?));
    swath.heading_deg = fields.f32()?;
    swath.sound_speed_m_per_s = fields.f32()?;
    swath.transmitter_depth_m = fields.f32()?;
    swath.waterline_down_m = fields.f32()?;
    fields.skip(12)?;
    swath.place_deg = [fields.f64()?, fields.f64()?];
    swath.height_m = fields.f32()?;
    fields.go(start + size)?;
    Ok((sectors, sector_size))
}

fn sector(fields: &mut Fields<'_>) -> Result<Sector, String> {
    let number = fields.u8()?;
    fields.skip(1)?;
    let part = fields.u8()?;
    fields.skip(1)?;
    let (delay_s, tilt_deg) = (fields.f32()?, fields.f32()?);
    fields.skip(8)?;
    Ok(Sector {
        number,
        part,
        delay_s,
        tilt_deg,
        centre_hz: fields.f32()?,
    })
}

fn sounding(fields: &mut Fields<'_>) -> Result<Sounding, String> {
    fields.skip(2)?;
    let sector = fields.u8()?;
    let kind = match fields.u8()? {
        0 => Kind::Bottom,
        1 => Kind::Extra,
        _ => Kind::Rejected,
    };
    fields.skip(12)?;
    let quality_percent = fields.f32()?;
    fields.skip(28)?;
    let level_db = fields.f32()?;
    fields.skip(20)?;
    let angle_deg = fields.f32()?;
    fields.skip(4)?;
    let two_way_time_s = fields.f32()?;
    fields.skip(12)?;
    let (down_m, starboard_m, forward_m) = (fields.f32()?, fields.f32()?, fields.f32()?);
    Ok(Sounding {
        sector,
        kind,
        quality_percent,
        level_db,
        angle_deg,
        two_way_time_s,
        forward_m,
        starboard_m,
        down_m,
    })
}
