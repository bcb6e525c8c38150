//! Sonar pings, listening arrays and nav tables.

use std::fs;

use beluga_ingest::Recording;
use beluga_types::{GapCause, Measurement, Payload};

use crate::folder::{Folder, told};

/// A sonar of two channels at 100 Hz with 40 samples; each ping is 10 of them.
pub(crate) fn sonar(pings: &str) -> Folder {
    sonar_of(40, pings)
}

/// As [`sonar`], with so many samples.
fn sonar_of(samples: i16, pings: &str) -> Folder {
    let folder = Folder::new();
    folder.write("rig.toml", "[[sensor]]\nname = \"fan\"\nkind = \"sonar\"\n");
    fs::create_dir(folder.path("sonar")).unwrap();
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(folder.path("sonar/a.wav"), spec).unwrap();
    (0..2 * samples).for_each(|sample| wav.write_sample(sample).unwrap());
    wav.finalize().unwrap();
    let header = "seq,transmit_ns,received_ns,file,start_sample,samples,pulse_id,steering_deg,sound_speed_m_per_s,blanking_m\n";
    let line = |ping: &str| {
        let [seq, start]: [u64; 2] = ping
            .split(' ')
            .map(|word| word.parse().unwrap())
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        format!("{seq},{},,a.wav,{start},10,,,,\n", seq * 1_000_000_000)
    };
    folder.write(
        "sonar/fan.pings.csv",
        &(header.to_owned() + &pings.split(';').map(line).collect::<String>()),
    );
    folder
}

#[test]
fn pings_that_are_missing_double_or_cut_are_counted() {
    assert_eq!(
        told(&sonar("5 0;6 10;9 20").run()),
        ["5x10", "6x10", "missing 2", "9x10"]
    );
    assert_eq!(told(&sonar("5 0;5 0;6 10").run()), ["corrupt 0", "5x10", "6x10"]);
    assert_eq!(told(&sonar("6 10;5 0;7 20").run()), ["5x10", "6x10", "7x10"]);
    // The fourth is missed when the sixth comes, and is not lost again when it comes far too late.
    let late = sonar_of(60, "3 0;5 10;9 20;12 30;4 40;13 50").run();
    assert_eq!(told(&late).iter().filter(|told| told.ends_with("x10")).count(), 5);
    let lost = |m: &Measurement| match &m.payload {
        Payload::Gap(gap) => gap.lost,
        _ => 0,
    };
    assert_eq!(late.iter().map(lost).sum::<u64>(), 6, "{:?}", told(&late));
    let cut = sonar("1 20;2 33;3 43").run();
    assert_eq!(told(&cut), ["1x10", "2x7", "truncated 0", "truncated 1"]);
    let Payload::Gap(gap) = &cut[2].payload else {
        panic!()
    };
    assert!(
        gap.detail
            .starts_with("line 3: expected 10 samples from sample 33, found 7: "),
        "{}",
        gap.detail
    );
    assert_eq!(gap.cause, GapCause::Truncated);
}

#[test]
fn a_ping_line_that_cannot_be_read_is_lost_once() {
    let folder = sonar("5 0;6 10;7 20");
    let path = folder.path("sonar/fan.pings.csv");
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("6,6000000000", "6,later");
    fs::write(&path, text).unwrap();
    assert_eq!(
        told(&folder.run()),
        ["5x10", "corrupt 1", "7x10"],
        "not missing as well"
    );
}

#[test]
fn a_pulse_that_no_table_holds() {
    let folder = sonar("5 0;6 10");
    let path = folder.path("sonar/fan.pings.csv");
    fs::write(
        &path,
        fs::read_to_string(&path).unwrap().replace(",10,,,,", ",10,p9,,,"),
    )
    .unwrap();
    let error = folder.refused();
    assert!(
        error.contains("the first: line 2: expected a `pulse_id` that `pulses.csv` holds, found `p9`"),
        "{error}"
    );
}

#[test]
fn a_listening_array_without_pings_gives_blocks() {
    let folder = sonar("0 0");
    fs::remove_file(folder.path("sonar/fan.pings.csv")).unwrap();
    assert!(
        folder
            .refused()
            .contains("found no `start_ns` (the rate is in the WAV file)")
    );
    folder.write(
        "rig.toml",
        "[[sensor]]\nname = \"fan\"\nkind = \"sonar\"\nstart_ns = 1000\n",
    );
    let bytes = fs::read(folder.path("sonar/a.wav")).unwrap();
    fs::write(folder.path("sonar/b.wav"), &bytes[..bytes.len() - 40]).unwrap();
    fs::copy(folder.path("sonar/a.wav"), folder.path("sonar/c.wav")).unwrap();
    let run = folder.run();
    assert_eq!(told(&run), ["0x40", "1x30", "truncated 1", "2x40"]);
    let stamps: Vec<_> = run.iter().map(|block| block.stamp.nanos()).collect();
    assert_eq!(
        stamps,
        [1000, 400_001_000, 400_001_000, 800_001_000],
        "each starts where the one before should end"
    );
}

