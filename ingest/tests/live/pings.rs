//! Sonars that speak the Ping protocol, against bytes that its own Python made.

use std::net::UdpSocket;
use std::sync::atomic::Ordering;

use beluga_ingest::live::Live;
use beluga_types::{Measurement, Payload, Profile, SonarPing};

use super::port::FarEnd;
use super::send::{Hearing, free_port, gaps};
use super::shared_data::shared_data;

/// `profile` of a Ping1D: number 7, 8 values over 5 m.
const PROFILE: [u8; 44] = [
    0x42, 0x52, 0x22, 0x00, 0x14, 0x05, 0x00, 0x00, 0xc4, 0x09, 0x00, 0x00, 0x64, 0x00, 0x32, 0x00, 0x07,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x88, 0x13, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x08, 0x00,
    0x00, 0x10, 0x20, 0x40, 0x80, 0xff, 0x09, 0x01, 0xd7, 0x04,
];
const SENSOR: &str = "[[sensor]]\nname = \"down\"\nkind = \"sonar\"\nformat = \"ping\"\n";

fn profiles(measurements: &[Measurement]) -> Vec<(&Measurement, &Profile)> {
    fn profile(one: &Measurement) -> Option<(&Measurement, &Profile)> {
        match one {
            Measurement {
                payload: Payload::Sonar(ping),
                ..
            } => match &**ping {
                SonarPing::Profile(profile) => Some((one, profile)),
                _ => None,
            },
            _ => None,
        }
    }
    measurements.iter().filter_map(profile).collect()
}

/// Junk, six messages of which two are profiles, one that is damaged, one that is cut.
#[test]
fn the_protocols_vectors_come_out_by_udp_however_they_are_cut() {
    let test = "the_protocols_vectors_come_out_by_udp_however_they_are_cut";
    let Some(file) = shared_data(test, "sonar/ping-protocol-vectors/stream.bin") else {
        return;
    };
    let stream = std::fs::read(&file).unwrap();
    for length in [stream.len(), 7] {
        let (hearing, port) = (Hearing::new(), free_port());
        let rig = format!("{SENSOR}source = \"udp://127.0.0.1:{port}\"\n");
        let out = hearing.hear(&rig, |sender| {
            stream
                .chunks(length)
                .for_each(|piece| sender.send(port, 1, piece));
        });
        let mut found = profiles(&out);
        // Both end when they are heard, at one moment.
        found.sort_by_key(|(_, profile)| -(profile.strength.len() as i64));
        let [(one, sounder), (_, head)] = found[..] else {
            panic!("{:?}", gaps(&out));
        };
        assert_eq!(one.seq, 7);
        assert_eq!(sounder.strength, [0.0, 16.0, 32.0, 64.0, 128.0, 255.0, 9.0, 1.0]);
        assert!((sounder.interval_s - 2.0 * 5.0 / 1500.0 / 8.0).abs() < 1e-12 && sounder.first_s == 0.0);
        assert_eq!(one.end, one.received, "sent when its last echo has come");
        assert!((one.end.seconds_since(one.stamp) - 2.0 * 5.0 / 1500.0).abs() < 1e-9);
        assert_eq!(head.strength, [5.0, 4.0, 3.0, 2.0, 1.0, 250.0]);
        assert!((head.interval_s - 2e-6).abs() < 1e-15);
        assert!((head.steering_rad - 399.0 / 400.0 * std::f64::consts::TAU).abs() < 1e-12);
        let gaps = gaps(&out);
        let lost: u64 = gaps.iter().map(|(_, lost, _)| lost).sum();
        assert_eq!(lost, 1, "{gaps:?}");
        let told = |words: &str| gaps.iter().any(|(_, _, detail)| detail.contains(words));
        assert!(
            told("message 1212: expected another sum") && told("byte(s) of no message"),
            "{gaps:?}"
        );
    }
}

