//! Every kind of ping puts a point where it is: read as the types say, by nothing of this room.

use beluga_types::{Beam, Detections, Profile, SonarPing, StrengthUnit};
use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::Sonar;
use super::bench::{at_rest, channel, point, sonar, towards, waveforms};
use super::paths::Arrival;
use crate::random::{Dice, Source};

/// The place of an echo at the middle of a beam.
fn place(beam: &Beam, steering_rad: f64, two_way_s: f64, speed: f64) -> Vector3<f64> {
    let [along, across] = [beam.along_rad(), beam.across_rad() + steering_rad];
    let direction = Beam::at(across, along, beam.transmit_width_rad, beam.receive_width_rad).direction;
    direction.vector() * (0.5 * speed * two_way_s)
}

fn loudest(values: impl Iterator<Item = f64>) -> usize {
    values
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(i, _)| i)
        .unwrap()
}

#[test]
fn beams_put_a_point_where_it_is() {
    let sonar = sonar("");
    let target = towards(37.3, 0.1) * 12.0;
    let (ping, _) = sonar.received(1, 0, &[point(&sonar, target, 1.0)]);
    let SonarPing::Beams(beams) = &ping else {
        panic!("a ping by beams");
    };
    let matched = super::Matched::new(&beams.pulse, waveforms(&ping).sample_rate_hz(), sonar.samples);
    let compressed: Vec<Vec<f64>> = (0..256)
        .map(|i| {
            let row: Vec<_> = channel(&ping, i)
                .iter()
                .map(|v| Complex::new(v.re as f32, v.im as f32))
                .collect();
            matched
                .compress(&row)
                .iter()
                .map(|v| f64::from(v.norm()))
                .collect()
        })
        .collect();
    let top = |row: &[f64]| row.iter().copied().fold(0.0, f64::max);
    let beam = loudest(compressed.iter().map(|row| top(row)));
    let sample = loudest(compressed[beam].iter().copied());
    let found = place(&beams.beams[beam], 0.0, sample as f64 / 60e3, 1476.0);
    println!("beams: point at {target:.3?}, found {found:.3?}");
    assert!((found - target).norm() < 0.06, "{found} against {target}");
}

/// By delay and sum of what each element heard, at every place of a small volume.
#[test]
fn elements_put_a_point_where_it_is_even_near_by() {
    for (across, along, range) in [(14.0, -9.0, 6.0), (-22.0, 5.0, 1.3)] {
        let sonar = sonar("device = \"hydrophone-plane-8x8\"");
        let target = towards(across, along) * range;
        let (ping, _) = sonar.received(1, 0, &[point(&sonar, target, 0.05 * range * range)]);
        let SonarPing::Elements(elements) = &ping else {
            panic!("a ping by elements");
        };
        let matched = super::Matched::new(&sonar.pulse, sonar.sample_rate_hz, sonar.samples);
        let rows: Vec<Vec<Complex<f32>>> = (0..64)
            .map(|i| {
                let row: Vec<_> = channel(&ping, i)
                    .iter()
                    .map(|v| Complex::new(v.re as f32, v.im as f32))
                    .collect();
                matched.compress(&row)
            })
            .collect();
        let speed = elements.sound_speed_m_per_s.unwrap();
        let focus = |place: &Vector3<f64>| -> f64 {
            let sum: Complex<f64> = rows
                .iter()
                .zip(elements.positions.iter())
                .map(|(row, element)| {
                    let delay = (place.norm() + (place - element.vector()).norm()) / speed;
                    let at = delay * sonar.sample_rate_hz;
                    let (i, part) = (at as usize, at.fract());
                    let between = |f: fn(&Complex<f32>) -> f32| {
                        f64::from(f(&row[i])) * (1.0 - part) + f64::from(f(&row[i + 1])) * part
                    };
                    let value = Complex::new(between(|v| v.re), between(|v| v.im));
                    value * Complex::from_polar(1.0, std::f64::consts::TAU * (100e3 * delay).fract())
                })
                .sum();
            sum.norm()
        };
        let mut best = (0.0, Vector3::zeros());
        for i in -8..=8 {
            for k in -8..=8 {
                for r in -6..=6 {
                    let candidate =
                        towards(across + f64::from(i), along + f64::from(k)) * (range + 0.02 * f64::from(r));
                    let heard = focus(&candidate);
                    if heard > best.0 {
                        best = (heard, candidate);
                    }
                }
            }
        }
        println!("elements: point at {target:.3?}, found {:.3?}", best.1);
        assert!((best.1 - target).norm() < 0.05, "{} against {target}", best.1);
    }
}

