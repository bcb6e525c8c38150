//! `N` (78), raw range and angle, and `X` (88), the sounder's own soundings of them.

use crate::survey::fields::Fields;

/// One swath of one receiver, as measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges {
    /// Speed of sound at the head, in m/s.
    pub sound_speed_m_per_s: f64,
    /// Samples per second.
    pub sample_rate_hz: f32,
    /// Sectors of the transmission.
    pub sectors: Vec<Sector>,
    /// One of each beam.
    pub beams: Vec<Beam>,
}

/// One sector of a transmission.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sector {
    /// Steering along, against the transmitter, in degrees.
    pub tilt_deg: f64,
    /// From the ping's time to the sector's, in seconds.
    pub delay_s: f32,
    /// Centre frequency, in hertz.
    pub centre_hz: f32,
    /// Its number, or which part of the array sent it.
    pub number: u8,
}

/// One beam.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Beam {
    /// Angle against the receiver, in degrees, positive to *port*.
    pub angle_deg: f64,
    /// Sector: its place in the list.
    pub sector: u8,
    /// Whether something was detected.
    pub detected: bool,
    /// Standard deviation of the range, as a share of it.
    pub deviation: f64,
    /// Two-way travel time, in seconds.
    pub two_way_time_s: f32,
    /// Reflectivity, in dB.
    pub level_db: f64,
}

/// One of the sounder's own soundings: down from the transmitter, starboard and forward of the position
/// sensor, in metres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sounding {
    /// Down, in metres.
    pub down_m: f32,
    /// Starboard, in metres.
    pub starboard_m: f32,
    /// Forward, in metres.
    pub forward_m: f32,
    /// Whether something was detected.
    pub detected: bool,
}

/// The sounder's own soundings of a swath.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Soundings {
    /// Heading of the vessel, in degrees.
    pub heading_deg: f64,
    /// Speed of sound at the head, in m/s.
    pub sound_speed_m_per_s: f64,
    /// Depth of the transmitter below the water, in metres.
    pub transmitter_depth_m: f32,
    /// One of each beam.
    pub soundings: Vec<Sounding>,
}

/// Body of an `N`.
pub(super) fn ranges(fields: &mut Fields<'_>) -> Result<Ranges, String> {
    const SECTOR: usize = 24;
    const BEAM: usize = 16;
    let sound_speed_m_per_s = 0.1 * f64::from(fields.u16()?);
    let (sectors, beams) = (usize::from(fields.u16()?), usize::from(fields.u16()?));
    fields.skip(2)?;
    let sample_rate_hz = fields.f32()?;
    fields.skip(4)?;
    if sectors * SECTOR + beams * BEAM > fields.left() {
        let left = fields.left();
        return Err(format!(
            "expected {sectors} sectors and {beams} beams, found {left} bytes for them"
        ));
    }
    let mut found = Ranges {
        sound_speed_m_per_s,
        sample_rate_hz,
        sectors: Vec::with_capacity(sectors),
        beams: Vec::with_capacity(beams),
    };
    for _ in 0..sectors {
        let tilt = fields.i16()?;
        fields.skip(6)?;
        let (delay_s, centre_hz) = (fields.f32()?, fields.f32()?);
        fields.skip(3)?;
        let number = fields.u8()?;
        fields.skip(4)?;
        found.sectors.push(Sector {
            tilt_deg: 0.01 * f64::from(tilt),
            delay_s,
            centre_hz,
            number,
        });
    }
    for _ in 0..beams {
        found.beams.push(beam(fields)?);
    }
    Ok(found)
}

fn beam(fields: &mut Fields<'_>) -> Result<Beam, String> {
    let angle = fields.i16()?;
    let (sector, info) = (fields.u8()?, fields.u8()?);
    fields.skip(2)?;
    let quality = fields.u8()?;
    fields.skip(1)?;
    let two_way_time_s = fields.f32()?;
    let level = fields.i16()?;
    fields.skip(2)?;
    Ok(Beam {
        angle_deg: 0.01 * f64::from(angle),
        sector,
        detected: info & 0x80 == 0,
        // 250 times the deviation as a share of the range.
        deviation: f64::from(quality) / 250.0,
        two_way_time_s,
        level_db: 0.1 * f64::from(level),
    })
}

/// Body of an `X`.
pub(super) fn soundings(fields: &mut Fields<'_>) -> Result<Soundings, String> {
    const SOUNDING: usize = 20;
    let heading_deg = 0.01 * f64::from(fields.u16()?);
    let sound_speed_m_per_s = 0.1 * f64::from(fields.u16()?);
    let transmitter_depth_m = fields.f32()?;
    let count = usize::from(fields.u16()?);
    fields.skip(10)?;
    if count * SOUNDING > fields.left() {
        let left = fields.left();
        return Err(format!(
            "expected {count} soundings of {SOUNDING} bytes, found {left} bytes"
        ));
    }
    let mut soundings = Vec::with_capacity(count);
    for _ in 0..count {
        let (down_m, starboard_m, forward_m) = (fields.f32()?, fields.f32()?, fields.f32()?);
        fields.skip(4)?;
        let info = fields.u8()?;
        fields.skip(3)?;
        soundings.push(Sounding {
            down_m,
            starboard_m,
            forward_m,
            detected: info & 0x80 == 0,
        });
    }
    Ok(Soundings {
        heading_deg,
        sound_speed_m_per_s,
        transmitter_depth_m,
        soundings,
    })
}
