//! The metadata of a bare capture: a JSON file beside it.

use std::path::{Path, PathBuf};

use super::metadata::Metadata;
use super::packet::{self, Packet};
use crate::capture::Datagram;
use crate::error::Error;
use crate::regular;
use crate::scans::files;

/// JSON files that are tried.
const MAX_FILES: usize = 256;

/// The metadata that the packets fit, by name first: that of the capture, then those with which its
/// name begins, the longest first, then all others.
///
/// # Errors
/// If there is none; with what is known of the sensor by its packets alone.
pub(super) fn metadata(capture: &Path, first: Option<&Datagram>) -> Result<(PathBuf, Metadata), Error> {
    let bytes = first.map_or(&[][..], |first| &first.payload);
    let mut refused = Vec::new();
    for path in candidates(capture) {
        match Metadata::open(&path) {
            Ok(metadata) if metadata.may_send(bytes) => return Ok((path, metadata)),
            Ok(metadata) => refused.push(format!("`{}` is of {}", regular::name(&path), metadata.said())),
            // What is no metadata at all says nothing; one that is refused does.
            Err(error) if is_metadata(&path) => refused.push(error.to_string()),
            Err(_) => {}
        }
    }
    let mut found = format!("packets of {} bytes", bytes.len());
    let layouts: Vec<_> = packet::layouts(bytes).collect();
    if let Some(format) = layouts.first() {
        let words: Vec<String> = layouts
            .iter()
            .map(|format| format!("{} rows of {}", format.rows(), format.profile().name()))
            .collect();
        found += &format!(" ({})", words.join(" or "));
        if let Some(serial) = Packet::read(format, bytes)
            .ok()
            .and_then(|packet| packet.serial())
        {
            found += &format!(", serial number {serial}");
        }
    }
    for refused in refused.into_iter().take(3) {
        found += &format!("; {refused}");
    }
    Err(Error::bad(
        capture,
        "metadata",
        "the sensor's own, a JSON file beside the capture or named by `calibration` in a rig",
        found,
    ))
}

/// The JSON files beside a capture, the likeliest first.
fn candidates(capture: &Path) -> Vec<PathBuf> {
    let own = stem(capture);
    let folder = match capture.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut files = files(folder, "json").unwrap_or_default();
    // Longest name that the capture's begins with first; the others keep their order.
    files.sort_by_key(|path| {
        let stem = stem(path);
        std::cmp::Reverse(if own.starts_with(&stem) { stem.len() } else { 0 })
    });
    files.truncate(MAX_FILES);
    files
}

fn is_metadata(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| text.contains("beam_altitude_angles"))
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
