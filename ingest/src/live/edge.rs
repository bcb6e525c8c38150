//! The edge: the one place where a run may lose what was heard.
//!
//! Each sensor has a bounded queue here. Whoever hears never waits: when a queue is full its oldest
//! goes, and is counted; whoever reads is told so where it was.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use beluga_types::{EdgeState, GapCause, Stamp};
use serde::Serialize;

use crate::capture::{Damage, Datagram};
use crate::error::Fault;

/// What each datagram costs beside its bytes, so that many small ones are bounded too.
const OVERHEAD: usize = 128;

/// So many that were let go are told at once, while more are.
const TOLD_EACH: u64 = 1000;

/// What came to an edge.
#[derive(Debug)]
pub(crate) enum Came {
    Heard(Datagram),
    /// Something was lost on the way here.
    Lost(Damage),
    /// So many bytes were let go here.
    LetGo(Damage, u64),
    /// Nothing, for as long as it was waited for.
    Quiet,
}

/// What one sensor sent and nobody has read yet.
#[derive(Debug)]
pub(crate) struct Edge {
    most_bytes: usize,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Let go since the reader was told last, and their bytes.
    let_go: u64,
    let_go_bytes: u64,
    /// What comes are pieces of one run of bytes: what is let go is told in its very place.
    is_run: bool,
    /// Whether datagrams to other ports are wanted too.
    wide: bool,
    closed: bool,
    tally: Tally,
    /// When the newest was heard.
    newest: Option<Stamp>,
}

/// What nobody has read yet.
#[derive(Debug)]
enum Waiting {
    Own(Datagram),
    /// To another port, to be looked at.
    Beside(Datagram),
    Lost(Damage),
}

/// What came to an edge, counted: `heard` is what was read, is waiting, or was let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Datagrams that came.
    pub heard: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, let go because the queue was full.
    pub let_go: u64,
    /// Lost before they came here, as far as the system tells.
    pub lost_before: u64,
}

impl Edge {
    /// Keeps at most so many bytes; takes datagrams to other ports too, until told otherwise. `is_run`:
    /// what comes are pieces of one run of bytes.
    pub(crate) fn new(most_bytes: usize, is_run: bool) -> Self {
        let queue = Queue {
            wide: true,
            is_run,
            ..Queue::default()
        };
        Self {
            most_bytes,
            queue: Mutex::new(queue),
            changed: Condvar::new(),
        }
    }

    /// Takes a datagram; lets the oldest go where there is no room.
    pub(crate) fn push(&self, datagram: Datagram) {
        let mut queue = self.lock();
        queue.tally.heard += 1;
        queue.tally.bytes += datagram.payload.len() as u64;
        queue.newest = Some(datagram.received);
        queue.bytes += cost(&datagram);
        queue.waiting.push_back(Waiting::Own(datagram));
        while queue.bytes > self.most_bytes && queue.waiting.len() > 1 {
            // What tells of losses stays.
            let mut waiting = queue.waiting.iter();
            let Some(at) = waiting.position(|one| !matches!(one, Waiting::Lost(_))) else {
                break;
            };
            match queue.waiting.remove(at) {
                Some(Waiting::Own(oldest)) => {
                    queue.bytes -= cost(&oldest);
                    queue.let_go += 1;
                    queue.let_go_bytes += oldest.payload.len() as u64;
                    queue.tally.let_go += 1;
                }
                Some(Waiting::Beside(oldest)) => queue.bytes -= cost(&oldest),
                Some(Waiting::Lost(_)) | None => {}
            }
        }
        drop(queue);
        self.changed.notify_one();
    }

    /// Takes a datagram to another port, if that is wanted and there is room: it is for looking at only,
    /// and not counted.
    pub(crate) fn beside(&self, datagram: &Datagram) {
        let mut queue = self.lock();
        if !queue.wide || queue.bytes + cost(datagram) > self.most_bytes {
            return;
        }
        queue.bytes += cost(datagram);
        queue.waiting.push_back(Waiting::Beside(datagram.clone()));
        drop(queue);
        self.changed.notify_one();
    }

