//! Every capture of a lidar, sent as datagrams: the scans are those of the file's reader.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use beluga_ingest::Recording;
use beluga_types::{LidarScan, Measurement, Payload};

use super::capture_file::{Pcap, Udp, ethernet};
use super::send::{Hearing, datagrams, free_port, gaps};
use super::shared_data::shared_data;
use super::write;

fn scans(measurements: impl IntoIterator<Item = Measurement>) -> Vec<Arc<LidarScan>> {
    let scan = |measurement: Measurement| match measurement.payload {
        Payload::Lidar(scan) => Some(scan),
        _ => None,
    };
    measurements.into_iter().filter_map(scan).collect()
}

/// Sends what a capture holds for `port` and compares scan by scan; `lines` say more of the lidar.
fn same_scans(capture: &Path, port: u16, lines: &str, expected: usize) {
    let sensor = format!("[[sensor]]\nname = \"lidar\"\nkind = \"lidar\"\n{lines}\n");
    let hearing = Hearing::new();
    let file = hearing.folder.path().join("file.toml");
    let source = capture.display().to_string();
    std::fs::write(&file, format!("{sensor}source = {source:?}\nport = {port}\n")).unwrap();
    let of_file = scans(Recording::open(&file).unwrap().timeline().unwrap());
    assert_eq!(of_file.len(), expected);

    let own = free_port();
    let rig = format!("{sensor}source = \"udp://127.0.0.1:{own}\"\n");
    let sent = datagrams(capture, port);
    let out = hearing.hear(&rig, |sender| {
        sent.iter().for_each(|payload| sender.send(own, 1, payload));
    });
    let lost: u64 = gaps(&out).iter().map(|(_, lost, _)| *lost).sum();
    assert_eq!(lost, 0, "{:?}", gaps(&out));
    let heard = scans(out);
    assert_eq!(heard.len(), of_file.len(), "{}", hearing.told());
    for (number, (heard, of_file)) in heard.iter().zip(&of_file).enumerate() {
        assert!(heard == of_file, "scan {number} is another one");
    }
}

#[test]
fn ousters_are_heard_as_their_files_are_read() {
    const NEW: &str = "OS-1-128_v2.3.0_1024x10";
    for (folder, capture, metadata, scans) in [
        (
            "live/ouster-os0-128-rng15-lowdata",
            "OS-0-128-U1_v2.3.0_1024x10",
            "OS-0-128-U1_v2.3.0_1024x10",
            1,
        ),
        (
            "live/ouster-os1-128-3scans-poses",
            "OS-1-128_v2.3.0_1024x10_lb_n3",
            NEW,
            3,
        ),
        (
            "live/ouster-os1-32-legacy",
            "OS-1-32-G_v2.1.1_1024x10",
            "OS-1-32-G_v2.1.1_1024x10",
            1,
        ),
        (
            "live/ouster-os2-128-rng19",
            "OS-2-128-U1_v2.3.0_1024x10",
            "OS-2-128-U1_v2.3.0_1024x10",
            1,
        ),
        (
            "lidar/ouster-pcap",
            "OS-0-32-U1_v2.2.0_1024x10",
            "OS-0-32-U1_v2.2.0_1024x10",
            1,
        ),
        ("lidar/ouster-pcap", "OS-1-128_v2.3.0_1024x10_lb_n3", NEW, 3),
        (
            "lidar/ouster-pcap",
            "OS-1-64_1024x10_fw20",
            "OS-1-64_sensor_config_reduced",
            1,
        ),
    ] {
        let Some(folder) = shared_data("ousters_are_heard_as_their_files_are_read", folder) else {
            return;
        };
        let metadata = folder.join(format!("{metadata}.json"));
        let lines = format!("calibration = {:?}", metadata.display().to_string());
        same_scans(&folder.join(format!("{capture}.pcap")), 7502, &lines, scans);
    }
}

