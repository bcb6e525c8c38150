//! Which files are meant by paths: files as they are named, folders with all documents below them.

use std::io;
use std::path::{Path, PathBuf};

/// Endings of documents and records that are in use.
const ENDINGS: [&str; 4] = [".maml.md", ".maml.markdown", ".maml.ml", ".maml"];
/// Deepest folder below a path that is looked into.
const MAX_DEPTH: usize = 64;

/// A folder that could not be looked into.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) path: PathBuf,
    pub(crate) error: io::Error,
}

/// The files below `path`, sorted by name within each folder; `path` itself if it is no folder. Links to
/// folders are not followed, so that no way leads round in a circle. A folder without any document is not
/// taken for one whose documents are all well.
pub(crate) fn documents_below(path: &Path, unread: &mut Vec<Unread>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    match path.is_dir() {
        true => {
            let before = unread.len();
            walk(path, 0, &mut found, unread);
            if found.is_empty() && unread.len() == before {
                let endings = ENDINGS.join(", ");
                unread.push(Unread {
                    path: path.to_owned(),
                    error: io::Error::other(format!("no document in it: no file ends with {endings}")),
                });
            }
        }
        false => found.push(path.to_owned()),
    }
    found
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>, unread: &mut Vec<Unread>) {
    let listed = std::fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match listed {
        Ok(_) if depth > MAX_DEPTH => {
            let error = io::Error::other(format!("deeper than {MAX_DEPTH} folders"));
            return unread.push(Unread {
                path: folder.to_owned(),
                error,
            });
        }
        Ok(entries) => entries,
        Err(error) => {
            return unread.push(Unread {
                path: folder.to_owned(),
                error,
            });
        }
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), depth + 1, found, unread),
            Ok(_) if is_document(&entry.path()) => found.push(entry.path()),
            Ok(_) => {}
            Err(error) => unread.push(Unread {
                path: entry.path(),
                error,
            }),
        }
    }
}

fn is_document(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_give_their_documents_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("b/c")).unwrap();
        for name in [
            "b/c/2.maml.md",
            "a.MAML.ml",
            "b/1.maml",
            "notes.md",
            "z.maml.markdown",
            "b/x.rs",
        ] {
            std::fs::write(at(name), "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), at("b/c/round")).unwrap();
        let mut unread = Vec::new();
        let found = documents_below(folder.path(), &mut unread);
        let expected = ["a.MAML.ml", "b/1.maml", "b/c/2.maml.md", "z.maml.markdown"];
        assert_eq!(found, expected.map(at));
        assert!(unread.is_empty());
        assert_eq!(documents_below(&at("notes.md"), &mut unread), [at("notes.md")]);
        assert!(unread.is_empty());
        std::fs::create_dir(at("empty")).unwrap();
        assert!(documents_below(&at("empty"), &mut unread).is_empty());
        let [empty] = &unread[..] else {
            panic!("{unread:?}")
        };
        assert!(empty.path == at("empty") && empty.error.to_string().contains(".maml.md"));
    }
}
