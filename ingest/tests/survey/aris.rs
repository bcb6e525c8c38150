//! Files of an ARIS.

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::aris::{self, Frame};
use beluga_ingest::{Error, Recording};
use beluga_types::{GapCause, Measurement, StrengthUnit, Strengths, Water};

use crate::aris_file::*;
use crate::oculus::image;
use crate::shared_data::shared_data;
use crate::tools::{self, Chance, gaps, make_seeds, numbers, seeds};

/// The frames of a file, and how many could not be read.
fn read(bytes: &[u8]) -> (Vec<Frame>, usize) {
    let (mut found, mut lost) = (Vec::new(), 0);
    if let Ok(frames) = aris::frames(Cursor::new(bytes), Path::new("cut.aris")) {
        for frame in frames {
            match frame {
                Ok(frame) => found.push(frame),
                Err(_) => lost += 1,
            }
        }
    }
    (found, lost)
}

fn played(bytes: &[u8]) -> Result<(Recording, Vec<Measurement>), Error> {
    tools::played("fish.aris", bytes)
}

#[test]
fn a_small_aris_file_plays_by_itself() {
    let (recording, run) = played(&small()).unwrap();
    let sonar = &recording.rig().sensors[0];
    assert_eq!(sonar.model.as_deref(), Some("ARIS 1200"));
    assert_eq!(recording.rig().water, Water::SoundSpeed(1436.0));
    assert_eq!(gaps(&run), []);
    let stamps: Vec<i64> = run.iter().map(|one| one.stamp.nanos()).collect();
    let start = START_US as i64 * 1000;
    assert_eq!(
        stamps,
        [start, start + 125_000_000, start + 250_000_000],
        "the host's time"
    );
    let image = image(&run[0]).unwrap();
    assert_eq!((image.shape().channels, image.shape().samples), (BEAMS, SAMPLES));
    let beam = |beam| (0..SAMPLES).map(move |sample| strength(sample, beam));
    assert_eq!(
        image.strengths(),
        &Strengths::U8((0..BEAMS).flat_map(beam).collect())
    );
    // By the frame's timing, not by the window that it states.
    assert!((image.first_s - 4593e-6).abs() < 1e-12 && (image.interval_s - 14e-6).abs() < 1e-12);
    assert_eq!((image.unit, image.scale), (StrengthUnit::Decibel, 80.0 / 255.0));
    assert_eq!(image.centre_hz, Some(1.2e6));
    // The first beam is the right-most, and the table is not even.
    let angles: Vec<f64> = image
        .beams()
        .iter()
        .map(|beam| beam.across_rad().to_degrees())
        .collect();
    assert!((angles[0] - 13.5735).abs() < 1e-6 && (angles[47] + 13.5735).abs() < 1e-6);
    assert!(
        (angles[0] - angles[1]) < 0.7 * (angles[23] - angles[24]),
        "{angles:?}"
    );
    let looks = (sonar.body_from_sensor() * image.beams()[0].direction).vector();
    assert!(
        looks.x > 0.97 && looks.y < -0.23,
        "forward, to starboard: {looks}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fish.aris");
    std::fs::write(&path, small()).unwrap();
    let plate = &Recording::open(&path).unwrap().nameplates()[0];
    assert_eq!(
        (plate.serial.as_deref(), plate.firmware.as_deref()),
        (Some("1098"), Some("ArisApp 2.6"))
    );
    for word in [
        "gain 24 dB",
        "fresh, 9.0 °C",
        "3 frame(s) state a window",
        "14° high",
    ] {
        assert!(
            recording.notes().iter().any(|note| note.contains(word)),
            "{word}: {:?}",
            recording.notes()
        );
    }
}

#[test]
fn every_ping_mode_and_lens_has_its_table() {
    for (mode, beams) in [
        (1, 48),
        (2, 48),
        (3, 96),
        (5, 96),
        (6, 64),
        (8, 64),
        (9, 128),
        (12, 128),
    ] {
        for telephoto in [0, 1] {
            let made = Made {
                mode,
                telephoto,
                ..Made::default()
            };
            let run = played(&[header(), frame(&made), frame(&Made { number: 1, ..made })].concat());
            // Of the telephoto lens there are tables of 48 and of 96 beams.
            match telephoto == 0 || beams <= 48 || beams == 96 {
                true => assert_eq!(image(&run.unwrap().1[0]).unwrap().shape().channels, beams),
                false => assert!(
                    run.unwrap_err()
                        .to_string()
                        .contains("a lens whose table is known")
                ),
            }
        }
    }
}

#[test]
fn what_cannot_be_in_a_frame_is_refused_by_its_name_and_place() {
    let good = frame(&Made::default());
    let place = 1024 + good.len();
    for (bad, words) in [
        (
            Made {
                speed: 343.0,
                ..Made::default()
            },
            "1350 to 1650 m/s, found 343",
        ),
        (
            Made {
                speed: f32::NAN,
                ..Made::default()
            },
            "found NaN",
        ),
        (
            Made {
                ordered: 0,
                ..Made::default()
            },
            "in the order of beams",
        ),
        (
            Made {
                period_us: 0,
                ..Made::default()
            },
            "found 0",
        ),
        (
            Made {
                mode: 13,
                ..Made::default()
            },
            "the next whole one",
        ),
    ] {
        let bad = frame(&Made { number: 1, ..bad });
        let after = frame(&Made {
            number: 2,
            ..Made::default()
        });
        let (_, run) = played(&[header(), good.clone(), bad, after].concat()).unwrap();
        assert_eq!(run.iter().filter_map(image).count(), 2, "{words}");
        let told = gaps(&run);
        let named = told.iter().find(|gap| gap.2.contains(words));
        let named = named.unwrap_or_else(|| panic!("{words}: {told:?}"));
        assert_eq!((named.0, named.1), (GapCause::Corrupt, 1));
        assert!(named.2.contains(&format!("byte {place}")), "{named:?}");
    }
    let wrong = played(b"DDF\x04 and more").unwrap_err().to_string();
    assert!(wrong.contains("DIDSON"), "{wrong}");
    let wrong = played(&header()).unwrap_err().to_string();
    assert!(wrong.contains("frames behind the header"), "{wrong}");
}

