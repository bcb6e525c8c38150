//! Finding a sonar by what it says of itself to everybody, before it is asked.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::sockets::{self, LONGEST};
use crate::oculus::{self, Status};

/// How long a status message is waited for; a sonar sends one each second.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first sonar whose status message comes to this address of this host, and where it is.
///
/// # Errors
/// What the system says, or that none came.
pub(super) async fn oculus(at: SocketAddr) -> io::Result<(SocketAddr, Status)> {
    let socket = sockets::shared(at)?;
    let until = Instant::now() + PATIENCE;
    let mut buffer = vec![0; LONGEST];
    loop {
        let heard = timeout_at(until, socket.recv_from(&mut buffer)).await;
        let (length, from) = heard.map_err(|_| {
            let said = "no status message of an Oculus has come: is it switched on, and is this host in its network (192.168.2.x \
                        as it is delivered)?";
            io::Error::new(io::ErrorKind::TimedOut, said)
        })??;
        if let Some(status) = oculus::status(&buffer[..length]) {
            return Ok((from, status));
        }
    }
}
