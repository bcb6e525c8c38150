//! `gaps.csv`: what was lost before a recording was written. Where it is, jumps in a sensor's own
//! count are not counted a second time.

use std::path::Path;

use beluga_types::{Gap, GapCause, Measurement, Payload, Rig, SensorId, Stamp};

use crate::error::Error;
use crate::table::{Line, Table, quoted};

const COLUMNS: [&str; 8] = [
    "sensor",
    "seq",
    "stamp_ns",
    "end_ns",
    "received_ns",
    "lost",
    "cause",
    "detail",
];

/// The gaps of a recording, in the order of the file.
pub(crate) struct Gaps {
    table: Table,
    names: Vec<String>,
    last: Option<(SensorId, Stamp)>,
}

impl Gaps {
    pub(crate) fn open(path: &Path, rig: &Rig) -> Result<Self, Error> {
        Ok(Self {
            table: Table::open(path, &COLUMNS, &[])?,
            names: rig.sensors.iter().map(|sensor| sensor.name.clone()).collect(),
            last: None,
        })
    }

    fn measurement(&self, line: &Line) -> Result<Measurement, Error> {
        let name = line.required_text("sensor")?;
        let sensor = self.names.iter().position(|known| known == name);
        let cause = line.required_text("cause")?;
        Ok(Measurement {
            seq: line.required_integer("seq")?,
            sensor: sensor
                .and_then(|sensor| u16::try_from(sensor).ok())
                .map(SensorId)
                .ok_or_else(|| line.refuse("a sensor of the rig in `sensor`", quoted(name)))?,
            stamp: line.required_stamp("stamp_ns")?,
            end: line.required_stamp("end_ns")?,
            received: line.required_stamp("received_ns")?,
            payload: Payload::Gap(Gap {
                lost: line.required_integer("lost")?,
                cause: GapCause::ALL
                    .into_iter()
                    .find(|known| known.name() == cause)
                    .ok_or_else(|| {
                        line.refuse(
                            "corrupt, late, missing, overflow or truncated in `cause`",
                            quoted(cause),
                        )
                    })?,
                detail: line.text("detail").unwrap_or_default().to_owned(),
            }),
        })
    }
}

impl Iterator for Gaps {
    type Item = Measurement;

    fn next(&mut self) -> Option<Measurement> {
        let found = self.table.next_line()?.and_then(|line| self.measurement(&line));
        let (sensor, end) = self.last.unwrap_or((SensorId(0), Stamp::default()));
        let gap = found.unwrap_or_else(|error| Measurement {
            seq: 0,
            sensor,
            stamp: end,
            end,
            received: end,
            payload: Payload::Gap(Gap {
                lost: 1,
                cause: GapCause::Corrupt,
                detail: error.to_string(),
            }),
        });
        self.last = Some((gap.sensor, gap.end));
        Some(gap)
    }
}

/// The header line of the table.
pub(crate) fn header() -> String {
    format!("{}\n", COLUMNS.join(","))
}

/// A gap as a line of the table.
pub(crate) fn line(name: &str, measurement: &Measurement, gap: &Gap) -> String {
    let detail = gap.detail.replace(['\n', '\r'], " ").replace('"', "'");
    format!(
        "{name},{},{},{},{},{},{},\"{detail}\"\n",
        measurement.seq,
        measurement.stamp.nanos(),
        measurement.end.nanos(),
        measurement.received.nanos(),
        gap.lost,
        gap.cause.name()
    )
}
