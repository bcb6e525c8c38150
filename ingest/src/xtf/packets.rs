//! Packets: side-scan pings, attitudes, positions.

use beluga_types::Stamp;

use super::framing::{HEAD, Header};
use crate::survey::calendar;
use crate::survey::fields::Fields;

/// Bytes of a ping's header with the packet's own, and of a channel's.
pub(super) const PING: usize = 256;
const CHANNEL: usize = 64;

/// One ping of a side-scan or the like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SonarPing {
    /// When, to a hundredth of a second.
    pub stamp: Stamp,
    /// Its number.
    pub number: u32,
    /// Speed of sound as the file has it, in m/s: many files have the half of it, one way.
    pub sound_speed: f32,
    /// Where the sonar is: y and x, in degrees or metres as the header says.
    pub place: [f64; 2],
    /// Depth of the sonar below the surface and height over the bed, in metres.
    pub depth_m: f32,
    /// Height of the sonar over the bed, in metres.
    pub altitude_m: f32,
    /// Roll, pitch and heading, in degrees.
    pub attitude_deg: [f32; 3],
    /// Samples of each channel.
    pub channels: Vec<Samples>,
}

/// Samples of one channel of a ping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Which channel.
    pub channel: u16,
    /// Range of the last sample, in metres.
    pub slant_range_m: f32,
    /// Seconds from the transmission to the first sample.
    pub delay_s: f32,
    /// Strength, from near to far.
    pub strength: Vec<f32>,
}

/// What an attitude sensor says: roll positive starboard down, pitch bow up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AttitudePacket {
    /// When.
    pub stamp: Stamp,
    /// Roll, pitch and heading, in degrees.
    pub attitude_deg: [f32; 3],
    /// Heave, positive up, in metres.
    pub heave_m: f32,
}

/// What a position sensor says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PositionPacket {
    /// When.
    pub stamp: Stamp,
    /// y and x, in degrees or metres as the header says.
    pub place: [f64; 2],
    /// Height, in metres.
    pub height_m: f64,
}

/// Year, month, day, hour, minute and second, and nanoseconds after them.
fn stamp(
    fields: &mut Fields<'_>,
    day_of_year: bool,
    nanos: impl Fn(&mut Fields<'_>) -> Result<i64, String>,
) -> Result<Stamp, String> {
    let year = fields.u16()?;
    let (month, day) = (fields.u8()?, fields.u8()?);
    let (hour, minute, second) = (fields.u8()?, fields.u8()?, fields.u8()?);
    let nanos = nanos(fields)?;
    if day_of_year {
        fields.skip(2)?;
    }
    let days = calendar::days(u32::from(year), u32::from(month), u32::from(day));
    let days = days.filter(|_| hour < 24 && minute < 60 && second < 61 && nanos < 1_000_000_000);
    let days = days.ok_or_else(|| {
        format!("expected a date and a time, found {year}-{month}-{day} {hour}:{minute}:{second}")
    })?;
    let seconds = days * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Ok(Stamp::from_nanos(seconds * 1_000_000_000 + nanos))
}

/// Type 3.
pub(super) fn attitude(whole: &[u8]) -> Result<AttitudePacket, String> {
    let mut fields = Fields::little(whole, HEAD + 16);
    let (pitch, roll, heave_m) = (fields.f32()?, fields.f32()?, fields.f32()?);
    fields.skip(8)?;
    let heading = fields.f32()?;
    Ok(AttitudePacket {
        stamp: stamp(&mut fields, false, |fields| {
            Ok(i64::from(fields.u16()?) * 1_000_000)
        })?,
        attitude_deg: [roll, pitch, heading],
        heave_m,
    })
}

/// Type 107. The part of a second is in steps of 0.1 ms, although readers call it microseconds.
pub(super) fn position(whole: &[u8]) -> Result<PositionPacket, String> {
    let mut fields = Fields::little(whole, HEAD);
    Ok(PositionPacket {
        stamp: stamp(
            &mut fields,
            false,
            |fields| Ok(i64::from(fields.u16()?) * 100_000),
        )?,
        place: [fields.f64()?, fields.f64()?],
        height_m: fields.f64()?,
    })
}

/// Type 0.
pub(super) fn sonar(whole: &[u8], header: &Header) -> Result<SonarPing, String> {
    let follow = Fields::little(whole, 4).u16()?;
    let mut fields = Fields::little(whole, HEAD);
    let mut ping = SonarPing {
        stamp: stamp(&mut fields, true, |fields| {
            Ok(i64::from(fields.u8()?) * 10_000_000)
        })?,
        ..SonarPing::default()
    };
    fields.skip(4)?;
    ping.number = fields.u32()?;
    ping.sound_speed = fields.f32()?;
    // The sonar's own position: y, x.
    fields.go(160)?;
    ping.place = [fields.f64()?, fields.f64()?];
    fields.go(192)?;
    (ping.depth_m, ping.altitude_m) = (fields.f32()?, fields.f32()?);
    fields.skip(4)?;
    let (pitch, roll, heading) = (fields.f32()?, fields.f32()?, fields.f32()?);
    ping.attitude_deg = [roll, pitch, heading];
    fields.go(PING)?;
    for _ in 0..follow {
        ping.channels.push(samples(&mut fields, header)?);
    }
    Ok(ping)
}

fn samples(fields: &mut Fields<'_>, header: &Header) -> Result<Samples, String> {
    let start = fields.at();
    let channel = fields.u16()?;
    fields.skip(2)?;
    let slant_range_m = fields.f32()?;
    fields.skip(4)?;
    let delay_s = fields.f32()?;
    fields.go(start + 42)?;
    let count = fields.u32()? as usize;
    fields.go(start + CHANNEL)?;
    let known = header.channels.get(usize::from(channel));
    let known = known.ok_or_else(|| format!("expected a channel of the file's header, found {channel}"))?;
    let bytes = usize::from(known.bytes);
    if !matches!(bytes, 1 | 2 | 4) {
        return Err(format!("expected samples of 1, 2 or 4 bytes, found {bytes}"));
    }
    let all = fields.take(count.saturating_mul(bytes))?;
    let strength = match bytes {
        1 => all.iter().map(|&value| f32::from(value)).collect(),
        2 => all
            .as_chunks()
            .0
            .iter()
            .map(|pair| f32::from(u16::from_le_bytes(*pair)))
            .collect(),
        _ if known.form == 5 => all
            .as_chunks()
            .0
            .iter()
            .map(|four| f32::from_le_bytes(*four))
            .collect(),
        _ => all
            .as_chunks()
            .0
            .iter()
            .map(|four| u32::from_le_bytes(*four) as f32)
            .collect(),
    };
    Ok(Samples {
        channel,
        slant_range_m,
        delay_s,
        strength,
    })
}
