//! A device played from datagrams as the source of a sensor's stream.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use beluga_types::GapCause;

use super::{Completeness, Device, Made, Maker, Measured, PacketCounts};
use crate::capture::{Damage, Datagram};
use crate::error::Fault;
use crate::nameplate::Nameplate;
use crate::source::{Loaded, Row, Source};

/// Which datagrams are a sensor's own.
pub(crate) struct Own {
    pub(crate) maker: Maker,
    pub(crate) source: IpAddr,
    pub(crate) port: u16,
}

/// The payloads that a device makes of the datagrams of its sensor.
pub(crate) struct PacketScans<I> {
    datagrams: I,
    own: Own,
    device: Box<dyn Device>,
    made: Made,
    path: PathBuf,
    /// Packets of another sensor of this kind on the same port.
    strangers: (u64, Option<IpAddr>),
    ended: bool,
}

impl<I: Iterator<Item = Result<Datagram, Damage>>> PacketScans<I> {
    pub(crate) fn new(datagrams: I, own: Own, device: Box<dyn Device>, path: &Path) -> Self {
        Self {
            datagrams,
            own,
            device,
            made: Made::default(),
            path: path.to_owned(),
            strangers: (0, None),
            ended: false,
        }
    }

    /// What the device says of itself.
    pub(crate) fn nameplate(&self) -> Option<Nameplate> {
        self.device.nameplate()
    }

    fn take(&mut self, found: Result<Datagram, Damage>) {
        match found {
            Ok(datagram) if datagram.destination.port() != self.own.port => {}
            Ok(datagram) if datagram.source.ip() == self.own.source => {
                self.device.push(&datagram, &mut self.made);
            }
            Ok(datagram) => {
                if self.own.maker.knows(&datagram).is_some() {
                    self.strangers.0 += 1;
                    self.strangers.1.get_or_insert(datagram.source.ip());
                }
            }
            Err(damage) => {
                let is_others = damage.source.is_some_and(|source| source != self.own.source)
                    || damage.port.is_some_and(|port| port != self.own.port);
                if !is_others {
                    self.made.lose(damage.fault);
                }
            }
        }
    }

    fn end(&mut self) {
        self.ended = true;
        let packets = self.device.finish(&mut self.made);
        for fault in faults("at the end", None, packets, &self.path) {
            self.made.lose(fault);
        }
        if let (count, Some(source)) = self.strangers {
            self.made.lose(Fault {
                cause: GapCause::Corrupt,
                lost: 0,
                detail: format!(
                    "{count} packet(s) of another sensor, {source}, on port {} are left out: `address` in the rig tells them apart",
                    self.own.port
                ),
            });
        }
    }

    fn row(&self, measured: Measured) -> Row<Measured> {
        Row {
            place: match measured.seq {
                Some(seq) => format!("packets of seq {seq}"),
                None => format!("packets at {}", measured.stamp.iso_8601()),
            },
            seq: measured.seq,
            stamp: measured.stamp,
            end: Some(measured.end),
            received: Some(measured.received),
            what: measured,
        }
    }
}

impl<I: Iterator<Item = Result<Datagram, Damage>>> Source for PacketScans<I> {
    type What = Measured;

    fn next_row(&mut self) -> Option<Result<Row<Measured>, Fault>> {
        loop {
            if let Some(ready) = self.made.ready.pop_front() {
                return Some(ready.map(|measured| self.row(measured)));
            }
            if self.ended {
                return None;
            }
            match self.datagrams.next() {
                Some(found) => self.take(found),
                None => self.end(),
            }
        }
    }

    fn load(&mut self, measured: Measured) -> Loaded {
        let at = match measured.seq {
            Some(seq) => format!("scan {seq}"),
            None => format!("at {}", measured.stamp.iso_8601()),
        };
        let faults = faults(&at, measured.completeness, measured.packets, &self.path);
        Loaded {
            payload: Some(measured.payload),
            last_offset_nanos: measured.end.nanos_since(measured.stamp),
            // The device tells the first firing, whatever the rig takes stamps for.
            from_stamp_nanos: Some(0),
            faults,
        }
    }
}

/// What a payload is told to lack; none of it is a whole payload.
fn faults(at: &str, completeness: Option<Completeness>, packets: PacketCounts, path: &Path) -> Vec<Fault> {
    let fault = |cause, what: String| Fault {
        cause,
        lost: 0,
        detail: format!("{at}: {what}: {}", path.display()),
    };
    let mut faults = Vec::new();
    let mut missing = Vec::new();
    if let Some(completeness) = completeness
        && completeness.found < completeness.expected
    {
        let (found, expected, of) = (completeness.found, completeness.expected, completeness.of);
        missing.push(format!("{found} of {expected} {of}"));
    }
    if packets.lost > 0 {
        missing.push(format!("{} packet(s) lost", packets.lost));
    }
    if !missing.is_empty() {
        faults.push(fault(GapCause::Missing, missing.join(", ")));
    }
    if packets.found > 0 {
        let what = format!("{} packet(s) told as lost before came after all", packets.found);
        faults.push(fault(GapCause::Missing, what));
    }
    if packets.late > 0 {
        faults.push(fault(
            GapCause::Late,
            format!("{} packet(s) came after their scan", packets.late),
        ));
    }
    let wrong: Vec<String> = [
        (packets.twice, "a second time"),
        (packets.foreign, "of something else on its port"),
        (packets.corrupt, "damaged"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} packet(s) {what}, left out"))
    .collect();
    if !wrong.is_empty() {
        faults.push(fault(GapCause::Corrupt, wrong.join(", ")));
    }
    faults
}
