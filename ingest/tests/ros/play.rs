//! What plays, with which times.

use beluga_ingest::{Recording, probe};
use beluga_types::{Measurement, Payload};

use crate::bags::{SECOND, START, Shape, USUAL, db3, mcap, metadata, packed_metadata, survey};
use crate::messages::{Form, cloud, fix, imu, odometry, sits};
use crate::{lost, payloads, run};

/// Everything but where it came from.
fn check(run: &[Measurement], scans: usize) {
    assert_eq!(lost(run), 0, "{run:?}");
    let all = payloads(run);
    assert_eq!(all.len(), 3 * scans);
    let (mut clouds, mut rates, mut poses) = (0, 0, 0);
    for measurement in all {
        let since = measurement.stamp.nanos() - START;
        let index = since / (SECOND / 10);
        assert_eq!(since % (SECOND / 10), 0);
        assert_eq!(
            measurement.received.nanos(),
            measurement.stamp.nanos() + SECOND / 50
        );
        match &measurement.payload {
            Payload::Lidar(scan) => {
                clouds += 1;
                assert_eq!(measurement.end.nanos(), measurement.stamp.nanos() + 69_000_000);
                assert_eq!(
                    (scan.len(), scan.x()[69], scan.y()[3]),
                    (70, 70.0, index as f32 + 1.0)
                );
                assert_eq!(scan.ring().unwrap()[5], 1);
                assert_eq!(scan.offset_nanos().unwrap()[5], 5_000_000);
                assert_eq!(scan.intensity().unwrap()[5], 5.0);
            }
            Payload::Imu(sample) => {
                rates += 1;
                assert_eq!(sample.rate_rad_per_s.vector().x, index as f64 + 1.0);
                assert_eq!(sample.specific_force_m_per_s2.vector().z, 9.81);
            }
            Payload::Pose(fix) => {
                poses += 1;
                assert_eq!(fix.world_from_body.translation().x, index as f64 + 1.0);
                // Looking north, north's variance 2 is forward's, and east's 1 that to the right.
                let covariance = fix.covariance.unwrap();
                let found = covariance.diagonal();
                let expected = [5.0, 4.0, 6.0, 2.0, 1.0, 3.0];
                assert!(
                    found
                        .iter()
                        .zip(expected)
                        .all(|(found, expected)| (found - expected).abs() < 1e-9),
                    "{found}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((clouds, rates, poses), (scans, scans, scans));
}

#[test]
fn every_shape_of_mcap_gives_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let all = survey(Form::Little, 6);
    let mut shapes = Vec::new();
    for compression in [None, Some(mcap::Compression::Zstd), Some(mcap::Compression::Lz4)] {
        for (is_chunked, has_summary, has_index) in [
            (true, true, true),
            (true, false, true),
            (true, false, false),
            (true, true, false),
            (false, true, false),
            (false, false, false),
        ] {
            shapes.push(Shape {
                compression,
                is_chunked,
                has_summary,
                has_index,
            });
        }
    }
    for (index, shape) in shapes.into_iter().enumerate() {
        println!("{shape:?}");
        let path = mcap(folder.path(), &format!("{index}.mcap"), shape, "cdr", &all);
        check(&run(&path), 6);
    }
}

#[test]
fn both_orders_of_bytes_and_ros_1_give_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    for (name, form, encoding) in [("big.mcap", Form::Big, "cdr"), ("one.mcap", Form::Ros1, "ros1")] {
        let path = mcap(folder.path(), name, USUAL, encoding, &survey(form, 3));
        check(&run(&path), 3);
    }
}

#[test]
fn a_bag_in_sqlite_and_its_folder_give_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let all = survey(Form::Little, 6);
    check(&run(&db3(folder.path(), "a bag?#%.db3", &all)), 6);
    let split = tempfile::tempdir().unwrap();
    let (one, two) = all.split_at(15);
    db3(split.path(), "run_0.db3", one);
    db3(split.path(), "run_10.db3", two);
    metadata(split.path(), "sqlite3", &["run_0.db3", "run_10.db3"], &all);
    check(&run(split.path()), 6);
    let split = tempfile::tempdir().unwrap();
    mcap(split.path(), "run_0.mcap", USUAL, "cdr", one);
    mcap(split.path(), "run_1.mcap", USUAL, "cdr", two);
    metadata(split.path(), "mcap", &["run_0.mcap", "run_1.mcap"], &all);
    check(&run(split.path()), 6);
    // Nothing was written beside them.
    assert_eq!(std::fs::read_dir(split.path()).unwrap().count(), 3);
}

#[test]
fn what_a_recorder_that_was_killed_left_in_its_log_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let whole = db3(folder.path(), "whole.db3", &survey(Form::Little, 4));
    let connection = rusqlite::Connection::open(&whole).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    connection
        .execute("UPDATE topics SET name = '/cloud' WHERE name = '/points'", [])
        .unwrap();
    // As it lies on the disk while the recorder runs.
    let killed = folder.path().join("killed.db3");
    std::fs::copy(&whole, &killed).unwrap();
    std::fs::copy(
        folder.path().join("whole.db3-wal"),
        folder.path().join("killed.db3-wal"),
    )
    .unwrap();
    let recording = Recording::open(&killed).unwrap();
    assert!(recording.rig().id_of("cloud").is_some(), "{:?}", recording.rig());
    check(&recording.timeline().unwrap().collect::<Vec<_>>(), 4);
}

