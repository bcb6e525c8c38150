//! Datagrams that never became whole: longer than a network's packets they come in pieces, and where a
//! piece is lost, mostly in a small switch, all of it is, and no socket ever hears of it.
//!
//! Linux counts them for the whole host: `ReasmFails` in `/proc/net/snmp` (RFC 4293,
//! `ipSystemStatsReasmFails`). Elsewhere nothing is told.

use std::fs;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::sockets::over;
use super::telling::Telling;

/// How often the system is asked.
const ASK: Duration = Duration::from_secs(1);
/// It is told again when there are so many times as many.
const AGAIN: u64 = 10;

/// What the system says of fragments since it was asked first.
#[derive(Debug, Default)]
struct Failed {
    before: Option<u64>,
    told: u64,
}

impl Failed {
    /// What is to be said of this list.
    fn note(&mut self, list: &str) -> Option<String> {
        let now = fails(list)?;
        let count = now.saturating_sub(*self.before.get_or_insert(now));
        if count == 0 || count < self.told.saturating_mul(AGAIN) {
            return None;
        }
        self.told = count;
        Some(format!(
            "system: {count} datagram(s) came in pieces that never became whole, of whichever sender: a switch or a link loses packets (a lidar's datagrams are longer than one), or the system has no room for the pieces: `sysctl -w net.ipv4.ipfrag_high_thresh=67108864` gives more"
        ))
    }
}

/// Tells of them until `closed` says so.
pub(super) async fn watch(telling: Telling, mut closed: watch::Receiver<bool>) {
    let mut failed = Failed::default();
    while !*closed.borrow() {
        let list = fs::read_to_string("/proc/net/snmp").unwrap_or_default();
        failed.note(&list).into_iter().for_each(|note| telling.tell(note));
        tokio::select! {
            () = sleep(ASK) => {}
            () = over(&mut closed) => {}
        }
    }
}

/// The count in a list: names in one line, numbers in the next.
fn fails(list: &str) -> Option<u64> {
    let mut lines = list.lines().filter(|line| line.starts_with("Ip:"));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let mut fields = names.split_whitespace().zip(numbers.split_whitespace());
    fields.find(|(name, _)| *name == "ReasmFails")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(fails: u64) -> String {
        format!(
            "Ip: Forwarding ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs\nIp: 1 3 400 100 {fails} 0\nIcmp: InMsgs\nIcmp: 9\n"
        )
    }

    #[test]
    fn what_fails_from_now_on_is_told_and_again_when_there_is_far_more() {
        let mut failed = Failed::default();
        let told = [7, 7, 9, 10, 26, 27, 30].map(|fails| failed.note(&list(fails)).is_some());
        assert_eq!(told, [false, false, true, false, false, true, false]);
        assert!(
            failed
                .note(&list(1000))
                .unwrap()
                .starts_with("system: 993 datagram(s)")
        );
        assert_eq!(Failed::default().note("nothing of it"), None);
    }
}
