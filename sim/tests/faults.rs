//! Each fault alone changes what it should and nothing else, and the truth says so.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use beluga_sim::{START, Scenario, World};
use beluga_types::{Gap, GapCause, Measurement, Payload, SampleValues, SensorId, SonarPing, Water};

const LIDAR: SensorId = SensorId(0);
const SONAR: SensorId = SensorId(1);
const NAV: SensorId = SensorId(2);

fn world(faults: &str) -> World {
    let mut scenario = Scenario::sample();
    scenario.duration_s = 1.6;
    scenario.sonar.beams = 8;
    scenario.lidar.columns = 32;
    if !faults.is_empty() {
        scenario.faults.set(faults).unwrap();
    }
    World::new(scenario).unwrap()
}

/// Everything a world with these faults gives; checks that the truth names them and the order holds.
fn all(faults: &str) -> Vec<Measurement> {
    let world = world(faults);
    let measurements: Vec<Measurement> = world.measurements().collect();
    assert!(
        measurements
            .windows(2)
            .all(|pair| pair[0].order() <= pair[1].order()),
        "{faults}"
    );
    let first = faults.split(['=', ':']).next().unwrap();
    let named = world.truth().faults;
    let found = named.iter().map(|fault| fault.fault.as_str());
    assert_eq!(
        found.collect::<Vec<_>>(),
        [first].map(|name| name).to_vec(),
        "{faults}"
    );
    measurements
}

fn clean() -> Vec<Measurement> {
    world("").measurements().collect()
}

fn of(measurements: &[Measurement], sensor: SensorId) -> Vec<Measurement> {
    measurements
        .iter()
        .filter(|measurement| measurement.sensor == sensor)
        .cloned()
        .collect()
}

/// The payloads of two runs by sensor and count, where both have one.
fn pairs(clean: &[Measurement], faulty: &[Measurement]) -> Vec<(Measurement, Measurement)> {
    let key = |measurement: &Measurement| (measurement.sensor, measurement.seq);
    let by_key: BTreeMap<_, _> = clean.iter().map(|m| (key(m), m)).collect();
    faulty
        .iter()
        .filter(|measurement| !matches!(measurement.payload, Payload::Gap(_)))
        .map(|measurement| (by_key[&key(measurement)].clone(), measurement.clone()))
        .collect()
}

fn gaps(measurements: &[Measurement]) -> Vec<&Gap> {
    measurements
        .iter()
        .filter_map(|measurement| match &measurement.payload {
            Payload::Gap(gap) => Some(gap),
            _ => None,
        })
        .collect()
}

fn seconds(measurement: &Measurement) -> f64 {
    measurement.stamp.seconds_since(START)
}

#[test]
fn clocks_change_stamps_and_nothing_else() {
    let clean = clean();
    for (faults, sensor, least, most) in [
        ("clock-offset=-40ms", SONAR, -0.040, -0.040),
        ("clock-offset:lidar=2s", LIDAR, 2.0, 2.0),
        ("clock-drift:nav=500ppm", NAV, 0.0, 0.0008),
        ("clock-jitter=200us", SONAR, -0.0006, 0.0006),
        ("pps-loss:nav=1s", NAV, 0.0, 0.000_012),
        ("latency:lidar=20ms", LIDAR, 0.020, 0.020),
    ] {
        let faulty = all(faults);
        let mut moved = 0;
        assert_eq!(faulty.len(), clean.len());
        for (right, wrong) in pairs(&clean, &faulty) {
            let shift = wrong.stamp.nanos_since(right.stamp);
            assert_eq!(wrong.end.nanos_since(right.end), shift);
            assert_eq!((&wrong.payload, wrong.received), (&right.payload, right.received));
            if wrong.sensor == sensor {
                let shift_s = shift as f64 * 1e-9;
                assert!(
                    shift_s >= least - 1e-9 && shift_s <= most + 1e-9,
                    "{faults}: {shift_s}"
                );
                moved += usize::from(shift != 0);
            } else {
                assert_eq!(shift, 0, "{faults}");
            }
        }
        assert!(moved * 3 > of(&clean, sensor).len(), "{faults}: {moved}");
    }
}

