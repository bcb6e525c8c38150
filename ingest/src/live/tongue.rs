//! What sensors speak that are heard now.

use beluga_types::{SensorKind, SensorSpec};

use super::address::Address;
use crate::lidar::Maker;

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tongue {
    /// Packets of a lidar.
    Packets,
    /// Sentences of NMEA 0183.
    Nmea,
    /// Datagrams of a Kongsberg EM.
    Kmall,
    /// Pings of an R2Sonic.
    R2Sonic,
    /// Messages of a Ping1D, Ping360 or S500.
    Ping,
}

impl Tongue {
    /// What a sensor speaks, if that is heard and comes this way.
    pub(crate) fn of(spec: &SensorSpec, address: &Address) -> Option<Self> {
        let tongue = match (spec.kind, spec.format.as_deref()) {
            (SensorKind::Lidar, None) => Tongue::Packets,
            (SensorKind::Lidar | SensorKind::Nav, Some(name)) if Maker::named(name).is_some() => {
                Tongue::Packets
            }
            (SensorKind::Nav, None | Some("nmea")) => Tongue::Nmea,
            (SensorKind::Nav | SensorKind::Sonar, Some("kmall")) | (SensorKind::Sonar, None) => Tongue::Kmall,
            (SensorKind::Sonar, Some("r2sonic")) => Tongue::R2Sonic,
            (SensorKind::Sonar, Some("ping")) => Tongue::Ping,
            _ => return None,
        };
        let fits = match tongue {
            Tongue::Packets | Tongue::Kmall | Tongue::R2Sonic => matches!(address, Address::Udp { .. }),
            Tongue::Nmea => !matches!(address, Address::Ask(_)),
            Tongue::Ping => true,
        };
        fits.then_some(tongue)
    }

    /// What a rig may say of a sensor of this kind.
    pub(crate) fn words(kind: SensorKind) -> String {
        match kind {
            SensorKind::Lidar => Maker::words(),
            SensorKind::Sonar => "kmall, r2sonic, ping".into(),
            SensorKind::Nav => format!("nmea, kmall, {}", Maker::words()),
        }
    }
}
