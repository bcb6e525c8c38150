//! The latency of a run, from what the run said of itself.

use std::path::Path;

pub(super) use crate::latency::Latency;
use anyhow::Context;
use serde::Deserialize;

use crate::exit::Wrong;

/// A report is a few kilobytes.
const LARGEST_BYTES: u64 = 16 << 20;

/// The part of a run's report that is asked for; `demo` puts the report under `run`.
#[derive(Deserialize)]
struct Reported {
    latency: Option<Latency>,
    run: Option<Box<Reported>>,
}

/// The latency in a report; nothing if the run was not paced.
///
/// # Errors
/// If the file cannot be read or is no report.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<Latency>> {
    let name = || format!("cannot read the report {}", path.display());
    let found = std::fs::metadata(path)
        .with_context(name)
        .context(Wrong::Arguments)?;
    if !found.is_file() {
        let wrong = anyhow::anyhow!("expected a file, found a folder, a pipe or a device");
        return Err(wrong.context(name()).context(Wrong::Arguments));
    }
    let bytes = found.len();
    if bytes > LARGEST_BYTES {
        let wrong = anyhow::anyhow!("expected at most {LARGEST_BYTES} bytes, found {bytes}");
        return Err(wrong.context(name()).context(Wrong::Arguments));
    }
    let text = std::fs::read_to_string(path)
        .with_context(name)
        .context(Wrong::Arguments)?;
    let reported: Reported = serde_json::from_str(&text)
        .with_context(name)
        .context(Wrong::Arguments)?;
    Ok(reported.latency.or(reported.run.and_then(|run| run.latency)))
}
