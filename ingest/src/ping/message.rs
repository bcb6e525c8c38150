//! What messages say that hold echoes.
//!
//! Source: the protocol's own definitions (`ping-protocol`, `src/definitions`): `common`, `ping1d`,
//! `ping1dtsr`, `ping360`, `s500`.

use super::frame::Message;
use crate::nameplate::Nameplate;
use crate::survey::fields::Fields;

/// A tick of a Ping360's clock, in seconds.
const TICK_S: f64 = 25e-9;
/// Head angles in a turn.
const TURN: u16 = 400;

/// What one message says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// Strength over a stretch in metres, by the device's own speed of sound.
    Profile(Stretch),
    /// Strength over time at one angle of a turning head.
    Head(Look),
    /// The speed of sound that the device takes, in m/s.
    SoundSpeed(f64),
    /// What it is.
    Device(Nameplate),
    /// Anything else: not used.
    Other,
}

/// A profile of an echo sounder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stretch {
    /// Its number since the device was switched on.
    pub(crate) number: u32,
    pub(crate) start_m: f64,
    pub(crate) length_m: f64,
    pub(crate) strength: Vec<f32>,
    /// Whether `strength` is in decibels.
    pub(crate) in_decibels: bool,
}

/// One look of a turning head.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Look {
    pub(crate) angle_rad: f64,
    pub(crate) interval_s: f64,
    pub(crate) strength: Vec<f32>,
}

/// Reads a message.
///
/// # Errors
/// If it is cut, or its numbers cannot be.
pub(crate) fn read(message: &Message) -> Result<Said, String> {
    let bytes = message.payload.as_slice();
    Ok(match message.id {
        4 => Said::Device(device(bytes)?),
        1203 => Said::SoundSpeed(f64::from(Fields::little(bytes, 0).u32()?) * 1e-3),
        1300 => Said::Profile(ping1d(bytes)?),
        1308 => Said::Profile(s500(bytes)?),
        2300 => Said::Head(ping360(bytes, 0)?),
        // The same with the sector, the step and the delay of the scan.
        2301 => Said::Head(ping360(bytes, 6)?),
        _ => Said::Other,
    })
}

/// `device_information`: type, revision, version of the firmware in three parts. No serial number is told.
fn device(bytes: &[u8]) -> Result<Nameplate, String> {
    let mut fields = Fields::little(bytes, 0);
    let (_, revision) = (fields.u8()?, fields.u8()?);
    let [major, minor, patch] = [fields.u8()?, fields.u8()?, fields.u8()?];
    Ok(Nameplate {
        serial: None,
        firmware: Some(format!("{major}.{minor}.{patch}, hardware revision {revision}")),
    })
}

/// Ping1D and Ping2; of the TSR too, whose values have two bytes.
fn ping1d(bytes: &[u8]) -> Result<Stretch, String> {
    let mut fields = Fields::little(bytes, 8);
    let number = fields.u32()?;
    let (start, length) = (fields.u32()?, fields.u32()?);
    fields.skip(4)?;
    let count = usize::from(fields.u16()?);
    let strength = match fields.left() {
        left if left == count => fields
            .take(count)?
            .iter()
            .map(|&value| f32::from(value))
            .collect(),
        left if left == 2 * count => wide(fields.take(left)?).map(f32::from).collect(),
        left => {
            return Err(format!(
                "expected {count} values of 1 or 2 bytes, found {left} bytes"
            ));
        }
    };
    Ok(Stretch {
        number,
        start_m: f64::from(start) * 1e-3,
        length_m: f64::from(length) * 1e-3,
        strength,
        in_decibels: false,
    })
}

/// `profile6_t`: values from the least to the greatest power.
fn s500(bytes: &[u8]) -> Result<Stretch, String> {
    let mut fields = Fields::little(bytes, 0);
    let number = fields.u32()?;
    let (start, length) = (fields.u32()?, fields.u32()?);
    fields.skip(28)?;
    let (most_db, least_db) = (fields.f32()?, fields.f32()?);
    fields.skip(16)?;
    let count = usize::from(fields.u16()?);
    if !(most_db - least_db).is_finite() || most_db < least_db {
        return Err(format!(
            "expected powers that rise, found {least_db} to {most_db} dB"
        ));
    }
    if fields.left() != 2 * count {
        let left = fields.left();
        return Err(format!("expected {count} values of 2 bytes, found {left} bytes"));
    }
    let step = (most_db - least_db) / f32::from(u16::MAX);
    let strength = wide(fields.take(2 * count)?).map(|value| least_db + step * f32::from(value));
    Ok(Stretch {
        number,
        start_m: f64::from(start) * 1e-3,
        length_m: f64::from(length) * 1e-3,
        strength: strength.collect(),
        in_decibels: true,
    })
}

fn ping360(bytes: &[u8], more: usize) -> Result<Look, String> {
    let mut fields = Fields::little(bytes, 2);
    let angle = fields.u16()?;
    fields.skip(2)?;
    let period = fields.u16()?;
    fields.skip(2 + more)?;
    let said = usize::from(fields.u16()?);
    let count = usize::from(fields.u16()?);
    if angle >= TURN || period == 0 {
        return Err(format!(
            "expected an angle below {TURN} gradians and a period above 0, found {angle} and {period}"
        ));
    }
    if count != fields.left() || count > said {
        let left = fields.left();
        return Err(format!(
            "expected {count} values, {said} at the most, found {left} bytes"
        ));
    }
    Ok(Look {
        angle_rad: f64::from(angle) * std::f64::consts::TAU / f64::from(TURN),
        interval_s: f64::from(period) * TICK_S,
        strength: fields
            .take(count)?
            .iter()
            .map(|&value| f32::from(value))
            .collect(),
    })
}

fn wide(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.as_chunks().0.iter().map(|two| u16::from_le_bytes(*two))
}
