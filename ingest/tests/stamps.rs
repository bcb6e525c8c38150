//! What a source's stamps mean, and what the times of its points count from, through the door.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use beluga_ingest::Recording;
use beluga_types::{Gap, GapCause, Measurement, Payload};

/// A second.
const S: i64 = 1_000_000_000;

/// 100 points over 99 ms as PLY, their times as `kind name` with these numbers.
fn ply(kind: &str, name: &str, time: impl Fn(i64) -> String) -> String {
    let mut text = format!(
        "ply\nformat ascii 1.0\nelement vertex 100\nproperty float x\nproperty float y\nproperty float z\n\
         property {kind} {name}\nend_header\n"
    );
    for i in 0..100 {
        text += &format!("{i} 0 0 {}\n", time(i));
    }
    text
}

/// The only scan of a recording whose stamp is 50 s, and what is said of it.
fn scan(folder: &Path, meaning: &str, ply: &str) -> (Measurement, Vec<String>) {
    fs::create_dir_all(folder.join("lidar")).unwrap();
    let rig =
        format!("[[sensor]]\nname = \"lidar\"\nkind = \"lidar\"\nrate_hz = 10.0\nstamp = \"{meaning}\"\n");
    fs::write(folder.join("rig.toml"), rig).unwrap();
    fs::write(folder.join("lidar/0.ply"), ply).unwrap();
    fs::write(
        folder.join("lidar/times.csv"),
        format!("file,stamp_ns\n0.ply,{}\n", 50 * S),
    )
    .unwrap();
    let recording = Recording::open(folder).unwrap();
    let only = recording.timeline().unwrap().next().unwrap();
    (only, recording.notes().to_vec())
}

fn offsets(measurement: &Measurement) -> &[i32] {
    match &measurement.payload {
        Payload::Lidar(scan) => scan.offset_nanos().unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The first firing is at 50 s, half a scan before it or a whole scan before it.
#[test]
fn the_stamp_of_a_scan_is_its_start_middle_or_end_as_the_rig_says() {
    let folder = tempfile::tempdir().unwrap();
    let forward = ply("uint", "t", |i| format!("{}", i * 1_000_000));
    for (meaning, start) in [
        ("start", 50 * S),
        ("middle", 50 * S - 49_500_000),
        ("end", 50 * S - 99_000_000),
    ] {
        let (scan, notes) = scan(folder.path(), meaning, &forward);
        assert_eq!(scan.stamp.nanos(), start, "{meaning}");
        assert_eq!(scan.end.nanos(), start + 99_000_000, "{meaning}");
        assert_eq!(offsets(&scan)[99], 99_000_000);
        let said: Vec<&String> = notes.iter().filter(|note| note.contains("point times")).collect();
        assert_eq!(said.len(), 1, "{notes:?}");
        assert!(
            said[0].contains("`lidar`: point times `t`: nanoseconds after"),
            "{said:?}"
        );
    }
}

/// Times that run from −99 ms to 0 say themselves that the stamp is the end.
#[test]
fn times_that_count_back_from_the_stamp_say_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let back = ply("float", "time", |i| format!("{}", (i - 99) as f64 * 1e-3));
    for meaning in ["start", "middle", "end"] {
        let (scan, notes) = scan(folder.path(), meaning, &back);
        assert!(
            (scan.stamp.nanos() - (50 * S - 99_000_000)).abs() < 20,
            "{meaning}"
        );
        assert!((scan.end.nanos() - 50 * S).abs() < 40, "{meaning}");
        assert!(
            offsets(&scan)
                .iter()
                .all(|offset| (0..99_000_020).contains(offset))
        );
        assert!(
            notes
                .iter()
                .any(|note| note.contains("back from the scan's stamp")),
            "{notes:?}"
        );
    }
}

#[test]
fn microseconds_since_the_hour_are_differences_also_when_the_hour_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let hour = ply("uint", "t", |i| {
        format!("{}", (3_599_960_000 + i * 1_000) % 3_600_000_000)
    });
    let (scan, notes) = scan(folder.path(), "start", &hour);
    assert_eq!(scan.stamp.nanos(), 50 * S);
    assert_eq!(offsets(&scan)[..3], [0, 1_000_000, 2_000_000]);
    assert_eq!(offsets(&scan)[99], 99_000_000);
    assert!(
        notes.iter().any(|note| note.contains("begin again after 3600 s")),
        "{notes:?}"
    );
}

