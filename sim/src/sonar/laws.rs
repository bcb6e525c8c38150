//! The laws of sound's way, measured on what the simulator makes and printed against what is expected.
//! `PHYSICS.md` beside this crate holds the same as a table.

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

use beluga_types::Transform;
use nalgebra::{Matrix3, Vector3};
use rustfft::num_complex::Complex;

use super::ghost::Ghosts;
use super::mirror::WATER_SURFACE;
use super::paths::{self, Arrival, Law, NO_MIRROR, Paths, Posture, Scatterer, VOLUME};
use super::{Sonar, across_rad, facets, waveform};
use crate::scenario::{Scenario, WaterScenario};
use crate::scene::{Kind, Scene, Shape, Surface, WallPlane};

fn sonar(change: impl Fn(&mut Scenario)) -> Sonar {
    let mut scenario = Scenario::demo();
    scenario.sonar.range_m = 30.0;
    change(&mut scenario);
    scenario.check().unwrap();
    Sonar::new(&scenario, &crate::rig::build(&scenario))
}

/// A sonar at rest that looks straight down.
fn at(origin: Vector3<f64>) -> Posture {
    Posture {
        sensor_from_quay: Matrix3::identity(),
        origin,
        rate: Vector3::zeros(),
        velocity: Vector3::zeros(),
        ping: 0,
    }
}

fn scene(surfaces: Vec<Surface>) -> Scene {
    let wall = WallPlane {
        origin: Vector3::new(0.0, -8.0, 0.0),
        up: Vector3::z(),
        normal: Vector3::y(),
    };
    Scene::new(surfaces, Vec::new(), wall, Transform::identity())
}

/// A level bed at a height, some metres around x = 0.
fn bed(height: f64, half: [f64; 2]) -> Surface {
    Surface {
        kind: Kind::Bed,
        shape: Shape::Rectangle {
            corner: Vector3::new(-half[0], -half[1], height),
            first: Vector3::y(),
            second: Vector3::x(),
            size: [2.0 * half[1], 2.0 * half[0]],
        },
    }
}

/// A wall at y = -8 whose face looks to port.
fn wall() -> Surface {
    Surface {
        kind: Kind::Wall,
        shape: Shape::Rectangle {
            corner: Vector3::new(-30.0, -8.0, -9.0),
            first: Vector3::x(),
            second: Vector3::z(),
            size: [60.0, 10.0],
        },
    }
}

fn decibels(power: f64) -> f64 {
    10.0 * power.log10()
}

/// Power of an arrival with absorption taken away.
fn unabsorbed(sonar: &Sonar, arrival: &Arrival) -> f64 {
    let way = arrival.delay_s * sonar.sound_speed_m_per_s;
    f64::from(arrival.amplitude.norm_sqr()) * (2.0 * sonar.loss.even_per_m * way).exp()
}

/// Mean over many beds of the power of those arrivals after a ping over a bed at some depth that a
/// weight selects.
fn mean_power(sonar: &Sonar, depth: f64, weight: impl Fn(&Arrival) -> f64) -> f64 {
    const BEDS: u64 = 40;
    let scene = scene(vec![bed(-1.0 - depth, [0.06 * depth, 1.6 * depth])]);
    let posture = at(Vector3::new(0.0, 0.0, -1.0));
    (0..BEDS)
        .flat_map(|seed| facets::arrivals(sonar, seed, &scene, &posture))
        .map(|arrival| weight(&arrival) * unabsorbed(sonar, &arrival))
        .sum::<f64>()
        / BEDS as f64
}

#[test]
fn spreading_has_its_three_slopes() {
    let sonar = sonar(|_| ());
    let posture = at(Vector3::new(0.0, 0.0, -1.0));
    let [near, far] = [2.0, 20.0];
    let point = |range: f64| {
        let round = posture.straight(&sonar, &Vector3::new(0.0, 0.0, -range));
        let one = Complex::new(1.0, 0.0);
        unabsorbed(
            &sonar,
            &paths::arrival(&sonar, &round, 1.0, one, &posture.velocity),
        )
    };
    // A pulse cuts a strip of constant width out of what the narrow transmit beam lights at 45°.
    let strip = |range: f64| {
        let half_s = 0.08 / sonar.sound_speed_m_per_s;
        let middle_s = 2.0 * range / sonar.sound_speed_m_per_s;
        mean_power(&sonar, range * FRAC_1_SQRT_2, |arrival| {
            f64::from(u8::from((arrival.delay_s - middle_s).abs() < half_s))
        })
    };
    // All of a beam's footprint straight down.
    let footprint = |range: f64| {
        mean_power(&sonar, range, |arrival| {
            f64::from(sonar.receive.at(across_rad(&arrival.from))).powi(2)
        })
    };
    let slope = |level: &dyn Fn(f64) -> f64| decibels(level(far) / level(near)) / (far / near).log10();
    println!("spreading without absorption, dB per decade: expected, measured");
    for (name, expected, found) in [
        ("point", -40.0, slope(&point)),
        ("surface within the pulse", -30.0, slope(&strip)),
        ("surface within the beam", -20.0, slope(&footprint)),
    ] {
        println!("  {name}: {expected} {found:.3}");
        assert!((found - expected).abs() < 0.3, "{name}: {found}");
    }
}