#[test]
fn nav_tables_say_what_they_hold() {
    let folder = Folder::new();
    folder.write("rig.toml", "[[sensor]]\nname = \"ins\"\nkind = \"nav\"\n");
    let header = "stamp_ns,lat_deg,lon_deg,height_m,qw,qx,qy,qz,sigma_east_m,sigma_north_m,sigma_up_m\n";
    let rows = "1,54,12,40,,,,,1,2,3\n2,,,,1,0,0,0,,,\n3,54,12,40,1,0,0,0,,,\n4,54,,40,,,,,,,\n5,,,,2,0,0,0,,,\n6,,,,,,,,,,\n7,54,12,40,,,,,,,\n";
    folder.write("nav.csv", &format!("{header}{rows}"));
    let recording = Recording::open(folder.0.path()).unwrap();
    assert!(
        recording.notes()[0].contains("World is anchored at the first fix, 54.0000000° 12.0000000° 40.000 m")
    );
    let kinds: Vec<_> = folder
        .run()
        .iter()
        .map(|fix| match &fix.payload {
            Payload::Gnss(fix) => format!("gnss {}", fix.covariance_m2.is_some()),
            Payload::Attitude(_) => "attitude".into(),
            Payload::Pose(fix) => format!("pose {:.3}", fix.world_from_body.translation().norm()),
            Payload::Gap(gap) => gap.detail.split(": ").nth(1).unwrap().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "gnss true",
            "attitude",
            "pose 0.000",
            "expected all or none of `lat_deg,lon_deg,height_m`, found 2 of 3",
            "expected a quaternion of length 1 in `qw,qx,qy,qz`, found length 2",
            "expected a position, an attitude, or both, found neither",
            "gnss false"
        ]
    );
    folder.write("nav.csv", "time,lat\n");
    assert!(
        folder
            .refused()
            .starts_with("line 1: expected columns out of stamp_ns,lat_deg")
    );
}

/// The payloads that came, and the number that was counted as lost.
fn counted(folder: &Folder) -> (usize, u64) {
    let run = folder.run();
    let lost = |m: &Measurement| match &m.payload {
        Payload::Gap(gap) => gap.lost,
        _ => 0,
    };
    let lost: Vec<u64> = run.iter().map(lost).collect();
    let came = run.iter().filter(|m| !matches!(m.payload, Payload::Gap(_)));
    (came.count(), lost.iter().sum())
}

/// Rewrites the table of pings, line by line, without its header.
pub(crate) fn relined(folder: &Folder, change: impl FnOnce(Vec<String>) -> Vec<String>) {
    let path = folder.path("sonar/fan.pings.csv");
    let text = fs::read_to_string(&path).unwrap();
    let (header, lines) = text.split_once('\n').unwrap();
    let lines = change(lines.lines().map(str::to_owned).collect());
    fs::write(&path, format!("{header}\n{}\n", lines.join("\n"))).unwrap();
}

#[test]
fn a_count_that_stands_still_loses_nothing() {
    let folder = sonar("1 0;2 10;3 20;4 30");
    relined(&folder, |lines| {
        lines.iter().map(|line| format!("7{}", &line[1..])).collect()
    });
    assert_eq!(counted(&folder), (4, 0));
}

#[test]
fn every_row_comes_or_is_counted_once() {
    let pings = "10 0;11 10;12 20;13 30;14 40;15 50;16 60;17 70;18 80;19 90";
    let folder = sonar_of(100, pings);
    relined(&folder, |lines| lines.into_iter().rev().collect());
    let (came, lost) = counted(&folder);
    assert!((1..10).contains(&came), "{came}");
    assert_eq!(came as u64 + lost, 10, "turned round");
    // The count starts anew in the middle, and then lines of both halves come late.
    for order in [
        [0, 1, 5, 6, 7, 8, 9, 2, 3, 4],
        [0, 4, 5, 9, 8, 1, 2, 3, 6, 7],
        [3, 9, 0, 4, 8, 1, 7, 2, 6, 5],
        [9, 0, 8, 1, 7, 2, 6, 3, 5, 4],
    ] {
        let folder = sonar_of(100, pings);
        relined(&folder, |lines| {
            let again = |at: usize| match at {
                5.. => lines[at].replacen(&format!("1{at}"), &format!("{}", at + 5), 1),
                _ => lines[at].clone(),
            };
            order.into_iter().map(again).collect()
        });
        let (came, lost) = counted(&folder);
        assert_eq!(came as u64 + lost, 10, "{order:?}");
    }
    let folder = sonar_of(100, pings);
    relined(&folder, |lines| [lines.clone(), lines].concat());
    assert_eq!(counted(&folder), (10, 0), "all of it twice");
}