#[test]
fn a_rig_names_a_bag_and_a_topic() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = survey(Form::Little, 3);
    all.push((
        "/other",
        "sensor_msgs/msg/PointCloud2",
        START,
        cloud(Form::Little, START, 9, 0.0),
    ));
    mcap(folder.path(), "x.mcap", USUAL, "cdr", &all);
    let rig = |topic: &str, kind: &str, format: &str| {
        let text = format!(
            "[[sensor]]\nname = \"one\"\nkind = \"{kind}\"\nsource = \"x.mcap\"\nformat = \"{format}\"\n{topic}\nforward_m = 1.5\n\
             time_offset_ms = 7.0\n"
        );
        let path = folder.path().join("site.toml");
        std::fs::write(&path, text).unwrap();
        path
    };
    let refused = |path: &std::path::Path| Recording::open(path).unwrap_err().to_string();
    let recording = Recording::open(&rig("topic = \"/points\"", "lidar", "mcap")).unwrap();
    assert_eq!(recording.rig().sensors[0].mount.forward_m, 1.5);
    let run: Vec<_> = recording.timeline().unwrap().collect();
    assert_eq!((run.len(), run[0].stamp.nanos()), (3, START + 7_000_000));
    let fixes: Vec<_> = Recording::open(&rig("topic = \"/fix\"", "nav", "bag"))
        .unwrap()
        .timeline()
        .unwrap()
        .collect();
    assert!(matches!(fixes[2].payload, Payload::Gnss(_)));
    for (topic, kind, words) in [
        (
            "topic = \"/nowhere\"",
            "lidar",
            "expected a topic `/nowhere`, found /fix (sensor_msgs/msg/NavSatFix, 3 messages), /imu",
        ),
        (
            "topic = \"/fix\"",
            "lidar",
            "expected a topic that a lidar can give, found /fix",
        ),
        (
            "",
            "lidar",
            "expected one topic that a lidar can give, or its name",
        ),
        ("topic = \"/points\"", "sonar", "`mcap`"),
    ] {
        let error = refused(&rig(topic, kind, "mcap"));
        assert!(error.contains(words), "{error}");
    }
    std::fs::write(folder.path().join("one.bin"), [0; 16]).unwrap();
    let text = "[[sensor]]\nname = \"a\"\nkind = \"lidar\"\nsource = \"one.bin\"\ntopic = \"/b\"\n";
    std::fs::write(folder.path().join("site.toml"), text).unwrap();
    assert!(refused(&folder.path().join("site.toml")).contains("whose source is no bag"));
}

