//! Who speaks in a recording: packets by sender and port, looked at from its start.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use beluga_types::{SensorKind, SensorSpec, Stamp};

use super::{Maker, Role};
use crate::capture::{Damage, Datagram};
use crate::error::Error;

/// How much of a recording is looked at from where the first packet that is sought is heard, in
/// nanoseconds.
pub(crate) const LOOK_NANOS: i64 = 1_000_000_000;
/// And how many bytes at most: a second of the fastest lidar has 32 MB.
const LOOK_BYTES: usize = 48 << 20;
/// Flows that are told apart.
const MAX_FLOWS: usize = 64;
/// Others that are named where nothing is found.
const MAX_NAMED: usize = 6;

/// One sensor's packets of one kind.
pub(crate) struct Flow {
    pub(crate) source: IpAddr,
    pub(crate) port: u16,
    pub(crate) maker: Maker,
    pub(crate) role: Role,
    /// The first datagrams from there.
    pub(crate) start: Vec<Datagram>,
}

/// What is heard at the start.
#[derive(Default)]
pub(crate) struct Flows {
    known: Vec<Flow>,
    /// Datagrams that no maker knows, by sender and port.
    others: BTreeMap<(IpAddr, u16), u64>,
}

impl Flows {
    /// Looks at the start, so many nanoseconds, and on until what is sought is heard.
    pub(crate) fn of(
        datagrams: impl Iterator<Item = Result<Datagram, Damage>>,
        look_nanos: i64,
        sought: impl Fn(&Flow) -> bool,
    ) -> Self {
        let mut flows = Self::default();
        let mut since: Option<Stamp> = None;
        let mut bytes = 0;
        for datagram in datagrams.filter_map(Result::ok) {
            let heard = datagram.received;
            let begun = *since.get_or_insert(heard);
            bytes += datagram.payload.len();
            flows.take(datagram);
            let over = heard.nanos_since(begun).abs() > look_nanos || bytes > LOOK_BYTES;
            if over && flows.known.iter().any(&sought) {
                break;
            }
            if over {
                // Not yet there: what was heard is let go, the look goes on.
                flows.known.iter_mut().for_each(|flow| flow.start.truncate(1));
                since = Some(heard);
                bytes = 0;
            }
        }
        flows
    }

    fn take(&mut self, datagram: Datagram) {
        let (source, port) = (datagram.source.ip(), datagram.destination.port());
        let mut known = self.known.iter_mut();
        if let Some(flow) = known.find(|flow| flow.source == source && flow.port == port) {
            return flow.start.push(datagram);
        }
        let role = Maker::ALL
            .into_iter()
            .find_map(|maker| Some((maker, maker.knows(&datagram)?)));
        match role {
            Some((maker, role)) if self.known.len() < MAX_FLOWS => self.known.push(Flow {
                source,
                port,
                maker,
                role,
                start: vec![datagram],
            }),
            Some(_) => {}
            None if self.others.len() < MAX_FLOWS || self.others.contains_key(&(source, port)) => {
                *self.others.entry((source, port)).or_default() += 1;
            }
            None => {}
        }
    }

    /// What else the same address sends that its maker knows.
    pub(crate) fn beside(&self, own: &Flow) -> Vec<&[Datagram]> {
        let others = self
            .known
            .iter()
            .filter(|flow| flow.source == own.source && flow.maker == own.maker && flow.port != own.port);
        others.map(|flow| flow.start.as_slice()).collect()
    }

    /// The first datagrams from there to this port, no longer kept here.
    pub(crate) fn start_of(&mut self, source: IpAddr, port: u16) -> Vec<Datagram> {
        let mut known = self.known.iter_mut();
        let own = known.find(|flow| flow.source == source && flow.port == port);
        own.map(|flow| std::mem::take(&mut flow.start))
            .unwrap_or_default()
    }

