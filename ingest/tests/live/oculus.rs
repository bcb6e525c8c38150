//! An Oculus by TCP: the pings of a file of the same bytes, across a line that breaks, asked and found.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::Ordering;

use beluga_ingest::Recording;
use beluga_ingest::live::Live;
use beluga_types::{Measurement, Payload, SonarImage, SonarPing};

use super::oculus_file::{Made, other, ping, second};
use super::send::{Hearing, free_port, gaps};
use super::shared_data::shared_data;

const SENSOR: &str = "[[sensor]]\nname = \"fan\"\nkind = \"sonar\"\nformat = \"oculus\"\n";

fn images(measurements: &[Measurement]) -> Vec<(u64, SonarImage)> {
    let image = |one: &Measurement| match &one.payload {
        Payload::Sonar(ping) => match &**ping {
            SonarPing::Image(image) => Some((one.seq, image.clone())),
            _ => None,
        },
        _ => None,
    };
    measurements.iter().filter_map(image).collect()
}

/// What a file of these bytes gives.
fn of_file(hearing: &Hearing, bytes: &[u8]) -> Vec<(u64, SonarImage)> {
    let path = hearing.folder.path().join("fan.raw");
    std::fs::write(&path, bytes).unwrap();
    let run: Vec<Measurement> = Recording::open(&path).unwrap().timeline().unwrap().collect();
    images(&run)
}

/// Sends pieces to whoever connects, each on a line of its own, and gives what was heard when all has come.
fn sent(hearing: &Hearing, lines: &[Vec<&[u8]>]) -> Vec<Measurement> {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let rig = format!("{SENSOR}source = \"tcp://{}\"\n", server.local_addr().unwrap());
    let live = Live::open(&hearing.rig(&rig), hearing.options.clone()).unwrap();
    let (heard, stop) = (live.heard(), hearing.options.stop.clone());
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || {
            let (mut bytes, mut kept) = (0, None);
            for (number, pieces) in (1..).zip(lines) {
                let (mut line, _) = server.accept().unwrap();
                for piece in pieces {
                    line.write_all(piece).unwrap();
                    bytes += piece.len() as u64;
                }
                while heard()[0].tally.bytes < bytes {
                    std::thread::yield_now();
                }
                // All but the last break off now; that stays until the run has ended.
                kept = Some(line).filter(|_| number == lines.len());
            }
            stop.store(true, Ordering::Relaxed);
            kept
        });
        let out = live.collect();
        drop(sender.join());
        out
    })
}

#[test]
fn a_stream_by_tcp_gives_the_pings_of_the_file_however_it_is_cut() {
    let stream = [other(), second(), other()].concat();
    for length in [stream.len(), 100, 7] {
        let hearing = Hearing::new();
        let out = sent(&hearing, &[stream.chunks(length).collect()]);
        assert_eq!(images(&out), of_file(&hearing, &second()), "{length}");
        assert_eq!(gaps(&out), [], "{length}");
        for one in &out {
            assert_eq!(one.end, one.received, "sent when its last echo has come");
        }
    }
}

#[test]
fn a_line_that_breaks_costs_the_ping_it_breaks_in() {
    let of = |number| {
        ping(&Made {
            number,
            ..Made::default()
        })
    };
    let [one, two, three] = [1, 2, 3].map(of);
    let hearing = Hearing::new();
    let lines = [vec![&one[..], &two[..60]], vec![&three[..]]];
    let out = sent(&hearing, &lines);
    let seqs: Vec<u64> = images(&out).iter().map(|(seq, _)| *seq).collect();
    assert_eq!(seqs, [1, 3], "{}", hearing.told());
    let told = gaps(&out);
    assert!(
        told.iter()
            .any(|(_, lost, detail)| *lost == 1 && detail.contains("60 byte(s) into a message")),
        "{told:?}"
    );
    assert_eq!(
        told.iter().map(|(_, lost, _)| lost).sum::<u64>(),
        1,
        "told once: {told:?}"
    );
}

#[test]
fn garbage_and_damage_between_pings_are_counted() {
    let of = |number| {
        ping(&Made {
            number,
            ..Made::default()
        })
    };
    let mut bad = of(2);
    bad[118] ^= 1;
    let stream = [of(1), b"nonsense".to_vec(), bad, of(3)].concat();
    let hearing = Hearing::new();
    let out = sent(&hearing, &[vec![&stream[..]]]);
    let seqs: Vec<u64> = images(&out).iter().map(|(seq, _)| *seq).collect();
    assert_eq!(seqs, [1, 3]);
    let told = gaps(&out);
    let says = |words: &str| told.iter().any(|(_, _, detail)| detail.contains(words));
    assert!(says("two lengths") && says("byte(s) of no message"), "{told:?}");
}

#[test]
fn a_sonar_is_found_by_its_status_and_asked() {
    let (hearing, port) = (Hearing::new(), free_port());
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let tcp = server.local_addr().unwrap().port();
    let rig = format!("{SENSOR}model = \"Oculus\"\nsource = \"oculus://127.0.0.1:{port}?tcp={tcp}\"\n");
    let live = Live::open(&hearing.rig(&rig), hearing.options.clone()).unwrap();
    let (heard, stop) = (live.heard(), hearing.options.stop.clone());
    let nameplates = live.nameplates();
    let mut status = vec![0; 142];
    status[..2].copy_from_slice(b"SO");
    status[16..24].copy_from_slice(&[0xd4, 0x1e, 0, 0, 1, 0, 0x12, 4]);
    status[28..32].copy_from_slice(&[3, 0, 2, 1]);
    let out: Vec<Measurement> = std::thread::scope(|scope| {
        scope.spawn(move || {
            let sonar = UdpSocket::bind("127.0.0.1:0").unwrap();
            let mut line = loop {
                let _ = sonar.send_to(b"something else", ("127.0.0.1", port));
                let _ = sonar.send_to(&status, ("127.0.0.1", port));
                match server.accept() {
                    Ok((line, _)) => break line,
                    Err(_) => std::thread::yield_now(),
                }
            };
            line.set_nonblocking(false).unwrap();
            let mut fire = [0; 53];
            line.read_exact(&mut fire).unwrap();
            assert_eq!((&fire[6..8], fire[16]), (&[0x15, 0][..], 1));
            let answer = ping(&Made::default());
            line.write_all(&answer).unwrap();
            while heard()[0].tally.bytes < answer.len() as u64 {
                std::thread::yield_now();
            }
            stop.store(true, Ordering::Relaxed);
        });
        live.collect()
    });
    assert_eq!(images(&out).len(), 1, "{}", hearing.told());
    let said = nameplates().remove(0);
    assert_eq!(said.firmware.as_deref(), Some("1.2.3, 0.0.0, logic 0.0.0"));
    let told = hearing.told();
    assert!(
        told.contains("an Oculus M1200d, number 7892, firmware 1.2.3"),
        "{told}"
    );
}

#[test]
fn a_real_stream_by_tcp_is_that_of_its_file() {
    let name = "a_real_stream_by_tcp_is_that_of_its_file";
    let Some(file) = shared_data(name, "live/oculus-3pings/three_pings_8bit.raw") else {
        return;
    };
    let bytes = std::fs::read(&file).unwrap();
    let hearing = Hearing::new();
    let out = sent(&hearing, &[bytes.chunks(10_000).collect()]);
    let found = images(&out);
    assert_eq!(found.len(), 3);
    assert_eq!(found, of_file(&hearing, &bytes));
    assert_eq!(found[0].0, 415_323);
}
