//! From the sensor to the host: what is lost, comes late or comes twice, and what a recorder makes of it.
//!
//! The recording is that of a recorder which puts its sources in order before it writes, as ingest
//! does: a payload that was late by less than its patience stands in its place and was only `received`
//! late; later than that it is a gap, after what had been written. A jump of a sensor's count is a gap
//! before the payload that showed it, so nobody knows of what is lost at the very end. A second copy is a
//! gap that lost nothing. So a timeline straight from here and one that went through a folder or a tape
//! are the same.

use beluga_types::{Gap, GapCause, Measurement, Payload, SensorId, Stamp};

use super::Faults;
use crate::random::{Dice, Source};
use crate::scenario::LinkFault;
use crate::vessel::START;

/// A second copy comes this much after the first.
const COPY_NANOS: i64 = 400_000;

/// What becomes of a payload on its way to the host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    /// It arrives.
    Heard,
    /// It never arrives.
    Lost,
    /// It is overtaken, and arrives so many nanoseconds late.
    Late(i64),
    /// It arrives twice.
    Twice,
    /// Its sensor was silent.
    Silent,
}

impl Faults {
    /// What becomes of a payload that is measured at a true time.
    pub(crate) fn fate(&self, sensor: SensorId, seq: u64, stamp: Stamp) -> Fate {
        let Some(name) = self.names.get(usize::from(sensor.0)) else {
            return Fate::Heard;
        };
        let silence = self.scenario.silence.get(name).and_then(|silence| silence.during);
        if silence.is_some_and(|during| during.holds(stamp.seconds_since(START))) {
            return Fate::Silent;
        }
        let Some(link) = self.scenario.link.get(name) else {
            return Fate::Heard;
        };
        let dice = Dice::new(self.seed, Source::Link, sensor.0.into(), seq);
        if dice.uniform(0) < link.loss {
            Fate::Lost
        } else if dice.uniform(1) < link.reordering {
            Fate::Late((dice.uniform(3) * link.delay_s * 1e9) as i64)
        } else if dice.uniform(2) < link.duplication {
            Fate::Twice
        } else {
            Fate::Heard
        }
    }

    /// How long the recorder waits for a sensor, in nanoseconds.
    pub(crate) fn patience_nanos(&self, sensor: SensorId) -> i64 {
        let name = self.names.get(usize::from(sensor.0));
        let link = name.and_then(|name| self.scenario.link.get(name));
        let patience_s = link.map_or(LinkFault::default().patience_s, |link| link.patience_s);
        (patience_s * 1e9) as i64
    }

    /// Whether a receiver has no fix to give at a true time.
    pub(crate) fn without_fix(&self, stamp: Stamp, payload: &Payload) -> bool {
        let during = self.scenario.gnss.during;
        matches!(payload, Payload::Gnss(_))
            && during.is_some_and(|during| during.holds(stamp.seconds_since(START)))
    }
}

/// The host's end: makes of every arrival what the recorder writes. It is given the payloads of each
/// sensor in the order of its own count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    /// The newest count of each sensor.
    newest: Vec<Option<u64>>,
}

impl Host {
    /// What the recorder writes when this comes in, in no order. `patience_nanos` is how long it waits.
    pub(crate) fn hear(
        &mut self,
        mut measurement: Measurement,
        fate: Fate,
        patience_nanos: i64,
    ) -> impl Iterator<Item = Measurement> + use<> {
        let mut written = [None, None, None];
        if !matches!(fate, Fate::Lost | Fate::Silent) {
            written[0] = self.jump(&measurement);
        }
        match fate {
            Fate::Lost | Fate::Silent => {}
            Fate::Heard => written[1] = Some(measurement),
            Fate::Twice => {
                let detail = format!("seq {} a second time, left out", measurement.seq);
                let mut copy = gap(&measurement, 0, GapCause::Corrupt, detail);
                copy.received = copy.received.shifted_nanos(COPY_NANOS);
                written[2] = Some(copy);
                written[1] = Some(measurement);
            }
            Fate::Late(nanos) => {
                measurement.received = measurement.received.shifted_nanos(nanos);
                let beyond = nanos - patience_nanos;
                if beyond > 0 {
                    let detail = format!("seq {} came {beyond} ns late", measurement.seq);
                    let mut late = gap(&measurement, 1, GapCause::Late, detail);
                    late.end = late.end.shifted_nanos(beyond + 1);
                    written[1] = Some(late);
                } else {
                    written[1] = Some(measurement);
                }
            }
        }
        written.into_iter().flatten()
    }

