use beluga_types::{DepthFix, Gap, GapCause, Payload, SensorId, SensorKind, SensorSpec, Vessel, Water};

use super::*;

fn rig() -> Rig {
    Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::Unknown,
        sensors: vec![
            SensorSpec::new("keel", SensorKind::Sonar),
            SensorSpec::new("gnss", SensorKind::Nav),
        ],
    }
}

fn said(sensor: u16, end_s: f64, payload: Payload) -> Measurement {
    let end = Stamp::from_nanos(1_790_000_000_000_000_000).shifted_s(end_s);
    Measurement {
        seq: 0,
        sensor: SensorId(sensor),
        stamp: end,
        end,
        received: end,
        payload,
    }
}

fn depth() -> Payload {
    Payload::Depth(DepthFix {
        depth_m: 1.0,
        sigma_m: 0.1,
    })
}

fn lights(board: &Board) -> Vec<Light> {
    let seen = board.look();
    seen.sensors.iter().map(|(_, lamp)| lamp.light).collect()
}

/// Ten a second of each for 20 s; then one falls silent, the other loses a few.
#[test]
fn a_recording_shines_by_its_own_time() {
    let board = Board::of_recording(&rig());
    assert_eq!(lights(&board), [Light::Grey, Light::Grey]);
    for step in 0..200 {
        for sensor in [0, 1] {
            board.take(&said(sensor, 0.1 * f64::from(step), depth()));
        }
    }
    assert_eq!(lights(&board), [Light::Green, Light::Green]);
    let lost = Gap {
        lost: 3,
        cause: GapCause::Missing,
        detail: "seq jumps".into(),
    };
    board.take(&said(0, 20.0, Payload::Gap(lost)));
    for step in 200..250 {
        board.take(&said(0, 0.1 * f64::from(step), depth()));
    }
    assert_eq!(lights(&board), [Light::Amber, Light::Red]);
    let seen = board.look();
    assert_eq!(
        (seen.sensors[0].0.lost_total(), seen.sensors[0].0.measurements),
        (3, 250)
    );
    assert!(seen.sensors[1].1.reason.starts_with("silent for 5 s"));
    for step in 250..400 {
        board.take(&said(0, 0.1 * f64::from(step), depth()));
    }
    assert_eq!(lights(&board), [Light::Green, Light::Red], "ten seconds later");
}

#[test]
fn sensors_that_are_heard_have_what_their_edges_say() {
    let full = EdgeState {
        datagrams: 9,
        fill: 0.7,
        age_s: Some(0.0),
        ..EdgeState::default()
    };
    let board = Board::of_host(&rig(), move || vec![full, EdgeState::default()]);
    let now = clock::now();
    let mut heard = said(0, 0.0, depth());
    (heard.end, heard.received) = (now, now);
    board.take(&heard);
    let seen = board.look();
    assert_eq!(seen.sensors[0].0.edge, Some(full));
    assert_eq!(lights(&board), [Light::Amber, Light::Grey]);
}
