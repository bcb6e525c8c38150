//! Sentences of a receiver by UDP and by TCP, against the log of the same.

use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::Ordering;

use beluga_ingest::Recording;
use beluga_ingest::live::Live;
use beluga_types::{Measurement, Payload, Stamp};

use super::port::FarEnd;
use super::send::{Hearing, free_port, gaps};

const ORIGIN: &str = "[origin]\nlat_deg = 54.1\nlon_deg = 12.1\nheight_m = 38.5\n";

/// With its sum.
fn summed(body: &str) -> String {
    let sum = body.bytes().fold(0_u8, |sum, byte| sum ^ byte);
    format!("${body}*{sum:02X}\r\n")
}

/// A minute of a survey that has begun now: positions and attitudes five times a second.
fn log() -> Vec<String> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let start = now.as_millis() as i64;
    let at = |millis: i64| {
        let of_day = millis.rem_euclid(86_400_000);
        let (hours, rest) = (of_day / 3_600_000, of_day % 3_600_000);
        let time = format!(
            "{hours:02}{:02}{:02}.{:03}",
            rest / 60_000,
            rest / 1000 % 60,
            rest % 1000
        );
        let stamp = Stamp::from_nanos(millis * 1_000_000).iso_8601();
        let date = format!("{},{},{}", &stamp[8..10], &stamp[5..7], &stamp[..4]);
        (time, date)
    };
    let (time, date) = at(start);
    let mut lines = vec![
        summed(&format!("GPZDA,{time},{date},00,00")),
        summed(&format!("GPGST,{time},1.0,0.02,0.02,0.0,0.02,0.02,0.04")),
    ];
    for step in 0..20 {
        let (time, _) = at(start + 200 * step);
        let minutes = 6.0 + 1e-5 * step as f64;
        lines.push(summed(&format!(
            "GPGGA,{time},54{minutes:08.5},N,01206.00000,E,4,12,0.7,1.20,M,37.30,M,1.0,0001"
        )));
        lines.push(summed(&format!(
            "PASHR,{time},{},T,1.00,-2.00,0.00,0.020,0.020,0.040,4,3",
            10 + step
        )));
    }
    lines
}

fn poses(measurements: impl IntoIterator<Item = Measurement>) -> Vec<(Stamp, Payload)> {
    let pose = |measurement: Measurement| match measurement.payload {
        payload @ Payload::Pose(_) => Some((measurement.stamp, payload)),
        _ => None,
    };
    measurements.into_iter().filter_map(pose).collect()
}

/// What the log gives as a file.
fn of_file(hearing: &Hearing, lines: &[String]) -> Vec<(Stamp, Payload)> {
    std::fs::write(hearing.folder.path().join("nav.log"), lines.concat()).unwrap();
    let rig = format!("{ORIGIN}[[sensor]]\nname = \"gnss\"\nkind = \"nav\"\nsource = \"nav.log\"\n");
    let poses = poses(Recording::open(&hearing.rig(&rig)).unwrap().timeline().unwrap());
    assert_eq!(poses.len(), 20);
    poses
}

#[test]
fn sentences_by_udp_are_those_of_the_log() {
    let (hearing, lines, port) = (Hearing::new(), log(), free_port());
    let expected = of_file(&hearing, &lines);
    let rig =
        format!("{ORIGIN}[[sensor]]\nname = \"gnss\"\nkind = \"nav\"\nsource = \"udp://127.0.0.1:{port}\"\n");
    let out = hearing.hear(&rig, |sender| {
        lines
            .iter()
            .for_each(|line| sender.send(port, 1, line.as_bytes()));
    });
    assert_eq!(poses(out), expected, "{}", hearing.told());
}

