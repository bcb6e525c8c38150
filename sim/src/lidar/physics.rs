//! The lidar's physics, measured against what is expected.

use nalgebra::{Matrix3, Vector3};

use beluga_types::Transform;

use super::light::{Echo, Medium};
use super::receiver::{MOST_RETURNS, Receiver, Return};
use super::{ReturnTruth, beam, fan, fresnel};
use crate::random::{Dice, Source};
use crate::scenario::LidarScenario;
use crate::scene::{Kind, Parts, Scene, Shape, Surface, WallPlane};

/// A wall across x at a distance, from y `from` to `to`, 40 m high about z = 10.
fn across(kind: Kind, distance: f64, from: f64, to: f64) -> Surface {
    let shape = Shape::Rectangle {
        corner: Vector3::new(distance, from, -10.0),
        first: Vector3::y(),
        second: Vector3::z(),
        size: [to - from, 40.0],
    };
    Surface { kind, shape }
}

fn scene(surfaces: Vec<Surface>) -> Scene {
    let wall = WallPlane {
        origin: Vector3::zeros(),
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

/// A lidar that loses nothing.
fn lidar() -> LidarScenario {
    LidarScenario {
        dropout: 0.0,
        range_m: 200.0,
        ..LidarScenario::default()
    }
}

/// A lidar at the origin of `Quay`, above dry ground unless there is water.
struct Stand<'a> {
    scene: &'a Scene,
    lidar: LidarScenario,
    height_m: f64,
    water_m: f64,
}

impl<'a> Stand<'a> {
    fn dry(scene: &'a Scene, lidar: LidarScenario) -> Self {
        Self {
            scene,
            lidar,
            height_m: 0.0,
            water_m: f64::NEG_INFINITY,
        }
    }

    fn shoot(&self, direction: Vector3<f64>, ray: u64) -> [Option<Return>; MOST_RETURNS] {
        let medium = Medium {
            scene: self.scene,
            lidar: &self.lidar,
            water_m: self.water_m,
        };
        let dice = Dice::new(11, Source::LidarRay, 0, ray);
        let sub_rays = fan::sub_rays(&self.lidar);
        let mut echoes: Vec<Echo> = Vec::new();
        let origin = Vector3::new(0.0, 0.0, self.height_m);
        let direction = direction.normalize();
        let axes = Matrix3::identity();
        beam(&medium, &origin, &axes, &direction, &sub_rays, &dice, &mut echoes);
        let receiver = Receiver {
            lidar: &self.lidar,
            sub_rays: sub_rays.len(),
            bias_m: self.lidar.range_bias_m,
        };
        receiver.returns(&mut echoes, &dice)
    }

    fn strongest(&self, direction: Vector3<f64>, ray: u64) -> Option<Return> {
        self.shoot(direction, ray)[0]
    }
}

#[test]
fn range_noise_has_its_moments() {
    let scene = scene(vec![across(Kind::Wall, 10.0, -5.0, 5.0)]);
    let mut lidar = lidar();
    lidar.range_sigma_m = 0.015;
    lidar.range_bias_m = 0.020;
    let stand = Stand::dry(&scene, lidar);
    let n = 100_000u64;
    let errors: Vec<f64> = (0..n)
        .map(|ray| stand.strongest(Vector3::x(), ray).unwrap().range_m - 10.0)
        .collect();
    let mean = errors.iter().sum::<f64>() / n as f64;
    let moment = |power: i32| errors.iter().map(|e| (e - mean).powi(power)).sum::<f64>() / n as f64;
    let sigma = moment(2).sqrt();
    let (skewness, kurtosis) = (moment(3) / sigma.powi(3), moment(4) / moment(2).powi(2));
    println!(
        "lidar range: mean {:.3} mm, expected 20; sigma {:.3} mm, expected 15",
        1e3 * mean,
        1e3 * sigma
    );
    println!("lidar range: skewness {skewness:.3}, expected 0; kurtosis {kurtosis:.3}, expected 3");
    // Four sigmas of 1e5 samples: mean 0.19 mm, sigma 0.13 mm, skewness 0.031, kurtosis 0.062.
    assert!((mean - 0.020).abs() < 0.2e-3 && (sigma - 0.015).abs() < 0.14e-3);
    assert!(skewness.abs() < 0.035 && (kurtosis - 3.0).abs() < 0.07);
}

#[test]
fn intensity_falls_with_the_cosine_and_not_with_range() {
    let near = scene(vec![across(Kind::Wall, 10.0, -90.0, 90.0)]);
    let far = scene(vec![across(Kind::Wall, 40.0, -90.0, 90.0)]);
    let mean = |scene: &Scene, deg: f64| {
        let stand = Stand::dry(scene, lidar());
        let (sin, cos) = deg.to_radians().sin_cos();
        let first = 10_000 * deg as u64;
        let sum: f64 = (first..first + 2_000)
            .map(|ray| {
                stand
                    .strongest(Vector3::new(cos, sin, 0.0), ray)
                    .unwrap()
                    .intensity
            })
            .sum();
        sum / 2_000.0
    };
    let places: Vec<[f64; 2]> = (0..16)
        .map(|i| 5.0 * f64::from(i))
        .map(|deg| [deg.to_radians().cos().ln(), mean(&near, deg).ln()])
        .collect();
    let middle = [0, 1].map(|axis| places.iter().map(|p| p[axis]).sum::<f64>() / 16.0);
    let cross: f64 = places
        .iter()
        .map(|p| (p[0] - middle[0]) * (p[1] - middle[1]))
        .sum();
    let square: f64 = places.iter().map(|p| (p[0] - middle[0]).powi(2)).sum();
    let slope = cross / square;
    println!("lidar intensity: slope over cosine {slope:.4}, expected 1 (Lambert)");
    assert!((slope - 1.0).abs() < 0.01, "{slope}");
    let ratio = mean(&far, 0.0) / mean(&near, 0.0);
    println!("lidar intensity: at 40 m over 10 m {ratio:.4}, expected 1 (corrected for range)");
    assert!((ratio - 1.0).abs() < 0.01);
}

#[test]
fn dark_surfaces_are_lost_at_their_range() {
    let mut lidar = lidar();
    lidar.range_at_10_percent_m = 60.0;
    for (kind, reflectivity) in [(Kind::Fender, 0.08), (Kind::Wall, 0.4), (Kind::Container, 0.6)] {
        let expected = 60.0 * f64::sqrt(reflectivity / 0.1);
        let seen = |distance: f64| {
            let scene = scene(vec![across(kind, distance, -1.0, 1.0)]);
            Stand::dry(&scene, lidar.clone())
                .strongest(Vector3::x(), 0)
                .is_some()
        };
        let farthest = (0..2_000)
            .map(|i| 0.1 * f64::from(i) + 1.0)
            .rfind(|&d| seen(d))
            .unwrap();
        println!("lidar detection: {kind:?} of {reflectivity} to {farthest:.1} m, expected {expected:.1}");
        assert!((farthest - expected).abs() < 0.11);
    }
}

/// A wall behind water: what is seen in the mirror stands as far below the waterline as the wall's
/// point above it, and has Fresnel's share of the light twice.
#[test]
fn the_ghost_in_the_water_is_the_mirror_image() {
    let scene = scene(vec![across(Kind::Wall, 20.0, -20.0, 20.0)]);
    let mut lidar = lidar();
    lidar.range_sigma_m = 0.0;
    lidar.water_ghosts = true;
    let mut stand = Stand::dry(&scene, lidar);
    (stand.height_m, stand.water_m) = (2.0, 0.3);
    for deg in [6.0f64, 10.0, 20.0, 40.0] {
        let (sin, cos) = deg.to_radians().sin_cos();
        let direction = Vector3::new(cos, 0.1 * cos, -sin).normalize();
        let n = 500u64;
        let found = stand.strongest(direction, 0).unwrap();
        let reported = Vector3::new(0.0, 0.0, 2.0) + direction * found.range_m;
        let image = Vector3::new(found.echo.point.x, found.echo.point.y, 0.6 - found.echo.point.z);
        let off = (reported - image).norm();
        println!(
            "lidar ghost {deg}° below the horizon: expected 0, measured {off:.1e} m off the mirror image"
        );
        assert!(off < 1e-9, "{reported} {image}");
        assert!(found.echo.ghost && found.echo.order == 1 && reported.z < 0.3 && image.z < 0.3);
        let mean = (0..n)
            .map(|ray| stand.strongest(direction, ray).unwrap().intensity)
            .sum::<f64>()
            / n as f64;
        let mirror = fresnel::boundary(-direction.z, fresnel::WATER);
        let expected = 255.0 * 0.4 * direction.x * mirror * mirror;
        println!("lidar ghost {deg}° below the horizon: intensity {mean:.3}, expected {expected:.3}");
        assert!((mean / expected - 1.0).abs() < 0.01);
    }
    stand.lidar.water_ghosts = false;
    assert_eq!(
        stand.strongest(Vector3::new(1.0, 0.0, -0.2), 0),
        None,
        "water returns nothing"
    );
}

/// With a detection limit, ghosts are seen at grazing incidence only.
#[test]
fn steep_ghosts_are_too_weak_and_wind_scatters_them() {
    let scene = scene(vec![across(Kind::Wall, 20.0, -20.0, 20.0)]);
    let mut lidar = lidar();
    lidar.range_sigma_m = 0.0;
    lidar.water_ghosts = true;
    lidar.range_at_10_percent_m = 60.0;
    let mut stand = Stand::dry(&scene, lidar);
    (stand.height_m, stand.water_m) = (2.0, 0.0);
    let down = |deg: f64| Vector3::new(deg.to_radians().cos(), 0.0, -deg.to_radians().sin());
    assert!(stand.strongest(down(7.0), 0).is_some());
    assert_eq!(stand.strongest(down(40.0), 0), None);
    stand.lidar.wind_m_per_s = 4.0;
    let heights: Vec<f64> = (0..4_000)
        .filter_map(|ray| stand.strongest(down(12.0), ray))
        .map(|found| found.echo.point.z)
        .collect();
    let n = heights.len() as f64;
    let mean = heights.iter().sum::<f64>() / n;
    let spread = (heights.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n).sqrt();
    println!("lidar ghost in 4 m/s of wind: {n} of 4000 seen, spread over the wall {spread:.2} m");
    assert!(n > 500.0 && spread > 0.5, "a rough mirror has no sharp image");
}

#[test]
fn a_beam_on_an_edge_gives_a_point_between_or_two() {
    // The nearer half of the beam on one plane, the other on one 0.2 m or 2 m behind.
    for (step, dual) in [(0.2, false), (2.0, true)] {
        let scene = scene(vec![
            across(Kind::Wall, 10.0, -30.0, 0.0),
            across(Kind::Wall, 10.0 + step, 0.0, 30.0),
        ]);
        let mut lidar = lidar();
        lidar.range_sigma_m = 0.0;
        lidar.divergence_mrad = 4.0;
        lidar.sub_rays = 64;
        lidar.dual_return = true;
        let stand = Stand::dry(&scene, lidar);
        let [first, second] = stand.shoot(Vector3::new(1.0, 1e-9, 0.0), 0);
        let first = first.unwrap();
        if dual {
            let second = second.unwrap();
            println!(
                "lidar edge of 2 m: {:.3} m and {:.3} m, intensities {:.1} and {:.1}, expected 10 and 12, 51 each",
                first.range_m, second.range_m, first.intensity, second.intensity
            );
            assert!((first.range_m - 10.0).abs() < 1e-3 && (second.range_m - 12.0).abs() < 1e-3);
            assert!((first.intensity / 51.0 - 1.0).abs() < 0.2);
        } else {
            println!(
                "lidar edge of 0.2 m: {:.3} m, expected 10.098 between both",
                first.range_m
            );
            // By received power the nearer plane counts a little more.
            assert!((first.range_m - 10.098).abs() < 0.01 && second.is_none());
        }
    }
}

#[test]
fn a_pane_transmits_mirrors_and_glints() {
    let pane = across(Kind::Glass, 5.0, -50.0, 50.0);
    let behind = across(Kind::Wall, 9.0, -50.0, 50.0);
    let before = across(Kind::Wall, -3.0, -50.0, 50.0);
    let scene = scene(vec![pane, behind, before]);
    let mut lidar = lidar();
    lidar.range_sigma_m = 0.0;
    lidar.dual_return = true;
    let stand = Stand::dry(&scene, lidar);
    // Straight on: the glint outshines everything.
    let glint = stand.strongest(Vector3::x(), 0).unwrap();
    assert!((glint.range_m - 5.0).abs() < 1e-9 && glint.echo.surface == 0);
    // Aslant: the wall behind, weakened by passing the pane twice; last, the wall in its mirror.
    let (sin, cos) = 30f64.to_radians().sin_cos();
    let n = 2_000u64;
    let (mut through, mut mirrored) = (0.0, 0.0);
    for ray in 0..n {
        let [first, last] = stand.shoot(Vector3::new(cos, sin, 0.0), ray).map(Option::unwrap);
        assert!((first.range_m - 9.0 / cos).abs() < 1e-9 && !first.echo.ghost);
        assert!((last.range_m - 13.0 / cos).abs() < 1e-9 && last.echo.ghost && last.echo.order == 1);
        assert!((last.echo.point.x + 3.0).abs() < 1e-5);
        through += first.intensity / n as f64;
        mirrored += last.intensity / n as f64;
    }
    let part = fresnel::pane(cos, fresnel::GLASS);
    let full = 255.0 * 0.4 * cos;
    let expected = [full * (1.0 - part).powi(2), full * part * part];
    println!(
        "lidar glass at 30°: through {through:.2}, expected {:.2}",
        expected[0]
    );
    println!(
        "lidar glass at 30°: mirrored {mirrored:.4}, expected {:.4}",
        expected[1]
    );
    assert!((through / expected[0] - 1.0).abs() < 0.01 && (mirrored / expected[1] - 1.0).abs() < 0.01);
}

#[test]
fn dropouts_and_drops_have_their_rates() {
    let scene = scene(vec![across(Kind::Wall, 10.0, -5.0, 5.0)]);
    let mut lidar = lidar();
    lidar.dropout = 0.03;
    lidar.spray = 0.05;
    lidar.spray_reach_m = 2.0;
    let stand = Stand::dry(&scene, lidar);
    let n = 50_000u64;
    let found: Vec<Return> = (0..n)
        .filter_map(|ray| stand.strongest(Vector3::x(), ray))
        .collect();
    let lost = 1.0 - found.len() as f64 / n as f64;
    let drops: Vec<&Return> = found
        .iter()
        .filter(|found| found.echo.surface == ReturnTruth::NO_SURFACE)
        .collect();
    // A drop is stronger than the wall (0.4 at 10 m) nearer than √(0.05 / 0.4) of it, and nothing
    // is seen nearer than 0.5 m.
    let nearest = f64::sqrt(0.05 / 0.4) * 10.0;
    let expected = 0.05 * ((-0.5f64 / 2.0).exp() - (-nearest / 2.0).exp());
    let rate = drops.len() as f64 / found.len() as f64;
    println!("lidar dropout: {lost:.4}, expected 0.03; spray {rate:.4}, expected {expected:.4}");
    assert!((lost - 0.03).abs() < 0.004 && (rate - expected).abs() < 0.004);
    assert!(
        drops
            .iter()
            .all(|drop| drop.echo.ghost && drop.range_m < nearest + 0.1)
    );
}

#[test]
fn rain_dims_and_returns() {
    let scene = scene(vec![across(Kind::Wall, 50.0, -5.0, 5.0)]);
    let mut lidar = lidar();
    lidar.rain_mm_per_h = 25.0;
    let stand = Stand::dry(&scene, lidar);
    let found: Vec<Return> = (0..20_000)
        .filter_map(|ray| stand.strongest(Vector3::x(), ray))
        .collect();
    let from_wall: Vec<f64> = found
        .iter()
        .filter(|found| found.echo.surface == 0)
        .map(|found| found.intensity)
        .collect();
    let mean = from_wall.iter().sum::<f64>() / from_wall.len() as f64;
    // ITU-R P.1814: 1.076 · 25^0.67 = 9.30 dB/km, over 100 m there and back.
    let expected = 255.0 * 0.4 * 10f64.powf(-0.1 * 9.300 * 0.1);
    println!("lidar rain of 25 mm/h at 50 m: intensity {mean:.2}, expected {expected:.2}");
    assert!((mean / expected - 1.0).abs() < 0.005);
    let drops = (found.len() - from_wall.len()) as f64 / found.len() as f64;
    // Extinction 2.14e-3 per metre from 0.5 m to √(0.05 / 0.4) of 50 m.
    let expected = 2.141e-3 * (17.7 - 0.5);
    println!("lidar rain: {drops:.4} of the returns are drops, expected {expected:.4}");
    assert!((drops - expected).abs() < 0.006);
}
