//! Which sensors there are and where they sit.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::Error;
use crate::geodesy::Origin;
use crate::measurement::SensorId;
use crate::mount::Mount;
use crate::points::Medium;
use crate::sonar::Beam;
use crate::space::{Body, Sensor, Transform};
use crate::time::Stamp;

/// The sensors of a vehicle, where they sit, and the water they work in.
#[derive(Clone, Debug, PartialEq)]
pub struct Rig {
    /// Where `World` is anchored. Without one, `World` is `Body` at the first measurement.
    pub origin: Option<Origin>,
    /// The vehicle.
    pub vessel: Vessel,
    /// The water.
    pub water: Water,
    /// The sensors; a [`SensorId`] is a place in this list.
    pub sensors: Vec<SensorSpec>,
}

impl Rig {
    /// The sensor with this id, if there is one.
    pub fn sensor(&self, id: SensorId) -> Option<&SensorSpec> {
        self.sensors.get(usize::from(id.0))
    }

    /// The id of the sensor with this name.
    pub fn id_of(&self, name: &str) -> Option<SensorId> {
        self.ids()
            .find(|&id| self.sensor(id).is_some_and(|sensor| sensor.name == name))
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = SensorId> + use<> {
        (0..u16::try_from(self.sensors.len()).unwrap_or(u16::MAX)).map(SensorId)
    }

    /// The lidar whose scans set the windows: the one marked `reference`, else the first.
    pub fn reference_lidar(&self) -> Option<SensorId> {
        let lidars = || {
            self.ids()
                .filter(|&id| self.sensor(id).is_some_and(|s| s.kind == SensorKind::Lidar))
        };
        lidars()
            .find(|&id| self.sensor(id).is_some_and(|s| s.reference))
            .or_else(|| lidars().next())
    }

    /// Checks what the fields alone cannot say: names unique and not empty, at most 65 535
    /// sensors, at most one reference and that a lidar.
    ///
    /// # Errors
    /// [`Error::Rig`] with the name that is wrong.
    pub fn checked(self) -> Result<Self, Error> {
        if self.sensors.len() > usize::from(u16::MAX) {
            return Err(Error::Rig(format!(
                "{} sensors, at most 65535 are possible",
                self.sensors.len()
            )));
        }
        let mut names = BTreeSet::new();
        for sensor in &self.sensors {
            if sensor.name.is_empty() {
                return Err(Error::Rig("a sensor has an empty name".into()));
            }
            if !names.insert(sensor.name.as_str()) {
                return Err(Error::Rig(format!("two sensors are named `{}`", sensor.name)));
            }
            if sensor.reference && sensor.kind != SensorKind::Lidar {
                return Err(Error::Rig(format!(
                    "`{}` is the reference but not a lidar",
                    sensor.name
                )));
            }
        }
        let references = self.sensors.iter().filter(|sensor| sensor.reference).count();
        if references > 1 {
            return Err(Error::Rig(format!(
                "{references} sensors are marked as the reference, expected one"
            )));
        }
        Ok(self)
    }
}

/// The vehicle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vessel {
    /// Height of the waterline above the `Body` origin at rest, in metres. Nothing if the vehicle
    /// is not afloat or the height is not known.
    pub waterline_m: Option<f64>,
}

/// The water, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Water {
    /// Nothing stated: fusion takes its stated default and says so.
    #[default]
    Unknown,
    /// One speed of sound for all of it, in m/s.
    SoundSpeed(f64),
    /// Speed of sound over depth.
    Profile(Arc<[(f64, f64)]>),
    /// From temperature and salinity.
    Properties {
        /// Temperature in °C.
        temperature_deg_c: f64,
        /// Practical salinity, in parts per thousand.
        salinity_ppt: f64,
    },
}

