//! Exact rays against published values, other solutions of the same law, and the tables against them.

use super::*;
use crate::random::{Dice, Source};

/// Three rays through two layers (speed 1500, 1490, 1480 m/s at 0, 20, 50 m), against the layers' sums in
/// thirty digits.
#[test]
fn rays_through_layers_are_the_exact_ones() {
    let profile = Profile::new(&[[0.0, 1500.0], [20.0, 1490.0], [50.0, 1480.0]]);
    println!("refraction, start angle: horizontal distance and time, expected and measured");
    for (angle_deg, distance, millis) in [
        (30.0, 28.586_553_034_226, 38.680_834_526_965),
        (45.0, 49.276_684_580_958, 47.146_813_754_525),
        (60.0, 84.162_972_473_186, 65.744_977_791_937),
    ] {
        let ray = eigenray(&profile, [0.0, 50.0], distance).unwrap();
        let departure = 90.0 - ray.departure_rad.to_degrees();
        println!(
            "  {angle_deg} deg: {millis} ms, {:.12} ms; leaves at {departure:.9} deg",
            ray.time_s * 1e3
        );
        assert!((ray.time_s * 1e3 - millis).abs() < 1e-9);
        assert!((departure - angle_deg).abs() < 1e-9, "{departure}");
        let back = eigenray(&profile, [50.0, 0.0], distance).unwrap();
        assert!((back.time_s - ray.time_s).abs() < 1e-15);
        assert!((back.departure_rad + ray.arrival_rad).abs() < 1e-12);
        assert!((back.spreading_m - ray.spreading_m).abs() < 1e-9);
    }
}

/// In one layer of constant gradient the time between two points is known in closed form, whether the
/// ray turns or not: cosh(g T) = 1 + g² s² / (2 c₁ c₂).
#[test]
fn one_gradient_has_a_closed_form_even_for_rays_that_turn() {
    for gradient in [-0.8, -0.02, 0.016, 0.5, 2.0] {
        let speed = |depth: f64| 1480.0 + gradient * depth;
        let profile = Profile::new(&[[0.0, speed(0.0)], [200.0, speed(200.0)]]);
        for (from, to, distance) in [
            (10.0, 10.0, 60.0),
            (10.0, 10.2, 100.0),
            (12.0, 9.9, 80.0),
            (3.0, 33.0, 0.5),
            (20.0, 19.0, 30.0),
        ] {
            let chord = f64::hypot(to - from, distance);
            let x: f64 = gradient * chord / (2.0 * (speed(from) * speed(to)).sqrt());
            let exact = 2.0 / gradient * x.asinh();
            let ray = eigenray(&profile, [from, to], distance).unwrap();
            println!(
                "one gradient of {gradient} 1/s: expected {exact:.15}, measured {:.15} s",
                ray.time_s
            );
            assert!(
                (ray.time_s - exact).abs() < 1e-12,
                "{gradient} {from} {to} {distance}: {} and {exact}",
                ray.time_s
            );
            // The circle's centre lies where the speed would be zero.
            let centre = -1480.0 / gradient;
            // Its horizontal place is as far from both points; the ray leaves across the radius.
            let radii = (to - centre).powi(2) - (from - centre).powi(2);
            let middle = 0.5 * (distance + radii / distance);
            let tangent = middle / (from - centre);
            assert!((ray.departure_rad.tan() - tangent).abs() < 1e-6 * tangent.abs().max(1.0));
        }
    }
}

/// The ray tube by two neighbouring rays.
#[test]
fn spreading_is_the_ray_tubes() {
    let profile = Profile::new(&[[0.0, 1490.0], [4.0, 1488.0], [6.0, 1470.0], [60.0, 1468.0]]);
    for (from, to, distance) in [
        (1.0, 12.0, 25.0),
        (1.0, 5.0, 14.0),
        (0.5, 30.0, 9.0),
        (1.0, 1.6, 22.0),
    ] {
        let at = |distance: f64| eigenray(&profile, [from, to], distance).unwrap();
        let (ray, step) = (at(distance), 1e-4);
        let turn = (at(distance + step).departure_rad - at(distance - step).departure_rad).abs();
        let width = 2.0 * step * ray.arrival_rad.sin().abs();
        let area = width / turn * distance / ray.departure_rad.cos();
        let expected = (area * profile.speed_at(from) / profile.speed_at(to)).sqrt();
        println!(
            "ray tube: expected {expected:.5}, measured {:.5} m",
            ray.spreading_m
        );
        assert!(
            (ray.spreading_m / expected - 1.0).abs() < 1e-4,
            "{from} {to} {distance}: {} and {expected}",
            ray.spreading_m
        );
    }
}

#[test]
fn even_water_is_straight() {
    let profile = Profile::new(&[[0.0, 1476.0]]);
    let refraction = Refraction::new(profile.clone(), 30.0);
    for (from, to, distance) in [
        (1.0, 1.0, 20.0),
        (1.0, 1.000_001, 20.0),
        (1.0, 7.0, 0.0),
        (1.0, 4.0, 5.0),
    ] {
        let length = f64::hypot(to - from, distance);
        for ray in [
            eigenray(&profile, [from, to], distance).unwrap(),
            refraction.station(from).ray_to(to, distance).unwrap(),
        ] {
            assert!(
                (ray.time_s * 1476.0 - length).abs() < 1e-6,
                "{from} {to}: {ray:?}"
            );
            assert!((ray.departure_rad - (to - from).atan2(distance)).abs() < 1e-6);
            assert!((ray.spreading_m - length).abs() < 1e-5, "{ray:?}");
        }
    }
}

