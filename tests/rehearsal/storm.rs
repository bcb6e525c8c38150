//! A storm: what went out, came, and was lost, to the packet, by cause; and where the survey lies after all.

use beluga_ingest::send::{Ledger, Plan, Reboot, Silence, Storm, Weather};
use beluga_types::{GapCause, Measurement, Payload, SensorId};
use std::time::Duration;

use super::{ate_m, begin, free_ports, fused, heard, payloads, survey, world};

const LIDAR: SensorId = SensorId(0);
const SONAR: SensorId = SensorId(1);
const NAV: SensorId = SensorId(2);
/// 512 columns of a scan, 16 in each packet.
const PACKETS: u64 = 32;

/// Gaps of a sensor.
fn gaps(out: &[Measurement], sensor: SensorId) -> Vec<(GapCause, u64, String)> {
    let gap = |one: &Measurement| match &one.payload {
        Payload::Gap(gap) if one.sensor == sensor => Some((gap.cause, gap.lost, gap.detail.clone())),
        _ => None,
    };
    out.iter().filter_map(gap).collect()
}

/// The sum of the numbers that stand before these words, in gaps of a cause.
fn told(gaps: &[(GapCause, u64, String)], cause: GapCause, words: &str) -> u64 {
    let own = gaps.iter().filter(|(of, ..)| *of == cause);
    own.filter_map(|(_, _, detail)| {
        let (before, _) = detail.split_once(words)?;
        before.rsplit([' ', ',']).next()?.parse::<u64>().ok()
    })
    .sum()
}

fn count(gaps: &[(GapCause, u64, String)], words: &str) -> u64 {
    gaps.iter()
        .filter(|(_, _, detail)| detail.contains(words))
        .count() as u64
}

/// Payloads that jumps of the sensor's count tell as missing, less those that came after all.
fn missing(gaps: &[(GapCause, u64, String)]) -> u64 {
    let jumps = gaps.iter().filter(|(cause, ..)| *cause == GapCause::Missing);
    jumps.map(|(_, lost, _)| lost).sum::<u64>() - count(gaps, "told as lost before came after all")
}

#[test]
fn in_a_storm_all_is_counted_and_the_survey_stays_usable() {
    let (world, folder) = (world(8.0, 5), tempfile::tempdir().unwrap());
    let survey = survey(&world);
    let ports = free_ports(3);
    let rig = survey.hear_at(folder.path(), &ports).unwrap();
    let begin = begin();
    let at = |seconds: f64| begin.shifted_s(seconds);
    let reboot = |sensor, seconds| Reboot {
        sensor,
        after: Duration::from_secs_f64(seconds),
        own_clock: false,
    };
    let silence = |sensor, from, until| Silence {
        sensor,
        from: at(from),
        until: at(until),
    };
    let plan = Plan {
        // The unit counts from there on anew, and so do the sounder's pings.
        reboots: vec![reboot(NAV, 3.0), reboot(SONAR, 6.0)],
        ..Plan::once(begin)
    };
    // Worse than a storm, so that of a sounder's eighty pings some meet each of it.
    let weather = Weather {
        lost: 0.04,
        twice: 0.04,
        swapped: 0.04,
        garbage: 0.04,
        silences: vec![silence(LIDAR, 1.5, 6.5), silence(NAV, 2.5, 3.0)],
        ..Weather::storm(7, at(0.5), at(7.5))
    };
    let mut storm = Storm::new(survey.datagrams(plan).unwrap(), weather);
    let (out, edges) = heard(&rig, &ports, storm.by_ref());
    for (sensor, ledger) in storm.ledgers() {
        let Ledger {
            made,
            lost,
            silent,
            twice,
            garbage,
            swapped,
            sent,
            ..
        } = *ledger;
        println!("{sensor:?} {ledger:?}");
        assert_eq!(sent, made - lost - silent + twice + garbage);
        assert_eq!(
            edges[usize::from(sensor.0)].tally.heard,
            sent,
            "all that went out was heard"
        );
        assert_eq!(edges[usize::from(sensor.0)].tally.let_go, 0);
        assert!(
            lost > 0 && twice > 0 && swapped > 0 && garbage > 0,
            "a storm: {ledger:?}"
        );
    }
    lidar(&out, storm.ledgers()[&LIDAR], storm.calm().payloads()[&LIDAR]);
    sonar(&out, storm.ledgers()[&SONAR]);
    nav(&out, storm.ledgers()[&NAV]);

    let (frames, _) = fused(survey.rig(), out.into_iter());
    let off_m = ate_m(&frames, &world, begin);
    println!("{} frames, {off_m:.4} m from the truth", frames.len());
    assert!(frames.len() > 60 && off_m < 0.06, "{off_m} m");
}

/// Packets are told as missing in their scan; whole scans that never came by their number.
fn lidar(out: &[Measurement], ledger: Ledger, scans_made: u64) {
    let gaps = gaps(out, LIDAR);
    let scans_missing = missing(&gaps);
    assert_eq!(payloads(out, 0) + scans_missing, scans_made);
    let found = told(&gaps, GapCause::Missing, " packet(s) told as lost before");
    let packets = told(&gaps, GapCause::Missing, " packet(s) lost") - found;
    assert_eq!(
        packets + PACKETS * scans_missing,
        ledger.lost + ledger.silent,
        "{gaps:?}"
    );
    let corrupt = |words| told(&gaps, GapCause::Corrupt, words);
    assert_eq!(corrupt(" packet(s) a second time"), ledger.twice, "{gaps:?}");
    assert_eq!(
        corrupt(" packet(s) of something else"),
        ledger.garbage,
        "{gaps:?}"
    );
    assert_eq!(
        told(&gaps, GapCause::Late, " packet(s) came after"),
        0,
        "{gaps:?}"
    );
}

/// Each datagram is a ping with its number.
fn sonar(out: &[Measurement], ledger: Ledger) {
    let gaps = gaps(out, SONAR);
    assert_eq!(missing(&gaps), ledger.lost + ledger.silent, "{gaps:?}");
    assert_eq!(
        payloads(out, 1),
        ledger.made - ledger.lost - ledger.silent,
        "{gaps:?}"
    );
    assert_eq!(count(&gaps, "a second time"), ledger.twice, "{gaps:?}");
    let foreign = told(&gaps, GapCause::Corrupt, " datagram(s) of something else");
    assert_eq!(foreign, ledger.garbage, "{gaps:?}");
}

/// A unit numbers nothing: what never came cannot be known of, what came is a pose or counted.
fn nav(out: &[Measurement], ledger: Ledger) {
    let gaps = gaps(out, NAV);
    assert_eq!(
        payloads(out, 2),
        ledger.made - ledger.lost - ledger.silent,
        "{gaps:?}"
    );
    let corrupt = |words| told(&gaps, GapCause::Corrupt, words);
    assert_eq!(corrupt(" place(s) a second time"), ledger.twice, "{gaps:?}");
    assert_eq!(
        corrupt(" byte(s) of no message"),
        ledger.garbage_bytes,
        "{gaps:?}"
    );
}
