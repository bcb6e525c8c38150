//! The bench that devices are tested on: single arrivals from known places, and what comes of them.

use beluga_types::{SonarPing, Waveforms};
use nalgebra::{Matrix3, Vector3};
use rustfft::num_complex::Complex;

use super::Sonar;
use super::paths::{self, Arrival, NO_MIRROR, Posture, VOLUME};
use crate::scenario::Scenario;

/// A device without noise, unless the keys say otherwise.
pub(super) fn sonar(keys: &str) -> Sonar {
    let quiet = if keys.contains("noise_db") {
        ""
    } else {
        "noise_db = -200\n"
    };
    let scenario = Scenario::from_toml(&format!("[sonar]\n{quiet}{keys}\n")).unwrap();
    Sonar::new(&scenario)
}

pub(super) fn at_rest() -> Posture {
    Posture {
        sensor_from_quay: Matrix3::identity(),
        origin: Vector3::new(0.0, 0.0, -1.0),
        rate: Vector3::zeros(),
        velocity: Vector3::zeros(),
        water_z: 0.0,
        ping: 0,
    }
}

/// The direction at angles across track (positive to starboard) and along it.
pub(super) fn towards(across_deg: f64, along_deg: f64) -> Vector3<f64> {
    let (across, along) = (across_deg.to_radians(), along_deg.to_radians());
    Vector3::new(
        along.sin(),
        -along.cos() * across.sin(),
        -along.cos() * across.cos(),
    )
}

/// The echo of a point of strength `strength` at a place in `Sensor` axes, in the sonar's transmit beam.
pub(super) fn point(sonar: &Sonar, place: Vector3<f64>, strength: f64) -> Arrival {
    let posture = at_rest();
    let round = posture.straight(sonar, &place);
    let lit = f64::from(sonar.transmit(&round.leaving)) * strength;
    let one = Complex::new(1.0, 0.0);
    paths::arrival(sonar, &round, lit, one, &posture.velocity)
}

/// A wave front of this radius and amplitude from a direction, after a delay.
pub(super) fn wave(from: Vector3<f64>, radius_m: f64, delay_s: f64, amplitude: f32) -> Arrival {
    Arrival {
        delay_s,
        doppler: 0.0,
        from,
        radius_m,
        amplitude: Complex::new(amplitude, 0.0),
        surface: VOLUME,
        order: 0,
        mirrors: [NO_MIRROR; 2],
        point: Vector3::zeros(),
    }
}

/// The waveforms of a ping that has them.
pub(super) fn waveforms(ping: &SonarPing) -> &Waveforms {
    match ping {
        SonarPing::Beams(beams) => &beams.waveforms,
        SonarPing::Elements(elements) => &elements.waveforms,
        _ => panic!("a ping with waveforms"),
    }
}

/// The samples of one channel, in the device's unit.
pub(super) fn channel(ping: &SonarPing, channel: usize) -> Vec<Complex<f64>> {
    let mut row = Vec::new();
    waveforms(ping).read_channel(channel, &mut row);
    row.iter()
        .map(|[re, im]| Complex::new(f64::from(*re), f64::from(*im)))
        .collect()
}

pub(super) fn power(row: &[Complex<f64>]) -> f64 {
    row.iter().map(Complex::norm_sqr).sum()
}

pub(super) fn decibels(power: f64) -> f64 {
    10.0 * power.max(1e-300).log10()
}

/// Full width where a lobe about zero falls to half its power, and its highest side lobe in dB, from
/// amplitudes at both sides of it in steps of `step`.
pub(super) fn lobe(amplitude: impl Fn(f64) -> f64, step: f64, steps: i32) -> [f64; 2] {
    let top = amplitude(0.0);
    let edge = |sign: f64| {
        let inside = (1..steps)
            .find(|i| amplitude(sign * f64::from(*i) * step) < top * std::f64::consts::FRAC_1_SQRT_2)
            .unwrap();
        let [before, after] = [inside - 1, inside].map(|i| amplitude(sign * f64::from(i) * step) / top);
        let part = (before - std::f64::consts::FRAC_1_SQRT_2) / (before - after);
        (f64::from(inside - 1) + part) * step
    };
    let row: Vec<f64> = (0..steps).map(|i| amplitude(f64::from(i) * step) / top).collect();
    let foot = (1..row.len() - 1)
        .find(|&i| row[i] < 0.5 && row[i] <= row[i + 1])
        .unwrap();
    let highest = row[foot..].iter().copied().fold(0.0, f64::max);
    [edge(1.0) + edge(-1.0), 20.0 * highest.log10()]
}
