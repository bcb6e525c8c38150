//! Files and folders made here, and what is said of them.

use std::fs;

use super::*;
use crate::ply;
use beluga_types::LidarScan;

const WAV: &[u8] =
    b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x80\xbb\0\0\0\xee\x02\0\x04\0\x10\0data\x10\0\0\0\
    \x01\0\x02\0\x03\0\x04\0\x05\0\x06\0\x07\0\x08\0";

fn bare() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for folder in ["scans", "sound"] {
        fs::create_dir(root.path().join(folder)).unwrap();
    }
    for number in 0..4 {
        let scan = LidarScan::new(vec![1.0; 5], vec![0.0; 5], vec![0.0; 5]).unwrap();
        ply::write(&root.path().join(format!("scans/{number}.ply")), &scan).unwrap();
    }
    fs::write(root.path().join("sound/a.wav"), WAV).unwrap();
    root
}

#[test]
fn the_rig_that_a_bare_folder_is_given_makes_it_play() {
    let root = bare();
    let found = probe(root.path()).unwrap();
    assert!(found.recognised && !found.plays);
    assert_eq!(
        found.what,
        "a folder without a rig: 4 ply scans in `scans`, 1 WAV files in `sound`"
    );
    assert!(
        found.missing.iter().any(|line| line.contains("`times.csv`")),
        "{:?}",
        found.missing
    );
    assert!(
        found.missing.iter().any(|line| line.contains("`pulses.csv`")),
        "{:?}",
        found.missing
    );
    fs::write(found.rig_file.unwrap(), found.rig.unwrap()).unwrap();

    let found = probe(root.path()).unwrap();
    assert!(found.plays && found.missing.is_empty(), "{:?}", found.missing);
    assert_eq!(found.what, "a folder recording");
    let [lidar, sonar] = found.sensors.as_slice() else {
        panic!("{:?}", found.sensors);
    };
    assert_eq!(
        (lidar.payloads, lidar.points, lidar.span_ns),
        (4, 20, Some((0, 300_000_000)))
    );
    assert_eq!(lidar.intervals.unwrap().median_s, 0.1);
    assert!(
        sonar.shapes.contains("2 elements of 4 samples at 48 kHz"),
        "{:?}",
        sonar.shapes
    );
    assert!(sonar.pulses.contains("none: listening only"));
    for word in [
        "no nav",
        "no times of points",
        "no pulse",
        "nothing says where",
        "no `waterline_m`",
    ] {
        assert!(
            found.notes.iter().any(|note| note.contains(word)),
            "{word}: {:?}",
            found.notes
        );
    }
}

#[test]
fn every_single_part_gets_a_rig_that_plays() {
    let root = bare();
    for file in ["scans/1.ply", "sound/a.wav"] {
        let found = probe(&root.path().join(file)).unwrap();
        assert!(!found.plays && found.recognised, "{file}");
        let rig = found.rig_file.unwrap();
        fs::write(&rig, found.rig.unwrap()).unwrap();
        assert!(probe(&rig).unwrap().plays, "{file}");
    }
}

#[test]
fn losses_are_counted_and_told() {
    let root = bare();
    let found = probe(root.path()).unwrap();
    fs::write(found.rig_file.unwrap(), found.rig.unwrap()).unwrap();
    fs::write(root.path().join("scans/2.ply"), "ply\n").unwrap();
    let found = probe(root.path()).unwrap();
    assert_eq!(
        (found.lost(), found.sensors[0].lost.get("corrupt")),
        (1, Some(&1))
    );
    assert!(found.sensors[0].first_loss.as_ref().unwrap().contains("2.ply"));
    // The gap is no interval: the scan after it is two periods later.
    assert_eq!(found.sensors[0].intervals.unwrap().high_s, 0.2);
}

