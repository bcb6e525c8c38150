//! Bad recordings: what leaves nothing to read ends with one clear message; damage inside a stream
//! is a counted gap, and the run goes on.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use beluga_ingest::{Error, Recording, ply};
use beluga_types::{GapCause, LidarScan, Measurement, Payload, SonarPing};
use tempfile::TempDir;

const RIG: &str = "[[sensor]]\nname = \"front\"\nkind = \"lidar\"\n";

/// A folder with ten scans, a second apart, each one point, whose x is its number.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.write("rig.toml", RIG);
        fs::create_dir(folder.path("lidar")).unwrap();
        let mut times = String::from("file,stamp_ns\n");
        for number in 0..10 {
            let scan = LidarScan::new(vec![number as f32], vec![0.0], vec![0.0]).unwrap();
            ply::write(&folder.path(&format!("lidar/{number}.ply")), &scan).unwrap();
            times += &format!("{number}.ply,{}\n", number * 1_000_000_000u64);
        }
        folder.write("lidar/times.csv", &times);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn refused(&self) -> String {
        match Recording::open(self.0.path()).and_then(|recording| recording.timeline()) {
            Ok(_) => panic!("it opened"),
            Err(error) => error.to_string(),
        }
    }

    fn run(&self) -> Vec<Measurement> {
        run(self.0.path())
    }
}

fn run(path: &Path) -> Vec<Measurement> {
    let run: Vec<_> = Recording::open(path).unwrap().timeline().unwrap().collect();
    assert!(run.is_sorted_by_key(Measurement::order));
    run
}

