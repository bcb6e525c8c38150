//! The tables that a rig names, wherever they lie.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::table::Table;

/// What lies beside a rig.
#[derive(Clone, Copy)]
pub(crate) enum Beside<'a> {
    /// Files in a folder.
    Folder(&'a Path),
    /// Texts by name, inside the recording with this path.
    Texts(&'a BTreeMap<String, String>, &'a Path),
}

impl Beside<'_> {
    /// The table with this name and these columns.
    pub(crate) fn table(&self, file: &str, columns: &[&'static str]) -> Result<Table, Error> {
        let path = self.path(file);
        match self {
            Beside::Folder(_) => Table::open(&path, columns, &[]),
            Beside::Texts(texts, _) => match texts.get(file) {
                Some(text) => Table::of_text(text.clone(), &path, columns, &[]),
                None => Err(Error::Missing {
                    what: "a table that the rig names".into(),
                    path,
                }),
            },
        }
    }

    /// How the table is called in messages.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        match self {
            Beside::Folder(folder) | Beside::Texts(_, folder) => folder.join(file),
        }
    }
}
