//! Rigs, sources and lidar scans.

use std::fs;

use beluga_ingest::{Error, Recording, ply};
use beluga_types::{LidarScan, Payload};

use crate::folder::{Folder, RIG, run, told};

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
            "line 4, sensor `a`, `pitch_deg`: expected -360 to 360, found NaN",
        ),
        (
            "[[sensor]]\nname = \"a\"\nkind = \"lidar\"\nrate_hz = 0\n",
            "line 4, sensor `a`, `rate_hz`: expected 0.000001 to 1000000000, found 0",
        ),
        (
            "[water]\nsound_speed_m_per_s = 1.5\n",
            "line 2, `water.sound_speed_m_per_s`: expected 100 to 3000, found 1.5",
        ),
        (
            "[water]\ntemperature_deg_c = 10\n",
            "`[water]`: expected one of `sound_speed_m_per_s`, `profile`",
        ),
        (
            "[origin]\nlat_deg = 91\nlon_deg = 0\nheight_m = 0\n",
            "line 2, `origin.lat_deg`: expected -90 to 90, found 91",
        ),
        (
            "[origin]\nlat_deg = 0\nlon_deg = 0\nheight_m = -1e6\n",
            "line 4, `origin.height_m`: expected -100000 to 100000, found -1000000",
        ),
        (
            "[vessel]\nwaterline_m = 1001\n",
            "line 2, `vessel.waterline_m`: expected -1000 to 1000, found 1001",
        ),
        (
            "[[sensor]]\nname = \"a\"\nkind = \"lidar\"\ndown_m = 1e5\n",
            "line 4, sensor `a`, `down_m`: expected -10000 to 10000, found 100000",
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
    folder.write("rig.toml", &format!("{RIG}format = \"e57\"\n"));
    assert!(
        folder
            .refused()
            .starts_with("format `e57` of sensor `front` (expected ply, pcd, las, laz, kitti, xyz32, ")
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
        "missing 1",
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
fn a_table_of_the_rig_that_is_not_there_is_named() {
    let folder = Folder::new();
    folder.write("rig.toml", &format!("{RIG}beams = \"none.csv\"\n"));
    let error = folder.refused();
    assert!(
        error.starts_with("the `beams` of sensor `front` does not exist: "),
        "{error}"
    );
    folder.write("rig.toml", &format!("[water]\nprofile = \"none.csv\"\n{RIG}"));
    let error = folder.refused();
    assert!(
        error.starts_with("the `profile` of `[water]` does not exist: "),
        "{error}"
    );
}

#[test]
fn sensors_that_start_days_apart_are_noted() {
    let folder = Folder::new();
    folder.write(
        "rig.toml",
        &format!("{RIG}[[sensor]]\nname = \"ins\"\nkind = \"nav\"\n"),
    );
    let notes = |stamp: i64| {
        let header = "stamp_ns,lat_deg,lon_deg,height_m,qw,qx,qy,qz";
        folder.write("nav.csv", &format!("{header}\nbad line\n{stamp},,,,1,0,0,0\n"));
        Recording::open(folder.0.path()).unwrap().notes().to_vec()
    };
    let day = 86_400_000_000_000;
    assert!(notes(day).is_empty());
    let never_set = notes(20_000 * day);
    assert_eq!(never_set.len(), 1, "{never_set:?}");
    assert!(
        never_set[0].starts_with(
            "sensor `ins` starts 1728000000.0 s after `front`, as by a clock that was never set"
        ),
        "{never_set:?}"
    );
    assert!(
        never_set[0].ends_with("`--clock-offset front=1728000000`"),
        "{never_set:?}"
    );
    let leap_seconds = notes(37_000_000_000);
    assert!(leap_seconds[0].contains("TAI taken for UTC"), "{leap_seconds:?}");
    assert!(
        leap_seconds[0].ends_with("`--clock-offset ins=-37`"),
        "{leap_seconds:?}"
    );
    let early = notes(-3 * day - 7_000_000_000_000);
    let question = "sensor `ins` starts 3 days before `front`: is its time in nanoseconds?";
    assert!(early[0].starts_with(question), "{early:?}");
}
