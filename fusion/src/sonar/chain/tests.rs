use super::super::synthetic::{Noise, Scatterer, Scene};
use super::*;
use beluga_types::elementary::{acos, cos, hypot, sin, tan};
use nalgebra::Vector3;

const BEAM: f64 = 1.0 / 57.295_779_513;

/// Beams one degree apart, one degree wide both ways, from straight down to the port horizon.
fn port_fan(from_deg: i32, to_deg: i32) -> Vec<Beam> {
    (from_deg..=to_deg)
        .map(|deg| Beam::at(-f64::from(deg).to_radians(), 0.0, [BEAM, 2.5], [0.35, BEAM]))
        .collect()
}

/// Rough scatterers on the wall `y = distance`, from `top` to `bottom` in z, around x = 0;
/// Lambert's law in amplitude, area per scatterer the same everywhere.
fn wall(distance: f64, bottom: f64, top: f64, count: usize, noise: &mut Noise) -> Vec<Scatterer> {
    (0..count)
        .map(|_| {
            let place = Vector3::new(
                noise.uniform() - 0.5,
                distance,
                bottom + (top - bottom) * noise.uniform(),
            );
            let cosine = distance / place.norm();
            Scatterer {
                place,
                amplitude: noise.complex() * cosine,
            }
        })
        .collect()
}

struct Errors(Vec<f64>);

