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
            Beside::Texts(..) => Table::of_text(self.text(file)?, &path, columns, &[]),
        }
    }

    /// The text with this name that came with a recording; nothing lies in a folder as text.
    pub(crate) fn text(&self, file: &str) -> Result<String, Error> {
        let found = match self {
            Beside::Folder(_) => None,
            Beside::Texts(texts, _) => texts.get(file).cloned(),
        };
        found.ok_or_else(|| Error::Missing {
            what: "a table that the rig names".into(),
            path: self.path(file),
        })
    }

    /// How the table is called in messages.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        match self {
            Beside::Folder(folder) | Beside::Texts(_, folder) => folder.join(file),
        }
    }
}
