//! `BTH0`: a ping of an R2Sonic multibeam, as its packets have it and XTF files carry it.
//!
//! Most significant byte first: `BTH0 | u32 length | u32 stream`, then sections of two characters, a
//! `u16` length that counts everything, and a body.

use crate::survey::fields::Fields;

/// Bytes before the sections.
const HEAD: usize = 12;

/// One ping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ping {
    /// Seconds and nanoseconds since 1970, UTC.
    pub time: [u32; 2],
    /// Its number.
    pub number: u32,
    /// Speed of sound at the head, in m/s.
    pub sound_speed_m_per_s: f32,
    /// Frequency, in hertz.
    pub frequency_hz: f32,
    /// Widths of the transmitted beam along, and of beams across, in rad.
    pub width_rad: [f32; 2],
    /// Steering of the transmission along, in rad.
    pub steering_rad: f32,
    /// One of each beam.
    pub points: Vec<Point>,
}

/// One beam of a ping.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Two-way time, in seconds; 0 where nothing was detected.
    pub two_way_time_s: f64,
    /// Angle across, positive to starboard, in rad.
    pub angle_rad: f64,
    /// Strength, in the device's own unit.
    pub strength: f32,
    /// Tests passed, bit by bit: 0 brightness, 1 collinearity; and the method: 2 amplitude, 3 phase.
    pub quality: u8,
}

/// Reads a ping.
///
/// # Errors
/// If there is none, or it has no points with a time and an angle each.
pub(crate) fn ping(bytes: &[u8]) -> Result<Ping, String> {
    if bytes.get(..4) != Some(b"BTH0") {
        return Err("expected a ping `BTH0`, found none".into());
    }
    let mut head = Fields::ordered(bytes, 4, true);
    let length = head.u32()? as usize;
    let bytes = bytes
        .get(..length)
        .ok_or_else(|| format!("expected {length} bytes, found {}", bytes.len()))?;
    let mut fields = Fields::ordered(bytes, HEAD, true);
    let mut found = Ping::default();
    let (mut points, mut times, mut angles) = (0, 0, 0);
    while fields.left() >= 4 {
        let start = fields.at();
        let name = fields.take(2)?;
        let size = usize::from(fields.u16()?);
        if size < 4 {
            return Err("expected a section of 4 bytes or more, found less".into());
        }
        let body = &mut fields.clone();
        match name {
            b"H0" => points = header(body, &mut found)?,
            b"R0" => times = section(body, &mut found, points, ranges)?,
            b"A0" => angles = section(body, &mut found, points, even_angles)?,
            b"A2" => angles = section(body, &mut found, points, stepped_angles)?,
            b"I1" => _ = section(body, &mut found, points, strengths)?,
            b"Q0" => _ = section(body, &mut found, points, qualities)?,
            _ => {}
        }
        fields.go(start + size)?;
    }
    if times == 0 || angles == 0 {
        return Err(format!("expected times and angles, found {times} and {angles}"));
    }
    Ok(found)
}

/// Reads the numbers of a section into the points; how many there are.
fn section(
    fields: &mut Fields<'_>,
    ping: &mut Ping,
    points: usize,
    read: fn(&mut Fields<'_>, &mut [Point]) -> Result<(), String>,
) -> Result<usize, String> {
    // Half a byte of each at the least.
    if points > 2 * fields.left() {
        let left = fields.left();
        return Err(format!("expected {points} points, found {left} bytes for them"));
    }
    ping.points.resize(points, Point::default());
    read(fields, &mut ping.points)?;
    Ok(points)
}

fn header(fields: &mut Fields<'_>, ping: &mut Ping) -> Result<usize, String> {
    fields.skip(24)?;
    ping.time = [fields.u32()?, fields.u32()?];
    ping.number = fields.u32()?;
    fields.skip(4)?;
    (ping.sound_speed_m_per_s, ping.frequency_hz) = (fields.f32()?, fields.f32()?);
    fields.skip(8)?;
    ping.width_rad = [fields.f32()?, fields.f32()?];
    ping.steering_rad = fields.f32()?;
    fields.skip(42)?;
    Ok(usize::from(fields.u16()?))
}

fn ranges(fields: &mut Fields<'_>, points: &mut [Point]) -> Result<(), String> {
    let scale = f64::from(fields.f32()?);
    for point in points {
        point.two_way_time_s = scale * f64::from(fields.u16()?);
    }
    Ok(())
}

fn even_angles(fields: &mut Fields<'_>, points: &mut [Point]) -> Result<(), String> {
    let (first, last) = (f64::from(fields.f32()?), f64::from(fields.f32()?));
    let step = (last - first) / (points.len().max(2) - 1) as f64;
    for (index, point) in points.iter_mut().enumerate() {
        point.angle_rad = first + step * index as f64;
    }
    Ok(())
}

/// The first angle, and for each beam what the sum of all steps up to its own is away from it.
fn stepped_angles(fields: &mut Fields<'_>, points: &mut [Point]) -> Result<(), String> {
    let (first, scale) = (f64::from(fields.f32()?), f64::from(fields.f32()?));
    fields.skip(24)?;
    let mut steps = 0u64;
    for point in points {
        steps += u64::from(fields.u16()?);
        point.angle_rad = first + scale * steps as f64;
    }
    Ok(())
}

fn strengths(fields: &mut Fields<'_>, points: &mut [Point]) -> Result<(), String> {
    let scale = fields.f32()?;
    for point in points {
        point.strength = scale * f32::from(fields.u16()?);
    }
    Ok(())
}

/// Four bits of each, eight in a word, the first in its highest.
fn qualities(fields: &mut Fields<'_>, points: &mut [Point]) -> Result<(), String> {
    for eight in points.chunks_mut(8) {
        let word = fields.u32()?;
        for (index, point) in (0..8u32).zip(eight) {
            point.quality = (word >> (28 - 4 * index) & 0xf) as u8;
        }
    }
    Ok(())
}
