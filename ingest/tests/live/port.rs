//! A serial port, by a pair of terminals that the system makes.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// The far end of a port: what is written here is heard there.
pub(crate) struct FarEnd(File);

impl FarEnd {
    /// A port that can be opened at `path` from now on.
    pub(crate) fn plug(path: &Path) -> Self {
        let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&far).unwrap();
        unlockpt(&far).unwrap();
        let name = ptsname(&far, Vec::new()).unwrap();
        // Nothing is sent back, and nothing waits for the end of a line.
        let mut how = tcgetattr(&far).unwrap();
        how.make_raw();
        tcsetattr(&far, OptionalActions::Now, &how).unwrap();
        symlink(PathBuf::from(name.to_str().unwrap()), path).unwrap();
        Self(far.into())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Waits for this many bytes from there.
    pub(crate) fn read(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Takes the port away.
    pub(crate) fn unplug(self, path: &Path) {
        std::fs::remove_file(path).unwrap();
        drop(self);
    }
}
