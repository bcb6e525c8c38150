//! `rig.toml`, version 1: which sensors there are and where they sit, in the surveyor's words.
//!
//! `RIG.md` beside this crate says the same field by field. Degrees and milliseconds exist only
//! here; keys this page does not know are refused with their line.

mod beside;
mod place;
mod read;
mod write;

use serde::{Deserialize, Serialize};

pub(crate) use beside::Beside;
pub use read::read;
pub(crate) use read::read_text;
pub(crate) use write::texts;
pub use write::write;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RigFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<OriginTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vessel: Option<VesselTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    water: Option<WaterTable>,
    #[serde(default)]
    sensor: Vec<SensorTable>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OriginTable {
    lat_deg: f64,
    lon_deg: f64,
    height_m: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    epsg: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vertical_datum: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VesselTable {
    #[serde(skip_serializing_if = "Option::is_none")]
    waterline_m: Option<f64>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WaterTable {
    #[serde(skip_serializing_if = "Option::is_none")]
    sound_speed_m_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature_deg_c: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    salinity_ppt: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SensorTable {
    name: String,
    kind: KindWord,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    medium: Option<MediumWord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(default)]
    reference: bool,
    #[serde(default)]
    forward_m: f64,
    #[serde(default)]
    starboard_m: f64,
    #[serde(default)]
    down_m: f64,
    #[serde(default)]
    roll_deg: f64,
    #[serde(default)]
    pitch_deg: f64,
    #[serde(default)]
    heading_deg: f64,
    #[serde(default)]
    time_offset_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_hz: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_ns: Option<i64>,
    #[serde(default)]
    stamp: StampWord,
    #[serde(default)]
    deskewed: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    flat_array: bool,
    #[serde(default)]
    corrected: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beams: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pps: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindWord {
    Lidar,
    Sonar,
    Nav,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MediumWord {
    Air,
    Water,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StampWord {
    #[default]
    Start,
    Middle,
    End,
}
