//! Files that a user names: read whole, up to a length, and never a pipe or a device, which would be waited for
//! without end.

use std::fs;
use std::path::Path;

use crate::error::Error;

/// The text of a file of at most `limit` bytes.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Content`] for what is no file, [`Error::Io`] if it cannot be read.
pub(crate) fn read(path: &Path, limit: u64) -> Result<String, Error> {
    let found = length(path)?;
    if found > limit {
        return Err(Error::TooLarge {
            limit,
            found,
            path: path.to_owned(),
        });
    }
    fs::read_to_string(path).map_err(|source| io(source, path))
}

/// The length of a file, in bytes.
///
/// # Errors
/// [`Error::Content`] for what is no file, [`Error::Io`] if there is nothing.
pub(crate) fn length(path: &Path) -> Result<u64, Error> {
    let found = fs::metadata(path).map_err(|source| io(source, path))?;
    if found.is_file() {
        return Ok(found.len());
    }
    let what = if found.is_dir() {
        "a folder"
    } else {
        "a pipe or a device"
    };
    Err(Error::Content {
        expected: "a file",
        found: what.to_owned(),
        line: 0,
        path: path.to_owned(),
    })
}

fn io(source: std::io::Error, path: &Path) -> Error {
    Error::Io {
        doing: "reading",
        source,
        path: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_bounded_length_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), "12345");
        assert!(matches!(read(&path, 4), Err(Error::TooLarge { found: 5, .. })));
        let said = |path: &Path| read(path, 5).unwrap_err().to_string();
        assert!(said(folder.path()).starts_with("expected a file, found a folder, in /"));
        assert!(matches!(
            read(&folder.path().join("b.toml"), 5),
            Err(Error::Io { .. })
        ));
        #[cfg(unix)]
        assert!(said(Path::new("/dev/zero")).contains("a pipe or a device"));
    }
}
