//! Which of a file's sensors a rig means.

use std::path::Path;

use beluga_types::{SensorKind, SensorSpec};

use crate::error::Error;

/// One of the sensors that a file may have.
pub(crate) trait Part: Copy {
    /// The sensor that a rig's `model` names so, in any file.
    fn named(word: &str) -> Option<Self>;
    /// The word a rig names it by.
    fn word(self) -> String;
    fn kind(self) -> SensorKind;
}

/// The sensor that this one of a rig is: the one its `model` names; without a model the only one of its kind,
/// or of nav sensors the first of `parts`, which knows the most. The file is asked only if it must be.
///
/// # Errors
/// If the file cannot be read, or has no such sensor: with the words of those it has.
pub(crate) fn chosen<P: Part>(
    path: &Path,
    spec: &SensorSpec,
    parts: impl FnOnce() -> Result<Vec<P>, Error>,
) -> Result<P, Error> {
    let own = |part: &P| part.kind() == spec.kind;
    if let Some(part) = spec.model.as_deref().and_then(P::named).filter(own) {
        return Ok(part);
    }
    let own: Vec<P> = parts()?.into_iter().filter(own).collect();
    match own.as_slice() {
        [only] if spec.model.is_none() => Ok(*only),
        [first, ..] if spec.model.is_none() && spec.kind == SensorKind::Nav => Ok(*first),
        _ => {
            let words: Vec<String> = own.iter().map(|part| part.word()).collect();
            Err(Error::bad(
                path,
                format!("`model` of sensor `{}`", spec.name),
                format!("a sensor of the file: {}", words.join(", ")),
                spec.model
                    .as_ref()
                    .map_or("none".into(), |model| format!("`{model}`")),
            ))
        }
    }
}
