//! EK80 files whatever their bytes are: cut, changed, or none at all.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::folder::Writer;
use beluga_ingest::{Error, Recording, ek80};
use beluga_types::{GapCause, Payload, SonarPing};

#[path = "../../tests/shared_data/mod.rs"]
mod shared_data;

mod ek80_file;

use shared_data::shared_data;

/// Everything of a file: pings of all channels, and what could not be read.
fn read(bytes: &[u8]) -> Result<(usize, usize), Error> {
    let path = Path::new("cut.raw");
    let summary = ek80::summary_of(Cursor::new(bytes), path)?;
    let (mut whole, mut lost) = (0, 0);
    for channel in &summary.channels {
        for ping in ek80::pings(Cursor::new(bytes), path, &channel.id)? {
            match ping {
                Ok(_) => whole += 1,
                Err(_) => lost += 1,
            }
        }
    }
    Ok((whole, lost))
}

#[test]
fn a_small_file_reads_as_it_was_written() {
    let bytes = ek80_file::file(3);
    assert_eq!(read(&bytes).unwrap(), (6, 0));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.raw");
    std::fs::write(&path, &bytes).unwrap();
    let recording = Recording::open(&path).unwrap();
    let names: Vec<&str> = recording
        .rig()
        .sensors
        .iter()
        .map(|sensor| sensor.name.as_str())
        .collect();
    assert_eq!(names, ["chirp", "tone"]);
    let run: Vec<_> = recording.timeline().unwrap().collect();
    assert_eq!(run.len(), 6);
    let Payload::Sonar(ping) = &run[0].payload else {
        panic!("{:?}", run[0]);
    };
    let SonarPing::Profile(tone) = &**ping else {
        panic!("{ping:?}");
    };
    // The tone's 512 µs are centred 256 µs after the file's time.
    assert_eq!(run[0].stamp.nanos(), 1_525_867_947_327_977_500 + 256_000);
    assert!((tone.first_s + 256e-6).abs() < 1e-12);
    assert_eq!(tone.sound_speed_m_per_s, Some(1481.5));
    let Payload::Sonar(ping) = &run[1].payload else {
        panic!("{:?}", run[1]);
    };
    let SonarPing::Elements(chirp) = &**ping else {
        panic!("{ping:?}");
    };
    let shape = chirp.waveforms.shape();
    assert_eq!((shape.channels, shape.samples), (2, 64));
    let receiver = chirp.waveforms.receiver().unwrap();
    assert_eq!((receiver.stages().len(), receiver.output_rate_hz()), (2, 1e4));
    assert!((chirp.beam.unwrap().transmit_width_rad[1].to_degrees() - 8.0).abs() < 1e-9);
}

#[test]
fn the_folder_form_refuses_what_it_cannot_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.raw");
    std::fs::write(&path, ek80_file::file(1)).unwrap();
    let recording = Recording::open(&path).unwrap();
    let mut writer = Writer::create(&folder.path().join("out"), recording.rig()).unwrap();
    let mut refused = recording
        .timeline()
        .unwrap()
        .map(|measurement| writer.push(&measurement).unwrap_err().to_string());
    assert!(
        refused
            .next()
            .unwrap()
            .contains("a profile of sensor `tone` has no place here")
    );
    assert!(
        refused
            .next()
            .unwrap()
            .contains("sectors of sensor `chirp` has no place here")
    );
}

#[test]
fn every_cut_of_a_small_file_keeps_what_is_before_it() {
    let bytes = ek80_file::file(2);
    let mut before = 0;
    for cut in 0..bytes.len() {
        let Ok((whole, _)) = read(&bytes[..cut]) else {
            assert_eq!(before, 0, "cut at {cut}");
            continue;
        };
        assert!(
            whole >= before && whole <= 4,
            "cut at {cut}: {whole} after {before}"
        );
        before = whole;
    }
    assert_eq!(before, 3);
}

