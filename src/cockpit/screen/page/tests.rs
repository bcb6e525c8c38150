use std::collections::BTreeMap;

use beluga_types::{ClockState, EdgeState, GapCause, PoseSigma, SensorKind, StageTime, Stamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::widgets::Paragraph;

use super::*;

/// A sensor of ten a second, of which so many were lost.
fn state(name: &str, kind: SensorKind, lost: u64) -> SensorState {
    let lost = [(GapCause::Missing, lost)]
        .into_iter()
        .filter(|(_, count)| *count > 0);
    SensorState {
        name: name.into(),
        kind,
        measurements: 600,
        rate_hz: Some(10.0),
        expected_hz: Some(10.0),
        lost: lost.collect::<BTreeMap<_, _>>(),
        lost_lately: BTreeMap::new(),
        last_loss: None,
        age_s: Some(0.1),
        watched_s: 60.0,
        clock: Some(ClockState {
            offset_nanos: 1_230_000,
            sigma_nanos: 2e5,
            locked: false,
        }),
        edge: Some(EdgeState {
            fill: 0.02,
            ..EdgeState::default()
        }),
    }
}

fn lamp(light: Light, reason: &str, remedy: &str) -> Lamp {
    Lamp {
        light,
        reason: reason.into(),
        remedy: remedy.into(),
    }
}

/// A lidar that is well, a sonar that loses, a receiver that is silent, a unit that has not come.
fn sensors() -> Vec<(SensorState, Lamp)> {
    let mut gnss = state("gnss", SensorKind::Nav, 0);
    (gnss.rate_hz, gnss.age_s) = (Some(0.0), Some(12.0));
    let mut imu = state("imu", SensorKind::Nav, 0);
    (imu.rate_hz, imu.expected_hz, imu.age_s, imu.clock) = (None, None, None, None);
    vec![
        (state("front", SensorKind::Lidar, 0), lamp(Light::Green, "", "")),
        (
            state("multibeam", SensorKind::Sonar, 7),
            lamp(
                Light::Amber,
                "4 missing on the way here in the last 10 s",
                "its cable, the switch",
            ),
        ),
        (
            gnss,
            lamp(Light::Red, "silent for 12 s", "its power, its cable, its network"),
        ),
        (imu, lamp(Light::Grey, "listening", "")),
    ]
}

fn page(sensors: Vec<(SensorState, Lamp)>) -> Page {
    let stage = |name, p50_ms, p99_ms| StageTime { name, p50_ms, p99_ms };
    Page {
        title: "beluga live quay.toml".into(),
        elapsed: Duration::from_secs(3723),
        seen: Instruments {
            at: Stamp::default(),
            sensors,
            stages: vec![
                stage("heard", 0.2, 3.0),
                stage("ordered", 1.0, 9.6),
                stage("fused", 5.0, 26.0),
                stage("made", 6.1, 40.0),
                stage("in record", 12.6, 61.0),
            ],
        },
        frames: Frames {
            count: 1234,
            rate_hz: Some(20.0),
            data_s: 61.7,
            pose: Some((
                PoseStatus::Held,
                PoseSigma {
                    horizontal_m: 0.03,
                    vertical_m: 0.04,
                    rotation_rad: 0.02_f64.to_radians(),
                },
            )),
            points: 28_000,
            arcs: 3,
        },
        is_live: true,
        room: Some(Left {
            free: 54_000_000_000,
            bytes_per_s: Some(1e6),
        }),
        alerts: vec![Told {
            number: 0,
            at: Stamp::from_nanos(3_723_000_000_000),
            text: "sensor `gnss`: nothing\ncomes".into(),
            of_light: false,
        }],
        stopping: false,
    }
}

/// What a terminal of this size shows, row by row.
fn shown(page: &Page, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let lines = page.lines(width.into(), height.into());
    assert_eq!(lines.len(), usize::from(height));
    terminal
        .draw(|frame| frame.render_widget(Paragraph::new(lines), frame.area()))
        .unwrap();
    let buffer = terminal.backend().buffer();
    let row = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| row(y).trim_end().to_owned()).collect()
}