fn profile(sonar: &Sonar, ping: u64, arrivals: &[Arrival]) -> Profile {
    match sonar.received(1, ping, arrivals).0 {
        SonarPing::Profile(profile) => profile,
        _ => panic!("a profile"),
    }
}

#[test]
fn a_scanning_head_finds_a_point_by_turning() {
    let sonar = sonar("device = \"scanning-750k\"\nnoise_db = -120");
    let target = towards(-68.4, 3.0) * 9.0;
    let profiles: Vec<Profile> = (0..400)
        .map(|ping| {
            // The place in the head's axes.
            let head = sonar.in_head_axes(at_rest(), ping);
            profile(
                &sonar,
                ping,
                &[point(&sonar, head.sensor_from_quay * target, 1.0)],
            )
        })
        .collect();
    let top = |profile: &Profile| profile.strength.iter().copied().fold(f32::MIN, f32::max);
    let ping = loudest(profiles.iter().map(|profile| f64::from(top(profile))));
    let best = &profiles[ping];
    assert_eq!(best.unit, StrengthUnit::Decibel);
    let sample = loudest(best.strength.iter().map(|&v| f64::from(v)));
    let time = best.first_s + sample as f64 * best.interval_s;
    let found = place(&best.beam, best.steering_rad, time, 1476.0);
    println!(
        "scanning: point at {target:.3?}, found {found:.3?}, {:.1} deg",
        best.steering_rad.to_degrees()
    );
    assert!((best.steering_rad.to_degrees() + 68.4).abs() <= 0.9 && (found.norm() - 9.0).abs() < 0.03);
    // Values are steps of 8 bits over 45 dB.
    let steps: std::collections::BTreeSet<i64> = profiles
        .iter()
        .flat_map(|profile| &profile.strength)
        .map(|value| ((f64::from(*value) + 90.0) * 255.0 / 45.0 * 1e3).round() as i64)
        .collect();
    assert!(
        steps
            .iter()
            .all(|step| (step + 500).rem_euclid(1_000).abs_diff(500) < 5)
            && steps.len() <= 256
    );
    // A sector is swept to and fro.
    let sector = super::bench::sonar("device = \"scanning-750k\"\nscan_deg = 9.0");
    let turns: Vec<i64> = (0..22)
        .map(|ping| (sector.steering_rad(ping).to_degrees() * 10.0).round() as i64)
        .collect();
    assert_eq!((turns[0], turns[5], turns[10], turns[20]), (45, 0, -45, 45));
}

#[test]
fn a_side_scan_tells_its_sides() {
    let sonar = sonar("device = \"sidescan-450k\"\nnoise_db = -140\ntvg_spreading_db = 40.0");
    let target = towards(64.0, 0.05) * 18.0;
    let arrivals = [point(&sonar, target, 0.008)];
    let [port, starboard] = [0, 1].map(|ping| profile(&sonar, ping, &arrivals));
    let sample = loudest(starboard.strength.iter().map(|&v| f64::from(v)));
    let time = starboard.first_s + sample as f64 * starboard.interval_s;
    let found = place(&starboard.beam, starboard.steering_rad, time, 1476.0);
    println!("side-scan: point at {target:.3?}, found on the arc of {found:.3?}");
    assert!(
        (found.norm() - 18.0).abs() < 0.02 && found.y < 0.0,
        "to starboard"
    );
    assert!((starboard.beam.across_rad().to_degrees() - 70.0).abs() < 1e-9);
    let ratio = starboard.strength[sample] / port.strength[sample].max(0.5);
    assert!(ratio > 30.0, "the other side leaks by -40 dB only: {ratio}");
    assert_eq!(sonar.stamp(6), sonar.stamp(7), "both sides ping together");
}

fn detections(sonar: &Sonar, arrivals: &[Arrival]) -> Detections {
    match sonar.received(1, 0, arrivals).0 {
        SonarPing::Detections(detections) => detections,
        _ => panic!("detections"),
    }
}

/// Where fusion puts a detection.
fn placed(angle_rad: f64, tilt_rad: f64, time_s: f64, speed: f64) -> Vector3<f64> {
    Beam::at(angle_rad, tilt_rad, [0.02; 2], [0.02; 2])
        .direction
        .vector()
        * (0.5 * speed * time_s)
}

