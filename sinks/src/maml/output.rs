//! Where a record's bytes go.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::private_file::{private, sync_folder};

/// Room is asked for in pieces of this many bytes.
const PIECE: u64 = 8 << 20;
/// Fewer bytes wait for the next checkpoint.
const WRITE_BACK: u64 = 64 << 10;

/// A place to append to and to make durable.
pub(crate) trait Output: Send {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns once everything written is on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Makes sure that this many more bytes can be written. Where the file system cannot promise that,
    /// nothing is promised.
    fn reserve(&mut self, bytes: u64) -> io::Result<()>;
    /// Gives back what was reserved and not used.
    fn release(&mut self) -> io::Result<()>;
}

/// Whether the disk, or what this user may have of it, is used up.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// A new file, mode 0600.
pub(crate) struct FileOutput {
    file: File,
    written: u64,
    /// Bytes from the beginning of the file for which there is room on the disk.
    reserved: u64,
    /// Whether the file system can promise room.
    can_reserve: bool,
}

impl FileOutput {
    /// Fails if anything exists at the path, a dangling symbolic link too (`O_EXCL`).
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private(&mut options);
        not_through_a_link(&mut options);
        let file = options.open(path)?;
        let made = sync_folder(path).map(|()| Self {
            file,
            written: 0,
            reserved: 0,
            can_reserve: true,
        });
        made.inspect_err(|_| {
            // The file is ours and empty; the first error says more than a second one.
            let _ = fs::remove_file(path);
        })
    }
}

impl Output for FileOutput {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        begin_write_back(&self.file, self.written, bytes.len() as u64);
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        let needed = self.written + bytes;
        if !self.can_reserve || needed <= self.reserved {
            return Ok(());
        }
        let wanted = needed.next_multiple_of(PIECE);
        // What a piece has no room for may still be there byte by byte.
        for end in [wanted, needed] {
            match allocate(&self.file, self.reserved, end - self.reserved) {
                Ok(()) => {
                    self.reserved = end;
                    return Ok(());
                }
                Err(error) if is_full(&error) && end != needed => {}
                Err(error) if is_full(&error) => return Err(error),
                Err(_) => {
                    self.can_reserve = false;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn release(&mut self) -> io::Result<()> {
        self.file.set_len(self.written)
    }
}

/// Asks for what was written to go to the disk, and does not wait: a checkpoint then waits for the rest only,
/// not for a second's frames at once. Linux begins to write pages it is told to forget
/// (`mm/fadvise.c`, `POSIX_FADV_DONTNEED`); those that are not on the disk yet it keeps.
#[cfg(target_os = "linux")]
fn begin_write_back(file: &File, from: u64, bytes: u64) {
    use rustix::fs::{Advice, fadvise};
    if let Some(length) = std::num::NonZeroU64::new(bytes).filter(|length| length.get() >= WRITE_BACK) {
        // It is advice: what is not followed costs nothing but time.
        let _ = fadvise(file, from, Some(length), Advice::DontNeed);
    }
}

#[cfg(not(target_os = "linux"))]
fn begin_write_back(_: &File, _: u64, _: u64) {}

/// Takes blocks beyond the end of a file, whose length stays as it is.
#[cfg(target_os = "linux")]
fn allocate(file: &File, from: u64, bytes: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    Ok(fallocate(file, FallocateFlags::KEEP_SIZE, from, bytes)?)
}

#[cfg(not(target_os = "linux"))]
fn allocate(_: &File, _: u64, _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn not_through_a_link(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32);
}

#[cfg(not(unix))]
fn not_through_a_link(_: &mut OpenOptions) {}
