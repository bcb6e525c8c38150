//! `A`, `n`, `P`, `h`, `U`, `G`, `R`: attitude, position, height, the water, and what the operator chose.

use super::framing::days;
use crate::survey::fields::Fields;
use crate::survey::nmea;

/// Samples of an attitude sensor, as it gives them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attitudes {
    /// Which sensor, from 1.
    pub sensor: u8,
    /// Whether the sounder uses its roll.
    pub active: bool,
    /// The samples.
    pub samples: Vec<AttitudeSample>,
}

/// One sample. Roll positive starboard down, pitch bow up, heading clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AttitudeSample {
    /// After the datagram's time, in milliseconds.
    pub offset_ms: u16,
    /// Roll, pitch, heading, in degrees.
    pub attitude_deg: [f64; 3],
    /// Heave, positive up, in metres.
    pub heave_m: f64,
}

/// What a position sensor says, as it says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Position {
    /// Which sensor, from 1.
    pub sensor: u8,
    /// Whether the sounder uses it.
    pub active: bool,
    /// Whether its own time counts.
    pub own_time: bool,
    /// Latitude and longitude of the antenna, in degrees.
    pub place_deg: [f64; 2],
    /// Time of day by the sensor, in seconds, if its sentence says it.
    pub day_s: Option<f64>,
    /// Height of the antenna over the ellipsoid in metres, if its sentence says it.
    pub height_m: Option<f64>,
}

/// A sound-speed profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoundProfile {
    /// Days since 1970 on which it was taken.
    pub taken_days: Option<i64>,
    /// Depth in metres and speed in m/s, downwards.
    pub levels: Vec<[f64; 2]>,
}

/// Body of an `A`: samples, and which sensor behind them.
pub(super) fn attitudes(fields: &mut Fields<'_>) -> Result<Attitudes, String> {
    const SAMPLE: usize = 12;
    let count = counted(fields, SAMPLE)?;
    let mut samples = Vec::with_capacity(count);
    for _ in 0..count {
        let offset_ms = fields.u16()?;
        fields.skip(2)?;
        samples.push(sample(fields, offset_ms)?);
    }
    // Bits 4 and 5 say which sensor; bit 1 is 0 if its roll is used.
    let which = fields.u8()?;
    Ok(Attitudes {
        sensor: (which >> 4 & 3) + 1,
        active: which & 2 == 0,
        samples,
    })
}

/// Body of an `n`: the same from the network, each with the sensor's own bytes behind it.
pub(super) fn network_attitudes(fields: &mut Fields<'_>) -> Result<Attitudes, String> {
    const SAMPLE: usize = 11;
    let count = counted(fields, SAMPLE)?;
    let which = fields.u8()?;
    fields.skip(1)?;
    let mut samples = Vec::with_capacity(count);
    for _ in 0..count {
        let offset_ms = fields.u16()?;
        samples.push(sample(fields, offset_ms)?);
        let own = usize::from(fields.u8()?);
        fields.skip(own)?;
    }
    Ok(Attitudes {
        sensor: (which >> 4 & 3) + 1,
        active: which & 2 == 0,
        samples,
    })
}

fn sample(fields: &mut Fields<'_>, offset_ms: u16) -> Result<AttitudeSample, String> {
    let (roll, pitch, heave) = (fields.i16()?, fields.i16()?, fields.i16()?);
    let heading = fields.u16()?;
    Ok(AttitudeSample {
        offset_ms,
        attitude_deg: [
            0.01 * f64::from(roll),
            0.01 * f64::from(pitch),
            0.01 * f64::from(heading),
        ],
        heave_m: 0.01 * f64::from(heave),
    })
}

/// How many entries of so many bytes at the least follow, if that much is left.
fn counted(fields: &mut Fields<'_>, least: usize) -> Result<usize, String> {
    let count = usize::from(fields.u16()?);
    if count * least > fields.left() {
        let left = fields.left();
        return Err(format!(
            "expected {count} entries of {least} bytes or more, found {left} bytes"
        ));
    }
    Ok(count)
}

/// Body of a `P`.
pub(super) fn position(fields: &mut Fields<'_>) -> Result<Position, String> {
    let (latitude, longitude) = (fields.i32()?, fields.i32()?);
    fields.skip(8)?;
    let which = fields.u8()?;
    let length = usize::from(fields.u8()?);
    let text = fields.take(length.min(fields.left()))?;
    let gga = nmea::gga(&String::from_utf8_lossy(text)).unwrap_or_default();
    let place_deg = [f64::from(latitude) / 2e7, f64::from(longitude) / 1e7];
    if place_deg[0].abs() > 90.0 || place_deg[1].abs() > 180.0 {
        let [lat, lon] = place_deg;
        return Err(format!(
            "expected a latitude and a longitude, found {lat}°, {lon}°"
        ));
    }
    // Bits 0 and 1: which sensor. Bits 7 and 6: used, and by its own time.
    Ok(Position {
        sensor: (which & 3).max(1),
        active: which & 0x80 != 0,
        own_time: which & 0xc0 == 0xc0,
        place_deg,
        day_s: gga.day_s,
        height_m: gga.height_m,
    })
}

/// Body of a `U`: depths in the unit it names, speeds in 0.1 m/s.
pub(super) fn profile(fields: &mut Fields<'_>) -> Result<SoundProfile, String> {
    const LEVEL: usize = 8;
    let date = fields.u32()?;
    fields.skip(4)?;
    let count = usize::from(fields.u16()?);
    let unit_m = 0.01 * f64::from(fields.u16()?);
    if count * LEVEL > fields.left() {
        let left = fields.left();
        return Err(format!(
            "expected {count} levels of {LEVEL} bytes, found {left} bytes"
        ));
    }
    let mut levels = Vec::with_capacity(count);
    for _ in 0..count {
        let (depth, speed) = (fields.u32()?, fields.u32()?);
        levels.push([unit_m * f64::from(depth), 0.1 * f64::from(speed)]);
    }
    Ok(SoundProfile {
        taken_days: days(date),
        levels,
    })
}

/// Body of a `G`: seconds after the datagram's time, and speed in m/s.
pub(super) fn surface_speeds(fields: &mut Fields<'_>) -> Result<Vec<(u16, f64)>, String> {
    let count = counted(fields, 4)?;
    (0..count)
        .map(|_| Ok((fields.u16()?, 0.1 * f64::from(fields.u16()?))))
        .collect()
}

/// Body of an `R`: widths of the transmitted beam along and of the received ones across, in degrees.
pub(super) fn widths_deg(fields: &mut Fields<'_>) -> Result<[f64; 2], String> {
    fields.skip(14)?;
    let transmit = fields.u16()?;
    fields.skip(1)?;
    let receive = fields.u8()?;
    Ok([0.1 * f64::from(transmit), 0.1 * f64::from(receive)])
}