/// The x of each scan, or the cause and count of each gap, in order.
fn told(run: &[Measurement]) -> Vec<String> {
    run.iter()
        .map(|measurement| match &measurement.payload {
            Payload::Lidar(scan) => format!("{}", scan.x()[0]),
            Payload::Gap(gap) => format!("{} {}", gap.cause.name(), gap.lost),
            Payload::Sonar(ping) => match &**ping {
                SonarPing::Elements(ping) => {
                    format!("{}x{}", measurement.seq, ping.waveforms.shape().samples)
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn whole_it_reads() {
    let folder = Folder::new();
    assert_eq!(
        told(&folder.run()),
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    );
    assert_eq!(told(&run(&folder.path("rig.toml"))).len(), 10, "by its rig file");
}

#[test]
fn a_recording_that_is_not_there_or_holds_nothing() {
    let folder = Folder::new();
    let error = Recording::open(&folder.path("nowhere")).unwrap_err();
    assert!(error.to_string().starts_with("the recording does not exist: "));
    fs::create_dir(folder.path("empty")).unwrap();
    let error = Recording::open(&folder.path("empty")).unwrap_err();
    assert!(matches!(error, Error::Missing { .. }), "{error}");
    folder.write("rig.toml", " \n");
    assert!(
        folder
            .refused()
            .starts_with("expected a rig: `[[sensor]]` tables, found nothing")
    );
    folder.write("rig.toml", "[vessel]\nwaterline_m = 0.5\n");
    assert!(folder.refused().starts_with("expected at least one `[[sensor]]`"));
}

#[test]
fn a_rig_that_says_what_it_may_not() {
    let folder = Folder::new();
    for (text, expected) in [
        (
            "[vessel]\nwaterlin_m = 1\n",
            "line 2: expected a rig of version 1, found unknown field `waterlin_m`, expected `waterline_m`",
        ),
        (
            "[[sensor]]\nname = \"a\"\nkind = \"lidar\"\nyaw_deg = 1\n",
            "line 4: expected a rig of version 1, found unknown field `yaw_deg`",
        ),
        (
            "[[sensor]]\nname = \"a\"\nkind = \"radar\"\n",
            "line 3: expected a rig of version 1, found unknown variant `radar`",
        ),
        (
            "[[sensor]]\nkind = \"lidar\"\n",
            "line 1: expected a rig of version 1, found missing field `name`",
        ),
        (
            "[[sensor]]\nname = \"a\"\nkind = \"lidar\"\npitch_deg = nan\n",
            "sensor `a`, `pitch_deg`: expected -360 to 360, found NaN",
        ),
        (
            "[[sensor]]\nname = \"a\"\nkind = \"lidar\"\nrate_hz = 0\n",
            "sensor `a`, `rate_hz`: expected 0.000001 to 1000000000, found 0",
        ),
        (
            "[water]\nsound_speed_m_per_s = 1.5\n",
            "`water.sound_speed_m_per_s`: expected 100 to 3000, found 1.5",
        ),
        (
            "[water]\ntemperature_deg_c = 10\n",
            "`[water]`: expected one of `sound_speed_m_per_s`, `profile`",
        ),
        (
            "[origin]\nlat_deg = 91\nlon_deg = 0\nheight_m = 0\n",
            "`origin.lat_deg`: expected -90 to 90, found 91",
        ),
    ] {
        folder.write(
            "rig.toml",
            &format!("{text}{}", if text.starts_with("[[") { "" } else { RIG }),
        );
        let error = folder.refused();
        assert!(error.starts_with(expected), "{error}");
        assert!(error.ends_with("rig.toml"), "{error}");
    }
    folder.write("rig.toml", &format!("{RIG}{RIG}"));
    assert!(folder.refused().starts_with("two sensors are named `front`: "));
}

#[test]
fn a_sensor_whose_source_is_not_there() {
    let folder = Folder::new();
    for (kind, missing) in [("sonar", "sonar"), ("nav", "nav.csv")] {
        folder.write(
            "rig.toml",
            &format!("{RIG}[[sensor]]\nname = \"other\"\nkind = \"{kind}\"\n"),
        );
        let error = folder.refused();
        assert!(
            error.starts_with("the source of sensor `other` does not exist: "),
            "{error}"
        );
        assert!(error.ends_with(missing), "{error}");
    }
    folder.write("rig.toml", &format!("{RIG}format = \"pcd\"\n"));
    assert!(
        folder
            .refused()
            .starts_with("format `pcd` of sensor `front` (expected ply, kitti or xyz32) has no place")
    );
}

#[test]
fn a_source_without_times() {
    let folder = Folder::new();
    fs::remove_file(folder.path("lidar/times.csv")).unwrap();
    let error = folder.refused();
    let expected = "sensor `front` has no times: expected `times.csv`, or `rate_hz` and `start_ns` for it in the rig, found neither: ";
    assert!(error.starts_with(expected), "{error}");
    folder.write("rig.toml", &format!("{RIG}rate_hz = 10\n"));
    assert!(folder.refused().contains("found no `start_ns`"));
    folder.write(
        "rig.toml",
        &format!("{RIG}rate_hz = 10\nstart_ns = 5\ntime_offset_ms = 2\n"),
    );
    let recording = Recording::open(folder.0.path()).unwrap();
    assert_eq!(
        recording.notes(),
        [
            "sensor `front`: clock shifted by 2 ms",
            "sensor `front`: times made from 10 Hz and start 5 ns"
        ]
    );
    let stamps: Vec<_> = folder.run().iter().map(|scan| scan.stamp.nanos()).collect();
    assert_eq!(stamps[..3], [2_000_005, 102_000_005, 202_000_005]);
}

#[test]
fn damaged_scans_are_gaps_and_the_run_goes_on() {
    let folder = Folder::new();
    let bytes = fs::read(folder.path("lidar/3.ply")).unwrap();
    fs::write(folder.path("lidar/0.ply"), b"").unwrap();
    fs::write(folder.path("lidar/3.ply"), &bytes[..bytes.len() - 1]).unwrap();
    fs::write(folder.path("lidar/4.ply"), &bytes[..30]).unwrap();
    fs::remove_file(folder.path("lidar/9.ply")).unwrap();
    let run = folder.run();
    let expected = [
        "corrupt 1",
        "1",
        "2",
        "corrupt 1",
        "corrupt 1",
        "5",
        "6",
        "7",
        "8",
        "corrupt 1",
    ];
    assert_eq!(told(&run), expected, "counted in = counted out + lost");
    let Payload::Gap(gap) = &run[3].payload else {
        panic!()
    };
    assert!(
        gap.detail.starts_with("body: expected at least "),
        "{}",
        gap.detail
    );
    assert!(gap.detail.ends_with("3.ply"), "{}", gap.detail);
}

#[test]
fn nothing_readable_is_an_error() {
    let folder = Folder::new();
    for number in 0..10 {
        folder.write(&format!("lidar/{number}.ply"), "ply\n");
    }
    let error = folder.refused();
    assert!(
        error.starts_with("nothing of sensor `front` can be read, 10 payloads are lost; the first: header"),
        "{error}"
    );
    folder.write("lidar/times.csv", "file,stamp_ns\n");
    assert!(
        folder
            .refused()
            .starts_with("expected measurements of sensor `front`, found nothing: ")
    );
}

#[test]
fn lines_out_of_order_are_sorted_within_the_bound() {
    let folder = Folder::new();
    let second = 1_000_000_000u64;
    let times = |rows: &[(u64, u64)]| {
        let line = |(file, at): &(u64, u64)| format!("{file}.ply,{}\n", at * second / 10);
        folder.write(
            "lidar/times.csv",
            &("file,stamp_ns\n".to_owned() + &rows.iter().map(line).collect::<String>()),
        );
        told(&folder.run())
    };
    assert_eq!(times(&[(0, 0), (2, 20), (1, 10), (3, 30)]), ["0", "1", "2", "3"]);
    assert_eq!(
        times(&[(0, 0), (1, 30), (2, 60), (3, 90), (4, 10)]),
        ["0", "late 1", "1", "2", "3"]
    );
    // One torn time does not make all that follow it late.
    assert_eq!(
        times(&[(0, 0), (1, 10), (2, 9_000_000), (3, 30), (4, 40)]),
        ["0", "1", "corrupt 1", "3", "4"]
    );
}

#[test]
fn a_line_that_cannot_be_read_is_a_gap() {
    let folder = Folder::new();
    folder.write(
        "lidar/times.csv",
        "file,stamp_ns,end_ns\n0.ply,0,\n1.ply,soon,\n2.ply,2000000000,1\n3.ply\n4.ply,4000000000,\n",
    );
    assert_eq!(
        told(&folder.run()),
        ["0", "corrupt 1", "corrupt 1", "corrupt 1", "4"]
    );
}

/// A sonar of two channels at 100 Hz; each ping is 10 samples.
fn sonar(pings: &str) -> Folder {
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
    (0..80i16).for_each(|sample| wav.write_sample(sample).unwrap());
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
    let late = sonar("3 0;5 0;9 0;12 0;4 10;13 0").run();
    assert_eq!(told(&late).iter().filter(|told| told.ends_with("x10")).count(), 5);
    let lost = |m: &Measurement| match &m.payload {
        Payload::Gap(gap) => gap.lost,
        _ => 0,
    };
    assert_eq!(late.iter().map(lost).sum::<u64>(), 6, "{:?}", told(&late));
    let cut = sonar("1 20;2 33;3 40").run();
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
fn stamps_of_the_middle_and_the_end_become_those_of_the_first_firing() {
    let folder = Folder::new();
    let scan = LidarScan::new(vec![0.0, 1.0], vec![0.0; 2], vec![0.0; 2]).unwrap();
    ply::write(
        &folder.path("lidar/0.ply"),
        &scan.with_offset_nanos(vec![0, 100]).unwrap(),
    )
    .unwrap();
    folder.write("lidar/times.csv", "file,stamp_ns\n0.ply,5000\n");
    for (stamp, expected) in [
        ("start", (5000, 5100)),
        ("middle", (4950, 5050)),
        ("end", (4900, 5000)),
    ] {
        folder.write("rig.toml", &format!("{RIG}stamp = \"{stamp}\"\n"));
        let scan = &folder.run()[0];
        assert_eq!((scan.stamp.nanos(), scan.end.nanos()), expected, "{stamp}");
    }
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
