//! Streams of Oculus imaging sonars.

use beluga_types::elementary::{cos, sin};
use std::io::Cursor;
use std::path::Path;

use beluga_ingest::oculus::{self, Content, Ping};
use beluga_ingest::probe::probe;
use beluga_ingest::{Error, Recording};
use beluga_types::{GapCause, Measurement, Payload, SonarImage, SonarPing, Strengths, Water};

use crate::oculus_file::{self, *};
use crate::shared_data::shared_data;
use crate::tools::{self, Chance, gaps, make_seeds, numbers, seeds};

/// The pings of a stream, and how many messages could not be read.
fn read(bytes: &[u8]) -> (Vec<Ping>, usize) {
    let (mut found, mut lost) = (Vec::new(), 0);
    for content in oculus::contents(Cursor::new(bytes), Path::new("cut.raw")).unwrap() {
        match content {
            Ok(Content::Ping(ping)) => found.push(*ping),
            Ok(_) => {}
            Err(_) => lost += 1,
        }
    }
    (found, lost)
}

fn played(bytes: &[u8]) -> Result<(Recording, Vec<Measurement>), Error> {
    tools::played("fan.raw", bytes)
}

pub(crate) fn image(measurement: &Measurement) -> Option<&SonarImage> {
    match &measurement.payload {
        Payload::Sonar(ping) => match &**ping {
            SonarPing::Image(image) => Some(image),
            _ => None,
        },
        _ => None,
    }
}

/// Strengths beam after beam, as the writer of the tests has them.
fn strengths() -> Vec<u32> {
    let beam = |beam| (0..RANGES).map(move |range| strength(range, beam));
    (0..BEAMS).flat_map(beam).collect()
}

#[test]
fn a_small_stream_plays_by_itself() {
    let (recording, run) = played(&first()).unwrap();
    let rig = recording.rig();
    let sonar = &rig.sensors[0];
    assert_eq!((rig.sensors.len(), sonar.name.as_str()), (1, "sonar"));
    assert_eq!(rig.water, Water::SoundSpeed(1490.0));
    let images: Vec<(&Measurement, &SonarImage)> =
        run.iter().filter_map(|one| Some((one, image(one)?))).collect();
    assert_eq!(images.len(), 3);
    let seqs: Vec<u64> = images.iter().map(|(one, _)| one.seq).collect();
    assert_eq!(seqs, [100, 101, 103]);
    // Without times, ten a second by their count; the one that is lost leaves its time.
    let stamps: Vec<i64> = images.iter().map(|(one, _)| one.stamp.nanos()).collect();
    assert_eq!(stamps, [0, 100_000_000, 300_000_000]);
    let told = gaps(&run);
    assert_eq!(
        (told.len(), told[0].0, told[0].1),
        (1, GapCause::Missing, 1),
        "{told:?}"
    );
    let (one, image) = images[0];
    assert_eq!((image.shape().channels, image.shape().samples), (BEAMS, RANGES));
    assert_eq!(
        image.strengths(),
        &Strengths::U8(strengths().into_iter().map(|value| value as u8).collect())
    );
    // Cells of 5 mm at 1490 m/s, the first half of one away.
    assert!((image.interval_s - 2.0 * 0.005 / 1490.0).abs() < 1e-15);
    assert!((image.first_s - 0.5 * image.interval_s).abs() < 1e-15);
    assert_eq!(
        one.end.nanos_since(one.stamp),
        (3.5 * image.interval_s * 1e9).round() as i64
    );
    assert_eq!(
        (image.centre_hz, image.sound_speed_m_per_s),
        (Some(1.2e6), Some(1490.0))
    );
    let angles: Vec<f64> = image
        .beams()
        .iter()
        .map(|beam| beam.across_rad().to_degrees())
        .collect();
    for (angle, bearing) in angles.iter().zip(BEARINGS) {
        assert!((angle - f64::from(bearing) * 0.01).abs() < 1e-9, "{angles:?}");
    }
    let [high, wide] = image.beams()[0].two_way_width_rad().map(f64::to_degrees);
    assert!(
        (high - 20.0).abs() < 1e-9 && (wide - 0.6).abs() < 1e-4,
        "{high} {wide}"
    );
    // Mounted as it is taken to be, the middle looks forward and a bearing turns to starboard.
    let body_from_sensor = sonar.body_from_sensor();
    let looks = (body_from_sensor * image.beams()[2].direction).vector();
    let turn = 30f64.to_radians();
    assert!(
        (looks.x - cos(turn)).abs() < 1e-9 && (looks.y + sin(turn)).abs() < 1e-9 && looks.z.abs() < 1e-9,
        "{looks}"
    );
    for word in [
        "number 7892",
        "1200.0 kHz",
        "gain 50 %",
        "10 a second",
        "3 ping(s) tell a temperature that is none",
        "0xff (1)",
        "pitch_deg = 90",
    ] {
        assert!(
            recording.notes().iter().any(|note| note.contains(word)),
            "{word}: {:?}",
            recording.notes()
        );
    }
}

