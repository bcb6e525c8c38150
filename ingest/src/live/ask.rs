//! Asking a sensor what it is, by HTTP: an Ouster's metadata.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;

/// Where an Ouster's metadata is (its "HTTP API reference": `GET /api/v1/sensor/metadata`).
const METADATA: &str = "/api/v1/sensor/metadata";
/// A sensor that has just been switched on takes its time.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes; real ones have some ten thousand.
const LONGEST: u64 = 4 << 20;

/// Whether a rig's `calibration` is to be asked for.
pub(super) fn is_asked(calibration: &str) -> bool {
    calibration.starts_with("http://")
}

/// Asks a sensor for its metadata and keeps the answer as `<name>.metadata.json` in this folder, where
/// it serves for recordings too.
///
/// # Errors
/// If there is no such answer, or it cannot be kept.
pub(super) fn metadata(sensor: &str, folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let sensor = sensor.trim_end_matches('/');
    let bad = |found: String| {
        let place = format!("sensor `{name}`, `calibration`");
        Error::bad(Path::new(sensor), place, format!("metadata at {METADATA}"), found)
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let mut answer = agent
        .get(format!("{sensor}{METADATA}"))
        .call()
        .map_err(|said| bad(said.to_string()))?;
    let mut text = String::new();
    let read = answer
        .body_mut()
        .as_reader()
        .take(LONGEST)
        .read_to_string(&mut text);
    read.map_err(|said| bad(said.to_string()))?;
    let kept = folder.join(format!("{name}.metadata.json"));
    std::fs::write(&kept, text).map_err(Error::io(&kept))?;
    Ok(kept)
}
