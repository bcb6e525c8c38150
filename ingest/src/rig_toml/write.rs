//! From a rig to the words of the file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use beluga_types::{Medium, Rig, SensorKind, SensorSpec, Stamp, StampMeaning, Water};

use super::{KindWord, MediumWord, OriginTable, RigFile, SensorTable, StampWord, VesselTable, WaterTable};
use crate::error::Error;
use crate::exact::degrees;
use crate::{beams, cast};

/// Writes a rig; reading it back gives the same rig. Beam tables and a sound-speed profile are
/// written beside it, as `<sensor>.beams.csv` and `profile.csv`.
///
/// # Errors
/// If a file cannot be written.
pub fn write(path: &Path, rig: &Rig) -> Result<(), Error> {
    let (text, beside) = texts(path, rig)?;
    for (file, text) in beside {
        let table = path.with_file_name(file);
        fs::write(&table, text).map_err(Error::io(&table))?;
    }
    fs::write(path, text).map_err(Error::io(path))
}

/// The text of a rig, and by their names those of the tables beside it; `path` is for messages.
pub(crate) fn texts(path: &Path, rig: &Rig) -> Result<(String, BTreeMap<String, String>), Error> {
    let mut beside = BTreeMap::new();
    let water = match &rig.water {
        Water::Unknown => None,
        Water::SoundSpeed(speed) => Some(WaterTable {
            sound_speed_m_per_s: Some(*speed),
            ..WaterTable::default()
        }),
        Water::Profile(points) => {
            beside.insert("profile.csv".to_owned(), cast::text(points));
            Some(WaterTable {
                profile: Some("profile.csv".into()),
                ..WaterTable::default()
            })
        }
        Water::Properties {
            temperature_deg_c,
            salinity_ppt,
        } => Some(WaterTable {
            temperature_deg_c: Some(*temperature_deg_c),
            salinity_ppt: Some(*salinity_ppt),
            ..WaterTable::default()
        }),
    };
    let file = RigFile {
        origin: rig.origin.as_ref().map(|origin| OriginTable {
            lat_deg: degrees(origin.anchor.latitude_rad),
            lon_deg: degrees(origin.anchor.longitude_rad),
            height_m: origin.anchor.height_m,
            epsg: origin.epsg,
            vertical_datum: origin.vertical_datum.clone(),
        }),
        vessel: rig.vessel.waterline_m.map(|waterline_m| VesselTable {
            waterline_m: Some(waterline_m),
        }),
        water,
        sensor: rig
            .sensors
            .iter()
            .map(|sensor| sensor_table(sensor, &mut beside))
            .collect(),
    };
    let text = toml::to_string(&file)
        .map_err(|error| Error::bad(path, "rig", "values TOML can hold", error.to_string()))?;
    Ok((text, beside))
}

fn sensor_table(spec: &SensorSpec, beside: &mut BTreeMap<String, String>) -> SensorTable {
    let beams = match &spec.beams {
        None => None,
        Some(beams) => {
            let file = format!("{}.beams.csv", spec.name);
            beside.insert(file.clone(), beams::text(beams));
            Some(file)
        }
    };
    let attitude = spec.mount.attitude;
    SensorTable {
        name: spec.name.clone(),
        kind: match spec.kind {
            SensorKind::Lidar => KindWord::Lidar,
            SensorKind::Sonar => KindWord::Sonar,
            SensorKind::Nav => KindWord::Nav,
        },
        model: spec.model.clone(),
        medium: Some(match spec.medium {
            Medium::Air => MediumWord::Air,
            Medium::Water => MediumWord::Water,
        }),
        source: spec.source.clone(),
        format: spec.format.clone(),
        topic: spec.topic.clone(),
        reference: spec.reference,
        forward_m: spec.mount.forward_m,
        starboard_m: spec.mount.starboard_m,
        down_m: spec.mount.down_m,
        roll_deg: degrees(attitude.roll_rad),
        pitch_deg: degrees(attitude.pitch_rad),
        heading_deg: degrees(attitude.heading_rad),
        time_offset_ms: spec.time_offset_nanos as f64 * 1e-6,
        rate_hz: spec.rate_hz,
        start_ns: spec.start.map(Stamp::nanos),
        stamp: match spec.stamp {
            StampMeaning::Start => StampWord::Start,
            StampMeaning::Middle => StampWord::Middle,
            StampMeaning::End => StampWord::End,
        },
        deskewed: spec.deskewed,
        flat_array: spec.flat_array,
        corrected: spec.corrected.clone(),
        beams,
        calibration: spec.calibration.clone(),
        port: spec.port,
        address: spec.address.clone(),
        pps: spec.pps.clone(),
    }
}