#[test]
fn a_device_that_detects_puts_a_point_where_it_is() {
    let sonar = sonar("device = \"multibeam-256-detections\"\nnoise_db = -105");
    let target = towards(37.3, 0.0) * 12.0;
    let found = detections(&sonar, &[point(&sonar, target, 1.0)]);
    let best = found
        .detections
        .iter()
        .max_by(|a, b| a.level_db.total_cmp(&b.level_db))
        .unwrap();
    let at = placed(
        best.receive_angle_rad,
        best.transmit_tilt_rad,
        best.two_way_time_s,
        1476.0,
    );
    println!(
        "detections: point at {target:.3?}, found {at:.3?}, {:.1} dB",
        best.level_db
    );
    assert!((at - target).norm() < 0.08, "{at} against {target}");
    // Less what falls between samples and between beams.
    assert!(
        (-2.0..0.3).contains(&best.level_db),
        "a target of 0 dB: {}",
        best.level_db
    );
}

/// A flat bed of many scatterers, seen by the device's own detector: not the truth plus noise.
fn bed(sonar: &Sonar, depth_m: f64) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    for i in 0..60_000u64 {
        let dice = Dice::new(5, Source::Scatterer, 1, i);
        let [u, v] = dice.uniform_pair(0);
        let place = Vector3::new(0.8 * (u - 0.5), 36.0 * (v - 0.5), -depth_m);
        let [re, im] = dice.normal_pair(1);
        let mut arrival = point(sonar, place, 0.01 * depth_m / place.norm());
        arrival.amplitude *= Complex::new(re, im);
        arrivals.push(arrival);
    }
    arrivals
}

#[test]
fn a_bed_is_detected_at_its_depth_with_the_errors_of_a_real_unit() {
    let sonar = sonar("device = \"multibeam-256-detections\"\nnoise_db = -105");
    let found = detections(&sonar, &bed(&sonar, 8.0));
    let off: Vec<[f64; 2]> = found
        .detections
        .iter()
        .map(|d| {
            let at = placed(d.receive_angle_rad, d.transmit_tilt_rad, d.two_way_time_s, 1476.0);
            [d.receive_angle_rad.to_degrees().abs(), at.z + 8.0]
        })
        .collect();
    println!("detections on a flat bed 8 m below: angle from..to deg, count, bias m, deviation m");
    for (from, to) in [(0.0, 20.0), (20.0, 40.0), (40.0, 60.0)] {
        let part: Vec<f64> = off
            .iter()
            .filter(|o| o[0] >= from && o[0] < to)
            .map(|o| o[1])
            .collect();
        let n = part.len() as f64;
        let bias = part.iter().sum::<f64>() / n;
        let deviation = (part.iter().map(|z| (z - bias).powi(2)).sum::<f64>() / n).sqrt();
        println!("{from:3}..{to:3} {n:4} {bias:7.3} {deviation:6.3}");
        assert!(n > 75.0, "{n} detections of 85 beams");
        assert!(bias.abs() < 0.02, "{from}: {bias}");
        assert!(deviation > 0.002 && deviation < 0.10, "{from}: {deviation}");
    }
    let qualities = found.detections.iter().map(|d| d.quality);
    assert!(qualities.clone().all(|q| (0.0..=1.0).contains(&q)) && qualities.fold(0.0, f32::max) > 0.3);
    assert!(found.detections.iter().all(|d| {
        let steps = d.receive_angle_rad.to_degrees() * 100.0;
        (steps - steps.round()).abs() < 1e-6
    }));
}

/// A device that believes in a wrong speed at its head looks past its angles: sin θ' = sin θ c/c'.
#[test]
fn a_wrong_speed_at_the_head_bends_a_flat_fan() {
    let wrong = 1476.0 * 1.01;
    let keys = format!("device = \"multibeam-256-detections\"\nhead_sound_speed_m_per_s = {wrong}");
    let sonar = sonar(&keys);
    for angle in [-50.0f64, 0.0, 30.0, 55.0] {
        let found = detections(&sonar, &[point(&sonar, towards(angle, 0.0) * 12.0, 1.0)]);
        let best = found
            .detections
            .iter()
            .max_by(|a, b| a.level_db.total_cmp(&b.level_db))
            .unwrap();
        let expected = (angle.to_radians().sin() * 1.01).asin().to_degrees();
        let heard = best.receive_angle_rad.to_degrees();
        println!("head speed 1 % high: echo from {angle} deg stated at {heard:.2}, expected {expected:.2}");
        assert!(
            (heard - expected).abs() < 0.3,
            "{angle}: {heard} against {expected}"
        );
        assert_eq!(found.sound_speed_m_per_s, Some(wrong));
    }
}