#[test]
fn a_device_on_a_serial_port_is_asked_and_answers() {
    let hearing = Hearing::new();
    let port = hearing.folder.path().join("ttyUSB0");
    let mut far = FarEnd::plug(&port);
    let rig = format!(
        "{SENSOR}model = \"Ping1D\"\nsource = \"serial://{}\"\n",
        port.display()
    );
    let live = Live::open(&hearing.rig(&rig), hearing.options.clone()).unwrap();
    let (heard, stop) = (live.heard(), hearing.options.stop.clone());
    let nameplates = live.nameplates();
    let out: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(move || {
            // What it is, what speed it takes, and profiles from now on.
            let asked = far.read(36);
            assert_eq!(asked[..4], *b"BR\x02\x00");
            let ids = [8, 20, 32].map(|at| u16::from_le_bytes([asked[at], asked[at + 1]]));
            assert_eq!(ids, [4, 1203, 1300]);
            // A Ping1D of revision 1 with firmware 3.29.1.
            let device = [0x42, 0x52, 6, 0, 4, 0, 0, 0, 1, 1, 3, 29, 1, 0, 0xc1, 0];
            far.write(&device);
            // 1450 m/s, most significant bytes last; and the sum of it.
            let speed = [0x42, 0x52, 4, 0, 0xb3, 4, 0, 0, 0x10, 0x20, 0x16, 0, 0x95, 1];
            far.write(&speed);
            far.write(&PROFILE);
            while heard()[0].tally.bytes < 16 + 14 + 44 {
                std::thread::yield_now();
            }
            stop.store(true, Ordering::Relaxed);
        });
        live.collect()
    });
    let found = profiles(&out);
    assert_eq!(found.len(), 1, "{:?} {}", gaps(&out), hearing.told());
    assert_eq!(
        nameplates()[0].firmware.as_deref(),
        Some("3.29.1, hardware revision 1")
    );
    assert!((found[0].1.interval_s - 2.0 * 5.0 / 1450.0 / 8.0).abs() < 1e-12);
}

#[test]
fn a_device_on_the_network_is_asked_by_its_name() {
    let hearing = Hearing::new();
    let device = UdpSocket::bind("127.0.0.1:0").unwrap();
    let source = format!("{SENSOR}source = \"ask://{}\"\n", device.local_addr().unwrap());
    let unnamed = Live::open(&hearing.rig(&source), hearing.options.clone());
    let said = unnamed.unwrap_err().to_string();
    assert!(
        said.contains("`model` of sensor `down`") && said.contains("Ping360"),
        "{said}"
    );
    let rig = format!("{source}model = \"Ping360\"\n");
    let live = Live::open(&hearing.rig(&rig), hearing.options.clone()).unwrap();
    let (heard, stop) = (live.heard(), hearing.options.stop.clone());
    let out: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut question = [0; 64];
            let (length, _) = device.recv_from(&mut question).unwrap();
            assert_eq!((length, question[8]), (12, 4));
            let (length, from) = device.recv_from(&mut question).unwrap();
            assert_eq!((length, &question[4..6]), (26, &2602u16.to_le_bytes()[..]));
            device.send_to(&PROFILE, from).unwrap();
            while heard()[0].tally.heard < 1 {
                std::thread::yield_now();
            }
            stop.store(true, Ordering::Relaxed);
        });
        live.collect()
    });
    assert_eq!(profiles(&out).len(), 1, "{:?} {}", gaps(&out), hearing.told());
}

#[test]
fn depths_as_text_are_heard_by_udp() {
    let (hearing, port) = (Hearing::new(), free_port());
    let rig = format!(
        "[[sensor]]\nname = \"down\"\nkind = \"sonar\"\nformat = \"nmea\"\nsource = \"udp://127.0.0.1:{port}\"\n"
    );
    let out = hearing.hear(&rig, |sender| {
        // The sums: exclusive or of all between `$` and `*`.
        sender.send(port, 1, b"$SDDBT,25.0,f,7.62,M,4.2,F*04\r\n");
        sender.send(port, 1, b"$SDDBT,25.0,f,7.62,M,4.2,F*05\r\n");
    });
    let depths: Vec<f64> = out
        .iter()
        .filter_map(|one| match &one.payload {
            Payload::Sonar(ping) => match &**ping {
                SonarPing::Detections(ping) => Some(ping.detections[0].two_way_time_s * 750.0),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(depths.len(), 1, "{:?} {}", gaps(&out), hearing.told());
    assert!((depths[0] - 7.62).abs() < 1e-12);
    let told = gaps(&out);
    assert!(
        told.iter()
            .any(|(_, _, detail)| detail.contains("expected the sum")),
        "{told:?}"
    );
}
