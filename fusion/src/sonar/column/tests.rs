//! Pings of sixty beams, written by hand.

use beluga_types::elementary::{cos, sin};
use beluga_types::{Beam, Direction};

use super::super::echo::DetectionMethod;
use super::*;

const SPEED: f64 = 1500.0;

/// An echo of a beam of a fan of one degree a step, straight down at beam 30.
fn echo(beam: u32, range_m: f64) -> Echo {
    let axis = Beam::at((f64::from(beam) - 30.0).to_radians(), 0.0, [0.02; 2], [0.02; 2]).direction;
    Echo {
        beam,
        two_way_time_s: 2.0 * range_m / SPEED,
        early_s_per_m_per_s: 0.0,
        transmit_delay_s: 0.0,
        direction: axis,
        sigma_time_s: 1e-5,
        sigma_along_rad: 0.01,
        sigma_across_rad: 0.01,
        level_db: 0.0,
        snr_db: None,
        method: DetectionMethod::Device,
        half_angle_rad: None,
        arc_plane: Direction::new(1.0, 0.0, 0.0),
        floats: false,
    }
}

/// A flat bed 10 m down, up to 30° to either side.
fn bed(beam: u32) -> Echo {
    echo(beam, 10.0 / cos((f64::from(beam) - 30.0).to_radians()))
}

fn bed_without(gone: impl Fn(u32) -> bool) -> Vec<Echo> {
    (0..60).filter(|beam| !gone(*beam)).map(bed).collect()
}

/// The beams whose echoes float, and which echo of theirs.
fn floating(column: &mut WaterColumn, echoes: &[Echo]) -> Vec<(u32, f64)> {
    let mut echoes = echoes.to_vec();
    column.judge(&mut echoes, SPEED);
    let range_m = |echo: &Echo| (0.5 * SPEED * echo.two_way_time_s * 1e3).round() / 1e3;
    let floats = echoes.iter().filter(|echo| echo.floats);
    floats.map(|echo| (echo.beam, range_m(echo))).collect()
}

fn once(echoes: &[Echo]) -> Vec<(u32, f64)> {
    floating(&mut WaterColumn::default(), echoes)
}

#[test]
fn a_fish_floats_before_the_bed_and_in_its_place() {
    assert_eq!(once(&bed_without(|_| false)), []);
    // Beside the bed's echo in its beam, and instead of it (a device that tells one for each beam).
    let mut beside = bed_without(|_| false);
    beside.push(echo(20, 6.0));
    assert_eq!(once(&beside), [(20, 6.0)]);
    let mut instead = bed_without(|beam| beam == 20 || beam == 21);
    instead.extend([echo(20, 6.0), echo(21, 6.05)]);
    assert_eq!(once(&instead), [(20, 6.0), (21, 6.05)]);
}

#[test]
fn what_neighbours_support_does_not_float() {
    // A pile of seven beams.
    let mut pile = bed_without(|beam| (40..47).contains(&beam));
    pile.extend((40..47).map(|beam| echo(beam, 7.0 + 0.02 * f64::from(beam))));
    assert_eq!(once(&pile), []);
    // A stone half a metre high, a hole, and an echo behind the bed.
    for (beam, range_m) in [(30, 9.6), (31, 11.5), (10, 20.0)] {
        let mut more = bed_without(|_| false);
        more.push(echo(beam, range_m));
        assert_eq!(once(&more), [], "{range_m} m");
    }
}

#[test]
fn where_no_bed_is_beside_nothing_is_said() {
    // Beyond the last beam that sees a bed, and in a ping of few beams.
    let mut aside = bed_without(|beam| beam > 40);
    aside.push(echo(45, 6.0));
    assert_eq!(once(&aside), []);
    let few: Vec<Echo> = (0..12).map(bed).chain([echo(6, 5.0)]).collect();
    assert_eq!(once(&few), []);
}

#[test]
fn a_wall_beside_a_bed_is_a_surface_up_to_the_horizon() {
    // A wall 8 m to starboard: the bed's range grows to 12.8 m at its foot, the wall's falls to 8 m.
    let wall: Vec<Echo> = (0..60)
        .map(|i| {
            let angle = (2.0 * f64::from(i) - 30.0f64).to_radians();
            let range_m = (10.0 / cos(angle)).min(8.0 / sin(angle).max(1e-3));
            Echo {
                direction: Beam::at(angle, 0.0, [0.02; 2], [0.02; 2]).direction,
                ..echo(i, range_m)
            }
        })
        .take_while(|echo| echo.direction.vector().z < 0.0)
        .collect();
    assert_eq!(once(&wall), []);
}

#[test]
fn what_lasts_is_no_passer_by() {
    let (mut column, mut counted) = (WaterColumn::default(), 0);
    let with = |range_m: f64| {
        let mut echoes = bed_without(|_| false);
        echoes.push(echo(33, range_m));
        echoes
    };
    for ping in 0..16u32 {
        let found = floating(&mut column, &with(7.0 + 0.01 * f64::from(ping)));
        counted += found.len();
        assert_eq!(found.is_empty(), ping + 1 >= LASTING, "ping {ping}");
    }
    assert_eq!(column.floating(), [counted as u64, 16 * 61]);
    // A fish that comes by later is another thing.
    assert_eq!(floating(&mut column, &with(5.0)).len(), 1);
    // And what was missing for long has to be seen again.
    for _ in 0..=MISSING {
        floating(&mut column, &bed_without(|_| false));
    }
    assert_eq!(floating(&mut column, &with(7.1)).len(), 1);
}