#[test]
fn pulses_that_are_not_there_are_told_once_and_nothing_waits_for_them() {
    let (hearing, mut lines, port) = (Hearing::new(), log(), free_port());
    let expected = of_file(&hearing, &lines);
    // Ten seconds of today are named.
    let date = lines[0].split_once(',').unwrap().1[11..21].to_owned();
    lines.extend((0..10).map(|second| summed(&format!("GPZDA,12000{second}.00,{date},00,00"))));
    let rig = format!(
        "{ORIGIN}[[sensor]]\nname = \"gnss\"\nkind = \"nav\"\nsource = \"udp://127.0.0.1:{port}\"\npps = \"pps7/assert\"\n"
    );
    let out = hearing.hear(&rig, |sender| {
        lines
            .iter()
            .for_each(|line| sender.send(port, 1, line.as_bytes()));
    });
    assert_eq!(gaps(&out), []);
    assert_eq!(poses(out), expected, "{}", hearing.told());
    let told = hearing.told();
    let told: Vec<&str> = told.lines().filter(|note| note.contains("PPS")).collect();
    assert!(
        told.len() == 1
            && ["`gnss`", "pps7/assert", "/sys/class/pps", "ldattach"]
                .iter()
                .all(|words| told[0].contains(words)),
        "{told:?}"
    );
}

#[test]
fn a_server_that_goes_away_in_the_middle_is_asked_again() {
    let (hearing, lines) = (Hearing::new(), log());
    let expected = of_file(&hearing, &lines);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let rig = format!(
        "{ORIGIN}[[sensor]]\nname = \"gnss\"\nkind = \"nav\"\nformat = \"nmea\"\nsource = \"tcp://{}\"\n",
        server.local_addr().unwrap()
    );
    let live = Live::open(&hearing.rig(&rig), hearing.options.clone()).unwrap();
    let stop = hearing.options.stop.clone();
    let out: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(move || {
            for half in lines.chunks(lines.len().div_ceil(2)) {
                let (mut connection, _) = server.accept().unwrap();
                // Bytes do not care where lines end.
                half.concat()
                    .as_bytes()
                    .chunks(11)
                    .for_each(|piece| connection.write_all(piece).unwrap());
            }
            // Asked a third time, it has taken all.
            drop(server.accept().unwrap());
            stop.store(true, Ordering::Relaxed);
        });
        live.collect()
    });
    assert_eq!(poses(out), expected, "{}", hearing.told());
}

/// A connection that breaks off in a line and another that begins in one: the two are none together.
#[test]
fn a_torn_line_is_not_glued_to_what_comes_next() {
    let (hearing, lines) = (Hearing::new(), log());
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let rig = format!(
        "{ORIGIN}[[sensor]]\nname = \"gnss\"\nkind = \"nav\"\nsource = \"tcp://{}\"\n",
        server.local_addr().unwrap()
    );
    let live = Live::open(&hearing.rig(&rig), hearing.options.clone()).unwrap();
    let stop = hearing.options.stop.clone();
    let out: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(move || {
            // The last position of the first half is told in two pieces that would make it whole.
            let (first, second) = lines.split_at(20);
            let (begun, rest) = second[0].split_at(30);
            for text in [first.concat() + begun, rest.to_owned() + &second[1..].concat()] {
                let (mut connection, _) = server.accept().unwrap();
                connection.write_all(text.as_bytes()).unwrap();
            }
            drop(server.accept().unwrap());
            stop.store(true, Ordering::Relaxed);
        });
        live.collect()
    });
    let gaps = gaps(&out);
    assert!(
        gaps.iter()
            .any(|(_, _, detail)| detail.contains("2 line(s)") && detail.contains("breaks off")),
        "{gaps:?}"
    );
    assert_eq!(poses(out).len(), 19);
}

/// What is told of a receiver that speaks too fast, or something else.
#[test]
fn a_receiver_that_cannot_be_understood_is_told_while_it_speaks() {
    let (hearing, port) = (Hearing::new(), free_port());
    let rig =
        format!("{ORIGIN}[[sensor]]\nname = \"gnss\"\nkind = \"nav\"\nsource = \"udp://127.0.0.1:{port}\"\n");
    hearing.hear(&rig, |sender| {
        (0..250).for_each(|_| sender.send(port, 1, b"\xb5b\x01\x07 no sentence"));
    });
    let told = hearing.told();
    assert!(
        told.contains("sensor `gnss`: nothing of it can be read so far: 100 line(s)"),
        "{told}"
    );
}

