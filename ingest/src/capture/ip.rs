//! IP: from packets to UDP datagrams, with fragments put together.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use beluga_types::{GapCause, Stamp};
use etherparse::defrag::IpDefragBuf;
use etherparse::{IpFragOffset, IpNumber, Ipv6ExtensionSlice, LaxIpSlice};

use super::record::Packet;
use super::{Damage, Datagram, Tally, fault};

/// Datagrams of which pieces are waited for, at once. Each takes at most 64 KiB.
const MAX_OPEN: usize = 256;
/// How long the pieces of a datagram are waited for, in the capture's time. Pieces follow each
/// other within microseconds; the identification repeats after some tens of seconds.
const WAIT_NANOS: i64 = 2_000_000_000;
/// Bytes of a UDP header.
const UDP_HEAD: usize = 8;

/// The datagrams of which pieces are waited for.
#[derive(Default)]
pub(super) struct Ip {
    open: BTreeMap<Key, Open>,
    /// When each was begun, oldest first.
    ages: BTreeMap<(Stamp, u64), Key>,
    begun: u64,
}

/// What the pieces of one datagram have in common (RFC 791, RFC 8200).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    identification: u32,
}

struct Open {
    pieces: IpDefragBuf,
    count: u64,
    age: (Stamp, u64),
    /// The port, once the first piece is there.
    port: Option<u16>,
}

/// Where a piece belongs.
struct Piece {
    identification: u32,
    offset: IpFragOffset,
    more: bool,
}

type Ready = VecDeque<Result<Datagram, Damage>>;

impl Ip {
    /// Takes an IP packet.
    pub(super) fn push(&mut self, packet: &Packet<'_>, bytes: &[u8], tally: &mut Tally, ready: &mut Ready) {
        self.forget_before(packet.stamp, tally, ready);
        let Ok((ip, _)) = LaxIpSlice::from_slice(bytes) else {
            tally.others += 1;
            return;
        };
        let (payload, source, destination) = (ip.payload(), ip.source_addr(), ip.destination_addr());
        if payload.ip_number != IpNumber::UDP {
            tally.others += 1;
            return;
        }
        let piece = piece_of(&ip);
        let is_first = piece
            .as_ref()
            .is_none_or(|piece| piece.offset == IpFragOffset::ZERO);
        let port = is_first.then(|| destination_port(payload.payload)).flatten();
        if payload.incomplete {
            tally.damaged += 1;
            let (held, original) = (packet.bytes.len(), packet.original);
            let detail = format!("a packet from {source} was cut by the capture: {held} of {original} bytes");
            ready.push_back(Err(Damage {
                received: Some(packet.stamp),
                source: Some(source),
                port,
                fault: fault(GapCause::Truncated, detail),
            }));
            return;
        }
        let ends = [source, destination];
        match piece {
            None => udp(packet.stamp, ends, payload.payload, tally, ready),
            Some(piece) => {
                tally.fragments += 1;
                self.piece(packet.stamp, ends, &piece, payload.payload, tally, ready);
            }
        }
    }

    /// The end of the capture: what is not whole now never will be.
    pub(super) fn finish(&mut self, tally: &mut Tally, ready: &mut Ready) {
        while let Some((&age, _)) = self.ages.first_key_value() {
            self.forget(age, tally, ready);
        }
    }

    fn piece(
        &mut self,
        stamp: Stamp,
        ends: [IpAddr; 2],
        piece: &Piece,
        bytes: &[u8],
        tally: &mut Tally,
        ready: &mut Ready,
    ) {
        let key = Key {
            source: ends[0],
            destination: ends[1],
            identification: piece.identification,
        };
        if !self.open.contains_key(&key) {
            if self.open.len() >= MAX_OPEN
                && let Some((&oldest, _)) = self.ages.first_key_value()
            {
                self.forget(oldest, tally, ready);
            }
            let age = (stamp, self.begun);
            self.begun += 1;
            self.ages.insert(age, key);
            let pieces = IpDefragBuf::new(IpNumber::UDP, Vec::new(), Vec::new());
            let open = Open {
                pieces,
                count: 0,
                age,
                port: None,
            };
            self.open.insert(key, open);
        }
        let Some(open) = self.open.get_mut(&key) else {
            return;
        };
        open.count += 1;
        if piece.offset == IpFragOffset::ZERO {
            open.port = destination_port(bytes);
        }
        let age = open.age;
        if open.pieces.add(piece.offset, piece.more, bytes).is_err() {
            // Pieces that contradict each other make no datagram.
            return self.forget(age, tally, ready);
        }
        if open.pieces.is_complete() {
            self.ages.remove(&age);
            if let Some(open) = self.open.remove(&key) {
                let (whole, _) = open.pieces.take_bufs();
                udp(stamp, ends, &whole, tally, ready);
            }
        }
    }

