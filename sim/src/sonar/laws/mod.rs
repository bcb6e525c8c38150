//! The laws of sound's way, measured on what the simulator makes and printed against what is expected.
//! `PHYSICS.md` beside this crate holds the same as a table.

mod models;
mod waves;
mod ways;

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

use beluga_types::Transform;
use nalgebra::{Matrix3, Vector3};
use rustfft::num_complex::Complex;

use super::paths::{self, Arrival, Posture, VOLUME};
use super::{Sonar, across_rad, facets};
use crate::scenario::{Scenario, WaterScenario};
use crate::scene::{Kind, Parts, Scene, Shape, Surface, WallPlane};

fn sonar(change: impl Fn(&mut Scenario)) -> Sonar {
    let mut scenario = Scenario::demo();
    scenario.sonar.range_m = 30.0;
    change(&mut scenario);
    scenario.check().unwrap();
    Sonar::new(&scenario)
}

/// A sonar at rest that looks straight down.
fn at(origin: Vector3<f64>) -> Posture {
    Posture {
        sensor_from_quay: Matrix3::identity(),
        origin,
        rate: Vector3::zeros(),
        velocity: Vector3::zeros(),
        water_z: 0.0,
        ping: 0,
    }
}

fn scene(surfaces: Vec<Surface>) -> Scene {
    let wall = WallPlane {
        origin: Vector3::new(0.0, -8.0, 0.0),
        up: Vector3::z(),
        normal: Vector3::y(),
    };
    Scene::new(Parts {
        surfaces,
        rungs: Vec::new(),
        objects: Vec::new(),
        wall,
        world_from_quay: Transform::identity(),
        has_water: true,
    })
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
            f64::from(sonar.receive.across.at(across_rad(&arrival.from))).powi(2)
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

/// Powers against the squares of Rayleigh's distribution: Kolmogorov and Smirnov's largest distance with an
/// estimated mean, by M. Stephens, "EDF statistics for goodness of fit and some comparisons", J. Am. Stat.
/// Assoc. 69 (1974). Above 1.308 for one in a hundred that are Rayleigh's.
fn against_rayleigh(powers: &mut [f64]) -> f64 {
    powers.sort_by(f64::total_cmp);
    let n = powers.len() as f64;
    let mean = powers.iter().sum::<f64>() / n;
    let distance = (0u32..)
        .zip(powers)
        .map(|(i, power)| {
            let model = 1.0 - (-*power / mean).exp();
            (model - f64::from(i) / n).max(f64::from(i + 1) / n - model)
        })
        .fold(0.0, f64::max);
    (distance - 0.2 / n) * (n.sqrt() + 0.26 + 0.5 / n.sqrt())
}

/// What a compressed beam hears at a moment, as amplitude.
fn heard(sonar: &Sonar, arrivals: &[Arrival], axis: f64, delay_s: f64) -> Complex<f64> {
    let bandwidth = sonar.pulse.bandwidth_hz();
    let part = |arrival: &Arrival| {
        let beam = f64::from(sonar.receive.across.at(across_rad(&arrival.from) - axis));
        let x = PI * bandwidth * (arrival.delay_s - delay_s);
        let pulse = if x == 0.0 { 1.0 } else { x.sin() / x };
        let amplitude = arrival.amplitude;
        Complex::new(f64::from(amplitude.re), f64::from(amplitude.im)) * beam * pulse
    };
    arrivals.iter().map(part).sum()
}

/// The envelope of a compressed echo from a bed, over independent beds.
#[test]
fn speckle_is_rayleighs_by_kolmogorov_and_smirnov() {
    let sonar = sonar(|_| ());
    let posture = at(Vector3::new(0.0, 0.0, -1.0));
    let scene = scene(vec![bed(-7.0, [0.3, 5.0])]);
    let axis = 0.5f64;
    let delay = 2.0 * 6.0 / axis.cos() / sonar.sound_speed_m_per_s;
    let mut powers: Vec<f64> = (0..400)
        .map(|seed| {
            let arrivals = facets::arrivals(&sonar, seed, &scene, &posture);
            heard(&sonar, &arrivals, axis, delay).norm_sqr()
        })
        .collect();
    let statistic = against_rayleigh(&mut powers);
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

/// The envelope of what floats, at 21 beams and ranges over many pings, each against its own mean.
#[test]
fn what_floats_has_rayleighs_envelope() {
    const PINGS: u64 = 300;
    let sonar = sonar(|scenario| {
        scenario.water.volume_scattering_db = Some(-50.0);
        scenario.sonar.noise_db = -200.0;
        scenario.sonar.range_m = 7.0;
        scenario.sonar.fan_deg = 10.0;
        scenario.sonar.beams = 21;
    });
    let empty = scene(vec![bed(-25.0, [0.001, 0.001])]);
    let places: Vec<[f64; 2]> = [-0.05, 0.003, 0.04]
        .into_iter()
        .flat_map(|axis| (0..7).map(move |i| [axis, 3.511 + 0.423 * f64::from(i)]))
        .collect();
    let mut powers = vec![Vec::new(); places.len()];
    for ping in 0..PINGS {
        let posture = Posture {
            ping,
            ..at(Vector3::new(0.0, 0.0, -3.0))
        };
        let arrivals = facets::arrivals(&sonar, 5, &empty, &posture);
        for ([axis, range], powers) in places.iter().zip(&mut powers) {
            let delay = 2.0 * range / sonar.sound_speed_m_per_s;
            powers.push(heard(&sonar, &arrivals, *axis, delay).norm_sqr());
        }
    }
    let mut all: Vec<f64> = powers
        .iter()
        .flat_map(|powers| {
            let mean = powers.iter().sum::<f64>() / PINGS as f64;
            powers.iter().map(move |power| power / mean)
        })
        .collect();
    let square = all.iter().map(|power| power * power).sum::<f64>() / all.len() as f64;
    let statistic = against_rayleigh(&mut all);
    println!(
        "what floats, {} samples: Kolmogorov-Smirnov below 1.308 at 1 %, measured {statistic:.3}",
        all.len()
    );
    println!("  second moment of the power: expected 2, measured {square:.3}");
    assert!(
        statistic < 1.308 && (square - 2.0).abs() < 0.15,
        "{statistic} {square}"
    );
}
