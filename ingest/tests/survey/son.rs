//! Recordings of a Humminbird.

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::humminbird::{self, Record};
use beluga_ingest::{Error, Recording};
use beluga_types::elementary::{Squared, cos};
use beluga_types::{GapCause, Measurement, Payload, Profile};

use crate::shared_data::shared_data;
use crate::son_file::*;
use crate::tools::{self, Chance, gaps, make_seeds, numbers, profile, seeds};

const BEGAN_NANOS: i64 = 1_382_657_324_000_000_000;

/// The records of a file, and how many could not be read.
fn read(bytes: &[u8]) -> (Vec<Record>, usize) {
    let (mut found, mut lost) = (Vec::new(), 0);
    for record in humminbird::records(Cursor::new(bytes), Path::new("B001.SON")).unwrap() {
        match record {
            Ok(record) => found.push(record),
            Err(_) => lost += 1,
        }
    }
    (found, lost)
}

fn played(bytes: &[u8]) -> Result<(Recording, Vec<Measurement>), Error> {
    tools::played("B001.SON", bytes)
}

#[test]
fn a_small_recording_plays_with_what_lies_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("B001.SON"), small()).unwrap();
    std::fs::write(at("B001.IDX"), index(&[41, 133, 220])).unwrap();
    std::fs::write(at("R01224.DAT"), description()).unwrap();
    let recording = Recording::open(&at("B001.SON")).unwrap();
    let names: Vec<&str> = recording
        .rig()
        .sensors
        .iter()
        .map(|spec| spec.name.as_str())
        .collect();
    assert_eq!(names, ["down", "gnss"]);
    let run: Vec<Measurement> = recording.timeline().unwrap().collect();
    assert_eq!(gaps(&run), []);
    let pings: Vec<(&Measurement, &Profile)> =
        run.iter().filter_map(|one| Some((one, profile(one)?))).collect();
    let stamps: Vec<i64> = pings
        .iter()
        .map(|(one, _)| one.stamp.nanos() - BEGAN_NANOS)
        .collect();
    assert_eq!(
        stamps,
        [41_000_000, 133_000_000, 220_000_000],
        "from the description's moment on"
    );
    let (_, ping) = pings[0];
    assert_eq!(ping.strength.len(), SAMPLES);
    assert_eq!(ping.strength[199], 199.0);
    // 4/π over 0.108 m times 455 kHz.
    assert!((ping.interval_s - 25.91e-6).abs() < 1e-8, "{}", ping.interval_s);
    assert!(ping.beam.across_rad().abs() < 1e-12, "down");
    // Where it has not moved the unit says its place again.
    let poses: Vec<_> = run
        .iter()
        .filter_map(|one| match &one.payload {
            Payload::Pose(fix) => Some(fix),
            _ => None,
        })
        .collect();
    assert_eq!(poses.len(), 2);
    let moved = poses[1].world_from_body.translation() - poses[0].world_from_body.translation();
    // Two metres east and one north of a map that is 1.25 times too large there.
    assert!(
        (moved.x - 2.0 / 1.25).abs() < 0.02 && (moved.y - 1.0 / 1.25).abs() < 0.02,
        "{moved}"
    );
    // A heading of 197.7° is south by west.
    let bow = poses[0].world_from_body.rotation() * nalgebra::Vector3::x();
    assert!(
        (bow.y + cos(17.7f64.to_radians())).abs() < 1e-3 && bow.x < -0.3,
        "{bow}"
    );
    assert!(poses[0].covariance.is_some());
    let anchor = recording.rig().origin.as_ref().unwrap().anchor;
    // PyHum's own formula for the place of the test recording.
    assert!(
        (anchor.longitude_rad.to_degrees() - (-111.5142586)).abs() < 1e-6,
        "{anchor:?}"
    );
    assert!(
        (anchor.latitude_rad.to_degrees() - 36.8788083).abs() < 1e-6,
        "{anchor:?}"
    );
    let notes = recording.notes();
    for word in [
        "900 series",
        "down at 200 kHz",
        "2013-10-24",
        "fresh water",
        "25.9 µs",
    ] {
        assert!(notes.iter().any(|note| note.contains(word)), "{word}: {notes:?}");
    }
    assert!(
        !notes.iter().any(|note| note.contains("index")),
        "all of it holds: {notes:?}"
    );

    std::fs::write(at("B001.IDX"), index(&[41, 133, 220, 300])).unwrap();
    std::fs::write(at("R01224.DAT"), b"\x07").unwrap();
    let recording = Recording::open(&at("B001.SON")).unwrap();
    let notes = recording.notes();
    for word in [
        "4 entries, of which 3 name one of 3 records",
        "c1 or c3",
        "R01224.DAT",
    ] {
        assert!(notes.iter().any(|note| note.contains(word)), "{word}: {notes:?}");
    }
    let first = recording.timeline().unwrap().next().unwrap();
    assert_eq!(first.stamp.nanos(), 41_000_000);
}