    fn forget_before(&mut self, now: Stamp, tally: &mut Tally, ready: &mut Ready) {
        while let Some((&age, _)) = self.ages.first_key_value()
            && now.nanos_since(age.0) > WAIT_NANOS
        {
            self.forget(age, tally, ready);
        }
    }

    /// Gives up a datagram.
    fn forget(&mut self, age: (Stamp, u64), tally: &mut Tally, ready: &mut Ready) {
        let Some((key, open)) = self
            .ages
            .remove(&age)
            .and_then(|key| Some((key, self.open.remove(&key)?)))
        else {
            return;
        };
        tally.incomplete += 1;
        let covered: usize = (open.pieces.sections().iter())
            .map(|section| usize::from(section.end - section.start))
            .sum();
        let of = match open.pieces.end() {
            Some(end) => format!("{covered} of {end} bytes"),
            None => format!("{covered} bytes and no last piece"),
        };
        ready.push_back(Err(Damage {
            received: Some(age.0),
            source: Some(key.source),
            port: open.port,
            fault: fault(
                GapCause::Missing,
                format!(
                    "a datagram from {} in fragments is incomplete: {} piece(s), {of}",
                    key.source, open.count
                ),
            ),
        }));
    }
}

/// Where a packet belongs, if it is a piece.
fn piece_of(ip: &LaxIpSlice<'_>) -> Option<Piece> {
    match ip {
        LaxIpSlice::Ipv4(packet) => {
            let header = packet.header();
            header.is_fragmenting_payload().then(|| Piece {
                identification: u32::from(header.identification()),
                offset: header.fragments_offset(),
                more: header.more_fragments(),
            })
        }
        LaxIpSlice::Ipv6(packet) => {
            let mut extensions = packet.extensions().clone().into_iter();
            extensions.find_map(|extension| match extension {
                Ipv6ExtensionSlice::Fragment(header) if header.is_fragmenting_payload() => Some(Piece {
                    identification: header.identification(),
                    offset: header.fragment_offset(),
                    more: header.more_fragments(),
                }),
                _ => None,
            })
        }
    }
}

fn destination_port(udp: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(*udp.get(2..)?.first_chunk()?))
}

/// Takes a whole UDP datagram apart: ports, length, checksum (not checked: captures on the sending
/// machine hold it unfinished), payload.
fn udp(stamp: Stamp, ends: [IpAddr; 2], bytes: &[u8], tally: &mut Tally, ready: &mut Ready) {
    let port = |at: usize| Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    let (Some(source), Some(destination), Some(length)) = (port(0), port(2), port(4)) else {
        tally.damaged += 1;
        return ready.push_back(Err(contradiction(stamp, ends, None, bytes.len())));
    };
    // A length of 0 is that of a jumbogram: all of it.
    let length = match usize::from(length) {
        0 => bytes.len(),
        length => length,
    };
    let Some(payload) = bytes.get(UDP_HEAD..length) else {
        tally.damaged += 1;
        return ready.push_back(Err(contradiction(stamp, ends, Some(destination), bytes.len())));
    };
    tally.datagrams += 1;
    ready.push_back(Ok(Datagram {
        received: stamp,
        source: SocketAddr::new(ends[0], source),
        destination: SocketAddr::new(ends[1], destination),
        payload: payload.to_vec(),
    }));
}

fn contradiction(stamp: Stamp, ends: [IpAddr; 2], port: Option<u16>, found: usize) -> Damage {
    Damage {
        received: Some(stamp),
        source: Some(ends[0]),
        port,
        fault: fault(
            GapCause::Corrupt,
            format!(
                "a datagram from {} has another length than its {found} bytes",
                ends[0]
            ),
        ),
    }
}