#[test]
fn scattering_is_lamberts() {
    let sonar = sonar(|_| ());
    let posture = at(Vector3::new(0.0, 0.0, -1.0));
    let scene = scene(vec![bed(-6.0, [0.5, 12.0])]);
    // Mean strength by incidence, with spreading and the transmit beam taken away.
    let mut sums = [[0.0; 2]; 12];
    for seed in 0..30 {
        for arrival in facets::arrivals(&sonar, seed, &scene, &posture) {
            let place = arrival.point.cast::<f64>() - posture.origin;
            let range = place.norm();
            let lit = f64::from(sonar.transmit.at(place.x / range));
            if lit > 0.5 {
                let bin = ((place.z / range).acos() - 0.5 * PI) / (0.5 * PI) * 18.0;
                let strength = unabsorbed(&sonar, &arrival) * range.powi(4) / (lit * lit);
                if let Some(sum) = sums.get_mut(17usize.saturating_sub(bin as usize)) {
                    sum[0] += strength;
                    sum[1] += 1.0;
                }
            }
        }
    }
    let area = sonar.cell_m * sonar.cell_m;
    let pairs: Vec<[f64; 2]> = (0u32..)
        .zip(&sums)
        .filter(|(_, sum)| sum[1] > 200.0)
        .map(|(i, sum)| {
            let incidence = (f64::from(i) + 0.5) * 5f64.to_radians();
            [
                decibels(incidence.cos().powi(2)),
                decibels(sum[0] / sum[1] / area),
            ]
        })
        .collect();
    let n = pairs.len() as f64;
    let mean = pairs
        .iter()
        .fold([0.0; 2], |sum, pair| [sum[0] + pair[0] / n, sum[1] + pair[1] / n]);
    let across: f64 = pairs
        .iter()
        .map(|pair| (pair[0] - mean[0]) * (pair[1] - mean[1]))
        .sum();
    let along: f64 = pairs.iter().map(|pair| (pair[0] - mean[0]).powi(2)).sum();
    let slope = across / along;
    let at_normal = mean[1] - slope * mean[0];
    println!(
        "Lambert, from 0 to 60 deg: expected slope 1 and -27 dB, measured {slope:.4} and {at_normal:.3} dB"
    );
    assert!(n >= 10.0 && (slope - 1.0).abs() < 0.03, "{slope}");
    assert!((at_normal + 27.0).abs() < 0.15, "{at_normal}");
}

/// The envelope of a compressed echo from a bed, over independent beds, against Rayleigh's distribution:
/// Kolmogorov and Smirnov's largest distance with an estimated mean, by M. Stephens, "EDF statistics for
/// goodness of fit and some comparisons", J. Am. Stat. Assoc. 69 (1974).
#[test]
fn speckle_is_rayleighs_by_kolmogorov_and_smirnov() {
    let sonar = sonar(|_| ());
    let posture = at(Vector3::new(0.0, 0.0, -1.0));
    let scene = scene(vec![bed(-7.0, [0.3, 5.0])]);
    let axis = 0.5f64;
    let delay = 2.0 * 6.0 / axis.cos() / sonar.sound_speed_m_per_s;
    let bandwidth = sonar.pulse.bandwidth_hz();
    let mut powers: Vec<f64> = (0..400)
        .map(|seed| {
            let sum: Complex<f64> = facets::arrivals(&sonar, seed, &scene, &posture)
                .iter()
                .filter_map(|arrival| {
                    let beam = f64::from(sonar.receive.at(across_rad(&arrival.from) - axis));
                    let x = PI * bandwidth * (arrival.delay_s - delay);
                    let pulse = if x == 0.0 { 1.0 } else { x.sin() / x };
                    (beam > 0.0).then(|| {
                        let amplitude = arrival.amplitude;
                        Complex::new(f64::from(amplitude.re), f64::from(amplitude.im)) * beam * pulse
                    })
                })
                .sum();
            sum.norm_sqr()
        })
        .collect();
    powers.sort_by(f64::total_cmp);
    let n = powers.len() as f64;
    let mean = powers.iter().sum::<f64>() / n;
    let distance = (0u32..)
        .zip(&powers)
        .map(|(i, power)| {
            let model = 1.0 - (-power / mean).exp();
            (model - f64::from(i) / n).max(f64::from(i + 1) / n - model)
        })
        .fold(0.0, f64::max);
    let statistic = (distance - 0.2 / n) * (n.sqrt() + 0.26 + 0.5 / n.sqrt());
    println!("speckle, Kolmogorov-Smirnov: below 1.308 at 1 %, measured {statistic:.3}");
    assert!(statistic < 1.308, "{statistic}");
}