    /// Something that was lost on the way here: so many datagrams, and why.
    pub(crate) fn lost(&self, count: u64, detail: String) {
        let mut queue = self.lock();
        queue.tally.lost_before += count;
        queue.waiting.push_back(Waiting::Lost(damage(detail)));
        drop(queue);
        self.changed.notify_one();
    }

    /// From now on datagrams to other ports are not wanted.
    pub(crate) fn narrow(&self) {
        self.lock().wide = false;
    }

    /// Nothing more will come; what waits can still be read.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Whether it is closed, and all that came is read.
    pub(crate) fn is_over(&self) -> bool {
        let queue = self.lock();
        queue.closed && queue.waiting.is_empty()
    }

    /// What has come so far.
    pub(crate) fn tally(&self) -> Tally {
        self.lock().tally
    }

    /// How it stands at this moment of the host: a glance that holds nobody up.
    pub(crate) fn state(&self, now: Stamp) -> EdgeState {
        let queue = self.lock();
        let Tally {
            heard,
            let_go,
            lost_before,
            ..
        } = queue.tally;
        EdgeState {
            datagrams: heard,
            let_go,
            lost_before,
            fill: (queue.bytes as f64 / self.most_bytes.max(1) as f64).min(1.0),
            age_s: queue.newest.map(|newest| now.seconds_since(newest).max(0.0)),
        }
    }

    /// The next datagram, waited for; nothing once it is closed and empty.
    pub(crate) fn next(&self) -> Option<Result<Datagram, Damage>> {
        loop {
            match self.wait(None)? {
                Came::Heard(datagram) => return Some(Ok(datagram)),
                Came::Lost(damage) | Came::LetGo(damage, _) => return Some(Err(damage)),
                Came::Quiet => {}
            }
        }
    }

