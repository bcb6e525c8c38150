//! How wide a rig says that the beams of an imaging sonar are, whose recordings say only where they look.

use std::path::Path;

use beluga_types::{Beam, SensorSpec};

use crate::error::Error;

/// The one row of a rig's `beams`: its widths are those of every beam. Nothing if the rig names none.
///
/// # Errors
/// If there are more rows than one: where the beams look the recording says.
pub(crate) fn named(spec: &SensorSpec, path: &Path) -> Result<Option<Beam>, Error> {
    match spec.beams.as_deref() {
        None => Ok(None),
        Some([beam]) => Ok(Some(*beam)),
        Some(beams) => Err(Error::bad(
            path,
            format!("`beams` of sensor `{}`", spec.name),
            "one row with the widths of every beam: where they look the recording says",
            format!("{} rows", beams.len()),
        )),
    }
}
