//! What a record's document says of the run: the config really used, the rig and the machine, as one
//! block of TOML that a machine reads back.

use anyhow::Context;
use beluga_sinks::maml::DocumentFields;
use beluga_types::{
    Attitude, Geodetic, Medium, Mount, Origin, Rig, SensorKind, SensorSpec, Stamp, Vessel, Water,
};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::exit::Wrong;

/// The longest profile that the document holds: a document has a megabyte at most.
const MOST_LEVELS: usize = 10_000;

/// The fence that holds the block.
const FENCE: &str = "```toml beluga";

/// The block: what was used, and what a reader needs to place the frames on the Earth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Used {
    fusion: beluga_fusion::Config,
    rig: UsedRig,
    machine: UsedMachine,
    map: UsedMap,
}

/// The map in which a run began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct UsedMap {
    /// Id of the record that it was made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
}

/// What frames were computed on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct UsedMachine {
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_class: Option<String>,
}

/// The part of the rig that frames do not carry themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct UsedRig {
    #[serde(skip_serializing_if = "Option::is_none")]
    waterline_m: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<UsedOrigin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    water: Option<UsedWater>,
    sensor: Vec<UsedSensor>,
}

/// The water as the rig states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UsedWater {
    Unknown,
    SoundSpeedMPerS(f64),
    /// Depth in metres, speed of sound in m/s.
    Profile(Vec<(f64, f64)>),
    /// A profile of so many levels, too long for a document.
    LongProfile(u64),
    Properties {
        temperature_deg_c: f64,
        salinity_ppt: f64,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct UsedOrigin {
    lat_deg: f64,
    lon_deg: f64,
    height_m: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    epsg: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vertical_datum: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct UsedSensor {
    name: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// What it looks through; of its kind the usual, if not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    medium: Option<String>,
    forward_m: f64,
    starboard_m: f64,
    down_m: f64,
    roll_deg: f64,
    pitch_deg: f64,
    heading_deg: f64,
    /// What is added to its stamps, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_offset_ns: Option<i64>,
}

/// The document of a run of `source` with this config and rig on a machine of this class.
///
/// # Errors
/// If the config cannot be written as TOML.
pub(crate) fn fields(
    source: &str,
    config: &Config,
    rig: &Rig,
    created: Stamp,
    cpu_class: String,
    map: Option<String>,
) -> anyhow::Result<DocumentFields> {
    let used = Used {
        fusion: config.fusion.clone(),
        rig: UsedRig::of(rig),
        machine: UsedMachine {
            cpu_class: Some(cpu_class),
        },
        map: UsedMap { record: map },
    };
    Ok(DocumentFields {
        created_nanos: created.nanos(),
        title: format!("SOLIDAR frames of {source}"),
        context: format!("One cloud above and below the waterline, from LIDAR and SONAR: {source}."),
        config_toml: toml::to_string(&used).context("cannot write the config as TOML")?,
        ..DocumentFields::default()
    })
}

/// The config in a document's block, which may hold rig and machine too: they are told, not used.
///
/// # Errors
/// If it is not TOML, or holds a key that is not known.
pub(crate) fn config(block: &str) -> anyhow::Result<Config> {
    let read = || -> Result<Config, toml::de::Error> {
        let mut table: toml::Table = toml::from_str(block)?;
        table.remove("rig");
        table.remove("machine");
        table.remove("map");
        Config::deserialize(table)
    };
    read()
        .map_err(|error| anyhow::anyhow!("{error}\nin the document's block ```toml beluga"))
        .context(Wrong::Arguments)
}

/// Where the rig a document tells is other than this one, by what is other.
pub(crate) fn other_rig(document: &str, rig: &Rig) -> Vec<String> {
    let Some(told) = used(document).map(|used| used.rig) else {
        return Vec::new();
    };
    let here = UsedRig::of(rig);
    let mut other = Vec::new();
    for sensor in &told.sensor {
        match here.sensor.iter().find(|found| found.name == sensor.name) {
            None => other.push(format!("the recording has no sensor `{}`", sensor.name)),
            Some(found) if !found.agrees(sensor) => {
                other.push(format!("sensor `{}` is mounted or named otherwise", sensor.name))
            }
            Some(_) => {}
        }
    }
    for (name, differs) in [
        ("origin", told.origin != here.origin),
        ("waterline", told.waterline_m != here.waterline_m),
        ("water", told.water != here.water),
    ] {
        if differs {
            other.push(format!("the {name} is another"));
        }
    }
    other
}

/// The class of the CPU the frames were computed on, as the document says. Without control characters.
pub(crate) fn cpu_class(document: &str) -> Option<String> {
    let class = used(document)?.machine.cpu_class?;
    Some(class.chars().filter(|c| !c.is_control()).collect())
}

/// Where `World` was anchored, as the document says.
pub(crate) fn origin(document: &str) -> Option<Origin> {
    rig(document)?.origin
}

/// Whether the document says all of the water that soundings were placed through: a profile may be too
/// long for it, and one written before documents said so does not.
pub(crate) fn says_water(document: &str) -> bool {
    let water = used(document).and_then(|used| used.rig.water);
    !matches!(water, None | Some(UsedWater::LongProfile(_)))
}

/// The id of a record, hexadecimal, as its document has it.
pub(crate) fn id(document: &str) -> Option<String> {
    let read = beluga_sinks::document::read(document.as_bytes(), None).document?;
    let id = read.front_matter.get("id")?.as_str()?;
    let digits: String = id.rsplit(':').next()?.chars().filter(|c| *c != '-').collect();
    (digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(digits)
}

/// The id of the record in whose map a run began.
pub(crate) fn map(document: &str) -> Option<String> {
    used(document)?.map.record
}

/// By how much clocks were shifted in the run that made a record, beyond what this rig says: sensors and
/// nanoseconds. Nothing is said of a record of before this was told.
pub(crate) fn shifts(document: &str, rig: &Rig) -> Vec<(String, i64)> {
    let told = used(document).map(|used| used.rig.sensor).unwrap_or_default();
    let shift = |sensor: &UsedSensor| {
        let found = rig.sensors.iter().find(|found| found.name == sensor.name)?;
        let shift = sensor.time_offset_ns?.checked_sub(found.time_offset_nanos)?;
        (shift != 0).then(|| (sensor.name.clone(), shift))
    };
    told.iter().filter_map(shift).collect()
}

/// The rig as far as the document describes it: origin, waterline, water, sensors and where they sit.
pub(crate) fn rig(document: &str) -> Option<Rig> {
    used(document)?.rig.rig().checked().ok()
}

fn used(document: &str) -> Option<Used> {
    let (_, rest) = document.split_once(FENCE)?;
    let (block, _) = rest.split_once("\n```")?;
    toml::from_str(block).ok()
}

impl UsedRig {
    fn rig(self) -> Rig {
        Rig {
            origin: self.origin.map(|origin| Origin {
                anchor: Geodetic::from_degrees(origin.lat_deg, origin.lon_deg, origin.height_m),
                epsg: origin.epsg,
                vertical_datum: origin.vertical_datum,
            }),
            vessel: Vessel {
                waterline_m: self.waterline_m,
            },
            water: self.water.map_or(Water::Unknown, UsedWater::water),
            sensors: self.sensor.into_iter().map(UsedSensor::spec).collect(),
        }
    }

    fn of(rig: &Rig) -> Self {
        Self {
            waterline_m: rig.vessel.waterline_m,
            origin: rig.origin.as_ref().map(|origin| UsedOrigin {
                lat_deg: origin.anchor.latitude_rad.to_degrees(),
                lon_deg: origin.anchor.longitude_rad.to_degrees(),
                height_m: origin.anchor.height_m,
                epsg: origin.epsg,
                vertical_datum: origin.vertical_datum.clone(),
            }),
            water: Some(UsedWater::of(&rig.water)),
            sensor: rig.sensors.iter().map(UsedSensor::of).collect(),
        }
    }
}

impl UsedWater {
    fn of(water: &Water) -> Self {
        match water {
            Water::Unknown => Self::Unknown,
            Water::SoundSpeed(speed) => Self::SoundSpeedMPerS(*speed),
            Water::Profile(levels) if levels.len() > MOST_LEVELS => Self::LongProfile(levels.len() as u64),
            Water::Profile(levels) => Self::Profile(levels.to_vec()),
            Water::Properties {
                temperature_deg_c,
                salinity_ppt,
            } => Self::Properties {
                temperature_deg_c: *temperature_deg_c,
                salinity_ppt: *salinity_ppt,
            },
        }
    }

    fn water(self) -> Water {
        match self {
            Self::SoundSpeedMPerS(speed) => Water::SoundSpeed(speed),
            Self::Profile(levels) => Water::Profile(levels.into()),
            Self::Unknown | Self::LongProfile(_) => Water::Unknown,
            Self::Properties {
                temperature_deg_c,
                salinity_ppt,
            } => Water::Properties {
                temperature_deg_c,
                salinity_ppt,
            },
        }
    }
}

impl UsedSensor {
    /// Whether what is told is this; a record of before times were told says nothing of them.
    fn agrees(&self, told: &Self) -> bool {
        let time_offset_ns = told.time_offset_ns.and(self.time_offset_ns);
        *told
            == Self {
                time_offset_ns,
                ..self.clone()
            }
    }

    fn of(sensor: &SensorSpec) -> Self {
        let Mount {
            forward_m,
            starboard_m,
            down_m,
            attitude,
        } = sensor.mount;
        Self {
            name: sensor.name.clone(),
            kind: sensor.kind.name().to_owned(),
            model: sensor.model.clone(),
            medium: Some(sensor.medium.name().to_owned()),
            forward_m,
            starboard_m,
            down_m,
            roll_deg: attitude.roll_rad.to_degrees(),
            pitch_deg: attitude.pitch_rad.to_degrees(),
            heading_deg: attitude.heading_rad.to_degrees(),
            time_offset_ns: Some(sensor.time_offset_nanos),
        }
    }

    fn spec(self) -> SensorSpec {
        let kind = match self.kind.as_str() {
            "lidar" => SensorKind::Lidar,
            "sonar" => SensorKind::Sonar,
            _ => SensorKind::Nav,
        };
        let mut spec = SensorSpec::new(self.name, kind);
        spec.model = self.model;
        spec.time_offset_nanos = self.time_offset_ns.unwrap_or_default();
        let medium = Medium::ALL
            .into_iter()
            .find(|medium| Some(medium.name()) == self.medium.as_deref());
        spec.medium = medium.unwrap_or(spec.medium);
        spec.mount = Mount {
            forward_m: self.forward_m,
            starboard_m: self.starboard_m,
            down_m: self.down_m,
            attitude: Attitude::from_degrees([self.roll_deg, self.pitch_deg, self.heading_deg]),
        };
        spec
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::{SensorKind, SensorSpec, Vessel, Water};

    #[test]
    fn origin_and_cpu_class_are_read_back_from_the_document() {
        let origin = Origin {
            anchor: Geodetic::from_degrees(54.17, 12.1, 38.0),
            epsg: Some(25833),
            vertical_datum: None,
        };
        let rig = Rig {
            origin: Some(origin.clone()),
            vessel: Vessel::default(),
            water: Water::Unknown,
            sensors: vec![SensorSpec::new("front", SensorKind::Lidar)],
        };
        let fields = fields(
            "a quay",
            &Config::default(),
            &rig,
            Stamp::default(),
            "x86_64 sse4.1".into(),
            Some("ab".repeat(16)),
        )
        .unwrap();
        let document = format!("# Title\n\n{FENCE}\n{}```\n\nmore", fields.config_toml);
        let back = super::origin(&document).unwrap();
        assert_eq!(back.epsg, origin.epsg);
        assert!((back.anchor.latitude_rad - origin.anchor.latitude_rad).abs() < 1e-15);
        assert_eq!(super::origin("no fence"), None);
        assert_eq!(super::cpu_class(&document).as_deref(), Some("x86_64 sse4.1"));
        assert_eq!(super::rig(&document).unwrap().water, Water::Unknown);
        let hostile = format!("{FENCE}\n[machine]\ncpu_class = \"a\\u001b[31m\"\n```");
        assert_eq!(super::cpu_class(&hostile).as_deref(), Some("a[31m"));
        assert_eq!(super::cpu_class(&format!("{FENCE}\n[rig]\n```")), None);
    }
    #[test]
    fn what_a_sonar_listens_in_is_read_back() {
        let mut sonar = SensorSpec::new("ultrasound", SensorKind::Sonar);
        sonar.medium = Medium::Air;
        let rig = Rig {
            origin: None,
            vessel: Vessel::default(),
            water: Water::Unknown,
            sensors: vec![sonar, SensorSpec::new("multibeam", SensorKind::Sonar)],
        };
        let (config, class) = (Config::default(), "x86_64".to_owned());
        let fields = fields("a room", &config, &rig, Stamp::default(), class, None).unwrap();
        let document = format!("{FENCE}\n{}```\n", fields.config_toml);
        let media = super::rig(&document)
            .unwrap()
            .sensors
            .into_iter()
            .map(|sensor| sensor.medium);
        assert!(media.eq([Medium::Air, Medium::Water]));
    }

    #[test]
    fn the_water_is_read_back_and_a_profile_too_long_for_a_document_is_said() {
        let document = |water: Water| {
            let rig = Rig {
                origin: None,
                vessel: Vessel::default(),
                water,
                sensors: vec![SensorSpec::new("multibeam", SensorKind::Sonar)],
            };
            let (config, class) = (Config::default(), "x86_64".to_owned());
            let fields = fields("a quay", &config, &rig, Stamp::default(), class, None).unwrap();
            format!("{FENCE}\n{}```\n", fields.config_toml)
        };
        for water in [
            Water::Unknown,
            Water::SoundSpeed(1437.5),
            Water::Profile([(0.25, 1450.125), (7.0, 1452.0)].into()),
            Water::Properties {
                temperature_deg_c: 11.5,
                salinity_ppt: 8.0,
            },
        ] {
            let document = document(water.clone());
            assert_eq!(super::rig(&document).unwrap().water, water);
            assert!(says_water(&document));
        }
        let level = |i: usize| (i as f64, 1450.0);
        let long = document(Water::Profile((0..=MOST_LEVELS).map(level).collect()));
        assert!(!says_water(&long) && long.len() < 10_000);
        assert!(!says_water(&format!("{FENCE}\n[rig]\n```")));
        let most = document(Water::Profile((0..MOST_LEVELS).map(level).collect()));
        assert!(says_water(&most) && most.len() < 1 << 19);
    }
}
