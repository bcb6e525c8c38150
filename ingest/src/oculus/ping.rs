//! One ping's result, byte by byte: versions 1 and 2 of the simple ping result.

use std::ops::RangeInclusive;

use beluga_types::Strengths;

use super::framing;
use crate::survey::detections::WATER_M_PER_S;
use crate::survey::fields::Fields;

/// Beams of an image at most; devices have 256 or 512.
const MOST_BEAMS: usize = 4096;
/// A sonar's frequency, in hertz.
const FREQUENCIES_HZ: RangeInclusive<f64> = 1e4..=1e7;
/// Temperatures of water and pressures down to the deepest sea, in °C and bar: outside a device has no sensor.
const TEMPERATURES_DEG_C: RangeInclusive<f64> = -5.0..=60.0;
const PRESSURES_BAR: RangeInclusive<f64> = 0.0..=1200.0;
/// Lengths of one cell of range that can be, in metres.
const CELLS_M: RangeInclusive<f64> = 1e-5..=10.0;
/// No quantity of a ping is nearer to zero than this without being zero.
const LEAST: f64 = 1e-6;
/// In the flags: what is asked as range is in metres, else in percent.
const IN_METRES: u8 = 1;
/// Bearings lie within half a turn, in hundredths of a degree.
const WIDEST_BEARING: i16 = 18_000;

/// A ping's result: what was asked, what was measured, and the image.
#[derive(Clone, Debug, PartialEq)]
pub struct Ping {
    /// The sonar's own number, from its head.
    pub device: u16,
    /// What it is, from its head; 0 where it does not say.
    pub part: u16,
    /// Version of the message: 1 or 2.
    pub version: u8,
    /// 1 low frequency, wide; 2 high, narrow; 0 another way of asking.
    pub mode: u8,
    /// 0 and 255 are a gamma of 1.0, 127 of 0.5.
    pub gamma: u8,
    /// The range asked for, in metres, if it was asked in metres.
    pub range_m: Option<f64>,
    /// The gain asked for, in percent.
    pub gain_percent: f64,
    /// Its count.
    pub number: u32,
    /// Status bits, as sent.
    pub status: u32,
    /// Transmitted, in hertz.
    pub frequency_hz: Option<f64>,
    /// Of the water, in °C, where it is one.
    pub temperature_deg_c: Option<f64>,
    /// In bar, where it is one.
    pub pressure_bar: Option<f64>,
    /// By which ranges and beams were formed, in m/s.
    pub sound_speed_m_per_s: f64,
    /// Version 2: seconds since the sonar was switched on, where it is such a number. Version 1 has a
    /// running count whose unit is not published.
    pub since_start_s: Option<f64>,
    /// Length of a cell of range, in metres.
    pub cell_m: f64,
    /// Cells of range of each beam.
    pub cells: usize,
    /// Where each beam looks, in hundredths of a degree, rising.
    pub bearings: Vec<i16>,
    /// Echo strengths: beam after beam, each from near to far.
    pub strengths: Strengths,
    /// The gain at each cell of range as it was sent, or none.
    pub gains: Vec<u32>,
}

/// Reads a whole message that is a ping's result.
///
/// # Errors
/// If it is cut, of a version that is not known, or holds what cannot be: with the number and what was
/// expected.
pub(super) fn read(whole: &[u8]) -> Result<Ping, String> {
    let mut fields = Fields::little(whole, 2);
    let device = fields.u16()?;
    fields.skip(4)?;
    let version = fields.u16()?;
    fields.skip(4)?;
    let part = fields.u16()?;
    let second = framing::is_second(version).ok_or_else(|| {
        format!(
            "expected a simple ping result of version 0, 1 or 2, found version {version}: of a firmware that is newer than \
             this reader"
        )
    })?;
    let mode = fields.u8()?;
    fields.skip(2)?;
    let (gamma, flags) = (fields.u8()?, fields.u8()?);
    let (range, gain_percent) = (fields.f64()?, fields.f64()?);
    // Speed of sound and salinity as asked; version 2 goes on with more flags and spare words.
    fields.skip(if second { 16 + 36 } else { 16 })?;
    let (number, status) = (fields.u32()?, fields.u32()?);
    let (frequency, temperature, pressure) = (fields.f64()?, fields.f64()?, fields.f64()?);
    if second {
        // Heading, pitch and roll.
        fields.skip(24)?;
    }
    let sound_speed_m_per_s = fields.f64()?;
    let since_start_s = match second {
        true => Some(fields.f64()?),
        false => fields.skip(4).map(|()| None)?,
    };
    let layout = Layout::read(&mut fields, second)?;
    layout.check(sound_speed_m_per_s)?;
    let bearings = bearings(&mut fields, layout.beams)?;
    fields.go(layout.image_at)?;
    let (strengths, gains) = layout.image(fields.take(layout.image_bytes)?)?;
    Ok(Ping {
        device,
        part,
        version: if second { 2 } else { 1 },
        mode,
        gamma,
        range_m: within(range, 0.01..=1e4).filter(|_| flags & IN_METRES != 0),
        gain_percent,
        number,
        status,
        frequency_hz: within(frequency, FREQUENCIES_HZ),
        temperature_deg_c: within(temperature, TEMPERATURES_DEG_C),
        pressure_bar: within(pressure, PRESSURES_BAR),
        sound_speed_m_per_s,
        since_start_s: since_start_s.and_then(|seconds| within(seconds, 0.0..=1e9)),
        cell_m: layout.cell_m,
        cells: layout.cells,
        bearings,
        strengths,
        gains,
    })
}

