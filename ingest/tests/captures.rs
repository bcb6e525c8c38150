//! Captures made here, byte by byte: every form of file, link and fragment, and what is damaged.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod capture_file;

use std::path::Path;

use beluga_ingest::capture::{self, Datagram};
use capture_file::{Pcap, Udp, ethernet, pcapng};

const AT: u64 = 1_650_000_000_123_456_789;
const SOURCE: [u8; 4] = [10, 0, 0, 7];

fn all(file: &[u8]) -> Vec<Result<Datagram, String>> {
    capture::datagrams(file, Path::new("made")).unwrap().collect()
}

fn check(file: &[u8], payload: &[u8], nanos: i64, source: &str) {
    let found = all(file);
    let [Ok(datagram)] = found.as_slice() else {
        panic!("damage")
    };
    assert_eq!(datagram.payload, payload);
    assert_eq!(datagram.received.nanos(), nanos);
    assert_eq!(datagram.source.to_string(), source);
    assert_eq!(datagram.destination.port(), 7502);
}

#[test]
fn every_form_of_file_and_link_gives_the_datagram() {
    let payload = b"four";
    let udp = Udp {
        source: SOURCE,
        port: 7502,
        payload,
    };
    let (v4, v6) = (udp.ipv4(), udp.ipv6());
    let plain = ethernet(&v4, &[]);
    let (nanos, micros) = (AT as i64, AT as i64 / 1000 * 1000);
    for big_endian in [false, true] {
        let file = |nanos, link, bytes: &[u8]| {
            Pcap {
                nanos,
                big_endian,
                link,
            }
            .file(&[(AT, bytes.to_vec())])
        };
        check(&file(false, 1, &plain), payload, micros, "10.0.0.7:7500");
        check(&file(true, 1, &plain), payload, nanos, "10.0.0.7:7500");
        check(
            &pcapng(&[(AT, plain.clone())], big_endian),
            payload,
            nanos,
            "10.0.0.7:7500",
        );
        let behind = |head: &[u8], ip: &[u8]| [head, ip].concat();
        for (link, bytes, is_v6) in [
            (1, ethernet(&v6, &[]), true),
            (1, ethernet(&v4, &[0x8100]), false),
            (1, ethernet(&v6, &[0x88a8, 0x8100]), true),
            (
                113,
                behind(&[0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0], &v4),
                false,
            ),
            (276, behind(&[&[0x86, 0xdd], &[0; 18][..]].concat(), &v6), true),
            (101, v4.clone(), false),
            (12, v6.clone(), true),
            (228, v4.clone(), false),
            (229, v6.clone(), true),
            (0, behind(&[2, 0, 0, 0], &v4), false),
            (0, behind(&[0, 0, 0, 30], &v6), true),
            (108, behind(&[0, 0, 0, 2], &v4), false),
        ] {
            let source = if is_v6 {
                "[fe80::a00:7]:7500"
            } else {
                "10.0.0.7:7500"
            };
            check(&file(true, link, &bytes), payload, nanos, source);
        }
    }
}

#[test]
fn fragments_in_any_order_make_the_datagram() {
    let payload: Vec<u8> = (0..5000_u16).map(|value| value as u8).collect();
    let udp = Udp {
        source: SOURCE,
        port: 7502,
        payload: &payload,
    };
    for pieces in [udp.ipv4_pieces(9, 1480), udp.ipv6_pieces(9, 1448)] {
        assert_eq!(pieces.len(), 4);
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
            let packets: Vec<_> = (order.iter().zip(0..))
                .map(|(&piece, step)| (AT + step * 1000, ethernet(&pieces[piece], &[])))
                .collect();
            let found = all(&Pcap::USUAL.file(&packets));
            let [Ok(datagram)] = found.as_slice() else {
                panic!("{found:?}")
            };
            assert_eq!(datagram.payload, payload);
        }
    }
}

#[test]
fn a_datagram_that_lacks_a_piece_is_counted_after_two_seconds() {
    let payload = vec![5; 3000];
    let udp = Udp {
        source: SOURCE,
        port: 7502,
        payload: &payload,
    };
    let pieces = udp.ipv4_pieces(9, 1480);
    let small = Udp {
        source: SOURCE,
        port: 7502,
        payload: b"later",
    }
    .ipv4();
    let mut packets = vec![
        (AT, ethernet(&pieces[0], &[])),
        (AT, ethernet(&pieces[2], &[])),
        (AT + 1_900_000_000, ethernet(&small, &[])),
        (AT + 2_100_000_000, ethernet(&small, &[])),
    ];
    let found = all(&Pcap::USUAL.file(&packets));
    assert_eq!(
        found.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, false, true]
    );
    let told = found[1].as_ref().unwrap_err();
    assert!(
        told.contains("from 10.0.0.7") && told.contains("2 piece(s), 1528 of 3008 bytes"),
        "{told}"
    );
    // The piece that comes now begins another.
    packets.push((AT + 2_200_000_000, ethernet(&pieces[1], &[])));
    let tally = capture::tally(Pcap::USUAL.file(&packets).as_slice(), Path::new("made")).unwrap();
    assert_eq!(
        (tally.packets, tally.datagrams, tally.fragments, tally.incomplete),
        (5, 2, 3, 2)
    );
}