#[test]
fn every_cut_of_a_real_file_keeps_what_is_before_it() {
    let name = "every_cut_of_a_real_file_keeps_what_is_before_it";
    let Some(path) = shared_data(name, "sonar/simrad-ek80/y_m1519668699940320059.raw") else {
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let name = Path::new("cut.raw");
    let channels = ek80::summary_of(Cursor::new(&bytes), name).unwrap().channels;
    let mut before = [0; 2];
    // Each cut is read for one of the two channels, in turn.
    for cut in 0..bytes.len() {
        let (index, cut_bytes) = (cut % 2, &bytes[..cut]);
        let Ok(pings) = ek80::pings(Cursor::new(cut_bytes), name, &channels[index].id) else {
            assert_eq!(before, [0, 0], "cut at {cut}");
            continue;
        };
        let whole = pings.filter(Result::is_ok).count();
        let last = std::mem::replace(&mut before[index], whole);
        assert!(
            whole == last || whole == last + 1,
            "cut at {cut}: {whole} after {last}"
        );
    }
    assert_eq!(before, [6, 5]);
}

#[test]
fn every_changed_byte_of_a_small_file_is_survived() {
    let bytes = ek80_file::file(1);
    for at in 0..bytes.len() {
        for change in [0xff, 0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            if let Ok((whole, _)) = read(&changed) {
                assert!(whole <= 2, "byte {at}");
            }
        }
    }
}

#[test]
fn a_file_cut_in_the_middle_plays_to_its_end() {
    let name = "a_file_cut_in_the_middle_plays_to_its_end";
    let Some(path) = shared_data(name, "sonar/simrad-ek80/EK80_-D20221108-T151353.raw") else {
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.raw");
    // Inside the samples of the sixth ping, and of the fifth, the only one of its channel.
    for (cut, channels, whole, gaps) in [
        (1_200_000, 5, 5, vec![(GapCause::Truncated, 1)]),
        (1_000_000, 4, 4, vec![]),
    ] {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let recording = Recording::open(&path).unwrap();
        assert_eq!(recording.rig().sensors.len(), channels);
        assert!(
            recording
                .notes()
                .iter()
                .any(|note| note.contains("damaged in 1 place"))
        );
        let run: Vec<_> = recording.timeline().unwrap().collect();
        let is_ping = |payload: &Payload| matches!(payload, Payload::Sonar(_));
        assert_eq!(run.iter().filter(|found| is_ping(&found.payload)).count(), whole);
        let found: Vec<_> = run
            .iter()
            .filter_map(|found| match &found.payload {
                Payload::Gap(gap) => Some((gap.cause, gap.lost)),
                _ => None,
            })
            .collect();
        assert_eq!(found, gaps);
    }
}

/// Where the datagrams of a file start, and their types.
fn starts(bytes: &[u8]) -> Vec<(usize, [u8; 4])> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = u32::from_le_bytes(*bytes[at..].first_chunk().unwrap()) as usize;
        found.push((at, *bytes[at + 4..].first_chunk().unwrap()));
        at += length + 8;
    }
    found
}

/// Whole pings, and gaps as they count, of one channel of a file by itself.
fn played(bytes: &[u8], channel: &str) -> (usize, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.raw");
    std::fs::write(&path, bytes).unwrap();
    let recording = Recording::open(&path).unwrap();
    let sensors = &recording.rig().sensors;
    let index = sensors.iter().position(|sensor| sensor.name == channel).unwrap();
    let (mut whole, mut gaps) = (0, Vec::new());
    for found in recording.timeline().unwrap() {
        match found.payload {
            _ if usize::from(found.sensor.0) != index => {}
            Payload::Gap(gap) => gaps.push(gap.lost),
            _ => whole += 1,
        }
    }
    (whole, gaps)
}

#[test]
fn damage_over_several_datagrams_is_a_loss_of_every_channel() {
    let bytes = ek80_file::file(6);
    let pings: Vec<usize> = starts(&bytes)
        .into_iter()
        .filter(|(_, kind)| kind == b"RAW3")
        .map(|(at, _)| at)
        .collect();
    // From the body of the chirp's second ping to that of its fourth.
    let mut damaged = bytes.clone();
    damaged[pings[2] + 20..pings[6] + 200].fill(0);
    assert_eq!(played(&damaged, "chirp"), (3, vec![1]));
    assert_eq!(played(&damaged, "tone"), (4, vec![1]));
    // From the tone's first to the tone's third.
    let mut damaged = bytes.clone();
    damaged[pings[1] + 200..pings[5] + 200].fill(0);
    assert_eq!(played(&damaged, "chirp"), (4, vec![1]));
    assert_eq!(played(&damaged, "tone"), (3, vec![1]));
    // One ping alone is one channel's, whichever of its lengths is damaged.
    let behind = starts(&bytes)
        .into_iter()
        .map(|(at, _)| at)
        .find(|&at| at > pings[2])
        .unwrap();
    for at in [pings[2], behind - 4] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        assert_eq!(played(&damaged, "chirp"), (5, vec![1]));
        assert_eq!(played(&damaged, "tone"), (6, vec![]));
    }
}

#[test]
fn lost_parameters_make_a_ping_unsure_behind_other_channels_pings_too() {
    let bytes = ek80_file::file(3);
    let kinds = starts(&bytes);
    let pings: Vec<usize> = (0..kinds.len())
        .filter(|&index| &kinds[index].1 == b"RAW3")
        .collect();
    let mut damaged = bytes.clone();
    damaged[kinds[pings[3] - 1].0] ^= 0x40;
    assert_eq!(played(&damaged, "tone"), (2, vec![0, 1]));
    assert_eq!(played(&damaged, "chirp"), (3, vec![0]));
    // The tone's are damaged, and a ping of the chirp stands between.
    let (parameters, own) = (kinds[pings[3] - 1].0..kinds[pings[3]].0, kinds[pings[2]].0);
    let mut moved = bytes.clone();
    let mut first = bytes[parameters.clone()].to_vec();
    first[0] ^= 0x40;
    moved.drain(parameters);
    moved.splice(own..own, first);
    assert_eq!(played(&moved, "tone").0, 2, "the ping between takes nothing away");
}