#[test]
fn what_only_the_rig_gets_wrong_changes_no_measurement() {
    let clean = clean();
    let right = world("").rig().clone();
    for faults in [
        "mount-roll=1.5deg",
        "mount-pitch:lidar=1",
        "mount-heading=-2",
        "mount-forward=10cm",
        "mount-starboard:lidar=-3cm",
        "mount-down=1cm",
        "tide=20cm",
    ] {
        assert_eq!(all(faults), clean, "{faults}");
        let world = world(faults);
        assert_eq!(world.true_rig(), &right);
        assert_ne!(world.rig(), &right);
    }
    let stated = world("mount-roll=1.5deg,tide=20cm").rig().clone();
    let roll = |rig: &beluga_types::Rig| rig.sensors[1].mount.attitude.roll_rad.to_degrees();
    assert!((roll(&stated) - roll(&right) - 1.5).abs() < 1e-9);
    let [told, truly] = [&stated, &right].map(|rig| rig.vessel.waterline_m.unwrap());
    assert!((told - truly - 0.2).abs() < 1e-9);
}

#[test]
fn the_speed_of_sound_is_told_wrong_in_rig_and_pings() {
    let clean = clean();
    for (faults, stated) in [("sound-speed=8m/s", 1484.0), ("sound-speed-stated=1500", 1500.0)] {
        assert_eq!(world(faults).rig().water, Water::SoundSpeed(stated));
        for (right, wrong) in pairs(&clean, &all(faults)) {
            if right.sensor != SONAR {
                assert_eq!(right, wrong);
                continue;
            }
            let (right, wrong) = (beams(&right), beams(&wrong));
            assert_eq!(wrong.sound_speed_m_per_s, Some(stated));
            assert_eq!((&wrong.waveforms, wrong.pulse), (&right.waveforms, right.pulse));
        }
    }
}

