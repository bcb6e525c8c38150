//! Where a sensor is heard: `udp://` to listen, `ask://` and `tcp://` to ask, `oculus://` to find and ask,
//! `serial://`, `sound://` and `stdin` on this host.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use beluga_types::SensorSpec;

use crate::error::Error;
use crate::oculus;

/// What every such address begins with.
const SCHEMES: [&str; 7] = [
    "udp://",
    "ask://",
    "tcp://",
    "oculus://",
    "serial://",
    "sound://",
    "stdin",
];
/// What a rig may say.
pub(crate) const FORMS: &str = "`udp://ADDRESS:PORT` (of this host, or of a multicast group), `ask://HOST:PORT`, `tcp://HOST:PORT`, `oculus://ADDRESS` (of this host), `serial:///dev/NAME?baud=115200`, `sound://default` or `stdin`";
/// The rate that a port is set to where a rig names none: that of the sonars that are asked. Receivers of
/// satellites mostly speak at 4800 (NMEA 0183) or 38400.
const BAUD: u32 = 115_200;

/// Where a sensor is heard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Address {
    /// Datagrams to this address of this host, or to this multicast group, by the network that has
    /// the second address (or the usual one).
    Udp { at: SocketAddr, by: Option<IpAddr> },
    /// Datagrams from this device, which is asked for them.
    Ask(SocketAddr),
    /// Bytes from this server.
    Tcp(SocketAddr),
    /// Bytes from the Oculus whose status messages come to this address of this host, from its port.
    Oculus { at: SocketAddr, tcp: u16 },
    /// Bytes from a serial port, at so many bits a second, 8 of them a byte, without parity.
    Serial { port: PathBuf, baud: u32 },
    /// Samples of the sound card of this name.
    Sound(String),
    /// What is piped into this program.
    Stdin,
}

/// Whether a rig's `source` names a sensor that is heard now.
pub(crate) fn is_live(source: &str) -> bool {
    SCHEMES.iter().any(|scheme| match scheme.ends_with("://") {
        true => source.starts_with(scheme),
        false => source == *scheme,
    })
}

impl Address {
    /// The address that a sensor's `source` names; `path` is the rig.
    ///
    /// # Errors
    /// If it names none, or a host that is not known.
    pub(crate) fn of(spec: &SensorSpec, path: &Path) -> Result<Self, Error> {
        let source = spec.source.as_deref().unwrap_or_default();
        Self::read(source).map_err(|found| {
            let place = format!("`source` of sensor `{}`", spec.name);
            Error::bad(path, place, FORMS, found)
        })
    }

    /// What `source` names, or what was found instead.
    fn read(source: &str) -> Result<Self, String> {
        let quoted = || format!("`{source}`");
        if let Some(rest) = source.strip_prefix("udp://") {
            let (at, by) = match rest.split_once("?interface=") {
                None => (rest, None),
                Some((at, by)) => (at, Some(by.parse().map_err(|_| quoted())?)),
            };
            let at: SocketAddr = at.parse().map_err(|_| quoted())?;
            if by.is_some() && !at.ip().is_multicast() {
                return Err(format!(
                    "`interface` beside an address that is no group: `{source}`"
                ));
            }
            return match at.port() {
                0 => Err(format!("port 0 in `{source}`")),
                _ => Ok(Address::Udp { at, by }),
            };
        }
        if let Some(rest) = source.strip_prefix("ask://") {
            return host(rest, source).map(Address::Ask);
        }
        if let Some(rest) = source.strip_prefix("tcp://") {
            return host(rest, source).map(Address::Tcp);
        }
        if let Some(rest) = source.strip_prefix("oculus://") {
            let (at, tcp) = match rest.split_once("?tcp=") {
                None => (rest, oculus::TCP_PORT),
                Some((at, tcp)) => (at, tcp.parse().map_err(|_| quoted())?),
            };
            let at = at.parse().or_else(|_| {
                at.parse()
                    .map(|own: IpAddr| SocketAddr::new(own, oculus::STATUS_PORT))
            });
            let at: SocketAddr = at.map_err(|_| quoted())?;
            return match at.port() == 0 || tcp == 0 {
                true => Err(format!("port 0 in `{source}`")),
                false => Ok(Address::Oculus { at, tcp }),
            };
        }
        if let Some(rest) = source.strip_prefix("serial://") {
            let (port, baud) = match rest.split_once("?baud=") {
                None => (rest, Ok(BAUD)),
                Some((port, baud)) => (port, baud.parse()),
            };
            let baud = baud.ok().filter(|baud| *baud > 0).ok_or_else(quoted)?;
            return match port.starts_with('/') {
                true => Ok(Address::Serial {
                    port: port.into(),
                    baud,
                }),
                false => Err(quoted()),
            };
        }
        if let Some(card) = source.strip_prefix("sound://") {
            return match card.is_empty() {
                true => Err(quoted()),
                false => Ok(Address::Sound(card.into())),
            };
        }
        match source {
            "stdin" => Ok(Address::Stdin),
            "" => Err("nothing".into()),
            _ => Err(format!(
                "`{source}`, which is no sensor that is heard now: a recording is played by `beluga replay`, from a rig of its own"
            )),
        }
    }

