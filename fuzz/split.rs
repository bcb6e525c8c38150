//! Bytes as a sensor's datagrams: each `u16` length, `u16` time since the one before in 10 µs, payload.

use std::net::SocketAddr;

use beluga_ingest::capture::Datagram;
use beluga_types::Stamp;

/// 2026-01-01T00:00:00Z.
const BEGINS_NANOS: i64 = 1_767_225_600_000_000_000;

/// The datagrams; a last one that is cut has what is left of it.
pub(crate) fn split(mut bytes: &[u8]) -> Vec<Datagram> {
    let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let (mut datagrams, mut nanos) = (Vec::new(), BEGINS_NANOS);
    while let [a, b, c, d, rest @ ..] = bytes {
        let length = usize::from(u16::from_le_bytes([*a, *b])).min(rest.len());
        nanos += 10_000 * i64::from(u16::from_le_bytes([*c, *d]));
        datagrams.push(Datagram {
            received: Stamp::from_nanos(nanos),
            source: nowhere,
            destination: nowhere,
            payload: rest[..length].to_vec(),
        });
        bytes = &rest[length..];
    }
    datagrams
}

/// Plays them; what comes out is bounded by what went in: three bytes make a return at least.
pub(crate) fn play(bytes: &[u8]) {
    let Ok(driven) = beluga_ingest::lidar::drive::scans(&split(bytes)) else {
        return;
    };
    let returns: usize = driven.scans.iter().map(|(_, scan)| scan.len()).sum();
    assert!(
        3 * returns <= bytes.len(),
        "{returns} returns of {} bytes",
        bytes.len()
    );
    assert!(driven.scans.len() + driven.faults.len() <= bytes.len() / 100 + 3);
    for (_, scan) in &driven.scans {
        assert!(scan.offset_nanos().is_some_and(|offsets| offsets.is_sorted()));
    }
}
