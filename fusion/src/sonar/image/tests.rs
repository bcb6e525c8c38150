use std::sync::Arc;

use beluga_types::elementary::{ln, log10, powf, sin};
use beluga_types::{Beam, Strengths, WaveformShape};

use super::super::echo::DetectionMethod;
use super::*;

/// Numbers from 0 up to 1 that look like chance, the same in every run (xorshift64*, Vigna 2016).
struct Chance(u64);

impl Chance {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Speckle: power of mean one, exponential.
    fn power(&mut self) -> f64 {
        -ln(1.0 - self.uniform())
    }
}

/// Beams 20° high and 0.6° wide, looking up to ±30° across.
fn fan(beams: usize) -> Arc<[Beam]> {
    let high = 20f64.to_radians() * std::f64::consts::SQRT_2;
    (0..beams)
        .map(|beam| {
            let across = (beam as f64 / (beams.max(2) - 1) as f64 - 0.5) * 60f64.to_radians();
            Beam::at(across, 0.0, [high, 2.0], [high, 0.01])
        })
        .collect()
}

fn image(rows: &[Vec<u8>]) -> SonarImage {
    let shape = WaveformShape {
        channels: rows.len(),
        samples: rows[0].len(),
    };
    let mut image = SonarImage::new(shape, Strengths::U8(rows.concat()), fan(rows.len())).unwrap();
    (image.first_s, image.interval_s) = (0.001, 1e-5);
    image
}

/// Rows of 8-bit numbers around 20, as gentle as an image that was averaged.
fn rows(beams: usize, cells: usize) -> Vec<Vec<u8>> {
    let mut chance = Chance(7);
    let mut row = || (0..cells).map(|_| 18 + (4.0 * chance.uniform()) as u8).collect();
    (0..beams).map(|_| row()).collect()
}

fn echoes(image: &SonarImage) -> Vec<Echo> {
    detect(image, &SonarConfig::default(), 1500.0).echoes
}

#[test]
fn an_echo_is_an_arc_over_the_elevation_of_its_beam() {
    let mut rows = rows(5, 300);
    for (cell, value) in [(150, 60), (151, 180), (152, 220), (153, 100)] {
        rows[3][cell] = value;
    }
    let image = image(&rows);
    let found = echoes(&image);
    let [echo] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (echo.beam, echo.method, echo.level_db),
        (3, DetectionMethod::LeadingEdge, 220.0)
    );
    // Half of the rise from 20 to 220 is passed between 150 (60) and 151 (180).
    let place = (echo.two_way_time_s - 0.001) / 1e-5;
    assert!((place - 150.5).abs() < 0.1, "{place}");
    let half = echo.half_angle_rad.unwrap().to_degrees();
    assert!((half - 10.0).abs() < 1e-9, "half of the 20° two ways: {half}");
    let plane = echo.arc_plane.vector();
    assert!(plane.x > 0.999, "the arc goes along the sonar's x: {plane}");
    let across = Beam::across_rad(&image.beams()[3]);
    assert!(
        (echo.direction.vector().y + sin(across)).abs() < 1e-12,
        "{echo:?}"
    );
    assert!(echo.sigma_across_rad < 0.01 && echo.sigma_along_rad > 0.1);
}

#[test]
fn the_edge_of_a_sheet_is_found_and_what_lies_in_it_is_not() {
    // A bed seen at a slant: dark before cell 120, from there on a bright sheet of speckle.
    let mut chance = Chance(3);
    let mut rows = rows(2, 400);
    for row in &mut rows {
        for value in &mut row[120..] {
            *value = (120.0 * chance.power().sqrt().min(1.9)) as u8;
        }
    }
    for echo in echoes(&image(&rows)) {
        let cell = (echo.two_way_time_s - 0.001) / 1e-5;
        assert!((118.0..156.0).contains(&cell), "{cell}");
    }
    assert!(
        echoes(&image(&rows))
            .iter()
            .any(|echo| echo.two_way_time_s < 0.001 + 1.24e-3)
    );
}

