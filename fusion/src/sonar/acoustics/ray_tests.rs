use super::*;
use beluga_types::elementary::{asinh, cos, hypot, ln, sin, tan};

/// Seeded numbers in 0 to 1; L'Ecuyer's multiplicative generator is enough for specimens.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }
}

fn profile(levels: &[(f64, f64)]) -> Profile {
    Profile::new(levels).unwrap()
}

/// The slow twin: dx/dt = c cos φ, dz/dt = c sin φ, dφ/dt = -c' cos φ by Heun's method in tiny steps,
/// with the gradient of the layer a step begins in.
fn stepped(profile: &Profile, depth_m: f64, declination_rad: f64, time_s: f64) -> [f64; 3] {
    const STEP_S: f64 = 5e-7;
    let rate = |[_, z, angle]: [f64; 3]| {
        let layer = profile.layer_of(z);
        let speed = layer.speed_at(z);
        [
            speed * cos(angle),
            speed * sin(angle),
            -layer.gradient * cos(angle),
        ]
    };
    let mut at = [0.0, depth_m, declination_rad];
    let steps = (time_s / STEP_S).ceil();
    let step_s = time_s / steps;
    for _ in 0..steps as usize {
        let first = rate(at);
        let second = rate([0, 1, 2].map(|i| at[i] + step_s * first[i]));
        at = [0, 1, 2].map(|i| at[i] + 0.5 * step_s * (first[i] + second[i]));
    }
    at
}

#[test]
fn a_layered_profile_gives_the_worked_example() {
    let water = profile(&[(0.0, 1500.0), (20.0, 1490.0), (50.0, 1480.0)]);
    for (from_vertical_deg, along_m, time_ms) in [
        (30.0f64, 28.586553, 38.680835),
        (45.0, 49.276685, 47.146814),
        (60.0, 84.162972, 65.744978),
    ] {
        let end = water
            .trace(0.0, (90.0 - from_vertical_deg).to_radians(), 1e-3 * time_ms)
            .unwrap();
        // Distances are given to 1 µm, times to 1 ns, which is 1.5 µm of way.
        assert!((end.along_m - along_m).abs() < 3e-6, "{end:?}");
        assert!((end.depth_m - 50.0).abs() < 3e-6, "{end:?}");
    }
}

#[test]
fn five_metres_per_second_in_a_metre_bend_a_level_ray_by_seventeen_centimetres_in_ten_metres() {
    let water = profile(&[(0.0, 1455.0), (5.0, 1480.0), (10.0, 1505.0)]);
    let end = water.trace(5.0, 0.0, 10.0 / 1480.0).unwrap();
    assert!(
        (end.along_m - 10.0).abs() < 0.01 && (end.depth_m - 5.0 + 0.169).abs() < 1e-3,
        "{end:?}"
    );
}

#[test]
fn rays_of_every_slope_are_those_of_small_steps() {
    let mut seeded = Seeded(7);
    for case in 0..30 {
        let mut depth_m = 0.0;
        let levels: Vec<(f64, f64)> = (0..6)
            .map(|_| {
                depth_m += seeded.within(0.4, 4.0);
                (depth_m, seeded.within(1440.0, 1510.0))
            })
            .collect();
        let water = profile(&levels);
        // Level, 85, 90 and 95 degrees from the vertical, and anything between up and down.
        let declination_rad = match case {
            0..4 => [0.0f64, 5.0, 1e-9, -5.0][case].to_radians(),
            _ => seeded.within(-1.5, 1.5),
        };
        let (start_m, time_s) = (seeded.within(1.0, 12.0), seeded.within(1e-3, 2e-2));
        let end = water.trace(start_m, declination_rad, time_s).unwrap();
        let [along_m, down_m, angle] = stepped(&water, start_m, declination_rad, time_s);
        let off_m = hypot(end.along_m - along_m, end.depth_m - down_m);
        // A step that spans a border takes the wrong gradient for its rest.
        assert!(off_m < 5e-4, "case {case}: {off_m} m, {end:?}");
        assert!(
            (end.declination_rad - angle).abs() < 3e-5,
            "case {case}: {end:?} {angle}"
        );
    }
}

