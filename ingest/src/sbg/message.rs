//! What messages say that tell how the vessel lies. Later versions only add fields at the end.
//!
//! Source: as in `frame`. Messages of the class of measurements, number 0, which the maker's headers call
//! `SBG_ECOM_CLASS_LOG_ECOM_0`.

use beluga_types::{Attitude, Geodetic, Stamp};
use nalgebra::{UnitQuaternion, Vector3};

use crate::nmea::turn_of;
use crate::survey::calendar;
use crate::survey::fields::Fields;

/// Bits of a solution's status: roll and pitch, heading, position are as good as the filter wants them.
const ATTITUDE: u32 = 1 << 4;
const HEADING: u32 = 1 << 5;
const POSITION: u32 = 1 << 7;

/// What one message says, at this many microseconds since the device was switched on, which come
/// round after 71 minutes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// What time it is then, if that is known.
    Time { micros: u32, stamp: Option<Stamp> },
    /// How the vessel lies, with one sigma of roll, pitch and heading, if that is known.
    Lying {
        micros: u32,
        lying: Option<(UnitQuaternion<f64>, Vector3<f64>)>,
    },
    /// Where it is, with one sigma to the east, to the north, up, if that is known.
    Place {
        micros: u32,
        place: Option<(Geodetic, Vector3<f64>)>,
    },
    /// Anything else: not used.
    Other,
}

/// Reads a message.
///
/// # Errors
/// If it is cut, or its numbers cannot be.
pub(crate) fn read(message: u8, payload: &[u8]) -> Result<Said, String> {
    let mut fields = Fields::little(payload, 0);
    Ok(match message {
        2 => time(&mut fields)?,
        6 => euler(&mut fields)?,
        7 => quaternion(&mut fields)?,
        8 => place(&mut fields)?,
        _ => Said::Other,
    })
}

/// `SBG_ECOM_LOG_UTC_TIME`.
fn time(fields: &mut Fields<'_>) -> Result<Said, String> {
    let (micros, status) = (fields.u32()?, fields.u16()?);
    let (year, month, day) = (fields.u16()?, fields.u8()?, fields.u8()?);
    let (hour, minute, second, nanos) = (fields.u8()?, fields.u8()?, fields.u8()?, fields.u32()?);
    // 0: the device's first date; 1: leap seconds as it knew them; 2: known.
    if status >> 6 & 0xf == 0 {
        return Ok(Said::Time { micros, stamp: None });
    }
    let days = calendar::days(u32::from(year), u32::from(month), u32::from(day));
    let days = days.filter(|_| hour < 24 && minute < 60 && second <= 60 && nanos < 1_000_000_000);
    let days = days.ok_or_else(|| {
        format!("expected a date and a time, found {year}-{month}-{day} {hour}:{minute}:{second}")
    })?;
    let seconds = days * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    let stamp = Some(Stamp::from_nanos(seconds * 1_000_000_000 + i64::from(nanos)));
    Ok(Said::Time { micros, stamp })
}

/// `SBG_ECOM_LOG_EKF_EULER`: roll positive starboard down, pitch bow up, yaw clockwise from north.
fn euler(fields: &mut Fields<'_>) -> Result<Said, String> {
    let micros = fields.u32()?;
    let [roll_rad, pitch_rad, heading_rad] = fields.three()?;
    let attitude = Attitude {
        roll_rad,
        pitch_rad,
        heading_rad,
    };
    let sigma_rad = fields.three()?.into();
    let is_known = fields.u32()? & (ATTITUDE | HEADING) == ATTITUDE | HEADING;
    let turn = attitude.east_north_up_from_body();
    Ok(Said::Lying {
        micros,
        lying: is_known.then_some((turn, sigma_rad)),
    })
}

/// `SBG_ECOM_LOG_EKF_QUAT`: from axes forward, starboard, down to north, east, down.
fn quaternion(fields: &mut Fields<'_>) -> Result<Said, String> {
    let micros = fields.u32()?;
    let w = f64::from(fields.f32()?);
    let [x, y, z] = fields.three()?;
    let sigma_rad = fields.three()?.into();
    let is_known = fields.u32()? & (ATTITUDE | HEADING) == ATTITUDE | HEADING;
    let turn = turn_of([w, x, y, z])?;
    Ok(Said::Lying {
        micros,
        lying: is_known.then_some((turn, sigma_rad)),
    })
}

/// `SBG_ECOM_LOG_EKF_NAV`: velocity, place (height above the sea, and the geoid's over the ellipsoid).
fn place(fields: &mut Fields<'_>) -> Result<Said, String> {
    let micros = fields.u32()?;
    fields.skip(24)?;
    let (latitude, longitude, altitude) = (fields.f64()?, fields.f64()?, fields.f64()?);
    let geoid = f64::from(fields.f32()?);
    let [north, east, up] = fields.three()?;
    if fields.u32()? & POSITION == 0 {
        return Ok(Said::Place { micros, place: None });
    }
    let height = altitude + geoid;
    if !(latitude.abs() <= 90.0 && longitude.abs() <= 360.0 && height.abs() < 1e5) {
        return Err(format!(
            "expected a place, found {latitude}° {longitude}° {height} m"
        ));
    }
    let place = Geodetic::from_degrees(latitude, longitude, height);
    Ok(Said::Place {
        micros,
        place: Some((place, Vector3::new(east, north, up))),
    })
}
