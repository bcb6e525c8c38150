//! Where a sensor is heard: `udp://` to listen, `tcp://` to ask.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::Path;

use beluga_types::SensorSpec;

use crate::error::Error;

/// What every such address begins with.
const SCHEMES: [&str; 2] = ["udp://", "tcp://"];
/// What a rig may say.
pub(crate) const FORMS: &str =
    "`udp://ADDRESS:PORT` (of this host, or of a multicast group) or `tcp://HOST:PORT`";

/// Where a sensor is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Address {
    /// Datagrams to this address of this host, or to this multicast group, by the network that has
    /// the second address (or the usual one).
    Udp { at: SocketAddr, by: Option<IpAddr> },
    /// Bytes from this server.
    Tcp(SocketAddr),
}

/// Whether a rig's `source` names a sensor that is heard now.
pub(crate) fn is_live(source: &str) -> bool {
    SCHEMES.iter().any(|scheme| source.starts_with(scheme))
}

impl Address {
    /// The address that a sensor's `source` names; `path` is the rig.
    ///
    /// # Errors
    /// If it names none, or a host that is not known.
    pub(crate) fn of(spec: &SensorSpec, path: &Path) -> Result<Self, Error> {
        let source = spec.source.as_deref().unwrap_or_default();
        let bad = |found: String| {
            let place = format!("`source` of sensor `{}`", spec.name);
            Error::bad(path, place, FORMS, found)
        };
        let quoted = || match source {
            "" => bad("nothing".into()),
            _ => bad(format!("`{source}`")),
        };
        if let Some(rest) = source.strip_prefix("udp://") {
            let (at, by) = match rest.split_once("?interface=") {
                None => (rest, None),
                Some((at, by)) => (at, Some(by.parse().map_err(|_| quoted())?)),
            };
            let at: SocketAddr = at.parse().map_err(|_| quoted())?;
            if by.is_some() && !at.ip().is_multicast() {
                return Err(bad(format!(
                    "`interface` beside an address that is no group: `{source}`"
                )));
            }
            return match at.port() {
                0 => Err(bad(format!("port 0 in `{source}`"))),
                _ => Ok(Address::Udp { at, by }),
            };
        }
        if let Some(rest) = source.strip_prefix("tcp://") {
            let mut found = rest
                .to_socket_addrs()
                .map_err(|said| bad(format!("`{source}`: {said}")))?;
            return found.next().map(Address::Tcp).ok_or_else(quoted);
        }
        Err(quoted())
    }

    /// The port that datagrams go to.
    pub(crate) fn port(self) -> u16 {
        match self {
            Address::Udp { at, .. } => at.port(),
            Address::Tcp(at) => at.port(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Udp { at, by: None } => write!(f, "udp://{at}"),
            Address::Udp { at, by: Some(by) } => write!(f, "udp://{at}?interface={by}"),
            Address::Tcp(at) => write!(f, "tcp://{at}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::SensorKind;

    use super::*;

    fn of(source: &str) -> Result<Address, Error> {
        let spec = SensorSpec {
            source: Some(source.into()),
            ..SensorSpec::new("front", SensorKind::Lidar)
        };
        Address::of(&spec, Path::new("rig.toml"))
    }

    #[test]
    fn addresses_are_read_and_written_back() {
        for text in [
            "udp://127.0.0.1:2368",
            "udp://[::1]:7502",
            "udp://224.1.20.40:6020?interface=192.168.1.5",
            "tcp://127.0.0.1:10110",
        ] {
            assert!(is_live(text));
            assert_eq!(of(text).unwrap().to_string(), text);
        }
        assert_eq!(of("udp://127.0.0.1:2368").unwrap().port(), 2368);
    }

    #[test]
    fn what_is_none_is_refused_with_what_was_expected() {
        for text in [
            "",
            "lidar",
            "udp://2368",
            "udp://127.0.0.1",
            "udp://127.0.0.1:0",
            "tcp://",
            "udp://127.0.0.1:1?interface=eth0",
        ] {
            let said = of(text).unwrap_err().to_string();
            assert!(
                said.contains("`front`") && said.contains("udp://ADDRESS:PORT"),
                "{said}"
            );
        }
        assert!(!is_live("lidar/front"));
    }
}