    /// What comes next, waited for until then at the longest; nothing once it is closed and empty.
    pub(crate) fn wait(&self, until: Option<Instant>) -> Option<Came> {
        let mut queue = self.lock();
        loop {
            if let Some(came) = queue.take(self.most_bytes) {
                return Some(came);
            }
            if queue.closed {
                return None;
            }
            queue = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return Some(Came::Quiet),
                Some(left) => {
                    let waited = self.changed.wait_timeout(queue, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Every change is whole before the lock is given back, so a thread that failed leaves nothing torn.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// What waits, or what was let go: once there is room again, or now and then, not beside every
    /// datagram that is read.
    fn take(&mut self, most_bytes: usize) -> Option<Came> {
        let has_room = self.closed || self.is_run || 2 * self.bytes < most_bytes;
        if self.let_go >= TOLD_EACH || (self.let_go > 0 && has_room) {
            let count = std::mem::take(&mut self.let_go);
            let bytes = std::mem::take(&mut self.let_go_bytes);
            let detail = format!("{count} datagram(s) let go: the run was slower than the sensor");
            return Some(Came::LetGo(damage(detail), bytes));
        }
        match self.waiting.pop_front()? {
            Waiting::Own(datagram) | Waiting::Beside(datagram) => {
                self.bytes -= cost(&datagram);
                Some(Came::Heard(datagram))
            }
            Waiting::Lost(damage) => Some(Came::Lost(damage)),
        }
    }
}

fn cost(datagram: &Datagram) -> usize {
    datagram.payload.len() + OVERHEAD
}

fn damage(detail: String) -> Damage {
    Damage {
        received: None,
        source: None,
        port: None,
        fault: Fault {
            cause: GapCause::Overflow,
            lost: 0,
            detail,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;

    fn datagram(number: u8) -> Datagram {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 2368));
        Datagram {
            received: Stamp::from_nanos(i64::from(number)),
            source: loopback,
            destination: loopback,
            payload: vec![number; 100],
        }
    }

    #[test]
    fn the_newest_is_kept_and_what_is_let_go_is_told_where_it_was() {
        let edge = Edge::new(3 * (100 + OVERHEAD), false);
        (0..5).for_each(|number| edge.push(datagram(number)));
        edge.close();
        let first = edge.next().unwrap().unwrap_err().fault;
        assert_eq!((first.cause, first.lost), (GapCause::Overflow, 0));
        assert!(first.detail.starts_with("2 datagram(s)"), "{}", first.detail);
        let kept: Vec<u8> = std::iter::from_fn(|| edge.next())
            .map(|found| found.unwrap().payload[0])
            .collect();
        assert_eq!(kept, [2, 3, 4]);
        let tally = edge.tally();
        assert_eq!(tally.heard, kept.len() as u64 + tally.let_go);
    }

    /// A quarter of the queue is one datagram of 100 bytes and what it costs beside them.
    #[test]
    fn how_full_it_is_and_when_it_was_heard_last_are_seen_at_a_glance() {
        let edge = Edge::new(4 * (100 + OVERHEAD), false);
        let at = |nanos| edge.state(Stamp::from_nanos(nanos));
        assert_eq!(at(0), EdgeState::default());
        (0..6).for_each(|number| edge.push(datagram(number)));
        edge.lost(3, "3 lost".into());
        let seen = at(2_000_000_005);
        assert_eq!((seen.datagrams, seen.let_go, seen.lost_before), (6, 2, 3));
        assert_eq!((seen.fill, seen.age_s), (1.0, Some(2.0)));
        edge.next();
        assert_eq!(at(5).fill, 0.75);
    }

    #[test]
    fn a_datagram_larger_than_the_queue_is_kept_alone() {
        let edge = Edge::new(10, false);
        edge.push(datagram(0));
        edge.push(datagram(1));
        assert_eq!(edge.next().unwrap().unwrap().payload[0], 1);
        edge.close();
        assert!(edge.next().unwrap().is_err(), "told in the end");
    }

    #[test]
    fn what_goes_elsewhere_is_looked_at_while_that_is_wanted() {
        let edge = Edge::new(2 * (100 + OVERHEAD), false);
        edge.beside(&datagram(0));
        edge.push(datagram(1));
        edge.beside(&datagram(2));
        edge.narrow();
        edge.next();
        edge.beside(&datagram(3));
        edge.close();
        let kept: Vec<u8> = std::iter::from_fn(|| edge.next())
            .map(|found| found.unwrap().payload[0])
            .collect();
        assert_eq!(kept, [1], "no room for 2, and 3 is not wanted");
        assert_eq!(edge.tally().heard, 1);
    }

    #[test]
    fn what_was_to_be_looked_at_only_is_not_counted_when_it_makes_room() {
        let edge = Edge::new(2 * (100 + OVERHEAD), false);
        edge.beside(&datagram(0));
        (1..4).for_each(|number| edge.push(datagram(number)));
        let tally = edge.tally();
        assert_eq!((tally.heard, tally.let_go), (3, 1));
    }

    #[test]
    fn of_a_run_of_bytes_what_is_let_go_is_told_in_its_very_place() {
        let edge = Edge::new(2 * (100 + OVERHEAD), true);
        (0..4).for_each(|number| edge.push(datagram(number)));
        let now = Some(Instant::now());
        assert!(matches!(edge.wait(now), Some(Came::LetGo(_, 200))));
        assert!(matches!(edge.wait(now), Some(Came::Heard(kept)) if kept.payload[0] == 2));
        assert!(matches!(edge.wait(now), Some(Came::Heard(kept)) if kept.payload[0] == 3));
        assert!(matches!(edge.wait(now), Some(Came::Quiet)));
    }

    #[test]
    fn what_was_lost_before_is_told_in_its_place() {
        let edge = Edge::new(1 << 20, false);
        edge.push(datagram(0));
        edge.lost(7, "7 lost".into());
        edge.push(datagram(1));
        edge.close();
        let order: Vec<bool> = std::iter::from_fn(|| edge.next())
            .map(|found| found.is_ok())
            .collect();
        assert_eq!(order, [true, false, true]);
        assert_eq!(edge.tally().lost_before, 7);
    }
}
