//! From the words of the file to a rig.

use std::io::Read as _;
use std::net::IpAddr;
use std::path::Path;

use beluga_types::{
    Attitude, Geodetic, Medium, Mount, Origin, Rig, SensorKind, SensorSpec, Stamp, StampMeaning, Vessel,
    Water,
};

use super::place::with_line;
use super::{Beside, KindWord, MediumWord, RigFile, SensorTable, StampWord, WaterTable};
use crate::error::Error;
use crate::range::{MAX_STAMP_NANOS, is_time};
use crate::{beams, cast, regular};

/// The longest rig file that is read, in bytes.
const MAX_RIG_BYTES: u64 = 4 << 20;
/// How far a sensor's origin may be from the `Body` origin along each axis, in metres.
const MAX_OFFSET_M: f64 = 1e4;
/// How far the anchor may be above or below the ellipsoid, in metres.
const MAX_HEIGHT_M: f64 = 1e5;
/// How far the waterline may be above or below the `Body` origin, in metres.
const MAX_WATERLINE_M: f64 = 1e3;
/// The largest time offset: a hundred years, far inside what nanoseconds in 64 bits can say.
const MAX_OFFSET_MS: f64 = 3.2e12;

/// Reads a rig and the tables it names (`beams`, `profile`), which lie relative to it.
///
/// # Errors
/// If the file or a table it names cannot be read, has an unknown key, or a value outside its
/// range: always with file, line or key, what was expected and what was found.
pub fn read(path: &Path) -> Result<Rig, Error> {
    let file = regular::open(path)?;
    let size = file.metadata().map_err(Error::io(path))?.len();
    if size > MAX_RIG_BYTES {
        return Err(Error::bad(path, "size", "at most 4 MiB", format!("{size} bytes")));
    }
    let mut text = String::new();
    file.take(MAX_RIG_BYTES)
        .read_to_string(&mut text)
        .map_err(Error::io(path))?;
    read_text(
        path,
        &text,
        Beside::Folder(path.parent().unwrap_or(Path::new("."))),
    )
}

/// As [`read`], of a text; `path` names it in messages.
pub(crate) fn read_text(path: &Path, text: &str, beside: Beside<'_>) -> Result<Rig, Error> {
    if text.trim().is_empty() {
        return Err(Error::Empty {
            expected: "a rig: `[[sensor]]` tables".into(),
            path: path.to_owned(),
        });
    }
    let file: RigFile = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            1 + text[..span.start.min(text.len())].matches('\n').count()
        });
        let message = error.message().replace('\n', " ");
        Error::bad(path, format!("line {line}"), "a rig of version 1", message)
    })?;
    rig(path, file, beside).map_err(|error| with_line(error, text, path))
}

fn rig(path: &Path, file: RigFile, beside: Beside<'_>) -> Result<Rig, Error> {
    let check = |key: &str, value: f64, good: bool, expected: &str| {
        if good {
            Ok(value)
        } else {
            Err(Error::bad(path, format!("`{key}`"), expected, format!("{value}")))
        }
    };
    let origin = match file.origin {
        None => None,
        Some(table) => {
            let (lat, lon) = (table.lat_deg, table.lon_deg);
            check("origin.lat_deg", lat, lat.abs() <= 90.0, "-90 to 90")?;
            check("origin.lon_deg", lon, lon.abs() <= 360.0, "-360 to 360")?;
            let height = table.height_m;
            let good = height.abs() <= MAX_HEIGHT_M;
            check("origin.height_m", height, good, "-100000 to 100000")?;
            Some(Origin {
                anchor: Geodetic::from_degrees(lat, lon, height),
                epsg: table.epsg,
                vertical_datum: table.vertical_datum,
            })
        }
    };
    let waterline_m = match file.vessel.and_then(|vessel| vessel.waterline_m) {
        Some(value) => {
            let good = value.abs() <= MAX_WATERLINE_M;
            Some(check("vessel.waterline_m", value, good, "-1000 to 1000")?)
        }
        None => None,
    };
    let rig = Rig {
        origin,
        vessel: Vessel { waterline_m },
        water: water(path, file.water.unwrap_or_default(), beside)?,
        sensors: file
            .sensor
            .into_iter()
            .map(|table| sensor(path, table, beside))
            .collect::<Result<_, _>>()?,
    };
    if rig.sensors.is_empty() {
        return Err(Error::Empty {
            expected: "at least one `[[sensor]]`".into(),
            path: path.to_owned(),
        });
    }
    rig.checked().map_err(|misfit| Error::Rig {
        misfit,
        path: path.to_owned(),
    })
}

