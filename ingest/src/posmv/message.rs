//! What groups say that tell how the vessel lies.
//!
//! Source: as in `frame`, tables 3 to 7. Group 1: roll positive starboard down, pitch bow up, heading
//! clockwise from north, in the order heading, pitch, roll; altitude above the ellipsoid.

use beluga_types::{Attitude, Geodetic};
use nalgebra::{UnitQuaternion, Vector3};

use crate::survey::fields::Fields;

/// Seconds of a week.
pub(super) const WEEK_S: f64 = 604_800.0;
/// Above this state of alignment heading is worse than 15°.
const ALIGNED: u8 = 1;
/// Bytes of one channel's state are told before the rest of group 3.
const LONGEST_CHANNELS: usize = 1200;

/// Seconds of a week.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OfWeek {
    pub(crate) seconds: f64,
    /// Whether they are UTC's, and not GPS's.
    pub(crate) is_utc: bool,
}

/// What one group says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// Group 1: how the vessel lies, and where, if that is known.
    Lies(Option<(UnitQuaternion<f64>, Geodetic)>),
    /// Group 2: how good both are, if that is known.
    Sigma(Option<Sigma>),
    /// Group 3: the week, if it is known.
    Week(Option<u32>),
    /// Anything else: not used.
    Other,
}

/// One sigma.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sigma {
    /// Of the place to the east, to the north, up, in metres.
    pub(crate) place_m: Vector3<f64>,
    /// Of roll, pitch and heading.
    pub(crate) attitude_rad: Vector3<f64>,
}

/// The time of a group, if one of its two times is that of a day, and not the unit's own.
///
/// # Errors
/// If it is cut, or no time of a week.
pub(crate) fn time(times: &[u8]) -> Result<Option<OfWeek>, String> {
    let mut fields = Fields::little(times, 0);
    let seconds = [fields.f64()?, fields.f64()?];
    fields.skip(8)?;
    let kinds = fields.u8()?;
    // 1: GPS, 2: UTC; 0: since the unit was switched on; 3: as somebody has set it.
    let told = seconds.into_iter().zip([kinds & 0xf, kinds >> 4]);
    let Some((seconds, kind)) = told.into_iter().find(|(_, kind)| [1, 2].contains(kind)) else {
        return Ok(None);
    };
    match (0.0..WEEK_S).contains(&seconds) {
        true => Ok(Some(OfWeek {
            seconds,
            is_utc: kind == 2,
        })),
        false => Err(format!("expected seconds of a week, found {seconds}")),
    }
}

/// Reads a group's data.
///
/// # Errors
/// If they are cut, or their numbers cannot be.
pub(crate) fn read(group: u16, data: &[u8]) -> Result<Said, String> {
    let mut fields = Fields::little(data, 0);
    Ok(match group {
        1 => Said::Lies(lies(&mut fields)?),
        2 => Said::Sigma(sigma(&mut fields)?),
        3 => Said::Week(week(&mut fields)?),
        _ => Said::Other,
    })
}

fn lies(fields: &mut Fields<'_>) -> Result<Option<(UnitQuaternion<f64>, Geodetic)>, String> {
    let [latitude, longitude, height] = [fields.f64()?, fields.f64()?, fields.f64()?];
    fields.skip(12)?;
    let degrees = [fields.f64()?, fields.f64()?, fields.f64()?];
    // The angle to the platform's own north, track, speed, rates and accelerations.
    fields.skip(8 + 8 + 24)?;
    let is_aligned = fields.u8()? <= ALIGNED;
    let all = [latitude, longitude, height, degrees[0], degrees[1], degrees[2]];
    // What the unit does not know it gives as no number.
    if !is_aligned || all.iter().any(|number| number.is_nan()) {
        return Ok(None);
    }
    let is_place = latitude.abs() <= 90.0 && longitude.abs() <= 360.0 && height.abs() < 1e5;
    let is_attitude = degrees.iter().all(|angle| angle.abs() <= 360.0);
    if !(is_place && is_attitude) {
        return Err(format!("expected a place and angles, found {all:?}"));
    }
    let turn = Attitude::from_degrees(degrees).east_north_up_from_body();
    Ok(Some((turn, Geodetic::from_degrees(latitude, longitude, height))))
}

fn sigma(fields: &mut Fields<'_>) -> Result<Option<Sigma>, String> {
    let mut three = || Ok::<_, String>([fields.f32()?, fields.f32()?, fields.f32()?].map(f64::from));
    let ([north, east, down], _, [roll, pitch, heading]) = (three()?, three()?, three()?);
    let all = [north, east, down, roll, pitch, heading];
    if all.iter().any(|number| number.is_nan()) {
        return Ok(None);
    }
    if !all.iter().all(|sigma| (0.0..1e6).contains(sigma)) {
        return Err(format!("expected errors of place and attitude, found {all:?}"));
    }
    Ok(Some(Sigma {
        place_m: Vector3::new(east, north, down),
        attitude_rad: Vector3::new(roll, pitch, heading).map(f64::to_radians),
    }))
}

fn week(fields: &mut Fields<'_>) -> Result<Option<u32>, String> {
    fields.skip(2)?;
    let channels = usize::from(fields.u16()?);
    if channels > LONGEST_CHANNELS {
        return Err(format!(
            "expected at most {LONGEST_CHANNELS} bytes of channels, found {channels}"
        ));
    }
    // Channels, two dilutions, the age of corrections and where they come from.
    fields.skip(channels + 14)?;
    let week = fields.u32()?;
    match week {
        0 => Ok(None),
        1..9999 => Ok(Some(week)),
        _ => Err(format!("expected a week, found {week}")),
    }
}
