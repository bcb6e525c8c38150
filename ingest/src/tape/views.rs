//! The same fixes once more, as the field's viewers know them. They are never read back: degrees,
//! axes and clamped times lose what our own messages keep.

use beluga_types::{Body, GnssFix, ImuSample, Measurement, Payload, PoseFix, Stamp, Transform, World};
use nalgebra::{Matrix6, Rotation3};

use super::cdr::Encoder;
use super::cloud::put_header;
use super::schema::Kind;

/// The name of the space `World` in a header.
pub(super) const WORLD: &str = "world";
/// The name of the space `Body` in a header.
pub(super) const BODY: &str = "body";

/// A payload as a standard message, if there is one for it; `sensor` names the sensor's own axes.
pub(super) fn of(measurement: &Measurement, sensor: &str) -> Option<(Kind, Vec<u8>)> {
    let stamp = measurement.stamp;
    match &measurement.payload {
        Payload::Imu(sample) => Some((Kind::ViewImu, imu(stamp, sensor, sample))),
        Payload::Gnss(fix) => Some((Kind::NavSat, nav_sat_fix(stamp, sensor, fix))),
        Payload::Pose(PoseFix {
            world_from_body,
            covariance,
        }) => Some((
            Kind::Odometry,
            odometry(stamp, world_from_body, covariance.as_ref()),
        )),
        _ => None,
    }
}

fn imu(stamp: Stamp, sensor: &str, sample: &ImuSample) -> Vec<u8> {
    /// In the first element of a covariance: there is no such measurement.
    const NOT_MEASURED: f64 = -1.0;
    let mut encoder = Encoder::new();
    put_header(&mut encoder, stamp, sensor);
    encoder.array(&[0.0, 0.0, 0.0, 1.0, NOT_MEASURED]);
    encoder.array(&[0.0; 8]);
    encoder.array(sample.rate_rad_per_s.vector().as_slice());
    encoder.array(&[0.0; 9]);
    encoder.array(sample.specific_force_m_per_s2.vector().as_slice());
    encoder.array(&[0.0; 9]);
    encoder.finish()
}

fn nav_sat_fix(stamp: Stamp, sensor: &str, fix: &GnssFix) -> Vec<u8> {
    let mut encoder = Encoder::new();
    put_header(&mut encoder, stamp, sensor);
    encoder.put(0i8);
    encoder.put(0u16);
    let place = fix.place;
    encoder.array(&[
        place.latitude_rad.to_degrees(),
        place.longitude_rad.to_degrees(),
        place.height_m,
    ]);
    encoder.array(fix.covariance_m2.unwrap_or_default().transpose().as_slice());
    encoder.put(if fix.covariance_m2.is_some() { 3u8 } else { 0 });
    encoder.finish()
}

/// A pose as `nav_msgs/Odometry`, without a twist. A covariance that is not stated is zero there.
pub(super) fn odometry(
    stamp: Stamp,
    world_from_body: &Transform<World, Body>,
    covariance: Option<&Matrix6<f64>>,
) -> Vec<u8> {
    let mut encoder = Encoder::new();
    put_header(&mut encoder, stamp, WORLD);
    encoder.text(BODY);
    encoder.array(world_from_body.translation().as_slice());
    let [w, x, y, z] = world_from_body.wxyz();
    encoder.array(&[x, y, z, w]);
    let fixed = covariance.map(|covariance| about_fixed_axes(world_from_body, covariance));
    encoder.array(fixed.unwrap_or_default().transpose().as_slice());
    encoder.array(&[0.0; 6]);
    encoder.array(&[0.0; 36]);
    encoder.finish()
}

/// From ours (rotation, then translation; both seen from `Body`) to that of ROS (REP-103: x, y, z,
/// then rotation about fixed axes; all seen from `World`).
fn about_fixed_axes(world_from_body: &Transform<World, Body>, ours: &Matrix6<f64>) -> Matrix6<f64> {
    let theirs_from_ours = theirs_from_ours(world_from_body);
    theirs_from_ours * ours * theirs_from_ours.transpose()
}

/// The other way: from the covariance of a pose as ROS states it to ours.
pub(crate) fn about_own_axes(
    world_from_body: &Transform<World, Body>,
    theirs: &Matrix6<f64>,
) -> Matrix6<f64> {
    let theirs_from_ours = theirs_from_ours(world_from_body);
    theirs_from_ours.transpose() * theirs * theirs_from_ours
}

/// Turns and swaps the two halves; its inverse is its transpose.
fn theirs_from_ours(world_from_body: &Transform<World, Body>) -> Matrix6<f64> {
    let turn = Rotation3::from(world_from_body.rotation()).into_inner();
    let mut theirs_from_ours = Matrix6::zeros();
    theirs_from_ours.fixed_view_mut::<3, 3>(0, 3).copy_from(&turn);
    theirs_from_ours.fixed_view_mut::<3, 3>(3, 0).copy_from(&turn);
    theirs_from_ours
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{UnitQuaternion, Vector3, Vector6};

    /// Turned a quarter to the left, forward in `Body` is `World`'s y.
    #[test]
    fn covariance_turns_into_fixed_axes() {
        let turn = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), std::f64::consts::FRAC_PI_2);
        let world_from_body = Transform::new(turn, Vector3::zeros());
        let ours = Matrix6::from_diagonal(&Vector6::new(1.0, 2.0, 3.0, 4.0, 5.0, 6.0));
        let theirs = about_fixed_axes(&world_from_body, &ours).diagonal();
        assert!(
            (theirs - Vector6::new(5.0, 4.0, 6.0, 2.0, 1.0, 3.0)).norm() < 1e-12,
            "{theirs}"
        );
        let back = about_own_axes(&world_from_body, &about_fixed_axes(&world_from_body, &ours));
        assert!((back - ours).norm() < 1e-12, "{back}");
    }
}
