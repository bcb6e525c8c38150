//! Files that may be opened: what is no regular file, as a pipe or a device, may never end.

use std::fs::{self, File};
use std::path::Path;

use crate::error::Error;

/// The name of a file without its folder.
pub(crate) fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Opens a regular file for reading.
pub(crate) fn open(path: &Path) -> Result<File, Error> {
    // The kind is asked for first: to open a pipe waits for its other end.
    let kind = fs::metadata(path).map_err(Error::io(path))?;
    if !kind.is_file() {
        let found = if kind.is_dir() {
            "a folder"
        } else {
            "a pipe or a device"
        };
        return Err(Error::bad(path, "kind", "a regular file", found));
    }
    File::open(path).map_err(Error::io(path))
}