#[test]
fn what_is_not_read_or_not_known_is_said() {
    let root = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = root.path().join(name);
        fs::write(&path, bytes).unwrap();
        probe(&path).unwrap()
    };
    let bag = put("a.bag", b"#ROSBAG V2.0\n");
    assert!(bag.recognised && !bag.plays && bag.missing[0] == "a ROS 1 bag is not read yet");
    let text = put("a.txt", b"hello");
    assert!(!text.recognised && text.rig.is_none());
    let rig = put(
        "wrong.toml",
        b"[[sensor]]\nname = \"a\"\nkind = \"lidar\"\nsource = \"absent\"\n",
    );
    assert!(
        rig.recognised && !rig.plays && rig.missing[0].contains("the source of sensor `a` does not exist")
    );
    fs::create_dir(root.path().join("empty")).unwrap();
    assert!(!probe(&root.path().join("empty")).unwrap().recognised);
    assert!(probe(&root.path().join("absent")).is_err());
}

const PCD: &str = "FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH 1\nHEIGHT 1\nDATA ascii\n1 2 3\n";

#[test]
fn a_mixed_folder_plays_one_format_and_names_the_rest() {
    let root = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(root.path().join(name), bytes).unwrap();
    put("0.bin", &[0; 32]);
    put("1.bin", &[0; 32]);
    put("x.raw", b"\x20\0\0\0XML0");
    let found = probe(root.path()).unwrap();
    assert_eq!(found.what, "kitti scans without a rig");
    let told = |word: &str, notes: &[String]| notes.iter().any(|note| note.contains(word));
    assert!(
        told("not played: a Simrad EK80 file (`x.raw`)", &found.notes),
        "{:?}",
        found.notes
    );

    put("a.pcd", PCD.as_bytes());
    let found = probe(root.path()).unwrap();
    assert_eq!(found.what, "pcd scans without a rig");
    assert_eq!((found.sensors[0].payloads, found.sensors[0].points), (1, 1));
    assert!(told("(`0.bin` and 1 more)", &found.notes), "{:?}", found.notes);
}

#[test]
fn a_folder_of_whole_recordings_names_each() {
    let root = tempfile::tempdir().unwrap();
    for name in ["b.raw", "a.raw"] {
        fs::write(root.path().join(name), b"\x20\0\0\0XML0").unwrap();
    }
    let found = probe(root.path()).unwrap();
    assert!(found.recognised && !found.plays && found.rig.is_none());
    assert_eq!(
        found.recordings,
        [root.path().join("a.raw"), root.path().join("b.raw")]
    );
}

#[test]
fn a_damaged_part_tells_its_damage_and_gets_no_rig() {
    let root = tempfile::tempdir().unwrap();
    for (name, bytes, word) in [
        (
            "more.pcd",
            PCD.replace("WIDTH 1", "WIDTH 9").as_bytes(),
            "expected 9",
        ),
        ("0.bin", &[0; 44], "points of 16 bytes"),
        ("cut.ply", b"ply\n", "cut.ply"),
    ] {
        let path = root.path().join(name);
        fs::write(&path, bytes).unwrap();
        let found = probe(&path).unwrap();
        assert!(found.rig.is_none() && found.missing.len() == 1, "{found:?}");
        assert!(found.missing[0].contains(word), "{:?}", found.missing);
        assert_eq!(found.missing[0].matches(name).count(), 1, "{:?}", found.missing);
    }
    let text = root.path().join("text.mcap");
    fs::write(&text, "hello").unwrap();
    assert!(probe(&text).unwrap().missing[0].contains("MCAP"));
}

#[test]
fn what_is_no_rig_is_told_by_its_kind() {
    let root = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = root.path().join(name);
        fs::write(&path, bytes).unwrap();
        Recording::open(&path).unwrap_err().to_string()
    };
    assert!(put("a.pcap", b"\xd4\xc3\xb2\xa1\xff").contains("found a header that is cut or damaged"));
    assert!(put("a.vtk", b"# vtk DataFile").contains("found a VTK file"));
    assert!(put("a.raw", b"hello").contains(
        "a Simrad EK80 file, a Kongsberg `.kmall` or `.all`, an XTF, a stream of an Oculus, an ARIS or Humminbird file, a capture"
    ));
    // A rig by any name is told as one.
    assert!(put("a.rig", b"[[sensor]]\nwrong = 1\n").contains("wrong"));
    // A name that the system refuses is not one that does not exist.
    let long = root.path().join("x".repeat(300));
    assert!(!probe(&long).unwrap_err().to_string().contains("does not exist"));
    assert!(
        !Recording::open(&long)
            .unwrap_err()
            .to_string()
            .contains("does not exist")
    );
}
