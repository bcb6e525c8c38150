//! Other models of the same echoes, so that the simulator is not its own judge.

use super::*;
use crate::sonar::waveform;

/// A second model of scatterers: a steel rod as Kirchhoff's integral over its lit mantle, element by
/// element, against the row of wavelets the simulator makes of it, and both against Urick's closed form.
#[test]
fn a_rods_echo_is_kirchhoffs() {
    let (radius, length) = (0.0175, 0.4);
    let sonar = sonar(|scenario| scenario.sonar.beam_width_deg = 10.0);
    let rod = Surface {
        kind: Kind::Rung,
        shape: Shape::Cylinder {
            base: Vector3::new(-0.5 * length, 0.0, -1.0 - 60.0),
            axis: Vector3::x(),
            length,
            radius,
        },
    };
    // Far away, so that its echo is that of the far field; its roughness and scattering are set aside.
    let posture = at(Vector3::new(0.0, 0.0, -1.0));
    let mut far = sonar.clone();
    far.farthest_m = 1e3;
    let wavelength = far.sound_speed_m_per_s / far.pulse.centre_hz();
    let range = 60.0 - radius;
    let glint: Complex<f64> = facets::arrivals(&far, 1, &scene(vec![rod]), &posture)
        .iter()
        .filter(|arrival| is_wavelet(&far, arrival))
        .map(|arrival| Complex::new(f64::from(arrival.amplitude.re), f64::from(arrival.amplitude.im)))
        .sum();
    let roughness = (-(2.0 * TAU / wavelength * 0.6e-3).powi(2)).exp();
    let loss = (-4.0 * far.loss.even_per_m * range).exp() / range.powi(4);
    let simulated = decibels(glint.norm_sqr() / roughness / loss);
    let (k, steps) = (TAU / wavelength, [400, 800]);
    let mut sum = Complex::new(0.0, 0.0);
    let area = length / f64::from(steps[0]) * PI * radius / f64::from(steps[1]);
    for i in 0..steps[0] {
        for j in 0..steps[1] {
            let x = ((f64::from(i) + 0.5) / f64::from(steps[0]) - 0.5) * length;
            let angle = ((f64::from(j) + 0.5) / f64::from(steps[1]) - 0.5) * PI;
            let place = Vector3::new(x, radius * angle.sin(), 60.0 - radius * angle.cos());
            let way = place.norm();
            let cosine = (place.z * angle.cos() - place.y * angle.sin()) / way;
            sum += Complex::from_polar(
                cosine.max(0.0) * area * (range / way).powi(2),
                2.0 * k * (way - range),
            );
        }
    }
    let integral = decibels(sum.norm_sqr() / (wavelength * wavelength));
    let urick = decibels(radius * length * length / (2.0 * wavelength));
    println!(
        "rod broadside, target strength: Urick {urick:.2} dB, Kirchhoff {integral:.2}, simulated {simulated:.2}"
    );
    assert!((simulated - integral).abs() < 0.5, "{simulated} {integral}");
    assert!((urick - integral).abs() < 0.5, "{urick} {integral}");
}

/// Whether an arrival's phase is nothing but its way's: so with a glint's wavelets, not with speckle.
fn is_wavelet(sonar: &Sonar, arrival: &Arrival) -> bool {
    let turns = (sonar.pulse.centre_hz() * arrival.delay_s).fract();
    let phase = Complex::from_polar(1.0, f64::from(arrival.amplitude.arg()) + TAU * turns);
    phase.arg().abs() < 1e-5
}

/// A ping's beam written out in time from the true places of its scatterers, sample by sample: no grid,
/// no transform, its own geometry.
#[test]
fn a_beam_is_the_plain_sum_of_its_scatterers() {
    // Sampled so fast that the receiver's band takes little of the pulse's steep edges.
    let mut scenario = Scenario::sample();
    scenario.sonar.sample_rate_hz = 80e3;
    let world = crate::world::World::new(scenario).unwrap();
    let sonar = Sonar::new(world.scenario());
    let posture = at(Vector3::new(2.0, -0.5, -1.0));
    let arrivals = facets::arrivals(&sonar, 1, world.scene(), &posture);
    let axis = sonar.across_rad[20];
    let mut echoes: Vec<_> = arrivals
        .iter()
        .filter_map(|arrival| sonar.echo(arrival))
        .collect();
    echoes.sort_by(|a, b| a.across_rad.total_cmp(&b.across_rad));
    let mut scratch = sonar.synthesis.scratch();
    sonar.listen(&echoes, axis, &mut scratch);
    let fast = sonar.synthesis.finish(&mut scratch).to_vec();
    let mut plain = vec![Complex::new(0.0, 0.0); fast.len()];
    let half = 0.5 * sonar.pulse.duration_s;
    for arrival in &arrivals {
        let place = arrival.point.cast::<f64>() - posture.origin;
        let beam = f64::from(sonar.receive.across.at((-place.y).atan2(-place.z) - axis));
        if beam == 0.0 {
            continue;
        }
        let delay = 2.0 * place.norm() / sonar.sound_speed_m_per_s;
        let level = f64::from(arrival.amplitude.norm()) * beam;
        let amplitude = Complex::from_polar(level, f64::from(arrival.amplitude.arg()));
        let from = ((delay - half) * sonar.sample_rate_hz).ceil().max(0.0) as usize;
        let to = ((delay + half) * sonar.sample_rate_hz) as usize;
        for (i, sample) in plain.iter_mut().enumerate().take(to + 1).skip(from) {
            let t = i as f64 / sonar.sample_rate_hz - delay;
            *sample += waveform::replica(&sonar.pulse, t) * amplitude;
        }
    }
    let energy: f64 = plain.iter().map(Complex::norm_sqr).sum();
    let error: f64 = plain
        .iter()
        .zip(&fast)
        .map(|(plain, fast)| (plain - Complex::new(f64::from(fast.re), f64::from(fast.im))).norm_sqr())
        .sum();
    println!(
        "a beam against its plain sum: error {:.1} dB",
        decibels(error / energy)
    );
    assert!(decibels(error / energy) < -30.0, "{}", decibels(error / energy));
}
