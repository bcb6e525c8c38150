//! One topic of a bag as a stream of payloads.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use beluga_types::{GapCause, Payload, SensorSpec, Stamp};

use super::bag::Messages;
use super::nav::Fix;
use super::point_cloud2::PointCloud2;
use super::{Bag, Kind, Message, cloud, header, nav};
use crate::columns::Wrong;
use crate::error::{Error, Fault};
use crate::source::{Loaded, Row, Source};

/// The messages of a topic as payloads.
pub(crate) struct Played {
    path: PathBuf,
    kind: Kind,
    messages: Messages,
    period_nanos: Option<i64>,
}

/// A payload, and how long it lasts.
pub(crate) struct Decoded {
    stamp: Stamp,
    /// Time zero after the stamp, where the points tell.
    from_stamp_nanos: Option<i64>,
    length_nanos: i64,
    payload: Payload,
}

impl Played {
    /// The topic of a sensor; `bag` is at `path`. Notes say how its messages give their times.
    ///
    /// # Errors
    /// If the bag cannot be read.
    pub(crate) fn open(
        bag: &Bag,
        path: &Path,
        topic: &str,
        kind: Kind,
        spec: &SensorSpec,
        notes: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let period_nanos = spec.rate_hz.map(|rate| (1e9 / rate).round() as i64);
        let open = || -> Result<Self, Error> {
            Ok(Self {
                path: path.to_owned(),
                kind,
                messages: bag.messages(topic)?,
                period_nanos,
            })
        };
        open()?.look(&spec.name, notes);
        open()
    }

    /// Says how the first messages give their times.
    fn look(self, name: &str, notes: &mut Vec<String>) {
        /// Messages that are tried: the first may be empty or damaged.
        const TRIED: usize = 5;
        for message in self.messages.filter_map(Result::ok).take(TRIED) {
            let Ok(stamp) = stamp_of(&message) else {
                continue;
            };
            if stamp.is_none() {
                notes.push(format!(
                    "sensor `{name}`: its headers have no time; the time at which it was recorded is taken"
                ));
            }
            if self.kind == Kind::Cloud
                && let Ok((_, cloud)) = point_cloud(&message, self.period_nanos)
            {
                let times = cloud.times.as_ref().filter(|report| !report.is_plain());
                notes.extend(times.map(|report| format!("sensor `{name}`: {report}")));
                notes.extend(cloud.far().map(|far| format!("sensor `{name}`: {far}")));
            }
            return;
        }
    }
}

/// A message of this kind; `period_nanos` is the time from scan to scan, where it is known.
fn decode(kind: Kind, period_nanos: Option<i64>, message: &Message) -> Result<Decoded, Missing> {
    let instant = |stamp: Option<Stamp>, payload| Decoded {
        stamp: stamp.unwrap_or(message.received),
        from_stamp_nanos: None,
        length_nanos: 0,
        payload,
    };
    if kind == Kind::Cloud {
        let (stamp, cloud) = point_cloud(message, period_nanos)?;
        return Ok(begun(stamp.unwrap_or(message.received), cloud));
    }
    let mut decoder = message.layout.decoder(&message.data)?;
    let stamp = header::stamp(&mut decoder, message.layout)?;
    let payload = match kind {
        Kind::Imu => there(nav::imu(&mut decoder)?).map(Payload::Imu)?,
        Kind::NavSat => there(nav::nav_sat_fix(&mut decoder)?).map(Payload::Gnss)?,
        Kind::Odometry => Payload::Pose(nav::odometry(&mut decoder)?),
        Kind::Cloud | Kind::Packets(_) => {
            return Err(Wrong::new("message", "navigation", "something else").into());
        }
    };
    Ok(instant(stamp, payload))
}

/// A scan, which begins where its points say, else where its stamp does.
fn begun(stamp: Stamp, cloud: crate::cloud::Cloud) -> Decoded {
    Decoded {
        stamp: cloud.start.unwrap_or(stamp),
        from_stamp_nanos: cloud.start.map(|_| 0).or(cloud.from_stamp_nanos),
        length_nanos: i64::from(cloud.scan.last_offset_nanos()),
        payload: Payload::Lidar(Arc::new(cloud.scan)),
    }
}

/// What a message gives by itself, for one that is in no bag.
pub(super) fn payload(kind: Kind, message: &Message) -> Result<Payload, String> {
    match decode(kind, None, message) {
        Ok(decoded) => Ok(decoded.payload),
        Err(Missing::Wrong(wrong)) => Err(wrong.to_string()),
        Err(Missing::Absent(why)) => Err(why.to_owned()),
    }
}

/// Why a message is no payload.
enum Missing {
    Wrong(Wrong),
    /// The device had nothing to say.
    Absent(&'static str),
}

impl From<Wrong> for Missing {
    fn from(wrong: Wrong) -> Self {
        Missing::Wrong(wrong)
    }
}

impl From<crate::tape::cdr::Wrong> for Missing {
    fn from(wrong: crate::tape::cdr::Wrong) -> Self {
        Missing::Wrong(Wrong::from(wrong))
    }
}

fn there<T>(fix: Fix<T>) -> Result<T, Missing> {
    match fix {
        Fix::There(fix) => Ok(fix),
        Fix::Absent(why) => Err(Missing::Absent(why)),
    }
}

fn point_cloud(
    message: &Message,
    period_nanos: Option<i64>,
) -> Result<(Option<Stamp>, crate::cloud::Cloud), Wrong> {
    let mut decoder = message.layout.decoder(&message.data)?;
    let cloud = PointCloud2::get(&mut decoder, message.layout)?;
    Ok((cloud.stamp, cloud::scan(&cloud, period_nanos)?))
}

fn stamp_of(message: &Message) -> Result<Option<Stamp>, crate::tape::cdr::Wrong> {
    header::stamp(&mut message.layout.decoder(&message.data)?, message.layout)
}

impl Source for Played {
    type What = Decoded;

    fn next_row(&mut self) -> Option<Result<Row<Decoded>, Fault>> {
        let message = match self.messages.next()? {
            Ok(message) => message,
            Err(fault) => return Some(Err(fault)),
        };
        Some(match decode(self.kind, self.period_nanos, &message) {
            Ok(decoded) => Ok(Row {
                place: message.place,
                seq: None,
                stamp: decoded.stamp,
                end: None,
                received: Some(message.received),
                what: decoded,
            }),
            Err(Missing::Wrong(wrong)) => Err(Fault {
                cause: GapCause::Corrupt,
                lost: 1,
                detail: format!("{}: {wrong}: {}", message.place, self.path.display()),
            }),
            Err(Missing::Absent(why)) => Err(Fault {
                cause: GapCause::Missing,
                lost: 1,
                detail: format!("{}: {why}: {}", message.place, self.path.display()),
            }),
        })
    }

    fn load(&mut self, decoded: Decoded) -> Loaded {
        Loaded {
            from_stamp_nanos: decoded.from_stamp_nanos,
            ..Loaded::whole(decoded.payload, decoded.length_nanos)
        }
    }
}