#[test]
fn a_moving_sonar_hears_doppler() {
    let sonar = sonar(|_| ());
    let c = sonar.sound_speed_m_per_s;
    println!(
        "Doppler shift at {} Hz: expected, measured",
        sonar.pulse.centre_hz()
    );
    for speed in [-2.0, 0.5, 1.5] {
        let moving = Posture {
            velocity: Vector3::new(0.0, 0.0, -speed),
            ..at(Vector3::new(0.0, 0.0, -1.0))
        };
        let hear = |point: Vector3<f64>| {
            let round = moving.straight(&sonar, &point);
            paths::arrival(&sonar, &round, 1.0, Complex::new(1.0, 0.0), &moving.velocity)
        };
        let arrival = hear(Vector3::new(0.0, 0.0, -9.0));
        let expected = 2.0 * speed / c * sonar.pulse.centre_hz();
        let stated = arrival.doppler * sonar.pulse.centre_hz();
        // By the phases of two wave crests sent a millisecond apart.
        let step = 1e-3;
        let later = hear(Vector3::new(0.0, 0.0, -9.0 + speed * step));
        let measured = -(later.delay_s - arrival.delay_s) / step * sonar.pulse.centre_hz();
        println!("  {speed} m/s: {expected:.3} Hz, {stated:.3} Hz, by two crests {measured:.3} Hz");
        assert!((stated - expected).abs() < 1e-9);
        assert!(
            (measured / expected - 1.0).abs() < 2.5 * (speed / c).abs(),
            "{measured}"
        );
    }
}

/// All echoes of one scatterer before a wall, over a bed, under the surface, by at most two mirrors:
/// each as late as the shortest way that touches its mirrors (Fermat), found by descent.
#[test]
fn echoes_by_mirrors_arrive_to_a_microsecond() {
    let sonar = sonar(|scenario| {
        scenario.water.multipath = 2;
        scenario.sonar.noise_db = -200.0;
        scenario.sonar.fan_deg = 170.0;
    });
    let scene = scene(vec![wall(), bed(-7.0, [30.0, 12.0])]);
    let posture = at(Vector3::new(0.3, 0.0, -1.3));
    let point = Vector3::new(0.3, -5.0, -4.0);
    let mut paths = Paths::new(&sonar, 1, &scene, &posture);
    let ghosts = Ghosts::new(&paths);
    // A face towards each side, so that every way meets one.
    let faces = [
        [0.0, 0.0, 1.0],
        [0.0, 0.0, -1.0],
        [0.0, 1.0, 0.0],
        [0.0, -1.0, 0.0],
    ];
    for face in faces.map(Vector3::from) {
        for (out, leg) in ghosts.legs.iter().enumerate() {
            let scatterer = Scatterer {
                surface: 7,
                key: 3,
                point: leg.image.in_axes(&point),
                normal: leg.image.sensor_from_quay * face,
                law: Law::Lambert,
                strength: 1e9,
                speckle: Complex::new(1.0, 0.0),
            };
            ghosts.collect(&mut paths, out, &scatterer);
        }
    }
    let surface_of = |id: u32| (id != NO_MIRROR).then_some(id);
    println!("echoes by mirrors: mirrors, expected and measured time in microseconds");
    let mut worst = 0.0f64;
    let mut seen = Vec::new();
    for arrival in &paths.arrivals {
        let mirrors: Vec<u32> = arrival.mirrors.into_iter().filter_map(surface_of).collect();
        // Which of the mirrors were met on the way out is not told: the shortest of all splits counts.
        let expected = (0..=mirrors.len())
            .map(|split| {
                let back: Vec<u32> = mirrors[split..].iter().rev().copied().collect();
                let out = shortest(&posture.origin, &point, &mirrors[..split]);
                (out + shortest(&posture.origin, &point, &back)) / sonar.sound_speed_m_per_s
            })
            .min_by(|a, b| {
                (a - arrival.delay_s)
                    .abs()
                    .total_cmp(&(b - arrival.delay_s).abs())
            })
            .unwrap();
        let error = arrival.delay_s - expected;
        worst = worst.max(error.abs());
        if !seen.contains(&mirrors) {
            println!(
                "  {mirrors:?}: {:.4} {:.4}",
                expected * 1e6,
                arrival.delay_s * 1e6
            );
            seen.push(mirrors);
        }
        assert_eq!(
            arrival.order as usize,
            arrival.mirrors.iter().filter(|id| **id != NO_MIRROR).count()
        );
    }
    println!(
        "  {} echoes of {} kinds, worst {worst:.1e} s",
        paths.arrivals.len(),
        seen.len()
    );
    assert!(seen.len() >= 8 && worst < 1e-8, "{} {worst}", seen.len());
}

