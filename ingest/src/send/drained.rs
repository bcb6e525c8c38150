//! Whether what was sent has been read: for a sender that is as fast as what hears it.

use std::fs;

/// Whether whoever listens at these ports of this host has read what was sent, as Linux tells it
/// (`/proc/net/udp`); true where the system does not tell.
pub fn drained(ports: &[u16]) -> bool {
    fs::read_to_string("/proc/net/udp").map_or(true, |table| waiting(&table, ports) == 0)
}

/// Bytes that wait at these ports, in the system's table: `sl local_address rem_address st tx_queue:rx_queue …`.
fn waiting(table: &str, ports: &[u16]) -> u64 {
    let row = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (_, port) = words.next()?.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let (_, heard) = words.nth(2)?.split_once(':')?;
        ports
            .contains(&port)
            .then(|| u64::from_str_radix(heard, 16).ok())?
    };
    table.lines().filter_map(row).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_read_from_the_systems_table() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
             94: 0100007F:1D4E 00000000:0000 07 00000000:00003200 00:00000000 00000000     0        0 31 2 0 0\n\
             95: 0100007F:1D4F 00000000:0000 07 00000000:00000010 00:00000000 00000000     0        0 32 2 0 0\n";
        assert_eq!(waiting(table, &[7502]), 0x3200);
        assert_eq!(waiting(table, &[7502, 7503]), 0x3210);
        assert_eq!(waiting(table, &[1]), 0);
    }
}
