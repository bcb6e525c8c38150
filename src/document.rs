//! What a record's document says of the run: the config really used and the rig, as one block of
//! TOML that a machine reads back.

use anyhow::Context;
use beluga_sinks::maml::DocumentFields;
use beluga_types::{Geodetic, Origin, Rig, Stamp};
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// The fence that holds the block.
const FENCE: &str = "```toml beluga";

/// The block: what was used, and what a reader needs to place the frames on the Earth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Used {
    fusion: beluga_fusion::Config,
    rig: UsedRig,
}

/// The part of the rig that frames do not carry themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct UsedRig {
    #[serde(skip_serializing_if = "Option::is_none")]
    waterline_m: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<UsedOrigin>,
    sensor: Vec<UsedSensor>,
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
}

/// The document of a run of `source` with this config and rig.
///
/// # Errors
/// If the config cannot be written as TOML.
pub(crate) fn fields(
    source: &str,
    config: &Config,
    rig: &Rig,
    created: Stamp,
) -> anyhow::Result<DocumentFields> {
    let used = Used {
        fusion: config.fusion.clone(),
        rig: UsedRig::of(rig),
    };
    Ok(DocumentFields {
        created_nanos: created.nanos(),
        title: format!("SOLIDAR frames of {source}"),
        context: format!("One cloud above and below the waterline, from LIDAR and SONAR: {source}."),
        config_toml: toml::to_string(&used).context("cannot write the config as TOML")?,
        ..DocumentFields::default()
    })
}

/// Where `World` was anchored, as the document says.
pub(crate) fn origin(document: &str) -> Option<Origin> {
    let (_, rest) = document.split_once(FENCE)?;
    let (block, _) = rest.split_once("\n```")?;
    let origin = toml::from_str::<Used>(block).ok()?.rig.origin?;
    Some(Origin {
        anchor: Geodetic::from_degrees(origin.lat_deg, origin.lon_deg, origin.height_m),
        epsg: origin.epsg,
        vertical_datum: origin.vertical_datum,
    })
}

impl UsedRig {
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
            sensor: rig
                .sensors
                .iter()
                .map(|sensor| UsedSensor {
                    name: sensor.name.clone(),
                    kind: sensor.kind.name().to_owned(),
                    model: sensor.model.clone(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::{SensorKind, SensorSpec, Vessel, Water};

    #[test]
    fn the_origin_is_read_back_from_the_document() {
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
        let fields = fields("a quay", &Config::default(), &rig, Stamp::default()).unwrap();
        let document = format!("# Title\n\n{FENCE}\n{}```\n\nmore", fields.config_toml);
        let back = super::origin(&document).unwrap();
        assert_eq!(back.epsg, origin.epsg);
        assert!((back.anchor.latitude_rad - origin.anchor.latitude_rad).abs() < 1e-15);
        assert_eq!(super::origin("no fence"), None);
    }
}
