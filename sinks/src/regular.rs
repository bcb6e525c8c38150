//! Files that may be opened: what is no regular file, as a pipe or a device, may never end.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Opens a regular file for reading.
///
/// # Errors
/// If it is none, or the system refuses.
pub fn open_regular(path: &Path) -> io::Result<File> {
    // The kind is asked for first: to open a pipe waits for its other end.
    let kind = fs::metadata(path)?;
    if kind.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "a pipe or a device, expected a regular file",
        ));
    }
    File::open(path)
}

/// All of a regular file that has at most `limit` bytes.
///
/// # Errors
/// If it has more, or as [`open_regular`].
pub fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > limit {
        true => Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("more than {limit} bytes"),
        )),
        false => Ok(bytes),
    }
}

/// As [`read_regular`], of text.
///
/// # Errors
/// As there, or if it is no UTF-8.
pub fn read_regular_text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read_regular(path, limit)?)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"four").unwrap();
        assert_eq!(read_regular_text(&path, 4).unwrap(), "four");
        assert_eq!(
            read_regular(&path, 3).unwrap_err().kind(),
            ErrorKind::FileTooLarge
        );
        assert_eq!(
            open_regular(folder.path()).unwrap_err().kind(),
            ErrorKind::IsADirectory
        );
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(
            read_regular_text(&path, 3).unwrap_err().kind(),
            ErrorKind::InvalidData
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_and_a_device_are_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        )
        .unwrap();
        for path in [&pipe, Path::new("/dev/zero")] {
            let refused = open_regular(path).unwrap_err();
            assert!(
                refused.to_string().contains("expected a regular file"),
                "{refused}"
            );
        }
    }
}