#[test]
fn the_second_version_has_its_own_times_and_gains() {
    let (recording, run) = played(&second()).unwrap();
    let stamps: Vec<i64> = run.iter().map(|one| one.stamp.nanos()).collect();
    assert_eq!(stamps, [0, 62_500_000, 125_000_000]);
    let image = image(&run[0]).unwrap();
    assert_eq!(image.cell_gains(), [7000, 7001, 7002, 7003]);
    assert_eq!(
        image.strengths(),
        &Strengths::U16(strengths().into_iter().map(|value| value as u16).collect())
    );
    assert!(
        recording
            .notes()
            .iter()
            .any(|note| note.contains("seconds since it was switched on"))
    );
}

#[test]
fn strengths_of_every_size_are_read_with_and_without_gains() {
    for version in [0, 1, 2] {
        for size in 0..4u8 {
            for gains in [false, true] {
                let made = Made {
                    version,
                    size,
                    gains,
                    ..Made::default()
                };
                let (found, lost) = read(&ping(&made));
                assert_eq!((found.len(), lost), (1, 0), "{made:?}");
                let values: Vec<u32> = match &found[0].strengths {
                    Strengths::U8(values) => values.iter().map(|&value| value.into()).collect(),
                    Strengths::U16(values) => values.iter().map(|&value| value.into()).collect(),
                    Strengths::U32(values) => values.clone(),
                };
                assert_eq!(values, strengths(), "{made:?}");
                assert_eq!(found[0].gains.len(), if gains { RANGES } else { 0 });
                assert_eq!((found[0].temperature_deg_c, found[0].pressure_bar), (None, None));
            }
        }
    }
}

#[test]
fn what_cannot_be_is_refused_by_its_name_and_place() {
    let good = ping(&Made::default());
    let changed = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let of = |made: Made| ping(&Made { number: 101, ..made });
    for (bad, words) in [
        (changed(8, &3u16.to_le_bytes()), "found version 3"),
        (changed(97, &[4]), "0 to 3), found 4"),
        (
            changed(106, &5u16.to_le_bytes()),
            "expected an image of 15 bytes (5 ranges by 3 beams by 1 bytes) or 35 with gains, found 12",
        ),
        (
            changed(108, &0u16.to_le_bytes()),
            "expected 1 to 4096 beams, found 0",
        ),
        (
            of(Made {
                speed: 343.0,
                ..Made::default()
            }),
            "1350 to 1650 m/s, found 343",
        ),
        (
            of(Made {
                speed: f64::NAN,
                ..Made::default()
            }),
            "found NaN",
        ),
        (
            of(Made {
                bearings: [-3000, 3000, 2999],
                ..Made::default()
            }),
            "found 2999 after 3000",
        ),
        (changed(98, &0f64.to_le_bytes()), "found 0 m"),
    ] {
        let after = ping(&Made {
            number: 102,
            ..Made::default()
        });
        let (_, run) = played(&[&good[..], &bad, &after].concat()).unwrap();
        assert_eq!(run.iter().filter_map(image).count(), 2, "{words}");
        let told = gaps(&run);
        let named = told.iter().find(|gap| gap.2.contains(words));
        let named = named.unwrap_or_else(|| panic!("{words}: {told:?}"));
        assert_eq!((named.0, named.1), (GapCause::Corrupt, 1));
        assert!(named.2.contains(&format!("byte {}", good.len())), "{named:?}");
    }
}

#[test]
fn damage_is_counted_and_the_next_good_ping_is_found() {
    let of = |number| {
        ping(&Made {
            number,
            ..Made::default()
        })
    };
    let length = of(1).len();
    // The mark, the length (longer and shorter), the length said inside, where the image lies.
    for (at, byte) in [(0, 0x55u8), (10, 0xff), (10, 9), (11, 1), (118, 7), (111, 0x7f)] {
        let mut bad = of(2);
        bad[at] = byte;
        let (_, run) = played(&[of(1), bad, of(3), of(4)].concat()).unwrap();
        let seqs: Vec<u64> = run
            .iter()
            .filter(|one| image(one).is_some())
            .map(|one| one.seq)
            .collect();
        assert_eq!(seqs, [1, 3, 4], "byte {at}");
        let told = gaps(&run);
        assert!(
            told.iter().any(|gap| gap.2.contains(&format!("byte {length}"))),
            "byte {at}: {told:?}"
        );
    }
}

