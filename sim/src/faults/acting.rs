//! What the truth says of the faults: which there were, how large, and when.

use beluga_types::Stamp;
use serde::{Deserialize, Serialize};

use super::Faults;
use super::flags::{self, Slot};
use crate::vessel::START;

/// A fault that acted in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActingFault {
    /// Its word, as the command line has it.
    pub fault: String,
    /// The sensor it is about; nothing if it is about none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sensor: Option<String>,
    /// How large it was, in `unit`; for a fault that is only a moment or a stretch of time, that.
    pub value: f64,
    /// Unit of the value; empty for a share.
    pub unit: String,
    /// Its first moment, in nanoseconds since the Unix epoch, true time.
    pub from_ns: i64,
    /// The first moment after it.
    pub to_ns: i64,
}

impl Faults {
    /// Every fault that acted, in the order of the words and then of the sensors.
    pub(crate) fn acting(&self) -> Vec<ActingFault> {
        let mut copy = self.scenario.clone();
        let end = START.shifted_s(self.duration_s);
        let named = flags::named(&self.scenario);
        named
            .into_iter()
            .filter(|(flag, _)| flag.acts)
            .filter_map(|(flag, sensor)| {
                let moment = |seconds: f64| START.shifted_s(seconds);
                let (value, from, to) = match (flag.slot)(&mut copy, &sensor) {
                    Slot::Number(number) if *number == 0.0 => return None,
                    Slot::Number(number) => (*number, self.begins(flag.name, &sensor), end),
                    Slot::Moment(at) => {
                        let at = (*at)?;
                        // One of them is a moment, the other a speed.
                        let from = if flag.units[0].0 == "s" { moment(at) } else { START };
                        (at, from, end)
                    }
                    Slot::Stretch(window) => {
                        let window = (*window)?;
                        let length = window.to_s - window.from_s;
                        (length, moment(window.from_s), moment(window.to_s))
                    }
                };
                Some(ActingFault {
                    fault: flag.name.to_owned(),
                    sensor: flag.of_sensor.then(|| sensor.clone()),
                    value,
                    unit: flag.units[0].0.to_owned(),
                    from_ns: from.nanos(),
                    to_ns: to.nanos(),
                })
            })
            .collect()
    }

    /// A slip begins at its moment, everything else with the run.
    fn begins(&self, name: &str, sensor: &str) -> Stamp {
        let slip = self
            .scenario
            .slip
            .get(sensor)
            .filter(|_| name.starts_with("slip-"));
        slip.map_or(START, |slip| {
            START.shifted_s(slip.at_s.unwrap_or(0.5 * self.duration_s))
        })
    }
}