/// Times that count back from the stamp, that are of the day, that are not there.
#[test]
fn a_scan_begins_where_its_points_say() {
    let folder = tempfile::tempdir().unwrap();
    let topic = "sensor_msgs/msg/PointCloud2";
    let timed = |name: &str, times: &dyn Fn(usize) -> Vec<u8>, code: u8| {
        let mut message = cloud(Form::Little, START, 100, 1.0);
        // The field `t` and its numbers are put over those of the intensity, whose place is wide enough.
        let data = message.len() - 1 - 3200;
        for i in 0..100 {
            let time = times(i);
            message[data + 32 * i + 16..][..time.len()].copy_from_slice(&time);
        }
        let at = |word: &[u8]| {
            message
                .windows(word.len())
                .position(|found| found == word)
                .unwrap()
        };
        let (strength_at, name_at) = (at(b"intensity"), at(b"t\0"));
        message[strength_at] = b'u';
        message[name_at + 4..name_at + 8].copy_from_slice(&16u32.to_le_bytes());
        let code_at = name_at + 8;
        message[code_at] = code;
        let path = mcap(
            folder.path(),
            name,
            USUAL,
            "cdr",
            &[("/points", topic, START + SECOND, message)],
        );
        let run = run(&path);
        assert_eq!(run.len(), 1, "{run:?}");
        (run[0].stamp.nanos() - START, run[0].end.nanos() - START)
    };
    let ms = 1_000_000;
    let back = timed(
        "back.mcap",
        &|i| (i as f32 * 1e-3 - 0.099).to_le_bytes().to_vec(),
        7,
    );
    assert!((back.0 + 99 * ms).abs() < 100 && back.1.abs() < 100, "{back:?}");
    let day = timed(
        "day.mcap",
        &|i| (1_700_000_000.5 + i as f64 * 1e-3).to_le_bytes().to_vec(),
        8,
    );
    assert!(
        (day.0 - 500 * ms).abs() < 500 && (day.1 - 599 * ms).abs() < 1000,
        "{day:?}"
    );
    let same = timed("same.mcap", &|_| 0u32.to_le_bytes().to_vec(), 6);
    assert_eq!(same, (0, 0));
}

#[test]
fn what_a_device_does_not_know_is_told_and_not_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let form = Form::Little;
    let late = START + SECOND / 50;
    let mut silent = imu(form, START, 1.0);
    // The covariance of the acceleration begins behind header, quaternion, two covariances and two vectors.
    let at = silent.len() - 72;
    silent[at..at + 8].copy_from_slice(&(-1.0f64).to_le_bytes());
    let unstamped = cloud(form, 0, 70, 1.0);
    let mut plane = odometry(form, START, 1.0);
    // The variance of z, the third of the covariance, which ends before a twist of 42 numbers.
    let third = plane.len() - 8 * (42 + 36 - 14);
    plane[third..third + 8].copy_from_slice(&0.0f64.to_le_bytes());
    let path = mcap(
        folder.path(),
        "x.mcap",
        USUAL,
        "cdr",
        &[
            ("/imu", "sensor_msgs/msg/Imu", late, imu(form, START, 1.0)),
            ("/imu", "sensor_msgs/msg/Imu", late, silent),
            ("/points", "sensor_msgs/msg/PointCloud2", late, unstamped),
            ("/odom", "nav_msgs/msg/Odometry", late, plane),
        ],
    );
    let recording = Recording::open(&path).unwrap();
    let said = recording.notes().join("\n");
    assert!(said.contains("`points`: its headers have no time"), "{said}");
    let run: Vec<_> = recording.timeline().unwrap().collect();
    assert_eq!(lost(&run), 1);
    let cloud = run
        .iter()
        .find(|m| matches!(m.payload, Payload::Lidar(_)))
        .unwrap();
    assert_eq!(cloud.stamp.nanos(), late);
    let pose = run.iter().find_map(|m| match &m.payload {
        Payload::Pose(fix) => Some(fix),
        _ => None,
    });
    assert_eq!(pose.unwrap().covariance, None);

    let fixes = [(0, 54.0), (-1, 0.0), (0, f64::NAN), (0, 54.001), (0, 200.0)];
    let all: Vec<_> = (0..)
        .zip(fixes)
        .map(|(i, (status, latitude))| {
            let stamp = START + i * SECOND;
            (
                "/fix",
                "sensor_msgs/msg/NavSatFix",
                stamp,
                fix(form, stamp, status, latitude),
            )
        })
        .collect();
    let path = mcap(folder.path(), "fixes.mcap", USUAL, "cdr", &all);
    let recording = Recording::open(&path).unwrap();
    let anchor = recording.rig().origin.as_ref().unwrap().anchor;
    assert!((anchor.latitude_rad.to_degrees() - 54.0).abs() < 1e-12);
    let run: Vec<_> = recording.timeline().unwrap().collect();
    assert_eq!((payloads(&run).len(), lost(&run)), (2, 3));
    let Payload::Gnss(fix) = &payloads(&run)[1].payload else {
        panic!("{run:?}");
    };
    assert_eq!(fix.covariance_m2.unwrap().diagonal().as_slice(), [1.0, 4.0, 9.0]);
}