#[test]
fn every_cut_of_a_small_stream_keeps_what_is_before_it() {
    for bytes in [first(), second()] {
        let (all, _) = read(&bytes);
        for cut in 0..bytes.len() {
            let (found, lost) = read(&bytes[..cut]);
            assert!(found.len() < all.len() && lost <= 1, "cut at {cut}");
            assert_eq!(found, all[..found.len()], "cut at {cut}");
            match played(&bytes[..cut]) {
                Ok((_, run)) => {
                    assert_eq!(run.iter().filter_map(image).count(), found.len(), "cut at {cut}");
                    // A message of another kind that is cut is no loss of this sensor, where its head tells.
                    let start = ping(&Made::default()).len();
                    let other = start + 16..start + other().len();
                    let own = lost == 1 && !(bytes == first() && other.contains(&cut));
                    let told = gaps(&run)
                        .iter()
                        .any(|gap| gap.0 == GapCause::Truncated && gap.1 == 1);
                    assert_eq!(told, own, "cut at {cut}");
                }
                Err(wrong) => {
                    let wrong = wrong.to_string();
                    assert!(found.is_empty() && !wrong.is_empty(), "cut at {cut}: {wrong}");
                    assert!(
                        cut < 16 || wrong.contains("simple ping results"),
                        "cut at {cut}: {wrong}"
                    );
                }
            }
        }
    }
}

#[test]
fn changed_bytes_are_survived() {
    let mut chance = Chance(0x0c51_05ee_d000_0001);
    for round in 0..2000 {
        let bytes = if round % 2 == 0 { first() } else { second() };
        let changed = chance.changed(&bytes);
        let (found, _) = read(&changed);
        assert!(found.iter().map(|ping| ping.strengths.len()).sum::<usize>() <= changed.len());
        let _ = oculus::summary_of(Cursor::new(&changed), Path::new("changed.raw"));
        if round % 50 == 0
            && let Ok((_, run)) = played(&changed)
        {
            assert!(run.is_sorted_by_key(Measurement::order));
        }
    }
}

#[test]
fn the_corpus_of_imaging_sonars_is_read_without_a_panic() {
    let cut = second()[..second().len() - 7].to_vec();
    make_seeds(
        "imaging",
        &[
            ("oculus_first", first()),
            ("oculus_second", second()),
            ("oculus_cut", cut),
            ("oculus_damaged", Chance(5).changed(&first())),
        ],
    );
    let files = seeds("imaging");
    assert!(files.len() >= 4);
    for (name, bytes) in &files {
        let (found, _) = read(bytes);
        if name == "oculus_second" {
            assert_eq!(
                bytes,
                &oculus_file::second(),
                "what fuzzing starts from is what the tests write"
            );
            assert_eq!(found.len(), 3);
        }
    }
}

#[test]
fn a_rig_gives_times_place_and_widths() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("fan.raw"), first()).unwrap();
    let columns = "beam,across_deg,along_deg,transmit_along_deg,transmit_across_deg,receive_along_deg,receive_across_deg\n";
    std::fs::write(at("fan.beams.csv"), format!("{columns}0,0,0,12,120,12,0.8\n")).unwrap();
    let rig = "[[sensor]]\nname = \"fan\"\nkind = \"sonar\"\nsource = \"fan.raw\"\nbeams = \"fan.beams.csv\"\n\
               rate_hz = 20.0\nstart_ns = 1000000000\npitch_deg = 70.0\n";
    std::fs::write(at("site.toml"), rig).unwrap();
    let run: Vec<Measurement> = Recording::open(&at("site.toml"))
        .unwrap()
        .timeline()
        .unwrap()
        .collect();
    let stamps: Vec<i64> = run
        .iter()
        .filter(|one| image(one).is_some())
        .map(|one| one.stamp.nanos())
        .collect();
    assert_eq!(stamps, [1_000_000_000, 1_050_000_000, 1_150_000_000]);
    let beam = image(&run[0]).unwrap().beams()[1];
    assert!((beam.receive_width_rad[1].to_degrees() - 0.8).abs() < 1e-9);
    assert!(
        (beam.across_rad().to_degrees() + 5.0).abs() < 1e-9,
        "where it looks the ping says"
    );

    std::fs::write(
        at("fan.beams.csv"),
        format!("{columns}0,0,0,1,1,1,1\n1,1,0,1,1,1,1\n"),
    )
    .unwrap();
    let wrong = Recording::open(&at("site.toml")).unwrap_err().to_string();
    assert!(
        wrong.contains("one row with the widths") && wrong.contains("2 rows"),
        "{wrong}"
    );
}