impl Errors {
    fn share(&self, share: f64) -> f64 {
        let mut sizes: Vec<f64> = self.0.iter().map(|error| error.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        sizes[((sizes.len() - 1) as f64 * share) as usize]
    }

    fn rms(&self) -> f64 {
        (self.0.iter().map(|error| error * error).sum::<f64>() / self.0.len() as f64).sqrt()
    }

    fn bias(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }
}

/// Soundings of walls seen at about this incidence from about nine metres.
fn soundings(incidence_deg: i32, noise: &mut Noise, pings: u64) -> (Errors, Errors, usize) {
    let distance = 9.0 * cos(f64::from(incidence_deg).to_radians());
    // Straight at the wall is 90° to port.
    let beams = port_fan(90 - incidence_deg - 10, 90 - incidence_deg + 10);
    let low = -distance * tan(f64::from(incidence_deg + 9).to_radians());
    let high = -distance * tan(f64::from(incidence_deg - 9).to_radians());
    let mut scene = Scene::of(beams.clone(), 50e3);
    scene.noise = 2e-3;
    let mut chain = SonarChain::new(&SonarConfig::default(), SensorId(1));
    let (mut errors, mut scaled, mut without) = (Errors(Vec::new()), Errors(Vec::new()), 0);
    for seq in 0..pings {
        let count = ((high - low) * 2000.0) as usize;
        let ping = SonarPing::Beams(scene.ping(&wall(distance, low, high, count, noise), noise));
        let found = chain.detect(&ping, seq, Stamp::default(), scene.sound_speed_m_per_s);
        assert_eq!(found.notes, Vec::<String>::new());
        // The wall ends inside the fan: its outermost beams see only part of it.
        let inner = 6..beams.len() - 6;
        let seen = |beam: &usize| found.echoes.iter().any(|echo| echo.beam as usize == *beam);
        without += inner.clone().filter(|beam| !seen(beam)).count();
        for echo in found
            .echoes
            .iter()
            .filter(|echo| inner.contains(&(echo.beam as usize)))
        {
            let range_m = 0.5 * scene.sound_speed_m_per_s * echo.two_way_time_s;
            let across_wall = echo.direction.vector().y.clamp(-1.0, 1.0);
            let error = range_m * across_wall - distance;
            let sigma_range = 0.5 * scene.sound_speed_m_per_s * echo.sigma_time_s * across_wall;
            let sigma_turn = range_m * echo.sigma_across_rad * sin(acos(across_wall));
            errors.0.push(error);
            scaled.0.push(error / hypot(sigma_range, sigma_turn));
        }
    }
    (errors, scaled, without)
}

#[test]
fn soundings_of_a_wall_lie_on_it() {
    let mut noise = Noise::new(11);
    let mut all = Errors(Vec::new());
    for incidence_deg in [0, 8, 20, 40, 60, 70] {
        let pings = 4;
        let (errors, scaled, without) = soundings(incidence_deg, &mut noise, pings);
        println!(
            "{incidence_deg:>2}° ± 4°: {:>3} soundings, bias {:+.4} m, median {:.4} m, 95 % {:.4} m, worst {:.3} m; \
             over stated sigma {:.2} rms; {without} of {} beams empty",
            errors.0.len(),
            errors.bias(),
            errors.share(0.5),
            errors.share(0.95),
            errors.share(1.0),
            scaled.rms(),
            9 * pings,
        );
        // What is stated is speckle over the footprint, noise, and where in the beam the footprint lies.
        assert!(
            scaled.rms() < 1.5,
            "{incidence_deg}°: {:.2} of what is stated",
            scaled.rms()
        );
        all.0.extend(errors.0);
    }
    println!(
        "all: bias {:+.4} m, median {:.4} m, 95 % {:.4} m",
        all.bias(),
        all.share(0.5),
        all.share(0.95)
    );
    assert!(all.share(0.5) <= 0.03 && all.share(0.95) <= 0.08 && all.bias().abs() <= 0.01);
}

/// A short strip of scatterers that stands for a ladder's rung: along x, at this place across.
fn rung(y: f64, z: f64, strength: f64, noise: &mut Noise) -> Vec<Scatterer> {
    (0..40)
        .map(|_| Scatterer {
            place: Vector3::new(0.4 * (noise.uniform() - 0.5), y, z),
            amplitude: noise.complex() * strength,
        })
        .collect()
}

#[test]
fn a_rung_before_the_wall_is_one_sounding_between_its_beams() {
    let mut noise = Noise::new(5);
    let beams = port_fan(78, 102);
    let mut scene = Scene::of(beams, 50e3);
    scene.noise = 2e-3;
    let mut chain = SonarChain::new(&SonarConfig::default(), SensorId(1));
    let (mut places, mut walls) = (Vec::new(), 0);
    let pings = 10;
    for seq in 0..pings {
        // A third of a beam below the beam at 88°.
        let across = (88.0f64 - 0.33).to_radians();
        let (y, z) = (8.8 * sin(across), -8.8 * cos(across));
        let mut scatterers = wall(9.1, -1.9, 1.9, 7600, &mut noise);
        scatterers.extend(rung(y, z, 4.0, &mut noise));
        let ping = SonarPing::Beams(scene.ping(&scatterers, &mut noise));
        let found = chain.detect(&ping, seq, Stamp::default(), scene.sound_speed_m_per_s);
        for echo in &found.echoes {
            let at = echo.direction.vector() * (0.5 * scene.sound_speed_m_per_s * echo.two_way_time_s);
            if at.y < 8.95 {
                places.push(hypot(at.y - y, at.z - z));
            } else {
                walls += 1;
            }
        }
    }
    println!(
        "rung: {} soundings in {pings} pings, off by {places:.3?}; {walls} of the wall",
        places.len()
    );
    places.sort_by(f64::total_cmp);
    assert!(
        (6..=14).contains(&places.len()),
        "one a ping, give or take a fading one"
    );
    assert!(
        places[places.len() / 2] < 0.05,
        "median {}",
        places[places.len() / 2]
    );
    assert!(walls > 100, "the wall behind is still seen, {walls}");
}

/// Rough scatterers on the bed `z = -depth`, from `near` to `far` in y; as [`wall`].
fn bed(depth: f64, near: f64, far: f64, count: usize, noise: &mut Noise) -> Vec<Scatterer> {
    (0..count)
        .map(|_| {
            let y = near + (far - near) * noise.uniform();
            let place = Vector3::new(noise.uniform() - 0.5, y, -depth);
            Scatterer {
                place,
                amplitude: noise.complex() * (depth / place.norm()),
            }
        })
        .collect()
}

/// A quay on piles: its front wall ends 3 m above the bed, which goes on below it. The beam at the edge
/// sees both, the bed as far behind it as the wall's shadow lets it.
#[test]
fn a_wall_and_the_bed_in_one_beam_are_both_found() {
    let mut noise = Noise::new(23);
    let beams = port_fan(40, 72);
    let mut scene = Scene::of(beams, 50e3);
    scene.noise = 1e-3;
    let mut chain = SonarChain::new(&SonarConfig::default(), SensorId(1));
    let (distance, edge, depth) = (6.0, -4.0, 7.0);
    let shadow = distance * depth / -edge;
    let (pings, mut both, mut off) = (12, 0, Vec::new());
    for seq in 0..pings {
        let mut scatterers = wall(distance, edge, -1.0, 6000, &mut noise);
        scatterers.extend(bed(depth, 5.0, shadow, 11_000, &mut noise));
        let ping = SonarPing::Beams(scene.ping(&scatterers, &mut noise));
        let found = chain.detect(&ping, seq, Stamp::default(), scene.sound_speed_m_per_s);
        let mut seen = [0u32; 2];
        for echo in &found.echoes {
            let range_m = 0.5 * scene.sound_speed_m_per_s * echo.two_way_time_s;
            let at = echo.direction.vector() * range_m;
            let [to_wall, to_bed] = [at.y - distance, at.z + depth].map(f64::abs);
            off.push(to_wall.min(to_bed));
            // The edge lies at 56.3°, in the beam at 56°.
            if echo.beam == 16 {
                seen[usize::from(to_bed < to_wall)] += 1;
            }
        }
        both += u32::from(seen == [1, 1]);
    }
    off.sort_by(f64::total_cmp);
    let (most, worst) = (off[off.len() * 95 / 100], off[off.len() - 1]);
    println!(
        "both in {both} of {pings}; {} soundings, 95 % within {most:.3} m, all within {worst:.3}",
        off.len()
    );
    assert!(both >= 10, "{both} of {pings}");
    assert!(most < 0.08 && worst < 0.3, "{most} m, {worst} m");
}

fn one_ping(iq_noise: u64) -> (Scene, SonarPing) {
    let mut noise = Noise::new(iq_noise);
    let mut scene = Scene::of(port_fan(50, 69), 50e3);
    scene.noise = 2e-3;
    let ping = scene.ping(&wall(7.0, -7.0, -2.0, 3000, &mut noise), &mut noise);
    (scene, SonarPing::Beams(ping))
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (scene, ping) = one_ping(21);
    let config = SonarConfig {
        keep_echoes: true,
        ..SonarConfig::default()
    };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut chain = SonarChain::new(&config, SensorId(0));
            let first = chain.detect(&ping, 0, Stamp::default(), scene.sound_speed_m_per_s);
            let again = chain.detect(&ping, 0, Stamp::default(), scene.sound_speed_m_per_s);
            assert_eq!(first, again, "nothing is left over from ping to ping");
            first
        })
    };
    let one = run(1);
    assert!(one.echoes.len() >= 15);
    assert!(
        one.echogram
            .as_ref()
            .is_some_and(|picture| picture.raw_db.len() == 20 * 256)
    );
    for threads in [2, 3, 8] {
        assert_eq!(format!("{:?}", run(threads)), format!("{one:?}"));
    }
}

