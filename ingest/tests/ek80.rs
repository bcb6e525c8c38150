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
            .contains("a profile of sensor `tone`, which only a tape (`.mcap`) holds, has no place here")
    );
    assert!(
        refused
            .next()
            .unwrap()
            .contains("sectors of sensor `chirp`, which only a tape (`.mcap`) holds, has no place here")
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

#[test]
fn beams_of_the_rig_are_refused_beside_the_files_own() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("one.raw", &ek80_file::file(1));
    write("b.csv", b"beam,across_deg,along_deg,transmit_along_deg,transmit_across_deg,receive_along_deg,receive_across_deg\n0,0,0,7,7,7,7\n");
    let rig = "[[sensor]]\nname = \"echo\"\nkind = \"sonar\"\nsource = \"one.raw\"\nmodel = \"chirp\"\n";
    write("site.toml", rig.as_bytes());
    assert!(Recording::open(&folder.path().join("site.toml")).is_ok());
    write("site.toml", format!("{rig}beams = \"b.csv\"\n").as_bytes());
    let error = Recording::open(&folder.path().join("site.toml"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("`beams` of sensor `echo`"), "{error}");
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