#[test]
fn behind_a_layer_that_bends_everything_down_lies_a_shadow() {
    let profile = Profile::new(&[[0.0, 1500.0], [50.0, 1450.0]]);
    let level = |distance| eigenray(&profile, [0.5, 0.5], distance);
    // The ray that grazes the surface comes back to its depth after 2 √(2 c z / g).
    let edge = 2.0 * (2.0f64 * 1500.0 * 0.5).sqrt();
    assert!(level(edge - 0.5).is_some() && level(edge + 0.5).is_none());
}

/// The tables against the exact solution, in water with a sharp layer.
#[test]
fn tables_err_by_less_than_a_microsecond() {
    let sharp = [[0.0, 1482.0], [2.0, 1481.0], [4.0, 1471.0], [15.0, 1468.0]];
    let gentle = [[0.0, 1500.0], [20.0, 1490.0], [50.0, 1480.0]];
    println!("refraction, tables against exact rays: largest errors");
    for (name, levels, range) in [("sharp", &sharp[..], 30.0), ("gentle", &gentle[..], 100.0)] {
        let refraction = Refraction::new(Profile::new(levels), range);
        let [mut time, mut angle, mut spread, mut shadows] = [0.0f64, 0.0f64, 0.0f64, 0.0];
        for draw in 0..2_000 {
            let dice = Dice::new(4, Source::Scatterer, draw, 9);
            let from = 0.6 + 0.4 * dice.uniform(0);
            let (to, distance) = (0.02 + 12.0 * dice.uniform(1), 0.9 * range * dice.uniform(2));
            let exact = eigenray(refraction.profile(), [from, to], distance);
            let fast = refraction.station(from).ray_to(to, distance);
            let (Some(exact), Some(fast)) = (exact, fast) else {
                shadows += 1.0;
                continue;
            };
            time = time.max((fast.time_s - exact.time_s).abs());
            angle = angle.max((fast.departure_rad - exact.departure_rad).abs());
            spread = spread.max((fast.spreading_m / exact.spreading_m).ln().abs());
        }
        println!(
            "  {name}: time {:.2e} s, departure {:.4} deg, spreading {:.3} dB; {shadows} of 2000 in shadow",
            time,
            angle.to_degrees(),
            20.0 * spread / std::f64::consts::LN_10
        );
        assert!(time < 1e-6, "{name}: {time}");
        assert!(angle.to_degrees() < 0.05, "{name}: {angle}");
    }
}

/// Ten ways by an independent ray code (`tests/rays/rays.py`): eigenrays, and the straight ways at mean
/// slowness that echoes by mirrors take. Time within a microsecond, level within 0.1 dB.
#[test]
fn an_independent_ray_code_finds_the_same() {
    let rows = include_str!("../../../tests/rays/rays.csv");
    println!("against cake (pyrocko): way, time in ms there and here, departure, level's difference");
    for row in rows.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let number = |i: usize| fields[i].parse::<f64>().unwrap();
        let levels: &[[f64; 2]] = match fields[0] {
            "sharp" => &[[0.0, 1482.0], [2.0, 1481.0], [4.0, 1471.0], [15.0, 1468.0]],
            _ => &[[0.0, 1470.0], [5.0, 1480.0], [15.0, 1485.0]],
        };
        let profile = Profile::new(levels);
        let (from, to, distance) = (number(1), number(2), number(3));
        let ray = match fields[4] {
            "surface" => by_mirror(&profile, 0.0, from, to, distance),
            "bed" => by_mirror(&profile, 15.0, from, to, distance),
            _ => eigenray(&profile, [from, to], distance).unwrap(),
        };
        let (time, turn) = (ray.time_s - number(5), ray.departure_rad.to_degrees() - number(6));
        let level = 20.0 * (ray.spreading_m / number(7)).log10();
        println!(
            "  {}: {:.6} {:.6} ms, {:+.4} deg, {level:+.3} dB",
            fields[..5].join(" "),
            number(5) * 1e3,
            ray.time_s * 1e3,
            turn
        );
        let by_mirror = ["surface", "bed"].contains(&fields[4]);
        assert!(time.abs() < if by_mirror { 1e-6 } else { 1e-7 }, "{row}: {time}");
        assert!(turn.abs() < if by_mirror { 0.5 } else { 1e-3 }, "{row}: {turn}");
        assert!(level.abs() < if by_mirror { 0.2 } else { 0.05 }, "{row}: {level}");
    }
    assert_eq!(rows.lines().count(), 11);
}

/// The straight way by a level mirror, as ghosts go it.
fn by_mirror(profile: &Profile, mirror: f64, from: f64, to: f64, distance: f64) -> Eigenray {
    let (one, two) = ((mirror - from).abs(), (mirror - to).abs());
    let length = distance.hypot(one + two);
    let slow =
        (one * profile.mean_slowness(from, mirror) + two * profile.mean_slowness(mirror, to)) / (one + two);
    Eigenray {
        time_s: length * slow,
        departure_rad: ((one + two) * (mirror - from).signum()).atan2(distance),
        arrival_rad: 0.0,
        spreading_m: length,
    }
}

/// That the table of the independent ray code is what it says, where its package is there.
#[test]
fn the_independent_ray_code_still_says_so() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rays");
    let output = std::process::Command::new("python3")
        .arg(folder.join("rays.py"))
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let kept = std::fs::read_to_string(folder.join("rays.csv")).unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), kept);
        }
        _ => println!("SKIPPED: python3 with pyrocko is not there"),
    }
}
