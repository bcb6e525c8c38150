//! Every capture of a lidar, sent as datagrams: the scans are those of the file's reader.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use beluga_ingest::Recording;
use beluga_types::{LidarScan, Measurement, Payload};

use super::send::{Hearing, datagrams, free_port, gaps};
use super::shared_data::shared_data;

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
    for (folder, name, scans) in [
        (
            "live/ouster-os0-128-rng15-lowdata",
            "OS-0-128-U1_v2.3.0_1024x10",
            1,
        ),
        ("live/ouster-os1-128-3scans-poses", "", 3),
        ("live/ouster-os1-32-legacy", "", 1),
        ("live/ouster-os2-128-rng19", "", 1),
    ] {
        let Some(folder) = shared_data("ousters_are_heard_as_their_files_are_read", folder) else {
            return;
        };
        let find = |ending: &str| {
            let mut files: Vec<_> = std::fs::read_dir(&folder)
                .unwrap()
                .map(|file| file.unwrap().path())
                .collect();
            files.sort();
            let fits = |path: &std::path::PathBuf| {
                let file = path.file_name().unwrap().to_string_lossy().into_owned();
                file.ends_with(ending)
                    && file.starts_with(name)
                    && !file.contains("digest")
                    && !file.contains("truth")
            };
            files.into_iter().find(fits).unwrap()
        };
        let lines = format!("calibration = {:?}", find(".json").display().to_string());
        same_scans(&find(".pcap"), 7502, &lines, scans);
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
    ] {
        let Some(file) = shared_data("velodynes_are_heard_as_their_files_are_read", file) else {
            return;
        };
        same_scans(&file, 2368, lines, scans);
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