    /// The flow of a sensor.
    ///
    /// # Errors
    /// If there is none, or there are several that the rig does not tell apart.
    pub(crate) fn choose(
        &self,
        maker: Option<Maker>,
        role: Role,
        spec: &SensorSpec,
        path: &Path,
    ) -> Result<&Flow, Error> {
        let fits = |flow: &&Flow| {
            flow.role == role
                && maker.is_none_or(|maker| flow.maker == maker)
                && spec.port.is_none_or(|port| flow.port == port)
                && spec
                    .address
                    .as_ref()
                    .is_none_or(|address| address.parse() == Ok(flow.source))
        };
        let found: Vec<&Flow> = self.known.iter().filter(fits).collect();
        let what = match role {
            Role::Scans => "scans",
            Role::Nav => "an IMU or positions",
        };
        let whose = maker.map_or("a lidar that is known".to_owned(), |maker| {
            format!("`{}`", maker.name())
        });
        let place = format!("sensor `{}`", spec.name);
        match found.as_slice() {
            [only] => Ok(only),
            [] => {
                let mut expected = format!("packets of {whose} with {what}");
                if let Some(port) = spec.port {
                    expected += &format!(" to port {port}");
                }
                if let Some(address) = &spec.address {
                    expected += &format!(" from {address}");
                }
                Err(Error::bad(path, place, expected, self.heard()))
            }
            several => {
                let ends: Vec<String> = several
                    .iter()
                    .map(|flow| format!("from {} to port {}", flow.source, flow.port))
                    .collect();
                let found = format!(
                    "{} that `address` or `port` in the rig must tell apart: {}",
                    several.len(),
                    ends.join(", ")
                );
                Err(Error::bad(
                    path,
                    place,
                    format!("one sensor of {whose} with {what}"),
                    found,
                ))
            }
        }
    }

    /// What is heard, in words.
    pub(crate) fn heard(&self) -> String {
        let known = self.known.iter().map(|flow| {
            let what = match flow.role {
                Role::Scans => "scans",
                Role::Nav => "IMU or positions",
            };
            format!(
                "{} {what} from {} to port {}",
                flow.maker.name(),
                flow.source,
                flow.port
            )
        });
        let others = self
            .others
            .iter()
            .map(|((source, port), count)| format!("{count} unknown from {source} to port {port}"));
        let mut heard: Vec<String> = known.chain(others).collect();
        let more = heard.len().saturating_sub(MAX_NAMED);
        heard.truncate(MAX_NAMED);
        match (heard.is_empty(), more) {
            (true, _) => "no datagrams".to_owned(),
            (false, 0) => heard.join(", "),
            (false, more) => format!("{} and {more} more", heard.join(", ")),
        }
    }

    /// The sensors of a recording without a rig.
    ///
    /// # Errors
    /// If no lidar is heard.
    pub(crate) fn sensors(&self, path: &Path) -> Result<Vec<SensorSpec>, Error> {
        let lidars: Vec<&Flow> = (self.known.iter())
            .filter(|flow| flow.role == Role::Scans)
            .collect();
        if lidars.is_empty() {
            return Err(Error::bad(
                path,
                "packets",
                "those of a lidar that is known",
                self.heard(),
            ));
        }
        let source = path.file_name().unwrap_or_default().to_string_lossy();
        let mut sensors = Vec::new();
        for (number, lidar) in (1..).zip(&lidars) {
            let of = |flow: &Flow, name: &str, kind| {
                let name = match lidars.len() {
                    1 => name.to_owned(),
                    _ => format!("{name}-{number}"),
                };
                SensorSpec {
                    source: Some(source.clone().into_owned()),
                    format: Some(flow.maker.name().to_owned()),
                    port: (lidars.len() > 1).then_some(flow.port),
                    address: (lidars.len() > 1).then(|| flow.source.to_string()),
                    ..SensorSpec::new(name, kind)
                }
            };
            sensors.push(of(lidar, "lidar", SensorKind::Lidar));
            let beside = |flow: &&Flow| {
                flow.role == Role::Nav && flow.maker == lidar.maker && flow.source == lidar.source
            };
            if let Some(nav) = self.known.iter().find(beside) {
                sensors.push(of(nav, "imu", SensorKind::Nav));
            }
        }
        Ok(sensors)
    }
}
