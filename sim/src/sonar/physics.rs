//! The physics of a ping, each law by itself: one scatterer, or many, without the rest of the world.

use std::f64::consts::FRAC_1_SQRT_2;

use nalgebra::{Matrix3, Vector3};
use rustfft::num_complex::Complex;

use super::paths::{self, Arrival, Posture};
use super::{Echo, Sonar, across_rad, waveform};
use crate::random::{Dice, Source};
use crate::scenario::Scenario;

fn sonar() -> Sonar {
    let mut scenario = Scenario::demo();
    scenario.sonar.range_m = 24.0;
    scenario.sonar.rate_hz = 10.0;
    Sonar::new(&scenario)
}

fn at_rest() -> Posture {
    Posture {
        sensor_from_quay: Matrix3::identity(),
        origin: Vector3::new(0.0, 0.0, -1.0),
        rate: Vector3::zeros(),
        velocity: Vector3::zeros(),
        water_z: 0.0,
        ping: 0,
    }
}

/// The echo of a scatterer of strength 1 at a place in `Sensor` axes.
fn echo_of(sonar: &Sonar, posture: &Posture, place: Vector3<f64>) -> Echo {
    sonar.echo(&arrival_of(sonar, posture, place)).unwrap()
}

fn arrival_of(sonar: &Sonar, posture: &Posture, place: Vector3<f64>) -> Arrival {
    let round = posture.straight(sonar, &place);
    let lit = f64::from(sonar.transmit.at(round.leaving.x));
    paths::arrival(sonar, &round, lit, Complex::new(1.0, 0.0), &posture.velocity)
}

/// What a beam at an angle across track receives, without noise.
fn received(sonar: &Sonar, echoes: &[Echo], axis_rad: f64) -> Vec<Complex<f64>> {
    let mut scratch = sonar.synthesis.scratch();
    let mut sorted = echoes.to_vec();
    sorted.sort_by(|a, b| a.across_rad.total_cmp(&b.across_rad));
    sonar.listen(&sorted, axis_rad, &mut scratch);
    let row = sonar.synthesis.finish(&mut scratch);
    row.iter()
        .map(|v| Complex::new(v.re.into(), v.im.into()))
        .collect()
}

/// A plain matched filter at one delay, in the time domain.
fn matched(sonar: &Sonar, row: &[Complex<f64>], delay_s: f64) -> Complex<f64> {
    let rate = sonar.sample_rate_hz;
    let half = 0.5 * sonar.pulse.duration_s;
    let first = ((delay_s - half) * rate).ceil().max(0.0) as usize;
    let last = (((delay_s + half) * rate).floor() as usize).min(row.len() - 1);
    (first..=last)
        .map(|i| row[i] * waveform::replica(&sonar.pulse, i as f64 / rate - delay_s).conj())
        .sum()
}

fn energy(row: &[Complex<f64>]) -> f64 {
    row.iter().map(Complex::norm_sqr).sum()
}

fn decibels(power: f64) -> f64 {
    10.0 * power.log10()
}

/// Where a matched filter's output is largest, to a thousandth of a sample.
fn peak_s(sonar: &Sonar, row: &[Complex<f64>], about_s: f64) -> f64 {
    let step = 1e-3 / sonar.sample_rate_hz;
    (-2_000..=2_000)
        .map(|i| about_s + f64::from(i) * step)
        .max_by(|a, b| {
            matched(sonar, row, *a)
                .norm()
                .total_cmp(&matched(sonar, row, *b).norm())
        })
        .unwrap()
}

#[test]
fn a_point_falls_by_40_decibels_per_decade_and_absorption() {
    let sonar = sonar();
    let level = |range: f64| {
        let echo = echo_of(&sonar, &at_rest(), Vector3::new(0.0, 0.0, -range));
        decibels(energy(&received(&sonar, &[echo], 0.0)))
    };
    let absorbed = |range: f64| 2.0 * range * sonar.loss.even_per_m * 20.0 / std::f64::consts::LN_10;
    let slope = (level(20.0) + absorbed(20.0)) - (level(2.0) + absorbed(2.0));
    assert!((slope + 40.0).abs() < 0.05, "{slope}");
    let per_km = absorbed(500.0);
    assert!(
        (40.0..70.0).contains(&per_km),
        "brackish water at 300 kHz: {per_km} dB/km"
    );
}

