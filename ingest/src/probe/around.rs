//! The known files of a folder that has no rig.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::magic::{self, Known, Role};
use crate::regular;
use crate::scans::ScanFormat;

/// Recordings that are whole in one file: each plays by its own name.
pub(crate) fn tapes(folder: &Path) -> Vec<PathBuf> {
    let known = known(folder, |_| true).into_iter();
    known
        .filter(|(_, known)| known.role == Role::Tape)
        .map(|(path, _)| path)
        .collect()
}

/// Notes on the known files of a folder of which the scans of one format play.
pub(crate) fn not_played(folder: &Path, played: ScanFormat) -> Vec<String> {
    let mut kinds: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for (path, known) in known(folder, |path| !played.is_at(path)) {
        let name = regular::name(&path);
        kinds.entry(known.words).or_insert((name, 0)).1 += 1;
    }
    let note = |(words, (first, count)): (String, (String, u64))| {
        let more = match count - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "not played: {words} (`{first}`{more}); without a rig only the `.{}` scans are",
            played.extensions().join("`/`.")
        )
    };
    kinds.into_iter().map(note).collect()
}

/// The files directly in a folder that are known, by name.
fn known(folder: &Path, asked: impl Fn(&Path) -> bool) -> Vec<(PathBuf, Known)> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<(PathBuf, Known)> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file() && asked(path))
        .filter_map(|path| magic::of(&path).ok().map(|known| (path, known)))
        .filter(|(_, known)| known.role != Role::Unknown)
        .collect();
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    files
}
