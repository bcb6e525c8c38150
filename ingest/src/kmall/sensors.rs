//! `#SKM`, `#SPO`, `#CPO`, `#SVT`, `#SVP`: what sensors beside the sounder say.

use beluga_types::Stamp;

use super::framing::time;
use crate::survey::fields::Fields;

/// Bytes of the shortest known form of each part.
const MOTION_INFO: usize = 12;
const MOTION: usize = 120;
const COMMON: usize = 8;
const SPEED_INFO: usize = 20;
const SPEED: usize = 12;
const PROFILE_INFO: usize = 28;
const LEVEL: usize = 20;
/// Latitudes and longitudes beyond these mean that there is none, in degrees.
const MOST_DEG: [f64; 2] = [90.0, 180.0];
/// What stands for a height that is not there, in metres.
const NO_HEIGHT_M: f32 = -999.0;

/// Bits of a motion sample's status: what is invalid.
const NO_POSITION: u32 = 1;
const NO_ATTITUDE: u32 = 1 << 1 | 1 << 2;

/// What an attitude sensor says, as it says it: not moved to the vessel's reference point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Motions {
    /// Which sensor, from 0.
    pub sensor: u8,
    /// Its samples.
    pub samples: Vec<Motion>,
}

/// One sample of an attitude sensor. Angles in degrees: roll positive starboard down, pitch bow up,
/// heading clockwise from true north.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Motion {
    /// When.
    pub stamp: Stamp,
    /// What of it is invalid or worse than usual, bit by bit.
    pub status: u32,
    /// Latitude and longitude of the sensor, in degrees.
    pub place_deg: [f64; 2],
    /// Height of the sensor over the ellipsoid, in metres.
    pub height_m: f32,
    /// Roll, pitch, heading.
    pub attitude_deg: [f32; 3],
    /// Heave, positive down, in metres.
    pub heave_m: f32,
    /// Roll, pitch and yaw in a second, in degrees.
    pub rates_deg_per_s: [f32; 3],
    /// To north, east and down, in m/s.
    pub velocity_m_per_s: [f32; 3],
    /// One sigma of north, east and height in metres; 0 or less where it is not known.
    pub place_sigma_m: [f32; 3],
    /// One sigma of roll, pitch and heading in degrees; 0 or less where it is not known.
    pub attitude_sigma_deg: [f32; 3],
}

impl Motion {
    /// Whether it says where the sensor is.
    pub fn has_place(&self) -> bool {
        self.status & NO_POSITION == 0 && is_place(self.place_deg) && self.height_m.is_finite()
    }

    /// Whether it says how the sensor is turned.
    pub fn has_attitude(&self) -> bool {
        self.status & NO_ATTITUDE == 0
            && self
                .attitude_deg
                .iter()
                .all(|angle| angle.is_finite() && angle.abs() <= 360.0)
    }
}

/// What a position sensor says, moved to the vessel's reference point by the sounder.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// Which sensor, from 0.
    pub sensor: u16,
    /// When the sensor says that it was there; nothing where the sounder's own clock counts.
    pub stamp: Option<Stamp>,
    /// Latitude and longitude, in degrees.
    pub place_deg: [f64; 2],
    /// Over the ellipsoid, in metres, if it is known.
    pub height_m: Option<f32>,
}

impl Position {
    /// Whether it says where the vessel is, and how high.
    pub fn is_known(&self) -> bool {
        is_place(self.place_deg) && self.height_m.is_some()
    }
}

/// Speed of sound at the transducer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoundSpeed {
    /// When.
    pub stamp: Stamp,
    /// In m/s.
    pub sound_speed_m_per_s: f32,
}

/// A sound-speed profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoundProfile {
    /// When it was taken, in seconds since 1970; 0 if that is not known.
    pub taken_s: u32,
    /// Depth in metres and speed in m/s, downwards.
    pub levels: Vec<[f32; 2]>,
}

/// Whether these are a latitude and a longitude in degrees.
fn is_place(place_deg: [f64; 2]) -> bool {
    place_deg
        .iter()
        .zip(MOST_DEG)
        .all(|(angle, most)| angle.abs() <= most)
}

/// How many samples of so many bytes may be read.
///
/// # Errors
/// If they are shorter than is known of them, or not all there.
fn counted(fields: &Fields<'_>, count: usize, size: usize, least: usize) -> Result<usize, String> {
    if count > 0 && size < least || count * size > fields.left() {
        let left = fields.left();
        return Err(format!(
            "expected {count} samples of {least} bytes or more, found {size} bytes each and {left} in all"
        ));
    }
    Ok(count)
}