#[test]
fn datagrams_that_never_end_take_bounded_memory() {
    let payload = vec![5; 3000];
    let udp = Udp {
        source: SOURCE,
        port: 7502,
        payload: &payload,
    };
    let packets: Vec<_> = (0..1000_u16)
        .map(|number| (AT, ethernet(&udp.ipv4_pieces(number, 1480)[0], &[])))
        .collect();
    let file = Pcap::USUAL.file(&packets);
    let mut capture = capture::datagrams(file.as_slice(), Path::new("made")).unwrap();
    // The oldest are given up while the file is read: 256 are waited for.
    let told = capture.next().unwrap().unwrap_err();
    assert!(told.contains("1480 bytes and no last piece"), "{told}");
    assert_eq!(capture.count(), 999);
}

#[test]
fn what_is_no_udp_is_passed_over_and_what_was_cut_is_told() {
    let udp = Udp {
        source: SOURCE,
        port: 7502,
        payload: b"something long",
    };
    let arp = [vec![2; 12], vec![8, 6], vec![0; 28]].concat();
    let mut tcp = udp.ipv4();
    tcp[9] = 6;
    let whole = ethernet(&udp.ipv4(), &[]);
    let mut file = Pcap::USUAL.file(&[(AT, arp), (AT, ethernet(&tcp, &[])), (AT, whole.clone())]);
    // A snapshot of 50 bytes.
    file.extend(Pcap::USUAL.file(&[(AT, whole[..50].to_vec())])[24..].iter());
    let found = all(&file);
    assert!(found.len() == 2 && found[0].is_ok());
    assert!(
        found[1].as_ref().unwrap_err().contains("was cut by the capture"),
        "{found:?}"
    );
    let tally = capture::tally(file.as_slice(), Path::new("made")).unwrap();
    assert_eq!(
        (tally.packets, tally.datagrams, tally.others, tally.damaged),
        (4, 1, 2, 1)
    );
}

#[test]
fn every_truncation_plays_what_it_holds_and_says_that_it_is_cut() {
    let udp = Udp {
        source: SOURCE,
        port: 7502,
        payload: b"four",
    };
    let frame = ethernet(&udp.ipv4(), &[]);
    let packets = [(AT, frame.clone()), (AT, frame.clone()), (AT, frame.clone())];
    for (file, head) in [
        (Pcap::USUAL.file(&packets), 24),
        (
            Pcap {
                nanos: true,
                big_endian: true,
                link: 1,
            }
            .file(&packets),
            24,
        ),
        (pcapng(&packets, false), 28),
        (pcapng(&packets, true), 28),
    ] {
        assert_eq!(all(&file).len(), 3);
        let mut whole = 0;
        for length in 0..file.len() {
            let Ok(found) = capture::datagrams(&file[..length], Path::new("made")) else {
                assert!(length < head, "refused at {length}");
                continue;
            };
            let found: Vec<_> = found.collect();
            let good = found.iter().filter(|found| found.is_ok()).count();
            assert!(good >= whole && good <= 3);
            whole = good;
            if let Some(Err(told)) = found.last() {
                assert!(told.contains("ends inside"), "{told}");
            }
        }
        assert_eq!(whole, 2);
    }
}

#[test]
fn a_record_that_promises_more_than_there_is_allocates_nothing() {
    let mut file = Pcap::USUAL.file(&[(AT, vec![0; 60])]);
    file[32..36].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    assert!(all(&file)[0].as_ref().unwrap_err().contains("ends inside"));
    file.resize(17 << 20, 0);
    let told = all(&file);
    assert!(
        told[0]
            .as_ref()
            .unwrap_err()
            .contains("longer than 16777216 bytes"),
        "{told:?}"
    );
}

#[test]
fn a_block_shorter_than_an_empty_one_ends_the_file_where_it_lies() {
    let udp = Udp {
        source: SOURCE,
        port: 7502,
        payload: b"four",
    };
    let packets = [(AT, ethernet(&udp.ipv4(), &[]))];
    for big_endian in [false, true] {
        let file = pcapng(&packets, big_endian);
        // Kinds the parser knows, among them what tells of a process, and one that nobody knows.
        for kind in [1_u32, 3, 4, 5, 6, 9, 10, 0xbad, 0x8000_0001, 0x4000_0bad] {
            for length in 0..12_u32 {
                let mut file = file.clone();
                let words = [kind, length].map(|word| match big_endian {
                    true => word.to_be_bytes(),
                    false => word.to_le_bytes(),
                });
                let at = file.len();
                file.extend(words.as_flattened());
                file.resize(at + 64, 0);
                let found = all(&file);
                assert_eq!(found.len(), 2, "kind {kind}, length {length}");
                assert!(found[0].is_ok());
                let told = found[1].as_ref().unwrap_err();
                assert!(
                    told.contains(&format!("byte {at}: a block of {length} bytes")),
                    "{told}"
                );
            }
        }
    }
}

#[test]
fn a_foreign_start_is_refused() {
    for bytes in [
        &b""[..],
        b"\xd4\xc3",
        b"hello world, no capture",
        b"\xd4\xc3\xb2\xa1\0\0",
    ] {
        assert!(capture::datagrams(bytes, Path::new("made")).is_err());
    }
}
