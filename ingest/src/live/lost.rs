//! What the system itself lost of a socket's datagrams.
//!
//! Linux counts for each socket the datagrams that found its buffer full: the last column, `drops`,
//! of `/proc/net/udp` and `/proc/net/udp6` (proc(5)), where the column before the last three names the
//! socket by its inode. Elsewhere nothing is told.

use std::fs;
use std::os::fd::BorrowedFd;

/// Files that list sockets.
const LISTS: [&str; 2] = ["/proc/net/udp", "/proc/net/udp6"];
/// Where a line has the inode and the count; words are counted from 0.
const INODE: usize = 9;
const DROPS: usize = 12;

/// One socket's losses.
#[derive(Debug)]
pub(super) struct Counter {
    inode: Option<u64>,
    told: u64,
}

impl Counter {
    pub(super) fn of(socket: BorrowedFd<'_>) -> Self {
        Self {
            inode: rustix::fs::fstat(socket).ok().map(|found| found.st_ino),
            told: 0,
        }
    }

    /// How many were lost since it was asked last.
    pub(super) fn since(&mut self) -> u64 {
        let lists = LISTS.iter().filter_map(|list| fs::read_to_string(list).ok());
        let drops = self.inode.and_then(|inode| {
            let mut lists = lists.into_iter();
            lists.find_map(|list| drops(&list, inode))
        });
        let drops = drops.unwrap_or(self.told);
        let since = drops.saturating_sub(self.told);
        self.told = drops;
        since
    }
}

/// The count of a socket in a list.
fn drops(list: &str, inode: u64) -> Option<u64> {
    list.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let own = words.get(INODE)?.parse() == Ok(inode);
        own.then(|| words.get(DROPS)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_proc_writes_it() {
        let list = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  218: 0100007F:0940 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 40631 2 00000000a2ab3bd5 17
  601: 00000000:1F49 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 40632 2 00000000a2ab3bd6 0
";
        assert_eq!(drops(list, 40631), Some(17));
        assert_eq!(drops(list, 40632), Some(0));
        assert_eq!(drops(list, 1), None);
    }
}