#[test]
fn probe_says_what_plays_and_what_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let path = db3(folder.path(), "x.db3", &survey(Form::Little, 5));
    let found = probe::probe(&path).unwrap();
    assert!(found.plays && found.missing.is_empty(), "{found:?}");
    assert_eq!(found.what, "a ROS 2 bag (SQLite)");
    let fates: Vec<_> = found
        .topics
        .iter()
        .map(|topic| {
            (
                topic.name.as_str(),
                topic.messages,
                topic.sensor.as_deref(),
                topic.skipped,
            )
        })
        .collect();
    let expected = [
        ("/fix", 5, None, Some("another topic says where the vehicle is")),
        ("/imu/data", 5, Some("imu_data"), None),
        ("/odom", 5, Some("odom"), None),
        ("/points", 5, Some("points"), None),
        ("/tf", 5, None, Some("its type is not read")),
    ];
    assert_eq!(fates, expected);
    let points = found
        .sensors
        .iter()
        .find(|sensor| sensor.name == "points")
        .unwrap();
    assert_eq!((points.payloads, points.points), (5, 350));
    assert!((points.intervals.unwrap().median_s - 0.1).abs() < 1e-9);
    // The rig that it prints plays as the bag does.
    std::fs::write(found.rig_file.unwrap(), found.rig.unwrap()).unwrap();
    check(&run(&folder.path().join("site.toml")), 5);
}

#[test]
fn messages_that_rosbag2_has_packed_give_the_same_run() {
    for is_mcap in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let all = survey(Form::Little, 5);
        let mut packed = all.clone();
        for (.., data) in &mut packed {
            *data = zstd::bulk::compress(data, 1).unwrap();
        }
        let (storage, name) = if is_mcap {
            ("mcap", "x_0.mcap")
        } else {
            ("sqlite3", "x_0.db3")
        };
        match is_mcap {
            true => drop(mcap(folder.path(), name, USUAL, "cdr", &packed)),
            false => drop(db3(folder.path(), name, &packed)),
        }
        packed_metadata(folder.path(), storage, &[name], &all, "MESSAGE");
        check(&run(folder.path()), 5);
        packed_metadata(folder.path(), storage, &[name], &all, "file");
        let error = Recording::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("zstd -d"), "{error}");
        // One that does not hold is one payload, and no more.
        let spoilt = packed.iter_mut().find(|(topic, ..)| *topic == "/points").unwrap();
        let half = spoilt.3.len() / 2;
        spoilt.3.truncate(half);
        let other = tempfile::tempdir().unwrap();
        db3(other.path(), "y.db3", &packed);
        packed_metadata(other.path(), "sqlite3", &["y.db3"], &all, "message");
        assert_eq!(lost(&run(other.path())), 1);
    }
}