#[test]
fn flat_short_silent_and_broken_images_have_no_echo() {
    assert!(echoes(&image(&[vec![7; 200]])).is_empty());
    assert!(echoes(&image(&[vec![7; 20]])).is_empty());
    let mut blank = image(&[vec![0; 200]]);
    assert!(echoes(&blank).is_empty());
    blank.interval_s = 0.0;
    assert!(detect(&blank, &SonarConfig::default(), 1500.0).notes[0].contains("expected a finite number"));
    let mut loud = rows(1, 200);
    loud[0][100] = 250;
    let mut passive = image(&loud);
    assert_eq!(echoes(&passive).len(), 1);
    passive.blanking_m = 2.0;
    assert!(echoes(&passive).is_empty(), "1.5 m is nearer than the blanking");
    (passive.blanking_m, passive.transmitted) = (0.0, false);
    let heard = detect(&passive, &SonarConfig::default(), 1500.0);
    assert!(heard.echoes.is_empty() && heard.notes == [LISTENING]);
    let none = WaveformShape {
        channels: 0,
        samples: 0,
    };
    let none = SonarImage::new(none, Strengths::U8(Vec::new()), Vec::new().into()).unwrap();
    assert!(detect(&none, &SonarConfig::default(), 1500.0).notes[0].contains("0 beams"));
}

#[test]
fn the_moving_window_is_a_sort_of_each_stretch() {
    let mut chance = Chance(11);
    let row: Vec<f32> = (0..150).map(|_| (9.0 * chance.uniform()) as u8 as f32).collect();
    let found = levels(&row);
    assert_eq!(found.len(), row.len() - TRAINING + 1);
    for (first, level) in found.iter().enumerate() {
        let mut sorted = row[first..first + TRAINING].to_vec();
        sorted.sort_by(f32::total_cmp);
        let floor = 0.5 * (sorted[TRAINING / 2 - 1] + sorted[TRAINING / 2]);
        assert_eq!((level.floor, level.deviation), (floor, sorted[UPPER] - floor));
    }
}

#[test]
fn a_picture_says_where_its_beams_look() {
    let config = SonarConfig {
        keep_echoes: true,
        ..SonarConfig::default()
    };
    let mut image = image(&rows(4, 100));
    let picture = detect(&image, &config, 1500.0).echogram.unwrap();
    assert_eq!((picture.shape.channels, picture.shape.samples), (4, 100));
    assert!((picture.across_rad[3].to_degrees() - 30.0).abs() < 1e-9);
    let first = f32::from(match image.strengths() {
        Strengths::U8(values) => values[0],
        _ => 0,
    });
    assert!((f64::from(picture.compressed_db[0]) - 20.0 * log10(f64::from(first))).abs() < 1e-4);
    image.unit = StrengthUnit::Decibel;
    let picture = detect(&image, &config, 1500.0).echogram.unwrap();
    assert!(
        (picture.compressed_db[0] - first).abs() < 1e-4,
        "decibels as they are"
    );
}

/// What a device makes of power.
type Law = fn(f64) -> f64;

/// False alarms in 400 000 cells of speckle without any echo, in what devices make of its power: its
/// root, a root of that (a gamma of a half), a logarithm, and the power itself.
#[test]
fn false_alarms_are_as_counted() {
    let logarithm = |power: f64| 120.0 + 10.0 * log10(power.max(1e-12)) * 255.0 / 80.0;
    let laws: [(&str, Law, f32, [f64; 2]); 4] = [
        (
            "amplitude",
            |power| 50.0 * power.sqrt(),
            DEVIATIONS[0],
            [4e-5, 1.2e-4],
        ),
        (
            "gamma of a half",
            |power| 100.0 * powf(power, 0.25),
            DEVIATIONS[0],
            [2e-6, 2.5e-5],
        ),
        ("decibels", logarithm, DEVIATIONS[1], [4e-5, 1.4e-4]),
        ("power", |power| 20.0 * power, DEVIATIONS[0], [1.4e-3, 2.3e-3]),
    ];
    for (law, of, deviations, [least, most]) in laws {
        let bar = Bar {
            deviations,
            least: 1.0,
        };
        let mut chance = Chance(23);
        let mut row = || {
            (0..1000)
                .map(|_| of(chance.power()).clamp(0.0, 255.0) as u8)
                .collect()
        };
        let rows: Vec<Vec<u8>> = (0..400).map(|_| row()).collect();
        let found = rows
            .iter()
            .map(|row| {
                let row: Vec<f32> = row.iter().map(|&value| f32::from(value)).collect();
                stretches(&row, 0, &bar).len()
            })
            .sum::<usize>();
        let rate = found as f64 / 400_000.0;
        assert!((least..=most).contains(&rate), "{law}: {rate}");
    }
}
