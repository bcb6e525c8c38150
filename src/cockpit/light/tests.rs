use std::collections::BTreeMap;

use beluga_types::{ClockState, SensorKind};

use super::*;

/// Ten a second for a minute, heard now, clock 2 ms behind.
fn well() -> SensorState {
    SensorState {
        name: "front".into(),
        kind: SensorKind::Lidar,
        measurements: 600,
        rate_hz: Some(10.0),
        expected_hz: Some(10.0),
        lost: BTreeMap::new(),
        lost_lately: BTreeMap::new(),
        last_loss: None,
        age_s: Some(0.1),
        watched_s: 60.0,
        clock: Some(off(2)),
        edge: Some(EdgeState {
            datagrams: 45_000,
            fill: 0.01,
            age_s: Some(0.0),
            ..EdgeState::default()
        }),
    }
}

fn off(millis: i64) -> ClockState {
    ClockState {
        offset_nanos: millis * 1_000_000,
        sigma_nanos: 2e5,
        locked: false,
    }
}

/// Of a sensor that is well but for this.
fn shines(but: impl FnOnce(&mut SensorState)) -> (Light, String) {
    let mut state = well();
    but(&mut state);
    let lamp = lamp(&state);
    (lamp.light, lamp.words())
}

fn edge(but: impl FnOnce(&mut EdgeState)) -> impl FnOnce(&mut SensorState) {
    move |state| but(state.edge.as_mut().unwrap())
}

fn lost(cause: GapCause, count: u64) -> impl FnOnce(&mut SensorState) {
    move |state| {
        state.lost_lately.insert(cause, count);
        state.last_loss = Some("what it says of itself".into());
    }
}

fn check(but: impl FnOnce(&mut SensorState), light: Light, words: &[&str]) {
    let (found, said) = shines(but);
    assert_eq!(found, light, "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` in `{said}`");
    }
}

#[test]
fn all_is_well() {
    assert_eq!(shines(|_| {}), (Light::Green, String::new()));
    check(|state| state.rate_hz = Some(9.2), Light::Green, &[]);
    check(
        |state| (state.rate_hz, state.expected_hz) = (None, None),
        Light::Green,
        &[],
    );
    check(|state| state.age_s = Some(2.9), Light::Green, &[]);
    check(|state| state.clock = Some(off(-250)), Light::Green, &[]);
    check(|state| state.edge = None, Light::Green, &[]);
}

#[test]
fn before_the_first_it_is_waited_for_and_then_not() {
    let first = |watched_s: f64, datagrams: u64, said: Option<&'static str>| {
        move |state: &mut SensorState| {
            (state.measurements, state.age_s, state.watched_s) = (0, None, watched_s);
            (state.rate_hz, state.expected_hz, state.clock) = (None, None, None);
            state.edge.as_mut().unwrap().datagrams = datagrams;
            state.last_loss = said.map(str::to_owned);
        }
    };
    check(first(1.0, 0, None), Light::Grey, &["listening"]);
    check(
        first(9.0, 0, None),
        Light::Red,
        &["nothing has come in 9 s", "firewall"],
    );
    check(first(1.0, 7, None), Light::Grey, &["looking at what comes"]);
    check(first(9.0, 7, None), Light::Red, &["7 datagrams", "`model`"]);
    let tai = "its clock is 37.000 s ahead of the host's (TAI)";
    check(first(1.0, 7, Some(tai)), Light::Red, &["37.000 s", "its clock"]);
    let recorded = |watched_s: f64| {
        move |state: &mut SensorState| {
            (state.measurements, state.watched_s, state.edge) = (0, watched_s, None);
        }
    };
    check(recorded(1.0), Light::Grey, &["not spoken yet"]);
    check(recorded(20.0), Light::Amber, &["first 20 s", "beluga probe"]);
}