#[test]
fn a_lost_stage_loses_its_channel_and_no_other() {
    let bytes = ek80_file::file(2);
    let stages: Vec<usize> = starts(&bytes)
        .into_iter()
        .filter(|(_, kind)| kind == b"FIL1")
        .map(|(at, _)| at)
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.raw");
    let open = |lost: &[usize], change: usize| {
        let mut damaged = bytes.clone();
        lost.iter().for_each(|&at| damaged[at + change] ^= 1);
        std::fs::write(&path, &damaged).unwrap();
        let recording = Recording::open(&path).unwrap();
        let names: Vec<_> = recording
            .rig()
            .sensors
            .iter()
            .map(|spec| spec.name.clone())
            .collect();
        let run: Vec<_> = recording.timeline().unwrap().collect();
        let pings = run
            .iter()
            .filter(|found| matches!(found.payload, Payload::Sonar(_)));
        (names, pings.count(), recording.notes().join("\n"))
    };
    // Its length, and the upper byte of its number of coefficients.
    for change in [0, 16 + 133] {
        for lost in [&stages[..1], &stages[1..], &stages[..]] {
            let (names, pings, notes) = open(lost, change);
            assert_eq!((names, pings), (vec!["tone".to_owned()], 2), "{lost:?} {change}");
            assert!(notes.contains("none of its 2 ping(s) can be read"), "{notes}");
        }
    }
    // Stages that come anew are taken.
    let mut damaged = bytes.clone();
    damaged[stages[0]] ^= 1;
    let anew = bytes[stages[0]..stages[1] + (stages[1] - stages[0])].to_vec();
    let at = starts(&bytes)
        .iter()
        .filter(|(_, kind)| kind == b"NME0")
        .nth(1)
        .unwrap()
        .0;
    damaged.splice(at..at, anew);
    assert_eq!(played(&damaged, "chirp"), (1, vec![0, 1]));
}

#[test]
fn what_is_no_such_file_is_said_once_and_clearly() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |bytes: &[u8]| {
        let path = folder.path().join("not.raw");
        std::fs::write(&path, bytes).unwrap();
        let rig = folder.path().join("site.toml");
        std::fs::write(
            &rig,
            "[[sensor]]\nname = \"echo\"\nkind = \"sonar\"\nformat = \"ek80\"\nsource = \"not.raw\"\n",
        )
        .unwrap();
        Recording::open(&rig).unwrap_err().to_string()
    };
    for (bytes, word) in [
        (&b""[..], "an empty file"),
        (b"hello, this is a text", "no datagram"),
        (&ek80_file::datagram(b"CON0", 5, b"old"), "EK60"),
        (&ek80_file::datagram(b"NME0", 5, b"$"), "`NME0`"),
        (&ek80_file::datagram(b"XML0", 5, b"<Other/>"), "another document"),
        (&ek80_file::file(1)[..300], "cut"),
        (&ek80_file::file(1), "chirp, tone"),
    ] {
        let error = refused(bytes);
        assert!(
            error.contains(word) && error.contains("not.raw"),
            "`{word}` is missing in: {error}"
        );
    }
}

/// What the fuzzer starts from, by name.
fn corpus() -> Vec<(&'static str, Vec<u8>)> {
    let whole = ek80_file::file(2);
    let mut damaged = whole.clone();
    let ping = damaged.windows(4).position(|bytes| bytes == b"RAW3").unwrap();
    damaged[ping - 4] ^= 0x10;
    let odd = [
        &ek80_file::file(0)[..],
        &ek80_file::datagram(b"FIL1", 0, &ek80_file::stage("chirp", 3, 1, &[[1.0, 0.0]])),
        &ek80_file::datagram(b"XML0", 0, br#"<InitialParameter><Channels><Channel ChannelID="chirp" Frequency="9000" PulseLength="0.001" SampleInterval="0.0001"/></Channels></InitialParameter>"#),
        &ek80_file::datagram(b"RAW3", 1, &ek80_file::raw("chirp", 0x104, 3, 4, &[7; 16])),
        &ek80_file::datagram(b"RAW3", 2, &ek80_file::raw("tone", 0x1, 0, 4, &[1; 8])),
    ];
    vec![
        ("cut", whole[..whole.len() - 77].to_vec()),
        ("damaged", damaged),
        ("odd", odd.concat()),
        ("whole", whole),
    ]
}

/// The fuzzer's corpus is what the writer of these tests makes, and reads without a panic. To make
/// it anew, run this test with `BELUGA_WRITE_CORPUS=1`.
#[test]
fn the_corpus_of_the_fuzzer_reads_as_ever() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/ek80");
    let counts: Vec<_> = corpus()
        .into_iter()
        .map(|(name, bytes)| {
            let path = folder.join(name);
            if std::env::var_os("BELUGA_WRITE_CORPUS").is_some() {
                std::fs::write(&path, &bytes).unwrap();
            }
            assert!(std::fs::read(&path).unwrap() == bytes, "{}", path.display());
            read(&bytes).unwrap()
        })
        .collect();
    assert_eq!(counts, [(3, 1), (3, 1), (1, 1), (4, 0)]);
}
