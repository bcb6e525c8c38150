//! Packet captures: the UDP datagrams that a computer heard, with the time it heard them.
//!
//! A `Capture` is an iterator over a pcap or pcapng file (or any other input), front to back,
//! holding one packet at a time:
//!
//! - `record`: pcap (µs and ns, both byte orders) and pcapng → packets with time and link type;
//! - `link`: Ethernet with VLAN tags, Linux cooked (1 and 2), raw IP, loopback → IP bytes;
//! - `ip`: IPv4 and IPv6 → UDP datagrams, fragments put together in bounded memory.
//!
//! What cannot become a datagram is a `Damage` in its place, never an end of the run, except
//! where the file itself ends inside a packet. What is no UDP is counted in [`Tally`].
//!
//! Sources: `draft-ietf-opsawg-pcap` and `draft-ietf-opsawg-pcapng` (files), the list of link
//! types at tcpdump.org, RFC 791, RFC 8200 (IP and its fragments), RFC 768 (UDP).

mod ip;
mod link;
mod record;

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use beluga_types::{GapCause, Stamp};

use crate::error::{Error, Fault};
use crate::regular;
use ip::Ip;
use record::Records;

/// One UDP datagram as a host heard it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// When the host heard it: the capture's own time, UTC.
    pub received: Stamp,
    /// Who sent it. Unspecified (0.0.0.0:0) where a recording does not keep it.
    pub source: SocketAddr,
    /// To whom. Unspecified (0.0.0.0:0) where a recording does not keep it.
    pub destination: SocketAddr,
    /// What was sent, at most 65,527 bytes.
    pub payload: Vec<u8>,
}

/// What was heard and cannot become a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// When, if that is known.
    pub(crate) received: Option<Stamp>,
    /// Who sent it, if that is known.
    pub(crate) source: Option<IpAddr>,
    /// To which port, if that is known.
    pub(crate) port: Option<u16>,
    /// What it is.
    pub(crate) fault: Fault,
}

/// What was heard, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets of any kind.
    pub packets: u64,
    /// Whole UDP datagrams.
    pub datagrams: u64,
    /// Whole packets that are no UDP: other protocols, other link types.
    pub others: u64,
    /// Packets that are pieces of a datagram.
    pub fragments: u64,
    /// Datagrams of which pieces are missing.
    pub incomplete: u64,
    /// Packets that the capture cut short, or that contradict themselves.
    pub damaged: u64,
}

/// The datagrams of a capture, in the order of the file.
pub(crate) struct Capture<R: Read> {
    records: Records<R>,
    ip: Ip,
    path: PathBuf,
    tally: Tally,
    ready: VecDeque<Result<Datagram, Damage>>,
    ended: bool,
}

impl Capture<File> {
    /// Opens a capture.
    ///
    /// # Errors
    /// If it cannot be read or does not start as a capture does.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Self::new(regular::open(path)?, path)
    }
}

impl<R: Read> Capture<R> {
    /// The datagrams of an input; `path` is its name in messages.
    ///
    /// # Errors
    /// If it does not start as a capture does.
    pub(crate) fn new(input: R, path: &Path) -> Result<Self, Error> {
        Ok(Self {
            records: Records::new(input, path)?,
            ip: Ip::default(),
            path: path.to_owned(),
            tally: Tally::default(),
            ready: VecDeque::new(),
            ended: false,
        })
    }

    /// What has been heard so far.
    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// Takes the next packet; nothing behind the last.
    fn step(&mut self) -> Option<()> {
        let found = self.records.next(|packet| {
            self.tally.packets += 1;
            match link::ip_of(packet.link, packet.bytes) {
                Some(bytes) => self.ip.push(&packet, bytes, &mut self.tally, &mut self.ready),
                None => self.tally.others += 1,
            }
        })?;
        if let Err(mut fault) = found {
            fault.detail = format!("{}: {}", fault.detail, self.path.display());
            self.tally.damaged += 1;
            self.ready.push_back(Err(Damage {
                received: None,
                source: None,
                port: None,
                fault,
            }));
        }
        Some(())
    }
}

impl<R: Read> Iterator for Capture<R> {
    type Item = Result<Datagram, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.ended {
            if self.step().is_none() {
                self.ended = true;
                self.ip.finish(&mut self.tally, &mut self.ready);
            }
        }
        self.ready.pop_front()
    }
}

/// The datagrams of a capture; what cannot become one is told in its place. `path` is the name in
/// messages.
///
/// # Errors
/// If the input does not start as a capture does.
pub fn datagrams<R: Read>(
    input: R,
    path: &Path,
) -> Result<impl Iterator<Item = Result<Datagram, String>> + use<R>, Error> {
    let capture = Capture::new(input, path)?;
    Ok(capture.map(|found| found.map_err(|damage| damage.fault.detail)))
}

/// Counts what a capture holds, to its end.
///
/// # Errors
/// If the input does not start as a capture does.
pub fn tally<R: Read>(input: R, path: &Path) -> Result<Tally, Error> {
    let mut capture = Capture::new(input, path)?;
    capture.by_ref().for_each(drop);
    Ok(capture.tally())
}

/// Whether a file starts as a capture does; nothing is said of the rest.
pub(crate) fn looks_like(path: &Path) -> bool {
    let mut start = [0; 4];
    regular::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok())
        && record::MAGICS.contains(&start)
}

/// The end of a capture that should have gone on: what is lost behind it nobody can count, so it is one.
fn cut(cause: GapCause, detail: String) -> Fault {
    Fault {
        cause,
        lost: 1,
        detail,
    }
}

/// A fault that loses no whole payload by itself: what it tears out of a scan, the scan tells.
fn fault(cause: GapCause, detail: String) -> Fault {
    Fault {
        cause,
        lost: 0,
        detail,
    }
}