#[test]
fn headers_of_every_family_are_read() {
    for header in [67, 72, 152] {
        for (beam, across_deg) in [(0, 0.0), (2, -60.0), (3, 60.0)] {
            let made = Made {
                header,
                beam,
                ..Made::default()
            };
            let bytes = [record(&made), record(&Made { millis: 90, ..made })].concat();
            let (found, lost) = read(&bytes);
            assert_eq!((found.len(), lost), (2, 0), "{header}");
            assert_eq!((found[0].header, found[0].depth_tenths), (header, 18));
            assert_eq!(
                (found[0].heading_tenths, found[0].speed_cm_per_s),
                (Some(1977), Some(27))
            );
            let (_, run) = played(&bytes).unwrap();
            let looks = run
                .iter()
                .find_map(profile)
                .unwrap()
                .beam
                .across_rad()
                .to_degrees();
            assert!((looks - across_deg).abs() < 1e-9, "{beam}: {looks}");
        }
    }
}

#[test]
fn what_is_not_known_yet_makes_no_pose() {
    let of = |made: Made| {
        played(&[record(&made), record(&Made { millis: 99, ..made })].concat())
            .unwrap()
            .0
    };
    for made in [
        Made {
            place_m: [0, 0],
            ..Made::default()
        },
        Made {
            heading: [0, 1977],
            ..Made::default()
        },
    ] {
        assert_eq!(of(made).rig().sensors.len(), 1, "{made:?}");
    }
    assert_eq!(of(Made::default()).rig().sensors.len(), 2);
}

#[test]
fn damage_is_counted_and_the_next_record_is_found() {
    let of = |number: u32| {
        record(&Made {
            number,
            millis: 40 * number,
            ..Made::default()
        })
    };
    let length = of(1).len();
    // The mark, a tag, the number of samples, the mark before them.
    for at in [0, 4, 62, 66] {
        let mut bad = of(2);
        bad[at] ^= 0x41;
        let (_, run) = played(&[of(1), bad, of(3), of(4)].concat()).unwrap();
        let stamps: Vec<i64> = run
            .iter()
            .filter(|one| profile(one).is_some())
            .map(|one| one.stamp.nanos() / 40_000_000)
            .collect();
        assert_eq!(stamps, [1, 3, 4], "byte {at}");
        let told = gaps(&run);
        assert!(
            told.iter().any(|gap| gap.2.contains(&format!("byte {length}"))),
            "byte {at}: {told:?}"
        );
    }
    let mut turned = of(2);
    turned[25..29].copy_from_slice(&[0, 1, 0x10, 0]);
    let (_, run) = played(&[of(1), turned, of(3)].concat()).unwrap();
    assert!(
        gaps(&run)
            .iter()
            .any(|gap| gap.0 == GapCause::Corrupt && gap.2.contains("a heading of 0° to 360°"))
    );
}

#[test]
fn every_cut_of_a_small_recording_keeps_what_is_before_it() {
    let bytes = small();
    let length = record(&Made::default()).len();
    for cut in 0..bytes.len() {
        let (found, lost) = read(&bytes[..cut]);
        assert_eq!(found.len(), cut / length, "cut at {cut}");
        assert_eq!(lost, usize::from(cut % length > 0), "cut at {cut}");
        match played(&bytes[..cut]) {
            Ok((_, run)) => assert_eq!(run.iter().filter_map(profile).count(), cut / length),
            Err(wrong) => assert!(cut < length && !wrong.to_string().is_empty(), "cut at {cut}"),
        }
    }
}

#[test]
fn changed_bytes_of_a_recording_are_survived() {
    let mut chance = Chance(0x50f0_0000_0001);
    for _ in 0..1000 {
        let changed = chance.changed(&small());
        let (found, _) = read(&changed);
        assert!(found.iter().map(|record| record.strength.len()).sum::<usize>() <= changed.len());
        let _ = humminbird::summary_of(Cursor::new(&changed), Path::new("changed.SON"));
        let _ = humminbird::description(&chance.changed(&description()));
        assert!(humminbird::index(&chance.changed(&index(&[1, 2]))).len() == 2);
    }
}

#[test]
fn the_corpus_has_a_recording() {
    make_seeds(
        "imaging",
        &[
            ("son_small", small()),
            ("son_damaged", Chance(9).changed(&small())),
        ],
    );
    let files = seeds("imaging");
    let own = files.iter().find(|(name, _)| name == "son_small").unwrap();
    assert_eq!(own.1, small(), "what fuzzing starts from is what the tests write");
    for (_, bytes) in &files {
        read(bytes);
    }
}

