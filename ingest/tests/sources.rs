//! One rig whose sources lie elsewhere: absolute, relative, as folder and as file, two lidars.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use beluga_ingest::{Error, Recording, ply, wav};
use beluga_types::{LidarScan, Measurement, Payload};

const PINGS: &str = "seq,transmit_ns,received_ns,file,start_sample,samples,pulse_id,steering_deg,sound_speed_m_per_s,blanking_m\n";

fn scan(x: f32) -> LidarScan {
    LidarScan::new(vec![x, x], vec![0.0; 2], vec![0.0; 2]).unwrap()
}

fn pcd(path: &Path, x: f32) {
    let text = format!("FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH 1\nHEIGHT 1\nDATA ascii\n{x} 0 0\n");
    fs::write(path, text).unwrap();
}

fn put_wav(path: &Path) {
    let mut bytes =
        b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x80\xbb\0\0\0\xee\x02\0\x04\0\x10\0data\x10\0\0\0"
            .to_vec();
    bytes.extend([1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0]);
    fs::write(path, bytes).unwrap();
    assert_eq!(wav::WavFile::open(path).unwrap().frames(), 4);
}

/// Sources of every kind, each in a folder of its own, and a rig beside none of them.
fn site(root: &Path) {
    for folder in ["rig", "car/front", "car/rear", "hull/audio", "gnss"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    for number in 0..3 {
        ply::write(
            &root.join(format!("car/front/{number}.ply")),
            &scan(number as f32),
        )
        .unwrap();
        pcd(&root.join(format!("car/rear/{number}.pcd")), 10.0 + number as f32);
    }
    fs::write(
        root.join("car/front/times.csv"),
        "file,stamp_ns\n0.ply,1000\n1.ply,2000\n2.ply,3000\n",
    )
    .unwrap();
    put_wav(&root.join("hull/audio/a.wav"));
    fs::write(
        root.join("hull/fan.pings.csv"),
        format!("{PINGS}1,1500,,audio/a.wav,0,2,,,,\n2,2500,,audio/a.wav,2,2,,,,\n"),
    )
    .unwrap();
    fs::write(
        root.join("gnss/fixes.csv"),
        "stamp_ns,lat_deg,lon_deg,height_m,qw,qx,qy,qz\n900,54.1,12.1,40,1,0,0,0\n",
    )
    .unwrap();
    let rear = root.join("car/rear").display().to_string();
    fs::write(
        root.join("rig/site.toml"),
        format!(
            "[[sensor]]\nname = \"front\"\nkind = \"lidar\"\nsource = \"../car/front\"\n\
             [[sensor]]\nname = \"rear\"\nkind = \"lidar\"\nsource = {rear:?}\nrate_hz = 1e6\nstart_ns = 1200\ntime_offset_ms = 0.001\n\
             [[sensor]]\nname = \"fan\"\nkind = \"sonar\"\nsource = \"../hull/fan.pings.csv\"\n\
             [[sensor]]\nname = \"ear\"\nkind = \"sonar\"\nsource = \"../hull/audio/a.wav\"\nstart_ns = 5000\n\
             [[sensor]]\nname = \"ins\"\nkind = \"nav\"\nsource = \"../gnss/fixes.csv\"\n"
        ),
    )
    .unwrap();
}

fn counts(run: &[Measurement], sensors: usize) -> Vec<usize> {
    assert!(
        run.iter().all(|m| !matches!(m.payload, Payload::Gap(_))),
        "{run:?}"
    );
    (0..sensors)
        .map(|id| run.iter().filter(|m| usize::from(m.sensor.0) == id).count())
        .collect()
}

#[test]
fn every_kind_of_source_lies_where_the_rig_says() {
    let root = tempfile::tempdir().unwrap();
    site(root.path());
    let recording = Recording::open(&root.path().join("rig/site.toml")).unwrap();
    let run: Vec<_> = recording.timeline().unwrap().collect();
    assert_eq!(counts(&run, 5), [3, 3, 2, 1, 1]);
    assert!(run.is_sorted_by_key(Measurement::order));
    let rear: Vec<i64> = run
        .iter()
        .filter(|m| m.sensor.0 == 1)
        .map(|m| m.stamp.nanos())
        .collect();
    assert_eq!(rear, [2200, 3200, 4200], "made times and the offset of 1000 ns");
    let told = |word: &str| recording.notes().iter().any(|note| note.contains(word));
    assert!(
        told("sensor `rear`: clock shifted by 0.001 ms") && told("sensor `rear`: times made from 1000000 Hz")
    );
}

#[test]
fn one_file_is_a_source_and_needs_no_rate() {
    let root = tempfile::tempdir().unwrap();
    site(root.path());
    let rig = root.path().join("one.toml");
    for source in ["car/front/1.ply", "car/rear/1.pcd"] {
        fs::write(
            &rig,
            format!("[[sensor]]\nname = \"one\"\nkind = \"lidar\"\nsource = \"{source}\"\nstart_ns = 7\n"),
        )
        .unwrap();
        let run: Vec<_> = Recording::open(&rig).unwrap().timeline().unwrap().collect();
        assert_eq!((counts(&run, 1)[0], run[0].stamp.nanos()), (1, 7), "{source}");
    }
}

#[test]
fn a_source_that_is_not_there_is_named_with_its_sensor_and_place() {
    let root = tempfile::tempdir().unwrap();
    site(root.path());
    fs::remove_dir_all(root.path().join("car/rear")).unwrap();
    let error = Recording::open(&root.path().join("rig/site.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("the source of sensor `rear` does not exist: "),
        "{error}"
    );
    assert!(error.ends_with("car/rear"), "{error}");
    fs::create_dir(root.path().join("car/rear")).unwrap();
    let error = Recording::open(&root.path().join("rig/site.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("expected scans of sensor `rear`: `*.ply`, `*.pcd`"),
        "{error}"
    );
}

/// What the system will not let be looked at is not said to be absent or empty.
#[cfg(unix)]
#[test]
fn a_source_that_cannot_be_looked_at_is_told_in_the_systems_words() {
    let root = tempfile::tempdir().unwrap();
    site(root.path());
    let rear = root.path().join("car/rear");
    fs::remove_dir_all(&rear).unwrap();
    // A link to itself, since nothing is forbidden to the superuser that tests may run as.
    std::os::unix::fs::symlink(&rear, &rear).unwrap();
    let error = Recording::open(&root.path().join("rig/site.toml")).unwrap_err();
    let Error::Io { said, path } = &error else {
        panic!("{error}");
    };
    assert_ne!(said.kind(), std::io::ErrorKind::NotFound);
    assert!(path.ends_with("car/rear"), "{error}");
}

#[test]
fn a_folder_of_pcd_or_one_file_opens_without_a_rig() {
    let root = tempfile::tempdir().unwrap();
    site(root.path());
    let folder = Recording::open(&root.path().join("car/rear")).unwrap();
    let run: Vec<_> = folder.timeline().unwrap().collect();
    assert_eq!((counts(&run, 1)[0], run[2].stamp.nanos()), (3, 200_000_000));
    assert!(
        folder.notes()[0].starts_with("no rig.toml: one lidar"),
        "{:?}",
        folder.notes()
    );
    let one = Recording::open(&root.path().join("car/rear/2.pcd")).unwrap();
    assert_eq!(counts(&one.timeline().unwrap().collect::<Vec<_>>(), 1), [1]);
    // A damaged one among them is a gap, and the run goes on.
    fs::write(root.path().join("car/rear/1.pcd"), "FIELDS x y z\n").unwrap();
    let run: Vec<_> = folder.timeline().unwrap().collect();
    assert!(matches!(&run[1].payload, Payload::Gap(gap) if gap.lost == 1));
}

#[test]
fn two_pings_with_the_same_samples_are_one_and_a_loss() {
    let root = tempfile::tempdir().unwrap();
    site(root.path());
    let lines = "1,1500,,audio/a.wav,0,2,,,,\n2,2500,,audio/a.wav,2,2,,,,\n2,2500,,audio/a.wav,2,2,,,,\n3,3500,,audio/a.wav,0,2,,,,\n";
    fs::write(root.path().join("hull/fan.pings.csv"), format!("{PINGS}{lines}")).unwrap();
    let recording = Recording::open(&root.path().join("rig/site.toml")).unwrap();
    let fan: Vec<_> = recording
        .timeline()
        .unwrap()
        .filter(|m| m.sensor.0 == 2)
        .collect();
    let lost: Vec<u64> = fan
        .iter()
        .filter_map(|m| match &m.payload {
            Payload::Gap(gap) => Some(gap.lost),
            _ => None,
        })
        .collect();
    assert_eq!(
        (fan.len() - lost.len(), lost.iter().sum::<u64>()),
        (2, 1),
        "{fan:?}"
    );
    let told = fan.iter().any(|m| match &m.payload {
        Payload::Gap(gap) => gap.detail.contains("found 0, as in line 2"),
        _ => false,
    });
    assert!(told, "{fan:?}");
}
