//! What is left on the disk, and for how long.

use std::path::{Path, PathBuf};
use std::time::Instant;

/// A shorter while says nothing of how fast files grow, in seconds.
const LONG_S: f64 = 5.0;

/// Files that grow, and the disk they lie on.
#[derive(Debug)]
pub(super) struct Room {
    files: Vec<PathBuf>,
    /// When it was looked first, and their size then.
    first: Option<(Instant, u64)>,
}

/// What is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Left {
    /// Bytes that are free for this user.
    pub(super) free: u64,
    /// How fast the files grow, in bytes per second, once that is known.
    pub(super) bytes_per_s: Option<f64>,
}

impl Left {
    /// Hours until the disk is full, at this pace.
    pub(super) fn hours(&self) -> Option<f64> {
        let pace = self.bytes_per_s.filter(|pace| *pace > 0.0)?;
        Some(self.free as f64 / pace / 3600.0)
    }
}

impl Room {
    pub(super) fn new(files: Vec<PathBuf>) -> Self {
        Self { files, first: None }
    }

    /// How it is now; nothing without files, or where the system does not say.
    pub(super) fn look(&mut self, now: Instant) -> Option<Left> {
        let bytes: u64 = self.files.iter().map(|file| size(file)).sum();
        let disk = rustix::fs::statvfs(folder(self.files.first()?)).ok()?;
        let (since, first) = *self.first.get_or_insert((now, bytes));
        let seconds = now.saturating_duration_since(since).as_secs_f64();
        Some(Left {
            free: disk.f_bavail.saturating_mul(disk.f_frsize),
            bytes_per_s: (seconds > LONG_S).then(|| bytes.saturating_sub(first) as f64 / seconds),
        })
    }
}

/// Bytes of a file, or of all parts of a tape that is written in parts: `X.0001.mcap` for `X.mcap`.
fn size(file: &Path) -> u64 {
    let length = |path: &Path| path.metadata().map_or(0, |found| found.len());
    let (Some(stem), Some(ending)) = (file.file_stem(), file.extension()) else {
        return length(file);
    };
    let parts = std::fs::read_dir(folder(file)).into_iter().flatten().flatten();
    let parts = parts.map(|part| part.path()).filter(|part| {
        let number = part.file_stem().map(Path::new);
        part.extension() == Some(ending)
            && number.is_some_and(|number| number.file_stem() == Some(stem) && number.extension().is_some())
    });
    length(file) + parts.map(|part| length(&part)).sum::<u64>()
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn hours_are_what_is_free_by_how_fast_files_grow() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a.maml", "a.mcap"].map(|name| folder.path().join(name));
        let mut room = Room::new(files.to_vec());
        let begun = Instant::now();
        std::fs::write(&files[0], [0; 1000]).unwrap();
        let first = room.look(begun).unwrap();
        assert!(first.free > 0 && first.hours().is_none());
        std::fs::write(&files[0], [0; 3000]).unwrap();
        for part in ["a.0001.mcap", "a.0002.mcap", "b.0001.mcap", "a.0001.maml2"] {
            std::fs::write(folder.path().join(part), [0; 2000]).unwrap();
        }
        assert_eq!(
            room.look(begun + Duration::from_secs(5)).unwrap().bytes_per_s,
            None
        );
        let later = room.look(begun + Duration::from_secs(10)).unwrap();
        assert_eq!(later.bytes_per_s, Some(600.0));
        let left = Left {
            free: 600 * 7200,
            ..later
        };
        assert_eq!(left.hours(), Some(2.0));
        assert_eq!(Room::new(Vec::new()).look(begun), None);
    }
}