#[test]
fn every_cut_of_a_small_aris_file_keeps_what_is_before_it() {
    let bytes = small();
    let length = frame(&Made::default()).len();
    for cut in (0..bytes.len()).filter(|cut| cut % 7 == 0 || cut % length < 30) {
        let (found, lost) = read(&bytes[..cut]);
        assert_eq!(found.len(), cut.saturating_sub(1024) / length, "cut at {cut}");
        let between = cut <= 1024 || (cut - 1024) % length == 0;
        assert_eq!(lost, usize::from(!between), "cut at {cut}");
        if !found.is_empty() {
            let (_, run) = played(&bytes[..cut]).unwrap();
            let told = gaps(&run);
            assert_eq!(told.len(), lost, "cut at {cut}");
            assert!(told.iter().all(|gap| gap.0 == GapCause::Truncated && gap.1 == 1));
        }
    }
}

#[test]
fn changed_bytes_of_an_aris_file_are_survived() {
    let mut chance = Chance(0xa415_0000_0001);
    for _ in 0..1000 {
        let changed = chance.changed(&small());
        let (found, _) = read(&changed);
        assert!(found.iter().map(|frame| frame.strengths.len()).sum::<usize>() <= changed.len());
        let _ = aris::summary_of(Cursor::new(&changed), Path::new("changed.aris"));
    }
}

#[test]
fn the_corpus_has_an_aris_file() {
    let of = |number| {
        frame(&Made {
            number,
            ..Made::default()
        })
    };
    let one = [header(), of(0)].concat();
    make_seeds(
        "imaging",
        &[
            ("aris_one", one.clone()),
            ("aris_cut", [header(), of(0), of(1)[..1100].to_vec()].concat()),
        ],
    );
    let files = seeds("imaging");
    let own = files.iter().find(|(name, _)| name == "aris_one").unwrap();
    assert_eq!(own.1, one, "what fuzzing starts from is what the tests write");
    for (_, bytes) in &files {
        read(bytes);
    }
}

#[test]
fn a_real_aris_file_is_that_of_the_reference() {
    let name = "a_real_aris_file_is_that_of_the_reference";
    let Some(folder) = shared_data(name, "sonar/aris-imaging") else {
        return;
    };
    let reference = std::fs::read_to_string(folder.join("reference_decode.json")).unwrap();
    let file = folder.join("sample.aris");
    let (frames, lost) = read(&std::fs::read(&file).unwrap());
    assert_eq!((frames.len(), lost), (6, 0));
    let sums: Vec<f64> = frames
        .iter()
        .map(|frame| frame.strengths.iter().map(|&value| f64::from(value)).sum())
        .collect();
    assert_eq!(sums, numbers(&reference, "data_sum"));
    let times: Vec<f64> = frames.iter().map(|frame| frame.recorded_us as f64).collect();
    assert_eq!(times, numbers(&reference, "FrameTime"));
    let times: Vec<f64> = frames.iter().map(|frame| frame.sonar_us as f64).collect();
    assert_eq!(times, numbers(&reference, "sonarTimeStamp"));
    for frame in &frames {
        assert_eq!((frame.beams, frame.samples, frame.ping_mode), (48, 2000, 1));
        assert_eq!(
            (frame.period_us, frame.delay_us, frame.serial, frame.system),
            (14, 4593, 1098, 2)
        );
        assert_eq!(
            (frame.sound_speed_m_per_s, frame.water_deg_c, frame.salinity),
            (1_435.933_3, 9.0, 0)
        );
        assert_eq!(frame.window_m, [3.329_924_8, 20.300_001]);
    }
    // Its first bytes are the first sample of the first beams.
    let row: Vec<u8> = (0..8).map(|beam| frames[0].strengths[beam * 2000]).collect();
    assert_eq!(row, [119, 152, 124, 160, 166, 143, 140, 153]);
    let recording = Recording::open(&file).unwrap();
    println!("{:#?}", recording.notes());
    let run: Vec<Measurement> = recording.timeline().unwrap().collect();
    assert_eq!((run.len(), run.iter().filter_map(image).count()), (6, 6));
    // 3.2976 m to 23.40 m by its timing, which its stated window (3.330 m, 20.300 m long) is not.
    let image = image(&run[0]).unwrap();
    let at = |cell: f64| 0.5 * 1_435.933_349_6 * (image.first_s + image.interval_s * cell);
    assert!((at(0.0) - 3.2976).abs() < 1e-4 && (at(2000.0) - 23.40).abs() < 2e-3);
    assert!(
        recording
            .notes()
            .iter()
            .any(|note| note.contains("6 frame(s) state a window"))
    );
}