#[test]
fn a_wide_terminal_shows_all_of_it() {
    let expected = "
 beluga live quay.toml                                                                     01:02:03
       sensor          kind      Hz expected    lost    seen            clock  queue
● OK   front          lidar    10.0     10.0       0   0.1 s      +1.2±0.2 ms    2 %
▲ WARN multibeam      sonar    10.0     10.0       7   0.1 s      +1.2±0.2 ms    2 %
       4 missing on the way here in the last 10 s: its cable, the switch
■ FAIL gnss             nav    0.00     10.0       0    12 s      +1.2±0.2 ms    2 %
       silent for 12 s: its power, its cable, its network
○ WAIT imu              nav       -        -       0       -                -    2 %
       listening
frames 1234, 20.0/s · pose held, 1σ 5.0 cm 0.02° · 28000 points, 3 arcs
latency ms half/99 %: heard 0/3 · ordered 1/10 · fused 5/26 · made 6/40 · in record 13/61
disk 54.0 GB free, 15 h left at 3.6 GB/h
01:02:03 sensor `gnss`: nothing comes


 q stops: sensors are let go, every file is finished";
    let expected: Vec<&str> = expected.trim_start_matches('\n').lines().collect();
    assert_eq!(shown(&page(sensors()), 100, 16), expected);
}

#[test]
fn a_narrow_terminal_stays_readable() {
    let expected = "
 beluga live quay.toml                             01:02:03
       sensor             Hz    lost    seen  queue
■ FAIL gnss             0.00       0    12 s    2 %
       silent for 12 s: its power, its cable, its network
▲ WARN multibeam        10.0       7   0.1 s    2 %
       4 missing on the way here in the last 10 s: its
       cable, the switch
  and 1 WAIT, 1 OK
frames 1234, 20.0/s · pose held, 1σ 5.0 cm 0.02°
latency ms half/99 %: made 6/40 · in record 13/61
disk 54.0 GB free, 15 h left at 3.6 GB/h
01:02:03 sensor `gnss`: nothing comes

 q stops: sensors are let go, every file is finished";
    let expected: Vec<&str> = expected.trim_start_matches('\n').lines().collect();
    assert_eq!(shown(&page(sensors()), 60, 14), expected);
}

#[test]
fn any_size_is_drawn() {
    for (width, height) in [(1, 1), (7, 3), (20, 5), (60, 15), (79, 8), (80, 6), (300, 90)] {
        shown(&page(sensors()), width, height);
        shown(&page(Vec::new()), width, height);
    }
}

#[test]
fn colours_are_those_of_the_lights() {
    let lines = page(sensors()).lines(100, 30);
    let colour = |row: usize| lines[row].spans[0].style.fg;
    let [green, amber, red] = [Color::Green, Color::Yellow, Color::Red].map(Some);
    assert_eq!([colour(2), colour(3), colour(5)], [green, amber, red]);
}

#[test]
fn what_was_lost_before_is_told_of_one_that_is_well_again() {
    let well = (state("front", SensorKind::Lidar, 7), lamp(Light::Green, "", ""));
    let rows = shown(&page(vec![well]), 100, 12);
    assert_eq!(rows[3], "       lost so far: 7 missing");
}

#[test]
fn a_lost_pose_a_full_disk_and_a_stop_are_said() {
    let mut page = page(sensors());
    let sigma = page.frames.pose.unwrap().1;
    page.frames.pose = Some((PoseStatus::Predicted, sigma));
    page.room = Some(Left {
        free: 1_800_000_000,
        bytes_per_s: Some(1e6),
    });
    page.seen.stages.clear();
    page.stopping = true;
    let text = shown(&page, 100, 20).join("\n");
    for words in [
        "POSE LOST",
        "30 min left",
        "none",
        "stopping: every file is being finished",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let open = [false, false, true, true, false, false];
    assert_eq!(
        pose(&PoseStatus::Degenerate { open }),
        "pose open in heading, forward"
    );
}
