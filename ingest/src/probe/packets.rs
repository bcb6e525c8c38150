//! What a capture holds: who sends what to which port, and the rig that plays it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use beluga_types::Stamp;
use serde::Serialize;

use crate::capture::{Capture, Tally};
use crate::error::Error;
use crate::{lidar, rig_toml};

/// Streams that are told apart.
const MAX_STREAMS: usize = 64;
/// Packets of a stream that are looked at for whose they are.
const LOOKED_AT: u64 = 64;

/// The packets of a capture.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PacketsProbe {
    /// Packets of any kind.
    pub packets: u64,
    /// Whole UDP datagrams.
    pub datagrams: u64,
    /// Packets that are no UDP.
    pub others: u64,
    /// Datagrams of which pieces are missing.
    pub incomplete: u64,
    /// Packets that were cut by the capture or contradict themselves.
    pub damaged: u64,
    /// Who sends to which port, in the order of addresses.
    pub streams: Vec<StreamProbe>,
}

/// What one address sends to one port.
#[derive(Clone, Debug, Serialize)]
pub struct StreamProbe {
    /// Who sends.
    pub from: IpAddr,
    /// To which port.
    pub port: u16,
    /// Datagrams.
    pub datagrams: u64,
    /// Length of the shortest and the longest, in bytes.
    pub bytes: [usize; 2],
    /// Datagrams per second, of more than one.
    pub rate_hz: Option<f64>,
    /// Whose they are and what they carry, if that is known.
    pub what: Option<String>,
    #[serde(skip)]
    span: [Stamp; 2],
}

/// Counts a capture to its end.
pub(super) fn of(path: &Path) -> Result<PacketsProbe, Error> {
    let mut capture = Capture::open(path)?;
    let mut streams: BTreeMap<(IpAddr, u16), StreamProbe> = BTreeMap::new();
    for datagram in capture.by_ref().filter_map(Result::ok) {
        let (from, port) = (datagram.source.ip(), datagram.destination.port());
        let length = datagram.payload.len();
        if streams.len() >= MAX_STREAMS && !streams.contains_key(&(from, port)) {
            continue;
        }
        let stream = streams.entry((from, port)).or_insert(StreamProbe {
            from,
            port,
            datagrams: 0,
            bytes: [length; 2],
            rate_hz: None,
            what: None,
            span: [datagram.received; 2],
        });
        stream.datagrams += 1;
        stream.bytes = [stream.bytes[0].min(length), stream.bytes[1].max(length)];
        stream.span[1] = datagram.received;
        if stream.what.is_none() && stream.datagrams <= LOOKED_AT {
            stream.what = lidar::words_for(&datagram);
        }
    }
    let Tally {
        packets,
        datagrams,
        others,
        incomplete,
        damaged,
        ..
    } = capture.tally();
    let finish = |mut stream: StreamProbe| {
        let seconds = stream.span[1].seconds_since(stream.span[0]);
        let rate = (stream.datagrams - 1) as f64 / seconds;
        stream.rate_hz = (seconds > 0.0).then_some(rate);
        stream
    };
    Ok(PacketsProbe {
        packets,
        datagrams,
        others,
        incomplete,
        damaged,
        streams: streams.into_values().map(finish).collect(),
    })
}

/// The rig that plays a capture, with a place for each sensor; nothing if no lidar is heard.
pub(super) fn rig(path: &Path) -> Option<String> {
    let rig = lidar::rig(|| Capture::open(path), path, &mut Vec::new()).ok()?;
    let (text, _) = rig_toml::texts(path, &rig).ok()?;
    Some(format!(
        "# Made by `beluga probe`. From the Body origin to each sensor: measure it and fill it in, metres and degrees.\n\
         # A lidar whose maker gives a file of its angles: calibration = \"its file\".\n{text}"
    ))
}
