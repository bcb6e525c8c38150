//! A world in which sound does all it can: the same for any number of threads, and every echo told.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use beluga_sim::{Scenario, World};
use beluga_types::{Payload, SampleValues, SonarPing};

fn scenario() -> Scenario {
    let mut scenario = Scenario::sample();
    scenario.duration_s = 0.7;
    scenario
}

fn pings(scenario: Scenario, threads: usize) -> Vec<Vec<[i16; 2]>> {
    let world = World::new(scenario).unwrap();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let of = |payload: &Payload| match payload {
        Payload::Sonar(ping) => match ping.as_ref() {
            SonarPing::Beams(beams) => match beams.waveforms.values() {
                SampleValues::IqI16(values) => Some(values.to_vec()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    pool.install(|| world.measurements().filter_map(|one| of(&one.payload)).collect())
}

fn power(pings: &[Vec<[i16; 2]>]) -> f64 {
    pings
        .iter()
        .flatten()
        .flatten()
        .map(|part| f64::from(*part).powi(2))
        .sum()
}

#[test]
fn all_of_sounds_ways_are_the_same_for_one_thread_and_two() {
    let mut full = scenario();
    full.water.profile = vec![[0.0, 1482.0], [2.0, 1481.0], [4.0, 1471.0], [15.0, 1468.0]];
    full.water.multipath = 2;
    full.water.specular = true;
    full.water.wind_m_per_s = 4.0;
    full.water.surface_roughness_m = Some(2e-3);
    full.water.volume_scattering_db = Some(-60.0);
    full.water.current_m_per_s = [0.3, 0.0, 0.0];
    let one = pings(full.clone(), 1);
    assert!(!one.is_empty());
    assert_eq!(one, pings(full.clone(), 2));
    full.seed = 2;
    assert_ne!(one, pings(full, 1));
}

#[test]
fn each_switch_changes_the_ping_and_none_of_them_drowns_it() {
    let plain = pings(scenario(), 2);
    let with = |change: &dyn Fn(&mut Scenario)| {
        let mut changed = scenario();
        change(&mut changed);
        pings(changed, 2)
    };
    let even = with(&|s| s.water.profile = vec![[0.0, 1476.0]]);
    let differing = even
        .iter()
        .flatten()
        .zip(plain.iter().flatten())
        .filter(|(a, b)| a != b)
        .count();
    let all = plain.iter().map(Vec::len).sum::<usize>();
    println!("an even profile against none: {differing} of {all} samples differ");
    assert!(differing * 10 < all, "{differing} of {all}");
    for (name, pings) in [
        (
            "layers",
            with(&|s| s.water.profile = vec![[0.0, 1484.0], [5.0, 1466.0]]),
        ),
        ("mirrors", with(&|s| s.water.multipath = 1)),
        ("bubbles", with(&|s| s.water.wind_m_per_s = 8.0)),
        ("glints", with(&|s| s.water.specular = true)),
        ("floating", with(&|s| s.water.volume_scattering_db = Some(-45.0))),
    ] {
        let ratio = 10.0 * (power(&pings) / power(&plain)).log10();
        println!("{name}: {ratio:+.2} dB of all that is heard");
        assert!(pings != plain && ratio.abs() < 20.0, "{name}: {ratio}");
    }
}
