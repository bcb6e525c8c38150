//! Messages that hold a lidar's packets, as the datagrams they were.
//!
//! | type | holds |
//! |---|---|
//! | `velodyne_msgs/VelodyneScan` | header; packets of a time and 1206 bytes |
//! | `pandar_msgs/PandarScan` | header; packets of a time, 1500 bytes and how many of them count |
//! | `nebula_msgs/NebulaPackets` | header; packets of a time and counted bytes |
//! | `ouster_sensor_msgs/PacketMsg` (`ouster_msgs`, `ouster_ros`) | counted bytes, one packet |
//!
//! Addresses are not kept: senders are unspecified, and ports are those the makers ship with.
//!
//! Sources: the message definitions of `ros-drivers/velodyne`, `tier4/nebula` (and the driver of
//! Hesai before it) and `ouster-lidar/ouster-ros`.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use beluga_types::{GapCause, SensorSpec, Stamp};

use super::bag::{Bag, Messages};
use super::{Message, header};
use crate::capture::{Damage, Datagram};
use crate::error::{Error, Fault};
use crate::lidar::{self, At, Maker, PacketScans};
use crate::nameplate::Nameplate;
use crate::tape::cdr::{Decoder, Wrong};

/// Bytes of a Velodyne packet, and of the buffer for one of Hesai's.
const VELODYNE_BYTES: usize = 1206;
const PANDAR_BYTES: usize = 1500;
/// The longest payload of a datagram.
const MAX_BYTES: usize = 65_527;

/// How packets lie in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Packets {
    Velodyne,
    Pandar,
    Nebula,
    Ouster,
}

impl Packets {
    /// The packets of messages of this type, written as `package/Type`.
    pub(super) fn of(schema: &str) -> Option<Self> {
        Some(match schema {
            "velodyne_msgs/VelodyneScan" => Packets::Velodyne,
            "pandar_msgs/PandarScan" => Packets::Pandar,
            "nebula_msgs/NebulaPackets" => Packets::Nebula,
            "ouster_sensor_msgs/PacketMsg" | "ouster_msgs/PacketMsg" | "ouster_ros/PacketMsg" => {
                Packets::Ouster
            }
            _ => return None,
        })
    }

    /// Whether messages begin with a header.
    pub(super) fn has_header(self) -> bool {
        self != Packets::Ouster
    }

    /// The port that the maker ships with.
    const fn port(self) -> u16 {
        match self {
            Packets::Velodyne | Packets::Pandar | Packets::Nebula => 2368,
            Packets::Ouster => 7502,
        }
    }

    /// The datagrams of a message.
    fn read(self, message: &Message) -> Result<Vec<Datagram>, Wrong> {
        let layout = message.layout;
        let mut decoder = layout.decoder(&message.data)?;
        if !self.has_header() {
            return Ok(vec![self.datagram(message.received, decoder.bytes()?)?]);
        }
        header::stamp(&mut decoder, layout)?;
        // A packet has eight bytes of time and at least a count behind them.
        let count = decoder.count(12)?;
        let mut packet = || {
            let heard = header::time(&mut decoder, layout)?.unwrap_or(message.received);
            self.datagram(heard, self.bytes(&mut decoder)?)
        };
        (0..count).map(|_| packet()).collect()
    }

    fn bytes<'a>(self, decoder: &mut Decoder<'a>) -> Result<&'a [u8], Wrong> {
        match self {
            Packets::Velodyne => decoder.take(VELODYNE_BYTES),
            Packets::Pandar => {
                let bytes = decoder.take(PANDAR_BYTES)?;
                let length = decoder.get::<u32>()? as usize;
                bytes
                    .get(..length)
                    .ok_or(Wrong::Value("a packet of at most 1500 bytes"))
            }
            Packets::Nebula | Packets::Ouster => decoder.bytes(),
        }
    }

    fn datagram(self, received: Stamp, payload: &[u8]) -> Result<Datagram, Wrong> {
        if payload.len() > MAX_BYTES {
            return Err(Wrong::Value("a packet of at most 65527 bytes"));
        }
        let unspecified = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        Ok(Datagram {
            received,
            source: unspecified(0),
            destination: unspecified(self.port()),
            payload: payload.to_vec(),
        })
    }
}