#[test]
fn sensors_sit_where_the_bag_says() {
    for (form, encoding) in [(Form::Little, "cdr"), (Form::Big, "cdr"), (Form::Ros1, "ros1")] {
        let folder = tempfile::tempdir().unwrap();
        let mut all = survey(form, 3);
        let told = [
            ("base_link", "mast", [1.0, 0.2, 1.5], 0.0),
            ("mast", "/os_lidar", [0.0, 0.0, 0.5], -90.0),
            ("base_link", "gps", [0.0, 0.0, 3.0], 0.0),
        ];
        all.push(("/tf_static", "tf2_msgs/msg/TFMessage", START, sits(form, &told)));
        let path = mcap(folder.path(), "x.mcap", USUAL, encoding, &all);
        let recording = Recording::open(&path).unwrap();
        let sensor = |name: &str| {
            let sensors = &recording.rig().sensors;
            sensors.iter().find(|spec| spec.name == name).unwrap().mount
        };
        let mount = sensor("points");
        let found = [mount.forward_m, mount.starboard_m, mount.down_m];
        for (found, expected) in found.iter().zip([1.0, -0.2, -2.0]) {
            assert!((found - expected).abs() < 1e-12, "{mount:?}");
        }
        // It looks to starboard.
        assert!((mount.attitude.heading_rad.to_degrees() - 90.0).abs() < 1e-9);
        assert_eq!(sensor("odom"), Default::default());
        let notes = recording.notes().join("\n");
        assert!(
            notes.contains(
                "where `/tf_static` has them (Body is `base_link`), but `imu_data` at the Body origin"
            ),
            "{notes}"
        );
        let rig = probe::probe(&path).unwrap().rig.unwrap();
        std::fs::write(folder.path().join("site.toml"), rig).unwrap();
        let again = Recording::open(&folder.path().join("site.toml")).unwrap();
        let again = again
            .rig()
            .sensors
            .iter()
            .find(|spec| spec.name == "points")
            .unwrap()
            .mount;
        assert!((again.down_m + 2.0).abs() < 1e-9 && (again.starboard_m + 0.2).abs() < 1e-9);
        assert!((again.attitude.heading_rad.to_degrees() - 90.0).abs() < 1e-9);
    }
}

#[test]
fn a_bag_of_which_nothing_plays_lists_its_topics() {
    let folder = tempfile::tempdir().unwrap();
    let all = [("/tf", "tf2_msgs/msg/TFMessage", START, vec![0, 1, 0, 0])];
    let error = Recording::open(&mcap(folder.path(), "x.mcap", USUAL, "cdr", &all))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no topic plays (/tf (tf2_msgs/msg/TFMessage, 1 messages))"),
        "{error}"
    );
    let path = mcap(
        folder.path(),
        "y.mcap",
        USUAL,
        "protobuf",
        &survey(Form::Little, 1),
    );
    assert!(
        Recording::open(&path)
            .unwrap_err()
            .to_string()
            .contains("no topic plays")
    );
    let connection = rusqlite::Connection::open(folder.path().join("other.db3")).unwrap();
    connection
        .execute_batch("CREATE TABLE a(b); CREATE VIEW messages AS SELECT * FROM a;")
        .unwrap();
    let error = Recording::open(&folder.path().join("other.db3"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("expected the tables `topics` and `messages` of a ROS 2 bag"),
        "{error}"
    );
    for (text, words) in [
        ("rosbag2_bagfile_information: [", "the metadata of a ROS 2 bag"),
        (
            "rosbag2_bagfile_information:\n  relative_file_paths: []\n",
            "expected the names of a bag's files",
        ),
        (
            "rosbag2_bagfile_information:\n  relative_file_paths: [../x.mcap]\n",
            "files in the folder, found `../x.mcap`",
        ),
        (
            "rosbag2_bagfile_information:\n  relative_file_paths: [z.mcap]\n",
            "z.mcap",
        ),
        (
            "rosbag2_bagfile_information:\n  compression_mode: FILE\n  relative_file_paths: [x.db3.zstd]\n",
            "zstd -d",
        ),
    ] {
        std::fs::write(folder.path().join("metadata.yaml"), text).unwrap();
        let error = Recording::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