/// A port that is pulled out in the middle of a line, and plugged in again.
#[test]
fn a_serial_port_that_vanishes_is_told_and_opened_again() {
    let (hearing, lines) = (Hearing::new(), log());
    let port = hearing.folder.path().join("ttyUSB0");
    let rig = format!(
        "{ORIGIN}[[sensor]]\nname = \"gnss\"\nkind = \"nav\"\nsource = \"serial://{}?baud=38400\"\n",
        port.display()
    );
    let live = Live::open(&hearing.rig(&rig), hearing.options.clone()).unwrap();
    let stop = hearing.options.stop.clone();
    let heard = live.heard();
    let out: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(|| {
            // It is not there at first.
            hearing.wait_for("`gnss`: serial://");
            let (first, second) = lines.split_at(20);
            let (begun, rest) = second[0].split_at(30);
            let mut sent = 0;
            for text in [first.concat() + begun, rest.to_owned() + &second[1..].concat()] {
                let mut far = FarEnd::plug(&port);
                for piece in text.as_bytes().chunks(100) {
                    far.write(piece);
                    sent += piece.len() as u64;
                    while heard()[0].tally.bytes < sent {
                        std::thread::yield_now();
                    }
                }
                far.unplug(&port);
            }
            stop.store(true, Ordering::Relaxed);
        });
        live.collect()
    });
    let told = hearing.told();
    for words in ["is it plugged in?", "is there again", "it has closed the line"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let gaps = gaps(&out);
    assert!(
        gaps.iter()
            .any(|(_, _, detail)| detail.contains("is asked again")),
        "{gaps:?}"
    );
    // One of twenty was torn.
    assert_eq!(poses(out).len(), 19, "{told}");
}

/// A frame of sbgECom, with its sum bit by bit.
fn ecom(message: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![message, 0];
    bytes.extend((payload.len() as u16).to_le_bytes());
    bytes.extend(payload);
    let mut sum = 0u16;
    for byte in &bytes {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0x8408 } else { sum >> 1 };
        }
    }
    [&[0xff, 0x5a], bytes.as_slice(), &sum.to_le_bytes(), &[0x33]].concat()
}

/// Poses of an inertial unit, by UDP; what NMEA tells in sentences it tells in messages.
#[test]
fn an_inertial_unit_is_heard() {
    let (hearing, port) = (Hearing::new(), free_port());
    let rig = format!(
        "{ORIGIN}[[sensor]]\nname = \"ins\"\nkind = \"nav\"\nformat = \"sbg\"\nsource = \"udp://127.0.0.1:{port}\"\n"
    );
    let mut time = 1_000_000u32.to_le_bytes().to_vec();
    time.extend((2u16 << 6).to_le_bytes());
    time.extend(2026u16.to_le_bytes());
    time.extend([1, 1, 12, 0, 0, 0, 0, 0, 0]);
    let floats = |numbers: &[f32]| -> Vec<u8> { numbers.iter().flat_map(|one| one.to_le_bytes()).collect() };
    let out = hearing.hear(&rig, |sender| {
        sender.send(port, 1, &ecom(2, &time));
        for step in 0..10u32 {
            let micros = (1_000_000 + 200_000 * step).to_le_bytes();
            let mut lying = micros.to_vec();
            lying.extend(floats(&[0.0, 0.0, 0.1 * step as f32, 0.01, 0.01, 0.02]));
            lying.extend(0xf4u32.to_le_bytes());
            sender.send(port, 1, &ecom(6, &lying));
            let mut place = micros.to_vec();
            place.extend([0; 24]);
            place.extend([54.1, 12.1, 1.2].iter().flat_map(|one: &f64| one.to_le_bytes()));
            place.extend(floats(&[37.3, 0.02, 0.02, 0.04]));
            place.extend(0xf4u32.to_le_bytes());
            sender.send(port, 1, &ecom(8, &place));
        }
    });
    let poses = poses(out);
    assert_eq!(poses.len(), 10, "{}", hearing.told());
    assert!((poses[9].0.seconds_since(poses[0].0) - 1.8).abs() < 1e-9);
    assert!(
        hearing.told().contains("`ins`: clock: tells 2026-01-01T12:00:00"),
        "{}",
        hearing.told()
    );
}