#[test]
fn the_delay_of_a_point_is_exact_to_a_hundredth_of_a_sample() {
    let sonar = sonar();
    for range in [3.0, 7.891, 15.4321] {
        let echo = echo_of(&sonar, &at_rest(), Vector3::new(0.0, -0.02, -range));
        let row = received(&sonar, &[echo], 0.0);
        let expected = 2.0 * range.hypot(0.02) / sonar.sound_speed_m_per_s;
        let error = (peak_s(&sonar, &row, expected) - expected) * sonar.sample_rate_hz;
        assert!(error.abs() < 0.01, "{range} m: {error} samples");
        let phase = matched(&sonar, &row, expected).arg();
        let carrier = -std::f64::consts::TAU * (sonar.pulse.centre_hz() * expected).fract();
        let difference = Complex::from_polar(1.0, phase - carrier).arg();
        assert!(difference.abs() < 0.01, "the carrier's phase: {difference}");
    }
}

/// -3 dB width in range of a compressed LFM pulse: 0.886 c/2B, a little more with tapered ends.
#[test]
fn a_compressed_pulse_is_as_wide_as_its_band_allows() {
    let sonar = sonar();
    let delay = 12e-3;
    let range = 0.5 * delay * sonar.sound_speed_m_per_s;
    let row = received(
        &sonar,
        &[echo_of(&sonar, &at_rest(), Vector3::new(0.0, 0.0, -range))],
        0.0,
    );
    let top = matched(&sonar, &row, delay).norm();
    let edge = |sign: f64| {
        let step = 1e-8;
        (0..)
            .find(|i| matched(&sonar, &row, delay + sign * f64::from(*i) * step).norm() < top * FRAC_1_SQRT_2)
            .map(|i| f64::from(i) * step)
            .unwrap()
    };
    let width_m = 0.5 * sonar.sound_speed_m_per_s * (edge(1.0) + edge(-1.0));
    let resolution_m = 0.5 * sonar.sound_speed_m_per_s / sonar.pulse.bandwidth_hz();
    let ratio = width_m / resolution_m;
    assert!((0.84..1.02).contains(&ratio), "{ratio} of c/2B");
}

#[test]
fn beams_are_as_wide_as_they_say_along_and_across() {
    let sonar = sonar();
    let half = 0.5f64.to_radians();
    let level = |along: f64, across: f64| {
        let direction = Vector3::new(
            along.sin(),
            -along.cos() * across.sin(),
            -along.cos() * across.cos(),
        );
        let echo = echo_of(&sonar, &at_rest(), direction * 9.0);
        decibels(energy(&received(&sonar, &[echo], 0.3)))
    };
    let on_axis = level(0.0, 0.3);
    for (name, down) in [
        ("forward", level(half, 0.3)),
        ("aft", level(-half, 0.3)),
        ("port", level(0.0, 0.3 - half)),
        ("starboard", level(0.0, 0.3 + half)),
    ] {
        assert!((on_axis - down - 3.01).abs() < 0.05, "{name}: {}", on_axis - down);
    }
    let side_lobe = (130..200)
        .map(|i| level(0.0, 0.3 + f64::from(i) * 0.01f64.to_radians()))
        .fold(f64::NEG_INFINITY, f64::max);
    assert!(
        (on_axis - side_lobe - 31.47).abs() < 0.3,
        "{}",
        on_axis - side_lobe
    );
}