    /// The port that datagrams go to, 0 of what has none.
    pub(crate) fn port(&self) -> u16 {
        match self {
            Address::Udp { at, .. } | Address::Ask(at) | Address::Tcp(at) => at.port(),
            Address::Oculus { .. } | Address::Serial { .. } | Address::Sound(_) | Address::Stdin => 0,
        }
    }

    /// Whether what comes comes in datagrams.
    pub(crate) fn is_datagrams(&self) -> bool {
        matches!(self, Address::Udp { .. } | Address::Ask(_))
    }
}

fn host(rest: &str, source: &str) -> Result<SocketAddr, String> {
    let mut found = rest
        .to_socket_addrs()
        .map_err(|said| format!("`{source}`: {said}"))?;
    found.next().ok_or_else(|| format!("`{source}`"))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Udp { at, by: None } => write!(f, "udp://{at}"),
            Address::Udp { at, by: Some(by) } => write!(f, "udp://{at}?interface={by}"),
            Address::Ask(at) => write!(f, "ask://{at}"),
            Address::Tcp(at) => write!(f, "tcp://{at}"),
            Address::Oculus { at, tcp } => write!(f, "oculus://{at}?tcp={tcp}"),
            Address::Serial { port, baud } => write!(f, "serial://{}?baud={baud}", port.display()),
            Address::Sound(card) => write!(f, "sound://{card}"),
            Address::Stdin => write!(f, "stdin"),
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
            "ask://192.168.2.2:9090",
            "serial:///dev/ttyUSB0?baud=4800",
            "oculus://0.0.0.0:52102?tcp=52100",
            "sound://default",
            "sound://hw:CARD=1,DEV=0",
            "stdin",
        ] {
            assert!(is_live(text));
            assert_eq!(of(text).unwrap().to_string(), text);
        }
        assert_eq!(of("udp://127.0.0.1:2368").unwrap().port(), 2368);
        assert_eq!(
            of("oculus://0.0.0.0").unwrap().to_string(),
            "oculus://0.0.0.0:52102?tcp=52100"
        );
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
            "oculus://",
            "oculus://0.0.0.0?tcp=0",
            "serial://ttyUSB0",
            "serial:///dev/ttyUSB0?baud=fast",
            "serial:///dev/ttyUSB0?baud=0",
            "sound://",
        ] {
            let said = of(text).unwrap_err().to_string();
            assert!(
                said.contains("`front`") && said.contains("udp://ADDRESS:PORT"),
                "{said}"
            );
        }
        assert!(!is_live("lidar/front") && !is_live("stdin.log"));
        assert_eq!(
            of("serial:///dev/ttyS0").unwrap().to_string(),
            "serial:///dev/ttyS0?baud=115200"
        );
    }
}
