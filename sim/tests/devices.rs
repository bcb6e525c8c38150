//! Every device through the room's door: the same for any number of threads.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use beluga_sim::{DEVICES, Scenario, World};
use beluga_types::{Measurement, Payload, SonarPing};

fn scenario(device: &str) -> Scenario {
    Scenario::from_toml(&format!(
        "duration_s = 0.7\n[sonar]\ndevice = \"{device}\"\nbeams = 12\nrange_m = 6\nrate_hz = 4\nnoise_db = -90\n\
         crosstalk_db = -50\nhum = {{ frequency_hz = 1, level_db = -90 }}\n\
         neighbour = {{ rate_hz = 9, level_db = -70, across_deg = 10, centre_hz = 1e5, pulse_s = 1e-3 }}\n\
         [lidar]\nrings = 1\ncolumns = 16\n",
    )
    .replace("frequency_hz = 1,", &format!("frequency_hz = {},", centre_hz(device))))
    .unwrap()
}

fn centre_hz(device: &str) -> f64 {
    beluga_sim::SonarScenario::of_device(device).unwrap().centre_hz
}

fn pings(scenario: Scenario, threads: usize) -> Vec<Measurement> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let world = World::new(scenario).unwrap();
    let measured: Vec<Measurement> = pool.install(|| world.measurements().collect());
    measured
        .into_iter()
        .filter(|m| matches!(m.payload, Payload::Sonar(_)))
        .collect()
}

#[test]
fn one_thread_and_two_make_the_same_pings_of_every_device() {
    for (device, _) in DEVICES {
        let one = pings(scenario(device), 1);
        assert!(one.len() >= 3, "{device}: {}", one.len());
        assert!(one == pings(scenario(device), 2), "{device}");
        let mut seqs: Vec<u64> = one.iter().map(|m| m.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (0..one.len() as u64).collect::<Vec<_>>(), "{device}");
    }
}

#[test]
fn a_scanning_heads_pings_tell_their_angle_and_a_side_scan_pings_both_sides_at_once() {
    let head: Vec<f64> = pings(scenario("scanning-750k"), 2)
        .iter()
        .map(|m| match &m.payload {
            Payload::Sonar(ping) => match ping.as_ref() {
                SonarPing::Profile(profile) => profile.steering_rad.to_degrees(),
                _ => panic!("a profile"),
            },
            _ => panic!("a ping"),
        })
        .collect();
    for pair in head.windows(2) {
        assert!((pair[1] - pair[0] - 0.9).abs() < 1e-9, "{head:?}");
    }
    let sides = pings(scenario("sidescan-450k"), 2);
    for pair in sides.chunks(2) {
        assert_eq!(pair[0].stamp, pair[1].stamp);
        assert_ne!(pair[0].payload, pair[1].payload);
    }
}
