//! Reverberation of the water itself: what floats in it, and bubbles under the surface.

use std::f64::consts::FRAC_1_SQRT_2;

use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::paths::{self, Arrival, Paths, VOLUME};
use crate::random::{Dice, Source};

/// Cells are this part of a beam's width across track.
const PER_BEAM: f64 = 0.5;
/// And this part of the range resolution long.
const PER_RESOLUTION: f64 = 1.0;
/// What is this much below the noise, compressed, is not followed; power.
const BELOW_NOISE: f64 = 0.1;

/// Adds what the water scatters back. In a cell of range and angle float so many scatterers that their
/// coherent sum is normal, so it is drawn as one complex number, anew at every ping, with the power of all
/// of them in the transmit beam there. It stands in the middle of its cell: at steps of c/2B the squares of
/// the pulse's answer add up to the same everywhere, and a sample's envelope is Rayleigh's whatever the
/// number of scatterers was. Scattering strength is per volume: R. Urick, "Principles of Underwater
/// Sound", McGraw-Hill 1983, section 8.2.
pub(super) fn collect(paths: &mut Paths<'_>) {
    let sonar = paths.sonar;
    let floating = sonar.water.volume_scattering_db;
    let even = floating.map_or(0.0, |db| 10f64.powf(0.1 * db));
    let bubbles = sonar.loss.bubbles();
    let Some([first, last]) = sonar.span_rad() else {
        return;
    };
    if even == 0.0 && bubbles.is_none() {
        return;
    }
    let step_rad = PER_BEAM * sonar.step_rad();
    let step_m = PER_RESOLUTION * sonar.resolution_m();
    let along_rad = along_track_rad(paths);
    let samples = sonar.pulse.duration_s * sonar.sample_rate_hz;
    let floor = 2.0 * BELOW_NOISE / samples * f64::from(sonar.receiver.noise).powi(2);
    let current = paths.posture.sensor_from_quay * Vector3::from(sonar.water.current_m_per_s);
    let directions = ((last - first) / step_rad).ceil().max(1.0) as u64;
    for direction in 0..directions {
        let dice = Dice::new(paths.seed, Source::Floating, paths.posture.ping, direction);
        let middle_rad = first + (direction as f64 + 0.5) * step_rad;
        let (sin, cos) = middle_rad.sin_cos();
        let reach_m = free_m(paths, middle_rad);
        // Nearer, the receiver is closed.
        let nearest = (sonar.blanking_m.max(step_m) / step_m).ceil() as u64;
        for shell in nearest..(reach_m / step_m) as u64 {
            let range = (shell as f64 + 0.5) * step_m;
            // Along track it stands where the beam is strong; the beam's width is in the volume.
            let point = Vector3::new(0.0, -sin, -cos) * range;
            let depth = -paths.posture.height_of(&point);
            let strength = even + bubbles.map_or(0.0, |bubbles| bubbles.scattering_per_m(depth));
            let power = strength * range * range * along_rad * step_rad * step_m;
            if depth <= 0.0 || power / range.powi(4) < floor {
                continue;
            }
            let [re, im] = dice.normal_pair(shell).map(|part| part * FRAC_1_SQRT_2 as f32);
            let lit = f64::from(sonar.transmit(&(point / range)));
            let strength = power.sqrt() * lit;
            let arrival = floating_arrival(paths, &point, strength, Complex::new(re, im), &current);
            paths.arrivals.push(arrival);
        }
    }
}

fn floating_arrival(
    paths: &Paths<'_>,
    point: &Vector3<f64>,
    strength: f64,
    speckle: Complex<f32>,
    current: &Vector3<f64>,
) -> Arrival {
    let sonar = paths.sonar;
    let round = paths.posture.straight(sonar, point);
    let closing = paths.posture.velocity - current;
    Arrival {
        surface: VOLUME,
        point: paths.posture.in_quay(point).map(|part| part as f32),
        ..paths::arrival(sonar, &round, strength, speckle, &closing)
    }
}

/// How far the water is free in a direction across track, in metres.
fn free_m(paths: &Paths<'_>, across_rad: f64) -> f64 {
    let farthest = paths.sonar.farthest_m;
    let direction = Vector3::new(0.0, -across_rad.sin(), -across_rad.cos());
    let in_quay = paths.posture.sensor_from_quay.transpose() * direction;
    let hit = paths.scene.cast(&paths.posture.origin, &in_quay, 0.0, farthest);
    let up = if in_quay.z > 0.0 {
        paths.posture.depth() / in_quay.z
    } else {
        f64::INFINITY
    };
    hit.map_or(farthest, |(_, hit)| hit.distance).min(up).max(0.0)
}

/// Effective width of the transmit beam along track: the integral of its power, in radians.
fn along_track_rad(paths: &Paths<'_>) -> f64 {
    const STEPS: u32 = 200;
    let reach = paths.sonar.transmit.reach;
    let step = 2.0 * reach / f64::from(STEPS);
    (0..STEPS)
        .map(|i| {
            let sine = -reach + (f64::from(i) + 0.5) * step;
            f64::from(paths.sonar.transmit.at(sine)).powi(2) * step
        })
        .sum()
}
