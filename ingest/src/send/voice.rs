//! How a sensor speaks: payloads → datagrams.

use std::sync::Arc;

use beluga_types::{
    Elements, LidarScan, Measurement, Mount, Origin, Payload, SensorKind, SensorSpec, SonarPing, Stamp,
    StampMeaning, Waveforms,
};

use crate::lidar::ouster::write::{Encoder, Learner, Numbers};
use crate::waves::{Form, sent};
use crate::{r2sonic, sbg};

/// What is learned of a sensor from all it measured.
#[derive(Default)]
pub(super) struct Learning {
    /// The first scans, until the shortest time between two of them is taken for a turn.
    first: Vec<(Stamp, Arc<LidarScan>)>,
    lidar: Option<Result<Learner, String>>,
    has_detections: bool,
    /// How its waveforms are sent, or why they are not.
    waves: Option<Result<Form, String>>,
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
                SonarPing::Elements(elements) => self.waveforms(&elements.waveforms),
                _ => self.other = Some("profiles or images: not sent yet"),
            },
            Payload::Pose(_) => self.has_poses = true,
            _ => self.other = Some("neither scans, detections nor poses"),
        }
    }

    fn waveforms(&mut self, waveforms: &Waveforms) {
        let form = sent::form(waveforms);
        let is_other = |known: &Form| form.as_ref().is_ok_and(|form| form != known);
        match &self.waves {
            Some(Ok(known)) if is_other(known) => {
                self.waves = Some(Err(format!("its waveforms are not all {known}")));
            }
            Some(Err(_)) => {}
            Some(Ok(_)) if form.is_ok() => {}
            Some(Ok(_)) | None => self.waves = Some(form),
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
        match (self.lidar, self.has_detections, self.waves, self.has_poses) {
            (Some(learner), ..) => {
                let encoder = learner?.encoder()?;
                Ok(Voice::Lidar(Arc::new(encoder)))
            }
            (None, true, ..) => Ok(Voice::Sounder),
            (None, false, Some(form), _) => form.map(Voice::Hydrophones),
            (None, false, None, true) => Ok(Voice::Unit {
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
    /// As hydrophones that send all they hear by RTP.
    Hydrophones(Form),
    /// As an inertial unit of SBG.
    Unit { mount: Mount, origin: Origin },
}

/// What a sensor counts while it is on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    /// Of the next payload.
    pub(super) number: u64,
    /// Of the next datagram.
    pub(super) datagram: u64,
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
            Voice::Hydrophones(form) => format!("as packets of RTP, {form}"),
            Voice::Unit { .. } => "as a unit of SBG (UTC_TIME, EKF_NAV, EKF_QUAT)".into(),
        }
    }

    /// The sensor as the rig that hears it has it. Times are final, and what it sends is stamped at its start.
    pub(super) fn spec(&self, spec: &SensorSpec) -> SensorSpec {
        let (kind, format) = match self {
            Voice::Lidar(_) => (SensorKind::Lidar, "ouster".to_owned()),
            Voice::Sounder => (SensorKind::Sonar, "r2sonic".to_owned()),
            Voice::Hydrophones(form) => (SensorKind::Sonar, form.to_string()),
            Voice::Unit { .. } => (SensorKind::Nav, "sbg".to_owned()),
        };
        // What is heard of a stream of samples comes in blocks of its own.
        let is_cut_anew = matches!(self, Voice::Hydrophones(_));
        SensorSpec {
            kind,
            format: Some(format),
            rate_hz: spec.rate_hz.filter(|_| !is_cut_anew),
            source: None,
            topic: None,
            port: None,
            address: None,
            pps: None,
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

    /// The datagrams of a payload, stamped by `clock`, and how many of its returns have no place in them. A stream
    /// counts its samples by the recording's own time, which `played` gives in nanoseconds.
    ///
    /// # Errors
    /// If the payload has no place on the wire.
    pub(super) fn speak(
        &self,
        measurement: &Measurement,
        count: &Count,
        clock: impl Fn(Stamp) -> Stamp,
        played: impl Fn(Stamp) -> i64,
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
            (Voice::Hydrophones(form), Payload::Sonar(ping)) => {
                let SonarPing::Elements(elements) = &**ping else {
                    return Err("expected waveforms by elements, found another kind of ping".into());
                };
                let packets = samples(form, elements, count, played(measurement.stamp));
                let spoken = packets.into_iter().map(|packet| Spoken {
                    at: clock(measurement.stamp.shifted_nanos(packet.last_offset_nanos)),
                    bytes: packet.bytes,
                });
                Ok((spoken.collect(), 0))
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

/// The packets of hydrophones' waveforms, whose time zero is so many nanoseconds after the stream began.
fn samples(form: &Form, elements: &Elements, count: &Count, zero_nanos: i64) -> Vec<sent::Packet> {
    let first_s = 1e-9 * zero_nanos as f64 + elements.waveforms.first_sample_s();
    let place = sent::Place {
        stream: count.starts,
        number: count.datagram,
        time: (first_s * form.rate_hz).round().max(0.0) as u64,
        // An array that listens does so all the time; between pings nothing is sent.
        is_start: elements.pulse.is_some() || count.number == 0,
    };
    sent::packets(&elements.waveforms, form, place)
}
