//! A recording sent as its sensors would send it: for trying what hears sensors, without a sensor.
//!
//! ```text
//!  recording ─► voice of each sensor: payload → datagrams ─► in the order they are due ─► storm ─► socket
//! ```
//!
//! - `voice`: a lidar as an Ouster, detections as an R2Sonic, waveforms of hydrophones by RTP, poses as a unit of SBG,
//!   each by the twin of the reader;
//! - `due`: stamps that advance from now on, again and again, and the order of what is due;
//! - `storm`: what networks and sensors do to it, seeded and counted;
//! - `drained`: whether it has been read.
//!
//! There are no sockets here: who sends opens them (`examples/survey.rs`).
//!
//! `LIVE.md` beside this crate says what of a recording is sent, and what its wire costs.

mod drained;
mod due;
mod storm;
mod voice;

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beluga_types::{Measurement, Payload, Rig, SensorId, Stamp};

use crate::error::Error;
use crate::folder::Recording;
use crate::rig_toml;
pub use drained::drained;
pub use due::{Datagrams, Plan, Reboot};
pub use storm::{Ledger, Silence, Storm, Weather};
use voice::{Learning, Voice};

/// A datagram on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Whose: its place in the rig that hears it.
    pub sensor: SensorId,
    /// When the sensor has it whole.
    pub at: Stamp,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A recording that can be sent.
pub struct Survey {
    source: Source,
    /// The rig that hears it, its sensors numbered from 0; before [`Self::hear_at`] without places to listen at.
    rig: Rig,
    /// By the recording's sensors, which of the rig's it is and how it speaks.
    voices: Vec<Option<(SensorId, Voice)>>,
    first: Stamp,
    last: Stamp,
    notes: Vec<String>,
}

/// Where measurements come from, again and again.
enum Source {
    File(PathBuf),
    Memory(Arc<[Measurement]>),
}

impl Source {
    fn timeline(&self) -> Result<Box<dyn Iterator<Item = Measurement> + Send>, Error> {
        Ok(match self {
            Source::File(path) => Box::new(Recording::open(path)?.timeline()?),
            Source::Memory(all) => {
                let all = all.clone();
                Box::new((0..all.len()).map(move |index| all[index].clone()))
            }
        })
    }
}

impl Survey {
    /// A recording, which is read through once to learn how its sensors look.
    ///
    /// # Errors
    /// If it cannot be read, has no origin, or holds nothing that a sensor could send.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let rig = Recording::open(path)?.rig().clone();
        Self::of(Source::File(path.to_owned()), &rig, path)
    }

    /// Measurements in timeline order, and the rig that measured them.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of_timeline(rig: &Rig, timeline: Vec<Measurement>) -> Result<Self, Error> {
        Self::of(Source::Memory(timeline.into()), rig, Path::new("a timeline"))
    }

    fn of(source: Source, rig: &Rig, path: &Path) -> Result<Self, Error> {
        let mut learning: Vec<Learning> = rig.sensors.iter().map(|_| Learning::default()).collect();
        let mut span: Option<(Stamp, Stamp)> = None;
        for measurement in source.timeline()? {
            if matches!(measurement.payload, Payload::Gap(_) | Payload::Clock(_)) {
                continue;
            }
            let (first, last) = span.get_or_insert((measurement.stamp, measurement.end));
            *first = measurement.stamp.min(*first);
            *last = measurement.end.max(*last);
            if let Some(learning) = learning.get_mut(usize::from(measurement.sensor.0)) {
                learning.take(&measurement);
            }
        }
        let empty = || Error::Empty {
            expected: "a scan, detections of a sounder, waveforms of hydrophones, or poses".into(),
            path: path.to_owned(),
        };
        let (first, last) = span.ok_or_else(empty)?;
        let (mut voices, mut specs, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for (spec, learning) in rig.sensors.iter().zip(learning) {
            let name = &spec.name;
            match learning.voice(spec, rig.origin.as_ref()) {
                Ok(voice) => {
                    let id = SensorId(specs.len() as u16);
                    notes.push(format!("sensor `{name}`: {}", voice.said()));
                    specs.push(voice.spec(spec));
                    voices.push(Some((id, voice)));
                }
                Err(why) => {
                    notes.push(format!("sensor `{name}` is not sent: {why}"));
                    voices.push(None);
                }
            }
        }
        if specs.is_empty() {
            return Err(empty());
        }
        let rig = Rig {
            sensors: specs,
            ..rig.clone()
        };
        Ok(Self {
            source,
            rig,
            voices,
            first,
            last,
            notes,
        })
    }

    /// How each sensor is sent, or why it is not.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Seconds from the first stamp to the last end.
    pub fn seconds(&self) -> f64 {
        self.last.seconds_since(self.first)
    }

    /// The rig that hears it. A datagram's sensor is a place in its list.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// Writes the rig that hears it on this host, one port a sensor, with what its sensors say of themselves
    /// beside it; gives the file.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn hear_at(&self, folder: &Path, ports: &[u16]) -> Result<PathBuf, Error> {
        let mut rig = self.rig.clone();
        for (spec, port) in rig.sensors.iter_mut().zip(ports) {
            spec.source = Some(format!("udp://{}:{port}", Ipv4Addr::LOCALHOST));
        }
        for (id, voice) in self.voices.iter().flatten() {
            if let (Some(text), Some(spec)) = (voice.metadata(), rig.sensors.get_mut(usize::from(id.0))) {
                let file = format!("{}.metadata.json", spec.name);
                let path = folder.join(&file);
                fs::write(&path, text).map_err(Error::io(&path))?;
                spec.calibration = Some(file);
            }
        }
        let path = folder.join("rig.toml");
        rig_toml::write(&path, &rig)?;
        Ok(path)
    }

    /// The datagrams of this plan, in the order they are due.
    ///
    /// # Errors
    /// If the recording cannot be read again.
    pub fn datagrams(&self, plan: Plan) -> Result<Datagrams<'_>, Error> {
        Datagrams::new(self, plan)
    }
}
