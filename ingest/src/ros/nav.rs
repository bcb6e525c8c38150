//! Navigation in ROS messages: `sensor_msgs/Imu`, `sensor_msgs/NavSatFix`, `nav_msgs/Odometry`.
//!
//! Source: ROS 2 `common_interfaces` 5.3; covariances after REP-103: x, y, z, then rotation about
//! fixed axes, all seen from the space that the header names.

use beluga_types::{Direction, Geodetic, GnssFix, ImuSample, PoseFix, Transform};
use nalgebra::{Matrix3, Matrix6, Quaternion, UnitQuaternion, Vector3};

use crate::tape::cdr::{Decoder, Wrong};
use crate::tape::views::about_own_axes;

/// How far the length of a quaternion may be from 1: drivers write single precision and less.
const QUATERNION_SLACK: f64 = 1e-2;
/// In the first element of a covariance: there is no such measurement.
const NOT_MEASURED: f64 = -1.0;
/// How far above or below the ellipsoid a fix may be, in metres.
const MAX_HEIGHT_M: f64 = 1e5;

/// What of a message is a measurement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fix<T> {
    There(T),
    /// The device says that it has none now.
    Absent(&'static str),
}

/// `sensor_msgs/Imu` after its header. Its orientation is a filter's opinion and is not used.
pub(super) fn imu(decoder: &mut Decoder<'_>) -> Result<Fix<ImuSample>, Wrong> {
    numbers::<4>(decoder)?;
    numbers::<9>(decoder)?;
    let rate = decoder.finites::<3>()?;
    let rate_covariance = numbers::<9>(decoder)?;
    let force = decoder.finites::<3>()?;
    let force_covariance = numbers::<9>(decoder)?;
    if [rate_covariance[0], force_covariance[0]].contains(&NOT_MEASURED) {
        return Ok(Fix::Absent("a rate or an acceleration that is not measured"));
    }
    let direction = |[x, y, z]: [f64; 3]| Direction::new(x, y, z);
    Ok(Fix::There(ImuSample {
        rate_rad_per_s: direction(rate),
        specific_force_m_per_s2: direction(force),
    }))
}

/// `sensor_msgs/NavSatFix` after its header.
pub(super) fn nav_sat_fix(decoder: &mut Decoder<'_>) -> Result<Fix<GnssFix>, Wrong> {
    let status: i8 = decoder.get()?;
    let _service: u16 = decoder.get()?;
    let [latitude, longitude, height] = numbers::<3>(decoder)?;
    let covariance = numbers::<9>(decoder)?;
    let is_known = decoder.get::<u8>()? != 0;
    if status < 0 || [latitude, longitude].iter().any(|angle| angle.is_nan()) {
        return Ok(Fix::Absent("no fix"));
    }
    if !(latitude.abs() <= 90.0 && longitude.abs() <= 360.0 && height.abs() <= MAX_HEIGHT_M) {
        return Err(Wrong::Value("a place on the Earth"));
    }
    let covariance = Matrix3::from_row_slice(&covariance);
    let is_usable =
        is_known && covariance.iter().all(|value| value.is_finite()) && covariance.diagonal().min() > 0.0;
    Ok(Fix::There(GnssFix {
        place: Geodetic::from_degrees(latitude, longitude, height),
        covariance_m2: is_usable.then_some(covariance),
    }))
}

/// `nav_msgs/Odometry` after its header; its twist is not read. A covariance without a variance for
/// each axis, as of a robot that knows only its plane, is taken as not stated.
pub(super) fn odometry(decoder: &mut Decoder<'_>) -> Result<PoseFix, Wrong> {
    let _child = decoder.bytes()?;
    let place = Vector3::from(decoder.finites::<3>()?);
    let [x, y, z, w] = decoder.finites::<4>()?;
    let quaternion = Quaternion::new(w, x, y, z);
    // A length beyond all numbers is not within the slack either.
    let is_turn = (quaternion.norm() - 1.0).abs() <= QUATERNION_SLACK;
    if !is_turn {
        return Err(Wrong::Value("a quaternion of length 1"));
    }
    let world_from_body = Transform::new(UnitQuaternion::new_normalize(quaternion), place);
    let theirs = Matrix6::from_row_slice(&numbers::<36>(decoder)?);
    let is_usable = theirs.iter().all(|value| value.is_finite()) && theirs.diagonal().min() > 0.0;
    Ok(PoseFix {
        world_from_body,
        covariance: is_usable.then(|| about_own_axes(&world_from_body, &theirs)),
    })
}

/// Numbers that need not be finite.
fn numbers<const N: usize>(decoder: &mut Decoder<'_>) -> Result<[f64; N], Wrong> {
    let mut values = [0.0; N];
    for value in &mut values {
        *value = decoder.get()?;
    }
    Ok(values)
}
