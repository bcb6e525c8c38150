//! How well single targets are timed, against the best that any estimator can do.

use std::f64::consts::{PI, TAU};

use beluga_types::elementary::{Squared, powf};
use beluga_types::{Pulse, PulseKind, SensorId, Shading, SonarPing, Stamp};
use rustfft::num_complex::Complex;

use super::super::chain::SonarChain;
use super::super::config::{ReplicaWindow, SonarConfig};
use super::super::fft::Transforms;
use super::super::polar::from_polar;
use super::super::pulse::{MatchedFilter, Sampling, Scratch};
use super::super::synthetic::{Noise, echo_at, lone_beam};

const SPEED: f64 = 1500.0;
const CENTRE_HZ: f64 = 400e3;
const BAND_HZ: f64 = 50e3;

fn pulse() -> Pulse {
    Pulse {
        kind: PulseKind::Lfm,
        start_hz: CENTRE_HZ - 0.5 * BAND_HZ,
        end_hz: CENTRE_HZ + 0.5 * BAND_HZ,
        duration_s: 2e-3,
        shading: Shading::Rectangular,
    }
}

fn ping(rate_hz: f64, targets: &[(f64, Complex<f64>)], noise: &mut Noise) -> SonarPing {
    lone_beam(&pulse(), rate_hz, targets, noise)
}

/// The bound on one sigma of a two-way time whose phase is unknown: `1 / sqrt(2 E/N0 β²)` with the mean
/// square β² of the spectrum about its middle, `(2π)² B² / 12` for a sweep; Cramér and Rao, in H. L. Van
/// Trees, "Detection, Estimation, and Modulation Theory", part III, Wiley 1971.
fn bound_s(energy_over_noise: f64) -> f64 {
    (12.0 / (2.0 * energy_over_noise)).sqrt() / (TAU * BAND_HZ)
}

/// Timing errors of targets at this E/N0: root mean square and the mean of what is stated, in seconds.
fn errors_s(window: ReplicaWindow, rate_hz: f64, energy_over_noise: f64) -> [f64; 2] {
    let mut noise = Noise::new(17);
    let config = SonarConfig {
        window,
        min_snr_db: 10.0,
        ..SonarConfig::default()
    };
    let mut chain = SonarChain::new(&config, SensorId(0));
    let amplitude = (energy_over_noise / (pulse().duration_s * rate_hz)).sqrt();
    let (mut square, mut stated, runs) = (0.0, 0.0, 150);
    for seq in 0..runs {
        let delay_s = 8e-3 + noise.uniform() / rate_hz;
        let turned = from_polar(amplitude, TAU * noise.uniform());
        let ping = ping(rate_hz, &[(delay_s, turned)], &mut noise);
        let found = chain.detect(&ping, seq, Stamp::default(), SPEED).echoes;
        assert_eq!(found.len(), 1, "{window:?}, {rate_hz} Hz");
        square += (found[0].two_way_time_s - delay_s).squared();
        stated += found[0].sigma_time_s;
    }
    [(square / runs as f64).sqrt(), stated / runs as f64]
}

#[test]
fn a_single_target_is_timed_as_well_as_can_be() {
    println!("window    kHz  E/N0 dB  error mm  stated mm  bound mm  over bound");
    for (window, most) in [
        (ReplicaWindow::Matched, 1.2),
        (ReplicaWindow::Hann, 1.8),
        (ReplicaWindow::Taylor, 1.8),
    ] {
        // Sampled at 1.2 and at 2.6 times the band; strong echoes tell the grid of the first.
        for (rate_hz, level_db) in [(60e3, 20.5), (60e3, 32.0), (130e3, 20.5), (130e3, 44.0)] {
            let energy = powf(10.0, 0.1 * level_db);
            let [error, stated] = errors_s(window, rate_hz, energy);
            let [error_mm, stated_mm, bound_mm] =
                [error, stated, bound_s(energy)].map(|time_s| 500.0 * SPEED * time_s);
            println!(
                "{:<9} {:3.0} {level_db:8.1} {error_mm:9.3} {stated_mm:10.3} {bound_mm:9.3} {:11.2}",
                format!("{window:?}"),
                1e-3 * rate_hz,
                error_mm / bound_mm,
            );
            assert!(
                error_mm < most * bound_mm,
                "{window:?} at {rate_hz} Hz and {level_db} dB"
            );
            assert!(error_mm < 1.1 * stated_mm, "{window:?} states less than it errs");
        }
    }
}

/// Compressed power halfway between two equal echoes c/2B apart and at the lower of both, by their phase.
fn dip(turn_rad: f64) -> f64 {
    let rate_hz = 400e3;
    let sampling = Sampling {
        rate_hz,
        centre_hz: CENTRE_HZ,
        iq: true,
        samples: 3200,
    };
    let filter = MatchedFilter::new(&pulse(), sampling, ReplicaWindow::Matched, Transforms::Fastest).unwrap();
    let echoes = |n: u32| {
        let t = f64::from(n) / rate_hz;
        let one = echo_at(&pulse(), true, CENTRE_HZ, t, 4e-3);
        let other = echo_at(&pulse(), true, CENTRE_HZ, t, 4e-3 + 1.0 / BAND_HZ);
        let sum = one + other * from_polar(1.0, turn_rad);
        [sum.re as f32, sum.im as f32]
    };
    let samples: Vec<_> = (0..3200).map(echoes).collect();
    let mut power = vec![0.0; filter.output_samples()];
    filter.power(&samples, &mut Scratch::default(), &mut power);
    let at = |time_s: f64| {
        let place = (time_s * filter.output_rate_hz()).round() as usize;
        f64::from(power[place])
    };
    // Eight samples lie between both.
    at(4e-3 + 0.5 / BAND_HZ) / at(4e-3).min(at(4e-3 + 1.0 / BAND_HZ))
}

#[test]
fn two_echoes_a_resolution_apart_are_told_apart() {
    // Each lies in the other's null. Halfway both have sinc²(1/2) = 0.405: in quadrature 0.81, and 0 or
    // 1.62 where they cancel or add up.
    for (turn_rad, expected) in [(0.5 * PI, 0.81), (1.5 * PI, 0.81), (PI, 0.0), (0.0, 1.62)] {
        let found = dip(turn_rad);
        println!("{turn_rad:.2} rad: {found:.3}, expected {expected}");
        assert!((found - expected).abs() < 0.04, "{turn_rad} rad: {found}");
    }
}

/// An echo longer than the pulse is taken for a footprint until what lies between two is noise.
#[test]
fn two_targets_six_resolutions_apart_are_two_echoes() {
    for window in [ReplicaWindow::Matched, ReplicaWindow::Hann] {
        let mut noise = Noise::new(17);
        let config = SonarConfig {
            window,
            ..SonarConfig::default()
        };
        let mut chain = SonarChain::new(&config, SensorId(0));
        for seq in 0..40 {
            let delay_s = 8e-3 + noise.uniform() / 130e3;
            let [one, other] = [0, 1].map(|_| from_polar(3.0, TAU * noise.uniform()));
            let behind_s = delay_s + 6.0 / BAND_HZ;
            let ping = ping(130e3, &[(delay_s, one), (behind_s, other)], &mut noise);
            let found = chain.detect(&ping, seq, Stamp::default(), SPEED).echoes;
            assert_eq!(found.len(), 2, "{window:?}");
            for (echo, truth_s) in found.iter().zip([delay_s, behind_s]) {
                assert!((echo.two_way_time_s - truth_s).abs() < 3.0 * echo.sigma_time_s);
            }
        }
    }
}