#[test]
fn a_real_recording_is_that_of_the_census() {
    let name = "a_real_recording_is_that_of_the_census";
    let Some(folder) = shared_data(name, "sonar/humminbird-son") else {
        return;
    };
    let census = std::fs::read_to_string(folder.join("reference_census.json")).unwrap();
    let counts = numbers(&census, "magic_count");
    for (file, frequency, count) in [("B000", 83_000, counts[0]), ("B001", 200_000, counts[1])] {
        let path = folder.join(file).with_extension("SON");
        let bytes = std::fs::read(&path).unwrap();
        let (records, lost) = read(&bytes);
        assert_eq!((records.len() as f64, lost), (count, 0));
        let first = &records[0];
        assert_eq!(
            (first.place_m, first.header, first.strength.len()),
            ([-12_414_199, 4_396_652], 67, 1479)
        );
        assert!(records.iter().all(|record| record.frequency_hz == frequency));
        let read_all: usize = records
            .iter()
            .map(|record| record.header + record.strength.len())
            .sum();
        assert_eq!(read_all, bytes.len(), "to the last byte");
        // Every entry of the index names a record, and its time is the record's.
        let index = humminbird::index(&std::fs::read(path.with_extension("IDX")).unwrap());
        let summary = humminbird::summary(&path).unwrap();
        assert_eq!(
            (summary.hits(&index), summary.records),
            (index.len() as u64, index.len() as u64)
        );
        assert!(
            index
                .iter()
                .zip(&records)
                .all(|(entry, record)| entry[0] == record.millis)
        );
        let last = records.last().unwrap();
        assert!((150_573..=150_617).contains(&last.millis));
    }
    let said = humminbird::description(&std::fs::read(folder.join("test.DAT")).unwrap()).unwrap();
    assert_eq!(
        (said.water, said.began_s, said.records, said.millis),
        (0, 1_382_657_324, 10_359, 150_617)
    );
    let recording = Recording::open(&folder.join("B001.SON")).unwrap();
    println!("{:#?}", recording.notes());
    let run: Vec<Measurement> = recording.timeline().unwrap().collect();
    assert_eq!(gaps(&run), []);
    let pings: Vec<&Measurement> = run.iter().filter(|one| profile(one).is_some()).collect();
    assert_eq!((pings.len(), pings[0].stamp.nanos()), (1727, BEGAN_NANOS));
    assert!(run.len() > 1727 + 300, "and where it was");
}

/// The depth that the unit states, against where the bed's echo lies in its own samples: tenths of a metre, not the
/// centimetres that documents say, and samples as long as they are taken to be.
#[test]
fn the_bed_lies_where_the_unit_says() {
    let name = "the_bed_lies_where_the_unit_says";
    let Some(file) = shared_data(name, "sonar/humminbird-son/B001.SON") else {
        return;
    };
    let (records, _) = read(&std::fs::read(file).unwrap());
    let mut seen: Vec<(f64, f64)> = records
        .iter()
        .map(|record| {
            let depth = f64::from(record.depth_tenths);
            let (near, far) = ((4.2 * depth) as usize + 10, (6.2 * depth) as usize + 60);
            let loudness = |&at: &usize| {
                record.strength[at..at + 7]
                    .iter()
                    .map(|&value| u32::from(value))
                    .sum::<u32>()
            };
            let loudest = (near..far).max_by_key(loudness).unwrap();
            (depth, loudest as f64 + 3.0)
        })
        .collect();
    let mut per_tenth = 0.0;
    // A line through them; what lies far off it is not the bed.
    for _ in 0..5 {
        let count = seen.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| seen.iter().map(of).sum::<f64>() / count;
        let (depth, place) = (mean(|one| one.0), mean(|one| one.1));
        let product = seen
            .iter()
            .map(|one| (one.0 - depth) * (one.1 - place))
            .sum::<f64>();
        per_tenth = product / seen.iter().map(|one| (one.0 - depth).squared()).sum::<f64>();
        let off = |one: &(f64, f64)| (one.1 - place - per_tenth * (one.0 - depth)).abs();
        let mut offs: Vec<f64> = seen.iter().map(off).collect();
        offs.sort_by(f64::total_cmp);
        let most = 3.0 * offs[offs.len() / 2];
        seen.retain(|one| off(one) <= most);
    }
    assert!(seen.len() > 900, "{}", seen.len());
    // A tenth of a metre at 1460 m/s, two ways, in samples of 25.9 µs, is 5.29 of them.
    let expected = 2.0 * 0.1 / 1460.0 / 25.91e-6;
    assert!(
        (per_tenth / expected - 1.0).abs() < 0.04,
        "{per_tenth} {expected}"
    );
}