#[test]
fn a_ray_that_turns_comes_back_as_steep_as_it_went() {
    let water = profile(&[(0.0, 1450.0), (10.0, 1500.0)]);
    let (start_m, steep): (f64, f64) = (4.0, 0.03);
    let there_and_back_s = 2.0 * asinh(tan(steep)) / 5.0;
    let end = water.trace(start_m, steep, there_and_back_s).unwrap();
    assert!((end.depth_m - start_m).abs() < 1e-9 && (end.declination_rad + steep).abs() < 1e-12);
    let lowest = water.trace(start_m, steep, 0.5 * there_and_back_s).unwrap();
    // Snell: it turns where sound is faster by 1 / cos φ.
    let turns_m = start_m + 1470.0 * (1.0 / cos(steep) - 1.0) / 5.0;
    assert!((lowest.depth_m - turns_m).abs() < 1e-9 && lowest.declination_rad.abs() < 1e-12);
}

#[test]
fn straight_down_takes_the_time_of_the_layers() {
    let water = profile(&[(0.0, 1500.0), (20.0, 1490.0), (50.0, 1480.0)]);
    let time_s = 20.0 * ln(1500.0f64 / 1490.0) / 10.0 + 30.0 * ln(1490.0f64 / 1480.0) / 10.0;
    let end = water.trace(0.0, std::f64::consts::FRAC_PI_2, time_s).unwrap();
    assert!(
        (end.depth_m - 50.0).abs() < 1e-9 && end.along_m.abs() < 1e-6,
        "{end:?}"
    );
    let back = water.trace(50.0, -std::f64::consts::FRAC_PI_2, time_s).unwrap();
    assert!(back.depth_m.abs() < 1e-9, "{back:?}");
}

#[test]
fn still_water_and_water_beyond_the_profile_bend_nothing() {
    let water = profile(&[(2.0, 1480.0)]);
    for declination_rad in [-1.2f64, -0.1, 0.0, 0.7] {
        let end = water.trace(5.0, declination_rad, 0.01).unwrap();
        assert!((end.along_m - 14.8 * cos(declination_rad)).abs() < 1e-9);
        assert!((end.depth_m - 5.0 - 14.8 * sin(declination_rad)).abs() < 1e-9);
    }
}

#[test]
fn the_way_to_a_place_is_the_one_that_leads_there() {
    let mut seeded = Seeded(3);
    let water = profile(&[
        (0.0, 1502.0),
        (3.0, 1497.0),
        (4.0, 1489.0),
        (9.0, 1486.0),
        (30.0, 1484.0),
    ]);
    let mut found = 0;
    for _ in 0..200 {
        let (start_m, declination_rad) = (seeded.within(0.2, 8.0), seeded.within(-0.3, 1.5));
        let time_s = seeded.within(2e-4, 2e-2);
        let end = water.trace(start_m, declination_rad, time_s).unwrap();
        let Some(ray) = water.towards(start_m, end.along_m, end.depth_m) else {
            continue;
        };
        let again = water.trace(start_m, ray.declination_rad, ray.time_s).unwrap();
        assert!((again.along_m - end.along_m).abs() < 1e-6 && (again.depth_m - end.depth_m).abs() < 1e-6);
        // Two ways may lead to one place; the first is at most as long.
        assert!(ray.time_s < time_s + 1e-9);
        found += 1;
    }
    assert!(found > 190, "{found} of 200");
}

#[test]
fn what_is_no_profile_and_no_ray_is_refused() {
    for levels in [
        &[][..],
        &[(1.0, 1480.0), (1.0, 1481.0)],
        &[(1.0, 1480.0), (0.0, 1481.0)],
        &[(0.0, 340.0)],
        &[(0.0, f64::NAN)],
        &[(f64::INFINITY, 1480.0)],
    ] {
        assert_eq!(Profile::new(levels), None, "{levels:?}");
    }
    let water = profile(&[(0.0, 1480.0), (5.0, 1490.0)]);
    for (depth_m, declination_rad, time_s) in [(f64::NAN, 0.0, 1.0), (0.0, f64::NAN, 1.0), (0.0, 0.0, -1.0)] {
        assert_eq!(water.trace(depth_m, declination_rad, time_s), None);
    }
    assert_eq!(water.trace(0.0, 0.0, f64::INFINITY), None);
}
