//! How a sensor speaks: payloads → datagrams.

use std::sync::Arc;

use beluga_types::{
    LidarScan, Measurement, Mount, Origin, Payload, SensorKind, SensorSpec, SonarPing, Stamp, StampMeaning,
};

use crate::lidar::ouster::write::{Encoder, Learner, Numbers};
use crate::{r2sonic, sbg};

/// What is learned of a sensor from all it measured.
#[derive(Default)]
pub(super) struct Learning {
    /// The first scans, until the shortest time between two of them is taken for a turn.
    first: Vec<(Stamp, Arc<LidarScan>)>,
    lidar: Option<Result<Learner, String>>,
    has_detections: bool,
    has_poses: bool,
    /// Something that no sensor sends live.
    other: Option<&'static str>,
}

/// So many scans tell how long a turn takes, even where some are missing.
const FIRST_SCANS: usize = 8;

impl Learning {
    pub(super) fn take(&mut self, measurement: &Measurement) {
        match &measurement.payload {
            Payload::Lidar(scan) => self.scan(measurement.stamp, scan),
            Payload::Sonar(ping) => match &**ping {
                SonarPing::Detections(_) => self.has_detections = true,
                SonarPing::Beams(_) => self.other = Some("waveforms by beams: no sonar sends them live"),
                SonarPing::Elements(_) => self.other = Some("waveforms by elements: not sent yet"),
                _ => self.other = Some("profiles or images: not sent yet"),
            },
            Payload::Pose(_) => self.has_poses = true,
            _ => self.other = Some("neither scans, detections nor poses"),
        }
    }

    fn scan(&mut self, stamp: Stamp, scan: &Arc<LidarScan>) {
        match &mut self.lidar {
            None => {
                self.first.push((stamp, scan.clone()));
                if self.first.len() == FIRST_SCANS {
                    self.lidar = Some(self.learner());
                }
            }
            Some(Ok(learner)) => {
                if let Err(wrong) = learner.take(scan) {
                    self.lidar = Some(Err(wrong));
                }
            }
            Some(Err(_)) => {}
        }
    }

    /// What the first scans teach.
    fn learner(&mut self) -> Result<Learner, String> {
        let first = std::mem::take(&mut self.first);
        let turns = first.windows(2).map(|pair| pair[1].0.nanos_since(pair[0].0));
        let turn = turns.filter(|turn| *turn > 0).min();
        let mut learner = Learner::new(turn.ok_or("one scan alone does not tell how fast it turns")?);
        for (_, scan) in &first {
            learner.take(scan)?;
        }
        Ok(learner)
    }

    /// The voice of a sensor that measured this.
    ///
    /// # Errors
    /// Why it has none, in words.
    pub(super) fn voice(mut self, spec: &SensorSpec, origin: Option<&Origin>) -> Result<Voice, String> {
        if !self.first.is_empty() {
            self.lidar = Some(self.learner());
        }
        match (self.lidar, self.has_detections, self.has_poses) {
            (Some(learner), ..) => {
                let encoder = learner?.encoder()?;
                Ok(Voice::Lidar(Arc::new(encoder)))
            }
            (None, true, _) => Ok(Voice::Sounder),
            (None, false, true) => Ok(Voice::Unit {
                mount: spec.mount,
                origin: origin
                    .cloned()
                    .ok_or("its rig has no origin to tell places from")?,
            }),
            _ => Err(self.other.unwrap_or("it has measured nothing").into()),
        }
    }
}

/// How a sensor speaks.
#[derive(Clone)]
pub(super) enum Voice {
    /// As an Ouster.
    Lidar(Arc<Encoder>),
    /// As an R2Sonic.
    Sounder,
    /// As an inertial unit of SBG.
    Unit { mount: Mount, origin: Origin },
}