#[test]
fn who_falls_silent_is_red_with_what_to_look_at() {
    check(
        |state| state.age_s = Some(3.1),
        Light::Red,
        &["silent for 3 s", "though datagrams come"],
    );
    let gone = |state: &mut SensorState| {
        (state.age_s, state.rate_hz) = (Some(12.0), Some(0.0));
        state.edge.as_mut().unwrap().age_s = Some(12.0);
    };
    check(gone, Light::Red, &["silent for 12 s", "cable"]);
    let behind = |state: &mut SensorState| {
        state.age_s = Some(4.0);
        state.edge.as_mut().unwrap().fill = 0.6;
    };
    check(behind, Light::Red, &["4 s behind", "--view none"]);
    let recorded = |state: &mut SensorState| (state.age_s, state.edge) = (Some(4.0), None);
    check(recorded, Light::Red, &["silent for 4 s", "the recording"]);
    let slow = |age_s: f64| {
        move |state: &mut SensorState| {
            (state.age_s, state.expected_hz, state.rate_hz) = (Some(age_s), Some(0.1), Some(0.1));
        }
    };
    check(slow(49.0), Light::Green, &[]);
    check(slow(51.0), Light::Red, &["silent for 51 s"]);
    assert_eq!(silent_after_s(None), 30.0);
    assert_eq!(silent_after_s(Some(0.0)), 30.0);
}

#[test]
fn a_run_that_is_slower_than_its_sensor_says_so() {
    check(
        edge(|edge| edge.fill = 0.51),
        Light::Amber,
        &["51 % full", "beluga record"],
    );
    let let_go = |state: &mut SensorState| {
        lost(GapCause::Overflow, 0)(state);
        state.edge.as_mut().unwrap().let_go = 40;
    };
    check(
        let_go,
        Light::Red,
        &["40 datagrams lost", "slower", "--view none"],
    );
    let by_the_system = |state: &mut SensorState| {
        lost(GapCause::Overflow, 0)(state);
        state.last_loss = Some("5 lost: `sysctl -w net.core.rmem_max=`".into());
        state.edge.as_mut().unwrap().lost_before = 5;
    };
    check(by_the_system, Light::Red, &["5 datagrams lost", "rmem_max"]);
}

#[test]
fn each_loss_has_its_remedy() {
    check(lost(GapCause::Missing, 5), Light::Amber, &["5 missing", "cable"]);
    check(lost(GapCause::Missing, 6), Light::Red, &["6 missing"]);
    check(
        lost(GapCause::Missing, 0),
        Light::Amber,
        &["parts missing", "cable"],
    );
    check(
        lost(GapCause::Corrupt, 50),
        Light::Red,
        &["50 could not be read", "alerts"],
    );
    let stepped = |state: &mut SensorState| {
        lost(GapCause::Corrupt, 0)(state);
        state.last_loss = Some("sensor `front`: its clock went on by 1.000 s".into());
    };
    let (light, said) = shines(stepped);
    assert_eq!(light, Light::Amber);
    assert_eq!(said, "its clock went on by 1.000 s: the alerts say why");
    check(
        lost(GapCause::Late, 1),
        Light::Amber,
        &["1 came too late", "--lateness"],
    );
    check(lost(GapCause::Truncated, 1), Light::Amber, &["end of a file"]);
    let recorded = |state: &mut SensorState| {
        lost(GapCause::Overflow, 9)(state);
        state.edge = None;
    };
    check(recorded, Light::Red, &["when it was recorded"]);
}

#[test]
fn a_clock_and_a_rate_are_held_against_what_they_should_be() {
    check(
        |state| state.clock = Some(off(-37_000)),
        Light::Red,
        &["37.000 s ahead of", "time_offset_ms = -37000"],
    );
    check(
        |state| state.clock = Some(off(400)),
        Light::Amber,
        &["0.400 s behind"],
    );
    check(
        |state| state.rate_hz = Some(7.5),
        Light::Amber,
        &["7.50 a second, expected 10.0"],
    );
    check(
        |state| state.expected_hz = Some(5.0),
        Light::Amber,
        &["expected 5.00", "`rate_hz`"],
    );
}

#[test]
fn the_worst_counts() {
    let both = |state: &mut SensorState| {
        state.rate_hz = Some(7.5);
        lost(GapCause::Missing, 30)(state);
    };
    check(both, Light::Red, &["30 missing"]);
    let all = |state: &mut SensorState| {
        both(state);
        (state.age_s, state.clock) = (Some(60.0), Some(off(-37_000)));
    };
    check(all, Light::Red, &["silent for 60 s"]);
}

#[test]
fn rates_have_the_digits_that_matter() {
    let said = [0.1, 9.994, 10.0, 99.94, 400.4].map(short);
    assert_eq!(said, ["0.10", "9.99", "10.0", "99.9", "400"]);
}
