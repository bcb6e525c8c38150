//! Bags of ROS 2 and MCAP files of others: their topics as sensors.
//!
//! - `bag`: a file (MCAP, or SQLite of `rosbag2`) or a folder of them → topics, and the messages
//!   of one; `walk` and `mcap` read the one kind, `sqlite` the other; `packed` unpacks messages that
//!   rosbag2 has packed one by one.
//! - `point_cloud2` and `cloud`: `sensor_msgs/PointCloud2` → scan; `nav`: `Imu`, `NavSatFix`,
//!   `Odometry`; `packets`: messages that hold a lidar's packets → datagrams.
//! - `topics`: which topics play, and the rig of a bag that has none; `mounts`: where its sensors sit;
//!   `source` plays one.
//!
//! `ROS.md` beside this crate says the same for users.

pub(crate) mod bag;
mod cloud;
mod header;
mod mcap;
mod mounts;
mod nav;
mod packed;
pub(crate) mod packets;
pub(crate) mod point_cloud2;
mod source;
mod sqlite;
mod topics;
mod walk;

use beluga_types::{Payload, Stamp};

pub(crate) use bag::Bag;
pub(crate) use source::Played;
pub(crate) use topics::{FORMATS, Fate, Kind, choose, fates, first_place, rig};

use crate::tape::cdr::{Decoder, Wrong};

/// What one message of ROS 2 gives, by the name of its type (`sensor_msgs/msg/PointCloud2`, `Imu`,
/// `NavSatFix`, `nav_msgs/msg/Odometry`): a scan counts from its own first point.
///
/// # Errors
/// What is wrong with the message, or that such messages hold no payload by themselves.
pub fn payload(schema: &str, message: &[u8]) -> Result<Payload, String> {
    let topic = Topic {
        name: String::new(),
        schema: schema.to_owned(),
        layout: Some(Layout::Cdr),
        messages: 1,
    };
    let kind = Kind::of(&topic).ok_or_else(|| format!("messages `{schema}` are not read"))?;
    let message = Message {
        place: "message".to_owned(),
        received: Stamp::default(),
        layout: Layout::Cdr,
        data: message.to_vec(),
    };
    source::payload(kind, &message)
}

/// How messages lie in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// ROS 2: common data representation.
    Cdr,
    /// ROS 1: the same fields without alignment, little endian; a header begins with a count.
    Ros1,
}

impl Layout {
    /// The layout that a bag calls so.
    fn named(encoding: &str) -> Option<Self> {
        match encoding {
            "cdr" => Some(Layout::Cdr),
            "ros1" => Some(Layout::Ros1),
            _ => None,
        }
    }

    /// A decoder at a message's first field.
    fn decoder(self, message: &[u8]) -> Result<Decoder<'_>, Wrong> {
        match self {
            Layout::Cdr => Decoder::message(message),
            Layout::Ros1 => Ok(Decoder::packed(message)),
        }
    }
}

/// A topic of a bag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topic {
    pub(crate) name: String,
    /// The name of its type, as `sensor_msgs/msg/PointCloud2`.
    pub(crate) schema: String,
    /// Nothing: an encoding that is not read.
    pub(crate) layout: Option<Layout>,
    pub(crate) messages: u64,
}

/// A message of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Where it stands, for messages to people.
    pub(crate) place: String,
    /// When the recorder heard it.
    pub(crate) received: Stamp,
    pub(crate) layout: Layout,
    pub(crate) data: Vec<u8>,
}