/// What a sensor counts while it is on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    /// Of the next payload.
    pub(super) number: u64,
    /// Of its starts.
    pub(super) starts: u32,
    /// When it was switched on.
    pub(super) since: Stamp,
    /// Its clock counts from there; else it tells the time.
    pub(super) own_clock: bool,
}

/// A datagram of a payload.
pub(super) struct Spoken {
    pub(super) at: Stamp,
    pub(super) bytes: Vec<u8>,
}

impl Voice {
    /// In words.
    pub(super) fn said(&self) -> String {
        match self {
            Voice::Lidar(encoder) => {
                format!(
                    "as an Ouster, {} packets a scan, ranges in steps of 1 mm",
                    encoder.packets_per_scan()
                )
            }
            Voice::Sounder => "as an R2Sonic (BTH0)".into(),
            Voice::Unit { .. } => "as a unit of SBG (UTC_TIME, EKF_NAV, EKF_QUAT)".into(),
        }
    }

    /// The sensor as the rig that hears it has it. Times are final, and what it sends is stamped at its start.
    pub(super) fn spec(&self, spec: &SensorSpec) -> SensorSpec {
        let (kind, format) = match self {
            Voice::Lidar(_) => (SensorKind::Lidar, "ouster"),
            Voice::Sounder => (SensorKind::Sonar, "r2sonic"),
            Voice::Unit { .. } => (SensorKind::Nav, "sbg"),
        };
        SensorSpec {
            kind,
            format: Some(format.into()),
            source: None,
            topic: None,
            port: None,
            address: None,
            calibration: None,
            start: None,
            time_offset_nanos: 0,
            stamp: StampMeaning::Start,
            ..spec.clone()
        }
    }

    /// What the sensor says of itself, as a file.
    pub(super) fn metadata(&self) -> Option<String> {
        match self {
            Voice::Lidar(encoder) => Some(encoder.metadata(0)),
            _ => None,
        }
    }

    /// The datagrams of a payload, stamped by `clock`, and how many of its returns have no place in them.
    ///
    /// # Errors
    /// If the payload has no place on the wire.
    pub(super) fn speak(
        &self,
        measurement: &Measurement,
        count: &Count,
        clock: impl Fn(Stamp) -> Stamp,
    ) -> Result<(Vec<Spoken>, u64), String> {
        let at = clock(measurement.end);
        let own = |stamp: Stamp| match count.own_clock {
            true => stamp.nanos_since(count.since),
            false => stamp.nanos(),
        };
        match (self, &measurement.payload) {
            (Voice::Lidar(encoder), Payload::Lidar(scan)) => {
                let fired = |after: i64| clock(measurement.stamp.shifted_nanos(after));
                let numbers = Numbers {
                    frame: count.number as u16,
                    initialisation: count.starts & 0x00ff_ffff,
                };
                let written =
                    encoder.packets(scan, numbers, |after| own(fired(after)).max(0).unsigned_abs())?;
                let spoken = written.packets.into_iter().map(|packet| Spoken {
                    at: fired(packet.last_offset_nanos),
                    bytes: packet.bytes,
                });
                Ok((spoken.collect(), written.left_out))
            }
            (Voice::Sounder, Payload::Sonar(ping)) => {
                let SonarPing::Detections(detections) = &**ping else {
                    return Err("expected detections, found another kind of ping".into());
                };
                let ping = r2sonic::write::of(detections, clock(measurement.stamp), count.number as u32)?;
                let bytes = r2sonic::write::bytes(&ping);
                Ok((vec![Spoken { at, bytes }], 0))
            }
            (Voice::Unit { mount, origin }, Payload::Pose(fix)) => {
                let stamp = clock(measurement.stamp);
                let micros = (stamp.nanos_since(count.since) / 1000) as u32;
                let bytes = sbg::write::pose(fix, stamp, micros, mount, origin);
                Ok((vec![Spoken { at, bytes }], 0))
            }
            _ => Err("expected what the sensor measured before, found something else".into()),
        }
    }
}