/// Envelope of many scatterers in a cell: mean over standard deviation of a Rayleigh distribution
/// is sqrt(π / (4 - π)) = 1.913.
#[test]
fn speckle_is_rayleigh() {
    let sonar = sonar();
    let delay = 10e-3;
    let range = 0.5 * delay * sonar.sound_speed_m_per_s;
    let envelopes: Vec<f64> = (0..400)
        .map(|trial| {
            let echoes: Vec<Echo> = (0..12)
                .map(|i| {
                    let dice = Dice::new(3, Source::Scatterer, trial, i);
                    let [along, far] = dice.uniform_pair(0);
                    let place = Vector3::new(0.1 * (along - 0.5), 0.0, -range - 0.01 * far);
                    let mut echo = echo_of(&sonar, &at_rest(), place);
                    let [re, im] = dice.normal_pair(1);
                    echo.amplitude *= Complex::new(re, im);
                    echo
                })
                .collect();
            matched(&sonar, &received(&sonar, &echoes, 0.0), delay).norm()
        })
        .collect();
    let n = envelopes.len() as f64;
    let mean = envelopes.iter().sum::<f64>() / n;
    let deviation = (envelopes.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / n).sqrt();
    let ratio = mean / deviation;
    assert!((1.70..2.13).contains(&ratio), "{ratio}");
}

/// An LFM pulse turns a Doppler shift into a shift of delay by fd/K, towards earlier for a sonar
/// that approaches while the sweep goes up; and the way back is shorter than the way out.
#[test]
fn motion_shortens_the_way_back_and_couples_into_range() {
    let sonar = sonar();
    let speed = 1.0;
    let place = Vector3::new(0.0, 0.0, -9.0);
    let moving = Posture {
        velocity: Vector3::new(0.0, 0.0, -speed),
        ..at_rest()
    };
    let reception = moving.reception(&place, 9.0, sonar.sound_speed_m_per_s);
    let approached = speed * 18.0 / sonar.sound_speed_m_per_s;
    assert!((reception.range_m - (9.0 - approached)).abs() < 1e-5);
    let row = received(&sonar, &[echo_of(&sonar, &moving, place)], 0.0);
    let shift = peak_s(&sonar, &row, reception.delay_s) - reception.delay_s;
    let doppler_hz = 2.0 * speed / sonar.sound_speed_m_per_s * sonar.pulse.centre_hz();
    let expected = -doppler_hz * sonar.pulse.duration_s / sonar.pulse.bandwidth_hz();
    assert!(
        (shift / expected - 1.0).abs() < 0.05,
        "{shift} against {expected}"
    );
}

/// Turning while the sound travels moves an echo across the beams.
#[test]
fn an_echo_is_heard_where_the_sonar_looks_by_then() {
    let sonar = sonar();
    let rolling = Posture {
        rate: Vector3::new(0.05, 0.0, 0.0),
        ..at_rest()
    };
    let place = Vector3::new(0.0, 0.0, -10.0);
    let reception = rolling.reception(&place, 10.0, sonar.sound_speed_m_per_s);
    // The same by a full rotation of the axes.
    let turn = nalgebra::UnitQuaternion::from_scaled_axis(rolling.rate * reception.delay_s);
    let then = turn.inverse() * place;
    let expected = (-then.y).atan2(-then.z);
    assert!((across_rad(&reception.from) - expected).abs() < 1e-6 && expected.abs() > 5e-4);
}

/// Neighbouring scatterers have strengths of their own, and the same ones in every ping.
#[test]
fn every_scatterer_has_its_own_strength_and_keeps_it() {
    let world = crate::world::World::new(Scenario::sample()).unwrap();
    let sonar = sonar();
    let posture = Posture {
        origin: Vector3::new(2.0, -0.5, -1.0),
        ..at_rest()
    };
    let ping = |seed| super::facets::arrivals(&sonar, seed, world.scene(), &posture);
    let echoes = ping(1);
    assert!(echoes.len() > 10_000, "{}", echoes.len());
    let alike = echoes
        .windows(2)
        .filter(|pair| (pair[0].amplitude.norm() / pair[1].amplitude.norm()).ln().abs() < 0.05)
        .count();
    // The ratio of two Rayleigh amplitudes is within 5 % in one of forty pairs; a glint's parts are alike.
    let part = alike as f64 / echoes.len() as f64;
    assert!((0.01..0.08).contains(&part), "{part}");
    let strengths = |echoes: &[Arrival]| echoes.iter().map(|echo| echo.amplitude).collect::<Vec<_>>();
    assert_eq!(strengths(&echoes), strengths(&ping(1)));
    assert_ne!(strengths(&echoes), strengths(&ping(2)));
}
