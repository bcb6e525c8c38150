//! A file that gets its name when it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Written as `NAME.part` and called `NAME` by [`Self::finish`]: whatever happens before (the disk
/// is full, the program is killed), no cut file bears its name. Dropped unfinished, it is removed.
#[derive(Debug)]
pub(crate) struct FreshFile {
    file: BufWriter<File>,
    part: PathBuf,
    path: PathBuf,
    finished: bool,
}

/// What an export is called until it is whole: `NAME.part`.
pub fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

impl FreshFile {
    /// # Errors
    /// If anything exists at the path or beside it as `NAME.part`, or the file cannot be made.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let part = part_of(path);
        Ok(Self {
            file: BufWriter::new(File::create_new(&part)?),
            part,
            path: path.to_owned(),
            finished: false,
        })
    }

    /// Brings everything to disk and gives the file its name.
    ///
    /// # Errors
    /// If the disk is full, or somebody took the name meanwhile; then nothing is left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        match fs::hard_link(&self.part, &self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // Some file systems have no links; there a name taken this very moment is lost.
            Err(_) if self.path.symlink_metadata().is_err() => {
                fs::rename(&self.part, &self.path)?;
                self.finished = true;
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.finished = true;
        fs::remove_file(&self.part)
    }
}

impl Drop for FreshFile {
    fn drop(&mut self) {
        if !self.finished {
            // It is ours, and why it is not whole was told already.
            let _ = fs::remove_file(&self.part);
        }
    }
}

impl Write for FreshFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for FreshFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_given_to_whole_files_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloud");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut file = FreshFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists() && names() == 1);
        assert!(FreshFile::create(&path).is_err(), "somebody writes it");
        drop(file);
        assert_eq!(names(), 0);
        let mut file = FreshFile::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        file.finish().unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"whole".to_vec(), 1));
        assert!(FreshFile::create(&path).is_err());
    }

    #[test]
    fn a_name_taken_meanwhile_stays_with_who_took_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloud");
        let file = FreshFile::create(&path).unwrap();
        fs::write(&path, b"other").unwrap();
        assert!(file.finish().is_err());
        assert_eq!(fs::read(&path).unwrap(), b"other");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
