//! Where a record's bytes go.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::private_file::{private, sync_folder};

/// A place to append to and to make durable.
pub(crate) trait Output: Send {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns once everything written is on the disk.
    fn sync(&mut self) -> io::Result<()>;
}

/// A new file, mode 0600.
pub(crate) struct FileOutput {
    file: File,
}

impl FileOutput {
    /// Fails if anything exists at the path, a dangling symbolic link too (`O_EXCL`).
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private(&mut options);
        let file = options.open(path)?;
        let made = sync_folder(path).map(|()| Self { file });
        made.inspect_err(|_| {
            // The file is ours and empty; the first error says more than a second one.
            let _ = fs::remove_file(path);
        })
    }
}

impl Output for FileOutput {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}
