//! The picture as it is now, for browsers that come and go and read as fast as they can.
//!
//! What is true only now replaces what was there before, so that what is kept does not grow with the
//! run: whoever comes gets the picture as it is, whoever is slow gets the newest of it. Only what is
//! bound to a moment (numbers over time, the log) is a history, and that one is bounded too.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most that is kept of what is bound to a moment, bytes as sent: beyond it the oldest goes.
const MOST_MOMENT_BYTES: usize = 32 << 20;
/// The pause after a browser has got all there was: so long things may replace each other.
const BREATH: Duration = Duration::from_millis(250);

/// How long something is part of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    /// Always.
    Kept,
    /// Until there is something else under this name.
    Newest(String),
    /// As a part of the layout of this name, until another layout is complete.
    Layout(String),
    /// The last part of the layout of this name: it takes the place of all others.
    LayoutEnd(String),
    /// As part of a history.
    Moment,
}

/// What is to be seen.
#[derive(Default)]
pub(super) struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// In the order in which it came.
    parts: BTreeMap<u64, Part>,
    /// Where the newest of each name stands.
    newest: HashMap<String, u64>,
    next: u64,
    moment_bytes: usize,
    ended: bool,
}

struct Part {
    stay: Stay,
    bytes: Arc<[u8]>,
}

impl State {
    fn put(&mut self, stay: Stay, bytes: Arc<[u8]>) {
        let at = self.next;
        self.next += 1;
        match &stay {
            Stay::Newest(name) => {
                if let Some(before) = self.newest.insert(name.clone(), at) {
                    self.parts.remove(&before);
                }
            }
            Stay::LayoutEnd(name) => self.parts.retain(|_, part| match &part.stay {
                Stay::Layout(other) | Stay::LayoutEnd(other) => other == name,
                _ => true,
            }),
            Stay::Moment => self.moment_bytes += bytes.len(),
            Stay::Kept | Stay::Layout(_) => {}
        }
        self.parts.insert(at, Part { stay, bytes });
        if self.moment_bytes > MOST_MOMENT_BYTES {
            self.forget_moments();
        }
    }

    /// Drops an eighth of the history, so that it is seldom searched for what is oldest.
    fn forget_moments(&mut self) {
        let (bytes, wanted) = (&mut self.moment_bytes, MOST_MOMENT_BYTES / 8 * 7);
        self.parts.retain(|_, part| {
            let goes = part.stay == Stay::Moment && *bytes > wanted;
            if goes {
                *bytes -= part.bytes.len();
            }
            !goes
        });
    }
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a part; never waits for a browser.
    pub(super) fn put(&self, stay: Stay, bytes: impl Into<Arc<[u8]>>) {
        self.state().put(stay, bytes.into());
        self.changed.notify_all();
    }

    /// Nothing more will come.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.changed.notify_all();
    }

    /// One that reads from the beginning.
    pub(super) fn reader(self: &Arc<Self>) -> Reader {
        Reader {
            board: self.clone(),
            from: 0,
            caught_up: false,
        }
    }

    /// Bytes of what is now, and of what is a history.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 2] {
        let state = self.state();
        let all: usize = state.parts.values().map(|part| part.bytes.len()).sum();
        [all - state.moment_bytes, state.moment_bytes]
    }
}

/// A browser's place on the board.
pub(super) struct Reader {
    board: Arc<Board>,
    /// The first part it does not have.
    from: u64,
    caught_up: bool,
}

impl Iterator for Reader {
    type Item = Arc<[u8]>;

    /// The next part, when there is one; nothing once all is sent that will ever be.
    fn next(&mut self) -> Option<Self::Item> {
        let mut state = self.board.state();
        if self.caught_up {
            self.caught_up = false;
            let hurry = |state: &mut State| !state.ended;
            (state, _) = self
                .board
                .changed
                .wait_timeout_while(state, BREATH, hurry)
                .unwrap_or_else(PoisonError::into_inner);
        }
        loop {
            let from = self.from;
            state = self
                .board
                .changed
                .wait_while(state, |state| state.next == from && !state.ended)
                .unwrap_or_else(PoisonError::into_inner);
            let found = state.parts.range(from..).next();
            match found.map(|(&at, part)| (at, part.bytes.clone())) {
                Some((at, bytes)) => {
                    self.from = at + 1;
                    self.caught_up = self.from == state.next;
                    return Some(bytes);
                }
                None if state.ended => return None,
                // What had come was replaced and forgotten meanwhile.
                None => self.from = state.next,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest(name: &str) -> Stay {
        Stay::Newest(name.into())
    }

    fn text(part: Arc<[u8]>) -> String {
        String::from_utf8(part.to_vec()).unwrap()
    }

    #[test]
    fn a_slow_browser_gets_the_newest_and_nothing_grows() {
        let board = Arc::new(Board::default());
        let mut slow = board.reader();
        board.put(Stay::Kept, *b"who");
        assert_eq!(slow.next().map(text).unwrap(), "who");
        for i in 0..10_000 {
            board.put(newest("fan"), format!("fan {i}").into_bytes());
            board.put(newest("hull"), format!("hull {i}").into_bytes());
        }
        assert_eq!(board.state().parts.len(), 3);
        board.end();
        let rest: Vec<String> = slow.map(text).collect();
        assert_eq!(rest, ["fan 9999", "hull 9999"]);
        let late: Vec<String> = board.reader().map(text).collect();
        assert_eq!(late, ["who", "fan 9999", "hull 9999"]);
    }

    #[test]
    fn a_layout_takes_the_place_of_the_one_before_when_it_is_whole() {
        let board = Arc::new(Board::default());
        for name in ["a", "b", "c"] {
            board.put(Stay::Layout(name.into()), format!("{name} 1").into_bytes());
            board.put(Stay::Layout(name.into()), format!("{name} 2").into_bytes());
            if name != "c" {
                board.put(Stay::LayoutEnd(name.into()), format!("show {name}").into_bytes());
            }
        }
        board.end();
        let seen: Vec<String> = board.reader().map(text).collect();
        assert_eq!(seen, ["b 1", "b 2", "show b", "c 1", "c 2"]);
    }

    #[test]
    fn a_history_is_bounded_and_loses_its_oldest() {
        let board = Arc::new(Board::default());
        board.put(newest("tile"), vec![7; 1000]);
        let moment = vec![0u8; MOST_MOMENT_BYTES / 100];
        for _ in 0..1000 {
            board.put(Stay::Moment, moment.clone());
            let [now, history] = board.sizes();
            assert!(now == 1000 && history <= MOST_MOMENT_BYTES, "{now} and {history}");
        }
        board.put(Stay::Moment, *b"last");
        board.end();
        let seen: Vec<Arc<[u8]>> = board.reader().collect();
        assert_eq!(seen[0].len(), 1000, "what stands still is kept");
        assert_eq!(&seen.last().unwrap()[..], b"last");
        assert!(seen.len() > 80, "{}", seen.len());
    }

    #[test]
    fn one_that_reads_while_it_is_made_misses_no_moment() {
        let board = Arc::new(Board::default());
        let reader = board.reader();
        let reading = std::thread::spawn(move || reader.count());
        for _ in 0..1000 {
            board.put(Stay::Moment, *b"x");
        }
        board.end();
        assert_eq!(reading.join().unwrap(), 1000);
    }
}