    /// What is missing between the sensor's last payload and this one.
    fn jump(&mut self, measurement: &Measurement) -> Option<Measurement> {
        let index = usize::from(measurement.sensor.0);
        if self.newest.len() <= index {
            self.newest.resize(index + 1, None);
        }
        let last = self.newest[index].replace(measurement.seq)?;
        let lost = measurement.seq.saturating_sub(last + 1);
        let detail = format!("seq jumps from {last} to {}", measurement.seq);
        let mut missing = gap(measurement, lost, GapCause::Missing, detail);
        missing.seq = last + 1;
        missing.end = missing.stamp;
        (lost > 0).then_some(missing)
    }

    /// Takes note of a payload that a sensor counted and had nothing to say in.
    pub(crate) fn skip(&mut self, measurement: &Measurement) {
        self.jump(measurement);
    }
}

fn gap(measurement: &Measurement, lost: u64, cause: GapCause, detail: String) -> Measurement {
    Measurement {
        payload: Payload::Gap(Gap { lost, cause, detail }),
        seq: measurement.seq,
        sensor: measurement.sensor,
        stamp: measurement.stamp,
        end: measurement.end,
        received: measurement.received,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(seq: u64) -> Measurement {
        let at = START.shifted_s(seq as f64);
        Measurement {
            seq,
            sensor: SensorId(1),
            stamp: at,
            end: at.shifted_nanos(100),
            received: at.shifted_nanos(200),
            payload: Payload::Depth(beluga_types::DepthFix {
                depth_m: 1.0,
                sigma_m: 0.1,
            }),
        }
    }

    fn all(fates: &[Fate]) -> Vec<Measurement> {
        let mut host = Host::default();
        (0u64..)
            .zip(fates)
            .flat_map(|(seq, fate)| host.hear(arrival(seq), *fate, 1_000).collect::<Vec<_>>())
            .collect()
    }

    fn lost(measurement: &Measurement) -> Option<(GapCause, u64)> {
        match &measurement.payload {
            Payload::Gap(gap) => Some((gap.cause, gap.lost)),
            _ => None,
        }
    }

    #[test]
    fn a_jump_is_seen_when_the_next_comes_and_not_at_the_ends() {
        use Fate::{Heard, Lost, Silent};
        let written = all(&[Lost, Heard, Lost, Silent, Heard, Lost]);
        assert_eq!(written.len(), 3);
        assert_eq!((written[0].seq, lost(&written[0])), (1, None));
        assert_eq!(lost(&written[1]), Some((GapCause::Missing, 2)));
        assert_eq!((written[1].seq, written[1].end), (2, written[2].stamp));
        assert_eq!((written[2].seq, lost(&written[2])), (4, None));
    }

    #[test]
    fn a_second_copy_lost_nothing_and_follows_the_first() {
        let written = all(&[Fate::Twice]);
        assert_eq!(lost(&written[0]), None);
        assert_eq!(lost(&written[1]), Some((GapCause::Corrupt, 0)));
        assert_eq!(written[0].order(), written[1].order());
        assert!(written[1].received > written[0].received);
    }

    #[test]
    fn what_is_late_keeps_its_place_as_long_as_the_recorder_waits() {
        let patient = all(&[Fate::Late(1_000)]);
        assert_eq!((patient.len(), lost(&patient[0])), (1, None));
        assert_eq!(patient[0].received, arrival(0).received.shifted_nanos(1_000));
        let late = all(&[Fate::Late(1_500)]);
        assert_eq!(lost(&late[0]), Some((GapCause::Late, 1)));
        assert_eq!(late[0].end, arrival(0).end.shifted_nanos(501));
    }
}