#[test]
fn noise_alone_gives_next_to_no_echoes() {
    let mut noise = Noise::new(31);
    let mut scene = Scene::of(port_fan(20, 39), 50e3);
    scene.noise = 1.0;
    let mut chain = SonarChain::new(&SonarConfig::default(), SensorId(0));
    let echoes: usize = (0..5)
        .map(|seq| {
            let ping = SonarPing::Beams(scene.ping(&[], &mut noise));
            chain
                .detect(&ping, seq, Stamp::default(), scene.sound_speed_m_per_s)
                .echoes
                .len()
        })
        .sum();
    assert!(echoes <= 3, "{echoes} echoes in 100 rows of noise");
}

#[test]
fn more_training_cells_than_a_ping_has_are_told() {
    let (scene, ping) = one_ping(22);
    let heard = |training_cells, guard_cells| {
        let config = SonarConfig {
            training_cells,
            guard_cells,
            ..SonarConfig::default()
        };
        let mut chain = SonarChain::new(&config, SensorId(1));
        let found = chain.detect(&ping, 0, Stamp::default(), scene.sound_speed_m_per_s);
        (found.echoes.len(), found.notes)
    };
    let (echoes, notes) = heard(256, 64);
    assert!(echoes > 0 && notes.is_empty(), "{echoes}, {notes:?}");
    let SonarPing::Beams(beams) = &ping else {
        unreachable!()
    };
    let mut late = beams.clone();
    // 26 m of range, of which three are left.
    late.blanking_m = 23.0;
    let mut chain = SonarChain::new(
        &SonarConfig {
            training_cells: 256,
            guard_cells: 64,
            ..SonarConfig::default()
        },
        SensorId(1),
    );
    let found = chain.detect(
        &SonarPing::Beams(late),
        0,
        Stamp::default(),
        scene.sound_speed_m_per_s,
    );
    assert!(found.notes[0].contains("need 257"), "{:?}", found.notes);
}

