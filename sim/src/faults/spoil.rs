//! Payloads that are spoilt after they were measured truly.

use std::sync::Arc;

use beluga_types::{Payload, PoseFix, SampleValues, Sensor, SonarPing, Stamp, Transform, Waveforms};
use nalgebra::{Matrix3, UnitQuaternion, Vector3};

use super::Faults;
use crate::random::{Dice, Source};
use crate::vessel::START;

/// A payload measured at a true time, as its device gives it.
pub(super) fn payload(faults: &Faults, stamp: Stamp, payload: &mut Payload) {
    let t = stamp.seconds_since(START);
    match payload {
        Payload::Sonar(ping) => {
            let spoilt = loud(faults.scenario.gain.excess_db, ping.as_ref());
            if let Some(spoilt) = spoilt {
                *ping = Arc::new(spoilt);
            }
            let told = &faults.scenario.sound_speed;
            if told.error_m_per_s != 0.0 || told.stated_m_per_s.is_some() {
                let ping = Arc::make_mut(ping);
                if let Some(speed) = sound_speed(ping) {
                    *speed = told.stated_m_per_s.unwrap_or(*speed) + told.error_m_per_s;
                }
            }
        }
        Payload::Pose(fix) => {
            if let Some(drift) = heading_drift(faults, t) {
                let place = fix.world_from_body.translation();
                fix.world_from_body = Transform::new(drift * fix.world_from_body.rotation(), place);
            }
            drift_away(faults, t, fix);
        }
        Payload::Attitude(fix) => {
            if let Some(drift) = heading_drift(faults, t) {
                fix.world_from_body = drift * fix.world_from_body;
            }
        }
        Payload::Imu(sample) => {
            let rate = clockwise_rad_per_s(faults);
            if rate != 0.0 {
                let measured = sample.rate_rad_per_s.vector() - Vector3::z() * rate;
                sample.rate_rad_per_s = beluga_types::Direction::<Sensor>::from_vector(measured);
            }
        }
        _ => {}
    }
}

fn clockwise_rad_per_s(faults: &Faults) -> f64 {
    faults.scenario.gyro.drift_deg_per_h.to_radians() / 3600.0
}

/// By how much the heading has drifted, as a turn about the vertical of `World`.
fn heading_drift(faults: &Faults, t: f64) -> Option<UnitQuaternion<f64>> {
    let angle = -clockwise_rad_per_s(faults) * t;
    (angle != 0.0).then(|| UnitQuaternion::from_axis_angle(&Vector3::z_axis(), angle))
}

/// During an outage the place drifts the same way at even speed, and the covariance grows with it.
fn drift_away(faults: &Faults, t: f64, fix: &mut PoseFix) {
    let outage = &faults.scenario.gnss;
    let Some(during) = outage.during.filter(|during| during.holds(t)) else {
        return;
    };
    let angle = std::f64::consts::TAU * Dice::new(faults.seed, Source::OutageDrift, 0, 0).uniform(0);
    let away = outage.drift_m_per_s * (t - during.from_s);
    let place = fix.world_from_body.translation() + Vector3::new(angle.cos(), angle.sin(), 0.0) * away;
    let rotation = fix.world_from_body.rotation();
    fix.world_from_body = Transform::new(rotation, place);
    if let Some(covariance) = &mut fix.covariance {
        let to_body = rotation.to_rotation_matrix().into_inner().transpose();
        let level = Matrix3::from_diagonal(&Vector3::new(away * away, away * away, 0.0));
        let mut places = covariance.fixed_view_mut::<3, 3>(3, 3);
        places += to_body * level * to_body.transpose();
    }
}

/// A ping whose receiver was too loud: the counts grow, what exceeds their range is cut, and the scale
/// says how large a count is, as the device knows its gain. Nothing if no sample is a count.
fn loud(excess_db: f64, ping: &SonarPing) -> Option<SonarPing> {
    if excess_db == 0.0 {
        return None;
    }
    let gain = 10f64.powf(excess_db / 20.0) as f32;
    // `as` saturates, which is the fault.
    let louder = |count: &i16| (f32::from(*count) * gain).round() as i16;
    let mut ping = ping.clone();
    let waveforms = match &mut ping {
        SonarPing::Beams(beams) => &mut beams.waveforms,
        SonarPing::Elements(elements) => &mut elements.waveforms,
        _ => return None,
    };
    let values = match waveforms.values() {
        SampleValues::RealI16(counts) => SampleValues::RealI16(counts.iter().map(louder).collect()),
        SampleValues::IqI16(counts) => {
            SampleValues::IqI16(counts.iter().map(|[i, q]| [louder(i), louder(q)]).collect())
        }
        _ => return None,
    };
    let shaped = Waveforms::new(
        waveforms.shape(),
        values,
        waveforms.scale() / gain,
        waveforms.sample_rate_hz(),
        waveforms.centre_hz(),
        waveforms.first_sample_s(),
    );
    let mut shaped = shaped.expect("only the counts and the scale are others, and a gain is finite");
    if let Some(receiver) = waveforms.receiver() {
        shaped = shaped
            .with_receiver(receiver.clone())
            .expect("the receiver fitted the same rates before");
    }
    *waveforms = shaped;
    Some(ping)
}

/// The speed of sound that a ping states.
fn sound_speed(ping: &mut SonarPing) -> Option<&mut f64> {
    match ping {
        SonarPing::Elements(ping) => ping.sound_speed_m_per_s.as_mut(),
        SonarPing::Beams(ping) => ping.sound_speed_m_per_s.as_mut(),
        SonarPing::Profile(ping) => ping.sound_speed_m_per_s.as_mut(),
        SonarPing::Detections(ping) => ping.sound_speed_m_per_s.as_mut(),
        SonarPing::Image(ping) => ping.sound_speed_m_per_s.as_mut(),
    }
}
