//! What of a file cannot be read: how many places, and the first of them in words.

use std::path::Path;

use crate::error::Error;

/// Places, and what is wrong with the first.
pub(crate) type Damage = (u64, Option<String>);

/// One place more.
pub(crate) fn count(damage: &mut Damage, detail: String) {
    damage.0 += 1;
    damage.1.get_or_insert(detail);
}

/// What users should know of it, if anything.
pub(crate) fn note((places, first): &Damage) -> Option<String> {
    let first = first.as_ref()?;
    Some(format!(
        "the file is damaged in {places} place(s), first: {first}"
    ))
}

/// Why a file of which nothing can be read cannot be played.
pub(crate) fn nothing(expected: &str, (_, first): &Damage, path: &Path) -> Error {
    let found = match first {
        Some(wrong) => format!("; the first that cannot be read: {wrong}"),
        None => String::new(),
    };
    Error::Empty {
        expected: format!("{expected}{found}"),
        path: path.to_owned(),
    }
}