fn water(path: &Path, table: WaterTable, beside: Beside<'_>) -> Result<Water, Error> {
    let between = |key: &str, value: f64, low: f64, high: f64| {
        if (low..=high).contains(&value) {
            Ok(value)
        } else {
            let expected = format!("{low} to {high}");
            Err(Error::bad(
                path,
                format!("`water.{key}`"),
                expected,
                format!("{value}"),
            ))
        }
    };
    match table {
        WaterTable {
            sound_speed_m_per_s: None,
            profile: None,
            temperature_deg_c: None,
            salinity_ppt: None,
        } => Ok(Water::Unknown),
        WaterTable {
            sound_speed_m_per_s: Some(speed),
            profile: None,
            temperature_deg_c: None,
            salinity_ppt: None,
        } => Ok(Water::SoundSpeed(between(
            "sound_speed_m_per_s",
            speed,
            100.0,
            3000.0,
        )?)),
        WaterTable {
            sound_speed_m_per_s: None,
            profile: Some(file),
            temperature_deg_c: None,
            salinity_ppt: None,
        } => {
            let profile = cast::of_rig(&file, beside);
            let what = || "the `profile` of `[water]`".to_owned();
            Ok(Water::Profile(profile.map_err(|error| error.if_absent(what))?))
        }
        WaterTable {
            sound_speed_m_per_s: None,
            profile: None,
            temperature_deg_c: Some(temperature),
            salinity_ppt: Some(salinity),
        } => Ok(Water::Properties {
            temperature_deg_c: between("temperature_deg_c", temperature, -5.0, 60.0)?,
            salinity_ppt: between("salinity_ppt", salinity, 0.0, 400.0)?,
        }),
        _ => Err(Error::bad(
            path,
            "`[water]`",
            "one of `sound_speed_m_per_s`, `profile`, or `temperature_deg_c` with `salinity_ppt`",
            "another choice of keys",
        )),
    }
}

fn sensor(path: &Path, table: SensorTable, beside: Beside<'_>) -> Result<SensorSpec, Error> {
    let refused = |key: &str, expected: &str, found: f64| {
        let place = format!("sensor `{}`, `{key}`", table.name);
        Error::bad(path, place, expected, format!("{found}"))
    };
    let offset = |key: &str, value: f64| match value.abs() <= MAX_OFFSET_M {
        true => Ok(value),
        false => Err(refused(key, "-10000 to 10000", value)),
    };
    let radians = |key: &str, value: f64| match value.abs() <= 360.0 {
        true => Ok(value.to_radians()),
        false => Err(refused(key, "-360 to 360", value)),
    };
    if table.time_offset_ms.is_nan() || table.time_offset_ms.abs() > MAX_OFFSET_MS {
        let expected = "less than a hundred years";
        return Err(refused("time_offset_ms", expected, table.time_offset_ms));
    }
    if let Some(rate) = table.rate_hz.filter(|rate| !(1e-6..=1e9).contains(rate)) {
        return Err(refused("rate_hz", "0.000001 to 1000000000", rate));
    }
    let start = table.start_ns.map(Stamp::from_nanos);
    if let Some(start) = start.filter(|start| !is_time(*start)) {
        let place = format!("sensor `{}`, `start_ns`", table.name);
        let expected = format!("at most {MAX_STAMP_NANOS}, the year 2200");
        return Err(Error::bad(path, place, expected, format!("{}", start.nanos())));
    }
    let kind = match table.kind {
        KindWord::Lidar => SensorKind::Lidar,
        KindWord::Sonar => SensorKind::Sonar,
        KindWord::Nav => SensorKind::Nav,
    };
    let mount = Mount {
        forward_m: offset("forward_m", table.forward_m)?,
        starboard_m: offset("starboard_m", table.starboard_m)?,
        down_m: offset("down_m", table.down_m)?,
        attitude: Attitude {
            roll_rad: radians("roll_deg", table.roll_deg)?,
            pitch_rad: radians("pitch_deg", table.pitch_deg)?,
            heading_rad: radians("heading_deg", table.heading_deg)?,
        },
    };
    let beams = match &table.beams {
        Some(file) => {
            let what = || format!("the `beams` of sensor `{}`", table.name);
            Some(beams::read(file, beside).map_err(|error| error.if_absent(what))?)
        }
        None => None,
    };
    if let Some(address) = table
        .address
        .as_ref()
        .filter(|text| text.parse::<IpAddr>().is_err())
    {
        let place = format!("`address` of sensor `{}`", table.name);
        let expected = "the address its packets come from, like \"192.168.1.201\"";
        return Err(Error::bad(path, place, expected, format!("{address:?}")));
    }
    if let Some(pulses) = table.pps.as_ref().filter(|_| kind != SensorKind::Nav) {
        let place = format!("`pps` of sensor `{}`", table.name);
        let expected = "a sensor of kind nav, whose sentences name the pulses' seconds";
        return Err(Error::bad(path, place, expected, format!("{pulses:?}")));
    }
    let mut spec = SensorSpec::new(table.name, kind);
    if let Some(medium) = table.medium {
        spec.medium = match medium {
            MediumWord::Air => Medium::Air,
            MediumWord::Water => Medium::Water,
        };
    }
    Ok(SensorSpec {
        model: table.model,
        source: table.source,
        format: table.format,
        topic: table.topic,
        reference: table.reference,
        mount,
        time_offset_nanos: (table.time_offset_ms * 1e6).round() as i64,
        rate_hz: table.rate_hz,
        start,
        stamp: match table.stamp {
            StampWord::Start => StampMeaning::Start,
            StampWord::Middle => StampMeaning::Middle,
            StampWord::End => StampMeaning::End,
        },
        deskewed: table.deskewed,
        flat_array: table.flat_array,
        corrected: table.corrected,
        beams,
        calibration: table.calibration,
        port: table.port,
        address: table.address,
        pps: table.pps,
        ..spec
    })
}