#[test]
fn velodynes_are_heard_as_their_files_are_read() {
    for (file, lines, scans) in [
        (
            "live/velodyne-vlp16-veloview/vlp-16-test-90deg-1-50-frames.pcap",
            "model = \"VLP-16\"",
            52,
        ),
        (
            "live/velodyne-hdl32-gps-veloview/monterey-first-100-packets.pcap",
            "model = \"HDL-32E\"",
            19,
        ),
        // Two returns of each firing.
        ("live/velodyne-vlp16-nebula-ros2/neb_vlp16.pcap", "", 5),
    ] {
        let Some(file) = shared_data("velodynes_are_heard_as_their_files_are_read", file) else {
            return;
        };
        same_scans(&file, 2368, lines, scans);
    }
}

#[test]
fn hesais_are_heard_as_their_files_are_read() {
    for (folder, capture, calibration) in [
        ("live/hesai-xt32-nebula-ros2", "neb_xt32.pcap", "PandarXT32.csv"),
        ("live/hesai-qt64-nebula-ros2", "neb_qt64.pcap", "PandarQT64.csv"),
    ] {
        let Some(folder) = shared_data("hesais_are_heard_as_their_files_are_read", folder) else {
            return;
        };
        let calibration = folder.join(calibration).display().to_string();
        let lines = format!("calibration = {calibration:?}");
        same_scans(&folder.join(capture), 2368, &lines, 5);
    }
}

/// No capture of one is at hand: packets as its manual has them, half a second of them.
#[test]
fn a_livox_is_heard_as_its_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [1, 2, 3] {
        let packet = |count: u16| {
            let payload = write::livox(count, kind);
            let udp = Udp {
                source: [192, 168, 1, 100],
                port: 56301,
                payload: &payload,
            };
            (u64::from(count) * 480_000, ethernet(&udp.ipv4(), &[]))
        };
        let capture = folder.path().join(format!("livox-{kind}.pcap"));
        let packets: Vec<_> = (0..1100).map(packet).collect();
        std::fs::write(&capture, Pcap::USUAL.file(&packets)).unwrap();
        same_scans(&capture, 56301, "", 6);
    }
}

/// Answers each request for an Ouster's metadata, until it is asked for something else.
fn sensor_api(server: &TcpListener, metadata: &str) {
    for connection in server.incoming() {
        let mut connection = connection.unwrap();
        let mut request = String::new();
        BufReader::new(connection.try_clone().unwrap())
            .read_line(&mut request)
            .unwrap();
        if !request.starts_with("GET /api/v1/sensor/metadata ") {
            return;
        }
        let length = metadata.len();
        write!(
            connection,
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{metadata}"
        )
        .unwrap();
    }
}

#[test]
fn an_ouster_is_asked_for_its_metadata() {
    let test = "an_ouster_is_asked_for_its_metadata";
    let Some(folder) = shared_data(test, "live/ouster-os0-128-rng15-lowdata") else {
        return;
    };
    let name = "OS-0-128-U1_v2.3.0_1024x10";
    let metadata = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let sent = datagrams(&folder.join(format!("{name}.pcap")), 7502);
    let (server, port) = (TcpListener::bind("127.0.0.1:0").unwrap(), free_port());
    let address = server.local_addr().unwrap();
    let rig = format!(
        "[[sensor]]\nname = \"lidar\"\nkind = \"lidar\"\ncalibration = \"http://{address}\"\nsource = \"udp://127.0.0.1:{port}\"\n"
    );
    let hearing = Hearing::new();
    let answering = std::thread::spawn(move || sensor_api(&server, &metadata));
    let out = hearing.hear(&rig, |sender| {
        sent.iter().for_each(|payload| sender.send(port, 1, payload))
    });
    assert_eq!(scans(out).len(), 1, "{}", hearing.told());
    let said = hearing.nameplates().remove(0);
    assert_eq!(said.serial.as_deref(), Some("122150000150"));
    assert_eq!(said.firmware.as_deref(), Some("v2.3.0"));
    assert!(hearing.folder.path().join("lidar.metadata.json").is_file());
    TcpStream::connect(address)
        .unwrap()
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .unwrap();
    answering.join().unwrap();
    // Nobody answers any more.
    let hearing = Hearing::new();
    let out = hearing.hear(&rig, |sender| {
        sent.iter().for_each(|payload| sender.send(port, 1, payload))
    });
    assert!(scans(out).is_empty());
    assert!(
        hearing.told().contains("`lidar`, `calibration`"),
        "{}",
        hearing.told()
    );
}
