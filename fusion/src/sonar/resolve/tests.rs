//! Pairs of targets through the whole chain, and what is no pair.

use std::f64::consts::TAU;

use beluga_types::elementary::powf;
use beluga_types::{Beam, Pulse, PulseKind, SensorId, Shading, SonarPing, Stamp};
use nalgebra::Vector3;

use super::super::chain::SonarChain;
use super::super::config::{ReplicaWindow, SonarConfig};
use super::super::echo::Echo;
use super::super::polar::from_polar;
use super::super::synthetic::{Noise, Scatterer, Scene, lone_beam};

const SPEED: f64 = 1500.0;
const BAND_HZ: f64 = 50e3;
const WINDOWS: [ReplicaWindow; 3] = [ReplicaWindow::Matched, ReplicaWindow::Hann, ReplicaWindow::Taylor];

fn pulse() -> Pulse {
    Pulse {
        kind: PulseKind::Lfm,
        start_hz: 375e3,
        end_hz: 425e3,
        duration_s: 2e-3,
        shading: Shading::Rectangular,
    }
}

fn chain(window: ReplicaWindow) -> SonarChain {
    let config = SonarConfig {
        window,
        ..SonarConfig::default()
    };
    SonarChain::new(&config, SensorId(0))
}

fn heard(chain: &mut SonarChain, ping: &SonarPing, seq: u64) -> Vec<Echo> {
    chain.detect(ping, seq, Stamp::default(), SPEED).echoes
}

/// Of pairs so many cells of c/2B apart, with any phase between both: the share that comes out as two echoes
/// whose times hold within three of their sigmas.
fn resolved(window: ReplicaWindow, rate_hz: f64, cells: f64, levels_db: [f64; 2]) -> f64 {
    let (mut chain, mut noise, runs) = (chain(window), Noise::new(5), 60);
    let mut count = 0;
    for seq in 0..runs {
        let first_s = 8e-3 + noise.uniform() / rate_hz;
        let places_s = [first_s, first_s + cells / BAND_HZ];
        let samples = pulse().duration_s * rate_hz;
        let targets = [0, 1].map(|which| {
            let amplitude = (powf(10.0, 0.1 * levels_db[which]) / samples).sqrt();
            (places_s[which], from_polar(amplitude, TAU * noise.uniform()))
        });
        let found = heard(
            &mut chain,
            &lone_beam(&pulse(), rate_hz, &targets, &mut noise),
            seq,
        );
        let is_right =
            |(echo, place_s): (&Echo, &f64)| (echo.two_way_time_s - place_s).abs() < 3.0 * echo.sigma_time_s;
        count += u32::from(found.len() == 2 && found.iter().zip(&places_s).all(is_right));
    }
    f64::from(count) / runs as f64
}

#[test]
fn two_targets_c_over_2b_apart_are_two_echoes() {
    println!("window    kHz  cells  E/N0 dB  both found");
    for window in WINDOWS {
        for (rate_hz, cells, levels_db, least) in [
            (60e3, 1.0, [26.0, 26.0], 0.95),
            (130e3, 1.0, [26.0, 26.0], 0.95),
            (130e3, 1.0, [40.0, 40.0], 0.95),
            (130e3, 1.0, [34.0, 28.0], 0.95),
            (130e3, 2.0, [26.0, 26.0], 0.95),
            (130e3, 3.5, [26.0, 26.0], 0.95),
            (130e3, 5.0, [26.0, 26.0], 0.95),
            (130e3, 8.0, [26.0, 26.0], 0.95),
        ] {
            let share = resolved(window, rate_hz, cells, levels_db);
            println!(
                "{:<9} {:3.0} {cells:6.1} {levels_db:?} {:10.0} %",
                format!("{window:?}"),
                1e-3 * rate_hz,
                100.0 * share
            );
            assert!(
                share >= least,
                "{window:?}, {rate_hz} Hz, {cells} cells, {levels_db:?}: {share}"
            );
        }
    }
}

#[test]
fn a_single_target_stays_one() {
    for window in WINDOWS {
        let (mut chain, mut noise) = (chain(window), Noise::new(6));
        for seq in 0..200 {
            let rate_hz = if seq < 100 { 60e3 } else { 130e3 };
            let delay_s = 8e-3 + noise.uniform() / rate_hz;
            let amplitude = from_polar(0.5 + 30.0 * noise.uniform(), TAU * noise.uniform());
            let ping = lone_beam(&pulse(), rate_hz, &[(delay_s, amplitude)], &mut noise);
            let found = heard(&mut chain, &ping, seq);
            assert_eq!(found.len(), 1, "{window:?}, ping {seq}");
        }
    }
}

/// A bed under eleven beams, and a pair in the water above it in the middle one.
#[test]
fn what_neighbours_see_too_is_no_pair_and_what_stands_alone_is() {
    let beams: Vec<Beam> = (0..11)
        .map(|i| Beam::at(f64::from(i - 5) * 0.0175, 0.0, [0.0175, 2.0], [0.3, 0.0175]))
        .collect();
    let scene = Scene {
        noise: 2e-4,
        ..Scene::of(beams, BAND_HZ)
    };
    let (mut chain, mut noise) = (chain(ReplicaWindow::Hann), Noise::new(8));
    let cell_m = scene.sound_speed_m_per_s / (2.0 * BAND_HZ);
    for seq in 0..6 {
        let mut scatterers: Vec<Scatterer> = (0..1500)
            .map(|_| Scatterer {
                place: Vector3::new(
                    0.4 * (noise.uniform() - 0.5),
                    4.0 * (noise.uniform() - 0.5),
                    -10.0 + 0.02 * noise.uniform(),
                ),
                amplitude: noise.complex() * 0.2,
            })
            .collect();
        for range_m in [6.0, 6.0 + cell_m] {
            scatterers.push(Scatterer {
                place: Vector3::new(0.0, 0.0, -range_m),
                amplitude: from_polar(2.0, TAU * noise.uniform()),
            });
        }
        let ping = SonarPing::Beams(scene.ping(&scatterers, &mut noise));
        let found = chain
            .detect(&ping, seq, Stamp::default(), scene.sound_speed_m_per_s)
            .echoes;
        let range_m = |echo: &Echo| 0.5 * scene.sound_speed_m_per_s * echo.two_way_time_s;
        let pair: Vec<f64> = found
            .iter()
            .map(range_m)
            .filter(|&range_m| range_m < 8.0)
            .collect();
        assert_eq!(pair.len(), 2, "{pair:?}");
        assert!((pair[0] - 6.0).abs() < 0.3 * cell_m && (pair[1] - pair[0] - cell_m).abs() < 0.4 * cell_m);
        for beam in 0..11 {
            let of_bed = found
                .iter()
                .filter(|echo| echo.beam == beam && range_m(echo) > 8.0);
            assert!(of_bed.count() <= 1, "beam {beam} parted the bed");
        }
    }
}