#[test]
fn what_cannot_be_processed_is_noted_once() {
    let (scene, ping) = one_ping(22);
    let SonarPing::Beams(beams) = &ping else {
        unreachable!()
    };
    let mut bad = beams.clone();
    bad.pulse.duration_s = -1.0;
    let mut chain = SonarChain::new(&SonarConfig::default(), SensorId(0));
    let bad = SonarPing::Beams(bad);
    let first = chain.detect(&bad, 0, Stamp::default(), scene.sound_speed_m_per_s);
    assert!(
        first.echoes.is_empty() && first.notes.len() == 1,
        "{:?}",
        first.notes
    );
    assert!(
        chain
            .detect(&bad, 1, Stamp::default(), scene.sound_speed_m_per_s)
            .notes
            .is_empty()
    );
    let good = chain.detect(&ping, 2, Stamp::default(), scene.sound_speed_m_per_s);
    assert!(!good.echoes.is_empty() && good.echogram.is_none());
}

#[test]
fn wide_beams_give_arcs_at_their_nearest_point() {
    let mut noise = Noise::new(41);
    // 20° of elevation, looking straight at a wall 9 m away through one degree of bearing.
    let wide = 20f64.to_radians();
    let beams = vec![Beam::at(
        -std::f64::consts::FRAC_PI_2,
        0.0,
        [BEAM, 2.5],
        [BEAM, wide],
    )];
    let mut scene = Scene::of(beams, 50e3);
    scene.noise = 1e-3;
    let mut chain = SonarChain::new(&SonarConfig::default(), SensorId(0));
    let ping = SonarPing::Beams(scene.ping(&wall(9.0, -2.0, 2.0, 6000, &mut noise), &mut noise));
    let found = chain.detect(&ping, 0, Stamp::default(), scene.sound_speed_m_per_s);
    let nearest = &found.echoes[0];
    assert_eq!(nearest.method, DetectionMethod::LeadingEdge);
    assert!((nearest.half_angle_rad.unwrap() - 0.5 * wide).abs() < 0.01);
    assert!(
        nearest.arc_plane.vector().z.abs() > 0.99,
        "the fan of angles stands upright"
    );
    let range_m = 0.5 * scene.sound_speed_m_per_s * nearest.two_way_time_s;
    assert!((range_m - 9.0).abs() < 0.03, "{range_m} m");
}