/// The datagrams of a topic, in the order of the bag.
pub(crate) struct Datagrams {
    messages: Messages,
    packets: Packets,
    ready: VecDeque<Datagram>,
}

impl Datagrams {
    fn new(messages: Messages, packets: Packets) -> Self {
        Self {
            messages,
            packets,
            ready: VecDeque::new(),
        }
    }
}

/// The packets of a topic as the payloads of a sensor, as `lidar` makes them of any datagrams.
///
/// # Errors
/// If the bag cannot be read, or the packets are not those of such a sensor.
pub(crate) fn open(
    bag: &Bag,
    path: &Path,
    folder: &Path,
    (topic, packets): (&str, Packets),
    spec: &SensorSpec,
    notes: &mut Vec<String>,
) -> Result<PacketScans<Datagrams>, Error> {
    let spec = SensorSpec {
        // The words for a bag name no maker.
        format: spec
            .format
            .clone()
            .filter(|format| Maker::named(format).is_some()),
        ..spec.clone()
    };
    let again = || Ok(Datagrams::new(bag.messages(topic)?, packets));
    let told = metadata(bag)?;
    let at = At {
        path: bag.first().unwrap_or(path),
        folder,
        told: &told,
    };
    lidar::open(again, at, &spec, notes)
}

/// What the only Ouster of a bag says of itself.
pub(crate) fn nameplate(path: &Path) -> Option<Nameplate> {
    let bag = Bag::open(path).ok()?;
    lidar::ouster::nameplate_told(&metadata(&bag).ok()?)
}

/// Texts in a bag that may be a lidar's metadata: an Ouster's driver publishes them once, as
/// `/ouster/metadata`.
fn metadata(bag: &Bag) -> Result<Vec<String>, Error> {
    /// Messages of a topic that are read: what is published again says the same.
    const FEW: usize = 4;
    let topics = bag.topics()?;
    let told = topics.iter().filter(|topic| {
        let is_text = topic.schema.replace("/msg/", "/") == "std_msgs/String" && topic.layout.is_some();
        is_text && topic.name.ends_with("metadata")
    });
    let mut texts = Vec::new();
    for topic in told {
        let messages = bag.messages(&topic.name)?.filter_map(Result::ok).take(FEW);
        texts.extend(messages.filter_map(|message| {
            let mut decoder = message.layout.decoder(&message.data).ok()?;
            decoder.text().ok().map(str::to_owned)
        }));
    }
    Ok(texts)
}

/// Whether the packets of a topic are scans of a lidar that is known; else what is wrong.
pub(super) fn are_scans(bag: &Bag, path: &Path, topic: &str, packets: Packets) -> Result<(), Error> {
    let again = || Ok(Datagrams::new(bag.messages(topic)?, packets));
    lidar::rig(again, path, &mut Vec::new()).map(drop)
}

impl Iterator for Datagrams {
    type Item = Result<Datagram, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(datagram) = self.ready.pop_front() {
                return Some(Ok(datagram));
            }
            let message = match self.messages.next()? {
                Ok(message) => message,
                Err(fault) => return Some(Err(damage(None, fault))),
            };
            match self.packets.read(&message) {
                Ok(datagrams) => self.ready.extend(datagrams),
                Err(wrong) => {
                    let fault = Fault {
                        cause: GapCause::Corrupt,
                        // What it tears out of a scan, the scan tells.
                        lost: 0,
                        detail: format!("{}: {wrong}", message.place),
                    };
                    return Some(Err(damage(Some(message.received), fault)));
                }
            }
        }
    }
}

fn damage(received: Option<Stamp>, fault: Fault) -> Damage {
    Damage {
        received,
        source: None,
        port: None,
        fault,
    }
}
