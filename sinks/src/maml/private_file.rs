//! Files and folders only their owner may read, and files made whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::secret::random;
use crate::error::{Error, io_error};
use crate::regular::open_regular;

/// Largest key file that is read, in bytes.
pub(crate) const MAX_KEY_TEXT: u64 = 4096;

/// Makes a file, mode 0600, that holds these bytes from the moment it has its name.
///
/// # Errors
/// [`Error::Io`], also if anything exists there, which is left as it is.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_new(path, bytes).map_err(io_error("writing a file", path))
}

/// Makes a file, mode 0600, that holds these bytes from the moment it has its name.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if anything exists there, which is left as it is.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create_by(path, &mut |file| file.write_all(bytes))
}

/// The same for a file that is written piece by piece, perhaps twice.
pub(crate) fn create_by(path: &Path, fill: &mut Fill<'_>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    private(&mut options);
    let draft = Draft::write(path, &mut options, fill)?;
    match fs::hard_link(&draft.path, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            // A file system without links. Only here a crash can leave a part.
            write_whole(path, &mut options, fill)?;
        }
        linked => linked?,
    }
    drop(draft);
    sync_folder(path)
}

/// Puts a file that all may read in the place of what is there.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = Draft::write(path, &mut OpenOptions::new(), &mut |file| file.write_all(bytes))?;
    fs::rename(&draft.path, path)?;
    sync_folder(path)
}

/// Puts a file, mode 0600, that is written piece by piece in the place of what is there.
pub(crate) fn replace_by(path: &Path, fill: &mut Fill<'_>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    private(&mut options);
    let draft = Draft::write(path, &mut options, fill)?;
    fs::rename(&draft.path, path)?;
    sync_folder(path)
}

/// What writes the bytes of a new file.
type Fill<'a> = dyn FnMut(&mut File) -> io::Result<()> + 'a;

/// A file of another name beside the one that is to be; gone when dropped.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn write(path: &Path, options: &mut OpenOptions, fill: &mut Fill<'_>) -> io::Result<Self> {
        let random = random::<8>().map_err(io::Error::other)?;
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{:016x}.new", u64::from_le_bytes(*random)));
        let path = path.with_file_name(name);
        write_whole(&path, options, fill)?;
        Ok(Self { path })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes a file, or none if it cannot be written to its end.
fn write_whole(path: &Path, options: &mut OpenOptions, fill: &mut Fill<'_>) -> io::Result<()> {
    let mut file = options.write(true).create_new(true).open(path)?;
    let written = fill(&mut file).and_then(|()| file.sync_all());
    written.inspect_err(|_| {
        // The file is ours; the first error says more than a second one.
        let _ = fs::remove_file(path);
    })
}

/// Reads a key, after asking who else may.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let file = open_regular(path).map_err(io_error("opening a key", path))?;
    let metadata = file.metadata().map_err(io_error("reading a key", path))?;
    require_private(&metadata, path, "0600")?;
    read_capped(file, MAX_KEY_TEXT, path)
}

pub(crate) fn read_capped(file: File, limit: u64, path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    // With this capacity the vector never moves, so no copy of a secret stays behind.
    let length = file
        .metadata()
        .map_or(limit, |metadata| metadata.len())
        .min(limit);
    let mut bytes = Zeroizing::new(Vec::with_capacity(length as usize + 1));
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(io_error("reading a key", path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::BadKey {
            reason: format!("more than {limit} bytes"),
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

/// Mode 0600 for a file that is made.
#[cfg(unix)]
pub(crate) fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

/// Makes a folder, mode 0700, if there is none.
#[cfg(unix)]
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Refuses what others may read or write. `expected`: the mode, for the message.
#[cfg(unix)]
pub(crate) fn require_private(
    metadata: &fs::Metadata,
    path: &Path,
    expected: &'static str,
) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let found = metadata.permissions().mode() & 0o777;
    if found & 0o077 == 0 {
        return Ok(());
    }
    Err(Error::KeyMode {
        found,
        expected,
        path: path.to_owned(),
    })
}

/// Makes the name of a new file itself durable.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn private(_: &mut OpenOptions) {}

#[cfg(not(unix))]
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
pub(crate) fn require_private(_: &fs::Metadata, _: &Path, _: &'static str) -> Result<(), Error> {
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_at_once_one_is_first_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let texts: Vec<String> = (0..8).map(|i| format!("{i}").repeat(100)).collect();
        let results: Vec<io::Result<()>> = std::thread::scope(|scope| {
            let write = |text: &String| write_new(&path, text.as_bytes());
            let threads: Vec<_> = texts
                .iter()
                .map(|text| scope.spawn(move || write(text)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let first: Vec<usize> = (0..8).filter(|&i| results[i].is_ok()).collect();
        assert_eq!(first.len(), 1);
        assert_eq!(fs::read_to_string(&path).unwrap(), texts[first[0]]);
        let refused = results.iter().filter_map(|result| result.as_ref().err());
        assert!(
            refused
                .into_iter()
                .all(|error| error.kind() == ErrorKind::AlreadyExists)
        );
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays");
    }
}