/// The size a part says it has.
fn size(fields: &mut Fields<'_>, least: usize) -> Result<usize, String> {
    let size = usize::from(fields.u16()?);
    if size < least {
        return Err(format!("expected a part of {least} bytes or more, found {size}"));
    }
    Ok(size)
}

/// Body of an `#SKM`.
pub(super) fn motions(body: &[u8]) -> Result<Motions, String> {
    let mut fields = Fields::little(body, 0);
    let info = size(&mut fields, MOTION_INFO)?;
    let sensor = fields.u8()?;
    fields.skip(3)?;
    let (count, length) = (usize::from(fields.u16()?), usize::from(fields.u16()?));
    fields.go(info)?;
    let count = counted(&fields, count, length, MOTION)?;
    let mut samples = Vec::with_capacity(count);
    for _ in 0..count {
        let next = fields.at() + length;
        samples.push(motion(&mut fields)?);
        fields.go(next)?;
    }
    Ok(Motions { sensor, samples })
}

fn motion(fields: &mut Fields<'_>) -> Result<Motion, String> {
    let magic = fields.take(4)?;
    if magic != b"#KMB" {
        return Err(format!(
            "expected a sample `#KMB`, found `{}`",
            magic.escape_ascii()
        ));
    }
    fields.skip(4)?;
    let three = |fields: &mut Fields<'_>| Ok::<_, String>([fields.f32()?, fields.f32()?, fields.f32()?]);
    Ok(Motion {
        stamp: time(fields)?,
        status: fields.u32()?,
        place_deg: [fields.f64()?, fields.f64()?],
        height_m: fields.f32()?,
        attitude_deg: three(fields)?,
        heave_m: fields.f32()?,
        rates_deg_per_s: three(fields)?,
        velocity_m_per_s: three(fields)?,
        place_sigma_m: three(fields)?,
        attitude_sigma_deg: three(fields)?,
    })
}

/// Body of an `#SPO` or `#CPO`.
pub(super) fn position(body: &[u8]) -> Result<Position, String> {
    /// The sensor's own time counts.
    const OWN_TIME: u16 = 1 << 9;
    let mut fields = Fields::little(body, 0);
    let common = size(&mut fields, COMMON)?;
    let (sensor, status) = (fields.u16()?, fields.u16()?);
    fields.go(common)?;
    let stamp = time(&mut fields)?;
    fields.skip(4)?;
    let place_deg = [fields.f64()?, fields.f64()?];
    fields.skip(8)?;
    let height_m = fields.f32()?;
    Ok(Position {
        sensor,
        stamp: (status & OWN_TIME != 0).then_some(stamp),
        place_deg,
        height_m: (height_m.is_finite() && height_m > NO_HEIGHT_M).then_some(height_m),
    })
}

/// Body of an `#SVT`.
pub(super) fn sound_speeds(body: &[u8]) -> Result<Vec<SoundSpeed>, String> {
    let mut fields = Fields::little(body, 0);
    let info = size(&mut fields, SPEED_INFO)?;
    fields.skip(4)?;
    let (count, length) = (usize::from(fields.u16()?), usize::from(fields.u16()?));
    fields.go(info)?;
    let count = counted(&fields, count, length, SPEED)?;
    let mut samples = Vec::with_capacity(count);
    for _ in 0..count {
        let next = fields.at() + length;
        samples.push(SoundSpeed {
            stamp: time(&mut fields)?,
            sound_speed_m_per_s: fields.f32()?,
        });
        fields.go(next)?;
    }
    Ok(samples)
}

/// Body of an `#SVP`.
pub(super) fn profile(body: &[u8]) -> Result<SoundProfile, String> {
    let mut fields = Fields::little(body, 0);
    let info = size(&mut fields, PROFILE_INFO)?;
    let count = usize::from(fields.u16()?);
    fields.skip(4)?;
    let taken_s = fields.u32()?;
    fields.go(info)?;
    let count = counted(&fields, count, LEVEL, LEVEL)?;
    let mut levels = Vec::with_capacity(count);
    for _ in 0..count {
        levels.push([fields.f32()?, fields.f32()?]);
        fields.skip(LEVEL - 8)?;
    }
    Ok(SoundProfile { taken_s, levels })
}