/// Length of the shortest way between two points that touches planes in order, by descent over the
/// places of touch: nothing is mirrored here.
fn shortest(from: &Vector3<f64>, to: &Vector3<f64>, planes: &[u32]) -> f64 {
    let on = |plane: u32, u: f64, v: f64| match plane {
        WATER_SURFACE => Vector3::new(u, v, 0.0),
        0 => Vector3::new(u, -8.0, v),
        _ => Vector3::new(u, v, -7.0),
    };
    let length = |free: &[f64]| {
        let mut here = *from;
        let mut sum = 0.0;
        for (i, plane) in planes.iter().enumerate() {
            let next = on(*plane, free[2 * i], free[2 * i + 1]);
            sum += (next - here).norm();
            here = next;
        }
        sum + (to - here).norm()
    };
    let mut free = vec![-1.0; 2 * planes.len()];
    let mut step = 2.0;
    while step > 1e-9 {
        let before = length(&free);
        for i in 0..free.len() {
            for way in [step, -step] {
                let here = length(&free);
                free[i] += way;
                if length(&free) >= here {
                    free[i] -= way;
                }
            }
        }
        if length(&free) >= before {
            step *= 0.7;
        }
    }
    length(&free)
}

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
    let sonar = Sonar::new(world.scenario(), world.rig());
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
        let beam = f64::from(sonar.receive.at((-place.y).atan2(-place.z) - axis));
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

/// The power of what floats, against scattering strength times volume.
#[test]
fn the_water_answers_with_its_volume() {
    let strength_db = -55.0;
    let sonar = sonar(|scenario| {
        scenario.water = WaterScenario {
            volume_scattering_db: Some(strength_db),
            ..WaterScenario::default()
        };
        scenario.sonar.noise_db = -200.0;
    });
    let posture = at(Vector3::new(0.0, 0.0, -3.0));
    let empty = scene(vec![bed(-25.0, [0.001, 0.001])]);
    let [near, far] = [4.0, 6.0];
    let measured: f64 = facets::arrivals(&sonar, 5, &empty, &posture)
        .iter()
        .filter(|arrival| arrival.surface == VOLUME)
        .map(|arrival| (0.5 * arrival.delay_s * sonar.sound_speed_m_per_s, arrival))
        .filter(|(range, arrival)| (near..far).contains(range) && across_rad(&arrival.from).abs() < 0.8)
        .map(|(range, arrival)| unabsorbed(&sonar, arrival) * range * range)
        .sum();
    // The integral of r² / r⁴ · r² over the shell, over the beam's power along track, over the sector.
    let step = 1e-5;
    let along: f64 = (-30_000..30_000)
        .map(|i| f64::from(sonar.transmit.at(f64::from(i) * step)).powi(2) * step)
        .sum();
    let expected = 10f64.powf(0.1 * strength_db) * along * 1.6 * (far - near);
    println!(
        "volume reverberation: expected {:.2} dB, measured {:.2} dB",
        decibels(expected),
        decibels(measured)
    );
    assert!((decibels(measured / expected)).abs() < 0.2);
}