#[test]
fn a_field_that_says_the_same_of_all_points_is_no_time_per_point() {
    let folder = tempfile::tempdir().unwrap();
    let (scan, notes) = scan(folder.path(), "end", &ply("double", "timestamp", |_| "7".into()));
    assert!(
        matches!(&scan.payload, Payload::Lidar(scan) if scan.offset_nanos().is_none() && scan.len() == 100)
    );
    // The rate says how long a scan takes.
    assert_eq!((scan.stamp.nanos(), scan.end.nanos()), (50 * S - S / 10, 50 * S));
    assert!(
        notes.iter().any(|note| note.contains("the same for all points")),
        "{notes:?}"
    );
}

/// One sensor's clock, shifted by a second: in a folder and on the tape of it, which keeps the order.
#[test]
fn a_shifted_clock_moves_its_sensor_alone_and_the_order_holds() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let rig = "[[sensor]]\nname = \"lidar\"\nkind = \"lidar\"\n[[sensor]]\nname = \"nav\"\nkind = \"nav\"\n";
    fs::create_dir_all(root.join("lidar")).unwrap();
    fs::write(root.join("rig.toml"), rig).unwrap();
    fs::write(
        root.join("lidar/0.ply"),
        ply("uint", "t", |i| format!("{}", i * 1_000_000)),
    )
    .unwrap();
    fs::write(
        root.join("lidar/times.csv"),
        format!("file,stamp_ns\n0.ply,{}\n", 50 * S),
    )
    .unwrap();
    let header = "stamp_ns,lat_deg,lon_deg,height_m,qw,qx,qy,qz";
    let fix = |s: i64| format!("{},54.1,12.1,40,1,0,0,0\n", s * S);
    fs::write(root.join("nav.csv"), format!("{header}\n{}{}", fix(49), fix(51))).unwrap();
    let tape = root.join("run.mcap");
    let plain = Recording::open(root).unwrap();
    let mut writer = beluga_ingest::tape::Writer::create(&tape, plain.rig()).unwrap();
    for measurement in plain.timeline().unwrap() {
        writer.push(&measurement).unwrap();
    }
    writer.finish().unwrap();
    let shifts = [("nav".to_owned(), -3 * S / 2)];
    for path in [root, tape.as_path()] {
        let shifted = Recording::open_shifted(path, &shifts).unwrap();
        let found: Vec<(u16, i64)> = shifted
            .timeline()
            .unwrap()
            .map(|measurement| (measurement.sensor.0, measurement.stamp.nanos()))
            .collect();
        assert_eq!(
            found,
            [(1, 95 * S / 2), (1, 99 * S / 2), (0, 50 * S)],
            "{}",
            path.display()
        );
        assert_eq!(shifted.rig().sensors[1].time_offset_nanos, -3 * S / 2);
        assert!(
            shifted
                .notes()
                .iter()
                .any(|note| note.contains("`nav`: clock shifted by -1500 ms"))
        );
        let error = Recording::open_shifted(path, &[("gps".to_owned(), 1)])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("the sensor `gps` (the rig has `lidar`, `nav`)"),
            "{error}"
        );
    }
}

