//! From the messages of a tape to measurements.

use std::collections::BTreeMap;
use std::sync::Arc;

use beluga_types::{Beam, Measurement, Payload, SensorId, SonarPing};

use super::cdr::{Decoder, Wrong};
use super::channels::{Channels, Role};
use super::fixes::{self, Moment};
use super::schema::Kind;
use super::{cloud, echoes};
use crate::range::MAX_PAYLOAD_NANOS;

/// What a message gave: a measurement that is now whole; nothing, for a view, a stranger, or the
/// first half of a measurement; or what may not be, of this sensor.
pub(super) type Decoded = Result<Option<Measurement>, (SensorId, Wrong)>;

/// What is remembered from one message to the next.
#[derive(Default)]
pub(super) struct Halves {
    /// What stood before a cloud: its moment and its dropped points.
    scans: BTreeMap<SensorId, (Moment, u32)>,
    /// The beams of each sensor's last ping, which the next one mostly shares.
    beams: BTreeMap<SensorId, Arc<[Beam]>>,
}

impl Halves {
    /// The body of a message record; its channel, and what it gave.
    pub(super) fn message(&mut self, channels: &Channels, body: &[u8]) -> (u16, Decoded) {
        let mut decoder = Decoder::packed(body);
        let Ok(channel) = decoder.get::<u16>() else {
            return (0, Err((SensorId(0), Wrong::Ends)));
        };
        let Role::Own(sensor, kind) = channels.role(channel) else {
            return (channel, Ok(None));
        };
        let head: Result<(u32, u64, u64), Wrong> =
            (|| Ok((decoder.get()?, decoder.get()?, decoder.get()?)))();
        let found = head.and_then(|(sequence, ..)| self.own(sensor, kind, sequence, decoder.rest()));
        let decoded = match found {
            // The loss of a scan is told by its points, which then lack their other half.
            Err(_) if kind.is_half() => Ok(None),
            found => found.map_err(|wrong| (sensor, wrong)),
        };
        (channel, decoded)
    }

    fn own(
        &mut self,
        sensor: SensorId,
        kind: Kind,
        sequence: u32,
        message: &[u8],
    ) -> Result<Option<Measurement>, Wrong> {
        let mut decoder = Decoder::message(message)?;
        let (moment, payload) = match kind {
            Kind::Scan => {
                self.scans.remove(&sensor);
                let half = (Moment::get(&mut decoder)?, decoder.get()?);
                self.scans.insert(sensor, half);
                return Ok(None);
            }
            Kind::Cloud => {
                let (moment, dropped) = self
                    .scans
                    .remove(&sensor)
                    .filter(|(moment, _)| moment.seq as u32 == sequence)
                    .ok_or(Wrong::Value("a cloud after the message of its scan"))?;
                let scan = cloud::get_scan(&mut decoder)?.with_dropped(dropped);
                (moment, Payload::Lidar(Arc::new(scan)))
            }
            _ => (
                Moment::get(&mut decoder)?,
                self.payload(sensor, kind, &mut decoder)?,
            ),
        };
        let length = moment.end.nanos_since(moment.stamp);
        if length > MAX_PAYLOAD_NANOS && kind != Kind::Gap {
            return Err(Wrong::Value("an end within 60 s of its stamp"));
        }
        Ok(Some(Measurement {
            seq: moment.seq,
            sensor,
            stamp: moment.stamp,
            end: moment.end,
            received: moment.received,
            payload,
        }))
    }

    fn payload(&mut self, sensor: SensorId, kind: Kind, decoder: &mut Decoder<'_>) -> Result<Payload, Wrong> {
        if let Some(payload) = fixes::get(kind, decoder)? {
            return Ok(payload);
        }
        let mut ping = echoes::get(kind, decoder)?.ok_or(Wrong::Value("a measurement"))?;
        if let SonarPing::Beams(ping) = &mut ping {
            ping.beams = self.shared(sensor, &ping.beams);
        } else if let SonarPing::Image(image) = ping {
            let beams = self.shared(sensor, image.beams());
            ping = SonarPing::Image(image.with_beams(beams)?);
        }
        Ok(Payload::Sonar(Arc::new(ping)))
    }

    /// The table of the sensor's last ping if it is the same, else this one.
    fn shared(&mut self, sensor: SensorId, beams: &Arc<[Beam]>) -> Arc<[Beam]> {
        match self.beams.get(&sensor) {
            Some(last) if last == beams => last.clone(),
            _ => {
                self.beams.insert(sensor, beams.clone());
                beams.clone()
            }
        }
    }
}
