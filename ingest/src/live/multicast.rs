//! Joining a group of hosts that one sender speaks to.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use socket2::{InterfaceIndexOrAddress, Socket};

/// Joins a group by the network where this host has the address `by`, or by the usual one.
///
/// # Errors
/// What the system says; of an IPv6 group also if `by` is named, since those are joined by the
/// usual network only.
pub(super) fn join(socket: &Socket, group: IpAddr, by: Option<IpAddr>) -> io::Result<()> {
    match (group, by) {
        (IpAddr::V4(group), by) => {
            // Otherwise it hears what others on this host have joined, by other networks too.
            socket.set_multicast_all_v4(false)?;
            let by = match by {
                None => Ipv4Addr::UNSPECIFIED,
                Some(IpAddr::V4(by)) => by,
                Some(IpAddr::V6(_)) => return Err(unfit()),
            };
            socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Address(by))
        }
        (IpAddr::V6(group), None) => socket.join_multicast_v6(&group, 0),
        (IpAddr::V6(_), Some(_)) => Err(unfit()),
    }
}

fn unfit() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "`interface` is an IPv4 address of this host, for an IPv4 group",
    )
}