/// What a lidar gives whose scans have these stamps: those of its scans, and its gaps.
fn run(stamps: &[i64]) -> (Vec<i64>, Vec<Gap>) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("lidar")).unwrap();
    fs::write(
        root.join("rig.toml"),
        "[[sensor]]\nname = \"lidar\"\nkind = \"lidar\"\n",
    )
    .unwrap();
    let mut table = "file,stamp_ns\n".to_owned();
    for (i, stamp) in stamps.iter().enumerate() {
        fs::write(
            root.join(format!("lidar/{i}.ply")),
            ply("uint", "t", |i| format!("{}", i * 1_000_000)),
        )
        .unwrap();
        table += &format!("{i}.ply,{stamp}\n");
    }
    fs::write(root.join("lidar/times.csv"), table).unwrap();
    let (mut scans, mut gaps) = (Vec::new(), Vec::new());
    for measurement in Recording::open(root).unwrap().timeline().unwrap() {
        match measurement.payload {
            Payload::Gap(gap) => gaps.push(gap),
            _ => scans.push(measurement.stamp.nanos()),
        }
    }
    (scans, gaps)
}

/// A clock that goes on 37 s later is told with its cause and what to do; nothing is lost by it.
#[test]
fn a_clock_that_jumps_says_by_how_much_and_why() {
    let (scans, gaps) = run(&[50, 51, 88, 89].map(|second| second * S));
    assert_eq!((scans.len(), gaps.len(), gaps[0].lost), (4, 1, 0));
    for words in [
        "jumps by 37.0 s, as by TAI",
        "what comes after",
        "`--clock-offset lidar=-37`",
    ] {
        assert!(gaps[0].detail.contains(words), "{}", gaps[0].detail);
    }
}

/// 2025-10-09 08:53:20 UTC, in seconds.
const NOW: i64 = 1_760_000_000;

#[test]
fn a_stamp_of_zero_amid_others_is_lost_alone_and_told() {
    let stamps = [0, 1, 2, -NOW, 3, 4].map(|second| (NOW + second) * S);
    let (scans, gaps) = run(&stamps);
    assert_eq!(scans, [0, 1, 2, 3, 4].map(|second| (NOW + second) * S));
    assert_eq!((gaps.len(), gaps[0].lost, gaps[0].cause), (1, 1, GapCause::Late));
    let said = &gaps[0].detail;
    assert!(said.contains("its stamp is zero: none was filled in"), "{said}");
}

/// A sensor that is switched off and on and counts from zero then: told, with what reads the rest.
#[test]
fn a_clock_that_begins_anew_at_zero_loses_what_comes_after_and_says_how_it_is_read() {
    let stamps = [NOW, NOW + 1, NOW + 2, 0, 1, 2].map(|second| second * S);
    let (scans, gaps) = run(&stamps);
    assert_eq!(scans.len(), 3);
    assert_eq!(gaps.iter().map(|gap| gap.lost).sum::<u64>(), 3);
    let remedy = format!("`--clock-offset lidar={}`", NOW + 2);
    assert!(gaps[0].detail.contains("or its clock has begun anew"), "{gaps:?}");
    assert!(gaps[0].detail.contains(&remedy), "{gaps:?}");
    assert!(gaps[2].detail.contains("a clock that was never set"), "{gaps:?}");
}

/// Even at the second scan there is.
#[test]
fn a_clock_that_is_set_at_last_is_told_with_what_reads_the_part_before() {
    for before in 1..4 {
        let early = (0..before).map(|second| second * S);
        let stamps: Vec<i64> = early.chain([NOW, NOW + 1].map(|second| second * S)).collect();
        let (scans, gaps) = run(&stamps);
        assert_eq!((scans.len(), gaps.len()), (stamps.len(), 1), "{gaps:?}");
        let by_s = NOW - before + 1;
        for words in [
            "as by a clock that was never set",
            &format!("came before, played alone, is put right by `--clock-offset lidar={by_s}`"),
        ] {
            assert!(gaps[0].detail.contains(words), "{}", gaps[0].detail);
        }
    }
}
