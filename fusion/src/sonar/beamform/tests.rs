//! Arrays that hear what is known.

use super::super::chain::SonarChain;
use super::super::config::SonarConfig;
use super::super::echo::DetectionMethod;
use super::super::polar::{from_polar, norm};
use super::super::synthetic::{Hydrophones, Noise, Scatterer, echo_at};
use super::*;
use beluga_types::elementary::{asin, cos, hypot, log10, sin};
use beluga_types::{PulseKind, SensorId, Shading, SonarPing, Stamp};

const SPEED: f64 = 1500.0;
const RATE_HZ: f64 = 25e3;
const CENTRE_HZ: f64 = 100e3;
const HALF_WAVE_M: f64 = 0.0075;

fn pulse() -> Pulse {
    Pulse {
        kind: PulseKind::Lfm,
        start_hz: 90e3,
        end_hz: 110e3,
        duration_s: 1e-3,
        shading: Shading::Rectangular,
    }
}

fn line(count: i32, apart_m: f64) -> Vec<Vector3<f64>> {
    let middle = 0.5 * f64::from(count - 1);
    (0..count)
        .map(|i| Vector3::y() * (f64::from(i) - middle) * apart_m)
        .collect()
}

fn plane(count: i32, apart_m: f64) -> Vec<Vector3<f64>> {
    let row = line(count, apart_m);
    row.iter()
        .flat_map(|one| row.iter().map(move |other| Vector3::new(one.y, other.y, 0.0)))
        .collect()
}

/// What the elements hear of a unit echo at a place, each at its own distance; the sound left the middle.
fn heard(places: &[Vector3<f64>], target: Vector3<f64>, noise: f64) -> Elements {
    let hydrophones = Hydrophones {
        pulse: pulse(),
        rate_hz: RATE_HZ,
        centre_hz: CENTRE_HZ,
        samples: 1200,
        sound_speed_m_per_s: SPEED,
        places: places.to_vec(),
        noise,
    };
    let target = Scatterer {
        place: target,
        amplitude: Complex::new(1.0, 0.0),
    };
    hydrophones.ping(&[target], &mut Noise::new(3))
}

fn former(ping: &Elements, window: ReplicaWindow) -> Beamformer {
    Beamformer::new(ping, &pulse(), window, SPEED, Transforms::Fastest).unwrap()
}

fn down(across_rad: f64) -> Vector3<f64> {
    Vector3::new(0.0, -sin(across_rad), -cos(across_rad))
}

/// Amplitude of a beam towards the middle frequency's plane wave from an angle, both from broadside.
fn pattern(former: &Beamformer, from_rad: f64) -> f64 {
    let wave = TAU * CENTRE_HZ / SPEED;
    let turn = |(place, weight): &(Vector3<f64>, f64)| {
        from_polar(
            *weight,
            wave * (place.dot(&down(from_rad)) + later_m(place, &down(0.0), f64::INFINITY)),
        )
    };
    norm(former.elements.iter().map(turn).sum())
}

#[test]
fn a_line_of_sixteen_has_the_published_width_and_sidelobe() {
    let former = former(
        &heard(&line(16, HALF_WAVE_M), down(0.0) * 10.0, 0.0),
        ReplicaWindow::Matched,
    );
    let steps: Vec<f64> = (0..90_000)
        .map(|i| pattern(&former, f64::from(i) * 1e-5))
        .collect();
    let half = steps.iter().position(|&value| value < 0.5f64.sqrt()).unwrap();
    let width_deg = 2.0 * (half as f64 * 1e-5).to_degrees();
    let null = (half..).find(|&i| steps[i + 1] > steps[i]).unwrap();
    let lobe_db = 20.0 * log10(steps[null..].iter().copied().fold(0.0, f64::max));
    println!("{width_deg:.3}°, {lobe_db:.3} dB");
    // Published: 6.34°, which is read a third of a percent low (6.359° by the pattern's own formula).
    assert!((width_deg - 6.34).abs() < 0.025, "{width_deg}°");
    assert!((lobe_db + 13.147).abs() < 0.001, "{lobe_db} dB");
}

#[test]
fn a_target_on_a_beam_keeps_level_and_time_near_and_far() {
    for places in [line(16, HALF_WAVE_M), plane(8, HALF_WAVE_M)] {
        // The nearest is nearer than the pulse is long, which costs a little.
        for (range_m, most_db) in [(0.45, 0.4), (0.8, 0.2), (1.3, 0.2), (12.0, 0.2)] {
            let ping = heard(&places, Vector3::zeros(), 0.0);
            let former = former(&ping, ReplicaWindow::Matched);
            for number in [former.beams.len() / 2, former.beams.len() / 2 + 5] {
                let target = former.beams[number].direction.vector() * range_m;
                let formed = former.form(&heard(&places, target, 0.0)).unwrap().beams;
                let mut row = Vec::new();
                formed.waveforms.read_channel(number, &mut row);
                let delay_s = 2.0 * range_m / SPEED;
                // The middle of the pulse, away from its edges.
                let (mut seen, mut wanted) = (0.0, 0.0);
                for (n, value) in row.iter().enumerate() {
                    let t = n as f64 / RATE_HZ;
                    if (t - delay_s).abs() < 0.3e-3 {
                        let truth = echo_at(&pulse(), true, CENTRE_HZ, t, delay_s);
                        let value = Complex::new(f64::from(value[0]), f64::from(value[1]));
                        seen += (value * truth.conj()).re;
                        wanted += truth.norm_sqr();
                    }
                }
                let level_db = 20.0 * log10(seen / wanted);
                assert!(
                    level_db.abs() < most_db,
                    "{range_m} m, beam {number}: {level_db} dB"
                );
            }
        }
    }
}