#[test]
fn probe_says_what_it_is_and_the_rig_it_gives_plays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fan.raw");
    std::fs::write(&path, second()).unwrap();
    let found = probe(&path).unwrap();
    assert!(found.plays && found.what.contains("Oculus"), "{found:?}");
    let shapes = &found.sensors[0].shapes;
    assert!(
        shapes.contains("an image of 3 beams by 4 cells to 0.02 m, 16 bits each"),
        "{shapes:?}"
    );
    assert!(found.sensors[0].pulses.contains("1200 kHz"));
    std::fs::write(found.rig_file.clone().unwrap(), found.rig.unwrap()).unwrap();
    let of_rig = Recording::open(&found.rig_file.unwrap()).unwrap();
    let run: Vec<Measurement> = of_rig.timeline().unwrap().collect();
    assert_eq!(run.iter().filter_map(image).count(), 3);
}

#[test]
fn a_real_stream_is_that_of_the_reference() {
    let name = "a_real_stream_is_that_of_the_reference";
    let Some(folder) = shared_data(name, "sonar/oculus-multibeam") else {
        return;
    };
    let reference = std::fs::read_to_string(folder.join("reference_decode.json")).unwrap();
    let file = folder.join("three_pings_8bit.raw");
    let (pings, lost) = read(&std::fs::read(&file).unwrap());
    assert_eq!((pings.len(), lost), (3, 0));
    // The reference has the one ping of the other file before these three.
    let sums: Vec<f64> = numbers(&reference, "img_sum").split_off(1);
    assert_eq!(sums, [10_052_524.0, 10_101_513.0, 10_008_409.0]);
    for (index, ping) in pings.iter().enumerate() {
        let Strengths::U8(values) = &ping.strengths else {
            panic!("{:?}", ping.strengths);
        };
        assert_eq!(
            values.iter().map(|&value| f64::from(value)).sum::<f64>(),
            sums[index]
        );
        assert_eq!(ping.number, 415_323 + index as u32);
        assert_eq!((ping.cells, ping.bearings.len(), ping.device), (703, 256, 7892));
        assert_eq!(ping.bearings[..5], [-3000, -2974, -2948, -2922, -2896]);
        assert_eq!(ping.bearings[255], 3000);
        let steps: Vec<i16> = ping.bearings.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(steps.iter().min() != steps.iter().max(), "a table, not a step");
        assert_eq!(ping.frequency_hz, Some(2_098_880.597_014_925_4));
        assert_eq!(ping.sound_speed_m_per_s, 1_490.658_551_265_436);
        assert_eq!(ping.cell_m, 0.002_842_188_971_079_431_5);
        assert_eq!(
            (ping.temperature_deg_c, ping.pressure_bar),
            (None, None),
            "garbage"
        );
        assert_eq!(
            (ping.range_m, ping.gain_percent, ping.gamma),
            (Some(2.0), 50.0, 127)
        );
    }
    // Its first range, beam after beam, is the reference's first bytes.
    let Strengths::U8(values) = &pings[0].strengths else {
        panic!("eight bits");
    };
    let row: Vec<u8> = (0..16).map(|beam| values[beam * 703]).collect();
    assert_eq!(
        row,
        [42, 45, 47, 48, 48, 49, 48, 46, 43, 39, 35, 30, 23, 13, 15, 25]
    );

    let recording = Recording::open(&file).unwrap();
    println!("{:#?}", recording.notes());
    assert_eq!(recording.nameplates()[0].serial.as_deref(), Some("7892"));
    let run: Vec<Measurement> = recording.timeline().unwrap().collect();
    assert_eq!((run.len(), run.iter().filter_map(image).count()), (3, 3));
    assert_eq!(recording.rig().sensors[0].model.as_deref(), Some("Oculus M1200d"));
    let reach = run[0].end.nanos_since(run[0].stamp) as f64 * 0.5e-9 * 1_490.658_551;
    assert!((reach - 1.997).abs() < 2e-3, "{reach}");
}