/// One sensor of the rig.
#[derive(Clone, Debug, PartialEq)]
pub struct SensorSpec {
    /// Its name: unique, and the name of its folder or topic.
    pub name: String,
    /// What it measures.
    pub kind: SensorKind,
    /// Maker and model, for people; of a file with several channels, which one.
    pub model: Option<String>,
    /// What it looks through.
    pub medium: Medium,
    /// Where its recording lies, relative to the rig file.
    pub source: Option<String>,
    /// How its recording is written (`ply`, `wav`, `kitti`, `ek80`, `kmall`, `all`, `xtf`, `oculus`, `aris`, `son`,
    /// `bag`, `csv`), or whose packets it holds (`ouster`).
    pub format: Option<String>,
    /// Which topic of its recording, where that has several.
    pub topic: Option<String>,
    /// Whether this lidar's scans set the windows of the frames.
    pub reference: bool,
    /// Where it sits, in the surveyor's words.
    pub mount: Mount,
    /// Added to every stamp of this sensor, in nanoseconds.
    pub time_offset_nanos: i64,
    /// Payloads per second, for sources without times.
    pub rate_hz: Option<f64>,
    /// Time of the first payload, for sources without times.
    pub start: Option<Stamp>,
    /// What the source's stamps mean.
    pub stamp: StampMeaning,
    /// Whether points are already corrected for the motion during a scan.
    pub deskewed: bool,
    /// Whether a sonar steers its beams by delays along a flat array in the plane of `Sensor` x and y: then
    /// the sines of their angles scale with the speed of sound its head takes.
    pub flat_array: bool,
    /// What the device has already applied (`mount`, `sound_speed`, `tvg`, `motion` …).
    pub corrected: Vec<String>,
    /// Where the beams look, for a sonar by beams.
    pub beams: Option<Arc<[Beam]>>,
    /// What its maker says of this one device (angles, offsets): a file, relative to the rig file.
    pub calibration: Option<String>,
    /// The port its packets go to, where packets alone do not tell.
    pub port: Option<u16>,
    /// The address its packets come from, where several sensors send to one port.
    pub address: Option<String>,
    /// Where the host shows the pulses whose seconds a receiver names, while it is heard; relative to the rig file.
    pub pps: Option<String>,
}

impl SensorSpec {
    /// A sensor with this name and kind, all else at its default: at the `Body` origin, in air for
    /// a lidar and in water for a sonar.
    pub fn new(name: impl Into<String>, kind: SensorKind) -> Self {
        let medium = if kind == SensorKind::Sonar {
            Medium::Water
        } else {
            Medium::Air
        };
        Self {
            name: name.into(),
            kind,
            model: None,
            medium,
            source: None,
            format: None,
            topic: None,
            reference: false,
            mount: Mount::default(),
            time_offset_nanos: 0,
            rate_hz: None,
            start: None,
            stamp: StampMeaning::Start,
            deskewed: false,
            flat_array: false,
            corrected: Vec::new(),
            beams: None,
            calibration: None,
            port: None,
            address: None,
            pps: None,
        }
    }

    /// The transform from the sensor's axes to `Body`.
    pub fn body_from_sensor(&self) -> Transform<Body, Sensor> {
        self.mount.body_from_sensor()
    }
}

/// What a sensor measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SensorKind {
    /// Points by light.
    Lidar,
    /// Echoes of sound.
    Sonar,
    /// Pose, position, attitude, velocity or depth.
    Nav,
}

impl SensorKind {
    /// The word used in files and messages.
    pub const fn name(self) -> &'static str {
        match self {
            SensorKind::Lidar => "lidar",
            SensorKind::Sonar => "sonar",
            SensorKind::Nav => "nav",
        }
    }
}

/// Which moment of a payload its source's stamp names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StampMeaning {
    /// The first firing or sample.
    #[default]
    Start,
    /// Half-way.
    Middle,
    /// The last firing or sample.
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rig(sensors: Vec<SensorSpec>) -> Rig {
        Rig {
            origin: None,
            vessel: Vessel::default(),
            water: Water::Unknown,
            sensors,
        }
    }

    #[test]
    fn the_reference_is_the_marked_lidar_else_the_first() {
        let nav = SensorSpec::new("ins", SensorKind::Nav);
        let first = SensorSpec::new("front", SensorKind::Lidar);
        let mut second = SensorSpec::new("roof", SensorKind::Lidar);
        let unmarked = rig(vec![nav.clone(), first.clone(), second.clone()])
            .checked()
            .unwrap();
        assert_eq!(unmarked.reference_lidar(), Some(SensorId(1)));
        second.reference = true;
        let marked = rig(vec![nav.clone(), first, second]).checked().unwrap();
        assert_eq!(marked.reference_lidar(), marked.id_of("roof"));
        assert_eq!(rig(vec![nav]).reference_lidar(), None);
    }

    #[test]
    fn names_are_unique() {
        let twice = rig(vec![
            SensorSpec::new("front", SensorKind::Lidar),
            SensorSpec::new("front", SensorKind::Sonar),
        ]);
        assert_eq!(
            twice.checked(),
            Err(Error::Rig("two sensors are named `front`".into()))
        );
    }

    #[test]
    fn only_a_lidar_can_be_the_reference() {
        let mut sonar = SensorSpec::new("fan", SensorKind::Sonar);
        sonar.reference = true;
        assert!(rig(vec![sonar]).checked().is_err());
    }
}
