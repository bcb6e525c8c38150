//! Synthetic streams, with the behaviour that was measured on a Mid-360 (firmware 13.18.0244): 96
//! samples each 480 µs, 475 µs from first to last, `frame_cnt` 0, a number that begins anew behind
//! 65535, no returns as (0, 0, 0), cropped ones as (0, 0, 0) of reflectivity 60, and after a reboot
//! seconds of silence and a clock and a number from 0.

use std::net::SocketAddr;

use beluga_types::{LidarScan, Payload};

use super::write::packet;
use super::*;

/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600_000_000_000;
const STEP: i64 = 480_000;

fn datagram(payload: Vec<u8>, received: i64) -> Datagram {
    let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
    Datagram {
        received: Stamp::from_nanos(received),
        source: nowhere,
        destination: nowhere,
        payload,
    }
}

/// Packet `count` of a sensor that was switched on at `NOW`; each has one sample that met nothing
/// and one that was cropped.
fn point(count: i64) -> Datagram {
    let of = |sample: u16| match sample {
        10 => ([0; 3], 0),
        20 => ([0; 3], 60),
        _ => ([1000 + i32::from(sample), count as i32, -500], 50),
    };
    let time = (count * STEP) as u64;
    datagram(
        packet(1, count as u16, time, 96, of),
        NOW + count * STEP + 600_000,
    )
}

fn reader(clock: Clock) -> Reader {
    Reader {
        link: Link::new(clock),
        sweeps: Sweeps::default(),
        begins: None,
    }
}

fn clock_of(datagram: &Datagram) -> Clock {
    let packet = Packet::new(&datagram.payload).unwrap();
    Clock::of([(packet.nanos() as i64, datagram.received)].into_iter())
}

fn play(datagrams: impl Iterator<Item = Datagram>) -> (Vec<Measured>, Vec<String>, PacketCounts) {
    let mut datagrams = datagrams.peekable();
    let mut reader = reader(clock_of(datagrams.peek().unwrap()));
    let mut made = Made::default();
    for datagram in datagrams {
        reader.push(&datagram, &mut made);
    }
    let rest = reader.finish(&mut made);
    let (mut scans, mut faults) = (Vec::new(), Vec::new());
    for found in made.ready {
        match found {
            Ok(measured) => scans.push(measured),
            Err(fault) => faults.push(fault.detail),
        }
    }
    (scans, faults, rest)
}

fn scan(measured: &Measured) -> &LidarScan {
    match &measured.payload {
        Payload::Lidar(scan) => scan,
        other => panic!("{other:?}"),
    }
}

#[test]
fn scans_of_a_tenth_of_a_second_with_what_met_nothing_counted() {
    let (scans, faults, _) = play((0..625).map(point));
    assert!(faults.is_empty());
    let sizes: Vec<_> = scans
        .iter()
        .map(|measured| (scan(measured).len(), scan(measured).dropped()))
        .collect();
    // 208.33 packets each: 209, 208, 208.
    assert_eq!(sizes, [(209 * 94, 418), (208 * 94, 416), (208 * 94, 416)]);
    let first = scan(&scans[0]);
    assert_eq!((first.x()[0], first.y()[0], first.z()[0]), (1.0, 0.0, -0.5));
    assert_eq!(first.offset_nanos().unwrap()[94..96], [480_000, 485_000]);
    assert_eq!(
        scans[0].stamp.nanos(),
        NOW + 600_000,
        "from power-on: when the host heard it"
    );
    assert_eq!(scans[0].end.nanos(), NOW + 600_000 + 208 * STEP + 475_000);
}

#[test]
fn what_is_lost_late_and_double_is_counted_over_the_end_of_the_numbers() {
    let order = (65_500..65_530)
        .chain(65_532..65_540)
        .chain([65_530, 65_539])
        .chain(65_540..65_600);
    let (scans, faults, _) = play(order.map(point));
    assert!(faults.is_empty(), "{faults:?}");
    let packets = scans[0].packets;
    assert_eq!((packets.lost, packets.late, packets.twice), (1, 0, 1));
    let completeness = scans[0].completeness.unwrap();
    assert_eq!((completeness.found, completeness.expected), (99, 100));
    assert!(scan(&scans[0]).offset_nanos().unwrap().is_sorted());
}

#[test]
fn a_reboot_begins_anew_and_is_said() {
    let reboot = |count: i64| {
        let mut again = point(count);
        again.received = again.received.shifted_nanos(300 * STEP + 8_900_000_000);
        again
    };
    let (scans, faults, _) = play((300..600).map(point).chain((0..300).map(reboot)));
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("clock jumps by -"), "{}", faults[0]);
    assert_eq!(
        scans.iter().map(|measured| scan(measured).len()).sum::<usize>(),
        600 * 94
    );
}

#[test]
fn the_imu_is_on_the_timeline_in_si() {
    let sample = |count: u16| {
        let bytes = packet(0, count, u64::from(count) * 5_000_000, 1, |_| {
            ([100, -200, 1000], 0)
        });
        datagram(bytes, NOW + i64::from(count) * 5_000_000)
    };
    let mut imu = Imu {
        link: Link::new(clock_of(&sample(0))),
    };
    let mut made = Made::default();
    for count in [0, 1, 3] {
        assert_eq!(knows(&sample(count)), Some(Role::Nav));
        imu.push(&sample(count), &mut made);
    }
    let last = made.ready.pop_back().unwrap().unwrap();
    assert_eq!((last.stamp.nanos(), last.packets.lost), (NOW + 15_000_000, 1));
    let Payload::Imu(found) = last.payload else {
        panic!()
    };
    assert!((found.rate_rad_per_s.vector().y + 0.2).abs() < 1e-6);
    assert!((found.specific_force_m_per_s2.vector().z - 9.806_65).abs() < 1e-6);
}

#[test]
fn its_packets_are_known_by_content() {
    assert_eq!(knows(&point(3)), Some(Role::Scans));
    let mut double = point(3).payload;
    double[10] = 0x11;
    assert_eq!(
        knows(&datagram(double, 0)),
        Some(Role::Scans),
        "to be refused by name"
    );
    assert_eq!(knows(&datagram(vec![0; 1206], 0)), None);
    assert_eq!(knows(&datagram(vec![0; 10], 0)), None);
}
