//! A sonar on the move hears a sweep's echo early; the sounding lies where the target is all the same.

#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;
use std::sync::Arc;

use beluga_fusion::{Config, Fuser};
use beluga_types::elementary::{cos, sin};
use beluga_types::{
    Beam, Beams, Measurement, Payload, PoseFix, Pulse, PulseKind, Rig, SampleValues, SensorId, SensorKind,
    SensorSpec, Shading, SonarPing, Stamp, Transform, Vessel, Water, WaveformShape, Waveforms,
};
use nalgebra::{Matrix6, UnitQuaternion, Vector3};

const SPEED: f64 = 1500.0;
const RATE_HZ: f64 = 100e3;
const CENTRE_HZ: f64 = 200e3;
const RANGE_M: f64 = 9.0;

/// 50 kHz over 5 ms at 200 kHz: 2 cm of range for each m/s.
fn sweep(rises: bool) -> Pulse {
    let half = if rises { 25e3 } else { -25e3 };
    Pulse {
        kind: PulseKind::Lfm,
        start_hz: CENTRE_HZ - half,
        end_hz: CENTRE_HZ + half,
        duration_s: 5e-3,
        shading: Shading::Rectangular,
    }
}

/// What a beam to port hears of a target `RANGE_M` from where the transmit centre left, while the sonar
/// moves towards it: what is heard at `t` left at `s`, where `t - s = (R - v s)/c + (R - v t)/c`.
fn ping(pulse: &Pulse, towards_m_per_s: f64) -> SonarPing {
    let samples = 2400;
    let (v, c) = (towards_m_per_s, SPEED);
    let rate = (pulse.end_hz - pulse.start_hz) / pulse.duration_s;
    let heard = |n: usize| {
        let t = n as f64 / RATE_HZ;
        let s = (t * (1.0 + v / c) - 2.0 * RANGE_M / c) / (1.0 - v / c);
        if s.abs() > 0.5 * pulse.duration_s {
            // Not silence, of which no noise could be estimated.
            return [1e-4 * ((n * 7919) % 13) as f32, 0.0];
        }
        let phase = TAU * (CENTRE_HZ * s + 0.5 * rate * s * s - CENTRE_HZ * t);
        [cos(phase) as f32, sin(phase) as f32]
    };
    let shape = WaveformShape { channels: 1, samples };
    let values = SampleValues::IqF32((0..samples).map(heard).collect());
    let waveforms = Waveforms::new(shape, values, 1.0, RATE_HZ, CENTRE_HZ, 0.0).unwrap();
    let beam = Beam::at(-std::f64::consts::FRAC_PI_2, 0.0, [0.02, 2.0], [0.02; 2]);
    SonarPing::Beams(Beams::new(waveforms, Arc::from([beam]), *pulse, 0.0, None, 0.5).unwrap())
}

/// Where the vessel's frame puts the target, to port of where the ping was transmitted.
fn found_m(pulse: &Pulse, towards_m_per_s: f64) -> f64 {
    let rig = Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::SoundSpeed(SPEED),
        sensors: vec![
            SensorSpec::new("sonar", SensorKind::Sonar),
            SensorSpec::new("nav", SensorKind::Nav),
        ],
    };
    let mut fuser = Fuser::new(Config::default(), rig).unwrap();
    let mut frames = Vec::new();
    for millis in (0..=600_i64).step_by(10) {
        let stamp = Stamp::from_nanos(millis * 1_000_000);
        let mut push = |sensor: u16, end: Stamp, payload| {
            frames.extend(fuser.push(Measurement {
                seq: millis as u64,
                sensor: SensorId(sensor),
                stamp,
                end,
                received: end,
                payload,
            }));
        };
        let at = Vector3::y() * (towards_m_per_s * 1e-3 * (millis - 200) as f64);
        push(
            1,
            stamp,
            Payload::Pose(PoseFix {
                world_from_body: Transform::new(UnitQuaternion::identity(), at),
                covariance: Some(Matrix6::identity() * 1e-8),
            }),
        );
        if millis == 200 {
            let end = stamp.shifted_nanos(1_000_000);
            push(0, end, Payload::Sonar(Arc::new(ping(pulse, towards_m_per_s))));
        }
    }
    frames.extend(fuser.finish());
    let mut found = Vec::new();
    for frame in &frames {
        let world_from_body = frame.world_from_body;
        found.extend((0..frame.points.len()).map(|i| (world_from_body * frame.points.position(i)).y()));
    }
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]
}

#[test]
fn a_closing_vessel_does_not_shift_its_soundings() {
    for rises in [true, false] {
        let still = found_m(&sweep(rises), 0.0);
        assert!((still - RANGE_M).abs() < 1e-3, "{still}");
        for towards_m_per_s in [-3.0, 0.5, 3.0] {
            let found = found_m(&sweep(rises), towards_m_per_s);
            println!(
                "rising {rises}, {towards_m_per_s} m/s: {:+.2} mm",
                1e3 * (found - RANGE_M)
            );
            // Not undone it would be 20 mm for each m/s, 60 mm at 3 m/s.
            assert!((found - still).abs() < 1.5e-3, "{towards_m_per_s} m/s: {found}");
        }
    }
}
