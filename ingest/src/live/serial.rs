//! A serial port: raw bytes, 8 a byte, no parity, no flow control.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};
use rustix::termios::{ControlModes, OptionalActions, ioctl_tiocexcl, tcgetattr, tcsetattr};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// A port that is open and gives bytes as they come.
pub(super) struct Port {
    /// To the system a terminal is read as a pipe is.
    read: Receiver,
    write: OwnedFd,
}

impl Port {
    /// Opens a port for this program alone and sets its rate.
    ///
    /// # Errors
    /// What the system says, of a file that is no port too.
    pub(super) fn open(path: &Path, baud: u32) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let port = open(path, flags, Mode::empty())?;
        let mut how = tcgetattr(&port)?;
        how.make_raw();
        how.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
        how.control_modes &= !(ControlModes::CSTOPB | ControlModes::CRTSCTS);
        how.set_speed(baud)?;
        tcsetattr(&port, OptionalActions::Now, &how)?;
        ioctl_tiocexcl(&port)?;
        Ok(Self {
            write: port.try_clone()?,
            read: Receiver::from_owned_fd_unchecked(port)?,
        })
    }

    /// The next bytes; none where the port has gone away.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read.read(buffer).await
    }

    /// Sends a few bytes. What a port does not take at once is left: a device that is asked is asked
    /// again.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match rustix::io::write(&self.write, bytes) {
            Ok(_) | Err(rustix::io::Errno::AGAIN) => Ok(()),
            Err(said) => Err(said.into()),
        }
    }
}
