//! False alarms are as designed; the example of the same name counts over ten million cells.

#[path = "../examples/false_alarms/counting.rs"]
mod counting;

use beluga_fusion::sonar::CfarKind;
use counting::{KINDS, WINDOWS, compressed, white};

#[test]
fn white_noise_alarms_as_designed() {
    let counted = white(&[1e-3], 2_000_000, 11);
    assert_eq!(counted.len(), KINDS.len());
    for one in counted {
        println!("{:?} on white noise: {:.3} of the design", one.kind, one.ratio());
        assert!(
            (one.ratio() - 1.0).abs() < 0.05,
            "{:?}: {}",
            one.kind,
            one.ratio()
        );
    }
}

#[test]
fn noise_behind_each_matched_filter_alarms_as_designed() {
    for window in WINDOWS {
        for one in compressed(window, &[1e-3], 500_000, 12) {
            println!(
                "{:?} behind {window:?}: {:.3} of the design",
                one.kind,
                one.ratio()
            );
            assert!(
                (one.ratio() - 1.0).abs() < 0.10,
                "{:?} behind {window:?}: {}",
                one.kind,
                one.ratio()
            );
        }
    }
}

#[test]
fn the_counting_sees_a_wrong_design() {
    let counted = white(&[1e-3, 2e-3], 200_000, 13);
    let of = |rate: f64| {
        counted
            .iter()
            .find(|one| one.kind == CfarKind::Ca && one.designed == rate)
    };
    let [less, more] = [1e-3, 2e-3].map(|rate| of(rate).map_or(0, |one| one.alarms));
    assert!(more > less * 3 / 2, "{less} and {more}");
}
