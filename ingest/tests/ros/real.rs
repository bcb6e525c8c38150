//! Packets of real devices in bags: the scans are those of the captures of the same packets.

use std::fs::File;
use std::path::Path;

use beluga_ingest::{Recording, capture, probe};
use beluga_types::{Measurement, Payload};

use crate::bags::{Said, USUAL, db3, mcap};
use crate::messages::{Form, Writer};
use crate::shared_data::shared_data;
use crate::{lost, payloads};

/// The timeline of a rig of one lidar with this source.
fn played(source: &Path, more: &str) -> Vec<Measurement> {
    let folder = tempfile::tempdir().unwrap();
    let rig = folder.path().join("site.toml");
    let text = format!("[[sensor]]\nname = \"lidar\"\nkind = \"lidar\"\nsource = {source:?}\n{more}\n");
    std::fs::write(&rig, text).unwrap();
    Recording::open(&rig).unwrap().timeline().unwrap().collect()
}

fn scans(run: &[Measurement]) -> Vec<(i64, i64, &Payload)> {
    let all = payloads(run).into_iter();
    all.map(|scan| (scan.stamp.nanos(), scan.end.nanos(), &scan.payload))
        .collect()
}

#[test]
fn bags_of_packets_give_the_scans_of_their_captures() {
    for (folder, bag, twin, calibration) in [
        (
            "velodyne-vlp16-nebula-ros2",
            "1673400471837873222_0.db3",
            "neb_vlp16.pcap",
            None,
        ),
        (
            "hesai-xt32-nebula-ros2",
            "1673400677802009732_0.db3",
            "neb_xt32.pcap",
            Some("PandarXT32.csv"),
        ),
        (
            "hesai-qt64-nebula-ros2",
            "1673401195788312575_0.db3",
            "neb_qt64.pcap",
            Some("PandarQT64.csv"),
        ),
    ] {
        let name = "bags_of_packets_give_the_scans_of_their_captures";
        let Some(folder) = shared_data(name, &format!("live/{folder}")) else {
            return;
        };
        let more = calibration.map_or(String::new(), |file| {
            format!("calibration = {:?}", folder.join(file))
        });
        let expected = played(&folder.join(twin), &more);
        let expected_scans = scans(&expected);
        assert!(expected_scans.len() >= 3, "{}", expected_scans.len());
        for source in [folder.join(bag), folder.clone()] {
            let found = played(&source, &more);
            assert_eq!(lost(&found), lost(&expected));
            let found = scans(&found);
            assert_eq!(found.len(), expected_scans.len(), "{}", source.display());
            for (found, expected) in found.iter().zip(&expected_scans) {
                assert_eq!((found.0, found.1), (expected.0, expected.1));
                assert!(found.2 == expected.2, "other points in {}", source.display());
            }
        }
        // What lies beside the file is found beside the folder's files too.
        let (alone, whole) = (played(&folder.join(bag), ""), played(&folder, ""));
        assert!(scans(&alone) == scans(&whole), "{}", folder.display());
        let found = probe::probe(&folder.join(bag)).unwrap();
        assert!(found.plays, "{found:?}");
        assert_eq!((found.topics.len(), found.topics[0].messages), (1, 4));
    }
}

/// A capture of an Ouster put into bags as its ROS driver writes them: a topic for lidar packets and
/// one for those of the IMU.
#[test]
fn packets_of_an_ouster_in_a_bag_give_the_run_of_the_capture() {
    let name = "packets_of_an_ouster_in_a_bag_give_the_run_of_the_capture";
    let Some(folder) = shared_data(name, "live/ouster-os1-32-legacy") else {
        return;
    };
    let file = |ending: &str| {
        let files = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let named = |path: &std::path::PathBuf| path.to_string_lossy().ends_with(ending);
        files
            .into_iter()
            .find(|path| named(path) && !path.ends_with("truth.json"))
            .unwrap()
    };
    let twin = file(".pcap");
    let more = format!("calibration = {:?}", file("1024x10.json"));
    let expected = played(&twin, &more);
    let all: Vec<Said> = capture::datagrams(File::open(&twin).unwrap(), &twin)
        .unwrap()
        .map(|datagram| {
            let datagram = datagram.unwrap();
            let mut message = Writer::new(Form::Little);
            message.u32(datagram.payload.len() as u32);
            message.raw(&datagram.payload);
            let topic = if datagram.payload.len() > 100 {
                "/ouster/lidar_packets"
            } else {
                "/ouster/imu_packets"
            };
            (
                topic,
                "ouster_sensor_msgs/msg/PacketMsg",
                datagram.received.nanos(),
                message.finish(),
            )
        })
        .collect();
    let work = tempfile::tempdir().unwrap();
    let topic = "topic = \"/ouster/lidar_packets\"";
    for bag in [
        db3(work.path(), "x.db3", &all),
        mcap(work.path(), "x.mcap", USUAL, "cdr", &all),
    ] {
        let found = played(&bag, &format!("{topic}\n{more}"));
        assert!(scans(&found) == scans(&expected), "{}", bag.display());
        assert_eq!(lost(&found), lost(&expected));
    }
    // Its driver keeps the metadata in the bag too, here after a text that is none.
    let mut told = all;
    for text in ["none", &std::fs::read_to_string(file("1024x10.json")).unwrap()] {
        let mut message = Writer::new(Form::Little);
        message.text(text);
        let at = told[0].2;
        told.push(("/ouster/metadata", "std_msgs/msg/String", at, message.finish()));
    }
    for bag in [
        db3(work.path(), "y.db3", &told),
        mcap(work.path(), "y.mcap", USUAL, "cdr", &told),
    ] {
        let found = played(&bag, topic);
        assert!(scans(&found) == scans(&expected), "{}", bag.display());
        let rig = work.path().join("site.toml");
        let text = format!("[[sensor]]\nname = \"roof\"\nkind = \"lidar\"\nsource = {bag:?}\n{topic}\n");
        std::fs::write(&rig, text).unwrap();
        let said = Recording::open(&rig).unwrap().nameplates().remove(0);
        assert!(said.serial.is_some() && said.firmware.is_some(), "{said:?}");
    }
}