#[test]
fn the_chain_places_what_an_array_hears() {
    let target = down(0.31) * 6.0;
    let mut chain = SonarChain::new(&SonarConfig::default(), SensorId(0));
    let ping = SonarPing::Elements(heard(&line(16, HALF_WAVE_M), target, 0.05));
    let found = chain.detect(&ping, 0, Stamp::default(), SPEED);
    // Half a wavelength of the middle is more than half of the shortest.
    assert!(
        found.notes.len() == 1 && found.notes[0].contains("65°"),
        "{:?}",
        found.notes
    );
    let again = chain.detect(&ping, 1, Stamp::default(), SPEED);
    assert!(again.notes.is_empty() && again.echoes == found.echoes);
    let strongest = found
        .echoes
        .iter()
        .max_by(|a, b| a.level_db.total_cmp(&b.level_db))
        .unwrap();
    let bearing = asin(-strongest.direction.vector().y);
    assert!((0.5 * SPEED * strongest.two_way_time_s - 6.0).abs() < 0.05);
    // One sigma across is a part of the beam's 6.34°.
    assert!(
        (bearing - 0.31).abs() < 3.0 * strongest.sigma_across_rad,
        "{bearing} rad"
    );
    assert!(
        strongest.half_angle_rad.is_some(),
        "a line does not tell elevation"
    );
    assert_eq!(strongest.method, DetectionMethod::LeadingEdge);
}

#[test]
fn what_sees_double_is_said_and_what_is_no_array_is_refused() {
    let sparse = former(&heard(&line(8, 0.012), down(0.0) * 5.0, 0.0), ReplicaWindow::Hann);
    assert!(sparse.notes[0].contains("grating lobes"), "{:?}", sparse.notes);
    let farthest = sparse
        .beams
        .iter()
        .map(|beam| beam.direction.vector().y.abs())
        .fold(0.0, f64::max);
    assert!(farthest <= 0.5 * SPEED / 110e3 / 0.012 + 1e-9, "{farthest}");
    let one_place = heard(&[Vector3::x(); 4], down(0.0) * 5.0, 0.0);
    let refused = Beamformer::new(
        &one_place,
        &pulse(),
        ReplicaWindow::Matched,
        SPEED,
        Transforms::Fastest,
    )
    .err();
    assert_eq!(refused, Some(Unformed::Point { found: 4 }));
    let mut short = heard(&line(5, HALF_WAVE_M), down(0.0) * 5.0, 0.0);
    short.positions = short.positions[..4].into();
    assert!(matches!(
        Beamformer::new(
            &short,
            &pulse(),
            ReplicaWindow::Matched,
            SPEED,
            Transforms::Fastest
        ),
        Err(Unformed::Places {
            channels: 5,
            found: 4
        })
    ));
}

#[test]
fn an_array_too_large_for_its_ping_is_refused_and_one_of_many_beams_is_thinned() {
    let spread: Vec<_> = line(4, 1e6);
    let ping = heard(&spread, down(0.0) * 5.0, 0.0);
    let refused = Beamformer::new(
        &ping,
        &pulse(),
        ReplicaWindow::Matched,
        SPEED,
        Transforms::Fastest,
    )
    .err();
    assert!(matches!(refused, Some(Unformed::Large { .. })), "{refused:?}");
    let aperture = Aperture::new(&plane(8, HALF_WAVE_M), 64).unwrap();
    let (all, _) = aperture.table(ReplicaWindow::Matched, 0.015, 0.015, 1024);
    let (thinned, notes) = aperture.table(ReplicaWindow::Matched, 0.015, 0.015, 100);
    assert!(
        all.len() > 100 && thinned.len() <= 100 && thinned.len() > 50,
        "{}",
        all.len()
    );
    assert!(notes[0].contains("of which every"), "{notes:?}");
}

/// Rows first, and each element by itself: the same beams.
#[test]
fn a_grid_is_added_up_as_its_elements_are() {
    let mut places = plane(6, HALF_WAVE_M);
    let target = Vector3::new(0.8, -1.1, -3.0);
    let by_rows = |places: &[Vector3<f64>]| {
        let ping = heard(places, target, 0.2);
        let mut former = former(&ping, ReplicaWindow::Hann);
        let has_rows = former.grid.is_some();
        let fast = former.form(&ping).unwrap().beams;
        former.grid = None;
        (has_rows, fast, former.form(&ping).unwrap().beams)
    };
    let (has_rows, fast, slow) = by_rows(&places);
    assert!(has_rows && fast.beams.len() > 20, "{}", fast.beams.len());
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for beam in 0..fast.beams.len() {
        fast.waveforms.read_channel(beam, &mut one);
        slow.waveforms.read_channel(beam, &mut other);
        for (a, b) in one.iter().zip(&other) {
            assert!(
                hypot(f64::from(a[0] - b[0]), f64::from(a[1] - b[1])) < 2e-6,
                "beam {beam}: {a:?}, {b:?}"
            );
        }
    }
    // One element a millimetre out of its row, or out of the plane: no grid.
    places[7].x += 1e-3;
    assert!(!by_rows(&places).0);
    places[7] += Vector3::new(-1e-3, 0.0, 1e-3);
    assert!(!by_rows(&places).0);
}

#[test]
fn any_number_of_threads_forms_the_same_bits() {
    let ping = heard(&plane(4, HALF_WAVE_M), down(0.2) * 4.0, 0.1);
    let formed = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| former(&ping, ReplicaWindow::Taylor).form(&ping).unwrap().beams)
    };
    assert_eq!(formed(1), formed(3));
}
