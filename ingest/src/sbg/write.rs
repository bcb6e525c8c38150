//! A pose as an inertial unit tells it: the twin of what reads it here.
//!
//! Places are double precision, attitudes a quaternion of four single ones (6·10⁻⁸ rad), sigmas single: of a
//! covariance the diagonal alone has a place, of the rotation about the body's axes, of the place along east, north, up.

use std::ops::Range;

use beluga_types::{Attitude, Geodetic, Mount, Origin, PoseFix, Stamp, Transform};
use nalgebra::{Matrix3, UnitQuaternion, Vector3};

use super::frame::framed;

/// Status of a filter that knows all: roll and pitch, heading, velocity, position.
const KNOWN: u32 = 0b1111_0100;
/// Leap seconds are known.
const UTC_KNOWN: u16 = 2 << 6;

/// The three messages of a moment: what time it is, where the unit is, how it lies; `micros` is its own count. A
/// covariance that is not stated is told as sigmas of nought.
pub(crate) fn pose(fix: &PoseFix, stamp: Stamp, micros: u32, mount: &Mount, origin: &Origin) -> Vec<u8> {
    let lever = mount.body_from_sensor();
    let turn = fix.world_from_body.rotation();
    let at_unit = fix.world_from_body.translation() + turn * lever.translation();
    let (place, east_north_up_from_body) = origin.place_of(&Transform::new(turn, at_unit));
    let covariance = fix.covariance.unwrap_or_default();
    let sigma_rad = covariance.fixed_view::<3, 3>(0, 0).diagonal().map(f64::sqrt);
    let body = covariance.fixed_view::<3, 3>(3, 3).into_owned();
    let level: Matrix3<f64> = east_north_up_from_body.to_rotation_matrix().into_inner();
    let sigma_m = (level * body * level.transpose()).diagonal().map(f64::sqrt);
    let unit = east_north_up_from_body * mount.attitude.rotation();
    [
        framed(2, &time(stamp, micros)),
        framed(8, &position(&place, &sigma_m, micros)),
        framed(7, &quaternion(&unit, &sigma_rad, micros)),
    ]
    .concat()
}

/// `SBG_ECOM_LOG_UTC_TIME`; what follows the date is not read here.
fn time(stamp: Stamp, micros: u32) -> Vec<u8> {
    // 2026-01-01T12:00:00.5Z, the digits in their places.
    let text = stamp.iso_8601();
    let digits = |place: Range<usize>| text.get(place).and_then(|digits| digits.parse::<u16>().ok());
    let mut payload = micros.to_le_bytes().to_vec();
    payload.extend(UTC_KNOWN.to_le_bytes());
    payload.extend(digits(0..4).unwrap_or_default().to_le_bytes());
    for place in [5, 8, 11, 14, 17] {
        payload.push(digits(place..place + 2).unwrap_or_default() as u8);
    }
    payload.extend((stamp.nanos().rem_euclid(1_000_000_000) as u32).to_le_bytes());
    payload.extend([0; 16]);
    payload
}

/// `SBG_ECOM_LOG_EKF_QUAT`: from axes forward, starboard, down to north, east, down.
fn quaternion(unit: &UnitQuaternion<f64>, sigma_rad: &Vector3<f64>, micros: u32) -> Vec<u8> {
    let Attitude {
        roll_rad,
        pitch_rad,
        heading_rad,
    } = Attitude::from_east_north_up_from_body(unit);
    let turn = UnitQuaternion::from_euler_angles(roll_rad, pitch_rad, heading_rad);
    let mut payload = micros.to_le_bytes().to_vec();
    payload.extend(floats(&[turn.w, turn.i, turn.j, turn.k]));
    payload.extend(floats(sigma_rad.as_slice()));
    payload.extend(KNOWN.to_le_bytes());
    payload
}

/// `SBG_ECOM_LOG_EKF_NAV`: the height stands above the ellipsoid, and the geoid's as nought.
fn position(place: &Geodetic, sigma_m: &Vector3<f64>, micros: u32) -> Vec<u8> {
    let mut payload = micros.to_le_bytes().to_vec();
    payload.extend([0; 24]);
    let degrees = [
        place.latitude_rad.to_degrees(),
        place.longitude_rad.to_degrees(),
        place.height_m,
    ];
    payload.extend(degrees.iter().flat_map(|number| number.to_le_bytes()));
    let [east, north, up] = [sigma_m.x, sigma_m.y, sigma_m.z];
    payload.extend(floats(&[0.0, north, east, up]));
    payload.extend(KNOWN.to_le_bytes());
    payload
}

fn floats(numbers: &[f64]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| (*number as f32).to_le_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use beluga_types::{Payload, SensorKind, SensorSpec};
    use nalgebra::{Matrix6, Vector6};

    use super::super::live::Sent;
    use super::*;
    use crate::capture::Datagram;
    use crate::live::heard::Hears;
    use crate::live::sockets::NOBODY;
    use crate::survey::played::Rows;

    #[test]
    fn a_pose_is_read_back_to_the_micrometre_at_the_very_nanosecond() {
        let origin = Origin {
            anchor: Geodetic::from_degrees(54.17, 12.10, 38.0),
            ..Origin::default()
        };
        let mount = Mount {
            forward_m: 1.5,
            starboard_m: -0.4,
            down_m: -2.0,
            attitude: Attitude::from_degrees([1.0, -2.0, 90.0]),
        };
        let mut spec = SensorSpec::new("ins", SensorKind::Nav);
        spec.mount = mount;
        let mut reader = Sent::new(&spec, &origin);
        let mut rows = Rows::default();
        let sigma = Vector6::new(1e-3, 2e-3, 3e-3, 0.03, 0.03, 0.03);
        for step in 0..20_i64 {
            let turn = UnitQuaternion::from_euler_angles(0.02, -0.03, 0.3 * step as f64);
            let given = PoseFix {
                world_from_body: Transform::new(turn, Vector3::new(120.0, -3.0 * step as f64, 0.5)),
                covariance: Some(Matrix6::from_diagonal(&sigma.component_mul(&sigma))),
            };
            // The count comes round on the way.
            let micros = (u32::MAX - 500_000).wrapping_add(100_000 * step as u32);
            let stamp = Stamp::from_nanos(1_790_000_000_123_456_789 + 100_000_000 * step);
            let bytes = pose(&given, stamp, micros, &mount, &origin);
            let heard = Datagram {
                received: stamp,
                source: NOBODY,
                destination: NOBODY,
                payload: bytes,
            };
            assert!(reader.take(&heard, &mut rows));
            let mut found = std::iter::from_fn(|| rows.pop()).map(Result::unwrap);
            let (row, nothing_else) = (found.next().unwrap(), found.next().is_none());
            let Payload::Pose(read) = row.what.payload else {
                panic!("no pose: {:?}", row.what.payload)
            };
            assert!(nothing_else);
            assert_eq!(row.stamp, stamp);
            let miss = given.world_from_body.perturbation_to(&read.world_from_body);
            assert!(
                miss.fixed_rows::<3>(0).norm() < 3e-7 && miss.fixed_rows::<3>(3).norm() < 1e-6,
                "{miss}"
            );
            let told = read.covariance.unwrap().diagonal().map(f64::sqrt);
            assert!((told - sigma).amax() < 1e-6, "{told}");
        }
    }
}