fn beams(measurement: &Measurement) -> beluga_types::Beams {
    match &measurement.payload {
        Payload::Sonar(ping) => match ping.as_ref() {
            SonarPing::Beams(beams) => beams.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn growth_is_heard_and_not_seen() {
    let (clean, faulty) = (clean(), all("growth=12cm"));
    assert_eq!(of(&clean, LIDAR), of(&faulty, LIDAR));
    assert_eq!(of(&clean, NAV), of(&faulty, NAV));
    assert!(
        of(&clean, SONAR)
            .iter()
            .zip(of(&faulty, SONAR))
            .all(|(right, wrong)| *right != wrong)
    );
}

#[test]
fn a_neighbour_is_heard_by_the_sonar_alone() {
    for (right, wrong) in pairs(&clean(), &all("interference=-60dB,interference-rate=100Hz")) {
        if right.sensor != SONAR {
            assert_eq!(right, wrong);
            continue;
        }
        assert_eq!(right.order(), wrong.order());
        assert_eq!(right != wrong, seconds(&right) < 9.0);
    }
}

#[test]
fn a_slip_is_there_from_its_moment_on() {
    for (faults, sensor, at) in [
        ("slip-roll=1deg", SONAR, 0.8),
        ("slip-heading:lidar=2deg", LIDAR, 0.8),
    ] {
        for (right, wrong) in pairs(&clean(), &all(faults)) {
            let slipped = right.sensor == sensor && seconds(&right) >= at;
            assert_eq!(right == wrong, !slipped, "{faults} at {}", seconds(&right));
        }
    }
    let truth = world("slip-roll=1deg,slip-at=0.5s").truth();
    assert_eq!(truth.faults[0].from_ns, START.shifted_s(0.5).nanos());
}

#[test]
fn what_is_lost_is_counted_and_the_rest_is_as_it_was() {
    let clean = clean();
    let faulty = all("loss:nav=30%");
    let pairs = pairs(&clean, &faulty);
    assert!(pairs.iter().all(|(right, wrong)| right == wrong));
    let counted: u64 = gaps(&faulty).iter().map(|gap| gap.lost).sum();
    let nav: Vec<u64> = of(&faulty, NAV)
        .iter()
        .filter(|measurement| !matches!(measurement.payload, Payload::Gap(_)))
        .map(|measurement| measurement.seq)
        .collect();
    assert!(gaps(&faulty).iter().all(|gap| gap.cause == GapCause::Missing));
    assert_eq!(nav.last().unwrap() - nav[0] + 1, nav.len() as u64 + counted);
    let lost = of(&clean, NAV).len() - nav.len();
    assert!((12..40).contains(&lost), "{lost} of 81 lost");
    assert_eq!(
        faulty.iter().filter(|m| m.sensor != NAV).count(),
        clean.iter().filter(|m| m.sensor != NAV).count()
    );
}

#[test]
fn what_comes_twice_lost_nothing() {
    let clean = clean();
    let faulty = all("duplication:nav=30%");
    let pairs = pairs(&clean, &faulty);
    assert!(pairs.len() == clean.len() && pairs.iter().all(|(right, wrong)| right == wrong));
    let gaps = gaps(&faulty);
    assert!(
        gaps.len() > 10
            && gaps
                .iter()
                .all(|gap| gap.lost == 0 && gap.cause == GapCause::Corrupt)
    );
}

#[test]
fn what_is_overtaken_keeps_its_place_or_is_late() {
    let clean = clean();
    let faulty = all("reordering:nav=50%");
    let (mut waited, late) = (0, gaps(&faulty).len());
    for (right, wrong) in pairs(&clean, &faulty) {
        let behind = wrong.received.nanos_since(right.received);
        assert_eq!((right.order(), right.payload), (wrong.order(), wrong.payload));
        assert!((0..=250_000_000).contains(&behind), "{behind}");
        waited += usize::from(behind > 0);
    }
    assert!(waited > 10 && late > 10, "{waited} {late}");
    assert!(
        gaps(&faulty)
            .iter()
            .all(|gap| gap.lost == 1 && gap.cause == GapCause::Late)
    );
    assert_eq!(faulty.len(), clean.len(), "each payload or its gap is there");
}

#[test]
fn a_silent_sensor_leaves_one_gap() {
    let (clean, faulty) = (clean(), all("silence:nav=0.5s..1s"));
    let left: Vec<f64> = of(&faulty, NAV).iter().map(seconds).collect();
    assert!(left.iter().all(|t| !(0.5..0.999).contains(t)));
    let gaps = gaps(&faulty);
    assert_eq!((gaps.len(), gaps[0].lost), (1, 25));
    assert!(pairs(&clean, &faulty).iter().all(|(right, wrong)| right == wrong));
}

#[test]
fn a_loud_receiver_is_cut_off_at_the_end_of_its_counts() {
    let (clean, faulty) = (clean(), all("saturation=40dB"));
    let mut cut = 0;
    for (right, wrong) in pairs(&clean, &faulty) {
        if right.sensor != SONAR {
            assert_eq!(right, wrong);
            continue;
        }
        let (right, wrong) = (beams(&right), beams(&wrong));
        assert!((right.waveforms.scale() / wrong.waveforms.scale() - 100.0).abs() < 1e-3);
        let counts = |beams: &beluga_types::Beams| match beams.waveforms.values() {
            SampleValues::IqI16(values) => values.clone(),
            other => panic!("{other:?}"),
        };
        for ([i, _], [loud, _]) in counts(&right).into_iter().zip(counts(&wrong)) {
            let expected = (i32::from(i) * 100).clamp(-32_768, 32_767);
            assert_eq!(i32::from(loud), expected);
            cut += usize::from(loud == 32_767);
        }
    }
    assert!(cut > 10, "{cut}");
}

#[test]
fn navigation_drifts_alone() {
    let clean = clean();
    for (faults, from, to) in [
        ("heading-drift=3600deg/h", 0.01, 9.0),
        ("gnss-outage=0.5s..1s", 0.51, 1.0),
    ] {
        for (right, wrong) in pairs(&clean, &all(faults)) {
            let spoilt = right.sensor == NAV && seconds(&right) > from && seconds(&right) < to - 1e-6;
            assert_eq!(right != wrong, spoilt, "{faults} at {}", seconds(&right));
            let (Payload::Pose(right_fix), Payload::Pose(wrong_fix)) = (&right.payload, &wrong.payload)
            else {
                continue;
            };
            let step = right_fix
                .world_from_body
                .perturbation_to(&wrong_fix.world_from_body);
            if faults.starts_with("heading") {
                let turned = step.fixed_rows::<3>(0).norm().to_degrees();
                assert!(
                    (turned - seconds(&right)).abs() < 1e-6,
                    "a degree per second: {turned}"
                );
            } else if spoilt {
                let away = 0.02 * (seconds(&right) - 0.5);
                assert!((step.fixed_rows::<3>(3).norm() - away).abs() < 1e-6);
                let told = wrong_fix.covariance.unwrap().trace() - right_fix.covariance.unwrap().trace();
                assert!((told - 2.0 * away * away).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn one_thread_and_two_make_the_same_storm() {
    let run = |threads: usize| -> Vec<Measurement> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let world = world("storm,silence=0.4s..0.9s,gnss-outage=0.5s..1s");
        pool.install(|| world.measurements().collect())
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(2));
    assert!(gaps(&one).len() > 2, "{}", gaps(&one).len());
}

#[test]
fn a_fault_of_no_sensor_is_refused() {
    let mut scenario = Scenario::sample();
    scenario.faults.set("loss:radar=1%").unwrap();
    let said = World::new(scenario).unwrap_err().to_string();
    assert!(
        said.contains("lidar, sonar, nav") && said.contains("`radar`"),
        "{said}"
    );
}
