//! Bearings from halves of arrays, against where targets stand.

use beluga_types::elementary::{Squared, asin, hypot};
use beluga_types::{Pulse, PulseKind, SensorId, Shading, SonarPing, Stamp};
use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::super::chain::SonarChain;
use super::super::config::{ReplicaWindow, SonarConfig};
use super::super::echo::{DetectionMethod, Echo};
use super::super::synthetic::{Hydrophones, Noise, Scatterer};

const SPEED: f64 = 1500.0;
const HALF_WAVE_M: f64 = 0.0075;

fn array(along: i32, across: i32) -> Hydrophones {
    let from_middle = |i: i32, count: i32| (f64::from(i) - 0.5 * f64::from(count - 1)) * HALF_WAVE_M;
    let row =
        |i: i32| (0..across).map(move |k| Vector3::new(from_middle(i, along), from_middle(k, across), 0.0));
    Hydrophones {
        pulse: Pulse {
            kind: PulseKind::Lfm,
            start_hz: 90e3,
            end_hz: 110e3,
            duration_s: 1e-3,
            shading: Shading::Rectangular,
        },
        rate_hz: 50e3,
        centre_hz: 100e3,
        samples: 900,
        sound_speed_m_per_s: SPEED,
        places: (0..along).flat_map(row).collect(),
        noise: 0.3,
    }
}

fn strongest(hydrophones: &Hydrophones, scatterers: &[Scatterer], noise: &mut Noise) -> Option<Echo> {
    let config = SonarConfig {
        array_window: ReplicaWindow::Hamming,
        // Beams of a dozen elements are no arcs here.
        arc_beyond_deg: 30.0,
        ..SonarConfig::default()
    };
    let mut chain = SonarChain::new(&config, SensorId(0));
    let ping = SonarPing::Elements(hydrophones.ping(scatterers, noise));
    let found = chain.detect(&ping, 0, Stamp::default(), SPEED).echoes;
    found.into_iter().max_by(|a, b| a.level_db.total_cmp(&b.level_db))
}

/// Errors of bearings along and across over what is stated, and what is stated in degrees.
fn errors(along: i32, across: i32, axes: &[usize]) -> Vec<[f64; 2]> {
    let hydrophones = array(along, across);
    let mut noise = Noise::new(4);
    let mut errors = Vec::new();
    for _ in 0..16 {
        let sines = [0.5 * (noise.uniform() - 0.5), 1.2 * (noise.uniform() - 0.5)];
        let sines = [if axes.contains(&0) { sines[0] } else { 0.0 }, sines[1]];
        let down = (1.0 - sines[0] * sines[0] - sines[1] * sines[1]).sqrt();
        let target = Scatterer {
            place: Vector3::new(sines[0], sines[1], -down) * 8.0,
            amplitude: Complex::new(1.0, 0.0),
        };
        let echo = strongest(&hydrophones, &[target], &mut noise).unwrap();
        let direction = echo.direction.vector();
        for &axis in axes {
            let sigma = [echo.sigma_along_rad, echo.sigma_across_rad][axis];
            let error = asin(direction[axis]) - asin(sines[axis]);
            errors.push([error / sigma, sigma.to_degrees()]);
        }
        assert!((0.5 * SPEED * echo.two_way_time_s - 8.0).abs() < 0.01);
    }
    errors
}

#[test]
fn bearings_from_halves_are_as_good_as_stated() {
    for (along, across, axes) in [(1, 16, &[1][..]), (6, 12, &[0, 1][..])] {
        let errors = errors(along, across, axes);
        let count = errors.len() as f64;
        let rms = (errors.iter().map(|[error, _]| error * error).sum::<f64>() / count).sqrt();
        let sigma_deg = errors.iter().map(|[_, sigma]| sigma).sum::<f64>() / count;
        println!("{along} x {across}: sigma {sigma_deg:.2}°, errors {rms:.2} of that");
        // Beams are 8° wide and more, half a beam apart.
        assert!(sigma_deg < 0.5, "{sigma_deg}°");
        assert!(
            (0.3..1.5).contains(&rms),
            "{along} x {across}: {rms:.2} of what is stated"
        );
    }
}

/// A bed far to port: its footprint in a beam is metres long, and the phase passes zero where the beam's
/// axis meets it.
#[test]
fn a_long_footprint_is_timed_where_the_beam_s_axis_meets_it() {
    let hydrophones = Hydrophones {
        noise: 0.02,
        ..array(3, 16)
    };
    let (depth, mut noise) = (4.0, Noise::new(9));
    let config = SonarConfig {
        array_window: ReplicaWindow::Hamming,
        arc_beyond_deg: 60.0,
        ..SonarConfig::default()
    };
    let mut chain = SonarChain::new(&config, SensorId(0));
    let mut errors = Vec::new();
    for seq in 0..8 {
        let patch = |noise: &mut Noise| {
            let y = 3.0 + 9.0 * noise.uniform();
            let place = Vector3::new(0.8 * (noise.uniform() - 0.5), y, -depth);
            Scatterer {
                place,
                amplitude: noise.complex() * (depth / place.norm_squared()),
            }
        };
        let bed: Vec<Scatterer> = (0..900).map(|_| patch(&mut noise)).collect();
        let ping = SonarPing::Elements(hydrophones.ping(&bed, &mut noise));
        for echo in chain.detect(&ping, seq, Stamp::default(), SPEED).echoes {
            let at = echo.direction.vector() * (0.5 * SPEED * echo.two_way_time_s);
            let is_inside = (4.0..8.0).contains(&at.y) && echo.method == DetectionMethod::Phase;
            // Beams of three elements along track hear alike: those about the middle stand for all.
            if is_inside && at.x.abs() < 0.02 {
                let down = -echo.direction.vector().z;
                let by_time = 0.5 * SPEED * echo.sigma_time_s * down;
                let by_turn = at.y * echo.sigma_across_rad;
                errors.push([at.z + depth, hypot(by_time, by_turn)]);
            }
        }
    }
    for [error, stated] in &errors {
        println!("{error:+.3} m, stated {stated:.3} m");
    }
    let count = errors.len() as f64;
    let rms_m = (errors.iter().map(|[error, _]| error * error).sum::<f64>() / count).sqrt();
    let over = errors
        .iter()
        .map(|[error, stated]| (error / stated).squared())
        .sum::<f64>()
        / count;
    println!(
        "{count} soundings, {rms_m:.3} m, {:.2} of what is stated",
        over.sqrt()
    );
}