/// How a ping's image is sent.
struct Layout {
    /// 0 to 3: bytes of a strength, less one.
    size: u8,
    cell_m: f64,
    cells: usize,
    beams: usize,
    image_at: usize,
    image_bytes: usize,
}

impl Layout {
    fn read(fields: &mut Fields<'_>, second: bool) -> Result<Self, String> {
        let (size, cell_m) = (fields.u8()?, fields.f64()?);
        let (cells, beams) = (usize::from(fields.u16()?), usize::from(fields.u16()?));
        if second {
            fields.skip(16)?;
        }
        let (image_at, image_bytes) = (fields.u32()? as usize, fields.u32()? as usize);
        // The message's own size, which the framing has seen.
        fields.skip(4)?;
        Ok(Self {
            size,
            cell_m,
            cells,
            beams,
            image_at,
            image_bytes,
        })
    }

    /// Whether such an image, of this speed of sound, can be.
    fn check(&self, sound_speed_m_per_s: f64) -> Result<(), String> {
        let Self { size, cell_m, .. } = *self;
        if !WATER_M_PER_S.contains(&sound_speed_m_per_s) {
            let (least, most) = WATER_M_PER_S.into_inner();
            return Err(format!(
                "expected a speed of sound of {least} to {most} m/s, found {sound_speed_m_per_s}"
            ));
        }
        if !CELLS_M.contains(&cell_m) {
            return Err(format!(
                "expected cells of 0.01 mm to 10 m of range, found {cell_m} m"
            ));
        }
        if size > 3 {
            return Err(format!(
                "expected strengths of 8, 16, 24 or 32 bits (0 to 3), found {size}"
            ));
        }
        Ok(())
    }

    /// Strengths beam after beam, of an image that is sent range after range, each perhaps behind its gain of four
    /// bytes. Whether there are gains the size tells: a flag that asks for them is not always followed.
    fn image(&self, image: &[u8]) -> Result<(Strengths, Vec<u32>), String> {
        let (beams, cells, bytes) = (self.beams, self.cells, usize::from(self.size) + 1);
        const GAIN: usize = 4;
        let row = beams * bytes;
        let before = match image.len() {
            length if cells > 0 && length == cells * row => 0,
            length if cells > 0 && length == cells * (row + GAIN) => GAIN,
            length => {
                return Err(format!(
                    "expected an image of {} bytes ({cells} ranges by {beams} beams by {bytes} bytes) or {} with gains, found \
                     {length}",
                    cells * row,
                    cells * (row + GAIN)
                ));
            }
        };
        let rows: Vec<&[u8]> = image.chunks_exact(row + before).collect();
        let gain = |row: &&[u8]| row.first_chunk().map(|gain| u32::from_le_bytes(*gain));
        let gains = match before {
            0 => Vec::new(),
            _ => rows.iter().filter_map(gain).collect(),
        };
        let strengths: Vec<&[u8]> = rows.iter().map(|row| &row[before..]).collect();
        fn turned<T>(rows: &[&[u8]], beams: usize, bytes: usize, number: fn(&[u8]) -> T) -> Vec<T> {
            let beam = |beam: usize| {
                rows.iter()
                    .map(move |row| number(&row[beam * bytes..(beam + 1) * bytes]))
            };
            (0..beams).flat_map(beam).collect()
        }
        let number = |bytes: &[u8]| {
            let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
            bytes.iter().rev().fold(0, add)
        };
        let strengths = match bytes {
            1 => Strengths::U8(turned(&strengths, beams, 1, |bytes| bytes[0])),
            2 => Strengths::U16(turned(&strengths, beams, 2, |bytes| {
                u16::from_le_bytes([bytes[0], bytes[1]])
            })),
            _ => Strengths::U32(turned(&strengths, beams, bytes, number)),
        };
        Ok((strengths, gains))
    }
}

/// A number if it lies in a range; one that is next to nothing but not nothing is garbage too.
fn within(value: f64, range: RangeInclusive<f64>) -> Option<f64> {
    (range.contains(&value) && (value == 0.0 || value.abs() >= LEAST)).then_some(value)
}

/// The table of bearings behind the fields.
fn bearings(fields: &mut Fields<'_>, beams: usize) -> Result<Vec<i16>, String> {
    if !(1..=MOST_BEAMS).contains(&beams) {
        return Err(format!("expected 1 to {MOST_BEAMS} beams, found {beams}"));
    }
    let bearings = (0..beams)
        .map(|_| fields.i16())
        .collect::<Result<Vec<i16>, String>>()?;
    if let Some(beam) = (1..beams).find(|&beam| bearings[beam] <= bearings[beam - 1]) {
        return Err(format!(
            "expected bearings that rise from beam to beam, found {} after {} hundredths of a degree at beam {beam}",
            bearings[beam],
            bearings[beam - 1]
        ));
    }
    match bearings
        .iter()
        .find(|bearing| bearing.saturating_abs() > WIDEST_BEARING)
    {
        Some(wide) => Err(format!(
            "expected bearings within 180°, found {wide} hundredths of a degree"
        )),
        None => Ok(bearings),
    }
}
