//! The timeline of a simulated world through the room's door.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use beluga_sim::{Scenario, World};
use beluga_types::{Measurement, Payload, SampleValues, SonarPing};

/// A world of about a second, small enough to be made twice.
fn short() -> Scenario {
    let mut scenario = Scenario::sample();
    scenario.duration_s = 1.3;
    scenario.sonar.beams = 12;
    scenario.lidar.columns = 128;
    scenario
}

fn all(scenario: Scenario, threads: usize) -> Vec<Measurement> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let world = World::new(scenario).unwrap();
    pool.install(|| world.measurements().collect())
}

#[test]
fn one_thread_and_eight_make_the_same_measurements() {
    let one = all(short(), 1);
    assert_eq!(one, all(short(), 8));
    let mut other = short();
    other.seed = 2;
    assert_ne!(one, all(other, 2), "another seed is another world");
}

#[test]
fn the_timeline_is_sorted_and_whole() {
    let measurements = all(short(), 2);
    assert!(
        measurements
            .windows(2)
            .all(|pair| pair[0].order() < pair[1].order())
    );
    for (sensor, expected) in [(0, 12), (1, 7), (2, 66)] {
        let seqs: Vec<u64> = measurements
            .iter()
            .filter(|m| m.sensor.0 == sensor)
            .map(|m| m.seq)
            .collect();
        assert_eq!(seqs, (0..expected).collect::<Vec<u64>>(), "sensor {sensor}");
    }
    for measurement in &measurements {
        assert!(measurement.stamp <= measurement.end && measurement.end < measurement.received);
        assert!(!matches!(measurement.payload, Payload::Gap(_)));
    }
}

#[test]
fn withheld_navigation_changes_nothing_else() {
    let mut without = short();
    without.nav.withheld = true;
    let without = all(without, 2);
    let with: Vec<Measurement> = all(short(), 2).into_iter().filter(|m| m.sensor.0 != 2).collect();
    assert_eq!(with, without);
}

/// Counts use the range of 16 bits: neither clipped nor lost in the last digit.
#[test]
fn the_counts_have_headroom_and_depth() {
    for measurement in all(short(), 2) {
        let Payload::Sonar(ping) = &measurement.payload else {
            continue;
        };
        let SonarPing::Beams(beams) = ping.as_ref() else {
            panic!("the multibeam gives beams");
        };
        let SampleValues::IqI16(values) = beams.waveforms.values() else {
            panic!("as 16-bit I and Q");
        };
        let loudest = values
            .iter()
            .flatten()
            .map(|v| i32::from(*v).abs())
            .max()
            .unwrap();
        assert!((1_000..32_000).contains(&loudest), "{loudest}");
        let square: f64 = values
            .iter()
            .rev()
            .take(20)
            .flatten()
            .map(|v| f64::from(*v).powi(2))
            .sum();
        assert!(
            (square / 40.0).sqrt() > 5.0,
            "the noise floor is well above a count"
        );
    }
}
